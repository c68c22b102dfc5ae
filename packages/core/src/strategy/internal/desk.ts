/**
 * What a trader knows, and how it changes: by prices, by fills, by orders that
 * are admitted and come to nothing. Each step is taken at once and waits for
 * nothing.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Symbols from "../../protocol/Symbols.ts"
import { Instrument } from "../../trading/Instrument.ts"
import type * as Lot from "../../trading/Lot.ts"
import type * as Order from "../../trading/Order.ts"
import { Fill } from "../../trading/OrderEvent.ts"
import * as Portfolio from "../../trading/Portfolio.ts"
import * as Risk from "../../trading/Risk.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import * as Performance from "../Performance.ts"
import type { Price } from "../Price.ts"
import type { Signal } from "../Signal.ts"
import type { Reason, TraderEvent, Why } from "../TraderEvent.ts"
import type * as History from "./traderHistory.ts"

/**
 * What a desk is made with. `alike` are assets that count as the quote currency,
 * one to one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly quote: string
  readonly alike: ReadonlyArray<string>
  readonly limits: Risk.Limits
  readonly portfolio: Portfolio.Portfolio
  readonly now: () => number
  readonly tell: (event: TraderEvent) => void
}

const codes: Partial<Readonly<Record<Reason["_tag"], string>>> = {
  NotTrading: "ERR_NOT_TRADING",
  InFlight: "ERR_ORDER_IN_FLIGHT",
  NothingToClose: "ERR_NOTHING_TO_CLOSE",
  IsCurrency: "ERR_CURRENCY",
  NoExchange: "ERR_NO_EXCHANGE",
  NotPlaced: "ERR_NOT_PLACED"
}

/** The step of what has no rules yet. */
const finest = BigDecimal.make(1n, 18)

const keyOf = ({ exchange, request: { clientId } }: Order.Order): string => `${exchange} ${clientId}`

/**
 * What a trader knows.
 *
 * @category models
 * @since 0.1.0
 */
export class Desk {
  readonly options: Options
  risk: Risk.State
  /** Why each order was placed, by the client id that it was placed with. */
  readonly purposes = new Map<string, History.Purpose>()
  /** The entry of each product that is not over, by its id. */
  readonly entering = new Map<string, string>()
  /** The orders of which it is not known yet whether they were taken. */
  readonly placing = new Set<string>()
  /** The lots that are being closed. */
  readonly leaving = new Set<string>()
  /** What became of the portfolio. */
  performance: Performance.Performance
  private readonly booked = new Map<string, number>()
  /** All fills, as the exchanges have them. */
  private readonly filled: Array<Fill> = []
  private readonly prices = new Map<string, { readonly price: Decimal.Decimal; readonly at: number }>()

  constructor(options: Options) {
    this.options = options
    this.risk = { portfolio: options.portfolio, admissions: [] }
    this.performance = Performance.start(options.portfolio.total, options.now())
  }

  /** Begins with so much, at a time. */
  begin(cash: Decimal.Decimal, at: number): void {
    const { limits, quote } = this.portfolio
    this.portfolio = Portfolio.empty({ cash, quote, limits })
    this.performance = Performance.start(cash, at)
  }

  fills(): ReadonlyArray<Fill> {
    return this.filled
  }

  /** The newest prices, of products and of their base assets. */
  marks(): ReadonlyMap<string, Decimal.Decimal> {
    const marks = new Map<string, Decimal.Decimal>()
    const heard = [...this.prices].map(([product, { price }]) => [product, price] as const)
    for (const [product, price] of [...this.portfolio.marks, ...heard]) {
      marks.set(product, price)
      const base = Symbols.parse(product)?.base
      if (base !== undefined) marks.set(base, price)
    }
    return marks
  }

  get portfolio(): Portfolio.Portfolio {
    return this.risk.portfolio
  }

  set portfolio(portfolio: Portfolio.Portfolio) {
    this.risk = { ...this.risk, portfolio }
  }

  refuse(signal: Signal, reason: Reason, code = codes[reason._tag] ?? reason._tag): void {
    this.options.tell({ _tag: "Refused", signal, reason, code })
  }

  /** Takes a price, and gives the lots that it closes. */
  price({ at, price, product }: Price): ReturnType<typeof Portfolio.triggered> {
    const millis = Timestamp.epochMillis(at)
    this.prices.set(product, { price, at: millis })
    const { portfolio } = this
    if (portfolio.lots.size === 0) return []
    this.portfolio = Portfolio.mark(portfolio, product, price)
    this.perform(millis)
    return Portfolio.triggered(portfolio, product, price).filter(({ lot }) => !this.leaving.has(lot.id))
  }

  /** The price of a product, if it is new enough to place orders by. */
  priceOf(product: string): Decimal.Decimal | undefined {
    const { limits, now } = this.options
    const { at, price } = this.prices.get(product) ?? {}
    return at !== undefined && now() - at < Duration.toMillis(limits.priceAge) ? price : undefined
  }

  private perform(at: number): void {
    const { lots, total } = this.portfolio
    this.performance = Performance.equity(this.performance, total, at, lots.size > 0)
  }

  /** Whether a lot of a product is being closed. */
  isLeaving(product: string): boolean {
    return [...this.portfolio.lots.values()].some((lot) => lot.product === product && this.leaving.has(lot.id))
  }

  /** The lots that a signal closes. */
  against({ product, side }: Signal): ReadonlyArray<Lot.Lot> {
    if (side === "hold") return []
    return [...this.portfolio.lots.values()].filter((lot) =>
      lot.product === product && (lot.direction === "long") === (side === "sell")
    )
  }

  /**
   * Whether a signal becomes an order: by rules that any instrument keeps to, or by
   * those of one. What it says is not so yet. What counts as the quote currency is
   * not bought with it.
   */
  check(
    id: string,
    signal: Signal,
    instrument: Instrument = new Instrument({
      product: signal.product,
      tick: finest,
      lot: finest,
      feeAsset: this.options.quote
    }),
    balances?: ReadonlyMap<string, Decimal.Decimal>
  ): Result.Result<Risk.Admitted, { readonly reason: Reason; readonly code?: string }> {
    const { limits, now, quote } = this.options
    const { base } = instrument
    if (base !== undefined && this.likeQuote(base) === quote) {
      return Result.fail({ reason: { _tag: "IsCurrency", asset: base } })
    }
    const at = Timestamp.epochMillis(signal.at)
    const { at: pricedAt, price } = this.prices.get(signal.product) ?? { price: signal.price, at }
    return Risk.check(limits, this.risk, {
      id,
      signal: { ...signal, at },
      instrument: new Instrument({ ...instrument, feeAsset: this.likeQuote(instrument.feeAsset) }),
      price,
      pricedAt,
      balances,
      now: now()
    })
  }

  /** The quote currency if an asset counts as that. */
  likeQuote(asset: string): string {
    const { alike, quote } = this.options
    return alike.includes(asset) ? quote : asset
  }

  /** An order is about to be placed. */
  admit({ request: { clientId }, state }: Risk.Admitted, purpose: History.Purpose): void {
    this.risk = state
    this.purposes.set(clientId, purpose)
  }

  /** The entry that an id is of is over. */
  release(id: string, isNothing: boolean): void {
    if (isNothing) this.risk = Risk.withdraw(this.risk, id)
    else this.portfolio = Portfolio.release(this.portfolio, id)
  }

  /** Books the fills of an order that are not booked yet. */
  book(of: string, order: Order.Order): void {
    const purpose = this.purposes.get(of)
    const key = keyOf(order)
    const before = this.booked.get(key) ?? 0
    if (order.fills.length <= before) return
    this.booked.set(key, order.fills.length)
    for (const fill of order.fills.slice(before)) this.fill(purpose, of, fill)
    const violations = Portfolio.violations(this.portfolio).filter(({ _tag }) => _tag !== "Exposure")
    if (violations.length > 0) this.options.tell({ _tag: "Broken", violations })
  }

  // An order that was not placed by us changes what the accounts have, and nothing of the portfolio.
  private fill(purpose: History.Purpose | undefined, of: string, said: Fill): void {
    this.filled.push(said)
    if (purpose === undefined) return
    const { now, tell } = this.options
    const { product } = purpose
    const base = purpose._tag === "Enter" ? purpose.base : undefined
    const feeAsset = said.feeAsset === undefined
      ? {}
      : { feeAsset: said.feeAsset === base ? base : this.likeQuote(said.feeAsset) }
    const fill = new Fill({ ...said, product, ...feeAsset })
    const at = fill.timestamp === undefined ? now() : Timestamp.epochMillis(fill.timestamp)
    if (purpose._tag === "Enter") {
      const after = Portfolio.enter(this.portfolio, of, fill, at, base)
      if (Result.isFailure(after)) return tell({ _tag: "Unbookable", error: after.failure })
      this.portfolio = after.success
      return this.traded(fill, at)
    }
    const after = Portfolio.exit(this.portfolio, purpose.lot, fill, at)
    if (Result.isFailure(after)) return tell({ _tag: "Unbookable", error: after.failure })
    this.portfolio = after.success.portfolio
    this.traded(fill, at)
    this.closed(after.success, purpose.why)
  }

  private closed({ closed }: Portfolio.Exited, why: Why | undefined, left = Decimal.zero): void {
    if (closed === undefined) return
    this.performance = Performance.trade(this.performance, BigDecimal.subtract(closed.realized, closed.fees))
    this.options.tell({ _tag: "Closed", trade: closed, why, left })
  }

  /** Closes a lot of which less is left than anybody trades, if that is so much, after so many fills. */
  writeOff(
    id: string,
    rest: { readonly amount: Decimal.Decimal; readonly fills: number },
    why: Why | undefined,
    at = this.options.now()
  ): void {
    const lot = this.portfolio.lots.get(id)
    if (lot?.tradeIds.length !== rest.fills || !BigDecimal.equals(lot.amount, rest.amount)) return
    const exited = Portfolio.writeOff(this.portfolio, id, at)
    this.portfolio = exited.portfolio
    this.perform(at)
    this.closed(exited, why, rest.amount)
  }

  private traded({ amount, price }: Fill, at: number): void {
    this.performance = Performance.fill(this.performance, BigDecimal.multiply(amount, price))
    this.perform(at)
  }

  /** What was known before a restart. */
  restore({ fills, open, purposes, writtenOff }: History.Past): void {
    // Of each order once: a history may be long.
    const areOpen = new Set(open.map(({ of }) => of))
    const areFilled = new Set(fills.map(({ of }) => of))
    for (const [id, { at, purpose }] of purposes) {
      this.purposes.set(id, purpose)
      if (purpose._tag === "Exit") continue
      const { confidence, product, side } = purpose
      const isOpen = areOpen.has(id)
      if (isOpen) this.entering.set(product, id)
      const isNothing = !isOpen && !areFilled.has(id)
      this.risk = Risk.remember(
        this.risk,
        new Risk.Admission({
          id,
          product,
          side,
          confidence,
          at: Timestamp.epochMillis(at),
          ...(isNothing ? { isWithdrawn: true } : {})
        })
      )
    }
    for (const { fill, of, order } of fills) {
      const key = keyOf(order)
      this.booked.set(key, (this.booked.get(key) ?? 0) + 1)
      this.fill(this.purposes.get(of), of, fill)
      // What is left of a lot is given up before whatever comes next.
      const lot = this.lotOf(of)
      for (const rest of writtenOff.get(lot) ?? []) {
        this.writeOff(lot, rest, undefined, Timestamp.epochMillis(rest.at))
      }
    }
    for (const order of open) this.reserve(order)
  }

  /** The lot that an order enters or closes. */
  private lotOf(of: string): string {
    const purpose = this.purposes.get(of)
    return purpose?._tag === "Exit" ? purpose.lot : of
  }

  // What an order from before a restart may still cost is set aside, as far as it is there.
  private reserve({ of: id, order: { amount, filled, price } }: History.OpenOrder): void {
    const purpose = this.purposes.get(id)
    if (purpose?._tag === "Exit") this.leaving.add(purpose.lot)
    if (purpose?._tag !== "Enter") return
    const { product, side } = purpose
    const rest = {
      id,
      product,
      direction: side === "buy" ? "long" as const : "short" as const,
      amount: BigDecimal.subtract(amount, filled),
      price: price ?? purpose.price
    }
    this.portfolio = Result.getOrElse(Portfolio.admit(this.portfolio, rest), () => this.portfolio)
  }
}
