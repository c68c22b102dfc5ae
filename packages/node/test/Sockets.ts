/** What the tests of `NodeTransport` have in common: servers of every kind, and dials to them. */
import type { DialError } from "@tickline/core/transport/DialError"
import type { Frame } from "@tickline/core/transport/Frame"
import type { DialRequest, Wire, WireClosed } from "@tickline/core/transport/Transport"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { readFileSync } from "node:fs"
import { createServer, type IncomingMessage } from "node:http"
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net"
import { type WebSocket, WebSocketServer } from "ws"

export const transport = NodeTransport.make()

export const request = (url: string, options: Partial<DialRequest> = {}): DialRequest => ({
  url,
  headers: {},
  protocols: [],
  maxMessageBytes: 10_485_760,
  inboundBytes: 1_048_576,
  deflate: false,
  plaintextHosts: [],
  ...options
})

export const dial = (url: string, options?: Partial<DialRequest>) => transport.dial(request(url, options))

export const refusal = (url: string, options?: Partial<DialRequest>) =>
  Effect.flip(Effect.scoped(dial(url, options))) satisfies Effect.Effect<DialError, Wire>

/** Listens on a free loopback port; the scope's end waits until every socket is gone. */
export const listen = <S extends Server>(server: S) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )

export const serve = (
  onConnection: (ws: WebSocket, upgrade: IncomingMessage) => void,
  options: { autoPong?: boolean } = {}
) =>
  Effect.gen(function*() {
    const http = createServer()
    const wss = new WebSocketServer({ server: http, perMessageDeflate: false, ...options })
    wss.on("connection", (ws, upgrade) => {
      ws.on("error", () => {})
      onConnection(ws, upgrade)
    })
    const port = yield* listen(http)
    return `ws://127.0.0.1:${port}`
  })

/** Answers each TCP connection with fixed bytes, or not at all. */
export const answer = (respond: (socket: Socket) => void) =>
  Effect.gen(function*() {
    const sockets = new Set<Socket>()
    const server = createTcpServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => sockets.delete(socket))
      respond(socket)
    })
    const port = yield* listen(server)
    return { port, url: `ws://127.0.0.1:${port}`, sockets }
  })

export const reply = (text: string) => answer((socket) => socket.once("data", () => socket.end(text)))

export const pullUntil = (wire: Wire, count: number) =>
  Effect.gen(function*() {
    const frames: Array<Frame> = []
    while (frames.length < count) frames.push(...yield* wire.pull)
    return frames
  })

export const pullAll = (wire: Wire) =>
  Effect.gen(function*() {
    const frames: Array<Frame> = []
    while (true) {
      const exit = yield* Effect.exit(wire.pull)
      if (Exit.isFailure(exit)) {
        return { frames, closed: yield* Effect.flip(wire.pull) }
      }
      frames.push(...exit.value)
    }
  })

export const facts = ({ by, code, reason }: WireClosed) => ({ by, code, reason })

/** Waits for an outside fact, a turn of the event loop at a time. */
export const until = (condition: () => boolean) =>
  Effect.gen(function*() {
    while (!condition()) yield* Effect.sleep(1)
  })

export const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), "utf8")
