/**
 * The books of a mock exchange over `Clearing`: the orders of all accounts and what became of them, the market that
 * they make with the house's, and what has changed, for whom it concerns. It has no words of any venue.
 *
 * The house's orders are the synthetic market, at its prices: it has as much of everything as it takes.
 */
import * as Clearing from "@tickline/core/trading/Clearing"
import type { Instrument } from "@tickline/core/trading/Instrument"
import type { Amend, Place } from "@tickline/core/trading/MatchingCommand"
import type { CancelReason, Order, Refusal } from "@tickline/core/trading/MatchingEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import type { GatewayHost } from "../../venue/internal/mockVenue.ts"
import * as Market from "../../venue/Market.ts"

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

/** Whose orders make the market where no client's do. */
const house = "house"

const plenty = BigDecimal.make(10n ** 30n, 0)

const tradeOf = ({ price, side, size }: Market.Tick): Market.Trade | undefined => {
  const [at, amount] = [Decimal.parse(price), Decimal.parse(size)]
  return at === undefined || amount === undefined ? undefined : { side, price: at, amount }
}

/** The books. The tick and the lot of an instrument have the scales of its market. */
export class ClearedBooks<Terms> {
  readonly clearing: Clearing.Clearing
  /** By their ids, in the order in which they came. */
  readonly orders = new Map<string, OrderRecord<Terms>>()
  readonly instruments: ReadonlyMap<string, Instrument>
  private readonly host: GatewayHost
  private changes = new Map<string, { orders: Set<OrderRecord<Terms>>; fills: Array<FillRecord> }>()

  constructor(host: GatewayHost, instruments: ReadonlyArray<Instrument>) {
    this.host = host
    this.instruments = new Map(instruments.map((instrument) => [instrument.product, instrument]))
    this.clearing = Clearing.make(instruments)
    for (const { base, feeAsset } of instruments) {
      for (const asset of [base, feeAsset]) if (asset !== undefined) this.clearing.deposit(house, asset, plenty)
    }
    for (const market of host.markets()) this.quote(market)
  }

  /** What has changed since it was last asked. */
  taken(): ReadonlyArray<Changes<Terms>> {
    const taken = [...this.changes].map(([account, { fills, orders }]) => ({ account, orders: [...orders], fills }))
    this.changes = new Map()
    return taken
  }

  market(product: string): Market.Market | undefined {
    return this.host.markets().find((market) => market.product.symbol === product)
  }

  lastPrice(product: string): Decimal.Decimal {
    return Decimal.parse(this.market(product)?.last.price ?? "0") ?? Decimal.zero
  }

  /** Places an order: it is there, or it was refused and nothing has changed. */
  place(
    command: Place,
    named: { readonly clientId?: string | undefined; readonly terms: Terms }
  ): OrderRecord<Terms> | Refusal {
    const events = this.clearing.apply(command, this.host.wallMillis())
    for (const event of events) {
      if (event._tag === "Rejected") return event.reason
      if (event._tag !== "Accepted") continue
      const record = this.accept(event.order, command.type, named)
      this.carryOut(command.product, events)
      return record
    }
    throw new Error("an order that is neither accepted nor rejected")
  }

  /** Amends an order that is open, or says why not. */
  amend(command: Amend): OrderRecord<Terms> | Refusal {
    const record = this.orders.get(command.orderId)
    const events = this.clearing.apply(command, this.host.wallMillis())
    const refused = events.find((event) => event._tag === "Rejected")
    if (refused !== undefined || record === undefined) {
      return refused?.reason ?? { _tag: "UnknownOrder", orderId: command.orderId }
    }
    record.reduceOnly = command.reduceOnly ?? record.reduceOnly
    this.carryOut(record.product, events)
    return record
  }

  /** Cancels those of these orders that are open; gives how many. */
  cancel(orders: ReadonlyArray<OrderRecord<Terms>>, reason?: string): number {
    const open = orders.filter(({ status }) => status === "open")
    for (const { account, orderId, product } of open) {
      this.carryOut(
        product,
        this.clearing.apply({ _tag: "Cancel", account, orderId }, this.host.wallMillis()),
        { reason }
      )
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

  /** What there is of the market becomes the house's orders, beside those of clients, which may trade with them. */
  quote(market: Market.Market): void {
    const { last, product: { symbol }, state: { priceScale, sizeScale } } = market
    const at = this.host.wallMillis()
    this.clearing.apply({ _tag: "CancelAll", account: house, product: symbol }, at)
    const events: Array<Clearing.Event> = []
    const sides = [["buy", market.state.bids], ["sell", market.state.asks]] as const
    for (const [side, rows] of sides) {
      for (const row of rows) {
        const price = BigDecimal.make(row.price, priceScale)
        const amount = BigDecimal.subtract(
          BigDecimal.make(row.size, sizeScale),
          this.clearing.books.amountAt(symbol, side, price)
        )
        if (!Decimal.isPositive(amount)) continue
        const placing = { _tag: "Place", account: house, product: symbol, side, amount, price } as const
        events.push(...this.clearing.apply({ ...placing, type: "limit", timeInForce: "gtc" }, at))
      }
    }
    this.carryOut(symbol, events, { mid: market.state.mid, trade: last.isQuote === true ? undefined : tradeOf(last) })
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

  // What the engine did becomes what is known of orders, and a market that is told. `mid` is where the market moved to.
  private carryOut(
    product: string,
    events: ReadonlyArray<Clearing.Event>,
    { mid, reason, trade: last }: {
      readonly mid?: bigint | undefined
      readonly reason?: string | undefined
      readonly trade?: Market.Trade | undefined
    } = {}
  ): void {
    const before = this.market(product)
    if (before === undefined) return
    let market = { ...before, state: { ...before.state, mid: mid ?? before.state.mid } }
    const { books } = this.clearing
    const next = (trade?: Market.Trade) => {
      market = Market.withBook(
        market,
        { bids: books.levels(product, "buy"), asks: books.levels(product, "sell") },
        this.host.wallMillis(),
        trade
      )
      this.host.publish(market)
    }
    let isTold = false
    for (const event of events) {
      if (event._tag === "Rejected") continue
      if (event._tag === "Traded") {
        isTold = true
        const { amount, maker, price, taker } = event
        next({ side: taker.order.side, price, amount })
        this.fill(maker, { liquidity: "maker", price, amount, tradeId: market.last.tradeId })
        this.fill(taker, { liquidity: "taker", price, amount, tradeId: market.last.tradeId })
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
    if (last !== undefined) next(last)
    else if (!isTold) next()
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
