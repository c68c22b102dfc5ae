/** `stream --record`: what stands in the file, on every way out. */
import { assert, describe, it } from "@effect/vitest"
import * as Tape from "@tickline/core/recording/Tape"
import * as Recording from "@tickline/node/runner/Recording"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { simulate, states, stream } from "./Streams.ts"
import * as TestHost from "./TestHost.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
)

/** What stands in a file, which must be whole. */
const entriesOf = (file: string) =>
  Effect.promise(async () => {
    const entries: Array<Tape.Entry> = []
    for await (const lines of Recording.lines(Fs.createReadStream(file), () => assert.fail(`${file} is torn`))) {
      for (const line of lines) {
        const entry = line === undefined ? undefined : Tape.parse(line, entries.length + 1)
        if (entry === undefined || entry._tag === "EntryRejected") return assert.fail(String(line))
        entries.push(entry)
      }
    }
    return entries
  })

describe.concurrent("stream --record", { timeout: 20_000 }, () => {
  it.live("the answer over HTTP is there, without which the book of --book is none", () =>
    Effect.gen(function*() {
      const file = Path.join(yield* folder, "b.jsonl.zst")
      const { url } = yield* simulate("binance", ["--rate", "100"])
      const world = TestHost.make()
      const flags = ["--url", url, "--book", "5", "--count", "20", "--record", file]
      assert.strictEqual(yield* TestHost.run(world, "stream", "binance", "BTCUSDT", ...flags), 0)
      const entries = yield* entriesOf(file)
      const [header] = entries
      assert.deepInclude(header, { _tag: "Header", venue: "binance", products: ["BTCUSDT"], channels: ["book"] })
      const answers = entries.flatMap((entry) => entry._tag === "Response" ? [entry] : [])
      assert.lengthOf(answers, 1)
      const [{ body, method, status, url: asked }] = [answers[0]!]
      assert.match(asked, /^http:\/\/127\.0\.0\.1:\d+\/api\/v3\/depth\?symbol=BTCUSDT&limit=\d+$/)
      assert.deepStrictEqual([method, status], ["GET", 200])
      assert.hasAnyKeys(JSON.parse(body), ["lastUpdateId"])
    }))

  for (const ending of ["", ".gz", ".zst"]) {
    it.live(`every way out ends a file${ending}: a signal, a reader that leaves, a link that gives up`, () =>
      Effect.gen(function*() {
        const path = yield* folder
        const { url } = yield* simulate("coinbase-exchange", ["--rate", "300"])
        const at = (name: string) => Path.join(path, `${name}.jsonl${ending}`)

        const world = TestHost.make()
        const fiber = yield* Effect.forkChild(
          TestHost.run(world, "stream", "coinbase-exchange", "BTC-USD", "--url", url, "--record", at("signal"))
        )
        yield* world.printed(/"Trade"/)
        yield* world.send("SIGTERM")
        assert.strictEqual(yield* Fiber.join(fiber), 0)
        assert.strictEqual((yield* stream(url, ["--record", at("reader")], { closesAfter: 3 })).code, 0)
        const faults = ["--fault", "refuse=9@300ms", "--fault", "drop@300ms"]
        const failing = yield* simulate("coinbase-exchange", ["--rate", "300", ...faults])
        const { code } = yield* stream(failing.url, ["--record", at("gave-up"), "--preset", "fast"])
        assert.strictEqual(code, 1)

        for (const name of ["signal", "reader"]) {
          assert.deepInclude((yield* entriesOf(at(name))).at(-1), { _tag: "Close", direction: "out", code: 1000 })
        }
        const last = (yield* entriesOf(at("gave-up"))).at(-1)
        assert.deepInclude(last, { _tag: "Close", connection: 1 })
        assert.match(last?._tag === "Close" ? last.reason ?? "" : "", /refused|reset/)
      }))
  }

  it.live("several files by --rotate that are one when they are put together, each with its header", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const { url } = yield* simulate("coinbase-exchange", ["--rate", "2000"])
      const flags = ["--record", Path.join(path, "r.jsonl"), "--rotate", "100KB", "--rotate", "1h", "--count", "1500"]
      const { code, events } = yield* stream(url, flags)
      assert.strictEqual(code, 0)
      const files = Fs.readdirSync(path).toSorted()
      assert.isAtLeast(files.length, 2)
      assert.deepStrictEqual(files, files.map((_, index) => `r.000${index + 1}.jsonl`))
      const ids: Array<string> = []
      for (const file of files) {
        const [header, ...rest] = yield* entriesOf(Path.join(path, file))
        assert.strictEqual(header?._tag, "Header")
        for (const entry of rest) {
          const text = Tape.frameOf(entry) === undefined || entry._tag !== "Frame"
            ? {}
            : JSON.parse(String(entry.frame))
          if (text.trade_id !== undefined) ids.push(String(text.trade_id))
        }
      }
      const told = events.map(({ tradeId }) => tradeId)
      assert.deepStrictEqual(ids.slice(0, told.length), told)
    }))

  it.live("a replay has the states and the reasons of what was recorded", () =>
    Effect.gen(function*() {
      const file = Path.join(yield* folder, "a.jsonl")
      const told = (events: ReadonlyArray<Record<string, unknown>>) =>
        events.filter(({ _tag }) => _tag === "Connection").map(({ attempt, delayMillis, reason, state }) => [
          state,
          attempt,
          delayMillis,
          reason
        ])
      const faults = ["drop@300ms", "refuse=1@300ms", "status=503@300ms"].flatMap((fault) => ["--fault", fault])
      const { url } = yield* simulate("coinbase-exchange", ["--rate", "100", ...faults])
      const flags = ["--duration", "2500ms", "--preset", "fast", "--record", file, "--lifecycle"]
      const live = yield* stream(url, flags)
      assert.include(states(live.events), "Reconnecting")
      const world = TestHost.make()
      assert.strictEqual(yield* TestHost.run(world, "replay", file, "--lifecycle"), 0)
      assert.deepStrictEqual(told(world.objects()), told(live.events))
    }))

  it.live("a torn recording is decoded as far as it goes, and said to be torn", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const { url } = yield* simulate("coinbase-exchange", ["--rate", "500"])
      for (const ending of ["", ".gz", ".zst"]) {
        const file = Path.join(path, `t.jsonl${ending}`)
        yield* stream(url, ["--record", file, "--duration", "1500ms"])
        const whole = Fs.readFileSync(file)
        Fs.writeFileSync(file, whole.subarray(0, whole.length - 20))
        const world = TestHost.make()
        assert.strictEqual(yield* TestHost.run(world, "decode", "coinbase-exchange", file, "--strict"), 0)
        assert.include(world.stderr(), "the recording is torn at its end")
        assert.isAtLeast(world.objects().filter(({ _tag }) => _tag === "Trade").length, 100)
      }
    }))

  it.live("a rotation that cannot be read, or of nothing, is a wrong use", () =>
    Effect.gen(function*() {
      const file = Path.join(yield* folder, "a.jsonl")
      for (
        const [flags, said] of [
          [["--record", file, "--rotate", "often"], "--rotate \"often\": expected a size such as 256MiB"],
          [["--record", file, "--rotate", "10ms"], "--rotate \"10ms\": expected a size"],
          [["--record", file, "--rotate", "0MB"], "--rotate \"0MB\": expected a size"],
          [["--rotate", "1h"], "--rotate: expected --record"],
          [
            ["--record", Path.join(file, "no", "b.jsonl")],
            `--record "${file}/no/b.jsonl": expected a file that can be written (ENOENT)`
          ]
        ] as const
      ) {
        const world = TestHost.make()
        assert.strictEqual(yield* TestHost.run(world, "stream", "kraken", "BTC/USD", ...flags), 2)
        assert.include(world.stderr(), said)
      }
    }))
})

describe.concurrent("run with [recording]", { timeout: 20_000 }, () => {
  it.live("records each venue in files of its own, to their end, and goes on behind them when it is started again", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const kraken = yield* simulate("kraken", ["--rate", "100"])
      const generic = yield* simulate("generic", ["--rate", "100"])
      const config = Path.join(path, "tickline.toml")
      const configured = (name: string) =>
        `[recording]\npath = "${path}/${name}.jsonl.zst"\n` +
        `[venues.kraken]\nproducts = ["BTC/USD"]\nurl = "${kraken.url}"\n` +
        `[venues.generic]\nproducts = ["BTC-USD"]\nurl = "${generic.url}"\n`
      Fs.writeFileSync(config, configured("{venue}"))
      for (const number of ["0001", "0002"]) {
        const world = TestHost.make()
        const fiber = yield* Effect.forkChild(TestHost.run(world, "run", "--config", config))
        yield* world.printed(/"venue":"kraken"/)
        yield* world.printed(/"venue":"generic"/)
        // Where recordings are is read at the start only, and what is changed besides is not applied either.
        Fs.writeFileSync(config, configured("other-{venue}"))
        yield* world.hangup
        yield* world.said(/not reloaded.*recording: expected what it was/)
        Fs.writeFileSync(config, configured("{venue}"))
        yield* world.send("SIGTERM")
        assert.strictEqual(yield* Fiber.join(fiber), 0)
        for (const [venue, product] of [["kraken", "BTC/USD"], ["generic", "BTC-USD"]] as const) {
          const [header, ...entries] = yield* entriesOf(Path.join(path, `${venue}.${number}.jsonl.zst`))
          assert.deepInclude(header, { _tag: "Header", venue, products: [product] })
          assert.deepStrictEqual(new Set(entries.map(({ connection }) => connection)), new Set([1]))
          assert.deepInclude(entries.at(-1), { _tag: "Close", code: 1000 })
        }
      }
      assert.lengthOf(Fs.readdirSync(path), 5)
    }))

  it.live("that cannot be read, or written, is exit 2 and names the key", () =>
    Effect.gen(function*() {
      const config = Path.join(yield* folder, "tickline.toml")
      const venue = "[venues.generic]\nproducts = [\"A\"]\nurl = \"ws://127.0.0.1:1\"\n"
      for (
        const [section, said] of [
          ["path = \"all.jsonl\"", /recording\.path "all\.jsonl" in .*: expected a path with \{venue\} in it/],
          ["", /recording\.path in .*: expected a path with \{venue\} in it/],
          [
            "path = \"{venue}\"\nrotate = [\"often\"]",
            /recording\.rotate "often" in .*: expected a size such as 256MiB/
          ],
          ["pth = \"{venue}\"", /did you mean recording\.path\?/],
          [
            "path = \"/no/such/{venue}.jsonl\"",
            /recording\.path "\/no\/such\/generic\.jsonl".*expected a file that can be written \(ENOENT\)/
          ]
        ] as const
      ) {
        Fs.writeFileSync(config, `[recording]\n${section}\n${venue}`)
        const world = TestHost.make()
        assert.strictEqual(yield* TestHost.run(world, "run", "--config", config), 2)
        assert.match(world.stderr(), said)
      }
    }))
})
