import { assert, describe, it } from "@effect/vitest"
import * as Lifecycle from "@tickline/core/event/Lifecycle"
import * as MarketData from "@tickline/core/event/MarketData"
import * as VenueMessage from "@tickline/core/event/VenueMessage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Board from "@tickline/node/runner/Board"
import type * as BoardLayout from "@tickline/node/runner/BoardLayout"
import * as Style from "@tickline/node/runner/Style"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

/** The wall clock and the monotonic one, where they go together. */
const clocks = (now: () => number) => ({ now, monotonic: now })

const plain = Style.paint(false)
const size = { columns: 80, rows: 24 }

const decimal = (text: string) => Decimal.parse(text)!
const timestamp = Timestamp.fromIso("2025-10-28T12:00:00.123456Z")!

const trade = (venue: string, product: string, price: string, size = "0.12345678") =>
  new MarketData.Trade({
    venue,
    product,
    price: decimal(price),
    size: decimal(size),
    side: "buy",
    tradeId: "T",
    timestamp
  })

/** Made without being validated again: for very many. */
const of = (event: MarketData.Trade, product: string): MarketData.Trade =>
  Object.assign(Object.create(MarketData.Trade.prototype), event, { product })

const ticker = (venue: string, product: string, bid: string, ask: string) =>
  new MarketData.Ticker({
    venue,
    product,
    price: decimal(bid),
    bid: decimal(bid),
    bidSize: decimal("1.5"),
    ask: decimal(ask),
    askSize: decimal("22.75"),
    volume: decimal("123456.789"),
    timestamp
  })

const state = (venue: string, state: Lifecycle.ConnectionEvent["state"], more: object = {}) =>
  new Lifecycle.ConnectionEvent({ venue, state, reason: "wss://venue.test: unreachable: ECONNRESET", ...more })

const text = (board: Board.Board, columns: number, rows: number) => board.lines(plain, { columns, rows }).join("\n")

describe("the live table", () => {
  it("fits two venues in trouble into 80 × 24", () => {
    let now = 0
    const board = Board.make({ title: "tickline demo", note: "policy", detail: "float", ...clocks(() => now) })
    for (const venue of ["coinbase-exchange", "generic"]) {
      board.observe(state(venue, "Connecting", { attempt: 1 }))
      board.observe(state(venue, "Connected", { epoch: 1 }))
      board.observe(trade(venue, "BTC-USD", "43250.10"))
      board.observe(trade(venue, "WETH-DAI", "2279.845612345678901230"))
      for (let attempt = 1; attempt < 20; attempt++) {
        now += 100
        board.observe(state(venue, "Reconnecting", { attempt, delayMillis: 250 }))
      }
      board.observe(new Lifecycle.Gap({ venue, product: "BTC-USD", cause: "disconnect" }))
    }
    const lines = board.lines(plain, size)
    assert.isAtMost(lines.length, 23)
    assert.match(lines.join("\n"), /● Reconnecting {2}attempt 19 in 0\.3 s/)
    assert.match(lines.join("\n"), /43250\.10 +43250\.1 −1 digit/)
    assert.match(lines.join("\n"), /2279\.845612345678901230 +2279\.845612345679 /)
    assert.match(lines.join("\n"), /attempt 19 in 250 ms: unreachable: ECONNRESET/)
    for (const line of lines) assert.isAtMost(Style.width(line), 80, line)
  })

  it("shows prices of 18 decimals and their sizes whole in 80 cells, under whole titles", () => {
    const board = Board.make({ title: "tickline stream", detail: "market", ...clocks(() => 0) })
    board.observe(trade("v", "BTC-USD", "43250.10"))
    board.observe(trade("v", "WETH-DAI", "2279.845612345678901230", "0.123456789012345678"))
    for (const columns of [80, 120, 200]) {
      const lines = board.lines(plain, { columns, rows: 24 })
      for (const line of lines) assert.isAtMost(Style.width(line), columns, line)
      const shown = lines.join("\n")
      for (const whole of ["2279.845612345678901230", "0.123456789012345678", "12:00:00", "43250.10"]) {
        assert.include(shown, whole)
      }
      assert.match(shown, /^ {2}product +price +side +size +time/m)
      assert.notInclude(shown, "…")
    }
  })

  it("aligns prices at the point, over all venues", () => {
    const board = Board.make({ title: "t", detail: "market", ...clocks(() => 0) })
    const prices = ["43250.10", "0.00001234", "7", "2279.8456"]
    prices.forEach((price, index) => board.observe(trade(index % 2 === 0 ? "a" : "b", `P${index}`, price)))
    const points = board.lines(plain, size).flatMap((line) => {
      const at = /^ {2}P\d +(\d+)/d.exec(line)?.indices?.[1]?.[1]
      return at === undefined ? [] : [at]
    })
    assert.strictEqual(points.length, prices.length)
    assert.strictEqual(new Set(points).size, 1)
  })

  it("has a column for the bid and one for the ask", () => {
    const board = Board.make({ title: "t", detail: "market", ...clocks(() => 0) })
    board.observe(ticker("v", "BTC-USD", "43250.10", "43250.35"))
    assert.match(text(board, 80, 24), /^ {2}product +price +bid +ask/m)
    assert.match(text(board, 80, 24), /43250\.10 +43250\.10 +43250\.35/)
    assert.match(text(board, 200, 50), /bid size +bid +ask +ask size +volume 24 h/)
    assert.match(text(board, 200, 50), /1\.5 +43250\.10 +43250\.35 +22\.75 +123456\.789/)
  })

  it("a venue is up while one of its connections is, and one that is replaced is no drop", () => {
    const board = Board.make({ title: "t", detail: "market", ...clocks(() => 0) })
    const shown = () => text(board, 120, 24)
    board.observe(state("v", "Connecting"))
    board.observe(state("v", "Connected", { epoch: 3 }))
    board.observe(state("v", "Connecting", { leg: 2 }))
    assert.match(shown(), /● Connected {3}epoch 3 .* 0 drops · 2 dials/)
    board.observe(state("v", "Connected", { epoch: 1, leg: 2 }))
    board.observe(state("v", "Closing", { leg: 1 }))
    board.observe(state("v", "Disconnected", { leg: 1 }))
    assert.match(shown(), /● Connected {3}epoch 1 .* 0 drops · 2 dials/)
    assert.include(shown(), "leg 2 connected, epoch 1")
    board.observe(state("v", "Reconnecting", { leg: 2, attempt: 1, delayMillis: 200 }))
    assert.match(shown(), /● Reconnecting {2}attempt 1 in 0\.2 s .* 1 drop/)
  })

  it("uses a wide terminal for what happened, beside the table", () => {
    const board = Board.make({ title: "t", detail: "market", ...clocks(() => 0) })
    board.observe(state("v", "Connected", { epoch: 3 }))
    board.observe(trade("v", "BTC-USD", "43250.10"))
    assert.match(text(board, 200, 50), /│ 00:00:00\.000 {2}connected, epoch 3/)
    assert.notInclude(text(board, 100, 50), "│")
  })

  it("measures on a clock that never steps, and tells what happened by the wall clock", () => {
    let wall = 36_000_000
    let monotonic = 0
    const board = Board.make({ title: "t", detail: "market", now: () => wall, monotonic: () => monotonic })
    board.observe(state("v", "Connected", { epoch: 1 }))
    for (let events = 0; events < 100; events++) {
      board.observe(trade("v", "BTC-USD", "43250.10"))
      monotonic += 100
    }
    wall -= 3_600_000
    board.observe(state("v", "Reconnecting", { attempt: 2, delayMillis: 1_500 }))
    const shown = text(board, 120, 24)
    assert.include(shown, "10 s · ^C ends")
    assert.include(shown, "attempt 2 in 1.5 s")
    assert.match(shown, /BTC-USD .* (9\.\d|10\.\d) +100$/m)
    assert.match(shown, /^09:00:00\.000 {2}attempt 2/m)
  })

  it("tells a repeated event once, with how often", () => {
    const board = Board.make({ title: "t", detail: "market", ...clocks(() => 0) })
    for (let index = 0; index < 40; index++) board.observe(new VenueMessage.VenueError({ venue: "v", message: "no" }))
    assert.match(text(board, 80, 24), /venue error: no \(40 ×\)/)
  })

  it("counts a gap that is noticed and later over once", () => {
    const board = Board.make({ title: "t", detail: "market", ...clocks(() => 0) })
    const gap = { venue: "v", product: "P", channel: "c", from: "2025-10-28T12:00:00Z", cause: "disconnect" as const }
    board.observe(new Lifecycle.Gap(gap))
    board.observe(new Lifecycle.Gap({ ...gap, to: "2025-10-28T12:00:02Z" }))
    assert.include(text(board, 120, 24), "1 gap, last 2 s")
  })

  it("lets nothing that a peer sent move the cursor", () => {
    const board = Board.make({ title: "t", detail: "market", ...clocks(() => 0) })
    board.observe(trade("v", "A\u001b[2J\u0007", "1.0"))
    board.observe(new VenueMessage.VenueError({ venue: "v", message: "\u001b[31mred\r\n" }))
    // oxlint-disable-next-line no-control-regex
    assert.notMatch(board.lines(plain, size).join(""), /[\u0000-\u001f]/)
  })
})

describe("the live table at any size", () => {
  const names = ["coinbase", "coinbase-exchange", "binance", "kraken", "deribit", "hyperliquid", "dydx", "generic"]
  const prices = [
    "43250.10",
    "2279.845612345678901230",
    "0.000000001234",
    "12345678901234567890123456789.5",
    "7",
    "-37.63"
  ]
  const products = [
    "BTC-USD",
    "ビットコイン/円",
    "BTC-28MAR25-100000-C",
    `LONG${"X".repeat(80)}`,
    "e\u0301",
    "a",
    "b",
    "c"
  ]
  const numbers = new Set([...prices, ...prices.map((price) => String(Number(price))), "0.12345678", "1.5", "22.75"])
  numbers.add("123456.789")

  const made = (venues: number, perVenue: number, detail: BoardLayout.Detail, kinds: string) => {
    let now = 0
    const board = Board.make({ title: "tickline stream of venues", note: "a note", detail, ...clocks(() => now) })
    for (const venue of names.slice(0, venues)) {
      board.observe(state(venue, "Connecting", { attempt: 1 }))
      board.observe(state(venue, "Connected", { epoch: 1 }))
      for (let index = 0; index < perVenue; index++) {
        const product = products[index] ?? `N${index}`
        const price = prices[index % prices.length] ?? "1"
        if (kinds.includes("trade")) board.observe(trade(venue, product, price))
        if (kinds.includes("ticker")) board.observe(ticker(venue, product, price, price))
        if (kinds.includes("book")) {
          board.observe(new MarketData.BookSnapshot({ venue, product, bids: [], asks: [] }))
        }
      }
      now += 777
      if (venue !== "kraken") board.observe(state(venue, "Reconnecting", { attempt: 3, delayMillis: 1_250 }))
    }
    return board
  }

  const columnsTried = [1, 5, 20, 40, 41, 59, 60, 80, 99, 100, 149, 150, 200]
  const rowsTried = [1, 2, 3, 4, 6, 9, 12, 17, 24, 50]

  /** A number in a row is one that was sent, or its beginning up to at least the point, and marked. */
  const isHonest = (token: string): boolean => {
    if (numbers.has(token)) return true
    if (!token.endsWith("…")) return false
    const begun = token.slice(0, -1)
    return begun === "" || (begun.includes(".") && [...numbers].some((number) => number.startsWith(begun)))
  }

  const details = [["market", ["trade", "ticker", "book", "trade ticker book"]], ["float", ["trade"]]] as const
  for (const [detail, shown] of details) {
    for (const kinds of shown) {
      it(`${detail}, ${kinds}: no line is too long, no venue is lost, no number is cut in secret`, () => {
        for (const venues of [1, 3, 8]) {
          for (const perVenue of [0, 3, 60]) {
            const board = made(venues, perVenue, detail, kinds)
            for (const columns of columnsTried) {
              for (const rows of rowsTried) {
                const at = `${venues} venues of ${perVenue} at ${columns} × ${rows}`
                const lines = board.lines(plain, { columns, rows })
                assert.isAtLeast(lines.length, 1, at)
                assert.isAtMost(lines.length, Math.max(1, rows - 1), at)
                for (const line of lines) assert.isAtMost(Style.width(line), columns, `${at}: ${line}`)
                if (columns < 40) continue
                const heads = lines.filter((line) => /^[a-z].* {2}● /.test(line))
                const hidden = Number(/(\d+) (?:more )?venues?: \d/.exec(lines.join("\n"))?.[1] ?? 0)
                assert.strictEqual(heads.length + hidden, venues, `${at}:\n${lines.join("\n")}`)
                if (perVenue === 0) continue
                for (const [index, head] of heads.entries()) {
                  const from = lines.indexOf(head)
                  const to = index + 1 < heads.length ? lines.indexOf(heads[index + 1]!) : lines.length
                  const part = lines.slice(from + 1, to).map((line) => line.split(" │ ")[0]!)
                  const shown = part.filter((line) => /^ {2}\S/.test(line) && !/^ {2}(…|attempt|epoch)/.test(line))
                  for (const line of shown) {
                    // The product, then the numbers; of a time, a rate and a count nothing is cut.
                    const tokens = line.trim().split(/ +/).slice(1).filter((token) => /^-?[\d.]*…?$/.test(token))
                    const own = tokens.filter((token) => !/^\d+\.\d$|^\d+$/.test(token) || numbers.has(token))
                    for (const token of own) assert.isTrue(isHonest(token), `${at}: ${token} in ${line}`)
                  }
                  const more = part.map((line) => /^ {2}… and (\d+) more/.exec(line)?.[1]).find((count) => count)
                  if (shown.length < perVenue) {
                    if (more === undefined) assert.match(head, /\d+ products|\+\d+/, `${at}: ${head}`)
                    else assert.strictEqual(shown.length + Number(more), perVenue, `${at}:\n${lines.join("\n")}`)
                  }
                }
              }
            }
          }
        }
      })
    }
  }

  it("says how many venues there is no line for, and how they are", () => {
    const board = made(8, 3, "market", "trade")
    assert.match(text(board, 80, 6), /^… and 4 more venues: 4 Reconnecting$/m)
    assert.match(text(board, 80, 2), /^8 venues: 7 Reconnecting, 1 Connected$/)
  })
})

describe("the live table of very many products", () => {
  const filled = (products: number) => {
    let now = 0
    const board = Board.make({ title: "t", detail: "market", ...clocks(() => now) })
    board.observe(state("v", "Connected", { epoch: 1 }))
    const event = trade("v", "P", "43250.10")
    for (let index = 0; index < products; index++) {
      now += 0.1
      board.observe(of(event, `P${index}`))
      // One is busier than the others, whenever it came.
      if (index % 10 === 5) board.observe(event)
    }
    return board
  }

  it("draws 200,000 within milliseconds, the busiest among them, and says how many more there are", () => {
    const board = filled(200_000)
    const shown = text(board, 80, 24)
    assert.match(shown, /^ {2}P +43250\.10 .* 20,000$/m)
    const more = Number(/… and ([\d,]+) more/.exec(shown)?.[1]?.replaceAll(",", ""))
    assert.strictEqual(more + shown.match(/^ {2}P\d* /gm)!.length, 200_001)
    const times = Array.from({ length: 9 }, () => {
      const began = performance.now()
      board.lines(plain, size)
      return performance.now() - began
    })
    assert.isBelow(Math.min(...times), 15)
  })

  it("stays as it is while all are equally busy", () => {
    let now = 0
    const board = Board.make({ title: "t", detail: "market", ...clocks(() => now) })
    const products = () => board.lines(plain, size).flatMap((line) => /^ {2}(P\d+) /.exec(line)?.[1] ?? []).join()
    const round = () => {
      for (let index = 0; index < 400; index++) {
        now += 1
        board.observe(trade("v", `P${index}`, "1.0"))
      }
    }
    round()
    const first = products()
    for (let times = 0; times < 20; times++) {
      round()
      assert.strictEqual(products(), first)
    }
  })

  it("keeps count of a product that was not among the busiest for a while", () => {
    let now = 0
    const board = Board.make({ title: "t", detail: "market", ...clocks(() => now) })
    for (let index = 0; index < 5; index++) board.observe(trade("v", "OLD", "1.0"))
    for (let index = 0; index < 5_000; index++) {
      now += 10
      board.observe(trade("v", `P${index}`, "1.0"))
      board.observe(trade("v", `P${index}`, "1.0"))
    }
    now += 60_000
    for (let index = 0; index < 30; index++) board.observe(trade("v", "OLD", "1.0"))
    assert.match(text(board, 80, 24), /^ {2}OLD .* 35$/m)
  })

  it("keeps no frame alive by a piece of its text", () => {
    const board = Board.make({ title: "t", detail: "market", ...clocks(() => 0) })
    setFlagsFromString("--expose-gc")
    const collect: () => void = runInNewContext("gc")
    const used = () => (collect(), process.memoryUsage().heapUsed)
    const before = used()
    for (let index = 0; index < 400; index++) {
      // As a frame's text, of which the names are slices.
      const frame = `${String(index).padStart(20, "P")}${"x".repeat(1_000_000)}`
      const event = of(trade("v", frame.slice(0, 20), "1.0"), frame.slice(0, 20))
      board.observe(Object.assign(event, { tradeId: frame.slice(0, 30) }))
      board.observe(new VenueMessage.VenueError({ venue: "v", message: frame.slice(0, 40) }))
    }
    assert.isBelow(used() - before, 20_000_000)
    assert.include(text(board, 80, 24), "more")
  })

  it("counts 250,000 of a venue, and says that there are more", () => {
    const board = Board.make({ title: "t", detail: "market", ...clocks(() => 0) })
    const event = trade("v", "P", "1.0")
    for (let index = 0; index < 250_010; index++) {
      board.observe(of(event, `P${index}`))
    }
    assert.match(text(board, 80, 24), /… and more than 249,9\d\d more/)
  })
})

describe("text for people", () => {
  it("is cut to cells, not to characters of its colours", () => {
    const red = Style.paint(true)("red", "abcdef")
    assert.strictEqual(Style.width(red), 6)
    assert.strictEqual(Style.fit(red, 6), red)
    assert.strictEqual(Style.width(Style.fit(red, 4)), 4)
    assert.isTrue(Style.fit(red, 4).endsWith("…\u001b[0m"))
    assert.strictEqual(Style.fit("abcdef", 4), "abc…")
  })

  it("takes two cells for a wide character and none for a mark", () => {
    assert.strictEqual(Style.width("東京"), 4)
    assert.strictEqual(Style.width("한국"), 4)
    assert.strictEqual(Style.width("e\u0301a"), 2)
    assert.strictEqual(Style.width("😀"), 2)
    assert.strictEqual(Style.width("é₿→…"), 4)
    assert.strictEqual(Style.fit("東京都", 5), "東京…")
    assert.strictEqual(Style.fit("東京都", 4), "東…")
    assert.strictEqual(Style.pad("東京", 6), "東京  ")
    assert.strictEqual(Style.fitMiddle("BTC-28MAR25-100000-C", 12), "BTC-28…000-C")
    assert.strictEqual(Style.width(Style.fitMiddle("東京都庁舎前", 8)), 7)
    assert.strictEqual(Style.fitMiddle("abcde\u0301fg", 6), "abc…fg")
    assert.strictEqual(Style.fitMiddle("abcdefe\u0301g", 6), "abc…e\u0301g")
  })

  it("says spans and numbers in short", () => {
    assert.deepStrictEqual([0, 250, 1500, 59_900, 65_000, 3_600_000].map(Style.span), [
      "0 ms",
      "250 ms",
      "1.5 s",
      "59.9 s",
      "1 m 05 s",
      "1 h 00 m"
    ])
    assert.deepStrictEqual([0, 999, 1_000, 1_234_567].map(Style.grouped), ["0", "999", "1,000", "1,234,567"])
  })
})
