/**
 * What Tickline measures of requests and sessions; see `metricDefinitions`.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * Requests, by the attribute `outcome`: how each ended.
 *
 * @category constants
 * @since 0.1.0
 */
export const requests = Metric.counter("tickline_requests_total", {
  description: "Requests, by outcome",
  incremental: true
})

/**
 * Requests that were not sent, by the attribute `reason`.
 *
 * @category constants
 * @since 0.1.0
 */
export const requestsNotSent = Metric.counter("tickline_requests_not_sent_total", {
  description: "Requests not sent, by reason",
  incremental: true
})

/**
 * Requests that were written and not answered, by the attribute `reason`.
 *
 * @category constants
 * @since 0.1.0
 */
export const requestsUnknown = Metric.counter("tickline_requests_unknown_total", {
  description: "Requests whose outcome is unknown, by reason",
  incremental: true
})

/**
 * Requests that wait for their answers, or to be written.
 *
 * @category constants
 * @since 0.1.0
 */
export const requestsPending = Metric.gauge("tickline_requests_pending", {
  description: "Requests under way"
})

/**
 * From a request to its answer, in milliseconds, of those that are answered.
 *
 * @category constants
 * @since 0.1.0
 */
export const requestDurations = Metric.histogram("tickline_request_duration_ms", {
  description: "From a request to its answer in milliseconds",
  boundaries: [0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000]
})

/**
 * Answers whose request is not under way (any more).
 *
 * @category constants
 * @since 0.1.0
 */
export const unmatchedAnswers = Metric.counter("tickline_unmatched_answers_total", {
  description: "Answers without a request under way",
  incremental: true
})

/**
 * Calls that the peer answered with an error.
 *
 * @category constants
 * @since 0.1.0
 */
export const rpcErrors = Metric.counter("tickline_rpc_errors_total", {
  description: "Calls answered with an error",
  incremental: true
})

/**
 * Sessions that are live: signed in, restored and reconciled.
 *
 * @category constants
 * @since 0.1.0
 */
export const sessionsLive = Metric.gauge("tickline_sessions_live", {
  description: "1 while the session is live, else 0; of several how many are"
})

/**
 * Sign-ins, by the attribute `outcome`.
 *
 * @category constants
 * @since 0.1.0
 */
export const signIns = Metric.counter("tickline_sign_ins_total", {
  description: "Sign-ins, by outcome",
  incremental: true
})

/**
 * Renewals of a sign-in before it ends, by the attribute `outcome`.
 *
 * @category constants
 * @since 0.1.0
 */
export const renewals = Metric.counter("tickline_renewals_total", {
  description: "Renewals of a sign-in, by outcome",
  incremental: true
})

/**
 * Reconciliations of a restored session, by the attribute `outcome`.
 *
 * @category constants
 * @since 0.1.0
 */
export const reconciliations = Metric.counter("tickline_reconciliations_total", {
  description: "Reconciliations of a session, by outcome",
  incremental: true
})

/**
 * What is left of a venue's credits, in calls, by the attribute `pool`; read when it is asked for.
 *
 * @category constants
 * @since 0.1.0
 */
export const creditsLeft = Metric.gauge("tickline_credits_left", {
  description: "Calls that the credits of a pool allow now"
})

/**
 * Calls that waited for their credits, by the attribute `pool`.
 *
 * @category constants
 * @since 0.1.0
 */
export const creditWaits = Metric.counter("tickline_credit_waits_total", {
  description: "Calls that waited for credits, by pool",
  incremental: true
})

/**
 * Times the venue said that a pool is empty, by the attribute `pool`.
 *
 * @category constants
 * @since 0.1.0
 */
export const creditsExhausted = Metric.counter("tickline_credits_exhausted_total", {
  description: "Times the venue found a pool of credits empty",
  incremental: true
})
