/**
 * A WebSocket server for the benchmarks, run as a process of its own: it accepts
 * everybody, sends nothing, and on the message `drop` resets every connection.
 */
import { WebSocketServer } from "ws"

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false, backlog: 4_096 })
server.on("listening", () => {
  const address = server.address()
  process.send?.({ url: `ws://127.0.0.1:${typeof address === "object" ? address?.port : ""}` })
})
server.on("connection", (socket, request) => {
  request.socket.setNoDelay(true)
  socket.on("error", () => {})
})
process.on("message", (message) => {
  if (message === "drop") { for (const socket of server.clients) socket.terminate() }
})
process.on("disconnect", () => process.exit(0))
// Never outlives a run that lost its parent.
setTimeout(() => process.exit(0), 300_000).unref()
