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
 * A time in which a product and channel was live, between two instants; it is
 * still live where it has no end.
 *
 * @category models
 * @since 0.1.0
 */
export interface Live {
  readonly from: string
  readonly to: string | undefined
}

/**
 * The account of one product of one channel.
 *
 * - `liveMillis`: for how long it was wanted on a link that was up, was not
 *   refused and had no open gap; `live` when that was, the last thousand times
 * - `received`: market events as they were decoded
 * - `delivered`: those that were put into the queues of all consumers that want
 *   them, without `dropped`. Counted when a batch has been handed on, whether
 *   somebody reads or nobody does: then it waits for the first consumer to come.
 *   What a consumer that ends early had not read yet stays counted
 * - `duplicates`: those that were known by id or number to be there already, and
 *   were passed over
 * - `dropped`: of several consumers what the one shed that shed the most, also
 *   when it has ended; `shed` of the ledger has each of them
 * - `rejected`: frames that could not be read, and said that they were of it
 * - `gaps`: the last thousand; one without `to` is still open. One that was told
 *   when it had ended may say more here: what came late, or was fetched
 *
 * `isBalanced` says that `received`, which is counted before any queue, is
 * `delivered` + `duplicates` + `dropped`.
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
  readonly rejected: number
  readonly live: ReadonlyArray<Live>
  readonly gaps: ReadonlyArray<Gap>
  readonly isBalanced: boolean
}

/**
 * What one consumer's own queue shed, of one product of one channel where they
 * are known. `consumer` is its `name`, or what it reads, such as `"events"`; the
 * frames that a recorder left out are those of `"recording"`.
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
 * The account of a feed as it stands. `rejected` counts all frames that could not
 * be read, those of no entry among them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ledger {
  readonly entries: ReadonlyArray<Entry>
  readonly shed: ReadonlyArray<Shed>
  readonly rejected: number
}
