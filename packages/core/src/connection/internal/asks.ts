/**
 * What was asked for and not answered yet, and what an answer means of it.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Answer, Ask } from "../../protocol/Dialect.ts"
import type { Frame } from "../../transport/Frame.ts"
import * as Channel from "../../value/Channel.ts"
import { ConnectionClosed, type SubscriptionRefused } from "../ConnectError.ts"

/**
 * Channels by their keys.
 *
 * @category models
 * @since 0.1.0
 */
export type Channels = ReadonlyMap<string, Channel.Channel>

/**
 * The channels that are not among others.
 *
 * @category getters
 * @since 0.1.0
 */
export const without = (channels: Channels, others: Channels): Array<Channel.Channel> =>
  [...channels].filter(([key]) => !others.has(key)).map(([, channel]) => channel)

/**
 * A frame as the ask for the channels that it is of.
 *
 * @category constructors
 * @since 0.1.0
 */
export const askOf = (frame: Frame | Ask, channels: ReadonlyArray<Channel.Channel>): Ask =>
  typeof frame === "string" || frame instanceof Uint8Array ? { text: frame, channels, requestId: undefined } : frame

/**
 * An ask that was written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pending {
  readonly ask: Ask
  readonly at: number
  /** Whether it asks for its channels; else it gives them up. */
  readonly adds: boolean
  /** Whether it was answered, by a list that need not be the last. */
  isAnswered: boolean
  /** Whether it was given up waiting for. */
  isExpired: boolean
}

/**
 * A confirmation.
 *
 * @category models
 * @since 0.1.0
 */
export type Confirmed = Answer & { readonly _tag: "Confirmed" }

/**
 * The channels of an ask that a confirmation means: those it names, else those of
 * the product that it names. A channel's own name may differ in the answer:
 * Coinbase Exchange confirms `level2_batch` as `level2_50`. What is wanted by that
 * very name means no other.
 *
 * @category getters
 * @since 0.1.0
 */
export const meantBy = (
  { channel, product }: Confirmed,
  asks: ReadonlyArray<Pending>,
  wants: Channels
): ReadonlyArray<Channel.Channel> => {
  const channels = asks.flatMap(({ ask }) => ask.channels)
  const exact = channels.filter((one) => one.channel === channel && (product === undefined || one.product === product))
  if (exact.length > 0 || product === undefined) return exact
  const isWanted = channel !== undefined && wants.has(Channel.key({ channel, product }))
  return isWanted ? [] : channels.filter((one) => one.product === product)
}

/**
 * What the asks without an id are of, gathered once while they are the same: a
 * frame may name a hundred thousand other things.
 *
 * @category models
 * @since 0.1.0
 */
export class Names {
  private of: ReadonlyArray<Pending> | undefined
  private channels: ReadonlySet<string | undefined> = new Set()
  private products: ReadonlySet<string | undefined> = new Set()

  /** Whether one of them is of what a confirmation names. */
  has({ channel, product }: Confirmed, pending: ReadonlyArray<Pending>, unnumbered: ReadonlyArray<Pending>): boolean {
    if (this.of !== pending) {
      const channels = unnumbered.flatMap(({ ask }) => ask.channels)
      this.of = pending
      this.channels = new Set(channels.map(({ channel }) => channel))
      this.products = new Set(channels.map(({ product }) => product))
    }
    return product === undefined ? this.channels.has(channel) : this.products.has(product)
  }
}

/**
 * Whoever waits for the refusal of a channel.
 *
 * @category models
 * @since 0.1.0
 */
export class Waiters {
  private readonly all = new Set<{
    readonly key: string
    readonly outcome: Deferred.Deferred<never, SubscriptionRefused | ConnectionClosed>
  }>()

  wait(key: string): Effect.Effect<never, SubscriptionRefused | ConnectionClosed> {
    const waiter = { key, outcome: Deferred.makeUnsafe<never, SubscriptionRefused | ConnectionClosed>() }
    this.all.add(waiter)
    return Effect.ensuring(Deferred.await(waiter.outcome), Effect.sync(() => this.all.delete(waiter)))
  }

  refuse(key: string, refused: SubscriptionRefused): void {
    for (const waiter of this.all) {
      if (waiter.key === key) Deferred.doneUnsafe(waiter.outcome, Effect.fail(refused))
    }
  }

  close(): void {
    for (const { outcome } of this.all) Deferred.doneUnsafe(outcome, Effect.fail(new ConnectionClosed()))
  }
}
