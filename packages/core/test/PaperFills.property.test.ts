/** Paper orders in any market: they never have more than the market showed, and never at a worse price. */
import { assert, describe, it } from "@effect/vitest"
import * as Clearing from "@tickline/core/trading/Clearing"
import { Instrument } from "@tickline/core/trading/Instrument"
import type { Order } from "@tickline/core/trading/MatchingEvent"
import type * as Decimal from "@tickline/core/value/Decimal"
import * as Arbitrary from "effect/Arbitrary"
import * as BigDecimal from "effect/BigDecimal"
import * as Schema from "effect/Schema"
import { account, FillModel, type Quotes } from "../src/trading/paper/internal/fillModel.ts"

const whole = (value: number): Decimal.Decimal => BigDecimal.make(BigInt(value), 0)
const numberOf = (value: Decimal.Decimal): number => Number(BigDecimal.scale(value, 0).value)

const instrument = new Instrument({ product: "X", tick: whole(1), lot: whole(1), base: "B", feeAsset: "Q" })

const below = (count: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: count - 1 }))

const Chance = Schema.Struct({
  kind: below(10),
  side: Schema.Literals(["buy", "sell"]),
  price: below(8),
  amount: below(9),
  timeInForce: Schema.Literals(["gtc", "gtc", "gtc", "ioc", "fok", "post-only"]),
  mid: below(6),
  sizes: Schema.Tuple([below(6), below(6), below(6), below(6)]),
  isKnown: below(12)
})

/** A book around a price, with two levels a side at most. */
const quotesOf = ({ mid, sizes }: typeof Chance.Type): Quotes => {
  const level = (price: number, size: number) =>
    size === 0 || price < 1 ? [] : [{ price: whole(price), size: whole(size) }]
  const [first, second, third, fourth] = sizes
  return {
    buy: [...level(mid + 1, first), ...level(mid, second)],
    sell: [...level(mid + 2, third), ...level(mid + 3, fourth)]
  }
}

const other = { buy: "sell", sell: "buy" } as const
const reaches = (side: "buy" | "sell", price: number, level: number) => side === "buy" ? price >= level : price <= level

/** What the market has shown of each level, and what we have had of it since it was another size. */
class Shown {
  private readonly levels = {
    buy: new Map<number, { size: number; had: number }>(),
    sell: new Map<number, { size: number; had: number }>()
  }

  show(quotes: Quotes): void {
    for (const side of ["buy", "sell"] as const) {
      const now = new Map(
        quotes[side].map(({ price, size }) => [numberOf(price), size === undefined ? 0 : numberOf(size)])
      )
      for (const [price, { size }] of this.levels[side]) if (now.get(price) !== size) this.levels[side].delete(price)
      for (const [price, size] of now) if (!this.levels[side].has(price)) this.levels[side].set(price, { size, had: 0 })
    }
  }

  /** Takes from the levels of a side that a price reaches, best first; gives what they do not have. */
  take(side: "buy" | "sell", limit: number | undefined, amount: number): number {
    let left = amount
    const sign = side === "sell" ? 1 : -1
    for (const [price, level] of [...this.levels[side]].toSorted(([one], [two]) => sign * (one - two))) {
      if (limit !== undefined && !reaches(other[side], limit, price)) break
      const taken = Math.min(left, level.size - level.had)
      level.had += taken
      left -= taken
    }
    return left
  }

  left(side: "buy" | "sell", limit: number): number {
    return [...this.levels[side]].reduce(
      (sum, [price, { had, size }]) => reaches(other[side], limit, price) ? sum + size - had : sum,
      0
    )
  }
}

const seed = process.env["TICKLINE_SEED"] ?? "paper"

describe("paper orders", () => {
  const seen = new Map<string, number>()
  const see = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)

  it.prop(
    "have what the market showed, once, and at their price or better",
    [Arbitrary.array(Arbitrary.schema(Chance), { minLength: 20, maxLength: 120 })],
    ([chances]) => {
      const clearing = Clearing.make([instrument])
      for (const asset of ["B", "Q"]) clearing.deposit(account, asset, whole(1_000_000))
      const model = new FillModel(clearing)
      model.list("X", ["B", "Q"], true)
      const shown = new Shown()
      let isKnown = false
      const priceOf = ({ price }: Order) => price === undefined ? undefined : numberOf(price)

      chances.forEach((chance, at) => {
        const { amount, kind, price, side, timeInForce } = chance
        if (kind < 3) {
          isKnown = chance.isKnown > 0
          const quotes = isKnown ? quotesOf(chance) : undefined
          if (quotes !== undefined) shown.show(quotes)
          const had = { buy: 0, sell: 0 }
          for (const event of model.quote("X", quotes, at)) {
            if (event._tag !== "Traded") continue
            const own = event.maker.order
            assert.strictEqual(own.account, account)
            see("came to it")
            had[own.side] += numberOf(event.amount)
            assert.strictEqual(shown.take(other[own.side], priceOf(own), numberOf(event.amount)), 0)
          }
          // What reaches an order that rests has been traded.
          for (const order of quotes === undefined ? [] : clearing.books.orders(account)) {
            assert.strictEqual(shown.left(other[order.side], priceOf(order) ?? 0), 0)
          }
          return
        }
        if (kind < 6) {
          const size = amount + 1
          const events = model.trade("X", { price: whole(price + 1), size: whole(size), side }, at)
          let filled = 0
          for (const event of events) {
            if (event._tag !== "Traded") continue
            const { order } = event.maker
            see("was traded")
            assert.strictEqual(order.side, other[side])
            assert.isTrue(reaches(order.side, priceOf(order) ?? 0, price + 1))
            filled += numberOf(event.amount)
          }
          assert.isAtMost(filled, size)
          return
        }
        if (kind === 6) {
          const [order] = clearing.books.orders(account)
          if (order !== undefined) model.apply("X", { _tag: "Cancel", account, orderId: order.orderId }, at)
          return
        }
        // An order that comes is refused where the market is not known.
        if (!isKnown) return
        const placing = {
          _tag: "Place",
          account,
          product: "X",
          side,
          amount: whole(amount + 1),
          selfTrade: "cancel-taker"
        } as const
        const limit = kind === 7 ? undefined : price + 1
        const events = model.apply(
          "X",
          limit === undefined
            ? { ...placing, type: "market" }
            : { ...placing, type: "limit", price: whole(limit), timeInForce },
          at
        )
        const [refused] = events.flatMap((event) => event._tag === "Rejected" ? [event.reason._tag] : [])
        if (refused !== undefined) see(refused)
        let filled = 0
        for (const event of events) {
          if (event._tag !== "Traded") continue
          see("took")
          filled += numberOf(event.amount)
          assert.strictEqual(event.taker.order.account, account)
          assert.notStrictEqual(event.maker.order.account, account)
          assert.strictEqual(shown.take(other[side], numberOf(event.price), numberOf(event.amount)), 0)
        }
        if (timeInForce === "fok" && limit !== undefined) assert.isTrue(filled === 0 || filled === amount + 1)
        if (timeInForce === "post-only" && limit !== undefined) assert.strictEqual(filled, 0)
      })
    },
    { timeout: 60_000, arbitrary: { runs: 400, size: 120, seed } }
  )

  it("do everything they can in those markets", () => {
    assert.deepStrictEqual([...seen.keys()].toSorted(), [
      "NotFillable",
      "WouldTrade",
      "came to it",
      "took",
      "was traded"
    ])
    for (const [what, times] of seen) assert.isAbove(times, 20, what)
  })
})
