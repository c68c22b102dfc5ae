/**
 * What the runner counts of what it prints.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * Events that were not printed because nobody read stdout.
 *
 * @category constants
 * @since 0.1.0
 */
export const droppedEvents = Metric.counter("tickline_output_dropped_total", {
  description: "Events dropped, as stdout was not read",
  incremental: true
})
