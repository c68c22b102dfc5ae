import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import type { AddressInfo } from "node:net"
import { type WebSocket, WebSocketServer } from "ws"

/** A server that answers no ping by itself. */
const serve = (accept: (ws: WebSocket) => void) =>
  Effect.acquireRelease(
    Effect.callback<WebSocketServer>((resume) => {
      const server = new WebSocketServer({ host: "127.0.0.1", port: 0, autoPong: false })
      server.on("connection", accept)
      server.on("listening", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        for (const client of server.clients) client.terminate()
        server.close()
      })
  ).pipe(Effect.map((server) => `ws://127.0.0.1:${(server.address() as AddressInfo).port}`))

const policy: ConnectionPolicy.ConnectionPolicy = {
  ...Presets.fast,
  circuit: "none",
  heartbeat: { interval: Duration.millis(50), timeout: Duration.millis(100), onMiss: "close" }
}

describe("KeepAlive over real sockets", () => {
  it.live("empty pongs are no answers, and data in their stead is: only a silent link is dropped", () =>
    Effect.gen(function*() {
      let pings = 0
      let speaking: NodeJS.Timeout | undefined
      const url = yield* serve((ws) => {
        clearInterval(speaking)
        speaking = setInterval(() => ws.send("data"), 10)
        ws.on("ping", () => {
          if (++pings === 5) clearInterval(speaking)
          ws.pong("")
        })
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(speaking)))
      const connection = yield* Connection.connect(url)
      const missed = Effect.map(connection.metrics, ({ failures }) => failures.HeartbeatMissed ?? 0)
      yield* Effect.repeat(Effect.delay(missed, 5), { until: (count) => count > 0 })
      // Four pings were outlived by data; after the fifth came nothing but its empty pong.
      assert.isAtLeast(pings, 5)
    }).pipe(
      Effect.provide([Reconnection.layerWithBreaker(policy), NodeTransport.layer]),
      Effect.provideService(References.MinimumLogLevel, "None")
    ))
})
