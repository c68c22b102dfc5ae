/**
 * Which of the events that several connections of a feed bring are told: each
 * once, by what it is known by. Pure: it is told what comes, when and on which.
 *
 * @since 0.1.0
 */
import type { MessageChannels } from "../../connection/internal/messageChannels.ts"
import type * as MarketEvent from "../../event/MarketEvent.ts"
import type { Channel } from "../../value/Channel.ts"
import { type Timestamp, TimestampOrder } from "../../value/Timestamp.ts"
import type { Report } from "../Redundancy.ts"

// For how long it is remembered who brought an event first, in milliseconds, and of how many whatever their age: what a
// venue replays when it is subscribed to is older. And of how many products: a peer that makes them up does not make it
// grow, what is of those beyond is told as it comes.
const rememberedMillis = 30_000
const leastSeen = 1_024
const mostAccounts = 10_000

// For how long, and how many, what a connection that takes over brings is held back because another one is behind it.
const heldMillis = 2_000
const mostHeld = 4_096

// Which events share an account: those of a book do.
const kinds: Readonly<Record<MarketEvent.MarketData["_tag"], string>> = {
  Trade: "trade",
  Ticker: "ticker",
  PriceUpdate: "price",
  BookSnapshot: "book",
  BookDelta: "book"
}

interface First {
  readonly leg: number
  readonly at: number
  /** Whether another one has brought it since. */
  isMatched: boolean
}

/**
 * An event that was held back, with its channels.
 *
 * @category models
 * @since 0.1.0
 */
export interface Held {
  readonly event: MarketEvent.MarketData
  readonly of: MessageChannels[number]
}

// What one that takes over has brought before the others: until they meet it, they bring all of it, and what is before.
interface Ahead {
  readonly leg: number
  readonly since: number
  readonly held: Map<string, Held>
  isMet: boolean
}

// What was brought of one kind of a channel and product.
interface Account {
  readonly seen: Map<string, First>
  /** The newest state that was told. */
  newest: (First & { readonly number: string | undefined; readonly time: Timestamp | undefined }) | undefined
  /** Whose events are told, of those that nothing is known of. */
  leader: number | undefined
  /** Whether they change a book, so that none may be missing, and whether some are, until a snapshot. */
  isFolded: boolean
  isTorn: boolean
  ahead: Ahead | undefined
  /** The time of the earliest trade that was told, and who has brought it. */
  since: { readonly time: Timestamp; readonly leg: number } | undefined
}

interface Counts {
  first: number
  later: number
  alone: number
  leadMillis: number
  mostLeadMillis: number
}

const keyOf = (kind: string, channel: string, product = ""): string => `${kind}\n${channel}\n${product}`

const isFolded = (account: Account | undefined, leg: number): boolean =>
  account?.isFolded === true && account.leader === leg

// Of digits of any length, without leading zeros.
const isAbove = (a: string, b: string): boolean => a.length === b.length ? a > b : a.length > b.length

/**
 * The memory of a feed with several connections.
 *
 * @category models
 * @since 0.1.0
 */
export class LegMerge {
  private readonly accounts = new Map<string, Account>()
  private readonly counts = new Map<number, Counts>()
  private readonly sequenced: ReadonlySet<MarketEvent.MarketEvent["_tag"]>
  // Those that are to take another one's place: the books of others end where theirs begin.
  private readonly rising = new Set<number>()
  private readonly up = new Set<number>()
  // What is to be told before the messages at hand, and before those that come next.
  private due: Array<Held> = []
  private next: Array<Held> = []
  // Whether one was up, and brought what is not remembered, when this began.
  private readonly isLate: boolean

  private readonly onWhole: (channel: string, product: string | undefined) => void

  /** `onWhole` is told that a book which follows one connection goes on with a snapshot. */
  constructor(
    sequenced: ReadonlySet<MarketEvent.MarketEvent["_tag"]> | undefined,
    isLate: boolean,
    onWhole: (channel: string, product: string | undefined) => void
  ) {
    this.sequenced = sequenced ?? new Set()
    this.isLate = isLate
    this.onWhole = onWhole
  }

  /** A connection is made that is to take the place of another one, while these are up. */
  connected(leg: number, up: ReadonlyArray<number>): void {
    this.rising.add(leg)
    for (const one of up) this.up.add(one)
  }

  /** What was held back and is to be told before the messages that were asked for last. */
  takeDue(): ReadonlyArray<Held> {
    const { due, next } = this
    if (due.length > 0 || next.length > 0) {
      this.due = next
      this.next = []
    }
    return due
  }

  /** It has. */
  risen(leg: number): void {
    this.rising.delete(leg)
    for (const account of this.accounts.values()) {
      if (account.ahead?.leg === leg) this.meet(account, account.ahead)
    }
  }

  /** Whether the changes of a channel's book are told as this connection brings them, because they have no numbers. */
  isFollowed(leg: number, { channel, product }: Channel): boolean {
    if (product !== undefined) return isFolded(this.accounts.get(keyOf("book", channel, product)), leg)
    return [...this.accounts].some(([key, account]) =>
      key.startsWith(keyOf("book", channel, "")) && isFolded(account, leg)
    )
  }

  /** A connection is down: who brings something next leads where it did. */
  left(leg: number): void {
    this.up.delete(leg)
    for (const account of this.accounts.values()) {
      const { ahead } = account
      if (ahead !== undefined && (ahead.leg === leg || !this.isCovered(ahead.leg))) this.meet(account, ahead)
      if (ahead?.leg === leg) account.ahead = undefined
      if (account.leader !== leg) continue
      account.leader = undefined
      account.isTorn = account.isFolded
    }
  }

  /** A connection is gone for good. */
  forget(leg: number): void {
    this.left(leg)
    this.rising.delete(leg)
    this.counts.delete(leg)
  }

  /** Whether an event of a channel that a connection has brought at `at`, in milliseconds, is to be told. */
  passes(
    leg: number,
    channel: string,
    event: MarketEvent.MarketData,
    at: number,
    of: MessageChannels[number] = []
  ): boolean {
    const account = this.accountOf(keyOf(kinds[event._tag], channel, event.product))
    if (account === undefined) return true
    switch (event._tag) {
      case "Trade":
        return event.tradeId === undefined ? this.leads(leg, account) : this.isNewTrade(leg, account, event, at, of)
      case "BookDelta":
        if (event.sequence === undefined || !this.sequenced.has(event._tag)) {
          account.isFolded = true
          return this.leads(leg, account)
        }
        if (account.newest?.number === undefined || isAbove(event.sequence, account.newest.number)) {
          account.newest = { leg, at, isMatched: false, number: event.sequence, time: undefined }
        }
        return !this.isHeld(leg, account, event.sequence, at, { event, of }) &&
          this.isFirst(leg, account, event.sequence, at)
      case "BookSnapshot":
        if (event.sequence !== undefined && this.sequenced.has(event._tag)) {
          return this.isNewest(leg, account, event.sequence, undefined, at)
        }
        if (account.isTorn || this.rising.has(leg)) {
          account.leader = leg
          account.isTorn = false
          this.onWhole(channel, event.product)
        }
        return this.leads(leg, account)
      case "Ticker":
      case "PriceUpdate": {
        const number = "sequence" in event && this.sequenced.has(event._tag) ? event.sequence : undefined
        return number === undefined && event.timestamp === undefined
          ? this.leads(leg, account)
          : this.isNewest(leg, account, number, event.timestamp, at)
      }
    }
  }

  /** How a connection has done. */
  report(leg: number): Omit<Report, "leg" | "isUp"> {
    const { alone, first, later, leadMillis, mostLeadMillis } = this.countsOf(leg)
    return { first, later, alone, meanLeadMillis: first === 0 ? 0 : leadMillis / first, mostLeadMillis }
  }

  private leads(leg: number, account: Account): boolean {
    account.leader ??= leg
    return account.leader === leg
  }

  // What the venue replays is of before, unless it lies within what is remembered.
  private isNewTrade(
    leg: number,
    account: Account,
    event: Extract<MarketEvent.MarketData, { readonly _tag: "Trade" }>,
    at: number,
    of: MessageChannels[number]
  ): boolean {
    const { history, timestamp, tradeId = "" } = event
    const { since } = account
    const isEarlier = since === undefined || (timestamp !== undefined && TimestampOrder(timestamp, since.time) < 0)
    if (history === true && isEarlier && !account.seen.has(tradeId)) {
      const isBefore = since === undefined ? this.isLate && this.rising.has(leg) : since.leg !== leg
      if (isBefore) return false
    }
    if (isEarlier && timestamp !== undefined) account.since = { time: timestamp, leg }
    return !this.isHeld(leg, account, tradeId, at, { event, of }) && this.isFirst(leg, account, tradeId, at)
  }

  private isCovered(leg: number): boolean {
    for (const one of this.up) if (one !== leg && !this.rising.has(one)) return true
    return false
  }

  // One that takes over may be ahead of the others. What it brings first is theirs to tell, so that nothing seems to be
  // missing before it; they meet it where both have brought the same, and from there on whoever is first tells it.
  private isHeld(leg: number, account: Account, id: string, at: number, one: Held): boolean {
    const { ahead, seen } = account
    if (!this.rising.has(leg)) {
      if (ahead !== undefined && !ahead.isMet && ahead.held.has(id)) this.meet(account, ahead, id)
      return false
    }
    const mine = ahead?.leg === leg ? ahead : { leg, since: at, held: new Map<string, Held>(), isMet: false }
    account.ahead = mine
    if (mine.isMet) return false
    if (seen.has(id) || !this.isCovered(leg)) {
      this.meet(account, mine)
      return false
    }
    mine.held.set(id, one)
    if (at - mine.since >= heldMillis || mine.held.size > mostHeld) this.meet(account, mine)
    return true
  }

  // What of it nobody else has told is due: what is behind the one that another one tells just now, behind that.
  private meet({ seen }: Account, ahead: Ahead, met?: string): void {
    ahead.isMet = true
    let isBehind = false
    for (const [id, held] of ahead.held) {
      isBehind ||= id === met
      if (id === met || seen.has(id)) continue
      seen.set(id, { leg: ahead.leg, at: ahead.since, isMatched: false })
      this.countsOf(ahead.leg).alone++
      if (isBehind) this.next.push(held)
      else this.due.push(held)
    }
    ahead.held.clear()
  }

  private isFirst(leg: number, { seen }: Account, id: string, at: number): boolean {
    const first = seen.get(id)
    if (first !== undefined) {
      this.match(leg, first, at)
      return false
    }
    seen.set(id, { leg, at, isMatched: false })
    if (seen.size > leastSeen) {
      for (const [oldest, { at: then }] of seen) {
        if (seen.size <= leastSeen || at - then < rememberedMillis) break
        seen.delete(oldest)
      }
    }
    this.countsOf(leg).alone++
    return true
  }

  private isNewest(
    leg: number,
    account: Account,
    number: string | undefined,
    time: Timestamp | undefined,
    at: number
  ): boolean {
    const { newest } = account
    if (newest !== undefined && newest.leg !== leg) {
      const isSame = number === undefined
        ? time !== undefined && newest.time !== undefined && TimestampOrder(time, newest.time) === 0
        : number === newest.number
      if (isSame) this.match(leg, newest, at)
      const isNewer = number === undefined || newest.number === undefined
        ? time === undefined || newest.time === undefined || TimestampOrder(time, newest.time) > 0
        : isAbove(number, newest.number)
      if (!isNewer) return false
    }
    account.newest = { leg, at, isMatched: false, number, time }
    this.countsOf(leg).alone++
    return true
  }

  private match(leg: number, first: First, at: number): void {
    if (leg === first.leg) return
    this.countsOf(leg).later++
    if (first.isMatched) return
    first.isMatched = true
    const counts = this.countsOf(first.leg)
    counts.alone--
    counts.first++
    counts.leadMillis += at - first.at
    counts.mostLeadMillis = Math.max(counts.mostLeadMillis, at - first.at)
  }

  private countsOf(leg: number): Counts {
    let counts = this.counts.get(leg)
    if (counts === undefined) {
      this.counts.set(leg, counts = { first: 0, later: 0, alone: 0, leadMillis: 0, mostLeadMillis: 0 })
    }
    return counts
  }

  private accountOf(key: string): Account | undefined {
    let account = this.accounts.get(key)
    if (account === undefined && this.accounts.size < mostAccounts) {
      account = {
        seen: new Map(),
        newest: undefined,
        leader: undefined,
        isFolded: false,
        isTorn: false,
        ahead: undefined,
        since: undefined
      }
      this.accounts.set(key, account)
    }
    return account
  }
}
