/** A limit that processes share has to be asked for: whatever is limited waits for the answer. */
import { assert, describe, it } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as OrderBook from "@tickline/core/market/OrderBook"
import * as Governor from "@tickline/core/resilience/Governor"
import type { RollingLimit } from "@tickline/core/resilience/RollingLimit"
import * as Venues from "@tickline/core/venue/Venues"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as RollingLimits from "../../../core/src/resilience/internal/rollingLimit.ts"

/** A governor whose limits admit what was asked for, once, after so many milliseconds; and what was asked for. */
const asking = (delayMillis = 20) => {
  const asked: Array<string> = []
  const governor: Governor.Governor = {
    share: (key) =>
      Effect.sync(() => {
        const what = key.replace(/^.* /, "")
        let admitted = 0
        const limit: RollingLimit = {
          waitFor: () => admitted > 0 ? 0 : 1,
          take: () => admitted > 0 ? (admitted--, 0) : 1,
          reserve: () =>
            limit.take(0) > 0 ? 1 : {
              due: Effect.sync(() => void asked.push(`${what} due`)),
              use: () => {},
              release: () => {}
            },
          wait: (_, cost) =>
            Effect.suspend(() => {
              asked.push(`${what} ${cost ?? 1}`)
              return Effect.delay(Effect.sync(() => void admitted++), delayMillis)
            }),
          left: () => []
        }
        return limit
      })
  }
  return { asked, governor }
}

const limited: ReadonlyArray<readonly [venue: string, product: string, what: ReadonlyArray<string>]> = [
  ["binance", "BTC-USD", ["dials 1", "dials due", "weight 250"]],
  ["deribit", "BTC-USD-PERP", ["messages 1", "subscriptions 1"]]
]

describe("A limit that has to be asked for", () => {
  for (const [name, product, what] of limited) {
    it.effect(`is asked for each dial, message and request that ${name} limits`, () => {
      const { asked, governor } = asking()
      return Probe.scoped(Effect.gen(function*() {
        const network = yield* VirtualNetwork.Network
        const venue = Venues.get(name) ?? assert.fail(name)
        const mock = MockVenues.byName(name) ?? assert.fail(name)
        const { url } = yield* MockVenue.serve(network, "wss://venue.test", mock, { every: "100 millis" })
        const feed = yield* MarketFeed.prepare(venue, { url })
        yield* Effect.forkScoped(feed.connection.connect)
        let isWhole = false
        yield* feed.observeBook(product, (book) => void (isWhole ||= OrderBook.isWhole(book)))
        yield* TestClock.adjust("1 minute")
        assert.isTrue(isWhole)
        assert.deepStrictEqual([...new Set(asked)].toSorted(), what)
      })).pipe(Effect.provide(Probe.layer({ latency: 20 })), Effect.provideService(Governor.Governor, governor))
    })
  }

  it.effect("is asked for when nothing else is to be waited for, and not for what is admitted", () =>
    Effect.gen(function*() {
      const { asked, governor } = asking(0)
      const shared = yield* governor.share("shared", [])
      const own = RollingLimits.make([{ limit: 1, windowMillis: 1_000 }])
      const both = RollingLimits.combine([shared, own])
      const fiber = yield* Effect.forkChild(both.wait(both.take(0)), { startImmediately: true })
      yield* TestClock.adjust(0)
      assert.isDefined(fiber.pollUnsafe())
      assert.deepStrictEqual([asked.length, both.take(0)], [1, 0])
      const second = yield* Effect.forkChild(both.wait(both.take(0)), { startImmediately: true })
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual([asked.length, second.pollUnsafe()], [1, undefined])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual([asked.length, both.take(1_001)], [2, 0])
    }))
})
