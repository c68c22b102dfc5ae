/**
 * The outbox against a wire that takes what it is told to take: to the message,
 * to the byte and to the millisecond.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Outbox from "@tickline/core/connection/Outbox"
import * as RollingLimit from "@tickline/core/resilience/RollingLimit"
import type { Wire } from "@tickline/core/transport/Transport"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"

interface Options {
  readonly messages?: number
  readonly bytes?: number
  readonly bufferedBytes?: number | undefined
  /** So many messages in a second. */
  readonly limit?: number
  /** So many that ask for subscriptions in a second. */
  readonly asks?: number
  readonly cost?: NonNullable<Outbox.OutboxLimits["cost"]>
  readonly spares?: boolean | undefined
}

const costs: NonNullable<Outbox.OutboxLimits["cost"]> = (frame) => Number(String(frame).split(" ")[1] ?? 1)

/** What the outbox asks of a wire, and what nobody asks here. */
const wireOf = (used: Pick<Wire, "write" | "bufferedBytes" | "ready">): Wire => ({
  ...used,
  pull: Effect.never,
  ping: Effect.never,
  close: () => Effect.succeed({ clean: true }),
  terminate: Effect.void,
  paused: () => false
})

/** An outbox, what its wire was given, and how to change what the wire takes. */
const rig = Effect.fnUntraced(function*(options: Options = {}) {
  const context = yield* Effect.context()
  const clock = yield* Clock.Clock
  const now = () => Monotonic.nowMillis(clock)
  const waiting: Array<number> = []
  const windows = (limit: number) => [{ limit, windowMillis: 1_000 }]
  const log = options.limit === undefined ? undefined : RollingLimit.make(windows(options.limit))
  const asks = options.asks === undefined ? undefined : RollingLimit.make(windows(options.asks))
  const outbox = Outbox.make(
    {
      messages: options.messages ?? 100,
      bytes: options.bytes ?? 1_000,
      bufferedBytes: options.bufferedBytes,
      onWaiting: (messages) => void waiting.push(messages)
    },
    log === undefined ? undefined : {
      key: "venue.test",
      log,
      asks: asks === undefined ? log : RollingLimit.combine([log, asks]),
      now,
      cost: options.cost,
      spares: options.spares
    }
  )
  const written: Array<string> = []
  let ready = Deferred.makeUnsafe<void>()
  const socket = { buffered: 0, isOpen: true, drains: 0 }
  const wire = wireOf({
    write: (frame) => {
      if (socket.isOpen) written.push(`${String(frame)}@${now()}`)
      return socket.isOpen
    },
    bufferedBytes: () => socket.buffered,
    ready: Effect.suspend(() => Deferred.await(ready))
  })
  const drainWith = (): void =>
    outbox.drainWith((drain) => {
      socket.drains++
      Effect.runForkWith(context)(drain)
    })
  return {
    outbox,
    written,
    waiting,
    socket,
    log,
    drainWith,
    /** Makes the wire the one that is written to, and writes what waits. */
    up: (epoch = 1): void => {
      outbox.begin(wire, epoch)
      drainWith()
    },
    /** Says that the wire takes more. */
    takeMore: Effect.suspend(() => {
      socket.buffered = 0
      const before = ready
      ready = Deferred.makeUnsafe<void>()
      return Effect.andThen(Deferred.succeed(before, undefined), TestClock.adjust(0))
    }),
    later: (frame: string, sent?: Outbox.SendOptions) =>
      Effect.forkChild(Effect.result(outbox.send(frame, sent)), { startImmediately: true })
  }
})

const counts = (change: Partial<Outbox.OutboxCounts>): Outbox.OutboxCounts => ({
  waiting: 0,
  waitingBytes: 0,
  mostWaiting: 0,
  sent: 0,
  sentAfterWaiting: 0,
  withdrawn: 0,
  refused: 0,
  unsent: 0,
  unconfirmed: 0,
  ...change
})

const sent = { _tag: "Sent", epoch: 1 } as const
const kept = { _tag: "Kept" } as const

/** What a send came to, in a word or two. */
const outcome = (
  fiber: Fiber.Fiber<{ readonly _tag: string; readonly failure?: unknown; readonly success?: unknown }>
) => Effect.map(Fiber.join(fiber), (result) => result._tag === "Failure" ? result.failure : result.success)

describe("A message where no connection is", () => {
  it.effect("is not sent now, is kept to be sent later, and is neither once the owner has closed", () =>
    Effect.gen(function*() {
      const { outbox, up, written } = yield* rig()
      assert.deepInclude(yield* Effect.flip(outbox.send("a")), { _tag: "NotSent", reason: "NotConnected" })
      assert.deepStrictEqual(yield* outbox.send("b", { delivery: "keep" }), kept)
      assert.deepStrictEqual(outbox.counts(), counts({ waiting: 1, waitingBytes: 1, mostWaiting: 1, unsent: 1 }))
      outbox.shutdown()
      for (const delivery of ["now", "keep"] as const) {
        assert.deepInclude(yield* Effect.flip(outbox.send("c", { delivery })), { _tag: "NotSent", reason: "Closed" })
      }
      up()
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(written, ["b@0"])
      assert.deepStrictEqual(
        outbox.counts(),
        counts({ mostWaiting: 1, sent: 1, sentAfterWaiting: 1, unsent: 3 })
      )
    }))

  it.effect("that is urgent is for nobody", () =>
    Effect.gen(function*() {
      const { outbox, up, written } = yield* rig()
      outbox.urgent("ping", "ping")
      assert.deepStrictEqual(outbox.counts(), counts({}))
      up()
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(written, [])
    }))
})

describe("A message that a wire takes", () => {
  it.effect("is written at once, and told with its epoch", () =>
    Effect.gen(function*() {
      const { outbox, up, waiting, written } = yield* rig()
      up(7)
      assert.deepStrictEqual(yield* outbox.send("a"), { _tag: "Sent", epoch: 7 })
      assert.deepStrictEqual(yield* outbox.send("b", { delivery: "keep" }), { _tag: "Sent", epoch: 7 })
      assert.deepStrictEqual(written, ["a@0", "b@0"])
      assert.deepStrictEqual(waiting, [])
      assert.deepStrictEqual(outbox.counts(), counts({ sent: 2 }))
    }))

  for (const [what, bufferedBytes, most] of [["as told", 10, 10], ["a mebibyte", undefined, 1024 * 1024]] as const) {
    it.effect(`is written while less than ${what} is in the socket, and waits from there on`, () =>
      Effect.gen(function*() {
        const { later, outbox, socket, takeMore, up, waiting, written } = yield* rig({ bufferedBytes })
        up()
        socket.buffered = most - 1
        yield* outbox.send("a")
        socket.buffered = most
        const second = yield* later("b")
        socket.buffered = most - 1
        // Nothing overtakes what waits.
        const third = yield* later("cc")
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(written, ["a@0"])
        assert.deepStrictEqual(outbox.counts(), counts({ waiting: 2, waitingBytes: 3, mostWaiting: 2, sent: 1 }))
        yield* takeMore
        assert.deepStrictEqual(written, ["a@0", "b@0", "cc@0"])
        assert.deepStrictEqual([yield* outcome(second), yield* outcome(third)], [sent, sent])
        assert.deepStrictEqual(waiting, [1, 2, 1, 0])
        assert.strictEqual(socket.drains, 1)
        assert.deepStrictEqual(outbox.counts(), counts({ mostWaiting: 2, sent: 3, sentAfterWaiting: 2 }))
      }))
  }

  it.effect("waits where the wire has ended before us, and fails with the epoch", () =>
    Effect.gen(function*() {
      const { later, outbox, socket, up, written } = yield* rig()
      up()
      socket.isOpen = false
      const now = yield* later("a")
      const keep = yield* later("b", { delivery: "keep" })
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(outbox.counts(), counts({ waiting: 2, waitingBytes: 2, mostWaiting: 2 }))
      outbox.end()
      assert.deepInclude(yield* outcome(now), { _tag: "NotSent", reason: "EpochEnded" })
      assert.deepStrictEqual(yield* outcome(keep), kept)
      socket.isOpen = true
      up(2)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(written, ["b@0"])
      assert.deepStrictEqual(outbox.counts(), counts({ mostWaiting: 2, sent: 1, sentAfterWaiting: 1, unsent: 1 }))
    }))

  it.effect("is written by nobody before it is said who does so", () =>
    Effect.gen(function*() {
      const { drainWith, outbox, socket, up, written } = yield* rig()
      yield* outbox.send("a", { delivery: "keep" })
      drainWith()
      yield* TestClock.adjust(0)
      assert.deepStrictEqual([written, socket.drains], [[], 0])
      up()
      yield* TestClock.adjust(0)
      assert.deepStrictEqual([written, socket.drains], [["a@0"], 1])
    }))
})

describe("What waits", () => {
  it.effect("goes by its priority, and in the order of its sending within one", () =>
    Effect.gen(function*() {
      const { outbox, up, written } = yield* rig()
      const wishes = [
        ["query", "query"],
        ["order 1", undefined],
        ["subscribe", "subscribe"],
        ["heartbeat", "heartbeat"],
        ["order 2", "order"],
        ["cancel", "cancel"],
        ["order 3", undefined]
      ] as const
      for (const [frame, priority] of wishes) yield* outbox.send(frame, { delivery: "keep", priority })
      up()
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(written.map((line) => line.split("@")[0]), [
        "heartbeat",
        "cancel",
        "order 1",
        "order 2",
        "order 3",
        "subscribe",
        "query"
      ])
    }))

  it.effect("is withdrawn where its sender is interrupted, and no longer counts", () =>
    Effect.gen(function*() {
      const { later, outbox, socket, takeMore, up, waiting, written } = yield* rig()
      up()
      socket.buffered = Infinity
      const [first, second, third] = [yield* later("a"), yield* later("bb"), yield* later("ccc")]
      yield* Fiber.interrupt(second)
      yield* Fiber.interrupt(first)
      assert.deepStrictEqual(
        outbox.counts(),
        counts({ waiting: 1, waitingBytes: 3, mostWaiting: 3, withdrawn: 2 })
      )
      yield* takeMore
      assert.deepStrictEqual(written, ["ccc@0"])
      assert.deepStrictEqual(yield* outcome(third), sent)
      assert.deepStrictEqual(waiting, [1, 2, 3, 2, 1, 0])
      yield* Fiber.interrupt(third)
      assert.strictEqual(outbox.counts().withdrawn, 2)
    }))

  for (
    const [what, bounds, frames, full] of [
      ["as many messages as its bound", { messages: 2, bytes: 100 }, ["a", "b", "c"], { messages: 2, bytes: 2 }],
      ["as many bytes as its bound", { messages: 9, bytes: 3 }, ["a", "bb", "c"], { messages: 2, bytes: 3 }],
      ["nothing that is too long alone", { messages: 9, bytes: 3 }, ["aaaa"], { messages: 0, bytes: 0 }]
    ] as const
  ) {
    it.effect(`is ${what}`, () =>
      Effect.gen(function*() {
        const { outbox } = yield* rig(bounds)
        for (const frame of frames.slice(0, -1)) yield* outbox.send(frame, { delivery: "keep" })
        assert.deepInclude(yield* Effect.flip(outbox.send(frames.at(-1) ?? "", { delivery: "keep" })), {
          _tag: "OutboxFull",
          ...full
        })
        assert.deepStrictEqual(
          outbox.counts(),
          counts({ waiting: full.messages, waitingBytes: full.bytes, mostWaiting: full.messages, refused: 1 })
        )
      }))
  }

  it.effect("ends with the connection, and what was to be kept is counted", () =>
    Effect.gen(function*() {
      const { later, outbox, socket, up, waiting, written } = yield* rig()
      up()
      socket.buffered = Infinity
      const now = yield* later("a")
      for (const frame of ["b", "c"]) yield* outbox.send(frame, { delivery: "keep" })
      assert.strictEqual(outbox.close(), 2)
      assert.deepInclude(yield* outcome(now), { _tag: "NotSent", reason: "Closed" })
      assert.deepStrictEqual(outbox.counts(), counts({ mostWaiting: 3, unsent: 3 }))
      assert.deepStrictEqual([...new Set(waiting)], [1, 2, 3, 0])
      assert.strictEqual(outbox.close(), 0)
      assert.deepInclude(yield* Effect.flip(outbox.send("d")), { _tag: "NotSent", reason: "NotConnected" })
      up(2)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(written, [])
    }))
})

describe("What is urgent", () => {
  it.effect("goes first, and one of a kind that waits makes another needless", () =>
    Effect.gen(function*() {
      const { later, outbox, socket, takeMore, up, written } = yield* rig()
      up()
      socket.buffered = Infinity
      yield* later("cancel", { priority: "cancel" })
      for (const frame of ["ping 1", "ping 2"]) outbox.urgent(frame, "ping")
      outbox.urgent("answer", "answer")
      assert.deepStrictEqual(outbox.counts(), counts({ waiting: 3, waitingBytes: 18, mostWaiting: 3 }))
      yield* takeMore
      assert.deepStrictEqual(written, ["ping 1@0", "answer@0", "cancel@0"])
      outbox.urgent("ping 3", "ping")
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(written.slice(3), ["ping 3@0"])
      // What the connection sends by itself is sent, but nobody waits to hear whether it arrived.
      assert.deepStrictEqual(outbox.unconfirmed(), { messages: 1, bytes: 6 })
      assert.deepStrictEqual(outbox.counts(), counts({ mostWaiting: 3, sent: 4, sentAfterWaiting: 4 }))
    }))

  it.effect("goes behind what is as urgent and was there before", () =>
    Effect.gen(function*() {
      const { later, outbox, socket, takeMore, up, written } = yield* rig()
      up()
      socket.buffered = Infinity
      yield* later("beat", { priority: "heartbeat" })
      outbox.urgent("ping", "ping")
      yield* takeMore
      assert.deepStrictEqual(written, ["beat@0", "ping@0"])
    }))

  it.effect("does not outlive its epoch", () =>
    Effect.gen(function*() {
      const { outbox, socket, up, written } = yield* rig()
      up()
      socket.buffered = Infinity
      outbox.urgent("ping", "ping")
      outbox.end()
      socket.buffered = 0
      up(2)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(written, [])
      assert.deepStrictEqual(outbox.counts(), counts({ mostWaiting: 1, unsent: 1 }))
    }))
})

describe("What was written", () => {
  it.effect("is unconfirmed until a later answer, and lost with its epoch", () =>
    Effect.gen(function*() {
      const { outbox, up } = yield* rig()
      assert.deepStrictEqual(outbox.unconfirmed(), { messages: 0, bytes: 0 })
      up()
      yield* outbox.send("aa")
      const early = outbox.checkpoint()
      yield* outbox.send("bbb")
      const late = outbox.checkpoint()
      yield* outbox.send("c")
      assert.deepStrictEqual(outbox.unconfirmed(), { messages: 3, bytes: 6 })
      early()
      assert.deepStrictEqual(outbox.unconfirmed(), { messages: 2, bytes: 4 })
      late()
      early()
      assert.deepStrictEqual(outbox.unconfirmed(), { messages: 1, bytes: 1 })
      assert.strictEqual(outbox.counts().unconfirmed, 0)
      outbox.end()
      assert.deepStrictEqual(outbox.unconfirmed(), { messages: 0, bytes: 0 })
      up(2)
      yield* outbox.send("dddd")
      late()
      assert.deepStrictEqual(outbox.unconfirmed(), { messages: 1, bytes: 4 })
      outbox.end()
      outbox.end()
      assert.strictEqual(outbox.counts().unconfirmed, 2)
    }))
})

describe("The limit on messages", () => {
  it.effect("holds up what is one too many, until a millisecond after its window", () =>
    Effect.gen(function*() {
      const { later, outbox, socket, up, written } = yield* rig({ limit: 2 })
      up()
      for (const frame of ["a", "b"]) yield* outbox.send(frame)
      const third = yield* later("c")
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(written, ["a@0", "b@0"])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(written.slice(2), ["c@1001"])
      assert.deepStrictEqual(yield* outcome(third), sent)
      assert.strictEqual(socket.drains, 1)
    }))

  it.effect("holds up for the last millisecond, too", () =>
    Effect.gen(function*() {
      const { later, outbox, up, written } = yield* rig({ limit: 1 })
      up()
      yield* outbox.send("a")
      yield* TestClock.adjust(1_000)
      yield* later("b")
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(written, ["a@0"])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(written.slice(1), ["b@1001"])
    }))

  it.effect("is named where it is what fills the outbox, with the wait", () =>
    Effect.gen(function*() {
      const { outbox, up } = yield* rig({ limit: 1, messages: 1 })
      up()
      yield* outbox.send("a")
      yield* outbox.send("b", { delivery: "keep" })
      yield* TestClock.adjust(1_000)
      assert.deepInclude(yield* Effect.flip(outbox.send("c")), {
        _tag: "RateLimited",
        key: "venue.test",
        retryAfterMillis: 1
      })
      assert.deepStrictEqual(
        outbox.counts(),
        counts({ waiting: 1, waitingBytes: 1, mostWaiting: 1, sent: 1, refused: 1 })
      )
    }))

  it.effect("is not named where the wire is what fills it", () =>
    Effect.gen(function*() {
      const { outbox, socket, up } = yield* rig({ limit: 5, messages: 1 })
      up()
      socket.buffered = Infinity
      yield* outbox.send("b", { delivery: "keep" })
      assert.deepInclude(yield* Effect.flip(outbox.send("c")), { _tag: "OutboxFull", messages: 1, bytes: 1 })
    }))

  it.effect("refuses what it never admits, and what is no cost", () =>
    Effect.gen(function*() {
      const { outbox, up } = yield* rig({ limit: 2, cost: costs })
      up()
      assert.deepStrictEqual(yield* outbox.send("a 2"), sent)
      assert.deepInclude(yield* Effect.flip(outbox.send("a 3", { delivery: "keep" })), {
        _tag: "RateLimited",
        retryAfterMillis: Infinity
      })
      for (const cost of ["-1", "NaN", "Infinity"]) {
        assert.deepInclude(yield* Effect.flip(outbox.send(`a ${cost}`)), {
          _tag: "InvalidCost",
          key: "venue.test",
          cost: Number(cost)
        })
      }
      assert.deepStrictEqual(outbox.counts(), counts({ sent: 1, refused: 4 }))
    }))

  for (
    const [spares, priority, admitted] of [
      [true, "heartbeat", 10],
      [true, "cancel", 9],
      [true, "query", 9],
      [false, "query", 10],
      [undefined, "query", 10]
    ] as const
  ) {
    it.effect(`takes ${admitted} of ${priority} where ${spares === true ? "a tenth" : "nothing"} is left to what is urgent`, () =>
      Effect.gen(function*() {
        const { outbox, up, written } = yield* rig({
          limit: 10,
          messages: 1,
          spares
        })
        up()
        for (let n = 0; n < 11; n++) yield* Effect.exit(outbox.send("a", { delivery: "keep", priority }))
        assert.lengthOf(written, admitted)
        const wait = yield* Effect.flip(outbox.send("b", { priority }))
        assert.deepInclude(wait, { _tag: "RateLimited", retryAfterMillis: 1_001 })
      }))
  }

  it.effect("is not what holds a heartbeat up where only the rest has used up its share", () =>
    Effect.gen(function*() {
      const { outbox, up } = yield* rig({ limit: 10, messages: 1, spares: true })
      up()
      for (let n = 0; n < 10; n++) yield* outbox.send("a", { delivery: "keep" })
      assert.deepInclude(yield* Effect.flip(outbox.send("b")), { _tag: "RateLimited", retryAfterMillis: 1_001 })
      assert.deepInclude(yield* Effect.flip(outbox.send("c", { priority: "heartbeat" })), { _tag: "OutboxFull" })
    }))

  it.effect("is charged one for each message where no cost is given", () =>
    Effect.gen(function*() {
      const { log, outbox, up } = yield* rig({ limit: 10 })
      up()
      yield* outbox.send("a")
      assert.deepStrictEqual(log?.left(0), [9])
      outbox.urgent("ping", "ping")
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(log?.left(0), [8])
      yield* outbox.admit("ask", "ask")
      assert.deepStrictEqual(log?.left(0), [7])
    }))

  it.effect("charges what the connection sends by itself, and one where that is no cost or too much", () =>
    Effect.gen(function*() {
      for (
        const [frame, spares, left] of [
          ["ping", undefined, 9],
          ["ping 3", undefined, 7],
          ["ping 0", undefined, 10],
          ["ping 10", undefined, 0],
          ["ping 10", true, 9],
          ["ping 9", true, 1],
          ["ping 11", undefined, 9],
          ["ping NaN", undefined, 9]
        ] as const
      ) {
        const { log, outbox, up, written } = yield* rig({
          limit: 10,
          cost: costs,
          spares
        })
        up()
        outbox.urgent(frame, "ping")
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(log?.left(0), [left], frame)
        outbox.urgent(frame, "ping", { admitted: true })
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(log?.left(0), [left], frame)
        assert.deepStrictEqual(written, [`${frame}@0`, `${frame}@0`])
      }
    }))

  it.effect("lets what is more urgent go as soon as it comes, and what is behind as soon as it is free", () =>
    Effect.gen(function*() {
      const { later, outbox, up, written } = yield* rig({ limit: 4, cost: costs })
      up()
      yield* outbox.send("a 3")
      const dear = yield* later("dear 4")
      yield* TestClock.adjust(10)
      outbox.urgent("ping", "ping")
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(written, ["a 3@0", "ping@10"])
      const cheap = yield* later("cheap 0")
      yield* Fiber.interrupt(dear)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(yield* outcome(cheap), sent)
      assert.deepStrictEqual(written.slice(2), ["cheap 0@10"])
    }))

  it.effect("that another declared since, and never admits what waits, refuses it and goes on", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const now = () => Monotonic.nowMillis(clock)
      const logs = [RollingLimit.make([{ limit: 5, windowMillis: 1_000 }])]
      const log: RollingLimit.RollingLimit = {
        take: (...args) => RollingLimit.combine(logs).take(...args),
        waitFor: (...args) => RollingLimit.combine(logs).waitFor(...args),
        reserve: (...args) => RollingLimit.combine(logs).reserve(...args),
        left: (at) => RollingLimit.combine(logs).left(at)
      }
      const waiting: Array<number> = []
      const outbox = Outbox.make(
        { messages: 9, bytes: 99, onWaiting: (messages) => void waiting.push(messages) },
        { key: "venue.test", log, asks: log, now, cost: costs }
      )
      const written: Array<string> = []
      const context = yield* Effect.context()
      const dear = yield* Effect.forkChild(Effect.result(outbox.send("dear 4", { delivery: "keep" })), {
        startImmediately: true
      })
      yield* outbox.send("b", { delivery: "keep" })
      assert.deepStrictEqual(yield* outcome(dear), kept)
      logs.push(RollingLimit.make([{ limit: 3, windowMillis: 1_000 }]))
      outbox.begin(
        wireOf({ write: (frame) => written.push(String(frame)) > 0, bufferedBytes: () => 0, ready: Effect.void }),
        1
      )
      outbox.drainWith((drain) => void Effect.runForkWith(context)(drain))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(written, ["b"])
      assert.deepStrictEqual(waiting, [1, 2, 1, 0])
      assert.deepStrictEqual(outbox.counts(), counts({ mostWaiting: 2, sent: 1, sentAfterWaiting: 1, unsent: 1 }))
    }))
})

describe("What is written past the outbox", () => {
  const admitted = (outbox: Outbox.Outbox, kind: "ask" | "ping", frame: string, into: Array<string>) =>
    Effect.gen(function*() {
      yield* outbox.admit(kind, frame)
      into.push(`${frame}@${yield* Monotonic.now}`)
    }).pipe(Effect.forkChild({ startImmediately: true }))

  it.effect("is admitted at once where there is no limit", () =>
    Effect.gen(function*() {
      const { outbox } = yield* rig()
      const past: Array<string> = []
      for (const kind of ["ask", "ping"] as const) yield* admitted(outbox, kind, kind, past)
      assert.deepStrictEqual(past, ["ask@0", "ping@0"])
    }))

  it.effect("waits for the limits: an ask for those on subscriptions too, a ping for that on messages alone", () =>
    Effect.gen(function*() {
      const { log, outbox, up } = yield* rig({ limit: 5, asks: 1, cost: costs })
      up()
      const past: Array<string> = []
      for (const frame of ["ask", "ask again"]) yield* admitted(outbox, "ask", frame, past)
      yield* admitted(outbox, "ping", "ping 3", past)
      assert.deepStrictEqual(past, ["ask@0", "ping 3@0"])
      assert.deepStrictEqual(log?.left(0), [1])
      yield* TestClock.adjust(1_000)
      assert.lengthOf(past, 2)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(past.slice(2), ["ask again@1001"])
    }))

  it.effect("goes before what is less urgent, and after what is more", () =>
    Effect.gen(function*() {
      const { later, outbox, up, written } = yield* rig({ limit: 1 })
      up()
      const past: Array<string> = []
      yield* outbox.send("a")
      yield* admitted(outbox, "ask", "ask", past)
      yield* later("query", { priority: "query" })
      yield* later("order")
      yield* TestClock.adjust(3_003)
      assert.deepStrictEqual(written, ["a@0", "order@1001", "query@3003"])
      assert.deepStrictEqual(past, ["ask@2002"])
    }))

  it.effect("takes the tenth that is left to what is urgent for a ping, and not for an ask", () =>
    Effect.gen(function*() {
      const { later, outbox, up, written } = yield* rig({ limit: 10, spares: true, cost: costs })
      up()
      const past: Array<string> = []
      yield* outbox.send("a 9")
      yield* admitted(outbox, "ask", "ask", past)
      yield* admitted(outbox, "ping", "ping", past)
      assert.deepStrictEqual(past, ["ping@0"])
      // A ping that waits is before all of the others.
      yield* admitted(outbox, "ping", "late", past)
      yield* later("cancel 0", { priority: "cancel" })
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual([past, written], [["ping@0"], ["a 9@0"]])
      yield* TestClock.adjust(2)
      assert.deepStrictEqual(past.slice(1), ["late@1001", "ask@1002"])
      assert.deepStrictEqual(written.slice(1), ["cancel 0@1001"])
    }))

  it.effect("is behind what waits and is more urgent, and beside what is as urgent", () =>
    Effect.gen(function*() {
      const { later, outbox, socket, takeMore, up } = yield* rig({ limit: 10 })
      up()
      const past: Array<string> = []
      socket.buffered = Infinity
      yield* later("subscribe", { priority: "subscribe" })
      yield* admitted(outbox, "ask", "ask", past)
      assert.deepStrictEqual(past, ["ask@0"])
      yield* later("order")
      yield* admitted(outbox, "ask", "again", past)
      yield* TestClock.adjust(10)
      assert.lengthOf(past, 1)
      yield* takeMore
      assert.lengthOf(past, 1)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(past.slice(1), ["again@11"])
    }))

  it.effect("holds up what is less urgent until the last of it has gone", () =>
    Effect.gen(function*() {
      const { later, outbox, up, written } = yield* rig({ limit: 5, asks: 1, cost: costs })
      up()
      const past: Array<string> = []
      for (const frame of ["ask 1", "ask 1", "ask 1"]) yield* admitted(outbox, "ask", frame, past)
      yield* later("query 0", { priority: "query" })
      yield* TestClock.adjust(2_001)
      assert.deepStrictEqual([past, written], [["ask 1@0", "ask 1@1001"], []])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual([past.slice(2), written], [["ask 1@2002"], ["query 0@2002"]])
    }))

  it.effect("holds up nothing once it is given up", () =>
    Effect.gen(function*() {
      const { later, outbox, up, written } = yield* rig({ limit: 1, asks: 1, cost: costs })
      up()
      const past: Array<string> = []
      yield* admitted(outbox, "ask", "first", past)
      const ask = yield* admitted(outbox, "ask", "ask", past)
      const query = yield* later("query 0", { priority: "query" })
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(written, [])
      yield* Fiber.interrupt(ask)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(yield* outcome(query), sent)
      assert.deepStrictEqual(written, ["query 0@0"])
    }))
})
