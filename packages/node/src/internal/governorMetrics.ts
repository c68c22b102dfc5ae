/**
 * What a governor over Redis measures of itself.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * Whether Redis answers.
 *
 * @category constants
 * @since 0.1.0
 */
export const available = Metric.gauge("tickline_governor_available", {
  description: "1 while the Redis that limits are shared over answers, else 0"
})

/**
 * Times Redis ceased to answer.
 *
 * @category constants
 * @since 0.1.0
 */
export const outages = Metric.counter("tickline_governor_outages_total", {
  description: "Times the Redis that limits are shared over ceased to answer",
  incremental: true
})

/**
 * Costs that Redis admitted.
 *
 * @category constants
 * @since 0.1.0
 */
export const admissions = Metric.counter("tickline_governor_admissions_total", {
  description: "Admissions by the shared limits",
  incremental: true
})

/**
 * Admissions that were charged, and not used in time.
 *
 * @category constants
 * @since 0.1.0
 */
export const lapses = Metric.counter("tickline_governor_lapsed_total", {
  description: "Admissions by the shared limits that were not used in time",
  incremental: true
})

/**
 * Admissions without Redis, by what this process has spent alone.
 *
 * @category constants
 * @since 0.1.0
 */
export const unshared = Metric.counter("tickline_governor_unshared_total", {
  description: "Admissions while Redis was away, by this process alone",
  incremental: true
})

/**
 * Runs of Redis that do not know what was spent before.
 *
 * @category constants
 * @since 0.1.0
 */
export const resets = Metric.counter("tickline_governor_resets_total", {
  description: "Runs of Redis found not to know what was spent before",
  incremental: true
})
