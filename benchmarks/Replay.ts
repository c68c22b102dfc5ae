/** A recording, replayed at full speed through the code that runs live: what it costs beside reading its JSON. */
import "effect/schema/SchemaJITCompiler/enable"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Replay from "@tickline/core/recording/Replay"
import * as Tape from "@tickline/core/recording/Tape"
import * as Channel from "@tickline/core/value/Channel"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Recording from "@tickline/node/runner/Recording"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Frames from "./Frames.ts"
import * as Rounds from "./Rounds.ts"
import { cpu } from "./Spent.ts"

const count = 200_000

// A recording of so many is not kept between its two readings.
const many = 400_000

// As `stream --record` writes them: up to seven frames came at one moment, a millisecond after those before.
const sizes = [1, 1, 2, 1, 3, 1, 7, 2]
const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))
const record = (frames: number): string => {
  const lines: Array<string> = []
  let millis = Date.UTC(2026, 9, 28, 12)
  const add = (entry: object): void => {
    const at = Timestamp.fromEpochMillis(millis)
    lines.push(Tape.encode({ at, connection: 1, ...entry } as Tape.Entry))
  }
  lines.push(Tape.encode({
    _tag: "Header",
    version: 1,
    venue: "coinbase-exchange",
    products: ["BTC-USD"],
    channels: ["matches"]
  }))
  add({ _tag: "Dial", attempt: 1, delayMillis: 0 })
  add({ _tag: "Open" })
  let left = sizes[0] ?? 1
  let moment = 0
  for (const frame of Frames.coinbaseMatches(frames)) {
    add({ _tag: "Frame", direction: "in", frame })
    if (--left > 0) continue
    millis++
    left = sizes[++moment % sizes.length] ?? 1
  }
  const file = Path.join(folder, `${frames}.jsonl`)
  Fs.writeFileSync(file, `${lines.join("\n")}\n`)
  return file
}

const file = record(count)
const large = record(many)

/** Calls back with the lines of a file, and reads no further. */
const read = async (file: string, each: (line: string) => void): Promise<void> => {
  let rest = ""
  for await (const chunk of Fs.createReadStream(file, { encoding: "utf8", highWaterMark: 256 * 1024 })) {
    const found = `${rest}${chunk}`.split("\n")
    rest = found.pop() ?? ""
    for (const line of found) each(line)
  }
}

let sink = 0

const parsed = (file: string) => () =>
  cpu(() =>
    read(file, (line) => {
      const { raw }: { readonly raw: string } = JSON.parse(line)
      if (raw !== "") sink += JSON.parse(raw).price.length
    })
  )

// The lines alone, whose frames stay text.
const opened = () =>
  cpu(() =>
    read(file, (line) => {
      sink += JSON.parse(line).raw.length
    })
  )

const linesOf = (file: string) =>
  Stream.unwrap(Effect.map(
    Recording.open(file),
    (bytes) =>
      Stream.fromAsyncIterable(Recording.lines(bytes), String).pipe(
        Stream.filter(Arr.isReadonlyArrayNonEmpty),
        Stream.flattenArray,
        Stream.map((line) => line ?? "")
      )
  ))

const replay = Effect.fnUntraced(function*(file: string, count: number) {
  let trades = 0
  const recording = yield* Replay.make(linesOf(file), { turns: "frames" })
  const ledger = yield* recording.run(
    Effect.gen(function*() {
      const feed = yield* MarketFeed.prepare(CoinbaseExchange.venue, {
        url: "ws://recording.invalid",
        channels: [Channel.make("matches", "BTC-USD")]
      })
      const consumer = yield* feed.events({ overflow: "block" }).pipe(
        Stream.runForEachArray((events) =>
          Effect.sync(() => {
            for (const event of events) if (event._tag === "Trade") trades++
          })
        ),
        Effect.forkScoped({ startImmediately: true })
      )
      yield* Effect.forkScoped(Effect.ignore(feed.connection.connect), { startImmediately: true })
      yield* recording.ended
      yield* feed.connection.close()
      yield* Fiber.join(consumer)
      return yield* feed.ledger
    }).pipe(Effect.provide(Reconnection.layerWithBreaker()))
  )
  const [entry] = ledger.entries
  if (trades !== count || entry?.delivered !== count || !entry.isBalanced) {
    throw new Error(`${trades} of ${count} trades came, the ledger has ${entry?.delivered}`)
  }
})

const replayed = (file: string, count: number) => () =>
  cpu(() => Effect.runPromise(Effect.scoped(replay(file, count)).pipe(Effect.provide(Logger.layer([])))))

// The engine's compiling is CPU as well: what counts is what comes once it has compiled.
const rounds = { rounds: 7, warmup: 4 }
const spent = await Rounds.interleave({
  parsed: parsed(file),
  opened,
  replayed: replayed(file, count)
}, rounds)
const spentLarge = await Rounds.interleave({
  parsed: parsed(large),
  replayed: replayed(large, many)
}, rounds)

Fs.rmSync(folder, { recursive: true })
if (sink === 0) throw new Error("nothing was read")

const each = (values: ReadonlyArray<number>): string => (Rounds.median(values) / count).toFixed(2)
Rounds.report([
  {
    name: "replay from disk at full speed, events ÷ reading and `JSON.parse` of line and frame",
    value: Rounds.ratio(spent.parsed, spent.replayed),
    unit: "×",
    higher: true,
    must: 0.7,
    goal: 1,
    detail: `CPU: ${each(spent.replayed)} µs an event, ${each(spent.parsed)} to read both, ${
      each(spent.opened)
    } the lines alone; tardis-machine replays only what it downloads from its own server, so no peer is beside it`
  },
  {
    name: "the same of a recording that is too large to be kept, and is read twice",
    value: Rounds.ratio(spentLarge.parsed, spentLarge.replayed),
    unit: "×",
    higher: true
  }
])
process.exit(0)
