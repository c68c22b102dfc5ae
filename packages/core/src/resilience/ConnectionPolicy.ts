/**
 * Everything that a connection is told of how to behave over time, as one
 * value: how it dials, waits, gives up, trips, buffers, keeps alive and closes.
 *
 * Take a preset, or read one from a file or the environment: a `[reconnection]`
 * section names a preset to start from and overrides any field of it. A value
 * that cannot be read is a `PolicyError` that names the key, the value and what
 * was expected.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { nearest } from "../value/Suggestion.ts"
import * as TomlText from "../value/TomlText.ts"

const Positive = Schema.Duration.check(
  Schema.makeFilter((duration) => Duration.isFinite(duration) && Duration.isPositive(duration), {
    expected: "a duration greater than zero"
  })
)
const Factor = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(1))
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

/**
 * The backoff: delay n is `min(base × factor^(n - 1), cap)`; see `Backoff`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const BackoffPolicy = Schema.Struct({
  base: Positive,
  factor: Factor,
  cap: Positive,
  jitter: Schema.Literals(["none", "full", "equal"]),
  adaptive: Schema.optionalKey(Schema.Struct({
    rapidFactor: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(1.8)),
    rapidWindow: Positive,
    recoverFactor: Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(1))
  }))
})

/**
 * How often to try again, and what ends an outage.
 *
 * - `maxRetries`: attempts after the first failure of an outage; 0 is none. A
 *   rejection by an open breaker uses up no retry
 * - `resetOn`: what counts as success: the connect (subscriptions restored),
 *   the first message, or so long a life
 *
 * @category schemas
 * @since 0.1.0
 */
export const RetryPolicy = Schema.Struct({
  maxRetries: Schema.Union([Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)), Schema.Literal("unlimited")]),
  resetOn: Schema.Union([Schema.Literals(["connect", "first-message"]), Schema.Struct({ stableFor: Positive })])
})

/**
 * The breaker (see `CircuitBreaker.Policy`), whether the drop of a connection
 * that had proven itself counts as a failure, and whether an attempt that meets
 * an open breaker fails or waits.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CircuitPolicy = Schema.Struct({
  failureThreshold: Count,
  window: Schema.UndefinedOr(Positive),
  openDuration: Positive,
  openFactor: Factor,
  openCap: Positive,
  halfOpen: Schema.Union([Schema.Literal("skip"), Schema.Struct({ successThreshold: Count })]),
  countDisconnect: Schema.Boolean,
  whenOpen: Schema.Literals(["fail", "wait"])
})

/**
 * Pings: one every `interval` while open; a pong later than `timeout` closes
 * the connection as half open, or is only reported.
 *
 * @category schemas
 * @since 0.1.0
 */
export const HeartbeatPolicy = Schema.Struct({
  interval: Positive,
  timeout: Positive,
  onMiss: Schema.Literals(["close", "report"])
})

const Fields = Schema.Struct({
  /** For one dial, handshake included. */
  connectTimeout: Positive,
  /** By when the peer is to answer a subscription; data of the channel is an answer, too. */
  acknowledgementTimeout: Positive,
  /** Whether the very first dial is retried like any other. */
  retryInitialConnect: Schema.Boolean,
  backoff: BackoffPolicy,
  retry: RetryPolicy,
  circuit: Schema.Union([Schema.Literal("none"), CircuitPolicy]),
  /** Messages waiting to be written. */
  buffer: Schema.Struct({ messages: Count, bytes: Count }),
  /** Bytes received and not yet read before the socket pauses; a larger message than `maxMessageBytes` closes 1009. */
  inbound: Schema.Struct({ bytes: Count, maxMessageBytes: Count }),
  heartbeat: Schema.Union([Schema.Literal("none"), HeartbeatPolicy]),
  /** For the closing handshake of a graceful close. */
  closeTimeout: Positive,
  /** The most a forced close may take. Over a WebSocket it waits for nothing, so it takes no time. */
  forcedTimeout: Positive
})

type Fields = typeof Fields.Type

/** Two times of which the first may not be longer than the second, with their keys. */
interface Rule {
  readonly least: string
  readonly most: string
  readonly path: ReadonlyArray<string>
  readonly times: (policy: Fields) => readonly [least: Duration.Duration, most: Duration.Duration]
}

const rules: ReadonlyArray<Rule> = [
  {
    least: "initial_delay",
    most: "max_delay",
    path: ["backoff", "cap"],
    times: ({ backoff }) => [backoff.base, backoff.cap]
  },
  {
    least: "circuit_breaker_cooldown",
    most: "circuit_breaker_max_cooldown",
    path: ["circuit", "openCap"],
    times: ({ circuit }) =>
      circuit === "none" ? [Duration.zero, Duration.zero] : [circuit.openDuration, circuit.openCap]
  }
]

const holds = (rule: Rule, policy: Fields): boolean => {
  const [least, most] = rule.times(policy)
  return Duration.isLessThanOrEqualTo(least, most)
}

/**
 * How a connection behaves over time.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ConnectionPolicy = Fields.check(Schema.makeFilter((policy) => {
  const rule = rules.find((rule) => !holds(rule, policy))
  return rule === undefined
    ? undefined
    : { path: rule.path, issue: `Expected at least ${Duration.toMillis(rule.times(policy)[0])} ms` }
}))

/**
 * How a connection behaves over time. `circuit` can be given to
 * `CircuitBreaker.layer`, `backoff` to `Backoff.make`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectionPolicy extends Fields {}

// What the presets share. 1,000 messages, 10 MB a message and both close timeouts are the public nzeza repository's;
// the other figures are ours.
const common = {
  acknowledgementTimeout: Duration.seconds(10),
  buffer: { messages: 1000, bytes: 8 * 1024 * 1024 },
  inbound: { bytes: 8 * 1024 * 1024, maxMessageBytes: 10 * 1024 * 1024 },
  heartbeat: { interval: Duration.seconds(15), timeout: Duration.seconds(10), onMiss: "close" },
  closeTimeout: Duration.seconds(2),
  forcedTimeout: Duration.millis(100)
} as const

/**
 * Quick and limited: 100 ms × 2 ≤ 800 ms, 5 retries; the breaker opens at 5
 * failures for 10 s, doubling to 80 s, and rejects. By founding documents 000
 * and 001.
 *
 * @category constants
 * @since 0.1.0
 */
export const fast: ConnectionPolicy = {
  ...common,
  connectTimeout: Duration.seconds(5),
  retryInitialConnect: true,
  backoff: { base: Duration.millis(100), factor: 2, cap: Duration.millis(800), jitter: "none" },
  retry: { maxRetries: 5, resetOn: "connect" },
  circuit: {
    failureThreshold: 5,
    window: undefined,
    openDuration: Duration.seconds(10),
    openFactor: 2,
    openCap: Duration.seconds(80),
    halfOpen: { successThreshold: 3 },
    countDisconnect: false,
    whenOpen: "fail"
  }
}

/**
 * 1 s × 2 ≤ 8 s, 5 retries; the breaker opens at 5 failures for 30 s, closes
 * after one probe, and rejects. By founding document 002.
 *
 * @category constants
 * @since 0.1.0
 */
export const standard: ConnectionPolicy = {
  ...common,
  connectTimeout: Duration.seconds(5),
  retryInitialConnect: true,
  backoff: { base: Duration.seconds(1), factor: 2, cap: Duration.seconds(8), jitter: "none" },
  retry: { maxRetries: 5, resetOn: "connect" },
  circuit: {
    failureThreshold: 5,
    window: undefined,
    openDuration: Duration.seconds(30),
    openFactor: 1,
    openCap: Duration.seconds(30),
    halfOpen: { successThreshold: 1 },
    countDisconnect: false,
    whenOpen: "fail"
  }
}

const patientCircuit: typeof CircuitPolicy.Type = {
  failureThreshold: 10,
  window: undefined,
  openDuration: Duration.seconds(300),
  openFactor: 1,
  openCap: Duration.seconds(300),
  halfOpen: "skip",
  countDisconnect: true,
  whenOpen: "wait"
}

/**
 * Never gives up: 1 s × 2 ≤ 60 s; after 10 failures, drops included, it rests
 * for 300 s and starts afresh. A first connect that fails is not retried. By
 * founding document 004, and the defaults of its `[reconnection]` section.
 *
 * @category constants
 * @since 0.1.0
 */
export const patient: ConnectionPolicy = {
  ...common,
  connectTimeout: Duration.seconds(10),
  retryInitialConnect: false,
  backoff: { base: Duration.seconds(1), factor: 2, cap: Duration.seconds(60), jitter: "none" },
  retry: { maxRetries: "unlimited", resetOn: "connect" },
  circuit: patientCircuit
}

/**
 * For a connection that somebody above starts again: 1 s × 2 ≤ 30 s, 3 retries,
 * no breaker. By founding document 003.
 *
 * @category constants
 * @since 0.1.0
 */
export const supervised: ConnectionPolicy = {
  ...common,
  connectTimeout: Duration.seconds(5),
  retryInitialConnect: true,
  backoff: { base: Duration.seconds(1), factor: 2, cap: Duration.seconds(30), jitter: "none" },
  retry: { maxRetries: 3, resetOn: "connect" },
  circuit: "none"
}

/**
 * For public market data: 1 s × 2 ≤ 60 s without end; the breaker opens at 5
 * failures within 60 s, for 60 s, and needs three probes; attempts wait for it.
 * `"market-feed"` in configuration. By the public nzeza repository.
 *
 * @category constants
 * @since 0.1.0
 */
export const marketFeed: ConnectionPolicy = {
  ...common,
  connectTimeout: Duration.seconds(10),
  retryInitialConnect: true,
  backoff: { base: Duration.seconds(1), factor: 2, cap: Duration.seconds(60), jitter: "none" },
  retry: { maxRetries: "unlimited", resetOn: "connect" },
  circuit: {
    failureThreshold: 5,
    window: Duration.seconds(60),
    openDuration: Duration.seconds(60),
    openFactor: 1,
    openCap: Duration.seconds(60),
    halfOpen: { successThreshold: 3 },
    countDisconnect: true,
    whenOpen: "wait"
  }
}

/**
 * Short times for tests: 10 ms × 2 ≤ 100 ms without end; 3 failures rest it for
 * 50 ms, after which it starts afresh; no heartbeat. By founding document 004.
 *
 * @category constants
 * @since 0.1.0
 */
export const test: ConnectionPolicy = {
  ...common,
  connectTimeout: Duration.seconds(1),
  retryInitialConnect: true,
  backoff: { base: Duration.millis(10), factor: 2, cap: Duration.millis(100), jitter: "none" },
  retry: { maxRetries: "unlimited", resetOn: "connect" },
  circuit: {
    failureThreshold: 3,
    window: undefined,
    openDuration: Duration.millis(50),
    openFactor: 1,
    openCap: Duration.millis(50),
    halfOpen: "skip",
    countDisconnect: true,
    whenOpen: "wait"
  },
  heartbeat: "none"
}

// The window is the stable life that counts as success.
const recommendedAdaptive = { rapidFactor: 2, rapidWindow: Duration.seconds(30), recoverFactor: 0.5 }

/**
 * The default: 250 ms × 2 ≤ 30 s without end, with full jitter and adaptation;
 * the breaker opens at 5 failures for 10 s, doubling to 80 s, and needs three
 * probes; attempts wait for it. Only 30 s of stable life count as success, so a
 * server that accepts and drops is backed off like one that refuses.
 *
 * @category constants
 * @since 0.1.0
 */
export const recommended: ConnectionPolicy = {
  ...common,
  connectTimeout: Duration.seconds(10),
  retryInitialConnect: true,
  backoff: {
    base: Duration.millis(250),
    factor: 2,
    cap: Duration.seconds(30),
    jitter: "full",
    adaptive: recommendedAdaptive
  },
  retry: { maxRetries: "unlimited", resetOn: { stableFor: Duration.seconds(30) } },
  circuit: {
    failureThreshold: 5,
    window: undefined,
    openDuration: Duration.seconds(10),
    openFactor: 2,
    openCap: Duration.seconds(80),
    halfOpen: { successThreshold: 3 },
    countDisconnect: true,
    whenOpen: "wait"
  }
}

/**
 * The presets by the names that configuration knows.
 *
 * @category constants
 * @since 0.1.0
 */
export const presets = {
  fast,
  standard,
  patient,
  supervised,
  "market-feed": marketFeed,
  test,
  recommended
} as const satisfies Readonly<Record<string, ConnectionPolicy>>

/**
 * The name of a preset.
 *
 * @category models
 * @since 0.1.0
 */
export type PresetName = keyof typeof presets

/**
 * The names of the presets.
 *
 * @category constants
 * @since 0.1.0
 */
export const presetNames: ReadonlyArray<PresetName> = [
  "fast",
  "standard",
  "patient",
  "supervised",
  "market-feed",
  "test",
  "recommended"
]

/**
 * Returns the preset of that name.
 *
 * @category getters
 * @since 0.1.0
 */
export const preset = (name: PresetName): ConnectionPolicy => presets[name]

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

const kind = <A>(expected: string, read: (value: unknown) => A | undefined): Kind<A> => ({
  expected,
  read: (value) => Option.fromUndefinedOr(read(value))
})

const finite = (value: unknown): number | undefined => {
  const number = typeof value === "string" && /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value) ? Number(value) : value
  return typeof number === "number" && Number.isFinite(number) ? number : undefined
}

const atLeast = (least: number): Kind<number> =>
  kind(`a number of at least ${least}`, (value) => {
    const number = finite(value)
    return number !== undefined && number >= least ? number : undefined
  })

const share: Kind<number> = kind("a number greater than 0 and at most 1", (value) => {
  const number = finite(value)
  return number !== undefined && number > 0 && number <= 1 ? number : undefined
})

const whole = (least: number): Kind<number> =>
  kind(`a whole number of at least ${least}`, (value) => {
    const number = finite(value)
    return number !== undefined && Number.isSafeInteger(number) && number >= least ? number : undefined
  })

const flag: Kind<boolean> = kind(
  "true or false",
  (value) => value === true || value === "true" ? true : value === false || value === "false" ? false : undefined
)

const oneOf = <const A extends string>(names: ReadonlyArray<A>): Kind<A> =>
  kind(names.map((name) => `"${name}"`).join(", "), (value) => names.find((name) => name === value))

const either = <A, B>(first: Kind<A>, second: Kind<B>): Kind<A | B> => ({
  expected: `${first.expected}, or ${second.expected}`,
  read: (value) => Option.orElse<A, B>(first.read(value), () => second.read(value))
})

const duration: Kind<Duration.Duration> = kind(
  "a duration greater than zero, such as \"20 seconds\" or \"500ms\"",
  (value) =>
    typeof value === "string"
      ? Option.getOrUndefined(Option.filter(durationFromText(value), Duration.isPositive))
      : undefined
)

const wholeMillis: Kind<Duration.Duration> = kind("a whole number of milliseconds, at least 1", (value) => {
  const millis = finite(value)
  return millis !== undefined && Number.isSafeInteger(millis) && millis >= 1 ? Duration.millis(millis) : undefined
})

type Set = (policy: Fields) => Fields

/** A part of the policy that may be off, named by the key that says so. */
type Part = "circuit_breaker" | "heartbeat" | "adaptive"

/** One setting of the section: its names, the best first, how it is read, and the part to which it belongs. */
interface Setting {
  readonly names: ReadonlyArray<string>
  readonly part: Part | undefined
  readonly expected: (name: string) => string
  readonly read: (name: string, value: unknown) => Option.Option<Set>
}

const setting = <A>(
  names: ReadonlyArray<string>,
  kind: Kind<A>,
  set: (value: A) => Set,
  part?: Part
): Setting => ({
  names,
  part,
  expected: () => kind.expected,
  read: (_, value) => Option.map(kind.read(value), set)
})

/** A time. Each name takes a text; with `_ms` behind it, whole milliseconds. */
const time = (names: ReadonlyArray<string>, set: (value: Duration.Duration) => Set, part?: Part): Setting => {
  const kindOf = (name: string) => name.endsWith("_ms") ? wholeMillis : duration
  return {
    names: names.flatMap((name) => [name, `${name}_ms`]),
    part,
    expected: (name) => kindOf(name).expected,
    read: (name, value) => Option.map(kindOf(name).read(value), set)
  }
}

type Backoff = typeof BackoffPolicy.Type
type Adaptive = NonNullable<Backoff["adaptive"]>
type Circuit = typeof CircuitPolicy.Type
type Heartbeat = typeof HeartbeatPolicy.Type

const backoff = (change: Partial<Backoff>): Set => (policy) => ({
  ...policy,
  backoff: { ...policy.backoff, ...change }
})
const retry = (change: Partial<typeof RetryPolicy.Type>): Set => (policy) => ({
  ...policy,
  retry: { ...policy.retry, ...change }
})

// A part that the start has not comes on with these defaults.
const adaptive = (change: Partial<Adaptive>): Set => (policy) =>
  backoff({ adaptive: { ...(policy.backoff.adaptive ?? recommendedAdaptive), ...change } })(policy)
const circuit = (change: Partial<Circuit>): Set => (policy) => ({
  ...policy,
  circuit: { ...(policy.circuit === "none" ? patientCircuit : policy.circuit), ...change }
})
const heartbeat = (change: Partial<Heartbeat>): Set => (policy) => ({
  ...policy,
  heartbeat: { ...(policy.heartbeat === "none" ? common.heartbeat : policy.heartbeat), ...change }
})

const withoutAdaptive: Set = (policy) => {
  const { adaptive: _, ...backoff } = policy.backoff
  return { ...policy, backoff }
}

const settings: ReadonlyArray<Setting> = [
  time(["connect_timeout"], (connectTimeout) => (policy) => ({ ...policy, connectTimeout })),
  time(
    ["acknowledgement_timeout"],
    (acknowledgementTimeout) => (policy) => ({ ...policy, acknowledgementTimeout })
  ),
  setting(
    ["retry_initial_connect"],
    flag,
    (retryInitialConnect) => (policy) => ({ ...policy, retryInitialConnect })
  ),
  time(["initial_delay", "base_backoff"], (base) => backoff({ base })),
  time(["max_delay", "max_backoff"], (cap) => backoff({ cap })),
  setting(["backoff_multiplier"], atLeast(1), (factor) => backoff({ factor })),
  setting(["jitter"], oneOf(["none", "full", "equal"]), (jitter) => backoff({ jitter })),
  setting(["adaptive"], flag, (on) => on ? adaptive({}) : withoutAdaptive),
  setting(["adaptive_rapid_factor"], atLeast(1.8), (rapidFactor) => adaptive({ rapidFactor }), "adaptive"),
  time(["adaptive_rapid_window"], (rapidWindow) => adaptive({ rapidWindow }), "adaptive"),
  setting(["adaptive_recover_factor"], share, (recoverFactor) => adaptive({ recoverFactor }), "adaptive"),
  setting(["max_retries"], either(whole(0), oneOf(["unlimited"])), (maxRetries) => retry({ maxRetries })),
  setting(
    ["reset_on"],
    either(oneOf(["connect", "first-message"]), duration),
    (on) => retry({ resetOn: typeof on === "string" ? on : { stableFor: on } })
  ),
  setting(
    ["circuit_breaker"],
    flag,
    (on) => on ? circuit({}) : (policy) => ({ ...policy, circuit: "none" })
  ),
  setting(
    ["max_consecutive_failures"],
    whole(1),
    (failureThreshold) => circuit({ failureThreshold }),
    "circuit_breaker"
  ),
  setting(
    ["failure_window"],
    either(duration, oneOf(["none"])),
    (window) => circuit({ window: window === "none" ? undefined : window }),
    "circuit_breaker"
  ),
  time(
    ["circuit_breaker_cooldown"],
    // A longer rest than the cap of the start raises the cap.
    (openDuration) => (policy) => {
      const { openCap } = policy.circuit === "none" ? patientCircuit : policy.circuit
      return circuit({ openDuration, openCap: Duration.max(openCap, openDuration) })(policy)
    },
    "circuit_breaker"
  ),
  setting(["circuit_breaker_multiplier"], atLeast(1), (openFactor) => circuit({ openFactor }), "circuit_breaker"),
  time(["circuit_breaker_max_cooldown"], (openCap) => circuit({ openCap }), "circuit_breaker"),
  setting(
    ["half_open_successes"],
    either(whole(1), oneOf(["skip"])),
    (successes) => circuit({ halfOpen: successes === "skip" ? successes : { successThreshold: successes } }),
    "circuit_breaker"
  ),
  setting(["count_disconnect"], flag, (countDisconnect) => circuit({ countDisconnect }), "circuit_breaker"),
  setting(["when_open"], oneOf(["fail", "wait"]), (whenOpen) => circuit({ whenOpen }), "circuit_breaker"),
  setting(["outbox_messages"], whole(1), (messages) => (policy) => ({
    ...policy,
    buffer: { ...policy.buffer, messages }
  })),
  setting(["outbox_bytes"], whole(1), (bytes) => (policy) => ({ ...policy, buffer: { ...policy.buffer, bytes } })),
  setting(["inbound_bytes"], whole(1), (bytes) => (policy) => ({ ...policy, inbound: { ...policy.inbound, bytes } })),
  setting(["max_message_bytes"], whole(1), (maxMessageBytes) => (policy) => ({
    ...policy,
    inbound: { ...policy.inbound, maxMessageBytes }
  })),
  setting(["heartbeat"], flag, (on) => on ? heartbeat({}) : (policy) => ({ ...policy, heartbeat: "none" })),
  time(["heartbeat_interval"], (interval) => heartbeat({ interval }), "heartbeat"),
  time(["heartbeat_timeout"], (timeout) => heartbeat({ timeout }), "heartbeat"),
  setting(["heartbeat_on_miss"], oneOf(["close", "report"]), (onMiss) => heartbeat({ onMiss }), "heartbeat"),
  time(["close_timeout"], (closeTimeout) => (policy) => ({ ...policy, closeTimeout })),
  time(["forced_close_timeout"], (forcedTimeout) => (policy) => ({ ...policy, forcedTimeout }))
]

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
  let policy: Fields = start
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
    const set = setting.read(name, value)
    if (Option.isNone(set)) return refuse(name, value, setting.expected(name))
    policy = set.value(policy)
  }
  for (const rule of rules) {
    if (holds(rule, policy)) continue
    const [least, most] = rule.times(policy).map(Duration.toMillis)
    const nameOf = (first: string) =>
      settings.filter(({ names }) => names[0] === first).flatMap((setting) => given(section, setting))[0]
    const lower = nameOf(rule.least) ?? rule.least
    const upper = nameOf(rule.most)
    return upper === undefined
      ? refuse(lower, section[lower], `at most ${rule.most}, ${most} ms`)
      : refuse(upper, section[upper], `at least ${rule.least}, ${least} ms`)
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
