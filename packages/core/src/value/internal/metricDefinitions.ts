/**
 * What Tickline measures of itself: the metric definitions of Effect's
 * `Metric`, updated once per batch or per transition, never per frame.
 *
 * Every metric carries the attribute `connection`: the connection's label, a
 * venue's name where it has one, its origin otherwise. All are there from the
 * moment a connection or feed is made, at zero, so that an alert on a counter's
 * increase sees the first one too.
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
 * Frames that could not be read, by the attribute `reason`.
 *
 * @category constants
 * @since 0.1.0
 */
export const rejections = Metric.counter("tickline_rejections_total", {
  description: "Frames that could not be read, by reason",
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
export const connected = Metric.gauge("tickline_connected", {
  description: "1 while the connection is up, else 0; of a feed with several how many are"
})

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

/**
 * Messages that consumers did not get because they did not keep up.
 *
 * @category constants
 * @since 0.1.0
 */
export const missed = Metric.counter("tickline_missed_messages_total", {
  description: "Messages that slow consumers did not get",
  incremental: true
})

/**
 * Messages that were sent in an epoch which ended before the peer was seen to
 * have read them.
 *
 * @category constants
 * @since 0.1.0
 */
export const unconfirmed = Metric.counter("tickline_unconfirmed_messages_total", {
  description: "Sent messages that may not have arrived",
  incremental: true
})

/**
 * Times an observer of a connection threw.
 *
 * @category constants
 * @since 0.1.0
 */
export const observerErrors = Metric.counter("tickline_observer_errors_total", {
  description: "Times an observer threw",
  incremental: true
})

/**
 * Pings without an answer in time, and overdue heartbeats.
 *
 * @category constants
 * @since 0.1.0
 */
export const heartbeatsMissed = Metric.counter("tickline_heartbeats_missed_total", {
  description: "Heartbeats that did not come in time",
  incremental: true
})

/**
 * Market events of a feed, by the attribute `channel`: the venue's own channel.
 *
 * @category constants
 * @since 0.1.0
 */
export const events = Metric.counter("tickline_events_total", {
  description: "Market events received, by channel",
  incremental: true
})

/**
 * Gaps of a feed, by the attribute `cause`, one for each channel and product.
 *
 * @category constants
 * @since 0.1.0
 */
export const gaps = Metric.counter("tickline_gaps_total", {
  description: "Gaps in the data, by cause",
  incremental: true
})

/**
 * Subscriptions of a feed that were found not to deliver.
 *
 * @category constants
 * @since 0.1.0
 */
export const stale = Metric.counter("tickline_stale_total", {
  description: "Subscriptions found not to deliver",
  incremental: true
})

/**
 * How old the last data of a subscription is, in milliseconds, by the
 * attributes `channel` and `product`; read when metrics are. Before the first
 * it is how long ago it was subscribed to. It grows through outages.
 *
 * @category constants
 * @since 0.1.0
 */
export const age = Metric.gauge("tickline_data_age_ms", {
  description: "Age of a subscription's last data in milliseconds"
})

/**
 * What is added to the wall clock to have the venue's, in milliseconds, as of the
 * last measurement.
 *
 * @category constants
 * @since 0.1.0
 */
export const clockOffset = Metric.gauge("tickline_clock_offset_ms", {
  description: "The venue's clock minus ours in milliseconds"
})

/**
 * How far at most the measured offset is wrong, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const clockUncertainty = Metric.gauge("tickline_clock_uncertainty_ms", {
  description: "Uncertainty of the venue's clock in milliseconds"
})

/**
 * How far the venue's clock has gone ahead of our monotonic one since it was
 * first measured, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const clockDrift = Metric.gauge("tickline_clock_drift_ms", {
  description: "Drift of the venue's clock since it was first measured in milliseconds"
})

/**
 * From a venue's own time on an event to when it came in, in milliseconds, of
 * one event a tenth of a second at most.
 *
 * @category constants
 * @since 0.1.0
 */
export const latency = Metric.histogram("tickline_event_latency_ms", {
  description: "From the venue's timestamp to the receipt of an event in milliseconds",
  boundaries: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]
})

/**
 * Round trips of pings, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const roundTrips = Metric.histogram("tickline_ping_round_trip_ms", {
  description: "Ping round trips in milliseconds",
  boundaries: [0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000]
})

/**
 * From the begin of a dial to the open connection with its subscriptions asked
 * for, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const dialDurations = Metric.histogram("tickline_dial_duration_ms", {
  description: "Duration of successful dials in milliseconds",
  boundaries: [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]
})

/**
 * From the end of an epoch, or a first failed dial, to the next epoch, in
 * milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const outages = Metric.histogram("tickline_outage_duration_ms", {
  description: "Duration of outages in milliseconds",
  boundaries: [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 3_600_000]
})

/**
 * Heartbeats answered: pongs to our pings, and our answers to the peer's tests.
 *
 * @category constants
 * @since 0.1.0
 */
export const heartbeatsAnswered = Metric.counter("tickline_heartbeats_answered_total", {
  description: "Heartbeats answered, by the peer or by us",
  incremental: true
})

/**
 * Dials that were due and had to wait for the limit on dials.
 *
 * @category constants
 * @since 0.1.0
 */
export const dialsHeld = Metric.counter("tickline_dials_held_total", {
  description: "Dials held up by the limit",
  incremental: true
})

/**
 * Subscriptions confirmed, each once an epoch.
 *
 * @category constants
 * @since 0.1.0
 */
export const subscriptionsConfirmed = Metric.counter("tickline_subscriptions_confirmed_total", {
  description: "Subscriptions confirmed",
  incremental: true
})

/**
 * Subscriptions refused, or not answered in time.
 *
 * @category constants
 * @since 0.1.0
 */
export const subscriptionsRefused = Metric.counter("tickline_subscriptions_refused_total", {
  description: "Subscriptions refused",
  incremental: true
})

/**
 * Takeovers of a connection by a new one, by the attribute `outcome`.
 *
 * @category constants
 * @since 0.1.0
 */
export const rotations = Metric.counter("tickline_rotations_total", {
  description: "Connections replaced by new ones, by outcome",
  incremental: true
})
