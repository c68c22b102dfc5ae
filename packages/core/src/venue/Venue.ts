/**
 * What Tickline knows of a venue, as one value: where it is, how to ask it for
 * data and how to read what it says. A venue is pure: no I/O, no clock, no
 * memory from one frame to the next.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type * as Message from "../codec/Message.ts"
import type { FrameRejected } from "../codec/Rejection.ts"
import type { BookSnapshot, Level, Trade } from "../event/MarketData.ts"
import type { MarketEvent } from "../event/MarketEvent.ts"
import type { VenueError } from "../event/VenueMessage.ts"
import type * as Dialect from "../protocol/Dialect.ts"
import type { Continuity } from "../protocol/internal/continuity.ts"
import type { KeepAlive } from "../protocol/KeepAlive.ts"
import type { Limit } from "../protocol/Limit.ts"
import type * as Symbols from "../protocol/Symbols.ts"
import type { Window } from "../resilience/RollingLimit.ts"
import type { Frame } from "../transport/Frame.ts"
import type { Channel } from "../value/Channel.ts"
import type { OrderMessage, OrderSnapshot } from "./Orders.ts"

/**
 * The kinds of market data a consumer can ask for by one name at every venue.
 *
 * @category models
 * @since 0.1.0
 */
export type ChannelKind = "trade" | "ticker" | "book"

/**
 * A frame that asks a venue for channels or gives them up, and by what its
 * answer is known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ask extends Dialect.Ask {
  readonly text: string
}

/**
 * By what data is known on the wire: a name that its frames have, and the
 * product where products share the name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Topic {
  readonly name: string
  readonly product?: string | undefined
}

/**
 * How a channel of single orders is read, and their snapshot asked for over the
 * venue's REST interface.
 *
 * @category models
 * @since 0.1.0
 */
export interface OrderChannel {
  readonly channel: string
  /** Reads a frame: what it says of an order, nothing where it is of something else, or why it is refused. */
  readonly decode: (frame: Frame) => ReadonlyArray<OrderMessage> | FrameRejected
  readonly request: (product: string) => RestRequest
  readonly read: (body: string) => OrderSnapshot | FrameRejected
}

/**
 * What is to be known of a venue to keep its books, besides what shows that
 * nothing is missing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Books {
  /** The checksum of a book by its best levels, best first, in the venue's own digits. */
  readonly checksum?: ((asks: ReadonlyArray<Level>, bids: ReadonlyArray<Level>) => string) | undefined
  /** The depths to which a book can be subscribed to, if nothing is sent for levels that leave it. */
  readonly depths?: ReadonlyArray<number> | undefined
  /**
   * The depth to which a frame says that a product is subscribed to, and no depth if it says that it is not any more;
   * `undefined` of one that says neither.
   */
  readonly subscribedDepth?:
    | ((frame: Frame) => { readonly product: string; readonly depth: number | undefined } | undefined)
    | undefined
  /**
   * How deep the book of a channel is, if a connection can have one of a product alone: of several that are wanted the
   * deepest is asked for, and the others are cut from it.
   */
  readonly depthOf?: ((channel: Channel) => number | undefined) | undefined
  /** Whether the channel sends whole books or tops of books, each time: nothing shows that one is missing. */
  readonly isWhole?: ((channel: string) => boolean) | undefined
  /** How a channel of single orders is read, if it has one: its book is checked by the numbers of their messages. */
  readonly orders?: OrderChannel | undefined
  /** Whether its books may cross. */
  readonly mayCross?: boolean | undefined
}

/**
 * What a venue says of how a product trades, in its own word, such as
 * `"post_only"`: of a product, of a group of them, or of all if it names neither.
 * It holds for `lastsMillis` milliseconds, if the venue repeats it while it lasts
 * and does not say when it ends; else until another one.
 *
 * @category models
 * @since 0.1.0
 */
export interface TradingStatus {
  readonly of?: string | undefined
  readonly status: string
  /** Whether orders are matched as they come, so that what crosses has no place in the book. */
  readonly isContinuous: boolean
  readonly lastsMillis?: number | undefined
}

/**
 * How a venue says whether a product is in continuous trading.
 *
 * @category models
 * @since 0.1.0
 */
export interface Trading {
  /** Where the venue says so. */
  readonly source: string
  /** What a frame that has no market data says of it, if it does. */
  readonly read: (frame: Frame) => ReadonlyArray<TradingStatus>
  /** The group of which it is said together with others of a product, where there are groups. */
  readonly groupOf?: ((product: string) => string | undefined) | undefined
  /** The channel on which it is said of the product of a book, if that is to be asked for with the book. */
  readonly channelOf?: ((book: Channel) => Channel | undefined) | undefined
}

/**
 * How a venue numbers the frames of a connection, over all its channels.
 *
 * @category models
 * @since 0.1.0
 */
export interface Frames {
  /** The number of a frame, given the events that it was read to, if it could be; `undefined` of one without. */
  readonly numberOf: (frame: Frame, events: ReadonlyArray<MarketEvent>) => number | undefined
  /** Whether the number of a frame that answers a subscription is taken before those of data that is sent earlier. */
  readonly answersLate?: boolean | undefined
}

/**
 * A request of a venue's REST interface: the path with its query, what it weighs,
 * its body if it is sent by POST, and how long the answer may be, in bytes, if that
 * is more than is usual (16 MiB).
 *
 * @category models
 * @since 0.1.0
 */
export interface RestRequest {
  readonly path: string
  readonly weight: number
  readonly body?: string | undefined
  readonly mostBytes?: number | undefined
}

/**
 * Which trades are asked for: those of a product that come after the last one
 * that is known, or, if none is, from an instant on, in epoch milliseconds; and
 * before the first live one, as soon as one has come.
 *
 * @category models
 * @since 0.1.0
 */
export interface TradesAsked {
  readonly channel: string
  readonly product: string
  readonly after: Trade | undefined
  readonly sinceMillis: number
  readonly before: Trade | undefined
}

/**
 * The trades of one answer, the oldest first, and what is asked for next if more of
 * them may be had. `isWhole` says of the last one that the venue had all that were
 * asked for, where the trades do not show it.
 *
 * @category models
 * @since 0.1.0
 */
export interface TradesPage {
  readonly trades: ReadonlyArray<Trade>
  readonly next?: RestRequest | undefined
  readonly isWhole?: boolean | undefined
}

/**
 * How a venue is asked for trades that were missed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Trades {
  /** Where the venue says so. */
  readonly source: string
  /** How far back it goes, for people. */
  readonly reach: string
  /** The member whose digits rise from each trade to the next, though not one by one. Default: trades stand in order of time. */
  readonly rising?: "tradeId" | undefined
  /** Whether the trades of a channel can be asked for. */
  readonly offers: (channel: string) => boolean
  /** The first request. */
  readonly request: (asked: TradesAsked) => RestRequest
  /** Reads the body of the answer to a request. */
  readonly read: (body: string, asked: TradesAsked, request: RestRequest) => TradesPage | FrameRejected
}

/**
 * A venue's REST interface.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rest {
  /** Its base, which paths are put behind, such as `"https://api.binance.com"`. */
  readonly endpoint: string
  /** How much weight of requests each address has in any such window, with where the venue says so. */
  readonly weights: ReadonlyArray<Window & { readonly source: string }>
  /** The snapshot of a product's book, whose deltas are sent over the socket, if it is asked for here. */
  readonly book?: {
    /** How many levels of each side are asked for: as many as there can be. */
    readonly depth: number
    /** The path and query of the request, and what it weighs. */
    readonly request: (product: string, depth: number) => RestRequest
    /** Reads the body of the answer. */
    readonly read: (body: string, product: string) => BookSnapshot | FrameRejected
  } | undefined
  /** The trades of a product that were missed, if they can be asked for here. */
  readonly trades?: Trades | undefined
}

/**
 * A venue.
 *
 * @category models
 * @since 0.1.0
 */
export interface Venue {
  /** The venue's name in events and on the command line, such as `"coinbase-exchange"`. */
  readonly name: string
  /** The name for people. */
  readonly title: string
  /** Where its public data is, or `undefined` where a user must say. */
  readonly endpoint: string | undefined
  /** Where its documentation is. */
  readonly documentation: string
  /** How its prices are written: JSON strings, JSON numbers, or either. */
  readonly prices: "string" | "number" | "either"
  /** How it writes its symbols; absent if they are its server's own, which have no common names. */
  readonly symbols?: Symbols.Rule | undefined
  /** What shows that nothing of its books is missing; numbers of frames show it of all its channels. */
  readonly continuity: Continuity
  /** How it numbers its frames, if it does. */
  readonly frames?: Frames | undefined
  /**
   * The member by which the trades of a channel are numbered one by one, for each product; `undefined` of a channel whose
   * trades show nothing of each other. Default: none does.
   */
  readonly tradeNumber?: ((channel: string) => "tradeId" | "sequence" | undefined) | undefined
  /** What else is to be known to keep its books. */
  readonly books?: Books | undefined
  /** How it says on its channels whether a product is in continuous trading. Default: it does not. */
  readonly trading?: Trading | undefined
  /**
   * How it shows that a connection is alive. Where it sends beats on channels, `channels` says which to subscribe to for
   * products.
   */
  readonly keepAlive: KeepAlive<MarketEvent> & {
    readonly channels?: ((products: ReadonlyArray<string>) => ReadonlyArray<Channel>) | undefined
  }
  /** Its REST interface, as far as it is asked. */
  readonly rest?: Rest | undefined
  /** Its published limits: those in a window are kept by counting. */
  readonly limits: ReadonlyArray<Limit>
  /** After how long the venue ends a connection by itself, in milliseconds, or `undefined` where it does not. */
  readonly sessionMillis: number | undefined
  /** Whether an event announces that the venue is about to end the connection, so that another one is made before. */
  readonly endsSoon?: ((event: MarketEvent) => boolean) | undefined
  /**
   * The events whose `sequence` is the venue's own number of them, the same on each connection to it. Trades are known by
   * their ids. Default: none, as where frames are numbered by connection.
   */
  readonly sequenced?: ReadonlySet<MarketEvent["_tag"]> | undefined
  /** The venue's own channel for each kind that it offers. */
  readonly channels: Readonly<Partial<Record<ChannelKind, string>>>
  /** Those of its channels that are of all products at once, and are asked for without one. */
  readonly wholeChannels?: ReadonlySet<string> | undefined
  /**
   * The frames that subscribe to the channels, in the venue's dialect and batch
   * limits: none for none. Requests are numbered from `id` on.
   */
  readonly subscribe: (channels: ReadonlyArray<Channel>, id: number) => ReadonlyArray<Ask>
  /** The frames that end the subscriptions: none for none. */
  readonly unsubscribe: (channels: ReadonlyArray<Channel>, id: number) => ReadonlyArray<Ask>
  /**
   * Reads one frame: one event or more, in the frame's order, or the reason why
   * the frame was refused. A frame is all or nothing. Never throws.
   */
  readonly decode: (frame: Frame) => ReadonlyArray<MarketEvent> | FrameRejected
  /** The kinds of messages that it reads: what holds of every kind is tested of each of them. */
  readonly messages?: ReadonlyArray<Message.Message<MarketEvent>> | undefined
  /**
   * By what the data of a channel is known: any of these. Default, as for
   * `topicOf`: a channel that stands in `channels` has the market data of its
   * kind and product, and any other everything that might be its.
   */
  readonly topics?: ((channel: Channel) => ReadonlyArray<Topic>) | undefined
  /**
   * By what the data of a frame is known, given the events that it was read to;
   * `undefined` where it holds none. Its product is of events without one; where
   * it has none either, they are of every product that is wanted by the name.
   * Frames that came after this one may have been decoded before it is asked.
   */
  readonly topicOf?: ((frame: Frame, events: ReadonlyArray<MarketEvent>) => Topic | undefined) | undefined
  /**
   * The product as the venue itself writes it in the data of the channel, or why
   * it can have no such product. Default: as it is.
   */
  readonly normalise?: ((product: string, channel: string) => Result.Result<string, string>) | undefined
  /**
   * Whether a channel that is well may have nothing to say for minutes, from its
   * subscription on. Default: that of trades may.
   */
  readonly isQuiet?: ((channel: string) => boolean) | undefined
  /** What a channel is called in the venue's confirmations. Default: by its own name. */
  readonly answeredAs?: ((channel: string) => string) | undefined
  /**
   * Which subscription a frame refuses, where the venue says so otherwise than by
   * the id of the request: by members of its own, or in its words, of which a
   * function says whether they name a channel (`Dialect.mentions`). `undefined`
   * where it does not, and where the frame refuses none. Default: it names none.
   */
  readonly refused?:
    | ((frame: Frame, error: VenueError) => Partial<Channel> | ((channel: Channel) => boolean) | undefined)
    | undefined
}

// White space, control characters and what has no character at all are in no venue's symbols.
const unwritable = /[\s\p{C}]/u

/**
 * A product of a channel as the venue itself writes it, or why the venue can
 * have no such product.
 *
 * @category getters
 * @since 0.1.0
 */
export const normalise = (venue: Venue, product: string, channel: string): Result.Result<string, string> => {
  if (product === "") return Result.fail("an empty text is no product")
  if (unwritable.test(product)) return Result.fail("a product has no white space and no control characters")
  return venue.normalise?.(product, channel) ?? Result.succeed(product)
}

/**
 * The channel with its product as the venue itself writes it, and as it is where
 * the venue can have no such product.
 *
 * @category getters
 * @since 0.1.0
 */
export const normalised = (venue: Venue, channel: Channel): Channel => {
  if (channel.product === undefined) return channel
  const product = Result.getOrElse(normalise(venue, channel.product, channel.channel), () => channel.product)
  return product === undefined || product === channel.product ? channel : { channel: channel.channel, product }
}

/**
 * The channel of a venue for a product, by the channel's own name: with the
 * product as the venue writes it, and without where the channel is of all of
 * them.
 *
 * @category getters
 * @since 0.1.0
 */
export const channelOf = (venue: Venue, name: string, product: string): Channel =>
  venue.wholeChannels?.has(name) ? { channel: name } : normalised(venue, { channel: name, product })
