/**
 * Where messages are sent to: an actor of this process, or an entity of a
 * cluster.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Request from "effect/Request"
import type { AskError } from "./ActorError.ts"
import type { ActorMessage } from "./ActorMessage.ts"
import type { Priority } from "./Mailbox.ts"

/**
 * What became of a message that was told: it waits in the mailbox, it does in
 * place of another, it was dropped, or its actor has stopped. The last two are
 * dead letters.
 *
 * @category models
 * @since 0.1.0
 */
export type Told = "Queued" | "Displaced" | "Dropped" | "Stopped"

/**
 * How a message is sent. `priority` goes before what the behaviour says of it;
 * `deadline` is how long it may wait to be handled: after that it is a dead
 * letter. A question has one of 5 s by default, within which it has to be
 * answered.
 *
 * @category models
 * @since 0.1.0
 */
export interface SendOptions {
  readonly priority?: Priority | undefined
  readonly deadline?: Duration.Input | undefined
}

/**
 * Where messages of type `M` are sent to; `E` is what that can fail with.
 *
 * - `tell`: sends and does not wait for the handling
 * - `ask`: sends and waits for the answer
 *
 * @category models
 * @since 0.1.0
 */
export interface ActorRef<in M extends ActorMessage, out E = never> {
  readonly path: string
  readonly tell: (message: M, options?: SendOptions | undefined) => Effect.Effect<Told, E>
  readonly ask: <A extends M>(
    message: A,
    options?: SendOptions | undefined
  ) => Effect.Effect<Request.Success<A>, Request.Error<A> | AskError | E>
}
