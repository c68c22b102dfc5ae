/**
 * The policy that the flags, a file and the environment ask for: the
 * environment over the file over the preset.
 *
 * @since 0.1.0
 */
import * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import { nearest } from "@tickline/core/value/Suggestion"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Toml from "effect/encoding/Toml"
import * as Fs from "node:fs"
import { UsageError } from "./RunnerError.ts"

/** The signal that ends a run gives it 2 s; the closing handshake gets one of them at most. */
const closeTimeout = Duration.seconds(1)

/**
 * A refused policy as a wrong use, its keys under those of `within`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refused = (error: ConnectionPolicy.PolicyError, within = ""): UsageError =>
  new UsageError({ key: within + error.key, value: error.value.replace(/^"(.*)"$/s, "$1"), expected: error.expected })

/**
 * The text of the file that `--config` names.
 *
 * @category constructors
 * @since 0.1.0
 */
export const readFile = (path: string): Effect.Effect<string, UsageError> =>
  Effect.tryPromise({
    try: () => Fs.promises.readFile(path, "utf8"),
    catch: () => new UsageError({ key: "--config", value: path, expected: "a file that can be read" })
  })

/** Without the name of a preset, which the flag overrides. */
const withoutPreset = (root: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  const section = root["reconnection"]
  if (typeof section !== "object" || section === null || Array.isArray(section)) return root
  return { ...root, reconnection: Object.fromEntries(Object.entries(section).filter(([key]) => key !== "preset")) }
}

const fromFile = Effect.fnUntraced(function*(path: string, preset: ConnectionPolicy.PresetName | undefined) {
  const text = yield* readFile(path)
  const root = yield* Effect.mapError(
    Effect.fromResult(Toml.parse(text)),
    (error) => new UsageError({ key: "--config", value: path, expected: `TOML (${error.message})` })
  )
  return yield* Effect.mapError(
    preset === undefined
      ? ConnectionPolicy.fromUnknown(root)
      : ConnectionPolicy.fromUnknown(withoutPreset(root), ConnectionPolicy.preset(preset)),
    (error) => refused(error)
  )
})

const prefix = "TICKLINE_RECONNECTION_"

/** Keys of the environment that look like the policy's and are none would pass unseen. */
const checkNames = (env: Readonly<Record<string, string | undefined>>): Effect.Effect<void, UsageError> => {
  for (const name of Object.keys(env)) {
    if (!name.startsWith(prefix)) continue
    const key = name.slice(prefix.length).toLowerCase()
    if (ConnectionPolicy.keys.includes(key)) continue
    const meant = nearest(key, ConnectionPolicy.keys)
    return Effect.fail(
      new UsageError({
        key: name,
        expected: meant === undefined
          ? `one of ${ConnectionPolicy.keys.map((key) => prefix + key.toUpperCase()).join(", ")}`
          : `a variable there is (did you mean ${prefix}${meant.toUpperCase()}?)`
      })
    )
  }
  return Effect.void
}

/**
 * The policy with what the environment says over it. The closing handshake gets
 * a second at most, so that a run ends in time.
 *
 * @category combinators
 * @since 0.1.0
 */
export const overEnvironment = Effect.fnUntraced(function*(
  base: ConnectionPolicy.ConnectionPolicy,
  env: Readonly<Record<string, string | undefined>>
): Effect.fn.Return<ConnectionPolicy.ConnectionPolicy, UsageError> {
  yield* checkNames(env)
  const given = Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => value === undefined ? [] : [[key, value]])
  )
  const provider = ConnectionPolicy.environment(ConfigProvider.fromEnvRecord(given))
  const policy = yield* Effect.mapError(
    ConnectionPolicy.configOver(base).parse(provider),
    (error) => {
      const [, key, expected = error.message] = /reconnection\.(\w+): expected (.*?)\)?$/s.exec(error.message) ?? []
      return new UsageError({ key: key === undefined ? "environment" : prefix + key.toUpperCase(), expected })
    }
  )
  return { ...policy, closeTimeout: Duration.min(policy.closeTimeout, closeTimeout) }
})

/**
 * Makes the policy. Without a preset and a file it is `recommended`; a file
 * without a preset starts from `patient`, as documented.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: { readonly preset: ConnectionPolicy.PresetName | undefined; readonly config: string | undefined },
  env: Readonly<Record<string, string | undefined>>
): Effect.fn.Return<ConnectionPolicy.ConnectionPolicy, UsageError> {
  const base = options.config === undefined
    ? ConnectionPolicy.preset(options.preset ?? "recommended")
    : yield* fromFile(options.config, options.preset)
  return yield* overEnvironment(base, env)
})
