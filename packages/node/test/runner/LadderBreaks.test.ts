/** The ladder on a terminal, over a virtual network on which frames go missing. */
import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeeds from "@tickline/core/market/MarketFeeds"
import * as Presets from "@tickline/core/resilience/Presets"
import type * as Frame from "@tickline/core/transport/Frame"
import { Transport } from "@tickline/core/transport/Transport"
import { venue } from "@tickline/core/venue/deribit/Venue"
import * as Tally from "@tickline/node/runner/Tally"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as StreamViews from "../../src/runner/internal/streamViews.ts"
import * as TestHost from "./TestHost.ts"

const product = "BTC-PERPETUAL"

/** The transport, over which frames are let through or not. */
const lossy = (isLost: (frame: Frame.Frame) => boolean) =>
  Effect.map(Transport, (transport) => ({
    ...transport,
    dial: (request) =>
      Effect.map(transport.dial(request), (wire) => {
        const pull: typeof wire.pull = Effect.flatMap(wire.pull, (frames) => {
          const rest = frames.filter((frame) => !isLost(frame))
          return Arr.isReadonlyArrayNonEmpty(rest) ? Effect.succeed(rest) : pull
        })
        return { ...wire, pull }
      })
  } satisfies Transport["Service"]))

const isDelta = (frame: Frame.Frame): boolean => {
  const events = venue.decode(frame)
  return !("_tag" in events) && events.some(({ _tag }) => _tag === "BookDelta")
}

describe("the ladder, drawn", () => {
  it.effect("shows no level from the moment at which its book is broken, and is drawn ten times a second", () =>
    Probe.scoped(Effect.gen(function*() {
      const network = yield* VirtualNetwork.make({ seed: 7 })
      const served = yield* MockVenue.serve(network, "wss://venue.test", MockVenues.byName("deribit")!, {
        every: "7 millis"
      })
      // All frames, or of those that change the book the next so many.
      const lost = { all: false, deltas: 0 }
      const transport = yield* Effect.provideService(
        lossy((frame) => lost.all || (lost.deltas > 0 && isDelta(frame) && lost.deltas-- > 0)),
        Transport,
        network.transport
      )
      yield* Effect.gen(function*() {
        const world = TestHost.make({ terminal: true })
        const feeds = yield* MarketFeeds.prepare()
        const entry = { venue, url: served.url, products: [product] }
        const view = yield* StreamViews.ladder(
          { title: "t", targets: [entry], depth: 3 },
          feeds,
          world.host.stdout,
          Tally.make()
        )
        yield* feeds.set([{ ...entry, kinds: [] }])
        yield* view.follow
        const states = [""]
        const isNow = (state: string) => states.at(-1) === state
        yield* feeds.get("deribit")!.observeBook(product, ({ _tag }) => {
          states.push(_tag)
          if (_tag === "Gapped") lost.all = true
        })
        const screens = () => world.stdout().split("\u001b[J")
        yield* TestClock.adjust("3 seconds")
        assert.match(screens().at(-2)!, /▸/)
        const before = screens().length
        yield* TestClock.adjust("1 second")
        assert.strictEqual(screens().length - before, 10)
        // Wherever between two pictures it breaks.
        for (let phase = 0; phase < 100; phase += 9) {
          yield* TestClock.adjust(100 + phase)
          lost.deltas = 1
          const count = screens().length
          while (!isNow("Gapped")) yield* TestClock.adjust(1)
          while (screens().length === count) yield* TestClock.adjust(1)
          const drawn = screens().length
          while (screens().length === drawn) yield* TestClock.adjust(1)
          assert.notMatch(screens().at(-2)!, /▸/, `phase ${phase}`)
          assert.match(screens().at(-2)!, /● Gapped[^]*sequence: .* does not follow \d+/)
          lost.all = false
          while (!isNow("Live")) yield* TestClock.adjust(100)
          yield* TestClock.adjust(200)
          assert.match(screens().at(-2)!, /▸/)
        }
      }).pipe(
        Effect.scoped,
        Effect.provide(Reconnection.layerWithBreaker(Presets.preset("test"))),
        Effect.provideService(Transport, transport)
      )
    })))
})
