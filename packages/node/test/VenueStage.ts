/** What the tests of a venue against its mock server have in common: the venues, a stage for each, and what is seen there. */
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type { AnyEvent, MarketEvent } from "@tickline/core/event/MarketEvent"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import type { Channel } from "@tickline/core/value/Channel"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import * as Dydx from "@tickline/core/venue/dydx/Venue"
import * as Generic from "@tickline/core/venue/generic/Venue"
import * as Hyperliquid from "@tickline/core/venue/hyperliquid/Venue"
import * as Kraken from "@tickline/core/venue/kraken/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as NodeTransport from "@tickline/node/NodeTransport"
import type * as Market from "@tickline/testing/Market"
import type * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Stream from "effect/Stream"

/** A venue, what is asked of its mock, and what must be seen on the wire and come of it. */
export interface Row {
  readonly venue: Venue
  readonly path: string
  readonly product: string
  /** What a subscription to the product's trades and ticker looks like, and again after a reconnect, where it differs. */
  readonly asks: ReadonlyArray<string>
  readonly asksAgain?: ReadonlyArray<string>
  /** What giving the trades up and asking for them again looks like, once they alone were asked for. */
  readonly renewal: ReadonlyArray<string>
  /** What the venue refuses, and in which words. */
  readonly refused: Channel
  readonly words: RegExp
}

export const rows: ReadonlyArray<Row> = [
  {
    venue: Coinbase.venue,
    path: "",
    product: "BTC-USD",
    asks: [
      `{"type":"subscribe","product_ids":["BTC-USD"],"channel":"market_trades"}`,
      `{"type":"subscribe","product_ids":["BTC-USD"],"channel":"ticker"}`,
      `{"type":"subscribe","channel":"heartbeats"}`
    ],
    renewal: [
      `{"type":"unsubscribe","product_ids":["BTC-USD"],"channel":"market_trades"}`,
      `{"type":"subscribe","product_ids":["BTC-USD"],"channel":"market_trades"}`
    ],
    refused: { channel: "market_trades", product: "NO-SUCH" },
    words: /the venue confirmed nothing/
  },
  {
    venue: CoinbaseExchange.venue,
    path: "",
    product: "BTC-USD",
    asks: [
      `{"type":"subscribe","product_ids":["BTC-USD"],"channels":["matches","ticker"]}`
    ],
    renewal: [
      `{"type":"unsubscribe","product_ids":["BTC-USD"],"channels":["matches"]}`,
      `{"type":"subscribe","product_ids":["BTC-USD"],"channels":["matches"]}`
    ],
    refused: { channel: "matches", product: "NO-SUCH" },
    words: /Failed to subscribe: NO-SUCH is not a valid product/
  },
  {
    venue: Binance.venue,
    path: "/stream",
    product: "BTCUSDT",
    asks: [
      `{"method":"SUBSCRIBE","params":["btcusdt@trade","btcusdt@ticker"],"id":1}`
    ],
    asksAgain: [
      `{"method":"SUBSCRIBE","params":["btcusdt@trade","btcusdt@ticker"],"id":2}`
    ],
    renewal: [
      `{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":2}`,
      `{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":3}`
    ],
    // A stream of no listed product is acknowledged there; one of no known kind is refused.
    refused: { channel: "nonsense", product: "BTCUSDT" },
    words: /invalid stream/
  },
  {
    venue: Kraken.venue,
    path: "/v2",
    product: "BTC/USD",
    asks: [
      `{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"],"snapshot":true},"req_id":1}`,
      `{"method":"subscribe","params":{"channel":"ticker","symbol":["BTC/USD"],"snapshot":true},"req_id":2}`
    ],
    asksAgain: [
      `{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"],"snapshot":true},"req_id":3}`,
      `{"method":"subscribe","params":{"channel":"ticker","symbol":["BTC/USD"],"snapshot":true},"req_id":4}`
    ],
    renewal: [
      `{"method":"unsubscribe","params":{"channel":"trade","symbol":["BTC/USD"]},"req_id":2}`,
      `{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"],"snapshot":true},"req_id":3}`
    ],
    refused: { channel: "trade", product: "NO/SUCH" },
    words: /Currency pair not supported NO\/SUCH/
  },
  {
    venue: Deribit.venue,
    path: "/ws/api/v2",
    product: "BTC-PERPETUAL",
    asks: [
      `{"jsonrpc":"2.0","id":1,"method":"public/subscribe","params":{"channels":["trades.BTC-PERPETUAL.100ms","ticker.BTC-PERPETUAL.100ms"]}}`
    ],
    asksAgain: [
      `{"jsonrpc":"2.0","id":2,"method":"public/subscribe","params":{"channels":["trades.BTC-PERPETUAL.100ms","ticker.BTC-PERPETUAL.100ms"]}}`
    ],
    renewal: [
      `{"jsonrpc":"2.0","id":-2,"method":"public/unsubscribe","params":{"channels":["trades.BTC-PERPETUAL.100ms"]}}`,
      `{"jsonrpc":"2.0","id":3,"method":"public/subscribe","params":{"channels":["trades.BTC-PERPETUAL.100ms"]}}`
    ],
    refused: { channel: "trades.100ms", product: "NO-SUCH" },
    // It leaves out of its answer what it does not list.
    words: /the venue confirmed nothing/
  },
  {
    venue: Hyperliquid.venue,
    path: "/ws",
    product: "BTC",
    asks: [
      `{"method":"subscribe","subscription":{"type":"trades","coin":"BTC"}}`,
      `{"method":"subscribe","subscription":{"type":"bbo","coin":"BTC"}}`
    ],
    renewal: [
      `{"method":"unsubscribe","subscription":{"type":"trades","coin":"BTC"}}`,
      `{"method":"subscribe","subscription":{"type":"trades","coin":"BTC"}}`
    ],
    refused: { channel: "trades", product: "NOSUCH" },
    words: /Invalid subscription .*NOSUCH/
  },
  {
    venue: Dydx.venue,
    path: "/v4/ws",
    product: "BTC-USD",
    asks: [
      `{"type":"subscribe","channel":"v4_trades","id":"BTC-USD","batched":true}`,
      `{"type":"subscribe","channel":"v4_markets","batched":true}`
    ],
    renewal: [
      `{"type":"unsubscribe","channel":"v4_trades","id":"BTC-USD"}`,
      `{"type":"subscribe","channel":"v4_trades","id":"BTC-USD","batched":true}`
    ],
    refused: { channel: "v4_trades", product: "NO-SUCH" },
    words: /Invalid subscription id for channel: \(v4_trades-NO-SUCH\)/
  },
  {
    venue: Generic.venue,
    path: "",
    product: "BTC-USD",
    asks: [
      `{"type":"subscribe","product_ids":["BTC-USD"]}`
    ],
    renewal: [
      `{"type":"unsubscribe","product_ids":["BTC-USD"]}`,
      `{"type":"subscribe","product_ids":["BTC-USD"]}`
    ],
    refused: { channel: "price", product: "NO-SUCH" },
    words: /unknown product NO-SUCH/
  }
]

/** The mock, and every tick of which it told anybody, in order. */
export const recorded = (name: string) => {
  const venue = MockVenues.byName(name)
  if (venue === undefined) throw new Error(`no mock of ${name}`)
  const ticks = new Set<Market.Tick>()
  const recording: MockVenue.MockVenue = {
    ...venue,
    receive: (session, frame, floor) =>
      venue.receive(session, frame, {
        ...floor,
        market: (product) => {
          const market = floor.market(product)
          if (market !== undefined) ticks.add(market.last)
          return market
        }
      }),
    publish: (session, tick, floor) => {
      ticks.add(tick)
      return venue.publish(session, tick, floor)
    }
  }
  return { venue: recording, ticks }
}

/** Times short enough for a test, and long enough for a busy machine. */
export const quick: ConnectionPolicy.ConnectionPolicy = {
  ...Presets.test,
  circuit: "none",
  connectTimeout: Duration.millis(400),
  acknowledgementTimeout: Duration.millis(400)
}

/** Frames a second of the mock venues. */
export const rate = 200

export const attentive: ConnectionPolicy.ConnectionPolicy = {
  ...quick,
  heartbeat: { interval: Duration.millis(60), timeout: Duration.millis(250), onMiss: "close" }
}

/** The venue, its own way of keeping alive in a hurry. */
export const hurried = (venue: Venue): Venue => {
  const { keepAlive } = venue
  switch (keepAlive._tag) {
    case "Application":
      return { ...venue, keepAlive: { ...keepAlive, everyMillis: 60 } }
    case "Server":
    case "Requested":
      return { ...venue, keepAlive: { ...keepAlive, withinMillis: 60 } }
    default:
      return venue
  }
}

export interface Stage {
  readonly server: MockServer.MockServer
  readonly ticks: ReadonlySet<Market.Tick>
  readonly feed: MarketFeed.MarketFeed["Service"]
  /** Everything that the feed told, and why each epoch ended. */
  readonly events: ReadonlyArray<AnyEvent>
  readonly failures: ReadonlyArray<string>
  /** The messages that a connection has sent, those that keep it alive apart. */
  readonly sent: (connection: number) => ReadonlyArray<string>
}

export const isAlive = (text: string): boolean => /"(?:ping|public\/test|public\/set_heartbeat)"/.test(text)

export const onStage = <A, E>(
  row: Row,
  options: {
    readonly server?: Partial<MockServer.Options>
    readonly feed?: MarketFeed.Options
    readonly policy?: ConnectionPolicy.ConnectionPolicy
    readonly products?: ReadonlyArray<string>
  },
  use: (stage: Stage) => Effect.Effect<A, E>
) =>
  Effect.gen(function*() {
    const { ticks, venue } = recorded(row.venue.name)
    const products = [row.product, ...options.products ?? []].map((symbol) => ({
      symbol,
      price: "43250.10",
      size: "0.05000000"
    }))
    const server = yield* MockServer.make({ venue, products, rate, seed: 7, ...options.server })
    return yield* Effect.gen(function*() {
      const feed = yield* MarketFeed.prepare(row.venue, {
        url: server.url + row.path,
        freshness: "none",
        ...options.feed
      })
      const events: Array<AnyEvent> = []
      const failures: Array<string> = []
      yield* feed.events().pipe(
        Stream.runForEach((event) => Effect.sync(() => void events.push(event))),
        Effect.forkScoped({ startImmediately: true })
      )
      yield* feed.connection.state.transitions.pipe(
        Stream.runForEach(({ to }) =>
          Effect.sync(() => {
            if (to._tag === "Reconnecting") failures.push(to.failure?._tag ?? "")
          })
        ),
        Effect.forkScoped({ startImmediately: true })
      )
      yield* feed.connection.connect
      const sent = (connection: number) =>
        server.arrivals().flatMap((one) =>
          one.connection === connection && one.kind === "message" && !isAlive(one.text) ? [one.text] : []
        )
      return yield* use({ server, ticks, feed, events, failures, sent })
    }).pipe(
      Effect.scoped,
      Effect.provide(Layer.merge(Reconnection.layerWithBreaker(options.policy ?? quick), NodeTransport.layer)),
      Effect.provideService(References.MinimumLogLevel, "None")
    )
  })

export const until = (condition: () => boolean) =>
  Effect.gen(function*() {
    while (!condition()) yield* Effect.sleep(2)
  })

export const confirmed = ({ feed }: Stage) =>
  Effect.gen(function*() {
    while (true) {
      const standings = (yield* feed.health).subscriptions
      if (standings.length > 0 && standings.every(({ standing }) => standing === "confirmed")) return
      yield* Effect.sleep(2)
    }
  })

/** What a consumer asks for: the product's trades and its ticker; the generic venue has one channel for both. */
export const channelsOf = ({ product, venue }: Row): ReadonlyArray<Channel> =>
  [
    ...new Set([venue.channels.trade ?? "", venue.channels.ticker ?? ""])
  ].map((channel) => venue.wholeChannels?.has(channel) ? { channel } : { channel, product })

export const text = (decimal: Decimal.Decimal | undefined): string | undefined =>
  decimal === undefined ? undefined : Decimal.format(decimal)

/** Whether every member of the event is that of one tick, to the digit. */
export const isOf = (tick: Market.Tick, event: MarketEvent): boolean => {
  const same = (pairs: ReadonlyArray<readonly [string | undefined, string]>) =>
    pairs.every(([got, sent]) => got === undefined || got === sent)
  switch (event._tag) {
    case "Trade":
      return same([[text(event.price), tick.price], [text(event.size), tick.size], [event.side, tick.side]])
    case "PriceUpdate":
      return same([[text(event.price), tick.price]])
    case "Ticker":
      return same([
        [text(event.price), tick.price],
        [text(event.bid), tick.bid[0]],
        [text(event.bidSize), tick.bid[1]],
        [text(event.ask), tick.ask[0]],
        [text(event.askSize), tick.ask[1]]
      ])
    default:
      return false
  }
}

export const priced = (events: ReadonlyArray<AnyEvent>): ReadonlyArray<MarketEvent> =>
  events.filter((event) => event._tag === "Trade" || event._tag === "Ticker" || event._tag === "PriceUpdate")

/** Without the request's number, which depends on how many went before. */
export const unnumbered = (text: string): string => text.replace(/"(id|req_id)":-?\d+/, "\"$1\":0")

/** The trades alone. */
export const tradesOf = ({ product, venue }: Row): Channel => ({ channel: venue.channels.trade ?? "", product })

/** The venues whose answers repeat the request's id, so that a missing one is known to be missing. */
export const numbered = new Set(["binance", "kraken", "deribit"])

/** A limit of which a test sees several windows. Those two that are short enough are the venues' own. */
export const limitOf = (venue: Venue): { readonly limit: number; readonly windowMillis: number } => {
  const own = venue.limits.find(({ of }) => of === "messages")
  return own?.windowMillis !== undefined && own.windowMillis <= 1_000 && own.limit <= 8
    ? { limit: own.limit, windowMillis: own.windowMillis }
    : { limit: 4, windowMillis: 600 }
}

// At once: each waits most of its time.
