/** The stage on a virtual network. */
import { assert } from "@effect/vitest"
import * as Presets from "@tickline/core/resilience/Presets"
import * as MemoryStorage from "@tickline/core/trading/MemoryStorage"
import { HttpPort } from "@tickline/core/transport/HttpPort"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as TestClock from "effect/testing/TestClock"
import { policyWith, settle, withVenue } from "../Rig.ts"
import * as Stage from "./Stage.ts"
import type { Workflow } from "./Workflows.ts"

const talk = Effect.repeat(settle, { times: 4 })

/** Runs a test with what sets the stage. */
export const withNetwork = <A, E, R>(use: (network: Stage.Network) => Effect.Effect<A, E, R>) =>
  withVenue(
    policyWith({ retry: { ...Presets.fast.retry, maxRetries: "unlimited" } }),
    ({ network }) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1_800_000_000_000)
        const pass = (time: Parameters<typeof TestClock.adjust>[0]) => Effect.andThen(TestClock.adjust(time), talk)
        return yield* use({
          serve: (name, venue) =>
            Effect.map(
              MockVenue.serve(network, `wss://${name}.test`, venue, { products: Stage.products }),
              ({ quote, trade }): Stage.Served => ({
                url: `wss://${name}.test`,
                rest: `https://${name}.test`,
                quote,
                trade
              })
            ),
          interval: "10 seconds",
          candle: pass("10 seconds"),
          until: (what, isSo) =>
            Effect.gen(function*() {
              for (let second = 0; !isSo(); second++) {
                assert.isBelow(second, 120, `within two minutes: ${what}`)
                yield* pass("1 second")
              }
            })
        })
      }).pipe(Effect.provideService(HttpPort, network.http), Effect.provide([MemoryStorage.layer, Logger.layer([])]))
  ).pipe((played) => Effect.suspend(() => Effect.provideService(played, Metric.MetricRegistry, new Map())))

/** Plays a workflow. */
export const play = (workflow: Workflow) => withNetwork((network) => Effect.flatMap(Stage.make(network), workflow))
