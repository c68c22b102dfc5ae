/** The fifteen tests of routing that were named before there was any code, under their names. */
import { assert, describe, it } from "@effect/vitest"
import type { NotRouted } from "@tickline/core/trading/RouteError"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { decimal, type Desk, market, type Mock, names, pass, request, talk, withRouter } from "../routing/Desk.ts"

const sent = ({ mocks }: Desk) => names.map((name) => mocks[name].sent())

/** Gives an order, lets time pass, and what came of it. */
const placed = (desk: Desk, ...[order, options]: Parameters<Desk["router"]["place"]>) =>
  Effect.gen(function*() {
    const placing = yield* Effect.forkScoped(desk.router.place(order, options), { startImmediately: true })
    yield* talk
    return yield* Fiber.join(placing)
  })

/** As `placed`, of an order that no exchange takes. */
const refused = (desk: Desk, ...given: Parameters<Desk["router"]["place"]>) =>
  Effect.map(
    Effect.flip(placed(desk, ...given)),
    (error): NotRouted => error._tag === "NotRouted" ? error : assert.fail(error.message)
  )

/** Takes an exchange away, as a link that is down. */
const down = ({ served }: Mock) =>
  Effect.andThen(served.host.otherwise({ _tag: "Refuse" }), Effect.andThen(served.host.drop, talk))

describe("Routing", () => {
  it.effect("Order routing to correct exchange", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const { parts } = yield* placed(desk, request(), { strategy: RoutingStrategy.fixed("second") })
        assert.deepStrictEqual(sent(desk), [0, 1, 0])
        assert.deepStrictEqual(parts.map(({ exchange, status }) => [exchange, status]), [["second", "open"]])
        assert.strictEqual(desk.mocks.second.exchange.orders("mine").length, 1)
      })
    ))

  it.effect("Multiple exchange availability", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        yield* down(desk.mocks.second)
        const states = yield* desk.router.exchanges
        assert.deepStrictEqual(
          states.map(({ exchange, isAvailable }) => [exchange, isAvailable]),
          [["first", true], ["second", false], ["third", true]]
        )
        assert.match(states[1]?.reason ?? "", /not live/)
      })
    ))

  it.effect("Fallback to secondary exchange", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        desk.mocks.first.exchange.settlement(true)
        const placement = yield* placed(desk, request())
        assert.deepStrictEqual(sent(desk), [1, 1, 0])
        assert.deepStrictEqual(placement.parts.map(({ exchange }) => exchange), ["second"])
        assert.deepStrictEqual(placement.causes.map(({ exchange, reason }) => [exchange, reason]), [[
          "first",
          "RateLimited"
        ]])
      })
    ))

  it.effect("All exchanges unavailable error", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        for (const name of names) yield* down(desk.mocks[name])
        const { causes } = yield* refused(desk, request())
        assert.deepStrictEqual(causes.map(({ exchange }) => exchange), ["first", "second", "third"])
        for (const { detail, reason } of causes) {
          assert.strictEqual(reason, "Unavailable")
          assert.match(detail, /session is not live/)
        }
        assert.deepStrictEqual(sent(desk), [0, 0, 0])
      })
    ))

  it.effect("Exchange-specific order types", () =>
    withRouter(
      (desk) =>
        Effect.gen(function*() {
          const placement = yield* placed(desk, request({ timeInForce: "fok", price: decimal("43300.0") }))
          assert.deepStrictEqual(sent(desk), [0, 1, 0])
          assert.deepStrictEqual(
            placement.causes.map(({ exchange, reason }) => [exchange, reason]),
            [["first", "Unsupported"]]
          )
          const { causes } = yield* refused(desk, request({ timeInForce: "fok", clientId: "other" }), {
            strategy: RoutingStrategy.fixed("first")
          })
          assert.deepStrictEqual(causes.map(({ reason }) => reason), ["Unsupported"])
          assert.deepStrictEqual(sent(desk), [0, 1, 0])
        }),
      {
        routeOf: (route, name) =>
          name === "first"
            ? {
              ...route,
              exchange: {
                ...route.exchange,
                lacks: ({ timeInForce }) => timeInForce === "fok" ? "it has no fok orders" : undefined
              }
            }
            : route
      }
    ))

  it.effect("Balance query across exchanges", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        yield* down(desk.mocks.third)
        const asked = yield* Effect.forkScoped(desk.router.balances, { startImmediately: true })
        yield* pass("6 seconds")
        const { byExchange, failures } = yield* Fiber.join(asked)
        assert.deepStrictEqual([...byExchange.keys()], ["first", "second"])
        for (const balances of byExchange.values()) {
          const btc = balances.find(({ asset }) => asset === "BTC")
          assert.strictEqual(btc && Decimal.format(btc.total), "10.00000000")
        }
        assert.deepStrictEqual(failures.map(({ reason }) => reason), ["Unreachable"])
      })
    ))

  it.effect("Aggregated balance calculation", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const asked = yield* Effect.forkScoped(desk.router.balances, { startImmediately: true })
        yield* talk
        const { totals } = yield* Fiber.join(asked)
        const btc = totals.find(({ asset }) => asset === "BTC")
        assert.strictEqual(btc && Decimal.format(btc.total), "30.00000000")
        assert.strictEqual(btc && Decimal.format(btc.available), "30.00000000")
      })
    ))

  it.effect("Order status from correct exchange", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        yield* placed(desk, request(), { strategy: RoutingStrategy.fixed("third") })
        const asked = () => names.map((name) => desk.mocks[name].exchange.credits().length)
        const before = asked()
        const status = yield* Effect.forkScoped(Stream.runCollect(desk.router.status("mine")), {
          startImmediately: true
        })
        yield* talk
        const [update] = yield* Fiber.join(status)
        assert.deepInclude(update, { _tag: "OrderUpdate", clientId: "mine", status: "open" })
        assert.deepStrictEqual(asked().map((now, index) => now - (before[index] ?? 0)), [0, 0, 1])
        const unknown = yield* Effect.flip(Stream.runCollect(desk.router.status("nobody's")))
        assert.strictEqual(unknown._tag, "UnknownClientId")
      })
    ))

  it.effect("Concurrent orders to different exchanges", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const all = Array.from({ length: 12 }, (_, index) => ({
          clientId: `order-${index}`,
          exchange: names[index % names.length] ?? "first"
        }))
        const placing = yield* Effect.forkScoped(
          Effect.forEach(
            all,
            ({ clientId, exchange }) =>
              desk.router.place(request({ clientId }), { strategy: RoutingStrategy.fixed(exchange) }),
            { concurrency: "unbounded" }
          ),
          { startImmediately: true }
        )
        yield* pass("3 seconds")
        const placements = yield* Fiber.join(placing)
        assert.deepStrictEqual(
          placements.map(({ parts, request }) => [request.clientId, parts[0]?.exchange, parts[0]?.status]),
          all.map(({ clientId, exchange }) => [clientId, exchange, "open"])
        )
        assert.deepStrictEqual(sent(desk), [4, 4, 4])
        for (const { clientId, exchange } of all) {
          assert.strictEqual(desk.mocks[exchange].exchange.orders(clientId).length, 1)
        }
      })
    ))

  it.effect("Exchange-specific error propagation", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const order = request({ timeInForce: "post-only", price: decimal("50000.0") })
        const { causes } = yield* refused(desk, order, { strategy: RoutingStrategy.fixed("first") })
        const [cause] = causes
        assert.strictEqual(cause?.reason, "Rejected")
        assert.deepInclude(cause?.outcome, { _tag: "Rejected", code: "11054", exchange: "first", clientId: "mine" })
      })
    ))

  it.effect("Connection timeout handling", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const { exchange } = desk.mocks.first
        exchange.fault({ _tag: "Withhold", method: "private/buy", takenAfter: Infinity })
        const placing = yield* Effect.forkScoped(desk.router.place(request(), { deadline: "2 seconds" }), {
          startImmediately: true
        })
        yield* pass("1900 millis")
        assert.deepStrictEqual(sent(desk), [1, 0, 0])
        // While nobody knows whether it was taken, no other gets it.
        yield* pass("150 millis")
        assert.deepStrictEqual(sent(desk), [1, 0, 0])
        yield* pass("5 seconds")
        const { causes, parts } = yield* Fiber.join(placing)
        assert.deepStrictEqual(causes.map(({ exchange, reason }) => [exchange, reason]), [["first", "Absent"]])
        assert.deepStrictEqual(parts.map(({ exchange, status }) => [exchange, status]), [["second", "open"]])
        assert.strictEqual(exchange.orders("mine").length, 0)
      })
    ))

  it.effect("Rate limiting response", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        desk.mocks.first.exchange.settlement(true)
        const strategy = RoutingStrategy.fixed("first")
        const error = yield* refused(desk, request(), { strategy })
        assert.deepStrictEqual(error.causes.map(({ reason }) => reason), ["RateLimited"])
        assert.strictEqual(error.retryAfterMillis, 250)
        const again = yield* refused(desk, request({ clientId: "second" }), { strategy })
        assert.deepStrictEqual(again.causes.map(({ reason }) => reason), ["Unavailable"])
        assert.deepStrictEqual(sent(desk), [1, 0, 0])
        desk.mocks.first.exchange.settlement(false)
        yield* pass("251 millis")
        const { parts } = yield* placed(desk, request({ clientId: "third" }), { strategy })
        assert.deepStrictEqual(parts.map(({ exchange }) => exchange), ["first"])
      })
    ))

  it.effect("Malformed response handling", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const { exchange } = desk.mocks.first
        exchange.fault({ _tag: "Withhold", method: "private/get_positions" })
        const asked = yield* Effect.forkScoped(desk.router.positions, { startImmediately: true })
        yield* pass(Duration.seconds(6))
        const { byExchange, failures } = yield* Fiber.join(asked)
        assert.deepStrictEqual([...byExchange.keys()], ["second", "third"])
        assert.deepStrictEqual(failures.map(({ _tag }) => _tag), ["ExchangeError"])
      })
    ))

  it.effect("Exchange selection strategy", () =>
    withRouter(
      (desk) =>
        Effect.gen(function*() {
          const to = (clientId: string, strategy: RoutingStrategy.RoutingStrategy, order = market({ clientId })) =>
            Effect.map(placed(desk, order, { strategy }), ({ parts }) => parts.map(({ exchange }) => exchange).join())
          assert.strictEqual(yield* to("a", RoutingStrategy.priority("third", "first")), "third")
          const inTurn = RoutingStrategy.roundRobin()
          const turns = [yield* to("b", inTurn), yield* to("c", inTurn), yield* to("d", inTurn), yield* to("e", inTurn)]
          assert.deepStrictEqual(new Set(turns.slice(0, 3)), new Set(names))
          assert.strictEqual(turns[3], turns[0])
          assert.strictEqual(yield* to("f", RoutingStrategy.bestPrice), "second")
          const strategy = RoutingStrategy.bySymbol(
            { "BTC-USD-PERP": RoutingStrategy.fixed("third") },
            RoutingStrategy.fixed("first")
          )
          assert.strictEqual(yield* to("g", strategy), "third")
        }),
      {
        prices: { first: "43260.0", second: "43240.0", third: "43280.0" },
        hasBooks: true
      }
    ))

  it.effect("Graceful degradation", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const whole = yield* placed(desk, request({ clientId: "whole" }))
        assert.isFalse(whole.isDegraded)
        yield* down(desk.mocks.first)
        const placement = yield* placed(desk, request())
        assert.isTrue(placement.isDegraded)
        assert.deepStrictEqual(placement.parts.map(({ exchange }) => exchange), ["second"])
        assert.deepStrictEqual(placement.causes.map(({ exchange, reason }) => [exchange, reason]), [[
          "first",
          "Unavailable"
        ]])
      })
    ))
})
