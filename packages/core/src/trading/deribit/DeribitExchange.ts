/**
 * Deribit as an `Exchange`, over a session that is signed in and restored.
 *
 * Our client id is the venue's `label`, which it does not hold to be unique. An
 * order and an amendment bear `valid_until`, their deadline by the venue's clock:
 * an order is `absent` only where the venue was asked after it. Amounts are the
 * venue's own: in the base asset, but for inverse instruments, whose contracts
 * are in US dollars.
 *
 * @see https://docs.deribit.com/articles/order-management-best-practices (read 2026-11-26)
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Reconnection } from "../../connection/Reconnection.ts"
import type { CircuitBreaker } from "../../resilience/CircuitBreaker.ts"
import * as DeribitSession from "../../session/deribit/DeribitSession.ts"
import * as ErrorCodes from "../../session/deribit/internal/errorCodes.ts"
import * as Methods from "../../session/deribit/Methods.ts"
import type { CallError } from "../../session/JsonRpc.ts"
import type { SigningKeyError } from "../../session/Signer.ts"
import type { Transport } from "../../transport/Transport.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import { venue } from "../../venue/deribit/Venue.ts"
import { Exchange } from "../Exchange.ts"
import { type Failure, unsent } from "../internal/failure.ts"
import * as OrderEntry from "../internal/orderEntry.ts"
import { Calls } from "./internal/calls.ts"
import { DeribitGateway } from "./internal/deribitGateway.ts"
import * as Notices from "./internal/notices.ts"

/**
 * How the exchange is reached; see `DeribitSession.Options`. Real money is `live`.
 * Orders rest when the link drops: cancel-on-disconnect is never switched on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Omit<DeribitSession.Options, "cancelOnDisconnect" | "reconcile" | "url"> {
  readonly url: string
}

/**
 * The venue's own address: what is sent there is done with real money.
 *
 * @category constants
 * @since 0.1.0
 */
export const live: Pick<Options, "url"> = { url: venue.endpoint ?? "" }

/** What orders are valid until is by the venue's clock. One that it does not tell is ours; a sign-in may have asked for it. */
const clockOf = (
  { clock }: DeribitSession.DeribitSession,
  { call }: DeribitSession.DeribitCalls
): Effect.Effect<void, CallError> =>
  Effect.suspend(() =>
    clock.current() === undefined
      ? clock.measure(Effect.map(call(Methods.connection.getTime, {}), Timestamp.epochMillis))
      : Effect.void
  ).pipe(
    Effect.catchTag(
      "RpcError",
      (error) => ErrorCodes.temporary.has(error.code) ? Effect.fail(error) : Effect.logWarning(error.message)
    )
  )

/**
 * Makes the exchange. Its session is dialled when the first command is given, and
 * ends with the scope. An answer that comes too late is logged, with its id.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<
  Exchange["Service"],
  SigningKeyError,
  Scope.Scope | Transport | Reconnection | CircuitBreaker
> {
  const scope = yield* Effect.scope
  const session: DeribitSession.DeribitSession = yield* DeribitSession.make({
    ...options,
    reconcile: (calls) => clockOf(session, calls)
  })
  const refused = yield* Deferred.make<never, Failure>()
  let isBegun = false
  // Commands wait for what becomes of it, each until its deadline.
  const begin = Effect.suspend(() => {
    if (isBegun) return Effect.void
    isBegun = true
    return session.connect.pipe(
      Effect.catch((error) => Deferred.fail(refused, unsent(error.message))),
      Effect.forkIn(scope, { startImmediately: true }),
      Effect.asVoid
    )
  })
  yield* Effect.forkScoped(
    Stream.runForEach(
      session.unmatched,
      ({ id }) => Effect.annotateLogs(Effect.logWarning("an answer came too late"), { id })
    ),
    { startImmediately: true }
  )
  const calls = new Calls(session, yield* Clock.Clock, refused)
  return OrderEntry.make(new DeribitGateway(session, calls, yield* Notices.make(session), begin))
})

/**
 * The exchange as a layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<Exchange, SigningKeyError, Transport | Reconnection | CircuitBreaker> =>
  Layer.effect(Exchange, make(options))
