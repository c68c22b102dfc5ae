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
import * as Channel from "../../value/Channel.ts"
import type * as Ledger from "../Ledger.ts"
import { ArrivalCounts } from "./arrivalCounts.ts"
import type { FeedMetrics } from "./feedMetrics.ts"
import { GapAnnouncement } from "./gapAnnouncement.ts"
import type { Found, Recoverer, Recovery } from "./gapRecovery.ts"
import * as InstantText from "./instantText.ts"
import { keyOf, LedgerEntries } from "./ledgerEntries.ts"
import type { GapMembers, LedgerEntry as Entry } from "./ledgerEntry.ts"
import { type Dropped, ShedCounts } from "./shedCounts.ts"

const isDelivering = (entry: Entry | undefined): boolean =>
  entry !== undefined && entry.isWanted && !entry.isRefused && entry.open === undefined

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
  /** How many frames a recording of the feed has left out. */
  readonly leftOut?: (() => number) | undefined
}

/**
 * A feed's ledger, as it is kept.
 *
 * @category models
 * @since 0.1.0
 */
export class GapLedger implements Follower<MarketEvent.MarketEvent> {
  private readonly options: Options
  private readonly entries = new LedgerEntries((entry) => this.updateLive(entry))
  private readonly counts = new ArrivalCounts(this.entries)
  private readonly shed = new ShedCounts()
  // Those that are wanted, in the order in which they came to be.
  private readonly wanted = new Map<string, Entry>()
  private rejected = 0
  private readonly watchers = new Set<() => void>()
  // When anything was last heard, in epoch milliseconds: what bounds a gap.
  private heardAt: number | undefined
  private isUp = false
  /** Who fetches what is missing, if anybody does. */
  recoverer: Recoverer | undefined

  constructor(options: Options) {
    this.options = options
  }

  readonly observer: NamedObserver<MarketEvent.MarketEvent> = {
    name: "ledger",
    attach: () => ({
      batch: ({ at, channels = [], messages }) => {
        this.heardAt = at
        this.counts.beginBatch()
        for (let i = 0; i < channels.length; i++) {
          const message = messages[i]
          const of = channels[i]
          if (message === undefined || of === undefined || !MarketEvent.isMarketData(message)) continue
          this.counts.received(of, message.product ?? "")
        }
      },
      rejected: ({ at }) => {
        this.heardAt = at
        this.rejected++
      },
      ended: () => {}
    })
  }

  /** Calls back when a gap or a time of being live begins, ends, or is known better. Returns what ends that. */
  watch(onChange: () => void): () => void {
    this.watchers.add(onChange)
    return () => void this.watchers.delete(onChange)
  }

  /** The account of a message that belongs to one wanted channel alone. */
  entryOf(of: ReadonlyArray<Channel.Channel>, product: string): Entry | undefined {
    return of.length === 1 ? this.entries.ofRouted(of, product) : undefined
  }

  /** These are wanted from now on: they have an account even if nothing comes. */
  follow(channels: ReadonlyArray<Channel.Channel>): void {
    for (const { channel, product } of channels) {
      const entry = this.entries.of(channel, product, true)
      entry.isWanted = true
      this.wanted.set(keyOf(entry), entry)
      this.updateLive(entry)
    }
  }

  /** These are wanted no more: a gap of theirs that is open ends with it. */
  unfollow(channels: ReadonlyArray<Channel.Channel>): Announcement | undefined {
    const found = this.wantedOf(channels)
    const announcement = this.end(found, this.options.wallNow())
    for (const entry of found) {
      this.recoverer?.left(entry)
      this.wanted.delete(keyOf(entry))
      entry.isWanted = false
      entry.isRefused = false
      entry.forget()
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
    const gaps = from._tag === "Connected" && to._tag !== "Closing" ?
      this.begin(this.wanted.values(), this.heardAt ?? at)
      : []
    if (wasUp !== this.isUp) { for (const entry of this.entries.all) this.updateLive(entry) }
    return gaps.length === 0 ? undefined : new GapAnnouncement(gaps)
  }

  confirmed(channels: ReadonlyArray<Channel.Channel>, at: number): Announcement | undefined {
    const found = this.wantedOf(channels)
    for (const entry of found) {
      entry.isRefused = false
      entry.confirmedAt = at
    }
    const announcement = this.end(found.filter((entry) => this.endsAsConfirmed(entry)), at)
    for (const entry of found) this.recoverer?.confirmed(entry)
    return announcement
  }

  /** What is refused is waited for no longer: its gap ends here, and a drop begins none. */
  refused(channels: ReadonlyArray<Channel.Channel>): Announcement | undefined {
    const found = this.wantedOf(channels)
    for (const entry of found) {
      entry.isRefused = true
      this.recoverer?.left(entry)
    }
    return this.end(found, this.options.wallNow())
  }

  /** The book of a channel is broken, though the connection is up: a gap until it is whole. */
  broken(
    channel: Channel.Channel,
    cause: Lifecycle.Gap["cause"],
    from = this.heardAt ?? this.options.wallNow()
  ): Announcement | undefined {
    const entries = this.wantedOf([channel])
    const gaps = cause === "disconnect" ? this.begin(entries, from) : this.open(entries, from, cause)
    for (const entry of entries) {
      entry.isWhole = false
      this.updateLive(entry)
    }
    return gaps.length === 0 ? undefined : new GapAnnouncement(gaps)
  }

  /** Somebody keeps the book of a channel: its gaps end when that is whole. */
  kept(channel: Channel.Channel): void {
    this.entries.of(channel.channel, channel.product).isKept = true
  }

  /** Nobody keeps it any more: its gap ends here, or when the channel is confirmed. */
  unkept(channel: Channel.Channel): Announcement | undefined {
    const entry = this.entries.get(keyOf(channel))
    if (entry === undefined) return undefined
    entry.isKept = false
    entry.isWhole = false
    const { confirmedAt, open } = entry
    if (open?.cause !== "disconnect") return this.end([entry], this.options.wallNow())
    return confirmedAt === undefined ? undefined : this.end([entry], this.options.wallNow())
  }

  /** It is whole, by a snapshot, or because another connection has one that is. */
  whole(channel: Channel.Channel, by: Recovery = "snapshot"): Announcement | undefined {
    const entries = this.wantedOf([channel])
    for (const entry of entries) entry.isWhole = true
    return this.end(entries, this.options.wallNow(), by)
  }

  /**
   * Numbers of frames show that some are missing, of any channel: so many if only one can be what they were of. What
   * another connection has of a channel is recovered.
   */
  missedFrames(
    after: number,
    before: number,
    missing: number,
    isCovered: (channel: Channel.Channel) => boolean
  ): Announcement | undefined {
    const count = this.wanted.size === 1 ? missing : undefined
    const gaps = Array.from(this.wanted.values(), (entry) => this.miss(entry, after, before, count, isCovered)).flat()
    return gaps.length === 0 ? undefined : new GapAnnouncement(gaps)
  }

  /** Numbers of a channel's own messages show that some are missing: so many, where each message has one. */
  missed(entry: Entry, after: number, before: number, missing: number | undefined): Announcement | undefined {
    if (this.measured(entry, missing, after, before)) return undefined
    const gaps = this.miss(entry, after, before, missing)
    return gaps.length === 0 ? undefined : new GapAnnouncement(gaps)
  }

  /**
   * A number of a channel's own messages came, the first since a drop: it shows how much the gap of that holds. Returns
   * whether there was such a gap.
   */
  measured(entry: Entry, missing: number | undefined, after = 0, before = 0): boolean {
    const { unmeasured } = entry
    if (unmeasured === undefined) return false
    entry.unmeasured = undefined
    if (missing === undefined) return true
    this.amend(entry, unmeasured, (gap) => ({ ...gap, missing }))
    if (missing > 0) entry.lose({ ...unmeasured, first: after + 1, last: before - 1 })
    return true
  }

  /** What was missing has come after all; `by` says how the whole of it is recovered, if not by coming late. */
  late(entry: Entry, number: number, by: Recovery | undefined): void {
    const loss = entry.losses.find(({ first, last }) => first <= number && number <= last)
    if (loss === undefined) return
    this.amend(entry, loss, ({ missing, ...gap }) => {
      if (missing === undefined) return gap
      const left = Math.max(0, missing - 1)
      return { ...gap, missing: left, ...(left === 0 && by !== undefined ? { recovered: by } : {}) }
    })
  }

  /** A message of these channels is known to be there already: it is counted, and handed on to nobody. */
  duplicate(of: ReadonlyArray<Channel.Channel>, product: string): void {
    this.counts.duplicate(of, product)
  }

  /**
   * A gap that is over when it is found: nothing of a channel came between `from` and `to`, which are numbers or
   * instants. `recovered` says how what it holds is there nevertheless, if it is; without `to` it is to be `closed`.
   */
  found(
    { channel, product }: { readonly channel: string; readonly product?: string | undefined },
    gap: Omit<Found, "to"> & Partial<Pick<Found, "to">>
  ): GapAnnouncement {
    const { metrics, venue } = this.options
    const made = new Lifecycle.Gap({ venue, ...(product === undefined ? {} : { product }), channel, ...gap })
    this.enter(made)
    metrics.gaps(gap.cause, 1)
    this.changed()
    return new GapAnnouncement([made])
  }

  /** A gap that numbers showed, and that was told when it was found, ends: what could be fetched of it is there. */
  closed(
    entry: Entry,
    { from, to }: Pick<Found, "from" | "to">,
    recovered: Recovery | undefined
  ): Announcement | undefined {
    const gap = entry.gaps.find((gap) => gap.cause === "sequence" && gap.from === from && gap.to === undefined)
    if (gap === undefined) return undefined
    const { recovered: _, ...members } = gap
    const ended = new Lifecycle.Gap(
      recovered === undefined ? { ...members, to } : { ...members, ...(gap.missing && { missing: 0 }), to, recovered }
    )
    this.enter(ended)
    this.changed()
    return new GapAnnouncement([ended])
  }

  /** What was fetched after a drop shows that the venue itself lacks some: a gap that is open holds them. */
  lacking(entry: Entry, after: number, before: number): void {
    const { open } = entry
    if (open === undefined) return
    entry.lose({ ...open, first: after + 1, last: before - 1 })
    this.amend(entry, open, ({ missing = 0, ...gap }) => ({ ...gap, missing: missing + before - after - 1 }))
  }

  /**
   * What a gap holds is there after all. One that is open ends with it, and is announced; of one that has ended, which
   * was told, the ledger alone says it.
   */
  recovered(
    channel: Channel.Channel,
    gap: Pick<Lifecycle.Gap, "cause" | "from">,
    by: Recovery
  ): Announcement | undefined {
    const entry = this.entries.get(keyOf(channel))
    if (entry === undefined) return undefined
    const { open } = entry
    if (open?.cause === gap.cause && open.from === gap.from) return this.end([entry], this.options.wallNow(), by)
    this.amend(entry, gap, (held) => ({ ...held, recovered: by }))
    return undefined
  }

  /**
   * The gap of a drop does not end when a channel is confirmed: whoever fetches what was missed ends it by what this
   * returns, with how it was recovered, if it was. Until the channel has been confirmed that changes nothing.
   */
  hold(channel: Channel.Channel): (recovered?: Recovery) => Announcement | undefined {
    const entry = this.entries.of(channel.channel, channel.product)
    entry.holds++
    let isHeld = true
    return (recovered) => {
      if (!isHeld) return undefined
      isHeld = false
      entry.holds--
      const { confirmedAt } = entry
      if (confirmedAt === undefined || !this.endsAsConfirmed(entry)) return undefined
      return this.end([entry], recovered === undefined ? confirmedAt : this.options.wallNow(), recovered)
    }
  }

  handedOn(): void {
    this.counts.handedOn()
  }

  /** Gives one consumer, by its name, what it enters its losses with. */
  consumer(name: string): Dropped {
    return this.shed.consumer(name, (of, dropped, gap) => {
      const entry = this.entries.get(keyOf(of))
      if (entry !== undefined) entry.dropped = Math.max(entry.dropped, dropped)
      if (gap !== undefined || of.product !== undefined) this.options.metrics.gaps("overflow", 1)
      if (gap !== undefined) this.enter(gap)
      this.changed()
    })
  }

  read(): Ledger.Ledger {
    const now = this.options.now()
    return {
      entries: Array.from(this.entries.all, (entry) => entry.read(now)),
      shed: this.shed.read(this.options.leftOut?.()),
      rejected: this.rejected
    }
  }

  private wantedOf(channels: ReadonlyArray<Channel.Channel>): ReadonlyArray<Entry> {
    return channels.map((channel) => this.wanted.get(keyOf(channel))).filter((entry) => entry !== undefined)
  }

  // A channel that has not been live since the drop before is in a gap already.
  private begin(entries: Iterable<Entry>, from: number): ReadonlyArray<Lifecycle.Gap> {
    const all = [...entries]
    const gaps = this.open(all, from, "disconnect")
    for (const entry of all) {
      entry.confirmedAt = undefined
      entry.unmeasured = entry.open
      entry.isWhole = false
      if (entry.open !== undefined) this.recoverer?.dropped(entry, from)
    }
    return gaps
  }

  private endsAsConfirmed({ holds, isKept, open }: Entry): boolean {
    return open?.cause === "disconnect" && holds === 0 && !isKept
  }

  // A gap that is open holds it; a book that is kept is in one until it is whole; any other is over when it is found.
  private miss(
    entry: Entry,
    after: number,
    before: number,
    missing: number | undefined,
    isCovered: (channel: Channel.Channel) => boolean = () => false
  ): ReadonlyArray<Lifecycle.Gap> {
    const { isKept, isRefused, isWhole, open } = entry
    // Whoever keeps a book has seen it first: it was made whole by what shows that something was missing.
    if (isRefused || (isKept && isWhole)) return []
    const span = { first: after + 1, last: before - 1 }
    if (open !== undefined) {
      const isFirst = !entry.losses.some(({ cause, from }) => cause === open.cause && from === open.from)
      entry.lose({ ...open, ...span })
      this.amend(
        entry,
        open,
        ({ missing: more = isFirst && open.cause === "sequence" ? 0 : undefined, ...gap }) =>
          more === undefined || missing === undefined ? gap : { ...gap, missing: more + missing }
      )
      this.recoverer?.missed(entry, { from: String(after), to: String(before) })
      return []
    }
    if (isKept) {
      const gaps = this.open([entry], this.heardAt ?? this.options.wallNow(), "sequence", missing)
      for (const gap of gaps) entry.lose({ ...gap, ...span })
      this.updateLive(entry)
      return gaps
    }
    const gap = { cause: "sequence", from: String(after), to: String(before) } as const
    entry.lose({ ...gap, ...span })
    const isRecovered = isCovered(Channel.make(entry.channel, entry.product))
    if (!isRecovered && this.recoverer?.missed(entry, gap) === true) {
      return this.found(entry, { cause: gap.cause, from: gap.from, ...(missing === undefined ? {} : { missing }) }).gaps
    }
    return this.found(entry, {
      ...gap,
      ...(missing === undefined ? {} : { missing }),
      ...(isRecovered ? { recovered: "redundant" } : {})
    }).gaps
  }

  private amend(
    entry: Entry,
    gap: Pick<Lifecycle.Gap, "cause" | "from">,
    change: (gap: Lifecycle.Gap) => GapMembers
  ): void {
    entry.amend(gap, change)
    this.changed()
  }

  private changed(): void {
    for (const onChange of this.watchers) onChange()
  }

  private open(
    entries: Iterable<Entry>,
    from: number,
    cause: Lifecycle.Gap["cause"],
    missing?: number
  ): ReadonlyArray<Lifecycle.Gap> {
    const { metrics, venue } = this.options
    const gaps: Array<Lifecycle.Gap> = []
    for (const entry of entries) {
      if (entry.isRefused || entry.open !== undefined) continue
      const { channel, product } = entry
      entry.open = new Lifecycle.Gap({
        venue,
        ...(product === undefined ? {} : { product }),
        channel,
        from: InstantText.of(from),
        cause,
        ...(missing === undefined ? {} : { missing })
      })
      this.enter(entry.open)
      gaps.push(entry.open)
    }
    metrics.gaps(cause, gaps.length)
    if (gaps.length > 0) this.changed()
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
          to: InstantText.of(at),
          ...(recovered === undefined ? {} : { recovered })
        })
        entry.open = undefined
        this.enter(gap)
        gaps.push(gap)
      }
      this.updateLive(entry)
    }
    if (gaps.length === 0) return undefined
    this.changed()
    return new GapAnnouncement(gaps)
  }

  private enter(gap: Lifecycle.Gap): void {
    if (gap.channel !== undefined) this.entries.of(gap.channel, gap.product).enter(gap)
  }

  // A product of a channel that is wanted as a whole is live with it.
  private updateLive(entry: Entry): void {
    const { channel, product } = entry
    const isLive = this.isUp &&
      (isDelivering(entry) || (product !== undefined && isDelivering(this.wanted.get(keyOf({ channel })))))
    if (isLive !== (entry.liveSince !== undefined)) {
      const now = this.options.now()
      entry.liveMillis += now - (entry.liveSince ?? now)
      entry.liveSince = isLive ? now : undefined
      entry.became(isLive, InstantText.of(this.options.wallNow()))
      this.changed()
    }
    if (product !== undefined) return
    for (const one of this.entries.all) {
      if (one.channel === channel && one.product !== undefined) this.updateLive(one)
    }
  }
}
