/**
 * Counters for what happens with every batch: to count is an addition, and the
 * metric reads the sum when somebody asks for it. An update of a counter looks
 * its series up each time.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"

/**
 * A sum, which is the value of a counter's series.
 *
 * @category models
 * @since 0.1.0
 */
export interface LazyCounter {
  sum: number
}

const known = new WeakMap<object, Map<string, LazyCounter>>()

/**
 * The sum of the counter's series in the context: whoever asks for the same
 * series is given the same.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (counter: Metric.Counter<number>, context: Context.Context<never>): LazyCounter => {
  const registry = Context.get(context, Metric.MetricRegistry)
  const attributes = Object.entries(Context.get(context, Metric.CurrentMetricAttributes)).sort()
  const series = JSON.stringify([counter.id, ...attributes])
  let counters = known.get(registry)
  if (counters === undefined) known.set(registry, counters = new Map<string, LazyCounter>())
  const made = counters.get(series) ?? { sum: 0 }
  counters.set(series, made)
  const add = (count: number): void => {
    made.sum += count
  }
  Metric.registerUnsafe(counter, context, {
    get: () => ({ count: made.sum, incremental: true }),
    update: add,
    modify: add
  })
  return made
}
