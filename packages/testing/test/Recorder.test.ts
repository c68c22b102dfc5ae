/** A recorder over the virtual network: what it writes of a connection's life, in order, and what it never writes. */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Recorder from "@tickline/core/recording/Recorder"
import type { Sink } from "@tickline/core/recording/Sink"
import * as Tape from "@tickline/core/recording/Tape"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as MockBinance from "@tickline/testing/MockBinance"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"

const url = "ws://venue.test/feed"

class Broken extends Schema.TaggedError<Broken>()("Broken", {}) {}

/** A sink that keeps what it was given; `flushed` is what of it would outlive the process. */
const makeSink = () => {
  const sink = { begun: "", written: "", flushed: "", isEnded: false, writes: 0, isBroken: false }
  const isReady = Latch.makeUnsafe(true)
  const port: Sink<Broken> = {
    begin: (header) => Effect.sync(() => void (sink.begun = sink.written = header)),
    write: (texts) =>
      Effect.suspend(() => {
        if (sink.isBroken) return Effect.fail(new Broken())
        sink.writes++
        sink.written += texts.join("")
        return Effect.void
      }).pipe(Effect.andThen(isReady.await)),
    flush: Effect.sync(() => void (sink.flushed = sink.written)),
    end: Effect.sync(() => void (sink.isEnded = true))
  }
  return { sink, isReady, port, entries: () => entriesOf(sink.written), flushed: () => entriesOf(sink.flushed) }
}

const entriesOf = (text: string): ReadonlyArray<Tape.Entry> =>
  text.split("\n").slice(0, -1).map((line, index) => {
    const entry = Tape.parse(line, index + 1)
    if (entry === undefined || entry._tag === "EntryRejected") throw new Error(`no entry: ${line}`)
    return entry
  })

/** An entry in few words: when it was, in milliseconds of the test, where, and what. */
const told = (entry: Tape.Entry): string => {
  const at = entry.at === undefined ? "-" : String(Timestamp.epochMillis(entry.at))
  const way = "direction" in entry && entry.direction === "out" ? " out" : ""
  const rest = () => {
    switch (entry._tag) {
      case "Frame":
        return ` ${String(entry.frame)}`
      case "Binary":
        return ` ${entry.bytes.join(",")}`
      case "Dial":
        return ` ${entry.attempt} after ${entry.delayMillis}`
      case "Open":
        return entry.leg === undefined ? "" : ` leg ${entry.leg}`
      case "Close":
        return ` ${entry.code} ${entry.reason} ${entry.clean}`
      case "Response":
        return ` ${entry.method} ${entry.url} ${entry.status} ${entry.body}`
      default:
        return ""
    }
  }
  return `${at} ${entry.connection ?? "-"}${way} ${entry._tag}${rest()}`
}

const policy: ConnectionPolicy.ConnectionPolicy = { ...Presets.fast, heartbeat: "none", circuit: "none" }

/** A virtual venue, and a recorder of those that connect to it. */
const recording = <A, E, R>(
  use: (rig: {
    readonly network: VirtualNetwork.VirtualNetwork
    readonly host: VirtualNetwork.Host
    readonly kept: ReturnType<typeof makeSink>
    readonly recorder: Recorder.Recorder<Broken>
    readonly connect: (
      options?: Pick<Connection.Options<string>, "label" | "headers" | "protocols">
    ) => Effect.Effect<Connection.Connection<string>, unknown, Scope.Scope>
  }) => Effect.Effect<A, E, R>,
  options: Partial<Recorder.Options<Broken>> = {}
) =>
  Effect.scoped(Effect.gen(function*() {
    const network = yield* VirtualNetwork.make({ seed: 1 })
    const host = yield* network.serve(url)
    const kept = makeSink()
    const recorder = yield* Recorder.make({ sink: kept.port, ...options })
    const connect = (given: Pick<Connection.Options<string>, "label" | "headers" | "protocols"> = {}) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make<string>(url, { decode: (frame) => [String(frame)], ...given })
        yield* Probe.within(connection.connect)
        return connection
      }).pipe(
        Effect.provide(Reconnection.layerWithBreaker(policy)),
        Effect.provideService(Transport, recorder.transport(network.transport))
      )
    return yield* Effect.ensuring(use({ network, host, kept, recorder, connect }), kept.isReady.open)
  }))

/** Lets what is due happen, and what waits be flushed. */
const flushed = TestClock.adjust("1 second")

describe("a recorder", () => {
  it.effect("writes the life of a connection in order, each line with its time", () =>
    recording(({ connect, host, kept, recorder }) =>
      Effect.gen(function*() {
        const connection = yield* connect()
        const first = yield* host.nextPeer
        yield* first.send("one", Uint8Array.of(1, 2))
        yield* TestClock.adjust(5)
        yield* connection.send("ours")
        yield* first.close(1012, "restart")
        yield* TestClock.adjust(100)
        const second = yield* host.nextPeer
        yield* second.send("two")
        yield* TestClock.adjust(0)
        yield* second.drop
        yield* host.script({ _tag: "Reject", status: 503 })
        yield* TestClock.adjust("10 seconds")
        yield* connection.close()
        yield* recorder.finish
        assert.deepStrictEqual(kept.entries().map(told), [
          "0 1 Dial 1 after 0",
          "0 1 Open",
          "0 1 Frame one",
          "0 1 Binary 1,2",
          "5 1 out Frame ours",
          "5 1 Close 1012 restart true",
          "105 1 Dial 1 after 100",
          "105 1 Open",
          "105 1 Frame two",
          "105 1 Close 1006 connection reset false",
          "205 1 Dial 1 after 100",
          "205 1 Close undefined handshake rejected with status 503 false",
          "405 1 Dial 2 after 200",
          "405 1 Open",
          "10105 1 out Close 1000  true"
        ])
        const refused = kept.entries().find((entry) => entry._tag === "Close" && entry.code === undefined)
        assert.strictEqual(refused?._tag === "Close" ? refused.failure?._tag : undefined, "HandshakeRejected")
        assert.isTrue(kept.sink.isEnded)
      })
    ))

  it.effect("gives each of two that are open at once a number of its own, and the name of who dials where there are several", () =>
    recording(({ connect, host, kept, recorder }) =>
      Effect.gen(function*() {
        const one = yield* connect({ label: "kraken" })
        yield* connect({ label: "kraken" })
        yield* one.close()
        yield* connect({ label: "kraken" })
        yield* connect({ label: "deribit" })
        assert.lengthOf(host.dials, 4)
        yield* recorder.finish
        assert.deepStrictEqual(kept.entries().map((entry) => told(entry).replace(/ 1 after 0$/, "")), [
          "- - Header",
          "- - Header",
          "0 kraken 1 Dial",
          "0 kraken 1 Open",
          "0 kraken 2 Dial",
          "0 kraken 2 Open leg 2",
          "0 kraken 1 out Close 1000  true",
          "0 kraken 1 Dial",
          "0 kraken 1 Open",
          "0 deribit 1 Dial",
          "0 deribit 1 Open"
        ])
      }), {
      headers: [
        { venue: "kraken", products: ["BTC/USD"], channels: ["trade"] },
        { venue: "deribit", products: [], channels: [] }
      ]
    }))

  it.effect("names the connections of a feed by their legs, over its rotations", () =>
    Effect.gen(function*() {
      const kept = makeSink()
      const recorder = yield* Recorder.make({ sink: kept.port })
      const network = yield* VirtualNetwork.Network
      const served = yield* MockVenue.serve(network, "wss://venue.test", MockBinance.make(), { every: "100 millis" })
      const feed = yield* MarketFeed.prepare(Binance.venue, { url: served.url }).pipe(
        Effect.updateService(Transport, recorder.transport)
      )
      yield* feed.subscribe([yield* feed.channel("trade", "BTC-USD")])
      yield* Probe.within(feed.connection.connect)
      for (const _ of [1, 2]) {
        yield* Probe.within(feed.rotate)
        yield* TestClock.adjust("1 minute")
      }
      yield* recorder.finish
      const life = kept.entries().filter(({ _tag }) => _tag === "Open" || _tag === "Close")
      assert.deepStrictEqual(life.map((entry) => told(entry).replace(/^\d+ /, "")), [
        "1 Open",
        "2 Open leg 2",
        "1 out Close 1000  true",
        "3 Open leg 3",
        "2 out Close 1000  true"
      ])
    }).pipe(Effect.provide(Probe.layer()), Effect.scoped))

  it.effect("begins with the header, which can be read at once", () =>
    recording(({ kept }) =>
      Effect.gen(function*() {
        yield* TestClock.adjust(0)
        assert.strictEqual(
          kept.sink.flushed,
          "{\"kind\":\"header\",\"version\":1,\"venue\":\"kraken\",\"url\":\"wss://venue.test/v2?token=******\"," +
            "\"products\":[\"BTC/USD\"],\"channels\":[\"trade\"],\"policy\":\"fast\",\"raw\":\"\"}\n"
        )
      }), {
      headers: [{
        venue: "kraken",
        url: "wss://me:pa55-w0rd@venue.test/v2?token=t0ken5#x",
        products: ["BTC/USD"],
        channels: ["trade"],
        policy: "fast"
      }]
    }))

  it.effect("flushes within the interval, and not for every frame", () =>
    recording(({ connect, host, kept }) =>
      Effect.gen(function*() {
        yield* connect()
        const peer = yield* host.nextPeer
        yield* TestClock.adjust("10 seconds")
        const before = kept.sink.writes
        for (let n = 0; n < 100; n++) {
          yield* peer.send(String(n))
          yield* TestClock.adjust(20)
        }
        // Every line that is older than the interval stands in what was flushed.
        assert.isAtLeast(kept.flushed().filter(({ _tag }) => _tag === "Frame").length, 50)
        assert.isAtMost(kept.sink.writes - before, 5)
        yield* TestClock.adjust("1 second")
        assert.lengthOf(kept.flushed().filter(({ _tag }) => _tag === "Frame"), 100)
        // Nothing is flushed where there is nothing new.
        const { writes } = kept.sink
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(kept.sink.writes, writes)
      })
    ))

  it.effect("leaves out frames and answers, counted, where the sink is too slow, and never waits", () =>
    recording(({ connect, host, kept, network, recorder }) =>
      Effect.gen(function*() {
        const answers = yield* network.serveHttp("https://venue.test/", () =>
          Effect.succeed({ status: 200, headers: {}, body: "x".repeat(50_000) }))
        const connection = yield* connect()
        const received = yield* Probe.record(connection.messages())
        const peer = yield* host.nextPeer
        yield* flushed
        kept.isReady.closeUnsafe()
        for (let n = 0; n < 200; n++) {
          yield* peer.send(`${n} ${"x".repeat(1_000)}`)
          yield* TestClock.adjust(100)
        }
        const http = recorder.http(network.http)
        yield* Probe.within(http.request({ method: "GET", url: answers.url }))
        yield* peer.drop
        yield* TestClock.adjust("1 second")
        assert.lengthOf(received, 200)
        const { dropped, lines } = recorder.counts()
        assert.isAtLeast(dropped, 50)
        assert.isAtLeast(lines, 90)
        // 200 frames and an answer, two dials that opened, and one end.
        assert.strictEqual(lines + dropped, 206)
      }), { bytes: 100_000 }))

  it.effect("enters what it left out in the ledger of the feed", () =>
    Effect.gen(function*() {
      const kept = makeSink()
      const recorder = yield* Recorder.make({ sink: kept.port, bytes: 10_000 })
      yield* Effect.addFinalizer(() => kept.isReady.open)
      const network = yield* VirtualNetwork.Network
      const served = yield* MockVenue.serve(network, "wss://venue.test", MockBinance.make(), { every: "10 millis" })
      const feed = yield* MarketFeed.prepare(Binance.venue, { url: served.url }).pipe(
        Effect.updateService(Transport, recorder.transport)
      )
      yield* feed.subscribe([yield* feed.channel("trade", "BTC-USD")])
      yield* Probe.within(feed.connection.connect)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* feed.ledger).shed, [])
      kept.isReady.closeUnsafe()
      yield* TestClock.adjust("10 seconds")
      const { dropped } = recorder.counts()
      assert.isAbove(dropped, 100)
      assert.deepStrictEqual((yield* feed.ledger).shed, [
        { consumer: "recording", channel: undefined, product: undefined, dropped }
      ])
    }).pipe(Effect.provide(Probe.layer()), Effect.scoped))

  it.effect("blocks by choice: the socket is read no further than the sink has written", () =>
    recording(({ connect, host, kept, recorder }) =>
      Effect.gen(function*() {
        const connection = yield* connect()
        const received = yield* Probe.record(connection.messages())
        const peer = yield* host.nextPeer
        yield* flushed
        kept.isReady.closeUnsafe()
        for (let n = 0; n < 200; n++) {
          yield* peer.send(`${n} ${"x".repeat(1_000)}`)
          yield* TestClock.adjust(100)
        }
        assert.isAtMost(received.length, 110)
        kept.isReady.openUnsafe()
        yield* TestClock.adjust("1 second")
        assert.lengthOf(received, 200)
        assert.strictEqual(recorder.counts().dropped, 0)
      }), { bytes: 100_000, overflow: "block" }))

  it.effect("says that its sink has failed, and what is recorded goes on", () =>
    recording(({ connect, host, kept, recorder }) =>
      Effect.gen(function*() {
        const connection = yield* connect()
        const received = yield* Probe.record(connection.messages())
        const peer = yield* host.nextPeer
        const failing = yield* Effect.forkChild(Effect.flip(recorder.failed))
        yield* flushed
        kept.sink.isBroken = true
        yield* peer.send("one")
        yield* flushed
        assert.instanceOf(yield* Fiber.join(failing), Broken)
        yield* peer.send("two")
        yield* flushed
        assert.deepStrictEqual(received, ["one", "two"])
        assert.strictEqual(recorder.counts().dropped, 1)
        assert.instanceOf(yield* Effect.flip(recorder.finish), Broken)
        assert.isFalse(kept.sink.isEnded)
      })
    ))

  it.effect("is written to its end when its scope ends", () =>
    Effect.gen(function*() {
      const kept = yield* recording(({ connect, kept }) => Effect.as(connect(), kept))
      assert.deepStrictEqual(kept.entries().map(({ _tag }) => _tag), ["Dial", "Open", "Close"])
      assert.isTrue(kept.sink.isEnded)
    }))

  it.effect("writes answers over HTTP, their URL without secrets", () =>
    recording(({ kept, network, recorder }) =>
      Effect.gen(function*() {
        yield* network.serveHttp("https://venue.test/", (request) =>
          Effect.succeed({
            status: 418,
            headers: {},
            body: `{"listenKey":"abcdefgh","of":"${request.headers["x-key"]}"}`
          }))
        const answer = yield* Probe.within(
          recorder.http(network.http).request({
            method: "POST",
            url: "https://venue.test/api?symbol=A&signature=short&key=0123456789",
            headers: { "x-key": Redacted.make("s3cret-key") }
          })
        )
        // What is asked for is what is given.
        assert.include(answer.body, "abcdefgh")
        yield* recorder.finish
        assert.deepStrictEqual(kept.entries().map(told), [
          "0 - Response POST https://venue.test/api?symbol=A&signature=*****&key=********** 418 " +
          "{\"listenKey\":\"********\",\"of\":\"**********\"}"
        ])
      })
    ))

  it.effect("writes no secret: of the dial, of our frames, of what the peer issues", () =>
    recording(({ connect, host, kept, recorder }) =>
      Effect.gen(function*() {
        const secrets = ["t0ken-of-dial", "pr0t0col-key", "jwt-0f-a-frame", "issued-t0ken", "sh0rt"]
        const connection = yield* connect({
          headers: { Authorization: Redacted.make("Bearer t0ken-of-dial") },
          protocols: [Redacted.make("pr0t0col-key")]
        })
        const received = yield* Probe.record(connection.messages())
        const peer = yield* host.nextPeer
        yield* connection.send("{\"type\":\"subscribe\",\"jwt\":\"jwt-0f-a-frame\",\"secret\" : \"sh0rt\",\"n\":1}")
        yield* connection.send(new TextEncoder().encode("t0ken-of-dial"))
        yield* peer.send("{\"result\":{\"access_token\":\"issued-t0ken\",\"scope\":\"x\"}}", "pr0t0col-key?")
        yield* TestClock.adjust(0)
        yield* peer.close(4001, "bad t0ken-of-dial")
        yield* TestClock.adjust(0)
        yield* connection.close()
        yield* recorder.finish
        for (const secret of secrets) assert.notInclude(kept.sink.written, secret)
        assert.include(received[0], "issued-t0ken")
        assert.deepStrictEqual(kept.entries().map(told).filter((line) => !/Dial|Open/.test(line)), [
          "0 1 out Frame {\"type\":\"subscribe\",\"jwt\":\"**************\",\"secret\" : \"*****\",\"n\":1}",
          `0 1 out Binary ${Array.from({ length: 13 }, () => 42).join(",")}`,
          "0 1 Frame {\"result\":{\"access_token\":\"************\",\"scope\":\"x\"}}",
          "0 1 Frame ************?",
          "0 1 Close 4001 bad ************* true"
        ])
      })
    ))

  it.effect("writes our pings, and when each was answered", () =>
    recording(({ kept, network, recorder }) =>
      Effect.gen(function*() {
        const wire = yield* recorder.transport(network.transport).dial({
          url,
          headers: {},
          protocols: [],
          maxMessageBytes: 1_000,
          inboundBytes: 1_000,
          deflate: false,
          plaintextHosts: []
        })
        yield* TestClock.adjust(7)
        yield* wire.ping
        yield* recorder.finish
        assert.deepStrictEqual(kept.entries().map(told).slice(2), ["7 1 out Ping", "7 1 Pong"])
      })
    ))
})
