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
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Reconnection } from "../../connection/Reconnection.ts"
import type { CircuitBreaker } from "../../resilience/CircuitBreaker.ts"
import * as DeribitSession from "../../session/deribit/DeribitSession.ts"
import * as ErrorCodes from "../../session/deribit/internal/errorCodes.ts"
import * as Methods from "../../session/deribit/Methods.ts"
import type * as Schemas from "../../session/deribit/Schemas.ts"
import type { CallError } from "../../session/JsonRpc.ts"
import type { SigningKeyError } from "../../session/Signer.ts"
import type { Transport } from "../../transport/Transport.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import { type CommandOptions, Exchange } from "../Exchange.ts"
import { type OrderEvent, OrderUpdate } from "../OrderEvent.ts"
import { Calls, type Failure, unsent } from "./internal/calls.ts"
import * as Cancelling from "./internal/cancelling.ts"
import { type Command, Gateway, type Ids, idsOf, outcomeOf } from "./internal/gateway.ts"
import * as Notices from "./internal/notices.ts"
import * as Orders from "./internal/orders.ts"
import * as Placing from "./internal/placing.ts"

/**
 * How the exchange is reached; see `DeribitSession.Options`. Orders rest when the
 * link drops: cancel-on-disconnect is never switched on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Omit<DeribitSession.Options, "cancelOnDisconnect" | "reconcile"> {}

/** How long a command has, if nothing is said. */
const standardDeadline = "5 seconds"

const commandsOf = (gateway: Gateway, begin: Effect.Effect<void>): Exchange["Service"] => {
  // What is said of a command, until it is carried out.
  const command = <E>(
    { deadline = standardDeadline, onWrite }: CommandOptions,
    run: (command: Command) => Effect.Effect<void, E, Scope.Scope>
  ): Stream.Stream<OrderEvent, E> =>
    Stream.callback<OrderEvent, E>((queue) => {
      const until = gateway.calls.now() + Duration.toMillis(Duration.fromInputUnsafe(deadline))
      const say = (event: OrderEvent) => Effect.sync(() => void Queue.offerUnsafe(queue, event))
      return Effect.andThen(begin, run({ until, onWrite, say })).pipe(
        Effect.matchCauseEffect({
          onFailure: (cause) => Queue.failCause(queue, cause),
          onSuccess: () => Queue.end(queue)
        })
      )
    })

  const shown = (
    names: Ids,
    found: Effect.Effect<ReadonlyArray<Schemas.Order>, Failure>,
    none: ReadonlyArray<OrderUpdate>,
    { say }: Command
  ): Effect.Effect<void> =>
    Effect.matchEffect(found, {
      onFailure: (failure) => say(outcomeOf(names, failure)),
      onSuccess: (orders) =>
        Effect.forEach(orders.length === 0 ? none : orders.map(Orders.toUpdate), say, { discard: true })
    })

  return {
    name: Orders.exchange,
    place: (request, options = {}) =>
      command(options, (given) => Placing.place(gateway, request, given, options.follow === true)),
    amend: (name, terms, options = {}) => command(options, (given) => Placing.amend(gateway, name, terms, given)),
    cancel: (name, options = {}) => command(options, (given) => Cancelling.cancel(gateway, name, given)),
    cancelAll: (options = {}) => command(options, (given) => Cancelling.cancelAll(gateway, options.product, given)),
    status: (name, options = {}) =>
      command(options, (given) => {
        const absent = new OrderUpdate({ ...idsOf(name), status: "absent" })
        return shown(name, gateway.findEver(name, given.until), [absent], given)
      }),
    open: (options = {}) =>
      command(options, (given) => shown({}, gateway.open(options.product, given.until), [], given))
  }
}

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
  return commandsOf(new Gateway(session, calls, yield* Notices.make(session)), begin)
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
