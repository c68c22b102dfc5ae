/**
 * What is noted of a transition.
 *
 * @since 0.1.0
 */

/**
 * What whoever is built on a connection notes of a transition, in the step in
 * which it happens: the same for all consumers. Where transitions are merged for
 * a consumer that stood still, so are their notes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Note {
  readonly mergeWith: (newer: Note) => Note
}
