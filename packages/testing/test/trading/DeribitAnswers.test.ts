/** Order entry at a Deribit that answers as the mock does not: what the venue may say, and seldom does. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { instrument, named, order, withAnswers } from "./Answers.ts"
import { decimal, give, market, pass, request } from "./Desk.ts"

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

describe("Order entry at Deribit, whatever it answers", () => {
  it.effect("an answer that names another order under our client id is a rejection", () =>
    Effect.forEach(
      [{ amount: 20 }, { amount: 4, reduce_only: true }, { price: 40_000.5 }, { direction: "sell" }, {
        instrument_name: "ETH-PERPETUAL"
      }],
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

  it.effect("an answer that leaves out what it need not say names no other order", () =>
    Effect.forEach(
      ["answered", "lost"],
      (how) => {
        const { amount: _, ...said } = order
        return withAnswers(
          {
            "private/buy": () => how === "lost" ? undefined : ({ result: { order: said, trades: [] } }),
            "private/get_order_state_by_label": () => ({ result: [said] })
          },
          ({ orders }) =>
            Effect.gen(function*() {
              const placed = yield* give(orders.place(request(), { deadline: "1 second" }))
              yield* pass("2 seconds")
              const tag = how === "lost" ? "Reconciled" : "Acknowledged"
              assert.strictEqual(placed.lines().at(-1), `${tag} clientId=mine status=open filled=0`)
            })
        )
      }
    ))

  it.effect("of a reduce-only order the venue takes what there is to reduce", () =>
    Effect.forEach(
      ["answered", "lost"],
      (how) => {
        const filled = { ...order, order_state: "filled", reduce_only: true, amount: 4, filled_amount: 4 }
        return withAnswers(
          {
            "private/buy": () => how === "lost" ? undefined : ({ result: { order: filled, trades: [] } }),
            "private/get_order_state_by_label": () => ({ result: [filled] }),
            "private/get_order_state": () => ({ result: filled }),
            "private/get_user_trades_by_order": () => ({ result: [{ ...trade, amount: 4 }] })
          },
          ({ orders }) =>
            Effect.gen(function*() {
              const reducing = request({ reduceOnly: true })
              const placed = yield* give(orders.place(reducing, { deadline: "1 second", follow: true }))
              yield* pass("3 seconds")
              const tag = how === "lost" ? "Reconciled" : "Acknowledged"
              assert.deepStrictEqual(placed.lines().slice(-2), [
                `${tag} clientId=mine status=filled filled=4`,
                "Fill clientId=mine price=40000 amount=4"
              ])
              assert.strictEqual(placed.ended(), "done")
            })
        )
      }
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
      ({ calls, orders }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request(), { deadline: "1 second" }))
          yield* pass("1 second")
          assert.deepStrictEqual(placed.lines().slice(1), [
            "Reconciled clientId=mine status=partially-filled filled=4"
          ])
          const asked = named(calls, "private/get_order_state_by_label").map(({ params }) => params)
          assert.deepStrictEqual(asked, [{ currency: "BTC", label: "mine" }])
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
    const filled = { ...order, order_state: "filled", filled_amount: 10 }
    return withAnswers(
      {
        "private/buy": () => undefined,
        "private/get_order_state_by_label": () => ({ result: [order] })
      },
      ({ calls, orders, tell }) =>
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
          assert.notProperty(placed.events[2], "liquidity")
          // All of it was told.
          assert.deepStrictEqual(named(calls, "private/get_user_trades_by_order"), [])
        })
    )
  })

  it.effect("an order is followed until its key is refused", () =>
    withAnswers(
      {
        "public/auth": (_, count) =>
          count === 1 ? { result: { access_token: "a", refresh_token: "r", expires_in: 900, scope: "" } } : 13_004
      },
      ({ drop, orders }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request(), { follow: true }))
          yield* drop
          yield* pass("5 seconds")
          assert.deepStrictEqual(placed.lines(), ["Acknowledged clientId=mine status=open filled=0"])
          assert.strictEqual(placed.ended(), "AuthError")
        })
    ))

  it.effect("asks for an order of which nothing is told, however much is told of others", () =>
    withAnswers(
      {
        "private/get_order_state": () => ({ result: order }),
        "private/get_user_trades_by_order": () => ({ result: [] })
      },
      ({ calls, orders, tell }) =>
        Effect.gen(function*() {
          yield* give(orders.place(request(), { follow: true }))
          for (let n = 0; n < 5; n++) {
            yield* pass("2 seconds")
            yield* tell({ orders: [{ ...order, order_id: "another" }], trades: [] })
          }
          assert.strictEqual(named(calls, "private/get_order_state").length, 1)
        })
    ))

  it.effect("is asked for in the venue's words", () =>
    withAnswers({}, ({ calls, orders }) =>
      Effect.gen(function*() {
        const sent = function*(terms: Parameters<typeof request>[0]) {
          yield* give(orders.place(request(terms)))
          const { label: _, valid_until: __, ...rest } = { ...calls.at(-1)?.params }
          return rest
        }
        const common = { instrument_name: "BTC-PERPETUAL", amount: 10, price: 40_000, type: "limit" }
        assert.deepStrictEqual(yield* sent({ reduceOnly: true, timeInForce: "ioc" }), {
          ...common,
          reduce_only: true,
          time_in_force: "immediate_or_cancel"
        })
        assert.deepStrictEqual(yield* sent({ timeInForce: "fok" }), { ...common, time_in_force: "fill_or_kill" })
        assert.deepStrictEqual(yield* sent({ timeInForce: "post-only" }), {
          ...common,
          time_in_force: "good_til_cancelled",
          post_only: true,
          reject_post_only: true
        })
        yield* give(orders.place(market()))
        const { price, type } = { price: undefined, ...calls.at(-1)?.params, type: calls.at(-1)?.params["type"] }
        assert.deepStrictEqual([price, type], [undefined, "market"])
      })))

  it.effect("executions that come with the answer are said at once, in the venue's order", () => {
    const filled = { ...order, order_state: "filled", filled_amount: 10 }
    const [first, second] = [{ ...trade, amount: 4 }, { ...trade, trade_id: "T-2", trade_seq: 2, amount: 6 }]
    return withAnswers(
      { "private/buy": () => ({ result: { order: filled, trades: [second, first] } }) },
      ({ calls, orders }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request(), { follow: true }))
          assert.deepStrictEqual(placed.lines(), [
            "Acknowledged clientId=mine status=filled filled=10",
            "Fill clientId=mine price=40000 amount=4",
            "Fill clientId=mine price=40000 amount=6"
          ])
          assert.strictEqual(placed.ended(), "done")
          assert.deepStrictEqual(named(calls, "private/get_user_trades_by_order"), [])
        })
    )
  })

  it.effect("what is asked is asked again on the next connection", () =>
    withAnswers(
      { "public/get_instrument": (_, count) => count === 1 ? undefined : { result: instrument } },
      ({ calls, drop, orders }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request()))
          assert.deepStrictEqual(placed.events, [])
          yield* drop
          yield* pass("1 second")
          assert.deepStrictEqual(placed.lines(), ["Acknowledged clientId=mine status=open filled=0"])
          assert.strictEqual(named(calls, "private/buy").length, 1)
        })
    ))

  it.effect("an order without a label has no client id, and one that nobody knows is absent", () =>
    withAnswers(
      { "private/get_open_orders": () => ({ result: [{ ...order, label: "" }] }) },
      ({ orders }) =>
        Effect.gen(function*() {
          const listed = yield* give(orders.open())
          assert.notProperty(listed.events[0], "clientId")
          // The history is refused to whoever asks for it here.
          assert.deepStrictEqual((yield* give(orders.status({ clientId: "x" }))).lines(), [
            "OrderUpdate clientId=x status=absent"
          ])
        })
    ))

  it.effect("what contradicts what is known of an order changes nothing", () =>
    withAnswers(
      {
        "private/get_order_state": () => ({ result: order }),
        "private/get_user_trades_by_order": () => ({ result: [] })
      },
      ({ orders, tell }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request(), { follow: true }))
          yield* tell({ orders: [{ ...order, filled_amount: 20 }], trades: [] })
          yield* tell({ orders: [{ ...order, order_state: "rejected" }], trades: [] })
          assert.strictEqual(placed.events.length, 1)
          yield* tell({ orders: [{ ...order, order_state: "cancelled" }], trades: [] })
          assert.deepStrictEqual(placed.lines().slice(1), [
            "OrderUpdate clientId=mine status=cancelled filled=0 remaining=10"
          ])
          assert.strictEqual(placed.ended(), "done")
        })
    ))

  it.effect("what an order can do without may be left out", () => {
    const without = (of: object, ...names: ReadonlyArray<string>) =>
      Object.fromEntries(Object.entries(of).filter(([name]) => !names.includes(name)))
    const bareInstrument = without(instrument, "contract_size", "creation_timestamp", "is_active")
    const bare = without(
      order,
      "creation_timestamp",
      "last_update_timestamp",
      "order_type",
      "time_in_force",
      "post_only",
      "api"
    )
    const bareTrade = without(trade, "trade_seq")
    return withAnswers(
      {
        "public/get_instrument": () => ({ result: bareInstrument }),
        "private/buy": () => ({
          result: { order: { ...bare, order_state: "filled", filled_amount: 10 }, trades: [bareTrade] }
        })
      },
      ({ orders }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request(), { follow: true }))
          assert.deepStrictEqual(placed.lines(), [
            "Acknowledged clientId=mine status=filled filled=10",
            "Fill clientId=mine price=40000 amount=10"
          ])
        })
    )
  })

  it.effect("an order is absent by our own clock where the venue tells no time", () =>
    withAnswers(
      { "public/get_time": () => -32_601, "private/buy": () => undefined },
      ({ orders }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request(), { deadline: "1 second" }))
          yield* pass("1050 millis")
          assert.strictEqual(placed.events.length, 1)
          yield* pass("1 second")
          assert.deepStrictEqual(placed.lines().slice(1), ["Reconciled clientId=mine status=absent"])
        })
    ))
})
