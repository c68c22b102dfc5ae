/**
 * Code that sees each batch in the callback that read it: what it is shown, in
 * which order, and what becomes of one that throws.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Connection from "@tickline/core/connection/Connection"
import type * as Observer from "@tickline/core/connection/Observer"
import * as Requests from "@tickline/core/connection/Requests"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Generic from "@tickline/core/venue/generic/Venue"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { policyWith, record, settle, timeline, url, withVenue } from "../Rig.ts"

const unreadable = new Rejection.FrameRejected({ venue: "test", reason: "MalformedJson", message: "garbled" })

/** A frame is one message or several, divided by commas; `garbled` cannot be read, and `nothing` holds none. */
const decode = (frame: string | Uint8Array): ReadonlyArray<string> | Rejection.FrameRejected =>
  frame === "garbled" ? unreadable : frame === "nothing" ? [] : String(frame).split(",")

/** Writes down what it is shown. */
const scribe = (lines: Array<string>, name = "scribe"): Observer.NamedObserver<string> => ({
  name,
  attach: (epoch) => {
    lines.push(`${name} attached to ${epoch}`)
    return {
      batch: (batch) => void lines.push(`${name} ${batch.epoch} ${batch.messages.join("+")} at ${batch.at}`),
      rejected: ({ rejection }) => void lines.push(`${name} ${rejection.reason}`),
      ended: (how) => void lines.push(`${name} ended ${how.epoch} ${how._tag} at ${how.at}`)
    }
  }
})

/** Throws at what begins with `bad`. */
const touchy = (whenThrows?: "detach" | "end"): Observer.NamedObserver<string> => ({
  name: "touchy\u001b",
  whenThrows,
  attach: () => ({
    batch: ({ messages }) => {
      if (messages[0]?.startsWith("bad") === true) throw new Error(`cannot take ${messages[0]}`)
    },
    ended: () => {}
  })
})

const logged = () => {
  const lines: Array<string> = []
  return { lines, layer: Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))]) }
}

describe("An observer", () => {
  it.effect("sees each batch with its epoch, the rejections between, and the end of each epoch after all of it", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const lines: Array<string> = []
        const connection = yield* Connection.make(url, { decode, observers: [scribe(lines)] })
        yield* connection.connect
        const peer = yield* host.nextPeer
        yield* peer.send("a,b", "nothing", "c", "garbled", "d")
        yield* settle
        yield* peer.send("last")
        yield* host.drop
        yield* TestClock.adjust("10 seconds")
        yield* host.peers()[0]!.send("new")
        yield* settle
        yield* Effect.forkChild(connection.reconnect)
        yield* settle
        yield* connection.close()
        assert.deepStrictEqual(lines, [
          "scribe attached to 1",
          "scribe 1 a+b+c at 0",
          "scribe MalformedJson",
          "scribe 1 d at 0",
          "scribe 1 last at 0",
          "scribe ended 1 Failed at 0",
          "scribe attached to 2",
          "scribe 2 new at 10000",
          "scribe ended 2 Redial at 10000",
          "scribe attached to 3",
          "scribe ended 3 Closed at 10000"
        ])
      })))

  it.effect("is given the frames, and where the messages of each begin", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const seen: Array<unknown> = []
        const connection = yield* Connection.connect(url, {
          decode,
          observers: [{
            name: "frames",
            attach: () => ({
              batch: ({ bytes, channels, frames, messages, monotonicMillis, starts }) =>
                void seen.push({ frames, messages, starts, bytes, channels, monotonicMillis }),
              ended: () => {}
            })
          }]
        })
        const peer = yield* host.nextPeer
        yield* peer.send("a,b", "nothing", "c", "garbled", "d,e")
        yield* settle
        yield* peer.send("garbled", "nothing", "garbled", "f", "g")
        yield* settle
        for (const frame of ["nothing", "garbled", "h,i"]) {
          yield* peer.send(frame)
          yield* settle
        }
        const common = { channels: undefined, monotonicMillis: 0 }
        assert.deepStrictEqual(seen, [
          { ...common, frames: ["a,b", "nothing", "c"], messages: ["a", "b", "c"], starts: [0, 2, 2], bytes: 11 },
          { ...common, frames: ["d,e"], messages: ["d", "e"], starts: [0], bytes: 3 },
          { ...common, frames: ["f", "g"], messages: ["f", "g"], starts: [0, 1], bytes: 2 },
          { ...common, frames: ["h,i"], messages: ["h", "i"], starts: [0], bytes: 3 }
        ])
        assert.deepInclude(yield* connection.metrics, {
          frames: 13,
          bytes: 61,
          messages: 9,
          rejections: { MalformedJson: 4 }
        })
      })))

  it.effect("is called in the declared order, before any consumer", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const lines: Array<string> = []
        const connection = yield* Connection.connect(url, {
          decode,
          observers: [scribe(lines, "one"), scribe(lines, "two")]
        })
        yield* Effect.forkScoped(
          Stream.runForEach(connection.messages(), (message) => Effect.sync(() => lines.push(`consumer ${message}`))),
          { startImmediately: true }
        )
        const peer = yield* host.nextPeer
        yield* peer.send("a")
        yield* settle
        assert.deepStrictEqual(lines.slice(2), ["one 1 a at 0", "two 1 a at 0", "consumer a"])
      })))

  it.effect("that throws is named in a log line, counted, and detached until the next epoch; the others go on", () => {
    const log = logged()
    return withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const lines: Array<string> = []
        const connection = yield* Connection.connect(url, { decode, observers: [touchy(), scribe(lines)] })
        const recorded = yield* record(connection)
        const peer = yield* host.nextPeer
        for (const text of ["bad 1", "bad 2", "good"]) yield* Effect.andThen(peer.send(text), settle)
        assert.deepStrictEqual(recorded.messages, ["bad 1", "bad 2", "good"])
        assert.deepStrictEqual(lines.slice(1), ["scribe 1 bad 1 at 0", "scribe 1 bad 2 at 0", "scribe 1 good at 0"])
        const [line, ...more] = log.lines.filter((one) => one.includes("observer failed"))
        assert.deepStrictEqual(more, [])
        assert.include(line, "level=WARN")
        assert.include(line, "touchy\\u001b")
        assert.include(line, "cannot take bad 1")
        assert.strictEqual((yield* connection.metrics).observerErrors, 1)
        yield* host.drop
        yield* TestClock.adjust("10 seconds")
        yield* host.peers()[0]!.send("bad 3")
        yield* settle
        assert.strictEqual((yield* connection.metrics).observerErrors, 2)
        assert.strictEqual((yield* connection.metrics).state, "Connected")
      })).pipe(Effect.provide(log.layer))
  })

  it.effect("that throws ends the connection, where it is declared to, and the connection does not come back", () => {
    const log = logged()
    return withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const lines: Array<string> = []
        const connection = yield* Connection.connect(url, { decode, observers: [touchy("end"), scribe(lines)] })
        const recorded = yield* record(connection)
        const reading = yield* Effect.forkScoped(Effect.flip(Stream.runDrain(connection.messages())), {
          startImmediately: true
        })
        const peer = yield* host.nextPeer
        yield* peer.send("good", "bad 1")
        yield* settle
        yield* peer.send("bad 1")
        yield* settle
        assert.include(lines.join("\n"), "scribe 1 bad 1")
        assert.include(lines.join("\n"), "scribe ended 1 Failed")
        const error = yield* Fiber.join(reading)
        assert.deepInclude(error, { _tag: "ObserverFailed", epoch: 1, observer: "touchy\u001b" })
        assert.strictEqual(error.message, "observer touchy\\u001b failed: cannot take bad 1")
        assert.strictEqual(timeline(recorded.transitions).at(-1), "0 Failed ObserverFailed")
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(host.dials.length, 1)
        assert.strictEqual(log.lines.filter((one) => one.includes("observer failed")).length, 1)
      })).pipe(Effect.provide(log.layer))
  })

  it.effect("that cannot be attached fails the dial where it is declared to end the connection, and is left out else", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const broken = (whenThrows: "detach" | "end"): Observer.NamedObserver<string> => ({
          name: "broken",
          whenThrows,
          attach: () => {
            throw new Error("no room")
          }
        })
        const lives = yield* Connection.connect(url, { decode, observers: [broken("detach")] })
        assert.deepInclude(yield* lives.metrics, { state: "Connected", observerErrors: 1 })
        const ends = yield* Effect.flip(Connection.connect(url, { decode, observers: [broken("end")] }))
        assert.deepInclude(ends, { _tag: "ObserverFailed", detail: "no room" })
        assert.strictEqual(host.dials.length, 2)
      })))
})

describe("A feed", () => {
  it.effect("shows its observers each event of the venue, before any queue", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        yield* MarketFeed.make(Generic.venue, {
          url,
          observe: [{
            name: "prices",
            attach: (epoch) => ({
              batch: ({ messages }) => {
                for (const event of messages) if (event._tag === "PriceUpdate") seen.push(`${epoch} ${event.product}`)
              },
              ended: ({ _tag }) => void seen.push(_tag)
            })
          }]
        })
        const peer = yield* host.nextPeer
        yield* peer.send(`{"product_id":"BTC-USD","price":"1.50","timestamp":"2026-10-28T12:00:00Z"}`)
        yield* settle
        yield* host.drop
        yield* settle
        assert.deepStrictEqual(seen, ["1 BTC-USD", "Failed"])
      })))
})

describe("Requests", () => {
  it.effect("have their answers however much else comes in one read", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, { decode })
        const requests = yield* Requests.make(connection, (text) => /^answer (\w+)/.exec(text)?.[1])
        const peer = yield* host.nextPeer
        const gate = yield* Deferred.make<void>()
        yield* Effect.forkScoped(
          Stream.runForEachArray(connection.messages({ overflow: "block", bytes: 1 }), () => Deferred.await(gate)),
          { startImmediately: true }
        )
        const asked = yield* Effect.forkChild(requests.request("1", "ask"))
        yield* settle
        yield* peer.send("one", "two")
        yield* settle
        // While nobody reads, all of it gathers on the wire.
        yield* peer.send("answer 1", ...Array.from({ length: 20_000 }, (_, i) => `data ${i}`), "garbled", "last")
        yield* settle
        assert.isUndefined(asked.pollUnsafe())
        yield* Deferred.succeed(gate, void 0)
        yield* settle
        assert.strictEqual(asked.pollUnsafe()?._tag, "Success")
      })))

  it.effect("whose answers cannot be read do not wait for them", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, { decode })
        const requests = yield* Requests.make(connection, (text) => {
          if (text === "odd") throw new Error("odd")
          return undefined
        })
        const peer = yield* host.nextPeer
        const asked = yield* Effect.forkChild(Effect.flip(requests.request("1", "ask")))
        yield* settle
        yield* peer.send("odd")
        yield* settle
        assert.deepInclude(yield* Fiber.join(asked), { _tag: "OutcomeUnknown", reason: "dropped" })
        assert.strictEqual((yield* connection.metrics).observerErrors, 1)
      })))
})
