/** Amending and cancelling at a Deribit that answers as the mock does not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { editOf, instrument, named, order, withAnswers } from "./Answers.ts"
import { decimal, give, pass } from "./Desk.ts"

describe("Amending and cancelling at Deribit, whatever it answers", () => {
  it.effect("counts those cancelled where the venue gives a number, and one by one those that it has not cancelled", () => {
    const [first, second, third] = ["1", "2", "3"].map((id) => ({ ...order, order_id: id, label: id }))
    return withAnswers(
      {
        "private/get_open_orders": () => ({ result: [first, second, third] }),
        "private/cancel_all": () => ({ result: 1 }),
        "private/get_order_state": ({ params }) => ({
          result: params["order_id"] === "1" ? { ...first, order_state: "cancelled" } : { ...second, ...params }
        }),
        "private/cancel": ({ params }) =>
          params["order_id"] === "2" ? { result: { ...second, order_state: "cancelled" } } : 11_044
      },
      ({ orders }) =>
        Effect.gen(function*() {
          const all = yield* give(orders.cancelAll())
          assert.deepStrictEqual(all.lines(), [
            "Acknowledged clientId=1 status=cancelled filled=0",
            "Acknowledged clientId=2 status=cancelled filled=0",
            "Rejected clientId=3 reason=no code=11044",
            "CancelledAll count=2"
          ])
        })
    )
  })

  it.effect("a question that is refused is a rejection, and one that is not answered has no outcome", () =>
    withAnswers(
      {
        "private/get_order_state": ({ params }) => params["order_id"] === "1" ? 13_021 : undefined,
        "private/get_open_orders_by_instrument": () => 13_020
      },
      ({ orders }) =>
        Effect.gen(function*() {
          assert.deepStrictEqual((yield* give(orders.status({ orderId: "1" }))).lines(), [
            "Rejected reason=no code=13021"
          ])
          assert.deepStrictEqual((yield* give(orders.open({ product: "NONE" }))).lines(), [
            "Rejected reason=no code=13020"
          ])
          const unanswered = yield* give(orders.status({ orderId: "2" }))
          yield* pass("5 seconds")
          assert.deepStrictEqual(unanswered.lines(), ["OutcomeUnknown reason=no answer by the deadline"])
          assert.strictEqual(unanswered.ended(), "done")
          assert.match(
            (yield* give(orders.cancelAll({ product: "NONE" }))).lines()[0] ?? "",
            /^NotSent reason=no \(13020\)/
          )
        })
    ))

  it.effect("an order of spot is amended like any other", () => {
    const { settlement_currency: _, ...spot } = { ...instrument, kind: "spot" }
    return withAnswers(
      {
        "public/get_instrument": () => ({ result: spot }),
        "private/get_order_state": () => ({ result: { ...order, reduce_only: true, display_amount: 10 } }),
        "private/edit": () => ({
          result: { order: { ...order, filled_amount: 10, order_state: "filled" }, trades: [] }
        })
      },
      ({ calls, orders }) =>
        Effect.gen(function*() {
          const amended = yield* give(orders.amend({ orderId: "BTC-1" }, { price: decimal("40000.5") }))
          assert.deepStrictEqual(amended.lines(), ["Acknowledged clientId=mine status=filled filled=10"])
          const sent = editOf(calls)
          assert.deepStrictEqual(sent, { order_id: "BTC-1", amount: 10, price: 40_000.5, reduce_only: true })
        })
    )
  })

  it.effect("an amendment keeps what an iceberg shows, and what an advanced order is", () =>
    withAnswers(
      {
        "private/get_order_state": () => ({
          result: { ...order, display_amount: 1, advanced: "usd", trigger_price: 7, price: "market_price" }
        }),
        "private/edit": () => ({ result: { order, trades: [] } })
      },
      ({ calls, orders }) =>
        Effect.gen(function*() {
          yield* give(orders.amend({ orderId: "BTC-1" }, { amount: decimal("20") }))
          const sent = editOf(calls)
          assert.deepStrictEqual(sent, {
            order_id: "BTC-1",
            amount: 20,
            advanced: "usd",
            display_amount: 1,
            trigger_price: 7
          })
        })
    ))

  it.effect("an order that is filled before it can be cancelled does not count", () =>
    withAnswers(
      {
        "private/get_open_orders": () => ({ result: [order] }),
        "private/cancel_all": () => ({ result: 0 }),
        "private/get_order_state": (_, count) => ({
          result: count === 1 ? order : { ...order, order_state: "filled", filled_amount: 10 }
        }),
        "private/cancel": () => undefined
      },
      ({ orders }) =>
        Effect.gen(function*() {
          const all = yield* give(orders.cancelAll({ deadline: "2 seconds" }))
          yield* pass("2 seconds")
          assert.deepStrictEqual(all.lines(), [
            "OutcomeUnknown clientId=mine reason=no answer by the deadline",
            "Reconciled clientId=mine status=filled filled=10",
            "CancelledAll count=0"
          ])
        })
    ))

  it.effect("takes the venue's word for those that it cancelled, and says what it refused", () =>
    withAnswers(
      {
        "private/get_open_orders": () => ({ result: [order] }),
        "private/cancel_all": (_, count) =>
          count === 1 ? { result: [{ currency: "BTC", result: [{ ...order, order_state: "cancelled" }] }] } : 10_041
      },
      ({ calls, orders }) =>
        Effect.gen(function*() {
          const all = yield* give(orders.cancelAll())
          assert.deepStrictEqual(all.lines(), [
            "Acknowledged clientId=mine status=cancelled filled=0",
            "CancelledAll count=1"
          ])
          assert.deepStrictEqual(named(calls, "private/get_order_state"), [])
          const refused = yield* give(orders.cancelAll())
          assert.deepStrictEqual(refused.lines(), ["Rejected reason=no code=10041", "CancelledAll count=0"])
        })
    ))

  it.effect("counts nothing where it is never known what became of them", () =>
    withAnswers(
      { "private/get_open_orders": () => ({ result: [order] }), "private/cancel_all": () => undefined },
      ({ orders }) =>
        Effect.gen(function*() {
          const all = yield* give(orders.cancelAll({ deadline: "1 second" }))
          yield* pass("1 minute")
          assert.deepStrictEqual(all.lines(), ["OutcomeUnknown reason=no answer by the deadline"])
          assert.strictEqual(all.ended(), "done")
        })
    ))

  it.effect("cancels nothing that it cannot write by the deadline", () =>
    withAnswers({ "private/get_open_orders": () => ({ result: [] }), "private/cancel_all": () => ({ result: 0 }) }, ({
      calls,
      orders
    }) =>
      Effect.gen(function*() {
        for (let n = 0; n < 19; n++) yield* give(orders.cancelAll())
        assert.strictEqual(named(calls, "private/cancel_all").length, 19)
        const all = yield* give(orders.cancelAll({ deadline: "50 millis" }))
        yield* pass("1 second")
        assert.deepStrictEqual(all.lines(), ["NotSent reason=not written by the deadline"])
        assert.strictEqual(named(calls, "private/cancel_all").length, 19)
      })))

  it.effect("a cancel of what the venue does not know any more is absent", () =>
    withAnswers(
      { "private/cancel": () => undefined, "private/get_order_state": () => 10_004 },
      ({ orders }) =>
        Effect.gen(function*() {
          const cancelled = yield* give(orders.cancel({ orderId: "BTC-1" }, { deadline: "1 second" }))
          yield* pass("2 seconds")
          assert.deepStrictEqual(cancelled.lines(), [
            "OutcomeUnknown reason=no answer by the deadline",
            "Reconciled status=absent"
          ])
        })
    ))

  it.effect("an amendment of an order that is over meanwhile is known at once", () =>
    withAnswers(
      {
        "private/edit": () => undefined,
        "private/get_order_state": (_, count) => ({
          result: count === 1 ? order : { ...order, order_state: "filled", filled_amount: 10 }
        })
      },
      ({ drop, orders }) =>
        Effect.gen(function*() {
          const amended = yield* give(orders.amend({ orderId: "BTC-1" }, { amount: decimal("20") }))
          yield* drop
          yield* pass("1 second")
          assert.deepStrictEqual(amended.lines(), [
            "OutcomeUnknown clientId=mine reason=the connection ended before the answer came",
            "Reconciled clientId=mine status=filled filled=10"
          ])
          assert.strictEqual(amended.ended(), "done")
        })
    ))

  it.effect("an order that is gone while it is amended is absent, and one of an unknown product is not amended", () =>
    withAnswers(
      {
        "public/get_instrument": (_, count) => count === 1 ? { result: instrument } : 13_020,
        "private/edit": () => undefined,
        "private/get_order_state": ({ params }, count) =>
          count === 1 || params["order_id"] === "BTC-2" ? { result: order } : 10_004
      },
      ({ calls, orders }) =>
        Effect.gen(function*() {
          const gone = yield* give(
            orders.amend({ orderId: "BTC-1" }, { amount: decimal("20") }, { deadline: "1 second" })
          )
          yield* pass("2 seconds")
          assert.deepStrictEqual(gone.lines().slice(1), ["Reconciled clientId=mine status=absent"])
          assert.strictEqual(gone.ended(), "done")
          const unknown = yield* give(orders.amend({ orderId: "BTC-2" }, { amount: decimal("20") }))
          assert.deepStrictEqual(unknown.lines(), [
            "NotSent clientId=mine reason=product BTC-PERPETUAL: no (13020)"
          ])
          assert.strictEqual(named(calls, "private/edit").length, 1)
        })
    ))
})
