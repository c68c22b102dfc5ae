/**
 * What was asked for and not answered yet, and what an answer means of it.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Answer, Ask, Dialect } from "../../protocol/Dialect.ts"
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

const asItself = (channel: string): string => channel

const nothing: ReadonlySet<string | undefined> = new Set()

/**
 * What confirmations mean, of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export class Names {
  private readonly wants: Channels
  private readonly answeredAs: (channel: string) => string
  // What the asks without an id are of, gathered once while they are the same: a frame may name a hundred thousand
  // other things.
  private of: ReadonlyArray<Pending> | undefined
  private channels = nothing
  private products = nothing

  constructor(wants: Channels, answeredAs: Dialect["answeredAs"] = asItself) {
    this.wants = wants
    this.answeredAs = answeredAs
  }

  /** Whether one of them is of what a confirmation names. */
  has({ channel, product }: Confirmed, pending: ReadonlyArray<Pending>, unnumbered: ReadonlyArray<Pending>): boolean {
    if (this.of !== pending) {
      const channels = unnumbered.flatMap(({ ask }) => ask.channels)
      this.of = pending
      this.channels = new Set(channels.flatMap(({ channel }) => [channel, this.answeredAs(channel)]))
      this.products = new Set(channels.map(({ product }) => product))
    }
    return product === undefined ? this.channels.has(channel) : this.products.has(product)
  }

  /**
   * The channels of asks that a confirmation means: those that its function names;
   * those that it names by their own name, else by the one that they have in answers;
   * those of the product, where it names no channel. What is wanted by the very name
   * means no other.
   */
  meant({ channel, names, product }: Confirmed, asks: ReadonlyArray<Pending>): ReadonlyArray<Channel.Channel> {
    const channels = asks.flatMap(({ ask }) => ask.channels)
      .filter((one) => names?.(one) ?? (product === undefined || one.product === product))
    if (channel === undefined) return channels
    const exact = channels.filter((one) => one.channel === channel)
    return exact.length > 0 || this.wants.has(Channel.key(Channel.make(channel, product)))
      ? exact
      : channels.filter((one) => this.answeredAs(one.channel) === channel)
  }
}

/**
 * Whoever waits for the refusal of a channel.
 *
 * @category models
 * @since 0.1.0
 */
export class RefusalWaiters {
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
