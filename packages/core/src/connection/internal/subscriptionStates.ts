/**
 * Where the channels that a connection is to ask for stand.
 *
 * @since 0.1.0
 */
import type { Dialect } from "../../protocol/Dialect.ts"
import type * as Channel from "../../value/Channel.ts"
import type { SubscriptionRefused } from "../ConnectError.ts"
import { Names } from "./pendingSubscriptions.ts"

/**
 * Where a wanted subscription stands: not asked for (no epoch is up), asked for
 * and not answered, confirmed, or refused.
 *
 * @category models
 * @since 0.1.0
 */
export type SubscriptionState = "wanted" | "asked" | "confirmed" | "refused"

/**
 * Where each wanted channel stands, by its key.
 *
 * @category models
 * @since 0.1.0
 */
export class SubscriptionStates {
  readonly wants = new Map<string, Channel.Channel>()
  readonly asked = new Map<string, Channel.Channel>()
  readonly confirmed = new Set<string>()
  readonly refused = new Map<string, SubscriptionRefused>()
  // Of these, what was refused without a word: for want of an answer, or left out of one.
  readonly refusedSilently = new Set<string>()
  // What cannot be asked for, in no epoch, and whether that was told.
  readonly impossible = new Map<string, { readonly refused: SubscriptionRefused; isTold: boolean }>()

  // Those whose being wanted has changed since it was last compared with what is asked for.
  private changed = new Map<string, Channel.Channel>()

  /** The wanted channels by what answers call them. */
  readonly names: Names

  constructor(answeredAs: Dialect<never>["answeredAs"]) {
    this.names = new Names(this.wants, answeredAs)
  }

  want(key: string, channel: Channel.Channel): void {
    this.wants.set(key, channel)
    this.changed.set(key, channel)
    this.refusedSilently.delete(key)
    // Whoever wants what was refused wants it asked for again.
    if (this.refused.delete(key)) this.asked.delete(key)
  }

  unwant(key: string, channel: Channel.Channel): void {
    this.wants.delete(key)
    this.impossible.delete(key)
    this.changed.set(key, channel)
  }

  stateOf(key: string): SubscriptionState {
    if (this.refusalOf(key) !== undefined) return "refused"
    if (this.confirmed.has(key)) return "confirmed"
    return this.asked.has(key) ? "asked" : "wanted"
  }

  refusalOf(key: string): SubscriptionRefused | undefined {
    return this.refused.get(key) ?? this.impossible.get(key)?.refused
  }

  /** What is to be asked for and to be given up: from now on it counts as done. */
  takeChanges(): { readonly adds: Array<Channel.Channel>; readonly gone: Array<Channel.Channel> } {
    const adds: Array<Channel.Channel> = []
    const gone: Array<Channel.Channel> = []
    for (const [key, channel] of this.changed) {
      if (this.wants.has(key) === this.asked.has(key) || this.impossible.has(key)) continue
      if (this.wants.has(key)) {
        this.asked.set(key, channel)
        adds.push(channel)
      } else {
        this.asked.delete(key)
        gone.push(channel)
      }
    }
    this.changed.clear()
    return { adds, gone }
  }

  /** A new epoch has been asked for nothing yet. */
  reset(): void {
    this.asked.clear()
    this.changed = new Map(this.wants)
    this.confirmed.clear()
    this.refused.clear()
    this.refusedSilently.clear()
  }
}
