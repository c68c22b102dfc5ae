/**
 * Accounts over a matching engine: who has what, what that allows, and what
 * trades make of it. Mock exchanges, paper trading and backtests share it.
 *
 * - An order is accepted only if its account has what it could cost: of spot the
 *   amount that it sells, or its price × amount with fees; a market order what the
 *   book would cost. Of a derivative it is the initial margin of what would be at
 *   stake, by the account's leverage, and the fees. Otherwise it is rejected with
 *   `InsufficientFunds`, and nothing has changed.
 * - What orders and positions need is held; a trade settles both sides with their
 *   fees, and what an order does not need any more is available again.
 * - Fees go to the exchange's own account. What an account loses beyond what it
 *   has, that one bears; then the account's orders that nothing covers any more
 *   are cancelled, newest first.
 * - Of each asset, all accounts together with the exchange's have what was
 *   deposited, to the last digit. What is open in positions counts at its cost.
 *
 * Like the engine it has no clock and no chance.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Decimal from "../value/Decimal.ts"
import * as Exact from "../value/internal/exactArithmetic.ts"
import * as Instrument from "./Instrument.ts"
import { Account, type Held } from "./internal/clearingAccount.ts"
import type { Open } from "./internal/exposure.ts"
import { settle } from "./internal/settlement.ts"
import * as Matching from "./Matching.ts"
import type { Amend, Command, Place } from "./MatchingCommand.ts"
import type * as MatchingEvent from "./MatchingEvent.ts"

/**
 * What an account has of an asset: `total` is what is `available` and what is
 * `held` for its orders and positions. None of them is below zero.
 *
 * @category models
 * @since 0.1.0
 */
export interface Balance {
  readonly asset: string
  readonly total: Decimal.Decimal
  readonly available: Decimal.Decimal
  readonly held: Decimal.Decimal
}

/**
 * What an account has of a derivative: below zero it is short. `cost` is what was
 * paid for it, less what was received, so that at a price of now its profit is
 * its value − `cost`. `realized` is what the trades so far have gained, without
 * fees. `averagePrice` is rounded to eight digits more than the tick has, and
 * absent where there is no position.
 *
 * @category models
 * @since 0.1.0
 */
export interface Position {
  readonly product: string
  readonly amount: Decimal.Decimal
  readonly cost: Decimal.Decimal
  readonly averagePrice: Decimal.Decimal | undefined
  readonly realized: Decimal.Decimal
}

/**
 * An order's side of a trade: also what it has realized, and the account's
 * position after it. Both are zero of spot.
 *
 * @category models
 * @since 0.1.0
 */
export interface Party extends MatchingEvent.Party {
  readonly realized: Decimal.Decimal
  readonly position: Decimal.Decimal
}

type Traded = Extract<MatchingEvent.Event, { readonly _tag: "Traded" }>

/**
 * What came of a command, in order.
 *
 * @category models
 * @since 0.1.0
 */
export type Event =
  | Exclude<MatchingEvent.Event, Traded>
  | Omit<Traded, "maker" | "taker"> & { readonly maker: Party; readonly taker: Party }

/**
 * Accounts over a matching engine, synchronous as it is. An account begins with
 * its first deposit or order.
 *
 * @category models
 * @since 0.1.0
 */
export interface Clearing {
  /** The engine, to look at. */
  readonly books: Omit<Matching.Matching, "list" | "apply" | "expire">
  /** As of `Matching`. */
  readonly list: (instrument: Instrument.Instrument) => void
  /** As of `Matching`. */
  readonly apply: (command: Command, at: number) => ReadonlyArray<Event>
  /** As of `Matching`. */
  readonly expire: (at: number) => ReadonlyArray<Event>
  /** Adds to what an account has; an amount that is not positive is a defect. */
  readonly deposit: (account: string, asset: string, amount: Decimal.Decimal) => void
  /** By how much an account's positions may exceed its margin: a positive number, by default 1. */
  readonly setLeverage: (
    account: string,
    leverage: Decimal.Decimal
  ) => MatchingEvent.InsufficientFunds | undefined
  /** In the order in which the account came to them. */
  readonly balances: (account: string) => ReadonlyArray<Balance>
  readonly balance: (account: string, asset: string) => Balance
  /** Those that are not zero. */
  readonly positions: (account: string) => ReadonlyArray<Position>
  readonly position: (account: string, product: string) => Position
  /** What the exchange itself has: fees, less what it bore and rebates. It may be below zero. */
  readonly own: (asset: string) => Decimal.Decimal
}

class ClearingImpl implements Clearing {
  readonly books: Matching.Matching
  private readonly instruments = new Map<string, Instrument.Instrument>()
  private readonly accounts = new Map<string, Account>()
  private readonly owned = new Map<string, Decimal.Decimal>()

  constructor(instruments: Iterable<Instrument.Instrument>, options: Matching.Options | undefined) {
    this.books = Matching.make([], options)
    for (const instrument of instruments) this.list(instrument)
  }

  list(instrument: Instrument.Instrument): void {
    this.books.list(instrument)
    if (!this.instruments.has(instrument.product)) this.instruments.set(instrument.product, instrument)
  }

  apply(command: Command, at: number): ReadonlyArray<Event> {
    const expired = this.expire(at)
    const refusal = command._tag === "Place" || command._tag === "Amend" ? this.refusal(command, at) : undefined
    return refusal === undefined
      ? [...expired, ...this.settle(this.books.apply(command, at), at)]
      : [...expired, { _tag: "Rejected", command, reason: refusal }]
  }

  expire(at: number): ReadonlyArray<Event> {
    return this.settle(this.books.expire(at), at)
  }

  deposit(account: string, asset: string, amount: Decimal.Decimal): void {
    if (!Decimal.isPositive(amount)) throw new Error(`a deposit of ${Decimal.format(amount)} ${asset}`)
    this.account(account).add(asset, amount)
  }

  setLeverage(account: string, leverage: Decimal.Decimal): MatchingEvent.InsufficientFunds | undefined {
    if (!Decimal.isPositive(leverage)) throw new Error(`a leverage of ${Decimal.format(leverage)}`)
    return this.account(account).setLeverage(leverage)
  }

  balances(account: string): ReadonlyArray<Balance> {
    return Array.from(this.accounts.get(account)?.totals.keys() ?? [], (asset) => this.balance(account, asset))
  }

  balance(account: string, asset: string): Balance {
    const of = this.account(account)
    return { asset, total: of.total(asset), available: of.available(asset), held: of.held(asset) }
  }

  positions(account: string): ReadonlyArray<Position> {
    return Array.from(this.account(account).exposures.keys(), ({ product }) => this.position(account, product))
      .filter(({ amount }) => amount.value !== 0n)
  }

  position(account: string, product: string): Position {
    const instrument = this.instruments.get(product)
    const none = { amount: Decimal.zero, cost: Decimal.zero, realized: Decimal.zero }
    const position = instrument === undefined ? none : this.account(account).exposure(instrument).position
    return { product, ...position, averagePrice: instrument && averagePrice(instrument, position) }
  }

  own(asset: string): Decimal.Decimal {
    return this.owned.get(asset) ?? Decimal.zero
  }

  private account(name: string): Account {
    const account = this.accounts.get(name) ?? new Account()
    this.accounts.set(name, account)
    return account
  }

  // What the account lacks for a command that the engine would take.
  private refusal(command: Place | Amend, at: number): MatchingEvent.InsufficientFunds | undefined {
    const preview = this.books.preview(command, at)
    if ("_tag" in preview) return undefined
    const { order, trades } = preview
    const instrument = this.instruments.get(order.product)
    if (instrument === undefined) return undefined
    const account = this.account(order.account)
    const replaced = command._tag === "Amend" ? command.orderId : undefined
    return account.refusal(instrument, account.replaced(instrument, replaced, heldFor(instrument, order, trades)))
  }

  // Settles what the engine did, holds what its orders then need, and cancels what is not covered any more.
  private settle(events: ReadonlyArray<MatchingEvent.Event>, at: number): ReadonlyArray<Event> {
    const settled: Array<Event> = []
    const orders = new Map<string, MatchingEvent.Order>()
    for (const event of events) {
      if (event._tag === "Traded") {
        const { amount, maker, price, taker } = event
        const parties = [maker, taker] as const
        for (const { order } of parties) orders.set(order.orderId, order)
        settled.push({
          ...event,
          maker: this.trade(maker, price, amount),
          taker: this.trade(taker, price, amount)
        })
      } else {
        if (event._tag !== "Rejected") orders.set(event.order.orderId, event.order)
        settled.push(event)
      }
    }
    const accounts = new Set<Account>()
    for (const { account: name, orderId, product } of orders.values()) {
      const instrument = this.instruments.get(product)
      if (instrument === undefined) continue
      const account = this.account(name)
      const resting = this.books.order(orderId)
      account.hold(instrument, orderId, resting && heldFor(instrument, resting, []))
      accounts.add(account)
    }
    for (const account of accounts) settled.push(...this.cover(account, at))
    return settled
  }

  private trade(party: MatchingEvent.Party, price: Decimal.Decimal, amount: Decimal.Decimal): Party {
    const { fee, order: { account: name, product, side } } = party
    const instrument = this.instruments.get(product)
    if (instrument === undefined) return { ...party, realized: Decimal.zero, position: Decimal.zero }
    const { feeAsset } = instrument
    const account = this.account(name)
    const { payments, position, realized } = settle(instrument, account.exposure(instrument).position, {
      side,
      price,
      amount
    })
    account.move(instrument, position)
    for (const [asset, amount] of payments) this.pay(account, asset, amount)
    this.pay(account, feeAsset, BigDecimal.negate(fee))
    this.earn(feeAsset, fee)
    return { ...party, realized, position: position.amount }
  }

  private pay(account: Account, asset: string, amount: Decimal.Decimal): void {
    this.earn(asset, account.add(asset, amount))
  }

  private earn(asset: string, amount: Decimal.Decimal): void {
    this.owned.set(asset, BigDecimal.sum(this.own(asset), amount))
  }

  private cover(account: Account, at: number): ReadonlyArray<Event> {
    const cancelled: Array<Event> = []
    for (const asset of account.lacking()) {
      for (const held of [...account.orders.values()].toReversed()) {
        if (!account.lacking().includes(asset)) break
        const order = this.books.order(held.orderId)
        if (order === undefined || !account.holds(held, asset)) continue
        for (const event of this.books.apply({ _tag: "Cancel", account: order.account, orderId: order.orderId }, at)) {
          if (event._tag === "Cancelled") cancelled.push({ ...event, reason: "funds" })
        }
        account.hold(held.instrument, held.orderId, undefined)
      }
    }
    return cancelled
  }
}

/** What orders of these parts can cost, each of them as maker or as taker. */
const openOf = (
  instrument: Instrument.Instrument,
  parts: ReadonlyArray<{ readonly price: Decimal.Decimal; readonly amount: Decimal.Decimal }>
): Open => {
  let open: Open = { amount: Decimal.zero, value: Decimal.zero, fee: Decimal.zero }
  for (const { amount, price } of parts) {
    const fees = [
      Decimal.zero,
      Instrument.fee(instrument, "maker", price, amount),
      Instrument.fee(instrument, "taker", price, amount)
    ]
    open = {
      amount: BigDecimal.sum(open.amount, amount),
      value: BigDecimal.sum(open.value, Instrument.value(instrument, price, amount)),
      fee: BigDecimal.sum(open.fee, fees.reduce((one, other) => BigDecimal.max(one, other)))
    }
  }
  return open
}

/** What an order can cost that would do these trades first; `undefined` if nothing. */
const heldFor = (
  instrument: Instrument.Instrument,
  { amount, filled, orderId, price, reduceOnly, side }: MatchingEvent.Order,
  trades: Matching.Preview["trades"]
): Held | undefined => {
  const isSpot = instrument.base !== undefined
  if (reduceOnly && !isSpot) return undefined
  const remaining = BigDecimal.subtract(amount, filled)
  const rest = trades.reduce((left, { amount }) => BigDecimal.subtract(left, amount), remaining)
  const asPlanned = openOf(instrument, price === undefined ? trades : [...trades, { price, amount: rest }])
  const atLimit = openOf(instrument, price === undefined ? [] : [{ price, amount: remaining }])
  const open = {
    amount: isSpot ? remaining : asPlanned.amount,
    value: BigDecimal.max(asPlanned.value, atLimit.value),
    fee: BigDecimal.max(asPlanned.fee, atLimit.fee)
  }
  return { orderId, instrument, side, open }
}

const averagePrice = (
  { tick, valuation }: Instrument.Instrument,
  { amount, cost }: { readonly amount: Decimal.Decimal; readonly cost: Decimal.Decimal }
): Decimal.Decimal | undefined => {
  const [above, below] = valuation === "inverse" ? [amount, cost] : [cost, amount]
  return below.value === 0n ? undefined : Exact.quotient(BigDecimal.abs(above), BigDecimal.abs(below), tick.scale)
}

/**
 * A clearing of these instruments, its books and accounts empty, over an engine
 * that is made by the options.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  instruments: Iterable<Instrument.Instrument>,
  options?: Matching.Options | undefined
): Clearing => new ClearingImpl(instruments, options)
