/**
 * Coinbase Advanced Trade as a gateway: REST, and notices over the socket.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import type * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Decimal from "../../../value/Decimal.ts"
import * as Timestamp from "../../../value/Timestamp.ts"
import type { OrderName } from "../../Exchange.ts"
import { Balance, type Position } from "../../Holdings.ts"
import * as Instrument from "../../Instrument.ts"
import { askAgain, describe, type Failure, unanswered, unreadable } from "../../internal/failure.ts"
import type { Attempt, Gateway, Notice, Sending, Terms } from "../../internal/gateway.ts"
import type { PrivateChannel } from "../../internal/privateChannel.ts"
import type { Fill } from "../../OrderEvent.ts"
import type { OrderRequest } from "../../OrderRequest.ts"
import { isOver } from "../../OrderStatus.ts"
import * as Orders from "./orders.ts"
import type { Query, Rest } from "./rest.ts"
import * as Schemas from "./schemas.ts"

/** The orders that are not over: the venue lets `OPEN` be asked for alone only. */
const standing = [["PENDING", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED"], ["OPEN"]]

/** How many a page has, how many orders are named in one request, and how often it is asked whether one is over. */
const most = { page: 250, accounts: 250, fills: 100, named: 100 }
const pollMillis = 250

/**
 * An order has no bound after which it cannot be taken: it is not there if the
 * venue does not know it so long after the answer was due.
 */
const settlingMillis = 2_000

/** For how long a product's rules hold before they are asked for again: an order more costs no request more. */
const rulesMillis = 60_000

/** How far the venue's clock may be behind ours. */
const slackMillis = 300_000

const timeOf = (millis: number): string => Timestamp.format(Timestamp.fromEpochMillis(Math.floor(millis)))

const orderPath = (orderId: string): string => `/orders/historical/${encodeURIComponent(orderId)}`

const rejected = (code: string | undefined, message?: string | undefined): Failure => ({
  _tag: "Refused",
  reason: message ?? code ?? "the exchange gives no reason",
  ...(code === undefined ? {} : { code }),
  ...(message === undefined ? {} : { message })
})

interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly next: string | undefined
}

/**
 * Order entry at Coinbase Advanced Trade.
 *
 * @category models
 * @since 0.1.0
 */
export class CoinbaseGateway implements Gateway<Orders.Order> {
  readonly exchange = Orders.exchange
  // They are unique, but what the venue can be asked for are its own ids, which an edit leaves.
  readonly hasUniqueClientIds = false
  readonly tellsFills = false
  readonly begin = Effect.void
  readonly lacks = Orders.lacking
  readonly update = Orders.toUpdate
  readonly isOf = Orders.isOf
  private readonly rest: Rest
  private readonly channel: PrivateChannel<Orders.Order>
  private readonly markets = new Map<string, { readonly market: Orders.Market; readonly until: number }>()

  constructor(rest: Rest, channel: PrivateChannel<Orders.Order>) {
    this.rest = rest
    this.channel = channel
  }

  readonly now = (): number => this.rest.now()

  readonly wallMillis = (): number => this.rest.wallMillis()

  get isOver(): Effect.Effect<boolean> {
    return Effect.sync(() => this.rest.over !== undefined)
  }

  get health(): Gateway<Orders.Order>["health"] {
    return this.rest.health
  }

  private market(product: string, until: number): Effect.Effect<Orders.Market, Failure> {
    return Effect.suspend(() => {
      const known = this.markets.get(product)
      if (known !== undefined && this.now() < known.until) return Effect.succeed(known.market)
      return Effect.flatMap(
        this.rest.get(Schemas.Product, `/products/${encodeURIComponent(product)}`, {}, until),
        (answer) => {
          const market = Orders.marketOf(answer)
          if (market === undefined) {
            return Effect.fail(unreadable(`product ${product} has no steps of price and amount`))
          }
          this.markets.set(product, { market, until: this.now() + rulesMillis })
          return Effect.succeed(market)
        }
      )
    })
  }

  instrument(product: string, until: number): Effect.Effect<Instrument.Instrument, Failure> {
    return Effect.map(this.market(product, until), ({ instrument }) => instrument)
  }

  /** The market of an order or an amendment, or why it cannot be sent. */
  private legal(product: string, terms: Terms, until: number): Effect.Effect<Orders.Market, string> {
    return this.market(product, until).pipe(
      Effect.mapError((failure) =>
        failure._tag === "Refused" ? `product ${product}: ${describe(failure)}` : failure.reason
      ),
      Effect.flatMap((market) => {
        const objection = Instrument.objection(market.instrument, terms)
        return objection === undefined ? Effect.succeed(market) : Effect.fail(objection)
      })
    )
  }

  private mayStillCome(until: number): Effect.Effect<boolean> {
    return Effect.sync(() => this.now() < until + settlingMillis)
  }

  place(request: OrderRequest, sending: Sending): Effect.Effect<Attempt<Orders.Order>, string> {
    const { clientId, product, timeInForce, type } = request
    return Effect.flatMap(this.legal(product, request, sending.until), ({ isSpot }) => {
      if (isSpot && type === "market" && timeInForce === "fok") {
        return Effect.fail(`${product} is spot: Coinbase Advanced Trade has no market orders there that are fok`)
      }
      let sentAt = this.wallMillis()
      const send = Effect.suspend(() => {
        sentAt = this.wallMillis()
        return this.rest.post(Schemas.Placed, "/orders", Orders.placing(request), sending)
      })
      return Effect.succeed({
        send: Effect.map(
          Effect.flatMap(send, (answer) => this.placed(request, answer, sending.until)),
          (order) => ({ order, fills: [] })
        ),
        find: (until) =>
          this.bearing(clientId, { product_ids: [product], start_date: timeOf(sentAt - slackMillis) }, until),
        mayStillCome: () => this.mayStillCome(sending.until)
      })
    })
  }

  // Of a client id that is in use the answer names another order, whose terms it need not say.
  private placed(
    request: OrderRequest,
    answer: typeof Schemas.Placed.Type,
    until: number
  ): Effect.Effect<Orders.Order, Failure> {
    if (!answer.success) {
      const { error, error_details, message, new_order_failure_reason, preview_failure_reason } =
        answer.error_response ?? {}
      return Effect.fail(
        rejected(
          Orders.reasonIn(error, new_order_failure_reason, preview_failure_reason),
          Schemas.textOf(message) ?? Schemas.textOf(error_details)
        )
      )
    }
    const order = Orders.ofAnswer(request, answer)
    if (order === undefined) return Effect.fail(unreadable("the answer names no order"))
    if (order.kind !== undefined) return Effect.succeed(order)
    return Effect.catch(this.order(order.orderId, until), () => Effect.succeed(order))
  }

  amend(order: Orders.Order, terms: Terms, sending: Sending): Effect.Effect<Attempt<Orders.Order>, string> {
    const { kind = "", orderId, product } = order
    if (!Orders.isEditable(order)) {
      return Effect.fail(`order ${orderId} is ${kind}: Coinbase Advanced Trade edits orders of limit_limit_gtc only`)
    }
    return Effect.map(this.legal(product, terms, sending.until), () => ({
      send: Effect.map(
        Effect.flatMap(
          this.rest.post(Schemas.Edited, "/orders/edit", Orders.editing(order, terms), sending),
          (answer) => this.edited(order, terms, answer, sending.until)
        ),
        (order) => ({ order, fills: [] })
      ),
      find: (until) => this.find({ orderId }, until),
      mayStillCome: () => this.mayStillCome(sending.until)
    }))
  }

  // The order may not show yet what it was edited to.
  private edited(
    order: Orders.Order,
    { amount = order.amount, price = order.price }: Terms,
    { errors, success }: typeof Schemas.Edited.Type,
    until: number
  ): Effect.Effect<Orders.Order, Failure> {
    const [error] = errors ?? []
    return success
      ? Effect.catch(this.order(order.orderId, until), () => Effect.succeed({ ...order, amount, price }))
      : Effect.fail(rejected(Orders.reasonIn(error?.edit_failure_reason, error?.preview_failure_reason)))
  }

  private order(orderId: string, until: number): Effect.Effect<Orders.Order, Failure> {
    return Effect.map(
      this.rest.get(Schemas.OneOrder, orderPath(orderId), {}, until),
      ({ order }) => Orders.ofRest(order)
    )
  }

  /** Has orders cancelled, and gives why one is not, by its id. */
  private write(
    orderIds: ReadonlyArray<string>,
    sending: Sending
  ): Effect.Effect<ReadonlyMap<string, string | undefined>, Failure> {
    const { until } = sending
    const asked = this.rest.post(Schemas.Cancelled, "/orders/batch_cancel", { order_ids: orderIds }, sending)
    return Effect.map(
      askAgain(asked, { now: this.now, until }),
      ({ results }) =>
        new Map(
          results.filter(({ failure_reason, success }) => !success && failure_reason !== "DUPLICATE_CANCEL_REQUEST")
            .map(({ failure_reason, order_id }) => [order_id, Orders.reasonIn(failure_reason)])
        )
    )
  }

  // The venue only begins to cancel: what becomes of that is asked until it is over.
  cancel({ orderId }: { readonly orderId: string }, sending: Sending): Effect.Effect<Orders.Order, Failure> {
    const { until } = sending
    const cancelled: Effect.Effect<Orders.Order, Failure> = Effect.flatMap(this.order(orderId, until), (order) => {
      if (order.status === "cancelled") return Effect.succeed(order)
      if (isOver(order.status)) return Effect.fail(rejected(undefined, `the order is ${order.status}`))
      return this.now() + pollMillis < until
        ? Effect.delay(cancelled, pollMillis)
        : Effect.fail(unanswered("not known to be cancelled by the deadline"))
    })
    return Effect.flatMap(
      this.write([orderId], sending),
      (refused) => refused.has(orderId) ? Effect.fail(rejected(refused.get(orderId))) : cancelled
    )
  }

  cancelAll(
    orders: ReadonlyArray<Orders.Order>,
    _: string | undefined,
    sending: Sending
  ): Effect.Effect<ReadonlyArray<Orders.Order>, Failure> {
    const { until } = sending
    const parts = Array.from(
      { length: Math.ceil(orders.length / most.named) },
      (_, part) => orders.slice(part * most.named, (part + 1) * most.named).map(({ orderId }) => orderId)
    )
    const over = (orderIds: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Orders.Order>, Failure> =>
      Effect.flatMap(this.listed({ order_ids: orderIds }, until), (listed) => {
        const found = unique(listed.filter(({ orderId }) => orderIds.includes(orderId)))
        return found.every(({ status }) => isOver(status)) || this.now() + pollMillis >= until
          ? Effect.succeed(found)
          : Effect.delay(over(orderIds), pollMillis)
      })
    return Effect.map(
      Effect.forEach(parts, (orderIds) =>
        Effect.flatMap(this.write(orderIds, sending), (refused) => {
          const asked = orderIds.filter((orderId) => !refused.has(orderId))
          return asked.length === 0 ? Effect.succeed([]) : over(asked)
        })),
      (found) => found.flat().filter(({ status }) => status === "cancelled")
    )
  }

  /** All pages, or as many as it takes to have enough. */
  private pages<A>(
    ask: (cursor: string | undefined) => Effect.Effect<Page<A>, Failure>,
    isEnough: (items: ReadonlyArray<A>) => boolean = () => false
  ): Effect.Effect<ReadonlyArray<A>, Failure> {
    const seen = new Set<string>()
    const page = (cursor: string | undefined, before: ReadonlyArray<A>): Effect.Effect<ReadonlyArray<A>, Failure> =>
      Effect.flatMap(ask(cursor), ({ items, next }) => {
        const all = [...before, ...items]
        if (next === undefined || isEnough(items)) return Effect.succeed(all)
        // A cursor that comes again would go on for ever.
        if (seen.has(next)) return Effect.fail(unreadable("the pages of the answer have no end"))
        seen.add(next)
        return page(next, all)
      })
    return page(undefined, [])
  }

  private listed(
    query: Query,
    until: number,
    isEnough?: (orders: ReadonlyArray<Orders.Order>) => boolean
  ): Effect.Effect<ReadonlyArray<Orders.Order>, Failure> {
    return this.pages(
      (cursor) =>
        Effect.map(
          this.rest.get(
            Schemas.Orders,
            "/orders/historical/batch",
            { ...query, limit: String(most.page), cursor },
            until
          ),
          ({ cursor, has_next, orders }) => ({
            items: (orders ?? []).map(Orders.ofRest),
            next: has_next === true ? Schemas.textOf(cursor) : undefined
          })
        ),
      isEnough
    )
  }

  /** The orders that bear a client id. The newest come first, and one that is there is the only one. */
  private bearing(clientId: string, query: Query, until: number): Effect.Effect<ReadonlyArray<Orders.Order>, Failure> {
    const isMeant = (order: Orders.Order): boolean => order.clientId === clientId
    return Effect.map(
      this.listed(query, until, (orders) => orders.some(isMeant)),
      (orders) => unique(orders.filter(isMeant)).toSorted((one, other) => one.createdAt - other.createdAt)
    )
  }

  find(name: OrderName, until: number): Effect.Effect<ReadonlyArray<Orders.Order>, Failure> {
    if (name.orderId === undefined) return this.bearing(name.clientId, {}, until)
    return this.order(name.orderId, until).pipe(
      Effect.map((order) => [order]),
      Effect.catch((failure) =>
        failure._tag === "Refused" && (failure.code === "NOT_FOUND" || failure.code === "404")
          ? Effect.succeed([])
          : Effect.fail(failure)
      )
    )
  }

  findEver(name: OrderName, until: number): Effect.Effect<ReadonlyArray<Orders.Order>, Failure> {
    return this.find(name, until)
  }

  // One that begins to rest meanwhile is in the later answer.
  open(product: string | undefined, until: number): Effect.Effect<ReadonlyArray<Orders.Order>, Failure> {
    const query = product === undefined ? {} : { product_ids: [product] }
    return Effect.map(
      Effect.forEach(standing, (order_status) => this.listed({ ...query, order_status }, until)),
      (found) =>
        unique(found.flat()).filter((order) =>
          !isOver(order.status) && (product === undefined || order.product === product)
        )
    )
  }

  private executions(query: Query, until: number): Effect.Effect<ReadonlyArray<Fill>, Failure> {
    return Effect.map(
      this.pages((cursor) =>
        Effect.map(
          this.rest.get(
            Schemas.Fills,
            "/orders/historical/fills",
            { ...query, limit: String(most.fills), cursor },
            until
          ),
          // Its last page has no cursor, or nothing.
          ({ cursor, fills }) => ({
            items: fills ?? [],
            next: (fills ?? []).length === 0 ? undefined : Schemas.textOf(cursor)
          })
        )
      ),
      Orders.toFills
    )
  }

  fills({ orderId }: { readonly orderId: string }, until: number): Effect.Effect<ReadonlyArray<Fill>, Failure> {
    return Effect.map(
      this.executions({ order_ids: [orderId] }, until),
      (fills) => fills.filter((fill) => fill.orderId === orderId)
    )
  }

  fillsSince(since: Timestamp.Timestamp, until: number): Effect.Effect<ReadonlyArray<Fill>, Failure> {
    return this.executions({ start_sequence_timestamp: Timestamp.format(since) }, until)
  }

  notices(): Effect.Effect<PubSub.Subscription<Notice<Orders.Order>>, never, Scope.Scope> {
    return this.channel.of
  }

  balances(until: number): Effect.Effect<ReadonlyArray<Balance>, Failure> {
    const accounts = this.pages((cursor) =>
      Effect.map(
        this.rest.get(Schemas.Accounts, "/accounts", { limit: String(most.accounts), cursor }, until),
        ({ accounts, cursor, has_next }) => ({
          items: accounts ?? [],
          next: has_next === true ? Schemas.textOf(cursor) : undefined
        })
      )
    )
    return Effect.map(accounts, (all) => {
      const found = new Map<string, { readonly available: Decimal.Decimal; readonly total: Decimal.Decimal }>()
      for (const { available_balance, currency, hold } of all) {
        const { available, total } = found.get(currency) ?? { available: Decimal.zero, total: Decimal.zero }
        const held = hold?.value ?? Decimal.zero
        found.set(currency, {
          available: BigDecimal.sum(available, available_balance.value),
          total: BigDecimal.sum(total, BigDecimal.sum(available_balance.value, held))
        })
      }
      return Array.from(found, ([asset, has]) => new Balance({ exchange: Orders.exchange, asset, ...has }))
    })
  }

  /** What is spot has none. */
  positions(): Effect.Effect<ReadonlyArray<Position>, Failure> {
    return Effect.succeed([])
  }
}

const unique = (orders: ReadonlyArray<Orders.Order>): ReadonlyArray<Orders.Order> => [
  ...new Map(orders.map((order) => [order.orderId, order])).values()
]
