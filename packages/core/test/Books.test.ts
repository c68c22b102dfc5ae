/** Books by the venues' own methods, from messages as their documentation has them. */
import { assert, describe, it } from "@effect/vitest"
import { isFrameRejected } from "@tickline/core/codec/Rejection"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import * as Dydx from "@tickline/core/venue/dydx/Venue"
import * as Hyperliquid from "@tickline/core/venue/hyperliquid/Venue"
import * as Kraken from "@tickline/core/venue/kraken/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import type { BookSnapshot, Level } from "../src/event/MarketData.ts"
import { bookSnapshot } from "../src/event/MarketData.ts"
import { Books, type Options } from "../src/market/internal/books.ts"
import { uncross } from "../src/market/internal/uncross.ts"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(text)

class Kept {
  readonly books: Books
  private readonly venue: Venue

  constructor(venue: Venue, options?: Options) {
    this.venue = venue
    this.books = new Books(venue, options)
  }

  /** What a frame makes of the books: product, state, cause, and the best levels. */
  frame(message: object): ReadonlyArray<string> {
    const text = JSON.stringify(message)
    const events = this.venue.decode(text)
    if (isFrameRejected(events)) return assert.fail(`${events.message}: ${text}`)
    return this.books.frame(text, events).map(({ book: { levels, product, standing } }) => {
      const best = [levels.bids.best(), levels.asks.best()].map((level) =>
        level === undefined ? "-" : Decimal.format(level[0])
      )
      return `${product} ${standing._tag}${standing._tag === "Gapped" ? ` ${standing.cause}` : ""} ${best.join("/")}`
    })
  }

  /** What a frame that cannot be read makes of them. */
  rejected(message: object): ReadonlyArray<string> {
    const text = JSON.stringify(message)
    assert.isTrue(isFrameRejected(this.venue.decode(text)))
    return this.books.rejected(text).map(({ book: { product, standing } }) => `${product} ${standing._tag}`)
  }
}

describe("Coinbase Advanced: the number of every frame of the connection", () => {
  const l2 = (
    sequence_num: number,
    product_id: string,
    type: string,
    ...updates: ReadonlyArray<readonly [string, string, string]>
  ) => ({
    channel: "l2_data",
    timestamp: "2026-11-25T12:00:00Z",
    sequence_num,
    events: [{
      type,
      product_id,
      updates: updates.map(([side, price_level, new_quantity]) => ({
        side,
        price_level,
        new_quantity,
        event_time: "2026-11-25T12:00:00Z"
      }))
    }]
  })
  const snapshot = (number: number, product: string) =>
    l2(number, product, "snapshot", ["bid", "10", "1"], ["offer", "11", "1"])
  const update = (number: number, product: string) => l2(number, product, "update", ["bid", "10.5", "1"])
  const heartbeat = (sequence_num: number) => ({
    channel: "heartbeats",
    sequence_num,
    events: [{ heartbeat_counter: 1 }]
  })
  const acknowledgement = (sequence_num: number) => ({
    channel: "subscriptions",
    sequence_num,
    events: [{ subscriptions: { level2: ["A-USD"] } }]
  })

  it("counts acknowledgements and heartbeats, and begins with the first that is seen", () => {
    const kept = new Kept(Coinbase.venue)
    assert.deepStrictEqual(kept.frame(acknowledgement(7)), [])
    assert.deepStrictEqual(kept.frame(snapshot(8, "A-USD")), ["A-USD Live 10/11"])
    assert.deepStrictEqual(kept.frame(heartbeat(9)), [])
    assert.deepStrictEqual(kept.frame(update(10, "A-USD")), ["A-USD Live 10.5/11"])
  })

  it("breaks every book at a number that is missing, whatever the frame is of, and once", () => {
    const kept = new Kept(Coinbase.venue)
    kept.frame(snapshot(0, "A-USD"))
    kept.frame(snapshot(1, "B-USD"))
    assert.deepStrictEqual(kept.frame(heartbeat(3)), ["A-USD Gapped sequence -/-", "B-USD Gapped sequence -/-"])
    assert.deepStrictEqual(kept.frame(update(5, "A-USD")), ["A-USD Syncing -/-"])
    assert.deepStrictEqual(kept.frame(snapshot(6, "A-USD")), ["A-USD Live 10/11"])
    assert.deepStrictEqual(kept.frame(update(7, "B-USD")), ["B-USD Syncing -/-"])
  })

  it("a snapshot that breaks the order makes its own book whole", () => {
    const kept = new Kept(Coinbase.venue)
    kept.frame(snapshot(0, "A-USD"))
    kept.frame(snapshot(1, "B-USD"))
    assert.deepStrictEqual(kept.frame(snapshot(5, "A-USD")), ["A-USD Live 10/11", "B-USD Gapped sequence -/-"])
  })

  it("passes over what it has seen, and what comes late after a break", () => {
    const kept = new Kept(Coinbase.venue)
    kept.frame(snapshot(0, "A-USD"))
    kept.frame(update(1, "A-USD"))
    assert.deepStrictEqual(kept.frame(update(1, "A-USD")), [])
    assert.deepStrictEqual(kept.frame(heartbeat(3)), ["A-USD Gapped sequence -/-"])
    assert.deepStrictEqual(kept.frame(update(2, "A-USD")), [])
    assert.isUndefined(kept.books.unverified)
  })

  it("takes numbers that come on two channels for numbers of each channel: nothing is proven, and nothing loops", () => {
    const kept = new Kept(Coinbase.venue)
    kept.frame(snapshot(0, "A-USD"))
    assert.deepStrictEqual(kept.frame(heartbeat(0)), [])
    assert.include(kept.books.unverified, "two channels")
    assert.deepStrictEqual(kept.frame(update(1, "A-USD")), ["A-USD Unverified 10.5/11"])
    assert.deepStrictEqual(kept.frame(update(9, "A-USD")), ["A-USD Unverified 10.5/11"])
    assert.deepStrictEqual(kept.frame(snapshot(2, "B-USD")), ["B-USD Unverified 10/11"])
  })

  it("numbers of each channel are known as such if the slower channel is heard first, and nothing loops", () => {
    const kept = new Kept(Coinbase.venue)
    kept.frame(snapshot(5, "A-USD"))
    // The heartbeats are far ahead: a break, as far as can be known.
    assert.deepStrictEqual(kept.frame(heartbeat(100)), ["A-USD Gapped sequence -/-"])
    assert.deepStrictEqual(kept.frame(snapshot(6, "A-USD")), ["A-USD Unverified 10/11"])
    assert.include(kept.books.unverified, "another channel")
    assert.deepStrictEqual(kept.frame(heartbeat(101)), [])
    assert.deepStrictEqual(kept.frame(update(7, "A-USD")), ["A-USD Unverified 10.5/11"])
  })

  it("one frame that another channel's overtakes comes late: the numbers hold", () => {
    const kept = new Kept(Coinbase.venue)
    kept.frame(snapshot(0, "A-USD"))
    assert.deepStrictEqual(kept.frame(heartbeat(2)), ["A-USD Gapped sequence -/-"])
    assert.deepStrictEqual(kept.frame(update(1, "A-USD")), [])
    assert.isUndefined(kept.books.unverified)
    assert.deepStrictEqual(kept.frame(snapshot(3, "A-USD")), ["A-USD Live 10/11"])
  })

  it("a frame of something else that cannot be read has its number, and one of a book is lost to that book", () => {
    const kept = new Kept(Coinbase.venue)
    kept.frame(snapshot(0, "A-USD"))
    kept.frame(snapshot(1, "B-USD"))
    assert.deepStrictEqual(kept.rejected({ channel: "ticker", sequence_num: 2, events: [{ tickers: 7 }] }), [])
    assert.deepStrictEqual(kept.frame(update(3, "A-USD")), ["A-USD Live 10.5/11"])
    assert.deepStrictEqual(
      kept.rejected({
        channel: "l2_data",
        sequence_num: 4,
        events: [{ type: "update", product_id: "A-USD", updates: 7 }]
      }),
      ["A-USD Gapped", "B-USD Gapped"]
    )
    assert.deepStrictEqual(kept.frame(snapshot(5, "A-USD")), ["A-USD Live 10/11"])
    // One that says nothing of what it is may be of any book.
    assert.deepStrictEqual(kept.rejected({ sequence_num: 6 }), [])
    assert.deepStrictEqual(kept.frame(heartbeat(7)), ["A-USD Gapped sequence -/-"])
  })
})

describe("a frame with several events of a book", () => {
  const level2 = (
    sequence_num: number,
    ...events: ReadonlyArray<readonly [type: string, bid: string, ask: string]>
  ) => ({
    channel: "l2_data",
    timestamp: "2026-11-25T12:00:00Z",
    sequence_num,
    events: events.map(([type, bid, ask]) => ({
      type,
      product_id: "A-USD",
      updates: [["bid", bid, "1"], ["offer", ask, "1"]].map(([side, price_level, new_quantity]) => ({
        side,
        price_level,
        new_quantity,
        event_time: "2026-11-25T12:00:00Z"
      }))
    }))
  })

  it("is looked at for crossing when it is over, and is one line", () => {
    const kept = new Kept(Coinbase.venue)
    kept.frame(level2(0, ["snapshot", "10", "11"]))
    assert.deepStrictEqual(kept.frame(level2(1, ["update", "12", "13"], ["snapshot", "10", "11"])), [
      "A-USD Live 10/11"
    ])
    assert.deepStrictEqual(kept.frame(level2(2, ["update", "12", "13"], ["update", "9", "14"])), [
      "A-USD Gapped crossed -/-"
    ])
  })
})

describe("dYdX: numbers that come late around subscriptions", () => {
  const contents = { bids: [{ price: "10", size: "1" }], asks: [{ price: "11", size: "1" }] }
  const subscribed = (message_id: number, id: string) => ({
    type: "subscribed",
    connection_id: "c",
    message_id,
    channel: "v4_orderbook",
    id,
    contents
  })
  const data = (message_id: number, id: string, bids: ReadonlyArray<readonly [string, string]> = [["10", "2"]]) => ({
    type: "channel_data",
    connection_id: "c",
    message_id,
    id,
    channel: "v4_orderbook",
    version: "1.0.0",
    contents: { bids }
  })

  it("a jump is no break while no more numbers are missing than answers are due", () => {
    const kept = new Kept(Dydx.venue, { asked: () => 3 })
    kept.frame({ type: "connected", connection_id: "c", message_id: 0 })
    assert.deepStrictEqual(kept.frame(subscribed(1, "A-USD")), ["A-USD Live 10/11"])
    assert.deepStrictEqual(kept.frame(data(3, "A-USD")), ["A-USD Live 10/11"])
    assert.deepStrictEqual(kept.frame(subscribed(2, "B-USD")), ["B-USD Live 10/11"])
    kept.frame({ type: "unsubscribed", connection_id: "c", message_id: 4, channel: "v4_trades", id: "A-USD" })
    assert.deepStrictEqual(kept.frame(data(5, "A-USD")), ["A-USD Live 10/11"])
    assert.deepStrictEqual(kept.frame(data(7, "A-USD")), ["A-USD Gapped sequence -/-", "B-USD Gapped sequence -/-"])
    assert.deepStrictEqual(kept.frame(data(8, "A-USD")), ["A-USD Syncing -/-"])
  })

  it("tells a number that is still missing when the last answer has come, and never drops an answer", () => {
    const kept = new Kept(Dydx.venue, { asked: () => 2 })
    kept.frame({ type: "connected", connection_id: "c", message_id: 0 })
    assert.deepStrictEqual(kept.frame(subscribed(2, "A-USD")), ["A-USD Live 10/11"])
    assert.deepStrictEqual(kept.frame(data(4, "A-USD")), ["A-USD Gapped sequence -/-"])
    assert.deepStrictEqual(kept.frame(subscribed(1, "B-USD")), ["B-USD Live 10/11"])
  })

  it("data that comes late is out of order", () => {
    const kept = new Kept(Dydx.venue, { asked: () => 3 })
    kept.frame(subscribed(1, "A-USD"))
    assert.deepStrictEqual(kept.frame(data(3, "A-USD")), ["A-USD Live 10/11"])
    assert.deepStrictEqual(kept.frame(data(2, "A-USD")), ["A-USD Gapped sequence -/-"])
  })

  it("crosses by design", () => {
    const kept = new Kept(Dydx.venue)
    kept.frame(subscribed(1, "A-USD"))
    assert.deepStrictEqual(kept.frame(data(2, "A-USD", [["12", "1"]])), ["A-USD Live 12/11"])
    const [book] = kept.books.all
    const asksOf = (isRaw: boolean) => book?.top({ depth: 5, isRaw }).asks.map(([price]) => Decimal.format(price))
    // What was set later stays: the ask at 11 is left out of the view, and not of what was sent.
    assert.deepStrictEqual(asksOf(true), ["11"])
    assert.deepStrictEqual(asksOf(false), [])
  })
})

describe("dYdX: what crosses is left out", () => {
  const level = (price: string, size: string): Level => [decimal(price), decimal(size)]
  const view = (
    bids: ReadonlyArray<readonly [string, string, bigint]>,
    asks: ReadonlyArray<readonly [string, string, bigint]>,
    depth = 10
  ) => {
    const at = { bids: new Map<string, bigint>(), asks: new Map<string, bigint>() }
    const side = (name: "bids" | "asks", levels: typeof bids): ReadonlyArray<Level> =>
      levels.map(([price, size, number]) => {
        at[name].set(price, number)
        return level(price, size)
      })
    const seen = uncross(
      side("bids", bids),
      side("asks", asks),
      (name, [price]) => at[name].get(Decimal.format(price)) ?? 0n,
      depth
    )
    return [seen.bids, seen.asks].map((levels) => levels.map((one) => one.map(Decimal.format).join("@")))
  }

  it("the side that was set earlier goes, level by level", () => {
    assert.deepStrictEqual(view([["12", "1", 1n], ["10", "2", 1n]], [["11", "1", 5n], ["13", "1", 1n]]), [
      ["10@2"],
      ["11@1", "13@1"]
    ])
    assert.deepStrictEqual(
      view([["12", "1", 5n], ["10", "2", 1n]], [["11", "1", 1n], ["12.0", "1", 4n], ["13", "1", 1n]]),
      [
        ["12@1", "10@2"],
        ["13@1"]
      ]
    )
  })

  it("of two that were set at once the larger keeps the exact rest, with the longer scale", () => {
    assert.deepStrictEqual(view([["12", "1.5", 3n]], [["12", "0.25", 3n], ["13", "1", 3n]]), [["12@1.25"], ["13@1"]])
    assert.deepStrictEqual(view([["12", "0.250", 3n], ["11", "1", 1n]], [["11.5", "1.5", 3n]]), [["11@1"], [
      "11.5@1.250"
    ]])
    assert.deepStrictEqual(view([["12", "1", 3n]], [["11", "1.0", 3n]]), [[], []])
  })

  it("what does not cross stays, to the depth", () => {
    assert.deepStrictEqual(view([["10", "1", 1n], ["9", "1", 1n]], [["11", "1", 1n], ["12", "1", 1n]], 1), [["10@1"], [
      "11@1"
    ]])
  })
})

describe("Deribit: each change names the one before", () => {
  const book = (
    type: string,
    change_id: number,
    prev_change_id: number | undefined,
    bids: ReadonlyArray<readonly [string, number, number]>
  ) => ({
    jsonrpc: "2.0",
    method: "subscription",
    params: {
      channel: "book.BTC-PERPETUAL.100ms",
      data: {
        type,
        timestamp: 1_790_000_000_000,
        instrument_name: "BTC-PERPETUAL",
        change_id,
        ...(prev_change_id === undefined ? {} : { prev_change_id }),
        bids,
        asks: type === "snapshot" ? [["new", 11, 1]] : []
      }
    }
  })
  const snapshot = (id: number) => book("snapshot", id, undefined, [["new", 10, 1]])

  it("applies what follows, passes over what is older, breaks at what does not follow", () => {
    const kept = new Kept(Deribit.venue)
    assert.deepStrictEqual(kept.frame(book("change", 9, 8, [])), ["BTC-PERPETUAL Syncing -/-"])
    assert.deepStrictEqual(kept.frame(snapshot(10)), ["BTC-PERPETUAL Live 10/11"])
    assert.deepStrictEqual(kept.frame(book("change", 15, 10, [["new", 10.5, 1]])), ["BTC-PERPETUAL Live 10.5/11"])
    assert.deepStrictEqual(kept.frame(book("change", 15, 10, [["new", 10.5, 1]])), [])
    assert.deepStrictEqual(kept.frame(book("change", 17, 16, [])), ["BTC-PERPETUAL Gapped sequence -/-"])
    assert.deepStrictEqual(kept.frame(book("change", 18, 17, [])), ["BTC-PERPETUAL Syncing -/-"])
    assert.deepStrictEqual(kept.frame(snapshot(20)), ["BTC-PERPETUAL Live 10/11"])
  })

  it("a snapshot that is older than the book sets nothing back", () => {
    const kept = new Kept(Deribit.venue)
    kept.frame(snapshot(10))
    kept.frame(book("change", 15, 10, [["new", 10.5, 1]]))
    assert.deepStrictEqual(kept.frame(snapshot(10)), [])
    assert.deepStrictEqual(kept.frame(book("change", 16, 15, [])), ["BTC-PERPETUAL Live 10.5/11"])
  })

  it("is broken if its sides cross; right after a resynchronisation it is taken to be so", () => {
    const kept = new Kept(Deribit.venue)
    kept.frame(snapshot(1))
    assert.deepStrictEqual(kept.frame(book("change", 2, 1, [["new", 11, 1]])), ["BTC-PERPETUAL Live 11/11"])
    assert.deepStrictEqual(kept.frame(book("change", 3, 2, [["new", 12, 1]])), ["BTC-PERPETUAL Gapped crossed -/-"])
    assert.deepStrictEqual(kept.frame(book("snapshot", 4, undefined, [["new", 12, 1]])), [
      "BTC-PERPETUAL Unverified 12/11"
    ])
    assert.deepStrictEqual(kept.frame(book("change", 5, 4, [["new", 13, 1]])), ["BTC-PERPETUAL Unverified 13/11"])
    assert.deepStrictEqual(kept.frame(book("change", 9, 8, [])), ["BTC-PERPETUAL Gapped sequence -/-"])
  })

  it("a grouped book is whole each time, and unverified", () => {
    const kept = new Kept(Deribit.venue)
    const grouped = (change_id: number, bid: number) => ({
      jsonrpc: "2.0",
      method: "subscription",
      params: {
        channel: "book.BTC-PERPETUAL.none.10.100ms",
        data: {
          timestamp: 1_790_000_000_000,
          instrument_name: "BTC-PERPETUAL",
          change_id,
          bids: [[bid, 1]],
          asks: [[11, 1]]
        }
      }
    })
    assert.deepStrictEqual(kept.frame(grouped(1, 10)), ["BTC-PERPETUAL Unverified 10/11"])
    assert.deepStrictEqual(kept.frame(grouped(9, 9)), ["BTC-PERPETUAL Unverified 9/11"])
  })
})

describe("Binance: a snapshot over HTTP, and the changes after it", () => {
  const delta = (U: number, u: number, bid: string) => ({
    stream: "btcusdt@depth",
    data: { e: "depthUpdate", E: 1_790_000_000_000, s: "BTCUSDT", U, u, b: [[bid, "1"]], a: [] }
  })
  const own = (sequence: number): BookSnapshot =>
    bookSnapshot({
      venue: "binance",
      product: "BTCUSDT",
      bids: [[decimal("10"), decimal("1")]],
      asks: [[decimal("20"), decimal("1")]],
      sequence: String(sequence)
    })
  const bookOf = (kept: Kept) => [...kept.books.all][0] ?? assert.fail("no book")

  it("waits for the snapshot, and applies what came meanwhile and is newer", () => {
    const kept = new Kept(Binance.venue)
    assert.deepStrictEqual(kept.frame(delta(1, 5, "11")), ["BTCUSDT Syncing -/-"])
    assert.deepStrictEqual(kept.frame(delta(6, 8, "12")), ["BTCUSDT Syncing -/-"])
    assert.isTrue(bookOf(kept).applyRestSnapshot(own(5)))
    assert.deepStrictEqual(kept.frame(delta(9, 9, "13")), ["BTCUSDT Live 13/20"])
    assert.deepStrictEqual(kept.frame(delta(8, 9, "14")), [])
    assert.deepStrictEqual(kept.frame(delta(11, 12, "14")), ["BTCUSDT Gapped sequence -/-"])
    // What broke it is kept for the next snapshot.
    assert.isTrue(bookOf(kept).applyRestSnapshot(own(11)))
    assert.deepStrictEqual(kept.frame(delta(13, 13, "10")), ["BTCUSDT Live 14/20"])
  })

  it("needs another snapshot where the first change is newer than the one it has", () => {
    const kept = new Kept(Binance.venue)
    kept.frame(delta(10, 12, "11"))
    assert.isFalse(bookOf(kept).applyRestSnapshot(own(8)))
    assert.deepStrictEqual(kept.frame(delta(13, 14, "12")), ["BTCUSDT Syncing -/-"])
    assert.isTrue(bookOf(kept).applyRestSnapshot(own(9)))
    assert.deepStrictEqual(kept.frame(delta(15, 15, "11.5")), ["BTCUSDT Live 12/20"])
  })

  it("a change whose numbers jump ahead is not waited for when the others go on", () => {
    const kept = new Kept(Binance.venue)
    kept.frame(delta(4, 5, "11"))
    assert.isTrue(bookOf(kept).applyRestSnapshot(own(5)))
    assert.deepStrictEqual(kept.frame(delta(1_006, 1_008, "12")), ["BTCUSDT Gapped sequence -/-"])
    assert.isFalse(bookOf(kept).applyRestSnapshot(own(8)))
    kept.frame(delta(9, 10, "13"))
    assert.isTrue(bookOf(kept).applyRestSnapshot(own(8)))
    assert.deepStrictEqual(kept.frame(delta(11, 11, "14")), ["BTCUSDT Live 14/20"])
  })

  it("a change that overlaps what the book has is applied", () => {
    const kept = new Kept(Binance.venue)
    kept.frame(delta(4, 5, "11"))
    assert.isTrue(bookOf(kept).applyRestSnapshot(own(5)))
    assert.deepStrictEqual(kept.frame(delta(6, 8, "12")), ["BTCUSDT Live 12/20"])
    assert.deepStrictEqual(kept.frame(delta(7, 10, "13")), ["BTCUSDT Live 13/20"])
  })

  it("a change that overlaps the snapshot is applied, as the first", () => {
    const kept = new Kept(Binance.venue)
    kept.frame(delta(4, 9, "11"))
    assert.isTrue(bookOf(kept).applyRestSnapshot(own(6)))
    assert.deepStrictEqual(kept.frame(delta(10, 10, "12")), ["BTCUSDT Live 12/20"])
  })
})

describe("Kraken: a checksum of the ten best levels", () => {
  const book = (type: string, bids: ReadonlyArray<readonly [string, string]>, checksum: number) =>
    `{"channel":"book","type":"${type}","data":[{"symbol":"BTC/USD","bids":[${
      bids.map(([price, qty]) => `{"price":${price},"qty":${qty}}`).join(",")
    }],"asks":[],"checksum":${checksum},"timestamp":"2026-11-25T12:00:00.000000Z"}]}`
  const frame = (books: Books, text: string) => {
    const events = Kraken.venue.decode(text)
    return isFrameRejected(events)
      ? assert.fail(text)
      : books.frame(text, events).map(({ book }) => book.standing._tag)
  }

  it("a snapshot with another checksum is a break", () => {
    assert.deepStrictEqual(frame(new Books(Kraken.venue), book("snapshot", [["1.0", "2.0"]], 1)), ["Gapped"])
  })

  it("is cut to the depth that its acknowledgement names, and else to the least that holds it", () => {
    const acknowledgement = (depth: number) =>
      `{"method":"subscribe","result":{"channel":"book","depth":${depth},"snapshot":true,"symbol":"BTC/USD"},"success":true}`
    const bids = Array.from({ length: 12 }, (_, i) => [`${100 - i}.0`, "1.0"] as const)
    for (const [depth, expected] of [[undefined, 25], [10, 10], [100, 100]] as const) {
      const books = new Books(Kraken.venue)
      if (depth !== undefined) frame(books, acknowledgement(depth))
      frame(books, book("snapshot", bids, 1))
      assert.strictEqual([...books.all][0]?.depth, expected)
    }
  })
})

describe("Hyperliquid: whole books", () => {
  it("replaces what was, and proves nothing", () => {
    const kept = new Kept(Hyperliquid.venue)
    const book = (bid: string) => ({
      channel: "l2Book",
      data: {
        coin: "BTC",
        time: 1_790_000_000_000,
        levels: [[{ px: bid, sz: "1", n: 1 }], [{ px: "11", sz: "1", n: 1 }]]
      }
    })
    assert.deepStrictEqual(kept.frame(book("10")), ["BTC Unverified 10/11"])
    assert.deepStrictEqual(kept.frame(book("9")), ["BTC Unverified 9/11"])
    assert.deepStrictEqual(kept.books.disconnected().map(({ book }) => book.standing._tag), ["Gapped"])
    assert.deepStrictEqual(kept.books.disconnected(), [])
  })
})
