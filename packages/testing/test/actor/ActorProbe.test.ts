/** The utilities of tests of actors: what they give, and how they fail. */
import { assert, describe, it } from "@effect/vitest"
import * as ActorProbe from "@tickline/testing/ActorProbe"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { byNote, note, Noted, notes, Work } from "./Notes.ts"

describe("ActorProbe", () => {
  it.effect("an inbox gives what it was sent, in order, each once", () =>
    Effect.gen(function*() {
      const inbox = ActorProbe.inbox<ReturnType<typeof note>>()
      assert.strictEqual(yield* inbox.tell(note(1)), "Queued")
      yield* Effect.forkChild(Effect.andThen(Effect.sleep(100), inbox.tell(note(2))))
      yield* inbox.tell(note(3))
      assert.strictEqual((yield* inbox.next).number, 1)
      assert.deepStrictEqual((yield* inbox.take(2)).map(({ number }) => number), [3, 2])
      assert.strictEqual((yield* inbox.received).length, 3)
      yield* inbox.nothing("1 minute")
      assert.strictEqual(
        (yield* Effect.flip(inbox.next)).message,
        "1 messages to Inbox: not within 3600000 ms of virtual time"
      )
    }))

  it.effect("an inbox that was to have nothing says what came", () =>
    Effect.gen(function*() {
      const inbox = ActorProbe.inbox<ReturnType<typeof note>>()
      yield* Effect.forkChild(Effect.andThen(Effect.sleep(100), inbox.tell(note(2))))
      yield* inbox.nothing(99)
      assert.strictEqual((yield* Effect.flip(inbox.nothing(1))).message, "nothing was to come, and Note did")
    }))

  it.effect("an inbox answers what it is asked, or lets it time out", () =>
    Effect.gen(function*() {
      const silent = ActorProbe.inbox<Noted>()
      const { exit, millis } = yield* ActorProbe.timed(Effect.flip(silent.ask(new Noted(), { deadline: 30 })))
      assert.strictEqual((yield* exit).message, "Inbox did not answer within 30 ms")
      assert.strictEqual(millis, 30)
      assert.strictEqual((yield* silent.received).length, 1)
    }))

  it.effect("timed says how long it took, whatever came of it", () =>
    Effect.gen(function*() {
      const { actor } = yield* ActorProbe.spawn(notes)
      assert.deepStrictEqual(yield* ActorProbe.timed(actor.ask(new Work({ millis: 70 }))), {
        exit: Exit.void,
        millis: 70
      })
      const failed = yield* ActorProbe.timed(Effect.andThen(Effect.sleep(7), Effect.fail("late")))
      assert.deepStrictEqual(failed, { exit: Exit.fail("late"), millis: 7 })
      const never = yield* Effect.flip(ActorProbe.timed(Effect.never, { within: 10, what: "the end of time" }))
      assert.strictEqual(never.message, "the end of time: not within 10 ms of virtual time")
    }))

  it.effect("inOrder says what came the wrong way round, is missing, or came twice", () =>
    Effect.gen(function*() {
      const checked = (...numbers: ReadonlyArray<number>) =>
        ActorProbe.inOrder([note(0, "two"), ...numbers.map((number) => note(number))], byNote)
      yield* checked(0, 1, 2)
      for (const numbers of [[0, 2, 1], [0, 2], [0, 0]]) {
        const error = yield* Effect.flip(checked(...numbers))
        assert.strictEqual(error.message, `of one: 1 was to come, and ${numbers[1]} did`)
      }
    }))
})
