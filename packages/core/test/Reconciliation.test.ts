/** Whether what is known here is what exchanges say, in both directions. */
import { assert, describe, it } from "@effect/vitest"
import { Balance, Position } from "@tickline/core/trading/Holdings"
import { Fees, Instrument } from "@tickline/core/trading/Instrument"
import * as Order from "@tickline/core/trading/Order"
import { Acknowledged, Fill, OrderUpdate } from "@tickline/core/trading/OrderEvent"
import { OrderRequest } from "@tickline/core/trading/OrderRequest"
import * as Reconciliation from "@tickline/core/trading/Reconciliation"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)
/** Without trailing zeros. */
const text = (value: Decimal.Decimal | undefined) => value && Decimal.format(BigDecimal.normalize(value))

const account = (
  balances: Readonly<Record<string, string>>,
  positions: Readonly<Record<string, string>> = {}
): Reconciliation.Account => ({
  balances: new Map(Object.entries(balances).map(([asset, total]) => [asset, decimal(total)])),
  positions: new Map(
    Object.entries(positions).map(([product, amount]) => [
      product,
      { amount: decimal(amount), cost: Decimal.zero, realized: Decimal.zero }
    ])
  )
})
const balancesOf = (exchange: string, balances: Readonly<Record<string, string>>) =>
  [
    exchange,
    Object.entries(balances).map(([asset, total]) =>
      new Balance({ exchange, asset, available: decimal(total), total: decimal(total) })
    )
  ] as const
const positionsOf = (exchange: string, positions: Readonly<Record<string, string>>) =>
  [
    exchange,
    Object.entries(positions).map(([product, amount]) => new Position({ exchange, product, amount: decimal(amount) }))
  ] as const

const compare = (comparison: Partial<Reconciliation.Comparison>) =>
  Reconciliation.compare({ accounts: new Map(), orders: [], there: {}, quote: "USD", ...comparison })
const shown = ({ differences }: Reconciliation.Report) =>
  differences.map(({ exchange, here, kind, name, only, severity, there, value }) => ({
    what: `${kind} ${name} at ${exchange}`,
    only,
    here: text(here),
    there: text(there),
    value: text(value),
    severity
  }))
const severityOf = (here: string, there: string, more: Partial<Reconciliation.Comparison> = {}, asset = "USD") =>
  compare({
    accounts: new Map([["a", account({ [asset]: here })]]),
    there: { balances: new Map([balancesOf("a", { [asset]: there })]) },
    ...more
  }).status

describe("balances that are compared", () => {
  it("differ by nothing, precision, little, much or too much", () => {
    assert.strictEqual(severityOf("1000", "1000.00"), "Ok")
    assert.strictEqual(severityOf("1000", "1000.00000001"), "Precision")
    assert.strictEqual(severityOf("1000", "999.99999998"), "Minor")
    assert.strictEqual(severityOf("1000", "1010"), "Minor")
    assert.strictEqual(severityOf("1000", "989.99"), "Major")
    assert.strictEqual(severityOf("1000", "1100"), "Major")
    assert.strictEqual(severityOf("1000", "1100.01"), "Critical")
    const own = { tolerance: decimal("0.5"), major: decimal("1"), critical: decimal("2") }
    assert.strictEqual(severityOf("1000", "1000.5", own), "Precision")
    assert.strictEqual(severityOf("1000", "1001.5", own), "Major")
    assert.strictEqual(severityOf("1000", "1002.5", own), "Critical")
  })

  it("differ by what it is worth, where the price is known", () => {
    const marks = new Map([["BTC", decimal("100000")]])
    assert.strictEqual(severityOf("1", "1.001", {}, "BTC"), "Minor")
    assert.strictEqual(severityOf("1", "1.001", { marks }, "BTC"), "Major")
    assert.strictEqual(severityOf("1", "1.002", { marks }, "BTC"), "Critical")
    assert.strictEqual(severityOf("1", "2", { marks: new Map([["USD", decimal("1000")]]) }), "Minor")
  })

  it("are named that only one side has, in both directions", () => {
    const report = compare({
      accounts: new Map([["a", account({ USD: "5", BTC: "0.5", OLD: "0" })]]),
      there: { balances: new Map([balancesOf("a", { USD: "5", ETH: "2", DUST: "0", CRUMB: "0.00000001" })]) }
    })
    assert.strictEqual(report.status, "Critical")
    assert.strictEqual(report.compared, 6)
    assert.deepStrictEqual(shown(report), [
      {
        what: "balance BTC at a",
        only: "here",
        here: "0.5",
        there: undefined,
        value: "0.5",
        severity: "Critical"
      },
      { what: "balance ETH at a", only: "there", here: undefined, there: "2", value: "2", severity: "Critical" },
      {
        what: "balance CRUMB at a",
        only: "there",
        here: undefined,
        there: "0.00000001",
        value: "0.00000001",
        severity: "Precision"
      }
    ])
  })

  it("are compared at each exchange by itself, also at one of which nothing was known", () => {
    const report = compare({
      accounts: new Map([["a", account({ USD: "5" })], ["b", account({ USD: "7" })]]),
      there: {
        balances: new Map([balancesOf("a", { USD: "7" }), balancesOf("b", { USD: "5" }), balancesOf("c", { USD: "1" })])
      }
    })
    assert.deepStrictEqual(shown(report).map(({ severity, what }) => [what, severity]), [
      ["balance USD at a", "Minor"],
      ["balance USD at b", "Minor"],
      ["balance USD at c", "Critical"]
    ])
  })

  it("are not taken for missing at an exchange that did not answer", () => {
    const report = compare({
      accounts: new Map([["a", account({ USD: "5" })], ["b", account({ USD: "7" })]]),
      there: { balances: new Map([balancesOf("a", { USD: "5" })]) }
    })
    assert.deepStrictEqual(report, { status: "Major", differences: [], compared: 1, unanswered: ["b"] })
    assert.deepStrictEqual(compare({ accounts: new Map([["a", account({ USD: "5" })]]) }), {
      status: "Ok",
      differences: [],
      compared: 0,
      unanswered: []
    })
  })
})

describe("positions that are compared", () => {
  it("differ by what they are worth, and are named that only one side has", () => {
    const report = compare({
      accounts: new Map([["a", account({}, { "BTC-PERP": "0.5", "ETH-PERP": "-1", "SOL-PERP": "0" })]]),
      there: { positions: new Map([positionsOf("a", { "BTC-PERP": "0.4", "XRP-PERP": "10" })]) },
      marks: new Map([["BTC-PERP", decimal("500")]])
    })
    assert.deepStrictEqual(shown(report), [
      {
        what: "position BTC-PERP at a",
        only: undefined,
        here: "0.5",
        there: "0.4",
        value: "50",
        severity: "Major"
      },
      {
        what: "position ETH-PERP at a",
        only: "here",
        here: "-1",
        there: undefined,
        value: "1",
        severity: "Critical"
      },
      {
        what: "position XRP-PERP at a",
        only: "there",
        here: undefined,
        there: "10",
        value: "10",
        severity: "Critical"
      }
    ])
  })

  it("of the wrong direction differ by both", () => {
    const report = compare({
      accounts: new Map([["a", account({}, { X: "60" })]]),
      there: { positions: new Map([positionsOf("a", { X: "-60" })]) }
    })
    assert.strictEqual(report.status, "Critical")
    assert.strictEqual(text(report.differences[0]?.value), "120")
  })
})

describe("open orders that are compared", () => {
  const orderOf = (clientId: string, exchange = "a", orderId?: string) => {
    const request = new OrderRequest({
      product: "BTC-USD",
      side: "buy",
      type: "limit",
      amount: decimal("5"),
      price: decimal("100"),
      timeInForce: "gtc",
      reduceOnly: false,
      clientId
    })
    const made = Order.make(exchange, request)
    return orderId === undefined ? made : Order.transition(
      made,
      new Acknowledged({ exchange, clientId, orderId, status: "open", filled: Decimal.zero })
    )
  }
  const update = (names: { readonly clientId?: string; readonly orderId?: string }, remaining?: string) =>
    new OrderUpdate({
      exchange: "a",
      product: "BTC-USD",
      status: "open",
      ...names,
      ...(remaining === undefined ? {} : { remaining: decimal(remaining) })
    })
  const reportOf = (orders: ReadonlyArray<Order.Order>, updates: ReadonlyArray<OrderUpdate>) =>
    compare({ orders, there: { orders: new Map([["a", updates]]) }, marks: new Map([["BTC-USD", decimal("100")]]) })

  it("are the same by their client id, otherwise by the exchange's", () => {
    const report = reportOf(
      [orderOf("one"), orderOf("two", "a", "2"), orderOf("three", "a", "3")],
      [update({ clientId: "one" }, "5"), update({ orderId: "2" }), update({ clientId: "three", orderId: "9" }, "5")]
    )
    assert.deepStrictEqual(report, { status: "Ok", differences: [], compared: 3, unanswered: [] })
  })

  it("are critical that only one side has, in both directions", () => {
    const report = reportOf([orderOf("lost"), orderOf("elsewhere", "b")], [
      update({ clientId: "other" }, "0.00000000001"),
      update({ orderId: "7" }, "1")
    ])
    assert.deepStrictEqual(shown(report).map(({ only, severity, value, what }) => [what, only, value, severity]), [
      ["order lost at a", "here", "500", "Critical"],
      ["order other at a", "there", "0.000000001", "Critical"],
      ["order 7 at a", "there", "100", "Critical"]
    ])
    assert.deepStrictEqual(report.unanswered, ["b"])
  })

  it("differ by what remains of them", () => {
    const report = reportOf([orderOf("one")], [update({ clientId: "one" }, "4.5")])
    assert.deepStrictEqual(shown(report), [{
      what: "order one at a",
      only: undefined,
      here: "5",
      there: "4.5",
      value: "50",
      severity: "Major"
    }])
  })
})

describe("what accounts must have after fills", () => {
  const rules = { tick: decimal("0.5"), lot: decimal("0.1") }
  const spot = new Instrument({ ...rules, product: "BTC-USD", base: "BTC", feeAsset: "USD" })
  const fees = new Fees({ maker: decimal("0"), taker: decimal("0.001") })
  const linear = new Instrument({ ...rules, product: "BTC-PERP", feeAsset: "USD", fees })
  const inverse = new Instrument({ ...rules, product: "BTC-INVERSE", feeAsset: "BTC", valuation: "inverse" })
  const instrumentOf = (_: string, product: string) =>
    [spot, linear, inverse].find((instrument) => instrument.product === product)
  let trades = 0
  const fill = (
    product: string,
    side: "buy" | "sell",
    amount: string,
    price: string,
    fee?: string,
    feeAsset?: string
  ) =>
    new Fill({
      exchange: "a",
      product,
      side,
      price: decimal(price),
      amount: decimal(amount),
      tradeId: String(++trades),
      ...(fee === undefined ? {} : { fee: decimal(fee) }),
      ...(feeAsset === undefined ? {} : { feeAsset })
    })
  const after = (...fills: ReadonlyArray<Fill>) => {
    const opening = new Map([["a", account({ USD: "1000", BTC: "1" })]])
    const { balances, positions } = Result.getOrThrow(Reconciliation.expected(opening, fills, instrumentOf)).get("a") ??
      assert.fail()
    assert.strictEqual(text(opening.get("a")?.balances.get("USD")), "1000")
    return {
      balances: Object.fromEntries([...balances].map(([asset, total]) => [asset, text(total)])),
      positions: Object.fromEntries(
        [...positions].map(([product, { amount, cost, realized }]) => [product, [amount, cost, realized].map(text)])
      )
    }
  }

  it("are an exchange of spot, with the fee in its asset", () => {
    const { balances, positions } = after(
      fill("BTC-USD", "buy", "0.5", "100", "0.05"),
      fill("BTC-USD", "sell", "0.1", "200", "0.01", "BNB")
    )
    assert.deepStrictEqual(balances, { USD: "969.95", BTC: "1.4", BNB: "-0.01" })
    assert.deepStrictEqual(positions, {})
  })

  it("are what a linear position has realized, and its cost", () => {
    const { balances, positions } = after(
      fill("BTC-PERP", "buy", "1", "100", "0.1"),
      fill("BTC-PERP", "sell", "0.4", "110")
    )
    assert.deepStrictEqual(balances, { USD: "1003.9", BTC: "1" })
    assert.deepStrictEqual(positions, { "BTC-PERP": ["0.6", "60", "4"] })
  })

  it("are what an inverse position has realized in the other asset", () => {
    const { balances, positions } = after(
      fill("BTC-INVERSE", "buy", "100", "50"),
      fill("BTC-INVERSE", "sell", "100", "100")
    )
    assert.deepStrictEqual(balances, { USD: "1000", BTC: "2" })
    assert.deepStrictEqual(positions, { "BTC-INVERSE": ["0", "0", "1"] })
  })

  it("lose no digit of a fill that is finer than the rules say", () => {
    const { balances, positions } = after(
      fill("BTC-PERP", "buy", "0.125", "100.25"),
      fill("BTC-USD", "buy", "0.125", "0.1")
    )
    assert.deepStrictEqual(positions, { "BTC-PERP": ["0.125", "12.53125", "0"] })
    assert.deepStrictEqual(balances, { USD: "999.9875", BTC: "1.125" })
  })

  it("go on from what they were", () => {
    const first = [fill("BTC-PERP", "buy", "1", "100"), fill("BTC-USD", "buy", "1", "10")]
    const second = [fill("BTC-PERP", "sell", "3", "90"), fill("BTC-PERP", "buy", "1", "70")]
    const at = (opening: ReadonlyMap<string, Reconciliation.Account>, fills: ReadonlyArray<Fill>) =>
      Result.getOrThrow(Reconciliation.expected(opening, fills, instrumentOf))
    const atOnce = at(new Map(), [...first, ...second])
    assert.deepStrictEqual(at(at(new Map(), first), second), atOnce)
    assert.strictEqual(text(atOnce.get("a")?.balances.get("USD")), "0")
  })

  it("begin with what the exchanges say, a position at its average price", () => {
    const said = new Map([["a", [
      new Position({ exchange: "a", product: "BTC-PERP", amount: decimal("-0.5"), averagePrice: decimal("100") }),
      new Position({ exchange: "a", product: "BTC-INVERSE", amount: decimal("100"), averagePrice: decimal("50") }),
      new Position({ exchange: "a", product: "OTHER", amount: decimal("1"), averagePrice: decimal("50") })
    ]], ["b", [
      new Position({ exchange: "b", product: "BTC-PERP", amount: decimal("1") }),
      new Position({ exchange: "b", product: "BTC-INVERSE", amount: decimal("0"), averagePrice: decimal("0") })
    ]]])
    const opening = Reconciliation.opening(new Map([balancesOf("a", { USD: "10" })]), said, instrumentOf)
    const costs = [...opening].map(([exchange, { balances, positions }]) => [
      exchange,
      Object.fromEntries([...balances].map(([asset, total]) => [asset, text(total)])),
      Object.fromEntries([...positions].map(([product, { amount, cost }]) => [product, [text(amount), text(cost)]]))
    ])
    assert.deepStrictEqual(costs, [
      ["a", { USD: "10" }, { "BTC-PERP": ["-0.5", "-50"], "BTC-INVERSE": ["100", "-2"], OTHER: ["1", "0"] }],
      ["b", {}, { "BTC-PERP": ["1", "0"], "BTC-INVERSE": ["0", "0"] }]
    ])
    const closed = Result.getOrThrow(
      Reconciliation.expected(opening, [fill("BTC-PERP", "buy", "0.5", "90")], instrumentOf)
    )
    assert.strictEqual(text(closed.get("a")?.balances.get("USD")), "15")
  })

  it("cannot be told of something whose rules are not known", () => {
    const result = Reconciliation.expected(new Map(), [fill("ETH\n", "buy", "1", "1")], instrumentOf)
    assert.strictEqual(Result.getOrThrow(Result.flip(result)).message, "the rules of ETH\\u000a at a are not known")
  })
})
