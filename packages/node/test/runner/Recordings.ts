/** Recordings that tests make of mock venues under the virtual clock: the same every time. */
import { assert } from "@effect/vitest"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as OrderBook from "@tickline/core/market/OrderBook"
import * as Tape from "@tickline/core/recording/Tape"
import { HttpPort } from "@tickline/core/transport/HttpPort"
import { Transport } from "@tickline/core/transport/Transport"
import * as Timestamp from "@tickline/core/value/Timestamp"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"

export const venueOf = (name: string): Venue => Venues.get(name) ?? assert.fail(name)

/** A product that each mock has, as the venue writes it. */
export const productOf = (name: string): string => {
  switch (name) {
    case "binance":
      return "BTCUSDT"
    case "kraken":
      return "BTC/USD"
    case "deribit":
      return "BTC-PERPETUAL"
    case "hyperliquid":
      return "BTC"
    default:
      return "BTC-USD"
  }
}

/** What was recorded, and what the book's watcher was told then. */
export interface Recorded {
  readonly entries: ReadonlyArray<Tape.Entry>
  readonly books: ReadonlyArray<string>
}

/** Records some seconds of a book; the host drops its connection after `dropAfter` of them, if that is given. */
export const record = (name: string, options: { readonly seconds?: number; readonly dropAfter?: number } = {}) =>
  Probe.scoped(Effect.gen(function*() {
    const venue = venueOf(name)
    const { seconds = 5, dropAfter } = options
    const clock = yield* Clock.Clock
    const network = yield* VirtualNetwork.Network
    const mock = MockVenues.byName(name) ?? assert.fail(name)
    const served = yield* MockVenue.serve(network, "wss://venue.test", mock, { every: "100 millis" })
    const entries: Array<Tape.Entry> = []
    const add = (entry: Tape.Entry): void =>
      void entries.push({ ...entry, at: Timestamp.fromEpochMillis(clock.currentTimeMillisUnsafe()) })
    const transport = yield* Transport
    const recorded: Transport["Service"] = {
      ...transport,
      dial: (request) =>
        Effect.map(transport.dial(request), (wire) => {
          add({ _tag: "Open", connection: 1 })
          return {
            ...wire,
            pull: wire.pull.pipe(
              Effect.tap((frames) =>
                Effect.sync(() =>
                  frames.forEach((frame) => add({ _tag: "Frame", connection: 1, direction: "in", frame }))
                )
              ),
              Effect.tapError(({ by, code, reason }) =>
                Effect.sync(() =>
                  add({ _tag: "Close", connection: 1, direction: by === "local" ? "out" : "in", code, reason })
                )
              )
            ),
            write: (frame) => {
              add({ _tag: "Frame", connection: 1, direction: "out", frame })
              return wire.write(frame)
            }
          }
        })
    }
    const port: HttpPort["Service"] = {
      ...network.http,
      request: (request) =>
        Effect.tap(
          network.http.request(request),
          ({ body, status }) =>
            Effect.sync(() => add({ _tag: "Response", method: request.method, url: request.url, status, body }))
        )
    }
    const books: Array<string> = []
    yield* Effect.gen(function*() {
      const feed = yield* MarketFeed.prepare(venue, { url: served.url })
      yield* Effect.forkScoped(feed.connection.connect)
      yield* feed.observeBook(
        productOf(name),
        (book) => void books.push(Ndjson.toJson(OrderBook.toEvent(book))),
        { depth: 5 }
      )
      yield* TestClock.adjust(`${dropAfter ?? seconds} seconds`)
      if (dropAfter !== undefined) {
        yield* served.host.drop
        yield* TestClock.adjust(`${seconds - dropAfter} seconds`)
      }
    }).pipe(Effect.provideService(Transport, recorded), Effect.provideService(HttpPort, port))
    // What comes while it closes nobody watches.
    return { entries: [...entries], books: [...books] }
  })).pipe(Effect.provide(Layer.provideMerge(Probe.layer({ latency: 20 }), TestClock.layer())))

export const text = (entries: ReadonlyArray<Tape.Entry>): string =>
  entries.map((entry) => `${Tape.encode(entry)}\n`).join("")
