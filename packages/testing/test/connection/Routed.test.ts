/**
 * Consumers that want the messages of one product: they are given those, in
 * time and in bytes, whatever flows beside them.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Connection from "@tickline/core/connection/Connection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Channel from "@tickline/core/value/Channel"
import * as Generic from "@tickline/core/venue/generic/Venue"
import * as Hyperliquid from "@tickline/core/venue/hyperliquid/Venue"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { policyWith, settle, url, withVenue } from "../Rig.ts"

const price = (product: string, price: number, filler = ""): string =>
  JSON.stringify({ product_id: product, price: `${price}.00`, timestamp: "2026-01-01T00:00:00Z", filler })

const prices = Channel.make(Generic.venue.channels.ticker ?? "", "A")

/** A feed of two products, and what a consumer of `A` that waits for a gate has taken. */
const slowly = Effect.fnUntraced(function*(options: { readonly bytes: number; readonly overflow?: "drop-oldest" }) {
  const feed = yield* MarketFeed.make(Generic.venue, { url, channels: [{ ...prices, product: "B" }] })
  const gate = yield* Deferred.make<void>()
  const taken: Array<string> = []
  const reading = yield* Effect.forkScoped(
    Stream.runForEach(feed.prices("A", options), ({ price }) =>
      Effect.suspend(() => {
        taken.push(String(price.value / 100n))
        return Deferred.await(gate)
      })),
    { startImmediately: true }
  )
  yield* settle
  return { feed, gate, taken, reading }
})

describe("A consumer of one product", () => {
  it.effect("is charged its own bytes only: what is busy beside it fills no queue of it", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { gate, reading, taken } = yield* slowly({ bytes: 4_096 })
        const peer = yield* host.nextPeer
        for (let n = 1; n <= 8; n++) {
          yield* peer.send(price("A", n), ...Array.from({ length: 50 }, () => price("B", n, "x".repeat(500))))
          yield* settle
        }
        assert.isUndefined(reading.pollUnsafe())
        yield* Deferred.succeed(gate, void 0)
        yield* settle
        assert.deepStrictEqual(taken, ["1", "2", "3", "4", "5", "6", "7", "8"])
      })))

  it.effect("is charged for each of its messages what its frame weighs, not the mean of what came with it", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { feed, gate, taken } = yield* slowly({ bytes: 4_096, overflow: "drop-oldest" })
        const peer = yield* host.nextPeer
        // All that gathers while somebody blocks is read at once.
        const blocked = yield* Deferred.make<void>()
        yield* Effect.forkScoped(
          Stream.runForEachArray(feed.prices("B", { overflow: "block", bytes: 1 }), () => Deferred.await(blocked)),
          { startImmediately: true }
        )
        yield* settle
        yield* peer.send(price("A", 1))
        yield* settle
        yield* peer.send(price("B", 1))
        yield* peer.send(price("B", 2))
        yield* settle
        const giant = price("B", 3, "x".repeat(100_000))
        yield* peer.send(price("A", 2), giant, giant)
        yield* settle
        yield* Deferred.succeed(blocked, void 0)
        yield* settle
        yield* peer.send(price("A", 3))
        yield* settle
        yield* Deferred.succeed(gate, void 0)
        yield* settle
        assert.deepStrictEqual(taken, ["1", "2", "3"])
      })))

  it.effect("fails when it is more than its bound behind, and holds up no other", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { feed, gate, reading } = yield* slowly({ bytes: 2_048 })
        const others = yield* Effect.forkScoped(Stream.runCollect(Stream.take(feed.prices("A"), 32)), {
          startImmediately: true
        })
        yield* settle
        const peer = yield* host.nextPeer
        for (let n = 1; n <= 32; n++) yield* Effect.andThen(peer.send(price("A", n)), settle)
        assert.lengthOf(yield* Fiber.join(others), 32)
        yield* Deferred.succeed(gate, void 0)
        const error = yield* Effect.flip(Fiber.join(reading))
        assert.strictEqual(error._tag, "ConsumerOverflow")
      })))

  it.effect("is given, of a channel that is of all products, the messages of its own", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const channels = { ...Hyperliquid.venue.channels, ticker: "allMids" }
        const feed = yield* MarketFeed.make({ ...Hyperliquid.venue, channels }, { url })
        const of = (product: string) =>
          Effect.forkScoped(Stream.runCollect(Stream.take(feed.prices(product), 2)), { startImmediately: true })
        const [btc, eth] = [yield* of("BTC"), yield* of("ETH")]
        yield* settle
        const peer = yield* host.nextPeer
        for (const mids of [{ BTC: "1.5", ETH: "2.5", SOL: "3.5" }, { SOL: "4.5" }, { ETH: "5.5", BTC: "6.5" }]) {
          yield* peer.send(JSON.stringify({ channel: "allMids", data: { mids } }))
        }
        yield* settle
        const found = (all: ReadonlyArray<{ readonly product: string; readonly price: { readonly value: bigint } }>) =>
          all.map(({ price, product }) => `${product} ${price.value}`)
        assert.deepStrictEqual(found(yield* Fiber.join(btc)), ["BTC 15", "BTC 65"])
        assert.deepStrictEqual(found(yield* Fiber.join(eth)), ["ETH 25", "ETH 55"])
      })))

  it.effect("that is the first is given what came of its own before it", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const feed = yield* MarketFeed.make(Generic.venue, { url, channels: [prices, { ...prices, product: "B" }] })
        const peer = yield* host.nextPeer
        yield* peer.send(price("A", 1), price("B", 2), price("A", 3))
        yield* settle
        const taken = yield* Stream.runCollect(Stream.take(feed.prices("A"), 2))
        assert.deepStrictEqual(taken.map(({ price }) => price.value), [100n, 300n])
      })))
})

describe("Rejections", () => {
  it.effect("from before the first who reads them are kept for it, whoever took the messages", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const bad = new Rejection.FrameRejected({ venue: "test", reason: "MalformedJson", message: "bad" })
        const connection = yield* Connection.connect(url, {
          decode: (frame) => frame === "bad" ? bad : [String(frame)]
        })
        const peer = yield* host.nextPeer
        yield* peer.send("bad", "good", "bad")
        yield* settle
        assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(connection.messages(), 1)), ["good"])
        assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(connection.rejections, 2)), [bad, bad])
      })))
})
