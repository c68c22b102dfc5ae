/**
 * What all consumers of a feed are told when a new connection has taken over.
 *
 * @since 0.1.0
 */
import type { Announcement } from "../../connection/internal/announcement.ts"
import type { Rotated } from "../../event/Lifecycle.ts"

/**
 * Rotations, oldest first: the same values for all consumers.
 *
 * @category models
 * @since 0.1.0
 */
export class RotationAnnouncement implements Announcement {
  readonly kind = "rotations"
  readonly rotations: ReadonlyArray<Rotated>

  constructor(rotations: ReadonlyArray<Rotated>) {
    this.rotations = rotations
  }

  /** For a consumer that stood still: they are few, and none is left out. */
  mergeWith(newer: Announcement): Announcement {
    return newer instanceof RotationAnnouncement
      ? new RotationAnnouncement([...this.rotations, ...newer.rotations])
      : newer
  }
}
