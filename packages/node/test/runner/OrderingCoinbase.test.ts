/** `tickline order coinbase` against an exchange on loopback: what it prints, how it exits, and what reached the exchange. */
import { assert, describe, it } from "@effect/vitest"
import * as MockCoinbaseAdvanced from "@tickline/testing/MockCoinbaseAdvanced"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { spawn } from "node:child_process"
import { generateKeyPairSync } from "node:crypto"
import * as Net from "node:net"
import * as Path from "node:path"
import * as TestHost from "./TestHost.ts"

const product = "BTC-USD"
const { keyName, keySecret } = MockCoinbaseAdvanced.simulated
const key = { TICKLINE_COINBASE_KEY_NAME: keyName, TICKLINE_COINBASE_KEY_SECRET: keySecret }

const pem = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "pem", type: "sec1" })
  .toString()
const berta = { keyName: "organizations/o/apiKeys/berta", keySecret: pem }
const hers = {
  TICKLINE_COINBASE_KEY_NAME: berta.keyName,
  // As the venue's key file has it.
  TICKLINE_COINBASE_KEY_SECRET: pem.replaceAll("\n", "\\n")
}

const serve = Effect.gen(function*() {
  const exchange = MockCoinbaseAdvanced.make({
    accounts: [MockCoinbaseAdvanced.simulated, { ...berta, balances: { BTC: "10", USD: "1000000" } }]
  })
  const server = yield* MockServer.make({
    venue: exchange.venue,
    rate: 0,
    products: [{ symbol: product, price: "43250.10", size: "0.05000000" }]
  })
  /** Runs a command to its end. */
  const order = (args: ReadonlyArray<string>, env: Record<string, string> = key) =>
    Effect.gen(function*() {
      const world = TestHost.make({ env })
      const code = yield* TestHost.run(world, "order", "coinbase", ...args, "--url", server.httpUrl)
      assert.notInclude(`${world.stdout()}${world.stderr()}`, keySecret)
      assert.notInclude(`${world.stdout()}${world.stderr()}`, pem.slice(40, 80))
      return { code, objects: world.objects(), stderr: world.stderr() }
    })
  const calls = (call: string) => exchange.received().filter((received) => received.call === call).length
  return { exchange, server, order, calls }
})

const buying = ["place", "--product", product, "--side", "buy", "--amount", "0.1"]
const buy = [...buying, "--price", "40000", "--client-id", "mine"]

const named = { exchange: "coinbase", clientId: "mine" }

/** A port on which nobody listens. */
const closedPort = Effect.callback<number>((resume) => {
  const server = Net.createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 1)))
  })
})

const usage = (args: ReadonlyArray<string>, says: ReadonlyArray<string>, env: Record<string, string> = key) =>
  it.live(args.join(" "), () =>
    Effect.gen(function*() {
      const world = TestHost.make({ env })
      assert.strictEqual(yield* TestHost.run(world, "order", ...args), 2)
      assert.strictEqual(world.stdout(), "")
      for (const text of says) assert.include(world.stderr(), text)
      assert.notInclude(world.stderr(), "hunter2")
    }))

describe("tickline order coinbase", { timeout: 20_000 }, () => {
  describe("a wrong use exits with 2 and sends nothing", () => {
    const url = ["--url", "http://127.0.0.1:1"]
    usage(["coinbse", "list"], ["coinbse", "did you mean coinbase?"])
    usage(["coinbase", "list"], ["--url, --live", "expected --url"])
    usage(["coinbase", "list", ...url, "--live"], ["--url, --live", "one of the two"])
    usage(["coinbase", "list", "--url", "ws://127.0.0.1:1"], ["--url", "ws://127.0.0.1:1", "http://"])
    usage(["coinbase", "list", "--url", "http://me:hunter2@127.0.0.1:1"], ["--url", "without user and password"])
    usage(["coinbase", "list", "--url", "http://127.0.0.1:1/?key=hunter2"], ["--url", "without a query"])
    usage(["coinbase", "list", ...url, "--ws-url", "http://127.0.0.1:1"], ["--ws-url", "ws://"])
    usage(["coinbase", "list", ...url], ["TICKLINE_COINBASE_KEY_NAME", "the environment"], {})
    usage(["coinbase", "list", ...url], ["TICKLINE_COINBASE_KEY_SECRET"], { TICKLINE_COINBASE_KEY_NAME: keyName })
    usage(["coinbase", "list", ...url], ["TICKLINE_COINBASE_KEY_SECRET", "cannot be read"], {
      ...key,
      TICKLINE_COINBASE_KEY_SECRET: "hunter2"
    })
    usage(["coinbase", ...buying, "--price", "1", "--client-id", "x".repeat(129), ...url], [
      "--client-id",
      "1 to 128"
    ])
  })

  it.live("places, amends, shows and cancels, with a key of either kind", () =>
    Effect.gen(function*() {
      for (const env of [key, hers]) {
        const { exchange, order } = yield* serve
        const placed = yield* order(buy, env)
        const orderId = exchange.orders("mine")[0]?.orderId
        assert.isDefined(orderId)
        const acknowledged = { _tag: "Acknowledged", ...named, orderId, status: "open", filled: "0" }
        assert.deepStrictEqual(placed.objects, [{ ...acknowledged, status: "pending" }])
        const amended = yield* order(["amend", "--client-id", "mine", "--price", "40000.50", "--amount", "0.2"], env)
        assert.deepStrictEqual(amended.objects, [acknowledged])
        const shown = {
          _tag: "OrderUpdate",
          exchange: "coinbase",
          product,
          side: "buy",
          clientId: "mine",
          orderId,
          status: "open",
          filled: "0",
          remaining: "0.2",
          price: "40000.50",
          amount: "0.2"
        }
        const [status, list] = [yield* order(["status", "--order", `${orderId}`], env), yield* order(["list"], env)]
        assert.deepStrictEqual([status.objects, list.objects], [[shown], [shown]])
        const cancelled = yield* order(["cancel", "--client-id", "mine"], env)
        assert.deepStrictEqual(cancelled.objects, [{ ...acknowledged, status: "cancelled" }])
        assert.deepStrictEqual([placed, amended, status, list, cancelled].map(({ code }) => code), [0, 0, 0, 0, 0])
        const empty = yield* order(["list", "--product", product], env)
        assert.deepStrictEqual([empty.objects, empty.code], [[], 0])
        const absent = yield* order(["status", "--client-id", "none"], env)
        assert.deepStrictEqual(absent.objects, [{
          _tag: "OrderUpdate",
          exchange: "coinbase",
          clientId: "none",
          status: "absent"
        }])
        assert.strictEqual(absent.code, 1)
      }
    }))

  it.live("makes a client id, and cancels all, counted", () =>
    Effect.gen(function*() {
      const { exchange, order } = yield* serve
      const { objects: [placed] } = yield* order([...buying, "--price", "40000"])
      const clientId = String(placed?.["clientId"])
      assert.match(clientId, /^0x[0-9a-f]{32}$/)
      assert.strictEqual(exchange.orders(clientId).length, 1)
      yield* order(buy)
      const all = yield* order(["cancel-all", "--product", product])
      assert.deepStrictEqual(all.objects.map(({ _tag, clientId, count }) => [_tag, clientId ?? count]).toSorted(), [
        ["Acknowledged", clientId],
        ["Acknowledged", "mine"],
        ["CancelledAll", 2]
      ])
      assert.strictEqual(all.code, 0)
    }))

  it.live("unanswered, cut, malformed: unknown, then reconciled; one order at the exchange", () =>
    Effect.gen(function*() {
      const { calls, exchange, order } = yield* serve
      for (const [at, _tag] of (["Withhold", "Cut", "Malform"] as const).entries()) {
        exchange.fault({ _tag, call: "POST orders" })
        const clientId = `${at}`
        const args = [...buying, "--price", "40000", "--client-id", clientId, "--deadline", "800ms"]
        const { code, objects } = yield* order(args)
        assert.deepStrictEqual(
          objects.map(({ _tag, clientId, orderId, status }) => [_tag, clientId, orderId, status]),
          [
            ["OutcomeUnknown", clientId, undefined, undefined],
            ["Reconciled", clientId, exchange.orders(clientId)[0]?.orderId, "open"]
          ]
        )
        assert.strictEqual(code, 0)
      }
      assert.strictEqual(calls("POST orders"), 3)
      assert.strictEqual(exchange.orders().length, 3)
    }))

  it.live("never taken: absent 2 s after its deadline, exit 1", () =>
    Effect.gen(function*() {
      const { calls, exchange, order } = yield* serve
      exchange.fault({ _tag: "Withhold", call: "POST orders", takenAfter: Infinity })
      const begun = Date.now()
      const { code, objects } = yield* order([...buy, "--deadline", "500ms"])
      assert.deepStrictEqual(objects, [
        { _tag: "OutcomeUnknown", ...named, reason: "no answer by the deadline" },
        { _tag: "Reconciled", ...named, status: "absent" }
      ])
      assert.isAtLeast(Date.now() - begun, 2_500)
      assert.strictEqual(code, 1)
      assert.strictEqual(calls("POST orders"), 1)
    }))

  it.live("not sent: nobody listens, a key that is refused, and what the product forbids", () =>
    Effect.gen(function*() {
      const { calls, exchange, order } = yield* serve
      const world = TestHost.make({ env: key })
      const nowhere = `http://127.0.0.1:${yield* closedPort}`
      const begun = Date.now()
      assert.strictEqual(
        yield* TestHost.run(world, "order", "coinbase", ...buy, "--url", nowhere, "--deadline", "600ms"),
        1
      )
      assert.isAtMost(Date.now() - begun, 3_000)
      assert.deepInclude(world.objects()[0], { _tag: "NotSent", ...named })

      const refused = yield* order(buy, { ...hers, TICKLINE_COINBASE_KEY_NAME: keyName })
      assert.deepStrictEqual(refused.objects, [
        { _tag: "NotSent", ...named, reason: "the exchange refuses the key: Unauthorized" }
      ])
      assert.strictEqual(refused.code, 1)
      assert.strictEqual(exchange.received().length, 1)

      const reasonOf = (args: ReadonlyArray<string>) =>
        Effect.map(order(args), ({ code, objects: [{ _tag, reason } = {}] }) => {
          assert.deepStrictEqual([code, _tag], [1, "NotSent"])
          return String(reason)
        })
      assert.include(
        yield* reasonOf([...buying, "--price", "40000.075"]),
        "40000.075 is no positive multiple of the tick 0.01; the nearest legal: 40000.07 and 40000.08"
      )
      assert.include(yield* reasonOf(["place", "--product", "NONE", "--side", "buy", ...buy.slice(5)]), "product NONE")
      assert.include(yield* reasonOf([...buy, "--reduce-only"]), "reduce-only")
      assert.strictEqual(calls("POST orders"), 0)
    }))

  it.live("what the exchange refuses, a rate limit, and a client id that is in use", () =>
    Effect.gen(function*() {
      const { calls, exchange, order } = yield* serve
      const crossing = yield* order([...buying, "--price", "50000", "--tif", "post-only", "--client-id", "mine"])
      const reason = "Post only limit orders should not be immediately matched"
      assert.deepStrictEqual(crossing.objects, [
        { _tag: "Rejected", ...named, reason, code: "INVALID_LIMIT_PRICE_POST_ONLY", message: reason }
      ])
      assert.strictEqual(crossing.code, 1)
      exchange.fault({ _tag: "Answer", call: "POST orders", status: 429, headers: { "retry-after": "1" } })
      const limited = yield* order(buy)
      assert.deepStrictEqual(limited.objects.map(({ _tag, code }) => [_tag, code]), [["Rejected", "429"]])
      assert.strictEqual(limited.code, 1)
      yield* order(buy)
      const used = yield* order([...buying, "--price", "41000", "--client-id", "mine"])
      const orderId = exchange.orders("mine")[0]?.orderId
      assert.deepStrictEqual(used.objects, [{ _tag: "Rejected", ...named, orderId, reason: "client id in use" }])
      assert.strictEqual(used.code, 1)
      assert.strictEqual(calls("POST orders"), 4)
      assert.strictEqual(exchange.orders().length, 1)
    }))

  it.live("follows an order over a drop: each execution once, in order, until it is filled", () =>
    Effect.gen(function*() {
      const { exchange, order, server } = yield* serve
      const world = TestHost.make({ env: key })
      // Better than anybody's bid.
      const price = yield* Effect.promise(async () => {
        const answer = await fetch(`${server.httpUrl}/api/v3/brokerage/market/products/${product}/ticker`)
        const { best_bid }: { readonly best_bid: string } = JSON.parse(await answer.text())
        return `${(BigInt(best_bid.replace(".", "")) + 1n).toString().replace(/(..)$/, ".$1")}`
      })
      const sell = (amount: string) =>
        order(["place", "--product", product, "--side", "sell", "--amount", amount, "--price", price], hers)
      const terms = [...buying, "--price", price, "--client-id", "mine", "--follow"]
      const running = yield* Effect.forkChild(
        TestHost.run(world, "order", "coinbase", ...terms, "--url", server.httpUrl)
      )
      yield* world.printed(/"status":"open"/)
      yield* sell("0.01")
      yield* world.printed(/partially-filled/)
      exchange.silence(true)
      const [connection] = server.connections()
      yield* connection?.drop ?? Effect.void
      yield* sell("0.04")
      exchange.silence(false)
      yield* world.printed(/"amount":"0.04/)
      yield* sell("0.05")
      assert.strictEqual(yield* Fiber.join(running), 0)
      const fills = world.objects().filter(({ _tag }) => _tag === "Fill")
      assert.deepStrictEqual(fills.map(({ amount }) => Number(amount)), [0.01, 0.04, 0.05])
      assert.hasAllKeys(fills[0], [
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
      assert.deepInclude(world.objects().at(-1), { _tag: "OrderUpdate", status: "filled" })
    }))

  it.live("a market order, for people", () =>
    Effect.gen(function*() {
      const { server } = yield* serve
      const world = TestHost.make({ env: key, terminal: true })
      const args = [...buying, "--type", "market", "--client-id", "mine", "--follow", "--url", server.httpUrl]
      assert.strictEqual(yield* TestHost.run(world, "order", "coinbase", ...args), 0)
      const [first, second] = world.stdout().split("\n")
      assert.match(first ?? "", /^Acknowledged +pending filled 0 order \S+ client mine$/)
      assert.match(second ?? "", /^Fill +buy 0\.\d+ @ 432\d\d\.\d+ BTC-USD fee \S+ USD trade \S+ /)
    }))
})

const bin = Path.join(import.meta.dirname, "../../src/bin.ts")

/** The command as a process of its own, and the lines that it has printed at its end. */
const start = (url: string, ...args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [bin, "order", "coinbase", ...args, "--url", url], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ...key }
  })
  let stdout = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
  })
  const ended = new Promise<readonly [code: number | null, lines: ReadonlyArray<unknown>]>((resolve) =>
    child.on(
      "close",
      (code) => resolve([code, stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))])
    )
  )
  return { child, ended: Effect.promise(() => ended) }
}

const until = (condition: () => boolean) =>
  Effect.repeat(Effect.delay(Effect.sync(condition), "10 millis"), { until: (holds) => holds })

describe("tickline order coinbase as a process", { timeout: 20_000 }, () => {
  it.live("a signal before the answer is an unknown outcome, exit 3; before it was written, nothing is left behind", () =>
    Effect.gen(function*() {
      const { calls, exchange, server } = yield* serve
      exchange.fault({ _tag: "Withhold", call: "POST orders" })
      const unanswered = start(server.httpUrl, ...buy)
      yield* until(() => calls("POST orders") === 1)
      unanswered.child.kill("SIGTERM")
      assert.deepStrictEqual(yield* unanswered.ended, [
        3,
        [{ _tag: "OutcomeUnknown", ...named, reason: "ended by SIGTERM" }]
      ])
      exchange.fault({ _tag: "Withhold", call: "GET products/{id}" })
      const unwritten = start(server.httpUrl, ...buy)
      yield* until(() => calls("GET products/{id}") === 2)
      unwritten.child.kill("SIGINT")
      assert.deepStrictEqual(yield* unwritten.ended, [
        1,
        [{ _tag: "NotSent", ...named, reason: "ended by SIGINT" }]
      ])
      assert.strictEqual(calls("POST orders"), 1)
    }))

  it.live("a process that is killed says nothing; status tells the truth later", () =>
    Effect.gen(function*() {
      const { calls, exchange, order, server } = yield* serve
      exchange.fault({ _tag: "Withhold", call: "POST orders" })
      const killed = start(server.httpUrl, ...buy)
      yield* until(() => calls("POST orders") === 1)
      killed.child.kill("SIGKILL")
      assert.deepStrictEqual((yield* killed.ended)[1], [])
      const { objects } = yield* order(["status", "--client-id", "mine"])
      assert.deepStrictEqual(objects.map(({ _tag, status }) => [_tag, status]), [["OrderUpdate", "open"]])
    }))
})
