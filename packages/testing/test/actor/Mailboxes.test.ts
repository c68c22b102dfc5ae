/** What waits for an actor: who comes first, who waits for room, who goes, and what the counts say. */
import { assert, describe, it } from "@effect/vitest"
import * as Actor from "@tickline/core/actor/Actor"
import * as ActorMessage from "@tickline/core/actor/ActorMessage"
import type { ActorRef } from "@tickline/core/actor/ActorRef"
import * as Behaviour from "@tickline/core/actor/Behaviour"
import * as DeadLetters from "@tickline/core/actor/DeadLetters"
import * as ActorProbe from "@tickline/testing/ActorProbe"
import * as Probe from "@tickline/testing/Probe"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Request from "effect/Request"
import * as TestClock from "effect/testing/TestClock"
import { Crash, Note, note, Noted, notes, numbers, quiet, Work } from "./Notes.ts"

const work = new Work({ millis: 10 })

/** An actor that is busy for 10 ms. */
const busy = (mailbox: Actor.Options["mailbox"] = {}) =>
  Effect.gen(function*() {
    const probe = yield* ActorProbe.spawn(notes, { mailbox })
    yield* probe.actor.tell(work)
    yield* TestClock.adjust(0)
    return probe
  })

const lost = (letters: Effect.Effect<ReadonlyArray<{ readonly message: ActorMessage.ActorMessage }>>) =>
  Effect.map(letters, (all) => all.map(({ message }) => message instanceof Note ? message.number : message._tag))

describe("Mailboxes", () => {
  it.effect("what lets 32 more urgent ones pass is next", () =>
    Effect.gen(function*() {
      const { actor } = yield* busy({ capacity: 1_000 })
      yield* actor.tell(note(-1), { priority: "low" })
      yield* actor.tell(note(-2))
      for (let i = 0; i < 100; i++) yield* actor.tell(note(i), { priority: "high" })
      yield* TestClock.adjust(10)
      const kept = numbers(yield* actor.ask(new Noted()))
      assert.strictEqual(kept.indexOf(-1), 32)
      assert.strictEqual(kept.indexOf(-2), 33)
      assert.deepStrictEqual(kept.filter((n) => n >= 0), Array.from({ length: 100 }, (_, i) => i))
    }))

  it.effect("none is passed over for ever, however many more urgent ones come", () =>
    Effect.gen(function*() {
      const { actor } = yield* busy({ capacity: 10_000 })
      const sent = [
        ...Array.from({ length: 900 }, (_, i) => [i, "high"] as const),
        ...Array.from({ length: 30 }, (_, i) => [1_000 + i, "normal"] as const),
        ...Array.from({ length: 20 }, (_, i) => [2_000 + i, "low"] as const)
      ]
      for (const [number, priority] of sent) yield* actor.tell(note(number), { priority })
      yield* TestClock.adjust(10)
      const kept = numbers(yield* actor.ask(new Noted(), { priority: "low" }))
      const places = (from: number) =>
        kept.flatMap((number, place) => number >= from && number < from + 1_000 ? [place] : [])
      for (const from of [1_000, 2_000]) {
        const found = places(from).filter((place) => place < 900)
        assert.isAbove(found.length, 15)
        for (const [i, place] of found.entries()) assert.isAtMost(place - (found[i - 1] ?? -1), 35)
      }
      assert.strictEqual(kept.length, 950)
      for (const from of [0, 1_000, 2_000]) {
        const own = kept.filter((number) => number >= from && number < from + 1_000)
        assert.deepStrictEqual(own, own.toSorted((a, b) => a - b))
      }
    }))

  it.effect("the behaviour says how urgent a message is, unless its sender does", () =>
    Effect.gen(function*() {
      const behaviour = Behaviour.make("Ranked", {
        messages: [Note, Noted, Work],
        initial: Effect.sync((): ReadonlyArray<Note> => []),
        handle: {
          Note: (kept, message) => Effect.succeed([...kept, message]),
          Noted: (kept) => Effect.succeed(Behaviour.reply(kept, kept)),
          Work: (kept, { millis }) => Effect.as(Effect.sleep(millis), kept)
        },
        priority: (message) => message._tag === "Note" && message.number > 10 ? "high" : "normal"
      })
      const { actor } = yield* ActorProbe.spawn(behaviour)
      yield* actor.tell(work)
      yield* TestClock.adjust(0)
      yield* actor.tell(note(1))
      yield* actor.tell(note(11))
      yield* actor.tell(note(12), { priority: "low" })
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(numbers(yield* actor.ask(new Noted(), { priority: "low" })), [11, 1, 12])
    }))

  it.effect("of a full mailbox the least urgent goes, the oldest or the newest of them", () =>
    Effect.gen(function*() {
      const after = (overflow: "drop-oldest" | "drop-newest") =>
        Effect.gen(function*() {
          const { actor, letters } = yield* busy({ capacity: 4, overflow })
          yield* actor.tell(note(1), { priority: "low" })
          yield* actor.tell(note(2), { priority: "low" })
          yield* actor.tell(note(3))
          yield* actor.tell(note(4), { priority: "high" })
          const told = [
            yield* actor.tell(note(5)),
            yield* actor.tell(note(6)),
            yield* actor.tell(note(7)),
            yield* actor.tell(note(8), { priority: "low" })
          ]
          yield* TestClock.adjust(10)
          return [told, yield* lost(letters), numbers(yield* actor.ask(new Noted()))]
        })
      assert.deepStrictEqual(yield* after("drop-oldest"), [
        ["Displaced", "Displaced", "Displaced", "Dropped"],
        [1, 2, 3, 8],
        [4, 5, 6, 7]
      ])
      assert.deepStrictEqual(yield* after("drop-newest"), [
        ["Displaced", "Displaced", "Dropped", "Dropped"],
        [2, 1, 7, 8],
        [4, 3, 5, 6]
      ])
    }))

  it.effect("whoever asked and is displaced, or not let in, hears of it at once", () =>
    Effect.gen(function*() {
      const { actor } = yield* busy({ capacity: 1, overflow: "drop-oldest" })
      const asking = yield* Effect.forkChild(Effect.flip(actor.ask(new Noted())), { startImmediately: true })
      assert.strictEqual(yield* actor.tell(note(1)), "Displaced")
      assert.strictEqual((yield* Fiber.join(asking)).message, "the mailbox of Notes is full (1)")
      // A capacity below one is one.
      const { actor: failing } = yield* busy({ capacity: 0, overflow: "fail" })
      yield* failing.tell(note(1))
      assert.strictEqual((yield* Effect.flip(failing.ask(new Noted()))).message, "the mailbox of Notes is full (1)")
    }))

  it.effect("senders that wait for room are let in by their urgency, then in order", () =>
    Effect.gen(function*() {
      const { actor } = yield* busy({ capacity: 1 })
      yield* actor.tell(note(0))
      const order: Array<number> = []
      const send = (number: number, priority?: "high" | "low") =>
        Effect.forkChild(
          Effect.map(actor.tell(note(number), { priority }), () => void order.push(number)),
          { startImmediately: true }
        )
      yield* send(1)
      yield* send(2, "low")
      yield* send(3)
      yield* send(4, "high")
      assert.deepStrictEqual(order, [])
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(order, [4, 1, 3, 2])
      assert.deepStrictEqual(numbers(yield* actor.ask(new Noted())), [0, 4, 1, 3, 2])
    }))

  it.effect("a sender that gives up while it waits for room has sent nothing", () =>
    Effect.gen(function*() {
      const { actor, letters } = yield* busy({ capacity: 1 })
      yield* actor.tell(note(0))
      const sending = yield* Effect.forkChild(actor.tell(note(1)), { startImmediately: true })
      const asking = yield* Effect.forkChild(actor.ask(new Noted()), { startImmediately: true })
      yield* Fiber.interruptAll([sending, asking])
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(numbers(yield* actor.ask(new Noted())), [0])
      assert.deepStrictEqual(yield* letters, [])
      const counts = yield* actor.counts
      assert.deepStrictEqual(counts, { told: 3, handled: 3, deadLetters: 0, withdrawn: 0, waiting: 0, restarts: 0 })
    }))

  it.effect("a question that nobody waits for any more makes room, and is not handled", () =>
    Effect.gen(function*() {
      const { actor } = yield* busy({ capacity: 1 })
      const asking = yield* Effect.forkChild(actor.ask(note(1)), { startImmediately: true })
      const sending = yield* Effect.forkChild(actor.tell(note(2)), { startImmediately: true })
      assert.isUndefined(sending.pollUnsafe())
      yield* Fiber.interrupt(asking)
      assert.deepStrictEqual(sending.pollUnsafe(), Exit.succeed("Queued"))
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(numbers(yield* actor.ask(new Noted())), [2])
      assert.strictEqual((yield* actor.counts).withdrawn, 1)
    }))

  it.effect("what is in hand is handled, whether whoever asked still waits or not", () =>
    Effect.gen(function*() {
      const { actor, letters } = yield* ActorProbe.spawn(notes)
      const asking = yield* Effect.forkChild(Effect.flip(actor.ask(work, { deadline: 5 })), { startImmediately: true })
      yield* TestClock.adjust(5)
      assert.strictEqual((yield* Fiber.join(asking))._tag, "AskTimedOut")
      yield* TestClock.adjust(5)
      assert.deepStrictEqual(yield* letters, [])
      assert.strictEqual((yield* actor.counts).handled, 1)
    }))

  it.effect("a question expires while it waits for room, and a message once its turn comes too late", () =>
    Effect.gen(function*() {
      const { actor, letters } = yield* busy({ capacity: 1 })
      yield* actor.tell(note(0), { deadline: 9 })
      const asking = yield* Effect.forkChild(Effect.flip(actor.ask(note(1), { deadline: 5 })), {
        startImmediately: true
      })
      yield* TestClock.adjust(5)
      assert.strictEqual((yield* Fiber.join(asking)).message, "Notes did not answer within 5 ms")
      yield* TestClock.adjust(5)
      assert.deepStrictEqual(yield* lost(letters), [1, 0])
      assert.deepStrictEqual(numbers(yield* actor.ask(new Noted())), [])
    }))

  it.effect("many questions with deadlines in any order each fail when theirs is over", () =>
    Effect.gen(function*() {
      const { actor } = yield* ActorProbe.spawn(notes)
      yield* actor.tell(new Work({ millis: 100_000 }))
      const deadlines = [500, 20, 300, 20, 700, 10, 10_000, 1, 300]
      const fibers = yield* Effect.forEach(
        deadlines,
        (deadline) =>
          Effect.forkChild(Effect.andThen(Effect.flip(actor.ask(new Noted(), { deadline })), Clock.currentTimeMillis))
      )
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(yield* Fiber.joinAll(fibers), deadlines)
    }))

  it.effect("an actor does not wait for itself: its own message to its full mailbox is dropped", () =>
    Effect.gen(function*() {
      class Begin extends Request.TaggedClass("Begin")<{}, ReadonlyArray<string>> {}
      const behaviour = Behaviour.make("Selfish", {
        messages: [Begin, Note],
        initial: Effect.succeed(0),
        handle: {
          Begin: (state, _, { self }) =>
            Effect.gen(function*() {
              const told = [yield* self.tell(note(1)), yield* self.tell(note(2))]
              return Behaviour.reply(told, state)
            }).pipe(Effect.orDie),
          Note: (state) => Effect.succeed(state)
        }
      })
      const { actor, letters } = yield* ActorProbe.spawn(behaviour, { mailbox: { capacity: 1 } })
      assert.deepStrictEqual(yield* actor.ask(new Begin()), ["Queued", "Dropped"])
      assert.deepStrictEqual(yield* lost(letters), [2])
    }))

  it.effect("a message that goes through thousands of actors does so on a short stack", () =>
    Effect.gen(function*() {
      class Pass extends Request.TaggedClass("Pass")<{ readonly hops: number }, void> {}
      const link = (next: ActorRef<Pass> | undefined) =>
        Behaviour.make("Link", {
          messages: [Pass],
          initial: Effect.succeed(0),
          handle: {
            Pass: (_, { hops }) => Effect.as(next?.tell(new Pass({ hops: hops + 1 })) ?? Effect.void, hops)
          }
        })
      const ends: Array<number> = []
      const last = Behaviour.make("Last", {
        messages: [Pass],
        initial: Effect.void,
        handle: { Pass: (_, { hops }) => Effect.sync(() => void ends.push(hops)) }
      })
      let first: ActorRef<Pass> = yield* Actor.spawn(last)
      for (let i = 0; i < 3_000; i++) first = yield* Actor.spawn(link(first))
      yield* first.tell(new Pass({ hops: 0 }))
      yield* Probe.until(Effect.sync(() => ends.length > 0))
      assert.deepStrictEqual(ends, [3_000])
    }).pipe(Effect.provide(DeadLetters.layer())))

  it.effect("what has no handler is undeliverable, and ends nothing", () =>
    Effect.gen(function*() {
      class Unknown extends ActorMessage.Class<Unknown>()("Unknown", {}) {}
      const { actor, letters } = yield* ActorProbe.spawn(notes)
      // As a program without types would.
      const ask = actor.ask as (message: ActorMessage.ActorMessage) => Effect.Effect<unknown, Error>
      const error = yield* Effect.flip(ask(new Unknown()))
      assert.strictEqual(error.message, "Notes has no handler for Unknown")
      assert.deepStrictEqual((yield* letters).map(({ reason }) => reason), ["Undeliverable"])
      assert.deepStrictEqual(yield* actor.ask(new Noted()), [])
    }))

  it.effect("what was told is what was handled, lost, withdrawn and still waits", () =>
    Effect.gen(function*() {
      const { actor } = yield* busy({ capacity: 3, overflow: "drop-newest" })
      yield* actor.tell(note(1))
      yield* actor.tell(new Crash())
      const asking = yield* Effect.forkChild(actor.ask(new Noted()), { startImmediately: true })
      yield* actor.tell(note(2))
      yield* Fiber.interrupt(asking)
      assert.deepStrictEqual(yield* actor.counts, {
        told: 5,
        handled: 0,
        deadLetters: 1,
        withdrawn: 1,
        waiting: 3,
        restarts: 0
      })
      yield* TestClock.adjust(200)
      assert.deepStrictEqual(yield* actor.counts, {
        told: 5,
        handled: 2,
        deadLetters: 2,
        withdrawn: 1,
        waiting: 0,
        restarts: 1
      })
    }).pipe(quiet))
})
