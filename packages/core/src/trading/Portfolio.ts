/**
 * What a trader has, as a value: its money in one currency, its open lots with
 * their stops and targets, what its open orders may still cost, and what it has
 * gained.
 *
 * - A lot is what one order has entered, long or short. Its cost is set aside from
 *   the money, of a short as of a long; fees are taken from the money.
 * - A long is worth its amount × the mark, a short its cost + what it has gained.
 *   `total` is the money and what all lots are worth, always by the newest marks.
 * - `admit` asks whether an order would break an invariant, and sets aside what it
 *   may cost, so that several at once cannot spend the same money. A fill has
 *   happened: it is booked whatever it breaks, and `violations` tells that.
 * - A step that is refused changes nothing. A fill that was booked changes nothing
 *   again.
 *
 * It is for products that are paid in its currency: spot, and linear derivatives.
 * Prices and amounts are exact; times are milliseconds since 1970.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Order from "effect/Order"
import * as Result from "effect/Result"
import * as Decimal from "../value/Decimal.ts"
import * as Exact from "../value/internal/exactArithmetic.ts"
import * as Lot from "./Lot.ts"
import type { Fill } from "./OrderEvent.ts"

/**
 * What a portfolio keeps to.
 *
 * - `maxLots`, `maxPerProduct`: how many lots and open entries there may be. Default: 5 and 3
 * - `maxExposure`: the share of the total that lots and open entries may have. Default: 0.8
 * - `stop`, `target`: how far from a lot's entry they are, as a share of it; none
 *   if `undefined`. Default: 0.05 and 0.1
 * - `recent`: how many closed trades are kept. Default: 100
 *
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  readonly maxLots: number
  readonly maxPerProduct: number
  readonly maxExposure: Decimal.Decimal
  readonly stop: Decimal.Decimal | undefined
  readonly target: Decimal.Decimal | undefined
  readonly recent: number
}

/**
 * The limits that hold where none are said.
 *
 * @category constants
 * @since 0.1.0
 */
export const limits: Limits = {
  maxLots: 5,
  maxPerProduct: 3,
  maxExposure: BigDecimal.make(8n, 1),
  stop: BigDecimal.make(5n, 2),
  target: BigDecimal.make(1n, 1),
  recent: 100
}

/**
 * An order that would enter a lot. `price` is the worst at which it would be
 * filled, `fee` the most that it can cost, by default nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  readonly id: string
  readonly product: string
  readonly direction: "long" | "short"
  readonly amount: Decimal.Decimal
  readonly price: Decimal.Decimal
  readonly fee?: Decimal.Decimal | undefined
}

/**
 * A portfolio. `entries` are the orders that were admitted, as far as they may
 * still be filled. `fees` are by asset: only those in `quote` are taken from
 * `cash`, and are in `total`. `closed` are the latest trades, oldest first, those
 * of one instant by their ids; `trades` is how many there were.
 *
 * @category models
 * @since 0.1.0
 */
export interface Portfolio {
  readonly quote: string
  readonly limits: Limits
  readonly opening: Decimal.Decimal
  readonly cash: Decimal.Decimal
  readonly total: Decimal.Decimal
  readonly lots: ReadonlyMap<string, Lot.Lot>
  readonly entries: ReadonlyMap<string, Entry>
  readonly marks: ReadonlyMap<string, Decimal.Decimal>
  readonly realized: Decimal.Decimal
  readonly fees: ReadonlyMap<string, Decimal.Decimal>
  readonly trades: number
  readonly closed: ReadonlyArray<Lot.Closed>
}

/**
 * An invariant that does not hold, with its figures:
 *
 * - `Cash`: the money is not below zero
 * - `Total`: the total is the money and what the lots are worth, and what there
 *   was + what was gained − the fees
 * - `Lots`, `LotsOfProduct`: there are at most so many
 * - `Exposure`: what is open is at most such a share of the total. A price that
 *   moves may break it; that is no error
 * - `Terms`: each amount and each price is above zero
 *
 * @category models
 * @since 0.1.0
 */
export type Violation =
  | { readonly _tag: "Cash"; readonly cash: Decimal.Decimal }
  | { readonly _tag: "Total"; readonly total: Decimal.Decimal; readonly expected: Decimal.Decimal }
  | { readonly _tag: "Lots"; readonly count: number; readonly most: number }
  | { readonly _tag: "LotsOfProduct"; readonly product: string; readonly count: number; readonly most: number }
  | { readonly _tag: "Exposure"; readonly exposure: number; readonly most: number }
  | { readonly _tag: "Terms"; readonly id: string; readonly amount: Decimal.Decimal; readonly price: Decimal.Decimal }

/**
 * What a fill came to: what it gained, without fees, and the trade if it closed
 * its lot.
 *
 * @category models
 * @since 0.1.0
 */
export interface Exited {
  readonly portfolio: Portfolio
  readonly realized: Decimal.Decimal
  readonly closed: Lot.Closed | undefined
}

const toNumber = (self: Decimal.Decimal): number => Number(Decimal.format(self))

const most = (one: Decimal.Decimal, other: Decimal.Decimal | undefined): Decimal.Decimal =>
  other === undefined ? one : BigDecimal.max(one, other)

const total = (values: Iterable<Decimal.Decimal>): Decimal.Decimal => BigDecimal.sumAll(values)

/**
 * A portfolio of so much money and nothing else.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty = (options: {
  readonly cash: Decimal.Decimal
  readonly quote: string
  readonly limits?: Partial<Limits> | undefined
}): Portfolio => ({
  quote: options.quote,
  limits: { ...limits, ...options.limits },
  opening: options.cash,
  cash: options.cash,
  total: options.cash,
  lots: new Map(),
  entries: new Map(),
  marks: new Map(),
  realized: Decimal.zero,
  fees: new Map(),
  trades: 0,
  closed: []
})

const priceOf = (self: Portfolio, { entryPrice, product }: Lot.Lot): Decimal.Decimal =>
  self.marks.get(product) ?? entryPrice

const overLots = (self: Portfolio, of: (lot: Lot.Lot, price: Decimal.Decimal) => Decimal.Decimal): Decimal.Decimal =>
  total(Array.from(self.lots.values(), (lot) => of(lot, priceOf(self, lot))))

/**
 * What all lots have gained at their marks and not realized, without fees.
 *
 * @category getters
 * @since 0.1.0
 */
export const unrealized = (self: Portfolio): Decimal.Decimal => overLots(self, Lot.unrealized)

const worth = (self: Portfolio): Decimal.Decimal => BigDecimal.sum(self.cash, overLots(self, Lot.value))

// Every change ends here, so that the total is never that of before.
const settled = (self: Portfolio): Portfolio => ({ ...self, total: worth(self) })

const planned = (self: Portfolio): Decimal.Decimal =>
  total(Array.from(self.entries.values(), ({ amount, price }) => BigDecimal.multiply(amount, price)))

const plannedFees = (self: Portfolio): Decimal.Decimal =>
  total(Array.from(self.entries.values(), ({ fee }) => fee ?? Decimal.zero))

/**
 * The money that no open entry may need.
 *
 * @category getters
 * @since 0.1.0
 */
export const available = (self: Portfolio): Decimal.Decimal =>
  BigDecimal.subtract(BigDecimal.subtract(self.cash, planned(self)), plannedFees(self))

const atStake = (self: Portfolio): Decimal.Decimal =>
  overLots(self, ({ amount }, price) => BigDecimal.multiply(amount, price))

const shareOf = (part: Decimal.Decimal, whole: Decimal.Decimal): number =>
  part.value === 0n ? 0 : whole.value <= 0n ? Infinity : toNumber(part) / toNumber(whole)

/**
 * The share of the total that is in lots, at their marks: infinite if something
 * is open and the total is not above zero.
 *
 * @category getters
 * @since 0.1.0
 */
export const exposure = (self: Portfolio): number => shareOf(atStake(self), self.total)

/** What an order can break. */
type Breach = Exclude<Violation, { readonly _tag: "Total" }>

const overExposed = (self: Portfolio, stake: Decimal.Decimal): Breach | undefined => {
  const { maxExposure } = self.limits
  const isOver = stake.value > 0n && BigDecimal.isGreaterThan(stake, BigDecimal.multiply(self.total, maxExposure))
  return isOver ? { _tag: "Exposure", exposure: shareOf(stake, self.total), most: toNumber(maxExposure) } : undefined
}

const tooMany = (self: Portfolio, products: ReadonlyMap<string, string>): ReadonlyArray<Breach> => {
  const { maxLots, maxPerProduct } = self.limits
  const found: Array<Breach> = []
  if (products.size > maxLots) found.push({ _tag: "Lots", count: products.size, most: maxLots })
  for (const [product, { length }] of Map.groupBy(products.values(), (product) => product)) {
    if (length > maxPerProduct) found.push({ _tag: "LotsOfProduct", product, count: length, most: maxPerProduct })
  }
  return found
}

const productsOf = (...parts: ReadonlyArray<Iterable<Lot.Lot | Entry>>): ReadonlyMap<string, string> =>
  new Map(parts.flatMap((part) => Array.from(part, ({ id, product }) => [id, product] as const)))

/**
 * Sets aside what an order may cost, if it may be placed; otherwise the first
 * invariant that it would break. At least its amount at the mark is set aside: a
 * short may be filled above its price, and a long counts at the mark then.
 *
 * @category combinators
 * @since 0.1.0
 */
export const admit = (self: Portfolio, order: Entry): Result.Result<Portfolio, Breach> => {
  const { amount, id, product } = order
  if (!Decimal.isPositive(amount) || !Decimal.isPositive(order.price)) {
    return Result.fail({ _tag: "Terms", id, amount, price: order.price })
  }
  const price = most(order.price, self.marks.get(product))
  const entries = new Map(self.entries).set(id, { ...order, price })
  const after = { ...self, entries }
  const [crowd] = tooMany(self, productsOf(self.lots.values(), entries.values()))
  if (crowd !== undefined) return Result.fail(crowd)
  const exposed = overExposed(self, BigDecimal.sum(atStake(self), planned(after)))
  if (exposed !== undefined) return Result.fail(exposed)
  const cash = available(after)
  return cash.value < 0n ? Result.fail({ _tag: "Cash", cash }) : Result.succeed(after)
}

/**
 * Sets nothing aside any more for an order that is over.
 *
 * @category combinators
 * @since 0.1.0
 */
export const release = (self: Portfolio, id: string): Portfolio => {
  if (!self.entries.has(id)) return self
  const entries = new Map(self.entries)
  entries.delete(id)
  return { ...self, entries }
}

const filled = (self: Portfolio, id: string, fill: Fill): Portfolio => {
  const entry = self.entries.get(id)
  if (entry === undefined) return self
  const amount = BigDecimal.subtract(entry.amount, fill.amount)
  if (!Decimal.isPositive(amount)) return release(self, id)
  const { fee = Decimal.zero } = entry
  const share = Exact.quotient(BigDecimal.multiply(fee, fill.amount), entry.amount, Math.max(0, fee.scale))
  const left = BigDecimal.subtract(fee, share)
  return { ...self, entries: new Map(self.entries).set(id, { ...entry, amount, fee: left }) }
}

const wasBooked = (self: Portfolio, id: string, { tradeId }: Fill): boolean =>
  self.lots.get(id)?.tradeIds.includes(tradeId) === true ||
  self.closed.some((closed) => closed.id === id && closed.tradeIds.includes(tradeId))

const charged = (self: Portfolio, { fee = Decimal.zero, feeAsset = self.quote }: Fill): Portfolio => {
  const fees = new Map(self.fees).set(feeAsset, BigDecimal.sum(self.fees.get(feeAsset) ?? Decimal.zero, fee))
  return { ...self, fees, cash: feeAsset === self.quote ? BigDecimal.subtract(self.cash, fee) : self.cash }
}

/**
 * Books a fill of the order that enters a lot: the first begins it, the others add
 * to it. The lot's product is that of the order that was admitted, otherwise the
 * fill's own. If no lot of the product was open, the fill's price is its mark.
 * `base` is the asset that a buy of spot brings: a fee in it makes that less.
 *
 * @category combinators
 * @since 0.1.0
 */
export const enter = (
  self: Portfolio,
  id: string,
  fill: Fill,
  at: number,
  base?: string
): Result.Result<Portfolio, Lot.Unbookable> => {
  if (wasBooked(self, id, fill)) return Result.succeed(self)
  const { limits: { stop, target }, quote } = self
  const product = self.entries.get(id)?.product ?? fill.product
  return Result.map(Lot.enter(self.lots.get(id), fill, { id, product, at, quote, base, stop, target }), (lot) => {
    const after = filled(charged(self, fill), id, fill)
    // An older mark may be of long ago.
    const isMarked = [...self.lots.values()].some(({ product }) => product === lot.product)
    return settled({
      ...after,
      cash: BigDecimal.subtract(after.cash, BigDecimal.multiply(fill.amount, fill.price)),
      lots: new Map(self.lots).set(id, lot),
      marks: isMarked ? self.marks : new Map(self.marks).set(lot.product, fill.price)
    })
  })
}

// The orders of one instant are booked in any order, and after a restart in another one.
const byClose = (a: Lot.Closed, b: Lot.Closed): number => a.closedAt - b.closedAt || Order.String(a.id, b.id)

// What a lot has become, whose fees are booked.
const exited = (self: Portfolio, lot: Lot.Lot, rest: Lot.Lot, at: number): Exited => {
  const { amount, cost, stop: _stop, target: _target, ...trade } = rest
  const realized = BigDecimal.subtract(rest.realized, lot.realized)
  const closed = amount.value === 0n ? { ...trade, closedAt: at } : undefined
  const lots = new Map(self.lots).set(lot.id, rest)
  if (closed !== undefined) lots.delete(lot.id)
  const portfolio = settled({
    ...self,
    cash: total([self.cash, BigDecimal.subtract(lot.cost, cost), realized]),
    lots,
    realized: BigDecimal.sum(self.realized, realized),
    trades: closed === undefined ? self.trades : self.trades + 1,
    closed: closed === undefined ? self.closed : [...self.closed, closed].toSorted(byClose).slice(-self.limits.recent)
  })
  return { portfolio, realized, closed }
}

/**
 * Books a fill that closes a lot, or a part of it. What was set aside for that
 * part, and what it gained, is money again.
 *
 * @category combinators
 * @since 0.1.0
 */
export const exit = (
  self: Portfolio,
  id: string,
  fill: Fill,
  at: number
): Result.Result<Exited, Lot.Unbookable> => {
  if (wasBooked(self, id, fill)) return Result.succeed({ portfolio: self, realized: Decimal.zero, closed: undefined })
  const lot = self.lots.get(id)
  if (lot === undefined) return Result.fail(new Lot.Unbookable({ id, reason: "there is no such lot" }))
  return Result.map(Lot.exit(lot, fill, self.quote), (rest) => exited(charged(self, fill), lot, rest, at))
}

/**
 * Closes a lot of which less is left than anybody trades: its cost is lost, and
 * the asset stays where it is. Without such a lot nothing has changed.
 *
 * @category combinators
 * @since 0.1.0
 */
export const writeOff = (self: Portfolio, id: string, at: number): Exited => {
  const lot = self.lots.get(id)
  return lot === undefined
    ? { portfolio: self, realized: Decimal.zero, closed: undefined }
    : exited(self, lot, Lot.writeOff(lot), at)
}

/**
 * Sets the price of now of a product.
 *
 * @category combinators
 * @since 0.1.0
 */
export const mark = (self: Portfolio, product: string, price: Decimal.Decimal): Portfolio =>
  settled({ ...self, marks: new Map(self.marks).set(product, price) })

/** A lot whose stop or target is reached. */
interface Triggered {
  readonly lot: Lot.Lot
  readonly by: "stop" | "target"
}

/**
 * The lots of a product whose stop, or otherwise whose target, a price reaches,
 * in the order in which they were opened.
 *
 * @category getters
 * @since 0.1.0
 */
export const triggered = (self: Portfolio, product: string, price: Decimal.Decimal): ReadonlyArray<Triggered> =>
  [...self.lots.values()].flatMap((lot) => {
    const by = lot.product === product ? Lot.reached(lot, price) : undefined
    return by === undefined ? [] : [{ lot, by }]
  })

/**
 * The invariants that do not hold; none of a portfolio whose orders were admitted
 * and filled at their prices, but `Exposure` after a price has moved.
 *
 * @category getters
 * @since 0.1.0
 */
export const violations = (self: Portfolio): ReadonlyArray<Violation> => {
  const found: Array<Violation> = []
  if (self.cash.value < 0n) found.push({ _tag: "Cash", cash: self.cash })
  const paid = self.fees.get(self.quote) ?? Decimal.zero
  const byGains = BigDecimal.subtract(total([self.opening, self.realized, unrealized(self)]), paid)
  const expected = [worth(self), byGains].find((sum) => !BigDecimal.equals(sum, self.total))
  if (expected !== undefined) found.push({ _tag: "Total", total: self.total, expected })
  found.push(...tooMany(self, productsOf(self.lots.values())))
  const exposed = overExposed(self, atStake(self))
  if (exposed !== undefined) found.push(exposed)
  for (const { amount, entryPrice: price, id } of self.lots.values()) {
    if (!Decimal.isPositive(amount) || !Decimal.isPositive(price)) found.push({ _tag: "Terms", id, amount, price })
  }
  return found
}
