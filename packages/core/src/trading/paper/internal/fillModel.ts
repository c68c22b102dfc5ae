/**
 * How orders of ours would have fared in a market that does not know of them: a
 * value without clock and network, which is shown what the market shows.
 *
 * - An order that comes takes what the book has, level by level. What we have
 *   taken of a level is not there again before the market says another size of it.
 * - An order that rests is behind all that rested at its price when it came, and
 *   is filled by what is traded after that. Where trades are not told, no more
 *   than the level still has is before it.
 * - It is filled whatever is before it by a trade at a worse price, and by the
 *   other side where that reaches its price.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type { Side } from "../../../event/MarketData.ts"
import * as Decimal from "../../../value/Decimal.ts"
import type * as Clearing from "../../Clearing.ts"
import type { Command } from "../../MatchingCommand.ts"
import type { Order } from "../../MatchingEvent.ts"

/**
 * The account whose orders they are.
 *
 * @category constants
 * @since 0.1.0
 */
export const account = "paper"

/** The account that has what the market has. */
const market = "market"

/**
 * So much at a price; without a size as much as anybody wants.
 *
 * @category models
 * @since 0.1.0
 */
export interface Quote {
  readonly price: Decimal.Decimal
  readonly size: Decimal.Decimal | undefined
}

/**
 * What the market has, best first: `buy` are its bids.
 *
 * @category models
 * @since 0.1.0
 */
export interface Quotes {
  readonly buy: ReadonlyArray<Quote>
  readonly sell: ReadonlyArray<Quote>
}

/**
 * A trade of others; `side` is the taker's, where it is known.
 *
 * @category models
 * @since 0.1.0
 */
export interface MarketTrade {
  readonly price: Decimal.Decimal
  readonly size: Decimal.Decimal
  readonly side?: Side | undefined
}

/** What we have taken of a level that has this size. */
interface Taken {
  readonly size: Decimal.Decimal | undefined
  readonly taken: Decimal.Decimal
}

/** One product's market. */
interface Product {
  readonly tellsTrades: boolean
  quotes: Quotes | undefined
  readonly taken: { readonly [side in Side]: Map<string, Taken> }
  /** Our orders that rest, in the order in which they came, with what rests between each and the one before it at its price. */
  readonly queue: Map<string, Decimal.Decimal>
}

const otherSide = { buy: "sell", sell: "buy" } as const

const least = (one: Decimal.Decimal, other: Decimal.Decimal): Decimal.Decimal => BigDecimal.min(one, other)

const less = (one: Decimal.Decimal, other: Decimal.Decimal): Decimal.Decimal =>
  BigDecimal.isLessThan(other, one) ? BigDecimal.subtract(one, other) : Decimal.zero

const keyOf = (price: Decimal.Decimal): string => Decimal.format(BigDecimal.normalize(price))

const isSame = (one: Decimal.Decimal | undefined, other: Decimal.Decimal | undefined): boolean =>
  one === undefined || other === undefined ? one === other : BigDecimal.equals(one, other)

/** Whether a price is as good to whoever is on the side as another, or better. */
const reaches = (side: Side, price: Decimal.Decimal, other: Decimal.Decimal): boolean =>
  side === "buy" ? BigDecimal.isGreaterThanOrEqualTo(price, other) : BigDecimal.isLessThanOrEqualTo(price, other)

const isOurs = (event: Clearing.Event): boolean =>
  event._tag === "Traded"
    ? event.maker.order.account === account || event.taker.order.account === account
    : event._tag === "Rejected" || event.order.account === account

/**
 * How orders would have fared.
 *
 * @category models
 * @since 0.1.0
 */
export class FillModel {
  private readonly clearing: Clearing.Clearing
  private readonly products = new Map<string, Product>()

  constructor(clearing: Clearing.Clearing) {
    this.clearing = clearing
  }

  /** Begins with a product; `tellsTrades` if what is traded of it will be shown. `assets` are those that change hands. */
  list(product: string, assets: ReadonlyArray<string>, tellsTrades: boolean): void {
    for (const asset of assets) this.clearing.deposit(market, asset, plenty)
    this.products.set(product, {
      tellsTrades,
      quotes: undefined,
      taken: { buy: new Map(), sell: new Map() },
      queue: new Map()
    })
  }

  /** What the market has, as far as it is known. */
  quotes(product: string): Quotes | undefined {
    return this.products.get(product)?.quotes
  }

  /** A price as the market writes it. */
  written(product: string, side: Side, price: Decimal.Decimal): Decimal.Decimal | undefined {
    return this.quotes(product)?.[side].find((quote) => BigDecimal.equals(quote.price, price))?.price
  }

  /** Carries out a command of ours. */
  apply(name: string, command: Command, at: number): ReadonlyArray<Clearing.Event> {
    const product = this.products.get(name)
    if (product === undefined) return []
    const coming = this.comingOf(command)
    const mirrored = coming === undefined ? [] : this.mirror(name, product, coming, at)
    const events = this.clearing.apply(command, at)
    if (mirrored.length > 0) this.clearing.apply({ _tag: "CancelAll", account: market, product: name }, at)
    for (const event of events) {
      if (event._tag === "Traded") {
        const { maker: { order }, amount, price } = event
        if (order.account === market) this.take(product, order.side, price, amount)
      } else if (event._tag === "Accepted" || (event._tag === "Amended" && !event.keepsPriority)) {
        this.enqueue(product, event.order)
      }
    }
    return events.filter(isOurs)
  }

  /** The market has this now, or, if it is `undefined`, nobody knows what. */
  quote(name: string, quotes: Quotes | undefined, at: number): ReadonlyArray<Clearing.Event> {
    const product = this.products.get(name)
    if (product === undefined) return []
    const wasKnown = product.quotes !== undefined
    product.quotes = quotes
    if (quotes === undefined) return []
    for (const side of ["buy", "sell"] as const) {
      const sizes = new Map(quotes[side].map(({ price, size }) => [keyOf(price), size]))
      for (const [key, { size }] of product.taken[side]) {
        if (!sizes.has(key) || !isSame(sizes.get(key), size)) product.taken[side].delete(key)
      }
    }
    // What was traded meanwhile was not told.
    if (!product.tellsTrades || !wasKnown) this.shorten(product)
    const events: Array<Clearing.Event> = []
    for (const side of ["buy", "sell"] as const) {
      const other = otherSide[side]
      for (const quote of quotes[other]) {
        let left = this.left(product, other, quote)
        for (const order of this.resting(product, side)) {
          const { price } = order
          if (price === undefined || !reaches(side, price, quote.price)) break
          const amount = left === undefined ? remainingOf(order) : least(left, remainingOf(order))
          if (!Decimal.isPositive(amount)) break
          events.push(...this.fill(order, price, amount, at))
          this.take(product, other, quote.price, amount)
          left = left && less(left, amount)
        }
      }
    }
    return events
  }

  /** Others have traded. */
  trade(name: string, { price, side, size }: MarketTrade, at: number): ReadonlyArray<Clearing.Event> {
    const product = this.products.get(name)
    if (product === undefined) return []
    const events: Array<Clearing.Event> = []
    for (const own of ["buy", "sell"] as const) {
      if (side === own) continue
      let left = size
      for (const order of this.resting(product, own)) {
        if (order.price === undefined || !reaches(own, order.price, price)) break
        if (BigDecimal.equals(order.price, price)) {
          // Of a trade whose taker is not known, it is not known which side's queue it took from.
          if (side === undefined) break
          const before = product.queue.get(order.orderId) ?? Decimal.zero
          product.queue.set(order.orderId, less(before, left))
          left = less(left, before)
        } else product.queue.set(order.orderId, Decimal.zero)
        const amount = least(left, remainingOf(order))
        if (!Decimal.isPositive(amount)) break
        events.push(...this.fill(order, order.price, amount, at))
        left = less(left, amount)
      }
    }
    return events
  }

  /** What comes into the book with a command, if something does. */
  private comingOf(command: Command): Pick<Order, "side" | "price" | "amount"> | undefined {
    if (command._tag === "Place") {
      return { ...command, price: command.type === "limit" ? command.price : undefined }
    }
    const order = command._tag === "Amend" ? this.clearing.books.order(command.orderId) : undefined
    return order && command._tag === "Amend"
      ? { ...order, price: command.price ?? order.price, amount: command.amount ?? order.amount }
      : undefined
  }

  // Puts what the market has, as far as an order could take it, into the book.
  private mirror(
    name: string,
    product: Product,
    { amount, price, side }: Pick<Order, "side" | "price" | "amount">,
    at: number
  ): ReadonlyArray<Quote> {
    const other = otherSide[side]
    const mirrored: Array<Quote> = []
    let wanted = amount
    for (const quote of product.quotes?.[other] ?? []) {
      if (!Decimal.isPositive(wanted) || (price !== undefined && !reaches(side, price, quote.price))) break
      const size = this.left(product, other, quote) ?? wanted
      if (!Decimal.isPositive(size)) continue
      mirrored.push(quote)
      wanted = less(wanted, size)
      this.clearing.apply({
        _tag: "Place",
        account: market,
        product: name,
        side: other,
        type: "limit",
        timeInForce: "gtc",
        price: quote.price,
        amount: size
      }, at)
    }
    return mirrored
  }

  // An order of ours that rests trades with the market, at its price.
  private fill(
    { product, side }: Order,
    price: Decimal.Decimal,
    amount: Decimal.Decimal,
    at: number
  ): ReadonlyArray<Clearing.Event> {
    return this.clearing.apply({
      _tag: "Place",
      account: market,
      product,
      side: otherSide[side],
      type: "limit",
      timeInForce: "ioc",
      price,
      amount
    }, at).filter(isOurs)
  }

  /** What is left of a level after what we have taken. */
  private left({ taken }: Product, side: Side, { price, size }: Quote): Decimal.Decimal | undefined {
    const ours = taken[side].get(keyOf(price))?.taken
    return size === undefined || ours === undefined ? size : less(size, ours)
  }

  private take(product: Product, side: Side, price: Decimal.Decimal, amount: Decimal.Decimal): void {
    const quote = product.quotes?.[side].find((quote) => BigDecimal.equals(quote.price, price))
    if (quote === undefined) return
    const key = keyOf(price)
    const before = product.taken[side].get(key)?.taken ?? Decimal.zero
    product.taken[side].set(key, { size: quote.size, taken: BigDecimal.sum(before, amount) })
  }

  // An order that rests now is behind all that rests at its price.
  private enqueue(product: Product, { orderId, price, side }: Order): void {
    product.queue.delete(orderId)
    if (price === undefined || this.clearing.books.order(orderId) === undefined) return
    let before = product.quotes?.[side].find((quote) => BigDecimal.equals(quote.price, price))?.size ?? Decimal.zero
    for (const order of this.resting(product, side)) {
      if (isSame(order.price, price)) before = less(before, product.queue.get(order.orderId) ?? Decimal.zero)
    }
    product.queue.set(orderId, before)
  }

  // No more is before our orders than their level has.
  private shorten(product: Product): void {
    for (const side of ["buy", "sell"] as const) {
      const sizes = new Map(product.quotes?.[side].map(({ price, size }) => [keyOf(price), size ?? Decimal.zero]))
      for (const { orderId, price } of this.resting(product, side)) {
        if (price === undefined) continue
        const key = keyOf(price)
        const left = sizes.get(key) ?? Decimal.zero
        const before = least(product.queue.get(orderId) ?? Decimal.zero, left)
        product.queue.set(orderId, before)
        sizes.set(key, less(left, before))
      }
    }
  }

  /** Our orders that rest on a side, the best price first, and of one price what came first. */
  private resting({ queue }: Product, side: Side): ReadonlyArray<Order> {
    const found: Array<Order> = []
    for (const orderId of queue.keys()) {
      const order = this.clearing.books.order(orderId)
      if (order === undefined) queue.delete(orderId)
      else if (order.side === side) found.push(order)
    }
    const sign = side === "buy" ? -1 : 1
    return found.sort((one, other) => sign * BigDecimal.Order(one.price ?? Decimal.zero, other.price ?? Decimal.zero))
  }
}

const remainingOf = ({ amount, filled }: Order): Decimal.Decimal => BigDecimal.subtract(amount, filled)

/** More than any order asks for. */
const plenty = BigDecimal.make(1n, -60)
