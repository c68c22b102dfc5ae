/**
 * `pnpm ccxt`: a client that is not ours reads what the mock venues send.
 *
 * ccxt, installed into a folder of its own, is pointed at the mocks of Coinbase
 * Exchange, Binance, Kraken and Deribit by its URL options; it asks them over
 * HTTP what they list, and over a socket for trades and tickers. Each trade and
 * ticker that it gives out must be one that the mock sent, member by member, as
 * the doubles that ccxt makes of them. Prints a table; exits 1 where anything
 * differs or is missing.
 */
import type * as Market from "@tickline/testing/Market"
import type * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
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

/** The members of a ccxt exchange that are used. */
interface Exchange {
  readonly loadHttpProxyAgent: () => Promise<unknown>
  readonly loadMarkets: () => Promise<Readonly<Record<string, unknown>>>
  readonly watchTrades: (symbol: string) => Promise<ReadonlyArray<Trade>>
  readonly watchTicker: (symbol: string) => Promise<Ticker>
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
  /** Members of a ticker that this stream of the venue does not carry. */
  readonly without?: ReadonlyArray<keyof Ticker>
  readonly products: ReadonlyArray<readonly [product: Market.Product, symbol: string]>
}

const bitcoin = { price: "43250.10", size: "0.05000000" }
/** More digits than a double has, so that ccxt's and the mock's rounding must agree. */
const fine = { price: "2279.845612345678901230", size: "0.750000000000000000" }

const binance: Subject = {
  venue: "binance",
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
  const venue = MockVenues.byName(name)
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

interface Row {
  readonly venue: string
  readonly product: string
  readonly trades: number
  readonly tickers: number
  readonly faults: ReadonlyArray<string>
}

const check = async (
  Ccxt: Ccxt,
  subject: Subject,
  server: MockServer.MockServer,
  ticks: TicksOf
): Promise<Array<Row>> => {
  const Exchange = Ccxt.pro[subject.exchange]
  if (Exchange === undefined) throw new Error(`ccxt has no ${subject.exchange}`)
  const exchange = new Exchange({
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
      try {
        if (faults.length === 0) await Promise.all([readTrades(), readTickers()])
      } catch (error) {
        faults.push(String(error))
      }
      rows.push({ venue: subject.venue, product: symbol, trades: seen.size, tickers, faults })
    }
    return rows
  } catch (error) {
    return [{ venue: subject.venue, product: "", trades: 0, tickers: 0, faults: [String(error)] }]
  } finally {
    clearTimeout(timer)
    await exchange.close()
  }
}

type TicksOf = (product: string) => ReadonlyMap<number, Market.Tick>

const checkOn = (Ccxt: Ccxt, subject: Subject): Effect.Effect<ReadonlyArray<Row>, MockServer.ListenError> =>
  Effect.scoped(Effect.gen(function*() {
    const { ticks, venue } = recorded(subject.venue)
    const products = subject.products.map(([product]) => product)
    const server = yield* MockServer.make({ venue, products, rate: framesPerSecond, seed: 7 })
    return yield* Effect.promise(() => check(Ccxt, subject, server, ticks))
  }))

installPeers()
// ccxt says what it does on the console; the table is all that is to be read there.
const Ccxt = await peer<Ccxt>("ccxt")
const rows = (await Effect.runPromise(
  Effect.forEach(subjects, (subject) => checkOn(Ccxt, subject), { concurrency: 2 })
)).flat()

const table = [
  ["venue", "product", "trades", "tickers", ""],
  ...rows.map(({ faults, product, tickers, trades, venue }) => [
    venue,
    product,
    String(trades),
    String(tickers),
    faults.length === 0 ? "as sent" : `${faults.length} wrong: ${faults[0]}`
  ])
]
const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((line) => line[column]?.length ?? 0)))
for (const line of table) {
  process.stdout.write(`${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()}\n`)
}
process.exit(rows.every(({ faults }) => faults.length === 0) ? 0 : 1)
