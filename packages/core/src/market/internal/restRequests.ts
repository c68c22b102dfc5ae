/**
 * What is asked of a venue's REST interface: within its limits, one after the
 * other, and again if the answer is none.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { type FrameRejected, isFrameRejected } from "../../codec/Rejection.ts"
import type { ConnectionPolicy } from "../../resilience/ConnectionPolicy.ts"
import { Governor } from "../../resilience/Governor.ts"
import * as Backoff from "../../resilience/internal/backoff.ts"
import { transitMillis } from "../../resilience/internal/connectionLimits.ts"
import type { RollingLimit } from "../../resilience/RollingLimit.ts"
import { origin } from "../../transport/Address.ts"
import type { HttpError } from "../../transport/HttpError.ts"
import type * as HttpPort from "../../transport/HttpPort.ts"
import * as RetryAfter from "../../transport/RetryAfter.ts"
import * as Monotonic from "../../value/Monotonic.ts"
import * as Printable from "../../value/Printable.ts"
import type { RestRequest, Venue } from "../../venue/Venue.ts"

/**
 * An answer that holds nothing of what was asked for, by its status. `body` is how it begins.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnexpectedStatus extends Schema.TaggedError<UnexpectedStatus>()("UnexpectedStatus", {
  status: Schema.Finite,
  body: Schema.String
}) {
  override get message(): string {
    return `status ${this.status}: ${Printable.escape(this.body)}`
  }
}

/**
 * Why nothing was to be had: the venue will not give it, whenever it is asked, or
 * `attempts` are used up.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  readonly attempts: number
  readonly reason: HttpError | UnexpectedStatus | FrameRejected
}

/**
 * What asks a venue.
 *
 * @category models
 * @since 0.1.0
 */
export interface RestRequests {
  /**
   * Asks, and reads the body of the answer. Waits for the weight that the request has, and, after an answer that asks for
   * patience, as long as it says; all that is asked of the address waits as well.
   */
  readonly ask: <A extends object>(
    request: RestRequest,
    read: (body: string) => A | FrameRejected
  ) => Effect.Effect<A, Failure>
}

/**
 * How it is asked: `rest` is the base of the venue's REST interface.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: Venue
  readonly rest: string
  readonly port: HttpPort.HttpPort["Service"]
  readonly policy: Pick<ConnectionPolicy, "backoff" | "retry">
}

type Reason = Failure["reason"]
/** Statuses that ask for patience: too many requests, a ban for them, a firewall's limit, and out of order. */
const patience: ReadonlySet<number> = new Set([403, 418, 429, 503])

/** What is waited at least after the first three of them, if the answer does not say how long. */
const patienceMillis = 5_000

const bodyShown = 200

/** Whether another attempt could mend it. */
const isPassing = (reason: Reason): boolean => {
  switch (reason._tag) {
    case "UnexpectedStatus":
      return reason.status >= 500 || patience.has(reason.status) || reason.status === 408
    case "HttpError":
      return reason.reason._tag !== "BadUrl" && reason.reason._tag !== "BadHeader" &&
        reason.reason._tag !== "AnswerTooLarge"
    case "FrameRejected":
      return true
  }
}

/** Who is next at an address, and until when nobody is: as the weight is shared, so are these. */
interface Address {
  readonly turns: Semaphore.Semaphore
  heldUntil: number
}

const addresses = new WeakMap<RollingLimit, Address>()

const addressOf = (weights: RollingLimit): Address => {
  const known = addresses.get(weights)
  if (known !== undefined) return known
  // One after the other, so that who has waited longest is next.
  const address = { turns: Semaphore.makeUnsafe(1), heldUntil: 0 }
  addresses.set(weights, address)
  return address
}

/** A failure of an attempt, and how long the peer asks to wait at least. */
interface Failed {
  readonly reason: Reason
  readonly heldMillis: number
}

const failed = (reason: Reason, heldMillis = 0): Failed => ({ reason, heldMillis })

/**
 * Makes what asks a venue. The weight is that of the address, shared through the
 * `Governor`, while the scope lives.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  { policy, port, rest, venue }: Options
): Effect.fn.Return<RestRequests, never, Scope.Scope> {
  const { share } = yield* Governor
  const isReplay = port.isReplay === true
  const windows = (isReplay ? [] : venue.rest?.weights ?? []).map(({ limit, windowMillis }) => ({
    limit,
    windowMillis: windowMillis + transitMillis
  }))
  const weights = yield* share(`${origin(rest)} weight`, windows, port.network)
  const address = addressOf(weights)

  const admit = (weight: number): Effect.Effect<void> =>
    Effect.gen(function*() {
      while (true) {
        const now = yield* Monotonic.now
        if (address.heldUntil > now) {
          yield* Effect.sleep(address.heldUntil - now)
          continue
        }
        const wait = weights.take(now, weight)
        if (wait === 0) return
        yield* weights.wait(wait, weight)
      }
    })

  const attempt = Effect.fnUntraced(function*<A extends object>(
    { body, mostBytes, path, weight }: RestRequest,
    read: (body: string) => A | FrameRejected
  ): Effect.fn.Return<A, Failed> {
    yield* address.turns.withPermit(admit(weight))
    const answer = yield* Effect.mapError(
      port.request({
        url: `${rest}${path}`,
        mostBytes,
        ...(body === undefined
          ? { method: "GET" }
          : { method: "POST", body, headers: { "content-type": "application/json" } })
      }),
      (error) => failed(error)
    )
    if (answer.status !== 200) {
      const reason = new UnexpectedStatus({ status: answer.status, body: answer.body.slice(0, bodyShown) })
      const asked = RetryAfter.millisOf(answer.headers, yield* Clock.currentTimeMillis)
      const usual = answer.status === 503 ? 0 : patienceMillis
      return yield* Effect.fail(failed(reason, patience.has(answer.status) ? asked ?? usual : 0))
    }
    const found = read(answer.body)
    return isFrameRejected(found) ? yield* Effect.fail(failed(found)) : found
  })

  const ask = <A extends object>(
    request: RestRequest,
    read: (body: string) => A | FrameRejected
  ): Effect.Effect<A, Failure> =>
    Effect.gen(function*() {
      const { maxRetries } = policy.retry
      const backoff = yield* Backoff.make(policy.backoff)
      const again = (attempts: number): Effect.Effect<A, Failure> =>
        Effect.catch(attempt(request, read), ({ heldMillis, reason }) =>
          Effect.gen(function*() {
            // The next answer that was recorded is there when the replay comes to it.
            if (!isReplay) address.heldUntil = Math.max(address.heldUntil, (yield* Monotonic.now) + heldMillis)
            const isUsedUp = maxRetries !== "unlimited" && attempts > maxRetries
            if (isUsedUp || !isPassing(reason)) return yield* Effect.fail({ attempts, reason })
            const kind = reason._tag === "HttpError" ? reason.reason._tag : reason._tag
            const { delayMillis } = yield* backoff.next({ kind, uptimeMillis: undefined })
            // Until when all are held is a time, not a wait: the later of the two counts, never their sum.
            if (!isReplay) yield* Effect.sleep(delayMillis)
            return yield* again(attempts + 1)
          }))
      return yield* again(1)
    })

  return { ask }
})
