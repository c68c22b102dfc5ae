/** How an order at Deribit is found: by its label under each currency, and in the history. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { named, order, withAnswers } from "./Answers.ts"
import { give, pass, request } from "./Desk.ts"

describe("Looking up an order at Deribit", () => {
  it.effect("looks an order up under each currency that there is, and passes over those that have none", () =>
    withAnswers(
      {
        "public/get_currencies": () => -32_601,
        "private/get_order_state_by_label": ({ params }) =>
          params["currency"] === "USDC" ? { result: [order] } : params["currency"] === "ETH" ? -32_602 : { result: [] }
      },
      ({ calls, orders }) =>
        Effect.gen(function*() {
          const shown = yield* give(orders.status({ clientId: "mine" }))
          assert.deepStrictEqual(shown.lines(), [
            "OrderUpdate clientId=mine status=open filled=0 remaining=10 price=40000 amount=10"
          ])
          // Nothing is filled, so there is no average, whatever the venue writes.
          assert.notProperty(shown.events[0], "averagePrice")
          assert.deepStrictEqual(
            named(calls, "private/get_order_state_by_label").map(({ params }) => params["currency"]),
            ["BTC", "ETH", "USDC", "USDT", "EURR"]
          )
        })
    ))

  it.effect("looks an order up under the currencies that are listed, whatever else is said of them", () =>
    Effect.forEach(
      [
        [[{ currency: "SOL" }, { currency: "BTC" }], ["SOL", "BTC"]],
        ["none", ["BTC", "ETH", "USDC", "USDT", "EURR"]]
      ] as const,
      ([listed, asked]) =>
        withAnswers(
          {
            "public/get_currencies": () => ({ result: listed }),
            "private/get_order_state_by_label": ({ params }) => ({
              result: params["currency"] === "BTC" ? [order] : []
            })
          },
          ({ calls, orders }) =>
            Effect.gen(function*() {
              const shown = yield* give(orders.status({ clientId: "mine" }))
              assert.deepStrictEqual(shown.lines().map((line) => line.split(" ")[0]), ["OrderUpdate"])
              assert.deepStrictEqual(
                named(calls, "private/get_order_state_by_label").map(({ params }) => params["currency"]),
                [...asked]
              )
            })
        )
    ))

  it.effect("an order that is followed over a long outage, and that only the history knows, is over", () =>
    withAnswers(
      {
        "private/get_order_state": () => 10_004,
        "private/get_user_trades_by_order": () => ({ result: [] }),
        "private/get_order_history_by_currency": ({ params }) => ({
          result: params["currency"] === "BTC" ? [{ ...order, order_state: "cancelled" }] : []
        })
      },
      ({ drop, orders }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request(), { follow: true }))
          yield* drop
          yield* pass("2 seconds")
          assert.deepStrictEqual(placed.lines().slice(1), [
            "OrderUpdate clientId=mine status=cancelled filled=0 remaining=10"
          ])
          assert.strictEqual(placed.ended(), "done")
        })
    ))

  it.effect("what is followed and cannot be read is logged, once", () => {
    const logs: Array<string> = []
    const logger = Logger.make(({ message }) => void logs.push(String(message)))
    return withAnswers(
      {
        "private/get_order_state": () => ({ result: { ...order, order_state: "filled", filled_amount: 10 } }),
        "private/get_user_trades_by_order": () => ({ result: [{ trade_id: "T-1" }] })
      },
      ({ orders }) =>
        Effect.gen(function*() {
          const placed = yield* give(orders.place(request(), { follow: true }))
          yield* pass("30 seconds")
          assert.isUndefined(placed.ended())
          assert.deepStrictEqual(logs.filter((line) => line.includes("get_user_trades_by_order")).length, 1)
        })
    ).pipe(Effect.provide(Logger.layer([logger])))
  })
})
