/**
 * How much of each product and channel has come, and has been handed on.
 *
 * @since 0.1.0
 */
import type * as Channel from "../../value/Channel.ts"
import type { LedgerEntries } from "./ledgerEntries.ts"
import type { LedgerEntry } from "./ledgerEntry.ts"

/**
 * The counts of one feed, kept in its accounts.
 *
 * @category models
 * @since 0.1.0
 */
export class ArrivalCounts {
  private readonly entries: LedgerEntries
  // Those that have received something of the batch at hand, and how many they are: the array is the same each time.
  private readonly arriving: Array<LedgerEntry> = []
  private arrivals = 0

  constructor(entries: LedgerEntries) {
    this.entries = entries
  }

  /** What of the batch before was not handed on is not counted with what comes now. */
  beginBatch(): void {
    for (let i = 0; i < this.arrivals; i++) {
      const entry = this.arriving[i]
      if (entry !== undefined) entry.arriving = 0
    }
    this.arrivals = 0
  }

  /** A message of a product belongs to these. */
  received(of: ReadonlyArray<Channel.Channel>, product: string): void {
    if (of.length !== 1) {
      for (const channel of of) this.count(this.entries.ofMessage(channel, product))
      return
    }
    const entry = this.entries.ofRouted(of, product)
    if (entry !== undefined) this.count(entry)
  }

  /** What has come of the batch at hand is in the queues of all who want it. */
  handedOn(): void {
    for (let i = 0; i < this.arrivals; i++) {
      const entry = this.arriving[i]
      if (entry === undefined) continue
      entry.handedOn += entry.arriving
      entry.arriving = 0
    }
    this.arrivals = 0
  }

  /** A message of these is known to be there already. */
  duplicate(of: ReadonlyArray<Channel.Channel>, product: string): void {
    for (const channel of of) {
      const entry = this.entries.ofMessage(channel, product)
      entry.received++
      entry.duplicates++
    }
  }

  private count(entry: LedgerEntry): void {
    if (entry.arriving === 0) this.arriving[this.arrivals++] = entry
    entry.received++
    entry.arriving++
  }
}
