import { assert, describe, it } from "@effect/vitest"
import * as BearerToken from "@tickline/core/connection/BearerToken"
import * as ConnectError from "@tickline/core/connection/ConnectError"
import * as Connection from "@tickline/core/connection/Connection"
import * as BreakerMetrics from "@tickline/core/resilience/BreakerMetrics"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { connected, policyWith, record, url, withVenue } from "../Rig.ts"

describe("Secrets", () => {
  it.effect("no log line, error, state, metric, event or inspection shows a token (B10)", () => {
    const told: Array<string> = []
    const listener = Logger.map(Logger.formatJson, (line) => {
      told.push(line)
    })
    return withVenue(policyWith({}), ({ host, network }) =>
      Effect.gen(function*() {
        const secret = "tok_5ecret"
        const connection = yield* Connection.make(`ws://user:pass-${secret}@venue.test/feed?token=query-${secret}`, {
          headers: { "X-Key": Redacted.make(`header-${secret}`) },
          auth: yield* BearerToken.make(Redacted.make(`bearer-${secret}`))
        })
        const recorded = yield* record(connection)
        const errors: Array<unknown> = []
        for (
          const outcome of [
            { _tag: "Reject", status: 401 },
            { _tag: "Refuse" },
            { _tag: "Hang" },
            { _tag: "BadTls" },
            { _tag: "Unresolved" }
          ] as const
        ) {
          yield* host.otherwise(outcome)
          const connecting = yield* Effect.forkChild(Effect.exit(connection.connect))
          yield* TestClock.adjust("1 minute")
          const exit = yield* Effect.flatMap(Effect.sync(() => connecting.pollUnsafe()), Effect.fromNullishOr)
          errors.push(exit)
        }
        yield* host.otherwise({ _tag: "Accept" })
        yield* connection.connect
        yield* host.drop
        yield* TestClock.adjust("1 minute")
        const metrics = yield* connection.metrics
        assert.strictEqual(metrics.state, "Connected")
        // What the venue got is the secret itself, which shows that the test can fail.
        const sent = host.peers()[0]!.header("Authorization")
        assert.strictEqual(Redacted.isRedacted(sent) && Redacted.value(sent), `Bearer bearer-${secret}`)
        const encode = Schema.encodeUnknownSync(ConnectError.ConnectError)
        const encoded = recorded.transitions.flatMap(({ to }) => to._tag === "Failed" ? [encode(to.error)] : [])
        assert.isAbove(encoded.length, 0)
        const seen = [
          ...told,
          ...network.log.lines,
          ...[errors, recorded, metrics, encoded, sent].map((value) =>
            `${Inspectable.toStringUnknown(value)} ${String(value)}`
          ),
          ...recorded.transitions.map(({ reason }) => reason),
          JSON.stringify(BreakerMetrics.toJson(yield* connection.breaker.metrics)),
          BreakerMetrics.toPrometheus([yield* connection.breaker.metrics]),
          yield* Metric.dump
        ].join("\n")
        assert.isAbove(told.length, 10)
        assert.notInclude(seen, secret)
        assert.include(seen, "ws://venue.test")
      })).pipe(
        Effect.provide(Logger.layer([listener])),
        Effect.provideService(References.MinimumLogLevel, "All")
      )
  })
})

describe("What is left behind", () => {
  it.effect(
    "10,000 reconnects leave no connection, no timer and no listener",
    () =>
      withVenue(
        policyWith({ retry: { maxRetries: "unlimited", resetOn: "connect" } }),
        ({ host }) =>
          Effect.gen(function*() {
            const { connection } = yield* connected()
            const scope = yield* Effect.scope
            const finalizers = () => scope.state._tag === "Open" ? scope.state.finalizers?.size : 0
            // Each connection is cut as soon as it is there; the next dial follows 100 ms later.
            const cutting = yield* Effect.forkChild(Effect.forever(Effect.flatMap(host.nextPeer, (peer) => peer.drop)))
            yield* TestClock.adjust(1000)
            assert.strictEqual(host.dials.length, 11)
            const before = finalizers()
            yield* TestClock.adjust(100 * 9989)
            yield* Fiber.interrupt(cutting)
            yield* TestClock.adjust(100)
            assert.strictEqual(host.dials.length, 10_001)
            assert.strictEqual(host.peers().length, 1)
            assert.strictEqual(finalizers(), before)
            assert.strictEqual((yield* connection.metrics).epoch, 10_001)
            yield* connection.close()
            assert.strictEqual(host.peers().length, 0)
          })
      ),
    30_000
  )

  it.effect("a closed scope frees the socket, ends the streams and takes the breaker's listener along (CON-18)", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const connection = yield* Scope.provide(Connection.connect(url), scope)
        const transitions = yield* Effect.forkChild(Stream.runCollect(connection.state.transitions))
        const messages = yield* Effect.forkChild(Stream.runCollect(connection.messages()))
        yield* TestClock.adjust(0)
        yield* (yield* host.nextPeer).send("last")
        yield* TestClock.adjust(0)
        yield* Scope.close(scope, Exit.void)
        yield* TestClock.adjust(0)
        assert.strictEqual(host.peers().length, 0)
        const ended = transitions.pollUnsafe()
        assert.deepStrictEqual(
          ended !== undefined && ended._tag === "Success" ? ended.value.map(({ to }) => to._tag) : undefined,
          ["Closing", "Disconnected"]
        )
        const read = messages.pollUnsafe()
        assert.deepStrictEqual(read !== undefined && read._tag === "Success" ? read.value : undefined, ["last"])
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(host.dials.length, 1)
      })))

  it.effect("a breaker outlives the connection that first asked for it, and is shared by the next (B25)", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        yield* host.otherwise({ _tag: "Refuse" })
        const first = yield* Effect.forkChild(Effect.scoped(Effect.flip(Connection.connect(url))))
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual((yield* Fiber.join(first))._tag, "CircuitOpen")
        yield* host.otherwise({ _tag: "Accept" })
        const error = yield* Effect.flip(Connection.connect(url))
        assert.strictEqual(error._tag === "CircuitOpen" && error.retryAfterMillis, 6500)
        assert.strictEqual(host.dials.length, 5)
      })))
})
