/**
 * Where the channels that a connection is to ask for stand.
 *
 * @since 0.1.0
 */
import type { Dialect } from "../../protocol/Dialect.ts"
import * as Channel from "../../value/Channel.ts"
import type { SubscriptionRefused } from "../ConnectError.ts"
import { Names } from "./pendingAsks.ts"
import { SharedSubscriptions } from "./sharedSubscriptions.ts"

/**
 * Where a wanted subscription stands: not asked for (no epoch is up), asked for
 * and not answered, confirmed, or refused.
 *
 * @category models
 * @since 0.1.0
 */
export type SubscriptionState = "wanted" | "asked" | "confirmed" | "refused"

/**
 * What has changed of what is to be asked for: what is to be asked for and given
 * up, what is to be given up before because another one takes its place, and what
 * is had already with another one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Changes {
  readonly adds: ReadonlyArray<Channel.Channel>
  readonly gone: ReadonlyArray<Channel.Channel>
  readonly replaced: ReadonlyArray<Channel.Channel>
  readonly served: ReadonlyArray<Channel.Channel>
}

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
  readonly shared: SharedSubscriptions

  constructor({ answeredAs, sharing }: Pick<Dialect<never>, "answeredAs" | "sharing">) {
    this.names = new Names(this.wants, answeredAs)
    this.shared = new SharedSubscriptions(sharing)
  }

  want(key: string, channel: Channel.Channel): void {
    this.wants.set(key, channel)
    this.changed.set(key, channel)
    this.refusedSilently.delete(key)
    this.shared.want(key, channel)
    // Whoever wants what was refused wants it asked for again, with that which serves it.
    if (this.refused.delete(key)) { for (const one of this.shared.carriersOf([channel])) this.forget(Channel.key(one)) }
  }

  private forget(key: string): void {
    this.refused.delete(key)
    this.asked.delete(key)
  }

  unwant(key: string, channel: Channel.Channel): void {
    this.wants.delete(key)
    this.impossible.delete(key)
    this.changed.set(key, channel)
    // What another one serves is not given up, and is to be confirmed if it is wanted again.
    if (this.shared.unwant(key, channel)) this.confirmed.delete(key)
  }

  stateOf(key: string): SubscriptionState {
    if (this.refusalOf(key) !== undefined) return "refused"
    if (this.confirmed.has(key)) return "confirmed"
    if (this.asked.has(key)) return "asked"
    const channel = this.wants.get(key)
    const name = channel === undefined ? undefined : this.shared.nameOf(channel)
    return name !== undefined && this.shared.asked(name) !== undefined ? "asked" : "wanted"
  }

  refusalOf(key: string): SubscriptionRefused | undefined {
    return this.refused.get(key) ?? this.impossible.get(key)?.refused
  }

  /** What is to be asked for and to be given up: from now on it counts as done. */
  takeChanges(): Changes {
    const adds: Array<Channel.Channel> = []
    const gone: Array<Channel.Channel> = []
    const replaced: Array<Channel.Channel> = []
    const served: Array<Channel.Channel> = []
    const shared = new Set<string>()
    for (const [key, channel] of this.changed) {
      const name = this.shared.nameOf(channel)
      if (name !== undefined) {
        shared.add(name)
        if (this.wants.has(key)) served.push(channel)
        continue
      }
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
    for (const name of shared) {
      const before = this.shared.asked(name)
      const carrier = this.shared.carrierOf(name, (key) => this.impossible.has(key))
      if (before !== undefined && carrier !== undefined && Channel.key(before) === Channel.key(carrier)) {
        // What was refused is asked for again if somebody wants it anew.
        if (this.asked.has(Channel.key(carrier))) continue
      } else if (before !== undefined) {
        this.asked.delete(Channel.key(before))
        ;(carrier === undefined ? gone : replaced).push(before)
      }
      this.shared.setAsked(name, carrier)
      if (carrier === undefined) continue
      this.asked.set(Channel.key(carrier), carrier)
      adds.push(carrier)
    }
    return {
      adds,
      gone,
      replaced,
      served: served.filter((one) =>
        this.shared.carriersOf([one]).every((carrier) => this.confirmed.has(Channel.key(carrier)))
      )
    }
  }

  /**
   * These are not had any more. Returns those that the peer has to be told of: it has not what it has refused, but may
   * have what it said nothing of.
   */
  giveUp(gone: ReadonlyArray<Channel.Channel>): ReadonlyArray<Channel.Channel> {
    const removes = gone.filter((channel) => {
      const isRefused = this.refused.delete(Channel.key(channel))
      return this.refusedSilently.delete(Channel.key(channel)) || !isRefused
    })
    for (const channel of removes) this.confirmed.delete(Channel.key(channel))
    return removes
  }

  /** A new epoch has been asked for nothing yet. */
  reset(): void {
    this.asked.clear()
    this.shared.reset()
    this.changed = new Map(this.wants)
    this.confirmed.clear()
    this.refused.clear()
    this.refusedSilently.clear()
  }
}
