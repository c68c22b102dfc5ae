/**
 * A message that waits to be written.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { RateLimited } from "../../resilience/RollingLimit.ts"
import * as Frame from "../../transport/Frame.ts"
import type { NotSent } from "../ConnectError.ts"
import type { Accepted, Message, SendOptions } from "../Outbox.ts"

/**
 * The priorities, first to last.
 *
 * @category constants
 * @since 0.1.0
 */
export const priorities: ReadonlyArray<NonNullable<SendOptions["priority"]>> = [
  "heartbeat",
  "cancel",
  "order",
  "subscribe",
  "query"
]

/**
 * A message, its bounds, and whoever waits for what becomes of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface OutboxEntry {
  readonly message: Message
  /** When it is too late to write it, on the monotonic clock in milliseconds. */
  readonly until?: number | undefined
  readonly isSignedIn?: SendOptions["isSignedIn"]
  readonly delivery: NonNullable<SendOptions["delivery"]>
  readonly rank: number
  readonly cost: number
  /** What it is, where the connection sends it by itself. */
  readonly kind?: string | undefined
  readonly settle: ((outcome: Effect.Effect<Accepted, NotSent | RateLimited>) => void) | undefined
}

/**
 * Its frame, made now where it is made when it is written.
 *
 * @category getters
 * @since 0.1.0
 */
export const frameOf = (message: Message): Frame.Frame => typeof message === "function" ? message() : message

/**
 * Its bytes, where they are known before it is made.
 *
 * @category getters
 * @since 0.1.0
 */
export const sizeOf = (message: Message): number => typeof message === "function" ? 0 : Frame.size(message)
