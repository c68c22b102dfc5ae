/**
 * The parts of a policy that may be off, as they come on, and what all presets
 * share.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"

/**
 * The breaker of `patient`.
 *
 * @category constants
 * @since 0.1.0
 */
export const circuit = {
  failureThreshold: 10,
  window: undefined,
  openDuration: Duration.seconds(300),
  openFactor: 1,
  openCap: Duration.seconds(300),
  halfOpen: "skip",
  countDisconnect: true,
  whenOpen: "wait"
} as const

/**
 * The adaptation of `recommended`. The window is the stable life that counts as
 * success.
 *
 * @category constants
 * @since 0.1.0
 */
export const adaptive = { rapidFactor: 2, rapidWindow: Duration.seconds(30), recoverFactor: 0.5 } as const

/**
 * The heartbeat of every preset that has one.
 *
 * @category constants
 * @since 0.1.0
 */
export const heartbeat = { interval: Duration.seconds(15), timeout: Duration.seconds(10), onMiss: "close" } as const
