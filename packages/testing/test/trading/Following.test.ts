/** An order at Deribit that is followed: each execution once, in the venue's order, until it is over. */
import { assert, describe, it } from "@effect/vitest"
import type { OrderEvent } from "@tickline/core/trading/OrderEvent"
import * as Effect from "effect/Effect"
import { signedIn } from "../exchange/Trader.ts"
import { decimal, give, market, other, pass, request, talk, withDesk } from "./Desk.ts"

const acknowledged = "Acknowledged clientId=mine status=open filled=0"

const fill = (price: string, amount: string) => `Fill clientId=mine price=${price} amount=${amount}`

const update = (status: string, filled: string, remaining: string) =>
  `OrderUpdate clientId=mine status=${status} filled=${filled} remaining=${remaining}`

const tradeIds = (events: ReadonlyArray<OrderEvent>) =>
  events.flatMap((event) => event._tag === "Fill" ? [event.tradeId] : [])

describe("An order at Deribit that is followed", () => {
  it.effect("says each execution and each move, until it is filled", () =>
    withDesk(({ orders }) =>
      Effect.gen(function*() {
        const { between, sell } = yield* other
        const placed = yield* give(orders.place(request({ price: decimal(between) }), { follow: true }))
        assert.deepStrictEqual(placed.lines(), [acknowledged])
        for (const amount of ["4", "1", "5"]) yield* sell(amount, between)
        assert.deepStrictEqual(placed.lines().slice(1), [
          fill(between, "4"),
          update("partially-filled", "4", "6"),
          fill(between, "1"),
          update("partially-filled", "5", "5"),
          fill(between, "5"),
          update("filled", "10", "0")
        ])
        assert.strictEqual(placed.ended(), "done")
        const [, first] = placed.events
        assert.deepInclude(first, { product: "BTC-PERPETUAL", side: "buy", feeAsset: "BTC", liquidity: "maker" })
        assert.isDefined(first?._tag === "Fill" ? first.timestamp : undefined)
      })
    ))

  it.effect("says those that come with the answer, once", () =>
    withDesk(({ orders }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(market({ amount: decimal("5") }), { follow: true }))
        assert.strictEqual(placed.lines()[0], "Acknowledged clientId=mine status=filled filled=5")
        assert.strictEqual(placed.ended(), "done")
        const ids = tradeIds(placed.events)
        assert.isAbove(ids.length, 0)
        assert.deepStrictEqual(ids, [...new Set(ids)])
        assert.strictEqual(placed.events.length, 1 + ids.length)
        assert.deepInclude(placed.events[1], { liquidity: "taker" })
        const [shown] = (yield* give(orders.status({ clientId: "mine" }))).events
        assert.isDefined(shown?._tag === "OrderUpdate" ? shown.averagePrice : undefined)
      })
    ))

  it.effect("says those of a time without a connection, in the venue's order, and none twice", () =>
    withDesk(({ orders, served }) =>
      Effect.gen(function*() {
        const first = yield* other
        const placed = yield* give(orders.place(request({ price: decimal(first.between) }), { follow: true }))
        yield* first.sell("1", first.between)
        yield* served.host.drop
        const second = yield* other
        yield* second.sell("2", first.between)
        yield* second.sell("3", first.between)
        assert.deepStrictEqual(tradeIds(placed.events).length, 1)
        yield* pass("1 second")
        assert.deepStrictEqual(tradeIds(placed.events).length, 3)
        const third = yield* other
        yield* third.sell("4", first.between)
        assert.deepStrictEqual(placed.lines().filter((line) => line.startsWith("Fill")), [
          fill(first.between, "1"),
          fill(first.between, "2"),
          fill(first.between, "3"),
          fill(first.between, "4")
        ])
        assert.strictEqual(placed.lines().at(-1), update("filled", "10", "0"))
        assert.strictEqual(placed.ended(), "done")
      })
    ))

  it.effect("goes on after an order whose answer was lost", () =>
    withDesk(({ exchange, methods, orders }) =>
      Effect.gen(function*() {
        const { between, sell } = yield* other
        exchange.fault({ _tag: "Cut", method: "private/buy" })
        const placed = yield* give(orders.place(request({ price: decimal(between) }), { follow: true }))
        yield* sell("3", between)
        yield* pass("1 second")
        yield* sell("7", between)
        assert.deepStrictEqual(placed.lines(), [
          "OutcomeUnknown clientId=mine reason=the connection ended before the answer came",
          "Reconciled clientId=mine status=partially-filled filled=3",
          fill(between, "3"),
          fill(between, "7"),
          update("filled", "10", "0")
        ])
        assert.strictEqual(placed.ended(), "done")
        assert.strictEqual(methods("private/buy"), 1)
      })
    ))

  it.effect("asks where nothing is told, at least every ten seconds", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const { between, sell } = yield* other
        const placed = yield* give(orders.place(request({ price: decimal(between) }), { follow: true }))
        exchange.fault({ _tag: "Withhold", method: "subscription", calls: 1_000 })
        yield* sell("4", between)
        yield* pass("10 seconds")
        assert.deepStrictEqual(placed.lines().slice(1), [fill(between, "4"), update("partially-filled", "4", "6")])
        yield* sell("6", between)
        yield* pass("10 seconds")
        assert.strictEqual(placed.ended(), "done")
        assert.strictEqual(tradeIds(placed.events).length, 2)
      })
    ))

  it.effect("asks for what was not told before what is", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const { between, sell } = yield* other
        const placed = yield* give(orders.place(request({ price: decimal(between) }), { follow: true }))
        exchange.fault({ _tag: "Withhold", method: "subscription" })
        yield* sell("4", between)
        yield* sell("6", between)
        assert.deepStrictEqual(placed.lines().slice(1), [
          fill(between, "4"),
          fill(between, "6"),
          update("filled", "10", "0")
        ])
      })
    ))

  it.effect("ends with an order that somebody cancels, and is no reason to cancel one", () =>
    withDesk(({ exchange, orders, served }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(request(), { follow: true }))
        yield* served.host.drop
        yield* pass("1 second")
        assert.strictEqual(exchange.orders("mine")[0]?.state, "open")
        const trader = yield* signedIn()
        yield* trader.call("private/cancel_by_label", { label: "mine" })
        yield* talk
        assert.deepStrictEqual(placed.lines().slice(1), [update("cancelled", "0", "10")])
        assert.strictEqual(placed.ended(), "done")
      })
    ))
})
