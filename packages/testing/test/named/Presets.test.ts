import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import type * as Presets from "@tickline/core/resilience/Presets"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import { breakerLine, connected, dialTimes, record, refusals, settle, timeline, url, withVenue } from "../Rig.ts"

const seconds = (times: ReadonlyArray<number>): ReadonlyArray<number> => times.map((time) => time * 1000)

/** A drop at once, then refused dials for so long; what was dialled when, and what the connection said. */
const outage = (name: Presets.PresetName, millis: number) =>
  withVenue(name, ({ host }) =>
    Effect.gen(function*() {
      const { connection, recorded } = yield* connected()
      yield* host.otherwise({ _tag: "Refuse" })
      yield* host.drop
      yield* TestClock.adjust(millis)
      const lines = timeline(recorded.transitions)
      return {
        dials: dialTimes(host),
        waits: lines.filter((line) => / in /.test(line)),
        last: lines.at(-1),
        breaker: yield* breakerLine(connection.breaker),
        state: yield* connection.state.current,
        error: yield* Effect.flip(Effect.andThen(connection.connect, Effect.void))
      }
    }))

describe("Presets: a drop, then refused dials", () => {
  it.effect("fast: 100, 200, 400, 800, 800 ms, then ConnectionAborted with an open breaker", () =>
    Effect.gen(function*() {
      const { breaker, dials, error, last, waits } = yield* outage("fast", 60_000)
      assert.deepStrictEqual(dials, [0, 100, 300, 700, 1500, 2300])
      assert.deepStrictEqual(waits, [
        "0 Reconnecting 1 in 100",
        "100 Reconnecting 2 in 200",
        "300 Reconnecting 3 in 400",
        "700 Reconnecting 4 in 800",
        "1500 Reconnecting 5 in 800"
      ])
      assert.strictEqual(last, "2300 Failed ConnectionAborted")
      assert.deepStrictEqual(breaker, ["2300 Closed Open 10000"])
      // The 10 s are over: the dial was let through as a probe, refused, and the breaker rests for 20 s.
      assert.strictEqual(error._tag, "CircuitOpen")
    }))

  it.effect("fast, before the breaker's 10 s are over: a later connect meets CircuitOpen and does not dial (X38)", () =>
    Effect.gen(function*() {
      const { dials, error } = yield* outage("fast", 12_299)
      assert.strictEqual(error._tag === "CircuitOpen" && error.retryAfterMillis, 1)
      assert.strictEqual(dials.length, 6)
    }))

  it.effect("fast, first connect fails: the breaker opens at retry 4, connect fails with CircuitOpen (X38)", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        yield* host.otherwise({ _tag: "Refuse" })
        const connection = yield* Connection.make(url)
        const recorded = yield* record(connection)
        const connecting = yield* Effect.forkChild(Effect.flip(connection.connect))
        yield* TestClock.adjust("1 minute")
        const error = yield* Fiber.join(connecting)
        assert.strictEqual(error._tag, "CircuitOpen")
        assert.deepStrictEqual(dialTimes(host), [0, 100, 300, 700, 1500])
        assert.strictEqual(timeline(recorded.transitions).at(-1), "1500 Failed CircuitOpen")
        assert.deepStrictEqual(yield* breakerLine(connection.breaker), ["1500 Closed Open 10000"])
      })))

  it.effect("standard: 1, 2, 4, 8, 8 s, then ConnectionAborted, the breaker open for 30 s", () =>
    Effect.gen(function*() {
      const { breaker, dials, error, last } = yield* outage("standard", 40_000)
      assert.deepStrictEqual(dials, seconds([0, 1, 3, 7, 15, 23]))
      assert.strictEqual(last, "23000 Failed ConnectionAborted")
      assert.deepStrictEqual(breaker, ["23000 Closed Open 30000"])
      assert.strictEqual(error._tag, "CircuitOpen")
    }))

  it.effect("patient: the first dial after ten failures is exactly 300 s after the tenth, and all starts afresh", () =>
    withVenue("patient", ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        yield* host.otherwise({ _tag: "Refuse" })
        yield* host.drop
        yield* TestClock.adjust("550 seconds")
        assert.deepStrictEqual(dialTimes(host), seconds([0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 543, 544, 546, 550]))
        const lines = timeline(recorded.transitions).filter((line) => / in /.test(line))
        assert.deepStrictEqual(
          lines.slice(-5),
          [
            "183000 Reconnecting 9 in 60000",
            "243000 CircuitOpen 10 in 300000",
            "543000 Reconnecting 1 in 1000",
            "544000 Reconnecting 2 in 2000",
            "546000 Reconnecting 3 in 4000",
            "550000 Reconnecting 4 in 8000"
          ].slice(-5)
        )
        assert.deepStrictEqual(yield* breakerLine(connection.breaker), [
          "243000 Closed Open 300000",
          "543000 Open Closed"
        ])
        // An hour later it has not given up.
        yield* TestClock.adjust("1 hour")
        yield* host.otherwise({ _tag: "Accept" })
        yield* TestClock.adjust("301 seconds")
        assert.isTrue(yield* connection.isConnected)
      })))

  it.effect("patient: a first connect that fails is not retried", () =>
    withVenue("patient", ({ host }) =>
      Effect.gen(function*() {
        yield* host.otherwise({ _tag: "Refuse" })
        const connection = yield* Connection.make(url)
        const error = yield* Effect.flip(connection.connect)
        assert.strictEqual(error._tag, "DialError")
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(dialTimes(host), [0])
        assert.strictEqual((yield* connection.state.current)._tag, "Disconnected")
      })))

  it.effect("supervised: 1, 2, 4 s, then ConnectionAborted; no breaker", () =>
    withVenue("supervised", ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        yield* host.script(...refusals(3))
        yield* host.drop
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(dialTimes(host), seconds([0, 1, 3, 7]))
        assert.strictEqual(timeline(recorded.transitions).at(-1), "7000 Failed ConnectionAborted")
        assert.deepStrictEqual(yield* breakerLine(connection.breaker), [])
        yield* connection.connect
        assert.isTrue(yield* connection.isConnected)
      })))

  it.effect("market-feed: the breaker opens at 5 failures in 60 s, for 60 s, and a probe is due each 60 s", () =>
    withVenue("market-feed", ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        yield* host.otherwise({ _tag: "Refuse" })
        yield* host.drop
        yield* TestClock.adjust("200 seconds")
        assert.deepStrictEqual(dialTimes(host), seconds([0, 1, 3, 7, 15, 75, 135, 195]))
        assert.include(timeline(recorded.transitions), "15000 CircuitOpen 5 in 60000")
        assert.deepStrictEqual(yield* breakerLine(connection.breaker), [
          "15000 Closed Open 60000",
          "75000 Open HalfOpen",
          "75000 HalfOpen Open 60000",
          "135000 Open HalfOpen",
          "135000 HalfOpen Open 60000",
          "195000 Open HalfOpen",
          "195000 HalfOpen Open 60000"
        ])
        yield* TestClock.adjust("1 hour")
        yield* host.otherwise({ _tag: "Accept" })
        yield* TestClock.adjust("61 seconds")
        assert.isTrue(yield* connection.isConnected)
      })))

  it.effect("market-feed: failures more than 60 s apart do not add up", () =>
    withVenue("market-feed", ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        for (let i = 0; i < 12; i++) {
          yield* host.drop
          yield* TestClock.adjust("15 seconds")
        }
        // Four drops in any 60 s.
        assert.deepStrictEqual(yield* breakerLine(connection.breaker), [])
        assert.deepStrictEqual(dialTimes(host).slice(0, 4), [0, 1000, 16_000, 31_000])
      })))

  it.effect("market-feed: a link that has lived for 60 s is no probe any more; its drop costs 1 s, not 60 s", () =>
    withVenue("market-feed", ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        yield* host.script(...refusals(4))
        yield* host.drop
        yield* TestClock.adjust("75 seconds")
        assert.isTrue(yield* connection.isConnected)
        yield* TestClock.adjust("60 seconds")
        yield* host.drop
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(dialTimes(host), seconds([0, 1, 3, 7, 15, 75, 136]))
        assert.deepStrictEqual(yield* breakerLine(connection.breaker), [
          "15000 Closed Open 60000",
          "75000 Open HalfOpen",
          "135000 HalfOpen Closed"
        ])
      })))

  it.effect("test: 10, 20 ms, 50 ms of rest after three failures, then afresh", () =>
    withVenue("test", ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        yield* host.otherwise({ _tag: "Refuse" })
        yield* host.drop
        yield* TestClock.adjust(160)
        assert.deepStrictEqual(dialTimes(host), [0, 10, 30, 80, 90, 110, 160])
        assert.deepStrictEqual(timeline(recorded.transitions).filter((line) => / in /.test(line)).slice(0, 5), [
          "0 Reconnecting 1 in 10",
          "10 Reconnecting 2 in 20",
          "30 CircuitOpen 3 in 50",
          "80 Reconnecting 1 in 10",
          "90 Reconnecting 2 in 20"
        ])
        assert.deepStrictEqual(yield* breakerLine(connection.breaker), [
          "30 Closed Open 50",
          "80 Open Closed",
          "110 Closed Open 50",
          "160 Open Closed"
        ])
      })))
})

describe("Presets: recommended", () => {
  const run = (seed: number, millis: number) =>
    withVenue("recommended", ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        yield* host.otherwise({ _tag: "Refuse" })
        yield* host.drop
        yield* TestClock.adjust(millis)
        const times = dialTimes(host)
        yield* connection.close({ mode: "forced" })
        return {
          waits: times.slice(1).map((time, i) => time - times[i]!),
          breaker: yield* breakerLine(connection.breaker),
          states: timeline(recorded.transitions)
        }
      })).pipe(Random.withSeed(seed))

  it.effect("full jitter under 250, 500, 1000, 2000 ms; then the breaker rests for 10, 20, 40, 80, 80 s exactly", () =>
    Effect.gen(function*() {
      const early: Array<number> = []
      for (let seed = 0; seed < 20; seed++) {
        const { waits } = yield* run(seed, 250_000)
        waits.slice(0, 4).forEach((wait, i) => assert.isAtMost(wait, 250 * 2 ** i))
        assert.deepStrictEqual(waits.slice(4, 9), [10_000, 20_000, 40_000, 80_000, 80_000])
        early.push(waits[3]!)
      }
      // Chance fills the range: of 20 waits in [0, 2000] some are in each half.
      assert.isTrue(early.some((wait) => wait < 1000) && early.some((wait) => wait > 1000))
    }))

  it.effect("the same seed gives the same milliseconds, another gives others", () =>
    Effect.gen(function*() {
      const first = yield* run(7, 100_000)
      // The second run begins later by the clock: its waits are compared, not its times.
      assert.deepStrictEqual((yield* run(7, 100_000)).waits, first.waits)
      assert.notDeepEqual((yield* run(8, 100_000)).waits.slice(0, 4), first.waits.slice(0, 4))
    }))

  it.effect("a server that accepts and drops is backed off and trips the breaker", () =>
    withVenue("recommended", ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        const dropping = yield* Effect.forkChild(Effect.forever(Effect.flatMap(host.nextPeer, (peer) => peer.drop)))
        yield* TestClock.adjust("200 seconds")
        const times = dialTimes(host)
        const waits = times.slice(1).map((time, i) => time - times[i]!)
        waits.slice(0, 4).forEach((wait, i) => assert.isAtMost(wait, 250 * 2 ** i))
        assert.deepStrictEqual(waits.slice(4, 8), [10_000, 20_000, 40_000, 80_000])
        assert.strictEqual((yield* connection.breaker.metrics).state, "Open")
        assert.strictEqual((yield* connection.state.current)._tag, "CircuitOpen")
        yield* Fiber.interrupt(dropping)
      })).pipe(Random.withSeed(3)))

  it.effect("30 s of stable life are one success: they close the breaker outright and the next wait starts at 250 ms", () =>
    withVenue("recommended", ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        yield* host.script(...refusals(5))
        yield* host.drop
        yield* TestClock.adjust("60 seconds")
        assert.isTrue(yield* connection.isConnected)
        const up = dialTimes(host).at(-1)!
        const lines = yield* breakerLine(connection.breaker)
        assert.deepStrictEqual(lines.map((line) => line.replace(/^\d+ /, "")), [
          "Closed Open 10000",
          "Open HalfOpen",
          "HalfOpen Open 20000",
          "Open HalfOpen",
          ...(up <= 30_000 ? ["HalfOpen Closed"] : [])
        ])
        yield* TestClock.adjust("60 seconds")
        assert.deepStrictEqual((yield* breakerLine(connection.breaker)).at(-1), `${up + 30_000} HalfOpen Closed`)
        yield* host.drop
        yield* settle
        const state = yield* connection.state.current
        assert.isTrue(state._tag === "Reconnecting" && state.delayMillis <= 250)
      })).pipe(Random.withSeed(5)))
})
