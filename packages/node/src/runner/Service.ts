/**
 * `tickline run`: market data of several venues for as long as it is wanted,
 * with pages that say how it is, and a configuration that can change meanwhile.
 *
 * @since 0.1.0
 */
import type * as BearerToken from "@tickline/core/connection/BearerToken"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import type * as VenueMessage from "@tickline/core/event/VenueMessage"
import * as MarketFeeds from "@tickline/core/market/MarketFeeds"
import type { CircuitBreaker } from "@tickline/core/resilience/CircuitBreaker"
import * as Governor from "@tickline/core/resilience/Governor"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Printable from "@tickline/core/value/Printable"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Health from "../Health.ts"
import * as NodeTransport from "../NodeTransport.ts"
import type { RedisGovernor } from "../RedisGovernor.ts"
import { Host, type OutputClosed } from "./Host.ts"
import * as Metrics from "./Metrics.ts"
import { eventLine, type Format } from "./Output.ts"
import * as OutputQueue from "./OutputQueue.ts"
import * as Policy from "./Policy.ts"
import * as Recorders from "./Recorders.ts"
import * as Refusals from "./Refusals.ts"
import { RunFailed, UsageError } from "./RunnerError.ts"
import * as ServiceConfig from "./ServiceConfig.ts"
import { isPrinted, ndjson } from "./Streaming.ts"
import { paint as makePaint } from "./Style.ts"
import * as Tally from "./Tally.ts"
import * as Telemetry from "./Telemetry.ts"
import type { TraderService } from "./trader/TraderService.ts"

/**
 * How a service is run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The file of its configuration. */
  readonly config: string
  readonly format: Format
  /** After how long it ends by itself, if it does. */
  readonly duration?: Duration.Duration | undefined
  /** What happens when nobody reads stdout, whatever the file says of it. */
  readonly overflow: OutputQueue.Overflow | undefined
}

type Failure = RunFailed | UsageError | OutputClosed

/** The pages of the service, on the place that the configuration says, moved when that changes. */
const makePages = Effect.fnUntraced(function*(
  feeds: MarketFeeds.MarketFeeds["Service"],
  governor: Health.Options["governor"],
  added: TraderService | undefined
) {
  const parent = yield* Effect.scope
  let served: { readonly place: string; readonly scope: Scope.Closeable } | undefined

  const open = Effect.fnUntraced(function*(http: NonNullable<ServiceConfig.ServiceConfig["http"]>) {
    const scope = yield* Scope.fork(parent)
    const pages = Health.page(feeds.all, { governor, trader: added?.health })
    const url = yield* Metrics.serve(
      { ...http, key: "http.port", posts: added?.posts },
      added === undefined ? pages : Layer.merge(pages, added.pages)
    ).pipe(
      Scope.provide(scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
    yield* Effect.annotateLogs(Effect.logInfo("serving /metrics and /healthz"), { url })
    return scope
  })

  return (http: ServiceConfig.ServiceConfig["http"]): Effect.Effect<void, UsageError> =>
    Effect.gen(function*() {
      const place = http === undefined ? "" : [http.host, http.port, ...http.names].join(" ")
      if (served?.place === place) return
      const before = served
      // Where the new place is taken the old pages stay.
      const scope = http === undefined ? undefined : yield* open(http)
      served = scope === undefined ? undefined : { place, scope }
      if (before !== undefined) yield* Scope.close(before.scope, Exit.void)
    })
})

/** Who keeps the limits: this process alone, or, over Redis, all that share them. */
const governorOf = (
  limits: ServiceConfig.ServiceConfig["limits"]
): Effect.Effect<RedisGovernor["Service"] | undefined, never, Scope.Scope> =>
  limits === undefined
    ? Effect.undefined
    : Effect.gen(function*() {
      // Whoever shares nothing loads no client.
      const { RedisGovernor, layer } = yield* Effect.promise(() => import("../RedisGovernor.ts"))
      // A URL that is none was refused with the file.
      return Context.get(yield* Effect.orDie(Layer.build(layer(limits))), RedisGovernor)
    })

const changed = (change: MarketFeeds.Change): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(change).flatMap(([what, venues]) => venues.length === 0 ? [] : [[what, venues.join(",")]])
  )

const serve = Effect.fnUntraced(function*(
  { config: path, duration, format, overflow }: Options
): Effect.fn.Return<
  void,
  Failure,
  Host | Scope.Scope | Transport | Reconnection.Reconnection | CircuitBreaker
> {
  const { env, hangups, signal, stderr, stdout } = yield* Host
  const startedAt = yield* Monotonic.now
  const tokens = new Map<string, BearerToken.BearerToken>()
  const load = Effect.flatMap(
    Policy.readFile(path),
    (text) => Effect.mapError(ServiceConfig.parse(text, env, tokens), (error) => error.in(path))
  )

  const first = yield* load
  let { output } = first
  // Whoever neither trades nor simulates loads nothing for it.
  const added = first.trader === undefined && first.simulation === undefined
    ? undefined
    : yield* Effect.flatMap(
      Effect.promise(() => import("./trader/TraderService.ts")),
      (TraderService) => TraderService.make(first, { format, isSilent: () => output.stdout === "none" })
    )
  const recorders = yield* Recorders.make(yield* Transport)
  const shared = yield* governorOf(first.limits)
  const feeds = yield* MarketFeeds.prepare().pipe(
    Effect.provideService(Transport, recorders.transport),
    Effect.provideService(Governor.Governor, shared?.governor ?? (yield* Governor.Governor))
  )
  const pages = yield* makePages(feeds, shared?.state, added)
  const tally = Tally.make()
  let isWanted = isPrinted({ kinds: ["trade", "ticker", "book"], lifecycle: output.lifecycle })

  const apply = (read: ServiceConfig.ServiceConfig): Effect.Effect<MarketFeeds.Change, UsageError | RunFailed> =>
    Effect.gen(function*() {
      const config = added === undefined ? read : yield* added.addressed(read)
      yield* recorders.apply(config.recordings, config.entries)
      yield* pages(config.http)
      output = config.output
      isWanted = isPrinted({ kinds: ["trade", "ticker", "book"], lifecycle: output.lifecycle })
      return yield* Effect.mapError(
        feeds.set(config.entries),
        (error) =>
          error._tag === "ConnectionClosed"
            ? new RunFailed({ detail: error.message })
            : new UsageError({ key: `venues.${error.venue}`, expected: `what can be streamed (${error.message})` })
      )
    })

  const paint = makePaint(stdout.hasColor)
  const queue = yield* OutputQueue.make({
    stdout,
    overflow: () => overflow ?? output.overflow,
    format: format === "ndjson" ? (event) => ndjson(stdout, output)(event) : (event) => `${eventLine(paint, event)}\n`,
    tally
  })
  const refusals = Refusals.make()
  // The venues that have refused everything that was asked of them.
  const refusing = new Set<string>()
  const refused = yield* Deferred.make<void>()

  const answered = Effect.fnUntraced(function*(name: string, errors: ReadonlyArray<VenueMessage.VenueError>) {
    const feed = feeds.get(name)
    if (feed === undefined) return
    const { isNew, isWhole } = yield* refusals.update(feed)
    if (isWhole) refusing.add(name)
    else refusing.delete(name)
    // What is a refusal is logged by name already.
    for (const { code, message } of isNew ? [] : errors) {
      yield* Effect.annotateLogs(Effect.logError("venue error"), {
        connection: name,
        error: Printable.escape(message ?? code ?? "")
      })
    }
    const all = yield* feeds.all
    if (all.every(({ venue }) => refusing.has(venue.name))) yield* Deferred.succeed(refused, undefined)
  })

  const take = (events: ReadonlyArray<MarketEvent.AnyEvent>): Effect.Effect<void, OutputClosed | RunFailed> =>
    Effect.suspend(() => {
      const printed: Array<MarketEvent.AnyEvent> = []
      const answers = new Map<string, Array<VenueMessage.VenueError>>()
      for (const event of events) {
        tally.observe(event)
        if (Refusals.isAnswer(event)) {
          const errors = answers.get(event.venue) ?? []
          answers.set(event.venue, errors)
          if (event._tag === "VenueError") errors.push(event)
        }
        if (!isWanted(event)) continue
        if (output.stdout !== "ndjson") tally.unprinted("not printed, as configured", 1)
        else printed.push(event)
      }
      return Effect.andThen(
        printed.length === 0 ? Effect.void : queue.offer(printed),
        Effect.forEach(answers, ([name, errors]) => answered(name, errors), { discard: true })
      )
    })

  const consumer = yield* feeds.events({ overflow: "block" }).pipe(
    Stream.runForEachArray(take),
    Effect.catchTag("ConsumerOverflow", (error) => Effect.fail(new RunFailed({ detail: error.message }))),
    Effect.forkChild({ startImmediately: true })
  )

  const reload = Effect.flatMap(load, apply).pipe(
    Effect.flatMap((change) => Effect.annotateLogs(Effect.logInfo("reloaded"), { config: path, ...changed(change) })),
    Effect.catch((error) =>
      Effect.annotateLogs(Effect.logError("not reloaded, what was stays"), { config: path, error: error.message })
    )
  )
  yield* Effect.forkChild(Stream.runForEach(hangups, () => reload), { startImmediately: true })
  yield* apply(first)
  if (added !== undefined) yield* added.begin(feeds)

  const ended = Effect.gen(function*() {
    yield* Fiber.join(consumer)
    const why = yield* Effect.forEach(
      yield* feeds.all,
      ({ connection, venue }) =>
        Effect.map(connection.metrics, ({ lastError }) => `${venue.name}: ${lastError?.message ?? "closed"}`)
    )
    return yield* new RunFailed({ detail: `every venue has ended: ${why.join("; ")}` })
  })

  const isRefused = Effect.andThen(
    Deferred.await(refused),
    Effect.suspend(() => new RunFailed({ detail: refusals.sentences().join("; ") }))
  )
  const ends = [
    ended,
    isRefused,
    Effect.asVoid(signal),
    stdout.closed,
    ...duration === undefined ? [] : [Effect.sleep(duration)],
    ...added === undefined ? [] : [added.failed]
  ]
  yield* Effect.raceAllFirst(ends).pipe(
    Effect.ensuring(Effect.gen(function*() {
      if (added !== undefined) yield* added.stop
      const all = yield* feeds.all
      yield* Effect.forEach(all, ({ connection }) => connection.close(), { concurrency: "unbounded", discard: true })
      yield* recorders.finish
      yield* OutputQueue.settled(Effect.andThen(Fiber.await(consumer), queue.end), { signal, stdout })
      queue.report()
      stderr.writeUnsafe(tally.summary((yield* Monotonic.now) - startedAt))
      if (added !== undefined) stderr.writeUnsafe(yield* added.report)
      if (!Deferred.isDoneUnsafe(refused)) { for (const text of refusals.sentences()) stderr.writeUnsafe(`${text}\n`) }
    }))
  )
})

/**
 * Runs the service of a configuration file: until a signal, or until every
 * venue has given up, which is a failure. SIGHUP reads the file again: what
 * changed is changed, what did not stays as it is, and a file that cannot be
 * read changes nothing.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (options: Options): Effect.Effect<void, Failure, Host> =>
  Effect.scoped(serve(options)).pipe(
    // Every venue has a policy of its own.
    Effect.provide(Layer.mergeAll(
      NodeTransport.layer,
      Reconnection.layerWithBreaker(Presets.marketFeed),
      Telemetry.layer
    ))
  )
