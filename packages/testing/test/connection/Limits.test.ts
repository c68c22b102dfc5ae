/**
 * The limits of an address, seen from its side: however many connections there
 * are, whatever they cost, and whoever asks for tokens meanwhile.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as MarketFeeds from "@tickline/core/market/MarketFeeds"
import * as Governor from "@tickline/core/resilience/Governor"
import { Transport } from "@tickline/core/transport/Transport"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Chance from "@tickline/testing/Chance"
import * as Enforcement from "@tickline/testing/Enforcement"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type * as ConnectionLimits from "../../../core/src/resilience/internal/connectionLimits.ts"
import { circuitWith, dialTimes, policyWith, settle, url, withVenue } from "../Rig.ts"

const dials = (limit: number, windowMillis: number): ConnectionLimits.Limit => ({
  of: "dials",
  per: "address",
  limit,
  windowMillis
})

const messages = (limit: number, windowMillis: number): ConnectionLimits.Limit => ({
  of: "messages",
  per: "connection",
  limit,
  windowMillis
})

const twoAMinute = [dials(2, 60_000)]

const open = (limits: ReadonlyArray<ConnectionLimits.Limit>, to: string = url) =>
  Effect.gen(function*() {
    const connection = yield* Connection.make(to, { limits })
    yield* Effect.forkScoped(connection.connect, { startImmediately: true })
    return connection
  })

const tokenAfter = (millis: (call: number) => number) => {
  let calls = 0
  return {
    current: Effect.suspend(() => Effect.delay(Effect.succeed(Redacted.make("token")), millis(calls++))),
    refresh: undefined
  }
}

describe("Limits of an address", () => {
  it.effect("are shared by all who dial it, without anybody asking for it", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        for (let i = 0; i < 6; i++) yield* open(twoAMinute)
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(dialTimes(host), [0, 0])
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(host.dials.length, 6)
        assert.isAtMost(Enforcement.mostWithin(dialTimes(host), 60_000), 2)
      })))

  it.effect("say so once where they hold a dial up", () => {
    const lines: Array<string> = []
    const logger = Logger.map(Logger.formatJson, (line) => void lines.push(line))
    return withVenue(policyWith({}), () =>
      Effect.gen(function*() {
        for (let i = 0; i < 4; i++) yield* open(twoAMinute)
        yield* TestClock.adjust("10 minutes")
        const held = lines.filter((line) => line.includes("dial held up by the limit"))
        assert.strictEqual(held.length, 2)
        assert.include(held[0] ?? "", "\"delay_ms\":60101")
      })).pipe(Effect.provide(Logger.layer([logger])))
  })

  it.effect("are shared by the feeds of several venues", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const venue = (name: string): Venue => ({
          ...CoinbaseExchange.venue,
          name,
          limits: twoAMinute.map((limit) => ({ ...limit, source: "the test" }))
        })
        for (let i = 0; i < 6; i++) {
          yield* MarketFeeds.make([{ venue: venue(`venue ${i}`), url, products: ["BTC-USD"] }])
        }
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(host.dials.length, 2)
      })))

  it.effect("outlive the connections that used them", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        for (let i = 0; i < 3; i++) {
          yield* Effect.scoped(Effect.andThen(open(twoAMinute), TestClock.adjust("1 second")))
        }
        assert.deepStrictEqual(dialTimes(host), [0, 1_000])
      })))

  it.effect("are one network's: another's are its own, also under the same clock", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const other = yield* VirtualNetwork.make()
        const elsewhere = yield* other.serve(url)
        for (let i = 0; i < 3; i++) {
          yield* open(twoAMinute)
          yield* Effect.provideService(open(twoAMinute), Transport, other.transport)
        }
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual([host.dials.length, elsewhere.dials.length], [2, 2])
      })))

  it.effect("are shared by a governor's own, and by nobody where it shares nothing", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const two = Effect.andThen(open(twoAMinute), open(twoAMinute))
        for (const governor of [Governor.make(), Governor.make()]) {
          yield* Effect.provideService(Effect.andThen(two, two), Governor.Governor, governor)
        }
        yield* settle
        assert.strictEqual(host.dials.length, 4)
        yield* Effect.provideService(Effect.andThen(two, two), Governor.Governor, Governor.unshared)
        yield* settle
        assert.strictEqual(host.dials.length, 8)
      })))

  it.effect("are those of the address, however it is written", () =>
    Effect.gen(function*() {
      for (
        const spellings of [
          ["ws://venue.test", "ws://venue.test:80/feed", "WS://Venue.TEST/other?a=b", "ws://venue.test.:80"],
          ["wss://venue.test", "wss://venue.test:443", "wss://venue.test.", "wss://VENUE.test:0443/"],
          ["ws://[::1]:9000", "ws://[0:0:0:0:0:0:0:1]:9000", "ws://[::0001]:09000/x"],
          ["wss://127.0.0.1", "wss://127.1", "wss://0x7f000001"]
        ]
      ) {
        yield* withVenue(policyWith({}), ({ network }) =>
          Effect.gen(function*() {
            const hosts = yield* Effect.forEach(spellings.slice(0, 1), (spelling) => network.serve(spelling))
            const made = yield* Effect.forEach(spellings, (spelling) => open(twoAMinute, spelling))
            yield* settle
            assert.strictEqual(hosts[0]?.dials.length, 2, spellings[0])
            for (const { breaker } of made) assert.strictEqual(breaker, made[0]?.breaker)
          }))
      }
    }))

  it.effect("hold while tokens are fetched, however long each takes", () =>
    withVenue(policyWith({ circuit: "none" }), ({ host }) =>
      Effect.gen(function*() {
        const limits = [dials(5, 1_000)]
        for (const millis of [() => 50, (call: number) => call % 7 === 0 ? 900 : 20]) {
          const auth = tokenAfter(millis)
          const before = host.dials.length
          for (let i = 0; i < 40; i++) {
            const connection = yield* Connection.make(url, { limits, auth })
            yield* Effect.forkScoped(connection.connect, { startImmediately: true })
          }
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(host.dials.length - before, 40)
          assert.isAtMost(Enforcement.mostWithin(dialTimes(host), 1_000), 5)
        }
      })))

  it.effect("give back the place of a dial that is not made", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const auth = tokenAfter(() => 5_000)
        const never = yield* Effect.forEach([1, 2], () => Connection.make(url, { limits: twoAMinute, auth }))
        for (const each of never) yield* Effect.forkScoped(each.connect, { startImmediately: true })
        yield* TestClock.adjust("1 second")
        for (const each of never) yield* each.close()
        yield* open(twoAMinute)
        yield* settle
        assert.deepStrictEqual(dialTimes(host), [1_000])
      })))

  it.effect(
    "hold through random lives of many connections, which all come up in the end",
    () =>
      Effect.forEach([1, 2, 3, 4, 5], (seed) =>
        withVenue(
          policyWith({
            circuit: circuitWith({ failureThreshold: 3, whenOpen: "wait", openDuration: Duration.seconds(3) }),
            retry: { maxRetries: "unlimited", resetOn: "connect" }
          }),
          ({ host }) =>
            Effect.gen(function*() {
              const chance = Chance.make(seed)
              const from = yield* Clock.currentTimeMillis
              yield* host.otherwise(() =>
                chance.happens(0.3) ? { _tag: "Refuse" } : { _tag: "Accept", afterMillis: chance.integer(300) }
              )
              const auth = {
                current: Effect.suspend(() =>
                  chance.happens(0.1)
                    ? Effect.never
                    : Effect.delay(Effect.succeed(Redacted.make("token")), chance.integer(800))
                ),
                refresh: undefined
              }
              const connections = yield* Effect.forEach(Array.from({ length: 15 }, (_, i) => i), (i) =>
                Connection.make(i % 2 === 0 ? url : "ws://VENUE.test:80/feed", {
                  limits: i % 3 === 0 ? [dials(3, 1_000), dials(10, 10_000)] : [dials(3, 1_000)],
                  auth
                }))
              for (const { connect } of connections) yield* Effect.forkScoped(Effect.ignore(connect))
              for (let turn = 0; turn < 200; turn++) {
                yield* TestClock.adjust(chance.integer(700))
                const { close, connect, reconnect } = connections[chance.integer(connections.length)]!
                const mode = chance.happens(0.5) ? "forced" : "graceful"
                const deeds = [
                  host.drop,
                  Effect.ignore(reconnect),
                  Effect.andThen(close({ mode }), Effect.ignore(connect))
                ]
                yield* Effect.forkScoped(deeds[chance.integer(6)] ?? Effect.void)
              }
              yield* host.otherwise({ _tag: "Accept" })
              yield* TestClock.adjust("10 minutes")
              const times = dialTimes(host).map((at) => at - from)
              assert.isAtMost(Enforcement.mostWithin(times, 1_000), 3, `seed ${seed}`)
              assert.isAtMost(Enforcement.mostWithin(times, 10_000), 10, `seed ${seed}`)
              for (const { isConnected } of connections) {
                assert.isTrue(yield* isConnected, `seed ${seed}`)
              }
            })
        ), { discard: true }),
    30_000
  )

  it.effect("are the strictest of those that its connections declare, whoever came first", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        yield* open([dials(10, 1_000)])
        yield* open([dials(2, 60_000)])
        yield* open([dials(10, 1_000)])
        yield* open([dials(2, 60_000)])
        yield* TestClock.adjust("59 seconds")
        assert.deepStrictEqual(dialTimes(host), [0, 0])
      })))
})

describe("Limits of a connection", () => {
  it.effect("refuse what cannot be a cost, and hold", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const costs: Record<string, number> = { nan: NaN, less: -1, endless: Infinity }
        const connection = yield* Connection.connect(url, {
          limits: [messages(2, 1_000)],
          cost: (message) => costs[String(message)] ?? 1
        })
        for (const message of ["nan", "less", "endless", "nan"]) {
          assert.deepInclude(yield* Effect.flip(connection.send(message)), { _tag: "InvalidCost" })
          assert.deepInclude(yield* Effect.flip(connection.send(message, { delivery: "keep" })), {
            _tag: "InvalidCost"
          })
        }
        for (const message of ["a", "b", "c"]) yield* Effect.forkScoped(connection.send(message))
        yield* settle
        assert.deepStrictEqual(host.peers()[0]?.received, ["a", "b"])
        yield* TestClock.adjust("1101 millis")
        assert.deepStrictEqual(host.peers()[0]?.received, ["a", "b", "c"])
      })))

  it.effect("that nothing could keep are refused before anything is dialled", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        for (const limits of [[dials(NaN, 1_000)], [messages(0, 1_000)], [messages(1, NaN)], [dials(1, -1)]]) {
          const connection = yield* Connection.make(url, { limits })
          assert.strictEqual((yield* Effect.flip(connection.connect))._tag, "InvalidLimit")
          assert.strictEqual((yield* Effect.flip(connection.reconnect))._tag, "InvalidLimit")
          assert.deepInclude(yield* Effect.flip(connection.send("a")), { _tag: "NotSent" })
        }
        assert.strictEqual(host.dials.length, 0)
      })))

  it.effect("let a free cancel pass a dear query that waits, and the next where the query is withdrawn", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const costs: Record<string, number> = { cancel: 0, query: 9, half: 5 }
        const connection = yield* Connection.connect(url, {
          limits: [messages(10, 5_000)],
          cost: (message) => costs[String(message)] ?? 1
        })
        const received = () => host.peers()[0]?.received
        yield* connection.send("half")
        const query = yield* Effect.forkChild(connection.send("query", { priority: "query" }))
        yield* TestClock.adjust("1 second")
        yield* Effect.forkChild(connection.send("order", { priority: "query" }))
        assert.deepStrictEqual(received(), ["half"])
        yield* connection.send("cancel", { priority: "cancel" })
        yield* settle
        assert.deepStrictEqual(received(), ["half", "cancel"])
        yield* Fiber.interrupt(query)
        yield* settle
        assert.deepStrictEqual(received(), ["half", "cancel", "order"])
      })))

  it.effect("let a subscription pass queries that wait, as it is more urgent, and no order", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, {
          limits: [messages(2, 1_000)],
          dialect: { subscribe: (channels) => channels.map(({ channel }) => channel), unsubscribe: () => [] }
        })
        for (let i = 0; i < 20; i++) yield* connection.send(`query ${i}`, { delivery: "keep", priority: "query" })
        yield* TestClock.adjust("500 millis")
        yield* Effect.forkChild(connection.subscribe([{ channel: "trades" }]), { startImmediately: true })
        for (let i = 0; i < 3; i++) yield* connection.send(`order ${i}`, { delivery: "keep" })
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(host.peers()[0]?.received.slice(0, 7), [
          "query 0",
          "query 1",
          "order 0",
          "order 1",
          "order 2",
          "trades",
          "query 2"
        ])
        assert.strictEqual(host.peers()[0]?.received.length, 24)
      })))

  it.effect("on subscriptions hold on the wire, where those on messages hold the asks up", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const times: Array<number> = []
        const connection = yield* Connection.connect(url, {
          limits: [messages(2, 1_000), { of: "subscriptions", per: "connection", limit: 1, windowMillis: 500 }],
          dialect: { subscribe: (channels) => channels.map(({ channel }) => channel), unsubscribe: () => [] }
        })
        const clock = yield* Clock.Clock
        host.peers()[0]?.onMessage((frame) => {
          if (frame !== "order") times.push(clock.currentTimeMillisUnsafe())
        })
        yield* connection.send("order")
        yield* connection.send("order")
        for (const channel of ["a", "b", "c"]) {
          yield* Effect.forkChild(connection.subscribe([{ channel }]), { startImmediately: true })
        }
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(times.length, 3)
        assert.isAtMost(Enforcement.mostWithin(times, 500), 1)
      })))

  it.effect("lose nothing of what is wanted where whoever asked for it waits no longer", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, {
          limits: [messages(1, 1_000)],
          dialect: { subscribe: (channels) => channels.map(({ channel }) => channel), unsubscribe: () => [] }
        })
        const peer = yield* host.nextPeer
        yield* connection.subscribe([{ channel: "a" }])
        const impatient = yield* Effect.forkChild(connection.subscribe([{ channel: "b" }, { channel: "c" }]), {
          startImmediately: true
        })
        yield* Effect.forkChild(connection.subscribe([{ channel: "d" }]), { startImmediately: true })
        yield* Fiber.interrupt(impatient)
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(peer.received, ["a", "b", "c", "d"])
      })))

  it.effect("hold up what is asked for once more, and start nothing for what comes meanwhile", () => {
    let fibers = 0
    const counting: Metric.FiberRuntimeMetricsService = {
      recordFiberStart: () => void fibers++,
      recordFiberEnd: () => void fibers--
    }
    return withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, {
          limits: [messages(1, 60_000)],
          decode: (frame) => [frame],
          dialect: {
            subscribe: (channels) => channels.length === 0 ? [] : [channels.map(({ channel }) => channel).join()],
            unsubscribe: () => [],
            answer: (frame) => frame === "refused" ? { _tag: "Refused" } : undefined
          }
        })
        const peer = yield* host.nextPeer
        yield* Stream.runDrain(connection.messages()).pipe(Effect.forkScoped({ startImmediately: true }))
        yield* connection.subscribe(["a", "b", "c", "d"].map((channel) => ({ channel })))
        yield* peer.send("refused")
        yield* settle
        const before = fibers
        for (let i = 0; i < 100; i++) {
          yield* peer.send("data")
          yield* settle
        }
        assert.strictEqual(fibers, before)
        yield* TestClock.adjust("5 minutes")
        assert.deepStrictEqual(peer.received, ["a,b,c,d", "a,b", "c,d"])
      })).pipe(Effect.provideService(Metric.FiberRuntimeMetrics, counting))
  })
})
