// Long, because each rule of a replay is a test of its own, and all share how a recording is written and replayed.
/** `tickline replay`, on recordings of the mock venues and on those that are written by hand. */
import { assert, describe, it } from "@effect/vitest"
import type * as Tape from "@tickline/core/recording/Tape"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Effect from "effect/Effect"
import * as Zlib from "node:zlib"
import { productOf, record, text, venueOf } from "./Recordings.ts"
import * as TestHost from "./TestHost.ts"

interface Line extends Record<string, unknown> {
  readonly _tag: string
}

const replay = Effect.fnUntraced(function*(recording: string | Uint8Array, ...flags: ReadonlyArray<string>) {
  const world = TestHost.make({ stdin: typeof recording === "string" ? recording : [recording] })
  const code = yield* TestHost.run(world, "replay", "-", ...flags)
  return { world, code, lines: world.objects() as ReadonlyArray<Line>, stdout: world.stdout() }
})

const booksOf = (lines: ReadonlyArray<Line>): ReadonlyArray<string> =>
  lines.filter(({ _tag }) => _tag === "Book").map(({ connection: _, frame: __, id: ___, ...book }) =>
    JSON.stringify(book)
  )

const isIn = (entry: Tape.Entry): entry is Extract<Tape.Entry, { _tag: "Frame" }> =>
  entry._tag === "Frame" && entry.direction === "in"

/** The lines, counted from 0, that are changes of the book. */
const deltasOf = (name: string, entries: ReadonlyArray<Tape.Entry>): ReadonlyArray<number> =>
  entries.flatMap((entry, index) => {
    if (!isIn(entry)) return []
    const events = venueOf(name).decode(entry.frame)
    return !("_tag" in events) && events.some(({ _tag }) => _tag === "BookDelta") ? [index] : []
  })

const at = (text: string) => Timestamp.fromIso(text)

const frame = (raw: string, more: Partial<Tape.Entry> = {}): Tape.Entry =>
  ({ _tag: "Frame", direction: "in", frame: raw, ...more }) as Tape.Entry

const methods = ["kraken", "deribit", "coinbase", "dydx", "binance"] as const
const others = ["coinbase-exchange", "hyperliquid"] as const

describe("replay", { timeout: 30_000 }, () => {
  for (const name of [...methods, ...others]) {
    it.live(`${name}: the books are those that were, frame by frame, and the same each time`, () =>
      Effect.gen(function*() {
        const { books, entries } = yield* record(name)
        assert.isAbove(books.length, 20)
        const first = yield* replay(text(entries), "--venue", name, "--book", "5")
        assert.strictEqual(first.code, 0, first.world.stderr())
        assert.deepStrictEqual(booksOf(first.lines), books)
        const again = yield* replay(text(entries), "--venue", name, "--book", "5")
        assert.strictEqual(again.stdout, first.stdout)
        // The header says the same, and so do bare frames.
        const header: Tape.Entry = {
          _tag: "Header",
          version: 1,
          venue: name,
          products: [productOf(name)],
          channels: ["book"]
        }
        const headed = yield* replay(text([header, ...entries]), "--book", "5")
        assert.deepStrictEqual(booksOf(headed.lines), books)
        if (name === "binance") return
        const bare = entries.filter(isIn).map(({ frame }) => `${String(frame)}\n`).join("")
        assert.deepStrictEqual(booksOf((yield* replay(bare, "--venue", name, "--book", "5")).lines), books)
      }))
  }

  // The line at which a loss is told, by what the venue's method can tell.
  for (const name of methods) {
    it.live(`${name}: a frame that is lost, doubled, swapped or altered is told where the method can tell it`, () =>
      Effect.gen(function*() {
        const { entries } = yield* record(name)
        const deltas = deltasOf(name, entries)
        const lost = deltas[10] ?? assert.fail("too few changes")
        const cause = venueOf(name).continuity === "state" ? "checksum" : "sequence"
        const broken = Effect.fnUntraced(function*(changed: ReadonlyArray<Tape.Entry>) {
          const { code, lines } = yield* replay(text(changed), "--venue", name, "--book", "5")
          assert.strictEqual(code, 0)
          return lines.filter(({ state }) => state === "Gapped")
        })
        const next = (from: number): number =>
          name === "coinbase" || name === "dydx"
            ? entries.findIndex((entry, index) => index > from && isIn(entry))
            : deltas.find((index) => index > from) ?? 0
        const without = yield* broken(entries.filter((_, index) => index !== lost))
        if (name !== "kraken") {
          // Lines count from 1, and one is gone.
          assert.deepStrictEqual(without.map(({ cause, frame }) => [cause, frame]), [[cause, next(lost)]])
        } else {
          assert.lengthOf(without, 1)
          assert.isAbove(Number(without[0]?.["frame"]), lost)
        }
        const doubled = yield* broken(entries.toSpliced(lost, 0, entries[lost] ?? assert.fail()))
        assert.deepStrictEqual(doubled, [])
        const follower = deltas[11] ?? assert.fail("too few changes")
        const swapped = entries.with(lost, entries[follower] ?? assert.fail()).with(
          follower,
          entries[lost] ?? assert.fail()
        )
        const [first] = yield* broken(swapped)
        assert.deepInclude(first, name === "kraken" ? { cause } : { cause, frame: lost + 1 })
        if (name !== "kraken") return
        const altered = entries.map((entry, index) =>
          index === lost && isIn(entry)
            ? { ...entry, frame: String(entry.frame).replace(/"qty":(\d+)\.(\d)/, "\"qty\":$1.9$2") }
            : entry
        )
        assert.deepInclude((yield* broken(altered))[0], { cause, frame: lost + 1 })
      }))
  }

  for (const name of [...methods, ...others]) {
    it.live(`${name}: a drop is a gap, its wait and its attempt are the recording's, and its end is none`, () =>
      Effect.gen(function*() {
        const { books, entries } = yield* record(name, { seconds: 6, dropAfter: 3 })
        const { code, lines } = yield* replay(text(entries), "--venue", name, "--book", "5", "--lifecycle")
        assert.strictEqual(code, 0)
        assert.deepStrictEqual(booksOf(lines), books)
        const closed = entries.findIndex(({ _tag }) => _tag === "Close")
        const opened = entries.findIndex(({ _tag }, index) => _tag === "Open" && index > closed)
        const wait = Timestamp.epochMillis(entries[opened]?.at ?? assert.fail()) -
          Timestamp.epochMillis(entries[closed]?.at ?? assert.fail())
        assert.deepStrictEqual(
          lines.filter(({ _tag }) => _tag === "Connection").map(({ attempt, delayMillis, epoch, state }) => [
            state,
            ...[epoch, attempt, delayMillis].filter((one) => one !== undefined)
          ]),
          [
            ["Connecting", 1],
            ["Connected", 1],
            ["Reconnecting", 1, wait],
            ["Connecting", 1],
            ["Connected", 2],
            ["Closing"],
            ["Disconnected"]
          ]
        )
        assert.deepStrictEqual(
          lines.filter(({ state }) => state === "Gapped").map(({ cause, frame }) => [cause, frame]),
          [["disconnect", closed + 1]]
        )
        const gaps = lines.filter(({ _tag }) => _tag === "Gap")
        assert.deepStrictEqual(gaps.map((gap) => [gap["cause"], "to" in gap]), [
          ["disconnect", false],
          ["disconnect", true]
        ])
      }))
  }

  const trade = (id: number, product = "BTC-USD") =>
    `{"type":"match","trade_id":${id},"side":"sell","size":"0.10","price":"43250.10","product_id":"${product}",` +
    `"sequence":${id},"time":"2025-10-28T12:00:00.5Z"}`

  it.live("is passive: hours of silence, no answer and no pong end nothing, and its end is no gap", () =>
    Effect.gen(function*() {
      const recording = text([
        frame(trade(1), { at: at("2026-11-26T00:00:00Z") }),
        frame(trade(2), { at: at("2026-11-27T12:00:00.123Z") }),
        // A line without a time comes at that of the one before.
        frame(trade(3))
      ])
      const { code, lines } = yield* replay(recording, "--venue", "coinbase-exchange", "--lifecycle")
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(
        lines.filter(({ _tag }) => _tag === "Connection").map(({ state }) => state),
        ["Connecting", "Connected", "Closing", "Disconnected"]
      )
      assert.deepStrictEqual(lines.filter(({ _tag }) => _tag === "Gap"), [])
      assert.deepStrictEqual(
        lines.filter(({ _tag }) => _tag === "Trade").map(({ receivedAt }) => receivedAt),
        ["2026-11-26T00:00:00.000Z", "2026-11-27T12:00:00.123Z", "2026-11-27T12:00:00.123Z"]
      )
    }))

  it.live("is passive: a dial that takes long, silence where answers are due, and many failures end nothing", () =>
    Effect.gen(function*() {
      const change = "{\"channel\":\"trade\",\"type\":\"update\",\"data\":[{\"symbol\":\"BTC/USD\",\"side\":\"buy\"," +
        "\"price\":1.0,\"qty\":2.0,\"ord_type\":\"market\",\"trade_id\":1,\"timestamp\":\"2026-11-26T00:00:00Z\"}]}"
      const failed = (second: number): ReadonlyArray<Tape.Entry> => [
        { _tag: "Dial", at: at(`2026-11-26T00:00:${String(second).padStart(2, "0")}Z`) },
        { _tag: "Close", direction: "in", reason: "connection refused" }
      ]
      const recording = text([
        {
          _tag: "Header",
          version: 1,
          venue: "kraken",
          products: ["BTC/USD", "ETH/USD"],
          channels: ["trade", "ticker", "book"]
        },
        ...Array.from({ length: 8 }, (_, index) => failed(index)).flat(),
        { _tag: "Dial", at: at("2026-11-26T00:00:10Z") },
        { _tag: "Open", at: at("2026-11-26T00:02:00Z") },
        frame(change, { at: at("2026-11-26T01:00:00Z") })
      ])
      const { lines } = yield* replay(recording, "--lifecycle")
      const states = lines.filter(({ _tag }) => _tag === "Connection").map(({ state }) => state)
      assert.deepStrictEqual(
        states,
        [
          ...Array.from({ length: 8 }, () => ["Connecting", "Reconnecting"]).flat(),
          "Connecting",
          "Connected",
          "Closing",
          "Disconnected"
        ]
      )
      assert.deepStrictEqual(lines.filter(({ _tag }) => _tag === "Breaker" || _tag === "VenueError"), [])
      // Silence is told, and nothing is done about it.
      assert.deepStrictEqual(
        lines.filter(({ _tag, channel, product }) => _tag === "Stale" && channel === "ticker" && product === "BTC/USD")
          .map(({ silentForMillis }) => silentForMillis),
        [30_000, 60_000, 90_000, 120_000]
      )
      assert.lengthOf(lines.filter(({ _tag }) => _tag === "Trade"), 1)
    }))

  it.live("is passive: waits for no answer to what was asked", () =>
    Effect.gen(function*() {
      const [ask] = venueOf("binance").subscribe([{ channel: "trade", product: "BTCUSDT" }], 1)
      const recording = text([
        { _tag: "Open", at: at("2026-11-26T00:00:00Z") },
        { _tag: "Frame", direction: "out", frame: ask?.text ?? assert.fail("nothing is asked") },
        frame("{\"e\":\"trade\",\"E\":1,\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"1.0\",\"q\":\"2.0\",\"T\":1,\"m\":true}", {
          at: at("2026-11-26T01:00:00Z")
        })
      ])
      const { lines } = yield* replay(recording, "--venue", "binance", "--lifecycle")
      assert.deepStrictEqual(
        lines.filter(({ _tag }) => _tag === "Connection").map(({ state }) => state),
        ["Connecting", "Connected", "Closing", "Disconnected"]
      )
      assert.lengthOf(lines.filter(({ _tag }) => _tag === "Trade"), 1)
    }))

  it.live("without times it is 1970, and without lines it is nothing", () =>
    Effect.gen(function*() {
      const { lines } = yield* replay(`${trade(1)}\n\n${trade(2)}\n`, "--venue", "coinbase-exchange", "--lifecycle")
      assert.deepStrictEqual(
        new Set(lines.flatMap(({ at, receivedAt }) => [at, receivedAt]).filter((one) => one !== undefined)),
        new Set(["1970-01-01T00:00:00.000Z"])
      )
      const empty = yield* replay("", "--venue", "kraken")
      assert.deepStrictEqual([empty.code, empty.stdout], [0, ""])
    }))

  it.live("prints what stream does: market events of the chosen channels, and what was rejected", () =>
    Effect.gen(function*() {
      const quote = "{\"type\":\"ticker\",\"sequence\":1,\"product_id\":\"BTC-USD\",\"price\":\"1.10\"," +
        "\"time\":\"2025-10-28T12:00:00Z\"}"
      const recording = `${trade(1)}\n${quote}\nnot json\n${trade(2)}\n`
      const tags = (lines: ReadonlyArray<Line>) => lines.map(({ _tag }) => _tag)
      const all = yield* replay(recording, "--venue", "coinbase-exchange")
      assert.deepStrictEqual(tags(all.lines), ["Trade", "Ticker", "FrameRejected", "Trade"])
      assert.isUndefined(all.lines[0]?.["frame"])
      const trades = yield* replay(recording, "--venue", "coinbase-exchange", "--channel", "trade")
      assert.deepStrictEqual(tags(trades.lines), ["Trade", "FrameRejected", "Trade"])
      const counted = yield* replay(recording, "--venue", "coinbase-exchange", "--count", "2")
      assert.deepStrictEqual(tags(counted.lines), ["Trade", "Ticker"])
      const books = yield* replay(recording, "--venue", "coinbase-exchange", "--book", "2")
      assert.deepStrictEqual(books.lines.map(({ _tag, frame }) => [_tag, frame]), [["FrameRejected", 3]])
    }))

  it.live("several connections are several legs, whose events stand as their lines do", () =>
    Effect.gen(function*() {
      const { entries } = yield* record("kraken", { seconds: 2 })
      const two = entries.flatMap((entry) => [
        { ...entry, connection: "a" },
        { ...entry, connection: 2, ...(entry._tag === "Open" ? { leg: "spare" } : {}) }
      ])
      const { lines } = yield* replay(text(two), "--venue", "kraken", "--book", "5", "--lifecycle")
      const books = lines.filter(({ _tag }) => _tag === "Book")
      assert.deepStrictEqual(new Set(books.map(({ connection }) => connection)), new Set(["a", 2]))
      const numbers = books.map(({ frame }) => Number(frame))
      assert.deepStrictEqual(numbers, numbers.toSorted((a, b) => a - b))
      assert.deepStrictEqual(
        lines.filter(({ state }) => state === "Connected").map(({ epoch, leg }) => [epoch, leg]),
        [[1, "a"], [1, "spare"]]
      )
      const alone = yield* replay(text(entries), "--venue", "kraken", "--book", "5", "--lifecycle")
      const one = books.filter(({ connection }) => connection === "a")
      assert.deepStrictEqual(booksOf(one), booksOf(alone.lines))
      assert.isUndefined(alone.lines.find((line) => "leg" in line || "connection" in line))
    }))

  it.live("of a feed that had two connections each trade is told once, and the ledger says what came twice", () =>
    Effect.gen(function*() {
      const both = [1, 2, 3].flatMap((id) => [
        frame(trade(id), { connection: "a", at: at("2026-11-26T00:00:01Z") }),
        frame(trade(id), { connection: "b" })
      ])
      const recording = text([
        ...both,
        // What one of them has lost the other one has.
        { _tag: "Close", direction: "in", code: 1006, connection: "a", at: at("2026-11-26T00:00:02Z") },
        frame(trade(4), { connection: "b", at: at("2026-11-26T00:00:03Z") })
      ])
      const { lines } = yield* replay(recording, "--venue", "coinbase-exchange", "--lifecycle", "--ledger")
      assert.deepStrictEqual(
        lines.filter(({ _tag }) => _tag === "Trade").map(({ tradeId }) => tradeId),
        ["1", "2", "3", "4"]
      )
      const gaps = lines.filter(({ _tag }) => _tag === "Gap")
      assert.deepStrictEqual(gaps.map(({ cause, recovered }) => [cause, recovered]), [["disconnect", "redundant"]])
      assert.deepStrictEqual(
        lines.filter(({ state }) => state === "Connected").map(({ leg }) => leg),
        ["a", "b"]
      )
      const [account, ...others] = lines.filter(({ _tag }) => _tag === "Ledger")
      assert.deepStrictEqual(others, [])
      assert.deepInclude(account, {
        channel: "matches",
        product: "BTC-USD",
        received: 7,
        delivered: 4,
        duplicates: 3,
        dropped: 0,
        balanced: true
      })
      assert.strictEqual(lines.at(-1)?._tag, "Ledger")
    }))

  it.live("Binance: an answer serves one request, whether it is asked for before or after", () =>
    Effect.gen(function*() {
      const { books, entries } = yield* record("binance", { seconds: 2 })
      const response = entries.find(({ _tag }) => _tag === "Response") ?? assert.fail("no answer")
      const rest = entries.filter((entry) => entry !== response)
      const run = (entries: ReadonlyArray<Tape.Entry>) =>
        Effect.map(
          replay(text(entries), "--venue", "binance", "--book", "5"),
          ({ lines }) => lines.filter(({ _tag }) => _tag === "Book")
        )
      const states = (lines: ReadonlyArray<Line>) => new Set(lines.map(({ state }) => state))
      // It is kept: the book is whole from the first change on that follows it.
      assert.deepStrictEqual(booksOf(yield* run([response, ...rest])).at(-1), books.at(-1))
      // Without one it is waited for, for ever.
      assert.deepStrictEqual(states(yield* run(rest)), new Set(["Syncing"]))
      // One for another symbol is none; the limit does not matter.
      const asked = (url: string): Tape.Entry => ({ ...response, url } as Tape.Entry)
      const path = "/api/v3/depth"
      assert.deepStrictEqual(
        states(yield* run(entries.with(entries.indexOf(response), asked(`${path}?limit=5000&symbol=ETHUSDT`)))),
        new Set(["Syncing"])
      )
      assert.deepStrictEqual(
        booksOf(yield* run(entries.with(entries.indexOf(response), asked(`${path}?limit=10&symbol=BTCUSDT`)))),
        books
      )
      // Without times as well: nothing waits for a clock.
      const timeless = entries.map(({ at: _, ...entry }) => entry as Tape.Entry)
      assert.deepStrictEqual(booksOf(yield* run(timeless)), books)
    }))

  it.live("an answer with an id of somebody else's counts by its channel and product", () =>
    Effect.gen(function*() {
      const ack = "{\"method\":\"subscribe\",\"req_id\":77,\"result\":{\"channel\":\"trade\",\"symbol\":\"BTC/USD\"," +
        "\"snapshot\":true},\"success\":true,\"time_in\":\"2026-08-16T23:37:04Z\",\"time_out\":\"2026-08-16T23:37:04Z\"}"
      const recording = text([
        { _tag: "Open", at: at("2026-11-26T00:00:00Z") },
        frame(ack),
        { _tag: "Close", direction: "in", code: 1006, at: at("2026-11-26T00:00:05Z") },
        { _tag: "Open", at: at("2026-11-26T00:00:06Z") },
        frame(ack, { at: at("2026-11-26T00:00:07Z") })
      ])
      const { lines } = yield* replay(recording, "--venue", "kraken", "--lifecycle")
      const gaps = lines.filter(({ _tag }) => _tag === "Gap")
      assert.deepStrictEqual(gaps.map(({ channel, product, to }) => [channel, product, to]), [
        ["trade", "BTC/USD", undefined],
        ["trade", "BTC/USD", "2026-11-26T00:00:07.000Z"]
      ])
      assert.isUndefined(lines.find(({ _tag }) => _tag === "VenueError"))
    }))

  it.live("dYdX: an answer that comes late is no break, whatever is printed, and a loss after it is one", () =>
    Effect.gen(function*() {
      const level = (price: string) => `{"price":"${price}","size":"1"}`
      const book = `{"type":"subscribed","connection_id":"c","message_id":1,"channel":"v4_orderbook","id":"BTC-USD",` +
        `"contents":{"bids":[${level("9")}],"asks":[${level("11")}]}}`
      const trades = `{"type":"subscribed","connection_id":"c","message_id":2,"channel":"v4_trades","id":"BTC-USD",` +
        `"contents":{"trades":[]}}`
      const change = (id: number) =>
        `{"type":"channel_batch_data","connection_id":"c","message_id":${id},"id":"BTC-USD","channel":"v4_orderbook",` +
        `"version":"1.0.0","contents":[{"bids":[["9","${id}"]]}]}`
      const connected = `{"type":"connected","connection_id":"c","message_id":0}`
      const frames = [connected, book, change(3), trades, change(4), change(6), change(7)]
      const { lines } = yield* replay(`${frames.join("\n")}\n`, "--venue", "dydx", "--book", "5")
      assert.deepStrictEqual(lines.map(({ frame, state }) => [frame, state]), [
        [2, "Live"],
        [3, "Live"],
        [5, "Live"],
        [6, "Gapped"],
        [7, "Syncing"]
      ])
    }))

  it.live("dials that failed are told as they were, and what the file says of them counts", () =>
    Effect.gen(function*() {
      const recording = text([
        { _tag: "Dial", at: at("2026-11-26T00:00:00Z"), attempt: 1, delayMillis: 0 },
        { _tag: "Open", at: at("2026-11-26T00:00:00.050Z") },
        frame(trade(1)),
        { _tag: "Close", direction: "in", code: 1012, reason: "restart", at: at("2026-11-26T00:00:05Z") },
        { _tag: "Dial", at: at("2026-11-26T00:00:06Z"), attempt: 3, delayMillis: 990 },
        { _tag: "Close", direction: "in", reason: "connection refused", at: at("2026-11-26T00:00:06.100Z") },
        { _tag: "Dial", at: at("2026-11-26T00:00:08Z") },
        { _tag: "Open", at: at("2026-11-26T00:00:08.100Z") },
        frame(trade(2))
      ])
      const { lines } = yield* replay(recording, "--venue", "coinbase-exchange", "--lifecycle")
      assert.deepStrictEqual(
        lines.filter(({ _tag }) => _tag === "Connection").slice(0, -2)
          .map(({ at, attempt, delayMillis, state }) => [state, attempt, delayMillis, String(at).slice(17, 23)]),
        [
          ["Connecting", 1, undefined, "00.000"],
          ["Connected", undefined, undefined, "00.050"],
          ["Reconnecting", 3, 990, "05.000"],
          ["Connecting", 3, undefined, "06.000"],
          ["Reconnecting", 2, 1900, "06.100"],
          ["Connecting", 2, undefined, "08.000"],
          ["Connected", undefined, undefined, "08.100"]
        ]
      )
    }))

  it.live("a close of ours at the end is no gap", () =>
    Effect.gen(function*() {
      const recording = text([
        frame(trade(1)),
        { _tag: "Close", direction: "out", code: 1000, clean: true }
      ])
      const { lines } = yield* replay(recording, "--venue", "coinbase-exchange", "--lifecycle")
      assert.deepStrictEqual(lines.filter(({ _tag }) => _tag === "Gap"), [])
      assert.deepStrictEqual(lines.at(-1)?.["state"], "Disconnected")
    }))

  it.live("a last close in good order is no gap, whoever wrote it down, and one that is not is", () =>
    Effect.gen(function*() {
      const gapsAfter = Effect.fnUntraced(function*(close: object) {
        const recording = `${text([frame(trade(1))])}${JSON.stringify({ raw: "", kind: "close", ...close })}\n`
        const { lines } = yield* replay(recording, "--venue", "coinbase-exchange", "--lifecycle")
        return lines.filter(({ _tag }) => _tag === "Gap").length
      })
      for (const close of [{}, { clean: true }, { code: 1000 }, { code: 1000, reason: "bye", clean: true }]) {
        assert.strictEqual(yield* gapsAfter(close), 0, JSON.stringify(close))
      }
      for (
        const close of [{ clean: false }, { code: 1006 }, { code: 1001, clean: true }, { code: 1000, clean: false }]
      ) {
        assert.strictEqual(yield* gapsAfter(close), 1, JSON.stringify(close))
      }
    }))

  it.live("of books on several connections the ledger is one line for each product and channel", () =>
    Effect.gen(function*() {
      const { entries } = yield* record("coinbase-exchange")
      const both = entries.flatMap((entry) => [{ ...entry, connection: 1 }, { ...entry, connection: 2 }])
      const flags = ["--venue", "coinbase-exchange", "--book", "5", "--ledger"]
      const ledgerOf = Effect.fnUntraced(function*(of: ReadonlyArray<Tape.Entry>) {
        return (yield* replay(text(of), ...flags)).lines.filter(({ _tag }) => _tag === "Ledger")
      })
      const [one, ...others] = yield* ledgerOf(entries)
      assert.deepStrictEqual(others, [])
      assert.isAbove(Number(one?.["live"]), 0)
      assert.deepStrictEqual(yield* ledgerOf(both), [{
        ...one,
        _tag: "Ledger",
        received: Number(one?.["received"]) * 2,
        delivered: Number(one?.["delivered"]) * 2
      }])
    }))

  it.live("Binance: a partial book that names no product is of the one that the header names", () =>
    Effect.gen(function*() {
      const partial = (id: number, price: string) =>
        frame(`{"lastUpdateId":${id},"bids":[["${price}","1.0"]],"asks":[["101.0","2.0"]]}`)
      const header = (...products: ReadonlyArray<string>): Tape.Entry => ({
        _tag: "Header",
        version: 1,
        venue: "binance",
        products,
        channels: ["depth20"]
      })
      const frames = [partial(1, "99.0"), partial(2, "99.5"), partial(3, "98.0")]
      const bidsOf = (lines: ReadonlyArray<Line>) =>
        lines.filter(({ _tag }) => _tag === "Book").map(({ bids, product }) => [product, bids])
      const one = yield* replay(text([header("BTCUSDT"), ...frames]), "--book", "5")
      assert.deepStrictEqual(bidsOf(one.lines), [
        ["BTCUSDT", [["99.0", "1.0"]]],
        ["BTCUSDT", [["99.5", "1.0"]]],
        ["BTCUSDT", [["98.0", "1.0"]]]
      ])
      // Of two nobody can say which one it is.
      assert.deepStrictEqual(
        bidsOf((yield* replay(text([header("BTCUSDT", "ETHUSDT"), ...frames]), "--book", "5")).lines),
        []
      )
    }))

  it.live("a line that is too long is told in its place, as decode does", () =>
    Effect.gen(function*() {
      const long = new Uint8Array(64 * 1024 * 1024 + 1).fill(120)
      const lines = (...some: ReadonlyArray<string>) => new TextEncoder().encode(some.join(""))
      const recording = [lines(trade(1), "\n", trade(2), "\n"), long, lines("\n", trade(3), "\n")]
      const world = TestHost.make({ stdin: recording })
      const code = yield* TestHost.run(world, "replay", "-", "--venue", "coinbase-exchange", "--ledger")
      assert.strictEqual(code, 0)
      const told = world.objects() as ReadonlyArray<Line>
      assert.deepStrictEqual(told.map(({ _tag, reason, tradeId }) => tradeId ?? reason ?? _tag), [
        "1",
        "2",
        "TooLarge",
        "3",
        "Ledger",
        "Ledger"
      ])
      assert.deepInclude(told.at(-1), { rejected: 1, balanced: true })
    }))

  it.live("reads gzip; what is wrong is told with its line, and goes on", () =>
    Effect.gen(function*() {
      const recording = `${trade(1)}\n{"raw":"","kind":"smoke"}\n${JSON.stringify({ raw: trade(2), at: "noon" })}\n`
      const { code, lines, world } = yield* replay(Zlib.gzipSync(recording), "--venue", "coinbase-exchange")
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(lines.map(({ tradeId }) => tradeId), ["1", "2"])
      assert.include(world.stderr(), "line 2: kind")
      assert.include(world.stderr(), "line 3: at")
    }))

  it.live("of a recording that was cut off what is whole is replayed", () =>
    Effect.gen(function*() {
      const header: Tape.Entry = { _tag: "Header", version: 1, venue: "coinbase-exchange", products: [], channels: [] }
      const whole = text([header, frame(trade(1)), frame(trade(2))])
      const plain = yield* replay(whole.slice(0, -20))
      assert.deepStrictEqual([plain.code, plain.lines.map(({ tradeId }) => tradeId)], [0, ["1"]])
      assert.include(plain.world.stderr(), "torn")
      const many = text([header, ...Array.from({ length: 5_000 }, (_, id) => frame(trade(id * 7_919)))])
      for (const zip of [Zlib.gzipSync, Zlib.zstdCompressSync]) {
        const zipped = zip(many)
        assert.lengthOf((yield* replay(zipped)).lines, 5_000)
        const cut = yield* replay(zipped.subarray(0, zipped.length - 5_000))
        assert.strictEqual(cut.code, 0)
        assert.isAbove(cut.lines.length, 100)
        assert.isFalse(cut.lines.some(({ _tag }) => _tag === "FrameRejected"))
      }
    }))

  it.live("a venue that is not known, books that there are not, and a file that is not there are wrong uses", () =>
    Effect.gen(function*() {
      for (
        const [recording, flags, said] of [
          [trade(1), [], "--venue"],
          [
            text([{ _tag: "Header", version: 1, venue: "kraquen", products: [], channels: [] }, frame("{}")]),
            [],
            "kraken"
          ],
          [trade(1), ["--venue", "generic", "--book", "2"], "--book"],
          [trade(1), ["--venue", "kraken", "--speed", "2"], "--speed"]
        ] as const
      ) {
        const { code, world } = yield* replay(recording, ...flags)
        assert.strictEqual(code, 2, world.stderr())
        assert.include(world.stderr(), said)
      }
      const world = TestHost.make()
      assert.strictEqual(yield* TestHost.run(world, "replay", "/nowhere.jsonl", "--venue", "kraken"), 2)
    }))

  it.live("at its own pace it prints the same", () =>
    Effect.gen(function*() {
      const recording = text([
        frame(trade(1), { at: at("2026-11-26T00:00:00Z") }),
        frame(trade(2), { at: at("2026-11-26T00:00:01Z") })
      ])
      const begun = performance.now()
      const paced = yield* replay(recording, "--venue", "coinbase-exchange", "--lifecycle", "--speed", "10")
      assert.isAtLeast(performance.now() - begun, 90)
      const quick = yield* replay(recording, "--venue", "coinbase-exchange", "--lifecycle")
      assert.strictEqual(paced.stdout, quick.stdout)
    }))

  it.live("a book that crosses in an auction is no gap, until the auction is over", () =>
    Effect.gen(function*() {
      const product = "\"product_id\":\"BTC-USD\""
      const bid = (price: string, size: string, second: number): Tape.Entry =>
        frame(`{"type":"l2update",${product},"changes":[["buy","${price}","${size}"]]}`, {
          at: at(`2026-11-26T00:00:${String(second).padStart(2, "0")}Z`)
        })
      const auction = frame(`{"type":"auction",${product},"auction_state":"collection"}`, {
        at: at("2026-11-26T00:00:02Z")
      })
      const recording = text([
        frame(`{"type":"snapshot",${product},"bids":[["99","1"]],"asks":[["100","1"]]}`, {
          at: at("2026-11-26T00:00:01Z")
        }),
        auction,
        bid("101", "1", 3),
        bid("101", "0", 21),
        bid("98", "1", 23),
        bid("101", "1", 24)
      ])
      const { lines } = yield* replay(recording, "--venue", "coinbase-exchange", "--book", "1", "--ledger")
      assert.deepStrictEqual(
        lines.filter(({ _tag }) => _tag === "Book").map((
          { bids, cause, frame, state, tradingStatus }
        ) => [frame, state, tradingStatus, cause, bids]),
        [
          [1, "Unverified", undefined, undefined, [["99", "1"]]],
          [2, "Unverified", "auction", undefined, [["99", "1"]]],
          [3, "Unverified", "auction", undefined, [["101", "1"]]],
          [4, "Unverified", "auction", undefined, [["99", "1"]]],
          [5, "Unverified", undefined, undefined, [["99", "1"]]],
          [6, "Gapped", undefined, "crossed", []]
        ]
      )
      const [gaps] = lines.flatMap(({ _tag, gaps, channel }) =>
        _tag === "Ledger" && channel === "level2_batch" ? [gaps] : []
      )
      assert.lengthOf(gaps as ReadonlyArray<unknown>, 1)
    }))
})
