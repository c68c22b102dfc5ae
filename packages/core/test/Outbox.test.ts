/**
 * The outbox against a wire that takes what it is told to take: to the message,
 * to the byte and to the millisecond.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { counts, kept, outcome, rig, sent } from "./Outbox.rig.ts"

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
