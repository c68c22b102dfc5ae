/**
 * `tickline replay`: a recording through the code that runs live. The same
 * recording gives the same output, to the byte.
 *
 * @since 0.1.0
 */
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as Lifecycle from "@tickline/core/event/Lifecycle"
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as OrderBook from "@tickline/core/market/OrderBook"
import type * as Replay from "@tickline/core/recording/Replay"
import { Transport } from "@tickline/core/transport/Transport"
import type { ChannelKind, Venue } from "@tickline/core/venue/Venue"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Host, type OutputClosed } from "./Host.ts"
import * as LedgerLines from "./LedgerLines.ts"
import { eventLine, type Format, jsonLine } from "./Output.ts"
import * as Recording from "./Recording.ts"
import type { UsageError } from "./RunnerError.ts"
import { RunFailed } from "./RunnerError.ts"
import * as Streaming from "./Streaming.ts"
import { counted, paint as makePaint } from "./Style.ts"
import * as Survey from "./Survey.ts"
import * as Tally from "./Tally.ts"

/**
 * What is replayed, how, and what is shown of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The recording; stdin where there is none. */
  readonly file: string | undefined
  readonly format: Format
  readonly speed: number | "max"
  /** The venue, where the recording does not name it. */
  readonly venue: Venue | undefined
  /** The kinds of data that are wanted; all where there is none. */
  readonly kinds: ReadonlyArray<ChannelKind>
  /** How many levels of each side are told of books, whose states are printed instead of their frames. */
  readonly book: number | undefined
  readonly lifecycle: boolean
  /** Whether the ledger is printed at the end. */
  readonly ledger: boolean
  /** Market events after which it ends. */
  readonly count: number | undefined
}

type Failure = RunFailed | UsageError | OutputClosed

// Of books each line is told by itself. What is printed of all else is the same whenever that is done; but not what
// comes after the last event that is counted.
const turnsOf = ({ book, count, speed }: Options): "line" | "moment" | "frames" =>
  book !== undefined ? "line" : count === undefined && speed === "max" ? "frames" : "moment"

/** What is printed: text that waits to be written. */
class Printer {
  readonly tally = Tally.make()
  readonly counted = Deferred.makeUnsafe<void>()
  private readonly options: Options
  private readonly format: (event: MarketEvent.AnyEvent, more: object) => string
  private readonly isWanted: (event: MarketEvent.AnyEvent) => boolean
  private text = ""
  private market = 0

  constructor(options: Options, format: Printer["format"]) {
    this.options = options
    this.format = format
    const kinds: ReadonlyArray<ChannelKind> = options.kinds.length === 0 ? ["trade", "ticker", "book"] : options.kinds
    this.isWanted = Streaming.isPrinted({ ...options, kinds })
  }

  print(event: MarketEvent.AnyEvent, more: object): void {
    this.tally.observe(event)
    if (!this.isWanted(event)) return
    const isMarket = this.options.book === undefined ? MarketEvent.isMarketData(event) : event._tag === "Book"
    if (isMarket && this.market >= (this.options.count ?? Infinity)) return
    this.text += this.format(event, more)
    this.tally.printed(event._tag, 1)
    if (!isMarket) return
    this.market++
    if (this.market === this.options.count) Deferred.doneUnsafe(this.counted, Effect.void)
  }

  add(text: string): void {
    this.text += text
  }

  get length(): number {
    return this.text.length
  }

  take(): string {
    const { text } = this
    this.text = ""
    return text
  }
}

/** About how much text is collected before it is written. */
const flushAt = 256 * 1024

const isBookLine = ({ _tag }: MarketEvent.AnyEvent): boolean => _tag === "Book" || _tag === "FrameRejected"

/** A replay that runs: what it is asked for, and where what it tells is printed. */
interface Running {
  readonly options: Options
  readonly replay: Replay.Replay<Failure>
  readonly printer: Printer
  /** Whether the recording has one connection. */
  readonly isAlone: boolean
  /** The lines that were too long to be read and are still to be told of. */
  readonly tooLong: Set<number>
}

// A line that is too long has its place before all that comes of those behind it.
const tellTooLong = ({ options, printer, tooLong }: Running, venue: string, before: number): number => {
  let told = 0
  for (const line of tooLong) {
    if (line >= before) break
    tooLong.delete(line)
    printer.print(Recording.tooLong(venue), options.book === undefined ? {} : { frame: line })
    told++
  }
  return told
}

// What is printed besides an event: on which line and connection it was found, and by what the recording calls its leg.
const placeOf = ({ legs }: Survey.Course, { isAlone, options, replay }: Running) => {
  const [first] = legs
  return (event: MarketEvent.AnyEvent): object => {
    if (event._tag === "Connection" || event._tag === "Breaker") {
      const leg = isAlone ? undefined : legs[(event.leg ?? 1) - 1]?.leg
      return leg === undefined ? {} : { leg }
    }
    if (options.book === undefined || !isBookLine(event)) return {}
    const { entry, line } = replay.position()
    const connection = isAlone || event._tag !== "Book" ? undefined : first?.connection
    return {
      frame: line,
      ...(entry?.id === undefined ? {} : { id: entry.id }),
      ...(connection === undefined ? {} : { connection })
    }
  }
}

// Legs are told by their names in the recording.
const unplaced = (event: MarketEvent.AnyEvent): MarketEvent.AnyEvent => {
  if (event._tag !== "Connection" && event._tag !== "Breaker") return event
  const { leg: _, ...members } = event
  return members._tag === "Connection"
    ? new Lifecycle.ConnectionEvent(members)
    : new Lifecycle.BreakerEvent(members)
}

/** Runs a feed until the recording is over. Gives its account. */
const runFeed = Effect.fnUntraced(function*(
  course: Survey.Course,
  running: Running
): Effect.fn.Return<
  LedgerLines.Account,
  Failure,
  Scope.Scope | Transport | Reconnection.Reconnection | MarketFeedRequirements
> {
  const { options: { book }, printer, replay, tooLong } = running
  const { legs: [first], url, venue, wanted } = course
  const place = placeOf(course, running)
  let rejected = 0
  const print = (event: MarketEvent.AnyEvent): void => {
    if (tooLong.size > 0) rejected += tellTooLong(running, venue.name, replay.position().line)
    printer.print(unplaced(event), place(event))
  }
  // What took over from a connection was recorded, too.
  const feed = yield* MarketFeed.prepare({ ...venue, sessionMillis: undefined, endsSoon: undefined }, {
    url: url ?? venue.endpoint ?? "ws://recording.invalid",
    channels: wanted.map(({ channel }) => channel)
  })
  if (book !== undefined) {
    for (const { channel: { channel, product } } of wanted) {
      if (product === undefined) continue
      yield* Effect.ignore(
        feed.observeBook(product, (book) => print(OrderBook.toEvent(book)), { depth: book, channel })
      )
    }
  }
  const consumer = yield* feed.events({ overflow: "block" }).pipe(
    Stream.runForEachArray((events) => Effect.sync(() => events.forEach(print))),
    Effect.mapError(({ message }) => new RunFailed({ detail: message })),
    Effect.forkScoped({ startImmediately: true })
  )
  yield* first.begun
  yield* Effect.forkScoped(Effect.ignore(feed.connection.connect), { startImmediately: true })
  yield* Effect.raceFirst(replay.ended, Deferred.await(printer.counted))
  yield* feed.connection.close()
  rejected += tellTooLong(running, venue.name, Infinity)
  yield* Fiber.join(consumer)
  const ledger = yield* feed.ledger
  return { venue: venue.name, ledger: { ...ledger, rejected: ledger.rejected + rejected } }
})

type MarketFeedRequirements = Effect.Services<ReturnType<typeof MarketFeed.prepare>>

/**
 * Runs the command.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (options: Options): Effect.Effect<void, Failure, Host> =>
  Effect.scoped(Effect.gen(function*() {
    const { signal, stderr, stdin, stdout } = yield* Host
    let torn: number | undefined
    const tooLong = new Set<number>()
    const lines = yield* Survey.linesOf(options.file, stdin, (bytes) => {
      torn = bytes
    }, (line) => tooLong.add(line))
    const { courses, replay } = yield* Survey.make({
      venue: options.venue,
      kinds: options.kinds,
      tellsBooks: options.book !== undefined,
      replay: { speed: options.speed, turns: turnsOf(options) }
    }, lines)
    const paint = makePaint(stdout.hasColor)
    const printer = new Printer(
      options,
      options.format === "pretty"
        ? (event) => `${eventLine(paint, event)}\n`
        : (event, more) => {
          const json = options.lifecycle ? Ndjson.toJson(event) : Ndjson.toVenueJson(event)
          const added = JSON.stringify(more)
          return jsonLine(added === "{}" ? json : `${json.slice(0, -1)},${added.slice(1)}`, stdout)
        }
    )
    const running = { options, replay, printer, isAlone: replay.legs.length < 2, tooLong }
    const program = Effect.forEach(
      courses,
      (course) =>
        Effect.scoped(runFeed(course, running)).pipe(
          Effect.provideService(Transport, replay.transport(course.legs, course.asked))
        ),
      { concurrency: "unbounded" }
    ).pipe(
      Effect.provide(Reconnection.layerWithBreaker()),
      Effect.tap((accounts) =>
        Effect.sync(() => {
          if (options.ledger) printer.add(LedgerLines.text(accounts, { format: options.format, paint, stdout }))
        })
      )
    )
    const write = Effect.suspend(() => {
      const text = printer.take()
      return text === "" ? Effect.void : stdout.write(text)
    })
    const isPaced = options.speed !== "max"
    const played = replay.run(program, {
      onLine: () => printer.length > (isPaced ? 0 : flushAt) ? write : undefined
    })
    yield* Effect.raceFirst(played, Effect.raceFirst(Effect.asVoid(signal), stdout.closed)).pipe(
      Effect.andThen(write),
      Effect.onExit(() =>
        Effect.sync(() => {
          for (const { line, member, message } of replay.rejected) {
            stderr.writeUnsafe(`line ${line}: ${member}: ${message}\n`)
          }
          if (torn !== undefined) {
            stderr.writeUnsafe(`the recording is torn at its end: ${counted(torn, "byte")} of a line passed over\n`)
          }
          stderr.writeUnsafe(`${counted(replay.position().line, "line")}; ${printer.tally.summary()}`)
        })
      )
    )
  }))
