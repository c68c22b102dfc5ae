/**
 * Calls of a command: within its deadline, on whatever epoch is live. What asks is
 * asked again as long as there is time, what changes something is written once.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { DeribitSession } from "../../../session/deribit/DeribitSession.ts"
import * as ErrorCodes from "../../../session/deribit/internal/errorCodes.ts"
import type { Method } from "../../../session/deribit/Method.ts"
import type { CallError, RpcError } from "../../../session/JsonRpc.ts"
import * as Monotonic from "../../../value/Monotonic.ts"
import {
  askAgain,
  describe as describeFailure,
  type Failure,
  unanswered,
  unreadable,
  unsent,
  writeOnce
} from "../../internal/failure.ts"
import type { Sending } from "../../internal/gateway.ts"

const describe = ({ data, reason }: RpcError): string => {
  const detail = typeof data === "object" && data !== null && "reason" in data ? data.reason : undefined
  return typeof detail === "string" && detail !== "" ? `${reason}: ${detail}` : reason
}

/** How long the venue is left alone that asks to be. */
const busyMillis = 250

const refused = (error: RpcError): Failure => ({
  _tag: "Refused",
  reason: describe(error),
  code: error.code,
  message: error.reason,
  ...(ErrorCodes.temporary.has(error.code) ? { retryAfterMillis: busyMillis } : {})
})

const failureOf = (error: CallError): Failure => {
  switch (error._tag) {
    case "RpcError":
      return refused(error)
    case "OutcomeUnknown":
      return unanswered("the connection ended before the answer came", true)
    case "UnreadableResult":
      return unreadable(error.message)
    case "NotSent":
      return unsent(error.message, error.reason !== "Closed")
    default:
      return unsent(error.message)
  }
}

/** A call has so much more by itself, so that the deadline is kept in one place. */
const slackMillis = 1_000

/**
 * The calls of one session. Times are on the monotonic clock, in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export class Calls {
  private readonly session: DeribitSession
  private readonly clock: Clock.Clock
  // Fails where the session could not be brought up at all.
  private readonly refused: Deferred.Deferred<never, Failure>

  constructor(session: DeribitSession, clock: Clock.Clock, refused: Deferred.Deferred<never, Failure>) {
    this.session = session
    this.clock = clock
    this.refused = refused
  }

  now(): number {
    return Monotonic.nowMillis(this.clock)
  }

  /** Whether the session has stopped for good. */
  get isOver(): Effect.Effect<boolean> {
    return Effect.map(
      this.session.state.current,
      ({ _tag }) => _tag === "Failed" || Deferred.isDoneUnsafe(this.refused)
    )
  }

  /** Waits until the session is live. */
  live(until: number): Effect.Effect<void, Failure> {
    return Effect.flatMap(this.session.state.current, (current) => {
      if (current._tag === "Live") return Effect.void
      let last: string | undefined
      const live = this.session.state.changes.pipe(
        Stream.mapEffect((state): Effect.Effect<boolean, Failure> => {
          if (state._tag === "Failed") return Effect.fail(unsent(state.error.message))
          if (state._tag === "Waiting") last = state.failure?.message ?? last
          return Effect.succeed(state._tag === "Live")
        }),
        Stream.filter((isLive) => isLive),
        Stream.runHead,
        Effect.flatMap((found) => Option.isSome(found) ? Effect.void : Effect.fail(unsent("the session was closed")))
      )
      return Effect.raceFirst(live, Deferred.await(this.refused)).pipe(
        Effect.timeoutOrElse({
          duration: Math.max(0, until - this.now()),
          orElse: () => Effect.fail(unsent(`not signed in by the deadline${last === undefined ? "" : `: ${last}`}`))
        })
      )
    })
  }

  /** Asks, again where the connection ended or the venue asks for patience. */
  read<Params, Result>(method: Method<Params, Result>, params: Params, until: number): Effect.Effect<Result, Failure> {
    return askAgain(this.attempt(method, params, until), { now: () => this.now(), until })
  }

  /** Writes once: again only what never left. */
  write<Params, Result>(
    method: Method<Params, Result>,
    params: Params | (() => Params),
    { onWrite, until }: Sending
  ): Effect.Effect<Result, Failure> {
    return writeOnce(this.attempt(method, params, until, onWrite), { now: () => this.now(), until }).pipe(
      // The venue failed, and does not say whether it had carried it out.
      Effect.catch((failure) =>
        Effect.fail(
          failure._tag === "Refused" && failure.code === ErrorCodes.internalServerError
            ? unanswered(describeFailure(failure))
            : failure
        )
      )
    )
  }

  private attempt<Params, Result>(
    method: Method<Params, Result>,
    params: Params | (() => Params),
    until: number,
    onWrite?: () => void
  ): Effect.Effect<Result, Failure> {
    return Effect.flatMap(this.live(until), () => {
      const left = Math.max(0, until - this.now())
      let isWritten = false
      return this.session.call(method, params, {
        timeout: left + slackMillis,
        deadline: left + slackMillis,
        onWrite: () => {
          isWritten = true
          onWrite?.()
        }
      }).pipe(
        Effect.mapError(failureOf),
        // Here for all that it may wait for: its credits, its turn, its answer.
        Effect.timeoutOrElse({
          duration: left,
          orElse: () =>
            Effect.fail(isWritten ? unanswered("no answer by the deadline") : unsent("not written by the deadline"))
        })
      )
    })
  }
}
