/**
 * What a history comes to at exchanges that ended with the process before: paper,
 * and those that are simulated in the process. Their orders ended with them, and
 * their accounts begin again with what fills have made of them.
 *
 * @since 0.1.0
 */
import * as Symbols from "@tickline/core/protocol/Symbols"
import type * as Order from "@tickline/core/trading/Order"
import { Fill, OrderUpdate, OutcomeUnknown, Reconciled } from "@tickline/core/trading/OrderEvent"
import { isOver } from "@tickline/core/trading/OrderStatus"
import type { Storage } from "@tickline/core/trading/Storage"
import type { StorageError } from "@tickline/core/trading/StorageError"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import type { Venue } from "@tickline/core/venue/Venue"
import * as BigDecimal from "effect/BigDecimal"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { RunFailed } from "../RunnerError.ts"
import type { Amounts } from "./ExchangeConfig.ts"

const filledBy = ({ fills }: Order.Order): Decimal.Decimal =>
  fills.reduce((sum, { amount }) => BigDecimal.sum(sum, amount), Decimal.zero)

/** An execution that was told of, and whose own line was not stored in time. */
const missing = (order: Order.Order, now: Timestamp.Timestamp): Fill | undefined => {
  const { exchange, filled, orderId, request: { clientId, product, side } } = order
  const amount = BigDecimal.subtract(filled, filledBy(order))
  const price = order.averagePrice ?? order.price
  if (!Decimal.isPositive(amount) || price === undefined) return undefined
  const ids = { clientId, ...(orderId === undefined ? {} : { orderId }) }
  return new Fill({ exchange, product, side, ...ids, price, amount, tradeId: `${clientId}-rest`, timestamp: now })
}

/** What is known of an order once its exchange has ended, in order, and what is said of it. */
const endOf = (order: Order.Order, now: Timestamp.Timestamp) => {
  const { exchange, filled, orderId, outcome, request: { clientId } } = order
  const ids = { exchange, clientId, ...(orderId === undefined ? {} : { orderId }) }
  const fill = missing(order, now)
  const fills = fill === undefined ? [] : [fill]
  if (isOver(order.status)) return { stored: fills, told: fills }
  // One of which the exchange has said nothing ends with it as if it had never come.
  const isKnown = orderId !== undefined || filled.value !== 0n
  const reconciled = new Reconciled({ ...ids, ...(isKnown ? { status: "cancelled", filled } : { status: "absent" }) })
  const unknown = new OutcomeUnknown({ exchange, clientId, reason: "the process that placed it has ended" })
  const stored: ReadonlyArray<Order.Input> = outcome === undefined
    ? [unknown, reconciled]
    : outcome._tag === "OutcomeUnknown"
    ? [reconciled]
    : [new OrderUpdate({ ...ids, status: "cancelled", filled })]
  return { stored: [...fills, ...stored], told: [...fills, reconciled] }
}

/**
 * Ends the orders that were not known to be over when their exchange ended, and
 * gives what there is to say of them.
 *
 * @category running
 * @since 0.1.0
 */
export const settle = Effect.fnUntraced(function*(
  storage: Storage["Service"],
  exchanges: ReadonlySet<string>
): Effect.fn.Return<ReadonlyArray<Fill | Reconciled>, StorageError> {
  const now = Timestamp.fromEpochMillis(yield* Clock.currentTimeMillis)
  const unsettled = yield* Stream.runCollect(storage.orders({ only: "unsettled" }))
  const said: Array<Fill | Reconciled> = []
  for (const { value: order } of unsettled) {
    if (!exchanges.has(order.exchange)) continue
    const { stored, told } = endOf(order, now)
    for (const event of stored) {
      yield* storage.append(order.exchange, order.request.clientId, event).pipe(
        Effect.catchTags({
          // What contradicts is kept as a decision, and the order as it was.
          ContradictoryEvent: () => Effect.void,
          UnknownOrder: () => Effect.void
        })
      )
    }
    said.push(...told)
  }
  return said
})

/**
 * What an account has that began with `balance`, after all fills at the exchange
 * that are stored. Positions of derivatives cannot be taken up again.
 *
 * @category getters
 * @since 0.1.0
 */
export const balanceOf = Effect.fnUntraced(function*(
  storage: Storage["Service"],
  { balance, exchange, venue }: { readonly exchange: string; readonly venue: Venue; readonly balance: Amounts }
): Effect.fn.Return<Amounts, StorageError | RunFailed> {
  const amounts = new Map(Object.entries(balance))
  const add = (asset: string, amount: Decimal.Decimal) =>
    void amounts.set(asset, BigDecimal.sum(amounts.get(asset) ?? Decimal.zero, amount))
  const derivatives = new Map<string, Decimal.Decimal>()
  yield* Stream.runForEach(storage.fills({ exchange }), ({ value }) =>
    Effect.sync(() => {
      const { amount, fee, feeAsset, price, product, side } = value
      const bought = side === "buy" ? amount : BigDecimal.negate(amount)
      const parts = venue.symbols?.read(product) ?? Symbols.parse(product)
      if (fee !== undefined && feeAsset !== undefined) add(feeAsset, BigDecimal.negate(fee))
      if (parts === undefined || parts.isPerpetual) {
        derivatives.set(product, BigDecimal.sum(derivatives.get(product) ?? Decimal.zero, bought))
        return
      }
      add(parts.base, bought)
      add(parts.quote, BigDecimal.negate(BigDecimal.multiply(bought, price)))
    }))
  for (const [product, amount] of derivatives) {
    if (amount.value === 0n) continue
    return yield* new RunFailed({
      detail: `the history has a position of ${Decimal.format(amount)} ${product} at ${exchange}, ` +
        "which ended with the process before: derivatives there need a history of their own for each run"
    })
  }
  // What a market owes nobody has: an account is never below zero.
  return Object.fromEntries([...amounts].filter(([, amount]) => Decimal.isPositive(amount)))
})
