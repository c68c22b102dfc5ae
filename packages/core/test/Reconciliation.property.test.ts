/** What fills come to is what accounts over the matching engine have, to the last digit; and so is a portfolio. */
import { assert, describe, it } from "@effect/vitest"
import * as Clearing from "@tickline/core/trading/Clearing"
import { Fees, Instrument } from "@tickline/core/trading/Instrument"
import { Fill } from "@tickline/core/trading/OrderEvent"
import * as Portfolio from "@tickline/core/trading/Portfolio"
import * as Reconciliation from "@tickline/core/trading/Reconciliation"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Arbitrary from "effect/Arbitrary"
import * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)
const { multiply, subtract, sum } = BigDecimal
const below = (count: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: count - 1 }))

const rules = { tick: decimal("0.01"), lot: decimal("0.001") }
const spot = new Instrument({
  ...rules,
  product: "BTC-USD",
  base: "BTC",
  feeAsset: "USD",
  fees: new Fees({ maker: decimal("-0.00013"), taker: decimal("0.00071") })
})
const linear = new Instrument({
  ...rules,
  product: "BTC-PERP",
  feeAsset: "USD",
  fees: new Fees({ maker: decimal("0.0002"), taker: decimal("0.0005"), digits: 4 })
})
const inverse = new Instrument({
  ...rules,
  product: "BTC-INVERSE",
  feeAsset: "BTC",
  valuation: "inverse",
  fees: new Fees({ maker: Decimal.zero, taker: decimal("0.0005") })
})
const instruments = [spot, linear, inverse]
const instrumentOf = (_: string, product: string) => instruments.find((instrument) => instrument.product === product)
const exchanges = ["first", "second"] as const
const accounts = ["ann", "bob", "cat"] as const
const assets = ["USD", "BTC"] as const
const deposit = decimal("1000000")

/** One order by chance. */
const Chance = Schema.Struct({
  exchange: Schema.Literals(exchanges),
  account: Schema.Literals(accounts),
  product: Schema.Literals(["BTC-USD", "BTC-PERP", "BTC-PERP", "BTC-INVERSE"]),
  side: Schema.Literals(["buy", "sell"]),
  amount: below(5000),
  price: below(60),
  isMarket: Schema.Boolean,
  which: below(4)
})

const equal = (one: Decimal.Decimal, other: Decimal.Decimal, what: string): void => {
  if (!BigDecimal.equals(one, other)) assert.strictEqual(Decimal.format(one), Decimal.format(other), what)
}

const open = () => {
  const clearing = Clearing.make(instruments)
  for (const account of accounts) for (const asset of assets) clearing.deposit(account, asset, deposit)
  return clearing
}

/** An account's sides of what happened, as an exchange tells them: in as few digits as will do. */
const fillsOf = (exchange: string, account: string, events: ReadonlyArray<Clearing.Event>): ReadonlyArray<Fill> =>
  events.flatMap((event) => {
    if (event._tag !== "Traded") return []
    const { amount, maker, price, product, taker, tradeId } = event
    return [maker, taker].flatMap(({ fee, order }, index) =>
      order.account !== account ? [] : new Fill({
        exchange,
        product,
        side: order.side,
        price: BigDecimal.normalize(price),
        amount: BigDecimal.normalize(amount),
        fee,
        tradeId: `${tradeId} ${index}`
      })
    )
  })

const seed = process.env["TICKLINE_SEED"] ?? "reconciliation"

describe("after random orders at two exchanges", () => {
  let fills = 0

  it.prop(
    "what fills come to is what the accounts have, to the last digit",
    [Arbitrary.array(Arbitrary.schema(Chance), { minLength: 80, maxLength: 250 })],
    ([chances]) => {
      const clearings = { first: open(), second: open() }
      const opening = new Map(exchanges.map((exchange): [string, Reconciliation.Account] => [exchange, {
        balances: new Map(assets.map((asset) => [asset, deposit])),
        positions: new Map()
      }]))
      const told = new Map<string, Array<Fill>>(accounts.map((account) => [account, []]))
      for (const { account, amount, exchange, isMarket, price, product, side } of chances) {
        const order = { _tag: "Place", account, product, side, amount: BigDecimal.make(BigInt(amount + 1), 3) } as const
        const events = clearings[exchange].apply(
          isMarket
            ? { ...order, type: "market", timeInForce: "ioc" }
            : { ...order, type: "limit", price: BigDecimal.make(9_970n + BigInt(price), 2), timeInForce: "gtc" },
          0
        )
        for (const account of accounts) told.get(account)?.push(...fillsOf(exchange, account, events))
      }
      for (const account of accounts) {
        const ours = told.get(account) ?? []
        fills += ours.length
        // All at once, and in two steps.
        const half = Result.getOrThrow(
          Reconciliation.expected(opening, ours.slice(0, ours.length / 2), instrumentOf)
        )
        const found = Result.getOrThrow(Reconciliation.expected(half, ours.slice(ours.length / 2), instrumentOf))
        assert.deepStrictEqual(Result.getOrThrow(Reconciliation.expected(opening, ours, instrumentOf)), found)
        for (const exchange of exchanges) {
          const clearing = clearings[exchange]
          const { balances, positions } = found.get(exchange) ?? assert.fail(exchange)
          for (const asset of assets) {
            equal(balances.get(asset) ?? Decimal.zero, clearing.balance(account, asset).total, `${account}'s ${asset}`)
          }
          for (const { amount, cost, product, realized } of clearing.positions(account)) {
            const ours = positions.get(product) ?? assert.fail(product)
            equal(ours.amount, amount, `${account}'s ${product}`)
            equal(ours.cost, cost, `the cost of ${account}'s ${product}`)
            equal(ours.realized, realized, `what ${account}'s ${product} has realized`)
          }
          const known = [...positions].filter(([, { amount }]) => amount.value !== 0n)
          assert.strictEqual(known.length, clearing.positions(account).length)
        }
      }
    },
    { timeout: 120_000, arbitrary: { runs: 150, size: 250, seed } }
  )

  it("there were enough of them", () => assert.isAbove(fills, 10_000))

  const closes: Array<number> = []

  it.prop(
    "a portfolio is worth what its accounts are, to the last digit",
    [Arbitrary.array(Arbitrary.schema(Chance), { minLength: 80, maxLength: 250 })],
    ([chances]) => {
      const clearings = { first: open(), second: open() }
      const cash = multiply(deposit, decimal("2"))
      let portfolio = Portfolio.empty({ cash, quote: "USD", limits: { maxLots: 9999, maxPerProduct: 9999 } })
      let ids = 0
      for (const { account, amount, exchange, price, side, which, ...chance } of chances) {
        const product = chance.product === "BTC-INVERSE" ? "BTC-USD" : chance.product
        const terms = { _tag: "Place", account, product, side, amount: BigDecimal.make(BigInt(amount + 1), 3) } as const
        const limit = BigDecimal.make(9_970n + BigInt(price), 2)
        if (account !== "ann") {
          const events = clearings[exchange].apply({ ...terms, type: "limit", price: limit, timeInForce: "gtc" }, 0)
          assert.deepStrictEqual(fillsOf(exchange, "ann", events), [])
          continue
        }
        // One of her lots is closed by what goes the other way, in part or whole; otherwise a lot is entered.
        const direction = side === "buy" ? "short" : "long"
        const lots = [...portfolio.lots.values()].filter((lot) =>
          lot.exchange === exchange && lot.product === product && lot.direction === direction
        )
        const lot = lots[which % (lots.length + 1)]
        const order = lot === undefined ? terms : { ...terms, amount: BigDecimal.min(terms.amount, lot.amount) }
        const events = clearings[exchange].apply({ ...order, type: "market", timeInForce: "ioc" }, 0)
        const id = String(++ids)
        for (const fill of fillsOf(exchange, "ann", events)) {
          portfolio = lot === undefined
            ? Result.getOrThrow(Portfolio.enter(portfolio, id, fill, 0))
            : Result.getOrThrow(Portfolio.exit(portfolio, lot.id, fill, 0)).portfolio
        }
        portfolio = Portfolio.mark(portfolio, "BTC-USD", limit)
        portfolio = Portfolio.mark(portfolio, "BTC-PERP", sum(limit, decimal("0.07")))
        let worth = Decimal.zero
        for (const exchange of exchanges) {
          const clearing = clearings[exchange]
          worth = sum(worth, clearing.balance("ann", "USD").total)
          worth = sum(worth, multiply(subtract(clearing.balance("ann", "BTC").total, deposit), limit))
          const { amount, cost } = clearing.position("ann", "BTC-PERP")
          worth = sum(worth, subtract(multiply(amount, sum(limit, decimal("0.07"))), cost))
        }
        equal(portfolio.total, worth, "the total")
        const broken = Portfolio.violations(portfolio).map(({ _tag }) => _tag)
        assert.deepStrictEqual(broken, [])
      }
      closes.push(portfolio.trades)
    },
    { timeout: 120_000, arbitrary: { runs: 150, size: 250, seed } }
  )

  it("closed many of its lots", () => assert.isAbove(closes.reduce((sum, count) => sum + count, 0), 500))
})
