/**
 * Where a value stands in a frame, linked from the inside out: to go in costs one
 * small object, and the whole path is made only where a rejection names it.
 *
 * @since 0.1.0
 */

/**
 * A path: a key under another path, or in the frame itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface FieldPath {
  readonly outer: FieldPath | undefined
  readonly key: PropertyKey
}

/**
 * The keys from the frame to the value; none for the frame itself.
 *
 * @category getters
 * @since 0.1.0
 */
export const pathOf = (place: FieldPath | undefined): ReadonlyArray<PropertyKey> => {
  const path: Array<PropertyKey> = []
  for (let at = place; at !== undefined; at = at.outer) path.push(at.key)
  return path.reverse()
}

/**
 * The path with these keys.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromPath = (path: ReadonlyArray<PropertyKey>): FieldPath | undefined => {
  let place: FieldPath | undefined
  for (const key of path) place = { outer: place, key }
  return place
}

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
