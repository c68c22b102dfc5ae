/** What a feed's events say of the life of its connection, to the last field. */
import { assert, describe, it } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Channel from "@tickline/core/value/Channel"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { backoffOf, circuitWith, policyWith, url, withVenue } from "./Rig.ts"

const channels = [Channel.make("status"), Channel.make("matches", "BTC-USD")]

const policy = policyWith({
  backoff: backoffOf(100, 2, 400),
  retry: { maxRetries: 3, resetOn: "connect" },
  circuit: circuitWith({
    failureThreshold: 1,
    openDuration: Duration.seconds(1),
    halfOpen: { successThreshold: 1 },
    whenOpen: "wait"
  })
})

/** What the feed tells from now on, without the venue's name. */
const told = Effect.fnUntraced(function*(feed: MarketFeed.MarketFeed["Service"]) {
  const lines: Array<string> = []
  yield* feed.events().pipe(
    Stream.runForEach((event) =>
      Effect.sync(() => {
        lines.push(
          Object.entries(event).filter(([key]) => key !== "venue")
            .map(([key, value]) => `${key}=${String(value).replace("1970-01-01T00:00:0", "")}`)
            .join(" ")
        )
      })
    ),
    Effect.ignore,
    Effect.forkScoped({ startImmediately: true })
  )
  return lines
})

describe("the life of a connection, as its feed tells it", () => {
  it.effect("from a drop through the breaker and back: each state with what is known of it, and the gaps", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const feed = yield* MarketFeed.make(CoinbaseExchange.venue, { url, channels, freshness: "none" })
        yield* TestClock.adjust("1 second")
        // It begins to read when the link is up: how it came up is told first.
        const lines = yield* told(feed)
        yield* TestClock.adjust("1 second")
        yield* host.script({ _tag: "Refuse" })
        yield* host.drop
        yield* TestClock.adjust("5 seconds")
        yield* host.peers()[0]?.send(
          "{\"type\":\"subscriptions\",\"channels\":[{\"name\":\"status\",\"product_ids\":[]}," +
            "{\"name\":\"matches\",\"product_ids\":[\"BTC-USD\"]}]}"
        ) ?? Effect.die("the link is down")
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(lines, [
          "_tag=Connection state=Connecting attempt=1 reason=connect at=0.000Z",
          "_tag=Connection state=Connected epoch=1 reason=handshake complete at=0.000Z",
          "_tag=Connection state=Reconnecting attempt=1 delayMillis=100 " +
          "reason=dropped: closed by network with 1006: connection reset at=2.000Z",
          "_tag=Gap channel=status from=0.000Z cause=disconnect",
          "_tag=Gap product=BTC-USD channel=matches from=0.000Z cause=disconnect",
          "_tag=Connection state=Connecting attempt=1 reason=retry at=2.100Z",
          "_tag=Breaker from=Closed to=Open openForMillis=1000 at=2.100Z",
          "_tag=Connection state=CircuitOpen attempt=2 delayMillis=1000 " +
          "reason=ws://venue.test: connection refused: scripted at=2.100Z",
          "_tag=Breaker from=Open to=HalfOpen at=3.100Z",
          "_tag=Connection state=Connecting attempt=2 reason=retry at=3.100Z",
          "_tag=Connection state=Connected epoch=2 reason=handshake complete at=3.100Z",
          "_tag=Breaker from=HalfOpen to=Closed at=3.100Z",
          "_tag=Gap channel=status from=0.000Z to=7.000Z cause=disconnect",
          "_tag=Gap product=BTC-USD channel=matches from=0.000Z to=7.000Z cause=disconnect",
          "_tag=Subscribed channel=status",
          "_tag=Subscribed channel=matches product=BTC-USD"
        ])
      })))

  it.effect("to its end: an outage that does not end has gaps without one", () =>
    withVenue(
      policyWith({ backoff: backoffOf(100, 1, 100), retry: { maxRetries: 1, resetOn: "connect" } }),
      ({ host }) =>
        Effect.gen(function*() {
          const feed = yield* MarketFeed.make(CoinbaseExchange.venue, { url, channels, freshness: "none" })
          const lines = yield* told(feed)
          yield* host.otherwise({ _tag: "Refuse" })
          yield* host.drop
          yield* TestClock.adjust("5 seconds")
          assert.deepStrictEqual(lines.slice(2), [
            "_tag=Connection state=Reconnecting attempt=1 delayMillis=100 " +
            "reason=dropped: closed by network with 1006: connection reset at=0.000Z",
            "_tag=Gap channel=status from=0.000Z cause=disconnect",
            "_tag=Gap product=BTC-USD channel=matches from=0.000Z cause=disconnect",
            "_tag=Connection state=Connecting attempt=1 reason=retry at=0.100Z",
            "_tag=Connection state=Failed " +
            "reason=connection aborted after 1 retries: ws://venue.test: connection refused: scripted at=0.100Z"
          ])
        })
    ))

  it.effect("it is kept alive as the feed's options say, or else as the venue does, by channels of its own", () => {
    const heartbeat = { interval: Duration.seconds(15), timeout: Duration.seconds(5), onMiss: "report" } as const
    const trades = [Channel.make("market_trades", "BTC-USD")]
    const asked = (options: MarketFeed.Options) =>
      withVenue(policyWith({ heartbeat }), ({ host }) =>
        Effect.gen(function*() {
          yield* MarketFeed.make(Coinbase.venue, { url, channels: trades, freshness: "none", ...options })
          yield* TestClock.adjust("11 seconds")
          return (host.peers()[0]?.received ?? []).map((frame) => /"channel":"(\w+)"/.exec(String(frame))?.[1] ?? frame)
        }))
    return Effect.gen(function*() {
      assert.deepStrictEqual(yield* asked({}), ["market_trades", "heartbeats"])
      const ping = (id: number) => `ping ${id}`
      const keepAlive = { _tag: "Application", everyMillis: 10_000, ping, isPong: () => true } as const
      assert.deepStrictEqual(yield* asked({ keepAlive }), ["market_trades", "ping 1"])
    })
  })

  it.effect("what does not deliver is named with its product, where it has one", () =>
    withVenue(policy, () =>
      Effect.gen(function*() {
        const feed = yield* MarketFeed.make(CoinbaseExchange.venue, {
          url,
          channels,
          freshness: { deadline: () => 500, target: 100 }
        })
        const lines = yield* told(feed)
        yield* TestClock.adjust(500)
        assert.deepStrictEqual(lines.filter((line) => line.startsWith("_tag=Stale")), [
          "_tag=Stale channel=status silentForMillis=500",
          "_tag=Stale product=BTC-USD channel=matches silentForMillis=500"
        ])
      })))
})
