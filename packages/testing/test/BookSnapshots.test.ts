/** Snapshots of books over REST, of Binance's mock on the virtual network: its numbers, its weights, and its patience. */
import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import type { BookDelta, BookSnapshot } from "@tickline/core/event/MarketData"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as Market from "@tickline/testing/Market"
import * as MockBinance from "@tickline/testing/MockBinance"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as SnapshotRequests from "../../core/src/market/internal/snapshotRequests.ts"
import { restAt } from "../../core/src/venue/internal/rest.ts"

const url = "wss://binance.test/stream"

const products: ReadonlyArray<Market.Product> = Array.from({ length: 40 }, (_, index) => ({
  symbol: `COIN${index}USDT`,
  price: "100.00",
  size: "1.000"
}))

/** A network with a mock of Binance, and what asks it for snapshots. */
const asking = (
  policy: Parameters<typeof SnapshotRequests.make>[0]["policy"] = Presets.fast,
  options: MockVenue.ServeOptions = {}
) =>
  Effect.gen(function*() {
    const network = yield* VirtualNetwork.make({ seed: 1, latency: 10 })
    const mock = yield* MockVenue.serve(network, url, MockBinance.make(), { products, ...options })
    const more = () =>
      Effect.map(
        SnapshotRequests.make({ venue: Binance.venue, rest: mock.rest.url, port: network.http, policy }),
        (made) => made ?? assert.fail("Binance gives snapshots over REST")
      )
    return { network, mock, more, ...(yield* more()) }
  })

const levels = ({ asks, bids }: Pick<BookSnapshot, "asks" | "bids">) =>
  [bids, asks].map((side) => side.map(([price, size]) => `${Decimal.format(price)} ${Decimal.format(size)}`))

/** When each request was made, and what it met. */
const met = (mock: MockVenue.Served) => mock.rest.requests.map(({ at, outcome }) => `${at} ${outcome}`)

describe("the snapshot of a book", () => {
  it("is asked for by the venue's path, weighs what the venue says, and is read exactly", () => {
    const { book, endpoint, weights } = Binance.venue.rest ?? {}
    assert.strictEqual(endpoint, "https://api.binance.com")
    assert.deepStrictEqual(weights?.map(({ limit, windowMillis }) => [limit, windowMillis]), [[6_000, 60_000]])
    if (book === undefined) return assert.fail("Binance gives snapshots over REST")
    assert.strictEqual(book.depth, 5_000)
    assert.deepStrictEqual(book.request("BTCUSDT", 5_000), {
      path: "/api/v3/depth?symbol=BTCUSDT&limit=5000",
      weight: 250
    })
    assert.strictEqual(book.request("币&安", 1).path, "/api/v3/depth?symbol=%E5%B8%81%26%E5%AE%89&limit=1")
    const depths = [1, 100, 101, 500, 501, 1_000, 1_001, 5_000]
    assert.deepStrictEqual(depths.map((depth) => book.request("A", depth).weight), [5, 5, 25, 25, 50, 50, 250, 250])
    const read = book.read(
      "{\"lastUpdateId\":9007199254740993,\"bids\":[[\"0.10000000000000000001\",\"1.50\"]],\"asks\":[[\"0.2\",\"3\"]]}",
      "BTCUSDT"
    )
    if (Rejection.isFrameRejected(read)) return assert.fail(read.message)
    assert.deepInclude(read, { venue: "binance", product: "BTCUSDT", sequence: "9007199254740993" })
    assert.deepStrictEqual(levels(read), [["0.10000000000000000001 1.50"], ["0.2 3"]])
    const bad = ["<html>", "[]", "{\"bids\":[],\"asks\":[]}", "{\"lastUpdateId\":1,\"bids\":[[1.5,2]],\"asks\":[]}"]
    assert.deepStrictEqual(
      bad.map((body) => {
        const rejected = book.read(body, "BTCUSDT")
        return Rejection.isFrameRejected(rejected) ? `${rejected.reason} ${rejected.field ?? ""}` : "read"
      }),
      ["MalformedJson ", "NotAnObject ", "MissingField lastUpdateId", "InvalidField bids[0][0]"]
    )
  })

  it("is asked for where the venue is dialled: at its own REST, or on the same host and port", () => {
    const at = (url: string) => restAt(Binance.venue, url)
    assert.strictEqual(at("wss://stream.binance.com:9443/ws"), "https://api.binance.com")
    assert.strictEqual(at("ws://127.0.0.1:8080/stream"), "http://127.0.0.1:8080")
    assert.strictEqual(at("wss://proxy.example/binance"), "https://proxy.example")
    assert.isUndefined(restAt({ ...Binance.venue, rest: undefined }, "ws://127.0.0.1:8080"))
  })

  it.effect("has the mock's own levels, and the number that the next delta follows", () =>
    Effect.gen(function*() {
      const { fetch, mock, network } = yield* asking(Presets.fast, { products: Market.listedBy(MockBinance.make()) })
      const deltas: Array<BookDelta> = []
      const wire = yield* Probe.within(network.transport.dial({
        url: "wss://binance.test/stream?streams=btcusdt@depth@100ms",
        headers: {},
        protocols: [],
        maxMessageBytes: 1_000_000,
        inboundBytes: 1_000_000,
        deflate: false,
        plaintextHosts: []
      }))
      yield* Effect.forkScoped(Effect.forever(Effect.map(wire.pull, (frames) => {
        for (const frame of frames) {
          const events = Binance.venue.decode(frame)
          if (!Rejection.isFrameRejected(events)) {
            for (const event of events) if (event._tag === "BookDelta") deltas.push(event)
          }
        }
      })))
      yield* mock.trade("BTCUSDT")
      yield* mock.quote("BTCUSDT", "43000.00", "43000.10")
      const snapshot = yield* Probe.within(fetch("BTCUSDT"))
      yield* mock.trade("BTCUSDT")
      yield* mock.quote("BTCUSDT", "42000.00", "42000.10")
      yield* TestClock.adjust(100)

      assert.strictEqual(snapshot.product, "BTCUSDT")
      const number = BigInt(snapshot.sequence ?? "")
      const kept = deltas.filter(({ sequence = "" }) => BigInt(sequence) > number)
      assert.deepStrictEqual([deltas.length, kept.length], [4, 2])
      assert.strictEqual(BigInt(kept[0]?.firstSequence ?? ""), number + 1n)

      const sides = [new Map<string, string>(), new Map<string, string>()]
      for (const event of [snapshot, ...kept]) {
        for (const [at, side] of [event.bids, event.asks].entries()) {
          for (const [price, size] of side) {
            if (size.value === 0n) sides[at]?.delete(Decimal.format(price))
            else sides[at]?.set(Decimal.format(price), Decimal.format(size))
          }
        }
      }
      const last = yield* Probe.within(fetch("BTCUSDT"))
      const byPrice = (side: ReadonlyArray<string> = []) => side.toSorted()
      assert.deepStrictEqual(
        sides.map((side) => byPrice([...side].map((level) => level.join(" ")))),
        levels(last).map(byPrice)
      )
      assert.lengthOf(last.bids, 10)
    }))

  it.effect("waits for its weight: 24 of 5,000 levels are a whole minute's, whoever of the address asks", () =>
    Effect.gen(function*() {
      const { fetch, mock, more } = yield* asking()
      const other = yield* more()
      const asked = yield* Effect.forkChild(
        Effect.forEach(products, ({ symbol }, index) => (index % 2 === 0 ? fetch : other.fetch)(symbol), {
          concurrency: "unbounded"
        }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(mock.rest.requests, 24)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(asked)
      // The window is kept longer than the venue's by what the way may vary.
      const times = Map.groupBy(mock.rest.requests, ({ at, outcome }) => `${at} ${outcome}`)
      assert.deepStrictEqual([...times].map(([time, { length }]) => `${length} at ${time}`), [
        "24 at 0 Accept",
        "16 at 60101 Accept"
      ])
    }))

  it.effect("obeys Retry-After to the second, for all of the feed, and adds no backoff to it", () =>
    Effect.gen(function*() {
      const { fetch, mock } = yield* asking()
      yield* mock.rest.script({ _tag: "Reject", status: 418, retryAfterMillis: 7_000 })
      const first = yield* Effect.forkChild(fetch("COIN0USDT"), { startImmediately: true })
      yield* TestClock.adjust(1_000)
      const second = yield* Effect.forkChild(fetch("COIN1USDT"), { startImmediately: true })
      yield* TestClock.adjust(10_000)
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      assert.deepStrictEqual(met(mock), ["0 Reject", "7020 Accept", "7020 Accept"])
    }))

  it.effect("waits for Retry-After whichever feed of the address was told", () =>
    Effect.gen(function*() {
      const { fetch, mock, more } = yield* asking()
      const other = yield* more()
      yield* mock.rest.script({ _tag: "Reject", status: 418, retryAfterMillis: 7_000 })
      const first = yield* Effect.forkChild(fetch("COIN0USDT"), { startImmediately: true })
      yield* TestClock.adjust(1_000)
      yield* Probe.within(other.fetch("COIN1USDT"))
      yield* Probe.within(Fiber.join(first))
      assert.deepStrictEqual(met(mock), ["0 Reject", "7020 Accept", "7020 Accept"])
    }))

  it.effect("is asked for again by the policy's backoff, and after a firewall's limit no sooner than in 5 s", () =>
    Effect.gen(function*() {
      const { fetch, mock } = yield* asking()
      yield* mock.rest.script({ _tag: "Refuse" }, { _tag: "Reject", status: 502 }, { _tag: "Truncate" }, {
        _tag: "Reject",
        status: 403
      })
      const snapshot = yield* Probe.within(fetch("COIN0USDT"))
      assert.strictEqual(snapshot.product, "COIN0USDT")
      assert.deepStrictEqual(met(mock), ["0 Refuse", "120 Reject", "340 Truncate", "760 Reject", "5780 Accept"])
    }))

  it.effect("is given up when the retries are used up", () =>
    Effect.gen(function*() {
      const { fetch, mock } = yield* asking({ ...Presets.fast, retry: { maxRetries: 2, resetOn: "connect" } })
      yield* mock.rest.otherwise({ _tag: "Refuse" })
      const error = yield* Effect.flip(Probe.within(fetch("COIN0USDT")))
      assert.strictEqual(
        error.message,
        "binance: no snapshot of the book of COIN0USDT after 3 attempts: " +
          "https://binance.test/api/v3/depth: connection refused: scripted"
      )
      assert.lengthOf(mock.rest.requests, 3)
    }))

  it.effect("is given up at once if the venue has no such product", () =>
    Effect.gen(function*() {
      const { fetch, mock } = yield* asking()
      const error = yield* Effect.flip(Probe.within(fetch("NOPEUSDT")))
      assert.strictEqual(
        error.message,
        "binance: no snapshot of the book of NOPEUSDT after 1 attempts: " +
          "status 400: {\"code\":-1121,\"msg\":\"Invalid symbol.\"}"
      )
      assert.lengthOf(mock.rest.requests, 1)
    }))

  it.effect("is not to be had of a venue that gives none over REST", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make()
      const venue = { ...Binance.venue, rest: undefined }
      const options = { venue, rest: "https://a.test", port: network.http, policy: Presets.fast }
      assert.isUndefined(yield* SnapshotRequests.make(options))
    }))
})

describe("the mock of Binance", () => {
  const get = (path: string) =>
    Effect.gen(function*() {
      const { mock, network } = yield* asking()
      const answer = yield* Probe.within(network.http.request({ method: "GET", url: mock.rest.url + path }))
      return `${answer.status} ${answer.body}`
    })

  it.effect("answers what it cannot answer as the venue does", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* get("/api/v3/depth?symbol=X&limit=5"),
        "400 {\"code\":-1121,\"msg\":\"Invalid symbol.\"}"
      )
      assert.match(yield* get("/api/v3/depth"), /^400 {"code":-1102,/)
      assert.match(yield* get("/api/v3/depth?symbol=COIN0USDT&limit=1e3"), /^400 {"code":-1100,/)
      assert.match(yield* get("/api/v3/depth?symbol=COIN0USDT&limit=0"), /^400 {"code":-1130,/)
      assert.strictEqual(yield* get("/nowhere"), "404 {\"message\":\"NotFound\"}")
      const book = yield* get("/api/v3/depth?symbol=COIN0USDT&limit=2")
      assert.match(book, /^200 {"lastUpdateId":\d+,"bids":\[\["[\d.]+","[\d.]+"\],\["[\d.]+","[\d.]+"\]\],"asks":\[\[/)
    }))

  it.effect("answers 429 to more weight than it has in a minute", () =>
    Effect.gen(function*() {
      const { mock, network } = yield* asking()
      const ask = (limit: number) =>
        Probe.within(network.http.request({
          method: "GET",
          url: `${mock.rest.url}/api/v3/depth?symbol=COIN0USDT&limit=${limit}`
        }))
      for (let request = 0; request < 23; request++) assert.strictEqual((yield* ask(5_000)).status, 200)
      for (let request = 0; request < 5; request++) assert.strictEqual((yield* ask(1_000)).status, 200)
      const refused = yield* ask(1)
      assert.deepStrictEqual([refused.status, refused.headers["retry-after"]], [429, "60"])
      assert.match(refused.body, /"code":-1003/)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* ask(5_000)).status, 200)
      assert.isAbove(yield* Clock.currentTimeMillis, 60_000)
    }))
})
