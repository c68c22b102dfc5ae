import { assert, describe, it } from "@effect/vitest"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Policy from "@tickline/node/runner/Policy"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

const write = (text: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const path = Path.join(Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-")), "policy.toml")
      Fs.writeFileSync(path, text)
      return path
    }),
    (path) => Effect.sync(() => Fs.rmSync(Path.dirname(path), { recursive: true }))
  )

const none = { preset: undefined, config: undefined }
const cap = (policy: ConnectionPolicy.ConnectionPolicy) => Duration.toMillis(policy.backoff.cap)

describe("the policy of a run", () => {
  it.effect("is recommended, or the preset", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* Policy.make(none, {})).backoff, Presets.recommended.backoff)
      assert.deepStrictEqual((yield* Policy.make({ ...none, preset: "fast" }, {})).retry, Presets.fast.retry)
    }))

  it.effect("the environment overrides the file, and the file the preset of the flag", () =>
    Effect.gen(function*() {
      const config = yield* write("[reconnection]\npreset = \"standard\"\nmax_delay_ms = 5000\n")
      const file = yield* Policy.make({ preset: undefined, config }, {})
      assert.strictEqual(cap(file), 5_000)
      assert.strictEqual(Duration.toMillis(file.backoff.base), 1_000)
      const flag = yield* Policy.make({ preset: "fast", config }, {})
      assert.strictEqual(cap(flag), 5_000)
      assert.strictEqual(Duration.toMillis(flag.backoff.base), 100)
      assert.strictEqual(
        cap(yield* Policy.make({ preset: "fast", config }, { TICKLINE_RECONNECTION_MAX_DELAY: "7s" })),
        7_000
      )
    }))

  it.effect("names the key, the value and what was expected", () =>
    Effect.gen(function*() {
      const config = yield* write("[reconnection]\nmax_delay_ms = \"soon\"\n")
      const error = yield* Effect.flip(Policy.make({ preset: undefined, config }, {}))
      assert.deepInclude(error, { key: "reconnection.max_delay_ms", value: "soon" })
      assert.include(error.expected, "milliseconds")
      const broken = yield* write("[reconnection\n")
      assert.include((yield* Effect.flip(Policy.make({ preset: undefined, config: broken }, {}))).expected, "TOML")
    }))

  it.effect("names the variable, or the file", () =>
    Effect.gen(function*() {
      const variable = yield* Effect.flip(Policy.make(none, { TICKLINE_RECONNECTION_MAX_DELAY: "soon" }))
      assert.match(
        variable.message,
        /^TICKLINE_RECONNECTION_MAX_DELAY "soon" in the environment: expected a duration greater than zero/
      )
      const unknown = yield* Effect.flip(Policy.make(none, { TICKLINE_RECONNECTION_MAX_DELY: "s3cret" }))
      assert.strictEqual(
        unknown.message,
        "TICKLINE_RECONNECTION_MAX_DELY in the environment: " +
          "expected a variable there is (did you mean TICKLINE_RECONNECTION_MAX_DELAY?)"
      )
      const config = yield* write("[reconnection]\nmax_delay = \"soon\"\n")
      const key = yield* Effect.flip(Policy.make({ preset: undefined, config }, {}))
      assert.isTrue(key.message.startsWith(`reconnection.max_delay "soon" in ${config}: expected a duration`))
    }))

  it.effect("leaves the closing handshake a second at most, so that a run ends in time", () =>
    Effect.gen(function*() {
      assert.strictEqual(Duration.toMillis((yield* Policy.make(none, {})).closeTimeout), 1_000)
    }))
})
