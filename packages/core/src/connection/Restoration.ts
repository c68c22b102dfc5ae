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
    return `subscription to ${channel}${product === undefined ? "" : ` of ${product}`} refused: ${this.reason}`
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

/**
 * Makes the subscriptions of one connection. Without a dialect nothing is asked
 * for; `admit` waits for the limit on messages before each frame; `now` is the
 * clock in epoch milliseconds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(options: {
  readonly dialect: Dialect<A> | undefined
  readonly admit: Effect.Effect<void>
  readonly now: () => number
}): Restoration<A> => {
  const { admit, dialect, now } = options
  const wanted = new Map<string, Channel.Channel>()
  const confirmed = new Set<string>()
  const refused = new Map<string, SubscriptionRefused>()
  const refusals = new Map<string, Set<Deferred.Deferred<never, SubscriptionRefused>>>()
  const asking = Semaphore.makeUnsafe(1)
  let pending: Array<Pending> = []
  // The ask of which a list is being read, which may take several messages.
  let listing: Pending | undefined
  let asked: Channels = new Map()
  // Requests are numbered across epochs, so that no late answer is taken for that of another.
  let nextId = 1
  // Counts the resets: who has waited while one came asks for an epoch that is over, and of which nothing is to be
  // remembered.
  let resets = 0

  const write = Effect.fnUntraced(function*(
    wire: Wire,
    frames: ReadonlyArray<Frame | Ask>,
    channels: ReadonlyArray<Channel.Channel>,
    adds: boolean,
    begun: number
  ): Effect.fn.Return<void, WireClosed> {
    nextId += frames.length
    for (const frame of frames) {
      const ask = askOf(frame, channels)
      yield* wire.ready
      yield* admit
      if (begun !== resets) return
      // A wire that ended says why when it is asked again.
      if (!wire.write(ask.text)) yield* wire.ready
      if (dialect?.answer !== undefined) pending.push({ ask, at: now(), adds })
    }
  })

  const ask = Effect.fnUntraced(function*(wire: Wire, begun: number): Effect.fn.Return<void, WireClosed> {
    if (dialect === undefined) return
    while (begun === resets) {
      const adds = without(wanted, asked)
      const removes = without(asked, wanted)
      if (adds.length + removes.length === 0) return
      asked = new Map(wanted)
      for (const channel of removes) confirmed.delete(Channel.key(channel))
      yield* write(wire, dialect.subscribe(adds, nextId), adds, true, begun)
      yield* write(wire, dialect.unsubscribe(removes, nextId), removes, false, begun)
    }
  })

  const confirm = (channels: ReadonlyArray<Channel.Channel>): void => {
    for (const channel of channels) confirmed.add(Channel.key(channel))
  }

  const refuse = (channels: ReadonlyArray<Channel.Channel>, code: string | undefined, reason: string): void => {
    for (const channel of channels) {
      const key = Channel.key(channel)
      const error = new SubscriptionRefused({ channel, reason, ...(code === undefined ? {} : { code }) })
      refused.set(key, error)
      for (const waiting of refusals.get(key) ?? []) Deferred.doneUnsafe(waiting, Effect.fail(error))
    }
  }

  const answered = (one: Pending): void => {
    pending = pending.filter((other) => other !== one)
  }

  // The channels of an ask that a confirmation means: those it names, else those of the product that it names. A
  // channel's own name may differ in the answer: Coinbase Exchange confirms `level2_batch` as `level2_50`.
  const meantBy = (
    { channel, product }: Answer & { readonly _tag: "Confirmed" },
    asks: ReadonlyArray<Pending>
  ): ReadonlyArray<Channel.Channel> => {
    const channels = asks.flatMap(({ ask }) => ask.channels)
    const exact = channels.filter((one) =>
      one.channel === channel && (product === undefined || one.product === product)
    )
    return exact.length > 0 || product === undefined ? exact : channels.filter((one) => one.product === product)
  }

  // What the peer did not list of an ask, it has refused.
  const endListing = (): void => {
    if (listing === undefined) return
    const one = listing
    listing = undefined
    answered(one)
    const { channels } = one.ask
    const missing = channels.filter((channel) => !confirmed.has(Channel.key(channel)))
    const isEmpty = missing.length === channels.length
    refuse(missing, undefined, isEmpty ? "the venue confirmed nothing" : "not among what the venue confirmed")
  }

  // By its id it is of the whole ask, but where it lists what there is of it. It may name channels in words of its own.
  const settleById = (answer: Answer & { readonly _tag: "Confirmed" }, one: Pending): void => {
    const isBare = answer.channel === undefined && answer.product === undefined
    const named = isBare ? [] : meantBy(answer, [one])
    if (one.adds && answer.lists && (isBare || named.length > 0)) {
      listing = one
      confirm(named)
      if (isBare || one.ask.channels.every((channel) => confirmed.has(Channel.key(channel)))) endListing()
      return
    }
    answered(one)
    if (one.adds) confirm(one.ask.channels)
  }

  const settleConfirmed = (answer: Answer & { readonly _tag: "Confirmed" }, byId: Pending | undefined): void => {
    if (byId !== undefined) return settleById(answer, byId)
    const unnumbered = pending.filter(({ ask }) => ask.requestId === undefined)
    const [oldest] = unnumbered
    if (answer.requestId !== undefined || oldest === undefined) return
    const isBare = answer.channel === undefined && answer.product === undefined
    const meant = new Set((isBare ? oldest.ask.channels : meantBy(answer, unnumbered)).map(Channel.key))
    for (const one of unnumbered) {
      const channels = one.ask.channels.filter((channel) => meant.has(Channel.key(channel)))
      if (channels.length === 0) continue
      if (one.adds) confirm(channels)
      if (one.ask.channels.every((channel) => !one.adds || confirmed.has(Channel.key(channel)))) answered(one)
    }
  }

  // A refusal without an id is of the ask whose channels its words name, else of the oldest. Where it names some of an
  // ask's products, it is those that are refused.
  const settleRefused = (answer: Answer & { readonly _tag: "Refused" }, byId: Pending | undefined): void => {
    const reason = answer.message ?? "no reason given"
    const isNamed = (channel: Channel.Channel): boolean =>
      channel.product !== undefined && reason.includes(channel.product)
    const adding = pending.filter(({ adds, ask }) => adds && ask.requestId === undefined)
    const one = answer.requestId === undefined
      ? adding.find(({ ask }) => ask.channels.some(isNamed)) ?? adding[0]
      : byId
    if (one === undefined) return
    const named = one.ask.channels.filter(isNamed)
    if (named.length === 0 || named.length === one.ask.channels.length) answered(one)
    if (one.adds) refuse(named.length === 0 ? one.ask.channels : named, answer.code, reason)
  }

  const settle = (answer: Answer): void => {
    const byId = answer.requestId === undefined
      ? undefined
      : pending.find(({ ask }) => ask.requestId === answer.requestId)
    if (answer._tag === "Confirmed") settleConfirmed(answer, byId)
    else settleRefused(answer, byId)
  }

  const answer = dialect?.answer

  return {
    want: (channels) => {
      for (const channel of channels) {
        wanted.set(Channel.key(channel), channel)
        refused.delete(Channel.key(channel))
      }
    },
    unwant: (channels) => {
      for (const channel of channels) wanted.delete(Channel.key(channel))
    },
    wanted: () => [...wanted.values()],
    standings: () =>
      [...wanted].map(([key, channel]) => ({
        channel,
        standing: refused.has(key)
          ? "refused"
          : confirmed.has(key)
          ? "confirmed"
          : asked.has(key)
          ? "asked"
          : "wanted"
      })),
    reset: () => {
      resets++
      asked = new Map()
      pending = []
      listing = undefined
      confirmed.clear()
      refused.clear()
    },
    ask: (wire) =>
      Effect.suspend(() => {
        const begun = resets
        return asking.withPermits(1)(Effect.suspend(() => ask(wire, begun)))
      }),
    renew: (wire, channels) =>
      Effect.suspend(() => {
        const begun = resets
        return asking.withPermits(1)(Effect.gen(function*() {
          if (dialect === undefined || begun !== resets) return
          yield* write(wire, dialect.unsubscribe(channels, nextId), channels, false, begun)
          yield* write(wire, dialect.subscribe(channels, nextId), channels, true, begun)
        }))
      }),
    notice: answer === undefined
      ? undefined
      : (message) => {
        if (pending.length === 0 && listing === undefined) return
        const found = answer(message)
        if (found?.requestId === undefined || found.requestId !== listing?.ask.requestId) endListing()
        if (found !== undefined) settle(found)
      },
    refusal: (channel) =>
      Effect.suspend(() => {
        const key = Channel.key(channel)
        const known = refused.get(key)
        if (known !== undefined) return Effect.fail(known)
        const waiting = Deferred.makeUnsafe<never, SubscriptionRefused>()
        const others = refusals.get(key) ?? new Set()
        refusals.set(key, others.add(waiting))
        return Effect.ensuring(
          Deferred.await(waiting),
          Effect.sync(() => {
            others.delete(waiting)
            if (others.size === 0) refusals.delete(key)
          })
        )
      }),
    unanswered: (at, millis) =>
      pending.flatMap((one) =>
        one.ask.requestId !== undefined && one !== listing && at - one.at >= millis ? one.ask.channels : []
      )
  }
}
