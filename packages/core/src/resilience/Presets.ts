/**
 * Policies by name, one for each way of working that the house knows. Change
 * what is to differ by `ConnectionPolicy.with`.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { ConnectionPolicy } from "./ConnectionPolicy.ts"
import * as PresetDefaults from "./internal/presetDefaults.ts"

// What the presets share. 1,000 messages, 10 MB a message and both close timeouts are the public nzeza repository's;
// the other figures are ours.
const common = {
  acknowledgementTimeout: Duration.seconds(10),
  buffer: { messages: 1000, bytes: 8 * 1024 * 1024 },
  inbound: { bytes: 8 * 1024 * 1024, maxMessageBytes: 10 * 1024 * 1024 },
  heartbeat: PresetDefaults.heartbeat,
  closeTimeout: Duration.seconds(2),
  forcedTimeout: Duration.millis(100)
} as const

/**
 * Quick and limited: 100 ms × 2 ≤ 800 ms, 5 retries; the breaker opens at 5
 * failures for 10 s, doubling to 80 s, and rejects.
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
 * after one probe, and rejects.
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

/**
 * Never gives up: 1 s × 2 ≤ 60 s; after 10 failures, drops included, it rests
 * for 300 s and starts afresh. A first connect that fails is not retried.
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
  circuit: PresetDefaults.circuit
}

/**
 * For a connection that somebody above starts again: 1 s × 2 ≤ 30 s, 3 retries,
 * no breaker.
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
 * 50 ms, after which it starts afresh; no heartbeat.
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
    adaptive: PresetDefaults.adaptive
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

const presets = {
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
