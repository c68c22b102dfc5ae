/** How an actor ends: drained or dropped, within its time, with all that it had begun, leaving nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as Actor from "@tickline/core/actor/Actor"
import * as Behaviour from "@tickline/core/actor/Behaviour"
import * as DeadLetters from "@tickline/core/actor/DeadLetters"
import * as ActorProbe from "@tickline/testing/ActorProbe"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Crash, Note, note, Noted, notes, numbers, quiet, Work } from "./Notes.ts"

const reasons = (letters: Effect.Effect<ReadonlyArray<DeadLetters.DeadLetter>>) =>
  Effect.map(letters, (all) => all.map(({ message, reason }) => `${message._tag} ${reason}`))

/** One that works for 10 ms while another work and a note wait. */
const busy = Effect.gen(function*() {
  const probe = yield* ActorProbe.spawn(notes)
  yield* probe.actor.tell(new Work({ millis: 10 }))
  yield* TestClock.adjust(0)
  yield* probe.actor.tell(new Work({ millis: 20 }))
  yield* probe.actor.tell(note(1))
  return probe
})

describe("Shutdown", () => {
  it.effect("drain handles what waits, and takes nothing more", () =>
    Effect.gen(function*() {
      const { actor, letters } = yield* busy
      const stopping = yield* Effect.forkChild(actor.stop(), { startImmediately: true })
      assert.strictEqual(yield* actor.tell(note(2)), "Stopped")
      assert.strictEqual((yield* Effect.flip(actor.ask(new Noted())))._tag, "ActorStopped")
      yield* TestClock.adjust(29)
      assert.isUndefined(stopping.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.isDefined(stopping.pollUnsafe())
      assert.strictEqual((yield* actor.counts).handled, 3)
      assert.deepStrictEqual(yield* reasons(letters), ["Note Stopped", "Noted Stopped"])
    }))

  it.effect("drop waits for what is in hand alone", () =>
    Effect.gen(function*() {
      const { actor, letters } = yield* busy
      const { millis } = yield* ActorProbe.timed(actor.stop({ mode: "drop" }))
      assert.strictEqual(millis, 10)
      assert.strictEqual((yield* actor.counts).handled, 1)
      assert.deepStrictEqual(yield* reasons(letters), ["Work Stopped", "Note Stopped"])
    }))

  it.effect("what is not done in time is interrupted, and its asker told", () =>
    Effect.gen(function*() {
      const { actor, letters } = yield* ActorProbe.spawn(notes)
      const asking = yield* Effect.forkChild(
        Effect.flip(actor.ask(new Work({ millis: 100 }), { deadline: "1 minute" })),
        { startImmediately: true }
      )
      yield* TestClock.adjust(0)
      yield* actor.tell(note(1))
      const { millis } = yield* ActorProbe.timed(actor.stop({ within: 30 }))
      assert.strictEqual(millis, 30)
      assert.strictEqual((yield* Fiber.join(asking)).message, "Notes has stopped")
      assert.deepStrictEqual(yield* reasons(letters), ["Note Stopped", "Work Stopped"])
      assert.deepStrictEqual(yield* actor.ended, { path: "Notes", cause: undefined })
    }))

  it.effect("a drain becomes a drop by a second stop, which may also be shorter", () =>
    Effect.gen(function*() {
      const { actor } = yield* busy
      const draining = yield* Effect.forkChild(actor.stop(), { startImmediately: true })
      yield* ActorProbe.timed(actor.stop({ mode: "drop", within: 5 }))
      assert.isDefined(draining.pollUnsafe())
      assert.strictEqual(yield* Clock.currentTimeMillis, 5)
      assert.strictEqual((yield* actor.counts).handled, 0)
    }))

  it.effect("the end of its scope drains it within 5 s, or as its options say", () =>
    Effect.gen(function*() {
      const ending = (shutdown: Actor.StopOptions) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          const { actor } = yield* Scope.provide(ActorProbe.spawn(notes, { shutdown }), scope)
          yield* actor.tell(new Work({ millis: 4_000 }))
          yield* actor.tell(new Work({ millis: 4_000 }))
          yield* TestClock.adjust(0)
          const { millis } = yield* ActorProbe.timed(Scope.close(scope, Exit.void))
          return [millis, (yield* actor.counts).handled]
        })
      assert.deepStrictEqual(yield* ending({}), [5_000, 1])
      assert.deepStrictEqual(yield* ending({ within: "10 seconds" }), [8_000, 2])
      assert.deepStrictEqual(yield* ending({ mode: "drop" }), [4_000, 1])
    }))

  it.effect("one that waits to be restarted stops at once", () =>
    Effect.gen(function*() {
      const { actor, letters } = yield* ActorProbe.spawn(notes)
      yield* actor.tell(new Crash())
      yield* actor.tell(note(1))
      yield* TestClock.adjust(50)
      const { millis } = yield* ActorProbe.timed(actor.stop())
      assert.strictEqual(millis, 0)
      assert.deepStrictEqual(yield* reasons(letters), ["Crash Crashed", "Note Stopped"])
      assert.strictEqual((yield* actor.counts).restarts, 0)
    }).pipe(quiet))

  it.effect("a crash while it drains is the end", () =>
    Effect.gen(function*() {
      const { actor, letters } = yield* ActorProbe.spawn(notes)
      yield* actor.tell(new Work({ millis: 10 }))
      yield* actor.tell(new Crash())
      yield* actor.tell(note(1))
      yield* ActorProbe.timed(actor.stop())
      assert.deepStrictEqual(yield* reasons(letters), ["Crash Crashed", "Note Stopped"])
      assert.isDefined((yield* actor.ended).cause)
    }).pipe(quiet))

  it.effect("one that stops itself does not wait for itself, and ends after the message in hand", () =>
    Effect.gen(function*() {
      const behaviour = Behaviour.make("Mortal", {
        messages: [Note, Crash],
        initial: Effect.succeed(0),
        handle: {
          Note: (state, _, { stop }) => Effect.as(Effect.andThen(stop, Effect.sleep(10)), state),
          Crash: (state) => Effect.succeed(state)
        }
      })
      const { actor, letters } = yield* ActorProbe.spawn(behaviour, { shutdown: {} })
      const asking = yield* Effect.forkChild(actor.ask(note(1)), { startImmediately: true })
      yield* actor.tell(new Crash())
      yield* TestClock.adjust(10)
      yield* Fiber.join(asking)
      assert.deepStrictEqual(yield* actor.ended, { path: "Mortal", cause: undefined })
      assert.deepStrictEqual(yield* reasons(letters), ["Crash Stopped"])
    }))

  it.effect("a spawn that is interrupted, or whose scope ends, while it starts leaves nothing", () =>
    Effect.gen(function*() {
      let isReleased = false
      const slow = Behaviour.make("Slow", {
        messages: [Note],
        initial: Effect.acquireRelease(Effect.void, () => Effect.sync(() => void (isReleased = true))).pipe(
          Effect.andThen(Effect.sleep("1 minute"))
        ),
        handle: { Note: () => Effect.void }
      })
      const spawning = yield* Effect.forkChild(ActorProbe.spawn(slow), { startImmediately: true })
      yield* ActorProbe.timed(Fiber.interrupt(spawning))
      assert.isTrue(isReleased)
    }))

  it.effect("children end before what their parent had acquired, the youngest first", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const logged = (name: string) => Effect.addFinalizer(() => Effect.sync(() => log.push(name)))
      const child = (name: string) =>
        Behaviour.make("Child", { messages: [Note], initial: logged(name), handle: { Note: () => Effect.void } })
      const parent = Behaviour.make("Parent", {
        messages: [Note],
        initial: Effect.gen(function*() {
          yield* logged("parent")
          yield* Actor.spawn(child("elder"))
        }),
        handle: {
          // A child that is spawned by a handler is one, too.
          Note: (state) => Effect.as(Effect.orDie(Actor.spawn(child("younger"), { name: "2" })), state)
        }
      })
      const { actor } = yield* ActorProbe.spawn(parent)
      yield* actor.ask(note(1))
      yield* actor.stop()
      assert.deepStrictEqual(log, ["younger", "elder", "parent"])
    }))

  it.effect("its states are seen from the current one to the last", () =>
    Effect.gen(function*() {
      const { actor } = yield* ActorProbe.spawn(notes)
      const seeing = yield* Effect.forkChild(Stream.runCollect(actor.state.changes), { startImmediately: true })
      yield* TestClock.adjust(0)
      yield* actor.stop()
      const states = yield* Fiber.join(seeing)
      assert.deepStrictEqual(states.map(({ _tag }) => _tag), ["Running", "Stopping", "Stopped"])
      // And of one that has ended.
      const after = yield* Stream.runCollect(actor.state.changes)
      assert.deepStrictEqual(after.map(({ _tag }) => _tag), ["Stopped"])
    }))

  it.effect("its numbers are in the metrics, from zero on, and stay when it has ended", () =>
    Effect.gen(function*() {
      const lines = Effect.map(PrometheusMetrics.format(), (text) =>
        text.split("\n").filter((line) => /^tickline_(?:actor|dead)/.test(line) && !line.endsWith(" 0")))
      const { actor } = yield* ActorProbe.spawn(notes)
      assert.deepStrictEqual(yield* lines, [`tickline_actors{actor="Notes"} 1`])
      yield* actor.tell(new Work({ millis: 10 }))
      yield* TestClock.adjust(0)
      yield* actor.tell(new Crash())
      yield* actor.tell(note(1))
      assert.include(yield* lines, `tickline_actor_mailbox_depth{actor="Notes"} 3`)
      yield* TestClock.adjust("1 second")
      yield* actor.stop()
      assert.deepStrictEqual((yield* lines).toSorted(), [
        `tickline_actor_handled_total{actor="Notes"} 2`,
        `tickline_actor_messages_total{actor="Notes"} 3`,
        `tickline_actor_restarts_total{actor="Notes"} 1`,
        `tickline_dead_letters_total{reason="Crashed"} 1`
      ])
    }).pipe(quiet, Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("ten thousand that have ended leave nothing in the scope, and no timer", () =>
    Effect.gen(function*() {
      let registered = 0
      const scope = yield* Scope.make()
      const finalizers = () => scope.state._tag === "Open" ? scope.state.finalizers?.size ?? 0 : 0
      const clock = yield* Clock.Clock
      const counting: Clock.Clock = {
        ...clock,
        sleep: (duration) =>
          Effect.suspend(() => {
            registered++
            return Effect.ensuring(clock.sleep(duration), Effect.sync(() => registered--))
          })
      }
      yield* Effect.gen(function*() {
        for (let i = 0; i < 10_000; i++) {
          const actor = yield* Actor.spawn(notes)
          yield* actor.tell(note(i))
          if (i % 100 === 0) {
            assert.deepStrictEqual(numbers(yield* actor.ask(new Noted())), [i])
            // Whoever asks waits with a deadline as it ends.
            const asking = yield* Effect.forkChild(Effect.flip(actor.ask(new Work({ millis: 1 }))), {
              startImmediately: true
            })
            yield* actor.stop({ within: 0 })
            assert.strictEqual((yield* Fiber.join(asking))._tag, "ActorStopped")
          }
          yield* actor.stop()
        }
      }).pipe(
        Scope.provide(scope),
        Effect.provideService(Clock.Clock, counting),
        Effect.provide(DeadLetters.layer())
      )
      assert.strictEqual(finalizers(), 0)
      assert.strictEqual(registered, 0)
    }))
})
