/**
 * What dYdX's indexer sends: a frame names its `type` and its `channel`. An
 * update's contents are those of one message, a batch's a list of such.
 *
 * @see https://docs.dydx.xyz/indexer-client/websockets (read 2026-11-21)
 * @see https://github.com/dydxprotocol/v4-chain/tree/main/indexer/services/socks (read 2026-11-21)
 * @since 0.1.0
 */
import * as Decoder from "../../codec/Decoder.ts"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as Scanner from "../../codec/internal/scanner.ts"
import * as Message from "../../codec/Message.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { bookDelta, bookSnapshot, priceUpdate, trade } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { heartbeat, other, subscribed, unsubscribed, venueError } from "../../event/VenueMessage.ts"
import type { Venue } from "../Venue.ts"
import { scan } from "./internal/scan.ts"

const venue = "dydx"

type Events = ReadonlyArray<MarketEvent>

// --- frames ------------------------------------------------------------------

const headMembers = {
  channel: Message.text,
  id: Message.optional(Message.id),
  message_id: Message.optional(Message.id)
}

/** What a frame says of all that it holds. */
interface Head {
  readonly channel: string
  readonly product: string | undefined
  readonly sequence: string | undefined
}

/** The channels of all markets are subscribed to by their own name for an id. */
const headOf = ({ channel, id, message_id }: Message.View<typeof headMembers>): Head => ({
  channel,
  product: id === channel ? undefined : id,
  sequence: message_id
})

const heads = Message.make(headMembers, (message) => [headOf(message)], { rare: true })

/**
 * What a frame says of all that it holds, or why it cannot be read.
 *
 * @category getters
 * @since 0.1.0
 */
export const readHead = (frame: ExactJson.JsonObject): Head | Rejection.FrameRejected => {
  const read = heads.read(venue, frame)
  return Rejection.isFrameRejected(read) ? read : read[0] ?? { channel: "", product: undefined, sequence: undefined }
}

const orOther = (events: Events, kind: string): Events => events.length === 0 ? [other({ venue, kind })] : events

/** The three frames of a channel: the state so far, an update, and a batch of updates, oldest first. */
const channel = <const F extends Message.Fields>(
  name: string,
  fields: F,
  read: (contents: Message.View<F>, head: Head, isSnapshot: boolean) => Events
) => {
  const contents: Message.Member<Message.View<F>> = Message.object(fields)
  const batches: Message.Member<Message.Elements<Message.View<F>>> = Message.list(fields)
  const members = { ...headMembers, channel: Message.pinned(name) }
  const nothing: Events = [other({ venue, kind: name })]
  const update = (contents: Message.View<F>, head: Head): Events => {
    const events = read(contents, head, false)
    return events.length === 0 ? nothing : events
  }
  return {
    subscribed: Message.make(
      { type: Message.pinned("subscribed"), ...members, contents: Message.optional(contents) },
      (message): Events => {
        const head = headOf(message)
        const confirmation = subscribed({ venue, channel: name, product: head.product })
        return message.contents === undefined
          ? [confirmation]
          : [confirmation, ...read(message.contents, head, true)]
      },
      { rare: true }
    ),
    channel_data: Message.make(
      { type: Message.pinned("channel_data"), ...members, contents },
      (message) => update(message.contents, headOf(message)),
      { rare: true }
    ),
    channel_batch_data: Message.make(
      { type: Message.pinned("channel_batch_data"), ...members, contents: batches },
      (message) => {
        const head = headOf(message)
        const events = message.contents.flatMap((contents) => update(contents, head))
        return events.length === 0 ? nothing : events
      },
      { rare: true }
    )
  }
}

const trades = channel(
  "v4_trades",
  {
    trades: Message.optional(Message.list({
      id: Message.optional(Message.id),
      side: Message.word({ BUY: "buy", SELL: "sell" }),
      size: Message.decimal,
      price: Message.decimal,
      createdAt: Message.optional(Message.iso)
    }))
  },
  ({ trades }, { product = "", sequence }, history) =>
    trades?.map(({ createdAt, id, price, side, size }) =>
      trade({ venue, product, price, size, side, tradeId: id, timestamp: createdAt, sequence, history })
    ) ?? []
)

/** Rows that are `[price, size]` or `{price, size}`; an offset may follow. */
const rows = Message.optional(Message.levels({ price: "price", size: "size" }))

const orderbook = channel(
  "v4_orderbook",
  { bids: rows, asks: rows },
  ({ asks, bids }, { product, sequence }, isSnapshot) => {
    if (bids === undefined && asks === undefined) return []
    const make = isSnapshot ? bookSnapshot : bookDelta
    return [make({ venue, product, bids: bids ?? [], asks: asks ?? [], sequence })]
  }
)

const channels: ReadonlyMap<string, typeof trades> = new Map([["v4_trades", trades], ["v4_orderbook", orderbook]])

// --- v4_markets --------------------------------------------------------------

const markets = Message.make(
  { oraclePrice: Message.optional(Message.decimal), effectiveAt: Message.optional(Message.iso) },
  // A market has no oracle price before its first.
  ({ effectiveAt, oraclePrice }) => oraclePrice === undefined ? [] : [{ price: oraclePrice, timestamp: effectiveAt }],
  { rare: true }
)

/** `markets` in the state so far, `oraclePrices` in updates; `trading` has no price. */
const readMarkets = (
  contents: ExactJson.Json | undefined,
  at: ReadonlyArray<PropertyKey>
): Events | Rejection.FrameRejected => {
  if (contents === undefined || !ExactJson.isObject(contents)) {
    return Rejection.unexpected(venue, at, "an object", contents)
  }
  const events: Array<MarketEvent> = []
  for (const [member, group] of ExactJson.entries(contents)) {
    if ((member !== "markets" && member !== "oraclePrices") || group === null) continue
    if (!ExactJson.isObject(group)) return Rejection.unexpected(venue, [...at, member], "an object", group)
    for (const [product, market] of ExactJson.entries(group)) {
      const path = [...at, member, product]
      if (!ExactJson.isObject(market)) return Rejection.unexpected(venue, path, "an object", market)
      const read = markets.read(venue, market, path)
      if (Rejection.isFrameRejected(read)) return read
      for (const { price, timestamp } of read) events.push(priceUpdate({ venue, product, price, timestamp }))
    }
  }
  return events
}

/** Reads the contents of a channel that is not declared: those of markets, or nothing. */
const readContents = (
  { channel }: Head,
  contents: ExactJson.Json | undefined,
  at: ReadonlyArray<PropertyKey>
): Events | Rejection.FrameRejected => channel === "v4_markets" ? readMarkets(contents, at) : []

type Type = keyof typeof trades

const readOther = (type: Type, frame: ExactJson.JsonObject, head: Head): Events | Rejection.FrameRejected => {
  const { contents } = frame
  switch (type) {
    case "subscribed": {
      const confirmation = subscribed({ venue, channel: head.channel, product: head.product })
      if ((contents ?? null) === null) return [confirmation]
      const events = readContents(head, contents, ["contents"])
      return Rejection.isFrameRejected(events) ? events : [confirmation, ...events]
    }
    case "channel_data": {
      const events = readContents(head, contents, ["contents"])
      return Rejection.isFrameRejected(events) ? events : orOther(events, head.channel)
    }
    case "channel_batch_data": {
      if (!Array.isArray(contents)) return Rejection.unexpected(venue, ["contents"], "an array", contents)
      const list: ReadonlyArray<ExactJson.Json> = contents
      const all: Array<MarketEvent> = []
      for (let index = 0; index < list.length; index++) {
        const events = readContents(head, list[index], ["contents", index])
        if (Rejection.isFrameRejected(events)) return events
        for (const event of orOther(events, head.channel)) all.push(event)
      }
      return orOther(all, head.channel)
    }
  }
}

/** Trades are of a product, which their frame names. */
const readTrades = (
  kind: Message.Message<MarketEvent>,
  frame: ExactJson.JsonObject
): Events | Rejection.FrameRejected => {
  const read = kind.read(venue, frame)
  return !Rejection.isFrameRejected(read) && read.some(({ _tag }) => _tag === "Trade")
    ? Rejection.unexpected(venue, ["id"], "a market", undefined)
    : read
}

const chooseData = (type: Type, frame: ExactJson.JsonObject): Decoder.Choice<MarketEvent> => {
  const head = readHead(frame)
  if (Rejection.isFrameRejected(head)) return head
  const kind = channels.get(head.channel)?.[type]
  if (kind === undefined) return readOther(type, frame, head)
  return head.channel === "v4_trades" && head.product === undefined ? readTrades(kind, frame) : kind
}

// --- answers -----------------------------------------------------------------

const unsubscriptions = Message.make(
  { type: Message.pinned("unsubscribed"), ...headMembers },
  (message) => {
    const { channel, product } = headOf(message)
    return [unsubscribed({ venue, channel, product })]
  },
  { rare: true }
)

/** What is wrong stands in words; neither a code nor the request is named. */
const errors = Message.make(
  { type: Message.pinned("error"), message: Message.optional(Message.string) },
  ({ message }) => [venueError({ venue, message: message || undefined })],
  { rare: true }
)

/**
 * The words of an error, and what it names of the subscription.
 *
 * @category constants
 * @since 0.1.0
 */
export const refusals = Message.make(
  {
    type: Message.pinned("error"),
    message: Message.optional(Message.string),
    channel: Message.optional(Message.text),
    id: Message.optional(Message.text)
  },
  ({ channel, id, message = "" }) => [{ channel, id, message }],
  { rare: true }
)

const choose = (frame: ExactJson.JsonObject): Decoder.Choice<MarketEvent> => {
  const type = Decoder.nameOf(venue, frame, "type")
  if (Rejection.isFrameRejected(type)) return type
  switch (type) {
    case "subscribed":
    case "channel_data":
    case "channel_batch_data":
      return chooseData(type, frame)
    case "unsubscribed":
      return unsubscriptions
    case "error":
      return errors
    // Answers `{"type":"ping"}`; the indexer of today no longer sends it.
    case "pong":
      return [heartbeat({ venue, kind: "pong" })]
    default:
      return [other({ venue, kind: type })]
  }
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
    ...[trades, orderbook].flatMap((kinds) => Object.values(kinds)),
    unsubscriptions,
    errors
  ],
  decode: Decoder.make(venue, choose, { scan: scan(Scanner.make()) })
})
