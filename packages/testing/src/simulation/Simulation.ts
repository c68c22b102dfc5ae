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
import type { Connection } from "@tickline/core/connection/Connection"
import type * as ConnectionMetrics from "@tickline/core/connection/ConnectionMetrics"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import type * as Frame from "@tickline/core/transport/Frame"
import { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
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
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type * as EventLog from "../EventLog.ts"
import * as FaultPlan from "../network/FaultPlan.ts"
import * as VirtualNetwork from "../network/VirtualNetwork.ts"
import * as VirtualVenue from "../venue/internal/virtualVenue.ts"
import * as Market from "../venue/Market.ts"
import * as MockCoinbaseExchange from "../venue/MockCoinbaseExchange.ts"
import type * as MockVenue from "../venue/MockVenue.ts"

/**
 * How a simulation is made. Everything has a default: Coinbase Exchange, one
 * tick of `BTC-USD` and `ETH-USD` every 2 s, a calm network without latency.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The seed of the market, of the network and, in `run`, of the client's jitter. */
  readonly seed: number
  /** The venue as the client knows it and as its server speaks it. */
  readonly venue?: { readonly client: Venue; readonly server: MockVenue.MockVenue } | undefined
  readonly url?: string | undefined
  readonly products?: ReadonlyArray<Market.Product> | undefined
  /** Between two ticks of each product. */
  readonly every?: Duration.Input | undefined
  readonly latency?: VirtualNetwork.Latency | undefined
  readonly faults?: FaultPlan.FaultPlan | undefined
  /** Whether log lines are kept, or only counted in the log's fingerprint. Default: kept. */
  readonly keepLog?: boolean | undefined
  readonly logFrames?: boolean | undefined
}

/**
 * A market data message that the venue sent: on which connection (1 for the
 * host's first), when (epoch milliseconds), and which. `id` is the message's
 * sequence number, or its timestamp where the venue numbers nothing; it is that
 * of the event which the message is decoded to, see `idOf`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sent {
  readonly connection: number
  readonly at: number
  readonly channel: string
  readonly product: string
  readonly id: string
  readonly text: string
}

/**
 * What a client sent, as it came to the venue: on which connection, when (epoch
 * milliseconds), and its text; `"ping"` for a protocol ping. What a frozen link
 * or a venue that does not read holds back comes when it is let through.
 *
 * @category models
 * @since 0.1.0
 */
export interface Heard {
  readonly connection: number
  readonly at: number
  readonly kind: "message" | "ping"
  readonly text: string
}

/**
 * A test that the venue made of the client: on which connection, when (epoch
 * milliseconds), when the answer came, where it did, and whether the venue ended
 * the connection for want of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tested {
  readonly connection: number
  readonly at: number
  readonly answeredAt: number | undefined
  readonly isFailed: boolean
}

/**
 * A simulated venue.
 *
 * @category models
 * @since 0.1.0
 */
export interface Simulation {
  readonly network: VirtualNetwork.VirtualNetwork
  readonly host: VirtualNetwork.Host
  readonly url: string
  readonly venue: Venue
  /** Every market data message that the venue sent, in order. */
  readonly sent: ReadonlyArray<Sent>
  /** What each connection, open or ended, is subscribed to, by its number. */
  readonly sessions: ReadonlyMap<number, MockVenue.Session>
  /** Everything that clients sent, in the order in which it came. */
  readonly heard: ReadonlyArray<Heard>
  /** The tests that the venue made of its clients, in order. */
  readonly tests: ReadonlyArray<Tested>
  readonly faults: FaultPlan.Running
  readonly log: EventLog.EventLog
  /** Ends the ticking; what is under way still arrives. */
  readonly stopMarket: Effect.Effect<void>
}

/**
 * The text by which a market event and the message it came from are matched.
 *
 * @category getters
 * @since 0.1.0
 */
export const idOf = (event: MarketEvent.MarketEvent): string | undefined => {
  switch (event._tag) {
    case "Trade":
    case "Ticker":
    case "BookSnapshot":
    case "BookDelta":
      return event.sequence ?? (event.timestamp === undefined ? undefined : Timestamp.format(event.timestamp))
    case "PriceUpdate":
      return event.timestamp === undefined ? undefined : Timestamp.format(event.timestamp)
    default:
      return undefined
  }
}

/**
 * Serves a venue on a network of its own, until the scope ends. Its faults
 * begin to count with the first connection.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: Options): Effect.fn.Return<Simulation, never, Scope.Scope> {
  const { client: venue, server } = options.venue ??
    { client: CoinbaseExchange.venue, server: MockCoinbaseExchange.make() }
  const url = options.url ?? "wss://venue.test/feed"
  const clock = yield* Clock.Clock
  const now = (): number => Monotonic.nowMillis(clock)
  const network = yield* VirtualNetwork.make({
    seed: options.seed,
    latency: options.latency,
    keepLog: options.keepLog,
    logFrames: options.logFrames
  })
  const sent: Array<Sent> = []
  const heard: Array<Heard> = []
  const tests: Array<{ -readonly [Name in keyof Tested]: Tested[Name] }> = []
  const rules = server.enforcement?.tests
  const served = yield* VirtualVenue.serveWatched(network, url, server, {
    products: options.products ?? Market.products.slice(0, 2),
    seed: options.seed,
    every: options.every ?? "2 seconds"
  }, {
    sending: (peer, { data, text }) => {
      if (data === undefined) return
      const decoded = venue.decode(text)
      const event = "_tag" in decoded ? undefined : decoded.find(MarketEvent.isMarketData)
      const id = event === undefined ? undefined : idOf(event)
      sent.push({ ...data, id: id ?? "", text, connection: peer.id, at: now() })
    },
    heard: (peer, kind, frame) =>
      void heard.push({ connection: peer.id, at: now(), kind, text: typeof frame === "string" ? frame : "" }),
    // Who does not answer a test in time is dropped.
    tested: (peer) => {
      const made: (typeof tests)[number] = { connection: peer.id, at: now(), answeredAt: undefined, isFailed: false }
      tests.push(made)
      network.schedule(rules?.within ?? 0, () => {
        if (made.answeredAt !== undefined || !peer.isOpen()) return
        made.isFailed = true
        Effect.runSync(peer.drop)
      })
    },
    answered: (peer) => {
      const answered = tests.find((each) => each.connection === peer.id && each.answeredAt === undefined)
      if (answered !== undefined) answered.answeredAt = now()
    }
  })
  const { host, sessions, stopMarket } = served

  // A message is recorded as it is sent, so market data is what was recorded last.
  const isData = (frame: Frame.Frame): boolean => sent.at(-1)?.text === frame
  const faults = yield* FaultPlan.run(network, host, options.faults ?? FaultPlan.calm, {
    isData,
    corrupt: (frame) => typeof frame === "string" ? server.corrupt(frame) ?? frame : frame
  })

  return {
    network,
    host,
    url,
    venue,
    sent,
    sessions,
    heard,
    tests,
    faults,
    log: network.log,
    stopMarket
  }
})

/**
 * What became of the messages of one product on one channel: `sent` =
 * `delivered` + `lostInGaps` + `lostByFault` + `unaccounted`. `duplicates` came
 * besides; `unaccounted` is what was lost in silence.
 *
 * @category models
 * @since 0.1.0
 */
export interface SimulationReport {
  readonly channel: string
  readonly product: string
  readonly sent: number
  readonly delivered: number
  readonly duplicates: number
  readonly lostInGaps: number
  readonly lostByFault: number
  readonly unaccounted: number
}

/**
 * Whether all that was sent is accounted for.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isBalanced = (account: SimulationReport): boolean =>
  account.unaccounted === 0 && account.sent === account.delivered + account.lostInGaps + account.lostByFault

type Counts = { -readonly [Name in Exclude<keyof SimulationReport, "channel" | "product">]: number }

/**
 * Compares what a venue sent with what a consumer of `MarketFeed.events` saw.
 * A message that did not arrive is accounted for when a `Gap` of its product
 * and channel stands where it is missing, between the last event of its own
 * connection and the first of the next. `violations` are in words.
 *
 * @category running
 * @since 0.1.0
 */
export const reconcile = (
  simulation: Pick<Simulation, "sent" | "faults" | "venue">,
  seen: ReadonlyArray<MarketEvent.AnyEvent>,
  channels: ReadonlyArray<Channel.Channel>
): { readonly accounts: ReadonlyArray<SimulationReport>; readonly violations: ReadonlyArray<string> } => {
  const violations: Array<string> = []
  const altered = new Map<string, Map<FaultPlan.Alteration["kind"], number>>()
  for (const { connection, frame, kind } of simulation.faults.alterations) {
    const key = `${connection} ${String(frame)}`
    const kinds = altered.get(key) ?? new Map<FaultPlan.Alteration["kind"], number>()
    altered.set(key, kinds.set(kind, (kinds.get(kind) ?? 0) + 1))
  }
  // Whether a fault of that kind struck the message, once for each time that one did.
  const struck = (message: Sent, kind: FaultPlan.Alteration["kind"]): boolean => {
    const kinds = altered.get(`${message.connection} ${message.text}`)
    const times = kinds?.get(kind) ?? 0
    if (times === 0) return false
    kinds?.set(kind, times - 1)
    return true
  }

  const accounts = channels.map(({ channel, product = "" }): SimulationReport => {
    const sent = simulation.sent.filter((message) => message.channel === channel && message.product === product)
    const counts: Counts = {
      sent: sent.length,
      delivered: 0,
      duplicates: 0,
      lostInGaps: 0,
      lostByFault: 0,
      unaccounted: 0
    }
    const blame = (what: string) => void violations.push(`${channel} ${product}: ${what}`)
    let cursor = 0
    let epoch = 0
    let isGap = false

    const isIt = (message: Sent | undefined, id: string | undefined): boolean =>
      message !== undefined && message.connection === epoch && message.id === id

    // The messages up to `end` did not arrive. Those of `connection`, which is still up, cannot be in a gap.
    const miss = (end: number, connection: number): void => {
      for (; cursor < end; cursor++) {
        const message = sent[cursor]!
        if (struck(message, "Lose")) counts.lostByFault++
        else if (isGap && message.connection < connection) counts.lostInGaps++
        else {
          counts.unaccounted++
          blame(`${message.id} of connection ${message.connection}, sent at ${message.at}, is lost in silence`)
        }
      }
    }

    for (const event of seen) {
      if (event._tag === "Connection") {
        epoch = event.epoch ?? epoch
        continue
      }
      if (event._tag === "Gap") {
        if (event.channel === channel && event.product === product) isGap = true
        continue
      }
      if (!isOf(simulation.venue, event, channel, product)) continue
      const id = idOf(event)
      let at = cursor
      while (at < sent.length && !isIt(sent[at], id)) at++
      if (at < sent.length) {
        miss(at, epoch)
        isGap = false
        cursor = at + 1
        counts.delivered++
        continue
      }
      let back = cursor - 1
      while (back >= 0 && !isIt(sent[back], id)) back--
      const before = sent[back]
      if (before !== undefined && struck(before, "Duplicate")) counts.duplicates++
      else blame(`${id} arrived in epoch ${epoch}, where it was ${before === undefined ? "never sent" : "sent once"}`)
    }
    miss(sent.length, Infinity)
    return { channel, product, ...counts }
  })
  return { accounts, violations }
}

const kindOf = (event: MarketEvent.AnyEvent): ReadonlyArray<"trade" | "ticker" | "book"> => {
  switch (event._tag) {
    case "Trade":
      return ["trade"]
    case "Ticker":
    case "PriceUpdate":
      return ["ticker"]
    case "BookSnapshot":
    case "BookDelta":
      return ["book"]
    default:
      return []
  }
}

const isOf = (
  venue: Venue,
  event: MarketEvent.AnyEvent,
  channel: string,
  product: string
): event is MarketEvent.MarketEvent & { readonly product: string } =>
  "product" in event && event.product === product && kindOf(event).some((kind) => venue.channels[kind] === channel)

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
  /** Runs beside the account's own consumer, and ends with the period. */
  readonly alongside?:
    | ((feed: MarketFeed.MarketFeed["Service"], simulation: Simulation) => Effect.Effect<void, never, Scope.Scope>)
    | undefined
  /** Called with each event as it is seen, and the virtual time in epoch milliseconds. */
  readonly onEvent?: ((event: MarketEvent.AnyEvent, atMillis: number) => void) | undefined
}

/**
 * What a run came to. It is sound when `violations` is empty: nothing was lost
 * in silence or delivered twice or out of its epoch, every drop is told as one
 * gap for each channel, and the venue's last session is what the client wants
 * and has confirmed.
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
  const violations: Array<string> = []
  const made = yield* Deferred.make<MarketFeed.MarketFeed["Service"]>()

  const note = (event: MarketEvent.AnyEvent): void => {
    const at = Monotonic.nowMillis(clock)
    seen.push(event)
    log.add(at, event._tag, written(event))
    options.onEvent?.(event, at)
  }

  const client = Effect.gen(function*() {
    const feed = yield* MarketFeed.make(venue, { url: simulation.url, channels })
    yield* Deferred.succeed(made, feed)
    if (options.alongside !== undefined) yield* Effect.forkScoped(options.alongside(feed, simulation))
    yield* Stream.runForEach(feed.events({ overflow: "block" }), (event) => Effect.sync(() => note(event)))
  }).pipe(
    Effect.scoped,
    Effect.provide(Reconnection.layerWithBreaker(policy)),
    Effect.provideService(Transport, network.transport),
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

  const metrics = Deferred.isDoneUnsafe(made) ? yield* (yield* Deferred.await(made)).connection.metrics : undefined
  const standings = Deferred.isDoneUnsafe(made)
    ? yield* (yield* Deferred.await(made)).connection.subscriptionStates
    : []
  violations.push(...inspect(simulation, seen, metrics, standings, channels))
  const dials = [...host.dials]

  // The graceful close takes virtual time of its own.
  const ending = yield* Effect.forkChild(Fiber.interrupt(running))
  yield* TestClock.adjust("1 minute")
  yield* Fiber.join(ending)

  const { accounts, violations: losses } = reconcile(simulation, seen, channels)
  violations.push(...losses)
  return {
    seed: options.seed,
    accounts,
    violations,
    dials,
    connects: metrics?.connects ?? 0,
    drops: dropsOf(seen),
    gaps: seen.filter((event) => event._tag === "Gap" && event.cause === "disconnect").length,
    rejected: seen.filter((event) => event._tag === "FrameRejected").length,
    strikes: simulation.faults.strikes,
    heard: simulation.heard,
    tests: simulation.tests,
    events: seen,
    metrics,
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
  standings: Effect.Success<Connection<MarketEvent.MarketEvent>["subscriptionStates"]>,
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
    const asked = [...session.channels].flatMap(([channel, products]) =>
      [...products].map((product) => Channel.key(Channel.make(channel, product)))
    )
    const wanted = standings.map(({ channel }) => channel)
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

  const isPermanent = (channel: string | undefined, product: string | undefined): boolean =>
    channels.some((each) => each.channel === channel && each.product === product)
  let gaps = 0
  for (const event of seen) {
    if (event._tag === "Gap" && event.cause === "disconnect" && isPermanent(event.channel, event.product)) gaps++
  }
  const drops = dropsOf(seen)
  if (gaps !== drops * channels.length) {
    violations.push(`${drops} drops of ${channels.length} channels gave ${gaps} gaps`)
  }
  return violations
}
