import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decimal, give, pass } from "./Desk.ts"
import { address, best, cloid, idOf, market, mine, request, theirs, withDesk } from "./HyperliquidDesk.ts"

const refused = { _tag: "Refuse" } as const

describe("Order entry at Hyperliquid", () => {
  it.effect("places, amends, shows and cancels, by either id", () =>
    withDesk(({ bodies, calls, exchange, orders }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(request()))
        assert.deepStrictEqual(placed.lines(), [`Acknowledged clientId=${mine} status=open filled=0`])
        assert.strictEqual(placed.ended(), "done")
        const orderId = idOf(placed.events[0])
        assert.strictEqual(exchange.orders(address)[0]?.orderId, orderId)
        assert.deepStrictEqual(bodies("order")[0]?.action, {
          type: "order",
          orders: [{ a: 0, b: true, p: "40000", s: "0.01", r: false, t: { limit: { tif: "Gtc" } }, c: mine }],
          grouping: "na"
        })

        const amended = yield* give(orders.amend({ clientId: mine }, { price: decimal("40001") }))
        assert.deepStrictEqual(amended.lines(), [`Acknowledged clientId=${mine} status=open filled=0`])
        const second = idOf(amended.events[0])
        assert.notStrictEqual(second, orderId)
        const again = yield* give(orders.amend({ orderId: second }, { amount: decimal("0.02") }))
        assert.deepStrictEqual(again.lines(), [`Acknowledged clientId=${mine} status=open filled=0`])
        const third = idOf(again.events[0])

        const shown = `OrderUpdate clientId=${mine} status=open filled=0 remaining=0.02 price=40001.0 amount=0.02`
        const exact = (lines: ReadonlyArray<string>) => lines.map((line) => line.replace(/filled=0\.0+/, "filled=0"))
        assert.deepStrictEqual(exact((yield* give(orders.status({ clientId: mine }))).lines()), [shown])
        assert.deepStrictEqual(exact((yield* give(orders.status({ orderId: third }))).lines()), [shown])
        assert.deepStrictEqual(exact((yield* give(orders.open())).lines()), [shown])
        assert.deepStrictEqual(exact((yield* give(orders.open({ product: "BTC" }))).lines()), [shown])
        assert.deepStrictEqual((yield* give(orders.open({ product: "ETH" }))).lines(), [])

        const cancelled = yield* give(orders.cancel({ clientId: mine }))
        assert.match(cancelled.lines().join(), new RegExp(`^Acknowledged clientId=${mine} status=cancelled filled=0`))
        assert.strictEqual(idOf(cancelled.events[0]), third)
        assert.deepStrictEqual((yield* give(orders.open())).lines(), [])
        const refused = yield* give(orders.cancel({ orderId: third }))
        assert.deepStrictEqual(refused.lines(), [
          "Rejected reason=Order was never placed, already canceled, or filled. asset=0"
        ])
        assert.strictEqual(calls("batchModify"), 2)
        assert.strictEqual(calls("order"), 1)
        // The venue tells an id from a client id by its type.
        assert.deepStrictEqual([...new Set(bodies("orderStatus").map(({ oid }) => typeof oid))], ["string", "number"])
      })
    ))

  it.effect("says what became of an order whose answer was lost, and sends it once", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Cut", call: "order" })
        const placed = yield* give(orders.place(request()))
        yield* pass("1 second")
        assert.deepStrictEqual(placed.lines(), [
          `OutcomeUnknown clientId=${mine} reason=the connection ended before the answer came`,
          `Reconciled clientId=${mine} status=open filled=0.00`
        ])
        assert.strictEqual(placed.ended(), "done")
        assert.strictEqual(calls("order"), 1)
        assert.strictEqual(exchange.orders(address).length, 1)
      })
    ))

  it.effect("says that an order is absent only when it can no longer come", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Cut", call: "order", takenAfter: Infinity })
        const placed = yield* give(orders.place(request()))
        yield* pass("5900 millis")
        assert.strictEqual(placed.events.length, 1)
        yield* pass("400 millis")
        assert.deepStrictEqual(placed.lines().slice(1), [`Reconciled clientId=${mine} status=absent`])
        assert.strictEqual(calls("order"), 1)

        // One that is taken late is found; one that comes after its bound is not taken.
        const [slow, late] = [cloid("b"), cloid("c")]
        exchange.fault({ _tag: "Cut", call: "order", takenAfter: 3_000 })
        const slowly = yield* give(orders.place(request({ clientId: slow })))
        yield* pass("2900 millis")
        assert.strictEqual(slowly.events.length, 1)
        yield* pass("1 second")
        assert.deepStrictEqual(slowly.lines().slice(1), [`Reconciled clientId=${slow} status=open filled=0.00`])
        exchange.fault({ _tag: "Cut", call: "order", takenAfter: 5_050 })
        const lately = yield* give(orders.place(request({ clientId: late })))
        yield* pass("7 seconds")
        assert.deepStrictEqual(lately.lines().slice(1), [`Reconciled clientId=${late} status=absent`])
        assert.strictEqual(exchange.orders(address).some(({ clientId }) => clientId === late), false)
      })
    ))

  it.effect("an answer that does not come by the deadline is unknown at that moment", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Delay", call: "order", millis: 4_000 })
        const placed = yield* give(orders.place(request(), { deadline: "2 seconds" }))
        yield* pass("1999 millis")
        assert.deepStrictEqual(placed.lines(), [])
        yield* pass("1 millis")
        assert.strictEqual(placed.lines()[0], `OutcomeUnknown clientId=${mine} reason=no answer by the deadline`)
        yield* pass("1 minute")
        assert.deepStrictEqual(placed.lines().slice(1), [`Reconciled clientId=${mine} status=open filled=0.00`])
        assert.strictEqual(calls("order"), 1)
      })
    ))

  it.effect("an answer that never comes is reconciled, and so is an order that fills meanwhile", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { exchange, orders } = desk
        exchange.fault({ _tag: "Withhold", call: "order" })
        const price = decimal(best(desk, "asks").replace(/\..*/, "")).value + 10n
        const placed = yield* give(orders.place(request({ price: decimal(String(price)) })))
        yield* pass("6 seconds")
        assert.deepStrictEqual(placed.lines(), [
          `OutcomeUnknown clientId=${mine} reason=no answer by the deadline`,
          `Reconciled clientId=${mine} status=filled filled=0.01`
        ])
        assert.strictEqual(exchange.positions(address).length, 1)
      })
    ))

  it.effect("bears its deadline by the venue's clock, and is signed with a nonce that increases", () =>
    withDesk(({ bodies, orders }) =>
      Effect.gen(function*() {
        yield* give(orders.place(request(), { deadline: "3 seconds" }))
        yield* give(orders.place(request({ clientId: cloid("b") })))
        yield* give(orders.place(request({ clientId: cloid("c") })))
        assert.strictEqual(bodies("order")[0]?.expiresAfter, 1_800_000_003_000)
        const nonces = bodies("order").map(({ nonce }) => nonce)
        assert.deepStrictEqual(nonces, [1_800_000_000_000, 1_800_000_000_001, 1_800_000_000_002])
      })
    ))

  it.effect("goes over HTTP while there is no socket, and never over both", () =>
    withDesk(({ calls, exchange, orders, served }) =>
      Effect.gen(function*() {
        yield* served.host.otherwise(refused)
        const placed = yield* give(orders.place(request()))
        assert.deepStrictEqual(placed.lines(), [`Acknowledged clientId=${mine} status=open filled=0`])
        exchange.fault({ _tag: "Withhold", call: "order" })
        const lost = yield* give(orders.place(request({ clientId: cloid("b") })))
        yield* pass("6 seconds")
        assert.deepStrictEqual(lost.lines(), [
          `OutcomeUnknown clientId=${cloid("b")} reason=no answer by the deadline`,
          `Reconciled clientId=${cloid("b")} status=open filled=0.00`
        ])
        exchange.fault({ _tag: "Cut", call: "order", takenAfter: Infinity })
        const cut = yield* give(orders.place(request({ clientId: cloid("c") })))
        yield* pass("7 seconds")
        assert.match(cut.lines()[0] ?? "", /^OutcomeUnknown/)
        assert.deepStrictEqual(cut.lines().slice(1), [`Reconciled clientId=${cloid("c")} status=absent`])
        assert.strictEqual(calls("order"), 3)
      })
    ))

  it.effect("what the venue refuses is rejected in its words", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { exchange, orders } = desk
        const refusedBy = (terms: Parameters<typeof request>[0], place = request) =>
          Effect.map(
            give(orders.place(place({ clientId: cloid("d"), ...terms }))),
            ({ lines }) => lines().map((line) => line.replace(`clientId=${cloid("d")} `, "")).join()
          )
        assert.strictEqual(
          yield* refusedBy({ price: decimal("50000"), timeInForce: "post-only" }),
          `Rejected reason=Post only order would have immediately matched, bbo was ${
            [best(desk, "bids"), best(desk, "asks")].join("@")
          }.`
        )
        assert.strictEqual(
          yield* refusedBy({ timeInForce: "ioc" }),
          "Rejected reason=Order could not immediately match against any resting orders. asset=0"
        )
        assert.strictEqual(
          yield* refusedBy({ amount: decimal("0.0001") }),
          "Rejected reason=Order must have minimum value of $10. asset=0"
        )
        assert.strictEqual(
          yield* refusedBy({ reduceOnly: true }),
          "Rejected reason=Reduce only order would increase position. asset=0"
        )
        assert.strictEqual(
          yield* refusedBy({ amount: decimal("10000") }),
          "Rejected reason=Insufficient margin to place order. asset=0"
        )
        exchange.fault({ _tag: "Answer", call: "order", status: 429, headers: { "retry-after": "1" } })
        assert.strictEqual(yield* refusedBy({}), "Rejected reason=status 429 code=429")
        exchange.fault({ _tag: "Answer", call: "order", status: 422, body: "Failed to deserialize" })
        assert.strictEqual(yield* refusedBy({}), "Rejected reason=status 422: Failed to deserialize code=422")
        exchange.fault({
          _tag: "Answer",
          call: "order",
          status: 200,
          body: "{\"status\":\"err\",\"response\":\"Must deposit before performing actions.\"}"
        })
        assert.strictEqual(yield* refusedBy({}), "Rejected reason=Must deposit before performing actions.")
      })
    ))

  it.effect("what cannot be read of an answer leaves the outcome unknown", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Malform", call: "order" })
        const placed = yield* give(orders.place(request()))
        yield* pass("1 second")
        assert.deepStrictEqual(placed.lines(), [
          `OutcomeUnknown clientId=${mine} reason=the answer cannot be read`,
          `Reconciled clientId=${mine} status=open filled=0.00`
        ])
        exchange.fault({ _tag: "Answer", call: "order", status: 502, body: "Bad Gateway" })
        const gone = yield* give(orders.place(request({ clientId: cloid("b") })))
        yield* pass("7 seconds")
        assert.deepStrictEqual(gone.lines(), [
          `OutcomeUnknown clientId=${cloid("b")} reason=status 502: Bad Gateway`,
          `Reconciled clientId=${cloid("b")} status=absent`
        ])
      })
    ))

  it.effect("what the rules forbid is not sent, with the nearest legal values", () =>
    withDesk(({ calls, orders }) =>
      Effect.gen(function*() {
        const reasonOf = (terms: Parameters<typeof request>[0], place = request) =>
          Effect.map(give(orders.place(place(terms))), ({ lines }) => lines().join().replace(/ clientId=\S+/, ""))
        assert.strictEqual(
          yield* reasonOf({ price: decimal("40000.5") }),
          "NotSent reason=price 40000.5 is no positive multiple of the tick 1; the nearest legal: 40000 and 40001"
        )
        assert.strictEqual(
          yield* reasonOf({ product: "ETH", amount: decimal("1"), price: decimal("2000.05") }),
          "NotSent reason=price 2000.05 is no positive multiple of the tick 0.1; the nearest legal: 2000.0 and 2000.1"
        )
        assert.strictEqual(
          yield* reasonOf({ product: "SOL", amount: decimal("1.005"), price: decimal("98.7301") }),
          "NotSent reason=price 98.7301 is no positive multiple of the tick 0.001; the nearest legal: 98.730 and 98.731; " +
            "amount 1.005 is no positive multiple of the lot 0.01; the nearest legal: 1.00 and 1.01"
        )
        assert.strictEqual(
          yield* reasonOf({ amount: decimal("0.000001") }),
          "NotSent reason=amount 0.000001 is below the minimum 0.00001; the nearest legal: 0.00001"
        )
        assert.strictEqual(
          yield* reasonOf({ product: "DOGE" }),
          "NotSent reason=product DOGE is not traded at Hyperliquid"
        )
        assert.strictEqual(
          yield* reasonOf({ timeInForce: "fok" }),
          "NotSent reason=time in force fok: Hyperliquid has gtc, ioc and post-only"
        )
        assert.match(
          yield* reasonOf({ clientId: cloid("A") }),
          /^NotSent reason=client id 0xA+: Hyperliquid takes 0x and 32/
        )
        assert.strictEqual(
          yield* reasonOf({ product: "PURR/USDC", amount: decimal("100"), price: decimal("0.18"), reduceOnly: true }),
          "NotSent reason=reduce-only: PURR/USDC has no positions"
        )
        assert.strictEqual(calls("order"), 0)
        assert.strictEqual(calls("meta"), 2, "DOGE alone is looked for again")
      })
    ))

  it.effect("a market order takes at once, up to its slippage, and in plain figures", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { bodies, exchange, orders } = desk
        const [ask, bid] = [Number(best(desk, "asks")), Number(best(desk, "bids"))]
        const bought = yield* give(orders.place(market({ amount: decimal("0.01000") })))
        assert.deepStrictEqual(bought.lines(), [`Acknowledged clientId=${mine} status=filled filled=0.01`])
        const sent = () => bodies("order").at(-1)?.action.orders[0] ?? assert.fail()
        assert.strictEqual(Number(sent().p), Math.floor(ask * 1.05))
        assert.deepStrictEqual({ ...sent(), p: "" }, {
          a: 0,
          b: true,
          p: "",
          s: "0.01",
          r: false,
          t: { limit: { tif: "Ioc" } },
          c: mine
        })
        const sold = yield* give(orders.place(market({ side: "sell", reduceOnly: true, clientId: cloid("b") })))
        assert.deepStrictEqual(sold.lines(), [`Acknowledged clientId=${cloid("b")} status=filled filled=0.01`])
        assert.strictEqual(Number(sent().p), Math.ceil(bid * 0.95))
        assert.strictEqual(sent().r, true)
        assert.deepStrictEqual(exchange.positions(address), [])
        // What the book does not have is cancelled.
        const much = yield* give(
          orders.place(market({ product: "SOL", amount: decimal("9999"), clientId: cloid("c") }))
        )
        assert.match(much.lines().join(), /^Acknowledged clientId=0xc+ status=cancelled filled=\d/)
      })
    ))

  it.effect("cancels all, and counts what it knows to be cancelled", () =>
    withDesk(({ bodies, calls, exchange, orders }) =>
      Effect.gen(function*() {
        yield* give(orders.place(request()))
        yield* give(
          orders.place(request({ clientId: cloid("b"), product: "ETH", price: decimal("2000"), amount: decimal("1") }))
        )
        yield* give(orders.place(request({ clientId: cloid("c"), price: decimal("39000") })))
        const ofBitcoin = yield* give(orders.cancelAll({ product: "BTC" }))
        assert.deepStrictEqual(ofBitcoin.lines().map((line) => line.replace(/ filled=.*/, "")), [
          `Acknowledged clientId=${mine} status=cancelled`,
          `Acknowledged clientId=${cloid("c")} status=cancelled`,
          "CancelledAll count=2"
        ])
        assert.strictEqual(bodies("cancel")[0]?.action.cancels?.length, 2)
        exchange.fault({ _tag: "Cut", call: "cancel" })
        const rest = yield* give(orders.cancelAll())
        yield* pass("2 seconds")
        assert.deepStrictEqual(rest.lines().map((line) => line.replace(/ filled=.*/, "")).slice(-2), [
          `Acknowledged clientId=${cloid("b")} status=cancelled`,
          "CancelledAll count=1"
        ])
        assert.deepStrictEqual((yield* give(orders.cancelAll())).lines(), ["CancelledAll count=0"])
        assert.isAtLeast(calls("cancel"), 2)
      })
    ))

  it.effect("cancels one by one what is not said to be cancelled", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        for (const digit of ["a", "b"]) yield* give(orders.place(request({ clientId: cloid(digit) })))
        exchange.fault({
          _tag: "Answer",
          call: "cancel",
          status: 200,
          body: JSON.stringify({
            status: "ok",
            response: { type: "cancel", data: { statuses: [{ error: "busy" }, "success"] } }
          })
        })
        const all = yield* give(orders.cancelAll())
        assert.strictEqual(all.lines().at(-1), "CancelledAll count=2")
        assert.strictEqual(calls("cancel"), 2)
        assert.deepStrictEqual(exchange.orders(address).map(({ status }) => status), ["cancelled", "open"])
      })
    ))

  it.effect("a cancel whose answer was lost is reconciled", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(request()))
        const orderId = idOf(placed.events[0])
        exchange.fault({ _tag: "Cut", call: "cancel", takenAfter: Infinity })
        const cancelled = yield* give(orders.cancel({ orderId }))
        yield* pass("2 seconds")
        assert.deepStrictEqual(cancelled.lines().map((line) => line.replace(/ filled=.*/, "")), [
          "OutcomeUnknown reason=the connection ended before the answer came",
          `Reconciled clientId=${mine} status=cancelled`
        ])
        assert.strictEqual(exchange.orders(address)[0]?.status, "cancelled")
        assert.deepStrictEqual((yield* give(orders.cancel({ orderId: "999" }))).lines(), [
          "NotSent reason=the exchange knows no such order"
        ])
        assert.deepStrictEqual((yield* give(orders.status({ orderId: "999" }))).lines(), ["OrderUpdate status=absent"])
      })
    ))

  it.effect("an amendment is of the whole amount, what is filled included", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { bodies, orders } = desk
        const other = yield* theirs(desk)
        yield* give(orders.place(request({ price: decimal(other.between), amount: decimal("0.05") })))
        yield* give(
          other.orders.place(request({ side: "sell", price: decimal(other.between), amount: decimal("0.02") }))
        )
        const amended = yield* give(orders.amend({ clientId: mine }, { amount: decimal("0.1") }))
        assert.deepStrictEqual(amended.lines(), [`Acknowledged clientId=${mine} status=partially-filled filled=0.02`])
        assert.strictEqual(bodies("batchModify")[0]?.action.modifies?.[0]?.order.s, "0.08")
        const shown = yield* give(orders.status({ clientId: mine }))
        assert.match(shown.lines().join(), /status=partially-filled filled=0.02 remaining=0.08 .* amount=0.1/)
        const tooLittle = yield* give(orders.amend({ clientId: mine }, { amount: decimal("0.02") }))
        assert.deepStrictEqual(tooLittle.lines(), [
          `NotSent clientId=${mine} reason=amount 0.02 is not above the 0.02 that are filled`
        ])
        // A process that knows nothing of it learns it.
        const anew = yield* desk.again()
        assert.deepStrictEqual((yield* give(anew.status({ clientId: mine }))).lines(), shown.lines())
        const listing = yield* desk.again()
        const listed = yield* give(listing.open())
        assert.deepStrictEqual(listed.lines(), (yield* give(anew.status({ clientId: mine }))).lines())
        const cancelling = yield* desk.again()
        const cancelled = yield* give(cancelling.cancel({ clientId: mine }))
        assert.deepStrictEqual(cancelled.lines(), [`Acknowledged clientId=${mine} status=cancelled filled=0.02`])
      })
    ))

  it.effect("what is filled while an amendment is on its way is not bought twice", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { exchange, orders } = desk
        const other = yield* theirs(desk)
        yield* give(orders.place(request({ price: decimal(other.between), amount: decimal("0.05") })))
        exchange.fault({ _tag: "Late", call: "batchModify", millis: 1_000 })
        const amended = yield* give(orders.amend({ clientId: mine }, { amount: decimal("0.1") }))
        yield* give(
          other.orders.place(request({ side: "sell", price: decimal(other.between), amount: decimal("0.02") }))
        )
        yield* pass("1 second")
        assert.deepStrictEqual(amended.lines(), [`Acknowledged clientId=${mine} status=partially-filled filled=0.02`])
        const order = exchange.orders(address).find(({ status }) => status === "open")
        assert.deepStrictEqual(order?.amount, decimal("0.08000"))
      })
    ))

  it.effect("nor is it said not to be sent if that cannot be put right", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { exchange, orders } = desk
        const other = yield* theirs(desk)
        yield* give(orders.place(request({ price: decimal(other.between), amount: decimal("0.05") })))
        exchange.fault({ _tag: "Late", call: "batchModify", millis: 1_000 })
        exchange.fault({ _tag: "Answer", call: "batchModify", status: 429 })
        const amended = yield* give(orders.amend({ clientId: mine }, { amount: decimal("0.1") }))
        yield* give(
          other.orders.place(request({ side: "sell", price: decimal(other.between), amount: decimal("0.02") }))
        )
        yield* pass("7 seconds")
        assert.match(amended.lines()[0] ?? "", /^OutcomeUnknown .*it was filled meanwhile, and is too large now/)
        assert.match(amended.lines()[1] ?? "", /^Reconciled .* status=partially-filled filled=0.02$/)
        assert.strictEqual(amended.ended(), "NotAmended")
      })
    ))

  it.effect("what is left of nothing is cancelled, if as much was filled meanwhile", () =>
    withDesk((desk) =>
      Effect.gen(function*() {
        const { exchange, orders } = desk
        const other = yield* theirs(desk)
        yield* give(orders.place(request({ price: decimal(other.between), amount: decimal("0.05") })))
        exchange.fault({ _tag: "Late", call: "batchModify", millis: 1_000 })
        const amended = yield* give(orders.amend({ clientId: mine }, { amount: decimal("0.02") }))
        yield* give(
          other.orders.place(request({ side: "sell", price: decimal(other.between), amount: decimal("0.03") }))
        )
        yield* pass("1 second")
        assert.match(amended.lines().join(), /^Acknowledged .* status=cancelled filled=0.03$/)
        assert.strictEqual(exchange.orders(address).some(({ status }) => status === "open"), false)
      })
    ))

  it.effect("an amendment whose answer was lost is reconciled", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        yield* give(orders.place(request()))
        exchange.fault({ _tag: "Cut", call: "batchModify" })
        const amended = yield* give(orders.amend({ clientId: mine }, { price: decimal("40001") }))
        yield* pass("1 second")
        assert.deepStrictEqual(amended.lines(), [
          `OutcomeUnknown clientId=${mine} reason=the connection ended before the answer came`,
          `Reconciled clientId=${mine} status=open filled=0.00`
        ])
        exchange.fault({ _tag: "Cut", call: "batchModify", takenAfter: Infinity })
        const lost = yield* give(orders.amend({ clientId: mine }, { price: decimal("40002") }))
        yield* pass("7 seconds")
        assert.strictEqual(lost.ended(), "NotAmended")
        assert.deepStrictEqual(lost.lines().slice(1), [`Reconciled clientId=${mine} status=open filled=0.00`])
      })
    ))

  it.effect("what only asks is asked again where the venue wants to be asked later", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Answer", call: "meta", status: 429, headers: { "retry-after": "2" } })
        exchange.fault({ _tag: "Answer", call: "userRole", status: 503 })
        const placed = yield* give(orders.place(request()))
        yield* pass("1999 millis")
        assert.strictEqual(calls("meta"), 1)
        yield* pass("500 millis")
        assert.deepStrictEqual(placed.lines(), [`Acknowledged clientId=${mine} status=open filled=0`])
      })
    ))

  it.effect("an exchange that cannot be reached is not sent anything", () =>
    withDesk(({ calls, orders, served }) =>
      Effect.gen(function*() {
        yield* served.host.otherwise(refused)
        yield* served.rest.otherwise(refused)
        const placed = yield* give(orders.place(request(), { deadline: "3 seconds" }))
        yield* pass("4 seconds")
        assert.match(placed.lines().join(), /^NotSent clientId=0xa+ reason=http:\/\/hyperliquid.test\/info/)
        assert.strictEqual(calls("order"), 0)
      })
    ))
})
