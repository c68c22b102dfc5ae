/**
 * Hyperliquid, the public data of its WebSocket API.
 *
 * Prices and sizes are JSON strings, times milliseconds since 1970, trade ids
 * JSON numbers. `side` is the taker's: `B` bought, `A` sold. Every `l2Book` is
 * the whole book (to 20 levels a side); there are no sequence numbers.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions (read 2026-11-21)
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as Layout from "../../codec/internal/layout.ts"
import * as Scanner from "../../codec/internal/scanner.ts"
import * as Topics from "../../codec/internal/topics.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { type FrameRejected, isFrameRejected } from "../../codec/Rejection.ts"
import { bookSnapshot, type Level, priceUpdate, ticker, trade } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { heartbeat, other, subscribed, unsubscribed, VenueError } from "../../event/VenueMessage.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as Wire from "../internal/wire.ts"
import type { Ask, Decode, Topic, Venue } from "../Venue.ts"

const name = "hyperliquid"

type Events = ReadonlyArray<MarketEvent>

/** One channel: how its frames are read exactly, and how fast where their layout is known. */
interface Kind {
  readonly read: (frame: ExactJson.JsonObject) => Events | FrameRejected
  readonly plan: Layout.Plan<Events> | undefined
}

const pinned = ["channel"]

/** `"A" = ask`, `"B" = bid`: the side of the order that took. */
const takerSide = { A: "sell", B: "buy" } as const

/** A timestamp of a layout: `undefined` where there is none, `null` where the text is no time. */
const millisOf = (text: string | undefined) => text === undefined ? undefined : Wire.millis(text) ?? null

// --- trades ------------------------------------------------------------------

const readTrade = Wire.reader({
  coin: Schema.NonEmptyString,
  side: Schema.Literals(["A", "B"]),
  px: Decimal.FromText,
  sz: Decimal.FromText,
  time: Wire.optional(Wire.Millis),
  tid: Wire.optional(Wire.Id)
})

const trades: Kind = {
  read: (frame) => {
    const { data } = frame
    if (!Array.isArray(data)) return Rejection.unexpected(name, ["data"], "an array", data)
    const events: Array<MarketEvent> = []
    for (let index = 0; index < data.length; index++) {
      const row: ExactJson.Json | undefined = data[index]
      const at = ["data", index]
      if (row === undefined || !ExactJson.isObject(row)) return Rejection.unexpected(name, at, "an object", row)
      const it = readTrade(name, row, at)
      if (isFrameRejected(it)) return it
      events.push(
        trade({
          venue: name,
          product: it.coin,
          price: it.px,
          size: it.sz,
          side: takerSide[it.side],
          tradeId: Wire.present(it.tid),
          timestamp: Wire.present(it.time)
        })
      )
    }
    return events.length === 0 ? [other({ venue: name, kind: "trades" })] : events
  },
  plan: {
    wanted: [],
    times: [],
    tables: [],
    lists: [["data", ["coin", "side", "px", "sz", "time", "tid"]]],
    pinned,
    build: (members) => {
      const rows = members.lists[0]
      if (rows === undefined || rows.length === 0) return undefined
      const events: Array<MarketEvent> = []
      for (const row of rows) {
        const coin = Layout.text(row, 0)
        const side = Layout.text(row, 1)
        const price = Layout.decimal(row, 2)
        const size = Layout.decimal(row, 3)
        const time = millisOf(Layout.text(row, 4))
        const tradeId = Layout.text(row, 5)
        if (!coin || !price || !size || time === null || tradeId === "" || (side !== "A" && side !== "B")) {
          return undefined
        }
        events.push(trade({ venue: name, product: coin, price, size, side: takerSide[side], tradeId, timestamp: time }))
      }
      return events
    }
  }
}

// --- l2Book ------------------------------------------------------------------

/** `[bids, asks]`, each of `{px, sz, n}`. */
const Sides = Wire.rows<readonly [bids: ReadonlyArray<Level>, asks: ReadonlyArray<Level>]>((sides) => {
  const read: Array<ReadonlyArray<Level>> = []
  for (let side = 0; side < 2; side++) {
    const rows = sides[side]
    if (!Array.isArray(rows)) return new Wire.BadCell([side], side < sides.length ? "array" : undefined)
    const levels = Wire.levelsOf(rows, "px", "sz")
    if (levels instanceof Wire.BadCell) return new Wire.BadCell([side, ...levels.path], levels.expected)
    read.push(levels)
  }
  return [read[0] ?? [], read[1] ?? []]
})

const readBook = Wire.reader({
  coin: Schema.NonEmptyString,
  time: Wire.optional(Wire.Millis),
  levels: Sides
})

/** The levels that the objects of a list are, or `undefined` where one is none. */
const levelsIn = (rows: ReadonlyArray<Layout.Captured> | undefined): ReadonlyArray<Level> | undefined => {
  if (rows === undefined) return undefined
  const levels: Array<Level> = []
  for (const row of rows) {
    const price = Layout.decimal(row, 0)
    const size = Layout.decimal(row, 1)
    if (!price || !size) return undefined
    levels.push([price, size])
  }
  return levels
}

const book: Kind = {
  read: (frame) => {
    const { data } = frame
    if (data === undefined || !ExactJson.isObject(data)) return Rejection.unexpected(name, ["data"], "an object", data)
    const it = readBook(name, data, ["data"])
    if (isFrameRejected(it)) return it
    return [
      bookSnapshot({
        venue: name,
        product: it.coin,
        bids: it.levels[0],
        asks: it.levels[1],
        timestamp: Wire.present(it.time)
      })
    ]
  },
  plan: {
    wanted: ["data.coin", "data.time"],
    times: [],
    tables: [],
    lists: [["data.levels[0]", ["px", "sz"]], ["data.levels[1]", ["px", "sz"]]],
    pinned,
    build: (members) => {
      const coin = Layout.text(members, 0)
      const time = millisOf(Layout.text(members, 1))
      const bids = levelsIn(members.lists[0])
      const asks = levelsIn(members.lists[1])
      if (!coin || time === null || bids === undefined || asks === undefined) return undefined
      return [bookSnapshot({ venue: name, product: coin, bids, asks, timestamp: time })]
    }
  }
}

// --- bbo ---------------------------------------------------------------------

/** `[bid, ask]`, each `{px, sz, n}` or `null`. */
const Quotes = Wire.rows<readonly [bid: Level | undefined, ask: Level | undefined]>((quotes) => {
  const read: Array<Level | undefined> = []
  for (let side = 0; side < 2; side++) {
    if (side >= quotes.length) return new Wire.BadCell([side], undefined)
    const quote = quotes[side] === null ? undefined : Wire.level(quotes[side], side, "px", "sz")
    if (quote instanceof Wire.BadCell) return quote
    read.push(quote)
  }
  return [read[0], read[1]]
})

const readQuotes = Wire.reader({
  coin: Schema.NonEmptyString,
  time: Wire.optional(Wire.Millis),
  bbo: Quotes
})

const bbo: Kind = {
  read: (frame) => {
    const { data } = frame
    if (data === undefined || !ExactJson.isObject(data)) return Rejection.unexpected(name, ["data"], "an object", data)
    const it = readQuotes(name, data, ["data"])
    if (isFrameRejected(it)) return it
    const [bid, ask] = it.bbo
    return [
      ticker({
        venue: name,
        product: it.coin,
        bid: bid?.[0],
        bidSize: bid?.[1],
        ask: ask?.[0],
        askSize: ask?.[1],
        timestamp: Wire.present(it.time)
      })
    ]
  },
  plan: {
    wanted: ["data.coin", "data.time", "data.bbo[0].px", "data.bbo[0].sz", "data.bbo[1].px", "data.bbo[1].sz"],
    times: [],
    tables: [],
    pinned,
    build: (members) => {
      const coin = Layout.text(members, 0)
      const time = millisOf(Layout.text(members, 1))
      const bid = Layout.decimal(members, 2)
      const bidSize = Layout.decimal(members, 3)
      const ask = Layout.decimal(members, 4)
      const askSize = Layout.decimal(members, 5)
      if (!coin || time === null || bid === null || bidSize === null || ask === null || askSize === null) {
        return undefined
      }
      return [ticker({ venue: name, product: coin, bid, bidSize, ask, askSize, timestamp: time })]
    }
  }
}

// --- allMids -----------------------------------------------------------------

/**
 * A price for each coin: `data.mids`, or the prices themselves where `data` or
 * the frame holds them, as the HTTP API and older frames have it.
 */
const mids: Kind = {
  read: (frame) => {
    const data = frame["data"] ?? frame
    if (!ExactJson.isObject(data)) return Rejection.unexpected(name, ["data"], "an object", data)
    const at = data === frame ? [] : ["data"]
    const inner = data["mids"]
    if (data === frame && inner === undefined) return Rejection.unexpected(name, ["data"], "an object", frame["data"])
    const prices = inner ?? data
    const path = inner === undefined ? at : [...at, "mids"]
    if (!ExactJson.isObject(prices)) return Rejection.unexpected(name, path, "an object", prices)
    const events: Array<MarketEvent> = []
    for (const [coin, text] of ExactJson.entries(prices)) {
      // A coin without a price has none to give.
      if (text === null) continue
      const price = typeof text === "string" ? Decimal.parse(text) : undefined
      if (price === undefined) return Rejection.unexpected(name, [...path, coin], "a decimal", text)
      events.push(priceUpdate({ venue: name, product: coin, price }))
    }
    return events.length === 0 ? [other({ venue: name, kind: "allMids" })] : events
  },
  // A frame has hundreds of coins, which come and go.
  plan: undefined
}

const closing = 125
const comma = 44

/** Reads `{"channel":"allMids","data":{"mids":{…}}}`; `undefined` where the exact way must. */
const scanMids = (scanner: Scanner.Scanner, frame: string): Events | undefined => {
  scanner.begin(frame)
  if (!scanner.word("{\"channel\":\"allMids\",\"data\":{\"mids\":{")) return undefined
  const events: Array<MarketEvent> = []
  const coins = new Set<string>()
  for (;;) {
    if (!scanner.string()) return undefined
    const coin = scanner.slice()
    const first = coin.charCodeAt(0)
    // An object's order is that of its members, but for names that are numbers.
    if (!(first >= 58 || first < 48)) return undefined
    if (!scanner.word(":")) return undefined
    const price = scanner.decimal()
    if (price === undefined) return undefined
    coins.add(coin)
    events.push(priceUpdate({ venue: name, product: coin, price }))
    if (scanner.code(comma)) continue
    // Of members with the same name the last counts.
    return scanner.code(closing) && scanner.word("}}") && scanner.isAtEnd() && coins.size === events.length
      ? events
      : undefined
  }
}

// --- answers -----------------------------------------------------------------

const readSubscription = Wire.reader({
  type: Wire.optional(Schema.NonEmptyString),
  coin: Wire.optional(Schema.NonEmptyString)
})

/** `data` repeats the request: its `method` and its `subscription`. */
const subscriptionResponse: Kind = {
  read: (frame) => {
    const { data } = frame
    if (data === undefined || !ExactJson.isObject(data)) return Rejection.unexpected(name, ["data"], "an object", data)
    const { method, subscription = null } = data
    if (method !== "subscribe" && method !== "unsubscribe") {
      return [other({ venue: name, kind: "subscriptionResponse" })]
    }
    const confirm = method === "subscribe" ? subscribed : unsubscribed
    if (subscription === null) return [confirm({ venue: name })]
    const at = ["data", "subscription"]
    if (!ExactJson.isObject(subscription)) return Rejection.unexpected(name, at, "an object", subscription)
    const it = readSubscription(name, subscription, at)
    if (isFrameRejected(it)) return it
    return [confirm({ venue: name, channel: Wire.present(it.type), product: Wire.present(it.coin) })]
  },
  plan: undefined
}

const venueError = (data: ExactJson.Json | undefined, requestId: string | undefined): VenueError => {
  const message = data === undefined || data === null || data === ""
    ? undefined
    : typeof data === "string"
    ? data
    : JSON.stringify(Wire.plain(data))
  return new VenueError({
    venue: name,
    ...(message === undefined ? {} : { message }),
    ...(requestId === undefined ? {} : { requestId })
  })
}

/** `{"channel":"error","data":"Invalid subscription …"}`: the refused request is quoted in the words, if at all. */
const error: Kind = { read: (frame) => [venueError(frame["data"], undefined)], plan: undefined }

/**
 * The answer to a request that is posted over the socket: an error carries the id of its request.
 * https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/post-requests (read 2026-11-21)
 */
const post: Kind = {
  read: (frame) => {
    const data = frame["data"] ?? null
    const response = ExactJson.isObject(data) ? data["response"] ?? null : null
    if (!ExactJson.isObject(data) || !ExactJson.isObject(response) || response["type"] !== "error") {
      return [other({ venue: name, kind: "post" })]
    }
    const { id } = data
    const requestId = id instanceof ExactJson.JsonNumber
      ? id.text
      : typeof id === "string" && id !== ""
      ? id
      : undefined
    return [venueError(response["payload"], requestId)]
  },
  plan: undefined
}

const fixed = (event: MarketEvent): Kind => ({ read: () => [event], plan: undefined })

const kinds: ReadonlyMap<string, Kind> = new Map([
  ["trades", trades],
  ["l2Book", book],
  ["bbo", bbo],
  ["allMids", mids],
  ["subscriptionResponse", subscriptionResponse],
  ["error", error],
  ["post", post],
  ["pong", fixed(heartbeat({ venue: name, kind: "pong" }))]
])

/**
 * What the server says to every connection, in plain text; the venue's own clients pass over it.
 *
 * @see https://github.com/hyperliquid-dex/hyperliquid-python-sdk/blob/master/hyperliquid/websocket_manager.py (read 2026-11-25)
 */
const greeting = "Websocket connection established."

const greeted: Events = [other({ venue: name, kind: "greeting" })]

const makeDecode = (): Decode => {
  const layouts = Layout.make<Events>()
  const scanner = Scanner.make()
  return (frame) => {
    if (typeof frame !== "string") return Rejection.binary(name, frame)
    const known = layouts.read(frame) ?? scanMids(scanner, frame)
    if (known !== undefined) return known
    const json = ExactJson.parse(frame)
    if (json instanceof ExactJson.Malformed) {
      return frame === greeting ? greeted : Rejection.malformed(name, frame, json)
    }
    if (!ExactJson.isObject(json)) return Rejection.notAnObject(name, json)
    if (!Object.hasOwn(json, "channel")) return Rejection.unknownMessage(name, "channel")
    const { channel } = json
    if (typeof channel !== "string" || channel === "") {
      return Rejection.unexpected(name, ["channel"], "a non-empty string", channel)
    }
    const kind = kinds.get(channel) ?? fixed(other({ venue: name, kind: channel }))
    const events = kind.read(json)
    if (kind.plan !== undefined && !isFrameRejected(events)) layouts.learn(frame, json, kind.plan)
    return events
  }
}

// --- subscribing -------------------------------------------------------------

const refusedSubscription = /^(?:Invalid subscription|Already (?:un)?subscribed:) (\{.*\})$/s

/** The subscription that an error quotes: `Invalid subscription {"type":"trades","coin":"NOSUCH"}`. */
const refused = (frame: Frame): Partial<Channel> | undefined => {
  const json = Topics.objectOf(frame)
  const words = Topics.textIn(json, "channel") === "error" ? Topics.textIn(json, "data") : undefined
  const subscription = Topics.objectOf(refusedSubscription.exec(words ?? "")?.[1] ?? "")
  if (subscription === undefined) return undefined
  const it = readSubscription(name, subscription)
  if (isFrameRejected(it) || !it.type) return undefined
  return it.coin ? { channel: it.type, product: it.coin } : { channel: it.type }
}

/** The channels that are of all coins at once. */
const ofAllCoins = new Set(["allMids"])

/** A coin of the spot market has a channel of its own name for one that is asked for by the other's. */
const topics = ({ channel, product }: Channel): ReadonlyArray<Topic> =>
  channel === "activeAssetCtx"
    ? [{ name: channel, product }, { name: "activeSpotAssetCtx", product }]
    : [{ name: channel, product }]

/** The channels whose events are theirs alone. */
const ofTag: Readonly<Partial<Record<MarketEvent["_tag"], Topic>>> = {
  Trade: { name: "trades" },
  Ticker: { name: "bbo" },
  BookSnapshot: { name: "l2Book" },
  PriceUpdate: { name: "allMids" }
}

/** A candle names its coin `s`. */
const topicOf = (frame: Frame, events: ReadonlyArray<MarketEvent>): Topic | undefined => {
  const event = events[0]
  if (event?._tag !== "Other") return event === undefined ? undefined : ofTag[event._tag]
  const json = Topics.objectOf(frame)
  const name = Topics.textIn(json, "channel")
  const data = Topics.objectIn(json, "data")
  return name === undefined ? undefined : { name, product: Topics.textIn(data, "coin") ?? Topics.textIn(data, "s") }
}

/** One frame a subscription: the venue has no batches. */
const request = (method: "subscribe" | "unsubscribe", channels: ReadonlyArray<Channel>): ReadonlyArray<Ask> => {
  const asks = new Map<string, Array<Channel>>()
  for (const channel of channels) {
    const { channel: type, product } = channel
    const subscription = product === undefined || ofAllCoins.has(type) ? { type } : { type, coin: product }
    const text = JSON.stringify({ method, subscription })
    const same = asks.get(text)
    if (same === undefined) asks.set(text, [channel])
    else same.push(channel)
  }
  return Array.from(asks, ([text, channels]) => ({ text, channels, requestId: undefined }))
}

const limitsSource = "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/" +
  "rate-limits-and-user-limits, read 2026-11-21"

/**
 * Makes the venue anew, with no layout learned. `venue` is one for all to share.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Venue => ({
  name,
  title: "Hyperliquid",
  // https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket (read 2026-11-21)
  endpoint: "wss://api.hyperliquid.xyz/ws",
  documentation: "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket",
  prices: "string",
  continuity: "snapshots",
  heartbeat: "ping message, answered by pong; 60 s without a message end the connection",
  keepAlive: {
    _tag: "Application",
    // The server ends a connection to which it has sent nothing for 60 s; a pong counts.
    // https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/timeouts-and-heartbeats (2026-11-21)
    everyMillis: 30_000,
    ping: () => "{\"method\":\"ping\"}",
    isPong: (event) => event._tag === "Heartbeat" && event.kind === "pong"
  },
  limits: "per IP: 10 connections, 30 new ones/min, 1000 subscriptions, 2000 messages/min",
  rates: [
    { of: "dials", per: "address", limit: 10, windowMillis: undefined, source: limitsSource },
    { of: "dials", per: "address", limit: 30, windowMillis: 60_000, source: limitsSource },
    { of: "subscriptions", per: "address", limit: 1_000, windowMillis: undefined, source: limitsSource },
    { of: "messages", per: "address", limit: 2_000, windowMillis: 60_000, source: limitsSource }
  ],
  sessionMillis: undefined,
  channels: { trade: "trades", ticker: "bbo", book: "l2Book" },
  wholeChannels: ofAllCoins,
  subscribe: (channels) => request("subscribe", channels),
  unsubscribe: (channels) => request("unsubscribe", channels),
  decode: Wire.bounded(name, makeDecode()),
  topics,
  topicOf,
  isQuiet: (channel) => channel === "trades" || /^(?:user|order|notification|webData)/.test(channel),
  refused
})

/**
 * Hyperliquid.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = make()
