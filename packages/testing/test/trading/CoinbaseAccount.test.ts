import { assert, describe, it } from "@effect/vitest"
import type { OrderEvent } from "@tickline/core/trading/OrderEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { make, market, request, said, withDesk } from "./CoinbaseDesk.ts"
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

  it.effect("an exchange of other fees, whose ids go on where another's ended", () =>
    withDesk(({ orders }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(market({ amount: decimal("0.01") }), { follow: true }))
        yield* pass("1 second")
        assert.deepStrictEqual(fills(placed.events), ["buy 0.01000000 at 43251.00, 0.4325100000000 USD taker"])
        const [outcome] = placed.events
        assert.strictEqual(
          outcome?._tag === "Acknowledged" ? outcome.orderId : undefined,
          "00000000-0000-4000-8000-000000005000"
        )
      }), { fees: { maker: decimal("0"), taker: decimal("0.001") }, firstOrder: 5_000 }))

  it.effect("an order that trades at once is followed to its end", () =>
    withDesk(({ orders }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(market({ amount: decimal("0.01") }), { follow: true }))
        yield* pass("1 second")
        assert.strictEqual(placed.ended(), "done")
        assert.deepStrictEqual(fills(placed.events), ["buy 0.01000000 at 43251.00, 2.5950600000000 USD taker"])
      })
    ))

  it.effect("what was told while the connection was down is asked for, and said once", () =>
    withDesk(({ exchange, orders, other, served }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(request({ price: decimal("43250.50") }), { follow: true }))
        yield* pass("1 second")
        yield* other.sell("0.02")
        yield* pass("1 second")
        exchange.silence(true)
        yield* served.host.drop
        yield* other.sell("0.03")
        exchange.silence(false)
        yield* pass("1 second")
        assert.deepStrictEqual(fills(placed.events).length, 2)
        yield* served.host.drop
        yield* other.sell("0.05")
        yield* pass("1 second")
        assert.deepStrictEqual(fills(placed.events).map((line) => line.slice(0, 14)), [
          "buy 0.02000000",
          "buy 0.03000000",
          "buy 0.05000000"
        ])
        assert.strictEqual(placed.ended(), "done")
      })
    ))

  it.effect("a socket that is silent, or refuses the key, is done without", () =>
    withDesk(({ exchange, orders, other, served }) =>
      Effect.gen(function*() {
        exchange.silence(true)
        const placed = yield* give(orders.place(request({ price: decimal("43250.50") }), { follow: true }))
        yield* pass("1 second")
        yield* other.sell("0.02")
        yield* pass("6 seconds")
        assert.deepStrictEqual(fills(placed.events).length, 0)
        yield* pass("2 seconds")
        assert.deepStrictEqual(fills(placed.events).length, 1)
        yield* served.host.otherwise({ _tag: "Reject", status: 503 })
        yield* served.host.drop
        yield* other.sell("0.08")
        yield* pass("9 seconds")
        assert.strictEqual(placed.ended(), "done")
        assert.strictEqual(fills(placed.events).length, 2)
      })
    ))

  it.effect("what the socket says and cannot be read is asked for", () =>
    withDesk(({ exchange, orders, other, served }) =>
      Effect.gen(function*() {
        exchange.silence(true)
        const placed = yield* give(orders.place(request({ price: decimal("43250.50") }), { follow: true }))
        yield* pass("1 second")
        yield* other.sell("0.02")
        for (const peer of served.host.peers()) {
          yield* peer.send("{\"channel\":\"user\",\"events\":[{\"orders\":[{}]}]}")
        }
        yield* pass("1 second")
        assert.deepStrictEqual(fills(placed.events).length, 1)
      })
    ))

  it.effect("executions that come before the acknowledgement are said after it", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        // So that the socket is up.
        yield* give(orders.place(request({ clientId: "first" }), { follow: true }))
        yield* pass("1 second")
        exchange.fault({ _tag: "Delay", call: "POST orders", millis: 500 })
        const placed = yield* give(orders.place(market({ amount: decimal("0.01") }), { follow: true }))
        assert.deepStrictEqual(placed.events, [])
        yield* pass("1 second")
        assert.deepStrictEqual(placed.lines().map((line) => line.split(" ")[0]), [
          "Acknowledged",
          "Fill",
          "OrderUpdate"
        ])
        assert.strictEqual(placed.ended(), "done")
      })
    ))

  it.effect("an order whose answer never came is followed all the same", () =>
    withDesk(({ exchange, orders, other }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Withhold", call: "POST orders" })
        const terms = request({ price: decimal("43250.50") })
        const placed = yield* give(orders.place(terms, { follow: true, deadline: "1 second" }))
        yield* pass("500 millis")
        yield* other.sell("0.1")
        yield* pass("2 seconds")
        assert.deepStrictEqual(placed.lines().map((line) => line.split(" ")[0]), [
          "OutcomeUnknown",
          "Reconciled",
          "Fill"
        ])
        assert.strictEqual(placed.ended(), "done")
      })
    ))

  it.effect("a key that is refused ends what is followed", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(request(), { follow: true }))
        yield* pass("1 second")
        exchange.fault({ _tag: "Answer", status: 401 })
        yield* said(orders.open())
        yield* pass("1 second")
        assert.strictEqual(placed.ended(), "AuthError")
      })
    ))

  it.effect("the fills of an account, each once, over a drop", () =>
    withDesk(({ exchange, orders, other, served }) =>
      Effect.gen(function*() {
        yield* said(orders.place(market({ amount: decimal("0.01"), clientId: "before" })))
        yield* pass("1 second")
        const seen: Array<string> = []
        yield* Effect.forkScoped(
          Stream.runForEach(orders.fills(), ({ amount }) => Effect.sync(() => void seen.push(Decimal.format(amount)))),
          { startImmediately: true }
        )
        yield* pass("1 second")
        yield* said(orders.place(request({ price: decimal("43250.50") })))
        yield* other.sell("0.02")
        yield* pass("2 seconds")
        assert.deepStrictEqual(seen, ["0.02000000"])
        exchange.silence(true)
        yield* served.host.drop
        yield* other.sell("0.03")
        exchange.silence(false)
        yield* pass("10 seconds")
        assert.deepStrictEqual(seen, ["0.02000000", "0.03000000"])
      })
    ))
})

describe("Cancelling at Coinbase Advanced Trade", () => {
  it.effect("an order is cancelled when it is known to be", () =>
    withDesk(({ calls, orders }) =>
      Effect.gen(function*() {
        yield* said(orders.place(request()))
        const cancelled = yield* give(orders.cancel({ clientId: "mine" }))
        yield* pass("500 millis")
        assert.deepStrictEqual(cancelled.lines(), [])
        yield* pass("600 millis")
        assert.deepStrictEqual(cancelled.lines(), ["Acknowledged clientId=mine status=cancelled filled=0"])
        assert.strictEqual(calls("POST orders/batch_cancel"), 1)

        // One that is queued is not refused, and is not over by the deadline.
        yield* said(orders.place(request({ clientId: "late" })))
        const late = yield* give(orders.cancel({ clientId: "late" }, { deadline: "400 millis" }))
        yield* pass("400 millis")
        assert.match(late.lines()[0] ?? "", /^OutcomeUnknown clientId=late reason=not known to be cancelled/)
        yield* pass("1 second")
        assert.deepStrictEqual(late.lines().slice(1), ["Reconciled clientId=late status=cancelled filled=0"])
      }), { cancelMillis: 1_000 }))

  it.effect("a cancel whose answer does not come is given again; one that is over is refused", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        const cancel = "POST orders/batch_cancel"
        yield* said(orders.place(request()))
        exchange.fault({ _tag: "Cut", call: cancel, takenAfter: Infinity })
        const cancelled = yield* give(orders.cancel({ clientId: "mine" }))
        yield* pass("1 second")
        assert.deepStrictEqual(cancelled.lines().map((line) => line.split(" reason")[0]), [
          "OutcomeUnknown clientId=mine",
          "Reconciled clientId=mine status=cancelled filled=0"
        ])
        assert.strictEqual(calls(cancel), 2)

        exchange.fault({ _tag: "Answer", call: cancel, status: 429, headers: { "retry-after": "1" } })
        yield* said(orders.place(request({ clientId: "busy" })))
        const busy = yield* give(orders.cancel({ clientId: "busy" }))
        yield* pass("1 second")
        assert.deepStrictEqual(busy.lines(), ["Acknowledged clientId=busy status=cancelled filled=0"])

        yield* said(orders.place(market({ clientId: "over", amount: decimal("0.01") })))
        assert.deepStrictEqual(yield* said(orders.cancel({ clientId: "over" })), [
          "Rejected clientId=over reason=ORDER_IS_FULLY_FILLED code=ORDER_IS_FULLY_FILLED"
        ])
        assert.deepStrictEqual(yield* said(orders.cancel({ clientId: "none" })), [
          "NotSent clientId=none reason=the exchange knows no such order"
        ])
      })
    ))

  it.effect("all are cancelled, however many pages they are, and counted", () =>
    withDesk(({ calls, exchange, orders, other }) =>
      Effect.gen(function*() {
        for (const clientId of ["a", "b", "c", "d", "e"]) yield* said(orders.place(request({ clientId })))
        yield* other.buy("0.1", "40000.00")
        yield* pass("1 second")
        assert.strictEqual((yield* said(orders.open())).length, 5)
        const all = yield* said(orders.cancelAll({ product: "ETH-USD" }))
        assert.deepStrictEqual(all, ["CancelledAll count=0"])
        yield* pass("1 second")
        const cancelled = yield* said(orders.cancelAll())
        assert.deepStrictEqual(cancelled.toSorted(), [
          ...["a", "b", "c", "d", "e"].map((clientId) => `Acknowledged clientId=${clientId} status=cancelled filled=0`),
          "CancelledAll count=5"
        ])
        assert.strictEqual(calls("POST orders/batch_cancel"), 1)
        // What became of them is asked for together.
        assert.strictEqual(calls("GET orders/historical/{id}"), 0)
        assert.strictEqual(exchange.orders("theirs-1")[0]?.status, "OPEN")
        // An order that was over long ago is found pages later.
        yield* pass("1 second")
        assert.match((yield* said(orders.status({ clientId: "a" })))[0] ?? "", /clientId=a status=cancelled/)
      }), { mostPerPage: 2 }))
})

describe("A Coinbase Advanced Trade that filters nothing", () => {
  it.effect("orders that were not asked for are not counted, shown or waited for", () =>
    withDesk(({ network, orders: strict }) =>
      Effect.gen(function*() {
        yield* network.serveHttp("https://lax.test", ({ body, headers, method, url }) => {
          const [path = ""] = url.replace("lax.test", "coinbase.test").split("?")
          return Effect.orDie(
            network.http.request({ method: method === "POST" ? "POST" : "GET", url: path, headers, body })
          )
        })
        const orders = yield* make(undefined, { url: "https://lax.test" })
        for (const clientId of ["gone", "other"]) {
          yield* said(strict.place(request({ clientId, product: "ETH-USD", price: decimal("2000.00") })))
        }
        yield* said(strict.cancel({ clientId: "gone" }))
        for (const clientId of ["a", "b"]) yield* said(strict.place(request({ clientId })))
        yield* pass("1 second")
        assert.strictEqual((yield* said(orders.open({ product: "BTC-USD" }))).length, 2)
        const cancelled = yield* give(orders.cancelAll({ product: "BTC-USD" }))
        assert.deepStrictEqual(cancelled.lines().toSorted(), [
          "Acknowledged clientId=a status=cancelled filled=0",
          "Acknowledged clientId=b status=cancelled filled=0",
          "CancelledAll count=2"
        ])
        assert.match((yield* said(orders.status({ clientId: "other" })))[0] ?? "", /clientId=other status=open/)
      })
    ))
})

describe("Amending at Coinbase Advanced Trade", () => {
  it.effect("what the venue refuses, and what it does not edit", () =>
    withDesk(({ calls, orders }) =>
      Effect.gen(function*() {
        yield* said(orders.place(request()))
        assert.deepStrictEqual(yield* said(orders.amend({ clientId: "mine" }, { amount: decimal("0.10000000") })), [
          "Rejected clientId=mine reason=EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST code=EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST"
        ])
        assert.match(
          (yield* said(orders.amend({ clientId: "mine" }, { price: decimal("40000.001") })))[0] ?? "",
          /^NotSent clientId=mine reason=price 40000.001 is no positive multiple of the tick 0.01/
        )
        yield* said(orders.place(request({ clientId: "ioc", timeInForce: "ioc" })))
        const [orderOfIoc = ""] = yield* said(orders.amend({ clientId: "ioc" }, { amount: decimal("0.2") }))
        assert.match(orderOfIoc, /^NotSent clientId=ioc reason=order \S+ is sor_limit_ioc/)
        assert.strictEqual(calls("POST orders/edit"), 1)
      })
    ))

  it.effect("what became of one whose answer did not come", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        yield* said(orders.place(request()))
        exchange.fault({ _tag: "Withhold", call: "POST orders/edit" })
        const terms = { price: decimal("40001.00") }
        const amended = yield* give(orders.amend({ clientId: "mine" }, terms, { deadline: "1 second" }))
        yield* pass("2 seconds")
        assert.deepStrictEqual(amended.lines(), [
          "OutcomeUnknown clientId=mine reason=no answer by the deadline",
          "Reconciled clientId=mine status=open filled=0"
        ])
        assert.strictEqual(amended.ended(), "done")

        exchange.fault({ _tag: "Withhold", call: "POST orders/edit", takenAfter: Infinity })
        const never = yield* give(
          orders.amend({ clientId: "mine" }, { amount: decimal("0.2") }, { deadline: "1 second" })
        )
        yield* pass("2900 millis")
        assert.strictEqual(never.events.length, 1)
        yield* pass("500 millis")
        assert.strictEqual(never.ended(), "NotAmended")
        assert.strictEqual(calls("POST orders/edit"), 2)
      })
    ))
})

describe("An account at Coinbase Advanced Trade", () => {
  it.effect("its balances, over pages, its rules, and how the exchange does", () =>
    withDesk(({ orders, served }) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* orders.health.current, { _tag: "Idle" })
        const states: Array<string> = []
        yield* Effect.forkScoped(
          Stream.runForEach(orders.health.changes, ({ _tag }) => Effect.sync(() => void states.push(_tag))),
          { startImmediately: true }
        )
        yield* said(orders.place(request()))
        const balances = yield* orders.balances()
        assert.deepStrictEqual(
          balances.map((
            { asset, available, total }
          ) => [asset, Number(Decimal.format(available)), Number(Decimal.format(total))]),
          // What an order could cost is held, with the fee of who comes to the book.
          [["USD", 995_976, 1_000_000], ["BTC", 10, 10], ["ETH", 100, 100]]
        )
        const instrument = yield* orders.instrument("BTC-USD")
        assert.deepStrictEqual(
          [instrument.tick, instrument.lot].map(Decimal.format).concat(instrument.feeAsset, instrument.base ?? ""),
          ["0.01", "0.00000001", "USD", "BTC"]
        )
        const error = yield* Effect.flip(orders.instrument("NO-SUCH"))
        assert.deepStrictEqual([error.reason, error.code], ["Refused", "NOT_FOUND"])
        assert.deepStrictEqual(yield* orders.positions(), [])
        yield* served.rest.otherwise({ _tag: "Unreachable" })
        const down = yield* give(orders.open({ deadline: "1 second" }))
        yield* pass("1 second")
        assert.match(down.lines()[0] ?? "", /^(NotSent|OutcomeUnknown)/)
        yield* served.rest.otherwise({ _tag: "Accept" })
        yield* said(orders.open())
        assert.deepStrictEqual(states, ["Idle", "Live", "Down", "Live"])
      }), { mostPerPage: 2 }))
})
