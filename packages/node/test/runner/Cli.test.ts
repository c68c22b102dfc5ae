import { assert, describe, it } from "@effect/vitest"
import * as Venues from "@tickline/core/venue/Venues"
import * as Effect from "effect/Effect"
import * as TestHost from "./TestHost.ts"

const usage = (args: ReadonlyArray<string>, ...says: ReadonlyArray<string>) =>
  it.live(args.join(" "), () =>
    Effect.gen(function*() {
      const world = TestHost.make()
      assert.strictEqual(yield* TestHost.run(world, ...args), 2)
      assert.strictEqual(world.stdout(), "", "stdout is for data only")
      for (const text of says) assert.include(world.stderr(), text)
    }))

describe("the command line", () => {
  describe("a wrong use exits with 2 and names what, its value and what was expected", () => {
    usage(["vnues"], "vnues", "venues")
    usage(["decode", "coinbse"], "coinbse", "did you mean coinbase?")
    usage(["decode", "generic", "/no/such/file"], "file", "/no/such/file", "can be read")
    usage(["decode", "generic", "--strct"], "--strct", "--strict")
    usage(["stream", "generic", "BTC-USD"], "--url", "expected")
    usage(["stream", "generic", "BTC-USD", "--url", "http://127.0.0.1:1"], "--url", "http://127.0.0.1:1", "ws://")
    usage(["stream", "generic"], "product")
    usage(["stream", "coinbse", "BTC-USD"], "venue", "coinbse", "did you mean coinbase?")
    usage(["stream", "krakn:BTC/USD"], "venue", "krakn", "did you mean kraken?")
    usage(["stream", "kraken:BTC/USD", "ETH/USD"], "ETH/USD", "venue:product")
    usage(["stream", "kraken:"], "kraken:", "venue:product")
    usage(["stream", "kraken:X", "generic:Y"], "--url", "generic has none of its own")
    usage(["stream", "kraken:X", "coinbase:Y", "--url", "ws://127.0.0.1:1"], "--url", "venue=url", "kraken, coinbase")
    usage(["stream", "kraken:X", "--url", "binance=ws://127.0.0.1:1"], "--url", "binance", "kraken")
    usage(["stream", "kraken:X", "--url", "kraken=http://127.0.0.1:1"], "--url", "http://127.0.0.1:1", "ws://")
    usage(["stream", "kraken", "X", "--url", "ws://a.test", "--url", "kraken=ws://b.test"], "--url", "one endpoint")
    usage(["stream", "generic", "X", "--duration", "3x"], "--duration", "3x", "20s")
    usage(["stream", "generic", "X", "--count", "0"], "--count", "0", "1 or more")
    usage(["stream", "generic", "X", "--channel", "trades"], "--channel", "trades", "ticker")
    usage(["stream", "generic", "X", "--preset", "faster"], "--preset", "faster", "market-feed")
    usage(
      ["stream", "generic", "X", "--url", "ws://127.0.0.1:1", "--config", "/no/such.toml"],
      "--config",
      "/no/such.toml"
    )
    usage(
      ["stream", "generic", "X", "--url", "ws://127.0.0.1:1", "--record", "/no/such/dir/x"],
      "--record",
      "/no/such/dir/x"
    )
    usage(["run"], "--config")
    usage(["run", "--config", "/no/such.toml"], "--config", "/no/such.toml", "can be read")
    usage(["simulate", "generic", "--fault", "dorp@3s"], "--fault", "dorp@3s", "did you mean drop?")
    usage(["simulate", "generic", "--fault", "close=1006@3s"], "--fault", "close=1006", "may be sent")
    usage(["simulate", "generic", "--port", "99999"], "--port", "99999", "0 to 65535")
    usage(["simulate", "generic", "--require-token"], "--require-token", "TICKLINE_TOKEN")
    usage(["demo", "--duration", "10ms"], "--duration", "10 ms", "1s or more")
    usage(["venues", "--format", "xml"], "--format", "xml", "ndjson")
    usage(["venues", "--log-format", "xml"], "--log-format", "xml", "json")
    usage(["venues", "--log-level", "loud"], "--log-level", "loud", "debug")
  })

  it.live("a wrong setting in the environment is named", () =>
    Effect.gen(function*() {
      const wrong = [["TICKLINE_RECONNECTION_MAX_DELAY", "soon"], ["TICKLINE_RECONNECTION_MAXDELAY", "1s"]] as const
      for (const [name, value] of wrong) {
        const world = TestHost.make({ env: { [name]: value } })
        assert.strictEqual(yield* TestHost.run(world, "stream", "generic", "X", "--url", "ws://127.0.0.1:1"), 2)
        assert.include(world.stderr(), name)
      }
    }))

  it.live("--help and --version answer on stdout with 0", () =>
    Effect.gen(function*() {
      const version = TestHost.make()
      assert.strictEqual(yield* TestHost.run(version, "--version"), 0)
      assert.strictEqual(version.stdout(), "tickline v0.1.0\n")
      for (const command of ["demo", "stream", "run", "decode", "simulate", "venues"]) {
        const help = TestHost.make()
        assert.strictEqual(yield* TestHost.run(help, command, "--help"), 0)
        assert.include(help.stdout(), `tickline ${command}`)
        for (const flag of ["--format", "--log-level", "--log-format"]) assert.include(help.stdout(), flag)
        assert.strictEqual(help.stderr(), "")
      }
    }))

  it.live("a bug exits with 70 and shows its cause", () =>
    Effect.gen(function*() {
      const world = TestHost.make()
      const stdout = { ...world.host.stdout, write: () => Effect.die(new Error("the disk is haunted")) }
      assert.strictEqual(yield* TestHost.run({ ...world, host: { ...world.host, stdout } }, "venues"), 70)
      assert.include(world.stderr(), "the disk is haunted")
    }))

  it.live("completions are printed on stdout", () =>
    Effect.gen(function*() {
      const world = TestHost.make()
      assert.strictEqual(yield* TestHost.run(world, "--completions", "bash"), 0)
      assert.include(world.stdout(), "tickline")
      assert.strictEqual(world.stderr(), "")
    }))

  it.live("flags stand before or after arguments", () =>
    Effect.gen(function*() {
      const stdin = "{\"product_id\":\"A\",\"price\":\"1.10\",\"timestamp\":\"2025-10-28T12:00:00Z\"}\nnonsense\n"
      const runs = [
        ["decode", "--strict", "generic"],
        ["decode", "generic", "--strict"],
        ["--format", "ndjson", "decode", "generic", "--strict"],
        ["decode", "generic", "-", "--format", "ndjson", "--strict"]
      ]
      const outputs = new Set<string>()
      for (const args of runs) {
        const world = TestHost.make({ stdin })
        assert.strictEqual(yield* TestHost.run(world, ...args), 1, args.join(" "))
        outputs.add(world.stdout())
      }
      assert.strictEqual(outputs.size, 1)
    }))

  it.live("venues are a table for people and NDJSON in a pipe", () =>
    Effect.gen(function*() {
      const pipe = TestHost.make()
      assert.strictEqual(yield* TestHost.run(pipe, "venues"), 0)
      const objects = pipe.objects()
      assert.deepStrictEqual(objects.map(({ venue }) => venue), Venues.all.map(({ name }) => name))
      for (const venue of objects) {
        for (const member of ["channels", "prices", "continuity", "heartbeat", "keepAlive", "limits", "rates"]) {
          assert.property(venue, member)
        }
      }
      const deribit = objects.find(({ venue }) => venue === "deribit")
      assert.deepStrictEqual(deribit?.keepAlive, { kind: "Requested", withinMillis: 30_000 })
      assert.deepInclude(objects.find(({ venue }) => venue === "binance"), { sessionMillis: 86_400_000 })
      const terminal = TestHost.make({ terminal: true })
      assert.strictEqual(yield* TestHost.run(terminal, "venues"), 0)
      assert.match(terminal.stdout(), /^venue +prices +continuity +alive by +session\n/)
      assert.match(terminal.stdout(), /^deribit +numbers +sequence +beats on request, 30 s +no end$/m)
      assert.match(terminal.stdout(), /^ {2}kept +5 messages in 1 s per connection, 300 dials in 5 m per address/m)
    }))
})
