/**
 * A storage over a database. Each change is one transaction that begins with the
 * row of its client id, so that what is said of one order at the same time, also
 * by several processes, comes one after the other.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import * as Decimal from "../../value/Decimal.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import type { OrderName } from "../Exchange.ts"
import * as Order from "../Order.ts"
import { Fill } from "../OrderEvent.ts"
import type { OrderRequest } from "../OrderRequest.ts"
import { isOver } from "../OrderStatus.ts"
import type * as Storage from "../Storage.ts"
import { ClientIdInUse, ContradictoryEvent, type StorageError, UnknownOrder } from "../StorageError.ts"
import * as SqlFailure from "./sqlFailure.ts"
import * as StoredOrder from "./storedOrder.ts"

/** So many rows are read at once. */
const page = 128

/** For how long what was said is stored again and again: a server that restarts is back by then. */
const insisting = Schedule.upTo(Schedule.spaced("100 millis"), { duration: "5 seconds" })

const encodeEvent = Schema.encodeSync(StoredOrder.EventText)
const decodeEvent = Schema.decodeEffect(StoredOrder.EventText)
const encodeRequest = Schema.encodeSync(StoredOrder.RequestText)
const decodeRequest = Schema.decodeEffect(StoredOrder.RequestText)
const FillText = Schema.fromJsonString(Fill)
const encodeFill = Schema.encodeSync(FillText)
const decodeFill = Schema.decodeEffect(FillText)
const decodeTimestamp = Schema.decodeEffect(Timestamp.FromIso)
const decodeDecimal = Schema.decodeEffect(Decimal.FromText)
const JsonText = Schema.fromJsonString(Schema.Json)
const encodeJson = Schema.encodeSync(JsonText)
const decodeJson = Schema.decodeEffect(JsonText)

interface ClaimRow {
  readonly at: string
  readonly meaning: string
  readonly request: string
}

/** Ids are read as text, which each database has for them without a doubt. */
interface OrderRow {
  readonly id: string
  readonly at: string
  readonly exchange: string
  readonly asked_client_id: string
  readonly due: string
  readonly attempt: number
  readonly request: string
}

interface EventRow {
  readonly id: string
  readonly at: string
  readonly event: string
}

interface FillRow {
  readonly id: string
  readonly at: string
  readonly fill: string
}

interface PositionRow {
  readonly exchange: string
  readonly product: string
  readonly amount: string
}

interface DecisionRow {
  readonly id: string
  readonly at: string
  readonly kind: string
  readonly exchange: string | null
  readonly client_id: string | null
  readonly reason: string
  readonly detail: string | null
}

/** An order as it was read. */
interface Entry {
  readonly id: bigint
  readonly at: Timestamp.Timestamp
  readonly of: string
  readonly due: Timestamp.Timestamp
  readonly attempt: number
  readonly order: Order.Order
  readonly texts: ReadonlySet<string>
}

type Failure = SqlError | Schema.SchemaError

const now = Effect.map(Clock.currentTimeMillis, (millis) => Timestamp.format(Timestamp.fromEpochMillis(millis)))

const columnsOf = (order: Order.Order) => {
  const average = Order.averagePrice(order)
  return {
    order_id: order.orderId ?? null,
    status: order.status,
    price: order.price === undefined ? null : Decimal.format(order.price),
    amount: Decimal.format(order.amount),
    filled: Decimal.format(order.filled),
    average_price: average === undefined ? null : Decimal.format(average),
    is_over: Number(isOver(order.status)),
    is_settled: Number(Order.isSettled(order))
  }
}

/**
 * Makes a storage over tables that are there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (sql: SqlClient.SqlClient): Storage.Storage["Service"] => {
  const locked = sql.literal(sql.onDialectOrElse({ pg: () => " FOR UPDATE", orElse: () => "" }))

  const claimOf = (clientId: string) =>
    Effect.map(
      sql<ClaimRow>`SELECT at, meaning, request FROM tickline_claims WHERE client_id = ${clientId}${locked}`,
      ([row]) => row
    )

  const claimed = Effect.fnUntraced(function*(request: OrderRequest, at: string) {
    const { clientId } = request
    const meaning = StoredOrder.meaning(request)
    const made = yield* sql`INSERT INTO tickline_claims ${
      sql.insert({ client_id: clientId, at, meaning, request: encodeRequest(request) })
    } ON CONFLICT (client_id) DO NOTHING RETURNING client_id`
    const row = yield* claimOf(clientId)
    if (row === undefined) return yield* Effect.die("a claim that was stored is not there")
    if (row.meaning !== meaning) return yield* new ClientIdInUse({ clientId, claimed: row.meaning })
    return {
      request: yield* decodeRequest(row.request),
      at: yield* decodeTimestamp(row.at),
      isFirst: made.length === 1
    }
  })

  /** Orders by a condition, each as its events make it. */
  const entries = Effect.fnUntraced(function*(conditions: ReadonlyArray<Fragment>, ending: Fragment) {
    const rows = yield* sql<
      OrderRow
    >`SELECT CAST(o.id AS TEXT) AS id, o.at, o.exchange, o.asked_client_id, o.due, o.attempt,
      o.request FROM tickline_orders o WHERE ${sql.and(conditions)} ${ending}`
    if (rows.length === 0) return []
    const events = yield* sql<
      { readonly order: string; readonly event: string }
    >`SELECT CAST(order_ref AS TEXT) AS "order", event
      FROM tickline_events WHERE ${sql.in("order_ref", rows.map(({ id }) => BigInt(id)))} ORDER BY id`
    const byOrder = Map.groupBy(events, ({ order }) => order)
    return yield* Effect.forEach(
      rows,
      Effect.fnUntraced(function*(row) {
        const texts = (byOrder.get(row.id) ?? []).map(({ event }) => event)
        const entry: Entry = {
          id: BigInt(row.id),
          at: yield* decodeTimestamp(row.at),
          of: row.asked_client_id,
          due: yield* decodeTimestamp(row.due),
          attempt: row.attempt,
          order: StoredOrder.fold(
            row.exchange,
            yield* decodeRequest(row.request),
            yield* Effect.forEach(texts, (text) => decodeEvent(text))
          ),
          texts: new Set(texts)
        }
        return entry
      })
    )
  })

  const latestFirst = sql.literal("ORDER BY o.id DESC LIMIT 1")

  const latest = (exchange: string, name: OrderName) =>
    Effect.map(
      entries([
        sql`o.exchange = ${exchange}`,
        name.clientId === undefined ? sql`o.order_id = ${name.orderId}` : sql`o.client_id = ${name.clientId}`
      ], latestFirst),
      ([entry]) => entry
    )

  const record = ({ clientId, detail, exchange, kind, reason }: Storage.Decision, at: string) =>
    sql`INSERT INTO tickline_decisions ${
      sql.insert({
        at,
        kind,
        exchange: exchange ?? null,
        client_id: clientId ?? null,
        reason,
        detail: detail === undefined ? null : encodeJson(detail)
      })
    }`

  /** Stores a fill and what it adds; `false` if another order has the trade. */
  const fill = Effect.fnUntraced(function*(entry: Entry, event: Fill, at: string) {
    const { amount, fee, feeAsset, price, product, side, tradeId } = event
    const { exchange } = entry.order
    const made = yield* sql`INSERT INTO tickline_fills ${
      sql.insert({
        at,
        order_ref: entry.id,
        exchange,
        product,
        side,
        trade_id: tradeId,
        price: Decimal.format(price),
        amount: Decimal.format(amount),
        fee: fee === undefined ? null : Decimal.format(fee),
        fee_asset: feeAsset ?? null,
        fill: encodeFill(event)
      })
    } ON CONFLICT (exchange, product, trade_id, side) DO NOTHING RETURNING id`
    if (made.length === 0) return false
    yield* sql`INSERT INTO tickline_positions ${sql.insert({ exchange, product, amount: "0" })}
      ON CONFLICT (exchange, product) DO NOTHING`
    const position = sql.and([sql`exchange = ${exchange}`, sql`product = ${product}`])
    const [row] = yield* sql<{ readonly amount: string }>`SELECT amount FROM tickline_positions
      WHERE ${position}${locked}`
    const before = yield* decodeDecimal(row?.amount ?? "0")
    const after = Decimal.format(BigDecimal.sum(before, StoredOrder.signed(event)))
    yield* sql`UPDATE tickline_positions SET amount = ${after} WHERE ${position}`
    return true
  })

  /** Stores an event, or says why it cannot be. */
  const apply = Effect.fnUntraced(function*(entry: Entry, event: Order.Input, at: string) {
    const text = encodeEvent(event)
    const next = StoredOrder.after(entry.order, event, entry.texts.has(text))
    if ("reason" in next) return Result.fail(next.reason)
    if (next === entry.order) return Result.succeed(next)
    if (event._tag === "Fill" && !(yield* fill(entry, event, at))) {
      return Result.fail(`trade ${event.tradeId} is one of another order`)
    }
    yield* sql`INSERT INTO tickline_events ${sql.insert({ at, order_ref: entry.id, event: text })}`
    yield* sql`UPDATE tickline_orders SET ${sql.update(columnsOf(next))} WHERE id = ${entry.id}`
    return Result.succeed(next)
  })

  const changing = (operation: string) =>
  <A, E extends ClientIdInUse | UnknownOrder = never>(
    effect: Effect.Effect<A, E | Failure>
  ): Effect.Effect<A, E | StorageError> =>
    SqlFailure.bounded(operation)(Effect.mapError(
      sql.withTransaction(effect),
      (error) => error._tag === "SqlError" || error._tag === "SchemaError" ? SqlFailure.make(operation)(error) : error
    ))

  /** Reads by pages, oldest first. `o` is what has an exchange and a client id, `alias` what is read. */
  const pages = <A extends Storage.Stored<unknown>>(
    operation: string,
    alias: "d" | "e" | "f" | "o",
    { after = 0, clientId, exchange }: Storage.Selection,
    read: (
      conditions: ReadonlyArray<Fragment>,
      ending: Fragment
    ) => Effect.Effect<ReadonlyArray<A>, Failure>
  ): Stream.Stream<A, StorageError> => {
    const id = sql.literal(`${alias}.id`)
    const of = sql.literal(alias === "d" ? "d" : "o")
    const selected = [
      ...(exchange === undefined ? [] : [sql`${of}.exchange = ${exchange}`]),
      ...(clientId === undefined ? [] : [sql`${of}.client_id = ${clientId}`])
    ]
    const ending = sql`ORDER BY ${id} LIMIT ${page}`
    return Stream.paginate(after, (cursor) =>
      read([sql`${id} > ${BigInt(cursor)}`, ...selected], ending).pipe(
        Effect.map((rows) => {
          const last = rows.at(-1)
          const isLast = last === undefined || rows.length < page
          return [rows, isLast ? Option.none<number>() : Option.some(last.cursor)] as const
        }),
        SqlFailure.of(operation)
      ))
  }

  const stored = <A>(row: { readonly id: string; readonly at: string }, value: Effect.Effect<A, Schema.SchemaError>) =>
    Effect.zipWith(decodeTimestamp(row.at), value, (at, value): Storage.Stored<A> => ({
      cursor: Number(row.id),
      at,
      value
    }))

  return {
    claim: (request) =>
      changing("claim")(Effect.gen(function*() {
        const claim = yield* claimed(request, yield* now)
        const made = claim.isFirst
          ? []
          : yield* entries([sql`o.asked_client_id = ${request.clientId}`], sql.literal("ORDER BY o.id"))
        return { ...claim, orders: made.map(({ order }) => order) }
      })),
    intend: (exchange, request, { asked = request, due } = {}) =>
      changing("intend")(Effect.gen(function*() {
        const at = yield* now
        const { clientId } = request
        const whole = yield* claimed(asked, at)
        const claim = asked.clientId === clientId ? whole : yield* claimed(request, at)
        const before = claim.isFirst ? undefined : yield* latest(exchange, { clientId })
        if (before !== undefined && !StoredOrder.didNotHappen(before.order)) {
          return { order: before.order, isNew: false }
        }
        const order = Order.make(exchange, request)
        yield* sql`INSERT INTO tickline_orders ${
          sql.insert({
            at,
            exchange,
            client_id: clientId,
            asked_client_id: asked.clientId,
            due: due === undefined ? at : Timestamp.format(due),
            attempt: (before?.attempt ?? 0) + 1,
            product: request.product,
            side: request.side,
            request: encodeRequest(request),
            ...columnsOf(order)
          })
        }`
        return { order, isNew: true }
      })),
    append: (exchange, clientId, event) =>
      changing("append")(Effect.gen(function*() {
        const at = yield* now
        const entry = (yield* claimOf(clientId)) && (yield* latest(exchange, { clientId }))
        if (entry === undefined) return yield* new UnknownOrder({ exchange, clientId })
        const applied = yield* apply(entry, event, at)
        if (Result.isFailure(applied)) {
          yield* record(StoredOrder.contradiction(exchange, clientId, applied.failure, event), at)
        }
        return applied
      })).pipe(
        // Once more changes nothing, if it was stored after all.
        Effect.retry({ while: (error) => error._tag === "StorageError" && error.isRetryable, schedule: insisting }),
        // The record of what was refused is committed.
        Effect.flatMap((applied) =>
          Result.isFailure(applied)
            ? Effect.fail(new ContradictoryEvent({ exchange, clientId, reason: applied.failure }))
            : Effect.succeed(applied.success)
        )
      ),
    order: (exchange, name) =>
      latest(exchange, name).pipe(
        Effect.map((entry) => entry?.order),
        SqlFailure.of("read an order")
      ),
    orders: ({ only, ...selection } = {}) =>
      pages("read orders", "o", selection, (conditions, ending) => {
        const state = only === undefined
          ? []
          : [only === "open" ? sql`o.is_over = 0` : sql`o.is_settled = 0`]
        return Effect.map(
          entries([...conditions, ...state], ending),
          (found) => found.map(({ at, due, id, of, order }) => ({ cursor: Number(id), at, value: order, of, due }))
        )
      }),
    events: (selection = {}) =>
      pages("read events", "e", selection, (conditions, ending) =>
        Effect.flatMap(
          sql<EventRow>`SELECT CAST(e.id AS TEXT) AS id, e.at, e.event FROM tickline_events e
            JOIN tickline_orders o ON o.id = e.order_ref WHERE ${sql.and(conditions)} ${ending}`,
          Effect.forEach((row) => stored(row, decodeEvent(row.event)))
        )),
    fills: (selection = {}) =>
      pages("read fills", "f", selection, (conditions, ending) =>
        Effect.flatMap(
          sql<FillRow>`SELECT CAST(f.id AS TEXT) AS id, f.at, f.fill FROM tickline_fills f
            JOIN tickline_orders o ON o.id = f.order_ref WHERE ${sql.and(conditions)} ${ending}`,
          Effect.forEach((row) => stored(row, decodeFill(row.fill)))
        )),
    positions: Effect.flatMap(
      sql<PositionRow>`SELECT exchange, product, amount FROM tickline_positions ORDER BY exchange, product`,
      Effect.forEach(({ amount, ...row }) => Effect.map(decodeDecimal(amount), (amount) => ({ ...row, amount })))
    ).pipe(SqlFailure.of("read positions")),
    decide: (decision) =>
      Effect.flatMap(now, (at) => record(decision, at)).pipe(
        Effect.asVoid,
        SqlFailure.of("decide")
      ),
    decisions: (selection = {}) =>
      pages("read decisions", "d", selection, (conditions, ending) =>
        Effect.flatMap(
          sql<DecisionRow>`SELECT CAST(d.id AS TEXT) AS id, d.at, d.kind, d.exchange, d.client_id, d.reason, d.detail
            FROM tickline_decisions d WHERE ${sql.and(conditions)} ${ending}`,
          Effect.forEach((row) =>
            stored(
              row,
              Effect.map(row.detail === null ? Effect.undefined : decodeJson(row.detail), (detail) => ({
                kind: row.kind,
                reason: row.reason,
                ...(row.exchange === null ? {} : { exchange: row.exchange }),
                ...(row.client_id === null ? {} : { clientId: row.client_id }),
                ...(detail === undefined ? {} : { detail })
              }))
            )
          )
        ))
  }
}
