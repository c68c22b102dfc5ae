/**
 * What a trader and a simulation add to `tickline run`.
 *
 * @since 0.1.0
 */
import type { MarketFeeds } from "@tickline/core/market/MarketFeeds"
import type { Transport } from "@tickline/core/transport/Transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Served } from "../../simulate/SimulatedVenues.ts"
import { Host, type OutputClosed } from "../Host.ts"
import type { Format } from "../Output.ts"
import { RunFailed, UsageError } from "../RunnerError.ts"
import type { ServiceConfig } from "../ServiceConfig.ts"
import { paint as makePaint } from "../Style.ts"
import * as Token from "../Token.ts"
import * as OrderOutput from "./OrderOutput.ts"
import * as SimulationConfig from "./SimulationConfig.ts"
import * as TraderControl from "./TraderControl.ts"
import * as TraderJournal from "./TraderJournal.ts"
import * as Trading from "./Trading.ts"

/**
 * What is added.
 *
 * - `addressed`: a configuration with the addresses of what is simulated; one that
 *   would change what cannot change while it runs is refused
 * - `pages`, `posts`, `health`: besides the other pages
 * - `begin`: once the feeds are there
 * - `failed`: fails where stdout cannot be written, and once there are no prices
 * - `stop`: before the feeds are closed; all is said then
 * - `report`: what it came to
 *
 * @category models
 * @since 0.1.0
 */
export interface TraderService {
  readonly addressed: (config: ServiceConfig) => Effect.Effect<ServiceConfig, UsageError>
  readonly pages: Layer.Layer<never, never, HttpRouter.HttpRouter>
  readonly posts: ReadonlyArray<string>
  readonly health: Effect.Effect<Schema.Json | undefined>
  readonly begin: (
    feeds: MarketFeeds["Service"]
  ) => Effect.Effect<void, UsageError | RunFailed, Scope.Scope | Transport>
  readonly failed: Effect.Effect<never, OutputClosed | RunFailed>
  readonly stop: Effect.Effect<void>
  readonly report: Effect.Effect<string>
}

interface Begun {
  readonly trading: Trading.Trading
  readonly journal: TraderJournal.TraderJournal
}

/** What is simulated of a configuration, served. */
const simulate = Effect.fnUntraced(function*(
  { entries, simulation, trader }: ServiceConfig,
  opened: Trading.Opened | undefined
): Effect.fn.Return<ReadonlyMap<string, Served>, UsageError, Scope.Scope> {
  if (simulation === undefined) return new Map()
  const exchange = trader?.exchanges.find(({ kind }) => kind === "simulated")
  const venues = entries.flatMap(({ url, venue }) => url === SimulationConfig.nowhere ? [venue.name] : [])
  const SimulatedVenues = yield* Effect.promise(() => import("../../simulate/SimulatedVenues.ts"))
  return yield* SimulatedVenues.make({
    config: simulation,
    venues: exchange === undefined ? venues : [...venues, exchange.name],
    exchange: exchange && { ...exchange, balance: opened?.balances.get(exchange.name) ?? {} },
    firstId: opened?.firstId ?? 1
  })
})

/** What changes with a restart only, and the key that is named then. */
const fixed = (first: ServiceConfig, config: ServiceConfig): string | undefined => {
  if (!Equal.equals(first.simulation, config.simulation)) return "simulation"
  if (!Equal.equals(first.trader, config.trader)) return "trader"
  const isSame = first.trader === undefined || (Equal.equals(first.entries, config.entries) &&
    Equal.equals(first.symbols, config.symbols))
  return isSame ? undefined : "venues"
}

/**
 * Opens what a configuration has of it, until the scope ends. `isSilent` says
 * whether stdout is to say nothing of orders.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  first: ServiceConfig,
  { format, isSilent }: { readonly format: Format; readonly isSilent: () => boolean }
): Effect.fn.Return<TraderService, UsageError | RunFailed, Scope.Scope | Host> {
  const { env, stderr, stdout } = yield* Host
  const { trader } = first
  const token = yield* Token.read(env, Token.variable)
  const opened = trader &&
    (yield* Effect.catchTag(
      Trading.open(trader),
      "HistoryInUse",
      ({ message }) => Effect.fail(new RunFailed({ detail: message }))
    ))
  const served = yield* simulate(first, opened)
  const output = yield* OrderOutput.make({ format, isSilent, stdout })
  let begun: Begun | undefined
  const ready = yield* Deferred.make<Begun>()

  // Whoever has no prices any more can close nothing.
  const priceless = Effect.flatMap(Deferred.await(ready), ({ trading: { trader } }) =>
    Stream.runForEach(
      trader.state.changes,
      (state) => {
        if (state._tag !== "Ended") return Effect.void
        // Where it was thrown is of no use to people.
        const [reason = "the feed has ended"] = state.reason?.split("\n") ?? []
        return new RunFailed({ detail: `the prices of the trader have ended: ${reason}` })
      }
    )).pipe(Effect.andThen(Effect.never))

  const addressed = (config: ServiceConfig): Effect.Effect<ServiceConfig, UsageError> => {
    const key = fixed(first, config)
    if (key !== undefined) {
      return Effect.fail(new UsageError({ key, expected: "what it was when it began: another takes a restart" }))
    }
    const entries: Array<ServiceConfig["entries"][number]> = []
    for (const entry of config.entries) {
      if (entry.url !== SimulationConfig.nowhere) {
        entries.push(entry)
        continue
      }
      const url = served.get(entry.venue.name)?.url
      if (url === undefined) {
        return Effect.fail(
          new UsageError({
            key: `venues.${entry.venue.name}`,
            expected: "a url, or a restart: it was not simulated from the beginning"
          })
        )
      }
      entries.push({ ...entry, url })
    }
    return Effect.succeed({ ...config, entries })
  }

  return {
    addressed,
    pages: trader === undefined
      ? Layer.empty
      : TraderControl.routes(Effect.sync(() => begun?.trading), token),
    posts: trader === undefined ? [] : Object.values(TraderControl.paths),
    health: Effect.suspend(() => begun?.journal.health ?? Effect.undefined),
    begin: (feeds) =>
      opened === undefined ? Effect.void : Effect.gen(function*() {
        const early: Array<Parameters<OrderOutput.OrderOutput["say"]>[0]> = []
        const trading = yield* Trading.begin({
          opened,
          service: first,
          feeds,
          env,
          served,
          say: (event) => {
            output.say(event)
            if (begun === undefined) early.push(event)
            else begun.journal.order(event)
          }
        })
        const journal = yield* TraderJournal.make(trading.trader)
        begun = { trading, journal }
        yield* Deferred.succeed(ready, begun)
        for (const event of early) journal.order(event)
        const state = yield* trading.trader.state.current
        if (state._tag === "Halted") {
          yield* Effect.annotateLogs(Effect.logWarning("halted, until it is cleared"), { reason: state.reason })
        }
      }),
    failed: Effect.raceFirst(output.failed, priceless),
    stop: Effect.suspend(() => begun?.trading.stop ?? Effect.void).pipe(Effect.andThen(output.end)),
    report: Effect.suspend(() => begun?.journal.report(makePaint(stderr.hasColor)) ?? Effect.succeed(""))
  }
})
