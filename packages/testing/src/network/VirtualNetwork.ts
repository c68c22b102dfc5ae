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
import * as Frame from "@tickline/core/transport/Frame"
import {
  type Capabilities,
  type DialRequest,
  Transport,
  type Wire,
  WireClosed
} from "@tickline/core/transport/Transport"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Chance from "../Chance.ts"
import * as EventLog from "../EventLog.ts"

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
  /** Calls back on each protocol ping from the client as it is answered. */
  readonly onPing: (listener: () => void) => void
  /** Sends a close frame. */
  readonly close: (code?: number | undefined, reason?: string | undefined) => Effect.Effect<void>
  /** Cuts the connection, as a TCP reset does: what is under way is lost. */
  readonly drop: Effect.Effect<void>
  /** Half-open: from now on nothing gets through in either direction, and no ping is answered. */
  readonly freeze: Effect.Effect<void>
  /** Undoes `freeze`: what was sent meanwhile arrives now, as TCP's retransmissions do. */
  readonly thaw: Effect.Effect<void>
  /** Stops, or starts, taking what the client sends: its send buffer fills, and no ping is answered. */
  readonly stopReading: (on: boolean) => Effect.Effect<void>
  /**
   * Puts a rule between `send` and the client: it is asked for what arrives in
   * place of a message, `[]` for none, the message twice for a duplicate.
   * `undefined` takes the rule away.
   */
  readonly alter: (rule: ((frame: Frame.Frame) => ReadonlyArray<Frame.Frame>) | undefined) => Effect.Effect<void>
  /** Bytes sent that the client's socket has not taken: on their way, or stopped because it does not read. */
  readonly unreadBytes: () => number
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
  /** Whether log lines are kept, or only counted in the log's fingerprint. Default: kept. */
  readonly keepLog?: boolean | undefined
  readonly capabilities?: Partial<Capabilities> | undefined
}

/** What a socket's send buffer takes before `ready` waits. */
const sendBound = 1024 * 1024

// One line of the log a frame, however long the frame is.
const loggedUnits = 256
const loggedFrame = (frame: Frame.Frame): string => {
  const text = typeof frame === "string" ? frame.slice(0, loggedUnits) : frame.subarray(0, loggedUnits / 2).join(" ")
  const line = text.replace(/[\n\r]/g, " ")
  return Frame.size(frame) > text.length ? `${line}… (${Frame.size(frame)})` : line
}

interface Due {
  readonly at: number
  readonly run: () => void
}

/** One direction of a connection: in order, late by the latency of the moment, held back while blocked. */
interface Lane {
  readonly push: (deliver: () => void) => void
  /** Lets through what was held back, as far as nothing blocks. */
  readonly pass: () => void
  readonly clear: () => void
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
  const clock = yield* Clock.Clock
  const context = yield* Effect.context()
  const scope = yield* Effect.scope
  const chance = Chance.make(options.seed ?? 0)
  const log = EventLog.make({ keep: options.keepLog })
  const hosts = new Map<string, MutableHost>()
  let latency: Latency = options.latency ?? 0

  const now = (): number => Monotonic.nowMillis(clock)
  const note = (event: string, detail: Record<string, string | number>): void => log.add(now(), event, detail)

  // ---- the timeline ---------------------------------------------------------------------------------------------------

  // Latest first, so that what is due next is at the end; of what is due together the first scheduled is nearer to it.
  const timeline: Array<Due> = []
  const sleepers = new Set<Fiber.Fiber<void>>()
  // When sleepers wake. One that wakes to find nothing due goes back to sleep, or ends where another sleeps for less.
  const wakes = new Set<number>()
  let isFiring = false

  // The time for which somebody has to be put to sleep, where nobody yet sleeps that long or less.
  const claim = (): number | undefined => {
    const due = timeline.at(-1)
    if (due === undefined) return undefined
    for (const at of wakes) if (at <= due.at) return undefined
    wakes.add(due.at)
    return due.at
  }

  const fire = (): void => {
    isFiring = true
    for (let due = timeline.at(-1); due !== undefined && due.at <= now(); due = timeline.at(-1)) {
      timeline.pop()
      due.run()
    }
    isFiring = false
  }

  const sleeper = (at: number): Effect.Effect<void> =>
    Effect.flatMap(Effect.sleep(at - now()), () => {
      wakes.delete(at)
      fire()
      const next = claim()
      return next === undefined ? Effect.void : sleeper(next)
    })

  const schedule = (afterMillis: number, run: () => void): void => {
    const at = now() + afterMillis
    let low = 0
    let high = timeline.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (timeline[middle]!.at > at) low = middle + 1
      else high = middle
    }
    timeline.splice(low, 0, { at, run })
    if (isFiring) return
    const wake = claim()
    if (wake === undefined) return
    const fiber = Effect.runForkWith(context)(sleeper(wake))
    sleepers.add(fiber)
    fiber.addObserver(() => sleepers.delete(fiber))
  }

  yield* Scope.addFinalizer(scope, Effect.suspend(() => Fiber.interruptAll(sleepers)))

  const oneWay = (host: MutableHost): number => {
    const of = host.latency ?? latency
    return typeof of === "number" ? of : of.min + chance.integer(of.max - of.min + 1)
  }

  // A later message never overtakes an earlier one, whatever became of the latency.
  const makeLane = (host: MutableHost, isBlocked: () => boolean): Lane => {
    const held: Array<() => void> = []
    // Where it begins: shifting a long array costs its length each time.
    let passed = 0
    let underWay = 0
    let lastAt = 0
    // What is sent within one millisecond travels together, as in one segment.
    let segment: { readonly sentAt: number; readonly deliveries: Array<() => void> } | undefined
    const arrive = (deliver: () => void): void => {
      if (held.length > passed || isBlocked()) held.push(deliver)
      else deliver()
    }
    return {
      push: (deliver) => {
        const sentAt = now()
        if (segment?.sentAt === sentAt) {
          segment.deliveries.push(deliver)
          return
        }
        const at = Math.max(sentAt + oneWay(host), lastAt)
        lastAt = at
        if (at <= sentAt && underWay === 0) return arrive(deliver)
        underWay++
        const deliveries = [deliver]
        segment = { sentAt, deliveries }
        schedule(at - sentAt, () => {
          if (segment?.deliveries === deliveries) segment = undefined
          // What a delivery leads to within this millisecond stays behind the rest of the segment.
          for (const each of deliveries) arrive(each)
          underWay--
        })
      },
      pass: () => {
        // A delivery may wake the reader, who lets the next through from within it.
        while (held.length > passed && !isBlocked()) held[passed++]!()
        if (passed * 2 >= held.length) {
          held.splice(0, passed)
          passed = 0
        }
      },
      clear: () => {
        held.length = 0
        passed = 0
      }
    }
  }

  // ---- one connection -------------------------------------------------------------------------------------------------

  const open = (host: MutableHost, request: DialRequest, thenClose: number | undefined) =>
    Effect.gen(function*() {
      const id = ++host.peers
      const name = `${Address.origin(host.url)}#${id}`
      const arrived = Latch.makeUnsafe(false)
      const drained = Latch.makeUnsafe(true)
      const ended = Deferred.makeUnsafe<WireClosed>()
      const inbox: Queue.Queue<Frame.Frame> = yield* Queue.unbounded<Frame.Frame>()
      const received: Array<Frame.Frame> = []
      const listeners: Array<(frame: Frame.Frame) => void> = []
      const pingListeners: Array<() => void> = []
      let inbound: Array<Frame.Frame> = []
      let inboundBytes = 0
      let unread = 0
      let buffered = 0
      let isFrozen = false
      let isReading = true
      let closed: WireClosed | undefined
      let closeSent = false
      let rule: ((frame: Frame.Frame) => ReadonlyArray<Frame.Frame>) | undefined
      const isPaused = (): boolean => Frame.fills(request.inboundBytes, inboundBytes, inbound.length)
      const toClient = makeLane(host, () => isFrozen || isPaused())
      const toServer = makeLane(host, () => isFrozen || !isReading)

      const end = (how: WireClosed): void => {
        if (closed !== undefined) return
        closed = how
        host.open.delete(peer)
        note("end", { connection: name, by: how.by, code: how.code })
        toClient.clear()
        toServer.clear()
        Deferred.doneUnsafe(ended, Effect.succeed(how))
        drained.openUnsafe()
        arrived.openUnsafe()
      }

      const take = (frame: Frame.Frame): void => {
        if (closed !== undefined) return
        buffered -= Frame.size(frame)
        received.push(frame)
        Queue.offerUnsafe(inbox, frame)
        if (options.logFrames === true) note("in", { connection: name, frame: loggedFrame(frame) })
        for (const listener of listeners) listener(frame)
        // Last, for it may wake a writer at once.
        if (buffered < sendBound) drained.openUnsafe()
      }

      const arrive = (frame: Frame.Frame): void => {
        if (closed !== undefined) return
        const size = Frame.size(frame)
        unread -= size
        if (size > request.maxMessageBytes) {
          end(new WireClosed({ by: "local", code: 1009, reason: `message of ${size} bytes is too large` }))
          return
        }
        if (options.logFrames === true) note("out", { connection: name, frame: loggedFrame(frame) })
        inbound.push(frame)
        inboundBytes += size
        arrived.openUnsafe()
      }

      const put = (frame: Frame.Frame): void => {
        unread += Frame.size(frame)
        toClient.push(() => arrive(frame))
      }

      const sendUnsafe = (frame: Frame.Frame): void => {
        if (closed !== undefined || closeSent) return
        if (rule === undefined) put(frame)
        else for (const altered of rule(frame)) put(altered)
      }

      const close = (code: number, reason: string): void => {
        if (closed !== undefined || closeSent) return
        closeSent = true
        toClient.push(() => end(new WireClosed({ by: "peer", code, reason })))
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
        onPing: (listener) => {
          pingListeners.push(listener)
        },
        close: (code = 1000, reason = "") => Effect.sync(() => close(code, reason)),
        drop: Effect.sync(() => end(new WireClosed({ by: "network", code: 1006, reason: "connection reset" }))),
        freeze: Effect.sync(() => {
          if (closed !== undefined || isFrozen) return
          isFrozen = true
          note("freeze", { connection: name })
        }),
        thaw: Effect.sync(() => {
          if (closed !== undefined || !isFrozen) return
          isFrozen = false
          note("thaw", { connection: name })
          toServer.pass()
          toClient.pass()
        }),
        stopReading: (on) =>
          Effect.sync(() => {
            isReading = !on
            toServer.pass()
          }),
        alter: (next) =>
          Effect.sync(() => {
            rule = next
          }),
        unreadBytes: () => unread,
        isOpen: () => closed === undefined,
        ended: Deferred.await(ended)
      }

      const pull: Wire["pull"] = Effect.suspend(() => {
        const frames = inbound
        if (Arr.isReadonlyArrayNonEmpty(frames)) {
          inbound = []
          inboundBytes = 0
          if (closed === undefined) {
            arrived.closeUnsafe()
            toClient.pass()
          }
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
          toServer.push(() => take(frame))
          return true
        },
        ping: Effect.suspend(() => {
          if (closed !== undefined) return Effect.fail(closed)
          let isAnswered = false
          let answer = (): void => {
            isAnswered = true
          }
          toServer.push(() => {
            for (const listener of pingListeners) listener()
            toClient.push(() => answer())
          })
          // On a network without latency the answer is there already.
          if (isAnswered) return Effect.void
          return Effect.raceFirst(
            Effect.callback<void>((resume) => {
              answer = () => resume(Effect.void)
            }),
            Effect.flatMap(Deferred.await(ended), Effect.fail)
          )
        }),
        close: (code, reason) =>
          Effect.suspend(() => {
            if (closed !== undefined) return Effect.succeed({ clean: true })
            toServer.push(() => toClient.push(() => end(new WireClosed({ by: "local", code, reason }))))
            return Effect.map(Deferred.await(ended), ({ by }) => ({ clean: by !== "network" }))
          }),
        terminate: Effect.sync(() => end(new WireClosed({ by: "local", code: 1006, reason: "terminated" }))),
        bufferedBytes: () => buffered,
        paused: isPaused
      }

      host.open.add(peer)
      note("open", { connection: name })
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
 * A network, and the transport that dials in it.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options | undefined): Layer.Layer<Network | Transport> =>
  Layer.effectContext(
    Effect.map(
      make(options),
      (network) => Context.make(Network, network).pipe(Context.add(Transport, network.transport))
    )
  )
