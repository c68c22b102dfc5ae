/**
 * A new connection before the old one ends: dialled, subscribed and confirmed
 * while the old one still delivers, so that nothing is missed when it is closed.
 * What both bring is told once; order books are handed over when those of the new
 * connection are whole.
 *
 * A connection is replaced before the venue's own limit on a session, when the
 * venue announces that it is about to end it, and when `rotate` of a feed is
 * called. If the new one does not come up, the old one stays, and another is
 * tried.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/**
 * No new connection has taken over: the feed is not connected, or was closed
 * meanwhile.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotRotated extends Schema.TaggedError<NotRotated>()("NotRotated", {
  venue: Schema.String,
  reason: Schema.Literals(["not connected", "closed"])
}) {
  override get message(): string {
    return `${this.venue}: no new connection: ${this.reason}`
  }
}

/**
 * When a connection is replaced.
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  /**
   * How long before the venue's own limit on a session (`sessionMillis` of the `Venue`), or after how long without one.
   * `"never"`: only when the venue announces the end, or somebody asks. Default: 10 minutes before, where there is a limit.
   */
  readonly when?: { readonly before: Duration.Input } | { readonly after: Duration.Input } | "never" | undefined
  /**
   * For how long both stay when the new one is live, so that what is still on its way over the old one arrives. Default:
   * 2 s.
   */
  readonly overlap?: Duration.Input | undefined
  /** How long after a new connection has failed for good the next one is tried. Default: 30 s. */
  readonly again?: Duration.Input | undefined
}
