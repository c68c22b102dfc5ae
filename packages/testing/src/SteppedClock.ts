/**
 * A wall clock that is set while a program runs: an NTP step, a machine that
 * was suspended, an operator. It stands over Effect's `TestClock` and shifts
 * what the wall clock says; neither `Effect.sleep` nor the monotonic clock
 * follows, as on a real machine. What measures its waits on the wall clock
 * shows itself at once.
 *
 * **Example** (a wait is as long as it says)
 *
 * ```ts
 * it.effect("reconnects in a second, whatever the wall clock says", () =>
 *   Probe.scoped(Effect.gen(function*() {
 *     const network = yield* VirtualNetwork.Network
 *     const host = yield* network.serve("ws://venue.test")
 *     const connection = yield* Probe.within(Connection.connect("ws://venue.test"))
 *     yield* host.drop
 *     yield* SteppedClock.step("-1 hour")
 *     yield* Probe.state(connection, "Connected", { within: "2 seconds" })
 *   })).pipe(Effect.provide([Probe.layer({ policy: Presets.standard }), SteppedClock.layer])))
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/**
 * A clock whose wall time can be stepped.
 *
 * - `step`: sets the wall clock forward, or back by a negative duration
 * - `offset`: by how much it differs from the `TestClock` below, in all
 *
 * @category services
 * @since 0.1.0
 */
export class SteppedClock extends Context.Service<SteppedClock, {
  readonly step: (by: Duration.Input) => Effect.Effect<void>
  readonly offset: Effect.Effect<Duration.Duration>
}>()("@tickline/testing/SteppedClock") {}

/**
 * Makes the current clock one that can be stepped. Nothing is shifted at first.
 * `TestClock.adjust` goes on as before.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<SteppedClock> = Layer.effectContext(Effect.clockWith((base) =>
  Effect.sync(() => {
    let offset = Duration.zero
    const currentTimeMillisUnsafe = () => base.currentTimeMillisUnsafe() + Duration.toMillis(offset)
    const currentTimeNanosUnsafe = () => base.currentTimeNanosUnsafe() + Duration.toNanosUnsafe(offset)
    // Everything else, the members of a `TestClock` included, is the clock's below.
    const clock: Clock.Clock = {
      ...base,
      sleep: (duration) => base.sleep(duration),
      monotonicTimeNanosUnsafe: () => base.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: base.monotonicTimeNanos,
      currentTimeMillisUnsafe,
      currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
      currentTimeNanosUnsafe,
      currentTimeNanos: Effect.sync(currentTimeNanosUnsafe)
    }
    return Context.make(SteppedClock, {
      step: (by) =>
        Effect.sync(() => {
          offset = Duration.sum(offset, Duration.fromInputUnsafe(by))
        }),
      offset: Effect.sync(() => offset)
    }).pipe(Context.add(Clock.Clock, clock))
  })
))

/**
 * Steps the wall clock: forward, or back by a negative duration.
 *
 * @category combinators
 * @since 0.1.0
 */
export const step = (by: Duration.Input): Effect.Effect<void, never, SteppedClock> =>
  SteppedClock.use((clock) => clock.step(by))
