import { assert, describe, it } from "@effect/vitest"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import * as UtcParts from "../src/value/internal/utcParts.ts"

const shown = (timestamp: Timestamp.Timestamp | undefined): string | undefined =>
  timestamp === undefined
    ? undefined
    : `${timestamp.epochSeconds} ${timestamp.nanos} ${timestamp.digits} ${timestamp.finer}`

const grammar = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,30}))?(?:Z|([+-])(\d{2}):?(\d{2}))$/
const digitsOf9 = (text: string): number => Number(text.slice(0, 9).padEnd(9, "0"))

/** ISO-8601 the slow way: a pattern for the grammar, `Date` for the calendar. */
const reference = (text: string): string | undefined => {
  const match = grammar.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, fraction = "", sign, hours = "0", minutes = "0"] = match
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  date.setUTCHours(Number(hour), Number(minute), Number(second))
  const isReal = date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(day) &&
    Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60 && Number(hours) < 24 && Number(minutes) < 60
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -60 : 60)
  const seconds = date.getTime() / 1000 - offset
  if (!isReal || seconds < -62_167_219_200 || seconds > 253_402_300_799) return undefined
  return `${seconds} ${digitsOf9(fraction)} ${fraction.length} ${fraction.slice(9)}`
}

const characters = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))

describe("Timestamp, at its edges", () => {
  it("agrees with a pattern and Date wherever one character is another, is missing or comes twice", () => {
    const wrong: Array<string> = []
    for (
      const text of [
        "2024-02-29T23:59:59Z",
        "2019-10-31T19:09:08.123456789Z",
        "1999-12-30T09:30:00.5+05:45",
        "2001-09-19T20:00:59-2359",
        "0000-01-01T00:00:00.1234567891+00:00",
        "9999-12-31T23:59:59.9999999999999Z"
      ]
    ) {
      for (let at = 0; at <= text.length; at++) {
        const others = [
          ...characters.map((character) => text.slice(0, at) + character + text.slice(at + 1)),
          text.slice(0, at) + text.slice(at + 1),
          text.slice(0, at) + text.slice(at - 1)
        ]
        for (const other of others) if (shown(Timestamp.fromIso(other)) !== reference(other)) wrong.push(other)
      }
    }
    assert.deepStrictEqual(wrong, [])
  })

  it("agrees with them on every pair of digits in every place, with every length of fraction and every offset", () => {
    const wrong: Array<string> = []
    const look = (text: string) => shown(Timestamp.fromIso(text)) === reference(text) || wrong.push(text)
    for (let pair = 0; pair < 100; pair++) {
      const two = String(pair).padStart(2, "0")
      for (const date of [`${two}04-02-29`, `20${two}-02-29`, `19${two}-03-01`, `2023-${two}-31`, `2023-${two}-30`]) {
        look(`${date}T00:00:00Z`)
      }
      for (const month of ["02", "04", "12"]) look(`2023-${month}-${two}T01:02:03Z`)
      for (const clock of [`${two}:01:02`, `23:${two}:02`, `00:59:${two}`]) look(`2023-06-07T${clock}Z`)
      for (const zone of [`+${two}:01`, `-${two}:01`, `+01:${two}`, `-23${two}`]) look(`2023-06-07T12:00:00${zone}`)
    }
    for (let digits = 0; digits <= 31; digits++) {
      for (const digit of ["0", "9"]) look(`2023-06-07T12:00:00.${digit.repeat(digits)}Z`)
    }
    for (const far of ["0000-01-01T00:00:00+00:01", "0000-01-01T00:01:00+00:01", "0000-01-01T00:00:00-00:01"]) look(far)
    for (const far of ["9999-12-31T23:59:59-00:01", "9999-12-31T23:58:59-00:01", "9999-12-31T23:59:59+00:01"]) look(far)
    assert.deepStrictEqual(wrong, [])
  })

  it("reads a time that a pattern has parted as it reads the whole one", () => {
    for (let pair = 0; pair < 100; pair++) {
      const two = String(pair).padStart(2, "0")
      for (
        const [date, clock] of [
          [`20${two}-02-29`, "01:02:03"],
          [`${two}24-11-30`, "01:02:03"],
          [`2023-${two}-31`, "23:59:59"],
          [`2023-09-${two}`, "20:00:00"],
          ["2024-02-28", `${two}:00:00`],
          ["2024-02-29", `00:${two}:00`],
          ["2024-03-01", `00:00:${two}`]
        ] as const
      ) {
        for (const fraction of [undefined, "0", "5", "01", "123456789", "999999999".slice(0, 1 + pair % 9)]) {
          const whole = fraction === undefined ? `${date}T${clock}Z` : `${date}T${clock}.${fraction}Z`
          // Twice: the second time the date is that of the time before.
          for (let time = 0; time < 2; time++) {
            assert.deepStrictEqual(
              shown(UtcParts.fromUtcParts(date, clock, fraction)),
              shown(Timestamp.fromIso(whole)),
              whole
            )
          }
        }
      }
    }
  })

  it("tells the unit of Unix time by its magnitude, at each length and between", () => {
    for (let length = 1; length <= 21; length++) {
      for (const text of ["1".repeat(length), "9".repeat(length), `1${"0".repeat(length - 1)}`]) {
        for (const fraction of ["", "0", "25", "123456789123", "1".repeat(30 - 9), "1".repeat(30)]) {
          const written = fraction === "" ? text : `${text}.${fraction}`
          const unit = length <= 11 ? 0 : length <= 14 ? 3 : length <= 17 ? 6 : 9
          const seconds = Number(text.slice(0, length - unit))
          const parts = text.slice(length - unit) + fraction
          const isReal = length <= 20 && seconds <= 253_402_300_799 && parts.length <= 30
          const expected = isReal ? `${seconds} ${digitsOf9(parts)} ${parts.length} ${parts.slice(9)}` : undefined
          assert.strictEqual(shown(Timestamp.parse(written)), expected, written)
        }
      }
    }
    for (
      const text of ["", ".5", "1.", "1..2", "-1", "+1", " 1", "1 ", "17616528001x3", "/761652800123", "176165280012:"]
    ) {
      assert.isUndefined(Timestamp.parse(text), text)
    }
    assert.isUndefined(Timestamp.parse(`1.${"1".repeat(31)}`))
    assert.strictEqual(shown(Timestamp.parse("1.5e12")), "1500000000 0 3 ")
    assert.strictEqual(shown(Timestamp.parse("15e-1")), "1 500000000 1 ")
  })

  it("orders by seconds, then nanoseconds, then what is finer", () => {
    const times = [
      "0000-01-01T00:00:00Z",
      "1969-12-31T23:59:59.999999999Z",
      "1970-01-01T00:00:00Z",
      "1970-01-01T00:00:00.0000000001Z",
      "1970-01-01T00:00:00.00000000012Z",
      "1970-01-01T00:00:00.0000000002Z",
      "1970-01-01T00:00:00.000000001Z",
      "1970-01-01T00:00:01Z",
      "9999-12-31T23:59:59.999999999Z"
    ].map((text) => Timestamp.fromIso(text))
    for (const [i, left] of times.entries()) {
      for (const [k, right] of times.entries()) {
        assert.isTrue(left !== undefined && right !== undefined)
        if (left === undefined || right === undefined) continue
        assert.strictEqual(Timestamp.TimestampOrder(left, right), Math.sign(i - k))
        assert.strictEqual(Equal.equals(left, right), i === k)
      }
    }
    assert.isFalse(Equal.equals(times[0], "0000-01-01T00:00:00Z"))
  })

  it("brings a clock's reading to the nearest millisecond below, within its years", () => {
    const first = Date.parse("0000-01-01T00:00:00.000Z")
    const last = Date.parse("9999-12-31T23:59:59.999Z")
    for (
      const [millis, expected] of [
        [first, first],
        [first - 1, first],
        [first + 1, first + 1],
        [last, last],
        [last + 1, last],
        [last - 1, last - 1],
        [-0.5, -1],
        [0.999, 0],
        [1999, 1999]
      ] as const
    ) {
      const timestamp = Timestamp.fromEpochMillis(millis)
      assert.strictEqual(Timestamp.epochMillis(timestamp), expected)
      assert.strictEqual(Timestamp.toEpochNanos(timestamp), BigInt(expected) * 1_000_000n)
      assert.strictEqual(Timestamp.format(timestamp), new Date(expected).toISOString())
      assert.strictEqual(timestamp.digits, 3)
    }
  })

  it("is printed in JSON and by String as it is formatted", () => {
    const timestamp = Timestamp.fromIso("2025-10-28T14:00:00.100+02:00")
    assert.strictEqual(JSON.stringify({ timestamp }), "{\"timestamp\":\"2025-10-28T12:00:00.100Z\"}")
    assert.strictEqual(String(timestamp), "2025-10-28T12:00:00.100Z")
    assert.isFalse(Timestamp.isTimestamp("2025-10-28T12:00:00.100Z"))
  })

  it.effect("says what it expected of a text", () =>
    Effect.gen(function*() {
      for (
        const [codec, expected] of [
          [Timestamp.FromText, "an ISO-8601 or Unix timestamp"],
          [Timestamp.FromIso, "an ISO-8601 timestamp"]
        ] as const
      ) {
        const refused = yield* Effect.flip(Schema.decodeEffect(codec)("noon"))
        assert.include(refused.message, expected)
      }
    }))
})
