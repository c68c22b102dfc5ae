/**
 * One account of a clearing: what it has of each asset, and what of that must
 * stay because of its orders and positions.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type { Side } from "../../event/MarketData.ts"
import * as Decimal from "../../value/Decimal.ts"
import type { Instrument } from "../Instrument.ts"
import type { InsufficientFunds } from "../MatchingEvent.ts"
import * as Exposure from "./exposure.ts"

/**
 * What an order that rests can cost.
 *
 * @category models
 * @since 0.1.0
 */
export interface Held {
  readonly orderId: string
  readonly instrument: Instrument
  readonly side: Side
  readonly open: Exposure.Open
}

/**
 * One account.
 *
 * @category models
 * @since 0.1.0
 */
export class Account {
  readonly totals = new Map<string, Decimal.Decimal>()
  readonly exposures = new Map<Instrument, Exposure.Exposure>()
  /** Oldest first. */
  readonly orders = new Map<string, Held>()
  private needed = new Map<string, Decimal.Decimal>()
  private leverage = BigDecimal.make(1n, 0)

  total(asset: string): Decimal.Decimal {
    return this.totals.get(asset) ?? Decimal.zero
  }

  /** What must stay, as far as it is there. */
  held(asset: string): Decimal.Decimal {
    const [total, needed] = [this.total(asset), this.needed.get(asset) ?? Decimal.zero]
    return BigDecimal.isLessThan(total, needed) ? total : needed
  }

  available(asset: string): Decimal.Decimal {
    return BigDecimal.subtract(this.total(asset), this.held(asset))
  }

  /** The assets of which less is there than must stay. */
  lacking(): ReadonlyArray<string> {
    return [...this.needed].filter(([asset, needed]) => BigDecimal.isLessThan(this.total(asset), needed))
      .map(([asset]) => asset)
  }

  /** Whether an order makes more of an asset stay. */
  holds({ instrument, orderId }: Held, asset: string): boolean {
    const [now, without] = [this.exposure(instrument), this.replaced(instrument, orderId, undefined)].map((exposure) =>
      new Map(Exposure.needs(instrument, exposure, this.leverage)).get(asset) ?? Decimal.zero
    )
    return now !== undefined && without !== undefined && BigDecimal.isGreaterThan(now, without)
  }

  /** Adds an amount; gives what is missing if more is taken than is there. */
  add(asset: string, amount: Decimal.Decimal): Decimal.Decimal {
    const total = BigDecimal.sum(this.total(asset), amount)
    const isThere = total.value >= 0n
    this.totals.set(asset, isThere ? total : Decimal.zero)
    return isThere ? Decimal.zero : total
  }

  exposure(instrument: Instrument): Exposure.Exposure {
    return this.exposures.get(instrument) ?? Exposure.none
  }

  /** What forbids that a product's exposure becomes another: it needs more than now, and more than is available. */
  refusal(instrument: Instrument, exposure: Exposure.Exposure): InsufficientFunds | undefined {
    return this.uncovered(
      Exposure.needs(instrument, exposure, this.leverage),
      Exposure.needs(instrument, this.exposure(instrument), this.leverage)
    )
  }

  /** What is at stake in a product after an order of it was replaced by another, or by none. */
  replaced(instrument: Instrument, orderId: string | undefined, by: Held | undefined): Exposure.Exposure {
    const before = orderId === undefined ? undefined : this.orders.get(orderId)
    const exposure = this.exposure(instrument)
    const without = before === undefined ? exposure : Exposure.change(exposure, before.side, before.open, "remove")
    return by === undefined ? without : Exposure.change(without, by.side, by.open, "add")
  }

  /** Holds what an order can cost, or nothing for it any more. */
  hold(instrument: Instrument, orderId: string, held: Held | undefined): void {
    this.expose(instrument, this.replaced(instrument, orderId, held))
    if (held === undefined) this.orders.delete(orderId)
    else this.orders.set(orderId, held)
  }

  /** Has another position of a product. */
  move(instrument: Instrument, position: Exposure.Position): void {
    const before = this.exposure(instrument)
    if (position !== before.position) this.expose(instrument, { ...before, position })
  }

  /** Changes nothing if the margins would then need more than is available. */
  setLeverage(leverage: Decimal.Decimal): InsufficientFunds | undefined {
    const needed = new Map<string, Decimal.Decimal>()
    for (const [instrument, exposure] of this.exposures) addTo(needed, Exposure.needs(instrument, exposure, leverage))
    const refusal = this.uncovered(needed, this.needed)
    if (refusal !== undefined) return refusal
    this.leverage = leverage
    this.needed = needed
    return undefined
  }

  private uncovered(needs: Exposure.Needs, now: Exposure.Needs): InsufficientFunds | undefined {
    const before = new Map(now)
    for (const [asset, amount] of needs) {
      const needed = BigDecimal.subtract(amount, before.get(asset) ?? Decimal.zero)
      const available = this.available(asset)
      if (Decimal.isPositive(needed) && BigDecimal.isGreaterThan(needed, available)) {
        return { _tag: "InsufficientFunds", asset, needed, available }
      }
    }
    return undefined
  }

  private expose(instrument: Instrument, exposure: Exposure.Exposure): void {
    const before = Exposure.needs(instrument, this.exposure(instrument), this.leverage)
    for (const [asset, needs] of before) addTo(this.needed, [[asset, BigDecimal.negate(needs)]])
    this.exposures.set(instrument, exposure)
    addTo(this.needed, Exposure.needs(instrument, exposure, this.leverage))
  }
}

const addTo = (totals: Map<string, Decimal.Decimal>, amounts: Exposure.Needs): void => {
  for (const [asset, amount] of amounts) totals.set(asset, BigDecimal.sum(totals.get(asset) ?? Decimal.zero, amount))
}
