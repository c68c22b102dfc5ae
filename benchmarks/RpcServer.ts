/**
 * A JSON-RPC server for the benchmarks, run as a process of its own: each call
 * is answered with its own parameters, by its id and at once.
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
  socket.on("message", (data) => {
    const { id, params } = JSON.parse(String(data)) as { id: number; params: unknown }
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: params }))
  })
})
process.on("disconnect", () => process.exit(0))
// Never outlives a run that lost its parent.
setTimeout(() => process.exit(0), 300_000).unref()
