/**
 * A WebSocket server for the benchmarks, run as a process of its own: after the
 * client's first message it sends frames, either as many as the socket takes
 * (`flood`) or one by one at a fixed rate (`pace`), and then closes. With
 * `many` they are of a thousand products, in turn.
 *
 * The frames are encoded once; a client is to be measured, not the server. Only
 * the ids of their trades, which follow each other for each product as at the
 * venue, are written anew each time: what comes twice is none of a feed's trades.
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
const perLap = 1_000
const firstId = 1_000_000_000

/** Frames, and where in them the digits of an id stand that count the laps. */
interface Chunk {
  readonly bytes: Buffer
  readonly places: ReadonlyArray<number>
}

const chunkOf = (encoded: ReadonlyArray<Buffer>, products: number): Chunk => {
  const bytes = Buffer.concat(encoded)
  const places: Array<number> = []
  // Before the frame's own number in the lap, of which there is none where each product comes once.
  const member = products === 1 ? "\"trade_id\":1" : "\"trade_id\":1000"
  for (let at = bytes.indexOf(member); at >= 0; at = bytes.indexOf(member, at + 1)) places.push(at + member.length)
  return { bytes, places }
}

/** The frames with ids of their own. */
const numbered = ({ bytes, places }: Chunk, lap: number): Buffer => {
  const own = Buffer.from(bytes)
  const digits = String(lap).padStart(6, "0")
  for (const place of places) own.write(digits, place, "latin1")
  return own
}

const framesOf = (products: number) => {
  const texts = Frames.coinbaseMatches(perLap, 1, Frames.products(products)).map((text, i) =>
    text.replace(/"trade_id":\d+/, `"trade_id":${firstId + (products === 1 ? i : 0)}`)
  )
  const encoded = texts.map(encode)
  return {
    encoded: encoded.map((frame) => chunkOf([frame], products)),
    chunks: Array.from(
      { length: encoded.length / perChunk },
      (_, i) => chunkOf(encoded.slice(i * perChunk, (i + 1) * perChunk), products)
    )
  }
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
          const chunk = numbered(chunks[(sent / perChunk) % chunks.length]!, Math.floor(sent / perLap))
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
      for (let burst = 0; sent < due && burst < 4; burst++) {
        tcp.write(numbered(encoded[sent % encoded.length]!, Math.floor(sent / perLap)))
        sent++
      }
      if (sent < total) setImmediate(pace)
    }
    pace()
  })
  socket.on("error", () => {})
})

process.on("disconnect", () => process.exit(0))
// Never outlives a run that lost its parent.
setTimeout(() => process.exit(0), 300_000).unref()
