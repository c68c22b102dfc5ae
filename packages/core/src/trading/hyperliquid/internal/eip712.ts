/**
 * Digests of typed data (EIP-712), as far as Hyperliquid signs any: structs whose
 * members are plain.
 *
 * @see https://eips.ethereum.org/EIPS/eip-712 (read 2026-11-26)
 * @since 0.1.0
 */
import { keccak_256 } from "@noble/hashes/sha3.js"
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js"
import * as Hex from "effect/encoding/Hex"
import * as Result from "effect/Result"

/**
 * A member of a struct.
 *
 * @category models
 * @since 0.1.0
 */
export interface Member {
  readonly name: string
  readonly type: "string" | "address" | "bytes32" | "bool" | "uint64" | "uint256"
}

/**
 * A struct's name, its members in their order, and their values: bytes in
 * hexadecimal with `0x`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Struct {
  readonly name: string
  readonly members: ReadonlyArray<Member>
  readonly values: { readonly [name: string]: unknown }
}

/**
 * The bytes of a text in hexadecimal that begins with `0x`; another text is a
 * `RangeError`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const bytesOf = (hex: string): Uint8Array =>
  Result.getOrThrowWith(
    hex.startsWith("0x") ? Hex.decode(hex.slice(2)) : Hex.decode("-"),
    () => new RangeError(`${JSON.stringify(hex.slice(0, 64))} is not hexadecimal`)
  )

/**
 * Bytes in hexadecimal, with `0x`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const hexOf = (bytes: Uint8Array): string => `0x${Hex.encode(bytes)}`

/**
 * A whole number that is not negative in so many bytes, the highest first.
 *
 * @category encoding
 * @since 0.1.0
 */
export const bigEndian = (value: number | bigint, length: number): Uint8Array => {
  const digits = BigInt(value).toString(16).padStart(2 * length, "0")
  if (digits.length > 2 * length || digits.startsWith("-")) throw new RangeError(`${value} is not of ${length} bytes`)
  return bytesOf(`0x${digits}`)
}

/**
 * Keccak-256.
 *
 * @category encoding
 * @since 0.1.0
 */
export const keccak: (bytes: Uint8Array) => Uint8Array = keccak_256

const isWhole = (value: unknown): value is number | bigint => typeof value === "bigint" || Number.isSafeInteger(value)

const word = ({ name, type }: Member, value: unknown): Uint8Array => {
  switch (type) {
    case "string":
      if (typeof value === "string") return keccak(utf8ToBytes(value))
      break
    case "bool":
      if (typeof value === "boolean") return bigEndian(value ? 1 : 0, 32)
      break
    case "uint64":
    case "uint256":
      if (isWhole(value)) return bigEndian(value, 32)
      break
    default:
      if (typeof value === "string") {
        const bytes = bytesOf(value)
        if (bytes.length === (type === "address" ? 20 : 32)) {
          return concatBytes(new Uint8Array(32 - bytes.length), bytes)
        }
      }
  }
  throw new RangeError(`${name} is no ${type}`)
}

const hashOf = ({ members, name, values }: Struct): Uint8Array => {
  const type = `${name}(${members.map(({ name, type }) => `${type} ${name}`).join()})`
  return keccak(
    concatBytes(keccak(utf8ToBytes(type)), ...members.map((member) => word(member, values[member.name])))
  )
}

const ofDomain: ReadonlyArray<Member> = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" }
]

/**
 * The digest that is signed of a struct in the domain of that name and chain,
 * version 1, without a contract. A value that is not of its member's type is a
 * `RangeError`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const digest = (
  { chainId, name }: { readonly name: string; readonly chainId: number | bigint },
  message: Struct
): Uint8Array => {
  const values = { name, version: "1", chainId, verifyingContract: `0x${"0".repeat(40)}` }
  const domain = hashOf({ name: "EIP712Domain", members: ofDomain, values })
  return keccak(concatBytes(Uint8Array.of(0x19, 0x01), domain, hashOf(message)))
}
