/**
 * The venue's clock, as far as its answers show it. A request that the venue
 * answers with its time was answered somewhere between its sending and its
 * answer: the pair with the least round trip of a window says most.
 *
 * It is measured against the monotonic clock, so that a step of the wall clock
 * changes no timestamp that is signed.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Metric from "effect/Metric"
import * as MetricAttributes from "../value/internal/metricAttributes.ts"
import * as MetricDefinitions from "../value/internal/metricDefinitions.ts"
import * as Monotonic from "../value/Monotonic.ts"
import * as ClockSamples from "./internal/clockSamples.ts"

/**
 * What is added to our clock to have the venue's, in milliseconds, and how far at
 * most it is wrong, provided that both clocks go at the same rate: half of the
 * round trip.
 *
 * @category models
 * @since 0.1.0
 */
export interface Estimate {
  readonly offsetMillis: number
  readonly uncertaintyMillis: number
}

/**
 * A venue's clock, kept by asking it.
 *
 * - `measure`: runs a request that gives the venue's time in epoch milliseconds,
 *   and takes into account how long it took
 * - `venueMillis`: the venue's time now, in epoch milliseconds; the wall clock
 *   until something was measured. It does not wait, so a message is signed with
 *   it in the turn in which it is written
 * - `current`: the venue's clock against the wall clock as it is now; `undefined`
 *   until something was measured
 *
 * @category models
 * @since 0.1.0
 */
export interface ClockOffset {
  readonly measure: <E, R>(request: Effect.Effect<number, E, R>) => Effect.Effect<void, E, R>
  readonly venueMillis: () => number
  readonly current: () => Estimate | undefined
}

/**
 * Makes a clock of which nothing is known yet. `label` names it in the metrics
 * `tickline_clock_offset_ms`, `tickline_clock_uncertainty_ms` and
 * `tickline_clock_drift_ms`; the drift is how far the venue's clock has gone ahead
 * of our monotonic one since the first measurement. A measurement is forgotten
 * `window` (default 10 minutes) after it, if there is a newer one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  label: string,
  { window = "10 minutes" }: { readonly window?: Duration.Input | undefined } = {}
): Effect.fn.Return<ClockOffset> {
  const clock = yield* Clock.Clock
  const series = MetricAttributes.add(yield* Effect.context<never>(), { connection: label })
  const windowMillis = Duration.toMillis(Duration.fromInputUnsafe(window))
  const set = (metric: Metric.Gauge<number>, value: number) => metric.updateUnsafe(value, series)
  let samples: ReadonlyArray<ClockSamples.Sample> = []
  let first: Estimate | undefined

  const publish = (known: Estimate | undefined, drift: number): void => {
    set(MetricDefinitions.clockOffset, known?.offsetMillis ?? 0)
    set(MetricDefinitions.clockUncertainty, known?.uncertaintyMillis ?? 0)
    set(MetricDefinitions.clockDrift, drift)
  }
  publish(undefined, 0)

  const venueMillis = (): number => {
    const known = ClockSamples.estimate(samples)
    return known === undefined ? clock.currentTimeMillisUnsafe() : Monotonic.nowMillis(clock) + known.offsetMillis
  }
  const current = (): Estimate | undefined => {
    const known = ClockSamples.estimate(samples)
    return known && { ...known, offsetMillis: venueMillis() - clock.currentTimeMillisUnsafe() }
  }

  return {
    venueMillis,
    current,
    measure: (request) =>
      Effect.suspend(() => {
        const sentAt = Monotonic.nowMillis(clock)
        return Effect.map(request, (venueAt) => {
          samples = ClockSamples.add(samples, { sentAt, receivedAt: Monotonic.nowMillis(clock), venueAt }, windowMillis)
          const known = ClockSamples.estimate(samples)
          first ??= known
          publish(current(), (known?.offsetMillis ?? 0) - (first?.offsetMillis ?? 0))
        })
      })
  }
})
