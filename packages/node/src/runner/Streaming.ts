/**
 * `tickline stream`: live events of a venue, over a connection that comes back
 * by itself.
 *
 * @since 0.1.0
 */
import * as BearerToken from "@tickline/core/connection/BearerToken"
import type * as ConnectError from "@tickline/core/connection/ConnectError"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/feed/MarketFeed"
import type { PresetName } from "@tickline/core/resilience/ConnectionPolicy"
import type { Transport } from "@tickline/core/transport/Transport"
import type * as Channel from "@tickline/core/value/Channel"
import * as MarketEvent from "@tickline/core/value/MarketEvent"
import { type ChannelKind, channelOf, type Venue } from "@tickline/core/venue/Venue"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as NodeTransport from "../NodeTransport.ts"
import * as Board from "./Board.ts"
import { Host, type OutputClosed, type Sink } from "./Host.ts"
import * as Log from "./Log.ts"
import { eventLine, type Format } from "./Output.ts"
import * as Policy from "./Policy.ts"
import * as Recording from "./Recording.ts"
import { RunFailed, UsageError } from "./RunnerError.ts"
import * as Screen from "./Screen.ts"
import { counted, grouped, paint as makePaint, span } from "./Style.ts"

/**
 * What is streamed, how, and until when.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: Venue
  readonly products: ReadonlyArray<string>
  readonly kinds: ReadonlyArray<ChannelKind>
  readonly url: string | undefined
  readonly preset: PresetName | undefined
  readonly config: string | undefined
  readonly duration: Duration.Duration | undefined
  /** Market events after which it ends. */
  readonly count: number | undefined
  readonly record: string | undefined
  readonly lifecycle: boolean
  readonly metricsPort: number | undefined
  readonly format: Format
}

/**
 * The channels of a venue for kinds and products. A venue that has one channel
 * for everything has it for every kind.
 *
 * @category constructors
 * @since 0.1.0
 */
export const channelsOf = (
  venue: Venue,
  kinds: ReadonlyArray<ChannelKind>,
  products: ReadonlyArray<string>
): Result.Result<ReadonlyArray<Channel.Channel>, UsageError> => {
  const offered = [...new Set(Object.values(venue.channels))]
  const names = new Set<string>()
  for (const kind of kinds) {
    const name = venue.channels[kind] ?? (offered.length === 1 ? offered[0] : undefined)
    if (name === undefined) {
      return Result.fail(
        new UsageError({
          key: "--channel",
          value: kind,
          expected: `a channel that ${venue.name} has: ${Object.keys(venue.channels).join(", ")}`
        })
      )
    }
    names.add(name)
  }
  return Result.succeed([...names].flatMap((name) => products.map((product) => channelOf(venue, name, product))))
}

const tags: Readonly<Record<ChannelKind, ReadonlyArray<MarketEvent.AnyEvent["_tag"]>>> = {
  trade: ["Trade"],
  ticker: ["Ticker"],
  book: ["BookSnapshot", "BookDelta"]
}

/**
 * Whether an event is printed: market events of the chosen kinds and what the
 * venue says of subscriptions, errors and refused frames always, the rest where
 * the connection's life is asked for.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isPrinted = (
  options: Pick<Options, "kinds" | "lifecycle">
): (event: MarketEvent.AnyEvent) => boolean => {
  const chosen = new Set<MarketEvent.AnyEvent["_tag"]>([
    // A bare price belongs to no kind.
    "PriceUpdate",
    ...options.kinds.flatMap((kind) => tags[kind]),
    "Subscribed",
    "Unsubscribed",
    "VenueError",
    "FrameRejected"
  ])
  return (event) => chosen.has(event._tag) || (options.lifecycle && !MarketEvent.isMarketData(event))
}

/** Without what may be a secret: user information and query. */
const shownUrl = (url: string): string => url.replace(/[?#].*$/s, "").replace(/\/\/[^/@]*@/, "//")

/** What became of the run so far. */
interface Tally {
  market: number
  printed: number
  readonly byTag: Map<string, number>
  epochs: number
  drops: number
  gaps: number
  /** Whether the venue has ever answered with a subscription or data. */
  isServed: boolean
  /** Whether the run is over, and only the connection's end is still told. */
  isOver: boolean
}

const failedBy = (error: ConnectError.ConnectError): RunFailed | UsageError =>
  error._tag === "DialError" && error.reason._tag === "BadUrl"
    ? new UsageError({ key: "--url", value: error.url, expected: `a ws:// or wss:// URL (${error.reason.message})` })
    : new RunFailed({ detail: error.message })

const ndjson = (events: ReadonlyArray<MarketEvent.AnyEvent>): string => {
  let text = ""
  for (const event of events) text += `${MarketEvent.toJson(event)}\n`
  return text
}

/** How often the live table is drawn. */
const frameMillis = 100

/** Where events go: lines on stdout, or a table drawn in place on a terminal. */
const show = Effect.fnUntraced(function*(
  format: Format,
  title: string,
  stdout: Sink
): Effect.fn.Return<
  {
    readonly print: (events: ReadonlyArray<MarketEvent.AnyEvent>) => Effect.Effect<void, OutputClosed>
    readonly observe: (events: ReadonlyArray<MarketEvent.AnyEvent>) => void
    readonly draw: Effect.Effect<void, OutputClosed>
    readonly isLive: boolean
  },
  never,
  Scope.Scope
> {
  const paint = makePaint(stdout.hasColor)
  if (format === "ndjson" || !stdout.isTerminal) {
    const text = format === "ndjson"
      ? ndjson
      : (events: ReadonlyArray<MarketEvent.AnyEvent>) => events.map((event) => `${eventLine(paint, event)}\n`).join("")
    return {
      print: (events) => stdout.write(text(events)),
      observe: () => {},
      draw: Effect.void,
      isLive: false
    }
  }
  const clock = yield* Clock.Clock
  const board = Board.make({ title, detail: "market", now: () => clock.currentTimeMillisUnsafe() })
  const screen = yield* Screen.make(stdout)
  return {
    print: () => Effect.void,
    observe: (events) => events.forEach(board.observe),
    draw: Effect.suspend(() => screen.draw(board.lines(paint, stdout.size()))),
    isLive: true
  }
})

const summary = (tally: Tally, millis: number): string => {
  const parts = [...tally.byTag].map(([tag, count]) => `${grouped(count)} ${tag}`).join(", ")
  return `${counted(tally.printed, "event")} in ${span(millis)}${parts === "" ? "" : ` (${parts})`}; ` +
    `${counted(tally.epochs, "epoch")}, ${counted(tally.drops, "drop")}, ${counted(tally.gaps, "gap")}\n`
}

type Failure = RunFailed | UsageError | OutputClosed

const live = Effect.fnUntraced(function*(
  options: Options,
  url: string,
  channels: ReadonlyArray<Channel.Channel>,
  recorder: Recording.Recorder | undefined
): Effect.fn.Return<void, Failure, Host | Scope.Scope | MarketFeedRequirements> {
  const { env, signal, stderr, stdout } = yield* Host
  const token = env["TICKLINE_TOKEN"] ?? ""
  const auth = token === "" ? undefined : yield* BearerToken.make(Redacted.make(token, { label: "TICKLINE_TOKEN" }))
  const startedAt = yield* Clock.currentTimeMillis
  const feed = yield* MarketFeed.prepare(options.venue, { url, channels, auth })
  const { connection } = feed
  if (options.metricsPort !== undefined) {
    const { metricsPort } = options
    const Metrics = yield* Effect.promise(() => import("./Metrics.ts"))
    const address = yield* Metrics.serve(metricsPort, [connection.breaker])
    yield* Effect.logInfo("serving metrics").pipe(Effect.annotateLogs({ url: address }))
  }
  const title = `tickline stream ${options.venue.name}`
  const view = yield* show(options.format, title, stdout)
  const isWanted = isPrinted(options)
  const tally: Tally = {
    market: 0,
    printed: 0,
    byTag: new Map(),
    epochs: 0,
    drops: 0,
    gaps: 0,
    isServed: false,
    isOver: false
  }
  const limit = options.count ?? Infinity
  const counted = yield* Deferred.make<void>()

  const take = (events: ReadonlyArray<MarketEvent.AnyEvent>): Effect.Effect<void, Failure> =>
    Effect.suspend(() => {
      const printed: Array<MarketEvent.AnyEvent> = []
      let refusal: MarketEvent.VenueError | undefined
      for (const event of events) {
        const isMarket = MarketEvent.isMarketData(event)
        if (isMarket || event._tag === "Subscribed") tally.isServed = true
        if (event._tag === "VenueError" && !tally.isServed) refusal ??= event
        if (event._tag === "Connection" && event.state === "Connected") tally.epochs++
        if (event._tag === "Connection" && event.state === "Reconnecting" && event.attempt === 1) tally.drops++
        if (event._tag === "Gap") tally.gaps++
        if (!isWanted(event)) continue
        if (isMarket && (tally.market >= limit || tally.isOver)) continue
        if (isMarket) tally.market++
        tally.byTag.set(event._tag, (tally.byTag.get(event._tag) ?? 0) + 1)
        printed.push(event)
      }
      tally.printed += printed.length
      if (tally.market >= limit) Deferred.doneUnsafe(counted, Effect.void)
      view.observe(events)
      const written = printed.length === 0 ? Effect.void : view.print(printed)
      return refusal === undefined ? written : Effect.andThen(
        written,
        Effect.fail(
          new RunFailed({
            detail: `${options.venue.name} refused the subscription: ${
              refusal.message ?? refusal.code ?? "no reason given"
            }`
          })
        )
      )
    })

  // Everything is consumed to the end of the connection, its own closing included.
  const consumer = yield* feed.events({ overflow: "block" }).pipe(
    Stream.runForEachArray(take),
    Effect.catchTag("ConsumerOverflow", Effect.die),
    Effect.forkChild({ startImmediately: true })
  )
  if (view.isLive) {
    yield* Effect.forkChild(Effect.ignore(Effect.forever(Effect.andThen(view.draw, Effect.sleep(frameMillis)))))
  }
  // What the connection comes to is told by its events; they end with its failure.
  yield* Effect.forkChild(Effect.ignore(connection.connect))

  const ends: ReadonlyArray<Effect.Effect<void, Failure>> = [
    Effect.asVoid(signal),
    stdout.closed,
    ...(options.duration === undefined ? [] : [Effect.sleep(options.duration)]),
    ...(options.count === undefined ? [] : [Deferred.await(counted)]),
    ...(recorder === undefined ? [] : [recorder.failed])
  ]
  const settled = Effect.catch(
    Fiber.join(consumer),
    (error) =>
      Effect.fail(
        error._tag === "OutputClosed" || error._tag === "RunFailed" || error._tag === "UsageError"
          ? error
          : failedBy(error)
      )
  )
  yield* Effect.raceAllFirst([settled, ...ends]).pipe(
    Effect.ensuring(Effect.gen(function*() {
      tally.isOver = true
      yield* connection.close()
      yield* Effect.ignore(Effect.timeoutOption(Fiber.await(consumer), 200))
      yield* Effect.ignore(view.draw)
      stderr.writeUnsafe(summary(tally, (yield* Clock.currentTimeMillis) - startedAt))
    }))
  )
})

type MarketFeedRequirements = Effect.Services<ReturnType<typeof MarketFeed.prepare>>

/**
 * Runs the command: until a signal, its duration or its count; fails where the
 * connection gives up or the venue refuses.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (options: Options): Effect.Effect<void, Failure, Host> =>
  Effect.scoped(Effect.gen(function*() {
    const { env, stdout } = yield* Host
    const url = options.url ?? options.venue.endpoint
    if (url === undefined) {
      return yield* new UsageError({ key: "--url", expected: `an endpoint: ${options.venue.name} has none of its own` })
    }
    if (!/^wss?:\/\/./i.test(url)) {
      return yield* new UsageError({ key: "--url", value: shownUrl(url), expected: "a ws:// or wss:// URL" })
    }
    const channels = yield* Effect.fromResult(channelsOf(options.venue, options.kinds, options.products))
    const policy = yield* Policy.make(options, env)
    const recorder = options.record === undefined ? undefined : yield* Recording.recorder(options.record)
    const transport: Layer.Layer<Transport> = recorder === undefined
      ? NodeTransport.layer
      : Layer.provide(Recording.transport(recorder), NodeTransport.layer)
    const isLive = options.format === "pretty" && stdout.isTerminal
    yield* Effect.scoped(live(options, url, channels, recorder)).pipe(
      Effect.provide(Layer.mergeAll(transport, Reconnection.layerWithBreaker(policy))),
      // The table shows what a log would say, and a log line would tear it.
      isLive ? Effect.provide(Log.silent) : (self) => self
    )
  }))
