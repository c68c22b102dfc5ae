import { assert, describe, it } from "@effect/vitest"
import * as Venues from "@tickline/core/venue/Venues"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
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
    for (const count of ["0", "-1", "1.5", "abc", "1e3", "", "99999999999999999999"]) {
      usage(["stream", "generic", "X", `--count=${count}`], "--count", count, count === "" ? "number" : "1 or more")
    }
    usage(["stream", "generic", "X", "--count"], "--count", "no value", "number")
    usage(["stream", "generic", "X", "--count", "1", "--count", "2"], "--count", "2 times", "once")
    usage(["stream", "generic", "X", "--metrics-port", "http"], "--metrics-port", "http", "0 to 65535")
    usage(["stream", "generic", "X", "--channel", "trades"], "--channel", "trades", "ticker", "did you mean trade?")
    usage(["stream", "generic", "X", "--preset", "fsat"], "--preset", "fsat", "market-feed", "did you mean fast?")
    usage(["stream", "generic", "X", "--preset", "xyz"], "--preset \"xyz\": expected one of fast, standard")
    usage(["stream", "generic", "X", "--preset"], "--preset", "no value", "market-feed")
    usage(["stream", "generic", "X", "--prest", "fast"], "--prest", "did you mean --preset?")
    usage(["stream", "generic", "X", "--lifecycle=perhaps"], "--lifecycle", "perhaps", "true")
    usage(["stream"], "venue: missing", "kraken")
    usage(["demo", "now"], "tickline demo", "\"now\"")
    usage(["venues", "krkaen"], "venue", "krkaen", "did you mean kraken?")
    usage(["simulate", "generic", "--rate", "fast"], "--rate", "fast", "more than 0")
    usage(["simulate", "generic", "--rate", "0"], "--rate", "0", "more than 0")
    usage(["simulate", "generic", "--port", "http"], "--port", "http", "0 to 65535")
    usage(["simulate", "generic", "--seed", "x"], "--seed", "x", "0 or more")
    usage(["--completions", "bsh"], "--completions", "bsh", "did you mean bash?")
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
    usage(["venues", "--log-level", "wran"], "--log-level", "wran", "did you mean warn?")
    usage(["venues", "--format", "\u001b[2J\u202e"], "--format", "\\u001b[2J\\u202e")
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

  it.live("a mistyped word in the environment or a file is answered as one of a flag is", () =>
    Effect.gen(function*() {
      const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(folder, { recursive: true })))
      const config = Path.join(folder, "policy.toml")
      Fs.writeFileSync(config, "[reconnection]\npreset = \"fsat\"\n")
      const file = TestHost.make()
      assert.strictEqual(yield* TestHost.run(file, "stream", "kraken", "X", "--config", config), 2)
      for (const text of ["preset", "fsat", "market-feed", "did you mean fast?"]) assert.include(file.stderr(), text)
      const world = TestHost.make({ env: { TICKLINE_RECONNECTION_WHEN_OPEN: "wiat" } })
      assert.strictEqual(yield* TestHost.run(world, "stream", "kraken", "X"), 2)
      for (const text of ["WHEN_OPEN", "wiat", "did you mean wait?"]) assert.include(world.stderr(), text)
    }))

  it.live("--help and --version answer on stdout with 0", () =>
    Effect.gen(function*() {
      const version = TestHost.make()
      assert.strictEqual(yield* TestHost.run(version, "--version"), 0)
      assert.strictEqual(version.stdout(), "tickline v0.1.0\n")
      for (const command of ["demo", "stream", "run", "decode", "simulate", "stability", "venues", "order"]) {
        const help = TestHost.make()
        assert.strictEqual(yield* TestHost.run(help, command, "--help"), 0)
        assert.include(help.stdout(), `tickline ${command}`)
        for (const flag of ["--format", "--log-level", "--log-format"]) assert.include(help.stdout(), flag)
        assert.strictEqual(help.stderr(), "")
      }
    }))

  it.live("no help, and nothing of the venues, breaks a word or runs beyond the terminal", () =>
    Effect.gen(function*() {
      const commands = [[], ["demo"], ["stream"], ["run"], ["decode"], ["simulate"], ["stability"], ["venues"], [
        "order"
      ], [
        "order",
        "deribit",
        "place"
      ]]
      const asked = [
        ...commands.map((command) => [...command, "--help"]),
        ["venues"],
        ...Venues.all.map(({ name }) => ["venues", name])
      ]
      const words = (text: string) =>
        text.replaceAll(" \\\n", " ").split(/\s+/).filter((word) => word !== "#").join(" ")
      for (const args of asked) {
        const texts: Array<string> = []
        for (const columns of [40, 60, 80, 200]) {
          const world = TestHost.make({ terminal: true, columns })
          assert.strictEqual(yield* TestHost.run(world, ...args), 0)
          for (const line of world.stdout().split("\n")) {
            // A word that is longer than a line, such as an address, is not broken either.
            const longest = Math.max(...line.trim().split(" ").map((word) => word.length))
            if (line.length > columns) assert.isAbove(longest, 25, `${args.join(" ")}: ${line}`)
          }
          texts.push(words(world.stdout()))
        }
        if (args.length > 1 || args[0] !== "venues") assert.strictEqual(new Set(texts).size, 1, args.join(" "))
      }
    }))

  it.live("what is wrong is said on one line in a pipe, and between words on a terminal", () =>
    Effect.gen(function*() {
      for (const terminal of [false, true]) {
        const world = TestHost.make({ terminal, columns: 60 })
        assert.strictEqual(yield* TestHost.run(world, "venues", "krkaen"), 2)
        const lines = world.stderr().trimEnd().split("\n")
        if (!terminal) assert.strictEqual(lines.length, 2)
        else for (const line of lines) assert.isAtMost(line.length, 60)
        assert.match(world.stderr(), /dydx,\s+generic\s+\(did\s+you\s+mean\s+kraken\?\)/)
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
      // What is said in words is what is obeyed.
      assert.deepStrictEqual(
        objects.map(({ continuity, heartbeat, limits, venue }) => [venue, continuity, heartbeat, limits]),
        [
          ["coinbase", "frame", "its beats, 1 s", "8 dials in 1 s per address, 8 messages in 1 s per address"],
          [
            "coinbase-exchange",
            "none",
            "protocol pings",
            "8 dials in 1 s per address, 100 messages in 1 s per address"
          ],
          [
            "binance",
            "delta",
            "protocol pings",
            "5 messages in 1 s per connection, 300 dials in 5 m per address, 1,024 subscriptions at once per connection"
          ],
          ["kraken", "state", "pings, 30 s", "150 dials in 10 m per address"],
          [
            "deribit",
            "delta",
            "beats on request, 30 s",
            "100 messages in 5 s per address, 10 subscriptions in 3 s per address, 32 dials at once per address"
          ],
          [
            "coinbase-derivatives",
            "delta",
            "beats on request, 15 s",
            "100 messages in 5 s per address, 10 subscriptions in 3 s per address, 32 dials at once per address"
          ],
          [
            "hyperliquid",
            "none",
            "pings, 30 s",
            "10 dials at once per address, 30 dials in 1 m per address, 1,000 subscriptions at once per address, " +
            "2,000 messages in 1 m per address"
          ],
          ["dydx", "frame", "protocol pings", "none declared"],
          ["generic", "none", "protocol pings", "none declared"]
        ]
      )
      const terminal = TestHost.make({ terminal: true })
      assert.strictEqual(yield* TestHost.run(terminal, "venues"), 0)
      assert.match(terminal.stdout(), /^venue +prices +continuity +alive by +session\n/)
      assert.match(terminal.stdout(), /^deribit +numbers +delta +beats on request, 30 s +no end$/m)
      assert.match(terminal.stdout(), /^ {2}kept +5 messages in 1 s per connection, 300 dials in 5 m per address/m)
    }))

  it.live("one venue is shown in detail, and is one line of NDJSON", () =>
    Effect.gen(function*() {
      for (const { name } of Venues.all) {
        const pipe = TestHost.make()
        assert.strictEqual(yield* TestHost.run(pipe, "venues", name, "--format", "ndjson"), 0)
        assert.deepStrictEqual(pipe.objects().map(({ _tag, venue }) => [_tag, venue]), [["Venue", name]])
        const terminal = TestHost.make({ terminal: true })
        assert.strictEqual(yield* TestHost.run(terminal, "venues", name), 0)
        for (const fact of ["endpoint", "channels", "prices", "continuity", "alive by", "session"]) {
          assert.match(terminal.stdout(), new RegExp(`^ {2}${fact} +\\S`, "m"))
        }
        assert.include(terminal.stdout(), `tickline stream ${name} `)
      }
    }))
})
