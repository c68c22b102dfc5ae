import { assert, describe, it } from "@effect/vitest"
import type { OrderEvent } from "@tickline/core/trading/OrderEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Effect from "effect/Effect"
import { request, withDesk } from "./CoinbaseDesk.ts"
import { decimal, give, pass } from "./Desk.ts"

/** The executions among what was said, without their ids. */
const fills = (events: ReadonlyArray<OrderEvent>): ReadonlyArray<string> =>
  events.flatMap((event) => {
    if (event._tag !== "Fill") return []
    const { amount, fee = Decimal.zero, feeAsset, liquidity, price, side } = event
    const { format } = Decimal
    return [`${side} ${format(amount)} at ${format(price)}, ${format(fee)} ${feeAsset} ${liquidity}`]
  })

describe("Following orders at Coinbase Advanced Trade", () => {
  it.effect("each execution is said once, after the outcome, whatever the socket says of it", () =>
    withDesk(({ orders, other }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(request({ price: decimal("43250.50") }), { follow: true }))
        yield* pass("1 second")
        for (const amount of ["0.02", "0.03", "0.05"]) {
          yield* other.sell(amount)
          yield* pass("1 second")
        }
        assert.strictEqual(placed.ended(), "done")
        assert.deepStrictEqual(fills(placed.events), [
          "buy 0.02000000 at 43250.50, 3.4600400000000 USD maker",
          "buy 0.03000000 at 43250.50, 5.1900600000000 USD maker",
          "buy 0.05000000 at 43250.50, 8.6501000000000 USD maker"
        ])
        assert.deepStrictEqual(placed.lines().filter((line) => !line.startsWith("Fill")), [
          "Acknowledged clientId=mine status=pending filled=0",
          "OrderUpdate clientId=mine status=open filled=0 remaining=0.10000000",
          "OrderUpdate clientId=mine status=partially-filled filled=0.02000000 remaining=0.08000000",
          "OrderUpdate clientId=mine status=partially-filled filled=0.05000000 remaining=0.05000000",
          "OrderUpdate clientId=mine status=filled filled=0.10000000 remaining=0.00000000"
        ])
      })
    ))
})
