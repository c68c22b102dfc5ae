/**
 * Reading an object exactly, by the Schemas of its members.
 *
 * A decoder is compiled when its first frame arrives, so that a Schema compiler
 * which the application enables at its start is used, and an environment that
 * forbids code generation still works.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import type { JsonObject } from "../ExactJson.ts"
import * as Rejection from "../Rejection.ts"
import { type FieldPath, pathOf } from "./fieldPath.ts"
import * as RejectionWords from "./rejectionWords.ts"

type Fields = Readonly<Record<string, Schema.ConstraintDecoder<unknown>>>

type Decoder<A> = (input: unknown) => Result.Result<A, SchemaIssue.Issue>

/** The member of an object that an issue is about. */
const memberOf = (issue: SchemaIssue.Issue): PropertyKey | undefined =>
  issue._tag === "Pointer"
    ? issue.path[0]
    : issue._tag === "Composite" || issue._tag === "Encoding" || issue._tag === "Filter"
    ? memberOf(issue._tag === "Composite" ? issue.issues[0] : issue.issue)
    : undefined

/**
 * Makes a reader of one kind of frame, of the members that it may have: gives
 * the decoded members, or the rejection that names the first bad path. That is
 * the first bad member in the frame's order; where all that are there are good,
 * the first missing one in the order of the fields. `at` is where the object
 * stands in the frame, where it is a part of it, such as `["data"]`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reader = <F extends Fields>(
  fields: F
): (
  venue: string,
  frame: JsonObject,
  at: FieldPath | undefined
) => Schema.Struct<F>["Type"] | Rejection.FrameRejected => {
  let decode: Decoder<Schema.Struct<F>["Type"]> | undefined
  const single = new Map<string, Decoder<unknown>>()
  const decodeMember = (name: string, field: Schema.ConstraintDecoder<unknown>): Decoder<unknown> => {
    const known = single.get(name)
    if (known !== undefined) return known
    const made = SchemaParser.decodeUnknownResult(Schema.Struct({ [name]: field }))
    single.set(name, made)
    return made
  }
  return (venue, frame, at) => {
    decode ??= SchemaParser.decodeUnknownResult(Schema.Struct(fields))
    const result = decode(frame)
    if (Result.isSuccess(result)) return result.success
    const known = memberOf(result.failure)
    for (const name of Object.keys(frame)) {
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined
      if (field === undefined) continue
      // A member that is known to be bad is not read again: it may be most of a large frame.
      if (name === known) break
      const member = decodeMember(name, field)(frame)
      if (Result.isFailure(member)) {
        return Rejection.frameRejected(venue, ...RejectionWords.invalid(frame, member.failure, pathOf(at)))
      }
    }
    return Rejection.frameRejected(venue, ...RejectionWords.invalid(frame, result.failure, pathOf(at)))
  }
}
