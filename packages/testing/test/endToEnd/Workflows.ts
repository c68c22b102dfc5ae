/** The ten workflows that were named before there was any code, each from a price to what came of it. */
import { assert } from "@effect/vitest"
import type * as Strategy from "@tickline/core/strategy/Strategy"
import type { TraderEvent } from "@tickline/core/strategy/TraderEvent"
import * as Portfolio from "@tickline/core/trading/Portfolio"
import type { Storage } from "@tickline/core/trading/Storage"
import type { StorageError } from "@tickline/core/trading/StorageError"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { decimal, isQuiet, type Name, names, type Process, type Product, type Stage, strategy, trend } from "./Stage.ts"

/** A workflow, and what it needs of the stage besides. */
export type Workflow = (stage: Stage) => Effect.Effect<void, StorageError, Scope.Scope | Storage>

/** Moves prices on by a share each until something is so: how many candles that takes is a matter of time. */
const drift = (
  stage: Stage,
  what: string,
  isSo: () => boolean,
  from: Partial<Readonly<Record<Product, number>>>,
  share = 0.0004
) =>
  Effect.gen(function*() {
    for (let step = 0; !isSo(); step++) {
      assert.isBelow(step, 60, `after sixty prices: ${what}`)
      const at = (price: number | undefined) => price === undefined ? [] : [price * (1 + share) ** step]
      yield* stage.together({ "BTC-USD": at(from["BTC-USD"]), "ETH-USD": at(from["ETH-USD"]) })
    }
  })

const btc = { "BTC-USD": 43_250 }
const eth = { "ETH-USD": 2_280.5 }

const of = <T extends TraderEvent["_tag"]>({ events }: Process, tag: T) =>
  events.filter((event): event is Extract<TraderEvent, { readonly _tag: T }> => event._tag === tag)

const codes = (process: Process): ReadonlyArray<string> => of(process, "Refused").map(({ code }) => code)

const ordersAt = ({ exchanges }: Stage, name: Name) => exchanges[name].mock.orders()

const held = ({ exchanges }: Stage, asset: string): Decimal.Decimal =>
  BigDecimal.sumAll(
    names.flatMap((name) =>
      exchanges[name].mock.balances().flatMap((balance) => balance.asset === asset ? [balance.total] : [])
    )
  )

const openAmount = ({ portfolio }: Process, product: string): Decimal.Decimal =>
  BigDecimal.sumAll(
    [...portfolio().lots.values()].flatMap((lot) => lot.product === product ? [lot.amount] : [Decimal.zero])
  )

/** What the portfolio is worth is what the accounts have, to the last digit, at any price. */
const assertEqual = (stage: Stage, process: Process, had: ReadonlyMap<string, Decimal.Decimal>) => {
  const { cash, lots, opening } = process.portfolio()
  const spent = BigDecimal.subtract(opening, cash)
  const gone = BigDecimal.subtract(had.get("USD") ?? Decimal.zero, held(stage, "USD"))
  assert.isTrue(BigDecimal.equals(spent, gone), `${Decimal.format(spent)} of USD, and ${Decimal.format(gone)}`)
  for (const asset of ["BTC", "ETH"]) {
    const more = BigDecimal.subtract(held(stage, asset), had.get(asset) ?? Decimal.zero)
    assert.isTrue(BigDecimal.equals(openAmount(process, `${asset}-USD`), more), asset)
  }
  assert.deepStrictEqual(Portfolio.violations(process.portfolio()), [])
  for (const { amount, entryPrice } of lots.values()) {
    assert.isTrue(Decimal.isPositive(amount) && Decimal.isPositive(entryPrice))
  }
}

/** Waits until every order is over. */
const quiet = (stage: Stage, process: Process) => stage.until("nothing is under way", () => isQuiet(process))

const holdings = (stage: Stage): ReadonlyMap<string, Decimal.Decimal> =>
  new Map(["USD", "BTC", "ETH"].map((asset) => [asset, held(stage, asset)]))

/** A signal becomes an order, the order a fill, the fill a lot, and all of it is stored. */
export const signalToOrder: Workflow = (stage) =>
  Effect.gen(function*() {
    const process = yield* stage.begin()
    yield* drift(stage, "a lot", () => of(process, "Opened").length > 0, btc)
    const [entering] = of(process, "Entering")
    assert.strictEqual(entering?.signal.side, "buy")
    assert.strictEqual(entering?.signal.product, "BTC-USD")
    const [order] = ordersAt(stage, "first")
    assert.strictEqual(order?.clientOrderId, entering?.request.clientId)
    const lot = process.portfolio().lots.get(order?.clientOrderId ?? "")
    assert.isTrue(BigDecimal.equals(order?.filled ?? Decimal.zero, lot?.amount ?? Decimal.zero))
    const [decision] = yield* Stream.runCollect(
      Stream.filter(stage.storage.decisions(), ({ value }) => value.kind === "enter")
    )
    assert.strictEqual(decision?.value.clientId, entering?.request.clientId)
    assert.match(decision?.value.reason ?? "", /^buy at 0\.8/)
  })

/** Prices become candles, candles averages, averages a decision; too few of them nothing. */
export const feedToSignal: Workflow = (stage) =>
  Effect.gen(function*() {
    const seen: Array<number> = []
    const watched: Strategy.Strategy = {
      ...strategy,
      make: () => {
        const { decide } = strategy.make()
        return {
          decide: (candle) => {
            seen.push(Number(Decimal.format(candle.close)))
            return decide(candle)
          }
        }
      }
    }
    const process = yield* stage.begin({ strategy: watched })
    yield* drift(stage, "a signal", () => of(process, "Entering").length > 0, btc)
    assert.deepStrictEqual(seen, seen.toSorted((one, other) => one - other))
    for (const close of seen) assert.isTrue(43_240 < close && close < 43_250 * 1.0004 ** 60, `${close}`)
    const signal = of(process, "Entering")[0]?.signal
    assert.strictEqual(signal?.confidence, 0.8)
    const at = seen.indexOf(Number(Decimal.format(signal?.price ?? Decimal.zero)))
    assert.isAtLeast(at, 4)
  })

/** Two products at once, each with its own candles, signals and lot. */
export const manySymbols: Workflow = (stage) =>
  Effect.gen(function*() {
    const process = yield* stage.begin()
    const opened = () => of(process, "Opened").map(({ lot }) => lot.product)
    const haveBoth = () => opened().includes("BTC-USD") && opened().includes("ETH-USD")
    yield* drift(stage, "a lot of each", haveBoth, { ...btc, ...eth })
    for (const product of ["BTC-USD", "ETH-USD"] as const) {
      assert.isTrue(Decimal.isPositive(openAmount(process, product)))
    }
  })

/** A position is opened by a rise and closed by a fall; what it gained is what the account has more. */
export const openToClose: Workflow = (stage) =>
  Effect.gen(function*() {
    const had = holdings(stage)
    const process = yield* stage.begin()
    yield* drift(stage, "a lot", () => of(process, "Opened").length > 0, btc)
    const isClosed = () => of(process, "Closed").length > 0 && process.portfolio().lots.size === 0
    yield* drift(stage, "it is closed", isClosed, { "BTC-USD": 43_600 }, -0.0004)
    yield* quiet(stage, process)
    const [closed] = of(process, "Closed")
    assert.strictEqual(closed?.why, "signal")
    const { realized = Decimal.zero } = closed?.trade ?? {}
    assert.isTrue(realized.value !== 0n)
    assertEqual(stage, process, had)
  })

/** After each step the six invariants hold, and the portfolio is what the accounts have. */
export const consistency: Workflow = (stage) =>
  Effect.gen(function*() {
    const had = holdings(stage)
    const process = yield* stage.begin({ portfolio: { stop: decimal("0.001"), target: decimal("0.002") } })
    for (const share of [0.0005, -0.0005, 0.0008, -0.0008]) {
      const prices = trend(43_250, share, 8)
      yield* stage.together({ "BTC-USD": prices, "ETH-USD": prices.map((price) => price / 19) })
      yield* quiet(stage, process)
      assertEqual(stage, process, had)
    }
    assert.isAbove(of(process, "Closed").length, 1)
    assert.deepStrictEqual(of(process, "Broken"), [])
    const report = yield* Effect.orDie(process.trader.reconcile)
    assert.strictEqual(report?.status, "Ok")
  })

/** An exchange is away: orders go to the other, and to the first again when it is back; nothing twice. */
export const exchangeFails: Workflow = (stage) =>
  Effect.gen(function*() {
    const had = holdings(stage)
    const process = yield* stage.begin()
    const isAvailable = () => Effect.runSync(process.trader.exchanges).every(({ isAvailable }) => isAvailable)
    const headers = { "retry-after": "2" }
    stage.exchanges.first.mock.fault({ _tag: "Answer", call: "POST orders", status: 429, headers, body: "too many" })
    yield* drift(stage, "a lot", () => of(process, "Opened").length > 0, btc)
    assert.deepStrictEqual(ordersAt(stage, "first"), [])
    assert.strictEqual(of(process, "Opened")[0]?.lot.exchange, "second")
    yield* stage.until("it is back", isAvailable)
    const isBack = () => of(process, "Opened").some(({ lot }) => lot.exchange === "first")
    yield* drift(stage, "another lot, at the first", isBack, eth)
    yield* quiet(stage, process)
    assertEqual(stage, process, had)
  })

/** A strategy that throws on one product: the others trade, and it trades again after it began anew. */
export const signalFails: Workflow = (stage) =>
  Effect.gen(function*() {
    let failures = 0
    const failing: Strategy.Strategy = {
      ...strategy,
      make: () => {
        const { decide } = strategy.make()
        return {
          decide: (candle) => {
            // The first candles of the dearer product.
            if (failures < 2 && Number(Decimal.format(candle.close)) > 10_000) {
              failures++
              throw new Error("no such indicator")
            }
            return decide(candle)
          }
        }
      }
    }
    const process = yield* stage.begin({ strategy: failing })
    const bothTrade = () => new Set(of(process, "Opened").map(({ lot }) => lot.product)).size === 2
    yield* drift(stage, "both trade", bothTrade, { ...btc, ...eth })
    assert.strictEqual(failures, 2)
  })

/** Signals of several products and of one, as many as there are: one order each time, and never more lots than there may be. */
export const concurrentSignals: Workflow = (stage) =>
  Effect.gen(function*() {
    const process = yield* stage.begin({ portfolio: { maxPerProduct: 2, maxLots: 3 } })
    const isFull = () =>
      of(process, "Opened").length === 3 && codes(process).some((code) => code.includes("POSITION_LIMIT"))
    yield* drift(stage, "as many lots as there may be, and more signals", isFull, { ...btc, ...eth })
    yield* quiet(stage, process)
    const { lots } = process.portfolio()
    assert.strictEqual(lots.size, 3)
    const orders = names.flatMap((name) => ordersAt(stage, name))
    assert.strictEqual(orders.length, of(process, "Entering").length)
    assert.strictEqual(new Set(orders.map(({ clientOrderId }) => clientOrderId)).size, orders.length)
    for (const product of ["BTC-USD", "ETH-USD"]) {
      assert.isAtMost([...lots.values()].filter((lot) => lot.product === product).length, 2)
    }
  })

/** All that happened is in the storage, and a trader that begins again knows it. */
export const history: Workflow = (stage) =>
  Effect.gen(function*() {
    const had = holdings(stage)
    const process = yield* stage.begin()
    yield* drift(stage, "a lot", () => of(process, "Opened").length > 0, btc)
    yield* drift(stage, "a trade", () => of(process, "Closed").length > 0, { "BTC-USD": 43_600 }, -0.0004)
    const isHeld = () => of(process, "Opened").some(({ lot }) => lot.product === "ETH-USD")
    yield* drift(stage, "another lot", isHeld, eth)
    yield* quiet(stage, process)
    yield* process.kill
    const { storage } = stage
    const orders = yield* Stream.runCollect(storage.orders())
    const decisions = yield* Stream.runCollect(storage.decisions())
    const fills = yield* Stream.runCollect(storage.fills())
    const asked = names.flatMap((name) => ordersAt(stage, name).map(({ clientOrderId }) => clientOrderId))
    assert.sameMembers(orders.map(({ value }) => value.request.clientId), asked)
    for (const { of } of orders) {
      const kinds = new Set(decisions.filter(({ value }) => value.clientId === of).map(({ value }) => value.kind))
      assert.isTrue(kinds.has("enter") || kinds.has("exit"), of)
    }
    assert.strictEqual(fills.length, orders.reduce((count, { value }) => count + value.fills.length, 0))
    const before = process.portfolio()
    const again = yield* stage.begin()
    const after = again.portfolio()
    assert.isTrue(BigDecimal.equals(after.cash, before.cash))
    assert.deepStrictEqual([...after.lots.keys()], [...before.lots.keys()])
    assert.deepStrictEqual(after.closed.map(({ id }) => id), before.closed.map(({ id }) => id))
    assertEqual(stage, again, had)
  })

/** What happened can be read from the metrics. */
export const metrics: Workflow = (stage) =>
  Effect.gen(function*() {
    const process = yield* stage.begin({ name: "one" })
    yield* drift(stage, "a lot", () => of(process, "Opened").length > 0, btc)
    yield* drift(stage, "a trade", () => of(process, "Closed").length > 0, { "BTC-USD": 43_600 }, -0.0004)
    yield* quiet(stage, process)
    const text = yield* PrometheusMetrics.format()
    const value = (name: string, attributes = ""): number => {
      const line = text.split("\n").find((line) =>
        line.startsWith(`${name}{`) && line.includes("trader=\"one\"") && line.includes(attributes)
      )
      return Number(line?.split(" ").at(-1) ?? assert.fail(`no ${name}`))
    }
    assert.strictEqual(value("tickline_trader_state"), 1)
    assert.strictEqual(value("tickline_trader_orders_total", "kind=\"enter\""), of(process, "Entering").length)
    assert.strictEqual(value("tickline_trader_orders_total", "kind=\"close\""), of(process, "Exiting").length)
    const [won, lost] = ["won", "lost"].map((result) => value("tickline_trader_trades_total", `result="${result}"`))
    assert.strictEqual((won ?? 0) + (lost ?? 0), of(process, "Closed").length)
    const { realized, total } = process.portfolio()
    assert.strictEqual(value("tickline_trader_equity"), Number(Decimal.format(total)))
    assert.strictEqual(value("tickline_trader_realized"), Number(Decimal.format(realized)))
    assert.strictEqual(value("tickline_trader_order_ms_count"), of(process, "Entering").length)
    const performance = yield* process.trader.performance
    assert.strictEqual(performance.trades, of(process, "Closed").length)
    assert.isTrue(Decimal.isPositive(performance.volume))
  })
