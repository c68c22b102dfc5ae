/** Each step of a connection's and a session's life is seen as `steps.ts`, and so the documentation, says. */
import { assert, describe, it } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as BreakerMetrics from "@tickline/core/resilience/BreakerMetrics"
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as DeribitSession from "@tickline/core/session/deribit/DeribitSession"
import * as Methods from "@tickline/core/session/deribit/Methods"
import * as Channel from "@tickline/core/value/Channel"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import * as MockDeribitExchange from "@tickline/testing/MockDeribitExchange"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import * as Fs from "node:fs"
import { metricDefinitions } from "./metrics.ts"
import { steps } from "./steps.ts"

const policy: ConnectionPolicy.ConnectionPolicy = {
  ...Presets.fast,
  heartbeat: { interval: Duration.seconds(10), timeout: Duration.seconds(10), onMiss: "close" },
  retry: { ...Presets.fast.retry, maxRetries: 3 },
  circuit: {
    failureThreshold: 2,
    window: undefined,
    openDuration: Duration.seconds(1),
    openFactor: 1,
    openCap: Duration.seconds(1),
    halfOpen: { successThreshold: 1 },
    countDisconnect: false,
    whenOpen: "wait"
  }
}

const url = "wss://deribit.test"

/** The life of a session and of a feed that rotates: what was logged, traced, and what had other states. */
const life = Effect.gen(function*() {
  const network = yield* VirtualNetwork.Network
  const exchange = MockDeribitExchange.make({ tokenMillis: 60_000, testMillis: 60_000 })
  const served = yield* MockVenue.serve(network, url, exchange.venue)
  const session = yield* DeribitSession.make({
    url,
    clientId: "AMANDA",
    clientSecret: Redacted.make("AMANDASECRECT"),
    reconcile: ({ call }) => Effect.asVoid(call(Methods.trading.getOpenOrders, {}))
  })
  const states = new Set<string>()
  yield* Effect.forkScoped(
    Stream.runForEach(session.state.changes, ({ _tag }) => Effect.sync(() => void states.add(_tag))),
    { startImmediately: true }
  )
  yield* session.subscribe([Channel.make("user.orders.any.any.raw")])
  yield* served.host.script({ _tag: "Refuse" })
  yield* Probe.within(session.connect)
  yield* Probe.within(session.call(Methods.connection.getTime, {}))
  exchange.fault({ _tag: "Cut", method: "public/get_time" })
  yield* Probe.within(Effect.flip(session.call(Methods.connection.getTime, {})))
  yield* Probe.until(Effect.map(session.state.current, ({ _tag }) => _tag === "Live"))
  yield* TestClock.adjust("55 seconds")

  const feed = yield* Probe.within(
    MarketFeed.make(Deribit.venue, { url, channels: [Channel.make("trades.100ms", "X")] })
  )
  const rotated = yield* Effect.forkChild(feed.rotate)
  yield* TestClock.adjust("10 seconds")
  yield* Fiber.join(rotated)

  yield* served.host.script(...Array.from({ length: 20 }, () => ({ _tag: "Refuse" as const })))
  yield* served.host.drop
  yield* TestClock.adjust("30 seconds")
  yield* session.close()
  return states
})

describe("The steps of docs/operating.md", () => {
  it.effect("are seen in the log, in traces and as states when they happen", () => {
    const spans = new Set<string>()
    const logged = new Set<string>()
    const tracer = Tracer.make({
      span: (options) => {
        spans.add(options.name)
        return new Tracer.NativeSpan(options)
      }
    })
    const logger = Logger.make(({ message }) => void logged.add(String(message)))
    return Effect.gen(function*() {
      const states = yield* life
      assert.deepStrictEqual(
        steps.flatMap(({ spans: named }) =>
          named.filter((name) => !spans.has(name) && name !== "Connection.resubscribe")
        ),
        []
      )
      // What needs a Redis, a consumer or a process that stalls, or a venue that refuses is in tests of its own.
      const seen = new Set(["connect", "upgrade", "sign in", "restore", "drop", "retry", "breaker", "give up", "close"])
      for (const { log, step } of steps) {
        if (seen.has(step)) assert.isTrue(logged.has(log[0] ?? ""), `${step}: ${[...logged].join(", ")}`)
      }
      for (const state of ["Connecting", "SigningIn", "Restoring", "Reconciling", "Live", "Waiting", "Failed"]) {
        assert.isTrue(states.has(state), state)
      }
    }).pipe(
      Probe.scoped,
      Effect.provide(Layer.mergeAll(Probe.layer({ policy }), Logger.layer([logger]))),
      Effect.withTracer(tracer),
      Effect.provideService(Metric.MetricRegistry, new Map())
    )
  })

  it.effect("name every metric there is, and no other", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make("none", { key: "" })
      const ofBreaker = [...BreakerMetrics.toPrometheus([yield* breaker.metrics]).matchAll(/^# TYPE (\S+)/gm)]
        .map(([, name = ""]) => name)
      const named = new Set(steps.flatMap(({ metrics }) => metrics))
      assert.deepStrictEqual(
        metricDefinitions.map(({ id }) => id).filter((id) => !named.has(id)),
        []
      )
      const all = new Set([...metricDefinitions.map(({ id }) => id), ...ofBreaker])
      assert.deepStrictEqual([...named].filter((id) => !all.has(id)), [])
    }))

  it("name lines that are logged", () => {
    const page = Fs.readFileSync("docs/operating.md", "utf8")
    const lines = page.slice(page.indexOf("## The log"), page.indexOf("## Metrics"))
    for (const line of steps.flatMap(({ log }) => log)) assert.include(lines, `\`${line}\``)
  })
})
