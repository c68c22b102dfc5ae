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
import * as Listing from "./Listing.ts"
import * as Market from "./Market.ts"
import * as MockVenue from "./MockVenue.ts"

/** The subscriptions that are of a coin. */
const ofCoin = new Set(["trades", "bbo", "l2Book"])
const allMids = "allMids"

/** Per address there, per connection here. */
const limits = { subscriptions: 1_000, messages: { limit: 2_000, windowMillis: 60_000 } }

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

const trades = (tick: Market.Tick): MockVenue.Outgoing =>
  MockVenue.data("trades", tick.product, {
    channel: "trades",
    data: [{
      coin: tick.product,
      side: tick.side === "buy" ? "B" : "A",
      px: tick.price,
      sz: tick.size,
      time: Market.millisOf(tick),
      hash: `0x${tick.sequence.toString(16).padStart(64, "0")}`,
      tid: tick.tradeId,
      users: [`0x${"a".repeat(40)}`, `0x${"b".repeat(40)}`]
    }]
  })

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
  enforcement: Enforcement.hyperliquid,
  listing: Listing.hyperliquid,
  // https://github.com/hyperliquid-dex/hyperliquid-python-sdk/blob/master/hyperliquid/websocket_manager.py (2026-11-25)
  greet: () => [{ text: "Websocket connection established.", data: undefined }],
  receive: (session, frame, floor) => {
    const heard = MockVenue.countRequest(session, floor.atMillis, limits.messages)
    const say = (...replies: ReadonlyArray<MockVenue.Outgoing>) => ({ session: heard ?? session, replies })
    if (heard === undefined) {
      return say(error(`Cannot send more than ${limits.messages.limit} messages per minute.`))
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
    if (count >= limits.subscriptions) {
      return say(error(`Cannot subscribe to more than ${limits.subscriptions} channels.`))
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
