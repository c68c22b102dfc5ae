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
 * Where the venue allows an account two sessions, one can be replaced without a
 * seam, by hand (`rotate`) or by a time: the new one is signed in, restored and
 * reconciled before it takes over, and the old one stays until its calls are
 * answered.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as PubSub from "effect/PubSub"
import * as RcMap from "effect/RcMap"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
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
 * `rotation` is how long a session lives before another one takes over, for a
 * venue that ends it after a while and allows two; one that does not come up is
 * tried again after `delay`. Default: for ever. A new one has a minute to come up,
 * and the calls of the old one half a minute to be answered.
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  readonly restarts?: number | undefined
  readonly within?: Duration.Input | undefined
  readonly delay?: Duration.Input | undefined
  readonly rotation?: Duration.Input | undefined
}

/** How long a new session may take to be live, and the calls of the old one to be answered. */
const rotating = { up: "60 seconds", answers: "30 seconds" } as const

/** A session, its scope, and how many of its calls are under way. */
interface Member {
  readonly session: Session
  readonly scope: Scope.Closeable
  /** Whether it was brought up before it was watched. */
  isUp: boolean
  calls: number
  /** Completes when none is, once it has been replaced. */
  idle: Deferred.Deferred<void> | undefined
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
  /**
   * Has another session take over from the one that there is, and says whether it did: if it does not come up, that stays.
   * While there are two, what both are told of comes twice; what was written on the old one is answered there.
   */
  readonly rotate: Effect.Effect<boolean>
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
  const { delay = "5 seconds", restarts: most = 10, rotation, within = "60 seconds" } = policy
  const withinMillis = Duration.toMillis(within)
  const clock = yield* Clock.Clock
  const outer = yield* Effect.scope
  const wanted = new Map<string, Channel.Channel>()
  // Those that come to be, and the moments at which another one is the one that there is.
  const made = yield* PubSub.unbounded<Session>()
  const replaced = yield* PubSub.sliding<void>(1)
  const end = Deferred.makeUnsafe<never, AuthError | RestartsExhausted | ConnectionClosed>()
  // Whoever replaces it does so alone.
  const turn = Semaphore.makeUnsafe(1)

  const context = yield* Effect.context<R>()
  const begin = Effect.gen(function*() {
    const scope = yield* Scope.fork(outer)
    const session = yield* Effect.provideContext(make, Context.add(context, Scope.Scope, scope))
    yield* Effect.ignore(session.subscribe([...wanted.values()]))
    yield* PubSub.publish(made, session)
    return { session, scope, isUp: false, calls: 0, idle: undefined } satisfies Member
  })

  let member: Member = yield* begin
  // The one that is to take over, while it comes up.
  let next: Member | undefined
  let begun = 0
  // When it was begun anew, on the monotonic clock, as far as that counts.
  let times: ReadonlyArray<number> = []

  const takeOver = (by: Member): void => {
    member = by
    SlidingPubSub.publishUnsafe(replaced, undefined)
  }

  // Until it has ended, with why.
  const live = ({ isUp, session }: Member) =>
    Effect.raceFirst(
      Stream.runDrain(session.connection.rejections),
      isUp ? Effect.never : Effect.andThen(session.connect, Effect.never)
    )

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

  // Says whether there is one to watch. One that was replaced has ended by that.
  const restart = Effect.fnUntraced(function*(watched: Member, exit: Exit.Exit<void, unknown>) {
    if (member !== watched) return true
    if (!(yield* goesOn(exit))) return false
    yield* Scope.close(watched.scope, exit)
    yield* Effect.sleep(delay)
    times = [...times, Monotonic.nowMillis(clock)]
    begun++
    takeOver(yield* begin)
    return true
  })

  yield* Effect.forkScoped(
    Effect.gen(function*() {
      while (true) {
        const watched = member
        const exit = yield* Effect.exit(live(watched))
        if (!(yield* turn.withPermits(1)(restart(watched, exit)))) return
      }
    }),
    { startImmediately: true }
  )

  // The old one is left when nobody waits for it any more.
  const retire = Effect.fnUntraced(function*(old: Member) {
    if (old.calls > 0) {
      old.idle = Deferred.makeUnsafe()
      yield* Effect.timeoutOption(Deferred.await(old.idle), rotating.answers)
    }
    yield* Scope.close(old.scope, Exit.void)
  })

  const rotate = turn.withPermits(1)(Effect.gen(function*() {
    if (Deferred.isDoneUnsafe(end)) return false
    const by: Member = yield* begin
    next = by
    by.isUp = yield* by.session.connect.pipe(
      Effect.as(true),
      Effect.timeoutOrElse({ duration: rotating.up, orElse: () => Effect.succeed(false) }),
      Effect.catch(({ message: error }) =>
        Effect.as(Effect.annotateLogs(Effect.logWarning("session not replaced"), { error }), false)
      ),
      Effect.onExit((exit) => {
        next = undefined
        return Exit.isSuccess(exit) && exit.value ? Effect.void : Scope.close(by.scope, exit)
      })
    )
    if (!by.isUp) return false
    const old = member
    takeOver(by)
    yield* Effect.logInfo("session replaced")
    yield* Effect.forkIn(retire(old), outer, { startImmediately: true })
    return true
  }))

  if (rotation !== undefined) {
    const untilDone = { until: (isDone: boolean) => isDone, schedule: Schedule.spaced(delay) }
    yield* Effect.forkScoped(Effect.forever(Effect.delay(Effect.repeat(rotate, untilDone), rotation)))
  }

  // Of whichever session there is.
  const following = <A, E>(of: (session: Session) => Stream.Stream<A, E>): Stream.Stream<A, E> =>
    Stream.switchMap(Stream.merge(Stream.fromPubSub(replaced), Stream.make(undefined)), () => of(member.session))

  const there = (): ReadonlyArray<Session> =>
    [member, ...(next === undefined ? [] : [next])].map(({ session }) => session)

  // Of each session, for as long as it is there.
  const all = <A>(of: (session: Session) => Stream.Stream<A>): Stream.Stream<A> =>
    Stream.unwrap(Effect.map(PubSub.subscribe(made), (made) =>
      Stream.flatMap(
        Stream.concat(Stream.suspend(() => Stream.fromIterable(there())), Stream.fromSubscription(made)),
        of,
        { concurrency: "unbounded" }
      )))

  return {
    current: Effect.sync(() => member.session),
    restarts: Effect.sync(() => begun),
    ended: Deferred.await(end),
    rotate,
    // What comes up goes first, so that it does not take over.
    close: (options) =>
      Effect.suspend(() =>
        Effect.andThen(
          next?.session.close(options) ?? Effect.void,
          Effect.suspend(() => member.session.close(options))
        )
      ),
    subscribe: (channels) =>
      Effect.suspend(() => {
        for (const channel of channels) wanted.set(Channel.key(channel), channel)
        return Effect.forEach(there(), ({ subscribe }) => subscribe(channels), { discard: true })
      }),
    unsubscribe: (channels) =>
      Effect.suspend(() => {
        for (const channel of channels) wanted.delete(Channel.key(channel))
        return Effect.forEach(there(), ({ unsubscribe }) => unsubscribe(channels), { discard: true })
      }),
    state: {
      current: Effect.suspend(() => member.session.state.current),
      changes: following(({ state }) => state.changes)
    },
    call: (method, params, options) =>
      Effect.suspend(() => {
        const by = member
        by.calls++
        return Effect.ensuring(
          by.session.call(method, params, options),
          Effect.sync(() => {
            by.calls--
            if (by.calls === 0 && by.idle !== undefined) Deferred.doneUnsafe(by.idle, Effect.void)
          })
        )
      }),
    notifications: (options) => all(({ notifications }) => Stream.catch(notifications(options), () => Stream.empty)),
    unmatched: all(({ unmatched }) => unmatched)
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
