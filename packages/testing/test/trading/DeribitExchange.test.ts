import { assert, describe, it } from "@effect/vitest"
import * as OrderEvent from "@tickline/core/trading/OrderEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { refusals } from "../Rig.ts"
import { order as quiet, withAnswers } from "./Answers.ts"
import { decimal, give, pass, request, withDesk } from "./Desk.ts"

describe("Order entry at Deribit", () => {
  it.effect("places, amends, shows and cancels, by either id", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(request()))
        assert.deepStrictEqual(placed.lines(), ["Acknowledged clientId=mine status=open filled=0"])
        assert.strictEqual(placed.ended(), "done")
        const [event] = placed.events
        const orderId = event?._tag === "Acknowledged" ? event.orderId ?? "" : ""
        assert.strictEqual(exchange.orders("mine")[0]?.orderId, orderId)
        const amended = yield* give(orders.amend({ clientId: "mine" }, { price: decimal("40001.5") }))
        assert.deepStrictEqual(amended.lines(), ["Acknowledged clientId=mine status=open filled=0"])
        const again = yield* give(orders.amend({ orderId }, { amount: decimal("20") }))
        assert.deepStrictEqual(again.lines(), ["Acknowledged clientId=mine status=open filled=0"])
        const shown = "OrderUpdate clientId=mine status=open filled=0 remaining=20 price=40001.5 amount=20"
        assert.deepStrictEqual((yield* give(orders.status({ clientId: "mine" }))).lines(), [shown])
        assert.deepStrictEqual((yield* give(orders.status({ orderId }))).lines(), [shown])
        assert.deepStrictEqual((yield* give(orders.open())).lines(), [shown])
        assert.deepStrictEqual((yield* give(orders.open({ product: "BTC-PERPETUAL" }))).lines(), [shown])
        const cancelled = yield* give(orders.cancel({ clientId: "mine" }))
        assert.deepStrictEqual(cancelled.lines(), ["Acknowledged clientId=mine status=cancelled filled=0"])
        assert.strictEqual(OrderEvent.toJson(cancelled.events[0]!).includes(orderId), true)
        assert.deepStrictEqual((yield* give(orders.open())).lines(), [])
        const refused = yield* give(orders.cancel({ orderId }))
        assert.deepStrictEqual(refused.lines(), ["Rejected reason=not_open_order code=11044"])
      })
    ))

  it.effect("says what became of an order whose answer was lost, and sends it once", () =>
    withDesk(({ exchange, methods, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Cut", method: "private/buy" })
        const placed = yield* give(orders.place(request()))
        yield* pass("1 second")
        assert.deepStrictEqual(placed.lines(), [
          "OutcomeUnknown clientId=mine reason=the connection ended before the answer came",
          "Reconciled clientId=mine status=open filled=0"
        ])
        assert.strictEqual(placed.ended(), "done")
        assert.strictEqual(methods("private/buy"), 1)
        assert.strictEqual(exchange.orders("mine").length, 1)
      })
    ))

  it.effect("says that an order is absent only when it can no longer come", () =>
    withDesk(({ exchange, methods, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Cut", method: "private/buy", takenAfter: Infinity })
        const placed = yield* give(orders.place(request()))
        yield* pass("4900 millis")
        assert.deepStrictEqual(placed.lines(), [
          "OutcomeUnknown clientId=mine reason=the connection ended before the answer came"
        ])
        yield* pass("1 second")
        assert.deepStrictEqual(placed.lines().slice(1), ["Reconciled clientId=mine status=absent"])
        assert.strictEqual(methods("private/buy"), 1)

        // One that is taken late is found; one that would be taken too late is not taken.
        exchange.fault({ _tag: "Cut", method: "private/buy", takenAfter: 3_000 })
        const slow = yield* give(orders.place(request({ clientId: "slow" })))
        yield* pass("2900 millis")
        assert.strictEqual(slow.events.length, 1)
        yield* pass("1 second")
        assert.deepStrictEqual(slow.lines().slice(1), ["Reconciled clientId=slow status=open filled=0"])
        exchange.fault({ _tag: "Cut", method: "private/buy", takenAfter: 5_050 })
        const late = yield* give(orders.place(request({ clientId: "late" })))
        yield* pass("6 seconds")
        assert.deepStrictEqual(late.lines().slice(1), ["Reconciled clientId=late status=absent"])
        assert.strictEqual(exchange.orders("late").length, 0)
      })
    ))

  it.effect("an order is taken by nobody after its deadline, by the venue's clock", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const at = yield* Clock.currentTimeMillis
        yield* give(orders.place(request(), { deadline: "3 seconds" }))
        const [{ text = "" } = {}] = exchange.received()
        assert.strictEqual(JSON.parse(text).params.valid_until, at + 3_000)
      })
    ))

  it.effect("by the venue's clock also where it signs in by its secret", () =>
    withAnswers(
      {
        "public/get_time": () => ({ result: 1_800_000_000_000 }),
        "private/buy": () => ({ result: { order: quiet, trades: [] } })
      },
      ({ calls, orders }) =>
        Effect.gen(function*() {
          yield* give(orders.place(request(), { deadline: "3 seconds" }))
          assert.deepStrictEqual(calls.slice(0, 2).map(({ method }) => method), ["public/auth", "public/get_time"])
          assert.strictEqual(calls.at(-1)?.params["valid_until"], 1_800_000_003_000)
        }),
      { by: "secret" }
    ))

  it.effect("an answer that does not come by the deadline is unknown at that moment", () =>
    withDesk(({ exchange, methods, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Delay", method: "private/buy", millis: 4_000 })
        const placed = yield* give(orders.place(request(), { deadline: "2 seconds" }))
        yield* pass("1999 millis")
        assert.deepStrictEqual(placed.lines(), [])
        yield* pass("1 millis")
        assert.deepStrictEqual(placed.lines()[0], "OutcomeUnknown clientId=mine reason=no answer by the deadline")
        yield* pass("1 minute")
        assert.deepStrictEqual(placed.lines().slice(1), ["Reconciled clientId=mine status=open filled=0"])
        assert.strictEqual(methods("private/buy"), 1)
      })
    ))

  it.effect("what waits for the account's limits longer than it has is not sent", () =>
    withDesk(({ methods, orders }) =>
      Effect.gen(function*() {
        for (let n = 0; n < 17; n++) yield* give(orders.place(request({ clientId: `${n}` })))
        assert.strictEqual(methods("private/buy"), 17)
        const placed = yield* give(orders.place(request(), { deadline: "50 millis" }))
        yield* pass("1 second")
        assert.deepStrictEqual(placed.lines(), ["NotSent clientId=mine reason=not written by the deadline"])
        assert.strictEqual(methods("private/buy"), 17)
        assert.deepStrictEqual((yield* give(orders.place(request()))).lines(), [
          "Acknowledged clientId=mine status=open filled=0"
        ])
      })
    ))

  it.effect("what waits for the account's limits while the connection drops is sent on the next, once", () =>
    withDesk(({ methods, orders, served }) =>
      Effect.gen(function*() {
        for (let n = 0; n < 17; n++) yield* give(orders.place(request({ clientId: `${n}` })))
        const placed = yield* give(orders.place(request()))
        yield* served.host.drop
        yield* pass("2 seconds")
        assert.deepStrictEqual(placed.lines(), ["Acknowledged clientId=mine status=open filled=0"])
        assert.strictEqual(methods("private/buy"), 18)
      })
    ))

  it.effect("gives up learning what became of it after half a minute", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Withhold", method: "private/buy" })
        exchange.fault({ _tag: "Withhold", method: "private/get_order_state_by_label", calls: 1_000 })
        const placed = yield* give(orders.place(request(), { deadline: "1 second" }))
        yield* pass("30 seconds")
        assert.isUndefined(placed.ended())
        yield* pass("1500 millis")
        assert.strictEqual(placed.ended(), "done")
        assert.deepStrictEqual(placed.lines().length, 1)
      })
    ))

  it.effect("sends nothing where it is not signed in by the deadline", () =>
    withDesk(({ methods, orders, served }) =>
      Effect.gen(function*() {
        yield* served.host.script(...refusals(100))
        const placed = yield* give(orders.place(request(), { deadline: "2 seconds" }))
        yield* pass("2 seconds")
        assert.match(placed.lines()[0] ?? "", /^NotSent clientId=mine reason=not signed in by the deadline: .*refused/)
        assert.strictEqual(placed.ended(), "done")
        yield* pass("1 minute")
        assert.strictEqual(methods("private/buy"), 0)
      })
    ))

  it.effect("sends nothing where its key is refused, and says so at once, for each command", () =>
    withDesk(
      ({ methods, orders }) =>
        Effect.gen(function*() {
          const reason = "reason=authentication failed: invalid_credentials"
          const placed = yield* give(orders.place(request()))
          assert.deepStrictEqual(placed.lines(), [`NotSent clientId=mine ${reason}`])
          assert.deepStrictEqual((yield* give(orders.cancelAll())).lines(), [`NotSent ${reason}`])
          assert.deepStrictEqual((yield* give(orders.open())).lines(), [`NotSent ${reason}`])
          assert.strictEqual(methods("private/buy"), 0)
        }),
      { clientSecret: Redacted.make("another") }
    ))

  it.effect("sends nothing that the instrument's rules forbid, and names the nearest legal values", () =>
    withDesk(({ exchange, methods, orders }) =>
      Effect.gen(function*() {
        const lines = function*(terms: Parameters<typeof request>[0]) {
          return (yield* give(orders.place(request(terms)))).lines()
        }
        assert.deepStrictEqual(yield* lines({ price: decimal("40000.05") }), [
          "NotSent clientId=mine reason=price 40000.05 is no positive multiple of the tick 0.1; " +
          "the nearest legal: 40000.0 and 40000.1"
        ])
        assert.deepStrictEqual(yield* lines({ amount: decimal("10.5") }), [
          "NotSent clientId=mine reason=amount 10.5 is no positive multiple of the lot 1; the nearest legal: 10 and 11"
        ])
        assert.deepStrictEqual(yield* lines({ amount: decimal("0.5") }), [
          "NotSent clientId=mine reason=amount 0.5 is below the minimum 1; the nearest legal: 1"
        ])
        assert.deepStrictEqual(yield* lines({ product: "NONE" }), [
          "NotSent clientId=mine reason=product NONE: invalid_or_unsupported_instrument (10020)"
        ])
        assert.strictEqual(methods("private/buy"), 0)
        assert.strictEqual(exchange.credits().filter(({ pool }) => pool === "get_instruments").length, 0)
        yield* give(orders.place(request()))
        const amended = yield* give(orders.amend({ clientId: "mine" }, { price: decimal("40000.05") }))
        assert.match(amended.lines()[0] ?? "", /^NotSent clientId=mine reason=price 40000.05 is no/)
        assert.strictEqual(methods("private/edit"), 0)
      })
    ))

  it.effect("says what the exchange refuses in its own words", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const crossing = request({ price: decimal("50000.0"), timeInForce: "post-only" })
        assert.deepStrictEqual((yield* give(orders.place(crossing))).lines(), [
          "Rejected clientId=mine reason=post_only_reject code=11054"
        ])
        const whole = request({ price: decimal("50000.0"), amount: decimal("1000000000"), timeInForce: "fok" })
        assert.deepStrictEqual((yield* give(orders.place(whole))).lines(), [
          "Rejected clientId=mine reason=other_reject: fill_or_kill code=11030"
        ])
        exchange.settlement(true)
        assert.deepStrictEqual((yield* give(orders.place(request()))).lines(), [
          "Rejected clientId=mine reason=settlement_in_progress code=10041"
        ])
        exchange.settlement(false)
        const unknown = yield* give(orders.amend({ orderId: "7" }, { amount: decimal("1") }))
        assert.deepStrictEqual(unknown.lines(), ["NotSent reason=the exchange knows no such order"])
        assert.strictEqual(unknown.ended(), "done")
        assert.deepStrictEqual((yield* give(orders.cancel({ orderId: "7" }))).lines(), [
          "Rejected reason=order_not_found code=10004"
        ])
        assert.deepStrictEqual((yield* give(orders.status({ orderId: "7" }))).lines(), ["OrderUpdate status=absent"])
        assert.deepStrictEqual((yield* give(orders.status({ clientId: "x" }))).lines(), [
          "OrderUpdate clientId=x status=absent"
        ])
      })
    ))

  it.effect("an order that has been over for long is not absent", () =>
    withDesk(({ orders }) =>
      Effect.gen(function*() {
        const [placed] = (yield* give(orders.place(request()))).events
        yield* give(orders.cancel({ clientId: "mine" }))
        yield* pass("1 hour")
        const orderId = placed?._tag === "Acknowledged" ? placed.orderId ?? "" : ""
        const shown = "OrderUpdate clientId=mine status=cancelled filled=0 remaining=10 price=40000.0 amount=10"
        assert.deepStrictEqual((yield* give(orders.status({ clientId: "mine" }))).lines(), [shown])
        assert.deepStrictEqual((yield* give(orders.status({ orderId }))).lines(), [shown])
        assert.deepStrictEqual((yield* give(orders.status({ clientId: "other" }))).lines(), [
          "OrderUpdate clientId=other status=absent"
        ])
      })
    ))

  it.effect("touches none of several orders that bear one client id", () =>
    withDesk(({ methods, orders }) =>
      Effect.gen(function*() {
        yield* give(orders.place(request()))
        yield* give(orders.place(request({ price: decimal("40001.0") })))
        const amended = yield* give(orders.amend({ clientId: "mine" }, { amount: decimal("20") }))
        const cancelled = yield* give(orders.cancel({ clientId: "mine" }))
        assert.deepStrictEqual([amended, cancelled].map((given) => [given.ended(), given.lines()]), [
          ["AmbiguousClientId", []],
          ["AmbiguousClientId", []]
        ])
        assert.strictEqual(methods("private/edit") + methods("private/cancel"), 0)
        assert.deepStrictEqual((yield* give(orders.status({ clientId: "mine" }))).lines(), [
          "OrderUpdate clientId=mine status=open filled=0 remaining=10 price=40000.0 amount=10",
          "OrderUpdate clientId=mine status=open filled=0 remaining=10 price=40001.0 amount=10"
        ])
      })
    ))

  it.effect("an amendment whose answer was lost is found, or known not to have been taken; it is sent once", () =>
    withDesk(({ exchange, methods, orders }) =>
      Effect.gen(function*() {
        yield* give(orders.place(request()))
        exchange.fault({ _tag: "Cut", method: "private/edit" })
        const taken = yield* give(orders.amend({ clientId: "mine" }, { amount: decimal("20") }))
        yield* pass("1 second")
        assert.deepStrictEqual(taken.lines(), [
          "OutcomeUnknown clientId=mine reason=the connection ended before the answer came",
          "Reconciled clientId=mine status=open filled=0"
        ])
        assert.strictEqual(taken.ended(), "done")
        exchange.fault({ _tag: "Cut", method: "private/edit", takenAfter: Infinity })
        const lost = yield* give(orders.amend({ clientId: "mine" }, { amount: decimal("30") }))
        yield* pass("4900 millis")
        assert.strictEqual(lost.events.length, 1)
        yield* pass("1 second")
        assert.deepStrictEqual(lost.lines().slice(1), ["Reconciled clientId=mine status=open filled=0"])
        assert.strictEqual(lost.ended(), "NotAmended")
        assert.strictEqual(methods("private/edit"), 2)
        assert.strictEqual(Decimal.format(exchange.orders("mine")[0]?.amount ?? Decimal.zero), "20")
      })
    ))

  it.effect("an amendment keeps what it does not name", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        yield* give(orders.place(request({ timeInForce: "post-only", reduceOnly: false })))
        yield* give(orders.amend({ clientId: "mine" }, { price: decimal("40010.0") }))
        const { text = "" } = exchange.received().at(-1) ?? {}
        const { amount, post_only, price, reject_post_only } = JSON.parse(text).params
        assert.deepStrictEqual({ amount, post_only, price, reject_post_only }, {
          amount: 10,
          post_only: true,
          price: 40_010,
          reject_post_only: true
        })
      })
    ))

  it.effect("a cancel whose answer was lost is sent again as long as the order is open", () =>
    withDesk(({ exchange, methods, orders }) =>
      Effect.gen(function*() {
        yield* give(orders.place(request()))
        exchange.fault({ _tag: "Cut", method: "private/cancel", takenAfter: Infinity, calls: 2 })
        const cancelled = yield* give(orders.cancel({ clientId: "mine" }))
        yield* pass("5 seconds")
        assert.deepStrictEqual(cancelled.lines(), [
          "OutcomeUnknown clientId=mine reason=the connection ended before the answer came",
          "Reconciled clientId=mine status=cancelled filled=0"
        ])
        assert.strictEqual(methods("private/cancel"), 3)
        yield* give(orders.place(request({ clientId: "other" })))
        exchange.fault({ _tag: "Cut", method: "private/cancel" })
        const taken = yield* give(orders.cancel({ clientId: "other" }))
        yield* pass("5 seconds")
        assert.deepStrictEqual(taken.lines().slice(1), ["Reconciled clientId=other status=cancelled filled=0"])
        assert.strictEqual(methods("private/cancel"), 4)
      })
    ))

  it.effect("cancels all, of a product or of every one, and counts them", () =>
    withDesk(({ exchange, methods, orders }) =>
      Effect.gen(function*() {
        yield* give(orders.place(request({ clientId: "a" })))
        yield* give(orders.place(request({ clientId: "b" })))
        const lines = ["a", "b"].map((id) => `Acknowledged clientId=${id} status=cancelled filled=0`)
        const all = yield* give(orders.cancelAll())
        assert.deepStrictEqual(all.lines(), [...lines, "CancelledAll count=2"])
        assert.deepStrictEqual((yield* give(orders.cancelAll())).lines(), ["CancelledAll count=0"])
        yield* give(orders.place(request({ clientId: "a" })))
        yield* give(orders.place(request({ clientId: "b" })))
        exchange.fault({ _tag: "Cut", method: "private/cancel_all_by_instrument" })
        const cut = yield* give(orders.cancelAll({ product: "BTC-PERPETUAL" }))
        yield* pass("5 seconds")
        assert.deepStrictEqual(cut.lines(), [
          "OutcomeUnknown reason=the connection ended before the answer came",
          ...lines,
          "CancelledAll count=2"
        ])
        assert.strictEqual(methods("private/cancel_all_by_instrument"), 2)
        assert.deepStrictEqual((yield* give(orders.cancelAll({ product: "NONE" }))).lines(), ["CancelledAll count=0"])
      })
    ))
})
