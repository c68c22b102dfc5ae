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
import * as PubSub from "effect/PubSub"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { InvalidCost, RateLimited } from "../resilience/RollingLimit.ts"
import * as EscapedText from "../value/internal/escapedText.ts"
import * as SlidingPubSub from "../value/internal/slidingPubSub.ts"
import * as Monotonic from "../value/Monotonic.ts"
import { NotSent, type OutboxFull } from "./ConnectError.ts"
import type { Connection } from "./Connection.ts"
import { internals } from "./internal/connectionInternals.ts"
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

// A request under way: its answer, which may be there before anybody waits for it, and its timer.
class Pending<A> {
  private readonly id: string
  private answer: Effect.Effect<A, OutcomeUnknown> | undefined
  private resume: ((answer: Effect.Effect<A, OutcomeUnknown>) => void) | undefined
  private timer: Fiber.Fiber<void> | undefined

  constructor(id: string) {
    this.id = id
  }

  end(answer: Effect.Effect<A, OutcomeUnknown>): void {
    if (this.answer !== undefined) return
    this.answer = answer
    this.timer?.interruptUnsafe()
    this.resume?.(answer)
  }

  /** The answer, if it comes within so many milliseconds of when it is begun to be waited for. */
  awaited(left: () => number): Effect.Effect<A, OutcomeUnknown> {
    return Effect.withFiber((fiber) => {
      if (this.answer !== undefined) return this.answer
      return Effect.callback<A, OutcomeUnknown>((resume) => {
        this.resume = resume
        const late = Effect.sync(() => {
          this.timer = undefined
          this.end(Effect.fail(new OutcomeUnknown({ id: this.id, reason: "timeout" })))
        })
        this.timer = Effect.runForkWith(fiber.context)(Effect.andThen(Effect.sleep(Math.max(0, left())), late))
        return Effect.sync(() => this.timer?.interruptUnsafe())
      })
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
  const scope = yield* Effect.scope
  // Made for the first who reads it.
  let unmatched: PubSub.PubSub<A> | undefined
  let isClosed = false
  const metrics = new RequestMetrics(connection.label, yield* Effect.context())

  const drop = (): void => {
    const dropped = [...waiting]
    waiting.clear()
    for (const [id, pending] of dropped) pending.end(Effect.fail(new OutcomeUnknown({ id, reason: "dropped" })))
  }

  const receive = (message: A): void => {
    const id = idOf(message)
    if (id === undefined) return
    const pending = waiting.get(id)
    if (pending === undefined) {
      const kind = correlator.kindOf(id)
      // An answer to a subscription or a heartbeat is none of ours.
      if (kind !== undefined && kind !== "request") return
      metrics.unmatched()
      if (unmatched !== undefined) SlidingPubSub.publishUnsafe(unmatched, message)
      return
    }
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
      Effect.suspend(() => {
        isClosed = true
        detach()
        drop()
        return unmatched === undefined ? Effect.void : PubSub.shutdown(unmatched)
      })
  )
  const send = (
    id: string,
    message: Message,
    { timeout = "30 seconds", via = connection, ...bounds }: RequestOptions
  ): Effect.Effect<A, RequestError> => {
    if (isClosed) return Effect.fail(new NotSent({ reason: "Closed" }))
    if (!correlator.wait(id, "request")) return Effect.fail(new DuplicateRequest({ id }))
    const pending = new Pending<A>(id)
    waiting.set(id, pending)
    const wholly = Duration.toMillis(timeout)
    const until = Monotonic.nowMillis(clock) + wholly
    const deadline = Math.min(wholly, Duration.toMillis(bounds.deadline ?? wholly))
    const answered = Effect.flatMap(
      via.send(message, { ...bounds, deadline }),
      () => pending.awaited(() => until - Monotonic.nowMillis(clock))
    )
    return Effect.ensuring(
      answered,
      Effect.sync(() => {
        if (waiting.get(id) !== pending) return
        waiting.delete(id)
        correlator.release(id)
      })
    )
  }

  return {
    request: (id, message, options = {}) =>
      Effect.suspend(() => {
        const begun = Monotonic.nowMillis(clock)
        metrics.began()
        return Effect.onExit(
          Tracing.collected(send(id, message, options), "Connection.request", () => ({
            attributes: EscapedText.fields({ connection: connection.label, id }),
            kind: "client"
          })),
          (exit) => Effect.sync(() => metrics.ended(exit, Monotonic.nowMillis(clock) - begun))
        )
      }),
    unmatched: Stream.unwrap(Effect.gen(function*() {
      if (isClosed) return Stream.empty
      if (unmatched === undefined) {
        const made = unmatched = yield* PubSub.sliding<A>(64)
        // The transitions go on through closes, and end with the connection's scope.
        yield* Stream.runDrain(connection.state.transitions).pipe(
          Effect.ensuring(PubSub.shutdown(made)),
          Effect.forkIn(scope, { startImmediately: true })
        )
      }
      return Stream.fromPubSub(unmatched)
    })),
    pending: Effect.sync(() => waiting.size),
    nextId: Effect.sync(() => String(correlator.take(1)))
  }
})
