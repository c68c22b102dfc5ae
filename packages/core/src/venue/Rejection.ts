/**
 * Why a frame is refused, in words: turns what the exact JSON reader or a Schema
 * says into a `FrameRejected` that names the first bad path.
 *
 * @since 0.1.0
 */
import * as SchemaIssue from "effect/SchemaIssue"
import * as ExactJson from "../value/ExactJson.ts"
import { type FrameRejected, frameRejected, quote } from "../value/MarketEvent.ts"

/**
 * A binary message from a venue that speaks text.
 *
 * @category constructors
 * @since 0.1.0
 */
export const binary = (venue: string, bytes: Uint8Array): FrameRejected =>
  frameRejected(venue, "MalformedJson", undefined, `JSON syntax: a binary message of ${bytes.byteLength} bytes`)

/**
 * A text that is not JSON.
 *
 * @category constructors
 * @since 0.1.0
 */
export const malformed = (venue: string, frame: string, cause: ExactJson.Malformed): FrameRejected => {
  const from = Math.max(0, cause.offset - 16)
  return frameRejected(
    venue,
    "MalformedJson",
    undefined,
    frame.length === 0
      ? "JSON syntax: the message is empty"
      : `JSON syntax: ${cause.message}, near ${quote(frame.slice(from, from + 65))}`
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

interface Leaf {
  readonly path: ReadonlyArray<PropertyKey>
  readonly issue: SchemaIssue.Leaf | SchemaIssue.AnyOf
  /** For each step of the path, its place in the frame. */
  readonly order: ReadonlyArray<number>
}

const at = (value: unknown, key: PropertyKey): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined

/** Where a step of a path stands in its parent; what is missing is noticed at the parent's end. */
const placeOf = (parent: unknown, key: PropertyKey): number => {
  if (typeof key === "number") return key
  if (typeof parent !== "object" || parent === null) return Number.POSITIVE_INFINITY
  const place = Object.keys(parent).indexOf(String(key))
  return place < 0 ? Number.POSITIVE_INFINITY : place
}

const note = (
  issue: Leaf["issue"],
  path: ReadonlyArray<PropertyKey>,
  frame: unknown,
  leaves: Array<Leaf>
): void => {
  const order: Array<number> = []
  let value: unknown = frame
  for (const key of path) {
    order.push(placeOf(value, key))
    value = at(value, key)
  }
  leaves.push({ path, issue, order })
}

const collect = (
  issue: SchemaIssue.Issue,
  path: ReadonlyArray<PropertyKey>,
  frame: unknown,
  leaves: Array<Leaf>
): void => {
  switch (issue._tag) {
    case "Pointer":
      return collect(issue.issue, [...path, ...issue.path], frame, leaves)
    case "Filter":
    case "Encoding":
      return collect(issue.issue, path, frame, leaves)
    case "AnyOf": {
      // Of the forms that a value may have, the first is the usual one (the other is `null`).
      const inner = issue.issues[0]
      if (inner !== undefined) return collect(inner, path, frame, leaves)
      return note(issue, path, frame, leaves)
    }
    case "OneOf":
      return note(new SchemaIssue.AnyOf(issue.ast, []), path, frame, leaves)
    case "Composite": {
      for (const inner of issue.issues) collect(inner, path, frame, leaves)
      return
    }
    default:
      return note(issue, path, frame, leaves)
  }
}

const before = (left: Leaf, right: Leaf): boolean => {
  for (let i = 0; i < Math.min(left.order.length, right.order.length); i++) {
    const a = left.order[i] ?? 0
    const b = right.order[i] ?? 0
    if (a !== b) return a < b
  }
  return left.order.length < right.order.length
}

const formatUnion = SchemaIssue.makeFormatterDefault()

const expectation = (issue: Leaf["issue"]): string => {
  const text = issue._tag === "AnyOf" ? formatUnion(issue) : SchemaIssue.defaultLeafHook(issue)
  return text.length > 160 ? "expected another value" : text.charAt(0).toLowerCase() + text.slice(1)
}

/**
 * A frame whose shape or values are not what its kind asks for. Of several bad
 * paths the first in the frame's order is named; a missing member counts as
 * standing at the end of its object.
 *
 * @category constructors
 * @since 0.1.0
 */
export const invalid = (venue: string, frame: ExactJson.Json, issue: SchemaIssue.Issue): FrameRejected => {
  const leaves: Array<Leaf> = []
  collect(issue, [], frame, leaves)
  let first = leaves[0]
  for (const leaf of leaves) if (first !== undefined && before(leaf, first)) first = leaf
  if (first === undefined) return frameRejected(venue, "InvalidField", undefined, "the frame is not valid")
  const path = formatPath(first.path)
  if (first.issue._tag === "MissingKey") return frameRejected(venue, "MissingField", path, `${path} is missing`)
  let value: unknown = frame
  for (const key of first.path) value = at(value, key)
  if (value === null) return frameRejected(venue, "InvalidField", path, `${path} is null`)
  if (value === "") return frameRejected(venue, "InvalidField", path, `${path} is empty`)
  return frameRejected(
    venue,
    "InvalidField",
    path,
    `${path}: ${expectation(first.issue)}, found ${ExactJson.describe(value)}`
  )
}
