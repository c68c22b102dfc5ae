import { assert, describe, it } from "@effect/vitest"
import type * as Connection from "@tickline/core/connection/Connection"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as Venues from "@tickline/core/venue/Venues"
import type { MockVenue } from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Simulation from "@tickline/testing/Simulation"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { internals } from "../../core/src/connection/internal/connectionInternals.ts"

/** A venue, two of its products, and one that it does not list, as it is told. */
interface Row {
  readonly name: string
  readonly good: readonly [string, string]
  readonly bad: string
  readonly reason: RegExp
}

const rows: ReadonlyArray<Row> = [
  {
    name: "coinbase",
    good: ["BTC-USD", "ETH-USD"],
    bad: "NO-SUCH",
    reason: /not among what the venue confirmed/
  },
  { name: "coinbase-exchange", good: ["BTC-USD", "ETH-USD"], bad: "NO-SUCH", reason: /NO-SUCH is not a valid product/ },
  { name: "kraken", good: ["BTC/USD", "ETH/USD"], bad: "NO/SUCH", reason: /Currency pair not supported NO\/SUCH/ },
  {
    name: "deribit",
    good: ["BTC-PERPETUAL", "ETH-PERPETUAL"],
    bad: "NO-SUCH",
    reason: /not among what the venue confirmed/
  },
  { name: "hyperliquid", good: ["BTC", "ETH"], bad: "NOSUCH", reason: /Invalid subscription .*NOSUCH/ },
  { name: "dydx", good: ["BTC-USD", "ETH-USD"], bad: "NO-SUCH", reason: /Invalid subscription id for channel/ },
  { name: "generic", good: ["BTC-USD", "ETH-USD"], bad: "NO-SUCH", reason: /unknown product NO-SUCH/ }
]

interface Stage {
  readonly feed: MarketFeed.MarketFeed["Service"]
  readonly events: Array<MarketEvent.AnyEvent>
  readonly logs: Array<string>
  readonly simulation: Simulation.Simulation
}

const venueOf = (name: string) => {
  const [client, server] = [Venues.get(name), MockVenues.byName(name)]
  if (client === undefined || server === undefined) throw new Error(`no venue ${name}`)
  return { client, server }
}

/** A feed of the venue against its mock, which is told what to do otherwise. */
const onStage = <A, E, R>(
  row: Pick<Row, "name" | "good">,
  channels: ReadonlyArray<Channel.Channel>,
  use: (stage: Stage) => Effect.Effect<A, E, R>,
  change: (server: MockVenue) => MockVenue = (server) => server,
  policy: Partial<ConnectionPolicy.ConnectionPolicy> = {}
) =>
  Effect.gen(function*() {
    const { client, server } = venueOf(row.name)
    const logs: Array<string> = []
    const logger = Logger.make(({ message }) => void logs.push(String(message)))
    const products = row.good.map((symbol) => ({ symbol, price: "43250.10", size: "0.05000000" }))
    const simulation = yield* Simulation.make({
      seed: 1,
      venue: { client, server: change(server) },
      products,
      every: "5 seconds"
    })
    const events: Array<MarketEvent.AnyEvent> = []
    return yield* Effect.gen(function*() {
      const feed = yield* MarketFeed.prepare(client, { url: simulation.url, channels })
      yield* feed.events({ overflow: "block" }).pipe(
        Stream.runForEach((event) => Effect.sync(() => void events.push(event))),
        Effect.forkScoped({ startImmediately: true })
      )
      const connecting = yield* Effect.forkChild(feed.connection.connect)
      for (let turn = 0; turn < 16; turn++) yield* TestClock.adjust(0)
      yield* Fiber.join(connecting)
      yield* TestClock.adjust("1 second")
      return yield* use({ feed, events, logs, simulation })
    }).pipe(
      Effect.scoped,
      Effect.provide(Reconnection.layerWithBreaker({ ...Presets.recommended, ...policy })),
      Effect.provideService(Transport, simulation.network.transport),
      Effect.provide(Logger.layer([logger]))
    )
  })

const errorsOf = (events: ReadonlyArray<MarketEvent.AnyEvent>): ReadonlyArray<string> =>
  events.flatMap((event) => event._tag === "VenueError" ? [event.message ?? ""] : [])

const standingsOf = (connection: Connection.Connection<MarketEvent.MarketEvent>) =>
  Effect.map(
    connection[internals].subscriptionStates,
    (all) => Object.fromEntries(all.map(({ channel, standing }) => [channel.product ?? channel.channel, standing]))
  )

describe.each(rows)("one bad symbol among good ones at $name", (row) => {
  const { client } = venueOf(row.name)
  const channel = client.channels.trade ?? ""
  for (
    const [place, products] of [
      ["first", [row.bad, ...row.good]],
      ["between", [row.good[0], row.bad, row.good[1]]],
      ["last", [...row.good, row.bad]]
    ] as const
  ) {
    it.effect(`${place}: the good ones flow, the bad one is refused by name, once, as an event and a log line`, () =>
      onStage(
        row,
        products.map((product) => Channel.make(channel, product)),
        ({ events, feed, logs, simulation }) =>
          Effect.gen(function*() {
            yield* TestClock.adjust("30 minutes")
            for (const product of row.good) {
              const found = events.some((event) => MarketEvent.isMarketData(event) && event.product === product)
              assert.isTrue(found, product)
            }
            const [error, ...others] = errorsOf(events)
            assert.deepStrictEqual(others, [])
            assert.include(error, `subscription to ${channel} of ${row.bad} refused: `)
            assert.match(error ?? "", row.reason)
            assert.lengthOf(logs.filter((line) => line.includes("subscription refused")), 1)
            assert.deepInclude(yield* standingsOf(feed.connection), {
              [row.good[0]]: "confirmed",
              [row.good[1]]: "confirmed",
              [row.bad]: "refused"
            })
            assert.strictEqual(simulation.host.dials.length, 1)
            assert.deepStrictEqual(events.filter(({ _tag }) => _tag === "Stale"), [])
          })
      ))
  }
})

describe("a refusal", () => {
  const one = { name: "deribit", good: ["BTC-PERPETUAL", "ETH-PERPETUAL"] } as const

  it.effect("in the form of an empty list is no confirmation: Deribit", () =>
    onStage(one, [Channel.make("trades.100ms", "NO-SUCH")], ({ events, feed }) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(errorsOf(events), [
          "subscription to trades.100ms of NO-SUCH refused: the venue confirmed nothing"
        ])
        assert.deepStrictEqual(events.filter(({ _tag }) => _tag === "Subscribed"), [])
        assert.deepStrictEqual(yield* standingsOf(feed.connection), { "NO-SUCH": "refused" })
      })))

  it.effect("in the form of a list that lacks it is told at once, whatever else the list holds: Coinbase", () =>
    onStage(
      { name: "coinbase", good: ["BTC-USD", "ETH-USD"] },
      [Channel.make("ticker", "BTC-USD"), Channel.make("market_trades", "NO-SUCH")],
      ({ events, feed }) =>
        Effect.gen(function*() {
          assert.deepStrictEqual(errorsOf(events), [
            "subscription to market_trades of NO-SUCH refused: not among what the venue confirmed"
          ])
          assert.deepStrictEqual(yield* standingsOf(feed.connection), {
            "BTC-USD": "confirmed",
            "NO-SUCH": "refused",
            heartbeats: "confirmed"
          })
        }),
      // An acknowledgement without what is not listed, in place of an error.
      (server) => ({
        ...server,
        receive: (session, frame, floor) => {
          const answer = server.receive(session, frame, floor)
          const isRefused = answer.replies.some(({ text }) => text.includes("not a valid product"))
          return isRefused
            ? server.receive(session, "{\"type\":\"unsubscribe\",\"channel\":\"candles\",\"product_ids\":[]}", floor)
            : answer
        }
      })
    ))

  it.effect("is not concluded from the answers to what somebody else sends", () =>
    onStage({ name: "coinbase", good: ["BTC-USD", "ETH-USD"] }, [], ({ events, feed }) =>
      Effect.gen(function*() {
        const query = JSON.stringify({ type: "unsubscribe", channel: "candles", product_ids: ["BTC-USD"] })
        for (let sent = 0; sent < 4; sent++) yield* feed.connection.send(query)
        yield* feed.connection.subscribe([
          Channel.make("ticker", "BTC-USD"),
          Channel.make("market_trades", "NO-SUCH"),
          Channel.make("market_trades", "ETH-USD")
        ])
        yield* TestClock.adjust("9 seconds")
        assert.deepStrictEqual(errorsOf(events), [])
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(errorsOf(events), [
          "subscription to market_trades of NO-SUCH refused: not among what the venue confirmed"
        ])
        assert.deepInclude(yield* standingsOf(feed.connection), { "BTC-USD": "confirmed", "ETH-USD": "confirmed" })
      })))

  it.effect("is concluded in time, also where somebody else begins to send while its answer is under way", () =>
    onStage({ name: "coinbase", good: ["BTC-USD", "ETH-USD"] }, [], ({ events, feed }) =>
      Effect.gen(function*() {
        yield* feed.connection.subscribe([
          Channel.make("ticker", "BTC-USD"),
          Channel.make("market_trades", "NO-SUCH"),
          Channel.make("market_trades", "ETH-USD")
        ])
        const query = JSON.stringify({ type: "unsubscribe", channel: "candles", product_ids: ["BTC-USD"] })
        yield* feed.connection.send(query)
        yield* TestClock.adjust("12 seconds")
        assert.deepStrictEqual(errorsOf(events), [
          "subscription to market_trades of NO-SUCH refused: not among what the venue confirmed"
        ])
      })))

  it.effect("in the form of no answer is told when the time is up, and the others go on", () =>
    onStage(
      { name: "kraken", good: ["BTC/USD", "ETH/USD"] },
      [Channel.make("trade", "BTC/USD"), Channel.make("trade", "ETH/USD")],
      ({ events, feed, simulation }) =>
        Effect.gen(function*() {
          yield* TestClock.adjust("1999 millis")
          assert.deepStrictEqual(errorsOf(events), [])
          yield* TestClock.adjust(1)
          assert.deepStrictEqual(errorsOf(events), [
            "subscription to trade of ETH/USD refused: no answer within 3000 ms"
          ])
          yield* TestClock.adjust("1 hour")
          assert.deepInclude(yield* standingsOf(feed.connection), { "BTC/USD": "confirmed", "ETH/USD": "refused" })
          assert.strictEqual(simulation.host.dials.length, 1)
          // It may be subscribed to nevertheless, so it is given up when nobody wants it any more.
          yield* feed.connection.unsubscribe([Channel.make("trade", "ETH/USD")])
          yield* TestClock.adjust("1 second")
          assert.include(simulation.heard.map(({ text }) => text).join(), "unsubscribe")
        }),
      (server) => ({
        ...server,
        receive: (session, frame, floor) =>
          String(frame).includes("ETH/USD") ? { session, replies: [] } : server.receive(session, frame, floor)
      }),
      { acknowledgementTimeout: Duration.seconds(3) }
    ))

  it.effect("without anything confirmed fails the restore: the epoch is to blame, not the product", () =>
    onStage(
      { name: "kraken", good: ["BTC/USD", "ETH/USD"] },
      [Channel.make("trade", "BTC/USD")],
      ({ events, simulation }) =>
        Effect.gen(function*() {
          yield* TestClock.adjust("20 seconds")
          assert.isAbove(simulation.host.dials.length, 1)
          const reasons = events.flatMap((event) => event._tag === "Connection" ? [event.reason ?? ""] : [])
          assert.isTrue(reasons.some((reason) => /no answer to the subscription of trade of BTC\/USD/.test(reason)))
        }),
      (server) => ({ ...server, receive: (session) => ({ session, replies: [] }) })
    ))

  it.effect("that comes within the write is not missed, whoever waits for it, and later ones are told it, too", () =>
    onStage(
      { name: "kraken", good: ["BTC/USD", "ETH/USD"] },
      [Channel.make("trade", "BTC/USD")],
      ({ events, feed, simulation }) =>
        Effect.gen(function*() {
          for (let time = 1; time <= 2; time++) {
            const both = yield* Effect.forkChild(Effect.all([
              Effect.flip(Stream.runDrain(feed.trades("NO/SUCH"))),
              Effect.flip(Stream.runDrain(feed.trades("NO/SUCH")))
            ], { concurrency: 2 }))
            yield* TestClock.adjust("1 second")
            const errors = yield* Fiber.join(both)
            assert.deepStrictEqual(errors.map(({ _tag }) => _tag), ["SubscriptionRefused", "SubscriptionRefused"])
            assert.lengthOf(errorsOf(events), time)
          }
          assert.notInclude(simulation.heard.map(({ text }) => text).join(), "unsubscribe")
        })
    ))

  it.effect("is no more where the same is wanted anew: it is asked for again", () =>
    onStage(
      { name: "kraken", good: ["BTC/USD", "ETH/USD"] },
      [Channel.make("trade", "BTC/USD")],
      ({ events, feed }) =>
        Effect.gen(function*() {
          for (let time = 1; time <= 2; time++) {
            yield* feed.connection.subscribe([Channel.make("trade", "NO/SUCH")])
            yield* TestClock.adjust("1 second")
            assert.lengthOf(errorsOf(events), time)
            assert.deepStrictEqual(yield* standingsOf(feed.connection), {
              "BTC/USD": "confirmed",
              "NO/SUCH": "refused"
            })
          }
        })
    ))

  it.effect("of a product is that of no product whose name begins alike", () =>
    onStage(
      { name: "coinbase-exchange", good: ["BTC-USD", "ETH-USD"] },
      [Channel.make("matches", "BTC-USD"), Channel.make("matches", "BTC-USDX")],
      ({ feed }) =>
        Effect.gen(function*() {
          assert.deepStrictEqual(yield* standingsOf(feed.connection), { "BTC-USD": "confirmed", "BTC-USDX": "refused" })
        })
    ))

  it.effect("of a channel alone is not laid at the door of a product: dYdX's limit", () =>
    onStage(
      { name: "dydx", good: ["BTC-USD", "ETH-USD"] },
      [Channel.make("v4_trades", "BTC-USD"), Channel.make("v4_trades", "ETH-USD")],
      ({ events, feed }) =>
        Effect.gen(function*() {
          assert.deepStrictEqual(errorsOf(events), [
            "Per-connection subscription limit reached for v4_trades (limit=1)."
          ])
          assert.deepStrictEqual(yield* standingsOf(feed.connection), { "BTC-USD": "asked", "ETH-USD": "asked" })
          yield* TestClock.adjust("1 minute")
          assert.deepStrictEqual(yield* standingsOf(feed.connection), { "BTC-USD": "confirmed", "ETH-USD": "asked" })
        }),
      // The confirmation takes its time, the refusal does not.
      (server) => ({
        ...server,
        receive: (session, frame, floor) => {
          const answer = server.receive(session, frame, floor)
          const message = "Per-connection subscription limit reached for v4_trades (limit=1)."
          return String(frame).includes("ETH-USD")
            ? { session, replies: [{ text: JSON.stringify({ type: "error", message }), data: undefined }] }
            : { ...answer, replies: [] }
        }
      })
    ))

  it.effect("that names nothing is found among many: Binance refuses a request for one stream", () =>
    onStage(
      { name: "binance", good: ["BTCUSDT", "ETHUSDT"] },
      [
        Channel.make("trade", "BTCUSDT"),
        Channel.make("nonsense", "BTCUSDT"),
        Channel.make("trade", "ETHUSDT"),
        Channel.make("ticker", "ETHUSDT")
      ],
      ({ events, feed }) =>
        Effect.gen(function*() {
          yield* TestClock.adjust("10 seconds")
          assert.deepStrictEqual(errorsOf(events), [
            "subscription to nonsense of BTCUSDT refused: Invalid request: invalid stream"
          ])
          const standings = (yield* feed.health).subscriptions
          assert.deepStrictEqual(
            standings.map(({ channel, standing }) => `${channel.channel} ${channel.product} ${standing}`),
            [
              "trade BTCUSDT confirmed",
              "nonsense BTCUSDT refused",
              "trade ETHUSDT confirmed",
              "ticker ETHUSDT confirmed"
            ]
          )
        })
    ))
})

/** The acknowledgements do not come; what else there is does. */
const withoutAnswers = (server: MockVenue): MockVenue => ({
  ...server,
  receive: (session, frame, floor) => {
    const answer = server.receive(session, frame, floor)
    return { ...answer, replies: answer.replies.filter(({ beat, data }) => data !== undefined || beat === true) }
  }
})

describe.each([...rows, { name: "binance", good: ["BTCUSDT", "ETHUSDT"] } as const])(
  "data without an acknowledgement at $name",
  (row) => {
    it.effect("confirms, and the connection lives", () => {
      const { client } = venueOf(row.name)
      const channels = row.good.map((product) => Channel.make(client.channels.trade ?? "", product))
      return onStage(row, channels, ({ events, feed, simulation }) =>
        Effect.gen(function*() {
          yield* TestClock.adjust("1 hour")
          assert.strictEqual(simulation.host.dials.length, 1)
          const standings = yield* standingsOf(feed.connection)
          for (const product of row.good) assert.strictEqual(standings[product], "confirmed")
          assert.deepStrictEqual(errorsOf(events), [])
        }), withoutAnswers)
    })
  }
)
