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

  it("closes with every code that an endpoint may send, and no other", () => {
    const codes = Array.from({ length: 5_002 }, (_, code) => code)
    const read = codes.filter((code) => Result.isSuccess(Fault.parse(`close=${code}@1s`)))
    const [names, private_] = [codes.slice(1_000, 1_015), codes.slice(3_000, 5_000)]
    assert.deepStrictEqual(read, [...names.filter((code) => ![1_004, 1_005, 1_006].includes(code)), ...private_])
    for (const code of ["", "1000.0", "1e3", " 1000", "1000000000"]) {
      assert.isTrue(Result.isFailure(Fault.parse(`close=${code}@1s`)))
    }
  })

  it("answers with every status of 200 to 599, and no other", () => {
    const statuses = Array.from({ length: 1_001 }, (_, status) => status)
    const read = statuses.filter((status) => Result.isSuccess(Fault.parse(`status=${status}@1s`)))
    assert.deepStrictEqual(read, statuses.slice(200, 600))
    assert.isTrue(Result.isFailure(Fault.parse("status@1s")))
  })

  it("counts dials, seconds and milliseconds in up to nine digits", () => {
    assert.deepStrictEqual(parsed("refuse=999999999@1s").action, { _tag: "Refuse", dials: 999_999_999 })
    assert.deepStrictEqual(parsed("slow=999999999@1s").action, { _tag: "Slow", millis: 999_999_999 })
    assert.deepStrictEqual(parsed("slow=0@1s").action, { _tag: "Slow", millis: 0 })
    for (
      const spec of ["refuse=1000000000", "slow=1000000000", "status=500;retry-after=1000000000", "slow", "refuse="]
    ) {
      assert.isTrue(Result.isFailure(Fault.parse(`${spec}@1s`)), spec)
    }
  })

  it("reads each unit of time, and writes each as the largest that holds it whole", () => {
    const times: ReadonlyArray<readonly [text: string, millis: number, written: string]> = [
      ["0ms", 0, "0s"],
      ["1ms", 1, "1ms"],
      ["999ms", 999, "999ms"],
      ["1000ms", 1_000, "1s"],
      ["1001ms", 1_001, "1001ms"],
      ["1m", 60_000, "1m"],
      ["61s", 61_000, "61s"],
      ["60m", 3_600_000, "1h"],
      ["1d", 86_400_000, "24h"],
      ["1.5d", 129_600_000, "36h"],
      ["90m", 5_400_000, "90m"],
      ["0.0004s", 0, "0s"],
      ["0.0005s", 1, "1ms"],
      ["2 hours", 7_200_000, "2h"]
    ]
    for (const [text, millis, written] of times) {
      assert.strictEqual(parsed(`drop@${text}`).atMillis, millis, text)
      assert.strictEqual(Fault.format(parsed(`drop@${text}/3s`)), `drop@${written}/3s`)
    }
    for (const text of ["1w", "1.s", ".5s", "s", "1 ", "NaN"]) {
      assert.isTrue(Result.isFailure(Fault.parse(`drop@${text}`)), text)
    }
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
      ["drop@-1 millis", "-1 millis", "a duration such as 3s"],
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
    const often = [parsed("drop@7s/10s")]
    assert.deepStrictEqual([-1, 6_999, 7_000, 16_999, 17_000, 47_000].map((at) => Fault.next(often, at)?.atMillis), [
      7_000,
      7_000,
      17_000,
      17_000,
      27_000,
      57_000
    ])
    assert.isUndefined(Fault.next([], -1))
  })
})
