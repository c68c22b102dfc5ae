/** `tickline backtest` through the front door: what it prints, what it writes, and how it refuses. */
import { assert, describe, it } from "@effect/vitest"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Zlib from "node:zlib"
import * as TestHost from "./TestHost.ts"

const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-backtest-"))

const file = (name: string, content: string | Uint8Array): string => {
  const path = Path.join(folder, name)
  Fs.writeFileSync(path, content)
  return path
}

const start = Date.parse("2026-11-20T00:00:00Z")

const iso = (millis: number): string => new Date(start + millis).toISOString()

const raw = (number: number, millis: number, price: number): string =>
  JSON.stringify({
    type: "match",
    trade_id: number,
    sequence: number,
    maker_order_id: "a",
    taker_order_id: "b",
    time: iso(millis),
    product_id: "BTC-USD",
    size: "0.5",
    price: price.toFixed(2),
    side: "sell"
  })

const header = JSON.stringify({
  raw: "",
  kind: "header",
  version: 1,
  venue: "coinbase-exchange",
  products: ["BTC-USD"],
  channels: ["trade"]
})

/** Up and down in hills, a trade every ten seconds. */
const prices = Array.from({ length: 240 }, (_, at) => 100 + 8 * Math.sin(at / 13) + 2 * Math.sin(at / 5))

const trades = prices.map((price, at) => ({
  millis: 3_000 + at * 10_000,
  raw: raw(at + 1, 3_000 + at * 10_000, price)
}))

const envelopes = trades.map(({ millis, raw }) => JSON.stringify({ raw, at: iso(millis), connection: 1 }))

const text = (lines: ReadonlyArray<string>): string => lines.map((line) => `${line}\n`).join("")

const recording = file("hills.jsonl", text([header, ...envelopes]))

const backtest = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const world = TestHost.make({})
  const code = yield* TestHost.run(world, "backtest", ...args)
  return { code, out: world.stdout(), lines: world.stdout().split("\n").slice(0, -1), said: world.stderr() }
})

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(text)

const fast = ["--strategy", "fast"] as const

describe("backtest", () => {
  it.live("prints each fill and, last, what came of them", () =>
    Effect.gen(function*() {
      const { code, lines, said } = yield* backtest(
        recording,
        ...fast,
        "--fees",
        "maker=0.0002,taker=0.0005",
        "--latency",
        "50ms"
      )
      assert.strictEqual(code, 0, said)
      const events = lines.map((line) => JSON.parse(line))
      const fills = events.slice(0, -1)
      const result = events.at(-1)
      assert.isAtLeast(fills.length, 6)
      assert.deepStrictEqual(Object.keys(fills[0]), [
        "_tag",
        "exchange",
        "product",
        "side",
        "clientId",
        "orderId",
        "price",
        "amount",
        "fee",
        "feeAsset",
        "tradeId",
        "timestamp"
      ])
      assert.isTrue(fills.every(({ _tag, exchange }) => _tag === "Fill" && exchange === "paper"))
      assert.deepStrictEqual(Object.keys(result), [
        "_tag",
        "trades",
        "pnl",
        "return",
        "drawdown",
        "hitRate",
        "exposure"
      ])
      // Money and what it has bought, at the last price.
      let cash = decimal("0")
      let held = decimal("0")
      for (const { amount, fee, price, side } of fills) {
        const value = BigDecimal.multiply(decimal(amount), decimal(price))
        cash = BigDecimal.subtract(
          side === "buy" ? BigDecimal.subtract(cash, value) : BigDecimal.sum(cash, value),
          decimal(fee)
        )
        held = side === "buy" ? BigDecimal.sum(held, decimal(amount)) : BigDecimal.subtract(held, decimal(amount))
        assert.isTrue(held.value >= 0n)
      }
      const last = decimal((prices.at(-1) ?? 0).toFixed(2))
      const pnl = BigDecimal.sum(cash, BigDecimal.multiply(held, last))
      assert.isTrue(BigDecimal.equals(pnl, decimal(result.pnl)), `${Decimal.format(pnl)} ${result.pnl}`)
      assert.closeTo(result.return, Number(result.pnl) / 10_000, 1e-12)
      assert.isTrue(result.exposure > 0 && result.exposure < 1 && result.drawdown > 0)
    }))

  it.live("counts a position, and what it cost, from its fills on", () =>
    Effect.gen(function*() {
      const { lines } = yield* backtest(recording, ...fast, "--fees", "taker=0.002", "--latency", "4s")
      const events = lines.map((line) => JSON.parse(line))
      const fills = events.slice(0, -1).map((fill) => ({
        ...fill,
        at: Date.parse(fill.timestamp) - start,
        value: Number(fill.price) * Number(fill.amount)
      }))
      const marks = trades.map(({ millis }, at) => ({ at: millis, price: Number((prices[at] ?? 0).toFixed(2)) }))
      let [cash, held, price, peak, drawdown, exposed, before] = [10_000, 0, 0, 10_000, 0, 0, 0]
      for (const event of [...marks, ...fills].sort((one, other) => one.at - other.at)) {
        if (held > 1e-9) exposed += event.at - before
        before = event.at
        if ("value" in event) {
          const { amount, fee, side, value } = event
          const sign = side === "buy" ? 1 : -1
          cash -= sign * value + Number(fee)
          held += sign * Number(amount)
        } else price = event.price
        const total = cash + held * price
        peak = Math.max(peak, total)
        drawdown = Math.max(drawdown, (peak - total) / peak)
      }
      const { drawdown: said, exposure } = events.at(-1)
      const [first, last] = [trades[0]?.millis ?? 0, trades.at(-1)?.millis ?? 0]
      assert.closeTo(exposure, exposed / (last - first), 1e-12)
      assert.closeTo(said, drawdown, 1e-12)
    }))

  it.live("says the same again, to the byte, with a report and without", () =>
    Effect.gen(function*() {
      const once = yield* backtest(recording, ...fast)
      const report = Path.join(folder, "report.html")
      const again = yield* backtest(recording, ...fast, "--html", report)
      assert.strictEqual(again.out, once.out)
      const page = Fs.readFileSync(report, "utf8")
      yield* backtest(recording, ...fast, "--html", report)
      assert.strictEqual(Fs.readFileSync(report, "utf8"), page)
    }))

  it.live("writes a report that loads nothing and keeps the licence of what draws it", () =>
    Effect.gen(function*() {
      const report = Path.join(folder, "page.html")
      const hostile = file("a<b>&.jsonl", text([header, ...envelopes]))
      const { code, said } = yield* backtest(recording, ...fast, "--html", report)
      assert.strictEqual(code, 0, said)
      const page = Fs.readFileSync(report, "utf8")
      assert.notMatch(page, /(?:src|href)\s*=\s*"(?!data:)/)
      assert.notMatch(page, /@import|url\(/)
      assert.include(page, "default-src 'none'")
      assert.match(page, /MIT License[\s\S]*Leon Sorokin/)
      assert.include(page, "closed trades")
      yield* backtest(hostile, ...fast, "--html", report)
      const marked = Fs.readFileSync(report, "utf8")
      assert.include(marked, "a&lt;b&gt;&amp;.jsonl")
      assert.notInclude(marked, "a<b>")
    }))

  it.live("reads several recordings as one, in the order given", () =>
    Effect.gen(function*() {
      const whole = yield* backtest(recording, ...fast)
      // What no header names is not wanted.
      const mixed = envelopes.flatMap((line) => [line, line.replaceAll("BTC-USD", "ETH-USD")])
      const one = file("part.0001.jsonl", text([header, ...mixed.slice(0, 200)]))
      const two = file("part.0002.jsonl.gz", Zlib.gzipSync(text([header, ...mixed.slice(200)])))
      assert.strictEqual((yield* backtest(one, two, ...fast)).out, whole.out)
      const other = yield* backtest(two, one, ...fast)
      assert.strictEqual(other.code, 0)
      assert.notStrictEqual(other.out, whole.out)
    }))

  it.live("has the venue's time where a recording has none", () =>
    Effect.gen(function*() {
      const bare = file("bare.jsonl", text([`{"type":"subscriptions","channels":[]}`, ...trades.map(({ raw }) => raw)]))
      const whole = yield* backtest(recording, ...fast, "--latency", "2s")
      const { code, out, said } = yield* backtest(bare, ...fast, "--latency", "2s", "--venue", "coinbase-exchange")
      assert.strictEqual(code, 0, said)
      assert.strictEqual(out, whole.out)
    }))

  it.live("trades as the configuration says", () =>
    Effect.gen(function*() {
      const config = file(
        "trader.toml",
        `[http]\nport = 8080\n[trader]\ninterval = "20s"\ncapital = "5000"\nproducts = ["ETH-USD"]\n` +
          `[trader.limits]\nshare = "0.5"\nrepeat_after = "1ms"\nmax_lots = 1\nconfidence = 0\n`
      )
      const { code, lines, said } = yield* backtest(recording, ...fast, "--config", config)
      assert.strictEqual(code, 0, said)
      const [first] = lines.map((line) => JSON.parse(line))
      assert.approximately(Number(first.amount) * Number(first.price), 2_500, 1)
      const weighed = file("weights.toml", `[trader]\nstrategy = { fast = 1, conservative = 0.1 }\n`)
      assert.isAtLeast((yield* backtest(recording, "--strategy", "combined", "--config", weighed)).lines.length, 3)
    }))

  it.live("shows people what came of it", () =>
    Effect.gen(function*() {
      const { out } = yield* backtest(recording, ...fast, "--format", "pretty")
      assert.match(out, /gained +\S+ USD/)
      assert.match(out, /hit rate +\d/)
    }))

  it.live("keeps the report that is there until there is another", () =>
    Effect.gen(function*() {
      const report = file("kept.html", "the one before")
      const world = TestHost.make({})
      yield* world.send("SIGINT")
      assert.strictEqual(yield* TestHost.run(world, "backtest", recording, ...fast, "--html", report), 0)
      assert.strictEqual(world.stdout(), "")
      assert.strictEqual(Fs.readFileSync(report, "utf8"), "the one before")
    }))

  const refused = (name: string, args: ReadonlyArray<string>, ...expected: ReadonlyArray<string>) =>
    it.live(`refuses ${name}`, () =>
      Effect.gen(function*() {
        const { code, out, said } = yield* backtest(...args)
        assert.deepStrictEqual([code, out], [2, ""], said)
        for (const part of expected) assert.include(said, part)
      }))

  const config = (content: string): string =>
    file(`config-${Math.abs(content.length * 31)}-${content.slice(9, 14).trim()}.toml`, content)

  refused("no recording", fast, "recording")
  refused("no strategy", [recording], "--strategy")
  refused("a strategy that there is not", [recording, "--strategy", "fats"], "--strategy", "fast")
  refused("fees that are none", [recording, ...fast, "--fees", "maker=x"], "--fees", "maker=0.0002,taker=0.0005")
  refused(
    "a fee of more than the trade",
    [recording, ...fast, "--fees", "taker=5"],
    "--fees \"taker=5\"",
    "less than 1"
  )
  refused("a latency that is none", [recording, ...fast, "--latency", "soon"], "--latency", "50")
  refused(
    "a file that cannot be read",
    [Path.join(folder, "missing.jsonl"), ...fast],
    "missing.jsonl",
    "a file that can be read"
  )
  refused(
    "a report that cannot be written",
    [recording, ...fast, "--html", Path.join(folder, "no/such.html")],
    "--html"
  )
  refused("a configuration without a trader", [recording, ...fast, "--config", config("[other]\n")], "[trader]")
  refused(
    "a key that there is not",
    [recording, ...fast, "--config", config("[trader]\nintervall = \"10s\"\n")],
    "trader.intervall",
    "did you mean trader.interval?"
  )
  refused(
    "a value that cannot be read",
    [recording, ...fast, "--config", config("[trader.limits]\nper_hour = 1.5\n")],
    "trader.limits.per_hour \"1.5\"",
    "a whole number"
  )
  refused(
    "recordings that name no venue",
    [file("none.jsonl", text(envelopes)), ...fast],
    "--venue",
    "coinbase-exchange"
  )
  refused(
    "recordings of several venues",
    [recording, file("kraken.jsonl", text([header.replace("coinbase-exchange", "kraken")])), ...fast],
    "one venue"
  )

  it.live("takes the last trade where the recorded book has no snapshot", () =>
    Effect.gen(function*() {
      const whole = yield* backtest(recording, ...fast)
      const change = (at: string): string =>
        JSON.stringify({
          raw: JSON.stringify({
            type: "l2update",
            product_id: "BTC-USD",
            time: at,
            changes: [["buy", "99.00", "1.0"]]
          }),
          at,
          connection: 1
        })
      const both = file(
        "deltas.jsonl",
        text([
          header.replace(`["trade"]`, `["trade","book"]`),
          ...envelopes.flatMap((line) => [line, change(JSON.parse(line).at)])
        ])
      )
      const { code, out, said } = yield* backtest(both, ...fast)
      assert.strictEqual(code, 0, said)
      assert.include(said, "has no snapshot: orders are filled at the price of the last trade")
      assert.strictEqual(out, whole.out)
    }))

  it.live("says that nothing came of a recording of nothing", () =>
    Effect.gen(function*() {
      const nothing = `{"_tag":"Result","trades":0,"pnl":"0","return":0,"drawdown":0,"exposure":0}\n`
      const report = Path.join(folder, "nothing.html")
      for (const lines of [[header], [header, envelopes[0] ?? ""]]) {
        const { code, out, said } = yield* backtest(file("empty.jsonl", text(lines)), ...fast, "--html", report)
        assert.deepStrictEqual([code, out], [0, nothing], said)
        assert.include(Fs.readFileSync(report, "utf8"), "None was closed.")
      }
    }))
})
