/** The server's side of the behaviours of a connection, over real sockets on loopback. */
import type { Frame } from "@tickline/core/transport/Frame"
import * as Effect from "effect/Effect"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import type { Duplex } from "node:stream"
import { WebSocketServer } from "ws"
import type { Harness, Mood, Peer, Upgrade } from "../../testing/test/behaviours/ConnectionBehaviour.ts"

const upgradeOf = (request: IncomingMessage): Upgrade => ({
  url: request.url ?? "",
  header: (name) => {
    const value = request.headers[name.toLowerCase()]
    return Array.isArray(value) ? value.join(", ") : value
  }
})

const frameOf = (data: Buffer, isBinary: boolean): Frame => isBinary ? new Uint8Array(data) : data.toString()

/** A server on a free port of the loopback whose socket can stop and start listening. */
export const listening = Effect.acquireRelease(
  Effect.callback<{ readonly harness: Harness; readonly stop: () => void }>((resume) => {
    const upgrades: Array<Upgrade> = []
    const peers: Array<Peer> = []
    const sockets = new Set<Socket>()
    const http = createServer()
    const ws = new WebSocketServer({ noServer: true, perMessageDeflate: false })
    let port = 0
    let mood: Mood | ((upgrade: Upgrade) => Mood) = { _tag: "Accept" }

    const accept = (request: IncomingMessage, socket: Socket, head: Buffer) =>
      ws.handleUpgrade(request, socket, head, (peer) => {
        const received: Array<Frame> = []
        let closed: number | undefined
        peer.on("error", () => {})
        peer.on("message", (data: Buffer, isBinary) => received.push(frameOf(data, isBinary)))
        peer.on("close", (code) => {
          closed = code
        })
        peers.push({
          send: (...frames) => Effect.sync(() => frames.forEach((frame) => peer.send(frame))),
          received,
          close: (code, reason) => Effect.sync(() => peer.close(code, reason)),
          drop: Effect.sync(() => socket.resetAndDestroy()),
          freeze: Effect.sync(() => socket.pause()),
          closedWith: () => closed
        })
      })

    http.on("connection", (socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => sockets.delete(socket))
    })
    http.on("upgrade", (request, duplex: Duplex, head) => {
      // An HTTP server's upgraded stream is its TCP socket.
      const socket = duplex as Socket
      const upgrade = upgradeOf(request)
      upgrades.push(upgrade)
      const now = typeof mood === "function" ? mood(upgrade) : mood
      if (now._tag === "Accept") accept(request, socket, head)
      if (now._tag === "Reject") {
        const wait = now.retryAfterMillis === undefined ? "" : `Retry-After: ${now.retryAfterMillis / 1000}\r\n`
        socket.end(`HTTP/1.1 ${now.status} No\r\n${wait}Content-Length: 0\r\nConnection: close\r\n\r\n`)
      }
    })

    const pause = (millis: number) => Effect.sleep(millis)
    http.listen(0, "127.0.0.1", () => {
      // A TCP server's address is an object.
      port = (http.address() as AddressInfo).port
      const harness: Harness = {
        url: `ws://127.0.0.1:${port}`,
        upgrades,
        peers,
        mood: (next) =>
          Effect.callback<void>((done) => {
            mood = next
            const refuses = typeof next !== "function" && next._tag === "Refuse"
            if (refuses && http.listening) http.close()
            if (refuses || http.listening) done(Effect.void)
            else http.listen(port, "127.0.0.1", () => done(Effect.void))
          }),
        until: (condition) =>
          Effect.gen(function*() {
            while (!condition()) yield* pause(1)
          }),
        wait: pause,
        // On the real clock only order and outcome are asserted: a busy machine is late where it likes.
        took: () => {}
      }
      resume(Effect.succeed({
        harness,
        stop: () => {
          if (http.listening) http.close()
          for (const socket of sockets) socket.destroy()
        }
      }))
    })
  }),
  ({ stop }) => Effect.sync(stop)
)
