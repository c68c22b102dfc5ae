/**
 * An order that is divided among several exchanges: its parts, what is left of
 * it, and trading back what must not stand.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Decimal from "../../value/Decimal.ts"
import * as OrderRequest from "../OrderRequest.ts"
import { isOver } from "../OrderStatus.ts"
import { RouteCause } from "../RouteError.ts"
import type { Candidate } from "../RoutingStrategy.ts"
import type { ClientIdInUse, StorageError } from "../StorageError.ts"
import { causeOf, isNothing, notWanted, type Part, type Sender, symbolOf } from "./routedOrder.ts"
import * as Splitting from "./splitting.ts"

/**
 * What became of the parts; `unwound` are those that traded back.
 *
 * @category models
 * @since 0.1.0
 */
export interface Split {
  readonly parts: ReadonlyArray<Part>
  readonly unwound: ReadonlyArray<Part>
  readonly causes: ReadonlyArray<RouteCause>
}

/** How often a market order is divided anew, for what the books did not have. */
const mostRounds = 3

const filledOf = (parts: ReadonlyArray<Part>): Decimal.Decimal =>
  parts.reduce((sum, { order }) => BigDecimal.sum(sum, order.filled), Decimal.zero)

/**
 * Divides an order among the exchanges that could take it.
 *
 * @category running
 * @since 0.1.0
 */
export const split = Effect.fnUntraced(function*(
  sender: Sender,
  request: OrderRequest.OrderRequest,
  options: {
    readonly deadline: Duration.Duration
    readonly candidates: ReadonlyArray<Candidate>
    readonly isWanted: () => boolean
  }
): Effect.fn.Return<Split, ClientIdInUse | StorageError> {
  const { amount, clientId, price, product, reduceOnly, side, timeInForce, type } = request
  const { deadline, isWanted } = options
  const isWhole = timeInForce === "fok"
  const taken: Array<Part> = []
  const causes: Array<RouteCause> = []

  /** Sends an order of these terms; the part, unless it is known to have come to nothing. */
  const give = Effect.fnUntraced(function*(
    exchange: string,
    terms: Omit<ConstructorParameters<typeof OrderRequest.OrderRequest>[0], "product" | "clientId" | "reduceOnly">,
    into: Array<Part>
  ): Effect.fn.Return<void, ClientIdInUse | StorageError> {
    const route = sender.routeOf(exchange)
    const symbol = route === undefined ? undefined : symbolOf(route, product)
    if (route === undefined || symbol === undefined) return
    const child = new OrderRequest.OrderRequest({
      ...terms,
      product: symbol,
      reduceOnly: reduceOnly && terms.side === side,
      clientId: yield* OrderRequest.clientId
    })
    // What is traded back is of an order that may not be there in part.
    const isDue = () => terms.side !== side || isWanted()
    if (!isDue()) {
      causes.push(notWanted(exchange))
      return
    }
    const part = yield* sender.send(route, child, { of: request, deadline, isWanted: isDue })
    const outcome = yield* Deferred.await(part.outcome)
    if (isNothing(outcome)) {
      causes.push(causeOf(exchange, outcome))
    } else {
      into.push(part)
      // What may not rest is over at once, if anybody knows.
      if (terms.timeInForce !== "gtc" && outcome._tag !== "OutcomeUnknown") yield* Deferred.await(part.done)
    }
  })

  const placesOf = Effect.fnUntraced(function*(candidates: ReadonlyArray<Candidate>) {
    const places: Array<Splitting.Place> = []
    for (const candidate of candidates) {
      const route = sender.routeOf(candidate.exchange)
      const symbol = route === undefined ? undefined : symbolOf(route, product)
      if (route === undefined || symbol === undefined) continue
      const instrument = yield* Effect.result(sender.instrument(route, symbol))
      if (Result.isSuccess(instrument)) places.push({ ...candidate, instrument: instrument.success })
      else {
        const { detail } = instrument.failure
        causes.push(new RouteCause({ exchange: candidate.exchange, reason: "Unavailable", detail }))
      }
    }
    return places
  })

  let places = yield* placesOf(options.candidates)
  let left = amount
  for (let round = 1; left.value > 0n; round++) {
    const parts = Splitting.partsOf({ amount: left, price, reduceOnly, side }, places)
    const offered = parts.reduce((sum, part) => BigDecimal.sum(sum, part.amount), Decimal.zero)
    if (isWhole && BigDecimal.isLessThan(offered, amount)) {
      const detail = `only ${Decimal.format(offered)} of ${Decimal.format(amount)} is offered`
      causes.push(...places.map(({ exchange }) => new RouteCause({ exchange, reason: "Unavailable", detail })))
      return { parts: [], unwound: [], causes }
    }
    yield* sender.decide(
      "split",
      clientId,
      parts.map(({ amount, exchange, price }) => `${exchange}: ${Decimal.format(amount)} at ${Decimal.format(price)}`)
        .join("; ") || "nothing is offered"
    )
    const before = filledOf(taken)
    yield* Effect.forEach(
      parts,
      ({ amount, exchange, price }) =>
        give(exchange, { side, type: "limit", amount, price, timeInForce: "ioc" }, taken),
      { concurrency: "unbounded", discard: true }
    )
    // While it is not known what became of a part, nothing else may be sent for it.
    if (taken.some(({ order }) => !isOver(order.status))) return { parts: taken, unwound: [], causes }
    const filled = filledOf(taken)
    left = BigDecimal.subtract(amount, filled)
    if (type !== "market" || isWhole || round === mostRounds || BigDecimal.equals(filled, before)) break
    places = yield* placesOf(yield* sender.candidates(request))
  }

  if (left.value === 0n || (timeInForce !== "gtc" && !isWhole) || (type === "market" && !isWhole)) {
    return { parts: taken, unwound: [], causes }
  }
  if (!isWhole) {
    const rests = places.flatMap(({ exchange, instrument }) => {
      const rest = price && Splitting.legal(instrument, { amount: left, price, reduceOnly })
      return price === undefined || rest === undefined || rest.value === 0n ? [] : [{ exchange, amount: rest, price }]
    })
    const [best] = rests
    if (best === undefined) {
      const detail = `${Decimal.format(left)} is left, which is less than an order may be`
      causes.push(...places.map(({ exchange }) => new RouteCause({ exchange, reason: "NotSent", detail })))
    } else {
      const { exchange, ...terms } = best
      yield* give(exchange, { side, type: "limit", ...terms, timeInForce: "gtc" }, taken)
    }
    return { parts: taken, unwound: [], causes }
  }
  const unwound: Array<Part> = []
  const opposite = side === "buy" ? "sell" : "buy"
  for (const { order } of taken) {
    if (order.filled.value === 0n) continue
    yield* sender.decide("unwind", clientId, `${Decimal.format(order.filled)} is traded back`, order.exchange)
    yield* give(
      order.exchange,
      { side: opposite, type: "market", amount: order.filled, timeInForce: "ioc" },
      unwound
    )
  }
  return { parts: taken, unwound, causes }
})
