/**
 * What Tickline measures of itself: the metric definitions of Effect's
 * `Metric`, updated once per batch or per transition, never per frame.
 *
 * Every metric carries the attribute `connection`: the connection's label, a
 * venue's name where it has one, its origin otherwise.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * Dials begun.
 *
 * @category constants
 * @since 0.1.0
 */
export const dials = Metric.counter("tickline_dials_total", { description: "Dials begun", incremental: true })

/**
 * Epochs begun: dials that gave a wire whose subscriptions were restored.
 *
 * @category constants
 * @since 0.1.0
 */
export const connects = Metric.counter("tickline_connects_total", {
  description: "Connections established",
  incremental: true
})

/**
 * Failures, by the attribute `kind`: failed dials and ended epochs.
 *
 * @category constants
 * @since 0.1.0
 */
export const failures = Metric.counter("tickline_failures_total", {
  description: "Failed dials and dropped connections, by kind",
  incremental: true
})

/**
 * Retries begun to be waited for.
 *
 * @category constants
 * @since 0.1.0
 */
export const retries = Metric.counter("tickline_retries_total", { description: "Retries", incremental: true })

/**
 * Times a connection gave up.
 *
 * @category constants
 * @since 0.1.0
 */
export const giveUps = Metric.counter("tickline_give_ups_total", {
  description: "Connections that gave up",
  incremental: true
})

/**
 * Frames received.
 *
 * @category constants
 * @since 0.1.0
 */
export const frames = Metric.counter("tickline_frames_total", { description: "Frames received", incremental: true })

/**
 * Bytes received, in the messages' own size.
 *
 * @category constants
 * @since 0.1.0
 */
export const bytes = Metric.counter("tickline_received_bytes_total", {
  description: "Bytes received in messages",
  incremental: true
})

/**
 * Frames that could not be read.
 *
 * @category constants
 * @since 0.1.0
 */
export const rejections = Metric.counter("tickline_rejections_total", {
  description: "Frames that could not be read",
  incremental: true
})

/**
 * Numbers missing from a sequence.
 *
 * @category constants
 * @since 0.1.0
 */
export const sequenceGaps = Metric.counter("tickline_sequence_gaps_total", {
  description: "Gaps seen in the sequence member",
  incremental: true
})

/**
 * 1 while the connection is up, else 0.
 *
 * @category constants
 * @since 0.1.0
 */
export const connected = Metric.gauge("tickline_connected", { description: "1 while the connection is up, else 0" })

/**
 * The delay before the next dial, in milliseconds; 0 while none is waited for.
 *
 * @category constants
 * @since 0.1.0
 */
export const backoffDelay = Metric.gauge("tickline_backoff_delay_ms", {
  description: "Delay before the next dial in milliseconds"
})

/**
 * Messages that wait to be written.
 *
 * @category constants
 * @since 0.1.0
 */
export const outboxWaiting = Metric.gauge("tickline_outbox_waiting", {
  description: "Messages waiting to be written"
})

/**
 * The last round trip of a ping, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const roundTrip = Metric.gauge("tickline_round_trip_ms", { description: "Last ping round trip in milliseconds" })
