/** `tickline order hyperliquid` against an exchange on loopback: what it prints, how it exits, and what reached the exchange. */
import { assert, describe, it } from "@effect/vitest"
import * as MockHyperliquidExchange from "@tickline/testing/MockHyperliquidExchange"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as TestHost from "./TestHost.ts"

const secret = "0x0123456789012345678901234567890123456789012345678901234567890123"
const { address } = MockHyperliquidExchange.account
const otherSecret = "0x822e9959e022b78423eb653a62ea0020cd283e71a2a8133a6ff2aeffaf373cff"
const other = "0xe5ca49fb3bd9a581f0d1ef9cb5d7177da08bf901"
const cloid = (digit: string): string => `0x${digit.repeat(32)}`
const mine = cloid("a")

interface Posted {
  readonly nonce: number
  readonly expiresAfter: number
}

const serve = Effect.gen(function*() {
  const exchange = MockHyperliquidExchange.make({
    accounts: [MockHyperliquidExchange.account, { address: other, balances: { USDC: "1000000" } }]
  })
  const server = yield* MockServer.make({
    venue: exchange.venue,
    rate: 0,
    products: MockHyperliquidExchange.products
  })
  const state = yield* Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-state-"))),
    (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true, force: true }))
  )
  const url = server.url.replace(/^ws/, "http").replace(/\/ws$/, "")
  const env = { TICKLINE_HYPERLIQUID_KEY: secret, TICKLINE_STATE: state }
  /** Runs a command to its end. */
  const order = (args: ReadonlyArray<string>, changed: Record<string, string> = {}) =>
    Effect.gen(function*() {
      const world = TestHost.make({ env: { ...env, ...changed } })
      const code = yield* TestHost.run(world, "order", "hyperliquid", ...args, "--url", url)
      assert.notInclude(`${world.stdout()}${world.stderr()}`, secret.slice(2))
      return { code, objects: world.objects(), stderr: world.stderr() }
    })
  const posted = (name: string): ReadonlyArray<Posted> =>
    exchange.received().filter(({ call }) => call === name).map(({ question: { body } }) => JSON.parse(body))
  return { exchange, server, url, env, state, order, posted }
})

const buying = ["place", "--product", "BTC", "--side", "buy", "--amount", "0.01"]
const buy = [...buying, "--price", "40000", "--client-id", mine]
const named = { exchange: "hyperliquid", clientId: mine }

const usage = (args: ReadonlyArray<string>, says: ReadonlyArray<string>, env: Record<string, string> = {}) =>
  it.live(args.join(" "), () =>
    Effect.gen(function*() {
      const world = TestHost.make({ env: { TICKLINE_HYPERLIQUID_KEY: secret, ...env } })
      assert.strictEqual(yield* TestHost.run(world, "order", "hyperliquid", ...args), 2)
      assert.strictEqual(world.stdout(), "")
      for (const text of says) assert.include(world.stderr(), text)
      assert.notInclude(world.stderr(), secret.slice(2))
    }))

describe("tickline order hyperliquid", { timeout: 20_000 }, () => {
  describe("a wrong use exits with 2 and sends nothing", () => {
    const url = ["--url", "http://127.0.0.1:1"]
    usage(["list"], ["--url, --live"])
    usage(["list", ...url, "--live"], ["--url, --live", "one of the two"])
    usage(["list", "--url", "ws://127.0.0.1:1"], ["--url", "http://"])
    usage(["list", ...url, "--ws-url", "http://127.0.0.1:1"], ["--ws-url", "ws://"])
    usage(["list", ...url], ["TICKLINE_HYPERLIQUID_KEY"], { TICKLINE_HYPERLIQUID_KEY: "" })
    usage(["list", ...url], ["TICKLINE_HYPERLIQUID_KEY", "32 bytes"], { TICKLINE_HYPERLIQUID_KEY: "0x12" })
    usage(["list", ...url], ["TICKLINE_HYPERLIQUID_VAULT", "address"], { TICKLINE_HYPERLIQUID_VAULT: "0x12" })
    usage(["list", ...url], ["TICKLINE_HYPERLIQUID_ACCOUNT"], { TICKLINE_HYPERLIQUID_ACCOUNT: "nobody" })
    for (const id of ["mine", cloid("A"), "0x12"]) {
      usage([...buying, "--price", "1", "--client-id", id, ...url], ["--client-id", "0x and 32 lower-case"])
    }
    usage([...buying, "--type", "market", "--slippage", "1.5", ...url], ["--slippage", "below 1"])
  })

  it.live("places, amends, shows and cancels", () =>
    Effect.gen(function*() {
      const { exchange, order, server } = yield* serve
      const placed = yield* order(buy)
      const orderId = exchange.orders(address)[0]?.orderId
      const acknowledged = { _tag: "Acknowledged", ...named, orderId, status: "open", filled: "0" }
      assert.deepStrictEqual(placed.objects, [acknowledged])
      const amended = yield* order(["amend", "--client-id", mine, "--price", "40001", "--amount", "0.02"])
      const amendedId = exchange.orders(address).at(-1)?.orderId
      assert.notStrictEqual(amendedId, orderId)
      assert.deepStrictEqual(amended.objects, [{ ...acknowledged, orderId: amendedId }])
      const shown = {
        _tag: "OrderUpdate",
        exchange: "hyperliquid",
        product: "BTC",
        side: "buy",
        clientId: mine,
        orderId: amendedId,
        status: "open",
        filled: "0.00",
        remaining: "0.02",
        price: "40001.0",
        amount: "0.02"
      }
      const [status, list] = [yield* order(["status", "--order", `${amendedId}`]), yield* order(["list"])]
      assert.deepStrictEqual([status.objects, list.objects], [[shown], [shown]])
      const cancelled = yield* order(["cancel", "--client-id", mine])
      assert.deepStrictEqual(cancelled.objects, [
        { ...acknowledged, orderId: amendedId, status: "cancelled", filled: "0.00" }
      ])
      assert.deepStrictEqual([placed, amended, status, list, cancelled].map(({ code }) => code), [0, 0, 0, 0, 0])
      const absent = yield* order(["status", "--client-id", cloid("0")])
      assert.deepStrictEqual([absent.code, absent.objects[0]?.["status"]], [1, "absent"])
      assert.isAbove(server.metrics().dials, 0)
      const all = yield* order(["cancel-all"])
      assert.deepStrictEqual([all.code, all.objects], [0, [{ _tag: "CancelledAll", count: 0 }]])
    }))

  it.live("signs with nonces that increase over processes, and keeps them without the key", () =>
    Effect.gen(function*() {
      const { order, posted, state } = yield* serve
      for (const digit of ["1", "2", "3"]) yield* order([...buying, "--price", "40000", "--client-id", cloid(digit)])
      const nonces = posted("order").map(({ nonce }) => nonce)
      assert.deepStrictEqual(nonces, [...new Set(nonces)].toSorted((one, other) => one - other))
      assert.strictEqual(nonces.length, 3)
      assert.deepStrictEqual(Fs.readdirSync(state).filter((name) => name.endsWith(".db")), ["tickline.db"])
      const kept = Fs.readdirSync(state).map((name) => Fs.readFileSync(Path.join(state, name), "latin1")).join()
      assert.include(kept, address)
      assert.notInclude(kept, secret.slice(2))
    }))

  it.live("keeps its nonces in the folder that --state names", () =>
    Effect.gen(function*() {
      const { order, state } = yield* serve
      const other = Path.join(state, "other")
      assert.strictEqual((yield* order([...buy, "--state", other])).code, 0)
      assert.deepStrictEqual(Fs.readdirSync(state), ["other"])
      assert.include(Fs.readdirSync(other), "tickline.db")
    }))

  it.live("sends nothing where nonces cannot be kept, and asks all the same", () =>
    Effect.gen(function*() {
      const { order, posted, state } = yield* serve
      const file = Path.join(state, "file")
      Fs.writeFileSync(file, "")
      const nowhere = { TICKLINE_STATE: Path.join(file, "state") }
      const placed = yield* order(buy, nowhere)
      assert.deepStrictEqual([placed.code, placed.objects[0]?.["_tag"]], [1, "NotSent"])
      assert.match(String(placed.objects[0]?.["reason"]), /^open the state: cannot keep state in /)
      assert.strictEqual(posted("order").length, 0)
      assert.strictEqual((yield* order(["list"], nowhere)).code, 0)
      assert.strictEqual((yield* order([...buy, "--state", Path.join(state, "other")], nowhere)).code, 0)
      assert.isTrue(Fs.existsSync(Path.join(state, "other", "tickline.db")))
    }))

  it.live("cut between write and answer: unknown, then reconciled; one order at the exchange", () =>
    Effect.gen(function*() {
      const { exchange, order, posted } = yield* serve
      exchange.fault({ _tag: "Cut", call: "order" })
      const { code, objects } = yield* order(buy)
      const orderId = exchange.orders(address)[0]?.orderId
      assert.deepStrictEqual(objects, [
        { _tag: "OutcomeUnknown", ...named, reason: "the connection ended before the answer came" },
        { _tag: "Reconciled", ...named, orderId, status: "open", filled: "0.00" }
      ])
      assert.strictEqual(code, 0)
      assert.strictEqual(posted("order").length, 1)
    }))

  it.live("never taken: absent after its deadline, exit 1", () =>
    Effect.gen(function*() {
      const { exchange, order, posted } = yield* serve
      exchange.fault({ _tag: "Withhold", call: "order", takenAfter: Infinity })
      const { code, objects } = yield* order([...buy, "--deadline", "1500ms"])
      assert.deepStrictEqual(objects, [
        { _tag: "OutcomeUnknown", ...named, reason: "no answer by the deadline" },
        { _tag: "Reconciled", ...named, status: "absent" }
      ])
      assert.strictEqual(code, 1)
      assert.isAbove(Date.now(), posted("order")[0]?.expiresAfter ?? Infinity)
      assert.strictEqual(posted("order").length, 1)
    }))

  it.live("over HTTP where there is no socket", () =>
    Effect.gen(function*() {
      const { exchange, order } = yield* serve
      const { code, objects } = yield* order([...buy, "--ws-url", "ws://127.0.0.1:1/ws"])
      assert.deepStrictEqual([code, objects[0]?.["_tag"]], [0, "Acknowledged"])
      assert.strictEqual(exchange.orders(address).length, 1)
    }))

  it.live("what the rules forbid, and what the exchange refuses", () =>
    Effect.gen(function*() {
      const { order, posted } = yield* serve
      const reasonOf = (args: ReadonlyArray<string>) =>
        Effect.map(order(args), ({ code, objects: [{ _tag, reason } = {}] }) => {
          assert.deepStrictEqual([code, _tag], [1, "NotSent"])
          return String(reason)
        })
      assert.include(yield* reasonOf([...buying, "--price", "43250.5"]), "the nearest legal: 43250 and 43251")
      assert.include(yield* reasonOf([...buying, "--price", "43250", "--tif", "fok"]), "fok")
      assert.include(yield* reasonOf(["place", "--product", "NONE", ...buy.slice(3)]), "product NONE")
      assert.strictEqual(posted("order").length, 0)
      const crossing = yield* order([...buying, "--price", "50000", "--tif", "post-only"])
      assert.strictEqual(crossing.code, 1)
      assert.match(String(crossing.objects[0]?.["message"]), /^Post only order would have immediately matched/)
      const unknown = yield* order(buy, { TICKLINE_HYPERLIQUID_KEY: `0x${"5".repeat(64)}` })
      assert.deepStrictEqual([unknown.code, unknown.objects[0]?.["_tag"]], [1, "Rejected"])
      assert.match(String(unknown.objects[0]?.["reason"]), /^User or API Wallet 0x[0-9a-f]{40} does not exist\.$/)
      const testnet = yield* order([...buy, "--testnet"])
      assert.match(String(testnet.objects[0]?.["reason"]), /does not exist/)
    }))

  it.live("follows an order over a drop: each execution once, in order, until it is filled", () =>
    Effect.gen(function*() {
      const { env, exchange, order, server, url } = yield* serve
      const world = TestHost.make({ env })
      // Better than anybody's bid.
      const text = yield* Effect.promise(() =>
        fetch(`${url}/info`, { method: "POST", body: "{\"type\":\"l2Book\",\"coin\":\"BTC\"}" }).then((answer) =>
          answer.text()
        )
      )
      const price = String(Math.floor(Number(JSON.parse(text).levels[0][0].px)) + 1)
      const sell = (amount: string) =>
        order(["place", "--product", "BTC", "--side", "sell", "--amount", amount, "--price", price], {
          TICKLINE_HYPERLIQUID_KEY: otherSecret
        })
      const terms = [
        "place",
        "--product",
        "BTC",
        "--side",
        "buy",
        "--amount",
        "0.1",
        "--price",
        price,
        "--client-id",
        mine
      ]
      const running = yield* Effect.forkChild(
        TestHost.run(world, "order", "hyperliquid", ...terms, "--follow", "--url", url)
      )
      yield* world.printed(/Acknowledged/)
      yield* sell("0.01")
      yield* world.printed(/partially-filled/)
      exchange.silence(true)
      yield* Effect.forEach(server.connections(), ({ drop }) => drop)
      yield* sell("0.04")
      exchange.silence(false)
      yield* world.printed(/"amount":"0.04"/)
      yield* sell("0.05")
      assert.strictEqual(yield* Fiber.join(running), 0)
      const fills = world.objects().filter(({ _tag }) => _tag === "Fill")
      assert.deepStrictEqual(fills.map(({ amount }) => amount), ["0.01", "0.04", "0.05"])
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
      assert.deepInclude(world.objects().at(-1), { _tag: "OrderUpdate", status: "filled", remaining: "0.0" })
    }))

  it.live("a market order takes up to its slippage", () =>
    Effect.gen(function*() {
      const { exchange, order } = yield* serve
      const { code, objects } = yield* order([...buying, "--type", "market", "--slippage", "0.01", "--follow"])
      assert.deepStrictEqual([code, objects.map(({ _tag, status }) => status ?? _tag)], [0, ["filled", "Fill"]])
      const price = Number(
        JSON.parse(exchange.received().find(({ call }) => call === "order")?.question.body ?? "{}")
          .action.orders[0].p
      )
      assert.isAbove(price, 43_250)
      assert.isBelow(price, 43_270 * 1.01)
    }))
})

const bin = Path.join(import.meta.dirname, "../../src/bin.ts")

describe("tickline order hyperliquid as a process", { timeout: 20_000 }, () => {
  it.live("killed between write and answer, its order is known to the next", () =>
    Effect.gen(function*() {
      const { env, exchange, order, posted, url } = yield* serve
      exchange.fault({ _tag: "Withhold", call: "order" })
      const child = spawn(process.execPath, [bin, "order", "hyperliquid", ...buy, "--url", url], {
        stdio: "ignore",
        env: { ...process.env, ...env }
      })
      yield* Effect.repeat(Effect.delay(Effect.sync(() => posted("order").length), "10 millis"), {
        until: (count) => count === 1
      })
      child.kill("SIGKILL")
      const status = yield* order(["status", "--client-id", mine])
      assert.deepStrictEqual([status.code, status.objects[0]?.["status"]], [0, "open"])
      const cancelled = yield* order(["cancel", "--client-id", mine])
      assert.strictEqual(cancelled.code, 0)
      const [{ nonce: first = 0 } = {}] = posted("order")
      assert.isAbove(posted("cancel")[0]?.nonce ?? 0, first)
    }))
})
