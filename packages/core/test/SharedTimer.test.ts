import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as SharedTimer from "../src/value/internal/sharedTimer.ts"

/** Sets alarms, and writes down which were due and when, in virtual milliseconds. */
const alarms = Effect.gen(function*() {
  const context = yield* Effect.context<never>()
  const clock = yield* TestClock.testClockWith(Effect.succeed)
  const due: Array<string> = []
  const set = (name: string, millis: number, onDue: () => void = () => {}): () => void => {
    const alarm = SharedTimer.after(context, Duration.millis(millis), () => {
      due.push(`${name} ${clock.currentTimeMillisUnsafe()}`)
      onDue()
    })
    return () => alarm.cancel()
  }
  return { set, due }
})

describe("SharedTimer", () => {
  it.effect("calls each back when its own time has passed, however many wait", () =>
    Effect.gen(function*() {
      const { due, set } = yield* alarms
      set("a", 100)
      yield* TestClock.adjust(30)
      set("b", 100)
      yield* TestClock.adjust(1)
      set("c", 100)
      set("short", 10)
      yield* TestClock.adjust(68)
      assert.deepStrictEqual(due, ["short 41"])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(due, ["short 41", "a 100"])
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(due, ["short 41", "a 100", "b 130", "c 131"])
    }))

  it.effect("calls those who ask at one instant in their turn, among what else is due then", () =>
    Effect.gen(function*() {
      const { due, set } = yield* alarms
      const sleep = (name: string) =>
        Effect.forkScoped(Effect.andThen(Effect.sleep(100), Effect.sync(() => void due.push(name))), {
          startImmediately: true
        })
      set("a", 100)
      yield* sleep("between")
      const second = set("b", 100)
      set("c", 100)
      yield* sleep("last")
      second()
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(due, ["a 100", "between", "c 100", "last"])
    }))

  it.effect("calls nobody back who has taken it back, and those behind all the same", () =>
    Effect.gen(function*() {
      const { due, set } = yield* alarms
      const first = set("first", 100)
      yield* TestClock.adjust(50)
      set("second", 100)
      first()
      first()
      yield* TestClock.adjust(50)
      assert.deepStrictEqual(due, [])
      yield* TestClock.adjust(50)
      assert.deepStrictEqual(due, ["second 150"])
    }))

  it.effect("begins anew when all have been called or have taken it back", () =>
    Effect.gen(function*() {
      const { due, set } = yield* alarms
      set("taken back", 100)()
      set("a", 100)
      yield* TestClock.adjust(1_000)
      set("b", 100)
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(due, ["a 100", "b 1100"])
    }))

  it.effect("lets who is called back set others and take them back", () =>
    Effect.gen(function*() {
      const { due, set } = yield* alarms
      let other = (): void => {}
      set("a", 100, () => {
        other()
        set("again", 100, () => void set("again", 100))
      })
      other = set("b", 100)
      yield* TestClock.adjust(100)
      set("c", 100)
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(due, ["a 100", "again 200", "c 200", "again 300"])
    }))

  it.effect("calls nobody back before it has returned, though the time has passed by then", () =>
    Effect.gen(function*() {
      const clock = yield* TestClock.testClockWith(Effect.succeed)
      let reads = 0n
      // As after a process was stopped: five milliseconds later at each look.
      const leaping: Clock.Clock = Object.assign(Object.create(clock), {
        monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe() + 5_000_000n * reads++
      })
      const due: Array<string> = []
      const set = (name: string) =>
        SharedTimer.after(Context.make(Clock.Clock, leaping), Duration.millis(1), () => void due.push(name))
      for (const name of ["a", "b"]) {
        set(name)
        assert.notInclude(due, name)
        yield* TestClock.adjust(1)
        assert.include(due, name)
      }
    }))

  it.effect("holds no time up: what waits for nothing is due in a millisecond, and what waits for ever never", () =>
    Effect.gen(function*() {
      const { due, set } = yield* alarms
      set("at once", 0)
      set("never", Infinity)
      assert.deepStrictEqual(due, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(due, ["at once 1"])
      yield* TestClock.adjust("1000 days")
      assert.lengthOf(due, 1)
    }))

  it("keeps nothing alive when nobody waits any more", () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length
    const before = timers()
    const wait = () => SharedTimer.after(Context.empty(), Duration.minutes(1), () => {})
    const [first, second] = [wait(), wait()]
    assert.strictEqual(timers(), before + 1)
    first.cancel()
    assert.strictEqual(timers(), before + 1)
    second.cancel()
    assert.strictEqual(timers(), before)
  })

  it("whoever keeps an alarm that is over keeps none of those that waited beside it", async () => {
    setFlagsFromString("--expose-gc")
    const collect: () => void = runInNewContext("gc")
    const wait = (onDue: () => void) => SharedTimer.after(Context.empty(), Duration.minutes(1), onDue)
    const nothing = (): void => {}
    const kept = [wait(nothing), wait(nothing)]
    const beside = (): WeakRef<object> => {
      const held = { of: "another" }
      const alarm = wait(() => void held)
      kept.push(wait(nothing))
      for (const one of kept) one.cancel()
      alarm.cancel()
      return new WeakRef(held)
    }
    const held = beside()
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    assert.isUndefined(held.deref())
    assert.lengthOf(kept, 3)
  })
})
