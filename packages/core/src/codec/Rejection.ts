/**
 * A frame that is refused, as a plain value: for what reason, by which path, and
 * why.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { uncheckedConstructor } from "../value/internal/uncheckedConstructor.ts"
import * as Printable from "../value/Printable.ts"
import type * as ExactJson from "./ExactJson.ts"
import * as RejectionWords from "./internal/rejectionWords.ts"

/**
 * Why a frame could not be decoded.
 *
 * - `MalformedJson`: not JSON, nested too deeply, or binary on a text venue.
 * - `NotAnObject`: JSON, but not an object.
 * - `MissingField`, `InvalidField`: `field` names the first bad path.
 * - `UnknownMessage`: an object without the member that names its kind.
 * - `TooLarge`: over the limit of its reader.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RejectionReason = Schema.Literals([
  "MalformedJson",
  "NotAnObject",
  "MissingField",
  "InvalidField",
  "UnknownMessage",
  "TooLarge"
])

/**
 * Why a frame could not be decoded.
 *
 * @category models
 * @since 0.1.0
 */
export type RejectionReason = typeof RejectionReason.Type

/**
 * A frame that could not be decoded. A plain value, not an `Error`: a hostile
 * peer can cause any number of them, and none captures a stack. `field` is a
 * path such as `changes[0][1]`.
 *
 * @category models
 * @since 0.1.0
 */
export class FrameRejected extends Schema.TaggedClass<FrameRejected>()("FrameRejected", {
  venue: Schema.String,
  reason: RejectionReason,
  field: Schema.optionalKey(Schema.String),
  message: Schema.String
}) {}

/**
 * Returns whether the value is a refused frame.
 *
 * @category guards
 * @since 0.1.0
 */
export const isFrameRejected = (value: unknown): value is FrameRejected => value instanceof FrameRejected

const UncheckedFrameRejected = uncheckedConstructor(FrameRejected.prototype, function(
  venue: string,
  reason: RejectionReason,
  field: string | undefined,
  message: string
) {
  this._tag = "FrameRejected"
  this.venue = venue
  this.reason = reason
  if (field !== undefined) this.field = field
  this.message = message
})

/** With these the printed line of a rejection stays under 1,000 characters, even if each is a quote that JSON escapes. */
const longestField = 100
const longestMessage = 280

/**
 * Makes the rejection of a frame. An overlong path or message is cut, so that
 * the printed line stays within 1,000 characters.
 *
 * @category constructors
 * @since 0.1.0
 */
export const frameRejected = (
  venue: string,
  reason: RejectionReason,
  field: string | undefined,
  message: string
): FrameRejected =>
  new UncheckedFrameRejected(
    venue,
    reason,
    field === undefined ? undefined : Printable.cut(field, longestField),
    Printable.cut(message, longestMessage)
  )

/**
 * An object without the member that names its kind.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unknownMessage = (venue: string, member: string): FrameRejected =>
  frameRejected(venue, ...RejectionWords.unknownMessage(member))

/**
 * A value that is not what its place in the frame asks for; `undefined` where
 * there is none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unexpected = (
  venue: string,
  at: ReadonlyArray<PropertyKey>,
  expected: string,
  value: ExactJson.Json | undefined
): FrameRejected => frameRejected(venue, ...RejectionWords.unexpected(at, expected, value))
