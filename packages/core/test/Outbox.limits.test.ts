/**
 * The outbox against a wire that takes what it is told to take: to the message,
 * to the byte and to the millisecond.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as RollingLimit from "@tickline/core/resilience/RollingLimit"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Outboxes from "../src/connection/internal/outbox.ts"
import * as RollingLimits from "../src/resilience/internal/rollingLimit.ts"
import { costs, counts, kept, outcome, rig, sent, wireOf } from "./Outbox.rig.ts"

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
      const logs = [RollingLimits.make([{ limit: 5, windowMillis: 1_000 }])]
      const log: RollingLimit.RollingLimit = {
        take: (...args) => RollingLimits.combine(logs).take(...args),
        waitFor: (...args) => RollingLimits.combine(logs).waitFor(...args),
        reserve: (...args) => RollingLimits.combine(logs).reserve(...args),
        wait: (...args) => RollingLimits.combine(logs).wait(...args),
        left: (at) => RollingLimits.combine(logs).left(at)
      }
      const waiting: Array<number> = []
      const outbox = Outboxes.make(
        { messages: 9, bytes: 99, now, onWaiting: (messages) => void waiting.push(messages) },
        { key: "venue.test", log, asks: log, now, cost: costs }
      )
      const written: Array<string> = []
      const context = yield* Effect.context()
      const dear = yield* Effect.forkChild(Effect.result(outbox.send("dear 4", { delivery: "keep" })), {
        startImmediately: true
      })
      yield* outbox.send("b", { delivery: "keep" })
      assert.deepStrictEqual(yield* outcome(dear), kept)
      logs.push(RollingLimits.make([{ limit: 3, windowMillis: 1_000 }]))
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
  const admitted = (outbox: Outboxes.Outbox, kind: "ask" | "ping", frame: string, into: Array<string>) =>
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
