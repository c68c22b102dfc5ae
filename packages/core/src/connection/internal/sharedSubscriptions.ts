/**
 * Channels that share one subscription: of those that are wanted the peer is
 * asked for the one that has what the others need, which are had with it.
 *
 * @since 0.1.0
 */
import type { Dialect } from "../../protocol/Dialect.ts"
import * as Channel from "../../value/Channel.ts"

/**
 * The subscriptions of one connection that several channels share, each by its
 * name.
 *
 * @category models
 * @since 0.1.0
 */
export class SharedSubscriptions {
  private readonly sharing: Dialect<never>["sharing"]
  // The wanted channels of each, by their keys; and the one of them that this epoch was asked for.
  private readonly sharers = new Map<string, Map<string, Channel.Channel>>()
  private readonly askedOf = new Map<string, Channel.Channel>()

  constructor(sharing: Dialect<never>["sharing"]) {
    this.sharing = sharing
  }

  /** The name of a channel's subscription, if others may share it. */
  nameOf(channel: Channel.Channel): string | undefined {
    return this.sharing?.(channel)?.name
  }

  want(key: string, channel: Channel.Channel): void {
    const name = this.nameOf(channel)
    if (name === undefined) return
    const sharers = this.sharers.get(name)
    if (sharers === undefined) this.sharers.set(name, new Map([[key, channel]]))
    else sharers.set(key, channel)
  }

  /** Returns whether it is another channel that was asked for: it serves those that are left. */
  unwant(key: string, channel: Channel.Channel): boolean {
    const name = this.nameOf(channel)
    if (name === undefined) return false
    const sharers = this.sharers.get(name)
    sharers?.delete(key)
    if (sharers?.size === 0) this.sharers.delete(name)
    const carrier = this.askedOf.get(name)
    return carrier !== undefined && Channel.key(carrier) !== key
  }

  /** The channel that was asked for, of those that share a subscription. */
  asked(name: string): Channel.Channel | undefined {
    return this.askedOf.get(name)
  }

  /** Another one is asked for from now on, or none. */
  setAsked(name: string, carrier: Channel.Channel | undefined): void {
    if (carrier === undefined) this.askedOf.delete(name)
    else this.askedOf.set(name, carrier)
  }

  /** Of those that share a subscription, the one that is to be asked for: the highest in rank that can be had. */
  carrierOf(name: string, isImpossible: (key: string) => boolean): Channel.Channel | undefined {
    let [carrier, most]: [Channel.Channel | undefined, number] = [undefined, -Infinity]
    for (const [key, channel] of this.sharers.get(name) ?? []) {
      const rank = this.sharing?.(channel)?.rank ?? -Infinity
      if (rank > most && !isImpossible(key)) [carrier, most] = [channel, rank]
    }
    return carrier
  }

  /** The channels whose subscriptions they have: each its own, or that of one which serves it. */
  carriersOf(channels: ReadonlyArray<Channel.Channel>): ReadonlyArray<Channel.Channel> {
    if (this.sharing === undefined) return channels
    const carriers = channels.map((channel) => this.askedOf.get(this.nameOf(channel) ?? "") ?? channel)
    return [...new Map(carriers.map((carrier) => [Channel.key(carrier), carrier])).values()]
  }

  /** The channels with those that they serve. */
  withServed(channels: ReadonlyArray<Channel.Channel>): ReadonlyArray<Channel.Channel> {
    if (this.sharing === undefined) return channels
    return channels.flatMap((channel) => {
      const name = this.nameOf(channel) ?? ""
      const asked = this.askedOf.get(name)
      const isAsked = asked !== undefined && Channel.key(asked) === Channel.key(channel)
      return isAsked ? [channel, ...this.sharers.get(name)?.values() ?? []] : [channel]
    })
  }

  /** Nothing was asked for yet. */
  reset(): void {
    this.askedOf.clear()
  }
}
