/** Reads and checks what dYdX's chain is given: a transaction of one message, its signature, and the order in it. */
import * as Signer from "@tickline/core/session/Signer"
import * as Signing from "@tickline/core/trading/dydx/DydxSigning"

/** A message of Protocol Buffers: its members by their numbers, each as often as it is there. */
type Members = ReadonlyMap<number, ReadonlyArray<bigint | Uint8Array>>

const malformed = (what: string): never => {
  throw new Error(`malformed ${what}`)
}

/** Reads a message; throws where it is none. */
const read = (bytes: Uint8Array): Members => {
  const members = new Map<number, Array<bigint | Uint8Array>>()
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n;; shift += 7n) {
      const byte = bytes[at++] ?? malformed("varint")
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
      if (shift > 63n) malformed("varint")
    }
  }
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) malformed("length")
    at += length
    return bytes.slice(at - length, at)
  }
  while (at < bytes.length) {
    const tag = varint()
    const wire = tag & 7n
    const value = wire === 0n
      ? varint()
      : wire === 2n
      ? take(Number(varint()))
      : wire === 5n
      ? BigInt(new DataView(take(4).buffer).getUint32(0, true))
      : malformed("wire type")
    const number = Number(tag >> 3n)
    members.set(number, [...members.get(number) ?? [], value])
  }
  return members
}

const bytesIn = (members: Members, number: number): Uint8Array => {
  const value = members.get(number)?.[0]
  return value === undefined ? new Uint8Array() : typeof value === "bigint" ? malformed("bytes") : value
}

const numberIn = (members: Members, number: number): bigint => {
  const value = members.get(number)?.[0]
  return value === undefined ? 0n : typeof value === "bigint" ? value : malformed("number")
}

const messageIn = (members: Members, number: number): Members => read(bytesIn(members, number))

const textIn = (members: Members, number: number): string => new TextDecoder().decode(bytesIn(members, number))

/** What is placed or cancelled. */
export type Message =
  & { readonly orderId: Signing.OrderId; readonly goodTilBlock: number; readonly goodTilBlockTime: number }
  & (
    | {
      readonly _tag: "Place"
      readonly side: "buy" | "sell"
      readonly quantums: bigint
      readonly subticks: bigint
      readonly timeInForce: number
      readonly reduceOnly: boolean
      readonly clientMetadata: number
    }
    | { readonly _tag: "Cancel" }
  )

/** A transaction. */
export interface Transaction {
  readonly message: Message
  readonly publicKey: Uint8Array
  readonly sequence: bigint
  readonly timeoutHeight: number
  /** Whether its key has signed it for a chain and an account. */
  readonly isSignedFor: (chainId: string, accountNumber: bigint) => boolean
}

const orderIdOf = (id: Members): Signing.OrderId => {
  const subaccount = messageIn(id, 1)
  return {
    owner: textIn(subaccount, 1),
    subaccountNumber: Number(numberIn(subaccount, 2)),
    clientId: Number(numberIn(id, 2)),
    orderFlags: Number(numberIn(id, 3)),
    clobPairId: Number(numberIn(id, 4))
  }
}

const messageOf = (typeUrl: string, value: Uint8Array): Message => {
  const members = read(value)
  if (typeUrl === "/dydxprotocol.clob.MsgCancelOrder") {
    return {
      _tag: "Cancel",
      orderId: orderIdOf(messageIn(members, 1)),
      goodTilBlock: Number(numberIn(members, 2)),
      goodTilBlockTime: Number(numberIn(members, 3))
    }
  }
  if (typeUrl !== "/dydxprotocol.clob.MsgPlaceOrder") malformed(`message: ${typeUrl}`)
  const order = messageIn(members, 1)
  const side = numberIn(order, 2)
  return {
    _tag: "Place",
    orderId: orderIdOf(messageIn(order, 1)),
    side: side === 1n ? "buy" : side === 2n ? "sell" : malformed("side"),
    quantums: numberIn(order, 3),
    subticks: numberIn(order, 4),
    goodTilBlock: Number(numberIn(order, 5)),
    goodTilBlockTime: Number(numberIn(order, 6)),
    timeInForce: Number(numberIn(order, 7)),
    reduceOnly: numberIn(order, 8) === 1n,
    clientMetadata: Number(numberIn(order, 9))
  }
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, at) => byte === other[at])

/** Reads a transaction; throws where it cannot be read, or is not of one message. */
export const decode = (bytes: Uint8Array): Transaction => {
  const raw = read(bytes)
  const [bodyBytes, authority, signature] = [bytesIn(raw, 1), bytesIn(raw, 2), bytesIn(raw, 3)]
  const body = read(bodyBytes)
  if (body.get(1)?.length !== 1) malformed("body: one message is expected")
  const any = messageIn(body, 1)
  const signer = messageIn(read(authority), 1)
  const key = messageIn(signer, 1)
  if (textIn(key, 1) !== "/cosmos.crypto.secp256k1.PubKey") malformed("public key")
  if (numberIn(messageIn(messageIn(signer, 2), 1), 1) !== 1n) malformed("sign mode")
  const publicKey = bytesIn(messageIn(key, 2), 1)
  return {
    message: messageOf(textIn(any, 1), bytesIn(any, 2)),
    publicKey,
    sequence: numberIn(signer, 3),
    timeoutHeight: Number(numberIn(body, 3)),
    isSignedFor: (chainId, accountNumber) => {
      const digest = Signing.digest(bodyBytes, authority, { chainId, accountNumber })
      const [r, s] = [signature.slice(0, 32), signature.slice(32)]
      return signature.length === 64 && ([27, 28] as const).some((v) => {
        const recovered = Signer.recover(digest, { r, s, v })
        return recovered !== undefined && isSame(recovered.slice(1, 33), publicKey.slice(1)) &&
          (recovered[64] ?? 0) % 2 === (publicKey[0] ?? 0) - 2
      })
    }
  }
}
