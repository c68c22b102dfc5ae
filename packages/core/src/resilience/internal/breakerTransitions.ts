/**
 * The machine of a circuit breaker: a pure function, `transition`, from a state,
 * an event and the time to the next state. Times are those of the monotonic
 * clock, in milliseconds. `CircuitBreaker` makes breakers that hold it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { Policy, State, Transition } from "../Circuit.ts"

type Closed = Extract<State, { readonly _tag: "Closed" }>

/**
 * The policy of a breaker that never opens, and only counts.
 *
 * @category constants
 * @since 0.1.0
 */
export const never: Policy = {
  failureThreshold: Infinity,
  window: undefined,
  openDuration: Duration.zero,
  openFactor: 1,
  openCap: Duration.zero,
  halfOpen: "skip"
}

/**
 * The state of a breaker that has seen nothing.
 *
 * @category constants
 * @since 0.1.0
 */
export const closed: Closed = { _tag: "Closed", failures: 0, failedAt: [] }

/**
 * What happens to a breaker.
 *
 * - `Acquire`: somebody asks to be admitted
 * - `Succeed`, `ConfirmStable`, `Fail`, `Release`: what an admitted one reports;
 *   `ConfirmStable` is a stable period, which closes the breaker outright, `Release`
 *   says nothing but that it is gone
 * - `Reset`: closed by hand
 *
 * @category models
 * @since 0.1.0
 */
export type Event =
  | { readonly _tag: "Acquire" | "Succeed" | "ConfirmStable" | "Release" | "Reset" }
  | { readonly _tag: "Fail"; readonly reason: string }

/**
 * What an event leads to: the next state, whether an `Acquire` is admitted, and
 * the transition where the state's name changed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  readonly state: State
  readonly admitted: boolean
  readonly transition: Transition | undefined
}

/**
 * For how long opening number `openings` lasts, in milliseconds.
 *
 * @category getters
 * @since 0.1.0
 */
export const openMillis = (policy: Policy, openings: number): number =>
  Math.min(
    Duration.toMillis(policy.openDuration) * policy.openFactor ** (openings - 1),
    Duration.toMillis(policy.openCap)
  )

const stay = (state: State, admitted = true): Step => ({ state, admitted, transition: undefined })

const move = (from: State, to: State, at: number, reason: string): Step => ({
  state: to,
  admitted: true,
  transition: to._tag === "Open"
    ? { from: from._tag, to: to._tag, at, reason, openForMillis: to.until - at, failures: to.failures }
    : { from: from._tag, to: to._tag, at, reason }
})

const open = (policy: Policy, from: State, openings: number, failures: number, at: number, reason: string): Step =>
  move(from, { _tag: "Open", until: at + openMillis(policy, openings), openings, failures, ready: false }, at, reason)

const failClosed = (policy: Policy, state: Closed, at: number, reason: string): Step => {
  const window = policy.window === undefined ? undefined : Duration.toMillis(policy.window)
  const failedAt = window === undefined ? state.failedAt : [...state.failedAt.filter((then) => at - then < window), at]
  const failures = window === undefined ? state.failures + 1 : failedAt.length
  return failures >= policy.failureThreshold
    ? open(
      policy,
      state,
      1,
      failures,
      at,
      `${failures} ${failures === 1 ? "failure" : "failures"}, the last: ${reason}`
    )
    : stay({ _tag: "Closed", failures, failedAt })
}

/**
 * Steps a breaker. Pure; `now` is in milliseconds of the monotonic clock.
 *
 * @category combinators
 * @since 0.1.0
 */
export const transition = (state: State, event: Event, now: number, policy: Policy): Step => {
  if (event._tag === "Reset") {
    return state._tag === "Closed" ? stay(closed) : move(state, closed, now, "reset by hand")
  }
  switch (state._tag) {
    case "Closed":
      switch (event._tag) {
        case "Fail":
          return failClosed(policy, state, now, event.reason)
        case "Succeed":
          // With a window failures end by their age only.
          return stay(state.failures === 0 || policy.window !== undefined ? state : closed)
        case "ConfirmStable":
          return stay(closed)
        default:
          return stay(state)
      }
    case "Open":
      if (event._tag !== "Acquire") return stay(state)
      if (now < state.until) return stay(state, false)
      return policy.halfOpen === "skip"
        ? move(state, closed, now, "open time over")
        : move(
          state,
          { _tag: "HalfOpen", successes: 0, probing: true, openings: state.openings },
          now,
          "open time over"
        )
    case "HalfOpen":
      switch (event._tag) {
        case "Acquire":
          return state.probing ? stay(state, false) : stay({ ...state, probing: true })
        case "Release":
          return stay({ ...state, probing: false })
        case "ConfirmStable":
          return move(state, closed, now, "stable")
        case "Succeed": {
          const successes = state.successes + 1
          return policy.halfOpen === "skip" || successes >= policy.halfOpen.successThreshold
            ? move(state, closed, now, `${successes} successful ${successes === 1 ? "probe" : "probes"}`)
            : stay({ ...state, successes, probing: false })
        }
        case "Fail":
          return open(policy, state, state.openings + 1, 1, now, `probe failed: ${event.reason}`)
      }
  }
}
