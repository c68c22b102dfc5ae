/** How the connections of venues stand, and what happened of late: gathered from events. */
import type * as Lifecycle from "@tickline/core/event/Lifecycle"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as Printable from "@tickline/core/value/Printable"
import * as Timestamp from "@tickline/core/value/Timestamp"
import { span, type Tone } from "../Style.ts"
import type { Happening, Health } from "./view.ts"

/** The two clocks of a table. */
export interface Clocks {
  /** Now, in epoch milliseconds: what people are told. */
  readonly now: () => number
  /** Milliseconds of a clock that never steps: what waits and rates are measured by. */
  readonly monotonic: () => number
}

/** One of the connections of a venue. */
interface Leg {
  readonly state: string
  readonly epoch: number
  readonly waitUntil: number | undefined
  readonly attempt: number | undefined
}

interface Venue {
  /** Its connections, the one of which something was heard last at the end. */
  readonly legs: Map<number, Leg>
  dials: number
  drops: number
  breaker: Lifecycle.BreakerEvent["to"]
  readonly gaps: Gaps
  rejected: number
}

const none: Leg = { state: "Disconnected", epoch: 0, waitUntil: undefined, attempt: undefined }

interface Happened {
  readonly at: number
  readonly tone: Tone
  text: string
  readonly venue: string
  /** The text for so many that are alike. */
  readonly ofMany: (times: number) => string
  times: number
}

const mostHappenings = 200

const shown = (text: string): string => copied(Printable.cut(text, 300))

/** How long a gap was, if its ends are times. */
export const lengthOf = ({ from, to }: Lifecycle.Gap): string | undefined => {
  const millis = from === undefined || to === undefined ? Number.NaN : Date.parse(to) - Date.parse(from)
  return Number.isNaN(millis) ? undefined : span(millis)
}

/** Of so many gaps that are open it is remembered which. */
const mostOpenGaps = 512

/** Gaps, counted: one that is told twice, when it is noticed and when it is over, is one. */
export class Gaps {
  count = 0
  /** How long the last one was, or its cause. */
  last: string | undefined
  private readonly open = new Set<string>()

  /** Returns whether it was not told before. */
  take(event: Lifecycle.Gap): boolean {
    const key = JSON.stringify([event.product, event.channel, event.from, event.cause])
    const isTold = event.to !== undefined && this.open.delete(key)
    if (!isTold) this.count++
    if (event.to === undefined && this.open.size < mostOpenGaps) this.open.add(key)
    this.last = lengthOf(event) ?? event.cause
    return !isTold
  }
}

export const timeOf = (millis: number): string => Timestamp.format(Timestamp.fromEpochMillis(millis)).slice(11, 23)

/** A reason without the address that it begins with: the line says whose it is. */
const why = (reason: string | undefined): string =>
  reason === undefined ? "" : `: ${reason.replace(/^wss?:\/\/\S+: /, "")}`

export const breakerTones: Readonly<Record<Lifecycle.BreakerEvent["to"], Tone>> = {
  Closed: "green",
  HalfOpen: "yellow",
  Open: "red"
}

/** A text that is a piece of nothing longer. */
export const copied = (text: string): string => Buffer.from(text).toString()

/** The venues of a table, in the order in which they are first heard of. */
export class VenueHealth {
  private readonly venues = new Map<string, Venue>()
  private readonly happened: Array<Happened> = []
  private readonly clocks: Clocks

  constructor(clocks: Clocks) {
    this.clocks = clocks
  }

  /**
   * Adds a line to what happened of late, of a venue or of none. One that is as the line before is counted there;
   * `ofMany` says of how many it tells, which makes lines alike that differ in a name.
   */
  note(tone: Tone, text: string, venue = "", ofMany = (times: number) => `${text} (${times} ×)`): void {
    const last = this.happened.at(-1)
    if (last !== undefined && last.venue === venue && last.ofMany(0) === ofMany(0)) {
      last.text = shown(ofMany(++last.times))
      return
    }
    this.happened.push({ at: this.clocks.now(), tone, text: shown(text), venue, ofMany, times: 1 })
    if (this.happened.length > mostHappenings) this.happened.shift()
  }

  /** What happened, the latest last. */
  happenings(): ReadonlyArray<Happening> {
    return this.happened.map(({ at, text, tone, venue }) => ({ time: timeOf(at), venue, tone, text }))
  }

  /** How the connection of a venue stands. */
  health(venue: string): Health {
    const of = this.of(venue)
    // It is up while one of its connections is.
    const legs = [...of.legs.values()]
    const leg = legs.findLast(({ state }) => state === "Connected") ?? legs.at(-1) ?? none
    return {
      venue,
      state: leg.state,
      epoch: leg.epoch,
      dials: of.dials,
      drops: of.drops,
      breaker: of.breaker,
      rejected: of.rejected,
      gaps: of.gaps.count,
      lastGap: of.gaps.last,
      wait: leg.waitUntil === undefined || leg.state === "Connected"
        ? undefined
        : { attempt: leg.attempt ?? 1, millis: Math.max(0, leg.waitUntil - this.clocks.monotonic()) }
    }
  }

  /** Takes what an event says of its venue's connection. */
  observe(event: MarketEvent.AnyEvent): void {
    const { venue } = event
    switch (event._tag) {
      case "Connection":
        return this.connection(this.of(venue), event)
      case "Breaker":
        this.of(venue).breaker = event.to
        return this.note(
          breakerTones[event.to],
          `breaker ${event.from} → ${event.to}${
            event.openForMillis === undefined ? "" : ` for ${span(event.openForMillis)}`
          }`,
          venue
        )
      case "Gap":
        return void this.of(venue).gaps.take(event)
      case "Rotated":
        return this.note("green", `rotated to leg ${event.to}: ${event.reason}`, venue)
      case "FrameRejected":
        this.of(venue).rejected++
        return this.note("yellow", `rejected: ${event.message}`, venue)
      case "VenueError":
        return this.note("red", `venue error: ${event.message ?? event.code ?? ""}`, venue)
      case "Stale":
        return this.note("yellow", `stale: ${event.product ?? ""} for ${span(event.silentForMillis)}`, venue)
      default:
        return
    }
  }

  private of(name: string): Venue {
    let found = this.venues.get(name)
    if (found === undefined) {
      found = {
        legs: new Map(),
        dials: 0,
        drops: 0,
        breaker: "Closed",
        gaps: new Gaps(),
        rejected: 0
      }
      this.venues.set(name, found)
    }
    return found
  }

  private connection(of: Venue, event: Lifecycle.ConnectionEvent): void {
    const { attempt, delayMillis, leg: name = 1, state, venue } = event
    const before = of.legs.get(name) ?? none
    if (before.state === "Connected" && state !== "Closing") of.drops++
    of.legs.delete(name)
    const epoch = state === "Connected" ? event.epoch ?? before.epoch : before.epoch
    // One that has ended is not told of beside others.
    if (state !== "Disconnected" || of.legs.size === 0) {
      const waitUntil = delayMillis === undefined ? undefined : this.clocks.monotonic() + delayMillis
      of.legs.set(name, { state, epoch, attempt, waitUntil })
    }
    const note = (tone: Tone, text: string) => this.note(tone, name === 1 ? text : `leg ${name} ${text}`, venue)
    switch (state) {
      case "Connecting":
        of.dials++
        return
      case "Connected":
        return note("green", `connected, epoch ${epoch}`)
      case "Reconnecting":
        return note("yellow", `attempt ${attempt ?? 1} in ${span(delayMillis ?? 0)}${why(event.reason)}`)
      case "CircuitOpen":
        return note("red", `circuit open for ${span(delayMillis ?? 0)}${why(event.reason)}`)
      case "Failed":
        return note("red", `gave up${why(event.reason)}`)
      default:
        return note("dim", state.toLowerCase())
    }
  }
}
