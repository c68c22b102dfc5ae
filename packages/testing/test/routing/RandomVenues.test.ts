/**
 * Random orders through a router of dYdX, Coinbase and Hyperliquid, with lost
 * answers, outages and restarts: at the end balances, positions and what is
 * stored are what the three exchanges have, to the last digit.
 */
import { assert, describe, it } from "@effect/vitest"
import type { OrderRequest } from "@tickline/core/trading/OrderRequest"
import { isOver } from "@tickline/core/trading/OrderStatus"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Chance from "@tickline/testing/Chance"
import * as BigDecimal from "effect/BigDecimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { decimal, limit, market, names, pass, within, withVenues } from "./Venues.ts"

const seeds = [1, 2, 3, 4]

const steps = 40

const strategies: readonly [RoutingStrategy.RoutingStrategy, ...Array<RoutingStrategy.RoutingStrategy>] = [
  RoutingStrategy.priority(...names),
  RoutingStrategy.roundRobin(),
  RoutingStrategy.leastLatency,
  RoutingStrategy.fixed("coinbase")
]

const sum = (amounts: ReadonlyArray<Decimal.Decimal>) =>
  amounts.reduce((total, amount) => BigDecimal.sum(total, amount), Decimal.zero)

const some = (chance: Chance.Chance, clientId: string): OrderRequest => {
  const product = chance.pick<"BTC-USD" | "ETH-USD">(["BTC-USD", "ETH-USD"])
  const terms = { clientId, side: chance.pick<"buy" | "sell">(["buy", "sell"]) }
  if (chance.happens(0.5)) return market(product, terms)
  const price = decimal(String((product === "BTC-USD" ? 43_240 : 2_278) + chance.integer(20)))
  const timeInForce = chance.pick<OrderRequest["timeInForce"]>(["gtc", "ioc", "post-only"])
  return limit(product, { ...terms, price, timeInForce })
}

const brief = (all: ReadonlyArray<{ readonly product: string; readonly amount: Decimal.Decimal }>) =>
  all.filter(({ amount }) => amount.value !== 0n)
    .map(({ amount, product }) => `${product} ${Decimal.format(BigDecimal.normalize(amount))}`).toSorted()

describe("Random orders to three venues", () => {
  for (const seed of seeds) {
    it.effect(`seed ${seed}: sums are the exchanges' own`, () =>
      withVenues((desk) =>
        Effect.gen(function*() {
          const chance = Chance.make(seed)
          const { begin, reach, storage, venues } = desk
          const asked = new Map<string, OrderRequest>()
          const go = (effect: Effect.Effect<unknown, unknown>) =>
            Effect.forkScoped(Effect.ignore(effect), { startImmediately: true })
          const begun = Effect.gen(function*() {
            const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
            return { scope, router: yield* Scope.provide(begin, scope) }
          })
          let process = yield* begun
          for (let step = 0; step < steps; step++) {
            const name = chance.pick(names)
            switch (chance.integer(8)) {
              case 0:
              case 1:
              case 2:
              case 3: {
                const order = some(chance, `${seed}-${step}`)
                asked.set(order.clientId, order)
                yield* go(process.router.place(order, { strategy: chance.pick(strategies) }))
                break
              }
              case 4:
                venues[name].fault(chance.pick<"Withhold" | "Cut">(["Withhold", "Cut"]), chance.pick([0, Infinity]))
                break
              case 5:
                yield* reach(name, false)
                yield* pass(Duration.millis(chance.integer(5_000)))
                yield* reach(name, true)
                break
              case 6:
                if (chance.happens(0.5)) {
                  yield* Scope.close(process.scope, Exit.void)
                  process = yield* begun
                }
                break
              default:
                yield* pass(Duration.millis(chance.integer(3_000)))
            }
          }
          for (let minute = 0; minute < 3; minute++) yield* pass("1 minute")
          yield* Scope.close(process.scope, Exit.void)
          process = yield* begun
          yield* within("10 seconds", process.router.recovered)
          yield* pass("1 minute")

          const stored = yield* Stream.runCollect(storage.orders())
          assert.isAbove(stored.length, 5)
          for (const name of names) {
            const sent = stored.filter(({ value }) => value.exchange === name && value.orderId !== undefined)
            assert.strictEqual(venues[name].orders(), sent.length, `each order at ${name} is known, and sent once`)
          }
          for (const { value } of stored) {
            assert.notStrictEqual(value.status, "unknown", value.request.clientId)
            if (isOver(value.status)) {
              assert.isTrue(BigDecimal.equals(sum(value.fills.map(({ amount }) => amount)), value.filled))
            }
          }
          for (const [of, all] of Map.groupBy(stored, ({ of }) => of)) {
            const filled = sum(all.map(({ value }) => value.filled))
            const { amount } = asked.get(of) ?? assert.fail(of)
            assert.isTrue(BigDecimal.isLessThanOrEqualTo(filled, amount), `${of}: ${Decimal.format(filled)}`)
          }
          const { byExchange: each, failures, totals } = yield* within("2 seconds", process.router.balances)
          assert.deepStrictEqual(failures, [])
          for (const { asset, total } of totals) {
            const sums = names.map((name) => each.get(name)?.find((one) => one.asset === asset)?.total ?? Decimal.zero)
            assert.isTrue(BigDecimal.equals(total, sum(sums)), asset)
          }
          for (const name of names) {
            for (const { asset, total } of venues[name].balances()) {
              const told = each.get(name)?.find((one) => one.asset === asset)?.total ?? Decimal.zero
              assert.isTrue(BigDecimal.equals(told, total), `${asset} at ${name}: ${Decimal.format(told)}`)
            }
          }
          const { byExchange } = yield* within("2 seconds", process.router.positions)
          const kept = yield* storage.positions
          for (const name of ["dydx", "hyperliquid"] as const) {
            const theirs = brief(venues[name].positions())
            assert.deepStrictEqual(brief(byExchange.get(name) ?? []), theirs)
            assert.deepStrictEqual(brief(kept.filter(({ exchange }) => exchange === name)), theirs)
          }
        }), RoutingStrategy.priority(...names)))
  }
})
