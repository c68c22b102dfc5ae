/** What a trader has after any steps: the invariants, and the sum of what was paid and received, by a count of its own. */
import { assert, describe, it } from "@effect/vitest"
import { Fill } from "@tickline/core/trading/OrderEvent"
import * as Portfolio from "@tickline/core/trading/Portfolio"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Arbitrary from "effect/Arbitrary"
import * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)
const { multiply, subtract, sum } = BigDecimal
const below = (count: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: count - 1 }))
const json = (value: unknown): string =>
  JSON.stringify(
    value,
    (_, value: unknown) =>
      value instanceof Map ? [...value] : BigDecimal.isBigDecimal(value) ? Decimal.format(value) : value
  )

/** One step by chance. */
const Chance = Schema.Struct({
  kind: below(12),
  product: Schema.Literals(["BTC-USD", "BTC-USD", "ETH-USD", "SOL-USD"]),
  direction: Schema.Literals(["long", "short"]),
  amount: below(3000),
  price: below(400),
  part: below(5),
  which: below(5),
  fee: below(40)
})

/** What was paid and received, counted from the fills alone. */
class Count {
  private readonly amounts = new Map<string, Decimal.Decimal>()
  private money: Decimal.Decimal

  constructor(money: Decimal.Decimal) {
    this.money = money
  }

  see({ amount, fee = Decimal.zero, price, product, side }: Fill): void {
    const signed = side === "buy" ? amount : BigDecimal.negate(amount)
    this.amounts.set(product, sum(this.amounts.get(product) ?? Decimal.zero, signed))
    this.money = subtract(subtract(this.money, multiply(signed, price)), fee)
  }

  worth(marks: ReadonlyMap<string, Decimal.Decimal>): Decimal.Decimal {
    let worth = this.money
    for (const [product, amount] of this.amounts) {
      worth = sum(worth, multiply(amount, marks.get(product) ?? assert.fail(product)))
    }
    return worth
  }
}

const seed = process.env["TICKLINE_SEED"] ?? "portfolio"

describe("a portfolio after any steps", () => {
  const seen = new Map<string, number>()
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)

  it.prop(
    "keeps its invariants, and has what was paid and received",
    [Arbitrary.array(Arbitrary.schema(Chance), { minLength: 60, maxLength: 200 })],
    ([chances]) => {
      let portfolio = Portfolio.empty({ cash: decimal("1000"), quote: "USD" })
      const books = new Count(decimal("1000"))
      let [ids, trades] = [0, 0]
      for (const chance of chances) {
        const { direction, product, which } = chance
        const before = portfolio
        const beforeText = json(before)
        const price = sum(decimal("0.80"), BigDecimal.make(BigInt(chance.price), 3))
        const amount = BigDecimal.make(BigInt(chance.amount + 1), 1)
        const fee = BigDecimal.make(BigInt(chance.fee - 10), 3)
        const entry = [...portfolio.entries.values()][which]
        const lot = [...portfolio.lots.values()][which]
        const fillOf = (side: "buy" | "sell", product: string, amount: Decimal.Decimal, price: Decimal.Decimal) =>
          new Fill({ exchange: "here", product, side, price, amount, fee, tradeId: String(++trades) })
        // A fifth, two fifths, … or all of what is there.
        const partOf = (whole: Decimal.Decimal) =>
          chance.part === 4 ? whole : multiply(whole, BigDecimal.make(2n * BigInt(chance.part + 1), 1))
        let step: string
        if (chance.kind < 3) {
          step = "mark"
          portfolio = Portfolio.mark(portfolio, product, price)
        } else if (chance.kind < 6) {
          const order = { id: String(++ids), product, direction, amount, price, fee: decimal("0.03") }
          const admitted = Portfolio.admit(portfolio, order)
          step = Result.isSuccess(admitted) ? "admit" : `refused: ${admitted.failure._tag}`
          if (Result.isSuccess(admitted)) portfolio = admitted.success
        } else if (chance.kind === 6 && entry !== undefined) {
          step = "release"
          portfolio = Portfolio.release(portfolio, entry.id)
          assert.isFalse(portfolio.entries.has(entry.id))
        } else if (chance.kind < 10 && entry !== undefined) {
          step = "enter"
          const fill = fillOf(
            entry.direction === "long" ? "buy" : "sell",
            entry.product,
            partOf(entry.amount),
            entry.price
          )
          portfolio = Result.getOrThrow(Portfolio.enter(portfolio, entry.id, fill, 0))
          assert.strictEqual(Result.getOrThrow(Portfolio.enter(portfolio, entry.id, fill, 0)), portfolio)
          books.see(fill)
        } else if (lot !== undefined) {
          const fill = fillOf(lot.direction === "long" ? "sell" : "buy", lot.symbol, partOf(lot.amount), price)
          const exited = Result.getOrThrow(Portfolio.exit(portfolio, lot.id, fill, 0))
          step = exited.closed === undefined ? "exit" : "close"
          portfolio = exited.portfolio
          assert.isTrue(BigDecimal.equals(portfolio.realized, sum(before.realized, exited.realized)))
          assert.strictEqual(Result.getOrThrow(Portfolio.exit(portfolio, lot.id, fill, 0)).portfolio, portfolio)
          books.see(fill)
        } else step = "nothing"
        count(step)
        assert.strictEqual(json(before), beforeText)
        const broken = Portfolio.violations(portfolio).filter(({ _tag }) => _tag !== "Exposure" && _tag !== "Cash")
        assert.deepStrictEqual(broken, [], step)
        // An entry costs no more than was set aside: only what closes a lot can lose more than there is.
        if (step !== "exit" && step !== "close" && before.cash.value >= 0n) {
          assert.isTrue(portfolio.cash.value >= 0n, step)
        }
        const worth = books.worth(portfolio.marks)
        assert.isTrue(BigDecimal.equals(portfolio.total, worth), `${json(portfolio.total)} is not ${json(worth)}`)
        const open = Portfolio.violations(portfolio).some(({ _tag }) => _tag === "Exposure")
        assert.strictEqual(open, Portfolio.exposure(portfolio) > 0.8, step)
      }
    },
    { timeout: 60_000, arbitrary: { runs: 300, size: 200, seed } }
  )

  it("was taken through all of them", () => {
    for (const step of ["mark", "admit", "release", "enter", "exit", "close"]) {
      assert.isAbove(seen.get(step) ?? 0, 500, step)
    }
    for (const tag of ["Lots", "LotsOfProduct", "Exposure"]) {
      assert.isAbove(seen.get(`refused: ${tag}`) ?? 0, 5, tag)
    }
  })
})
