/**
 * The mock of Kraken's public data, version 2: channels `trade`, `ticker`,
 * `book` with each of its depths, `instrument` and, while the engine is not online,
 * `status`, heartbeats and pings. Prices
 * and sizes are bare JSON numbers with all their digits, and a book's checksum
 * is that of its ten best levels.
 *
 * Message shapes: https://docs.kraken.com/api/docs/websocket-v2/ticker, `…/trade`,
 * `…/book`, `…/instrument`, `…/heartbeat` and `…/ping`, read 2026-11-21. Each
 * symbol is answered by itself and greeted with a snapshot. A refusal has the
 * words that the venue was seen to use for a pair, a depth and a repetition.
 *
 * @since 0.1.0
 */
import type { Level } from "@tickline/core/event/MarketData"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as KrakenChecksum from "@tickline/core/venue/kraken/KrakenChecksum"
import * as Kraken from "@tickline/core/venue/kraken/Venue"
import * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Enforcement from "./Enforcement.ts"
import { currencies, instruments, scaleOf, unit } from "./internal/instruments.ts"
import { membersOf } from "./internal/members.ts"
import * as Listing from "./Listing.ts"
import * as Market from "./Market.ts"
import * as MockVenue from "./MockVenue.ts"

/** The depths of a book; ten is the default. */
const depths = new Set([10, 25, 100, 500, 1000])

const Request = Schema.fromJsonString(Schema.Struct({
  method: Schema.String,
  params: Schema.optionalKey(Schema.Struct({
    channel: Schema.optionalKey(Schema.String),
    symbol: Schema.optionalKey(Schema.Array(Schema.String)),
    depth: Schema.optionalKey(Schema.Int),
    snapshot: Schema.optionalKey(Schema.Boolean)
  })),
  req_id: Schema.optionalKey(Schema.Int)
}))

const readRequest = Schema.decodeUnknownResult(Request)

// --- what happens in the market ------------------------------------------------

// Numbers are written digit by digit: `JSON.stringify` would have to read them first.
const frame = (channel: string, type: "snapshot" | "update", key: string, product: string, row: string) => ({
  text: `{"channel":"${channel}","type":"${type}","data":[${row}]}`,
  data: { channel: key, product }
})

const trade = (type: "snapshot" | "update", tick: Market.Tick): MockVenue.Outgoing =>
  frame(
    "trade",
    type,
    "trade",
    tick.product,
    `{"symbol":${JSON.stringify(tick.product)},"side":"${tick.side}","price":${tick.price},"qty":${tick.size},` +
      `"ord_type":"market","trade_id":${tick.tradeId},"timestamp":"${tick.timestamp}"}`
  )

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? Decimal.zero

const ticker = (type: "snapshot" | "update", tick: Market.Tick): MockVenue.Outgoing => {
  const open = decimal(tick.open)
  const change = BigDecimal.subtract(decimal(tick.price), open)
  const hundredths = change.value * 10_000n / open.value
  return frame(
    "ticker",
    type,
    "ticker",
    tick.product,
    `{"symbol":${JSON.stringify(tick.product)},"bid":${tick.bid[0]},"bid_qty":${tick.bid[1]},` +
      `"ask":${tick.ask[0]},"ask_qty":${tick.ask[1]},"last":${tick.price},"volume":${tick.volume},` +
      `"vwap":${tick.open},"low":${tick.low},"high":${tick.high},"change":${Decimal.format(change)},` +
      `"change_pct":${Decimal.format(BigDecimal.make(hundredths, 2))},"timestamp":"${tick.timestamp}"}`
  )
}

const levels = (side: ReadonlyArray<Market.Level>): string =>
  side.map(([price, size]) => `{"price":${price},"qty":${size}}`).join(",")

const exact = (side: ReadonlyArray<Market.Level>): ReadonlyArray<Level> =>
  side.map(([price, size]) => [decimal(price), decimal(size)])

const book = (
  key: string,
  type: "snapshot" | "update",
  market: Market.Market,
  { asks, bids }: { readonly asks: ReadonlyArray<Market.Level>; readonly bids: ReadonlyArray<Market.Level> }
): MockVenue.Outgoing => {
  const { symbol } = market.product
  const whole = Market.book(market)
  return frame(
    "book",
    type,
    key,
    symbol,
    `{"symbol":${JSON.stringify(symbol)},"bids":[${levels(bids)}],"asks":[${levels(asks)}],` +
      `"checksum":${KrakenChecksum.checksum(exact(whole.asks), exact(whole.bids))},` +
      `"timestamp":"${market.last.timestamp}"}`
  )
}

/** How many levels of each side a subscription is of, by the key that a session keeps it under. */
const depthOf = (key: string): number => Number(key.slice("book-".length) || 10)

const cut = ({ asks, bids }: Market.Book, key: string): Market.Book => ({
  asks: asks.slice(0, depthOf(key)),
  bids: bids.slice(0, depthOf(key))
})

/**
 * What of a tick's changes is told to a subscription of so many levels, given the side as it is now: those within them,
 * and what has come to be one of them. Nothing is said of what has left them.
 */
const changed = (
  tick: Market.Tick,
  side: "buy" | "sell",
  now: ReadonlyArray<Market.Level>,
  depth: number
): ReadonlyArray<Market.Level> => {
  const all = tick.changes.filter((change) => change[0] === side).map(([, price, size]): Market.Level => [price, size])
  if (now.length <= depth) return all
  const window = now.slice(0, depth)
  const last = decimal(window.at(-1)?.[0] ?? "0")
  const within = all.filter(([price]) =>
    side === "buy"
      ? BigDecimal.isGreaterThanOrEqualTo(decimal(price), last)
      : BigDecimal.isLessThanOrEqualTo(decimal(price), last)
  )
  const prices = new Set(within.map(([price]) => price))
  const gone = within.filter(([, size]) => decimal(size).value === 0n).length
  const come = gone === 0 ? [] : window.slice(-gone).filter(([price]) => !prices.has(price))
  return [...within, ...come]
}

/** What a subscription to a channel of a symbol is greeted with. */
const greeting = (key: string, market: Market.Market): MockVenue.Outgoing =>
  key === "trade"
    ? trade("snapshot", market.last)
    : key === "ticker"
    ? ticker("snapshot", market.last)
    : book(key, "snapshot", market, cut(Market.book(market), key))

const instrumentList = MockVenue.notice({
  channel: "instrument",
  type: "snapshot",
  data: { assets: [], pairs: [] }
})

const systemStatus = (system: string): MockVenue.Outgoing =>
  MockVenue.notice({
    channel: "status",
    type: "update",
    data: [{ system, api_version: "v2", connection_id: 12_834_598, version: "2.0.10" }]
  })

const alive = MockVenue.notice({ channel: "heartbeat" })

/**
 * A connection ends on which nothing is said for a minute. The venue publishes no
 * figure for messages, so none is enforced; where a limit is given, the error is
 * the one that clients were seen to get.
 *
 * @see https://docs.kraken.com/api/docs/guides/spot-ws-intro (read 2026-11-21)
 * @see https://github.com/bitrich-info/xchange-stream/issues/502 (the error; read 2026-11-21)
 */
const enforcement: Enforcement.Enforcement = {
  ...Enforcement.declared(Kraken.venue.limits),
  countsPings: false,
  excess: {
    error: (frame) => {
      const { method = null, req_id } = membersOf(frame)
      return JSON.stringify({
        error: "Exceeded msg rate",
        method,
        req_id,
        success: false
      })
    }
  },
  idle: 60_000
}

/** As Kraken's REST API names a currency: bitcoin is `XBT`, with an `X` before old coins and a `Z` before old moneys. */
const assets: ReadonlyMap<string, { readonly id: string; readonly altname: string }> = new Map([
  ["BTC", { id: "XXBT", altname: "XBT" }],
  ["ETH", { id: "XETH", altname: "ETH" }],
  ["USD", { id: "ZUSD", altname: "USD" }],
  ["EUR", { id: "ZEUR", altname: "EUR" }]
])

const assetOf = (currency: string): { readonly id: string; readonly altname: string } =>
  assets.get(currency) ?? { id: currency, altname: currency }

/** When a trade was made, in nanoseconds. */
const nanosOf = ({ timestamp }: Market.Tick): bigint => Timestamp.toEpochNanos(Timestamp.fromIso(timestamp) ?? epoch)

const epoch = Timestamp.fromEpochMillis(0)

/** Past trades, from behind a time on, in nanoseconds; the last of them says where the next ones begin. */
const past = (
  query: ReadonlyMap<string, string>,
  pairs: ReadonlyMap<string, string>,
  floor: Listing.Floor
): unknown => {
  const pair = query.get("pair") ?? ""
  const symbol = pairs.get(pair)
  if (symbol === undefined) return { error: ["EQuery:Unknown asset pair"] }
  const since = /^\d{1,19}$/.exec(query.get("since") ?? "")?.[0]
  const count = Math.min(Listing.numberIn(query, "count") ?? 1_000, 1_000)
  const all = floor.trades(symbol)
  const found = since === undefined
    ? all.slice(-count)
    : all.filter((tick) => nanosOf(tick) > BigInt(since)).slice(0, count)
  const rows = found.map((tick) => {
    const micros = nanosOf(tick) / 1_000n
    const time = `${micros / 1_000_000n}.${String(micros % 1_000_000n).padStart(6, "0")}`
    return `["${tick.price}","${tick.size}",${time},"${tick.side.slice(0, 1)}","m","",${tick.tradeId}]`
  })
  const last = found.at(-1)
  const until = last === undefined ? since ?? "0" : nanosOf(last)
  return Listing.written(`{"error":[],"result":{${JSON.stringify(pair)}:[${rows.join()}],"last":"${until}"}}`)
}

/**
 * Kraken: `/0/public/Time`, `/0/public/SystemStatus`, `/0/public/Assets` and
 * `/0/public/AssetPairs`. Currencies have the REST API's own names, `XXBT` and
 * `ZUSD`, and a pair's `wsname` those of the first WebSocket API, `XBT/USD`.
 *
 * @see https://docs.kraken.com/api/docs/rest-api/get-tradable-asset-pairs (read 2026-11-21)
 * @see https://docs.kraken.com/api/docs/rest-api/get-asset-info (read 2026-11-21)
 */
const listing: Listing.Listing = ({ path, query }, floor) => {
  const listed = instruments(floor, Kraken.venue.symbols)
  const succeed = (result: object): object => ({ error: [], result })
  switch (path) {
    case "/0/public/Time":
      return succeed({ unixtime: Math.floor(floor.atMillis / 1_000) })
    case "/0/public/Trades":
      return past(
        query,
        new Map(listed.map(({ base, quote, symbol }) => [assetOf(base).altname + assetOf(quote).altname, symbol])),
        floor
      )
    case "/0/public/SystemStatus":
      return succeed({ status: "online", timestamp: Timestamp.format(Timestamp.fromEpochMillis(floor.atMillis)) })
    case "/0/public/Assets":
      return succeed(Object.fromEntries(
        currencies(listed).map((currency) => {
          const { altname, id } = assetOf(currency)
          const decimals = scaleOf(listed, currency)
          return [id, {
            aclass: "currency",
            altname,
            decimals,
            display_decimals: Math.min(decimals, 5),
            status: "enabled"
          }]
        })
      ))
    case "/0/public/AssetPairs":
      return succeed(Object.fromEntries(
        listed.map(({ priceScale, sizeScale, ...pair }) => {
          const [base, quote] = [assetOf(pair.base), assetOf(pair.quote)]
          return [base.id + quote.id, {
            altname: base.altname + quote.altname,
            wsname: `${base.altname}/${quote.altname}`,
            aclass_base: "currency",
            base: base.id,
            aclass_quote: "currency",
            quote: quote.id,
            lot: "unit",
            cost_decimals: priceScale,
            pair_decimals: priceScale,
            lot_decimals: sizeScale,
            lot_multiplier: 1,
            leverage_buy: [],
            leverage_sell: [],
            fees: [[0, 0.4]],
            fees_maker: [[0, 0.25]],
            fee_volume_currency: "ZUSD",
            margin_call: 80,
            margin_stop: 40,
            ordermin: unit(sizeScale),
            costmin: "0.5",
            tick_size: unit(priceScale),
            status: "online"
          }]
        })
      ))
    default:
      return undefined
  }
}

/**
 * The mock of Kraken.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): MockVenue.MockVenue => ({
  name: Kraken.venue.name,
  symbols: Kraken.venue.symbols,
  heartbeatMillis: 1_000,
  enforcement,
  listing,
  greet: ({ tradingStatus }) => {
    const system = tradingStatus?.()
    return system === undefined ? [] : [systemStatus(system)]
  },
  status: (session, product, { tradingStatus }) => {
    const status = tradingStatus?.(product) ?? "online"
    if (product === undefined) return [systemStatus(status)]
    return session.channels.has("instrument")
      ? [MockVenue.notice({
        channel: "instrument",
        type: "update",
        data: { assets: [], pairs: [{ symbol: product, status }] }
      })]
      : []
  },
  receive: (session, frame, floor) => {
    const time = Timestamp.format(Timestamp.fromEpochMillis(floor.atMillis))
    const request = readRequest(frame)
    const replies: Array<MockVenue.Outgoing> = []
    if (Result.isFailure(request)) {
      replies.push(
        MockVenue.notice({ error: "Malformed request", method: null, success: false, time_in: time, time_out: time })
      )
      return { session, replies }
    }
    const { method, params = {}, req_id } = request.success
    // Members in the venue's order, which is that of the alphabet.
    const times = { time_in: time, time_out: time }
    const refuse = (error: string, symbol?: string): void => {
      replies.push(
        MockVenue.notice({
          error,
          method,
          req_id,
          success: false,
          symbol,
          ...times
        })
      )
    }
    const confirm = (result: object): void => {
      replies.push(MockVenue.notice({ method, req_id, result, success: true, ...times }))
    }
    if (method === "ping") {
      replies.push(MockVenue.beat({ method: "pong", req_id, ...times }))
      return { session, replies }
    }
    if (method !== "subscribe" && method !== "unsubscribe") {
      refuse("Unsupported method")
      return { session, replies }
    }
    const { channel = "", depth = 10, snapshot = channel !== "trade", symbol = [] } = params
    if (channel === "instrument") {
      confirm(method === "subscribe" ? { channel, snapshot } : { channel })
      if (method === "unsubscribe") return { session: MockVenue.unfollow(session, channel, []), replies }
      if (snapshot) replies.push(instrumentList)
      return { session: MockVenue.follow(session, channel, []), replies }
    }
    if (channel !== "trade" && channel !== "ticker" && channel !== "book") {
      refuse("Channel not supported")
      return { session, replies }
    }
    if (channel === "book" && !depths.has(depth)) {
      refuse("Subscription depth not supported")
      return { session, replies }
    }
    if (symbol.length === 0) refuse("Symbol(s) not found")
    const key = channel === "book" && depth !== 10 ? `book-${depth}` : channel
    let after = session
    for (const one of symbol) {
      const market = floor.market(one)
      const result = { channel, ...(channel === "book" ? { depth } : {}) }
      if (market === undefined) {
        refuse(`Currency pair not supported ${one}`, one)
      } else if (method === "unsubscribe") {
        if (!MockVenue.follows(after, key, one)) {
          refuse("Subscription not found", one)
          continue
        }
        after = MockVenue.unfollow(after, key, [one])
        confirm({ ...result, symbol: one })
      } else if (MockVenue.follows(after, key, one)) {
        refuse("Already subscribed", one)
      } else {
        after = MockVenue.follow(after, key, [one])
        confirm({ ...result, snapshot, symbol: one })
        if (snapshot) replies.push(greeting(key, market))
      }
    }
    return { session: after, replies }
  },
  publish: (session, tick, floor) => {
    const market = floor.market(tick.product)
    const frames: Array<MockVenue.Outgoing> = []
    for (const [key, products] of session.channels) {
      if (!products.has(tick.product) || (tick.isQuote && key === "trade")) continue
      if (key === "trade") frames.push(trade("update", tick))
      else if (key === "ticker") frames.push(ticker("update", tick))
      else if (market !== undefined) {
        const { asks, bids } = Market.book(market)
        const depth = depthOf(key)
        frames.push(book(key, "update", market, {
          bids: changed(tick, "buy", bids, depth),
          asks: changed(tick, "sell", asks, depth)
        }))
      }
    }
    return frames
  },
  // A connection without a subscription has no heartbeats.
  heartbeat: (session) => session.channels.size === 0 ? [] : [alive],
  price: (product, price, atMillis) =>
    frame(
      "ticker",
      "update",
      "ticker",
      product,
      `{"symbol":${JSON.stringify(product)},"last":${price},` +
        `"timestamp":"${Timestamp.format(Timestamp.fromEpochMillis(atMillis))}"}`
    ),
  corrupt: (text) => {
    const broken = text.replace(/"checksum":(\d+)/, (_, digits: string) => `"checksum":${BigInt(digits) ^ 1n}`)
    return broken === text ? undefined : broken
  }
})
