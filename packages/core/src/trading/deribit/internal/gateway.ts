/**
 * What the commands of Deribit's order entry have in common: the session and its
 * calls, looking orders up, and learning what became of one.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { DeribitSession } from "../../../session/deribit/DeribitSession.ts"
import * as ErrorCodes from "../../../session/deribit/internal/errorCodes.ts"
import * as Method from "../../../session/deribit/Method.ts"
import * as Methods from "../../../session/deribit/Methods.ts"
import type * as Schemas from "../../../session/deribit/Schemas.ts"
import type { RpcError } from "../../../session/JsonRpc.ts"
import * as Timestamp from "../../../value/Timestamp.ts"
import { AmbiguousClientId, type OrderName } from "../../Exchange.ts"
import { NotSent, type OrderEvent, OutcomeUnknown, Rejected } from "../../OrderEvent.ts"
import * as Calls from "./calls.ts"
import type { Notices } from "./notices.ts"
import * as Orders from "./orders.ts"

/**
 * A command that is being carried out: until when on the monotonic clock, and to
 * whom its events are said.
 *
 * @category models
 * @since 0.1.0
 */
export interface Command {
  readonly until: number
  readonly onWrite: (() => void) | undefined
  readonly say: (event: OrderEvent) => Effect.Effect<void>
}

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

/** For how long it is asked what became of something, how often, and how long one answer may take. */
const reconcilingMillis = { wholly: 30_000, every: 250, answer: 5_000 }

/**
 * How long after `valid_until` the venue is asked whether an order is there: one
 * that it took at the last moment has to be found.
 */
const settlingMillis = 100

/**
 * The ids of an order, as far as they are known.
 *
 * @category models
 * @since 0.1.0
 */
export type Ids = { readonly clientId?: string | undefined; readonly orderId?: string | undefined }

/**
 * What an event bears of an order's ids.
 *
 * @category getters
 * @since 0.1.0
 */
export const idsOf = ({ clientId, orderId }: Ids) => ({
  exchange: Orders.exchange,
  ...(clientId === undefined ? {} : { clientId }),
  ...(orderId === undefined ? {} : { orderId })
})

/**
 * Refused by the venue.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rejected = (ids: Ids, error: RpcError): Rejected =>
  new Rejected({
    ...idsOf(ids),
    reason: Calls.describeRefusal(error),
    code: error.code,
    message: error.reason
  })

/**
 * Never sent, for this reason.
 *
 * @category constructors
 * @since 0.1.0
 */
export const notSent = (ids: Ids, reason: string): NotSent => new NotSent({ ...idsOf(ids), reason })

/**
 * What a failed call is as an outcome of what it was to do.
 *
 * @category constructors
 * @since 0.1.0
 */
export const outcomeOf = (ids: Ids, failure: Calls.Failure): NotSent | OutcomeUnknown | Rejected => {
  switch (failure._tag) {
    case "Unsent":
      return notSent(ids, failure.reason)
    case "Unanswered":
      return new OutcomeUnknown({ ...idsOf(ids), reason: failure.reason })
    case "Refused":
      return failure.error.code === ErrorCodes.internalServerError
        ? new OutcomeUnknown({ ...idsOf(ids), reason: Calls.describe(failure) })
        : rejected(ids, failure.error)
  }
}

/**
 * Order entry at Deribit, over one session.
 *
 * @category models
 * @since 0.1.0
 */
export class Gateway {
  readonly session: DeribitSession
  readonly calls: Calls.Calls
  readonly notices: Notices

  constructor(session: DeribitSession, calls: Calls.Calls, notices: Notices) {
    this.session = session
    this.calls = calls
    this.notices = notices
  }

  /** The rules of an instrument, or why an order of it cannot be sent. */
  market(product: string, until: number): Effect.Effect<Orders.Market, string> {
    return this.calls.read(Methods.market.getInstrument, { instrument_name: product }, until).pipe(
      Effect.mapBoth({
        onSuccess: Orders.marketOf,
        onFailure: (failure) =>
          failure._tag === "Refused" ? `product ${product}: ${Calls.describe(failure)}` : failure.reason
      })
    )
  }

  /** The venue's time at a moment of the monotonic clock, in whole milliseconds. */
  venueTime(at: number): Timestamp.Timestamp {
    return Timestamp.fromEpochMillis(Math.floor(this.session.clock.venueMillis() + at - this.calls.now()))
  }

  /** The orders that bear a client id, oldest first. */
  labelled(
    clientId: string,
    currencies: ReadonlyArray<string>,
    until: number
  ): Effect.Effect<ReadonlyArray<Schemas.Order>, Calls.Failure> {
    const ask = (currency: string) =>
      Effect.catch(
        this.calls.read(Methods.trading.getOrderStateByLabel, { currency, label: clientId }, until),
        // What is a unit only, such as USD, has no orders.
        (failure) =>
          failure._tag === "Refused" && failure.error.code === ErrorCodes.invalidParams
            ? Effect.succeed([])
            : Effect.fail(failure)
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
  find(name: OrderName, until: number): Effect.Effect<ReadonlyArray<Schemas.Order>, Calls.Failure> {
    if (name.orderId === undefined) {
      return Effect.flatMap(this.currencies(until), (all) => this.labelled(name.clientId, all, until))
    }
    return this.calls.read(Methods.trading.getOrderState, { order_id: name.orderId }, until).pipe(
      Effect.map((order) => [order]),
      Effect.catch((failure) =>
        failure._tag === "Refused" && ErrorCodes.unknownOrder.has(failure.error.code)
          ? Effect.succeed([])
          : Effect.fail(failure)
      )
    )
  }

  /** The orders of a name, however long they have been over. */
  findEver(name: OrderName, until: number): Effect.Effect<ReadonlyArray<Schemas.Order>, Calls.Failure> {
    return Effect.flatMap(
      this.find(name, until),
      (orders) => orders.length > 0 ? Effect.succeed(orders) : this.findOld(name, until)
    )
  }

  // Those that have been over for so long that the venue has them in its history only.
  private findOld(name: OrderName, until: number): Effect.Effect<ReadonlyArray<Schemas.Order>, Calls.Failure> {
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
  open(product: string | undefined, until: number): Effect.Effect<ReadonlyArray<Schemas.Order>, Calls.Failure> {
    const { getOpenOrders, getOpenOrdersByInstrument } = Methods.trading
    return product === undefined
      ? this.calls.read(getOpenOrders, {}, until)
      : this.calls.read(getOpenOrdersByInstrument, { instrument_name: product }, until)
  }

  /** The one order of a name. Without one there is an outcome, which is said. */
  findOne(
    name: OrderName,
    { say, until }: Command
  ): Effect.Effect<Schemas.Order | undefined, AmbiguousClientId> {
    return this.find(name, until).pipe(
      Effect.matchEffect({
        onFailure: (failure) => Effect.as(say(notSent(name, Calls.describe(failure))), undefined),
        onSuccess: ([order, ...others]): Effect.Effect<Schemas.Order | undefined, AmbiguousClientId> => {
          if (order === undefined) return Effect.as(say(notSent(name, "the exchange knows no such order")), undefined)
          return others.length === 0 ? Effect.succeed(order) : Effect.fail(
            new AmbiguousClientId({
              clientId: name.clientId ?? "",
              orderIds: [order, ...others].map(({ order_id }) => order_id)
            })
          )
        }
      })
    )
  }

  /** Whether what was valid until then by the venue's clock can no longer be taken. */
  isPast(validUntil: Timestamp.Timestamp, until: number): Effect.Effect<boolean, Calls.Failure> {
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

  /** Asks until it is known what became of something, for 30 s; `undefined` if it is not known by then. */
  learn<A>(
    ask: (until: number) => Effect.Effect<A | undefined, Calls.Failure>
  ): Effect.Effect<A | undefined> {
    return Effect.suspend(() => {
      const end = this.calls.now() + reconcilingMillis.wholly
      const once = (): Effect.Effect<A | undefined> =>
        Effect.gen({ self: this }, function*() {
          const now = this.calls.now()
          if (now >= end || (yield* this.calls.isOver)) return undefined
          const found = yield* Effect.catch(ask(Math.min(end, now + reconcilingMillis.answer)), (failure) =>
            Effect.as(Effect.logDebug(`not reconciled yet: ${Calls.describe(failure)}`), undefined))
          if (found !== undefined) {
            return found
          }
          return yield* Effect.delay(once(), reconcilingMillis.every)
        })
      return once()
    })
  }
}
