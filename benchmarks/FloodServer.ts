/**
 * A WebSocket server for the benchmarks, run as a process of its own: after the
 * client's first message it sends frames, either as many as the socket takes
 * (`flood`) or one by one at a fixed rate (`pace`), and then closes. With
 * `many` they are of a thousand products, in turn.
 *
 * The frames are encoded once; a client is to be measured, not the server.
 */
import { WebSocketServer } from "ws"
import * as Frames from "./Frames.ts"

const encode = (text: string): Buffer => {
  const payload = Buffer.from(text)
  const head = payload.length < 126
    ? Buffer.from([0x81, payload.length])
    : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([head, payload])
}

// About 64 KiB a write: what a kernel hands over at once.
const perChunk = 200
const framesOf = (products: number) => {
  const encoded = Frames.coinbaseMatches(1_000, 1, Frames.products(products)).map(encode)
  const chunks = Array.from(
    { length: encoded.length / perChunk },
    (_, i) => Buffer.concat(encoded.slice(i * perChunk, (i + 1) * perChunk))
  )
  return { encoded, chunks }
}
const frames = { one: framesOf(1), many: framesOf(1_000) }

const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
server.on("listening", () => {
  const address = server.address()
  process.send?.({ url: `ws://127.0.0.1:${typeof address === "object" ? address?.port : ""}` })
})

server.on("connection", (socket, request) => {
  const query = new URL(request.url ?? "/", "ws://localhost").searchParams
  const total = Number(query.get("count"))
  const perSecond = Number(query.get("rate"))
  const { chunks, encoded } = query.has("many") ? frames.many : frames.one
  const tcp = request.socket
  tcp.setNoDelay(true)
  let started = false
  socket.on("message", () => {
    if (started) return
    started = true
    let sent = 0
    if (perSecond === 0) {
      const flood = (): void => {
        while (sent < total) {
          const chunk = chunks[(sent / perChunk) % chunks.length]!
          sent += perChunk
          if (!tcp.write(chunk)) {
            tcp.once("drain", flood)
            return
          }
        }
      }
      flood()
      return
    }
    const begun = performance.now()
    const pace = (): void => {
      if (tcp.destroyed) return
      const due = Math.min(total, Math.floor((performance.now() - begun) / 1_000 * perSecond))
      for (let burst = 0; sent < due && burst < 4; burst++) tcp.write(encoded[sent++ % encoded.length]!)
      if (sent < total) setImmediate(pace)
    }
    pace()
  })
  socket.on("error", () => {})
})

process.on("disconnect", () => process.exit(0))
// Never outlives a run that lost its parent.
setTimeout(() => process.exit(0), 300_000).unref()
