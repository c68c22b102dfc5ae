/** Days of traders, each from a seed. To run others: TICKLINE_SEEDS=17..17 npx -y pnpm@12 test TradingDays */
import { assert, describe, it } from "@effect/vitest"
import * as TradingSimulation from "@tickline/testing/TradingSimulation"
import * as Effect from "effect/Effect"

const [first = 1, last = first] = (process.env["TICKLINE_SEEDS"] ?? "1..5").split("..").map(Number)

const seeds = Array.from({ length: last - first + 1 }, (_, i) => first + i)

const replay = (seed: number): string => `TICKLINE_SEEDS=${seed}..${seed} npx -y pnpm@12 test TradingDays`

/** What is in each day. */
const least = {
  Entering: 100,
  "Closed by signal": 10,
  "Closed by stop": 20,
  "Closed by target": 20,
  ERR_HOURLY_LIMIT: 50,
  Recovered: 15
}

/** What is in a day on an average of several: one of a calm seed may be without it. */
const mean = {
  NotClosed: 5,
  ERR_NOT_TRADING: 5,
  ERR_NOTHING_TO_CLOSE: 10,
  Halted: 3,
  Cleared: 3
}

const severalSeeds = 5

/** Each trader is killed about every 25 minutes, and halted twice, both times over a restart. */
const restless = (options: TradingSimulation.RunOptions): TradingSimulation.RunOptions => {
  const minute = 60_000
  const more = [0, 1, 2, 3, 4].flatMap((trader) =>
    [0, 1, 2, 3].flatMap((i): ReadonlyArray<TradingSimulation.Incident> => {
      const at = (i * 27 + trader * 4 + 12) * minute + 803 * trader
      const kill = { at, trouble: { _tag: "Kill", trader, forMillis: 900 + i * 17_919 } } as const
      return i % 2 === 0
        ? [kill]
        : [kill, { at: at - 3 * minute, trouble: { _tag: "Halt", trader, forMillis: 9 * minute } }]
    })
  )
  const incidents = [...TradingSimulation.incidents(options), ...more].toSorted((one, other) => one.at - other.at)
  return { ...options, incidents }
}

describe("Two virtual hours of five traders that are killed and halted again and again", () => {
  it.live("what each of them still has is what its accounts have", () =>
    Effect.gen(function*() {
      const { counts, fills, violations } = yield* TradingSimulation.run(
        restless({ seed: 21, lasts: "2 hours", every: "20 seconds", keepLog: false })
      )
      assert.deepStrictEqual(violations, [], violations.slice(0, 5).join("\n  "))
      assert.isAtLeast(counts.get("Recovered") ?? 0, 20)
      assert.isAtLeast(counts.get("Halted") ?? 0, 8)
      assert.isAbove(fills, 40)
    }), 600_000)
})

describe("A virtual day of five traders at three venues in trouble", () => {
  const days: Array<ReadonlyMap<string, number>> = []

  for (const seed of seeds) {
    it.live(`seed ${seed}: what each of them has is what its accounts have`, () =>
      Effect.gen(function*() {
        const { comparisons, counts, fills, orders, unknown, violations } = yield* TradingSimulation.run({
          seed,
          keepLog: false
        })
        assert.deepStrictEqual(violations, [], `${replay(seed)}\n  ${violations.slice(0, 5).join("\n  ")}`)
        days.push(counts)
        for (const [word, count] of Object.entries(least)) assert.isAtLeast(counts.get(word) ?? 0, count, word)
        assert.isAbove(orders, 250)
        assert.isAbove(fills, 200)
        assert.isAbove(unknown, 5)
        assert.isAbove(comparisons, 400)
      }), 900_000)
  }

  it.skipIf(seeds.length < severalSeeds)(
    `what is rare is in the days as well (of fewer than ${severalSeeds} seeds each may be calm)`,
    () => {
      assert.strictEqual(days.length, seeds.length)
      for (const [word, count] of Object.entries(mean)) {
        const all = days.reduce((sum, counts) => sum + (counts.get(word) ?? 0), 0)
        assert.isAtLeast(all / days.length, count, word)
      }
    }
  )

  it.live(
    "the same seed gives the same events, to the byte, whatever ran beside it; another seed gives others",
    () =>
      Effect.gen(function*() {
        const once = (seed: number) => TradingSimulation.run({ seed, lasts: "1 hour", logFrames: true })
        const one = yield* once(3)
        const [again, other] = yield* Effect.all([once(3), once(4)], { concurrency: "unbounded" })
        assert.isAbove(one.log.lines.length, 1_000)
        assert.deepStrictEqual(again.log.lines, one.log.lines)
        assert.strictEqual(again.hash, one.hash)
        assert.strictEqual(again.events, one.events)
        assert.notStrictEqual(other.hash, one.hash)
      }),
    120_000
  )
})
