/** A WebSocket that a test plays, and the transport over it. */
import * as BrowserTransport from "@tickline/core/transport/BrowserTransport"
import type { DialRequest, WireClosed } from "@tickline/core/transport/Transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type * as BrowserSocket from "../src/transport/internal/browserSocket.ts"

export type Type = "open" | "message" | "error" | "close"

/** A WebSocket without a network: strict where the standard is, and moved by the test. */
export class PlayedSocket implements BrowserSocket.Socket {
  readonly url: string
  readonly protocols: ReadonlyArray<string>
  binaryType = "blob"
  readyState = 0
  bufferedAmount = 0
  readonly sent: Array<string | Uint8Array> = []
  readonly closed: Array<readonly [code: number | undefined, reason: string | undefined]> = []
  readonly #listeners: Array<readonly [type: Type, listener: (event: never) => void]> = []

  constructor(url: string, protocols: ReadonlyArray<string>) {
    this.url = url
    this.protocols = protocols
  }

  addEventListener(type: Type, listener: (event: never) => void): void {
    this.#listeners.push([type, listener])
  }

  removeEventListener(type: Type, listener: (event: never) => void): void {
    const index = this.#listeners.findIndex(([t, l]) => t === type && l === listener)
    if (index >= 0) this.#listeners.splice(index, 1)
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.readyState === 0) throw new Error("InvalidStateError")
    if (typeof data !== "string" && data.buffer instanceof SharedArrayBuffer) throw new TypeError("shared memory")
    this.sent.push(data)
  }

  close(code?: number, reason?: string): void {
    if (code !== undefined && code !== 1000 && (code < 3000 || code > 4999)) throw new Error("InvalidAccessError")
    if (Buffer.byteLength(reason ?? "") > 123) throw new Error("SyntaxError")
    if (this.readyState >= 2) return
    this.readyState = 2
    this.closed.push([code, reason])
  }

  get listening(): number {
    return this.#listeners.length
  }

  // What the network does. An event reaches whoever listens when it is fired.

  #fire(type: Type, event: unknown): void {
    // A copy: a listener may remove itself.
    for (const [, listener] of this.#listeners.filter(([t]) => t === type)) listener(event as never)
  }

  opens(): void {
    this.readyState = 1
    this.#fire("open", {})
  }

  brings(...data: ReadonlyArray<unknown>): void {
    for (const each of data) this.#fire("message", { data: each })
  }

  ends(code: number, reason = "", wasClean = code !== 1006): void {
    this.readyState = 3
    if (code === 1006) this.#fire("error", {})
    this.#fire("close", { code, reason, wasClean })
  }
}

/** A constructor that keeps what it made. */
export const played = (): {
  readonly Constructor: new(url: string, protocols: ReadonlyArray<string>) => PlayedSocket
  readonly sockets: Array<PlayedSocket>
} => {
  const sockets: Array<PlayedSocket> = []
  const Constructor = class extends PlayedSocket {
    constructor(url: string, protocols: ReadonlyArray<string>) {
      super(url, protocols)
      sockets.push(this)
    }
  }
  return { Constructor, sockets }
}

export const request = (options: Partial<DialRequest> = {}): DialRequest => ({
  url: "wss://venue.example/feed?key=s3cret",
  headers: {},
  protocols: [],
  maxMessageBytes: 10_485_760,
  inboundBytes: 1_048_576,
  deflate: false,
  plaintextHosts: [],
  ...options
})

/** A wire that is open, and the socket under it. */
export const opened = Effect.fnUntraced(
  function*(options?: Partial<DialRequest>, settings?: Parameters<typeof BrowserTransport.make>[1]) {
    const { Constructor, sockets } = played()
    const dialling = yield* Effect.forkChild(
      BrowserTransport.make(Constructor, settings).dial(request(options)).pipe(Scope.provide(yield* Effect.scope)),
      { startImmediately: true }
    )
    const socket = sockets[0]!
    socket.opens()
    return { socket, wire: yield* Fiber.join(dialling) }
  }
)

/** Why the dial fails, and how many sockets it made. */
export const refusal = Effect.fnUntraced(function*(options: Partial<DialRequest>) {
  const { Constructor, sockets } = played()
  const error = yield* Effect.flip(Effect.scoped(BrowserTransport.make(Constructor).dial(request(options))))
  return { error, made: sockets.length }
})

export const facts = ({ by, code, reason }: WireClosed) => ({ by, code, reason })
