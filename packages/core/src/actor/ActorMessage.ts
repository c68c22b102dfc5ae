/**
 * What actors are told. A message is an Effect `Request`: its type says what it
 * is answered with, and with which errors.
 *
 * - `ActorMessage.Class` makes one whose members, reply and error have a Schema. It can
 *   be sent to another process, so its actor can be an entity of a cluster.
 * - `Request.TaggedClass` of Effect makes one without a Schema, which may hold
 *   anything and stays in this process.
 *
 * **Example** (a message with a reply and an error)
 *
 * ```ts
 * class Withdraw extends ActorMessage.Class<Withdraw>()("Withdraw", { amount: Schema.Finite }, {
 *   reply: Schema.Finite,
 *   error: Overdrawn
 * }) {}
 * ```
 *
 * @since 0.1.0
 */
import * as Request from "effect/Request"
import * as Schema from "effect/Schema"

/**
 * A message with what it is answered with.
 *
 * @category models
 * @since 0.1.0
 */
export interface ActorMessage<out Reply = unknown, out Error = unknown> extends Request.Request<Reply, Error> {
  readonly _tag: string
}

/**
 * A class of messages whose members, reply and error have a Schema.
 *
 * @category models
 * @since 0.1.0
 */
export interface Class<
  Self,
  Tag extends string,
  Fields extends Schema.Struct.Fields,
  Reply extends Schema.Top,
  Error extends Schema.Top
> extends Schema.Class<Self, Schema.TaggedStruct<Tag, Fields>, Request.Request<Reply["Type"], Error["Type"]>> {
  readonly reply: Reply
  readonly error: Error
}

/**
 * Makes the base of a class of messages. Without a `reply` it is answered with
 * nothing, once it is handled; without an `error` its handler cannot fail.
 *
 * @category constructors
 * @since 0.1.0
 */
export const Class = <Self>() =>
<
  const Tag extends string,
  const Fields extends Schema.Struct.Fields,
  Reply extends Schema.Top = Schema.Void,
  Error extends Schema.Top = Schema.Never
>(
  tag: Tag,
  fields: Fields,
  answer: { readonly reply?: Reply | undefined; readonly error?: Error | undefined } = {}
): Class<Self, Tag, Fields, Reply, Error> => {
  const made = Schema.TaggedClass<object>()(tag, fields)
  Object.assign(made.prototype, variance)
  const { error = Schema.Never, reply = Schema.Void } = answer
  // What its instances are is said where it is extended, and what is left out is what the type parameters default to.
  return Object.assign(made, { reply, error }) as unknown as Class<Self, Tag, Fields, Reply, Error>
}

// What makes a value a `Request`; its equality is the class's own.
const variance = Object.fromEntries(
  Object.entries(Request.RequestPrototype).filter(([key]) => key.startsWith("~effect/Request"))
)
