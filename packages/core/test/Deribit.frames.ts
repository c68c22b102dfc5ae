/** Frames of Deribit in parts, and the events that they are. */
import { assert } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Messages from "@tickline/core/venue/deribit/Messages"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import type { Venue } from "@tickline/core/venue/Venue"

/** The venue with no layout learned. */
export const make = (): Venue => ({ ...Deribit.venue, ...Messages.make("deribit") })

/** What a frame gives, as printed; twice, because the second time its layout is known. */
export const decode = (frame: string | Uint8Array, venue: Venue = make()): ReadonlyArray<unknown> => {
  const print = (): ReadonlyArray<string> => {
    const decoded = venue.decode(frame)
    return (Rejection.isFrameRejected(decoded) ? [decoded] : decoded).map((event) => Ndjson.toJson(event))
  }
  const first = print()
  assert.deepStrictEqual(print(), first)
  return first.map((line): unknown => JSON.parse(line))
}

export const venue = "deribit"

// Frames in the venue's documented shapes, with values of our own. Written as text: a number's zeros are its own.
export const frame = (channel: string, data: string): string =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"${channel}","data":${data}}}`
export const tradeRow = (price: string, more = ""): string =>
  `{"trade_seq":30289442,"trade_id":"48079269","timestamp":1590484512188,"tick_direction":2,"price":${price},` +
  `"mark_price":8948.9,"instrument_name":"BTC-PERPETUAL","index_price":8955.88,"direction":"sell","amount":10.0${more}}`
export const trade = {
  _tag: "Trade",
  venue,
  product: "BTC-PERPETUAL",
  price: "8950.50",
  size: "10.0",
  side: "sell",
  tradeId: "48079269",
  timestamp: "2020-05-26T09:15:12.188Z",
  sequence: "30289442"
}
export const tickerData = (last: string, bid: string, volume = "11897.27640428", more = ""): string =>
  `{"timestamp":1765541474086,"stats":{"volume_usd":null,"volume":${volume},"price_change":2.3275,"low":89277.5},` +
  `"state":"open","settlement_price":92464.66,"open_interest":1132329370.0,"mark_price":92281.78,` +
  `"last_price":${last},"interest_value":0.0028213400122472977,"instrument_name":"BTC-PERPETUAL",` +
  `"best_bid_price":${bid},"best_bid_amount":117660.0,"best_ask_price":92284.00,"best_ask_amount":186520.0${more}}`
export const ticker = {
  _tag: "Ticker",
  venue,
  product: "BTC-PERPETUAL",
  price: "92283.50",
  bid: "92283.5",
  bidSize: "117660.0",
  ask: "92284.00",
  askSize: "186520.0",
  volume: "11897.27640428",
  timestamp: "2025-12-12T12:11:14.086Z"
}
export const greeks =
  ",\"greeks\":{\"vega\":0.0,\"theta\":-0.0,\"rho\":1e-05,\"gamma\":0.0,\"delta\":1.0},\"mark_iv\":66.5," +
  "\"bid_iv\":null,\"underlying_index\":\"BTC-26DEC25\""
export const quote = "{\"timestamp\":1550658624149,\"instrument_name\":\"BTC-PERPETUAL\",\"best_bid_price\":3914.97," +
  "\"best_bid_amount\":40.0,\"best_ask_price\":null,\"best_ask_amount\":0.0}"
export const bookData = (type: string, ids: string, bids: string, asks: string): string =>
  `{${type}"timestamp":1699999999500,${ids}"instrument_name":"BTC-PERPETUAL","bids":${bids},"asks":${asks}}`
export const ids = "\"prev_change_id\":123456789,\"change_id\":123456790,"
export const bids = "[[\"change\",42500.0,950.0],[\"new\",42498.50,300.0]]"
export const asks = "[[\"delete\",42501.0,0.0]]"
export const book = {
  venue,
  product: "BTC-PERPETUAL",
  bids: [["42500.0", "950.0"], ["42498.50", "300.0"]],
  asks: [["42501.0", "0.0"]],
  timestamp: "2023-11-14T22:13:19.500Z",
  sequence: "123456790"
}
export const delta = { _tag: "BookDelta", ...book, previousSequence: "123456789" }
export const snapshot = { _tag: "BookSnapshot", ...book }
export const changes = frame("book.BTC-PERPETUAL.raw", bookData("\"type\":\"change\",", ids, bids, asks))
export const pairs = "[[42500.0,950.0],[42498.50,300.0]]"
export const grouped = frame(
  "book.BTC-PERPETUAL.none.10.100ms",
  bookData("", "\"change_id\":123456790,", pairs, "[[42501.0,0.0]]")
)
export const times = "\"usIn\":1535043730126248,\"usOut\":1535043730126250,\"usDiff\":2,\"testnet\":false"
