import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import type * as Dialect from "@tickline/core/protocol/Dialect"
import type { Frame } from "@tickline/core/transport/Frame"
import * as Channel from "@tickline/core/value/Channel"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { internals } from "../../../core/src/connection/internal/connectionInternals.ts"
import { backoffOf, policyWith, settle, url, withVenue } from "../Rig.ts"

const dialect: Dialect.Dialect<Frame> = {
  subscribe: (channels) => channels.map((channel) => ({ text: "ask", channels: [channel], requestId: "1" })),
  unsubscribe: () => [],
  answer: (message) => message === "no" ? { _tag: "Refused", requestId: "1", message: "no" } : undefined
}

describe("a first message that refuses a subscription", () => {
  it.effect("resets the backoff as any other does, where the first message is what does", () =>
    withVenue(
      policyWith({
        backoff: backoffOf(1_000, 2, 8_000),
        retry: { maxRetries: "unlimited", resetOn: "first-message" }
      }),
      ({ host }) =>
        Effect.gen(function*() {
          yield* host.script({ _tag: "Refuse" })
          const connection = yield* Connection.make(url, { dialect })
          yield* connection.subscribe([Channel.make("trades", "BTC-USD")])
          yield* Effect.forkScoped(Effect.ignore(connection.connect))
          yield* TestClock.adjust("1 second")
          assert.strictEqual((yield* connection.metrics).backoffResets, 0)
          yield* host.peers()[0]!.send("no")
          yield* settle
          const standings = yield* connection[internals].subscriptionStates
          assert.deepStrictEqual(standings.map(({ standing }) => standing), ["refused"])
          assert.strictEqual((yield* connection.metrics).backoffResets, 1)
        })
    ))
})
