/**
 * Orders to several exchanges behind one service: where each goes, by a strategy
 * that is a value; that it goes there once; what became of it.
 *
 * - An order goes to an exchange whose session is live and, if its book is
 *   known, whose book is live.
 * - Another exchange is tried only if it is known that the one before has not
 *   taken it. While that is not known, nothing else is sent.
 * - Each order is stored before it is sent. After a restart all that may still be
 *   at an exchange are reconciled and followed, and a client id that was given
 *   before gives what became of it.
 * - Together the exchanges never fill more than was asked for.
 *
 * One router has one storage.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { MarketFeed } from "../market/MarketFeed.ts"
import type * as OrderBook from "../market/OrderBook.ts"
import type * as Decimal from "../value/Decimal.ts"
import { AmbiguousClientId, type Exchange, type ExchangeError, type NotAmended, type OrderName } from "./Exchange.ts"
import type { Balance, Position } from "./Holdings.ts"
import type { Instrument } from "./Instrument.ts"
import { balancesOf, positionsOf } from "./internal/aggregates.ts"
import { routeName } from "./internal/routedOrder.ts"
import { Router } from "./internal/router.ts"
import type * as Order from "./Order.ts"
import type { OrderEvent, OrderUpdate } from "./OrderEvent.ts"
import type { OrderRequest } from "./OrderRequest.ts"
import { isOver } from "./OrderStatus.ts"
import { NoneAnswered, type NotRouted, UnknownClientId } from "./RouteError.ts"
import type { ExchangeState, Options, Placement, PlaceOptions, Ranking, Update } from "./Routing.ts"
import type { RoutingStrategy } from "./RoutingStrategy.ts"
import { Storage } from "./Storage.ts"
import type { ClientIdInUse, StorageError } from "./StorageError.ts"

/**
 * What all exchanges say of something; `failures` are of those that did not.
 *
 * @category models
 * @since 0.1.0
 */
export interface Gathered<A> {
  readonly byExchange: ReadonlyMap<string, ReadonlyArray<A>>
  readonly failures: ReadonlyArray<ExchangeError>
}

/**
 * An asset over all exchanges.
 *
 * @category models
 * @since 0.1.0
 */
export interface Total {
  readonly asset: string
  readonly available: Decimal.Decimal
  readonly total: Decimal.Decimal
}

/**
 * A product over all exchanges, by its name.
 *
 * @category models
 * @since 0.1.0
 */
export interface NetAmount {
  readonly product: string
  readonly amount: Decimal.Decimal
}

/**
 * The router.
 *
 * - `rank`: where an order would go now; nothing is sent
 * - `place`: the product is a name; see `Route.symbols`. It comes back when the
 *   outcome is known, or that it cannot be; the order is followed from then on by
 *   itself, also if whoever waits for it goes
 * - `settled`: an order's parts once all of them are over and their fills are there
 * - `status`, `cancel`, `amend`: by the client id that it was placed with, asked of
 *   the exchange that has it. An order in several parts cannot be amended. One that
 *   is cancelled, also by `cancelAll`, while it is being routed goes to no further
 *   exchange; where none has it, nothing else is said of it
 * - `instrument`: what may be traded of a product at an exchange, asked for once
 * - `nameOf`: the name of an exchange's symbol
 * - `updates`: what is said of all orders from when the effect is done, and the
 *   order that each is of; `events` without these. Whoever is more than 16,384
 *   behind misses some, which the storage has
 * - `recovered`: once what was open before a restart is reconciled
 *
 * @category services
 * @since 0.1.0
 */
export class OrderRouter extends Context.Service<OrderRouter, {
  readonly exchanges: Effect.Effect<ReadonlyArray<ExchangeState>>
  readonly rank: (request: OrderRequest, strategy?: RoutingStrategy | undefined) => Effect.Effect<Ranking>
  readonly place: (
    request: OrderRequest,
    options?: PlaceOptions | undefined
  ) => Effect.Effect<Placement, NotRouted | ClientIdInUse | StorageError>
  readonly settled: (clientId: string) => Effect.Effect<ReadonlyArray<Order.Order>, UnknownClientId>
  readonly status: (clientId: string) => Stream.Stream<OrderEvent, UnknownClientId>
  readonly amend: (
    clientId: string,
    terms: { readonly price?: Decimal.Decimal | undefined; readonly amount?: Decimal.Decimal | undefined }
  ) => Stream.Stream<OrderEvent, UnknownClientId | AmbiguousClientId | NotAmended>
  readonly cancel: (clientId: string) => Stream.Stream<OrderEvent, UnknownClientId | AmbiguousClientId>
  readonly cancelAll: Stream.Stream<OrderEvent>
  readonly open: Effect.Effect<Gathered<OrderUpdate>, NoneAnswered>
  readonly balances: Effect.Effect<Gathered<Balance> & { readonly totals: ReadonlyArray<Total> }, NoneAnswered>
  readonly positions: Effect.Effect<Gathered<Position> & { readonly net: ReadonlyArray<NetAmount> }, NoneAnswered>
  readonly instrument: (exchange: string, product: string) => Effect.Effect<Instrument, ExchangeError>
  readonly nameOf: (exchange: string, symbol: string) => string
  readonly updates: Effect.Effect<Stream.Stream<Update>, never, Scope.Scope>
  readonly events: Stream.Stream<OrderEvent>
  readonly recovered: Effect.Effect<void>
}>()("@tickline/core/trading/OrderRouter") {}

const nameOf = ({ orderId, request: { clientId } }: Order.Order): OrderName =>
  orderId === undefined ? { clientId } : { orderId }

/**
 * Makes a router, connects its exchanges, and goes on with what is open in the
 * storage.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<OrderRouter["Service"], StorageError, Scope.Scope | Storage> {
  const router = yield* Router.make(options, yield* Storage)
  const { routes } = options

  const gathered = <A>(
    ask: (exchange: Exchange["Service"]) => Effect.Effect<ReadonlyArray<A>, ExchangeError>
  ): Effect.Effect<Gathered<A>, NoneAnswered> =>
    Effect.flatMap(
      Effect.forEach(
        routes,
        (route) => Effect.map(Effect.result(ask(route.exchange)), (answer) => ({ name: routeName(route), answer })),
        { concurrency: "unbounded" }
      ),
      (answers) => {
        const failures = answers.flatMap(({ answer }) => Result.isFailure(answer) ? [answer.failure] : [])
        if (failures.length === answers.length && failures.length > 0) return new NoneAnswered({ failures })
        const byExchange = new Map(
          answers.flatMap(({ answer, name }) => Result.isSuccess(answer) ? [[name, answer.success] as const] : [])
        )
        return Effect.succeed({ byExchange, failures })
      }
    )

  const partsOf = (clientId: string) => {
    const parts = router.partsOf(clientId)
    return parts.length === 0 ? new UnknownClientId({ clientId }) : Effect.succeed(parts)
  }

  // Over each part that is not over, or over all if none is left.
  const ofParts = <E>(
    clientId: string,
    command: (exchange: Exchange["Service"], name: OrderName) => Stream.Stream<OrderEvent, E>
  ): Stream.Stream<OrderEvent, E | UnknownClientId> =>
    Stream.unwrap(Effect.map(partsOf(clientId), (parts) => {
      const open = parts.filter(({ order }) => !isOver(order.status))
      return Stream.mergeAll(
        (open.length === 0 ? parts : open).map(({ order, route }) => command(route.exchange, nameOf(order))),
        { concurrency: "unbounded" }
      )
    }))

  return {
    exchanges: router.states,
    rank: router.rank,
    place: router.place,
    settled: (clientId) => Effect.flatMap(partsOf(clientId), () => router.settled(clientId)),
    status: (clientId) => ofParts(clientId, (exchange, name) => exchange.status(name)),
    cancel: (clientId) =>
      Stream.suspend(() =>
        router.cancelRouting(clientId) && router.partsOf(clientId).every(({ order }) => isOver(order.status))
          ? Stream.empty
          : ofParts(clientId, (exchange, name) => exchange.cancel(name))
      ),
    amend: (clientId, terms) =>
      Stream.unwrap(Effect.flatMap(partsOf(clientId), ([part, ...others]) =>
        part === undefined || others.length > 0
          ? new AmbiguousClientId({
            clientId,
            orderIds: [part, ...others].flatMap((part) => part?.order.orderId ?? [])
          })
          : Effect.succeed(part.route.exchange.amend(nameOf(part.order), terms)))),
    cancelAll: Stream.suspend(() => {
      router.cancelRouting()
      return Stream.mergeAll(routes.map(({ exchange }) => exchange.cancelAll()), { concurrency: "unbounded" })
    }),
    open: gathered(router.openAt),
    balances: Effect.map(gathered((exchange) => exchange.balances()), (found) => ({
      ...found,
      totals: balancesOf([...found.byExchange.values()].flat())
    })),
    positions: Effect.map(gathered((exchange) => exchange.positions()), (found) => ({
      ...found,
      net: positionsOf(found.byExchange, router.nameOf)
    })),
    instrument: router.instrumentAt,
    nameOf: router.nameOf,
    updates: router.updates,
    events: router.events,
    recovered: router.recovered
  }
})

/**
 * The router as a layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<OrderRouter, StorageError, Storage> =>
  Layer.effect(OrderRouter, make(options))

/**
 * The books of a feed, for `Route.book`: each is followed from when it is first
 * asked for, or from now on if it is one of `symbols`, until the scope ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const booksOf = Effect.fnUntraced(function*(
  feed: MarketFeed["Service"],
  symbols: ReadonlyArray<string> = [],
  options?: OrderBook.Options
): Effect.fn.Return<(symbol: string) => Effect.Effect<OrderBook.OrderBook | undefined>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const books = new Map<string, OrderBook.OrderBook | undefined>()
  const follow = (symbol: string): Effect.Effect<void> => {
    books.set(symbol, undefined)
    return feed.observeBook(symbol, (book) => void books.set(symbol, book), options).pipe(
      Effect.catch(({ message }) => Effect.logWarning(message)),
      Scope.provide(scope)
    )
  }
  yield* Effect.forEach(symbols, follow, { discard: true })
  return (symbol) =>
    Effect.suspend(() =>
      books.has(symbol)
        ? Effect.succeed(books.get(symbol))
        : Effect.map(follow(symbol), () => books.get(symbol))
    )
})
