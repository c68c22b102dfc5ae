/**
 * What a suite asks of actors under the virtual clock: spawn one with all that is
 * to be seen of it, stand in for an actor that others send to, wait for what
 * takes virtual time, and compare orders.
 *
 * They move the test's clock, as those of `Probe` do.
 *
 * **Example** (a message, and what becomes of it)
 *
 * ```ts
 * it.effect("tells the desk", () =>
 *   Effect.gen(function*() {
 *     const desk = ActorProbe.inbox<Filled>()
 *     const { actor, letters } = yield* ActorProbe.spawn(trader(desk))
 *     yield* actor.tell(new Buy({ amount: 1 }))
 *     const filled = yield* desk.next
 *     assert.deepStrictEqual(yield* letters, [])
 *   }))
 * ```
 *
 * @since 0.1.0
 */
import * as Actor from "@tickline/core/actor/Actor"
import { AskTimedOut, type MailboxFull } from "@tickline/core/actor/ActorError"
import type { ActorMessage } from "@tickline/core/actor/ActorMessage"
import type { ActorRef } from "@tickline/core/actor/ActorRef"
import type { ActorState } from "@tickline/core/actor/ActorState"
import type { Behaviour } from "@tickline/core/actor/Behaviour"
import * as DeadLetters from "@tickline/core/actor/DeadLetters"
import type * as Mailbox from "@tickline/core/actor/Mailbox"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Request from "effect/Request"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Probe from "./Probe.ts"

/**
 * An actor with what is to be seen of it: its dead letters, which are those of its
 * children too, and the states that it came to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Spawned<in M extends ActorMessage, out E> {
  readonly actor: Actor.Actor<M, E>
  readonly letters: Effect.Effect<ReadonlyArray<DeadLetters.DeadLetter>>
  readonly states: ReadonlyArray<ActorState>
}

/**
 * Spawns an actor with a place of its own for dead letters. At the end of the test
 * it is stopped at once, whatever it does, unless `shutdown` says otherwise: a
 * test's clock stands still by then.
 *
 * @category constructors
 * @since 0.1.0
 */
export const spawn = Effect.fnUntraced(function*<
  State,
  M extends ActorMessage,
  E,
  R,
  const Policy extends Mailbox.Overflow = "suspend"
>(
  behaviour: Behaviour<State, M, E, R>,
  options?: Actor.Options<Policy>
): Effect.fn.Return<
  Spawned<M, "fail" extends Policy ? MailboxFull : never>,
  E,
  Exclude<R, DeadLetters.DeadLetters> | Scope.Scope
> {
  const deadLetters = yield* DeadLetters.make()
  const actor = yield* Effect.provideService(
    Actor.spawn(behaviour, { shutdown: { mode: "drop", within: 0 }, ...options }),
    DeadLetters.DeadLetters,
    deadLetters
  )
  return { actor, letters: deadLetters.latest, states: yield* Probe.record(actor.state.changes) }
})

/**
 * Stands in for an actor: keeps what it is sent, in order.
 *
 * - `received`: all of it so far
 * - `next`, `take`: what has not been taken yet, letting virtual time go on until it
 *   is there
 * - `nothing`: lets virtual time go on, and fails if anything comes
 *
 * @category models
 * @since 0.1.0
 */
export interface Inbox<M extends ActorMessage> extends ActorRef<M> {
  readonly received: Effect.Effect<ReadonlyArray<M>>
  readonly next: Effect.Effect<M, Probe.NotInTime>
  readonly take: (count: number) => Effect.Effect<ReadonlyArray<M>, Probe.NotInTime>
  readonly nothing: (within: Duration.Input) => Effect.Effect<void, NotSilent>
}

/**
 * Something came that was not to come.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotSilent extends Schema.TaggedError<NotSilent>()("NotSilent", { what: Schema.String }) {
  override get message(): string {
    return `nothing was to come, and ${this.what} did`
  }
}

/**
 * Makes an inbox. What is asked of it is answered by `answer`; without one it times
 * out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const inbox = <M extends ActorMessage>(
  answer?: <A extends M>(message: A) => Effect.Effect<Request.Success<A>, Request.Error<A>>
): Inbox<M> => {
  const path = "Inbox"
  const received: Array<M> = []
  let taken = 0
  const take = (count: number): Effect.Effect<ReadonlyArray<M>, Probe.NotInTime> =>
    Effect.map(
      Probe.until(Effect.sync(() => received.length >= taken + count), { what: `${count} messages to ${path}` }),
      () => received.slice(taken, taken += count)
    )
  return {
    path,
    tell: (message) =>
      Effect.sync(() => {
        received.push(message)
        return "Queued"
      }),
    ask: (message, options) => {
      const deadline = Duration.fromInputUnsafe(options?.deadline ?? "5 seconds")
      return Effect.suspend(() => {
        received.push(message)
        return answer?.(message) ?? Effect.never
      }).pipe(Effect.timeoutOrElse({
        duration: deadline,
        orElse: () => new AskTimedOut({ actor: path, afterMillis: Duration.toMillis(deadline) })
      }))
    },
    received: Effect.sync(() => [...received]),
    next: Effect.flatMap(
      take(1),
      ([first]) => first === undefined ? Effect.die("take gives one") : Effect.succeed(first)
    ),
    take,
    nothing: Effect.fnUntraced(function*(within: Duration.Input) {
      yield* TestClock.adjust(within)
      const next = received[taken]
      if (next !== undefined) return yield* new NotSilent({ what: next._tag })
    })
  }
}

/**
 * Lets virtual time go on until the effect is done, and says how many milliseconds
 * that took: what a deadline or a backoff was.
 *
 * @category combinators
 * @since 0.1.0
 */
export const timed = Effect.fnUntraced(function*<A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options?: Probe.Options
): Effect.fn.Return<{ readonly exit: Exit.Exit<A, E>; readonly millis: number }, Probe.NotInTime, R> {
  const begun = yield* Monotonic.now
  const exit = yield* Probe.within(Effect.exit(effect), options)
  return { exit, millis: (yield* Monotonic.now) - begun }
})

/**
 * Two of a sender came the wrong way round, or one is missing or came twice.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutOfOrder extends Schema.TaggedError<OutOfOrder>()("OutOfOrder", {
  sender: Schema.String,
  expected: Schema.Finite,
  actual: Schema.Finite
}) {
  override get message(): string {
    return `of ${this.sender}: ${this.expected} was to come, and ${this.actual} did`
  }
}

/**
 * Asserts that what each sender sent came in order and complete: its numbers are
 * 0, 1, 2 and so on.
 *
 * @category combinators
 * @since 0.1.0
 */
export const inOrder = <A>(
  received: ReadonlyArray<A>,
  of: (message: A) => { readonly sender: string; readonly number: number }
): Effect.Effect<void, OutOfOrder> =>
  Effect.gen(function*() {
    const next = new Map<string, number>()
    for (const message of received) {
      const { number: actual, sender } = of(message)
      const expected = next.get(sender) ?? 0
      if (actual !== expected) return yield* new OutOfOrder({ sender, expected, actual })
      next.set(sender, expected + 1)
    }
  })
