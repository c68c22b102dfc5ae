import { assert, describe, it } from "@effect/vitest"
import * as Lifecycle from "@tickline/core/event/Lifecycle"
import * as MarketData from "@tickline/core/event/MarketData"
import type { Sink } from "@tickline/node/runner/Host"
import * as OutputQueue from "@tickline/node/runner/OutputQueue"
import * as Streaming from "@tickline/node/runner/Streaming"
import * as Tally from "@tickline/node/runner/Tally"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

const bin = Path.join(import.meta.dirname, "../../src/bin.ts")
const venue = MockVenues.byName("coinbase-exchange") ?? MockVenues.all[0]!
const products = ["BTC-USD", "ETH-USD"]

/** More than 64 MiB of lines; the mock's own trades have smaller numbers. */
const sent = 34_000
const first = 1_000_001
const all = Array.from({ length: sent }, (_, index) => first + index)

// Two kilobytes a line, from digits that count: the zeros behind a price are part of it.
const productOf = (id: number): string => products[id % 2] ?? ""
const zeros = "0".repeat(900)
const trade = (id: number): string =>
  `{"type":"match","trade_id":${id},"sequence":${id},"maker_order_id":"a","taker_order_id":"b","size":"1.${zeros}",` +
  `"price":"2.${zeros}","side":"buy","product_id":"${productOf(id)}","time":"2025-10-28T12:00:00Z"}`

const last = new RegExp(`"tradeId":"${all.at(-1)}".*\\n`)

type Event = Record<string, unknown>

/** The runner, whose stdout nobody reads until `read` is called. */
const start = Effect.fnUntraced(function*(command: "stream" | "run", flags: ReadonlyArray<string>) {
  const server = yield* MockServer.make({ venue, rate: 0, pingMillis: 500 })
  const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))
  yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(folder, { recursive: true })))
  const file = Path.join(folder, "tickline.toml")
  Fs.writeFileSync(file, `[venues.${venue.name}]\nurl = "${server.url}"\nproducts = ${JSON.stringify(products)}\n`)
  const args = command === "run"
    ? ["run", "--config", file, ...flags]
    : ["stream", venue.name, ...products, "--url", server.url, ...flags]
  const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "pipe"] })
  yield* Effect.addFinalizer(() => Effect.sync(() => child.kill("SIGKILL")))
  let stderr = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
  })
  const reading = () =>
    new Promise<ReadonlyArray<Event>>((resolve) => {
      const chunks: Array<string> = []
      const finish = () => resolve(chunks.join("").split("\n").slice(0, -1).map((line) => JSON.parse(line)))
      child.stdout.setEncoding("utf8").on("end", finish).on("data", (text: string) => {
        chunks.push(text)
        if (last.test(chunks.slice(-2).join(""))) finish()
      })
    })
  const exited = new Promise<{ code: number | null; at: number; left: Promise<ReadonlyArray<Event>> }>((resolve) =>
    // What is left unread is thrown away after this.
    child.on("exit", (code) => resolve({ code, at: Date.now(), left: reading() }))
  )
  const connection = yield* server.nextConnection
  return {
    server,
    child,
    stderr: () => stderr,
    exited: Effect.promise(() => exited),
    /** Sends all the trades, and completes when the client has answered a ping that came after them, or has gone. */
    flood: Effect.gen(function*() {
      // The mock's own trades come first.
      yield* Queue.take(connection.received)
      for (const id of all) {
        yield* connection.send(trade(id))
        if (id % 500 === 0) yield* Effect.sleep(1)
      }
      const before = server.arrivals().length
      const isAnswered = () => server.arrivals().slice(before).filter(({ kind }) => kind === "pong").length > 2
      while (connection.isOpen() && !isAnswered()) yield* Effect.sleep(20)
    }),
    /** Reads stdout until the last trade has come. */
    read: Effect.promise(reading)
  }
})

const idsOf = (events: ReadonlyArray<Event>) =>
  events.filter(({ _tag }) => _tag === "Trade").map(({ tradeId }) => Number(tradeId)).filter((id) => id >= first)

for (const command of ["stream", "run"] as const) {
  describe(`${command}, when nobody reads its stdout`, { timeout: 60_000 }, () => {
    it.live("lives on, link and all, and tells what it dropped where it is missing, to the event", () =>
      Effect.gen(function*() {
        const run = yield* start(command, [])
        yield* run.flood
        const events = yield* run.read
        assert.strictEqual(run.server.metrics().dials, 1)
        assert.isNull(run.child.exitCode)
        // Of each product as many are missing as the gaps say, in the place where they stand.
        const lost = new Map(products.map((product) => [product, 0]))
        const told = new Map(lost)
        let before = first - 1
        for (const event of events) {
          if (event._tag === "Gap") {
            assert.deepInclude(event, { venue: venue.name, channel: "matches", cause: "overflow" })
            assert.isTrue(Date.parse(String(event.from)) <= Date.parse(String(event.to)))
            const product = String(event.product)
            told.set(product, (told.get(product) ?? 0) + Number(event.missing))
            continue
          }
          const id = Number(event.tradeId)
          if (id < first) continue
          for (let missing = before + 1; missing < id; missing++) {
            const product = productOf(missing)
            lost.set(product, (lost.get(product) ?? 0) + 1)
          }
          assert.deepStrictEqual(told, lost)
          before = id
        }
        const dropped = sent - idsOf(events).length
        assert.isAbove(dropped, 0)
        run.child.kill("SIGTERM")
        assert.strictEqual((yield* run.exited).code, 0)
        assert.include(run.stderr(), `; ${dropped.toLocaleString("en")} events dropped, as stdout was not read; `)
      }))

    it.live("--overflow block: nothing is lost", () =>
      Effect.gen(function*() {
        const run = yield* start(command, ["--overflow", "block"])
        yield* Effect.forkChild(run.flood)
        // Until the venue's own buffers hold what is not taken.
        yield* Effect.sleep(3_000)
        assert.isNull(run.child.exitCode)
        const events = yield* run.read
        assert.deepStrictEqual(idsOf(events), all)
        assert.deepStrictEqual([...new Set(events.map(({ _tag }) => _tag))], ["Trade"])
        assert.strictEqual(run.server.metrics().dials, 1)
        run.child.kill("SIGTERM")
        assert.strictEqual((yield* run.exited).code, 0)
      }))

    it.live("--overflow fail: ends with 1 and says why", () =>
      Effect.gen(function*() {
        const run = yield* start(command, ["--overflow", "fail"])
        yield* run.flood
        const { code, left } = yield* run.exited
        assert.strictEqual(code, 1)
        assert.match(run.stderr(), /^tickline: stdout is not read: [\d,]+ events wait for it$/m)
        // What the pipe held are whole lines.
        const ids = idsOf(yield* Effect.promise(() => left))
        assert.deepStrictEqual(ids, all.slice(0, ids.length))
      }))

    it.live("a signal ends it with 0 within 2 s, every line whole, and the summary says what is left", () =>
      Effect.gen(function*() {
        const run = yield* start(command, [])
        yield* run.flood
        const asked = Date.now()
        run.child.kill("SIGTERM")
        const { at, code, left } = yield* run.exited
        assert.strictEqual(code, 0)
        assert.isBelow(at - asked, 2_000)
        assert.match(run.stderr(), /[\d,]+ events left unread/)
        const ids = idsOf(yield* Effect.promise(() => left))
        assert.deepStrictEqual(ids, all.slice(0, ids.length))
      }))
  })
}

describe("the queue before stdout", () => {
  const price = (product: string) =>
    new MarketData.PriceUpdate({ venue: "generic", product, price: BigDecimal.make(15n, 1) })
  const connected = (epoch: number) => new Lifecycle.ConnectionEvent({ venue: "generic", state: "Connected", epoch })

  /** A queue of so many bytes, and what its reader has read; it pauses from the first write on until it is released. */
  const paused = Effect.fnUntraced(function*(bytes: number, overflow: OutputQueue.Overflow = "drop-oldest") {
    const reads = yield* Latch.make(false)
    const written: Array<string> = []
    const stdout: Sink = {
      isTerminal: false,
      hasColor: false,
      size: () => ({ columns: 80, rows: 24 }),
      write: (data) => Effect.andThen(reads.await, Effect.sync(() => void written.push(Buffer.from(data).toString()))),
      writeUnsafe: () => {},
      flushed: Effect.void,
      closed: Effect.never
    }
    const tally = Tally.make()
    const queue = yield* OutputQueue.make({
      stdout,
      overflow: () => overflow,
      bytes,
      tally,
      format: Streaming.ndjson(stdout)
    })
    const lines = () => written.join("").split("\n").slice(0, -1).map((line): Event => JSON.parse(line))
    return { queue, tally, reads, lines }
  })

  it.effect("keeps the life of the connections, with the gaps in order about it", () =>
    Effect.gen(function*() {
      const { lines, queue, reads } = yield* paused(64 * 1024)
      for (let epoch = 1; epoch <= 3; epoch++) {
        yield* queue.offer([connected(epoch)])
        for (let id = 0; id < 2_000; id++) yield* queue.offer([price("€")])
        yield* TestClock.adjust("1 second")
      }
      yield* reads.open
      yield* queue.end
      const events = lines()
      assert.deepStrictEqual(events.flatMap(({ epoch }) => epoch ?? []), [1, 2, 3])
      const shape = events.flatMap(({ _tag, epoch, missing }, index) =>
        _tag === "PriceUpdate" && events[index - 1]?._tag === "PriceUpdate" ? [] : [epoch ?? missing ?? _tag]
      )
      const left = events.filter(({ _tag }) => _tag === "PriceUpdate").length
      assert.deepStrictEqual(shape, [1, 2_000, 2, 2_000, 3, 2_000 - left, "PriceUpdate"])
      const gaps = events.filter(({ _tag }) => _tag === "Gap")
      assert.deepStrictEqual(
        gaps.map(({ from, product, to }) => [product, from, to]),
        [0, 1, 2].map((second) => [
          "€",
          ...Array<string>(2).fill(`1970-01-01T00:00:0${second}.000Z`)
        ])
      )
    }))

  it.effect("is bounded where a peer makes up products, and where only the life of the connections is left", () =>
    Effect.gen(function*() {
      const { lines, queue, reads } = yield* paused(64 * 1024)
      for (let id = 0; id < 30_000; id++) yield* queue.offer([price(`P${id}`)])
      yield* reads.open
      yield* queue.end
      const events = lines()
      const gaps = events.filter(({ _tag }) => _tag === "Gap")
      assert.isAtMost(gaps.length, 10_001)
      const missing = gaps.reduce((sum, gap) => sum + Number(gap.missing), 0)
      assert.strictEqual(missing + events.length - gaps.length, 30_000)
      const flapping = yield* paused(64 * 1024)
      const failure = yield* Effect.flip(Effect.forever(flapping.queue.offer([connected(1), price("A")])))
      assert.strictEqual(failure._tag, "RunFailed")
      yield* flapping.queue.end
    }))

  it.effect("counts what it has written, what it dropped, and what is left", () =>
    Effect.gen(function*() {
      const { queue, tally } = yield* paused(4 * 1024)
      for (let id = 0; id < 1_000; id++) yield* queue.offer([price("A")])
      queue.report()
      const [, dropped, left] =
        /^0 events in 1 s; (\d+) events dropped, as stdout was not read; (\d+) events left unread; /
          .exec(tally.summary(1_000)) ?? []
      assert.strictEqual(Number(dropped) + Number(left), 1_000)
      assert.strictEqual(queue.dropped(), Number(dropped))
    }))
})
