/**
 * A server that speaks enough of Deribit for a benchmark, run as a process of
 * its own: it acknowledges each subscription, and after the first it sends trades without pause and, every
 * second, a `test_request`; it measures how long the answer takes. Tells its
 * parent the times of `count` answers in milliseconds.
 */
import { WebSocketServer } from "ws"

const count = 10

const encode = (text: string): Buffer => {
  const payload = Buffer.from(text)
  const head = payload.length < 126
    ? Buffer.from([0x81, payload.length])
    : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([head, payload])
}

const chunkOf = (channel: string): Buffer => {
  const trade = encode(JSON.stringify({
    jsonrpc: "2.0",
    method: "subscription",
    params: {
      channel,
      data: [{
        trade_seq: 30289442,
        trade_id: "48079269",
        timestamp: 1590484512188,
        tick_direction: 2,
        price: 8950,
        mark_price: 8948.9,
        instrument_name: "BTC-PERPETUAL",
        index_price: 8955.88,
        direction: "sell",
        amount: 10
      }]
    }
  }))
  return Buffer.concat(Array.from({ length: 100 }, () => trade))
}
const testRequest = encode("{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"type\":\"test_request\"}}")

const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
server.on("listening", () => {
  const address = server.address()
  process.send?.({ url: `ws://127.0.0.1:${typeof address === "object" ? address?.port : ""}` })
})

server.on("connection", (socket, request) => {
  const tcp = request.socket
  tcp.setNoDelay(true)
  const asked: Array<number> = []
  const took: Array<number> = []
  let sent = 0
  let flooding = false
  socket.on("error", () => {})
  socket.on("message", (data) => {
    const text = data.toString()
    if (text.includes("public/test\"")) {
      took.push(performance.now() - (asked.shift() ?? 0))
      if (took.length === count) {
        process.send?.({ took, sent })
        socket.close()
      }
    }
    const request = JSON.parse(text)
    if (request.method !== "public/subscribe") return
    const { channels } = request.params
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: request.id, result: channels }))
    if (flooding) return
    flooding = true
    const chunk = chunkOf(channels[0])
    const flood = (): void => {
      if (tcp.destroyed || took.length >= count) return
      sent += 100
      if (tcp.write(chunk)) setImmediate(flood)
      else tcp.once("drain", flood)
    }
    const ask = setInterval(() => {
      if (tcp.destroyed || took.length >= count) return clearInterval(ask)
      asked.push(performance.now())
      tcp.write(testRequest)
    }, 1_000)
    flood()
  })
})
process.on("disconnect", () => process.exit(0))
// Never outlives a run that lost its parent.
setTimeout(() => process.exit(0), 300_000).unref()
