/**
 * The transport over the `ws` package.
 *
 * Messages are collected as they are read and handed over whole batches at a
 * time; reading stops while more than `inboundBytes` wait; a handshake that
 * was refused keeps its status and its `Retry-After`. What it can and cannot
 * promise is written at the port, `Transport` in `@tickline/core`.
 *
 * @since 0.1.0
 */
import * as Address from "@tickline/core/transport/Address"
import {
  BadUrl,
  DialError,
  type DialReason,
  HandshakeRejected,
  NotResolved,
  Refused,
  TlsFailed,
  Unreachable
} from "@tickline/core/transport/DialError"
import type { Frame } from "@tickline/core/transport/Frame"
import {
  type Capabilities,
  type DialRequest,
  Transport,
  type Wire,
  WireClosed
} from "@tickline/core/transport/Transport"
import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { IncomingMessage } from "node:http"
import type { ConnectionOptions } from "node:tls"
import { type ClientOptions, type RawData, WebSocket } from "ws"

/**
 * What can be set for all dials of a transport.
 *
 * - `sendBufferBytes`: bytes waiting in the socket above which a wire is not
 *   `ready` for the next message. Default 1 MiB.
 * - `ca`: certificate authorities (PEM) to trust instead of Node's own, for
 *   venues behind a private one. Verification itself cannot be turned off.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly sendBufferBytes?: number | undefined
  readonly ca?: string | ReadonlyArray<string> | undefined
}

const capabilities: Capabilities = { headers: true, ping: true, pause: true, handshakeStatus: true }

/**
 * How long `ws` lets a peer keep the TCP connection open after the closing
 * handshake began, before it cuts it. RFC 6455 §7.1.1 leaves the time to the
 * client. It is a guard only: longer than the graceful close of `Connection`
 * (2 s), which has its own deadline.
 */
const lingerMillis = 3_000

/** A `Retry-After` is obeyed up to a day; what asks for more is taken for a mistake. */
const retryAfterCapMillis = 86_400_000

/** RFC 6455 §5.5: a control frame carries 125 bytes, two of which are the close code. */
const closeReasonBytes = 123

/**
 * Makes the transport.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): Transport["Service"] => ({
  capabilities,
  dial: (request) => dial(request, options)
})

/**
 * The transport over `ws` with its defaults.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Transport> = Layer.succeed(Transport, make())

/**
 * The transport over `ws` with options.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWith = (options: Options): Layer.Layer<Transport> => Layer.succeed(Transport, make(options))

const dial = (request: DialRequest, options: Options): Effect.Effect<Wire, DialError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) => {
    const target = targetOf(request)
    if (Result.isFailure(target)) return Effect.fail(target.failure)
    // Outside of the interruptible part, so that an interruption between the
    // open socket and its finaliser cannot lose it.
    let line: Line | undefined
    const release = Effect.sync(() => line?.release())
    const opening = Clock.clockWith((clock) =>
      Effect.callback<Line, DialError>((resume) => {
        const started = Result.try({
          try: () => start(target.success, request, options),
          catch: () =>
            new DialError({
              url: target.success.shown,
              reason: new BadUrl({ detail: "a header or subprotocol holds characters that HTTP does not allow" })
            })
        })
        if (Result.isFailure(started)) return resume(Effect.fail(started.failure))
        const ws = started.success
        const fail = (reason: DialReason) => resume(Effect.fail(new DialError({ url: target.success.shown, reason })))
        ws.once("unexpected-response", (_, response) => fail(rejection(response, clock.currentTimeMillisUnsafe())))
        ws.once("error", (error) => fail(reasonOf(error, target.success.url.protocol === "wss:")))
        ws.once("close", () => fail(new Unreachable({ detail: "closed before the handshake ended" })))
        const opened = makeLine(ws, request, options.sendBufferBytes ?? 1_048_576)
        ws.once("open", () => resume(Effect.succeed(opened)))
        line = opened
      })
    )
    return restore(opening).pipe(
      Effect.onError(() => release),
      Effect.tap(() => Effect.addFinalizer(() => release)),
      Effect.map(({ wire }) => wire)
    )
  })

interface Target {
  readonly url: URL
  readonly shown: string
  readonly headers: Record<string, string>
}

/** Checks the URL, and that no secret would travel in the clear. */
const targetOf = (request: DialRequest): Result.Result<Target, DialError> => {
  const refuse = (detail: string) =>
    Result.fail(new DialError({ url: Address.shown(request.url), reason: new BadUrl({ detail }) }))
  const url = URL.parse(request.url)
  if (url === null) return refuse("not a URL with a host")
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    return refuse(`the scheme is ${url.protocol.slice(0, -1)}, expected ws or wss`)
  }
  if (url.hash !== "") return refuse("it holds a fragment")
  const headers: Record<string, string> = {}
  let secret = url.username !== "" || url.password !== ""
  for (const [name, value] of Object.entries(request.headers)) {
    if (Redacted.isRedacted(value)) secret = true
    headers[name] = typeof value === "string" ? value : Redacted.value(value)
  }
  const host = url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname
  if (secret && url.protocol === "ws:" && !isLoopback(host) && !request.plaintextHosts.includes(host)) {
    return refuse(`a secret would travel to ${host} unencrypted: use wss, or allow the host by name`)
  }
  return Result.succeed({ url, shown: Address.shown(request.url), headers })
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127(\.\d+){3}$/.test(host)

const start = (target: Target, request: DialRequest, options: Options): WebSocket => {
  // `@types/ws` knows neither the TLS options, which `ws` passes on, nor `closeTimeout`.
  const settings: ClientOptions & Pick<ConnectionOptions, "ALPNProtocols"> & { closeTimeout: number } = {
    headers: target.headers,
    perMessageDeflate: request.deflate,
    maxPayload: request.maxMessageBytes,
    skipUTF8Validation: false,
    followRedirects: false,
    closeTimeout: lingerMillis,
    ALPNProtocols: ["http/1.1"]
  }
  if (options.ca !== undefined) settings.ca = typeof options.ca === "string" ? options.ca : [...options.ca]
  return new WebSocket(target.url, [...request.protocols], settings)
}

interface Line {
  readonly wire: Wire
  /** Ends the wire at once and forgets the socket. */
  readonly release: () => void
}

type Resume<A, E = never> = (effect: Effect.Effect<A, E>) => void

const makeLine = (ws: WebSocket, request: DialRequest, sendBufferBytes: number): Line => {
  let frames: Array<Frame> = []
  let bytes = 0
  let paused = false
  let closing: WireClosed | undefined
  let ended: WireClosed | undefined
  let clean: boolean | undefined
  let puller: Resume<NonEmptyReadonlyArray<Frame>, WireClosed> | undefined
  let waking = false
  let pings = 0
  const pongs = new Map<string, Resume<void, WireClosed>>()
  const writers = new Set<Resume<void, WireClosed>>()
  const closers = new Set<Resume<{ readonly clean: boolean }>>()

  const resumeReading = () => {
    if (!paused) return
    paused = false
    ws.resume()
  }

  const take = (): Effect.Effect<NonEmptyReadonlyArray<Frame>, WireClosed> | undefined => {
    const batch = frames
    if (isReadonlyArrayNonEmpty(batch)) {
      frames = []
      bytes = 0
      resumeReading()
      return Effect.succeed(batch)
    }
    return ended === undefined ? undefined : Effect.fail(ended)
  }

  // Runs when the socket's read callback has returned: all messages of one
  // read (64 KiB, hundreds of frames under load) cost one wake, and a lone
  // message does not wait for the rest of the event loop's turn.
  const wake = () => {
    waking = false
    if (puller === undefined) return
    const batch = take()
    if (batch === undefined) return
    const resume = puller
    puller = undefined
    resume(batch)
  }

  const wakeSoon = () => {
    if (puller === undefined || waking) return
    waking = true
    process.nextTick(wake)
  }

  const end = (closed: WireClosed) => {
    if (ended !== undefined) return
    ended = closed
    ws.off("message", onMessage)
    wakeSoon()
    for (const resume of pongs.values()) resume(Effect.fail(closed))
    pongs.clear()
    for (const resume of writers) resume(Effect.fail(closed))
    writers.clear()
  }

  const settle = (value: boolean) => {
    if (clean !== undefined) return
    clean = value
    for (const resume of closers) resume(Effect.succeed({ clean: value }))
    closers.clear()
  }

  const onMessage = (data: RawData, isBinary: boolean) => {
    if (!Buffer.isBuffer(data)) return // never: "nodebuffer" is the binary type
    // Nobody waits for what comes while we close: beyond the bound it is let go.
    if (closing !== undefined && bytes >= request.inboundBytes) return
    bytes += data.length
    // A binary message is copied: it is a view of the buffer of a whole read.
    frames.push(isBinary ? new Uint8Array(data) : data.toString())
    if (puller !== undefined && !waking) {
      waking = true
      process.nextTick(wake)
    }
    if (bytes >= request.inboundBytes && !paused && closing === undefined) {
      paused = true
      ws.pause()
    }
  }

  const onPong = (data: Buffer) => {
    const payload = data.toString("latin1")
    const resume = pongs.get(payload)
    if (resume === undefined) return
    pongs.delete(payload)
    resume(Effect.void)
  }

  const onError = (error: Error) => {
    const code = codeOf(error)
    end(
      code.startsWith("WS_ERR_")
        ? new WireClosed({
          by: "local",
          code: protocolCodes[code] ?? 1002,
          reason: protocolCodes[code] === 1009 ? `message over ${request.maxMessageBytes} bytes` : error.message
        })
        : new WireClosed({ by: "network", code: 1006, reason: code })
    )
  }

  const onClose = (code: number, reason: Buffer) => {
    end(
      closing ??
        new WireClosed({ by: code === 1006 ? "network" : "peer", code, reason: reason.toString() })
    )
    settle(code !== 1006)
  }

  const hasRoom = () => ws.readyState === WebSocket.OPEN && ws.bufferedAmount <= sendBufferBytes

  // One listener for all writes, so that they cost no closure. Each writer
  // that it wakes may fill the buffer again.
  const onSent = () => {
    if (writers.size === 0) return
    for (const resume of writers) {
      if (!hasRoom()) return
      writers.delete(resume)
      resume(Effect.void)
    }
  }

  ws.on("message", onMessage)
  ws.on("pong", onPong)
  ws.on("error", onError)
  ws.on("close", onClose)

  const arrival = Effect.callback<NonEmptyReadonlyArray<Frame>, WireClosed>((resume) => {
    puller = resume
    return Effect.sync(() => {
      puller = undefined
    })
  })

  const room = Effect.callback<void, WireClosed>((resume) => {
    if (ended !== undefined) return resume(Effect.fail(ended))
    writers.add(resume)
    return Effect.sync(() => {
      writers.delete(resume)
    })
  })

  const terminate = (): void => {
    end(new WireClosed({ by: "local", code: 1006, reason: "terminated" }))
    settle(false)
    ws.terminate()
  }

  const wire: Wire = {
    pull: Effect.suspend(() => take() ?? arrival),
    ready: Effect.suspend(() => writers.size === 0 && hasRoom() ? Effect.void : room),
    write: (frame) => {
      if (ended !== undefined || ws.readyState !== WebSocket.OPEN) return false
      ws.send(frame, onSent)
      return true
    },
    ping: Effect.callback<void, WireClosed>((resume) => {
      if (ended !== undefined) return resume(Effect.fail(ended))
      const payload = String(++pings)
      pongs.set(payload, resume)
      if (ws.readyState === WebSocket.OPEN) ws.ping(payload)
      return Effect.sync(() => {
        pongs.delete(payload)
      })
    }),
    close: (code, reason) =>
      Effect.suspend(() => {
        if (clean !== undefined) return Effect.succeed({ clean })
        const text = cut(reason, closeReasonBytes)
        ws.close(code, text) // a code that no endpoint may send (RFC 6455 §7.4) is a defect
        closing ??= new WireClosed({ by: "local", code, reason: text })
        // The peer's close frame may be behind what waits to be read.
        resumeReading()
        return Effect.callback<{ readonly clean: boolean }>((resume) => {
          closers.add(resume)
          return Effect.sync(() => {
            closers.delete(resume)
          })
        })
      }),
    terminate: Effect.sync(terminate),
    bufferedBytes: () => ws.bufferedAmount,
    paused: () => paused
  }

  return {
    wire,
    release: () => {
      terminate()
      ws.removeAllListeners()
      // An error of a socket that nobody holds any more must not end the process.
      ws.on("error", ignore)
    }
  }
}

const ignore = (): void => {}

/** The close codes that `ws` sends for what it does not accept; 1002 for the rest. */
const protocolCodes: Readonly<Record<string, number>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_INVALID_UTF8: 1007
}

/** The text's longest beginning of at most so many bytes of UTF-8. */
const cut = (text: string, bytes: number): string => {
  if (Buffer.byteLength(text) <= bytes) return text
  let end = Math.min(text.length, bytes)
  while (Buffer.byteLength(text.slice(0, end)) > bytes) end--
  return text.slice(0, end).toWellFormed()
}

const codeOf = (error: Error): string => "code" in error && typeof error.code === "string" ? error.code : ""

/** Where the failed attempt went, as Node says it: an address and port, or a host. */
const placeOf = (error: Error): string => {
  if ("hostname" in error && typeof error.hostname === "string") return ` ${error.hostname}`
  if (!("address" in error) || typeof error.address !== "string") return ""
  return "port" in error ? ` ${error.address}:${error.port}` : ` ${error.address}`
}

const reasonOf = (error: Error, secure: boolean): DialReason => {
  // A host with several addresses fails with all their errors; a refusal says most.
  if (error instanceof AggregateError) {
    const errors = error.errors.filter((each) => each instanceof Error)
    const first = errors.find((each) => codeOf(each) === "ECONNREFUSED") ?? errors[0]
    if (first !== undefined) return reasonOf(first, secure)
  }
  const code = codeOf(error)
  const detail = `${code}${placeOf(error)}`
  // A reset is an answer as well: somebody is there and does not want the connection.
  if (code === "ECONNREFUSED" || code === "ECONNRESET") return new Refused({ detail })
  if (code === "ENOTFOUND" || code === "ENODATA" || code.startsWith("EAI_")) return new NotResolved({ detail })
  if (code.startsWith("HPE_")) return new HandshakeRejected({ status: 0, detail: "the answer is not HTTP" })
  // `ws` has no codes for an answer of 101 that is no handshake; its texts are constants.
  if (code === "") return new HandshakeRejected({ status: 101, detail: error.message })
  return secure && !networkCodes.has(code) ? new TlsFailed({ detail }) : new Unreachable({ detail })
}

/**
 * What the network itself can answer. Any other code with which a dial over
 * TLS can fail comes from OpenSSL or Node's certificate checks, and there are
 * dozens.
 */
const networkCodes: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "EADDRINUSE",
  "EACCES",
  "EPERM",
  "EINVAL",
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "ECANCELED",
  "ERR_SOCKET_CONNECTION_TIMEOUT"
])

const rejection = (response: IncomingMessage, now: number): HandshakeRejected => {
  const retryAfterMillis = retryAfter(response, now)
  const status = response.statusCode ?? 0
  return new HandshakeRejected(retryAfterMillis === undefined ? { status } : { status, retryAfterMillis })
}

/**
 * `Retry-After` (RFC 9110 §10.2.3) is seconds, or an HTTP date, which is read
 * against the answer's own `Date` where it has one, so that a wrong clock on
 * either side does not matter.
 */
const retryAfter = (response: IncomingMessage, now: number): number | undefined => {
  const value = response.headers["retry-after"]?.trim()
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1_000, retryAfterCapMillis)
  const until = httpDate(value)
  if (until === undefined) return undefined
  const from = httpDate(response.headers.date ?? "") ?? now
  return Math.min(Math.max(until - from, 0), retryAfterCapMillis)
}

const httpDate = (text: string): number | undefined => {
  if (!/^[A-Z][a-z]+,? /.test(text)) return undefined
  const millis = Date.parse(text)
  return Number.isNaN(millis) ? undefined : millis
}
