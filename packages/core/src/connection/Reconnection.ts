/**
 * How a connection comes back: the policy, and the answer to each failure.
 *
 * A policy alone says nothing of a breaker's state; breakers are shared between
 * the connections to one origin and live in the `CircuitBreaker` service.
 * `layer` gives the policy, `layerWithBreaker` both.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CircuitBreaker from "../resilience/CircuitBreaker.ts"
import type * as ConnectionPolicy from "../resilience/ConnectionPolicy.ts"
import type { Answer } from "../resilience/internal/recovery.ts"
import * as PolicyConfig from "../resilience/PolicyConfig.ts"
import * as Presets from "../resilience/Presets.ts"
import * as ConnectError from "./ConnectError.ts"

/**
 * Decides what a failure leads to.
 *
 * @category models
 * @since 0.1.0
 */
export type Classify = (failure: ConnectError.Failure) => Answer

/**
 * How connections come back.
 *
 * @category services
 * @since 0.1.0
 */
export class Reconnection extends Context.Service<Reconnection, {
  readonly policy: ConnectionPolicy.ConnectionPolicy
  readonly classify: Classify
}>()("@tickline/core/connection/Reconnection") {}

/**
 * Gives the policy, and the classification where it is replaced.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  policy: ConnectionPolicy.ConnectionPolicy = Presets.recommended,
  options?: { readonly classify?: Classify | undefined } | undefined
): Layer.Layer<Reconnection> =>
  Layer.succeed(Reconnection, { policy, classify: options?.classify ?? ConnectError.classify })

/**
 * Gives the policy and a registry of breakers by the policy's `circuit`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWithBreaker = (
  policy: ConnectionPolicy.ConnectionPolicy = Presets.recommended,
  options?: { readonly classify?: Classify | undefined } | undefined
): Layer.Layer<Reconnection | CircuitBreaker.CircuitBreaker> =>
  Layer.merge(layer(policy, options), CircuitBreaker.layer(policy.circuit))

/**
 * As `layerWithBreaker`, with a policy from the configuration. Default: that of
 * the environment over `recommended`, `PolicyConfig.config`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  policy: Config.Config<ConnectionPolicy.ConnectionPolicy> = PolicyConfig.config,
  options?: { readonly classify?: Classify | undefined } | undefined
): Layer.Layer<Reconnection | CircuitBreaker.CircuitBreaker, Config.ConfigError> =>
  Layer.unwrap(Effect.map(policy, (policy) => layerWithBreaker(policy, options)))
