/** The clients that the transport's benchmarks compare, each reading `count` frames of one connection. */
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Presets from "@tickline/core/resilience/Presets"
import type { Transport } from "@tickline/core/transport/Transport"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { WebSocket } from "ws"
import { peer } from "./Peers.ts"
import * as Served from "./Served.ts"

/** The start of the server's process, and its end. */
export const serve = async (): Promise<{ readonly url: string; readonly stop: () => void }> => {
  const { child, url } = await Served.start("./FloodServer.ts")
  return { url, stop: () => child.disconnect() }
}

/** Reads with `ws` and `JSON.parse`: what everything is compared with. */
export const raw = (url: string, count: number, onPrice: (price: string) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false })
    let left = count
    socket.on("error", reject)
    socket.on("open", () => socket.send("go"))
    socket.on("message", (data) => {
      onPrice(JSON.parse(data.toString()).price)
      if (--left === 0) {
        socket.close()
        resolve()
      }
    })
  })

/** Reads exact trades with Tickline, by so many consumers of one connection. */
export const tickline = (
  url: string,
  count: number,
  consumers: number,
  onTrades: (trades: number) => void,
  transport: Layer.Layer<Transport> = NodeTransport.layer
): Promise<void> =>
  Effect.gen(function*() {
    const feed = yield* MarketFeed.MarketFeed
    const consume = Effect.suspend(() => {
      let left = count
      return feed.trades("BTC-USD").pipe(
        Stream.runForEachArray((trades) => {
          onTrades(trades.length)
          left -= trades.length
          return left > 0 ? Effect.void : Effect.fail("done" as const)
        }),
        Effect.catchIf((error) => error === "done", () => Effect.void)
      )
    })
    yield* Effect.all(Array.from({ length: consumers }, () => consume), { concurrency: "unbounded", discard: true })
  }).pipe(
    Effect.provide(
      MarketFeed.layer(CoinbaseExchange.venue, { url }).pipe(
        Layer.provide(Reconnection.layerWithBreaker(Presets.preset("fast"))),
        Layer.provide(transport)
      )
    ),
    Effect.provideService(References.MinimumLogLevel, "None"),
    Effect.runPromise
  )

const layer = Layer.merge(
  Reconnection.layerWithBreaker(Presets.preset("fast")),
  NodeTransport.layer
)

type Requirements = Layer.Success<typeof layer> | Scope.Scope

// A feed that asks for all of the products at once, connected when everybody listens.
const prepare = (url: string, products: ReadonlyArray<string>, observe: MarketFeed.Options["observe"]) =>
  MarketFeed.prepare(CoinbaseExchange.venue, {
    url,
    channels: products.map((product) => ({ channel: "matches", product })),
    observe
  })

// Runs a client of such a feed, and gives how many frames a second came from the first of them on: what a thousand
// subscriptions cost to ask for is no part of what their messages do.
const measured = (
  count: number,
  run: (onTrades: (trades: number) => void) => Effect.Effect<MarketFeed.MarketFeed["Service"], never, Requirements>
): Promise<number> =>
  Effect.gen(function*() {
    const done = yield* Deferred.make<void>()
    let left = count
    let begun = 0
    const feed = yield* run((trades) => {
      if (left === count) begun = performance.now()
      left -= trades
      if (left <= 0) Deferred.doneUnsafe(done, Effect.void)
    })
    yield* feed.connection.connect
    yield* Deferred.await(done)
    return count / (performance.now() - begun) * 1_000
  }).pipe(
    Effect.scoped,
    Effect.provide(layer),
    Effect.provideService(References.MinimumLogLevel, "None"),
    Effect.runPromise
  )

/** Reads exact trades by a stream for each product; gives the frames a second. */
export const streams = (url: string, count: number, products: ReadonlyArray<string>): Promise<number> =>
  measured(count, (onTrades) =>
    Effect.gen(function*() {
      const feed = yield* prepare(url, products, [])
      const consume = (product: string) =>
        Stream.runForEachArray(feed.trades(product), (trades) => {
          onTrades(trades.length)
          return Effect.void
        })
      yield* Effect.forEach(products, (product) => Effect.forkScoped(consume(product), { startImmediately: true }))
      return feed
    }))

/** Reads exact trades by one observer, which keeps a count for each product; gives the frames a second. */
export const observer = (
  url: string,
  count: number,
  products: ReadonlyArray<string>,
  onBatch: () => void = () => {}
): Promise<number> =>
  measured(count, (onTrades) =>
    Effect.gen(function*() {
      const counts = new Map(products.map((product) => [product, { trades: 0 }]))
      const feed = yield* prepare(url, products, [{
        name: "counts",
        attach: () => ({
          batch: ({ messages }) => {
            onBatch()
            let trades = 0
            for (const event of messages) {
              if (event._tag !== "Trade") continue
              const of = counts.get(event.product)
              if (of !== undefined) of.trades++
              trades++
            }
            onTrades(trades)
          },
          ended: () => {}
        })
      }])
      // Nothing is kept for a first consumer who never comes.
      yield* Effect.forkScoped(Stream.runDrain(feed.trades("none")), { startImmediately: true })
      return feed
    }))

interface Reconnecting {
  addEventListener: (type: "open" | "message", listener: (event: { data: string }) => void) => void
  send: (text: string) => void
  close: () => void
}

/** Reads with reconnecting-websocket over `ws`, and `JSON.parse`. */
export const reconnecting = async (url: string, count: number, onPrice: (price: string) => void): Promise<void> => {
  const Reconnecting = await peer<new(url: string, protocols: Array<string>, options: object) => Reconnecting>(
    "reconnecting-websocket"
  )
  return new Promise((resolve) => {
    const socket = new Reconnecting(url, [], { WebSocket })
    let left = count
    socket.addEventListener("open", () => socket.send("go"))
    socket.addEventListener("message", (event) => {
      onPrice(JSON.parse(event.data).price)
      if (--left === 0) {
        socket.close()
        resolve()
      }
    })
  })
}

interface CcxtExchange {
  urls: { api: { ws: string } }
  newUpdates: boolean
  setMarkets: (markets: object) => void
  /** What ccxt wants called before it dials `ws://` rather than `wss://`. */
  loadHttpProxyAgent: () => Promise<unknown>
  watchTrades: (symbol: string) => Promise<Array<{ price: number }>>
  close: () => Promise<void>
}

/** Reads with ccxt's `watchTrades`, its market metadata given so that it asks for none. */
export const ccxt = async (url: string, count: number, onTrades: (trades: number) => void): Promise<void> => {
  const library = await peer<{ pro: { coinbaseexchange: new(options: object) => CcxtExchange } }>("ccxt")
  const exchange = new library.pro.coinbaseexchange({ newUpdates: true, enableRateLimit: false })
  exchange.urls.api.ws = url
  await exchange.loadHttpProxyAgent()
  exchange.setMarkets({
    "BTC/USD": {
      id: "BTC-USD",
      symbol: "BTC/USD",
      base: "BTC",
      quote: "USD",
      baseId: "BTC",
      quoteId: "USD",
      type: "spot",
      spot: true,
      active: true,
      precision: { amount: 1e-8, price: 0.01 },
      limits: {}
    }
  })
  let left = count
  while (left > 0) {
    const trades = await exchange.watchTrades("BTC/USD")
    left -= trades.length
    onTrades(trades.length)
  }
  await exchange.close()
}
