/** `tickline order paper` against venues on loopback: what it prints, and how it exits. */
import { assert, describe, it } from "@effect/vitest"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Market from "@tickline/testing/Market"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as TestHost from "./TestHost.ts"

const serve = (name: string, symbol: string) =>
  Effect.gen(function*() {
    const venue = MockVenues.byName(name) ?? assert.fail(name)
    const server = yield* MockServer.make({
      venue,
      rate: name === "coinbase" ? 0 : 50,
      products: [{ symbol, price: "43250.00", size: "1.0000" }]
    })
    return (...args: ReadonlyArray<string>) =>
      Effect.gen(function*() {
        const world = TestHost.make({})
        const place = ["place", "--venue", name, "--url", server.url, "--product", symbol]
        const code = yield* TestHost.run(world, "order", "paper", ...place, ...args)
        return { code, objects: world.objects(), stderr: world.stderr() }
      })
  })

const usage = (args: ReadonlyArray<string>, says: ReadonlyArray<string>) =>
  it.live(args.join(" "), () =>
    Effect.gen(function*() {
      const world = TestHost.make({})
      assert.strictEqual(yield* TestHost.run(world, "order", "paper", ...args), 2)
      assert.strictEqual(world.stdout(), "")
      for (const text of says) assert.include(world.stderr(), text)
    }))

const decimal = (value: unknown): Decimal.Decimal => Decimal.parse(String(value)) ?? assert.fail(String(value))

describe("tickline order paper", { timeout: 20_000 }, () => {
  describe("a wrong use exits with 2", () => {
    const order = ["--product", "BTC-USD", "--side", "buy", "--amount", "1", "--type", "market"]
    usage(["list"], ["list"])
    usage(["place", ...order], ["--venue"])
    usage(["place", "--venue", "krakn", ...order], ["krakn", "did you mean kraken?"])
    usage(["place", "--venue", "generic", ...order], ["--url", "generic has none of its own"])
    usage(["place", "--venue", "coinbase", "--url", "http://127.0.0.1:1", ...order], ["--url", "ws://"])
    usage(["place", "--venue", "coinbase", "--balance", "USD", ...order], ["--balance", "USD=1000000"])
    usage(["place", "--venue", "coinbase", "--balance", "USD=-1", ...order], ["--balance"])
    usage(["place", "--venue", "coinbase", "--fees", "make=1", ...order], ["--fees", "maker=0.0002,taker=0.0005"])
  })

  it.live("takes from the book, with fees, and says each fill", () =>
    Effect.gen(function*() {
      const order = yield* serve("coinbase", "BTC-USD")
      const { code, objects } = yield* order(
        "--side",
        "buy",
        "--amount",
        "0.5",
        "--type",
        "market",
        "--follow",
        "--client-id",
        "mine",
        "--balance",
        "USD=1000000,BTC=1",
        "--fees",
        "taker=0.0005"
      )
      const [acknowledged, ...fills] = objects
      const named = { exchange: "paper", clientId: "mine", orderId: acknowledged?.["orderId"] }
      assert.deepStrictEqual(acknowledged, { _tag: "Acknowledged", ...named, status: "filled", filled: "0.5" })
      assert.isAbove(fills.length, 0)
      for (const fill of fills) {
        assert.deepInclude(fill, { _tag: "Fill", product: "BTC-USD", side: "buy", feeAsset: "USD", ...named })
        const [price, amount, fee] = [decimal(fill["price"]), decimal(fill["amount"]), decimal(fill["fee"])]
        const value = BigDecimal.multiply(price, amount)
        assert.isTrue(BigDecimal.equals(fee, BigDecimal.multiply(value, decimal("0.0005"))))
      }
      assert.strictEqual(code, 0)
    }))

  it.live("rejects what cannot be filled, would cross or has no funds, and exits with 1", () =>
    Effect.gen(function*() {
      const order = yield* serve("coinbase", "BTC-USD")
      const limit = (...args: ReadonlyArray<string>) => order("--side", "buy", "--price", "90000", ...args)
      const refused = [
        [yield* limit("--amount", "1000000", "--tif", "fok"), /^fok, and only [\d.]+ is there$/],
        [yield* limit("--amount", "1", "--tif", "post-only"), /^post-only, and it would trade at [\d.]+$/],
        [yield* limit("--amount", "1", "--balance", "USD=100"), /^insufficient funds: it needs 90000 USD, and 100 is/]
      ] as const
      for (const [{ code, objects }, reason] of refused) {
        assert.deepInclude(objects[0], { _tag: "Rejected", exchange: "paper" })
        assert.match(String(objects[0]?.["reason"]), reason)
        assert.deepStrictEqual([objects.length, code], [1, 1])
      }
    }))

  for (const { name } of MockVenues.all.filter(({ name }) => name !== "generic")) {
    it.live(`is filled from the book of ${name}`, () =>
      Effect.gen(function*() {
        const venue = MockVenues.byName(name) ?? assert.fail(name)
        const order = yield* serve(name, Market.listedBy(venue)[0]?.symbol ?? assert.fail(name))
        const { code, objects } = yield* order("--side", "buy", "--amount", "0.1", "--type", "market", "--follow")
        assert.deepInclude(objects[0], { _tag: "Acknowledged", status: "filled", filled: "0.1" })
        assert.strictEqual(objects[1]?.["_tag"], "Fill")
        assert.strictEqual(code, 0)
      }))
  }

  it.live("takes a venue without a book for one price of unlimited size", () =>
    Effect.gen(function*() {
      const order = yield* serve("generic", "BTC-USD")
      const { code, objects } = yield* order("--side", "sell", "--amount", "100000", "--type", "market", "--follow")
      assert.deepStrictEqual(objects.map(({ _tag }) => _tag), ["Acknowledged", "Fill"])
      assert.strictEqual(objects[1]?.["amount"], "100000")
      assert.strictEqual(code, 0)
    }))

  it.live("is not sent if the market is not known by the deadline", () =>
    Effect.gen(function*() {
      const world = TestHost.make({})
      const code = yield* TestHost.run(
        world,
        "order",
        "paper",
        "place",
        "--venue",
        "coinbase",
        "--url",
        "ws://127.0.0.1:1",
        "--product",
        "BTC-USD",
        "--side",
        "buy",
        "--amount",
        "1",
        "--type",
        "market",
        "--deadline",
        "300ms"
      )
      assert.strictEqual(world.objects()[0]?.["_tag"], "NotSent")
      assert.match(String(world.objects()[0]?.["reason"]), /was not known by the deadline: .*refused/)
      assert.strictEqual(code, 1)
    }))
})
