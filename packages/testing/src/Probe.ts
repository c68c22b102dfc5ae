/**
 * What a suite asks of a connection under the virtual clock, in one line each:
 * let time go on until something is so, wait for a state, keep what a stream
 * brought, and end what is open. Nothing here sleeps on the real clock, and
 * nothing waits without end: what does not come within a bounded virtual time
 * is a `NotInTime` that says what was waited for.
 *
 * All of them move the test's clock, so call them from the test itself and not
 * from two fibers at once. They need Effect's `TestClock`, which `it.effect` of
 * `@effect/vitest` provides.
 *
 * **Example** (a drop, and the way back)
 *
 * ```ts
 * it.effect("comes back after a drop", () =>
 *   Probe.scoped(Effect.gen(function*() {
 *     const network = yield* VirtualNetwork.Network
 *     const host = yield* network.serve("ws://venue.test")
 *     const connection = yield* Probe.within(Connection.connect("ws://venue.test"))
 *     yield* host.drop
 *     yield* Probe.state(connection, "Reconnecting")
 *     yield* Probe.state(connection, "Connected")
 *   })).pipe(Effect.provide(Probe.layer({ policy: Presets.fast }))))
 * ```
 *
 * @since 0.1.0
 */
import type * as Connection from "@tickline/core/connection/Connection"
import type * as ConnectionState from "@tickline/core/connection/ConnectionState"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import type { HttpPort } from "@tickline/core/transport/HttpPort"
import type { Transport } from "@tickline/core/transport/Transport"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as VirtualNetwork from "./network/VirtualNetwork.ts"
import * as SeededScheduler from "./SeededScheduler.ts"

/**
 * What was waited for did not come within so many milliseconds of virtual time.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotInTime extends Schema.TaggedError<NotInTime>()("NotInTime", {
  what: Schema.String,
  afterMillis: Schema.Finite
}) {
  override get message(): string {
    return `${this.what}: not within ${this.afterMillis} ms of virtual time`
  }
}

/**
 * How long to wait at most, in virtual time, and what the failure calls it. One
 * hour by default.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly within?: Duration.Input | undefined
  readonly what?: string | undefined
}

/**
 * Lets virtual time go on until the condition holds, and returns how many
 * milliseconds that took. Time goes on in steps of a millisecond, later of a
 * sixteenth of what has passed, so what is returned is late by at most that.
 *
 * @category combinators
 * @since 0.1.0
 */
export const until = Effect.fnUntraced(function*<E, R>(
  condition: Effect.Effect<boolean, E, R>,
  options: Options = {}
): Effect.fn.Return<number, NotInTime | E, R> {
  const most = Duration.toMillis(Duration.fromInputUnsafe(options.within ?? "1 hour"))
  const begun = yield* Monotonic.now
  // Lets what is due by now happen.
  yield* TestClock.adjust(0)
  while (true) {
    const passed = (yield* Monotonic.now) - begun
    if (yield* condition) return passed
    if (passed >= most) return yield* new NotInTime({ what: options.what ?? "the condition", afterMillis: passed })
    yield* TestClock.adjust(Math.min(Math.max(1, Math.floor(passed / 16)), most - passed))
  }
})

/**
 * Runs an effect that takes virtual time, letting it go on until the effect is
 * done, to the millisecond: `yield* Probe.within(connection.connect)` in place
 * of fork, adjust, join.
 *
 * @category combinators
 * @since 0.1.0
 */
export const within = Effect.fnUntraced(function*<A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options: Options = {}
): Effect.fn.Return<A, E | NotInTime, R> {
  const most = Duration.fromInputUnsafe(options.within ?? "1 hour")
  const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
  // The clock goes on from sleeper to sleeper; where the effect ends, it is stopped in between.
  const exit = yield* Effect.raceFirst(Fiber.await(fiber), Effect.as(TestClock.adjust(most), undefined))
  if (exit !== undefined) return yield* exit
  fiber.interruptUnsafe()
  return yield* new NotInTime({ what: options.what ?? "the effect", afterMillis: Duration.toMillis(most) })
})

/**
 * Runs a test's program and ends its scope while virtual time goes on, so that
 * a graceful close over a network with latency finds its end. Use it around the
 * whole body.
 *
 * @category running
 * @since 0.1.0
 */
export const scoped = Effect.fnUntraced(function*<A, E, R>(
  program: Effect.Effect<A, E, R>
): Effect.fn.Return<A, E | NotInTime, Exclude<R, Scope.Scope>> {
  const scope = yield* Scope.make()
  const exit = yield* Effect.exit(Scope.provide(program, scope))
  yield* within(Scope.close(scope, exit), { what: "the end of the scope" })
  return yield* exit
})

/**
 * Lets virtual time go on until the connection comes to a state, to the
 * millisecond, and returns it. At once where it is in it already.
 *
 * @category combinators
 * @since 0.1.0
 */
export const state = <A, Tag extends ConnectionState.ConnectionState["_tag"]>(
  connection: Connection.Connection<A>,
  tag: Tag,
  options: Options = {}
): Effect.Effect<Extract<ConnectionState.ConnectionState, { readonly _tag: Tag }>, NotInTime> => {
  const moved = Stream.map(connection.state.transitions, ({ to }) => to)
  const found = Stream.fromEffect(connection.state.current).pipe(
    Stream.concat(moved),
    Stream.filterMap((current) => isState(current, tag) ? Result.succeed(current) : Result.failVoid),
    Stream.runHead,
    // The transitions end with the connection's scope only.
    Effect.flatMap(Option.match({ onNone: () => Effect.never, onSome: Effect.succeed }))
  )
  return within(found, { what: `state ${tag} of ${connection.label}`, ...options })
}

const isState = <Tag extends ConnectionState.ConnectionState["_tag"]>(
  current: ConnectionState.ConnectionState,
  tag: Tag
): current is Extract<ConnectionState.ConnectionState, { readonly _tag: Tag }> => current._tag === tag

/**
 * Keeps everything that a stream brings from now on, until the scope ends, in
 * an array that grows. An error of the stream ends the keeping.
 *
 * @category combinators
 * @since 0.1.0
 */
export const record = Effect.fnUntraced(function*<A, E, R>(
  stream: Stream.Stream<A, E, R>
): Effect.fn.Return<ReadonlyArray<A>, never, R | Scope.Scope> {
  const kept: Array<A> = []
  yield* Effect.forkScoped(
    Effect.ignore(Stream.runForEach(stream, (element) => Effect.sync(() => void kept.push(element)))),
    { startImmediately: true }
  )
  // It may have yielded on its way to where it listens.
  yield* SeededScheduler.settled
  return kept
})

/**
 * Lets virtual time go on until a stream has brought so many elements, and
 * returns them.
 *
 * @category combinators
 * @since 0.1.0
 */
export const take = <A, E, R>(
  stream: Stream.Stream<A, E, R>,
  count: number,
  options: Options = {}
): Effect.Effect<Array<A>, E | NotInTime, R> =>
  within(Stream.runCollect(Stream.take(stream, count)), { what: `${count} elements of the stream`, ...options })

/**
 * Keeps the states that a connection comes to from now on, with the time of
 * each (epoch milliseconds), until the scope ends.
 *
 * @category combinators
 * @since 0.1.0
 */
export const states = <A>(
  connection: Connection.Connection<A>
): Effect.Effect<
  ReadonlyArray<{ readonly at: number; readonly state: ConnectionState.ConnectionState["_tag"] }>,
  never,
  Scope.Scope
> => record(Stream.map(connection.state.transitions, ({ at, to }) => ({ at, state: to._tag })))

/**
 * Everything a suite needs, in one line: a virtual network, the transport that
 * dials and the port that asks in it, a policy and a breaker. `fast` is the policy by default: no
 * jitter, so its times are exact.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: VirtualNetwork.Options & { readonly policy?: ConnectionPolicy.ConnectionPolicy | undefined } = {}
): Layer.Layer<
  VirtualNetwork.Network | Transport | HttpPort | Reconnection.Reconnection | CircuitBreaker.CircuitBreaker
> => Layer.merge(VirtualNetwork.layer(options), Reconnection.layerWithBreaker(options.policy ?? Presets.fast))
