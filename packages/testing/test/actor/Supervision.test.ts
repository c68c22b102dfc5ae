/** What is done about an actor that fails: each directive, and every wait to the millisecond. */
import { assert, describe, it } from "@effect/vitest"
import * as Actor from "@tickline/core/actor/Actor"
import type { ActorState } from "@tickline/core/actor/ActorState"
import * as Behaviour from "@tickline/core/actor/Behaviour"
import type { DeadLetters } from "@tickline/core/actor/DeadLetters"
import type { Directive } from "@tickline/core/actor/Supervisor"
import * as ActorProbe from "@tickline/testing/ActorProbe"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Request from "effect/Request"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { Crash, Note, note, Noted, notes, numbers, quiet, Refuse } from "./Notes.ts"

const tags = (states: ReadonlyArray<ActorState>) => states.map(({ _tag }) => _tag)

/** Keeps notes, and when each start was. */
const starting = (starts: Array<number>) =>
  Behaviour.make("Starting", {
    messages: [Note, Noted, Crash],
    initial: Effect.gen(function*() {
      starts.push(yield* Clock.currentTimeMillis)
      const kept: ReadonlyArray<Note> = []
      return kept
    }),
    handle: {
      Note: (kept, message) => Effect.succeed([...kept, message]),
      Noted: (kept) => Effect.succeed(Behaviour.reply(kept, kept)),
      Crash: () => Effect.die(new Error("broken"))
    }
  })

const crash = (actor: { readonly tell: (message: Crash) => Effect.Effect<unknown> }, times: number) =>
  Effect.repeat(actor.tell(new Crash()), { times: times - 1 })

describe("Supervision", () => {
  it.effect("restarts wait 100 ms, doubled, and the sixth crash within a minute is the end", () =>
    Effect.gen(function*() {
      const starts: Array<number> = []
      const { actor, letters, states } = yield* ActorProbe.spawn(starting(starts))
      yield* crash(actor, 6)
      yield* actor.tell(note(1))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(starts, [0, 100, 300, 700, 1_500, 3_100])
      assert.deepStrictEqual(tags(states).slice(-3), ["Restarting", "Running", "Stopped"])
      const { cause } = yield* actor.ended
      assert.match(String(cause && Cause.squash(cause)), /broken/)
      assert.deepStrictEqual((yield* letters).map(({ reason }) => reason), [
        ...Array.from({ length: 6 }, () => "Crashed"),
        "Stopped"
      ])
    }).pipe(quiet))

  it.effect("a wait is at most 10 s", () =>
    Effect.gen(function*() {
      const starts: Array<number> = []
      const { actor } = yield* ActorProbe.spawn(starting(starts), {
        supervision: { intensity: { restarts: 100, within: "1 hour" } }
      })
      yield* crash(actor, 9)
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(
        starts.map((at, i) => at - (starts[i - 1] ?? 0)),
        [0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]
      )
    }).pipe(quiet))

  it.effect("after a time of the intensity without a restart, the waits begin anew", () =>
    Effect.gen(function*() {
      const starts: Array<number> = []
      const { actor, states } = yield* ActorProbe.spawn(starting(starts), {
        supervision: { intensity: { restarts: 2, within: "10 seconds" } }
      })
      yield* crash(actor, 2)
      // The second restart counts from its crash, at 100 ms.
      yield* TestClock.adjust(10_100)
      yield* crash(actor, 2)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(starts, [0, 100, 300, 10_200, 10_400])
      const restarting = states.flatMap((state) =>
        state._tag === "Restarting" ? [[state.attempt, state.delayMillis]] : []
      )
      assert.deepStrictEqual(restarting, [[1, 100], [2, 200], [1, 100], [2, 200]])
    }).pipe(quiet))

  it.effect("a restart leaves the window to the millisecond", () =>
    Effect.gen(function*() {
      const after = (millis: number) =>
        Effect.gen(function*() {
          const { actor } = yield* ActorProbe.spawn(starting([]), {
            supervision: { intensity: { restarts: 1, within: "10 seconds" } }
          })
          yield* crash(actor, 1)
          yield* TestClock.adjust(millis)
          yield* crash(actor, 1)
          yield* TestClock.adjust("1 second")
          return (yield* actor.state.current)._tag
        })
      assert.strictEqual(yield* after(9_999), "Stopped")
      assert.strictEqual(yield* after(10_000), "Running")
    }).pipe(quiet))

  it.effect("a backoff that ends is as too many restarts", () =>
    Effect.gen(function*() {
      const starts: Array<number> = []
      const { actor } = yield* ActorProbe.spawn(starting(starts), {
        supervision: { backoff: Schedule.spaced("7 millis").pipe(Schedule.upTo({ times: 2 })) }
      })
      yield* crash(actor, 5)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(starts, [0, 7, 14])
      assert.strictEqual((yield* actor.state.current)._tag, "Stopped")
    }).pipe(quiet))

  it.effect("resume goes on with the state as it was", () =>
    Effect.gen(function*() {
      const { actor, states } = yield* ActorProbe.spawn(notes, { supervision: { decide: () => "resume" } })
      yield* actor.tell(note(1))
      yield* actor.tell(new Crash())
      yield* actor.tell(note(2))
      assert.deepStrictEqual(numbers(yield* actor.ask(new Noted())), [1, 2])
      assert.deepStrictEqual(tags(states), ["Running"])
    }).pipe(quiet))

  it.effect("a crash is in the log, with what is done about it; an answer is not", () =>
    Effect.gen(function*() {
      const lines: Array<unknown> = []
      const logger = Logger.make(({ fiber, message }) => {
        const { directive, error } = fiber.getRef(References.CurrentLogAnnotations)
        lines.push([String(message).split(",")[0], directive, error])
      })
      const directives: Array<Directive> = ["resume", "restart", "escalate"]
      yield* Effect.gen(function*() {
        const { actor } = yield* ActorProbe.spawn(notes, {
          supervision: { decide: (cause) => Cause.hasDies(cause) ? directives.shift() ?? "stop" : "resume" }
        })
        yield* Effect.flip(actor.ask(new Refuse({ why: "closed" })))
        yield* crash(actor, 3)
        yield* TestClock.adjust(100)
        const { actor: other } = yield* ActorProbe.spawn(notes, { supervision: { decide: () => "stop" } })
        yield* crash(other, 1)
      }).pipe(Effect.provide(Logger.layer([logger])))
      assert.deepStrictEqual(lines, [
        ["actor crashed", "resume", "Error: broken"],
        ["actor crashed", "restart", "Error: broken"],
        ["actor crashed", "escalate", "Error: broken"],
        ["actor crashed", "stop", "Error: broken"]
      ])
    }))

  it.effect("an error of the handler's own type may be taken for a crash", () =>
    Effect.gen(function*() {
      const { actor } = yield* ActorProbe.spawn(notes, { supervision: { decide: () => "stop" } })
      const error = yield* Effect.flip(actor.ask(new Refuse({ why: "closed" })))
      assert.strictEqual(error._tag, "Refused")
      assert.strictEqual((yield* actor.ended).cause?.reasons[0]?._tag, "Fail")
    }).pipe(quiet))

  it.effect("what is interrupted from within, and what throws, has crashed", () =>
    Effect.gen(function*() {
      const causes: Array<string> = []
      const behaviour = Behaviour.make("Fragile", {
        messages: [Note, Crash],
        initial: Effect.void,
        handle: {
          Note: () => Effect.interrupt,
          Crash: () => {
            throw new Error("thrown")
          }
        }
      })
      const { actor } = yield* ActorProbe.spawn(behaviour, {
        supervision: {
          decide: (cause) => {
            causes.push(cause.reasons.map(({ _tag }) => _tag).join())
            return "resume"
          }
        }
      })
      assert.strictEqual((yield* Effect.flip(actor.ask(note(1))))._tag, "ActorCrashed")
      assert.strictEqual((yield* Effect.flip(actor.ask(new Crash()))).message, "Fragile crashed: thrown")
      assert.deepStrictEqual(causes, ["Interrupt", "Die"])
    }).pipe(quiet))

  it.effect("a decision that throws ends the actor, and its scope", () =>
    Effect.gen(function*() {
      let isReleased = false
      const behaviour = Behaviour.make("Undecided", {
        messages: [Crash],
        initial: Effect.acquireRelease(Effect.void, () => Effect.sync(() => void (isReleased = true))),
        handle: { Crash: () => Effect.die("broken") }
      })
      const { actor } = yield* ActorProbe.spawn(behaviour, {
        supervision: {
          decide: () => {
            throw new Error("undecided")
          }
        }
      })
      yield* actor.tell(new Crash())
      const { cause } = yield* actor.ended
      assert.match(String(cause && Cause.squash(cause)), /undecided/)
      assert.isTrue(isReleased)
    }).pipe(quiet))

  it.effect("a backoff that is broken ends the actor", () =>
    Effect.gen(function*() {
      const backoff = Schedule.spaced(1).pipe(Schedule.modifyDelay(() => Effect.die("no delay")))
      const { actor } = yield* ActorProbe.spawn(notes, { supervision: { backoff } })
      yield* actor.tell(new Crash())
      const { cause } = yield* actor.ended
      assert.strictEqual(cause && Cause.squash(cause), "no delay")
    }).pipe(quiet))

  it.effect("a first start that fails fails the spawn, and leaves nothing", () =>
    Effect.gen(function*() {
      let released = 0
      const behaviour = Behaviour.make("Unborn", {
        messages: [Note],
        initial: Effect.acquireRelease(Effect.void, () => Effect.sync(() => released++)).pipe(
          Effect.andThen(Effect.fail("no state" as const))
        ),
        handle: { Note: () => Effect.never }
      })
      assert.strictEqual(yield* Effect.flip(ActorProbe.spawn(behaviour)), "no state")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(released, 1)
    }).pipe(quiet))

  it.effect("a later start that fails counts as a crash", () =>
    Effect.gen(function*() {
      const starts: Array<number> = []
      const behaviour = Behaviour.make("Weak", {
        messages: [Crash, Noted],
        initial: Effect.gen(function*() {
          starts.push(yield* Clock.currentTimeMillis)
          if (starts.length === 2 || starts.length === 3) return yield* Effect.fail("not yet" as const)
        }),
        handle: {
          Crash: () => Effect.die("broken"),
          Noted: () => Effect.succeed(Behaviour.reply([], undefined))
        }
      })
      const { actor, states } = yield* ActorProbe.spawn(behaviour)
      yield* actor.tell(new Crash())
      const { exit, millis } = yield* ActorProbe.timed(actor.ask(new Noted()))
      assert.deepStrictEqual(yield* exit, [])
      assert.strictEqual(millis, 700)
      assert.deepStrictEqual(starts, [0, 100, 300, 700])
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(tags(states), ["Running", "Restarting", "Restarting", "Restarting", "Running"])
    }).pipe(quiet))

  it.effect("what is persisted is what a restart goes on from; what cannot be is not answered", () =>
    Effect.gen(function*() {
      const kept = new Map<string, number>()
      const counter = Behaviour.make("Counter", {
        messages: [Note, Crash, Noted],
        initial: Effect.succeed(0),
        handle: {
          Note: (sum, { number }) => Effect.succeed(sum + number),
          Crash: () => Effect.die("broken"),
          Noted: (sum) => Effect.succeed(Behaviour.reply([note(sum)], sum))
        },
        snapshots: {
          restore: (path) => Effect.sync(() => Option.fromUndefinedOr(kept.get(path))),
          persist: (path, sum) => sum === 13 ? Effect.fail("no room") : Effect.sync(() => void kept.set(path, sum))
        }
      })
      const { actor, letters } = yield* ActorProbe.spawn(counter, { name: "one" })
      yield* actor.tell(note(5))
      yield* actor.tell(new Crash())
      assert.deepStrictEqual(numbers(yield* (yield* ActorProbe.timed(actor.ask(new Noted()))).exit), [5])
      const error = yield* Effect.flip(actor.ask(note(8)))
      assert.strictEqual(error.message, "Counter/one crashed: no room")
      assert.deepStrictEqual(numbers(yield* (yield* ActorProbe.timed(actor.ask(new Noted()))).exit), [5])
      assert.deepStrictEqual([...kept], [["Counter/one", 5]])
      assert.deepStrictEqual((yield* letters).map(({ message, reason }) => [message._tag, reason]), [
        ["Crash", "Crashed"],
        ["Note", "Crashed"]
      ])
      // Another of the same path goes on from there, too.
      yield* actor.stop()
      const { actor: next } = yield* ActorProbe.spawn(counter, { name: "one" })
      assert.deepStrictEqual(numbers(yield* next.ask(new Noted())), [5])
    }).pipe(quiet))

  it.effect("a restart ends its children and what it had acquired, before the next start", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const child = Behaviour.make("Child", {
        messages: [Note],
        initial: Effect.acquireRelease(
          Effect.sync(() => log.push("child begins")),
          () => Effect.sync(() => log.push("child ends"))
        ),
        handle: { Note: (state) => Effect.succeed(state) }
      })
      const parent = Behaviour.make("Parent", {
        messages: [Crash],
        initial: Effect.gen(function*() {
          log.push("parent begins")
          yield* Effect.addFinalizer(() => Effect.sync(() => log.push("parent ends")))
          yield* Actor.spawn(child)
        }),
        handle: { Crash: () => Effect.die("broken") }
      })
      const { actor } = yield* ActorProbe.spawn(parent)
      yield* actor.tell(new Crash())
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(log, [
        "parent begins",
        "child begins",
        "child ends",
        "parent ends",
        "parent begins",
        "child begins"
      ])
    }).pipe(quiet))

  describe("escalate", () => {
    const family = (decide: () => Directive, told: Array<string>) =>
      Effect.gen(function*() {
        const children: Array<Actor.Actor<Note | Crash>> = []
        const parent = Behaviour.make("Parent", {
          messages: [Note, Noted],
          initial: Effect.gen(function*() {
            children.push(yield* Actor.spawn(notes, { supervision: { decide: () => "escalate" } }))
            const kept: ReadonlyArray<Note> = []
            return kept
          }),
          handle: {
            Note: (kept, message) => Effect.succeed([...kept, message]),
            Noted: (kept) => Effect.succeed(Behaviour.reply(kept, kept))
          },
          ended: (kept, { path }) =>
            Effect.sync(() => {
              told.push(path)
              return kept
            })
        })
        const probe = yield* ActorProbe.spawn(parent, { supervision: { decide } })
        yield* probe.actor.tell(note(1))
        const [child] = children
        assert.isDefined(child)
        yield* child.tell(new Crash())
        yield* TestClock.adjust(100)
        return { ...probe, child, children }
      })

    it.effect("ends the child, and the parent fails with its cause", () =>
      Effect.gen(function*() {
        const told: Array<string> = []
        const { actor, child } = yield* family(() => "stop", told)
        assert.strictEqual((yield* child.state.current)._tag, "Stopped")
        const { cause } = yield* actor.ended
        assert.match(String(cause && Cause.squash(cause)), /broken/)
        assert.deepStrictEqual(told, [])
      }).pipe(quiet))

    it.effect("restarts the parent with its children", () =>
      Effect.gen(function*() {
        const { actor, children } = yield* family(() => "restart", [])
        assert.deepStrictEqual(numbers(yield* actor.ask(new Noted())), [])
        assert.strictEqual(children.length, 2)
        const [, second] = children
        assert.isDefined(second)
        assert.strictEqual(yield* second.tell(note(2)), "Queued")
      }).pipe(quiet))

    it.effect("is told to a parent that resumes, as any end of a child", () =>
      Effect.gen(function*() {
        const told: Array<string> = []
        const { actor, states } = yield* family(() => "resume", told)
        assert.deepStrictEqual(numbers(yield* actor.ask(new Noted())), [1])
        assert.deepStrictEqual(told, ["Parent/Notes"])
        assert.deepStrictEqual(tags(states), ["Running"])
      }).pipe(quiet))

    it.effect("is what too many restarts come to", () =>
      Effect.gen(function*() {
        const children: Array<Actor.Actor<Crash>> = []
        const parent = Behaviour.make("Parent", {
          messages: [Note],
          initial: Effect.gen(function*() {
            children.push(
              yield* Actor.spawn(notes, { supervision: { intensity: { restarts: 0, within: "1 second" } } })
            )
          }),
          handle: { Note: (state) => Effect.succeed(state) }
        })
        const { actor } = yield* ActorProbe.spawn(parent, { supervision: { decide: () => "stop" } })
        const [child] = children
        assert.isDefined(child)
        yield* child.tell(new Crash())
        yield* TestClock.adjust(0)
        assert.strictEqual((yield* actor.state.current)._tag, "Stopped")
      }).pipe(quiet))

    it.effect("without a parent is the end", () =>
      Effect.gen(function*() {
        const { actor } = yield* ActorProbe.spawn(notes, { supervision: { decide: () => "escalate" } })
        yield* actor.tell(new Crash())
        assert.match(String((yield* actor.ended).cause), /broken/)
      }).pipe(quiet))
  })

  it.effect("an actor's children are those that have not ended", () =>
    Effect.gen(function*() {
      class Paths extends Request.TaggedClass("Paths")<{}, ReadonlyArray<string>> {}
      const spawned: Array<Actor.Actor<Note>> = []
      const parent = Behaviour.make("Parent", {
        messages: [Paths],
        initial: Effect.gen(function*() {
          for (const name of ["a", "b"]) spawned.push(yield* Actor.spawn(notes, { name }))
        }),
        handle: {
          Paths: (state, _, { children }) => Effect.map(children, (paths) => Behaviour.reply(paths, state))
        }
      })
      const { actor } = yield* ActorProbe.spawn(parent)
      assert.deepStrictEqual(yield* actor.ask(new Paths()), ["Parent/Notes/a", "Parent/Notes/b"])
      const [first] = spawned
      assert.isDefined(first)
      yield* first.stop()
      assert.deepStrictEqual(yield* actor.ask(new Paths()), ["Parent/Notes/b"])
    }))

  it.effect("whoever watches is told of the end, once, also of one that has ended before", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const { actor: other } = yield* ActorProbe.spawn(notes)
      const watcher = Behaviour.make("Watcher", {
        messages: [Note],
        initial: Effect.void,
        handle: {
          Note: (state, _, { watch }) => Effect.as(Effect.andThen(watch(other), watch(other)), state)
        },
        ended: (_, { cause, path }) =>
          Effect.sync(() => void told.push(`${path} ${cause === undefined ? "stopped" : "crashed"}`))
      })
      const { actor } = yield* ActorProbe.spawn(watcher)
      yield* actor.tell(note(1))
      yield* TestClock.adjust(0)
      yield* other.stop()
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(told, ["Notes stopped"])
      yield* actor.tell(note(2))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(told, ["Notes stopped", "Notes stopped"])
    }))

  it.effect("a handler of an end that fails has crashed", () =>
    Effect.gen(function*() {
      const parent = Behaviour.make("Parent", {
        messages: [Note],
        initial: Actor.spawn(notes, { supervision: { decide: () => "stop" } }),
        handle: { Note: (child) => Effect.as(child.tell(new Crash()), child) },
        ended: () => Effect.fail("not this one")
      })
      const { actor } = yield* ActorProbe.spawn(parent, { supervision: { decide: () => "stop" } })
      yield* actor.tell(note(1))
      const { cause } = yield* actor.ended
      assert.strictEqual(cause && Cause.squash(cause), "not this one")
    }).pipe(quiet))
})

// What a behaviour needs is what its parts need.
const _needs: Effect.Effect<unknown, unknown, DeadLetters> = Effect.scoped(Actor.spawn(starting([])))
void _needs
