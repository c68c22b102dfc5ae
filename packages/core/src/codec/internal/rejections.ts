/**
 * The rejections that are made in one place each.
 *
 * @since 0.1.0
 */
import * as SchemaIssue from "effect/SchemaIssue"
import * as EscapedText from "../../value/internal/escapedText.ts"
import type * as ExactJson from "../ExactJson.ts"
import { type FrameRejected, frameRejected } from "../Rejection.ts"
import { formatPath } from "./fieldPath.ts"
import * as JsonText from "./jsonText.ts"

const member = (value: unknown, key: PropertyKey): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined

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
      : `JSON syntax: ${cause.message}, near ${EscapedText.quote(frame.slice(from, from + 65))}`
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
    `invalid structure: expected an object, found ${JsonText.describe(json)}`
  )

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
    `${field}: ${expectation(issue)}, found ${JsonText.describe(value)}`
  )
}
