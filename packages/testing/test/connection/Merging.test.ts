/**
 * What becomes of the items that tell a connection's life where nobody takes
 * them: up to 1,024 wait as they are, then the older half are told as one of
 * each kind.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import type * as Inbox from "@tickline/core/connection/Inbox"
import * as Channel from "@tickline/core/value/Channel"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { internals } from "../../../core/src/connection/internal/connectionInternals.ts"
import { policyWith, settle, url, withVenue } from "../Rig.ts"

/** A connection whose one consumer stands still at its first message until `rest`, which gives what it is told then. */
const still = (options: Partial<Connection.Decoding<string>> = {}) =>
  Effect.gen(function*() {
    const connection = yield* Connection.make<string>(url, { decode: (frame) => [String(frame)], ...options })
    const gate = yield* Deferred.make<void>()
    const items: Array<Inbox.Item<string>> = []
    yield* Stream.runForEach(connection.inbound(), (item) =>
      Effect.suspend(() => {
        items.push(item)
        return item._tag === "Batch" ? Deferred.await(gate) : Effect.void
      })).pipe(Effect.forkScoped({ startImmediately: true }))
    return { connection, gate, items }
  })

const waiting = <A>(
  options: Partial<Connection.Decoding<string>>,
  happen: (
    connection: Connection.Connection<string>,
    send: (...texts: ReadonlyArray<string>) => Effect.Effect<void>
  ) => Effect.Effect<A, unknown>
) =>
  withVenue(policyWith({}), ({ host }) =>
    Effect.gen(function*() {
      const { connection, gate, items } = yield* still(options)
      yield* connection.connect
      const peer = yield* host.nextPeer
      const send = (...texts: ReadonlyArray<string>) => Effect.andThen(peer.send(...texts), settle)
      yield* send("first")
      const before = items.length
      yield* happen(connection, send)
      yield* Deferred.succeed(gate, void 0)
      yield* settle
      return items.slice(before)
    }))

/** Tells of overdue channels, of which each is named by a number, silent for as long as its place says. */
const overdue = (channels: ReadonlyArray<number>) =>
  Effect.map(
    waiting({}, (connection) =>
      Effect.forEach(channels, (name, silentForMillis) =>
        connection[internals].report({
          _tag: "Overdue",
          channel: Channel.make(`c${name}`),
          step: "told",
          silentForMillis
        }))),
    (items) =>
      items.map((item) => item._tag === "Overdue" ? `${item.channel.channel} ${item.silentForMillis}` : item._tag)
  )

const times = (many: number, name: number): ReadonlyArray<number> => Array.from({ length: many }, () => name)
const upTo = (many: number): ReadonlyArray<number> => Array.from({ length: many }, (_, name) => name)

describe("Items that nobody takes", () => {
  it.effect("of one kind: the older half are told as the last of them, each time that there are too many", () =>
    Effect.gen(function*() {
      for (
        const [many, told, first, second] of [
          [1_024, 1_024, "c0 0", "c0 1"],
          // 512 as one, and the 513 after them.
          [1_025, 514, "c0 511", "c0 512"],
          // Twice what was left may wait then: 1,028.
          [1_539, 1_028, "c0 511", "c0 512"],
          [1_540, 516, "c0 1024", "c0 1025"]
        ] as const
      ) {
        const items = yield* overdue(times(many, 0))
        assert.deepStrictEqual([items.length, items[0], items[1], items.at(-1)], [
          told,
          first,
          second,
          `c0 ${many - 1}`
        ])
      }
    }))

  it.effect("of two kinds: one of each is left, where the last of it stood", () =>
    Effect.gen(function*() {
      const items = yield* overdue(Array.from({ length: 1_025 }, (_, i) => i < 500 ? i % 2 : 0))
      assert.deepStrictEqual([items.length, ...items.slice(0, 3)], [2 + 513, "c1 499", "c0 511", "c0 512"])
    }))

  it.effect("of as many kinds are all told, and twice as many may wait from then on", () =>
    Effect.gen(function*() {
      for (const many of [1_025, 2_051]) assert.lengthOf(yield* overdue(upTo(many)), many)
      const first = times(2, 0)
      // 1,025 are left of the first 1,026: 2,050 may wait, of the next the older half has the two alike.
      const many = [...first, ...upTo(1_024).map((name) => name + 1)]
      assert.lengthOf(yield* overdue([...many, ...times(1_025, 9_000)]), 2_050)
      assert.lengthOf(yield* overdue([...many, ...times(1_026, 9_000)]), 2_051)
    }))

  it.effect("gaps of the sequence: from the first to the last, with all that is missing between", () =>
    Effect.gen(function*() {
      const numbers = Array.from({ length: 1_026 }, (_, i) => String(3 * i))
      const items = yield* waiting(
        { sequence: (text) => text === "first" ? undefined : BigInt(text) },
        (_, send) => send(...numbers)
      )
      const gaps = items.filter((item) => item._tag === "SequenceGap")
      assert.strictEqual(gaps.length, 514)
      assert.deepStrictEqual(gaps.slice(0, 2).map(({ from, missing, to }) => ({ from, to, missing })), [
        { from: 0n, to: 1_536n, missing: 1_024n },
        { from: 1_536n, to: 1_539n, missing: 2n }
      ])
    }))

  it.effect("refusals: each subscription once, with its last reason", () =>
    Effect.gen(function*() {
      let asked = 0
      const items = yield* waiting(
        {
          dialect: {
            subscribe: () => [],
            unsubscribe: () => [],
            objection: ({ product = "" }) => `${product} ${asked++}`
          }
        },
        (connection) =>
          Effect.forEach(upTo(1_025), (i) => {
            const channels = [Channel.make("trades", i % 2 === 0 ? "A" : "B")]
            return Effect.andThen(connection.subscribe(channels), connection.unsubscribe(channels))
          })
      )
      const refusals = items.flatMap((item) =>
        item._tag === "Refused" ? [item.refused.map(({ reason }) => reason)] : []
      )
      assert.lengthOf(refusals, 514)
      assert.deepStrictEqual(refusals.slice(0, 2), [["A 510", "B 511"], ["A 512"]])
    }))
})
