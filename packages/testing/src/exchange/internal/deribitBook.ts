/** Deribit's books: the orders of all accounts, what became of them, and the market that they make. */
import { Fees, Instrument } from "@tickline/core/trading/Instrument"
import * as Matching from "@tickline/core/trading/Matching"
import type { Amend, Place } from "@tickline/core/trading/MatchingCommand"
import type { CancelReason, Event, Order, Party } from "@tickline/core/trading/MatchingEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import * as BigDecimal from "effect/BigDecimal"
import { instruments as listed } from "../../venue/internal/instruments.ts"
import type { GatewayHost } from "../../venue/internal/mockVenue.ts"
import * as Market from "../../venue/Market.ts"
import { ofMatching, Refused } from "./deribitErrors.ts"
import * as Positions from "./positions.ts"
import type { Value } from "./wireJson.ts"

/** What is traded: how it is matched, and what it is called. */
export interface Listed {
  readonly instrument: Instrument
  readonly base: string
  readonly quote: string
  readonly kind: "future" | "spot"
  /** In what it is margined and settled. */
  readonly currency: string
}

/** How an order was asked for, besides what the engine knows. */
export interface Terms {
  readonly label: string
  readonly type: "limit" | "market"
  postOnly: boolean
  rejectPostOnly: boolean
  readonly connection: number
  /** Of which mass quote it is, if it is of one. */
  quote?: Quote | undefined
}

/** Which of a market maker's quotes an order is. */
export interface Quote {
  readonly group: string
  readonly quoteId: string
  readonly quoteSetId: string | undefined
}

/** A trade, as the account of an order sees it. */
export type Trade = { readonly [name: string]: Value }

/** An order of an account, open or over. Times are epoch milliseconds. */
export interface OrderRecord extends Terms {
  readonly orderId: string
  readonly account: string
  readonly product: string
  readonly side: "buy" | "sell"
  readonly timeInForce: string
  reduceOnly: boolean
  readonly createdAt: number
  state: "open" | "filled" | "cancelled"
  cancelReason: string | undefined
  price: Decimal.Decimal | undefined
  amount: Decimal.Decimal
  filled: Decimal.Decimal
  cost: Decimal.Decimal
  updatedAt: number
  isReplaced: boolean
  readonly trades: Array<Trade>
}

/** What a command did to an account, for whom it may concern. */
export interface Changes {
  readonly account: string
  readonly product: string
  readonly orders: ReadonlyArray<OrderRecord>
  readonly trades: ReadonlyArray<Trade>
}

/** Whose orders make the market where no client's do. */
const house = "house"

const reasons: Readonly<Record<CancelReason, string>> = {
  requested: "user_request",
  immediate: "user_request",
  "self-trade": "risk_mitigation",
  "reduce-only": "risk_mitigation",
  funds: "risk_mitigation"
}

const timesInForce = { gtc: "good_til_cancelled", "post-only": "good_til_cancelled" } as const

const fees = new Fees({ maker: Decimal.zero, taker: BigDecimal.make(5n, 4), digits: 8 })

/** The listed products, each with the rules that its market's digits give. */
const list = (host: GatewayHost): ReadonlyMap<string, Listed> =>
  new Map(
    listed({ atMillis: 0, markets: host.markets(), trades: () => [] }, Deribit.venue.symbols).map((
      { base, isPerpetual, priceScale, quote, sizeScale, symbol }
    ) => {
      const isInverse = isPerpetual && quote === "USD"
      const currency = isInverse ? base : quote
      const instrument = new Instrument({
        product: symbol,
        tick: BigDecimal.make(1n, priceScale),
        lot: BigDecimal.make(1n, sizeScale),
        valuation: isInverse ? "inverse" : "linear",
        fees,
        feeAsset: currency
      })
      return [symbol, { instrument, base, quote, kind: isPerpetual ? "future" : "spot", currency }]
    })
  )

/** What is said of an order, or of a trade of one, that is a quote. */
export const quoteOf = ({ quote }: OrderRecord): Trade =>
  quote === undefined ? {} : { quote_id: quote.quoteId, quote_set_id: quote.quoteSetId }

const tradeOf = ({ price, side, size }: Market.Tick): Market.Trade | undefined => {
  const [at, amount] = [Decimal.parse(price), Decimal.parse(size)]
  return at === undefined || amount === undefined ? undefined : { side, price: at, amount }
}

/** The books. */
export class Books {
  readonly listed: ReadonlyMap<string, Listed>
  readonly orders = new Map<string, OrderRecord>()
  private readonly matching: Matching.Matching
  private readonly positions = new Map<string, Positions.Position>()
  private readonly host: GatewayHost
  private readonly balances: (account: string) => Positions.Balances
  private changes = new Map<
    string,
    { account: string; product: string; orders: Set<OrderRecord>; trades: Array<Trade> }
  >()

  constructor(host: GatewayHost, balances: (account: string) => Positions.Balances) {
    this.host = host
    this.balances = balances
    this.listed = list(host)
    this.matching = Matching.make([...this.listed.values()].map(({ instrument }) => instrument))
    for (const market of host.markets()) this.quote(market)
  }

  /** What has changed since it was last asked. */
  taken(): ReadonlyArray<Changes> {
    const taken = [...this.changes.values()].map((change) => ({ ...change, orders: [...change.orders] }))
    this.changes = new Map()
    return taken
  }

  market(product: string): Market.Market | undefined {
    return this.host.markets().find((market) => market.product.symbol === product)
  }

  levels(product: string, side: "buy" | "sell", depth?: number) {
    return this.matching.levels(product, side, depth)
  }

  place(command: Place, terms: Terms): OrderRecord | Refused {
    const events = this.matching.apply(command, this.host.wallMillis())
    const [first] = events
    if (first?._tag === "Rejected") return ofMatching(first.reason)
    const record = first?._tag === "Accepted" ? this.accept(first.order, terms) : undefined
    this.carryOut(command.product, events)
    return record ?? new Refused(11030)
  }

  amend(
    command: Amend,
    { rejectPostOnly }: { readonly rejectPostOnly?: boolean | undefined } = {}
  ): OrderRecord | Refused {
    const record = this.orders.get(command.orderId)
    const events = this.matching.apply(command, this.host.wallMillis())
    const [first] = events
    if (first?._tag === "Rejected") return ofMatching(first.reason)
    if (record === undefined) return new Refused(10004)
    record.isReplaced = true
    record.postOnly = command.postOnly ?? record.postOnly
    record.rejectPostOnly = rejectPostOnly ?? record.rejectPostOnly
    record.reduceOnly = command.reduceOnly ?? record.reduceOnly
    this.carryOut(record.product, events)
    return record
  }

  /** Called with each trade of an account's order. */
  onTraded: (record: OrderRecord, amount: Decimal.Decimal, price: Decimal.Decimal) => void = () => {}

  /** Cancels orders that are open; gives how many. */
  cancel(orders: ReadonlyArray<OrderRecord>, reason = "user_request"): number {
    const open = orders.filter(({ state }) => state === "open")
    for (const { account, orderId, product } of open) {
      this.carryOut(product, this.matching.apply({ _tag: "Cancel", account, orderId }, this.host.wallMillis()), {
        reason
      })
    }
    return open.length
  }

  of(account: string): ReadonlyArray<OrderRecord> {
    return [...this.orders.values()].filter((order) => order.account === account)
  }

  position(account: string, product: string): Positions.Position {
    return this.positions.get(`${account} ${product}`) ?? Positions.none
  }

  /** What there is of the market becomes the house's orders, beside those of clients, which may trade with them. */
  quote(market: Market.Market): void {
    const { last, product: { symbol }, state: { priceScale, sizeScale } } = market
    const at = this.host.wallMillis()
    this.matching.apply({ _tag: "CancelAll", account: house, product: symbol }, at)
    const events: Array<Event> = []
    const sides = [["buy", market.state.bids], ["sell", market.state.asks]] as const
    for (const [side, rows] of sides) {
      for (const row of rows) {
        const price = BigDecimal.make(row.price, priceScale)
        const amount = BigDecimal.subtract(
          BigDecimal.make(row.size, sizeScale),
          this.matching.amountAt(symbol, side, price)
        )
        if (!Decimal.isPositive(amount)) continue
        const placing = { _tag: "Place", account: house, product: symbol, side, amount, price } as const
        events.push(...this.matching.apply({ ...placing, type: "limit", timeInForce: "gtc" }, at))
      }
    }
    this.carryOut(symbol, events, { mid: market.state.mid, trade: last.isQuote === true ? undefined : tradeOf(last) })
  }

  /** Settles all positions at the last prices. */
  settle(): void {
    for (const [key, position] of this.positions) {
      const [account = "", product = ""] = key.split(" ")
      const listed = this.listed.get(product)
      if (listed === undefined) continue
      const price = this.lastPrice(product)
      const gained = Positions.gain(listed.instrument, position.size, position.average, price)
      this.balances(account).add(listed.currency, BigDecimal.sum(position.realized, gained))
      this.positions.set(key, Positions.settle(position, price))
    }
  }

  lastPrice(product: string): Decimal.Decimal {
    return Decimal.parse(this.market(product)?.last.price ?? "0") ?? Decimal.zero
  }

  private accept(order: Order, terms: Terms): OrderRecord {
    const at = this.host.wallMillis()
    const { account, amount, orderId, price, product, reduceOnly, side, timeInForce } = order
    const record: OrderRecord = {
      ...terms,
      orderId,
      account,
      product,
      side,
      timeInForce: timeInForce === "ioc"
        ? "immediate_or_cancel"
        : timeInForce === "fok"
        ? "fill_or_kill"
        : timesInForce[timeInForce],
      reduceOnly,
      createdAt: at,
      state: "open",
      cancelReason: undefined,
      price,
      amount,
      filled: Decimal.zero,
      cost: Decimal.zero,
      updatedAt: at,
      isReplaced: false,
      trades: []
    }
    this.orders.set(orderId, record)
    return record
  }

  // What the engine did becomes what is known of orders, and a market that is told. `mid` is where the market moved to.
  private carryOut(
    product: string,
    events: ReadonlyArray<Event>,
    { mid, reason, trade: last }: {
      readonly mid?: bigint | undefined
      readonly reason?: string | undefined
      readonly trade?: Market.Trade | undefined
    } = {}
  ): void {
    const before = this.market(product)
    if (before === undefined) return
    let market = { ...before, state: { ...before.state, mid: mid ?? before.state.mid } }
    const at = this.host.wallMillis()
    const next = (trade?: Market.Trade) => {
      const levels = (side: "buy" | "sell") => this.matching.levels(product, side)
      market = Market.withBook(market, { bids: levels("buy"), asks: levels("sell") }, at, trade)
      this.host.publish(market)
    }
    let isTold = false
    for (const event of events) {
      if (event._tag === "Rejected") continue
      if (event._tag === "Traded") {
        isTold = true
        const { amount, maker, price, taker } = event
        next({ side: taker.order.side, price, amount })
        this.fill(maker, "M", event.price, amount, market.last.tradeId)
        this.fill(taker, "T", event.price, amount, market.last.tradeId)
      } else {
        const record = this.orders.get(event.order.orderId)
        if (record === undefined) continue
        this.update(record, event.order)
        if (event._tag === "Cancelled" || event._tag === "Expired") {
          record.state = "cancelled"
          record.cancelReason = event._tag === "Cancelled" && event.reason !== "requested"
            ? reasons[event.reason]
            : reason
        }
        this.note(record)
      }
    }
    if (last !== undefined) next(last)
    else if (!isTold) next()
  }

  private update(record: OrderRecord, { amount, filled, price }: Order): void {
    record.price = price
    record.amount = amount
    record.filled = filled
    record.updatedAt = this.host.wallMillis()
    if (record.state === "open" && BigDecimal.equals(filled, amount)) record.state = "filled"
  }

  private fill(
    { fee, order }: Party,
    liquidity: "M" | "T",
    price: Decimal.Decimal,
    amount: Decimal.Decimal,
    tradeId: number
  ): void {
    const listed = this.listed.get(order.product)
    if (order.account === house || listed === undefined) return
    const record = this.orders.get(order.orderId)
    if (record === undefined) return
    this.update(record, order)
    record.cost = BigDecimal.sum(record.cost, BigDecimal.multiply(price, amount))
    const signed = order.side === "buy" ? amount : BigDecimal.negate(amount)
    const balances = this.balances(order.account)
    if (listed.kind === "spot") {
      balances.add(listed.base, signed)
      balances.add(listed.quote, BigDecimal.negate(BigDecimal.multiply(signed, price)))
    } else {
      const key = `${order.account} ${order.product}`
      const before = this.position(order.account, order.product)
      this.positions.set(key, Positions.trade(before, listed.instrument, signed, price))
    }
    balances.add(listed.currency, BigDecimal.negate(fee))
    const trade: Trade = {
      trade_id: String(tradeId),
      trade_seq: tradeId,
      instrument_name: order.product,
      timestamp: this.host.wallMillis(),
      order_type: record.type,
      order_id: order.orderId,
      matching_id: null,
      direction: order.side,
      tick_direction: 0,
      index_price: price,
      mark_price: price,
      price,
      amount,
      fee,
      fee_currency: listed.currency,
      ...(record.label === "" ? {} : { label: record.label }),
      liquidity,
      state: record.state,
      reduce_only: record.reduceOnly,
      post_only: record.postOnly,
      api: true,
      self_trade: false,
      ...quoteOf(record)
    }
    record.trades.push(trade)
    this.note(record, trade)
    this.onTraded(record, amount, price)
  }

  private note(record: OrderRecord, trade?: Trade): void {
    const { account, product } = record
    const key = `${account} ${product}`
    const change = this.changes.get(key) ?? { account, product, orders: new Set(), trades: [] }
    change.orders.add(record)
    if (trade !== undefined) change.trades.push(trade)
    this.changes.set(key, change)
  }
}
