/**
 * A fault plan as a value: what goes wrong on a host of the virtual network,
 * and when. Written by hand, read from fault specs (see `Fault`), or drawn from
 * a seed.
 *
 * Times count from the opening of the host's first connection and run on across
 * reconnects, as those of fault specs do. A fault that strikes connections
 * strikes all that are open; one that strikes dials strikes those to come.
 * Every strike is a line of the network's log.
 *
 * **Example** (a link that dies without a word, and a venue that bans for two seconds)
 *
 * ```ts
 * const plan: FaultPlan.FaultPlan = [
 *   FaultPlan.at("10 seconds", { _tag: "Silent" }),
 *   FaultPlan.at("35 seconds", { _tag: "Status", status: 429, retryAfterSeconds: 2 })
 * ]
 * const strikes = yield* FaultPlan.run(network, host, plan)
 * ```
 *
 * @since 0.1.0
 */
import type * as Frame from "@tickline/core/transport/Frame"
import * as Monotonic from "@tickline/core/value/Monotonic"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Chance from "../Chance.ts"
import * as Fault from "./Fault.ts"
import * as HostFaults from "./internal/hostFaults.ts"
import type { Host, Latency, Peer, VirtualNetwork } from "./VirtualNetwork.ts"

/**
 * What a fault does. Those of a fault spec, and what only a virtual network can
 * do to the day; times are milliseconds:
 *
 * - `Freeze`: the link is half open for so long, then TCP's retransmissions bring what was sent meanwhile
 * - `Down`: every dial is refused for so long
 * - `AcceptThenClose`: the next dials are accepted and closed right after the handshake
 * - `Latency`: the host's one-way latency for so long
 * - `StopReading`: the server takes nothing that the client sends, for so long
 * - `Oversize`: a text frame of so many bytes
 *
 * `Fragment` is a matter of bytes below the virtual network's messages: it is
 * logged and changes nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type Action =
  | Fault.Action
  | { readonly _tag: "Freeze"; readonly forMillis: number }
  | { readonly _tag: "Down"; readonly forMillis: number }
  | { readonly _tag: "AcceptThenClose"; readonly dials: number; readonly code: number }
  | { readonly _tag: "Latency"; readonly latency: Latency; readonly forMillis: number }
  | { readonly _tag: "StopReading"; readonly forMillis: number }
  | { readonly _tag: "Oversize"; readonly bytes: number }

/**
 * A fault with its times in milliseconds; a `Fault` of a spec is one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timed<A = Action> {
  readonly action: A
  readonly atMillis: number
  readonly everyMillis: number | undefined
}

/**
 * What goes wrong, and when, in any order.
 *
 * @category models
 * @since 0.1.0
 */
export type FaultPlan = ReadonlyArray<Timed>

/**
 * The plan in which nothing goes wrong.
 *
 * @category constants
 * @since 0.1.0
 */
export const calm: FaultPlan = []

/**
 * One fault of a plan, repeated where `every` is given.
 *
 * @category constructors
 * @since 0.1.0
 */
export const at = <const A extends { readonly _tag: string } = Action>(
  offset: Duration.Input,
  action: A,
  every?: Duration.Input | undefined
): Timed<A> => ({
  action,
  atMillis: Duration.toMillis(Duration.fromInputUnsafe(offset)),
  everyMillis: every === undefined ? undefined : Duration.toMillis(Duration.fromInputUnsafe(every))
})

/**
 * Reads a plan from fault specs, such as `drop@3s/10s`. Fails with the first
 * that cannot be read.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (specs: ReadonlyArray<string>): Result.Result<FaultPlan, Fault.FaultSpecError> =>
  Result.all(specs.map(Fault.parse))

/**
 * How often faults strike in a random plan, and which.
 *
 * @category models
 * @since 0.1.0
 */
export interface RandomOptions {
  readonly seed: number
  /** How long faults go on striking; none lasts beyond it. */
  readonly within: Duration.Input
  /** Faults an hour, on average. Default: 20. */
  readonly perHour?: number | undefined
  /** The kinds to draw from, a kind named twice being twice as likely. Default: `kinds`. */
  readonly kinds?: NonEmptyReadonlyArray<Kind> | undefined
}

/**
 * The name of a kind of fault.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = Action["_tag"]

/**
 * The kinds that a random plan draws from: all after which a client that does
 * its part can account for every message. `Lose`, `Reorder` and `Corrupt` show
 * only on venues whose messages are numbered; name them to have them.
 *
 * @category constants
 * @since 0.1.0
 */
export const kinds: NonEmptyReadonlyArray<Kind> = [
  "Drop",
  "Drop",
  "Close",
  "Refuse",
  "Hang",
  "Status",
  "Silent",
  "Freeze",
  "Down",
  "AcceptThenClose",
  "Latency",
  "StopReading",
  "Oversize",
  "Garbage",
  "Binary",
  "Duplicate"
]

const closeCodes = [1000, 1001, 1008, 1011, 1012, 1013, 4000] as const

// Figures of the size that venues' trouble has: seconds to minutes, a handful of dials.
const draw = (kind: Kind, chance: Chance.Chance, mostMillis: number): Action => {
  const lasting = (least: number, most: number): number => Math.min(least + chance.integer(most - least), mostMillis)
  switch (kind) {
    case "Close":
      return { _tag: "Close", code: chance.pick(closeCodes) }
    case "Refuse":
      return { _tag: "Refuse", dials: 1 + chance.integer(6) }
    case "Status":
      return {
        _tag: "Status",
        status: chance.pick([429, 503, 418, 502] as const),
        retryAfterSeconds: chance.happens(0.5) ? 1 + chance.integer(20) : undefined
      }
    case "Slow":
      return { _tag: "Slow", millis: 50 + chance.integer(950) }
    case "Freeze":
      return { _tag: "Freeze", forMillis: lasting(500, 60_000) }
    case "Down":
      return { _tag: "Down", forMillis: lasting(1_000, 120_000) }
    case "AcceptThenClose":
      return { _tag: "AcceptThenClose", dials: 1 + chance.integer(8), code: chance.pick(closeCodes) }
    case "Latency":
      return {
        _tag: "Latency",
        latency: { min: 20, max: 20 + chance.integer(1_500) },
        forMillis: lasting(5_000, 120_000)
      }
    case "StopReading":
      return { _tag: "StopReading", forMillis: lasting(500, 40_000) }
    case "Oversize":
      return { _tag: "Oversize", bytes: 10 * 1024 * 1024 + 1 }
    default:
      return { _tag: kind }
  }
}

/**
 * Draws a plan from a seed: the same seed, the same plan.
 *
 * @category constructors
 * @since 0.1.0
 */
export const random = (options: RandomOptions): FaultPlan => {
  const chance = Chance.make(options.seed).fork("faults")
  const withinMillis = Duration.toMillis(Duration.fromInputUnsafe(options.within))
  const meanMillis = 3_600_000 / (options.perHour ?? 20)
  const [first, ...rest] = options.kinds ?? kinds
  const plan: Array<Timed> = []
  let atMillis = 0
  while (true) {
    // Faults that do not know of each other come at exponentially distributed distances.
    atMillis += Math.max(1, Math.round(-Math.log(1 - chance.next()) * meanMillis))
    if (atMillis >= withinMillis) return plan
    plan.push({
      action: draw(chance.pick([first, ...rest]), chance, withinMillis - atMillis),
      atMillis,
      everyMillis: undefined
    })
  }
}

const writeLatency = (latency: Latency): string =>
  typeof latency === "number" ? `${latency}ms` : `${latency.min}-${latency.max}ms`

/**
 * An action as the log writes it: a spec without its times where there is one.
 *
 * @category encoding
 * @since 0.1.0
 */
export const formatAction = (action: Action): string => {
  switch (action._tag) {
    case "Freeze":
    case "Down":
      return `${action._tag.toLowerCase()}=${action.forMillis}ms`
    case "StopReading":
      return `stop-reading=${action.forMillis}ms`
    case "AcceptThenClose":
      return `accept-then-close=${action.code};dials=${action.dials}`
    case "Latency":
      return `latency=${writeLatency(action.latency)};for=${action.forMillis}ms`
    case "Oversize":
      return `oversize=${action.bytes}`
    default:
      return Fault.formatAction(action)
  }
}

/**
 * The plan as lines, one a fault, as the log writes them.
 *
 * @category encoding
 * @since 0.1.0
 */
export const format = (plan: FaultPlan): ReadonlyArray<string> =>
  plan.map(({ action, atMillis, everyMillis }) =>
    `${formatAction(action)}@${atMillis}ms${everyMillis === undefined ? "" : `/${everyMillis}ms`}`
  )

/**
 * What struck: when (epoch milliseconds), what, and which connections were open.
 *
 * @category models
 * @since 0.1.0
 */
export interface Strike {
  readonly at: number
  readonly action: Action
  readonly connections: ReadonlyArray<number>
}

/**
 * A message that a fault changed on its way: what was to be sent, and of
 * `Corrupt` what was sent in its place.
 *
 * @category models
 * @since 0.1.0
 */
export interface Alteration {
  readonly at: number
  readonly connection: number
  readonly kind: "Duplicate" | "Reorder" | "Lose" | "Corrupt"
  readonly frame: Frame.Frame
  readonly became?: Frame.Frame | undefined
}

/**
 * A plan under way, and what it did so far.
 *
 * @category models
 * @since 0.1.0
 */
export interface Running {
  readonly strikes: ReadonlyArray<Strike>
  readonly alterations: ReadonlyArray<Alteration>
  /** Strikes at once, besides the plan. */
  readonly strike: (action: Action) => Effect.Effect<void>
}

/**
 * How a plan is run: what of a venue's messages it may change.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunOptions {
  /** Which messages `Duplicate`, `Reorder`, `Lose` and `Corrupt` change. Default: all. */
  readonly isData?: ((frame: Frame.Frame) => boolean) | undefined
  /** What `Corrupt` makes of a message. Default: its digits rise by one. */
  readonly corrupt?: ((frame: Frame.Frame) => Frame.Frame) | undefined
}

const raiseDigits = (frame: Frame.Frame): Frame.Frame =>
  typeof frame === "string"
    ? frame.replace(/\d/g, (digit) => String((Number(digit) + 1) % 10))
    : frame.map((byte) => byte ^ 1)

type Altering = Alteration["kind"]

/**
 * Runs a plan on a host of the network, from the opening of its first
 * connection until the plan or the scope ends.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function*(
  network: VirtualNetwork,
  host: Host,
  plan: FaultPlan,
  options: RunOptions = {}
): Effect.fn.Return<Running, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const strikes: Array<Strike> = []
  const alterations: Array<Alteration> = []
  const waiting: Array<Altering> = []
  const isData = options.isData ?? (() => true)
  const corrupt = options.corrupt ?? raiseDigits
  const now = (): number => Monotonic.nowMillis(clock)
  const { apply: applyToHost, later } = HostFaults.make(host, scope)

  const alter = (peer: Peer) => {
    let behind: Frame.Frame | undefined
    return (frame: Frame.Frame): ReadonlyArray<Frame.Frame> => {
      if (!isData(frame)) return [frame]
      const late = behind === undefined ? [] : [behind]
      behind = undefined
      const kind = waiting.shift()
      if (kind === undefined) return [frame, ...late]
      const became = kind === "Corrupt" ? corrupt(frame) : frame
      alterations.push({ at: now(), connection: peer.id, kind, frame, ...(kind === "Corrupt" ? { became } : {}) })
      switch (kind) {
        case "Duplicate":
          return [frame, frame, ...late]
        case "Lose":
          return late
        case "Corrupt":
          return [became, ...late]
        case "Reorder":
          behind = frame
          return late
      }
    }
  }

  const watch = (peer: Peer): Effect.Effect<void> => peer.alter(alter(peer))
  for (const peer of host.peers()) yield* watch(peer)

  const apply = (action: Action, peers: ReadonlyArray<Peer>): Effect.Effect<void> => {
    const each = (strike: (peer: Peer) => Effect.Effect<void>) => Effect.forEach(peers, strike, { discard: true })
    switch (action._tag) {
      case "Drop":
        return each((peer) => peer.drop)
      case "Close":
        return each((peer) => peer.close(action.code))
      case "Refuse":
      case "Hang":
      case "Status":
      case "Down":
      case "Latency":
        return applyToHost(action)
      case "AcceptThenClose":
        return host.script(
          ...Array.from({ length: action.dials }, () => ({ _tag: "AcceptThenClose" as const, code: action.code }))
        )
      case "Silent":
        return each((peer) => peer.freeze)
      case "Freeze":
        return Effect.andThen(each((peer) => peer.freeze), later(action.forMillis, each((peer) => peer.thaw)))
      case "StopReading":
        return Effect.andThen(
          each((peer) => peer.stopReading(true)),
          later(action.forMillis, each((peer) => peer.stopReading(false)))
        )
      case "Slow":
        return Effect.andThen(
          host.setLatency(action.millis),
          each((peer) => Effect.asVoid(Effect.forkIn(Effect.andThen(peer.ended, host.setLatency(undefined)), scope)))
        )
      case "Oversize":
        return each((peer) => peer.send("x".repeat(action.bytes)))
      case "Garbage":
        return each((peer) => peer.send("{\"type\":\"ticker\",\"price\":"))
      case "Binary":
        return each((peer) => peer.send(new Uint8Array([0, 159, 146, 150])))
      case "Duplicate":
      case "Reorder":
      case "Lose":
      case "Corrupt":
        return Effect.sync(() => void waiting.push(action._tag))
      case "Fragment":
        return Effect.void
    }
  }

  const strike = (action: Action): Effect.Effect<void> =>
    Effect.suspend(() => {
      const peers = host.peers()
      strikes.push({ at: now(), action, connections: peers.map((peer) => peer.id) })
      network.log.add(now(), "fault", { host: host.url, action: formatAction(action) })
      return apply(action, peers)
    })

  const begin = Effect.gen(function*() {
    const begun = now()
    let after = -1
    while (true) {
      const next = Fault.next(plan, after)
      if (next === undefined) return
      yield* Effect.sleep(begun + next.atMillis - now())
      yield* Effect.forEach(next.actions, strike, { discard: true })
      after = next.atMillis
    }
  })

  let isBegun = false
  const context = yield* Effect.context()
  const beginOnce = (): void => {
    if (isBegun) return
    isBegun = true
    Effect.runForkWith(context)(Effect.forkIn(begin, scope))
  }
  yield* host.onOpen((peer) => {
    Effect.runSyncWith(context)(watch(peer))
    beginOnce()
  })
  if (host.peers().length > 0) beginOnce()

  return { strikes, alterations, strike }
})
