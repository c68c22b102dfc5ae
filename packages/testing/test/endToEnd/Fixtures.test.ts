/** The four fixtures of the workflows: what each gives, and that it is there in no time. */
import { assert, describe, it } from "@effect/vitest"
import type { Price } from "@tickline/core/strategy/Price"
import * as Storage from "@tickline/core/trading/Storage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as Stage from "./Stage.ts"
import * as VirtualStage from "./VirtualStage.ts"

const mostMillis = 10

/**
 * The least time of the processor, in milliseconds, that one of several takes, until one takes less than it may: by the
 * clock it is also that of whatever else runs, and code that is not compiled yet takes several times as long.
 */
const quickest = Effect.fnUntraced(function*<A, E, R>(fixture: Effect.Effect<A, E, R>) {
  let least = Infinity
  for (let i = 0; i < 200 && least >= mostMillis; i++) {
    const begun = process.cpuUsage()
    const { system, user } = yield* Effect.scoped(Effect.map(fixture, () => process.cpuUsage(begun)))
    least = Math.min(least, (system + user) / 1_000)
  }
  return least
})

describe("The fixtures of workflows", () => {
  it.effect("market data", () =>
    VirtualStage.withNetwork((network) =>
      Effect.gen(function*() {
        assert.isBelow(yield* quickest(Stage.marketData(network)), mostMillis)
      })
    ))

  it.effect("exchange answers", () =>
    VirtualStage.withNetwork((network) =>
      Effect.gen(function*() {
        assert.isBelow(yield* quickest(Stage.exchangeAnswers(network)), mostMillis)
        const { second } = yield* Stage.exchangeAnswers(network)
        assert.deepStrictEqual(second.mock.balances().map(({ asset }) => asset), ["USD", "BTC", "ETH"])
      })
    ))

  it.effect("portfolio state", () =>
    VirtualStage.withNetwork((network) =>
      Effect.gen(function*() {
        const held = { product: "BTC-USD", amount: "0.5000", price: "43250.00" } as const
        assert.isBelow(yield* quickest(Stage.portfolioState(held)), mostMillis)
        const { positions } = yield* Storage.Storage
        assert.deepStrictEqual((yield* positions).map(({ amount }) => Decimal.format(amount)), ["0.5000"])
        // Whoever begins with it has it, and closes it at its stop.
        const exchanges = yield* Stage.exchangeAnswers(network)
        const prices = yield* Queue.unbounded<Price>()
        const trader = yield* Stage.traderSetup(exchanges, { inputs: Stream.fromQueue(prices) })
        yield* network.until("it trades", () => Effect.runSync(trader.state.current)._tag === "Trading")
        const [lot] = (yield* trader.portfolio).lots.values()
        assert.strictEqual(lot?.exchange, "first")
        const at = Timestamp.fromEpochMillis(yield* Clock.currentTimeMillis)
        yield* Queue.offer(prices, { _tag: "Price", product: "BTC-USD", price: Stage.decimal("41000"), at })
        yield* network.until("it is closed", () => Effect.runSync(trader.portfolio).lots.size === 0)
        assert.strictEqual(exchanges.first.mock.orders().length, 1)
      })
    ))

  it.effect("trader setup", () =>
    VirtualStage.withNetwork((network) =>
      Effect.gen(function*() {
        const exchanges = yield* Stage.exchangeAnswers(network)
        assert.isBelow(yield* quickest(Stage.traderSetup(exchanges, { inputs: Stream.never })), mostMillis)
      })
    ))
})
