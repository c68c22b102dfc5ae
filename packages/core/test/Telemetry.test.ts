import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Telemetry from "../src/value/internal/telemetry.ts"

const isCounter = (metric: Metric.Metric<never, unknown>): metric is Metric.Counter<number> => metric.type === "Counter"

/** An exporter tells a backend that they are monotonic, which computes rates from that. */
it.effect("every counter is one that only grows", () =>
  Effect.gen(function*() {
    const names: Array<string> = []
    for (const metric of Object.values(Telemetry).filter(isCounter)) {
      yield* Metric.update(metric, 3)
      yield* Metric.update(metric, -2)
      const { id, state } = (yield* Metric.snapshot).find((one) => one.id === metric.id)!
      assert.deepInclude(state, { count: 3, incremental: true }, id)
      names.push(id)
    }
    assert.isAbove(names.length, 10)
    assert.isTrue(names.every((name) => name.endsWith("_total")))
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
