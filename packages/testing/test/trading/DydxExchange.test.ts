/** Order entry at the mock of dYdX, on a virtual network. */
import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as DydxExchange from "@tickline/core/trading/dydx/DydxExchange"
import type { Exchange } from "@tickline/core/trading/Exchange"
import type * as OrderEvent from "@tickline/core/trading/OrderEvent"
import { HttpPort } from "@tickline/core/transport/HttpPort"
import { Transport } from "@tickline/core/transport/Transport"
import * as Decimal from "@tickline/core/value/Decimal"
import * as MockDydxExchange from "@tickline/testing/MockDydxExchange"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { policyWith } from "../Rig.ts"
import * as Desk from "./Desk.ts"

const { decimal, give, pass } = Desk
const product = "BTC-USD"
const subaccount = `${MockDydxExchange.account.address}/0`
const broadcast = "POST /cosmos/tx/v1beta1/txs"
const begun = 1_795_219_200_000

const another: MockDydxExchange.Account = {
  address: "dydx18sukah44zfkjndlhcdmhkjnarl2sevhwf894vh",
  subaccounts: { 0: "100000" }
}
const anothers = "movie yard still copper exile wear brisk chest ride dizzy novel future menu finish " +
  "radar lunar claim hub middle force turtle mouse frequent embark"

type Terms = Parameters<typeof Desk.request>[0]
const limit = (terms: Terms = {}) =>
  Desk.request({ product, amount: decimal("0.1000"), price: decimal("40000.00"), ...terms })
const market = (terms: Terms = {}) => Desk.market({ product, amount: decimal("0.0100"), timeInForce: "ioc", ...terms })

const make = (options: Partial<DydxExchange.Options> = {}) =>
  DydxExchange.make({
    mnemonic: Redacted.make(MockDydxExchange.mnemonic),
    url: "https://dydx.test",
    nodeUrl: "https://dydx.test",
    ...options
  })

interface Setting {
  readonly exchange: MockDydxExchange.MockDydxExchange
  readonly served: MockVenue.Served
  readonly orders: Exchange["Service"]
  readonly other: Exchange["Service"]
  readonly calls: (call: string) => number
}

const withDesk = <A, E, R>(
  use: (setting: Setting) => Effect.Effect<A, E, R>,
  { options = {}, ...mock }: MockDydxExchange.Options & { readonly options?: Partial<DydxExchange.Options> } = {}
) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(begun)
    const network = yield* VirtualNetwork.make({ seed: 1, latency: 0 })
    const exchange = MockDydxExchange.make({ accounts: [MockDydxExchange.account, another], ...mock })
    const served = yield* MockVenue.serve(network, "wss://dydx.test/v4/ws", exchange.venue, {
      products: [{ symbol: product, price: "43250.10", size: "0.0500" }, {
        symbol: "ETH-USD",
        price: "2280.50",
        size: "0.800"
      }]
    })
    yield* served.quote(product, "43250.00", "43251.00")
    return yield* Effect.scoped(Effect.gen(function*() {
      const orders = yield* make(options)
      const other = yield* make({ mnemonic: Redacted.make(anothers) })
      const calls = (call: string) => exchange.received().filter((received) => received.call === call).length
      return yield* use({ exchange, served, orders, other, calls })
    })).pipe(
      Effect.provide(Reconnection.layerWithBreaker(policyWith({}))),
      Effect.provideService(Transport, network.transport),
      Effect.provideService(HttpPort, network.http)
    )
  })

const said = <E extends { readonly _tag: string }>(commands: Stream.Stream<OrderEvent.OrderEvent, E>) =>
  Effect.map(give(commands), ({ lines }) => lines())

const shown = (status: string) =>
  `OrderUpdate clientId=mine status=${status} filled=0.0000 remaining=0.1000 price=40000.00 amount=0.1000`

describe("Order entry at dYdX", () => {
  it.effect("places an order that rests, shows it and cancels it", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        const placed = yield* give(orders.place(limit()))
        assert.deepStrictEqual(placed.lines(), ["Acknowledged clientId=mine status=pending filled=0"])
        const [event] = placed.events
        const orderId = event?._tag === "Acknowledged" ? event.orderId ?? "" : ""
        // It is in the book with the next block.
        assert.deepStrictEqual(exchange.orders(subaccount), [])
        yield* pass("1 second")
        assert.deepStrictEqual(exchange.orders(subaccount).map(({ id, status }) => [id, status]), [[orderId, "open"]])
        assert.deepStrictEqual(yield* said(orders.status({ clientId: "mine" })), [shown("open")])
        assert.deepStrictEqual(yield* said(orders.status({ orderId })), [shown("open")])
        assert.deepStrictEqual(yield* said(orders.open({ product: "ETH-USD" })), [])
        const cancelling = yield* give(orders.cancel({ clientId: "mine" }))
        assert.deepStrictEqual(cancelling.lines(), [])
        yield* pass("2 seconds")
        assert.deepStrictEqual(cancelling.lines(), ["Acknowledged clientId=mine status=cancelled filled=0.0000"])
        assert.deepStrictEqual(yield* said(orders.open()), [])
        assert.strictEqual(calls(broadcast), 2)
        assert.deepStrictEqual(yield* said(orders.status({ clientId: "none" })), [
          "OrderUpdate clientId=none status=absent"
        ])
        assert.deepStrictEqual(yield* said(orders.amend({ orderId }, { price: decimal("1") })), [
          "NotSent clientId=mine reason=dYdX has no amendments: cancel the order, and place another"
        ])
      })
    ))

  it.effect("takes at the market, with fees, and has the position and the money", () =>
    withDesk(({ orders }) =>
      Effect.gen(function*() {
        const taken = yield* give(orders.place(market(), { follow: true }))
        yield* pass("1 second")
        assert.deepStrictEqual(taken.lines(), [
          "Acknowledged clientId=mine status=pending filled=0",
          "Fill clientId=mine price=43251.00 amount=0.0100",
          "OrderUpdate clientId=mine status=filled filled=0.0100 remaining=0.0000"
        ])
        assert.strictEqual(taken.ended(), "done")
        const [fill] = taken.events.flatMap((event) => event._tag === "Fill" ? [event] : [])
        assert.strictEqual(fill && Decimal.format(fill.fee ?? Decimal.zero), "0.216255")
        const [balance] = yield* orders.balances()
        assert.strictEqual(balance && Decimal.format(balance.total), "99999.783745")
        const positions = yield* orders.positions()
        assert.deepStrictEqual(positions.map(({ amount, product }) => [product, Decimal.format(amount)]), [
          [product, "0.0100"]
        ])
      })
    ))

  it.effect("follows an order that rests, each execution once, also where the socket says nothing", () =>
    withDesk(({ exchange, orders, other }) =>
      Effect.gen(function*() {
        const given = yield* give(orders.place(limit({ price: decimal("43250.50") }), { follow: true }))
        yield* pass("1 second")
        yield* give(other.place(market({ side: "sell", amount: decimal("0.0400"), clientId: "theirs" })))
        yield* pass("1 second")
        assert.deepStrictEqual(given.lines().slice(1), [
          "OrderUpdate clientId=mine status=open filled=0 remaining=0.1000",
          "Fill clientId=mine price=43250.50 amount=0.0400",
          "OrderUpdate clientId=mine status=partially-filled filled=0.0400 remaining=0.0600"
        ])
        exchange.silence(true)
        yield* give(other.place(market({ side: "sell", amount: decimal("0.0600"), clientId: "more" })))
        yield* pass("9 seconds")
        assert.deepStrictEqual(given.lines().slice(4), [
          "Fill clientId=mine price=43250.50 amount=0.0600",
          "OrderUpdate clientId=mine status=filled filled=0.1000 remaining=0.0000"
        ])
        assert.strictEqual(given.ended(), "done")
      })
    ))

  it.effect("is not sent if the rules forbid it, or there is no such thing", () =>
    withDesk(({ calls, orders }) =>
      Effect.gen(function*() {
        const reasons = [
          [limit({ price: decimal("40000.001") }), /price 40000\.001 .*40000\.00 and 40000\.01$/],
          [limit({ amount: decimal("0.00015") }), /amount 0\.00015 .*0\.0001 and 0\.0002$/],
          [limit({ product: "X-USD" }), /product X-USD: there is no such market/],
          [limit({ timeInForce: "fok" }), /dYdX has no orders that are fok/],
          [limit({ reduceOnly: true }), /reduce-only for orders that do not rest/]
        ] as const
        for (const [request, reason] of reasons) {
          const [line] = yield* said(orders.place(request))
          assert.match(line ?? "", /^NotSent clientId=mine /)
          assert.match(line ?? "", reason)
        }
        assert.strictEqual(calls(broadcast), 0)
      })
    ))

  it.effect("what the chain refuses is rejected in its words; what is post-only and would trade is taken out again", () =>
    withDesk(({ orders }) =>
      Effect.gen(function*() {
        const rich = yield* said(orders.place(market({ amount: decimal("0.0500"), clientId: "a" })))
        assert.strictEqual(rich[0], "Acknowledged clientId=a status=pending filled=0")
        const [refused] = yield* said(orders.place(limit({ amount: decimal("1000"), timeInForce: "ioc" })))
        assert.match(refused ?? "", /^Rejected clientId=mine reason=InsufficientFunds: .* code=clob 1$/)
        const crossing = yield* give(
          orders.place(limit({ price: decimal("50000"), timeInForce: "post-only", clientId: "b" }), { follow: true })
        )
        yield* pass("1 second")
        assert.strictEqual(crossing.lines()[0], "Acknowledged clientId=b status=pending filled=0")
        assert.match(crossing.lines().at(-1) ?? "", /status=cancelled filled=0/)
        assert.strictEqual(crossing.ended(), "done")
      })
    ))

  it.effect("signs for the chain that the node is of, and for its own account only", () =>
    Effect.gen(function*() {
      const place = (settings: Parameters<typeof withDesk>[1]) =>
        withDesk(({ orders }) => said(orders.place(limit())), settings)
      assert.deepStrictEqual(yield* place({ chainId: "dydx-testnet-4" }), [
        "Acknowledged clientId=mine status=pending filled=0"
      ])
      const [unknown] = yield* place({ accounts: [another] })
      assert.match(unknown ?? "", /^NotSent clientId=mine reason=the chain has no account dydx14zzu/)
    }))

  it.effect("several at once each have a sequence of their own", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        const given = yield* Effect.forEach(["a", "b", "c"], (clientId) => give(orders.place(limit({ clientId }))))
        assert.deepStrictEqual(given.map(({ lines }) => lines()[0]?.split(" ")[0]), [
          "Acknowledged",
          "Acknowledged",
          "Acknowledged"
        ])
        yield* pass("1 second")
        assert.strictEqual(exchange.orders(subaccount).length, 3)
      })
    ))

  it.effect("whose answer never comes is reconciled by the indexer, and never sent again", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Withhold", call: broadcast })
        const given = yield* give(orders.place(limit()))
        yield* pass("5 seconds")
        assert.deepStrictEqual(given.lines(), [
          "OutcomeUnknown clientId=mine reason=no answer by the deadline",
          "Reconciled clientId=mine status=open filled=0.0000"
        ])
        assert.strictEqual(calls(broadcast), 1)
      })
    ))

  it.effect("is not asked for without time", () =>
    withDesk(({ calls, orders }) =>
      Effect.gen(function*() {
        const given = yield* give(orders.open({ deadline: 0 }))
        assert.deepStrictEqual(given.lines(), ["NotSent reason=not written by the deadline"])
        assert.strictEqual(calls("GET /v4/orders"), 0)
      })
    ))

  it.effect("may have been taken by a node that redirects", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Answer", call: broadcast, status: 303 })
        const given = yield* give(orders.place(limit()))
        assert.deepStrictEqual(given.lines(), ["OutcomeUnknown clientId=mine reason=answered with 303"])
        assert.strictEqual(calls(broadcast), 1)
      })
    ))

  it.effect("is absent only once no block can have it any more", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        exchange.fault({ _tag: "Withhold", call: broadcast, takenAfter: Infinity })
        const given = yield* give(orders.place(limit()))
        yield* pass("5 seconds")
        yield* pass("5 seconds")
        assert.deepStrictEqual(given.lines().length, 1)
        yield* pass("2 seconds")
        assert.deepStrictEqual(given.lines().slice(1), ["Reconciled clientId=mine status=absent"])
        assert.strictEqual(calls(broadcast), 1)
      })
    ))

  it.effect("that was taken and comes into no block is expired, once none can have it", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        exchange.lose(true)
        const given = yield* give(orders.place(limit(), { follow: true }))
        yield* pass("8 seconds")
        assert.strictEqual(given.lines().length, 1)
        yield* pass("8 seconds")
        assert.deepStrictEqual(given.lines().slice(1), [
          "OrderUpdate clientId=mine status=expired filled=0 remaining=0.1000"
        ])
        assert.strictEqual(given.ended(), "done")
      })
    ))

  it.effect("keeps the limit of the indexer, 100 requests in 10 seconds", () =>
    withDesk(({ calls, orders }) =>
      Effect.gen(function*() {
        const asked = yield* Effect.forEach(
          Array.from({ length: 101 }),
          () => Effect.forkChild(Stream.runDrain(orders.open({ deadline: "20 seconds" })), { startImmediately: true })
        )
        yield* Desk.talk
        assert.strictEqual(calls("GET /v4/orders"), 100)
        yield* pass("10 seconds")
        yield* pass("1 second")
        assert.strictEqual(calls("GET /v4/orders"), 101)
        assert.isTrue(asked.every((fiber) => fiber.pollUnsafe() !== undefined))
      })
    ))

  it.effect("what only asks is asked again, and Retry-After obeyed", () =>
    withDesk(({ calls, exchange, orders }) =>
      Effect.gen(function*() {
        const call = "GET /cosmos/base/tendermint/v1beta1/blocks/latest"
        exchange.fault({ _tag: "Answer", call, status: 429, headers: { "retry-after": "2" } })
        const given = yield* give(orders.place(limit()))
        yield* pass("1999 millis")
        assert.deepStrictEqual([given.lines(), calls(call)], [[], 1])
        yield* pass("1 milli")
        assert.deepStrictEqual(given.lines(), ["Acknowledged clientId=mine status=pending filled=0"])
      })
    ))
})
