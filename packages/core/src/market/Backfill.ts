/**
 * Trades that were missed are fetched: what was traded while a connection was
 * down, and what ids show to be missing without that, is asked for over the
 * venue's REST interface, if an `HttpPort` is provided and the venue has one for
 * it (`rest.trades` of the `Venue`).
 *
 * What is fetched stands in the feed's streams as trades with `history: true`, in
 * order and each once, before the live ones of the same product, which wait for
 * it, but not longer than `maxWait`: then they pass, and what is fetched comes
 * behind them. The gap ends when it is there, as `recovered: "backfill"`; what the
 * venue no longer has stays a gap.
 *
 * An observer (`observe` of the feed) sees what the socket brings, when it does:
 * it waits for nothing, and is not shown what is fetched.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"

/**
 * How missed trades are fetched.
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  /** How long the live trades of a product wait for those that are fetched. Default: 2 s. */
  readonly maxWait?: Duration.Input | undefined
  /** After how long a fetch is given up; what it has brought by then is told. Default: 1 minute. */
  readonly deadline?: Duration.Input | undefined
  /** How many answers one fetch follows at most. Default: 20. */
  readonly maxPages?: number | undefined
}
