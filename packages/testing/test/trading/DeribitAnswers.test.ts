/** Order entry at a Deribit that answers as the mock does not: what the venue may say, and seldom does. */
import { assert, describe, it } from "@effect/vitest"
import * as DeribitExchange from "@tickline/core/trading/deribit/DeribitExchange"
import type { Exchange } from "@tickline/core/trading/Exchange"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { policyWith, url, withVenue } from "../Rig.ts"
import { decimal, give, pass, request } from "./Desk.ts"

interface Call {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

/** What a method is answered with: its result, the number of an error, or nothing. */
type Answer = { readonly result: unknown } | number | undefined

const instrument = {
  instrument_name: "BTC-PERPETUAL",
  kind: "future",
  is_active: true,
  base_currency: "BTC",
  quote_currency: "USD",
  settlement_currency: "BTC",
  instrument_type: "reversed",
  tick_size: 0.5,
  min_trade_amount: 10,
  contract_size: 10,
  creation_timestamp: 1
}

const order = {
  order_id: "BTC-1",
  order_state: "open",
  order_type: "limit",
  time_in_force: "good_til_cancelled",
  instrument_name: "BTC-PERPETUAL",
  direction: "buy",
  price: 40_000,
  amount: 10,
  filled_amount: 0,
  average_price: 0,
  label: "mine",
  creation_timestamp: 1,
  last_update_timestamp: 1,
  post_only: false,
  api: true
}

/** Runs a test against a venue that signs everybody in, and answers the rest as it is told. */
const withAnswers = <A, E, R>(
  answers: Readonly<Record<string, (call: Call, count: number) => Answer>>,
  use: (
    desk: {
      readonly orders: Exchange["Service"]
      readonly calls: ReadonlyArray<Call>
      /** Tells of the account's orders whatever it is. */
      readonly tell: (data: unknown) => Effect.Effect<void>
    }
  ) => Effect.Effect<A, E, R>
) =>
  withVenue(policyWith({}), ({ host }) =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const calls: Array<Call> = []
      const usual: typeof answers = {
        "public/get_time": () => ({ result: clock.currentTimeMillisUnsafe() }),
        "public/auth": () => ({ result: { access_token: "a", refresh_token: "r", expires_in: 900, scope: "" } }),
        "public/get_instrument": () => ({ result: instrument }),
        "private/subscribe": ({ params }) => ({ result: params["channels"] }),
        "public/set_heartbeat": () => ({ result: "ok" }),
        "private/buy": () => ({ result: { order, trades: [] } }),
        "private/get_order_state_by_label": () => ({ result: [] }),
        ...answers
      }
      let tell = (_: string) => {}
      yield* host.onOpen((peer) => {
        tell = (text) => void peer.sendUnsafe(text)
        peer.onMessage((frame) => {
          const { id, method, params } = JSON.parse(String(frame))
          const call: Call = { method, params }
          calls.push(call)
          const count = calls.filter((other) => other.method === method).length
          const answer = (usual[method] ?? (() => -32_601))(call, count)
          if (answer === undefined) return
          const body = typeof answer === "number" ? { error: { code: answer, message: "no" } } : answer
          peer.sendUnsafe(JSON.stringify({ jsonrpc: "2.0", id, ...body }))
        })
      })
      const orders = yield* DeribitExchange.make({
        url,
        clientId: "AMANDA",
        clientSecret: Redacted.make("AMANDASECRECT"),
        learnsLimits: false
      })
      const channel = "user.changes.BTC-PERPETUAL.raw"
      const notice = (data: unknown) => ({ jsonrpc: "2.0", method: "subscription", params: { channel, data } })
      return yield* use({
        orders,
        calls,
        tell: (data) => Effect.andThen(Effect.sync(() => tell(JSON.stringify(notice(data)))), pass(0))
      })
    }))

const named = (calls: ReadonlyArray<Call>, method: string) => calls.filter((call) => call.method === method)

/** What was amended to, without until when. */
const editOf = (calls: ReadonlyArray<Call>) =>
  Object.fromEntries(
    named(calls, "private/edit").flatMap(({ params }) => Object.entries(params)).filter(([name]) =>
      name !== "valid_until"
    )
  )

describe("Order entry at Deribit, whatever it answers", () => {
  it.effect("an answer that names another order under our client id is a rejection", () =>
    Effect.forEach(
      [{ amount: 20 }, { price: 40_000.5 }, { direction: "sell" }, { instrument_name: "ETH-PERPETUAL" }],
      (other) =>
        withAnswers(
          { "private/buy": () => ({ result: { order: { ...order, ...other }, trades: [] } }) },
          ({ orders }) =>
            Effect.gen(function*() {
              const placed = yield* give(orders.place(request(), { follow: true }))
              assert.deepStrictEqual(placed.lines(), ["Rejected clientId=mine reason=client id in use"])
              assert.strictEqual(placed.ended(), "done")
            })
        )
    ))

  it.effect("an order that the venue says is rejected is", () =>
    withAnswers(
      { "private/buy": () => ({ result: { order: { ...order, order_state: "rejected" }, trades: [] } }) },
      ({ orders }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request()))
          assert.deepStrictEqual(placed.lines(), ["Rejected clientId=mine reason=rejected by the exchange"])
        })
    ))

  it.effect("another's order under our client id is not ours, and ours is absent", () =>
    withAnswers(
      {
        "private/buy": () => undefined,
        "private/get_order_state_by_label": () => ({ result: [{ ...order, amount: 20 }] })
      },
      ({ calls, orders }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request(), { deadline: "1 second" }))
          yield* pass("2 seconds")
          assert.deepStrictEqual(placed.lines(), [
            "OutcomeUnknown clientId=mine reason=no answer by the deadline",
            "Reconciled clientId=mine status=absent"
          ])
          assert.strictEqual(named(calls, "private/buy").length, 1)
        })
    ))

  it.effect("a failure of the venue, and an answer that cannot be read, leave the outcome unknown", () =>
    Effect.forEach(
      [11_094, { result: { order: { ...order, order_state: "resting" }, trades: [] } }],
      (answer) =>
        withAnswers(
          { "private/buy": () => answer, "private/get_order_state_by_label": () => ({ result: [order] }) },
          ({ calls, orders }) =>
            Effect.gen(function*() {
              const placed = yield* give(orders.place(request()))
              assert.deepStrictEqual(placed.lines().map((line) => line.split(" ")[0]), ["OutcomeUnknown", "Reconciled"])
              assert.strictEqual(named(calls, "private/buy").length, 1)
            })
        )
    ))

  it.effect("what is asked is asked again where the venue is busy, and an order is not", () =>
    withAnswers(
      {
        "public/get_instrument": (_, count) => count < 3 ? 11_051 : { result: instrument },
        "private/buy": () => 10_047
      },
      ({ calls, orders }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request()))
          yield* pass("1 second")
          assert.deepStrictEqual(placed.lines(), ["Rejected clientId=mine reason=no code=10047"])
          assert.strictEqual(named(calls, "public/get_instrument").length, 3)
          assert.strictEqual(named(calls, "private/buy").length, 1)
        })
    ))

  it.effect("what stays busy until the deadline was not sent", () =>
    withAnswers({ "public/get_instrument": () => 11_051 }, ({ calls, orders }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(request(), { deadline: "1 second" }))
        yield* pass("1 second")
        assert.deepStrictEqual(placed.lines(), [
          "NotSent clientId=mine reason=product BTC-PERPETUAL: no (11051)"
        ])
        assert.deepStrictEqual(named(calls, "private/buy"), [])
      })))

  it.effect("one command asks for one instrument, for no limits, and never for cancel-on-disconnect", () =>
    withAnswers({}, ({ calls, orders }) =>
      Effect.gen(function*() {
        yield* give(orders.place(request()))
        assert.deepStrictEqual(calls.map(({ method }) => method).filter((method) => method !== "public/get_time"), [
          "public/auth",
          "public/get_instrument",
          "private/buy"
        ])
      })))

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

  it.effect("looks an order up under each currency that there is, and passes over those that have none", () =>
    withAnswers(
      {
        "public/get_currencies": () => -32_601,
        "private/get_order_state_by_label": ({ params }) =>
          params["currency"] === "USDC" ? { result: [order] } : params["currency"] === "ETH" ? -32_602 : { result: [] }
      },
      ({ calls, orders }) =>
        Effect.gen(function*() {
          const shown = yield* give(orders.status({ clientId: "mine" }))
          assert.deepStrictEqual(shown.lines(), [
            "OrderUpdate clientId=mine status=open filled=0 remaining=10 price=40000 amount=10"
          ])
          assert.deepStrictEqual(
            named(calls, "private/get_order_state_by_label").map(({ params }) => params["currency"]),
            ["BTC", "ETH", "USDC", "USDT", "EURR"]
          )
        })
    ))

  it.effect("spot has no positions to reduce, and is of either of its currencies", () => {
    const { settlement_currency: _, ...spot } = { ...instrument, kind: "spot", quote_currency: "USDC" }
    return withAnswers(
      {
        "public/get_instrument": () => ({ result: spot }),
        "private/buy": () => undefined,
        "private/get_order_state_by_label": ({ params }) => ({
          result: params["currency"] === "USDC" ? [order] : []
        })
      },
      ({ calls, orders }) =>
        Effect.gen(function*() {
          const reducing = yield* give(orders.place(request({ reduceOnly: true })))
          assert.deepStrictEqual(reducing.lines(), [
            "NotSent clientId=mine reason=reduce-only: BTC-PERPETUAL has no positions"
          ])
          assert.deepStrictEqual(named(calls, "private/buy"), [])
          const placed = yield* give(orders.place(request(), { deadline: "1 second" }))
          yield* pass("1 second")
          assert.deepStrictEqual(placed.lines().slice(1), ["Reconciled clientId=mine status=open filled=0"])
        })
    )
  })

  it.effect("a larger tick holds above its price, and an option's order is known by its state", () =>
    withAnswers(
      {
        "public/get_instrument": () => ({
          result: { ...instrument, tick_size_steps: [{ above_price: 30_000, tick_size: 50 }] }
        }),
        "private/buy": () => ({ result: { order: { ...order, order_state: "untriggered" }, trades: [] } })
      },
      ({ orders }) =>
        Effect.gen(function*() {
          const illegal = yield* give(orders.place(request({ price: decimal("40010") })))
          assert.include(illegal.lines()[0], "tick 50; the nearest legal: 40000 and 40050")
          const legal = yield* give(orders.place(request()))
          assert.deepStrictEqual(legal.lines(), ["Acknowledged clientId=mine status=open filled=0"])
        })
    ))

  it.effect("of several orders of ours under one client id the newest is reconciled", () =>
    withAnswers(
      {
        "private/buy": () => undefined,
        "private/get_order_state_by_label": () => ({
          result: [
            { ...order, order_id: "new", creation_timestamp: 3, filled_amount: 4 },
            { ...order, order_id: "old", creation_timestamp: 2 }
          ]
        })
      },
      ({ orders }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request(), { deadline: "1 second" }))
          yield* pass("1 second")
          assert.deepStrictEqual(placed.lines().slice(1), [
            "Reconciled clientId=mine status=partially-filled filled=4"
          ])
        })
    ))

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

  it.effect("a notice that cannot be read is a reason to ask", () =>
    withAnswers(
      {
        "private/get_order_state": () => ({
          result: { ...order, order_state: "cancelled", cancel_reason: "settlement" }
        }),
        "private/get_user_trades_by_order": () => ({ result: [] })
      },
      ({ orders, tell }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request(), { follow: true }))
          yield* tell({ orders: [{ ...order, order_id: "another" }], trades: [] })
          assert.strictEqual(placed.events.length, 1)
          yield* tell({ orders: [{ order_id: "BTC-1" }] })
          assert.deepStrictEqual(placed.lines().slice(1), [
            "OrderUpdate clientId=mine status=expired filled=0 remaining=10"
          ])
          assert.strictEqual(placed.ended(), "done")
        })
    ))

  it.effect("what is told of an order before its answer comes after its outcome", () => {
    const trade = {
      trade_id: "T-1",
      trade_seq: 1,
      instrument_name: "BTC-PERPETUAL",
      timestamp: 1,
      order_id: "BTC-1",
      direction: "sell",
      price: 40_000,
      amount: 10,
      fee: 0,
      fee_currency: "BTC"
    }
    const filled = { ...order, order_state: "filled", filled_amount: 10 }
    return withAnswers(
      {
        "private/buy": () => undefined,
        "private/get_order_state_by_label": () => ({ result: [order] })
      },
      ({ orders, tell }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request(), { follow: true, deadline: "1 second" }))
          yield* tell({ orders: [filled], trades: [trade] })
          assert.deepStrictEqual(placed.events, [])
          yield* pass("1 second")
          assert.deepStrictEqual(placed.lines(), [
            "OutcomeUnknown clientId=mine reason=no answer by the deadline",
            "Reconciled clientId=mine status=open filled=0",
            "Fill clientId=mine price=40000 amount=10",
            "OrderUpdate clientId=mine status=filled filled=10 remaining=0"
          ])
          assert.deepInclude(placed.events[2], { side: "buy" })
        })
    )
  })
})
