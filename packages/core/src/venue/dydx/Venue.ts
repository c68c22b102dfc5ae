/**
 * dYdX v4, the WebSocket feed of its indexer.
 *
 * Prices and sizes are JSON strings. `message_id` counts the messages of a
 * connection, over all its channels, and is the sequence of trades and books.
 * Book rows are `[price, size]` in updates and `{price, size}` in the snapshot;
 * sizes are absolute. `side` is the taker's.
 *
 * Message shapes: https://docs.dydx.xyz/indexer-client/websockets and, to the
 * letter, the indexer's own source,
 * https://github.com/dydxprotocol/v4-chain/tree/main/indexer/services/socks (both read 2026-11-21).
 *
 * @see https://docs.dydx.xyz/indexer-client/websockets
 * @since 0.1.0
 */
import * as ExactJson from "../../codec/ExactJson.ts"
import * as FramePeek from "../../codec/internal/framePeek.ts"
import * as Rejection from "../../codec/Rejection.ts"
import * as Symbols from "../../protocol/Symbols.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"
import { numbered } from "../internal/numbers.ts"
import { topicByKind } from "../internal/topicByKind.ts"
import type { Ask, Topic, Venue } from "../Venue.ts"
import { trades } from "./internal/missedTrades.ts"
import * as Messages from "./Messages.ts"

const name = "dydx"

/** The indexer's own form: `(v4_trades-BTC-USD)`. */
const subscriptionForm = /\((v4_\w+)-(.+)\)/

/** A limit on a channel is told without the id: `Per-connection subscription limit reached for v4_trades`. */
const channelForm = /\bfor (v4_\w+)/

/** Some errors have a channel and an id, others name both in parentheses. */
const refused = (frame: Frame): Partial<Channel> | undefined => {
  const json = FramePeek.objectOf(frame)
  if (json === undefined) return undefined
  const read = Messages.refusals.read(name, json)
  const [it] = Rejection.isFrameRejected(read) ? [] : read
  if (it === undefined) return undefined
  const { channel: named, id, message } = it
  const [, channel = named ?? channelForm.exec(message)?.[1], product = id] = subscriptionForm.exec(message) ?? []
  if (!channel) return undefined
  return product && product !== channel ? { channel, product } : { channel }
}

// --- subscribing -------------------------------------------------------------

/** Whether the state that a confirmation comes with holds anything. */
const isState = (contents: ExactJson.Json | undefined): boolean =>
  contents !== undefined && ExactJson.isObject(contents) &&
  Object.values(contents).some((value) => typeof value === "object" && value !== null && Object.keys(value).length > 0)

const headIn = (json: ExactJson.JsonObject | undefined): Partial<Topic> => {
  const head = json === undefined ? undefined : Messages.readHead(json)
  return head === undefined || Rejection.isFrameRejected(head) ? {} : { name: head.channel, product: head.product }
}

const topicOf = topicByKind({
  Trade: "v4_trades",
  BookSnapshot: "v4_orderbook",
  BookDelta: "v4_orderbook",
  PriceUpdate: "v4_markets",
  Other: (frame) => headIn(FramePeek.objectOf(frame)),
  Subscribed: (frame) => {
    const json = FramePeek.objectOf(frame)
    return isState(json?.["contents"]) ? headIn(json) : {}
  }
})

/** The channels that are of all markets at once, and take no id. */
const ofAllMarkets = new Set(["v4_markets", "v4_block_height"])

/** One frame a subscription; a channel of all markets is asked for once, even where products of it are named. */
const request = (
  message: (channel: string, id: string | undefined) => object,
  channels: ReadonlyArray<Channel>
): ReadonlyArray<Ask> => {
  const textOf = ({ channel, product }: Channel): string =>
    JSON.stringify(message(channel, ofAllMarkets.has(channel) ? undefined : product))
  return Array.from(Map.groupBy(channels, textOf), ([text, channels]) => ({ text, channels, requestId: undefined }))
}

/**
 * What a user may choose. `batched`: whether updates come collected, every 250
 * ms, as `channel_batch_data` (the default), or each by itself as it happens.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly batched?: boolean | undefined
}

/**
 * Makes the venue, with updates batched or not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = ({ batched = true }: Options = {}): Venue => ({
  name,
  title: "dYdX v4",
  // https://docs.dydx.xyz/indexer-client/websockets (read 2026-11-21)
  endpoint: "wss://indexer.dydx.trade/v4/ws",
  documentation: "https://docs.dydx.xyz/indexer-client/websockets",
  prices: "string",
  symbols: Symbols.paired("-", "perpetual"),
  continuity: "frame",
  // Books cross by design, and the number of an answer is taken when its request is read, before a fetch:
  // indexer/services/socks/src/websocket/index.ts of dydxprotocol/v4-chain (read 2026-11-25).
  frames: { numberOf: numbered("message_id"), answersLate: true },
  books: { mayCross: true },
  // It pings every 30 s itself, and wants the pong within 10 s:
  // https://docs.dydx.exchange/api_integration-indexer/indexer_websocket#maintaining-a-connection (read 2026-11-21)
  keepAlive: { _tag: "Protocol" },
  // On a connection there are at most 32 subscriptions of a channel, 2 subscribes a second of the same, and 2 invalid
  // messages a second. Each is counted per channel and id, or is of messages that are not sent at all: none is a limit
  // on a connection. https://docs.dydx.exchange/api_integration-indexer/indexer_websocket#rate-limiting; the 32 are the
  // defaults of indexer/services/socks/src/config.ts of dydxprotocol/v4-chain (both read 2026-11-21).
  limits: [],
  rest: {
    endpoint: "https://indexer.dydx.trade",
    weights: [{
      limit: 100,
      windowMillis: 10_000,
      source: "https://docs.dydx.xyz/indexer-client/http, read 2026-11-26"
    }],
    trades
  },
  sessionMillis: undefined,
  // There is no ticker: an oracle's price of every market is what comes closest.
  channels: { trade: "v4_trades", ticker: "v4_markets", book: "v4_orderbook" },
  wholeChannels: ofAllMarkets,
  subscribe: (channels) =>
    request((channel, id) => ({
      type: "subscribe",
      channel,
      ...(id === undefined ? {} : { id }),
      ...(batched ? { batched } : {})
    }), channels),
  // One product of a channel of all markets cannot be given up: the others may still be wanted.
  unsubscribe: (channels) =>
    request(
      (channel, id) => ({ type: "unsubscribe", channel, ...(id === undefined ? {} : { id }) }),
      channels.filter(({ channel, product }) => product === undefined || !ofAllMarkets.has(channel))
    ),
  ...Messages.make(),
  topics: ({ channel, product }) => [{ name: channel, product }],
  topicOf,
  isQuiet: (channel) => channel === "v4_trades" || channel === "v4_candles" || channel.includes("subaccounts"),
  refused
})

/**
 * dYdX v4, with batched updates.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = make()
