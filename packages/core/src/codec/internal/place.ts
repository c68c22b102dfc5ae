/**
 * Where something stands in a frame, told from the inside: to go in costs one
 * small object, and the whole path is made only where a rejection names it.
 *
 * @since 0.1.0
 */

/**
 * A place: a key in another place, or in the frame.
 *
 * @category models
 * @since 0.1.0
 */
export interface Place {
  readonly outer: Place | undefined
  readonly key: PropertyKey
}

/**
 * The path of a place; that of the frame itself is empty.
 *
 * @category getters
 * @since 0.1.0
 */
export const pathOf = (place: Place | undefined): ReadonlyArray<PropertyKey> => {
  const path: Array<PropertyKey> = []
  for (let at = place; at !== undefined; at = at.outer) path.push(at.key)
  return path.reverse()
}

/**
 * The place of a path.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromPath = (path: ReadonlyArray<PropertyKey>): Place | undefined => {
  let place: Place | undefined
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
