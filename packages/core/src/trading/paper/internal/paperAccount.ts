/**
 * The account of paper orders: what is sent to it and what its markets show
 * becomes orders, executions and money. Without time and network.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type * as Decimal from "../../../value/Decimal.ts"
import * as Timestamp from "../../../value/Timestamp.ts"
import * as Clearing from "../../Clearing.ts"
import type { OrderName } from "../../Exchange.ts"
import * as Instrument from "../../Instrument.ts"
import type { Terms } from "../../internal/gateway.ts"
import type { Command } from "../../MatchingCommand.ts"
import type { Refusal } from "../../MatchingEvent.ts"
import type { Fill } from "../../OrderEvent.ts"
import type { OrderRequest } from "../../OrderRequest.ts"
import { isOver } from "../../OrderStatus.ts"
import { account, FillModel, type MarketTrade, type Quotes } from "./fillModel.ts"
import * as Orders from "./paperOrders.ts"

/**
 * What the account is made with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Setting {
  readonly exchange: string
  /** What it has; whatever its orders need if that is not said. */
  readonly balances: Readonly<Record<string, Decimal.Decimal>> | undefined
  /** What the ids of orders and executions count from; 1 if that is not said. */
  readonly firstId?: number | undefined
  /** What is traded under a venue's symbol. */
  readonly instrumentOf: (symbol: string) => Instrument.Instrument
  /** The time, in epoch milliseconds. */
  readonly now: () => number
  /** Called with the orders that have changed, and their executions, in order. */
  readonly onChanged: (orders: ReadonlyArray<Orders.PaperOrder>, fills: ReadonlyArray<Fill>) => void
}

/** Markets write no finer figures. */
const finest = BigDecimal.make(1n, 18)

/**
 * The account.
 *
 * @category models
 * @since 0.1.0
 */
export class PaperAccount {
  readonly clearing: Clearing.Clearing
  /** All there have been, oldest first. */
  readonly orders = new Map<string, Orders.PaperOrder>()
  private readonly orderIds = new Map<string, string>()
  readonly instruments = new Map<string, Instrument.Instrument>()
  private readonly model: FillModel
  private readonly setting: Setting

  constructor(setting: Setting) {
    this.setting = setting
    this.clearing = Clearing.make([], { firstId: setting.firstId })
    this.model = new FillModel(this.clearing)
    for (const [asset, amount] of Object.entries(setting.balances ?? {})) {
      if (amount.value !== 0n) this.clearing.deposit(account, asset, amount)
    }
  }

  list(symbol: string, tellsTrades: boolean): void {
    const instrument = this.setting.instrumentOf(symbol)
    const { base, feeAsset } = instrument
    this.instruments.set(symbol, instrument)
    // The market's own figures need not be legal.
    const { maximum: _, minimum: __, ticks: ___, ...rules } = instrument
    this.clearing.list(new Instrument.Instrument({ ...rules, product: symbol, tick: finest, lot: finest }))
    this.model.list(symbol, base === undefined ? [feeAsset] : [base, feeAsset], tellsTrades)
  }

  quote(symbol: string, quotes: Quotes | undefined): void {
    this.carryOut(symbol, this.model.quote(symbol, quotes, this.setting.now()))
  }

  trade(symbol: string, trade: MarketTrade): void {
    this.carryOut(symbol, this.model.trade(symbol, trade, this.setting.now()))
  }

  /** The order that a request has become, or why it was refused. */
  place(request: OrderRequest, symbol: string): Orders.PaperOrder | string {
    if (this.orderIds.has(request.clientId)) return "client id in use"
    const events = this.apply(symbol, Orders.toCommand(request, symbol))
    if (typeof events === "string") return events
    const accepted = events.find((event) => event._tag === "Accepted")
    if (accepted === undefined) return "it was not accepted"
    const { orderId } = accepted.order
    const { amount, clientId, price } = request
    this.orderIds.set(clientId, orderId)
    this.orders.set(orderId, { request, symbol, orderId, status: "open", price, amount, fills: [] })
    this.carryOut(symbol, events)
    return this.orders.get(orderId) ?? "it was not accepted"
  }

  amend(orderId: string, terms: Terms): Orders.PaperOrder | string {
    return this.change(orderId, { _tag: "Amend", account, orderId, ...terms }, terms)
  }

  cancel(orderId: string): Orders.PaperOrder | string {
    return this.change(orderId, { _tag: "Cancel", account, orderId })
  }

  /** The order of a name. */
  named({ clientId, orderId }: OrderName): Orders.PaperOrder | undefined {
    return this.orders.get(orderId ?? this.orderIds.get(clientId ?? "") ?? "")
  }

  /** The orders that are not over. */
  open(): ReadonlyArray<Orders.PaperOrder> {
    return [...this.orders.values()].filter(({ status }) => !isOver(status))
  }

  private change(orderId: string, command: Command, { amount, price }: Terms = {}): Orders.PaperOrder | string {
    const order = this.orders.get(orderId)
    if (order === undefined) return Orders.describe({ _tag: "UnknownOrder", orderId })
    const events = this.apply(order.symbol, command)
    if (typeof events === "string") return events
    this.orders.set(orderId, { ...order, price: price ?? order.price, amount: amount ?? order.amount })
    this.carryOut(order.symbol, events)
    return this.orders.get(orderId) ?? order
  }

  private apply(symbol: string, command: Command): ReadonlyArray<Clearing.Event> | string {
    if (this.model.quotes(symbol) === undefined) return `the market of ${symbol} is not known now`
    const attempt = (): Refusal | ReadonlyArray<Clearing.Event> => {
      const events = this.model.apply(symbol, command, this.setting.now())
      return events.find((event) => event._tag === "Rejected")?.reason ?? events
    }
    let done = attempt()
    if (this.setting.balances === undefined && "_tag" in done && done._tag === "InsufficientFunds") {
      this.clearing.deposit(account, done.asset, BigDecimal.subtract(done.needed, done.available))
      done = attempt()
    }
    return "_tag" in done ? Orders.describe(done) : done
  }

  private carryOut(symbol: string, events: ReadonlyArray<Clearing.Event>): void {
    const changed = new Set<string>()
    const fills: Array<Fill> = []
    for (const event of events) {
      if (event._tag === "Rejected") continue
      const of = event._tag === "Traded" ? [event.maker, event.taker].map(({ order }) => order) : [event.order]
      for (const { orderId } of of) {
        const order = this.orders.get(orderId)
        if (order === undefined) continue
        const fill = event._tag === "Traded" ? this.fillOf(symbol, order, event) : undefined
        this.orders.set(orderId, Orders.advance(order, event, fill))
        changed.add(orderId)
        if (fill !== undefined) fills.push(fill)
      }
    }
    if (changed.size === 0) return
    this.setting.onChanged([...changed].flatMap((orderId) => this.orders.get(orderId) ?? []), fills)
  }

  private fillOf(
    symbol: string,
    order: Orders.PaperOrder,
    event: Extract<Clearing.Event, { readonly _tag: "Traded" }>
  ): Fill {
    const isMaker = event.maker.order.orderId === order.orderId
    const { fee, order: { side } } = isMaker ? event.maker : event.taker
    // As it was written: by us, or by the market.
    const written = isMaker ? order.price : this.model.written(symbol, side === "buy" ? "sell" : "buy", event.price)
    return Orders.toFill(this.setting.exchange, order, event, {
      fee,
      feeAsset: this.instruments.get(symbol)?.feeAsset ?? "",
      isMaker,
      digits: Math.max(0, written?.scale ?? 0),
      timestamp: Timestamp.fromEpochMillis(this.setting.now())
    })
  }
}
