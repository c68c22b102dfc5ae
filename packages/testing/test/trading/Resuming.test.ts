/** An order at Deribit that a process before this one placed, or may have placed. */
import { assert, describe, it } from "@effect/vitest"
import * as Order from "@tickline/core/trading/Order"
import type { OrderEvent } from "@tickline/core/trading/OrderEvent"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { decimal, give, make, other, pass, request, withDesk } from "./Desk.ts"

/** The order as its process knew it, by what had been said of it by then. */
const known = (events: ReadonlyArray<OrderEvent>, terms = request()): Order.Order =>
  events.reduce(
    (order, event) => event._tag === "CancelledAll" ? order : Order.transition(order, event),
    Order.make("deribit", terms)
  )

const soon = Effect.map(Clock.currentTimeMillis, (now) => ({ due: Timestamp.fromEpochMillis(now + 5_000) }))

describe("An order that another process placed", () => {
  it.effect("is reconciled if its outcome was never known, and followed", () =>
    withDesk(({ methods, orders }) =>
      Effect.gen(function*() {
        const { between, sell } = yield* other
        const terms = request({ price: decimal(between) })
        yield* give(orders.place(terms))
        yield* sell("4", between)
        const next = yield* make()
        const resumed = yield* give(next.resume(known([], terms), yield* soon))
        assert.deepStrictEqual(resumed.lines(), [
          "OutcomeUnknown clientId=mine reason=the process that placed it has ended",
          "Reconciled clientId=mine status=partially-filled filled=4",
          `Fill clientId=mine price=${between} amount=4`
        ])
        yield* sell("6", between)
        assert.strictEqual(resumed.lines().at(-1), "OrderUpdate clientId=mine status=filled filled=10 remaining=0")
        assert.strictEqual(resumed.ended(), "done")
        assert.strictEqual(methods("private/buy"), 1)
      })
    ))

  it.effect("tells what is new of one that was known, and none twice", () =>
    withDesk(({ orders }) =>
      Effect.gen(function*() {
        const { between, sell } = yield* other
        const terms = request({ price: decimal(between) })
        const placed = yield* give(orders.place(terms, { follow: true }))
        yield* sell("4", between)
        const before = known(placed.events, terms)
        yield* sell("5", between)
        const next = yield* make()
        const resumed = yield* give(next.resume(before, yield* soon))
        assert.deepStrictEqual(resumed.lines(), [
          `Fill clientId=mine price=${between} amount=5`,
          "OrderUpdate clientId=mine status=partially-filled filled=9 remaining=1"
        ])
      })
    ))

  it.effect("is absent only once it can no longer come, and is not sent", () =>
    withDesk(({ methods, orders }) =>
      Effect.gen(function*() {
        const resumed = yield* give(orders.resume(known([]), yield* soon))
        yield* pass("5 seconds")
        assert.strictEqual(resumed.events.length, 1)
        yield* pass("3 seconds")
        assert.strictEqual(resumed.lines()[1], "Reconciled clientId=mine status=absent")
        assert.strictEqual(resumed.ended(), "done")
        assert.strictEqual(methods("private/buy"), 0)
      })
    ))
})
