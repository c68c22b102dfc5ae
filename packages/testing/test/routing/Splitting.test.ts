/** An order that is divided among several exchanges by what their books offer. */
import { assert, describe, it } from "@effect/vitest"
import type * as Order from "@tickline/core/trading/Order"
import type { Placement } from "@tickline/core/trading/Routing"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { decimal, type Desk, market, names, pass, request, talk, withRouter } from "./Desk.ts"

const { split } = RoutingStrategy

/** Each book has these asks: 43252.1 × 7653, 43254.2 × 4638, and more. */
const amount = decimal("20000")

const options = { hasBooks: true }

const placing = (desk: Desk, order: ReturnType<typeof request>) =>
  Effect.forkScoped(desk.router.place(order, { strategy: split }), { startImmediately: true })

const brief = ({ exchange, filled, request: { side }, status }: Order.Order) =>
  `${exchange} ${side} ${Decimal.format(filled)} ${status}`

const parts = ({ parts }: Placement) => parts.map(brief).toSorted()

/** What the account has at each exchange, and at all together. */
const positions = (desk: Desk) =>
  Effect.gen(function*() {
    const asked = yield* Effect.forkScoped(desk.router.positions, { startImmediately: true })
    yield* talk
    const { byExchange, net } = yield* Fiber.join(asked)
    return {
      each: names.map((name) => byExchange.get(name)?.map(({ amount }) => Decimal.format(amount)).join() ?? "?"),
      net: net.map(({ amount, product }) => `${product} ${Decimal.format(amount)}`)
    }
  })

describe("An order that is divided", () => {
  it.effect("takes the best levels of all books, and no more than was asked", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const placed = yield* placing(desk, market({ amount }))
        yield* talk
        const placement = yield* Fiber.join(placed)
        assert.deepStrictEqual(parts(placement), [
          "first buy 7653 filled",
          "second buy 7653 filled",
          "third buy 4694 filled"
        ])
        assert.deepStrictEqual(yield* positions(desk), {
          each: ["7653", "7653", "4694"],
          net: ["BTC-USD-PERP 20000"]
        })
        const stored = yield* desk.storage.positions
        assert.deepStrictEqual(
          stored.map(({ amount, exchange }) => `${exchange} ${Decimal.format(amount)}`).toSorted(),
          ["first 7653", "second 7653", "third 4694"]
        )
      }), options))

  it.effect("is for what its price allows, and rests with the rest", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const placed = yield* placing(desk, request({ amount: decimal("30000"), price: decimal("43253.0") }))
        yield* talk
        const placement = yield* Fiber.join(placed)
        assert.deepStrictEqual(parts(placement), [
          "first buy 0 open",
          "first buy 7653 filled",
          "second buy 7653 filled",
          "third buy 7653 filled"
        ])
        const rest = placement.parts.find(({ status }) => status === "open")
        assert.strictEqual(rest && Decimal.format(rest.amount), "7041")
        assert.deepStrictEqual((yield* positions(desk)).net, ["BTC-USD-PERP 22959"])
      }), options))

  it.effect("says why its rest does not rest", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const order = request({ amount: decimal("22959.5"), price: decimal("43253.0") })
        const placed = yield* placing(desk, order)
        yield* talk
        const placement = yield* Fiber.join(placed)
        assert.deepStrictEqual(parts(placement), [
          "first buy 7653 filled",
          "second buy 7653 filled",
          "third buy 7653 filled"
        ])
        const detail = "0.5 is left, which is less than an order may be"
        assert.deepStrictEqual(
          placement.causes.map(({ detail, exchange, reason }) => ({ detail, exchange, reason })),
          names.map((exchange) => ({ detail, exchange, reason: "NotSent" as const }))
        )
      }), options))

  it.effect("of which nothing may rest leaves what was not there", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const order = request({ amount: decimal("30000"), price: decimal("43253.0"), timeInForce: "ioc" })
        const placed = yield* placing(desk, order)
        yield* talk
        assert.deepStrictEqual(parts(yield* Fiber.join(placed)), [
          "first buy 7653 filled",
          "second buy 7653 filled",
          "third buy 7653 filled"
        ])
      }), options))

  it.effect("as a whole or not at all is not begun if so much is not offered", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const order = request({ amount: decimal("30000"), price: decimal("43253.0"), timeInForce: "fok" })
        const placed = yield* placing(desk, order)
        yield* talk
        const error = yield* Effect.flip(Fiber.join(placed))
        assert.strictEqual(error._tag, "NotRouted")
        assert.match(error.message, /only 22959 of 30000 is offered/)
        assert.deepStrictEqual(names.map((name) => desk.mocks[name].sent()), [0, 0, 0])
      }), options))

  it.effect("as a whole or not at all is traded back if a part of it is refused", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        desk.mocks.second.exchange.settlement(true)
        const placed = yield* placing(desk, market({ amount, timeInForce: "fok" }))
        yield* talk
        const placement = yield* Fiber.join(placed)
        assert.deepStrictEqual(parts(placement), ["first buy 7653 filled", "third buy 4694 filled"])
        assert.deepStrictEqual(placement.unwound.map(brief).toSorted(), [
          "first sell 7653 filled",
          "third sell 4694 filled"
        ])
        assert.deepStrictEqual(placement.causes.map(({ exchange, reason }) => [exchange, reason]), [[
          "second",
          "RateLimited"
        ]])
        assert.deepStrictEqual(yield* positions(desk), { each: ["", "", ""], net: [] })
      }), options))

  it.effect("sends nothing in place of a part while nobody knows what became of it", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        desk.mocks.second.exchange.fault({ _tag: "Withhold", method: "private/buy" })
        const placed = yield* placing(desk, market({ amount }))
        yield* pass("5 seconds")
        assert.deepStrictEqual(names.map((name) => desk.mocks[name].sent()), [1, 1, 1])
        yield* pass("2 seconds")
        assert.deepStrictEqual(parts(yield* Fiber.join(placed)), [
          "first buy 7653 filled",
          "second buy 7653 filled",
          "third buy 4694 filled"
        ])
        assert.deepStrictEqual(names.map((name) => desk.mocks[name].sent()), [1, 1, 1])
      }), options))

  it.effect("of a market is divided anew for what a book did not have any more", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        desk.mocks.second.exchange.settlement(true)
        const placed = yield* placing(desk, market({ amount }))
        yield* talk
        const placement = yield* Fiber.join(placed)
        const filled = placement.parts.reduce((sum, { filled }) => BigDecimal.sum(sum, filled), Decimal.zero)
        assert.strictEqual(Decimal.format(filled), "20000")
        assert.isAbove(placement.parts.length, 2)
        assert.deepStrictEqual((yield* positions(desk)).net, ["BTC-USD-PERP 20000"])
      }), options))
})
