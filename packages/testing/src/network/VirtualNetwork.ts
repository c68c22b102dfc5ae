/**
 * A network that exists only on Effect's clock: a `Transport` and an `HttpPort`
 * whose hosts, latencies and faults are values. Under `TestClock` a day of it takes a
 * second, and with the same seed every run is the same, to the event.
 *
 * Everything that happens does so on one timeline; what is due at the same
 * millisecond happens in the order in which it was scheduled. Every event is
 * written to a log of text lines, without fiber ids or process-wide counters.
 *
 * **Example** (a server that says hello)
 *
 * ```ts
 * const network = yield* VirtualNetwork.make({ seed: 1 })
 * const host = yield* network.serve("ws://venue.test", (peer) => peer.send("hello"))
 * // program.pipe(Effect.provideService(Transport, network.transport))
 * ```
 *
 * @since 0.1.0
 */
import * as Address from "@tickline/core/transport/Address"
import {
  DialError,
  type DialReason,
  HandshakeRejected,
  NotResolved,
  Refused,
  TlsFailed,
  Unreachable
} from "@tickline/core/transport/DialError"
import * as Endpoint from "@tickline/core/transport/Endpoint"
import { HttpPort } from "@tickline/core/transport/HttpPort"
import { type Capabilities, type DialRequest, Transport, type Wire } from "@tickline/core/transport/Transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Chance from "../Chance.ts"
import * as EventLog from "../EventLog.ts"
import type { Latency } from "./internal/link.ts"
import * as Link from "./internal/link.ts"
import * as Timeline from "./internal/timeline.ts"
import * as VirtualHttp from "./internal/virtualHttp.ts"
import type { Peer } from "./internal/virtualWire.ts"
import * as VirtualWire from "./internal/virtualWire.ts"

/**
 * What a dial meets. Times are milliseconds. `AcceptThenClose` sends a close
 * frame (1001 where no code is given) right after the handshake.
 *
 * @category models
 * @since 0.1.0
 */
export type DialOutcome =
  | { readonly _tag: "Accept"; readonly afterMillis?: number | undefined }
  | { readonly _tag: "AcceptThenClose"; readonly code?: number | undefined }
  | { readonly _tag: "Refuse" }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "Reject"; readonly status: number; readonly retryAfterMillis?: number | undefined }
  | { readonly _tag: "Unresolved" }
  | { readonly _tag: "Unreachable" }
  | { readonly _tag: "BadTls" }

/**
 * A dial that reached a host: when (milliseconds of the monotonic clock), and what it met.
 *
 * @category models
 * @since 0.1.0
 */
export interface Dial {
  readonly at: number
  readonly outcome: DialOutcome["_tag"]
}

/**
 * The server's end of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export type { Peer } from "./internal/virtualWire.ts"

/**
 * A host of the network.
 *
 * @category models
 * @since 0.1.0
 */
export interface Host {
  readonly url: string
  readonly dials: ReadonlyArray<Dial>
  /** The connections that are open. */
  readonly peers: () => ReadonlyArray<Peer>
  /** The next connection that is accepted, or one accepted before that nobody asked for. */
  readonly nextPeer: Effect.Effect<Peer>
  /** Calls back with each connection that is accepted from now on, before anything is sent on it. */
  readonly onOpen: (listener: (peer: Peer) => void) => Effect.Effect<void>
  /** What the next dials meet, in order; then `otherwise` again. */
  readonly script: (...outcomes: ReadonlyArray<DialOutcome>) => Effect.Effect<void>
  /** What a dial meets when no script is left, or how that is decided from what was asked. Default: `Accept`. */
  readonly otherwise: (outcome: DialOutcome | ((request: DialRequest) => DialOutcome)) => Effect.Effect<void>
  /** The one-way latency of this host in milliseconds, `undefined` for the network's. */
  readonly setLatency: (latency: Latency | undefined) => Effect.Effect<void>
  /** Cuts every open connection. */
  readonly drop: Effect.Effect<void>
}

/**
 * A host that answers over HTTP (`HttpHost`), its `HttpHandler`, each request
 * that reached it (`HttpArrival`; times are milliseconds of the monotonic
 * clock), and what a request meets (`HttpOutcome`): `Reject` is an answer with
 * that status and without a body, `Truncate` the handler's, cut after so many
 * bytes, by default half of them.
 *
 * @category models
 * @since 0.1.0
 */
export type { Handler as HttpHandler, HttpArrival, HttpHost, HttpOutcome } from "./internal/virtualHttp.ts"

/**
 * A network.
 *
 * @category models
 * @since 0.1.0
 */
export interface VirtualNetwork {
  readonly transport: Transport["Service"]
  readonly http: HttpPort["Service"]
  /** Adds a host. `serve` runs for each accepted connection and ends with it. */
  readonly serve: (
    url: string,
    serve?: ((peer: Peer) => Effect.Effect<void, never, Scope.Scope>) | undefined
  ) => Effect.Effect<Host>
  /** Adds a host that answers over HTTP. It may have the name of one that is dialled: they are two. */
  readonly serveHttp: (url: string, handler: VirtualHttp.Handler) => Effect.Effect<VirtualHttp.HttpHost>
  /** Runs a callback after a delay in milliseconds, in the timeline's order. */
  readonly schedule: (afterMillis: number, run: () => void) => void
  readonly log: EventLog.EventLog
  /** The network's own chance, from its seed. */
  readonly chance: Chance.Chance
  /** Changes the one-way latency, in milliseconds. */
  readonly setLatency: (latency: Latency) => Effect.Effect<void>
}

/**
 * A one-way latency in milliseconds: fixed, or uniformly between two bounds.
 *
 * @category models
 * @since 0.1.0
 */
export type { Latency } from "./internal/link.ts"

/**
 * How a network is made: no latency and seed 0 by default.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly seed?: number | undefined
  readonly latency?: Latency | undefined
  /** Whether each frame is logged, besides what happens to connections. Default: no. */
  readonly logFrames?: boolean | undefined
  /** Whether log lines are kept, or only counted in the log's fingerprint. Default: kept. */
  readonly keepLog?: boolean | undefined
  readonly capabilities?: Partial<Capabilities> | undefined
}

interface MutableHost {
  readonly url: string
  readonly dials: Array<Dial>
  readonly open: Set<Peer>
  readonly accepted: Queue.Queue<Peer>
  readonly scripted: Array<DialOutcome>
  readonly listeners: Array<(peer: Peer) => void>
  readonly serve: ((peer: Peer) => Effect.Effect<void, never, Scope.Scope>) | undefined
  latency: Latency | undefined
  otherwise: DialOutcome | ((request: DialRequest) => DialOutcome)
  peers: number
}

/**
 * Makes a network that ends with the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<VirtualNetwork, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const chance = Chance.make(options.seed ?? 0)
  const log = EventLog.make({ keep: options.keepLog })
  const hosts = new Map<string, MutableHost>()
  let latency: Latency = options.latency ?? 0

  const { now, schedule } = yield* Timeline.make
  const note = (event: string, detail: Record<string, string | number>): void => log.add(now(), event, detail)

  const drawn = (of: Latency = latency): number =>
    typeof of === "number" ? of : of.min + chance.integer(of.max - of.min + 1)
  const oneWay = (host: MutableHost): number => drawn(host.latency)
  const http = VirtualHttp.make({ network: hosts, oneWay: drawn, note, now, schedule })

  const open = (host: MutableHost, request: DialRequest, thenClose: number | undefined) =>
    Effect.gen(function*() {
      const id = ++host.peers
      const { close, peer, wire } = yield* VirtualWire.make({
        id,
        request,
        name: `${Address.origin(host.url)}#${id}`,
        link: (isBlocked) => Link.make({ now, schedule, latency: () => oneWay(host), isBlocked }),
        now,
        note,
        logFrames: options.logFrames ?? false,
        onEnd: () => void host.open.delete(peer)
      })
      host.open.add(peer)
      note("open", { connection: `${Address.origin(host.url)}#${id}` })
      yield* Effect.addFinalizer(() => wire.terminate)
      for (const listener of host.listeners) listener(peer)
      if (thenClose !== undefined) close(thenClose, "going away")
      else if (host.serve !== undefined) {
        const served = yield* Effect.forkIn(Effect.scoped(host.serve(peer)), scope)
        yield* Effect.forkIn(Effect.andThen(peer.ended, Fiber.interrupt(served)), scope)
      }
      yield* Queue.offer(host.accepted, peer)
      return wire
    })

  const capabilities: Capabilities = {
    headers: true,
    ping: true,
    pause: true,
    handshakeStatus: true,
    ...options.capabilities
  }

  // ---- dials ------------------------------------------------------------------------------------------------------------

  const failed = (request: DialRequest, reason: DialReason) =>
    Effect.fail(new DialError({ url: Address.origin(request.url), reason }))

  const dial = Effect.fnUntraced(function*(request: DialRequest): Effect.fn.Return<Wire, DialError, Scope.Scope> {
    // Nothing travels here, so nothing travels in the clear.
    const plaintextHosts = [Address.parse(request.url)?.host ?? ""]
    yield* Effect.fromResult(Endpoint.check({ ...request, plaintextHosts }, capabilities))
    const host = hosts.get(Address.origin(request.url))
    if (host === undefined) {
      return yield* failed(
        request,
        new NotResolved({ detail: `no host ${Address.origin(request.url)} in the virtual network` })
      )
    }
    const { otherwise } = host
    const outcome = host.scripted.shift() ?? (typeof otherwise === "function" ? otherwise(request) : otherwise)
    host.dials.push({ at: now(), outcome: outcome._tag })
    note("dial", { host: Address.origin(host.url), outcome: outcome._tag })
    const roundTrip = oneWay(host) + oneWay(host)
    const after = outcome._tag === "Accept" ? outcome.afterMillis ?? roundTrip : roundTrip
    if (after > 0 && outcome._tag !== "Hang") yield* Effect.sleep(after)
    switch (outcome._tag) {
      case "Accept":
        return yield* Effect.uninterruptible(open(host, request, undefined))
      case "AcceptThenClose":
        return yield* Effect.uninterruptible(open(host, request, outcome.code ?? 1001))
      case "Refuse":
        return yield* failed(request, new Refused({ detail: "scripted" }))
      case "Hang":
        return yield* Effect.never
      case "Reject":
        return yield* failed(
          request,
          new HandshakeRejected({
            status: outcome.status,
            ...(outcome.retryAfterMillis === undefined ? {} : { retryAfterMillis: outcome.retryAfterMillis })
          })
        )
      case "Unresolved":
        return yield* failed(request, new NotResolved({ detail: "scripted" }))
      case "Unreachable":
        return yield* failed(request, new Unreachable({ detail: "scripted" }))
      case "BadTls":
        return yield* failed(request, new TlsFailed({ detail: "scripted" }))
    }
  })

  return {
    transport: {
      capabilities,
      network: hosts,
      dial
    },
    http: http.port,
    serveHttp: http.serve,
    serve: (url, serve) =>
      Effect.gen(function*() {
        const host: MutableHost = {
          url,
          dials: [],
          open: new Set(),
          accepted: yield* Queue.unbounded<Peer>(),
          scripted: [],
          listeners: [],
          serve,
          latency: undefined,
          otherwise: { _tag: "Accept" },
          peers: 0
        }
        hosts.set(Address.origin(url), host)
        return {
          url,
          dials: host.dials,
          peers: () => [...host.open],
          nextPeer: Queue.take(host.accepted),
          onOpen: (listener) => Effect.sync(() => void host.listeners.push(listener)),
          script: (...outcomes) => Effect.sync(() => void host.scripted.push(...outcomes)),
          otherwise: (outcome) =>
            Effect.sync(() => {
              host.otherwise = outcome
            }),
          setLatency: (next) =>
            Effect.sync(() => {
              host.latency = next
            }),
          drop: Effect.suspend(() => Effect.forEach([...host.open], (peer) => peer.drop, { discard: true }))
        }
      }),
    schedule,
    log,
    chance,
    setLatency: (next) =>
      Effect.sync(() => {
        latency = next
      })
  }
})

/**
 * The network as a service, for suites that share one by layers.
 *
 * @category services
 * @since 0.1.0
 */
export class Network extends Context.Service<Network, VirtualNetwork>()("@tickline/testing/VirtualNetwork") {}

/**
 * A network, with the transport that dials and the port that asks in it.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options | undefined): Layer.Layer<Network | Transport | HttpPort> =>
  Layer.effectContext(
    Effect.map(
      make(options),
      (network) =>
        Context.make(Network, network).pipe(
          Context.add(Transport, network.transport),
          Context.add(HttpPort, network.http)
        )
    )
  )
