/**
 * What waits to be written to stdout. The run goes on while the reader of stdout
 * pauses: up to 64 MiB wait for it, and beyond that a policy holds:
 *
 * - `drop-oldest`: the oldest events go (the default)
 * - `block`: nothing more is taken from the venues until there is room
 * - `fail`: the run fails
 *
 * What was dropped is told at the place where it is missing, as a `Gap` of cause
 * `overflow` for each product and channel, with the number of its events. The
 * life of the connections is never dropped.
 *
 * @since 0.1.0
 */
import * as Lifecycle from "@tickline/core/event/Lifecycle"
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Venues from "@tickline/core/venue/Venues"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { Buffer } from "node:buffer"
import { droppedEvents } from "../internal/outputMetrics.ts"
import type { Host, OutputClosed, Sink } from "./Host.ts"
import type { Shed } from "./LedgerLines.ts"
import { RunFailed } from "./RunnerError.ts"
import { counted } from "./Style.ts"
import type * as Tally from "./Tally.ts"

/**
 * What happens when nobody reads stdout.
 *
 * @category models
 * @since 0.1.0
 */
export type Overflow = "drop-oldest" | "block" | "fail"

/**
 * The names of the policies.
 *
 * @category constants
 * @since 0.1.0
 */
export const overflows: ReadonlyArray<Overflow> = ["drop-oldest", "block", "fail"]

/**
 * How much may wait, in bytes: 64 MiB.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultBytes = 64 * 1024 * 1024

/**
 * How a queue is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly stdout: Sink
  /** The policy, asked for when the queue is full: it may change. */
  readonly overflow: () => Overflow
  /** How much may wait. Default: {@link defaultBytes}. */
  readonly bytes?: number | undefined
  /** An event as text, its line feed included. */
  readonly format: (event: MarketEvent.AnyEvent) => string
  /** Counts what has been written. */
  readonly tally: Tally.Tally
}

/**
 * Events on their way to stdout.
 *
 * @category models
 * @since 0.1.0
 */
export interface OutputQueue {
  /** Takes events. It waits only where the policy is `block`, and fails where it is `fail`, or stdout has closed. */
  readonly offer: (
    events: ReadonlyArray<MarketEvent.AnyEvent>
  ) => Effect.Effect<void, OutputClosed | RunFailed>
  /** Takes nothing more, and completes when everything has been written, or the policy `fail` has given it up. */
  readonly end: Effect.Effect<void, OutputClosed>
  /** Market events that were dropped. */
  readonly dropped: () => number
  /** The same by what they were of, with the gaps that were told of it. */
  readonly shed: () => ReadonlyArray<Shed>
  /** Tells the tally what was dropped, and what is left unread. */
  readonly report: () => void
}

type Event = MarketEvent.AnyEvent

/** What a `Gap` names. */
interface Source {
  readonly venue: string
  readonly product?: string
  readonly channel?: string
}

/** So many events of one source, the first and the last of which came at these times, in epoch milliseconds. */
interface Span {
  readonly source: Source
  from: number
  to: number
  count: number
  /** Those of them that are market events. */
  market: number
}

/** Lines that are written, and dropped, together. */
interface Chunk {
  readonly _tag: "Chunk"
  /** Of the life of the connections: never dropped. */
  readonly isKept: boolean
  text: string
  /** The text when nothing more is added: what waits for long takes its own bytes and no more. */
  bytes: Buffer | undefined
  size: number
  events: number
  market: number
  readonly tags: Map<Event["_tag"], number>
  readonly spans: Map<string, Span>
}

/** What was dropped where it stands. */
interface Loss {
  readonly _tag: "Loss"
  readonly spans: Map<string, Span>
}

/** About how much text a chunk has. */
const chunkBytes = 4_096

/** What a chunk takes in memory besides its text. */
const chunkOverhead = 1_024

/** How often it is said that events are being dropped. */
const warnEveryMillis = 10_000

const makeChunk = (isKept: boolean): Chunk => ({
  _tag: "Chunk",
  isKept,
  text: "",
  bytes: undefined,
  size: chunkOverhead,
  events: 0,
  market: 0,
  tags: new Map(),
  spans: new Map()
})

const isKept = (event: Event): boolean => {
  switch (event._tag) {
    case "Connection":
    case "Breaker":
    case "Gap":
    case "Rotated":
    case "Stale":
      return true
    default:
      return false
  }
}

const channelOf = (event: Event): string | undefined => {
  const channels = Venues.get(event.venue)?.channels
  switch (event._tag) {
    case "Trade":
      return channels?.trade
    case "Ticker":
    case "PriceUpdate":
      return channels?.ticker
    case "BookSnapshot":
    case "BookDelta":
    case "Book":
      return channels?.book
    case "Subscribed":
    case "Unsubscribed":
      return event.channel
    default:
      return undefined
  }
}

const sourceOf = (event: Event): Source => {
  const product = "product" in event ? event.product : undefined
  const channel = channelOf(event)
  return {
    venue: event.venue,
    ...(product === undefined ? {} : { product }),
    ...(channel === undefined ? {} : { channel })
  }
}

const add = (spans: Map<string, Span>, key: string, { count, from, market, source, to }: Span): void => {
  const found = spans.get(key)
  if (found === undefined) {
    spans.set(key, { source, from, to, count, market })
    return
  }
  found.to = to
  found.count += count
  found.market += market
}

/** A peer may make up products for ever: beyond so many the rest are told as those of their venue. */
const mostSpans = 10_000

/** As many gaps of each are remembered. */
const mostGaps = 1_000

const lose = (loss: Loss, key: string, span: Span): void => {
  const { venue } = span.source
  if (loss.spans.size < mostSpans || loss.spans.has(key)) add(loss.spans, key, span)
  else add(loss.spans, venue, { ...span, source: { venue } })
}

const instant = (millis: number): string => Timestamp.format(Timestamp.fromEpochMillis(millis))

const gapOf = ({ count, from, source, to }: Span): Lifecycle.Gap =>
  new Lifecycle.Gap({ ...source, from: instant(from), to: instant(to), cause: "overflow", missing: count })

/**
 * Makes a queue that is written to stdout until the scope ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<OutputQueue, never, Scope.Scope> {
  const { format, overflow, stdout, tally } = options
  const bound = options.bytes ?? defaultBytes
  const clock = yield* Clock.Clock
  const context = yield* Effect.context<never>()
  // There at zero, so that an alert sees the first one.
  droppedEvents.valueUnsafe(context)
  // What was dropped, and what was kept of it, stands before what waits.
  const front: Array<Chunk | Loss> = []
  let chunks: Array<Chunk> = []
  let head = 0
  let size = 0
  let waiting = 0
  let isEnded = false
  let isGivenUp = false
  const dropped = { events: 0, market: 0 }
  const shed = new Map<string, Shed & { events: number; gaps: ReadonlyArray<Lifecycle.Gap> }>()
  // Of the chunk that is being written.
  let inFlight = 0
  let closedBy: OutputClosed | undefined
  let warnAt = -Infinity
  let resumeWriter: (() => void) | undefined
  let resumeOffers: Array<() => void> = []

  const isFull = () => size > bound

  const close = (chunk: Chunk): void => {
    chunk.bytes = Buffer.from(chunk.text)
    const more = chunk.bytes.length - chunk.text.length
    chunk.text = ""
    chunk.size += more
    size += more
  }

  const open = (isKept: boolean): Chunk => {
    const last = chunks.length > head ? chunks.at(-1) : undefined
    if (last !== undefined && last.isKept === isKept && last.text.length < chunkBytes) return last
    if (last !== undefined) close(last)
    const chunk = makeChunk(isKept)
    chunks.push(chunk)
    size += chunk.size
    return chunk
  }

  const append = (event: Event, at: number): void => {
    const text = format(event)
    const chunk = open(isKept(event))
    chunk.text += text
    chunk.size += text.length
    size += text.length
    chunk.events++
    waiting++
    chunk.tags.set(event._tag, (chunk.tags.get(event._tag) ?? 0) + 1)
    if (chunk.isKept) return
    const isMarket = MarketEvent.isMarketData(event)
    if (isMarket || event._tag === "Book") chunk.market++
    const source = sourceOf(event)
    add(chunk.spans, `${source.venue}\n${source.product ?? ""}\n${source.channel ?? ""}`, {
      source,
      from: at,
      to: at,
      count: 1,
      market: isMarket ? 1 : 0
    })
  }

  const oldest = (): Chunk | undefined => {
    const chunk = chunks[head]
    if (chunk === undefined) return undefined
    head++
    if (head === chunks.length || head > 1_024) {
      chunks = chunks.slice(head)
      head = 0
    }
    return chunk
  }

  const forget = (chunk: Chunk): void => {
    size -= chunk.size
    waiting -= chunk.events
  }

  const drop = (): void => {
    const before = dropped.events
    // A little more than must be: a reader that is slow is told of few long gaps rather than many short ones.
    while (size > bound - bound / 16) {
      const chunk = oldest()
      if (chunk === undefined) break
      if (chunk.isKept) {
        front.push(chunk)
        continue
      }
      let loss = front.at(-1)
      if (loss?._tag !== "Loss") front.push(loss = { _tag: "Loss", spans: new Map() })
      for (const [key, span] of chunk.spans) lose(loss, key, span)
      for (const [key, { market, source }] of chunk.spans) {
        const known = shed.get(key)
        if (known !== undefined) known.events += market
        else if (shed.size < mostSpans) shed.set(key, { ...source, events: market, gaps: [] })
      }
      forget(chunk)
      dropped.events += chunk.events
      dropped.market += chunk.market
    }
    droppedEvents.updateUnsafe(dropped.events - before, context)
  }

  const told = (loss: Loss): Chunk => {
    const chunk = makeChunk(true)
    for (const [key, span] of loss.spans) {
      const gap = gapOf(span)
      const known = shed.get(key)
      if (known !== undefined) known.gaps = [...known.gaps, gap].slice(-mostGaps)
      chunk.text += format(gap)
    }
    chunk.tags.set("Gap", loss.spans.size)
    return chunk
  }

  const take = (): Chunk | undefined => {
    const first = front.shift() ?? oldest()
    if (first?._tag === "Loss") return told(first)
    if (first !== undefined) forget(first)
    return first
  }

  const wake = (): void => {
    const resume = resumeWriter
    resumeWriter = undefined
    resume?.()
  }

  const release = (): void => {
    const resumes = resumeOffers
    resumeOffers = []
    for (const resume of resumes) resume()
  }

  const arrived = Effect.callback<void>((resume) => {
    resumeWriter = () => resume(Effect.void)
    return Effect.sync(() => {
      resumeWriter = undefined
    })
  })

  const room: Effect.Effect<void, OutputClosed> = Effect.suspend(() => {
    if (closedBy !== undefined) return Effect.fail(closedBy)
    if (!isFull()) return Effect.void
    const taken = Effect.callback<void>((resume) => {
      const waiter = () => resume(Effect.void)
      resumeOffers.push(waiter)
      return Effect.sync(() => {
        resumeOffers = resumeOffers.filter((other) => other !== waiter)
      })
    })
    return Effect.andThen(taken, room)
  })

  const writer = yield* Effect.gen(function*() {
    while (true) {
      const chunk = take()
      if (chunk === undefined) {
        if (isEnded) return
        yield* arrived
        continue
      }
      if (resumeOffers.length > 0 && !isFull()) release()
      inFlight = chunk.events
      yield* stdout.write(chunk.bytes ?? chunk.text)
      inFlight = 0
      for (const [tag, count] of chunk.tags) tally.printed(tag, count)
    }
  }).pipe(
    Effect.tapError((error) =>
      Effect.sync(() => {
        closedBy = error
        release()
      })
    ),
    Effect.forkScoped({ startImmediately: true })
  )

  const giveUp = Effect.suspend(() => {
    isGivenUp = true
    return Effect.fail(new RunFailed({ detail: `stdout is not read: ${counted(waiting, "event")} wait for it` }))
  })

  const warn = Effect.suspend(() => {
    const now = Monotonic.nowMillis(clock)
    if (now < warnAt) return Effect.void
    warnAt = now + warnEveryMillis
    return Effect.annotateLogs(Effect.logWarning("stdout is not read, the oldest events are dropped"), {
      dropped: dropped.events,
      waiting
    })
  })

  return {
    offer: (events) =>
      Effect.suspend((): Effect.Effect<void, OutputClosed | RunFailed> => {
        if (closedBy !== undefined) return Effect.fail(closedBy)
        const at = clock.currentTimeMillisUnsafe()
        for (const event of events) append(event, at)
        wake()
        if (!isFull()) return Effect.void
        switch (overflow()) {
          case "drop-oldest":
            drop()
            // What is left then is the life of the connections alone.
            return isFull() ? giveUp : warn
          case "block":
            return room
          case "fail":
            return giveUp
        }
      }),
    end: Effect.suspend(() => {
      isEnded = true
      wake()
      return isGivenUp ? Fiber.interrupt(writer) : Fiber.join(writer)
    }),
    dropped: () => dropped.market,
    shed: () => [...shed.values()],
    report: () => {
      tally.unprinted("dropped, as stdout was not read", dropped.events)
      tally.unprinted("left unread", waiting + inFlight)
    }
  }
})

/** How long a run that was told to stop waits for the reader of stdout. */
const graceMillis = 400

/**
 * Waits for the end of what is printed: as long as it takes, but only a moment
 * once a signal has come, and no longer than there is a reader.
 *
 * @category running
 * @since 0.1.0
 */
export const settled = <A, E>(
  end: Effect.Effect<A, E>,
  { signal, stdout }: Pick<Host["Service"], "signal" | "stdout">
): Effect.Effect<void> =>
  Effect.ignore(
    Effect.raceAllFirst<Effect.Effect<unknown, E | OutputClosed>>([
      end,
      stdout.closed,
      Effect.andThen(signal, Effect.sleep(graceMillis))
    ])
  )
