/**
 * Order books: from the text of a frame to both tops of the book, beside ccxt's
 * and tardis-dev's books on the same frames, which hold doubles; and what a level
 * takes of the heap.
 *
 * The frames are Binance's `depthUpdate`, four changes each near the touch; the
 * peers are given what `JSON.parse` makes of them, as their own adapters do.
 */
import "effect/schema/SchemaJITCompiler/enable"
import { isFrameRejected } from "@tickline/core/codec/Rejection"
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

interface Tardis {
  readonly OrderBook: new() => {
    readonly update: (change: object) => void
    readonly bestBid: () => unknown
    readonly bestAsk: () => unknown
  }
}
interface Side extends Array<readonly [number, number]> {
  readonly storeArray: (row: readonly [number, number]) => void
}
interface Ccxt {
  readonly OrderBook: new(snapshot: object) => { readonly bids: Side; readonly asks: Side }
}
const tardis = await peer<Tardis>("tardis-dev")
const ccxt: Ccxt = await import(new URL("./peers/node_modules/ccxt/js/src/base/ws/OrderBook.js", import.meta.url).href)

interface Update {
  readonly data: { readonly b: ReadonlyArray<Row>; readonly a: ReadonlyArray<Row> }
}
const parse = (text: string): Update["data"] => (JSON.parse(text) as Update).data

const perFrame = 20_000
let sink = 0

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
    for (const book of kept.all) book.own(read)
    return kept
  }
  return {
    tickline: () => {
      const kept = keep()
      const [book] = kept.all
      return timed((text) => {
        const events = Binance.venue.decode(text)
        if (isFrameRejected(events)) return
        kept.frame(text, events)
        if (book?.levels.bids.best() !== undefined && book.levels.asks.best() !== undefined) sink++
      })()
    },
    tardis: () => {
      const book = new tardis.OrderBook()
      const rows = (side: ReadonlyArray<Row>) =>
        side.map(([price, amount]) => ({ price: Number(price), amount: Number(amount) }))
      book.update({ isSnapshot: true, bids: rows(snapshot.bids), asks: rows(snapshot.asks) })
      return timed((text) => {
        const { a, b } = parse(text)
        book.update({ isSnapshot: false, bids: rows(b), asks: rows(a) })
        if (book.bestBid() !== undefined && book.bestAsk() !== undefined) sink++
      })()
    },
    ccxt: () => {
      const rows = (side: ReadonlyArray<Row>) =>
        side.map(([price, amount]): [number, number] => [Number(price), Number(amount)])
      const book = new ccxt.OrderBook({ bids: rows(snapshot.bids), asks: rows(snapshot.asks) })
      return timed((text) => {
        const { a, b } = parse(text)
        for (const row of rows(b)) book.bids.storeArray(row)
        for (const row of rows(a)) book.asks.storeArray(row)
        if (book.bids[0] !== undefined && book.asks[0] !== undefined) sink++
      })()
    },
    keep
  }
}

const rows: Array<Rounds.Row> = []
for (const levels of [500, 5_000]) {
  const { keep: _, ...contenders } = books(levels)
  const { ccxt, tardis, tickline } = await Rounds.interleave(contenders, { rounds: 7, warmup: 2 })
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
