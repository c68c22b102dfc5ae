/**
 * How gaps are told to all consumers of a feed.
 *
 * @since 0.1.0
 */
import type { Announcement } from "../../connection/internal/announcement.ts"
import * as Lifecycle from "../../event/Lifecycle.ts"
import { keyOf } from "./ledgerEntries.ts"

/**
 * Gaps that began or ended in one step: the same values for all consumers.
 *
 * @category models
 * @since 0.1.0
 */
export class GapAnnouncement implements Announcement {
  readonly kind = "gaps"
  readonly gaps: ReadonlyArray<Lifecycle.Gap>
  constructor(gaps: ReadonlyArray<Lifecycle.Gap>) {
    this.gaps = gaps
  }

  /** For a consumer that stood still: of each channel one gap over all that have ended, and one that is still open. */
  mergeWith(newer: Announcement): Announcement {
    if (!(newer instanceof GapAnnouncement)) return newer
    const ended = new Map<string, Lifecycle.Gap>()
    const open = new Map<string, Lifecycle.Gap>()
    for (const gap of [...this.gaps, ...newer.gaps]) {
      const key = `${keyOf(gap)}\n${gap.cause}`
      if (gap.to === undefined) {
        open.set(key, gap)
        continue
      }
      const from = ended.get(key)?.from
      ended.set(key, from === undefined ? gap : new Lifecycle.Gap({ ...gap, from }))
      open.delete(key)
    }
    return new GapAnnouncement([...ended.values(), ...open.values()])
  }
}
