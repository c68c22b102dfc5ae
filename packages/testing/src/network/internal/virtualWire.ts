/** One connection of the virtual network: the client's wire, and the server's end of it. */
import * as Frame from "@tickline/core/transport/Frame"
import { type DialRequest, type Wire, WireClosed } from "@tickline/core/transport/Transport"
import * as Arr from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import type * as Redacted from "effect/Redacted"
import type { Link } from "./link.ts"

/**
 * The server's end of one connection.
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
  /** Calls back on each message as the client's socket takes it. */
  readonly onArrived: (listener: (frame: Frame.Frame) => void) => void
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
  /** Calls back as the connection ends. */
  readonly onEnd: (listener: () => void) => void
  /** Completes when the connection has ended, with how. */
  readonly ended: Effect.Effect<WireClosed>
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

/** What a connection is made of: who it is, how frames travel, and who is told of its end. */
export interface Options {
  readonly id: number
  readonly name: string
  readonly request: DialRequest
  readonly link: (isBlocked: () => boolean) => Link
  readonly now: () => number
  readonly note: (event: string, detail: Record<string, string | number>) => void
  readonly logFrames: boolean
  readonly onEnd: () => void
}

/** Makes a connection that is open. */
export const make = Effect.fnUntraced(function*(
  { id, link, logFrames, name, note, now, onEnd, request }: Options
): Effect.fn.Return<{
  readonly peer: Peer
  readonly wire: Wire
  readonly close: (code: number, reason: string) => void
}> {
  const arrived = Latch.makeUnsafe(false)
  const drained = Latch.makeUnsafe(true)
  const ended = Deferred.makeUnsafe<WireClosed>()
  const inbox: Queue.Queue<Frame.Frame> = yield* Queue.unbounded<Frame.Frame>()
  const received: Array<Frame.Frame> = []
  const listeners: Array<(frame: Frame.Frame) => void> = []
  const pingListeners: Array<() => void> = []
  const endListeners: Array<() => void> = []
  const arrivalListeners: Array<(frame: Frame.Frame) => void> = []
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
  const toClient = link(() => isFrozen || isPaused())
  const toServer = link(() => isFrozen || !isReading)

  const end = (how: WireClosed): void => {
    if (closed !== undefined) return
    closed = how
    onEnd()
    note("end", { connection: name, by: how.by, code: how.code })
    toClient.clear()
    toServer.clear()
    for (const listener of endListeners) listener()
    Deferred.doneUnsafe(ended, Effect.succeed(how))
    drained.openUnsafe()
    arrived.openUnsafe()
  }

  const take = (frame: Frame.Frame): void => {
    if (closed !== undefined) return
    buffered -= Frame.size(frame)
    received.push(frame)
    Queue.offerUnsafe(inbox, frame)
    if (logFrames) note("in", { connection: name, frame: loggedFrame(frame) })
    for (const listener of listeners) listener(frame)
    // Last, for it may wake a writer at once.
    if (buffered < sendBound) drained.openUnsafe()
  }

  const arrive = (frame: Frame.Frame): void => {
    if (closed !== undefined) return
    const size = Frame.size(frame)
    unread -= size
    if (size > request.maxMessageBytes) {
      end(WireClosed.of({ by: "local", code: 1009, reason: `message of ${size} bytes is too large` }))
      return
    }
    if (logFrames) note("out", { connection: name, frame: loggedFrame(frame) })
    for (const listener of arrivalListeners) listener(frame)
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
    toClient.push(() => end(WireClosed.of({ by: "peer", code, reason })))
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
    onArrived: (listener) => {
      arrivalListeners.push(listener)
    },
    close: (code = 1000, reason = "") => Effect.sync(() => close(code, reason)),
    drop: Effect.sync(() => end(WireClosed.of({ by: "network", code: 1006, reason: "connection reset" }))),
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
    onEnd: (listener) => void endListeners.push(listener),
    ended: Deferred.await(ended)
  }

  const pull: Wire["pull"] = Effect.suspend(() => {
    const frames = inbound
    if (Arr.isReadonlyArrayNonEmpty(frames)) {
      inbound = []
      inboundBytes = 0
      toClient.pass()
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
        toServer.push(() => toClient.push(() => end(WireClosed.of({ by: "local", code, reason }))))
        return Effect.map(Deferred.await(ended), ({ by }) => ({ clean: by !== "network" }))
      }),
    terminate: Effect.sync(() => end(WireClosed.of({ by: "local", code: 1006, reason: "terminated" }))),
    bufferedBytes: () => buffered,
    paused: isPaused
  }

  return { peer, wire, close }
})
