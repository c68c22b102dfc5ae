/** What accounts hold: positions with their average price, and balances. */
import type { Instrument } from "@tickline/core/trading/Instrument"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"

/** The digits of a quotient. */
const digits = 8

/** A quotient, rounded. */
export const quotient = (value: Decimal.Decimal, by: Decimal.Decimal): Decimal.Decimal =>
  by.value === 0n
    ? Decimal.zero
    : BigDecimal.round(BigDecimal.divideUnsafe(value, by), { scale: digits, mode: "half-from-zero" })

/** What a position of a size gains from one price to another, in the instrument's settlement currency. */
export const gain = (
  { valuation }: Instrument,
  size: Decimal.Decimal,
  from: Decimal.Decimal,
  to: Decimal.Decimal
): Decimal.Decimal =>
  from.value === 0n || to.value === 0n
    ? Decimal.zero
    : valuation === "inverse"
    ? BigDecimal.subtract(quotient(size, from), quotient(size, to))
    : BigDecimal.multiply(size, BigDecimal.subtract(to, from))

/** A position: below zero it is short. `realized` is what was gained since the last settlement. */
export interface Position {
  readonly size: Decimal.Decimal
  readonly average: Decimal.Decimal
  readonly realized: Decimal.Decimal
}

/** No position. */
export const none: Position = { size: Decimal.zero, average: Decimal.zero, realized: Decimal.zero }

const isLong = ({ value }: Decimal.Decimal): boolean => value > 0n

/** The position after a trade of a size, which is below zero where it was sold. */
export const trade = (
  self: Position,
  instrument: Instrument,
  size: Decimal.Decimal,
  price: Decimal.Decimal
): Position => {
  const after = BigDecimal.sum(self.size, size)
  const grows = self.size.value === 0n || isLong(self.size) === isLong(size)
  if (grows) {
    const cost = BigDecimal.sum(BigDecimal.multiply(self.size, self.average), BigDecimal.multiply(size, price))
    return { ...self, size: after, average: quotient(cost, after) }
  }
  const turns = after.value !== 0n && isLong(after) !== isLong(self.size)
  const closed = turns ? self.size : BigDecimal.negate(size)
  return {
    size: after,
    average: after.value === 0n ? Decimal.zero : turns ? price : self.average,
    realized: BigDecimal.sum(self.realized, gain(instrument, closed, self.average, price))
  }
}

/** The position after a settlement: at the price of the settlement, with nothing gained since. */
export const settle = (self: Position, price: Decimal.Decimal): Position => ({
  size: self.size,
  average: self.size.value === 0n ? Decimal.zero : price,
  realized: Decimal.zero
})

/** The balances of one account, by currency. */
export class Balances {
  private readonly all: Map<string, Decimal.Decimal>

  constructor(balances: Readonly<Record<string, string>>) {
    this.all = new Map(
      Object.entries(balances).map(([currency, text]) => [currency, Decimal.parse(text) ?? Decimal.zero])
    )
  }

  of(currency: string): Decimal.Decimal {
    return this.all.get(currency) ?? Decimal.zero
  }

  add(currency: string, amount: Decimal.Decimal): void {
    this.all.set(currency, BigDecimal.sum(this.of(currency), amount))
  }
}
