/**
 * The accounts of a feed by their products and channels.
 *
 * @since 0.1.0
 */
import type * as Channel from "../../value/Channel.ts"
import { LedgerEntry } from "./ledgerEntry.ts"
import { RoutedChannels } from "./routedChannels.ts"

// How many are kept: a peer that makes up products does not make them grow, those beyond count for their channel alone.
const mostEntries = 10_000

/**
 * The text by which products and channels are told apart.
 *
 * @category getters
 * @since 0.1.0
 */
export const keyOf = (
  { channel = "", product = "" }: { readonly channel?: string | undefined; readonly product?: string | undefined }
): string => `${channel}\n${product}`

/**
 * The accounts of one feed.
 *
 * @category models
 * @since 0.1.0
 */
export class LedgerEntries {
  private readonly entries = new Map<string, LedgerEntry>()
  // By the channels themselves, which saves making a key for every message: those that name a product, and those that are
  // of many.
  private readonly byChannel = new WeakMap<Channel.Channel, LedgerEntry>()
  private readonly byProduct = new WeakMap<Channel.Channel, Map<string, LedgerEntry>>()
  private readonly onMade: (entry: LedgerEntry) => void

  constructor(onMade: (entry: LedgerEntry) => void) {
    this.onMade = onMade
  }

  get all(): Iterable<LedgerEntry> {
    return this.entries.values()
  }

  get(key: string): LedgerEntry | undefined {
    return this.entries.get(key)
  }

  /** What is wanted has an entry of its own, however many there are. */
  of(channel: string, product: string | undefined, isWanted = false): LedgerEntry {
    const key = keyOf({ channel, product })
    const known = this.entries.get(key)
    if (known !== undefined) return known
    if (!isWanted && product !== undefined && this.entries.size >= mostEntries) return this.of(channel, undefined)
    const made = new LedgerEntry(channel, product, isWanted)
    this.entries.set(key, made)
    this.onMade(made)
    return made
  }

  /** That of a message of a product which belongs to the channel. */
  ofMessage(channel: Channel.Channel, product: string): LedgerEntry {
    return channel.product === undefined ? this.ofMany(channel, product) : this.ofOne(channel, channel.product)
  }

  /** That of a message of a product which belongs to this one channel, where each message has the same list. */
  ofRouted(channels: ReadonlyArray<Channel.Channel>, product: string): LedgerEntry | undefined {
    const list = channels instanceof RoutedChannels ? channels : undefined
    if (list?.ledger !== undefined) return list.ledger
    const [channel] = channels
    if (channel === undefined) return undefined
    if (list === undefined || channel.product === undefined) return this.ofMessage(channel, product)
    return list.ledger = this.of(channel.channel, channel.product)
  }

  private ofOne(channel: Channel.Channel, product: string): LedgerEntry {
    let entry = this.byChannel.get(channel)
    if (entry === undefined) this.byChannel.set(channel, entry = this.of(channel.channel, product))
    return entry
  }

  private ofMany(channel: Channel.Channel, product: string): LedgerEntry {
    let entries = this.byProduct.get(channel)
    if (entries === undefined) this.byProduct.set(channel, entries = new Map<string, LedgerEntry>())
    let entry = entries.get(product)
    if (entry === undefined) {
      entry = this.of(channel.channel, product === "" ? undefined : product)
      if (entries.size < mostEntries) entries.set(product, entry)
    }
    return entry
  }
}
