/**
 * What an actor does, as a value: its messages, its first state, and a handler for
 * each message. The same behaviour is run by `Actor.spawn` in this process, and by
 * `Entities.layer` in a cluster.
 *
 * A handler gets the state and returns the next one, or `Behaviour.reply` with the
 * answer and the next one. An actor handles one message at a time. What a handler
 * fails with is the error of its message; the state is then as it was before.
 *
 * **Example** (an account)
 *
 * ```ts
 * class Deposit extends ActorMessage.Class<Deposit>()("Deposit", { amount: Schema.Finite }) {}
 * class Balance extends ActorMessage.Class<Balance>()("Balance", {}, { reply: Schema.Finite }) {}
 *
 * const account = Behaviour.make("Account", {
 *   messages: [Deposit, Balance],
 *   initial: Effect.succeed(0),
 *   handle: {
 *     Deposit: (balance, { amount }) => Effect.succeed(balance + amount),
 *     Balance: (balance) => Effect.succeed(Behaviour.reply(balance, balance))
 *   }
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Request from "effect/Request"
import type * as Scope from "effect/Scope"
import type { MailboxFull } from "./ActorError.ts"
import type { ActorMessage } from "./ActorMessage.ts"
import type { ActorRef } from "./ActorRef.ts"
import type { Ended } from "./ActorState.ts"
import { Replied } from "./internal/replied.ts"
import type { Priority } from "./Mailbox.ts"

/**
 * Answers, and goes on with the state.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reply = <Reply, State>(reply: Reply, state: State): Replied<Reply, State> => new Replied(reply, state)

/**
 * What a handler can see of its own actor.
 *
 * - `self`: where its own messages are sent to. It cannot wait for itself: what it
 *   asks itself times out
 * - `children`: the paths of those that were spawned by it and have not ended
 * - `watch`: has `ended` called when the other has ended, at once if it already has.
 *   Children are watched without
 * - `stop`: it stops after this message; those that wait are dead letters
 *
 * @category models
 * @since 0.1.0
 */
export interface Context<in M extends ActorMessage> {
  readonly path: string
  readonly self: ActorRef<M, MailboxFull>
  readonly children: Effect.Effect<ReadonlyArray<string>>
  readonly watch: (other: { readonly ended: Effect.Effect<Ended> }) => Effect.Effect<void>
  readonly stop: Effect.Effect<void>
}

// A class of messages: of `ActorMessage.Class`, or of Effect's `Request.TaggedClass`.
type MessageClass<out M extends ActorMessage = ActorMessage> = abstract new(...args: never) => M

type Of<M extends ActorMessage, Tag> = Extract<M, { readonly _tag: Tag }>

// An answer of nothing need not be given.
type Next<State, Reply> = Replied<Reply, State> | (Reply extends void ? State : never)

// A handler for each message, by its tag.
type Handlers<State, M extends ActorMessage> = {
  readonly [Tag in M["_tag"]]: (
    state: State,
    message: Of<M, Tag>,
    context: Context<M>
  ) => Effect.Effect<Next<State, Request.Success<Of<M, Tag>>>, Request.Error<Of<M, Tag>>, unknown>
}

// A handler that only throws needs nothing.
type Services<Handle> = {
  [Tag in keyof Handle]: Handle[Tag] extends (...args: never) => infer Handling
    ? Handling extends Effect.Effect<unknown, unknown, infer R> ? R : never
    : never
}[keyof Handle]

/**
 * Where the states of a behaviour are kept, so that an actor that is restarted, or
 * lives again elsewhere, goes on from its last one. `persist` is done after each
 * change, before the answer is given; if it fails, the actor crashes and the
 * message is not answered.
 *
 * @category models
 * @since 0.1.0
 */
export interface Snapshots<State, E, R> {
  readonly restore: (path: string) => Effect.Effect<Option.Option<State>, E, R>
  readonly persist: (path: string, state: State) => Effect.Effect<void, unknown, R>
}

/**
 * What an actor does. `E` is what its start can fail with, `R` what it needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Behaviour<in out State, in out M extends ActorMessage, out E = never, out R = never> {
  readonly name: string
  readonly messages: ReadonlyArray<MessageClass>
  readonly initial: Effect.Effect<State, E, R | Scope.Scope>
  readonly handlers: ReadonlyMap<string, (state: State, message: M, context: Context<M>) => Handled<State, R>>
  readonly priority: ((message: M) => Priority) | undefined
  readonly ended:
    | ((state: State, ended: Ended, context: Context<M>) => Effect.Effect<State, unknown, R | Scope.Scope>)
    | undefined
  readonly snapshots: Snapshots<State, E, R | Scope.Scope> | undefined
}

type Handled<State, R> = Effect.Effect<State | Replied<unknown, State>, unknown, R | Scope.Scope>

/**
 * Makes a behaviour.
 *
 * - `initial`: makes the first state, of a start and of each restart. Its scope, and
 *   that of the handlers, ends with a restart
 * - `priority`: how urgent a message is
 * - `ended`: called when a child, or who is watched, has ended
 * - `snapshots`: where states are kept
 *
 * The names of behaviours are attributes of metrics, and the beginning of paths:
 * give the same to all actors of a kind.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <
  const Classes extends ReadonlyArray<MessageClass>,
  State,
  const Handle extends Handlers<State, InstanceType<Classes[number]>>,
  E = never,
  RI = never,
  RE = never,
  E2 = never,
  RS = never
>(
  name: string,
  options: {
    readonly messages: Classes
    readonly initial: Effect.Effect<State, E, RI>
    readonly handle: Handle
    readonly priority?: ((message: InstanceType<Classes[number]>) => Priority) | undefined
    readonly ended?:
      | ((
        state: NoInfer<State>,
        ended: Ended,
        context: Context<InstanceType<Classes[number]>>
      ) => Effect.Effect<NoInfer<State>, unknown, RE>)
      | undefined
    readonly snapshots?: Snapshots<NoInfer<State>, E2, RS> | undefined
  }
): Behaviour<
  State,
  InstanceType<Classes[number]>,
  E | E2,
  Exclude<RI | RE | RS | Services<Handle>, Scope.Scope>
> => {
  type R = Exclude<RI | RE | RS | Services<Handle>, Scope.Scope>
  type M = InstanceType<Classes[number]>
  const { ended, handle, initial, messages, priority, snapshots } = options
  return {
    name,
    messages,
    // `Scope` is given to all of them by whoever runs the behaviour; a handler gets messages of its own tag only.
    initial: initial as Effect.Effect<State, E, R | Scope.Scope>,
    handlers: new Map(Object.entries(handle)) as unknown as Behaviour<State, M, E, R>["handlers"],
    priority,
    ended: ended as Behaviour<State, M, E, R>["ended"],
    snapshots: snapshots as Snapshots<State, E2, R | Scope.Scope> | undefined
  }
}
