/** `tickline stream --book`, against mock venues over real sockets whose frames go missing. */
import { assert, describe, it } from "@effect/vitest"
import * as MockCoinbaseExchange from "@tickline/testing/MockCoinbaseExchange"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { simulate } from "./Streams.ts"
import * as TestHost from "./TestHost.ts"

interface Book {
  readonly _tag: string
  readonly state: string
  readonly product: string
  readonly bids: ReadonlyArray<readonly [string, string]>
  readonly asks: ReadonlyArray<readonly [string, string]>
  readonly cause?: string
}

const isSorted = (side: Book["bids"], descending: boolean): boolean =>
  side.every(([price], i) => {
    const next = side[i + 1]?.[0]
    return next === undefined || (descending ? Number(price) > Number(next) : Number(price) < Number(next))
  })

/** Streams books until one was broken and is whole again; what was printed. */
const untilRestored = Effect.fnUntraced(function*(world: TestHost.TestHost, ...flags: ReadonlyArray<string>) {
  yield* TestHost.runUntil(world, world.printed(/"Gapped"[^]*"Live"/), "stream", ...flags)
  return world.objects() as unknown as ReadonlyArray<Book>
})

describe.concurrent("stream --book", { timeout: 60_000 }, () => {
  for (
    const [venue, product, cause] of [
      ["deribit", "BTC-PERPETUAL", "sequence"],
      ["kraken", "BTC/USD", "checksum"],
      ["coinbase", "BTC-USD", "sequence"],
      ["dydx", "BTC-USD", "sequence"],
      ["binance", "BTCUSDT", "sequence"]
    ] as const
  ) {
    it.live(`${venue}: a frame that goes missing is told, and the book is whole again`, () =>
      Effect.gen(function*() {
        // A checksum is of the ten best levels: of what the next frame sets again, or what is deeper, it shows nothing.
        // And a busy machine may still wait for the first snapshot when the first is lost. Each loss comes long after the
        // one before, so that it does not meet the snapshot which that one brought about.
        const { url } = yield* simulate(venue, ["--rate", "200", "--fault", "lose@500ms/500ms"])
        const books = yield* untilRestored(TestHost.make(), venue, product, "--url", url, "--book", "3")
        assert.deepStrictEqual(new Set(books.map(({ _tag }) => _tag)), new Set(["Book"]))
        const broken = books.filter(({ state }) => state === "Gapped")
        assert.deepStrictEqual(new Set(broken.map((book) => book.cause)), new Set([cause]))
        // A loss is told once.
        const told = books.flatMap(({ state }) => state === "Syncing" ? [] : [state])
        assert.notInclude(told.join(" "), "Gapped Gapped")
        for (const { asks, bids, state } of books) {
          if (state !== "Live") {
            assert.deepStrictEqual([bids, asks], [[], []])
            continue
          }
          assert.lengthOf(bids, 3)
          assert.lengthOf(asks, 3)
          assert.isTrue(isSorted(bids, true) && isSorted(asks, false))
        }
      }))
  }

  it.live("a venue without a method has books that are unverified", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("coinbase-exchange", ["--rate", "200"])
      const world = TestHost.make()
      const command = ["stream", "coinbase-exchange", "BTC-USD", "--url", url, "--book", "1", "--count", "20"]
      assert.strictEqual(yield* TestHost.run(world, ...command), 0)
      assert.deepStrictEqual(new Set(world.objects().map(({ state }) => state)), new Set(["Unverified"]))
    }))

  const { key, passphrase, secret } = MockCoinbaseExchange.credentials
  const env = {
    TICKLINE_COINBASE_EXCHANGE_KEY: Redacted.value(key),
    TICKLINE_COINBASE_EXCHANGE_SECRET: Redacted.value(secret),
    TICKLINE_COINBASE_EXCHANGE_PASSPHRASE: Redacted.value(passphrase)
  }
  const shows = (world: TestHost.TestHost): boolean =>
    Object.values(env).some((value) => `${world.stdout()}${world.stderr()}`.includes(value))

  it.live("coinbase-exchange, with a key: the book of single orders is proven, through a frame that goes missing", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("coinbase-exchange", ["--rate", "400", "--fault", "lose@500ms/500ms"])
      const world = TestHost.make({ env })
      const books = yield* untilRestored(world, "coinbase-exchange", "BTC-USD", "--url", url, "--book", "3")
      const broken = books.find(({ state }) => state === "Gapped")
      assert.strictEqual(broken?.cause, "sequence")
      assert.notInclude(books.map(({ state }) => state), "Unverified")
      assert.isFalse(shows(world))
    }))

  it.live("coinbase-exchange, with a key: a recording gives the same book of single orders, and holds nothing of the key", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("coinbase-exchange", ["--rate", "400", "--fault", "lose@500ms/500ms"])
      const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(folder, { recursive: true })))
      const file = Path.join(folder, "full.jsonl")
      const live = TestHost.make({ env })
      const command = ["stream", "coinbase-exchange", "BTC-USD", "--url", url, "--book", "3", "--record", file]
      assert.strictEqual(yield* TestHost.run(live, ...command, "--count", "800"), 0)
      assert.isFalse(Object.values(env).some((value) => Fs.readFileSync(file, "utf8").includes(value)))
      const again = TestHost.make()
      assert.strictEqual(yield* TestHost.run(again, "replay", file, "--book", "3", "--count", "800"), 0)
      const placeless = again.objects().map(({ frame: _, ...book }) => book)
      assert.deepStrictEqual(placeless, [...live.objects()])
    }))

  it.live("coinbase-exchange, with a key that is refused, or is none: it is said without it", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("coinbase-exchange", ["--rate", "100"])
      const command = ["stream", "coinbase-exchange", "BTC-USD", "--url", url, "--book", "3"]
      for (
        const [change, code, said] of [
          [{ TICKLINE_COINBASE_EXCHANGE_SECRET: "YW5vdGhlciBzZWNyZXQ=" }, 1, "invalid signature"],
          [{ TICKLINE_COINBASE_EXCHANGE_SECRET: "no base64!" }, 2, "TICKLINE_COINBASE_EXCHANGE_SECRET"],
          [{ TICKLINE_COINBASE_EXCHANGE_PASSPHRASE: "" }, 2, "TICKLINE_COINBASE_EXCHANGE_PASSPHRASE"]
        ] as const
      ) {
        const world = TestHost.make({ env: { ...env, ...change } })
        assert.strictEqual(yield* TestHost.run(world, ...command), code)
        assert.include(world.stderr(), said)
        assert.isFalse(shows(world))
        assert.notInclude(world.stderr(), Object.values(change).join() || "an empty text")
      }
    }))

  it.live("a wrong number of levels is a usage error, and so is a reader that is waited for", () =>
    Effect.gen(function*() {
      for (
        const [flags, said] of [
          [["--book", "0"], "--book"],
          [["--book", "5", "--overflow", "block"], "--overflow"]
        ] as const
      ) {
        const world = TestHost.make()
        assert.strictEqual(yield* TestHost.run(world, "stream", "kraken", "BTC/USD", ...flags), 2)
        assert.include(world.stderr(), said)
      }
    }))

  it.live("a venue without books is told", () =>
    Effect.gen(function*() {
      const { url } = yield* simulate("generic", ["--rate", "50"])
      const world = TestHost.make()
      assert.strictEqual(yield* TestHost.run(world, "stream", "generic", "BTC-USD", "--url", url, "--book", "1"), 2)
      assert.include(world.stderr(), "books")
    }))
})
