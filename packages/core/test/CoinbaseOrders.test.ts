/** Orders of Coinbase Advanced Trade as they are read: what the virtual exchange does not show. */
import { assert, describe, it } from "@effect/vitest"
import * as BigDecimal from "effect/BigDecimal"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as ExactJson from "../src/codec/ExactJson.ts"
import * as Orders from "../src/trading/coinbase/internal/orders.ts"
import * as Schemas from "../src/trading/coinbase/internal/schemas.ts"
import * as Instrument from "../src/trading/Instrument.ts"
import * as OrderEvent from "../src/trading/OrderEvent.ts"
import { OrderRequest } from "../src/trading/OrderRequest.ts"

const read = <A>(schema: Schema.Codec<A, unknown>, json: unknown): A =>
  Schema.decodeUnknownSync(schema)(ExactJson.parse(JSON.stringify(json)))

const order = (members: object = {}) => ({
  order_id: "1",
  client_order_id: "mine",
  product_id: "BTC-USD",
  side: "SELL",
  status: "OPEN",
  order_configuration: { limit_limit_gtc: { base_size: "0.10", limit_price: "40000.00", post_only: false } },
  filled_size: "0",
  average_filled_price: "0",
  created_time: "2026-11-26T10:00:00Z",
  edit_history: [],
  ...members
})

const shown = (members: object): Record<string, unknown> =>
  JSON.parse(OrderEvent.toJson(Orders.toUpdate(Orders.ofRest(read(Schemas.Order, order(members))))))

const told = (members: object): Record<string, unknown> =>
  JSON.parse(OrderEvent.toJson(Orders.toUpdate(Orders.ofSocket(read(Schemas.ToldOrder, {
    order_id: "1",
    client_order_id: "mine",
    product_id: "BTC-USD",
    order_side: "SELL",
    status: "OPEN",
    cumulative_quantity: "0.04",
    leaves_quantity: "0.06",
    avg_price: "40000.10",
    limit_price: "40000.00",
    ...members
  })))))

describe("an order of Coinbase Advanced Trade", () => {
  it("how far it has come", () => {
    const statuses = [
      ["PENDING", "0", "pending"],
      ["QUEUED", "0", "pending"],
      ["PENDING", "0.01", "partially-filled"],
      ["OPEN", "0", "open"],
      ["OPEN", "0.01", "partially-filled"],
      ["CANCEL_QUEUED", "0", "open"],
      ["EDIT_QUEUED", "0.01", "partially-filled"],
      ["FILLED", "0.1", "filled"],
      ["CANCELLED", "0.01", "cancelled"],
      ["EXPIRED", "0", "expired"],
      ["FAILED", "0", "rejected"],
      ["UNKNOWN_ORDER_STATUS", "0", "unknown"],
      ["SOMETHING_NEW", "0", "unknown"]
    ]
    for (const [status, filled_size, expected] of statuses) {
      assert.strictEqual(shown({ status, filled_size })["status"], expected, `${status} ${filled_size}`)
    }
  })

  it("its figures keep their digits; one of which the venue has none is not there", () => {
    assert.deepStrictEqual(shown({ filled_size: "0.040", average_filled_price: "40000.10" }), {
      _tag: "OrderUpdate",
      exchange: "coinbase",
      product: "BTC-USD",
      side: "sell",
      clientId: "mine",
      orderId: "1",
      status: "partially-filled",
      filled: "0.040",
      remaining: "0.060",
      averagePrice: "40000.10",
      price: "40000.00",
      amount: "0.10"
    })
    // A number is read as well as a text.
    assert.strictEqual(
      shown({ order_configuration: { stop_limit_stop_limit_gtd: { base_size: 0.001, limit_price: "1" } } })["amount"],
      "0.001"
    )
    const market = shown({
      client_order_id: "",
      order_configuration: { limit_limit_gtc: null, market_market_ioc: { quote_size: "10.00", base_size: "" } },
      filled_size: ""
    })
    assert.deepStrictEqual(market, {
      _tag: "OrderUpdate",
      exchange: "coinbase",
      product: "BTC-USD",
      side: "sell",
      orderId: "1",
      status: "open",
      filled: "0"
    })
  })

  it("an answer to an order names one, or is none", () => {
    const asked = new OrderRequest({
      product: "BTC-USD",
      side: "buy",
      type: "limit",
      amount: Option.getOrThrow(BigDecimal.fromString("0.10")),
      price: Option.getOrThrow(BigDecimal.fromString("40000.00")),
      timeInForce: "gtc",
      reduceOnly: false,
      clientId: "mine"
    })
    const answered = (success_response: object) =>
      Orders.ofAnswer(asked, read(Schemas.Placed, { success: true, success_response }))
    assert.isUndefined(answered({}))
    assert.isUndefined(answered({ order_id: "" }))
    assert.deepInclude(answered({ order_id: "1" }), { orderId: "1", product: "BTC-USD", side: "buy", clientId: "mine" })
    const other = { order_id: "1", product_id: "ETH-USD", side: "SELL", client_order_id: "theirs" }
    assert.deepInclude(answered(other), { product: "ETH-USD", side: "sell", clientId: "theirs" })
  })

  it("what it was edited to last counts", () => {
    const edit_history = [
      { price: "42000.00", size: "0.30", replace_accept_timestamp: "2026-11-26T10:00:03.5Z" },
      { price: "41000.00", size: "0.20", replace_accept_timestamp: "2026-11-26T10:00:03Z" }
    ]
    const { amount, price } = shown({ edit_history })
    assert.deepStrictEqual([price, amount], ["42000.00", "0.30"])
  })

  it("what is left of one that is over is not what the socket says", () => {
    assert.deepInclude(told({}), { status: "partially-filled", filled: "0.04", remaining: "0.06", amount: "0.10" })
    const over = told({ status: "CANCELLED", leaves_quantity: "0" })
    assert.deepInclude(over, { status: "cancelled", filled: "0.04" })
    assert.notProperty(over, "remaining")
    assert.notProperty(told({ limit_price: "0" }), "price")
  })

  it("executions are in the order of their times, whichever way they come, and once", () => {
    const fill = (trade_id: string, trade_time: string, members: object = {}) => ({
      trade_id,
      order_id: "1",
      product_id: "BTC-USD",
      side: "BUY",
      price: "40000.00",
      size: "0.1",
      commission: "",
      trade_time,
      ...members
    })
    const ids = (fills: ReadonlyArray<object>) =>
      Orders.toFills(fills.map((each) => read(Schemas.Fill, each))).map(({ tradeId }) => tradeId)
    const [one, two, three] = ["2026-11-26T10:00:01Z", "2026-11-26T10:00:02.000001Z", "2026-11-26T10:00:03Z"] as const
    assert.deepStrictEqual(ids([fill("a", one), fill("b", two), fill("c", two), fill("d", three)]), [
      "a",
      "b",
      "c",
      "d"
    ])
    assert.deepStrictEqual(ids([fill("d", three), fill("c", two), fill("b", two), fill("a", one)]), [
      "a",
      "b",
      "c",
      "d"
    ])
    assert.deepStrictEqual(ids([fill("a", one), fill("a", one)]), ["a"])
    assert.deepStrictEqual(ids([fill("1", "2026-11-26T10:00:02.000002Z"), fill("2", two)]), ["2", "1"])
    // Of one moment: by ids that count, else as the venue has it, the newest first.
    assert.deepStrictEqual(ids([fill("9", one), fill("10", one), fill("8", one)]), ["8", "9", "10"])
    assert.deepStrictEqual(ids([fill("t10", one), fill("t9", one)]), ["t9", "t10"])
    assert.deepStrictEqual(ids([fill("b-1", one), fill("a-2", one)]), ["a-2", "b-1"])
    assert.deepStrictEqual(ids([fill("a", one), fill("b", two, { trade_type: "REVERSAL" })]), ["a"])
    const [quote] = Orders.toFills([
      read(
        Schemas.Fill,
        fill("a", one, { size: "100", size_in_quote: true, commission: "0.60", product_id: "BTC-PERP-INTX" })
      )
    ])
    assert.deepStrictEqual(JSON.parse(OrderEvent.toJson(quote!)), {
      _tag: "Fill",
      exchange: "coinbase",
      product: "BTC-PERP-INTX",
      side: "buy",
      orderId: "1",
      price: "40000.00",
      amount: "0.00250000",
      fee: "0.60",
      tradeId: "a",
      timestamp: one
    })
  })

  it("a product: its price's own step, and only bounds that fit together", () => {
    const product = (members: object) =>
      Orders.marketOf(read(Schemas.Product, {
        product_id: "BTC-USD",
        product_type: "SPOT",
        base_increment: "0.0001",
        quote_increment: "0.01",
        price_increment: "0.05",
        base_min_size: "0.001",
        base_max_size: "100",
        base_currency_id: "BTC",
        quote_currency_id: "USD",
        ...members
      }))
    const objection = (members: object, terms: Parameters<typeof Instrument.objection>[1]) => {
      const market = product(members)
      return market && Instrument.objection(market.instrument, terms)
    }
    const price = Schemas.decimalOf(read(Schemas.Product.fields.quote_increment, "40000.01"))
    const amount = Schemas.decimalOf(read(Schemas.Product.fields.quote_increment, "0.0005"))
    assert.include(objection({}, { price }), "tick 0.05")
    assert.isUndefined(objection({ price_increment: "" }, { price }))
    assert.include(objection({}, { amount }), "minimum 0.001")
    assert.isUndefined(objection({ base_max_size: "0.00001" }, { amount }))
    assert.isUndefined(product({ base_increment: "0" }))
    assert.deepStrictEqual([product({})?.isSpot, product({ product_type: "FUTURE" })?.isSpot], [true, false])
  })
})
