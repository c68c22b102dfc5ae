/**
 * The mock of Coinbase Exchange's feed: channels `heartbeat`, `ticker`,
 * `ticker_batch`, `matches`, `level2`, `level2_batch`, `auctionfeed` and, for who
 * signs, `full`, with the member names of its own frames and the side of a match
 * that of the maker. Each message of `full` has a number of the product's, and
 * those of the other channels are the market's own. Any trading status is an
 * auction: an indicative quote each second, to who asked.
 *
 * Message shapes: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels.
 * A subscription to `matches` is greeted with a `last_match`, one to `level2`
 * with a `snapshot`, one to `ticker` with the last `ticker`, as there.
 *
 * @since 0.1.0
 */
import type * as CoinbaseExchangeSigning from "@tickline/core/session/CoinbaseExchangeSigning"
import * as Signer from "@tickline/core/session/Signer"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as BigDecimal from "effect/BigDecimal"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Enforcement from "./Enforcement.ts"
import { currencies, instruments, scaleOf, unit } from "./internal/instruments.ts"
import * as OrderFlow from "./internal/orderFlow.ts"
import * as Listing from "./Listing.ts"
import * as Market from "./Market.ts"
import * as MockVenue from "./MockVenue.ts"

const channels = new Set([
  "heartbeat",
  "ticker",
  "ticker_batch",
  "matches",
  "level2",
  "level2_batch",
  "auctionfeed",
  "full"
])

const Products = Schema.optionalKey(Schema.Array(Schema.String))

const Request = Schema.Struct({
  type: Schema.Literals(["subscribe", "unsubscribe"]),
  product_ids: Products,
  signature: Schema.optionalKey(Schema.String),
  key: Schema.optionalKey(Schema.String),
  passphrase: Schema.optionalKey(Schema.String),
  timestamp: Schema.optionalKey(Schema.Union([Schema.String, Schema.Number])),
  channels: Schema.optionalKey(Schema.Array(
    Schema.Union([Schema.String, Schema.Struct({ name: Schema.String, product_ids: Products })])
  ))
})

const readJson = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))
const readRequest = Schema.decodeUnknownResult(Request)

/** The venue's order ids are UUIDs; these count. */
const orderId = (kind: "a" | "b", tradeId: number): string =>
  `00000000-0000-4000-${kind}000-${tradeId.toString(16).padStart(12, "0")}`

const match = (type: "match" | "last_match", tick: Market.Tick): MockVenue.Outgoing =>
  MockVenue.data("matches", tick.product, {
    type,
    trade_id: tick.tradeId,
    maker_order_id: orderId("a", tick.tradeId),
    taker_order_id: orderId("b", tick.tradeId),
    side: tick.side === "buy" ? "sell" : "buy",
    size: tick.size,
    price: tick.price,
    product_id: tick.product,
    sequence: tick.sequence,
    time: tick.timestamp
  })

const ticker = (channel: string, tick: Market.Tick): MockVenue.Outgoing =>
  MockVenue.data(channel, tick.product, {
    type: "ticker",
    sequence: tick.sequence,
    product_id: tick.product,
    price: tick.price,
    open_24h: tick.open,
    volume_24h: tick.volume,
    low_24h: tick.low,
    high_24h: tick.high,
    volume_30d: tick.volume,
    best_bid: tick.bid[0],
    best_bid_size: tick.bid[1],
    best_ask: tick.ask[0],
    best_ask_size: tick.ask[1],
    side: tick.side,
    time: tick.timestamp,
    trade_id: tick.tradeId,
    last_size: tick.size
  })

const snapshot = (channel: string, market: Market.Market): MockVenue.Outgoing => {
  const { asks, bids } = Market.book(market)
  return MockVenue.data(channel, market.product.symbol, {
    type: "snapshot",
    product_id: market.product.symbol,
    asks,
    bids,
    time: market.last.timestamp
  })
}

/** What a subscription to a channel of a product is greeted with. */
const greeting = (channel: string, market: Market.Market): ReadonlyArray<MockVenue.Outgoing> => {
  if (channel === "matches") return [match("last_match", market.last)]
  if (channel.startsWith("ticker")) return [ticker(channel, market.last)]
  if (channel.startsWith("level2")) return [snapshot(channel, market)]
  return []
}

/** What the channel `auctionfeed` says while a product is in an auction; nothing says that it is over. */
const auction = ({ last, product: { symbol } }: Market.Market, atMillis: number): MockVenue.Outgoing =>
  MockVenue.notice({
    type: "auction",
    product_id: symbol,
    sequence: last.sequence,
    auction_state: "collection",
    best_bid_price: last.bid[0],
    best_bid_size: last.bid[1],
    best_ask_price: last.ask[0],
    best_ask_size: last.ask[1],
    open_price: last.price,
    open_size: last.size,
    can_open: "yes",
    timestamp: Timestamp.format(Timestamp.fromEpochMillis(atMillis))
  })

/**
 * Bursts of 20 dials are let through; a first subscription is due within 5 s. The
 * venue says that it disconnects, and not with which code.
 *
 * @see https://docs.cdp.coinbase.com/exchange/websocket-feed/rate-limits (read 2026-11-21)
 * @see https://docs.cdp.coinbase.com/exchange/websocket-feed/overview (read 2026-11-21)
 */
const enforcement: Enforcement.Enforcement = {
  limits: Enforcement.declared(CoinbaseExchange.venue.limits).limits
    .map((limit) => limit.of === "dials" ? { ...limit, limit: 20 } : limit),
  countsPings: false,
  excess: { close: { code: 1008, reason: "Too many requests" } },
  subscribeWithin: 5_000
}

/** Past trades, the newest first: those before an id. */
const past = (product: string, query: ReadonlyMap<string, string>, floor: Listing.Floor): unknown => {
  const after = Listing.numberIn(query, "after") ?? Infinity
  const limit = Math.min(Listing.numberIn(query, "limit") ?? 1_000, 1_000)
  return floor.trades(product).filter(({ tradeId }) => tradeId < after).slice(-limit).toReversed().map((tick) => ({
    time: tick.timestamp,
    trade_id: tick.tradeId,
    price: tick.price,
    size: tick.size,
    side: tick.side === "buy" ? "sell" : "buy"
  }))
}

const printed = (value: bigint, scale: number): string => Decimal.format(BigDecimal.make(value, scale))

/** The messages of a market's last change, as the channel `full` has them. */
const full = (market: Market.Market): ReadonlyArray<MockVenue.Outgoing> => {
  const { last: tick, product: { symbol }, state: { priceScale, sizeScale } } = market
  const { from, messages } = OrderFlow.ofLast(market)
  const size = (value: bigint): string => printed(value, sizeScale)
  const membersOf = (message: OrderFlow.Message): object => {
    const { order } = message
    const price = printed(order.price, priceScale)
    switch (message.type) {
      case "received":
        return { order_id: order.id, order_type: "limit", size: size(order.size), price }
      case "open":
        return { order_id: order.id, remaining_size: size(order.size), price }
      case "change":
        return { reason: "STP", order_id: order.id, new_size: size(order.size), old_size: size(message.before), price }
      case "done":
        return { reason: message.reason, order_id: order.id, remaining_size: size(order.size), price }
      case "match":
        return {
          trade_id: tick.tradeId,
          maker_order_id: order.id,
          taker_order_id: message.taker.id,
          size: size(message.taker.size),
          price
        }
    }
  }
  return messages.map((message, index) =>
    MockVenue.data("full", symbol, {
      type: message.type,
      ...membersOf(message),
      side: message.order.side,
      product_id: symbol,
      sequence: from + index,
      time: tick.timestamp
    })
  )
}

/** All orders of a product, with the number of the last message about one. */
const orderBook = (market: Market.Market): unknown => {
  const { last, state } = market
  const side = (name: "buy" | "sell") =>
    OrderFlow.resting(market).filter(({ side }) => side === name).map(({ id, price, size }) => [
      printed(price, state.priceScale),
      printed(size, state.sizeScale),
      id
    ])
  return {
    bids: side("buy"),
    asks: side("sell"),
    sequence: OrderFlow.lastNumber(state),
    auction_mode: false,
    auction: null,
    time: last.timestamp
  }
}

/**
 * Coinbase Exchange: `/products`, `/products/<id>`, `/products/<id>/trades`,
 * `/products/<id>/book?level=3`, `/currencies`, `/time`.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-all-known-trading-pairs (read 2026-11-21)
 * @see https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/currencies/get-all-known-currencies (read 2026-11-21)
 */
const listing: Listing.Listing = ({ path, query }, floor) => {
  const listed = instruments(floor)
  const products = listed.map(({ base, priceScale, quote, sizeScale, symbol }) => ({
    id: symbol,
    base_currency: base,
    quote_currency: quote,
    quote_increment: unit(priceScale),
    base_increment: unit(sizeScale),
    display_name: `${base}-${quote}`,
    min_market_funds: "1",
    margin_enabled: false,
    post_only: false,
    limit_only: false,
    cancel_only: false,
    status: "online",
    status_message: "",
    trading_disabled: false,
    fx_stablecoin: false,
    max_slippage_percentage: "0.02000000",
    auction_mode: false,
    high_bid_limit_percentage: ""
  }))
  switch (path) {
    case "/products":
      return products
    case "/currencies":
      return currencies(listed).map((id, index) => ({
        id,
        name: id,
        min_size: unit(scaleOf(listed, id)),
        status: "online",
        message: "",
        max_precision: unit(scaleOf(listed, id)),
        convertible_to: [],
        details: { type: /^(?:USD|EUR)$/.test(id) ? "fiat" : "crypto", symbol: null, sort_order: index },
        default_network: "",
        supported_networks: [],
        display_name: id
      }))
    case "/time":
      return {
        iso: Timestamp.format(Timestamp.fromEpochMillis(floor.atMillis)),
        epoch: floor.atMillis / 1_000
      }
    default: {
      const market = floor.markets.find(({ product }) => path === `/products/${product.symbol}/book`)
      if (market !== undefined && query.get("level") === "3") return orderBook(market)
      const product = products.find(({ id }) => path === `/products/${id}/trades`)
      if (product !== undefined) return past(product.id, query, floor)
      return products.find(({ id }) => path === `/products/${id}`)
    }
  }
}

/**
 * The key that the mock knows, if it is made with no other: such as the venue
 * issues, its secret in base64.
 *
 * @category constants
 * @since 0.1.0
 */
export const credentials: CoinbaseExchangeSigning.Credentials = {
  key: Redacted.make("0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
  secret: Redacted.make("bW9jayBzZWNyZXQgb2YgdGhlIG1vY2sgb2YgQ29pbmJhc2UgRXhjaGFuZ2Us"),
  passphrase: Redacted.make("mock-passphrase")
}

/** A timestamp may be so far from the venue's time. */
const mostOffMillis = 30_000

/**
 * The mock of Coinbase Exchange. Who subscribes to `full` signs with these
 * credentials.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  { key, passphrase, secret }: CoinbaseExchangeSigning.Credentials = credentials
): MockVenue.MockVenue => {
  const signer = Result.getOrThrow(Signer.hmacSha256(secret, { encoding: "base64" }))
  /** Why a request is not let in to what needs a key. */
  const objection = (asked: typeof Request.Type, atMillis: number): readonly [string, string] | undefined => {
    if (asked.signature === undefined || asked.timestamp === undefined) {
      return ["Failed to subscribe", "level2, level3, and full channels now require authentication."]
    }
    const failed = "Authentication Failed"
    if (asked.key !== Redacted.value(key)) return [failed, "invalid api key"]
    if (asked.passphrase !== Redacted.value(passphrase)) return [failed, "invalid passphrase"]
    if (!(Math.abs(Number(asked.timestamp) * 1_000 - atMillis) <= mostOffMillis)) return [failed, "timestamp expired"]
    return asked.signature === Signer.signText(signer, `${asked.timestamp}GET/users/self/verify`, "base64")
      ? undefined
      : [failed, "invalid signature"]
  }
  return venueOf(objection)
}

type Objection = (
  asked: typeof Request.Type,
  atMillis: number
) => readonly [message: string, reason: string] | undefined

const venueOf = (objection: Objection): MockVenue.MockVenue => ({
  name: CoinbaseExchange.venue.name,
  symbols: CoinbaseExchange.venue.symbols,
  heartbeatMillis: 1_000,
  enforcement,
  listing,
  receive: (session, frame, floor) => {
    const refuse = (message: string, reason?: string) => ({
      session,
      replies: [MockVenue.notice({ type: "error", message, reason })]
    })
    const json = readJson(frame)
    if (Result.isFailure(json)) return refuse("Malformed JSON")
    const request = readRequest(json.success)
    if (Result.isFailure(request)) {
      return refuse("Failed to subscribe", "Type has to be either subscribe or unsubscribe")
    }
    const { channels: asked = [], product_ids = [], type } = request.success
    if (asked.length === 0) return refuse(`Failed to ${type}`, "No channels provided")

    let after = session
    const greetings: Array<MockVenue.Outgoing> = []
    for (const channel of asked) {
      const name = typeof channel === "string" ? channel : channel.name
      const products = typeof channel === "string" ? product_ids : channel.product_ids ?? product_ids
      if (!channels.has(name)) return refuse(`Failed to ${type}`, `${name} is not a valid channel`)
      const objected = name === "full" && type === "subscribe" ? objection(request.success, floor.atMillis) : undefined
      if (objected !== undefined) return refuse(...objected)
      if (type === "unsubscribe") {
        after = MockVenue.unfollow(after, name, products)
        continue
      }
      if (products.length === 0) {
        return refuse(`Failed to ${type}`, `You need to specify at least one product ID for channel ${name}`)
      }
      for (const product of products) {
        const market = floor.market(product)
        if (market === undefined) return refuse(`Failed to ${type}`, `${product} is not a valid product`)
        if (MockVenue.follows(after, name, product)) continue
        after = MockVenue.follow(after, name, [product])
        greetings.push(...greeting(name, market))
      }
    }
    const subscriptions = MockVenue.notice({
      type: "subscriptions",
      channels: Array.from(after.channels, ([name, products]) => ({ name, product_ids: [...products] }))
    })
    return { session: after, replies: [subscriptions, ...greetings] }
  },
  publish: (session, tick, floor) => {
    const frames: Array<MockVenue.Outgoing> = []
    // A match is one message, whoever has asked for it how often.
    const hasFull = MockVenue.follows(session, "full", tick.product)
    for (const [channel, products] of session.channels) {
      if (!products.has(tick.product) || (tick.isQuote && channel === "matches")) continue
      if (channel === "full") {
        const market = floor.market(tick.product)
        if (market !== undefined) frames.push(...full(market))
      } else if (channel === "matches" && hasFull) continue
      else if (channel === "matches") frames.push(match("match", tick))
      else if (channel.startsWith("ticker")) frames.push(ticker(channel, tick))
      else if (channel.startsWith("level2")) {
        frames.push(MockVenue.data(channel, tick.product, {
          type: "l2update",
          product_id: tick.product,
          changes: tick.changes,
          time: tick.timestamp
        }))
      }
    }
    return frames
  },
  heartbeat: (session, floor) => {
    const frames: Array<MockVenue.Outgoing> = []
    for (const product of session.channels.get("heartbeat") ?? []) {
      const last = floor.market(product)?.last
      if (last === undefined) continue
      frames.push(MockVenue.notice({
        type: "heartbeat",
        last_trade_id: last.tradeId,
        product_id: product,
        sequence: last.sequence,
        time: Timestamp.format(Timestamp.fromEpochMillis(floor.atMillis))
      }))
    }
    return frames
  },
  status: (session, product, floor) =>
    [...session.channels.get("auctionfeed") ?? []]
      .filter((one) => (product ?? one) === one && floor.tradingStatus?.(product) !== undefined)
      .flatMap((one) => floor.market(one) ?? [])
      .map((market) => auction(market, floor.atMillis)),
  statusMillis: 1_000,
  price: (product, price, atMillis) =>
    MockVenue.data("ticker", product, {
      type: "ticker",
      product_id: product,
      price,
      time: Timestamp.format(Timestamp.fromEpochMillis(atMillis))
    }),
  corrupt: MockVenue.breakSequence
})
