/** Cancelling everything, at exchanges that answer as it is told here. */
import { assert, describe, it } from "@effect/vitest"
import { Acknowledged, CancelledAll, type OrderEvent, OrderUpdate, Reconciled } from "@tickline/core/trading/OrderEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Halting from "../src/strategy/internal/halting.ts"

const zero = Decimal.zero

const named = (orderId: string) => ({ exchange: "first", clientId: orderId, orderId })

describe("Cancelling everything", () => {
  it.effect("looks once more for what was on its way as it was asked what is open", () =>
    Effect.gen(function*() {
      const placing = new Set(["mine"])
      let asked = 0
      const router = {
        cancelAll: Stream.empty,
        // It arrives after the first exchange has answered, and before the last one has.
        open: Effect.sync(() => {
          placing.clear()
          const open = asked++ === 1 ? [new OrderUpdate({ ...named("mine"), status: "open" })] : []
          return { byExchange: new Map([["first", open]]), failures: [] }
        })
      }
      const halting = yield* Effect.forkChild(Halting.cancelAll(router, { placing }), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual((yield* Fiber.join(halting)).open, [])
      assert.strictEqual(asked, 3)
    }))

  it.effect("says which orders were cancelled, and of none that was over otherwise", () =>
    Effect.gen(function*() {
      const said: ReadonlyArray<OrderEvent> = [
        new Acknowledged({ ...named("1"), status: "cancelled", filled: zero }),
        new Reconciled({ ...named("2"), status: "filled", filled: zero }),
        new Reconciled({ ...named("3"), status: "cancelled", filled: zero }),
        new CancelledAll({ count: 2 })
      ]
      const router = {
        cancelAll: Stream.fromIterable(said),
        open: Effect.succeed({ byExchange: new Map(), failures: [] })
      }
      const { cancelled, orders } = yield* Halting.cancelAll(router, { placing: new Set() })
      assert.deepStrictEqual([cancelled, orders.map(({ orderId }) => orderId)], [2, ["1", "3"]])
    }))
})
