/**
 * What an account is told of its orders on a socket of its own, beside the
 * requests that it makes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Connection from "../../connection/Connection.ts"
import type * as Inbox from "../../connection/Inbox.ts"
import type { Reconnection } from "../../connection/Reconnection.ts"
import type { CircuitBreaker } from "../../resilience/CircuitBreaker.ts"
import type { Transport } from "../../transport/Transport.ts"
import type * as Channel from "../../value/Channel.ts"
import type { Notice } from "./gateway.ts"

/**
 * The notices of one account. `of` has the socket connect, if it has not, and
 * gives what is told from now on, of all products. What is over is told by `end`.
 *
 * @category models
 * @since 0.1.0
 */
export interface PrivateChannel<A> {
  readonly of: Effect.Effect<PubSub.Subscription<Notice<A>>, never, Scope.Scope>
  readonly end: (notice: Extract<Notice<A>, { readonly _tag: "Over" }>) => void
}

/**
 * Makes the notices of an account. `notice` is what a message tells: of one that
 * says that a subscription holds, a gap, since what came before it was not told. A
 * socket that cannot be brought up is logged: how orders stand can be learned
 * without it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*<A, Message>(
  url: string,
  options: Connection.Decoding<Message>,
  { channels, notice }: {
    readonly channels: ReadonlyArray<Channel.Channel>
    readonly notice: (message: Message) => Notice<A> | undefined
  }
): Effect.fn.Return<PrivateChannel<A>, never, Scope.Scope | Transport | Reconnection | CircuitBreaker> {
  const scope = yield* Effect.scope
  const notices = yield* PubSub.unbounded<Notice<A>>()
  const publish = (told: Notice<A> | undefined): void => {
    if (told !== undefined) PubSub.publishUnsafe(notices, told)
  }
  const connection = yield* Connection.make<Message>(url, options)
  const down = ({ message }: { readonly message: string }) =>
    Effect.logWarning(`orders are asked for instead: ${message}`)
  const tell = (item: Inbox.Item<Message>): Effect.Effect<void> => {
    switch (item._tag) {
      case "Batch":
        return Effect.sync(() => item.messages.forEach((message) => publish(notice(message))))
      case "Refused":
        return Effect.forEach(item.refused, down, { discard: true })
      case "Missed":
      case "Rejected":
      case "SequenceGap":
        return Effect.sync(() => publish({ _tag: "Gap" }))
      default:
        return Effect.void
    }
  }
  let isBegun = false
  const begin = Effect.suspend(() => {
    if (isBegun) return Effect.void
    isBegun = true
    return Effect.andThen(
      Stream.runForEach(connection.inbound({ name: "orders", overflow: "drop-oldest" }), tell).pipe(
        Effect.ignore,
        Effect.forkIn(scope, { startImmediately: true })
      ),
      Effect.andThen(connection.subscribe(channels), connection.connect).pipe(
        Effect.catch(down),
        Effect.forkIn(scope, { startImmediately: true })
      )
    )
  })
  return { of: Effect.tap(PubSub.subscribe(notices), () => begin), end: publish }
})
