/**
 * Several connections for one feed, side by side: what arrives first is told,
 * what another one has told already is passed over, and what one has missed is
 * there if another one has it.
 *
 * What an event is known by, whatever the connection that brings it:
 *
 * - a trade by its id, a change of a book by its number where the venue numbers
 *   them (`sequenced` of the `Venue`): whichever connection is first. What only
 *   the slower one has comes late, behind what is newer
 * - a ticker, a bare price and a whole book by number, or else by time: what is
 *   older than what was told is passed over
 * - what has none of these follows one connection, until that drops; then the
 *   next one to bring something takes over
 *
 * Books that are kept (`feed.book`) are kept of each connection, and told of one
 * that is whole: one that breaks is replaced by another at once.
 *
 * @since 0.1.0
 */

/**
 * How many connections a feed has, and where they go.
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  /**
   * The endpoint of each connection, `undefined` for that of the feed: `[undefined, undefined]` are two to the same one.
   * The feed's limits and its breaker are those of each endpoint.
   */
  readonly endpoints: readonly [string | undefined, ...ReadonlyArray<string | undefined>]
}

/**
 * How one connection of a feed does. Of several, in events that are known by id
 * or number: how often it was first, and how much earlier than the next one in
 * milliseconds, how often it was later, and how much it brought that no other
 * one has brought since; zero where there was no other one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly leg: number
  readonly isUp: boolean
  readonly first: number
  readonly later: number
  readonly alone: number
  readonly meanLeadMillis: number
  readonly mostLeadMillis: number
}
