import { assert, describe, it } from "@effect/vitest"
import * as Signer from "@tickline/core/session/Signer"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { settle } from "../Rig.ts"
import {
  accounts,
  at,
  connect,
  listOf,
  number,
  order,
  type Plain,
  product,
  signedIn,
  type Trader,
  withExchange
} from "./Trader.ts"

const orderOf = (answer: Plain) => at(answer, "order") ?? null
const idOf = (answer: Plain) => String(at(answer, "order", "order_id"))
const tokenOf = (answer: Plain, name: string) => String(at(answer, name))

const signature = (secret: string, timestamp: number) =>
  Signer.signText(
    Result.getOrThrow(Signer.hmacSha256(Redacted.make(secret))),
    `${timestamp}\n1iqt2wls\n`,
    "hex"
  )

describe("The mock of Deribit that trades: signing in", () => {
  it.effect("takes a key and its secret, and refuses whoever has neither", () =>
    withExchange(() =>
      Effect.gen(function*() {
        const trader = yield* connect
        assert.strictEqual(yield* trader.refused("private/get_positions"), "13009")
        const key = { grant_type: "client_credentials", client_id: "AMANDA" }
        assert.strictEqual(yield* trader.refused("public/auth", { ...key, client_secret: "wrong" }), "13004")
        assert.strictEqual(yield* trader.refused("public/auth", { ...key, client_id: "NOBODY" }), "13004")
        const grant = yield* trader.call("public/auth", { ...key, client_secret: "AMANDASECRECT", state: "mine" })
        assert.strictEqual(at(grant, "token_type"), "bearer")
        assert.strictEqual(at(grant, "expires_in"), "900")
        assert.strictEqual(at(grant, "state"), "mine")
        assert.deepStrictEqual(yield* trader.call("private/get_positions"), [])
      })
    ))

  it.effect("takes the signature that the venue publishes, at its time, and verifies it", () =>
    withExchange(() =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1_576_074_319_000)
        const trader = yield* connect
        const published = {
          grant_type: "client_signature",
          client_id: "AMANDA",
          timestamp: number(1_576_074_319_000),
          nonce: "1iqt2wls",
          data: "",
          signature: "56590594f97921b09b18f166befe0d1319b198bbcdad7ca73382de2f88fe9aa1"
        }
        assert.strictEqual(yield* trader.refused("public/auth", { ...published, nonce: "1iqt2wlt" }), "13004")
        assert.strictEqual(yield* trader.refused("public/auth", { ...published, data: "more" }), "13004")
        yield* trader.call("public/auth", published)
        assert.deepStrictEqual(yield* trader.call("private/get_positions"), [])
        yield* TestClock.adjust("61 seconds")
        assert.strictEqual(yield* trader.refused("public/auth", published), "13004")
        const now = yield* Clock.currentTimeMillis
        const signed = { ...published, timestamp: number(now), signature: signature("AMANDASECRECT", now) }
        yield* trader.call("public/auth", signed)
      })
    ))

  it.effect("ends a grant with its time, and renews it by a refresh token, once", () =>
    withExchange(() =>
      Effect.gen(function*() {
        const trader = yield* connect
        const key = { grant_type: "client_credentials", client_id: "AMANDA", client_secret: "AMANDASECRECT" }
        const first = yield* trader.call("public/auth", key)
        yield* TestClock.adjust("99 seconds")
        yield* trader.call("private/get_positions")
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* trader.refused("private/get_positions"), "13009")
        const refresh = { grant_type: "refresh_token", refresh_token: tokenOf(first, "refresh_token") }
        const second = yield* trader.call("public/auth", refresh)
        assert.notStrictEqual(tokenOf(second, "refresh_token"), tokenOf(first, "refresh_token"))
        yield* trader.call("private/get_positions")
        assert.strictEqual(yield* trader.refused("public/auth", refresh), "13009")
        yield* trader.call("public/auth", { ...refresh, refresh_token: tokenOf(second, "refresh_token") })
      }), { tokenMillis: 100_000 }))

  it.effect("has grants of a connection end with it, and those of a named session go on", () =>
    withExchange((_, { host }) =>
      Effect.gen(function*() {
        const key = { grant_type: "client_credentials", client_id: "AMANDA", client_secret: "AMANDASECRECT" }
        const first = yield* connect
        const bound = tokenOf(yield* first.call("public/auth", key), "access_token")
        const named = tokenOf(yield* first.call("public/auth", { ...key, scope: "session:mine" }), "access_token")
        yield* host.drop
        const second = yield* connect
        assert.strictEqual(yield* second.refused("private/get_positions", { access_token: bound }), "13009")
        assert.deepStrictEqual(yield* second.call("private/get_positions", { access_token: named }), [])
      })
    ))
})

describe("The mock of Deribit that trades: orders", () => {
  it.effect("has an order rest, changes it, and cancels it, and tells of each", () =>
    withExchange((exchange) =>
      Effect.gen(function*() {
        const trader = yield* signedIn()
        yield* trader.call("private/subscribe", { channels: [`user.orders.${product}.raw`, `book.${product}.raw`] })
        const placed = yield* trader.call("private/buy", order())
        assert.deepInclude(orderOf(placed), {
          order_state: "open",
          direction: "buy",
          price: "40000.0",
          amount: "10",
          filled_amount: "0",
          label: "one"
        })
        const order_id = idOf(placed)
        const book = yield* trader.call("public/get_order_book", { instrument_name: product, depth: number(1000) })
        assert.deepStrictEqual(listOf(at(book, "bids")).at(-1), ["40000.0", "10"])
        const amended = yield* trader.call("private/edit", { order_id, amount: number(20), price: number("40001.0") })
        assert.deepInclude(orderOf(amended), { price: "40001.0", amount: "20", replaced: true })
        assert.deepStrictEqual(yield* trader.call("private/get_open_orders"), [orderOf(amended)])
        const cancelled = yield* trader.call("private/cancel", { order_id })
        assert.deepInclude(cancelled, { order_state: "cancelled", cancel_reason: "user_request" })
        assert.strictEqual(yield* trader.refused("private/cancel", { order_id }), "11044")
        assert.strictEqual(yield* trader.refused("private/cancel", { order_id: "unknown" }), "10004")
        assert.deepStrictEqual(yield* trader.call("private/get_order_state", { order_id }), cancelled)
        yield* settle
        assert.deepStrictEqual(
          trader.on(`user.orders.${product}.raw`).map((data) => at(data, "order_state")),
          ["open", "open", "cancelled"]
        )
        const rows = trader.on(`book.${product}.raw`).slice(1).map((data) => at(data, "bids"))
        assert.deepStrictEqual(rows, [
          [["change", "40000.0", "10"]],
          [["delete", "40000.0", "0"], ["change", "40001.0", "20"]],
          [["delete", "40001.0", "0"]]
        ])
        assert.deepStrictEqual(exchange.orders("one").map(({ state }) => state), ["cancelled"])
        assert.deepStrictEqual(
          exchange.received().map(({ connection, label, method }) => [connection, method, label]),
          [
            [1, "private/buy", "one"],
            [1, "private/edit", undefined],
            [1, "private/cancel", undefined],
            [1, "private/cancel", undefined],
            [1, "private/cancel", undefined]
          ]
        )
      })
    ))

  it.effect("fills an order in part by that of another account, and tells them what is theirs", () =>
    withExchange(() =>
      Effect.gen(function*() {
        const [amanda, berta] = [yield* signedIn(), yield* signedIn("BERTA")]
        const channels = [`user.trades.${product}.raw`, "user.changes.future.BTC.100ms", "user.portfolio.btc"]
        for (const trader of [amanda, berta]) yield* trader.call("private/subscribe", { channels })
        // Between the best bid and the best ask there is nobody.
        const book = yield* amanda.call("public/get_order_book", { instrument_name: product })
        const price = number(String(at(book, "best_bid_price")).replace(/\d$/, (digit) => String(Number(digit) + 1)))
        const resting = yield* amanda.call("private/buy", order({ amount: number(30), price }))
        const taken = yield* berta.call("private/sell", order({ amount: number(10), price, label: "two" }))
        assert.deepInclude(orderOf(taken), { order_state: "filled", filled_amount: "10" })
        assert.deepInclude(at(taken, "trades", 0), { liquidity: "T", direction: "sell", amount: "10" })
        const order_id = idOf(resting)
        assert.deepInclude(yield* amanda.call("private/get_order_state", { order_id }), {
          order_state: "open",
          filled_amount: "10"
        })
        const trades = yield* amanda.call("private/get_user_trades_by_order", { order_id })
        assert.deepInclude(at(trades, 0), { liquidity: "M", trade_id: at(taken, "trades", 0, "trade_id") })
        assert.deepInclude(yield* amanda.call("private/get_position", { instrument_name: product }), {
          size: "10",
          direction: "buy"
        })
        assert.deepInclude(at(yield* berta.call("private/get_positions"), 0), { size: "-10", direction: "sell" })
        yield* settle
        assert.deepStrictEqual(amanda.on(`user.trades.${product}.raw`), [trades])
        assert.strictEqual(berta.on(`user.trades.${product}.raw`).length, 1)
        assert.deepStrictEqual(
          amanda.on("user.changes.future.BTC.100ms").map((data) => listOf(at(data, "trades")).length),
          [0, 1]
        )
        assert.strictEqual(amanda.on("user.portfolio.btc").length, 2)
        assert.strictEqual(yield* berta.refused("private/cancel", { order_id }), "10004")
        const closed = yield* berta.call("private/close_position", { instrument_name: product, type: "market" })
        assert.deepInclude(orderOf(closed), { direction: "buy", reduce_only: true, order_state: "filled" })
        assert.strictEqual(
          yield* berta.refused("private/close_position", { instrument_name: product, type: "market" }),
          "10010"
        )
      })
    ))

  it.effect("trades with the market as it moves", () =>
    withExchange((_, { quote }) =>
      Effect.gen(function*() {
        const trader = yield* signedIn()
        const order_id = idOf(yield* trader.call("private/buy", order({ price: number("43000.0") })))
        yield* quote(product, "42000.0", "42000.5")
        const filled = yield* trader.call("private/get_order_state", { order_id })
        assert.deepInclude(filled, { order_state: "filled", average_price: "43000.00000000" })
      })
    ))

  it.effect("refuses what is late, what would trade post-only, and what the instrument forbids", () =>
    withExchange(() =>
      Effect.gen(function*() {
        const trader = yield* signedIn()
        const now = yield* Clock.currentTimeMillis
        const crossing = { price: number("50000.0"), post_only: true }
        assert.strictEqual(yield* trader.refused("private/buy", order({ valid_until: number(now) })), "13888")
        assert.strictEqual(
          yield* trader.refused("private/buy", order({ ...crossing, reject_post_only: true })),
          "11054"
        )
        assert.strictEqual(yield* trader.refused("private/buy", order({ amount: number("10.5") })), "10021")
        assert.strictEqual(yield* trader.refused("private/buy", order({ price: number("40000.01") })), "10043")
        assert.strictEqual(yield* trader.refused("private/buy", order({ instrument_name: "NONE" })), "10020")
        assert.strictEqual(yield* trader.refused("private/sell", order({ reduce_only: true })), "11030")
        assert.strictEqual(yield* trader.refused("private/buy", { instrument_name: product }), "-32602")
        const moved = yield* trader.call("private/buy", order({ ...crossing, valid_until: number(now + 1) }))
        const book = yield* trader.call("public/get_order_book", { instrument_name: product })
        assert.deepInclude(orderOf(moved), { order_state: "open", price: at(book, "best_bid_price") })
        assert.strictEqual(yield* trader.call("private/cancel_by_label", { label: "other" }), "0")
        assert.strictEqual(yield* trader.call("private/cancel_all"), "1")
      })
    ))
})

describe("The mock of Deribit that trades: what ends a connection", () => {
  it.effect("cancels a connection's orders when it ends, if that was asked for, and not after a logout", () =>
    withExchange((exchange, { host }) =>
      Effect.gen(function*() {
        const first = yield* signedIn()
        yield* first.call("private/buy", order({ label: "before" }))
        const second = yield* signedIn()
        yield* second.call("private/enable_cancel_on_disconnect")
        assert.deepInclude(yield* second.call("private/get_cancel_on_disconnect"), { enabled: true })
        yield* second.call("private/buy", order({ label: "kept" }))
        yield* Effect.forkChild(Effect.ignore(second.call("private/logout")), { startImmediately: true })
        yield* settle
        const third = yield* signedIn()
        yield* third.call("private/enable_cancel_on_disconnect", { scope: "account" })
        const fourth = yield* signedIn()
        yield* fourth.call("private/buy", order({ label: "gone" }))
        yield* host.drop
        const states = ["before", "kept", "gone"].flatMap((label) => exchange.orders(label)).map(({ state }) => state)
        assert.deepStrictEqual(states, ["open", "open", "cancelled"])
        assert.strictEqual(exchange.orders("gone")[0]?.cancelReason, "cancel_on_disconnect")
      })
    ))

  it.effect("ends the session whose credits run out, with an error, and lets them come back with time", () =>
    withExchange((exchange, { host }) =>
      Effect.gen(function*() {
        const trader = yield* signedIn()
        yield* trader.call("private/enable_cancel_on_disconnect")
        for (let n = 0; n < 20; n++) yield* trader.call("private/buy", order())
        yield* TestClock.adjust("200 millis")
        yield* trader.call("private/buy", order())
        assert.strictEqual(yield* trader.refused("private/buy", order()), "10028")
        yield* settle
        assert.strictEqual(host.peers().length, 0)
        assert.isTrue(exchange.orders("one").every(({ state }) => state === "cancelled"))
        assert.strictEqual(exchange.orders("one").length, 21)
        const spent = exchange.credits().filter(({ pool }) => pool === "matching")
        assert.strictEqual(spent.length, 22)
        assert.deepInclude(spent.at(-1), { owner: "AMANDA", left: 0, isRefused: true })
        const again = yield* signedIn()
        const summary = yield* again.call("private/get_account_summary", { currency: "BTC" })
        assert.deepStrictEqual(at(summary, "limits", "matching_engine", "trading", "total"), { burst: "20", rate: "5" })
        assert.deepStrictEqual(at(summary, "limits", "non_matching_engine"), { burst: "100", rate: "20" })
      })
    ))

  it.effect("counts what is no order by other pools", () =>
    withExchange(() =>
      Effect.gen(function*() {
        const trader = yield* signedIn()
        for (let n = 0; n < 10; n++) yield* trader.call("public/subscribe", { channels: [] })
        const other = yield* signedIn("BERTA")
        for (let n = 0; n < 100; n++) yield* other.call("public/test")
        assert.strictEqual(yield* other.refused("public/test"), "10028")
        assert.strictEqual(yield* trader.refused("public/subscribe", { channels: [] }), "10028")
      })
    ))

  it.effect("ends a connection that does not answer a test, and one that says nothing for ten minutes", () =>
    withExchange((exchange, { host }) =>
      Effect.gen(function*() {
        const trader = yield* signedIn()
        yield* trader.call("private/enable_cancel_on_disconnect")
        yield* trader.call("private/buy", order())
        assert.strictEqual(yield* trader.refused("public/set_heartbeat", { interval: number(9) }), "-32602")
        yield* trader.call("public/set_heartbeat", { interval: number(20) })
        yield* TestClock.adjust("21 seconds")
        yield* trader.call("public/test")
        yield* TestClock.adjust("19 seconds")
        assert.deepStrictEqual(exchange.tests().map(({ answeredAt = 0, sentAt }) => answeredAt - sentAt > 0), [
          true,
          false
        ])
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(host.peers().length, 0)
        assert.strictEqual(exchange.orders("one")[0]?.state, "cancelled")
        yield* trader.connection.close()
        yield* connect
        yield* TestClock.adjust("599 seconds")
        assert.strictEqual(host.peers().length, 1)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(host.peers().length, 0)
      })
    ))
})

describe("The mock of Deribit that trades: what goes wrong", () => {
  it.effect("carries out what it never answers, answers late, or is cut off from answering", () =>
    withExchange((exchange) =>
      Effect.gen(function*() {
        const trader = yield* signedIn()
        exchange.fault({ _tag: "Withhold", method: "private/buy" })
        const first = yield* Effect.forkChild(Effect.exit(trader.call("private/buy", order({ label: "withheld" }))), {
          startImmediately: true
        })
        yield* settle
        assert.strictEqual(exchange.orders("withheld").length, 1)
        assert.strictEqual(first.pollUnsafe(), undefined)
        exchange.fault({ _tag: "Delay", method: "private/buy", millis: 300 })
        const late = yield* Effect.forkChild(trader.call("private/buy", order({ label: "late" })), {
          startImmediately: true
        })
        yield* TestClock.adjust("299 millis")
        assert.strictEqual(late.pollUnsafe(), undefined)
        yield* TestClock.adjust("1 millis")
        assert.deepInclude(orderOf(yield* Fiber.join(late)), { label: "late" })
        exchange.fault({ _tag: "Cut", method: "private/buy" })
        assert.strictEqual(yield* trader.refused("private/buy", order({ label: "cut" })), "OutcomeUnknown")
        const later = yield* signedIn()
        const found = yield* later.call("private/get_order_state_by_label", { currency: "BTC", label: "cut" })
        assert.deepInclude(at(found, 0), { order_state: "open", label: "cut" })
        assert.strictEqual(exchange.received().filter(({ label }) => label === "cut").length, 1)
        // What is not answered may be taken later, unless it is too late by then, or never.
        const cutBefore = (label: string, takenAfter: number, terms = {}) =>
          Effect.gen(function*() {
            exchange.fault({ _tag: "Cut", method: "private/buy", takenAfter })
            const caller = yield* signedIn()
            assert.strictEqual(
              yield* caller.refused("private/buy", order({ label, ...terms })),
              "OutcomeUnknown"
            )
          })
        yield* cutBefore("slow", 2_000)
        yield* cutBefore("stale", 2_000, { valid_until: number(1_800_000_001_500) })
        yield* cutBefore("never", Infinity)
        const taken = () => ["slow", "stale", "never"].map((label) => exchange.orders(label).length)
        yield* TestClock.adjust("1999 millis")
        assert.deepStrictEqual(taken(), [0, 0, 0])
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(taken(), [1, 0, 0])
      })
    ))

  it.effect("refuses everything in maintenance, and orders while it settles", () =>
    withExchange((exchange) =>
      Effect.gen(function*() {
        const trader = yield* signedIn()
        yield* trader.call("public/subscribe", { channels: ["platform_state"] })
        exchange.maintenance(true)
        assert.strictEqual(yield* trader.refused("private/get_positions"), "11051")
        assert.strictEqual(yield* trader.refused("public/auth"), "11051")
        assert.deepInclude(yield* trader.call("public/status"), { locked: "true" })
        exchange.maintenance(false)
        yield* settle
        assert.deepStrictEqual(trader.on("platform_state"), [{ maintenance: true }, { maintenance: false }])
        const bought = yield* trader.call("private/buy", { ...order(), type: "market" })
        assert.deepInclude(orderOf(bought), { order_state: "filled" })
        exchange.settlement(true)
        assert.strictEqual(yield* trader.refused("private/buy", order()), "10041")
        exchange.settlement(false)
        const position = yield* trader.call("private/get_position", { instrument_name: product })
        assert.deepInclude(position, { size: "10", realized_profit_loss: "0", floating_profit_loss: "0.00000000" })
      })
    ))
})

describe("The mock of Deribit that trades: accounts", () => {
  it.effect("what an account has is its own: its pools, its orders and its positions", () =>
    withExchange((exchange) =>
      Effect.gen(function*() {
        const [amanda, berta] = [yield* signedIn("AMANDA"), yield* signedIn("BERTA")]
        const bought = yield* amanda.call("private/buy", { ...order(), type: "market" })
        yield* amanda.call("private/buy", order())
        const { orders, positions } = exchange.holdings("AMANDA")
        assert.deepStrictEqual(orders.map(({ state }) => state), ["filled", "open"])
        assert.strictEqual(orders[0]?.orderId, idOf(bought))
        assert.deepStrictEqual([...positions].map(([name, size]) => [name, Decimal.format(size)]), [[product, "10"]])
        assert.deepStrictEqual(exchange.holdings("BERTA").orders, [])
        assert.strictEqual(exchange.holdings("BERTA").positions.size, 0)
        const trading = (trader: Trader) =>
          Effect.map(
            trader.call("private/get_account_summary", { currency: "BTC", extended: true }),
            (summary) => at(summary, "limits", "matching_engine", "trading", "total", "burst")
          )
        assert.strictEqual(yield* trading(amanda), "2")
        assert.strictEqual(yield* trading(berta), "20")
        assert.strictEqual(yield* amanda.refused("private/buy", order()), "10028")
      }), {
      accounts: accounts.map((account, i) =>
        i === 0 ? { ...account, pools: { matching: { capacity: 2, perSecond: 0, cost: 1 } } } : account
      )
    }))

  it.effect("says the time in whole milliseconds, whatever its clock says", () =>
    withExchange(() =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1_800_000_000_000.5)
        const trader = yield* signedIn()
        assert.strictEqual(yield* trader.call("public/get_time"), "1800000000000")
        const bought = yield* trader.call("private/buy", order())
        assert.deepInclude(orderOf(bought), { creation_timestamp: "1800000000000" })
      })
    ))
})
