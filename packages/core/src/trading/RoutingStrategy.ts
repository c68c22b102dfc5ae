/**
 * Which exchange an order goes to, as a value: the router asks it for the
 * exchanges that could take the order, best first.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as OrderBook from "../market/OrderBook.ts"
import * as Decimal from "../value/Decimal.ts"
import type { Fees } from "./Instrument.ts"
import type { OrderRequest } from "./OrderRequest.ts"

/**
 * - `Fixed`: one exchange, and no other
 * - `Priority`: these, in this order
 * - `RoundRobin`: the next one each time, of these or of all
 * - `BestPrice`: whose live book gives the best price for the whole amount, its
 *   fees included. Of an order that would rest, the one with the least maker fee
 * - `LeastLatency`: whose answers to orders have come soonest; one that has not
 *   answered any yet is tried first, so that it is known
 * - `Split`: as much at each as its live book offers at the best prices, fees
 *   included. What is left of an order that may rest goes to the exchange of the
 *   best price. An order that is to be filled as a whole or not at all (`fok`) and
 *   was filled in part is traded back
 * - `BySymbol`: by the product, and otherwise another one
 *
 * @category models
 * @since 0.1.0
 */
export type RoutingStrategy =
  | { readonly _tag: "Fixed"; readonly exchange: string }
  | { readonly _tag: "Priority"; readonly exchanges: ReadonlyArray<string> }
  | { readonly _tag: "RoundRobin"; readonly exchanges?: ReadonlyArray<string> | undefined }
  | { readonly _tag: "BestPrice" }
  | { readonly _tag: "LeastLatency" }
  | { readonly _tag: "Split" }
  | {
    readonly _tag: "BySymbol"
    readonly products: Readonly<Record<string, RoutingStrategy>>
    readonly otherwise: RoutingStrategy
  }

/**
 * One exchange, and no other.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fixed = (exchange: string): RoutingStrategy => ({ _tag: "Fixed", exchange })

/**
 * These exchanges, the first that takes it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const priority = (...exchanges: ReadonlyArray<string>): RoutingStrategy => ({ _tag: "Priority", exchanges })

/**
 * Each of these exchanges in turn; of all if none is named.
 *
 * @category constructors
 * @since 0.1.0
 */
export const roundRobin = (...exchanges: ReadonlyArray<string>): RoutingStrategy =>
  exchanges.length === 0 ? { _tag: "RoundRobin" } : { _tag: "RoundRobin", exchanges }

/**
 * The exchange of the best price, by its live book and its fees.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bestPrice: RoutingStrategy = { _tag: "BestPrice" }

/**
 * The exchange that answers soonest.
 *
 * @category constructors
 * @since 0.1.0
 */
export const leastLatency: RoutingStrategy = { _tag: "LeastLatency" }

/**
 * All exchanges, by what their live books offer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const split: RoutingStrategy = { _tag: "Split" }

/**
 * By the product's name; all others by another strategy.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bySymbol = (
  products: Readonly<Record<string, RoutingStrategy>>,
  otherwise: RoutingStrategy
): RoutingStrategy => ({ _tag: "BySymbol", products, otherwise })

/**
 * An exchange that could take an order now: its book if it is known, its fees,
 * and how soon it has answered, in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Candidate {
  readonly exchange: string
  readonly book: OrderBook.Ladder | undefined
  readonly fees: Pick<Fees, "maker" | "taker"> | undefined
  readonly latencyMillis: number | undefined
}

/**
 * The strategy that holds for a product.
 *
 * @category getters
 * @since 0.1.0
 */
export const of = (self: RoutingStrategy, product: string): RoutingStrategy =>
  self._tag === "BySymbol"
    ? of(Object.hasOwn(self.products, product) ? self.products[product] ?? self.otherwise : self.otherwise, product)
    : self

/**
 * Whether an order may go to an exchange by a strategy.
 *
 * @category predicates
 * @since 0.1.0
 */
export const mayUse = (self: RoutingStrategy, exchange: string): boolean => {
  switch (self._tag) {
    case "Fixed":
      return self.exchange === exchange
    case "Priority":
      return self.exchanges.includes(exchange)
    case "RoundRobin":
      return self.exchanges?.includes(exchange) ?? true
    default:
      return true
  }
}

const noFees: Pick<Fees, "maker" | "taker"> = { maker: Decimal.zero, taker: Decimal.zero }

/**
 * What an amount costs a buyer with the taker's fee, or brings a seller, from the
 * levels that its price allows.
 *
 * @category getters
 * @since 0.1.0
 */
export const taking = (
  { book, fees = noFees }: Pick<Candidate, "book" | "fees">,
  { amount, price, side }: Pick<OrderRequest, "amount" | "price" | "side">
): { readonly size: Decimal.Decimal; readonly cost: Decimal.Decimal } => {
  if (book === undefined) return { size: Decimal.zero, cost: Decimal.zero }
  const within = price === undefined ? amount : BigDecimal.min(amount, OrderBook.sizeTo(book, side, price).size)
  const { cost, size } = OrderBook.priceFor(book, side, within)
  const fee = BigDecimal.multiply(cost, fees.taker)
  return { size, cost: side === "buy" ? BigDecimal.sum(cost, fee) : BigDecimal.subtract(cost, fee) }
}

// Who fills more of it comes first, then who does it at the better price: compared without a division.
const byPrice = (request: OrderRequest, candidates: ReadonlyArray<Candidate>): ReadonlyArray<Candidate> =>
  candidates.map((candidate) => ({ candidate, taken: taking(candidate, request) })).toSorted((one, other) => {
    const bySize = BigDecimal.Order(other.taken.size, one.taken.size)
    if (bySize !== 0) return bySize
    if (one.taken.size.value === 0n) {
      return BigDecimal.Order((one.candidate.fees ?? noFees).maker, (other.candidate.fees ?? noFees).maker)
    }
    return request.side === "buy"
      ? BigDecimal.Order(one.taken.cost, other.taken.cost)
      : BigDecimal.Order(other.taken.cost, one.taken.cost)
  }).map(({ candidate }) => candidate)

/**
 * The exchanges that are to be tried, best first. `turn` counts the orders that
 * were routed in turn before.
 *
 * @category getters
 * @since 0.1.0
 */
export const rank = (
  self: RoutingStrategy,
  request: OrderRequest,
  candidates: ReadonlyArray<Candidate>,
  turn: number
): ReadonlyArray<Candidate> => {
  const named = (names: ReadonlyArray<string>): ReadonlyArray<Candidate> =>
    names.flatMap((name) => candidates.filter(({ exchange }) => exchange === name))
  switch (self._tag) {
    case "Fixed":
      return named([self.exchange])
    case "Priority":
      return named(self.exchanges)
    case "RoundRobin": {
      const all = self.exchanges === undefined ? candidates : named(self.exchanges)
      const first = all.length === 0 ? 0 : turn % all.length
      return [...all.slice(first), ...all.slice(0, first)]
    }
    case "BestPrice":
    case "Split":
      return byPrice(request, candidates)
    case "LeastLatency":
      return candidates.toSorted((one, other) => (one.latencyMillis ?? -1) - (other.latencyMillis ?? -1))
    case "BySymbol":
      return rank(of(self, request.product), request, candidates, turn)
  }
}
