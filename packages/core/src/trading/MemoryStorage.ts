/**
 * A storage that ends with the process. For tests, and for whoever wants none.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Timestamp from "../value/Timestamp.ts"
import * as StoredOrder from "./internal/storedOrder.ts"
import type * as Order from "./Order.ts"
import type { Fill } from "./OrderEvent.ts"
import type { OrderRequest } from "./OrderRequest.ts"
import * as Storage from "./Storage.ts"
import { ClientIdInUse, ContradictoryEvent, UnknownOrder } from "./StorageError.ts"

interface Entry {
  readonly at: Timestamp.Timestamp
  readonly of: string
  readonly due: Timestamp.Timestamp
  readonly texts: Set<string>
  order: Order.Order
}

interface Claimed {
  readonly request: OrderRequest
  readonly meaning: string
  readonly at: Timestamp.Timestamp
  readonly entries: Array<Entry>
}

const encode = Schema.encodeSync(StoredOrder.EventText)

const now = Effect.map(Clock.currentTimeMillis, Timestamp.fromEpochMillis)

const make: Effect.Effect<Storage.Storage["Service"]> = Effect.sync(() => {
  const claims = new Map<string, Claimed>()
  const orders: Array<Entry> = []
  const events: Array<Storage.Stored<Order.Input> & { readonly order: Order.Order }> = []
  const fills: Array<Storage.Stored<Fill> & { readonly order: Order.Order }> = []
  const trades = new Set<string>()
  const positions = new Map<string, Storage.NetPosition>()
  const decisions: Array<Storage.Stored<Storage.Decision>> = []

  const claimed = (request: OrderRequest, at: Timestamp.Timestamp) =>
    Effect.suspend(() => {
      const { clientId } = request
      const meaning = StoredOrder.meaning(request)
      const found = claims.get(clientId)
      if (found !== undefined && found.meaning !== meaning) {
        return Effect.fail(new ClientIdInUse({ clientId, claimed: found.meaning }))
      }
      const claim = found ?? { request, meaning, at, entries: [] }
      claims.set(clientId, claim)
      return Effect.succeed({ claim, isFirst: found === undefined })
    })

  const latest = (exchange: string, clientId: string): Entry | undefined =>
    orders.findLast(({ order }) => order.exchange === exchange && order.request.clientId === clientId)

  const record = (decision: Storage.Decision, at: Timestamp.Timestamp) => {
    decisions.push({ cursor: decisions.length + 1, at, value: decision })
  }

  const isSelected = (
    { after = 0, clientId, exchange }: Storage.Selection,
    cursor: number,
    of: { readonly exchange?: string | undefined; readonly clientId?: string | undefined }
  ) =>
    cursor > after && (exchange === undefined || exchange === of.exchange) &&
    (clientId === undefined || clientId === of.clientId)

  const named = ({ exchange, request: { clientId } }: Order.Order) => ({ exchange, clientId })

  const stored = <A>({ at, cursor, value }: Storage.Stored<A>): Storage.Stored<A> => ({ cursor, at, value })

  const apply = (
    entry: Entry,
    event: Order.Input,
    at: Timestamp.Timestamp
  ): { readonly reason: string } | undefined => {
    const { order, texts } = entry
    const text = encode(event)
    const next = StoredOrder.after(order, event, texts.has(text))
    if ("reason" in next) return next
    if (next === order) return undefined
    if (event._tag === "Fill") {
      const { product, side, tradeId } = event
      const { exchange } = order
      const trade = JSON.stringify([exchange, product, side, tradeId])
      if (trades.has(trade)) return { reason: `trade ${tradeId} is one of another order` }
      trades.add(trade)
      fills.push({ cursor: fills.length + 1, at, value: event, order })
      const key = JSON.stringify([exchange, product])
      const before = positions.get(key)?.amount
      const amount = StoredOrder.signed(event)
      positions.set(key, { exchange, product, amount: before === undefined ? amount : BigDecimal.sum(before, amount) })
    }
    texts.add(text)
    events.push({ cursor: events.length + 1, at, value: event, order })
    entry.order = next
    return undefined
  }

  return {
    claim: Effect.fnUntraced(function*(request) {
      const { claim, isFirst } = yield* claimed(request, yield* now)
      return { request: claim.request, at: claim.at, isFirst, orders: claim.entries.map(({ order }) => order) }
    }),
    intend: Effect.fnUntraced(function*(exchange, request, { asked = request, due } = {}) {
      const at = yield* now
      const { claim } = yield* claimed(asked, at)
      if (asked.clientId !== request.clientId) yield* claimed(request, at)
      const before = latest(exchange, request.clientId)
      if (before !== undefined && !StoredOrder.didNotHappen(before.order)) return { order: before.order, isNew: false }
      const order = StoredOrder.fold(exchange, request, [])
      const entry: Entry = { at, of: asked.clientId, due: due ?? at, texts: new Set(), order }
      claim.entries.push(entry)
      orders.push(entry)
      return { order, isNew: true }
    }),
    append: Effect.fnUntraced(function*(exchange, clientId, event) {
      const at = yield* now
      const entry = latest(exchange, clientId)
      if (entry === undefined) return yield* new UnknownOrder({ exchange, clientId })
      const refused = apply(entry, event, at)
      if (refused === undefined) return entry.order
      record(StoredOrder.contradiction(exchange, clientId, refused.reason, event), at)
      return yield* new ContradictoryEvent({ exchange, clientId, reason: refused.reason })
    }),
    order: (exchange, { clientId, orderId }) =>
      Effect.sync(() =>
        (clientId === undefined
          ? orders.findLast(({ order }) => order.exchange === exchange && order.orderId === orderId)
          : latest(exchange, clientId))?.order
      ),
    orders: ({ only, ...selection } = {}) =>
      Stream.suspend(() =>
        Stream.fromArray(
          orders.flatMap(({ at, due, of, order }, index) =>
            isSelected(selection, index + 1, named(order)) && StoredOrder.isAmong(order, only)
              ? [{ cursor: index + 1, at, value: order, of, due }]
              : []
          )
        )
      ),
    events: (selection = {}) =>
      Stream.suspend(() =>
        Stream.fromArray(
          events.filter(({ cursor, order }) => isSelected(selection, cursor, named(order))).map(stored)
        )
      ),
    fills: (selection = {}) =>
      Stream.suspend(() =>
        Stream.fromArray(
          fills.filter(({ cursor, order }) => isSelected(selection, cursor, named(order))).map(stored)
        )
      ),
    positions: Effect.sync(() => [...positions.values()]),
    decide: (decision) => Effect.map(now, (at) => record(decision, at)),
    decisions: (selection = {}) =>
      Stream.suspend(() =>
        Stream.fromArray(
          decisions.filter(({ cursor, value }) => isSelected(selection, cursor, value))
        )
      )
  }
})

/**
 * A storage that is empty.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Storage.Storage> = Layer.effect(Storage.Storage, make)
