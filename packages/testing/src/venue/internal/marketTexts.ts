/** What a market's figures are as texts: levels, changes and times. */
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as BigDecimal from "effect/BigDecimal"

/** A level of a book, in units of the last digits. */
export interface Row {
  readonly price: bigint
  readonly size: bigint
  /** The number of the market's last change before the level was made. */
  readonly born: number
}

interface Scales {
  readonly priceScale: number
  readonly sizeScale: number
}

/** A value in units of its last digit, as text. */
export const print = (value: bigint, scale: number): string => Decimal.format(BigDecimal.make(value, scale))

/** A level as texts. */
export const levelOf = (
  { priceScale, sizeScale }: Scales,
  { price, size }: Row
): readonly [price: string, size: string] => [
  print(price, priceScale),
  print(size, sizeScale)
]

/** What changed on a side from one book to the next. */
export const difference = (
  side: "buy" | "sell",
  before: ReadonlyArray<Row>,
  after: ReadonlyArray<Row>,
  { priceScale, sizeScale }: Scales
): Array<readonly [side: "buy" | "sell", price: string, size: string]> => {
  const changes: Array<readonly [side: "buy" | "sell", price: string, size: string]> = []
  for (const { price } of before) {
    if (!after.some((row) => row.price === price)) changes.push([side, print(price, priceScale), print(0n, sizeScale)])
  }
  for (const { price, size } of after) {
    if (!before.some((row) => row.price === price && row.size === size)) {
      changes.push([side, print(price, priceScale), print(size, sizeScale)])
    }
  }
  return changes
}

/** A time in microseconds as text. */
export const timestamp = (micros: number): string => {
  const seconds = Math.floor(micros / 1_000_000)
  return Timestamp.format(new Timestamp.Timestamp(seconds, (micros - seconds * 1_000_000) * 1_000, 6, ""))
}
