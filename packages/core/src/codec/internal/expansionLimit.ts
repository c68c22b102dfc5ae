/**
 * How much a frame may become: what is short as it is written may be long in
 * plain notation.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type * as Decimal from "../../value/Decimal.ts"
import { type FrameRejected, frameRejected } from "../Rejection.ts"
import * as RejectionWords from "./rejectionWords.ts"

/** Frames up to this length are not looked at: what they can become is a few megabytes. */
const usualFrame = 16_384

/** How many times its own length a frame may have in zeros that stand only for exponents. */
const mostExpansion = 8

/** Only exponents are longer in plain notation than as they are written. */
const exponent = /\d[eE][+-]?\d/

const hasExponent = (frame: string | Uint8Array): boolean => typeof frame !== "string" || exponent.test(frame)

const zerosOf = (decimal: Decimal.Decimal): number => Math.abs(decimal.scale)

const zerosOfLevels = (levels: ReadonlyArray<readonly [Decimal.Decimal, Decimal.Decimal]>): number => {
  let zeros = 0
  for (const [price, size] of levels) zeros += zerosOf(price) + zerosOf(size)
  return zeros
}

const isLevels = (value: unknown): value is ReadonlyArray<readonly [Decimal.Decimal, Decimal.Decimal]> => {
  if (!Array.isArray(value)) return false
  const first: unknown = value[0]
  return Array.isArray(first) && BigDecimal.isBigDecimal(first[0])
}

/** Those of an event: of the decimals and the levels that are its members. */
const zerosOfEvent = (event: object): number => {
  let zeros = 0
  for (const member of Object.values(event)) {
    if (BigDecimal.isBigDecimal(member)) zeros += zerosOf(member)
    else if (isLevels(member)) zeros += zerosOfLevels(member)
  }
  return zeros
}

/**
 * Refuses what a long frame holds where plain notation makes it much longer: ten
 * mebibytes of `1e999` are a gigabyte of zeros, which no text can hold.
 *
 * @category constructors
 * @since 0.1.0
 */
export const limitExpansion = <A extends object>(
  venue: string,
  decode: (frame: string | Uint8Array) => ReadonlyArray<A> | FrameRejected
) =>
(frame: string | Uint8Array): ReadonlyArray<A> | FrameRejected => {
  const decoded = decode(frame)
  if (frame.length <= usualFrame || "_tag" in decoded || !hasExponent(frame)) return decoded
  const most = mostExpansion * frame.length
  let zeros = 0
  let before: A | undefined
  for (const event of decoded) {
    // What says that there is nothing is the same each time.
    if (event === before) continue
    before = event
    zeros += zerosOfEvent(event)
    if (zeros > most) {
      return frameRejected(venue, ...RejectionWords.tooLarge(most))
    }
  }
  return decoded
}
