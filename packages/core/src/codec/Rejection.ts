/**
 * Why a frame is refused, in words: turns what the exact JSON reader or a Schema
 * says into a `FrameRejected` that names the first bad path.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { trusted } from "../value/internal/trusted.ts"
import * as Printable from "../value/Printable.ts"
import * as ExactJson from "./ExactJson.ts"

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

const TrustedFrameRejected = trusted(FrameRejected.prototype, function(
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
  new TrustedFrameRejected(
    venue,
    reason,
    field === undefined ? undefined : Printable.cut(field, longestField),
    Printable.cut(message, longestMessage)
  )

/**
 * A binary message from a venue that speaks text.
 *
 * @category constructors
 * @since 0.1.0
 */
export const binary = (venue: string, bytes: Uint8Array): FrameRejected =>
  frameRejected(venue, "MalformedJson", undefined, `JSON syntax: a binary message of ${bytes.byteLength} bytes`)

/**
 * A text that is not JSON, or has more different names of members than are read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const malformed = (venue: string, frame: string, cause: ExactJson.Malformed): FrameRejected => {
  if (cause.isTooLarge) return frameRejected(venue, "TooLarge", undefined, cause.message)
  const from = Math.max(0, cause.offset - 16)
  return frameRejected(
    venue,
    "MalformedJson",
    undefined,
    frame.length === 0
      ? "JSON syntax: the message is empty"
      : `JSON syntax: ${cause.message}, near ${Printable.quote(frame.slice(from, from + 65))}`
  )
}

/**
 * JSON, but not an object.
 *
 * @category constructors
 * @since 0.1.0
 */
export const notAnObject = (venue: string, json: ExactJson.Json): FrameRejected =>
  frameRejected(
    venue,
    "NotAnObject",
    undefined,
    `invalid structure: expected an object, found ${ExactJson.describe(json)}`
  )

/**
 * An object without the member that names its kind.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unknownMessage = (venue: string, member: string): FrameRejected =>
  frameRejected(venue, "UnknownMessage", undefined, `the message has no ${member} that names its kind`)

/**
 * A path in a frame, as in `changes[0][1]`.
 *
 * @category getters
 * @since 0.1.0
 */
export const formatPath = (path: ReadonlyArray<PropertyKey>): string => {
  let out = ""
  for (const key of path) out += typeof key === "number" ? `[${key}]` : out === "" ? String(key) : `.${String(key)}`
  return out
}

const member = (value: unknown, key: PropertyKey): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined

interface Fault {
  readonly path: ReadonlyArray<PropertyKey>
  readonly issue: SchemaIssue.Leaf | SchemaIssue.AnyOf | SchemaIssue.OneOf
}

/** The first fault that an issue tells of. */
const firstFault = (issue: SchemaIssue.Issue, path: ReadonlyArray<PropertyKey>): Fault => {
  switch (issue._tag) {
    case "Pointer":
      return firstFault(issue.issue, [...path, ...issue.path])
    case "Filter":
    case "Encoding":
      return firstFault(issue.issue, path)
    case "Composite":
      return firstFault(issue.issues[0], path)
    case "AnyOf": {
      // Of the forms that a value may have, the first is the usual one (the other is `null`).
      const inner = issue.issues[0]
      return inner === undefined ? { path, issue } : firstFault(inner, path)
    }
    default:
      return { path, issue }
  }
}

const formatUnion = SchemaIssue.makeFormatterDefault()

const expectation = (issue: Fault["issue"]): string => {
  const text = issue._tag === "AnyOf" || issue._tag === "OneOf"
    ? formatUnion(issue)
    : SchemaIssue.defaultLeafHook(issue)
  return text.length > 160 ? "expected another value" : text.charAt(0).toLowerCase() + text.slice(1)
}

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
): FrameRejected => {
  const field = formatPath(at)
  if (value === undefined) return frameRejected(venue, "MissingField", field, `${field} is missing`)
  if (value === null) return frameRejected(venue, "InvalidField", field, `${field} is null`)
  return frameRejected(
    venue,
    "InvalidField",
    field,
    `${field}: expected ${expected}, found ${ExactJson.describe(value)}`
  )
}

/**
 * A frame whose shape or values are not what its kind asks for: names the first
 * fault that the issue tells of. `at` is where the value that was read stands in
 * the frame, where it is a part of it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const invalid = (
  venue: string,
  frame: ExactJson.Json,
  cause: SchemaIssue.Issue,
  at: ReadonlyArray<PropertyKey> = []
): FrameRejected => {
  const { issue, path } = firstFault(cause, [])
  const field = formatPath([...at, ...path])
  if (issue._tag === "MissingKey") return frameRejected(venue, "MissingField", field, `${field} is missing`)
  let value: unknown = frame
  for (const key of path) value = member(value, key)
  if (value === null) return frameRejected(venue, "InvalidField", field, `${field} is null`)
  if (value === "") return frameRejected(venue, "InvalidField", field, `${field} is empty`)
  return frameRejected(
    venue,
    "InvalidField",
    field,
    `${field}: ${expectation(issue)}, found ${ExactJson.describe(value)}`
  )
}
