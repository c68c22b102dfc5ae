import { assert, describe, it } from "@effect/vitest"
import type * as MarketFeed from "@tickline/core/market/MarketFeed"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Channel from "@tickline/core/value/Channel"
import * as Chance from "@tickline/testing/Chance"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as Market from "@tickline/testing/Market"
import * as Simulation from "@tickline/testing/Simulation"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

// 200 seeds, an hour of virtual time each. To replay one: TICKLINE_SEED=17 npx -y pnpm@12 test chaos
const seeds = 200
const replayed = process.env["TICKLINE_SEED"]

const replay = (seed: number): string => `TICKLINE_SEED=${seed} npx -y pnpm@12 test chaos`

// `fast`, for an application that never gives up.
const { circuit } = Presets.fast
const fastForever: ConnectionPolicy.ConnectionPolicy = {
  ...Presets.fast,
  retry: { maxRetries: "unlimited", resetOn: "connect" },
  circuit: circuit === "none" ? circuit : { ...circuit, whenOpen: "wait" }
}

const policies: readonly [ConnectionPolicy.ConnectionPolicy, ...Array<ConnectionPolicy.ConnectionPolicy>] = [
  Presets.recommended,
  Presets.recommended,
  fastForever,
  Presets.marketFeed
]

/** What a seed stands for. */
const scenarioOf = (seed: number) => {
  const chance = Chance.make(seed).fork("scenario")
  const [first, ...more] = Market.products.slice(0, 1 + chance.integer(2))
  const steady = [first ?? Market.products[0], ...more]
  const channels = steady.flatMap(({ symbol }) => [Channel.make("matches", symbol), Channel.make("ticker", symbol)])
  const isSlow = chance.happens(0.25)
  const policy = chance.pick(policies)
  const kinds: NonEmptyReadonlyArray<FaultPlan.Kind> = [
    ...FaultPlan.kinds,
    // What cannot be read has no part in the account of bytes.
    ...(isSlow ? [] : ["Lose", "Slow"] as const)
  ]
  const [kind, ...others] = kinds.filter((kind) =>
    !isSlow || (kind !== "Garbage" && kind !== "Binary" && kind !== "Oversize")
  )
  return {
    chance,
    isSlow,
    steady,
    channels: channels as [Channel.Channel, ...Array<Channel.Channel>],
    churned: Market.products[3] ?? Market.products[0],
    policy: isSlow
      ? { ...policy, inbound: { ...policy.inbound, bytes: 2_048, maxMessageBytes: 2_048 } }
      : policy,
    everyMillis: 3_000 + chance.integer(9_000),
    latency: chance.happens(0.2) ? 0 : { min: chance.integer(20), max: 20 + chance.integer(180) },
    faults: FaultPlan.random({
      seed,
      within: "50 minutes",
      perHour: 10 + chance.integer(40),
      kinds: [kind ?? "Drop", ...others]
    })
  }
}

type Scenario = ReturnType<typeof scenarioOf>

/** The other consumers of the feed, beside the one whose account is kept; what they find goes into `violations`. */
const company = (scenario: Scenario, violations: Array<string>) => {
  const { chance, churned, isSlow, policy, steady } = scenario
  const product = steady[0]?.symbol ?? ""

  return (feed: MarketFeed.MarketFeed["Service"]): Effect.Effect<void, never, Scope.Scope> =>
    Effect.gen(function*() {
      // P3: no batch of an old epoch after one of the next.
      let epoch = 0
      yield* Effect.forkScoped(Stream.runForEach(feed.connection.batches(), (batch) =>
        Effect.sync(() => {
          if (batch.epoch < epoch) violations.push(`P3: a batch of epoch ${batch.epoch} after one of ${epoch}`)
          epoch = batch.epoch
        })))
      // Consumers that come, take a few and leave, so that the wanted channels change at any time.
      // In the end there is rest.
      yield* Effect.gen(function*() {
        yield* Effect.sleep(Duration.seconds(5 + chance.integer(240)))
        yield* feed.trades(churned.symbol).pipe(
          Stream.take(1 + chance.integer(5)),
          Stream.runDrain,
          Effect.timeoutOrElse({ duration: "5 minutes", orElse: () => Effect.void })
        )
      }).pipe(Effect.forever, Effect.timeoutOption("1 hour"), Effect.forkScoped)
      // One that keeps the latest only and is never in a hurry.
      yield* Effect.forkScoped(Stream.runForEach(
        feed.ticker(product, { overflow: "conflate", bytes: 2_048 }),
        () => Effect.sleep(Duration.seconds(90))
      ))
      if (!isSlow) return
      // P6: one that blocks. What is between the wire and it stays bounded: a queue, what one pull brings beyond it and
      // what an ending wire still holds; and as much that it has in hand.
      const bytes = 2_048
      const bound = 2 * (bytes + 2 * (policy.inbound.bytes + policy.inbound.maxMessageBytes))
      let taken = (yield* feed.connection.metrics).bytes
      yield* Effect.forkScoped(Stream.runForEach(feed.connection.batches({ overflow: "block", bytes }), (batch) =>
        Effect.gen(function*() {
          const held = (yield* feed.connection.metrics).bytes - taken
          if (held > bound) violations.push(`P6: ${held} bytes between the wire and a consumer, of ${bound}`)
          taken += batch.bytes
          if (chance.happens(0.05)) yield* Effect.sleep(Duration.millis(chance.integer(60_000)))
        })))
    }).pipe(Effect.catchCause(() =>
      Effect.void
    ))
}

/** P7: how many dials the policy may make within any ten seconds, while nothing lasts. */
const crowded = (policy: ConnectionPolicy.ConnectionPolicy, dials: ReadonlyArray<{ readonly at: number }>): number => {
  const windowMillis = 10_000
  // Of `fast` the waits begin anew with each connect: one of 100 ms, then the dial. The others count drops as failures,
  // and rest for at least 10 s after five of them.
  const most = policy.retry.resetOn === "connect" && policy.circuit !== "none" && !policy.circuit.countDisconnect
    ? windowMillis / Duration.toMillis(policy.backoff.base) + 1
    : 5 + 3 + 1
  return dials.filter((dial, index) => {
    const later = dials[index + most]
    return later !== undefined && later.at - dial.at < windowMillis
  }).length
}

const play = (seed: number) =>
  Effect.gen(function*() {
    const scenario = scenarioOf(seed)
    const found: Array<string> = []
    const report = yield* Simulation.run({
      seed,
      products: [...scenario.steady, scenario.churned],
      channels: scenario.channels,
      every: Duration.millis(scenario.everyMillis),
      latency: scenario.latency,
      faults: scenario.faults,
      policy: scenario.policy,
      lasts: "1 hour",
      // Dials that are refused in advance are used up one by one, 80 s apart at worst.
      settles: "40 minutes",
      keepLog: replayed !== undefined,
      logFrames: replayed !== undefined,
      alongside: company(scenario, found)
    })
    const tooMany = crowded(scenario.policy, report.dials)
    if (tooMany > 0) found.push(`P7: ${tooMany} times more dials within 10 s than the policy allows`)
    return { report, violations: [...report.violations, ...found] }
  })

const share = 25
const groups = replayed === undefined
  ? Array.from({ length: seeds / share }, (_, group) => Array.from({ length: share }, (_, i) => group * share + i + 1))
  : [[Number(replayed)]]

describe("Chaos: an hour of random faults", () => {
  for (const group of groups) {
    it.live(`seeds ${group[0]} to ${group.at(-1)}`, () =>
      Effect.gen(function*() {
        const failed: Array<string> = []
        let drops = 0
        let delivered = 0
        let lost = 0
        for (const seed of group) {
          const { report, violations } = yield* play(seed)
          drops += report.drops
          for (const account of report.accounts) {
            delivered += account.delivered
            lost += account.lostInGaps
          }
          if (replayed !== undefined) yield* Effect.log(`\n${report.log.lines.join("\n")}`)
          if (violations.length > 0) failed.push(`${replay(seed)}\n  ${violations.slice(0, 5).join("\n  ")}`)
        }
        assert.deepStrictEqual(failed, [], failed.join("\n"))
        // The hours were not calm.
        if (replayed === undefined) {
          assert.isAbove(drops, 5 * group.length)
          assert.isAbove(lost, group.length)
          assert.isAbove(delivered, 500 * group.length)
        }
      }), 120_000)
  }

  it.live("the same seed gives the same log, to the byte; another seed gives another", () =>
    Effect.gen(function*() {
      const once = (seed: number) => {
        const { channels, churned, everyMillis, faults, latency, policy, steady } = scenarioOf(seed)
        return Simulation.run({
          seed,
          products: [...steady, churned],
          channels,
          every: Duration.millis(everyMillis),
          latency,
          faults,
          policy,
          logFrames: true,
          alongside: company(scenarioOf(seed), [])
        })
      }
      const [first, second, other] = [yield* once(3), yield* once(3), yield* once(4)]
      assert.isAbove(first.log.lines.length, 1_000)
      assert.deepStrictEqual(second.log.lines, first.log.lines)
      assert.strictEqual(second.hash, first.hash)
      assert.notStrictEqual(other.hash, first.hash)
    }), 60_000)
})
