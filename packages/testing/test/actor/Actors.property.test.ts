/** Random senders, messages and policies: nothing is lost from sight, and each sender's order is kept. */
import { assert, it } from "@effect/vitest"
import * as ActorProbe from "@tickline/testing/ActorProbe"
import * as Chance from "@tickline/testing/Chance"
import * as Probe from "@tickline/testing/Probe"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { byNote, Crash, Note, note, Noted, notes, quiet, Refuse, Work } from "./Notes.ts"

const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 }))

const policies = ["suspend", "drop-oldest", "drop-newest", "fail"] as const
const priorities = [undefined, undefined, undefined, "high", "low"] as const

it.effect.prop("what was told is handled, a dead letter, or withdrawn", [Seed], ([seed]) =>
  Effect.gen(function*() {
    const chance = Chance.make(seed)
    const overflow = chance.pick(policies)
    const { actor, letters } = yield* ActorProbe.spawn(notes, {
      mailbox: { capacity: 1 + chance.integer(8), overflow },
      supervision: { intensity: { restarts: chance.integer(20), within: "1 minute" } }
    })
    // What the senders know of it.
    let told = 0
    let refused = 0
    const step = Effect.suspend((): Effect.Effect<unknown> => {
      const options = {
        priority: chance.pick(priorities),
        ...(chance.happens(0.2) ? { deadline: chance.integer(60) } : {})
      }
      const message = chance.pick([
        () => note(chance.integer(100)),
        () => note(chance.integer(100)),
        () => new Work({ millis: chance.integer(20) }),
        () => new Refuse({ why: "by chance" }),
        () => new Crash(),
        () => new Noted()
      ])()
      told++
      if (chance.happens(0.5)) {
        return Effect.match(actor.tell(message, options), {
          onSuccess: (became) => void (became === "Dropped" || became === "Stopped" ? refused++ : 0),
          onFailure: () => void refused++
        })
      }
      return Effect.ignore(actor.ask(message, options))
    })
    const senders = yield* Effect.forEach(Array.from({ length: 1 + chance.integer(6) }), () =>
      Effect.forkChild(Effect.repeat(Effect.andThen(step, Effect.sleep(chance.integer(10))), { times: 19 })))
    yield* TestClock.adjust(chance.integer(1_000))
    yield* Effect.forkChild(actor.stop({ mode: chance.pick(["drain", "drop"]), within: chance.integer(100) }))
    yield* TestClock.adjust("1 hour")
    yield* Fiber.joinAll(senders)
    yield* actor.ended
    const counts = yield* actor.counts
    assert.strictEqual(counts.waiting, 0)
    assert.strictEqual(counts.withdrawn, 0)
    assert.strictEqual(counts.told, told)
    assert.strictEqual(counts.told, counts.handled + counts.deadLetters)
    assert.strictEqual((yield* letters).length, counts.deadLetters)
    assert.isAtLeast(counts.deadLetters, refused)
  }).pipe(quiet), { arbitrary: { runs: 150, seed: "actors" } })

it.effect.prop("each sender's notes are handled in order, and once", [Seed], ([seed]) =>
  Effect.gen(function*() {
    const chance = Chance.make(seed)
    const count = 5 + chance.integer(40)
    const { actor } = yield* ActorProbe.spawn(notes, { mailbox: { capacity: 1 + chance.integer(20) } })
    const senders = Array.from({ length: 1 + chance.integer(8) }, (_, i) => ({
      name: String(i),
      // One priority each: between two the order is not kept.
      priority: chance.pick(priorities)
    }))
    const work = new Work({ millis: 1 })
    const sending = Effect.forEach(senders, ({ name, priority }) =>
      Effect.forEach(
        Array.from({ length: count }, (_, i) => i),
        (i) =>
          Effect.gen(function*() {
            if (chance.happens(0.1)) yield* Effect.yieldNow
            if (chance.happens(0.1)) yield* actor.tell(work, { priority })
            yield* chance.happens(0.8)
              ? actor.tell(note(i, name), { priority })
              : actor.ask(note(i, name), { priority, deadline: "1 hour" })
          })
      ), { concurrency: "unbounded" })
    yield* Probe.within(sending, { within: "30 minutes" })
    yield* TestClock.adjust("1 minute")
    const kept = yield* actor.ask(new Noted())
    assert.strictEqual(kept.length, senders.length * count)
    assert.isTrue(kept.every((one) => one instanceof Note))
    yield* ActorProbe.inOrder(kept, byNote)
  }), { arbitrary: { runs: 60, seed: "order" } })
