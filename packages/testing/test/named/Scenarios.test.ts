/** The ten scenarios over three exchanges that were named before there was any code, under their names. */
import { assert, describe, it } from "@effect/vitest"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { decimal, type Desk, heldOf, limit, market, names, within, withVenues } from "../routing/Venues.ts"

const placed = ({ router }: Desk, ...given: Parameters<Desk["router"]["place"]>) =>
  within("3 seconds", router.place(...given))

const to = (desk: Desk, ...given: Parameters<Desk["router"]["place"]>) =>
  Effect.gen(function*() {
    const { parts } = yield* placed(desk, ...given)
    const [part] = parts
    if (part === undefined || parts.length > 1) return assert.fail("not in one part")
    const order = yield* desk.storage.order(part.exchange, { clientId: part.request.clientId })
    return `${part.exchange} ${order?.status}`
  })

const assertSums = (desk: Desk, totals: ReadonlyArray<{ readonly asset: string; readonly total: Decimal.Decimal }>) => {
  for (const { asset, total } of totals) {
    assert.isTrue(BigDecimal.equals(total, heldOf(desk, asset)), `${asset}: ${Decimal.format(total)}`)
  }
}

describe("Scenarios", () => {
  it.effect("BTC order on dYdX", () =>
    withVenues((desk) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* to(desk, limit("BTC-USD")), "dydx open")
        assert.deepStrictEqual(desk.counts(), { dydx: 1, coinbase: 0, hyperliquid: 0 })
      })
    ))

  it.effect("ETH order on Coinbase", () =>
    withVenues((desk) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* to(desk, limit("ETH-USD")), "coinbase open")
        assert.deepStrictEqual(desk.counts(), { dydx: 0, coinbase: 1, hyperliquid: 0 })
      })
    ))

  it.effect("SOL order on Hyperliquid", () =>
    withVenues((desk) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* to(desk, limit("SOL-USD")), "hyperliquid open")
        assert.deepStrictEqual(desk.counts(), { dydx: 0, coinbase: 0, hyperliquid: 1 })
      })
    ))

  it.effect("3-way balance aggregation", () =>
    withVenues((desk) =>
      Effect.gen(function*() {
        const { byExchange, failures, totals } = yield* within("1 second", desk.router.balances)
        assert.deepStrictEqual([...byExchange.keys()], [...names])
        assert.deepStrictEqual(failures, [])
        assertSums(desk, totals)
        assert.includeMembers(totals.map(({ asset }) => asset), ["BTC", "USD", "USDC"])
      })
    ))

  it.effect("Single exchange failure recovery", () =>
    withVenues((desk) =>
      Effect.gen(function*() {
        const strategy = RoutingStrategy.priority(...names)
        yield* desk.reach("dydx", false)
        yield* within("1 second", Effect.ignore(desk.router.balances))
        const first = yield* placed(desk, limit("BTC-USD", { clientId: "one" }), { strategy })
        assert.deepStrictEqual(first.parts.map(({ exchange }) => exchange), ["coinbase"])
        assert.isTrue(first.isDegraded)
        yield* desk.reach("dydx", true)
        yield* within("1 minute", Effect.void)
        const second = yield* placed(desk, limit("BTC-USD", { clientId: "two" }), { strategy })
        assert.deepStrictEqual(second.parts.map(({ exchange }) => exchange), ["dydx"])
        assert.isFalse(second.isDegraded)
      })
    ))

  it.effect("All exchanges fail scenario", () =>
    withVenues((desk) =>
      Effect.gen(function*() {
        for (const name of names) yield* desk.reach(name, false)
        const error = yield* within(
          "10 seconds",
          Effect.flip(desk.router.place(limit("BTC-USD"), { strategy: RoutingStrategy.priority(...names) }))
        )
        assert.strictEqual(error._tag, "NotRouted")
        const causes = error._tag === "NotRouted" ? error.causes : []
        assert.deepStrictEqual(causes.map(({ exchange }) => exchange).toSorted(), [...names].toSorted())
        const none = yield* within("10 seconds", Effect.flip(desk.router.balances))
        assert.strictEqual(none._tag, "NoneAnswered")
        assert.deepStrictEqual(none.failures.map(({ exchange }) => exchange), [...names])
        assert.deepStrictEqual(desk.counts(), { dydx: 0, coinbase: 0, hyperliquid: 0 })
      })
    ))

  it.effect("Mixed order types across exchanges", () =>
    withVenues((desk) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* to(desk, market("BTC-USD", { clientId: "at the market" })), "dydx filled")
        assert.strictEqual(yield* to(desk, limit("ETH-USD", { clientId: "at a price" })), "coinbase open")
        const resting = limit("SOL-USD", { clientId: "to rest", timeInForce: "post-only" })
        assert.strictEqual(yield* to(desk, resting), "hyperliquid open")
        const now = limit("ETH-USD", { clientId: "at once", timeInForce: "ioc" })
        assert.strictEqual(yield* to(desk, now), "coinbase cancelled")
        // Hyperliquid has no fok: another one gets it.
        const whole = limit("SOL-USD", { clientId: "as a whole", timeInForce: "fok", price: decimal("120") })
        const strategy = RoutingStrategy.priority("hyperliquid", "coinbase")
        assert.strictEqual(yield* to(desk, whole, { strategy }), "coinbase filled")
      })
    ))

  it.effect("Cancel on specific exchange", () =>
    withVenues((desk) =>
      Effect.gen(function*() {
        yield* placed(desk, limit("BTC-USD", { clientId: "one" }))
        yield* placed(desk, limit("ETH-USD", { clientId: "two" }))
        yield* placed(desk, limit("SOL-USD", { clientId: "three" }))
        const events = yield* within("5 seconds", Stream.runCollect(desk.router.cancel("two")))
        assert.deepStrictEqual(
          events.map((event) => event._tag === "Acknowledged" ? [event.exchange, event.status] : event._tag),
          [["coinbase", "cancelled"]]
        )
        const { byExchange } = yield* within("2 seconds", desk.router.open)
        assert.deepStrictEqual(
          names.map((name) => byExchange.get(name)?.length),
          [1, 0, 1]
        )
      })
    ))

  it.effect("Order status sync across exchanges", () =>
    withVenues((desk) =>
      Effect.gen(function*() {
        const order = { "BTC-USD": "one", "ETH-USD": "two", "SOL-USD": "three" } as const
        for (const product of ["BTC-USD", "ETH-USD", "SOL-USD"] as const) {
          yield* placed(desk, limit(product, { clientId: order[product] }))
        }
        const { byExchange, failures } = yield* within("2 seconds", desk.router.open)
        assert.deepStrictEqual(failures, [])
        const stored = yield* Stream.runCollect(desk.storage.orders({ only: "open" }))
        const told = names.flatMap((name) =>
          (byExchange.get(name) ?? []).map(({ orderId, status }) => `${name} ${orderId} ${status}`)
        )
        assert.deepStrictEqual(
          told.toSorted(),
          stored.map(({ value: { exchange, orderId, status } }) => `${exchange} ${orderId} ${status}`).toSorted()
        )
        assert.strictEqual(told.length, 3)
      })
    ))

  it.effect("Portfolio consistency with multi-exchange", () =>
    withVenues((desk) =>
      Effect.gen(function*() {
        const [eth, usd] = [heldOf(desk, "ETH"), heldOf(desk, "USD")]
        yield* placed(desk, market("BTC-USD", { clientId: "one" }))
        yield* placed(desk, market("ETH-USD", { clientId: "two" }))
        yield* desk.reach("hyperliquid", false)
        const error = yield* within("10 seconds", Effect.flip(desk.router.place(market("SOL-USD"))))
        assert.strictEqual(error._tag, "NotRouted")
        yield* desk.reach("hyperliquid", true)
        yield* within("10 seconds", Effect.void)
        yield* placed(desk, market("SOL-USD", { clientId: "three", side: "sell" }))
        yield* within("20 seconds", Effect.void)

        const { totals } = yield* within("1 second", desk.router.balances)
        assertSums(desk, totals)
        const { net } = yield* within("1 second", desk.router.positions)
        assert.deepStrictEqual(net.map(({ amount, product }) => [product, Number(Decimal.format(amount))]), [
          ["BTC-USD", 0.01],
          ["SOL-USD", -1]
        ])
        // What was stored of fills is what the exchanges have: bought at Coinbase, held elsewhere.
        const positions = yield* desk.storage.positions
        const position = (exchange: string) =>
          positions.find((one) => one.exchange === exchange)?.amount ?? Decimal.zero
        assert.isTrue(BigDecimal.equals(position("dydx"), decimal("0.01")))
        assert.isTrue(BigDecimal.equals(position("hyperliquid"), decimal("-1")))
        const bought = BigDecimal.subtract(heldOf(desk, "ETH"), eth)
        assert.isTrue(BigDecimal.equals(position("coinbase"), bought))
        const fills = yield* Stream.runCollect(desk.storage.fills())
        const spent = fills.filter(({ value }) => value.exchange === "coinbase").reduce(
          (sum, { value: { amount, fee, price } }) =>
            BigDecimal.sum(sum, BigDecimal.sum(BigDecimal.multiply(amount, price), fee ?? Decimal.zero)),
          Decimal.zero
        )
        assert.isTrue(
          BigDecimal.equals(BigDecimal.subtract(usd, heldOf(desk, "USD")), spent)
        )
      })
    ))
})
