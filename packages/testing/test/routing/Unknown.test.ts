/** What a router does while nobody knows what became of an order. */
import { assert, describe, it } from "@effect/vitest"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { decimal, type Desk, market, type Mock, names, pass, request, talk, withRouter } from "./Desk.ts"

/** Takes the next order, and is gone before it has said so. */
const vanish = ({ exchange, served }: Mock) =>
  Effect.andThen(
    served.host.otherwise({ _tag: "Refuse" }),
    Effect.sync(() => exchange.fault({ _tag: "Cut", method: "private/buy" }))
  )

const comeBack = ({ served }: Mock) => served.host.otherwise({ _tag: "Accept" })

const sent = ({ mocks }: Desk) => names.map((name) => mocks[name].sent())

describe("While nobody knows what became of an order", () => {
  it.effect("no other exchange gets it, however long that is", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const { first } = desk.mocks
        yield* vanish(first)
        const placing = yield* Effect.forkScoped(desk.router.place(request()), { startImmediately: true })
        yield* pass("36 seconds")
        const { parts } = yield* Fiber.join(placing)
        assert.deepStrictEqual(parts.map(({ exchange, status }) => [exchange, status]), [["first", "unknown"]])
        const again = yield* Effect.forkScoped(desk.router.place(request()), { startImmediately: true })
        yield* talk
        assert.deepStrictEqual((yield* Fiber.join(again)).parts.map(({ status }) => status), ["unknown"])
        assert.deepStrictEqual(sent(desk), [1, 0, 0])
        yield* comeBack(first)
        yield* pass("1 minute")
        const order = yield* desk.storage.order("first", { clientId: "mine" })
        assert.strictEqual(order?.status, "open")
        assert.deepStrictEqual(sent(desk), [1, 0, 0])
      })
    ))

  it.effect("nothing is sent for that part of it", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const { second } = desk.mocks
        yield* vanish(second)
        const order = market({ amount: decimal("20000") })
        const placing = yield* Effect.forkScoped(desk.router.place(order, { strategy: RoutingStrategy.split }), {
          startImmediately: true
        })
        yield* pass("36 seconds")
        const { parts } = yield* Fiber.join(placing)
        assert.deepStrictEqual(
          parts.map(({ exchange, filled, status }) => `${exchange} ${status} ${Decimal.format(filled)}`).toSorted(),
          ["first filled 7653", "second unknown 0", "third filled 4694"]
        )
        assert.deepStrictEqual(sent(desk), [1, 1, 1])
        yield* comeBack(second)
        yield* pass("1 minute")
        const settled = yield* desk.router.settled("mine")
        assert.deepStrictEqual(settled.map(({ filled }) => Decimal.format(filled)).toSorted(), [
          "4694",
          "7653",
          "7653"
        ])
        assert.deepStrictEqual(sent(desk), [1, 1, 1])
      }), { hasBooks: true }))

  it.effect("it is asked for, also if following it failed in a way that nobody foresaw", () => {
    let fails = 0
    return withRouter(({ router, storage, ...desk }) =>
      Effect.gen(function*() {
        const placing = yield* Effect.forkScoped(router.place(request()), { startImmediately: true })
        yield* pass("1 second")
        const { parts } = yield* Fiber.join(placing)
        assert.deepStrictEqual(parts.map(({ exchange, status }) => [exchange, status]), [["first", "unknown"]])
        yield* pass("30 seconds")
        assert.strictEqual((yield* storage.order("first", { clientId: "mine" }))?.status, "absent")
        assert.deepStrictEqual((yield* router.settled("mine")).map(({ status }) => status), ["absent"])
        assert.strictEqual(fails, 1)
        assert.deepStrictEqual(sent({ ...desk, router, storage }), [0, 0, 0])
      }), {
      routeOf: (route, name) =>
        name === "first"
          ? {
            ...route,
            exchange: {
              ...route.exchange,
              place: () =>
                Stream.suspend(() => {
                  fails++
                  return Stream.die(new Error("nobody foresaw this"))
                })
            }
          }
          : route
    })
  })
})
