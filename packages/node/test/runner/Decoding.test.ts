import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Zlib from "node:zlib"
import * as TestHost from "./TestHost.ts"

const price = (product: string, text: string) =>
  `{"product_id":"${product}","price":${text},"timestamp":"2025-10-28T12:00:00.123456789Z"}`

const decode = Effect.fnUntraced(function*(stdin: string | ReadonlyArray<Uint8Array>, ...flags: ReadonlyArray<string>) {
  const world = TestHost.make({ stdin })
  const code = yield* TestHost.run(world, "decode", "generic", ...flags)
  return { code, world, events: flags.includes("--explain") ? [] : world.objects() }
})

describe("decode", () => {
  it.live("gives one object a line, exact, with the number of its input line", () =>
    Effect.gen(function*() {
      const { code, events, world } = yield* decode(`${price("A", "\"43250.10\"")}\n${price("B", "1e-8")}\n`)
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(events, [
        {
          _tag: "PriceUpdate",
          venue: "generic",
          product: "A",
          price: "43250.10",
          timestamp: "2025-10-28T12:00:00.123456789Z",
          frame: 1
        },
        {
          _tag: "PriceUpdate",
          venue: "generic",
          product: "B",
          price: "0.00000001",
          timestamp: "2025-10-28T12:00:00.123456789Z",
          frame: 2
        }
      ])
      assert.include(world.stderr(), "2 lines: 2 frames, 0 passed over; 2 events, 0 frames rejected")
    }))

  it.live("reads envelopes, and passes over what did not come in or is no frame", () =>
    Effect.gen(function*() {
      const raw = price("A", "\"1.0\"")
      const lines = [
        JSON.stringify({ id: "first", raw, at: "2025-10-28T12:00:00Z", connection: 1 }),
        JSON.stringify({ raw, direction: "out" }),
        JSON.stringify({ raw: "", kind: "open", connection: "a" }),
        "",
        "   ",
        JSON.stringify({ raw, direction: "in", kind: "frame", id: "last" }),
        JSON.stringify({ raw: 5, product_id: "A" }),
        `{"\\u0072aw":${JSON.stringify(raw)}}`,
        `{"id":12345678901234567890,"raw":${JSON.stringify(raw)}}`,
        `{"id":1.0,"raw":${JSON.stringify(raw)},"id":7.0}`
      ]
      const { code, events, world } = yield* decode(`${lines.join("\r\n")}`)
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(
        events.map(({ _tag, frame, id }) => [_tag, frame, id]),
        [
          ["PriceUpdate", 1, "first"],
          ["PriceUpdate", 6, "last"],
          // `raw` is no text there, so the line is itself a frame, and not a good one.
          ["FrameRejected", 7, undefined],
          ["PriceUpdate", 8, undefined],
          // A number is its own digits.
          ["PriceUpdate", 9, "12345678901234567890"],
          ["PriceUpdate", 10, "7.0"]
        ]
      )
      assert.include(world.stderr(), "10 lines: 6 frames, 4 passed over; 6 events, 1 frame rejected")
    }))

  it.live("rejects what it cannot read, goes on and exits with 0; --strict exits with 1", () =>
    Effect.gen(function*() {
      const stdin = `not json\n[1]\n{"product_id":"A"}\n${price("A", "\"1\"")}\n`
      const lenient = yield* decode(stdin)
      assert.strictEqual(lenient.code, 0)
      assert.deepStrictEqual(lenient.events.map(({ reason }) => reason), [
        "MalformedJson",
        "NotAnObject",
        "MissingField",
        undefined
      ])
      const strict = yield* decode(stdin, "--strict")
      assert.strictEqual(strict.code, 1)
      assert.deepStrictEqual(strict.events, lenient.events)
      assert.include(strict.world.stderr(), "--strict")
      assert.strictEqual((yield* decode(price("A", "\"1\""), "--strict")).code, 0)
    }))

  it.live("reads gzip and plain, from stdin in any pieces and from a file, to the same end", () =>
    Effect.gen(function*() {
      const text = Array.from({ length: 50 }, (_, i) => price(`É${i}`, `"${i + 1}.50"`)).join("\n")
      const expected = (yield* decode(text)).events
      assert.strictEqual(expected.length, 50)
      const bytes = Buffer.from(text)
      const zipped = Zlib.gzipSync(bytes)
      const pieces = (of: Uint8Array, size: number) =>
        Array.from({ length: Math.ceil(of.length / size) }, (_, i) => of.subarray(i * size, (i + 1) * size))
      for (const size of [1, 7, 1000]) {
        assert.deepStrictEqual((yield* decode(pieces(bytes, size))).events, expected)
        assert.deepStrictEqual((yield* decode(pieces(zipped, size))).events, expected)
      }
      const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(folder, { recursive: true })))
      for (const [name, content] of [["a.jsonl", bytes], ["a.jsonl.gz", zipped]] as const) {
        Fs.writeFileSync(Path.join(folder, name), content)
        assert.deepStrictEqual((yield* decode("", Path.join(folder, name))).events, expected)
      }
    }))

  it.live("a recording that is cut or no text is a failed run or a rejected frame, never a bug", () =>
    Effect.gen(function*() {
      const cut = Zlib.gzipSync(price("A", "\"1\"")).subarray(0, 30)
      const { code, world } = yield* decode([cut])
      assert.strictEqual(code, 1)
      assert.include(world.stderr(), "cannot read stdin")
      const binary = yield* decode([Buffer.from([0xff, 0xfe, 0x7b, 0x0a]), Buffer.from(price("A", "\"1\""))])
      assert.deepStrictEqual(binary.events.map(({ _tag }) => _tag), ["FrameRejected", "PriceUpdate"])
      assert.strictEqual((yield* decode("")).code, 0)
    }))

  it.live("reads a line of 5 MB, and the byte order mark that may open a file", () =>
    Effect.gen(function*() {
      const long = `{"product_id":"A","price":"2.50","timestamp":1761652800,"note":"${"x".repeat(5_000_000)}"}`
      const { events } = yield* decode(`\ufeff${long}\n${JSON.stringify({ raw: long, id: "e" })}`)
      assert.deepStrictEqual(events.map(({ id, price }) => [price, id]), [["2.50", undefined], ["2.50", "e"]])
    }))

  it.live("shows where each member came from", () =>
    Effect.gen(function*() {
      const match = "{\"type\":\"match\",\"trade_id\":7,\"side\":\"sell\",\"size\":\"0.10\",\"price\":\"43250.10\"," +
        "\"product_id\":\"BTC-USD\",\"sequence\":12,\"time\":\"2025-10-28T12:00:00.5Z\"}"
      const world = TestHost.make({ stdin: match })
      assert.strictEqual(yield* TestHost.run(world, "decode", "coinbase-exchange", "--explain"), 0)
      const lines = world.stdout().split("\n").map((line) => line.trim().replace(/ +/g, " "))
      for (
        const line of [
          "product BTC-USD ← product_id",
          "price 43250.10 ← price",
          "size 0.10 ← size",
          "side buy ← side sell, the maker's, flipped",
          "tradeId 7 ← trade_id",
          "timestamp 2025-10-28T12:00:00.5Z ← time",
          "sequence 12 ← sequence"
        ]
      ) assert.include(lines, line)
    }))

  it.live("explains a long book by its first levels, and is not waited for", () =>
    Effect.gen(function*() {
      const bids = Array.from({ length: 15_000 }, (_, i) => [`${10_000 + i}.10`, `${i + 1}.00000001`])
      const world = TestHost.make({
        stdin: JSON.stringify({ type: "snapshot", product_id: "BTC-USD", bids, asks: [["1.0", "2.0"]] })
      })
      const begun = performance.now()
      assert.strictEqual(yield* TestHost.run(world, "decode", "coinbase-exchange", "--explain"), 0)
      assert.isBelow(performance.now() - begun, 15_000)
      const lines = world.stdout().split("\n").map((line) => line.trim().replace(/ +/g, " "))
      assert.include(lines, "bids[2][1] 3.00000001 ← bids[2][1]")
      assert.include(lines, "… and 29994 more members of levels")
      assert.isFalse(lines.some((line) => line.startsWith("bids[3]")))
    }))

  it.live("shows where a side came from, however the venue writes it", () =>
    Effect.gen(function*() {
      const binance =
        `{"e":"trade","E":1,"s":"BTCUSDT","t":12345,"p":"1.00","q":"2.0","T":1672515782136,"m":true,"M":true}`
      const partial = `{"stream":"btcusdt@depth20","data":{"lastUpdateId":160,"bids":[],"asks":[]}}`
      const hyperliquid = `{"channel":"trades","data":[{"coin":"BTC","side":"A","px":"1.0","sz":"2.0",` +
        `"hash":"0x1","time":1672515782136,"tid":5,"users":["0x1","0x2"]}]}`
      for (
        const [venue, frame, line] of [
          ["binance", binance, "side sell ← m true, rewritten"],
          ["binance", partial, "product BTCUSDT ← stream \"btcusdt@depth20\", rewritten"],
          ["hyperliquid", hyperliquid, "side sell ← data[0].side \"A\", rewritten"]
        ] as const
      ) {
        const world = TestHost.make({ stdin: frame })
        assert.strictEqual(yield* TestHost.run(world, "decode", venue, "--explain"), 0)
        assert.include(world.stdout().split("\n").map((line) => line.trim().replace(/ +/g, " ")), line)
      }
    }))

  it.live("shows of a refused frame what was refused, and nothing that was not read", () =>
    Effect.gen(function*() {
      const frames = [
        "{\"type\":\"ticker\",\"product_id\":\"X\",\"price\":\"1\",\"best_ask\":\"abc\"}",
        "{\"type\":\"match\",\"product_id\":\"X\"}",
        "nonsense"
      ]
      const world = TestHost.make({ stdin: frames.join("\n") })
      assert.strictEqual(yield* TestHost.run(world, "decode", "coinbase-exchange", "--explain"), 0)
      const lines = world.stdout().split("\n").map((line) => line.trim().replace(/ +/g, " "))
      assert.include(lines, "field best_ask ← \"abc\"")
      assert.include(lines, "field price ← not in the frame")
      assert.include(lines, "reason MalformedJson the frame is no JSON text")
      assert.notInclude(world.stdout(), "the frame's kind")
    }))

  it.live("ends quietly with 0 when its reader leaves", () =>
    Effect.gen(function*() {
      const world = TestHost.make({
        stdin: [Buffer.from(`${price("A", "1")}\n`), Buffer.from(price("A", "2"))],
        closesAfter: 1
      })
      assert.strictEqual(yield* TestHost.run(world, "decode", "generic"), 0)
      assert.strictEqual(world.objects().length, 1)
      assert.notInclude(world.stderr(), "tickline:")
    }))
})
