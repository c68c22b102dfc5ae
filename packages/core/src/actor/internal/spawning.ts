/**
 * Starts actors.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Monotonic from "../../value/Monotonic.ts"
import type { ActorMessage } from "../ActorMessage.ts"
import type { Behaviour } from "../Behaviour.ts"
import { DeadLetters } from "../DeadLetters.ts"
import type * as Mailboxes from "../Mailbox.ts"
import type { Supervisor } from "../Supervisor.ts"
import * as ActorMetrics from "./actorMetrics.ts"
import { Cell, CurrentParent } from "./cell.ts"
import { defaultCapacity, Mailbox } from "./mailbox.ts"
import { Restarts } from "./restarts.ts"

interface Stop {
  readonly mode?: "drain" | "drop" | undefined
  readonly within?: Duration.Input | undefined
}

interface Options {
  readonly name?: string | undefined
  readonly mailbox?: Mailboxes.Options | undefined
  readonly supervision?: Supervisor | undefined
  readonly shutdown?: Stop | undefined
}

/**
 * How an actor is stopped where nothing is said.
 *
 * @category getters
 * @since 0.1.0
 */
export const modeOf = (options: Stop | undefined): "drain" | "drop" => options?.mode ?? "drain"

/**
 * How long it may take to stop.
 *
 * @category getters
 * @since 0.1.0
 */
export const withinOf = (options: Stop | undefined): Duration.Duration =>
  Duration.fromInputUnsafe(options?.within ?? "5 seconds")

/**
 * Starts an actor, which lives until the scope ends. Comes back once its first
 * state is there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const spawn = <State, M extends ActorMessage, E, R>(
  behaviour: Behaviour<State, M, E, R>,
  { mailbox = {}, name, shutdown, supervision = {} }: Options
): Effect.Effect<Cell<State, M, E, R>, E, R | DeadLetters | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const parent = yield* CurrentParent
      const clock = yield* Clock.Clock
      const context = yield* Effect.context()
      const stopWithin = withinOf(shutdown)
      const cell = new Cell({
        behaviour,
        path: [parent?.path, behaviour.name, name].filter((part) => part !== undefined).join("/"),
        parent,
        overflow: mailbox.overflow ?? "suspend",
        mailbox: new Mailbox<M>(mailbox.capacity ?? defaultCapacity),
        restarts: new Restarts(supervision),
        deadLetters: yield* DeadLetters,
        kind: ActorMetrics.kindOf(context, behaviour.name),
        context,
        now: () => Monotonic.nowMillis(clock),
        stopWithin
      })
      // Forked, so that an actor that ended before its scope leaves nothing in it.
      const scope = yield* Scope.fork(yield* Effect.scope)
      yield* Scope.addFinalizer(scope, cell.stop(modeOf(shutdown), stopWithin))
      let begun: Exit.Exit<void, E> | undefined
      let tell: ((exit: Exit.Exit<void, E>) => void) | undefined
      const living = cell.run((exit) => {
        begun = exit
        tell?.(exit)
      }, Scope.close(scope, Exit.void))
      yield* Effect.forkDetach(living, { startImmediately: true, uninterruptible: true })
      const started = Effect.callback<void, E>((resume) => {
        if (begun !== undefined) resume(begun)
        else tell = resume
      })
      yield* Effect.onInterrupt(restore(started), () => Scope.close(scope, Exit.void))
      return cell
    })
  )
