import { Channel, ConnectionPolicy, MarketFeed, Reconnection, Transport, Venues } from "@tickline/core"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import { Effect, Logger, Stream } from "effect"
import { giants, lists, numbered } from "../../core/test/Fuzz.giants.ts"
const url = "ws://venue.test"
for (const venue of Venues.all) {
  if (process.argv[2] && venue.name !== process.argv[2]) continue
  const program = Effect.gen(function*() {
    const network = yield* VirtualNetwork.make({ latency: 0 })
    const host = yield* network.serve(url)
    yield* Effect.gen(function*() {
      const products = Array.from({ length: 50 }, (_, i) => `P${i}-USD`)
      const kinds = Object.values(venue.channels).filter((c) => c !== undefined)
      const feed = yield* MarketFeed.make(venue, { url, channels: products.flatMap((p) => kinds.map((k) => Channel.make(k, p))) })
      yield* Effect.forkChild(Stream.runDrain(feed.events({ overflow: "drop-oldest" })))
      yield* Effect.sleep("50 millis")
      const frames: Record<string, string> = { ...giants,
        "coinbase subs": numbered(`{"channel":"subscriptions","client_id":"","timestamp":"2025-10-28T12:00:00Z","sequence_num":1,"events":[{"subscriptions":{"market_trades":[`, (n) => `"P${n}-USD"`, `]}}]}`),
        "exchange subs": numbered(`{"type":"subscriptions","channels":[{"name":"matches","product_ids":[`, (n) => `"P${n}-USD"`, `]}]}`),
        "deribit result": numbered(`{"jsonrpc":"2.0","id":1,"result":[`, (n) => `"trades.P${n}-USD.100ms"`, `]}`),
        "generic subs": numbered(`{"type":"subscribed","product_ids":[`, (n) => `"P${n}-USD"`, `]}`),
        "allMids": numbered(`{"channel":"allMids","data":{"mids":{`, (n) => `"C${n % 4000}":"1"`, `}}}`),
        "oracle": numbered(`{"type":"channel_data","connection_id":"1","message_id":1,"channel":"v4_markets","id":"v4_markets","version":"1","contents":{"oraclePrices":{`, (n) => `"C${n % 4000}":{"oraclePrice":"1"}`, `}}}`),
      }
      for (const [i, [h, e, t]] of (lists[venue.name] ?? []).entries()) frames["list " + i] = numbered(h, () => e, t)
      const peer = host.peers()[0]!
      for (const [name, frame] of Object.entries(frames)) {
        if (frame.length > 2e6) continue
        const before = (yield* feed.connection.metrics).bytes
        const b = process.threadCpuUsage()
        yield* host.peers()[0]?.send(frame) ?? Effect.void
        let n = 0
        while ((yield* feed.connection.metrics).bytes === before && n++ < 200) yield* Effect.sleep(1)
        yield* Effect.sleep(2)
        const u = process.threadCpuUsage(b)
        const ms = (u.user + u.system) / 1000
        if (ms > 70) console.log(venue.name, name, ms.toFixed(0))
      }
    }).pipe(Effect.scoped, Effect.provide(Reconnection.layerWithBreaker({ ...ConnectionPolicy.fast, heartbeat: "none" })), Effect.provideService(Transport.Transport, network.transport))
  })
  await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(Logger.layer([]))) as any)
}
