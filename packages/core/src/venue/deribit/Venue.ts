/**
 * Deribit, the public market data of its JSON-RPC API over WebSocket.
 *
 * Prices and amounts are JSON numbers. The `direction` of a trade is the
 * taker's. A book changes by rows `[action, price, amount]` whose amount is
 * absolute, each frame naming the change before it; a grouped book is sent whole
 * each time, as `[price, amount]`.
 *
 * The venue names a channel and its instrument in one word, such as
 * `ticker.BTC-PERPETUAL.100ms`. A `Channel` here has them apart: the channel
 * `ticker.100ms` of the product `BTC-PERPETUAL`. A channel without an instrument
 * is named as the venue does: `trades.option.BTC.100ms`. The interval `raw` is
 * for authenticated connections only.
 *
 * A request with a channel that needs more rights is refused as a whole; a
 * channel of no known instrument is left out of the answer.
 *
 * Documentation: https://docs.deribit.com/articles/notifications and the pages
 * of its channels, https://docs.deribit.com/subscriptions, read 2026-11-21.
 *
 * @since 0.1.0
 */
import * as FramePeek from "../../codec/internal/framePeek.ts"
import { isMarketData, type MarketEvent } from "../../event/MarketEvent.ts"
import type { Frame } from "../../transport/Frame.ts"
import type * as Channel from "../../value/Channel.ts"
import type { Ask, Topic, TradingStatus, Venue } from "../Venue.ts"
import * as ChannelNames from "./internal/channelNames.ts"
import { heartbeatSeconds, keepAlive } from "./internal/keepAlive.ts"
import { trades } from "./internal/missedTrades.ts"
import { batches, rpc } from "./internal/subscribing.ts"
import * as Messages from "./Messages.ts"
import { symbols } from "./Symbols.ts"

const name = "deribit"

// --- subscribing -------------------------------------------------------------

/**
 * As few requests as there are batches. Those that end subscriptions have
 * negative numbers, by which their answers are known.
 */
const request = (
  method: "public/subscribe" | "public/unsubscribe",
  channels: ReadonlyArray<Channel.Channel>,
  id: number
): ReadonlyArray<Ask> =>
  batches(channels).map(({ channels, names }, index) => {
    const number = method === "public/subscribe" ? id + index : -(id + index)
    return { text: rpc(number, method, { channels: names }), channels, requestId: String(number) }
  })

/** How the venue writes every notification. */
const notificationBeginning = "{\"jsonrpc\":\"2.0\",\"method\":\"subscription\",\"params\":{\"channel\":\""

const topicOf = (frame: Frame, events: ReadonlyArray<MarketEvent>): Topic | undefined => {
  const event = events[0]
  const text = FramePeek.textAfter(frame, notificationBeginning)
  if (text !== undefined) return { name: text }
  if (event === undefined || (event._tag !== "Other" && !isMarketData(event))) return undefined
  const name = FramePeek.textIn(FramePeek.objectIn(FramePeek.objectOf(frame), "params"), "channel")
  return name === undefined ? undefined : { name }
}

const rateLimits = "https://docs.deribit.com/articles/rate-limits, read 2026-11-21"

/**
 * The state of an instrument's book, of all books of a price index, or of the
 * platform, to who asks for `instrument.state.…` or `platform_state`: in any but
 * `open` orders are not taken.
 *
 * @see https://docs.deribit.com/subscriptions/platform/platform_state (read 2026-11-26)
 * @see https://support.deribit.com/hc/en-us/articles/32893516929437 (the states; read 2026-11-26)
 */
const tradingStatuses = (frame: Frame): ReadonlyArray<TradingStatus> => {
  if (typeof frame !== "string" || !/"channel":\s*"(?:instrument\.state\.|platform_state")/.test(frame)) return []
  const data = FramePeek.objectIn(FramePeek.objectIn(FramePeek.objectOf(frame), "params"), "data")
  const instrument = FramePeek.textIn(data, "instrument_name")
  const state = FramePeek.textIn(data, "state")
  if (instrument !== undefined && state !== undefined) {
    // Before 2026 an instrument that trades was said to be started.
    return [{ of: instrument, status: state, isContinuous: state === "open" || state === "started" }]
  }
  const { locked, maintenance } = data ?? {}
  const index = FramePeek.textIn(data, "price_index")
  if (index !== undefined && typeof locked === "boolean") {
    return [{ of: index, status: "locked", isContinuous: !locked }]
  }
  return typeof maintenance === "boolean" ? [{ status: "maintenance", isContinuous: !maintenance }] : []
}

/** The price index of an instrument: `btc_usd` of `BTC-PERPETUAL`, `sol_usdc` of `SOL_USDC-PERPETUAL`. */
const indexOf = (product: string): string => {
  const [underlying = ""] = product.toLowerCase().split("-")
  return underlying.includes("_") ? underlying : `${underlying}_usd`
}

/**
 * Deribit.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = {
  name,
  title: "Deribit",
  endpoint: "wss://www.deribit.com/ws/api/v2",
  documentation: "https://docs.deribit.com/articles/notifications",
  prices: "number",
  symbols,
  continuity: "delta",
  // `book.BTC-PERPETUAL.none.10.100ms` is the top of the book each time, `book.BTC-PERPETUAL.100ms` its changes.
  books: { isWhole: (channel) => channel.startsWith("book.") && channel.split(".").length > 3 },
  trading: {
    source: "https://docs.deribit.com/subscriptions/market-data/instrumentstatekindcurrency, read 2026-11-26",
    read: tradingStatuses,
    groupOf: indexOf
  },
  // `trade_seq` counts one by one for each instrument: https://docs.deribit.com/subscriptions/trades (read 2026-11-25).
  tradeNumber: (channel) => channel.startsWith("trades.") ? "sequence" : undefined,
  keepAlive: keepAlive(heartbeatSeconds),
  limits: [
    // Of 50,000 credits a request takes 500, and 10,000 come back each second: a burst's worth in 5 seconds.
    { of: "messages", per: "address", limit: 100, windowMillis: 5_000, source: rateLimits },
    // Of 30,000 credits subscribing takes 3,000, and 10,000 come back each second.
    { of: "subscriptions", per: "address", limit: 10, windowMillis: 3_000, source: rateLimits },
    {
      of: "dials",
      per: "address",
      limit: 32,
      windowMillis: undefined,
      source: "https://docs.deribit.com/articles/connection-management-best-practices, read 2026-11-21"
    }
  ],
  rest: {
    endpoint: "https://www.deribit.com",
    weights: [{
      limit: 100,
      windowMillis: 5_000,
      source: "https://docs.deribit.com/articles/rate-limits, read 2026-11-21"
    }],
    trades: trades(name)
  },
  sessionMillis: undefined,
  sequenced: new Set(["BookSnapshot", "BookDelta"]),
  channels: { trade: "trades.100ms", ticker: "ticker.100ms", book: "book.100ms" },
  subscribe: (channels, id) => request("public/subscribe", channels, id),
  unsubscribe: (channels, id) => request("public/unsubscribe", channels, id),
  ...Messages.make(name),
  topics: (channel) => [{ name: ChannelNames.nameOf(channel) }],
  topicOf,
  isQuiet: (channel) => /^(?:trades|chart\.trades|block_trade_confirmations|user|block_rfq)\b/.test(channel)
}
