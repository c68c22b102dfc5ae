/**
 * Continuity of a numbered stream: counts the gaps between the numbers that a
 * user's sequence member carries, and the numbers that ran backwards. Nothing
 * is reordered and nothing repaired; a repeat is neither.
 *
 * @since 0.1.0
 */

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
  if (last === undefined || next === last + 1n || next === last) return inOrder
  return next > last
    ? { _tag: "Gap", from: last, to: next, missing: next - last - 1n }
    : { _tag: "Violation", from: last, to: next }
}

/**
 * Reads the sequence number from a member of that name, of the message itself
 * where it is an object, else of the JSON object that a text frame holds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const member = (name: string): SequenceOf<unknown> => (message) => {
  const value = typeof message === "object" && message !== null ? Reflect.get(message, name) : textMember(message, name)
  if (typeof value === "bigint") return value
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined
  return typeof value === "string" && /^\d+$/.test(value) ? BigInt(value) : undefined
}

// The digits are read from the text itself, so that numbers beyond 2^53 keep theirs.
const textMember = (message: unknown, name: string): string | undefined => {
  if (typeof message !== "string") return undefined
  const at = message.indexOf(`"${name}":`)
  return at < 0 ? undefined : /^\s*"?(\d+)/.exec(message.slice(at + name.length + 3, at + name.length + 64))?.[1]
}
