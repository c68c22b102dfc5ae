import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Connection from "@tickline/core/connection/Connection"
import * as Requests from "@tickline/core/connection/Requests"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { circuitWith, policyWith, settle, url, withVenue } from "./Rig.ts"

const idOf = (frame: unknown): string | undefined =>
  typeof frame === "string" ? /^answer (\w+)/.exec(frame)?.[1] : undefined

const unreadable = new Rejection.FrameRejected({ venue: "test", reason: "MalformedJson", message: "garbled" })

const setUp = Effect.gen(function*() {
  const connection = yield* Connection.connect(url)
  const requests = yield* Requests.make(connection, idOf)
  return { connection, requests }
})

describe("Requests", () => {
  it.effect("gives each caller its own answer, in whatever order they come", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { requests } = yield* setUp
        const peer = yield* host.nextPeer
        const one = yield* Effect.forkChild(requests.request("1", "ask 1"))
        const two = yield* Effect.forkChild(requests.request("2", "ask 2"))
        yield* settle
        assert.deepStrictEqual(peer.received, ["ask 1", "ask 2"])
        yield* peer.send("news", "answer 2 b", "answer 1 a")
        yield* settle
        assert.deepStrictEqual([yield* Fiber.join(one), yield* Fiber.join(two)], ["answer 1 a", "answer 2 b"])
        assert.strictEqual(yield* requests.pending, 0)
      })))

  it.effect("refuses a live id the second time, sends nothing, and leaves the first alone", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { requests } = yield* setUp
        const peer = yield* host.nextPeer
        const first = yield* Effect.forkChild(requests.request("1", "first"))
        yield* settle
        const error = yield* Effect.flip(requests.request("1", "second"))
        assert.strictEqual(error._tag, "DuplicateRequest")
        yield* peer.send("answer 1 x")
        yield* settle
        assert.strictEqual(yield* Fiber.join(first), "answer 1 x")
        assert.deepStrictEqual(peer.received, ["first"])
      })))

  it.effect("says that the outcome is unknown when the connection drops, and that nothing was sent when it was down", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { requests } = yield* setUp
        const pending = yield* Effect.forkChild(Effect.flip(requests.request("1", "ask 1")))
        yield* settle
        yield* host.otherwise({ _tag: "Hang" })
        yield* host.drop
        yield* settle
        const dropped = yield* Fiber.join(pending)
        assert.deepInclude(dropped, { _tag: "OutcomeUnknown", reason: "dropped" })
        const refused = yield* Effect.flip(requests.request("1", "ask again"))
        assert.strictEqual(refused._tag, "NotSent")
        assert.strictEqual(yield* requests.pending, 0)
      })))

  it.effect("has a deadline for each, after which an answer is unmatched and shown", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { requests } = yield* setUp
        const peer = yield* host.nextPeer
        const late = yield* Effect.forkChild(Stream.runHead(requests.unmatched))
        const asked = yield* Effect.forkChild(Effect.flip(requests.request("7", "ask", { timeout: "3 seconds" })))
        yield* settle
        yield* TestClock.adjust("2999 millis")
        assert.isUndefined(asked.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.deepInclude(yield* Fiber.join(asked), { _tag: "OutcomeUnknown", reason: "timeout" })
        yield* peer.send("answer 7 late")
        yield* settle
        assert.deepInclude(yield* Fiber.join(late), { value: "answer 7 late" })
      })))

  it.effect("has one timer with all others, until nobody waits any more", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const clock = yield* Clock.Clock
        let timers = 0
        const counting: Clock.Clock = Object.create(clock, {
          sleep: {
            value: (duration: Duration.Duration) =>
              Effect.suspend(() => {
                timers++
                return Effect.ensuring(clock.sleep(duration), Effect.sync(() => void timers--))
              })
          }
        })
        const scope = yield* Scope.make()
        const connection = yield* Connection.connect(url)
        const requests = yield* Requests.make(connection, idOf).pipe(
          Effect.provideService(Clock.Clock, counting),
          Scope.provide(scope)
        )
        const peer = yield* host.nextPeer
        const ask = (id: string, timeout: Duration.Input) =>
          Effect.forkChild(Effect.exit(requests.request(id, `ask ${id}`, { timeout })))
        const [answered, given, early, late] = [
          yield* ask("1", "30 seconds"),
          yield* ask("2", "20 seconds"),
          yield* ask("3", "1 second"),
          yield* ask("4", "10 seconds")
        ]
        yield* settle
        assert.strictEqual(timers, 1)
        yield* peer.send("answer 1")
        yield* Fiber.interrupt(given)
        assert.isTrue(Exit.isSuccess(yield* Fiber.join(answered)))
        yield* TestClock.adjust("999 millis")
        assert.isUndefined(early.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.isTrue(Exit.isFailure(yield* Fiber.join(early)))
        assert.strictEqual(timers, 1)
        yield* TestClock.adjust("8999 millis")
        assert.isUndefined(late.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.isTrue(Exit.isFailure(yield* Fiber.join(late)))
        assert.strictEqual(timers, 0)

        yield* ask("5", "10 seconds")
        yield* settle
        assert.strictEqual(timers, 1)
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(timers, 0)
      })))

  it.effect("keeps 64 unmatched answers for a reader that is behind, and of more the newest", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { requests } = yield* setUp
        const peer = yield* host.nextPeer
        const gate = yield* Deferred.make<void>()
        const read: Array<unknown> = []
        yield* Effect.forkScoped(
          Stream.runForEach(requests.unmatched, (answer) =>
            Effect.suspend(() => {
              read.push(answer)
              return Deferred.await(gate)
            })),
          { startImmediately: true }
        )
        yield* settle
        yield* peer.send("answer first")
        yield* settle
        const late = Array.from({ length: 70 }, (_, i) => `answer ${i}`)
        yield* peer.send(...late)
        yield* settle
        yield* Deferred.succeed(gate, void 0)
        yield* settle
        assert.deepStrictEqual(read, ["answer first", ...late.slice(-64)])
      })))

  it.effect("matches again after a reconnect, and no answer of the old epoch to a request of the new", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { requests } = yield* setUp
        const old = yield* Effect.forkChild(Effect.flip(requests.request("1", "old")))
        yield* settle
        yield* host.drop
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(old))._tag, "OutcomeUnknown")
        const [peer] = host.peers()
        const again = yield* Effect.forkChild(requests.request("1", "new"))
        yield* settle
        assert.deepStrictEqual(peer?.received, ["new"])
        yield* peer!.send("answer 1 new")
        yield* settle
        assert.strictEqual(yield* Fiber.join(again), "answer 1 new")
      })))

  it.effect("waits on through a frame that cannot be read, a gap, and a breaker that moves", () =>
    withVenue(policyWith({ circuit: circuitWith({ failureThreshold: 1 }) }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, {
          decode: (frame) => frame === "garbled" ? unreadable : [String(frame)],
          sequence: (message) => message.startsWith("n ") ? BigInt(message.slice(2)) : undefined
        })
        const requests = yield* Requests.make(connection, idOf)
        const peer = yield* host.nextPeer
        const asked = yield* Effect.forkChild(requests.request("1", "ask 1"))
        yield* settle
        yield* peer.send("garbled", "n 1", "n 5")
        yield* connection.breaker.recordFailure("elsewhere")
        assert.strictEqual((yield* connection.breaker.state)._tag, "Open")
        yield* settle
        assert.strictEqual(yield* requests.pending, 1)
        yield* peer.send("answer 1 x")
        yield* settle
        assert.strictEqual(yield* Fiber.join(asked), "answer 1 x")
      })))

  it.effect("says that nothing was sent where its time was up before its turn came", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection, requests } = yield* setUp
        const peer = yield* host.nextPeer
        yield* peer.stopReading(true)
        yield* connection.send("x".repeat(1024 * 1024))
        const asked = yield* Effect.forkChild(Effect.flip(requests.request("1", "ask", { timeout: "1 second" })))
        yield* settle
        yield* TestClock.adjust("1 second")
        assert.deepInclude(yield* Fiber.join(asked), { _tag: "NotSent", reason: "TimedOut" })
        yield* peer.stopReading(false)
        yield* settle
        assert.notInclude(peer.received, "ask")
      })))
})
