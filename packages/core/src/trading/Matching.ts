/**
 * A matching engine: orders of many accounts in the books of many instruments,
 * by price and then by time. Mock exchanges, paper trading and backtests share
 * it.
 *
 * It has no clock, no chance and no words of any exchange: the same commands at
 * the same times give the same events with the same ids. All figures are exact.
 *
 * - An order trades at the price of the order that rested.
 * - What an order asks for is either legal by its `Instrument`, or rejected with
 *   the nearest legal values; nothing is rounded. What an order is worth is known
 *   if it has a price; one at any price is taken.
 * - A reduce-only order trades at most what is left of its account's position
 *   then. If nothing is left, it is cancelled.
 * - An amendment keeps an order's place in the queue if it leaves the price and
 *   does not enlarge the amount; otherwise the order comes in anew, behind all
 *   others of its price, and may trade.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type { Level, Side } from "../event/MarketData.ts"
import * as Decimal from "../value/Decimal.ts"
import * as Exact from "../value/internal/exactArithmetic.ts"
import * as Instrument from "./Instrument.ts"
import { Book, type BookOrder, type Plan, remainingOf } from "./internal/matchingBook.ts"
import { Sorted } from "./internal/sorted.ts"
import type { Amend, Cancel, Command, Place } from "./MatchingCommand.ts"
import type { CancelReason, Event, Order, Refusal } from "./MatchingEvent.ts"

/**
 * What an order or an amendment would do now: the order as it would come in, and
 * its trades, in order.
 *
 * @category models
 * @since 0.1.0
 */
export interface Preview {
  readonly order: Order
  readonly trades: ReadonlyArray<{ readonly price: Decimal.Decimal; readonly amount: Decimal.Decimal }>
}

/**
 * A matching engine. It is synchronous, and changes by `apply` and `expire` only.
 * Times are milliseconds since 1970.
 *
 * @category models
 * @since 0.1.0
 */
export interface Matching {
  /** Opens the book of an instrument, unless its product has one. */
  readonly list: (instrument: Instrument.Instrument) => void
  /** Carries a command out, after what has expired by then. Order and trade ids count up from the first. */
  readonly apply: (command: Command, at: number) => ReadonlyArray<Event>
  /** Ends what has expired by then, in the order of its times. */
  readonly expire: (at: number) => ReadonlyArray<Event>
  /** What a command would do, or why it would be rejected; it changes nothing. What has expired by then is still there. */
  readonly preview: (command: Place | Amend, at: number) => Preview | Refusal
  /** When the next order expires, if one does. */
  readonly nextExpiry: () => number | undefined
  /** An order that rests. */
  readonly order: (orderId: string) => Order | undefined
  /** The orders that rest, of all accounts or of one, in the order in which they were placed. */
  readonly orders: (account?: string) => ReadonlyArray<Order>
  /** The best so many levels of a side of a book, best first; all by default. */
  readonly levels: (product: string, side: Side, depth?: number) => ReadonlyArray<Level>
  /** What rests at a price. */
  readonly amountAt: (product: string, side: Side, price: Decimal.Decimal) => Decimal.Decimal
  /** What an account has bought less what it has sold. */
  readonly position: (account: string, product: string) => Decimal.Decimal
}

/** An order on its way into its book, and what it does there. */
interface Coming {
  readonly order: BookOrder
  readonly plan: Plan
}

/** An order that rests as it was, and as it is to be. */
interface Amending extends Coming {
  readonly was: BookOrder
  readonly keepsPriority: boolean
}

class MatchingImpl implements Matching {
  private readonly books = new Map<string, Book>()
  private readonly open = new Map<string, BookOrder>()
  private readonly accounts = new Map<string, Set<BookOrder>>()
  private readonly expiring = new Sorted<BookOrder>((one, other) =>
    ((one.validUntil ?? 0) - (other.validUntil ?? 0) || one.number - other.number) < 0
  )
  private placed: number
  private traded: number
  private events: Array<Event> = []

  constructor(instruments: Iterable<Instrument.Instrument>, firstId: number) {
    this.placed = firstId - 1
    this.traded = firstId - 1
    for (const instrument of instruments) this.list(instrument)
  }

  list(instrument: Instrument.Instrument): void {
    if (!this.books.has(instrument.product)) this.books.set(instrument.product, new Book(instrument))
  }

  apply(command: Command, at: number): ReadonlyArray<Event> {
    this.endExpired(at)
    const reason = this.carryOut(command, at)
    if (reason !== undefined) this.events.push({ _tag: "Rejected", command, reason })
    return this.taken()
  }

  expire(at: number): ReadonlyArray<Event> {
    this.endExpired(at)
    return this.taken()
  }

  preview(command: Place | Amend, at: number): Preview | Refusal {
    const coming = command._tag === "Place" ? this.placing(command, at) : this.amending(command)
    if ("_tag" in coming) return coming
    const { order, plan } = coming
    const { amountScale, priceScale } = order.book
    const trades = plan.steps.filter(({ amount }) => amount > 0n).map(({ amount, maker }) => ({
      price: BigDecimal.make(maker.price ?? 0n, priceScale),
      amount: BigDecimal.make(amount, amountScale)
    }))
    return { order: shown(order), trades }
  }

  nextExpiry(): number | undefined {
    return this.expiring.first()?.validUntil
  }

  order(orderId: string): Order | undefined {
    const order = this.open.get(orderId)
    return order && shown(order)
  }

  orders(account?: string): ReadonlyArray<Order> {
    return Array.from(this.resting(account), shown)
  }

  levels(product: string, side: Side, depth = Number.POSITIVE_INFINITY): ReadonlyArray<Level> {
    const book = this.books.get(product)
    const found: Array<Level> = []
    for (const { price, total } of book?.side(side) ?? []) {
      if (book === undefined || found.length >= depth) break
      found.push([BigDecimal.make(price, book.priceScale), BigDecimal.make(total, book.amountScale)])
    }
    return found
  }

  amountAt(product: string, side: Side, price: Decimal.Decimal): Decimal.Decimal {
    const book = this.books.get(product)
    if (book === undefined || Instrument.checkPrice(book.instrument, price) !== undefined) return Decimal.zero
    const total = book.side(side).at(Exact.unitsOf(price, book.priceScale))?.total ?? 0n
    return BigDecimal.make(total, book.amountScale)
  }

  position(account: string, product: string): Decimal.Decimal {
    const book = this.books.get(product)
    return book === undefined ? Decimal.zero : BigDecimal.make(book.position(account), book.amountScale)
  }

  private resting(account: string | undefined): Iterable<BookOrder> {
    return account === undefined ? this.open.values() : this.accounts.get(account) ?? []
  }

  private taken(): ReadonlyArray<Event> {
    const { events } = this
    this.events = []
    return events
  }

  private carryOut(command: Command, at: number): Refusal | undefined {
    switch (command._tag) {
      case "Place":
        return this.place(command, at)
      case "Amend":
        return this.amend(command)
      case "Cancel": {
        const order = this.find(command)
        if (order === undefined) return { _tag: "UnknownOrder", orderId: command.orderId }
        this.cancel(order, "requested")
        return undefined
      }
      case "CancelAll": {
        const { account, product, side } = command
        for (const order of this.resting(account)) {
          const isMeant = (product === undefined || order.book.instrument.product === product) &&
            (side === undefined || order.side === side)
          if (isMeant) this.cancel(order, "requested")
        }
        return undefined
      }
    }
  }

  private find({ account, orderId }: Amend | Cancel): BookOrder | undefined {
    const order = this.open.get(orderId)
    return order?.account === account ? order : undefined
  }

  private place(command: Place, at: number): Refusal | undefined {
    const coming = this.placing(command, at)
    if ("_tag" in coming) return coming
    this.placed++
    this.events.push({ _tag: "Accepted", order: shown(coming.order) })
    this.carryIn(coming.order, coming.plan)
    return undefined
  }

  // The order that a command would place.
  private placing(command: Place, at: number): Coming | Refusal {
    const { account, amount, product, reduceOnly = false, selfTrade = "allow", side, validUntil } = command
    const book = this.books.get(product)
    if (book === undefined) return { _tag: "UnknownProduct", product }
    const { instrument } = book
    const illegal = (command.type === "limit" ? Instrument.checkPrice(instrument, command.price) : undefined) ??
      Instrument.checkAmount(instrument, amount) ??
      (command.type === "limit" ? Instrument.checkValue(instrument, command) : undefined)
    if (illegal !== undefined) return illegal
    if (validUntil !== undefined && validUntil <= at) return { _tag: "TooLate", validUntil }
    if (reduceOnly && book.reducible(account, side) === 0n) {
      return { _tag: "NotReducing", position: this.position(account, product) }
    }
    const order: BookOrder = {
      number: this.placed + 1,
      account,
      book,
      side,
      timeInForce: command.timeInForce ?? "ioc",
      moves: command.type === "limit" && command.moves === true,
      reduceOnly,
      selfTrade,
      validUntil,
      price: command.type === "limit" ? Exact.unitsOf(command.price, book.priceScale) : undefined,
      amount: Exact.unitsOf(amount, book.amountScale),
      filled: 0n,
      level: undefined,
      before: undefined,
      after: undefined
    }
    const price = restingPrice(order, order.price)
    if (typeof price === "object") return price
    order.price = price
    const plan = book.plan(order)
    if (order.timeInForce === "fok" && plan.total < order.amount) {
      return { _tag: "NotFillable", available: BigDecimal.make(plan.total, book.amountScale) }
    }
    return { order, plan }
  }

  private amend(command: Amend): Refusal | undefined {
    const coming = this.amending(command)
    if ("_tag" in coming) return coming
    const { keepsPriority, order: { amount, moves, price, reduceOnly, timeInForce }, plan, was: order } = coming
    const { book } = order
    order.timeInForce = timeInForce
    order.moves = moves
    if (keepsPriority) {
      if (order.level !== undefined) order.level.total -= order.amount - amount
      order.amount = amount
      this.events.push({ _tag: "Amended", order: shown(order), keepsPriority })
      return undefined
    }
    book.remove(order)
    order.price = price
    order.amount = amount
    order.reduceOnly = reduceOnly
    this.events.push({ _tag: "Amended", order: shown(order), keepsPriority })
    this.carryIn(order, plan)
    return undefined
  }

  // What a command would make of an order that rests.
  private amending(command: Amend): Amending | Refusal {
    const order = this.find(command)
    if (order === undefined) return { _tag: "UnknownOrder", orderId: command.orderId }
    const { book } = order
    const illegal = (command.price && Instrument.checkPrice(book.instrument, command.price)) ??
      (command.amount && Instrument.checkAmount(book.instrument, command.amount))
    if (illegal !== undefined) return illegal
    const amount = command.amount === undefined ? order.amount : Exact.unitsOf(command.amount, book.amountScale)
    if (amount <= order.filled) {
      const inUnits = (units: bigint) => BigDecimal.make(units, book.amountScale)
      return { _tag: "BelowFilled", amount: inUnits(amount), filled: inUnits(order.filled) }
    }
    const { moves = order.moves, postOnly = order.timeInForce === "post-only", reduceOnly = order.reduceOnly } = command
    if (reduceOnly && !order.reduceOnly && book.reducible(order.account, order.side) === 0n) {
      return { _tag: "NotReducing", position: this.position(order.account, book.instrument.product) }
    }
    const wanted = command.price === undefined ? order.price : Exact.unitsOf(command.price, book.priceScale)
    const worthless = wanted === undefined ? undefined : Instrument.checkValue(book.instrument, {
      amount: BigDecimal.make(amount, book.amountScale),
      price: BigDecimal.make(wanted, book.priceScale),
      reduceOnly
    })
    if (worthless !== undefined) return worthless
    // What rests is neither to be filled at once nor at all.
    const timeInForce = postOnly ? "post-only" : "gtc"
    const amended: BookOrder = { ...order, timeInForce, moves, reduceOnly, amount }
    const price = restingPrice(amended, wanted)
    if (typeof price === "object") return price
    amended.price = price
    const keepsPriority = price === order.price && amount <= order.amount && reduceOnly === order.reduceOnly
    return { was: order, order: amended, plan: book.plan(amended), keepsPriority }
  }

  // An order comes into its book: it trades by plan, and what is left rests or is cancelled.
  private carryIn(order: BookOrder, plan: Plan): void {
    const { book } = order
    const touched = new Set<string>()
    for (const { amount, cancels, maker } of plan.steps) {
      if (amount > 0n) {
        book.trade(maker, order, amount)
        this.traded++
        this.events.push(this.tradeOf(maker, order, amount))
        touched.add(maker.account).add(order.account)
      }
      if (remainingOf(maker) === 0n) this.end(maker)
      else if (cancels !== undefined) this.cancel(maker, cancels)
    }
    if (remainingOf(order) === 0n) this.end(order)
    else if (plan.ends !== undefined) this.cancel(order, plan.ends)
    else if (order.price === undefined || order.timeInForce === "ioc") this.cancel(order, "immediate")
    else this.rest(order, order.price)
    for (const account of touched) {
      for (const useless of book.useless(account)) this.cancel(useless, "reduce-only")
    }
  }

  private tradeOf(maker: BookOrder, taker: BookOrder, units: bigint): Event {
    const { amountScale, instrument, priceScale } = maker.book
    const price = BigDecimal.make(maker.price ?? 0n, priceScale)
    const amount = BigDecimal.make(units, amountScale)
    return {
      _tag: "Traded",
      tradeId: String(this.traded),
      product: instrument.product,
      price,
      amount,
      maker: { order: shown(maker), fee: Instrument.fee(instrument, "maker", price, amount) },
      taker: { order: shown(taker), fee: Instrument.fee(instrument, "taker", price, amount) }
    }
  }

  private rest(order: BookOrder, price: bigint): void {
    order.book.rest(order, price)
    const id = String(order.number)
    if (this.open.has(id)) return
    this.open.set(id, order)
    const others = this.accounts.get(order.account)
    if (others === undefined) this.accounts.set(order.account, new Set([order]))
    else others.add(order)
    if (order.validUntil !== undefined) this.expiring.insert(order)
  }

  // Takes an order out of all there is, whether or not it rests.
  private end(order: BookOrder): void {
    order.book.remove(order)
    if (!this.open.delete(String(order.number))) return
    this.accounts.get(order.account)?.delete(order)
    if (order.validUntil !== undefined) this.expiring.remove(order)
  }

  private cancel(order: BookOrder, reason: CancelReason): void {
    this.end(order)
    this.events.push({ _tag: "Cancelled", order: shown(order), reason })
  }

  private endExpired(at: number): void {
    for (let order = this.expiring.first(); order !== undefined; order = this.expiring.first()) {
      if ((order.validUntil ?? 0) > at) return
      this.end(order)
      this.events.push({ _tag: "Expired", order: shown(order) })
    }
  }
}

/** Where an order would come to rest that wants a price, or why it may not. */
const restingPrice = (order: BookOrder, wanted: bigint | undefined): bigint | undefined | Refusal => {
  if (order.timeInForce !== "post-only") return wanted
  const { book } = order
  const crossed = book.crossed(order.side, wanted)
  if (crossed === undefined) return wanted
  const beside = order.moves ? book.beside(order.side, crossed) : undefined
  return beside ?? { _tag: "WouldTrade", price: BigDecimal.make(crossed.price, book.priceScale) }
}

const shown = (order: BookOrder): Order => {
  const { account, amount, book, filled, number, price, reduceOnly, side, timeInForce, validUntil } = order
  return {
    orderId: String(number),
    account,
    product: book.instrument.product,
    side,
    price: price === undefined ? undefined : BigDecimal.make(price, book.priceScale),
    amount: BigDecimal.make(amount, book.amountScale),
    filled: BigDecimal.make(filled, book.amountScale),
    timeInForce,
    reduceOnly,
    validUntil
  }
}

/**
 * How an engine is made. The ids of orders and those of trades count from `firstId`:
 * 1 by default. Whoever keeps them beyond the engine's life gives one that is
 * above all before, such as the time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly firstId?: number | undefined
}

/**
 * An engine of these instruments, its books empty.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  instruments: Iterable<Instrument.Instrument>,
  { firstId = 1 }: Options = {}
): Matching => new MatchingImpl(instruments, firstId)
