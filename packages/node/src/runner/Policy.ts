/**
 * The policy that the flags, a file and the environment ask for: the
 * environment over the file over the preset.
 *
 * @since 0.1.0
 */
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as PolicyConfig from "@tickline/core/resilience/PolicyConfig"
import * as Presets from "@tickline/core/resilience/Presets"
import { nearest } from "@tickline/core/value/Suggestion"
import * as TomlText from "@tickline/core/value/TomlText"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Buffer, isUtf8 } from "node:buffer"
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
export const refused = ({ expected, key, value }: PolicyConfig.PolicyError, within = ""): UsageError =>
  new UsageError({
    key: within + key,
    ...(value === undefined ? {} : { value: value.replace(/^"(.*)"$/s, "$1") }),
    expected
  })

/** Bytes of the largest configuration that is read. */
const mostBytes = 1024 * 1024

const read = async (path: string): Promise<string | undefined> => {
  const chunks: Array<Buffer> = []
  let size = 0
  for await (const chunk of Fs.createReadStream(path, { end: mostBytes })) {
    chunks.push(chunk)
    size += chunk.length
  }
  const bytes = Buffer.concat(chunks)
  return size > mostBytes || !isUtf8(bytes) ? undefined : bytes.toString("utf8")
}

/**
 * The text of the file that `--config` names: UTF-8, 1 MiB at most.
 *
 * @category constructors
 * @since 0.1.0
 */
export const readFile = (path: string): Effect.Effect<string, UsageError> => {
  const refuse = (expected: string) => new UsageError({ key: "--config", value: path, expected })
  return Effect.tryPromise({
    try: () => read(path),
    catch: () => refuse("a file that can be read")
  }).pipe(
    Effect.filterOrFail((text) => text !== undefined, () => refuse("a file of at most 1 MiB of UTF-8"))
  )
}

/**
 * The TOML of the file that `--config` names.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (text: string): Effect.Effect<Readonly<Record<string, unknown>>, UsageError> =>
  Effect.mapError(
    Effect.fromResult(TomlText.parse(text)),
    ({ detail }) => new UsageError({ key: "--config", expected: `a file of TOML (${detail})` })
  )

/** Without the name of a preset, which the flag overrides. */
const withoutPreset = (root: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  const section = root["reconnection"]
  if (typeof section !== "object" || section === null || Array.isArray(section)) return root
  return { ...root, reconnection: Object.fromEntries(Object.entries(section).filter(([key]) => key !== "preset")) }
}

const fromFile = (path: string, preset: Presets.PresetName | undefined) =>
  Effect.flatMap(readFile(path), (text) =>
    parse(text).pipe(
      Effect.flatMap((root) =>
        Effect.mapError(
          preset === undefined
            ? PolicyConfig.fromUnknown(root)
            : PolicyConfig.fromUnknown(withoutPreset(root), Presets.preset(preset)),
          (error) => refused(error)
        )
      ),
      Effect.mapError((error) => error.in(path))
    ))

const prefix = "TICKLINE_RECONNECTION_"

/** The variables of a policy, by its keys. One that is none of them would pass unseen. */
const sectionOf = (
  env: Readonly<Record<string, string | undefined>>
): Effect.Effect<Readonly<Record<string, string>>, UsageError> => {
  const section: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(prefix) || value === undefined) continue
    const key = name.slice(prefix.length).toLowerCase()
    if (PolicyConfig.variables.includes(name)) {
      section[key] = value
      continue
    }
    const meant = nearest(key, PolicyConfig.keys)
    return Effect.fail(
      new UsageError({
        key: name,
        source: "the environment",
        expected: meant === undefined
          ? `one of ${PolicyConfig.variables.join(", ")}`
          : `a variable there is (did you mean ${prefix}${meant.toUpperCase()}?)`
      })
    )
  }
  return Effect.succeed(section)
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
  const policy = yield* Effect.mapError(
    PolicyConfig.fromUnknown({ reconnection: yield* sectionOf(env) }, base),
    (error) => {
      const key = prefix + error.key.replace("reconnection.", "").toUpperCase()
      return refused(new PolicyConfig.PolicyError({ ...error, key })).in("the environment")
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
  options: { readonly preset: Presets.PresetName | undefined; readonly config: string | undefined },
  env: Readonly<Record<string, string | undefined>>
): Effect.fn.Return<ConnectionPolicy.ConnectionPolicy, UsageError> {
  const base = options.config === undefined
    ? Presets.preset(options.preset ?? "recommended")
    : yield* fromFile(options.config, options.preset)
  return yield* overEnvironment(base, env)
})
