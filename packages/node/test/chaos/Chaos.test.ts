import { assert, describe, it } from "@effect/vitest"
import { Host } from "@tickline/node/runner/Host"
import * as Effect from "effect/Effect"
import * as Chaos from "../../src/chaos/Chaos.ts"
import type * as Scenario from "../../src/chaos/Scenario.ts"
import { shrink } from "../../src/chaos/Shrinking.ts"
import * as TestHost from "../runner/TestHost.ts"

const chaos = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const world = TestHost.make()
  const code = yield* TestHost.run(world, "chaos", ...args)
  return { code, ...world }
})

/** Fails where both the third and the seventh of ten faults strike, in seeds that are even. */
const scenario: Scenario.Scenario<number> = {
  faults: () => Array.from({ length: 10 }, (_, i) => i + 1),
  describe: (fault) => `fault ${fault}`,
  play: (seed, faults) =>
    Effect.succeed({
      hash: `hash of ${seed}`,
      events: 10 * seed,
      violations: seed % 2 === 0 && faults.includes(3) && faults.includes(7) ? ["something does not hold"] : []
    })
}

const played = Effect.fnUntraced(function*(options: Partial<Chaos.Options>) {
  const world = TestHost.make()
  const ended = yield* Effect.result(
    Chaos.play({
      format: "ndjson",
      seeds: { from: 1, to: 4 },
      hours: 2,
      venues: ["coinbase", "dydx"],
      trader: true,
      shrink: false,
      ...options
    }, scenario).pipe(Effect.provideService(Host, world.host))
  )
  return { ended, ...world }
})

describe("tickline chaos", () => {
  it.live("prints one line a seed, in their order, which the others have no part in", () =>
    Effect.gen(function*() {
      const flags = ["--hours", "0.2", "--venues", "kraken,binance"]
      const both = yield* chaos("--seeds", "1..2", ...flags)
      const second = yield* chaos("--seeds", "2", ...flags)
      assert.strictEqual(both.code, 0)
      const [one, two] = both.objects()
      assert.deepStrictEqual(Object.keys(one ?? {}), ["_tag", "seed", "hash", "events", "violations"])
      assert.deepInclude(one ?? {}, { _tag: "Seed", seed: 1, violations: [] })
      assert.deepInclude(two ?? {}, { _tag: "Seed", seed: 2, violations: [] })
      assert.strictEqual(both.objects().length, 2)
      assert.deepStrictEqual(second.objects(), both.objects().slice(1))
      assert.notStrictEqual(one?.["hash"], two?.["hash"])
      assert.isAbove(Number(one?.["events"]), 100)
      assert.strictEqual(both.stderr(), "")
    }), 60_000)

  it.live("has traders at the venues that are named", () =>
    Effect.gen(function*() {
      const { code, objects } = yield* chaos("--seeds", "5", "--trader", "--hours", "0.3", "--venues", "dydx")
      assert.strictEqual(code, 0)
      assert.deepInclude(objects()[0] ?? {}, { _tag: "Seed", seed: 5, violations: [] })
      const other = yield* chaos("--seeds", "5", "--trader", "--hours", "0.3", "--venues", "hyperliquid")
      assert.notStrictEqual(other.objects()[0]?.["hash"], objects()[0]?.["hash"])
    }), 60_000)

  it.effect("ends with 1 if one has a violation, and says how it is played again", () =>
    Effect.gen(function*() {
      const { ended, objects, stderr } = yield* played({ seeds: { from: 1, to: 3 } })
      assert.deepInclude(ended, { _tag: "Failure" })
      assert.strictEqual(ended._tag === "Failure" && ended.failure._tag === "Unsuccessful" && ended.failure.code, 1)
      assert.deepStrictEqual(objects().map(({ violations }) => violations), [[], ["something does not hold"], []])
      assert.strictEqual(
        stderr(),
        "seed 2 fails; to play it again: tickline chaos --seeds 2 --hours 2 --venues coinbase,dydx --trader\n"
      )
    }))

  it.effect("cuts what goes wrong down to the least of it that still fails", () =>
    Effect.gen(function*() {
      const { objects, stderr } = yield* played({ seeds: { from: 2, to: 2 }, shrink: true })
      assert.strictEqual(objects().length, 1)
      assert.match(stderr(), /\nseed 2 still fails with 2 of 10 faults:\n {2}fault 3\n {2}fault 7\n$/)
    }))

  it.effect("says to people what came of each seed", () =>
    Effect.gen(function*() {
      const { stdout } = yield* played({ format: "pretty", seeds: { from: 1, to: 2 } })
      assert.strictEqual(
        stdout(),
        "seed 1 hash of 1 10 events sound\nseed 2 hash of 2 20 events 1 violations: something does not hold\n"
      )
    }))

  it.effect("refuses seeds, hours and venues that are none, with what was expected", () =>
    Effect.gen(function*() {
      const refusals: ReadonlyArray<readonly [args: ReadonlyArray<string>, said: RegExp]> = [
        [["--seeds", "3..1"], /--seeds "3\.\.1": expected a seed, or the first and the last/],
        [["--seeds", "-1"], /expected a seed/],
        [["--seeds", "1..x"], /expected a seed/],
        [["--hours", "0"], /--hours "0": expected hours/],
        [["--venues", "krakn"], /--venues "krakn": expected one or some of .*did you mean kraken/],
        [["--venues", "kraken", "--trader"], /--venues "kraken": expected .*"coinbase", "hyperliquid", "dydx"/],
        [["--venues", ""], /--venues "": expected one or some/]
      ]
      for (const [args, said] of refusals) {
        const { code, stderr, stdout } = yield* chaos(...args)
        assert.strictEqual(code, 2, args.join(" "))
        assert.match(stderr(), said)
        assert.strictEqual(stdout(), "")
      }
    }))
})

describe("What is cut down", () => {
  it.effect("is the least that still fails, whatever that is", () =>
    Effect.gen(function*() {
      const all = Array.from({ length: 37 }, (_, i) => i)
      for (const needed of [[], [0], [36], [3, 4], [1, 17, 36], [0, 9, 18, 27, 36], all]) {
        let runs = 0
        const least = yield* shrink(all, (some) => {
          runs++
          return Effect.succeed(needed.every((one) => some.includes(one)))
        })
        assert.deepStrictEqual(least, needed)
        assert.isBelow(runs, 400)
      }
    }))
})
