/**
 * How long to wait after a failure before the next attempt.
 *
 * The wait is a `Schedule` stepped with the typed failure: exponential, capped,
 * and, where asked for, jittered and adapted to the kind and the pattern of the
 * failures. It knows no limit of retries; that count is the caller's.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Monotonic from "../../value/Monotonic.ts"
import {
  adapt,
  type Adaptive,
  type AdaptiveOptions,
  type Failure,
  type Growth,
  initial,
  type Pattern
} from "./adaptiveBackoff.ts"

/**
 * What a backoff is told of a failure.
 *
 * @category models
 * @since 0.1.0
 */
export type { Failure } from "./adaptiveBackoff.ts"

/**
 * How much chance a delay has. Every kind stays at or below the delay before
 * jitter, so below the cap, and gives whole milliseconds.
 *
 * - `"none"`: the delay itself
 * - `"full"`: uniform in [0, delay]
 * - `"equal"`: uniform in [delay / 2, delay]
 *
 * @category models
 * @since 0.1.0
 */
export type Jitter = "none" | "full" | "equal"

/**
 * A backoff: delay n is `min(base × factor^(n - 1), cap)` before jitter.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Growth {
  readonly jitter: Jitter
  readonly adaptive?: AdaptiveOptions | undefined
}

const jittered = (jitter: Jitter, delayMillis: number): Effect.Effect<number> => {
  const most = Math.floor(delayMillis)
  const least = jitter === "full" ? 0 : Math.ceil(delayMillis / 2)
  return jitter === "none" || most <= least ? Effect.succeed(delayMillis) : Random.nextIntBetween(least, most)
}

type Remember = (now: number, failure: Failure) => Effect.Effect<Adaptive>

const plain = (options: Options): Effect.Effect<Remember> => {
  const cap = Duration.toMillis(options.cap)
  return Effect.map(
    Schedule.toStep(Schedule.exponential(options.base, options.factor)),
    (step): Remember => (now, failure) =>
      // It never ends, so its end would be a defect.
      Effect.map(Effect.orDie(step(now, failure)), ([delay]) => ({
        ...initial,
        delayMillis: Math.min(Duration.toMillis(delay), cap),
        failedAt: now
      }))
  )
}

const adaptive = (
  options: Options & { readonly adaptive: AdaptiveOptions },
  start: Adaptive
): Effect.Effect<Remember> =>
  Effect.sync(() => {
    let state = start
    return (now, failure) => Effect.sync(() => state = adapt(options, state, failure, now))
  })

/**
 * Makes the schedule of a backoff whose output is what it remembers: the delay
 * before jitter and the pattern. It never ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const steps = (options: Options, start: Adaptive = initial): Schedule.Schedule<Adaptive, Failure> =>
  Schedule.fromStep(
    Effect.map(
      options.adaptive === undefined ? plain(options) : adaptive({ ...options, adaptive: options.adaptive }, start),
      (remember) => (now: number, failure: Failure) =>
        Effect.flatMap(remember(now, failure), (memory) =>
          Effect.map(
            jittered(options.jitter, memory.delayMillis),
            (millis): [Adaptive, Duration.Duration] => [memory, Duration.millis(millis)]
          ))
    )
  )

/**
 * Makes the schedule of a backoff whose output is the delay before jitter. It
 * never ends; a fresh step (`Schedule.toStep`) starts again at the base, or, of
 * an adaptive backoff, at what `start` remembers.
 *
 * @category constructors
 * @since 0.1.0
 */
export const schedule = (
  options: Options,
  start: Adaptive = initial
): Schedule.Schedule<Duration.Duration, Failure> =>
  Schedule.map(steps(options, start), ({ output }) => Effect.succeed(Duration.millis(output.delayMillis)))

/**
 * The wait after one failure, in milliseconds, jitter included, and the pattern
 * where an adaptive backoff saw one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  readonly delayMillis: number
  readonly pattern?: Pattern
}

/**
 * A backoff under way.
 *
 * - `next`: the wait after this failure
 * - `reset`: the next wait starts at the base again, except that an adaptive
 *   backoff takes up the last delay where the next failure ends a connection
 *   that lived only shortly
 *
 * @category models
 * @since 0.1.0
 */
export interface Stepper {
  readonly next: (failure: Failure) => Effect.Effect<Step>
  readonly reset: Effect.Effect<void>
}

type Advance = (now: number, failure: Failure) => Pull.Pull<[Adaptive, Duration.Duration], never, Adaptive>

// A step of the schedule is begun by the first failure: to most backoffs none comes.
class StepperImpl implements Stepper {
  private readonly options: Options
  private memory = initial
  private advance: Advance | undefined

  constructor(options: Options) {
    this.options = options
  }

  next(failure: Failure): Effect.Effect<Step> {
    return Effect.gen(() => this.step(failure))
  }

  get reset(): Effect.Effect<void> {
    return Effect.sync(() => {
      this.memory = { ...this.memory, reset: true }
      this.advance = undefined
    })
  }

  private *step(failure: Failure): Effect.fn.Return<Step> {
    const now = yield* Monotonic.now
    const advance = this.advance ??= yield* Schedule.toStep(steps(this.options, this.memory))
    // `steps` never ends, so its end would be a defect.
    const [state, delay] = yield* Effect.orDie(advance(now, failure))
    this.memory = state
    const delayMillis = Duration.toMillis(delay)
    return state.pattern === undefined ? { delayMillis } : { delayMillis, pattern: state.pattern }
  }
}

/**
 * Starts a backoff.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Effect.Effect<Stepper> => Effect.sync(() => new StepperImpl(options))
