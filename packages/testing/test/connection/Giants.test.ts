/** Frames of a mebibyte through the whole of a feed: what they cost besides being read. */
import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { policyWith, settle, url } from "../Rig.ts"

// A hundred thousand products, those that are wanted among them, or the same one over and over.
const acknowledgement = (product: (n: number) => string): string =>
  JSON.stringify({
    type: "subscriptions",
    channels: [{ name: "matches", product_ids: Array.from({ length: 100_000 }, (_, n) => product(n)) }]
  })

describe("A frame of a mebibyte", () => {
  it.effect("that confirms a hundred thousand subscriptions stops nothing", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make({ seed: 1 })
      const host = yield* network.serve(url)
      const wanted = Array.from({ length: 50 }, (_, n) => `P${n}-USD`).flatMap((product) =>
        ["matches", "ticker", "level2_batch"].map((channel) => Channel.make(channel, product))
      )
      yield* Effect.gen(function*() {
        const feed = yield* MarketFeed.make(CoinbaseExchange.venue, { url, channels: wanted, freshness: "none" })
        yield* Effect.forkChild(Stream.runDrain(feed.events({ overflow: "drop-oldest" })))
        yield* settle
        const peer = yield* host.nextPeer
        for (const frame of [acknowledgement((n) => `P${n}-USD`), acknowledgement(() => "P1-USD")]) {
          let millis = Infinity
          for (let run = 0; run < 4; run++) {
            const begun = process.threadCpuUsage()
            yield* Effect.andThen(peer.send(frame), settle)
            const { system, user } = process.threadCpuUsage(begun)
            millis = Math.min(millis, (system + user) / 1_000)
          }
          // It is a fortieth of a second where the machine is quiet, and was three seconds and more.
          assert.isBelow(millis, 300)
        }
        const standings = (yield* feed.health).subscriptions
        assert.strictEqual(standings.filter(({ standing }) => standing === "confirmed").length, 50)
      }).pipe(
        Effect.scoped,
        Effect.provide(Reconnection.layerWithBreaker(policyWith({}))),
        Effect.provideService(Transport, network.transport)
      )
    }), 60_000)
})
