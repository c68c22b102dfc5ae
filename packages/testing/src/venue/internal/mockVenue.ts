/** A venue seen from its server's side, as pure values. `MockVenue` exports them. */
import type { Rule } from "@tickline/core/protocol/Symbols"
import type { Frame } from "@tickline/core/transport/Frame"
import type { Enforcement } from "../Enforcement.ts"
import type { Answer as HttpAnswer, Listing, Question } from "../Listing.ts"
import type { Market, Tick } from "../Market.ts"

/**
 * What one connection asked for: products by channel, in the venue's own names.
 * A channel without products has an empty set. `heard` is when the client's
 * latest frames came, in epoch milliseconds, where the venue limits them.
 * `terms` is how a subscription was asked for, in the venue's own words, where
 * it offers a choice: by a key of the venue's making.
 */
export interface Session {
  readonly channels: ReadonlyMap<string, ReadonlySet<string>>
  readonly heard?: ReadonlyArray<number> | undefined
  readonly terms?: ReadonlyMap<string, string> | undefined
}

/**
 * The session of a connection that has just opened.
 */
export const newSession: Session = { channels: new Map() }

/**
 * A frame for a client. `data` names what it carries where it is market data;
 * acknowledgements, errors and heartbeats have none. Only frames with `data`
 * are counted as sent and struck by the faults that take a data frame. `beat` is
 * whether it shows that the venue is alive; `bare` is the frame without its
 * data, of an acknowledgement that carries some. `isNumbered` is whether it
 * counts for venues that number what they send on a connection (default true).
 */
export interface Outgoing {
  readonly text: string
  readonly data: { readonly product: string; readonly channel: string } | undefined
  readonly beat?: boolean | undefined
  readonly bare?: string | undefined
  readonly isNumbered?: boolean | undefined
}

/**
 * What a venue may look at when it answers: the time in epoch milliseconds; a
 * product's market, or `undefined` where it does not list the product; how
 * many frames it has sent on the connection (default 0), for venues that number
 * them; the path and query that the client dialled (default `/`); and the venue's
 * word for how a product trades, or all of them, while that is not continuously.
 */
export interface Floor {
  readonly atMillis: number
  readonly market: (product: string) => Market | undefined
  readonly sent?: number | undefined
  readonly path?: string | undefined
  readonly tradingStatus?: ((product?: string | undefined) => string | undefined) | undefined
}

/**
 * What a client's frame leads to: the session after it, the replies in order,
 * and the close frame that follows them where the venue will hear no more.
 */
export interface Answer {
  readonly session: Session
  readonly replies: ReadonlyArray<Outgoing>
  readonly close?: { readonly code: number; readonly reason: string } | undefined
}

/** What the gateway of a venue has of the server that it is part of. */
export interface GatewayHost {
  readonly wallMillis: () => number
  /** Runs something so many milliseconds from now. */
  readonly after: (millis: number, run: () => void) => void
  readonly markets: () => ReadonlyArray<Market>
  /** Makes a product's market this one, and tells all who follow it. */
  readonly publish: (market: Market) => void
  /** Says how a product trades, or all of them: see `VenueServer.tradingStatus`. */
  readonly tradingStatus: (status: string | undefined, product?: string | undefined) => void
}

/** The server's end of a connection, as a gateway has it. */
export interface GatewayLine {
  /** What the connection asked for. */
  readonly session: () => Session
  /** How many frames that count were sent on it, for venues that number them. */
  readonly sent: () => number
  readonly send: (outgoing: Outgoing, isAnswer: boolean) => void
  readonly close: (code: number, reason: string) => void
  /** Cuts the connection. */
  readonly drop: () => void
  /** Runs something so many milliseconds from now, whether or not the connection is still open. */
  readonly after: (millis: number, run: () => void) => void
}

/** The way back to who asked over HTTP. It is gone once, if it ever is; one that is dropped sees the connection cut. */
export interface HttpReply {
  readonly answer: (answer: HttpAnswer) => void
  readonly drop: () => void
}

/** The gateway's part of a conversation. */
export interface GatewaySession {
  /** Answers a client's frame, or gives the frame that the venue is to `receive` in its place. */
  readonly receive: (frame: Frame) => Frame | undefined
  /** The connection has ended. */
  readonly ended: () => void
}

/**
 * The way of orders into a venue, and everything else of it that has accounts. It makes the markets: what moves one goes
 * through it, and it publishes what comes of that.
 */
export interface Gateway {
  readonly open: (line: GatewayLine) => GatewaySession
  readonly move: (market: Market) => void
  /**
   * Takes a question over HTTP, and answers it now, later or never: `false` if it is none of the gateway's, but of the
   * venue's `listing`. Default: none is.
   */
  readonly ask?: ((question: Question, reply: HttpReply) => boolean) | undefined
}

/**
 * A venue's server, as a value.
 */
export interface MockVenue {
  /** The venue's name in Tickline, such as `"coinbase-exchange"`. */
  readonly name: string
  /** How it writes its symbols; absent if they have no common names. */
  readonly symbols?: Rule | undefined
  /** How often `heartbeat` is due, in milliseconds, or `undefined` where the venue has none. */
  readonly heartbeatMillis: number | undefined
  /** The session of a connection that has just opened, where the address asks for channels; else `newSession`. */
  readonly open?: ((floor: Floor) => Session | undefined) | undefined
  /** What the venue says to a connection that has just opened; nothing where there is none. */
  readonly greet?: ((floor: Floor) => ReadonlyArray<Outgoing>) | undefined
  /** What it says to a connection that it is about to end; nothing where it says nothing. */
  readonly farewell?: ((floor: Floor) => Outgoing) | undefined
  /** Answers a client's frame. */
  readonly receive: (session: Session, frame: Frame, floor: Floor) => Answer
  /**
   * The frames that a tick gives on the connection, in the venue's order; none
   * where it asked for none. The floor's market is that after the tick.
   */
  readonly publish: (session: Session, tick: Tick, floor: Floor) => ReadonlyArray<Outgoing>
  /** The heartbeats that are due on the connection. */
  readonly heartbeat: (session: Session, floor: Floor) => ReadonlyArray<Outgoing>
  /**
   * What it says on the connection when a product comes to trade in another way, or all of them do: by the floor's word,
   * or continuously if that has none. Default: nothing.
   */
  readonly status?:
    | ((session: Session, product: string | undefined, floor: Floor) => ReadonlyArray<Outgoing>)
    | undefined
  /** How often it says so again while it lasts, in milliseconds. Default: once. */
  readonly statusMillis?: number | undefined
  /** A price by hand, as a message of the venue that carries one. */
  readonly price: (product: string, price: string, atMillis: number) => Outgoing
  /** What it does to clients that do not keep its rules. Default: nothing besides what `receive` does. */
  readonly enforcement?: Enforcement | undefined
  /** Its gateway, made for a server. Default: it has none, and takes no orders. */
  readonly gateway?: ((host: GatewayHost) => Gateway) | undefined
  /** What it answers over HTTP. Default: nothing. */
  readonly listing?: Listing | undefined
  /** The data frame with its continuity broken, or `undefined` where it has nothing that proves any. */
  readonly corrupt: (text: string) => string | undefined
}

/** The products that a session follows on any channel. */
export const followed = (session: Session): ReadonlySet<string> => {
  const products = new Set<string>()
  for (const each of session.channels.values()) for (const product of each) products.add(product)
  return products
}
