/**
 * A venue seen from its server's side: how it answers a client and what a tick
 * of the market looks like in its own words. Pure values, so that the mock
 * server speaks them over a socket and the virtual network over none.
 *
 * A venue is one file that makes one `MockVenue`; `MockVenues` lists them.
 *
 * **Example** (a quote of a venue in a virtual test)
 *
 * ```ts
 * const network = yield* VirtualNetwork.Network
 * const mock = yield* MockVenue.serve(network, "wss://kraken.test", MockKraken.make())
 * // the application subscribes to the ticker of BTC-USD there, and is told:
 * yield* mock.quote("BTC-USD", "43250.10", "43250.20")
 * ```
 *
 * @since 0.1.0
 */
import type { Window } from "@tickline/core/resilience/RollingLimit"
import type * as Effect from "effect/Effect"
import type { VirtualNetwork } from "../network/VirtualNetwork.ts"
import type { MockVenue, Outgoing, Session } from "./internal/mockVenue.ts"
import * as VirtualVenue from "./internal/virtualVenue.ts"

/**
 * A venue's server as a value, and what it deals with: the `Session` of one
 * connection, the `Outgoing` frames for a client, the `Floor` that it may look
 * at when it answers, and the `Answer`.
 *
 * @category models
 * @since 0.1.0
 */
export type { Answer, Floor, MockVenue, Outgoing, Session } from "./internal/mockVenue.ts"

/**
 * The gateway of a venue that takes orders, its part of one conversation, and what
 * each of them is given.
 *
 * @category models
 * @since 0.1.0
 */
export type { Gateway, GatewayHost, GatewayLine, GatewaySession, HttpReply } from "./internal/mockVenue.ts"

/**
 * The session of a connection that has just opened.
 *
 * @category constructors
 * @since 0.1.0
 */
export { newSession } from "./internal/mockVenue.ts"

/**
 * The products that a session follows on any channel.
 *
 * @category getters
 * @since 0.1.0
 */
export { followed } from "./internal/mockVenue.ts"

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
 * it, or `undefined` where it is one more than a window's `limit`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const countRequest = (
  session: Session,
  atMillis: number,
  windows: ReadonlyArray<Window>
): Session | undefined => {
  const longest = Math.max(0, ...windows.map(({ windowMillis }) => windowMillis))
  const heard = [...(session.heard ?? []).filter((at) => at > atMillis - longest), atMillis]
  const isWithin = windows.every(({ limit, windowMillis }) =>
    heard.filter((at) => at > atMillis - windowMillis).length <= limit
  )
  return isWithin ? { ...session, heard } : undefined
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

/**
 * A venue on a virtual network: what a test has it do, and what it came to.
 *
 * @category models
 * @since 0.1.0
 */
export type Served = VirtualVenue.Served

/**
 * How a venue is served. Everything has a default: what `Market.listedBy`
 * gives, seed 0, and a market that stands still until `quote` or `trade` moves
 * it.
 *
 * @category models
 * @since 0.1.0
 */
export type ServeOptions = VirtualVenue.ServeOptions

/**
 * Serves a venue on a virtual network, under its URL. It greets, answers,
 * quotes and beats as the venue does; any number of them on one network.
 *
 * @category running
 * @since 0.1.0
 */
export const serve: (
  network: VirtualNetwork,
  url: string,
  mock: MockVenue,
  options?: ServeOptions | undefined
) => Effect.Effect<Served> = VirtualVenue.serve
