/**
 * Hyperliquid as an `Exchange`. Orders are signed, and written over the socket, or
 * over HTTP while there is no socket; what is asked is asked over HTTP.
 *
 * Our client id is the venue's `cloid`: `0x` and 32 lower-case hexadecimal digits.
 * An order bears its deadline as `expiresAfter`: it is `absent` only if the venue
 * was asked after that. An amendment gives an order another number; amounts and
 * executions are told of all numbers of a client id together.
 *
 * A market order is one that takes at once, up to `slippage` from the other side's
 * best price.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/exchange-endpoint (read 2026-11-26)
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/nonces-and-api-wallets (read 2026-11-26)
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Connection from "../../connection/Connection.ts"
import type { Reconnection } from "../../connection/Reconnection.ts"
import * as Requests from "../../connection/Requests.ts"
import type { CircuitBreaker } from "../../resilience/CircuitBreaker.ts"
import { Governor } from "../../resilience/Governor.ts"
import * as Signer from "../../session/Signer.ts"
import * as Address from "../../transport/Address.ts"
import { HttpPort } from "../../transport/HttpPort.ts"
import type { Transport } from "../../transport/Transport.ts"
import type * as Decimal from "../../value/Decimal.ts"
import { venue } from "../../venue/hyperliquid/Venue.ts"
import { Exchange } from "../Exchange.ts"
import * as OrderEntry from "../internal/orderEntry.ts"
import { NonceStore } from "../NonceStore.ts"
import * as Signing from "./HyperliquidSigning.ts"
import { Account } from "./internal/account.ts"
import { Amendments } from "./internal/amendments.ts"
import { Calls } from "./internal/calls.ts"
import { HyperliquidGateway } from "./internal/hyperliquidGateway.ts"
import * as Messages from "./internal/messages.ts"
import * as Notices from "./internal/notices.ts"

/**
 * How the exchange is reached.
 *
 * - `key`: the private key of a wallet or an API wallet, 32 bytes in hexadecimal.
 *   One process signs with it at a time: see `NonceStore`
 * - `account`: the address that an API wallet signs for. Default: the venue is asked
 * - `vault`: the vault or sub-account that is traded for. Default: the account
 * - `network`: which one is signed for. Default: the main net
 * - `url`: what comes before `/info` and `/exchange`. Real money is `live`
 * - `socketUrl`: default that of the same host and port, `ws` or `wss`, with the path `/ws`
 * - `slippage`: of market orders, a share of the price. Default: 0.05
 * - `label`: what logs and metrics call it. Default: `hyperliquid`
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly key: Redacted.Redacted<string>
  readonly account?: string | undefined
  readonly vault?: string | undefined
  readonly network?: Signing.Network | undefined
  readonly url: string
  readonly socketUrl?: string | undefined
  readonly slippage?: Decimal.Decimal | undefined
  readonly label?: string | undefined
}

/**
 * An address that is none: `0x` and 40 hexadecimal digits were expected.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidAddress extends Schema.TaggedError<InvalidAddress>()("InvalidAddress", {
  member: Schema.Literals(["account", "vault"])
}) {
  override get message(): string {
    return `the ${this.member} is no address: expected 0x and 40 hexadecimal digits`
  }
}

const addressForm = /^0x[0-9a-f]{40}$/i

const addressIn = (
  member: InvalidAddress["member"],
  text: string | undefined
): Effect.Effect<string | undefined, InvalidAddress> =>
  text === undefined || addressForm.test(text)
    ? Effect.succeed(text?.toLowerCase())
    : Effect.fail(new InvalidAddress({ member }))

/**
 * The venue's main net: what is sent there is done with real money.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api (read 2026-11-26)
 * @category constants
 * @since 0.1.0
 */
export const live = { network: "mainnet", url: "https://api.hyperliquid.xyz" } as const

/**
 * The venue's test net.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api (read 2026-11-26)
 * @category constants
 * @since 0.1.0
 */
export const testnet = { network: "testnet", url: "https://api.hyperliquid-testnet.xyz" } as const

const standardSlippage = BigDecimal.make(5n, 2)

/** A request is counted by the venue when it arrives, which is later than when it was sent. */
const transitMillis = 1_000

/**
 * Makes the exchange. Its socket is dialled when the first command is given, and
 * ends with the scope. An answer that comes too late is logged, with its id.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<
  Exchange["Service"],
  Signer.SigningKeyError | InvalidAddress,
  Scope.Scope | Transport | HttpPort | NonceStore | Reconnection | CircuitBreaker
> {
  const { key, label = venue.name, network = "mainnet", slippage = standardSlippage } = options
  const rest = options.url.replace(/\/+$/, "")
  const socketUrl = options.socketUrl ?? `${Address.origin(rest).replace(/^http/i, "ws")}/ws`
  const signer = yield* Effect.fromResult(Signer.secp256k1(key))
  const vault = yield* addressIn("vault", options.vault)
  const account = yield* addressIn("account", options.account)
  const port = yield* HttpPort
  const { share } = yield* Governor
  const weights = yield* share(
    `${Address.origin(rest)} weight`,
    (venue.rest?.weights ?? []).map(({ limit, windowMillis }) => ({
      limit,
      windowMillis: windowMillis + transitMillis
    })),
    port.network
  )
  const amendments = new Amendments()
  const notices = yield* Notices.make((order) => amendments.record(order))
  const connection = yield* Connection.make(socketUrl, {
    label,
    decode: Messages.decode,
    dialect: Messages.dialect,
    keepAlive: Messages.keepAlive,
    limits: venue.limits,
    observers: [notices.observer]
  })
  const requests = yield* Requests.make(connection, Messages.idOf)
  yield* Effect.forkScoped(
    Stream.runForEach(
      requests.unmatched,
      (message) =>
        Effect.annotateLogs(Effect.logWarning("an answer came too late"), { id: Messages.idOf(message) ?? "" })
    ),
    { startImmediately: true }
  )
  const calls = new Calls({
    rest,
    network,
    vault,
    signer,
    address: Signing.addressOf(signer),
    port,
    nonces: yield* NonceStore,
    connection,
    requests,
    weights,
    clock: yield* Clock.Clock
  })
  return OrderEntry.make(
    new HyperliquidGateway({
      calls,
      notices,
      amendments,
      account: new Account(calls, { account: vault ?? account, amendments, slippage }),
      scope: yield* Effect.scope
    })
  )
})

/**
 * The exchange as a layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<
  Exchange,
  Signer.SigningKeyError | InvalidAddress,
  Transport | HttpPort | NonceStore | Reconnection | CircuitBreaker
> => Layer.effect(Exchange, make(options))
