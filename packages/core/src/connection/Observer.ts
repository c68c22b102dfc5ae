/**
 * Code that sees each batch in the callback in which it was read, before any
 * queue: heartbeats, subscriptions and requests are observers, and so is what a
 * user attaches. Who wants no queue between wire and code pays nothing else.
 *
 * An observer lives for one epoch. It is called synchronously, in the declared
 * order: heartbeat, subscriptions, requests, those of a feed, then the user's
 * own. It must be quick; what it throws is caught, named, logged and counted.
 *
 * **Example** (the last message of each epoch, without a queue)
 *
 * ```ts
 * const last = new Map<number, string>()
 * const connection = yield* Connection.make(url, {
 *   decode: (frame) => [String(frame)],
 *   observers: [{
 *     name: "last",
 *     attach: (epoch) => ({
 *       batch: ({ messages }) => void last.set(epoch, messages[messages.length - 1] ?? ""),
 *       ended: () => {}
 *     })
 *   }]
 * })
 * ```
 *
 * @since 0.1.0
 */
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { Frame } from "../transport/Frame.ts"
import type { Failure } from "./ConnectError.ts"
import type * as Inbox from "./Inbox.ts"
import type * as InboxItems from "./internal/inboxItems.ts"

/**
 * The messages of one epoch that one read brought, with the frames that held
 * them. `at` is in epoch milliseconds, `monotonicMillis` the same moment on the
 * monotonic clock. `frames` are in order; the messages of `frames[i]` begin at
 * `starts[i]` in `messages`, and a frame may hold none.
 *
 * @category models
 * @since 0.1.0
 */
export interface Batch<A> extends Inbox.Batch<A> {
  readonly monotonicMillis: number
  readonly frames: NonEmptyReadonlyArray<Frame>
  readonly starts: ReadonlyArray<number>
}

/**
 * How an epoch ended: by a failure, because the owner asked for a new epoch, or
 * because the owner closes the connection. `at` is in epoch milliseconds,
 * `monotonicMillis` the same moment on the monotonic clock.
 *
 * @category models
 * @since 0.1.0
 */
export type EpochEnd =
  & { readonly epoch: number; readonly at: number; readonly monotonicMillis: number }
  & ({ readonly _tag: "Failed"; readonly failure: Failure } | { readonly _tag: "Redial" } | { readonly _tag: "Closed" })

/**
 * What observes one epoch. `batch` is called for each batch, `rejected` for each
 * frame that could not be read, with the frame, in the order in which they came, and `ended`
 * once, after all of them and before the connection's state says so.
 *
 * @category models
 * @since 0.1.0
 */
export interface Observer<A> {
  readonly batch: (batch: Batch<A>) => void
  readonly rejected?: ((rejected: InboxItems.Rejected, frame: Frame) => void) | undefined
  readonly ended: (how: EpochEnd) => void
}

/**
 * An observer by its name, and what happens when it throws: it is detached until
 * the next epoch (`"detach"`, the default), or the connection ends with
 * `ObserverFailed` (`"end"`).
 *
 * @category models
 * @since 0.1.0
 */
export interface NamedObserver<A> {
  /** What log lines call it. */
  readonly name: string
  /**
   * Makes the observer of an epoch that begins now: its wire is open, and its
   * subscriptions are not restored yet.
   */
  readonly attach: (epoch: number) => Observer<A>
  readonly whenThrows?: "detach" | "end" | undefined
}
