/**
 * Paper trading as a gateway: what is sent arrives some time later, and meets a
 * market that does not know of it.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ConnectionState } from "../../../connection/ConnectionState.ts"
import type { MarketFeed } from "../../../market/MarketFeed.ts"
import type * as Decimal from "../../../value/Decimal.ts"
import * as Exact from "../../../value/internal/exactArithmetic.ts"
import * as Monotonic from "../../../value/Monotonic.ts"
import * as Timestamp from "../../../value/Timestamp.ts"
import type { Health, OrderName } from "../../Exchange.ts"
import { Balance, Position } from "../../Holdings.ts"
import * as Instrument from "../../Instrument.ts"
import { type Failure, unanswered } from "../../internal/failure.ts"
import type { Attempt, Gateway, Notice, Sending } from "../../internal/gateway.ts"
import { account } from "./fillModel.ts"
import { PaperAccount, type Setting } from "./paperAccount.ts"
import * as PaperMarkets from "./paperMarkets.ts"
import * as Orders from "./paperOrders.ts"

type PaperOrder = Orders.PaperOrder

const isSame = (one: Decimal.Decimal | undefined, other: Decimal.Decimal | undefined): boolean =>
  one === undefined || other === undefined ? one === other : BigDecimal.equals(one, other)

const healthOf = (state: ConnectionState): Health => {
  switch (state._tag) {
    case "Connected":
      return { _tag: "Live" }
    case "Failed":
      return { _tag: "Stopped", reason: state.error.message }
    case "Closing":
      return { _tag: "Stopped", reason: "the feed was closed" }
    case "Disconnected":
      return { _tag: "Idle" }
    case "Connecting":
      return { _tag: "Down", reason: undefined }
    default:
      return { _tag: "Down", reason: state.failure?.message }
  }
}

/**
 * Makes the gateway on a feed. Its markets are watched until the scope ends, and
 * its orders end with it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  feed: MarketFeed["Service"],
  { latencyMillis, ...setting }: Omit<Setting, "now" | "onChanged"> & { readonly latencyMillis: number }
): Effect.fn.Return<Gateway<PaperOrder>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  const notices = yield* PubSub.unbounded<Notice<PaperOrder>>()
  const tell = (notice: Notice<PaperOrder>) => void PubSub.publishUnsafe(notices, notice)
  const now = () => Monotonic.nowMillis(clock)
  const paper = new PaperAccount({
    ...setting,
    now: () => clock.currentTimeMillisUnsafe(),
    onChanged: (orders, fills) => tell({ _tag: "Changes", orders, fills })
  })
  const markets = yield* PaperMarkets.make(feed, {
    list: (symbol, tellsTrades) => paper.list(symbol, tellsTrades),
    quote: (symbol, quotes) => paper.quote(symbol, quotes),
    trade: (symbol, trade) => paper.trade(symbol, trade),
    over: (error) => tell({ _tag: "Over", error })
  })
  const update = Orders.toUpdate(setting.exchange)

  /** The market of a product once it is known, if that is in time. */
  const known = (product: string, until: number): Effect.Effect<string, string> =>
    markets.known(product).pipe(
      Effect.timeoutOption(Math.max(0, until - now())),
      Effect.flatMap(Option.match({
        onNone: () =>
          Effect.flatMap(feed.connection.state.current, (state) => {
            const health = healthOf(state)
            const why = "reason" in health && health.reason !== undefined ? `: ${health.reason}` : ""
            return Effect.fail(`the market of ${product} was not known by the deadline${why}`)
          }),
        onSome: Effect.succeed
      }))
    )

  /** Carries a command out when it arrives, whether or not anybody still waits for the answer. */
  const arriving = (
    { onWrite, until }: Sending,
    carryOut: () => PaperOrder | string
  ): { readonly send: Effect.Effect<PaperOrder, Failure>; readonly mayStillCome: () => boolean } => {
    let isUnderWay = false
    const send = Effect.gen(function*() {
      const answer = yield* Deferred.make<PaperOrder, Failure>()
      const arrive = Effect.suspend(() => {
        const done = carryOut()
        isUnderWay = false
        return typeof done === "string"
          ? Deferred.fail(answer, { _tag: "Refused", reason: done })
          : Deferred.succeed(answer, done)
      })
      isUnderWay = true
      onWrite?.()
      yield* latencyMillis > 0
        ? Effect.forkIn(Effect.delay(arrive, latencyMillis), scope, { startImmediately: true })
        : arrive
      const answered = yield* Effect.timeoutOption(Deferred.await(answer), Math.max(0, until - now()))
      return Option.isSome(answered) ? answered.value : yield* Effect.fail(unanswered("no answer by the deadline"))
    })
    return { send, mayStillCome: () => isUnderWay }
  }

  const attempt = (
    { mayStillCome, send }: ReturnType<typeof arriving>,
    find: () => ReadonlyArray<PaperOrder>
  ): Attempt<PaperOrder> => {
    return {
      send: Effect.map(send, (order) => ({ order, fills: order.fills })),
      find: () => Effect.sync(find),
      mayStillCome: () => Effect.sync(mayStillCome)
    }
  }

  const named = (name: OrderName): ReadonlyArray<PaperOrder> => {
    const order = paper.named(name)
    return order === undefined ? [] : [order]
  }

  const objection = (
    symbol: string,
    terms: Parameters<typeof Instrument.objection>[1]
  ): string | undefined => {
    const instrument = paper.instruments.get(symbol)
    return instrument && Instrument.objection(instrument, terms)
  }

  return {
    exchange: setting.exchange,
    hasUniqueClientIds: true,
    tellsFills: true,
    now,
    wallMillis: () => clock.currentTimeMillisUnsafe(),
    begin: Effect.void,
    isOver: Effect.succeed(false),
    health: {
      current: Effect.map(feed.connection.state.current, healthOf),
      changes: Stream.map(feed.connection.state.changes, healthOf)
    },
    lacks: () => undefined,
    update,
    isOf: ({ amount, price, product, side }, { request }) =>
      request.product === product && request.side === side && isSame(request.amount, amount) &&
      isSame(request.price, price),
    place: Effect.fnUntraced(function*(request, sending) {
      const symbol = yield* known(request.product, sending.until)
      const illegal = objection(symbol, request)
      if (illegal !== undefined) return yield* Effect.fail(illegal)
      return attempt(
        arriving(sending, () => paper.place(request, symbol)),
        () => named({ clientId: request.clientId })
      )
    }),
    amend: ({ orderId, symbol }, terms, sending) => {
      const illegal = objection(symbol, terms)
      return illegal === undefined
        ? Effect.succeed(attempt(
          arriving(sending, () => paper.amend(orderId, terms)),
          () => named({ orderId })
        ))
        : Effect.fail(illegal)
    },
    cancel: ({ orderId }, sending) => arriving(sending, () => paper.cancel(orderId)).send,
    cancelAll: () => Effect.succeed([]),
    find: (name) => Effect.sync(() => named(name)),
    findEver: (name) => Effect.sync(() => named(name)),
    open: (product) =>
      Effect.sync(() =>
        paper.open().filter(({ request, symbol }) =>
          product === undefined || request.product === product || symbol === product
        )
      ),
    fills: ({ orderId }) => Effect.sync(() => paper.orders.get(orderId)?.fills ?? []),
    fillsSince: (since) =>
      Effect.sync(() =>
        [...paper.orders.values()].flatMap(({ fills }) => fills).filter(({ timestamp }) =>
          timestamp === undefined || Timestamp.TimestampOrder(timestamp, since) >= 0
        ).toSorted((one, other) => Number(one.tradeId) - Number(other.tradeId))
      ),
    notices: () => PubSub.subscribe(notices),
    instrument: (product, until) =>
      known(product, until).pipe(
        Effect.flatMap((symbol) => {
          const instrument = paper.instruments.get(symbol)
          return instrument === undefined ? Effect.fail(`unknown product ${product}`) : Effect.succeed(instrument)
        }),
        Effect.mapError((reason): Failure => ({ _tag: "Refused", reason }))
      ),
    balances: () =>
      Effect.sync(() =>
        paper.clearing.balances(account).map(({ asset, available, total }) =>
          new Balance({
            exchange: setting.exchange,
            asset,
            available: Exact.trim(available, 0),
            total: Exact.trim(total, 0)
          })
        )
      ),
    positions: () =>
      Effect.sync(() =>
        paper.clearing.positions(account).map(({ amount, averagePrice, product }) =>
          new Position({
            exchange: setting.exchange,
            product,
            amount: Exact.trim(amount, 0),
            ...(averagePrice === undefined ? {} : { averagePrice: Exact.trim(averagePrice, 0) })
          })
        )
      )
  }
})
