/**
 * The same behaviour as an entity of `effect/cluster`: one actor for each id,
 * somewhere in the cluster, started when its first message comes.
 *
 * It is the very actor of `Actor.spawn`, of the path `<behaviour>/<id>`, so its
 * answers are the same: deadlines, priorities, restarts, children and dead letters,
 * which are those of the process where it lives. What differs:
 *
 * - Its messages go to other processes, so each needs a Schema
 *   (`ActorMessage.Class`). They are sent at most once: none is stored. A `tell`
 *   comes back once the entity has taken the message.
 * - It ends when it is idle for long, or has to move, and goes on from its last
 *   state. So a behaviour without `snapshots` is refused, unless it may forget
 *   (`isVolatile`).
 * - It has no parent, cannot be watched, and is not stopped for good: the next
 *   message starts it afresh.
 *
 * **Example** (accounts in a cluster)
 *
 * ```ts
 * const accounts = Entities.layer(account)
 *
 * const program = Effect.gen(function*() {
 *   const account = yield* Entities.client(accountBehaviour)
 *   yield* account("alice").tell(new Deposit({ amount: 100 }))
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as ClusterError from "effect/cluster/ClusterError"
import * as Entity from "effect/cluster/Entity"
import type { Sharding } from "effect/cluster/Sharding"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Rpc from "effect/rpc/Rpc"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type * as Actor from "./Actor.ts"
import { ActorCrashed, ActorStopped, AskTimedOut, MailboxFull, NotUnderstood } from "./ActorError.ts"
import type { ActorMessage } from "./ActorMessage.ts"
import type { ActorRef, SendOptions, Told } from "./ActorRef.ts"
import type { Behaviour } from "./Behaviour.ts"
import type { DeadLetters } from "./DeadLetters.ts"
import { defaultDeadline } from "./internal/inbound.ts"
import * as Spawning from "./internal/spawning.ts"

/**
 * A behaviour that cannot be an entity, and why: messages without a Schema, two of
 * one tag, or a state that would be lost.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotAnEntity extends Schema.TaggedError<NotAnEntity>()("NotAnEntity", {
  behaviour: Schema.String,
  reason: Schema.Literals(["NoSchema", "DuplicateTag", "Volatile"]),
  messages: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const { behaviour, messages, reason } = this
    const because = reason === "Volatile"
      ? "it has no snapshots, so its state would be lost when it is idle or moves; say `isVolatile` if it may be"
      : reason === "NoSchema"
      ? `without a Schema of ActorMessage.Class, ${messages.join(", ")} cannot be sent to another process`
      : `${messages.join(", ")} is the tag of two messages`
    return `${behaviour} cannot be an entity: ${because}`
  }
}

/**
 * The cluster could not pass the message on. `reason` is the cluster's own error:
 * of `MailboxFull`, too many requests to the entity are under way at once.
 *
 * @category errors
 * @since 0.1.0
 */
export class EntityUnavailable extends Schema.TaggedError<EntityUnavailable>()("EntityUnavailable", {
  entity: Schema.String,
  reason: Schema.Literals(["AlreadyProcessingMessage", "EntityNotAssignedToRunner", "MailboxFull", "PersistenceError"]),
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `the cluster did not reach ${this.entity}: ${this.reason}`
  }
}

/**
 * How entities are run: each as an actor with these options (its name is its id),
 * and
 *
 * - `isVolatile`: its state may be lost
 * - `maxIdleTime`: after how long without a message it ends; default: what the
 *   cluster's configuration says. What is in hand then has the time of `shutdown`
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Omit<Actor.Options, "name"> {
  readonly isVolatile?: boolean | undefined
  readonly maxIdleTime?: Duration.Input | undefined
}

// A message as the cluster has it. What its members, its reply and its error are is in the types of the behaviour.
type AnyRpc = Rpc.Rpc<string, Schema.Codec<unknown>, Schema.Codec<Answer, unknown>, Schema.Codec<unknown>>

// What comes back of a message that was told is what became of it.
type Answer = { readonly _tag: "Told"; readonly told: Told } | { readonly _tag: "Reply"; readonly reply: unknown }

const answerOf = (reply: Schema.Codec<unknown>): Schema.Codec<Answer, unknown> =>
  Schema.Union([
    Schema.TaggedStruct("Told", { told: Schema.Literals(["Queued", "Displaced", "Dropped", "Stopped"]) }),
    Schema.TaggedStruct("Reply", { reply })
  ])

interface MessageSchema extends Schema.Codec<unknown> {
  readonly identifier: string
  readonly reply: Schema.Codec<unknown>
  readonly error: Schema.Codec<unknown>
}

const isMessageSchema = (self: unknown): self is MessageSchema =>
  Schema.isSchema(self) && Predicate.hasProperty(self, "reply") && Predicate.hasProperty(self, "error")

const rpcOf = (self: MessageSchema): AnyRpc =>
  Rpc.make(self.identifier, {
    payload: self,
    success: answerOf(self.reply),
    error: Schema.Union([self.error, AskTimedOut, ActorStopped, ActorCrashed, MailboxFull, NotUnderstood])
  })

// How a message is sent goes with it as headers.
const priorityHeader = "x-tickline-priority"
const deadlineHeader = "x-tickline-deadline"
const toldHeader = "x-tickline-told"

const headersOf = ({ deadline, priority }: SendOptions, isTold: boolean): Headers.Headers =>
  Headers.fromInput({
    [priorityHeader]: priority,
    [deadlineHeader]: deadline === undefined
      ? undefined
      : String(Duration.toMillis(Duration.fromInputUnsafe(deadline))),
    [toldHeader]: isTold ? "yes" : undefined
  })

const isPriority = Schema.is(Schema.Literals(["high", "normal", "low"]))

const optionsOf = (headers: Headers.Headers): SendOptions => {
  const priority = headers[priorityHeader]
  const deadline = headers[deadlineHeader]
  return {
    priority: isPriority(priority) ? priority : undefined,
    deadline: deadline === undefined ? undefined : Number(deadline)
  }
}

const entityOf = <State, M extends ActorMessage, E, R>(
  { messages, name }: Behaviour<State, M, E, R>
): Effect.Effect<Entity.Entity<string, AnyRpc>, NotAnEntity> => {
  const classes: ReadonlyArray<unknown> = messages
  const schemas = classes.filter(isMessageSchema)
  const tags = schemas.map(({ identifier }) => identifier)
  const without = messages.filter((message) => !isMessageSchema(message)).map((message) => message.name)
  const twice = tags.filter((tag, i) => tags.indexOf(tag) !== i)
  return without.length > 0
    ? Effect.fail(new NotAnEntity({ behaviour: name, reason: "NoSchema", messages: without }))
    : twice.length > 0
    ? Effect.fail(new NotAnEntity({ behaviour: name, reason: "DuplicateTag", messages: twice }))
    : Effect.succeed(Entity.make(name, schemas.map(rpcOf)))
}

/**
 * Runs a behaviour as entities of the cluster, on this runner as on every other
 * that has the layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <State, M extends ActorMessage, E, R>(
  behaviour: Behaviour<State, M, E, R>,
  options: Options = {}
): Layer.Layer<never, NotAnEntity, Sharding | DeadLetters | R> => {
  const { isVolatile = false, maxIdleTime, ...others } = options
  const build = Effect.gen(function*() {
    const { entityId } = yield* Entity.CurrentAddress
    const context = yield* Effect.context<DeadLetters | R | Scope.Scope>()
    const lock = yield* Semaphore.make(1)
    const spawn = Effect.orDie(Spawning.spawn(behaviour, { ...others, name: entityId }))
    let cell = yield* spawn
    // One that has stopped for good starts afresh for the next message.
    const living = lock.withPermit(Effect.gen(function*() {
      if (cell.current._tag === "Stopped") cell = yield* spawn
      return cell
    }))
    const answered = (
      { headers, payload }: Entity.Request<AnyRpc>
    ): Effect.Effect<Answer, unknown, DeadLetters | R | Scope.Scope> =>
      Effect.flatMap(living, ({ inbound }): Effect.Effect<Answer, unknown> => {
        // It was decoded by the schema of one of the behaviour's messages.
        const message = payload as M
        const options = optionsOf(headers)
        return headers[toldHeader] === undefined
          ? Effect.map(inbound.ask(message, options), (reply) => ({ _tag: "Reply", reply }))
          : Effect.map(inbound.tell(message, options), (told) => ({ _tag: "Told", told }))
      })
    return (request: Entity.Request<AnyRpc>) => Effect.provideContext(answered(request), context)
  })
  const refusal = behaviour.snapshots === undefined && !isVolatile
    ? Effect.fail(new NotAnEntity({ behaviour: behaviour.name, reason: "Volatile", messages: [] }))
    : Effect.void
  return Layer.unwrap(Effect.map(Effect.andThen(refusal, entityOf(behaviour)), (entity) =>
    entity.toLayer(
      Effect.map(
        build,
        (handle) => Object.fromEntries([...entity.protocol.requests.keys()].map((tag) => [tag, handle]))
      ),
      { concurrency: "unbounded", maxIdleTime }
    )))
}

// What the cluster says itself; anything else is the handler's, or the actor's.
const isOfCluster = (
  error: unknown
): error is
  | ClusterError.AlreadyProcessingMessage
  | ClusterError.EntityNotAssignedToRunner
  | ClusterError.MailboxFull
  | ClusterError.PersistenceError =>
  ClusterError.MailboxFull.is(error) || ClusterError.AlreadyProcessingMessage.is(error) ||
  ClusterError.EntityNotAssignedToRunner.is(error) ||
  error instanceof ClusterError.PersistenceError

/**
 * Where the messages of a behaviour's entities are sent to, by their id.
 *
 * @category constructors
 * @since 0.1.0
 */
export const client = <State, M extends ActorMessage, E, R>(
  behaviour: Behaviour<State, M, E, R>
): Effect.Effect<(id: string) => ActorRef<M, EntityUnavailable | MailboxFull>, NotAnEntity, Sharding> =>
  Effect.gen(function*() {
    const clients = yield* (yield* entityOf(behaviour)).client
    return (id) => {
      const path = `${behaviour.name}/${id}`
      const calls = clients(id)
      const send = (message: M, options: SendOptions, isTold: boolean): Effect.Effect<Answer, unknown> => {
        const call = calls[message._tag]
        if (call === undefined) return Effect.fail(new NotUnderstood({ actor: path, tag: message._tag }))
        return Effect.mapError(
          call(message, { headers: headersOf(options, isTold) }),
          (error) =>
            isOfCluster(error) ? new EntityUnavailable({ entity: path, reason: error._tag, cause: error }) : error
        )
      }
      const tell = (message: M, options: SendOptions = {}): Effect.Effect<unknown, unknown> =>
        Effect.map(send(message, options, true), (answer) => answer._tag === "Told" ? answer.told : "Queued")
      const ask = (message: M, options: SendOptions = {}): Effect.Effect<unknown, unknown> => {
        const deadline = Duration.fromInputUnsafe(options.deadline ?? defaultDeadline)
        return Effect.timeoutOrElse(
          Effect.map(
            send(message, { ...options, deadline }, false),
            (answer) => answer._tag === "Reply" ? answer.reply : undefined
          ),
          {
            duration: deadline,
            orElse: () => new AskTimedOut({ actor: path, afterMillis: Duration.toMillis(deadline) })
          }
        )
      }
      // Both fail with what the cluster says, and a question with what its message's type says besides.
      return { path, tell, ask } as ActorRef<M, EntityUnavailable | MailboxFull>
    }
  })
