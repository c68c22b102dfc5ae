/**
 * The single orders behind a market: each level is one of the least size and, if
 * it is larger, another one of the rest. Every change of a level, and the trade of
 * a tick, is three messages, so their numbers follow from the market's own.
 */
import * as Decimal from "@tickline/core/value/Decimal"
import type { Market, State, Tick } from "../Market.ts"

type Side = "buy" | "sell"
type Row = State["bids"][number]

/** An order: its size is what is left of it. */
export interface Order {
  readonly id: string
  readonly side: Side
  readonly price: bigint
  readonly size: bigint
}

/** A message about an order; `before` is what its size was, `taker` who has traded so much with it. */
export type Message =
  | { readonly type: "received" | "open"; readonly order: Order }
  | { readonly type: "change"; readonly order: Order; readonly before: bigint }
  | { readonly type: "done"; readonly order: Order; readonly reason: "filled" | "canceled" }
  | { readonly type: "match"; readonly order: Order; readonly taker: Order }

const perChange = 3

const hex = (value: bigint | number, digits: number): string => value.toString(16).padStart(digits, "0").slice(-digits)

/** The venue's order ids are UUIDs; these say whose they are. */
const idOf = (kind: "a" | "b" | "c" | "d", side: Side, price: bigint, born: number): string => {
  const place = hex(price, 16)
  return `${hex(born, 8)}-${side === "buy" ? "0b1d" : "0a5c"}-400${kind}-${place.slice(0, 4)}-${place.slice(4)}`
}

/** The orders of a level, the least one first. */
const ordersOf = (side: Side, { born, price, size }: Row): readonly [Order, ...Array<Order>] => {
  const least: Order = { id: idOf("a", side, price, born), side, price, size: 1n }
  return size > 1n ? [least, { id: idOf("b", side, price, born), side, price, size: size - 1n }] : [least]
}

/** All orders that rest in a market, side by side, best first. */
export const resting = ({ state: { asks, bids } }: Market): ReadonlyArray<Order> => [
  ...bids.flatMap((row) => ordersOf("buy", row)),
  ...asks.flatMap((row) => ordersOf("sell", row))
]

const canceled = (order: Order): Message => ({ type: "done", order, reason: "canceled" })

/** What is left of an order that is filled. */
const filled = (order: Order): Message => ({ type: "done", order: { ...order, size: 0n }, reason: "filled" })

const open = (order: Order): Message => ({ type: "open", order })

/** An order shrinks from one that is larger by the least size. */
const shrunk = (order: Order): Message => ({ type: "change", order, before: order.size + 1n })

/** A level that is gone: its orders, while another is taken back that never rested. */
const removed = (orders: readonly [Order, ...Array<Order>], idle: Order): ReadonlyArray<Message> => {
  const [least, rest] = orders
  return [
    { type: "received", order: idle },
    canceled(rest ?? idle),
    canceled(least)
  ]
}

/** A level that is new. */
const added = ([least, rest = least]: readonly [Order, ...Array<Order>]): ReadonlyArray<Message> => [
  open(least),
  open({ ...rest, size: rest.size + 1n }),
  shrunk(rest)
]

/** A trade with a level that was there, or was made for it: what the level is before it, and after. */
const traded = (
  tick: Tick,
  { after, before, idle, side }: {
    readonly before: Row | undefined
    readonly after: Row
    readonly side: Side
    readonly idle: (born: number) => Order
  }
): ReadonlyArray<Message> => {
  const size = Decimal.parse(tick.size)?.value ?? 0n
  const taker: Order = {
    id: idOf("d", side, after.price, tick.tradeId),
    side: side === "buy" ? "sell" : "buy",
    price: after.price,
    size
  }
  const isReplaced = before !== undefined && before.born !== after.born
  const [least, rest = least] = ordersOf(side, isReplaced ? before : before ?? { ...after, size: after.size + size })
  const maker = isReplaced ? least : rest
  const left = maker.size - size
  const match: ReadonlyArray<Message> = [
    { type: "received", order: taker },
    { type: "match", order: maker, taker },
    left === 0n ? filled(maker) : filled(taker),
    left === 0n ? filled(taker) : { type: "received", order: idle(tick.sequence) }
  ]
  if (isReplaced) return [...ordersOf(side, after).map(open), ...match]
  return before === undefined
    ? [open(least), open(rest), ...match]
    : [{ type: "change", order: idle(before.born), before: 2n }, canceled(idle(before.born)), ...match]
}

/** The messages of a market's last tick, in order, and the number of the first. */
export const ofLast = (
  { before, last, state }: Market
): { readonly from: number; readonly messages: ReadonlyArray<Message> } => {
  const gone: Array<Message> = []
  const made: Array<Message> = []
  let trade: ReadonlyArray<Message> = []
  const sides = [["buy", before.bids, state.bids], ["sell", before.asks, state.asks]] as const
  for (const [side, were, are] of sides) {
    const idleAt = (price: bigint, born: number): Order => ({ id: idOf("c", side, price, born), side, price, size: 1n })
    const idle = (born: number): Order => idleAt(state.anchor, born)
    for (const row of were) {
      if (are.some(({ price }) => price === row.price)) continue
      gone.push(...removed(ordersOf(side, row), idleAt(row.price, state.sequence)))
    }
    const takes = last.isQuote !== true && side !== last.side
    for (const [index, row] of are.entries()) {
      const known = were.find(({ price }) => price === row.price)
      if (takes && index === 0) trade = traded(last, { before: known, after: row, side, idle })
      else if (known === undefined) made.push(...added(ordersOf(side, row)))
    }
    if (last.isQuote === true && side === "sell") {
      const order = idle(state.sequence)
      trade = [{ type: "received", order }, { type: "change", order, before: 2n }, canceled(order)]
    }
  }
  // What is new would cross what is not gone yet.
  return { from: perChange * before.sequence + 1, messages: [...gone, ...made, ...trade] }
}

/** The number of the last message of a market. */
export const lastNumber = (state: Pick<State, "sequence">): number => perChange * state.sequence
