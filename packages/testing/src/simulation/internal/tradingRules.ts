/** What has to hold of a trader, by the exchanges' own records. Each rule gives its violations in words. */
import type { Fill } from "@tickline/core/trading/OrderEvent"
import * as OrderStatus from "@tickline/core/trading/OrderStatus"
import * as Portfolio from "@tickline/core/trading/Portfolio"
import type { Decision, Stored, StoredOrder } from "@tickline/core/trading/Storage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as BigDecimal from "effect/BigDecimal"
import type { Seat } from "./tradingSeat.ts"
import type { Site } from "./tradingVenues.ts"

const sum = (amounts: Iterable<Decimal.Decimal>): Decimal.Decimal => BigDecimal.sumAll(amounts)

const show = (amount: Decimal.Decimal): string => Decimal.format(BigDecimal.normalize(amount))

/** What an account is worth at marks: its money, its coins, and what its positions have gained. */
const equityOf = (
  { account, symbols }: Site,
  trader: number,
  markOf: (product: string) => Decimal.Decimal
): Decimal.Decimal => {
  const { balances, positions } = account(trader)
  const names = new Map<string, string>(Object.entries(symbols).map(([product, symbol]) => [symbol, product]))
  return sum([
    ...balances.map(({ asset, total }) =>
      asset === "USD" || asset === "USDC" || total.value === 0n
        ? total
        : BigDecimal.multiply(total, markOf(`${asset}-USD`))
    ),
    ...positions.map(({ amount, cost, product }) =>
      amount.value === 0n
        ? BigDecimal.negate(cost)
        : BigDecimal.subtract(BigDecimal.multiply(amount, markOf(names.get(product) ?? product)), cost)
    )
  ])
}

/** The portfolio is worth what the accounts are, and its lots are what they have. */
export const holdings = (
  { index, name, sites, venues }: Seat,
  portfolio: Portfolio.Portfolio
): ReadonlyArray<string> => {
  const violations: Array<string> = []
  const marks = new Map(portfolio.marks)
  const markOf = (product: string): Decimal.Decimal => marks.get(product) ?? Decimal.zero
  const worth = sum(venues.map((venue) => equityOf(sites[venue], index, markOf)))
  if (!BigDecimal.equals(worth, portfolio.total)) {
    violations.push(`${name}: the portfolio is worth ${show(portfolio.total)}, its accounts ${show(worth)}`)
  }
  for (const venue of venues) {
    const { account, symbols } = sites[venue]
    const { balances, positions } = account(index)
    for (const [product, symbol] of Object.entries(symbols)) {
      const [asset] = product.split("-")
      const theirs = venue === "coinbase"
        ? balances.find((balance) => balance.asset === asset)?.total ?? Decimal.zero
        : positions.find((position) => position.product === symbol)?.amount ?? Decimal.zero
      const ours = sum([...portfolio.lots.values()].flatMap((lot) => {
        if (lot.exchange !== venue || lot.product !== product) return []
        return [lot.direction === "long" ? lot.amount : BigDecimal.negate(lot.amount)]
      }))
      if (!BigDecimal.equals(ours, theirs)) {
        violations.push(
          `${name}: its lots of ${product} at ${venue} are ${show(ours)}, its account has ${show(theirs)}`
        )
      }
    }
  }
  for (const violation of Portfolio.violations(portfolio)) {
    if (violation._tag !== "Exposure") violations.push(`${name}: ${violation._tag} does not hold`)
  }
  return violations
}

/** What is stored: all of it. */
export interface Kept {
  readonly orders: ReadonlyArray<StoredOrder>
  readonly fills: ReadonlyArray<Stored<Fill>>
  readonly decisions: ReadonlyArray<Stored<Decision>>
}

/** Each order is stored and as the exchange has it, which has none besides; none is in doubt, none filled too far. */
export const orders = ({ index, name, sites, venues }: Seat, { fills, orders }: Kept): ReadonlyArray<string> => {
  const violations: Array<string> = []
  for (const venue of venues) {
    const records = sites[venue].account(index).orders
    const ours = orders.filter(({ value }) => value.exchange === venue).map(({ value }) => value)
    const byId = new Map(ours.flatMap((order) => order.orderId === undefined ? [] : [[order.orderId, order] as const]))
    const byClientId = new Map(ours.map((order) => [order.request.clientId, order]))
    const seen = new Set<string>()
    for (const { clientId, filled, isOpen, orderId } of records) {
      const order = byId.get(orderId) ?? (clientId === undefined ? undefined : byClientId.get(clientId))
      if (order === undefined) {
        violations.push(`${name}: ${venue} has ${orderId}, filled ${show(filled)}, of which nothing is stored`)
        continue
      }
      const { request, status } = order
      if (seen.has(request.clientId)) violations.push(`${name}: ${venue} has ${request.clientId} twice`)
      seen.add(request.clientId)
      if (!BigDecimal.equals(filled, order.filled)) {
        violations.push(
          `${name}: of ${request.clientId} ${show(order.filled)} is filled, at ${venue} ${show(filled)}`
        )
      }
      if (isOpen === OrderStatus.isOver(status)) {
        violations.push(`${name}: ${request.clientId} is ${status}, at ${venue} it is ${isOpen ? "open" : "over"}`)
      }
    }
    // What a chain has taken and never carried out is over, and nothing came of it.
    for (const { filled, request: { clientId }, status } of ours) {
      if (!seen.has(clientId) && (filled.value !== 0n || !OrderStatus.isOver(status))) {
        violations.push(`${name}: ${venue} does not have ${clientId}, which is ${status}`)
      }
    }
  }
  for (const { value: { exchange, filled, request: { clientId }, status } } of orders) {
    if (status === "unknown") violations.push(`${name}: what became of ${clientId} is not known`)
    const booked = sum(
      fills.flatMap(({ value }) => value.clientId === clientId && value.exchange === exchange ? [value.amount] : [])
    )
    if (!BigDecimal.equals(booked, filled)) {
      violations.push(`${name}: of ${clientId} ${show(filled)} is filled, its fills come to ${show(booked)}`)
    }
  }
  for (const [of, all] of Map.groupBy(orders, ({ of }) => of)) {
    const filled = sum(all.map(({ value }) => value.filled))
    const asked = all[0]?.value.request.amount ?? Decimal.zero
    if (BigDecimal.isGreaterThan(filled, asked)) {
      violations.push(`${name}: ${show(filled)} of ${of} is filled, ${show(asked)} was asked for`)
    }
  }
  return violations
}

/** Each order has a decision that is older, each fill its order, and nothing was placed by a halted trader. */
export const history = ({ halts, name }: Seat, { decisions, fills, orders }: Kept): ReadonlyArray<string> => {
  const violations: Array<string> = []
  const decided = new Set(
    decisions.flatMap(({ value: { clientId, kind } }) =>
      (kind === "enter" || kind === "exit") && clientId !== undefined ? [clientId] : []
    )
  )
  const known = new Set(orders.map(({ value }) => `${value.exchange} ${value.request.clientId}`))
  for (const { at, of } of orders) {
    const millis = Timestamp.epochMillis(at)
    if (halts.some(({ from, to }) => from < millis && millis < to)) {
      violations.push(`${name}: ${of} was placed while it was halted`)
    }
    if (!decided.has(of)) violations.push(`${name}: why ${of} was placed is not stored`)
  }
  for (const { value: { clientId, exchange, tradeId } } of fills) {
    if (!known.has(`${exchange} ${clientId}`)) violations.push(`${name}: the fill ${tradeId} has no order`)
  }
  return violations
}
