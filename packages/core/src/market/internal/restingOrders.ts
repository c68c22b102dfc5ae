/**
 * The orders that rest in a book, and what each change of one makes of the level
 * at its price: exact sums of their sizes.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type { Level } from "../../event/MarketData.ts"
import * as Decimal from "../../value/Decimal.ts"
import type { Order, OrderChange } from "../../venue/Orders.ts"
import { priceKey } from "./priceKey.ts"

/**
 * Levels that have changed, each with its new size.
 *
 * @category models
 * @since 0.1.0
 */
export interface Levels {
  readonly bids: ReadonlyArray<Level>
  readonly asks: ReadonlyArray<Level>
}

const none: Levels = { bids: [], asks: [] }

/**
 * The orders of one book.
 *
 * @category models
 * @since 0.1.0
 */
export class RestingOrders {
  private readonly orders = new Map<string, Order>()
  // By the value of the price, however it is written: the size of all orders there, and how many they are.
  private readonly sums = { bids: new Map<string, Sum>(), asks: new Map<string, Sum>() }

  clear(): void {
    this.orders.clear()
    this.sums.bids.clear()
    this.sums.asks.clear()
  }

  /** Begins with these orders. Gives the levels, or `undefined` where two of them have one id. */
  begin(orders: ReadonlyArray<Order>): Levels | undefined {
    this.clear()
    for (const order of orders) {
      if (this.orders.has(order.id)) return undefined
      this.add(order)
    }
    return {
      bids: Array.from(this.sums.bids.values(), ({ price, size }): Level => [price, size]),
      asks: Array.from(this.sums.asks.values(), ({ price, size }): Level => [price, size])
    }
  }

  /** Gives the levels that a change makes, or `undefined` where it cannot be one of these orders. */
  apply(change: OrderChange): Levels | undefined {
    if (change._tag === "Nothing") return none
    if (change._tag === "Opened") {
      const { order } = change
      return this.orders.has(order.id) || order.size.value <= 0n ? undefined : levelsOf(order.side, [this.add(order)])
    }
    const known = this.orders.get(change.id)
    if (change._tag === "Matched") {
      const left = known && BigDecimal.subtract(known.size, change.size)
      // One that is filled rests until it is done, with nothing left.
      return known === undefined || left === undefined || left.value < 0n
        ? undefined
        : levelsOf(known.side, [this.resize(known, left)])
    }
    if (known === undefined) return none
    if (change._tag === "Done") return levelsOf(known.side, [this.remove(known)])
    if (change.size.value < 0n) return undefined
    return change.price === undefined
      ? levelsOf(known.side, [this.resize(known, change.size)])
      : levelsOf(known.side, [
        this.remove(known),
        this.add({ ...known, price: change.price, size: change.size })
      ])
  }

  private add(order: Order): Level {
    const { id, price, side, size } = order
    this.orders.set(id, order)
    const key = priceKey(price)
    const sum = this.sums[side].get(key)
    const made = sum === undefined
      ? { price, size, count: 1 }
      : { price: sum.price, size: BigDecimal.sum(sum.size, size), count: sum.count + 1 }
    this.sums[side].set(key, made)
    return [made.price, made.size]
  }

  private resize(order: Order, size: Decimal.Decimal): Level {
    const level = this.remove(order)
    const again = this.add({ ...order, size })
    return [level[0], again[1]]
  }

  private remove({ id, price, side, size }: Order): Level {
    this.orders.delete(id)
    const key = priceKey(price)
    const sum = this.sums[side].get(key)
    if (sum === undefined || sum.count <= 1) {
      this.sums[side].delete(key)
      return [price, Decimal.zero]
    }
    const left = { price: sum.price, size: BigDecimal.subtract(sum.size, size), count: sum.count - 1 }
    this.sums[side].set(key, left)
    return [left.price, left.size]
  }
}

interface Sum {
  readonly price: Decimal.Decimal
  readonly size: Decimal.Decimal
  readonly count: number
}

const levelsOf = (side: Order["side"], levels: ReadonlyArray<Level>): Levels =>
  side === "bids" ? { bids: levels, asks: [] } : { bids: [], asks: levels }
