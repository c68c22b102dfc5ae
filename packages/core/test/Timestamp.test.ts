import { assert, describe, it } from "@effect/vitest"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Schema from "effect/Schema"
import * as UtcParts from "../src/value/internal/utcParts.ts"

const round = (text: string): string | undefined => {
  const timestamp = Timestamp.parse(text)
  return timestamp === undefined ? undefined : Timestamp.format(timestamp)
}

const some = (text: string): Timestamp.Timestamp => {
  const timestamp = Timestamp.parse(text)
  assert.isDefined(timestamp)
  return timestamp
}

describe("Timestamp", () => {
  const read: ReadonlyArray<readonly [text: string, printed: string]> = [
    ["2021-04-17T16:43:29.571587Z", "2021-04-17T16:43:29.571587Z"],
    ["2025-10-28T12:00:00Z", "2025-10-28T12:00:00Z"],
    ["2025-10-28T12:00:00.0Z", "2025-10-28T12:00:00.0Z"],
    ["2025-10-28T12:00:00.100000000Z", "2025-10-28T12:00:00.100000000Z"],
    ["2025-10-28T12:00:00.123456789123Z", "2025-10-28T12:00:00.123456789123Z"],
    ["2025-10-28T12:00:00+02:00", "2025-10-28T10:00:00Z"],
    ["2025-10-28T00:30:00.5-0130", "2025-10-28T02:00:00.5Z"],
    ["2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"],
    ["2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"],
    ["0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"],
    ["1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
    ["1761652800", "2025-10-28T12:00:00Z"],
    ["1761652800.25", "2025-10-28T12:00:00.25Z"],
    ["1761652800123", "2025-10-28T12:00:00.123Z"],
    ["1761652800000", "2025-10-28T12:00:00.000Z"],
    ["1761652800123456", "2025-10-28T12:00:00.123456Z"],
    ["1761652800123456789", "2025-10-28T12:00:00.123456789Z"],
    ["1.7616528e9", "2025-10-28T12:00:00Z"],
    ["0", "1970-01-01T00:00:00Z"]
  ]
  for (const [text, printed] of read) it(`reads ${text}`, () => assert.strictEqual(round(text), printed))

  for (
    const text of ["", "x", "2025-10-28", "2025-10-28T12:00:00", "2025-10-28 12:00:00Z", "2025-10-28T12:00Z"]
      .concat(["2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z", "2025-04-31T00:00:00Z", "2025-02-29T00:00:00Z"])
      .concat(["1900-02-29T00:00:00Z", "2025-10-00T00:00:00Z", "2025-10-28T24:00:00Z", "2025-10-28T12:60:00Z"])
      .concat(["2016-12-31T23:59:60Z", "2025-10-28T12:00:00.Z", "2025-10-28T12:00:00+25:00", "2025-10-28T12:00:00+02"])
      .concat(["2025-10-28T12:00:00ZZ", "2025-10-28T12:00:00Z ", "2025-1a-28T12:00:00Z", "20a5-10-28T12:00:00Z"])
      .concat(["9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01", "-1", "1e30", "NaN", "1.2.3"])
      .concat([`2025-10-28T12:00:00.${"1".repeat(31)}Z`, "2025-10-28T12:00:0", "2025-10-28T12:00:00+0:000"])
  ) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.isUndefined(Timestamp.parse(text)))
  }

  it("agrees with Date on every day of 800 years", () => {
    const day = 86_400_000
    const wrong: Array<string> = []
    for (let at = Date.UTC(1800, 0, 1); at < Date.UTC(2600, 0, 1); at += day) {
      const text = new Date(at).toISOString()
      const timestamp = Timestamp.parse(text)
      if (timestamp === undefined || Timestamp.epochMillis(timestamp) !== at || String(timestamp) !== text) {
        wrong.push(text)
      }
    }
    assert.deepStrictEqual(wrong, [])
  })

  it("reads parted times as whole ones", () => {
    for (const [date, clock, fraction] of [["2024-02-29", "23:59:59", "000000001"], ["2024-03-01", "00:00:00", "5"]]) {
      const parted = UtcParts.fromUtcParts(String(date), String(clock), fraction)
      assert.deepStrictEqual(parted, Timestamp.fromIso(`${date}T${clock}.${fraction}Z`))
    }
    assert.deepStrictEqual(
      UtcParts.fromUtcParts("1969-12-31", "00:00:00", undefined),
      Timestamp.fromIso("1969-12-31T00:00:00Z")
    )
    for (const bad of [["2023-02-29", "00:00:00"], ["2023-02-28", "24:00:00"], ["2023-02-28", "00:60:00"]]) {
      assert.isUndefined(UtcParts.fromUtcParts(String(bad[0]), String(bad[1]), undefined))
    }
    assert.isUndefined(UtcParts.fromUtcParts("2023-02-29", "00:00:00", undefined))
  })

  it("gives numbers of its instant", () => {
    const timestamp = some("2021-04-17T16:43:29.571587123Z")
    assert.strictEqual(Timestamp.toEpochNanos(timestamp), 1_618_677_809_571_587_123n)
    assert.strictEqual(Timestamp.epochMillis(timestamp), 1_618_677_809_571)
    assert.strictEqual(Timestamp.epochMillis(some("1969-12-31T23:59:59.9999Z")), -1)
    assert.strictEqual(Timestamp.format(Timestamp.fromEpochMillis(1_618_677_809_571.9)), "2021-04-17T16:43:29.571Z")
    assert.strictEqual(Timestamp.format(Timestamp.fromEpochMillis(-1)), "1969-12-31T23:59:59.999Z")
  })

  it("is equal to the same instant, however precisely written", () => {
    const coarse = some("2025-10-28T12:00:00Z")
    const fine = some("2025-10-28T14:00:00.000000000000+02:00")
    assert.isTrue(Equal.equals(coarse, fine))
    assert.strictEqual(Hash.hash(coarse), Hash.hash(fine))
    assert.isFalse(Equal.equals(coarse, some("2025-10-28T12:00:00.000000000001Z")))
    assert.strictEqual(Timestamp.TimestampOrder(coarse, some("2025-10-28T12:00:00.000000001Z")), -1)
    assert.strictEqual(Timestamp.TimestampOrder(some("2025-10-28T12:00:00.0000000000002Z"), coarse), 1)
  })

  it.effect("is a codec", () =>
    Effect.gen(function*() {
      const timestamp = yield* Schema.decodeEffect(Timestamp.FromText)("1761652800000")
      assert.strictEqual(yield* Schema.encodeEffect(Timestamp.FromText)(timestamp), "2025-10-28T12:00:00.000Z")
      const refused = yield* Effect.flip(Schema.decodeEffect(Timestamp.FromIso)("1761652800000"))
      assert.include(refused.message, "ISO-8601")
    }))
})
