import { assert, describe, it } from "@effect/vitest"
import * as BearerToken from "@tickline/core/connection/BearerToken"
import * as Streaming from "@tickline/node/runner/Streaming"
import * as Targets from "@tickline/node/runner/Targets"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { type Event, ids, simulate, states, stream, trades } from "./Streams.ts"
import * as TestHost from "./TestHost.ts"

describe.concurrent("stream from several venues", { timeout: 20_000 }, () => {
  it.live("prints the events of all in one stream, and ends at --count of them together", () =>
    Effect.gen(function*() {
      const coinbase = yield* simulate("coinbase-exchange", ["--rate", "100"])
      const kraken = yield* simulate("kraken", ["--rate", "100"])
      const world = TestHost.make()
      const targets = ["coinbase-exchange:BTC-USD", "kraken:BTC/USD", "kraken:ETH-USD"]
      const urls = ["--url", `kraken=${kraken.url}`, "--url", `coinbase-exchange=${coinbase.url}`]
      assert.strictEqual(yield* TestHost.run(world, "stream", ...targets, ...urls, "--count", "40"), 0)
      const data = trades(world.objects())
      assert.strictEqual(data.length, 40)
      assert.deepStrictEqual([...new Set(data.map(({ product, venue }) => `${venue} ${product}`))].toSorted(), [
        "coinbase-exchange BTC-USD",
        "kraken BTC/USD",
        // Named as others name it, asked for and told as Kraken does.
        "kraken ETH/USD"
      ])
      assert.match(world.stderr(), /2 epochs, 0 drops/)
    }))

  it.live("one venue that refuses or gives up does not touch the other, and fails the run at its end", () =>
    Effect.gen(function*() {
      const coinbase = yield* simulate("coinbase-exchange", ["--rate", "100"])
      const generic = yield* simulate("generic", [
        "--rate",
        "100",
        "--fault",
        "refuse=9@100ms",
        "--fault",
        "drop@100ms"
      ])
      const world = TestHost.make()
      const targets = ["coinbase-exchange:NOSUCH", "generic:BTC-USD", "kraken:BTC/USD"]
      const kraken = yield* simulate("kraken", ["--rate", "100"])
      const urls = [
        ["--url", `coinbase-exchange=${coinbase.url}`],
        ["--url", `generic=${generic.url}`],
        ["--url", `kraken=${kraken.url}`]
      ].flat()
      const flags = ["--preset", "fast", "--duration", "4s", "--lifecycle"]
      assert.strictEqual(yield* TestHost.run(world, "stream", ...targets, ...urls, ...flags), 1)
      const of = (name: string) => world.objects().filter(({ venue }) => venue === name)
      assert.include(states(of("generic")), "Failed")
      assert.deepStrictEqual(states(of("coinbase-exchange")).slice(-2), ["Closing", "Disconnected"])
      assert.deepStrictEqual(states(of("kraken")), ["Connecting", "Connected", "Closing", "Disconnected"])
      assert.isAbove(trades(of("kraken")).length, 200)
      assert.match(world.stderr(), /^coinbase-exchange refused the subscription to matches of NOSUCH: /m)
      assert.match(world.stderr(), /^tickline: connection aborted after 5 retries/m)
    }))

  it.live("a venue that refuses everything fails the run only where no other has anything left", () =>
    Effect.gen(function*() {
      const kraken = yield* simulate("kraken", ["--rate", "100"])
      const generic = yield* simulate("generic", ["--rate", "100"])
      const urls = ["--url", `kraken=${kraken.url}`, "--url", `generic=${generic.url}`]
      for (const targets of [["kraken:NO/SUCH", "generic:BTC-USD"], ["generic:BTC-USD", "kraken:NO/SUCH"]]) {
        const world = TestHost.make()
        assert.strictEqual(yield* TestHost.run(world, "stream", ...targets, ...urls, "--duration", "600ms"), 0)
        assert.match(world.stderr(), /^kraken refused the subscription to trade of NO\/SUCH: /m)
        assert.isAbove(world.objects().filter(({ _tag }) => _tag === "PriceUpdate").length, 10)
      }
      const world = TestHost.make()
      const targets = ["kraken:NO/SUCH", "generic:NOSUCH"]
      assert.strictEqual(yield* TestHost.run(world, "stream", ...targets, ...urls, "--duration", "5s"), 1)
      for (const name of ["kraken", "generic"]) assert.include(world.stderr(), `${name} refused the subscription to `)
    }))

  it.live("ends with 1 when every venue has failed", () =>
    Effect.gen(function*() {
      const world = TestHost.make()
      const targets = ["generic:A", "kraken:B"]
      const urls = ["--url", "generic=ws://127.0.0.1:1", "--url", "kraken=ws://127.0.0.1:1"]
      assert.strictEqual(yield* TestHost.run(world, "stream", ...targets, ...urls, "--preset", "fast"), 1)
      assert.match(world.stderr(), /generic: .*; kraken: /)
    }))

  it.live("a token goes to those for whom an endpoint is named, and to nobody else", () =>
    Effect.gen(function*() {
      const auth = yield* BearerToken.make(Redacted.make("s3cr3t-t0k3n"))
      const has = (...args: Parameters<typeof Targets.parse>) =>
        Streaming.entriesOf(Result.getOrThrow(Targets.parse(...args)), ["trade"], auth).map(({ auth }) =>
          auth !== undefined
        )
      const named = ["generic=ws://127.0.0.1:1"]
      assert.deepStrictEqual(has("kraken:BTC/USD", ["generic:BTC-USD", "coinbase:BTC-USD"], named), [
        false,
        true,
        false
      ])
      assert.deepStrictEqual(has("kraken:BTC/USD", [], []), [true])
    }))

  it.live("a recording names the venue of each connection", () =>
    Effect.gen(function*() {
      const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(folder, { recursive: true })))
      const file = Path.join(folder, "r.jsonl")
      const kraken = yield* simulate("kraken", ["--rate", "100"])
      const generic = yield* simulate("generic", ["--rate", "100"])
      const world = TestHost.make()
      const urls = ["--url", `kraken=${kraken.url}`, "--url", `generic=${generic.url}`]
      const flags = ["--record", file, "--count", "20"]
      assert.strictEqual(
        yield* TestHost.run(world, "stream", "kraken:BTC/USD", "generic:BTC-USD", ...urls, ...flags),
        0
      )
      const [header, other, ...entries] = Fs.readFileSync(file, "utf8").trim().split("\n").map((line) =>
        JSON.parse(line)
      )
      assert.deepStrictEqual([header, other].map(({ kind, venue }) => [kind, venue]), [
        ["header", "kraken"],
        ["header", "generic"]
      ])
      const connections = entries.map(({ connection }) => connection)
      assert.deepStrictEqual([...new Set(connections)].map((text) => String(text).split(" ")[0]).toSorted(), [
        "generic",
        "kraken"
      ])
    }))

  it.live("the live table shows each venue", () =>
    Effect.gen(function*() {
      const kraken = yield* simulate("kraken", ["--rate", "100"])
      const generic = yield* simulate("generic", ["--rate", "100"])
      const world = TestHost.make({ terminal: true })
      const urls = ["--url", `kraken=${kraken.url}`, "--url", `generic=${generic.url}`]
      const targets = ["kraken:BTC/USD", "generic:BTC-USD"]
      assert.strictEqual(yield* TestHost.run(world, "stream", ...targets, ...urls, "--duration", "500ms"), 0)
      for (const text of ["tickline stream kraken generic", "BTC/USD", "BTC-USD"]) assert.include(world.stdout(), text)
    }))
})

describe.concurrent("stream survives each kind of fault", { timeout: 20_000 }, () => {
  const survives = (
    name: string,
    faults: ReadonlyArray<string>,
    check: (events: ReadonlyArray<Event>) => void,
    env: Record<string, string> = {}
  ) =>
    it.live(name, () =>
      Effect.gen(function*() {
        const flags = faults.flatMap((fault) => ["--fault", fault])
        const { url, world: server } = yield* simulate("coinbase-exchange", ["--rate", "100", ...flags])
        const { code, events } = yield* stream(url, ["--count", "40", "--lifecycle"], { env })
        assert.strictEqual(code, 0)
        assert.strictEqual(trades(events).length, 40)
        assert.strictEqual(server.objects().filter(({ _tag }) => _tag === "Fault").length, faults.length)
        check(events)
      }))

  /** It came back with a second epoch, told of the gap before the data that follows, and stayed. */
  const cameBack = (reason: RegExp) => (events: ReadonlyArray<Event>) => {
    const at = (state: string, epoch?: number) =>
      events.findIndex((event) => event.state === state && (epoch === undefined || event.epoch === epoch))
    // It is told at the drop, and again with its end when the link is back.
    const gapAt = (isOver: boolean) =>
      events.findIndex((event) => event._tag === "Gap" && (event.to !== undefined) === isOver)
    const [noticed, gap] = [gapAt(false), gapAt(true)]
    assert.isAbove(noticed, at("Connected", 1))
    assert.isBelow(noticed, at("Connected", 2))
    assert.strictEqual(events[noticed]?.from, events[gap]?.from)
    assert.isAbove(at("Connected", 2), Math.max(at("Reconnecting"), at("CircuitOpen"), 0))
    assert.isAbove(gap, at("Connected", 2))
    assert.strictEqual(events[gap]?.product, "BTC-USD")
    assert.strictEqual(events[gap]?.cause, "disconnect")
    // Trades that were fetched stand before its end.
    assert.isAbove(events.findLastIndex(({ _tag }) => _tag === "Trade"), at("Connected", 2))
    assert.isTrue(
      events.some((event) => event._tag === "Connection" && reason.test(String(event.reason))),
      `${reason} in ${
        events.filter(({ _tag }) => _tag === "Connection").map(({ reason }) => String(reason)).join("; ")
      }`
    )
    assert.strictEqual(at("Connected", 3), -1)
  }

  const stayedUp = (events: ReadonlyArray<Event>) =>
    assert.deepStrictEqual(states(events), ["Connecting", "Connected", "Closing", "Disconnected"])

  survives("drop", ["drop@100ms"], cameBack(/1006/))
  survives("close", ["close=1012@100ms"], cameBack(/1012/))
  survives("refuse", ["refuse=2@100ms", "drop@100ms"], cameBack(/unreachable|refused/))
  survives("hang", ["hang@100ms", "drop@100ms"], cameBack(/no handshake within 300 ms/), {
    TICKLINE_RECONNECTION_CONNECT_TIMEOUT: "300ms"
  })
  survives("status", ["status=429;retry-after=1@100ms", "drop@100ms"], (events) => {
    cameBack(/status 429/)(events)
    const waits = events.filter((event) => /429/.test(String(event.reason))).map(({ delayMillis }) =>
      Number(delayMillis)
    )
    assert.isAtLeast(Math.max(...waits), 1000)
  })
  survives("silent", ["silent@100ms"], cameBack(/no pong/), {
    TICKLINE_RECONNECTION_HEARTBEAT_INTERVAL: "200ms",
    TICKLINE_RECONNECTION_HEARTBEAT_TIMEOUT: "500ms"
  })
  survives("garbage", ["garbage@100ms"], (events) => {
    stayedUp(events)
    assert.deepStrictEqual(events.filter(({ _tag }) => _tag === "FrameRejected").map(({ reason }) => reason), [
      "MalformedJson"
    ])
  })
  survives("binary", ["binary@100ms"], (events) => {
    stayedUp(events)
    assert.deepStrictEqual(events.filter(({ _tag }) => _tag === "FrameRejected").map(({ reason }) => reason), [
      "MalformedJson"
    ])
  })
  survives("slow", ["slow=100@100ms"], (events) => {
    stayedUp(events)
    assert.deepStrictEqual(ids(events), Array.from({ length: 40 }, (_, index) => (ids(events)[0] ?? 0) + index))
  })
  survives("fragment", ["fragment@100ms"], (events) => {
    stayedUp(events)
    assert.deepStrictEqual(ids(events), Array.from({ length: 40 }, (_, index) => (ids(events)[0] ?? 0) + index))
  })
  survives("duplicate", ["duplicate@100ms"], (events) => {
    stayedUp(events)
    // What comes twice is passed over.
    assert.deepStrictEqual(ids(events), Array.from({ length: 40 }, (_, index) => (ids(events)[0] ?? 0) + index))
  })
  survives("reorder", ["reorder@100ms"], (events) => {
    stayedUp(events)
    assert.strictEqual(ids(events).filter((id, index) => index > 0 && id < (ids(events)[index - 1] ?? 0)).length, 1)
    assert.strictEqual(new Set(ids(events)).size, 40)
  })
  survives("lose", ["lose@100ms"], (events) => {
    stayedUp(events)
    assert.strictEqual((ids(events).at(-1) ?? 0) - (ids(events)[0] ?? 0), 40)
  })
  survives("corrupt", ["corrupt@100ms"], (events) => {
    stayedUp(events)
    const sequences = trades(events).map(({ sequence }) => Number(sequence))
    assert.strictEqual(
      sequences.filter((sequence, index) => index > 0 && sequence < (sequences[index - 1] ?? 0)).length,
      1
    )
  })
})
