/**
 * A policy from a file or the environment: a `[reconnection]` section names a
 * preset to start from and overrides any field of it. A value that cannot be
 * read is a `PolicyError` that names the key, the value and what was expected.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import { nearest } from "../value/Suggestion.ts"
import * as TomlText from "../value/TomlText.ts"
import { ConnectionPolicy, merge, type PolicyChange } from "./ConnectionPolicy.ts"
import {
  AdaptivePolicy,
  BackoffPolicy,
  brokenOrder,
  CircuitPolicy,
  HeartbeatPolicy,
  RetryPolicy
} from "./internal/policySchema.ts"
import * as PresetDefaults from "./internal/presetDefaults.ts"
import { patient, preset, presetNames, recommended } from "./Presets.ts"

const { fields: Fields } = ConnectionPolicy
const { fields: Adaptive } = AdaptivePolicy
const { fields: Backoff } = BackoffPolicy
const { fields: Circuit } = CircuitPolicy
const { fields: Retry } = RetryPolicy

/**
 * A configuration that is no policy: the key as in `"reconnection.max_delay_ms"`
 * or the variable of the environment, the value as given, and what was expected.
 * Of an unknown key the value is not told, for it may be a secret in the wrong
 * place. A file that is no TOML has the key `"toml"`.
 *
 * @category errors
 * @since 0.1.0
 */
export class PolicyError extends Schema.TaggedError<PolicyError>()("PolicyError", {
  key: Schema.String,
  value: Schema.optionalKey(Schema.String),
  expected: Schema.String
}) {
  override get message(): string {
    return `${this.key}: expected ${this.expected}${this.value === undefined ? "" : `, got ${this.value}`}`
  }
}

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000
}

/**
 * Reads a duration written as Effect writes it (`"20 seconds"`) or short
 * (`"500ms"`, `"20s"`, `"2m"`, `"24h"`, `"1d"`). Not negative, not infinite.
 *
 * @category constructors
 * @since 0.1.0
 */
export const durationFromText = (text: string): Option.Option<Duration.Duration> => {
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/.exec(text.trim()) ?? []
  if (amount === undefined) return Option.none()
  const millis = Object.hasOwn(units, unit) ? units[unit] : undefined
  return millis === undefined
    // Effect's parser takes the unit in words; what it cannot read is none.
    ? Option.filter(Duration.fromInput(`${Number(amount)} ${unit}` as Duration.Input), Duration.isFinite)
    : Option.some(Duration.millis(Number(amount) * millis))
}

/** Reads a value of the configuration, typed or, from the environment, as text. */
interface Kind<A> {
  readonly expected: string
  readonly read: (value: unknown) => Option.Option<A>
}

// The bounds are those of the policy's schema, which also says what is expected.
const kind = <A>(schema: Schema.Codec<A, unknown>, read: (value: unknown) => unknown, expected?: string): Kind<A> => {
  const is = Schema.is(schema)
  return {
    expected: expected ?? AST.resolveDescription(schema.ast) ?? "",
    read: (value) => Option.liftPredicate(read(value), is)
  }
}

const numberOf = (value: unknown): unknown =>
  typeof value === "string" && /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value) ? Number(value) : value

const number = (schema: Schema.Codec<number, unknown>): Kind<number> => kind(schema, numberOf)

const flag: Kind<boolean> = kind(
  Schema.Boolean,
  (value) => value === "true" ? true : value === "false" ? false : value,
  "true or false"
)

const oneOf = <const A extends string>(names: ReadonlyArray<A>): Kind<A> =>
  kind(Schema.Literals(names), identity, names.map((name) => `"${name}"`).join(", "))

const either = <A, B>(first: Kind<A>, second: Kind<B>): Kind<A | B> => ({
  expected: `${first.expected}, or ${second.expected}`,
  read: (value) => Option.orElse<A, B>(first.read(value), () => second.read(value))
})

const duration: Kind<Duration.Duration> = kind(
  Fields.connectTimeout,
  (value) => typeof value === "string" ? Option.getOrUndefined(durationFromText(value)) : undefined,
  "a duration greater than zero, such as \"20 seconds\" or \"500ms\""
)

const wholeMillis: Kind<Duration.Duration> = kind(
  Fields.connectTimeout,
  (value) => {
    const millis = numberOf(value)
    return Number.isSafeInteger(millis) ? Duration.millis(Number(millis)) : undefined
  },
  "a whole number of milliseconds, at least 1"
)

/** A part of the policy that may be off, named by the key that says so. */
type Part = "circuit_breaker" | "heartbeat" | "adaptive"

/** One setting of the section: its names, the best first, how it is read, and the part to which it belongs. */
interface Setting {
  readonly names: ReadonlyArray<string>
  readonly part: Part | undefined
  readonly expected: (name: string) => string
  readonly read: (name: string, value: unknown) => Option.Option<(policy: ConnectionPolicy) => PolicyChange>
}

const setting = <A>(
  names: ReadonlyArray<string>,
  kind: Kind<A>,
  change: (value: A, policy: ConnectionPolicy) => PolicyChange,
  part?: Part
): Setting => ({
  names,
  part,
  expected: () => kind.expected,
  read: (_, value) => Option.map(kind.read(value), (value) => (policy) => change(value, policy))
})

/** A time. Each name takes a text; with `_ms` behind it, whole milliseconds. */
const time = (
  names: ReadonlyArray<string>,
  change: (value: Duration.Duration, policy: ConnectionPolicy) => PolicyChange,
  part?: Part
): Setting => {
  const kindOf = (name: string) => name.endsWith("_ms") ? wholeMillis : duration
  return {
    names: names.flatMap((name) => [name, `${name}_ms`]),
    part,
    expected: (name) => kindOf(name).expected,
    read: (name, value) => Option.map(kindOf(name).read(value), (value) => (policy) => change(value, policy))
  }
}

const settings: ReadonlyArray<Setting> = [
  time(["connect_timeout"], (connectTimeout) => ({ connectTimeout })),
  time(["acknowledgement_timeout"], (acknowledgementTimeout) => ({ acknowledgementTimeout })),
  setting(["retry_initial_connect"], flag, (retryInitialConnect) => ({ retryInitialConnect })),
  time(["initial_delay", "base_backoff"], (base) => ({ backoff: { base } })),
  time(["max_delay", "max_backoff"], (cap) => ({ backoff: { cap } })),
  setting(["backoff_multiplier"], number(Backoff.factor), (factor) => ({ backoff: { factor } })),
  setting(["jitter"], oneOf(Backoff.jitter.literals), (jitter) => ({ backoff: { jitter } })),
  setting(["adaptive"], flag, (on) => ({ backoff: { adaptive: on ? {} : "none" } })),
  setting(
    ["adaptive_rapid_factor"],
    number(Adaptive.rapidFactor),
    (rapidFactor) => ({ backoff: { adaptive: { rapidFactor } } }),
    "adaptive"
  ),
  time(["adaptive_rapid_window"], (rapidWindow) => ({ backoff: { adaptive: { rapidWindow } } }), "adaptive"),
  setting(
    ["adaptive_recover_factor"],
    number(Adaptive.recoverFactor),
    (recoverFactor) => ({ backoff: { adaptive: { recoverFactor } } }),
    "adaptive"
  ),
  setting(
    ["max_retries"],
    either(number(Retry.maxRetries.members[0]), oneOf([Retry.maxRetries.members[1].literal])),
    (maxRetries) => ({ retry: { maxRetries } })
  ),
  setting(
    ["reset_on"],
    either(oneOf(Retry.resetOn.members[0].literals), duration),
    (on) => ({ retry: { resetOn: typeof on === "string" ? on : { stableFor: on } } })
  ),
  setting(["circuit_breaker"], flag, (on) => ({ circuit: on ? {} : "none" })),
  setting(
    ["max_consecutive_failures"],
    number(Circuit.failureThreshold),
    (failureThreshold) => ({ circuit: { failureThreshold } }),
    "circuit_breaker"
  ),
  setting(
    ["failure_window"],
    either(duration, oneOf(["none"])),
    (window) => ({ circuit: { window } }),
    "circuit_breaker"
  ),
  time(
    ["circuit_breaker_cooldown"],
    // A longer rest than the cap of the start raises the cap.
    (openDuration, { circuit }) => {
      const { openCap } = circuit === "none" ? PresetDefaults.circuit : circuit
      return { circuit: { openDuration, openCap: Duration.max(openCap, openDuration) } }
    },
    "circuit_breaker"
  ),
  setting(
    ["circuit_breaker_multiplier"],
    number(Circuit.openFactor),
    (openFactor) => ({ circuit: { openFactor } }),
    "circuit_breaker"
  ),
  time(["circuit_breaker_max_cooldown"], (openCap) => ({ circuit: { openCap } }), "circuit_breaker"),
  setting(
    ["half_open_successes"],
    either(number(Circuit.halfOpen.members[1].fields.successThreshold), oneOf([Circuit.halfOpen.members[0].literal])),
    (successes) => ({
      circuit: { halfOpen: successes === "skip" ? successes : { successThreshold: successes } }
    }),
    "circuit_breaker"
  ),
  setting(["count_disconnect"], flag, (countDisconnect) => ({ circuit: { countDisconnect } }), "circuit_breaker"),
  setting(
    ["when_open"],
    oneOf(Circuit.whenOpen.literals),
    (whenOpen) => ({ circuit: { whenOpen } }),
    "circuit_breaker"
  ),
  setting(["outbox_messages"], number(Fields.buffer.fields.messages), (messages) => ({ buffer: { messages } })),
  setting(["outbox_bytes"], number(Fields.buffer.fields.bytes), (bytes) => ({ buffer: { bytes } })),
  setting(["inbound_bytes"], number(Fields.inbound.fields.bytes), (bytes) => ({ inbound: { bytes } })),
  setting(
    ["max_message_bytes"],
    number(Fields.inbound.fields.maxMessageBytes),
    (maxMessageBytes) => ({ inbound: { maxMessageBytes } })
  ),
  setting(["heartbeat"], flag, (on) => ({ heartbeat: on ? {} : "none" })),
  time(["heartbeat_interval"], (interval) => ({ heartbeat: { interval } }), "heartbeat"),
  time(["heartbeat_timeout"], (timeout) => ({ heartbeat: { timeout } }), "heartbeat"),
  setting(
    ["heartbeat_on_miss"],
    oneOf(HeartbeatPolicy.fields.onMiss.literals),
    (onMiss) => ({ heartbeat: { onMiss } }),
    "heartbeat"
  ),
  time(["close_timeout"], (closeTimeout) => ({ closeTimeout })),
  time(["forced_close_timeout"], (forcedTimeout) => ({ forcedTimeout }))
]

// The keys of the times that are held in order, by their place in the policy.
const orderedKeys: Readonly<Record<string, string>> = {
  "backoff.base": "initial_delay",
  "backoff.cap": "max_delay",
  "circuit.openDuration": "circuit_breaker_cooldown",
  "circuit.openCap": "circuit_breaker_max_cooldown"
}

const presetNamed = oneOf(presetNames)

/**
 * The keys of a `[reconnection]` section, in the order in which they are
 * documented.
 *
 * @category constants
 * @since 0.1.0
 */
export const keys: ReadonlyArray<string> = ["preset", ...settings.flatMap(({ names }) => names)]

const shown = (value: unknown): string => {
  if (Array.isArray(value)) return "a list"
  const text = typeof value === "string" ? JSON.stringify(value) : Predicate.isObject(value) ? "a table" : String(value)
  return text.length > 64 ? `${text.slice(0, 63)}…` : text
}

const refuse = (name: string, value: unknown, expected: string) =>
  Result.fail(new PolicyError({ key: `reconnection.${name}`, value: shown(value), expected }))

const expectedKey = (name: string): string => {
  const meant = nearest(name, keys)
  return meant === undefined ? `one of the keys ${keys.join(", ")}` : `a key there is (did you mean ${meant}?)`
}

const given = (section: Readonly<Record<string, unknown>>, { names }: Setting): ReadonlyArray<string> =>
  names.filter((name) => Object.hasOwn(section, name))

const readSection = (
  section: Readonly<Record<string, unknown>>,
  start: ConnectionPolicy
): Result.Result<ConnectionPolicy, PolicyError> => {
  for (const name of Object.keys(section)) {
    if (keys.includes(name)) continue
    return Result.fail(new PolicyError({ key: `reconnection.${name}`, expected: expectedKey(name) }))
  }
  let policy = start
  if (Object.hasOwn(section, "preset")) {
    const name = presetNamed.read(section.preset)
    if (Option.isNone(name)) return refuse("preset", section.preset, presetNamed.expected)
    policy = preset(name.value)
  }
  for (const setting of settings) {
    const [name, second] = given(section, setting)
    if (name === undefined) continue
    const value = section[name]
    if (second !== undefined) return refuse(second, section[second], `only one of ${name} and ${second}`)
    const { part } = setting
    if (part !== undefined && (section[part] === false || section[part] === "false")) {
      return refuse(name, value, `no such key beside ${part} = false`)
    }
    const change = setting.read(name, value)
    if (Option.isNone(change)) return refuse(name, value, setting.expected(name))
    policy = merge(policy, change.value(policy))
  }
  const broken = brokenOrder(policy)
  if (broken !== undefined) {
    const [least, most] = broken.times(policy).map(Duration.toMillis)
    const [leastKey = "", mostKey = ""] = [broken.least, broken.most].map((path) => orderedKeys[path.join(".")])
    const nameOf = (first: string) =>
      settings.filter(({ names }) => names[0] === first).flatMap((setting) => given(section, setting))[0]
    const lower = nameOf(leastKey) ?? leastKey
    const upper = nameOf(mostKey)
    return upper === undefined
      ? refuse(lower, section[lower], `at most ${mostKey}, ${most} ms`)
      : refuse(upper, section[upper], `at least ${leastKey}, ${least} ms`)
  }
  return Result.succeed(policy)
}

/**
 * Reads the `[reconnection]` section of a configuration; other sections are
 * somebody else's. A section without `preset`, an empty one and none at all
 * start from `patient`, whose figures are the documented defaults, or from
 * `start`.
 *
 * Every key may be left out: `preset` and those of {@link keys}. A time is a
 * text (`max_delay = "60s"`) or whole milliseconds under the same name and
 * `_ms` (`max_delay_ms = 60000`).
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromUnknown = (
  root: unknown,
  start: ConnectionPolicy = patient
): Effect.Effect<ConnectionPolicy, PolicyError> => {
  if (!Predicate.isObject(root)) {
    return Effect.fail(new PolicyError({ key: "configuration", value: shown(root), expected: "an object" }))
  }
  const section = Object.hasOwn(root, "reconnection") ? root.reconnection : {}
  return Predicate.isObject(section) && !Array.isArray(section)
    ? Effect.fromResult(readSection(section, start))
    : Effect.fail(new PolicyError({ key: "reconnection", value: shown(section), expected: "a table" }))
}

/**
 * Reads the `[reconnection]` section of a TOML text, as {@link fromUnknown}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromToml = (
  text: string,
  start: ConnectionPolicy = patient
): Effect.Effect<ConnectionPolicy, PolicyError> =>
  Effect.fromResult(TomlText.parse(text)).pipe(
    Effect.mapError(({ detail }) => new PolicyError({ key: "toml", expected: `TOML (${detail})` })),
    Effect.flatMap((root) => fromUnknown(root, start))
  )

const prefix = "TICKLINE_RECONNECTION_"

/**
 * The variables of the environment that set a policy, such as
 * `TICKLINE_RECONNECTION_MAX_DELAY`: {@link keys} in capitals, in their order.
 *
 * @category constants
 * @since 0.1.0
 */
export const variables: ReadonlyArray<string> = keys.map((key) => prefix + key.toUpperCase())

/**
 * Reads the keys of {@link fromUnknown} through Effect's `ConfigProvider`, over
 * `start`: from the {@link variables}, and where one is not set, under
 * `reconnection`. A value that cannot be read fails by the name under which it
 * was found. A provider is asked for known keys only, so that an unknown one
 * passes unseen; use {@link fromToml} for files.
 *
 * @category constructors
 * @since 0.1.0
 */
export const configOver = (start: ConnectionPolicy): Config.Config<ConnectionPolicy> => {
  const textsOf = (names: ReadonlyArray<string>) => Config.all(names.map((name) => Config.option(Config.String(name))))
  return Config.all([textsOf(variables), Config.nested(textsOf(keys), "reconnection")]).pipe(
    Config.mapEffect(([ofVariables, ofKeys]) => {
      const section: Record<string, string> = {}
      const sources = new Map<string, string>()
      for (const [index, key] of keys.entries()) {
        const variable = ofVariables[index] ?? Option.none()
        const value = Option.orElse(variable, () => ofKeys[index] ?? Option.none())
        if (Option.isSome(value)) section[key] = value.value
        if (Option.isSome(variable)) sources.set(`reconnection.${key}`, variables[index] ?? key)
      }
      return Effect.mapError(Effect.fromResult(readSection(section, start)), (error) => {
        const { message } = new PolicyError({ ...error, key: sources.get(error.key) ?? error.key })
        return new Config.ConfigError(new Schema.SchemaError(new SchemaIssue.InvalidValue({ message })))
      })
    })
  )
}

/**
 * The policy of the environment (`TICKLINE_RECONNECTION_MAX_DELAY=60s`), over
 * `recommended`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const config: Config.Config<ConnectionPolicy> = configOver(recommended)

/**
 * A provider that is asked for the {@link variables} only, and not for what
 * stands under `reconnection`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const environment = (provider: ConfigProvider.ConfigProvider): ConfigProvider.ConfigProvider =>
  ConfigProvider.make((path) => variables.includes(path.join("_")) ? provider.load(path) : Effect.undefined)
