import { assert, describe, it } from "@effect/vitest"
import { AuthError } from "@tickline/core/connection/ConnectError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { SessionMetrics } from "../src/session/internal/sessionMetrics.ts"
import { SignInRenewal } from "../src/session/internal/signInRenewal.ts"

describe("SignInRenewal", () => {
  it.effect("is signed in no more where a renewal fails, though the grant has time left", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const context = yield* Effect.context<never>()
      const renewal = new SignInRenewal("session", clock, new SessionMetrics("session", context), context)
      const seen: Array<readonly [seconds: number, isSignedIn: boolean]> = []
      const look = Effect.map(Clock.currentTimeMillis, (at) => void seen.push([at / 1_000, renewal.isSignedIn]))

      renewal.granted({
        expiresIn: "100 seconds",
        renew: () => Effect.andThen(look, Effect.fail(new AuthError({ detail: "no" })))
      })
      renewal.start(1, { call: () => Effect.die("nothing is called") }, look)
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(seen, [[80, true], [80, false]])
    }))
})
