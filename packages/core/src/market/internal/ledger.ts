/**
 * The one narrator of a feed's gaps, and its counts: an observer of the
 * connection, which is also shown each transition as it happens.
 *
 * @since 0.1.0
 */
import type { Transition } from "../../connection/ConnectionState.ts"
import type { Note } from "../../connection/internal/note.ts"
import type { NamedObserver } from "../../connection/Observer.ts"
import * as Lifecycle from "../../event/Lifecycle.ts"
import * as MarketEvent from "../../event/MarketEvent.ts"
import type * as Channel from "../../value/Channel.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import type * as Ledger from "../Ledger.ts"
import type { FeedMetrics } from "./feedMetrics.ts"

// How many gaps of each product and channel are kept, and how many of these: a peer that makes up products does not make
// it grow, those beyond count for their channel alone.
const mostGaps = 1_000
const mostEntries = 10_000

interface Named {
  readonly channel?: string | undefined
  readonly product?: string | undefined
}

const keyOf = ({ channel = "", product = "" }: Named): string => `${channel}\n${product}`

const instant = (epochMillis: number): string => Timestamp.format(Timestamp.fromEpochMillis(epochMillis))

/**
 * The gaps that a transition begins or ends: the same values for all consumers.
 *
 * @category models
 * @since 0.1.0
 */
export class GapNote implements Note {
  readonly gaps: ReadonlyArray<Lifecycle.Gap>
  constructor(gaps: ReadonlyArray<Lifecycle.Gap>) {
    this.gaps = gaps
  }

  /** For a consumer that stood still: of each channel one gap over all that have ended, and one that is still open. */
  mergeWith(newer: Note): Note {
    if (!(newer instanceof GapNote)) return newer
    const ended = new Map<string, Lifecycle.Gap>()
    const open = new Map<string, Lifecycle.Gap>()
    for (const gap of [...this.gaps, ...newer.gaps]) {
      const key = keyOf(gap)
      if (gap.to === undefined) {
        open.set(key, gap)
        continue
      }
      const from = ended.get(key)?.from
      ended.set(key, from === undefined ? gap : new Lifecycle.Gap({ ...gap, from }))
      open.delete(key)
    }
    return new GapNote([...ended.values(), ...open.values()])
  }
}

interface Entry {
  readonly channel: string
  readonly product: string | undefined
  // Since when it is wanted, on the monotonic clock; undefined while it is not.
  since: number | undefined
  received: number
  liveMillis: number
  gaps: ReadonlyArray<Lifecycle.Gap>
}

/**
 * What makes a feed's ledger.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: string
  /** The channels that are wanted for their data. */
  readonly wanted: () => ReadonlyArray<Channel.Channel>
  readonly metrics: FeedMetrics
  /** The monotonic clock, in milliseconds. */
  readonly now: () => number
}

/**
 * A feed's ledger, as it is kept.
 *
 * @category models
 * @since 0.1.0
 */
export class Keeper {
  private readonly options: Options
  private readonly entries = new Map<string, Entry>()
  // The entries by the channels themselves, which saves making a key for every message; and the last that was counted.
  private readonly byChannel = new WeakMap<Channel.Channel, Map<string, Entry>>()
  private last:
    | { readonly of: ReadonlyArray<Channel.Channel>; readonly product: string; readonly entry: Entry }
    | undefined
  private readonly shed = new Map<
    string,
    { readonly of: Partial<Channel.Channel>; consumer: string; dropped: number }
  >()
  private rejected = 0
  // When anything was last heard, in epoch milliseconds: what bounds a gap.
  private heardAt: number | undefined
  private outage: ReadonlyArray<Lifecycle.Gap> = []
  // Since when the connection is up, on the monotonic clock.
  private upSince: number | undefined

  constructor(options: Options) {
    this.options = options
  }

  readonly observer: NamedObserver<MarketEvent.MarketEvent> = {
    name: "ledger",
    attach: () => ({
      batch: ({ at, channels = [], messages }) => {
        this.heardAt = at
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

  /** These are wanted from now on: they have an account even where nothing comes. */
  follow(channels: ReadonlyArray<Channel.Channel>): void {
    const now = this.options.now()
    const wanted = new Set(channels.map(keyOf))
    this.last = undefined
    for (const entry of this.entries.values()) {
      const isWanted = wanted.has(keyOf(entry)) || wanted.has(keyOf({ channel: entry.channel }))
      if (isWanted === (entry.since !== undefined)) continue
      entry.liveMillis += this.liveSince(entry, now)
      entry.since = isWanted ? now : undefined
    }
    for (const { channel, product } of channels) this.entry(channel, product)
  }

  /**
   * The gaps that a transition begins or ends. A gap begins when data stopped, is
   * told at the drop, and told again, with its end, when its channel is restored.
   */
  moved({ at, from, to }: Transition): Note | undefined {
    const now = this.options.now()
    let gaps: ReadonlyArray<Lifecycle.Gap> = []
    if (from._tag === "Connected") {
      for (const entry of this.entries.values()) entry.liveMillis += this.liveSince(entry, now)
      this.upSince = undefined
      // Who closes a link that is up misses nothing.
      if (to._tag !== "Closing") gaps = this.begin(this.heardAt ?? at)
    }
    if (to._tag === "Connected") {
      gaps = this.outage.map((gap) => new Lifecycle.Gap({ ...gap, to: instant(at) }))
      this.outage = []
      this.heardAt = at
      this.upSince = now
    }
    for (const gap of gaps) this.enter(gap)
    return gaps.length === 0 ? undefined : new GapNote(gaps)
  }

  /** A consumer's own queue has shed so many events, told to it by the gap where its products are known. */
  dropped(consumer: string, of: Partial<Channel.Channel>, count: number, gap?: Lifecycle.Gap | undefined): void {
    const key = `${consumer}\n${keyOf(of)}`
    const known = this.shed.get(key)
    if (known === undefined) this.shed.set(key, { of, consumer, dropped: count })
    else known.dropped += count
    if (gap !== undefined) this.enter(gap)
  }

  read(): Ledger.Ledger {
    const now = this.options.now()
    const shed = Array.from(this.shed.values(), ({ consumer, dropped, of }) => ({
      consumer,
      channel: of.channel,
      product: of.product,
      dropped
    }))
    const entries = Array.from(this.entries.values(), (entry): Ledger.Entry => {
      const { channel, gaps, product, received } = entry
      const dropped = shed.reduce((most, one) => keyOf(one) === keyOf(entry) ? Math.max(most, one.dropped) : most, 0)
      return {
        channel,
        product,
        liveMillis: Math.round(entry.liveMillis + this.liveSince(entry, now)),
        received,
        delivered: received - dropped,
        duplicates: 0,
        dropped,
        gaps,
        isBalanced: dropped <= received
      }
    })
    return { entries, shed, rejected: this.rejected }
  }

  private begin(from: number): ReadonlyArray<Lifecycle.Gap> {
    const { metrics, venue, wanted } = this.options
    this.outage = wanted().map(({ channel, product }) =>
      new Lifecycle.Gap({
        venue,
        ...(product === undefined ? {} : { product }),
        channel,
        from: instant(from),
        cause: "disconnect"
      })
    )
    metrics.gaps("disconnect", this.outage.length)
    return this.outage
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

  private liveSince({ since }: Entry, now: number): number {
    return this.upSince === undefined || since === undefined ? 0 : now - Math.max(since, this.upSince)
  }

  // Most messages are of the same channel and product as the one before, or of another single channel.
  private received(of: ReadonlyArray<Channel.Channel>, product: string): void {
    const { last } = this
    if (last !== undefined && last.of === of && last.product === product) {
      last.entry.received++
      return
    }
    for (const channel of of) {
      const entry = this.entryOf(channel, channel.product ?? product)
      entry.received++
      if (of.length === 1) this.last = { of, product, entry }
    }
  }

  private entryOf(channel: Channel.Channel, product: string): Entry {
    let entries = this.byChannel.get(channel)
    if (entries === undefined) this.byChannel.set(channel, entries = new Map<string, Entry>())
    let entry = entries.get(product)
    if (entry === undefined) {
      entry = this.entry(channel.channel, product === "" ? undefined : product)
      if (entries.size < mostEntries) entries.set(product, entry)
    }
    return entry
  }

  private entry(channel: string, product: string | undefined): Entry {
    const key = keyOf({ channel, product })
    const known = this.entries.get(key)
    if (known !== undefined) return known
    if (product !== undefined && this.entries.size >= mostEntries) return this.entry(channel, undefined)
    const made: Entry = { channel, product, since: this.options.now(), received: 0, liveMillis: 0, gaps: [] }
    this.entries.set(key, made)
    return made
  }
}
