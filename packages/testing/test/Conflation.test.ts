import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketData from "@tickline/core/event/MarketData"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as VenueMessage from "@tickline/core/event/VenueMessage"
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
  ["ticker A", new MarketData.Ticker({ venue, product: "A-USD" })],
  ["ticker B", new MarketData.Ticker({ venue, product: "B-USD" })],
  ["book", new MarketData.BookDelta({ venue, bids: [], asks: [] })],
  ["book ?", new MarketData.BookDelta({ venue, product: "?", bids: [], asks: [] })],
  ["book A", new MarketData.BookDelta({ venue, product: "A-USD", bids: [], asks: [] })],
  ["beat", new VenueMessage.Heartbeat({ venue, kind: "heartbeat" })],
  ["pong", new VenueMessage.Heartbeat({ venue, kind: "pong" })],
  ["status", new VenueMessage.Other({ venue, kind: "status" })],
  ["system", new VenueMessage.Other({ venue, kind: "system" })],
  ["subscribed", new VenueMessage.Subscribed({ venue })],
  ["subscribed ?", new VenueMessage.Subscribed({ venue, channel: "?" })],
  ["subscribed x ?", new VenueMessage.Subscribed({ venue, channel: "x", product: "?" })],
  ["subscribed x", new VenueMessage.Subscribed({ venue, channel: "x" })],
  ["subscribed y", new VenueMessage.Subscribed({ venue, channel: "y" })],
  ["subscribed x A", new VenueMessage.Subscribed({ venue, channel: "x", product: "A-USD" })],
  ["subscribed x B", new VenueMessage.Subscribed({ venue, channel: "x", product: "B-USD" })],
  ["unsubscribed x A", new VenueMessage.Unsubscribed({ venue, channel: "x", product: "A-USD" })],
  ["error", new VenueMessage.VenueError({ venue })],
  ["error ?", new VenueMessage.VenueError({ venue, code: "?" })],
  ["error of ?", new VenueMessage.VenueError({ venue, requestId: "?" })],
  ["error 1", new VenueMessage.VenueError({ venue, code: "1" })],
  ["error 2", new VenueMessage.VenueError({ venue, code: "2" })],
  ["error of a", new VenueMessage.VenueError({ venue, requestId: "a" })],
  ["error of b", new VenueMessage.VenueError({ venue, requestId: "b" })],
  ["response", new VenueMessage.Response({ venue })],
  ["response ?", new VenueMessage.Response({ venue, requestId: "?" })],
  ["response a", new VenueMessage.Response({ venue, requestId: "a" })],
  ["response b", new VenueMessage.Response({ venue, requestId: "b" })]
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
