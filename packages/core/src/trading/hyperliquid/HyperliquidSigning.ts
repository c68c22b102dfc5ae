/**
 * Signs what Hyperliquid's exchange is asked to do.
 *
 * An action that trades is hashed as MessagePack, with its nonce, and signed as a
 * phantom agent that bears the hash: the order of its members is part of what is
 * signed. One that moves funds is signed by its members as a wallet shows them.
 *
 * **Example** (an order, signed for the main net)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import * as Signer from "@tickline/core/session/Signer"
 * import * as HyperliquidSigning from "@tickline/core/trading/hyperliquid/HyperliquidSigning"
 *
 * const signature = Effect.gen(function*() {
 *   const signer = yield* Effect.fromResult(Signer.secp256k1(Redacted.make("0x01…23")))
 *   const order = { a: 1, b: true, p: "100", s: "100", r: false, t: { limit: { tif: "Gtc" } } }
 *   return HyperliquidSigning.signAction(signer, { type: "order", orders: [order], grouping: "na" }, { nonce: 0 })
 * })
 * ```
 *
 * @see https://github.com/hyperliquid-dex/hyperliquid-python-sdk/blob/master/hyperliquid/utils/signing.py (read 2026-11-26)
 * @since 0.1.0
 */
import { concatBytes } from "@noble/hashes/utils.js"
import * as Result from "effect/Result"
import * as Signer from "../../session/Signer.ts"
import * as Eip712 from "./internal/eip712.ts"
import * as Msgpack from "./internal/msgpack.ts"

/**
 * Which of the venue's networks a signature is for: it is worth nothing on the
 * other.
 *
 * @category models
 * @since 0.1.0
 */
export type Network = "mainnet" | "testnet"

/**
 * What the exchange is asked to do, with its members in the order that the venue
 * documents. Numbers are whole; prices and sizes are texts. Members that are
 * `undefined` are left out.
 *
 * @category models
 * @since 0.1.0
 */
export type Action = { readonly [name: string]: Msgpack.Value }

/**
 * A signature as the venue takes it: `r` and `s` in hexadecimal, of 32 bytes each.
 *
 * @category models
 * @since 0.1.0
 */
export interface Signature {
  readonly r: string
  readonly s: string
  readonly v: 27 | 28
}

/**
 * What is signed with an action.
 *
 * - `nonce`: milliseconds since 1970, never used before by the same signer
 * - `vault`: the address of the vault or sub-account that it is done for; default:
 *   the signer's own account
 * - `expiresAfter`: until when the venue takes it, in milliseconds since 1970;
 *   default: there is no such bound
 * - `network`: default the main net
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly nonce: number
  readonly vault?: string | undefined
  readonly expiresAfter?: number | undefined
  readonly network?: Network | undefined
}

/**
 * The hash of an action with what is signed with it, 32 bytes.
 *
 * @category encoding
 * @since 0.1.0
 */
export const hashAction = (
  action: Action,
  { expiresAfter, nonce, vault }: Omit<Options, "network">
): Uint8Array =>
  Eip712.keccak(concatBytes(
    Msgpack.encode(action),
    Eip712.bigEndian(nonce, 8),
    ...(vault === undefined ? [Uint8Array.of(0)] : [Uint8Array.of(1), Eip712.bytesOf(vault)]),
    ...(expiresAfter === undefined ? [] : [Uint8Array.of(0), Eip712.bigEndian(expiresAfter, 8)])
  ))

const digestOfAction = (action: Action, options: Options): Uint8Array =>
  Eip712.digest({ name: "Exchange", chainId: 1337 }, {
    name: "Agent",
    members: [{ name: "source", type: "string" }, { name: "connectionId", type: "bytes32" }],
    values: {
      source: options.network === "testnet" ? "b" : "a",
      connectionId: Eip712.hexOf(hashAction(action, options))
    }
  })

/**
 * How an action that a wallet shows is signed: its name and its members, in their
 * order.
 *
 * @category models
 * @since 0.1.0
 */
export interface UserAction {
  readonly name: string
  readonly members: ReadonlyArray<Eip712.Member>
}

const chain: Eip712.Member = { name: "hyperliquidChain", type: "string" }
const destination: Eip712.Member = { name: "destination", type: "string" }
const amount: Eip712.Member = { name: "amount", type: "string" }
const time: Eip712.Member = { name: "time", type: "uint64" }

/**
 * The actions that a wallet shows, by their `type`.
 *
 * @category constants
 * @since 0.1.0
 */
export const userActions = {
  usdSend: { name: "HyperliquidTransaction:UsdSend", members: [chain, destination, amount, time] },
  withdraw3: { name: "HyperliquidTransaction:Withdraw", members: [chain, destination, amount, time] },
  spotSend: {
    name: "HyperliquidTransaction:SpotSend",
    members: [chain, destination, { name: "token", type: "string" }, amount, time]
  },
  usdClassTransfer: {
    name: "HyperliquidTransaction:UsdClassTransfer",
    members: [chain, amount, { name: "toPerp", type: "bool" }, { name: "nonce", type: "uint64" }]
  },
  approveAgent: {
    name: "HyperliquidTransaction:ApproveAgent",
    members: [
      chain,
      { name: "agentAddress", type: "address" },
      { name: "agentName", type: "string" },
      { name: "nonce", type: "uint64" }
    ]
  }
} as const satisfies Readonly<Record<string, UserAction>>

/** The chain whose wallet is said to sign, where an action names none: Arbitrum's test network. */
const signatureChain = "0x66eee"

const digestOfUserAction = (of: UserAction, action: Action, network: Network): Uint8Array => {
  const { hyperliquidChain = network === "testnet" ? "Testnet" : "Mainnet", signatureChainId = signatureChain } = action
  return Eip712.digest({
    name: "HyperliquidSignTransaction",
    chainId: typeof signatureChainId === "string" ? BigInt(signatureChainId) : 0
  }, { ...of, values: { ...action, hyperliquidChain } })
}

const sign = (signer: Signer.DigestSigner, digest: Uint8Array): Signature => {
  const { r, s, v } = signer.signDigest(digest)
  return { r: Eip712.hexOf(r), s: Eip712.hexOf(s), v }
}

/**
 * Signs an action that trades, such as `order`, `cancel` or `scheduleCancel`. What
 * is no action, such as one with a fraction, is a `RangeError`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const signAction = (signer: Signer.DigestSigner, action: Action, options: Options): Signature =>
  sign(signer, digestOfAction(action, options))

/**
 * Signs an action that a wallet shows, such as a transfer (see `userActions`). Its
 * `hyperliquidChain` and `signatureChainId` are those of the network if it has
 * none.
 *
 * @category encoding
 * @since 0.1.0
 */
export const signUserAction = (
  signer: Signer.DigestSigner,
  of: UserAction,
  action: Action,
  { network = "mainnet" }: Pick<Options, "network"> = {}
): Signature => sign(signer, digestOfUserAction(of, action, network))

const addressOfKey = (publicKey: Uint8Array): string => Eip712.hexOf(Eip712.keccak(publicKey.subarray(1)).subarray(12))

/**
 * The address of a signer, in lower case.
 *
 * @category getters
 * @since 0.1.0
 */
export const addressOf = ({ publicKey }: Signer.DigestSigner): string => addressOfKey(publicKey)

/**
 * The address whose key signed an action, in lower case; `undefined` if it is no
 * signature. Of an action that was changed since, it is another address.
 *
 * @category getters
 * @since 0.1.0
 */
export const signerOf = (action: Action, { r, s, v }: Signature, options: Options): string | undefined => {
  const key = Result.try(() =>
    Signer.recover(digestOfAction(action, options), { r: Eip712.bytesOf(r), s: Eip712.bytesOf(s), v })
  )
  return Result.isSuccess(key) && key.success !== undefined ? addressOfKey(key.success) : undefined
}
