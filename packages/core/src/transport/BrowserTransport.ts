/**
 * The transport over the WebSocket that browsers, Deno, Bun and Node have of
 * their own, handed in as its constructor.
 *
 * It can do less than a transport over a socket of one's own, and says so in
 * its capabilities: a page sets no header (authenticate by a subprotocol or by
 * a first message), sends no protocol ping, cannot stop reading, and is not
 * told why a dial failed. What follows from each is written at the part that it
 * concerns; `docs/browser.md` has it as a table.
 *
 * **Example** (in a page)
 *
 * ```ts
 * const transport = BrowserTransport.layer(WebSocket)
 * ```
 *
 * The rules are those of the WebSockets standard of WHATWG
 * (https://websockets.spec.whatwg.org), read in November 2026.
 *
 * @since 0.1.0
 */
import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Address from "./Address.ts"
import { BadUrl, DialError, type DialReason, Unreachable } from "./DialError.ts"
import * as Endpoint from "./Endpoint.ts"
import * as Frame from "./Frame.ts"
import {
  type CloseEvent,
  type MessageEvent,
  sentCode,
  type Socket,
  type SocketConstructor
} from "./internal/browserSocket.ts"
import { type Capabilities, type DialRequest, Transport, type Wire, WireClosed } from "./Transport.ts"

/**
 * What a browser's WebSocket can do: none of it.
 */
const capabilities: Capabilities = { headers: false, ping: false, pause: false, handshakeStatus: false }

/** `readyState` of a socket that is open; the other states take no message. */
const open = 1

/** Milliseconds between two looks at `bufferedAmount`: no event tells that it has fallen. */
const drainPollMillis = 10

/** RFC 6455 §5.5: a control frame carries 125 bytes, two of which are the close code. */
const closeReasonBytes = 123

/**
 * Makes the transport from a WebSocket's constructor.
 *
 * - A dial that fails is `Unreachable` whatever the cause. A request with
 *   headers fails with `Unsupported`, before anything is dialled.
 * - `deflate` is the browser's to decide.
 * - A message over `maxMessageBytes` has been read by the browser when it is
 *   seen; it is dropped, the wire ends with 1009, and the peer is sent 4009.
 * - Nothing stops a browser from reading. A message that arrives while
 *   `inboundBytes` wait for `pull` ends the wire with 1009 in the same way,
 *   after what waits has been taken.
 * - `terminate` starts the closing handshake and listens no more: a page has no
 *   way to reset a connection.
 * - `ping` never completes. It fails when the wire ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  Constructor: SocketConstructor,
  options: { readonly sendBufferBytes?: number | undefined } = {}
): Transport["Service"] => ({
  capabilities,
  dial: (request) => dial(Constructor, request, options.sendBufferBytes ?? 1_048_576)
})

/**
 * The transport over a WebSocket's constructor, as `make` has it.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  Constructor: SocketConstructor,
  options: { readonly sendBufferBytes?: number | undefined } = {}
): Layer.Layer<Transport> => Layer.succeed(Transport, make(Constructor, options))

const dial = (
  Constructor: SocketConstructor,
  request: DialRequest,
  sendBufferBytes: number
): Effect.Effect<Wire, DialError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) => {
    const failed = (reason: DialReason) => new DialError({ url: Address.origin(request.url), reason })
    const endpoint = Endpoint.check(request, capabilities)
    if (Result.isFailure(endpoint)) return Effect.fail(endpoint.failure)
    const { protocols, url } = endpoint.success
    // Outside of the interruptible part, so that an interruption between the
    // open socket and its finaliser cannot lose it.
    let line: Inbound | undefined
    const release = Effect.sync(() => line?.release())
    const opening = Effect.callback<Wire, DialError>((resume) => {
      const started = Result.try({
        try: () => new Constructor(url, [...protocols]),
        // What the browser says of it holds the whole URL, and so what is secret in it.
        catch: () => failed(new BadUrl({ detail: "the runtime does not take it" }))
      })
      if (Result.isFailure(started)) return resume(Effect.fail(started.failure))
      line = makeLine(started.success, request, sendBufferBytes, {
        opened: (wire) => resume(Effect.succeed(wire)),
        failed: () => resume(Effect.fail(failed(new Unreachable({ detail: "a browser does not say why" }))))
      })
    })
    return restore(opening).pipe(
      Effect.onError(() => release),
      Effect.tap(() => Effect.addFinalizer(() => release))
    )
  })

interface Inbound {
  /** Ends the wire at once and forgets the socket, also while it is being dialled. */
  readonly release: () => void
}

interface Outcome {
  readonly opened: (wire: Wire) => void
  readonly failed: () => void
}

type Resume<A, E = never> = (effect: Effect.Effect<A, E>) => void

const makeLine = (socket: Socket, request: DialRequest, sendBufferBytes: number, outcome: Outcome): Inbound => {
  const { inboundBytes, maxMessageBytes } = request
  let frames: Array<Frame.Frame> = []
  let bytes = 0
  let closing: WireClosed | undefined
  let ended: WireClosed | undefined
  let clean: boolean | undefined
  let puller: Resume<NonEmptyReadonlyArray<Frame.Frame>, WireClosed> | undefined
  const pingers = new Set<Resume<never, WireClosed>>()
  const closers = new Set<Resume<{ readonly clean: boolean }>>()

  const take = (): Effect.Effect<NonEmptyReadonlyArray<Frame.Frame>, WireClosed> | undefined => {
    const batch = frames
    if (isReadonlyArrayNonEmpty(batch)) {
      frames = []
      bytes = 0
      return Effect.succeed(batch)
    }
    return ended === undefined ? undefined : Effect.fail(ended)
  }

  // A browser runs one task for each message, so there is no later moment of
  // the same turn to wait for, and a timer would cost more than it gathers: up
  // to 4 ms, a second in a hidden tab. Whoever waits is woken at once; what
  // arrives while nobody does is one batch.
  const wake = () => {
    if (puller === undefined) return
    const batch = take()
    if (batch === undefined) return
    const resume = puller
    puller = undefined
    resume(batch)
  }

  const end = (closed: WireClosed) => {
    if (ended !== undefined) return
    ended = closed
    socket.removeEventListener("message", onMessage)
    wake()
    for (const resume of pingers) resume(Effect.fail(closed))
  }

  const finish = (closed: WireClosed, isClean: boolean) => {
    // Known before anybody is woken: who hears of the end may terminate at once.
    clean ??= isClean
    end(closed)
    for (const resume of closers) resume(Effect.succeed({ clean }))
  }

  /** Ends the wire because of what came, and tells the peer. */
  const refuse = (code: number, reason: string) => {
    socket.close(sentCode(code), reason)
    end(WireClosed.of({ by: "local", code, reason }))
  }

  const onMessage = ({ data }: MessageEvent) => {
    const frame = typeof data === "string" ? data : isBuffer(data) ? new Uint8Array(data) : undefined
    if (frame === undefined) return refuse(1003, "a message that is neither text nor an ArrayBuffer")
    const size = Frame.size(frame)
    if (size > maxMessageBytes) return refuse(1009, `message over ${maxMessageBytes} bytes`)
    if (Frame.fills(inboundBytes, bytes, frames.length)) {
      const what = bytes >= inboundBytes ? `${bytes} bytes` : `${frames.length} messages`
      return refuse(1009, `inbound overflow: ${what} wait`)
    }
    bytes += size
    frames.push(frame)
    wake()
  }

  const onOpen = () => outcome.opened(wire)

  // Before the handshake a failure fires "error" and then "close"; after it,
  // "close" tells all that "error" does, and more. A dial has one outcome: the first.
  const onClose = ({ code, reason, wasClean }: CloseEvent) => {
    outcome.failed()
    finish(closing ?? WireClosed.of({ by: code === 1006 ? "network" : "peer", code, reason }), wasClean)
  }

  const hasRoom = () => socket.readyState === open && socket.bufferedAmount <= sendBufferBytes

  const ready: Effect.Effect<void, WireClosed> = Effect.gen(function*() {
    while (!hasRoom()) {
      if (ended !== undefined) return yield* ended
      yield* Effect.sleep(drainPollMillis)
    }
  })

  const arrival = Effect.callback<NonEmptyReadonlyArray<Frame.Frame>, WireClosed>((resume) => {
    puller = resume
    return Effect.sync(() => {
      puller = undefined
    })
  })

  const terminate = () => {
    forget()
    socket.close()
    finish(WireClosed.of({ by: "local", code: 1006, reason: "terminated" }), false)
  }

  const wire: Wire = {
    pull: Effect.suspend(() => take() ?? arrival),
    ready,
    write: (frame) => {
      if (ended !== undefined || socket.readyState !== open) return false
      socket.send(typeof frame === "string" || isOwn(frame) ? frame : new Uint8Array(frame))
      return true
    },
    ping: Effect.callback<never, WireClosed>((resume) => {
      if (ended !== undefined) return resume(Effect.fail(ended))
      pingers.add(resume)
      return Effect.sync(() => {
        pingers.delete(resume)
      })
    }),
    close: (code, reason) =>
      Effect.suspend(() => {
        if (clean !== undefined) return Effect.succeed({ clean })
        const text = cut(reason, closeReasonBytes)
        socket.close(sentCode(code), text) // a code that nobody may send is a defect
        closing ??= WireClosed.of({ by: "local", code, reason: text })
        return Effect.callback<{ readonly clean: boolean }>((resume) => void closers.add(resume))
      }),
    terminate: Effect.sync(terminate),
    bufferedBytes: () => socket.bufferedAmount,
    paused: () => false
  }

  const forget = () => {
    socket.removeEventListener("open", onOpen)
    socket.removeEventListener("error", outcome.failed)
    socket.removeEventListener("close", onClose)
  }

  socket.binaryType = "arraybuffer"
  socket.addEventListener("open", onOpen)
  socket.addEventListener("message", onMessage)
  socket.addEventListener("error", outcome.failed)
  socket.addEventListener("close", onClose)
  return { release: terminate }
}

/** Whether it is an `ArrayBuffer`, also one of another realm (a frame, a test's sandbox). */
const isBuffer = (data: unknown): data is ArrayBuffer => Object.prototype.toString.call(data) === "[object ArrayBuffer]"

/** Whether the bytes are in memory that is not shared; a WebSocket takes no other. */
const isOwn = (bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> => isBuffer(bytes.buffer)

/** The text's longest beginning of at most so many bytes of UTF-8. */
const cut = (text: string, bytes: number): string => {
  let kept = ""
  let left = bytes
  for (const character of text.toWellFormed()) {
    const point = character.codePointAt(0) ?? 0
    left -= point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
    if (left < 0) break
    kept += character
  }
  return kept
}
