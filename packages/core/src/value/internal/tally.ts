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
export interface Tally {
  sum: number
}

const known = new WeakMap<object, Map<string, Tally>>()

/**
 * The sum of the counter's series in the context: whoever asks for the same
 * series is given the same.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (counter: Metric.Counter<number>, context: Context.Context<never>): Tally => {
  const registry = Context.get(context, Metric.MetricRegistry)
  const attributes = Object.entries(Context.get(context, Metric.CurrentMetricAttributes)).sort()
  const series = JSON.stringify([counter.id, ...attributes])
  let tallies = known.get(registry)
  if (tallies === undefined) known.set(registry, tallies = new Map<string, Tally>())
  const tally = tallies.get(series) ?? { sum: 0 }
  tallies.set(series, tally)
  const add = (count: number): void => {
    tally.sum += count
  }
  Metric.registerUnsafe(counter, context, {
    get: () => ({ count: tally.sum, incremental: true }),
    update: add,
    modify: add
  })
  return tally
}
