/**
 * The mock of dYdX v4's indexer: channels `v4_trades`, `v4_orderbook` and
 * `v4_markets`, batched or not, as each subscription asks. Every frame of a
 * connection has the next `message_id`, from the `connected` that greets it.
 *
 * Message shapes and wordings are those of the indexer's own source,
 * https://github.com/dydxprotocol/v4-chain/tree/main/indexer/services/socks (read 2026-11-21).
 * A subscription is confirmed with the state so far: the last trade, the whole
 * book, every market. An error repeats the latest `message_id`, as there.
 *
 * @since 0.1.0
 */
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Dydx from "@tickline/core/venue/dydx/Venue"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Enforcement from "./Enforcement.ts"
import { instruments, unit } from "./internal/instruments.ts"
import * as Listing from "./Listing.ts"
import * as Market from "./Market.ts"
import * as MockVenue from "./MockVenue.ts"

const marketsChannel = "v4_markets"
const channels = new Set(["v4_trades", "v4_orderbook", marketsChannel])

/** Defaults of the indexer's configuration: subscriptions per connection and channel, unreadable messages a second. */
const limits = { subscriptions: 32, invalid: { limit: 2, windowMillis: 1_000 } }

const Request = Schema.Struct({
  type: Schema.optionalKey(Schema.Unknown),
  channel: Schema.optionalKey(Schema.Unknown),
  id: Schema.optionalKey(Schema.Unknown),
  batched: Schema.optionalKey(Schema.Unknown)
})

const readJson = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))
const readRequest = Schema.decodeUnknownResult(Request)

const connectionId = "00000000-0000-4000-8000-000000000000"

/** What every frame begins with. */
const head = (type: string, messageId: number): object => ({
  type,
  connection_id: connectionId,
  message_id: messageId
})

/** ISO-8601 with milliseconds, as the venue writes times. */
const timeOf = (tick: Market.Tick): string => Timestamp.format(Timestamp.fromEpochMillis(Market.millisOf(tick)))

const trade = (tick: Market.Tick): object => ({
  id: tick.tradeId.toString(16).padStart(24, "0"),
  size: tick.size,
  price: tick.price,
  side: tick.side === "buy" ? "BUY" : "SELL",
  createdAt: timeOf(tick),
  type: "LIMIT"
})

const oraclePrice = (price: string, effectiveAt: string): object => ({
  oraclePrice: price,
  effectiveAt,
  effectiveAtHeight: "1",
  marketId: 0
})

/** The state so far of a channel. */
const stateOf = (
  channel: string,
  market: Market.Market | undefined,
  listed: ReadonlyArray<Market.Market>
): object => {
  if (channel === marketsChannel || market === undefined) {
    return {
      markets: Object.fromEntries(listed.map(({ last, product }, index) => [product.symbol, {
        clobPairId: String(index),
        ticker: product.symbol,
        status: "ACTIVE",
        oraclePrice: last.price,
        priceChange24H: "0",
        nextFundingRate: "0"
      }]))
    }
  }
  if (channel === "v4_trades") return { trades: [trade(market.last)] }
  const { asks, bids } = Market.book(market)
  const row = ([price, size]: Market.Level): object => ({ price, size })
  return { bids: bids.map(row), asks: asks.map(row) }
}

/** The state of a channel on which nothing has happened. */
const emptyOf = (channel: string): object =>
  channel === marketsChannel ? { markets: {} } : channel === "v4_trades" ? { trades: [] } : { bids: [], asks: [] }

/** The updates of a channel that a tick gives, each as the venue has them from its own stream. */
const updatesOf = (channel: string, tick: Market.Tick): ReadonlyArray<object> => {
  if (channel === marketsChannel) {
    return [{ oraclePrices: { [tick.product]: oraclePrice(tick.price, timeOf(tick)) } }]
  }
  if (channel === "v4_trades") return [{ trades: [trade(tick)] }]
  return tick.changes.map(([side, price, size]) => ({ [side === "buy" ? "bids" : "asks"]: [[price, size]] }))
}

/** Updates carry a market's id before the channel; those of all markets have none. */
const update = (type: string, messageId: number, channel: string, product: string, contents: object): object => ({
  ...head(type, messageId),
  ...(channel === marketsChannel ? {} : { id: product }),
  channel,
  version: "1.0.0",
  contents
})

const key = (channel: string, product: string): string => channel === marketsChannel ? channel : `${channel}-${product}`

/**
 * A ping every 30 s, whose pong is due within 10 s. Its limits are on messages that
 * it cannot read, which `receive` counts.
 *
 * @see https://docs.dydx.exchange/api_integration-indexer/indexer_websocket#maintaining-a-connection (read 2026-11-21)
 */
const enforcement: Enforcement.Enforcement = {
  ...Enforcement.declared(Dydx.venue.limits),
  countsPings: false,
  excess: {},
  pings: { every: 30_000, within: 10_000 }
}

/** A block a second. */
const heightOf = (tick: Market.Tick): number => Math.floor(Market.millisOf(tick) / 1_000)

/** Past trades, the newest first: those up to a block. */
const past = (product: string, query: ReadonlyMap<string, string>, floor: Listing.Floor): unknown => {
  const height = Listing.numberIn(query, "createdBeforeOrAtHeight") ?? Infinity
  const limit = Math.min(Listing.numberIn(query, "limit") ?? 1_000, 1_000)
  const found = floor.trades(product).filter((tick) => heightOf(tick) <= height)
  return {
    trades: found.slice(-limit).toReversed().map((tick) => ({
      ...trade(tick),
      createdAtHeight: String(heightOf(tick))
    }))
  }
}

const tradesPath = "/v4/trades/perpetualMarket/"

/**
 * dYdX v4's indexer: `/v4/time` and `/v4/perpetualMarkets`, of all or of one
 * `ticker` (or `market`).
 *
 * @see https://docs.dydx.xyz/indexer-client/http (read 2026-11-21)
 */
const listing: Listing.Listing = ({ path, query }, floor) => {
  switch (path) {
    case "/v4/time":
      return {
        iso: Timestamp.format(Timestamp.fromEpochMillis(floor.atMillis)),
        epoch: floor.atMillis / 1_000
      }
    case "/v4/perpetualMarkets": {
      const asked = query.get("ticker") ?? query.get("market")
      return {
        markets: Object.fromEntries(
          instruments(floor).flatMap(({ market, priceScale, sizeScale, symbol }, index) =>
            asked !== undefined && asked !== symbol ? [] : [[symbol, {
              clobPairId: String(index),
              ticker: symbol,
              status: "ACTIVE",
              oraclePrice: market.last.price,
              priceChange24H: "0",
              volume24H: market.last.volume,
              trades24H: market.last.tradeId,
              nextFundingRate: "0",
              initialMarginFraction: "0.05",
              maintenanceMarginFraction: "0.03",
              openInterest: "0",
              atomicResolution: -sizeScale,
              quantumConversionExponent: -9,
              tickSize: unit(priceScale),
              stepSize: unit(sizeScale),
              stepBaseQuantums: 1_000_000,
              subticksPerTick: 100_000,
              marketType: "CROSS",
              openInterestLowerCap: "0",
              openInterestUpperCap: "0",
              baseOpenInterest: "0",
              defaultFundingRate1H: "0"
            }]]
          )
        )
      }
    }
    default:
      return path.startsWith(tradesPath) ? past(path.slice(tradesPath.length), query, floor) : undefined
  }
}

/**
 * The mock of dYdX v4.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): MockVenue.MockVenue => ({
  name: Dydx.venue.name,
  symbols: Dydx.venue.symbols,
  heartbeatMillis: undefined,
  enforcement,
  listing,
  greet: (floor) => [MockVenue.notice(head("connected", floor.sent ?? 0))],
  receive: (session, frame, floor) => {
    const messageId = floor.sent ?? 0
    const refuse = (message: string, more: object = {}) => ({
      session,
      replies: [{
        ...MockVenue.notice({ ...head("error", Math.max(0, messageId - 1)), message, ...more }),
        isNumbered: false
      }]
    })
    const invalid = (message: string) => {
      const heard = MockVenue.countRequest(session, floor.atMillis, [limits.invalid])
      return heard !== undefined ? { ...refuse(message), session: heard } : {
        ...refuse("Too many invalid messages. Please reconnect and try again."),
        close: { code: 1008, reason: "{\"message\":\"Rate limited\"}" }
      }
    }
    const json = readJson(frame)
    if (Result.isFailure(json)) return invalid("Invalid message: could not parse")
    const request = readRequest(json.success)
    if (Result.isFailure(request) || !request.success.type) return invalid("Invalid message: type is required")
    const { batched, channel, id, type } = request.success
    if (type === "ping") return { session, replies: [] }
    if (type !== "subscribe" && type !== "unsubscribe") return invalid(`Invalid message type: ${String(type)}`)
    if (!channel) return refuse("Invalid subscribe message: channel is required")
    if (typeof channel !== "string" || !channels.has(channel)) return refuse(`Invalid channel: ${String(channel)}`)
    const isOfAll = channel === marketsChannel
    if (!isOfAll && typeof id !== "string") return refuse(`Invalid id: ${String(id)}`)

    const product = String(id)
    const listed = Market.products.flatMap(({ symbol }) => floor.market(symbol) ?? [])
    const followed = isOfAll ? listed.map((market) => market.product.symbol) : [product]
    const terms = new Map(session.terms)
    const subject = isOfAll ? {} : { id: product }
    if (type === "unsubscribe") {
      terms.delete(key(channel, product))
      return {
        session: { ...MockVenue.unfollow(session, channel, followed), terms },
        replies: [MockVenue.notice({ ...head("unsubscribed", messageId), channel, ...subject })]
      }
    }
    const market = floor.market(product)
    if (!isOfAll && market === undefined) {
      return refuse(`Invalid subscription id for channel: (${channel}-${product})`)
    }
    const already = session.channels.get(channel) ?? new Set<string>()
    if (!isOfAll && already.size >= limits.subscriptions && !already.has(product)) {
      return refuse(`Per-connection subscription limit reached for ${channel} (limit=${limits.subscriptions}).`)
    }
    if (isOfAll ? session.channels.has(channel) : already.has(product)) {
      const subscription = `${channel}-${isOfAll ? marketsChannel : product}`
      return refuse(`Invalid subscribe message: already subscribed (${subscription})`, { channel, ...subject })
    }
    terms.set(key(channel, product), batched === true ? "batched" : "")
    const confirmation = {
      ...head("subscribed", messageId),
      channel,
      ...subject,
      contents: stateOf(channel, market, listed)
    }
    return {
      session: { ...MockVenue.follow(session, channel, followed), terms },
      replies: [{
        ...MockVenue.data(channel, isOfAll ? marketsChannel : product, confirmation),
        bare: JSON.stringify({ ...confirmation, contents: emptyOf(channel) })
      }]
    }
  },
  publish: (session, tick, floor) => {
    const frames: Array<MockVenue.Outgoing> = []
    const push = (type: string, channel: string, contents: object) => {
      const messageId = (floor.sent ?? 0) + frames.length
      frames.push(MockVenue.data(channel, tick.product, update(type, messageId, channel, tick.product, contents)))
    }
    for (const [channel, products] of session.channels) {
      if (!products.has(tick.product) || (tick.isQuote && channel !== "v4_orderbook")) continue
      const updates = updatesOf(channel, tick)
      if (session.terms?.get(key(channel, tick.product)) === "batched") {
        if (updates.length > 0) push("channel_batch_data", channel, updates)
      } else {
        for (const contents of updates) push("channel_data", channel, contents)
      }
    }
    return frames
  },
  heartbeat: () => [],
  price: (product, price, atMillis) => {
    const effectiveAt = Timestamp.format(Timestamp.fromEpochMillis(atMillis))
    return MockVenue.data(
      marketsChannel,
      product,
      update("channel_data", 0, marketsChannel, product, {
        oraclePrices: { [product]: oraclePrice(price, effectiveAt) }
      })
    )
  },
  corrupt: (text) => {
    const broken = text.replace(/"message_id":(\d+)/, (_, digits: string) => `"message_id":${BigInt(digits) + 1_000n}`)
    return broken === text ? undefined : broken
  }
})
