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
import { BadUrl, DialError, type DialReason, Unreachable } from "@tickline/core/transport/DialError"
import * as Endpoint from "@tickline/core/transport/Endpoint"
import { type Capabilities, type DialRequest, Transport, type Wire } from "@tickline/core/transport/Transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { IncomingMessage } from "node:http"
import type { ConnectionOptions } from "node:tls"
import type { ClientOptions, WebSocket } from "ws"
import { reasonOf, rejection } from "./internal/dialFailure.ts"
import { LineSocket, type Resume, SocketWire } from "./internal/socketWire.ts"

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

/**
 * The most fragments of one message, and the most reads of the socket that one
 * frame may take: what is under `maxMessageBytes` may still be sent one byte at a
 * time, and each piece costs some hundred bytes. Those of `ws` 8.23.
 */
const maxFragments = 16_384
const maxBufferedChunks = 262_144

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
    const endpoint = Endpoint.check(request, capabilities)
    if (Result.isFailure(endpoint)) return Effect.fail(endpoint.failure)
    // Outside of the interruptible part, so that an interruption between the
    // open socket and its finaliser cannot lose it.
    let line: SocketWire | undefined
    const opening = Clock.clockWith((clock) =>
      Effect.callback<SocketWire, DialError>((resume) => {
        const started = Result.try({
          try: () => start(endpoint.success, request, options),
          // What Node says of it may hold the URL.
          catch: () => failed(request, new BadUrl({ detail: "Node does not take it" }))
        })
        if (Result.isFailure(started)) return resume(Effect.fail(started.failure))
        line = new SocketWire(started.success, request, options.sendBufferBytes ?? 1_048_576)
        new Opening(started.success, line, request, endpoint.success, clock, resume).listen()
      })
    )
    return restore(opening).pipe(
      Effect.onError(() => Effect.sync(() => line?.release())),
      Effect.tap(releaseWithScope)
    )
  })

const failed = (request: DialRequest, reason: DialReason): DialError =>
  new DialError({ url: Address.origin(request.url), reason })

const releaseWithScope = (line: SocketWire): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) => Scope.addFinalizer(scope, Effect.sync(() => line.release())))

const start = (endpoint: Endpoint.Endpoint, request: DialRequest, options: Options): DialSocket => {
  // `@types/ws` knows neither the TLS options, which `ws` passes on, nor the newer bounds.
  const settings: ClientOptions & Pick<ConnectionOptions, "ALPNProtocols"> & {
    closeTimeout: number
    maxFragments: number
    maxBufferedChunks: number
  } = {
    headers: { ...endpoint.headers },
    perMessageDeflate: request.deflate,
    // `ws` keeps it in 32 bits, and takes 0 for no limit.
    maxPayload: Math.min(request.maxMessageBytes, 0x7fff_ffff),
    maxFragments,
    maxBufferedChunks,
    autoPong: false,
    skipUTF8Validation: false,
    followRedirects: false,
    closeTimeout: lingerMillis,
    ALPNProtocols: ["http/1.1"]
  }
  if (options.ca !== undefined) settings.ca = typeof options.ca === "string" ? options.ca : [...options.ca]
  return new DialSocket(endpoint.url, [...endpoint.protocols], settings)
}

// A socket until it is open, or fails: the first thing that happens to it is what the dial ends with.
class Opening {
  private readonly socket: DialSocket
  private readonly line: SocketWire
  private readonly request: DialRequest
  private readonly endpoint: Endpoint.Endpoint
  private readonly clock: Clock.Clock
  private readonly resume: Resume<SocketWire, DialError>

  constructor(
    socket: DialSocket,
    line: SocketWire,
    request: DialRequest,
    endpoint: Endpoint.Endpoint,
    clock: Clock.Clock,
    resume: Resume<SocketWire, DialError>
  ) {
    this.socket = socket
    this.line = line
    this.request = request
    this.endpoint = endpoint
    this.clock = clock
    this.resume = resume
  }

  listen(): void {
    const { socket } = this
    socket.opening = this
    socket.on("unexpected-response", onRefused)
    socket.on("error", onDialError)
    socket.on("close", onDialClose)
    socket.on("open", onOpen)
  }

  opened(): void {
    // Those of the dial go with all that they hold.
    this.socket.removeAllListeners()
    this.line.listen()
    this.end(Effect.succeed(this.line))
  }

  refused(response: IncomingMessage): void {
    this.fail(rejection(response, this.request.url, this.clock.currentTimeMillisUnsafe()))
  }

  error(error: Error): void {
    this.fail(reasonOf(error, this.endpoint.isSecure))
  }

  fail(reason: DialReason): void {
    this.end(Effect.fail(failed(this.request, reason)))
  }

  private end(how: Effect.Effect<SocketWire, DialError>): void {
    this.socket.opening = undefined
    this.resume(how)
  }
}

/** A socket that knows its dial, so that all dials share their listeners. */
class DialSocket extends LineSocket {
  opening: Opening | undefined
}

const openingOf = (socket: WebSocket): Opening | undefined => socket instanceof DialSocket ? socket.opening : undefined

function onOpen(this: WebSocket): void {
  openingOf(this)?.opened()
}

function onRefused(this: WebSocket, _: unknown, response: IncomingMessage): void {
  openingOf(this)?.refused(response)
}

function onDialError(this: WebSocket, error: Error): void {
  openingOf(this)?.error(error)
}

function onDialClose(this: WebSocket): void {
  openingOf(this)?.fail(new Unreachable({ detail: "closed before the handshake ended" }))
}
