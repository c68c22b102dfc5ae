/**
 * How it can be seen that nothing of a stream is missing, and the checks
 * themselves. They are pure: whoever keeps a book or follows a connection keeps
 * what they are given.
 *
 * @since 0.1.0
 */

/**
 * What shows that nothing is missing.
 *
 * - `frame`: the number of every frame of a connection, over all its channels
 * - `delta`: the numbers of a book's delta, looked at before it is applied
 * - `state`: a checksum of a book's top levels, looked at after it was applied
 * - `none`: nothing; each message is whole by itself, or nobody can tell
 *
 * @category models
 * @since 0.1.0
 */
export type Continuity = "frame" | "delta" | "state" | "none"

/**
 * What the number of a frame says: it is the next (or the first), so many are
 * missing before it, or it was seen.
 *
 * @category models
 * @since 0.1.0
 */
export type FrameStep =
  | { readonly _tag: "Next" }
  | { readonly _tag: "Gap"; readonly missing: bigint }
  | { readonly _tag: "Seen" }

/**
 * What the number of a frame says, given the highest before it on the same
 * connection: `undefined` for the first.
 *
 * @category getters
 * @since 0.1.0
 */
export const frame = (last: bigint | undefined, number: bigint): FrameStep => {
  if (last === undefined || number === last + 1n) return { _tag: "Next" }
  return number > last ? { _tag: "Gap", missing: number - last - 1n } : { _tag: "Seen" }
}

/**
 * The numbers of a delta: that of its last change; that of its first, if it has
 * several; and that of the last change before it, if the peer says it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Delta {
  readonly sequence: bigint
  readonly firstSequence?: bigint | undefined
  readonly previousSequence?: bigint | undefined
}

/**
 * What is to be done with a delta: it applies; it is older than the book, and
 * passed over; something is missing before it; or there is no book yet.
 *
 * @category models
 * @since 0.1.0
 */
export type DeltaStep = "applies" | "older" | "break" | "needs snapshot"

/**
 * What is to be done with a delta of a book whose last change has the number
 * `at`; `undefined` if there is no book. `isFirst` is whether none was applied to
 * its snapshot yet: the first may reach back before it.
 *
 * @category getters
 * @since 0.1.0
 */
export const delta = (
  at: bigint | undefined,
  { firstSequence, previousSequence, sequence }: Delta,
  isFirst = false
): DeltaStep => {
  if (at === undefined) return "needs snapshot"
  if (sequence <= at) return "older"
  if (previousSequence === at) return "applies"
  if (previousSequence !== undefined && !(isFirst && previousSequence < at)) return "break"
  if (previousSequence !== undefined && firstSequence === undefined) return "break"
  const first = firstSequence ?? sequence
  // One that overlaps what the book has is applied: sizes are absolute.
  return first <= at + 1n ? "applies" : "break"
}

/**
 * Whether the state of a book is the peer's, by a function of the text of its
 * top levels.
 *
 * @category getters
 * @since 0.1.0
 */
export const state = (
  checksumOf: (topLevels: string) => bigint,
  topLevels: string,
  expected: bigint
): "holds" | "break" => checksumOf(topLevels) === expected ? "holds" : "break"
