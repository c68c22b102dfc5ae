/**
 * A venue, its market and its troubles under the virtual clock: a mock venue's
 * dialect served by the virtual network, a seeded market that ticks, a fault
 * plan, and the record of what was sent to whom and when. The same seed gives
 * the same run, to the byte of its log.
 *
 * `make` gives the parts, for a test of its own. `run` plays a whole period
 * against `MarketFeed` in a moment and reports whether every message is
 * accounted for.
 *
 * **Example** (an hour of trouble in a second or two)
 *
 * ```ts
 * const report = yield* Simulation.run({ seed: 7, lasts: "1 hour", faults: FaultPlan.random({ seed: 7, within: "1 hour" }) })
 * report.violations // []
 * report.hash       // the same every time
 * ```
 *
 * @since 0.1.0
 */
import type * as ConnectionMetrics from "@tickline/core/connection/ConnectionMetrics"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as Lifecycle from "@tickline/core/event/Lifecycle"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import type * as Ledger from "@tickline/core/market/Ledger"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import { HttpPort } from "@tickline/core/transport/HttpPort"
import { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as Monotonic from "@tickline/core/value/Monotonic"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type * as EventLog from "../EventLog.ts"
import type * as FaultPlan from "../network/FaultPlan.ts"
import type * as VirtualNetwork from "../network/VirtualNetwork.ts"
import * as Market from "../venue/Market.ts"
import { inspect as inspectLedger } from "./internal/ledgerRules.ts"
import { reconcile, type SimulationReport } from "./internal/reconciliation.ts"
import { type Heard, idOf, make, type Options, type Simulation, type Tested } from "./internal/simulatedVenue.ts"

/**
 * A simulated venue (`Simulation`) and how it is made (`Options`); what it sent
 * (`Sent`), what of it came to the client (`Arrived`), what it heard (`Heard`), and the tests that it made of its clients
 * (`Tested`).
 *
 * @category models
 * @since 0.1.0
 */
export type { Arrived, Heard, Options, Sent, Simulation, Tested } from "./internal/simulatedVenue.ts"

/**
 * The text by which a market event and the message it came from are matched.
 *
 * @category getters
 * @since 0.1.0
 */
export { idOf } from "./internal/simulatedVenue.ts"

/**
 * Serves a venue on a network of its own, until the scope ends. Its faults
 * begin to count with the first connection.
 *
 * @category constructors
 * @since 0.1.0
 */
export { make } from "./internal/simulatedVenue.ts"

/**
 * What became of the messages of one product on one channel: `sent` =
 * `delivered` + `repeated` + `lostInGaps` + `lostByFault` + `unaccounted`.
 * `repeated` said again what was delivered on an earlier connection or was
 * fetched, and were passed over; `duplicates` came besides, and so did `fetched`,
 * trades that were missed; `unaccounted` is what was lost in silence.
 *
 * @category models
 * @since 0.1.0
 */
export type { SimulationReport } from "./internal/reconciliation.ts"

/**
 * Whether all that was sent is accounted for.
 *
 * @category predicates
 * @since 0.1.0
 */
export { isBalanced } from "./internal/reconciliation.ts"

/**
 * Compares what a venue sent with what a consumer of `MarketFeed.events` saw.
 * A message that did not arrive is accounted for when a `Gap` of its product
 * and channel stands where it is missing, between the last event of its own
 * connection and the first of the next. `violations` are in words.
 *
 * @category running
 * @since 0.1.0
 */
export { reconcile } from "./internal/reconciliation.ts"

// A gap is told when it is noticed, and again when it is over: those that are over, and those that are still open.
const disconnects = (events: ReadonlyArray<MarketEvent.AnyEvent>): ReadonlyArray<Lifecycle.Gap> => {
  const gaps = events.filter((event): event is Lifecycle.Gap => event._tag === "Gap" && event.cause === "disconnect")
  return gaps.filter((gap) =>
    gap.to !== undefined ||
    !gaps.some(({ channel, from, product, to }) =>
      to !== undefined && channel === gap.channel && product === gap.product && from === gap.from
    )
  )
}

/**
 * How a simulation is run, besides how it is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunOptions extends Options {
  /** How long the market and the faults last, in virtual time. Default: one hour. */
  readonly lasts?: Duration.Input | undefined
  /** For the client to come back and for everything to arrive, after that. Default: 10 minutes. */
  readonly settles?: Duration.Input | undefined
  /** Default: `recommended`. */
  readonly policy?: ConnectionPolicy.ConnectionPolicy | undefined
  /** The channels to account for. Default: trades and tickers of every product. */
  readonly channels?: NonEmptyReadonlyArray<Channel.Channel> | undefined
  /**
   * Whether and how the feed fetches trades that it missed, as in `MarketFeed`. Where it does not, the ledger is held
   * against all that came to the client's socket.
   */
  readonly backfill?: MarketFeed.Options["backfill"]
  /** Runs beside the account's own consumer, and ends with the period. */
  readonly alongside?:
    | ((feed: MarketFeed.MarketFeed["Service"], simulation: Simulation) => Effect.Effect<void, never, Scope.Scope>)
    | undefined
  /** Called with each event as it is seen, and the virtual time in epoch milliseconds. */
  readonly onEvent?: ((event: MarketEvent.AnyEvent, atMillis: number) => void) | undefined
}

/**
 * What a run came to. It is sound when `violations` is empty: nothing was lost
 * in silence or delivered twice or out of its epoch, after every drop each
 * channel is in a gap that ends once, the ledger has all that was received and
 * lost, and the venue's last session is what the client wants and has confirmed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly seed: number
  readonly accounts: ReadonlyArray<SimulationReport>
  readonly violations: ReadonlyArray<string>
  readonly dials: ReadonlyArray<VirtualNetwork.Dial>
  readonly connects: number
  readonly drops: number
  readonly gaps: number
  readonly rejected: number
  readonly strikes: ReadonlyArray<FaultPlan.Strike>
  readonly heard: ReadonlyArray<Heard>
  readonly tests: ReadonlyArray<Tested>
  readonly events: ReadonlyArray<MarketEvent.AnyEvent>
  readonly metrics: ConnectionMetrics.ConnectionMetrics | undefined
  /** The feed's ledger as it was at rest. */
  readonly ledger: Ledger.Ledger | undefined
  readonly log: EventLog.EventLog
  /** The fingerprint of the log, in which everything that was seen is written as well. */
  readonly hash: string
}

const written = (event: MarketEvent.AnyEvent): Record<string, string | number> => {
  const detail: Record<string, string | number> = {}
  if ("product" in event && event.product !== undefined) detail.product = event.product
  switch (event._tag) {
    case "Connection":
      detail.state = event.state
      if (event.epoch !== undefined) detail.epoch = event.epoch
      if (event.delayMillis !== undefined) detail.delay = event.delayMillis
      break
    case "Breaker":
      detail.from = event.from
      detail.to = event.to
      break
    case "Gap":
      if (event.from !== undefined) detail.from = event.from
      if (event.to !== undefined) detail.to = event.to
      detail.cause = event.cause
      break
    case "FrameRejected":
      detail.reason = event.reason
      break
    case "Trade":
    case "Ticker":
      detail.id = idOf(event) ?? ""
      break
  }
  return detail
}

/**
 * Runs a simulation to its end, on a virtual clock of its own, against a
 * `MarketFeed` with the given policy.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (options: RunOptions): Effect.Effect<Report> =>
  Effect.scoped(play(options)).pipe(
    Random.withSeed(options.seed),
    Effect.provide([Logger.layer([]), TestClock.layer()])
  )

const play = Effect.fnUntraced(function*(options: RunOptions): Effect.fn.Return<Report, never, Scope.Scope> {
  const policy = options.policy ?? Presets.recommended
  const isFetching = options.backfill !== "none"
  const clock = yield* Clock.Clock
  const simulation = yield* make(options)
  const { host, log, network, venue } = simulation
  const products = (options.products ?? Market.products.slice(0, 2)).map(({ symbol }) => symbol)
  const channels = options.channels ??
    products.flatMap((product) =>
      (["trade", "ticker"] as const).flatMap((kind) => {
        const name = venue.channels[kind]
        return name === undefined ? [] : [Channel.make(name, product)]
      })
    )
  const seen: Array<MarketEvent.AnyEvent> = []
  const seenAt: Array<number> = []
  const violations: Array<string> = []
  const unbalanced = new Set<string>()
  const made = yield* Deferred.make<MarketFeed.MarketFeed["Service"]>()

  const note = (event: MarketEvent.AnyEvent): void => {
    const at = Monotonic.nowMillis(clock)
    seen.push(event)
    seenAt.push(at)
    log.add(at, event._tag, written(event))
    options.onEvent?.(event, at)
  }

  // At any moment each count adds up.
  const weigh = ({ entries }: Ledger.Ledger): Effect.Effect<void> =>
    Effect.sync(() => {
      for (const { channel, isBalanced, product } of entries) {
        if (!isBalanced) unbalanced.add(`ledger of ${channel} ${product ?? ""}: its counts do not add up`)
      }
    })

  const client = Effect.gen(function*() {
    const feed = yield* MarketFeed.make(venue, { url: simulation.url, channels, backfill: options.backfill })
    yield* Deferred.succeed(made, feed)
    yield* Effect.forkScoped(Stream.runForEach(feed.ledgerChanges, weigh))
    yield* Effect.forkScoped(Effect.repeat(Effect.flatMap(feed.ledger, weigh), Schedule.spaced("10 seconds")))
    if (options.alongside !== undefined) yield* Effect.forkScoped(options.alongside(feed, simulation))
    yield* Stream.runForEach(feed.events({ overflow: "block" }), (event) => Effect.sync(() => note(event)))
  }).pipe(
    Effect.scoped,
    Effect.provide(Reconnection.layerWithBreaker(policy)),
    Effect.provideService(Transport, network.transport),
    Effect.provideService(HttpPort, network.http),
    Effect.onExit((exit) =>
      Effect.sync(() => {
        if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)) {
          violations.push(`the feed ended: ${Cause.pretty(exit.cause)}`)
        }
      })
    )
  )

  const running = yield* Effect.forkScoped(client)
  // Each gives the fibers one turn: without latency the client is up, and has begun to keep alive, before time goes on.
  for (let turn = 0; turn < 16; turn++) yield* TestClock.adjust(0)
  yield* TestClock.adjust(options.lasts ?? "1 hour")
  yield* simulation.stopMarket
  yield* TestClock.adjust(options.settles ?? "10 minutes")

  const feed = Deferred.isDoneUnsafe(made) ? yield* Deferred.await(made) : undefined
  const metrics = feed === undefined ? undefined : yield* feed.connection.metrics
  const standings = feed === undefined ? [] : (yield* feed.health).subscriptions
  const ledger = feed === undefined ? undefined : yield* feed.ledger
  violations.push(...inspect(simulation, seen, metrics, standings, channels))
  const dials = [...host.dials]

  // The graceful close takes virtual time of its own.
  const ending = yield* Effect.forkChild(Fiber.interrupt(running))
  yield* TestClock.adjust("1 minute")
  yield* Fiber.join(ending)

  const { accounts, violations: losses } = reconcile(simulation, seen, channels)
  violations.push(...losses)
  if (ledger !== undefined) {
    violations.push(
      ...unbalanced,
      ...inspectLedger(simulation, ledger, { events: seen, at: seenAt }, channels, isFetching)
    )
  }
  return {
    seed: options.seed,
    accounts,
    violations,
    dials,
    connects: metrics?.connects ?? 0,
    drops: dropsOf(seen),
    gaps: disconnects(seen).length,
    rejected: seen.filter((event) => event._tag === "FrameRejected").length,
    strikes: simulation.faults.strikes,
    heard: simulation.heard,
    tests: simulation.tests,
    events: seen,
    metrics,
    ledger,
    log,
    hash: log.hash()
  }
})

// A drop: the state after `Connected` is any but one that the owner asked for.
const dropsOf = (seen: ReadonlyArray<MarketEvent.AnyEvent>): number => {
  let drops = 0
  let isUp = false
  for (const event of seen) {
    if (event._tag !== "Connection") continue
    if (isUp && event.state !== "Connected" && event.state !== "Closing") drops++
    isUp = event.state === "Connected"
  }
  return drops
}

const inspect = (
  simulation: Simulation,
  seen: ReadonlyArray<MarketEvent.AnyEvent>,
  metrics: ConnectionMetrics.ConnectionMetrics | undefined,
  standings: MarketFeed.Health["subscriptions"],
  channels: ReadonlyArray<Channel.Channel>
): Array<string> => {
  if (metrics === undefined) return ["the feed was never connected"]
  const violations: Array<string> = []
  if (metrics.state !== "Connected") violations.push(`after all faults the connection is ${metrics.state}`)

  const open = simulation.host.peers()
  const session = simulation.sessions.get(open[0]?.id ?? 0)
  if (open.length !== 1 || session === undefined) {
    violations.push(`${open.length} connections are open at the end`)
  } else {
    const wanted = standings.map(({ channel }) => channel)
    const whole = new Set(wanted.flatMap(({ channel, product }) => product === undefined ? channel : []))
    const asked = [...session.channels].flatMap(([channel, products]) =>
      whole.has(channel) ? [] : [...products].map((product) => Channel.key(Channel.make(channel, product)))
    )
    const desired = wanted.filter(({ product }) => product !== undefined).map(Channel.key)
    const absent = wanted.filter(({ channel, product }) => product === undefined && !session.channels.has(channel))
    for (const { channel } of absent) violations.push(`the venue was not asked for ${channel}`)
    for (const { channel, standing } of standings) {
      if (standing !== "confirmed") violations.push(`at rest ${Channel.key(channel)} is ${standing}`)
    }
    if (asked.toSorted().join() !== desired.toSorted().join()) {
      violations.push(`the venue was asked for ${asked.join()}, wanted is ${desired.join()}`)
    }
  }

  for (const channel of channels) violations.push(...gapsOf(seen, channel))
  return violations
}

// After a drop a channel is in a gap until it is live again, however often the link drops meanwhile; it may be in one of
// another cause already.
const gapsOf = (
  seen: ReadonlyArray<MarketEvent.AnyEvent>,
  { channel, product }: Channel.Channel
): ReadonlyArray<string> => {
  const violations: Array<string> = []
  const name = Channel.key(Channel.make(channel, product))
  let open: Lifecycle.Gap["cause"] | undefined
  let isUp = false
  let isDue = false
  for (const event of seen) {
    if (event._tag === "Gap" && event.channel === channel && event.product === product) {
      const { cause, from = "", to } = event
      // One between numbers, or that is over when it is found, begins and ends none.
      if (
        cause === "overflow" || /^\d+$/.test(from) || (to !== undefined && cause !== open && cause !== "disconnect")
      ) continue
      if ((open !== undefined) === (to === undefined)) {
        violations.push(`${name}: a gap ${open === undefined ? "ends without" : "in"} a gap`)
      }
      open = to === undefined ? cause : undefined
      isDue = false
    } else if (event._tag === "Connection") {
      if (isDue) violations.push(`${name}: no gap for a drop`)
      isDue = isUp && open === undefined && event.state !== "Connected" && event.state !== "Closing"
      isUp = event.state === "Connected"
    }
  }
  if (open !== undefined) violations.push(`${name}: its gap is open at the end`)
  return violations
}
