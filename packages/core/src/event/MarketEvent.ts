/**
 * The unions of the events that flow through the house: what carries prices,
 * everything that a frame can give, what happened to the connection in between,
 * and all of them together.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { FrameRejected } from "../codec/Rejection.ts"
import { Book } from "./Book.ts"
import { BreakerEvent, ConnectionEvent, Gap, Rotated, Stale } from "./Lifecycle.ts"
import { BookDelta, BookSnapshot, PriceUpdate, Ticker, Trade } from "./MarketData.ts"
import { Heartbeat, Other, Response, Subscribed, Unsubscribed, VenueError } from "./VenueMessage.ts"

/**
 * The five events that carry prices.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MarketData = Schema.Union([Trade, Ticker, BookSnapshot, BookDelta, PriceUpdate])

/**
 * The five events that carry prices.
 *
 * @category models
 * @since 0.1.0
 */
export type MarketData = typeof MarketData.Type

/**
 * Everything that a well-formed frame can give.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MarketEvent = Schema.Union([
  Trade,
  Ticker,
  BookSnapshot,
  BookDelta,
  PriceUpdate,
  Heartbeat,
  Subscribed,
  Unsubscribed,
  VenueError,
  Response,
  Other
])

/**
 * Everything that a well-formed frame can give.
 *
 * @category models
 * @since 0.1.0
 */
export type MarketEvent = typeof MarketEvent.Type

/**
 * Every event that the runner can print.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AnyEvent = Schema.Union([
  ...MarketEvent.members,
  Book,
  FrameRejected,
  ConnectionEvent,
  BreakerEvent,
  Gap,
  Rotated,
  Stale
])

/**
 * Every event that the runner can print.
 *
 * @category models
 * @since 0.1.0
 */
export type AnyEvent = typeof AnyEvent.Type

/**
 * Returns whether the event carries prices (and counts for `--count`).
 *
 * @category guards
 * @since 0.1.0
 */
export const isMarketData = (event: AnyEvent): event is MarketData => {
  switch (event._tag) {
    case "Trade":
    case "Ticker":
    case "BookSnapshot":
    case "BookDelta":
    case "PriceUpdate":
      return true
    default:
      return false
  }
}
