/** What is said of an order, as lines and as a state. */
import { assert, describe, it } from "@effect/vitest"
import * as Order from "@tickline/core/trading/Order"
import * as OrderEvent from "@tickline/core/trading/OrderEvent"
import * as OrderRequest from "@tickline/core/trading/OrderRequest"
import type * as OrderStatus from "@tickline/core/trading/OrderStatus"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)

const exchange = "deribit"
const clientId = "0x00112233445566778899aabbccddeeff"
const orderId = "ETH-1"

const request = new OrderRequest.OrderRequest({
  product: "BTC-PERPETUAL",
  side: "buy",
  type: "limit",
  amount: decimal("10.0"),
  price: decimal("43250.5"),
  timeInForce: "gtc",
  reduceOnly: false,
  clientId
})

const acknowledged = (status: OrderStatus.OrderStatus, filled = "0") =>
  new OrderEvent.Acknowledged({ exchange, clientId, orderId, status, filled: decimal(filled) })
const rejected = new OrderEvent.Rejected({ exchange, clientId, reason: "not enough funds", code: "10009" })
const notSent = new OrderEvent.NotSent({ exchange, clientId, reason: "the deadline has passed" })
const outcomeUnknown = new OrderEvent.OutcomeUnknown({ exchange, clientId, reason: "no answer" })
const reconciled = (status: OrderStatus.OrderStatus, filled?: string) =>
  new OrderEvent.Reconciled({
    exchange,
    clientId,
    status,
    ...(filled === undefined ? {} : { filled: decimal(filled) })
  })
const fill = (tradeId: string, amount: string, price = "43250.5") =>
  new OrderEvent.Fill({
    exchange,
    product: request.product,
    side: "buy",
    clientId,
    orderId,
    price: decimal(price),
    amount: decimal(amount),
    fee: decimal("-0.00000012"),
    feeAsset: "BTC",
    tradeId,
    timestamp: Timestamp.fromIso("2026-11-25T12:00:00.123Z") ?? assert.fail(),
    liquidity: "maker"
  })
const update = (status: OrderStatus.OrderStatus, filled?: string, terms?: { price?: string; amount?: string }) =>
  new OrderEvent.OrderUpdate({
    exchange,
    product: request.product,
    side: "buy",
    clientId,
    orderId,
    status,
    ...(filled === undefined ? {} : { filled: decimal(filled) }),
    ...(terms?.price === undefined ? {} : { price: decimal(terms.price) }),
    ...(terms?.amount === undefined ? {} : { amount: decimal(terms.amount) })
  })

const after = (...inputs: ReadonlyArray<Order.Input>): Order.Order =>
  inputs.reduce(Order.transition, Order.make(exchange, request))

/** Status, and what is filled. */
const shown = (order: Order.Order): string => `${order.status} ${Decimal.format(order.filled)}`

const forbids = (order: Order.Order, input: Order.Input, message: RegExp): void => {
  assert.isFalse(Order.allows(order, input))
  assert.throws(() => Order.transition(order, input), message)
}

describe("what is said of an order", () => {
  it("is printed as the schema encodes it, its members in the interface's order", () => {
    const names = `"exchange":"deribit","clientId":"${clientId}"`
    const lines = [
      [
        acknowledged("open", "0.0"),
        `{"_tag":"Acknowledged",${names},"orderId":"ETH-1","status":"open","filled":"0.0"}`
      ],
      [rejected, `{"_tag":"Rejected",${names},"reason":"not enough funds","code":"10009"}`],
      [notSent, `{"_tag":"NotSent",${names},"reason":"the deadline has passed"}`],
      [outcomeUnknown, `{"_tag":"OutcomeUnknown",${names},"reason":"no answer"}`],
      [reconciled("absent"), `{"_tag":"Reconciled",${names},"status":"absent"}`],
      [reconciled("filled", "10"), `{"_tag":"Reconciled",${names},"status":"filled","filled":"10"}`],
      [
        fill("7", "2.50"),
        `{"_tag":"Fill","exchange":"deribit","product":"BTC-PERPETUAL","side":"buy","clientId":"${clientId}",` +
        `"orderId":"ETH-1","price":"43250.5","amount":"2.50","fee":"-0.00000012","feeAsset":"BTC","tradeId":"7",` +
        `"timestamp":"2026-11-25T12:00:00.123Z"}`
      ],
      [
        Order.toUpdate(after(acknowledged("open"), fill("7", "2.50"))),
        `{"_tag":"OrderUpdate","exchange":"deribit","product":"BTC-PERPETUAL","side":"buy","clientId":"${clientId}",` +
        `"orderId":"ETH-1","status":"partially-filled","filled":"2.50","remaining":"7.50","averagePrice":"43250.5"}`
      ],
      [new OrderEvent.CancelledAll({ count: 3 }), `{"_tag":"CancelledAll","count":3}`]
    ] as const
    for (const [event, line] of lines) {
      assert.strictEqual(OrderEvent.toJson(event), line)
      const { liquidity: _, ...encoded } = { liquidity: undefined, ...Schema.encodeSync(OrderEvent.OrderEvent)(event) }
      const printed: unknown = JSON.parse(line)
      assert.deepStrictEqual(printed, encoded)
    }
  })
})

describe("a request of an order", () => {
  const encoded = Schema.encodeSync(OrderRequest.OrderRequest)(request)
  const { price: _, ...unpriced } = encoded
  const decode = Schema.decodeUnknownResult(OrderRequest.OrderRequest)
  const refuses = (members: unknown, message: RegExp): void => {
    const result = decode(members)
    assert.isTrue(Result.isFailure(result))
    if (Result.isFailure(result)) assert.match(String(result.failure), message)
  }

  it("has a price if its type has one", () => {
    assert.isTrue(Result.isSuccess(decode(encoded)))
    assert.isTrue(Result.isSuccess(decode({ ...unpriced, type: "market" })))
    refuses(unpriced, /a limit order needs a price/)
    refuses({ ...encoded, type: "market" }, /a market order has no price/)
    refuses({ ...unpriced, type: "market", timeInForce: "post-only" }, /a market order cannot be post-only/)
  })

  it("is of more than nothing", () => {
    refuses({ ...encoded, amount: "0.0" }, /amount/)
    refuses({ ...encoded, amount: "-1" }, /amount/)
    refuses({ ...encoded, price: "0" }, /price/)
  })

  it.effect("gets a client id by Effect's chance", () =>
    Effect.gen(function*() {
      const ids = new Set<string>()
      for (let seed = 0; seed < 500; seed++) {
        const id = yield* OrderRequest.clientId.pipe(Random.withSeed(seed))
        assert.match(id, /^0x[0-9a-f]{32}$/)
        assert.strictEqual(id, yield* OrderRequest.clientId.pipe(Random.withSeed(seed)))
        ids.add(id)
      }
      assert.strictEqual(ids.size, 500)
      const whenAlways = (double: number) =>
        Effect.provideService(OrderRequest.clientId, Random.Random, {
          nextDoubleUnsafe: () => double,
          nextIntUnsafe: () => 0
        })
      assert.strictEqual(yield* whenAlways(0), `0x${"0".repeat(32)}`)
      assert.strictEqual(yield* whenAlways(1 - Number.EPSILON / 2), `0x${"f".repeat(32)}`)
    }))
})

describe("an order", () => {
  it("goes from its request to its end", () => {
    assert.strictEqual(shown(after()), "pending 0")
    assert.strictEqual(shown(after(acknowledged("open"))), "open 0")
    assert.strictEqual(shown(after(acknowledged("open"), fill("1", "4"))), "partially-filled 4")
    assert.strictEqual(shown(after(acknowledged("open"), fill("1", "1"))), "partially-filled 1")
    const filled = after(acknowledged("open"), fill("1", "4"), fill("2", "6.00"))
    assert.strictEqual(shown(filled), "filled 10.00")
    assert.isTrue(Order.isSettled(filled))
    assert.strictEqual(shown(after(acknowledged("open"), update("cancelled"))), "cancelled 0")
    assert.strictEqual(shown(after(acknowledged("expired"))), "expired 0")
    assert.strictEqual(shown(after(rejected)), "rejected 0")
    assert.strictEqual(shown(after(notSent)), "absent 0")
  })

  it("whose outcome is unknown is reconciled, once", () => {
    const unknown = after(outcomeUnknown)
    assert.strictEqual(shown(unknown), "unknown 0")
    assert.strictEqual(shown(Order.transition(unknown, reconciled("open", "3"))), "partially-filled 3")
    assert.strictEqual(shown(Order.transition(unknown, reconciled("absent"))), "absent 0")
    assert.strictEqual(Order.transition(unknown, reconciled("absent")).outcome?._tag, "Reconciled")
    forbids(Order.transition(unknown, reconciled("absent")), reconciled("open"), /Reconciled after Reconciled/)
    forbids(after(), reconciled("open"), /Reconciled after no outcome/)
    forbids(after(acknowledged("open")), reconciled("open"), /Reconciled after Acknowledged/)
    forbids(unknown, acknowledged("open"), /Acknowledged after OutcomeUnknown/)
    forbids(after(acknowledged("open")), outcomeUnknown, /OutcomeUnknown after Acknowledged/)
    forbids(after(notSent), outcomeUnknown, /OutcomeUnknown after NotSent/)
  })

  it("that was never there cannot come later", () => {
    for (const never of [after(notSent), after(outcomeUnknown, reconciled("absent"))]) {
      forbids(never, update("open"), /open after absent/)
      forbids(never, update("filled", "10"), /filled after absent/)
      forbids(never, fill("1", "1"), /partially-filled after absent/)
      assert.strictEqual(Order.transition(never, update("absent")).status, "absent")
      assert.strictEqual(Order.transition(never, update("unknown")).status, "absent")
    }
    forbids(after(rejected), fill("1", "1"), /partially-filled after rejected/)
    forbids(after(rejected), update("open"), /open after rejected/)
    assert.strictEqual(Order.transition(after(rejected), update("pending")).status, "rejected")
  })

  it("has one end", () => {
    const ends = [update("filled", "10"), update("cancelled"), update("expired")]
    for (const end of ends) {
      const over = after(acknowledged("open"), end)
      for (const other of [...ends, update("rejected")]) {
        if (other === end) assert.strictEqual(Order.transition(over, other).status, end.status)
        else forbids(over, other, new RegExp(`${other.status} after ${end.status}`))
      }
      // What is older, or of an exchange that has forgotten it, changes nothing.
      for (const past of ["pending", "open", "partially-filled", "unknown", "absent"] as const) {
        assert.strictEqual(Order.transition(over, update(past)).status, end.status)
      }
    }
    forbids(after(acknowledged("open")), update("rejected"), /rejected after open/)
  })

  it("knows what overtakes its answer", () => {
    const overtaken = after(fill("1", "10"), acknowledged("open"))
    assert.strictEqual(shown(overtaken), "filled 10")
    assert.strictEqual(overtaken.outcome?._tag, "Acknowledged")
    assert.strictEqual(shown(after(fill("1", "4"), acknowledged("open"), update("open", "0"))), "partially-filled 4")
    assert.strictEqual(shown(after(update("open"), outcomeUnknown)), "open 0")
    assert.strictEqual(shown(after(acknowledged("open"), update("pending"))), "open 0")
    // The private stream has said where it is: nobody needs to ask.
    assert.strictEqual(after(update("pending"), outcomeUnknown).status, "pending")
  })

  it("that rested and is there no more ended in a way that is not known", () => {
    assert.strictEqual(after(acknowledged("open"), update("absent")).status, "unknown")
    assert.strictEqual(after(acknowledged("pending"), update("absent")).status, "unknown")
    assert.strictEqual(after(acknowledged("open"), update("absent"), update("cancelled")).status, "cancelled")
  })

  it("has each fill once, also those told after its end", () => {
    const once = after(acknowledged("open"), fill("1", "4"))
    assert.strictEqual(Order.transition(once, fill("1", "4")), once)
    const late = after(acknowledged("open"), update("cancelled", "4"))
    assert.isFalse(Order.isSettled(late))
    assert.isTrue(Order.isSettled(Order.transition(late, fill("1", "4"))))
    assert.strictEqual(shown(Order.transition(late, fill("1", "4"))), "cancelled 4")
    // The exchange told the amount sooner than the fills: it is not filled twice.
    assert.strictEqual(shown(after(acknowledged("open", "4"), fill("1", "4"))), "partially-filled 4")
    const whole = after(acknowledged("filled"))
    assert.strictEqual(shown(whole), "filled 10.0")
    assert.isFalse(Order.isSettled(whole))
  })

  it("keeps the id and the terms that came last", () => {
    const amended = new OrderEvent.OrderUpdate({ ...update("open", "4", { price: "43251" }), orderId: "ETH-2" })
    const older = after(fill("1", "4"), acknowledged("open"), amended, fill("2", "1"))
    assert.deepStrictEqual([older.orderId, shown(older)], ["ETH-2", "partially-filled 5"])
    assert.strictEqual(after(fill("1", "4")).orderId, "ETH-1")
    // An update that is older than the end says nothing of the order as it ended.
    const over = after(fill("1", "10"), update("open", "4", { amount: "12", price: "1" }))
    assert.deepStrictEqual([shown(over), Decimal.format(Order.remaining(over))], ["filled 10", "0.0"])
    assert.strictEqual(over.price && Decimal.format(over.price), "43250.5")
  })

  it("is not filled beyond its amount", () => {
    const most = after(acknowledged("open"), fill("1", "9.9"))
    forbids(most, fill("2", "0.11"), /10\.01 filled of 10\.0/)
    forbids(most, update("open", "11"), /11 filled of 10\.0/)
    forbids(most, update("open", "9.9", { amount: "9" }), /9\.9 filled of 9/)
  })

  it("is amended by an update, filled part included", () => {
    const amended = after(
      acknowledged("open"),
      fill("1", "4"),
      update("open", "4", { amount: "12.00", price: "43251" })
    )
    assert.strictEqual(Decimal.format(Order.remaining(amended)), "8.00")
    assert.strictEqual(
      OrderEvent.toJson(Order.toUpdate(amended, { withTerms: true })),
      `{"_tag":"OrderUpdate","exchange":"deribit","product":"BTC-PERPETUAL","side":"buy","clientId":"${clientId}",` +
        `"orderId":"ETH-1","status":"partially-filled","filled":"4","remaining":"8.00","averagePrice":"43250.5",` +
        `"price":"43251","amount":"12.00"}`
    )
    assert.strictEqual(
      after(acknowledged("open"), fill("1", "4"), update("open", "4", { amount: "4" })).status,
      "filled"
    )
  })

  it("of type market has no price to show", () => {
    const { price: _, ...unpriced } = request
    const order = Order.make(exchange, new OrderRequest.OrderRequest({ ...unpriced, type: "market" }))
    const { amount, price } = Order.toUpdate(order, { withTerms: true })
    assert.deepStrictEqual([price, amount], [undefined, decimal("10.0")])
  })

  it("has the average price of its fills, exact as far as that goes", () => {
    const average = (...inputs: ReadonlyArray<Order.Input>) => {
      const price = Order.averagePrice(after(...inputs))
      return price === undefined ? undefined : Decimal.format(price)
    }
    assert.strictEqual(average(fill("1", "1", "100.0"), fill("2", "2", "100.5")), "100.333333333")
    assert.strictEqual(average(fill("1", "1", "100.0"), fill("2", "3", "100.5")), "100.375")
    assert.strictEqual(average(fill("1", "1", "100.0")), "100.0")
    assert.strictEqual(average(fill("1", "1", "100.0"), fill("2", "1", "100.00")), "100.00")
    assert.strictEqual(average(), undefined)
    const said = new OrderEvent.OrderUpdate({ ...update("open", "5"), averagePrice: decimal("99.9") })
    assert.strictEqual(average(fill("1", "1", "100.0"), said), "99.9")
  })
})
