/**
 * Signs what dYdX v4's chain is asked to do: orders and their cancellations, each
 * alone in a transaction. The encoding is our own, from the chain's public
 * description.
 *
 * **Example** (an order that is cancelled again after ten blocks)
 *
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import * as Result from "effect/Result"
 * import * as DydxSigning from "@tickline/core/trading/dydx/DydxSigning"
 *
 * const signed = Result.map(DydxSigning.wallet(Redacted.make("mirror actor skill …")), (wallet) => {
 *   const orderId = { owner: wallet.address, subaccountNumber: 0, clientId: 7, orderFlags: 0, clobPairId: 0 }
 *   const order = { orderId, side: 1, quantums: 10_000_000n, subticks: 40_000_000_000n, goodTilBlock: 1_010 } as const
 *   return DydxSigning.sign(wallet, DydxSigning.placing({ ...order, timeInForce: 1 }), {
 *     chainId: "dydx-mainnet-1",
 *     accountNumber: 12n,
 *     sequence: 0n
 *   })
 * })
 * ```
 *
 * @see https://github.com/dydxprotocol/v4-chain/tree/main/proto/dydxprotocol/clob (read 2026-11-26)
 * @see https://docs.cosmos.network/sdk/latest/guides/reference/signing (read 2026-11-26)
 * @since 0.1.0
 */
import { sha1 } from "@noble/hashes/legacy.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { DigestSigner, SigningKeyError } from "../../session/Signer.ts"
import * as Keys from "./internal/keys.ts"
import * as Protobuf from "./internal/protobuf.ts"

/**
 * What signs for an address. `publicKey` is of 33 bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Wallet {
  readonly address: string
  readonly publicKey: Uint8Array
  readonly signDigest: DigestSigner["signDigest"]
}

/**
 * The wallet of a mnemonic: its first key, by m/44'/118'/0'/0/0. Its words are not
 * looked up, so that a wrong one gives another address.
 *
 * @category constructors
 * @since 0.1.0
 */
export const wallet = (mnemonic: Redacted.Redacted<string>): Result.Result<Wallet, SigningKeyError> =>
  Result.map(Keys.ofMnemonic(mnemonic), ({ publicKey, signDigest }) => ({ ...Keys.addressOf(publicKey), signDigest }))

/**
 * The address of a public key, of 33 bytes or 65.
 *
 * @category getters
 * @since 0.1.0
 */
export const addressOf = (publicKey: Uint8Array): string => Keys.addressOf(publicKey).address

/**
 * Which order is meant: `clientId` is a whole number below 2^32, and `orderFlags`
 * 0 of one that lives for a few blocks at most, 64 of one that rests.
 *
 * @category models
 * @since 0.1.0
 */
export interface OrderId {
  readonly owner: string
  readonly subaccountNumber: number
  readonly clientId: number
  readonly orderFlags: number
  readonly clobPairId: number
}

/**
 * The number that the chain knows a client id by: the client id if it is a whole
 * number below 2^32, otherwise the first four bytes of its SHA-256.
 *
 * @category getters
 * @since 0.1.0
 */
export { clientNumber } from "./internal/clientNumber.ts"

/**
 * Until when something stands: until a block, or until a second since 1970. The
 * one is of short-term orders, the other of those that rest.
 *
 * @category models
 * @since 0.1.0
 */
export type GoodTil =
  | { readonly goodTilBlock: number; readonly goodTilBlockTime?: undefined }
  | { readonly goodTilBlockTime: number; readonly goodTilBlock?: undefined }

/**
 * An order in the chain's units.
 *
 * - `side`: 1 buys, 2 sells
 * - `timeInForce`: 1 is immediate or cancel, 2 post-only. Default: 0, it may rest
 * - `clientMetadata`: bits that the chain ignores, from which the indexer infers
 *   what kind of order it is: 1 is a market order. Default: 0
 *
 * @category models
 * @since 0.1.0
 */
export type Order = GoodTil & {
  readonly orderId: OrderId
  readonly side: 1 | 2
  readonly quantums: bigint
  readonly subticks: bigint
  readonly timeInForce?: 0 | 1 | 2 | undefined
  readonly reduceOnly?: boolean | undefined
  readonly clientMetadata?: number | undefined
}

/**
 * A message of a transaction: its type and its bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Message {
  readonly typeUrl: string
  readonly value: Uint8Array
}

const encodeId = ({ clientId, clobPairId, orderFlags, owner, subaccountNumber }: OrderId): Uint8Array =>
  Protobuf.message(
    1,
    Protobuf.message(1, Protobuf.bytes(1, owner), Protobuf.uint(2, subaccountNumber)),
    Protobuf.fixed32(2, clientId),
    Protobuf.uint(3, orderFlags),
    Protobuf.uint(4, clobPairId)
  )

const encodeGoodTil = ({ goodTilBlock, goodTilBlockTime }: GoodTil, block: number): Uint8Array =>
  goodTilBlock === undefined ? Protobuf.fixed32(block + 1, goodTilBlockTime) : Protobuf.uint(block, goodTilBlock)

/**
 * The message that places an order.
 *
 * @category encoding
 * @since 0.1.0
 */
export const placing = (order: Order): Message => {
  const { clientMetadata = 0, orderId, quantums, reduceOnly = false, side, subticks, timeInForce = 0 } = order
  return {
    typeUrl: "/dydxprotocol.clob.MsgPlaceOrder",
    value: Protobuf.message(
      1,
      encodeId(orderId),
      Protobuf.uint(2, side),
      Protobuf.uint(3, quantums),
      Protobuf.uint(4, subticks),
      encodeGoodTil(order, 5),
      Protobuf.uint(7, timeInForce),
      Protobuf.uint(8, reduceOnly),
      Protobuf.uint(9, clientMetadata)
    )
  }
}

/**
 * The message that cancels an order. It stands until the order's own end, or later.
 *
 * @category encoding
 * @since 0.1.0
 */
export const cancelling = (order: GoodTil & { readonly orderId: OrderId }): Message => ({
  typeUrl: "/dydxprotocol.clob.MsgCancelOrder",
  value: concatBytes(encodeId(order.orderId), encodeGoodTil(order, 2))
})

/**
 * What a transaction is signed with.
 *
 * - `accountNumber`, `sequence`: those that the chain has for the address
 * - `timeoutHeight`: the last block that may have it. Default: there is none
 * - `gasLimit`: what it may use at most. Orders cost none. Default: 1,000,000
 *
 * @category models
 * @since 0.1.0
 */
export interface Terms {
  readonly chainId: string
  readonly accountNumber: bigint
  readonly sequence: bigint
  readonly timeoutHeight?: number | undefined
  readonly gasLimit?: bigint | undefined
}

const any = (number: number, { typeUrl, value }: Message): Uint8Array =>
  Protobuf.message(number, Protobuf.bytes(1, typeUrl), Protobuf.bytes(2, value))

/** What signs it: `SIGN_MODE_DIRECT`. */
const direct = Protobuf.message(2, Protobuf.message(1, Protobuf.uint(1, 1)))

/**
 * The digest that is signed of a transaction: of its body and of what authorises
 * it, as they are written, for a chain and an account.
 *
 * @category encoding
 * @since 0.1.0
 */
export const digest = (
  body: Uint8Array,
  authority: Uint8Array,
  { accountNumber, chainId }: Pick<Terms, "accountNumber" | "chainId">
): Uint8Array =>
  sha256(concatBytes(
    Protobuf.bytes(1, body),
    Protobuf.bytes(2, authority),
    Protobuf.bytes(3, chainId),
    Protobuf.uint(4, accountNumber)
  ))

/**
 * A transaction of one message, signed: what a node takes.
 *
 * @category encoding
 * @since 0.1.0
 */
export const sign = (
  { publicKey, signDigest }: Wallet,
  message: Message,
  { accountNumber, chainId, gasLimit = 1_000_000n, sequence, timeoutHeight = 0 }: Terms
): Uint8Array => {
  const body = concatBytes(any(1, message), Protobuf.uint(3, timeoutHeight))
  const key = { typeUrl: "/cosmos.crypto.secp256k1.PubKey", value: Protobuf.bytes(1, publicKey) }
  const authority = concatBytes(
    Protobuf.message(1, any(1, key), direct, Protobuf.uint(3, sequence)),
    Protobuf.message(2, Protobuf.uint(2, gasLimit))
  )
  const { r, s } = signDigest(digest(body, authority, { accountNumber, chainId }))
  return concatBytes(Protobuf.bytes(1, body), Protobuf.bytes(2, authority), Protobuf.bytes(3, concatBytes(r, s)))
}

/** In which the indexer's ids are. */
const namespace = hexToBytes("0f9da948a6fb4c459edc4685c3f3317d")

const uuid = (name: string): string => {
  const bytes = sha1(concatBytes(namespace, utf8ToBytes(name))).slice(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytesToHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
}

/**
 * The id by which the indexer knows an order.
 *
 * @see https://github.com/dydxprotocol/v4-chain/tree/main/indexer/services/ender/src/scripts/helpers (read 2026-11-26)
 * @category getters
 * @since 0.1.0
 */
export const indexerId = ({ clientId, clobPairId, orderFlags, owner, subaccountNumber }: OrderId): string =>
  uuid(`${uuid(`${owner}-${subaccountNumber}`)}-${clientId}-${clobPairId}-${orderFlags}`)
