/** Senders, an actor that crashes, questions with deadlines and a stop, under many interleavings. */
import { assert } from "@effect/vitest"
import * as Actor from "@tickline/core/actor/Actor"
import * as Behaviour from "@tickline/core/actor/Behaviour"
import * as DeadLetters from "@tickline/core/actor/DeadLetters"
import * as ActorProbe from "@tickline/testing/ActorProbe"
import * as Probe from "@tickline/testing/Probe"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Request from "effect/Request"
import { byNote, Crash, note, Noted, notes, quiet, Work } from "../actor/Notes.ts"
import { actors, underSeeds } from "./Seeds.ts"

const ordered = Effect.gen(function*() {
  const actor = yield* Actor.spawn(notes, { mailbox: { capacity: 2 }, shutdown: { within: 0 } })
  const sender = (name: string) => [0, 1, 2, 3].map((i) => actor.tell(note(i, name)))
  yield* Probe.within(actors(sender("a"), sender("b"), sender("c"), [actor.tell(new Work({ millis: 15 }))]))
  const kept = yield* Probe.within(actor.ask(new Noted()))
  assert.strictEqual(kept.length, 12)
  yield* ActorProbe.inOrder(kept, byNote)
})

underSeeds("An actor handles what each sender sends, in order and once", Effect.provide(ordered, DeadLetters.layer()))

const stopped = Effect.gen(function*() {
  const deadLetters = yield* DeadLetters.DeadLetters
  const actor = yield* Actor.spawn(notes, { mailbox: { capacity: 2 }, shutdown: { within: 0 } })
  const ask = Effect.ignore(actor.ask(note(1), { deadline: 12 }))
  const gaveUp = Effect.gen(function*() {
    const asking = yield* Effect.forkChild(ask)
    yield* Effect.sleep(5)
    yield* Fiber.interrupt(asking)
  })
  yield* Probe.within(actors(
    [actor.tell(note(1)), ask, actor.tell(new Work({ millis: 20 })), ask],
    [actor.tell(new Crash()), gaveUp, actor.tell(note(2)), gaveUp],
    [actor.tell(note(3), { deadline: 10 }), Effect.sleep(30), actor.stop({ within: 25 })]
  ))
  yield* actor.ended
  const counts = yield* actor.counts
  assert.strictEqual(counts.waiting, 0)
  assert.strictEqual(counts.told, counts.handled + counts.deadLetters + counts.withdrawn)
  assert.strictEqual((yield* deadLetters.latest).length, counts.deadLetters)
})

underSeeds("An actor that stops loses nothing from sight", stopped.pipe(Effect.provide(DeadLetters.layer()), quiet))

class Wait extends Request.TaggedClass("Wait")<{ readonly until: Deferred.Deferred<void> }, void> {}

const waiter = Behaviour.make("Waiter", {
  messages: [Wait],
  initial: Effect.void,
  handle: { Wait: (_, { until }) => Deferred.await(until) }
})

// A message comes at the very moment at which the actor is done with another, and nothing else wakes it.
const resting = Effect.gen(function*() {
  const actor = yield* Actor.spawn(waiter, { mailbox: { capacity: 1 }, shutdown: { within: 0 } })
  const past = yield* Deferred.make<void>()
  yield* Deferred.succeed(past, undefined)
  for (let round = 0; round < 5; round++) {
    const until = yield* Deferred.make<void>()
    yield* actor.tell(new Wait({ until }))
    // With a message that waits already, the sender may have to wait for room, or not.
    if (round % 2 === 1) yield* actor.tell(new Wait({ until: past }))
    const done = yield* Effect.forkChild(Deferred.succeed(until, undefined))
    const telling = yield* Effect.forkChild(actor.tell(new Wait({ until: past })))
    yield* Probe.within(Fiber.joinAll([done, telling]), { within: "1 second" })
    yield* Probe.until(Effect.map(actor.counts, ({ waiting }) => waiting === 0), { within: "1 second" })
  }
})

underSeeds("An actor that is about to rest hears of what comes", Effect.provide(resting, DeadLetters.layer()))
