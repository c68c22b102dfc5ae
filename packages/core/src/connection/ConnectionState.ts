/**
 * Where a connection stands, and the only ways from one state to another.
 *
 * ```
 * Disconnected ─► Connecting ─► Connected ─► Reconnecting ─► Connecting …
 *                     │             │        CircuitOpen  ─► Connecting …
 *                     └► Reconnecting, CircuitOpen, Failed, Disconnected
 * any ─► Closing ─► Disconnected           Failed ─► Connecting
 * ```
 *
 * The machine is a pure function; `Connection` holds its state and publishes
 * the transitions. A closing connection cannot be revived.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type { ConnectError, Failure } from "./ConnectError.ts"
import type { Unconfirmed } from "./internal/unconfirmedMessages.ts"

/**
 * Where a connection stands.
 *
 * - `Connecting`: dial number `attempt` of this outage is under way; 1 is the first
 * - `Connected`: the wire of `epoch` is open and its subscriptions are restored
 * - `Reconnecting`: retry number `attempt` is due at `until` (epoch
 *   milliseconds), `delayMillis` after the failure that led here
 * - `CircuitOpen`: the same, where the breaker is what is waited for
 * - `Failed`: it will not come back by itself; `connect` dials anew
 *
 * @category models
 * @since 0.1.0
 */
export type ConnectionState = Data.TaggedEnum<{
  Disconnected: {}
  Connecting: { readonly attempt: number }
  Connected: { readonly epoch: number }
  Reconnecting: {
    readonly attempt: number
    readonly delayMillis: number
    readonly until: number
    readonly failure: Failure | undefined
    readonly pattern: string | undefined
  }
  CircuitOpen: {
    readonly attempt: number
    readonly delayMillis: number
    readonly until: number
    readonly failure: Failure | undefined
  }
  Closing: { readonly mode: "graceful" | "forced" }
  Failed: { readonly error: ConnectError }
}>

/**
 * Constructors and matchers of the states.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ConnectionState = Data.taggedEnum<ConnectionState>()

/**
 * One step from a state to the next, at `at` (epoch milliseconds), after
 * `heldMillis` in `from`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transition {
  readonly _tag: "Transition"
  readonly from: ConnectionState
  readonly to: ConnectionState
  readonly at: number
  readonly heldMillis: number
  readonly reason: string
  /**
   * How many transitions this one stands for, from the first's `from` to the
   * last's `to`, where a consumer stood still for so many that they were merged.
   */
  readonly merged?: number | undefined
  /** Which of a feed's connections went it; absent for the first one while that is the only one. */
  readonly leg?: number | undefined
  /** Whether another connection of the feed is up, so that the feed is as it was. */
  readonly isCovered?: boolean | undefined
  /** What was sent in the epoch that ended here, and may not have left; absent where there is none. */
  readonly unconfirmed?: Unconfirmed | undefined
}
