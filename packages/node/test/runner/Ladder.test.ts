import { assert, describe, expect, it } from "@effect/vitest"
import * as Lifecycle from "@tickline/core/event/Lifecycle"
import * as MarketData from "@tickline/core/event/MarketData"
import type * as OrderBook from "@tickline/core/market/OrderBook"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Ladder from "@tickline/node/runner/Ladder"
import * as Style from "@tickline/node/runner/Style"

const plain = Style.paint(false)
const colored = Style.paint(true)

type Side = ReadonlyArray<readonly [price: string, size: string]>

const decimal = (text: string) => Decimal.parse(text)!
const levels = (side: Side) => side.map(([price, size]) => [decimal(price), decimal(size)] as const)

const of = (product: string) => ({
  venue: "v",
  product,
  channel: "book",
  sequence: undefined,
  timestamp: undefined,
  checksum: undefined
})

const live = (product: string, bids: Side, asks: Side, more: object = {}): OrderBook.Whole => ({
  ...of(product),
  _tag: "Live",
  provenLevels: undefined,
  bids: levels(bids),
  asks: levels(asks),
  bidLevels: bids.length,
  askLevels: asks.length,
  ...more
})

const syncing = (product: string): OrderBook.OrderBook => ({
  ...of(product),
  _tag: "Syncing",
  reason: "no snapshot yet"
})

const gapped = (product: string): OrderBook.OrderBook => ({
  ...of(product),
  _tag: "Gapped",
  cause: "sequence",
  reason: "102..104 does not follow 99"
})

const unverified = (product: string, bids: Side, asks: Side): OrderBook.Whole => {
  const { provenLevels: _, ...book } = { provenLevels: undefined, ...live(product, bids, asks) }
  return { ...book, _tag: "Unverified", reason: "the venue gives no way to prove that nothing is missing" }
}

/** A side of so many levels, from a price on, in steps; sizes differ. */
const side = (from: number, step: number, count: number): Side =>
  Array.from({ length: count }, (_, i) => [
    (from + i * step).toFixed(2),
    ((i * 7919 % 97 + 1) / 100).toFixed(8)
  ])

const make = (products: ReadonlyArray<string>, options: Partial<Ladder.Options> = {}) => {
  let now = 0
  const ladder = Ladder.make({
    title: "tickline stream v",
    books: products.map((product) => ({ venue: "v", product, method: "sequence" })),
    now: () => now,
    monotonic: () => now,
    ...options
  })
  return {
    ...ladder,
    wait: (millis: number) => void (now += millis),
    lines: (columns: number, rows: number, paint = plain) => ladder.lines(paint, { columns, rows }),
    text: (columns: number, rows: number, paint = plain) => ladder.lines(paint, { columns, rows }).join("\n")
  }
}

const connected = new Lifecycle.ConnectionEvent({ venue: "v", state: "Connected", epoch: 1 })

const gap = (product: string, more: object = {}) =>
  new Lifecycle.Gap({
    venue: "v",
    product,
    channel: "book",
    cause: "sequence",
    from: "2026-11-26T00:00:00.000Z",
    ...more
  })

const sizes = [[80, 24], [120, 40], [200, 50], [40, 20]] as const

const products = ["BTC-USD", "ETH-USD", "SHIB-USD", "SOL-USD", "XRP-USD", "DOGE-USD", "GONE-USD"]

/** Every state at once. */
const everything = () => {
  const ladder = make(products)
  ladder.observe(new Lifecycle.ConnectionEvent({ venue: "v", state: "Connecting" }))
  ladder.observe(connected)
  ladder.update(0, live("BTC-USD", side(43250.1, -0.05, 30), side(43250.2, 0.05, 30), { provenLevels: 10 }))
  ladder.update(1, unverified("ETH-USD", side(2279.84, -0.01, 20), side(2279.85, 0.01, 20)))
  ladder.update(2, live("SHIB-USD", [["0.00000924", "123456789012345678"]], [["0.00000925", "0.123456789012345678"]]))
  ladder.update(3, syncing("SOL-USD"))
  ladder.update(4, live("XRP-USD", side(0.52, -0.01, 3), side(0.53, 0.01, 3)))
  ladder.observe(gap("XRP-USD"))
  ladder.update(4, gapped("XRP-USD"))
  ladder.update(5, live("DOGE-USD", side(0.1, -0.01, 2), []))
  ladder.refuse(6, "subscription to book of GONE-USD refused: no such product")
  ladder.wait(1_234)
  return ladder
}

describe("the ladder", () => {
  for (const [columns, rows] of sizes) {
    it(`of books in every state, ${columns} × ${rows}`, () => {
      expect(everything().text(columns, rows)).toMatchSnapshot()
    })

    it(`of one book, ${columns} × ${rows}`, () => {
      const ladder = make(["BTC-USD"])
      ladder.observe(connected)
      const asks = side(43250.2, 0.05, 30)
      ladder.update(0, live("BTC-USD", side(43250.1, -0.05, 30), asks, { bidLevels: 1_003, askLevels: 998 }))
      ladder.lines(columns, rows)
      ladder.update(0, live("BTC-USD", side(43250.1, -0.05, 30), [["43250.15", "1.5"], ...asks.slice(0, 29)]))
      ladder.observe(
        new MarketData.Trade({
          venue: "v",
          product: "BTC-USD",
          price: decimal("43250.10"),
          size: decimal("0.12000000"),
          side: "sell",
          tradeId: "1",
          timestamp: Timestamp.fromEpochMillis(0)
        })
      )
      ladder.wait(300)
      expect(ladder.text(columns, rows)).toMatchSnapshot()
    })
  }

  it("has no line that is too long, and none too many, whatever the terminal and the colours", () => {
    const ladder = everything()
    for (const paint of [plain, colored]) {
      for (let columns = 1; columns <= 230; columns += columns < 60 ? 3 : 11) {
        for (let rows = 1; rows <= 60; rows += rows < 30 ? 2 : 7) {
          const lines = ladder.lines(columns, rows, paint)
          assert.isAtMost(lines.length, Math.max(1, rows - 1), `${columns} × ${rows}`)
          for (const line of lines) assert.isAtMost(Style.width(line), columns, `${columns} × ${rows}: ${line}`)
        }
      }
    }
  })

  it("shows each book, in a line at least, or says how many more there are", () => {
    const all = everything()
    for (let columns = 40; columns <= 230; columns += 10) {
      for (let rows = 12; rows <= 60; rows += rows < 30 ? 1 : 5) {
        const text = all.text(columns, rows)
        const shown = products.filter((product) => text.replace(/^\d\d:.*$/gm, "").includes(product)).length
        const more = Number(/… and (\d+) more book/.exec(text)?.[1] ?? 0)
        assert.strictEqual(shown + more, products.length, `${columns} × ${rows}\n${text}`)
      }
    }
  })

  it("shows no level of a book that is not whole, only its state and why", () => {
    const states = [syncing("BTC-USD"), gapped("BTC-USD")]
    for (const state of [...states, "refused"] as const) {
      for (const [columns, rows] of [...sizes, [30, 8]] as const) {
        const ladder = make(["BTC-USD", "ETH-USD"])
        ladder.update(0, live("BTC-USD", [["43250.10", "1.5"]], [["43251.20", "2.5"]]))
        ladder.update(1, live("ETH-USD", [["2279.84", "1.5"]], [["2279.85", "2.5"]]))
        assert.include(ladder.text(columns, rows), "43250.1")
        if (typeof state === "string") ladder.refuse(0, "no such product")
        else ladder.update(0, state)
        ladder.wait(2_500)
        const text = ladder.text(columns, rows)
        assert.notMatch(text, /4325|1\.1/)
        if (rows < 20) continue
        assert.include(text, typeof state === "string" ? "● No book" : `● ${state._tag}`)
        if (typeof state !== "string") assert.include(text, "for 2.5 s")
      }
    }
  })

  it("keeps the digits as the venue wrote them, aligned at the point", () => {
    const ladder = make(["P"])
    ladder.update(0, live("P", [["0.00000924", "123456789012345678"], ["0.0000092", "5.50"]], [["0.000009250", "7"]]))
    const text = ladder.text(120, 24)
    for (
      const whole of [
        "0.00000924 ",
        "0.0000092 ",
        "0.000009250 ",
        " 123456789012345678 ",
        " 5.50 ",
        " 7 ",
        "123456789012345683.50"
      ]
    ) {
      assert.include(text, whole)
    }
    assert.match(text, /0\.0000092450 {2}mid · spread 0\.000000010 · 10\.82 bp/)
    const points = text.split("\n").filter((line) => line.includes(" 0.0000")).map((line) => line.indexOf("."))
    assert.strictEqual(points.length, 4)
    assert.strictEqual(new Set(points).size, 1)
  })

  it("cuts digits of the size before those of the price, and marks where", () => {
    const ladder = make(["P"])
    ladder.update(0, live("P", [["0.00000924", "0.123456789012345678"]], [["0.00000925", "0.123456789012345678"]]))
    assert.include(ladder.text(40, 24), "0.00000924   0.123456789012345678 ")
    assert.match(ladder.text(30, 24), /0\.00000924 {3}0\.1234\d*…/)
    assert.match(ladder.text(20, 24), /0\.0000…|0\.00000924/)
  })

  it("draws the bars to scale, with the size for which a whole one stands", () => {
    const ladder = make(["P"])
    ladder.update(0, live("P", [["10", "0.25"], ["9", "0.5"]], [["11", "0.375"], ["12", "0.001"]]))
    const text = ladder.text(80, 24)
    assert.include(text, "size, a full bar is 0.5")
    const cells = (price: string) => {
      const bar = /[█▉▊▋▌▍▎▏]+/.exec(text.split("\n").find((line) => line.includes(`${price} `))!)![0]
      return [...bar].reduce((sum, one) => sum + " ▏▎▍▌▋▊▉█".indexOf(one) / 8, 0)
    }
    assert.strictEqual(cells("9"), 48)
    assert.strictEqual(cells(" 10"), 24)
    assert.strictEqual(cells(" 11"), 36)
    // Of what is there something is to be seen.
    assert.strictEqual(cells(" 12"), 1 / 8)
  })

  it("marks levels that are new, grown or shrunk, for a moment", () => {
    const ladder = make(["P"], { depth: 3 })
    const asks: Side = [["11", "1"], ["12", "1"], ["13", "1"], ["14", "1"]]
    ladder.update(0, live("P", [["10", "1"], ["9", "1"]], asks))
    assert.notMatch(ladder.text(80, 24), /[+▴▾]/)
    // The best ask is gone: the fourth comes to be seen, and is not new.
    ladder.update(0, live("P", [["10.5", "1"], ["10", "2"], ["9", "0.50"]], asks.slice(1)))
    const marks = () =>
      ladder.lines(80, 24).flatMap((line) => /^[▸ ] +([\d.]+) .*([+▴▾])/.exec(line)?.slice(1).join("") ?? [])
    assert.deepStrictEqual(marks(), ["10.5+", "10▴", "9▾"])
    ladder.wait(300)
    // The same size again, with another zero, changes nothing and ends no mark.
    ladder.update(0, live("P", [["10.5", "1.0"], ["10", "2"], ["9", "0.5"]], [["11.5", "1"], ...asks.slice(1)]))
    assert.deepStrictEqual(marks(), ["11.5+", "10.5+", "10▴", "9▾"])
    ladder.wait(300)
    assert.deepStrictEqual(marks(), ["11.5+"])
    ladder.wait(300)
    assert.deepStrictEqual(marks(), [])
    // Of a book that has become whole again nothing is known of what has changed.
    ladder.update(0, gapped("P"))
    ladder.update(0, live("P", [["10.5", "7"], ["8", "2"]], asks))
    assert.deepStrictEqual(marks(), [])
  })

  it("marks the best levels, and dims those of which the method says nothing", () => {
    const ladder = make(["P"])
    ladder.update(0, live("P", side(10, -1, 5), side(11, 1, 5), { provenLevels: 2 }))
    const best = ladder.lines(80, 24).filter((line) => line.startsWith("▸"))
    assert.deepStrictEqual(best.map((line) => line.slice(0, 8).trim()), ["▸ 11.00", "▸ 10.00"])
    const text = ladder.text(80, 24, colored)
    assert.include(text, "best 2 levels proven by sequence")
    assert.include(text, "\u001b[31m12.00 \u001b[39m")
    assert.include(text, "\u001b[2m13.00 \u001b[22m")
    assert.include(text, "\u001b[32m● Live\u001b[39m")
  })

  it("shows at most as many levels as are asked for", () => {
    const ladder = make(["P"], { depth: 2 })
    ladder.update(0, live("P", side(10, -1, 5), side(11, 1, 5)))
    assert.deepStrictEqual(
      ladder.lines(120, 40).flatMap((line) => /^[▸ ] +(\d+\.00) /.exec(line)?.[1] ?? []),
      ["12.00", "11.00", "10.00", "9.00"]
    )
  })

  it("says that a book is crossed, or has a side that is empty", () => {
    const ladder = make(["P"])
    ladder.update(0, unverified("P", [["10.00", "1"]], [["9.50", "1"]]))
    assert.include(ladder.text(80, 24), "crossed by 0.50")
    ladder.update(0, live("P", [["10.00", "1"]], []))
    assert.include(ladder.text(80, 24), "no asks")
    ladder.update(0, live("P", [], []))
    assert.include(ladder.text(80, 24), "no levels")
  })

  it("says how a product trades while that is not continuously, and no control character of it", () => {
    const ladder = make(["P"])
    ladder.update(0, {
      ...live("P", side(10, -1, 5), side(11, 1, 5), { provenLevels: 10 }),
      tradingStatus: "post_only"
    })
    assert.include(ladder.text(80, 24), "post_only · best 10")
    ladder.update(0, { ...live("P", side(10, -1, 5), side(11, 1, 5)), tradingStatus: "a\u001b[2J" })
    assert.include(ladder.text(80, 24), "a\\u001b[2J")
  })

  it("stands still: its frame and its scale shrink only after some time", () => {
    const ladder = make(["P"])
    ladder.update(0, live("P", [["10", "1"], ["9", "5.25"]], [["11", "1"]]))
    const place = () => ladder.lines(80, 24).find((line) => line.startsWith("▸ 11"))?.indexOf("█")
    const before = place()
    const lines = ladder.lines(80, 24).length
    ladder.wait(1_000)
    ladder.update(0, live("P", [["10", "1"]], [["11", "1"]]))
    assert.strictEqual(place(), before)
    assert.include(ladder.text(80, 24), "full bar is 10")
    ladder.update(0, gapped("P"))
    assert.strictEqual(ladder.lines(80, 24).length, lines)
    ladder.update(0, live("P", [["10", "1"]], [["11", "1"]]))
    ladder.wait(10_000)
    assert.include(ladder.text(80, 24), "full bar is 1")
  })

  it("tells gaps of one book beside it, and of many together in a line", () => {
    const ladder = make(["A", "B", "C"])
    for (const product of ["A", "B"]) ladder.observe(gap(product))
    for (const product of ["A", "B"]) {
      ladder.observe(gap(product, { to: "2026-11-26T00:00:00.250Z", recovered: "snapshot" }))
    }
    ladder.observe(gap("C", { to: "2026-11-26T00:00:01.000Z" }))
    // The trades of a product are not its book.
    ladder.update(0, live("A", side(10, -1, 2), side(11, 1, 2)))
    ladder.observe(gap("A", { channel: "trades" }))
    // That a connection is lost is told by its own line.
    ladder.observe(gap("B", { cause: "disconnect", from: "2026-11-26T00:01:00.000Z" }))
    const text = ladder.text(120, 40)
    assert.match(text, /A {2}v.*\n.*\n/)
    assert.include(text, "1 gap, last 250 ms")
    assert.include(text, "2 gaps, last disconnect")
    // It stands out for a minute.
    assert.include(ladder.text(120, 40, colored), "\u001b[33m1 gap, last 250 ms")
    ladder.wait(60_000)
    assert.include(ladder.text(120, 40, colored), "\u001b[2m1 gap, last 250 ms")
    assert.deepStrictEqual(
      text.split("\n").filter((line) => line.startsWith("00:00:00.000")).map((line) => line.slice(14)),
      ["2 books: gap, sequence", "2 books: whole again, by snapshot", "C: gap, sequence", "C: whole again after 1 s"]
    )
  })

  it("says how old the last change is, and when it is old", () => {
    const ladder = make(["P"])
    ladder.update(0, live("P", side(10, -1, 2), side(11, 1, 2)))
    ladder.wait(3_400)
    assert.include(ladder.text(80, 24, colored), "\u001b[2m3.4 s ago")
    ladder.wait(125_000)
    assert.include(ladder.text(80, 24, colored), "\u001b[33m2 m 08 s ago")
  })

  it("stays as it was at the end of the run", () => {
    const ladder = make(["P"])
    ladder.observe(connected)
    ladder.update(0, live("P", side(10, -1, 2), side(11, 1, 2)))
    ladder.end()
    ladder.update(0, gapped("P"))
    ladder.refuse(0, "closed")
    ladder.observe(new Lifecycle.ConnectionEvent({ venue: "v", state: "Disconnected" }))
    ladder.wait(5_000)
    const text = ladder.text(80, 24)
    assert.match(text, /as it was at the end, 00:00:00\.000$/m)
    assert.include(text, "● Connected")
    assert.include(text, "0.0 s ago")
    assert.include(text, "▸ 10.00")
  })

  it("costs what is shown, however many books and levels there are", () => {
    const many = Array.from({ length: 2_000 }, (_, i) => `P${i}`)
    const ladder = make(many)
    const deep = live("P", side(100_000, -0.01, 5_000), side(100_000.01, 0.01, 5_000))
    many.forEach((_, place) => ladder.update(place, deep))
    ladder.lines(200, 50)
    const before = performance.now()
    for (let i = 0; i < 10; i++) {
      for (let place = 0; place < 20; place++) ladder.update(place, { ...deep })
      ladder.lines(200, 50)
    }
    // To draw all levels of all books would take seconds.
    assert.isBelow((performance.now() - before) / 10, 150)
  })

  it("shows what a peer sent escaped", () => {
    const ladder = make(["A\u001b[2J\u202eB"])
    ladder.refuse(0, "no\u0007 such \u202eproduct")
    // eslint-disable-next-line no-control-regex
    assert.notMatch(ladder.text(80, 24), /[\u0000-\u0009\u000b-\u001f\u202e]/)
  })
})
