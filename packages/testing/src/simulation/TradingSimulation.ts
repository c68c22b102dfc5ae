/**
 * A day of traders, under the virtual clock: three venues whose mocks trade
 * (Coinbase Advanced, Hyperliquid, dYdX), each with its markets and in its own
 * words, and traders with feeds of all of them, strategies, a router, a storage and
 * accounts of their own. A seed decides the rest: how the markets move, how each
 * trader trades, and what goes wrong. Links drop, freeze and lose frames, answers
 * are withheld, late, cut off or refusals, venues are silent or in maintenance,
 * traders are killed and begin again on the same storage, and are halted and cleared.
 *
 * `run` reports whether each trader was always right about itself, by the
 * exchanges' own records; the rules are those of `Report`. The same seed gives the
 * same run, to the event.
 *
 * **Example** (a day in a few seconds)
 *
 * ```ts
 * const report = yield* TradingSimulation.run({ seed: 7 })
 * report.violations // []
 * report.hash       // the same every time
 * ```
 *
 * @since 0.1.0
 */
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as MemoryStorage from "@tickline/core/trading/MemoryStorage"
import * as NonceStore from "@tickline/core/trading/NonceStore"
import { Storage } from "@tickline/core/trading/Storage"
import { HttpPort } from "@tickline/core/transport/HttpPort"
import { Transport } from "@tickline/core/transport/Transport"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type * as EventLog from "../EventLog.ts"
import * as FaultPlan from "../network/FaultPlan.ts"
import * as HttpFaultPlan from "../network/HttpFaultPlan.ts"
import * as VirtualNetwork from "../network/VirtualNetwork.ts"
import * as Day from "./internal/tradingDay.ts"
import * as Rules from "./internal/tradingRules.ts"
import * as Seat from "./internal/tradingSeat.ts"
import * as Venues from "./internal/tradingVenues.ts"

/**
 * Something that goes wrong, so many milliseconds after the beginning; `describe`
 * has it as text.
 *
 * @category models
 * @since 0.1.0
 */
export type Incident = Day.Incident

/**
 * The name of a venue that a trader may have an account at.
 *
 * @category models
 * @since 0.1.0
 */
export type Venue = Day.Venue

/**
 * All of them.
 *
 * @category constants
 * @since 0.1.0
 */
export const venues: ReadonlyArray<Venue> = Day.venues

/**
 * How a run is made.
 *
 * - `lasts`: default 24 hours
 * - `settles`: for all to come to rest after that. Default 30 minutes
 * - `traders`: how many. Default 5
 * - `venues`: where they have feeds and accounts. Default: all
 * - `every`: how often each market moves, and somebody trades in it; a candle is
 *   three times as long. Default 1 minute
 * - `incidents`: what goes wrong. Default: what the seed decides, `incidents`
 * - `keepLog`, `logFrames`: as in `VirtualNetwork`
 *
 * @category models
 * @since 0.1.0
 */
export interface RunOptions {
  readonly seed: number
  readonly lasts?: Duration.Input | undefined
  readonly settles?: Duration.Input | undefined
  readonly traders?: number | undefined
  readonly venues?: ReadonlyArray<Venue> | undefined
  readonly every?: Duration.Input | undefined
  readonly incidents?: ReadonlyArray<Incident> | undefined
  readonly keepLog?: boolean | undefined
  readonly logFrames?: boolean | undefined
}

/**
 * What a run came to. It is sound when `violations` is empty:
 *
 * - after each event a trader's portfolio keeps to its invariants, but for what a
 *   price does to its exposure
 * - whenever all is quiet, and at the end, the portfolio is worth what the trader's
 *   accounts at the exchanges are at the same prices, to the last digit, and its
 *   lots are what they have
 * - then each order is stored and is as the exchange has it, which has no other; so
 *   none was sent twice. None is filled beyond what was asked for, and the outcome
 *   of none is open
 * - each order has the decision that it was placed by, each fill its order
 * - a halted trader places nothing
 *
 * `counts` is what the traders said, by its word: events by their tag, refusals by
 * their code, closed lots as `Closed by stop`. `comparisons` is how often a trader
 * was quiet and compared.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly seed: number
  readonly violations: ReadonlyArray<string>
  readonly counts: ReadonlyMap<string, number>
  readonly orders: number
  readonly fills: number
  readonly unknown: number
  readonly comparisons: number
  readonly incidents: ReadonlyArray<Incident>
  readonly log: EventLog.EventLog
  /** How many lines the log has. */
  readonly events: number
  /** The fingerprint of the log, in which all that the traders said is written as well. */
  readonly hash: string
}

const standard = { lasts: Duration.hours(24), settles: Duration.minutes(30), traders: 5, every: Duration.minutes(1) }

/** Links are tested every minute: more often would be most of what a quiet hour costs. */
const policy: ConnectionPolicy.ConnectionPolicy = {
  ...Presets.recommended,
  heartbeat: { interval: Duration.minutes(1), timeout: Duration.seconds(30), onMiss: "close" }
}

/** Where the wall clock is at the beginning. */
const begunAt = 1_800_000_000_000

/** How often it is looked whether all is quiet. */
const compareMillis = 900_000

/**
 * What goes wrong on the day of a seed.
 *
 * @category getters
 * @since 0.1.0
 */
export const incidents = (options: RunOptions): ReadonlyArray<Incident> => dayOf(options).incidents

/**
 * An incident as a line of text.
 *
 * @category encoding
 * @since 0.1.0
 */
export const describe: (incident: Incident) => string = Day.describe

const dayOf = (
  { lasts = standard.lasts, seed, traders = standard.traders, venues = Day.venues }: RunOptions
): Day.Day => {
  const day = Day.draw(seed, Duration.toMillis(Duration.fromInputUnsafe(lasts)), traders)
  const isThere = ({ trouble }: Incident): boolean =>
    "venue" in trouble ? venues.includes(trouble.venue) : trouble._tag !== "Lose" || venues.includes("dydx")
  return { ...day, incidents: day.incidents.filter(isThere) }
}

/**
 * Runs a simulation to its end, on a virtual clock of its own.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (options: RunOptions): Effect.Effect<Report> =>
  Effect.scoped(play(options)).pipe(
    Random.withSeed(options.seed),
    Effect.provide([Logger.layer([]), TestClock.layer()])
  )

const kept = (storage: Storage["Service"]): Effect.Effect<Rules.Kept> =>
  Effect.all({
    orders: Stream.runCollect(storage.orders()),
    fills: Stream.runCollect(storage.fills()),
    decisions: Stream.runCollect(storage.decisions())
  }).pipe(Effect.orDie)

const play = Effect.fnUntraced(function*(options: RunOptions): Effect.fn.Return<Report, never, Scope.Scope> {
  const { seed } = options
  const lasts = Duration.toMillis(Duration.fromInputUnsafe(options.lasts ?? standard.lasts))
  const everyMillis = Duration.toMillis(Duration.fromInputUnsafe(options.every ?? standard.every))
  const count = options.traders ?? standard.traders
  const venues = options.venues ?? Day.venues
  const day = dayOf(options)
  const incidents = options.incidents ?? day.incidents
  yield* TestClock.setTime(begunAt)
  const clock = yield* Clock.Clock
  const now = (): number => Monotonic.nowMillis(clock)
  const begun = now()
  const network = yield* VirtualNetwork.make({
    seed,
    latency: day.latency,
    keepLog: options.keepLog,
    logFrames: options.logFrames
  })
  const { log } = network
  let events = 0
  const note = (event: string, detail: Record<string, string | number>): void => {
    events++
    log.add(now(), event, detail)
  }
  const violations: Array<string> = []

  const sites = yield* Venues.make(network, seed, count)
  const faults = {
    coinbase: yield* FaultPlan.run(network, sites.coinbase.served.host, FaultPlan.calm),
    hyperliquid: yield* FaultPlan.run(network, sites.hyperliquid.served.host, FaultPlan.calm),
    dydx: yield* FaultPlan.run(network, sites.dydx.served.host, FaultPlan.calm)
  }

  // Each market moves at its own moment.
  const trading = yield* Effect.forkScoped(Effect.gen(function*() {
    const courses = (["BTC-USD", "ETH-USD", "SOL-USD"] as const).map((product) => ({
      product,
      next: Day.courseOf(seed, product)
    }))
    const pause = everyMillis / (courses.length * venues.length)
    while (true) {
      for (const { next, product } of courses) {
        const level = next()
        for (const venue of venues) {
          yield* sites[venue].move(product, level)
          yield* Effect.sleep(pause)
        }
      }
    }
  }))

  const memory = Layer.fresh(Layer.merge(MemoryStorage.layer, NonceStore.layerMemory))
  const seats = yield* Effect.forEach(day.characters, (character, index) =>
    Effect.map(Layer.build(memory), (kept) => {
      const nonces = Context.get(kept, NonceStore.NonceStore)
      const seat = Seat.make({
        index,
        character,
        candleMillis: 3 * everyMillis,
        policy,
        venues,
        sites,
        storage: Context.get(kept, Storage),
        now,
        note
      })
      const begin = seat.begin.pipe(
        Effect.provideService(NonceStore.NonceStore, nonces),
        Effect.provideService(Transport, network.transport),
        Effect.provideService(HttpPort, network.http)
      )
      return { ...seat, begin }
    }))
  yield* Effect.forkScoped(Effect.forEach(seats, ({ begin }) => begin, { discard: true }))

  const present = (seat: Seat.Seat): Effect.Effect<void> =>
    Effect.suspend(() => seat.process() === undefined ? Effect.delay(present(seat), "1 second") : Effect.void)

  const strike = Effect.fnUntraced(function*({ trouble }: Incident): Effect.fn.Return<void, never, Scope.Scope> {
    switch (trouble._tag) {
      case "Socket":
        return yield* faults[trouble.venue].strike(trouble.action)
      case "Http":
        return yield* HttpFaultPlan.run(network, sites[trouble.venue].served.rest, [FaultPlan.at(0, trouble.action)])
      case "Call":
        return sites[trouble.venue].fault(trouble.fault)
      case "Failing": {
        const { fail } = sites[trouble.venue]
        fail(trouble.share)
        yield* Effect.sleep(trouble.forMillis)
        return fail(0)
      }
      case "Maintenance": {
        const { forMillis, venue } = trouble
        const { host, rest } = sites[venue].served
        yield* faults[venue].strike({ _tag: "Down", forMillis })
        yield* HttpFaultPlan.run(network, rest, [FaultPlan.at(0, { _tag: "Down", forMillis })])
        return yield* host.drop
      }
      case "Silence": {
        const { silence } = sites[trouble.venue]
        silence(true)
        yield* Effect.sleep(trouble.forMillis)
        return silence(false)
      }
      case "Lose": {
        const { lose } = sites.dydx
        lose(true)
        yield* Effect.sleep(trouble.forMillis)
        return lose(false)
      }
      case "Kill": {
        const seat = seats[trouble.trader]
        if (seat?.process() === undefined) return
        yield* seat.kill
        yield* Effect.sleep(trouble.forMillis)
        return yield* seat.begin
      }
      case "Halt": {
        const seat = seats[trouble.trader]
        if (seat === undefined) return
        yield* present(seat)
        yield* seat.halt
        yield* Effect.sleep(trouble.forMillis)
        yield* present(seat)
        return yield* seat.clear
      }
    }
  })
  yield* Effect.forkScoped(Effect.forEach(incidents, (incident) =>
    Effect.gen(function*() {
      yield* Effect.sleep(Math.max(0, begun + incident.at - now()))
      note("incident", { what: Day.describe(incident) })
      yield* Effect.forkScoped(strike(incident), { startImmediately: true })
    }), { discard: true }))

  // What does not hold is told once.
  const known = new Set<string>()
  let comparisons = 0
  // Compares a trader if nothing of it is under way; otherwise what is.
  const compare = Effect.fnUntraced(function*(seat: Seat.Seat): Effect.fn.Return<string | undefined> {
    const process = seat.process()
    if (process === undefined) return "it has no process"
    const { _tag } = yield* process.trader.state.current
    if (_tag === "Recovering") return "it has not recovered"
    const unsettled = yield* Effect.orDie(Stream.runCollect(seat.storage.orders({ only: "unsettled" })))
    if (unsettled.length > 0) {
      return unsettled.map(({ value: { exchange, request, status } }) =>
        `${request.clientId} at ${exchange} is ${status}`
      )
        .join(", ")
    }
    const all = yield* kept(seat.storage)
    const found = [
      ...Rules.holdings(seat, yield* process.trader.portfolio),
      ...Rules.orders(seat, all),
      ...Rules.history(seat, all)
    ]
    for (const violation of found) {
      if (!known.has(violation)) violations.push(`at ${Math.round(now() - begun)} ms: ${violation}`)
      known.add(violation)
    }
    comparisons++
    return undefined
  })

  for (let left = lasts; left > 0; left -= compareMillis) {
    yield* TestClock.adjust(Math.min(left, compareMillis))
    yield* Effect.forEach(seats, compare, { discard: true })
  }
  yield* TestClock.adjust(options.settles ?? standard.settles)
  yield* Fiber.interrupt(trading)
  yield* TestClock.adjust("2 minutes")
  for (const seat of seats) {
    const busy = yield* compare(seat)
    if (busy !== undefined) violations.push(`${seat.name} is not quiet at the end: ${busy}`)
  }

  const counts = new Map<string, number>()
  let orders = 0
  let fills = 0
  let unknown = 0
  for (const seat of seats) {
    violations.push(...seat.violations)
    for (const [word, many] of seat.counts) counts.set(word, (counts.get(word) ?? 0) + many)
    const all = yield* kept(seat.storage)
    orders += all.orders.length
    fills += all.fills.length
    unknown += (yield* Effect.orDie(Stream.runCollect(seat.storage.events())))
      .filter(({ value }) => value._tag === "OutcomeUnknown").length
    // The graceful close takes virtual time of its own.
    const ending = yield* Effect.forkChild(seat.kill)
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(ending)
  }
  return {
    seed,
    violations,
    counts,
    orders,
    fills,
    unknown,
    comparisons,
    incidents,
    log,
    events,
    hash: log.hash()
  }
})
