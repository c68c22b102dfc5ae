import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import { type DialRequest, Transport } from "@tickline/core/transport/Transport"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { type Behaviour, behaviours, type Harness, type Peer, type Upgrade } from "./behaviours/ConnectionBehaviour.ts"

const upgradeOf = (request: DialRequest): Upgrade => ({
  url: request.url,
  header: (name) => {
    const key = Object.keys(request.headers).find((key) => key.toLowerCase() === name.toLowerCase())
    const value = key === undefined ? undefined : request.headers[key]
    return Redacted.isRedacted(value) ? Redacted.value(value) : value
  }
})

const onVirtualNetwork = (policy: ConnectionPolicy.ConnectionPolicy, behaviour: Behaviour) =>
  Effect.gen(function*() {
    const network = yield* VirtualNetwork.make({ seed: 1, latency: 1 })
    const upgrades: Array<Upgrade> = []
    const peers: Array<Peer> = []
    const host = yield* network.serve("ws://venue.test", (peer) =>
      Effect.gen(function*() {
        let code: number | undefined
        peers.push({
          send: peer.send,
          received: peer.received,
          close: peer.close,
          drop: peer.drop,
          freeze: peer.freeze,
          closedWith: () => code
        })
        yield* peer.ended.pipe(
          Effect.map((ended) => {
            code = ended.code
          }),
          Effect.uninterruptible
        )
      }))
    const harness: Harness = {
      url: "ws://venue.test",
      upgrades,
      peers,
      mood: (mood) =>
        host.otherwise((request) => {
          const upgrade = upgradeOf(request)
          const refuses = typeof mood !== "function" && mood._tag === "Refuse"
          if (!refuses) upgrades.push(upgrade)
          return typeof mood === "function" ? mood(upgrade) : mood
        }),
      until: (condition) =>
        Effect.gen(function*() {
          yield* TestClock.adjust(0)
          for (let n = 0; !condition(); n++) {
            if (n === 5000) assert.fail("did not happen within 5 s of virtual time")
            yield* TestClock.adjust(1)
          }
        }),
      wait: TestClock.adjust,
      took: (millis, expected) => assert.strictEqual(millis, expected)
    }
    yield* harness.mood({ _tag: "Accept" })
    yield* Effect.scoped(behaviour(harness)).pipe(
      Effect.provide(Reconnection.layerWithBreaker(policy)),
      Effect.provideService(Transport, network.transport)
    )
  })

describe("A connection over the virtual network", () => {
  for (const { name, policy, run } of behaviours) it.effect(name, () => onVirtualNetwork(policy, run))
})
