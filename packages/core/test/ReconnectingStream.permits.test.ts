/** What a stream had of its breaker it gives back, and what it counts of retries, however a dial or a connection ends. */
import { assert, describe, it } from "@effect/vitest"
import * as ReconnectingStream from "@tickline/core/market/ReconnectingStream"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"

type Answer = "ok" | "hang" | "refused"

/** A source whose dials and whose reads answer by a list each, and well once that is over. */
const answering = (answers: { readonly dials?: ReadonlyArray<Answer>; readonly reads?: ReadonlyArray<Answer> }) => {
  const dials: Array<number> = []
  let reads = 0
  const answered = (answer: Answer = "ok"): Effect.Effect<void, string> =>
    answer === "hang" ? Effect.never : answer === "ok" ? Effect.void : Effect.fail(answer)
  const source: ReconnectingStream.MarketDataStream<string | ReconnectingStream.Disconnected, string> = {
    exchangeName: "scripted",
    connect: Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const count = dials.push(now)
      return answered(answers.dials?.[count - 1])
    }),
    subscribe: () => Effect.void,
    nextEvent: Effect.suspend(() => Effect.as(answered(answers.reads?.[reads++]), Option.some("event")))
  }
  return { source, dials }
}

/** The first failure opens the breaker for 50 ms; then one probe at a time, proven by its first message. */
const strict: ConnectionPolicy.ConnectionPolicy = {
  ...Presets.test,
  retry: { maxRetries: "unlimited", resetOn: "first-message" },
  circuit: {
    failureThreshold: 1,
    window: undefined,
    openDuration: Duration.millis(50),
    openFactor: 1,
    openCap: Duration.millis(50),
    halfOpen: { successThreshold: 1 },
    countDisconnect: true,
    whenOpen: "wait"
  }
}

const event = Option.some("event")

describe("ReconnectingStream: permits", () => {
  it.effect("an interrupted dial is no failure, whether it is the first or the probe", () =>
    Effect.gen(function*() {
      for (const [answers, expected] of [[["hang"], [0, 50]], [["refused", "hang"], [0, 50, 50]]] as const) {
        const { dials, source } = answering({ dials: answers })
        const begun = yield* Clock.currentTimeMillis
        const stream = yield* ReconnectingStream.make(source, strict)
        const reading = yield* Effect.forkChild(stream.nextEvent, { startImmediately: true })
        yield* TestClock.adjust(50)
        yield* Fiber.interrupt(reading)
        const again = yield* Effect.forkChild(stream.nextEvent, { startImmediately: true })
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(again.pollUnsafe()?._tag, "Success")
        assert.deepStrictEqual(dials.map((time) => time - begun), [...expected])
      }
    }))

  it.effect("a first dial that is not retried leaves the next one its place", () =>
    Effect.gen(function*() {
      const { dials, source } = answering({ dials: ["refused", "refused"] })
      const stream = yield* ReconnectingStream.make(source, { ...strict, retryInitialConnect: false })
      for (let n = 0; n < 2; n++) assert.strictEqual(yield* Effect.flip(stream.connect), "refused")
      yield* stream.connect
      yield* stream.connect
      assert.deepStrictEqual(yield* stream.nextEvent, event)
      assert.deepStrictEqual(dials, [0, 0, 0])
    }))

  it.effect("a probe whose connection ends for good leaves the next one its place", () =>
    Effect.gen(function*() {
      const { dials, source } = answering({ dials: ["refused"], reads: ["refused"] })
      let isFinal = false
      const stream = yield* ReconnectingStream.make(source, strict, { classify: () => isFinal ? "stop" : "retry" })
      const connecting = yield* Effect.forkChild(stream.connect, { startImmediately: true })
      yield* TestClock.adjust(50)
      yield* Fiber.join(connecting)
      isFinal = true
      assert.strictEqual(yield* Effect.flip(stream.nextEvent), "refused")
      const again = yield* Effect.forkChild(stream.connect, { startImmediately: true })
      yield* TestClock.adjust(0)
      assert.strictEqual(again.pollUnsafe()?._tag, "Success")
      assert.deepStrictEqual(dials, [0, 50, 50])
    }))

  it.effect("counts the retries of an outage from one, also where the first connection never proved itself", () =>
    Effect.gen(function*() {
      const { dials, source } = answering({ reads: ["refused", "refused", "refused"] })
      const stream = yield* ReconnectingStream.make(source, {
        ...strict,
        circuit: "none",
        retryInitialConnect: false,
        retry: { maxRetries: 1, resetOn: "first-message" }
      })
      yield* stream.connect
      const reading = yield* Effect.forkChild(Effect.flip(stream.nextEvent), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* Fiber.join(reading), { _tag: "ConnectionAborted", retries: 1 })
      assert.deepStrictEqual(dials, [0, 10])
    }))

  it.effect("a connect within an outage goes on with its retries, one after the end is a first one again", () =>
    Effect.gen(function*() {
      const { dials, source } = answering({
        dials: ["ok", "refused", "refused", "ok", "refused", "refused", "refused"],
        reads: ["refused", "refused"]
      })
      const stream = yield* ReconnectingStream.make(source, {
        ...strict,
        circuit: "none",
        retryInitialConnect: false,
        retry: { maxRetries: 2, resetOn: "connect" }
      })
      yield* stream.connect
      const reading = yield* Effect.forkChild(stream.nextEvent, { startImmediately: true })
      yield* TestClock.adjust(10)
      yield* Fiber.interrupt(reading)
      const connecting = yield* Effect.forkChild(Effect.flip(stream.connect), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* Fiber.join(connecting), { _tag: "ConnectionAborted", retries: 2 })
      assert.deepStrictEqual(dials, [0, 10, 30])
      yield* stream.connect
      assert.deepStrictEqual(dials, [0, 10, 30, 1010])
      yield* Effect.forkChild(stream.nextEvent, { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Effect.flip(stream.connect), "refused")
    }))

  it.effect("dials once and reads once, however many ask at the same time", () =>
    Effect.gen(function*() {
      const { dials, source } = answering({ dials: ["hang"], reads: ["hang"] })
      let reading = 0
      let most = 0
      const stream = yield* ReconnectingStream.make({
        ...source,
        nextEvent: Effect.suspend(() => {
          most = Math.max(most, ++reading)
          return source.nextEvent
        }).pipe(Effect.onExit(() => Effect.sync(() => reading--)))
      }, strict)
      const first = yield* Effect.forkChild(stream.nextEvent, { startImmediately: true })
      yield* Effect.forkChild(stream.connect, { startImmediately: true })
      assert.deepStrictEqual(dials, [0])
      yield* Fiber.interrupt(first)
      for (let n = 0; n < 3; n++) yield* Effect.forkChild(stream.nextEvent, { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([dials.length, most], [2, 1])
    }))
})

describe("ReconnectingStream: kinds of failure", () => {
  const adaptive: ConnectionPolicy.ConnectionPolicy = {
    ...Presets.test,
    circuit: "none",
    backoff: {
      base: Duration.millis(100),
      factor: 1.5,
      cap: Duration.seconds(10),
      jitter: "none",
      adaptive: { rapidFactor: 2, rapidWindow: Duration.seconds(5), recoverFactor: 0.5 }
    }
  }
  const waits = Effect.fnUntraced(
    function*<E>(dial: Effect.Effect<void, E>, options?: ReconnectingStream.Options<E>) {
      const dials: Array<number> = []
      const begun = yield* Clock.currentTimeMillis
      const stream = yield* ReconnectingStream.make(
        {
          exchangeName: "scripted",
          connect: Effect.andThen(Effect.map(Clock.currentTimeMillis, (now) => void dials.push(now - begun)), dial),
          subscribe: () => Effect.void,
          nextEvent: Effect.never
        },
        adaptive,
        options
      )
      const dialing = yield* Effect.forkChild(stream.connect, { startImmediately: true })
      yield* TestClock.adjust("12 seconds")
      yield* Fiber.interrupt(dialing)
      return dials.slice(0, 4)
    }
  )
  const tagged = (_tag: string) => Effect.fail({ _tag })

  it.effect("three dials in a row that nobody answers are a dead path, by the tag or by what the options say", () =>
    Effect.gen(function*() {
      const dead = [0, 100, 300, 8300]
      assert.deepStrictEqual(yield* waits(tagged("Refused")), [0, 100, 300, 700])
      assert.deepStrictEqual(yield* waits(Effect.fail(undefined)), [0, 100, 300, 700])
      assert.deepStrictEqual(yield* waits(tagged("Unreachable")), dead)
      assert.deepStrictEqual(yield* waits(tagged("Slow"), { kind: () => "TimedOut" }), dead)
      assert.deepStrictEqual(yield* waits(tagged("Unreachable"), { kind: () => "Refused" }), [0, 100, 300, 700])
      // The timeout of a dial is no error of the source, whatever the options say of those.
      assert.deepStrictEqual(yield* waits(Effect.never, { kind: () => "Refused" }), [0, 1100, 2300, 11_300])
    }))
})
