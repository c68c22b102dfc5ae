/**
 * What the consumers' own queues have shed.
 *
 * @since 0.1.0
 */
import type * as Lifecycle from "../../event/Lifecycle.ts"
import type * as Channel from "../../value/Channel.ts"
import type { Shed } from "../Ledger.ts"
import { keyOf } from "./ledgerEntries.ts"

/**
 * Enters what one consumer's own queue has shed, told to it by the gap where its
 * products are known.
 *
 * @category models
 * @since 0.1.0
 */
export type Dropped = (of: Partial<Channel.Channel>, count: number, gap?: Lifecycle.Gap | undefined) => void

/**
 * What was shed of each product and channel, by the consumers' names.
 *
 * @category models
 * @since 0.1.0
 */
export class ShedCounts {
  private readonly counts = new Map<
    string,
    { readonly of: Partial<Channel.Channel>; readonly consumer: string; dropped: number }
  >()

  /** Gives one consumer what it enters its losses with. `onDropped` is told how many it has shed of these in all. */
  consumer(
    name: string,
    onDropped: (of: Partial<Channel.Channel>, dropped: number, gap: Lifecycle.Gap | undefined) => void
  ): Dropped {
    const own = new Map<string, number>()
    return (of, count, gap) => {
      const key = keyOf(of)
      const dropped = (own.get(key) ?? 0) + count
      own.set(key, dropped)
      const known = this.counts.get(`${name}\n${key}`)
      if (known === undefined) this.counts.set(`${name}\n${key}`, { of, consumer: name, dropped: count })
      else known.dropped += count
      onDropped(of, dropped, gap)
    }
  }

  /** What was shed, and what the recording of the feed has left out. */
  read(leftOut = 0): ReadonlyArray<Shed> {
    const shed = Array.from(this.counts.values(), ({ consumer, dropped, of }) => ({
      consumer,
      channel: of.channel,
      product: of.product,
      dropped
    }))
    return leftOut === 0
      ? shed
      : [...shed, { consumer: "recording", channel: undefined, product: undefined, dropped: leftOut }]
  }
}
