/** The ten workflows over real sockets: a mock venue and two mock exchanges on loopback, and a trader between them. */
import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as Presets from "@tickline/core/resilience/Presets"
import * as MemoryStorage from "@tickline/core/trading/MemoryStorage"
import * as NodeHttp from "@tickline/node/NodeHttp"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Scope from "effect/Scope"
import * as Stage from "../../testing/test/endToEnd/Stage.ts"
import * as Workflows from "../../testing/test/endToEnd/Workflows.ts"

const policy = {
  ...Presets.fast,
  circuit: "none",
  retry: { ...Presets.fast.retry, maxRetries: "unlimited" }
} as const

/** Plays a workflow in real time, a candle of which is a twentieth of a second. */
const play = (workflow: Workflows.Workflow) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const stage = yield* Stage.make({
      serve: (_, venue) =>
        MockServer.make({ venue, products: Stage.products, rate: 0 }).pipe(
          Effect.orDie,
          Effect.map(({ httpUrl, quote, trade, url }): Stage.Served => ({ url, rest: httpUrl, quote, trade })),
          Scope.provide(scope)
        ),
      interval: "50 millis",
      candle: Effect.sleep("55 millis"),
      until: (what, isSo) =>
        Effect.gen(function*() {
          const end = (yield* Clock.currentTimeMillis) + 20_000
          while (!isSo()) {
            assert.isBelow(yield* Clock.currentTimeMillis, end, `within 20 s: ${what}`)
            yield* Effect.sleep("5 millis")
          }
        })
    })
    return yield* workflow(stage)
  }).pipe(
    Effect.scoped,
    Effect.provide(Layer.mergeAll(
      NodeTransport.layer,
      NodeHttp.layer,
      MemoryStorage.layer,
      Logger.layer([]),
      Reconnection.layerWithBreaker(policy)
    )),
    Effect.provideService(Metric.MetricRegistry, new Map())
  )

describe.concurrent("End to end, over real sockets", () => {
  it.live("Signal → order flow (complete)", () => play(Workflows.signalToOrder), 60_000)
  it.live("Price feed → indicator → signal pipeline", () => play(Workflows.feedToSignal), 60_000)
  it.live("Multi-symbol concurrent trading", () => play(Workflows.manySymbols), 60_000)
  it.live("Position open → close cycle", () => play(Workflows.openToClose), 60_000)
  it.live("Portfolio consistency maintained", () => play(Workflows.consistency), 60_000)
  it.live("Error recovery (exchange fails)", () => play(Workflows.exchangeFails), 60_000)
  it.live("Error recovery (signal fails)", () => play(Workflows.signalFails), 60_000)
  it.live("Concurrent signal processing", () => play(Workflows.concurrentSignals), 60_000)
  it.live("Trade history recording", () => play(Workflows.history), 60_000)
  it.live("Metrics collection", () => play(Workflows.metrics), 60_000)
})
