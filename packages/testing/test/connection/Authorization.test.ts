/**
 * What a connection makes of a venue that lets it in only with a token, or not
 * at all for a while.
 */
import { assert, describe, it } from "@effect/vitest"
import * as BearerToken from "@tickline/core/connection/BearerToken"
import * as Connection from "@tickline/core/connection/Connection"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { circuitWith, connected, dialTimes, policyWith, timeline, url, withVenue } from "../Rig.ts"

const reject = (status: number, retryAfterMillis?: number) => ({ _tag: "Reject" as const, status, retryAfterMillis })

describe("Without a token", () => {
  it.effect("a 401 stops, and says that none was shown", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        yield* host.otherwise(reject(401))
        const error = yield* Effect.flip(Effect.flatMap(Connection.make(url), ({ connect }) => connect))
        yield* TestClock.adjust("1 hour")
        assert.deepInclude(error, { _tag: "AuthError", status: 401 })
        assert.include(error.message, "none was shown")
        assert.deepStrictEqual(dialTimes(host), [0])
      })))

  it.effect("a 403 passes: it is retried, not sooner than after 5 s, and counts for the breaker", () =>
    withVenue(
      policyWith({ circuit: circuitWith({ failureThreshold: 3, whenOpen: "wait" }) }),
      ({ host }) =>
        Effect.gen(function*() {
          yield* host.script(reject(403), reject(403), { _tag: "Refuse" })
          const connection = yield* Connection.make(url)
          yield* Effect.forkChild(connection.connect)
          yield* TestClock.adjust("1 minute")
          assert.isTrue(yield* connection.isConnected)
          // The third failure opens the breaker for its 10 s.
          assert.deepStrictEqual(dialTimes(host), [0, 5_000, 10_000, 20_000])
        })
    ))

  it.effect("a 403 of a feed that was up does not end it; Retry-After beyond 5 s is obeyed", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        yield* host.script(reject(403, 7_000), reject(403, 1_000))
        yield* host.drop
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(dialTimes(host), [0, 100, 7_100, 12_100])
        assert.isTrue(yield* connection.isConnected)
        assert.notInclude(timeline(recorded.transitions).join(), "AuthError")
      })))

  it.effect("what its owner says of a 403 or 401 is obeyed", () =>
    Effect.gen(function*() {
      for (const [status, answer, dials] of [[403, "stop", 1], [401, "retry", 6]] as const) {
        yield* withVenue(policyWith({}), ({ host }) =>
          Effect.gen(function*() {
            yield* host.otherwise(reject(status))
            const connection = yield* Connection.make(url)
            yield* Effect.forkChild(Effect.ignore(connection.connect))
            yield* TestClock.adjust("1 hour")
            assert.strictEqual(host.dials.length, dials)
          }), { classify: () => answer })
      }
    }))
})

describe("With a token", () => {
  it.effect("a 401 or 403 stops at once where there is no other token, whichever way it was shown", () =>
    Effect.gen(function*() {
      const shown: ReadonlyArray<[to: string, options: Connection.Options<never>]> = [
        [url, { auth: yield* BearerToken.make(Redacted.make("token")) }],
        [url, { headers: { "X-Key": Redacted.make("key") } }],
        [url, { headers: { authorization: "Bearer token" } }],
        [url.replace("ws://", "ws://user:password@"), {}]
      ]
      for (const status of [401, 403]) {
        for (const [to, { auth, headers }] of shown) {
          yield* withVenue(policyWith({}), ({ host }) =>
            Effect.gen(function*() {
              yield* host.otherwise(reject(status))
              const connection = yield* Connection.make(to, { auth, headers })
              const error = yield* Effect.flip(connection.connect)
              yield* TestClock.adjust("1 hour")
              assert.deepInclude(error, { _tag: "AuthError", status })
              assert.include(error.message, "the venue refused the token")
              assert.strictEqual(host.dials.length, 1)
            }))
        }
      }
    }))

  it.effect("it is shown anew once where it can be, for 403 as for 401", () =>
    Effect.gen(function*() {
      for (const status of [401, 403]) {
        yield* withVenue(policyWith({}), ({ host }) =>
          Effect.gen(function*() {
            yield* host.otherwise((request) => {
              const header = request.headers["Authorization"]
              return Redacted.isRedacted(header) && Redacted.value(header) === "Bearer new"
                ? { _tag: "Accept" }
                : reject(status)
            })
            const auth = yield* BearerToken.make(Redacted.make("old"), Effect.succeed(Redacted.make("new")))
            const connection = yield* Connection.connect(url, { auth })
            assert.isTrue(yield* connection.isConnected)
            assert.deepStrictEqual(dialTimes(host), [0, 0])
          }))
      }
    }))

  it.effect("it is shown anew once more after a connection with the new one has held", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        let expected = "first"
        const refreshed: Array<string> = []
        yield* host.otherwise((request) => {
          const header = request.headers["Authorization"]
          return Redacted.isRedacted(header) && Redacted.value(header) === `Bearer ${expected}`
            ? { _tag: "Accept" }
            : reject(401)
        })
        const renewed = Effect.sync(() => {
          refreshed.push(expected)
          return Redacted.make(expected)
        })
        const auth = yield* BearerToken.make(Redacted.make("old"), renewed)
        const connection = yield* Connection.connect(url, { auth })
        expected = "second"
        yield* host.drop
        yield* TestClock.adjust("1 minute")
        assert.isTrue(yield* connection.isConnected)
        assert.deepStrictEqual(refreshed, ["first", "second"])
      })))
})
