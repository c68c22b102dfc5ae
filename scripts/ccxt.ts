/**
 * `pnpm ccxt`: a client that is not ours reads what the mock venues send.
 *
 * ccxt, installed into a folder of its own, is pointed at the mocks of Coinbase
 * Exchange, Binance, Kraken and Deribit by its URL options; it asks them over
 * HTTP what they list, and over a socket for trades, tickers and books. Each
 * trade and ticker that it gives out must be one that the mock sent, member by
 * member, and each book one that our own feed of the same mock held, level by
 * level, as the doubles that ccxt makes of them. Prints a table; exits 1 where
 * anything differs or is missing.
 */
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as OrderBook from "@tickline/core/market/OrderBook"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Venues from "@tickline/core/venue/Venues"
import * as NodeHttp from "@tickline/node/NodeHttp"
import * as NodeTransport from "@tickline/node/NodeTransport"
import type * as Market from "@tickline/testing/Market"
import type * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { peer } from "../benchmarks/Peers.ts"
import { installPeers } from "./peers.ts"

/** How many updates of each kind and product are read, and within how many milliseconds of the whole check. */
const wanted = 25
const withinMillis = 30_000

/** Trades a second, of all products of a venue: their trades and tickers are twice as many frames. */
const framesPerSecond = 200

interface Trade {
  readonly id: string
  readonly price: number
  readonly amount: number
  readonly side: string
  readonly timestamp: number
  readonly symbol: string
}

interface Ticker {
  readonly symbol: string
  readonly last: number
  readonly bid: number
  readonly ask: number
  readonly high: number
  readonly low: number
  readonly baseVolume: number
}

/** Prices and sizes as doubles; the number of the last change where the venue has one. */
interface Book {
  readonly symbol: string
  readonly bids: ReadonlyArray<readonly [price: number, size: number]>
  readonly asks: ReadonlyArray<readonly [price: number, size: number]>
  readonly nonce?: number | undefined
}

/** The members of a ccxt exchange that are used. */
interface Exchange {
  readonly loadHttpProxyAgent: () => Promise<unknown>
  readonly loadMarkets: () => Promise<Readonly<Record<string, unknown>>>
  readonly watchTrades: (symbol: string) => Promise<ReadonlyArray<Trade>>
  readonly watchTicker: (symbol: string) => Promise<Ticker>
  readonly watchOrderBook: (symbol: string) => Promise<Book>
  readonly close: () => Promise<void>
}

interface Ccxt {
  readonly pro: Readonly<Record<string, new(options: object) => Exchange>>
}

/** A venue: ccxt's name for it, where its options have URLs, and each product with ccxt's name for it. */
interface Subject {
  readonly venue: string
  readonly exchange: string
  readonly api: (http: string, ws: string) => object
  readonly options?: object
  /** What it wants to have before it asks for a book. */
  readonly credentials?: object
  /** Whether the number that it gives a book is the venue's own. */
  readonly isNumbered?: boolean
  /** Members of a ticker that this stream of the venue does not carry. */
  readonly without?: ReadonlyArray<keyof Ticker>
  readonly products: ReadonlyArray<readonly [product: Market.Product, symbol: string]>
}

const bitcoin = { price: "43250.10", size: "0.05000000" }
/** More digits than a double has, so that ccxt's and the mock's rounding must agree. */
const fine = { price: "2279.845612345678901230", size: "0.750000000000000000" }

const binance: Subject = {
  venue: "binance",
  isNumbered: true,
  exchange: "binance",
  api: (http, ws) => ({ public: `${http}/api/v3`, ws: { spot: `${ws}/ws` } }),
  options: { fetchMarkets: { types: ["spot"] } },
  products: [
    [{ symbol: "BTCUSDT", ...bitcoin }, "BTC/USDT"],
    [{ symbol: "ETHBTC", ...fine }, "ETH/BTC"]
  ]
}

const subjects: ReadonlyArray<Subject> = [
  {
    venue: "coinbase-exchange",
    exchange: "coinbaseexchange",
    credentials: { apiKey: "key", secret: "c2VjcmV0", password: "password" },
    api: (http, ws) => ({ public: http, private: http, ws }),
    products: [
      [{ symbol: "BTC-USD", ...bitcoin }, "BTC/USD"],
      [{ symbol: "WETH-DAI", ...fine }, "WETH/DAI"]
    ]
  },
  // Its own choice of ticker is `miniTicker`, which has no quotes.
  { ...binance, without: ["bid", "ask"] },
  { ...binance, options: { ...binance.options, watchTickers: { name: "ticker" } } },
  {
    venue: "kraken",
    exchange: "kraken",
    api: (http, ws) => ({ public: http, private: http, ws: { publicV2: `${ws}/v2` } }),
    products: [
      [{ symbol: "BTC/USD", ...bitcoin }, "BTC/USD"],
      [{ symbol: "SOL/EUR", ...fine }, "SOL/EUR"]
    ]
  },
  {
    venue: "deribit",
    exchange: "deribit",
    api: (http, ws) => ({ rest: http, ws: `${ws}/ws/api/v2` }),
    products: [
      [{ symbol: "BTC-PERPETUAL", ...bitcoin }, "BTC/USD:BTC"],
      [{ symbol: "ETH_USDC-PERPETUAL", ...fine }, "ETH/USDC:USDC"]
    ]
  }
]

/** The venue, and every tick of which it told anybody, by product. */
const recorded = (name: string) => {
  const venue = MockVenues.all.find((venue) => venue.name === name)
  if (venue === undefined) throw new Error(`no mock of ${name}`)
  const ticks = new Map<string, Map<number, Market.Tick>>()
  const record = (tick: Market.Tick): void => {
    const known = ticks.get(tick.product) ?? new Map<number, Market.Tick>()
    ticks.set(tick.product, known.set(tick.tradeId, tick))
  }
  const recording: MockVenue.MockVenue = {
    ...venue,
    receive: (session, frame, floor) =>
      venue.receive(session, frame, {
        ...floor,
        // What a subscription is greeted with is the market's last tick.
        market: (product) => {
          const market = floor.market(product)
          if (market !== undefined) record(market.last)
          return market
        }
      }),
    publish: (session, tick, floor) => {
      record(tick)
      return venue.publish(session, tick, floor)
    }
  }
  return { venue: recording, ticks: (product: string) => ticks.get(product) ?? new Map<number, Market.Tick>() }
}

/** The members that differ from the tick's, as doubles. */
const differences = (
  got: Readonly<Record<string, unknown>>,
  sent: Readonly<Record<string, unknown>>
): ReadonlyArray<string> =>
  Object.entries(sent).flatMap(([member, value]) =>
    got[member] === value ? [] : [`${member} ${String(got[member])}, sent ${String(value)}`]
  )

const ofTrade = (trade: Trade, tick: Market.Tick | undefined): ReadonlyArray<string> =>
  tick === undefined ? [`trade ${trade.id} was never sent`] : differences({ ...trade }, {
    price: Number(tick.price),
    amount: Number(tick.size),
    side: tick.side,
    timestamp: Date.parse(tick.timestamp)
  })

const tickerOf = (tick: Market.Tick, without: ReadonlyArray<string>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries({
      last: Number(tick.price),
      bid: Number(tick.bid[0]),
      ask: Number(tick.ask[0]),
      high: Number(tick.high),
      low: Number(tick.low),
      baseVolume: Number(tick.volume)
    }).filter(([member]) => !without.includes(member))
  )

/** A ticker has no id: it is that of the tick with its price and quotes that fits best. */
const ofTicker = (
  ticker: Ticker,
  ticks: Iterable<Market.Tick>,
  without: ReadonlyArray<string> = []
): ReadonlyArray<string> => {
  const found = [...ticks].map((tick) => differences({ ...ticker }, tickerOf(tick, without)))
    .sort((a, b) => a.length - b.length)
  return found[0] ?? ["no tick was sent"]
}

/** How many levels of each side are compared: as many as the least of the venues' books has. */
const depth = 10

/** A side's best levels, of which ccxt keeps those of the mock's that it was sent. */
const sideOf = (levels: Book["bids"]): string =>
  levels.slice(0, depth).map(([price, size]) => `${price} ${size}`).join(",")

const keyOf = ({ asks, bids }: Pick<Book, "asks" | "bids">): string => `${sideOf(bids)} | ${sideOf(asks)}`

/** The books that our own feed held, by what they hold, each with the numbers that it had then. */
const ourBooks = Effect.fnUntraced(function*(name: string, url: string, rest: string, products: ReadonlyArray<string>) {
  const venue = Venues.all.find((venue) => venue.name === name)
  if (venue === undefined) throw new Error(`no venue ${name}`)
  const feed = yield* MarketFeed.make(venue, { url, rest })
  const held = new Map(products.map((product) => [product, new Map<string, Set<string>>()]))
  const doubles = (levels: OrderBook.Ladder["bids"]): Book["bids"] =>
    levels.map(([price, size]) => [Number(Decimal.format(price)), Number(Decimal.format(size))])
  for (const [product, books] of held) {
    yield* feed.observeBook(product, (book) => {
      if (!OrderBook.isWhole(book)) return
      const key = keyOf({ bids: doubles(book.bids), asks: doubles(book.asks) })
      books.set(key, (books.get(key) ?? new Set()).add(book.sequence ?? ""))
    }, { depth })
  }
  return (product: string): ReadonlyMap<string, ReadonlySet<string>> => held.get(product) ?? new Map()
})

type BooksOf = Effect.Success<ReturnType<typeof ourBooks>>

/** What is wrong with a book: it is none that we held, or had another number then. */
const ofBook = (key: string, nonce: number | undefined, held: ReturnType<BooksOf>): ReadonlyArray<string> => {
  const numbers = held.get(key)
  if (numbers === undefined) return [`a book that was never held: ${key}`]
  return nonce === undefined || numbers.has(String(nonce))
    ? []
    : [`a book of number ${nonce}, held with ${[...numbers].join(" and ")}`]
}

interface Row {
  readonly venue: string
  readonly product: string
  readonly trades: number
  readonly tickers: number
  readonly books: number
  readonly faults: ReadonlyArray<string>
}

const check = async (
  Ccxt: Ccxt,
  subject: Subject,
  server: MockServer.MockServer,
  ticks: TicksOf,
  held: BooksOf
): Promise<Array<Row>> => {
  const Exchange = Ccxt.pro[subject.exchange]
  if (Exchange === undefined) throw new Error(`ccxt has no ${subject.exchange}`)
  const exchange = new Exchange({
    ...subject.credentials,
    enableRateLimit: false,
    newUpdates: true,
    urls: { api: subject.api(server.httpUrl, server.url) },
    options: subject.options ?? {}
  })
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), withinMillis)
  const late = new Promise<never>((_, reject) => {
    deadline.signal.addEventListener("abort", () => reject(new Error(`nothing more within ${withinMillis} ms`)))
  })
  late.catch(() => {})
  try {
    await exchange.loadHttpProxyAgent()
    const markets = await Promise.race([exchange.loadMarkets(), late])
    const rows: Array<Row> = []
    for (const [product, symbol] of subject.products) {
      const faults: Array<string> = []
      const seen = new Set<string>()
      let tickers = 0
      if (markets[symbol] === undefined) faults.push(`${symbol} is not listed`)
      const readTrades = async () => {
        while (seen.size < wanted) {
          for (const trade of await Promise.race([exchange.watchTrades(symbol), late])) {
            if (trade.symbol !== symbol) faults.push(`a trade of ${trade.symbol}`)
            seen.add(trade.id)
            faults.push(...ofTrade(trade, ticks(product.symbol).get(Number(trade.id))))
          }
        }
      }
      const readTickers = async () => {
        while (tickers < wanted) {
          const ticker = await Promise.race([exchange.watchTicker(symbol), late])
          tickers++
          if (ticker.symbol !== symbol) faults.push(`a ticker of ${ticker.symbol}`)
          faults.push(...ofTicker(ticker, ticks(product.symbol).values(), subject.without))
        }
      }
      const books: Array<readonly [key: string, nonce: number | undefined]> = []
      const readBooks = async () => {
        while (books.length < wanted) {
          const book = await Promise.race([exchange.watchOrderBook(symbol), late])
          if (book.symbol !== symbol) faults.push(`a book of ${book.symbol}`)
          books.push([keyOf(book), subject.isNumbered === true ? book.nonce : undefined])
        }
        // What it has read we may read a moment later.
        const missing = () => books.flatMap(([key, nonce]) => ofBook(key, nonce, held(product.symbol)))
        while (missing().length > 0 && !deadline.signal.aborted) {
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        faults.push(...missing())
      }
      try {
        if (faults.length === 0) await Promise.all([readTrades(), readTickers(), readBooks()])
      } catch (error) {
        faults.push(String(error))
      }
      rows.push({ venue: subject.venue, product: symbol, trades: seen.size, tickers, books: books.length, faults })
    }
    return rows
  } catch (error) {
    return [{ venue: subject.venue, product: "", trades: 0, tickers: 0, books: 0, faults: [String(error)] }]
  } finally {
    clearTimeout(timer)
    await exchange.close()
  }
}

type TicksOf = (product: string) => ReadonlyMap<number, Market.Tick>

const checkOn = (Ccxt: Ccxt, subject: Subject) =>
  Effect.scoped(Effect.gen(function*() {
    const { ticks, venue } = recorded(subject.venue)
    const products = subject.products.map(([product]) => product)
    const server = yield* MockServer.make({ venue, products, rate: framesPerSecond, seed: 7 })
    const held = yield* ourBooks(subject.venue, server.url, server.httpUrl, products.map(({ symbol }) => symbol))
    return yield* Effect.promise(() => check(Ccxt, subject, server, ticks, held))
  })).pipe(Effect.provide([Reconnection.layerWithBreaker(Presets.recommended), NodeTransport.layer, NodeHttp.layer]))

installPeers()
// ccxt says what it does on the console; the table is all that is to be read there.
const Ccxt = await peer<Ccxt>("ccxt")
const rows = (await Effect.runPromise(
  Effect.forEach(subjects, (subject) => checkOn(Ccxt, subject), { concurrency: 2 }).pipe(
    Effect.provideService(References.MinimumLogLevel, "None")
  )
)).flat()

const table = [
  ["venue", "product", "trades", "tickers", "books", ""],
  ...rows.map(({ books, faults, product, tickers, trades, venue }) => [
    venue,
    product,
    String(trades),
    String(tickers),
    String(books),
    faults.length === 0 ? "as sent" : `${faults.length} wrong: ${faults[0]}`
  ])
]
const widths = [0, 1, 2, 3, 4, 5].map((column) => Math.max(...table.map((line) => line[column]?.length ?? 0)))
for (const line of table) {
  process.stdout.write(`${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()}\n`)
}
process.exit(rows.every(({ faults }) => faults.length === 0) ? 0 : 1)
