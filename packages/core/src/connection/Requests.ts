/**
 * Requests and their answers, matched by id over a connection.
 *
 * Each request ends in exactly one way: with its answer, or with the truth
 * about why there is none. `NotSent` and `OutboxFull` say that nothing reached
 * the wire; `OutcomeUnknown` that it was written and the answer never came, so
 * that the peer may have acted on it. Nothing is ever sent again by itself. A
 * late answer, of a request that has ended already, goes to `unmatched`.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { InvalidCost, RateLimited } from "../resilience/RollingLimit.ts"
import * as EscapedText from "../value/internal/escapedText.ts"
import * as Monotonic from "../value/Monotonic.ts"
import { NotSent, type OutboxFull } from "./ConnectError.ts"
import type { Connection } from "./Connection.ts"
import { internals } from "./internal/connectionInternals.ts"
import { LateAnswers } from "./internal/lateAnswers.ts"
import { RequestMetrics } from "./internal/requestMetrics.ts"
import * as Tracing from "./internal/tracing.ts"
import type { Opening } from "./Opening.ts"
import type { Message, SendOptions } from "./Outbox.ts"

/**
 * The request was written, and its answer did not come: the connection ended
 * first, or its deadline passed. The peer may have acted on it.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>()("OutcomeUnknown", {
  id: Schema.String,
  reason: Schema.Literals(["dropped", "timeout"])
}) {
  override get message(): string {
    return `outcome of request ${this.id} unknown: ${this.reason === "dropped" ? "the connection ended" : "no answer"}`
  }
}

/**
 * A request with that id is under way, or the connection itself waits for an
 * answer with it. The new one was not sent; the first is
 * not touched.
 *
 * @category errors
 * @since 0.1.0
 */
export class DuplicateRequest extends Schema.TaggedError<DuplicateRequest>()("DuplicateRequest", {
  id: Schema.String
}) {
  override get message(): string {
    return `request ${this.id} is under way already`
  }
}

/**
 * How a request ends without its answer.
 *
 * @category models
 * @since 0.1.0
 */
export type RequestError = NotSent | OutboxFull | RateLimited | InvalidCost | OutcomeUnknown | DuplicateRequest

/**
 * How a request is sent: `now`, with the priority of an order, and within the
 * bounds that are named (see `Outbox.SendOptions`).
 *
 * `timeout` is how long it has, until its answer is there; default: 30 seconds.
 * What was not written by then is not written any more. `deadline` is the time
 * that it has until it is written, where that is to be shorter.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestOptions extends Omit<SendOptions, "delivery"> {
  readonly timeout?: Duration.Input | undefined
  /** What it goes through; default: the connection. */
  readonly via?: Pick<Opening, "send"> | undefined
}

/**
 * The requests of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Requests<A> {
  /**
   * Sends the message and waits for the one that answers its id, within the
   * timeout. Interrupted, it forgets the request; a later answer is unmatched.
   */
  readonly request: (
    id: string,
    message: Message,
    options?: RequestOptions | undefined
  ) => Effect.Effect<A, RequestError>
  /** Answers whose request is not under way (any more); a reader more than 64 behind loses the oldest. */
  readonly unmatched: Stream.Stream<A>
  readonly pending: Effect.Effect<number>
  /** An id that nobody has used on this connection: neither its subscriptions and heartbeats nor another request. */
  readonly nextId: Effect.Effect<string>
}

const usualTimeout = Duration.seconds(30)

// A request under way: its answer, which may be there before anybody waits for it, and until when it is waited for.
class Pending<A> {
  readonly until: number
  private answer: Effect.Effect<A, OutcomeUnknown> | undefined
  private resume: ((answer: Effect.Effect<A, OutcomeUnknown>) => void) | undefined

  constructor(until: number) {
    this.until = until
  }

  /** Whether it was written, and its answer is waited for. */
  get isAwaited(): boolean {
    return this.resume !== undefined
  }

  end(answer: Effect.Effect<A, OutcomeUnknown>): void {
    if (this.answer !== undefined) return
    this.answer = answer
    this.resume?.(answer)
  }

  /** The answer; `begun` is called where it has to be waited for. */
  awaited(begun: (until: number) => void): Effect.Effect<A, OutcomeUnknown> {
    return Effect.callback<A, OutcomeUnknown>((resume) => {
      // It may have come since it was asked for.
      if (this.answer !== undefined) return resume(this.answer)
      this.resume = resume
      begun(this.until)
    })
  }
}

/**
 * Makes the requests of a connection. `idOf` reads the id that a message
 * answers, `undefined` where it answers none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*<A>(
  connection: Connection<A>,
  idOf: (message: A) => string | undefined
): Effect.fn.Return<Requests<A>, never, Scope.Scope> {
  const { correlator } = connection[internals]
  const clock = yield* Clock.Clock
  const waiting = new Map<string, Pending<A>>()
  let isClosed = false
  const context = yield* Effect.context<never>()
  const fork = Effect.runForkWith(context)
  const now = (): number => Monotonic.nowMillis(clock)
  // One timer for all of them, until the first has had its time.
  let timer: Fiber.Fiber<void> | undefined
  let firesAt = Infinity
  const metrics = new RequestMetrics(connection.label, context)
  const late = new LateAnswers(connection, correlator, metrics, yield* Effect.scope)

  const drop = (): void => {
    const dropped = [...waiting]
    waiting.clear()
    for (const [id, pending] of dropped) pending.end(Effect.fail(new OutcomeUnknown({ id, reason: "dropped" })))
  }

  const receive = (message: A): void => {
    const id = idOf(message)
    if (id === undefined) return
    const pending = waiting.get(id)
    if (pending === undefined) return late.receive(id, message)
    waiting.delete(id)
    correlator.release(id)
    pending.end(Effect.succeed(message))
  }

  // An observer sees every answer, also one that a queue would have shed, and all of an epoch before its end.
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      connection[internals].attach({
        name: "requests",
        attach: () => ({
          batch: ({ messages }) => {
            try {
              for (const message of messages) receive(message)
            } catch (error) {
              // It sees nothing more of this epoch.
              drop()
              throw error
            }
          },
          ended: drop
        })
      })
    ),
    (detach) =>
      Effect.sync(() => {
        isClosed = true
        timer?.interruptUnsafe()
        detach()
        drop()
        late.close()
      })
  )
  const watch = (until: number): void => {
    if (until >= firesAt) return
    timer?.interruptUnsafe()
    firesAt = until
    const own = timer = fork(clock.sleep(Duration.millis(Math.max(0, until - now()))))
    own.addObserver(({ _tag }) => {
      if (_tag === "Failure" || timer !== own) return
      firesAt = Infinity
      expire()
    })
  }

  const expire = (): void => {
    const at = now()
    for (const [id, pending] of waiting) {
      if (!pending.isAwaited) continue
      if (pending.until > at) watch(pending.until)
      else pending.end(Effect.fail(new OutcomeUnknown({ id, reason: "timeout" })))
    }
  }

  // Its place in the table, or why it has none.
  const begin = (id: string, until: number): Pending<A> | NotSent | DuplicateRequest => {
    if (isClosed) return new NotSent({ reason: "Closed" })
    if (!correlator.wait(id, "request")) return new DuplicateRequest({ id })
    const pending = new Pending<A>(until)
    waiting.set(id, pending)
    return pending
  }

  const request: Requests<A>["request"] = (
    id,
    message,
    { cost, deadline = Infinity, epoch, isSignedIn, priority, timeout = usualTimeout, via = connection } = {}
  ) =>
    Effect.withFiber((fiber) => {
      const begun = now()
      const wholly = Duration.toMillis(timeout)
      const pending = begin(id, begun + wholly)
      metrics.began()
      const answered: Effect.Effect<A, RequestError> = pending instanceof Pending
        ? Effect.flatMap(
          via.send(message, {
            cost,
            deadline: Math.min(wholly, Duration.toMillis(deadline)),
            epoch,
            isSignedIn,
            priority
          }),
          () => pending.awaited(watch)
        )
        : Effect.fail(pending)
      const traced = Tracing.within(fiber, answered, "Connection.request", () => ({
        attributes: EscapedText.fields({ connection: connection.label, id }),
        kind: "client"
      }))
      return Effect.onExit(traced, (exit) => {
        metrics.ended(exit, now() - begun)
        if (waiting.get(id) === pending) {
          waiting.delete(id)
          correlator.release(id)
        }
        return Effect.void
      })
    })

  return {
    request,
    unmatched: late.stream,
    pending: Effect.sync(() => waiting.size),
    nextId: Effect.sync(() => String(correlator.take(1)))
  }
})
