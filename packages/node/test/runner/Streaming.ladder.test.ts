/** The ladder of `tickline stream`, from mock venues over real sockets to a terminal. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile, spawnSync } from "node:child_process"
import * as Path from "node:path"
import { simulate } from "./Streams.ts"
import * as TestHost from "./TestHost.ts"

/** What stood on the screen after each time that it was drawn, without what moves the cursor. */
const screens = (stdout: string): ReadonlyArray<string> =>
  // eslint-disable-next-line no-control-regex
  stdout.split("\u001b[J").slice(0, -1).map((text) => text.replaceAll(/\u001b\[[?\d;]*[a-zA-Z]|\r/g, ""))

const run = Effect.fnUntraced(function*(args: ReadonlyArray<string>, options: TestHost.Options = {}) {
  const world = TestHost.make({ terminal: true, ...options })
  const code = yield* TestHost.run(world, "stream", ...args)
  return { code, world, drawn: screens(world.stdout()) }
})

/** Streams until something was drawn. */
const runUntil = Effect.fnUntraced(function*(drawn: RegExp, args: ReadonlyArray<string>) {
  const world = TestHost.make({ terminal: true })
  const begun = performance.now()
  yield* TestHost.runUntil(world, world.printed(drawn), "stream", ...args)
  return { world, drawn: screens(world.stdout()), seconds: (performance.now() - begun) / 1_000 }
})

describe.concurrent("the ladder of stream", { timeout: 60_000 }, () => {
  for (
    const [venue, product, state] of [
      ["kraken", "BTC/USD", /● Live {2}best 10 levels proven by checksum/],
      ["deribit", "BTC-PERPETUAL", /● Live {2}every level proven by sequence/],
      ["binance", "BTCUSDT", /● Live {2}every level proven by sequence/],
      ["coinbase-exchange", "BTC-USD", /● Unverified {2}the venue/]
    ] as const
  ) {
    it.live(`${venue}: the book with its state, and as it was at the end`, () =>
      Effect.gen(function*() {
        const { url } = yield* simulate(venue, ["--rate", "100"])
        const args = [venue, product, "--url", url, "--channel", "book"]
        const { drawn, seconds, world } = yield* runUntil(state, args)
        const last = drawn.at(-1)!
        assert.match(last, state)
        assert.match(last, /as it was at the end, \d\d:\d\d:\d\d/)
        assert.match(last, /● Connected/)
        const at = (pattern: RegExp) => last.split("\n").findIndex((line) => pattern.test(line))
        assert.strictEqual(at(/^▸ .*\n?/), at(/ mid · spread /) - 1)
        assert.isAbove(last.split("\n").filter((line) => /^[▸ ] +\d+\.\d+ +\d/.test(line)).length, 13)
        // Ten a second, whatever comes.
        assert.isBelow(drawn.length, 10 * seconds + 10)
        assert.match(world.stderr(), /^\d+ events in .*Book(Delta|Snapshot)/m)
      }))
  }

  it.live("--book is the depth, and --count counts the states of the book", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("deribit", ["--rate", "200"])
      const { code, drawn, world } = yield* run([
        "deribit",
        "BTC-PERPETUAL",
        "--url",
        url,
        "--book",
        "2",
        "--count",
        "200"
      ])
      assert.strictEqual(code, 0)
      assert.strictEqual(drawn.at(-1)!.split("\n").filter((line) => /^[▸ ] +\d+\.\d+ +\d/.test(line)).length, 4)
      assert.match(world.stderr(), /^200 events in .*200 Book\b/m)
    }))

  it.live("tells a frame that goes missing, and that the book is whole again", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("coinbase", ["--rate", "200", "--fault", "lose@800ms"])
      const args = ["coinbase", "BTC-USD", "ETH-USD", "--url", url, "--book", "5"]
      const { drawn } = yield* runUntil(/2 books: whole again, by snapshot[^]*● Live .*1 gap.*│ ● Live .*1 gap/, args)
      const last = drawn.at(-1)!
      assert.match(last, /2 books: gap, sequence/)
      assert.match(last, /2 books: whole again, by snapshot/)
      assert.match(last, /BTC-USD {2}coinbase .*│ ETH-USD {2}coinbase/)
      assert.match(last, /● Live .*1 gap.*│ ● Live .*1 gap/)
    }))

  it.live("a book that cannot be had does not end the others", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("coinbase", ["--rate", "200"])
      const args = ["coinbase", "NO-SUCH", "BTC-USD", "--url", url, "--channel", "book"]
      const { drawn } = yield* runUntil(/● Live .*│ ● No book/, args)
      assert.match(drawn.at(-1)!, /BTC-USD {2}coinbase .*│ NO-SUCH/)
      assert.match(drawn.at(-1)!, /● Live .*│ ● No book/)
    }))

  it.live("shows the last trade beside the book, if trades are asked for", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("deribit", ["--rate", "200"])
      const args = [
        "deribit",
        "BTC-PERPETUAL",
        "--url",
        url,
        "--channel",
        "book",
        "--channel",
        "trade"
      ]
      const { drawn } = yield* runUntil(/BTC-PERPETUAL {2}deribit {2}last \d/, args)
      assert.match(drawn.at(-1)!, /BTC-PERPETUAL {2}deribit {2}last \d+\.\d+ (buy|sell) \d/)
    }))

  it.live("a venue without books has its table, and what cannot be drawn on has lines", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("generic", ["--rate", "200"])
      const table = yield* run(["generic", "BTC-USD", "--url", url, "--channel", "book", "--count", "20"])
      assert.match(table.world.stdout(), /product +price/)
      const kraken = yield* simulate("kraken", ["--rate", "200"])
      const args = ["kraken", "BTC/USD", "--url", kraken.url, "--book", "1", "--count", "3"]
      const dumb = yield* run(args, { env: { TERM: "dumb" } })
      assert.notInclude(dumb.world.stdout(), "\u001b")
      assert.strictEqual(dumb.world.stdout().trimEnd().split("\n").length, 3)
    }))
})

const hasTmux = spawnSync("tmux", ["-V"]).status === 0
const bin = Path.join(import.meta.dirname, "../../src/bin.ts")

/** A terminal of a size, in which a command runs. */
const terminal = Effect.fnUntraced(function*(columns: number, rows: number, command: string) {
  const name = `tickline-${process.pid}`
  const tmux = (...args: ReadonlyArray<string>) =>
    Effect.promise(() =>
      new Promise<string>((resolve, reject) =>
        execFile(
          "tmux",
          ["-L", name, "-f", "/dev/null", ...args],
          (error, stdout) => error === null ? resolve(stdout) : reject(error)
        )
      )
    )
  yield* tmux("new-session", "-d", "-x", `${columns}`, "-y", `${rows}`, `${command}; echo "exit $?"; exec sleep 60`)
  yield* Effect.addFinalizer(() => tmux("kill-server"))
  const look = (...flags: ReadonlyArray<string>) => tmux("capture-pane", "-p", ...flags)
  const until = (pattern: RegExp): Effect.Effect<string> =>
    Effect.flatMap(
      look(),
      (screen) => pattern.test(screen) ? Effect.succeed(screen) : Effect.andThen(Effect.sleep(50), until(pattern))
    )
  return { tmux, look, until }
})

describe.skipIf(!hasTmux)("the ladder in a terminal", { timeout: 30_000 }, () => {
  it.live("draws in place without a scroll, follows the terminal's size, and leaves the book as it was", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("kraken", ["--rate", "200"])
      const command = `${process.execPath} ${bin} stream kraken BTC/USD ETH/USD --url ${url} --channel book`
      const { look, tmux, until } = yield* terminal(80, 24, command)
      const narrow = yield* until(/● Live.*│ ● Live[^]*\n▸ .*│ ▸ [^]*\n▸ .*│ ▸ /)
      assert.match(narrow, /^tickline stream kraken .*\^C ends$/m)
      assert.lengthOf(narrow.match(/^▸ .*│ ▸ /gm) ?? [], 2)
      assert.include(yield* look("-e"), "\u001b[31m")
      yield* tmux("resize-window", "-x", "160", "-y", "50")
      // There is room for the totals now, and the mid stands where there was the end of the screen before.
      const wide = yield* until(/total +.*│.*total/)
      assert.lengthOf(wide.match(/tickline stream/g) ?? [], 1)
      yield* tmux("resize-window", "-x", "40", "-y", "16")
      const small = yield* until(/^ETH\/USD.* {2}● Live$/m)
      assert.lengthOf(small.match(/tickline stream/g) ?? [], 1)
      yield* tmux("send-keys", "C-c")
      const left = yield* until(/exit 0/)
      assert.match(left, /● Live/)
      assert.lengthOf(left.match(/^▸ /gm) ?? [], 2)
    }))

  it.live("has no colour where NO_COLOR says so", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("kraken", ["--rate", "200"])
      const { look, until } = yield* terminal(
        80,
        24,
        `NO_COLOR=1 ${process.execPath} ${bin} stream kraken BTC/USD --url ${url} --book 5`
      )
      yield* until(/● Live/)
      assert.notInclude(yield* look("-e"), "\u001b")
    }))
})
