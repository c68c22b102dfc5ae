/**
 * Coinbase Advanced Trade as an `Exchange`: orders over REST, each request signed
 * by itself, and notices of them over the socket, executions from REST.
 *
 * Our client id is the venue's `client_order_id`, of 1 to 128 printable characters,
 * and unique there: an order under one that is in use is not taken, and the venue
 * answers with the order that has it. Amounts are in the base asset.
 *
 * An order has no bound after which it cannot be taken. One whose answer did not
 * come is `absent` if the venue, asked 2 s after the answer was due or later, does
 * not know it.
 *
 * What the venue does not have is `NotSent`: reduce-only, and market orders that are
 * fok, of spot. Edits are of limit orders that stand until they are cancelled.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/introduction (read 2026-11-26)
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { AuthError } from "../../connection/ConnectError.ts"
import type { Reconnection } from "../../connection/Reconnection.ts"
import type { CircuitBreaker } from "../../resilience/CircuitBreaker.ts"
import { Governor } from "../../resilience/Governor.ts"
import * as CoinbaseJwt from "../../session/CoinbaseJwt.ts"
import type { SigningKeyError } from "../../session/Signer.ts"
import { HttpPort } from "../../transport/HttpPort.ts"
import type { Transport } from "../../transport/Transport.ts"
import { Exchange } from "../Exchange.ts"
import * as ExchangeProbe from "../internal/exchangeProbe.ts"
import { Reach } from "../internal/httpAsking.ts"
import * as OrderEntry from "../internal/orderEntry.ts"
import { CoinbaseGateway } from "./internal/coinbaseGateway.ts"
import { Rest } from "./internal/rest.ts"
import * as UserChannel from "./internal/userChannel.ts"

/**
 * How the exchange is reached.
 *
 * - `keyName`, `keySecret`: the API key; see `CoinbaseJwt.Credentials`
 * - `url`: what comes before the venue's own paths. Real money is `live`
 * - `wsUrl`: the socket of the user's channels. Default: the same host and port
 * - `plaintextHosts`: hosts, besides loopback, to which tokens may travel over
 *   plain `http://` and `ws://`
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly keyName: string
  readonly keySecret: Redacted.Redacted<string>
  readonly url: string
  readonly wsUrl?: string | undefined
  readonly plaintextHosts?: ReadonlyArray<string> | undefined
}

/**
 * The venue's own addresses: what is sent there is done with real money.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview (read 2026-11-26)
 * @category constants
 * @since 0.1.0
 */
export const live = {
  url: "https://api.coinbase.com",
  wsUrl: "wss://advanced-trade-ws-user.coinbase.com"
} as const

/**
 * Requests of one user, to what needs a key.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/rest-api (read 2026-11-26)
 */
const windows = [{ limit: 30, windowMillis: 1_000 }]

/** A URL's host and port, over the socket. */
const socketAt = (url: string): string => url.replace(/^http/, "ws").replace(/^(\w+:\/\/[^/?]*).*$/, "$1")

/**
 * Makes the exchange. Its socket is dialled when the first order is followed, and
 * ends with the scope. A key that the venue refuses is refused for good: nothing
 * more is asked.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  { keyName, keySecret, plaintextHosts, url, wsUrl }: Options
): Effect.fn.Return<
  Exchange["Service"],
  SigningKeyError,
  Scope.Scope | Transport | HttpPort | Reconnection | CircuitBreaker
> {
  const jwt = yield* CoinbaseJwt.make({ keyName, keySecret })
  const http = yield* HttpPort
  const governor = yield* Governor
  const channel = yield* UserChannel.make(
    wsUrl ?? socketAt(url),
    jwt,
    plaintextHosts
  )
  const rest = new Rest(
    {
      http,
      base: url.replace(/\/+$/, ""),
      jwt,
      // The same user, by whichever address.
      limit: yield* governor.share(`coinbase ${keyName}`, windows, http.network),
      clock: yield* Clock.Clock,
      plaintextHosts,
      onRefused: (detail) => channel.end({ _tag: "Over", error: new AuthError({ detail }) })
    },
    yield* Reach.make
  )
  const gateway = new CoinbaseGateway(rest, channel)
  return OrderEntry.make(gateway, yield* ExchangeProbe.make(gateway))
})

/**
 * The exchange as a layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<Exchange, SigningKeyError, Transport | HttpPort | Reconnection | CircuitBreaker> =>
  Layer.effect(Exchange, make(options))
