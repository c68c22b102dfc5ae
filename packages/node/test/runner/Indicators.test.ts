import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Zlib from "node:zlib"
import * as TestHost from "./TestHost.ts"

const indicators = Effect.fnUntraced(function*(
  stdin: string | ReadonlyArray<Uint8Array>,
  ...args: ReadonlyArray<string>
) {
  const world = TestHost.make({ stdin })
  const code = yield* TestHost.run(world, "indicators", ...args)
  return { code, lines: world.stdout().split("\n").slice(0, -1), said: world.stderr() }
})

/** A line for each price. */
const prices = (...texts: ReadonlyArray<string>): string => texts.map((text) => `{"price":${text}}\n`).join("")

/** A candle from its prices and its volume. */
const candle = (open: string, high: string, low: string, close: string, volume: string, more = ""): string =>
  `{"open":${open},"high":${high},"low":${low},"close":${close},"volume":${volume}${more}}\n`

const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-indicators-"))

describe("indicators", () => {
  it.live("gives one object a line with a member for each indicator, named as it was typed", () =>
    Effect.gen(function*() {
      const { code, lines, said } = yield* indicators(
        prices("\"1\"", "2.0", "3e0", "4"),
        "sma:2",
        "ema:3:first",
        "macd:1:2:2",
        "vwap"
      )
      assert.strictEqual(code, 0)
      assert.strictEqual(said, "")
      assert.deepStrictEqual(lines, [
        `{"sma:2":null,"ema:3:first":null,"macd:1:2:2":null,"vwap":1}`,
        `{"sma:2":1.5,"ema:3:first":null,"macd:1:2:2":null,"vwap":2}`,
        `{"sma:2":2.5,"ema:3:first":2.25,"macd:1:2:2":{"macd":0.5,"signal":0.5,"histogram":0},"vwap":3}`,
        `{"sma:2":3.5,"ema:3:first":3.125,"macd:1:2:2":{"macd":0.5,"signal":0.5,"histogram":0},"vwap":4}`
      ])
    }))

  it.live("reads candles with their volume, and gives every indicator by the table of its definition", () =>
    Effect.gen(function*() {
      const { code, lines } = yield* indicators(
        candle("10", "12", "9", "11", "2") + candle("11", "\"13\"", "11", "12", "\"1.0\"") +
          candle("12", "12", "8", "9", "1"),
        "bollinger:2:2",
        "stochastic:2:1:2",
        "vwap:2",
        "atr:2",
        "rsi:2",
        "rsi:2:simple"
      )
      assert.strictEqual(code, 0)
      const [first, second, third] = lines.map((line) => JSON.parse(line))
      assert.deepStrictEqual(first, {
        "bollinger:2:2": null,
        "stochastic:2:1:2": null,
        "vwap:2": null,
        "atr:2": null,
        "rsi:2": null,
        "rsi:2:simple": null
      })
      assert.deepStrictEqual(second["bollinger:2:2"], { upper: 12.5, middle: 11.5, lower: 10.5 })
      assert.closeTo(second["vwap:2"], 100 / 9, 1e-12)
      assert.isNull(second["stochastic:2:1:2"])
      // 75 % of 9 to 13, then 20 % of 8 to 13.
      assert.deepStrictEqual(third["stochastic:2:1:2"], { k: 20, d: 47.5 })
      assert.strictEqual(third["atr:2"], 3)
      assert.strictEqual(third["rsi:2"], 25)
      assert.strictEqual(third["rsi:2:simple"], 25)
    }))

  it.live("gives the timestamp as it was written, where there was one", () =>
    Effect.gen(function*() {
      const { lines } = yield* indicators(
        `{"price":1,"timestamp":"2025-10-28T12:00:00.000000000Z"}\n{"price":1,"timestamp":1698494400.50}\n{"price":1}\n`,
        "sma:1"
      )
      assert.deepStrictEqual(lines, [
        `{"timestamp":"2025-10-28T12:00:00.000000000Z","sma:1":1}`,
        `{"timestamp":1698494400.50,"sma:1":1}`,
        `{"sma:1":1}`
      ])
    }))

  it.live("begins a VWAP anew with each UTC day", () =>
    Effect.gen(function*() {
      const at = (time: string, price: string) => candle(price, price, price, price, "1", `,"timestamp":"${time}"`)
      const { lines } = yield* indicators(
        at("2025-10-28T01:30:00+02:00", "1") + at("2025-10-27T23:59:59.999Z", "3") + at("2025-10-28T00:00:00Z", "5"),
        "vwap"
      )
      assert.deepStrictEqual(lines.map((line) => JSON.parse(line).vwap), [1, 2, 5])
    }))

  it.live("takes a late candle for one of its own day", () =>
    Effect.gen(function*() {
      const at = (day: number, price: string) =>
        candle(price, price, price, price, "1", `,"timestamp":"2025-01-0${day}T00:00:00Z"`)
      const { lines } = yield* indicators(at(1, "1") + at(2, "10") + at(1, "3") + at(2, "1e200") + at(1, "5"), "vwap")
      assert.deepStrictEqual(lines.map((line) => JSON.parse(line).vwap), [1, 10, 2, 5e199, 3])
    }))

  it.live("counts blank lines, reads CRLF and a last line without an end, and passes over other members", () =>
    Effect.gen(function*() {
      const trade = `{"_tag":"Trade","price":"2","size":"9","volume":"7","side":"buy","open":1}`
      const { code, lines } = yield* indicators(`\r\n{"price":"1"}\r\n  \r\n${trade}`, "sma:2", "vwap:2")
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(lines, [`{"sma:2":null,"vwap:2":null}`, `{"sma:2":1.5,"vwap:2":2}`])
    }))

  it.live("gives nothing for no input", () =>
    Effect.gen(function*() {
      for (const stdin of ["", "\n\r\n"]) {
        assert.deepStrictEqual(yield* indicators(stdin, "sma:2"), { code: 0, lines: [], said: "" })
      }
    }))

  it.live("ends with 1 at a line that is neither, which it names, after the lines before", () =>
    Effect.gen(function*() {
      const cases = [
        ["{\"price\":\"abc\"}", "line 3: price \"abc\": expected a decimal number"],
        ["{\"price\":1e400}", "line 3: price 1e400: expected a number no larger"],
        ["{\"price\":1e4000}", "line 3: price 1e4000: expected a number no larger"],
        ["{\"price\":\"\"}", "line 3: price \"\": expected a decimal number"],
        ["{\"price\":null}", "line 3: price null: expected"],
        ["{}", "line 3: open is missing"],
        [candle("1", "1", "1", "true", "1").trim(), "line 3: close true: expected"],
        [candle("1", "1", "[1]", "1", "1").trim(), "line 3: low is an array: expected"],
        [candle("1", "1", "1", "1", "-0.1").trim(), "line 3: volume -0.1: expected zero or more"],
        ["{\"open\":1,\"high\":1,\"low\":1,\"close\":1}", "line 3: volume is missing"],
        ["{\"price\":1,\"timestamp\":\"today\"}", "line 3: timestamp \"today\": expected ISO-8601"],
        ["[1]", "line 3: \"[1]\" is no object"],
        ["price", "line 3: \"price\" is no JSON"]
      ] as const
      for (const [line, message] of cases) {
        const { code, lines, said } = yield* indicators(`{"price":1}\n\n${line}\n{"price":2}\n`, "sma:1")
        assert.strictEqual(code, 1, line)
        assert.deepStrictEqual(lines, [`{"sma:1":1}`], line)
        assert.include(said, message)
      }
      const binary = yield* indicators([Buffer.from([0x7b, 0xff, 0x0a])], "sma:1")
      assert.strictEqual(binary.code, 1)
      assert.include(binary.said, "line 1: is not UTF-8")
    }))

  it.live("never reads an argument that is no indicator as a file, and says what would be one", () =>
    Effect.gen(function*() {
      const cases = [
        [["smaa:20"], "did you mean sma?"],
        [["sma"], "indicator \"sma\": expected sma:n"],
        [["sma:0"], "expected sma:n"],
        [["sma:1.0"], "expected sma:n"],
        [["ema:5:last"], "expected ema:n or ema:n:first"],
        [["macd:26:12:9"], "expected macd:f:s:g with f < s"],
        [["macd:12:12:9"], "expected macd:f:s:g with f < s"],
        [["bollinger:20:0"], "expected bollinger:n:k"],
        [["bollinger:20"], "expected bollinger:n:k"],
        [["stochastic:14:3"], "expected stochastic:k:s:d"],
        [["vwap:"], "expected vwap or vwap:n"],
        [["sma:5", "prices.csv"], "the name of a file has / or .json in it"],
        [["sma:5", "constructor"], "indicator \"constructor\""],
        [[], "indicator: expected one or more"],
        [["-"], "indicator: expected one or more"],
        [["-", "sma:5"], "file \"-\": expected at most one file, after all"],
        [["sma:5", "./a.json", "./b.json"], "at most one file"],
        [["sma:5", Path.join(folder, "none.jsonl")], "expected a file that can be read"]
      ] as const
      for (const [args, message] of cases) {
        const { code, lines, said } = yield* indicators("{\"price\":1}\n", ...args)
        assert.strictEqual(code, 2, args.join(" "))
        assert.deepStrictEqual(lines, [])
        assert.include(said, message)
      }
    }))

  it.live("reads a file, plain or compressed, and stdin for -", () =>
    Effect.gen(function*() {
      const plain = Path.join(folder, "prices.jsonl")
      const compressed = Path.join(folder, "prices.gz")
      Fs.writeFileSync(plain, prices("1", "2"))
      Fs.writeFileSync(compressed, Zlib.gzipSync(prices("1", "2")))
      for (const file of [plain, compressed]) {
        const { lines } = yield* indicators("", "sma:2", file)
        assert.deepStrictEqual(lines, [`{"sma:2":null}`, `{"sma:2":1.5}`])
      }
      assert.deepStrictEqual((yield* indicators(prices("7"), "sma:1", "-")).lines, [`{"sma:1":7}`])
    }))

  it.live("names an indicator once that is typed twice", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* indicators(prices("7"), "sma:1", "sma:1")).lines, [`{"sma:1":7}`])
    }))

  it.live("prints the largest double where a value is larger: JSON has no other", () =>
    Effect.gen(function*() {
      const { lines } = yield* indicators(prices("1e308", "-1e308"), "bollinger:2:3", "atr:1")
      assert.deepStrictEqual(JSON.parse(lines[1] ?? ""), {
        "bollinger:2:3": { upper: Number.MAX_VALUE, middle: 0, lower: -Number.MAX_VALUE },
        "atr:1": Number.MAX_VALUE
      })
    }))

  it.live("shows a row for people, printable", () =>
    Effect.gen(function*() {
      const { code, lines } = yield* indicators(
        `{"price":1,"timestamp":"2025-10-28T12:00:00Z"}\n{"price":3}\n`,
        "--format",
        "pretty",
        "sma:2",
        "macd:1:2:1"
      )
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(lines, [
        "2025-10-28T12:00:00Z  sma:2 –  macd:1:2:1 –",
        "sma:2 2  macd:1:2:1 macd 1 signal 1 histogram 0"
      ])
    }))

  it.live("ends quietly with 0 when its reader has gone, and at a signal", () =>
    Effect.gen(function*() {
      const gone = TestHost.make({ stdin: [Buffer.from(prices("1")), Buffer.from(prices("2"))], closesAfter: 1 })
      assert.strictEqual(yield* TestHost.run(gone, "indicators", "sma:1"), 0)
      assert.strictEqual(gone.stdout(), "{\"sma:1\":1}\n")

      const endless = TestHost.make()
      const waiting: typeof endless = {
        ...endless,
        host: {
          ...endless.host,
          stdin: {
            isTerminal: false,
            bytes: async function*() {
              yield Buffer.from(prices("1"))
              await new Promise<never>(() => {})
            }
          }
        }
      }
      const [code] = yield* Effect.all([
        TestHost.run(waiting, "indicators", "sma:1"),
        Effect.andThen(endless.printed(/sma/), endless.send("SIGINT"))
      ], { concurrency: "unbounded" })
      assert.strictEqual(code, 0)
      assert.strictEqual(endless.stderr(), "")
    }))

  it.live("reads a price of any length", () =>
    Effect.gen(function*() {
      const smallest = `4.940656458412465441765687928682213723651${"0".repeat(1_100)}e-324`
      const { code, lines, said } = yield* indicators(prices(smallest, "1e-4000", `0.${"3".repeat(1_500)}`), "sma:1")
      assert.strictEqual(code, 0, said)
      assert.deepStrictEqual(lines, ["{\"sma:1\":5e-324}", "{\"sma:1\":0}", "{\"sma:1\":0.3333333333333333}"])
    }))

  it.live("reads a price to its last digit", () =>
    Effect.gen(function*() {
      const { lines } = yield* indicators(
        prices("\"1000000000000000000.01\"", "\"1000000000000000000.03\"", "1000000000000000000.02"),
        "rsi:2",
        "stochastic:3:1:1"
      )
      const { "rsi:2": rsi, "stochastic:3:1:1": stochastic } = JSON.parse(lines[2] ?? "")
      assert.closeTo(rsi, 200 / 3, 1e-7)
      assert.closeTo(stochastic.k, 50, 1e-7)
    }))
})
