/**
 * What a trader keeps in the storage beside its orders, and what it reads of it
 * after a restart: why each order was placed, what its accounts had at the
 * beginning, and whether it was halted.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Side } from "../../event/MarketData.ts"
import type { Lot } from "../../trading/Lot.ts"
import type * as Order from "../../trading/Order.ts"
import type { Fill } from "../../trading/OrderEvent.ts"
import type { Storage } from "../../trading/Storage.ts"
import type { StorageError } from "../../trading/StorageError.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as Timestamp from "../../value/Timestamp.ts"

/** An order that opens a position, because of a signal. `base` is what it buys, if that is spot. */
const Enter = Schema.TaggedStruct("Enter", {
  product: Schema.String,
  side: Side,
  confidence: Schema.Finite,
  strategy: Schema.String,
  price: Decimal.FromText,
  at: Timestamp.FromText,
  base: Schema.optionalKey(Schema.String)
})

/** An order that closes a lot. */
const Exit = Schema.TaggedStruct("Exit", {
  product: Schema.String,
  lot: Schema.String,
  why: Schema.Literals(["stop", "target", "signal"])
})

/**
 * Why an order was placed.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Purpose = Schema.Union([Enter, Exit])

/**
 * Why an order was placed.
 *
 * @category models
 * @since 0.1.0
 */
export type Purpose = typeof Purpose.Type

/** What was left of a lot when it was written off, after so many fills. */
const Rest = Schema.Struct({ amount: Decimal.FromText, fills: Schema.Int })

/**
 * What the trader began with: its capital, and what each account had.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Opening = Schema.Struct({
  capital: Decimal.FromText,
  balances: Schema.Array(
    Schema.Struct({ exchange: Schema.String, asset: Schema.String, total: Decimal.FromText })
  ),
  positions: Schema.Array(
    Schema.Struct({
      exchange: Schema.String,
      product: Schema.String,
      amount: Decimal.FromText,
      averagePrice: Schema.optionalKey(Decimal.FromText)
    })
  )
})

/**
 * What the trader began with.
 *
 * @category models
 * @since 0.1.0
 */
export type Opening = typeof Opening.Type

/**
 * A fill, of which order, and the client id that the order was placed with.
 *
 * @category models
 * @since 0.1.0
 */
export interface PastFill {
  readonly of: string
  readonly order: Order.Order
  readonly fill: Fill
}

/**
 * An order that is not known to be over, or whose fills are not all there, and the
 * client id that it was placed with.
 *
 * @category models
 * @since 0.1.0
 */
export interface OpenOrder {
  readonly of: string
  readonly order: Order.Order
}

/**
 * What was left of a lot when it was written off, after how many fills, and when.
 *
 * @category models
 * @since 0.1.0
 */
export type WrittenOff = typeof Rest.Type & { readonly at: Timestamp.Timestamp }

/**
 * What is known after a restart: what the trader began with, whether it is halted,
 * why each order was placed and when that was decided, the lots whose rest was
 * written off, all fills in their order, and the orders that are open.
 *
 * @category models
 * @since 0.1.0
 */
export interface Past {
  readonly opening: Opening | undefined
  readonly openedAt: Timestamp.Timestamp | undefined
  readonly halt: { readonly reason: string; readonly at: Timestamp.Timestamp } | undefined
  readonly purposes: ReadonlyMap<string, { readonly purpose: Purpose; readonly at: Timestamp.Timestamp }>
  readonly writtenOff: ReadonlyMap<string, ReadonlyArray<WrittenOff>>
  readonly fills: ReadonlyArray<PastFill>
  readonly open: ReadonlyArray<OpenOrder>
}

const keyOf = (exchange: string, clientId: string | undefined): string => `${exchange} ${clientId}`

const decodePurpose = Schema.decodeUnknownOption(Purpose)
const decodeOpening = Schema.decodeUnknownOption(Opening)
const decodeRest = Schema.decodeUnknownOption(Rest)

/**
 * Reads what there is.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = Effect.fnUntraced(function*(storage: Storage["Service"]): Effect.fn.Return<Past, StorageError> {
  let opening: Opening | undefined
  let openedAt: Timestamp.Timestamp | undefined
  let halt: Past["halt"]
  const purposes = new Map<string, { readonly purpose: Purpose; readonly at: Timestamp.Timestamp }>()
  const writtenOff = new Map<string, ReadonlyArray<WrittenOff>>()
  yield* Stream.runForEach(
    storage.decisions(),
    ({ at, value: { clientId, detail, kind, reason } }) =>
      Effect.sync(() => {
        if (kind === "halt") halt ??= { reason, at }
        else if (kind === "clear") halt = undefined
        else if (kind === "write-off" && clientId !== undefined) {
          const rest = Option.getOrUndefined(decodeRest(detail))
          if (rest !== undefined) writtenOff.set(clientId, [...writtenOff.get(clientId) ?? [], { ...rest, at }])
        } else if (kind === "opening" && opening === undefined) {
          opening = Option.getOrUndefined(decodeOpening(detail))
          openedAt = at
        } else if ((kind === "enter" || kind === "exit") && clientId !== undefined) {
          const purpose = Option.getOrUndefined(decodePurpose(detail))
          if (purpose !== undefined) purposes.set(clientId, { purpose, at })
        }
      })
  )

  const orders = new Map<string, { readonly of: string; readonly order: Order.Order }>()
  yield* Stream.runForEach(
    storage.orders(),
    ({ of, value: order }) =>
      Effect.sync(() => void orders.set(keyOf(order.exchange, order.request.clientId), { of, order }))
  )
  const unsettled = yield* Stream.runCollect(storage.orders({ only: "unsettled" }))

  const fills: Array<PastFill> = []
  yield* Stream.runForEach(storage.fills(), ({ value: fill }) =>
    Effect.sync(() => {
      const found = orders.get(keyOf(fill.exchange, fill.clientId))
      if (found !== undefined) fills.push({ ...found, fill })
    }))
  const open = unsettled.map(({ of, value: order }) => ({ of, order }))
  return { opening, openedAt, halt, purposes, writtenOff, fills, open }
})

/**
 * Stores why an order is about to be placed.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decided = (
  storage: Storage["Service"],
  clientId: string,
  purpose: Purpose,
  reason: string
): Effect.Effect<void, StorageError> =>
  storage.decide({
    kind: purpose._tag === "Enter" ? "enter" : "exit",
    clientId,
    reason,
    detail: Schema.encodeSync(Purpose)(purpose)
  })

/**
 * Stores what the trader begins with.
 *
 * @category combinators
 * @since 0.1.0
 */
export const opened = (storage: Storage["Service"], opening: Opening): Effect.Effect<void, StorageError> =>
  storage.decide({
    kind: "opening",
    reason: `begun with ${Decimal.format(opening.capital)}`,
    detail: Schema.encodeSync(Opening)(opening)
  })

/**
 * Stores that what is left of a lot is written off.
 *
 * @category combinators
 * @since 0.1.0
 */
export const writtenOff = (
  storage: Storage["Service"],
  { amount, id, tradeIds: { length: fills } }: Lot,
  reason: string
): Effect.Effect<void, StorageError> =>
  storage.decide({ kind: "write-off", clientId: id, reason, detail: Schema.encodeSync(Rest)({ amount, fills }) })
