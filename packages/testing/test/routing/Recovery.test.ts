/** A router after a restart of its process: what was open is known, and nothing is sent again. */
import { assert, describe, it } from "@effect/vitest"
import type * as Routing from "@tickline/core/trading/Routing"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { clientOf, decimal, type Desk, names, pass, request, talk, withMocks } from "./Desk.ts"

/** A process: its router, and its end, at once and without a word. */
const processOf = (desk: Omit<Desk, "router">) =>
  Effect.gen(function*() {
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const router = yield* Scope.provide(desk.begin, scope)
    return { router, end: Effect.andThen(Scope.close(scope, Exit.void), talk) }
  })

const given = (process: Effect.Success<ReturnType<typeof processOf>>, ...order: Parameters<Desk["router"]["place"]>) =>
  Effect.gen(function*() {
    const placing = yield* Effect.forkScoped(process.router.place(...order), { startImmediately: true })
    yield* talk
    return placing
  })

const known = ({ storage }: Omit<Desk, "router">) =>
  Effect.map(
    Stream.runCollect(storage.orders()),
    (found) =>
      found.map(({ value: { exchange, filled, request, status } }) =>
        `${exchange} ${request.clientId} ${status} ${Decimal.format(filled)}`
      )
  )

const sent = ({ mocks }: Omit<Desk, "router">) => names.map((name) => mocks[name].sent())

const brief = ({ event, of, order }: Routing.Update) => `${of}: ${event._tag}, then ${order.status}`

describe("A router after a restart", () => {
  it.effect("knows an order that rests, and follows it", () =>
    withMocks((desk) =>
      Effect.gen(function*() {
        const first = yield* processOf(desk)
        yield* Fiber.join(yield* given(first, request({ price: decimal("43251.0") })))
        yield* first.end
        assert.deepStrictEqual(yield* known(desk), ["first mine open 0"])
        const other = yield* clientOf(desk.mocks.first, "BERTA")
        const selling = other.place(
          request({ product: "BTC-PERPETUAL", side: "sell", amount: decimal("4"), price: decimal("43251.0") })
        )
        yield* Effect.forkScoped(Effect.ignore(Stream.runDrain(selling)), { startImmediately: true })
        yield* talk
        const second = yield* processOf(desk)
        yield* second.router.recovered
        yield* pass("1 second")
        assert.deepStrictEqual(yield* known(desk), ["first mine partially-filled 4"])
        const again = yield* Fiber.join(yield* given(second, request({ price: decimal("43251.0") })))
        assert.deepStrictEqual(again.parts.map(({ exchange, status }) => [exchange, status]), [[
          "first",
          "partially-filled"
        ]])
        yield* Effect.forkScoped(Stream.runDrain(second.router.cancel("mine")), { startImmediately: true })
        yield* pass("1 second")
        assert.deepStrictEqual(yield* known(desk), ["first mine cancelled 4"])
        assert.deepStrictEqual(sent(desk), [2, 0, 0])
      })
    ))

  it.effect("tells what it learns, with the order that it is of, from the first moment", () => {
    const observed: Array<Routing.Update> = []
    return withMocks((desk) =>
      Effect.gen(function*() {
        const first = yield* processOf(desk)
        desk.mocks.first.exchange.fault({ _tag: "Withhold", method: "private/buy" })
        const updates = yield* first.router.updates
        const told: Array<Routing.Update> = []
        yield* Effect.forkScoped(Stream.runForEach(updates, (update) => Effect.sync(() => told.push(update))))
        yield* given(first, request({ clientId: "mine" }), { strategy: RoutingStrategy.fixed("second") })
        assert.deepStrictEqual(told.map(brief), ["mine: Acknowledged, then open"])
        yield* given(first, request({ clientId: "lost" }))
        yield* first.end
        observed.length = 0
        const second = yield* processOf(desk)
        yield* second.router.recovered
        assert.deepStrictEqual(observed.map(brief), [
          "lost: OutcomeUnknown, then unknown",
          "lost: Reconciled, then open"
        ])
        const instrument = yield* second.router.instrument("second", "BTC-USD-PERP")
        assert.strictEqual(instrument.product, "BTC-PERPETUAL")
        const error = yield* Effect.flip(second.router.instrument("second", "DOGE-USD"))
        assert.strictEqual(error.message, "second: it has no DOGE-USD")
      }), { observe: (update) => observed.push(update) })
  })

  it.effect("reconciles an order of which nothing was heard, and does not send it again", () =>
    withMocks((desk) =>
      Effect.gen(function*() {
        const first = yield* processOf(desk)
        desk.mocks.first.exchange.fault({ _tag: "Withhold", method: "private/buy" })
        yield* given(first, request())
        yield* first.end
        assert.deepStrictEqual(yield* known(desk), ["first mine pending 0"])
        const second = yield* processOf(desk)
        yield* second.router.recovered
        assert.deepStrictEqual(yield* known(desk), ["first mine open 0"])
        assert.deepStrictEqual(sent(desk), [1, 0, 0])
      })
    ))

  it.effect("knows that an order never came once it no longer can, and only then lets it be given again", () =>
    withMocks((desk) =>
      Effect.gen(function*() {
        const first = yield* processOf(desk)
        desk.mocks.first.exchange.fault({ _tag: "Withhold", method: "private/buy", takenAfter: Infinity })
        yield* given(first, request())
        yield* first.end
        const second = yield* processOf(desk)
        const early = yield* Fiber.join(yield* given(second, request()))
        assert.deepStrictEqual(early.parts.map(({ status }) => status), ["unknown"])
        yield* pass("10 seconds")
        yield* second.router.recovered
        assert.deepStrictEqual(yield* known(desk), ["first mine absent 0"])
        assert.deepStrictEqual(sent(desk), [1, 0, 0])
        const { parts } = yield* Fiber.join(yield* given(second, request()))
        assert.deepStrictEqual(parts.map(({ exchange, status }) => [exchange, status]), [["first", "open"]])
        assert.notStrictEqual(parts[0]?.request.clientId, "mine")
        assert.deepStrictEqual(sent(desk), [2, 0, 0])
      })
    ))

  it.effect("refuses a client id that means another order, whoever gave it", () =>
    withMocks((desk) =>
      Effect.gen(function*() {
        const first = yield* processOf(desk)
        yield* Fiber.join(yield* given(first, request()))
        yield* first.end
        const second = yield* processOf(desk)
        const placing = yield* given(second, request({ amount: decimal("20") }))
        assert.strictEqual((yield* Effect.flip(Fiber.join(placing)))._tag, "ClientIdInUse")
        assert.deepStrictEqual(sent(desk), [1, 0, 0])
      })
    ))

  it.effect("knows each part of an order that was divided", () =>
    withMocks(
      (desk) =>
        Effect.gen(function*() {
          const first = yield* processOf(desk)
          const order = request({ amount: decimal("30000"), price: decimal("43253.0") })
          const { parts } = yield* Fiber.join(yield* given(first, order))
          yield* first.end
          const second = yield* processOf(desk)
          yield* second.router.recovered
          const again = yield* Fiber.join(yield* given(second, order))
          const briefs = (all: typeof parts) =>
            all.map(({ exchange, filled, status }) => `${exchange} ${status} ${Decimal.format(filled)}`).toSorted()
          assert.deepStrictEqual(briefs(again.parts), briefs(parts))
          assert.deepStrictEqual(sent(desk), [2, 1, 1])
        }),
      { hasBooks: true, strategy: RoutingStrategy.split }
    ))
})
