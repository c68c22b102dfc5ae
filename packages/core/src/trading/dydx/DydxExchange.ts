/**
 * dYdX v4 as an `Exchange`: accounts, orders and executions through the indexer,
 * orders and cancellations as transactions that a node of the chain is given.
 *
 * - An order that may rest lives in the chain's state until a time, any other for
 *   ten blocks. What an answer did not come to is `absent` only once the indexer
 *   has passed the last block that may have it.
 * - `Acknowledged` is `pending`: a node takes a transaction before it is in a block.
 * - Our client id is a number below 2^32 there: itself if it is one, otherwise the
 *   first bytes of its SHA-256.
 * - A market order is one of ioc at the oracle's price and `slippage`. There are no
 *   fok orders and no amendments, and reduce-only is for what does not rest.
 *
 * It has been tested against a mock of the chain only, and never with real money.
 *
 * @see https://docs.dydx.xyz (read 2026-11-26)
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Reconnection } from "../../connection/Reconnection.ts"
import type { CircuitBreaker } from "../../resilience/CircuitBreaker.ts"
import { Governor } from "../../resilience/Governor.ts"
import type { SigningKeyError } from "../../session/Signer.ts"
import * as Address from "../../transport/Address.ts"
import { HttpPort } from "../../transport/HttpPort.ts"
import type { Transport } from "../../transport/Transport.ts"
import type * as Decimal from "../../value/Decimal.ts"
import { venue } from "../../venue/dydx/Venue.ts"
import { Exchange } from "../Exchange.ts"
import * as ExchangeProbe from "../internal/exchangeProbe.ts"
import { Reach } from "../internal/httpAsking.ts"
import * as OrderEntry from "../internal/orderEntry.ts"
import * as Signing from "./DydxSigning.ts"
import { Asking } from "./internal/asking.ts"
import { DydxGateway } from "./internal/dydxGateway.ts"
import * as SubaccountChannel from "./internal/subaccountChannel.ts"

/**
 * How the exchange is reached.
 *
 * - `mnemonic`: that of the account; its first key signs
 * - `subaccountNumber`: which of the account's is traded for. Default: 0
 * - `url`: the indexer, before its `/v4`
 * - `wsUrl`: its socket. Default: the indexer's host and port, and `/v4/ws`
 * - `nodeUrl`: a node of the chain, its REST interface. It says which chain is
 *   signed for
 * - `slippage`: of market orders, a share of the oracle's price. Default: 0.05
 * - `restsFor`: how long an order rests at most, up to 95 days. Default: 28 days
 * - `clientMetadata`: bits that go with each order, which the chain ignores and the
 *   indexer shows; the lowest says that an order is at the market. Default: 0
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly mnemonic: Redacted.Redacted<string>
  readonly subaccountNumber?: number | undefined
  readonly url: string
  readonly wsUrl?: string | undefined
  readonly nodeUrl: string
  readonly slippage?: Decimal.Decimal | undefined
  readonly restsFor?: Duration.Input | undefined
  readonly clientMetadata?: number | undefined
}

const standardSlippage = BigDecimal.make(5n, 2)

const trimmed = (url: string): string => url.replace(/\/+$/, "")

/**
 * Makes the exchange. Its socket is dialled when the first order is followed, and
 * ends with the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<
  Exchange["Service"],
  SigningKeyError,
  Scope.Scope | Transport | HttpPort | Reconnection | CircuitBreaker
> {
  const { clientMetadata = 0, mnemonic, restsFor = "28 days", slippage = standardSlippage, subaccountNumber = 0 } =
    options
  const wallet = yield* Effect.fromResult(Signing.wallet(mnemonic))
  const [indexer, node] = [trimmed(options.url), trimmed(options.nodeUrl)]
  const socket = options.wsUrl ?? `${indexer.replace(/^http/i, "ws").replace(/^(\w+:\/\/[^/?]*).*$/, "$1")}/v4/ws`
  const port = yield* HttpPort
  const governor = yield* Governor
  // Whoever asks the same indexer shares it.
  const limit = yield* governor.share(`${Address.origin(indexer)} requests`, venue.rest?.weights ?? [], port.network)
  const gateway = new DydxGateway({
    wallet,
    subaccountNumber,
    indexer,
    node,
    slippage,
    clientMetadata,
    restsForSeconds: Duration.toSeconds(Duration.fromInputUnsafe(restsFor)),
    asking: new Asking({
      port,
      clock: yield* Clock.Clock,
      reach: yield* Reach.make,
      limit: (url) => url.startsWith(`${indexer}/v4/`) ? limit : undefined
    }),
    notices: (yield* SubaccountChannel.make(socket, wallet.address, subaccountNumber)).of
  })
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
