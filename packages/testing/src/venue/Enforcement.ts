/**
 * What a venue does to clients that do not keep its rules: limits on messages
 * and dials, counted in every rolling window, and answers that are due in time.
 * Pure values; a mock server carries them out.
 *
 * The rules of each venue are its published ones, with where it says so. What a
 * venue does to who breaks one is documented more seldom: where it is not, the
 * value says what was seen.
 *
 * @since 0.1.0
 */
import type { Frame } from "@tickline/core/transport/Frame"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/**
 * At most `limit` messages, dials or subscriptions (the messages that ask for
 * some, or give some up) in any rolling window of `windowMillis`, of each
 * connection or of each address.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limit {
  readonly of: "messages" | "dials" | "subscriptions"
  readonly per: "connection" | "address"
  readonly limit: number
  readonly windowMillis: number
}

/**
 * What a client meets whose message is one too many, which is never heard:
 * an error in the venue's words, a close frame, or one after the other.
 *
 * @category models
 * @since 0.1.0
 */
export interface Excess {
  readonly error?: ((frame: Frame) => string) | undefined
  readonly close?: { readonly code: number; readonly reason: string } | undefined
}

/**
 * The rules of a venue. Times are milliseconds; what is absent is not enforced.
 *
 * - `limits`: on messages, dials and subscriptions. A dial too many is answered
 *   429.
 * - `isSubscription`: which frames of a client count as subscriptions.
 * - `connections`: how many an address may have at a time; a dial for one more is answered 429.
 * - `countsPings`: whether a client's pings and pongs count as messages.
 * - `excess`: what a message too many leads to.
 * - `subscribeWithin`: how long a new connection may stay without a
 *   subscription.
 * - `pings`: the venue pings so often, and closes a connection whose pong, with
 *   the ping's own payload, does not come in time.
 * - `tests`: which of the venue's frames are tests, which frames of a client
 *   answer them, and how soon.
 * - `idle`: how long a connection lives to which the venue sends nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Enforcement {
  readonly limits: ReadonlyArray<Limit>
  readonly connections?: number | undefined
  readonly isSubscription?: ((frame: Frame) => boolean) | undefined
  readonly countsPings: boolean
  readonly excess: Excess
  readonly subscribeWithin?: number | undefined
  readonly pings?: { readonly every: number; readonly within: number } | undefined
  readonly tests?: {
    readonly isTest: (text: string) => boolean
    readonly isAnswer: (frame: Frame) => boolean
    readonly within: number
  } | undefined
  readonly idle?: number | undefined
}

/**
 * A venue that enforces nothing.
 *
 * @category constants
 * @since 0.1.0
 */
export const none: Enforcement = { limits: [], countsPings: false, excess: {} }

const tooMany = { code: 1008, reason: "Too many requests" }

/**
 * Binance spot: 5 messages a second and connection, pings and pongs counted,
 * and 300 dials in 5 minutes; a ping every 20 s whose pong is due within a
 * minute with the same payload. Who sends too much is disconnected.
 *
 * @see https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (read 2026-11-21)
 * @category constants
 * @since 0.1.0
 */
export const binance: Enforcement = {
  limits: [
    { of: "messages", per: "connection", limit: 5, windowMillis: 1_000 },
    { of: "dials", per: "address", limit: 300, windowMillis: 300_000 }
  ],
  countsPings: true,
  excess: { close: tooMany },
  pings: { every: 20_000, within: 60_000 }
}

/**
 * Coinbase Exchange: 100 messages a second and address, bursts of 20 dials, a
 * first subscription within 5 s. The venue says that it disconnects, and not
 * with which code.
 *
 * @see https://docs.cdp.coinbase.com/exchange/websocket-feed/rate-limits (read 2026-11-21)
 * @see https://docs.cdp.coinbase.com/exchange/websocket-feed/overview (read 2026-11-21)
 * @category constants
 * @since 0.1.0
 */
export const coinbaseExchange: Enforcement = {
  limits: [
    { of: "messages", per: "address", limit: 100, windowMillis: 1_000 },
    { of: "dials", per: "address", limit: 20, windowMillis: 1_000 }
  ],
  countsPings: false,
  excess: { close: tooMany },
  subscribeWithin: 5_000
}

/**
 * Coinbase Advanced Trade: 8 messages and 8 dials a second and address where
 * the client does not authenticate, a first subscription within 5 s.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-rate-limits (read 2026-11-21)
 * @category constants
 * @since 0.1.0
 */
export const coinbase: Enforcement = {
  limits: [
    { of: "messages", per: "address", limit: 8, windowMillis: 1_000 },
    { of: "dials", per: "address", limit: 8, windowMillis: 1_000 }
  ],
  countsPings: false,
  excess: { close: tooMany },
  subscribeWithin: 5_000
}

/**
 * Kraken: 150 dials in 10 minutes, and a connection ends on which nothing is
 * said for a minute. It publishes no figure for messages, so none is enforced;
 * where a limit is given, the error is the one that clients were seen to get.
 *
 * @see https://docs.kraken.com/api/docs/guides/spot-ws-intro (read 2026-11-21)
 * @see https://github.com/bitrich-info/xchange-stream/issues/502 (the error; read 2026-11-21)
 * @category constants
 * @since 0.1.0
 */
export const kraken: Enforcement = {
  limits: [{ of: "dials", per: "address", limit: 150, windowMillis: 600_000 }],
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

/**
 * Deribit: 100 requests in any 5 s, and 10 that subscribe or unsubscribe in any
 * 3 s, which is what a full budget of credits gives; the error 10028 and the end
 * of the session for one more; 32 connections of an address at a time. A test that is not answered with
 * `public/test` ends the connection; the venue does not say how soon.
 *
 * @see https://docs.deribit.com/articles/rate-limits (read 2026-11-21)
 * @see https://docs.deribit.com/articles/connection-management-best-practices (read 2026-11-21)
 * @see https://docs.deribit.com/api-reference/session-management/public-set_heartbeat (read 2026-11-21)
 * @category constants
 * @since 0.1.0
 */
export const deribit: Enforcement = {
  limits: [
    { of: "messages", per: "address", limit: 100, windowMillis: 5_000 },
    { of: "subscriptions", per: "address", limit: 10, windowMillis: 3_000 }
  ],
  isSubscription: (frame) => /^(public|private)\/(un)?subscribe/.test(String(membersOf(frame).method)),
  connections: 32,
  countsPings: false,
  excess: {
    error: (frame) => {
      const { id } = membersOf(frame)
      return JSON.stringify({
        jsonrpc: "2.0",
        id,
        error: { code: 10028, message: "too_many_requests" }
      })
    },
    close: { code: 1000, reason: "" }
  },
  tests: {
    isTest: (text) => text.includes("\"test_request\""),
    isAnswer: (frame) => membersOf(frame).method === "public/test",
    within: 10_000
  }
}

/**
 * Hyperliquid: 2,000 messages and 30 dials a minute and address, 10 connections
 * at a time; a connection ends to which the server has sent nothing for a
 * minute.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits (read 2026-11-21)
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/timeouts-and-heartbeats (read 2026-11-21)
 * @category constants
 * @since 0.1.0
 */
export const hyperliquid: Enforcement = {
  limits: [
    { of: "messages", per: "address", limit: 2_000, windowMillis: 60_000 },
    { of: "dials", per: "address", limit: 30, windowMillis: 60_000 }
  ],
  connections: 10,
  countsPings: false,
  excess: {
    error: () => JSON.stringify({ channel: "error", data: "Cannot send more than 2000 messages per minute." })
  },
  idle: 60_000
}

/**
 * dYdX v4: a ping every 30 s whose pong is due within 10 s. Its limits are on
 * messages that it cannot read, which the mock's own dialect counts.
 *
 * @see https://docs.dydx.exchange/api_integration-indexer/indexer_websocket#maintaining-a-connection (read 2026-11-21)
 * @category constants
 * @since 0.1.0
 */
export const dydx: Enforcement = {
  limits: [],
  countsPings: false,
  excess: {},
  pings: { every: 30_000, within: 10_000 }
}

const readObject = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

/** The members of a frame that is a JSON object; none of any other. */
const membersOf = (frame: Frame): { readonly [key: string]: unknown } => Option.getOrElse(readObject(frame), () => ({}))

/**
 * Counts against windows: `admits` is whether what happens at a time (epoch
 * milliseconds, never before an earlier one) is within every limit, and counts
 * it where it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counter {
  readonly admits: (at: number) => boolean
}

/**
 * Makes a counter that has counted nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeCounter = (limits: ReadonlyArray<Limit>): Counter => {
  const longest = Math.max(0, ...limits.map(({ windowMillis }) => windowMillis))
  let times: Array<number> = []
  return {
    admits: (at) => {
      times = times.filter((time) => time > at - longest)
      const isWithin = limits.every(({ limit, windowMillis }) =>
        times.filter((time) => time > at - windowMillis).length < limit
      )
      if (isWithin) times.push(at)
      return isWithin
    }
  }
}

/**
 * The most of the times that lie in any one window of so many milliseconds,
 * wherever it begins. Times in order.
 *
 * @category getters
 * @since 0.1.0
 */
export const mostWithin = (times: ReadonlyArray<number>, windowMillis: number): number => {
  let most = 0
  let first = 0
  for (const [last, time] of times.entries()) {
    while (time - (times[first] ?? time) >= windowMillis) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}
