/**
 * Counters, and gauges that are sums, for what happens with every batch or
 * request: to count is an addition, and the metric reads the sum when somebody
 * asks for it. An update of a metric looks its series up each time.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"

/**
 * A sum, which is the value of a series.
 *
 * @category models
 * @since 0.1.0
 */
export interface LazyCounter {
  sum: number
}

const isGauge = (metric: Metric.Counter<number> | Metric.Gauge<number>): metric is Metric.Gauge<number> =>
  metric.type === "Gauge"

const known = new WeakMap<object, Map<string, LazyCounter>>()

/**
 * The sum of the metric's series in the context: whoever asks for the same
 * series is given the same.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  metric: Metric.Counter<number> | Metric.Gauge<number>,
  context: Context.Context<never>
): LazyCounter => {
  const registry = Context.get(context, Metric.MetricRegistry)
  const attributes = Object.entries(Context.get(context, Metric.CurrentMetricAttributes)).sort()
  const series = JSON.stringify([metric.id, ...attributes])
  let counters = known.get(registry)
  if (counters === undefined) known.set(registry, counters = new Map<string, LazyCounter>())
  const made = counters.get(series) ?? { sum: 0 }
  counters.set(series, made)
  const add = (count: number): void => {
    made.sum += count
  }
  const hooks = { update: add, modify: add }
  if (isGauge(metric)) Metric.registerUnsafe(metric, context, { ...hooks, get: () => ({ value: made.sum }) })
  else Metric.registerUnsafe(metric, context, { ...hooks, get: () => ({ count: made.sum, incremental: true }) })
  return made
}
