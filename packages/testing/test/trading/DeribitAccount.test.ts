/** What Deribit says of an account: its executions, its money, its positions, and how it can be reached. */
import { assert, describe, it } from "@effect/vitest"
import type { Exchange, Health } from "@tickline/core/trading/Exchange"
import type { Fill } from "@tickline/core/trading/OrderEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { product } from "../exchange/Trader.ts"
import { refusals } from "../Rig.ts"
import { decimal, give, market, other, pass, request, talk, withDesk } from "./Desk.ts"

const fillsOf = (orders: Exchange["Service"], since?: Timestamp.Timestamp) =>
  Effect.gen(function*() {
    const fills: Array<Fill> = []
    yield* Effect.forkScoped(
      Effect.ignore(Stream.runForEach(orders.fills({ since }), (fill) => Effect.sync(() => void fills.push(fill)))),
      { startImmediately: true }
    )
    yield* talk
    return fills
  })

const brief = ({ amount, clientId, side }: Fill): string => `${clientId} ${side} ${Decimal.format(amount)}`

describe("An account at Deribit", () => {
  it.effect("tells each execution once, those of a time without a connection included", () =>
    withDesk(({ orders, served }) =>
      Effect.gen(function*() {
        const fills = yield* fillsOf(orders)
        const first = yield* other
        yield* give(orders.place(request({ price: decimal(first.between), clientId: "one" })))
        yield* first.sell("4", first.between)
        assert.deepStrictEqual(fills.map(brief), ["one buy 4"])
        yield* served.host.drop
        const second = yield* other
        yield* second.sell("1", first.between)
        yield* second.sell("2", first.between)
        assert.strictEqual(fills.length, 1)
        yield* pass("2 seconds")
        assert.deepStrictEqual(fills.map(brief), ["one buy 4", "one buy 1", "one buy 2"])
        const third = yield* other
        yield* third.sell("3", first.between)
        yield* pass("30 seconds")
        assert.deepStrictEqual(fills.map(brief).slice(3), ["one buy 3"])
        assert.strictEqual(new Set(fills.map(({ tradeId }) => tradeId)).size, fills.length)
      })
    ))

  it.effect("tells those that no notice brought", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const fills = yield* fillsOf(orders)
        const { between, sell } = yield* other
        yield* give(orders.place(request({ price: decimal(between) })))
        exchange.fault({ _tag: "Withhold", method: "subscription", calls: 10 })
        yield* sell("4", between)
        assert.deepStrictEqual(fills, [])
        yield* pass("10 seconds")
        assert.deepStrictEqual(fills.map(brief), ["mine buy 4"])
      })
    ))

  it.effect("tells those of a long outage, though the exchange does not answer at first", () =>
    withDesk(({ exchange, orders, served }) =>
      Effect.gen(function*() {
        const fills = yield* fillsOf(orders)
        const first = yield* other
        yield* give(orders.place(request({ price: decimal(first.between) })))
        yield* pass("1 minute")
        yield* served.host.drop
        const second = yield* other
        exchange.fault({ _tag: "Withhold", method: "private/get_user_trades_by_currency", calls: 5 })
        yield* served.host.script(...refusals(6))
        yield* second.sell("1", first.between)
        yield* pass("20 seconds")
        yield* second.sell("2", first.between)
        yield* pass("5 seconds")
        assert.deepStrictEqual(fills.map(brief), ["mine buy 2"])
        yield* pass("1 minute")
        assert.deepStrictEqual(fills.map(brief), ["mine buy 2", "mine buy 1"])
      })
    ))

  it.effect("tells those since a time, and none before", () =>
    withDesk(({ orders }) =>
      Effect.gen(function*() {
        yield* give(orders.place(market({ amount: decimal("5"), clientId: "before" })))
        yield* pass("1 minute")
        const since = Timestamp.fromEpochMillis(yield* Clock.currentTimeMillis)
        yield* pass("1 minute")
        yield* give(orders.place(market({ amount: decimal("6"), clientId: "after" })))
        yield* pass("1 minute")
        const fills = yield* fillsOf(orders, since)
        yield* pass("2 seconds")
        assert.deepStrictEqual([...new Set(fills.map(({ clientId }) => clientId))], ["after"])
      })
    ))

  it.effect("has its money, its positions and the rules of what it trades, exactly", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        yield* give(orders.place(market({ amount: decimal("50"), side: "sell" })))
        const balances = yield* orders.balances()
        const btc = balances.find(({ asset }) => asset === "BTC")
        assert.isDefined(btc)
        assert.isTrue(Decimal.isPositive(btc?.total ?? Decimal.zero))
        assert.strictEqual(balances.find(({ asset }) => asset === "USD"), undefined)
        const positions = yield* orders.positions()
        assert.deepStrictEqual(
          positions.map(({ amount, exchange, product }) => [exchange, product, Decimal.format(amount)]),
          [["deribit", product, "-50"]]
        )
        assert.deepStrictEqual(
          [...exchange.holdings("AMANDA").positions].map(([product, size]) => [product, Decimal.format(size)]),
          [[product, "-50"]]
        )
        const instrument = yield* orders.instrument(product)
        assert.strictEqual(Decimal.format(instrument.tick), "0.1")
        const error = yield* Effect.flip(orders.instrument("NOTHING"))
        assert.deepInclude(error, { _tag: "ExchangeError", exchange: "deribit", reason: "Refused" })
      })
    ))

  it.effect("says whether it can be reached", () =>
    withDesk(({ orders, served }) =>
      Effect.gen(function*() {
        const said: Array<Health["_tag"]> = []
        assert.strictEqual((yield* orders.health.current)._tag, "Idle")
        yield* orders.connect
        yield* Effect.forkScoped(
          Stream.runForEach(orders.health.changes, ({ _tag }) => Effect.sync(() => void said.push(_tag))),
          { startImmediately: true }
        )
        yield* talk
        assert.strictEqual((yield* orders.health.current)._tag, "Live")
        yield* served.host.drop
        yield* talk
        assert.notStrictEqual((yield* orders.health.current)._tag, "Live")
        yield* pass("5 seconds")
        assert.strictEqual((yield* orders.health.current)._tag, "Live")
        assert.include(said, "Down")
      })
    ))

  it.effect("says why it was not asked", () =>
    withDesk(({ orders, served }) =>
      Effect.gen(function*() {
        yield* served.host.script(...refusals(100))
        const asked = yield* Effect.forkScoped(Effect.flip(orders.balances({ deadline: "2 seconds" })))
        yield* pass("3 seconds")
        const error = yield* Fiber.join(asked)
        assert.deepInclude(error, { _tag: "ExchangeError", reason: "Unreachable" })
      })
    ))
})
