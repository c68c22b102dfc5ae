/**
 * What is announced to all consumers of a connection.
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
export interface Announcement {
  /** Those of one kind are merged. */
  readonly kind: string
  readonly mergeWith: (newer: Announcement) => Announcement
}

/**
 * The item that brings it to a consumer: the gaps of a feed come so.
 *
 * @category models
 * @since 0.1.0
 */
export interface Announced {
  readonly _tag: "Announced"
  readonly announcement: Announcement
}
