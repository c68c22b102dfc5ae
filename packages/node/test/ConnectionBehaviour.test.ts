import { describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { type Behaviour, behaviours } from "../../testing/test/behaviours/ConnectionBehaviour.ts"
import { listening } from "./Loopback.ts"

const onNode = (policy: ConnectionPolicy.ConnectionPolicy, behaviour: Behaviour) =>
  Effect.flatMap(listening, ({ harness }) =>
    Effect.scoped(behaviour(harness)).pipe(
      Effect.provide([Reconnection.layerWithBreaker(policy), NodeTransport.layer]),
      Effect.provideService(References.MinimumLogLevel, "None")
    ))

describe("A connection over real sockets", () => {
  for (const { name, policy, run } of behaviours) it.live(name, () => onNode(policy, run))
})
