/**
 * `tickline stream`: live events of one venue or several, over connections that
 * come back by themselves.
 *
 * @since 0.1.0
 */
import * as BearerToken from "@tickline/core/connection/BearerToken"
import type * as ConnectError from "@tickline/core/connection/ConnectError"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type { Book } from "@tickline/core/event/Book"
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as MarketFeeds from "@tickline/core/market/MarketFeeds"
import * as OrderBook from "@tickline/core/market/OrderBook"
import * as Symbols from "@tickline/core/protocol/Symbols"
import type { Recorder } from "@tickline/core/recording/Recorder"
import type { CircuitBreaker } from "@tickline/core/resilience/CircuitBreaker"
import type { PresetName } from "@tickline/core/resilience/Presets"
import { HttpPort } from "@tickline/core/transport/HttpPort"
import { Transport } from "@tickline/core/transport/Transport"
import * as Monotonic from "@tickline/core/value/Monotonic"
import type { ChannelKind } from "@tickline/core/venue/Venue"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as NodeTransport from "../NodeTransport.ts"
import type { RecordingNotWritten, Rotation } from "../RecordingFile.ts"
import * as Credentials from "./Credentials.ts"
import { Host, type OutputClosed, type Sink } from "./Host.ts"
import * as LazyHttp from "./internal/lazyHttp.ts"
import * as StreamViews from "./internal/streamViews.ts"
import * as LedgerLines from "./LedgerLines.ts"
import * as Log from "./Log.ts"
import { eventLine, type Format, jsonLine } from "./Output.ts"
import * as OutputQueue from "./OutputQueue.ts"
import * as Policy from "./Policy.ts"
import * as Recorders from "./Recorders.ts"
import * as Refusals from "./Refusals.ts"
import { RunFailed, UsageError } from "./RunnerError.ts"
import * as Screen from "./Screen.ts"
import { counted, paint as makePaint } from "./Style.ts"
import * as Tally from "./Tally.ts"
import type { Target } from "./Targets.ts"
import * as Token from "./Token.ts"

/**
 * What is streamed, how, and until when.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly targets: ReadonlyArray<Target>
  readonly kinds: ReadonlyArray<ChannelKind>
  /** How many levels of each side are told of books, whose states are printed instead of their frames. */
  readonly book: number | undefined
  /** Where the venue's REST interface is, if not where its endpoint says. */
  readonly rest: string | undefined
  readonly preset: PresetName | undefined
  readonly config: string | undefined
  readonly duration: Duration.Duration | undefined
  /** Market events after which it ends. */
  readonly count: number | undefined
  readonly record: string | undefined
  /** When the recording goes on in another file. */
  readonly rotation: Rotation
  readonly lifecycle: boolean
  /** Whether the ledger is printed at the end. */
  readonly ledger: boolean
  /** What happens when nobody reads stdout. */
  readonly overflow: OutputQueue.Overflow
  readonly metricsPort: number | undefined
  readonly format: Format
}

const tags: Readonly<Record<ChannelKind, ReadonlyArray<MarketEvent.AnyEvent["_tag"]>>> = {
  trade: ["Trade"],
  ticker: ["Ticker"],
  book: ["BookSnapshot", "BookDelta"]
}

/**
 * Whether an event is printed: market events of the chosen kinds, the venue's
 * errors and rejected frames always, the rest where the connection's life is
 * asked for.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isPrinted = (
  options: Pick<Options, "kinds" | "lifecycle"> & { readonly book?: number | undefined }
): (event: MarketEvent.AnyEvent) => boolean => {
  const chosen = new Set<MarketEvent.AnyEvent["_tag"]>(
    options.book === undefined ?
      [
        // A bare price belongs to no kind.
        "PriceUpdate",
        ...options.kinds.flatMap((kind) => tags[kind]),
        "VenueError",
        "FrameRejected"
      ] :
      ["Book", "FrameRejected"]
  )
  return (event) => chosen.has(event._tag) || (options.lifecycle && !MarketEvent.isMarketData(event))
}

/**
 * What the failure of a connection is to the run.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failedBy = (error: ConnectError.ConnectError): RunFailed | UsageError =>
  error._tag === "DialError" && error.reason._tag === "BadUrl"
    ? new UsageError({ key: "--url", value: error.url, expected: `a ws:// or wss:// URL (${error.reason.message})` })
    : new RunFailed({ detail: error.message })

/**
 * How an event becomes a line of NDJSON on an output, its line feed included;
 * what the feed added to it only where the connection's life is asked for.
 *
 * @category encoding
 * @since 0.1.0
 */
export const ndjson =
  (stdout: Sink, { lifecycle }: Pick<Options, "lifecycle"> = { lifecycle: false }) =>
  (event: MarketEvent.AnyEvent): string =>
    jsonLine(lifecycle ? Ndjson.toJson(event) : Ndjson.toVenueJson(event), stdout)

/**
 * Where events are shown: on a terminal as a ladder, where books are asked for,
 * or as a table; else as lines.
 */
const placeOf = (
  { book, format, kinds, targets }: Options,
  { env, stdout }: Host["Service"]
): "lines" | "table" | "ladder" =>
  format !== "pretty" || !Screen.isPossible(stdout, env)
    ? "lines"
    : book !== undefined || (kinds.includes("book") && targets.some(({ venue }) => venue.channels.book !== undefined))
    ? "ladder"
    : "table"

type Failure = RunFailed | UsageError | OutputClosed

/** How a run came to its end: as it was asked to, or told to stop by who does not care for the rest. */
type End = "done" | "stopped"

// Tells the books of all targets, each change, to who takes them. What is not taken at once waits where output is bounded.
const observeBooks = Effect.fnUntraced(function*(
  targets: ReadonlyArray<Target>,
  feeds: MarketFeeds.MarketFeeds["Service"],
  depth: number,
  take: (events: ReadonlyArray<MarketEvent.AnyEvent>) => Effect.Effect<void, OutputClosed | RunFailed>
): Effect.fn.Return<Fiber.Fiber<void, Failure>, Failure, Scope.Scope> {
  const changes = yield* Queue.unbounded<Book>()
  for (const { bookChannel, products, venue } of targets) {
    for (const product of products) {
      const observed = feeds.get(venue.name)?.observeBook(
        product,
        (book) => void Queue.offerUnsafe(changes, OrderBook.toEvent(book)),
        { depth, channel: bookChannel }
      ) ?? Effect.void
      yield* Effect.mapError(observed, (error): Failure =>
        error._tag === "UnknownChannel"
          ? new UsageError({ key: "--book", value: venue.name, expected: "a venue that has books" })
          : new RunFailed({ detail: error.message }))
    }
  }
  return yield* Effect.forkScoped(Stream.runForEachArray(Stream.fromQueue(changes), take))
})

const live = Effect.fnUntraced(function*(
  options: Options,
  entries: ReadonlyArray<MarketFeeds.Entry>,
  recorder: Recorder<RecordingNotWritten> | undefined
): Effect.fn.Return<void, Failure, Host | Scope.Scope | Requirements> {
  const host = yield* Host
  const { signal, stderr, stdout } = host
  const startedAt = yield* Monotonic.now
  const names = entries.map(({ venue }) => venue.name)
  const feeds = yield* MarketFeeds.prepare()
  const tally = Tally.make()
  const title = `tickline stream ${names.join(" ")}`
  const { format, lifecycle, overflow } = options
  const paint = makePaint(stdout.hasColor)
  const place = placeOf(options, host)
  const view = yield* place === "lines"
    ? StreamViews.lines({
      stdout,
      overflow: () => overflow,
      format: format === "ndjson" ? ndjson(stdout, { lifecycle }) : (event) => `${eventLine(paint, event)}\n`,
      tally
    })
    : place === "table"
    ? StreamViews.table(title, stdout, tally)
    : StreamViews.ladder({ title, targets: options.targets, depth: options.book }, feeds, stdout, tally)
  const isWanted = isPrinted(options)
  const refusals = Refusals.make()
  let marketEvents = 0
  // Whether the run is over, and only the connections' end is still told.
  let isOver = false
  const limit = options.count ?? Infinity
  const counted = yield* Deferred.make<void>()
  const refused = yield* Deferred.make<void>()
  // The venues that have refused everything, and why each venue failed that did. The others go on.
  const refusing = new Set<string>()
  const failures = new Map<string, RunFailed | UsageError>()

  // A channel of all products gives more than was asked for.
  const asked = new Map(entries.flatMap(({ products = [], venue }) =>
    venue.wholeChannels === undefined
      ? []
      : [[venue.name, new Set(products.map((product) => Symbols.resolve(feeds.symbols, venue, product)))]]
  ))
  const isAsked = (event: MarketEvent.AnyEvent): boolean =>
    event._tag !== "PriceUpdate" || event.product === undefined || (asked.get(event.venue)?.has(event.product) ?? true)

  // All that the feeds have to say is said by then.
  const printLedger = Effect.gen(function*() {
    const accounts = yield* Effect.forEach(
      yield* feeds.all,
      (feed) =>
        Effect.map(feed.ledger, (ledger): LedgerLines.Account => {
          const { name } = feed.venue
          const products = asked.get(name)
          const isAsked = products === undefined ? undefined : (product: string) => products.has(product)
          return { venue: name, ledger, shed: view.shed(), isAsked }
        })
    )
    const { format } = options
    yield* stdout.write(LedgerLines.text(accounts, { format, stdout, paint: makePaint(stdout.hasColor) }))
  })

  // Of a venue that has refused everything nothing is left to wait for.
  const answered = Effect.fnUntraced(function*(name: string) {
    const feed = feeds.get(name)
    if (feed === undefined || refusing.has(name)) return
    const { isWhole } = yield* refusals.update(feed)
    if (!isWhole) return
    refusing.add(name)
    if (refusing.size === names.length) {
      yield* Deferred.succeed(refused, undefined)
      return
    }
    yield* Effect.logError(`${name} refused everything that was asked for`)
    // Who reads the events that the closing gives cannot be who waits for it.
    yield* Effect.forkDetach(feed.connection.close())
  })

  const take = (events: ReadonlyArray<MarketEvent.AnyEvent>): Effect.Effect<void, OutputClosed | RunFailed> =>
    Effect.suspend(() => {
      const printed: Array<MarketEvent.AnyEvent> = []
      const answering = new Set<string>()
      for (const event of events) {
        const isMarket = options.book === undefined ? MarketEvent.isMarketData(event) : event._tag === "Book"
        if (Refusals.isAnswer(event)) answering.add(event.venue)
        tally.observe(event)
        if (!isWanted(event) || !isAsked(event)) continue
        // What was dropped on its way to stdout does not count.
        if (isMarket && (marketEvents - view.dropped() >= limit || isOver)) continue
        if (isMarket) marketEvents++
        printed.push(event)
      }
      view.observe(events)
      return Effect.andThen(
        printed.length === 0 ? Effect.void : view.print(printed),
        Effect.suspend(() => {
          if (marketEvents - view.dropped() >= limit) Deferred.doneUnsafe(counted, Effect.void)
          return Effect.forEach(answering, answered, { discard: true })
        })
      )
    })

  // Everything is consumed to the end of the connections, their own closing included. Where stdout is not read, what
  // waits for it is bounded there; this consumer waits for nothing else.
  const consumer = yield* feeds.events({ overflow: "block" }).pipe(
    Stream.runForEachArray(take),
    Effect.catchTag("ConsumerOverflow", (error) => Effect.fail(new RunFailed({ detail: error.message }))),
    Effect.forkChild({ startImmediately: true })
  )
  if (options.metricsPort !== undefined) {
    const { metricsPort } = options
    const Metrics = yield* Effect.promise(() => import("./Metrics.ts"))
    const address = yield* Metrics.serve({ host: "127.0.0.1", port: metricsPort, key: "--metrics-port" })
    yield* Effect.logInfo("serving metrics").pipe(Effect.annotateLogs({ url: address }))
  }
  yield* Effect.mapError(feeds.set(entries), (error): Failure => {
    switch (error._tag) {
      case "UnknownChannel":
        return new UsageError({
          key: "--channel",
          value: error.kind,
          expected: `a channel that ${error.venue} has: ${
            entries.filter(({ venue }) => venue.name === error.venue)
              .map(({ venue }) => Object.keys(venue.channels).join(", ")).join()
          }`
        })
      case "DuplicateVenue":
        return new UsageError({ key: "venue", value: error.venue, expected: "each venue once" })
      case "ConnectionClosed":
        return new RunFailed({ detail: error.message })
    }
  })
  const all = yield* feeds.all
  const books = options.book === undefined
    ? undefined
    : yield* observeBooks(options.targets, feeds, place === "ladder" ? 0 : options.book, take)
  yield* view.follow

  const stopped = Effect.as("stopped" as const)
  const done = Effect.as("done" as const)
  const ends: ReadonlyArray<Effect.Effect<End, Failure>> = [
    done(Fiber.join(consumer)),
    ...(books === undefined ? [] : [done(Fiber.join(books))]),
    done(Deferred.await(refused)),
    stopped(signal),
    stopped(stdout.closed),
    ...(options.duration === undefined ? [] : [done(Effect.sleep(options.duration))]),
    ...(options.count === undefined ? [] : [done(Deferred.await(counted))]),
    ...(recorder === undefined ? [] : [Effect.mapError(recorder.failed, Recorders.unwritten)])
  ]
  const end = yield* Effect.raceAllFirst(ends).pipe(
    Effect.ensuring(Effect.gen(function*() {
      isOver = true
      view.over()
      for (const { connection, venue } of all) {
        const { lastError, state } = yield* connection.metrics
        const hasEnded = state === "Failed" || state === "Disconnected"
        if (hasEnded && lastError !== undefined && !refusing.has(venue.name)) {
          failures.set(venue.name, failedBy(lastError))
        }
      }
      yield* Effect.forEach(all, ({ connection }) => connection.close(), { concurrency: "unbounded", discard: true })
      const printed = Effect.andThen(Fiber.await(consumer), view.end)
      yield* OutputQueue.settled(options.ledger ? Effect.andThen(printed, printLedger) : printed, { signal, stdout })
      view.report()
      stderr.writeUnsafe(tally.summary((yield* Monotonic.now) - startedAt))
      const sentences = refusals.sentences()
      if (refusing.size < names.length) { for (const sentence of sentences) stderr.writeUnsafe(`${sentence}\n`) }
    }))
  )
  if (end !== "done") return
  if (refusing.size === names.length) return yield* new RunFailed({ detail: refusals.sentences().join("; ") })
  if (failures.size > 0) {
    const [first, ...others] = failures.values()
    return yield* first !== undefined && others.length === 0
      ? first
      : new RunFailed({ detail: Array.from(failures, ([name, { message }]) => `${name}: ${message}`).join("; ") })
  }
})

/**
 * What the feeds are asked for. One token is one venue's: of several venues only
 * those get it for whom an endpoint is named.
 *
 * @category constructors
 * @since 0.1.0
 */
export const entriesOf = (
  targets: ReadonlyArray<Target>,
  kinds: ReadonlyArray<ChannelKind>,
  auth: BearerToken.BearerToken | undefined
): ReadonlyArray<MarketFeeds.Entry> =>
  targets.map(({ products, signing, url, venue }) => ({
    venue,
    products,
    kinds,
    url,
    auth: targets.length === 1 || url !== undefined ? auth : undefined,
    signing
  }))

type Requirements = Transport | Reconnection.Reconnection | CircuitBreaker

/**
 * Runs the command: until a signal, its duration or its count; fails where a
 * connection gives up or a venue refuses. Of several venues the others go on,
 * and the run fails when it ends.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (given: Options): Effect.Effect<void, Failure, Host> =>
  Effect.scoped(Effect.gen(function*() {
    const host = yield* Host
    const { env, stderr } = host
    const targets = yield* Effect.forEach(given.targets, (target) =>
      Effect.map(Credentials.signing(env, target.venue), (signing): Target => ({
        ...target,
        signing,
        bookChannel: Credentials.bookChannel(target.venue, signing)
      })))
    const options = { ...given, targets }
    const policy = yield* Policy.make(options, env)
    const token = yield* Token.read(env, Token.variable)
    const auth = token === undefined ? undefined : yield* BearerToken.make(token)
    if (options.book !== undefined && options.overflow === "block") {
      return yield* new UsageError({ key: "--overflow", value: "block", expected: "drop-oldest or fail, with --book" })
    }
    // Books are asked for by who keeps them.
    const place = placeOf(options, host)
    const areKept = options.book !== undefined || place === "ladder"
    const entries = entriesOf(targets, options.book === undefined ? options.kinds : [], auth).map((entry) => ({
      ...entry,
      rest: options.rest,
      kinds: areKept && entry.venue.channels.book !== undefined
        ? entry.kinds?.filter((kind) =>
          kind !== "book"
        )
        : entry.kinds
    }))
    const recorder = options.record === undefined ? undefined : yield* Recorders.begin(
      { key: "--record", path: options.record, rotation: options.rotation },
      targets.map(({ bookChannel = "book", products, url, venue }) => ({
        venue: venue.name,
        url: url ?? venue.endpoint,
        products,
        channels: options.book === undefined ? options.kinds : [bookChannel],
        policy: options.preset ?? (options.config === undefined ? "recommended" : "custom")
      }))
    )
    const transport: Layer.Layer<Transport> = recorder === undefined
      ? NodeTransport.layer
      : Layer.effect(Transport, Effect.map(Transport, recorder.transport)).pipe(Layer.provide(NodeTransport.layer))
    const http = recorder === undefined
      ? LazyHttp.layer
      : Layer.effect(HttpPort, Effect.map(HttpPort, recorder.http)).pipe(Layer.provide(LazyHttp.layer))
    const isTorn = place !== "lines" && stderr.isTerminal
    yield* Effect.scoped(live(options, entries, recorder)).pipe(
      Effect.provide(Layer.mergeAll(transport, http, Reconnection.layerWithBreaker(policy))),
      // The table shows what a log would say, and a log line would tear it.
      isTorn ? Effect.provide(Log.silent) : (self) => self
    )
    if (recorder === undefined) return
    // The last of a recording is written only now.
    yield* Effect.mapError(recorder.finish, Recorders.unwritten)
    const { dropped } = recorder.counts()
    if (dropped > 0) {
      stderr.writeUnsafe(`${counted(dropped, "line")} left out of the recording, which was not written in time\n`)
    }
  }))
