import { assert, describe, it } from "@effect/vitest"
import type * as MarketFeed from "@tickline/core/market/MarketFeed"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Channel from "@tickline/core/value/Channel"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Chance from "@tickline/testing/Chance"
import { mostWithin } from "@tickline/testing/Enforcement"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as Market from "@tickline/testing/Market"
import * as MockBinance from "@tickline/testing/MockBinance"
import * as MockCoinbase from "@tickline/testing/MockCoinbase"
import * as MockDeribit from "@tickline/testing/MockDeribit"
import type { MockVenue } from "@tickline/testing/MockVenue"
import * as Simulation from "@tickline/testing/Simulation"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

// 200 seeds, an hour of virtual time each, at three venues that differ in how they limit and keep alive. To replay one:
// TICKLINE_VENUE=binance TICKLINE_SEED=17 npx -y pnpm@12 test ChaosVenues
const seeds = 200
const lasts = Duration.hours(1)
const replayed = process.env["TICKLINE_SEED"]
const replayedVenue = process.env["TICKLINE_VENUE"]

const replay = (name: string, seed: number): string =>
  `TICKLINE_VENUE=${name} TICKLINE_SEED=${seed} npx -y pnpm@12 test ChaosVenues`

/** A venue, its server, and a question of no consequence that a user may send it, with how many of them are a flood. */
interface Subject {
  readonly client: Venue
  readonly server: MockVenue
  readonly query: (number: number) => string
  readonly flood: number
}

const subjects: ReadonlyArray<Subject> = [
  // Beats on a channel of their own, answers that name their channels; 8 messages and 8 dials a second and address.
  {
    client: Coinbase.venue,
    // Five times slower than the venue's, which the client has the patience for.
    server: { ...MockCoinbase.make(), heartbeatMillis: 5_000 },
    query: () => JSON.stringify({ type: "unsubscribe", channel: "candles", product_ids: ["BTC-USD"] }),
    flood: 20
  },
  // Protocol pings, answers by id; 5 messages a second and connection, pings counted.
  {
    client: Binance.venue,
    server: MockBinance.make(),
    query: (number) => JSON.stringify({ method: "LIST_SUBSCRIPTIONS", id: `query-${number}` }),
    flood: 15
  },
  // Beats and tests on request, answers by id; 100 messages in 5 s and address.
  {
    client: Deribit.venue,
    server: MockDeribit.make(),
    query: (number) => JSON.stringify({ jsonrpc: "2.0", id: `query-${number}`, method: "public/get_time", params: {} }),
    flood: 200
  }
]

// `fast`, for an application that never gives up.
const { circuit } = Presets.fast
const fastForever: ConnectionPolicy.ConnectionPolicy = {
  ...Presets.fast,
  retry: { maxRetries: "unlimited", resetOn: "connect" },
  circuit: circuit === "none" ? circuit : { ...circuit, whenOpen: "wait" }
}
// And one that no breaker holds back from dialling on.
const tireless: ConnectionPolicy.ConnectionPolicy = { ...fastForever, circuit: "none" }

const policies: readonly [ConnectionPolicy.ConnectionPolicy, ...Array<ConnectionPolicy.ConnectionPolicy>] = [
  Presets.recommended,
  fastForever,
  tireless,
  Presets.marketFeed
]

// The latency of a run stays what it is: what is sent within the limit is then heard within it.
const [firstKind, ...otherKinds] = [
  "Lose",
  "AcceptThenClose",
  ...FaultPlan.kinds.filter((kind) => kind !== "Latency")
] as const
const kinds: NonEmptyReadonlyArray<FaultPlan.Kind> = [firstKind, ...otherKinds]

const overflows = ["drop-oldest", "conflate", "fail"] as const

/** A venue that lets everybody in and nobody stay, for more dials than it allows. */
const storm = (at: Duration.Duration, { enforcement }: MockVenue): FaultPlan.FaultPlan =>
  (enforcement?.limits ?? []).flatMap(({ limit, of }) =>
    of === "dials"
      ? [
        FaultPlan.at(at, { _tag: "AcceptThenClose", dials: limit + 20, code: 1013 }),
        FaultPlan.at(at, { _tag: "Drop" })
      ]
      : []
  )

/** What a seed stands for at a venue. */
const scenarioOf = ({ client, server }: Subject, seed: number) => {
  const chance = Chance.make(seed).fork(client.name)
  const policy = chance.pick(policies)
  const [steady, ...churned] = Market.products.slice(0, 3) as [Market.Product, ...Array<Market.Product>]
  const { ticker = "", trade = "" } = client.channels
  const channels: NonEmptyReadonlyArray<Channel.Channel> = [
    Channel.make(trade, steady.symbol),
    Channel.make(ticker, steady.symbol)
  ]
  return {
    chance,
    steady,
    churned,
    channels,
    policy,
    everyMillis: 6_000 + chance.integer(10_000),
    latency: chance.happens(0.3) ? 0 : 1 + chance.integer(150),
    faults: [
      ...FaultPlan.random({ seed, within: "40 minutes", perHour: 10 + chance.integer(30), kinds }),
      ...(policy === tireless && chance.happens(0.3) ? storm(Duration.minutes(chance.integer(30)), server) : [])
    ]
  }
}

type Scenario = ReturnType<typeof scenarioOf>
type Feed = MarketFeed.MarketFeed["Service"]

/** Consumers that come together and leave together, each with a subscription of its own. */
const volleys = ({ chance, churned }: Scenario, feed: Feed): Effect.Effect<void> =>
  Effect.forever(Effect.gen(function*() {
    yield* Effect.sleep(Duration.seconds(60 + chance.integer(600)))
    const stays = Duration.millis(chance.integer(20_000))
    const products = churned.slice(0, 1 + chance.integer(churned.length))
    yield* Effect.forEach(
      products.flatMap(({ symbol }) => [Stream.runDrain(feed.trades(symbol)), Stream.runDrain(feed.ticker(symbol))]),
      (consumer) => Effect.timeoutOption(Effect.ignore(consumer), stays),
      { concurrency: "unbounded", discard: true }
    )
  }))

/** A user who asks more at once than the venue allows. */
const floods = (subject: Subject, { chance }: Scenario, feed: Feed): Effect.Effect<void> =>
  Effect.forever(Effect.gen(function*() {
    yield* Effect.sleep(Duration.seconds(60 + chance.integer(1_800)))
    const count = 1 + chance.integer(subject.flood)
    for (let number = 0; number < count; number++) {
      yield* Effect.ignore(feed.connection.send(subject.query(number), { delivery: "keep", priority: "query" }))
    }
  }))

/**
 * One that stops reading for minutes: what then waits for it is no more than it declared, and the batch beyond; who
 * conflates keeps the newest of each kind and product besides, however little it declared.
 */
const stopper = ({ chance }: Scenario, feed: Feed, found: Array<string>): Effect.Effect<void> =>
  Effect.gen(function*() {
    const overflow = chance.pick(overflows)
    const bytes = 1_024 + chance.integer(8_192)
    let stoppedAt = Infinity
    let resumedAt = 0
    let held = 0
    let largest = 0
    const keys = new Set<string>()
    yield* feed.connection.batches({ overflow, bytes }).pipe(
      Stream.runForEach((batch) =>
        Effect.gen(function*() {
          largest = Math.max(largest, batch.bytes)
          if (batch.at > stoppedAt && batch.at <= resumedAt) held += batch.bytes
          if (overflow === "conflate") {
            for (const event of batch.messages) keys.add(`${event._tag} ${"product" in event ? event.product : ""}`)
          }
          if (held > bytes + (1 + keys.size) * largest) {
            found.push(`a consumer with ${overflow} held ${held} bytes, of ${bytes}`)
          }
          const now = yield* Clock.currentTimeMillis
          if (now > batch.at || !chance.happens(0.02)) return
          stoppedAt = now
          yield* Effect.sleep(Duration.seconds(60 + chance.integer(1_200)))
          resumedAt = yield* Clock.currentTimeMillis
          held = 0
        })
      ),
      Effect.ignore
    )
    // One that failed, as declared, comes again.
    yield* Effect.sleep("1 minute")
  }).pipe(Effect.forever)

/** The other consumers of the feed, beside the one whose account is kept; what they find goes into `found`. */
const company =
  (subject: Subject, scenario: Scenario, found: Array<string>) =>
  (feed: Feed): Effect.Effect<void, never, Scope.Scope> =>
    Effect.gen(function*() {
      let epoch = 0
      yield* Effect.forkScoped(Effect.ignore(Stream.runForEach(feed.connection.batches(), (batch) =>
        Effect.sync(() => {
          if (batch.epoch < epoch) found.push(`a batch of epoch ${batch.epoch} after one of ${epoch}`)
          epoch = batch.epoch
        }))))
      // In the end there is rest.
      yield* Effect.forkScoped(Effect.timeoutOption(volleys(scenario, feed), lasts))
      yield* Effect.forkScoped(Effect.timeoutOption(floods(subject, scenario, feed), lasts))
      yield* Effect.forkScoped(stopper(scenario, feed, found))
    })

/** From when to when nothing, or not everything, came through, and on which connections. */
interface Disturbance {
  readonly from: number
  readonly to: number
  readonly connections: ReadonlyArray<number>
}

const disturbances = ({ strikes }: Simulation.Report): ReadonlyArray<Disturbance> =>
  strikes.flatMap(({ action, at, connections }) => {
    switch (action._tag) {
      case "Silent":
        return [{ from: at, to: Infinity, connections }]
      case "Freeze":
      case "StopReading":
        return [{ from: at, to: at + action.forMillis, connections }]
      default:
        return []
    }
  })

/** The limits of the venue, against what it heard, wherever a window begins. */
const overLimits = (
  { client, server }: Subject,
  report: Simulation.Report,
  disturbed: ReadonlyArray<Disturbance>
): ReadonlyArray<string> => {
  // What was held back comes in a heap when it is let through; the client sent it in time.
  const released = new Set(disturbed.map(({ to }) => to))
  const heard = report.heard.filter(({ at, kind }) =>
    !released.has(at) && (kind === "message" || server.enforcement?.countsPings === true)
  )
  const connections = new Map<number, Array<number>>()
  for (const { at, connection } of heard) connections.set(connection, [...connections.get(connection) ?? [], at])
  const countedOf = { messages: heard.map(({ at }) => at), dials: report.dials.map(({ at }) => at) }
  return client.limits.flatMap(({ limit, of, per, windowMillis }) => {
    if (of === "subscriptions" || windowMillis === undefined) return []
    const each = per === "connection" && of === "messages" ? [...connections.values()] : [countedOf[of]]
    const most = Math.max(0, ...each.map((times) => mostWithin(times, windowMillis)))
    return most > limit ? [`${most} ${of} a ${per} within ${windowMillis} ms, of ${limit}`] : []
  })
}

/** The tests that were answered late or never, though the link let them through. */
const lateAnswers = (
  report: Simulation.Report,
  disturbed: ReadonlyArray<Disturbance>,
  roundTripMillis: number
): ReadonlyArray<string> =>
  report.tests.flatMap(({ answeredAt, at, connection, isFailed }) => {
    if (answeredAt === undefined && !isFailed) return []
    const took = (answeredAt ?? Infinity) - at
    if (took <= roundTripMillis + 100) return []
    const isExcused = disturbed.some(({ connections, from, to }) =>
      connections.includes(connection) && from <= at + took && to >= at
    )
    return isExcused ? [] : [`a test of connection ${connection} at ${at} was answered after ${took} ms`]
  })

/** The connections that were given up for dead, or for want of an answer, though nothing had disturbed them. */
const wronglyDead = (report: Simulation.Report, disturbed: ReadonlyArray<Disturbance>): ReadonlyArray<string> => {
  let epoch = 0
  return report.events.flatMap((event) => {
    if (event._tag !== "Connection") return []
    if (event.epoch !== undefined) epoch = event.epoch
    if (!/^no pong|no answer|not written/.test(event.reason ?? "")) return []
    const at = event.at === undefined ? 0 : Timestamp.epochMillis(event.at)
    const isExcused = disturbed.some(({ connections, from }) => connections.includes(epoch) && from <= at)
    return isExcused ? [] : [`epoch ${epoch} was given up at ${at}: ${event.reason}`]
  })
}

const play = (subject: Subject, seed: number) =>
  Effect.gen(function*() {
    const scenario = scenarioOf(subject, seed)
    const found: Array<string> = []
    const report = yield* Simulation.run({
      seed,
      venue: subject,
      products: [scenario.steady, ...scenario.churned],
      channels: scenario.channels,
      every: Duration.millis(scenario.everyMillis),
      latency: scenario.latency,
      faults: scenario.faults,
      policy: scenario.policy,
      lasts,
      settles: "12 minutes",
      keepLog: replayed !== undefined,
      logFrames: replayed !== undefined,
      alongside: company(subject, scenario, found)
    })
    const disturbed = disturbances(report)
    return {
      report,
      violations: [
        ...report.violations,
        ...found,
        ...overLimits(subject, report, disturbed),
        ...lateAnswers(report, disturbed, 2 * scenario.latency),
        ...wronglyDead(report, disturbed)
      ]
    }
  })

const share = 25
const groups = replayed === undefined
  ? Array.from({ length: seeds / share }, (_, group) => Array.from({ length: share }, (_, i) => group * share + i + 1))
  : [[Number(replayed)]]

for (const subject of subjects) {
  const { name } = subject.client
  if (replayedVenue !== undefined && replayedVenue !== name) continue
  describe(`Chaos at ${name}: an hour of random faults`, () => {
    for (const group of groups) {
      it.live(`seeds ${group[0]} to ${group.at(-1)}`, () =>
        Effect.gen(function*() {
          const failed: Array<string> = []
          let drops = 0
          let delivered = 0
          let messages = 0
          for (const seed of group) {
            const { report, violations } = yield* play(subject, seed)
            drops += report.drops
            messages += report.heard.length
            for (const account of report.accounts) delivered += account.delivered
            if (replayed !== undefined) yield* Effect.log(`\n${report.log.lines.join("\n")}`)
            if (violations.length > 0) failed.push(`${replay(name, seed)}\n  ${violations.slice(0, 5).join("\n  ")}`)
          }
          assert.deepStrictEqual(failed, [], failed.join("\n"))
          // The hours were neither calm nor quiet.
          if (replayed === undefined) {
            assert.isAbove(drops, 5 * group.length)
            assert.isAbove(messages, 50 * group.length)
            assert.isAbove(delivered, 500 * group.length)
          }
        }), 120_000)
    }
  })
}
