/**
 * The mock of Coinbase Advanced Trade's market data: channels `heartbeats`,
 * `ticker`, `ticker_batch`, `market_trades`, `level2` (answered as `l2_data`),
 * `candles` and `status` (acknowledged, silent). Every frame has the next
 * `sequence_num` of its connection, and the side of a trade is the maker's.
 *
 * Message shapes:
 * https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
 * (read 2026-11-21). A subscription is answered by the list of all, then
 * greeted: `market_trades` and `ticker` with a snapshot of the last, `level2`
 * with one of the book. A product that is not listed is left out of that list
 * without another word. A product in USDC is served as the one in dollars.
 * Channels of a user are refused without a token, as there. How the venue words
 * its other refusals it does not document.
 *
 * @since 0.1.0
 */
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Enforcement from "./Enforcement.ts"
import * as Listing from "./Listing.ts"
import * as Market from "./Market.ts"
import * as MockVenue from "./MockVenue.ts"

const channels = new Set([
  "heartbeats",
  "ticker",
  "ticker_batch",
  "market_trades",
  "level2",
  "candles",
  "status",
  "user",
  "futures_balance_summary"
])
const ofUser = new Set(["user", "futures_balance_summary"])

/**
 * The product whose data a channel gives: that in dollars of one in USDC, but for two.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-endpoints (read 2026-11-25)
 */
const servedAs = (channel: string, product: string): string =>
  ofUser.has(channel) || product === "USDT-USDC" || product === "EURC-USDC"
    ? product
    : product.replace(/-USDC$/, "-USD")

const Request = Schema.Struct({
  type: Schema.Literals(["subscribe", "unsubscribe"]),
  channel: Schema.String,
  product_ids: Schema.optionalKey(Schema.Array(Schema.String)),
  jwt: Schema.optionalKey(Schema.String)
})

const readJson = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))
const readRequest = Schema.decodeUnknownResult(Request)

/** What a message holds, before it has its number and time. */
interface Draft {
  readonly channel: string
  readonly event: object
  readonly data: MockVenue.Outgoing["data"]
}

const draft = (channel: string, event: object, data?: MockVenue.Outgoing["data"]): Draft => ({ channel, event, data })

/** Numbers the messages of one answer from what the connection has had. */
const frames = (drafts: ReadonlyArray<Draft>, floor: MockVenue.Floor): ReadonlyArray<MockVenue.Outgoing> => {
  const timestamp = Timestamp.format(Timestamp.fromEpochMillis(floor.atMillis))
  return drafts.map(({ channel, data, event }, index) => ({
    text: JSON.stringify({
      channel,
      client_id: "",
      timestamp,
      sequence_num: (floor.sent ?? 0) + index,
      events: [event]
    }),
    data
  }))
}

const made = (tick: Market.Tick): object => ({
  trade_id: String(tick.tradeId),
  product_id: tick.product,
  price: tick.price,
  size: tick.size,
  time: tick.timestamp,
  side: tick.side === "buy" ? "SELL" : "BUY"
})

const trade = (type: "snapshot" | "update", tick: Market.Tick): Draft =>
  draft("market_trades", { type, trades: [made(tick)] }, { channel: "market_trades", product: tick.product })

/** The batched ticker is without quotes. */
const ticker = (channel: string, type: "snapshot" | "update", tick: Market.Tick): Draft =>
  draft(channel, {
    type,
    tickers: [{
      type: "ticker",
      product_id: tick.product,
      price: tick.price,
      volume_24_h: tick.volume,
      low_24_h: tick.low,
      high_24_h: tick.high,
      low_52_w: tick.low,
      high_52_w: tick.high,
      ...(channel === "ticker_batch" ? {} : {
        best_bid: tick.bid[0],
        best_bid_quantity: tick.bid[1],
        best_ask: tick.ask[0],
        best_ask_quantity: tick.ask[1]
      })
    }]
  }, { channel, product: tick.product })

const level = (side: "buy" | "sell", [price_level, new_quantity]: Market.Level, event_time: string): object => ({
  side: side === "buy" ? "bid" : "offer",
  event_time,
  price_level,
  new_quantity
})

const book = (type: "snapshot" | "update", product: string, updates: ReadonlyArray<object>): Draft =>
  draft("l2_data", { type, product_id: product, updates }, { channel: "level2", product })

const snapshot = (market: Market.Market): Draft => {
  const { asks, bids } = Market.book(market)
  const at = market.last.timestamp
  return book("snapshot", market.product.symbol, [
    ...bids.map((each) => level("buy", each, at)),
    ...asks.map((each) => level("sell", each, at))
  ])
}

/** What a subscription to a channel of a product is greeted with. */
const greeting = (channel: string, market: Market.Market): ReadonlyArray<Draft> => {
  if (channel === "market_trades") return [trade("snapshot", market.last)]
  if (channel === "ticker" || channel === "ticker_batch") return [ticker(channel, "snapshot", market.last)]
  return channel === "level2" ? [snapshot(market)] : []
}

const subscriptions = (session: MockVenue.Session): Draft =>
  draft("subscriptions", {
    subscriptions: Object.fromEntries(
      Array.from(session.channels, ([name, products]) => [name, products.size === 0 ? [name] : [...products]])
    )
  })

/**
 * A first subscription is due within 5 s.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-rate-limits (read 2026-11-21)
 */
const enforcement: Enforcement.Enforcement = {
  ...Enforcement.declared(Coinbase.venue.limits),
  countsPings: false,
  excess: { close: { code: 1008, reason: "Too many requests" } },
  subscribeWithin: 5_000
}

const tradesPath = /^\/api\/v3\/brokerage\/market\/products\/([^/]+)\/ticker$/

/**
 * Past trades, the newest first, between two seconds; the best quotes stand beside
 * them.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/get-public-market-trades (read 2026-11-26)
 */
const listing: Listing.Listing = ({ path, query }, floor) => {
  const product = tradesPath.exec(path)?.[1]
  const market = floor.markets.find((one) => one.product.symbol === product)
  if (product === undefined || market === undefined) return undefined
  const [start = 0, end = Infinity] = [Listing.numberIn(query, "start"), Listing.numberIn(query, "end")]
  const found = floor.trades(product).filter((tick) => {
    const seconds = Market.millisOf(tick) / 1_000
    return seconds >= start && seconds <= end
  })
  return {
    trades: found.slice(-Math.min(Listing.numberIn(query, "limit") ?? 100, 1_000)).toReversed().map(made),
    best_bid: market.last.bid[0],
    best_ask: market.last.ask[0]
  }
}

/**
 * The mock of Coinbase Advanced Trade.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): MockVenue.MockVenue => ({
  name: Coinbase.venue.name,
  symbols: Coinbase.venue.symbols,
  heartbeatMillis: 1_000,
  enforcement,
  listing,
  receive: (session, frame, floor) => {
    const refuse = (message: string): MockVenue.Answer => ({
      session,
      replies: [MockVenue.notice({ type: "error", message })]
    })
    const json = readJson(frame)
    if (Result.isFailure(json)) return refuse("malformed JSON")
    const request = readRequest(json.success)
    if (Result.isFailure(request)) return refuse("malformed request")
    const { channel, jwt, type } = request.success
    if (!channels.has(channel)) return refuse(`channel ${channel} is not supported`)
    if (ofUser.has(channel) && jwt === undefined) return refuse("authentication failure")
    const asked = new Set((request.success.product_ids ?? []).map((product) => servedAs(channel, product)))
    if (type === "unsubscribe") {
      const after = MockVenue.unfollow(session, channel, asked)
      return { session: after, replies: frames([subscriptions(after)], floor) }
    }
    const listed = [...asked].flatMap((product) => floor.market(product) ?? [])
    if (asked.size > 0 && listed.length === 0) {
      return { session, replies: frames([subscriptions(session)], floor) }
    }
    const fresh = listed.filter(({ product }) => !MockVenue.follows(session, channel, product.symbol))
    const followed = channel === "heartbeats" ? [] : listed.map(({ product }) => product.symbol)
    const after = MockVenue.follow(session, channel, followed)
    const greetings = fresh.flatMap((market) => greeting(channel, market))
    return { session: after, replies: frames([subscriptions(after), ...greetings], floor) }
  },
  publish: (session, tick, floor) => {
    const drafts: Array<Draft> = []
    for (const [channel, products] of session.channels) {
      if (!products.has(tick.product) || (tick.isQuote && channel === "market_trades")) continue
      if (channel === "market_trades") drafts.push(trade("update", tick))
      else if (channel === "ticker" || channel === "ticker_batch") drafts.push(ticker(channel, "update", tick))
      else if (channel === "level2") {
        drafts.push(book(
          "update",
          tick.product,
          tick.changes.map(([side, price, size]) => level(side, [price, size], tick.timestamp))
        ))
      }
    }
    return frames(drafts, floor)
  },
  heartbeat: (session, floor) => {
    if (!session.channels.has("heartbeats")) return []
    const time = Timestamp.format(Timestamp.fromEpochMillis(floor.atMillis))
    const seconds = Math.floor(floor.atMillis / 1_000)
    return frames([
      draft("heartbeats", {
        current_time: `${time.slice(0, 10)} ${time.slice(11, -1)} +0000 UTC m=+${seconds}.000000000`,
        heartbeat_counter: seconds
      })
    ], floor)
  },
  price: (product, price, atMillis) => ({
    text: JSON.stringify({
      channel: "ticker",
      client_id: "",
      timestamp: Timestamp.format(Timestamp.fromEpochMillis(atMillis)),
      events: [{ type: "update", tickers: [{ type: "ticker", product_id: product, price }] }]
    }),
    data: { channel: "ticker", product }
  }),
  corrupt: (text) => {
    const broken = text.replace(
      /"sequence_num":(\d+)/,
      (_, digits: string) => `"sequence_num":${BigInt(digits) + 1_000n}`
    )
    return broken === text ? undefined : broken
  }
})
