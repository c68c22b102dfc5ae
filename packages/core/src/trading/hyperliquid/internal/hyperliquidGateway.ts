/**
 * Hyperliquid as a gateway of order entry: what is asked over HTTP, written over
 * the socket, and told by it.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ConnectionState } from "../../../connection/ConnectionState.ts"
import * as Channel from "../../../value/Channel.ts"
import * as Decimal from "../../../value/Decimal.ts"
import * as Timestamp from "../../../value/Timestamp.ts"
import type { Health, OrderName } from "../../Exchange.ts"
import { Balance, Position } from "../../Holdings.ts"
import * as Instrument from "../../Instrument.ts"
import * as Failure from "../../internal/failure.ts"
import type { Answer, Attempt, Gateway, Notice, Sending, Terms } from "../../internal/gateway.ts"
import { type Fill, OrderUpdate } from "../../OrderEvent.ts"
import type { OrderRequest } from "../../OrderRequest.ts"
import type { Action } from "../HyperliquidSigning.ts"
import type { Account } from "./account.ts"
import type { Amendments } from "./amendments.ts"
import type * as Assets from "./assets.ts"
import type { Calls, Statuses } from "./calls.ts"
import { channels } from "./messages.ts"
import type { Notices } from "./notices.ts"
import * as Orders from "./orders.ts"
import * as Wire from "./wire.ts"

/** So long after its end the venue is asked whether an order is there: what it shows is a moment behind its chain. */
const settlingMillis = 1_000

/** So much before the time that is known of an order its executions are asked from. */
const overlapMillis = 60_000

/** What an order's amendment may need to be put right, because the order was filled meanwhile. */
const mostCorrections = 3

const cloidForm = /^0x[0-9a-f]{32}$/
const oidForm = /^\d{1,20}$/

const unknown = Failure.unsent("the exchange knows no such order")

const healthOf = (state: ConnectionState, isBegun: boolean): Health => {
  switch (state._tag) {
    case "Connected":
      return { _tag: "Live" }
    case "Failed":
      return { _tag: "Stopped", reason: state.error.message }
    case "Closing":
    case "Disconnected":
      return isBegun ? { _tag: "Stopped", reason: "the connection was closed" } : { _tag: "Idle" }
    case "CircuitOpen":
    case "Reconnecting":
      return { _tag: "Down", reason: state.failure?.message }
    default:
      return { _tag: "Down", reason: undefined }
  }
}

/** What became of the one order of an action. */
const only = (statuses: Statuses): Statuses[number] | undefined => statuses[0]

/**
 * What the gateway is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly calls: Calls
  readonly notices: Notices
  readonly amendments: Amendments
  readonly account: Account
  readonly scope: Scope.Scope
}

/**
 * Order entry of one account.
 *
 * @category models
 * @since 0.1.0
 */
export class HyperliquidGateway implements Gateway<Orders.Order> {
  readonly exchange = Orders.exchange
  // The newest of a client id is the one that stands; those before it were amended.
  readonly hasUniqueClientIds = true
  readonly tellsFills = true
  private readonly calls: Calls
  private readonly told: Notices
  private readonly amendments: Amendments
  private readonly account: Account
  private readonly scope: Scope.Scope
  private isBegun = false

  constructor({ account, amendments, calls, notices, scope }: Options) {
    this.calls = calls
    this.told = notices
    this.amendments = amendments
    this.account = account
    this.scope = scope
  }

  readonly now = (): number => this.calls.now()

  readonly wallMillis = (): number => this.calls.wallMillis()

  get begin(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.isBegun) return Effect.void
      this.isBegun = true
      // Without a socket everything goes over HTTP.
      return Effect.asVoid(Effect.forkIn(Effect.ignore(this.calls.connection.connect), this.scope, {
        startImmediately: true
      }))
    })
  }

  get isOver(): Effect.Effect<boolean> {
    return Effect.succeed(false)
  }

  get health(): Gateway<Orders.Order>["health"] {
    const { state } = this.calls.connection
    return {
      current: Effect.map(state.current, (now) => healthOf(now, this.isBegun)),
      changes: Stream.map(state.changes, (now) => healthOf(now, this.isBegun))
    }
  }

  readonly lacks = ({ clientId, timeInForce }: OrderRequest): string | undefined => {
    if (timeInForce === "fok") return "time in force fok: Hyperliquid has gtc, ioc and post-only"
    return cloidForm.test(clientId)
      ? undefined
      : `client id ${clientId}: Hyperliquid takes 0x and 32 lower-case hexadecimal digits`
  }

  readonly update = (order: Orders.Order): OrderUpdate => {
    const before = this.amendments.filledBefore(order)
    const { averagePrice, cloid, oid, price, product, side, status } = order
    const amount = BigDecimal.sum(order.amount, before)
    const filled = BigDecimal.sum(order.filled, before)
    return new OrderUpdate({
      exchange: this.exchange,
      orderId: oid,
      product,
      side,
      status: status === "open" && Decimal.isPositive(filled) ? "partially-filled" : status,
      filled,
      remaining: BigDecimal.subtract(amount, filled),
      price,
      amount,
      ...(cloid === undefined ? {} : { clientId: cloid }),
      ...(averagePrice === undefined || Decimal.isPositive(before) ? {} : { averagePrice })
    })
  }

  // The venue trims a reduce-only order to what there is to reduce, and sets no price but that of the order.
  readonly isOf = (request: OrderRequest, order: Orders.Order): boolean => {
    const { amount = order.amount } = this.update(order)
    return order.product === request.product && order.side === request.side &&
      (request.reduceOnly
        ? BigDecimal.isLessThanOrEqualTo(amount, request.amount)
        : BigDecimal.equals(amount, request.amount)) &&
      (request.price === undefined || BigDecimal.equals(order.price, request.price))
  }

  place(request: OrderRequest, sending: Sending): Effect.Effect<Attempt<Orders.Order>, string> {
    const { clientId, product, type } = request
    return Effect.gen({ self: this }, function*(): Effect.fn.Return<Attempt<Orders.Order>, string> {
      const { until } = sending
      // An account that cannot be learned could not be asked for the order either.
      const [asset] = yield* Effect.all([
        this.account.asset(product, until),
        Effect.mapError(this.account.user(until), Failure.describe)
      ], { concurrency: "unbounded" })
      const illegal = Instrument.objection(asset.instrument, request)
      if (illegal !== undefined) return yield* Effect.fail(illegal)
      const price = request.price ?? (yield* this.account.marketPrice(asset, request, until))
      const timeInForce = Orders.timeInForceOf({ ...request, type }) ?? "Gtc"
      const order = Orders.requested(request, { price, timeInForce, placedAt: Math.floor(this.wallMillis()) })
      this.amendments.complete(clientId)
      return this.attempt(
        { type: "order", orders: [Orders.toAction(asset.id, order)], grouping: "na" },
        order,
        sending,
        (until) => this.find({ clientId }, until)
      )
    })
  }

  amend(order: Orders.Order, terms: Terms, sending: Sending): Effect.Effect<Attempt<Orders.Order>, string> {
    return Effect.gen({ self: this }, function*(): Effect.fn.Return<Attempt<Orders.Order>, string> {
      const { until } = sending
      if (order.isTrigger) return yield* Effect.fail(`order ${order.oid} waits for its trigger: it is not amended here`)
      const asset = yield* this.account.asset(order.product, until)
      const illegal = Instrument.objection(asset.instrument, terms)
      if (illegal !== undefined) return yield* Effect.fail(illegal)
      yield* Effect.mapError(this.account.learnHistory([order], until), Failure.describe)
      const { amount: whole = order.amount } = this.update(order)
      const amount = terms.amount ?? whole
      const named = { orderId: order.oid }
      const find = (until: number) => this.find(order.cloid === undefined ? named : { clientId: order.cloid }, until)
      const modify = (order: Orders.Order): Effect.Effect<Attempt<Orders.Order>, string> => {
        const { filled = Decimal.zero } = this.update(order)
        const left = BigDecimal.subtract(amount, filled)
        if (!Decimal.isPositive(left)) {
          return Effect.fail(
            `amount ${Decimal.format(amount)} is not above the ${Decimal.format(filled)} that are filled`
          )
        }
        const amended = { ...order, price: terms.price ?? order.price, amount: left }
        const oid = Number(order.oid)
        const modifies = [{
          oid: Number.isSafeInteger(oid) ? oid : BigInt(order.oid),
          order: Orders.toAction(asset.id, amended)
        }]
        return Effect.succeed(this.attempt({ type: "batchModify", modifies }, amended, sending, find))
      }
      const first = yield* modify(order)
      // What was filled while the amendment was on its way would be bought twice.
      const put = (
        attempt: Attempt<Orders.Order>,
        replaced: Orders.Order,
        corrections: number
      ): Effect.Effect<Answer<Orders.Order>, Failure.Failure> =>
        Effect.gen({ self: this }, function*(): Effect.fn.Return<Answer<Orders.Order>, Failure.Failure> {
          const answer = yield* attempt.send
          const { filled } = replaced
          const [last] = yield* Effect.orElseSucceed(this.account.ask(replaced.oid, until), () => [])
          if (last === undefined || !BigDecimal.isGreaterThan(last.filled, filled) || corrections === 0) return answer
          const again = yield* Effect.result(modify(answer.order))
          const corrected = again._tag === "Success"
            ? put(again.success, answer.order, corrections - 1)
            : Effect.map(this.cancel({ orderId: answer.order.oid }, sending), (order) => ({ order, fills: [] }))
          // The amendment was taken, whatever becomes of its correction.
          return yield* Effect.mapError(
            corrected,
            (failure) =>
              Failure.unanswered(`it was filled meanwhile, and is too large now: ${Failure.describe(failure)}`)
          )
        })
      return { ...first, send: put(first, order, mostCorrections) }
    })
  }

  cancel(
    { orderId, product }: { readonly orderId: string; readonly product?: string | undefined },
    sending: Sending
  ): Effect.Effect<Orders.Order, Failure.Failure> {
    return Effect.gen({ self: this }, function*(): Effect.fn.Return<Orders.Order, Failure.Failure> {
      const { until } = sending
      // Nothing was written as long as it is only asked for.
      const [order] = yield* Effect.mapError(
        this.find({ orderId }, until),
        (failure) => Failure.unsent(Failure.describe(failure))
      )
      if (order === undefined) return yield* Effect.fail(unknown)
      const asset = yield* Effect.mapError(
        this.account.asset(product ?? order.product, until),
        (reason) => Failure.unsent(reason)
      )
      const status = only(yield* this.calls.write(cancelling([[asset, order]]), { ...sending, priority: "cancel" }))
      if (status !== "success") {
        return yield* Effect.fail(
          typeof status === "object" && "error" in status
            ? Failure.refused(status.error)
            : Failure.unreadable("the answer does not say whether the order is cancelled")
        )
      }
      const [last = order] = yield* Effect.orElseSucceed(this.account.ask(orderId, until), () => [])
      yield* Effect.ignore(this.account.learnHistory([last], until))
      return { ...last, status: "cancelled" as const }
    })
  }

  cancelAll(
    orders: ReadonlyArray<Orders.Order>,
    _: string | undefined,
    sending: Sending
  ): Effect.Effect<ReadonlyArray<Orders.Order>, Failure.Failure> {
    return Effect.gen({ self: this }, function*(): Effect.fn.Return<ReadonlyArray<Orders.Order>, Failure.Failure> {
      if (orders.length === 0) return []
      const listed = yield* Effect.forEach(orders, (order) =>
        Effect.map(
          Effect.mapError(this.account.asset(order.product, sending.until), (reason) => Failure.unsent(reason)),
          (asset) => [asset, order] as const
        ))
      const statuses = yield* this.calls.write(cancelling(listed), {
        ...sending,
        priority: "cancel",
        // https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits (2026-11-26)
        cost: 1 + Math.floor(orders.length / 40)
      })
      const cancelled = orders.filter((_, index) => statuses[index] === "success")
      const history = yield* Effect.orElseSucceed(this.account.history(sending.until), () => [])
      const last = new Map(history.map((order) => [order.oid, order]))
      return cancelled.map((order) => ({ ...last.get(order.oid) ?? order, status: "cancelled" as const }))
    })
  }

  find(name: OrderName, until: number): Effect.Effect<ReadonlyArray<Orders.Order>, Failure.Failure> {
    const id = name.orderId ?? name.clientId
    return (name.orderId === undefined ? cloidForm : oidForm).test(id)
      ? this.account.ask(id, until)
      : Effect.succeed([])
  }

  findEver(name: OrderName, until: number): Effect.Effect<ReadonlyArray<Orders.Order>, Failure.Failure> {
    return Effect.gen({ self: this }, function*(): Effect.fn.Return<ReadonlyArray<Orders.Order>, Failure.Failure> {
      const found = yield* this.find(name, until)
      yield* this.account.learnHistory(found, until)
      if (found.length > 0) return found
      const { clientId, orderId } = name
      const isMeant = ({ cloid, oid }: Orders.Order) => orderId === undefined ? cloid === clientId : oid === orderId
      const [newest, ...others] = (yield* this.account.historyIfAny(until)).filter(isMeant)
      return newest === undefined ? [] : [others.reduce((one, other) => isNewer(other, one) ? other : one, newest)]
    })
  }

  open(product: string | undefined, until: number): Effect.Effect<ReadonlyArray<Orders.Order>, Failure.Failure> {
    return Effect.gen({ self: this }, function*(): Effect.fn.Return<ReadonlyArray<Orders.Order>, Failure.Failure> {
      const answer = yield* this.account.of("frontendOpenOrders", Schema.Array(Wire.Order), until)
      const orders = answer.map((order) => this.account.recorded(Orders.read(order, "open")))
        .filter((order) => product === undefined || order.product === product)
      yield* this.account.learnHistory(orders, until)
      return orders
    })
  }

  fills(
    { clientId, orderId }: { readonly orderId: string; readonly clientId?: string | undefined },
    until: number
  ): Effect.Effect<ReadonlyArray<Fill>, Failure.Failure> {
    const placedAt = clientId === undefined ? undefined : this.amendments.placedAt(clientId)
    const asked = placedAt === undefined
      ? this.account.of("userFills", Schema.Array(Wire.Fill), until)
      : this.account.fillsFrom(placedAt - overlapMillis, until)
    return Effect.map(asked, (fills) => {
      // An execution need not bear its client id.
      const ids = new Set([orderId, ...clientId === undefined ? [] : this.amendments.idsOf(clientId)])
      return inOrder(fills).filter((fill) =>
        (fill.orderId !== undefined && ids.has(fill.orderId)) ||
        (clientId !== undefined && fill.clientId === clientId)
      )
    })
  }

  fillsSince(since: Timestamp.Timestamp, until: number): Effect.Effect<ReadonlyArray<Fill>, Failure.Failure> {
    return Effect.map(this.account.fillsFrom(Timestamp.epochMillis(since), until), inOrder)
  }

  notices(): Effect.Effect<PubSub.Subscription<Notice<Orders.Order>>, never, Scope.Scope> {
    // The account may have to be learned first, which nobody waits for: at the confirmation there is a gap.
    const subscribed = Effect.suspend(() => this.account.user(this.now() + overlapMillis)).pipe(
      Effect.flatMap((user) => this.calls.connection.subscribe(channels.map((channel) => Channel.make(channel, user)))),
      Effect.catch((error) =>
        Effect.logWarning(
          `notices of orders are not subscribed to: ${
            error._tag === "ConnectionClosed" ? error.message : Failure.describe(error)
          }`
        )
      )
    )
    return Effect.tap(
      PubSub.subscribe(this.told.hub),
      () => Effect.forkIn(subscribed, this.scope, { startImmediately: true })
    )
  }

  instrument(product: string, until: number): Effect.Effect<Instrument.Instrument, Failure.Failure> {
    return this.account.listed(product, until).pipe(
      Effect.flatMap((asset) =>
        asset === undefined ? Effect.fail(Failure.refused(`no product ${product}`)) : Effect.succeed(asset.instrument)
      )
    )
  }

  readonly balances = (until: number): Effect.Effect<ReadonlyArray<Balance>, Failure.Failure> => {
    return Effect.all({
      perpetual: this.account.of("clearinghouseState", Wire.Clearinghouse, until),
      spot: this.account.of("spotClearinghouseState", Wire.SpotClearinghouse, until)
    }, { concurrency: "unbounded" }).pipe(Effect.map(({ perpetual, spot }) => {
      const held = spot.balances.map(({ coin, hold, total }) =>
        [coin, total, BigDecimal.subtract(total, hold)] as const
      )
      // What the account is worth has in it what its positions have gained, which is no money yet.
      const gained = perpetual.assetPositions.map(({ position }) => position.unrealizedPnl ?? Decimal.zero)
      const money = BigDecimal.subtract(perpetual.marginSummary.accountValue, BigDecimal.sumAll(gained))
      const margin = ["USDC", money, perpetual.withdrawable] as const
      const sums = new Map<string, { readonly total: Decimal.Decimal; readonly available: Decimal.Decimal }>()
      for (const [asset, total, available] of [margin, ...held]) {
        const sum = sums.get(asset) ?? { total: Decimal.zero, available: Decimal.zero }
        sums.set(asset, {
          total: BigDecimal.sum(sum.total, total),
          available: BigDecimal.sum(sum.available, available)
        })
      }
      return [...sums].map(([asset, sum]) => new Balance({ exchange: this.exchange, asset, ...sum }))
    }))
  }

  readonly positions = (until: number): Effect.Effect<ReadonlyArray<Position>, Failure.Failure> => {
    return this.account.of("clearinghouseState", Wire.Clearinghouse, until).pipe(
      Effect.map(({ assetPositions }) =>
        assetPositions.filter(({ position: { szi } }) => szi.value !== 0n).map(({ position: { coin, entryPx, szi } }) =>
          new Position({
            exchange: this.exchange,
            product: coin,
            amount: szi,
            ...(entryPx === undefined || entryPx === null ? {} : { averagePrice: entryPx })
          })
        )
      )
    )
  }

  /** An order or an amendment that is legal, as it will be if it is taken. */
  private attempt(
    action: Action,
    order: Omit<Orders.Order, "averagePrice" | "filled" | "oid" | "status">,
    sending: Sending,
    find: Attempt<Orders.Order>["find"]
  ): Attempt<Orders.Order> {
    let expiresAfter = this.calls.venueTime(sending.until)
    const send = Effect.flatMap(
      this.calls.write(action, {
        ...sending,
        priority: "order",
        onExpiry: (at) => {
          expiresAfter = at
        }
      }),
      (statuses): Effect.Effect<Answer<Orders.Order>, Failure.Failure> => {
        const status = only(statuses)
        if (typeof status === "object" && "error" in status) return Effect.fail(Failure.refused(status.error))
        const answered = Orders.answered(order, status)
        return answered === undefined
          ? Effect.fail(Failure.unreadable("the answer does not say which order it is"))
          : Effect.succeed({ order: this.account.recorded(answered), fills: [] })
      }
    )
    return {
      send,
      find,
      mayStillCome: () => Effect.sync(() => this.wallMillis() < expiresAfter + settlingMillis)
    }
  }
}

const isNewer = (one: Orders.Order, other: Orders.Order): boolean => BigInt(one.oid) > BigInt(other.oid)

const cancelling = (
  orders: ReadonlyArray<readonly [asset: Assets.Asset, order: Orders.Order]>
): Action => ({
  type: "cancel",
  cancels: orders.map(([{ id }, { oid }]) => {
    const o = Number(oid)
    return { a: id, o: Number.isSafeInteger(o) ? o : BigInt(oid) }
  })
})

/** Executions in the order in which they came about, each once. */
const inOrder = (fills: ReadonlyArray<typeof Wire.Fill.Type>): ReadonlyArray<Fill> =>
  [...new Map(fills.map((fill) => [fill.tid, fill])).values()]
    .toSorted((one, other) => Timestamp.epochMillis(one.time) - Timestamp.epochMillis(other.time))
    .map(Orders.toFill)
