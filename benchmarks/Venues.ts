/**
 * Each venue's frames → typed events with exact decimals, beside `JSON.parse`
 * and, where it knows the venue, tardis-dev's mapper (which gives doubles).
 *
 * The frames are those of the mock venues: trades, tickers and book updates in
 * the venues' own shapes, from a seed.
 */
import "effect/schema/SchemaJITCompiler/enable"
import { type ChannelKind, channelOf, type Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Market from "@tickline/testing/Market"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import { peer } from "./Peers.ts"
import * as Rounds from "./Rounds.ts"

const kinds: ReadonlyArray<ChannelKind> = ["trade", "book"]

/** When the frames were sent: in milliseconds that have as many digits as those of venues today. */
const beganAt = 1_795_219_200_000

/** What the venue's mock sends on one channel while its markets go through so many ticks. */
const framesOf = (venue: Venue, kind: ChannelKind, ticks: number): ReadonlyArray<string> => {
  const mock = MockVenues.byName(venue.name)
  const name = venue.channels[kind]
  if (mock === undefined || name === undefined) return []
  const markets = new Map(
    Market.products.map((product) => [product.symbol, Market.make(product, { seed: 1, atMillis: beganAt })])
  )
  const floor = { atMillis: beganAt, market: (product: string) => markets.get(product) }
  let session = MockVenue.newSession
  for (const ask of venue.subscribe([...markets.keys()].map((product) => channelOf(venue, name, product)), 1)) {
    session = mock.receive(session, ask.text, floor).session
  }
  const frames: Array<string> = []
  for (let at = 1; at <= ticks; at++) {
    for (const [product, market] of markets) {
      const atMillis = beganAt + at * 100
      const next = Market.next(market, atMillis)
      markets.set(product, next)
      for (const { data, text } of mock.publish(session, next.last, { ...floor, atMillis })) {
        if (data !== undefined) frames.push(text)
      }
    }
  }
  return frames
}

let sink = 0
const timed = (frames: ReadonlyArray<string>, read: (frame: string) => unknown) => (): number => {
  const repeats = Math.ceil(5_000 / frames.length)
  const begun = performance.now()
  for (let i = 0; i < repeats; i++) for (const frame of frames) if (read(frame) !== undefined) sink++
  return (performance.now() - begun) / (repeats * frames.length) * 1_000
}

interface Mapper {
  readonly map: (message: unknown, at: Date) => Iterable<unknown> | undefined
}
interface Tardis {
  readonly normalizeTrades: (exchange: string, at: Date) => Mapper
  readonly normalizeBookChanges: (exchange: string, at: Date) => Mapper
}
const tardis = await peer<Tardis>("tardis-dev")
const tardisNames: Readonly<Record<string, string>> = {
  "coinbase-exchange": "coinbase",
  binance: "binance",
  deribit: "deribit",
  hyperliquid: "hyperliquid",
  dydx: "dydx-v4"
}

/** Reads with tardis-dev, or `undefined` where it gives nothing for these frames. */
const mapping = (venue: Venue, kind: ChannelKind, frames: ReadonlyArray<string>) => {
  const name = tardisNames[venue.name]
  if (name === undefined) return undefined
  const at = new Date(0)
  const mapper = kind === "trade" ? tardis.normalizeTrades(name, at) : tardis.normalizeBookChanges(name, at)
  const read = (frame: string): unknown => {
    const mapped = mapper.map(JSON.parse(frame), at)
    return mapped === undefined ? undefined : [...mapped]
  }
  try {
    return frames.some((frame) => {
        const events = read(frame)
        return Array.isArray(events) && events.length > 0
      })
      ? read
      : undefined
  } catch {
    // It wants more than the frame, such as a snapshot that it asks for over HTTP.
    return undefined
  }
}

const bounds = { must: 1.25, goal: 1 }

const rows: Array<Rounds.Row> = []
for (const venue of Venues.all) {
  for (const kind of kinds) {
    const frames = framesOf(venue, kind, 100)
    if (frames.length === 0) continue
    for (const frame of frames) {
      const events = venue.decode(frame)
      if ("_tag" in events) throw new Error(`${venue.name}: ${events.field}: ${events.message}`)
    }
    const theirs = mapping(venue, kind, frames)
    const results = await Rounds.interleave({
      ours: timed(frames, venue.decode),
      parse: timed(frames, JSON.parse),
      theirs: theirs === undefined ? () => Number.NaN : timed(frames, theirs)
    }, { rounds: 11, warmup: 3 })
    rows.push({
      name: `decode ${venue.name}, ${kind} frames ÷ JSON.parse`,
      value: Rounds.ratio(results.ours, results.parse),
      unit: "×",
      higher: false,
      ...bounds,
      detail: `${Rounds.median(results.ours).toFixed(2)} µs a frame${
        theirs === undefined ? "" : `, tardis-dev ${Rounds.ratio(results.theirs, results.parse).toFixed(2)} ×`
      }`
    })
  }
}
if (sink === 0) throw new Error("nothing was read")
Rounds.report(rows)
process.exit(0)
