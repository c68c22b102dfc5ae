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
import * as Replay from "@tickline/core/recording/Replay"
import type * as Tape from "@tickline/core/recording/Tape"
import { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import type { ChannelKind, Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Arr from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Host, type OutputClosed } from "./Host.ts"
import * as LedgerLines from "./LedgerLines.ts"
import { eventLine, type Format, jsonLine } from "./Output.ts"
import { type Recorded, RecordedChannels } from "./RecordedChannels.ts"
import * as Recording from "./Recording.ts"
import { RunFailed, UsageError } from "./RunnerError.ts"
import * as Streaming from "./Streaming.ts"
import { counted, paint as makePaint } from "./Style.ts"
import * as Tally from "./Tally.ts"
import * as Targets from "./Targets.ts"

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

/** What one feed is of: connections of a venue, and what of them is wanted. */
interface Course {
  readonly legs: Arr.NonEmptyReadonlyArray<Replay.Leg>
  readonly venue: Venue
  readonly url: string | undefined
  readonly wanted: ReadonlyArray<Recorded>
  /** How many channels there were, wanted or not. */
  readonly asked: number
}

type Header = Extract<Tape.Entry, { readonly _tag: "Header" }>

// Of several venues each connection is called after its own.
const headerOf = (
  headers: ReadonlyArray<Header>,
  connection: number | string | undefined
): Header | undefined =>
  headers.length < 2
    ? headers[0]
    : headers.find(({ venue = "" }) => String(connection).startsWith(`${venue} `))

const venueOf = (named: Venue | undefined, header: Header | undefined): Venue | undefined =>
  named ?? (header?.venue === undefined ? undefined : Venues.get(header.venue))

const merged = (courses: ReadonlyArray<Course>): ReadonlyArray<Course> =>
  Array.from(Map.groupBy(courses, ({ venue }) => venue.name).values()).flatMap(([first, ...others]) => {
    if (first === undefined) return []
    const all = [first, ...others]
    const wanted = new Map(all.flatMap((one) => one.wanted.map((each) => [Channel.key(each.channel), each])))
    return {
      ...first,
      legs: [...first.legs, ...others.flatMap(({ legs }) => legs)],
      wanted: [...wanted.values()],
      asked: Math.max(...all.map(({ asked }) => asked))
    }
  })

// Of books each line is told by itself. What is printed of all else is the same whenever that is done; but not what
// comes after the last event that is counted.
const turnsOf = ({ book, count, speed }: Options): "line" | "moment" | "frames" =>
  book !== undefined ? "line" : count === undefined && speed === "max" ? "frames" : "moment"

// What is known of the recording before it is replayed.
const survey = Effect.fnUntraced(function*(
  options: Options,
  lines: Stream.Stream<string | Uint8Array, RunFailed | UsageError>
) {
  const headers: Array<Header> = []
  const channels = new Map<number | string | undefined, RecordedChannels>()
  const channelsOf = (connection: number | string | undefined): RecordedChannels | undefined => {
    const known = channels.get(connection)
    const venue = known === undefined ? venueOf(options.venue, headerOf(headers, connection)) : undefined
    if (venue === undefined) return known
    const made = new RecordedChannels(venue)
    channels.set(connection, made)
    return made
  }
  const replay = yield* Replay.make(lines, {
    speed: options.speed,
    turns: turnsOf(options),
    onIndexed: (entry) => {
      if (entry._tag === "Header") headers.push(entry)
      if (entry._tag !== "Frame" || entry.direction !== "in") return
      const found = channelsOf(entry.connection)
      if (found?.isDeclared(headerOf(headers, entry.connection), options.book !== undefined) === false) {
        found.add(entry.frame)
      }
    }
  })
  const chosen = new Set<ChannelKind>(options.book === undefined ? options.kinds : ["book"])
  const courses: Array<Course> = []
  for (const leg of replay.legs) {
    const header = headerOf(replay.headers, leg.connection)
    const venue = venueOf(options.venue, header)
    if (venue === undefined) {
      return yield* new UsageError({
        key: "--venue",
        ...(header?.venue === undefined ? {} : { value: header.venue }),
        expected: header?.venue === undefined
          ? `the venue, which the recording does not name: ${Venues.all.map(({ name }) => name).join(", ")}`
          : Targets.expectedVenue(header.venue)
      })
    }
    if (options.book !== undefined && venue.channels.book === undefined) {
      return yield* new UsageError({ key: "--book", value: venue.name, expected: "a venue that has books" })
    }
    const all = channels.get(leg.connection)?.wanted(header) ?? new RecordedChannels(venue).wanted(header)
    const wanted = chosen.size === 0 ? all : all.filter(({ kind }) => kind !== undefined && chosen.has(kind))
    courses.push({ legs: [leg], venue, url: header?.url, wanted, asked: all.length })
  }
  // A book is of one connection; of everything else a feed has all that there are.
  return { replay, courses: options.book === undefined ? merged(courses) : courses }
})

// A recording is read twice; of stdin what came is kept for that.
const linesOf = Effect.fnUntraced(function*(
  file: string | undefined,
  stdin: Host["Service"]["stdin"],
  onTorn: (bytes: number) => void,
  onTooLong: (line: number) => void
) {
  const failed = (cause: unknown) =>
    new RunFailed({
      detail: `cannot read ${file ?? "stdin"}: ${cause instanceof Error ? cause.message : String(cause)}`
    })
  const linesIn = (bytes: AsyncIterable<Uint8Array>) => {
    let number = 0
    return Stream.fromAsyncIterable(Recording.lines(bytes, onTorn), failed).pipe(
      Stream.filter(Arr.isReadonlyArrayNonEmpty),
      Stream.flattenArray,
      // What is too long to be a line of a recording is told beside it.
      Stream.map((line) => {
        number++
        if (line === undefined) onTooLong(number)
        return line ?? ""
      })
    )
  }
  if (file !== undefined) return Stream.unwrap(Effect.map(Recording.open(file), linesIn))
  const kept = yield* Effect.tryPromise({
    try: async () => {
      const chunks: Array<Uint8Array> = []
      for await (const chunk of stdin.bytes()) chunks.push(chunk)
      return chunks
    },
    catch: failed
  })
  return Stream.suspend(() =>
    linesIn((async function*() {
      yield* kept
    })())
  )
})

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
const placeOf = ({ legs }: Course, { isAlone, options, replay }: Running) => {
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
  course: Course,
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
    const lines = yield* linesOf(options.file, stdin, (bytes) => {
      torn = bytes
    }, (line) => tooLong.add(line))
    const { courses, replay } = yield* survey(options, lines)
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
