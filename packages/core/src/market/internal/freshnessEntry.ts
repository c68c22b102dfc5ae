/**
 * What a tracker of freshness keeps of a subscription.
 *
 * @since 0.1.0
 */
import type { Channel } from "../../value/Channel.ts"

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
  // Whether it has ever delivered, in any epoch, and the longest that it was silent between.
  hasDelivered: boolean
  longestSilence: number
  // Since when it is waited for, or undefined where it is not (no epoch is up).
  askedAt: number | undefined
  // Whether it has delivered in this epoch.
  isHeard: boolean
  // When it last delivered in any, or was made.
  lastAt: number
  // Since when the step is waited for.
  steppedAt: number | undefined
  steps: number
  // The last silences between what it delivered, and how many there were in all.
  ages: Float64Array | undefined
  silences: number
  max: number
  withinMillis: number
  totalMillis: number
}
