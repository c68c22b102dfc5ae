import { assert, describe, it } from "@effect/vitest"
import * as OrderEvent from "@tickline/core/trading/OrderEvent"
import * as Effect from "effect/Effect"
import { begun, market, request, said, withDesk } from "./CoinbaseDesk.ts"
import { decimal, give, pass } from "./Desk.ts"

const place = "POST orders"
const shown = "OrderUpdate clientId=mine status=open filled=0 remaining=0.10000000 price=40000.00 amount=0.10000000"
const reconciled = "Reconciled clientId=mine status=open filled=0"

describe("Order entry at Coinbase Advanced Trade", () => {
  it.effect("places, amends, shows and cancels, by either id", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(request()))
        assert.deepStrictEqual(placed.lines(), ["Acknowledged clientId=mine status=pending filled=0"])
        assert.strictEqual(placed.ended(), "done")
        const [event] = placed.events
        const orderId = event?._tag === "Acknowledged" ? event.orderId ?? "" : ""
        assert.strictEqual(exchange.orders("mine")[0]?.orderId, orderId)
        assert.deepStrictEqual(yield* said(orders.status({ clientId: "mine" })), [shown])
        const acknowledged = ["Acknowledged clientId=mine status=open filled=0"]
        assert.deepStrictEqual(
          yield* said(orders.amend({ clientId: "mine" }, { price: decimal("40001.50") })),
          acknowledged
        )
        assert.deepStrictEqual(yield* said(orders.amend({ orderId }, { amount: decimal("0.2") })), acknowledged)
        const amended = [
          "OrderUpdate clientId=mine status=open filled=0 remaining=0.2 price=40001.50 amount=0.2"
        ]
        assert.deepStrictEqual(yield* said(orders.status({ clientId: "mine" })), amended)
        assert.deepStrictEqual(yield* said(orders.status({ orderId })), amended)
        assert.deepStrictEqual(yield* said(orders.open()), amended)
        assert.deepStrictEqual(yield* said(orders.open({ product: "BTC-USD" })), amended)
        assert.deepStrictEqual(yield* said(orders.open({ product: "ETH-USD" })), [])
        const cancelled = yield* give(orders.cancel({ clientId: "mine" }))
        assert.deepStrictEqual(cancelled.lines(), ["Acknowledged clientId=mine status=cancelled filled=0"])
        assert.include(OrderEvent.toJson(cancelled.events[0]!), orderId)
        assert.deepStrictEqual(yield* said(orders.open()), [])
        assert.deepStrictEqual(yield* said(orders.cancel({ orderId })), [
          "Rejected reason=UNKNOWN_CANCEL_ORDER code=UNKNOWN_CANCEL_ORDER"
        ])
      })
    ))

  it.effect("an order that the venue refuses is rejected, in its words", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        const crossing = request({ timeInForce: "post-only", price: decimal("50000.00") })
        assert.deepStrictEqual(yield* said(orders.place(crossing)), [
          "Rejected clientId=mine reason=Post only limit orders should not be immediately matched " +
          "code=INVALID_LIMIT_PRICE_POST_ONLY"
        ])
        assert.deepStrictEqual(yield* said(orders.place(request({ amount: decimal("1000") }))), [
          "Rejected clientId=mine reason=Insufficient balance in source account code=INSUFFICIENT_FUND"
        ])
        exchange.fault({
          _tag: "Answer",
          call: place,
          status: 400,
          body: "{\"error\":\"INVALID_ARGUMENT\",\"code\":3,\"message\":\"account is not available\",\"details\":[]}"
        })
        assert.deepStrictEqual(yield* said(orders.place(request())), [
          "Rejected clientId=mine reason=account is not available code=INVALID_ARGUMENT"
        ])
        exchange.fault({ _tag: "Answer", call: place, status: 403, body: "Forbidden" })
        assert.deepStrictEqual(yield* said(orders.place(request())), [
          "Rejected clientId=mine reason=Forbidden code=403"
        ])
        for (const body of ["<html>Forbidden</html>", "x".repeat(201)]) {
          exchange.fault({ _tag: "Answer", call: place, status: 403, body })
          assert.deepStrictEqual(yield* said(orders.place(request())), [
            "Rejected clientId=mine reason=the exchange answered 403 code=403"
          ])
        }
        assert.strictEqual(calls(place), 6)
      })
    ))

  it.effect("an order that the venue does not know is none, and any other refusal is said", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const orderId = "00000000-0000-4000-8000-00000000ffff"
        const none = yield* give(orders.status({ orderId }))
        exchange.fault({ _tag: "Answer", call: "GET orders/historical/{id}", status: 404, body: "" })
        const bare = yield* give(orders.status({ orderId }))
        exchange.fault({ _tag: "Answer", call: "GET orders/historical/{id}", status: 403, body: "Forbidden" })
        const refused = yield* give(orders.status({ orderId }))
        assert.deepStrictEqual([none, bare, refused].map(({ lines }) => lines()), [
          ["OrderUpdate status=absent"],
          ["OrderUpdate status=absent"],
          ["Rejected reason=Forbidden code=403"]
        ])
      })
    ))

  it.effect("what the rules forbid, or the venue does not have, is not sent, and says what would be legal", () =>
    withDesk(({ calls, orders }) =>
      Effect.gen(function*() {
        for (
          const [asked, reason] of [
            [
              request({ price: decimal("40000.005") }),
              "price 40000.005 is no positive multiple of the tick 0.01; the nearest legal: 40000.00 and 40000.01"
            ],
            [
              request({ amount: decimal("0.123456789") }),
              "amount 0.123456789 is no positive multiple of the lot 0.00000001; the nearest legal: 0.12345678 and 0.12345679"
            ],
            [
              request({ amount: decimal("0.000000001") }),
              "amount 0.000000001 is below the minimum 0.00000001; the nearest legal: 0.00000001"
            ],
            [request({ product: "NO-SUCH" }), "product NO-SUCH: NO-SUCH is not found (NOT_FOUND)"],
            [request({ reduceOnly: true }), "reduce-only: Coinbase Advanced Trade has no such orders"],
            [
              market({ timeInForce: "fok" }),
              "BTC-USD is spot: Coinbase Advanced Trade has no market orders there that are fok"
            ],
            [request({ clientId: "a".repeat(129) }), "a client id has 1 to 128 printable characters"]
          ] as const
        ) {
          const { clientId } = asked
          assert.deepStrictEqual(yield* said(orders.place(asked)), [`NotSent clientId=${clientId} reason=${reason}`])
        }
        assert.strictEqual(calls(place), 0)
      })
    ))

  it.effect("each type and time in force is the venue's own kind of order, its figures in plain notation", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const cases = [
          [request({ amount: decimal("1e-3") }), {
            limit_limit_gtc: { base_size: "0.001", limit_price: "40000.00", post_only: false }
          }],
          [request({ timeInForce: "post-only" }), {
            limit_limit_gtc: { base_size: "0.10000000", limit_price: "40000.00", post_only: true }
          }],
          [request({ timeInForce: "ioc" }), { sor_limit_ioc: { base_size: "0.10000000", limit_price: "40000.00" } }],
          [request({ timeInForce: "fok", price: decimal("43260.00"), amount: decimal("0.01") }), {
            limit_limit_fok: { base_size: "0.01", limit_price: "43260.00" }
          }],
          [market({ amount: decimal("0.010") }), { market_market_ioc: { base_size: "0.010" } }],
          [market({ amount: decimal("0.010"), timeInForce: "ioc" }), { market_market_ioc: { base_size: "0.010" } }]
        ] as const
        for (const [at, [asked]] of cases.entries()) {
          const terms = { ...asked, clientId: `${at}` }
          const [line = ""] = yield* said(orders.place(asked.type === "market" ? market(terms) : request(terms)))
          assert.match(line, /^Acknowledged/)
        }
        const bodies = exchange.received().filter(({ call }) => call === place).map(({ question }) =>
          JSON.parse(question.body)
        )
        assert.deepStrictEqual(
          bodies,
          cases.map(([, order_configuration], at) => ({
            client_order_id: `${at}`,
            product_id: "BTC-USD",
            side: "BUY",
            order_configuration
          }))
        )
      })
    ))

  it.effect("an order that is answered with 429 was not taken, and is not sent again", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        exchange.fault({
          _tag: "Answer",
          call: place,
          status: 429,
          headers: { "retry-after": "3" },
          body: "{\"errors\":[{\"id\":\"rate_limit_exceeded\",\"message\":\"Too many requests\"}]}"
        })
        const placed = yield* give(orders.place(request()))
        assert.deepStrictEqual(placed.lines(), [
          "Rejected clientId=mine reason=too many requests: Too many requests code=429"
        ])
        const [event] = placed.events
        assert.strictEqual(event?._tag === "Rejected" ? event.retryAfterMillis : undefined, 3_000)
        yield* pass("1 minute")
        assert.strictEqual(placed.events.length, 1)
        assert.strictEqual(calls(place), 1)
      })
    ))

  it.effect("an answer that says nothing of the order leaves it unknown until it is found", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        const cases = [
          [{ _tag: "Cut", call: place }, "cut"],
          [{ _tag: "Malform", call: place }, "the answer to POST /api/v3/brokerage/orders cannot be read"],
          [{ _tag: "Withhold", call: place }, "no answer by the deadline"]
        ] as const
        for (const [at, [fault, reason]] of cases.entries()) {
          exchange.fault(fault)
          const clientId = `${at}`
          const placed = yield* give(orders.place(request({ clientId }), { deadline: "2 seconds" }))
          yield* pass("2 seconds")
          const [unknown = "", ...rest] = placed.lines()
          assert.isTrue(unknown.startsWith(`OutcomeUnknown clientId=${clientId} reason=`), unknown)
          assert.include(unknown, reason)
          assert.deepStrictEqual(rest, [`Reconciled clientId=${clientId} status=open filled=0`])
          assert.strictEqual(placed.ended(), "done")
        }
        assert.strictEqual(calls(place), 3)
        assert.strictEqual(exchange.orders().length, 3)
      })
    ))

  it.effect("a server in trouble may have taken the order", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Answer", call: place, status: 503, headers: { "retry-after": "1" } })
        const placed = yield* give(orders.place(request(), { deadline: "1 second" }))
        assert.deepStrictEqual(placed.lines(), ["OutcomeUnknown clientId=mine reason=the exchange answered 503"])
        yield* pass("2900 millis")
        assert.strictEqual(placed.events.length, 1)
        yield* pass("400 millis")
        assert.deepStrictEqual(placed.lines().slice(1), ["Reconciled clientId=mine status=absent"])
        assert.strictEqual(calls(place), 1)
      })
    ))

  it.effect("an order is absent only if it is not there 2 s after its answer was due", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Withhold", call: place, takenAfter: Infinity })
        const placed = yield* give(orders.place(request()))
        yield* pass("4999 millis")
        assert.deepStrictEqual(placed.lines(), [])
        yield* pass("1 millis")
        assert.deepStrictEqual(placed.lines(), ["OutcomeUnknown clientId=mine reason=no answer by the deadline"])
        yield* pass("1900 millis")
        assert.strictEqual(placed.events.length, 1)
        yield* pass("500 millis")
        assert.deepStrictEqual(placed.lines().slice(1), ["Reconciled clientId=mine status=absent"])

        // One that is taken later than its answer was due is found.
        exchange.fault({ _tag: "Withhold", call: place, takenAfter: 6_500 })
        const late = yield* give(orders.place(request({ clientId: "late" })))
        yield* pass("7 seconds")
        assert.deepStrictEqual(late.lines().slice(1), ["Reconciled clientId=late status=open filled=0"])
        assert.strictEqual(calls(place), 2)
      })
    ))

  it.effect("an order whose answer did not come is asked for until the exchange can say", () =>
    withDesk(({ calls, exchange, orders, served }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Cut", call: place })
        yield* served.rest.script({ _tag: "Accept" }, { _tag: "Accept" }, { _tag: "Unreachable" })
        exchange.fault({
          _tag: "Answer",
          call: "GET orders/historical/batch",
          status: 429,
          headers: { "retry-after": "2" }
        })
        exchange.fault({ _tag: "Malform", call: "GET orders/historical/batch" })
        const placed = yield* give(orders.place(request()))
        assert.strictEqual(placed.events.length, 1)
        yield* pass("1900 millis")
        assert.strictEqual(placed.events.length, 1)
        yield* pass("2 seconds")
        assert.deepStrictEqual(placed.lines().slice(1), [reconciled])
        assert.strictEqual(calls(place), 1)
      })
    ))

  it.effect("an order that was never written is not sent", () =>
    withDesk(({ calls, orders, served }) =>
      Effect.gen(function*() {
        yield* served.rest.script({ _tag: "Accept" })
        yield* served.rest.otherwise({ _tag: "Refuse" })
        const placed = yield* give(orders.place(request(), { deadline: "1 second" }))
        assert.deepStrictEqual(placed.lines(), [])
        yield* pass("1 second")
        assert.deepStrictEqual(placed.lines(), ["NotSent clientId=mine reason=not written by the deadline"])
        assert.strictEqual(calls(place), 0)
        // Once there is a connection, it is.
        const again = yield* give(orders.place(request({ clientId: "again" }), { deadline: "1 second" }))
        yield* pass("500 millis")
        yield* served.rest.otherwise({ _tag: "Accept" })
        yield* pass("500 millis")
        assert.deepStrictEqual(again.lines(), ["Acknowledged clientId=again status=pending filled=0"])
        assert.strictEqual(calls(place), 1)
      })
    ))

  it.effect("what has no time left is not written", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        yield* said(orders.place(request()))
        const before = exchange.received().length
        const orderId = exchange.orders("mine")[0]?.orderId ?? ""
        for (const command of [orders.cancel({ orderId }, { deadline: 0 }), orders.open({ deadline: 0 })]) {
          const [line] = yield* said(command)
          assert.strictEqual(line, "NotSent reason=not written by the deadline")
        }
        assert.lengthOf(exchange.received(), before)
        assert.lengthOf(exchange.orders("mine"), 1)
      })
    ))

  it.effect("a key that is refused is refused once, and nothing more is asked", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Answer", status: 401, body: "Unauthorized\n" })
        const reason = "reason=the exchange refuses the key: Unauthorized"
        assert.deepStrictEqual(yield* said(orders.place(request())), [`NotSent clientId=mine ${reason}`])
        assert.deepStrictEqual(yield* said(orders.place(request())), [`NotSent clientId=mine ${reason}`])
        assert.deepStrictEqual(yield* said(orders.open()), [`NotSent ${reason}`])
        yield* pass("1 minute")
        assert.strictEqual(exchange.received().length, 1)
        assert.strictEqual((yield* orders.health.current)._tag, "Stopped")
      })
    ))

  it.effect("what only asks is asked again when the venue says, within the deadline", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        const asked = "GET products/{id}"
        exchange.fault({ _tag: "Answer", call: asked, status: 429, headers: { "retry-after": "2" } })
        exchange.fault({ _tag: "Answer", call: asked, status: 503, headers: { "retry-after": "1" } })
        const placed = yield* give(orders.place(request()))
        yield* pass("1999 millis")
        assert.strictEqual(calls(asked), 1)
        yield* pass("1 millis")
        assert.strictEqual(calls(asked), 2)
        yield* pass("999 millis")
        assert.strictEqual(calls(asked), 2)
        yield* pass("1 millis")
        assert.deepStrictEqual(placed.lines(), ["Acknowledged clientId=mine status=pending filled=0"])

        exchange.fault({ _tag: "Answer", call: asked, status: 429, headers: { "retry-after": "6" } })
        const patience = yield* said(orders.place(request({ clientId: "other", product: "ETH-USD" })))
        assert.deepStrictEqual(patience, [
          "NotSent clientId=other reason=product ETH-USD: too many requests: the exchange answered 429 (429)"
        ])
        assert.strictEqual(calls(asked), 4)
      })
    ))

  it.effect("a redirect is followed by nobody: it may have taken an order, and what only asks is not asked again", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        const asked = "GET products/{id}"
        exchange.fault({ _tag: "Answer", call: asked, status: 302, headers: { location: "https://elsewhere.test" } })
        assert.deepStrictEqual(yield* said(orders.place(request())), [
          "NotSent clientId=mine reason=product BTC-USD: the exchange answered 302 (302)"
        ])
        assert.strictEqual(calls(asked), 1)
        exchange.fault({ _tag: "Answer", call: place, status: 303, headers: { location: "https://elsewhere.test" } })
        const placed = yield* give(orders.place(request()))
        assert.deepStrictEqual(placed.lines(), ["OutcomeUnknown clientId=mine reason=the exchange answered 303"])
      })
    ))

  it.effect("an answer that never comes to what only asks is not waited for to the end", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Withhold", call: "GET products/{id}" })
        const placed = yield* give(orders.place(request()))
        yield* pass("2200 millis")
        assert.deepStrictEqual(placed.lines(), ["Acknowledged clientId=mine status=pending filled=0"])
      })
    ))

  it.effect("a client id that is in use is taken for the order that has it only if that is the same", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        yield* said(orders.place(request()))
        assert.deepStrictEqual(yield* said(orders.place(request())), [
          "Acknowledged clientId=mine status=pending filled=0"
        ])
        for (
          const other of [
            request({ price: decimal("40000.01") }),
            request({ amount: decimal("0.2") }),
            request({ side: "sell", price: decimal("50000.00") }),
            request({ product: "ETH-USD", price: decimal("2000.00") }),
            market({ side: "buy" })
          ]
        ) assert.deepStrictEqual(yield* said(orders.place(other)), ["Rejected clientId=mine reason=client id in use"])
        assert.strictEqual(exchange.orders().length, 1)
        assert.strictEqual(calls(place), 7)
      })
    ))

  it.effect("where the answer does not say what the order asks for, the order itself says it", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        yield* said(orders.place(request()))
        const [{ orderId = "" } = {}] = exchange.orders()
        const body = JSON.stringify({
          success: true,
          success_response: { order_id: orderId, product_id: "BTC-USD", side: "BUY", client_order_id: "mine" }
        })
        exchange.fault({ _tag: "Answer", call: place, status: 200, body })
        assert.deepStrictEqual(yield* said(orders.place(request({ price: decimal("39999.00") }))), [
          "Rejected clientId=mine reason=client id in use"
        ])
        exchange.fault({ _tag: "Answer", call: place, status: 200, body })
        assert.deepStrictEqual(yield* said(orders.place(request())), [
          "Acknowledged clientId=mine status=open filled=0"
        ])
      })
    ))

  it.effect("an order of which nobody says what it asks for is taken for ours, and is not absent", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const bare = (orderId: string, terms = {}) => ({
          order_id: orderId,
          client_order_id: "mine",
          product_id: "BTC-USD",
          side: "BUY",
          status: "OPEN",
          filled_size: "0",
          ...terms
        })
        const answer = (call: string, body: unknown) =>
          exchange.fault({ _tag: "Answer", call, status: 200, body: JSON.stringify(body) })
        answer(place, { success: true, success_response: { order_id: "o" } })
        answer("GET orders/historical/{id}", { order: bare("o") })
        assert.deepStrictEqual(yield* said(orders.place(request())), [
          "Acknowledged clientId=mine status=open filled=0"
        ])
        for (
          const [terms, then] of [
            [{}, reconciled],
            [{ side: "SELL" }, undefined],
            [{ order_configuration: { market_market_ioc: { quote_size: "10" } } }, undefined]
          ] as const
        ) {
          exchange.fault({ _tag: "Malform", call: place })
          answer("GET orders/historical/batch", { orders: [bare("o", terms)], has_next: false })
          const placed = yield* give(orders.place(request()))
          assert.strictEqual(placed.lines()[1], then)
          yield* pass("10 seconds")
        }
      })
    ))

  it.effect("no more than 30 requests leave in a second, and orders go before what only asks", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const given = yield* Effect.forEach(
          Array.from({ length: 40 }, (_, at) => `${at}`),
          (clientId) => give(orders.place(request({ clientId, amount: decimal("0.01") })))
        )
        yield* pass("3 seconds")
        assert.deepStrictEqual(
          [...new Set(given.flatMap(({ lines }) => lines()).map((line) => line.split(" ")[0]))],
          ["Acknowledged"]
        )
        const times = exchange.received().map(({ at }) => at - begun)
        for (const time of times) {
          assert.isAtMost(times.filter((other) => other > time - 1_000 && other <= time).length, 30)
        }
        assert.strictEqual(times.length, 41)
      })
    ))

  it.effect("the rules of a product are asked for once a minute", () =>
    withDesk(({ calls, orders }) =>
      Effect.gen(function*() {
        yield* said(orders.place(request({ clientId: "a" })))
        yield* pass("59 seconds")
        yield* said(orders.place(request({ clientId: "b" })))
        assert.strictEqual(calls("GET products/{id}"), 1)
        yield* pass("1 second")
        yield* said(orders.place(request({ clientId: "c" })))
        assert.strictEqual(calls("GET products/{id}"), 2)
      })
    ))
})
