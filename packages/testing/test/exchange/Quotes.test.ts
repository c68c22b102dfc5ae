/** Quotes on many instruments at once, their protection, and what else a market maker asks the mock of Deribit. */
import { assert, describe, it } from "@effect/vitest"
import type * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { settle } from "../Rig.ts"
import { at, listOf, number, order, type Plain, product, signedIn, type Trader, withExchange } from "./Trader.ts"

const protection = {
  index_name: "btc_usd",
  interval: number(5),
  frozen_time: number(2),
  quantity_limit: number("0.0003"),
  max_quote_quantity: number("1"),
  mmp_group: "makers"
}

const side = (price: string, terms: ExactJson.JsonObject = {}): ExactJson.JsonObject => ({
  price: number(price),
  amount: number("10"),
  ...terms
})

const quotes = (quote: ExactJson.JsonObject, terms: ExactJson.JsonObject = {}): ExactJson.JsonObject => ({
  quote_id: "1",
  mmp_group: "makers",
  detailed: true,
  quotes: [{ instrument_name: product, quote_set_id: "a", ...quote }],
  ...terms
})

const maker = Effect.gen(function*() {
  const trader = yield* signedIn()
  yield* trader.call("private/enable_cancel_on_disconnect")
  yield* trader.call("private/set_mmp_config", protection)
  return trader
})

/** The open orders, as lines. */
const open = ({ call }: Trader) =>
  Effect.map(
    call("private/get_open_orders"),
    (orders) =>
      listOf(orders).map((one) =>
        `${String(at(one, "direction"))} ${String(at(one, "amount"))}@${String(at(one, "price"))}`
      )
  )

const errorsOf = (answer: Plain) =>
  listOf(at(answer, "errors")).map((error) => [at(error, "side"), at(error, "error", "code")])

describe("Mass quotes", () => {
  it.effect("rest, are amended by what comes next, each side by itself, and are cancelled by their set", () =>
    withExchange(() =>
      Effect.gen(function*() {
        const trader = yield* maker
        const first = yield* trader.call("private/mass_quote", quotes({ bid: side("40000"), ask: side("50000") }))
        assert.deepStrictEqual(listOf(at(first, "orders")).map((one) => at(one, "quote_set_id")), ["a", "a"])
        const id = at(first, "orders", 0, "order_id")
        // What is not said stays; the side that is wrong takes its quote away.
        const next = yield* trader.call(
          "private/mass_quote",
          quotes({ bid: { price: number("40100") }, ask: side("50000.33") }, { quote_id: "2" })
        )
        assert.strictEqual(at(next, "orders", 0, "order_id"), id)
        assert.strictEqual(at(next, "orders", 0, "quote_id"), "2")
        assert.deepStrictEqual(errorsOf(next), [["ask", "10043"]])
        assert.deepStrictEqual(yield* open(trader), ["buy 10@40100.0"])
        // A quote is no order that could be edited.
        assert.strictEqual(
          yield* trader.refused("private/edit", { order_id: String(id), amount: number("20") }),
          "10004"
        )
        assert.strictEqual(
          yield* trader.call("private/cancel_quotes", { cancel_type: "quote_set_id", quote_set_id: "b" }),
          "0"
        )
        assert.strictEqual(
          yield* trader.call("private/cancel_quotes", { cancel_type: "quote_set_id", quote_set_id: "a" }),
          "1"
        )
        assert.deepStrictEqual(yield* open(trader), [])
      })
    ))

  it.effect("of an account that moves both of its sides up do not meet each other", () =>
    withExchange(() =>
      Effect.gen(function*() {
        const trader = yield* maker
        yield* trader.call("private/mass_quote", quotes({ bid: side("40000"), ask: side("50000") }))
        yield* trader.call("private/set_mmp_config", { ...protection, mmp_group: "others" })
        const moved = yield* trader.call("private/mass_quote", quotes({ bid: side("41000"), ask: side("51000") }))
        assert.deepStrictEqual(listOf(at(moved, "orders")).map((one) => at(one, "direction")), ["sell", "buy"])
        const down = yield* trader.call("private/mass_quote", quotes({ bid: side("39000"), ask: side("49000") }))
        assert.deepStrictEqual(listOf(at(down, "orders")).map((one) => at(one, "direction")), ["buy", "sell"])
      })
    ))

  it.effect("need cancel on disconnect, a group of theirs, and no more than it allows", () =>
    withExchange(() =>
      Effect.gen(function*() {
        const trader = yield* signedIn()
        assert.strictEqual(yield* trader.refused("private/mass_quote", quotes({ bid: side("40000") })), "11030")
        yield* trader.call("private/enable_cancel_on_disconnect")
        assert.strictEqual(yield* trader.refused("private/mass_quote", quotes({ bid: side("40000") })), "-32602")
        yield* trader.call("private/set_mmp_config", protection)
        const refused = (quote: ExactJson.JsonObject) =>
          Effect.map(trader.call("private/mass_quote", quotes(quote)), errorsOf)
        assert.deepStrictEqual(yield* refused({ bid: side("40000", { amount: number("50000") }) }), [["bid", "10021"]])
        assert.deepStrictEqual(yield* refused({ bid: { price: number("40000") } }), [["bid", "10021"]])
        assert.deepStrictEqual(yield* refused({ instrument_name: "NO-SUCH", bid: side("1") }), [["bid", "10020"]])
        assert.deepStrictEqual(
          yield* trader.call("private/mass_quote", quotes({ bid: side("40000") }, { detailed: false })),
          { errors_count: "0" }
        )
        yield* trader.call("private/set_mmp_config", { ...protection, interval: number(0) })
        assert.deepStrictEqual(yield* trader.call("private/get_mmp_config"), [])
      })
    ))

  it.effect("are taken away when more of them trades than their protection allows, and frozen for its time", () =>
    withExchange(() =>
      Effect.gen(function*() {
        const trader = yield* maker
        const other = yield* signedIn("BERTA")
        yield* trader.call("private/subscribe", { channels: [`user.orders.${product}.raw`] })
        const inside = quotes({ bid: side("43240"), ask: side("50000") })
        yield* trader.call("private/mass_quote", inside)
        yield* other.call("private/sell", order({ price: number("43240"), amount: number("10000000") }))
        yield* settle
        assert.deepStrictEqual(yield* open(trader), ["buy 10@43240.0", "sell 10@50000.0"].slice(1))
        yield* other.call("private/cancel_all")
        yield* trader.call("private/mass_quote", inside)
        yield* other.call("private/sell", order({ price: number("43240"), amount: number("10000000") }))
        yield* settle
        // Twice 10 dollars are more than 0.0003 bitcoins.
        assert.deepStrictEqual(yield* open(trader), [])
        assert.include(trader.on(`user.orders.${product}.raw`).map((one) => at(one, "cancel_reason")), "mmp_trigger")
        yield* other.call("private/cancel_all")
        const frozen = Effect.map(trader.call("private/mass_quote", inside), errorsOf)
        assert.deepStrictEqual(yield* frozen, [["bid", "11030"], ["ask", "11030"]])
        yield* TestClock.adjust("1 second")
        assert.lengthOf(yield* frozen, 2)
        yield* TestClock.adjust("1 second")
        assert.lengthOf(yield* frozen, 0)
      })
    ))

  it.effect("that are frozen until they are reset can be quoted after it", () =>
    withExchange(() =>
      Effect.gen(function*() {
        const trader = yield* maker
        const other = yield* signedIn("BERTA")
        yield* trader.call("private/set_mmp_config", {
          ...protection,
          frozen_time: number(0),
          quantity_limit: number("0.0002")
        })
        const inside = quotes({ bid: side("43240") })
        yield* trader.call("private/mass_quote", inside)
        yield* other.call("private/sell", order({ price: number("43240"), amount: number("10000000") }))
        yield* other.call("private/cancel_all")
        yield* TestClock.adjust("1 minute")
        const frozen = Effect.map(trader.call("private/mass_quote", inside), errorsOf)
        assert.lengthOf(yield* frozen, 1)
        yield* trader.call("private/reset_mmp", { index_name: "btc_usd", mmp_group: "makers" })
        assert.lengthOf(yield* frozen, 0)
      })
    ))
})

describe("An order at the mock of Deribit", () => {
  it.effect("is edited to one that may only rest, or only reduce", () =>
    withExchange(() =>
      Effect.gen(function*() {
        const trader = yield* signedIn()
        const resting = yield* trader.call("private/buy", order())
        const order_id = String(at(resting, "order", "order_id"))
        const edit = (terms: ExactJson.JsonObject) => ({ order_id, amount: number("10"), ...terms })
        const crossing = { price: number("60000.0"), post_only: true }
        assert.strictEqual(
          yield* trader.refused("private/edit", edit({ ...crossing, reject_post_only: true })),
          "11054"
        )
        assert.strictEqual(yield* trader.refused("private/edit", edit({ reduce_only: true })), "11030")
        const edited = yield* trader.call("private/edit", edit(crossing))
        assert.deepInclude(at(edited, "order"), { post_only: true, order_state: "open" })
        assert.notStrictEqual(at(edited, "order", "price"), "60000.0")
        // It stays so until it is said otherwise.
        yield* trader.call("private/edit", edit({ price: number("40000.0"), reject_post_only: true }))
        assert.strictEqual(yield* trader.refused("private/edit", edit({ price: number("60000.0") })), "11054")
        const filled = yield* trader.call("private/edit", edit({ price: number("60000.0"), post_only: false }))
        assert.deepInclude(at(filled, "order"), { post_only: false, order_state: "filled" })
        const out = yield* trader.call("private/sell", order({ price: number("50000.0"), label: "out" }))
        const reduced = yield* trader.call("private/edit", {
          order_id: String(at(out, "order", "order_id")),
          amount: number("10"),
          reduce_only: true
        })
        assert.strictEqual(at(reduced, "order", "reduce_only"), true)
        // What is left of the position ends it.
        yield* trader.call("private/close_position", { instrument_name: product, type: "market" })
        assert.deepStrictEqual(yield* trader.call("private/get_open_orders"), [])
      })
    ))

  it.effect("leaves trades that are found by instrument and by currency, the latest first, or from a time on", () =>
    withExchange(() =>
      Effect.gen(function*() {
        const trader = yield* signedIn()
        for (let n = 0; n < 3; n++) {
          yield* trader.call("private/buy", { instrument_name: product, amount: number("10"), type: "market" })
          yield* TestClock.adjust("1 second")
        }
        const idsOf = (answer: Plain) => listOf(at(answer, "trades")).map((trade) => Number(at(trade, "trade_seq")))
        const [latest = 0, middle = 0, earliest = 0] = idsOf(
          yield* trader.call("private/get_user_trades_by_currency", { currency: "BTC" })
        )
        assert.isTrue(latest > middle && middle > earliest)
        const two = { instrument_name: product, count: number(2) }
        const last = yield* trader.call("private/get_user_trades_by_instrument", two)
        assert.deepStrictEqual([idsOf(last), at(last, "has_more")], [[latest, middle], true])
        const first = yield* trader.call("private/get_user_trades_by_instrument", {
          ...two,
          start_timestamp: number(1_800_000_000_000),
          sorting: "asc"
        })
        assert.deepStrictEqual(idsOf(first), [earliest, middle])
        const later = yield* trader.call("private/get_user_trades_by_instrument", { ...two, start_seq: number(middle) })
        assert.deepStrictEqual([idsOf(later), at(later, "has_more")], [[latest, middle], false])
        assert.deepStrictEqual(
          idsOf(yield* trader.call("private/get_user_trades_by_currency", { currency: "ETH" })),
          []
        )
      })
    ))

  it.effect("is told on no channel any more once all are given up, and heartbeats go on", () =>
    withExchange((exchange) =>
      Effect.gen(function*() {
        const trader = yield* signedIn()
        yield* trader.call("public/set_heartbeat", { interval: number(10) })
        yield* trader.call("private/subscribe", { channels: [`user.orders.${product}.raw`] })
        yield* trader.call("private/buy", order())
        yield* settle
        assert.lengthOf(trader.on(`user.orders.${product}.raw`), 1)
        yield* trader.call("private/unsubscribe_all")
        yield* trader.call("private/buy", order())
        yield* TestClock.adjust("10 seconds")
        assert.lengthOf(trader.on(`user.orders.${product}.raw`), 1)
        assert.lengthOf(exchange.tests(), 1)
      })
    ))
})
