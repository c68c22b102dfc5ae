/**
 * The connections of a feed as one: what is asked of it is asked of all of them,
 * or of the one that stands for them.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as ConnectError from "../../connection/ConnectError.ts"
import type { Connection } from "../../connection/Connection.ts"
import type { ConnectionState } from "../../connection/ConnectionState.ts"
import { type Internals, internals } from "../../connection/internal/connectionInternals.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import * as Channel from "../../value/Channel.ts"
import type { Leg, Legs } from "./legs.ts"

type Whole = Connection<MarketEvent>

// Of where a channel stands on each connection, the furthest counts.
const standings = ["confirmed", "asked", "wanted", "refused"] as const

// How long one that is dialled anew is waited for before the next is.
const mostWait: Duration.Input = "10 seconds"

/**
 * The connections of a feed as one.
 *
 * @category models
 * @since 0.1.0
 */
export class LegsConnection implements Whole {
  readonly #legs: Legs
  readonly #scope: Scope.Scope
  readonly #label: string

  constructor(legs: Legs, scope: Scope.Scope, label: string) {
    this.#legs = legs
    this.#scope = scope
    this.#label = label
  }

  get label(): string {
    return this.#label
  }

  // One that is up stands for all, the first where several are.
  get #lead(): Whole {
    const { all, lead } = this.#legs
    return (all.find(({ isUp }) => isUp) ?? lead).connection
  }

  get [internals](): Internals<MarketEvent> {
    const lead = this.#lead[internals]
    return {
      ...lead,
      resubscribe: (channels) => this.#each((connection) => connection[internals].resubscribe(channels)),
      subscriptionStates: this.#subscriptionStates,
      refusals: Effect.map(
        Effect.all([lead.refusals, this.#subscriptionStates]),
        ([refusals, states]) => {
          const refused = new Set(
            states.flatMap(({ channel, standing }) => standing === "refused" ? [Channel.key(channel)] : [])
          )
          return refusals.filter(({ channel }) => refused.has(Channel.key(channel)))
        }
      ),
      awaitRefusal: (channel) => this.#awaitRefusal(channel),
      announceUnsafe: (announcement) => this.#legs.inbox.offer({ _tag: "Announced", announcement })
    }
  }

  get breaker(): Whole["breaker"] {
    return this.#lead.breaker
  }

  get connect(): Whole["connect"] {
    return Effect.suspend(() => {
      this.#legs.isClosed = false
      return this.#first(this.#legs.all, ({ connection }) => connection.connect)
    })
  }

  // One after the other: while one is dialled anew, and until it has what they have, the others are up.
  get reconnect(): Whole["reconnect"] {
    return Effect.suspend(() => {
      this.#legs.isClosed = false
      const { all } = this.#legs
      const up = all.filter(({ isUp }) => isUp)
      const others = this.#first(all.filter(({ isUp }) => !isUp), ({ connection }) => connection.reconnect)
      if (up.length === 0) return others
      return Effect.andThen(
        Effect.forkIn(Effect.ignore(others), this.#scope),
        Effect.forEach(up, (leg) => {
          const other = up.find((other) => other !== leg)
          const live = other === undefined ? Effect.void : this.#legs.awaitLive(leg, other)
          return Effect.andThen(leg.connection.reconnect, Effect.timeoutOption(live, mostWait))
        }, { discard: true })
      )
    })
  }

  get send(): Whole["send"] {
    return this.#lead.send
  }

  readonly subscribe: Whole["subscribe"] = (channels) => this.#each((connection) => connection.subscribe(channels))

  readonly unsubscribe: Whole["unsubscribe"] = (channels) =>
    Effect.andThen(
      this.#each((connection) => connection.unsubscribe(channels)),
      Effect.sync(() => this.#legs.unsubscribed(channels))
    )

  get subscriptions(): Whole["subscriptions"] {
    return Effect.suspend(() => this.#lead.subscriptions)
  }

  readonly close: Whole["close"] = (how) =>
    Effect.suspend(() => {
      this.#legs.isClosed = true
      return Effect.map(
        Effect.forEach(this.#legs.all, ({ connection }) => connection.close(how), { concurrency: "unbounded" }),
        (closed) => ({
          mode: closed.every(({ mode }) => mode === "graceful") ? "graceful" : "forced",
          clean: closed.every(({ clean }) => clean)
        })
      )
    })

  get state(): Whole["state"] {
    return {
      current: Effect.suspend((): Effect.Effect<ConnectionState> => this.#lead.state.current),
      changes: Stream.suspend(() => this.#lead.state.changes),
      transitions: Stream.suspend(() => this.#lead.state.transitions)
    }
  }

  get isConnected(): Whole["isConnected"] {
    return Effect.suspend(() => this.#lead.isConnected)
  }

  get isStalled(): Whole["isStalled"] {
    return Effect.suspend(() => this.#lead.isStalled)
  }

  get inbound(): Whole["inbound"] {
    return this.#lead.inbound
  }

  get batches(): Whole["batches"] {
    return this.#lead.batches
  }

  get messages(): Whole["messages"] {
    return this.#lead.messages
  }

  get rejections(): Whole["rejections"] {
    return this.#lead.rejections
  }

  get metrics(): Whole["metrics"] {
    return Effect.suspend(() => this.#lead.metrics)
  }

  #each<E>(use: (connection: Whole) => Effect.Effect<void, E>): Effect.Effect<void, E> {
    return Effect.suspend(() => {
      const { all } = this.#legs
      return all.length === 1
        ? use(this.#lead)
        : Effect.forEach(all, ({ connection }) => use(connection), { concurrency: "unbounded", discard: true })
    })
  }

  // The first of them that is up is enough; all go on.
  #first<E>(all: ReadonlyArray<Leg>, use: (leg: Leg) => Effect.Effect<void, E>): Effect.Effect<void, E> {
    const [only] = all
    if (only === undefined) return Effect.void
    if (all.length === 1) return use(only)
    return Effect.gen({ self: this }, function*() {
      const done = Deferred.makeUnsafe<void, E>()
      let failed = 0
      yield* Effect.forEach(all, (leg) =>
        use(leg).pipe(
          Effect.onExit((exit) =>
            Effect.sync(() => {
              if (Exit.isSuccess(exit) || ++failed === all.length) Deferred.doneUnsafe(done, exit)
            })
          ),
          Effect.ignoreCause,
          Effect.forkIn(this.#scope, { startImmediately: true })
        ))
      yield* Effect.onInterrupt(Deferred.await(done), () => this.close({ mode: "forced" }))
    })
  }

  get #subscriptionStates(): Internals<MarketEvent>["subscriptionStates"] {
    return Effect.suspend(() =>
      Effect.map(
        Effect.forEach(this.#legs.all, ({ connection }) => connection[internals].subscriptionStates),
        ([first = [], ...others]) =>
          others.length === 0 ? first : first.map(({ channel, standing }) => {
            const key = Channel.key(channel)
            const all = new Set([
              standing,
              ...others.flatMap((one) =>
                one.filter((other) => Channel.key(other.channel) === key).map(({ standing }) => standing)
              )
            ])
            return { channel, standing: standings.find((each) => all.has(each)) ?? standing }
          })
      )
    )
  }

  // A connection that is closed because another one has taken over ends nobody's wait.
  #awaitRefusal(
    channel: Channel.Channel
  ): Effect.Effect<never, ConnectError.SubscriptionRefused | ConnectError.ConnectionClosed> {
    return Effect.suspend(() => {
      const { lead } = this.#legs
      return Effect.catchTag(
        lead.connection[internals].awaitRefusal(channel),
        "ConnectionClosed",
        (error) => this.#legs.lead === lead ? Effect.fail(error) : this.#awaitRefusal(channel)
      )
    })
  }
}
