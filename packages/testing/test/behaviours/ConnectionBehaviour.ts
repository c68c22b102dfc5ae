/**
 * What a connection does, as one suite over any transport: the virtual network,
 * where each time is exact, and real sockets, where order and outcome count and
 * nothing may be early.
 */
import { assert } from "@effect/vitest"
import * as BearerToken from "@tickline/core/connection/BearerToken"
import * as Connection from "@tickline/core/connection/Connection"
import type { Reconnection } from "@tickline/core/connection/Reconnection"
import type { Dialect } from "@tickline/core/protocol/Dialect"
import type { CircuitBreaker } from "@tickline/core/resilience/CircuitBreaker"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import type * as Frame from "@tickline/core/transport/Frame"
import type { Capabilities, Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { backoffOf, policyWith, record } from "../Rig.ts"

/** The server's end of one connection. */
export interface Peer {
  readonly send: (...frames: ReadonlyArray<Frame.Frame>) => Effect.Effect<void>
  readonly received: ReadonlyArray<Frame.Frame>
  readonly close: (code: number, reason: string) => Effect.Effect<void>
  /** Cuts the connection, as a TCP reset does. */
  readonly drop: Effect.Effect<void>
  /** Half-open: reads nothing and answers nothing any more. */
  readonly freeze: Effect.Effect<void>
  /** The code of the client's close frame, 1006 where it sent none; `undefined` while it is open. */
  readonly closedWith: () => number | undefined
}

/** An upgrade request as the server saw it. */
export interface Upgrade {
  readonly url: string
  readonly header: (name: string) => string | undefined
}

/** What meets the next upgrade requests, until told otherwise. */
export type Mood =
  | { readonly _tag: "Accept" }
  | { readonly _tag: "Refuse" }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "Reject"; readonly status: number; readonly retryAfterMillis?: number | undefined }

/** A server on one transport or the other. */
export interface Harness {
  readonly url: string
  readonly mood: (mood: Mood | ((upgrade: Upgrade) => Mood)) => Effect.Effect<void>
  /** The upgrade requests that reached the server; a refused dial does not. */
  readonly upgrades: ReadonlyArray<Upgrade>
  /** The connections so far, oldest first. */
  readonly peers: ReadonlyArray<Peer>
  /** Lets time pass until the condition holds. */
  readonly until: (condition: () => boolean) => Effect.Effect<void>
  /** Lets so much time pass. */
  readonly wait: (millis: number) => Effect.Effect<void>
  /** The code that the peer sees where the client closes with this one; the same unless said. */
  readonly seenAs?: ((code: number) => number) | undefined
  /** A time is what it should be: exactly under a virtual clock, not early under a real one. */
  readonly took: (millis: number, expected: number) => void
}

/** What a behaviour may use, given by the ground that it runs on. */
export type Needs = Scope.Scope | Transport | Reconnection | CircuitBreaker

export type Behaviour = (harness: Harness) => Effect.Effect<void, unknown, Needs>

const retrying: ConnectionPolicy.ConnectionPolicy["retry"] = { maxRetries: "unlimited", resetOn: "connect" }

const quick = (change: Partial<ConnectionPolicy.ConnectionPolicy> = {}) =>
  policyWith({
    backoff: backoffOf(20, 2, 80),
    retry: retrying,
    connectTimeout: Duration.millis(150),
    closeTimeout: Duration.millis(100),
    ...change
  })

const dialect: Dialect = {
  subscribe: (channels) => channels.map(({ channel }) => `subscribe ${channel}`),
  unsubscribe: (channels) => channels.map(({ channel }) => `unsubscribe ${channel}`)
}

// However the behaviour ends, the connection ends at once, also on a clock that stands still.
const made = Effect.fnUntraced(function*(url: string, options?: Connection.Options<Frame.Frame>) {
  const connection = yield* Connection.make(url, options)
  yield* Effect.addFinalizer(() => connection.close({ mode: "forced" }))
  return { connection, recorded: yield* record(connection) }
})

const opened = Effect.fnUntraced(function*(harness: Harness, options?: Connection.Options<Frame.Frame>) {
  const { connection, recorded } = yield* made(harness.url, options)
  yield* awaited(harness, connection.connect)
  yield* harness.until(() => harness.peers.length === 1)
  return { connection, recorded, peer: harness.peers[0]! }
})

// Runs an effect to its end while the harness lets time pass.
const awaited = Effect.fnUntraced(function*<A, E>(harness: Harness, effect: Effect.Effect<A, E>) {
  const fiber = yield* Effect.forkChild(effect)
  yield* harness.until(() => fiber.pollUnsafe() !== undefined)
  return yield* Fiber.join(fiber)
})

/** Each behaviour with the policy that it runs under, and what it needs of a transport where not all can do it. */
export const behaviours: ReadonlyArray<{
  readonly name: string
  readonly needs?: keyof Capabilities
  readonly policy: ConnectionPolicy.ConnectionPolicy
  readonly run: Behaviour
}> = [
  {
    name: "connects, carries text and bytes both ways in order, and closes with a close frame",
    policy: quick(),
    run: (harness) =>
      Effect.gen(function*() {
        const { connection, peer, recorded } = yield* opened(harness)
        const frames = ["one", new Uint8Array([1, 2, 255]), "zwei €", "x".repeat(1024 * 1024), "last"]
        yield* peer.send(...frames)
        yield* harness.until(() => recorded.messages.length >= frames.length)
        assert.deepStrictEqual(
          recorded.messages.map((frame) => typeof frame === "string" ? frame : [...frame]),
          frames.map((frame) => typeof frame === "string" ? frame : [...frame])
        )
        for (const frame of ["a", "b", "c"]) yield* connection.send(frame)
        yield* harness.until(() => peer.received.length >= 3)
        assert.deepStrictEqual(peer.received, ["a", "b", "c"])
        assert.deepStrictEqual(yield* awaited(harness, connection.close()), { mode: "graceful", clean: true })
        yield* harness.until(() => peer.closedWith() !== undefined)
        assert.strictEqual(peer.closedWith(), 1000)
        assert.deepStrictEqual(recorded.transitions.map(({ to }) => to._tag), [
          "Connecting",
          "Connected",
          "Closing",
          "Disconnected"
        ])
      })
  },
  {
    name: "shows the same query, headers and token on every upgrade",
    needs: "headers",
    policy: quick(),
    run: (harness) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* made(`${harness.url}/feed?stream=btc&token=t0`, {
          headers: { "X-Client": "tickline", "X-Secret": Redacted.make("s3cret") },
          auth: yield* BearerToken.make(Redacted.make("abc"))
        })
        yield* awaited(harness, connection.connect)
        yield* harness.until(() => harness.peers.length === 1)
        yield* harness.peers[0]!.drop
        yield* harness.until(() => harness.upgrades.length === 2 && recorded.transitions.length >= 4)
        for (const upgrade of harness.upgrades) {
          assert.match(upgrade.url, /\/feed\?stream=btc&token=t0$/)
          assert.strictEqual(upgrade.header("X-Client"), "tickline")
          assert.strictEqual(upgrade.header("X-Secret"), "s3cret")
          assert.strictEqual(upgrade.header("Authorization"), "Bearer abc")
        }
      })
  },
  {
    name: "a drop is one reconnect: what came before it is delivered first, with its epoch",
    policy: quick(),
    run: (harness) =>
      Effect.gen(function*() {
        const { peer, recorded } = yield* opened(harness)
        yield* peer.send("1", "2", "3")
        yield* peer.close(1012, "restart")
        yield* harness.until(() => harness.peers.length === 2)
        yield* harness.peers[1]!.send("4")
        yield* harness.until(() => recorded.messages.length === 4)
        const story = recorded.items.flatMap((item) =>
          item._tag === "Batch"
            ? item.messages.map((message) => `${item.epoch}:${String(message)}`)
            : item._tag === "Transition"
            ? [item.to._tag]
            : []
        )
        assert.deepStrictEqual(story, [
          "Connecting",
          "Connected",
          "1:1",
          "1:2",
          "1:3",
          "Reconnecting",
          "Connecting",
          "Connected",
          "2:4"
        ])
        const failure = recorded.transitions.find(({ to }) => to._tag === "Reconnecting")!.to
        assert.strictEqual(
          failure._tag === "Reconnecting" && failure.failure?.message,
          "dropped: closed by peer with 1012: restart"
        )
        yield* harness.wait(50)
        assert.strictEqual(harness.upgrades.length, 2)
      })
  },
  {
    name: "restores subscriptions, then sends what was kept, once and in order; what was for now is not sent",
    policy: quick(),
    run: (harness) =>
      Effect.gen(function*() {
        const { connection, peer } = yield* opened(harness, { dialect })
        yield* connection.subscribe([Channel.make("a"), Channel.make("b")])
        yield* connection.unsubscribe([Channel.make("a")])
        yield* connection.subscribe([Channel.make("c")])
        yield* harness.until(() => peer.received.length >= 4)
        assert.deepStrictEqual(peer.received, ["subscribe a", "subscribe b", "unsubscribe a", "subscribe c"])
        yield* harness.mood({ _tag: "Refuse" })
        yield* peer.drop
        yield* harness.until(() => peer.closedWith() !== undefined)
        yield* harness.wait(10)
        assert.isFalse(yield* connection.isConnected)
        const refused = yield* Effect.flip(connection.send("order"))
        assert.strictEqual(refused._tag === "NotSent" && refused.reason, "NotConnected")
        assert.deepStrictEqual(yield* connection.send("kept 1", { delivery: "keep" }), { _tag: "Kept" })
        yield* connection.subscribe([Channel.make("d")])
        assert.deepStrictEqual(yield* connection.send("kept 2", { delivery: "keep" }), { _tag: "Kept" })
        yield* harness.mood({ _tag: "Accept" })
        yield* harness.until(() => harness.peers.length === 2 && harness.peers[1]!.received.length >= 5)
        yield* harness.wait(20)
        assert.deepStrictEqual(harness.peers[1]!.received, [
          "subscribe b",
          "subscribe c",
          "subscribe d",
          "kept 1",
          "kept 2"
        ])
        assert.deepStrictEqual(yield* connection.send("again"), { _tag: "Sent", epoch: 2 })
      })
  },
  {
    name: "backs off while refused, comes back, and starts at the base the next time",
    policy: quick(),
    run: (harness) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* opened(harness)
        for (const cycle of [0, 1]) {
          recorded.transitions.length = 0
          yield* harness.mood({ _tag: "Refuse" })
          yield* harness.peers[cycle]!.drop
          yield* harness.until(() => recorded.transitions.filter(({ to }) => to._tag === "Connecting").length === 3)
          yield* harness.until(() => recorded.transitions.filter(({ to }) => to._tag === "Reconnecting").length === 4)
          yield* harness.mood({ _tag: "Accept" })
          yield* harness.until(() => recorded.transitions.at(-1)!.to._tag === "Connected")
          const waits = recorded.transitions.flatMap(({ to }) => to._tag === "Reconnecting" ? [to.delayMillis] : [])
          assert.deepStrictEqual(waits.slice(0, 4), [20, 40, 80, 80])
          assert.isTrue(waits.every((millis) => millis <= 80))
          const held = recorded.transitions.flatMap(({ from, heldMillis }) =>
            from._tag === "Reconnecting" ? [heldMillis] : []
          )
          held.forEach((millis, i) => harness.took(millis, waits[i]!))
        }
        assert.strictEqual((yield* connection.metrics).epoch, 3)
      })
  },
  {
    name: "gives up after its retries, stays silent, and comes back by hand as a new session",
    policy: quick({ retry: { maxRetries: 2, resetOn: "connect" } }),
    run: (harness) =>
      Effect.gen(function*() {
        const { connection, peer, recorded } = yield* opened(harness)
        const { id } = yield* connection.metrics
        yield* harness.mood({ _tag: "Reject", status: 502 })
        yield* peer.drop
        yield* harness.until(() => recorded.transitions.at(-1)!.to._tag === "Failed")
        const { to } = recorded.transitions.at(-1)!
        assert.strictEqual(to._tag === "Failed" && to.error._tag, "ConnectionAborted")
        yield* harness.wait(300)
        assert.strictEqual(harness.upgrades.length, 3)
        yield* harness.mood({ _tag: "Accept" })
        yield* awaited(harness, connection.connect)
        assert.isTrue(yield* connection.isConnected)
        assert.notStrictEqual((yield* connection.metrics).id, id)
      })
  },
  {
    name: "a server that takes the connection and never upgrades is a timeout, counted and backed off",
    policy: quick({ retry: { maxRetries: 2, resetOn: "connect" } }),
    run: (harness) =>
      Effect.gen(function*() {
        yield* harness.mood({ _tag: "Hang" })
        const { connection } = yield* made(harness.url)
        const begun = yield* Clock.currentTimeMillis
        const error = yield* awaited(harness, Effect.flip(connection.connect))
        assert.strictEqual(
          error._tag === "ConnectionAborted" && error.last._tag === "DialError" && error.last.reason._tag,
          "TimedOut"
        )
        harness.took((yield* Clock.currentTimeMillis) - begun, 150 + 20 + 150 + 40 + 150)
        assert.strictEqual(harness.upgrades.length, 3)
      })
  },
  {
    name: "a refused token is refreshed once and shown once more; without a refresh it stops",
    needs: "headers",
    policy: quick(),
    run: (harness) =>
      Effect.gen(function*() {
        yield* harness.mood((upgrade) =>
          upgrade.header("authorization") === "Bearer new" ? { _tag: "Accept" } : { _tag: "Reject", status: 401 }
        )
        const { connection } = yield* made(harness.url, {
          auth: yield* BearerToken.make(Redacted.make("old"), Effect.succeed(Redacted.make("new")))
        })
        yield* awaited(harness, connection.connect)
        assert.deepStrictEqual(harness.upgrades.map((upgrade) => upgrade.header("authorization")), [
          "Bearer old",
          "Bearer new"
        ])
        const { connection: other } = yield* made(harness.url)
        const error = yield* awaited(harness, Effect.flip(other.connect))
        assert.strictEqual(error._tag === "AuthError" && error.status, 401)
        yield* harness.wait(100)
        assert.strictEqual(harness.upgrades.length, 3)
      })
  },
  {
    name: "Retry-After is obeyed",
    needs: "handshakeStatus",
    policy: quick(),
    run: (harness) =>
      Effect.gen(function*() {
        yield* harness.mood(() =>
          harness.upgrades.length === 1 ? { _tag: "Reject", status: 429, retryAfterMillis: 1000 } : { _tag: "Accept" }
        )
        const { connection, recorded } = yield* made(harness.url)
        yield* awaited(harness, connection.connect)
        const waiting = recorded.transitions.find(({ from }) => from._tag === "Reconnecting")
        harness.took(waiting?.heldMillis ?? 0, 1000)
        assert.strictEqual(harness.upgrades.length, 2)
      })
  },
  {
    name: "a message over the limit closes with 1009, is counted, and the connection comes back",
    policy: quick({ inbound: { bytes: 1024 * 1024, maxMessageBytes: 1024 } }),
    run: (harness) =>
      Effect.gen(function*() {
        const { connection, peer, recorded } = yield* opened(harness)
        yield* peer.send("x".repeat(1024), "y".repeat(2048))
        yield* harness.until(() => harness.peers.length === 2 && peer.closedWith() !== undefined)
        assert.strictEqual(peer.closedWith(), harness.seenAs?.(1009) ?? 1009)
        assert.deepStrictEqual(recorded.messages.map((frame) => frame.length), [1024])
        assert.deepStrictEqual((yield* connection.metrics).failures, { TooLarge: 1 })
      })
  },
  {
    name: "a link that is connected and dead is found by its missing pong",
    needs: "ping",
    policy: quick({
      heartbeat: { interval: Duration.millis(50), timeout: Duration.millis(60), onMiss: "close" }
    }),
    run: (harness) =>
      Effect.gen(function*() {
        const { connection, peer } = yield* opened(harness)
        yield* harness.wait(130)
        const { heartbeat } = yield* connection.metrics
        assert.isAtLeast(heartbeat.answered, 1)
        assert.strictEqual(heartbeat.missed, 0)
        yield* peer.freeze
        yield* harness.until(() => harness.peers.length === 2)
        const after = yield* connection.metrics
        assert.strictEqual(after.heartbeat.missed, 1)
        assert.deepStrictEqual(after.failures, { HeartbeatMissed: 1 })
      })
  },
  {
    name: "of what is sent before a reset, all arrives or may not have, as is told",
    policy: quick(),
    run: (harness) =>
      Effect.gen(function*() {
        const { connection, peer, recorded } = yield* opened(harness)
        yield* harness.until(() => harness.peers.length === 1)
        yield* peer.freeze
        const text = "x".repeat(9_000)
        // More than the network takes between here and there; what has no room waits for the next epoch.
        for (let i = 0; i < 984; i++) yield* connection.send(text, { delivery: "keep" })
        yield* harness.wait(50)
        const { outbox: { sent } } = yield* connection.metrics
        yield* peer.drop
        yield* harness.until(() => harness.peers.length === 2)
        const end = recorded.transitions.find(({ from }) => from._tag === "Connected")
        // More may have left since it was read, of which the end tells, too.
        const { bufferedBytes = 0, bytes = 0, messages = 0 } = end?.unconfirmed ?? {}
        assert.isAtLeast(messages, sent)
        assert.strictEqual(bytes, messages * text.length)
        assert.isAtMost(bufferedBytes, bytes)
        // All that was not handed over then comes now, and nothing else.
        yield* harness.until(() => harness.peers[1]!.received.length >= 984 - messages)
        yield* harness.wait(50)
        assert.strictEqual(harness.peers[1]!.received.length, 984 - messages)
      })
  },
  {
    name: "a graceful close waits no longer than its timeout for a dead peer, a forced one not at all",
    policy: quick(),
    run: (harness) =>
      Effect.gen(function*() {
        for (const mode of ["graceful", "forced"] as const) {
          const { connection } = yield* made(harness.url)
          yield* awaited(harness, connection.connect)
          yield* harness.until(() => harness.peers.length === (mode === "graceful" ? 1 : 2))
          yield* harness.peers.at(-1)!.freeze
          const begun = yield* Clock.currentTimeMillis
          const closed = yield* awaited(harness, connection.close({ mode }))
          assert.deepStrictEqual(closed, { mode, clean: false })
          const millis = (yield* Clock.currentTimeMillis) - begun
          harness.took(millis, mode === "graceful" ? 100 : 0)
          if (mode === "forced") assert.isAtMost(millis, 200)
        }
      })
  },
  {
    name: "any number of reconnects at once are one dial",
    policy: quick(),
    run: (harness) =>
      Effect.gen(function*() {
        const { connection, peer } = yield* opened(harness)
        const { id } = yield* connection.metrics
        yield* harness.mood({ _tag: "Refuse" })
        yield* peer.drop
        yield* harness.until(() => peer.closedWith() !== undefined)
        yield* harness.wait(5)
        const callers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(connection.reconnect))
        yield* harness.wait(5)
        yield* harness.mood({ _tag: "Accept" })
        yield* harness.until(() => callers.every((caller) => caller.pollUnsafe() !== undefined))
        yield* Effect.forEach(callers, Fiber.join)
        yield* harness.wait(100)
        assert.strictEqual(harness.upgrades.length, 2)
        const metrics = yield* connection.metrics
        assert.strictEqual(metrics.conflicts, 3)
        assert.strictEqual(metrics.id, id)
        // On a link that is up it is the same: the first ends it, the others wait for what comes next.
        const more = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(connection.reconnect))
        yield* harness.until(() => more.every((caller) => caller.pollUnsafe() !== undefined))
        yield* Effect.forEach(more, Fiber.join)
        yield* harness.wait(100)
        assert.strictEqual(harness.upgrades.length, 3)
        assert.strictEqual((yield* connection.metrics).epoch, 3)
      })
  },
  {
    name: "an interrupted connect leaves nothing behind",
    policy: quick({ connectTimeout: Duration.seconds(30) }),
    run: (harness) =>
      Effect.gen(function*() {
        yield* harness.mood({ _tag: "Hang" })
        const { connection } = yield* made(harness.url)
        const connecting = yield* Effect.forkChild(connection.connect)
        yield* harness.until(() => harness.upgrades.length === 1)
        yield* awaited(harness, Fiber.interrupt(connecting))
        assert.strictEqual((yield* connection.state.current)._tag, "Disconnected")
        yield* harness.mood({ _tag: "Accept" })
        yield* harness.wait(100)
        assert.strictEqual(harness.upgrades.length, 1)
        yield* awaited(harness, connection.connect)
        assert.isTrue(yield* connection.isConnected)
      })
  }
]
