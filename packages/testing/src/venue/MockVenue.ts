/**
 * A venue seen from its server's side: how it answers a client and what a tick
 * of the market looks like in its own words. Pure values, so that the mock
 * server speaks them over a socket and the virtual network over none.
 *
 * A venue is one file that makes one `MockVenue`; `MockVenues` lists them.
 *
 * @since 0.1.0
 */
import type { Frame } from "@tickline/core/transport/Frame"
import type { Enforcement } from "./Enforcement.ts"
import type { Listing } from "./Listing.ts"
import type { Market, Tick } from "./Market.ts"

/**
 * What one connection asked for: products by channel, in the venue's own names.
 * A channel without products has an empty set. `heard` is when the client's
 * latest frames came, in epoch milliseconds, where the venue limits them.
 * `terms` is how a subscription was asked for, in the venue's own words, where
 * it offers a choice: by a key of the venue's making.
 *
 * @category models
 * @since 0.1.0
 */
export interface Session {
  readonly channels: ReadonlyMap<string, ReadonlySet<string>>
  readonly heard?: ReadonlyArray<number> | undefined
  readonly terms?: ReadonlyMap<string, string> | undefined
}

/**
 * The session of a connection that has just opened.
 *
 * @category constructors
 * @since 0.1.0
 */
export const newSession: Session = { channels: new Map() }

/**
 * A frame for a client. `data` names what it carries where it is market data;
 * acknowledgements, errors and heartbeats have none. Only frames with `data`
 * are counted as sent and struck by the faults that take a data frame. `beat` is
 * whether it shows that the venue is alive; `bare` is the frame without its
 * data, of an acknowledgement that carries some. `isNumbered` is whether it
 * counts for venues that number what they send on a connection (default true).
 *
 * @category models
 * @since 0.1.0
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
 * them; and the path and query that the client dialled (default `/`).
 *
 * @category models
 * @since 0.1.0
 */
export interface Floor {
  readonly atMillis: number
  readonly market: (product: string) => Market | undefined
  readonly sent?: number | undefined
  readonly path?: string | undefined
}

/**
 * What a client's frame leads to: the session after it, the replies in order,
 * and the close frame that follows them where the venue will hear no more.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answer {
  readonly session: Session
  readonly replies: ReadonlyArray<Outgoing>
  readonly close?: { readonly code: number; readonly reason: string } | undefined
}

/**
 * A venue's server, as a value.
 *
 * @category models
 * @since 0.1.0
 */
export interface MockVenue {
  /** The venue's name in Tickline, such as `"coinbase-exchange"`. */
  readonly name: string
  /** How often `heartbeat` is due, in milliseconds, or `undefined` where the venue has none. */
  readonly heartbeatMillis: number | undefined
  /** The session of a connection that has just opened, where the address asks for channels; else `newSession`. */
  readonly open?: ((floor: Floor) => Session | undefined) | undefined
  /** What the venue says to a connection that has just opened; nothing where there is none. */
  readonly greet?: ((floor: Floor) => ReadonlyArray<Outgoing>) | undefined
  /** Answers a client's frame. */
  readonly receive: (session: Session, frame: Frame, floor: Floor) => Answer
  /**
   * The frames that a tick gives on the connection, in the venue's order; none
   * where it asked for none. The floor's market is that after the tick.
   */
  readonly publish: (session: Session, tick: Tick, floor: Floor) => ReadonlyArray<Outgoing>
  /** The heartbeats that are due on the connection. */
  readonly heartbeat: (session: Session, floor: Floor) => ReadonlyArray<Outgoing>
  /** A price by hand, as a message of the venue that carries one. */
  readonly price: (product: string, price: string, atMillis: number) => Outgoing
  /** What it does to clients that do not keep its rules. Default: nothing besides what `receive` does. */
  readonly enforcement?: Enforcement | undefined
  /** What it answers over HTTP. Default: nothing. */
  readonly listing?: Listing | undefined
  /** The data frame with its continuity broken, or `undefined` where it has nothing that proves any. */
  readonly corrupt: (text: string) => string | undefined
}

/**
 * The products that a session follows on any channel.
 *
 * @category getters
 * @since 0.1.0
 */
export const followed = (session: Session): ReadonlySet<string> => {
  const products = new Set<string>()
  for (const each of session.channels.values()) for (const product of each) products.add(product)
  return products
}

/**
 * Whether a session follows the product on the channel.
 *
 * @category predicates
 * @since 0.1.0
 */
export const follows = (session: Session, channel: string, product: string): boolean =>
  session.channels.get(channel)?.has(product) ?? false

/**
 * The session that follows the products on the channel besides what it did.
 *
 * @category combinators
 * @since 0.1.0
 */
export const follow = (session: Session, channel: string, products: Iterable<string>): Session => ({
  ...session,
  channels: new Map(session.channels).set(channel, new Set([...session.channels.get(channel) ?? [], ...products]))
})

/**
 * The session that no longer follows the products on the channel; the channel
 * as a whole where none are named.
 *
 * @category combinators
 * @since 0.1.0
 */
export const unfollow = (session: Session, channel: string, products: Iterable<string>): Session => {
  const gone = new Set(products)
  const left = new Set(
    [...session.channels.get(channel) ?? []].filter((product) => gone.size > 0 && !gone.has(product))
  )
  const channels = new Map(session.channels)
  if (left.size === 0) channels.delete(channel)
  else channels.set(channel, left)
  return { ...session, channels }
}

/**
 * A frame that carries no market data.
 *
 * @category constructors
 * @since 0.1.0
 */
export const notice = (message: object): Outgoing => ({ text: JSON.stringify(message), data: undefined })

/**
 * A frame that answers a ping.
 *
 * @category constructors
 * @since 0.1.0
 */
export const beat = (message: object): Outgoing => ({ ...notice(message), beat: true })

/**
 * A frame that carries market data of a product on a channel.
 *
 * @category constructors
 * @since 0.1.0
 */
export const data = (channel: string, product: string, message: object): Outgoing => ({
  text: JSON.stringify(message),
  data: { channel, product }
})

/**
 * Enters a client's frame at a time into the session: the session that knows of
 * it, or `undefined` where it is one more than `limit` in the window.
 *
 * @category combinators
 * @since 0.1.0
 */
export const countRequest = (
  session: Session,
  atMillis: number,
  { limit, windowMillis }: { readonly limit: number; readonly windowMillis: number }
): Session | undefined => {
  const heard = [...(session.heard ?? []).filter((at) => at > atMillis - windowMillis), atMillis]
  return heard.length > limit ? undefined : { ...session, heard }
}

/**
 * The text with its first `"sequence"` a thousand ahead, or `undefined` where
 * it has none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const breakSequence = (text: string): string | undefined => {
  const broken = text.replace(/"sequence":(\d+)/, (_, digits: string) => `"sequence":${BigInt(digits) + 1_000n}`)
  return broken === text ? undefined : broken
}
