/**
 * Protocol Buffers, as far as dYdX's chain is written to: members in the order of
 * their numbers, and none that is zero or empty, as proto3 has it.
 *
 * @see https://protobuf.dev/programming-guides/encoding/ (read 2026-11-26)
 * @since 0.1.0
 */
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js"

const varint = (value: bigint): Uint8Array => {
  const bytes: Array<number> = []
  let left = value
  do {
    const more = left > 0x7fn
    bytes.push(Number(left & 0x7fn) | (more ? 0x80 : 0))
    left >>= 7n
  } while (left > 0n)
  return Uint8Array.from(bytes)
}

const nothing = new Uint8Array()

/** How a member is written: a varint, bytes with their length, or four bytes. */
const wire = { varint: 0n, bytes: 2n, fixed32: 5n } as const

const tag = (number: number, type: keyof typeof wire): Uint8Array => varint((BigInt(number) << 3n) | wire[type])

/**
 * A whole number that is not negative; `true` is 1.
 *
 * @category encoding
 * @since 0.1.0
 */
export const uint = (number: number, value: bigint | number | boolean): Uint8Array => {
  const whole = BigInt(value)
  return whole === 0n ? nothing : concatBytes(tag(number, "varint"), varint(whole))
}

/**
 * A whole number of four bytes.
 *
 * @category encoding
 * @since 0.1.0
 */
export const fixed32 = (number: number, value: number): Uint8Array => {
  if (value === 0) return nothing
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return concatBytes(tag(number, "fixed32"), bytes)
}

/**
 * Bytes, or a text's.
 *
 * @category encoding
 * @since 0.1.0
 */
export const bytes = (number: number, value: Uint8Array | string): Uint8Array => {
  const raw = typeof value === "string" ? utf8ToBytes(value) : value
  return raw.length === 0 ? nothing : concatBytes(tag(number, "bytes"), varint(BigInt(raw.length)), raw)
}

/**
 * A message of these members, which is there also if it has none.
 *
 * @category encoding
 * @since 0.1.0
 */
export const message = (number: number, ...members: ReadonlyArray<Uint8Array>): Uint8Array => {
  const raw = concatBytes(...members)
  return concatBytes(tag(number, "bytes"), varint(BigInt(raw.length)), raw)
}
