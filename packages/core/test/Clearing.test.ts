/** Accounts over the matching engine, rule by rule. */
import { assert, describe, it } from "@effect/vitest"
import * as Clearing from "@tickline/core/trading/Clearing"
import { Fees, Instrument } from "@tickline/core/trading/Instrument"
import type { Place } from "@tickline/core/trading/MatchingCommand"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)
/** Without trailing zeros. */
const text = (value: Decimal.Decimal | undefined) => value && Decimal.format(BigDecimal.normalize(value))

const rules = { tick: decimal("0.01"), lot: decimal("0.001") }
const spot = new Instrument({
  ...rules,
  product: "BTC-USD",
  base: "BTC",
  feeAsset: "USD",
  fees: new Fees({ maker: decimal("-0.0005"), taker: decimal("0.001") })
})
const plain = new Instrument({ ...rules, product: "ETH-USD", base: "ETH", feeAsset: "USD" })
const linear = new Instrument({
  ...rules,
  product: "BTC-PERP",
  feeAsset: "USD",
  fees: new Fees({ maker: decimal("0"), taker: decimal("0.001") })
})
const inverse = new Instrument({
  product: "BTC-INVERSE",
  tick: decimal("0.5"),
  lot: decimal("10"),
  feeAsset: "BTC",
  valuation: "inverse"
})

type Side = "buy" | "sell"
type More = Partial<Pick<Extract<Place, { type: "limit" }>, "reduceOnly" | "timeInForce" | "validUntil">>

const limit = (
  account: string,
  product: string,
  side: Side,
  amount: string,
  price: string,
  more: More = {}
): Place => ({
  _tag: "Place",
  account,
  product,
  side,
  type: "limit",
  timeInForce: "gtc",
  amount: decimal(amount),
  price: decimal(price),
  ...more
})
const market = (account: string, product: string, side: Side, amount: string): Place => ({
  _tag: "Place",
  account,
  product,
  side,
  type: "market",
  amount: decimal(amount)
})

const lineOf = (event: Clearing.Event): string => {
  switch (event._tag) {
    case "Rejected": {
      const { reason } = event
      return reason._tag === "InsufficientFunds"
        ? `needs ${text(reason.needed)} ${reason.asset} of ${text(reason.available)}`
        : reason._tag
    }
    case "Traded":
      return `${text(event.amount)}@${text(event.price)}`
    case "Cancelled":
      return `cancelled ${event.order.orderId} ${event.reason}`
    default:
      return `${event._tag.toLowerCase()} ${event.order.orderId}`
  }
}

const setUp = (...deposits: ReadonlyArray<readonly [account: string, asset: string, amount: string]>) => {
  const clearing = Clearing.make([spot, plain, linear, inverse])
  for (const [account, asset, amount] of deposits) clearing.deposit(account, asset, decimal(amount))
  const does = (command: Parameters<typeof clearing.apply>[0], at = 0) => clearing.apply(command, at).map(lineOf)
  const has = (account: string, asset: string) => {
    const { available, held } = clearing.balance(account, asset)
    return `${text(available)} and ${text(held)} held`
  }
  const position = (account: string, product: string) => {
    const { amount, averagePrice, realized } = clearing.position(account, product)
    return `${text(amount)}@${text(averagePrice)}, realized ${text(realized)}`
  }
  return { clearing, does, has, position }
}

describe("a spot order", () => {
  it("to buy holds its price × amount with fees, and gives back what it did not need", () => {
    const { clearing, does, has } = setUp(["ann", "USD", "1000"], ["bob", "BTC", "5"])
    does(limit("ann", "BTC-USD", "buy", "2", "100"))
    assert.strictEqual(has("ann", "USD"), "799.8 and 200.2 held")
    does(limit("bob", "BTC-USD", "sell", "0.5", "100"))
    // The maker's fee is a rebate.
    assert.strictEqual(has("ann", "BTC"), "0.5 and 0 held")
    assert.strictEqual(text(clearing.balance("ann", "USD").total), "950.025")
    assert.strictEqual(has("ann", "USD"), "799.875 and 150.15 held")
    does({ _tag: "CancelAll", account: "ann" })
    assert.strictEqual(has("ann", "USD"), "950.025 and 0 held")
    assert.strictEqual(has("bob", "USD"), "49.95 and 0 held")
    assert.strictEqual(text(clearing.own("USD")), "0.025")
  })

  it("to sell holds its amount", () => {
    const { does, has } = setUp(["ann", "BTC", "5"])
    does(limit("ann", "BTC-USD", "sell", "2", "100"))
    assert.strictEqual(has("ann", "BTC"), "3 and 2 held")
    assert.deepStrictEqual(does(limit("ann", "BTC-USD", "sell", "3.001", "100")), ["needs 3.001 BTC of 3"])
  })

  it("without the funds is rejected with what is needed and what is there, and changes nothing", () => {
    const { clearing, does, has } = setUp(["ann", "USD", "100"], ["bob", "BTC", "1"])
    does(limit("bob", "BTC-USD", "sell", "1", "100"))
    assert.deepStrictEqual(does(limit("ann", "BTC-USD", "buy", "1", "100")), ["needs 100.1 USD of 100"])
    assert.strictEqual(has("ann", "USD"), "100 and 0 held")
    assert.strictEqual(clearing.books.orders("ann").length, 0)
    // The engine's own refusals come first.
    assert.deepStrictEqual(does(limit("ann", "BTC-USD", "buy", "100", "100.001")), ["Illegal"])
    assert.deepStrictEqual(does(limit("ann", "BTC-USD", "buy", "0.999", "100")), ["accepted 2", "0.999@100"])
  })

  it("at the market needs what the book costs", () => {
    const { does, has } = setUp(["ann", "USD", "310.3"], ["bob", "BTC", "5"])
    does(limit("bob", "BTC-USD", "sell", "1", "100"))
    does(limit("bob", "BTC-USD", "sell", "5", "105"))
    assert.deepStrictEqual(does(limit("bob", "BTC-USD", "sell", "4", "105")), ["accepted 2"])
    assert.deepStrictEqual(does(market("ann", "BTC-USD", "buy", "3.001")), ["needs 310.415105 USD of 310.3"])
    assert.deepStrictEqual(does(market("ann", "BTC-USD", "buy", "2.999")).slice(1), ["1@100", "1.999@105"])
    assert.strictEqual(has("ann", "USD"), "0.095105 and 0 held")
  })

  it("that expires, or is amended to less, frees what it held", () => {
    const { clearing, does, has } = setUp(["ann", "USD", "1000"])
    does(limit("ann", "ETH-USD", "buy", "2", "100", { validUntil: 10 }))
    assert.strictEqual(has("ann", "USD"), "800 and 200 held")
    does({ _tag: "Amend", account: "ann", orderId: "1", price: decimal("50") })
    assert.strictEqual(has("ann", "USD"), "900 and 100 held")
    assert.deepStrictEqual(
      does({ _tag: "Amend", account: "ann", orderId: "1", amount: decimal("20.001") }),
      ["needs 900.05 USD of 900"]
    )
    // What expires frees its funds for the command that comes then.
    assert.deepStrictEqual(does(limit("ann", "ETH-USD", "buy", "10", "100"), 10), ["expired 1", "accepted 2"])
    clearing.expire(20)
    assert.strictEqual(has("ann", "USD"), "0 and 1000 held")
  })
})

describe("a position", () => {
  const funded = () => setUp(["ann", "USD", "1000"], ["bob", "USD", "1000"], ["ann", "BTC", "1"], ["bob", "BTC", "1"])

  it("has the average price of what opened it, and realizes its profit as it is closed", () => {
    const { clearing, does, has, position } = funded()
    does(limit("bob", "BTC-PERP", "sell", "1", "100"))
    does(limit("bob", "BTC-PERP", "sell", "2", "103"))
    const [, first] = clearing.apply(market("ann", "BTC-PERP", "buy", "3"), 0)
    assert.isTrue(first?._tag === "Traded" && text(first.taker.position) === "1")
    assert.strictEqual(position("ann", "BTC-PERP"), "3@102, realized 0")
    assert.strictEqual(position("bob", "BTC-PERP"), "-3@102, realized 0")
    does(limit("bob", "BTC-PERP", "buy", "2", "110"))
    const [, sold] = clearing.apply(market("ann", "BTC-PERP", "sell", "2"), 0)
    assert.isTrue(sold?._tag === "Traded" && text(sold.taker.realized) === "16")
    assert.strictEqual(position("ann", "BTC-PERP"), "1@102, realized 16")
    // 1000 + 16 − 0.306 − 0.22
    assert.strictEqual(text(clearing.balance("ann", "USD").total), "1015.474")
    assert.strictEqual(has("ann", "USD"), "913.474 and 102 held")
    assert.strictEqual(text(clearing.balance("bob", "USD").total), "984")
  })

  it("turns, and then has the price of the trade that turned it", () => {
    const { does, position } = funded()
    does(limit("bob", "BTC-PERP", "sell", "1", "100"))
    does(market("ann", "BTC-PERP", "buy", "1"))
    does(limit("bob", "BTC-PERP", "buy", "3", "90"))
    does(market("ann", "BTC-PERP", "sell", "3"))
    assert.strictEqual(position("ann", "BTC-PERP"), "-2@90, realized -10")
    assert.strictEqual(position("bob", "BTC-PERP"), "2@90, realized 10")
  })

  it("of an inverse instrument is worth its amount ÷ price", () => {
    const { clearing, does, position } = funded()
    does(limit("bob", "BTC-INVERSE", "sell", "1000", "10000"))
    does(market("ann", "BTC-INVERSE", "buy", "1000"))
    assert.strictEqual(position("ann", "BTC-INVERSE"), "1000@10000, realized 0")
    does(limit("bob", "BTC-INVERSE", "buy", "1000", "12500"))
    does(market("ann", "BTC-INVERSE", "sell", "1000"))
    assert.strictEqual(position("ann", "BTC-INVERSE"), "0@undefined, realized 0.02")
    assert.strictEqual(text(clearing.balance("ann", "BTC").total), "1.02")
    assert.deepStrictEqual(clearing.positions("ann"), [])
  })

  it("needs its margin by the account's leverage, and what closes it needs none", () => {
    const { clearing, does, has } = funded()
    assert.deepStrictEqual(does(limit("ann", "BTC-PERP", "buy", "10", "100")), ["needs 1001 USD of 1000"])
    assert.isUndefined(clearing.setLeverage("ann", decimal("5")))
    assert.deepStrictEqual(does(limit("ann", "BTC-PERP", "buy", "49", "100")), ["accepted 1"])
    assert.strictEqual(has("ann", "USD"), "15.1 and 984.9 held")
    const refusal = clearing.setLeverage("ann", decimal("4"))
    assert.strictEqual(text(refusal?.needed), "245")
    clearing.setLeverage("bob", decimal("5"))
    does(limit("bob", "BTC-PERP", "sell", "49", "100"))
    // What closes is free, and as much again has the margin of what is closed; only its fees are needed.
    assert.deepStrictEqual(does(limit("ann", "BTC-PERP", "sell", "98", "100")), ["accepted 3"])
    assert.deepStrictEqual(does(limit("ann", "BTC-PERP", "sell", "10", "100")), ["needs 201 USD of 15.1"])
  })

  it("that loses more than there is takes the rest from the exchange, and cancels what nothing covers", () => {
    const { clearing, does, has, position } = funded()
    clearing.setLeverage("ann", decimal("10"))
    does(limit("bob", "BTC-PERP", "sell", "5", "100"))
    does(market("ann", "BTC-PERP", "buy", "5"))
    does(limit("ann", "ETH-USD", "buy", "4", "100"))
    does(limit("ann", "ETH-USD", "buy", "5", "100"))
    does(limit("ann", "BTC-PERP", "sell", "1", "120", { reduceOnly: true }))
    clearing.deposit("cat", "USD", decimal("10000"))
    does(limit("cat", "BTC-PERP", "buy", "4", "0.01"))
    // 999.5 are left after the fee, and 399.96 are lost.
    assert.deepStrictEqual(does(market("ann", "BTC-PERP", "sell", "4")), [
      "accepted 7",
      "4@0.01",
      "cancelled 4 funds"
    ])
    assert.strictEqual(has("ann", "USD"), "189.53996 and 410 held")
    does({ _tag: "CancelAll", account: "ann" })
    does(limit("cat", "BTC-PERP", "sell", "5", "1000"))
    assert.deepStrictEqual(does(market("bob", "BTC-PERP", "buy", "5")), ["accepted 9", "5@1000"])
    assert.strictEqual(position("bob", "BTC-PERP"), "0@undefined, realized -4500")
    assert.strictEqual(has("bob", "USD"), "0 and 0 held")
    assert.strictEqual(text(clearing.own("USD")), "-3499.49996")
  })
})
