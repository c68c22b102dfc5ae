/** Channels that several users want and give up while the connection drops, under many interleavings. */
import { assert } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import type { Dialect } from "@tickline/core/protocol/Dialect"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Channel from "@tickline/core/value/Channel"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { internals } from "../../../core/src/connection/internal/connectionInternals.ts"
import { actors, underSeeds, url } from "./Seeds.ts"

/** `1 + A B` asks for two products, `2 - A` gives one up; `ok 1` confirms. */
const ask = (sign: string) => (channels: ReadonlyArray<Channel.Channel>, id: number) =>
  channels.length === 0 ? [] : [{
    text: `${id} ${sign} ${channels.map(({ product }) => product).join(" ")}`,
    channels,
    requestId: String(id)
  }]

const dialect: Dialect<string> = {
  subscribe: ask("+"),
  unsubscribe: ask("-"),
  answer: (message) => ({ _tag: "Confirmed", requestId: message.slice("ok ".length) })
}

const program = Probe.scoped(Effect.gen(function*() {
  const network = yield* VirtualNetwork.Network
  const sessions = new Map<number, Set<string>>()
  const host = yield* network.serve(url)
  yield* host.onOpen((peer) => {
    const session = new Set<string>()
    sessions.set(peer.id, session)
    peer.onMessage((frame) => {
      const [id = "", sign, ...products] = String(frame).split(" ")
      for (const product of products) {
        if (sign === "+") session.add(product)
        else session.delete(product)
      }
      peer.sendUnsafe(`ok ${id}`)
    })
  })
  const connection = yield* Connection.make<string>(url, { decode: (frame) => [String(frame)], dialect })
  yield* Probe.within(connection.connect)
  const channels = (products: string) => [...products].map((product) => Channel.make("trades", product))
  const want = (products: string) => connection.subscribe(channels(products))
  const leave = (products: string) => connection.unsubscribe(channels(products))
  yield* Probe.within(actors(
    [want("A"), leave("A"), want("A"), leave("A")],
    [want("BC"), leave("C"), want("C")],
    [want("CD"), want("A"), leave("D")],
    [host.drop, host.drop]
  ))
  yield* Probe.state(connection, "Connected")
  yield* TestClock.adjust("1 minute")

  // At rest the peer's session is what is wanted, and all of it is confirmed.
  const wanted = (yield* connection.subscriptions).map(({ product }) => product ?? "").toSorted()
  const [peer] = host.peers()
  assert.deepStrictEqual([...sessions.get(peer?.id ?? 0) ?? []].toSorted(), wanted)
  const standings = yield* connection[internals].subscriptionStates
  assert.deepStrictEqual(standings.map(({ standing }) => standing), wanted.map(() => "confirmed" as const))
})).pipe(Effect.provide(Probe.layer({ policy: Presets.test, latency: { min: 0, max: 8 } })))

underSeeds("Subscriptions come to rest as they are wanted", program)
