/** A feed that waits for nothing leaves the processor alone. */
import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as Generic from "@tickline/core/venue/generic/Venue"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

const url = "ws://venue.test/feed"
const policy: ConnectionPolicy.ConnectionPolicy = { ...Presets.preset("fast"), heartbeat: "none" }

/** A feed on a clock that counts the sleeps which begin after it is connected. */
const resting = (
  channels: ReadonlyArray<Channel.Channel>,
  use: (rig: {
    readonly host: VirtualNetwork.Host
    readonly sleepsIn: (minutes: number) => Effect.Effect<number>
  }) => Effect.Effect<void>
) =>
  Effect.gen(function*() {
    const base = yield* Clock.Clock
    let sleeps = 0
    const counting: Clock.Clock = {
      ...base,
      sleep: (duration) => {
        sleeps++
        return base.sleep(duration)
      }
    }
    yield* Effect.gen(function*() {
      const network = yield* VirtualNetwork.make({ seed: 1 })
      const host = yield* network.serve(url)
      yield* Effect.gen(function*() {
        yield* MarketFeed.make(Generic.venue, { url, channels })
        yield* use({
          host,
          sleepsIn: (minutes) =>
            Effect.gen(function*() {
              yield* TestClock.adjust("1 second")
              const before = sleeps
              for (let n = 0; n < minutes; n++) yield* TestClock.adjust("1 minute")
              return sleeps - before
            })
        })
      }).pipe(
        Effect.scoped,
        Effect.provide(Reconnection.layerWithBreaker(policy)),
        Effect.provideService(Transport, network.transport)
      )
    }).pipe(Effect.provideService(Clock.Clock, counting))
  })

describe("a feed at rest", () => {
  it.effect("does not wake where nothing is subscribed to", () =>
    resting([], ({ sleepsIn }) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* sleepsIn(10), 0)
      })))

  it.effect("does not wake where all has delivered, and wakes once a deadline where it has not", () =>
    resting([Channel.make("price", "A-USD")], ({ host, sleepsIn }) =>
      Effect.gen(function*() {
        const peer = yield* host.nextPeer
        // 30 s each: a probe, a renewal, a new connection and the report; then nothing any more.
        const overdue = yield* sleepsIn(10)
        assert.isAtLeast(overdue, 1)
        assert.isAtMost(overdue, 30)
        assert.strictEqual(yield* sleepsIn(10), 0)
        assert.isFalse(peer.isOpen())
        const next = yield* host.nextPeer
        yield* next.send(JSON.stringify({ product_id: "A-USD", price: "1.5", timestamp: "2026-11-07T08:19:27Z" }))
        assert.strictEqual(yield* sleepsIn(10), 0)
      })))
})
