/** The state as a value and its changes. */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { policyWith, settle, url, withVenue } from "../Rig.ts"

describe("The changes of a connection's state", () => {
  it.effect("begin with the state that there is, miss none between, and end with the connection's scope", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const connection = yield* Scope.provide(Connection.make(url), scope)
        const follow = Effect.forkChild(Stream.runCollect(Stream.map(connection.state.changes, ({ _tag }) => _tag)), {
          startImmediately: true
        })
        const early = yield* follow
        yield* connection.connect
        const late = yield* follow
        yield* host.drop
        yield* TestClock.adjust("1 second")
        yield* Scope.close(scope, Exit.void)
        yield* settle
        const rest = ["Reconnecting", "Connecting", "Connected", "Closing", "Disconnected"]
        assert.deepStrictEqual(yield* Fiber.join(early), ["Disconnected", "Connecting", "Connected", ...rest])
        assert.deepStrictEqual(yield* Fiber.join(late), ["Connected", ...rest])
        assert.strictEqual((yield* connection.state.current)._tag, "Disconnected")
      })))
})
