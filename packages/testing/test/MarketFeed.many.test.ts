/** What it costs to want and to give up many products, one by one: not more for each, however many there are. */
import { assert, describe, it } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Channel from "@tickline/core/value/Channel"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { policyWith, url, withVenue } from "./Rig.ts"

/** The milliseconds of the processor that it takes to want so many products one by one, and to give each up. */
const timed = (products: number) =>
  withVenue(policyWith({ retry: { maxRetries: 1, resetOn: "connect" } }), ({ host }) =>
    Effect.gen(function*() {
      const feed = yield* MarketFeed.make({ ...Binance.venue, limits: [] }, { url })
      const peer = yield* host.nextPeer
      peer.onMessage((frame) => {
        const id = /"id":(\d+)/.exec(String(frame))?.[1]
        if (id !== undefined) peer.sendUnsafe(`{"result":null,"id":${id}}`)
      })
      const scopes: Array<Scope.Closeable> = []
      const begun = process.cpuUsage()
      for (let id = 0; id < products; id++) {
        const scope = yield* Scope.make()
        scopes.push(scope)
        const product = `P${id}USDT`
        yield* Scope.provide(feed.subscribe([Channel.make("trade", product)]), scope)
        yield* peer.send(
          `{"e":"trade","E":1,"s":"${product}","t":1,"p":"1.5","q":"1.0","T":1,"m":true,"M":true}`
        )
        yield* TestClock.adjust(1)
      }
      for (const scope of scopes) {
        yield* Scope.close(scope, Exit.void)
        yield* TestClock.adjust(1)
      }
      return process.cpuUsage(begun).user / 1_000
    }))

describe("a feed of many products", () => {
  it.effect(
    "one of ten times as many takes no more than one and a half of the time of ten",
    () =>
      Effect.gen(function*() {
        // Before that the code is not compiled.
        yield* timed(1_000)
        const ratios: Array<number> = []
        for (let turn = 0; turn < 4; turn++) {
          let few = 0
          for (let feed = 0; feed < 10; feed++) few += yield* timed(100)
          ratios.push((yield* timed(1_000)) / few)
        }
        assert.isAtMost(Math.min(...ratios), 1.5)
      }),
    120_000
  )
})
