/** What has to hold at the simulated exchange, by the exchange's own records. Each rule gives its violations in words. */
import * as OrderStatus from "@tickline/core/trading/OrderStatus"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as MockDeribitExchange from "../../exchange/MockDeribitExchange.ts"
import type * as FaultPlan from "../../network/FaultPlan.ts"
import type { Command, Trader } from "./trader.ts"

/** A connection of a trader's host, as the exchange saw it. Times are of the monotonic clock, in milliseconds. */
export interface Link {
  readonly trader: string
  readonly connection: number
  endedAt: number | undefined
  /** What came of commands. */
  readonly heard: Array<{ readonly at: number; readonly method: string; readonly key: string }>
  readonly tests: Array<{ readonly at: number; answeredAt: number | undefined }>
}

interface Span {
  readonly from: number
  readonly to: number
}

/** When nothing came through on a connection, by the faults that struck it; those that overlap are one. */
const heldUp = (
  { connection, endedAt = Infinity }: Link,
  strikes: ReadonlyArray<FaultPlan.Strike>
): ReadonlyArray<Span> => {
  const spans: Array<{ readonly from: number; to: number }> = []
  for (const { action, at, connections } of strikes) {
    if (!connections.includes(connection)) continue
    if (action._tag !== "Silent" && action._tag !== "Freeze" && action._tag !== "StopReading") continue
    const to = action._tag === "Silent" ? endedAt : at + action.forMillis
    const last = spans.at(-1)
    if (last !== undefined && at <= last.to) last.to = Math.max(last.to, to)
    else spans.push({ from: at, to })
  }
  return spans
}

/** Within so many milliseconds a `test_request` is answered. */
const answerMillis = 1_000

/** Every `test_request` is answered within a second while the link is up. */
export const unanswered = (link: Link, strikes: ReadonlyArray<FaultPlan.Strike>): ReadonlyArray<string> => {
  const held = heldUp(link, strikes)
  return link.tests.flatMap(({ answeredAt = Infinity, at }) => {
    const until = at + answerMillis
    const isExcused = (link.endedAt ?? Infinity) < until ||
      held.some(({ from, to }) => from <= until && to >= at - answerMillis)
    return answeredAt <= until || isExcused
      ? []
      : [`${link.trader}#${link.connection}: the test of ${at} was answered at ${answeredAt}`]
  })
}

/**
 * What came of commands is what was given, each at most once, in time and on the connection that it was given for;
 * nothing came of what was not sent, and nothing was acknowledged or refused that did not come.
 */
export const commands = (
  trader: Trader,
  links: ReadonlyArray<Link>,
  strikes: ReadonlyArray<FaultPlan.Strike>,
  mostLatency: number
): ReadonlyArray<string> => {
  const violations: Array<string> = []
  const waiting = new Map<string, Array<Command>>()
  for (const command of trader.commands) {
    const key = `${command.method} ${command.key}`
    waiting.set(key, [...waiting.get(key) ?? [], command])
  }
  const name = (command: Command): string => `${trader.name}: ${command.method} ${command.key} of ${command.at}`
  for (const link of links) {
    const held = heldUp(link, strikes)
    for (const { at, key, method } of link.heard) {
      const given = waiting.get(`${method} ${key}`) ?? []
      const fitting = given.filter(({ at: since, connection, until }) =>
        connection === link.connection && since <= at && (at <= until + mostLatency ||
          // What is held up comes when it is let through, and the exchange refuses it by its own deadline.
          held.some(({ from, to }) => from <= until + mostLatency && since <= to && at <= to + mostLatency))
      )
      const command = fitting.find(({ outcome }) => outcome !== "NotSent") ?? fitting[0]
      if (command === undefined) {
        violations.push(`${trader.name}#${link.connection}: nobody gave ${method} ${key}, which came at ${at}`)
        continue
      }
      given.splice(given.indexOf(command), 1)
      if (command.outcome === "NotSent") violations.push(`${name(command)} is NotSent, and came at ${at}`)
    }
  }
  for (const command of trader.commands) {
    if (command.outcome === undefined) violations.push(`${name(command)} has no outcome`)
  }
  for (const command of [...waiting.values()].flat()) {
    if (command.outcome === "Acknowledged" || command.outcome === "Rejected") {
      violations.push(`${name(command)} is ${command.outcome}, and never came`)
    }
  }
  return violations
}

/** No more was ever spent between two moments, whichever, than a pool holds and gets back between them. */
export const spent = (
  history: ReadonlyArray<MockDeribitExchange.Spent>,
  ofAccounts: Partial<Readonly<Record<MockDeribitExchange.PoolName, MockDeribitExchange.Pool>>>
): ReadonlyArray<string> => {
  const violations: Array<string> = []
  // Per pool and owner: what was spent so far less what came back since the beginning, and the least that it ever was.
  const excess = new Map<string, { sum: number; least: number }>()
  for (const { at, cost, isRefused, owner, pool } of history) {
    const { capacity, perSecond } = { ...MockDeribitExchange.pools, ...owner === "" ? {} : ofAccounts }[pool]
    const key = `${pool} of ${owner === "" ? "the address" : owner}`
    if (isRefused) violations.push(`the pool ${key} was empty at ${at}, which ends the session`)
    const back = at * perSecond / 1_000
    const { least, sum } = excess.get(key) ?? { sum: 0, least: Infinity }
    const before = Math.min(least, sum - back)
    if (sum + cost - back - before > capacity + 1e-6) {
      violations.push(`more was spent of ${key} than there is, by ${at}`)
    }
    excess.set(key, { sum: sum + cost, least: before })
  }
  return violations
}

const isSame = (one: Decimal.Decimal | undefined, other: Decimal.Decimal | undefined): boolean =>
  one === undefined || other === undefined ? one === other : BigDecimal.equals(one, other)

/** What is looked at of an account at the exchange. */
export interface Holdings {
  readonly orders: ReadonlyArray<
    & Pick<MockDeribitExchange.Order, "amount" | "createdAt" | "filled" | "label" | "price" | "state">
    & { readonly trades: ReadonlyArray<{ readonly [name: string]: unknown }> }
  >
  readonly positions: ReadonlyMap<string, Decimal.Decimal>
}

/** What is held of an account is what the exchange has of it: its orders, their fills, and the positions that these make. */
export const holdings = (
  account: string,
  traders: ReadonlyArray<Trader>,
  { orders, positions }: Holdings,
  at: number
): ReadonlyArray<string> => {
  const violations: Array<string> = []
  const held = new Map(traders.flatMap(({ keeper }) => [...keeper.orders]))
  const limits = new Map(traders.flatMap(({ keeper }) => [...keeper.validUntil]))
  const sums = new Map<string, Decimal.Decimal>()
  for (const record of orders) {
    const { amount, filled, label, price, state, trades } = record
    const order = held.get(label)
    held.delete(label)
    const wrong = (what: string): void => void violations.push(`at ${at} ${label} (${state}): ${what}`)
    if (order === undefined) {
      wrong("nobody holds it, or it is there twice")
      continue
    }
    const status = state !== "open" ? state : filled.value === 0n ? "open" : "partially-filled"
    if (record.createdAt >= (limits.get(label) ?? 0)) wrong("was taken after its deadline")
    if (order.status !== status) wrong(`held as ${order.status}`)
    if (!isSame(order.filled, filled)) {
      wrong(`held with ${Decimal.format(order.filled)} filled of ${Decimal.format(filled)}`)
    }
    if (state === "open" && !isSame(order.amount, amount)) wrong(`held with the amount ${Decimal.format(order.amount)}`)
    if (state === "open" && !isSame(order.price, price)) wrong("held with another price")
    const ids = order.fills.map(({ tradeId }) => tradeId).toSorted().join()
    const theirs = trades.map(({ trade_id }) => String(trade_id)).toSorted().join()
    if (ids !== theirs) wrong(`held with the fills ${ids}, has ${theirs}`)
    for (const { amount, side, product } of order.fills) {
      const signed = side === "buy" ? amount : BigDecimal.negate(amount)
      sums.set(product, BigDecimal.sum(sums.get(product) ?? Decimal.zero, signed))
    }
  }
  for (const [label, { status }] of held) {
    if (status !== "absent" && status !== "rejected") {
      violations.push(`at ${at} ${label} is held as ${status}, and is not there`)
    }
  }
  for (const product of new Set([...sums.keys(), ...positions.keys()])) {
    const [ours, theirs] = [sums.get(product) ?? Decimal.zero, positions.get(product) ?? Decimal.zero]
    if (!isSame(ours, theirs)) {
      violations.push(`at ${at} ${account} holds ${Decimal.format(ours)} of ${product}, has ${Decimal.format(theirs)}`)
    }
  }
  return violations
}

/** Every order has an outcome, and one that was unknown was found out. */
export const outcomes = ({ keeper }: Trader): ReadonlyArray<string> =>
  [...keeper.orders].flatMap(([label, { outcome, status }]) =>
    outcome === undefined || outcome._tag === "OutcomeUnknown" ||
      (!OrderStatus.isOver(status) && status !== "open" && status !== "partially-filled")
      ? [`${label} is ${status} after ${outcome?._tag ?? "no outcome"}`]
      : []
  )
