/**
 * A day at an exchange, under the virtual clock: traders with sessions at a mock
 * of Deribit, which matches what they send, and a seed from which everything
 * else is drawn: when they trade and what, how slow their links are, how few
 * credits they have, how soon their tokens expire, and what goes wrong. Links
 * drop, freeze and stop reading, dials are refused, answers are withheld, late or
 * cut off, the exchange settles and is in maintenance.
 *
 * Each trader keeps what it knows of its orders as `Order`s, and reconciles them
 * on each epoch before its session is live. `run` reports whether that is what
 * the exchange has, by the exchange's own records, and the other rules of
 * `Report`. The same seed gives the same run, to the event.
 *
 * **Example** (a day in a few seconds)
 *
 * ```ts
 * const report = yield* ExchangeSimulation.run({ seed: 7 })
 * report.violations // []
 * report.hash       // the same every time
 * ```
 *
 * @since 0.1.0
 */
import * as Reconnection from "@tickline/core/connection/Reconnection"
import { Transport } from "@tickline/core/transport/Transport"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Chance from "../Chance.ts"
import type * as EventLog from "../EventLog.ts"
import * as MockDeribitExchange from "../exchange/MockDeribitExchange.ts"
import * as FaultPlan from "../network/FaultPlan.ts"
import * as VirtualNetwork from "../network/VirtualNetwork.ts"
import * as VirtualVenue from "../venue/internal/virtualVenue.ts"
import * as Rules from "./internal/exchangeRules.ts"
import * as Trader from "./internal/trader.ts"
import * as World from "./internal/tradingWorld.ts"

/**
 * How a run is made.
 *
 * - `lasts`: default 24 hours
 * - `settles`: for all to come to rest after that; default 20 minutes
 * - `traders`: how many, of which two share an account; default 3
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
  readonly keepLog?: boolean | undefined
  readonly logFrames?: boolean | undefined
}

/**
 * What a run came to. It is sound when `violations` is empty:
 *
 * - every `test_request` was answered within 1 s while the link was up
 * - no command came after its deadline, or on another connection than the one
 *   that was live when it was given, or twice; and none of those that were
 *   `NotSent`
 * - every command ended, and every order whose outcome was unknown was found out
 * - whenever all was quiet, what each trader held was what the exchange had:
 *   orders, fills and positions
 * - no more credits were spent between any two moments than there were, so that
 *   the exchange ended no session for want of them
 * - at the end every session was live
 *
 * `comparisons` is how often all was quiet.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly seed: number
  readonly violations: ReadonlyArray<string>
  /** Commands by how they ended. */
  readonly outcomes: Readonly<Record<Trader.Outcome, number>>
  readonly orders: number
  readonly fills: number
  readonly connections: number
  readonly tests: number
  readonly comparisons: number
  readonly strikes: number
  readonly log: EventLog.EventLog
  /** The fingerprint of the log, in which all that the traders saw is written as well. */
  readonly hash: string
}

const product = { symbol: "BTC-PERPETUAL", price: "43250.0", size: "1000" }

/** In half dollars. */
const price = 86_500

/** How often the market moves while anybody trades. */
const moveMillis = 3_000

/** How often it is looked whether all is quiet. */
const compareMillis = 1_200_000

/** For so long nobody has traded by then. */
const quietMillis = 30_000

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

const commandsIn: Readonly<Record<string, string>> = {
  "private/buy": "label",
  "private/sell": "label",
  "private/edit": "order_id",
  "private/cancel": "order_id",
  "private/cancel_all": ""
}

const textIn = (value: unknown, name: string): string =>
  typeof value === "object" && value !== null ? String(Reflect.get(value, name) ?? "") : ""

const play = Effect.fnUntraced(function*(options: RunOptions): Effect.fn.Return<Report, never, Scope.Scope> {
  const { seed } = options
  const lasts = Duration.fromInputUnsafe(options.lasts ?? "24 hours")
  const clock = yield* Clock.Clock
  const now = (): number => Monotonic.nowMillis(clock)
  const begun = now()
  const names = Array.from({ length: options.traders ?? 3 }, (_, i) => `trader${i + 1}`)
  const world = World.make(seed, lasts, names.length)
  const chance = Chance.make(seed)
  const network = yield* VirtualNetwork.make({
    seed,
    latency: world.latency,
    keepLog: options.keepLog,
    logFrames: options.logFrames
  })
  const { log } = network
  const note = (event: string, detail: Record<string, string | number>): void => log.add(now(), event, detail)
  const violations: Array<string> = []

  const accounts = Array.from({ length: Math.ceil(names.length / 2) }, (_, i) => ({
    clientId: `ACCOUNT${i + 1}`,
    clientSecret: `secret ${i + 1}`,
    balances: { BTC: "10.00000000" },
    pools: world.pools
  }))
  const accountOf = (i: number) => accounts[i % accounts.length] ?? { clientId: "", clientSecret: "" }
  const exchange = MockDeribitExchange.make({ accounts, tokenMillis: world.tokenMillis })
  const urlOf = (name: string): string => `wss://${name}.test/ws/api/v2`
  const [first = "", ...others] = names.map(urlOf)

  // What the exchange itself sees of each connection.
  const links = new Map<string, Map<number, Rules.Link>>(names.map((name) => [urlOf(name), new Map()]))
  const linkOf = ({ id, url }: VirtualNetwork.Peer): Rules.Link => {
    const ofHost = links.get(url) ?? new Map<number, Rules.Link>()
    const known = ofHost.get(id)
    if (known !== undefined) return known
    const link: Rules.Link = {
      trader: url.slice(6, url.indexOf(".")),
      connection: id,
      endedAt: undefined,
      heard: [],
      tests: []
    }
    ofHost.set(id, link)
    return link
  }
  const served = yield* VirtualVenue.serveWatched(network, first, exchange.venue, {
    also: others,
    products: [product],
    seed
  }, {
    sending: (peer, { text }) => {
      if (text.includes("\"test_request\"")) linkOf(peer).tests.push({ at: now(), answeredAt: undefined })
    },
    heard: (peer, _, frame) => {
      const text = String(frame)
      const method = /"method":"([^"]+)"/.exec(text)?.[1] ?? ""
      if (method === "public/test") {
        const test = linkOf(peer).tests.find(({ answeredAt }) => answeredAt === undefined)
        if (test !== undefined) test.answeredAt = now()
      }
      const key = commandsIn[method]
      if (key === undefined) return
      linkOf(peer).heard.push({ at: now(), method, key: textIn(JSON.parse(text).params, key) })
    }
  })
  const faults = yield* Effect.forEach(served.hosts, (host, i) =>
    Effect.andThen(
      host.onOpen((peer) =>
        peer.onEnd(() => {
          linkOf(peer).endedAt = now()
        })
      ),
      FaultPlan.run(network, host, world.faults[i] ?? [])
    ))

  const scope = yield* Scope.make()
  const traders = yield* Effect.forEach(names, (name, i) =>
    Trader.make({
      name,
      account: accountOf(i).clientId,
      secret: Redacted.make(accountOf(i).clientSecret),
      url: urlOf(name),
      product: product.symbol,
      price,
      periods: (world.periods[i] ?? []).map(({ from, to }) => ({ from: begun + from, to: begun + to })),
      chance: chance.fork(name),
      cancelOnDisconnect: i === 1,
      now,
      connection: () => served.hosts[i]?.peers().at(-1)?.id,
      note
    }).pipe(
      Effect.orDie,
      Effect.provide(Reconnection.layerWithBreaker(world.policy)),
      Effect.provideService(Transport, network.transport),
      Scope.provide(scope)
    ))

  yield* Effect.forkIn(
    Effect.forEach(traders, ({ name, run }) =>
      Effect.onExit(run, (exit) =>
        Effect.sync(() => {
          if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)) {
            violations.push(`${name} ended: ${Cause.pretty(exit.cause)}`)
          }
        })), { concurrency: "unbounded" }).pipe(Scope.provide(scope)),
    scope
  )

  yield* Effect.forkScoped(Effect.gen(function*() {
    for (const { at, what } of world.incidents) {
      yield* Effect.sleep(Math.max(0, begun + at - now()))
      note(
        "incident",
        what._tag === "Fault"
          ? { fault: what.fault._tag, method: what.fault.method }
          : { what: what._tag, on: String(what.isOn) }
      )
      if (what._tag === "Fault") exchange.fault(what.fault)
      else if (what._tag === "Maintenance") exchange.maintenance(what.isOn)
      else exchange.settlement(what.isOn)
    }
  }))

  const isBusy = (at: number): boolean =>
    world.periods.some((own) => own.some(({ from, to }) => begun + from <= at && at <= begun + to + quietMillis))

  // The market moves while anybody trades.
  yield* Effect.forkScoped(Effect.gen(function*() {
    for (const { from, to } of world.periods.flat().toSorted((one, other) => one.from - other.from)) {
      yield* Effect.sleep(Math.max(0, begun + from - now()))
      while (now() < begun + to) {
        yield* Effect.sleep(moveMillis)
        yield* served.trade(product.symbol)
      }
    }
  }))

  const compare = Effect.gen(function*() {
    for (const { isQuiet, session } of traders) {
      if (!isQuiet() || (yield* session.state.current)._tag !== "Live") return false
    }
    for (const { clientId } of accounts) {
      const own = traders.filter(({ account }) => account === clientId)
      violations.push(...Rules.holdings(clientId, own, exchange.holdings(clientId), now()))
    }
    return true
  })

  let comparisons = 0
  for (let left = Duration.toMillis(lasts); left > 0; left -= compareMillis) {
    yield* TestClock.adjust(Math.min(left, compareMillis))
    if (!isBusy(now()) && (yield* compare)) comparisons++
  }
  yield* TestClock.adjust(options.settles ?? "20 minutes")
  if (yield* compare) comparisons++
  else violations.push("all is not quiet at the end")
  for (const { name, session } of traders) {
    const { _tag } = yield* session.state.current
    if (_tag !== "Live") violations.push(`at the end the session of ${name} is ${_tag}`)
  }

  // The graceful close takes virtual time of its own.
  const ending = yield* Effect.forkChild(Scope.close(scope, Exit.void))
  yield* TestClock.adjust("1 minute")
  yield* Fiber.join(ending)

  const mostLatency = Math.max(World.mostLatency, typeof world.latency === "number" ? world.latency : world.latency.max)
  for (const [i, trader] of traders.entries()) {
    const own = [...links.get(urlOf(trader.name))?.values() ?? []]
    const strikes = faults[i]?.strikes ?? []
    violations.push(
      ...trader.violations,
      ...own.flatMap((link) => Rules.unanswered(link, strikes)),
      ...Rules.commands(trader, own, strikes, mostLatency),
      ...Rules.outcomes(trader)
    )
  }
  violations.push(...Rules.spent(exchange.credits(), world.pools))

  const commands = traders.flatMap(({ commands }) => commands)
  const count = (outcome: Trader.Outcome): number => commands.filter((command) => command.outcome === outcome).length
  const orders = traders.flatMap(({ keeper }) => [...keeper.orders.values()])
  const all = [...links.values()].flatMap((ofHost) => [...ofHost.values()])
  return {
    seed,
    violations,
    outcomes: {
      Acknowledged: count("Acknowledged"),
      Rejected: count("Rejected"),
      NotSent: count("NotSent"),
      OutcomeUnknown: count("OutcomeUnknown")
    },
    orders: orders.length,
    fills: orders.reduce((sum, { fills }) => sum + fills.length, 0),
    connections: all.length,
    tests: all.reduce((sum, { tests }) => sum + tests.length, 0),
    comparisons,
    strikes: faults.reduce((sum, { strikes }) => sum + strikes.length, 0),
    log,
    hash: log.hash()
  }
})
