import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as MarketFeeds from "@tickline/core/market/MarketFeeds"
import * as Symbols from "@tickline/core/protocol/Symbols"
import * as Governor from "@tickline/core/resilience/Governor"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Generic from "@tickline/core/venue/generic/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const exchangeUrl = "ws://exchange.test/feed"
const genericUrl = "ws://generic.test/feed"

const match = (product: string, tradeId: number): string =>
  JSON.stringify({
    type: "match",
    trade_id: tradeId,
    side: "sell",
    size: "5.23512000",
    price: "43250.10",
    product_id: product,
    sequence: tradeId,
    time: "2026-11-07T08:19:27.028459Z"
  })

const price = (product: string, value: string): string =>
  JSON.stringify({ product_id: product, price: value, timestamp: "2026-11-07T08:19:27Z" })

const exchange: MarketFeeds.Entry = {
  venue: CoinbaseExchange.venue,
  url: exchangeUrl,
  products: ["BTC-USD"],
  policy: Presets.preset("fast")
}

const generic: MarketFeeds.Entry = {
  venue: Generic.venue,
  url: genericUrl,
  products: ["SHIB-USD"],
  policy: Presets.preset("fast")
}

interface Rig {
  readonly feeds: MarketFeeds.MarketFeeds["Service"]
  readonly network: VirtualNetwork.VirtualNetwork
  readonly exchange: VirtualNetwork.Host
  readonly generic: VirtualNetwork.Host
}

const withFeeds = <A, E, R>(
  use: (rig: Rig) => Effect.Effect<A, E, R>,
  options?: { readonly symbols?: Symbols.Symbols | undefined }
) =>
  Effect.gen(function*() {
    const network = yield* VirtualNetwork.make({ seed: 1 })
    const hosts = { exchange: yield* network.serve(exchangeUrl), generic: yield* network.serve(genericUrl) }
    return yield* Effect.gen(function*() {
      return yield* use({ ...hosts, network, feeds: yield* MarketFeeds.prepare(options) })
    }).pipe(
      Effect.scoped,
      Effect.provide(Reconnection.layerWithBreaker(Presets.preset("test"))),
      Effect.provideService(Transport, network.transport)
    )
  })

const settle = TestClock.adjust(0)

/** What a consumer got so far, as lines, and the fiber that reads. */
const collect = Effect.fnUntraced(function*<E>(stream: Stream.Stream<MarketEvent.AnyEvent, E>) {
  const got: Array<string> = []
  const fiber: Fiber.Fiber<void, E> = yield* Effect.forkChild(
    Stream.runForEach(stream, (event) =>
      Effect.sync(() => {
        const what = event._tag === "Connection"
          ? event.state
          : "product" in event && event.product !== undefined
          ? `${event._tag} ${event.product}`
          : event._tag
        got.push(`${event.venue} ${what}`)
      })),
    { startImmediately: true }
  )
  const of = (venue: string) => got.filter((line) => line.startsWith(`${venue} `))
  return { got, of, fiber }
})

describe("MarketFeeds", () => {
  it.effect("gives every venue's events in one stream, each under its venue's name", () =>
    withFeeds(({ exchange: first, feeds, generic: second }) =>
      Effect.gen(function*() {
        const events = yield* collect(feeds.events())
        assert.deepStrictEqual(yield* feeds.set([exchange, generic]), {
          added: ["coinbase-exchange", "generic"],
          removed: [],
          replaced: [],
          resubscribed: [],
          kept: []
        })
        const a = yield* first.nextPeer
        const b = yield* second.nextPeer
        yield* a.send(match("BTC-USD", 1))
        yield* b.send(price("SHIB-USD", "0.00000943"))
        yield* a.send(match("BTC-USD", 2))
        yield* settle
        assert.deepStrictEqual(events.of("coinbase-exchange"), [
          "coinbase-exchange Connecting",
          "coinbase-exchange Connected",
          "coinbase-exchange Trade BTC-USD",
          "coinbase-exchange Trade BTC-USD"
        ])
        assert.deepStrictEqual(events.of("generic"), [
          "generic Connecting",
          "generic Connected",
          "generic PriceUpdate SHIB-USD"
        ])
        assert.deepStrictEqual((yield* feeds.all).map(({ venue }) => venue.name), ["coinbase-exchange", "generic"])
        assert.strictEqual(feeds.get("generic")?.venue, Generic.venue)
        assert.isUndefined(feeds.get("kraken"))
      })
    ))

  it.effect("one venue's failure is told and touches no other; the stream ends with the last", () =>
    withFeeds(({ exchange: first, feeds, generic: second }) =>
      Effect.gen(function*() {
        const events = yield* collect(feeds.events())
        yield* first.otherwise({ _tag: "Refuse" })
        yield* feeds.set([exchange, generic])
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(events.of("coinbase-exchange").at(-1), "coinbase-exchange Failed")
        const [peer] = second.peers()
        yield* peer?.send(price("SHIB-USD", "0.1")) ?? Effect.void
        yield* settle
        assert.strictEqual(events.got.at(-1), "generic PriceUpdate SHIB-USD")
        assert.isUndefined(events.fiber.pollUnsafe())
        yield* second.otherwise({ _tag: "Refuse" })
        yield* second.drop
        yield* TestClock.adjust("10 seconds")
        assert.include(events.got, "generic Failed")
        assert.strictEqual(events.fiber.pollUnsafe()?._tag, "Success")
      })
    ))

  it.effect("a slow consumer of all hurts neither the venues nor another consumer, and is told what it missed", () =>
    withFeeds(({ exchange: first, feeds, generic: second }) =>
      Effect.gen(function*() {
        const quick = yield* collect(feeds.events())
        const slow: Array<string> = []
        yield* feeds.events({ overflow: "conflate", bytes: 1_000 }).pipe(
          Stream.runForEach((event) =>
            Effect.andThen(
              Effect.sync(() => slow.push(event._tag)),
              Effect.sleep("1 second")
            )
          ),
          Effect.forkChild({ startImmediately: true })
        )
        yield* feeds.set([exchange, generic])
        const a = yield* first.nextPeer
        const b = yield* second.nextPeer
        for (let id = 1; id <= 100; id++) {
          yield* a.send(match("BTC-USD", id))
          yield* b.send(price("SHIB-USD", "0.1"))
          yield* TestClock.adjust("10 millis")
        }
        assert.strictEqual(quick.of("coinbase-exchange").length, 102)
        assert.strictEqual(quick.of("generic").length, 102)
        yield* TestClock.adjust("10 minutes")
        assert.include(slow, "Gap")
        for (const venue of ["coinbase-exchange", "generic"]) {
          const metrics = yield* feeds.get(venue)?.connection.metrics ?? Effect.die(venue)
          assert.isAbove(metrics.missed, 0)
          assert.strictEqual(metrics.epoch, 1)
        }
        const got = slow.filter((tag) => tag === "Trade" || tag === "PriceUpdate").length
        const missed = yield* Effect.map(
          Effect.forEach(yield* feeds.all, ({ connection }) => connection.metrics),
          (all) => all.reduce((sum, metrics) => sum + metrics.missed, 0)
        )
        assert.strictEqual(got + missed, 200)
      })
    ))

  it.effect("a change touches only what changed: channels on the live connection, settings by a new one", () =>
    withFeeds(({ exchange: first, feeds, generic: second }) =>
      Effect.gen(function*() {
        const events = yield* collect(feeds.events())
        yield* feeds.set([exchange, generic])
        const a = yield* first.nextPeer
        yield* second.nextPeer
        const before = a.received.length
        assert.deepInclude(yield* feeds.set([{ ...exchange, products: ["ETH-USD", "BTC-USD"] }, { ...generic }]), {
          resubscribed: ["coinbase-exchange"],
          kept: ["generic"]
        })
        yield* settle
        assert.deepStrictEqual(a.received.slice(before).map((frame) => JSON.parse(String(frame))), [
          { type: "subscribe", product_ids: ["ETH-USD"], channels: ["matches"] }
        ])
        yield* feeds.set([{ ...exchange, products: ["ETH-USD"] }, generic])
        yield* settle
        assert.deepStrictEqual(a.received.slice(before + 1).map((frame) => JSON.parse(String(frame))), [
          { type: "unsubscribe", product_ids: ["BTC-USD"], channels: ["matches"] }
        ])
        assert.deepStrictEqual([first.dials.length, second.dials.length], [1, 1])
        assert.deepInclude(
          yield* feeds.set([{ ...exchange, products: ["ETH-USD"], policy: Presets.preset("standard") }]),
          { replaced: ["coinbase-exchange"], removed: ["generic"], added: [], kept: [] }
        )
        yield* first.nextPeer
        yield* settle
        assert.deepStrictEqual([first.dials.length, second.dials.length, second.peers().length], [2, 1, 0])
        assert.deepStrictEqual(events.of("coinbase-exchange"), [
          "coinbase-exchange Connecting",
          "coinbase-exchange Connected",
          "coinbase-exchange Closing",
          "coinbase-exchange Disconnected",
          "coinbase-exchange Connecting",
          "coinbase-exchange Connected"
        ])
        assert.isUndefined(events.fiber.pollUnsafe())
        yield* feeds.set([])
        yield* settle
        assert.strictEqual(events.fiber.pollUnsafe()?._tag, "Success")
      })
    ))

  it.effect("as many channels as before are the same only where each of them is, in whatever order", () =>
    withFeeds(({ exchange: first, feeds }) =>
      Effect.gen(function*() {
        const set = (...products: ReadonlyArray<string>) => feeds.set([{ ...exchange, products }])
        yield* set("BTC-USD", "ETH-USD")
        const peer = yield* first.nextPeer
        const before = peer.received.length
        assert.deepInclude(yield* set("ETH-USD", "BTC-USD"), { kept: ["coinbase-exchange"] })
        assert.deepInclude(yield* set("BTC-USD", "SOL-USD"), { resubscribed: ["coinbase-exchange"] })
        yield* settle
        assert.deepStrictEqual(peer.received.slice(before).map((frame) => JSON.parse(String(frame))), [
          { type: "subscribe", product_ids: ["SOL-USD"], channels: ["matches"] },
          { type: "unsubscribe", product_ids: ["ETH-USD"], channels: ["matches"] }
        ])
      })
    ))

  it.effect("a consumer that is not to shed anything and does not keep up fails, and no other", () =>
    withFeeds(({ exchange: first, feeds }) =>
      Effect.gen(function*() {
        const quick = yield* collect(feeds.events())
        const stuck = yield* Effect.forkChild(
          Effect.flip(Stream.runForEach(feeds.events({ bytes: 1_000 }), () => Effect.sleep("1 minute"))),
          { startImmediately: true }
        )
        yield* feeds.set([exchange])
        const peer = yield* first.nextPeer
        for (let id = 1; id <= 50; id++) yield* Effect.andThen(peer.send(match("BTC-USD", id)), settle)
        yield* TestClock.adjust("2 hours")
        assert.strictEqual(stuck.pollUnsafe()?._tag, "Success")
        assert.strictEqual((yield* Fiber.join(stuck))._tag, "ConsumerOverflow")
        assert.isUndefined(quick.fiber.pollUnsafe())
      })
    ))

  it.effect("a consumer whose last venue is dialled anew goes on, however long the close takes", () =>
    withFeeds(({ exchange: first, feeds, network }) =>
      Effect.gen(function*() {
        const events = yield* collect(feeds.events())
        yield* feeds.set([exchange])
        yield* first.nextPeer
        yield* network.setLatency(50)
        const changing = yield* Effect.forkChild(feeds.set([{ ...exchange, policy: Presets.standard }]), {
          startImmediately: true
        })
        for (let n = 0; n < 10; n++) yield* TestClock.adjust("50 millis")
        assert.deepInclude(yield* Fiber.join(changing), { replaced: ["coinbase-exchange"] })
        assert.isUndefined(events.fiber.pollUnsafe())
        assert.strictEqual(events.got.at(-1), "coinbase-exchange Connected")
        yield* network.setLatency(0)
      })
    ))

  it.effect("of two changes at once the second begins when the first has ended", () =>
    withFeeds(({ exchange: first, feeds, network }) =>
      Effect.gen(function*() {
        yield* feeds.set([exchange])
        yield* first.nextPeer
        yield* network.setLatency(50)
        const clearing = yield* Effect.forkChild(feeds.set([]), { startImmediately: true })
        const adding = yield* Effect.forkChild(feeds.set([exchange]), { startImmediately: true })
        for (let n = 0; n < 10; n++) yield* TestClock.adjust("50 millis")
        assert.deepInclude(yield* Fiber.join(clearing), { removed: ["coinbase-exchange"] })
        assert.deepInclude(yield* Fiber.join(adding), { added: ["coinbase-exchange"] })
        assert.lengthOf(yield* feeds.all, 1)
        assert.lengthOf(first.dials, 2)
        yield* network.setLatency(0)
      })
    ))

  it.effect("what a change opens is closed where their scope closes meanwhile", () =>
    withFeeds(({ exchange: first, generic: second, network }) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const feeds = yield* Scope.provide(MarketFeeds.prepare(), scope)
        yield* feeds.set([exchange])
        yield* first.nextPeer
        yield* network.setLatency(50)
        const changing = yield* Effect.forkChild(feeds.set([generic]), { startImmediately: true })
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        for (let n = 0; n < 20; n++) yield* TestClock.adjust("50 millis")
        assert.deepInclude(yield* Fiber.join(changing), { added: ["generic"], removed: ["coinbase-exchange"] })
        yield* Fiber.join(closing)
        assert.deepStrictEqual([first.peers().length, second.peers().length, (yield* feeds.all).length], [0, 0, 0])
      })
    ))

  it.effect("an entry's own policy says how its venue comes back, and without one the surrounding does", () =>
    withFeeds(({ exchange: first, feeds }) =>
      Effect.gen(function*() {
        const { policy: _, ...without } = exchange
        for (const [entry, waits] of [[exchange, [100, 200]], [without, [10, 20]]] as const) {
          const before = first.dials.length
          yield* first.script({ _tag: "Refuse" }, { _tag: "Refuse" })
          yield* feeds.set([entry])
          yield* TestClock.adjust("1 second")
          const times = first.dials.slice(before).map(({ at }) => at)
          assert.deepStrictEqual(times.slice(1).map((at, index) => at - (times[index] ?? 0)), [...waits])
          yield* feeds.set([])
        }
      })
    ))

  it.effect("a consumer whose last venue ends while it is taken away ends with the change", () =>
    withFeeds(({ exchange: first, feeds, network }) =>
      Effect.gen(function*() {
        const events = yield* collect(feeds.events())
        yield* feeds.set([exchange])
        yield* first.nextPeer
        yield* network.setLatency(50)
        const changing = yield* Effect.forkChild(feeds.set([]), { startImmediately: true })
        for (let n = 0; n < 10; n++) yield* TestClock.adjust("50 millis")
        assert.deepInclude(yield* Fiber.join(changing), { removed: ["coinbase-exchange"] })
        assert.strictEqual(events.fiber.pollUnsafe()?._tag, "Success")
      })
    ))

  it.effect("an unchanged entry whose venue has failed is dialled anew", () =>
    withFeeds(({ exchange: first, feeds }) =>
      Effect.gen(function*() {
        yield* first.otherwise({ _tag: "Refuse" })
        yield* feeds.set([exchange])
        yield* TestClock.adjust("10 seconds")
        yield* first.otherwise({ _tag: "Accept" })
        assert.deepInclude(yield* feeds.set([exchange]), { replaced: ["coinbase-exchange"], kept: [] })
        yield* settle
        assert.strictEqual(yield* feeds.get("coinbase-exchange")?.connection.isConnected ?? Effect.succeed(false), true)
      })
    ))

  it.effect("refuses what cannot be before anything is touched", () =>
    withFeeds(({ exchange: first, feeds }) =>
      Effect.gen(function*() {
        yield* feeds.set([exchange])
        yield* settle
        assert.deepInclude(yield* Effect.flip(feeds.set([generic, exchange, exchange])), {
          _tag: "DuplicateVenue",
          venue: "coinbase-exchange"
        })
        const without: Venue = { ...CoinbaseExchange.venue, channels: { trade: "matches", ticker: "ticker" } }
        assert.deepInclude(yield* Effect.flip(feeds.set([{ ...exchange, venue: without, kinds: ["book"] }])), {
          _tag: "UnknownChannel",
          kind: "book"
        })
        assert.strictEqual(first.peers().length, 1)
        assert.strictEqual(first.dials.length, 1)
      })
    ))

  it.effect("asks each venue by its own symbols, and keeps them in the events", () =>
    withFeeds(({ exchange: first, feeds, generic: second }) =>
      Effect.gen(function*() {
        const events = yield* collect(feeds.events())
        yield* feeds.set([{ ...exchange, products: ["GOLD"] }, { ...generic, products: ["GOLD", "other"] }])
        const a = yield* first.nextPeer
        const b = yield* second.nextPeer
        yield* settle
        assert.include(a.received.join(), "\"PAXG-USD\"")
        assert.include(b.received.join(), "[\"xau\",\"other\"]")
        yield* a.send(match("PAXG-USD", 1))
        yield* settle
        assert.include(events.got, "coinbase-exchange Trade PAXG-USD")
        assert.strictEqual(feeds.symbols.nameOf(CoinbaseExchange.venue, "PAXG-USD"), "GOLD")
      }), { symbols: Symbols.make({ "coinbase-exchange": { GOLD: "PAXG-USD" }, generic: { GOLD: "xau" } }) }))

  it.effect("the venues share the budgets of one governor, their own or the process's", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make({ seed: 1 })
      const host = yield* network.serve(exchangeUrl)
      // Two venues behind one address that takes one dial a second.
      const limited = (name: string): Venue => ({
        ...CoinbaseExchange.venue,
        name,
        limits: [{ of: "dials", per: "address", limit: 1, windowMillis: 1_000, source: "the test" }]
      })
      const entries = [{ ...exchange, venue: limited("one") }, { ...exchange, venue: limited("two") }]
      const run = Effect.gen(function*() {
        const before = host.dials.length
        const feeds = yield* MarketFeeds.make(entries)
        yield* settle
        assert.strictEqual(host.dials.length, before + 1)
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(host.dials.length, before + 2)
        for (const { connection } of yield* feeds.all) assert.isTrue(yield* connection.isConnected)
      }).pipe(
        Effect.scoped,
        Effect.provide(Reconnection.layerWithBreaker(Presets.preset("fast"))),
        Effect.provideService(Transport, network.transport)
      )
      yield* run
      const governor = Governor.make()
      yield* TestClock.adjust("2 seconds")
      yield* Effect.provideService(run, Governor.Governor, governor)
      const windows = [{ limit: 1, windowMillis: 1_000 }]
      const log = yield* governor.share("ws://exchange.test dials", windows)
      assert.strictEqual(log.left(2_000)[0], 0)
    }))

  it.effect("ends every venue with its scope, which each consumer sees to the end", () =>
    Effect.gen(function*() {
      const events = yield* withFeeds(({ exchange: first, feeds, generic: second }) =>
        Effect.gen(function*() {
          const events = yield* collect(feeds.events())
          const channels = [Channel.make("ticker", "ETH-USD")]
          yield* feeds.set([{ ...exchange, products: [], channels }, generic])
          const a = yield* first.nextPeer
          yield* second.nextPeer
          yield* settle
          assert.include(a.received.join(), "\"ticker\"")
          return events
        })
      )
      yield* settle
      assert.strictEqual(events.of("coinbase-exchange").at(-1), "coinbase-exchange Disconnected")
      assert.strictEqual(events.of("generic").at(-1), "generic Disconnected")
      assert.strictEqual(events.fiber.pollUnsafe()?._tag, "Success")
    }))
})
