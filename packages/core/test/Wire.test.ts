/** What the venues' decoders have in common: cells and rows, times, and how much a frame may become. */
import { assert, describe, it } from "@effect/vitest"
import { JsonNumber, type JsonObject } from "@tickline/core/codec/ExactJson"
import * as Message from "@tickline/core/codec/Message"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as MarketData from "@tickline/core/event/MarketData"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as VenueMessage from "@tickline/core/event/VenueMessage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as BigDecimal from "effect/BigDecimal"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as BookRows from "../src/codec/internal/bookRows.ts"
import { limitExpansion } from "../src/codec/internal/expansionLimit.ts"
import * as JsonText from "../src/codec/internal/jsonText.ts"
import * as MemberSchemas from "../src/codec/internal/memberSchemas.ts"

const Levels = BookRows.rows((rows) => BookRows.pairs(rows, false))
const venue = "any"
const product = "A"

/** A decimal whose plain notation has so many zeros of its own, before the point or after it. */
const zeros = (many: number): Decimal.Decimal => BigDecimal.make(1n, -many)
const none = zeros(0)

describe("how much a frame may become", () => {
  const events = (many: number): Readonly<Record<string, ReadonlyArray<MarketEvent.MarketEvent>>> => {
    const some = zeros(many)
    const book = { venue, product, bids: [], asks: [] }
    return {
      "a trade's price": [new MarketData.Trade({ venue, product, price: some, size: none })],
      "a trade's size": [new MarketData.Trade({ venue, product, price: none, size: some })],
      "a small size": [new MarketData.Trade({ venue, product, price: none, size: zeros(-many) })],
      "a quote": [new MarketData.Ticker({ venue, product, ask: some })],
      "a bid's price": [new MarketData.BookSnapshot({ ...book, bids: [[some, none]] })],
      "a bid's size": [new MarketData.BookDelta({ ...book, bids: [[none, some]] })],
      "an ask's price": [new MarketData.BookDelta({ ...book, asks: [[some, none]] })],
      "an ask's size": [new MarketData.BookSnapshot({ ...book, asks: [[none, some]] })],
      "two levels and a trade": [
        new MarketData.BookDelta({ ...book, bids: [[zeros(7), zeros(-5)]], asks: [[none, zeros(3)]] }),
        new VenueMessage.Heartbeat({ venue, kind: "x" }),
        new MarketData.Trade({ venue, product, price: zeros(many - 15), size: none })
      ]
    }
  }
  // Only exponents are longer in plain notation than as they are written.
  const frame = "1e9".padEnd(16_385, "x")
  const most = 8 * frame.length
  for (const name of Object.keys(events(0))) {
    it(`${name}: eight times a long frame's length in zeros, and no more`, () => {
      const of = (many: number, text: string) => limitExpansion(venue, () => events(many)[name] ?? [])(text)
      assert.deepStrictEqual(of(most, frame), events(most)[name])
      assert.deepInclude(of(most + 1, frame), {
        _tag: "FrameRejected",
        venue,
        reason: "TooLarge",
        message: `more than ${most} digits of exponents in plain notation`
      })
      assert.deepStrictEqual(of(most * 2, frame.slice(0, -1)), events(most * 2)[name])
    })
  }

  for (const text of ["1E9", "2e-7", "3E+1"]) {
    it(`looks at a long frame with ${text}, which no exponent is too small for`, () => {
      const decode = limitExpansion(venue, () => events(most + 1)["a quote"] ?? [])
      assert.propertyVal(decode(text.padEnd(16_385, "x")), "reason", "TooLarge")
      assert.deepStrictEqual(decode("type 1 e 9 e9 1e".padEnd(16_385, "x")), events(most + 1)["a quote"])
    })
  }

  it("a rejection of a long frame stays what it is", () => {
    const rejected = Rejection.frameRejected(venue, "TooLarge", undefined, "no")
    assert.strictEqual(limitExpansion(venue, () => rejected)(frame), rejected)
  })
})

const shown = (read: unknown): unknown =>
  read instanceof BookRows.BadCell
    ? `${read.path.map(String).join(".")}: ${read.expected ?? "missing"}`
    : Array.isArray(read)
    ? read.map(shown)
    : BigDecimal.isBigDecimal(read)
    ? Decimal.format(read)
    : read

describe("rows", () => {
  it("a cell is a decimal, or names itself and what was expected of it", () => {
    assert.strictEqual(shown(BookRows.decimalCell(["1.50"], 3, 0)), "1.50")
    assert.strictEqual(shown(BookRows.decimalCell(["1.50"], 3, 1)), "3.1: missing")
    assert.strictEqual(shown(BookRows.decimalCell([], 3, 0)), "3.0: missing")
    assert.strictEqual(shown(BookRows.decimalCell([1.5], 3, 0)), "3.0: string")
    assert.strictEqual(shown(BookRows.decimalCell(["x"], 3, 0)), "3.0: a decimal")
    assert.strictEqual(shown(BookRows.decimalCell(["1".repeat(1_001)], 3, 0)), "3.0: at most 1000 digits")
  })

  it("a level is a pair, or an object of a price and a size in any order", () => {
    const read = (row: unknown) => shown(BookRows.level(row, 2, "px", "sz"))
    assert.deepStrictEqual(read(["1", "2"]), ["1", "2"])
    assert.deepStrictEqual(read(["1", "2", "x"]), ["1", "2"])
    assert.deepStrictEqual(read({ px: "1", sz: "2", n: "x" }), ["1", "2"])
    assert.deepStrictEqual(read({ sz: "2", px: "1" }), ["1", "2"])
    for (
      const [row, words] of [
        [["x", "2"], "2.0: a decimal"],
        [["1", "x"], "2.1: a decimal"],
        [["1"], "2.1: missing"],
        [[], "2.0: missing"],
        [{ px: "x", sz: "y" }, "2.px: a decimal"],
        [{ sz: "y", px: "x" }, "2.sz: a decimal"],
        [{ px: "1" }, "2.sz: missing"],
        [{ sz: "1" }, "2.px: missing"],
        [{}, "2.px: missing"],
        ["x", "2: object"],
        [null, "2: object"],
        [undefined, "2: object"],
        [new JsonNumber("1"), "2: object"]
      ] as const
    ) {
      assert.strictEqual(read(row), words)
    }
  })

  it("the first bad row of a list is named", () => {
    const read = (rows: ReadonlyArray<unknown>) => shown(BookRows.levelsOf(rows, "px", "sz"))
    assert.deepStrictEqual(read([]), [])
    assert.deepStrictEqual(read([["1", "2"], ["3", "4"]]), [["1", "2"], ["3", "4"]])
    assert.strictEqual(read([["1", "2"], ["3", "x"], ["y"]]), "1.1: a decimal")
  })

  it("rows of two strings are an array of arrays", () => {
    const read = (value: unknown): string => {
      const exit = Schema.decodeUnknownExit(Levels)(value)
      return Exit.isSuccess(exit) ? JSON.stringify(shown(exit.value)) : String(exit.cause)
    }
    assert.strictEqual(read([]), "[]")
    assert.strictEqual(read([["1", "2", 3], ["4", "5"]]), "[[\"1\",\"2\"],[\"4\",\"5\"]]")
    for (const other of ["x", null, {}]) assert.match(read(other), /Expected array/)
    assert.match(read([["1", "2"], { 0: "1", 1: "2" }]), /Expected array[^]*\[1\]/)
    assert.match(read([["1"]]), /Missing key[^]*\[0\]\[1\]/)
    assert.match(read([["x", "1"]]), /Expected a decimal[^]*\[0\]\[0\]/)
    assert.match(read([["1", "x"]]), /Expected a decimal[^]*\[0\]\[1\]/)
  })
})

describe("members", () => {
  const succeeds = (schema: Schema.Codec<unknown, unknown>, value: unknown): boolean =>
    Exit.isSuccess(Schema.decodeUnknownExit(schema)(value))

  it("decimals and times are texts or numbers, ids are not empty", () => {
    for (const value of ["1.50", new JsonNumber("1.50")]) {
      assert.strictEqual(shown(Schema.decodeUnknownSync(MemberSchemas.DecimalOfNumber)(value)), "1.50")
    }
    for (const value of ["1700000000123", new JsonNumber("1700000000123"), "2023-11-14T22:13:20.123Z"]) {
      assert.strictEqual(
        String(Schema.decodeUnknownSync(MemberSchemas.TimestampText)(value)),
        "2023-11-14T22:13:20.123Z"
      )
    }
    for (const value of ["7", new JsonNumber("7")]) {
      assert.strictEqual(Schema.decodeUnknownSync(MemberSchemas.Id)(value), "7")
    }
    for (const schema of [MemberSchemas.DecimalOfNumber, MemberSchemas.TimestampText, MemberSchemas.Id]) {
      for (const value of ["", null, true, 7]) assert.isFalse(succeeds(schema, value))
    }
  })

  it("an optional decimal is absent, null or empty where there is none", () => {
    const kind = Message.make(
      { a: Message.decimalIfAny, b: Message.optional(Message.string) },
      ({ a, b }) => [{ a: shown(a), b }]
    )
    const value = (json: JsonObject): unknown => kind.read("test", json)
    assert.deepStrictEqual(value({ a: "1.50" }), [{ a: "1.50", b: undefined }])
    for (const json of [{}, { a: null }, { a: "" }]) {
      assert.deepStrictEqual(value({ ...json, b: null }), [{ a: undefined, b: undefined }])
    }
    assert.deepStrictEqual(value({ b: "" }), [{ a: undefined, b: "" }])
  })

  it("milliseconds are a whole number of up to fifteen digits, whatever its magnitude", () => {
    assert.strictEqual(String(MemberSchemas.millis("0")), "1970-01-01T00:00:00.000Z")
    assert.strictEqual(String(MemberSchemas.millis("1700000000123")), "2023-11-14T22:13:20.123Z")
    assert.strictEqual(String(MemberSchemas.millis("000000000000001")), "1970-01-01T00:00:00.001Z")
    for (const text of ["", "1.0", "-1", "1e3", "1".repeat(16), " 1"]) {
      assert.isUndefined(MemberSchemas.millis(text), text)
    }
    const read = Schema.decodeUnknownSync(MemberSchemas.Millis)(new JsonNumber("1000"))
    assert.isTrue(Timestamp.isTimestamp(read))
    assert.strictEqual(String(read), "1970-01-01T00:00:01.000Z")
    assert.throws(
      () => Schema.decodeUnknownSync(MemberSchemas.Millis)(new JsonNumber("1.5")),
      /milliseconds since 1970/
    )
    assert.isFalse(succeeds(MemberSchemas.Millis, "1000"))
  })

  it("any of some names is an object's own, with a value or without", () => {
    assert.isTrue(MemberSchemas.hasAny({ b: null }, "a", "b"))
    assert.isFalse(MemberSchemas.hasAny({ c: null }, "a", "b", "toString"))
  })

  it("what is exact is plain for who knows nothing of exact numbers", () => {
    const plain = JsonText.plain({ a: [new JsonNumber("1.0"), null, true, "x"], b: {} })
    assert.deepStrictEqual(plain, { a: ["1.0", null, true, "x"], b: {} })
  })
})
