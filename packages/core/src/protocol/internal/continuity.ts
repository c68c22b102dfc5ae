/**
 * How it can be seen that nothing of a stream is missing, and the check of a
 * delta. It is pure: whoever keeps a book keeps what it is given.
 *
 * @since 0.1.0
 */
import * as Digits from "../../value/internal/digits.ts"

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
 * The numbers of a delta: that of its last change; that of its first, if it has
 * several; and that of the last change before it, if the peer says it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Delta {
  readonly sequence: Digits.Integer
  readonly firstSequence: Digits.Integer | undefined
  readonly previousSequence: Digits.Integer | undefined
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
  at: Digits.Integer | undefined,
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
  return first <= Digits.after(at) ? "applies" : "break"
}
