/**
 * What is noted of what happens to a connection.
 *
 * @since 0.1.0
 */

/**
 * What whoever is built on a connection says of a transition, or of a
 * subscription that came to live or was refused, in the step in which it
 * happens: the same for all consumers. What of them waits for a consumer that
 * stood still is merged.
 *
 * @category models
 * @since 0.1.0
 */
export interface Note {
  readonly mergeWith: (newer: Note) => Note
}

/**
 * Something was noted: a feed's gaps are told so.
 *
 * @category models
 * @since 0.1.0
 */
export interface Noted {
  readonly _tag: "Noted"
  readonly note: Note
}
