/**
 * What Tickline measures of actors; see `metricDefinitions`. Every metric but that
 * of dead letters carries the attribute `actor`: the name of the behaviour. All
 * are there from the moment the first actor of that name is made, at zero.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * What actors are told.
 *
 * @category constants
 * @since 0.1.0
 */
export const told = Metric.counter("tickline_actor_messages_total", {
  description: "Messages sent to actors",
  incremental: true
})

/**
 * What actors have handled.
 *
 * @category constants
 * @since 0.1.0
 */
export const handled = Metric.counter("tickline_actor_handled_total", {
  description: "Messages handled by actors",
  incremental: true
})

/**
 * Actors that were started afresh.
 *
 * @category constants
 * @since 0.1.0
 */
export const restarts = Metric.counter("tickline_actor_restarts_total", {
  description: "Restarts of actors",
  incremental: true
})

/**
 * Actors that there are.
 *
 * @category constants
 * @since 0.1.0
 */
export const alive = Metric.gauge("tickline_actors", { description: "Actors that have not stopped" })

/**
 * Messages that wait.
 *
 * @category constants
 * @since 0.1.0
 */
export const waiting = Metric.gauge("tickline_actor_mailbox_depth", { description: "Messages in mailboxes" })

/**
 * Dead letters, by the attribute `reason`.
 *
 * @category constants
 * @since 0.1.0
 */
export const deadLetters = Metric.counter("tickline_dead_letters_total", {
  description: "Messages that no actor handled, by reason",
  incremental: true
})
