/**
 * The way to a wire: waits until the dial is due, the breaker admits it and the
 * limit has room for it, and dials.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type * as Breaker from "../../resilience/Breaker.ts"
import type { ConnectionPolicy } from "../../resilience/ConnectionPolicy.ts"
import type * as Backoff from "../../resilience/internal/backoff.ts"
import * as Recovery from "../../resilience/internal/recovery.ts"
import * as RetryWait from "../../resilience/internal/retryWait.ts"
import type { Reservation } from "../../resilience/RollingLimit.ts"
import { DialError, TimedOut } from "../../transport/DialError.ts"
import type { Wire } from "../../transport/Transport.ts"
import type * as SharedTimer from "../../value/internal/sharedTimer.ts"
import * as ConnectError from "../ConnectError.ts"
import * as ConnectionState from "../ConnectionState.ts"
import type { Options, Parts } from "./connectionParts.ts"
import * as Deadline from "./deadline.ts"
import type { StateTracker } from "./stateTracker.ts"
import type { Headers, TokenRefresh } from "./tokenRefresh.ts"

const State = ConnectionState.ConnectionState

/**
 * What one `connect` began, until it ends: what the loop carries from dial to
 * dial.
 *
 * @category models
 * @since 0.1.0
 */
export interface Session {
  readonly token: TokenRefresh
  isEstablished: boolean
  retries: number
  attempt: number
  /** How long the next dial waits, as it was told. */
  delayMillis: number
  failure: ConnectError.Failure | undefined
  /** Whether the dial that is due has waited for the breaker. */
  hasWaited: boolean
  /** The earliest time of the next dial, by the backoff and the venue's Retry-After, on the monotonic clock. */
  dueAt: number
}

/**
 * What is to be given back when a dial and its epoch are over: the permit of the
 * breaker, a place within the limit on dials that was not used, and what waits
 * for the epoch to be stable.
 *
 * @category models
 * @since 0.1.0
 */
export interface Held {
  permit: Breaker.Permit | undefined
  place: Reservation | undefined
  stability: SharedTimer.Alarm | undefined
}

/**
 * What a dial was admitted by: the breaker, and its place within the limit on
 * dials.
 *
 * @category models
 * @since 0.1.0
 */
export interface DialPermission {
  readonly permit: Breaker.Permit
  readonly place: Reservation
}

/**
 * What dials for one connection.
 *
 * @category models
 * @since 0.1.0
 */
export class Dialler<A> {
  private readonly parts: Parts<A>
  private readonly backoff: Backoff.Stepper
  // Until when the breaker is shown to be waited for, on the monotonic clock.
  private shownUntil: number | undefined

  constructor(parts: Parts<A>, backoff: Backoff.Stepper) {
    this.parts = parts
    this.backoff = backoff
  }

  private get options(): Options<A> {
    return this.parts.options
  }

  private get policy(): ConnectionPolicy {
    return this.parts.policy
  }

  private get states(): StateTracker<A> {
    return this.parts.states
  }

  private showBreaker(session: Session, until: number): void {
    if (this.states.current._tag === "CircuitOpen" && this.shownUntil === until) return
    this.states.move(this.circuitOpen(session, until, this.states.now()), "circuit open")
  }

  /** The state of who waits for the breaker. */
  circuitOpen({ attempt, failure }: Session, until: number, now: number): ConnectionState.ConnectionState {
    this.shownUntil = until
    const delayMillis = Math.round(until - now)
    return State.CircuitOpen({ attempt, delayMillis, until: this.states.wallNow() + delayMillis, failure })
  }

  // Waits until the dial is due and there is room for it within the limit on dials.
  private *awaitDueTime(session: Session): Effect.fn.Return<void> {
    const { breaker, dials, recorder } = this.options
    const waitsForBreaker = this.policy.circuit !== "none" && Recovery.waitsForBreaker(this.policy)
    let isTold = false
    while (true) {
      const at = this.states.now()
      const seen = waitsForBreaker ? yield* breaker.state : undefined
      const open = seen?._tag === "Open" ? Math.max(session.dueAt, seen.until) : session.dueAt
      const wait = dials.waitFor(at)
      const until = Math.max(open, at + wait)
      if (until <= at) return
      // 1 ms is less than a wait: other processes are asked.
      if (until > open && wait > 1 && !isTold) {
        isTold = true
        recorder.held()
        yield* this.states.log("Info", "dial held up by the limit", { delay_ms: Math.round(until - at) })
      }
      if (open > session.dueAt) {
        session.hasWaited = true
        this.showBreaker(session, open)
      }
      const due = open > at + wait ? Effect.sleep(open - at) : dials.wait(wait)
      // A breaker may be closed by hand, or opened for longer by another connection.
      yield* waitsForBreaker ? Effect.raceFirst(due, breaker.changed) : due
    }
  }

  // Waits until the breaker admits the dial.
  private *permission(
    session: Session,
    held: Held
  ): Effect.fn.Return<Breaker.Permit, Breaker.CircuitOpen, Scope.Scope> {
    const { breaker } = this.options
    const { circuit } = this.policy
    const admitted = yield* Effect.result(Effect.uninterruptible(
      Effect.map(breaker.acquire, (permit) => held.permit = permit)
    ))
    if (Result.isSuccess(admitted)) {
      if (session.hasWaited && circuit !== "none" && circuit.halfOpen === "skip") {
        session.retries = 0
        yield* this.backoff.reset
      }
      return admitted.success
    }
    if (!Recovery.waitsForBreaker(this.policy)) return yield* admitted.failure
    this.showBreaker(session, this.states.now() + admitted.failure.retryAfterMillis)
    return yield* breaker.awaitPermit
  }

  /** Waits until a dial is due and admitted. What admits it is held from the step on in which it is found. */
  *dialPermission(
    session: Session,
    held: Held
  ): Effect.fn.Return<DialPermission, Breaker.CircuitOpen, Scope.Scope> {
    session.hasWaited = false
    while (true) {
      yield* this.awaitDueTime(session)
      const permit = yield* this.permission(session, held)
      const place = this.options.dials.reserve(this.states.now())
      if (typeof place !== "number") {
        held.place = place
        return { permit, place }
      }
      // Others were faster while the breaker was waited for.
      yield* permit.release
    }
  }

  /** Gives back what admitted a dial, as far as it was not used. */
  giveBack({ permit, place }: Held): Effect.Effect<void> {
    place?.release()
    return permit?.release ?? Effect.void
  }

  /** The dial, and its deadline. */
  dial(
    place: Reservation,
    { attempt, delayMillis, token }: Session
  ): Effect.Effect<Wire, DialError | ConnectError.AuthError, Scope.Scope> {
    const { recorder } = this.options
    const { connectTimeout } = this.policy
    const dial = (headers: Headers) =>
      Effect.andThen(
        place.due,
        Effect.suspend(() => {
          recorder.dialled(this.states.now())
          place.use(this.states.now())
          return this.options.dial(headers, { attempt, delayMillis })
        })
      )
    const { headers } = token
    return (headers === undefined ? dial({}) : Effect.flatMap(headers, dial)).pipe(
      Deadline.within(connectTimeout, () =>
        new DialError({
          url: this.options.breaker.key,
          reason: new TimedOut({ afterMillis: Duration.toMillis(connectTimeout) })
        })),
      this.states.traced("Connection.dial", { attempt, origin: this.options.breaker.key })
    )
  }

  /** Sets when the next dial is due and shows it. */
  *planRetry(
    session: Session,
    step: Recovery.Retry,
    failure: ConnectError.Failure,
    uptimeMillis: number | undefined
  ): Effect.fn.Return<void> {
    const { decidedAt, openUntil = decidedAt } = step
    const recorded = this.parts.replay?.redial()
    const attempt = recorded?.attempt ?? step.attempt
    session.retries = attempt
    session.attempt = attempt
    this.options.recorder.retried()
    const backoff = recorded ?? (yield* this.backoff.next({ kind: ConnectError.kind(failure), uptimeMillis }))
    const { delayMillis, dueAt, isOpen } = RetryWait.of(step, backoff.delayMillis)
    session.delayMillis = delayMillis
    session.dueAt = recorded === undefined ? dueAt : decidedAt + recorded.waitMillis
    const pattern = "pattern" in backoff ? backoff.pattern : undefined
    yield* this.states.log(isOpen ? "Warn" : "Info", isOpen ? "circuit open" : "reconnecting", {
      attempt,
      delay_ms: delayMillis,
      ...(pattern === undefined ? {} : { pattern })
    })
    this.states.move(
      isOpen
        ? this.circuitOpen(session, openUntil, decidedAt)
        : State.Reconnecting({
          attempt,
          delayMillis,
          until: this.states.wallNow() + delayMillis,
          failure,
          pattern
        }),
      failure.message
    )
  }
}
