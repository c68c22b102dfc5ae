/**
 * The checksum of Kraken's books: CRC-32 over the digits of the ten best asks,
 * then of the ten best bids. Of each level the price, then the size, without
 * point and leading zeros; trailing zeros count, so it can only be had from
 * exact decimals.
 *
 * @see https://docs.kraken.com/api/docs/guides/spot-ws-book-v2, read 2026-11-21
 * @since 0.1.0
 */
import type { Level } from "../../event/MarketData.ts"

/** How many levels of each side count, whatever the depth of the book. */
const levels = 10

/** The remainders of CRC-32 (the polynomial of ISO 3309, reflected) for each byte. */
const remainders: ReadonlyArray<number> = Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1
  return remainder
})

/** Goes on with a CRC-32 over a text of digits. */
const update = (crc: number, digits: string): number => {
  let next = crc
  for (let at = 0; at < digits.length; at++) {
    next = (next >>> 8) ^ (remainders[(next ^ digits.charCodeAt(at)) & 0xff] ?? 0)
  }
  return next
}

const updateSide = (crc: number, side: ReadonlyArray<Level>): number => {
  let next = crc
  for (let i = 0; i < levels && i < side.length; i++) {
    const level = side[i]
    // The integer that a decimal holds beside its scale is its digits without point and leading zeros.
    if (level !== undefined) next = update(update(next, level[0].value.toString()), level[1].value.toString())
  }
  return next
}

/**
 * The checksum of a book, in the digits in which the venue sends it. The sides
 * are given best first; what stands beyond the tenth level does not matter.
 *
 * @category getters
 * @since 0.1.0
 */
export const checksum = (asks: ReadonlyArray<Level>, bids: ReadonlyArray<Level>): string =>
  String((updateSide(updateSide(-1, asks), bids) ^ -1) >>> 0)
