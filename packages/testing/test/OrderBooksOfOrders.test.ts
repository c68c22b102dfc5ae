/**
 * The book of Coinbase Exchange's channel `full`, of single orders: signed for,
 * checked by the number of each message, and summed up to levels.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Lifecycle from "@tickline/core/event/Lifecycle"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as OrderBook from "@tickline/core/market/OrderBook"
import * as Recorder from "@tickline/core/recording/Recorder"
import * as CoinbaseExchangeSigning from "@tickline/core/session/CoinbaseExchangeSigning"
import * as Endpoint from "@tickline/core/transport/Endpoint"
import type * as Frame from "@tickline/core/transport/Frame"
import { HttpPort } from "@tickline/core/transport/HttpPort"
import { Transport } from "@tickline/core/transport/Transport"
import * as Decimal from "@tickline/core/value/Decimal"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Chance from "@tickline/testing/Chance"
import * as MockCoinbaseExchange from "@tickline/testing/MockCoinbaseExchange"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"

const { venue } = CoinbaseExchange
const product = "BTC-USD"
const url = "wss://venue.test"

/** What becomes of the frames that come together. */
type Fate = (frames: ReadonlyArray<Frame.Frame>) => ReadonlyArray<Frame.Frame>

/** The transport that there is, over which frames suffer a fate. */
const striking = (
  fate: { current: Fate; readonly written: Array<Frame.Frame> }
): Effect.Effect<Transport["Service"], never, Transport> =>
  Effect.map(Transport, (transport) => ({
    ...transport,
    dial: (request) =>
      Effect.map(transport.dial(request), (wire) => {
        const pull: typeof wire.pull = Effect.flatMap(wire.pull, (frames) => {
          const struck = fate.current(frames)
          return Arr.isReadonlyArrayNonEmpty(struck) ? Effect.succeed(struck) : pull
        })
        return {
          ...wire,
          pull,
          write: (frame) => {
            fate.written.push(frame)
            return wire.write(frame)
          }
        }
      })
  }))

const untouched: Fate = (frames) => frames

const isOfOrders = (frame: Frame.Frame): boolean => typeof frame === "string" && frame.includes("\"order_id\"")

const levels = (book: OrderBook.OrderBook | undefined): unknown =>
  book !== undefined && OrderBook.isWhole(book)
    ? {
      state: book._tag,
      bids: book.bids.map((level) => level.map(Decimal.format)),
      asks: book.asks.map((level) => level.map(Decimal.format))
    }
    : book?._tag

const rig = Effect.fnUntraced(function*(options: MarketFeed.Options = {}) {
  const network = yield* VirtualNetwork.Network
  const served = yield* MockVenue.serve(network, url, MockCoinbaseExchange.make())
  const market = { isOpen: true }
  yield* Effect.suspend(() => market.isOpen ? served.trade(product) : Effect.void).pipe(
    Effect.andThen(Effect.sleep("200 millis")),
    Effect.forever,
    Effect.forkScoped
  )
  const fate = { current: untouched, written: [] }
  const signing = yield* CoinbaseExchangeSigning.make(MockCoinbaseExchange.credentials)
  const feed = yield* MarketFeed.prepare(venue, { url, signing, backfill: "none", ...options }).pipe(
    Effect.provideService(Transport, yield* striking(fate)),
    Effect.provideService(HttpPort, network.http)
  )
  yield* Effect.forkScoped(feed.connection.connect)
  const told: Array<OrderBook.OrderBook> = []
  yield* feed.observeBook(product, (book) => void told.push(book), { channel: "full", depth: 50 })
  /** The venue's book and ours, when nothing has changed for a second. */
  const atRest = Effect.gen(function*() {
    market.isOpen = false
    yield* TestClock.adjust("1 second")
    const { asks, bids } = served.book(product) ?? assert.fail("no book")
    const both = { held: levels(told.at(-1)), own: { state: "Live", bids, asks } }
    market.isOpen = true
    return both
  })
  return { network, served, fate, feed, told, atRest }
})

describe("the book of single orders", () => {
  it.effect("is proven by the number of each message, and its levels are the venue's own, to the digit", () =>
    Probe.scoped(Effect.gen(function*() {
      const { atRest, feed, told } = yield* rig()
      const gaps = yield* Probe.record(Stream.filter(feed.events(), (event) => event instanceof Lifecycle.Gap))
      yield* TestClock.adjust("30 seconds")
      const first = told.findIndex(({ _tag }) => _tag === "Live")
      assert.isAtLeast(first, 1)
      assert.deepStrictEqual(told.slice(first).filter(({ _tag }) => _tag !== "Live"), [])
      // What is of no order that rests is a state of the book, too.
      const numbers = told.slice(first).map(({ sequence }) => Number(sequence))
      assert.deepStrictEqual(numbers, numbers.map((_, i) => (numbers[0] ?? 0) + i))
      assert.isAbove(numbers.length, 500)
      const { held, own } = yield* atRest
      assert.deepStrictEqual(held, own)
      assert.deepStrictEqual(gaps, [])
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  it.effect("a message that is lost is a gap; the channel stays subscribed, and a snapshot makes the book whole again", () =>
    Probe.scoped(Effect.gen(function*() {
      const { atRest, fate, feed, told } = yield* rig()
      const gaps = yield* Probe.record(Stream.filter(feed.events(), (event) => event instanceof Lifecycle.Gap))
      yield* TestClock.adjust("5 seconds")
      let lost = 0
      fate.current = (frames) => frames.filter((frame) => !(isOfOrders(frame) && lost === 0 && ++lost === 1))
      const before = told.length
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(lost, 1)
      const states = told.slice(before).map(({ _tag }) => _tag)
      assert.strictEqual(states.filter((state) => state === "Gapped").length, 1)
      const [begun, ended, ...others] = gaps
      assert.deepStrictEqual(others, [])
      assert.include(begun, { cause: "sequence", channel: "full", product })
      assert.include(ended, { cause: "sequence", recovered: "snapshot" })
      assert.strictEqual(fate.written.length, 1)
      const { held, own } = yield* atRest
      assert.deepStrictEqual(held, own)
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  for (const seed of [1, 2, 3, 4]) {
    it.effect(`is the venue's own at each quiet moment, whatever is lost, doubled, swapped, altered or cut (${seed})`, () =>
      Probe.scoped(Effect.gen(function*() {
        const chance = Chance.make(seed)
        const { atRest, fate, served } = yield* rig()
        const struck = { lost: 0, doubled: 0, swapped: 0, altered: 0, cut: 0, dropped: 0 }
        const fateOf = (odds: number): Fate => (frames) => {
          const after: Array<Frame.Frame> = []
          for (const frame of frames) {
            if (!isOfOrders(frame) || typeof frame !== "string" || !chance.happens(odds)) after.push(frame)
            else {
              const kind = chance.pick(["lost", "doubled", "swapped", "altered", "cut"] as const)
              struck[kind]++
              if (kind === "doubled") after.push(frame, frame)
              if (kind === "swapped") after.splice(-1, 0, frame)
              if (kind === "altered") after.push(MockCoinbaseExchange.make().corrupt(frame) ?? frame)
              if (kind === "cut") after.push(frame.slice(0, chance.integer(frame.length)))
            }
          }
          return after
        }
        for (let round = 0; round < 6; round++) {
          fate.current = fateOf(0.02)
          yield* TestClock.adjust(5_000 + chance.integer(5_000))
          if (chance.happens(0.3)) {
            struck.dropped++
            yield* served.host.drop
          }
          fate.current = untouched
          yield* TestClock.adjust("70 seconds")
          const { held, own } = yield* atRest
          assert.deepStrictEqual(held, own, `round ${round} of seed ${seed}`)
        }
        assert.isAbove(struck.lost + struck.doubled + struck.swapped + struck.altered + struck.cut, 20)
      })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))
  }
})

describe("signing", () => {
  const { key, passphrase, secret } = MockCoinbaseExchange.credentials
  const secrets = [key, passphrase, secret].map(Redacted.value)

  it.effect("an ask is signed when it is written, with the time of then, and each time anew", () =>
    Probe.scoped(Effect.gen(function*() {
      const network = yield* VirtualNetwork.Network
      const asked: Array<Record<string, unknown>> = []
      const host = yield* network.serve(url, (peer) =>
        Effect.sync(() => {
          peer.onMessage((frame) => void asked.push(JSON.parse(String(frame))))
        }))
      const signing = yield* CoinbaseExchangeSigning.make(MockCoinbaseExchange.credentials)
      const feed = yield* MarketFeed.prepare(venue, { url, signing })
      yield* Effect.forkScoped(feed.connection.connect)
      yield* TestClock.adjust("100 seconds")
      yield* Effect.forkScoped(Effect.andThen(
        feed.subscribe([{ channel: "full", product }, { channel: "ticker", product: "ETH-USD" }]),
        Effect.never
      ))
      yield* TestClock.adjust("1 second")
      yield* host.drop
      yield* TestClock.adjust("10 seconds")
      const [first, second, third] = asked
      // printf '100GET/users/self/verify' | openssl dgst -sha256 -hmac "$(echo $SECRET | base64 -d)" -binary | base64
      assert.deepStrictEqual(first, {
        type: "subscribe",
        product_ids: [product],
        channels: ["full"],
        signature: "/I+W10/z0zvUG0syohctXnu+XZ5JryzDoVxbdwO+5mQ=",
        key: secrets[0],
        passphrase: secrets[1],
        timestamp: "100"
      })
      // What needs no key is shown none.
      assert.deepStrictEqual(second, { type: "subscribe", product_ids: ["ETH-USD"], channels: ["ticker"] })
      assert.isAbove(Number(third?.["timestamp"]), 100)
      assert.notStrictEqual(third?.["signature"], first?.["signature"])
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  it.effect("the time that is signed is the venue's, where that is known", () =>
    Effect.gen(function*() {
      const { sign } = yield* CoinbaseExchangeSigning.make(MockCoinbaseExchange.credentials, {
        venueMillis: () => 1_234_567
      })
      const ask = { text: "{\"type\":\"subscribe\"}", channels: [{ channel: "user" }], requestId: undefined }
      assert.include(String(sign(ask)), "\"timestamp\":\"1234\"")
    }))

  const refusals: ReadonlyArray<readonly [string, Partial<CoinbaseExchangeSigning.Credentials> | undefined, RegExp]> = [
    ["no key", undefined, /level2, level3, and full channels now require authentication/],
    ["another key", { key: Redacted.make("0000000000000000") }, /invalid api key/],
    ["another secret", { secret: Redacted.make("c29tZXRoaW5nIGVsc2U=") }, /invalid signature/],
    ["another passphrase", { passphrase: Redacted.make("open sesame") }, /invalid passphrase/]
  ]
  for (const [name, change, reason] of refusals) {
    it.effect(`${name}: the channel is refused with the venue's reason, and what was asked for with it is not`, () =>
      Probe.scoped(Effect.gen(function*() {
        const network = yield* VirtualNetwork.Network
        const served = yield* MockVenue.serve(network, url, MockCoinbaseExchange.make(), { every: "1 second" })
        const signing = change === undefined
          ? undefined
          : yield* CoinbaseExchangeSigning.make({ ...MockCoinbaseExchange.credentials, ...change })
        const feed = yield* MarketFeed.prepare(venue, { url: served.url, signing, backfill: "none" })
        yield* Effect.forkScoped(feed.connection.connect)
        yield* Effect.forkScoped(Effect.andThen(
          feed.subscribe([{ channel: "full", product }, { channel: "ticker", product }]),
          Effect.never
        ))
        yield* TestClock.adjust("10 seconds")
        const [full, ticker] = yield* feed.subscriptions
        assert.strictEqual(full?.standing, "refused")
        assert.match(full?.refusal?.message ?? "", reason)
        assert.strictEqual(ticker?.standing, "confirmed")
      })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))
  }

  it.effect("a secret that is no base64 is said without it", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(CoinbaseExchangeSigning.make({
        ...MockCoinbaseExchange.credentials,
        secret: Redacted.make("not/base64!")
      }))
      assert.strictEqual(error._tag, "SigningKeyError")
      assert.notInclude(error.message, "not/base64!")
    }))

  it.effect("nothing that is recorded, or read of a peer that repeats it, shows the key", () =>
    Probe.scoped(Effect.gen(function*() {
      const network = yield* VirtualNetwork.Network
      let sent = ""
      yield* network.serve(url, (peer) =>
        Effect.sync(() => {
          peer.onMessage((frame) => {
            sent += String(frame)
            const { key, passphrase } = JSON.parse(String(frame))
            peer.sendUnsafe(JSON.stringify({ type: "error", message: "Failed", reason: `${key} with ${passphrase}` }))
          })
        }))
      let written = ""
      const write = (text: string) => Effect.sync(() => void (written += text))
      const recorder = yield* Recorder.make({
        sink: { begin: write, write: (texts) => write(texts.join("")), flush: Effect.void, end: Effect.void }
      })
      const signing = yield* CoinbaseExchangeSigning.make(MockCoinbaseExchange.credentials)
      const feed = yield* MarketFeed.prepare(venue, { url, signing }).pipe(
        Effect.provideService(Transport, recorder.transport(yield* Transport))
      )
      const events = yield* Probe.record(feed.events())
      yield* Effect.forkScoped(feed.connection.connect)
      yield* Effect.forkScoped(Effect.andThen(feed.subscribe([{ channel: "full", product }]), Effect.never))
      yield* TestClock.adjust("10 seconds")
      yield* recorder.finish
      const signature = /"signature":"([^"]+)"/.exec(sent)?.[1] ?? assert.fail(sent)
      for (const text of secrets.slice(0, 2)) assert.include(sent, text)
      assert.include(written, "signature")
      assert.isTrue(events.some(({ _tag }) => _tag === "VenueError"))
      const subscriptions = yield* feed.subscriptions
      const shown = written + JSON.stringify(events) + JSON.stringify(subscriptions)
        + inspect([events, feed, signing, subscriptions], { depth: 12 })
      for (const text of secrets) assert.notInclude(shown, text)
      assert.notInclude(written, signature)
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  it.effect("a key does not travel over plain ws:// to another machine", () =>
    Probe.scoped(Effect.gen(function*() {
      const network = yield* VirtualNetwork.Network
      yield* network.serve("ws://venue.test")
      const signing = yield* CoinbaseExchangeSigning.make(MockCoinbaseExchange.credentials)
      const request = {
        url: "ws://venue.test",
        headers: {},
        protocols: [],
        maxMessageBytes: 1_000,
        inboundBytes: 1_000,
        deflate: false,
        plaintextHosts: [],
        secrets: signing.secrets
      }
      assert.match(
        Result.getFailure(Endpoint.check(request, (yield* Transport).capabilities)).toString(),
        /unencrypted/
      )
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  it.effect("who follows matches beside it has each trade once, and no gap", () =>
    Probe.scoped(Effect.gen(function*() {
      const { feed, served, told } = yield* rig()
      const trades = yield* Probe.record(feed.trades(product))
      yield* TestClock.adjust("20 seconds")
      assert.notInclude(told.map(({ _tag }) => _tag), "Gapped")
      const ids = trades.filter(({ history }) => history !== true).map(({ tradeId }) => tradeId)
      assert.isAbove(ids.length, 50)
      assert.strictEqual(new Set(ids).size, ids.length)
      assert.include(served.trades(product).map(({ tradeId }) => String(tradeId)), ids.at(-1))
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))
})
