/** What the tests of `stream` have in common: a mock venue by `simulate`, and a run against it. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestHost from "./TestHost.ts"

/** Starts `simulate` and gives its URL; it ends with the scope, and then must have ended well. */
export const simulate = Effect.fnUntraced(function*(
  venue: string,
  flags: ReadonlyArray<string> = [],
  env: Record<string, string> = {}
) {
  const world = TestHost.make({ env })
  const fiber = yield* Effect.forkChild(TestHost.run(world, "simulate", venue, "--seed", "7", ...flags))
  yield* world.printed(/Listening.*\n/)
  yield* Effect.addFinalizer(() =>
    Effect.gen(function*() {
      yield* world.send("SIGTERM")
      assert.strictEqual(yield* Fiber.join(fiber), 0)
    })
  )
  const [first] = world.objects()
  assert.deepStrictEqual(Object.keys(first ?? {}), ["_tag", "url"])
  return { world, url: String(first?.url) }
})

export const stream = Effect.fnUntraced(function*(
  url: string,
  flags: ReadonlyArray<string>,
  options: TestHost.Options = {}
) {
  const world = TestHost.make(options)
  const preset = flags.includes("--preset") ? [] : ["--preset", "test"]
  const code = yield* TestHost.run(world, "stream", "coinbase-exchange", "BTC-USD", "--url", url, ...preset, ...flags)
  return { world, code, events: options.terminal === true ? [] : world.objects() }
})

export type Event = Record<string, unknown>
export const states = (events: ReadonlyArray<Event>) =>
  events.filter(({ _tag }) => _tag === "Connection").map(({ state }) => state)
export const trades = (events: ReadonlyArray<Event>) => events.filter(({ _tag }) => _tag === "Trade")
export const ids = (events: ReadonlyArray<Event>) => trades(events).map(({ tradeId }) => Number(tradeId))
