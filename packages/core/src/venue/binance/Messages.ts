/**
 * What Binance sends: a message names its kind by `e`, but for two, a book
 * ticker and a partial book, which are known by members that only they have.
 *
 * Each kind comes bare, as the `data` of a combined stream, and in arrays of
 * either.
 *
 * @see https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (read 2026-11-21)
 * @since 0.1.0
 */
import * as Decoder from "../../codec/Decoder.ts"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as Message from "../../codec/Message.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { bookDelta, type BookSnapshot, bookSnapshot, ticker, trade } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { other, response, venueError } from "../../event/VenueMessage.ts"
import type { Venue } from "../Venue.ts"

const venue = "binance"

type Events = ReadonlyArray<MarketEvent>
type Path = ReadonlyArray<PropertyKey>

/** A kind of message, bare and as the `data` of a combined stream. */
interface Kind {
  readonly bare: Message.Message<MarketEvent>
  readonly combined: Message.Message<MarketEvent>
}

const kind = <const F extends Message.Fields>(
  fields: F,
  events: (message: Message.View<F>) => Events,
  needs: ReadonlyArray<string> = []
): Kind => {
  const bare = Message.make(fields, events, { needs })
  return { bare, combined: bare.within("data", "\"stream\":\"btcusdt@trade\"") }
}

/**
 * Why the futures say that a trade was made, where it was not on the market: their insurance fund took a position
 * over, positions were reduced by force, or nothing was traded at all. Their aggregates leave these out.
 *
 * @see https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/Aggregate-Trade-Streams (read 2026-11-25)
 * @see https://github.com/QuantConnect/Lean.Brokerages.Binance/issues/28 (read 2026-11-25)
 */
const offMarket = new Set<string | undefined>(["INSURANCE_FUND", "ADL", "NA"])

const tradeMembers = {
  s: Message.text,
  p: Message.decimal,
  q: Message.decimal,
  T: Message.optional(Message.timeOrNumber),
  /** Whether the buyer is the maker: then the taker sells. */
  m: Message.flag,
  X: Message.optional(Message.string)
}

const trades = kind(
  { e: Message.pinned("trade"), ...tradeMembers, t: Message.optional(Message.id) },
  ({ m, p, q, s, t, T, X }) =>
    offMarket.has(X)
      ? [other({ venue, kind: "trade" })]
      : [trade({ venue, product: s, price: p, size: q, side: m ? "sell" : "buy", tradeId: t, timestamp: T })]
)

/** The trades of one taker's order at one price. */
const aggregates = kind(
  { e: Message.pinned("aggTrade"), ...tradeMembers, a: Message.optional(Message.id) },
  ({ a, m, p, q, s, T, X }) =>
    offMarket.has(X)
      ? [other({ venue, kind: "aggTrade" })]
      : [trade({ venue, product: s, price: p, size: q, side: m ? "sell" : "buy", tradeId: a, timestamp: T })]
)

const quoteMembers = {
  s: Message.text,
  b: Message.decimalIfAny,
  B: Message.decimalIfAny,
  a: Message.decimalIfAny,
  A: Message.decimalIfAny
}

/** `c` is the last price, `v` the volume of 24 hours in the base currency. The futures' tickers have no quotes. */
const tickers = kind(
  {
    e: Message.pinned("24hrTicker"),
    ...quoteMembers,
    c: Message.decimalIfAny,
    v: Message.decimalIfAny,
    E: Message.optional(Message.timeOrNumber)
  },
  (
    { a, A, b, B, c, E, s, v }
  ) => [ticker({ venue, product: s, price: c, bid: b, bidSize: B, ask: a, askSize: A, volume: v, timestamp: E })],
  ["c", "b", "a"]
)

/** The best quotes, at the book's update `u`. Spot sends no time, the futures `T`. */
const bookTickers = kind(
  {
    e: Message.optional(Message.pinned("bookTicker")),
    u: Message.optional(Message.id),
    ...quoteMembers,
    T: Message.optional(Message.timeOrNumber)
  },
  (
    { a, A, b, B, s, T, u }
  ) => [ticker({ venue, product: s, bid: b, bidSize: B, ask: a, askSize: A, timestamp: T, sequence: u })],
  ["b", "a"]
)

/** The book's updates from `U` to `u`; the futures name the update before them, `pu`. A quantity of zero removes. */
const updates = kind(
  {
    e: Message.pinned("depthUpdate"),
    s: Message.text,
    E: Message.optional(Message.timeOrNumber),
    U: Message.optional(Message.id),
    u: Message.optional(Message.id),
    pu: Message.optional(Message.id),
    b: Message.levels(),
    a: Message.levels()
  },
  ({ a, b, E, pu, s, u, U }) => [bookDelta({
    venue,
    product: s,
    bids: b,
    asks: a,
    timestamp: E,
    firstSequence: U,
    sequence: u,
    previousSequence: pu
  })]
)

/**
 * The product that a stream's name begins with, in the venue's own upper case: `BTCUSDT` of `btcusdt@depth5@100ms`. A
 * stream of all products names none.
 */
const productOf = (stream: string): string | undefined => {
  if (stream.startsWith("!")) return undefined
  const at = stream.indexOf("@")
  const product = at < 0 ? stream : stream.slice(0, at)
  return product === "" ? undefined : product.toUpperCase()
}

const partialMembers = {
  lastUpdateId: Message.optional(Message.id),
  bids: Message.levels(),
  asks: Message.levels()
}

/** The top of a book, whole each time. It names neither its product nor its time: only its stream does the former. */
const partials: Kind = {
  bare: Message.make(partialMembers, ({ asks, bids, lastUpdateId }) => [
    bookSnapshot({ venue, bids, asks, sequence: lastUpdateId })
  ]),
  combined: Message.make(
    { stream: Message.string, data: Message.object(partialMembers) },
    ({ data: { asks, bids, lastUpdateId }, stream }) => [
      bookSnapshot({ venue, product: productOf(stream), bids, asks, sequence: lastUpdateId })
    ]
  )
}

/** The answer of REST, which unlike the stream's has its number always. */
const snapshots = Message.make(
  { ...partialMembers, lastUpdateId: Message.id },
  ({ asks, bids, lastUpdateId }) => [bookSnapshot({ venue, bids, asks, sequence: lastUpdateId })]
)

/**
 * Reads the body of a book's snapshot, `GET /api/v3/depth`.
 *
 * @see https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints#order-book (read 2026-11-25)
 * @category decoding
 * @since 0.1.0
 */
export const readBook = (body: string, product: string): BookSnapshot | Rejection.FrameRejected => {
  const read = decodeBook(body)
  if (Rejection.isFrameRejected(read)) return read
  const [book] = read
  return book?._tag === "BookSnapshot"
    ? bookSnapshot({ ...book, product })
    : Rejection.unknownMessage(venue, "lastUpdateId")
}

const decodeBook: Decoder.Decode<MarketEvent> = Decoder.make(venue, () => snapshots)

const kinds: ReadonlyMap<string, Kind> = new Map([
  ["trade", trades],
  ["aggTrade", aggregates],
  ["24hrTicker", tickers],
  ["bookTicker", bookTickers],
  ["depthUpdate", updates]
])

/** The kinds of the messages without `e`, by the members that only they have. */
const unnamed = (message: ExactJson.JsonObject): Kind | undefined => {
  const has = (member: string): boolean => Object.hasOwn(message, member)
  if (has("lastUpdateId") || has("bids") || has("asks")) return partials
  return has("u") && (has("B") || has("A")) ? bookTickers : undefined
}

/**
 * What a stream is of: `depth5` of `btcusdt@depth5@100ms`, `ticker` of `!ticker@arr`.
 *
 * @category getters
 * @since 0.1.0
 */
export const subjectOf = (stream: string): string =>
  (stream.startsWith("!") ? stream.slice(1).split("@", 1)[0] : stream.split("@", 2)[1]) ?? ""

/** The streams whose messages do without `e`; of the others that have events they never do. */
const subjects: ReadonlyMap<string, Kind | "named"> = new Map<string, Kind | "named">([
  ["bookTicker", bookTickers],
  ["depth5", partials],
  ["depth10", partials],
  ["depth20", partials],
  ["trade", "named"],
  ["aggTrade", "named"],
  ["ticker", "named"],
  ["depth", "named"]
])

// --- answers and errors ------------------------------------------------------

const responses = Message.make({ id: Message.idIfAny, result: Message.anything }, ({ id, result }) => [
  response({ venue, requestId: id, result: result ?? null })
], { rare: true })

const fault = { code: Message.optional(Message.id), msg: Message.optional(Message.string) }

/** The venue has errors in two shapes, `{"code":…,"msg":…,"id":…}` and `{"error":{"code":…,"msg":…},"id":…}`. */
const errors = Message.make(
  { id: Message.idIfAny, ...fault },
  ({ code, id, msg }) => [venueError({ venue, code, message: msg, requestId: id })],
  { rare: true }
)
const errorsWithin = Message.make(
  { id: Message.idIfAny, error: Message.object(fault) },
  ({ error: { code, msg }, id }) => [venueError({ venue, code, message: msg, requestId: id })],
  { rare: true }
)
const errorsInWords = Message.make(
  { id: Message.idIfAny, error: Message.string },
  ({ error, id }) => [venueError({ venue, message: error, requestId: id })],
  { rare: true }
)

/** What answers a request has one of these members, and no `e`. */
const answer = (frame: ExactJson.JsonObject): Message.Message<MarketEvent> | undefined => {
  const { code, error = null, msg, result } = frame
  if (error !== null) return typeof error === "string" ? errorsInWords : errorsWithin
  if (result !== undefined) return responses
  return code === undefined && msg === undefined ? undefined : errors
}

// --- frames ------------------------------------------------------------------

/** What a message is: the whole of a frame, or one that a combined stream or an array holds. */
const kindOf = (
  message: ExactJson.JsonObject,
  at: Path,
  stream: string | undefined
): Kind | Events | Rejection.FrameRejected => {
  if (Object.hasOwn(message, "e")) {
    const named = Decoder.nameOf(venue, message, "e", at)
    return Rejection.isFrameRejected(named) ? named : kinds.get(named) ?? [other({ venue, kind: named })]
  }
  const known = unnamed(message)
  if (known !== undefined) return known
  if (stream === undefined) return [other({ venue, kind: "message" })]
  const subject = subjects.get(subjectOf(stream))
  if (subject === undefined) return [other({ venue, kind: stream || "stream" })]
  return subject === "named"
    ? Rejection.unexpected(venue, [...at, "e"], "a string", undefined)
    // It lacks what it is known by: no other frame is known by its layout.
    : subject.bare.read(venue, message, at)
}

/** A message of the private streams comes with the number of its subscription. */
const readPrivate = ({ event }: ExactJson.JsonObject): Events | undefined => {
  if (event === undefined || !ExactJson.isObject(event)) return undefined
  const kind = event["e"]
  return [other({ venue, kind: typeof kind === "string" && kind !== "" ? kind : "event" })]
}

/** Reads an array, of which each element is a message or a combined stream's frame. */
const readArray = (
  messages: ReadonlyArray<ExactJson.Json>,
  at: Path,
  read: (message: ExactJson.JsonObject, at: Path) => Events | Rejection.FrameRejected
): Events | Rejection.FrameRejected => {
  const events: Array<MarketEvent> = []
  for (const [index, message] of messages.entries()) {
    if (!ExactJson.isObject(message)) return Rejection.unexpected(venue, [...at, index], "an object", message)
    const result = read(message, [...at, index])
    if (Rejection.isFrameRejected(result)) return result
    for (const event of result) events.push(event)
  }
  return events
}

/** Reads a message of a combined stream's array. */
const readElement = (stream: string) => (message: ExactJson.JsonObject, at: Path): Events | Rejection.FrameRejected => {
  const known = kindOf(message, at, stream)
  const events = "bare" in known ? known.bare.read(venue, message, at) : known
  return Rejection.isFrameRejected(events)
    ? events
    : events.map((event) =>
      event._tag === "BookSnapshot" ? bookSnapshot({ ...event, product: productOf(stream) }) : event
    )
}

/** A combined stream's `{"stream":…,"data":…}`, whose data is a message or an array of them. */
const chooseCombined = (frame: ExactJson.JsonObject, at: Path): Decoder.Choice<MarketEvent> => {
  const { data, stream } = frame
  if (typeof stream !== "string") return Rejection.unexpected(venue, [...at, "stream"], "a string", stream)
  const path = [...at, "data"]
  if (Array.isArray(data)) {
    return data.length === 0
      ? [other({ venue, kind: stream || "stream" })]
      : readArray(data, path, readElement(stream))
  }
  if (data === undefined || !ExactJson.isObject(data)) return Rejection.unexpected(venue, path, "an object", data)
  const known = kindOf(data, path, stream)
  return "bare" in known ? known.combined : known
}

/** An object that is a frame of its own, or an element of an array of frames: then it answers no request. */
const choose = (frame: ExactJson.JsonObject, at: Path = []): Decoder.Choice<MarketEvent> => {
  if (Object.hasOwn(frame, "stream")) return chooseCombined(frame, at)
  if (!Object.hasOwn(frame, "e")) {
    const answered = at.length === 0 ? answer(frame) : undefined
    if (answered !== undefined) return answered
    if (unnamed(frame) === undefined) return readPrivate(frame) ?? Rejection.unknownMessage(venue, "e")
  }
  const known = kindOf(frame, at, undefined)
  return "bare" in known ? known.bare : known
}

/** Reads an array of frames. */
const readFrames = (json: ExactJson.Json | ExactJson.Malformed): Events | Rejection.FrameRejected | undefined => {
  if (!Array.isArray(json)) return undefined
  const frames: ReadonlyArray<ExactJson.Json> = json
  if (frames.some((frame) => !ExactJson.isObject(frame))) return undefined
  // An array of the tickers that changed, when none did.
  if (frames.length === 0) return [other({ venue, kind: "array" })]
  return readArray(frames, [], (frame, at) => {
    const choice = choose(frame, at)
    return "read" in choice ? choice.read(venue, frame, at) : choice
  })
}

/**
 * The kinds of messages that the venue sends, and a decoder of its frames that
 * has learned no layout yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Pick<Venue, "decode" | "messages"> => ({
  messages: [
    ...[trades, aggregates, tickers, bookTickers, updates, partials].flatMap(({ bare, combined }) => [bare, combined]),
    responses,
    errors,
    errorsWithin,
    errorsInWords
  ],
  decode: Decoder.make(venue, (frame) => choose(frame), { otherwise: readFrames })
})
