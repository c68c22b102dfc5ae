/** The fifteen tests of actors that were named before there was any code, under their names. */
import { assert, describe, it } from "@effect/vitest"
import * as Actor from "@tickline/core/actor/Actor"
import type { MailboxFull } from "@tickline/core/actor/ActorError"
import type { ActorRef } from "@tickline/core/actor/ActorRef"
import * as Behaviour from "@tickline/core/actor/Behaviour"
import * as DeadLetters from "@tickline/core/actor/DeadLetters"
import type * as Mailbox from "@tickline/core/actor/Mailbox"
import * as ActorProbe from "@tickline/testing/ActorProbe"
import * as Probe from "@tickline/testing/Probe"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Request from "effect/Request"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { byNote, Crash, Note, note, Noted, notes, numbers, Refuse, Refused, Work } from "../actor/Notes.ts"

describe("Actors", () => {
  it.effect("Message delivery to actor", () =>
    Effect.gen(function*() {
      const { actor } = yield* ActorProbe.spawn(notes)
      const sent = note(0)
      assert.strictEqual(yield* actor.tell(sent), "Queued")
      const [kept] = yield* actor.ask(new Noted())
      assert.strictEqual(kept, sent)
    }))

  it.effect("Message ordering with queue", () =>
    Effect.gen(function*() {
      const { actor } = yield* ActorProbe.spawn(notes)
      // The first keeps it busy, so that the others queue up.
      yield* actor.tell(new Work({ millis: 10 }))
      for (let i = 0; i < 50; i++) yield* actor.tell(note(i))
      const kept = yield* Probe.within(actor.ask(new Noted()))
      assert.strictEqual(kept.length, 50)
      yield* ActorProbe.inOrder(kept, byNote)
    }))

  it.effect("Concurrent message handling", () =>
    Effect.gen(function*() {
      const { actor } = yield* ActorProbe.spawn(notes)
      const senders = Array.from({ length: 20 }, (_, i) => `sender ${i}`)
      yield* Effect.forEach(
        senders,
        (sender) =>
          Effect.forEach(Array.from({ length: 50 }, (_, i) => i), (i) =>
            Effect.andThen(actor.tell(note(i, sender)), Effect.yieldNow)),
        { concurrency: "unbounded" }
      )
      const kept = yield* actor.ask(new Noted())
      assert.strictEqual(kept.length, 1_000)
      yield* ActorProbe.inOrder(kept, byNote)
    }))

  it.effect("Backpressure handling", () =>
    Effect.gen(function*() {
      const { actor } = yield* ActorProbe.spawn(notes)
      yield* actor.tell(new Work({ millis: 10 }))
      yield* TestClock.adjust(0)
      for (let i = 0; i < 100; i++) yield* actor.tell(note(i))
      const sending = yield* Effect.forkScoped(actor.tell(note(100)), { startImmediately: true })
      yield* TestClock.adjust(9)
      assert.isUndefined(sending.pollUnsafe())
      assert.strictEqual((yield* actor.counts).waiting, 101)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* Fiber.join(sending), "Queued")
      assert.deepStrictEqual(numbers(yield* actor.ask(new Noted())), Array.from({ length: 101 }, (_, i) => i))
    }))

  it.effect("Message timeouts", () =>
    Effect.gen(function*() {
      const { actor, letters } = yield* ActorProbe.spawn(notes)
      yield* actor.tell(new Work({ millis: 60_000 }))
      const byDefault = yield* ActorProbe.timed(Effect.flip(actor.ask(new Noted())))
      assert.strictEqual(byDefault.millis, 5_000)
      const { exit, millis } = yield* ActorProbe.timed(Effect.flip(actor.ask(new Noted(), { deadline: "250 millis" })))
      assert.strictEqual(millis, 250)
      const error = yield* exit
      assert.strictEqual(error._tag, "AskTimedOut")
      assert.strictEqual(error.message, "Notes did not answer within 250 ms")
      assert.deepStrictEqual((yield* letters).map(({ reason }) => reason), ["Expired", "Expired"])
    }))

  it.effect("Actor restart recovery", () =>
    Effect.gen(function*() {
      const { actor, states } = yield* ActorProbe.spawn(notes)
      yield* actor.tell(note(1))
      yield* actor.tell(new Crash())
      yield* actor.tell(note(2))
      const { exit, millis } = yield* ActorProbe.timed(actor.ask(new Noted()))
      assert.strictEqual(millis, 100)
      assert.deepStrictEqual(numbers(yield* exit), [2])
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(states.map(({ _tag }) => _tag), ["Running", "Restarting", "Running"])
      assert.strictEqual((yield* actor.counts).restarts, 1)
    }))

  it.effect("Error message propagation", () =>
    Effect.gen(function*() {
      const { actor } = yield* ActorProbe.spawn(notes)
      yield* actor.tell(note(1))
      const refused = yield* Effect.flip(actor.ask(new Refuse({ why: "closed" })))
      assert.deepStrictEqual(refused, new Refused({ why: "closed" }))
      // An answer is no crash: its state is as it was.
      assert.deepStrictEqual(numbers(yield* actor.ask(new Noted())), [1])
      const crashed = yield* Effect.flip(actor.ask(new Crash()))
      assert.strictEqual(crashed._tag, "ActorCrashed")
      assert.strictEqual(crashed.message, "Notes crashed: broken")
    }))

  it.effect("Actor crash handling", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const children: Array<ActorRef<Note | Noted | Crash>> = []
      const parent = Behaviour.make("Parent", {
        messages: [Noted],
        initial: Effect.gen(function*() {
          const supervision = { decide: () => "stop" as const }
          children.push(yield* Actor.spawn(notes, { name: "first", supervision }))
          children.push(yield* Actor.spawn(notes, { name: "second", supervision }))
        }),
        handle: { Noted: () => Effect.succeed(Behaviour.reply([], undefined)) },
        ended: (_, { cause, path }) => Effect.sync(() => void told.push(`${path}: ${cause && Cause.squash(cause)}`))
      })
      const { actor } = yield* ActorProbe.spawn(parent)
      const [first, second] = children
      assert.isDefined(first)
      assert.isDefined(second)
      yield* first.tell(new Crash())
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(told, ["Parent/Notes/first: Error: broken"])
      assert.strictEqual(yield* first.tell(note(1)), "Stopped")
      yield* second.tell(note(2))
      assert.deepStrictEqual(numbers(yield* second.ask(new Noted())), [2])
      assert.deepStrictEqual(yield* actor.ask(new Noted()), [])
    }))

  it.effect("Cross-actor message passing", () =>
    Effect.gen(function*() {
      class Ping extends Request.TaggedClass("Ping")<
        { readonly from: ActorRef<Pong, MailboxFull>; readonly hops: number },
        void,
        MailboxFull
      > {}
      class Pong extends Request.TaggedClass("Pong")<{ readonly hops: number }, void> {}
      class Serve extends Request.TaggedClass("Serve")<{ readonly to: ActorRef<Ping> }, void> {}
      const seen = ActorProbe.inbox<Pong>()
      const first = Behaviour.make("First", {
        messages: [Serve, Pong],
        initial: Effect.void,
        handle: {
          Serve: (_, { to }, { self }) => Effect.asVoid(to.tell(new Ping({ from: self, hops: 1 }))),
          Pong: (_, pong) => Effect.asVoid(seen.tell(pong))
        }
      })
      const second = Behaviour.make("Second", {
        messages: [Ping],
        initial: Effect.void,
        handle: { Ping: (_, { from, hops }) => Effect.asVoid(from.tell(new Pong({ hops: hops + 1 }))) }
      })
      const { actor: a } = yield* ActorProbe.spawn(first)
      const { actor: b } = yield* ActorProbe.spawn(second)
      yield* a.tell(new Serve({ to: b }))
      assert.strictEqual((yield* seen.next).hops, 2)
      yield* seen.nothing("1 second")
    }))

  it.effect("Message priority ordering", () =>
    Effect.gen(function*() {
      const { actor } = yield* ActorProbe.spawn(notes)
      yield* actor.tell(new Work({ millis: 10 }))
      yield* actor.tell(note(1), { priority: "low" })
      yield* actor.tell(note(2))
      yield* actor.tell(note(3), { priority: "low" })
      yield* actor.tell(note(4), { priority: "high" })
      yield* actor.tell(note(5))
      yield* actor.tell(note(6), { priority: "high" })
      const kept = yield* Probe.within(actor.ask(new Noted(), { priority: "low" }))
      assert.deepStrictEqual(numbers(kept), [4, 6, 2, 5, 1, 3])
    }))

  it.effect("Actor state isolation", () =>
    Effect.gen(function*() {
      // A state that is changed in place would show if two had the same.
      const counter = Behaviour.make("Counter", {
        messages: [Note, Noted],
        initial: Effect.sync((): Array<Note> => []),
        handle: {
          Note: (kept, message) =>
            Effect.sync(() => {
              kept.push(message)
              return kept
            }),
          Noted: (kept) => Effect.succeed(Behaviour.reply([...kept], kept))
        }
      })
      const { actor: one } = yield* ActorProbe.spawn(counter, { name: "one" })
      const { actor: two } = yield* ActorProbe.spawn(counter, { name: "two" })
      yield* one.tell(note(1))
      yield* two.tell(note(2))
      yield* one.tell(note(3))
      assert.deepStrictEqual(numbers(yield* one.ask(new Noted())), [1, 3])
      assert.deepStrictEqual(numbers(yield* two.ask(new Noted())), [2])
    }))

  it.effect("Actor cleanup on shutdown", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const worker = Behaviour.make("Worker", {
        messages: [Note],
        initial: Effect.gen(function*() {
          yield* Effect.acquireRelease(Effect.void, () => Effect.sync(() => log.push("released")))
          yield* Effect.forkScoped(
            Effect.onInterrupt(Effect.never, () => Effect.sync(() => log.push("fiber ended"))),
            { startImmediately: true }
          )
          yield* Actor.spawn(notes)
        }),
        handle: { Note: (_, { number }) => Effect.sync(() => void log.push(`handled ${number}`)) }
      })
      const scope = yield* Scope.make()
      const { actor } = yield* Scope.provide(ActorProbe.spawn(worker, { shutdown: { mode: "drain" } }), scope)
      yield* actor.tell(note(1))
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(log, ["handled 1", "fiber ended", "released"])
      assert.deepStrictEqual(yield* actor.ended, { path: "Worker", cause: undefined })
      assert.strictEqual(yield* actor.tell(note(2)), "Stopped")
      assert.deepStrictEqual(log, ["handled 1", "fiber ended", "released"])
    }))

  it.effect("Concurrent actor operations", () =>
    Effect.gen(function*() {
      const actors = yield* Effect.forEach(
        Array.from({ length: 200 }, (_, i) => i),
        (i) => ActorProbe.spawn(notes, { name: String(i) })
      )
      // Each works for as long, and all of them at once.
      const { exit, millis } = yield* ActorProbe.timed(Effect.forEach(actors, ({ actor }, i) =>
        Effect.gen(function*() {
          yield* actor.tell(new Work({ millis: 50 }))
          yield* actor.tell(note(i))
          return yield* actor.ask(new Noted())
        }), { concurrency: "unbounded" }))
      assert.strictEqual(millis, 50)
      assert.deepStrictEqual((yield* exit).map(numbers), actors.map((_, i) => [i]))
    }))

  it.effect("Mailbox overflow handling", () =>
    Effect.gen(function*() {
      const outcomes = <Policy extends Mailbox.Overflow>(overflow: Policy) =>
        Effect.gen(function*() {
          const { actor, letters } = yield* ActorProbe.spawn(notes, { mailbox: { capacity: 2, overflow } })
          yield* actor.tell(new Work({ millis: 10 }))
          yield* TestClock.adjust(0)
          const told: Array<string> = []
          for (const i of [1, 2, 3]) {
            const telling = yield* Effect.forkScoped(actor.tell(note(i)), { startImmediately: true })
            const exit = telling.pollUnsafe()
            told.push(exit === undefined ? "waits" : Exit.isSuccess(exit) ? exit.value : "MailboxFull")
          }
          yield* TestClock.adjust(10)
          const kept = yield* actor.ask(new Noted())
          const lost = (yield* letters).map((
            { message, reason }
          ) => [message instanceof Note && message.number, reason])
          return [told, numbers(kept), lost]
        })
      const overflow = "Overflow"
      assert.deepStrictEqual(yield* outcomes("suspend"), [["Queued", "Queued", "waits"], [1, 2, 3], []])
      assert.deepStrictEqual(yield* outcomes("drop-oldest"), [
        ["Queued", "Queued", "Displaced"],
        [2, 3],
        [[1, overflow]]
      ])
      assert.deepStrictEqual(yield* outcomes("drop-newest"), [["Queued", "Queued", "Dropped"], [1, 2], [[3, overflow]]])
      assert.deepStrictEqual(yield* outcomes("fail"), [["Queued", "Queued", "MailboxFull"], [1, 2], [[3, overflow]]])
    }))

  it.effect("Deadletter queue fallback", () =>
    Effect.gen(function*() {
      const deadLetters = yield* DeadLetters.DeadLetters
      const actor = yield* Actor.spawn(notes, { mailbox: { capacity: 1, overflow: "drop-newest" } })
      const told = yield* Probe.record(deadLetters.letters)
      yield* actor.tell(new Crash())
      yield* TestClock.adjust(0)
      yield* actor.tell(note(1), { deadline: "50 millis" })
      yield* actor.tell(note(2))
      yield* TestClock.adjust(100)
      yield* actor.tell(new Refuse({ why: "nobody asked" }))
      yield* actor.stop()
      yield* actor.tell(note(3))
      yield* deadLetters.add({ to: "Nobody", message: note(4), reason: "Undeliverable" })
      const letters = yield* deadLetters.latest
      assert.deepStrictEqual(
        letters.map(({ at, message, reason, to }) => [at, to, message._tag, reason]),
        [
          [0, "Notes", "Crash", "Crashed"],
          [0, "Notes", "Note", "Overflow"],
          [100, "Notes", "Note", "Expired"],
          [100, "Notes", "Refuse", "Failed"],
          [100, "Notes", "Note", "Stopped"],
          [100, "Nobody", "Note", "Undeliverable"]
        ]
      )
      assert.deepStrictEqual(yield* deadLetters.counts, {
        Overflow: 1,
        Expired: 1,
        Stopped: 1,
        Crashed: 1,
        Failed: 1,
        Undeliverable: 1
      })
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(told, letters)
      // As many as there is room for are kept, the latest.
      const few = yield* DeadLetters.make({ capacity: 2 })
      for (const letter of letters) yield* few.add(letter)
      assert.deepStrictEqual(yield* few.latest, letters.slice(-2).map((letter) => ({ ...letter, at: 100 })))
    }).pipe(Effect.provide(DeadLetters.layer())))
})
