import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import type { Dialect } from "@tickline/core/protocol/Dialect"
import * as Channel from "@tickline/core/value/Channel"
import * as Generic from "@tickline/core/venue/generic/Venue"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { connected, dialTimes, policyWith, record, refusals, settle, timeline, url, withVenue } from "../Rig.ts"

const dialect: Dialect = {
  subscribe: (channels) => channels.map(({ channel }) => `subscribe ${channel}`),
  unsubscribe: (channels) => channels.map(({ channel }) => `unsubscribe ${channel}`)
}

describe("Epochs", () => {
  it.effect("what a dead socket still has under way is not delivered, on its epoch or the next", () =>
    withVenue(policyWith({}), ({ host, network }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        const first = yield* host.nextPeer
        yield* network.setLatency(50)
        yield* first.send("late")
        yield* TestClock.adjust(10)
        yield* first.drop
        yield* network.setLatency(0)
        yield* TestClock.adjust(100)
        yield* (yield* host.nextPeer).send("fresh")
        yield* settle
        assert.deepStrictEqual(
          recorded.items.flatMap((item) => item._tag === "Batch" ? [[item.epoch, ...item.messages]] : []),
          [[2, "fresh"]]
        )
        assert.isTrue(yield* connection.isConnected)
      })))

  it.effect("what is kept waits through a give-up for the connect that comes after it, in order", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        yield* host.otherwise({ _tag: "Refuse" })
        yield* host.drop
        yield* settle
        yield* connection.send("kept while down", { delivery: "keep" })
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* connection.state.current)._tag, "Failed")
        yield* connection.send("kept after the end", { delivery: "keep" })
        yield* host.otherwise({ _tag: "Accept" })
        yield* connection.connect
        yield* settle
        assert.deepStrictEqual(host.peers().map(({ received }) => received), [[
          "kept while down",
          "kept after the end"
        ]])
        const { outbox } = yield* connection.metrics
        assert.deepStrictEqual({ sent: outbox.sent, unsent: outbox.unsent }, { sent: 2, unsent: 0 })
      })))

  it.effect("what was kept for a connect that never came is accounted for when the connection is closed", () =>
    withVenue(policyWith({}), () =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        yield* connection.send("kept", { delivery: "keep" })
        yield* connection.close()
        const { outbox } = yield* connection.metrics
        assert.deepStrictEqual({ waiting: outbox.waiting, unsent: outbox.unsent }, { waiting: 0, unsent: 1 })
      })))

  it.effect("a sender that sends what is more urgent as soon as it is told is heard once, and disturbs nobody", () =>
    withVenue(policyWith({ heartbeat: "none" }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, {
          limits: [{ of: "messages", per: "connection", limit: 2, windowMillis: 1_000 }]
        })
        yield* connection.send("1")
        yield* connection.send("2")
        yield* Effect.forkChild(
          Effect.andThen(connection.send("3"), connection.send("cancel", { priority: "cancel" })),
          { startImmediately: true }
        )
        yield* Effect.forkChild(connection.send("4"), { startImmediately: true })
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(host.peers()[0]?.received, ["1", "2", "3", "cancel", "4"])
      })))

  it.effect("nothing is written on an epoch that it was not meant for", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        const first = yield* host.nextPeer
        // The peer reads nothing: one message fills the socket, the next ones wait their turn.
        yield* first.stopReading(true)
        yield* connection.send("x".repeat(1024 * 1024))
        const order = yield* Effect.forkChild(Effect.flip(connection.send("order")))
        yield* connection.send("kept", { delivery: "keep" })
        const withdrawn = yield* Effect.forkChild(connection.send("withdrawn"))
        yield* settle
        yield* Fiber.interrupt(withdrawn)
        yield* first.drop
        yield* settle
        const error = yield* Fiber.join(order)
        assert.strictEqual(error._tag === "NotSent" && error.reason, "EpochEnded")
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual((yield* host.nextPeer).received.map((frame) => frame.slice(0, 9)), ["kept"])
        const { outbox } = yield* connection.metrics
        assert.deepStrictEqual(
          { sent: outbox.sent, unsent: outbox.unsent, waiting: outbox.waiting, withdrawn: outbox.withdrawn },
          { sent: 2, unsent: 1, waiting: 0, withdrawn: 1 }
        )
      })))

  it.effect("a message for now waits for a full socket, and goes when there is room, in its turn", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        const peer = yield* host.nextPeer
        yield* peer.stopReading(true)
        const big = "x".repeat(1024 * 1024)
        yield* connection.send(big)
        const sending = yield* Effect.forkChild(Effect.all([connection.send("1"), connection.send("2")]))
        yield* settle
        assert.deepStrictEqual(peer.received, [])
        yield* peer.stopReading(false)
        yield* settle
        assert.deepStrictEqual(yield* Fiber.join(sending), [{ _tag: "Sent", epoch: 1 }, { _tag: "Sent", epoch: 1 }])
        assert.deepStrictEqual(peer.received.map((frame) => frame === big ? "big" : frame), ["big", "1", "2"])
      })))

  it.effect("a send on a connection that was never up, is failed or is closed is a typed NotSent (B16)", () =>
    withVenue(policyWith({ retry: { maxRetries: 0, resetOn: "connect" } }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        const told = Effect.map(Effect.flip(connection.send("x")), (error) => error._tag === "NotSent" && error.reason)
        assert.strictEqual(yield* told, "NotConnected")
        yield* host.otherwise({ _tag: "Refuse" })
        yield* Effect.flip(connection.connect)
        assert.strictEqual(yield* told, "NotConnected")
        yield* host.otherwise({ _tag: "Accept" })
        yield* connection.connect
        assert.deepStrictEqual(yield* connection.send("x"), { _tag: "Sent", epoch: 1 })
        yield* connection.close()
        assert.strictEqual(yield* told, "NotConnected")
      })))

  it.effect("a close drops what was kept, and says how many", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        yield* host.otherwise({ _tag: "Refuse" })
        yield* host.drop
        yield* settle
        yield* connection.send("kept", { delivery: "keep" })
        yield* connection.close()
        const { outbox } = yield* connection.metrics
        assert.deepStrictEqual({ unsent: outbox.unsent, waiting: outbox.waiting }, { unsent: 1, waiting: 0 })
        // A new session does not begin with the messages of the one that was closed.
        yield* host.otherwise({ _tag: "Accept" })
        yield* connection.connect
        yield* settle
        assert.deepStrictEqual(host.peers().flatMap(({ received }) => received), [])
      })))

  it.effect("a restore that fails is a failed reconnect, and is retried with everything (B20)", () =>
    withVenue(
      policyWith({ retry: { maxRetries: "unlimited", resetOn: "connect" } }),
      ({ host }) =>
        Effect.gen(function*() {
          const connection = yield* Connection.make(url, {
            dialect: {
              ...dialect,
              // The second epoch is cut while it is being asked for the second channel.
              subscribe: (channels) => {
                const cuts = host.dials.length === 2
                return channels.map(({ channel }, i) => {
                  if (cuts && i === 1) Effect.runSync(host.drop)
                  return `subscribe ${channel}`
                })
              }
            }
          })
          const recorded = yield* record(connection)
          yield* connection.subscribe([Channel.make("a"), Channel.make("b")])
          yield* connection.connect
          yield* host.drop
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(timeline(recorded.transitions), [
            "0 Connecting 1",
            "0 Connected 1",
            "0 Reconnecting 1 in 100",
            "100 Connecting 1",
            "100 Reconnecting 2 in 200",
            "300 Connecting 2",
            "300 Connected 3"
          ])
          assert.deepStrictEqual(host.peers()[0]!.received, ["subscribe a", "subscribe b"])
          assert.strictEqual((yield* connection.metrics).failures.RestoreFailed, 1)
        })
    ))

  it.effect("what is wanted is what was asked for, not what ticks (B19)", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url, { dialect })
        yield* connection.connect
        yield* connection.subscribe([Channel.make("a"), Channel.make("b")])
        // Asked for twice, it is sent once.
        yield* connection.subscribe([Channel.make("a")])
        yield* connection.unsubscribe([Channel.make("b")])
        yield* (yield* host.nextPeer).send(`{"channel":"b"}`)
        yield* host.drop
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual((yield* host.nextPeer).received, ["subscribe a"])
      })))

  it.effect("what a venue says of a subscription reaches its user, on every epoch (B14)", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const feed = yield* MarketFeed.make(Generic.venue, { url, channels: [Channel.make("price", "BTC-USD")] })
        const told: Array<string> = []
        yield* Effect.forkScoped(Stream.runForEach(feed.events(), (event) => Effect.sync(() => told.push(event._tag))))
        for (const epoch of [1, 2]) {
          const peer = yield* host.nextPeer
          assert.deepStrictEqual(peer.received, [`{"type":"subscribe","product_ids":["BTC-USD"]}`])
          yield* peer.send(`{"type":"subscribed","product_ids":["BTC-USD"]}`)
          yield* settle
          assert.strictEqual(told.filter((tag) => tag === "Subscribed").length, epoch)
          if (epoch === 1) yield* host.drop
          yield* TestClock.adjust(100)
        }
      })))

  it.effect("one drop is one dial, whoever else asks for one (B3)", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        for (let n = 1; n <= 20; n++) {
          yield* host.drop
          const caller = yield* Effect.forkChild(connection.reconnect)
          yield* TestClock.adjust(100)
          yield* Fiber.join(caller)
          assert.strictEqual(host.dials.length, 1 + n)
          assert.strictEqual(host.peers().length, 1)
        }
      })))

  it.effect("an attempt that was given up cannot touch a later one (B2)", () =>
    withVenue(
      policyWith({ connectTimeout: Duration.millis(500), retry: { maxRetries: "unlimited", resetOn: "connect" } }),
      ({ host }) =>
        Effect.gen(function*() {
          const { connection } = yield* connected()
          // The first retry hangs until 600; given up by hand at 400, its timeout must not end what came after.
          yield* host.script({ _tag: "Hang" })
          yield* host.drop
          yield* TestClock.adjust(400)
          yield* connection.close({ mode: "forced" })
          yield* connection.connect
          yield* TestClock.adjust("10 seconds")
          assert.deepStrictEqual(dialTimes(host), [0, 100, 400])
          assert.isTrue(yield* connection.isConnected)
        })
    ))

  it.effect("the caller of connect is told by a typed error, and lives (B5); a stop is told before it happens (B15)", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        yield* host.script(...refusals(1))
        yield* host.otherwise({ _tag: "Reject", status: 401 })
        yield* host.drop
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(timeline(recorded.transitions).at(-1), "300 Failed AuthError")
        const again = yield* Effect.result(connection.connect)
        assert.strictEqual(again._tag === "Failure" && again.failure._tag, "AuthError")
      })))
})
