/**
 * What is counted of a session's credits, by pool.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Metric from "effect/Metric"
import * as Record from "effect/Record"
import type * as Scope from "effect/Scope"
import * as MetricAttributes from "../../../value/internal/metricAttributes.ts"
import * as MetricDefinitions from "../../../value/internal/sessionMetricDefinitions.ts"
import * as Credits from "../Credits.ts"

/**
 * What is counted of the credits of one session.
 *
 * @category models
 * @since 0.1.0
 */
export class CreditMetrics {
  private readonly pools: { readonly [K in Credits.Pool]: Context.Context<never> }

  constructor(label: string, context: Context.Context<never>) {
    this.pools = Record.map(Credits.costs, (_, pool) => MetricAttributes.add(context, { connection: label, pool }))
    for (const of of Object.values(this.pools)) {
      MetricDefinitions.creditWaits.valueUnsafe(of)
      MetricDefinitions.creditsExhausted.valueUnsafe(of)
    }
  }

  /** A call waits for its credits. */
  waited(pool: Credits.Pool): void {
    MetricDefinitions.creditWaits.updateUnsafe(1, this.pools[pool])
  }

  /** The venue said that a pool is empty. */
  exhausted(pool: Credits.Pool): void {
    MetricDefinitions.creditsExhausted.updateUnsafe(1, this.pools[pool])
  }

  /** What is left is read when it is asked for, until the scope ends. Of two sessions with one label the later shows. */
  show(left: () => Credits.Credits["left"]): Effect.Effect<void, never, Scope.Scope> {
    return Effect.asVoid(Effect.acquireRelease(
      Effect.sync(() =>
        Object.values(
          Record.map(this.pools, (context, pool) =>
            Metric.registerUnsafe(MetricDefinitions.creditsLeft, context, {
              get: () => ({ value: left()[pool] }),
              update: constVoid,
              modify: constVoid
            }))
        )
      ),
      (registrations) => Effect.sync(() => registrations.forEach((registration) => registration.remove()))
    ))
  }
}
