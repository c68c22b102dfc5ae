/**
 * Markets in which accounts trade: a clearing whose books are the public ones.
 * What a mock market has of its own becomes the orders of the house, beside those
 * of clients, which may trade with them; and what the engine does is a market that
 * is published.
 */
import * as Clearing from "@tickline/core/trading/Clearing"
import type { Instrument } from "@tickline/core/trading/Instrument"
import type { Command } from "@tickline/core/trading/MatchingCommand"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import type { GatewayHost } from "../../venue/internal/mockVenue.ts"
import * as Market from "../../venue/Market.ts"

/** Whose orders make the market where no client's do. */
export const house = "house"

/** What the house has of each asset: more than any test asks for. */
const fortune = BigDecimal.make(1n, -24)

const tradeOf = ({ price, side, size }: Market.Tick): Market.Trade | undefined => {
  const [at, amount] = [Decimal.parse(price), Decimal.parse(size)]
  return at === undefined || amount === undefined ? undefined : { side, price: at, amount }
}

/** The markets of an exchange. */
export class ClearedMarkets {
  readonly clearing: Clearing.Clearing
  private readonly host: GatewayHost
  private readonly products: ReadonlySet<string>

  constructor(host: GatewayHost, instruments: ReadonlyArray<Instrument>) {
    this.host = host
    this.clearing = Clearing.make(instruments)
    this.products = new Set(instruments.map(({ product }) => product))
    const assets = instruments.flatMap(({ base, feeAsset }) => base === undefined ? [feeAsset] : [base, feeAsset])
    for (const asset of new Set(assets)) this.clearing.deposit(house, asset, fortune)
    for (const market of host.markets()) this.move(market)
  }

  market(product: string): Market.Market | undefined {
    return this.host.markets().find((market) => market.product.symbol === product)
  }

  /** Carries a command out, and publishes what it makes of the markets. The ids of trades are the markets' own. */
  apply(command: Command): ReadonlyArray<Clearing.Event> {
    return this.publish(this.clearing.apply(command, this.host.wallMillis()))
  }

  /** Ends what has expired by now. */
  expire(): ReadonlyArray<Clearing.Event> {
    return this.publish(this.clearing.expire(this.host.wallMillis()))
  }

  /** A market has moved: its levels, less what clients have there, become the house's orders. */
  move(market: Market.Market): ReadonlyArray<Clearing.Event> {
    const { last, product: { symbol }, state: { mid, priceScale, sizeScale } } = market
    if (!this.products.has(symbol)) return []
    const at = this.host.wallMillis()
    const { books } = this.clearing
    this.clearing.apply({ _tag: "CancelAll", account: house, product: symbol }, at)
    const events: Array<Clearing.Event> = []
    const sides = [["buy", market.state.bids], ["sell", market.state.asks]] as const
    for (const [side, rows] of sides) {
      for (const row of rows) {
        const price = BigDecimal.make(row.price, priceScale)
        const amount = BigDecimal.subtract(BigDecimal.make(row.size, sizeScale), books.amountAt(symbol, side, price))
        if (!Decimal.isPositive(amount)) continue
        const placing = { _tag: "Place", account: house, product: symbol, side, amount, price } as const
        events.push(...this.clearing.apply({ ...placing, type: "limit", timeInForce: "gtc" }, at))
      }
    }
    return this.tell(symbol, events, { mid, trade: last.isQuote === true ? undefined : tradeOf(last) })
  }

  // Each product by itself; of the house alone only what it moved is told.
  private publish(events: ReadonlyArray<Clearing.Event>): ReadonlyArray<Clearing.Event> {
    const productOf = (event: Clearing.Event): string | undefined =>
      event._tag === "Rejected" ? undefined : event._tag === "Traded" ? event.product : event.order.product
    const products = new Set(events.map(productOf).filter((product) => product !== undefined))
    const rejected = events.filter(({ _tag }) => _tag === "Rejected")
    return [
      ...rejected,
      ...[...products].flatMap((product) => this.tell(product, events.filter((event) => productOf(event) === product)))
    ]
  }

  private tell(
    product: string,
    events: ReadonlyArray<Clearing.Event>,
    { mid, trade: last }: { readonly mid?: bigint; readonly trade?: Market.Trade | undefined } = {}
  ): ReadonlyArray<Clearing.Event> {
    const before = this.market(product)
    if (before === undefined) return events
    let market = { ...before, state: { ...before.state, mid: mid ?? before.state.mid } }
    const next = (trade?: Market.Trade) => {
      const levels = (side: "buy" | "sell") => this.clearing.books.levels(product, side)
      market = Market.withBook(market, { bids: levels("buy"), asks: levels("sell") }, this.host.wallMillis(), trade)
      this.host.publish(market)
    }
    const told = events.map((event) => {
      if (event._tag !== "Traded") return event
      const { amount, price, taker: { order: { side } } } = event
      next({ side, price, amount })
      return { ...event, tradeId: String(market.last.tradeId) }
    })
    if (last !== undefined) next(last)
    else if (!told.some(({ _tag }) => _tag === "Traded")) next()
    return told
  }
}
