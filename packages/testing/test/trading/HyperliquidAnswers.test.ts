import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decimal, give, pass } from "./Desk.ts"
import { address, cloid, type Desk, idOf, market, mine, request, withDesk } from "./HyperliquidDesk.ts"

/** Has the next call of a name answered with this. */
const answer = ({ exchange }: Pick<Desk, "exchange">, call: string, body: unknown, status = 200) =>
  exchange.fault({ _tag: "Answer", call, status, body: typeof body === "string" ? body : JSON.stringify(body) })

const done = (...statuses: ReadonlyArray<unknown>) => ({
  status: "ok",
  response: { type: "order", data: { statuses } }
})

const shown = (change: object, status = "open") => ({
  status: "order",
  order: {
    order: {
      coin: "BTC",
      side: "B",
      limitPx: "40000.0",
      sz: "0.01",
      oid: 91_490_942_000,
      timestamp: 1_800_000_000_000,
      origSz: "0.01",
      cloid: mine,
      ...change
    },
    status,
    statusTimestamp: 1_800_000_000_000
  }
})

describe("Answers of Hyperliquid", () => {
  it.effect("to an order: what was filled at once, and what rests", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { orders } = desk
        const said = (terms: Parameters<typeof request>[0], ...statuses: ReadonlyArray<unknown>) =>
          Effect.gen(function*() {
            answer(desk, "order", done(...statuses))
            const placed = yield* give(orders.place(request(terms)))
            yield* pass("7 seconds")
            return placed.lines().map((line) => line.replace(`clientId=${mine} `, ""))
          })
        const filled = (totalSz: string) => ({ filled: { totalSz, avgPx: "39999.5", oid: 77_747_314 } })
        assert.deepStrictEqual(yield* said({}, { resting: { oid: 77_738_308 } }), ["Acknowledged status=open filled=0"])
        assert.deepStrictEqual(yield* said({}, filled("0.01")), ["Acknowledged status=filled filled=0.01"])
        assert.deepStrictEqual(yield* said({}, filled("0.004")), ["Acknowledged status=partially-filled filled=0.004"])
        assert.deepStrictEqual(yield* said({ timeInForce: "ioc" }, filled("0.004")), [
          "Acknowledged status=cancelled filled=0.004"
        ])
        assert.deepStrictEqual(yield* said({}, { error: "Insufficient margin to place order." }), [
          "Rejected reason=Insufficient margin to place order."
        ])
        for (const status of ["waitingForFill", { other: 1 }, undefined]) {
          const [unknown, absent] = yield* said({}, ...(status === undefined ? [] : [status]))
          assert.match(
            unknown ?? "",
            /^OutcomeUnknown reason=the answer (does not say which order it is|cannot be read)$/
          )
          assert.strictEqual(absent, "Reconciled status=absent")
        }
      })
    ))

  it.effect("about an order: each of the venue's words for how it ended", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { orders } = desk
        const said = (change: object, status: string) =>
          Effect.gen(function*() {
            answer(desk, "orderStatus", shown(change, status))
            answer(desk, "historicalOrders", [])
            const [line = ""] = (yield* give(orders.status({ clientId: mine }))).lines()
            return /status=(\S+) filled=(\S+)/.exec(line)?.slice(1).join(" ")
          })
        assert.strictEqual(yield* said({}, "open"), "open 0.00")
        assert.strictEqual(yield* said({ sz: "0.004" }, "open"), "partially-filled 0.006")
        assert.strictEqual(yield* said({ sz: "0.0" }, "filled"), "filled 0.01")
        assert.strictEqual(yield* said({ sz: "0.004" }, "filled"), "cancelled 0.006")
        for (const word of ["canceled", "marginCanceled", "scheduledCancel", "reduceOnlyCanceled", "internalCancel"]) {
          assert.strictEqual(yield* said({ sz: "0.004" }, word), "cancelled 0.006", word)
        }
        for (const word of ["rejected", "tickRejected", "iocCancelRejected", "badAloPxRejected"]) {
          assert.strictEqual(yield* said({}, word), "rejected 0.00", word)
        }
        assert.strictEqual(yield* said({}, "triggered"), "open 0.00")
        assert.strictEqual(yield* said({}, "somethingNew"), "unknown 0.00")
      })
    ))

  it.effect("about an order that it has in its history only, or nowhere", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { orders } = desk
        const { order } = shown({})
        answer(desk, "orderStatus", { status: "unknownOid" })
        answer(desk, "historicalOrders", [
          { ...order, status: "canceled", order: { ...order.order, oid: 5 } },
          { ...order, status: "filled", order: { ...order.order, oid: 6, sz: "0.0" } },
          { ...order, status: "open", order: { ...order.order, oid: 7, cloid: null } }
        ])
        const found = yield* give(orders.status({ clientId: mine }))
        assert.deepStrictEqual(found.events.map(idOf), ["6"])
        // Whoever has no history says so, and what there is is told.
        answer(desk, "orderStatus", shown({ cloid: cloid("b") }))
        answer(desk, "historicalOrders", "Failed to deserialize", 422)
        assert.match((yield* give(orders.status({ clientId: cloid("b") }))).lines().join(), /status=open/)
        for (const [body, status] of [["Failed to deserialize", 422], [null, 200]] as const) {
          answer(desk, "orderStatus", { status: "unknownOid" })
          answer(desk, "historicalOrders", body, status)
          assert.deepStrictEqual((yield* give(orders.status({ clientId: cloid("c") }))).lines(), [
            `OrderUpdate clientId=${cloid("c")} status=absent`
          ])
        }
        answer(desk, "frontendOpenOrders", [{ ...order.order, cloid: cloid("d") }])
        answer(desk, "historicalOrders", null)
        assert.match((yield* give(orders.open())).lines().join(), /status=open/)
        assert.deepStrictEqual((yield* give(orders.status({ clientId: "mine" }))).lines(), [
          "OrderUpdate clientId=mine status=absent"
        ])
        assert.deepStrictEqual((yield* give(orders.status({ orderId: "x" }))).lines(), ["OrderUpdate status=absent"])
      })
    ))

  it.effect("to an amendment and to a cancel that say nothing are looked up", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { exchange, orders } = desk
        yield* give(orders.place(request()))
        answer(desk, "batchModify", { status: "ok", response: { type: "default" } })
        const amended = yield* give(orders.amend({ clientId: mine }, { price: decimal("40001") }))
        yield* pass("7 seconds")
        assert.deepStrictEqual(amended.lines(), [
          `OutcomeUnknown clientId=${mine} reason=the answer does not say which order it is`,
          `Reconciled clientId=${mine} status=open filled=0.00`
        ])
        assert.strictEqual(amended.ended(), "NotAmended")
        answer(desk, "cancel", { status: "ok", response: { type: "default" } })
        const cancelled = yield* give(orders.cancel({ clientId: mine }))
        yield* pass("1 second")
        assert.match(cancelled.lines()[0] ?? "", /^OutcomeUnknown .* does not say whether the order is cancelled$/)
        assert.match(cancelled.lines()[1] ?? "", /^Reconciled .* status=cancelled/)
        assert.strictEqual(exchange.orders(address)[0]?.status, "cancelled")
      })
    ))

  it.effect("an order that waits for its trigger is not amended into another", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        answer(desk, "orderStatus", shown({ isTrigger: true, triggerPx: "39000.0", tif: null }))
        const amended = yield* give(desk.orders.amend({ clientId: mine }, { price: decimal("40001") }))
        assert.deepStrictEqual(amended.lines(), [
          `NotSent clientId=${mine} reason=order 91490942000 waits for its trigger: it is not amended here`
        ])
        assert.strictEqual(desk.calls("batchModify"), 0)
      })
    ))

  it.effect("executions are those of each id that a client id had, also if they do not bear it", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { exchange, orders } = desk
        exchange.silence(true)
        const followed = yield* give(orders.place(request({ amount: decimal("0.02") }), { follow: true }))
        const oid = Number(idOf(followed.events[0]))
        yield* give(orders.amend({ clientId: mine }, { price: decimal("40001") }))
        const fill = {
          coin: "BTC",
          px: "40000.0",
          sz: "0.01",
          side: "B",
          time: 1_800_000_000_500,
          fee: "0.1",
          feeToken: "USDC"
        }
        answer(desk, "orderStatus", shown({ oid: oid + 1, sz: "0.0", origSz: "0.01" }, "filled"))
        answer(desk, "userFillsByTime", [
          { ...fill, oid: oid + 1, tid: 12, time: 1_800_000_000_600 },
          { ...fill, oid, tid: 11 },
          { ...fill, oid: oid + 7, tid: 13 },
          { ...fill, oid, tid: 11 }
        ])
        yield* pass("9 seconds")
        assert.deepStrictEqual(
          followed.events.flatMap((event) => event._tag === "Fill" ? [event.tradeId] : []),
          ["11", "12"]
        )
      })
    ))

  it.effect("an amendment keeps what is not named, also how the order may trade", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { bodies, orders } = desk
        yield* give(
          orders.place(
            request({ timeInForce: "post-only", product: "ETH", price: decimal("2000.5"), amount: decimal("1") })
          )
        )
        yield* give(orders.amend({ clientId: mine }, { amount: decimal("2") }))
        const sent = bodies("batchModify")[0]?.action.modifies?.[0]?.order
        assert.deepStrictEqual(sent, {
          a: 1,
          b: true,
          p: "2000.5",
          s: "2",
          r: false,
          t: { limit: { tif: "Alo" } },
          c: mine
        })
        const illegal = yield* give(orders.amend({ clientId: mine }, { price: decimal("2000.55") }))
        assert.match(illegal.lines().join(), /^NotSent .*nearest legal: 2000.5 and 2000.6$/)
      })
    ))

  it.effect("a cancel of what cannot be asked for is not sent", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { calls, exchange, orders } = desk
        const placed = yield* give(orders.place(request()))
        exchange.fault({ _tag: "Withhold", call: "orderStatus" })
        const cancelled = yield* give(orders.cancel({ orderId: idOf(placed.events[0]) }))
        yield* pass("6 seconds")
        assert.deepStrictEqual(cancelled.lines(), ["NotSent reason=no answer by the deadline"])
        assert.strictEqual(calls("cancel"), 0)
      })
    ))

  it.effect("a market without another side is not sent to", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        answer(desk, "l2Book", { coin: "BTC", time: 1, levels: [[{ px: "43250.0", sz: "1", n: 1 }], []] })
        const bought = yield* give(desk.orders.place(market()))
        assert.deepStrictEqual(bought.lines(), [
          `NotSent clientId=${mine} reason=a market order to buy finds nothing to trade with in BTC`
        ])
      })
    ))

  it.effect("over HTTP are read as those on the socket", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { calls, orders, served } = desk
        yield* served.host.otherwise({ _tag: "Refuse" })
        const said = (body: unknown, status = 200) =>
          Effect.gen(function*() {
            answer(desk, "order", body, status)
            const placed = yield* give(orders.place(request()))
            yield* pass("7 seconds")
            return placed.lines().map((line) => line.replace(`clientId=${mine} `, ""))
          })
        assert.deepStrictEqual(yield* said(done({ resting: { oid: 5 } })), ["Acknowledged status=open filled=0"])
        assert.deepStrictEqual(yield* said("slow down", 429), ["Rejected reason=status 429: slow down code=429"])
        assert.deepStrictEqual(yield* said({ status: "err", response: "Too many cumulative requests sent" }), [
          "Rejected reason=Too many cumulative requests sent"
        ])
        assert.deepStrictEqual(yield* said("", 503), ["OutcomeUnknown reason=status 503", "Reconciled status=absent"])
        for (const status of [202, 303]) {
          const lines = [`OutcomeUnknown reason=status ${status}`, "Reconciled status=absent"]
          assert.deepStrictEqual(yield* said("", status), lines)
        }
        assert.deepStrictEqual(yield* said("{"), [
          "OutcomeUnknown reason=the answer cannot be read",
          "Reconciled status=absent"
        ])
        assert.strictEqual(calls("order"), 7)
      })
    ))

  it.effect("over HTTP: nobody to take an order is nobody who has", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { calls, orders, served } = desk
        yield* served.host.otherwise({ _tag: "Refuse" })
        yield* served.rest.script({ _tag: "Accept" }, { _tag: "Accept" })
        yield* served.rest.otherwise({ _tag: "Refuse" })
        const placed = yield* give(orders.place(request()))
        yield* pass("6 seconds")
        assert.match(placed.lines().join(), /^NotSent .*hyperliquid.test\/exchange/)
        assert.strictEqual(calls("order"), 0)
      })
    ))

  it.effect("that ask for patience say how long", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { exchange, orders, served } = desk
        yield* served.host.otherwise({ _tag: "Refuse" })
        const waitOf = Effect.map(
          give(orders.place(request())),
          ({ events: [event] }) => event?._tag === "Rejected" ? event.retryAfterMillis : undefined
        )
        exchange.fault({ _tag: "Answer", call: "order", status: 429, headers: { "retry-after": "7" } })
        assert.strictEqual(yield* waitOf, 7_000)
        exchange.fault({ _tag: "Answer", call: "order", status: 429 })
        assert.strictEqual(yield* waitOf, 1_000)
        answer(desk, "order", { status: "err", response: "Too many cumulative requests sent (10001 > 10000)" })
        assert.strictEqual(yield* waitOf, 10_000)
      })
    ))

  it.effect("with a time: what is valid until is by the venue's clock, as far as it is known", () =>
    Effect.gen(function*() {
      yield* withDesk(({ bodies, exchange, orders }) =>
        Effect.gen(function*() {
          exchange.fault({ _tag: "Cut", call: "order", takenAfter: Infinity })
          const placed = yield* give(orders.place(request()))
          // Ten seconds ahead, of which its whole seconds prove as many.
          assert.strictEqual(bodies("order")[0]?.expiresAfter, 1_800_000_015_000)
          yield* pass("7 seconds")
          assert.strictEqual(placed.ended(), "done")
        }), { ahead: 10_400 })
      yield* withDesk(({ bodies, orders }) =>
        Effect.gen(function*() {
          yield* give(orders.place(request()))
          assert.strictEqual(bodies("order")[0]?.expiresAfter, 1_799_999_995_999)
        }), { ahead: -10_000 })
      yield* withDesk(({ bodies, orders }) =>
        Effect.gen(function*() {
          yield* give(orders.place(request()))
          assert.strictEqual(bodies("order")[0]?.expiresAfter, 1_800_000_005_000)
        }), { ahead: 700 })
    }))

  it.effect("what the address may ask in a minute is not exceeded", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { calls, orders } = desk
        // 20 for the account, 60 for who it is, and 20 for each list.
        const lists: Array<Effect.Success<ReturnType<typeof give>>> = []
        for (let n = 0; n < 60; n++) lists.push(yield* give(orders.open({ product: "BTC" })))
        assert.strictEqual(calls("frontendOpenOrders"), 57)
        assert.strictEqual(lists.filter((list) => list.ended() === "done" && list.events.length === 0).length, 57)
        assert.match(
          lists.at(-1)?.lines().join() ?? "",
          /^NotSent reason=not written by the deadline: the address has used/
        )
        yield* pass("61 seconds")
        assert.deepStrictEqual((yield* give(orders.open())).lines(), [])
      })
    ))
})
