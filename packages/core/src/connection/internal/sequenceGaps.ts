/**
 * Continuity of a numbered stream: counts the gaps between the numbers that a
 * user's sequence member carries, and the numbers that ran backwards. Nothing
 * is reordered and nothing repaired; a repeat is neither.
 *
 * @since 0.1.0
 */
import * as ExactJson from "../../codec/ExactJson.ts"
import { memberText } from "../../codec/internal/memberText.ts"
import * as Digits from "../../value/internal/digits.ts"
import type { Observer } from "../Observer.ts"

/**
 * Reads a message's sequence number, or `undefined` where it has none.
 *
 * @category models
 * @since 0.1.0
 */
export type SequenceOf<A> = (message: A) => bigint | undefined

/**
 * What one number says about the ones before it.
 *
 * @category models
 * @since 0.1.0
 */
export type Step =
  | { readonly _tag: "InOrder" }
  | { readonly _tag: "Gap"; readonly from: bigint; readonly to: bigint; readonly missing: bigint }
  | { readonly _tag: "Violation"; readonly from: bigint; readonly to: bigint }

const inOrder: Step = { _tag: "InOrder" }

/**
 * Compares a number with the highest seen before it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const step = (last: bigint | undefined, next: bigint): Step => {
  if (last === undefined) return inOrder
  if (next < last) return { _tag: "Violation", from: last, to: next }
  const missing = next - last - 1n
  return missing > 0n ? { _tag: "Gap", from: last, to: next, missing } : inOrder
}

/**
 * Reads the sequence number from a member of that name: a whole number, or a
 * string of its digits, of any length. The member is the message's own where it
 * is an object, else that of the JSON object which a text frame holds; members
 * of what that object holds do not count.
 *
 * @category constructors
 * @since 0.1.0
 */
export const member = (name: string): SequenceOf<unknown> => (message) => {
  const value: unknown = typeof message === "string"
    ? memberText(message, name)
    : typeof message === "object" && message !== null
    ? Reflect.get(message, name)
    : undefined
  if (typeof value === "bigint") return value
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined
  const digits = value instanceof ExactJson.JsonNumber ? value.text : value
  return typeof digits === "string" ? Digits.toBigInt(digits) : undefined
}

/**
 * Follows the numbers of one epoch, and says of each what it says.
 *
 * @category constructors
 * @since 0.1.0
 */
export const observe = <A>(sequenceOf: SequenceOf<A>, onStep: (step: Step) => void): Observer<A> => {
  let last: bigint | undefined
  return {
    batch: ({ messages }) => {
      for (const message of messages) {
        const next = sequenceOf(message)
        if (next === undefined) continue
        const found = step(last, next)
        onStep(found)
        if (found._tag !== "Violation") last = next
      }
    },
    ended: () => {}
  }
}
