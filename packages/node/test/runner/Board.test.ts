import { assert, describe, it } from "@effect/vitest"
import * as Decimal from "@tickline/core/value/Decimal"
import * as MarketEvent from "@tickline/core/value/MarketEvent"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Board from "@tickline/node/runner/Board"
import * as Style from "@tickline/node/runner/Style"

const plain = Style.paint(false)
const size = { columns: 80, rows: 24 }

const trade = (venue: string, product: string, price: string) =>
  new MarketEvent.Trade({
    venue,
    product,
    price: Decimal.parse(price)!,
    size: Decimal.parse("0.12345678")!,
    side: "buy",
    timestamp: Timestamp.fromIso("2025-10-28T12:00:00.123456Z")!
  })

const state = (venue: string, state: MarketEvent.ConnectionEvent["state"], more: object = {}) =>
  new MarketEvent.ConnectionEvent({ venue, state, reason: "wss://venue.test: unreachable: ECONNRESET", ...more })

describe("the live table", () => {
  it("fits two venues in trouble into 80 × 24", () => {
    let now = 0
    const board = Board.make({ title: "tickline demo", note: "policy", detail: "float", now: () => now })
    for (const venue of ["coinbase-exchange", "generic"]) {
      board.observe(state(venue, "Connecting", { attempt: 1 }))
      board.observe(state(venue, "Connected", { epoch: 1 }))
      board.observe(trade(venue, "BTC-USD", "43250.10"))
      board.observe(trade(venue, "WETH-DAI", "2279.845612345678901230"))
      for (let attempt = 1; attempt < 20; attempt++) {
        now += 100
        board.observe(state(venue, "Reconnecting", { attempt, delayMillis: 250 }))
      }
      board.observe(new MarketEvent.Gap({ venue, product: "BTC-USD", cause: "disconnect" }))
    }
    const lines = board.lines(plain, size)
    assert.isAtMost(lines.length, 23)
    assert.match(lines.join("\n"), /● Reconnecting {2}attempt 19 in 0\.3 s/)
    assert.match(lines.join("\n"), /43250\.10 +43250\.1 −1 digit/)
    assert.match(lines.join("\n"), /2279\.845612345678901230 +2279\.845612345679 /)
    assert.match(lines.join("\n"), /attempt 19 in 250 ms: unreachable: ECONNRESET/)
    for (const line of lines.slice(0, -10)) assert.isAtMost(line.length, 80, line)
  })

  it("shows a market's table within 80 cells, whatever the digits", () => {
    const board = Board.make({ title: "tickline stream", detail: "market", now: () => 0 })
    board.observe(trade("v", "BTC-USD", "43250.10"))
    board.observe(trade("v", "WETH-DAI", "2279.845612345678901230"))
    for (const columns of [80, 120]) {
      const lines = board.lines(plain, { columns, rows: 24 })
      for (const line of lines) assert.isAtMost(line.length, columns, line)
      assert.include(lines.join("\n"), "12:00:00.123")
    }
  })

  it("lets nothing that a peer sent move the cursor", () => {
    const board = Board.make({ title: "t", detail: "market", now: () => 0 })
    board.observe(trade("v", "A\u001b[2J\u0007", "1.0"))
    board.observe(new MarketEvent.VenueError({ venue: "v", message: "\u001b[31mred\r\n" }))
    // oxlint-disable-next-line no-control-regex
    assert.notMatch(board.lines(plain, size).join(""), /[\u0000-\u001f]/)
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
