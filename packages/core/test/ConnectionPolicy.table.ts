/** Every figure of every preset, and the ways to read a policy. */
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as PolicyConfig from "@tickline/core/resilience/PolicyConfig"
import type * as Presets from "@tickline/core/resilience/Presets"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** A row of the architecture's table of presets, in its words. */
export const row = (policy: ConnectionPolicy.ConnectionPolicy): ReadonlyArray<unknown> => {
  const { backoff, circuit, connectTimeout, retry, retryInitialConnect } = policy
  const ms = Duration.toMillis
  return [
    [ms(backoff.base), backoff.factor, ms(backoff.cap), backoff.jitter, backoff.adaptive !== undefined],
    retry.maxRetries,
    circuit === "none" ? "none" : [
      circuit.failureThreshold,
      circuit.window === undefined ? "in a row" : ms(circuit.window),
      ms(circuit.openDuration),
      circuit.openFactor,
      ms(circuit.openCap),
      circuit.halfOpen === "skip" ? "skip" : circuit.halfOpen.successThreshold
    ],
    circuit === "none" ? undefined : circuit.whenOpen,
    typeof retry.resetOn === "string" ? retry.resetOn : ms(retry.resetOn.stableFor),
    circuit === "none" ? false : circuit.countDisconnect,
    ms(connectTimeout),
    retryInitialConnect
  ]
}

export const table: Readonly<Record<Presets.PresetName, ReadonlyArray<unknown>>> = {
  fast: [
    [100, 2, 800, "none", false],
    5,
    [5, "in a row", 10_000, 2, 80_000, 3],
    "fail",
    "connect",
    false,
    5000,
    true
  ],
  standard: [
    [1000, 2, 8000, "none", false],
    5,
    [5, "in a row", 30_000, 1, 30_000, 1],
    "fail",
    "connect",
    false,
    5000,
    true
  ],
  patient: [
    [1000, 2, 60_000, "none", false],
    "unlimited",
    [10, "in a row", 300_000, 1, 300_000, "skip"],
    "wait",
    "connect",
    true,
    10_000,
    false
  ],
  supervised: [[1000, 2, 30_000, "none", false], 3, "none", undefined, "connect", false, 5000, true],
  "market-feed": [
    [1000, 2, 60_000, "none", false],
    "unlimited",
    [5, 60_000, 60_000, 1, 60_000, 3],
    "wait",
    "connect",
    true,
    10_000,
    true
  ],
  test: [
    [10, 2, 100, "none", false],
    "unlimited",
    [3, "in a row", 50, 1, 50, "skip"],
    "wait",
    "connect",
    true,
    1000,
    true
  ],
  recommended: [
    [250, 2, 30_000, "full", true],
    "unlimited",
    [5, "in a row", 10_000, 2, 80_000, 3],
    "wait",
    30_000,
    true,
    10_000,
    true
  ]
}

export const toml = (section: string) => PolicyConfig.fromToml(`[reconnection]\n${section}`)
export const refused = (section: string) => Effect.map(Effect.flip(toml(section)), ({ message }) => message)
