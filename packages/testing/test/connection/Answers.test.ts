/**
 * What a peer's answers come to: of lists of everything, of refusals that come
 * between them, and of what cannot be asked for at all.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import { type Answer, type Dialect, mentions } from "@tickline/core/protocol/Dialect"
import * as Channel from "@tickline/core/value/Channel"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import { internals } from "../../../core/src/connection/internal/connectionInternals.ts"
import { policyWith, record, settle, url, withVenue } from "../Rig.ts"

const [a, b, c, d] = ["A", "B", "C", "D"].map((product) => Channel.make("trades", product)) as [
  Channel.Channel,
  Channel.Channel,
  Channel.Channel,
  Channel.Channel
]

const products = (channels: ReadonlyArray<Channel.Channel>): string =>
  channels.map(({ product }) => product ?? "").join(" ")

/** A frame is one message or several, divided by semicolons. */
const decode = (frame: string | Uint8Array): ReadonlyArray<string> => String(frame).split("; ")

/** `has A` lists what there is, `no A` refuses it. */
const answer = (message: string): Answer | undefined => {
  const [word, product] = message.split(" ")
  if (word === "has") return { _tag: "Confirmed", lists: true, product }
  if (word === "no") return { _tag: "Refused", message, names: mentions(message) }
  return undefined
}

/** Each frame is answered by a list of everything, or by a refusal. */
const listing: Dialect<string> = {
  subscribe: (channels) =>
    channels.length === 0
      ? []
      : [{ text: `+ ${products(channels)}`, channels, requestId: undefined, isListed: true }],
  unsubscribe: () => [],
  answer
}

/** `ok 1` answers the ask number 1; what is of `D` cannot be asked for. */
const numbered: Dialect<string> = {
  subscribe: (channels, id) =>
    channels.length === 0 ? [] : [{ text: `+ ${products(channels)} #${id}`, channels, requestId: String(id) }],
  unsubscribe: () => [],
  answer: (message) => message.startsWith("ok ") ? { _tag: "Confirmed", requestId: message.slice(3) } : undefined,
  objection: ({ product }) => product === "D" ? "there is no D" : undefined
}

const standings = (connection: Connection.Connection<string>) =>
  Effect.map(
    connection[internals].subscriptionStates,
    (all) => all.map(({ channel: { product }, standing }) => `${product ?? ""} ${standing}`)
  )

describe("A list of everything", () => {
  it.effect("that left something out refuses it when the last ask that is open is refused", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url, { decode, dialect: listing })
        yield* connection.subscribe([a, b])
        yield* connection.connect
        yield* connection.subscribe([c])
        const [peer] = host.peers()
        assert.deepStrictEqual(peer?.received, ["+ A B", "+ C"])
        yield* peer!.send("has A")
        yield* settle
        // The next list may still name it.
        assert.deepStrictEqual(yield* standings(connection), ["A confirmed", "B asked", "C asked"])
        yield* peer!.send("no C")
        yield* settle
        assert.deepStrictEqual(yield* standings(connection), ["A confirmed", "B refused", "C refused"])
        const refused = yield* Effect.flip(connection[internals].awaitRefusal(b))
        assert.include(refused.message, "not among what the venue confirmed")
      })))

  it.effect("that never comes refuses nothing, where somebody else sends, too", () =>
    withVenue(policyWith({ acknowledgementTimeout: Duration.seconds(3) }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, { decode, dialect: listing })
        yield* connection.send("other")
        yield* connection.subscribe([a])
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* standings(connection), ["A asked"])
        assert.strictEqual(host.dials.length, 1)
      })))

  it.effect("that answers a giving up refuses nothing of what was wanted again since, and is not asked for yet", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, {
          decode,
          dialect: {
            ...listing,
            unsubscribe: (channels) =>
              channels.length === 0
                ? []
                : [{ text: `- ${products(channels)}`, channels, requestId: undefined, isListed: true }]
          },
          limits: [{ of: "messages", per: "connection", limit: 2, windowMillis: 60_000 }]
        })
        const peer = yield* host.nextPeer
        yield* connection.subscribe([a])
        yield* peer.send("has A")
        yield* settle
        yield* connection.unsubscribe([a])
        yield* settle
        yield* Effect.forkScoped(connection.subscribe([a]), { startImmediately: true })
        assert.deepStrictEqual(peer.received, ["+ A", "- A"])
        yield* peer.send("has")
        yield* settle
        assert.deepStrictEqual(yield* standings(connection), ["A asked"])
        yield* TestClock.adjust("2 minutes")
        yield* peer.send("has A")
        yield* settle
        assert.deepStrictEqual(peer.received, ["+ A", "- A", "+ A"])
        assert.deepStrictEqual(yield* standings(connection), ["A confirmed"])
      })))
})

describe("A refusal", () => {
  for (const before of [[], ["data"], ["data", "more data"]]) {
    it.effect(`is logged once, after ${before.length} other messages`, () => {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      return withVenue(policyWith({}), ({ host }) =>
        Effect.gen(function*() {
          const connection = yield* Connection.connect(url, { decode, dialect: listing })
          const peer = yield* host.nextPeer
          yield* connection.subscribe([a])
          for (const text of before) yield* Effect.andThen(peer.send(text), settle)
          assert.notInclude(lines, "subscription refused")
          for (const text of ["no A", "more data"]) yield* Effect.andThen(peer.send(text), settle)
          assert.lengthOf(lines.filter((line) => line === "subscription refused"), 1)
        })).pipe(Effect.provide(Logger.layer([logger])))
    })
  }
})

describe("Confirmations that name nothing", () => {
  it.effect("in one frame are of one ask each, the oldest first", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url, {
          decode,
          dialect: {
            subscribe: (channels) =>
              channels.map((channel) => ({
                text: `+ ${products([channel])}`,
                channels: [channel],
                requestId: undefined
              })),
            unsubscribe: () => [],
            answer: (message: string): Answer | undefined => message === "ok" ? { _tag: "Confirmed" } : undefined
          }
        })
        yield* connection.subscribe([a, b, c])
        yield* connection.connect
        yield* host.peers()[0]!.send("ok; ok")
        yield* settle
        assert.deepStrictEqual(yield* standings(connection), ["A confirmed", "B confirmed", "C asked"])
      })))
})

describe("What cannot be asked for", () => {
  it.effect("is told of at once on a quiet connection, as an item and a log line, and never written", () => {
    const lines: Array<string> = []
    const logger = Logger.map(Logger.formatJson, (line) => void lines.push(line))
    return withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, { decode, dialect: numbered })
        const recorded = yield* record(connection)
        yield* connection.subscribe([d])
        yield* settle
        const told = recorded.items.flatMap((item) => item._tag === "Refused" ? item.refused : [])
        assert.deepStrictEqual(told.map(({ channel, reason }) => [channel.product, reason]), [["D", "there is no D"]])
        assert.lengthOf(lines.filter((line) => line.includes("subscription refused")), 1)
        assert.deepStrictEqual(host.peers()[0]?.received, [])
      })).pipe(Effect.provide(Logger.layer([logger])))
  })
})

describe("A subscription on a connection that is up", () => {
  it.effect("is refused where its ask is not answered in time", () =>
    withVenue(policyWith({ acknowledgementTimeout: Duration.seconds(3) }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url, { decode, dialect: numbered })
        yield* connection.subscribe([a])
        yield* connection.connect
        const [peer] = host.peers()
        yield* peer!.send("ok 1")
        yield* TestClock.adjust("10 seconds")
        yield* connection.subscribe([b])
        assert.deepStrictEqual(peer?.received, ["+ A #1", "+ B #2"])
        yield* TestClock.adjust("2999 millis")
        assert.deepStrictEqual(yield* standings(connection), ["A confirmed", "B asked"])
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(yield* standings(connection), ["A confirmed", "B refused"])
        assert.strictEqual(host.peers().length, 1)
      })))
})
