import { assert, describe, it } from "@effect/vitest"
import type { Fill } from "@tickline/core/trading/OrderEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { decimal, give, type Given, pass } from "./Desk.ts"
import { address, cloid, market, mine, request, theirs, withDesk } from "./HyperliquidDesk.ts"

const fillsOf = ({ events }: Given): ReadonlyArray<string> =>
  events.flatMap((event) => event._tag === "Fill" ? [Decimal.format(event.amount)] : [])

const tagsOf = ({ events }: Given): ReadonlyArray<string> =>
  events.map((event) => "status" in event ? `${event._tag} ${event.status}` : event._tag)

describe("Following an order at Hyperliquid", () => {
  it.effect("says each execution once and in order, over a drop", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { calls, exchange, orders, served } = desk
        const other = yield* theirs(desk)
        const sell = (amount: string) =>
          give(other.orders.place(request({ side: "sell", price: decimal(other.between), amount: decimal(amount) })))
        const terms = request({ price: decimal(other.between), amount: decimal("0.1") })
        const followed = yield* give(orders.place(terms, { follow: true }))
        yield* sell("0.01")
        yield* sell("0.02")
        assert.deepStrictEqual(fillsOf(followed), ["0.01", "0.02"])
        // What is traded without a connection is fetched when there is one again.
        for (const peer of served.host.peers()) yield* peer.drop
        yield* sell("0.03")
        assert.deepStrictEqual(fillsOf(followed), ["0.01", "0.02"])
        yield* pass("1 second")
        assert.deepStrictEqual(fillsOf(followed), ["0.01", "0.02", "0.03"])
        yield* sell("0.04")
        assert.deepStrictEqual(fillsOf(followed), ["0.01", "0.02", "0.03", "0.04"])
        assert.strictEqual(followed.ended(), "done")
        assert.match(
          followed.lines().at(-1) ?? "",
          /^OrderUpdate clientId=0xa+ status=filled filled=0.10? remaining=0.0/
        )
        const ids = followed.events.flatMap((event) => event._tag === "Fill" ? [event.tradeId] : [])
        assert.strictEqual(new Set(ids).size, 4)
        assert.strictEqual(calls("order"), 5)
        assert.strictEqual(exchange.orders(address).length, 1)
      })
    ))

  it.effect("asks where nothing is told", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { exchange, orders } = desk
        const other = yield* theirs(desk)
        yield* give(orders.place(market({ clientId: cloid("b"), amount: decimal("0.002") })))
        const followed = yield* give(
          orders.place(request({ price: decimal(other.between) }), { follow: true })
        )
        exchange.silence(true)
        yield* give(other.orders.place(request({ side: "sell", price: decimal(other.between) })))
        assert.deepStrictEqual(fillsOf(followed), [])
        yield* pass("8 seconds")
        assert.deepStrictEqual(fillsOf(followed), ["0.01"])
        assert.strictEqual(followed.ended(), "done")
      })
    ))

  it.effect("subscribes once to each channel", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { orders, served } = desk
        yield* orders.connect
        yield* pass("1 second")
        const frames: Array<string> = []
        for (const peer of served.host.peers()) peer.onMessage((frame) => void frames.push(String(frame)))
        yield* give(orders.place(request(), { follow: true }))
        yield* pass("3 minutes")
        assert.strictEqual(served.host.dials.length, 1)
        assert.deepStrictEqual(frames.filter((frame) => frame.includes("subscri")), [
          `{"method":"subscribe","subscription":{"type":"orderUpdates","user":"${address}"}}`,
          `{"method":"subscribe","subscription":{"type":"userFills","user":"${address}"}}`
        ])
      })
    ))

  it.effect("asks also where there is no socket at all", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { orders, served } = desk
        yield* served.host.otherwise({ _tag: "Refuse" })
        const followed = yield* give(orders.place(market({ amount: decimal("0.02") }), { follow: true }))
        yield* pass("1 second")
        assert.deepStrictEqual(tagsOf(followed), ["Acknowledged filled", "Fill"])
        assert.strictEqual(followed.ended(), "done")
      })
    ))

  it.effect("knows what is told before the answer, and what the answer does not tell", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { exchange, orders } = desk
        exchange.fault({ _tag: "Delay", call: "order", millis: 1_000 })
        const followed = yield* give(orders.place(market(), { follow: true }))
        assert.deepStrictEqual(followed.lines(), [])
        yield* pass("2 seconds")
        assert.deepStrictEqual(tagsOf(followed), ["Acknowledged filled", "Fill"])
        assert.deepStrictEqual(fillsOf(followed), ["0.01"])
        assert.strictEqual(followed.ended(), "done")
      })
    ))

  it.effect("goes on with what an amendment puts in the order's place, whoever amends", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { orders } = desk
        const other = yield* theirs(desk)
        const sell = (amount: string) =>
          give(other.orders.place(request({ side: "sell", price: decimal(other.between), amount: decimal(amount) })))
        const terms = request({ price: decimal(other.between), amount: decimal("0.05") })
        const followed = yield* give(orders.place(terms, { follow: true }))
        yield* sell("0.02")
        const elsewhere = yield* desk.again()
        const amended = yield* give(elsewhere.amend({ clientId: mine }, { amount: decimal("0.06") }))
        assert.match(amended.lines().join(), /^Acknowledged clientId=0xa+ status=partially-filled filled=0.02$/)
        yield* pass("1 second")
        assert.strictEqual(followed.ended(), undefined)
        yield* sell("0.04")
        yield* pass("1 second")
        assert.deepStrictEqual(fillsOf(followed), ["0.02", "0.04"])
        assert.strictEqual(followed.ended(), "done")
        assert.match(followed.lines().at(-1) ?? "", /status=filled filled=0.06 remaining=0.00$/)
      })
    ))

  it.effect("ends when the order is cancelled", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { orders } = desk
        const followed = yield* give(orders.place(request(), { follow: true }))
        yield* give(orders.cancel({ clientId: mine }))
        yield* pass("1 second")
        assert.deepStrictEqual(tagsOf(followed), ["Acknowledged open", "OrderUpdate cancelled"])
        assert.strictEqual(followed.ended(), "done")
      })
    ))

  it.effect("all executions of the account, those of a time without a connection included", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { orders, served } = desk
        const told: Array<Fill> = []
        yield* Effect.forkScoped(
          Effect.ignore(Stream.runForEach(orders.fills(), (fill) => Effect.sync(() => void told.push(fill)))),
          { startImmediately: true }
        )
        yield* pass("1 second")
        yield* give(orders.place(market()))
        assert.deepStrictEqual(told.map(({ clientId }) => clientId), [mine])
        for (const peer of served.host.peers()) yield* peer.drop
        yield* served.host.script({ _tag: "Refuse" }, { _tag: "Refuse" })
        yield* give(orders.place(market({ clientId: cloid("b"), product: "SOL", amount: decimal("1") })))
        yield* pass("20 seconds")
        assert.deepStrictEqual(told.map(({ clientId }) => clientId), [mine, cloid("b")])
      })
    ))
})
