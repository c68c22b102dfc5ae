/**
 * What the tests of a connection have in common: a virtual venue, a policy, and
 * a record of what the connection went through.
 */
import * as Connection from "@tickline/core/connection/Connection"
import type * as ConnectionState from "@tickline/core/connection/ConnectionState"
import type * as Inbox from "@tickline/core/connection/Inbox"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as Breaker from "@tickline/core/resilience/Breaker"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

/** Where the virtual venue is. */
export const url = "ws://venue.test/feed"

export interface Rig {
  readonly network: VirtualNetwork.VirtualNetwork
  readonly host: VirtualNetwork.Host
}

export interface Options extends VirtualNetwork.Options {
  readonly classify?: Reconnection.Classify | undefined
  /** What runs for each connection that the venue has accepted. */
  readonly serve?: ((peer: VirtualNetwork.Peer) => Effect.Effect<void>) | undefined
}

/** Runs a test against a virtual venue, under a preset or a policy. */
export const withVenue = <A, E, R>(
  policy: Presets.PresetName | ConnectionPolicy.ConnectionPolicy,
  use: (rig: Rig) => Effect.Effect<A, E, R>,
  options: Options = {}
) =>
  Effect.gen(function*() {
    const network = yield* VirtualNetwork.make({ seed: 1, ...options })
    const host = yield* network.serve(url, options.serve)
    return yield* Effect.scoped(use({ network, host })).pipe(
      Effect.provide(
        Reconnection.layerWithBreaker(typeof policy === "string" ? Presets.preset(policy) : policy, options)
      ),
      Effect.provideService(Transport, network.transport)
    )
  })

/** A policy of which nothing but the named parts differs from `fast`; no breaker, no heartbeat where not named. */
export const policyWith = (
  change: Partial<ConnectionPolicy.ConnectionPolicy>
): ConnectionPolicy.ConnectionPolicy => ({ ...Presets.fast, circuit: "none", heartbeat: "none", ...change })

/** Delays of base × factor up to cap, all in milliseconds, without chance. */
export const backoffOf = (base: number, factor: number, cap: number): ConnectionPolicy.ConnectionPolicy["backoff"] => ({
  base: Duration.millis(base),
  factor,
  cap: Duration.millis(cap),
  jitter: "none"
})

export type Circuit = Exclude<ConnectionPolicy.ConnectionPolicy["circuit"], "none">

/** A breaker of `fast` of which the named parts differ. */
export const circuitWith = (change: Partial<Circuit>): Circuit => ({
  failureThreshold: 5,
  window: undefined,
  openDuration: Duration.seconds(10),
  openFactor: 2,
  openCap: Duration.seconds(80),
  halfOpen: { successThreshold: 3 },
  countDisconnect: false,
  whenOpen: "fail",
  ...change
})

/** Lets everything that is due now happen. */
export const settle = TestClock.adjust(0)

/** What a connection told so far. Goes on through failures and closes, until the scope ends. */
export interface Record<A> {
  readonly items: Array<Inbox.Item<A>>
  readonly messages: Array<A>
  readonly transitions: Array<ConnectionState.Transition>
}

/** Records everything that a connection tells from now on. */
export const record = Effect.fnUntraced(function*<A>(
  connection: Connection.Connection<A>,
  consumer?: Inbox.ConsumerOptions | undefined
) {
  const recorded: Record<A> = { items: [], messages: [], transitions: [] }
  const follow = Effect.ignore(Stream.runForEach(connection.inbound(consumer), (item) =>
    Effect.sync(() => {
      recorded.items.push(item)
      if (item._tag === "Batch") recorded.messages.push(...item.messages)
      if (item._tag === "Transition") recorded.transitions.push(item)
    })))
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(follow, Effect.yieldNow)), { startImmediately: true })
  return recorded
})

/** Makes a connection to the venue, connects it and records it. */
export const connected = Effect.fnUntraced(function*() {
  const connection = yield* Connection.make(url)
  const recorded = yield* record(connection)
  const connecting = yield* Effect.forkChild(connection.connect)
  yield* settle
  yield* Fiber.join(connecting)
  return { connection, recorded }
})

/** A state in a word or two: what matters of it for a timeline. */
const shown = (state: ConnectionState.ConnectionState): string => {
  switch (state._tag) {
    case "Connecting":
      return `Connecting ${state.attempt}`
    case "Connected":
      return `Connected ${state.epoch}`
    case "Reconnecting":
    case "CircuitOpen":
      return `${state._tag} ${state.attempt} in ${state.delayMillis}`
    case "Failed":
      return `Failed ${state.error._tag}`
    default:
      return state._tag
  }
}

/** Transitions as lines: when, and to what. */
export const timeline = (transitions: ReadonlyArray<ConnectionState.Transition>): ReadonlyArray<string> =>
  transitions.map(({ at, to }) => `${at} ${shown(to)}`)

/** The transitions of a breaker as lines: when, from what to what, and for how long it opened. */
export const breakerLine = (breaker: Breaker.Breaker) =>
  Effect.map(
    breaker.metrics,
    ({ transitionHistory }) =>
      transitionHistory.map(({ at, from, openForMillis, to }) =>
        `${at} ${from} ${to}${openForMillis === undefined ? "" : ` ${openForMillis}`}`
      )
  )

/** When the venue was dialled, in milliseconds. */
export const dialTimes = (host: VirtualNetwork.Host): ReadonlyArray<number> => host.dials.map(({ at }) => at)

/** Dials that are refused. */
export const refusals = (count: number): ReadonlyArray<VirtualNetwork.DialOutcome> =>
  Array.from({ length: count }, () => ({ _tag: "Refuse" as const }))
