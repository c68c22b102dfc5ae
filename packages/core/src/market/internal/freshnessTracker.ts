/**
 * The tracker of freshness: it is told what happened and when, in milliseconds of
 * the monotonic clock, and says what to do. It is pure.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { Channel } from "../../value/Channel.ts"
import * as ChannelKey from "../../value/Channel.ts"
import { type Policy, recommended, type Report } from "../Freshness.ts"
import { FreshnessEntry as Entry } from "./freshnessEntry.ts"
import { FreshnessFigures } from "./freshnessFigures.ts"
import { RoutedChannels } from "./routedChannels.ts"

/**
 * What is done about a subscription that does not deliver, in this order; each
 * is given the deadline to help before the next.
 *
 * @category models
 * @since 0.1.0
 */
export type Step = "probe" | "resubscribe" | "reconnect" | "report"

/**
 * The steps, first to last.
 *
 * @category constants
 * @since 0.1.0
 */
export const steps: ReadonlyArray<Step> = ["probe", "resubscribe", "reconnect", "report"]

/**
 * A subscription that is overdue, and what to do about it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Overdue {
  readonly channel: Channel
  readonly step: Step
  readonly silentForMillis: number
}

/**
 * The freshness of a feed's subscriptions.
 *
 * @category models
 * @since 0.1.0
 */
export interface FreshnessTracker {
  readonly subscribed: (channel: Channel, at: number) => void
  readonly unsubscribed: (channel: Channel) => void
  /** An epoch has begun: everything is waited for anew. */
  readonly connected: (at: number) => void
  /** The epoch has ended: nothing is waited for. */
  readonly disconnected: () => void
  /** Data of a subscription arrived. */
  readonly received: (channel: Channel, at: number) => void
  /** Data arrived that belongs to all of these. */
  readonly receivedAll: (channels: ReadonlyArray<Channel>, at: number) => void
  /** How old the last data of a subscription is, through all epochs; before the first, how long ago it was made. */
  readonly age: (channel: Channel, at: number) => number
  /** When the next deadline passes, where there is one. */
  readonly nextDeadline: () => number | undefined
  /** What is overdue at a time: each subscription at most once a step. `paused` says that it is we who do not read. */
  readonly check: (at: number, paused: boolean) => ReadonlyArray<Overdue>
  readonly report: (at: number) => ReadonlyArray<Report>
}

/**
 * Makes the freshness of a feed without subscriptions. `isQuiet` says of a
 * channel by its name whether it may be; by default none may.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  policy: Policy = recommended,
  isQuiet: (channel: string) => boolean = () => false
): FreshnessTracker => {
  const targetMillis = Duration.toMillis(policy.target)
  const entries = new Map<string, Entry>()
  const figures = new FreshnessFigures(() => entries.size)
  // The entries by the channels themselves, which saves making a key for every message; and those that have none.
  const byChannel = new Map<Channel, Entry>()
  const without = new Set<Channel>()
  const entryOf = (channel: Channel): Entry | undefined => {
    const known = byChannel.get(channel)
    if (known !== undefined || without.has(channel)) return known
    const entry = entries.get(ChannelKey.key(channel))
    if (entry === undefined) without.add(channel)
    else byChannel.set(channel, entry)
    return entry
  }
  // Those that have not delivered since they are waited for: all that a deadline is of.
  const waiting = new Set<Entry>()
  let connectedAt: number | undefined
  // Of those that are heard a list of one channel remembers its figures, which holds until one of them is heard no more.
  let heard = {}

  const expect = (entry: Entry, at: number | undefined): void => {
    entry.askedAt = at
    entry.steppedAt = at
    entry.isHeard = false
    if (at === undefined) waiting.delete(entry)
    else waiting.add(entry)
  }

  const expectAll = (at: number | undefined): void => {
    connectedAt = at
    heard = {}
    for (const entry of entries.values()) expect(entry, at)
  }

  // A quiet channel may be silent again for as long as it was before.
  const patienceOf = ({ deadlineMillis, isQuiet, longest }: Entry): number =>
    isQuiet ? Math.max(deadlineMillis, 2 * longest) : deadlineMillis

  // The first three steps are taken once in an outage of data; data, and nothing else, starts them anew. For a quiet
  // channel that has ever delivered the connection is not torn down: it is the market that is silent, most likely.
  const overdue = (entry: Entry, at: number): Overdue | undefined => {
    if (entry.askedAt === undefined || entry.isHeard || entry.steppedAt === undefined) return undefined
    if (at - entry.steppedAt < patienceOf(entry)) return undefined
    if (steps[entry.steps] === "reconnect" && entry.isQuiet && entry.hasDelivered) entry.steps++
    const step = steps[entry.steps]
    if (step === undefined) return undefined
    entry.steps++
    entry.steppedAt = at
    return { channel: entry.channel, step, silentForMillis: Math.round(at - entry.askedAt) }
  }

  const delivered = (entry: Entry, at: number): void => {
    if (entry.isHeard) {
      entry.delivered(at, targetMillis)
      return
    }
    // What came before anything but a probe was done about its silence had come by itself.
    entry.resumed(at, entry.askedAt !== undefined && entry.steps <= 1 ? at - entry.askedAt : undefined)
    waiting.delete(entry)
    entry.isHeard = true
    entry.steps = 0
  }

  return {
    subscribed: (channel, at) => {
      const key = ChannelKey.key(channel)
      if (entries.has(key)) return
      const quiet = isQuiet(channel.channel)
      const entry = new Entry(figures, channel, Duration.toMillis(policy.deadline(channel, quiet)), quiet, at)
      expect(entry, connectedAt === undefined ? undefined : at)
      entries.set(key, entry)
      byChannel.set(channel, entry)
      without.clear()
    },
    unsubscribed: (channel) => {
      const key = ChannelKey.key(channel)
      const entry = entries.get(key)
      if (entry === undefined) return
      entry.end()
      heard = {}
      entries.delete(key)
      waiting.delete(entry)
      byChannel.clear()
    },
    connected: expectAll,
    disconnected: () => expectAll(undefined),
    received: (channel, at) => {
      const entry = entryOf(channel)
      if (entry !== undefined) delivered(entry, at)
    },
    receivedAll: (channels, at) => {
      const list = channels instanceof RoutedChannels ? channels : undefined
      if (list?.heard === heard) return figures.delivered(list.figures, at, targetMillis)
      for (const channel of channels) {
        const entry = entryOf(channel)
        if (entry === undefined) continue
        delivered(entry, at)
        if (list === undefined || channels.length > 1) continue
        list.figures = entry.place
        list.heard = heard
      }
    },
    age: (channel, at) => at - (entries.get(ChannelKey.key(channel))?.lastAt ?? at),
    nextDeadline: () => {
      let next: number | undefined
      for (const entry of waiting) {
        if (entry.steppedAt === undefined || entry.steps >= steps.length) continue
        const due = entry.steppedAt + patienceOf(entry)
        next = next === undefined ? due : Math.min(next, due)
      }
      return next
    },
    check: (at, paused) => {
      if (paused) {
        // Nothing can be heard by who does not read: deadlines stand still.
        for (const entry of waiting) entry.steppedAt = at
        return []
      }
      const found: Array<Overdue> = []
      for (const entry of waiting) {
        const one = overdue(entry, at)
        if (one !== undefined) found.push(one)
      }
      return found
    },
    report: (at) =>
      Array.from(entries.values(), (entry) => {
        const { channel, isHeard } = entry
        const { max, sorted, total: counted, within } = entry.silences
        const rank = (share: number): number => sorted[Math.floor(share * sorted.length)] ?? 0
        const age = isHeard ? at - entry.lastAt : undefined
        const total = counted + (age ?? 0)
        return {
          channel,
          isDelivering: isHeard,
          ageMillis: age,
          p50: rank(0.5),
          p99: rank(0.99),
          max: Math.max(max, age ?? 0),
          shareWithinTarget: total === 0
            ? isHeard ? 1 : 0
            : (within + Math.min(age ?? 0, targetMillis)) / total
        }
      })
  }
}
