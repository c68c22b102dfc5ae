/** What the mock venues send of two products for a few seconds, as tests of decoders want it. */
import * as BinanceMessages from "@tickline/core/venue/binance/Messages"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as CoinbaseDerivatives from "@tickline/core/venue/coinbase-derivatives/Venue"
import * as CoinbaseExchangeMessages from "@tickline/core/venue/coinbase-exchange/Messages"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as CoinbaseMessages from "@tickline/core/venue/coinbase/Messages"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import * as DeribitMessages from "@tickline/core/venue/deribit/Messages"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import * as Dydx from "@tickline/core/venue/dydx/Venue"
import * as Generic from "@tickline/core/venue/generic/Venue"
import * as HyperliquidMessages from "@tickline/core/venue/hyperliquid/Messages"
import * as Hyperliquid from "@tickline/core/venue/hyperliquid/Venue"
import * as KrakenMessages from "@tickline/core/venue/kraken/Messages"
import * as Kraken from "@tickline/core/venue/kraken/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Market from "@tickline/testing/Market"
import * as MockBinance from "@tickline/testing/MockBinance"
import * as MockCoinbase from "@tickline/testing/MockCoinbase"
import * as MockCoinbaseDerivatives from "@tickline/testing/MockCoinbaseDerivatives"
import * as MockCoinbaseExchange from "@tickline/testing/MockCoinbaseExchange"
import * as MockDeribit from "@tickline/testing/MockDeribit"
import * as MockDydx from "@tickline/testing/MockDydx"
import * as MockGeneric from "@tickline/testing/MockGeneric"
import * as MockHyperliquid from "@tickline/testing/MockHyperliquid"
import * as MockKraken from "@tickline/testing/MockKraken"
import * as MockVenue from "@tickline/testing/MockVenue"

/** A venue, its mock, and the channels to ask for. */
export interface Case {
  readonly make: () => Venue
  readonly server: MockVenue.MockVenue
  readonly asks: ReadonlyArray<string>
}

/** All venues that have a decoder of their own. */
export const cases: ReadonlyArray<Case> = [
  {
    make: () => ({ ...CoinbaseExchange.venue, ...CoinbaseExchangeMessages.make() }),
    server: MockCoinbaseExchange.make(),
    asks: ["matches", "ticker", "level2_batch", "heartbeat"]
  },
  {
    make: () => ({ ...Coinbase.venue, ...CoinbaseMessages.make() }),
    server: MockCoinbase.make(),
    asks: ["market_trades", "ticker", "level2", "heartbeats"]
  },
  {
    make: () => ({ ...Binance.venue, ...BinanceMessages.make() }),
    server: MockBinance.make(),
    asks: ["trade", "aggTrade", "bookTicker", "ticker", "depth@100ms", "depth5@100ms"]
  },
  {
    make: () => ({ ...Kraken.venue, ...KrakenMessages.make() }),
    server: MockKraken.make(),
    asks: ["trade", "ticker", "book", "book-25"]
  },
  {
    make: () => ({ ...Deribit.venue, ...DeribitMessages.make("deribit") }),
    server: MockDeribit.make(),
    asks: ["trades.100ms", "ticker.100ms", "incremental_ticker", "quote", "book.100ms", "book.none.10.100ms"]
  },
  {
    make: () => ({ ...CoinbaseDerivatives.venue, ...DeribitMessages.make("coinbase-derivatives") }),
    server: MockCoinbaseDerivatives.make(),
    asks: ["trades.100ms", "ticker.100ms", "book.100ms"]
  },
  {
    make: () => ({ ...Hyperliquid.venue, ...HyperliquidMessages.make() }),
    server: MockHyperliquid.make(),
    asks: ["trades", "bbo", "l2Book", "allMids"]
  },
  { make: () => Dydx.make(), server: MockDydx.make(), asks: ["v4_trades", "v4_orderbook", "v4_markets"] },
  { make: () => Generic.make(), server: MockGeneric.make(), asks: ["price"] }
]

/** What a mock sends of two products for a few seconds. */
export const framesOf = ({ asks, make, server }: Case): ReadonlyArray<string> => {
  const products = Market.products.slice(0, 2)
  const markets = new Map(products.map((product) => [product.symbol, Market.make(product, { seed: 1, atMillis: 0 })]))
  const floor = { atMillis: 1_700_000_000_000, market: (product: string) => markets.get(product) }
  const channels = asks.flatMap((channel) => products.map(({ symbol }) => ({ channel, product: symbol })))
  let session = MockVenue.newSession
  const texts: Array<string> = []
  for (const { text: request } of make().subscribe(channels, 1)) {
    const answer = server.receive(session, request, floor)
    session = answer.session
    for (const { text } of answer.replies) texts.push(text)
  }
  for (let at = 1; at <= 12; at++) {
    for (const [product, market] of markets) {
      const next = Market.next(market, at * 1_000)
      markets.set(product, next)
      for (const { text } of server.publish(session, next.last, floor)) texts.push(text)
    }
    for (const { text } of server.heartbeat(session, { ...floor, atMillis: floor.atMillis + at * 1_000 })) {
      texts.push(text)
    }
  }
  return texts
}
