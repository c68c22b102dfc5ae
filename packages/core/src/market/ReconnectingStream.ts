/**
 * Any source of market data, made to survive.
 *
 * A `MarketDataStream` connects, subscribes and gives its next event; it ends
 * when its connection does. `make` wraps one into another of the same form that
 * does not: `Disconnected` and the end of the source lead to a reconnect by the
 * policy, the subscriptions are sent again, and the consumer sees neither.
 *
 * It is for sources that bring their own connection. Over our own transports
 * `Connection` does this, and only one of the two may.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { ConnectionAborted, SourceFailed } from "../connection/ConnectError.ts"
import type * as Breaker from "../resilience/Breaker.ts"
import * as CircuitBreaker from "../resilience/CircuitBreaker.ts"
import type { ConnectionPolicy } from "../resilience/ConnectionPolicy.ts"
import * as Backoff from "../resilience/internal/backoff.ts"
import * as Recovery from "../resilience/internal/recovery.ts"
import * as RetryWait from "../resilience/internal/retryWait.ts"
import * as EscapedText from "../value/internal/escapedText.ts"
import * as Monotonic from "../value/Monotonic.ts"

/**
 * A source of market data. `subscribe` adds to what is subscribed. `nextEvent`
 * waits for one event and gives `None` at the end.
 *
 * @category models
 * @since 0.1.0
 */
export interface MarketDataStream<out A, out E = never> {
  readonly exchangeName: string
  readonly connect: Effect.Effect<void, E>
  readonly subscribe: (ids: ReadonlyArray<string>) => Effect.Effect<void, E>
  readonly nextEvent: Effect.Effect<Option.Option<A>, E>
}

/**
 * The event by which a source tells that it has lost its connection, and why.
 *
 * @category models
 * @since 0.1.0
 */
export interface Disconnected {
  readonly _tag: "Disconnected"
  readonly reason: string
}

/**
 * Why a surviving stream is at its end: a first connect that is not retried or
 * an error that retrying cannot mend (`E`, or the connect timeout), the retries
 * used up, or an open breaker where the policy does not wait for it.
 *
 * @category errors
 * @since 0.1.0
 */
export type ReconnectError<E> = E | Cause.TimeoutError | ConnectionAborted | Breaker.CircuitOpen

/**
 * How a source's errors are answered.
 *
 * - `classify`: whether retrying can mend an error (default: `"retry"` for all)
 * - `kind`: its class, for the backoff and the breaker (default: its `_tag`)
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<in E> {
  readonly classify?: ((error: E) => "retry" | "stop") | undefined
  readonly kind?: ((error: E) => string) | undefined
}

/**
 * Where the wrapper stands. Times are those of the monotonic clock, in milliseconds.
 *
 * - `Down`: the next dial is due at `dueAt`; it is retry number `retry` of this
 *   outage, 0 for a first connect
 * - `Up`: since `since`; `unproven` is the permit of a connection that has yet
 *   to meet the policy's `resetOn`
 * - `Ended`: not to come back by itself
 */
type Link<E> =
  | { readonly _tag: "Down"; readonly dueAt: number; readonly retry: number }
  | {
    readonly _tag: "Up"
    readonly since: number
    readonly retry: number
    readonly unproven: Breaker.Permit | undefined
  }
  | { readonly _tag: "Ended"; readonly error: ReconnectError<E> }

type Up<E> = Extract<Link<E>, { readonly _tag: "Up" }>

// What ended an attempt or a connection: its class, its age, its words, and the source's error where it gave one.
interface Failure<E> extends Backoff.Failure {
  readonly reason: string
  readonly error: Option.Option<E | Cause.TimeoutError>
}

type Interruptibly = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

const fresh = { _tag: "Down", dueAt: 0, retry: 0 } as const

const isDisconnected = <A>(event: A | Disconnected): event is Disconnected => Predicate.isTagged(event, "Disconnected")

// The end of a source is a drop like any other.
const endOfStream: Disconnected = { _tag: "Disconnected", reason: "end of stream" }

const tagOf = (error: unknown): string =>
  Predicate.hasProperty(error, "_tag") && typeof error._tag === "string" ? error._tag : "Failed"

const textOf = (error: unknown): string =>
  Predicate.hasProperty(error, "message") && typeof error.message === "string" ? error.message : String(error)

const isTimeout = (error: unknown): error is Cause.TimeoutError => Predicate.isTagged(error, "TimeoutError")

/**
 * Makes a source survive by the policy, whose `connectTimeout`,
 * `retryInitialConnect`, `backoff`, `retry` and `circuit` count here; the
 * breaker is the stream's own.
 *
 * - A drop is waited out and redialled; the wait is the later of the backoff's
 *   end and the breaker's, never their sum.
 * - The union of all subscriptions is sent after each connect, where there are
 *   any; where that fails, the connect has failed.
 * - A subscription asked for while down is sent with the next connect; one that
 *   the source refuses while up is not remembered.
 * - `nextEvent` before `connect` connects. It can be interrupted at any time:
 *   the wait under way goes on from where it was.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A, E>(
  source: MarketDataStream<A | Disconnected, E>,
  policy: ConnectionPolicy,
  options?: Options<E> | undefined
): Effect.Effect<MarketDataStream<A, ReconnectError<E>>> =>
  Effect.gen(function*() {
    const { circuit, retry: { resetOn } } = policy
    const { exchangeName } = source
    const failsOpen = !Recovery.waitsForBreaker(policy)
    const backoff = yield* Backoff.make(policy.backoff)
    const breaker = yield* CircuitBreaker.make(circuit, { key: exchangeName })
    const link = yield* Ref.make<Link<E>>(fresh)
    const reading = yield* Semaphore.make(1)
    const dialing = yield* Semaphore.make(1)
    // Grows only, so that what came while it was being sent is its tail.
    const subscriptions = new Set<string>()

    const log = (level: "Info" | "Warn" | "Error", message: string, fields: Readonly<Record<string, unknown>>) =>
      Effect.logWithLevel(level)(message, EscapedText.fields({ exchange: exchangeName, ...fields }))

    // The policy's `connectTimeout` is the only failure that is not the source's.
    const kindOf = (error: E | Cause.TimeoutError): string =>
      isTimeout(error) ? "TimedOut" : options?.kind === undefined ? tagOf(error) : options.kind(error)
    const answerTo = (error: E | Cause.TimeoutError): Recovery.Answer =>
      isTimeout(error) ? "retry" : options?.classify?.(error) ?? "retry"

    const restore = Effect.gen(function*() {
      let sent = 0
      while (sent < subscriptions.size) {
        const ids = [...subscriptions].slice(sent)
        yield* source.subscribe(ids)
        sent += ids.length
      }
      if (sent > 0) yield* log("Info", "resubscribed", { count: sent })
    })
    const dial = Effect.timeout(Effect.andThen(source.connect, restore), policy.connectTimeout)

    const recorded = Effect.fnUntraced(function*(record: Effect.Effect<void>) {
      const before = yield* breaker.state
      yield* record
      const after = yield* breaker.state
      if (before._tag !== "Open" && after._tag === "Open") {
        const now = yield* Monotonic.now
        yield* log("Warn", "circuit breaker open", {
          failures: after.failures,
          cooldown_secs: Math.round(after.until - now) / 1000
        })
      }
    })

    const end = Effect.fnUntraced(function*(error: ReconnectError<E>) {
      yield* Ref.set(link, { _tag: "Ended", error })
      yield* log("Error", "gave up", { reason: textOf(error) })
    })

    // One more failure in this outage: when to dial next, if at all.
    const follow = Effect.fnUntraced(function*(retries: number, failure: Failure<E>) {
      const { error, reason } = failure
      const aborted = () =>
        new ConnectionAborted({ source: exchangeName, retries, last: new SourceFailed({ detail: reason }) })
      const step = Recovery.next(
        policy,
        { retries, hasConnected: true, canRefresh: false },
        { answer: Option.match(error, { onNone: () => "retry", onSome: answerTo }), restMillis: 0 },
        yield* breaker.state,
        yield* Monotonic.now
      )
      switch (step._tag) {
        case "Refresh":
        case "Stop":
          return yield* end(Option.getOrElse(error, aborted))
        case "Abort":
          return yield* end(aborted())
        case "Reject":
        case "Retry": {
          // An open breaker that is not waited for rejects whoever asks for the next event.
          const retry = step._tag === "Retry" ? step : step.retry
          const { delayMillis, dueAt } = RetryWait.of(retry, (yield* backoff.next(failure)).delayMillis)
          yield* Ref.set(link, { _tag: "Down", dueAt, retry: retry.attempt })
          yield* log("Info", "reconnect attempt", { attempt: retry.attempt, delay_ms: delayMillis, reason })
        }
      }
    })

    const proven = (report: Effect.Effect<void>) => Effect.andThen(report, backoff.reset)

    const up = Effect.fnUntraced(function*(permit: Breaker.Permit, retry: number) {
      const since = yield* Monotonic.now
      if (resetOn === "connect") yield* proven(permit.succeed)
      yield* Ref.set(link, { _tag: "Up", since, retry, unproven: resetOn === "connect" ? undefined : permit })
    })

    // The waits alone can be interrupted: a permit once had is never lost.
    const acquire = (
      interruptibly: Interruptibly
    ): Effect.Effect<Breaker.Permit, Breaker.CircuitOpen> =>
      Effect.catch(breaker.acquire, (rejected) =>
        failsOpen
          ? Effect.fail(rejected)
          : Effect.andThen(
            interruptibly(Effect.sleep(Duration.millis(rejected.retryAfterMillis))),
            acquire(interruptibly)
          ))

    // Waits for backoff and breaker and asks to be admitted. Where the breaker
    // has rested and skips half-open, everything starts afresh with it.
    const admission = Effect.fnUntraced(function*(dueAt: number, interruptibly: Interruptibly) {
      const seen = yield* breaker.state
      const rejects = failsOpen && seen._tag === "Open" && !seen.ready
      const now = yield* Monotonic.now
      if (!rejects && now < dueAt) yield* interruptibly(Effect.sleep(Duration.millis(dueAt - now)))
      const before = yield* breaker.state
      const permit = yield* acquire(interruptibly)
      const after = yield* breaker.state
      if (before._tag === "Open" && after._tag === "Closed") yield* backoff.reset
      return permit
    })

    // One dial; interrupted, it gives its permit back.
    const attempt = <B>(
      dueAt: number,
      settle: (
        exit: Exit.Exit<void, E | Cause.TimeoutError>,
        permit: Breaker.Permit
      ) => Effect.Effect<B, ReconnectError<E>>
    ) =>
      Effect.uninterruptibleMask((interruptibly) =>
        Effect.gen(function*() {
          const permit = yield* admission(dueAt, interruptibly)
          const exit = yield* Effect.exit(interruptibly(dial))
          return yield* settle(exit, permit)
        })
      )

    const connectOnce = attempt(
      0,
      (exit, permit) => Exit.isSuccess(exit) ? up(permit, 0) : Effect.andThen(permit.release, exit)
    )

    const reconnect = Effect.gen(function*() {
      while (true) {
        const state = yield* Ref.get(link)
        if (state._tag === "Up") return
        if (state._tag === "Ended") return yield* Effect.fail(state.error)
        const { dueAt, retry } = state
        yield* attempt(
          dueAt,
          Effect.fnUntraced(function*(exit, permit) {
            if (Exit.isSuccess(exit)) return yield* up(permit, retry)
            const error = Exit.findErrorOption(exit)
            // Interrupted, or a defect: a bug, of the source or ours.
            if (Option.isNone(error)) return yield* Effect.andThen(permit.release, exit)
            const kind = kindOf(error.value)
            yield* recorded(permit.fail(kind))
            yield* follow(retry, { kind, uptimeMillis: undefined, reason: textOf(error.value), error })
          })
        )
      }
    })

    const lost = Effect.fnUntraced(function*(state: Up<E>, { error, kind, reason }: Omit<Failure<E>, "uptimeMillis">) {
      const uptimeMillis = Math.round((yield* Monotonic.now) - state.since)
      yield* log("Warn", "disconnected", { reason, uptime_ms: uptimeMillis })
      const { unproven } = yield* lived(state)
      if (unproven !== undefined) yield* recorded(unproven.fail(kind))
      else if (circuit !== "none" && circuit.countDisconnect) yield* recorded(breaker.recordFailure(kind))
      yield* follow(unproven === undefined ? 0 : state.retry, { kind, uptimeMillis, reason, error })
    })

    // Whether a connection has proven itself by its age is seen when something
    // is heard of it: nothing depends on it before.
    const lived = Effect.fnUntraced(function*(state: Up<E>) {
      if (state.unproven === undefined || typeof resetOn === "string") return state
      const now = yield* Monotonic.now
      if (now - state.since < Duration.toMillis(resetOn.stableFor)) return state
      yield* proven(state.unproven.confirmStable)
      const next = { ...state, unproven: undefined }
      yield* Ref.set(link, next)
      return next
    })

    const heard = Effect.fnUntraced(function*(state: Up<E>) {
      if (state.unproven === undefined) return
      if (resetOn !== "first-message") return yield* Effect.asVoid(lived(state))
      yield* proven(state.unproven.succeed)
      yield* Ref.set(link, { ...state, unproven: undefined })
    })

    const nextEvent = Effect.uninterruptibleMask((interruptibly) =>
      Effect.gen(function*() {
        while (true) {
          const state = yield* Ref.get(link)
          if (state._tag !== "Up") {
            yield* interruptibly(dialing.withPermits(1)(reconnect))
            continue
          }
          const next = yield* Effect.exit(interruptibly(source.nextEvent))
          if (Exit.isSuccess(next)) {
            const event: A | Disconnected = Option.getOrElse(next.value, () => endOfStream)
            if (!isDisconnected(event)) {
              yield* heard(state)
              return Option.some(event)
            }
            yield* lost(state, { kind: "Dropped", reason: event.reason, error: Option.none() })
            continue
          }
          const error = Exit.findErrorOption(next)
          if (Option.isNone(error)) return yield* Effect.failCause(next.cause)
          const failure = { kind: kindOf(error.value), reason: textOf(error.value), error }
          if (answerTo(error.value) === "retry") {
            yield* lost(state, failure)
            continue
          }
          if (state.unproven !== undefined) yield* state.unproven.release
          yield* follow(state.retry, { ...failure, uptimeMillis: undefined })
        }
      })
    )

    return {
      exchangeName,
      connect: dialing.withPermits(1)(Effect.gen(function*() {
        const state = yield* Ref.get(link)
        if (state._tag === "Up") return
        if (state._tag === "Ended") {
          yield* Ref.set(link, fresh)
          yield* backoff.reset
        }
        const isFirst = state._tag === "Ended" || state.retry === 0
        yield* isFirst && !policy.retryInitialConnect ? connectOnce : reconnect
      })),
      subscribe: Effect.fnUntraced(function*(ids: ReadonlyArray<string>) {
        const state = yield* Ref.get(link)
        if (state._tag === "Up" && ids.length > 0) yield* source.subscribe(ids)
        for (const id of ids) subscriptions.add(id)
      }),
      nextEvent: reading.withPermits(1)(nextEvent)
    }
  })

/**
 * The events of a source as a `Stream`, which ends where the source does.
 *
 * @category combinators
 * @since 0.1.0
 */
export const events = <A, E>(self: MarketDataStream<A, E>): Stream.Stream<A, E> =>
  Stream.fromEffectRepeat(self.nextEvent).pipe(
    Stream.takeWhile(Option.isSome),
    Stream.map(({ value }) => value)
  )
