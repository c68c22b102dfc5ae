/**
 * Subscriptions as desired state: which channels are wanted, which of them this
 * epoch was asked for, and which the peer has confirmed or refused. An epoch
 * begins with nothing asked for; asking goes on until what is asked for is what
 * is wanted.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import type { Frame } from "../transport/Frame.ts"
import type { Wire, WireClosed } from "../transport/Transport.ts"
import * as Channel from "../value/Channel.ts"
import * as Printable from "../value/Printable.ts"

/**
 * A frame that asks for channels or gives them up. `requestId` is the id that
 * the answer repeats, `undefined` where the peer answers by naming the channels,
 * or not at all.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ask {
  readonly text: Frame
  readonly channels: ReadonlyArray<Channel.Channel>
  readonly requestId: string | undefined
}

/**
 * What a message says of an ask: known by its id where it has one, else by what
 * it names, and then of asks without an id alone; a confirmation that names
 * nothing is that of the oldest of them. Where it `lists`, the ask by that id is
 * confirmed for what is named, in this message and those that follow it at
 * once, and refused for the rest.
 *
 * @category models
 * @since 0.1.0
 */
export type Answer =
  | {
    readonly _tag: "Confirmed"
    readonly lists?: boolean | undefined
    readonly requestId?: string | undefined
    readonly channel?: string | undefined
    readonly product?: string | undefined
  }
  | {
    readonly _tag: "Refused"
    readonly requestId?: string | undefined
    readonly code?: string | undefined
    readonly message?: string | undefined
  }

/**
 * How a peer is asked for channels, in frames or in asks, numbered from `id` on:
 * none for none. `answer` knows the messages that answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Dialect<A = unknown> {
  readonly subscribe: (channels: ReadonlyArray<Channel.Channel>, id: number) => ReadonlyArray<Frame | Ask>
  readonly unsubscribe: (channels: ReadonlyArray<Channel.Channel>, id: number) => ReadonlyArray<Frame | Ask>
  readonly answer?: ((message: A) => Answer | undefined) | undefined
}

/**
 * The peer refused a subscription. It is not asked for again in this epoch.
 *
 * @category errors
 * @since 0.1.0
 */
export class SubscriptionRefused extends Schema.TaggedError<SubscriptionRefused>()("SubscriptionRefused", {
  channel: Channel.Channel,
  code: Schema.optionalKey(Schema.String),
  reason: Schema.String
}) {
  override get message(): string {
    const { channel, product } = this.channel
    return Printable.escape(
      `subscription to ${channel}${product === undefined ? "" : ` of ${product}`} refused: ${this.reason}`
    )
  }
}

/**
 * Where a wanted subscription stands: not asked for (no epoch is up), asked for
 * and not answered, confirmed, or refused.
 *
 * @category models
 * @since 0.1.0
 */
export type Standing = "wanted" | "asked" | "confirmed" | "refused"

/**
 * The subscriptions of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Restoration<A> {
  readonly want: (channels: ReadonlyArray<Channel.Channel>) => void
  readonly unwant: (channels: ReadonlyArray<Channel.Channel>) => void
  /** The channels that are wanted, in the order in which they were asked for. */
  readonly wanted: () => ReadonlyArray<Channel.Channel>
  readonly standings: () => ReadonlyArray<{ readonly channel: Channel.Channel; readonly standing: Standing }>
  /** An epoch begins, or has ended: nothing was asked for. */
  readonly reset: () => void
  /** Asks for what is wanted and was not asked for, and gives up what is not wanted any more. */
  readonly ask: (wire: Wire) => Effect.Effect<void, WireClosed>
  /** Gives the channels up and asks for them again, on an epoch that is up. */
  readonly renew: (wire: Wire, channels: ReadonlyArray<Channel.Channel>) => Effect.Effect<void, WireClosed>
  /** Shows it a message; absent where the dialect knows no answers. */
  readonly notice: ((message: A) => void) | undefined
  /** Fails when the peer refuses the channel, at once where it has in this epoch. */
  readonly refusal: (channel: Channel.Channel) => Effect.Effect<never, SubscriptionRefused>
  /** The channels whose ask, by id, was not answered for so many milliseconds. */
  readonly unanswered: (at: number, millis: number) => ReadonlyArray<Channel.Channel>
}

type Channels = ReadonlyMap<string, Channel.Channel>

const without = (channels: Channels, others: Channels): Array<Channel.Channel> =>
  [...channels].filter(([key]) => !others.has(key)).map(([, channel]) => channel)

const askOf = (frame: Frame | Ask, channels: ReadonlyArray<Channel.Channel>): Ask =>
  typeof frame === "string" || frame instanceof Uint8Array ? { text: frame, channels, requestId: undefined } : frame

interface Pending {
  readonly ask: Ask
  readonly at: number
  /** Whether it asks for its channels; else it gives them up. */
  readonly adds: boolean
}

// The channels of an ask that a confirmation means: those it names, else those of the product that it names. A
// channel's own name may differ in the answer: Coinbase Exchange confirms `level2_batch` as `level2_50`.
const meantBy = (
  { channel, product }: Answer & { readonly _tag: "Confirmed" },
  asks: ReadonlyArray<Pending>
): ReadonlyArray<Channel.Channel> => {
  const channels = asks.flatMap(({ ask }) => ask.channels)
  const exact = channels.filter((one) => one.channel === channel && (product === undefined || one.product === product))
  return exact.length > 0 || product === undefined ? exact : channels.filter((one) => one.product === product)
}

// What one connection's subscriptions are made with.
interface Options<A> {
  readonly dialect: Dialect<A> | undefined
  readonly admit: Effect.Effect<void>
  readonly now: () => number
}

const none: Channels = new Map()

// One for each connection: its methods are shared, and what few connections need is made when it is needed.
class Subscriptions<A> implements Restoration<A> {
  private readonly options: Options<A>
  private readonly wants = new Map<string, Channel.Channel>()
  private readonly confirmed = new Set<string>()
  private readonly refused = new Map<string, SubscriptionRefused>()
  private refusals: Map<string, Set<Deferred.Deferred<never, SubscriptionRefused>>> | undefined
  // One asks at a time.
  private turns: Semaphore.Semaphore | undefined
  private pending: ReadonlyArray<Pending> = []
  // The ask of which a list is being read, which may take several messages.
  private listing: Pending | undefined
  private asked: Channels = none
  // Requests are numbered across epochs, so that no late answer is taken for that of another.
  private nextId = 1
  // Counts the resets: who has waited while one came asks for an epoch that is over, and of which nothing is to be
  // remembered.
  private resets = 0
  readonly notice: Restoration<A>["notice"]

  constructor(options: Options<A>) {
    this.options = options
    const answer = options.dialect?.answer
    if (answer !== undefined) this.notice = (message) => this.hear(message, answer)
  }

  want(channels: ReadonlyArray<Channel.Channel>): void {
    for (const channel of channels) {
      this.wants.set(Channel.key(channel), channel)
      this.refused.delete(Channel.key(channel))
    }
  }

  unwant(channels: ReadonlyArray<Channel.Channel>): void {
    for (const channel of channels) this.wants.delete(Channel.key(channel))
  }

  wanted(): ReadonlyArray<Channel.Channel> {
    return [...this.wants.values()]
  }

  standings(): ReturnType<Restoration<A>["standings"]> {
    return [...this.wants].map(([key, channel]) => ({
      channel,
      standing: this.refused.has(key)
        ? "refused"
        : this.confirmed.has(key)
        ? "confirmed"
        : this.asked.has(key)
        ? "asked"
        : "wanted"
    }))
  }

  reset(): void {
    this.resets++
    this.asked = none
    this.pending = []
    this.listing = undefined
    this.confirmed.clear()
    this.refused.clear()
  }

  ask(wire: Wire): Effect.Effect<void, WireClosed> {
    return this.inTurn((dialect, begun) => this.converge(dialect, wire, begun))
  }

  renew(wire: Wire, channels: ReadonlyArray<Channel.Channel>): Effect.Effect<void, WireClosed> {
    return this.inTurn((dialect, begun) => this.anew(dialect, wire, channels, begun))
  }

  refusal(channel: Channel.Channel): Effect.Effect<never, SubscriptionRefused> {
    return Effect.suspend(() => {
      const key = Channel.key(channel)
      const known = this.refused.get(key)
      if (known !== undefined) return Effect.fail(known)
      const waiting = Deferred.makeUnsafe<never, SubscriptionRefused>()
      const refusals = this.refusals ??= new Map()
      const others = refusals.get(key) ?? new Set()
      refusals.set(key, others.add(waiting))
      return Effect.ensuring(
        Deferred.await(waiting),
        Effect.sync(() => {
          others.delete(waiting)
          if (others.size === 0) refusals.delete(key)
        })
      )
    })
  }

  unanswered(at: number, millis: number): ReadonlyArray<Channel.Channel> {
    return this.pending.flatMap((one) =>
      one.ask.requestId !== undefined && one !== this.listing && at - one.at >= millis ? one.ask.channels : []
    )
  }

  private inTurn(
    ask: (dialect: Dialect<A>, begun: number) => Effect.fn.Return<void, WireClosed>
  ): Effect.Effect<void, WireClosed> {
    return Effect.suspend(() => {
      const { dialect } = this.options
      if (dialect === undefined) return Effect.void
      const begun = this.resets
      this.turns ??= Semaphore.makeUnsafe(1)
      return this.turns.withPermits(1)(Effect.gen(() => ask(dialect, begun)))
    })
  }

  private *write(
    wire: Wire,
    frames: ReadonlyArray<Frame | Ask>,
    channels: ReadonlyArray<Channel.Channel>,
    adds: boolean,
    begun: number
  ): Effect.fn.Return<void, WireClosed> {
    this.nextId += frames.length
    for (const frame of frames) {
      const ask = askOf(frame, channels)
      yield* wire.ready
      yield* this.options.admit
      if (begun !== this.resets) return
      // A wire that ended says why when it is asked again.
      if (!wire.write(ask.text)) yield* wire.ready
      if (this.options.dialect?.answer !== undefined) {
        this.pending = [...this.pending, { ask, at: this.options.now(), adds }]
      }
    }
  }

  private *converge(
    dialect: Dialect<A>,
    wire: Wire,
    begun: number
  ): Effect.fn.Return<void, WireClosed> {
    while (begun === this.resets) {
      const adds = without(this.wants, this.asked)
      const removes = without(this.asked, this.wants)
      if (adds.length + removes.length === 0) return
      this.asked = new Map(this.wants)
      for (const channel of removes) this.confirmed.delete(Channel.key(channel))
      yield* this.write(wire, dialect.subscribe(adds, this.nextId), adds, true, begun)
      yield* this.write(wire, dialect.unsubscribe(removes, this.nextId), removes, false, begun)
    }
  }

  private *anew(
    dialect: Dialect<A>,
    wire: Wire,
    channels: ReadonlyArray<Channel.Channel>,
    begun: number
  ): Effect.fn.Return<void, WireClosed> {
    if (begun !== this.resets) return
    yield* this.write(wire, dialect.unsubscribe(channels, this.nextId), channels, false, begun)
    yield* this.write(wire, dialect.subscribe(channels, this.nextId), channels, true, begun)
  }

  private confirm(channels: ReadonlyArray<Channel.Channel>): void {
    for (const channel of channels) this.confirmed.add(Channel.key(channel))
  }

  private refuse(channels: ReadonlyArray<Channel.Channel>, code: string | undefined, reason: string): void {
    for (const channel of channels) {
      const key = Channel.key(channel)
      const error = new SubscriptionRefused({ channel, reason, ...(code === undefined ? {} : { code }) })
      this.refused.set(key, error)
      for (const waiting of this.refusals?.get(key) ?? []) Deferred.doneUnsafe(waiting, Effect.fail(error))
    }
  }

  private answered(one: Pending): void {
    this.pending = this.pending.filter((other) => other !== one)
  }

  // What the peer did not list of an ask, it has refused.
  private endListing(): void {
    if (this.listing === undefined) return
    const one = this.listing
    this.listing = undefined
    this.answered(one)
    const { channels } = one.ask
    const missing = channels.filter((channel) => !this.confirmed.has(Channel.key(channel)))
    const isEmpty = missing.length === channels.length
    this.refuse(missing, undefined, isEmpty ? "the venue confirmed nothing" : "not among what the venue confirmed")
  }

  // By its id it is of the whole ask, but where it lists what there is of it. It may name channels in words of its own.
  private settleById(answer: Answer & { readonly _tag: "Confirmed" }, one: Pending): void {
    const isBare = answer.channel === undefined && answer.product === undefined
    const named = isBare ? [] : meantBy(answer, [one])
    if (one.adds && answer.lists && (isBare || named.length > 0)) {
      this.listing = one
      this.confirm(named)
      if (isBare || one.ask.channels.every((channel) => this.confirmed.has(Channel.key(channel)))) this.endListing()
      return
    }
    this.answered(one)
    if (one.adds) this.confirm(one.ask.channels)
  }

  private settleConfirmed(answer: Answer & { readonly _tag: "Confirmed" }, byId: Pending | undefined): void {
    if (byId !== undefined) return this.settleById(answer, byId)
    const unnumbered = this.pending.filter(({ ask }) => ask.requestId === undefined)
    const [oldest] = unnumbered
    if (answer.requestId !== undefined || oldest === undefined) return
    const isBare = answer.channel === undefined && answer.product === undefined
    const meant = new Set((isBare ? oldest.ask.channels : meantBy(answer, unnumbered)).map(Channel.key))
    for (const one of unnumbered) {
      const channels = one.ask.channels.filter((channel) => meant.has(Channel.key(channel)))
      if (channels.length === 0) continue
      if (one.adds) this.confirm(channels)
      if (one.ask.channels.every((channel) => !one.adds || this.confirmed.has(Channel.key(channel)))) this.answered(one)
    }
  }

  // A refusal without an id is of the ask whose channels its words name, else of the oldest. Where it names some of an
  // ask's products, it is those that are refused.
  private settleRefused(answer: Answer & { readonly _tag: "Refused" }, byId: Pending | undefined): void {
    const reason = answer.message ?? "no reason given"
    const isNamed = (channel: Channel.Channel): boolean =>
      channel.product !== undefined && reason.includes(channel.product)
    const adding = this.pending.filter(({ adds, ask }) => adds && ask.requestId === undefined)
    const one = answer.requestId === undefined
      ? adding.find(({ ask }) => ask.channels.some(isNamed)) ?? adding[0]
      : byId
    if (one === undefined) return
    const named = one.ask.channels.filter(isNamed)
    if (named.length === 0 || named.length === one.ask.channels.length) this.answered(one)
    if (one.adds) this.refuse(named.length === 0 ? one.ask.channels : named, answer.code, reason)
  }

  private settle(answer: Answer): void {
    const byId = answer.requestId === undefined
      ? undefined
      : this.pending.find(({ ask }) => ask.requestId === answer.requestId)
    if (answer._tag === "Confirmed") this.settleConfirmed(answer, byId)
    else this.settleRefused(answer, byId)
  }

  private hear(message: A, answer: (message: A) => Answer | undefined): void {
    if (this.pending.length === 0 && this.listing === undefined) return
    const found = answer(message)
    if (found?.requestId === undefined || found.requestId !== this.listing?.ask.requestId) this.endListing()
    if (found !== undefined) this.settle(found)
  }
}

/**
 * Makes the subscriptions of one connection. Without a dialect nothing is asked
 * for; `admit` waits for the limit on messages before each frame; `now` is the
 * monotonic clock in milliseconds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(options: Options<A>): Restoration<A> => new Subscriptions(options)
