/**
 * `tickline run`: market data of several venues for as long as it is wanted,
 * with pages that say how it is, and a configuration that can change meanwhile.
 *
 * @since 0.1.0
 */
import type * as BearerToken from "@tickline/core/connection/BearerToken"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeeds from "@tickline/core/feed/MarketFeeds"
import type { CircuitBreaker } from "@tickline/core/resilience/CircuitBreaker"
import * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import type { Transport } from "@tickline/core/transport/Transport"
import type * as MarketEvent from "@tickline/core/value/MarketEvent"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Printable from "@tickline/core/value/Printable"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as NodeTransport from "../NodeTransport.ts"
import * as Health from "./Health.ts"
import { Host, type OutputClosed } from "./Host.ts"
import * as Metrics from "./Metrics.ts"
import * as Policy from "./Policy.ts"
import { RunFailed, type UsageError } from "./RunnerError.ts"
import * as ServiceConfig from "./ServiceConfig.ts"
import { isPrinted, ndjson } from "./Streaming.ts"
import * as Tally from "./Tally.ts"

type Failure = RunFailed | UsageError | OutputClosed

/** The pages of the service, on the place that the configuration says, moved when that changes. */
const makePages = Effect.fnUntraced(function*(feeds: MarketFeeds.MarketFeeds["Service"]) {
  const parent = yield* Effect.scope
  let served: { readonly place: string; readonly scope: Scope.Closeable } | undefined

  const open = Effect.fnUntraced(function*(http: NonNullable<ServiceConfig.ServiceConfig["http"]>) {
    const scope = yield* Scope.fork(parent)
    const url = yield* Metrics.serve({ ...http, key: "http.port" }, Health.page(feeds.all)).pipe(
      Scope.provide(scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
    yield* Effect.annotateLogs(Effect.logInfo("serving /metrics and /healthz"), { url })
    return scope
  })

  return (http: ServiceConfig.ServiceConfig["http"]): Effect.Effect<void, UsageError> =>
    Effect.gen(function*() {
      const place = http === undefined ? "" : `${http.host} ${http.port}`
      if (served?.place === place) return
      const before = served
      // Where the new place is taken the old pages stay.
      const scope = http === undefined ? undefined : yield* open(http)
      served = scope === undefined ? undefined : { place, scope }
      if (before !== undefined) yield* Scope.close(before.scope, Exit.void)
    })
})

const changed = (change: MarketFeeds.Change): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(change).flatMap(([what, venues]) => venues.length === 0 ? [] : [[what, venues.join(",")]])
  )

const serve = Effect.fnUntraced(function*(
  path: string
): Effect.fn.Return<
  void,
  Failure,
  Host | Scope.Scope | Transport | Reconnection.Reconnection | CircuitBreaker
> {
  const { env, hangups, signal, stderr, stdout } = yield* Host
  const startedAt = yield* Monotonic.now
  const tokens = new Map<string, BearerToken.BearerToken>()
  const load = Effect.flatMap(Policy.readFile(path), (text) => ServiceConfig.parse(text, env, tokens))

  const first = yield* load
  const feeds = yield* MarketFeeds.prepare()
  const pages = yield* makePages(feeds)
  const tally = Tally.make()
  let { output } = first
  let isWanted = isPrinted({ kinds: ["trade", "ticker", "book"], lifecycle: output.lifecycle })

  const apply = (config: ServiceConfig.ServiceConfig): Effect.Effect<MarketFeeds.Change, UsageError> =>
    Effect.gen(function*() {
      yield* pages(config.http)
      output = config.output
      isWanted = isPrinted({ kinds: ["trade", "ticker", "book"], lifecycle: output.lifecycle })
      // The configuration has been read by the rules that the feeds have.
      return yield* Effect.orDie(feeds.set(config.entries))
    })

  const take = (events: ReadonlyArray<MarketEvent.AnyEvent>): Effect.Effect<void, OutputClosed> =>
    Effect.suspend(() => {
      const printed: Array<MarketEvent.AnyEvent> = []
      const refusals: Array<MarketEvent.VenueError> = []
      for (const event of events) {
        tally.observe(event)
        if (event._tag === "VenueError") refusals.push(event)
        if (output.stdout === "none" || !isWanted(event)) continue
        tally.printed(event)
        printed.push(event)
      }
      return Effect.andThen(
        printed.length === 0 ? Effect.void : stdout.write(ndjson(printed)),
        Effect.forEach(
          refusals,
          ({ code, message, venue }) =>
            Effect.annotateLogs(Effect.logError("venue error"), {
              connection: venue,
              error: Printable.escape(message ?? code ?? "")
            }),
          { discard: true }
        )
      )
    })

  const consumer = yield* feeds.events().pipe(
    Stream.runForEachArray(take),
    Effect.catchTag("ConsumerOverflow", Effect.die),
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

  const ended = Effect.gen(function*() {
    yield* Fiber.join(consumer)
    const why = yield* Effect.forEach(
      yield* feeds.all,
      ({ connection, venue }) =>
        Effect.map(connection.metrics, ({ lastError }) => `${venue.name}: ${lastError?.message ?? "closed"}`)
    )
    return yield* new RunFailed({ detail: `every venue has ended: ${why.join("; ")}` })
  })

  yield* Effect.raceAllFirst([ended, Effect.asVoid(signal), stdout.closed]).pipe(
    Effect.ensuring(Effect.gen(function*() {
      const all = yield* feeds.all
      yield* Effect.forEach(all, ({ connection }) => connection.close(), { concurrency: "unbounded", discard: true })
      yield* Effect.ignore(Effect.timeoutOption(Fiber.await(consumer), 200))
      stderr.writeUnsafe(tally.summary((yield* Monotonic.now) - startedAt))
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
export const run = (path: string): Effect.Effect<void, Failure, Host> =>
  Effect.scoped(serve(path)).pipe(
    // Every venue has a policy of its own.
    Effect.provide(Layer.mergeAll(NodeTransport.layer, Reconnection.layerWithBreaker(ConnectionPolicy.marketFeed)))
  )
