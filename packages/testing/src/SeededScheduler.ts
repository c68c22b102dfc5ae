/**
 * A scheduler that runs a program under one of its many possible
 * interleavings: the seed decides which of the ready fibers goes on, and where
 * a fiber yields in between. The same seed gives the same order, so a race that
 * one seed found is found by it every time.
 *
 * Time belongs to the test here as well: `layer` brings a `TestClock` that does
 * not move while any fiber is ready.
 *
 * **Example** (a lost update, found and named)
 *
 * ```ts
 * it.effect("counts every visit", () =>
 *   SeededScheduler.check(
 *     Effect.gen(function*() {
 *       const visits = yield* Ref.make(0)
 *       const visit = Effect.flatMap(Ref.get(visits), (count) => Ref.set(visits, count + 1))
 *       yield* Effect.all([visit, visit], { concurrency: "unbounded" })
 *       assert.strictEqual(yield* Ref.get(visits), 2)
 *     }),
 *     { seeds: [1, 200] }
 *   ))
 * // SeedFailed: under seed 6: AssertionError: expected 1 to equal 2
 * ```
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Chance from "./Chance.ts"

/**
 * A scheduler whose choices follow from a seed.
 *
 * - `settled`: completes when no other task is ready
 * - `stuck`: completes when nothing can go on any more, or with so many steps
 *   that the program will hardly end
 *
 * @category models
 * @since 0.1.0
 */
export interface SeededScheduler extends Scheduler.Scheduler {
  readonly seed: number
  readonly settled: Effect.Effect<void>
  readonly stuck: (steps: number) => Effect.Effect<string>
}

interface Task {
  readonly run: () => void
  readonly priority: number
}

/** Tasks of one turn of the event loop, so that a program that never rests does not keep the process from its timers. */
const tasksPerTurn = 10_000

/** The most often that a fiber yields, in operations; how often it does is drawn from the seed as well. */
const mostYields = 0.25

class SeededSchedulerImpl implements SeededScheduler {
  readonly executionMode = "async"
  readonly seed: number
  readonly #chance: Chance.Chance
  readonly #yields: number
  readonly #loop = new Scheduler.MixedScheduler().makeDispatcher()
  readonly #ready: Array<Task> = []
  readonly #settling: Array<() => void> = []
  #isDue = false
  #steps = 0
  #watch: ((reason: string) => void) | undefined
  #mostSteps = Number.POSITIVE_INFINITY

  constructor(seed: number) {
    this.seed = seed
    this.#chance = Chance.make(seed)
    this.#yields = this.#chance.next() * mostYields
  }

  shouldYield({ currentOpCount }: Fiber.Fiber<unknown, unknown>): boolean {
    // Never before the first operation, as under any other: Effect counts on it where it interrupts a fiber that waits.
    return currentOpCount > 1 && this.#chance.happens(this.#yields)
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return {
      scheduleTask: (run, priority) => {
        this.#ready.push({ run, priority })
        this.#due()
      },
      flush: () => this.#turn(Number.MAX_SAFE_INTEGER)
    }
  }

  readonly settled = Effect.callback<void>((resume) => {
    this.#settling.push(() => resume(Effect.void))
    this.#due()
  })

  readonly stuck = (steps: number): Effect.Effect<string> =>
    Effect.callback<string>((resume) => {
      this.#mostSteps = steps
      this.#watch = (reason) => resume(Effect.succeed(reason))
      this.#due()
      return Effect.sync(() => {
        this.#watch = undefined
      })
    })

  #due(): void {
    if (this.#isDue) return
    this.#isDue = true
    this.#loop.scheduleTask(() => this.#turn(tasksPerTurn), 0)
  }

  #turn(tasks: number): void {
    this.#isDue = false
    let left = tasks
    for (; left > 0; left--) {
      // Who waits for rest goes on one by one: what the first makes ready comes before the second.
      const next = this.#take() ?? this.#settling.shift()
      if (next === undefined) break
      this.#steps++
      next()
    }
    if (this.#watch === undefined) return left === 0 ? this.#due() : undefined
    // Nothing in a whole turn of the event loop, which wakes who waits for a settled promise, after something before it.
    if (left === tasks && this.#steps > 0) {
      this.#watch("nothing can go on: no fiber is ready, and nobody lets time go on")
    } else if (this.#steps < this.#mostSteps) this.#due()
    else this.#watch(`still running after ${this.#steps} steps`)
  }

  /** One of the ready tasks of the most urgent priority, which is the lowest. */
  #take(): (() => void) | undefined {
    const ready = this.#ready
    const urgent = Math.min(...ready.map(({ priority }) => priority))
    const candidates = ready.filter(({ priority }) => priority === urgent)
    if (!Arr.isReadonlyArrayNonEmpty(candidates)) return undefined
    const task = this.#chance.pick(candidates)
    ready.splice(ready.indexOf(task), 1)
    return task.run
  }
}

/**
 * Makes a scheduler from a seed. Provide it as Effect's `Scheduler`, or better
 * use `layer`, whose clock waits for it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (seed: number): SeededScheduler => new SeededSchedulerImpl(seed)

const Current = Context.Reference<SeededScheduler | undefined>("@tickline/testing/SeededScheduler", {
  defaultValue: () => undefined
})

/**
 * Waits until no other fiber is ready, without moving time. Under any other
 * scheduler it does nothing. A fiber that is forked with `startImmediately` may
 * yield before it has come to where it waits: settle, and it is there.
 *
 * @category combinators
 * @since 0.1.0
 */
export const settled: Effect.Effect<void> = Effect.flatMap(Current, (current) => current?.settled ?? Effect.void)

/**
 * The scheduler of a seed, and a `TestClock` of its own, at 0, that moves only
 * when no fiber is ready: before each step, and after the last. Chance in the
 * program (`Random`) follows from the seed as well.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (seed: number): Layer.Layer<never> => layerOf(make(seed))

const layerOf = (scheduler: SeededScheduler): Layer.Layer<never> =>
  Layer.effectContext(Effect.gen(function*() {
    const context = yield* Layer.build(TestClock.layer())
    const base = yield* Effect.provideContext(TestClock.testClockWith(Effect.succeed), context)
    const random = yield* Random.withSeed(Random.Random, scheduler.seed)
    const settling = (moving: Effect.Effect<void>) =>
      Effect.andThen(Effect.andThen(scheduler.settled, moving), scheduler.settled)
    const clock: TestClock.TestClock = {
      ...base,
      adjust: (duration: Duration.Input) => settling(base.adjust(duration)),
      setTime: (timestamp: number) => settling(base.setTime(timestamp))
    }
    return context.pipe(
      Context.add(Clock.Clock, clock),
      Context.add(Current, scheduler),
      Context.add(Random.Random, random)
    )
  })).pipe(Layer.provide(Layer.succeed(Scheduler.Scheduler, scheduler)))

/**
 * A program failed under one seed, the first that was found. `detail` is how.
 *
 * @category errors
 * @since 0.1.0
 */
export class SeedFailed extends Schema.TaggedError<SeedFailed>()("SeedFailed", {
  seed: Schema.Finite,
  detail: Schema.String
}) {
  override get message(): string {
    return `under seed ${this.seed}: ${this.detail}`
  }
}

/**
 * Which seeds a program is run under, the last included, and how many steps it
 * may take under each before it is said never to end (default 1,000,000).
 *
 * @category models
 * @since 0.1.0
 */
export interface CheckOptions {
  readonly seeds: readonly [first: number, last: number]
  readonly steps?: number | undefined
}

/**
 * Runs a program under each seed, from the beginning, and fails with the first
 * under which it fails, or can no longer go on. To see that failure again, give
 * its seed alone: `{ seeds: [17, 17] }`.
 *
 * The program has a `TestClock` of its own and must wait for nothing outside of
 * Effect: no socket, no timer.
 *
 * @category running
 * @since 0.1.0
 */
export const check = Effect.fnUntraced(function*<A, E, R>(
  program: Effect.Effect<A, E, R>,
  { seeds: [first, last], steps = 1_000_000 }: CheckOptions
): Effect.fn.Return<void, SeedFailed, Exclude<R, Scope.Scope>> {
  for (let seed = first; seed <= last; seed++) {
    const scheduler = make(seed)
    const fiber = yield* Effect.forkDetach(Effect.provide(Effect.scoped(program), layerOf(scheduler)))
    const end = yield* Effect.raceFirst(Fiber.await(fiber), scheduler.stuck(steps)).pipe(
      Effect.onInterrupt(() => Effect.sync(() => fiber.interruptUnsafe()))
    )
    if (typeof end === "string") {
      fiber.interruptUnsafe()
      return yield* new SeedFailed({ seed, detail: end })
    }
    if (Exit.isFailure(end)) return yield* new SeedFailed({ seed, detail: Cause.pretty(end.cause).trim() })
  }
})
