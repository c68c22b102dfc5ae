/** Paper trading on a feed whose market is shown frame by frame, on a virtual network. */
import { assert, describe, it } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import type { Exchange } from "@tickline/core/trading/Exchange"
import { Instrument } from "@tickline/core/trading/Instrument"
import * as PaperExchange from "@tickline/core/trading/paper/PaperExchange"
import * as Decimal from "@tickline/core/value/Decimal"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Generic from "@tickline/core/venue/generic/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { policyWith, url, withVenue } from "../Rig.ts"
import * as Desk from "./Desk.ts"

const { decimal, give, talk } = Desk

type Terms = Parameters<typeof Desk.request>[0]
const limit = (amount: string, price: string, terms: Terms = {}) =>
  Desk.request({ product: "BTC-USD", amount: decimal(amount), price: decimal(price), ...terms })
const market = (amount: string, terms: Terms = {}) =>
  Desk.market({ product: "BTC-USD", amount: decimal(amount), timeInForce: "ioc", ...terms })

type Rows = ReadonlyArray<readonly [price: string, size: string]>

interface Setting {
  readonly orders: Exchange["Service"]
  readonly show: (frame: object) => Effect.Effect<void>
  /** The whole book. */
  readonly book: (bids: Rows, asks: Rows) => Effect.Effect<void>
  readonly change: (...changes: ReadonlyArray<readonly ["buy" | "sell", string, string]>) => Effect.Effect<void>
  /** A trade, by the taker's side. */
  readonly trade: (side: "buy" | "sell", size: string, price: string) => Effect.Effect<void>
  readonly drop: Effect.Effect<void>
  /** What the account has. */
  readonly balances: Effect.Effect<Readonly<Record<string, string>>>
}

const withPaper = <A, E, R>(
  use: (setting: Setting) => Effect.Effect<A, E, R>,
  options: PaperExchange.Options = {},
  venue: Venue = CoinbaseExchange.venue
) =>
  withVenue(policyWith({}), ({ host }) =>
    Effect.gen(function*() {
      let send = (_: string) => {}
      yield* host.onOpen((peer) => {
        send = (text) => void peer.sendUnsafe(text)
        return { receive: () => {} }
      })
      const feed = yield* MarketFeed.make(venue, { url, freshness: "none" })
      const orders = yield* PaperExchange.make(options).pipe(Effect.provideService(MarketFeed.MarketFeed, feed))
      const show = (frame: object) => Effect.andThen(Effect.sync(() => send(JSON.stringify(frame))), talk)
      let trades = 0
      return yield* use({
        orders,
        show,
        book: (bids, asks) => show({ type: "snapshot", product_id: "BTC-USD", bids, asks }),
        change: (...changes) => show({ type: "l2update", product_id: "BTC-USD", changes }),
        trade: (side, size, price) =>
          show({
            type: "match",
            trade_id: ++trades,
            // The maker's.
            side: side === "buy" ? "sell" : "buy",
            size,
            price,
            product_id: "BTC-USD"
          }),
        drop: Effect.andThen(host.drop, talk),
        balances: Effect.map(
          Effect.orDie(orders.balances()),
          (balances) => Object.fromEntries(balances.map(({ asset, total }) => [asset, Decimal.format(total)]))
        )
      })
    }))

const fillsOf = ({ events }: Desk.Given) =>
  events.flatMap((event) =>
    event._tag === "Fill"
      ? [
        `${Decimal.format(event.amount)}@${Decimal.format(event.price)} ${event.liquidity} ` +
        `${Decimal.format(event.fee ?? Decimal.zero)} ${event.feeAsset}`
      ]
      : []
  )

const rich = { balances: { USD: decimal("1000000"), BTC: decimal("100") } }
const book: readonly [Rows, Rows] = [[["100.00", "5"], ["99.50", "2"]], [["101.00", "3"], ["101.50", "4.0"]]]

describe("a paper order that takes", () => {
  it.effect("takes what the book has, level by level, with fees, and is settled", () =>
    withPaper(({ balances, book: showBook, orders }) =>
      Effect.gen(function*() {
        const given = yield* give(orders.place(market("4.5"), { follow: true }))
        // Until the book is known nothing is decided.
        assert.deepStrictEqual(given.lines(), [])
        yield* showBook(...book)
        assert.deepStrictEqual(given.lines(), [
          "Acknowledged clientId=mine status=filled filled=4.5",
          "Fill clientId=mine price=101.00 amount=3.0",
          "Fill clientId=mine price=101.50 amount=1.5"
        ])
        assert.deepStrictEqual(fillsOf(given), ["3.0@101.00 taker 0.303 USD", "1.5@101.50 taker 0.15225 USD"])
        assert.strictEqual(given.ended(), "done")
        assert.deepStrictEqual(yield* balances, { USD: "999544.29475", BTC: "104.5" })
      }), { ...rich, fees: { maker: decimal("0"), taker: decimal("0.001") } }))

  it.effect("counts its ids from where it is told to, for whoever stores them", () =>
    withPaper(({ book: showBook, orders }) =>
      Effect.gen(function*() {
        const given = yield* give(orders.place(market("4.5"), { follow: true }))
        yield* showBook(...book)
        const ids = given.events.flatMap((event) =>
          event._tag === "Acknowledged" ? [event.orderId] : event._tag === "Fill" ? [event.tradeId] : []
        )
        assert.strictEqual(new Set(ids).size, 3)
        for (const id of ids) assert.isAtLeast(Number(id), 5_000)
      }), { ...rich, firstId: 5_000 }))

  it.effect("does not take what an order before it has taken, until the market says another size", () =>
    withPaper(({ book: showBook, change, orders }) =>
      Effect.gen(function*() {
        const first = yield* give(orders.place(limit("2", "101.00", { timeInForce: "ioc", clientId: "a" })))
        yield* showBook(...book)
        assert.deepStrictEqual(first.lines(), ["Acknowledged clientId=a status=filled filled=2"])
        const place = (clientId: string) =>
          give(orders.place(limit("2", "101.00", { timeInForce: "ioc", clientId }), { follow: true }))
        assert.deepStrictEqual(fillsOf(yield* place("b")), ["1@101.00 taker 0 USD"])
        assert.deepStrictEqual((yield* place("c")).lines(), ["Acknowledged clientId=c status=cancelled filled=0"])
        // Another level of the book is news, and this one is what it was.
        yield* change(["sell", "101.50", "9"])
        assert.deepStrictEqual(fillsOf(yield* place("d")), [])
        yield* change(["sell", "101.00", "2.5"])
        assert.deepStrictEqual(fillsOf(yield* place("e")), ["2@101.00 taker 0 USD"])
      }), rich))

  it.effect("of fok takes the whole or is rejected; one of post-only does not take", () =>
    withPaper(({ book: showBook, orders }) =>
      Effect.gen(function*() {
        const fok = yield* give(orders.place(limit("3.5", "101.00", { timeInForce: "fok" })))
        yield* showBook(...book)
        assert.deepStrictEqual(fok.lines(), ["Rejected clientId=mine reason=fok, and only 3 is there"])
        const crossing = yield* give(orders.place(limit("1", "101.00", { timeInForce: "post-only", clientId: "a" })))
        assert.deepStrictEqual(crossing.lines(), [
          "Rejected clientId=a reason=post-only, and it would trade at 101"
        ])
        const resting = yield* give(orders.place(limit("1", "100.50", { timeInForce: "post-only", clientId: "b" })))
        assert.deepStrictEqual(resting.lines(), ["Acknowledged clientId=b status=open filled=0"])
        const again = yield* give(orders.place(limit("1", "100.50", { clientId: "b" })))
        assert.deepStrictEqual(again.lines(), ["Rejected clientId=b reason=client id in use"])
      }), rich))

  it.effect("arrives after its latency, and meets the book of then", () =>
    withPaper(({ book: showBook, change, orders }) =>
      Effect.gen(function*() {
        const warm = yield* give(orders.instrument("BTC-USD").pipe(Stream.fromEffect, Stream.drain))
        yield* showBook(...book)
        assert.strictEqual(warm.ended(), "done")
        const given = yield* give(orders.place(market("1"), { follow: true }))
        yield* TestClock.adjust("49 millis")
        yield* change(["sell", "101.00", "0"])
        assert.deepStrictEqual(given.lines(), [])
        yield* TestClock.adjust("1 milli")
        assert.deepStrictEqual(fillsOf(given), ["1@101.50 taker 0 USD"])
        // An answer that comes after the deadline is not known, and the order is there.
        const late = yield* give(orders.place(market("1", { clientId: "late" }), { deadline: "20 millis" }))
        yield* TestClock.adjust("20 millis")
        yield* talk
        assert.deepStrictEqual(late.lines(), ["OutcomeUnknown clientId=late reason=no answer by the deadline"])
        yield* TestClock.adjust("1 second")
        assert.strictEqual(late.lines()[1], "Reconciled clientId=late status=filled filled=1")
      }), { ...rich, latency: "50 millis" }))

  it.effect("without the funds is rejected; without a balance that is said, it has them", () =>
    Effect.gen(function*() {
      const place = (options: PaperExchange.Options) =>
        withPaper(({ book: showBook, orders }) =>
          Effect.gen(function*() {
            const given = yield* give(orders.place(limit("3", "100", { side: "sell", timeInForce: "ioc" })))
            yield* showBook(...book)
            return given.lines()
          }), options)
      assert.deepStrictEqual(yield* place({ balances: { USD: decimal("1000") } }), [
        "Rejected clientId=mine reason=insufficient funds: it needs 3 BTC, and 0 is available"
      ])
      assert.deepStrictEqual(yield* place({}), ["Acknowledged clientId=mine status=filled filled=3"])
    }))

  it.effect("that the instrument's rules forbid is not sent", () =>
    withPaper(({ book: showBook, orders }) =>
      Effect.gen(function*() {
        const given = yield* give(orders.place(limit("1", "100.25")))
        yield* showBook(...book)
        assert.match(given.lines()[0] ?? "", /^NotSent clientId=mine reason=price 100\.25 .* 100\.0 and 100\.5$/)
      }), {
      instruments: [
        new Instrument({
          product: "BTC-USD",
          tick: decimal("0.5"),
          lot: decimal("0.1"),
          base: "BTC",
          feeAsset: "USD"
        })
      ]
    }))

  it.effect("that is reduce-only is not sent for what is spot, also where some was bought", () =>
    withPaper(({ book: showBook, orders }) =>
      Effect.gen(function*() {
        const bought = yield* give(orders.place(market("1")))
        yield* showBook(...book)
        assert.match(bought.lines()[0] ?? "", /^Acknowledged/)
        const reducing = yield* give(orders.place(market("1", { side: "sell", reduceOnly: true, clientId: "other" })))
        assert.deepStrictEqual(reducing.lines(), [
          "NotSent clientId=other reason=reduce-only: BTC-USD has no positions"
        ])
      })
    ))

  it.effect("is not sent if its market is not known in time", () =>
    withPaper(({ orders, show }) =>
      Effect.gen(function*() {
        const late = yield* give(orders.place(limit("1", "100")))
        yield* TestClock.adjust("5 seconds")
        yield* talk
        assert.deepStrictEqual(late.lines(), [
          "NotSent clientId=mine reason=the market of BTC-USD was not known by the deadline"
        ])
        const wrong = yield* give(orders.place(limit("1", "100", { product: "X-Y" })))
        // For its trades and for its book.
        const refusal = { type: "error", message: "Failed to subscribe", reason: "X-Y is not a product" }
        yield* Effect.repeat(show(refusal), { times: 1 })
        assert.match(wrong.lines()[0] ?? "", /^NotSent .*X-Y is not a product$/)
      })
    ))
})

describe("a paper order that rests", () => {
  const resting =
    (terms: Terms = {}, options: PaperExchange.Options = rich) =>
    <A, E, R>(use: (setting: Setting, given: Desk.Given) => Effect.Effect<A, E, R>) =>
      withPaper((setting) =>
        Effect.gen(function*() {
          const given = yield* give(setting.orders.place(limit("2", "100", terms), { follow: true }))
          yield* setting.book(...book)
          assert.deepStrictEqual(given.lines(), ["Acknowledged clientId=mine status=open filled=0"])
          return yield* use(setting, given)
        }), options)

  it.effect("is filled only after what rested before it has traded", () =>
    resting({}, { ...rich, fees: { maker: decimal("-0.0001"), taker: decimal("0.001") } })((setting, given) =>
      Effect.gen(function*() {
        const { trade } = setting
        yield* trade("sell", "4", "100.00")
        yield* trade("buy", "9", "101.00")
        yield* trade("buy", "9", "100.00")
        assert.deepStrictEqual(fillsOf(given), [])
        yield* trade("sell", "1.5", "100.00")
        assert.deepStrictEqual(fillsOf(given), ["0.5@100 maker -0.005 USD"])
        yield* trade("sell", "9", "100.00")
        assert.deepStrictEqual(fillsOf(given).slice(1), ["1.5@100 maker -0.015 USD"])
        assert.strictEqual(given.ended(), "done")
      })
    ))

  it.effect("is behind an earlier one of ours, and what came between them", () =>
    resting()((setting, first) =>
      Effect.gen(function*() {
        const { change, orders, trade } = setting
        yield* change(["buy", "100.00", "6"])
        const second = yield* give(orders.place(limit("1", "100", { clientId: "b" }), { follow: true }))
        yield* trade("sell", "6.5", "100.00")
        assert.deepStrictEqual([fillsOf(first), fillsOf(second)], [["1.5@100 maker 0 USD"], []])
        // What is left of the first, one that came between, and half of the second.
        yield* trade("sell", "2", "100.00")
        assert.deepStrictEqual([fillsOf(first).at(-1), fillsOf(second)], ["0.5@100 maker 0 USD", [
          "0.5@100 maker 0 USD"
        ]])
      })
    ))

  it.effect("is filled by trades at worse prices, and by the other side where that comes to it", () =>
    Effect.gen(function*() {
      yield* resting()(({ trade }, given) =>
        Effect.gen(function*() {
          yield* trade("sell", "1.5", "99.99")
          assert.deepStrictEqual(fillsOf(given), ["1.5@100 maker 0 USD"])
        })
      )
      yield* resting()(({ change }, given) =>
        Effect.gen(function*() {
          yield* change(["buy", "100.00", "0"], ["sell", "99.75", "0.5"])
          assert.deepStrictEqual(fillsOf(given), ["0.5@100 maker 0 USD"])
          // The same again is the same liquidity.
          yield* change(["sell", "102.00", "1"])
          assert.strictEqual(fillsOf(given).length, 1)
          yield* change(["sell", "99.75", "7"])
          assert.deepStrictEqual(fillsOf(given).slice(1), ["1.5@100 maker 0 USD"])
        })
      )
    }))

  it.effect("keeps its place if it is amended to less, and loses it otherwise", () =>
    resting()(({ orders, trade }, given) =>
      Effect.gen(function*() {
        yield* trade("sell", "5", "100.00")
        const less = yield* give(orders.amend({ clientId: "mine" }, { amount: decimal("1.5") }))
        assert.deepStrictEqual(less.lines(), ["Acknowledged clientId=mine status=open filled=0"])
        yield* trade("sell", "0.5", "100.00")
        assert.deepStrictEqual(fillsOf(given), ["0.5@100 maker 0 USD"])
        yield* give(orders.amend({ clientId: "mine" }, { price: decimal("99.5") }))
        yield* trade("sell", "2", "99.50")
        assert.strictEqual(fillsOf(given).length, 1)
        yield* trade("sell", "2", "99.50")
        assert.deepStrictEqual(fillsOf(given).slice(1), ["1@99.5 maker 0 USD"])
      })
    ))

  it.effect("is cancelled, and its funds are free again", () =>
    resting()(({ orders }, given) =>
      Effect.gen(function*() {
        const open = yield* give(orders.open())
        assert.deepStrictEqual(open.lines(), [
          "OrderUpdate clientId=mine status=open filled=0 remaining=2 price=100 amount=2"
        ])
        const held = yield* orders.balances()
        assert.deepStrictEqual(held.map(({ available }) => Decimal.format(available)), ["999800", "100"])
        const cancelled = yield* give(orders.cancelAll())
        assert.deepStrictEqual(cancelled.lines(), [
          "Acknowledged clientId=mine status=cancelled filled=0",
          "CancelledAll count=1"
        ])
        assert.strictEqual(given.ended(), "done")
        assert.strictEqual(given.lines().at(-1), "OrderUpdate clientId=mine status=cancelled filled=0 remaining=2")
        const free = yield* orders.balances()
        assert.deepStrictEqual(free.map(({ available }) => Decimal.format(available)), ["1000000", "100"])
      })
    ))

  it.effect("waits while the book is not known, and goes on when it is", () =>
    resting()(({ book: showBook, drop, orders, trade }, given) =>
      Effect.gen(function*() {
        yield* drop
        const refused = yield* give(orders.place(market("1", { clientId: "b" })))
        assert.match(refused.lines()[0] ?? "", /^Rejected clientId=b reason=the market of BTC-USD is not known now/)
        yield* TestClock.adjust("10 seconds")
        yield* talk
        // No more than that is before it now.
        yield* showBook([["100.00", "1"]], [["101.00", "3"]])
        yield* trade("sell", "1.5", "100.00")
        assert.deepStrictEqual(fillsOf(given), ["0.5@100 maker 0 USD"])
      })
    ))
})

describe("paper orders at a venue without a book", () => {
  it.effect("meet one price of unlimited size", () =>
    withPaper(
      ({ orders, show }) =>
        Effect.gen(function*() {
          const price = (price: string) => show({ product_id: "BTC-USD", price, timestamp: "2026-11-26T12:00:00Z" })
          const bought = yield* give(orders.place(market("1000"), { follow: true }))
          yield* price("45000.50")
          assert.deepStrictEqual(fillsOf(bought), ["1000@45000.50 taker 0 USD"])
          const crossing = yield* give(orders.place(limit("1", "45001", { timeInForce: "post-only", clientId: "a" })))
          assert.deepStrictEqual(crossing.lines(), [
            "Rejected clientId=a reason=post-only, and it would trade at 45000.5"
          ])
          const resting = yield* give(orders.place(limit("7", "44000", { clientId: "b" }), { follow: true }))
          yield* price("44000.01")
          assert.deepStrictEqual(fillsOf(resting), [])
          yield* price("43999")
          assert.deepStrictEqual(fillsOf(resting), ["7@44000 maker 0 USD"])
        }),
      {},
      Generic.venue
    ))
})
