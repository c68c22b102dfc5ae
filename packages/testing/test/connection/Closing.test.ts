/**
 * How a connection ends by its owner's hand: a close that is cut short, a second
 * one, and what is said to who calls after the end.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Requests from "@tickline/core/connection/Requests"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as MarketFeeds from "@tickline/core/market/MarketFeeds"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { internals } from "../../../core/src/connection/internal/connectionInternals.ts"
import { connected, dialTimes, policyWith, settle, timeline, url, withVenue } from "../Rig.ts"

const slowClose = policyWith({ closeTimeout: Duration.seconds(2), forcedTimeout: Duration.millis(500) })

/** What an effect fails with, or `"hangs"` where it has not ended within an hour. */
const failureOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(
      Effect.match(effect, { onFailure: ({ _tag }) => _tag, onSuccess: () => "ends" })
    )
    yield* TestClock.adjust("1 hour")
    return fiber.pollUnsafe() === undefined ? "hangs" : yield* Fiber.join(fiber)
  })

describe("A close", () => {
  it.effect("by force cuts a graceful one short", () =>
    withVenue(slowClose, ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        yield* host.peers()[0]!.freeze
        const graceful = yield* Effect.forkChild(connection.close())
        yield* TestClock.adjust("300 millis")
        assert.strictEqual((yield* connection.state.current)._tag, "Closing")
        const forced = yield* Effect.forkChild(connection.close({ mode: "forced" }))
        yield* settle
        assert.deepStrictEqual(yield* Fiber.join(forced), { mode: "forced", clean: false })
        assert.deepStrictEqual(yield* Fiber.join(graceful), { mode: "forced", clean: false })
        assert.deepStrictEqual(timeline(recorded.transitions).slice(-2), ["0 Closing", "300 Disconnected"])
        // It dials anew all the same.
        yield* connection.connect
        assert.deepStrictEqual(dialTimes(host), [0, 300])
      })))

  it.effect("tells a second one the truth of the first, during it and after it", () =>
    withVenue(slowClose, ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        yield* host.setLatency(50)
        const first = yield* Effect.forkChild(connection.close())
        const second = yield* Effect.forkChild(connection.close())
        yield* TestClock.adjust("1 second")
        for (const close of [first, second]) {
          assert.deepStrictEqual(yield* Fiber.join(close), { mode: "graceful", clean: true })
        }
        assert.deepStrictEqual(yield* connection.close({ mode: "forced" }), { mode: "graceful", clean: true })

        yield* host.setLatency(0)
        yield* connection.connect
        yield* host.peers()[0]!.freeze
        const slow = yield* Effect.forkChild(connection.close())
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(yield* Fiber.join(slow), { mode: "graceful", clean: false })
        assert.deepStrictEqual(yield* connection.close(), { mode: "graceful", clean: false })

        yield* connection.connect
        yield* connection.close({ mode: "forced" })
        assert.deepStrictEqual(yield* connection.close(), { mode: "forced", clean: false })
      })))

  it.effect("ends a dial under way, and a second tells the same, whichever two they are", () =>
    withVenue(slowClose, ({ host }) =>
      Effect.gen(function*() {
        const modes = ["graceful", "forced"] as const
        for (const outcome of [{ _tag: "Hang" }, { _tag: "Accept", afterMillis: 500 }, { _tag: "Refuse" }] as const) {
          for (const [one, two] of modes.flatMap((first) => modes.map((second) => [first, second] as const))) {
            yield* host.otherwise(outcome)
            const connection = yield* Connection.make(url)
            const connecting = yield* Effect.forkChild(failureOf(connection.connect))
            yield* TestClock.adjust("50 millis")
            const first = yield* Effect.forkChild(connection.close({ mode: one }))
            const second = yield* Effect.forkChild(connection.close({ mode: two }))
            yield* TestClock.adjust("2 hours")
            assert.deepStrictEqual(yield* Fiber.join(second), yield* Fiber.join(first))
            assert.strictEqual(yield* Fiber.join(connecting), "ConnectionClosed")
          }
        }
      })))

  it.effect("of a connection that never was up is clean", () =>
    withVenue(slowClose, () =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        assert.deepStrictEqual(yield* connection.close({ mode: "forced" }), { mode: "forced", clean: true })
      })))
})

describe("After its scope", () => {
  it.effect("a connection refuses by a typed error, and hangs nowhere", () =>
    withVenue(slowClose, ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Effect.scoped(Connection.connect(url))
        assert.strictEqual(yield* failureOf(connection.connect), "ConnectionClosed")
        assert.strictEqual(yield* failureOf(connection.reconnect), "ConnectionClosed")
        assert.deepInclude(yield* Effect.flip(connection.send("now")), { _tag: "NotSent", reason: "Closed" })
        assert.deepInclude(yield* Effect.flip(connection.send("kept", { delivery: "keep" })), {
          _tag: "NotSent",
          reason: "Closed"
        })
        assert.strictEqual(yield* failureOf(connection.subscribe([{ channel: "trades" }])), "ConnectionClosed")
        assert.strictEqual(
          yield* failureOf(connection[internals].awaitRefusal({ channel: "trades" })),
          "ConnectionClosed"
        )
        for (
          const effect of [
            connection.unsubscribe([]),
            connection[internals].resubscribe([]),
            connection[internals].ping,
            connection.close()
          ]
        ) {
          assert.strictEqual(yield* failureOf(Effect.asVoid(effect)), "ends")
        }
        for (
          const stream of [
            connection.inbound(),
            connection.batches(),
            connection.messages(),
            connection.rejections,
            connection.state.transitions
          ]
        ) {
          assert.strictEqual(
            yield* failureOf(Stream.runDrain<unknown, { readonly _tag: string }, never>(stream)),
            "ends"
          )
        }
        assert.deepStrictEqual(yield* connection.close(), { mode: "graceful", clean: true })
        assert.strictEqual(host.dials.length, 1)
      })))

  it.effect("a connection that was never connected refuses too", () =>
    withVenue(slowClose, ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Effect.scoped(Connection.make(url))
        assert.strictEqual(yield* failureOf(connection.connect), "ConnectionClosed")
        assert.strictEqual(yield* failureOf(connection.send("kept", { delivery: "keep" })), "NotSent")
        assert.strictEqual(host.dials.length, 0)
      })))

  it.effect("a feed's streams end, and it takes no subscription", () =>
    withVenue(slowClose, () =>
      Effect.gen(function*() {
        const feed = yield* Effect.scoped(MarketFeed.make(CoinbaseExchange.venue, { url }))
        assert.strictEqual(yield* failureOf(Stream.runDrain(feed.events())), "ends")
        assert.strictEqual(yield* failureOf(Stream.runDrain(feed.trades("BTC-USD"))), "ConnectionClosed")
        assert.strictEqual(
          yield* failureOf(Effect.scoped(feed.subscribe([{ channel: "matches", product: "BTC-USD" }]))),
          "ConnectionClosed"
        )
        assert.strictEqual((yield* feed.health).state, "Disconnected")
      })))

  it.effect("feeds of several venues open none, and their events end", () =>
    withVenue(slowClose, ({ host }) =>
      Effect.gen(function*() {
        const feeds = yield* Effect.scoped(MarketFeeds.prepare())
        const entry = { venue: CoinbaseExchange.venue, url, products: ["BTC-USD"] }
        assert.strictEqual(yield* failureOf(feeds.set([entry])), "ConnectionClosed")
        assert.strictEqual(yield* failureOf(Stream.runDrain(feeds.events())), "ends")
        assert.deepStrictEqual(yield* feeds.all, [])
        assert.strictEqual(host.dials.length, 0)
      })))

  it.effect("requests are not sent, whether it was theirs or the connection's", () =>
    withVenue(slowClose, ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        const requests = yield* Effect.scoped(Requests.make(connection, () => undefined))
        assert.deepInclude(yield* Effect.flip(requests.request("1", "one")), { _tag: "NotSent", reason: "Closed" })
        assert.strictEqual(yield* failureOf(Stream.runDrain(requests.unmatched)), "ends")
        assert.deepStrictEqual(host.peers()[0]?.received, [])

        // Those of a connection that has ended before them.
        const late = yield* Requests.make(yield* Effect.scoped(Connection.connect(url)), () => undefined)
        assert.strictEqual(yield* failureOf(late.request("1", "one")), "NotSent")
        assert.strictEqual(yield* failureOf(Stream.runDrain(late.unmatched)), "ends")
      })))
})
