/** Whatever is said of orders, and in whatever order: what is stored is what `Order` makes of it, also after a restart. */
import { assert, describe, it } from "@effect/vitest"
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
import { OrderStatus } from "@tickline/core/trading/OrderStatus"
import * as SqlStorage from "@tickline/core/trading/SqlStorage"
import * as Storage from "@tickline/core/trading/Storage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Chance from "@tickline/testing/Chance"
import * as BigDecimal from "effect/BigDecimal"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Databases from "./Databases.ts"
import { exchange, requestOf } from "./Script.ts"

const clientIds = ["a", "b", "c"] as const

/** An amount of at most three, written with more or fewer zeros. */
const amountOf = (chance: Chance.Chance, least: number) => {
  const digits = chance.integer(4)
  return BigDecimal.make(BigInt(least + chance.integer(3)) * 10n ** BigInt(digits), digits)
}

const eventOf = (chance: Chance.Chance, clientId: string): Order.Input => {
  const status = OrderStatus.literals[chance.integer(OrderStatus.literals.length)] ?? "open"
  const named = { exchange, clientId, ...(chance.integer(2) === 0 ? {} : { orderId: `id-${clientId}` }) }
  const filled = chance.integer(2) === 0 ? {} : { filled: amountOf(chance, 0) }
  switch (chance.integer(8)) {
    case 0:
      return new Acknowledged({ ...named, status, filled: amountOf(chance, 0) })
    case 1:
      return new Rejected({ ...named, reason: "no funds" })
    case 2:
      return new NotSent({ ...named, reason: "late" })
    case 3:
      return new OutcomeUnknown({ ...named, reason: "cut" })
    case 4:
      return new Reconciled({ ...named, status, ...filled })
    case 5:
      return new OrderUpdate({ ...named, status, ...filled })
    default:
      return new Fill({
        ...named,
        product: "BTC-PERPETUAL",
        side: "buy",
        price: BigDecimal.make(4_000_050n, 2),
        amount: amountOf(chance, 1),
        tradeId: `t${chance.integer(12)}`
      })
  }
}

const valueOf = ({ amount, averagePrice, filled, fills, orderId, outcome, price, status }: Order.Order) =>
  JSON.stringify({
    amount,
    averagePrice,
    filled,
    fills: fills.map(({ tradeId }) => tradeId),
    orderId,
    outcome,
    price,
    status
  })

for (const { isInstalled, layer, name } of Databases.all) {
  const skipped = isInstalled ? "" : " (skipped: not installed)"
  describe.skipIf(!isInstalled)(`Anything said of orders: ${name}${skipped}`, () => {
    it.layer(layer, { excludeTestServices: true })((it) => {
      for (let seed = 1; seed <= 3; seed++) {
        it.effect(`is stored as an order makes it: seed ${seed}`, () =>
          Effect.gen(function*() {
            const chance = Chance.make(seed)
            const database = yield* Effect.flatMap(Databases.Databases, ({ fresh }) => fresh)
            const open = Effect.map(
              Layer.build(Layer.provide(SqlStorage.layer, database.client)),
              (built) => Context.get(built, Storage.Storage)
            )
            const expected = new Map(clientIds.map((clientId) => [clientId, Order.make(exchange, requestOf(clientId))]))
            const trades = new Map<string, string>()
            let storage = yield* open
            yield* Effect.forEach(clientIds, (clientId) => storage.intend(exchange, requestOf(clientId)))
            for (let step = 0; step < 120; step++) {
              if (chance.integer(30) === 0) storage = yield* open
              const clientId = clientIds[chance.integer(clientIds.length)] ?? "a"
              const before = expected.get(clientId) ?? assert.fail()
              const event = eventOf(chance, clientId)
              const given = yield* Effect.result(storage.append(exchange, clientId, event))
              const isOthers = event._tag === "Fill" && (trades.get(event.tradeId) ?? clientId) !== clientId
              if (Result.isFailure(given)) {
                assert.strictEqual(given.failure._tag, "ContradictoryEvent")
                assert.isTrue(isOthers || !Order.allows(before, event), `${event._tag} is allowed`)
                continue
              }
              if (!Order.allows(before, event)) {
                // It was said before, in the same words.
                assert.strictEqual(valueOf(given.success), valueOf(before))
                continue
              }
              assert.isFalse(isOthers)
              const after = Order.transition(before, event)
              if (event._tag === "Fill") trades.set(event.tradeId, clientId)
              // What is the same by value stays as it was written first.
              if (valueOf(given.success) !== valueOf(before)) assert.strictEqual(valueOf(given.success), valueOf(after))
              expected.set(clientId, given.success)
            }
            const again = yield* open
            for (const [clientId, order] of expected) {
              assert.strictEqual(valueOf((yield* again.order(exchange, { clientId })) ?? assert.fail()), valueOf(order))
            }
            const filled = [...expected.values()].flatMap(({ fills }) => fills)
            const sum = filled.reduce((sum, { amount }) => BigDecimal.sum(sum, amount), Decimal.zero)
            const [position] = yield* again.positions
            assert.isTrue(BigDecimal.equals(position?.amount ?? Decimal.zero, sum))
          }))
      }
    })
  })
}
