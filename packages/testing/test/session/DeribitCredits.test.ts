/** Credits of sessions at Deribit, by what the exchange has counted of them. */
import { assert, describe, it } from "@effect/vitest"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as DeribitSession from "@tickline/core/session/deribit/DeribitSession"
import * as Methods from "@tickline/core/session/deribit/Methods"
import type * as MockDeribitExchange from "@tickline/testing/MockDeribitExchange"
import * as BigDecimal from "effect/BigDecimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { product, url, withExchange } from "../exchange/Trader.ts"
import { settle } from "../Rig.ts"

const engine = { capacity: 4, perSecond: 1, cost: 1 }
// Of requests there are eight at once, and two a second.
const requests = { capacity: 4_000, perSecond: 1_000, cost: 500 }

const accounts = [{
  clientId: "AMANDA",
  clientSecret: "AMANDASECRECT",
  balances: { BTC: "10.00000000" },
  pools: { matching: engine, non_matching: requests }
}]

const beating: Partial<ConnectionPolicy.ConnectionPolicy> = {
  heartbeat: { interval: Duration.seconds(30), timeout: Duration.seconds(10), onMiss: "close" }
}

/** Whose link takes its time, so that time and what is under way go on together. */
const withSlowExchange: typeof withExchange = (use, options, policy) =>
  withExchange(
    (exchange, served, network) =>
      Effect.andThen(network.setLatency(10), use(exchange, served, network)).pipe(
        // Closing waits for nothing.
        Effect.ensuring(network.setLatency(0))
      ),
    options,
    policy
  )

const talk = Effect.repeat(settle, { times: 30 })

const live = Effect.gen(function*() {
  const session = yield* DeribitSession.make({
    url,
    clientId: "AMANDA",
    clientSecret: Redacted.make("AMANDASECRECT")
  })
  const connecting = yield* Effect.forkChild(session.connect)
  yield* talk
  yield* TestClock.adjust("10 seconds")
  yield* Fiber.join(connecting)
  return session
})

const order = {
  instrument_name: product,
  amount: BigDecimal.make(10n, 0),
  price: BigDecimal.make(400_000n, 1),
  post_only: true
}

const buys = (exchange: MockDeribitExchange.MockDeribitExchange) =>
  exchange.received().filter(({ method }) => method === "private/buy").length

const refused = (exchange: MockDeribitExchange.MockDeribitExchange) =>
  exchange.credits().filter(({ isRefused }) => isRefused)

describe("Credits of a session at Deribit", () => {
  it.effect("an order that waits for credits is not sent after its deadline", () =>
    withExchange((exchange) =>
      Effect.gen(function*() {
        const session = yield* live
        const placed = yield* Effect.forkChild(
          Effect.forEach(
            Array.from({ length: 8 }),
            () => Effect.flip(Effect.andThen(session.call(Methods.trading.buy, order), Effect.fail("sent"))),
            { concurrency: "unbounded" }
          )
        )
        yield* settle
        const atOnce = buys(exchange)
        assert.isAtMost(atOnce, 4)
        yield* TestClock.adjust("10 seconds")
        const ended = yield* Fiber.join(placed)
        const late = ended.filter((error) => error !== "sent")
        assert.strictEqual(buys(exchange) + late.length, 8)
        // One comes back in the second that an order has.
        assert.isAtMost(buys(exchange), atOnce + 1)
        for (const error of late) assert.deepInclude(error, { _tag: "NotSent", reason: "TimedOut" })
      }), { accounts }))

  it.effect("an order that waits for credits is not sent on another epoch", () =>
    withExchange((exchange, { host }) =>
      Effect.gen(function*() {
        const session = yield* live
        yield* Effect.forEach(
          Array.from({ length: 3 }),
          () => session.call(Methods.trading.buy, order),
          { discard: true }
        )
        const late = yield* Effect.forkChild(Effect.flip(
          session.call(Methods.trading.buy, order, { deadline: "30 seconds", timeout: "30 seconds" })
        ))
        yield* settle
        const before = buys(exchange)
        yield* host.drop
        yield* talk
        assert.deepInclude(yield* Fiber.join(late), { _tag: "NotSent", reason: "EpochEnded" })
        yield* TestClock.adjust("30 seconds")
        assert.deepInclude(yield* session.state.current, { _tag: "Live", epoch: 2 })
        assert.strictEqual(buys(exchange), before)
      }), { accounts }))

  it.effect("what a link holds up does not come to more than there is", () =>
    withExchange((exchange, { host }) =>
      Effect.gen(function*() {
        const session = yield* live
        const [peer] = host.peers()
        yield* peer?.freeze ?? Effect.void
        // A call each second for twenty, as if each came at once.
        yield* Effect.forkChild(Effect.forEach(
          Array.from({ length: 20 }),
          () =>
            Effect.andThen(
              Effect.forkChild(Effect.ignore(session.call(Methods.account.getPositions, { currency: "BTC" }))),
              Effect.sleep("1 second")
            ),
          { discard: true }
        ))
        yield* TestClock.adjust("20 seconds")
        yield* peer?.thaw ?? Effect.void
        yield* talk
        assert.deepStrictEqual(refused(exchange), [])
        assert.deepInclude(yield* session.state.current, { _tag: "Live", epoch: 1 })
        // What was held up is known to have been read, and calls go on.
        yield* TestClock.adjust("10 seconds")
        yield* session.call(Methods.account.getPositions, { currency: "BTC" })
      }), { accounts }))

  it.effect("answers to tests count, however much is asked for", () =>
    withSlowExchange(
      (exchange) =>
        Effect.gen(function*() {
          const session = yield* live
          yield* Effect.forkChild(
            Effect.forever(Effect.ignore(session.call(Methods.account.getPositions, { currency: "BTC" })))
          )
          yield* TestClock.adjust("10 minutes")
          assert.isAtLeast(exchange.tests().length, 19)
          assert.isAbove(exchange.credits().length, 1_100)
          assert.deepStrictEqual(refused(exchange), [])
          assert.deepInclude(yield* session.state.current, { _tag: "Live", epoch: 1 })
        }),
      { accounts },
      beating
    ))

  it.effect("two sessions of one account share them", () =>
    withSlowExchange(
      (exchange) =>
        Effect.gen(function*() {
          const sessions = [yield* live, yield* live, yield* live]
          yield* Effect.forkChild(
            Effect.forEach(
              sessions,
              (session) =>
                Effect.forever(Effect.ignore(session.call(Methods.account.getPositions, { currency: "BTC" }))),
              { concurrency: "unbounded" }
            )
          )
          yield* TestClock.adjust("5 minutes")
          assert.deepStrictEqual(refused(exchange), [])
          assert.isAbove(exchange.credits().length, 500)
          for (const session of sessions) assert.deepInclude(yield* session.state.current, { _tag: "Live", epoch: 1 })
        }),
      { accounts },
      beating
    ))

  it.effect("and the credits of their address, before they have signed in", () =>
    withSlowExchange((exchange) =>
      Effect.gen(function*() {
        // Four calls each before it has signed in, of a hundred at once.
        const sessions = yield* Effect.forEach(Array.from({ length: 30 }), (_, i) => {
          const clientId = i % 2 === 0 ? "AMANDA" : "BERTA"
          return DeribitSession.make({ url, clientId, clientSecret: Redacted.make(`${clientId}SECRECT`) })
        })
        for (const { connect } of sessions) yield* Effect.forkChild(connect)
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(refused(exchange), [])
        for (const session of sessions) assert.deepInclude(yield* session.state.current, { _tag: "Live", epoch: 1 })
      })
    ))
})
