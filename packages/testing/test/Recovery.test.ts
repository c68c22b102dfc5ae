import { assert, describe, it } from "@effect/vitest"
import * as ReconnectingStream from "@tickline/core/market/ReconnectingStream"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { connected, dialTimes, settle, withVenue } from "./Rig.ts"

// Hundreds of dials at the most.
const millisOf = (name: Presets.PresetName): number => name === "test" ? 5_000 : 3_600_000

// A connection that drops at once and is refused from then on: when it is dialled, and how it ends.
const ofConnection = (name: Presets.PresetName) =>
  withVenue(name, ({ host }) =>
    Effect.gen(function*() {
      const { connection } = yield* connected()
      yield* host.otherwise({ _tag: "Refuse" })
      yield* host.drop
      yield* TestClock.adjust(millisOf(name))
      const state = yield* connection.state.current
      return { dials: dialTimes(host), ended: state._tag === "Failed" ? state.error._tag : "goes on" }
    }))

// The same of a source that brings its own connection.
const ofStream = (name: Presets.PresetName) =>
  Effect.gen(function*() {
    const dials: Array<number> = []
    const stream = yield* ReconnectingStream.make<never, { readonly _tag: "Refused" }>({
      exchangeName: "source",
      connect: Effect.flatMap(Clock.currentTimeMillis, (at) => {
        dials.push(at)
        return dials.length === 1 ? Effect.void : Effect.fail({ _tag: "Refused" })
      }),
      subscribe: () => Effect.void,
      nextEvent: Effect.succeed(Option.some({ _tag: "Disconnected", reason: "dropped" }))
    }, Presets.preset(name))
    yield* stream.connect
    const reading = yield* Effect.forkChild(Effect.flip(stream.nextEvent))
    yield* settle
    yield* TestClock.adjust(millisOf(name))
    const exit = reading.pollUnsafe()
    return { dials, ended: exit === undefined ? "goes on" : (yield* Fiber.join(reading))._tag }
  })

describe("Recovery", () => {
  for (const name of Presets.presetNames.filter((name) => name !== "recommended")) {
    it.effect(`${name}: a connection and a source of one's own come back at the same times`, () =>
      Effect.gen(function*() {
        const connection = yield* ofConnection(name)
        const begun = yield* Clock.currentTimeMillis
        const stream = yield* ofStream(name)
        assert.isAbove(connection.dials.length, 3)
        assert.deepStrictEqual(stream.dials.map((at) => at - begun), connection.dials)
        assert.strictEqual(stream.ended, connection.ended)
      }))
  }
})
