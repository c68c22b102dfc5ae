/**
 * The mock of Hyperliquid's WebSocket API: subscriptions `trades`, `bbo`,
 * `l2Book` and `allMids`, and the application's `ping`. A product's symbol is
 * its coin.
 *
 * Message shapes: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions.
 * A connection is greeted in plain text, as the venue's own client for Python
 * expects it. A subscription is acknowledged by repeating it, and answered with
 * what there is: the last trade, the quotes, the book. A refusal is a sentence on the
 * channel `error`; its wordings are those of
 * https://github.com/nktkas/hyperliquid/issues/78 and of live answers quoted in
 * https://github.com/gemwalletcom/wallet/issues/462 (read 2026-11-21).
 *
 * @since 0.1.0
 */
import * as Hyperliquid from "@tickline/core/venue/hyperliquid/Venue"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Enforcement from "./Enforcement.ts"
import { instruments } from "./internal/instruments.ts"
import type * as Listing from "./Listing.ts"
import * as Market from "./Market.ts"
import * as MockVenue from "./MockVenue.ts"

/** The subscriptions that are of a coin. */
const ofCoin = new Set(["trades", "bbo", "l2Book"])
const allMids = "allMids"

/** A limit that the venue declares: per address there, per connection here. */
const most = (of: "messages" | "subscriptions"): number =>
  Hyperliquid.venue.limits.find((limit) => limit.of === of)?.limit ?? 0

const Request = Schema.Union([
  Schema.Struct({ method: Schema.Literal("ping") }),
  Schema.Struct({
    method: Schema.Literals(["subscribe", "unsubscribe"]),
    subscription: Schema.Struct({ type: Schema.String, coin: Schema.optionalKey(Schema.String) })
  })
])

const readRequest = Schema.decodeUnknownResult(Schema.fromJsonString(Request))

const error = (sentence: string): MockVenue.Outgoing => MockVenue.notice({ channel: "error", data: sentence })

const level = ([px, sz]: Market.Level): object => ({ px, sz, n: 1 })

const trade = (tick: Market.Tick): object => ({
  coin: tick.product,
  side: tick.side === "buy" ? "B" : "A",
  px: tick.price,
  sz: tick.size,
  time: Market.millisOf(tick),
  hash: `0x${tick.sequence.toString(16).padStart(64, "0")}`,
  tid: tick.tradeId,
  users: [`0x${"a".repeat(40)}`, `0x${"b".repeat(40)}`]
})

const trades = (tick: Market.Tick): MockVenue.Outgoing =>
  MockVenue.data("trades", tick.product, { channel: "trades", data: [trade(tick)] })

/** So many past trades it gives. */
const mostPast = 10

const bbo = (tick: Market.Tick): MockVenue.Outgoing =>
  MockVenue.data("bbo", tick.product, {
    channel: "bbo",
    data: { coin: tick.product, time: Market.millisOf(tick), bbo: [level(tick.bid), level(tick.ask)] }
  })

const l2Book = (market: Market.Market): MockVenue.Outgoing => {
  const { asks, bids } = Market.book(market)
  return MockVenue.data("l2Book", market.product.symbol, {
    channel: "l2Book",
    data: {
      coin: market.product.symbol,
      time: Market.millisOf(market.last),
      levels: [bids.map(level), asks.map(level)]
    }
  })
}

const mids = (product: string, prices: Readonly<Record<string, string>>): MockVenue.Outgoing =>
  MockVenue.data(allMids, product, { channel: allMids, data: { mids: prices } })

/** The last price of each product that the floor lists, for want of a mid. */
const pricesOf = (products: Iterable<string>, floor: MockVenue.Floor): Record<string, string> => {
  const prices: Record<string, string> = {}
  for (const product of products) {
    const price = floor.market(product)?.last.price
    if (price !== undefined) prices[product] = price
  }
  return prices
}

/** What the venue has to say on a subscription of a product at once. */
const current = (type: string, market: Market.Market): MockVenue.Outgoing =>
  type === "trades" ? trades(market.last) : type === "bbo" ? bbo(market.last) : l2Book(market)

const tooMany = error(`Cannot send more than ${most("messages")} messages per minute.`)

/**
 * A connection ends to which the server has sent nothing for a minute.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits (read 2026-11-21)
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/timeouts-and-heartbeats (read 2026-11-21)
 */
const enforcement: Enforcement.Enforcement = {
  ...Enforcement.declared(Hyperliquid.venue.limits),
  countsPings: false,
  excess: {
    error: () => tooMany.text
  },
  idle: 60_000
}

const messages = enforcement.limits.filter(({ of }) => of === "messages")

const Info = Schema.fromJsonString(Schema.Struct({ type: Schema.String, coin: Schema.optionalKey(Schema.String) }))

const readInfo = Schema.decodeUnknownResult(Info)

/**
 * Hyperliquid: POST `/info` of type `meta`, `spotMeta`, `allMids` and
 * `recentTrades`. What the
 * mock lists are perpetuals; of spot there is the dollar alone.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint (read 2026-11-21)
 */
const listing: Listing.Listing = ({ body, method, path }, floor) => {
  if (method !== "POST" || path !== "/info") return undefined
  const info = readInfo(body)
  if (Result.isFailure(info)) return undefined
  switch (info.success.type) {
    case "meta":
      return {
        universe: instruments(floor).map(({ sizeScale, symbol }) => ({
          name: symbol,
          szDecimals: sizeScale,
          maxLeverage: 40,
          marginTableId: 1
        })),
        marginTables: [[1, { description: "", marginTiers: [{ lowerBound: "0.0", maxLeverage: 40 }] }]],
        collateralToken: 0
      }
    case "recentTrades":
      return floor.trades(info.success.coin ?? "").slice(-mostPast).toReversed().map(trade)
    case "spotMeta":
      return {
        universe: [],
        tokens: [{
          name: "USDC",
          szDecimals: 8,
          weiDecimals: 8,
          index: 0,
          tokenId: "0x6d1e7cde53ba9467b783cb7c530ce054",
          isCanonical: true,
          evmContract: null,
          fullName: null
        }]
      }
    case "allMids":
      return Object.fromEntries(instruments(floor).map(({ market, symbol }) => [symbol, market.last.price]))
    default:
      return undefined
  }
}

/**
 * The mock of Hyperliquid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): MockVenue.MockVenue => ({
  name: Hyperliquid.venue.name,
  symbols: Hyperliquid.venue.symbols,
  heartbeatMillis: undefined,
  enforcement,
  listing,
  // https://github.com/hyperliquid-dex/hyperliquid-python-sdk/blob/master/hyperliquid/websocket_manager.py (2026-11-25)
  greet: () => [{ text: "Websocket connection established.", data: undefined }],
  receive: (session, frame, floor) => {
    const heard = MockVenue.countRequest(session, floor.atMillis, messages)
    const say = (...replies: ReadonlyArray<MockVenue.Outgoing>) => ({ session: heard ?? session, replies })
    if (heard === undefined) {
      return say(tooMany)
    }
    const request = readRequest(frame)
    if (Result.isFailure(request)) {
      const text = typeof frame === "string" ? frame : ""
      return say(error(`Error parsing JSON into valid websocket request: ${text}`))
    }
    if (request.success.method === "ping") return say(MockVenue.beat({ channel: "pong" }))

    const { method, subscription } = request.success
    const { coin, type } = subscription
    const market = coin === undefined || type === allMids ? undefined : floor.market(coin)
    const words = JSON.stringify(subscription)
    if (type !== allMids && (!ofCoin.has(type) || market === undefined)) {
      return say(error(`Invalid subscription ${words}`))
    }
    const products = type === allMids
      ? Market.products.map(({ symbol }) => symbol).filter((symbol) => floor.market(symbol) !== undefined)
      : [coin ?? ""]
    const isFollowed = type === allMids
      ? heard.channels.has(type)
      : products.every((product) => MockVenue.follows(heard, type, product))
    if (isFollowed !== (method === "unsubscribe")) return say(error(`Already ${method}d: ${words}`))

    const acknowledgement = MockVenue.notice({
      channel: "subscriptionResponse",
      data: {
        method,
        subscription: type === "l2Book" ? { ...subscription, nSigFigs: null, mantissa: null } : subscription
      }
    })
    if (method === "unsubscribe") {
      return { session: MockVenue.unfollow(heard, type, products), replies: [acknowledgement] }
    }
    let count = 0
    for (const [channel, followed] of heard.channels) count += channel === allMids ? 1 : followed.size
    if (count >= most("subscriptions")) {
      return say(error(`Cannot subscribe to more than ${most("subscriptions")} channels.`))
    }
    return {
      session: MockVenue.follow(heard, type, products),
      replies: market === undefined ? [acknowledgement] : [acknowledgement, current(type, market)]
    }
  },
  publish: (session, tick, floor) => {
    const frames: Array<MockVenue.Outgoing> = []
    for (const [type, products] of session.channels) {
      if (!products.has(tick.product) || (tick.isQuote && type === "trades")) continue
      const market = floor.market(tick.product)
      if (type === allMids) frames.push(mids(tick.product, pricesOf(products, floor)))
      else if (type === "trades") frames.push(trades(tick))
      else if (type === "bbo") frames.push(bbo(tick))
      else if (market !== undefined) frames.push(l2Book(market))
    }
    return frames
  },
  heartbeat: () => [],
  price: (product, price) => mids(product, { [product]: price }),
  corrupt: () => undefined
})
