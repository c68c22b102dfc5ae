/**
 * Whether Redis answers: the one place that connects, finds out, and tells.
 *
 * @since 0.1.0
 */
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Printable from "@tickline/core/value/Printable"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Metric from "effect/Metric"
import type * as Redis from "effect/persistence/Redis"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type Answer, leaseMillis, type Question, script } from "./admissionScript.ts"
import * as Metrics from "./governorMetrics.ts"

/**
 * Whether Redis answers, and since when, in epoch milliseconds; `reason` is why
 * it does not.
 *
 * @category models
 * @since 0.1.0
 */
export type State =
  | { readonly _tag: "Connecting" }
  | { readonly _tag: "Available"; readonly since: number }
  | { readonly _tag: "Unavailable"; readonly since: number; readonly reason: string }

/**
 * An answer, and until when on the monotonic clock what it admits can be spent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answered {
  readonly waitMillis: number
  readonly until: number
}

/**
 * A connection: what commands go through, and, if it can tell, why it is lost.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connected {
  readonly redis: Redis.Redis["Service"]
  readonly lost: Effect.Effect<unknown>
}

/**
 * How Redis is reached.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly connect: Effect.Effect<Connected, Redis.RedisError, Scope.Scope>
  readonly prefix: string
  readonly fails: "closed" | "open"
}

// Later it is no answer any more.
const patienceMillis = 1_000
const mostPauseMillis = 1_000
// What an answer admits that comes too late is lost. One may be a stall of this process.
const mostLate = 3

const detail = (cause: unknown): string => {
  const { code, message }: { readonly code?: unknown; readonly message?: unknown } = cause instanceof Error ? cause : {}
  return Printable.escape(String(message || code || cause).slice(0, 200))
}

/**
 * The link to Redis of one governor.
 *
 * @category models
 * @since 0.1.0
 */
export class RedisLink {
  readonly state: SubscriptionRef.SubscriptionRef<State>
  /** Where what is asked for goes on, whoever waits for it. */
  readonly scope: Scope.Scope
  /** Open while it can be asked, or each process keeps the limits by itself. */
  readonly ready = Latch.makeUnsafe(false)
  private readonly options: Options
  private redis: Redis.Redis["Service"] | undefined
  private failed: Deferred.Deferred<string> | undefined
  // The run of Redis that has been told of.
  private run: string | undefined
  // How many answers in a row came too late.
  private late = 0

  constructor(state: SubscriptionRef.SubscriptionRef<State>, scope: Scope.Scope, options: Options) {
    this.state = state
    this.scope = scope
    this.options = options
  }

  /** Whether each process keeps the limits by itself, for now. */
  failsOpen(): boolean {
    return this.options.fails === "open" && SubscriptionRef.getUnsafe(this.state)._tag === "Unavailable"
  }

  /** Asks; gives nothing where nobody answered, and is not available any more. */
  ask(question: Omit<Question, "prefix">): Effect.Effect<Answered | undefined> {
    return Effect.suspend(() => {
      const { failed, redis } = this
      if (redis === undefined || failed === undefined) return Effect.undefined
      const fail = (reason: string): Effect.Effect<undefined> =>
        Effect.suspend(() => {
          if (this.failed === failed) this.leave()
          return Effect.as(Deferred.succeed(failed, reason), undefined)
        })
      return Effect.matchEffect(this.answer(redis, question), {
        onFailure: fail,
        onSuccess: ([until, answer]) =>
          Effect.gen({ self: this }, function*() {
            yield* this.told(question, answer)
            this.late = (yield* Monotonic.now) < until ? 0 : this.late + 1
            return this.late < mostLate
              ? { waitMillis: answer[0], until }
              : yield* fail(`its answers take longer than ${leaseMillis} ms`)
          })
      })
    })
  }

  /** Connects, and connects again, for as long as the scope lives. */
  get keep(): Effect.Effect<never> {
    return Effect.gen({ self: this }, function*() {
      let pauseMillis = 0
      const connection = Effect.gen({ self: this }, function*() {
        const { lost, redis } = yield* Effect.mapError(this.options.connect, ({ cause }) => detail(cause))
        // It must be able to write, too.
        yield* this.answer(redis, probe)
        pauseMillis = 0
        return yield* Effect.flatMap(this.begin(redis, Effect.map(lost, detail)), Effect.fail)
      })
      while (true) {
        const reason = yield* Effect.flip(Effect.scoped(connection))
        yield* this.ended(reason)
        pauseMillis = Math.min(mostPauseMillis, Math.max(50, 2 * pauseMillis))
        yield* Effect.sleep(pauseMillis)
      }
    })
  }

  private answer(
    redis: Redis.Redis["Service"],
    question: Omit<Question, "prefix">
  ): Effect.Effect<readonly [until: number, Answer], string> {
    return Effect.gen({ self: this }, function*() {
      const until = (yield* Monotonic.now) + leaseMillis
      const answer = yield* redis.eval(script)({ ...question, prefix: this.options.prefix }).pipe(
        Effect.mapError(({ cause }) => detail(cause)),
        Effect.timeoutOrElse({
          duration: patienceMillis,
          orElse: () => Effect.fail(`no answer within ${patienceMillis} ms`)
        })
      )
      return [until, answer] as const
    })
  }

  // Until it does not answer any more, gives why.
  private begin(redis: Redis.Redis["Service"], lost: Effect.Effect<string>): Effect.Effect<string> {
    return Effect.gen({ self: this }, function*() {
      const failed = yield* Deferred.make<string>()
      this.failed = failed
      this.redis = redis
      this.late = 0
      yield* Metric.update(Metrics.available, 1)
      yield* Effect.logInfo("limits are shared over Redis")
      yield* SubscriptionRef.set(this.state, { _tag: "Available", since: yield* Clock.currentTimeMillis })
      yield* this.ready.open
      return yield* Effect.raceFirst(Deferred.await(failed), lost)
    })
  }

  private leave(): void {
    this.redis = undefined
    this.failed = undefined
    this.ready.closeUnsafe()
  }

  private ended(reason: string): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      this.leave()
      const { fails } = this.options
      // Once for each outage.
      if (SubscriptionRef.getUnsafe(this.state)._tag === "Unavailable") return
      yield* Metric.update(Metrics.available, 0)
      yield* Metric.update(Metrics.outages, 1)
      yield* SubscriptionRef.set(this.state, {
        _tag: "Unavailable",
        since: yield* Clock.currentTimeMillis,
        reason
      })
      if (fails === "open") yield* this.ready.open
      yield* Effect.annotateLogs(
        fails === "open"
          ? Effect.logWarning("Redis is away: this process keeps the limits by itself")
          : Effect.logWarning("Redis is away: nothing that is limited is sent"),
        { error: reason }
      )
    })
  }

  private told({ key }: Omit<Question, "prefix">, [wait, unknown, run]: Answer): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      if (wait === 0) yield* Metric.update(Metrics.admissions, 1)
      if (unknown === 0 || run === this.run) return
      this.run = run
      yield* Metric.update(Metrics.resets, 1)
      yield* Effect.annotateLogs(
        Effect.logWarning("Redis is new, or was restarted: what was spent before is waited out"),
        { key, wait_ms: unknown }
      )
    })
  }
}

const probe: Omit<Question, "prefix"> = {
  key: "",
  windows: [{ limit: 1, windowMillis: 1 }],
  cost: 0,
  spares: false,
  spent: 0
}

/**
 * Makes the link, which lasts as long as the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: Options): Effect.fn.Return<RedisLink, never, Scope.Scope> {
  const state = yield* SubscriptionRef.make<State>({ _tag: "Connecting" })
  const link = new RedisLink(state, yield* Effect.scope, options)
  for (const counter of [Metrics.outages, Metrics.admissions, Metrics.lapses, Metrics.unshared, Metrics.resets]) {
    yield* Metric.update(counter, 0)
  }
  yield* Metric.update(Metrics.available, 0)
  yield* Effect.forkScoped(link.keep, { startImmediately: true })
  return link
})
