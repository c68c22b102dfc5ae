/**
 * What happens to the connection and to the data's continuity.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Timestamp from "../value/Timestamp.ts"

/**
 * The connection came into a state. `attempt` counts dials since the last
 * success, `delayMillis` is the wait before the next; `leg` is which of a feed's
 * connections it is: absent for the first one while that is the only one.
 *
 * @category models
 * @since 0.1.0
 */
export class ConnectionEvent extends Schema.TaggedClass<ConnectionEvent>()("Connection", {
  venue: Schema.String,
  state: Schema.Literals([
    "Connecting",
    "Connected",
    "Reconnecting",
    "CircuitOpen",
    "Closing",
    "Disconnected",
    "Failed"
  ]),
  epoch: Schema.optionalKey(Schema.Finite),
  attempt: Schema.optionalKey(Schema.Finite),
  delayMillis: Schema.optionalKey(Schema.Finite),
  reason: Schema.optionalKey(Schema.String),
  at: Schema.optionalKey(Timestamp.FromText),
  leg: Schema.optionalKey(Schema.Finite)
}) {}

/**
 * The circuit breaker changed its state.
 *
 * @category models
 * @since 0.1.0
 */
export class BreakerEvent extends Schema.TaggedClass<BreakerEvent>()("Breaker", {
  venue: Schema.String,
  leg: Schema.optionalKey(Schema.Finite),
  from: Schema.Literals(["Closed", "Open", "HalfOpen"]),
  to: Schema.Literals(["Closed", "Open", "HalfOpen"]),
  openForMillis: Schema.optionalKey(Schema.Finite),
  at: Schema.optionalKey(Timestamp.FromText)
}) {}

/**
 * Data went missing between two points, which are sequence numbers or
 * timestamps. `recovered` says how the hole was closed, where it was; `missing`
 * how many messages it holds, where that is known.
 *
 * The gap of a drop is told when it is noticed, without `to`, and again with
 * `to`, channel by channel: when the venue has acknowledged the channel on the
 * new connection or its first data is there, before that data; or when the venue
 * has refused it, or it is given up. A drop before that goes on with the gap.
 *
 * @category models
 * @since 0.1.0
 */
export class Gap extends Schema.TaggedClass<Gap>()("Gap", {
  venue: Schema.String,
  product: Schema.optionalKey(Schema.String),
  channel: Schema.optionalKey(Schema.String),
  from: Schema.optionalKey(Schema.String),
  to: Schema.optionalKey(Schema.String),
  cause: Schema.Literals(["disconnect", "sequence", "checksum", "crossed", "overflow", "stale"]),
  recovered: Schema.optionalKey(Schema.Literals(["snapshot", "backfill", "redundant"])),
  missing: Schema.optionalKey(Schema.Finite)
}) {}

/**
 * A new connection of a feed, the leg `to`, has taken over from another one, the
 * leg `from`, which is closed: nothing was missed in between.
 *
 * @category models
 * @since 0.1.0
 */
export class Rotated extends Schema.TaggedClass<Rotated>()("Rotated", {
  venue: Schema.String,
  from: Schema.Finite,
  to: Schema.Finite,
  reason: Schema.String,
  at: Timestamp.FromText
}) {}

/**
 * A product has been silent for longer than it should.
 *
 * @category models
 * @since 0.1.0
 */
export class Stale extends Schema.TaggedClass<Stale>()("Stale", {
  venue: Schema.String,
  product: Schema.optionalKey(Schema.String),
  channel: Schema.optionalKey(Schema.String),
  silentForMillis: Schema.Finite
}) {}
