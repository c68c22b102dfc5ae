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

/**
 * How a call ends without its result:
 *
 * - `Unsent`: it never left. If it `mayFollow`, only for want of an epoch
 * - `Refused`: the venue's error
 * - `Unanswered`: it left, and no answer came that can be read
 *
 * @category models
 * @since 0.1.0
 */
export type Failure =
  | { readonly _tag: "Unsent"; readonly reason: string; readonly mayFollow: boolean }
  | { readonly _tag: "Refused"; readonly error: RpcError }
  | { readonly _tag: "Unanswered"; readonly reason: string; readonly mayFollow: boolean }

/**
 * What never left, for this reason.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unsent = (reason: string, mayFollow = false): Failure => ({ _tag: "Unsent", reason, mayFollow })

const unanswered = (reason: string, mayFollow = false): Failure => ({ _tag: "Unanswered", reason, mayFollow })

const failureOf = (error: CallError): Failure => {
  switch (error._tag) {
    case "RpcError":
      return { _tag: "Refused", error }
    case "OutcomeUnknown":
      return unanswered("the connection ended before the answer came", true)
    case "UnreadableResult":
      return unanswered(error.message)
    case "NotSent":
      return unsent(error.message, error.reason !== "Closed")
    default:
      return unsent(error.message)
  }
}

/**
 * The venue's error in words.
 *
 * @category getters
 * @since 0.1.0
 */
export const describeRefusal = ({ data, reason }: RpcError): string => {
  const detail = typeof data === "object" && data !== null && "reason" in data ? data.reason : undefined
  return typeof detail === "string" && detail !== "" ? `${reason}: ${detail}` : reason
}

/**
 * A failure in words.
 *
 * @category getters
 * @since 0.1.0
 */
export const describe = (failure: Failure): string =>
  failure._tag === "Refused" ? `${describeRefusal(failure.error)} (${failure.error.code})` : failure.reason

/** A call has so much more by itself, so that the deadline is kept in one place. */
const slackMillis = 1_000

/** How long the venue is left alone that asks to be, and how long an epoch may take to be seen to have ended. */
const pauseMillis = { busy: 250, epoch: 10 }

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
  read<Params, Result>(
    method: Method<Params, Result>,
    params: Params,
    until: number
  ): Effect.Effect<Result, Failure> {
    return this.attempt(method, params, until).pipe(
      Effect.catch((failure) => {
        const isBusy = failure._tag === "Refused" && ErrorCodes.temporary.has(failure.error.code)
        const pause = pauseMillis[isBusy ? "busy" : "epoch"]
        const mayFollow = isBusy || (failure._tag !== "Refused" && failure.mayFollow)
        return mayFollow && this.now() + pause < until
          ? Effect.delay(this.read(method, params, until), pause)
          : Effect.fail(failure)
      })
    )
  }

  /** Writes once: again only what never left. */
  write<Params, Result>(
    method: Method<Params, Result>,
    params: Params | (() => Params),
    until: number,
    onWrite?: () => void
  ): Effect.Effect<Result, Failure> {
    return this.attempt(method, params, until, onWrite).pipe(
      Effect.catch((failure) =>
        failure._tag === "Unsent" && failure.mayFollow && this.now() + pauseMillis.epoch < until
          ? Effect.delay(this.write(method, params, until, onWrite), pauseMillis.epoch)
          : Effect.fail(failure)
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
