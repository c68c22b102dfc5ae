/** What one trader at Deribit knows of its orders, from answers, from notices and from asking. */
import { RestoreFailed } from "@tickline/core/connection/ConnectError"
import type * as DeribitSession from "@tickline/core/session/deribit/DeribitSession"
import * as Methods from "@tickline/core/session/deribit/Methods"
import type * as Schemas from "@tickline/core/session/deribit/Schemas"
import type { CallError } from "@tickline/core/session/JsonRpc"
import * as Order from "@tickline/core/trading/Order"
import * as OrderEvent from "@tickline/core/trading/OrderEvent"
import type { OrderRequest } from "@tickline/core/trading/OrderRequest"
import type { OrderStatus } from "@tickline/core/trading/OrderStatus"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"

const exchange = "deribit"

const statuses: Readonly<Record<Schemas.Order["order_state"], OrderStatus>> = {
  open: "open",
  filled: "filled",
  rejected: "rejected",
  cancelled: "cancelled",
  untriggered: "pending",
  triggered: "pending"
}

const filledOf = ({ filled_amount }: Schemas.Order): Decimal.Decimal => filled_amount ?? Decimal.zero

const updateOf = (order: Schemas.Order): OrderEvent.OrderUpdate =>
  new OrderEvent.OrderUpdate({
    exchange,
    orderId: order.order_id,
    status: statuses[order.order_state],
    filled: filledOf(order),
    ...(order.price === "market_price" ? {} : { price: order.price }),
    ...(order.amount === undefined || order.amount === null ? {} : { amount: order.amount })
  })

const fillOf = (trade: Schemas.UserTrade): OrderEvent.Fill =>
  new OrderEvent.Fill({
    exchange,
    product: trade.instrument_name,
    side: trade.direction,
    orderId: trade.order_id,
    price: trade.price,
    amount: trade.amount,
    fee: trade.fee,
    feeAsset: trade.fee_currency,
    tradeId: trade.trade_id
  })

/** How long after its `valid_until` an order that is not there is not under way either, the clocks' difference included. */
const lateMillis = 1_000

/** The orders of one trader. */
export class OrderKeeper {
  readonly orders = new Map<string, Order.Order>()
  /** Is open while there is something to be asked about. */
  readonly hasDoubts = Latch.makeUnsafe(false)
  private readonly doubtful = new Set<string>()
  /** Until when the exchange may take each, by its own clock. */
  readonly validUntil = new Map<string, number>()
  private readonly updatedAt = new Map<string, number>()
  private readonly note: (clientId: string, order: Order.Order) => void

  constructor(note: (clientId: string, order: Order.Order) => void) {
    this.note = note
  }

  /** An order that is about to be placed, and until when the exchange may take it, by its own clock. */
  begin(request: OrderRequest, validUntil: number): void {
    this.orders.set(request.clientId, Order.make(exchange, request))
    this.validUntil.set(request.clientId, validUntil)
  }

  /** It has to be asked about: what is known of it is not certain, or is contradicted. */
  doubt(clientId: string): void {
    this.doubtful.add(clientId)
    this.hasDoubts.openUnsafe()
  }

  /** Something is said of an order; of one that is not ours, nothing comes of it. */
  say(clientId: string | null | undefined, input: Order.Input): void {
    if (typeof clientId !== "string") return
    const order = this.orders.get(clientId)
    if (order === undefined) return
    if (!Order.allows(order, input)) {
      this.doubt(clientId)
      return
    }
    const after = Order.transition(order, input)
    this.orders.set(clientId, after)
    if (after !== order) this.note(clientId, after)
    if (input._tag === "OutcomeUnknown") this.doubt(clientId)
  }

  /** Whether nothing has to be asked about. */
  get isCertain(): boolean {
    return this.doubtful.size === 0
  }

  /** An order was placed, and this is the answer. */
  placed({ order, trades }: typeof Schemas.Placed.Type): void {
    this.say(
      order.label,
      new OrderEvent.Acknowledged({
        exchange,
        orderId: order.order_id,
        status: statuses[order.order_state],
        filled: filledOf(order)
      })
    )
    this.changed([order], trades)
  }

  /** What has become of orders, by a notice or an answer. */
  changed(orders: ReadonlyArray<Schemas.Order>, trades: ReadonlyArray<Schemas.UserTrade>): void {
    for (const order of orders) if (this.isNews(order)) this.say(order.label, updateOf(order))
    for (const trade of trades) this.say(trade.label, fillOf(trade))
  }

  // An answer that is late says how the order was, and not how it is.
  private isNews({ label, last_update_timestamp }: Schemas.Order): boolean {
    const at = Timestamp.isTimestamp(last_update_timestamp) ? Timestamp.epochMillis(last_update_timestamp) : Infinity
    if (at < (this.updatedAt.get(label ?? "") ?? 0)) return false
    if (at < Infinity) this.updatedAt.set(label ?? "", at)
    return true
  }

  // Those that have had their outcome and are not over, or of which fills are missing.
  private unsettled(): ReadonlyArray<string> {
    return [...this.orders].flatMap(([clientId, order]) =>
      this.doubtful.has(clientId) || !(isNowhere(order) || Order.isSettled(order)) ? [clientId] : []
    ).filter((clientId) => this.orders.get(clientId)?.outcome !== undefined)
  }

  /**
   * Asks how things stand: which orders are open, then about each that is not among them, and for the fills that are
   * missing. About those in doubt, or about all that are not known to be over. `venueMillis` is the exchange's clock.
   */
  reconcile(
    { call }: DeribitSession.DeribitCalls,
    venueMillis: () => number,
    which: "all" | "doubtful"
  ): Effect.Effect<void, CallError | RestoreFailed> {
    return Effect.gen({ self: this }, function*() {
      const asked = this.unsettled().filter((clientId) => which === "all" || this.doubtful.has(clientId))
      if (asked.length === 0) return
      const open = yield* call(Methods.trading.getOpenOrders, {})
      const found = new Map(open.map((order) => [order.label, order]))
      // At once, before something newer is said of them.
      for (const clientId of asked) {
        const order = found.get(clientId)
        if (order !== undefined) yield* this.reconciled(clientId, order)
      }
      for (const clientId of asked) {
        if (!found.has(clientId)) yield* this.reconciled(clientId, yield* this.find(call, clientId, venueMillis))
        yield* this.fetchFills(call, clientId)
        this.doubtful.delete(clientId)
      }
      if (this.doubtful.size === 0) this.hasDoubts.closeUnsafe()
    })
  }

  private find(
    call: DeribitSession.DeribitCalls["call"],
    clientId: string,
    venueMillis: () => number
  ): Effect.Effect<Schemas.Order | undefined, CallError> {
    return Effect.suspend(() => {
      const orderId = this.orders.get(clientId)?.orderId
      if (orderId !== undefined) return call(Methods.trading.getOrderState, { order_id: orderId })
      // It is not there for good only when it can no longer come.
      const until = (this.validUntil.get(clientId) ?? 0) + lateMillis
      return Effect.delay(
        Effect.map(
          call(Methods.trading.getOrderStateByLabel, { currency: "BTC", label: clientId }),
          ([found]) => found
        ),
        Math.max(0, until - venueMillis())
      )
    })
  }

  private reconciled(clientId: string, found: Schemas.Order | undefined): Effect.Effect<void, RestoreFailed> {
    return Effect.suspend(() => {
      const status = found === undefined ? "absent" : statuses[found.order_state]
      if (this.orders.get(clientId)?.outcome?._tag === "OutcomeUnknown") {
        this.say(
          clientId,
          new OrderEvent.Reconciled({
            exchange,
            status,
            ...(found === undefined ? {} : { orderId: found.order_id, filled: filledOf(found) })
          })
        )
      }
      if (found !== undefined && !this.isNews(found)) return Effect.void
      const order = this.orders.get(clientId)
      const said = found === undefined ? new OrderEvent.OrderUpdate({ exchange, status }) : updateOf(found)
      if (order !== undefined && !Order.allows(order, said)) {
        const detail = `${clientId} is ${status} at the exchange, and was ${order.status} before`
        return Effect.fail(new RestoreFailed({ epoch: 0, detail }))
      }
      this.say(clientId, said)
      return Effect.void
    })
  }

  private fetchFills(call: DeribitSession.DeribitCalls["call"], clientId: string): Effect.Effect<void, CallError> {
    return Effect.suspend(() => {
      const order = this.orders.get(clientId)
      if (order?.orderId === undefined || hasFills(order)) return Effect.void
      return Effect.map(
        call(Methods.account.getUserTradesByOrder, { order_id: order.orderId }),
        (trades) => this.changed([], trades)
      )
    })
  }
}

const isNowhere = ({ status }: Order.Order): boolean => status === "absent" || status === "rejected"

const hasFills = (order: Order.Order): boolean => Order.isSettled({ ...order, status: "filled" })
