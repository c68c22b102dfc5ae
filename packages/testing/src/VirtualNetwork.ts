/**
 * A network that exists only on Effect's clock: a `Transport` whose hosts,
 * latencies and faults are values. Under `TestClock` a day of it takes a
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
import { DialError, type DialReason, HandshakeRejected, NotResolved, Refused, TlsFailed, Unreachable } from "@tickline/core/transport/DialError"
import * as Frame from "@tickline/core/transport/Frame"
import { type Capabilities, type DialRequest, Transport, type Wire, WireClosed } from "@tickline/core/transport/Transport"
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Chance from "./Chance.ts"
import * as EventLog from "./EventLog.ts"

/**
 * What a dial meets. Times are milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export type DialOutcome =
  | { readonly _tag: "Accept"; readonly afterMillis?: number | undefined }
  | { readonly _tag: "Refuse" }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "Reject"; readonly status: number; readonly retryAfterMillis?: number | undefined }
  | { readonly _tag: "Unresolved" }
  | { readonly _tag: "Unreachable" }
  | { readonly _tag: "BadTls" }

/**
 * A dial that reached a host: when (epoch milliseconds), and what it met.
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
export interface Peer {
  /** 1 for a host's first accepted connection, and so on. */
  readonly id: number
  readonly url: string
  readonly openedAt: number
  /** The header's value, secrets as `Redacted`; names are compared without case. */
  readonly header: (name: string) => string | Redacted.Redacted<string> | undefined
  /** Sends messages to the client, in order. Nothing happens where the connection has ended. */
  readonly send: (...frames: ReadonlyArray<Frame.Frame>) => Effect.Effect<void>
  /** As `send`, synchronously. */
  readonly sendUnsafe: (frame: Frame.Frame) => void
  /** Waits for the next message from the client. */
  readonly receive: Effect.Effect<Frame.Frame>
  /** What the client sent so far. */
  readonly received: ReadonlyArray<Frame.Frame>
  /** Calls back on each message from the client, besides `receive`. */
  readonly onMessage: (listener: (frame: Frame.Frame) => void) => void
  /** Sends a close frame. */
  readonly close: (code?: number | undefined, reason?: string | undefined) => Effect.Effect<void>
  /** Cuts the connection, as a TCP reset does: what is under way is lost. */
  readonly drop: Effect.Effect<void>
  /** Half-open: from now on nothing gets through in either direction, and no ping is answered. */
  readonly freeze: Effect.Effect<void>
  /** Undoes `freeze`; what was sent meanwhile is lost. */
  readonly thaw: Effect.Effect<void>
  /** Stops, or starts, taking what the client sends: its send buffer fills. */
  readonly stopReading: (on: boolean) => Effect.Effect<void>
  readonly isOpen: () => boolean
  /** Completes when the connection has ended, with how. */
  readonly ended: Effect.Effect<WireClosed>
}

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
  /** What the next dials meet, in order; then `otherwise` again. */
  readonly script: (...outcomes: ReadonlyArray<DialOutcome>) => Effect.Effect<void>
  /** What a dial meets when no script is left. Default: `Accept`. */
  readonly otherwise: (outcome: DialOutcome) => Effect.Effect<void>
  /** Cuts every open connection. */
  readonly drop: Effect.Effect<void>
}

/**
 * A network.
 *
 * @category models
 * @since 0.1.0
 */
export interface VirtualNetwork {
  readonly transport: Transport["Service"]
  /** Adds a host. `serve` runs for each accepted connection and ends with it. */
  readonly serve: (
    url: string,
    serve?: ((peer: Peer) => Effect.Effect<void, never, Scope.Scope>) | undefined
  ) => Effect.Effect<Host>
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
export type Latency = number | { readonly min: number; readonly max: number }

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
  readonly capabilities?: Partial<Capabilities> | undefined
}

const sendBound = 1024 * 1024

const hostOf = (url: string): string => /^wss?:\/\/(?:[^@/?#]*@)?([^/?#]*)/i.exec(url)?.[0].toLowerCase() ?? url

const shown = (url: string): string => url.replace(/[?#].*$/, "").replace(/\/\/[^@/]*@/, "//")

interface Due {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

interface MutableHost {
  readonly url: string
  readonly dials: Array<Dial>
  readonly open: Set<Peer>
  readonly accepted: Queue.Queue<Peer>
  readonly scripted: Array<DialOutcome>
  readonly serve: ((peer: Peer) => Effect.Effect<void, never, Scope.Scope>) | undefined
  otherwise: DialOutcome
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
  const clock = yield* Clock.Clock
  const context = yield* Effect.context()
  const scope = yield* Effect.scope
  const chance = Chance.make(options.seed ?? 0)
  const log = EventLog.make()
  const hosts = new Map<string, MutableHost>()
  let latency: Latency = options.latency ?? 0

  const now = (): number => clock.currentTimeMillisUnsafe()
  const note = (event: string, detail: Record<string, string | number>): void => log.add(now(), event, detail)

  // ---- the timeline ---------------------------------------------------------------------------------------------------

  const timeline: Array<Due> = []
  const sleepers = new Set<Fiber.Fiber<void>>()
  let scheduled = 0
  let nextWake = Infinity

  const fire = (): void => {
    nextWake = Infinity
    while (timeline.length > 0 && timeline[0]!.at <= now()) timeline.shift()!.run()
    arm()
  }

  const arm = (): void => {
    const due = timeline[0]
    if (due === undefined || due.at >= nextWake) return
    nextWake = due.at
    const fiber = Effect.runForkWith(context)(
      Effect.andThen(
        Effect.sleep(due.at - now()),
        Effect.sync(() => {
          sleepers.delete(fiber)
          fire()
        })
      )
    )
    sleepers.add(fiber)
  }

  const schedule = (afterMillis: number, run: () => void): void => {
    const due: Due = { at: now() + afterMillis, order: scheduled++, run }
    let index = timeline.length
    while (index > 0 && timeline[index - 1]!.at > due.at) index--
    timeline.splice(index, 0, due)
    arm()
  }

  yield* Scope.addFinalizer(
    scope,
    Effect.suspend(() => {
      timeline.length = 0
      return Fiber.interruptAll(sleepers)
    })
  )

  const oneWay = (): number =>
    typeof latency === "number" ? latency : latency.min + chance.integer(latency.max - latency.min + 1)

  // Delivers in order with the latency of the moment: a later message never overtakes an earlier one.
  const makeLane = () => {
    let lastAt = 0
    return (deliver: () => void): void => {
      const at = Math.max(now() + oneWay(), lastAt)
      lastAt = at
      if (at <= now()) deliver()
      else schedule(at - now(), deliver)
    }
  }

  // ---- one connection -------------------------------------------------------------------------------------------------

  const open = (host: MutableHost, request: DialRequest) =>
    Effect.gen(function*() {
      const id = ++host.peers
      const name = `${shown(host.url)}#${id}`
      const toClient = makeLane()
      const toServer = makeLane()
      const arrived = Latch.makeUnsafe(false)
      const drained = Latch.makeUnsafe(true)
      const ended = Deferred.makeUnsafe<WireClosed>()
      const inbox: Queue.Queue<Frame.Frame> = yield* Queue.unbounded<Frame.Frame>()
      const received: Array<Frame.Frame> = []
      const listeners: Array<(frame: Frame.Frame) => void> = []
      const held: Array<Frame.Frame> = []
      const pings: Array<() => void> = []
      let inbound: Array<Frame.Frame> = []
      let inboundBytes = 0
      let buffered = 0
      let isFrozen = false
      let isReading = true
      let closed: WireClosed | undefined
      let closeSent = false

      const end = (how: WireClosed): void => {
        if (closed !== undefined) return
        closed = how
        host.open.delete(peer)
        note("end", { connection: name, by: how.by, code: how.code })
        Deferred.doneUnsafe(ended, Effect.succeed(how))
        drained.openUnsafe()
        arrived.openUnsafe()
      }

      const take = (frame: Frame.Frame): void => {
        buffered -= Frame.size(frame)
        if (buffered < sendBound) drained.openUnsafe()
        if (isFrozen || closed !== undefined) return
        received.push(frame)
        Queue.offerUnsafe(inbox, frame)
        if (options.logFrames === true) note("in", { connection: name, frame: String(frame) })
        for (const listener of listeners) listener(frame)
      }

      const sendUnsafe = (frame: Frame.Frame): void => {
        if (closed !== undefined || isFrozen || closeSent) return
        toClient(() => {
          if (closed !== undefined || isFrozen) return
          const size = Frame.size(frame)
          if (size > request.maxMessageBytes) {
            end(new WireClosed({ by: "local", code: 1009, reason: `message of ${size} bytes is too large` }))
            return
          }
          if (options.logFrames === true) note("out", { connection: name, frame: String(frame) })
          inbound.push(frame)
          inboundBytes += size
          arrived.openUnsafe()
        })
      }

      const peer: Peer = {
        id,
        url: request.url,
        openedAt: now(),
        header: (wanted) => {
          const found = Object.keys(request.headers).find((key) => key.toLowerCase() === wanted.toLowerCase())
          return found === undefined ? undefined : request.headers[found]
        },
        send: (...frames) => Effect.sync(() => frames.forEach(sendUnsafe)),
        sendUnsafe,
        receive: Queue.take(inbox),
        received,
        onMessage: (listener) => {
          listeners.push(listener)
        },
        close: (code = 1000, reason = "") =>
          Effect.sync(() => {
            if (closed !== undefined || isFrozen) return
            closeSent = true
            toClient(() => {
              if (!isFrozen) end(new WireClosed({ by: "peer", code, reason }))
            })
          }),
        drop: Effect.sync(() => end(new WireClosed({ by: "network", code: 1006, reason: "connection reset" }))),
        freeze: Effect.sync(() => {
          isFrozen = true
          note("freeze", { connection: name })
        }),
        thaw: Effect.sync(() => {
          isFrozen = false
          note("thaw", { connection: name })
        }),
        stopReading: (on) =>
          Effect.sync(() => {
            isReading = !on
            if (isReading) for (const frame of held.splice(0)) take(frame)
          }),
        isOpen: () => closed === undefined,
        ended: Deferred.await(ended)
      }

      const pull: Wire["pull"] = Effect.suspend(() => {
        const frames = inbound
        if (Arr.isReadonlyArrayNonEmpty(frames)) {
          inbound = []
          inboundBytes = 0
          if (closed === undefined) arrived.closeUnsafe()
          return Effect.succeed(frames)
        }
        if (closed !== undefined) return Effect.fail(closed)
        arrived.closeUnsafe()
        return Effect.andThen(arrived.await, pull)
      })

      const wire: Wire = {
        pull,
        ready: Effect.suspend(function ready(): Effect.Effect<void, WireClosed> {
          if (closed !== undefined) return Effect.fail(closed)
          return buffered < sendBound ? Effect.void : Effect.andThen(drained.await, Effect.suspend(ready))
        }),
        write: (frame) => {
          if (closed !== undefined) return false
          buffered += Frame.size(frame)
          if (buffered >= sendBound) drained.closeUnsafe()
          toServer(() => isReading ? take(frame) : held.push(frame))
          return true
        },
        ping: Effect.suspend(() => {
          if (closed !== undefined) return Effect.fail(closed)
          return Effect.raceFirst(
            Effect.callback<void>((resume) => {
              toServer(() => {
                if (isFrozen) return
                toClient(() => {
                  if (!isFrozen) resume(Effect.void)
                })
              })
            }),
            Effect.flatMap(Deferred.await(ended), Effect.fail)
          )
        }),
        close: (code, reason) =>
          Effect.suspend(() => {
            if (closed !== undefined) return Effect.succeed({ clean: true })
            return Effect.callback<{ readonly clean: boolean }>((resume) => {
              toServer(() => {
                if (isFrozen) return
                toClient(() => {
                  end(new WireClosed({ by: "local", code, reason }))
                  resume(Effect.succeed({ clean: true }))
                })
              })
            })
          }),
        terminate: Effect.sync(() => end(new WireClosed({ by: "local", code: 1006, reason: "terminated" }))),
        bufferedBytes: () => buffered,
        paused: () => inboundBytes >= request.inboundBytes
      }

      host.open.add(peer)
      note("open", { connection: name })
      pings.length = 0
      if (host.serve !== undefined) {
        const served = yield* Effect.forkIn(Effect.scoped(host.serve(peer)), scope)
        yield* Effect.forkIn(Effect.andThen(peer.ended, Fiber.interrupt(served)), scope)
      }
      yield* Queue.offer(host.accepted, peer)
      yield* Effect.addFinalizer(() => wire.terminate)
      return wire
    })

  // ---- dials ------------------------------------------------------------------------------------------------------------

  const failed = (request: DialRequest, reason: DialReason) =>
    Effect.fail(new DialError({ url: shown(request.url), reason }))

  const dial = Effect.fnUntraced(function*(request: DialRequest): Effect.fn.Return<Wire, DialError, Scope.Scope> {
    const host = hosts.get(hostOf(request.url))
    if (host === undefined) {
      return yield* failed(request, new NotResolved({ detail: `no host ${hostOf(request.url)} in the virtual network` }))
    }
    const outcome = host.scripted.shift() ?? host.otherwise
    host.dials.push({ at: now(), outcome: outcome._tag })
    note("dial", { host: shown(host.url), outcome: outcome._tag })
    const roundTrip = oneWay() + oneWay()
    const after = outcome._tag === "Accept" ? outcome.afterMillis ?? roundTrip : roundTrip
    if (after > 0 && outcome._tag !== "Hang") yield* Effect.sleep(after)
    switch (outcome._tag) {
      case "Accept":
        return yield* open(host, request)
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
      capabilities: { headers: true, ping: true, pause: true, handshakeStatus: true, ...options.capabilities },
      dial
    },
    serve: (url, serve) =>
      Effect.gen(function*() {
        const host: MutableHost = {
          url,
          dials: [],
          open: new Set(),
          accepted: yield* Queue.unbounded<Peer>(),
          scripted: [],
          serve,
          otherwise: { _tag: "Accept" },
          peers: 0
        }
        hosts.set(hostOf(url), host)
        return {
          url,
          dials: host.dials,
          peers: () => [...host.open],
          nextPeer: Queue.take(host.accepted),
          script: (...outcomes) => Effect.sync(() => void host.scripted.push(...outcomes)),
          otherwise: (outcome) =>
            Effect.sync(() => {
              host.otherwise = outcome
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
 * A network, and the transport that dials in it.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options | undefined): Layer.Layer<Network | Transport> =>
  Layer.effectContext(Effect.map(make(options), (network) =>
    Context.make(Network, network).pipe(Context.add(Transport, network.transport))))
