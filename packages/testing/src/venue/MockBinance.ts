/**
 * The mock of Binance's spot market data: the streams `trade`, `aggTrade`,
 * `bookTicker`, `ticker`, `miniTicker`, `depth`, `depth@100ms`, and `depth5`,
 * `depth10` and `depth20`, each with `@100ms` or without; combined
 * (`{"stream":…,"data":…}`), or bare where the client dialled `/ws`. Streams are
 * asked for by request, or by the address: `/ws/btcusdt@trade`,
 * `/stream?streams=btcusdt@trade/btcusdt@ticker`.
 *
 * Message shapes, answers and errors, and the limit of five messages a second:
 * https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
 * (read 2026-11-21). Like the venue it acknowledges a stream of a product that
 * it does not list, and one whose symbol is not in lower case, and never sends
 * anything on it; a request of more than 4,096 bytes it never answers
 * (https://github.com/binance/binance-connector-rust/issues/27). A connection
 * lives for 24 hours; before the server is shut down it says so, by the event
 * `serverShutdown` (the same page, read 2026-11-26).
 *
 * @since 0.1.0
 */
import * as Decimal from "@tickline/core/value/Decimal"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Enforcement from "./Enforcement.ts"
import { instruments, unit } from "./internal/instruments.ts"
import * as Listing from "./Listing.ts"
import * as Market from "./Market.ts"
import * as MockVenue from "./MockVenue.ts"

const depths: ReadonlyMap<string, number> = new Map(
  [5, 10, 20].flatMap((levels) => [[`depth${levels}`, levels], [`depth${levels}@100ms`, levels]] as const)
)
const trades = new Set(["trade", "aggTrade"])
const channels = new Set([
  ...trades,
  "bookTicker",
  "ticker",
  "miniTicker",
  "depth",
  "depth@100ms",
  ...depths.keys()
])

const methods = ["SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY"] as const

const readJson = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))
const isId = Schema.is(Schema.NullOr(Schema.Union([Schema.Int, Schema.String.check(Schema.isMaxLength(36))])))
const isStreams = Schema.is(Schema.Array(Schema.String))

const maxRequestBytes = 4_088
const encoder = new TextEncoder()

const streamName = (channel: string, product: string): string => `${product.toLowerCase()}@${channel}`

const outgoing = (channel: string, product: string, message: object, isBare: boolean): MockVenue.Outgoing =>
  MockVenue.data(channel, product, isBare ? message : { stream: streamName(channel, product), data: message })

const trade = (tick: Market.Tick): object => {
  const at = Market.millisOf(tick)
  return {
    e: "trade",
    E: at + 1,
    s: tick.product,
    t: tick.tradeId,
    p: tick.price,
    q: tick.size,
    T: at,
    m: tick.side === "sell",
    M: true
  }
}

/** Each order of a taker here meets one maker: an aggregate of one trade. */
const aggregate = (tick: Market.Tick): object => {
  const at = Market.millisOf(tick)
  return {
    e: "aggTrade",
    E: at + 1,
    s: tick.product,
    a: tick.tradeId,
    p: tick.price,
    q: tick.size,
    f: tick.tradeId,
    l: tick.tradeId,
    T: at,
    m: tick.side === "sell",
    M: true
  }
}

const bookTicker = (tick: Market.Tick): object => ({
  u: tick.sequence,
  s: tick.product,
  b: tick.bid[0],
  B: tick.bid[1],
  a: tick.ask[0],
  A: tick.ask[1]
})

const ticker = (tick: Market.Tick): object => {
  const at = Market.millisOf(tick)
  const [price, open, volume] = [tick.price, tick.open, tick.volume].map((text) => Decimal.parse(text) ?? Decimal.zero)
  const change = BigDecimal.subtract(price ?? Decimal.zero, open ?? Decimal.zero)
  const percent = BigDecimal.divideUnsafe(BigDecimal.multiply(change, BigDecimal.make(100n, 0)), open ?? Decimal.zero)
  return {
    e: "24hrTicker",
    E: at + 1,
    s: tick.product,
    p: Decimal.format(change),
    P: Decimal.format(BigDecimal.scale(percent, 3)),
    w: tick.price,
    x: tick.open,
    c: tick.price,
    Q: tick.size,
    b: tick.bid[0],
    B: tick.bid[1],
    a: tick.ask[0],
    A: tick.ask[1],
    o: tick.open,
    h: tick.high,
    l: tick.low,
    v: tick.volume,
    q: Decimal.format(BigDecimal.multiply(volume ?? Decimal.zero, price ?? Decimal.zero)),
    O: at - 86_400_000,
    C: at,
    F: 1,
    L: tick.tradeId,
    n: tick.tradeId
  }
}

const miniTicker = (tick: Market.Tick): object => {
  const [price, volume] = [tick.price, tick.volume].map((text) => Decimal.parse(text) ?? Decimal.zero)
  return {
    e: "24hrMiniTicker",
    E: Market.millisOf(tick) + 1,
    s: tick.product,
    c: tick.price,
    o: tick.open,
    h: tick.high,
    l: tick.low,
    v: tick.volume,
    q: Decimal.format(BigDecimal.multiply(volume ?? Decimal.zero, price ?? Decimal.zero))
  }
}

/** One update for each changed level and one for the trade, so that `U` follows the `u` before it. */
const update = (tick: Market.Tick): object => {
  const levels = (side: "buy" | "sell"): ReadonlyArray<Market.Level> =>
    tick.changes.filter((change) => change[0] === side).map(([, price, size]) => [price, size])
  return {
    e: "depthUpdate",
    E: Market.millisOf(tick) + 1,
    s: tick.product,
    U: tick.sequence - tick.changes.length,
    u: tick.sequence,
    b: levels("buy"),
    a: levels("sell")
  }
}

const partial = (market: Market.Market, levels: number): object => {
  const { asks, bids } = Market.book(market)
  return { lastUpdateId: market.last.sequence, bids: bids.slice(0, levels), asks: asks.slice(0, levels) }
}

const message = (channel: string, tick: Market.Tick, market: Market.Market | undefined): object | undefined => {
  switch (channel) {
    case "trade":
      return trade(tick)
    case "aggTrade":
      return aggregate(tick)
    case "bookTicker":
      return bookTicker(tick)
    case "ticker":
      return ticker(tick)
    case "miniTicker":
      return miniTicker(tick)
    case "depth":
    case "depth@100ms":
      return update(tick)
    default: {
      const levels = depths.get(channel)
      return levels === undefined || market === undefined ? undefined : partial(market, levels)
    }
  }
}

const isBare = ({ path = "/" }: MockVenue.Floor): boolean => /^\/ws(?![^/?])/.test(path)

/** A stream in parts: its channel, and its product where the floor lists it and it is written in lower case. */
const parse = (
  stream: string,
  floor: MockVenue.Floor
): { readonly channel: string; readonly product: string | undefined } | undefined => {
  const at = stream.indexOf("@")
  const channel = stream.slice(at + 1)
  if (at < 1 || !channels.has(channel)) return undefined
  const symbol = stream.slice(0, at)
  const product = symbol.toUpperCase()
  const isServed = symbol === symbol.toLowerCase() && floor.market(product) !== undefined
  return { channel, product: isServed ? product : undefined }
}

/** The session that follows the streams besides what it did; `undefined` where one of them is no stream. */
const asking = (
  before: MockVenue.Session,
  streams: ReadonlyArray<string>,
  how: typeof MockVenue.follow,
  floor: MockVenue.Floor
): MockVenue.Session | undefined => {
  let after = before
  for (const stream of streams) {
    const asked = parse(stream, floor)
    if (asked === undefined) return undefined
    after = asked.product === undefined ? how(after, stream, []) : how(after, asked.channel, [asked.product])
  }
  return after
}

/** The streams that the address names. */
const streamsAt = ({ path = "/" }: MockVenue.Floor): ReadonlyArray<string> => {
  const streams = /^\/ws\/([^?]*@[^?]*)/.exec(path)?.[1] ?? /[?&]streams=([^&]*)/.exec(path)?.[1]
  return streams?.split("/").filter((stream) => stream !== "") ?? []
}

/** The streams that a session has, as they were asked for. One of an unlisted product stands as a channel of its own. */
const streamsOf = (session: MockVenue.Session): ReadonlyArray<string> =>
  [...session.channels].flatMap(([channel, products]) =>
    products.size === 0 ? [channel] : [...products].map((product) => streamName(channel, product))
  )

const tooMany = { code: 1008, reason: "Too many requests" }

/** How many levels a question for a book asks for; `undefined` if that is no number. */
const levelsIn = (query: ReadonlyMap<string, string>): number | undefined => {
  const limit = query.get("limit") ?? "100"
  return /^\d{1,20}$/.test(limit) ? Math.min(Number(limit), 5_000) : undefined
}

/** What the snapshot of a book weighs, by the same page as in the adapter. */
const weightOf = (levels: number): number => levels <= 100 ? 5 : levels <= 500 ? 25 : levels <= 1_000 ? 50 : 250

const refusal = (code: number, msg: string): Listing.Answer => new Listing.Answer(400, { code, msg })

/** The snapshot of a book: its number is that of the last update that is in it. */
const depth = (query: ReadonlyMap<string, string>, { markets }: Listing.Floor): unknown => {
  const symbol = query.get("symbol") ?? ""
  const levels = levelsIn(query)
  if (symbol === "") {
    return refusal(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
  }
  if (levels === undefined) {
    return refusal(-1100, "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.")
  }
  if (levels === 0) return refusal(-1130, "Data sent for parameter 'limit' is not valid.")
  const market = markets.find(({ product }) => product.symbol === symbol)
  return market === undefined ? refusal(-1121, "Invalid symbol.") : partial(market, levels)
}

/** A trade of the REST interface, which names it otherwise than the stream. */
const listed = (tick: Market.Tick): object => {
  const [price, size] = [tick.price, tick.size].map((text) => Decimal.parse(text) ?? Decimal.zero)
  return {
    id: tick.tradeId,
    price: tick.price,
    qty: tick.size,
    quoteQty: Decimal.format(BigDecimal.multiply(price ?? Decimal.zero, size ?? Decimal.zero)),
    time: Market.millisOf(tick),
    isBuyerMaker: tick.side === "sell",
    isBestMatch: true
  }
}

const listedAggregate = (tick: Market.Tick): object => ({
  a: tick.tradeId,
  p: tick.price,
  q: tick.size,
  f: tick.tradeId,
  l: tick.tradeId,
  T: Market.millisOf(tick),
  m: tick.side === "sell",
  M: true
})

/** Past trades: the newest, or those from an id or, if they are aggregates, a time on. */
const past = (
  query: ReadonlyMap<string, string>,
  { markets, trades }: Listing.Floor,
  isAggregate: boolean
): unknown => {
  const symbol = query.get("symbol") ?? ""
  if (symbol === "") {
    return refusal(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
  }
  if (!markets.some(({ product }) => product.symbol === symbol)) return refusal(-1121, "Invalid symbol.")
  const limit = Math.min(Listing.numberIn(query, "limit") ?? 500, 1_000)
  const [fromId, startTime] = [Listing.numberIn(query, "fromId"), Listing.numberIn(query, "startTime")]
  const all = trades(symbol)
  const found = fromId !== undefined
    ? all.filter(({ tradeId }) => tradeId >= fromId).slice(0, limit)
    : isAggregate && startTime !== undefined
    ? all.filter((tick) => Market.millisOf(tick) >= startTime).slice(0, limit)
    : all.slice(-limit)
  return found.map(isAggregate ? listedAggregate : listed)
}

/**
 * Pings and pongs count as messages; a ping every 20 s, whose pong is due within
 * a minute with the same payload. Who sends too much is disconnected.
 *
 * @see https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (read 2026-11-21)
 */
const enforcement: Enforcement.Enforcement = {
  ...Enforcement.declared(Binance.venue.limits),
  countsPings: true,
  excess: { close: tooMany },
  session: Binance.venue.sessionMillis,
  pings: { every: 20_000, within: 60_000 },
  http: {
    windows: Binance.venue.rest?.weights ?? [],
    weightOf: ({ path, query }) => path === "/api/v3/depth" ? weightOf(levelsIn(query) ?? 0) : weights.get(path) ?? 1,
    excess: { code: -1003, msg: "Too much request weight used; current limit is 6000 request weight per 1 MINUTE." }
  }
}

const weights: ReadonlyMap<string, number> = new Map([
  ["/api/v3/exchangeInfo", 20],
  ["/api/v3/historicalTrades", 25],
  ["/api/v3/aggTrades", 4]
])

const messages = enforcement.limits.filter(({ of }) => of === "messages")

/**
 * Binance spot: `/api/v3/ping`, `/api/v3/time`, `/api/v3/exchangeInfo`, of all
 * products, of one (`symbol`) or of some (`symbols`), `/api/v3/depth`,
 * `/api/v3/historicalTrades` and `/api/v3/aggTrades`.
 *
 * @see https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-endpoints (read 2026-11-21)
 */
const listing: Listing.Listing = ({ path, query }, floor) => {
  switch (path) {
    case "/api/v3/ping":
      return {}
    case "/api/v3/time":
      return { serverTime: floor.atMillis }
    case "/api/v3/exchangeInfo": {
      const asked = query.get("symbols") ?? query.get("symbol")
      const symbols = instruments(floor, Binance.venue.symbols).filter(({ symbol }) =>
        asked === undefined || asked === symbol || asked.includes(`"${symbol}"`)
      )
      return {
        timezone: "UTC",
        serverTime: floor.atMillis,
        rateLimits: [
          { rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: 6_000 },
          { rateLimitType: "RAW_REQUESTS", interval: "MINUTE", intervalNum: 5, limit: 61_000 }
        ],
        exchangeFilters: [],
        symbols: symbols.map(({ base, priceScale, quote, sizeScale, symbol }) => ({
          symbol,
          status: "TRADING",
          baseAsset: base,
          baseAssetPrecision: sizeScale,
          quoteAsset: quote,
          quotePrecision: priceScale,
          quoteAssetPrecision: priceScale,
          baseCommissionPrecision: sizeScale,
          quoteCommissionPrecision: priceScale,
          orderTypes: ["LIMIT", "LIMIT_MAKER", "MARKET"],
          icebergAllowed: false,
          ocoAllowed: false,
          quoteOrderQtyMarketAllowed: false,
          allowTrailingStop: false,
          cancelReplaceAllowed: false,
          isSpotTradingAllowed: true,
          isMarginTradingAllowed: false,
          filters: [
            {
              filterType: "PRICE_FILTER",
              minPrice: unit(priceScale),
              maxPrice: "1000000.00000000",
              tickSize: unit(priceScale)
            },
            {
              filterType: "LOT_SIZE",
              minQty: unit(sizeScale),
              maxQty: "9000.00000000",
              stepSize: unit(sizeScale)
            }
          ],
          permissions: [],
          permissionSets: [["SPOT"]],
          defaultSelfTradePreventionMode: "EXPIRE_MAKER",
          allowedSelfTradePreventionModes: ["EXPIRE_MAKER"]
        }))
      }
    }
    case "/api/v3/depth":
      return depth(query, floor)
    case "/api/v3/historicalTrades":
      return past(query, floor, false)
    case "/api/v3/aggTrades":
      return past(query, floor, true)
    default:
      return undefined
  }
}

/**
 * The mock of Binance spot.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): MockVenue.MockVenue => ({
  name: Binance.venue.name,
  symbols: Binance.venue.symbols,
  heartbeatMillis: undefined,
  enforcement,
  listing,
  farewell: (floor) => {
    const message = { e: "serverShutdown", E: floor.atMillis }
    return MockVenue.notice(isBare(floor) ? message : { stream: "!serverShutdown", data: message })
  },
  open: (floor) => asking(MockVenue.newSession, streamsAt(floor), MockVenue.follow, floor),
  receive: (before, frame, floor) => {
    const session = MockVenue.countRequest(before, floor.atMillis, messages)
    if (session === undefined) {
      return { session: before, replies: [], close: tooMany }
    }
    const answer = (reply: object, after = session): MockVenue.Answer => ({
      session: after,
      replies: [MockVenue.notice(reply)]
    })
    const bytes = typeof frame === "string" ? encoder.encode(frame).byteLength : frame.byteLength
    if (bytes > maxRequestBytes) return { session, replies: [] }
    const json = readJson(frame)
    if (Result.isFailure(json)) {
      return answer({ code: 3, msg: "Invalid JSON: expected value at line 1 column 1" })
    }
    const { id = null, method, params } = json.success
    if (!isId(id)) return answer({ code: 2, msg: "Invalid request: request ID must be an unsigned integer" })
    const refuse = (msg: string): MockVenue.Answer => answer({ error: { code: 2, msg: `Invalid request: ${msg}` }, id })
    if (method === undefined) {
      return refuse(`missing field \`method\` at line 1 column ${bytes}`)
    }
    switch (method) {
      case "LIST_SUBSCRIPTIONS":
        return answer({ result: streamsOf(session), id })
      case "SET_PROPERTY":
      case "GET_PROPERTY":
        return answer({ code: 0, msg: "Unknown property", id })
      case "SUBSCRIBE":
      case "UNSUBSCRIBE": {
        if (!isStreams(params)) return refuse("invalid stream")
        const how = method === "SUBSCRIBE" ? MockVenue.follow : MockVenue.unfollow
        const after = asking(session, params, how, floor)
        return after === undefined ? refuse("invalid stream") : answer({ result: null, id }, after)
      }
      default:
        return refuse(
          `unknown variant \`${String(method)}\`, expected one of ${methods.map((each) => `\`${each}\``).join(", ")}`
        )
    }
  },
  publish: (session, tick, floor) => {
    const frames: Array<MockVenue.Outgoing> = []
    for (const [channel, products] of session.channels) {
      if (!products.has(tick.product) || (tick.isQuote && trades.has(channel))) continue
      const sent = message(channel, tick, floor.market(tick.product))
      if (sent !== undefined) frames.push(outgoing(channel, tick.product, sent, isBare(floor)))
    }
    return frames
  },
  heartbeat: () => [],
  price: (product, price, atMillis) =>
    outgoing("ticker", product, { e: "24hrTicker", E: atMillis, s: product, c: price }, false),
  corrupt: (text) => {
    const broken = text.replace(
      /"U":(\d+),"u":(\d+)/,
      (_, first: string, last: string) => `"U":${BigInt(first) + 1_000n},"u":${BigInt(last) + 1_000n}`
    )
    return broken === text ? undefined : broken
  }
})
