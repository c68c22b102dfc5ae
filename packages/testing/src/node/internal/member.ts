/** One client of a mock server: what it sends is heard, and what the venue says to it goes out. */
import type { Frame } from "@tickline/core/transport/Frame"
import * as Secrets from "@tickline/core/transport/Secrets"
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import type { IncomingMessage } from "node:http"
import type { WebSocket } from "ws"
import type * as VenueServer from "../../venue/VenueServer.ts"
import { Accounts, DataFaults } from "./dataFaults.ts"
import type { Journal } from "./journal.ts"
import { Line } from "./line.ts"
import type { Arrival, MockConnection } from "./model.ts"
import type { Client, Rules } from "./rules.ts"
import * as SocketServer from "./socketServer.ts"

/** Its line, how it keeps the rules, what becomes of its data, and what the venue says to it. */
export interface Member {
  readonly line: Line
  readonly client: Client
  readonly data: DataFaults
  readonly connection: MockConnection
  readonly conversation: VenueServer.Conversation
}

/** What it is part of. `leave` takes it from the members, and says whether it was one. */
export interface Options {
  readonly id: number
  readonly ws: WebSocket
  readonly request: IncomingMessage
  readonly rules: Rules
  readonly server: VenueServer.VenueServer
  readonly journal: Journal
  readonly accounts: Accounts
  readonly now: () => number
  readonly wallMillis: () => number
  readonly requireToken: Redacted.Redacted<string> | undefined
  readonly isMalformed: () => boolean
  readonly isOpen: () => boolean
  readonly drop: () => void
  readonly leave: () => boolean
  readonly after: (millis: number, run: () => void) => void
}

/** Bytes of what a client sent that are kept for a test to take. */
const keptBound = 64 * 1_048_576

/** Takes a socket that has just been upgraded. */
export const make = (options: Options): Member => {
  const { id, journal, request, rules, server, ws } = options
  const received = Effect.runSync(Queue.sliding<Frame, Cause.Done>(16_384))
  const ended = Deferred.makeUnsafe<{ readonly code: number; readonly reason: string }>()
  const line = new Line({
    id,
    ws,
    socket: request.socket,
    now: options.now,
    onSent: () => void journal.count.framesSent++
  })
  const client = rules.admit(line)
  const own = new Accounts()
  const data = new DataFaults(line, server.venue.corrupt, [options.accounts, own])
  const connection: MockConnection = {
    id,
    path: request.url ?? "/",
    token: SocketServer.tokenOf(request),
    header: (name) => {
      const value = name.toLowerCase() === "authorization" ? undefined : request.headers[name.toLowerCase()]
      return Array.isArray(value) ? value.join(", ") : value
    },
    received,
    send: (frame) => Effect.sync(() => line.send(frame)),
    drop: Effect.sync(options.drop),
    close: (code, reason) => Effect.sync(() => ws.close(code ?? 1000, reason)),
    isOpen: options.isOpen,
    ended: Deferred.await(ended),
    accounts: () => own.list()
  }
  const conversation = server.open({
    path: connection.path,
    isOpen: options.isOpen,
    send: (outgoing) => data.send(outgoing, options.isMalformed()),
    close: (code, reason) => ws.close(code, reason),
    drop: options.drop,
    after: options.after,
    onTest: () => rules.tested(client),
    onTestAnswered: () => void client.debts.delete("test")
  })

  const hears = (kind: Arrival["kind"], frame: Frame): boolean =>
    rules.hears(client, kind, frame, (text) => conversation.say({ text, data: undefined }))
  let receivedBytes = 0
  ws.on("message", (bytes, isBinary) => {
    if (!Buffer.isBuffer(bytes)) return // never: "nodebuffer" is the binary type
    const frame = isBinary ? new Uint8Array(bytes) : bytes.toString()
    journal.count.framesReceived++
    // Where nobody takes them, the frames of a client do not fill the memory.
    if (Queue.sizeUnsafe(received) === 0) receivedBytes = 0
    receivedBytes += bytes.length
    if (receivedBytes > keptBound) {
      Effect.runSync(Queue.clear(received))
      receivedBytes = bytes.length
    }
    Queue.offerUnsafe(received, frame)
    if (!hears("message", frame)) return
    conversation.receive(frame)
    if (conversation.session().channels.size > 0) client.debts.delete("subscribe")
    // Who asks and does not read the answers is not heard until it does.
    if (line.isFull() && !ws.isPaused) {
      ws.pause()
      line.socket.once("drain", () => ws.resume())
    }
  })
  ws.on("ping", (payload) => {
    if (!hears("ping", payload.toString()) || line.isSilent || server.isWithheld("heartbeat")) return
    // A client that reads none of its pongs is owed no more of them.
    if (!line.isFull()) ws.pong(payload)
  })
  ws.on("pong", (payload) => {
    if (hears("pong", payload.toString())) rules.pong(client, payload.toString())
  })
  // A client may repeat its token, in what it says of it.
  const mask = Secrets.mask(
    [connection.token, options.requireToken].flatMap((token) => token === undefined ? [] : [Redacted.value(token)])
  )
  // What `ws` ended because of what the client sent was ended by us: it says so before the socket closes.
  let refused: { readonly code: number; readonly reason: string } | undefined
  ws.on("error", (error) => {
    refused ??= refusalOf(error)
  })
  ws.on("close", (code, text) => {
    const end = refused ?? { code, reason: text.toString() }
    const reason = mask === undefined ? end.reason : mask.text(end.reason)
    // One that was dropped has left already.
    if (options.leave()) {
      journal.count.closed++
      journal.record({ _tag: "Closed", at: options.wallMillis(), connection: id, code: end.code, reason })
    }
    Queue.endUnsafe(received)
    line.end()
    conversation.ended()
    Deferred.doneUnsafe(ended, Exit.succeed({ code: end.code, reason }))
  })
  return { line, client, data, connection, conversation }
}

/** How the server ends a connection whose client sends what `ws` does not accept; nothing where the network failed. */
const refusalOf = (
  { code }: NodeJS.ErrnoException
): { readonly code: number; readonly reason: string } | undefined => {
  switch (code) {
    case "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH":
    case "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH":
      return { code: 1009, reason: "message too large" }
    case "WS_ERR_TOO_MANY_BUFFERED_PARTS":
      return { code: 1008, reason: "message in too many parts" }
    case "WS_ERR_INVALID_UTF8":
      return { code: 1007, reason: "not UTF-8" }
  }
  return code?.startsWith("WS_ERR_") ? { code: 1002, reason: "protocol error" } : undefined
}
