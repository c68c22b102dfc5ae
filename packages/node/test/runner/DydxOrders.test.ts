/** `tickline order dydx` against a chain on loopback: what it prints, and how it exits. */
import { assert, describe, it } from "@effect/vitest"
import * as MockDydxExchange from "@tickline/testing/MockDydxExchange"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import * as TestHost from "./TestHost.ts"

const product = "BTC-USD"
const key = { TICKLINE_DYDX_MNEMONIC: MockDydxExchange.mnemonic }
const subaccount = `${MockDydxExchange.account.address}/0`

const serve = Effect.gen(function*() {
  const exchange = MockDydxExchange.make()
  const server = yield* MockServer.make({
    venue: exchange.venue,
    rate: 0,
    products: [{ symbol: product, price: "43250.10", size: "0.0500" }]
  })
  const http = server.url.replace(/^ws(:\/\/[^/]*).*$/, "http$1")
  const order = (args: ReadonlyArray<string>, env: Record<string, string> = key) =>
    Effect.gen(function*() {
      const world = TestHost.make({ env })
      const code = yield* TestHost.run(world, "order", "dydx", ...args, "--url", http, "--node-url", http)
      assert.notInclude(`${world.stdout()}${world.stderr()}`, "mirror actor")
      return { code, objects: world.objects(), stderr: world.stderr() }
    })
  return { exchange, order }
})

const buying = ["place", "--product", product, "--side", "buy", "--amount", "0.01"]

const usage = (args: ReadonlyArray<string>, says: ReadonlyArray<string>, env: Record<string, string> = key) =>
  it.live(args.join(" "), () =>
    Effect.gen(function*() {
      const world = TestHost.make({ env })
      assert.strictEqual(yield* TestHost.run(world, "order", "dydx", ...args), 2)
      assert.strictEqual(world.stdout(), "")
      for (const text of says) assert.include(world.stderr(), text)
    }))

describe("tickline order dydx", { timeout: 20_000 }, () => {
  describe("a wrong use exits with 2 and sends nothing", () => {
    const url = ["--url", "http://127.0.0.1:1"]
    const urls = [...url, "--node-url", "http://127.0.0.1:1"]
    usage(["list", "--live"], ["--live", "have not been shown on a test network"])
    usage(["list"], ["--url", "an indexer's address"])
    usage(["list", ...url], ["--node-url", "a node of the chain"])
    usage(["list", "--url", "ws://127.0.0.1:1", "--node-url", "http://127.0.0.1:1"], ["--url", "http://"])
    usage(["list", ...urls], ["TICKLINE_DYDX_MNEMONIC", "the environment"], {})
    usage(["list", ...urls], ["TICKLINE_DYDX_MNEMONIC", "it has 2 words"], { TICKLINE_DYDX_MNEMONIC: "a b" })
    usage(["list", ...urls], ["TICKLINE_DYDX_SUBACCOUNT", "128000"], { ...key, TICKLINE_DYDX_SUBACCOUNT: "1x" })
  })

  it.live("takes at the market and says each fill, until the order is over", () =>
    Effect.gen(function*() {
      const { exchange, order } = yield* serve
      const { code, objects } = yield* order([...buying, "--type", "market", "--follow", "--client-id", "mine"])
      const named = { exchange: "dydx", clientId: "mine", orderId: exchange.orders(subaccount)[0]?.id }
      assert.deepStrictEqual(objects[0], { _tag: "Acknowledged", ...named, status: "pending", filled: "0" })
      assert.deepInclude(objects[1], { _tag: "Fill", ...named, product, side: "buy", feeAsset: "USDC" })
      assert.deepInclude(objects.at(-1), { _tag: "OrderUpdate", ...named, status: "filled" })
      assert.strictEqual(code, 0)
    }))

  it.live("places, shows and cancels an order that rests", () =>
    Effect.gen(function*() {
      const { order } = yield* serve
      const placed = yield* order([...buying, "--price", "40000", "--client-id", "7"])
      assert.deepInclude(placed.objects[0], { _tag: "Acknowledged", clientId: "7", status: "pending" })
      // The next block has it.
      yield* Effect.sleep("1 second")
      const list = yield* order(["list"])
      assert.deepInclude(list.objects[0], { _tag: "OrderUpdate", clientId: "7", status: "open", price: "40000.00" })
      const all = yield* order(["cancel-all"])
      assert.deepStrictEqual(all.objects.map(({ _tag }) => _tag), ["Acknowledged", "CancelledAll"])
      assert.strictEqual(all.objects[1]?.["count"], 1)
      assert.deepStrictEqual([placed, list, all].map(({ code }) => code), [0, 0, 0])
      const absent = yield* order(["status", "--client-id", "none"])
      assert.deepStrictEqual([absent.objects[0]?.["status"], absent.code], ["absent", 1])
    }))
})
