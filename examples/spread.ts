/**
 * Several venues in one service: the best bid and ask of a product over three
 * venues, the gaps of each, and two pages, `/spread` and `/healthz`. Here the
 * venues are mocks on this machine, and the service stops after three seconds,
 * closing its sockets as it would at SIGTERM.
 *
 * Run: npx -y pnpm@12 exec node examples/spread.ts
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Coinbase, CoinbaseExchange, Decimal, Kraken, MarketFeeds, Presets, Quotes, Reconnection } from "@tickline/core"
import { NodeTransport } from "@tickline/node"
import * as Health from "@tickline/node/Health"
import { Fault, Market, MockCoinbase, MockCoinbaseExchange, MockKraken } from "@tickline/testing"
import { MockServer } from "@tickline/testing/node"
import { Console, Effect, Layer, Logger, Result, Stream } from "effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { createServer } from "node:http"

export const product = "BTC-USD"

const side = (of: Quotes.Side | undefined) => of && { venue: of.venue, price: Decimal.format(of.price) }

/** The best quotes as JSON; what is not live is said to be so. */
export const spread = Effect.gen(function*() {
  const quote = yield* (yield* Quotes.Quotes).get(product)
  if (quote._tag === "Unknown") return { product, state: quote._tag }
  const { _tag: state, ageMillis, ask, bid } = quote
  return { product, state, bid: side(bid), ask: side(ask), ageMillis }
})

/** Tells each change of the spread, and each gap at its begin and its end. */
export const watch = (tell: (line: string) => Effect.Effect<void>) =>
  Effect.gen(function*() {
    const feeds = yield* MarketFeeds.MarketFeeds
    const quotes = yield* Quotes.Quotes
    const best = Stream.map(quotes.changes(product), (quote) =>
      quote._tag === "Live"
        ? `${Decimal.format(quote.bid.price)} ${quote.bid.venue} | ${
          Decimal.format(quote.ask.price)
        } ${quote.ask.venue}`
        : quote._tag)
    const gaps = feeds.events({ overflow: "conflate" }).pipe(
      Stream.filter((event) => event._tag === "Gap"),
      Stream.map(({ channel, from, to, venue }) =>
        `gap of ${venue} in ${channel} from ${from} ${to ? `to ${to}` : "on"}`
      )
    )
    yield* Stream.runForEach(Stream.merge(Stream.changes(best), gaps), tell)
  })

/** The pages of the service. */
const pages = Layer.mergeAll(
  HttpRouter.add("GET", "/spread", Effect.map(spread, (body) => HttpServerResponse.jsonUnsafe(body))),
  Layer.unwrap(Effect.map(MarketFeeds.MarketFeeds, ({ all }) => Health.page(all)))
)

const mocks = Effect.gen(function*() {
  const faults = yield* Effect.fromResult(Result.all(["drop@1500ms"].map(Fault.parse)))
  const serve = (venue: MockServer.Options["venue"], faults: MockServer.Options["faults"] = []) =>
    Effect.map(
      MockServer.make({ venue, seed: 7, rate: 4, faults, products: Market.listedBy(venue) }),
      ({ url }) => url
    )
  return MarketFeeds.layer([
    { venue: Coinbase.venue, url: yield* serve(MockCoinbase.make()) },
    { venue: CoinbaseExchange.venue, url: yield* serve(MockCoinbaseExchange.make()) },
    { venue: Kraken.venue, url: yield* serve(MockKraken.make(), faults) }
  ])
})

const venues = Layer.unwrap(mocks).pipe(
  Layer.provide([NodeTransport.layer, Reconnection.layerWithBreaker(Presets.fast)])
)
const services = Layer.provideMerge(Quotes.layer({ products: [product] }), venues)
const http = HttpRouter.serve(pages, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
)

const program = Effect.gen(function*() {
  yield* Effect.forkScoped(watch(Console.log))
  yield* Effect.sleep("3 seconds")
  const address = yield* HttpServer.addressFormattedWith(Effect.succeed)
  for (const path of ["/spread", "/healthz"]) {
    const body = yield* Effect.promise(() => fetch(`${address}${path}`).then((response) => response.text()))
    yield* Console.log(`${path}: ${body.slice(0, 100)}`)
  }
})

if (import.meta.main) {
  const live = http.pipe(Layer.provideMerge(services), Layer.provideMerge(Logger.layer([])))
  NodeRuntime.runMain(program.pipe(Effect.scoped, Effect.provide(live)))
}
