/** A trader through its front door: signals and prices in, orders at mock exchanges out. */
import { assert, describe, it } from "@effect/vitest"
import type { OrderRequest } from "@tickline/core/trading/OrderRequest"
import * as Portfolio from "@tickline/core/trading/Portfolio"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import { StorageError } from "@tickline/core/trading/StorageError"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { decimal, heldOf, market, pass, within } from "../routing/Venues.ts"
import { begin, lastOf, lotsOf, marketOf, only, ordersOf, recovered, sound, tags, withTrader } from "./TraderRig.ts"

describe("A trader", () => {
  it.effect("makes an order of a signal, and a lot with a stop and a target of its fills", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        const had = heldOf(desk, "ETH")
        yield* process.signal("buy", "ETH-USD")
        yield* pass("1 second")
        assert.deepStrictEqual(tags(process), ["Recovered", "Entering", "Opened"])
        assert.strictEqual(ordersOf(desk), 1)
        const { lots } = yield* process.trader.portfolio
        const [lot] = lots.values()
        assert.strictEqual(lot?.exchange, "coinbase")
        const { amount = decimal("0"), entryPrice = decimal("0"), stop, target } = lot ?? {}
        assert.isTrue(BigDecimal.equals(amount, BigDecimal.subtract(heldOf(desk, "ETH"), had)))
        assert.isTrue(BigDecimal.equals(stop ?? decimal("0"), BigDecimal.multiply(entryPrice, decimal("0.95"))))
        assert.isTrue(BigDecimal.equals(target ?? decimal("0"), BigDecimal.multiply(entryPrice, decimal("1.1"))))
        yield* sound(process)
      })
    ))

  it.effect("closes a lot when its stop is reached, and when its target is", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        const had = heldOf(desk, "ETH")
        yield* process.signal("buy", "ETH-USD")
        yield* pass("1 second")
        yield* process.price("ETH-USD", "2170")
        assert.deepStrictEqual(tags(process), ["Recovered", "Entering", "Opened"])
        yield* process.price("ETH-USD", "2160")
        yield* pass("1 second")
        assert.deepStrictEqual(tags(process).slice(3), ["Exiting", "Closed"])
        const closed = lastOf(process)
        assert.strictEqual(closed?._tag === "Closed" ? closed.why : undefined, "stop")
        assert.isTrue(BigDecimal.equals(heldOf(desk, "ETH"), had))

        yield* process.price("ETH-USD", marketOf["ETH-USD"])
        yield* process.signal("buy", "ETH-USD", { confidence: 0.9 })
        yield* pass("1 second")
        yield* process.price("ETH-USD", "2520")
        yield* pass("1 second")
        const last = lastOf(process)
        assert.strictEqual(last?._tag === "Closed" ? last.why : undefined, "target")
        assert.deepStrictEqual(yield* lotsOf(process), [])
        yield* sound(process)
      })
    ))

  it.effect("closes a long by a sell, and enters a short only if it may", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        yield* process.signal("sell", "BTC-USD")
        assert.deepStrictEqual(tags(process), ["Recovered", "ERR_NOTHING_TO_CLOSE"])
        yield* process.signal("buy", "BTC-USD")
        yield* pass("1 second")
        yield* process.signal("sell", "BTC-USD")
        yield* pass("1 second")
        assert.deepStrictEqual(tags(process).slice(2), ["Entering", "Opened", "Exiting", "Closed"])
        assert.deepStrictEqual(desk.venues.dydx.positions(), [])
        yield* process.kill

        const other = yield* recovered(desk, { shorts: true })
        yield* other.signal("sell", "BTC-USD")
        yield* pass("1 second")
        const [lot = ""] = yield* lotsOf(other)
        assert.match(lot, /^short 1\.\d+ BTC-USD at dydx$/)
        yield* other.price("BTC-USD", "45500")
        yield* pass("1 second")
        const last = lastOf(other)
        assert.strictEqual(last?._tag === "Closed" ? last.why : undefined, "stop")
        yield* sound(other)
      })
    ))

  it.effect("closes what was bought by an order that is not reduce-only, where there are no positions", () =>
    withTrader(
      (process, desk) =>
        Effect.gen(function*() {
          const had = heldOf(desk, "PURR")
          yield* process.signal("buy", "PURR-USD")
          yield* pass("2 seconds")
          yield* process.signal("sell", "PURR-USD")
          yield* pass("2 seconds")
          assert.deepStrictEqual(tags(process), ["Recovered", "Entering", "Opened", "Exiting", "Closed"])
          assert.isTrue(BigDecimal.equals(heldOf(desk, "PURR"), had))
          yield* sound(process)
        }),
      { strategy: RoutingStrategy.fixed("hyperliquid"), capital: decimal("10000") }
    ))

  it.effect("closes a position by a plain order where the exchange has no reduce-only orders", () =>
    withTrader((first, desk) =>
      Effect.gen(function*() {
        yield* first.kill
        const lacks = ({ reduceOnly }: OrderRequest) => reduceOnly ? "reduce-only: there are no such orders" : undefined
        const process = yield* recovered(only(desk, { ...desk.venues.dydx.exchange, lacks }))
        yield* process.signal("buy", "BTC-USD")
        yield* pass("1 second")
        yield* process.signal("sell", "BTC-USD")
        yield* pass("1 second")
        assert.deepStrictEqual(tags(process), ["Recovered", "Entering", "Opened", "Exiting", "Closed"])
        assert.deepStrictEqual(desk.venues.dydx.positions(), [])
      })
    ))

  it.effect("places nothing while an order of the product is under way, nor the same signal twice", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        desk.venues.coinbase.fault("Withhold", 0)
        yield* process.signal("buy", "ETH-USD")
        yield* process.signal("buy", "ETH-USD", { confidence: 0.9 })
        assert.deepStrictEqual(tags(process), ["Recovered", "Entering", "ERR_ORDER_IN_FLIGHT"])
        yield* pass("20 seconds")
        assert.deepStrictEqual(tags(process).slice(3), ["Opened"])
        yield* process.signal("buy", "ETH-USD")
        assert.deepStrictEqual(tags(process).slice(4), ["ERR_DUPLICATE_SIGNAL"])
        assert.strictEqual(ordersOf(desk), 1)
      })
    ))

  it.effect("tries to close a lot again until it is closed, each time after the one before is over", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        yield* process.signal("buy", "ETH-USD")
        yield* pass("1 second")
        yield* desk.reach("coinbase", false)
        yield* process.price("ETH-USD", "2000")
        yield* pass("10 seconds")
        assert.include(tags(process), "NotClosed")
        yield* desk.reach("coinbase", true)
        yield* pass("2 minutes")
        assert.deepStrictEqual(tags(process).slice(-1), ["Closed"])
        assert.strictEqual(ordersOf(desk), 2)
        yield* sound(process)
      })
    ))

  it.effect("halts: cancels what rests, whoever placed it, and places nothing until it is cleared", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        yield* process.signal("buy", "ETH-USD", { price: decimal("2000") })
        yield* pass("1 second")
        assert.strictEqual(ordersOf(desk), 1)
        const halt = yield* within("1 second", process.trader.halt("by hand"))
        const { orders, ...rest } = halt
        assert.deepStrictEqual(rest, { cancelled: 1, open: [], failures: [] })
        assert.deepStrictEqual(orders.map(({ exchange, status }) => [exchange, status]), [["coinbase", "cancelled"]])
        assert.deepStrictEqual(yield* process.trader.state.current, { _tag: "Halted", reason: "by hand" })
        yield* process.signal("buy", "ETH-USD", { confidence: 0.9 })
        assert.deepStrictEqual(tags(process).slice(-1), ["ERR_NOT_TRADING"])
        const again = yield* within("1 second", process.trader.halt("again"))
        assert.deepStrictEqual(again, { cancelled: 0, orders: [], open: [], failures: [] })
        yield* process.kill

        const other = yield* recovered(desk)
        assert.deepStrictEqual(yield* other.trader.state.current, { _tag: "Halted", reason: "by hand" })
        yield* other.trader.clear
        assert.deepStrictEqual(yield* other.trader.state.current, { _tag: "Trading" })
        yield* other.signal("buy", "ETH-USD", { confidence: 0.9 })
        yield* pass("1 second")
        assert.deepStrictEqual(tags(other).slice(-2), ["Entering", "Opened"])
      }), { limits: { products: ["ETH-USD"], timeInForce: "gtc" }, patience: "1 hour" }))

  it.effect("cancels an order that rests for longer than it is patient", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        yield* process.signal("buy", "ETH-USD", { price: decimal("2000") })
        yield* pass("25 seconds")
        assert.strictEqual((yield* desk.storage.orders({ only: "open" }).pipe(Stream.runCollect)).length, 1)
        yield* pass("10 seconds")
        assert.strictEqual((yield* desk.storage.orders({ only: "open" }).pipe(Stream.runCollect)).length, 0)
        // It came to nothing, so that the same signal may be given again.
        yield* process.signal("buy", "ETH-USD", { price: decimal(marketOf["ETH-USD"]) })
        yield* pass("1 second")
        assert.deepStrictEqual(tags(process), ["Recovered", "Entering", "NotFilled", "Entering", "Opened"])
      }), { limits: { products: ["ETH-USD"], timeInForce: "gtc" } }))

  it.effect("compares what it knows with what the exchanges say, in both directions", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        for (const product of ["BTC-USD", "ETH-USD", "SOL-USD"] as const) {
          yield* process.signal("buy", product)
          yield* pass("1 second")
        }
        assert.strictEqual((yield* process.trader.portfolio).lots.size, 3)
        const report = yield* within("1 second", process.trader.reconcile)
        assert.strictEqual(report?.status, "Ok")
        assert.deepStrictEqual(report?.differences, [])
        assert.isAbove(report?.compared ?? 0, 5)
        // Somebody else trades with the same account.
        const stranger = yield* recovered(desk)
        yield* Effect.forkScoped(Effect.ignore(stranger.router.place(market("BTC-USD", { clientId: "another's" }))))
        yield* pass("5 minutes")
        for (let second = 0; second < 10; second++) yield* pass("1 second")
        const last = process.events.findLast(({ _tag }) => _tag === "Reconciled")
        const found = last?._tag === "Reconciled" ? last.report : undefined
        assert.strictEqual(found?.status, "Critical")
        assert.includeMembers(found?.differences.map(({ kind, name }) => `${kind} ${name}`) ?? [], ["position BTC-USD"])
      })
    ))

  it.effect("knows after a restart what it had, what it gained and how often it may trade", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        yield* process.signal("buy", "ETH-USD")
        yield* pass("1 second")
        yield* process.signal("sell", "ETH-USD")
        yield* pass("1 second")
        yield* process.signal("buy", "BTC-USD")
        yield* pass("1 second")
        const before = yield* process.trader.portfolio
        const performance = yield* process.trader.performance
        assert.strictEqual(performance.trades, 1)
        yield* process.kill
        const other = yield* recovered(desk, { limits: { products: ["BTC-USD", "ETH-USD"], perHour: 2 } })
        assert.deepStrictEqual(yield* lotsOf(other), yield* lotsOf(process))
        const after = yield* other.trader.portfolio
        assert.isTrue(BigDecimal.equals(after.cash, before.cash))
        assert.isTrue(BigDecimal.equals(after.realized, before.realized))
        const again = yield* other.trader.performance
        assert.deepStrictEqual([again.trades, again.losses], [performance.trades, performance.losses])
        yield* other.signal("buy", "ETH-USD", { confidence: 0.9 })
        assert.deepStrictEqual(tags(other), ["Recovered", "ERR_HOURLY_LIMIT"])
        const report = yield* within("1 second", other.trader.reconcile)
        assert.strictEqual(report?.status, "Ok")
      })
    ))

  it.effect("places nothing once it is halted, also at the next exchange, and also what is about to be placed", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        yield* process.kill
        const slow = {
          ...desk.storage,
          decide: (decision: Parameters<typeof desk.storage.decide>[0]) =>
            Effect.delay(desk.storage.decide(decision), decision.kind === "enter" ? "2 seconds" : 0)
        }
        const other = yield* recovered(desk, { storage: slow })
        // Not placed yet: its decision is being stored.
        yield* other.signal("buy", "ETH-USD")
        yield* pass("1 second")
        yield* within("10 seconds", other.trader.halt("by hand"))
        assert.strictEqual(ordersOf(desk), 0)
        assert.deepStrictEqual(tags(other).slice(-3), ["Entering", "Halted", "ERR_NOT_TRADING"])

        // The first exchange never gets it; it is not known yet.
        yield* other.trader.clear
        desk.venues.coinbase.fault("Withhold", Infinity)
        yield* other.signal("buy", "ETH-USD", { confidence: 0.9 })
        yield* pass("3 seconds")
        yield* within("30 seconds", other.trader.halt("by hand"))
        yield* pass("1 minute")
        assert.strictEqual(ordersOf(desk), 0)
        assert.deepStrictEqual(tags(other).slice(-3), ["Entering", "Halted", "ERR_NOT_TRADING"])
      }), { strategy: RoutingStrategy.priority("coinbase", "dydx") }))

  it.effect("halts also if the halt cannot be stored, and says that it could not", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        yield* process.kill
        const storage: typeof desk.storage = {
          ...desk.storage,
          decide: (decision) =>
            decision.kind === "halt"
              ? new StorageError({ operation: "decide", isRetryable: false, cause: "the disk is full" })
              : desk.storage.decide(decision)
        }
        const other = yield* begin(desk, {
          storage,
          limits: { products: ["ETH-USD"], timeInForce: "gtc" },
          patience: "1 hour"
        })
        yield* pass("2 seconds")
        yield* other.signal("buy", "ETH-USD", { price: decimal("2000") })
        yield* pass("1 second")
        const open = () => Stream.runCollect(desk.storage.orders({ only: "open" }))
        assert.strictEqual((yield* open()).length, 1)
        const error = yield* within("1 second", Effect.flip(other.trader.halt("by hand")))
        assert.strictEqual(error._tag, "StorageError")
        assert.strictEqual((yield* open()).length, 0)
        assert.strictEqual((yield* other.trader.state.current)._tag, "Halted")
      })
    ))

  it.effect("cancels after a restart what a process left that ended while it halted", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        yield* process.signal("buy", "ETH-USD", { price: decimal("2000") })
        yield* pass("1 second")
        yield* process.kill
        yield* desk.storage.decide({ kind: "halt", reason: "by hand" })
        const other = yield* begin(desk)
        yield* pass("5 seconds")
        assert.deepStrictEqual(yield* other.trader.state.current, { _tag: "Halted", reason: "by hand" })
        assert.deepStrictEqual(yield* Stream.runCollect(desk.storage.orders({ only: "open" })), [])
      }), { limits: { products: ["ETH-USD"], timeInForce: "gtc" }, patience: "1 hour" }))

  it.effect("sets aside after a restart what an order that rests may cost", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        yield* process.signal("buy", "ETH-USD", { price: decimal("2000") })
        yield* pass("1 second")
        const before = Portfolio.available(yield* process.trader.portfolio)
        yield* process.kill
        const other = yield* recovered(desk, {
          limits: { products: ["ETH-USD"], timeInForce: "gtc" },
          patience: "1 hour"
        })
        const { cash, entries } = yield* other.trader.portfolio
        assert.strictEqual(entries.size, 1)
        const after = Portfolio.available(yield* other.trader.portfolio)
        // The most that its fee may be is not known any more.
        assert.isTrue(BigDecimal.isGreaterThanOrEqualTo(after, before))
        assert.isTrue(BigDecimal.isLessThan(after, cash))
        yield* other.signal("buy", "ETH-USD", { confidence: 0.9 })
        assert.deepStrictEqual(tags(other).slice(-1), ["ERR_ORDER_IN_FLIGHT"])
      }), { limits: { products: ["ETH-USD"], timeInForce: "gtc" }, patience: "1 hour" }))

  it.effect("closes a lot once, however often it is told to", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        yield* process.signal("buy", "ETH-USD")
        yield* pass("1 second")
        desk.venues.coinbase.fault("Withhold", 0)
        yield* process.signal("sell", "ETH-USD")
        yield* process.signal("sell", "ETH-USD")
        yield* process.price("ETH-USD", "2000")
        yield* process.signal("buy", "ETH-USD", { confidence: 0.9 })
        assert.deepStrictEqual(tags(process).slice(3), ["Exiting", "ERR_ORDER_IN_FLIGHT", "ERR_ORDER_IN_FLIGHT"])
        yield* pass("20 seconds")
        assert.deepStrictEqual(tags(process).slice(-1), ["Closed"])
        assert.strictEqual(ordersOf(desk), 2)
        yield* sound(process)
      })
    ))

  it.effect("raises an alert while an exchange is away", () =>
    withTrader((process, desk) =>
      Effect.gen(function*() {
        const alerts = () =>
          process.events.flatMap((event) => "alert" in event ? [`${event._tag} ${event.alert.kind}`] : [])
        yield* pass("30 seconds")
        assert.deepStrictEqual(alerts(), [])
        yield* desk.reach("dydx", false)
        // It is known when it is asked for something.
        yield* Effect.ignore(within("10 seconds", process.trader.reconcile))
        yield* pass("30 seconds")
        assert.deepStrictEqual(alerts(), ["Raised Exchanges"])
        yield* desk.reach("dydx", true)
        yield* pass("1 minute")
        yield* Effect.ignore(within("10 seconds", process.trader.reconcile))
        yield* pass("30 seconds")
        assert.deepStrictEqual(alerts(), ["Raised Exchanges", "Lowered Exchanges"])
      })
    ))
})
