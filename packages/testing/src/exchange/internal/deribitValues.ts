/** What Deribit says of orders, positions and accounts. */
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Market from "../../venue/Market.ts"
import type { Pool } from "./credits.ts"
import { type Books, type Listed, type OrderRecord, quoteOf } from "./deribitBook.ts"
import * as Positions from "./positions.ts"
import type { Value } from "./wireJson.ts"

/** The pools of credits that requests are paid from. */
export type PoolName = "non_matching" | "subscribe" | "get_instruments" | "matching" | "cancel_all"

/** An order. */
export const order = (record: OrderRecord): Value => ({
  order_id: record.orderId,
  order_state: record.state,
  order_type: record.type,
  time_in_force: record.timeInForce,
  instrument_name: record.product,
  direction: record.side,
  price: record.price ?? "market_price",
  amount: record.amount,
  filled_amount: record.filled,
  average_price: Positions.quotient(record.cost, record.filled),
  label: record.label,
  creation_timestamp: record.createdAt,
  last_update_timestamp: record.updatedAt,
  post_only: record.postOnly,
  reject_post_only: record.postOnly ? record.rejectPostOnly : undefined,
  reduce_only: record.reduceOnly,
  replaced: record.isReplaced,
  cancel_reason: record.cancelReason,
  api: true,
  web: false,
  mobile: false,
  mmp: record.quote !== undefined,
  ...(record.quote === undefined ? {} : { quote: true, mmp_group: record.quote.group, ...quoteOf(record) }),
  is_liquidation: false,
  is_rebalance: false,
  risk_reducing: false
})

/** What an account holds of an instrument. */
export const position = (books: Books, account: string, { instrument, kind }: Listed): Value => {
  const { product, valuation } = instrument
  const { average, realized, size } = books.position(account, product)
  const mark = books.lastPrice(product)
  const floating = Positions.gain(instrument, size, average, mark)
  const inCurrency = valuation === "inverse" ? Positions.quotient(size, mark) : size
  return {
    instrument_name: product,
    kind,
    direction: size.value > 0n ? "buy" : size.value < 0n ? "sell" : "zero",
    size,
    size_currency: inCurrency,
    average_price: average,
    mark_price: mark,
    index_price: mark,
    settlement_price: mark,
    delta: inCurrency,
    initial_margin: margin(inCurrency, 50n),
    maintenance_margin: margin(inCurrency, 100n),
    open_orders_margin: Decimal.zero,
    estimated_liquidation_price: Decimal.zero,
    floating_profit_loss: floating,
    realized_profit_loss: realized,
    total_profit_loss: BigDecimal.sum(floating, realized),
    leverage: 50,
    realized_funding: Decimal.zero
  }
}

const margin = (value: Decimal.Decimal, leverage: bigint): Decimal.Decimal =>
  Positions.quotient(BigDecimal.abs(value), BigDecimal.make(leverage, 0))

/** What an account is worth in a currency, all of it available. */
export const portfolio = (books: Books, balances: Positions.Balances, account: string, currency: string) => {
  let [realized, floating, delta] = [Decimal.zero, Decimal.zero, Decimal.zero]
  for (const { currency: settledIn, instrument, kind } of books.listed.values()) {
    if (kind === "spot" || settledIn !== currency) continue
    const { average, realized: gained, size } = books.position(account, instrument.product)
    const mark = books.lastPrice(instrument.product)
    realized = BigDecimal.sum(realized, gained)
    floating = BigDecimal.sum(floating, Positions.gain(instrument, size, average, mark))
    delta = BigDecimal.sum(delta, instrument.valuation === "inverse" ? Positions.quotient(size, mark) : size)
  }
  const balance = BigDecimal.sum(balances.of(currency), realized)
  const equity = BigDecimal.sum(balance, floating)
  const total = BigDecimal.sum(realized, floating)
  const zero = Decimal.zero
  return {
    currency,
    balance,
    equity,
    margin_balance: equity,
    available_funds: equity,
    available_withdrawal_funds: balance,
    initial_margin: zero,
    maintenance_margin: zero,
    projected_initial_margin: zero,
    projected_maintenance_margin: zero,
    total_pl: total,
    session_rpl: realized,
    session_upl: floating,
    futures_pl: total,
    futures_session_rpl: realized,
    futures_session_upl: floating,
    delta_total: delta,
    projected_delta_total: delta,
    options_delta: zero,
    options_gamma: zero,
    options_theta: zero,
    options_vega: zero,
    options_pl: zero,
    options_value: zero,
    options_session_rpl: zero,
    options_session_upl: zero,
    options_gamma_map: {},
    options_theta_map: {},
    options_vega_map: {},
    fee_balance: zero,
    spot_reserve: zero,
    additional_reserve: zero,
    portfolio_margining_enabled: false,
    cross_collateral_enabled: false,
    margin_model: "segregated_sm"
  } satisfies Value
}

const inRequests = ({ capacity, cost, perSecond }: Pool): Value => ({ burst: capacity / cost, rate: perSecond / cost })

/** An account in a currency, with its limits in requests. */
export const accountSummary = (
  books: Books,
  balances: Positions.Balances,
  account: string,
  currency: string,
  pools: Readonly<Record<PoolName, Pool>>
): Value => ({
  ...portfolio(books, balances, account, currency),
  id: 1,
  type: "main",
  email: `${account.toLowerCase()}@example.com`,
  username: account,
  system_name: account,
  security_keys_enabled: false,
  mmp_enabled: false,
  limits: {
    limits_per_currency: false,
    non_matching_engine: inRequests(pools.non_matching),
    matching_engine: {
      trading: { total: inRequests(pools.matching) },
      spot: inRequests(pools.matching),
      cancel_all: inRequests(pools.cancel_all)
    }
  }
})

const number = (text: string): Decimal.Decimal => Decimal.parse(text) ?? Decimal.zero

/** A product's day: what was traded, and by how many percent its price has changed. */
const stats = ({ last: { high, low, open, price, volume } }: Market.Market) => {
  const [first, last] = [number(open), number(price)]
  return {
    volume: number(volume),
    volume_usd: BigDecimal.multiply(number(volume), last),
    low: number(low),
    high: number(high),
    price_change: BigDecimal.round(
      BigDecimal.multiply(Positions.quotient(BigDecimal.subtract(last, first), first), BigDecimal.make(100n, 0)),
      { scale: 4 }
    )
  }
}

/** An instrument's ticker, and its book to a depth if one is said. */
export const ticker = (books: Books, market: Market.Market, state: string, depth?: number): Value => {
  const { ask, bid, last, open, product } = { ...market.last, last: market.last.price }
  const levels = (side: "buy" | "sell") => books.levels(product, side, depth).map(([price, amount]) => [price, amount])
  return {
    instrument_name: product,
    timestamp: Market.millisOf(market.last),
    state,
    stats: stats(market),
    open_interest: Decimal.zero,
    best_bid_price: number(bid[0]),
    best_bid_amount: number(bid[1]),
    best_ask_price: number(ask[0]),
    best_ask_amount: number(ask[1]),
    index_price: number(last),
    mark_price: number(last),
    last_price: number(last),
    min_price: number(market.last.low),
    max_price: number(market.last.high),
    settlement_price: number(open),
    funding_8h: Decimal.zero,
    current_funding: Decimal.zero,
    ...(depth === undefined
      ? { estimated_delivery_price: number(last) }
      : { change_id: market.last.sequence, bids: levels("buy"), asks: levels("sell") })
  }
}

/** An instrument's day in short. */
export const bookSummary = (market: Market.Market, { base, instrument: { product }, kind, quote }: Listed): Value => {
  const { ask, bid, price } = market.last
  const [bidPrice, askPrice, last] = [number(bid[0]), number(ask[0]), number(price)]
  const { volume_usd, ...day } = stats(market)
  return {
    instrument_name: product,
    base_currency: base,
    quote_currency: quote,
    ...day,
    volume_usd,
    volume_notional: volume_usd,
    bid_price: bidPrice,
    ask_price: askPrice,
    mid_price: Positions.quotient(BigDecimal.sum(bidPrice, askPrice), BigDecimal.make(2n, 0)),
    mark_price: last,
    last,
    open_interest: Decimal.zero,
    creation_timestamp: Market.millisOf(market.last),
    ...(kind === "future"
      ? { estimated_delivery_price: last, current_funding: Decimal.zero, funding_8h: Decimal.zero }
      : {})
  }
}
