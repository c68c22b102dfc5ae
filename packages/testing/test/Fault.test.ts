import { assert, describe, it } from "@effect/vitest"
import * as Fault from "@tickline/testing/Fault"
import * as Result from "effect/Result"

const parsed = (spec: string) => Result.getOrThrow(Fault.parse(spec))

describe("Fault", () => {
  for (
    const [spec, fault] of [
      ["drop@3s/10s", { action: { _tag: "Drop" }, atMillis: 3_000, everyMillis: 10_000 }],
      ["close=1012@500ms", { action: { _tag: "Close", code: 1012 }, atMillis: 500, everyMillis: undefined }],
      ["refuse@0s", { action: { _tag: "Refuse", dials: 1 }, atMillis: 0, everyMillis: undefined }],
      ["refuse=5@3s", { action: { _tag: "Refuse", dials: 5 }, atMillis: 3_000, everyMillis: undefined }],
      ["hang@2m", { action: { _tag: "Hang" }, atMillis: 120_000, everyMillis: undefined }],
      ["status=503@1s", {
        action: { _tag: "Status", status: 503, retryAfterSeconds: undefined },
        atMillis: 1_000,
        everyMillis: undefined
      }],
      ["status=429;retry-after=2@13s", {
        action: { _tag: "Status", status: 429, retryAfterSeconds: 2 },
        atMillis: 13_000,
        everyMillis: undefined
      }],
      ["slow=40@1h/2h", { action: { _tag: "Slow", millis: 40 }, atMillis: 3_600_000, everyMillis: 7_200_000 }]
    ] as const
  ) {
    it(`${spec} is read, and written back`, () => {
      assert.deepStrictEqual(parsed(spec), fault)
      assert.strictEqual(Fault.format(fault), spec)
    })
  }

  it("every kind can be written, and every kind without an argument needs none", () => {
    const needed: Record<string, string> = { close: "=1000", status: "=500", slow: "=1" }
    for (const kind of Fault.kinds) {
      const spec = `${kind}${needed[kind] ?? ""}@1500ms`
      assert.strictEqual(Fault.format(parsed(spec)), spec)
    }
    assert.strictEqual(Fault.kinds.length, 14)
  })

  it("durations as Effect writes them, and with a fraction", () => {
    assert.deepInclude(parsed("drop@20 seconds/2 minutes"), { atMillis: 20_000, everyMillis: 120_000 })
    assert.deepInclude(parsed("drop@1.5s"), { atMillis: 1_500 })
  })

  for (
    const [spec, part, expected] of [
      ["", "", "one of drop, close"],
      ["@3s", "@3s", "one of drop, close"],
      ["dorp@3s", "dorp", "one of drop, close"],
      ["constructor@3s", "constructor", "one of drop, close"],
      ["drop", "drop", "@ and a duration"],
      ["drop=1@3s", "drop=1", "no argument"],
      ["drop@", "", "a duration such as 3s"],
      ["drop@3", "3", "a duration such as 3s"],
      ["drop@-3s", "-3s", "a duration such as 3s"],
      ["drop@-3 seconds", "-3 seconds", "a duration such as 3s"],
      ["drop@Infinity", "Infinity", "a duration such as 3s"],
      ["drop@3s/", "", "longer than nothing"],
      ["drop@3s/0s", "0s", "longer than nothing"],
      ["close@3s", "close", "close=CODE"],
      ["close=1006@3s", "close=1006", "a code that may be sent"],
      ["refuse=0@3s", "refuse=0", "the number of dials"],
      ["status=101@3s", "status=101", "200 to 599"],
      ["status=429;retry-after=soon@3s", "status=429;retry-after=soon", "whole seconds"],
      ["slow=fast@3s", "slow=fast", "whole milliseconds"]
    ] as const
  ) {
    it(`${JSON.stringify(spec)} is refused, and says why`, () => {
      const error = Result.getOrThrow(Result.flip(Fault.parse(spec)))
      assert.deepInclude({ ...error }, { spec, part })
      assert.include(error.expected, expected)
      assert.include(error.message, expected)
    })
  }

  it("strikes follow each other in time, at one instant in the order given, repetitions without end", () => {
    const faults = ["drop@3s/10s", "status=429@13s", "lose@3s"].map(parsed)
    const seen: Array<readonly [number, string]> = []
    for (let at = -1; seen.length < 6;) {
      const strike = Fault.next(faults, at)
      if (strike === undefined) break
      at = strike.atMillis
      for (const action of strike.actions) seen.push([at, Fault.formatAction(action)])
    }
    assert.deepStrictEqual(seen, [
      [3_000, "drop"],
      [3_000, "lose"],
      [13_000, "drop"],
      [13_000, "status=429"],
      [23_000, "drop"],
      [33_000, "drop"]
    ])
    assert.isUndefined(Fault.next([parsed("drop@3s")], 3_000))
    assert.isUndefined(Fault.next([], -1))
  })
})
