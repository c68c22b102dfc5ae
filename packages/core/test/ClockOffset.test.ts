import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import * as ClockOffset from "../src/session/ClockOffset.ts"
import * as ClockSamples from "../src/session/internal/clockSamples.ts"

const sample = (sentAt: number, out: number, back: number, offset: number): ClockSamples.Sample => ({
  sentAt,
  receivedAt: sentAt + out + back,
  venueAt: sentAt + out + offset
})

const windowMillis = 1_000
const over = (samples: ReadonlyArray<ClockSamples.Sample>) =>
  samples.reduce<ReadonlyArray<ClockSamples.Sample>>((known, one) => ClockSamples.add(known, one, windowMillis), [])

it("believes the pair with the least round trip", () => {
  const kept = over([sample(0, 40, 10, 250), sample(100, 6, 4, 250), sample(200, 5, 90, 250)])
  assert.deepStrictEqual(ClockSamples.estimate(kept), { offsetMillis: 251, uncertaintyMillis: 5 })
  assert.isUndefined(ClockSamples.estimate([]))
})

it("forgets the best one with its window, and then believes the best of the others", () => {
  const kept = over([sample(0, 1, 1, 10), sample(500, 20, 20, 10), sample(600, 8, 4, 10), sample(1_010, 30, 30, 10)])
  assert.deepStrictEqual(ClockSamples.estimate(kept), { offsetMillis: 12, uncertaintyMillis: 6 })
})

it.effect("is right within its uncertainty whatever the ways there and back", () =>
  Effect.gen(function*() {
    for (let run = 0; run < 200; run++) {
      const offset = yield* Random.nextIntBetween(-1_000_000, 1_000_000)
      const all: Array<ClockSamples.Sample> = []
      let at = 0
      for (let i = yield* Random.nextIntBetween(1, 100); i > 0; i--) {
        const [wait, out, back] = [
          yield* Random.nextIntBetween(0, 400),
          yield* Random.nextIntBetween(0, 400),
          yield* Random.nextIntBetween(0, 400)
        ]
        at += wait
        all.push(sample(at, out, back, offset))
      }
      all.sort((a, b) => a.receivedAt - b.receivedAt)
      const { offsetMillis = NaN, uncertaintyMillis = NaN } = ClockSamples.estimate(over(all)) ?? {}
      const since = (all.at(-1)?.receivedAt ?? 0) - windowMillis
      const trips = all.filter(({ receivedAt }) => receivedAt > since)
        .map(({ receivedAt, sentAt }) => receivedAt - sentAt)
      assert.isAtMost(Math.abs(offsetMillis - offset), uncertaintyMillis)
      assert.strictEqual(uncertaintyMillis, Math.min(...trips) / 2)
    }
  }).pipe(Random.withSeed("clock offset")))

it("keeps few samples, the newest among them", () => {
  const slower = over(Array.from({ length: 500 }, (_, i) => sample(i, i / 2, i / 2, 7)))
  assert.strictEqual(slower.length, 64)
  assert.strictEqual(slower.at(-1)?.sentAt, 499)
})

it("passes over what is no pair", () => {
  const known = over([sample(0, 5, 5, 3)])
  for (const venueAt of [Number.NaN, Infinity]) {
    assert.strictEqual(ClockSamples.add(known, { sentAt: 20, receivedAt: 21, venueAt }, windowMillis), known)
  }
  assert.strictEqual(ClockSamples.add(known, { sentAt: 21, receivedAt: 20, venueAt: 9 }, windowMillis), known)
})

it.effect("gives the venue's time without waiting, through a step of the wall clock, and tells its drift", () =>
  Effect.gen(function*() {
    const gauge = (name: string) =>
      Effect.map(
        Metric.snapshot,
        (all) =>
          all.flatMap(({ attributes, id, state }) =>
            id === name && attributes?.["connection"] === "deribit" && "value" in state ? [state.value] : []
          )
      )
    yield* TestClock.setTime(1_000_000)
    // The wall clock of this machine, which somebody sets while the monotonic one goes on.
    const clock = yield* Clock.Clock
    let set = 0
    const wall: Clock.Clock = Object.assign(Object.create(clock), {
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + set
    })
    const offset = yield* Effect.provideService(ClockOffset.make("deribit", { window: "1 minute" }), Clock.Clock, wall)
    assert.strictEqual(offset.venueMillis(), 1_000_000)
    assert.isUndefined(offset.current())
    assert.deepStrictEqual(yield* gauge("tickline_clock_drift_ms"), [0])

    let ahead = 250
    const ask = (out: number, back: number) =>
      offset.measure(Effect.gen(function*() {
        yield* TestClock.adjust(out)
        const at = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
        yield* TestClock.adjust(back)
        return at + ahead
      }))
    yield* ask(10, 10)
    assert.deepStrictEqual(offset.current(), { offsetMillis: 250, uncertaintyMillis: 10 })
    assert.strictEqual(offset.venueMillis(), 1_000_020 + 250)
    assert.deepStrictEqual(yield* gauge("tickline_clock_offset_ms"), [250])
    set = -5_000
    assert.strictEqual(offset.venueMillis(), 1_000_020 + 250)
    assert.deepStrictEqual(offset.current(), { offsetMillis: 5_250, uncertaintyMillis: 10 })
    set = 0
    assert.deepStrictEqual(yield* gauge("tickline_clock_uncertainty_ms"), [10])

    ahead = 280
    yield* TestClock.adjust("1 minute")
    yield* ask(20, 20)
    assert.deepStrictEqual(yield* gauge("tickline_clock_drift_ms"), [30])
    assert.deepStrictEqual(offset.current(), { offsetMillis: 280, uncertaintyMillis: 20 })
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
