import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as Generic from "@tickline/core/venue/generic/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const url = "ws://venue.test/feed"
const venue = "generic"

/** One of each that a consumer tells apart, by the frame that it comes in. */
const messages: ReadonlyMap<string, MarketEvent.MarketEvent> = new Map<string, MarketEvent.MarketEvent>([
  ["ticker A", new MarketEvent.Ticker({ venue, product: "A-USD" })],
  ["ticker B", new MarketEvent.Ticker({ venue, product: "B-USD" })],
  ["book", new MarketEvent.BookDelta({ venue, bids: [], asks: [] })],
  ["book ?", new MarketEvent.BookDelta({ venue, product: "?", bids: [], asks: [] })],
  ["book A", new MarketEvent.BookDelta({ venue, product: "A-USD", bids: [], asks: [] })],
  ["beat", new MarketEvent.Heartbeat({ venue, kind: "heartbeat" })],
  ["pong", new MarketEvent.Heartbeat({ venue, kind: "pong" })],
  ["status", new MarketEvent.Other({ venue, kind: "status" })],
  ["system", new MarketEvent.Other({ venue, kind: "system" })],
  ["subscribed", new MarketEvent.Subscribed({ venue })],
  ["subscribed ?", new MarketEvent.Subscribed({ venue, channel: "?" })],
  ["subscribed x ?", new MarketEvent.Subscribed({ venue, channel: "x", product: "?" })],
  ["subscribed x", new MarketEvent.Subscribed({ venue, channel: "x" })],
  ["subscribed y", new MarketEvent.Subscribed({ venue, channel: "y" })],
  ["subscribed x A", new MarketEvent.Subscribed({ venue, channel: "x", product: "A-USD" })],
  ["subscribed x B", new MarketEvent.Subscribed({ venue, channel: "x", product: "B-USD" })],
  ["unsubscribed x A", new MarketEvent.Unsubscribed({ venue, channel: "x", product: "A-USD" })],
  ["error", new MarketEvent.VenueError({ venue })],
  ["error ?", new MarketEvent.VenueError({ venue, code: "?" })],
  ["error of ?", new MarketEvent.VenueError({ venue, requestId: "?" })],
  ["error 1", new MarketEvent.VenueError({ venue, code: "1" })],
  ["error 2", new MarketEvent.VenueError({ venue, code: "2" })],
  ["error of a", new MarketEvent.VenueError({ venue, requestId: "a" })],
  ["error of b", new MarketEvent.VenueError({ venue, requestId: "b" })],
  ["response", new MarketEvent.Response({ venue })],
  ["response ?", new MarketEvent.Response({ venue, requestId: "?" })],
  ["response a", new MarketEvent.Response({ venue, requestId: "a" })],
  ["response b", new MarketEvent.Response({ venue, requestId: "b" })]
])
const names = new Map([...messages].map(([name, event]) => [event, name]))

const told: Venue = {
  ...Generic.venue,
  decode: (frame) => {
    const message = messages.get(String(frame))
    return message === undefined ? [] : [message]
  }
}

describe("a consumer that conflates", () => {
  it.effect("is told the last of each kind, product, channel and request, and none for another", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make({ seed: 1 })
      const host = yield* network.serve(url)
      yield* Effect.gen(function*() {
        const feed = yield* MarketFeed.make(told, { url, freshness: "none" })
        const peer = yield* host.nextPeer
        const got: Array<string> = []
        const missing: Array<number> = []
        const reading = yield* feed.events({ overflow: "conflate", bytes: 1_000 }).pipe(
          Stream.runForEach((event) =>
            Effect.suspend(() => {
              if (event._tag === "Gap") missing.push(event.missing ?? -1)
              if (event._tag === "Connection" || event._tag === "Gap") return Effect.void
              const name = [...names].find(([known]) => known === event)?.[1] ?? event._tag
              got.push(name)
              return Effect.sleep("1 minute")
            })
          ),
          Effect.forkChild({ startImmediately: true })
        )
        yield* TestClock.adjust(0)
        for (let round = 0; round < 30; round++) {
          for (const name of messages.keys()) yield* peer.send(name)
          yield* TestClock.adjust("10 millis")
        }
        yield* TestClock.adjust("5 hours")
        yield* Fiber.interrupt(reading)
        assert.deepStrictEqual(got.slice(-messages.size).sort(), [...messages.keys()].sort())
        assert.strictEqual(got.length + missing.reduce((sum, count) => sum + count, 0), 30 * messages.size)
        assert.isFalse(missing.some((count) => count <= 0))
      }).pipe(
        Effect.scoped,
        Effect.provide(Reconnection.layerWithBreaker(Presets.preset("fast"))),
        Effect.provideService(Transport, network.transport)
      )
    }))
})
