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
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
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
  const waiting = new Map<string, Deferred.Deferred<A, OutcomeUnknown>>()
  const unmatched = yield* PubSub.sliding<A>(64)
  const metrics = new RequestMetrics(connection.label, yield* Effect.context())
  let isClosed = false

  const drop = (): void => {
    for (const [id, answer] of waiting) {
      Deferred.doneUnsafe(answer, Effect.fail(new OutcomeUnknown({ id, reason: "dropped" })))
    }
    waiting.clear()
  }

  const receive = (message: A): void => {
    const id = idOf(message)
    if (id === undefined) return
    const answer = waiting.get(id)
    if (answer === undefined) {
      const kind = correlator.kindOf(id)
      // An answer to a subscription or a heartbeat is none of ours.
      if (kind !== undefined && kind !== "request") return
      metrics.unmatched()
      SlidingPubSub.publishUnsafe(unmatched, message)
      return
    }
    waiting.delete(id)
    correlator.release(id)
    Deferred.doneUnsafe(answer, Effect.succeed(message))
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
    (detach) => Effect.sync(detach)
  )
  // The transitions go on through closes, and end with the connection's scope.
  yield* Stream.runDrain(connection.state.transitions).pipe(
    Effect.ensuring(Effect.suspend(() => {
      isClosed = true
      drop()
      return PubSub.shutdown(unmatched)
    })),
    Effect.forkScoped({ startImmediately: true })
  )

  const send = (
    id: string,
    message: Message,
    { timeout = "30 seconds", via = connection, ...bounds }: RequestOptions
  ): Effect.Effect<A, RequestError> => {
    if (isClosed) return Effect.fail(new NotSent({ reason: "Closed" }))
    if (!correlator.wait(id, "request")) return Effect.fail(new DuplicateRequest({ id }))
    const answer = Deferred.makeUnsafe<A, OutcomeUnknown>()
    waiting.set(id, answer)
    const wholly = Duration.toMillis(timeout)
    const until = Monotonic.nowMillis(clock) + wholly
    const deadline = Math.min(wholly, Duration.toMillis(bounds.deadline ?? wholly))
    return via.send(message, { ...bounds, deadline }).pipe(
      Effect.andThen(Effect.suspend((): Effect.Effect<A, RequestError> =>
        Effect.timeoutOrElse(Deferred.await(answer), {
          duration: Math.max(0, until - Monotonic.nowMillis(clock)),
          orElse: () => Effect.fail(new OutcomeUnknown({ id, reason: "timeout" }))
        })
      )),
      Effect.ensuring(Effect.sync(() => {
        if (waiting.get(id) !== answer) {
          return
        }
        waiting.delete(id)
        correlator.release(id)
      })),
      Effect.withSpan("Connection.request", {
        attributes: EscapedText.fields({ connection: connection.label, id }),
        kind: "client"
      }, { captureStackTrace: false })
    )
  }

  return {
    request: (id, message, options = {}) =>
      Effect.suspend(() => {
        const begun = Monotonic.nowMillis(clock)
        metrics.began()
        return Effect.onExit(
          send(id, message, options),
          (exit) => Effect.sync(() => metrics.ended(exit, Monotonic.nowMillis(clock) - begun))
        )
      }),
    unmatched: Stream.fromPubSub(unmatched),
    pending: Effect.sync(() => waiting.size),
    nextId: Effect.sync(() => String(correlator.take(1)))
  }
})
