/**
 * What becomes of a message that is sent while the connection is down: `now`
 * (the default, for orders) fails at once and is never written later, `keep`
 * (for what stays true) waits and is written once, on the next epoch.
 *
 * It runs on a virtual network, by the real clock.
 *
 * Run: npx -y pnpm@12 exec node examples/outbox.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Connection, Presets, Reconnection, Transport } from "@tickline/core"
import { VirtualNetwork } from "@tickline/testing"
import { Console, Effect, Logger } from "effect"

const url = "ws://venue.test"

const program = Effect.gen(function*() {
  const network = yield* VirtualNetwork.make({ latency: 5 })
  const host = yield* network.serve(url)
  yield* host.onOpen((peer) =>
    peer.onMessage((frame) => console.log(`  the venue got on connection ${peer.id}: ${frame}`))
  )

  yield* Effect.gen(function*() {
    const connection = yield* Connection.connect(url)
    const send = (message: string, delivery: "now" | "keep") =>
      Effect.matchEffect(connection.send(message, { delivery }), {
        onFailure: (error) => Console.log(`${message}: ${error.message}`),
        onSuccess: (accepted) =>
          Console.log(`${message}: ${accepted._tag === "Sent" ? `sent on epoch ${accepted.epoch}` : "kept"}`)
      })

    yield* send("buy 1 BTC", "now")
    yield* Effect.sleep("20 millis")

    yield* Console.log("the network drops")
    yield* host.drop
    yield* Effect.sleep("20 millis")
    yield* send("buy 2 BTC", "now")
    yield* send("set heartbeat 10 s", "keep")

    // The first retry of the preset `fast` comes after 100 ms.
    yield* Effect.sleep("200 millis")
    const { outbox } = yield* connection.metrics
    yield* Console.log(`${outbox.sent} sent, ${outbox.unsent} not sent, ${outbox.waiting} waiting`)
  }).pipe(
    Effect.scoped,
    Effect.provide(Reconnection.layerWithBreaker(Presets.fast)),
    Effect.provideService(Transport.Transport, network.transport)
  )
})

NodeRuntime.runMain(program.pipe(Effect.scoped, Effect.provide(Logger.layer([]))))
