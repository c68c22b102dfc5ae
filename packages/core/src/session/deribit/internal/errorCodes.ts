/**
 * Deribit's errors by their numbers, as far as a program decides by them.
 *
 * @see https://docs.deribit.com/articles/errors (read 2026-11-26)
 * @since 0.1.0
 */

/**
 * A pool of credits is empty, which ends the session.
 *
 * @category constants
 * @since 0.1.0
 */
export const tooManyRequests = "10028"

/**
 * What may be asked again later: `too_many_requests`, `retry`,
 * `settlement_in_progress`, `matching_engine_queue_full`,
 * `too_many_concurrent_requests`, `system_maintenance`, `internal_server_error` and
 * `temporarily_unavailable`. The venue has not carried out what it answers so,
 * but for `internal_server_error`, where it does not say.
 *
 * @category constants
 * @since 0.1.0
 */
export const temporary: ReadonlySet<string> = new Set([
  tooManyRequests,
  "10040",
  "10041",
  "10047",
  "10066",
  "11051",
  "11094",
  "13028"
])

/**
 * The venue failed, and does not say whether it had carried out what was asked.
 *
 * @category constants
 * @since 0.1.0
 */
export const internalServerError = "11094"

/**
 * There is no such order: `order_not_found`, `not_found`.
 *
 * @category constants
 * @since 0.1.0
 */
export const unknownOrder: ReadonlySet<string> = new Set(["10004", "13020"])

/**
 * A parameter is wrong.
 *
 * @category constants
 * @since 0.1.0
 */
export const invalidParams = "-32602"
