/**
 * The messages that no actor handled, with the reason.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import type { ActorMessage } from "./ActorMessage.ts"
import * as ActorMetrics from "./internal/actorMetrics.ts"
import { Broadcast } from "./internal/broadcast.ts"
import { Ring } from "./internal/ring.ts"

type Reason = typeof ActorMetrics.reasons[number]

/**
 * A message that was not handled: what it is, for whom it was (a path), since when
 * (epoch milliseconds), and why:
 *
 * - `Overflow`: the mailbox was full
 * - `Expired`: its deadline was over before its turn came
 * - `Stopped`: the actor has stopped, or stopped first
 * - `Crashed`: the handler crashed with it in hand
 * - `Failed`: the handler failed, and nobody had asked
 * - `Undeliverable`: the actor has no handler for it, or whoever sends it has
 *   nobody to send it to
 *
 * `cause` is there of a handler that failed.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeadLetter {
  readonly to: string
  readonly message: ActorMessage
  readonly reason: Reason
  readonly at: number
  readonly cause?: Cause.Cause<unknown> | undefined
}

/**
 * Where dead letters go.
 *
 * - `latest`: the latest of them, the oldest first; see `layer`
 * - `counts`: how many there were, by reason
 * - `letters`: each from now on. Whoever is more than 1,024 behind misses the
 *   oldest
 * - `add`: one more; `addUnsafe` in the turn in which it is called
 *
 * @category services
 * @since 0.1.0
 */
export class DeadLetters extends Context.Service<DeadLetters, {
  readonly latest: Effect.Effect<ReadonlyArray<DeadLetter>>
  readonly counts: Effect.Effect<Readonly<Record<Reason, number>>>
  readonly letters: Stream.Stream<DeadLetter>
  readonly add: (letter: Omit<DeadLetter, "at">) => Effect.Effect<void>
  readonly addUnsafe: (letter: Omit<DeadLetter, "at">) => void
}>()("@tickline/core/actor/DeadLetters") {}

/**
 * Makes a place for dead letters, which keeps the latest `capacity` of them
 * (default 1,000).
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: { readonly capacity?: number | undefined } = {}
): Effect.fn.Return<DeadLetters["Service"]> {
  const { capacity = 1_000 } = options
  const clock = yield* Clock.Clock
  const told = ActorMetrics.lettersOf(yield* Effect.context())
  const hub = new Broadcast<DeadLetter>()
  const kept = new Ring<DeadLetter>()
  const counts = ActorMetrics.noLetters()
  const addUnsafe = (letter: Omit<DeadLetter, "at">): void => {
    const dated = { ...letter, at: clock.currentTimeMillisUnsafe() }
    counts[letter.reason]++
    told[letter.reason]++
    if (kept.size >= capacity) kept.shift()
    if (capacity > 0) kept.push(dated)
    hub.publish(dated)
  }
  return {
    latest: Effect.sync(() => kept.toArray()),
    counts: Effect.sync(() => ({ ...counts })),
    letters: hub.stream(() => []),
    add: (letter) => Effect.sync(() => addUnsafe(letter)),
    addUnsafe
  }
})

/**
 * A place for dead letters as a layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: { readonly capacity?: number | undefined }): Layer.Layer<DeadLetters> =>
  Layer.effect(DeadLetters, make(options))
