/**
 * The mock of Deribit's public market data: `ticker`, `incremental_ticker`,
 * `quote`, `trades` of an instrument, `book`, raw and grouped, `instrument.state` and
 * `platform_state`, over JSON-RPC.
 * Changes of a book name the change before them. Once it is asked for
 * heartbeats, it tests the client at each, and hears no more from one that sent
 * too many requests.
 *
 * Message shapes: https://docs.deribit.com/articles/notifications and the pages
 * of the channels, read 2026-11-21. The interval `raw` is refused, as it is to
 * every connection that is not authenticated; a channel of no listed instrument
 * is left out of the answer.
 *
 * @since 0.1.0
 */
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Enforcement from "./Enforcement.ts"
import { currencies, type Instrument, instruments, unitNumber } from "./internal/instruments.ts"
import { membersOf } from "./internal/members.ts"
import * as Listing from "./Listing.ts"
import * as Market from "./Market.ts"
import * as MockVenue from "./MockVenue.ts"

const Request = Schema.Struct({
  jsonrpc: Schema.optionalKey(Schema.Literal("2.0")),
  id: Schema.optionalKey(Schema.Union([Schema.Int, Schema.String])),
  method: Schema.String,
  params: Schema.optionalKey(Schema.Struct({
    channels: Schema.optionalKey(Schema.Array(Schema.String)),
    interval: Schema.optionalKey(Schema.Number)
  }))
})

const readJson = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))
const readRequest = Schema.decodeUnknownResult(Request)

/** Errors by their numbers: https://docs.deribit.com/articles/errors, read 2026-11-21. */
const errors = {
  parse: { code: -32700, message: "Parse error" },
  request: { code: -32600, message: "Invalid Request" },
  method: { code: -32601, message: "Method not found" },
  params: { code: -32602, message: "Invalid params" },
  tooMany: { code: 10028, message: "too_many_requests" },
  raw: { code: 13778, message: "raw_subscriptions_not_available_for_unauthorized" }
} as const

const told = (channel: string, data: object): MockVenue.Outgoing =>
  MockVenue.notice({ jsonrpc: "2.0", method: "subscription", params: { channel, data } })

/** Under this name a session keeps that heartbeats were asked for. */
const heartbeats = "heartbeat"

interface Parsed {
  readonly instrument: string
  /** The name less the instrument, as a session keeps it. */
  readonly key: string
}

/** Family, instrument, and what follows: nothing, an interval, or group, depth and interval. */
const forms = [
  /^(incremental_ticker|quote)\.([^.]+)()$/,
  /^(ticker|trades|book)\.([^.]+)(\.(?:100ms|agg2|raw))$/,
  /^(book)\.([^.]+)(\.[^.]+\.(?:1|10|20)\.(?:100ms|agg2|raw))$/
]

/** Channels that are kept by their whole names. */
const plain = /^(?:platform_state|instrument\.state\.\w+\.\w+)$/

/** Those of whoever has signed in: by instrument, or by kind and currency, and of a portfolio. */
const ofUser = /^user\.(?:portfolio\.\w+|(?:orders|trades|changes)\.[^.]+(?:\.[^.]+)?\.(?:raw|100ms|agg2))$/

/** A channel of an instrument, or `undefined` where the mock has none of that name. */
const parse = (name: string): Parsed | undefined => {
  const [parsed] = forms.filter((form) => form.test(name)).map((form) => ({
    instrument: name.replace(form, "$2"),
    key: name.replace(form, "$1$3")
  }))
  return parsed
}

const nameOf = (key: string, instrument: string): string => {
  const [family, ...rest] = key.split(".")
  return [family, instrument, ...rest].join(".")
}

// --- what happens in the market ------------------------------------------------

// Numbers are written digit by digit: `JSON.stringify` would have to read them first.
const notification = (key: string, product: string, data: string): MockVenue.Outgoing => ({
  text: `{"jsonrpc":"2.0","method":"subscription","params":{"channel":${JSON.stringify(nameOf(key, product))},` +
    `"data":${data}}}`,
  data: { channel: key, product }
})

const tradeText = (tick: Market.Tick): string =>
  `{"trade_seq":${tick.tradeId},"trade_id":"${tick.tradeId}","timestamp":${Market.millisOf(tick)},` +
  `"tick_direction":0,"price":${tick.price},"mark_price":${tick.price},` +
  `"instrument_name":${JSON.stringify(tick.product)},"index_price":${tick.price},` +
  `"direction":"${tick.side}","amount":${tick.size}}`

const trades = (key: string, tick: Market.Tick): MockVenue.Outgoing =>
  notification(key, tick.product, `[${tradeText(tick)}]`)

const quotes = (tick: Market.Tick): string =>
  `"best_bid_price":${tick.bid[0]},"best_bid_amount":${tick.bid[1]},` +
  `"best_ask_price":${tick.ask[0]},"best_ask_amount":${tick.ask[1]}`

const ticker = (key: string, tick: Market.Tick, type: "snapshot" | "change"): MockVenue.Outgoing =>
  notification(
    key,
    tick.product,
    `{${key === "incremental_ticker" ? `"type":"${type}",` : ""}"timestamp":${Market.millisOf(tick)},` +
      `"stats":{"volume_usd":null,"volume":${tick.volume},"price_change":null,"low":${tick.low},"high":${tick.high}},` +
      `"state":"open","settlement_price":${tick.open},"open_interest":0.0,"min_price":${tick.low},` +
      `"max_price":${tick.high},"mark_price":${tick.price},"last_price":${tick.price},` +
      `"instrument_name":${JSON.stringify(tick.product)},"index_price":${tick.price},"funding_8h":0.0,` +
      `"estimated_delivery_price":${tick.price},"current_funding":0.0,${quotes(tick)}}`
  )

const quote = (key: string, tick: Market.Tick): MockVenue.Outgoing =>
  notification(
    key,
    tick.product,
    `{"timestamp":${Market.millisOf(tick)},"instrument_name":${JSON.stringify(tick.product)},${quotes(tick)}}`
  )

const members = (tick: Market.Tick): string =>
  `"timestamp":${Market.millisOf(tick)},"instrument_name":${JSON.stringify(tick.product)},"change_id":${tick.sequence}`

const pairs = (side: ReadonlyArray<Market.Level>): string => side.map(([price, size]) => `[${price},${size}]`).join(",")

const grouped = (key: string, market: Market.Market): MockVenue.Outgoing => {
  const { asks, bids } = Market.book(market)
  const depth = Number(key.split(".")[2])
  return notification(
    key,
    market.product.symbol,
    `{${members(market.last)},"bids":[${pairs(bids.slice(0, depth))}],"asks":[${pairs(asks.slice(0, depth))}]}`
  )
}

const snapshot = (key: string, market: Market.Market): MockVenue.Outgoing => {
  const rows = (side: ReadonlyArray<Market.Level>) => side.map(([price, size]) => `["new",${price},${size}]`).join(",")
  const { asks, bids } = Market.book(market)
  return notification(
    key,
    market.product.symbol,
    `{"type":"snapshot",${members(market.last)},"bids":[${rows(bids)}],"asks":[${rows(asks)}]}`
  )
}

/** A tick's changes, each with the number of the change before: every change and every trade counts one. */
const change = (key: string, tick: Market.Tick): MockVenue.Outgoing => {
  const rows = (wanted: "buy" | "sell") =>
    tick.changes.filter(([side]) => side === wanted).map(([, price, size]) =>
      `["${/^[0.]+$/.test(size) ? "delete" : "change"}",${price},${size}]`
    ).join(",")
  return notification(
    key,
    tick.product,
    `{"type":"change","prev_change_id":${tick.sequence - tick.changes.length - 1},${members(tick)},` +
      `"bids":[${rows("buy")}],"asks":[${rows("sell")}]}`
  )
}

/** What a subscription is greeted with: what is current, of all but trades. */
const greeting = (key: string, market: Market.Market): ReadonlyArray<MockVenue.Outgoing> => {
  const [family, ...rest] = key.split(".")
  switch (family) {
    case "trades":
      return []
    case "quote":
      return [quote(key, market.last)]
    case "book":
      return [rest.length === 3 ? grouped(key, market) : snapshot(key, market)]
    default:
      return [ticker(key, market.last, "snapshot")]
  }
}

/**
 * A request too many is answered by an error and the end of the session. A test
 * that is not answered with `public/test` ends the connection; the venue does not
 * say how soon.
 *
 * @see https://docs.deribit.com/articles/rate-limits (read 2026-11-21)
 * @see https://docs.deribit.com/articles/connection-management-best-practices (read 2026-11-21)
 * @see https://docs.deribit.com/api-reference/session-management/public-set_heartbeat (read 2026-11-21)
 */
const enforcement: Enforcement.Enforcement = {
  ...Enforcement.declared(Deribit.venue.limits),
  isSubscription: (frame) => /^(public|private)\/(un)?subscribe/.test(String(membersOf(frame).method)),
  countsPings: false,
  excess: {
    error: (frame) => {
      const { id } = membersOf(frame)
      return JSON.stringify({ jsonrpc: "2.0", id, error: errors.tooMany })
    },
    close: { code: 1000, reason: "" }
  },
  tests: {
    isTest: (text) => text.includes("\"test_request\""),
    isAnswer: (frame) => membersOf(frame).method === "public/test",
    within: 10_000
  }
}

const messages = enforcement.limits.filter(({ of }) => of === "messages")

/** Past trades of an instrument, from a number or a time on; the newest where neither is said. */
const past = (query: ReadonlyMap<string, string>, floor: Listing.Floor): unknown => {
  const product = query.get("instrument_name") ?? ""
  const count = Math.min(Listing.numberIn(query, "count") ?? 10, 1_000)
  const [first, since] = [Listing.numberIn(query, "start_seq"), Listing.numberIn(query, "start_timestamp")]
  const all = floor.trades(product)
  const found = all.filter((tick) => tick.tradeId >= (first ?? 0) && Market.millisOf(tick) >= (since ?? 0))
  const part = first === undefined && since === undefined ? found.slice(-count) : found.slice(0, count)
  return Listing.written(
    `{"jsonrpc":"2.0","result":{"trades":[${part.map(tradeText).join()}],"has_more":${part.length < found.length}}}`
  )
}

const instrument = (
  { base, isPerpetual, priceScale, quote, sizeScale, symbol }: Instrument,
  index: number
) => {
  const isInverse = isPerpetual && quote === "USD"
  return {
    instrument_id: index + 1,
    instrument_name: symbol,
    kind: isPerpetual ? "future" : "spot",
    ...(isPerpetual
      ? {
        instrument_type: isInverse ? "reversed" : "linear",
        future_type: isInverse ? "reversed" : "linear",
        settlement_period: "perpetual",
        settlement_currency: isInverse ? base : quote,
        max_leverage: 50,
        max_liquidation_commission: 0.0075
      }
      : { instrument_type: "linear" }),
    base_currency: base,
    quote_currency: quote,
    counter_currency: quote,
    price_index: `${base}_${quote}`.toLowerCase(),
    tick_size: unitNumber(priceScale),
    tick_size_steps: [],
    min_trade_amount: unitNumber(sizeScale),
    contract_size: unitNumber(sizeScale),
    taker_commission: 0.0005,
    maker_commission: 0,
    block_trade_commission: 0.00025,
    is_active: true,
    rfq: false,
    creation_timestamp: 1_534_242_287_000,
    expiration_timestamp: 32_503_708_800_000
  }
}

const coins: Readonly<Record<string, string>> = { BTC: "BITCOIN", ETH: "ETHER" }

/**
 * Deribit: `/api/v2/public/test`, `…/get_time`, `…/get_currencies`,
 * `…/get_instruments`, of all or of one `currency`, and `…/get_instrument`.
 *
 * @see https://docs.deribit.com/api-reference/market-data/public-get_instruments (read 2026-11-21)
 * @see https://docs.deribit.com/api-reference/market-data/public-get_currencies (read 2026-11-21)
 */
const listing: Listing.Listing = ({ path, query }, floor) => {
  const all = instruments(floor, Deribit.venue.symbols)
  const listed = all.map(instrument)
  const micros = floor.atMillis * 1_000
  const succeed = (result: unknown): object => ({
    jsonrpc: "2.0",
    result,
    usIn: micros,
    usOut: micros,
    usDiff: 0,
    testnet: false
  })
  switch (path) {
    case "/api/v2/public/test":
      return succeed({ version: "1.2.26" })
    case "/api/v2/public/get_last_trades_by_instrument":
      return past(query, floor)
    case "/api/v2/public/get_time":
      return succeed(floor.atMillis)
    case "/api/v2/public/get_currencies":
      // Dollars are a unit here, and no currency of an account.
      return succeed(
        currencies(all).filter((currency) => currency !== "USD").map((currency) => ({
          currency,
          currency_long: currency,
          coin_type: coins[currency] ?? currency,
          network_currency: currency,
          fee_precision: 4,
          min_confirmations: 1,
          min_withdrawal_fee: 0,
          withdrawal_fee: 0,
          withdrawal_priorities: [],
          in_cross_collateral_pool: false
        }))
      )
    case "/api/v2/public/get_instruments": {
      const currency = query.get("currency") ?? "any"
      const kind = query.get("kind") ?? "any"
      return succeed(
        listed.filter((one) =>
          (currency === "any" || one.base_currency === currency) && (kind === "any" || one.kind === kind)
        )
      )
    }
    case "/api/v2/public/get_instrument": {
      const found = listed.find(({ instrument_name }) => instrument_name === query.get("instrument_name"))
      return found && succeed(found)
    }
    default:
      return undefined
  }
}

/**
 * How the mock is made: whether it stands behind a gateway that has `accounts`,
 * and as which venue of the platform (default: Deribit).
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly accounts?: boolean | undefined
  readonly venue?: Pick<Venue, "keepAlive" | "name"> | undefined
}

/**
 * The mock of Deribit. Heartbeats are due as often as the default client asks
 * for them, every 30 seconds. Where it stands behind a gateway that has `accounts`,
 * it takes the subscriptions of those who have signed in as well, by
 * `private/subscribe`: to raw channels and to those of a user, of which it says
 * nothing itself.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  { accounts = false, venue: { keepAlive, name } = Deribit.venue }: Options = {}
): MockVenue.MockVenue => ({
  name,
  symbols: Deribit.venue.symbols,
  heartbeatMillis: keepAlive._tag === "Requested" ? keepAlive.withinMillis : undefined,
  enforcement,
  listing,
  receive: (session, frame, floor) => {
    const micros = floor.atMillis * 1_000
    const times = { usIn: micros, usOut: micros, usDiff: 0, testnet: false }
    const json = readJson(frame)
    const fail = (error: object, id?: number | string) => ({
      session,
      replies: [MockVenue.notice({ jsonrpc: "2.0", id, error, ...times })]
    })
    // Of 50,000 credits a request takes 500, and 10,000 come back each second.
    const heard = MockVenue.countRequest(session, floor.atMillis, messages)
    if (heard === undefined) return { ...fail(errors.tooMany), close: { code: 1000, reason: "" } }
    if (Result.isFailure(json)) return { ...fail(errors.parse), session: heard }
    const request = readRequest(json.success)
    if (Result.isFailure(request)) return { ...fail(errors.request), session: heard }
    const { id, method, params = {} } = request.success
    const refuse = (error: object) => ({ ...fail(error, id), session: heard })
    const succeed = (result: unknown): MockVenue.Outgoing => MockVenue.notice({ jsonrpc: "2.0", id, result, ...times })
    const invalid = (param: string, reason: string) => refuse({ ...errors.params, data: { param, reason } })
    switch (method) {
      case "public/test":
        return { session: heard, replies: [succeed({ version: "1.2.26" })] }
      case "public/set_heartbeat":
        if (params.interval === undefined) return invalid("interval", "missing")
        if (params.interval < 10) return invalid("interval", "too low")
        return { session: MockVenue.follow(heard, heartbeats, []), replies: [succeed("ok")] }
      case "public/disable_heartbeat":
        return { session: MockVenue.unfollow(heard, heartbeats, []), replies: [succeed("ok")] }
      case "public/unsubscribe_all":
      case "private/unsubscribe_all": {
        if (method.startsWith("private/") && !accounts) return refuse(errors.method)
        // Heartbeats are no channel.
        const beats = heard.channels.get(heartbeats)
        const channels = new Map(beats === undefined ? [] : [[heartbeats, beats] as const])
        return { session: { ...heard, channels }, replies: [succeed("ok")] }
      }
      case "public/subscribe":
      case "public/unsubscribe":
      case "private/subscribe":
      case "private/unsubscribe": {
        const { channels } = params
        const [scope, verb] = method.split("/")
        const isPrivate = scope === "private"
        if (isPrivate && !accounts) return refuse(errors.method)
        if (channels === undefined) return invalid("channels", "missing")
        if (!isPrivate && verb === "subscribe" && channels.some((name) => name.endsWith(".raw"))) {
          return refuse(errors.raw)
        }
        let after = heard
        const done: Array<string> = []
        const greetings: Array<MockVenue.Outgoing> = []
        for (const name of channels) {
          if (plain.test(name) || (isPrivate && ofUser.test(name))) {
            after = verb === "subscribe"
              ? MockVenue.follow(after, name, [])
              : MockVenue.unfollow(after, name, [])
            done.push(name)
            continue
          }
          const parsed = parse(name)
          const market = parsed === undefined ? undefined : floor.market(parsed.instrument)
          if (parsed === undefined || market === undefined) continue
          const { instrument, key } = parsed
          if (verb === "unsubscribe") {
            if (!MockVenue.follows(after, key, instrument)) continue
            after = MockVenue.unfollow(after, key, [instrument])
          } else if (!MockVenue.follows(after, key, instrument)) {
            after = MockVenue.follow(after, key, [instrument])
            greetings.push(...greeting(key, market))
          }
          done.push(name)
        }
        return { session: after, replies: [succeed(done), ...greetings] }
      }
      default:
        return refuse(errors.method)
    }
  },
  publish: (session, tick, floor) => {
    const market = floor.market(tick.product)
    const frames: Array<MockVenue.Outgoing> = []
    for (const [key, products] of session.channels) {
      if (!products.has(tick.product) || (tick.isQuote && key.startsWith("trades."))) continue
      const [family, ...rest] = key.split(".")
      if (family === "trades") frames.push(trades(key, tick))
      else if (family === "quote") frames.push(quote(key, tick))
      else if (family !== "book") frames.push(ticker(key, tick, "change"))
      else if (rest.length === 1) frames.push(change(key, tick))
      else if (market !== undefined) frames.push(grouped(key, market))
    }
    return frames
  },
  // A beat, and a test of the client: one that does not answer is dropped by the venue.
  heartbeat: (session) =>
    session.channels.has(heartbeats)
      ? ["heartbeat", "test_request"].map((type) =>
        MockVenue.notice({ jsonrpc: "2.0", method: "heartbeat", params: { type } })
      )
      : [],
  // Of an instrument to who asked for one of its kinds and currencies, whichever; of all as maintenance.
  status: (session, product, { atMillis, tradingStatus }) => {
    const state = tradingStatus?.(product)
    return [...session.channels.keys()].flatMap((channel) =>
      product === undefined && channel === "platform_state"
        ? [told(channel, { maintenance: state !== undefined })]
        : product !== undefined && channel.startsWith("instrument.state.")
        ? [told(channel, { timestamp: atMillis, state: state ?? "open", instrument_name: product })]
        : []
    )
  },
  price: (product, price, atMillis) =>
    notification(
      "ticker.100ms",
      product,
      `{"timestamp":${atMillis},"last_price":${price},"instrument_name":${JSON.stringify(product)}}`
    ),
  corrupt: (text) => {
    const broken = text.replace(
      /"prev_change_id":(\d+)/,
      (_, digits: string) => `"prev_change_id":${BigInt(digits) + 1_000n}`
    )
    return broken === text ? undefined : broken
  }
})
