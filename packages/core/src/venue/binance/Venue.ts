/**
 * Binance spot, the public market data streams, combined and bare. Frames of
 * the futures' streams, which hold a little more, are read as well.
 *
 * Prices and quantities are JSON strings; ids and times are JSON numbers. A
 * message names its kind by `e`, but for two: a book ticker and a partial book,
 * which are known by members that only they have.
 *
 * @see https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (read 2026-11-21)
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as Layout from "../../codec/internal/layout.ts"
import * as Topics from "../../codec/internal/topics.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { type FrameRejected, frameRejected, isFrameRejected } from "../../codec/Rejection.ts"
import { bookDelta, bookSnapshot, type Side, ticker, trade } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { other, Response, VenueError } from "../../event/VenueMessage.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"
import * as Decimal from "../../value/Decimal.ts"
import type { Ask, Decode, Topic, Venue } from "../Venue.ts"
import * as Wire from "../Wire.ts"

const name = "binance"

type Events = ReadonlyArray<MarketEvent>

/** Where a message stands in its frame: `["data"]` in a combined stream, `[3]` in an array. */
type Path = ReadonlyArray<PropertyKey>

/** One kind of message: how it is read exactly, and how fast, bare and as the `data` of a combined stream. */
interface Kind {
  readonly read: (
    message: ExactJson.JsonObject,
    at: Path,
    stream: string | undefined
  ) => MarketEvent | FrameRejected
  readonly bare: Layout.Plan<Events>
  readonly combined: Layout.Plan<Events>
}

/** The plan of a kind that is the same bare and combined, of the members' names in the message. */
const plans = (
  wanted: ReadonlyArray<string>,
  times: ReadonlyArray<string>,
  books: ReadonlyArray<string>,
  build: Layout.Plan<Events>["build"]
): Pick<Kind, "bare" | "combined"> => {
  const plan = (prefix: string): Layout.Plan<Events> => {
    const path = (member: string): string => prefix + member
    return {
      wanted: wanted.map(path),
      times: times.map(path),
      tables: [],
      books: books.map(path),
      pinned: [path("e")],
      build
    }
  }
  return { bare: plan(""), combined: plan("data.") }
}

/** An identifier may be absent, but not empty: `null` where it is. */
const identifier = (members: Layout.Captured, wanted: number): string | undefined | null => {
  const text = Layout.text(members, wanted)
  return text === "" ? null : text
}

// --- trade, aggTrade ---------------------------------------------------------

const tradeMembers = {
  s: Schema.NonEmptyString,
  p: Decimal.FromText,
  q: Decimal.FromText,
  T: Wire.optional(Wire.TimestampText),
  m: Schema.Boolean,
  X: Wire.optional(Schema.String)
}
/**
 * Why the futures say that a trade was made, where it was not on the market: their insurance fund took a position
 * over, positions were reduced by force, or nothing was traded at all. Their aggregates leave these out.
 *
 * @see https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/Aggregate-Trade-Streams (read 2026-11-25)
 * @see https://github.com/QuantConnect/Lean.Brokerages.Binance/issues/28 (read 2026-11-25)
 */
const offMarket = new Set<string | null | undefined>(["INSURANCE_FUND", "ADL", "NA"])

const readTrade = Wire.reader({ ...tradeMembers, t: Wire.optional(Wire.Id) })
const readAggregate = Wire.reader({ ...tradeMembers, a: Wire.optional(Wire.Id) })

/** `m` says that the buyer is the maker: then the taker sells. The time is the trade's, `T`. */
const takerSide = (buyerMade: boolean): Side => buyerMade ? "sell" : "buy"

const tradePlans = (id: "t" | "a"): Pick<Kind, "bare" | "combined"> =>
  plans(["s", id, "p", "q", "T", "m", "X"], ["T"], [], (members) => {
    const product = Layout.text(members, 0)
    const tradeId = identifier(members, 1)
    const price = Layout.decimal(members, 2)
    const size = Layout.decimal(members, 3)
    const time = Layout.timestamp(members, 4)
    const buyerMade = Layout.text(members, 5)
    if (!product || tradeId === null || !price || !size || time === null || buyerMade === undefined) return undefined
    if (offMarket.has(Layout.text(members, 6))) return undefined
    return [
      trade({ venue: name, product, price, size, side: takerSide(buyerMade === "true"), tradeId, timestamp: time })
    ]
  })

const tradeKind: Kind = {
  read: (message, at) => {
    const it = readTrade(name, message, at)
    if (isFrameRejected(it)) return it
    const { m, p, q, s, t, T, X } = it
    if (offMarket.has(X)) return other({ venue: name, kind: "trade" })
    return trade({
      venue: name,
      product: s,
      price: p,
      size: q,
      side: takerSide(m),
      tradeId: Wire.present(t),
      timestamp: Wire.present(T)
    })
  },
  ...tradePlans("t")
}

/** The trades of one taker's order at one price. */
const aggregate: Kind = {
  read: (message, at) => {
    const it = readAggregate(name, message, at)
    if (isFrameRejected(it)) return it
    const { a, m, p, q, s, T, X } = it
    if (offMarket.has(X)) return other({ venue: name, kind: "aggTrade" })
    return trade({
      venue: name,
      product: s,
      price: p,
      size: q,
      side: takerSide(m),
      tradeId: Wire.present(a),
      timestamp: Wire.present(T)
    })
  },
  ...tradePlans("a")
}

// --- 24hrTicker --------------------------------------------------------------

const readTicker = Wire.reader({
  s: Schema.NonEmptyString,
  c: Wire.OptionalDecimal,
  b: Wire.OptionalDecimal,
  B: Wire.OptionalDecimal,
  a: Wire.OptionalDecimal,
  A: Wire.OptionalDecimal,
  v: Wire.OptionalDecimal,
  E: Wire.optional(Wire.TimestampText)
})

/** `c` is the last price, `v` the volume of 24 hours in the base currency. The futures' tickers have no quotes. */
const tickerKind: Kind = {
  read: (message, at) => {
    const it = readTicker(name, message, at)
    if (isFrameRejected(it)) return it
    if (!Wire.hasAny(message, "c", "b", "a")) {
      const field = Rejection.formatPath([...at, "c"])
      return frameRejected(name, "MissingField", field, `${field} is missing, and so are b and a`)
    }
    return ticker({
      venue: name,
      product: it.s,
      price: Wire.presentDecimal(it.c),
      bid: Wire.presentDecimal(it.b),
      bidSize: Wire.presentDecimal(it.B),
      ask: Wire.presentDecimal(it.a),
      askSize: Wire.presentDecimal(it.A),
      volume: Wire.presentDecimal(it.v),
      timestamp: Wire.present(it.E)
    })
  },
  ...plans(["s", "c", "b", "B", "a", "A", "v", "E"], ["E"], [], (members) => {
    const product = Layout.text(members, 0)
    const price = Layout.decimal(members, 1)
    const bid = Layout.decimal(members, 2)
    const bidSize = Layout.decimal(members, 3)
    const ask = Layout.decimal(members, 4)
    const askSize = Layout.decimal(members, 5)
    const volume = Layout.decimal(members, 6)
    const time = Layout.timestamp(members, 7)
    if (
      !product || price === null || bid === null || bidSize === null || ask === null || askSize === null ||
      volume === null || time === null || (price === undefined && bid === undefined && ask === undefined)
    ) {
      return undefined
    }
    return [ticker({ venue: name, product, price, bid, bidSize, ask, askSize, volume, timestamp: time })]
  })
}

// --- bookTicker --------------------------------------------------------------

const readBookTicker = Wire.reader({
  u: Wire.optional(Wire.Id),
  s: Schema.NonEmptyString,
  b: Wire.OptionalDecimal,
  B: Wire.OptionalDecimal,
  a: Wire.OptionalDecimal,
  A: Wire.OptionalDecimal,
  T: Wire.optional(Wire.TimestampText)
})

/** The best quotes, at the book's update `u`. Spot sends no time, the futures `T`. */
const bookTicker: Kind = {
  read: (message, at) => {
    const it = readBookTicker(name, message, at)
    if (isFrameRejected(it)) return it
    if (!Wire.hasAny(message, "b", "a")) {
      const field = Rejection.formatPath([...at, "b"])
      return frameRejected(name, "MissingField", field, `${field} is missing, and so is a`)
    }
    return ticker({
      venue: name,
      product: it.s,
      bid: Wire.presentDecimal(it.b),
      bidSize: Wire.presentDecimal(it.B),
      ask: Wire.presentDecimal(it.a),
      askSize: Wire.presentDecimal(it.A),
      timestamp: Wire.present(it.T),
      sequence: Wire.present(it.u)
    })
  },
  ...plans(["u", "s", "b", "B", "a", "A", "T"], ["T"], [], (members) => {
    const sequence = identifier(members, 0)
    const product = Layout.text(members, 1)
    const bid = Layout.decimal(members, 2)
    const bidSize = Layout.decimal(members, 3)
    const ask = Layout.decimal(members, 4)
    const askSize = Layout.decimal(members, 5)
    const time = Layout.timestamp(members, 6)
    if (
      !product || sequence === null || bid === null || bidSize === null || ask === null || askSize === null ||
      time === null || (bid === undefined && ask === undefined)
    ) {
      return undefined
    }
    return [ticker({ venue: name, product, bid, bidSize, ask, askSize, timestamp: time, sequence })]
  })
}

// --- depthUpdate -------------------------------------------------------------

const readUpdate = Wire.reader({
  s: Schema.NonEmptyString,
  E: Wire.optional(Wire.TimestampText),
  U: Wire.optional(Wire.Id),
  u: Wire.optional(Wire.Id),
  pu: Wire.optional(Wire.Id),
  b: Wire.Levels,
  a: Wire.Levels
})

/** The book's updates from `U` to `u`; the futures name the update before them, `pu`. A quantity of zero removes. */
const update: Kind = {
  read: (message, at) => {
    const it = readUpdate(name, message, at)
    if (isFrameRejected(it)) return it
    return bookDelta({
      venue: name,
      product: it.s,
      bids: it.b,
      asks: it.a,
      timestamp: Wire.present(it.E),
      firstSequence: Wire.present(it.U),
      sequence: Wire.present(it.u),
      previousSequence: Wire.present(it.pu)
    })
  },
  ...plans(["s", "E", "U", "u", "pu"], ["E"], ["b", "a"], (members) => {
    const product = Layout.text(members, 0)
    const time = Layout.timestamp(members, 1)
    const first = identifier(members, 2)
    const last = identifier(members, 3)
    const previous = identifier(members, 4)
    const [bids, asks] = members.books
    if (
      !product || time === null || first === null || last === null || previous === null || bids === undefined ||
      asks === undefined
    ) {
      return undefined
    }
    return [
      bookDelta({
        venue: name,
        product,
        bids,
        asks,
        timestamp: time,
        firstSequence: first,
        sequence: last,
        previousSequence: previous
      })
    ]
  })
}

// --- partial book ------------------------------------------------------------

/**
 * The product that a stream's name begins with, in the venue's own upper case: `BTCUSDT` of `btcusdt@depth5@100ms`. A
 * stream of all products names none.
 */
const productOf = (stream: string | undefined): string | undefined => {
  if (stream === undefined || stream.startsWith("!")) return undefined
  const at = stream.indexOf("@")
  const product = at < 0 ? stream : stream.slice(0, at)
  return product === "" ? undefined : product.toUpperCase()
}

const readPartial = Wire.reader({
  lastUpdateId: Wire.optional(Wire.Id),
  bids: Wire.Levels,
  asks: Wire.Levels
})

const partialPlan = (prefix: string): Layout.Plan<Events> => ({
  wanted: [`${prefix}lastUpdateId`, "stream"],
  times: [],
  tables: [],
  books: [`${prefix}bids`, `${prefix}asks`],
  pinned: [],
  build: (members) => {
    const sequence = identifier(members, 0)
    const product = productOf(Layout.text(members, 1))
    const [bids, asks] = members.books
    if (sequence === null || bids === undefined || asks === undefined) return undefined
    return [bookSnapshot({ venue: name, product, bids, asks, sequence })]
  }
})

/** The top of a book, whole each time. It names neither its product nor its time: only its stream does the former. */
const partial: Kind = {
  read: (message, at, stream) => {
    const it = readPartial(name, message, at)
    if (isFrameRejected(it)) return it
    return bookSnapshot({
      venue: name,
      product: productOf(stream),
      bids: it.bids,
      asks: it.asks,
      sequence: Wire.present(it.lastUpdateId)
    })
  },
  bare: partialPlan(""),
  combined: partialPlan("data.")
}

const kinds: ReadonlyMap<string, Kind> = new Map([
  ["trade", tradeKind],
  ["aggTrade", aggregate],
  ["24hrTicker", tickerKind],
  ["bookTicker", bookTicker],
  ["depthUpdate", update]
])

/** The kinds of the messages without `e`, by the members that only they have. */
const unnamed = (message: ExactJson.JsonObject): Kind | undefined => {
  const has = (member: string): boolean => Object.hasOwn(message, member)
  if (has("lastUpdateId") || has("bids") || has("asks")) return partial
  return has("u") && (has("B") || has("A")) ? bookTicker : undefined
}

/** What a stream is of: `depth5` of `btcusdt@depth5@100ms`, `ticker` of `!ticker@arr`. */
const subjectOf = (stream: string): string =>
  (stream.startsWith("!") ? stream.slice(1).split("@", 1)[0] : stream.split("@", 2)[1]) ?? ""

/** The streams whose messages do without `e`; of the others that have events they never do. */
const subjects: ReadonlyMap<string, Kind | "named"> = new Map<string, Kind | "named">([
  ["bookTicker", bookTicker],
  ["depth5", partial],
  ["depth10", partial],
  ["depth20", partial],
  ["trade", "named"],
  ["aggTrade", "named"],
  ["ticker", "named"],
  ["depth", "named"]
])

// --- answers and errors ------------------------------------------------------

/** An id is a whole number, a text, or `null`; errors before the id was read have none. */
const RequestId = Wire.optional(Schema.Union([Wire.Id, Schema.Literal("")]))

const readResponse = Wire.reader({ id: RequestId })

const readError = Wire.reader({
  code: Wire.optional(Wire.Id),
  msg: Wire.optional(Schema.String)
})

const requestIdOf = (id: string | null | undefined): { readonly requestId?: string } => id ? { requestId: id } : {}

/** The venue has errors in two shapes, `{"code":…,"msg":…,"id":…}` and `{"error":{"code":…,"msg":…},"id":…}`. */
const error = (frame: ExactJson.JsonObject): MarketEvent | FrameRejected => {
  const response = readResponse(name, frame)
  if (isFrameRejected(response)) return response
  const body = Object.hasOwn(frame, "error") ? frame["error"] : frame
  if (typeof body === "string") return new VenueError({ venue: name, message: body, ...requestIdOf(response.id) })
  if (body === undefined || !ExactJson.isObject(body)) return Rejection.unexpected(name, ["error"], "an object", body)
  const it = readError(name, body, body === frame ? [] : ["error"])
  if (isFrameRejected(it)) return it
  const code = Wire.present(it.code)
  const message = Wire.present(it.msg)
  return new VenueError({
    venue: name,
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
    ...requestIdOf(response.id)
  })
}

const response = (frame: ExactJson.JsonObject): MarketEvent | FrameRejected => {
  const it = readResponse(name, frame)
  if (isFrameRejected(it)) return it
  return new Response({ venue: name, ...requestIdOf(it.id), result: Wire.plain(frame["result"] ?? null) })
}

/** What answers a request has one of these members, and no `e`. */
const answer = (frame: ExactJson.JsonObject): MarketEvent | FrameRejected | undefined => {
  if (Object.hasOwn(frame, "error") && frame["error"] !== null) return error(frame)
  if (Object.hasOwn(frame, "result")) return response(frame)
  if (Object.hasOwn(frame, "code") || Object.hasOwn(frame, "msg")) return error(frame)
  return undefined
}

// --- frames ------------------------------------------------------------------

/** The kind that a message names by `e`; `undefined` where it has none. */
const kindOf = (message: ExactJson.JsonObject, at: Path): string | FrameRejected | undefined => {
  if (!Object.hasOwn(message, "e")) return undefined
  const kind = message["e"]
  if (typeof kind === "string" && kind !== "") return kind
  return Rejection.unexpected(name, [...at, "e"], "a non-empty string", kind)
}

interface Read {
  readonly event: MarketEvent | FrameRejected
  readonly kind: Kind | undefined
}

/** Reads one message: the whole of a frame, or one that a combined stream or an array holds. */
const readMessage = (message: ExactJson.JsonObject, at: Path, stream: string | undefined): Read => {
  const named = kindOf(message, at)
  if (isFrameRejected(named)) return { event: named, kind: undefined }
  const kind = named === undefined ? unnamed(message) : kinds.get(named)
  if (kind !== undefined) return { event: kind.read(message, at, stream), kind }
  if (named !== undefined || stream === undefined) {
    return { event: other({ venue: name, kind: named ?? "message" }), kind: undefined }
  }
  const subject = subjects.get(subjectOf(stream))
  const event = subject === undefined
    ? other({ venue: name, kind: stream || "stream" })
    : subject === "named"
    ? Rejection.unexpected(name, [...at, "e"], "a string", undefined)
    : subject.read(message, at, stream)
  return { event, kind: undefined }
}

/** A message of the private streams comes with the number of its subscription. */
const readPrivate = (frame: ExactJson.JsonObject): MarketEvent | undefined => {
  const event = Object.hasOwn(frame, "event") ? frame["event"] : undefined
  if (event === undefined || !ExactJson.isObject(event)) return undefined
  const kind = Object.hasOwn(event, "e") ? event["e"] : undefined
  return other({ venue: name, kind: typeof kind === "string" && kind !== "" ? kind : "event" })
}

/** Reads an array, of which each element is a message or a combined stream's frame. */
const readArray = (
  messages: ReadonlyArray<ExactJson.Json>,
  at: Path,
  read: (message: ExactJson.JsonObject, at: Path) => Events | FrameRejected
): Events | FrameRejected => {
  const events: Array<MarketEvent> = []
  for (const [index, message] of messages.entries()) {
    if (!ExactJson.isObject(message)) return Rejection.unexpected(name, [...at, index], "an object", message)
    const result = read(message, [...at, index])
    if (isFrameRejected(result)) return result
    for (const event of result) events.push(event)
  }
  return events
}

const one = (event: MarketEvent | FrameRejected): Events | FrameRejected => isFrameRejected(event) ? event : [event]

type Learn = (kind: Kind, combined: boolean) => void

/** A combined stream's `{"stream":…,"data":…}`, whose data is a message or an array of them. */
const readCombined = (frame: ExactJson.JsonObject, at: Path, learn: Learn): Events | FrameRejected => {
  const stream = frame["stream"]
  if (typeof stream !== "string") return Rejection.unexpected(name, [...at, "stream"], "a string", stream)
  const data = Object.hasOwn(frame, "data") ? frame["data"] : undefined
  const path = [...at, "data"]
  if (data === undefined) return Rejection.unexpected(name, path, "an object", undefined)
  if (Array.isArray(data)) {
    if (data.length === 0) return [other({ venue: name, kind: stream || "stream" })]
    return readArray(data, path, (message, at) => one(readMessage(message, at, stream).event))
  }
  if (!ExactJson.isObject(data)) return Rejection.unexpected(name, path, "an object", data)
  const { event, kind } = readMessage(data, path, stream)
  if (isFrameRejected(event)) return event
  if (kind !== undefined) learn(kind, true)
  return [event]
}

/** An object that is a frame of its own, or an element of an array of frames: then it answers no request. */
const readObject = (frame: ExactJson.JsonObject, at: Path, learn: Learn): Events | FrameRejected => {
  if (Object.hasOwn(frame, "stream")) return readCombined(frame, at, learn)
  if (!Object.hasOwn(frame, "e")) {
    const answered = at.length === 0 ? answer(frame) : undefined
    if (answered !== undefined) return one(answered)
    if (unnamed(frame) === undefined) {
      const event = readPrivate(frame)
      return event === undefined ? Rejection.unknownMessage(name, "e") : [event]
    }
  }
  const { event, kind } = readMessage(frame, at, undefined)
  if (isFrameRejected(event)) return event
  if (kind !== undefined) learn(kind, false)
  return [event]
}

const learnNothing: Learn = () => {}

const makeDecode = (): Decode => {
  const layouts = Layout.make<Events>()
  return (frame) => {
    if (typeof frame !== "string") return Rejection.binary(name, frame)
    const known = layouts.read(frame)
    if (known !== undefined) return known
    const json = ExactJson.parse(frame)
    if (json instanceof ExactJson.Malformed) return Rejection.malformed(name, frame, json)
    if (ExactJson.isObject(json)) {
      return readObject(json, [], (kind, combined) => layouts.learn(frame, json, combined ? kind.combined : kind.bare))
    }
    if (!Array.isArray(json) || json.some((message) => !ExactJson.isObject(message))) {
      return Rejection.notAnObject(name, json)
    }
    // An array of the tickers that changed, when none did.
    if (json.length === 0) return [other({ venue: name, kind: "array" })]
    return readArray(json, [], (message, at) => readObject(message, at, learnNothing))
  }
}

// --- subscribing -------------------------------------------------------------

/**
 * A request that is longer is never answered: the server reads 4,096 bytes, the
 * frame's header of 8 included.
 *
 * @see https://github.com/binance/binance-connector-rust/issues/27 (read 2026-11-21)
 */
const maxRequestBytes = 4_088

/** No fewer bytes than the text takes in UTF-8. */
const bytesOf = (text: string): number => {
  let bytes = text.length
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) bytes += 2
  return bytes
}

/**
 * A stream's name: the product in small letters, then the channel. A channel
 * without a product is the whole name, such as `!ticker@arr` or `btcusdt@trade`.
 */
const streamOf = ({ channel, product }: Channel): string => {
  if (product !== undefined) return `${product.toLowerCase()}@${channel}`
  return channel.startsWith("!") ? channel : channel.replace(/^[^@]+(?=@)/, (product) => product.toLowerCase())
}

/** The kinds that are not named as their streams are. */
const kindOfStream: ReadonlyMap<string, string> = new Map([
  ["ticker", "24hrTicker"],
  ["miniTicker", "24hrMiniTicker"],
  ["depth", "depthUpdate"],
  ["depth5", "partial"],
  ["depth10", "partial"],
  ["depth20", "partial"],
  ["markPrice", "markPriceUpdate"]
])

/**
 * Its data is known by the stream in a combined frame, and by its kind and
 * product in a bare one, which names no stream.
 */
const topics = (channel: Channel): ReadonlyArray<Topic> => {
  const stream = streamOf(channel)
  const subject = subjectOf(stream)
  const kind = kindOfStream.get(subject) ?? subject
  const product = stream.startsWith("!") || !stream.includes("@") ? undefined : stream.split("@", 1)[0]?.toUpperCase()
  return [{ name: stream }, { name: `bare ${kind}`, product: kind === "partial" ? undefined : product }]
}

/** A kline's interval is part of its stream's name: `kline_1m`. */
const bareTopic = (message: ExactJson.JsonObject | undefined, kind: string | undefined): Topic | undefined => {
  const named = Topics.textIn(message, "e") ?? kind
  if (named === undefined) return undefined
  const interval = Topics.textIn(Topics.objectIn(message, "k"), "i")
  return {
    name: `bare ${interval === undefined ? named : `${named}_${interval}`}`,
    product: Topics.textIn(message, "s")
  }
}

/** The kinds of events whose messages may come without `e`. */
const unnamedKind = (event: MarketEvent): string | undefined =>
  event._tag === "Ticker" ? "bookTicker" : event._tag === "BookSnapshot" ? "partial" : undefined

const isData = ({ _tag }: MarketEvent): boolean => _tag !== "Response" && _tag !== "VenueError"

const topicOf = (frame: Frame, events: ReadonlyArray<MarketEvent>): Topic | undefined => {
  const stream = Topics.textAfter(frame, "{\"stream\":\"")
  if (stream !== undefined) return { name: stream }
  const event = events[0]
  if (event === undefined || typeof frame !== "string" || !isData(event)) return undefined
  const kind = event._tag === "Other" ? undefined : Topics.textAfter(frame, "{\"e\":\"")
  if (kind !== undefined) return { name: `bare ${kind}` }
  const json = ExactJson.parse(frame)
  if (json instanceof ExactJson.Malformed) return undefined
  const message = Array.isArray(json) ? json[0] : json
  if (message === undefined || !ExactJson.isObject(message)) return undefined
  const named = Topics.textIn(message, "stream")
  return named === undefined ? bareTopic(message, unnamedKind(event)) : { name: named }
}

/** What can stand before the `@` of a stream's name. */
const symbol = /^[^@/,"\\]+$/

/** Its data names products in capitals, whatever they are asked for by. */
const normalise = (product: string): Result.Result<string, string> =>
  symbol.test(product)
    ? Result.succeed(product.toUpperCase())
    : Result.fail("a symbol of Binance is written without a mark, such as BTCUSDT")

const request = (
  method: "SUBSCRIBE" | "UNSUBSCRIBE",
  channels: ReadonlyArray<Channel>,
  id: number
): ReadonlyArray<Ask> => {
  const streams = new Map<string, Array<Channel>>()
  for (const channel of channels) {
    const stream = streamOf(channel)
    const same = streams.get(stream)
    if (same === undefined) streams.set(stream, [channel])
    else same.push(channel)
  }
  const asks: Array<Ask> = []
  let params: Array<string> = []
  let asked: Array<Channel> = []
  const overhead = bytesOf(JSON.stringify({ method, params, id: Number.MAX_SAFE_INTEGER }))
  let bytes = overhead
  const flush = (): void => {
    if (params.length === 0) return
    const requestId = id + asks.length
    asks.push({
      text: JSON.stringify({ method, params, id: requestId }),
      channels: asked,
      requestId: String(requestId)
    })
    params = []
    asked = []
    bytes = overhead
  }
  for (const [stream, same] of streams) {
    const added = bytesOf(JSON.stringify(stream)) + 1
    if (bytes + added > maxRequestBytes) flush()
    params.push(stream)
    asked.push(...same)
    bytes += added
  }
  flush()
  return asks
}

const limitsSource =
  "https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams#websocket-limits, read 2026-11-21"

/**
 * Makes the venue anew, with no layout learned. `venue` is one for all to share.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Venue => ({
  name,
  title: "Binance spot",
  // Combined: only there does the frame of a partial book say whose it is.
  endpoint: "wss://stream.binance.com:9443/stream",
  documentation: "https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams",
  prices: "string",
  continuity: "sequence",
  heartbeat: "ping from the server, 20 s",
  keepAlive: { _tag: "Protocol" },
  limits: "5 messages/s per connection, pings and pongs included; 300 connections/5 min per IP; " +
    "1,024 streams per connection; closed after 24 h",
  rates: [
    { of: "messages", per: "connection", limit: 5, windowMillis: 1_000, source: limitsSource },
    { of: "dials", per: "address", limit: 300, windowMillis: 300_000, source: limitsSource },
    { of: "subscriptions", per: "connection", limit: 1_024, windowMillis: undefined, source: limitsSource }
  ],
  sessionMillis: 86_400_000,
  channels: { trade: "trade", ticker: "ticker", book: "depth@100ms" },
  subscribe: (channels, id) => request("SUBSCRIBE", channels, id),
  unsubscribe: (channels, id) => request("UNSUBSCRIBE", channels, id),
  decode: Wire.bounded(name, makeDecode()),
  topics,
  topicOf,
  normalise,
  isQuiet: (channel) => channel === "trade" || channel === "aggTrade"
})

/**
 * Binance spot.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = make()
