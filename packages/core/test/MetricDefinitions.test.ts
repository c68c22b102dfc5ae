import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricsRecorder from "../src/connection/internal/metricsRecorder.ts"
import * as MetricDefinitions from "../src/value/internal/metricDefinitions.ts"

const isCounter = (metric: Metric.Metric<never, unknown>): metric is Metric.Counter<number> => metric.type === "Counter"

/** An exporter tells a backend that they are monotonic, which computes rates from that. */
it.effect("every counter is one that only grows", () =>
  Effect.gen(function*() {
    const names: Array<string> = []
    for (const metric of Object.values(MetricDefinitions).filter(isCounter)) {
      yield* Metric.update(metric, 3)
      yield* Metric.update(metric, -2)
      const { id, state } = (yield* Metric.snapshot).find((one) => one.id === metric.id)!
      assert.deepInclude(state, { count: 3, incremental: true }, id)
      names.push(id)
    }
    assert.isAbove(names.length, 10)
    assert.isTrue(names.every((name) => name.endsWith("_total")))
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

it.effect("connections of one label count into one series, those of another into theirs", () =>
  Effect.gen(function*() {
    const context = yield* Effect.context<never>()
    const counts = Effect.map(Metric.snapshot, (all) =>
      all.flatMap(({ attributes, id, state }) =>
        id === "tickline_frames_total" && "count" in state ? [[attributes?.["connection"], state.count]] : []
      ))
    const [one, other, another] = ["a", "a", "b"].map((label) =>
      MetricsRecorder.make(label, context)
    )
    one?.received(1, 2, 200)
    other?.received(1, 3, 300)
    another?.received(1, 7, 700)
    assert.deepStrictEqual(yield* counts, [["a", 5], ["b", 7]])
    MetricsRecorder.make("a", context).received(1, 1, 1)
    assert.deepStrictEqual(yield* counts, [["a", 6], ["b", 7]])
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
