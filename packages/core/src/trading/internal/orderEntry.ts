/**
 * An exchange's order entry, of its gateway.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Timestamp from "../../value/Timestamp.ts"
import { type CommandOptions, type Exchange, ExchangeError, type ReadOptions } from "../Exchange.ts"
import { type OrderEvent, OrderUpdate } from "../OrderEvent.ts"
import * as Cancelling from "./cancelling.ts"
import * as Executions from "./executions.ts"
import { describe, type Failure, namesOf, outcomeOf } from "./failure.ts"
import type { Command, Gateway, Ids } from "./gateway.ts"
import * as Placing from "./placing.ts"

/** How long a command has, if nothing is said. */
const standardDeadline = "5 seconds"

const errorOf = (exchange: string, failure: Failure): ExchangeError => {
  const detail = describe(failure)
  if (failure._tag === "Unsent") return new ExchangeError({ exchange, reason: "Unreachable", detail })
  if (failure._tag === "Unanswered") {
    return new ExchangeError({ exchange, reason: failure.isUnreadable === true ? "Unreadable" : "Unreachable", detail })
  }
  const { code, retryAfterMillis } = failure
  return new ExchangeError({
    exchange,
    reason: retryAfterMillis === undefined ? "Refused" : "RateLimited",
    detail,
    ...(code === undefined ? {} : { code }),
    ...(retryAfterMillis === undefined ? {} : { retryAfterMillis })
  })
}

/**
 * Makes the service of a gateway. `connect` is what keeps its health known, if
 * that is more than `begin`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(gateway: Gateway<A>, connect = gateway.begin): Exchange["Service"] => {
  const { begin, exchange } = gateway

  const untilOf = (deadline: Duration.Input): number =>
    gateway.now() + Duration.toMillis(Duration.fromInputUnsafe(deadline))

  // What is said of a command, until it is carried out.
  const command = <E>(
    { deadline = standardDeadline, onWrite }: CommandOptions,
    run: (command: Command) => Effect.Effect<void, E, Scope.Scope>
  ): Stream.Stream<OrderEvent, E> =>
    Stream.callback<OrderEvent, E>((queue) => {
      const until = untilOf(deadline)
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
    found: Effect.Effect<ReadonlyArray<A>, Failure>,
    none: ReadonlyArray<OrderUpdate>,
    { say }: Command
  ): Effect.Effect<void> =>
    Effect.matchEffect(found, {
      onFailure: (failure) => say(outcomeOf(namesOf(exchange, names), failure)),
      onSuccess: (orders) =>
        Effect.forEach(orders.length === 0 ? none : orders.map(gateway.update), say, { discard: true })
    })

  const asked = <B>(
    ask: (until: number) => Effect.Effect<B, Failure>,
    { deadline = standardDeadline }: ReadOptions = {}
  ): Effect.Effect<B, ExchangeError> =>
    Effect.suspend(() => {
      const until = untilOf(deadline)
      return Effect.andThen(begin, Effect.mapError(ask(until), (failure) => errorOf(exchange, failure)))
    })

  return {
    name: exchange,
    connect,
    lacks: gateway.lacks,
    health: gateway.health,
    place: (request, options = {}) =>
      command(options, (given) => Placing.place(gateway, request, given, options.follow === true)),
    amend: (name, terms, options = {}) => command(options, (given) => Placing.amend(gateway, name, terms, given)),
    cancel: (name, options = {}) => command(options, (given) => Cancelling.cancel(gateway, name, given)),
    cancelAll: (options = {}) => command(options, (given) => Cancelling.cancelAll(gateway, options.product, given)),
    status: (name, options = {}) =>
      command(options, (given) => {
        const absent = new OrderUpdate({ ...namesOf(exchange, name), status: "absent" })
        return shown(name, gateway.findEver(name, given.until), [absent], given)
      }),
    open: (options = {}) =>
      command(options, (given) => shown({}, gateway.open(options.product, given.until), [], given)),
    resume: (order, { due }) =>
      command({}, (given) => Placing.resume(gateway, order, Timestamp.epochMillis(due), given)),
    fills: ({ since } = {}) => Executions.stream(gateway, since),
    instrument: (product, options) => asked((until) => gateway.instrument(product, until), options),
    balances: (options) => asked((until) => gateway.balances(until), options),
    positions: (options) => asked((until) => gateway.positions(until), options)
  }
}
