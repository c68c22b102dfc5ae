import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as Market from "@tickline/testing/Market"
import * as MockBinance from "@tickline/testing/MockBinance"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"

const atMillis = 1_700_000_000_000
const product: Market.Product = { symbol: "BTCUSDT", price: "43250.10000000", size: "0.05000000" }
const market = Market.make(product, { seed: 7, atMillis })
const floor: MockVenue.Floor = {
  atMillis,
  market: (symbol) => symbol === product.symbol ? market : undefined,
  path: "/stream"
}
const mock = MockBinance.make()

const ask = (frame: unknown, session = MockVenue.newSession, at = floor) =>
  mock.receive(session, typeof frame === "string" ? frame : JSON.stringify(frame), at)

const replies = (answer: MockVenue.Answer) => answer.replies.map(({ text }): unknown => JSON.parse(text))

/** What our own venue makes of the frames, as the runner prints it. */
const decoded = (frames: ReadonlyArray<MockVenue.Outgoing>) =>
  frames.flatMap(({ text }) => {
    const events = Binance.venue.decode(text)
    return Rejection.isFrameRejected(events)
      ? assert.fail(events.message)
      : events.map((event) => JSON.parse(Ndjson.toJson(event)) as Record<string, unknown>)
  })

const channels = ["trade", "aggTrade", "bookTicker", "ticker", "depth@100ms", "depth5@100ms", "depth20"]
const subscribed = (): MockVenue.Session => {
  const [request] = Binance.venue.subscribe(channels.map((channel) => ({ channel, product: "BTCUSDT" })), 1)
  const answer = ask(request?.text ?? "")
  assert.deepStrictEqual(replies(answer), [{ result: null, id: 1 }])
  assert.deepStrictEqual(decoded(answer.replies), [
    { _tag: "Response", venue: "binance", requestId: "1", result: null }
  ])
  return answer.session
}

describe("MockBinance", () => {
  it("announces its end, combined or bare, and lets a session live for a day", () => {
    const announced = (path: string) => mock.farewell?.({ ...floor, path }) ?? assert.fail("no farewell")
    for (const path of ["/stream", "/ws"]) {
      assert.deepStrictEqual(decoded([announced(path)]), [{ _tag: "Other", venue: "binance", kind: "serverShutdown" }])
    }
    assert.deepStrictEqual(JSON.parse(announced("/ws").text), { e: "serverShutdown", E: atMillis })
    assert.strictEqual(mock.enforcement?.session, 86_400_000)
  })

  it("delivers what was subscribed to, as our own venue reads it", () => {
    const session = subscribed()
    const { last } = market
    const frames = mock.publish(session, last, floor)
    assert.deepStrictEqual(frames.map(({ data }) => data), channels.map((channel) => ({ channel, product: "BTCUSDT" })))
    const { asks, bids } = Market.book(market)
    const time = Timestamp.parse(last.timestamp)
    const instant = (millis: number) => Timestamp.format(Timestamp.fromEpochMillis(millis))
    const at = time === undefined ? assert.fail() : Timestamp.epochMillis(time)
    const venue = "binance"
    const trade = {
      _tag: "Trade",
      venue,
      product: "BTCUSDT",
      price: last.price,
      size: last.size,
      side: last.side,
      tradeId: String(last.tradeId),
      timestamp: instant(at)
    }
    const quotes = { bid: last.bid[0], bidSize: last.bid[1], ask: last.ask[0], askSize: last.ask[1] }
    const sequence = String(last.sequence)
    const levels = (side: "buy" | "sell") =>
      last.changes.filter((change) => change[0] === side).map(([, price, size]) => [price, size])
    assert.deepStrictEqual(decoded(frames), [
      trade,
      trade,
      { _tag: "Ticker", venue, product: "BTCUSDT", ...quotes, sequence },
      {
        _tag: "Ticker",
        venue,
        product: "BTCUSDT",
        price: last.price,
        ...quotes,
        volume: last.volume,
        timestamp: instant(at + 1)
      },
      {
        _tag: "BookDelta",
        venue,
        product: "BTCUSDT",
        bids: levels("buy"),
        asks: levels("sell"),
        timestamp: instant(at + 1),
        firstSequence: String(last.sequence - last.changes.length),
        sequence
      },
      { _tag: "BookSnapshot", venue, product: "BTCUSDT", bids: bids.slice(0, 5), asks: asks.slice(0, 5), sequence },
      { _tag: "BookSnapshot", venue, product: "BTCUSDT", bids, asks, sequence }
    ])
  })

  it("numbers updates so that each follows the one before, and breaks that on demand", () => {
    const session = subscribed()
    let now = market
    for (let i = 0; i < 50; i++) {
      const next = Market.next(now, atMillis + i)
      const [before, after] = [now, next].map(({ last }) =>
        mock.publish(session, last, floor).find(({ data }) => data?.channel === "depth@100ms")?.text ?? ""
      )
      const [first, second] = decoded([before, after].map((text = "") => ({ text, data: undefined })))
      assert.strictEqual(BigInt(String(second?.["firstSequence"])), BigInt(String(first?.["sequence"])) + 1n)
      const [broken] = decoded([{ text: mock.corrupt(after ?? "") ?? "", data: undefined }])
      assert.strictEqual(BigInt(String(broken?.["firstSequence"])), BigInt(String(second?.["firstSequence"])) + 1_000n)
      now = next
    }
    assert.isUndefined(mock.corrupt("{\"e\":\"trade\"}"))
  })

  it("sends bare messages where the client dialled so", () => {
    const session = subscribed()
    for (
      const [path, isBare] of [["/ws", true], ["/ws/x", true], ["/ws?a", true], ["/wss", false], ["/", false]] as const
    ) {
      const [frame] = mock.publish(session, market.last, { ...floor, path })
      assert.strictEqual(JSON.parse(frame?.text ?? "").e === "trade", isBare, path)
    }
  })

  it("lists and ends subscriptions, and acknowledges a product that it does not list", () => {
    const first = ask({ method: "SUBSCRIBE", params: ["btcusdt@trade", "nosuch@trade"], id: "a" })
    assert.deepStrictEqual(replies(first), [{ result: null, id: "a" }])
    const list = ask({ method: "LIST_SUBSCRIPTIONS", id: 3 }, first.session)
    assert.deepStrictEqual(replies(list), [{ result: ["btcusdt@trade", "nosuch@trade"], id: 3 }])
    assert.deepStrictEqual(decoded(list.replies), [
      { _tag: "Response", venue: "binance", requestId: "3", result: ["btcusdt@trade", "nosuch@trade"] }
    ])
    const ended = ask({ method: "UNSUBSCRIBE", params: ["btcusdt@trade", "nosuch@trade"], id: 4 }, first.session)
    assert.deepStrictEqual(replies(ended), [{ result: null, id: 4 }])
    assert.strictEqual(ended.session.channels.size, 0)
    assert.deepStrictEqual(mock.publish(ended.session, market.last, floor), [])
  })

  it("acknowledges a stream that is not in lower case, and sends nothing on it", () => {
    const asked = ask({ method: "SUBSCRIBE", params: ["BTCUSDT@trade", "Btcusdt@ticker"], id: 1 })
    assert.deepStrictEqual(replies(asked), [{ result: null, id: 1 }])
    assert.deepStrictEqual(mock.publish(asked.session, market.last, floor), [])
    const list = ask({ method: "LIST_SUBSCRIPTIONS", id: 2 }, asked.session)
    assert.deepStrictEqual(replies(list), [{ result: ["BTCUSDT@trade", "Btcusdt@ticker"], id: 2 }])
  })

  it("refuses in the venue's words, and changes nothing", () => {
    const variants = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"
    for (
      const [frame, code, message, requestId] of [
        ["{", "3", "Invalid JSON: expected value at line 1 column 1", undefined],
        ["[]", "3", "Invalid JSON: expected value at line 1 column 1", undefined],
        [
          { method: "SUBSCRIBE", params: [], id: 1.5 },
          "2",
          "Invalid request: request ID must be an unsigned integer",
          undefined
        ],
        [{ id: 1 }, "2", "Invalid request: missing field `method` at line 1 column 8", "1"],
        [
          { method: "HELLO", id: 2 },
          "2",
          `Invalid request: unknown variant \`HELLO\`, expected one of ${variants}`,
          "2"
        ],
        [{ method: "SUBSCRIBE", params: ["btcusdt@nothing"], id: 3 }, "2", "Invalid request: invalid stream", "3"],
        [{ method: "SUBSCRIBE", params: "btcusdt@trade", id: 3 }, "2", "Invalid request: invalid stream", "3"],
        [{ method: "GET_PROPERTY", params: ["x"], id: 4 }, "0", "Unknown property", "4"]
      ] as const
    ) {
      const answer = ask(frame)
      assert.deepStrictEqual(decoded(answer.replies), [{
        _tag: "VenueError",
        venue: "binance",
        code,
        message,
        ...(requestId === undefined ? {} : { requestId })
      }])
      assert.strictEqual(answer.session.channels.size, 0)
    }
  })

  it("closes on the sixth message within a second, and never before", () => {
    let session = MockVenue.newSession
    const send = (at: number) => {
      const answer = ask({ method: "LIST_SUBSCRIPTIONS", id: at }, session, { ...floor, atMillis: atMillis + at })
      session = answer.session
      return answer.close
    }
    for (let at = 0; at < 5_000; at += 200) assert.isUndefined(send(at))
    for (const at of [6_000, 6_000, 6_000, 6_000, 6_999]) assert.isUndefined(send(at))
    assert.isUndefined(send(7_000))
    for (const at of [7_000, 7_000, 7_000]) assert.isUndefined(send(at))
    assert.deepStrictEqual(send(7_001), { code: 1008, reason: "Too many requests" })
  })

  it("never answers a request that is too long", () => {
    const params = Array.from({ length: 400 }, (_, i) => `pair${i}@trade`)
    const answer = ask({ method: "SUBSCRIBE", params, id: 1 })
    assert.deepStrictEqual(answer.replies, [])
    assert.strictEqual(answer.session.channels.size, 0)
    for (const request of Binance.venue.subscribe(params.map((product) => ({ channel: "trade", product })), 1)) {
      assert.strictEqual(ask(request.text).replies.length, 1)
    }
  })

  it("sends a price by hand", () => {
    assert.deepStrictEqual(decoded([mock.price("BTCUSDT", "43250.10", atMillis)]), [
      {
        _tag: "Ticker",
        venue: "binance",
        product: "BTCUSDT",
        price: "43250.10",
        timestamp: "2023-11-14T22:13:20.000Z"
      }
    ])
  })

  it("is one of the mock venues", () => {
    assert.strictEqual(MockVenues.byName("binance")?.name, "binance")
  })

  it("has the streams that the address names, and the small ticker", () => {
    const { last } = market
    const streams = (path: string): ReadonlyArray<unknown> => {
      const at = { ...floor, path }
      return mock.publish(mock.open?.(at) ?? MockVenue.newSession, last, at).map(({ text }): unknown =>
        JSON.parse(text)
      )
    }
    const [bare] = streams("/ws/btcusdt@miniTicker")
    assert.containsSubset(bare, { e: "24hrMiniTicker", s: "BTCUSDT", c: last.price, o: last.open, v: last.volume })
    const combined = streams("/stream?streams=btcusdt@trade/btcusdt@miniTicker")
    assert.containsSubset(combined, [{ stream: "btcusdt@trade" }, {
      stream: "btcusdt@miniTicker",
      data: { c: last.price }
    }])
    for (const path of ["/ws", "/stream", "/ws/0", "/ws/btcusdt@nonsense"]) assert.deepStrictEqual(streams(path), [])
  })
})
