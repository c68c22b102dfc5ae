/**
 * Who begins a session anew that has ended by itself. A session outlives drops
 * without any help; this is for what it does not outlive: retries that are used
 * up, and a defect in what is called by it. There are three ways:
 *
 * - none: `Session.make` alone. Whoever made it sees that it has `Failed`, and
 *   decides.
 * - one: `supervise`. What its owner holds stays the same, subscriptions
 *   included, whichever session is behind it.
 * - a set by keys: `makeSet`. Each is begun when it is first asked for and ends
 *   with its last user; the end of one leaves the others alone.
 *
 * Restarts are limited: ten in a minute, by default, and the eleventh gives up.
 * A refused sign-in is final. The dials are those of the sessions: nothing here
 * dials or waits for a dial.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as PubSub from "effect/PubSub"
import * as RcMap from "effect/RcMap"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { AuthError, ConnectionClosed } from "../connection/ConnectError.ts"
import * as Channel from "../value/Channel.ts"
import * as SlidingPubSub from "../value/internal/slidingPubSub.ts"
import * as Monotonic from "../value/Monotonic.ts"
import * as Printable from "../value/Printable.ts"
import type { Session } from "./Session.ts"

/**
 * How often a session is begun anew: at most so many `restarts` `within` a time,
 * each after `delay`. Default: 10 in 60 s, each after 5 s.
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  readonly restarts?: number | undefined
  readonly within?: Duration.Input | undefined
  readonly delay?: Duration.Input | undefined
}

/**
 * A session ended by itself more often than it may. `last` is how it ended last.
 *
 * @category errors
 * @since 0.1.0
 */
export class RestartsExhausted extends Schema.TaggedError<RestartsExhausted>()("RestartsExhausted", {
  restarts: Schema.Finite,
  withinMillis: Schema.Finite,
  last: Schema.String
}) {
  override get message(): string {
    return Printable.escape(`${this.restarts} restarts within ${this.withinMillis} ms: ${this.last}`)
  }
}

/**
 * A session that is begun anew where it ends by itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface Supervised extends Omit<Session, "connect" | "connection"> {
  /** The session that there is now. */
  readonly current: Effect.Effect<Session>
  /** How often it was begun anew. */
  readonly restarts: Effect.Effect<number>
  /** Fails when it is given up: it was refused, or has ended too often. Never succeeds. */
  readonly ended: Effect.Effect<never, AuthError | RestartsExhausted | ConnectionClosed>
}

/**
 * Begins a session, and begins it anew where it ends by itself. `make` makes it,
 * each time in a scope of its own.
 *
 * @category constructors
 * @since 0.1.0
 */
export const supervise = Effect.fnUntraced(function*<R>(
  make: Effect.Effect<Session, never, Scope.Scope | R>,
  policy: Policy = {}
): Effect.fn.Return<Supervised, never, Scope.Scope | R> {
  const { delay = "5 seconds", restarts: most = 10, within = "60 seconds" } = policy
  const withinMillis = Duration.toMillis(within)
  const clock = yield* Clock.Clock
  const outer = yield* Effect.scope
  const wanted = new Map<string, Channel.Channel>()
  const renewed = yield* PubSub.sliding<void>(1)
  const end = Deferred.makeUnsafe<never, AuthError | RestartsExhausted | ConnectionClosed>()
  let scope = yield* Scope.fork(outer)
  let session = yield* Scope.provide(make, scope)
  let begun = 0
  // When it was begun anew, on the monotonic clock, as far as that counts.
  let times: ReadonlyArray<number> = []

  const close = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
    Effect.suspend(() => Scope.close(scope, exit))

  // Until it has ended, with why.
  const live = Effect.suspend(() =>
    Effect.raceFirst(
      Stream.runDrain(session.connection.rejections),
      Effect.andThen(session.connect, Effect.never)
    )
  )

  const begin = Effect.gen(function*() {
    yield* Effect.sleep(delay)
    times = [...times, Monotonic.nowMillis(clock)]
    begun++
    scope = yield* Scope.fork(outer)
    session = yield* Scope.provide(make, scope)
    yield* Effect.ignore(session.subscribe([...wanted.values()]))
    SlidingPubSub.publishUnsafe(renewed, undefined)
  })

  // Whether it is begun anew.
  const goesOn = Effect.fnUntraced(function*(exit: Exit.Exit<void, unknown>) {
    const now = Monotonic.nowMillis(clock)
    times = times.filter((at) => now - at < withinMillis)
    const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    // Its owner has closed it.
    const why = exit._tag === "Success"
      ? new ConnectionClosed()
      : error instanceof AuthError
      ? error
      : times.length < most
      ? undefined
      : new RestartsExhausted({
        restarts: most,
        withinMillis,
        last: error instanceof Error ? error.message : String(error)
      })
    if (why !== undefined) Deferred.doneUnsafe(end, Effect.fail(why))
    return why === undefined
  })

  yield* Effect.forkScoped(
    Effect.gen(function*() {
      while (true) {
        const exit = yield* Effect.exit(live)
        if (!(yield* goesOn(exit))) return
        yield* close(exit)
        yield* begin
      }
    }),
    { startImmediately: true }
  )

  // Of whichever session there is.
  const following = <A, E>(of: (session: Session) => Stream.Stream<A, E>): Stream.Stream<A, E> =>
    Stream.switchMap(Stream.merge(Stream.fromPubSub(renewed), Stream.make(undefined)), () => of(session))

  return {
    current: Effect.sync(() => session),
    restarts: Effect.sync(() => begun),
    ended: Deferred.await(end),
    close: (options) => Effect.suspend(() => session.close(options)),
    subscribe: (channels) =>
      Effect.suspend(() => {
        for (const channel of channels) wanted.set(Channel.key(channel), channel)
        return session.subscribe(channels)
      }),
    unsubscribe: (channels) =>
      Effect.suspend(() => {
        for (const channel of channels) wanted.delete(Channel.key(channel))
        return session.unsubscribe(channels)
      }),
    state: {
      current: Effect.suspend(() => session.state.current),
      changes: following(({ state }) => state.changes)
    },
    call: (method, params, options) => Effect.suspend(() => session.call(method, params, options)),
    notifications: (options) =>
      following(({ notifications }) => Stream.catch(notifications(options), () => Stream.never)),
    unmatched: following(({ unmatched }) => unmatched)
  }
})

/**
 * Supervised sessions by keys, such as accounts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Set<K> {
  /** That of a key, begun where nobody has it; it ends when the last scope that has it closes. */
  readonly get: (key: K) => Effect.Effect<Supervised, never, Scope.Scope>
  /** Whoever asks for that of a key next has another; those that have it keep it until they leave. */
  readonly invalidate: (key: K) => Effect.Effect<void>
}

/**
 * Makes a set of supervised sessions, none of them begun. It ends with its scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeSet = <K, R>(
  make: (key: K) => Effect.Effect<Session, never, Scope.Scope | R>,
  policy?: Policy | undefined
): Effect.Effect<Set<K>, never, Scope.Scope | R> =>
  Effect.map(
    RcMap.make({ lookup: (key: K) => supervise(make(key), policy) }),
    (sessions) => ({
      get: (key) => RcMap.get(sessions, key),
      invalidate: (key) => RcMap.invalidate(sessions, key)
    })
  )
