/**
 * From all that went wrong to the least of it that still fails (Zeller's delta
 * debugging).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

/**
 * The least of a list, in its order, with which something `fails` that fails with
 * all of it: none of what is left can be left out alone.
 *
 * @category running
 * @since 0.1.0
 */
export const shrink = Effect.fnUntraced(function*<A, E, R>(
  all: ReadonlyArray<A>,
  fails: (some: ReadonlyArray<A>) => Effect.Effect<boolean, E, R>
): Effect.fn.Return<ReadonlyArray<A>, E, R> {
  if (yield* fails([])) return []
  let left = all
  let parts = 2
  while (left.length > 1) {
    const size = Math.ceil(left.length / parts)
    let found: ReadonlyArray<A> | undefined
    for (let from = 0; from < left.length && found === undefined; from += size) {
      const without = left.filter((_, i) => i < from || i >= from + size)
      if (yield* fails(without)) found = without
    }
    if (found !== undefined) {
      left = found
      parts = Math.max(parts - 1, 2)
    } else if (size === 1) return left
    else parts = Math.min(parts * 2, left.length)
  }
  return left
})
