/**
 * Why a frame is refused, in words: all of them are here. `Rejection` makes the
 * refused frame of them.
 *
 * @since 0.1.0
 */
import * as SchemaIssue from "effect/SchemaIssue"
import * as EscapedText from "../../value/internal/escapedText.ts"
import type * as ExactJson from "../ExactJson.ts"
import { formatPath } from "./fieldPath.ts"
import * as JsonText from "./jsonText.ts"

/** What a rejection says: its reason, the path that it names, and its message. */
type Words<Reason> = readonly [reason: Reason, field: string | undefined, message: string]

/**
 * An object without the member that names its kind.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unknownMessage = (member: string): Words<"UnknownMessage"> => [
  "UnknownMessage",
  undefined,
  `the message has no ${member} that names its kind`
]

/**
 * A member that is not there. `others` are missing with it, though any of them would do.
 *
 * @category constructors
 * @since 0.1.0
 */
export const missing = (at: ReadonlyArray<PropertyKey>, others: ReadonlyArray<string> = []): Words<"MissingField"> => {
  const field = formatPath(at)
  const rest = others.length > 1
    ? `, and so are ${others.join(" and ")}`
    : others.map((name) => `, and so is ${name}`).join()
  return ["MissingField", field, `${field} is missing${rest}`]
}

/**
 * A value that is not what its place in the frame asks for; `undefined` if there
 * is none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unexpected = (
  at: ReadonlyArray<PropertyKey>,
  expected: string,
  value: ExactJson.Json | undefined
): Words<"MissingField" | "InvalidField"> => {
  if (value === undefined) return missing(at)
  const field = formatPath(at)
  if (value === null) return ["InvalidField", field, `${field} is null`]
  return ["InvalidField", field, `${field}: expected ${expected}, found ${JsonText.describe(value)}`]
}

/**
 * A long frame that would become much longer in plain notation.
 *
 * @category constructors
 * @since 0.1.0
 */
export const tooLarge = (digits: number): Words<"TooLarge"> => [
  "TooLarge",
  undefined,
  `more than ${digits} digits of exponents in plain notation`
]

const member = (value: unknown, key: PropertyKey): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined

/**
 * A binary message from a venue that speaks text.
 *
 * @category constructors
 * @since 0.1.0
 */
export const binary = (bytes: Uint8Array): Words<"MalformedJson"> => [
  "MalformedJson",
  undefined,
  `JSON syntax: a binary message of ${bytes.byteLength} bytes`
]

/**
 * A text that is not JSON, or has more different names of members than are read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const malformed = (frame: string, cause: ExactJson.Malformed): Words<"TooLarge" | "MalformedJson"> => {
  if (cause.isTooLarge) return ["TooLarge", undefined, cause.message]
  const from = Math.max(0, cause.offset - 16)
  return [
    "MalformedJson",
    undefined,
    frame.length === 0
      ? "JSON syntax: the message is empty"
      : `JSON syntax: ${cause.message}, near ${EscapedText.quote(frame.slice(from, from + 65))}`
  ]
}

/**
 * JSON, but not an object.
 *
 * @category constructors
 * @since 0.1.0
 */
export const notAnObject = (json: ExactJson.Json): Words<"NotAnObject"> => [
  "NotAnObject",
  undefined,
  `invalid structure: expected an object, found ${JsonText.describe(json)}`
]

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
  frame: ExactJson.Json,
  cause: SchemaIssue.Issue,
  at: ReadonlyArray<PropertyKey> = []
): Words<"MissingField" | "InvalidField"> => {
  const { issue, path } = firstFault(cause, [])
  if (issue._tag === "MissingKey") return missing([...at, ...path])
  const field = formatPath([...at, ...path])
  let value: unknown = frame
  for (const key of path) value = member(value, key)
  if (value === null) return ["InvalidField", field, `${field} is null`]
  if (value === "") return ["InvalidField", field, `${field} is empty`]
  return ["InvalidField", field, `${field}: ${expectation(issue)}, found ${JsonText.describe(value)}`]
}
