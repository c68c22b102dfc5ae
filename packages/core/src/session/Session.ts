/**
 * An authenticated conversation that is restored. On each epoch it signs in,
 * asks for all subscriptions again, learns how things stand (`reconcile`), and
 * only then is `Live`. What its owner holds keeps working across epochs.
 *
 * A call goes out on the epoch that is live, while it is signed in, within its
 * deadline, or not at all: it fails with `NotSent`, also before the session is
 * live. Only its connection dials; a step that fails is a failed dial.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type AuthError, type ConnectError, type Failure, RestoreFailed } from "../connection/ConnectError.ts"
import * as Connection from "../connection/Connection.ts"
import type { ConnectionState } from "../connection/ConnectionState.ts"
import { internals } from "../connection/internal/connectionInternals.ts"
import type { Opening } from "../connection/Opening.ts"
import type { Reconnection } from "../connection/Reconnection.ts"
import type { CircuitBreaker } from "../resilience/CircuitBreaker.ts"
import * as Address from "../transport/Address.ts"
import type { Transport } from "../transport/Transport.ts"
import * as SlidingPubSub from "../value/internal/slidingPubSub.ts"
import { SessionMetrics } from "./internal/sessionMetrics.ts"
import { SignInRenewal } from "./internal/signInRenewal.ts"
import * as JsonRpc from "./JsonRpc.ts"
import type { Calls, SignIn } from "./SignIn.ts"

/**
 * Where a session stands.
 *
 * - `Disconnected`: not asked for, or closed
 * - `Connecting`: a dial is under way, the first or a later attempt
 * - `SigningIn`, `Restoring`, `Reconciling`: the steps of an epoch that is open
 * - `Live`: signed in, restored and reconciled
 * - `Waiting`: for the next attempt, after this failure if there was one
 * - `Closing`
 * - `Failed`: it is not tried any more, for this reason
 *
 * @category models
 * @since 0.1.0
 */
export type SessionState = Data.TaggedEnum<{
  Disconnected: {}
  Connecting: { readonly attempt: number }
  SigningIn: { readonly epoch: number }
  Restoring: { readonly epoch: number }
  Reconciling: { readonly epoch: number }
  Live: { readonly epoch: number }
  Waiting: { readonly attempt: number; readonly failure: Failure | undefined }
  Closing: {}
  Failed: { readonly error: ConnectError }
}>

/**
 * The states of a session.
 *
 * @category constructors
 * @since 0.1.0
 */
export const SessionState = Data.taggedEnum<SessionState>()

/**
 * How a session is made, besides what its connection is told (see
 * `Connection.Options`).
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Omit<Connection.Options<JsonRpc.Message>, "decode" | "opening"> {
  /** What rejections call the peer. */
  readonly peer: string
  readonly signIn: SignIn
  /**
   * Learns how things stand, such as open orders and positions, once the subscriptions are restored: what fails is tried
   * again on a new epoch. Default: nothing is to be learned.
   */
  readonly reconcile?: ((calls: Calls) => Effect.Effect<void, JsonRpc.CallError | RestoreFailed>) | undefined
}

/**
 * What its owner holds of a session.
 *
 * @category models
 * @since 0.1.0
 */
export interface Session {
  /** Its connection: what is subscribed there is restored on each epoch. */
  readonly connection: Connection.Connection<JsonRpc.Message>
  /** Brings it up, and completes when it is live for the first time; see `Connection.connect`. */
  readonly connect: Connection.Connection<JsonRpc.Message>["connect"]
  readonly close: Connection.Connection<JsonRpc.Message>["close"]
  /** Adds channels to what is wanted, on this and each later epoch. */
  readonly subscribe: Connection.Connection<JsonRpc.Message>["subscribe"]
  /** Takes channels from what is wanted. */
  readonly unsubscribe: Connection.Connection<JsonRpc.Message>["unsubscribe"]
  readonly state: {
    readonly current: Effect.Effect<SessionState>
    /**
     * The state that there is at the first pull, and each that follows, until the session's scope ends. Of a reader more
     * than 1,024 behind the oldest are left out.
     */
    readonly changes: Stream.Stream<SessionState>
  }
  /** Calls a method on the epoch that is live, signed in, or not at all. */
  readonly call: JsonRpc.JsonRpc["call"]
  readonly notifications: JsonRpc.JsonRpc["notifications"]
  readonly unmatched: JsonRpc.JsonRpc["unmatched"]
}

const stateOf = (state: ConnectionState): SessionState => {
  switch (state._tag) {
    case "Connecting":
      return SessionState.Connecting({ attempt: state.attempt })
    case "Connected":
      return SessionState.Live({ epoch: state.epoch })
    case "CircuitOpen":
    case "Reconnecting":
      return SessionState.Waiting({ attempt: state.attempt, failure: state.failure })
    case "Failed":
      return SessionState.Failed({ error: state.error })
    case "Disconnected":
      return SessionState.Disconnected()
    case "Closing":
      return SessionState.Closing()
  }
}

const isRefusal = (cause: Cause.Cause<AuthError | RestoreFailed>): boolean =>
  cause.reasons.some((reason) => Cause.isFailReason(reason) && reason.error._tag === "AuthError")

/**
 * Makes a session, which is not connected yet. It ends with its scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  url: string,
  options: Options
): Effect.fn.Return<Session, never, Scope.Scope | Transport | Reconnection | CircuitBreaker> {
  const { peer, reconcile, signIn, ...rest } = options
  const clock = yield* Clock.Clock
  const label = options.label ?? Address.origin(url)
  const context = yield* Effect.context<never>()
  const metrics = new SessionMetrics(label, context)
  const renewal = new SignInRenewal(label, clock, metrics, context)
  // After nothing no more come. Made for the first who reads it.
  let moves: PubSub.PubSub<SessionState | undefined> | undefined
  let current: SessionState = SessionState.Disconnected()

  const move = (to: SessionState): void => {
    current = to
    if (moves !== undefined) SlidingPubSub.publishUnsafe(moves, to)
  }

  const through = (via: Opening): Calls => ({
    call: (method, params, how) => rpc.call(method, params, { ...how, via })
  })

  const failedIn =
    (epoch: number) => (error: AuthError | RestoreFailed | JsonRpc.CallError): AuthError | RestoreFailed =>
      error._tag === "AuthError" || error._tag === "RestoreFailed"
        ? error
        : new RestoreFailed({ epoch, detail: error.message })

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      renewal.stop()
      if (moves !== undefined) SlidingPubSub.publishUnsafe(moves, undefined)
    })
  )
  const connection: Connection.Connection<JsonRpc.Message> = yield* Connection.make(url, {
    ...rest,
    decode: JsonRpc.decode(peer),
    opening: {
      signIn: (via) =>
        Effect.suspend(() => {
          renewal.forget()
          move(SessionState.SigningIn({ epoch: via.epoch }))
          return signIn(through(via)).pipe(
            Effect.mapError(failedIn(via.epoch)),
            Effect.onError((cause) => Effect.sync(() => metrics.signedIn(isRefusal(cause) ? "refused" : "failed"))),
            Effect.flatMap((granted) => {
              renewal.granted(granted)
              metrics.signedIn("signed-in")
              move(SessionState.Restoring({ epoch: via.epoch }))
              return renewal.log(Effect.logInfo("signed in"), via.epoch, granted)
            })
          )
        }),
      reconcile: (via) =>
        Effect.suspend(() => {
          move(SessionState.Reconciling({ epoch: via.epoch }))
          return (reconcile?.(through(via)) ?? Effect.void).pipe(
            Effect.mapError(failedIn(via.epoch)),
            Effect.onExit(({ _tag }) =>
              Effect.sync(() => metrics.reconciled(_tag === "Success" ? "reconciled" : "failed"))
            )
          )
        })
    }
  })
  const rpc = yield* JsonRpc.make(connection)

  connection[internals].follow({
    moved: ({ to }) => {
      metrics.live(to._tag === "Connected")
      move(stateOf(to))
      renewal.stop()
      if (to._tag === "Connected") renewal.start(to.epoch, { call }, Effect.ignore(connection.reconnect))
      return undefined
    },
    confirmed: () => undefined,
    refused: () => undefined,
    handedOn: () => {}
  })

  const call: Session["call"] = (method, params, how) =>
    rpc.call(method, params, { isSignedIn: () => renewal.isSignedIn, ...how })

  return {
    connection,
    connect: connection.connect,
    close: connection.close,
    subscribe: connection.subscribe,
    unsubscribe: connection.unsubscribe,
    state: {
      current: Effect.sync(() => current),
      changes: Stream.unwrap(Effect.gen(function*() {
        const subscription = yield* PubSub.subscribe(moves ??= yield* PubSub.sliding<SessionState | undefined>(1_024))
        return Stream.concat(
          Stream.make(current),
          Stream.takeWhile(Stream.fromSubscription(subscription), (state) => state !== undefined)
        )
      }))
    },
    call,
    notifications: rpc.notifications,
    unmatched: rpc.unmatched
  }
})
