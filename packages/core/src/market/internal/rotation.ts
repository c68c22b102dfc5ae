/**
 * Has a feed's connections replaced: before the venue ends a session, when it
 * announces that, and when somebody asks.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Metric from "effect/Metric"
import * as Record from "effect/Record"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { ConnectionClosed } from "../../connection/ConnectError.ts"
import * as Lifecycle from "../../event/Lifecycle.ts"
import * as MetricAttributes from "../../value/internal/metricAttributes.ts"
import * as MetricDefinitions from "../../value/internal/metricDefinitions.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import type { Venue } from "../../venue/Venue.ts"
import { NotRotated, type Policy } from "../Rotation.ts"
import type { Leg, Legs } from "./legs.ts"
import { RotationAnnouncement } from "./rotationAnnouncement.ts"

/**
 * What rotates the connections of a feed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: Venue
  readonly policy: Policy
  readonly legs: Legs
}

const usualBeforeMillis = 600_000
const usualOverlap: Duration.Input = "2 seconds"
const usualAgain: Duration.Input = "30 seconds"

// A metric with an attribute is made once; its values are kept by the context's label.
const rotations = Record.map(
  { rotated: true, failed: true },
  (_, outcome) => Metric.withAttributes(MetricDefinitions.rotations, { outcome })
)

const millis = (input: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(input))

/** After how long a connection is replaced; a time before the end that is longer than half a session is that half. */
const afterMillis = ({ when }: Policy, { sessionMillis }: Venue): number | undefined => {
  if (when === "never") return undefined
  if (when !== undefined && "after" in when) return millis(when.after)
  if (sessionMillis === undefined) return undefined
  const before = when === undefined ? usualBeforeMillis : millis(when.before)
  return Math.max(sessionMillis - before, sessionMillis / 2)
}

/**
 * Rotates the connections of a feed until the scope ends. Gives what has all of
 * them replaced, one after the other.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*({ legs, policy, venue }: Options) {
  const scope = yield* Effect.scope
  const fork = yield* FiberSet.makeRuntime<never>()
  const clock = yield* Clock.Clock
  const series = MetricAttributes.add(yield* Effect.context<never>(), { connection: venue.name })
  for (const metric of Object.values(rotations)) metric.valueUnsafe(series)
  const after = afterMillis(policy, venue)
  const timers = new Map<Leg, Fiber.Fiber<void>>()
  const underWay = new Map<Leg, Deferred.Deferred<Lifecycle.Rotated, NotRotated>>()
  // Those that are to take over, and why they are to be replaced themselves as soon as they have.
  const rising = new Map<Leg, string | undefined>()

  // Whether there is nothing that could be taken over from: also while the feed is being closed.
  const isOver = ({ hasEnded }: Leg): boolean => hasEnded || legs.isClosed

  // It may drop while both stay.
  const awaitLive = (by: Leg, old: Leg): Effect.Effect<void> =>
    legs.awaitLive(by, old).pipe(
      Effect.andThen(Effect.sleep(policy.overlap ?? usualOverlap)),
      Effect.andThen(legs.isLive(by, old)),
      Effect.flatMap((live) => live ? Effect.void : awaitLive(by, old))
    )

  const attempt = (old: Leg, reason: string): Effect.Effect<Lifecycle.Rotated | undefined> =>
    Effect.gen(function*() {
      const by = yield* Scope.provide(legs.open(old.endpoint, true), scope)
      rising.set(by, undefined)
      const connected = yield* Effect.result(
        Effect.suspend(() => isOver(old) ? Effect.fail(new ConnectionClosed()) : by.connection.connect)
      )
      if (Result.isSuccess(connected)) yield* awaitLive(by, old)
      if (Result.isFailure(connected) || by.hasEnded) {
        rising.delete(by)
        yield* legs.close(by)
        const error = Result.isFailure(connected) ? connected.failure.message : "the new connection ended"
        rotations.failed.updateUnsafe(1, series)
        yield* Effect.logWarning("not rotated").pipe(
          Effect.annotateLogs({ connection: venue.name, leg: old.number, reason, error })
        )
        return undefined
      }
      const rotated = new Lifecycle.Rotated({
        venue: venue.name,
        from: old.number,
        to: by.number,
        reason,
        at: Timestamp.fromEpochMillis(clock.currentTimeMillisUnsafe())
      })
      rotations.rotated.updateUnsafe(1, series)
      legs.announce(new RotationAnnouncement([rotated]))
      legs.inbox.wake()
      yield* Effect.logInfo("rotated").pipe(
        Effect.annotateLogs({ connection: venue.name, from: old.number, to: by.number, reason })
      )
      yield* legs.replace(old, by)
      const next = rising.get(by)
      rising.delete(by)
      if (next !== undefined) begin(by, next)
      return rotated
    })

  // Until one has taken over, or there is nothing any more that it could take over from.
  const replace = (old: Leg, reason: string): Effect.Effect<Lifecycle.Rotated, NotRotated> =>
    Effect.flatMap(attempt(old, reason), (rotated) => {
      if (rotated !== undefined) return Effect.succeed(rotated)
      return Effect.delay(
        Effect.suspend(() =>
          isOver(old)
            ? Effect.fail(new NotRotated({ venue: venue.name, reason: "closed" }))
            : replace(old, reason)
        ),
        isOver(old) ? 0 : policy.again ?? usualAgain
      )
    })

  const begin = (leg: Leg, reason: string): Deferred.Deferred<Lifecycle.Rotated, NotRotated> => {
    const known = underWay.get(leg)
    if (known !== undefined) return known
    const done = Deferred.makeUnsafe<Lifecycle.Rotated, NotRotated>()
    underWay.set(leg, done)
    fork(
      replace(leg, reason).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            underWay.delete(leg)
            Deferred.doneUnsafe(done, exit)
          })
        ),
        Effect.ignore
      )
    )
    return done
  }

  const stop = (leg: Leg): void => {
    const timer = timers.get(leg)
    timers.delete(leg)
    if (timer !== undefined) fork(Fiber.interrupt(timer))
  }

  legs.watch({
    up: (leg) => {
      stop(leg)
      if (after !== undefined) {
        timers.set(leg, fork(Effect.delay(Effect.sync(() => void begin(leg, "session limit")), after)))
      }
    },
    endsSoon: (leg, kind) => void (rising.has(leg) ? rising.set(leg, kind) : begin(leg, kind)),
    removed: stop
  })

  return (reason: string): Effect.Effect<ReadonlyArray<Lifecycle.Rotated>, NotRotated> =>
    Effect.suspend((): Effect.Effect<ReadonlyArray<Lifecycle.Rotated>, NotRotated> => {
      const replaced = legs.all.filter((leg) => leg.isUp && !rising.has(leg))
      return replaced.length === 0
        ? Effect.fail(new NotRotated({ venue: venue.name, reason: "not connected" }))
        : Effect.forEach(replaced, (leg) => Deferred.await(begin(leg, reason)))
    })
})
