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
 * How a backoff adapts to what fails and how.
 *
 * - `rapidFactor`: growth per step while failures follow one another, 1.8 or more
 * - `rapidWindow`: an attempt that fails within it is rapid; a connection that
 *   lives less is no recovery, one that lives as long or longer starts the
 *   delays again at the base
 * - `recoverFactor`: in (0, 1]; the share of the last delay with which the wait
 *   starts after a connection that came and went
 *
 * @category models
 * @since 0.1.0
 */
export interface AdaptiveOptions {
  readonly rapidFactor: number
  readonly rapidWindow: Duration.Duration
  readonly recoverFactor: number
}

/**
 * A backoff: delay n is `min(base × factor^(n - 1), cap)` before jitter.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly base: Duration.Duration
  readonly factor: number
  readonly cap: Duration.Duration
  readonly jitter: Jitter
  readonly adaptive?: AdaptiveOptions | undefined
}

/**
 * What a backoff is told of a failure: its class, such as `"Refused"` or
 * `"Dropped"`, and how long the connection had lived, in milliseconds, or
 * `undefined` where the attempt itself failed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  readonly kind: string
  readonly uptimeMillis: number | undefined
}

/**
 * What an adaptive backoff saw in the failures.
 *
 * - `rapid_consecutive`: one failed attempt right after the other
 * - `persistent_failure`: three or more in a row to which nobody answered: the
 *   path is dead, and the wait is at least {@link persistentShare} of the cap
 * - `intermittent_recovery`: a connection came back and soon went
 *
 * @category models
 * @since 0.1.0
 */
export type Pattern = "rapid_consecutive" | "persistent_failure" | "intermittent_recovery"

/**
 * What a backoff remembers, as a value: `delayMillis` is the last delay before
 * jitter, `failedAt` when the last failure was reported (`Monotonic.now`),
 * `unanswered` how many attempts in a row nobody answered, `brief` whether the
 * last failure ended a short connection, `reset` whether the backoff was reset
 * since: then only a short connection still takes up the last delay.
 *
 * @category models
 * @since 0.1.0
 */
export interface Adaptive {
  readonly delayMillis: number
  readonly failedAt: number | undefined
  readonly unanswered: number
  readonly brief: boolean
  readonly reset: boolean
  readonly pattern: Pattern | undefined
}

/**
 * The memory of a backoff that has seen no failure.
 *
 * @category constants
 * @since 0.1.0
 */
export const initial: Adaptive = {
  delayMillis: 0,
  failedAt: undefined,
  unanswered: 0,
  brief: false,
  reset: false,
  pattern: undefined
}

/**
 * The classes of failure in which nobody answered.
 *
 * @category constants
 * @since 0.1.0
 */
export const unansweredKinds: ReadonlySet<string> = new Set(["TimedOut", "Unreachable", "NotResolved"])

/**
 * How many unanswered attempts in a row make a dead path: two may be chance.
 *
 * @category constants
 * @since 0.1.0
 */
export const persistentAfter = 3

/**
 * The least share of the cap that is waited on a dead path: 8 s of a cap of
 * 10 s, as the public nzeza repository asks.
 *
 * @category constants
 * @since 0.1.0
 */
export const persistentShare = 0.8

/**
 * Steps an adaptive backoff: what it remembers after `failure`, reported at
 * `now` (`Monotonic.now`). Pure; the wait, before jitter, is `delayMillis`.
 *
 * A connection that came back moderates the delay once: where the one after it
 * is as short, the delay grows again, so that a server which accepts and drops
 * is not dialled ever faster.
 *
 * @category combinators
 * @since 0.1.0
 */
export const adapt = (
  options: Options & { readonly adaptive: AdaptiveOptions },
  state: Adaptive,
  failure: Failure,
  now: number
): Adaptive => {
  const { rapidFactor, rapidWindow, recoverFactor } = options.adaptive
  const base = Duration.toMillis(options.base)
  const cap = Duration.toMillis(options.cap)
  const window = Duration.toMillis(rapidWindow)
  const brief = failure.uptimeMillis !== undefined && failure.uptimeMillis < window
  const unanswered = failure.uptimeMillis !== undefined || !unansweredKinds.has(failure.kind)
    ? 0
    : state.reset
    ? 1
    : state.unanswered + 1
  const after = (delayMillis: number, pattern: Pattern | undefined): Adaptive => ({
    delayMillis: Math.min(delayMillis, cap),
    failedAt: now,
    unanswered,
    brief,
    reset: false,
    pattern
  })
  const afresh = failure.uptimeMillis === undefined ? state.reset : !brief
  if (state.failedAt === undefined || afresh) return after(base, undefined)
  if (brief && !state.brief) {
    return after(Math.max(base, state.delayMillis * recoverFactor), "intermittent_recovery")
  }
  const took = failure.uptimeMillis ?? now - state.failedAt - state.delayMillis
  const rapid = took <= window
  const grown = state.delayMillis * (rapid ? rapidFactor : options.factor)
  return unanswered >= persistentAfter
    ? after(Math.max(grown, persistentShare * cap), "persistent_failure")
    : after(grown, rapid ? "rapid_consecutive" : undefined)
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
