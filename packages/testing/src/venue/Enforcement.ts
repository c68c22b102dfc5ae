/**
 * What a venue does to clients that do not keep its rules: limits on messages
 * and dials, counted in every rolling window, and answers that are due in time.
 * Pure values; a mock server carries them out.
 *
 * Each mock has the rules that its venue publishes, with where it says so. What
 * a venue does to who breaks one is documented more seldom: where it is not, the
 * value says what was seen.
 *
 * @since 0.1.0
 */
import type { Limit as Declared } from "@tickline/core/protocol/Limit"
import type { Window } from "@tickline/core/resilience/RollingLimit"
import type { Frame } from "@tickline/core/transport/Frame"
import type { Question } from "./Listing.ts"

/**
 * At most `limit` messages, dials or subscriptions (the messages that ask for
 * some, or give some up) in any rolling window of `windowMillis`, of each
 * connection or of each address.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limit {
  readonly of: "messages" | "dials" | "subscriptions"
  readonly per: "connection" | "address"
  readonly limit: number
  readonly windowMillis: number
}

/**
 * What a client meets whose message is one too many, which is never heard:
 * an error in the venue's words, a close frame, or one after the other.
 *
 * @category models
 * @since 0.1.0
 */
export interface Excess {
  readonly error?: ((frame: Frame) => string) | undefined
  readonly close?: { readonly code: number; readonly reason: string } | undefined
}

/**
 * The rules of a venue. Times are milliseconds; what is absent is not enforced.
 *
 * - `limits`: on messages, dials and subscriptions. A dial too many is answered
 *   429.
 * - `isSubscription`: which frames of a client count as subscriptions.
 * - `connections`: how many an address may have at a time; a dial for one more is answered 429.
 * - `countsPings`: whether a client's pings and pongs count as messages.
 * - `excess`: what a message too many leads to.
 * - `subscribeWithin`: how long a new connection may stay without a
 *   subscription.
 * - `pings`: the venue pings so often, and closes a connection whose pong, with
 *   the ping's own payload, does not come in time.
 * - `tests`: which of the venue's frames are tests, which frames of a client
 *   answer them, and how soon.
 * - `http`: how much weight of questions over HTTP, and what each weighs. One
 *   too many is answered 429, with `excess` as its body.
 * - `idle`: how long a connection lives to which the venue sends nothing.
 * - `session`: how long a connection lives at most.
 *
 * @category models
 * @since 0.1.0
 */
export interface Enforcement {
  readonly limits: ReadonlyArray<Limit>
  readonly connections?: number | undefined
  readonly isSubscription?: ((frame: Frame) => boolean) | undefined
  readonly countsPings: boolean
  readonly excess: Excess
  readonly subscribeWithin?: number | undefined
  readonly pings?: { readonly every: number; readonly within: number } | undefined
  readonly tests?: {
    readonly isTest: (text: string) => boolean
    readonly isAnswer: (frame: Frame) => boolean
    readonly within: number
  } | undefined
  readonly http?: {
    readonly windows: ReadonlyArray<Window>
    readonly weightOf: (question: Question) => number
    readonly excess: unknown
  } | undefined
  readonly idle?: number | undefined
  readonly session?: number | undefined
}

/**
 * A venue that enforces nothing.
 *
 * @category constants
 * @since 0.1.0
 */
export const none: Enforcement = { limits: [], countsPings: false, excess: {} }

/**
 * What a venue declares of its limits, as its server holds a client to them:
 * those in a window, and how many connections an address may have at once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const declared = (limits: ReadonlyArray<Declared>): Pick<Enforcement, "limits" | "connections"> => ({
  limits: limits.flatMap(({ limit, of, per, windowMillis }) =>
    windowMillis === undefined ? [] : [{ of, per, limit, windowMillis }]
  ),
  connections: limits.find(({ of, windowMillis }) => of === "dials" && windowMillis === undefined)?.limit
})

/**
 * Counts against windows: `admits` is whether what happens at a time (epoch
 * milliseconds, never before an earlier one) and weighs so much (1 if nothing is
 * said) is within every limit, and counts it where it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counter {
  readonly admits: (at: number, weight?: number | undefined) => boolean
}

/**
 * Makes a counter that has counted nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeCounter = (limits: ReadonlyArray<Limit | Window>): Counter => {
  const longest = Math.max(0, ...limits.map(({ windowMillis }) => windowMillis))
  let counted: Array<{ readonly time: number; readonly weight: number }> = []
  return {
    admits: (at, weight = 1) => {
      counted = counted.filter(({ time }) => time > at - longest)
      const isWithin = limits.every(({ limit, windowMillis }) =>
        counted.reduce((sum, { time, weight }) => time > at - windowMillis ? sum + weight : sum, weight) <= limit
      )
      if (isWithin) counted.push({ time: at, weight })
      return isWithin
    }
  }
}

/**
 * The most of the times that lie in any one window of so many milliseconds,
 * wherever it begins. Times in order.
 *
 * @category getters
 * @since 0.1.0
 */
export const mostWithin = (times: ReadonlyArray<number>, windowMillis: number): number => {
  let most = 0
  let first = 0
  for (const [last, time] of times.entries()) {
    while (time - (times[first] ?? time) >= windowMillis) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}
