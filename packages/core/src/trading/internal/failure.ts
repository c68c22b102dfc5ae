/**
 * How something that was asked of an exchange ends without its answer, and what
 * is said of an order then.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { NotSent, OutcomeUnknown, Rejected } from "../OrderEvent.ts"

/**
 * - `Unsent`: it never left. If it `mayFollow`, only for want of a connection
 * - `Refused`: the exchange's own refusal, after which nothing has changed there.
 *   `code` and `message` are its words. With `retryAfterMillis` it may be asked
 *   again, so much later
 * - `Unanswered`: it left, and no answer came that can be read. If it `mayFollow`,
 *   what only asks may be asked again. `isUnreadable` if an answer came
 *
 * @category models
 * @since 0.1.0
 */
export type Failure =
  | { readonly _tag: "Unsent"; readonly reason: string; readonly mayFollow: boolean }
  | {
    readonly _tag: "Refused"
    readonly reason: string
    readonly code?: string | undefined
    readonly message?: string | undefined
    readonly retryAfterMillis?: number | undefined
  }
  | {
    readonly _tag: "Unanswered"
    readonly reason: string
    readonly mayFollow: boolean
    readonly isUnreadable?: boolean | undefined
  }

/**
 * What never left, for this reason.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unsent = (reason: string, mayFollow = false): Failure => ({ _tag: "Unsent", reason, mayFollow })

/**
 * What the exchange has refused, in its own words.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refused = (message: string): Failure => ({ _tag: "Refused", reason: message, message })

/**
 * What left and was not answered, for this reason.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unanswered = (reason: string, mayFollow = false): Failure => ({ _tag: "Unanswered", reason, mayFollow })

/**
 * What was answered with what cannot be read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unreadable = (reason: string): Failure => ({
  _tag: "Unanswered",
  reason,
  mayFollow: false,
  isUnreadable: true
})

/**
 * A failure in words.
 *
 * @category getters
 * @since 0.1.0
 */
export const describe = (failure: Failure): string =>
  failure._tag === "Refused" && failure.code !== undefined ? `${failure.reason} (${failure.code})` : failure.reason

/** How soon something is tried again for which there was no connection. */
const pauseMillis = 10

/** How long until it may be asked again, if it may. */
const patience = (failure: Failure): number | undefined =>
  failure._tag === "Refused" ? failure.retryAfterMillis : failure.mayFollow ? pauseMillis : undefined

/**
 * Asks again, until the deadline, where the connection ended or the exchange
 * wants to be asked later.
 *
 * @category combinators
 * @since 0.1.0
 */
export const askAgain = <A>(
  ask: Effect.Effect<A, Failure>,
  { now, until }: { readonly now: () => number; readonly until: number }
): Effect.Effect<A, Failure> =>
  Effect.catch(ask, (failure) => {
    const pause = patience(failure)
    return pause !== undefined && now() + pause < until
      ? Effect.delay(askAgain(ask, { now, until }), pause)
      : Effect.fail(failure)
  })

/**
 * Writes again, until the deadline, only what never left for want of a connection.
 *
 * @category combinators
 * @since 0.1.0
 */
export const writeOnce = <A>(
  write: Effect.Effect<A, Failure>,
  { now, until }: { readonly now: () => number; readonly until: number }
): Effect.Effect<A, Failure> =>
  Effect.catch(write, (failure) =>
    failure._tag === "Unsent" && failure.mayFollow && now() + pauseMillis < until
      ? Effect.delay(writeOnce(write, { now, until }), pauseMillis)
      : Effect.fail(failure))

/**
 * What an event bears of an order: the exchange, and the ids that are known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Names {
  readonly exchange: string
  readonly clientId?: string
  readonly orderId?: string
}

/**
 * What an event bears of an order's names.
 *
 * @category getters
 * @since 0.1.0
 */
export const namesOf = (
  exchange: string,
  { clientId, orderId }: { readonly clientId?: string | undefined; readonly orderId?: string | undefined }
): Names => ({
  exchange,
  ...(clientId === undefined ? {} : { clientId }),
  ...(orderId === undefined ? {} : { orderId })
})

/**
 * What a failure is as the outcome of a command that was to change something.
 *
 * @category constructors
 * @since 0.1.0
 */
export const outcomeOf = (names: Names, failure: Failure): NotSent | OutcomeUnknown | Rejected => {
  const { reason } = failure
  switch (failure._tag) {
    case "Unsent":
      return new NotSent({ ...names, reason })
    case "Unanswered":
      return new OutcomeUnknown({ ...names, reason })
    case "Refused": {
      const { code, message, retryAfterMillis } = failure
      return new Rejected({
        ...names,
        reason,
        ...(code === undefined ? {} : { code }),
        ...(message === undefined ? {} : { message }),
        ...(retryAfterMillis === undefined ? {} : { retryAfterMillis })
      })
    }
  }
}
