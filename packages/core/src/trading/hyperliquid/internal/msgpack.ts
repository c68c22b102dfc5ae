/**
 * MessagePack as Hyperliquid hashes it: members in their own order, and each
 * whole number in the fewest bytes, never as a float.
 *
 * @see https://github.com/msgpack/msgpack/blob/master/spec.md (read 2026-11-26)
 * @since 0.1.0
 */
import { utf8ToBytes } from "@noble/hashes/utils.js"

/**
 * What can be written: JSON, with whole numbers only. Members that are
 * `undefined` are left out.
 *
 * @category models
 * @since 0.1.0
 */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | ReadonlyArray<Value>
  | { readonly [name: string]: Value }

const unsigned = (value: bigint, bytes: number): ReadonlyArray<number> =>
  Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(8 * (bytes - 1 - index))) & 0xffn))

/** A head of a marker and a length, in the fewest bytes. */
const head = (
  length: number,
  [most, fix]: readonly [number, number],
  markers: ReadonlyArray<readonly [bytes: number, marker: number]>
): ReadonlyArray<number> => {
  if (length <= most) return [fix + length]
  const [bytes, marker] = markers.find(([bytes]) => length < 2 ** (8 * bytes)) ?? [0, 0]
  if (bytes === 0) throw new RangeError(`a length of ${length} cannot be written`)
  return [marker, ...unsigned(BigInt(length), bytes)]
}

const sizes = [1, 2, 4, 8] as const

const integer = (value: bigint): ReadonlyArray<number> => {
  if (value >= 0n ? value < 0x80n : value >= -0x20n) return unsigned(value, 1)
  const at = sizes.findIndex((bytes) =>
    value >= 0n ? value < 1n << BigInt(8 * bytes) : value >= -(1n << BigInt(8 * bytes - 1))
  )
  const bytes = sizes[at]
  if (bytes === undefined) throw new RangeError(`the number ${value} cannot be written`)
  return [(value >= 0n ? 0xcc : 0xd0) + at, ...unsigned(value, bytes)]
}

const write = (value: Value, to: Array<number>): void => {
  switch (typeof value) {
    case "boolean":
      to.push(value ? 0xc3 : 0xc2)
      return
    case "bigint":
      to.push(...integer(value))
      return
    case "number":
      if (!Number.isSafeInteger(value)) throw new RangeError(`the number ${value} is not whole`)
      to.push(...integer(BigInt(value)))
      return
    case "string": {
      const bytes = utf8ToBytes(value)
      to.push(...head(bytes.length, [31, 0xa0], [[1, 0xd9], [2, 0xda], [4, 0xdb]]))
      for (const byte of bytes) to.push(byte)
      return
    }
  }
  if (value === null || value === undefined) {
    to.push(0xc0)
  } else if (isList(value)) {
    to.push(...head(value.length, [15, 0x90], [[2, 0xdc], [4, 0xdd]]))
    for (const item of value) write(item, to)
  } else {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    to.push(...head(members.length, [15, 0x80], [[2, 0xde], [4, 0xdf]]))
    for (const [name, member] of members) {
      write(name, to)
      write(member, to)
    }
  }
}

const isList = (value: object): value is ReadonlyArray<Value> => Array.isArray(value)

/**
 * The bytes of a value. A number that is not whole, or that 64 bits do not hold,
 * is a `RangeError`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (value: Value): Uint8Array => {
  const bytes: Array<number> = []
  write(value, bytes)
  return Uint8Array.from(bytes)
}
