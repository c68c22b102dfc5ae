/**
 * Deribit as a gateway, over one session.
 *
 * @see https://docs.deribit.com/articles/order-management-best-practices (read 2026-11-26)
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as PubSub from "effect/PubSub"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { DeribitSession } from "../../../session/deribit/DeribitSession.ts"
import * as ErrorCodes from "../../../session/deribit/internal/errorCodes.ts"
import * as Method from "../../../session/deribit/Method.ts"
import * as Methods from "../../../session/deribit/Methods.ts"
import type * as Schemas from "../../../session/deribit/Schemas.ts"
import type { SessionState } from "../../../session/Session.ts"
import * as Timestamp from "../../../value/Timestamp.ts"
import type { Health, OrderName } from "../../Exchange.ts"
import { Balance, Position } from "../../Holdings.ts"
import * as Instrument from "../../Instrument.ts"
import { describe, type Failure } from "../../internal/failure.ts"
import type { Attempt, Gateway, Notice, Sending, Terms } from "../../internal/gateway.ts"
import type { Fill } from "../../OrderEvent.ts"
import type { OrderRequest } from "../../OrderRequest.ts"
import type { Calls } from "./calls.ts"
import type { Notices } from "./notices.ts"
import * as Orders from "./orders.ts"

/** Nothing else is read of the currencies, so that nothing else can be missing. */
const namesOfCurrencies = Method.make("public/get_currencies", {
  kind: "query",
  params: Methods.market.getCurrencies.params,
  result: Schema.Array(Schema.Struct({ currency: Schema.String }))
})

/** The currencies that the venue describes, for where it does not list them. */
const describedCurrencies = ["BTC", "ETH", "USDC", "USDT", "EURR"]

/** What has been over for half an hour, as far back as one answer goes. */
const wholeHistory = { historical: true, include_old: true, include_unfilled: true, count: 1_000 } as const

/**
 * How long after `valid_until` the venue is asked whether an order is there: one
 * that it took at the last moment has to be found.
 */
const settlingMillis = 100

const noTrades: (typeof Methods.account.getUserTradesByCurrency)["result"]["Type"] = { trades: [], has_more: false }

/** How many executions one answer may have, which is the most that the venue gives. */
const mostTrades = 1_000

/** A currency that is a unit only, such as USD, has no orders, executions and balance: the venue refuses it. */
const ofUnits = <A>(none: A) => (asked: Effect.Effect<A, Failure>): Effect.Effect<A, Failure> =>
  Effect.catch(asked, (failure) =>
    failure._tag === "Refused" && failure.code === ErrorCodes.invalidParams
      ? Effect.succeed(none)
      : Effect.fail(failure))

const healthOf = (state: SessionState, isBegun: boolean): Health => {
  switch (state._tag) {
    case "Live":
      return { _tag: "Live" }
    case "Failed":
      return { _tag: "Stopped", reason: state.error.message }
    case "Closing":
    case "Disconnected":
      return isBegun ? { _tag: "Stopped", reason: "the session was closed" } : { _tag: "Idle" }
    case "Waiting":
      return { _tag: "Down", reason: state.failure?.message }
    default:
      return { _tag: "Down", reason: undefined }
  }
}

/**
 * Order entry at Deribit.
 *
 * @category models
 * @since 0.1.0
 */
export class DeribitGateway implements Gateway<Schemas.Order> {
  readonly exchange = Orders.exchange
  // A label may be given again.
  readonly hasUniqueClientIds = false
  readonly tellsFills = true
  readonly begin: Effect.Effect<void>
  readonly update = Orders.toUpdate
  readonly isOf = Orders.isOf
  private readonly session: DeribitSession
  private readonly calls: Calls
  private readonly told: Notices
  private isBegun = false

  constructor(session: DeribitSession, calls: Calls, told: Notices, begin: Effect.Effect<void>) {
    this.session = session
    this.calls = calls
    this.told = told
    this.begin = Effect.suspend(() => {
      this.isBegun = true
      return begin
    })
  }

  readonly now = (): number => this.calls.now()

  readonly wallMillis = (): number => this.session.clock.venueMillis()

  get isOver(): Effect.Effect<boolean> {
    return this.calls.isOver
  }

  get health(): Gateway<Schemas.Order>["health"] {
    const { state } = this.session
    return {
      current: Effect.map(state.current, (now) => healthOf(now, this.isBegun)),
      changes: Stream.map(state.changes, (now) => healthOf(now, this.isBegun))
    }
  }

  // The venue has the last word on all that it is asked.
  readonly lacks = (): undefined => undefined

  private market(product: string, until: number): Effect.Effect<Orders.Market, Failure> {
    return Effect.map(
      this.calls.read(Methods.market.getInstrument, { instrument_name: product }, until),
      Orders.marketOf
    )
  }

  instrument(product: string, until: number): Effect.Effect<Instrument.Instrument, Failure> {
    return Effect.map(this.market(product, until), ({ instrument }) => instrument)
  }

  /** The market of an order or an amendment, or why it cannot be sent. */
  private legal(product: string, terms: Parameters<typeof Instrument.objection>[1], until: number) {
    return this.market(product, until).pipe(
      Effect.mapError((failure) =>
        failure._tag === "Refused" ? `product ${product}: ${describe(failure)}` : failure.reason
      ),
      Effect.flatMap((market) => {
        const illegal = Instrument.objection(market.instrument, terms)
        return illegal === undefined ? Effect.succeed(market) : Effect.fail(illegal)
      })
    )
  }

  /** The venue's time at a moment of the monotonic clock, in whole milliseconds. */
  private venueTime(at: number): Timestamp.Timestamp {
    return Timestamp.fromEpochMillis(Math.floor(this.wallMillis() + at - this.now()))
  }

  /** What is written with the time until which it is valid, and whether it may still be taken. */
  private bounded(until: number) {
    let validUntil = this.venueTime(until)
    return {
      next: () => {
        validUntil = this.venueTime(until)
        return validUntil
      },
      mayStillCome: (until: number) => Effect.map(this.isPast(validUntil, until), (isPast) => !isPast)
    }
  }

  place(request: OrderRequest, sending: Sending): Effect.Effect<Attempt<Schemas.Order>, string> {
    const { clientId, product, side } = request
    return Effect.map(this.legal(product, request, sending.until), ({ currencies }) => {
      const { mayStillCome, next } = this.bounded(sending.until)
      return {
        send: Effect.map(
          this.calls.write(Methods.trading[side], () => Orders.placing(request, next()), sending),
          ({ order, trades }) => ({ order, fills: Orders.toFills(trades) })
        ),
        find: (until) => this.labelled(clientId, currencies, until),
        mayStillCome
      }
    })
  }

  amend(order: Schemas.Order, terms: Terms, sending: Sending): Effect.Effect<Attempt<Schemas.Order>, string> {
    return Effect.map(this.legal(order.instrument_name, terms, sending.until), () => {
      const { mayStillCome, next } = this.bounded(sending.until)
      return {
        send: Effect.map(
          this.calls.write(Methods.trading.edit, () => Orders.editing(order, terms, next()), sending),
          ({ order, trades }) => ({ order, fills: Orders.toFills(trades) })
        ),
        find: (until) => this.find({ orderId: order.order_id }, until),
        mayStillCome
      }
    })
  }

  cancel({ orderId }: { readonly orderId: string }, sending: Sending): Effect.Effect<Schemas.Order, Failure> {
    return this.calls.write(Methods.trading.cancel, { order_id: orderId }, sending)
  }

  cancelAll(
    _: ReadonlyArray<Schemas.Order>,
    product: string | undefined,
    sending: Sending
  ): Effect.Effect<ReadonlyArray<Schemas.Order>, Failure> {
    const { cancelAll, cancelAllByInstrument } = Methods.trading
    return Effect.map(
      product === undefined
        ? this.calls.write(cancelAll, { detailed: true }, sending)
        : this.calls.write(cancelAllByInstrument, { instrument_name: product, detailed: true }, sending),
      // Where it only counts them, it is asked for each.
      (answer) => typeof answer === "number" ? [] : answer.flatMap(({ result }) => result ?? [])
    )
  }

  /** The orders that bear a client id, oldest first. */
  private labelled(
    clientId: string,
    currencies: ReadonlyArray<string>,
    until: number
  ): Effect.Effect<ReadonlyArray<Schemas.Order>, Failure> {
    const ask = (currency: string) =>
      ofUnits<ReadonlyArray<Schemas.Order>>([])(
        this.calls.read(Methods.trading.getOrderStateByLabel, { currency, label: clientId }, until)
      )
    return Effect.map(
      Effect.forEach(currencies, ask, { concurrency: "unbounded" }),
      (found) =>
        [...new Map(found.flat().map((order) => [order.order_id, order])).values()]
          .filter(({ label }) => label === clientId)
          .toSorted((one, other) => Orders.createdAt(one) - Orders.createdAt(other))
    )
  }

  /** The orders of a name, of whatever currency. */
  find(name: OrderName, until: number): Effect.Effect<ReadonlyArray<Schemas.Order>, Failure> {
    if (name.orderId === undefined) {
      return Effect.flatMap(this.currencies(until), (all) => this.labelled(name.clientId, all, until))
    }
    return this.calls.read(Methods.trading.getOrderState, { order_id: name.orderId }, until).pipe(
      Effect.map((order) => [order]),
      Effect.catch((failure) =>
        failure._tag === "Refused" && ErrorCodes.unknownOrder.has(failure.code ?? "")
          ? Effect.succeed([])
          : Effect.fail(failure)
      )
    )
  }

  /** The orders of a name, however long they have been over. */
  findEver(name: OrderName, until: number): Effect.Effect<ReadonlyArray<Schemas.Order>, Failure> {
    return Effect.flatMap(
      this.find(name, until),
      (orders) => orders.length > 0 ? Effect.succeed(orders) : this.findOld(name, until)
    )
  }

  // Those that have been over for so long that the venue has them in its history only.
  private findOld(name: OrderName, until: number): Effect.Effect<ReadonlyArray<Schemas.Order>, Failure> {
    const isMeant = ({ label, order_id }: Schemas.Order): boolean =>
      name.orderId === undefined ? label === name.clientId : order_id === name.orderId
    const ask = (currency: string) =>
      this.calls.read(Methods.trading.getOrderHistoryByCurrency, { currency, ...wholeHistory }, until).pipe(
        Effect.map((history) => ("orders" in history ? history.orders : history).filter(isMeant)),
        Effect.catch((failure) => failure._tag === "Refused" ? Effect.succeed([]) : Effect.fail(failure))
      )
    return Effect.flatMap(
      this.currencies(until),
      (all) => Effect.map(Effect.forEach(all, ask, { concurrency: "unbounded" }), (found) => found.flat())
    )
  }

  private currencies(until: number): Effect.Effect<ReadonlyArray<string>> {
    return this.calls.read(namesOfCurrencies, {}, until).pipe(
      Effect.map((listed) => listed.map(({ currency }) => currency)),
      // If there was no time, what is asked next says so.
      Effect.orElseSucceed(() => describedCurrencies)
    )
  }

  /** The orders that are not over, of a product or of all. */
  open(product: string | undefined, until: number): Effect.Effect<ReadonlyArray<Schemas.Order>, Failure> {
    const { getOpenOrders, getOpenOrdersByInstrument } = Methods.trading
    return product === undefined
      ? this.calls.read(getOpenOrders, {}, until)
      : this.calls.read(getOpenOrdersByInstrument, { instrument_name: product }, until)
  }

  /** Whether what was valid until then by the venue's clock can no longer be taken. */
  private isPast(validUntil: Timestamp.Timestamp, until: number): Effect.Effect<boolean, Failure> {
    const end = Timestamp.epochMillis(validUntil) + settlingMillis
    return Effect.suspend(() =>
      this.session.clock.venueMillis() < end
        ? Effect.succeed(false)
        : this.calls.read(Methods.connection.getTime, {}, until).pipe(
          Effect.map((time) => Timestamp.epochMillis(time) >= end),
          // Where it does not tell the time, it is as far as we know.
          Effect.catch((failure) => failure._tag === "Refused" ? Effect.succeed(true) : Effect.fail(failure))
        )
    )
  }

  fills({ orderId }: { readonly orderId: string }, until: number): Effect.Effect<ReadonlyArray<Fill>, Failure> {
    return Effect.map(
      this.calls.read(Methods.account.getUserTradesByOrder, { order_id: orderId, sorting: "asc" }, until),
      Orders.toFills
    )
  }

  fillsSince(since: Timestamp.Timestamp, until: number): Effect.Effect<ReadonlyArray<Fill>, Failure> {
    const page = (
      currency: string,
      from: Timestamp.Timestamp,
      before: ReadonlyArray<Schemas.UserTrade>
    ): Effect.Effect<ReadonlyArray<Schemas.UserTrade>, Failure> =>
      this.calls.read(Methods.account.getUserTradesByCurrency, {
        currency,
        start_timestamp: from,
        // Without an end the venue may end where it likes.
        end_timestamp: Timestamp.fromEpochMillis(Math.ceil(this.wallMillis()) + 60_000),
        sorting: "asc",
        count: mostTrades
      }, until).pipe(
        ofUnits(noTrades),
        Effect.flatMap(({ has_more, trades }) => {
          const all = [...before, ...trades]
          const last = trades.at(-1)?.timestamp
          // The next page begins with the last millisecond of this one, which it may have shown in part.
          return has_more && last !== undefined && Timestamp.TimestampOrder(last, from) > 0
            ? page(currency, last, all)
            : Effect.succeed(all)
        })
      )
    return Effect.flatMap(this.currencies(until), (all) =>
      Effect.map(
        Effect.forEach(all, (currency) => page(currency, since, []), { concurrency: "unbounded" }),
        (found) => Orders.toFills([...new Map(found.flat().map((trade) => [trade.trade_id, trade])).values()])
      ))
  }

  notices(
    product: string | undefined
  ): Effect.Effect<PubSub.Subscription<Notice<Schemas.Order>>, never, Scope.Scope> {
    return this.told.of(product)
  }

  balances(until: number): Effect.Effect<ReadonlyArray<Balance>, Failure> {
    const ask = (currency: string) =>
      this.calls.read(Methods.account.getAccountSummary, { currency }, until).pipe(
        Effect.map(({ available_funds, equity }) => [
          new Balance({ exchange: Orders.exchange, asset: currency, available: available_funds, total: equity })
        ]),
        ofUnits<ReadonlyArray<Balance>>([])
      )
    return Effect.flatMap(
      this.currencies(until),
      (all) => Effect.map(Effect.forEach(all, ask, { concurrency: "unbounded" }), (found) => found.flat())
    )
  }

  positions(until: number): Effect.Effect<ReadonlyArray<Position>, Failure> {
    return Effect.map(
      this.calls.read(Methods.account.getPositions, {}, until),
      (positions) =>
        positions.filter(({ size }) => size.value !== 0n).map(({ average_price, instrument_name, size }) =>
          new Position({
            exchange: Orders.exchange,
            product: instrument_name,
            amount: size,
            averagePrice: average_price
          })
        )
    )
  }
}
