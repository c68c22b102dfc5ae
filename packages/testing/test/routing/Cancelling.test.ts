/** What becomes of an order that is still being routed when it is cancelled. */
import { assert, describe, it } from "@effect/vitest"
import type { Placement } from "@tickline/core/trading/Routing"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import { Storage } from "@tickline/core/trading/Storage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { decimal, type Desk, market, names, pass, request, talk, withMocks, withRouter } from "./Desk.ts"

const sent = ({ mocks }: Desk) => names.map((name) => mocks[name].sent())

const placing = ({ router }: Desk, ...of: Parameters<Desk["router"]["place"]>) =>
  Effect.forkScoped(
    Effect.match(router.place(...of), {
      onFailure: ({ message }) => message,
      onSuccess: ({ parts }: Placement) =>
        parts.map(({ exchange, filled, status }) => `${exchange} ${status} ${Decimal.format(filled)}`).join(", ")
    }),
    { startImmediately: true }
  )

/** The first exchange never gets the order, and says nothing. */
const lose = ({ mocks }: Desk) => {
  mocks.first.exchange.fault({ _tag: "Withhold", method: "private/buy", takenAfter: Infinity })
}

const cancelAll = ({ router }: Desk) => Effect.forkScoped(Stream.runDrain(router.cancelAll), { startImmediately: true })

const tooLate = "it was cancelled before it was sent"

const refused = "order mine went to no exchange: first: the answer was lost, and the exchange has no such order; " +
  `second: ${tooLate}`

describe("An order that is being routed", () => {
  it.effect("goes on to the next exchange if nobody cancels it", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        lose(desk)
        const placed = yield* placing(desk, request())
        yield* pass("1 minute")
        assert.strictEqual(yield* Fiber.join(placed), "second open 0")
        assert.deepStrictEqual(sent(desk), [1, 1, 0])
      })
    ))

  it.effect("goes to no other exchange once all orders are cancelled", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        lose(desk)
        const placed = yield* placing(desk, request())
        yield* pass("1 second")
        yield* cancelAll(desk)
        yield* pass("1 minute")
        assert.strictEqual(yield* Fiber.join(placed), refused)
        assert.deepStrictEqual(sent(desk), [1, 0, 0])

        const next = yield* placing(desk, request({ clientId: "next" }))
        yield* talk
        assert.strictEqual(yield* Fiber.join(next), "first open 0")
      })
    ))

  it.effect("goes to no other exchange once it is cancelled, and others do", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        lose(desk)
        const placed = yield* placing(desk, request())
        yield* talk
        lose(desk)
        const other = yield* placing(desk, request({ clientId: "other" }))
        yield* pass("1 second")
        yield* Effect.forkScoped(Stream.runDrain(desk.router.cancel("mine")), { startImmediately: true })
        yield* pass("1 minute")
        assert.strictEqual(yield* Fiber.join(placed), refused)
        assert.strictEqual(yield* Fiber.join(other), "second open 0")
        assert.deepStrictEqual(sent(desk), [2, 1, 0])

        const again = yield* placing(desk, request())
        yield* talk
        assert.strictEqual(yield* Fiber.join(again), "first open 0")
      })
    ))

  it.effect("goes nowhere if it is cancelled before it has left", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        const order = market({ amount: decimal("20000") })
        const placed = yield* placing(desk, order, { strategy: RoutingStrategy.split })
        assert.deepStrictEqual(yield* Stream.runCollect(desk.router.cancel("mine")), [])
        yield* pass("1 minute")
        const unknown = yield* Effect.flip(Stream.runCollect(desk.router.cancel("other")))
        assert.strictEqual(unknown._tag, "UnknownClientId")
        assert.strictEqual(
          yield* Fiber.join(placed),
          `order mine went to no exchange: ${names.map((name) => `${name}: ${tooLate}`).join("; ")}`
        )
        assert.deepStrictEqual(sent(desk), [0, 0, 0])
      }), {
      hasBooks: true,
      // What may be traded is asked for first.
      routeOf: ({ exchange, ...route }) => ({
        ...route,
        exchange: { ...exchange, instrument: (symbol) => Effect.delay(exchange.instrument(symbol), "1 second") }
      })
    }))

  it.effect("is not divided anew once all are cancelled", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        desk.mocks.second.exchange.settlement(true)
        desk.mocks.first.exchange.fault({ _tag: "Delay", method: "private/buy", millis: 2_000 })
        const order = market({ amount: decimal("20000") })
        const placed = yield* placing(desk, order, { strategy: RoutingStrategy.split })
        yield* pass("1 second")
        yield* cancelAll(desk)
        yield* pass("1 minute")
        assert.strictEqual(yield* Fiber.join(placed), "third filled 4694, first filled 7653")
        assert.deepStrictEqual(sent(desk), [1, 1, 1])
      }), { hasBooks: true }))

  for (const by of ["cancel", "cancelAll"] as const) {
    it.effect(`is not sent if it is cancelled while it is stored for an exchange, by ${by}`, () =>
      withMocks((desk) =>
        Effect.gen(function*() {
          const slow: typeof desk.storage = {
            ...desk.storage,
            intend: (...given) => Effect.delay(desk.storage.intend(...given), "1 second")
          }
          const router = yield* Effect.provideService(desk.begin, Storage, slow)
          const own = { ...desk, router }
          const placed = yield* placing(own, request())
          yield* pass("500 millis")
          const cancel = by === "cancel" ? router.cancel("mine") : router.cancelAll
          yield* Effect.forkScoped(Stream.runDrain(cancel), { startImmediately: true })
          yield* pass("1 minute")
          assert.strictEqual(yield* Fiber.join(placed), `order mine went to no exchange: first: ${tooLate}`)
          assert.deepStrictEqual(sent(own), [0, 0, 0])
          const order = yield* desk.storage.order("first", { clientId: "mine" })
          assert.deepStrictEqual([order?.status, order?.outcome?._tag], ["absent", "NotSent"])
        })
      ))
  }

  it.effect("that is a whole or nothing is traded back also where all are cancelled meanwhile", () =>
    withRouter((desk) =>
      Effect.gen(function*() {
        desk.mocks.second.exchange.settlement(true)
        desk.mocks.first.exchange.fault({ _tag: "Delay", method: "private/buy", millis: 2_000 })
        const order = market({ amount: decimal("20000"), timeInForce: "fok" })
        const placed = yield* placing(desk, order, { strategy: RoutingStrategy.split })
        yield* pass("1 second")
        yield* cancelAll(desk)
        yield* pass("1 minute")
        assert.strictEqual(yield* Fiber.join(placed), "third filled 4694, first filled 7653")
        const { net } = yield* desk.router.positions
        assert.deepStrictEqual(net.filter(({ amount }) => amount.value !== 0n), [])
        assert.deepStrictEqual(sent(desk), [2, 1, 2])
      }), { hasBooks: true }))
})
