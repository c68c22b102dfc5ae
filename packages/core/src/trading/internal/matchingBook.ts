/**
 * The book of one product in which orders match: price levels, each a queue, and
 * the positions that trades leave. Prices and amounts are whole numbers of units;
 * their scales are the instrument's.
 *
 * @since 0.1.0
 */
import type { Side } from "../../event/MarketData.ts"
import * as Exact from "../../value/internal/exactArithmetic.ts"
import type { Instrument } from "../Instrument.ts"
import type { SelfTrade } from "../MatchingCommand.ts"
import type { TimeInForce } from "../OrderRequest.ts"
import { Sorted } from "./sorted.ts"

/**
 * An order in the engine: on its way into a book, or resting in one.
 *
 * @category models
 * @since 0.1.0
 */
export interface BookOrder {
  readonly number: number
  readonly account: string
  readonly book: Book
  readonly side: Side
  timeInForce: TimeInForce
  moves: boolean
  /** Changed only while it does not rest. */
  reduceOnly: boolean
  readonly selfTrade: SelfTrade
  readonly validUntil: number | undefined
  /** In units; absent of a market order. */
  price: bigint | undefined
  amount: bigint
  filled: bigint
  /** Where it rests, and its neighbours there. */
  level: PriceLevel | undefined
  before: BookOrder | undefined
  after: BookOrder | undefined
}

/**
 * The orders that rest at one price, first come first, and the sum of what is
 * left of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface PriceLevel {
  readonly price: bigint
  total: bigint
  first: BookOrder | undefined
  last: BookOrder | undefined
}

/**
 * What an order does on its way in to one that rests: it trades so much of it,
 * and perhaps has the rest cancelled.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  readonly maker: BookOrder
  readonly amount: bigint
  readonly cancels: "self-trade" | "reduce-only" | undefined
}

/**
 * What an order would do on its way in: its steps, what they trade, and why what
 * is left of it then, if anything is, may not stay.
 *
 * @category models
 * @since 0.1.0
 */
export interface Plan {
  readonly steps: ReadonlyArray<Step>
  readonly total: bigint
  readonly ends: "self-trade" | "reduce-only" | undefined
}

/**
 * What is left of an order.
 *
 * @category getters
 * @since 0.1.0
 */
export const remainingOf = ({ amount, filled }: BookOrder): bigint => amount - filled

const least = (one: bigint, other: bigint): bigint => one < other ? one : other

/** How much an order of a side can take away from a position. */
const reducible = (position: bigint, side: Side): bigint => {
  const opposite = side === "buy" ? -position : position
  return opposite > 0n ? opposite : 0n
}

/** What an account has in one product: its position, and its resting orders that may only reduce it. */
interface Holding {
  position: bigint
  readonly reducing: Set<BookOrder>
}

class BookSide {
  readonly side: Side
  private readonly levels = new Map<bigint, PriceLevel>()
  private readonly sorted: Sorted<PriceLevel>

  constructor(side: Side) {
    this.side = side
    this.sorted = new Sorted(({ price }, other) => side === "sell" ? price < other.price : price > other.price)
  }

  best(): PriceLevel | undefined {
    return this.sorted.first()
  }

  at(price: bigint): PriceLevel | undefined {
    return this.levels.get(price)
  }

  /** Best first. */
  *[Symbol.iterator](): Generator<PriceLevel, void> {
    const { items } = this.sorted
    for (let i = items.length - 1; i >= 0; i--) {
      const level = items[i]
      if (level !== undefined) yield level
    }
  }

  /** Puts an order behind those of its price. */
  append(order: BookOrder, price: bigint): void {
    let level = this.levels.get(price)
    if (level === undefined) {
      level = { price, total: 0n, first: undefined, last: undefined }
      this.levels.set(price, level)
      this.sorted.insert(level)
    }
    order.level = level
    order.before = level.last
    order.after = undefined
    if (level.last === undefined) level.first = order
    else level.last.after = order
    level.last = order
    level.total += remainingOf(order)
  }

  remove(order: BookOrder): void {
    const { after, before, level } = order
    if (level === undefined) return
    if (before === undefined) level.first = after
    else before.after = after
    if (after === undefined) level.last = before
    else after.before = before
    level.total -= remainingOf(order)
    order.level = order.before = order.after = undefined
    if (level.first === undefined) {
      this.levels.delete(level.price)
      this.sorted.remove(level)
    }
  }
}

/**
 * The book of one product.
 *
 * @category models
 * @since 0.1.0
 */
export class Book {
  readonly instrument: Instrument
  readonly priceScale: number
  readonly amountScale: number
  private readonly bids = new BookSide("buy")
  private readonly asks = new BookSide("sell")
  private readonly holdings = new Map<string, Holding>()
  private readonly tick: bigint
  /** The larger ticks, highest first, in units. */
  private readonly ticks: ReadonlyArray<{ readonly from: bigint; readonly tick: bigint }>

  constructor(instrument: Instrument) {
    const { lot, tick, ticks = [] } = instrument
    this.instrument = instrument
    this.priceScale = Math.max(0, tick.scale, ...ticks.map(({ tick }) => tick.scale))
    this.amountScale = Math.max(0, lot.scale)
    this.tick = Exact.unitsOf(tick, this.priceScale)
    this.ticks = ticks.toReversed().map(({ from, tick }) => ({
      from: Exact.unitsOf(from, this.priceScale),
      tick: Exact.unitsOf(tick, this.priceScale)
    }))
  }

  side(side: Side): BookSide {
    return side === "buy" ? this.bids : this.asks
  }

  position(account: string): bigint {
    return this.holdings.get(account)?.position ?? 0n
  }

  /** How much a reduce-only order of the account may trade. */
  reducible(account: string, side: Side): bigint {
    return reducible(this.position(account), side)
  }

  /** The best level of the other side, if an order of that price would trade with it. */
  crossed(side: Side, price: bigint | undefined): PriceLevel | undefined {
    const best = this.side(side === "buy" ? "sell" : "buy").best()
    return best !== undefined && this.reaches(side, price, best) ? best : undefined
  }

  /** The price one tick on an order's own side of a level that it would trade with; absent where there is none. */
  beside(side: Side, { price }: PriceLevel): bigint | undefined {
    const tick = this.ticks.find(({ from }) => side === "buy" ? from < price : from <= price)?.tick ?? this.tick
    const beside = side === "buy" ? price - tick : price + tick
    return beside > 0n ? beside : undefined
  }

  rest(order: BookOrder, price: bigint): void {
    this.side(order.side).append(order, price)
    if (order.reduceOnly) this.holding(order.account).reducing.add(order)
  }

  remove(order: BookOrder): void {
    this.side(order.side).remove(order)
    if (order.reduceOnly) this.holding(order.account).reducing.delete(order)
  }

  /** Trades between two orders, as far as the book is concerned. */
  trade(maker: BookOrder, taker: BookOrder, amount: bigint): void {
    if (maker.level !== undefined) maker.level.total -= amount
    maker.filled += amount
    taker.filled += amount
    this.holding(maker.account).position += maker.side === "buy" ? amount : -amount
    this.holding(taker.account).position += taker.side === "buy" ? amount : -amount
  }

  /** The account's resting orders that may only reduce a position and have none to reduce. */
  useless(account: string): ReadonlyArray<BookOrder> {
    const { position, reducing } = this.holding(account)
    return [...reducing].filter(({ side }) => reducible(position, side) === 0n)
  }

  /** What an order would do on its way in. Changes nothing. */
  plan(taker: BookOrder): Plan {
    const steps: Array<Step> = []
    const remaining = remainingOf(taker)
    const most = taker.reduceOnly ? least(remaining, this.reducible(taker.account, taker.side)) : remaining
    // What the steps so far have made of the positions.
    const positions = new Map<string, bigint>()
    const positionOf = (account: string) => positions.get(account) ?? this.position(account)
    let left = most
    for (const level of this.side(taker.side === "buy" ? "sell" : "buy")) {
      if (!this.reaches(taker.side, taker.price, level)) break
      for (let maker = level.first; maker !== undefined; maker = maker.after) {
        if (left === 0n) break
        if (maker.account === taker.account && taker.selfTrade !== "allow") {
          if (taker.selfTrade !== "cancel-taker") steps.push({ maker, amount: 0n, cancels: "self-trade" })
          if (taker.selfTrade !== "cancel-maker") return { steps, total: most - left, ends: "self-trade" }
          continue
        }
        const there = remainingOf(maker)
        const tradable = maker.reduceOnly ? least(there, reducible(positionOf(maker.account), maker.side)) : there
        const amount = least(left, tradable)
        // An order that may not trade any more must not stand in the way of what comes behind it.
        steps.push({ maker, amount, cancels: tradable < there && tradable < left ? "reduce-only" : undefined })
        left -= amount
        const bought = taker.side === "buy" ? amount : -amount
        positions.set(maker.account, positionOf(maker.account) - bought)
        positions.set(taker.account, positionOf(taker.account) + bought)
      }
      if (left === 0n) break
    }
    // What has traded all that it may, and is not filled, has no more to reduce.
    return { steps, total: most - left, ends: left === 0n ? "reduce-only" : undefined }
  }

  private reaches(side: Side, price: bigint | undefined, level: PriceLevel): boolean {
    return price === undefined || (side === "buy" ? level.price <= price : level.price >= price)
  }

  private holding(account: string): Holding {
    let holding = this.holdings.get(account)
    if (holding === undefined) {
      holding = { position: 0n, reducing: new Set() }
      this.holdings.set(account, holding)
    }
    return holding
  }
}
