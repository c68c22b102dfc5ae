/**
 * The books of a mock exchange: the orders of all accounts in its markets, what became of them, and what has changed,
 * for whom it concerns. It has no words of any venue.
 */
import type * as Clearing from "@tickline/core/trading/Clearing"
import type { Instrument } from "@tickline/core/trading/Instrument"
import type { Amend, Place } from "@tickline/core/trading/MatchingCommand"
import type { CancelReason, Order, Refusal } from "@tickline/core/trading/MatchingEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import type { GatewayHost } from "../../venue/internal/mockVenue.ts"
import type * as Market from "../../venue/Market.ts"
import { ClearedMarkets } from "./clearedMarkets.ts"

/** An execution of an account's order. Times are epoch milliseconds. */
export interface FillRecord {
  readonly tradeId: number
  readonly orderId: string
  readonly product: string
  readonly side: "buy" | "sell"
  readonly price: Decimal.Decimal
  readonly amount: Decimal.Decimal
  readonly fee: Decimal.Decimal
  readonly feeAsset: string
  readonly liquidity: "maker" | "taker"
  readonly realized: Decimal.Decimal
  /** The position after it. */
  readonly position: Decimal.Decimal
  readonly at: number
}

/** Why an order was cancelled: as the engine has it, or a word of the exchange's. */
export type Ended = CancelReason | "expired" | (string & {})

/** An order of an account, open or over; `terms` is what a venue knows of it besides. */
export interface OrderRecord<Terms> {
  readonly orderId: string
  readonly account: string
  readonly clientId: string | undefined
  readonly product: string
  readonly side: "buy" | "sell"
  readonly type: "limit" | "market"
  readonly timeInForce: Order["timeInForce"]
  readonly terms: Terms
  readonly createdAt: number
  readonly fills: Array<FillRecord>
  reduceOnly: boolean
  price: Decimal.Decimal | undefined
  amount: Decimal.Decimal
  filled: Decimal.Decimal
  status: "open" | "filled" | "cancelled"
  ended: Ended | undefined
  updatedAt: number
}

/** What has changed of an account. */
export interface Changes<Terms> {
  readonly account: string
  readonly orders: ReadonlyArray<OrderRecord<Terms>>
  readonly fills: ReadonlyArray<FillRecord>
}

/** The books. The tick and the lot of an instrument have the scales of its market. */
export class ClearedBooks<Terms> {
  readonly clearing: Clearing.Clearing
  /** By their ids, in the order in which they came. */
  readonly orders = new Map<string, OrderRecord<Terms>>()
  readonly instruments: ReadonlyMap<string, Instrument>
  private readonly host: GatewayHost
  private readonly markets: ClearedMarkets
  private changes = new Map<string, { orders: Set<OrderRecord<Terms>>; fills: Array<FillRecord> }>()

  constructor(host: GatewayHost, instruments: ReadonlyArray<Instrument>) {
    this.host = host
    this.instruments = new Map(instruments.map((instrument) => [instrument.product, instrument]))
    this.markets = new ClearedMarkets(host, instruments)
    this.clearing = this.markets.clearing
  }

  /** What has changed since it was last asked. */
  taken(): ReadonlyArray<Changes<Terms>> {
    const taken = [...this.changes].map(([account, { fills, orders }]) => ({ account, orders: [...orders], fills }))
    this.changes = new Map()
    return taken
  }

  market(product: string): Market.Market | undefined {
    return this.markets.market(product)
  }

  lastPrice(product: string): Decimal.Decimal {
    return Decimal.parse(this.market(product)?.last.price ?? "0") ?? Decimal.zero
  }

  /** Places an order: it is there, or it was refused and nothing has changed. */
  place(
    command: Place,
    named: { readonly clientId?: string | undefined; readonly terms: Terms }
  ): OrderRecord<Terms> | Refusal {
    const events = this.markets.apply(command)
    for (const event of events) {
      if (event._tag === "Rejected") {
        this.carryOut(events)
        return event.reason
      }
      if (event._tag !== "Accepted") continue
      const record = this.accept(event.order, command.type, named)
      this.carryOut(events)
      return record
    }
    throw new Error("an order that is neither accepted nor rejected")
  }

  /** Amends an order that is open, or says why not. */
  amend(command: Amend): OrderRecord<Terms> | Refusal {
    const record = this.orders.get(command.orderId)
    const events = this.markets.apply(command)
    const refused = events.find((event) => event._tag === "Rejected")
    if (refused !== undefined || record === undefined) {
      this.carryOut(events)
      return refused?.reason ?? { _tag: "UnknownOrder", orderId: command.orderId }
    }
    record.reduceOnly = command.reduceOnly ?? record.reduceOnly
    this.carryOut(events)
    return record
  }

  /** Cancels those of these orders that are open; gives how many. */
  cancel(orders: ReadonlyArray<OrderRecord<Terms>>, reason?: string): number {
    const open = orders.filter(({ status }) => status === "open")
    for (const { account, orderId } of open) {
      this.carryOut(this.markets.apply({ _tag: "Cancel", account, orderId }), reason)
    }
    return open.length
  }

  /** The orders of an account, in the order in which they came. */
  of(account: string): ReadonlyArray<OrderRecord<Terms>> {
    return [...this.orders.values()].filter((order) => order.account === account)
  }

  /** The executions of an account, in the order in which they came about. */
  fillsOf(account: string): ReadonlyArray<FillRecord> {
    return this.of(account).flatMap(({ fills }) => fills).toSorted((one, other) =>
      one.at - other.at || one.tradeId - other.tradeId
    )
  }

  /** A market has moved: orders may have traded with it. */
  quote(market: Market.Market): void {
    this.carryOut(this.markets.move(market))
  }

  private accept(
    order: Order,
    type: "limit" | "market",
    { clientId, terms }: { readonly clientId?: string | undefined; readonly terms: Terms }
  ): OrderRecord<Terms> {
    const at = this.host.wallMillis()
    const { account, amount, orderId, price, product, reduceOnly, side, timeInForce } = order
    const record: OrderRecord<Terms> = {
      orderId,
      account,
      clientId,
      product,
      side,
      type,
      timeInForce,
      terms,
      reduceOnly,
      createdAt: at,
      updatedAt: at,
      price,
      amount,
      filled: Decimal.zero,
      fills: [],
      status: "open",
      ended: undefined
    }
    this.orders.set(orderId, record)
    return record
  }

  // What the engine did becomes what is known of orders.
  private carryOut(events: ReadonlyArray<Clearing.Event>, reason?: string): void {
    for (const event of events) {
      if (event._tag === "Rejected") continue
      if (event._tag === "Traded") {
        const { amount, maker, price, taker } = event
        const tradeId = Number(event.tradeId)
        this.fill(maker, { liquidity: "maker", price, amount, tradeId })
        this.fill(taker, { liquidity: "taker", price, amount, tradeId })
      } else {
        const record = this.orders.get(event.order.orderId)
        if (record === undefined) continue
        this.update(record, event.order)
        if (event._tag === "Cancelled" || event._tag === "Expired") {
          record.status = "cancelled"
          record.ended = event._tag === "Expired"
            ? "expired"
            : event.reason === "requested"
            ? reason ?? event.reason
            : event.reason
        }
        this.note(record)
      }
    }
  }

  private update(record: OrderRecord<Terms>, { amount, filled, price }: Order): void {
    record.price = price
    record.amount = amount
    record.filled = filled
    record.updatedAt = this.host.wallMillis()
    if (record.status === "open" && BigDecimal.equals(filled, amount)) record.status = "filled"
  }

  private fill(
    { fee, order, position, realized }: Clearing.Party,
    of: Pick<FillRecord, "amount" | "liquidity" | "price" | "tradeId">
  ): void {
    const record = this.orders.get(order.orderId)
    if (record === undefined) return
    this.update(record, order)
    const { orderId, product, side } = record
    const feeAsset = this.instruments.get(product)?.feeAsset ?? ""
    const fill = { ...of, orderId, product, side, fee, feeAsset, realized, position, at: this.host.wallMillis() }
    record.fills.push(fill)
    this.note(record, fill)
  }

  private note(record: OrderRecord<Terms>, fill?: FillRecord): void {
    const change = this.changes.get(record.account) ?? { orders: new Set(), fills: [] }
    change.orders.add(record)
    if (fill !== undefined) change.fills.push(fill)
    this.changes.set(record.account, change)
  }
}
