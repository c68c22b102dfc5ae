/**
 * The opening of an epoch: signing in, restoring, reconciling, while its wire is
 * read already and nobody is told that it is up.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Channel from "../../value/Channel.ts"
import { type AuthError, type Failure, NotSent, RestoreFailed } from "../ConnectError.ts"
import type * as Opening from "../Opening.ts"
import type { Parts } from "./connectionParts.ts"
import { type Ending, type Epoch, failed } from "./epoch.ts"
import { frameOf } from "./outboxEntry.ts"

class OpeningImpl<A> implements Opening.Opening {
  readonly epoch: number
  // Private to the runtime as well: whoever opens has no use for them.
  readonly #parts: Parts<A>
  readonly #epoch: Epoch<A>

  constructor(parts: Parts<A>, epoch: Epoch<A>) {
    this.epoch = epoch.number
    this.#parts = parts
    this.#epoch = epoch
  }

  readonly send: Opening.Opening["send"] = (message, options) => {
    const { options: { outbox } } = this.#parts
    const written = Effect.flatMap(
      outbox.admit("call", typeof message === "function" ? "" : message),
      () =>
        this.#epoch.wire.write(frameOf(message))
          ? Effect.succeed({ _tag: "Sent" as const, epoch: this.epoch })
          : Effect.fail(new NotSent({ reason: "EpochEnded" }))
    )
    return options?.deadline === undefined ? written : Effect.timeoutOrElse(written, {
      duration: options.deadline,
      orElse: () => Effect.fail(new NotSent({ reason: "TimedOut" }))
    })
  }
}

/**
 * The subscriptions that the peer has confirmed in any epoch, by their keys.
 *
 * @category models
 * @since 0.1.0
 */
export type Confirmed = Set<string>

/**
 * Remembers what is confirmed, before an epoch ends.
 *
 * @category combinators
 * @since 0.1.0
 */
export const remember = <A>({ options: { subscriptions } }: Parts<A>, confirmed: Confirmed): void => {
  for (const { channel, standing } of subscriptions.states()) {
    if (standing === "confirmed") confirmed.add(Channel.key(channel))
  }
}

/**
 * An epoch that ended before it was up.
 *
 * @category models
 * @since 0.1.0
 */
export class Unopened {
  readonly ending: Ending

  constructor(ending: Ending) {
    this.ending = ending
  }
}

/**
 * How an epoch ends that did not come up.
 *
 * @category getters
 * @since 0.1.0
 */
export const endingOf = (error: Failure | Unopened): Ending => error instanceof Unopened ? error.ending : failed(error)

/**
 * Reads the wire of an epoch from now on, `inScope`, and opens it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = <A>(
  parts: Parts<A>,
  { reconcile, signIn }: Opening.Steps,
  epoch: Epoch<A>,
  { confirmed, inScope }: {
    readonly confirmed: Confirmed
    readonly inScope: (read: Effect.Effect<Ending>) => Fiber.Fiber<Ending>
  }
): Effect.Effect<void, Unopened> =>
  Effect.suspend(() => {
    epoch.readEarly(inScope)
    const { connectTimeout } = parts.policy
    const opening = new OpeningImpl(parts, epoch)

    const step = (name: string, run: Opening.Step | undefined): Effect.Effect<void, AuthError | RestoreFailed> =>
      run === undefined ? Effect.void : run(opening).pipe(
        Effect.timeoutOrElse({
          duration: connectTimeout,
          orElse: () =>
            Effect.fail(
              new RestoreFailed({
                epoch: epoch.number,
                detail: `${name} took more than ${Duration.toMillis(connectTimeout)} ms`
              })
            )
        }),
        parts.states.traced(`Connection.${name}`, { epoch: epoch.number })
      )

    // What the peer has taken before and does not take now: who relies on it must not think it is there.
    const lost = Effect.suspend(() => {
      const refused = parts.options.subscriptions.refusals().find(({ channel }) => confirmed.has(Channel.key(channel)))
      return refused === undefined
        ? Effect.void
        : Effect.fail(new RestoreFailed({ epoch: epoch.number, detail: refused.message }))
    })

    return step("signIn", signIn).pipe(
      Effect.andThen(epoch.restore()),
      Effect.andThen(epoch.answered()),
      Effect.andThen(lost),
      Effect.andThen(step("reconcile", reconcile)),
      Effect.mapError((failure) => failed(failure)),
      Effect.raceFirst(epoch.reading()),
      Effect.mapError((ending) => new Unopened(ending))
    )
  })
