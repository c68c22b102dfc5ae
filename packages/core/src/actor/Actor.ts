/**
 * Actors: each has a state that nobody else sees, a bounded mailbox, and handles
 * one message at a time.
 *
 * - What it does is a `Behaviour`, a value.
 * - It lives in a scope, and ends with it. What is spawned by a handler, or while
 *   the first state is made, is its child and lives in the scope of that state.
 * - If a handler crashes, the actor's `Supervisor` says what is done. The message
 *   in hand is not handled again.
 * - What is not handled is a dead letter with its reason.
 *
 * **Example** (an actor, a message, a question)
 *
 * ```ts
 * const alice = yield* Actor.spawn(account, { name: "alice" })
 * yield* alice.tell(new Deposit({ amount: 100 }))
 * const balance = yield* alice.ask(new Balance())
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { MailboxFull } from "./ActorError.ts"
import type { ActorMessage } from "./ActorMessage.ts"
import type { ActorRef } from "./ActorRef.ts"
import type { ActorState, Ended } from "./ActorState.ts"
import type { Behaviour } from "./Behaviour.ts"
import type { DeadLetters } from "./DeadLetters.ts"
import * as Spawning from "./internal/spawning.ts"
import type * as Mailboxes from "./Mailbox.ts"
import type { Supervisor } from "./Supervisor.ts"

/**
 * What an actor has counted. `told` is the sum of `handled`, `deadLetters`,
 * `withdrawn` (whoever had asked did not wait for it) and `waiting`, with what is
 * being handled.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counts {
  readonly told: number
  readonly handled: number
  readonly deadLetters: number
  readonly withdrawn: number
  readonly waiting: number
  readonly restarts: number
}

/**
 * How an actor is stopped: with what waits handled (`drain`, the default) or as
 * dead letters (`drop`). What is in hand may end within the time (default 5 s);
 * then it is interrupted, and what still waits are dead letters.
 *
 * @category models
 * @since 0.1.0
 */
export interface StopOptions {
  readonly mode?: "drain" | "drop" | undefined
  readonly within?: Duration.Input | undefined
}

/**
 * An actor.
 *
 * - `state`: where it stands in its life, and each change from the current one on
 * - `stop`: stops it and waits until it has ended; of itself it waits for nothing.
 *   An actor that crashes, or waits to be restarted, is not drained
 * - `ended`: waits until it has ended, and says how
 *
 * @category models
 * @since 0.1.0
 */
export interface Actor<in M extends ActorMessage, out E = never> extends ActorRef<M, E> {
  readonly state: { readonly current: Effect.Effect<ActorState>; readonly changes: Stream.Stream<ActorState> }
  readonly counts: Effect.Effect<Counts>
  readonly stop: (options?: StopOptions | undefined) => Effect.Effect<void>
  readonly ended: Effect.Effect<Ended>
}

/**
 * How an actor is spawned.
 *
 * - `name`: the end of its path, after those of its parent and its behaviour
 * - `shutdown`: how it is stopped when its scope ends
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<out Policy extends Mailboxes.Overflow = Mailboxes.Overflow> {
  readonly name?: string | undefined
  readonly mailbox?: Mailboxes.Options<Policy> | undefined
  readonly supervision?: Supervisor | undefined
  readonly shutdown?: StopOptions | undefined
}

type FullOf<Policy extends Mailboxes.Overflow> = "fail" extends Policy ? MailboxFull : never

/**
 * Starts an actor, which lives until its scope ends. It comes back once the first
 * state is there, and fails if that cannot be made.
 *
 * @category constructors
 * @since 0.1.0
 */
export const spawn = <State, M extends ActorMessage, E, R, const Policy extends Mailboxes.Overflow = "suspend">(
  behaviour: Behaviour<State, M, E, R>,
  options: Options<Policy> = {}
): Effect.Effect<Actor<M, FullOf<Policy>>, E, R | DeadLetters | Scope.Scope> =>
  Effect.map(Spawning.spawn(behaviour, options), (cell) => {
    const actor: Actor<M, MailboxFull> = {
      ...cell.address,
      state: {
        current: Effect.sync(() => cell.current),
        changes: Stream.takeUntil(cell.changes.stream(() => [cell.current]), ({ _tag }) => _tag === "Stopped")
      },
      counts: Effect.sync(() => ({
        told: cell.told,
        handled: cell.handled,
        deadLetters: cell.inbound.dead,
        withdrawn: cell.inbound.withdrawn,
        waiting: cell.waiting,
        restarts: cell.restarts
      })),
      stop: (options) => cell.stop(Spawning.modeOf(options), Spawning.withinOf(options)),
      ended: cell.ended
    }
    // A mailbox of another policy is never said to be full by `tell`, and by `ask` always.
    return actor as Actor<M, FullOf<Policy>>
  })
