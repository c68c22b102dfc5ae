/** `tickline order deribit` against an exchange on loopback: what it prints, how it exits, and what reached the exchange. */
import { assert, describe, it } from "@effect/vitest"
import * as MockDeribitExchange from "@tickline/testing/MockDeribitExchange"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { spawn } from "node:child_process"
import * as Net from "node:net"
import * as Path from "node:path"
import * as TestHost from "./TestHost.ts"

const product = "BTC-PERPETUAL"
const key = { TICKLINE_DERIBIT_CLIENT_ID: "AMANDA", TICKLINE_DERIBIT_CLIENT_SECRET: "AMANDASECRECT" }

const serve = Effect.gen(function*() {
  const exchange = MockDeribitExchange.make({
    accounts: ["AMANDA", "BERTA"].map((clientId) => ({ clientId, clientSecret: `${clientId}SECRECT` }))
  })
  const server = yield* MockServer.make({
    venue: exchange.venue,
    rate: 0,
    products: [{ symbol: product, price: "43250.0", size: "1000" }]
  })
  /** Runs a command to its end. */
  const order = (args: ReadonlyArray<string>, env: Record<string, string> = key) =>
    Effect.gen(function*() {
      const world = TestHost.make({ env })
      const code = yield* TestHost.run(world, "order", "deribit", ...args, "--url", server.url)
      assert.notInclude(`${world.stdout()}${world.stderr()}`, key.TICKLINE_DERIBIT_CLIENT_SECRET)
      return { code, objects: world.objects(), stderr: world.stderr() }
    })
  const methods = (name: string) => exchange.received().filter(({ method }) => method === name).length
  return { exchange, server, order, methods }
})

const buying = ["place", "--product", product, "--side", "buy", "--amount", "10"]
const buy = [...buying, "--price", "40000", "--client-id", "mine"]

const named = { exchange: "deribit", clientId: "mine" }

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
    }))

describe("tickline order", { timeout: 20_000 }, () => {
  describe("a wrong use exits with 2 and sends nothing", () => {
    const url = ["--url", "ws://127.0.0.1:1"]
    usage(["derbit", "list"], ["derbit", "did you mean deribit?"])
    usage(["deribit", "plce"], ["plce", "did you mean place?"])
    usage(["deribit", "list"], ["--url, --live", "expected --url"])
    usage(["deribit", "list", ...url, "--live"], ["--url, --live", "one of the two"])
    usage(["deribit", "list", "--url", "http://127.0.0.1:1"], ["--url", "http://127.0.0.1:1", "ws://"])
    usage(["deribit", "list", ...url], ["TICKLINE_DERIBIT_CLIENT_ID", "the environment"], {})
    usage(["deribit", "list", ...url], ["TICKLINE_DERIBIT_CLIENT_SECRET"], { TICKLINE_DERIBIT_CLIENT_ID: "AMANDA" })
    usage(["deribit", "list", ...url, "--deadline", "5x"], ["--deadline", "5x", "20s"])
    usage(["deribit", "place", ...url], ["--product: missing"])
    usage(["deribit", ...buying, "--price", "4o", ...url], ["--price", "4o", "decimal"])
    usage(["deribit", ...buying, "--price", "-1", ...url], ["--price", "above zero"])
    usage(["deribit", ...buying, ...url], ["--price", "of a limit order"])
    usage(["deribit", ...buying, "--type", "market", "--price", "1", ...url], ["--price", "of a market order"])
    usage(["deribit", ...buying, "--price", "1", "--tif", "gtd", ...url], ["--tif", "gtd", "gtc"])
    usage(["deribit", ...buying, "--price", "1", "--client-id", "x".repeat(65), ...url], ["--client-id", "1 to 64"])
    usage(["deribit", "amend", "--order", "1", ...url], ["--price, --amount", "at least one"])
    usage(["deribit", "amend", "--price", "1", ...url], ["--order, --client-id", "one of the two"])
    usage(["deribit", "cancel", ...url], ["--order, --client-id", "one of the two"])
    usage(["deribit", "status", "--order", "1", "--client-id", "2", ...url], ["--order, --client-id", "one of the two"])
  })

  it.live("places, amends, shows and cancels", () =>
    Effect.gen(function*() {
      const { exchange, order } = yield* serve
      const placed = yield* order(buy)
      const orderId = exchange.orders("mine")[0]?.orderId
      assert.isDefined(orderId)
      const acknowledged = { _tag: "Acknowledged", ...named, orderId, status: "open", filled: "0" }
      assert.deepStrictEqual(placed.objects, [acknowledged])
      const amended = yield* order(["amend", "--client-id", "mine", "--price", "40000.5", "--amount", "20"])
      assert.deepStrictEqual(amended.objects, [acknowledged])
      const shown = {
        _tag: "OrderUpdate",
        exchange: "deribit",
        product,
        side: "buy",
        clientId: "mine",
        orderId,
        status: "open",
        filled: "0",
        remaining: "20",
        price: "40000.5",
        amount: "20"
      }
      const [status, list] = [yield* order(["status", "--order", `${orderId}`]), yield* order(["list"])]
      assert.deepStrictEqual([status.objects, list.objects], [[shown], [shown]])
      const cancelled = yield* order(["cancel", "--client-id", "mine"])
      assert.deepStrictEqual(cancelled.objects, [{ ...acknowledged, status: "cancelled" }])
      assert.deepStrictEqual([placed, amended, status, list, cancelled].map(({ code }) => code), [0, 0, 0, 0, 0])
      // Here is nothing to keep; the flag is every exchange's.
      const empty = yield* order(["list", "--product", product, "--state", "elsewhere"])
      assert.deepStrictEqual([empty.objects, empty.code], [[], 0])
      const absent = yield* order(["status", "--client-id", "none"])
      assert.deepStrictEqual(absent.objects, [{
        _tag: "OrderUpdate",
        exchange: "deribit",
        clientId: "none",
        status: "absent"
      }])
      assert.strictEqual(absent.code, 1)
    }))

  it.live("makes a client id, which is the label", () =>
    Effect.gen(function*() {
      const { exchange, order } = yield* serve
      const { objects: [placed] } = yield* order([...buying, "--price", "40000"])
      const clientId = String(placed?.["clientId"])
      assert.match(clientId, /^0x[0-9a-f]{32}$/)
      assert.strictEqual(exchange.orders(clientId).length, 1)
    }))

  it.live("cancels all, and counts them", () =>
    Effect.gen(function*() {
      const { exchange, order } = yield* serve
      for (const id of ["a", "b"]) yield* order([...buying, "--price", "40000", "--client-id", id])
      const all = yield* order(["cancel-all", "--product", product])
      assert.deepStrictEqual(all.objects, [
        ...["a", "b"].map((clientId) => ({
          _tag: "Acknowledged",
          exchange: "deribit",
          clientId,
          orderId: exchange.orders(clientId)[0]?.orderId,
          status: "cancelled",
          filled: "0"
        })),
        { _tag: "CancelledAll", count: 2 }
      ])
      assert.strictEqual(all.code, 0)
    }))

  it.live("cut between write and answer: unknown, then reconciled; one order at the exchange", () =>
    Effect.gen(function*() {
      const { exchange, methods, order } = yield* serve
      exchange.fault({ _tag: "Cut", method: "private/buy" })
      const { code, objects } = yield* order(buy)
      const orderId = exchange.orders("mine")[0]?.orderId
      assert.deepStrictEqual(objects, [
        { _tag: "OutcomeUnknown", ...named, reason: "the connection ended before the answer came" },
        { _tag: "Reconciled", ...named, orderId, status: "open", filled: "0" }
      ])
      assert.strictEqual(code, 0)
      assert.strictEqual(methods("private/buy"), 1)
      assert.strictEqual(exchange.orders("mine").length, 1)
    }))

  it.live("never taken: absent after its deadline, exit 1", () =>
    Effect.gen(function*() {
      const { exchange, methods, order } = yield* serve
      exchange.fault({ _tag: "Cut", method: "private/buy", takenAfter: Infinity })
      const { code, objects } = yield* order([...buy, "--deadline", "1500ms"])
      assert.deepStrictEqual(objects.slice(1), [{ _tag: "Reconciled", ...named, status: "absent" }])
      assert.strictEqual(code, 1)
      const [{ at = 0, text = "" } = {}] = exchange.received()
      assert.isAtLeast(Date.now(), JSON.parse(text).params.valid_until)
      assert.isAtMost(JSON.parse(text).params.valid_until, at + 1_500)
      assert.strictEqual(methods("private/buy"), 1)
    }))

  it.live("an amendment that is never taken: reconciled as the order is, exit 0, and stderr says so", () =>
    Effect.gen(function*() {
      const { exchange, order } = yield* serve
      const { objects } = yield* order(buy)
      const orderId = objects[0]?.["orderId"]
      exchange.fault({ _tag: "Cut", method: "private/edit", takenAfter: Infinity })
      const amended = yield* order(["amend", "--client-id", "mine", "--amount", "20", "--deadline", "2s"])
      assert.deepStrictEqual(amended.objects.map(({ _tag, orderId, status }) => [_tag, orderId, status]), [
        ["OutcomeUnknown", orderId, undefined],
        ["Reconciled", orderId, "open"]
      ])
      assert.include(amended.stderr, `order ${orderId} was not amended`)
      assert.strictEqual(amended.code, 0)
    }))

  it.live("unanswered: unknown at its deadline, then asked for on the same connection", () =>
    Effect.gen(function*() {
      const { exchange, order } = yield* serve
      exchange.fault({ _tag: "Delay", method: "private/buy", millis: 1_300 })
      exchange.fault({ _tag: "Delay", method: "private/get_order_state_by_label", millis: 500 })
      const { code, objects, stderr } = yield* order([...buy, "--deadline", "1s"])
      assert.deepStrictEqual(objects.map(({ _tag, reason, status }) => [_tag, reason ?? status]), [
        ["OutcomeUnknown", "no answer by the deadline"],
        ["Reconciled", "open"]
      ])
      assert.strictEqual(code, 0)
      assert.include(stderr, "an answer came too late")
    }))

  it.live("not sent: nobody listens, a key that is refused, and what the instrument forbids", () =>
    Effect.gen(function*() {
      const { exchange, methods, order, server } = yield* serve
      const world = TestHost.make({ env: key })
      const nowhere = `ws://127.0.0.1:${yield* closedPort}`
      const begun = Date.now()
      assert.strictEqual(
        yield* TestHost.run(world, "order", "deribit", ...buy, "--url", nowhere, "--deadline", "2s"),
        1
      )
      // Of these two seconds a busy machine takes some to load what an order needs, before it dials.
      assert.isAtMost(Date.now() - begun, 6_000)
      assert.match(String(world.objects()[0]?.["reason"]), /^not signed in by the deadline: .*refused/)

      const refused = yield* order(buy, { ...key, TICKLINE_DERIBIT_CLIENT_SECRET: "other" })
      assert.deepStrictEqual(refused.objects, [
        { _tag: "NotSent", ...named, reason: "authentication failed: invalid_credentials" }
      ])
      assert.strictEqual(refused.code, 1)
      assert.strictEqual(server.metrics().dials, 1)

      const reasonOf = (args: ReadonlyArray<string>) =>
        Effect.map(order(args), ({ code, objects: [{ _tag, reason } = {}] }) => {
          assert.deepStrictEqual([code, _tag], [1, "NotSent"])
          return String(reason)
        })
      assert.include(
        yield* reasonOf([...buying, "--price", "40000.07"]),
        "40000.07 is no positive multiple of the tick 0.1; the nearest legal: 40000.0 and 40000.1"
      )
      assert.include(yield* reasonOf(["place", "--product", "NONE", "--side", "buy", ...buy.slice(5)]), "product NONE")
      const postOnly = [...buying, "--type", "market", "--tif", "post-only"]
      assert.include(yield* reasonOf(postOnly), "cannot be post-only")
      assert.strictEqual(methods("private/buy"), 0)
      assert.isFalse(exchange.credits().some(({ pool }) => pool === "get_instruments"))
    }))

  it.live("what the exchange refuses, and several orders of one client id", () =>
    Effect.gen(function*() {
      const { methods, order } = yield* serve
      const crossing = yield* order([...buying, "--price", "50000", "--tif", "post-only", "--client-id", "mine"])
      assert.deepStrictEqual(crossing.objects, [
        { _tag: "Rejected", ...named, reason: "post_only_reject", code: "11054", message: "post_only_reject" }
      ])
      assert.strictEqual(crossing.code, 1)
      for (const _ of ["first", "second"]) yield* order(buy)
      const several = yield* order(["cancel", "--client-id", "mine"])
      assert.deepStrictEqual([several.code, several.objects], [2, []])
      assert.include(several.stderr, "--client-id \"mine\"")
      assert.strictEqual(methods("private/cancel"), 0)
      assert.strictEqual((yield* order(["status", "--client-id", "mine"])).objects.length, 2)
    }))

  it.live("follows an order over a drop: each execution once, in order, until it is filled", () =>
    Effect.gen(function*() {
      const { exchange, order, server } = yield* serve
      const world = TestHost.make({ env: key })
      const berta = { TICKLINE_DERIBIT_CLIENT_ID: "BERTA", TICKLINE_DERIBIT_CLIENT_SECRET: "BERTASECRECT" }
      // Better than anybody's bid.
      const price = "43249.9"
      const sell = (amount: string) =>
        order(["place", "--product", product, "--side", "sell", "--amount", amount, "--price", price], berta)
      const terms = [...buying, "--price", price, "--client-id", "mine", "--follow"]
      const running = yield* Effect.forkChild(TestHost.run(world, "order", "deribit", ...terms, "--url", server.url))
      yield* world.printed(/Acknowledged/)
      yield* sell("1")
      yield* world.printed(/partially-filled/)
      exchange.fault({ _tag: "Withhold", method: "subscription", calls: 2 })
      const [connection] = server.connections()
      yield* connection?.drop ?? Effect.void
      yield* sell("4")
      yield* world.printed(/"amount":"4"/)
      yield* sell("5")
      assert.strictEqual(yield* Fiber.join(running), 0)
      const fills = world.objects().filter(({ _tag }) => _tag === "Fill")
      assert.deepStrictEqual(fills.map(({ amount }) => amount), ["1", "4", "5"])
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
      assert.deepInclude(world.objects().at(-1), { _tag: "OrderUpdate", status: "filled", remaining: "0" })
    }))

  it.live("for people", () =>
    Effect.gen(function*() {
      const { server } = yield* serve
      const world = TestHost.make({ env: key, terminal: true })
      const args = [...buying, "--type", "market", "--client-id", "mine", "--follow", "--url", server.url]
      assert.strictEqual(yield* TestHost.run(world, "order", "deribit", ...args), 0)
      const [first, second] = world.stdout().split("\n")
      assert.match(first ?? "", /^Acknowledged +filled filled 10 order \S+ client mine$/)
      assert.match(second ?? "", /^Fill +buy 10 @ 432\d\d\.\d BTC-PERPETUAL fee \S+ BTC trade \S+ /)
    }))
})

const bin = Path.join(import.meta.dirname, "../../src/bin.ts")

/** The command as a process of its own. */
const start = (url: string, ...args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [bin, "order", "deribit", ...args, "--url", url], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ...key }
  })
  let stdout = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
  })
  const ended = new Promise<{ readonly code: number | null; readonly lines: ReadonlyArray<Record<string, unknown>> }>(
    (resolve) =>
      child.on(
        "close",
        (code) =>
          resolve({
            code,
            lines: stdout.trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))
          })
      )
  )
  return { child, ended: Effect.promise(() => ended) }
}

const until = (condition: () => boolean) =>
  Effect.repeat(Effect.delay(Effect.sync(condition), "10 millis"), { until: (holds) => holds })

describe("tickline order as a process", { timeout: 20_000 }, () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it.live(`${signal} before the answer is an unknown outcome, exit 3`, () =>
      Effect.gen(function*() {
        const { exchange, methods, server } = yield* serve
        exchange.fault({ _tag: "Withhold", method: "private/buy" })
        const run = start(server.url, ...buy)
        yield* until(() => methods("private/buy") === 1)
        const begun = Date.now()
        run.child.kill(signal)
        const { code, lines } = yield* run.ended
        assert.isAtMost(Date.now() - begun, 2_000)
        assert.deepStrictEqual(lines, [{ _tag: "OutcomeUnknown", ...named, reason: `ended by ${signal}` }])
        assert.strictEqual(code, 3)
      }))
  }

  it.live("a signal before it was written leaves nothing behind, exit 1", () =>
    Effect.gen(function*() {
      const { exchange, methods, server } = yield* serve
      exchange.fault({ _tag: "Withhold", method: "public/get_instrument" })
      const run = start(server.url, ...buy)
      yield* until(() => exchange.credits().some(({ owner }) => owner === "AMANDA"))
      run.child.kill("SIGTERM")
      const { code, lines } = yield* run.ended
      assert.deepStrictEqual(lines, [{ _tag: "NotSent", ...named, reason: "ended by SIGTERM" }])
      assert.strictEqual(code, 1)
      assert.strictEqual(methods("private/buy"), 0)
    }))

  it.live("a signal while it is reconciled is exit 3; while an order is followed it is exit 0, and the order rests", () =>
    Effect.gen(function*() {
      const { exchange, methods, server } = yield* serve
      exchange.fault({ _tag: "Cut", method: "private/buy", takenAfter: Infinity })
      const lost = start(server.url, ...buy)
      yield* until(() => methods("private/buy") === 1)
      yield* Effect.sleep("200 millis")
      lost.child.kill("SIGINT")
      const { code, lines } = yield* lost.ended
      assert.deepStrictEqual([code, lines.map(({ _tag }) => _tag)], [3, ["OutcomeUnknown"]])

      const followed = start(server.url, ...buy, "--follow")
      yield* until(() => exchange.orders("mine").length === 1)
      yield* Effect.sleep("200 millis")
      followed.child.kill("SIGTERM")
      const end = yield* followed.ended
      assert.deepStrictEqual([end.code, end.lines.map(({ _tag }) => _tag)], [0, ["Acknowledged"]])
      assert.strictEqual(exchange.orders("mine")[0]?.state, "open")
    }))

  it.live("a reader that has gone ends it quietly, with the next thing that there is to say", () =>
    Effect.gen(function*() {
      const { exchange, order, server } = yield* serve
      const run = start(server.url, ...buy, "--follow")
      yield* until(() => exchange.orders("mine").length === 1)
      run.child.stdout.destroy()
      yield* order(["cancel", "--client-id", "mine"])
      const { code } = yield* run.ended
      assert.strictEqual(code, 0)
    }))
})
