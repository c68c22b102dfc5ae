/**
 * What a feed's ledger keeps of a product and channel.
 *
 * @since 0.1.0
 */
import type * as Lifecycle from "../../event/Lifecycle.ts"

/**
 * The account of one product and channel.
 *
 * @category models
 * @since 0.1.0
 */
export interface LedgerEntry {
  readonly channel: string
  readonly product: string | undefined
  isWanted: boolean
  /** Whether the peer has refused it, and has not confirmed it since. */
  isRefused: boolean
  /** Its gap that has not ended. */
  open: Lifecycle.Gap | undefined
  /** How many hold the end of a drop's gap back, and when it was confirmed since that began. */
  holds: number
  confirmedAt: number | undefined
  /** Since when it is live, on the monotonic clock; undefined while it is not. */
  liveSince: number | undefined
  liveMillis: number
  received: number
  /** What of it was there already, on another connection. */
  duplicates: number
  /** What of the batch at hand it has received, which is not with the consumers yet. */
  arriving: number
  handedOn: number
  dropped: number
  gaps: ReadonlyArray<Lifecycle.Gap>
}
