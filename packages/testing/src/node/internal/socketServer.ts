/** Listening on loopback: dials and what they meet, upgrades, plain HTTP, and the end of it all. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, STATUS_CODES } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws"
import type * as Fault from "../../network/Fault.ts"
import type { HttpReply } from "../../venue/internal/mockVenue.ts"
import { textOf } from "../../venue/Listing.ts"
import type { Journal } from "./journal.ts"
import type { LogEntry } from "./model.ts"

/** What the next dial meets, one entry a dial. */
export type DialFate = Extract<Fault.Action, { readonly _tag: "Refuse" | "Hang" | "Status" }>

/**
 * What a server is made of: how a plain request is answered, with which status
 * an upgrade is refused (`undefined` for none), and who takes a socket that was
 * upgraded.
 */
export interface Options {
  readonly journal: Journal
  readonly wallMillis: () => number
  readonly maxPayload: number
  readonly fateOf: () => DialFate | undefined
  readonly ask: (request: IncomingMessage, body: string, reply: HttpReply) => void
  readonly refuses: (request: IncomingMessage) => number | undefined
  readonly onOpen: (dial: number, ws: WebSocket, request: IncomingMessage) => void
}

/** A server that does not listen yet. */
export interface SocketServer {
  readonly listen: (host: string, port: number) => Effect.Effect<number, string>
  /** Stops listening, and destroys every socket. */
  readonly close: Effect.Effect<void>
}

/** The most of a body over HTTP that is read. */
const bodyBound = 65_536

const ignore = (): void => {}

export const make = (options: Options): SocketServer => {
  const { journal, wallMillis } = options
  const sockets = new Set<Socket>()
  const dials = new WeakMap<Socket, { readonly dial: number; readonly fate: DialFate | undefined }>()

  const reject = (dial: number, how: Extract<LogEntry, { _tag: "Rejected" }>["how"], status?: number): void => {
    journal.count.rejected++
    journal.record({ _tag: "Rejected", at: wallMillis(), dial, how, ...(status === undefined ? {} : { status }) })
  }

  const http = createServer((request, response) => {
    const { dial = 0, fate } = dials.get(request.socket) ?? {}
    if (fate?._tag === "Hang") {
      request.resume() // so that the client is seen to leave
      return
    }
    if (fate?._tag === "Status") {
      reject(dial, "status", fate.status)
      turnAway(request.socket, fate.status, fate.retryAfterSeconds)
      return
    }
    let body = ""
    request.setEncoding("utf8")
    request.on("error", ignore)
    request.on("data", (text: string) => {
      if (body.length < bodyBound) body += text
    })
    request.on("end", () => {
      options.ask(request, body, {
        answer: (found) => {
          if (response.destroyed) return
          response.writeHead(found.status, { ...found.headers, connection: "close" })
          response.end(textOf(found))
        },
        drop: () => void request.socket.resetAndDestroy()
      })
    })
  })

  http.on("connection", (socket: Socket) => {
    const dial = ++journal.count.dials
    sockets.add(socket)
    socket.on("error", ignore)
    socket.on("close", () => sockets.delete(socket))
    journal.record({ _tag: "Dial", at: wallMillis(), dial })
    const fate = options.fateOf()
    dials.set(socket, { dial, fate })
    if (fate?._tag === "Refuse") {
      reject(dial, "refused")
      socket.resetAndDestroy()
    } else if (fate?._tag === "Hang") reject(dial, "hung")
  })

  // `@types/ws` does not know the newer bounds.
  const settings: ServerOptions & { maxFragments: number; maxBufferedChunks: number } = {
    noServer: true,
    perMessageDeflate: false,
    maxPayload: options.maxPayload,
    maxFragments: 1_024,
    maxBufferedChunks: 65_536,
    autoPong: false
  }
  const upgrades = new WebSocketServer(settings)

  http.on("upgrade", (request, stream, head) => {
    const { dial = 0, fate } = dials.get(request.socket) ?? {}
    if (fate?._tag === "Hang") {
      stream.resume() // so that the client is seen to leave
      return
    }
    const refused = options.refuses(request)
    const status = fate?._tag === "Status" ? fate.status : refused
    if (status === undefined) {
      upgrades.handleUpgrade(request, stream, head, (ws) => options.onOpen(dial, ws, request))
      return
    }
    reject(dial, "status", status)
    turnAway(stream, status, fate?._tag === "Status" ? fate.retryAfterSeconds : undefined)
  })

  return {
    listen: (host, port) => listen(http, host, port),
    close: Effect.callback<void>((resume) => {
      http.close(() => resume(Effect.void))
      for (const socket of sockets) socket.destroy()
    })
  }
}

const turnAway = (stream: Duplex, status: number, retryAfterSeconds: number | undefined): void => {
  const retryAfter = retryAfterSeconds === undefined ? "" : `Retry-After: ${retryAfterSeconds}\r\n`
  stream.once("finish", () => stream.destroy())
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Status"}\r\n${retryAfter}` +
      "Content-Length: 0\r\nConnection: close\r\n\r\n"
  )
}

/** Gives the port, or fails with the system's code. */
const listen = (http: Server, host: string, port: number): Effect.Effect<number, string> =>
  Effect.callback<number, string>((resume) => {
    http.once("error", (error: NodeJS.ErrnoException) => resume(Effect.fail(error.code ?? error.name)))
    http.listen(port, host, () => {
      const address = http.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })

/** The headers of a request, each one text. */
export const textsOf = (headers: IncomingHttpHeaders): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => value === undefined ? [] : [[name, [value].flat().join(", ")]])
  )

const bearer = /^Bearer +(\S+)$/i

/** The bearer token of a request. */
export const tokenOf = (request: IncomingMessage): Redacted.Redacted<string> | undefined => {
  const token = bearer.exec(request.headers.authorization ?? "")?.[1]
  return token === undefined ? undefined : Redacted.make(token)
}

/** Whether the request has the token, where one is required. */
export const isAllowed = (request: IncomingMessage, required: Redacted.Redacted<string> | undefined): boolean => {
  if (required === undefined) return true
  const token = tokenOf(request)
  return token !== undefined && Redacted.value(token) === Redacted.value(required)
}
