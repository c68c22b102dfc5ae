/** Candles by event time. */
import { assert, describe, it } from "@effect/vitest"
import { trade } from "@tickline/core/event/MarketData"
import * as Candles from "@tickline/core/strategy/Candles"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)
const at = (time: string): Timestamp.Timestamp =>
  Timestamp.fromIso(`2025-10-28T${time}Z`) ?? assert.fail(`no time: ${time}`)
const sold = (time: string, price: string, size = "1") => ({
  timestamp: at(time),
  price: decimal(price),
  size: decimal(size)
})

const line = ({ close, from, high, isWhole, low, open, to, trades, volume }: Candles.Candle): string => {
  const clock = (time: Timestamp.Timestamp) => Timestamp.format(time).slice(11, -1)
  const prices = [open, high, low, close].map(Decimal.format).join(" ")
  return `${clock(from)}-${clock(to)} ${prices} × ${Decimal.format(volume)} in ${trades}${isWhole ? "" : " cut"}`
}
const lines = (candles: ReadonlyArray<Candles.Candle>): ReadonlyArray<string> => candles.map(line)

/** What a series of trades gives, candle by candle, without the last. */
const of = (options: Candles.Options, ...trades: ReadonlyArray<ReturnType<typeof sold>>): ReadonlyArray<string> => {
  const candles = Candles.make(options)
  return trades.flatMap((one) => lines(candles.add(one)))
}

describe("Candles", () => {
  it("hold the first, the highest, the lowest and the last price, and the exact volume", () => {
    assert.deepStrictEqual(
      of(
        { interval: "10 seconds" },
        sold("12:00:00", "100.10", "0.1"),
        sold("12:00:03", "101.00", "0.2"),
        sold("12:00:04", "99.99", "0.30"),
        sold("12:00:09.999", "100.50", "1"),
        sold("12:00:10", "100.60")
      ),
      ["12:00:00-12:00:10 100.10 101.00 99.99 100.50 × 1.60 in 4"]
    )
  })

  it("are aligned to the epoch, whatever the interval", () => {
    const candles = Candles.make({ interval: "1 day" })
    candles.add(sold("12:00:00", "1"))
    const current = candles.current()
    assert.deepStrictEqual(current && [current.from, current.to].map(Timestamp.format), [
      "2025-10-28T00:00:00Z",
      "2025-10-29T00:00:00Z"
    ])
    assert.deepStrictEqual(of({ interval: "250 millis" }, sold("12:00:00.3", "1"), sold("12:00:00.5", "2")), [
      "12:00:00.250-12:00:00.500 1 1 1 1 × 1 in 1 cut"
    ])
    for (
      const [interval, from, to] of [
        ["250 micros", "12:00:00.000250", "12:00:00.000500"],
        ["50 nanos", "12:00:00.000300050", "12:00:00.000300100"]
      ] as const
    ) {
      const fine = Candles.make({ interval })
      fine.add(sold("12:00:00.000300060", "1"))
      const of = fine.current()
      assert.deepStrictEqual(of && [of.from, of.to].map(Timestamp.format), [
        `2025-10-28T${from}Z`,
        `2025-10-28T${to}Z`
      ])
    }
    const old = Candles.make({ interval: "7 seconds" })
    old.add({ timestamp: Timestamp.fromIso("1969-12-31T23:59:58Z") ?? assert.fail(), price: decimal("1") })
    assert.deepStrictEqual(old.current()?.from, Timestamp.fromIso("1969-12-31T23:59:53Z"))
  })

  it("are not whole if they began in the middle", () => {
    assert.deepStrictEqual(
      of({ interval: "10 seconds" }, sold("12:00:04", "1"), sold("12:00:14", "2"), sold("12:00:24", "3")),
      ["12:00:00-12:00:10 1 1 1 1 × 1 in 1 cut", "12:00:10-12:00:20 2 2 2 2 × 1 in 1"]
    )
    const candles = Candles.make({ interval: "10 seconds" })
    candles.advance(at("12:00:00"))
    candles.add(sold("12:00:04", "1"))
    assert.deepStrictEqual(lines(candles.advance(at("12:00:10"))), ["12:00:00-12:00:10 1 1 1 1 × 1 in 1"])
  })

  it("are flat where nothing was traded, or left out", () => {
    const trades = [sold("12:00:00", "5", "2.50"), sold("12:00:31", "6")]
    assert.deepStrictEqual(of({ interval: "10 seconds" }, ...trades), [
      "12:00:00-12:00:10 5 5 5 5 × 2.50 in 1",
      "12:00:10-12:00:20 5 5 5 5 × 0 in 0",
      "12:00:20-12:00:30 5 5 5 5 × 0 in 0"
    ])
    assert.deepStrictEqual(of({ interval: "10 seconds", gaps: "skip" }, ...trades), [
      "12:00:00-12:00:10 5 5 5 5 × 2.50 in 1"
    ])
  })

  it("are not made by the million for a time in the far future", () => {
    const candles = Candles.make({ interval: "1 second" })
    candles.add(sold("12:00:00", "5"))
    assert.lengthOf(candles.advance(Timestamp.fromIso("9999-01-01T00:00:00Z") ?? assert.fail()), 1)
    const quiet = Candles.make({ interval: "1 second" })
    quiet.add(sold("00:00:00", "5"))
    assert.lengthOf(quiet.advance(at("02:46:41")), 10_001)
    const silent = Candles.make({ interval: "1 second" })
    silent.add(sold("00:00:00", "5"))
    assert.lengthOf(silent.advance(at("02:46:42")), 1)
  })

  it("wait for late trades for as long as is said, and count those that come later", () => {
    const candles = Candles.make({ interval: "10 seconds", lateness: "5 seconds" })
    const found = [
      sold("12:00:00", "1"),
      sold("12:00:12", "3"),
      sold("12:00:09", "2"),
      sold("12:00:14.999", "4"),
      sold("12:00:08", "1.5"),
      sold("12:00:15", "5"),
      sold("12:00:09", "100"),
      sold("12:00:25", "6")
    ].flatMap((one) => lines(candles.add(one)))
    assert.deepStrictEqual(found, [
      "12:00:00-12:00:10 1 2 1 2 × 3 in 3",
      "12:00:10-12:00:20 3 5 3 5 × 3 in 3"
    ])
    assert.strictEqual(candles.late(), 1)
  })

  it("are the same in whatever order trades come within the time that they wait", () => {
    const options: Candles.Options = { interval: "10 seconds", lateness: "10 seconds" }
    const [one, two, three] = [sold("12:00:01", "3"), sold("12:00:05", "1"), sold("12:00:09", "2")]
    const close = sold("12:00:20", "9")
    const begun = Candles.make(options)
    begun.advance(at("12:00:00"))
    assert.deepStrictEqual(
      [three, one, two, close].flatMap((next) => lines(begun.add(next))),
      ["12:00:00-12:00:10 3 3 1 2 × 3 in 3"]
    )
  })

  it("are not whole where data was missed", () => {
    const candles = Candles.make({ interval: "10 seconds" })
    candles.add(sold("12:00:00", "1"))
    candles.missed()
    assert.deepStrictEqual(lines(candles.advance(at("12:00:10"))), ["12:00:00-12:00:10 1 1 1 1 × 1 in 1 cut"])
    assert.deepStrictEqual(lines(candles.add(sold("12:00:25", "2"))), ["12:00:10-12:00:20 1 1 1 1 × 0 in 0 cut"])
    assert.deepStrictEqual(lines(candles.add(sold("12:00:30", "3"))), ["12:00:20-12:00:30 2 2 2 2 × 1 in 1 cut"])
    assert.deepStrictEqual(lines(candles.add(sold("12:00:40", "4"))), ["12:00:30-12:00:40 3 3 3 3 × 1 in 1"])
    candles.missed(at("12:00:52"), at("12:00:58"))
    assert.deepStrictEqual(lines(candles.add(sold("12:01:15", "5"))), [
      "12:00:40-12:00:50 4 4 4 4 × 1 in 1",
      "12:00:50-12:01:00 4 4 4 4 × 0 in 0 cut",
      "12:01:00-12:01:10 4 4 4 4 × 0 in 0"
    ])
  })

  it("go on being not whole while a straggler of before comes", () => {
    const candles = Candles.make({ interval: "10 seconds", lateness: "10 seconds" })
    candles.add(sold("12:00:00", "1"))
    candles.add(sold("12:00:09", "2"))
    candles.missed()
    candles.add(sold("12:00:05", "3"))
    assert.deepStrictEqual(lines(candles.add(sold("12:00:31", "4"))), [
      "12:00:00-12:00:10 1 3 1 2 × 3 in 3 cut",
      "12:00:10-12:00:20 2 2 2 2 × 0 in 0 cut"
    ])
  })

  it("close by the passing of time, and once", () => {
    const candles = Candles.make({ interval: "10 seconds" })
    candles.add(sold("12:00:00", "1"))
    assert.deepStrictEqual(candles.advance(at("12:00:09.999")), [])
    assert.lengthOf(candles.advance(at("12:00:10")), 1)
    assert.deepStrictEqual(candles.advance(at("12:00:10")), [])
    assert.isUndefined(candles.current())
    assert.deepStrictEqual(candles.add(sold("12:00:09", "2")), [])
    assert.strictEqual(candles.late(), 1)
    assert.deepStrictEqual(candles.flush(), [])
  })

  it("are all closed by a flush, and none of them opens again", () => {
    const candles = Candles.make({ interval: "10 seconds", lateness: "30 seconds" })
    for (const time of ["12:00:00", "12:00:10", "12:00:25"]) candles.add(sold(time, "1"))
    assert.deepStrictEqual(candles.current()?.from, at("12:00:20"))
    assert.deepStrictEqual(lines(candles.flush()), [
      "12:00:00-12:00:10 1 1 1 1 × 1 in 1",
      "12:00:10-12:00:20 1 1 1 1 × 1 in 1",
      "12:00:20-12:00:30 1 1 1 1 × 1 in 1 cut"
    ])
    assert.deepStrictEqual(candles.advance(at("12:00:35")), [])
    assert.deepStrictEqual(candles.add(sold("12:00:29", "2")), [])
    assert.isUndefined(candles.current())
    assert.strictEqual(candles.late(), 1)
  })

  it("refuse an interval that is none", () => {
    assert.throws(() => Candles.make({ interval: 0 }), RangeError)
    assert.throws(() => Candles.make({ interval: 1_000, lateness: -1 }), RangeError)
    assert.throws(() => Candles.make({ interval: "Infinity" }))
  })

  it.effect("come from a stream of trades, the last one as it is at its end", () =>
    Effect.gen(function*() {
      const print = (time: string, price: string) =>
        trade({ venue: "v", product: "p", price: decimal(price), size: decimal("1"), timestamp: at(time) })
      const undated = trade({
        venue: "v",
        product: "p",
        price: decimal("7"),
        size: decimal("1"),
        receivedAt: at("12:00:12")
      })
      const trades = Stream.make(print("12:00:00", "1"), print("12:00:10", "2"), undated)
      const found = yield* Stream.runCollect(Candles.fromTrades({ interval: "10 seconds" })(trades))
      assert.deepStrictEqual(lines(found), [
        "12:00:00-12:00:10 1 1 1 1 × 1 in 1",
        "12:00:10-12:00:20 2 7 2 7 × 2 in 2 cut"
      ])
    }))

  it("are a venue's own, and text and back", () => {
    const price = decimal("43250.10")
    const own = Candles.ofVenue({
      from: at("12:00:00"),
      interval: "1 minute",
      open: price,
      high: price,
      low: price,
      close: price,
      volume: decimal("0")
    })
    const encoded = Schema.encodeSync(Candles.Candle)(own)
    assert.deepStrictEqual(encoded, {
      from: "2025-10-28T12:00:00Z",
      to: "2025-10-28T12:01:00Z",
      open: "43250.10",
      high: "43250.10",
      low: "43250.10",
      close: "43250.10",
      volume: "0",
      isWhole: true
    })
    assert.deepStrictEqual(Schema.decodeSync(Candles.Candle)(encoded), own)
  })
})
