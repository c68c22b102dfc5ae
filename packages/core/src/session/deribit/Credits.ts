/**
 * Deribit's limits on calls, and what is left of them.
 *
 * Each sub-account has pools that fill up again at a steady rate. A call that
 * comes when its pool is empty is answered with `too_many_requests` (10028), and
 * the venue ends the session, which cancels the orders of who has asked for
 * that: so what is sent has to stay within the pools.
 *
 * @see https://docs.deribit.com/articles/rate-limits (read 2026-11-21)
 * @since 0.1.0
 */

/**
 * What calls draw from:
 *
 * - `requests`: all that the matching engine has no part in
 * - `subscribe`: subscriptions to channels
 * - `instruments`: `public/get_instruments`
 * - `matching`: what places, changes or cancels
 * - `cancel-all`: `private/cancel_all`
 * - `quotes`: `private/mass_quote`
 *
 * @category models
 * @since 0.1.0
 */
export type Pool = "requests" | "subscribe" | "instruments" | "matching" | "cancel-all" | "quotes"

/**
 * The credits that a call takes. The pools of the matching engine count requests
 * and no credits.
 *
 * @category constants
 * @since 0.1.0
 */
export const costs: { readonly [K in Pool]: number } = {
  requests: 500,
  subscribe: 3_000,
  instruments: 10_000,
  matching: 0,
  "cancel-all": 0,
  quotes: 0
}
