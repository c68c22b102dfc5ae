/**
 * What was seen in a stability run, so far.
 *
 * @since 0.1.0
 */
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import type { SessionState } from "@tickline/core/session/Session"
import type * as LedgerLines from "../runner/LedgerLines.ts"
import * as Grade from "./Grade.ts"
import type { Line, Memory, Report, Trips } from "./Lines.ts"

/**
 * How a command or a heartbeat ended.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = "acknowledged" | "rejected" | "notSent" | "outcomeUnknown"

/**
 * How it stood at a moment, twice a minute: the time in milliseconds since the
 * beginning, the last round trip, the market events a second since the sample
 * before, and the least of the pools of credits as a share of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sample {
  readonly at: number
  readonly trip: number | undefined
  readonly events: number
  readonly credits: number
  readonly memory: Memory | undefined
}

/**
 * Something of note at a moment, in milliseconds since the beginning.
 *
 * @category models
 * @since 0.1.0
 */
export interface Mark {
  readonly at: number
  readonly of: string
  readonly text: string
}

/** So many errors are kept with their words. */
const keptErrors = 1_000

const rounded = (millis: number): number => Math.round(millis * 1_000) / 1_000

const tripsOf = (trips: ReadonlyArray<number>): Trips => {
  const sorted = trips.toSorted((one, other) => one - other)
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
  return sorted.length === 0
    ? { count: 0 }
    : { count: sorted.length, p50: rank(0.5), p99: rank(0.99), most: rank(1) }
}

interface Link {
  state: string
  isUp: boolean
  hasBeenUp: boolean
}

/**
 * What was seen so far. Times that it is given are epoch milliseconds of one clock.
 *
 * @category models
 * @since 0.1.0
 */
export class StabilityRecord {
  readonly begunAt: number
  readonly marks: Array<Mark> = []
  readonly samples: Array<Sample> = []
  readonly trips = { heartbeat: new Array<number>(), order: new Array<number>() }
  readonly orders: Record<Outcome, number> = { acknowledged: 0, rejected: 0, notSent: 0, outcomeUnknown: 0 }
  readonly least: Record<string, number> = {}
  ledger: ReadonlyArray<LedgerLines.Line> = []
  limits = { calls: 0, refused: 0 }
  errors = 0
  reconnects = 0
  events = 0
  /** Why it could not go on, if it could not. */
  failed: string | undefined
  private endedAt: number | undefined
  private due = 0
  private answered = 0
  private sampled = 0
  private lastTrip: number | undefined
  private readonly links: { readonly session: Link; readonly feed: Link } = {
    session: { state: "Disconnected", isUp: false, hasBeenUp: false },
    feed: { state: "Disconnected", isUp: false, hasBeenUp: false }
  }
  private readonly tell: (line: Line) => void

  constructor(begunAt: number, tell: (line: Line) => void) {
    this.begunAt = begunAt
    this.tell = tell
  }

  /** Something went wrong. */
  error(at: number, of: string, message: string): void {
    this.errors++
    if (this.errors <= keptErrors) this.marks.push({ at: at - this.begunAt, of, text: message })
    this.tell({ _tag: "Error", at, of, message })
  }

  /** A heartbeat is due, and is asked for. */
  beat(): void {
    this.due++
  }

  /** A heartbeat was answered, after so long. */
  beaten(millis: number): void {
    this.answered++
    this.lastTrip = rounded(millis)
    this.trips.heartbeat.push(this.lastTrip)
  }

  /** A command about orders has ended, after so long. */
  ordered(outcome: Outcome, millis: number): void {
    this.orders[outcome]++
    if (outcome === "acknowledged") this.trips.order.push(rounded(millis))
  }

  /** The session has come to a state. */
  session(at: number, state: SessionState): void {
    const failure = state._tag === "Waiting"
      ? state.failure?.message
      : state._tag === "Failed"
      ? state.error.message
      : undefined
    this.moved(at, "session", state._tag, "Live", failure)
  }

  /** The feed tells something. */
  market(at: number, event: MarketEvent.AnyEvent): void {
    switch (event._tag) {
      case "Connection":
        return this.moved(at, "feed", event.state, "Connected", event.reason)
      case "FrameRejected":
        return this.error(at, "feed", event.message)
      case "VenueError":
        return this.error(at, "feed", event.message ?? "refused")
      case "Gap":
        // A drop's is that of a reconnect; what is over is no more news.
        return event.cause === "disconnect" || event.to !== undefined
          ? undefined
          : this.error(at, "feed", `a gap of ${event.product ?? "all products"}: ${event.cause}`)
      case "Trade":
      case "Ticker":
      case "BookSnapshot":
      case "BookDelta":
        this.events++
    }
  }

  /** Looks how much is left of credits, in calls. */
  credits(left: Readonly<Record<string, number>>): void {
    for (const [pool, calls] of Object.entries(left)) {
      this.least[pool] = Math.min(this.least[pool] ?? Infinity, rounded(calls))
    }
  }

  /** Twice a minute. */
  sample(at: number, credits: number, memory: Memory | undefined): void {
    const { events, lastTrip, sampled } = this
    const since = at - this.begunAt - (this.samples.at(-1)?.at ?? 0)
    const rate = since > 0 ? (events - sampled) * 1_000 / since : 0
    this.samples.push({ at: at - this.begunAt, trip: lastTrip, events: rate, credits, memory })
    this.sampled = events
    this.lastTrip = undefined
  }

  /** Once a minute. */
  status(at: number, credits: number, memory: Memory | undefined): void {
    const { errors, events, links, reconnects } = this
    this.tell({
      _tag: "Status",
      at,
      hours: this.hours(at),
      session: links.session.state,
      feed: links.feed.state,
      heartbeats: this.answered,
      heartbeatSuccess: this.success,
      reconnects,
      errors,
      events,
      credits: rounded(credits),
      ...(memory === undefined ? {} : { memory })
    })
  }

  /** Nothing more is seen from here on. */
  end(at: number): void {
    this.endedAt = at
  }

  /** What it came to. */
  report(at: number): Report {
    const { errors, reconnects, success: heartbeatSuccess } = this
    return {
      _tag: "Report",
      grade: Grade.of({ heartbeatSuccess, reconnects, errors }),
      heartbeats: this.answered,
      heartbeatSuccess,
      reconnects,
      errors,
      hours: this.hours(this.endedAt ?? at)
    }
  }

  /** The lines before the report. */
  details(): ReadonlyArray<Line> {
    const used = this.samples.flatMap(({ at, memory }) => memory === undefined ? [] : [{ at, memory }])
    const first = used.find(({ at }) => at >= 60_000)
    const last = used.at(-1)
    const most = (of: keyof Memory): number => used.reduce((sum, { memory }) => Math.max(sum, memory[of]), 0)
    return [
      { _tag: "Latency", of: "heartbeat", ...tripsOf(this.trips.heartbeat) },
      { _tag: "Latency", of: "order", ...tripsOf(this.trips.order) },
      { _tag: "Orders", ...this.orders },
      { _tag: "Limits", ...this.limits, least: this.least },
      ...(last === undefined ? [] : [{
        _tag: "Memory" as const,
        first: (first ?? last).memory,
        last: last.memory,
        most: { heap: most("heap"), resident: most("resident") }
      }])
    ]
  }

  private get success(): number {
    return this.due === 0 ? 0 : Math.round(this.answered / this.due * 1e6) / 1e6
  }

  private hours(at: number): number {
    return Math.round((at - this.begunAt) / 3.6) / 1e6
  }

  private moved(at: number, of: "session" | "feed", state: string, up: string, reason: string | undefined): void {
    const link = this.links[of]
    if (link.state === state) return
    const wasUp = link.isUp
    link.state = state
    link.isUp = state === up
    this.tell({ _tag: "State", at, of, state, ...(reason === undefined ? {} : { reason }) })
    const isDown = state === "Waiting" || state === "Reconnecting" || state === "CircuitOpen" || state === "Failed"
    if (link.isUp && link.hasBeenUp) {
      this.reconnects++
      this.marks.push({ at: at - this.begunAt, of, text: "reconnected" })
    }
    if (link.isUp) link.hasBeenUp = true
    // A drop is counted when it is over; an attempt that fails is an error.
    if (isDown && (!wasUp || state === "Failed")) this.error(at, of, reason ?? state)
    if (state === "Failed") this.failed = `the ${of} gave up: ${reason ?? "no reason is known"}`
  }
}
