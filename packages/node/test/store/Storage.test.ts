/** The storage in memory, on SQLite and on Postgres: one suite. */
import { assert, describe, it } from "@effect/vitest"
import * as MemoryStorage from "@tickline/core/trading/MemoryStorage"
import * as Order from "@tickline/core/trading/Order"
import {
  Acknowledged,
  Fill,
  NotSent,
  OrderUpdate,
  OutcomeUnknown,
  Reconciled,
  Rejected
} from "@tickline/core/trading/OrderEvent"
import { OrderRequest } from "@tickline/core/trading/OrderRequest"
import * as SqlStorage from "@tickline/core/trading/SqlStorage"
import * as Storage from "@tickline/core/trading/Storage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as Databases from "./Databases.ts"

type Service = Storage.Storage["Service"]

/** A storage that is empty, and how it is opened: each time as by another process. */
interface Fresh {
  readonly open: Effect.Effect<Service, never, Scope.Scope>
  readonly rows: (table: string) => Effect.Effect<ReadonlyArray<Record<string, unknown>>, never, Scope.Scope>
}

class Storages extends Context.Service<Storages, { readonly fresh: Effect.Effect<Fresh, never, Scope.Scope> }>()(
  "test/Storages"
) {}

const overDatabases = Layer.effect(
  Storages,
  Effect.map(Databases.Databases, (databases) => ({
    fresh: Effect.map(databases.fresh, ({ client }): Fresh => ({
      open: Effect.map(
        Layer.build(Layer.orDie(Layer.provide(SqlStorage.layer, client))),
        (built) => Context.get(built, Storage.Storage)
      ),
      rows: Effect.fnUntraced(function*(table) {
        const sql = Context.get(yield* Layer.build(client), SqlClient.SqlClient)
        return yield* Effect.orDie(sql`SELECT * FROM ${sql(table)}`)
      })
    }))
  }))
)

const inMemory = Layer.succeed(Storages, {
  fresh: Effect.map(Layer.build(MemoryStorage.layer), (built): Fresh => ({
    open: Effect.succeed(Context.get(built, Storage.Storage)),
    rows: () => Effect.succeed([])
  }))
})

const decimal = (text: string) => Decimal.parse(text) ?? assert.fail(text)

const request = (clientId: string, options?: Partial<OrderRequest>) =>
  new OrderRequest({
    product: "BTC-PERPETUAL",
    side: "buy",
    type: "limit",
    amount: decimal("1.50"),
    price: decimal("100.10"),
    timeInForce: "gtc",
    reduceOnly: false,
    clientId,
    ...options
  })

const exchange = "deribit"
const acknowledged = (clientId: string, orderId = `id-${clientId}`) =>
  new Acknowledged({ exchange, clientId, orderId, status: "open", filled: decimal("0") })
const fill = (clientId: string, tradeId: string, amount: string, options?: Partial<Fill>) =>
  new Fill({
    exchange,
    product: "BTC-PERPETUAL",
    side: "buy",
    clientId,
    price: decimal("100.10"),
    amount: decimal(amount),
    fee: decimal("-0.00010"),
    feeAsset: "BTC",
    tradeId,
    timestamp: Timestamp.parse("2026-11-26T14:00:00.123456789Z") ?? assert.fail(),
    liquidity: "maker",
    ...options
  })
const update = (clientId: string, status: OrderUpdate["status"], options?: Partial<OrderUpdate>) =>
  new OrderUpdate({ exchange, product: "BTC-PERPETUAL", side: "buy", clientId, status, ...options })

const idsOf = (orders: ReadonlyArray<Storage.Stored<Order.Order>>) => orders.map(({ value }) => value.request.clientId)
const collect = <A, E>(stream: Stream.Stream<Storage.Stored<A>, E>) => Stream.runCollect(stream)
const values = <A, E>(stream: Stream.Stream<Storage.Stored<A>, E>) =>
  Effect.map(Stream.runCollect(stream), (all) => all.map(({ value }) => value))

const subjects = [
  { name: "memory", layer: inMemory, isInstalled: true, isKept: false },
  ...Databases.all.map(({ isInstalled, layer, name }) => ({
    name,
    layer: Layer.provide(overDatabases, layer),
    isInstalled,
    isKept: true
  }))
]

for (const { isInstalled, isKept, layer, name } of subjects) {
  const skipped = isInstalled ? "" : " (skipped: not installed)"
  describe.skipIf(!isInstalled)(`Storage: ${name}${skipped}`, () => {
    it.layer(layer, { excludeTestServices: true })((it) => {
      const fresh = Effect.flatMap(Storages, ({ fresh }) => fresh)
      const opened = Effect.flatMap(fresh, ({ open }) => open)

      it.effect("a client id has one meaning, however it is written", () =>
        Effect.gen(function*() {
          const storage = yield* opened
          const first = yield* storage.claim(request("a"))
          assert.isTrue(first.isFirst)
          assert.deepStrictEqual(first.orders, [])
          const again = yield* storage.claim(request("a", { amount: decimal("1.5"), price: decimal("100.1000") }))
          assert.isFalse(again.isFirst)
          assert.strictEqual(Decimal.format(again.request.amount), "1.50")
          assert.strictEqual(Timestamp.format(again.at), Timestamp.format(first.at))
          const others: ReadonlyArray<Partial<OrderRequest>> = [
            { amount: decimal("1.51") },
            { price: decimal("100.11") },
            { side: "sell" },
            { product: "BTC-PERPETUAL2" },
            { timeInForce: "ioc" },
            { reduceOnly: true }
          ]
          for (const other of others) {
            const error = yield* Effect.flip(storage.claim(request("a", other)))
            assert.strictEqual(error._tag, "ClientIdInUse")
            const intended = yield* Effect.flip(storage.intend(exchange, request("a", other)))
            assert.strictEqual(intended._tag, "ClientIdInUse")
            assert.include(intended.message, "limit buy 1.5 \"BTC-PERPETUAL\" at 100.1 gtc")
          }
          assert.isTrue((yield* storage.claim(request("b", { amount: decimal("2") }))).isFirst)
          assert.deepStrictEqual(yield* collect(storage.orders()), [])
        }))

      it.effect("of many who claim or intend the same at once one is the first", () =>
        Effect.gen(function*() {
          const { open } = yield* fresh
          const storages = [yield* open, yield* open]
          const each = <A, E>(run: (storage: Service) => Effect.Effect<A, E>) =>
            Effect.all(storages.flatMap((storage) => Array.from({ length: 8 }, () => run(storage))), {
              concurrency: "unbounded"
            })
          const claims = yield* each((storage) => storage.claim(request("a")))
          assert.strictEqual(claims.filter(({ isFirst }) => isFirst).length, 1)
          const intents = yield* each((storage) => storage.intend(exchange, request("a")))
          assert.strictEqual(intents.filter(({ isNew }) => isNew).length, 1)
          const both = yield* each((storage) => storage.intend(exchange, request("b")))
          assert.strictEqual(both.filter(({ isNew }) => isNew).length, 1)
          const appended = yield* each((storage) => storage.append(exchange, "a", fill("a", "t", "0.5")))
          assert.isTrue(appended.every(({ fills }) => fills.length === 1))
          const [storage] = storages
          if (storage === undefined) return assert.fail()
          assert.strictEqual((yield* values(storage.events())).length, 1)
          assert.deepStrictEqual((yield* storage.positions).map(({ amount }) => Decimal.format(amount)), ["0.5"])
        }))

      it.effect("an order is intended once, and again only if it did not happen", () =>
        Effect.gen(function*() {
          const storage = yield* opened
          const first = yield* storage.intend(exchange, request("a"))
          assert.isTrue(first.isNew)
          assert.deepStrictEqual(first.order, Order.make(exchange, request("a")))
          assert.isFalse((yield* storage.intend(exchange, request("a"))).isNew)
          // Another exchange has an order of its own.
          assert.isTrue((yield* storage.intend("coinbase", request("a"))).isNew)
          yield* storage.append(exchange, "a", new NotSent({ exchange, clientId: "a", reason: "not connected" }))
          assert.isTrue((yield* storage.intend(exchange, request("a"))).isNew)
          yield* storage.append(exchange, "a", new OutcomeUnknown({ exchange, clientId: "a", reason: "cut" }))
          assert.isFalse((yield* storage.intend(exchange, request("a"))).isNew)
          yield* storage.append(exchange, "a", new Reconciled({ exchange, clientId: "a", status: "absent" }))
          assert.isTrue((yield* storage.intend(exchange, request("a"))).isNew)
          yield* storage.append(exchange, "a", new Rejected({ exchange, clientId: "a", reason: "no funds" }))
          assert.isTrue((yield* storage.intend(exchange, request("a"))).isNew)
          yield* storage.append(exchange, "a", acknowledged("a"))
          const again = yield* storage.intend(exchange, request("a"))
          assert.isFalse(again.isNew)
          assert.strictEqual(again.order.status, "open")
          const { orders } = yield* storage.claim(request("a"))
          assert.deepStrictEqual(
            orders.map((order) => [order.exchange, order.status]),
            [[exchange, "absent"], ["coinbase", "pending"], [exchange, "absent"], [exchange, "rejected"], [
              exchange,
              "open"
            ]]
          )
        }))

      it.effect("an order may be in an exchange's words, and means what was asked", () =>
        Effect.gen(function*() {
          const { open } = yield* fresh
          const storage = yield* open
          const asked = request("a", { product: "BTC-USD" })
          yield* storage.claim(asked)
          const sent = request("a", { price: decimal("100") })
          assert.strictEqual((yield* Effect.flip(storage.intend(exchange, sent)))._tag, "ClientIdInUse")
          assert.isTrue((yield* storage.intend(exchange, sent, { asked })).isNew)
          assert.isFalse((yield* storage.intend(exchange, sent, { asked })).isNew)
          const again = yield* open
          assert.deepStrictEqual((yield* again.order(exchange, { clientId: "a" }))?.request, sent)
          assert.deepStrictEqual((yield* again.claim(asked)).request, asked)
        }))

      it.effect("an order may be in parts, each under a client id of its own", () =>
        Effect.gen(function*() {
          const { open } = yield* fresh
          const storage = yield* open
          const asked = request("whole")
          const due = Timestamp.fromIso("2027-01-15T08:00:05Z") ?? assert.fail("no time")
          const part = request("part", { amount: decimal("1") })
          yield* storage.claim(asked)
          assert.isTrue((yield* storage.intend(exchange, part, { asked, due })).isNew)
          assert.isTrue((yield* storage.intend("coinbase", request("other"), { asked, due })).isNew)
          const again = yield* open
          assert.isFalse((yield* again.intend(exchange, part, { asked, due })).isNew)
          const other = request("part", { amount: decimal("2") })
          assert.strictEqual((yield* Effect.flip(again.intend(exchange, other, { asked })))._tag, "ClientIdInUse")
          const { orders } = yield* again.claim(asked)
          assert.deepStrictEqual(orders.map(({ request }) => request.clientId), ["part", "other"])
          const unfinished = yield* Stream.runCollect(again.orders({ only: "open" }))
          assert.deepStrictEqual(
            unfinished.map(({ due, of, value }) => [of, value.request.clientId, Timestamp.format(due)]),
            [["whole", "part", "2027-01-15T08:00:05Z"], ["whole", "other", "2027-01-15T08:00:05Z"]]
          )
        }))

      it.effect("an order is its events, each as it was said", () =>
        Effect.gen(function*() {
          const storage = yield* opened
          yield* storage.intend(exchange, request("a"))
          const said = [
            acknowledged("a"),
            fill("a", "t1", "0.500"),
            update("a", "open", { price: decimal("100.20"), amount: decimal("2.0") }),
            fill("a", "t2", "1.5"),
            update("a", "filled", { filled: decimal("2.000"), averagePrice: decimal("100.10000") })
          ]
          let order = Order.make(exchange, request("a"))
          for (const event of said) {
            order = Order.transition(order, event)
            assert.deepStrictEqual(yield* storage.append(exchange, "a", event), order)
          }
          assert.deepStrictEqual(yield* storage.order(exchange, { clientId: "a" }), order)
          assert.deepStrictEqual(yield* storage.order(exchange, { orderId: "id-a" }), order)
          assert.isUndefined(yield* storage.order("coinbase", { clientId: "a" }))
          assert.isUndefined(yield* storage.order(exchange, { orderId: "a" }))
          assert.deepStrictEqual(yield* values(storage.events()), said)
          const fills = yield* values(storage.fills())
          assert.deepStrictEqual(fills, [said[1], said[3]])
          assert.strictEqual(Decimal.format(fills[0]?.amount ?? assert.fail()), "0.500")
          assert.strictEqual(fills[0]?.timestamp?.toString(), "2026-11-26T14:00:00.123456789Z")
          assert.strictEqual(fills[0]?.liquidity, "maker")
          assert.deepStrictEqual(
            (yield* storage.positions).map(({ amount, ...of }) => ({ ...of, amount: Decimal.format(amount) })),
            [{ exchange, product: "BTC-PERPETUAL", amount: "2.000" }]
          )
        }))

      it.effect("what changes nothing is not stored, and what was said twice was said once", () =>
        Effect.gen(function*() {
          const storage = yield* opened
          yield* storage.intend(exchange, request("a"))
          const cut = new OutcomeUnknown({ exchange, clientId: "a", reason: "cut" })
          const reconciled = new Reconciled({
            exchange,
            clientId: "a",
            orderId: "id-a",
            status: "open",
            filled: decimal("0")
          })
          for (const event of [cut, cut, reconciled, cut, reconciled, fill("a", "t", "0.5"), fill("a", "t", "0.5")]) {
            yield* storage.append(exchange, "a", event)
          }
          for (let times = 0; times < 3; times++) {
            yield* storage.append(exchange, "a", update("a", "partially-filled", { filled: decimal("0.50") }))
          }
          assert.deepStrictEqual((yield* values(storage.events())).map(({ _tag }) => _tag), [
            "OutcomeUnknown",
            "Reconciled",
            "Fill"
          ])
          assert.deepStrictEqual((yield* storage.positions).map(({ amount }) => Decimal.format(amount)), ["0.5"])
        }))

      it.effect("what contradicts is refused, and kept as a decision", () =>
        Effect.gen(function*() {
          const storage = yield* opened
          const unknown = yield* Effect.flip(storage.append(exchange, "a", acknowledged("a")))
          assert.strictEqual(unknown._tag, "UnknownOrder")
          for (const clientId of ["a", "b"]) yield* storage.intend(exchange, request(clientId))
          const rejected = new Rejected({ exchange, clientId: "a", reason: "no funds" })
          yield* storage.append(exchange, "a", rejected)
          const filled = fill("a", "t", "1.5")
          const error = yield* Effect.flip(storage.append(exchange, "a", filled))
          assert.strictEqual(error._tag, "ContradictoryEvent")
          assert.strictEqual((yield* storage.order(exchange, { clientId: "a" }))?.status, "rejected")
          // A trade is one order's, on one side.
          yield* storage.append(exchange, "b", fill("b", "u", "0.5"))
          yield* storage.intend(exchange, request("c"))
          const other = yield* Effect.flip(storage.append(exchange, "c", fill("c", "u", "0.5")))
          assert.include(other.message, "trade u is one of another order")
          for (const wrong of [fill("c", "v", "0.5", { side: "sell" }), fill("c", "v", "0.5", { product: "ETH" })]) {
            assert.include((yield* Effect.flip(storage.append(exchange, "c", wrong))).message, "is no fill of")
          }
          // The other side of it, and what another product calls by the same id.
          yield* storage.intend(exchange, request("d", { side: "sell" }))
          yield* storage.append(exchange, "d", fill("d", "u", "0.5", { side: "sell" }))
          yield* storage.intend(exchange, request("e", { product: "ETH" }))
          yield* storage.append(exchange, "e", fill("e", "u", "0.5", { product: "ETH" }))
          assert.deepStrictEqual((yield* values(storage.fills())).map(({ clientId }) => clientId), ["b", "d", "e"])
          assert.deepStrictEqual(
            (yield* storage.positions).map(({ amount, product }) => [product, Decimal.format(amount)]),
            [["BTC-PERPETUAL", "0.0"], ["ETH", "0.5"]]
          )
          const decisions = yield* values(storage.decisions())
          assert.deepStrictEqual(decisions.map(({ clientId, kind }) => [kind, clientId]), [
            ["contradiction", "a"],
            ["contradiction", "c"],
            ["contradiction", "c"],
            ["contradiction", "c"]
          ])
          assert.deepInclude(decisions[0]?.detail, { _tag: "Fill", tradeId: "t", amount: "1.5" })
        }))

      it.effect("two accounts of one exchange are two, whatever their trades are called", () =>
        Effect.gen(function*() {
          const storage = yield* opened
          for (const account of ["one", "two"]) {
            yield* storage.intend(account, request(account))
            yield* storage.append(account, account, fill(account, "t", "0.5"))
          }
          assert.deepStrictEqual((yield* values(storage.fills())).map(({ clientId }) => clientId), ["one", "two"])
          assert.deepStrictEqual(
            (yield* storage.positions).map(({ amount, exchange }) => [exchange, Decimal.format(amount)]),
            [["one", "0.5"], ["two", "0.5"]]
          )
        }))

      it.effect("open orders are all that are not known to be over, unsettled ones miss fills too", () =>
        Effect.gen(function*() {
          const { open } = yield* fresh
          const before = yield* open
          for (const clientId of ["silent", "open", "unknown", "filled", "settled", "cancelled", "absent"]) {
            yield* before.intend(exchange, request(clientId))
          }
          yield* before.append(exchange, "open", acknowledged("open"))
          yield* before.append(
            exchange,
            "unknown",
            new OutcomeUnknown({ exchange, clientId: "unknown", reason: "cut" })
          )
          yield* before.append(exchange, "filled", update("filled", "filled", { filled: decimal("1.50") }))
          yield* before.append(exchange, "settled", fill("settled", "t", "1.5"))
          yield* before.append(exchange, "cancelled", update("cancelled", "cancelled", { filled: decimal("0") }))
          yield* before.append(exchange, "absent", new NotSent({ exchange, clientId: "absent", reason: "late" }))
          // After a restart.
          const storage = yield* open
          assert.deepStrictEqual(idsOf(yield* collect(storage.orders({ only: "open" }))), ["silent", "open", "unknown"])
          assert.deepStrictEqual(
            idsOf(yield* collect(storage.orders({ only: "unsettled" }))),
            ["silent", "open", "unknown", "filled"]
          )
          assert.deepStrictEqual(
            idsOf(yield* collect(storage.orders({ exchange: "coinbase" }))),
            []
          )
          assert.deepStrictEqual(idsOf(yield* collect(storage.orders({ clientId: "open" }))), ["open"])
        }))

      it.effect("is read by pages, from where a reader was", () =>
        Effect.gen(function*() {
          const storage = yield* opened
          const ids = Array.from({ length: 300 }, (_, index) => `o${index}`)
          for (const clientId of ids) {
            yield* storage.intend(exchange, request(clientId))
            yield* storage.append(exchange, clientId, fill(clientId, clientId, "0.01"))
            yield* storage.decide({ kind: "route", reason: "cheapest", clientId, detail: { fees: "0.01" } })
          }
          const all = yield* collect(storage.orders())
          assert.deepStrictEqual(idsOf(all), ids)
          const [, , third] = all
          assert.deepStrictEqual(idsOf(yield* collect(storage.orders({ after: third?.cursor }))), ids.slice(3))
          const fills = yield* collect(Stream.take(storage.fills({ exchange }), 200))
          assert.deepStrictEqual(fills.map(({ value }) => value.tradeId), ids.slice(0, 200))
          const rest = yield* values(storage.fills({ after: fills.at(-1)?.cursor }))
          assert.deepStrictEqual(rest.map(({ tradeId }) => tradeId), ids.slice(200))
          assert.strictEqual((yield* collect(storage.events())).length, 300)
          const decisions = yield* values(storage.decisions())
          assert.strictEqual(decisions.length, 300)
          assert.deepStrictEqual(decisions[7], {
            kind: "route",
            reason: "cheapest",
            clientId: "o7",
            detail: { fees: "0.01" }
          })
          assert.deepStrictEqual(yield* values(storage.decisions({ clientId: "o9" })), [
            { kind: "route", reason: "cheapest", clientId: "o9", detail: { fees: "0.01" } }
          ])
          assert.deepStrictEqual((yield* storage.positions).map(({ amount }) => Decimal.format(amount)), ["3.00"])
        }))

      it.effect.skipIf(!isKept)("the columns of an order are what its events make", () =>
        Effect.gen(function*() {
          const { open, rows } = yield* fresh
          const storage = yield* open
          yield* storage.intend(exchange, request("a"))
          yield* storage.append(exchange, "a", acknowledged("a"))
          yield* storage.append(exchange, "a", fill("a", "t", "1.500"))
          const [row] = yield* rows("tickline_orders")
          const { at, due, id, request: text, ...columns } = row ?? assert.fail()
          assert.isString(at)
          assert.strictEqual(due, at)
          assert.isDefined(id)
          assert.include(text, "\"amount\":\"1.50\"")
          assert.deepStrictEqual({ ...columns }, {
            exchange,
            client_id: "a",
            asked_client_id: "a",
            attempt: 1,
            product: "BTC-PERPETUAL",
            side: "buy",
            order_id: "id-a",
            status: "filled",
            price: "100.10",
            amount: "1.50",
            filled: "1.500",
            average_price: "100.10",
            is_over: 1,
            is_settled: 1
          })
        }))
    })
  })
}
