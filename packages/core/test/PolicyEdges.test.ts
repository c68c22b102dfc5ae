import { assert, describe, expect, it } from "@effect/vitest"
import * as BreakerMetrics from "@tickline/core/resilience/BreakerMetrics"
import type * as Circuit from "@tickline/core/resilience/Circuit"
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import * as PolicyConfig from "@tickline/core/resilience/PolicyConfig"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as BreakerTransitions from "../src/resilience/internal/breakerTransitions.ts"

const read = (section: Readonly<Record<string, unknown>>) =>
  Effect.runSync(Effect.result(PolicyConfig.fromUnknown({ reconnection: section }, Presets.recommended)))

describe("the keys of a policy, at their bounds", () => {
  const bounds: ReadonlyArray<
    readonly [key: string, accepted: ReadonlyArray<unknown>, refused: ReadonlyArray<unknown>]
  > = [
    ["max_retries", [0, 1, "0", "unlimited"], [-1, 0.5, "-1", "1.5", "", "none", 2 ** 53, null, true, []]],
    ["max_consecutive_failures", [1, "7"], [0, -1, 1.5, "0", "unlimited", Number.NaN, Infinity]],
    ["half_open_successes", [1, 2, "skip"], [0, "none", 1.5]],
    ["outbox_messages", [1, 5], [0, 1.5, "x"]],
    ["outbox_bytes", [1, "4096"], [0, -1, 1.5]],
    ["inbound_bytes", [1], [0, 1.5]],
    ["max_message_bytes", [1], [0, 1.5]],
    ["backoff_multiplier", [1, 1.5, "2"], [0.999, 0, -1, "x", Infinity]],
    ["adaptive_rapid_factor", [1.8, 2], [1.79, 1, 0]],
    ["adaptive_recover_factor", [0.001, 0.5, 1, "1"], [0, 1.001, -0.5, 2]],
    ["circuit_breaker_multiplier", [1, 3], [0.5, 0]],
    ["connect_timeout_ms", [1, "5"], [0, -1, 1.5, "soon", Infinity]],
    ["connect_timeout", ["1 millis", "20 seconds", "500ms"], ["0 seconds", "-1 seconds", 5, "soon", ""]],
    ["failure_window", ["1 minute", "none"], ["0 seconds", 5, "ever"]],
    ["reset_on", ["connect", "first-message", "5s"], ["never", 5, "0s"]],
    ["retry_initial_connect", [true, false, "true", "false"], ["yes", 1, 0, "TRUE", null]],
    ["jitter", ["none", "full", "equal"], ["half", true, 0]],
    ["when_open", ["fail", "wait"], ["block", true]],
    ["heartbeat_on_miss", ["close", "report"], ["ignore"]]
  ]
  for (const [key, accepted, refused] of bounds) {
    it(key, () => {
      for (const value of accepted) assert.isTrue(Result.isSuccess(read({ [key]: value })), String(value))
      for (const value of refused) {
        const result = read({ [key]: value })
        assert.isTrue(Result.isFailure(result), String(value))
        if (Result.isFailure(result)) assert.strictEqual(result.failure.key, `reconnection.${key}`)
      }
    })
  }

  it("a long value is shown by its beginning", () => {
    for (const [length, ends] of [[62, "x\""], [63, "…"], [500, "…"]] as const) {
      const text = `a${"x".repeat(length - 1)}`
      const result = read({ max_retries: text })
      assert.isTrue(Result.isFailure(result))
      if (!Result.isFailure(result)) continue
      const { value = "" } = result.failure
      assert.strictEqual(value.length, 64)
      assert.isTrue(value.startsWith("\"axx") && value.endsWith(ends))
    }
  })

  it("a part comes on over a start without it, and goes off", () => {
    const over = (section: Readonly<Record<string, unknown>>) => {
      const result = read(section)
      return Result.isSuccess(result) ? result.success : assert.fail(JSON.stringify(section))
    }
    // `supervised` has no breaker and nothing adaptive.
    const start = { preset: "supervised" }
    assert.strictEqual(over(start).circuit, "none")
    assert.notStrictEqual(over({ ...start, circuit_breaker: true }).circuit, "none")
    assert.deepStrictEqual(over({ ...start, max_consecutive_failures: 3 }).circuit, {
      ...Object(over({ ...start, circuit_breaker: true }).circuit),
      failureThreshold: 3
    })
    assert.strictEqual(over({ preset: "fast", circuit_breaker: false }).circuit, "none")
    assert.isUndefined(over(start).backoff.adaptive)
    assert.deepStrictEqual(
      over({ ...start, adaptive: true }).backoff.adaptive,
      Presets.recommended.backoff.adaptive
    )
    assert.isUndefined(over({ preset: "recommended", adaptive: false }).backoff.adaptive)
    assert.strictEqual(over({ heartbeat: false }).heartbeat, "none")
    assert.notStrictEqual(over({ heartbeat: true }).heartbeat, "none")
    assert.deepStrictEqual(over({ ...start, circuit_breaker: true, circuit_breaker_cooldown: "20 minutes" }).circuit, {
      ...Object(over({ ...start, circuit_breaker: true }).circuit),
      openDuration: Duration.minutes(20),
      openCap: Duration.minutes(20)
    })
  })

  it("failures count without a window where it is none", () => {
    const windowOf = (failure_window: string) => {
      const result = read({ preset: "market-feed", failure_window })
      return Result.isSuccess(result) && result.success.circuit !== "none"
        ? result.success.circuit.window
        : "no breaker"
    }
    assert.isUndefined(windowOf("none"))
    assert.deepStrictEqual(windowOf("90s"), Duration.seconds(90))
  })

  it("two times in the wrong order are refused by the name that was given", () => {
    const refused = (section: Readonly<Record<string, unknown>>): string => {
      const result = read(section)
      return Result.isFailure(result) ? result.failure.message : "accepted"
    }
    const start = { preset: "standard" }
    assert.strictEqual(refused({ ...start, initial_delay: "8 seconds" }), "accepted")
    assert.strictEqual(
      refused({ ...start, initial_delay: "9 seconds" }),
      "reconnection.initial_delay: expected at most max_delay, 8000 ms, got \"9 seconds\""
    )
    assert.strictEqual(
      refused({ ...start, base_backoff_ms: 8001 }),
      "reconnection.base_backoff_ms: expected at most max_delay, 8000 ms, got 8001"
    )
    assert.strictEqual(
      refused({ ...start, max_delay: "999 millis" }),
      "reconnection.max_delay: expected at least initial_delay, 1000 ms, got \"999 millis\""
    )
    assert.strictEqual(
      refused({ ...start, base_backoff_ms: 20, max_backoff_ms: 10 }),
      "reconnection.max_backoff_ms: expected at least initial_delay, 20 ms, got 10"
    )
    assert.strictEqual(
      refused({ ...start, circuit_breaker_cooldown: "1 minute", circuit_breaker_max_cooldown: "59 seconds" }),
      "reconnection.circuit_breaker_max_cooldown: expected at least circuit_breaker_cooldown, 60000 ms, " +
        "got \"59 seconds\""
    )
  })

  it("a part that is off takes no keys, and one that is on does", () => {
    for (
      const [part, key, value] of [
        ["circuit_breaker", "max_consecutive_failures", 2],
        ["heartbeat", "heartbeat_interval", "5s"],
        ["adaptive", "adaptive_rapid_factor", 2]
      ] as const
    ) {
      for (const off of [false, "false"]) assert.isTrue(Result.isFailure(read({ [part]: off, [key]: value })), part)
      for (const on of [true, "true"]) assert.isTrue(Result.isSuccess(read({ [part]: on, [key]: value })), part)
    }
  })
})

describe("the circuit breaker, step by step", () => {
  const policy: Circuit.Policy = {
    failureThreshold: 2,
    window: undefined,
    openDuration: Duration.seconds(10),
    openFactor: 2,
    openCap: Duration.seconds(35),
    halfOpen: { successThreshold: 2 }
  }
  const skipping: Circuit.Policy = { ...policy, halfOpen: "skip" }
  const windowed: Circuit.Policy = { ...policy, window: Duration.seconds(60) }
  const closed = (failures: number, ...failedAt: ReadonlyArray<number>): Circuit.State => ({
    _tag: "Closed",
    failures,
    failedAt
  })
  const open = (until: number, openings = 1): Circuit.State => ({
    _tag: "Open",
    until,
    openings,
    failures: 2,
    ready: false
  })
  const half = (successes: number, probing: boolean, openings = 1): Circuit.State => ({
    _tag: "HalfOpen",
    successes,
    probing,
    openings
  })
  const acquire = { _tag: "Acquire" } as const
  const succeed = { _tag: "Succeed" } as const
  const prove = { _tag: "ConfirmStable" } as const
  const release = { _tag: "Release" } as const
  const reset = { _tag: "Reset" } as const
  const fail = { _tag: "Fail", reason: "no" } as const

  /** The next state, whether it admits, and why it moved, in a line. */
  const shown = (state: Circuit.State, event: BreakerTransitions.Event, now: number, by = policy): string => {
    const step = BreakerTransitions.transition(state, event, now, by)
    const { transition } = step
    const next = step.state._tag === "Closed"
      ? `Closed ${step.state.failures} [${step.state.failedAt.join()}]`
      : step.state._tag === "Open"
      ? `Open until ${step.state.until}, opening ${step.state.openings}, ${step.state.failures} failures`
      : `HalfOpen ${step.state.successes}${step.state.probing ? " probing" : ""}, opening ${step.state.openings}`
    const moved = transition === undefined
      ? ""
      : `; ${transition.from} > ${transition.to} at ${transition.at}: ${transition.reason}${
        transition.openForMillis === undefined ? "" : ` (${transition.openForMillis} ms, ${transition.failures})`
      }`
    return `${next}${step.admitted ? "" : ", refused"}${moved}`
  }

  const steps: ReadonlyArray<readonly [state: Circuit.State, event: BreakerTransitions.Event, expected: string]> = [
    [closed(0), acquire, "Closed 0 []"],
    [closed(1), acquire, "Closed 1 []"],
    [closed(1), succeed, "Closed 0 []"],
    [closed(1), prove, "Closed 0 []"],
    [closed(1), release, "Closed 1 []"],
    [closed(1), reset, "Closed 0 []"],
    [closed(0), fail, "Closed 1 []"],
    [
      closed(1),
      fail,
      "Open until 11000, opening 1, 2 failures; Closed > Open at 1000: 2 failures, the last: no (10000 ms, 2)"
    ],
    [open(1001), acquire, "Open until 1001, opening 1, 2 failures, refused"],
    [open(1001), succeed, "Open until 1001, opening 1, 2 failures"],
    [open(1001), fail, "Open until 1001, opening 1, 2 failures"],
    [open(1000), acquire, "HalfOpen 0 probing, opening 1; Open > HalfOpen at 1000: open time over"],
    [open(1000), release, "Open until 1000, opening 1, 2 failures"],
    [open(9999), reset, "Closed 0 []; Open > Closed at 1000: reset by hand"],
    [half(0, true), acquire, "HalfOpen 0 probing, opening 1, refused"],
    [half(1, false), acquire, "HalfOpen 1 probing, opening 1"],
    [half(1, true), release, "HalfOpen 1, opening 1"],
    [half(0, true), succeed, "HalfOpen 1, opening 1"],
    [half(1, true), succeed, "Closed 0 []; HalfOpen > Closed at 1000: 2 successful probes"],
    [half(0, true), prove, "Closed 0 []; HalfOpen > Closed at 1000: stable"],
    [
      half(1, true),
      fail,
      "Open until 21000, opening 2, 1 failures; HalfOpen > Open at 1000: probe failed: no (20000 ms, 1)"
    ],
    [
      half(0, true, 2),
      fail,
      "Open until 36000, opening 3, 1 failures; HalfOpen > Open at 1000: probe failed: no (35000 ms, 1)"
    ],
    [half(0, true), reset, "Closed 0 []; HalfOpen > Closed at 1000: reset by hand"]
  ]
  for (const [state, event, expected] of steps) {
    it(`${event._tag} in ${JSON.stringify(state)}`, () => assert.strictEqual(shown(state, event, 1000), expected))
  }

  it("skips the half-open state where it is told to", () => {
    assert.strictEqual(
      shown(open(1000), acquire, 1000, skipping),
      "Closed 0 []; Open > Closed at 1000: open time over"
    )
    assert.strictEqual(shown(open(1000), acquire, 999, skipping), "Open until 1000, opening 1, 2 failures, refused")
    assert.strictEqual(
      shown(half(0, true), succeed, 1000, skipping),
      "Closed 0 []; HalfOpen > Closed at 1000: 1 successful probe"
    )
  })

  it("counts the failures of a window only, and a success takes none of them back", () => {
    assert.strictEqual(shown(closed(0), fail, 1000, windowed), "Closed 1 [1000]")
    assert.strictEqual(shown(closed(1, 1000), fail, 61_000, windowed), "Closed 1 [61000]")
    assert.strictEqual(
      shown(closed(1, 1000), fail, 60_999, windowed),
      "Open until 70999, opening 1, 2 failures; Closed > Open at 60999: 2 failures, the last: no (10000 ms, 2)"
    )
    assert.strictEqual(shown(closed(1, 1000), succeed, 1000, windowed), "Closed 1 [1000]")
    assert.strictEqual(shown(closed(1, 1000), prove, 1000, windowed), "Closed 0 []")
    assert.strictEqual(
      shown(closed(0), fail, 1000, { ...policy, failureThreshold: 1 }),
      "Open until 11000, opening 1, 1 failures; Closed > Open at 1000: 1 failure, the last: no (10000 ms, 1)"
    )
  })

  it("stays open longer each time, up to a cap", () => {
    assert.deepStrictEqual([1, 2, 3, 4].map((openings) => BreakerTransitions.openMillis(policy, openings)), [
      10_000,
      20_000,
      35_000,
      35_000
    ])
  })
})

describe("the breaker's metrics", () => {
  it.effect("tell a whole life, as values, as JSON and as Prometheus text", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(40)
      const breaker = yield* CircuitBreaker.make({
        failureThreshold: 2,
        window: undefined,
        openDuration: Duration.seconds(10),
        openFactor: 2,
        openCap: Duration.seconds(15),
        halfOpen: { successThreshold: 2 }
      }, { key: "wss://venue.test" })
      const call = (takes: number, fails: boolean) =>
        Effect.gen(function*() {
          const running = yield* Effect.forkChild(
            Effect.ignore(
              breaker.execute(Effect.andThen(Effect.sleep(takes), fails ? Effect.fail("down") : Effect.void))
            ),
            { startImmediately: true }
          )
          yield* TestClock.adjust(takes)
          yield* Fiber.join(running)
        })
      const told: Array<string> = []
      const tell = Effect.map(breaker.metrics, (metrics) => {
        told.push(JSON.stringify(BreakerMetrics.toJson(metrics)), BreakerMetrics.toPrometheus([metrics]))
      })
      yield* tell
      yield* TestClock.adjust(1000)
      yield* call(30, false)
      yield* call(7, true)
      yield* tell
      yield* call(100, false)
      yield* call(20, true)
      yield* call(20, true)
      yield* call(5, false) // refused
      yield* TestClock.adjust(500)
      yield* tell
      yield* TestClock.adjust(9500)
      yield* call(11, true)
      yield* TestClock.adjust(14_999)
      yield* call(1, false) // refused
      yield* call(12, false)
      yield* call(13, false)
      yield* tell
      expect(told.join("\n")).toMatchSnapshot()
    }))
})
