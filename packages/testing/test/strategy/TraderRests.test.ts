/** A trader that closes what it has bought of spot, and what becomes of a rest that its exchange does not trade. */
import { assert, describe, it } from "@effect/vitest"
import type { Exchange } from "@tickline/core/trading/Exchange"
import { Instrument } from "@tickline/core/trading/Instrument"
import { Fill } from "@tickline/core/trading/OrderEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { decimal, pass } from "../routing/Venues.ts"
import { lastOf, lotsOf, only, recovered, sound, tags, withTrader } from "./TraderRig.ts"

/** An exchange that has other rules than its own. */
const ruledBy = (exchange: Exchange["Service"], rules: Partial<Instrument>): Exchange["Service"] => ({
  ...exchange,
  instrument: (...given) => Effect.map(exchange.instrument(...given), (own) => new Instrument({ ...own, ...rules }))
})

/** One that takes a hundredth of the ether that was bought, too. */
const chargingEther = (exchange: Exchange["Service"], rules: Partial<Instrument>): Exchange["Service"] => ({
  ...ruledBy(exchange, rules),
  place: (...given) =>
    Stream.map(exchange.place(...given), (event) =>
      event._tag === "Fill" && event.side === "buy"
        ? new Fill({ ...event, fee: BigDecimal.multiply(event.amount, decimal("0.01")), feeAsset: "ETH" })
        : event)
})

describe("A trader of spot", () => {
  it.effect("sells what a fee in it has left of what was bought, and gives up the rest that nobody trades", () =>
    withTrader((first, desk) =>
      Effect.gen(function*() {
        yield* first.kill
        const there = only(desk, chargingEther(desk.venues.coinbase.exchange, { lot: decimal("0.05") }))
        const process = yield* recovered(there)
        yield* process.signal("buy", "ETH-USD")
        yield* pass("1 second")
        yield* process.price("ETH-USD", "2000")
        yield* pass("1 second")
        assert.deepStrictEqual(tags(process), ["Recovered", "Entering", "Opened", "Exiting", "Closed"])
        const closed = lastOf(process)
        const left = closed?._tag === "Closed" ? closed.left : decimal("0")
        assert.isTrue(Decimal.isPositive(left) && BigDecimal.isLessThan(left, decimal("0.05")), Decimal.format(left))
        const before = yield* process.trader.portfolio
        yield* sound(process)
        yield* process.kill

        const other = yield* recovered(there)
        const after = yield* other.trader.portfolio
        assert.deepStrictEqual([after.lots.size, after.trades], [0, 1])
        assert.isTrue(BigDecimal.equals(after.total, before.total))
        yield* desk.venues.coinbase.served.quote("ETH-USD", "2000.00", "2000.10")
        yield* other.price("ETH-USD", "2000")
        yield* other.signal("buy", "ETH-USD", { confidence: 0.9, price: decimal("2000") })
        yield* pass("1 second")
        assert.deepStrictEqual(tags(other), ["Recovered", "Entering", "Opened"])
        yield* sound(other)
        const now = yield* other.trader.portfolio
        yield* other.kill

        // What was given up is so before what came after it.
        const third = yield* recovered(there)
        assert.deepStrictEqual(yield* lotsOf(third), yield* lotsOf(other))
        const { closed: trades, total } = yield* third.trader.portfolio
        assert.strictEqual(trades[0]?.closedAt, now.closed[0]?.closedAt)
        assert.strictEqual(Decimal.format(total), Decimal.format(now.total))
      })
    ))

  it.effect("gives up the rest that is worth less than an order must be, by the price of the day", () =>
    withTrader((first, desk) =>
      Effect.gen(function*() {
        yield* first.kill
        const { exchange, served } = desk.venues.coinbase
        const buyer = yield* recovered(only(desk, exchange))
        yield* buyer.signal("buy", "ETH-USD")
        yield* pass("1 second")
        const [lot] = (yield* buyer.trader.portfolio).lots.values()
        yield* buyer.kill
        yield* served.quote("ETH-USD", "1999.00", "1999.10")
        // One order sells all but 0.02, for which 45.61 was paid.
        const maximum = BigDecimal.subtract(lot?.amount ?? decimal("0"), decimal("0.02"))
        const process = yield* recovered(only(desk, ruledBy(exchange, { maximum, minimumValue: decimal("42") })))
        yield* process.price("ETH-USD", "1999")
        yield* pass("1 second")
        assert.deepStrictEqual(tags(process), ["Recovered", "Exiting", "Closed"])
        const closed = lastOf(process)
        assert.strictEqual(closed?._tag === "Closed" && Decimal.format(closed.left), "0.020")
      })
    ))

  it.effect("gives up nothing for what it is worth without a price of the day, nor most of what was bought", () =>
    withTrader((first, desk) =>
      Effect.gen(function*() {
        yield* first.kill
        const { exchange, served } = desk.venues.coinbase
        const buyer = yield* recovered(only(desk, chargingEther(exchange, {})))
        yield* buyer.signal("buy", "ETH-USD")
        yield* pass("1 second")
        const [lot] = (yield* buyer.trader.portfolio).lots.values()
        yield* buyer.kill
        yield* served.quote("ETH-USD", "1999.00", "1999.10")
        const { amount = decimal("0"), entered = decimal("0") } = lot ?? {}

        // All that was bought would be worth enough, and what the fee has left of it is not.
        const minimumValue = BigDecimal.multiply(entered, decimal("1990"))
        const careful = yield* recovered(only(desk, ruledBy(exchange, { minimumValue })))
        yield* careful.price("ETH-USD", "1999")
        yield* pass("1 second")
        assert.deepStrictEqual([...new Set(tags(careful))], ["Recovered", "NotClosed"])
        const said = lastOf(careful)
        assert.match(said?._tag === "NotClosed" ? said.detail : "", /^value \d+\.\d+ is below the minimum \d+/)
        assert.lengthOf(yield* lotsOf(careful), 1)
        yield* careful.kill

        // 0.02 are worth 45.61 by what was paid, and nobody has said what they are worth now. The fee left 0.00015 more.
        const maximum = BigDecimal.subtract(amount, decimal("0.02"))
        const other = yield* recovered(only(desk, ruledBy(exchange, { maximum, minimumValue: decimal("46") })))
        yield* other.signal("sell", "ETH-USD")
        yield* pass("5 seconds")
        assert.deepStrictEqual(tags(other), ["Recovered", "Exiting", "NotClosed", "Exiting", "Closed"])
        const closed = lastOf(other)
        assert.strictEqual(closed?._tag === "Closed" && Decimal.format(closed.left), "0.00015")
      })
    ))

  it.effect("gives up nothing that the exchange would not have traded as a whole", () =>
    withTrader((first, desk) =>
      Effect.gen(function*() {
        yield* first.kill
        const { exchange } = desk.venues.coinbase
        const buyer = yield* recovered(only(desk, chargingEther(exchange, {})))
        yield* buyer.signal("buy", "ETH-USD")
        yield* pass("1 second")
        yield* buyer.kill
        const process = yield* recovered(only(desk, chargingEther(exchange, { minimum: decimal("1000") })))
        yield* process.price("ETH-USD", "2000")
        yield* pass("1 second")
        assert.deepStrictEqual([...new Set(tags(process))], ["Recovered", "NotClosed"])
        assert.lengthOf(yield* lotsOf(process), 1)
        assert.deepStrictEqual(yield* lotsOf(process), yield* lotsOf(buyer))
      })
    ))
})
