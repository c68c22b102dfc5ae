/**
 * The account of a feed: for each product and channel how much was received,
 * handed on and shed, for how long it was live, and which gaps there are.
 *
 * A feed has one, and all its consumers read the same gaps from it, as the same
 * values. What a consumer's own queue shed is counted under its name.
 *
 * @since 0.1.0
 */
import type { Gap } from "../event/Lifecycle.ts"

/**
 * The account of one product of one channel. `received` counts market events as
 * they were decoded, `duplicates` those that were known to be there already,
 * `dropped` the most that any one consumer shed, and `delivered` the rest:
 * `isBalanced` says that `received` is the sum of the three. `gaps` has the last
 * thousand; one without `to` is still open.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  readonly channel: string
  readonly product: string | undefined
  readonly liveMillis: number
  readonly received: number
  readonly delivered: number
  readonly duplicates: number
  readonly dropped: number
  readonly gaps: ReadonlyArray<Gap>
  readonly isBalanced: boolean
}

/**
 * What one consumer's own queue shed, of one product of one channel where they
 * are known. `consumer` is its `name`, or what it reads, such as `"events"`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Shed {
  readonly consumer: string
  readonly channel: string | undefined
  readonly product: string | undefined
  readonly dropped: number
}

/**
 * The account of a feed as it stands. `rejected` counts frames that could not be
 * read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ledger {
  readonly entries: ReadonlyArray<Entry>
  readonly shed: ReadonlyArray<Shed>
  readonly rejected: number
}
