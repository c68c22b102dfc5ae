import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestHost from "../runner/TestHost.ts"

describe.concurrent("the demo", { timeout: 30_000 }, () => {
  it.live("shows a drop, its waits, the breaker, and an account that balances", () =>
    Effect.gen(function*() {
      const world = TestHost.make()
      assert.strictEqual(yield* TestHost.run(world, "demo", "--duration", "5s", "--seed", "3"), 0)
      const events = world.objects()
      assert.deepStrictEqual([...new Set(events.map(({ venue }) => venue))].toSorted(), [
        "coinbase-exchange",
        "generic"
      ])
      const down = events.filter(({ state }) => state === "Reconnecting" || state === "CircuitOpen")
      assert.deepStrictEqual(down.map(({ state }) => state).slice(0, 3), [
        "Reconnecting",
        "Reconnecting",
        "CircuitOpen"
      ])
      assert.deepStrictEqual(down.map(({ delayMillis }) => delayMillis).slice(0, 2), [250, 500])
      // What is left of the two seconds when it is said, which is a while after the breaker has opened.
      const opened = events.find(({ to }) => to === "Open")
      assert.strictEqual(opened?.openForMillis, 2_000)
      const passed = Date.parse(String(down[2]?.at)) - Date.parse(String(opened?.at))
      assert.isAtMost(Number(down[2]?.delayMillis), 2_000)
      assert.isAtLeast(Number(down[2]?.delayMillis), 2_000 - passed - 1)
      assert.deepStrictEqual(
        events.filter(({ _tag }) => _tag === "Breaker").map(({ from, to }) => `${String(from)} ${String(to)}`).slice(
          0,
          3
        ),
        ["Closed Open", "Open HalfOpen", "HalfOpen Closed"]
      )
      const said = world.stderr()
      assert.include(said, "250 ms × 2")
      assert.include(said, "a float client shows")
      const accounts = [...said.matchAll(/(\d+) sent = +(\d+) delivered \+ +(\d+) twice \+ +(\d+) in gaps ✓/g)]
      assert.strictEqual(accounts.length, 4)
      for (const [, sent, ...parts] of accounts) {
        assert.strictEqual(Number(sent), parts.reduce((sum, part) => sum + Number(part), 0))
      }
      // The drop cost something, and a trade came twice.
      assert.isAbove(accounts.reduce((sum, [, , , , lost]) => sum + Number(lost), 0), 0)
      assert.isAbove(accounts.reduce((sum, [, , , twice]) => sum + Number(twice), 0), 0)
    }))

  it.live("ends at a signal with 0 and its summary", () =>
    Effect.gen(function*() {
      const world = TestHost.make()
      const fiber = yield* Effect.forkChild(TestHost.run(world, "demo"))
      yield* world.printed(/"Trade"/)
      yield* world.send("SIGINT")
      assert.strictEqual(yield* Fiber.join(fiber), 0)
      assert.include(world.stderr(), "delivered")
    }))

  it.live(
    "under the virtual clock gives the same hash for the same seed, and another for another",
    () =>
      Effect.gen(function*() {
        const hash = Effect.fnUntraced(function*(seed: number) {
          const world = TestHost.make()
          const flags = ["--virtual", "--duration", "10m", "--seed", String(seed)]
          assert.strictEqual(yield* TestHost.run(world, "demo", ...flags), 0, world.stderr())
          return String(world.objects()[0]?.hash)
        })
        const seven = yield* hash(7)
        assert.match(seven, /^[0-9a-f]{16}$/)
        assert.strictEqual(yield* hash(7), seven)
        assert.notStrictEqual(yield* hash(8), seven)
      }),
    15_000
  )
})
