/**
 * What a venue's frame says beside prices: signs of life, answers, errors, and
 * what has no event of its own. As with market data, `new Heartbeat({...})`
 * validates and `heartbeat({...})` trusts its caller.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { type Members, uncheckedConstructor } from "../value/internal/uncheckedConstructor.ts"

/**
 * A sign of life, such as `"heartbeat"`, `"testRequest"` or `"pong"`.
 *
 * @category models
 * @since 0.1.0
 */
export class Heartbeat extends Schema.TaggedClass<Heartbeat>()("Heartbeat", {
  venue: Schema.String,
  kind: Schema.String
}) {}

/**
 * The venue confirms a subscription: of one channel and product, of a channel
 * that has no products, or of nothing named.
 *
 * @category models
 * @since 0.1.0
 */
export class Subscribed extends Schema.TaggedClass<Subscribed>()("Subscribed", {
  venue: Schema.String,
  channel: Schema.optionalKey(Schema.String),
  product: Schema.optionalKey(Schema.String),
  requestId: Schema.optionalKey(Schema.String)
}) {}

/**
 * The venue confirms the end of a subscription.
 *
 * @category models
 * @since 0.1.0
 */
export class Unsubscribed extends Schema.TaggedClass<Unsubscribed>()("Unsubscribed", {
  venue: Schema.String,
  channel: Schema.optionalKey(Schema.String),
  product: Schema.optionalKey(Schema.String),
  requestId: Schema.optionalKey(Schema.String)
}) {}

/**
 * The venue reports an error of its own.
 *
 * @category models
 * @since 0.1.0
 */
export class VenueError extends Schema.TaggedClass<VenueError>()("VenueError", {
  venue: Schema.String,
  code: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
  requestId: Schema.optionalKey(Schema.String)
}) {}

/**
 * The result of a request that says nothing of what was asked.
 *
 * @category models
 * @since 0.1.0
 */
export class Response extends Schema.TaggedClass<Response>()("Response", {
  venue: Schema.String,
  requestId: Schema.optionalKey(Schema.String),
  result: Schema.optionalKey(Schema.Unknown)
}) {}

/**
 * A well-formed frame of a kind that has no event of its own. No price is taken
 * from it.
 *
 * @category models
 * @since 0.1.0
 */
export class Other extends Schema.TaggedClass<Other>()("Other", {
  venue: Schema.String,
  kind: Schema.String
}) {}

// ---------------------------------------------------------------------------
// Unchecked construction
// ---------------------------------------------------------------------------

const UncheckedHeartbeat = uncheckedConstructor(Heartbeat.prototype, function(members: Members<Heartbeat>) {
  this._tag = "Heartbeat"
  this.venue = members.venue
  this.kind = members.kind
})

/**
 * Makes a sign of life from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const heartbeat = (members: Members<Heartbeat>): Heartbeat => new UncheckedHeartbeat(members)

const UncheckedOther = uncheckedConstructor(Other.prototype, function(members: Members<Other>) {
  this._tag = "Other"
  this.venue = members.venue
  this.kind = members.kind
})

/**
 * Makes an event of a kind that has no event of its own from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const other = (members: Members<Other>): Other => new UncheckedOther(members)

const UncheckedSubscribed = uncheckedConstructor(Subscribed.prototype, function(members: Members<Subscribed>) {
  this._tag = "Subscribed"
  this.venue = members.venue
  if (members.channel !== undefined) this.channel = members.channel
  if (members.product !== undefined) this.product = members.product
  if (members.requestId !== undefined) this.requestId = members.requestId
})

/**
 * Makes the confirmation of a subscription from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const subscribed = (members: Members<Subscribed>): Subscribed => new UncheckedSubscribed(members)

const UncheckedUnsubscribed = uncheckedConstructor(Unsubscribed.prototype, function(members: Members<Unsubscribed>) {
  this._tag = "Unsubscribed"
  this.venue = members.venue
  if (members.channel !== undefined) this.channel = members.channel
  if (members.product !== undefined) this.product = members.product
  if (members.requestId !== undefined) this.requestId = members.requestId
})

/**
 * Makes the confirmation of a subscription's end from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unsubscribed = (members: Members<Unsubscribed>): Unsubscribed => new UncheckedUnsubscribed(members)

const UncheckedVenueError = uncheckedConstructor(VenueError.prototype, function(members: Members<VenueError>) {
  this._tag = "VenueError"
  this.venue = members.venue
  if (members.code !== undefined) this.code = members.code
  if (members.message !== undefined) this.message = members.message
  if (members.requestId !== undefined) this.requestId = members.requestId
})

/**
 * Makes an error of the venue's from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const venueError = (members: Members<VenueError>): VenueError => new UncheckedVenueError(members)

const UncheckedResponse = uncheckedConstructor(Response.prototype, function(members: Members<Response>) {
  this._tag = "Response"
  this.venue = members.venue
  if (members.requestId !== undefined) this.requestId = members.requestId
  if (members.result !== undefined) this.result = members.result
})

/**
 * Makes the result of a request from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const response = (members: Members<Response>): Response => new UncheckedResponse(members)
