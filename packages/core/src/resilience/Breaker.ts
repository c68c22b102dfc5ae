/**
 * One circuit breaker, as whoever uses it sees it: it hands out permits, runs
 * effects, counts, and rejects with `CircuitOpen`. `CircuitBreaker.make` makes
 * one.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { BreakerMetrics } from "./BreakerMetrics.ts"
import type * as Circuit from "./Circuit.ts"

/**
 * The breaker did not admit: it is open until `until` (epoch milliseconds,
 * `retryAfterMillis` from now), or half-open with a probe under way (`probing`;
 * when that ends nobody knows, so the wait is 0: await `Breaker.changed`).
 *
 * @category errors
 * @since 0.1.0
 */
export class CircuitOpen extends Schema.TaggedError<CircuitOpen>()("CircuitOpen", {
  key: Schema.String,
  until: Schema.Finite,
  retryAfterMillis: Schema.Finite,
  probing: Schema.Boolean
}) {
  override get message(): string {
    const circuit = `circuit${this.key === "" ? "" : ` of ${this.key}`} open`
    return this.probing ? `${circuit}: a probe is under way` : `${circuit} for another ${this.retryAfterMillis} ms`
  }
}

/**
 * The right to try once. Of what a permit reports only the first counts. A
 * permit counts for nothing once the breaker has opened or been reset.
 *
 * - `succeed`: one success
 * - `prove`: a stable period, which closes the breaker outright
 * - `fail`: one failure, with its reason
 * - `release`: neither; a probe's slot is free again
 *
 * @category models
 * @since 0.1.0
 */
export interface Permit {
  readonly succeed: Effect.Effect<void>
  readonly confirmStable: Effect.Effect<void>
  readonly fail: (reason: string) => Effect.Effect<void>
  readonly release: Effect.Effect<void>
}

/**
 * One circuit breaker.
 *
 * @category models
 * @since 0.1.0
 */
export interface Breaker {
  readonly key: string
  readonly state: Effect.Effect<Circuit.State>
  /** Transitions from now on; a reader more than 128 behind loses the oldest. */
  readonly transitions: Stream.Stream<Circuit.Transition>
  /** Calls back at each transition, before whatever caused it goes on, until the scope ends. */
  readonly observe: (listener: (transition: Circuit.Transition) => void) => Effect.Effect<void, never, Scope.Scope>
  /** Admits or rejects at once. */
  readonly acquire: Effect.Effect<Permit, CircuitOpen>
  /**
   * Waits until it is admitted, through the open time and the probes of others.
   * The permit is released with the scope, where it has reported nothing.
   */
  readonly awaitPermit: Effect.Effect<Permit, never, Scope.Scope>
  /**
   * Completes at the next transition, or when a probe's slot becomes free, after
   * it is first awaited. To be admitted after a rejection use `awaitPermit`, which
   * cannot miss a change between the two.
   */
  readonly changed: Effect.Effect<void>
  /**
   * Runs the effect where it is admitted. Its success is a success, its failure
   * or defect a failure, its interruption nothing. Where `isFailure` says that
   * an error is none, as an answer that the caller dislikes, it is a success.
   */
  readonly execute: <A, E, R>(
    effect: Effect.Effect<A, E, R>,
    options?: { readonly isFailure?: ((error: E) => boolean) | undefined } | undefined
  ) => Effect.Effect<A, E | CircuitOpen, R>
  /** Counts a failure that belongs to no permit, as the drop of a connection. */
  readonly recordFailure: (reason: string) => Effect.Effect<void>
  /**
   * Counts a stable period that belongs to no permit, as that of a probe which
   * reported its success at its begin: closes the breaker where it is
   * half-open, and says nothing otherwise.
   */
  readonly recordStable: Effect.Effect<void>
  /** Closes the breaker by hand. */
  readonly reset: Effect.Effect<void>
  /** Counts from zero; the state stays. */
  readonly resetMetrics: Effect.Effect<void>
  readonly metrics: Effect.Effect<BreakerMetrics>
}
