/** How a recording is read by a replay, and when the program of one has its turn. */
import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Replay from "@tickline/core/recording/Replay"
import * as Tape from "@tickline/core/recording/Tape"
import * as Channel from "@tickline/core/value/Channel"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"

const trade = (id: number): string =>
  `{"type":"match","trade_id":${id},"side":"sell","size":"0.10","price":"43250.10","product_id":"BTC-USD",` +
  `"sequence":${id},"time":"2025-10-28T12:00:00.5Z"}`

const usual = (millis: number, raw: string): string =>
  `{"at":"2026-11-26T00:00:00.${String(millis).padStart(3, "0")}Z","connection":1,"raw":${JSON.stringify(raw)}}`

/** Lines that begin as one before them does, and say something else or nothing. */
const unusual: ReadonlyArray<string> = [
  usual(1, "a"),
  usual(1, "b"),
  usual(2, "\\\"}{,\u2028\u00e9\ud83d\ude00\ud800"),
  usual(2, ""),
  // Members behind the text, of which some say what the line is.
  usual(3, "c").replace(/}$/, ",\"direction\":\"out\"}"),
  usual(3, "").replace(/}$/, ",\"kind\":\"close\"}"),
  usual(3, "d").replace(/}$/, ",\"connection\":2}"),
  usual(3, "dd").replace(/}$/, ", \"connection\": 2}"),
  usual(3, "e").replace(/}$/, ",\"raw\":\"f\"}"),
  usual(3, "g").replace(/}$/, ",\"at\":\"2026-11-26T00:00:09Z\"}"),
  usual(3, "h").replace(/}$/, ",\"id\":7}"),
  usual(3, "i").replace(/}$/, " }"),
  // Frames of their own, that are no envelopes.
  usual(4, "j").replace(/"}$/, "}"),
  usual(4, "k").replace(/}$/, ""),
  usual(4, "l").replace("l", "\"m"),
  usual(4, "n").replace("\"n\"", "\"n\u0001\""),
  usual(4, "o").replace("\"o\"", "\"\\o\""),
  usual(4, "p").replace("\"p\"", "7"),
  `${usual(4, "q").slice(0, -3)}${usual(4, "r")}`,
  // Other times, and such as are none.
  usual(5, "s").replace("00:00:00.005Z", "00:00:00.0054321Z"),
  usual(5, "t").replace("Z", "+01:00"),
  usual(5, "u").replace("26T", "31T"),
  usual(5, "v").replace("005Z", ""),
  usual(5, "w").replace("2026", "\\u0032026"),
  // Other connections, ways and kinds.
  usual(6, "x").replace(":1,", ":12,"),
  usual(6, "y").replace(":1,", ":12345678901234567890,"),
  usual(6, "z").replace(":1,", ":\"feed 1\","),
  usual(6, "A").replace(":1,", ":\"feed 1\","),
  usual(7, "B").replace("\"raw\"", "\"direction\":\"out\",\"raw\""),
  usual(7, "C").replace("\"raw\"", "\"direction\":\"in\",\"raw\""),
  usual(8, "D").replace("\"raw\"", "\"direction\":\"in\",\"raw\""),
  usual(8, "E").replace("\"raw\"", "\"kind\":\"ping\",\"raw\""),
  usual(8, "F").replace("\"raw\"", "\"kind\":\"frame\",\"raw\""),
  usual(9, "RQ==").replace("\"raw\"", "\"kind\":\"binary\",\"raw\""),
  usual(9, "RQ==").replace("\"raw\"", "\"kind\":\"nothing\",\"raw\""),
  usual(9, "G").replaceAll(",\"", ", \"").replaceAll("\":", "\": "),
  usual(10, "H").replaceAll(",\"", ", \"").replaceAll("\":", "\": "),
  usual(10, "I").replace("\"raw\"", "\"id\":\"3\",\"raw\""),
  trade(1),
  ""
]

const trades = (count: number, everyMillis: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => usual(index * everyMillis, trade(index + 1)))

type Turns = NonNullable<Replay.Options["turns"]>

/** What a feed tells of a recording, each with the time at which it is told; and what a fiber that sleeps is told of. */
const told = Effect.fnUntraced(function*(lines: ReadonlyArray<string>, turns: Turns, sleepMillis = 0) {
  const replay = yield* Replay.make(Stream.fromIterable(lines), { turns })
  const events: Array<string> = []
  const times: Array<number> = []
  const seen: Array<number> = []
  const ledger = yield* replay.run(
    Effect.gen(function*() {
      const feed = yield* MarketFeed.prepare(CoinbaseExchange.venue, {
        url: "ws://recording.invalid",
        channels: [Channel.make("matches", "BTC-USD")]
      })
      const consumer = yield* feed.events({ overflow: "block" }).pipe(
        Stream.runForEach((event) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            events.push(Ndjson.toJson(event))
            if (event._tag === "Trade") times.push(now % 1_000)
          })
        ),
        Effect.forkScoped({ startImmediately: true })
      )
      yield* Effect.forkScoped(Effect.ignore(feed.connection.connect), { startImmediately: true })
      if (sleepMillis > 0) {
        const look = Effect.sync(() => void seen.push(times.length))
        yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(sleepMillis), look)))
      }
      yield* replay.ended
      yield* feed.connection.close()
      yield* Fiber.join(consumer)
      return yield* feed.ledger
    }).pipe(Effect.provide(Reconnection.layerWithBreaker()))
  )
  return { events, times, seen, ledger }
})

describe("Replay", () => {
  it.effect("each line says what it says by itself, whatever came before it", () =>
    Effect.gen(function*() {
      for (let from = 0; from < unusual.length; from++) {
        const lines = [...unusual.slice(from), ...unusual.slice(0, from)].flatMap((line) => [line, usual(1, "next")])
        const expected = lines.flatMap((line, index) => {
          const read = Tape.parse(line, index + 1)
          return (read?._tag === "EntryRejected" ? read.entry : read) ?? []
        })
        const indexed: Array<Tape.Entry> = []
        const replay = yield* Replay.make(Stream.fromIterable(lines), {
          turns: "line",
          onIndexed: (entry) => void indexed.push(entry)
        })
        assert.deepEqual(indexed, expected)
        const played: Array<Tape.Entry> = []
        yield* replay.run(replay.ended, {
          onLine: () => {
            const { entry } = replay.position()
            if (entry !== undefined && entry !== played.at(-1)) played.push(entry)
            return undefined
          }
        })
        assert.deepEqual(played, expected)
      }
    }))

  it.effect("a program has its turn at each moment, or after many frames: it is told the same", () =>
    Effect.gen(function*() {
      const lines = trades(300, 3)
      const byMoment = yield* told(lines, "moment")
      assert.deepStrictEqual(byMoment.times, lines.map((_, index) => index * 3))
      const byFrames = yield* told(lines, "frames")
      assert.deepStrictEqual(byFrames.events, byMoment.events)
      assert.deepStrictEqual(byFrames.ledger, byMoment.ledger)
      assert.isBelow(new Set(byFrames.times).size, 5)
    }))

  it.effect("who sleeps wakes in time, with all that came before it told", () =>
    Effect.gen(function*() {
      const lines = trades(300, 3)
      const byMoment = yield* told(lines, "moment", 50)
      assert.deepStrictEqual(byMoment.seen.slice(0, 3), [17, 34, 50])
      assert.deepStrictEqual((yield* told(lines, "frames", 50)).seen, byMoment.seen)
    }))

  it.effect("does not take a header that says no time for one of 1970", () =>
    Effect.gen(function*() {
      const header = `{"kind":"header","version":1,"venue":"coinbase-exchange","products":[],"channels":[],"raw":""}`
      const replay = yield* Replay.make(Stream.fromIterable([header, ...trades(3, 10)]))
      let woken = 0
      yield* replay.run(Effect.gen(function*() {
        yield* Effect.forkScoped(
          Effect.forever(Effect.andThen(Effect.sleep("1 hour"), Effect.sync(() => void woken++))),
          {
            startImmediately: true
          }
        )
        yield* replay.ended
      }))
      assert.strictEqual(woken, 0)
    }), 10_000)
})
