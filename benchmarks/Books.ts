/**
 * Order books: from the text of a frame to both tops of the book, beside ccxt's
 * and tardis-dev's on the same frames, which hold doubles; and what a level takes
 * of the heap.
 *
 * The frames are Binance's `depthUpdate`, four changes each near the touch. Each
 * library goes its own way from the text to its book: ours by decoder and books,
 * ccxt's by `JSON.parse` and the handler of its Binance, tardis-dev's by
 * `JSON.parse` and its mapper.
 */
import "effect/schema/SchemaJITCompiler/enable"
import { isFrameRejected } from "@tickline/core/codec/Rejection"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Binance from "@tickline/core/venue/binance/Venue"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Books } from "../packages/core/src/market/internal/books.ts"
import { peer } from "./Peers.ts"
import * as Rounds from "./Rounds.ts"

/** Numbers below one, the same each time (the generator of Lehmer, with the factor of Park and Miller). */
const numbers = (seed: number): () => number => {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

const price = (cents: number): string => (cents / 100).toFixed(2)

type Row = readonly [price: string, size: string]
interface Depth {
  readonly lastUpdateId: number
  readonly bids: ReadonlyArray<Row>
  readonly asks: ReadonlyArray<Row>
}

const middle = 4_325_000
const snapshotOf = (levels: number): Depth => ({
  lastUpdateId: 1,
  bids: Array.from({ length: levels }, (_, i): Row => [price(middle - 1 - i), `${i % 9 + 1}.50000000`]),
  asks: Array.from({ length: levels }, (_, i): Row => [price(middle + 1 + i), `${i % 9 + 1}.50000000`])
})

/** Each frame takes a level of each side away and puts the one back that the frame before took. */
const updatesOf = (count: number): ReadonlyArray<string> => {
  const next = numbers(7)
  let away: readonly [bid: number, ask: number] = [1, 1]
  return Array.from({ length: count }, (_, i) => {
    const size = `${Math.floor(next() * 9) + 1}.${String(Math.floor(next() * 1e8)).padStart(8, "0")}`
    const now: readonly [number, number] = [1 + Math.floor(next() * 20), 1 + Math.floor(next() * 20)]
    const bids: ReadonlyArray<Row> = [[price(middle - away[0]), size], [price(middle - now[0]), "0.00000000"]]
    const asks: ReadonlyArray<Row> = [[price(middle + away[1]), size], [price(middle + now[1]), "0.00000000"]]
    away = now
    return JSON.stringify({
      stream: "btcusdt@depth",
      data: { e: "depthUpdate", E: 1_795_219_200_000 + i, s: "BTCUSDT", U: i + 2, u: i + 2, b: bids, a: asks }
    })
  })
}

interface Mapper {
  readonly map: (message: unknown, at: Date) => Iterable<object>
}
interface Tardis {
  readonly normalizeBookChanges: (exchange: string, at: Date) => Mapper
  readonly OrderBook: new() => {
    readonly update: (change: object) => void
    readonly bestBid: () => { readonly price: number } | undefined
    readonly bestAsk: () => { readonly price: number } | undefined
  }
}
interface Book {
  readonly bids: ReadonlyArray<readonly [price: number, size: number]>
  readonly asks: ReadonlyArray<readonly [price: number, size: number]>
  readonly reset: (snapshot: object) => void
}
interface Exchange {
  readonly setMarkets: (markets: ReadonlyArray<object>) => void
  readonly orderBook: (snapshot: object) => Book
  readonly orderbooks: Record<string, Book>
  readonly handleOrderBook: (client: object, message: unknown) => void
}
interface Ccxt {
  readonly pro: { readonly binance: new() => Exchange }
}
const tardis = await peer<Tardis>("tardis-dev")
const ccxt = await peer<Ccxt>("ccxt")

const symbol = "BTC/USDT"
const market = { id: "BTCUSDT", symbol, base: "BTC", quote: "USDT", type: "spot", spot: true, active: true }
/** Of ccxt's client what the handler of a book asks of it. */
const client = { url: "wss://stream.binance.com:9443/ws", subscriptions: {}, resolve: () => {} }

const perFrame = 20_000
let sink = 0

/** The best prices that each library has after the last frame: they have done the same. */
const tops = new Map<string, string>()
const topsAre = (library: string, bid: unknown, ask: unknown): void =>
  void tops.set(library, `${Number(bid)} ${Number(ask)}`)

const books = (levels: number) => {
  const snapshot = snapshotOf(levels)
  const frames = updatesOf(perFrame)
  const timed = (read: (text: string) => void) => (): number => {
    const begun = performance.now()
    for (const frame of frames) read(frame)
    return (performance.now() - begun) / frames.length * 1_000
  }
  const keep = (): Books => {
    const kept = new Books(Binance.venue)
    const first = Binance.venue.decode(frames[0] ?? "")
    if (isFrameRejected(first)) throw new Error(first.message)
    kept.frame(frames[0] ?? "", first)
    const read = Binance.venue.rest?.book?.read(JSON.stringify(snapshot), "BTCUSDT")
    if (read === undefined || isFrameRejected(read)) throw new Error("no snapshot")
    for (const book of kept.all) book.applyRestSnapshot(read)
    return kept
  }
  return {
    tickline: () => {
      const kept = keep()
      const [book] = kept.all
      const took = timed((text) => {
        const events = Binance.venue.decode(text)
        if (isFrameRejected(events)) return
        kept.frame(text, events)
        if (book?.levels.bids.best() !== undefined && book.levels.asks.best() !== undefined) sink++
      })()
      const [bid, ask] = [book?.levels.bids.best()?.[0], book?.levels.asks.best()?.[0]]
      topsAre("tickline", bid && Decimal.format(bid), ask && Decimal.format(ask))
      return took
    },
    tardis: () => {
      const at = new Date(0)
      const mapper = tardis.normalizeBookChanges("binance", at)
      const book = new tardis.OrderBook()
      const read = (message: unknown): void => {
        for (const change of mapper.map(message, at)) book.update(change)
      }
      read({ stream: "btcusdt@depthSnapshot", generated: true, data: snapshot })
      const took = timed((text) => {
        read(JSON.parse(text))
        if (book.bestBid() !== undefined && book.bestAsk() !== undefined) sink++
      })()
      topsAre("tardis-dev", book.bestBid()?.price, book.bestAsk()?.price)
      return took
    },
    ccxt: () => {
      const exchange = new ccxt.pro.binance()
      exchange.setMarkets([market])
      const rows = (side: ReadonlyArray<Row>) =>
        side.map(([price, amount]): [number, number] => [Number(price), Number(amount)])
      const book = exchange.orderBook({})
      book.reset({ symbol, bids: rows(snapshot.bids), asks: rows(snapshot.asks), nonce: snapshot.lastUpdateId })
      exchange.orderbooks[symbol] = book
      const took = timed((text) => {
        const { data } = JSON.parse(text) as { readonly data: unknown }
        exchange.handleOrderBook(client, data)
        if (book.bids[0] !== undefined && book.asks[0] !== undefined) sink++
      })()
      topsAre("ccxt", book.bids[0]?.[0], book.asks[0]?.[0])
      return took
    },
    keep
  }
}

const rows: Array<Rounds.Row> = []
for (const levels of [500, 5_000]) {
  const { keep: _, ...contenders } = books(levels)
  const { ccxt, tardis, tickline } = await Rounds.interleave(contenders, { rounds: 9, warmup: 6 })
  if (new Set(tops.values()).size > 1) throw new Error(`the books differ: ${JSON.stringify([...tops])}`)
  const quicker = ccxt.map((value, i) => Math.min(value, tardis[i] ?? Number.POSITIVE_INFINITY))
  rows.push({
    name: `a book of ${
      (levels * 2).toLocaleString("en")
    } levels, text to both tops: × faster than the faster of ccxt and tardis`,
    value: Rounds.ratio(quicker, tickline),
    unit: "×",
    higher: true,
    must: 3,
    goal: levels === 500 ? 5 : 6,
    detail: `${Rounds.median(tickline).toFixed(2)} µs a frame of four changes, ccxt ${
      Rounds.median(ccxt).toFixed(2)
    }, tardis ${Rounds.median(tardis).toFixed(2)}`
  })
}

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")
const heap = (): number => {
  for (let i = 0; i < 4; i++) collect()
  return process.memoryUsage().heapUsed
}
const { keep } = books(5_000)
const held: Array<Books> = [keep()]
const before = heap()
const many = 20
for (let i = 0; i < many; i++) held.push(keep())
const bytes = (heap() - before) / (many * 10_000)
rows.push({
  name: "a level of a book of 10,000, of the heap",
  value: bytes / 1_024,
  unit: "KB",
  higher: false,
  must: 200 / 1_024,
  goal: 100 / 1_024,
  detail: `${bytes.toFixed(0)} bytes a level, in ${held.length - 1} books; ${sink} tops read`
})
Rounds.report(rows)
