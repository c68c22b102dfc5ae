/**
 * Random orders through a router, with faults, lost answers, cut links and
 * restarts: whatever happens, no order is filled beyond what was asked, none is
 * sent twice, none is lost, and the sums are right to the last digit.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Order from "@tickline/core/trading/Order"
import { OrderRequest } from "@tickline/core/trading/OrderRequest"
import { isOver } from "@tickline/core/trading/OrderStatus"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Chance from "@tickline/testing/Chance"
import * as BigDecimal from "effect/BigDecimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { clientOf, decimal, type Desk, market, names, pass, product, request, talk, withMocks } from "./Desk.ts"

const seeds = [1, 2, 3, 4, 5, 6, 7, 8]

const steps = 60

const strategies: readonly [RoutingStrategy.RoutingStrategy, ...Array<RoutingStrategy.RoutingStrategy>] = [
  RoutingStrategy.priority(...names),
  RoutingStrategy.roundRobin(),
  RoutingStrategy.bestPrice,
  RoutingStrategy.leastLatency,
  RoutingStrategy.split,
  RoutingStrategy.fixed("second")
]

const sum = (amounts: ReadonlyArray<Decimal.Decimal>) =>
  amounts.reduce((total, amount) => BigDecimal.sum(total, amount), Decimal.zero)

const some = (chance: Chance.Chance, clientId: string): OrderRequest => {
  const side = chance.pick<"buy" | "sell">(["buy", "sell"])
  const amount = decimal(String(1 + chance.integer(chance.happens(0.3) ? 20_000 : 50)))
  if (chance.happens(0.3)) return market({ side, amount, clientId, timeInForce: chance.pick(["ioc", "fok"]) })
  return request({
    side,
    amount,
    clientId,
    price: decimal(`${43_245 + chance.integer(12)}.${chance.integer(10)}`),
    timeInForce: chance.pick(["gtc", "gtc", "ioc", "fok", "post-only"])
  })
}

/** What is held against each other at the end. */
const check = Effect.fnUntraced(function*(
  { mocks, storage }: Omit<Desk, "router">,
  router: Desk["router"],
  asked: ReadonlyMap<string, OrderRequest>
) {
  const stored = yield* Stream.runCollect(storage.orders())
  // None is lost: what the exchanges have, we know, as they have it.
  for (const name of names) {
    for (const order of mocks[name].exchange.holdings("AMANDA").orders) {
      const label = order.label ?? assert.fail("an order without a client id")
      assert.strictEqual(mocks[name].exchange.orders(label).length, 1, `${label} was sent to ${name} once`)
      const ours = stored.findLast(({ value }) => value.exchange === name && value.request.clientId === label)?.value
      assert.isDefined(ours, `${label} at ${name} is known`)
      if (ours === undefined) continue
      assert.isTrue(BigDecimal.equals(ours.filled, order.filled), `${label} at ${name} is filled as there`)
      assert.strictEqual(isOver(ours.status), order.state !== "open", `${label} at ${name}: ${ours.status}`)
      assert.isTrue(Order.isSettled(ours) || !isOver(ours.status), `all fills of ${label} are there`)
      assert.isTrue(BigDecimal.equals(ours.amount, order.amount))
    }
  }
  // A client id means one order, at whichever exchange it may have happened.
  for (const [clientId, all] of Map.groupBy(stored, ({ value }) => value.request.clientId)) {
    const happened = all.filter(({ value }) => value.status !== "absent" && value.status !== "rejected")
    assert.isAtMost(happened.length, 1, clientId)
  }
  // No more is filled than was asked for; what was traded back counts against it.
  for (const [of, all] of Map.groupBy(stored, ({ of }) => of)) {
    const order = asked.get(of) ?? assert.fail(of)
    const filled = (side: "buy" | "sell") =>
      sum(all.filter(({ value }) => value.request.side === side).map(({ value }) => value.filled))
    const back = order.side === "buy" ? filled("sell") : filled("buy")
    assert.isTrue(
      BigDecimal.isLessThanOrEqualTo(BigDecimal.subtract(filled(order.side), back), order.amount) &&
        BigDecimal.isLessThanOrEqualTo(back, order.amount),
      `${of}: ${Decimal.format(filled(order.side))} of ${Decimal.format(order.amount)}`
    )
  }
  // The sums are those of the exchanges.
  const held = names.map((name) => mocks[name].exchange.holdings("AMANDA").positions.get(product) ?? Decimal.zero)
  const ours = yield* storage.positions
  names.forEach((name, index) => {
    const amount = ours.find(({ exchange }) => exchange === name)?.amount ?? Decimal.zero
    assert.isTrue(BigDecimal.equals(amount, held[index] ?? Decimal.zero), `the position at ${name}`)
  })
  const positions = yield* Effect.forkScoped(router.positions, { startImmediately: true })
  yield* talk
  const { net } = yield* Fiber.join(positions)
  assert.isTrue(BigDecimal.equals(net[0]?.amount ?? Decimal.zero, sum(held)))
  return stored
})

describe("Random orders through a router", () => {
  for (const seed of seeds) {
    it.effect(`seed ${seed}: each has one outcome`, () =>
      withMocks((desk) =>
        Effect.gen(function*() {
          const chance = Chance.make(seed)
          const asked = new Map<string, OrderRequest>()
          const others = yield* Effect.forEach(names, (name) => clientOf(desk.mocks[name], "BERTA"))
          const go = (effect: Effect.Effect<unknown, unknown>) =>
            Effect.forkScoped(Effect.ignore(effect), { startImmediately: true })
          const begun = Effect.gen(function*() {
            const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
            const beginning = yield* Effect.forkScoped(Scope.provide(desk.begin, scope), { startImmediately: true })
            yield* pass("3 seconds")
            return { scope, router: yield* Fiber.join(beginning) }
          })
          let process = yield* begun
          for (let step = 0; step < steps; step++) {
            const { exchange, served } = desk.mocks[chance.pick(names)]
            switch (chance.integer(12)) {
              case 0:
              case 1:
              case 2:
              case 3: {
                const order = some(chance, `${seed}-${step}`)
                asked.set(order.clientId, order)
                yield* go(process.router.place(order, {
                  strategy: chance.pick(strategies),
                  deadline: Duration.millis(500 + chance.integer(4_000))
                }))
                break
              }
              case 4: {
                const [, order] = [...asked][chance.integer(asked.size || 1)] ?? []
                if (order !== undefined) yield* go(process.router.place(order))
                break
              }
              case 5: {
                const [clientId] = [...asked][chance.integer(asked.size || 1)] ?? []
                if (clientId !== undefined) yield* go(Stream.runDrain(process.router.cancel(clientId)))
                break
              }
              case 6: {
                const other = others[chance.integer(others.length)]
                const order = some(chance, `other-${step}`)
                if (other !== undefined) {
                  yield* go(Stream.runDrain(other.place(new OrderRequest({ ...order, product }))))
                }
                break
              }
              case 7:
                exchange.fault({
                  _tag: chance.pick(["Withhold", "Cut"]),
                  method: chance.pick(["private/buy", "private/sell", "private/cancel", "subscription"]),
                  takenAfter: chance.pick([0, 300, Infinity])
                })
                break
              case 8:
                yield* served.host.drop
                break
              case 9:
                exchange.settlement(chance.happens(0.3))
                break
              case 10:
                if (chance.happens(0.5)) {
                  yield* Scope.close(process.scope, Exit.void)
                  process = yield* begun
                }
                break
              default:
                yield* pass(Duration.millis(chance.integer(3_000)))
            }
            if (chance.happens(0.4)) yield* talk
          }
          for (const name of names) desk.mocks[name].exchange.settlement(false)
          yield* pass("1 minute")
          yield* Scope.close(process.scope, Exit.void)
          process = yield* begun
          yield* pass("1 minute")
          yield* process.router.recovered
          const stored = yield* check(desk, process.router, asked)
          assert.isAbove(stored.length, 5)
        }), { hasBooks: true }))
  }
})
