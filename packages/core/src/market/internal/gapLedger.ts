/**
 * Where the gaps of a feed begin and end, and its counts: an observer of the
 * connection, which also follows its transitions and its subscriptions.
 *
 * @since 0.1.0
 */
import type { Transition } from "../../connection/ConnectionState.ts"
import type { Announcement } from "../../connection/internal/announcement.ts"
import type { Follower } from "../../connection/internal/connectionInternals.ts"
import type { NamedObserver } from "../../connection/Observer.ts"
import * as Lifecycle from "../../event/Lifecycle.ts"
import * as MarketEvent from "../../event/MarketEvent.ts"
import type * as Channel from "../../value/Channel.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import type * as Ledger from "../Ledger.ts"
import type { FeedMetrics } from "./feedMetrics.ts"
import type { LedgerEntry as Entry } from "./ledgerEntry.ts"
import { RoutedChannels } from "./routedChannels.ts"

// How many gaps of each product and channel are kept, and how many of these: a peer that makes up products does not make
// it grow, those beyond count for their channel alone.
const mostGaps = 1_000
const mostEntries = 10_000

const keyOf = (
  { channel = "", product = "" }: { readonly channel?: string | undefined; readonly product?: string | undefined }
): string => `${channel}\n${product}`

const instant = (epochMillis: number): string => Timestamp.format(Timestamp.fromEpochMillis(epochMillis))

const isDelivering = ({ isRefused, isWanted, open }: Entry): boolean => isWanted && !isRefused && open === undefined

/**
 * What makes a feed's ledger. Both clocks are in milliseconds: `now` waits and
 * measures, `wallNow` is told.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: string
  readonly metrics: FeedMetrics
  readonly now: () => number
  readonly wallNow: () => number
}

/**
 * Enters what one consumer's own queue has shed, told to it by the gap where its
 * products are known.
 *
 * @category models
 * @since 0.1.0
 */
export type Dropped = (of: Partial<Channel.Channel>, count: number, gap?: Lifecycle.Gap | undefined) => void

/**
 * How what a gap holds came to be there nevertheless.
 *
 * @category models
 * @since 0.1.0
 */
export type Recovery = NonNullable<Lifecycle.Gap["recovered"]>

/**
 * A gap that is over when it is found.
 *
 * @category models
 * @since 0.1.0
 */
export type Found =
  & Required<Pick<Lifecycle.Gap, "cause" | "from" | "to">>
  & Pick<Lifecycle.Gap, "missing" | "recovered">

/**
 * A feed's ledger, as it is kept.
 *
 * @category models
 * @since 0.1.0
 */
export class GapLedger implements Follower<MarketEvent.MarketEvent> {
  private readonly options: Options
  private readonly entries = new Map<string, Entry>()
  // Those that are wanted, in the order in which they came to be.
  private readonly wanted = new Map<string, Entry>()
  // The entries by the channels themselves, which saves making a key for every message: of those that name a product,
  // and of those that are of many. And the last that was counted.
  private readonly byChannel = new WeakMap<Channel.Channel, Entry>()
  private readonly byProduct = new WeakMap<Channel.Channel, Map<string, Entry>>()
  private last: Entry | undefined
  private lastOf: ReadonlyArray<Channel.Channel> | undefined
  private lastProduct = ""
  // Those that have received something of the batch at hand, and how many they are: the array is the same each time.
  private readonly arriving: Array<Entry> = []
  private arrivals = 0
  private readonly shed = new Map<
    string,
    { readonly of: Partial<Channel.Channel>; consumer: string; dropped: number }
  >()
  private rejected = 0
  // When anything was last heard, in epoch milliseconds: what bounds a gap.
  private heardAt: number | undefined
  private isUp = false

  constructor(options: Options) {
    this.options = options
  }

  readonly observer: NamedObserver<MarketEvent.MarketEvent> = {
    name: "ledger",
    attach: () => ({
      batch: ({ at, channels = [], messages }) => {
        this.heardAt = at
        this.beginBatch()
        for (let i = 0; i < channels.length; i++) {
          const message = messages[i]
          const of = channels[i]
          if (message === undefined || of === undefined || !MarketEvent.isMarketData(message)) continue
          this.received(of, message.product ?? "")
        }
      },
      rejected: ({ at }) => {
        this.heardAt = at
        this.rejected++
      },
      ended: () => {}
    })
  }

  /** These are wanted from now on: they have an account even if nothing comes. */
  follow(channels: ReadonlyArray<Channel.Channel>): void {
    for (const { channel, product } of channels) {
      const entry = this.entry(channel, product, true)
      entry.isWanted = true
      this.wanted.set(keyOf(entry), entry)
      this.updateLive(entry)
    }
  }

  /** These are wanted no more: a gap of theirs that is open ends with it. */
  unfollow(channels: ReadonlyArray<Channel.Channel>): Announcement | undefined {
    this.last = undefined
    const found = this.wantedOf(channels)
    const announcement = this.end(found, this.options.wallNow())
    for (const entry of found) {
      this.wanted.delete(keyOf(entry))
      entry.isWanted = false
      entry.isRefused = false
      this.updateLive(entry)
    }
    return announcement
  }

  /** A gap begins when data stopped, is told at the drop, and told again, with its end, when its channel is live. */
  moved({ at, from, to }: Transition): Announcement | undefined {
    const wasUp = this.isUp
    this.isUp = to._tag === "Connected"
    if (this.isUp) this.heardAt = at
    // Who closes a link that is up misses nothing.
    const gaps = from._tag === "Connected" && to._tag !== "Closing" ? this.begin(this.heardAt ?? at) : []
    if (wasUp !== this.isUp) { for (const entry of this.entries.values()) this.updateLive(entry) }
    return gaps.length === 0 ? undefined : new GapAnnouncement(gaps)
  }

  confirmed(channels: ReadonlyArray<Channel.Channel>, at: number): Announcement | undefined {
    const found = this.wantedOf(channels)
    for (const entry of found) entry.isRefused = false
    for (const entry of found) entry.confirmedAt = at
    // A book that is asked for anew is live when it is whole.
    return this.end(found.filter(({ holds, open }) => open?.cause === "disconnect" && holds === 0), at)
  }

  /** What is refused is waited for no longer: its gap ends here, and a drop begins none. */
  refused(channels: ReadonlyArray<Channel.Channel>): Announcement | undefined {
    const found = this.wantedOf(channels)
    for (const entry of found) entry.isRefused = true
    return this.end(found, this.options.wallNow())
  }

  /** The book of a channel is broken, though the connection is up: a gap until it is whole. */
  broken(
    channel: Channel.Channel,
    cause: Lifecycle.Gap["cause"],
    from = this.heardAt ?? this.options.wallNow()
  ): Announcement | undefined {
    const gaps = this.open(this.wantedOf([channel]), from, cause)
    for (const entry of this.wantedOf([channel])) this.updateLive(entry)
    return gaps.length === 0 ? undefined : new GapAnnouncement(gaps)
  }

  /** Nobody keeps the book of a channel any more: its gap ends here. */
  unwatched(channel: Channel.Channel): Announcement | undefined {
    return this.end(this.wantedOf([channel]).filter(({ open }) => open?.cause !== "disconnect"), this.options.wallNow())
  }

  /** It is whole again, by a new snapshot, or because another connection has one that is. */
  whole(channel: Channel.Channel, by: Recovery = "snapshot"): Announcement | undefined {
    return this.end(this.wantedOf([channel]), this.options.wallNow(), by)
  }

  /** Something of these channels came that is known to be there already: it is counted, and handed to nobody. */
  duplicate(of: ReadonlyArray<Channel.Channel>, product: string): void {
    for (const channel of of) {
      const entry = channel.product === undefined ? this.entryOf(channel, product) : this.ownEntry(channel)
      entry.received++
      entry.duplicates++
    }
  }

  /**
   * A gap that is over when it is found: nothing of a channel came between `from` and `to`, which are numbers or
   * instants. `recovered` says how what it holds is there nevertheless, if it is.
   */
  found(channel: Channel.Channel, gap: Found): Announcement {
    const { metrics, venue } = this.options
    const made = new Lifecycle.Gap({
      venue,
      ...(channel.product === undefined ? {} : { product: channel.product }),
      channel: channel.channel,
      ...gap
    })
    this.enter(made)
    metrics.gaps(gap.cause, 1)
    return new GapAnnouncement([made])
  }

  /**
   * What a gap holds is there after all. One that is open ends with it, and is announced; of one that has ended, which
   * was told, the ledger alone says it.
   */
  recovered(
    channel: Channel.Channel,
    { cause, from }: Pick<Lifecycle.Gap, "cause" | "from">,
    by: Recovery
  ): Announcement | undefined {
    const entry = this.entries.get(keyOf(channel))
    if (entry === undefined) return undefined
    if (entry.open?.cause === cause && entry.open.from === from) return this.end([entry], this.options.wallNow(), by)
    entry.gaps = entry.gaps.map((gap) =>
      gap.cause === cause && gap.from === from ? new Lifecycle.Gap({ ...gap, recovered: by }) : gap
    )
    return undefined
  }

  /**
   * The gap of a drop does not end when a channel is confirmed: whoever fetches what was missed ends it by what this
   * returns, with how it was recovered, if it was. Until the channel has been confirmed that changes nothing.
   */
  hold(channel: Channel.Channel): (recovered?: Recovery) => Announcement | undefined {
    const entry = this.entry(channel.channel, channel.product)
    entry.holds++
    let isHeld = true
    return (recovered) => {
      if (!isHeld) return undefined
      isHeld = false
      entry.holds--
      const { confirmedAt } = entry
      if (entry.holds > 0 || confirmedAt === undefined || entry.open?.cause !== "disconnect") return undefined
      return this.end([entry], recovered === undefined ? confirmedAt : this.options.wallNow(), recovered)
    }
  }

  handedOn(): void {
    for (let i = 0; i < this.arrivals; i++) {
      const entry = this.arriving[i]
      if (entry === undefined) continue
      entry.handedOn += entry.arriving
      entry.arriving = 0
    }
    this.arrivals = 0
  }

  /** Gives one consumer, by its name, what it enters its losses with. */
  consumer(name: string): Dropped {
    const own = new Map<string, number>()
    return (of, count, gap) => {
      const key = keyOf(of)
      const dropped = (own.get(key) ?? 0) + count
      own.set(key, dropped)
      const entry = this.entries.get(key)
      if (entry !== undefined) entry.dropped = Math.max(entry.dropped, dropped)
      const known = this.shed.get(`${name}\n${key}`)
      if (known === undefined) this.shed.set(`${name}\n${key}`, { of, consumer: name, dropped: count })
      else known.dropped += count
      if (gap !== undefined) this.enter(gap)
    }
  }

  read(): Ledger.Ledger {
    const now = this.options.now()
    return {
      entries: Array.from(this.entries.values(), (entry): Ledger.Entry => {
        const { channel, dropped, duplicates, gaps, handedOn, liveMillis, liveSince, product, received } = entry
        const delivered = handedOn - dropped
        return {
          channel,
          product,
          liveMillis: Math.round(liveMillis + (liveSince === undefined ? 0 : now - liveSince)),
          received,
          delivered,
          duplicates,
          dropped,
          gaps,
          isBalanced: delivered >= 0 && received === delivered + duplicates + dropped
        }
      }),
      shed: Array.from(this.shed.values(), ({ consumer, dropped, of }) => ({
        consumer,
        channel: of.channel,
        product: of.product,
        dropped
      })),
      rejected: this.rejected
    }
  }

  private wantedOf(channels: ReadonlyArray<Channel.Channel>): ReadonlyArray<Entry> {
    return channels.flatMap((channel) => this.wanted.get(keyOf(channel)) ?? [])
  }

  // A channel that has not been live since the drop before is in a gap already.
  private begin(from: number): ReadonlyArray<Lifecycle.Gap> {
    return this.open(this.wanted.values(), from, "disconnect")
  }

  private open(entries: Iterable<Entry>, from: number, cause: Lifecycle.Gap["cause"]): ReadonlyArray<Lifecycle.Gap> {
    const { metrics, venue } = this.options
    const gaps: Array<Lifecycle.Gap> = []
    for (const entry of entries) {
      if (entry.isRefused || entry.open !== undefined) continue
      entry.confirmedAt = undefined
      const { channel, product } = entry
      entry.open = new Lifecycle.Gap({
        venue,
        ...(product === undefined ? {} : { product }),
        channel,
        from: instant(from),
        cause
      })
      this.enter(entry.open)
      gaps.push(entry.open)
    }
    metrics.gaps(cause, gaps.length)
    return gaps
  }

  private end(
    entries: ReadonlyArray<Entry>,
    at: number,
    recovered?: Lifecycle.Gap["recovered"]
  ): Announcement | undefined {
    const gaps: Array<Lifecycle.Gap> = []
    for (const entry of entries) {
      if (entry.open !== undefined) {
        const gap = new Lifecycle.Gap({
          ...entry.open,
          to: instant(at),
          ...(recovered === undefined ? {} : { recovered })
        })
        entry.open = undefined
        this.enter(gap)
        gaps.push(gap)
      }
      this.updateLive(entry)
    }
    return gaps.length === 0 ? undefined : new GapAnnouncement(gaps)
  }

  // What has come to its end takes the place of what was begun.
  private enter(gap: Lifecycle.Gap): void {
    if (gap.channel === undefined) return
    const entry = this.entry(gap.channel, gap.product)
    const others = entry.gaps.filter(({ cause, from, to }) =>
      to !== undefined || cause !== gap.cause || from !== gap.from
    )
    entry.gaps = [...others, gap].slice(-mostGaps)
  }

  // A product of a channel that is wanted as a whole is live with it.
  private updateLive(entry: Entry): void {
    const { channel, product } = entry
    const whole = product === undefined ? undefined : this.wanted.get(keyOf({ channel }))
    const isLive = this.isUp && (isDelivering(entry) || (whole !== undefined && isDelivering(whole)))
    if (isLive !== (entry.liveSince !== undefined)) {
      const now = this.options.now()
      entry.liveMillis += now - (entry.liveSince ?? now)
      entry.liveSince = isLive ? now : undefined
    }
    if (product !== undefined) return
    for (const one of this.entries.values()) {
      if (one.channel === channel && one.product !== undefined) this.updateLive(one)
    }
  }

  private beginBatch(): void {
    for (let i = 0; i < this.arrivals; i++) {
      const entry = this.arriving[i]
      if (entry !== undefined) entry.arriving = 0
    }
    this.arrivals = 0
  }

  private count(entry: Entry): void {
    if (entry.arriving === 0) this.arriving[this.arrivals++] = entry
    entry.received++
    entry.arriving++
  }

  // Most messages are of the same channel and product as the one before, or of another single channel.
  private received(of: ReadonlyArray<Channel.Channel>, product: string): void {
    if (of instanceof RoutedChannels && of.ledger !== undefined) return this.count(of.ledger)
    const { last } = this
    if (last !== undefined && this.lastOf === of && this.lastProduct === product) return this.count(last)
    for (const channel of of) {
      const entry = channel.product === undefined ? this.entryOf(channel, product) : this.ownEntry(channel)
      this.count(entry)
      if (of.length !== 1) continue
      if (of instanceof RoutedChannels && channel.product !== undefined) of.ledger = entry
      this.last = entry
      this.lastOf = of
      this.lastProduct = product
    }
  }

  private ownEntry(channel: Channel.Channel): Entry {
    let entry = this.byChannel.get(channel)
    if (entry === undefined) this.byChannel.set(channel, entry = this.entry(channel.channel, channel.product))
    return entry
  }

  private entryOf(channel: Channel.Channel, product: string): Entry {
    let entries = this.byProduct.get(channel)
    if (entries === undefined) this.byProduct.set(channel, entries = new Map<string, Entry>())
    let entry = entries.get(product)
    if (entry === undefined) {
      entry = this.entry(channel.channel, product === "" ? undefined : product)
      if (entries.size < mostEntries) entries.set(product, entry)
    }
    return entry
  }

  // What is wanted has an entry of its own, however many there are.
  private entry(channel: string, product: string | undefined, isWanted = false): Entry {
    const key = keyOf({ channel, product })
    const known = this.entries.get(key)
    if (known !== undefined) return known
    if (!isWanted && product !== undefined && this.entries.size >= mostEntries) return this.entry(channel, undefined)
    const made: Entry = {
      channel,
      product,
      isWanted,
      isRefused: false,
      open: undefined,
      liveSince: undefined,
      liveMillis: 0,
      received: 0,
      duplicates: 0,
      arriving: 0,
      handedOn: 0,
      holds: 0,
      confirmedAt: undefined,
      dropped: 0,
      gaps: []
    }
    this.entries.set(key, made)
    this.updateLive(made)
    return made
  }
}

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
