/**
 * Whether what we know of our accounts is what the exchanges say: money, positions
 * and open orders, in both directions.
 *
 * `expected` is what accounts must have after fills, to the last digit, by the
 * arithmetic of the accounts of mock exchanges. `compare` gives a report of it and
 * what the exchanges say, as `OrderRouter` has it.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Decimal from "../value/Decimal.ts"
import * as Exact from "../value/internal/exactArithmetic.ts"
import * as Printable from "../value/Printable.ts"
import type * as Holdings from "./Holdings.ts"
import type { Instrument } from "./Instrument.ts"
import * as Exposure from "./internal/exposure.ts"
import { settle } from "./internal/settlement.ts"
import * as Order from "./Order.ts"
import type { Fill, OrderUpdate } from "./OrderEvent.ts"

/**
 * What an account has at an exchange: the total of each asset, and its positions
 * by the exchange's symbols. A position below zero is short; `cost` is what was
 * paid for it, less what was received.
 *
 * @category models
 * @since 0.1.0
 */
export interface Account {
  readonly balances: ReadonlyMap<string, Decimal.Decimal>
  readonly positions: ReadonlyMap<string, {
    readonly amount: Decimal.Decimal
    readonly cost: Decimal.Decimal
    readonly realized: Decimal.Decimal
  }>
}

/**
 * A fill of something whose rules are not known.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnknownInstrument extends Schema.TaggedError<UnknownInstrument>()("UnknownInstrument", {
  exchange: Schema.String,
  product: Schema.String
}) {
  override get message(): string {
    return Printable.escape(`the rules of ${this.product} at ${this.exchange} are not known`)
  }
}

const none: Account = { balances: new Map(), positions: new Map() }

// A part of a cost is rounded to its digits, which are those of the instrument's steps.
const atLeast = (value: Decimal.Decimal, scale: number): Decimal.Decimal =>
  value.scale >= scale ? value : BigDecimal.make(Exact.unitsOf(value, scale), scale)

const addTo = (balances: Map<string, Decimal.Decimal>, asset: string, amount: Decimal.Decimal) =>
  balances.set(asset, BigDecimal.sum(balances.get(asset) ?? Decimal.zero, amount))

/**
 * What accounts have by the word of the exchanges, by exchange, to begin with. What
 * a position has cost is by its average price; without one, or where its rules are
 * not known, nothing: what it realizes is then not known exactly.
 *
 * @category constructors
 * @since 0.1.0
 */
export const opening = (
  balances: ReadonlyMap<string, ReadonlyArray<Pick<Holdings.Balance, "asset" | "total">>>,
  positions: ReadonlyMap<string, ReadonlyArray<Pick<Holdings.Position, "product" | "amount" | "averagePrice">>>,
  instrumentOf: (exchange: string, product: string) => Instrument | undefined
): ReadonlyMap<string, Account> =>
  new Map([...new Set([...balances.keys(), ...positions.keys()])].map((exchange): [string, Account] => [exchange, {
    balances: new Map((balances.get(exchange) ?? []).map(({ asset, total }) => [asset, total])),
    positions: new Map((positions.get(exchange) ?? []).map(({ amount, averagePrice, product }) => {
      const instrument = instrumentOf(exchange, product)
      const entered = { side: amount.value < 0n ? "sell" : "buy", amount: BigDecimal.abs(amount) } as const
      return [product, {
        amount,
        // Where nothing is open, an exchange may say that the price is zero.
        cost: averagePrice === undefined || instrument === undefined || !Decimal.isPositive(averagePrice)
          ? Decimal.zero
          : settle(instrument, Exposure.none.position, { ...entered, price: averagePrice }).position.cost,
        realized: Decimal.zero
      }]
    }))
  }]))

/**
 * What accounts have after fills, each of which counts once, if they had `opening`
 * before: by exchange. A fee without an asset is paid as the trade is.
 *
 * @category constructors
 * @since 0.1.0
 */
export const expected = (
  opening: ReadonlyMap<string, Account>,
  fills: Iterable<Fill>,
  instrumentOf: (exchange: string, product: string) => Instrument | undefined
): Result.Result<ReadonlyMap<string, Account>, UnknownInstrument> => {
  const copied = ({ balances, positions }: Account) => ({
    balances: new Map(balances),
    positions: new Map(positions)
  })
  const accounts = new Map([...opening].map(([exchange, account]) => [exchange, copied(account)] as const))
  for (const { amount, exchange, fee, feeAsset, price, product, side } of fills) {
    const instrument = instrumentOf(exchange, product)
    if (instrument === undefined) return Result.fail(new UnknownInstrument({ exchange, product }))
    const { balances, positions } = accounts.get(exchange) ?? copied(none)
    accounts.set(exchange, { balances, positions })
    const { lot, tick, ticks = [] } = instrument
    const { payments, position } = settle(instrument, positions.get(product) ?? Exposure.none.position, {
      side,
      price: atLeast(price, Math.max(tick.scale, ...ticks.map(({ tick }) => tick.scale))),
      amount: atLeast(amount, lot.scale)
    })
    if (instrument.base === undefined) positions.set(product, position)
    for (const [asset, payment] of payments) addTo(balances, asset, payment)
    if (fee !== undefined) addTo(balances, feeAsset ?? instrument.feeAsset, BigDecimal.negate(fee))
  }
  return Result.succeed(accounts)
}

/**
 * How bad a difference is, from none on:
 *
 * - `Ok`: none
 * - `Precision`: within the tolerance
 * - `Minor`, `Major`, `Critical`: larger, by steps. What only one side has is
 *   `Critical`
 *
 * @category models
 * @since 0.1.0
 */
export type Severity = typeof severities[number]

const severities = ["Ok", "Precision", "Minor", "Major", "Critical"] as const

/**
 * Something of which we and the exchange say different things. `name` is that of
 * an asset, a product, or an order (its client id, otherwise the exchange's id);
 * `only` says who alone has it. Of an order the figures are what remains of it.
 * `value` is the size of the difference, in the quote currency where a mark is
 * known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Difference {
  readonly kind: "balance" | "position" | "order"
  readonly exchange: string
  readonly name: string
  readonly only: "here" | "there" | undefined
  readonly here: Decimal.Decimal | undefined
  readonly there: Decimal.Decimal | undefined
  readonly value: Decimal.Decimal
  readonly severity: Severity
}

/**
 * What came of a comparison: the worst of it, every difference that is not `Ok`,
 * how many figures were compared, and of which exchanges something is known here
 * that did not answer (`Major` at least).
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly status: Severity
  readonly differences: ReadonlyArray<Difference>
  readonly compared: number
  readonly unanswered: ReadonlyArray<string>
}

/**
 * What is compared: our accounts and our open orders, and what the exchanges say
 * of each, by exchange. What is absent is not compared.
 *
 * - `marks`: the prices of assets and of products, in `quote`
 * - `tolerance`: what is no more than a matter of precision. Default: 0.00000001
 * - `major`, `critical`: what a difference is worth that is beyond a minor and a
 *   major one. Default: 10 and 100
 *
 * @category models
 * @since 0.1.0
 */
export interface Comparison {
  readonly accounts: ReadonlyMap<string, Account>
  readonly orders: ReadonlyArray<Order.Order>
  readonly there: {
    readonly balances?: ReadonlyMap<string, ReadonlyArray<Holdings.Balance>> | undefined
    readonly positions?: ReadonlyMap<string, ReadonlyArray<Holdings.Position>> | undefined
    readonly orders?: ReadonlyMap<string, ReadonlyArray<OrderUpdate>> | undefined
  }
  readonly quote: string
  readonly marks?: ReadonlyMap<string, Decimal.Decimal> | undefined
  readonly tolerance?: Decimal.Decimal | undefined
  readonly major?: Decimal.Decimal | undefined
  readonly critical?: Decimal.Decimal | undefined
}

const one = BigDecimal.make(1n, 0)

/** A figure of both sides, before it is judged; `of` is the name whose mark counts. */
interface Figure extends Omit<Difference, "only" | "value" | "severity"> {
  readonly of: string
}

const worst = (found: Iterable<Severity>): Severity =>
  severities[Math.max(0, ...Array.from(found, (severity) => severities.indexOf(severity)))] ?? "Ok"

const judged = (
  { critical = BigDecimal.make(100n, 0), major = BigDecimal.make(10n, 0), marks, quote, tolerance }: Comparison,
  { of, ...figure }: Figure
): Difference => {
  const { here, kind, there } = figure
  const apart = BigDecimal.abs(BigDecimal.subtract(there ?? Decimal.zero, here ?? Decimal.zero))
  const value = BigDecimal.multiply(apart, of === quote ? one : marks?.get(of) ?? one)
  const exceeds = (limit: Decimal.Decimal) => BigDecimal.isGreaterThan(value, limit)
  const isBeyond = exceeds(tolerance ?? BigDecimal.make(1n, 8))
  const isMissing = (here === undefined || there === undefined) && (isBeyond || kind === "order")
  const severity = isMissing || exceeds(critical)
    ? "Critical"
    : exceeds(major)
    ? "Major"
    : isBeyond
    ? "Minor"
    : value.value > 0n
    ? "Precision"
    : "Ok"
  const only = here === undefined ? "there" : there === undefined ? "here" : undefined
  return { ...figure, only, value, severity }
}

/** What each exchange that answered has of each name, beside what is known of it here. */
const figuresOf = <A extends Holdings.Balance | Holdings.Position>(
  kind: "balance" | "position",
  accounts: ReadonlyMap<string, Account>,
  there: ReadonlyMap<string, ReadonlyArray<A>>,
  hereOf: (account: Account) => Iterable<readonly [string, Decimal.Decimal]>,
  thereOf: (holding: A) => readonly [string, Decimal.Decimal]
): ReadonlyArray<Figure> =>
  [...there].flatMap(([exchange, holdings]) => {
    const ours = new Map(hereOf(accounts.get(exchange) ?? none))
    const theirs = new Map(holdings.map(thereOf))
    return [...new Set([...ours.keys(), ...theirs.keys()])].map((name) => ({
      kind,
      exchange,
      name,
      of: name,
      here: ours.get(name),
      there: theirs.get(name)
    }))
  })

const ordersOf = (
  orders: ReadonlyArray<Order.Order>,
  there: ReadonlyMap<string, ReadonlyArray<OrderUpdate>>
): ReadonlyArray<Figure> =>
  [...there].flatMap(([exchange, updates]) => {
    const ours = orders.filter((order) => order.exchange === exchange)
    const isOf = ({ clientId, orderId }: OrderUpdate, order: Order.Order): boolean =>
      clientId === undefined ? orderId !== undefined && orderId === order.orderId : clientId === order.request.clientId
    const known = ours.map((order): Figure => {
      const update = updates.find((update) => isOf(update, order))
      const here = Order.remaining(order)
      return {
        kind: "order",
        exchange,
        name: order.request.clientId,
        of: order.request.product,
        here,
        // An exchange that does not say what remains has the order all the same.
        there: update && (update.remaining ?? here)
      }
    })
    const unknown = updates.filter((update) => !ours.some((order) => isOf(update, order)))
    return [
      ...known,
      ...unknown.map(({ clientId, orderId, product, remaining }): Figure => ({
        kind: "order",
        exchange,
        name: clientId ?? orderId ?? "",
        of: product ?? "",
        here: undefined,
        there: remaining ?? Decimal.zero
      }))
    ]
  })

/**
 * Compares what we know with what the exchanges say, and names what differs: also
 * what only we know of, and what only an exchange has.
 *
 * @category constructors
 * @since 0.1.0
 */
export const compare = (comparison: Comparison): Report => {
  const { accounts, orders, there } = comparison
  const figures = [
    ...figuresOf(
      "balance",
      accounts,
      there.balances ?? new Map(),
      ({ balances }) => balances,
      ({ asset, total }) => [asset, total]
    ),
    ...figuresOf(
      "position",
      accounts,
      there.positions ?? new Map(),
      ({ positions }) => Array.from(positions, ([product, { amount }]) => [product, amount] as const),
      ({ amount, product }) => [product, amount]
    ),
    ...ordersOf(orders, there.orders ?? new Map())
  ]
  const judgements = figures.map((figure) => judged(comparison, figure))
  const known = new Set([...accounts.keys(), ...orders.map(({ exchange }) => exchange)])
  const asked = [there.balances, there.positions, there.orders].filter((answers) => answers !== undefined)
  const unanswered = [...known].filter((exchange) => asked.some((answers) => !answers.has(exchange)))
  const severities = judgements.map(({ severity }) => severity)
  return {
    status: worst(unanswered.length > 0 ? [...severities, "Major"] : severities),
    differences: judgements.filter(({ severity }) => severity !== "Ok"),
    compared: figures.length,
    unanswered
  }
}
