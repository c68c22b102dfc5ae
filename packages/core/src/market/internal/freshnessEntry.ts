/**
 * What a tracker of freshness keeps of a subscription.
 *
 * @since 0.1.0
 */
import type { Channel } from "../../value/Channel.ts"
import type { Silences } from "./silences.ts"

/**
 * What is known of one subscription.
 *
 * @category models
 * @since 0.1.0
 */
export interface FreshnessEntry {
  readonly channel: Channel
  isSubscribed: boolean
  readonly deadlineMillis: number
  readonly isQuiet: boolean
  // Since when it is waited for, or undefined where it is not (no epoch is up).
  askedAt: number | undefined
  // Whether it has delivered in this epoch.
  isHeard: boolean
  readonly madeAt: number
  // Those of all epochs, if it has ever delivered.
  silences: Silences | undefined
  // Since when the step is waited for.
  steppedAt: number | undefined
  steps: number
}
