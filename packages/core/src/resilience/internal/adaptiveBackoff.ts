/**
 * How a wait adapts to what fails and how: its pattern is seen in the failures
 * so far, and the wait grows, or begins again, by it. Pure.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"

/**
 * How delays grow: each is `factor` times the last, from `base` up to `cap`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Growth {
  readonly base: Duration.Duration
  readonly factor: number
  readonly cap: Duration.Duration
}

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
  options: Growth & { readonly adaptive: AdaptiveOptions },
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
