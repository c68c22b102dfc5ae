import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as SteppedClock from "@tickline/testing/SteppedClock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type * as InboxItems from "../../../core/src/connection/internal/inboxItems.ts"
import { policyWith, settle, url, withVenue } from "../Rig.ts"

/**
 * What a consumer that stands still after its first message is told that it
 * missed of the messages, each sent after so many seconds of the wall clock:
 * set back by hand where they are negative.
 */
const missed = (overflow: "drop-oldest" | "conflate", after: ReadonlyArray<readonly [seconds: number, text: string]>) =>
  withVenue(policyWith({}), ({ host }) =>
    Effect.gen(function*() {
      const connection = yield* Connection.make<string>(url, {
        decode: (frame) => [String(frame)],
        keyOf: (text) => text.split(" ")[0]
      })
      const gate = yield* Deferred.make<void>()
      const found: Array<InboxItems.Missed> = []
      yield* connection.inbound({ overflow, bytes: 750 }).pipe(
        Stream.runForEach((item) =>
          Effect.suspend(() => {
            if (item._tag === "Missed") found.push(item)
            return item._tag === "Batch" ? Deferred.await(gate) : Effect.void
          })
        ),
        Effect.forkChild
      )
      yield* settle
      yield* connection.connect
      const [peer] = host.peers()
      yield* peer!.send("first")
      yield* settle
      for (const [seconds, text] of after) {
        if (seconds < 0) yield* SteppedClock.step(`${seconds} seconds`)
        else yield* TestClock.adjust(`${seconds} seconds`)
        yield* peer!.send(text)
        yield* settle
      }
      yield* Deferred.succeed(gate, void 0)
      yield* settle
      return found.map(({ from, messages, to }) => ({ messages, from, to }))
    })).pipe(Effect.provide(SteppedClock.layer))

describe("What a consumer missed", () => {
  it.effect("is told with when the first and the last of it came", () =>
    Effect.gen(function*() {
      // Three fill the queue.
      const told = yield* missed("drop-oldest", [[10, "a"], [10, "b"], [10, "c"], [10, "d"], [10, "e"], [10, "f"]])
      assert.deepStrictEqual(told, [{ messages: 3, from: 10_000, to: 30_000 }])
    }))

  it.effect("is told from the earliest to the latest where the wall clock was set back", () =>
    Effect.gen(function*() {
      const told = yield* missed("drop-oldest", [[100, "a"], [10, "b"], [-60, "c"], [10, "d"], [10, "e"], [10, "f"]])
      assert.deepStrictEqual(told, [{ messages: 3, from: 50_000, to: 110_000 }])
    }))

  it.effect("is told as one where what came before it is superseded later", () =>
    Effect.gen(function*() {
      const told = yield* missed("conflate", [[10, "a 1"], [10, "b 1"], [10, "b 2"], [10, "b 3"], [10, "a 2"]])
      assert.deepStrictEqual(told, [{ messages: 3, from: 10_000, to: 30_000 }])
    }))

  it.effect("is nothing of the newest of each key within 64 KiB, and the oldest of them from there on", () =>
    Effect.gen(function*() {
      // Each weighs 1 KiB: its bytes and a share of 256.
      const keys = (many: number) => Array.from({ length: many }, (_, i) => [0, `${i} `.padEnd(768, ".")] as const)
      assert.deepStrictEqual(yield* missed("conflate", keys(63)), [])
      assert.deepStrictEqual(yield* missed("conflate", keys(64)), [{ messages: 9, from: 0, to: 0 }])
    }))

  it.effect("is left out of a stream of messages, which goes on after it", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url)
        const gate = yield* Deferred.make<void>()
        const read: Array<unknown> = []
        yield* connection.messages({ overflow: "drop-oldest", bytes: 750 }).pipe(
          Stream.runForEach((message) =>
            Effect.suspend(() => {
              read.push(message)
              return Deferred.await(gate)
            })
          ),
          Effect.forkChild
        )
        yield* settle
        const [peer] = host.peers()
        for (const text of ["first", "a", "b", "c", "d"]) yield* Effect.andThen(peer!.send(text), settle)
        yield* Deferred.succeed(gate, void 0)
        yield* settle
        assert.deepStrictEqual(read, ["first", "b", "c", "d"])
      })))
})
