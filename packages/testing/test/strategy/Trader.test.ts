/** A trader through its front door: signals and prices in, orders at mock exchanges out. */
import { assert, describe, it } from "@effect/vitest"
import * as Portfolio from "@tickline/core/trading/Portfolio"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { decimal, heldOf, pass, within } from "../routing/Venues.ts"
import { begin, marketOf, ordersOf, type Process, tags, withTrader } from "./TraderRig.ts"

const lotsOf = ({ trader }: Process) =>
  Effect.map(
    trader.portfolio,
    ({ lots }) =>
      [...lots.values()].map(({ amount, direction, exchange, product }) =>
        `${direction} ${Decimal.format(amount)} ${product} at ${exchange}`
      )
  )

const sound = ({ trader }: Process) =>
  Effect.map(trader.portfolio, (portfolio) => assert.deepStrictEqual(Portfolio.violations(portfolio), []))

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
        const closed = process.events.at(-1)
        assert.strictEqual(closed?._tag === "Closed" ? closed.why : undefined, "stop")
        assert.isTrue(BigDecimal.equals(heldOf(desk, "ETH"), had))

        yield* process.price("ETH-USD", marketOf["ETH-USD"])
        yield* process.signal("buy", "ETH-USD", { confidence: 0.9 })
        yield* pass("1 second")
        yield* process.price("ETH-USD", "2520")
        yield* pass("1 second")
        const last = process.events.at(-1)
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

        const other = yield* begin(desk, { shorts: true })
        yield* pass("2 seconds")
        yield* other.signal("sell", "BTC-USD")
        yield* pass("1 second")
        const [lot = ""] = yield* lotsOf(other)
        assert.match(lot, /^short 1\.\d+ BTC-USD at dydx$/)
        yield* other.price("BTC-USD", "45500")
        yield* pass("1 second")
        const last = other.events.at(-1)
        assert.strictEqual(last?._tag === "Closed" ? last.why : undefined, "stop")
        yield* sound(other)
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
        assert.deepStrictEqual(halt, { cancelled: 1, open: [], failures: [] })
        assert.deepStrictEqual(yield* process.trader.state.current, { _tag: "Halted", reason: "by hand" })
        yield* process.signal("buy", "ETH-USD", { confidence: 0.9 })
        assert.deepStrictEqual(tags(process).slice(-1), ["ERR_NOT_TRADING"])
        const again = yield* within("1 second", process.trader.halt("again"))
        assert.deepStrictEqual(again, { cancelled: 0, open: [], failures: [] })
        yield* process.kill

        const other = yield* begin(desk)
        yield* pass("2 seconds")
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
        assert.deepStrictEqual(tags(process), ["Recovered", "Entering", "Entering", "Opened"])
      }), { limits: { products: ["ETH-USD"], timeInForce: "gtc" } }))
})
