/**
 * Does about a subscription that does not deliver what grows: probe, subscribe
 * again, reconnect, report.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type * as Connection from "../../connection/Connection.ts"
import { internals } from "../../connection/internal/connectionInternals.ts"
import * as Channel from "../../value/Channel.ts"
import * as EscapedText from "../../value/internal/escapedText.ts"
import * as Monotonic from "../../value/Monotonic.ts"
import * as FreshnessTracker from "./freshnessTracker.ts"

/**
 * Watches that what was subscribed to delivers, until the scope ends. Gives the
 * effect that tells it of a subscription made meanwhile.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(
  connection: Connection.Connection<A>,
  freshness: FreshnessTracker.FreshnessTracker,
  onStale: () => void
) =>
  Effect.gen(function*() {
    const changes = yield* Queue.sliding<void>(1)
    const tell = ({ channel, silentForMillis, step }: FreshnessTracker.Overdue): Effect.Effect<void> =>
      Effect.suspend(() => {
        onStale()
        return Effect.andThen(
          Effect.annotateLogs(
            Effect.logWarning("subscription does not deliver"),
            EscapedText.fields({
              connection: connection.label,
              channel: channel.channel,
              ...(channel.product === undefined ? {} : { product: channel.product }),
              silent_for_ms: silentForMillis,
              step
            })
          ),
          connection[internals].report({ _tag: "Overdue", channel, step, silentForMillis })
        )
      })
    // One probe, one renewal, one reconnect, however many subscriptions are overdue at once.
    const act = (step: FreshnessTracker.Step, channels: ReadonlyArray<Channel.Channel>): Effect.Effect<void> => {
      if (connection[internals].replay !== undefined) return Effect.void
      switch (step) {
        case "probe":
          return Effect.asVoid(connection[internals].ping)
        case "resubscribe":
          return connection[internals].resubscribe(channels)
        case "reconnect":
          return Effect.ignore(connection.reconnect)
        case "report":
          return Effect.void
      }
    }
    yield* connection.state.transitions.pipe(
      Stream.runForEach(({ from, to }) =>
        Effect.flatMap(Monotonic.now, (now) => {
          if (to._tag === "Connected") freshness.connected(now)
          else if (from._tag === "Connected") freshness.disconnected()
          return Queue.offer(changes, undefined)
        })
      ),
      Effect.forkScoped({ startImmediately: true })
    )
    yield* Effect.gen(function*() {
      const next = freshness.nextDeadline()
      if (next === undefined) return yield* Queue.take(changes)
      const now = yield* Monotonic.now
      const isDue = yield* Effect.raceFirst(
        Effect.as(Effect.sleep(Math.max(1, next - now)), true),
        Effect.as(Queue.take(changes), false)
      )
      if (!isDue) return
      const at = yield* Monotonic.now
      const overdue = freshness.check(at, yield* connection.isStalled)
      if (overdue.length === 0) return
      // Who was refused waits for nothing.
      const refused = new Set(
        (yield* connection[internals].subscriptionStates).flatMap(({ channel, standing }) =>
          standing === "refused" ? [Channel.key(channel)] : []
        )
      )
      for (const step of FreshnessTracker.steps) {
        const late = overdue.filter((one) => one.step === step && !refused.has(Channel.key(one.channel)))
        if (late.length === 0) continue
        yield* Effect.forEach(late, tell, { discard: true })
        yield* act(step, late.map(({ channel }) => channel))
      }
    }).pipe(Effect.forever, Effect.forkScoped)
    return Effect.asVoid(Queue.offer(changes, undefined))
  })
