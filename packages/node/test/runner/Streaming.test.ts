import { assert, describe, it } from "@effect/vitest"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { simulate, states, stream, trades } from "./Streams.ts"
import * as TestHost from "./TestHost.ts"

describe.concurrent("stream from simulate", { timeout: 20_000 }, () => {
  it.live("prints the market events it was asked for, data from the first line on, and ends at --count", () =>
    Effect.gen(function*() {
      const { url, world: server } = yield* simulate("coinbase-exchange", ["--rate", "200"])
      const { code, events, world } = yield* stream(url, ["--count", "12"])
      assert.strictEqual(code, 0)
      assert.deepStrictEqual([...new Set(events.map(({ _tag }) => _tag))], ["Trade"])
      assert.strictEqual(trades(events).length, 12)
      for (const trade of trades(events)) {
        assert.match(String(trade.price), /^\d+\.\d\d$/)
        assert.match(String(trade.size), /^\d\.\d{8}$/)
      }
      assert.match(world.stderr(), /^12 events in .*12 Trade/m)
      // The close frame, and who sent it, as the server saw it.
      yield* server.printed(/"Closed"/)
      assert.include(server.objects().map(({ _tag, code }) => `${String(_tag)} ${String(code)}`), "Closed 1000")
    }))

  it.live("--lifecycle tells the connection's life around the data, its end included", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("coinbase-exchange", ["--rate", "100"])
      const { code, events } = yield* stream(url, ["--duration", "1500ms", "--lifecycle", "--channel", "ticker"])
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(states(events), ["Connecting", "Connected", "Closing", "Disconnected"])
      assert.strictEqual(events.at(-1)?.state, "Disconnected")
      assert.isAbove(events.filter(({ _tag }) => _tag === "Ticker").length, 3)
      assert.strictEqual(trades(events).length, 0)
    }))

  it.live("says when an event came, and its common name, with --lifecycle and not otherwise", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("coinbase-exchange", ["--rate", "200"])
      const bare = yield* stream(url, ["--count", "3"])
      for (const event of bare.events) assert.doesNotHaveAnyKeys(event, ["receivedAt", "name"])
      const { events } = yield* stream(url, ["--count", "3", "--lifecycle"])
      assert.strictEqual(trades(events).length, 3)
      for (const { name, receivedAt } of trades(events)) {
        assert.strictEqual(name, "BTC-USD")
        assert.match(String(receivedAt), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      }
      for (const event of events) if (event._tag !== "Trade") assert.doesNotHaveAnyKeys(event, ["receivedAt", "name"])
    }))

  it.live("a signal ends it with 0, with a summary, within 2 s", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("coinbase-exchange")
      const world = TestHost.make()
      const fiber = yield* Effect.forkChild(TestHost.run(world, "stream", "coinbase-exchange", "BTC-USD", "--url", url))
      yield* world.printed(/"Trade"/)
      yield* world.send("SIGTERM")
      assert.strictEqual(yield* Effect.timeout(Fiber.join(fiber), "2 seconds"), 0)
      assert.match(world.stderr(), /^\d+ events? in /m)
    }))

  it.live("ends quietly with 0 when its reader leaves", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("coinbase-exchange", ["--rate", "200"])
      const { code, world } = yield* stream(url, [], { closesAfter: 3 })
      assert.strictEqual(code, 0)
      assert.notInclude(world.stderr(), "tickline:")
    }))

  it.live(
    "with preset fast gives up after waits of 100, 200, 400, 800 and 800 ms, with 1",
    () =>
      Effect.gen(function*() {
        const { url, world: server } = yield* simulate("coinbase-exchange", [
          "--fault",
          "refuse=9@100ms",
          "--fault",
          "drop@100ms"
        ])
        const { code, events, world } = yield* stream(url, ["--preset", "fast", "--lifecycle"])
        assert.strictEqual(code, 1)
        const waits = events.filter(({ state }) => state === "Reconnecting").map(({ delayMillis }) => delayMillis)
        assert.deepStrictEqual(waits, [100, 200, 400, 800, 800])
        assert.strictEqual(states(events).at(-1), "Failed")
        assert.include(world.stderr(), "connection aborted after 5 retries")
        assert.strictEqual(server.objects().filter(({ _tag }) => _tag === "Dial").length, 6)
      }),
    10_000
  )

  it.live("the summary counts a drop only of a link that was up", () =>
    Effect.gen(function*() {
      const never = yield* stream("ws://127.0.0.1:1", ["--duration", "400ms"])
      assert.match(never.world.stderr(), /^0 events in .*; 0 epochs, 0 drops, 0 gaps$/m)
      const { url } = yield* simulate("coinbase-exchange", ["--rate", "100", "--fault", "drop@200ms"])
      const once = yield* stream(url, ["--count", "60"])
      assert.match(once.world.stderr(), /^60 events in .*; 2 epochs, 1 drop, 1 gap$/m)
    }))

  it.live("a subscription that the venue refuses is a failed run", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("coinbase-exchange")
      const world = TestHost.make()
      assert.strictEqual(yield* TestHost.run(world, "stream", "coinbase-exchange", "NO-SUCH", "--url", url), 1)
      assert.deepStrictEqual(world.objects().map(({ _tag }) => _tag), ["VenueError"])
      assert.include(world.stderr(), "refused the subscription")
    }))

  it.live("generic: any channel means its price messages", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("generic", ["--rate", "200"])
      for (const channel of ["trade", "ticker", "book"]) {
        const world = TestHost.make()
        const flags = ["--url", url, "--channel", channel, "--count", "2"]
        assert.strictEqual(yield* TestHost.run(world, "stream", "generic", "BTC-USD", ...flags), 0)
        assert.deepStrictEqual(world.objects().map(({ _tag }) => _tag), ["PriceUpdate", "PriceUpdate"])
      }
    }))

  it.live("the token opens the door, and shows nowhere", () =>
    Effect.gen(function*() {
      const token = "s3cr3t-t0k3n"
      const file = Path.join(Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-")), "a.jsonl")
      const { url, world: server } = yield* simulate("coinbase-exchange", ["--require-token", "--rate", "200"], {
        TICKLINE_TOKEN: token
      })
      const refused = yield* stream(url, ["--lifecycle", "--log-level", "trace"], {
        env: { TICKLINE_TOKEN: `${token}-not` }
      })
      assert.strictEqual(refused.code, 1)
      assert.include(refused.world.stderr(), "401")
      const flags = ["--count", "3", "--lifecycle", "--log-level", "trace", "--log-format", "json", "--record", file]
      const let_in = yield* stream(url, flags, { env: { TICKLINE_TOKEN: token } })
      assert.strictEqual(let_in.code, 0)
      for (const world of [refused.world, let_in.world, server]) {
        assert.notInclude(world.stdout() + world.stderr(), token)
      }
      assert.notInclude(Fs.readFileSync(file, "utf8"), token)
      for (const line of let_in.world.stderr().trim().split("\n").slice(0, -1)) assert.isObject(JSON.parse(line))
    }))

  it.live("--record writes envelopes from which decode gives the same events", () =>
    Effect.gen(function*() {
      const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(folder, { recursive: true })))
      const { url } = yield* simulate("coinbase-exchange", ["--rate", "200"])
      for (const name of ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"]) {
        const file = Path.join(folder, name)
        const live = yield* stream(url, ["--count", "8", "--record", file])
        const world = TestHost.make()
        assert.strictEqual(yield* TestHost.run(world, "decode", "coinbase-exchange", file, "--strict"), 0)
        const all = world.objects().map(({ frame: _, ...event }) => event)
        const decoded = trades(all).slice(0, live.events.length)
        assert.deepStrictEqual(decoded, live.events)
      }
      const [header, dial, ...envelopes] = Fs.readFileSync(Path.join(folder, "a.jsonl"), "utf8").trim().split("\n").map(
        (line) => JSON.parse(line)
      )
      assert.deepStrictEqual(header, {
        kind: "header",
        version: 1,
        venue: "coinbase-exchange",
        url,
        products: ["BTC-USD"],
        channels: ["trade"],
        policy: "test",
        raw: ""
      })
      assert.deepInclude(dial, { kind: "dial", attempt: 1, delayMillis: 0, raw: "" })
      assert.strictEqual(envelopes[0].kind, "open")
      assert.strictEqual(envelopes[1].direction, "out")
      assert.include(envelopes[1].raw, "subscribe")
      for (const { at, connection, raw } of envelopes) {
        // Batches of one millisecond are told apart by microseconds.
        assert.strictEqual(new Date(at).toISOString(), at.replace(/(?<=\.\d{3})\d{3}(?=Z$)/, ""))
        assert.strictEqual(connection, 1)
        assert.isString(raw)
      }
    }))

  it.live("simulate --replay sends a recording's frames", () =>
    Effect.gen(function*() {
      const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(folder, { recursive: true })))
      const file = Path.join(folder, "r.jsonl")
      const frame = (price: string) => `{"product_id":"BTC-USD","price":"${price}","timestamp":1761652800}`
      Fs.writeFileSync(file, [JSON.stringify({ raw: frame("1.10") }), "", frame("2.20"), frame("3.30")].join("\n"))
      const { url } = yield* simulate("generic", ["--replay", file, "--rate", "100"])
      const world = TestHost.make()
      assert.strictEqual(yield* TestHost.run(world, "stream", "generic", "BTC-USD", "--url", url, "--count", "3"), 0)
      const prices = world.objects().filter(({ _tag }) => _tag === "PriceUpdate").map(({ price }) => price)
      assert.deepStrictEqual(prices, ["1.10", "2.20", "3.30"])
    }))

  it.live("serves /metrics while it runs", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("coinbase-exchange", ["--rate", "100"])
      const world = TestHost.make()
      const flags = ["--url", url, "--metrics-port", "0", "--log-format", "json"]
      const fiber = yield* Effect.forkChild(TestHost.run(world, "stream", "coinbase-exchange", "BTC-USD", ...flags))
      yield* world.printed(/"Trade"/)
      const address = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(world.stderr())?.[0] ?? ""
      const text = yield* Effect.promise(async () => (await fetch(address)).text())
      assert.match(text, /^tickline_connected\{connection="coinbase-exchange"\} 1$/m)
      // Its own figures: those of the runs beside it in this process are not among them.
      assert.match(text, /^tickline_dials_total\{connection="coinbase-exchange"\} 1$/m)
      assert.match(text, /^circuit_breaker_state\{/m)
      yield* world.send("SIGINT")
      assert.strictEqual(yield* Fiber.join(fiber), 0)
    }))

  it.live("a live table on a terminal fits it, and leaves the cursor as it was", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("coinbase-exchange", ["--rate", "100"])
      const { code, world } = yield* stream(url, ["--duration", "500ms"], { terminal: true })
      assert.strictEqual(code, 0)
      assert.include(world.stdout(), "tickline stream coinbase-exchange")
      assert.include(world.stdout(), "BTC-USD")
      // oxlint-disable-next-line no-control-regex
      const lines = world.stdout().replace(/\u001b\[[0-9;?]*[A-Za-z]|\r/g, "").split("\n")
      for (const line of lines) assert.isAtMost(line.length, 80)
      assert.isTrue(world.stdout().endsWith("\u001b[?25h"))
    }))
})

describe.concurrent("stream from each venue there is", { timeout: 20_000 }, () => {
  /** By each venue's own symbols, as it lists them. */
  const products: Readonly<Record<string, string>> = {
    binance: "BTCUSDT",
    kraken: "BTC/USD",
    deribit: "BTC-PERPETUAL",
    hyperliquid: "BTC"
  }

  for (const { name } of MockVenues.all) {
    const product = products[name] ?? "BTC-USD"

    it.live(`${name}: every kind of data that it has`, () =>
      Effect.gen(function*() {
        const { url } = yield* simulate(name, ["--rate", "50"])
        for (const channel of ["trade", "ticker", "book"]) {
          const world = TestHost.make()
          const flags = ["--url", `${name}=${url}`, "--channel", channel, "--count", "2"]
          assert.strictEqual(yield* TestHost.run(world, "stream", `${name}:${product}`, ...flags), 0)
          const last = world.objects().at(-1)
          assert.deepInclude(last, { venue: name, product })
        }
      }))

    it.live(`${name}: a product that it does not know fails the run`, () =>
      Effect.gen(function*() {
        const { url } = yield* simulate(name)
        const world = TestHost.make()
        const code = yield* TestHost.run(world, "stream", name, "NOSUCH", "--url", url, "--duration", "2s")
        // Binance confirms what it does not have like the rest.
        assert.strictEqual(code, name === "binance" ? 0 : 1, world.stderr())
        if (code === 1) assert.include(world.stderr(), `${name} refused the subscription`)
      }))
  }
})

describe.concurrent("one product that is refused among those that are not", { timeout: 20_000 }, () => {
  /** Products that each venue lists, by its own symbols. Binance confirms whatever it is asked for. */
  const listed: Readonly<Record<string, readonly [string, string]>> = {
    coinbase: ["BTC-USD", "ETH-USD"],
    "coinbase-exchange": ["BTC-USD", "ETH-USD"],
    kraken: ["BTC/USD", "ETH/USD"],
    deribit: ["BTC-PERPETUAL", "ETH-PERPETUAL"],
    hyperliquid: ["BTC", "ETH"],
    dydx: ["BTC-USD", "ETH-USD"]
  }

  for (const [name, [one, other]] of Object.entries(listed)) {
    it.live(`${name}: the rest goes on, wherever it stands, and the end names it`, () =>
      Effect.gen(function*() {
        const { url } = yield* simulate(name, ["--rate", "100"])
        for (const products of [["NOSUCH", one, other], [one, "NOSUCH", other], [one, other, "NOSUCH"]]) {
          const world = TestHost.make()
          const run = yield* Effect.forkChild(TestHost.run(world, "stream", name, ...products, "--url", url))
          for (const product of [one, other]) yield* world.printed(new RegExp(`"Trade".*"${product}"`))
          yield* world.printed(/"VenueError"/)
          yield* world.send("SIGTERM")
          assert.strictEqual(yield* Fiber.join(run), 0, world.stderr())
          const products_ = new Set(trades(world.objects()).map(({ product }) => product))
          assert.deepStrictEqual([...products_].toSorted(), [one, other].toSorted())
          assert.match(world.stderr(), new RegExp(`^${name} refused the subscription to .*NOSUCH`, "m"))
        }
      }))
  }
})

describe.concurrent("a product is asked for as the venue writes it", { timeout: 20_000 }, () => {
  for (
    const [name, product, written] of [
      ["coinbase", "BTC-USDC", "BTC-USD"],
      ["coinbase", "btc-usd", "BTC-USD"],
      ["coinbase-exchange", "btc-usd", "BTC-USD"],
      ["binance", "btcusdt", "BTCUSDT"]
    ] as const
  ) {
    it.live(`${name}: ${product}`, () =>
      Effect.gen(function*() {
        const { url } = yield* simulate(name, ["--rate", "50"])
        const world = TestHost.make()
        const code = yield* TestHost.run(
          world,
          "stream",
          name,
          product,
          "--url",
          url,
          "--channel",
          "book",
          "--count",
          "3"
        )
        assert.strictEqual(code, 0, world.stderr())
        assert.deepStrictEqual([...new Set(world.objects().map((object) => object["product"]))], [written])
      }))
  }

  it.live("what can be none of the venue's is refused without being sent", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("binance")
      const world = TestHost.make()
      assert.strictEqual(yield* TestHost.run(world, "stream", "binance", "BTC/USDT", "--url", url), 1)
      assert.include(world.stderr(), "binance refused the subscription to trade of BTC/USDT")
      assert.deepStrictEqual(world.objects().map(({ _tag }) => _tag), ["VenueError"])
    }))
})
