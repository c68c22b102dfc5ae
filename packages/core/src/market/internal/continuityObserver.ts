/**
 * Sees in each message of a feed, by its number or id, whether something is
 * missing before it, and whether it is there already: then nobody behind is
 * shown it.
 *
 * @since 0.1.0
 */
import type { Announcement } from "../../connection/internal/announcement.ts"
import type { NarrowingObserver } from "../../connection/internal/observers.ts"
import type { Batch } from "../../connection/Observer.ts"
import type { BookDelta, Trade } from "../../event/MarketData.ts"
import * as MarketEvent from "../../event/MarketEvent.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"
import * as Digits from "../../value/internal/digits.ts"
import type { Venue } from "../../venue/Venue.ts"
import * as FetchedTrades from "./fetchedTrades.ts"
import { FrameNumbers, type Step } from "./frameNumbers.ts"
import type { GapLedger } from "./gapLedger.ts"
import type { LedgerEntry } from "./ledgerEntry.ts"
import { without } from "./mergedBatch.ts"
import { topicOfUnread } from "./unreadFrames.ts"

/**
 * What it takes to see what is missing of a feed, and what is there already.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: Venue
  readonly ledger: GapLedger
  readonly announce: (announcement: Announcement) => void
}

/**
 * What it takes to see it of one connection, by the numbers of its frames.
 *
 * @category models
 * @since 0.1.0
 */
export interface FrameOptions extends Options {
  /** How many frames were written in this epoch that ask for subscriptions or give them up. */
  readonly asked: () => number
  /** Whether another connection delivers the channel. */
  readonly isCovered: (channel: Channel) => boolean
}

/**
 * What it takes to see it by the messages' own numbers and ids.
 *
 * @category models
 * @since 0.1.0
 */
export interface MessageOptions extends Options {
  /** The wanted channels of data by what it is known by. */
  readonly channelsOf: (name: string, product: string | undefined) => ReadonlyArray<Channel>
  /** Whether the feed has several connections. */
  readonly isRedundant: () => boolean
}

// The first and the last number of a book's change, as far as it has any.
const rangeOf = ({ firstSequence, previousSequence, sequence }: BookDelta): readonly [number, number] | undefined => {
  const last = Digits.toSafe(sequence)
  if (last === undefined) return undefined
  const previous = Digits.toSafe(previousSequence)
  // One that is to follow what comes after it is of itself alone.
  if (previous !== undefined && previous >= last) return [last, last]
  return [Digits.toSafe(firstSequence) ?? (previous === undefined ? last : previous + 1), last]
}

/**
 * Makes the observer of the frames of one connection; none if they have no
 * numbers.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofFrames = (options: FrameOptions): ReadonlyArray<NarrowingObserver<MarketEvent.MarketEvent>> => {
  const { asked, venue } = options
  if (venue.frames === undefined) return []
  const checks = new FrameChecks(options)
  return [{
    name: "frame numbers",
    attach: () => {
      checks.numbers = new FrameNumbers(venue, asked)
      return {
        batch: (batch) => void checks.narrow(batch),
        // What cannot be read has its number nevertheless.
        rejected: (_, frame) => void checks.follow(frame, []),
        ended: () => {}
      }
    },
    narrow: (batch) => checks.narrow(batch)
  }]
}

/**
 * Makes the observer of the messages of all connections of a feed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofMessages = (options: MessageOptions): NarrowingObserver<MarketEvent.MarketEvent> => {
  const checks = new MessageChecks(options)
  return {
    name: "message numbers",
    attach: () => ({
      batch: (batch) => void checks.narrow(batch),
      rejected: (_, frame) => checks.rejected(frame),
      ended: () => {}
    }),
    narrow: (batch) => checks.narrow(batch)
  }
}

class FrameChecks {
  numbers: FrameNumbers
  private readonly options: FrameOptions

  constructor(options: FrameOptions) {
    this.options = options
    this.numbers = new FrameNumbers(options.venue, options.asked)
  }

  narrow(batch: Batch<MarketEvent.MarketEvent>): Batch<MarketEvent.MarketEvent> | undefined {
    const { channels = [], frames, messages, monotonicMillis, starts } = batch
    let seen: Set<number> | undefined
    for (let i = 0; i < frames.length; i++) {
      const frame = frames[i]
      if (frame === undefined) continue
      const start = starts[i] ?? 0
      const end = starts[i + 1] ?? messages.length
      const step = this.follow(
        frame,
        frames.length === 1 ? messages : messages.slice(start, end),
        monotonicMillis
      )
      if (step === "next" || step === "break") continue
      for (let at = start; at < end; at++) {
        const message = messages[at]
        if (message === undefined || !MarketEvent.isMarketData(message)) continue
        const of = channels[at] ?? []
        if (step === "late") this.late(of, message)
        else {
          seen = (seen ?? new Set()).add(at)
          this.options.ledger.duplicate(of, message.product ?? "")
        }
      }
    }
    return seen === undefined ? batch : without(batch, seen)
  }

  follow(frame: Frame, events: ReadonlyArray<MarketEvent.MarketEvent>, now?: number): Step {
    const { announce, isCovered, ledger } = this.options
    const { numbers } = this
    const step = numbers.follow(frame, events, now)
    // What is only out of order is not missing.
    if (step !== "break" || numbers.missing === 0) return step
    const { from, missing, to } = numbers
    const announcement = ledger.missedFrames(from, to, missing, isCovered)
    if (announcement !== undefined) announce(announcement)
    return step
  }

  private late(of: ReadonlyArray<Channel>, message: MarketEvent.MarketData): void {
    const { ledger } = this.options
    const entry = ledger.entryOf(of, message.product ?? "")
    const number = "sequence" in message ? Digits.toSafe(message.sequence) : undefined
    if (entry !== undefined && number !== undefined) ledger.late(entry, number, undefined)
  }
}

class MessageChecks {
  private readonly options: MessageOptions
  private readonly isDelta: boolean

  constructor(options: MessageOptions) {
    this.options = options
    this.isDelta = options.venue.continuity === "delta"
  }

  narrow(batch: Batch<MarketEvent.MarketEvent>): Batch<MarketEvent.MarketEvent> | undefined {
    const { ledger } = this.options
    const { channels = [], messages } = batch
    let seen: Set<number> | undefined
    for (let i = 0; i < channels.length; i++) {
      const of = channels[i]
      const message = messages[i]
      if (of === undefined || of.length !== 1 || message === undefined || !MarketEvent.isMarketData(message)) continue
      const product = message.product ?? ""
      const entry = ledger.entryOf(of, product)
      if (entry === undefined || !this.isSeen(entry, message)) continue
      seen = (seen ?? new Set()).add(i)
      ledger.duplicate(of, product)
    }
    return seen === undefined ? batch : without(batch, seen)
  }

  // It is counted, where it says what it is of.
  rejected(frame: Frame): void {
    const { channelsOf, ledger, venue } = this.options
    const topic = topicOfUnread(venue, frame)
    if (topic === undefined) return
    const entry = ledger.entryOf(channelsOf(topic.name, topic.product), topic.product ?? "")
    if (entry !== undefined) entry.rejected++
  }

  private isSeen(entry: LedgerEntry, message: MarketEvent.MarketData): boolean {
    switch (message._tag) {
      case "Trade":
        return this.isTradeSeen(entry, message)
      case "BookDelta": {
        const range = this.isDelta ? rangeOf(message) : undefined
        return range !== undefined && this.step(entry, range[0], range[1], false)
      }
      case "BookSnapshot": {
        const number = this.isDelta ? Digits.toSafe(message.sequence) : undefined
        if (number === undefined) return false
        entry.numbers.restart(number)
        this.options.ledger.measured(entry, undefined)
        return false
      }
      case "Ticker": {
        if (message.sequence === undefined || this.options.venue.frames !== undefined) return false
        const isSame = entry.lastSequence === message.sequence
        entry.lastSequence = message.sequence
        return isSame
      }
      default:
        return false
    }
  }

  private isTradeSeen(entry: LedgerEntry, trade: Trade): boolean {
    const member = entry.tradeNumber ??= this.options.venue.tradeNumber?.(entry.channel) ?? "none"
    const number = member === "none" ? undefined : Digits.toSafe(trade[member])
    if (number !== undefined) {
      const isSeen = this.step(entry, number, number, trade.history === true, 1)
      if (number === entry.numbers.last) this.keep(entry, trade)
      return isSeen
    }
    if (trade.tradeId !== undefined && entry.hasCome(trade.tradeId)) return true
    if (trade.history !== true || FetchedTrades.isLater(trade, entry.lastTrade)) this.keep(entry, trade)
    return false
  }

  // For who fetches what is missing: where there is nobody, a trade need not outlive its batch.
  private keep(entry: LedgerEntry, trade: Trade): void {
    if (this.options.ledger.recoverer !== undefined) entry.lastTrade = trade
  }

  // Whether all of the numbers are there already. `each` is how many messages a number stands for, if that is known.
  private step(entry: LedgerEntry, first: number, last: number, isReplayed: boolean, each?: number): boolean {
    const { announce, isRedundant, ledger } = this.options
    const { numbers } = entry
    const wasEmpty = numbers.last === undefined
    const step = numbers.add(first, last)
    switch (step) {
      case "seen":
        return true
      case "late":
        ledger.late(entry, first, isReplayed ? "snapshot" : isRedundant() ? "redundant" : undefined)
        return false
      case "next":
        if (entry.unmeasured !== undefined && !wasEmpty) ledger.measured(entry, each === undefined ? undefined : 0)
        return false
      case "gap": {
        const missing = each === undefined ? undefined : numbers.missingBefore(first)
        const announcement = ledger.missed(entry, numbers.before ?? 0, first, missing)
        if (announcement !== undefined) announce(announcement)
        return false
      }
    }
  }
}
