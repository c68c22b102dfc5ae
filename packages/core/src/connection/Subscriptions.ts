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
import * as Semaphore from "effect/Semaphore"
import type { Correlator } from "../protocol/Correlator.ts"
import type { Answer, Ask, Dialect } from "../protocol/Dialect.ts"
import type { Frame } from "../transport/Frame.ts"
import type { Wire, WireClosed } from "../transport/Transport.ts"
import * as Channel from "../value/Channel.ts"
import { ConnectionClosed, SubscriptionRefused } from "./ConnectError.ts"
import type { Refusal } from "./Inbox.ts"
import type { Attach, Batch } from "./Observer.ts"

/**
 * Where a wanted subscription stands: not asked for (no epoch is up), asked for
 * and not answered, confirmed, or refused.
 *
 * @category models
 * @since 0.1.0
 */
export type SubscriptionState = "wanted" | "asked" | "confirmed" | "refused"

/**
 * The subscriptions of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subscriptions<A> {
  readonly want: (channels: ReadonlyArray<Channel.Channel>) => void
  readonly unwant: (channels: ReadonlyArray<Channel.Channel>) => void
  /** The channels that are wanted, in the order in which they were asked for. */
  readonly wanted: () => ReadonlyArray<Channel.Channel>
  readonly states: () => ReadonlyArray<{ readonly channel: Channel.Channel; readonly standing: SubscriptionState }>
  /** Asks for what is wanted and was not asked for, and gives up what is not wanted any more. */
  readonly ask: (wire: Wire) => Effect.Effect<void, WireClosed>
  /** Gives the channels up and asks for them again, on an epoch that is up. */
  readonly resubscribe: (wire: Wire, channels: ReadonlyArray<Channel.Channel>) => Effect.Effect<void, WireClosed>
  /**
   * Observes an epoch: reads the answers, and takes data of a channel for its
   * confirmation. Nothing was asked for when it begins, and when it has ended.
   */
  readonly attach: Attach<A>
  /** Whether something is to be asked for once more, because it was refused together with something else. */
  readonly isUnasked: () => boolean
  /** Fails when the peer refuses the channel, at once where it has in this epoch, and after `shutdown`. */
  readonly awaitRefusal: (channel: Channel.Channel) => Effect.Effect<never, SubscriptionRefused | ConnectionClosed>
  /** Ends it for good: nobody waits for a refusal any more. */
  readonly shutdown: () => void
  /**
   * Somebody else sends, too: answers without an id or a name may be theirs, and
   * are neither counted nor laid at anybody's door any more.
   */
  readonly share: () => void
  /** When the oldest ask whose answer has a deadline was written. */
  readonly waitingSince: () => number | undefined
  /**
   * Refuses what was not answered for so many milliseconds. Where nothing at all
   * is confirmed, the epoch is to blame: then it refuses nothing and gives a
   * channel that waits.
   */
  readonly expire: (at: number, millis: number) => Channel.Channel | undefined
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
  /** Whether it was answered, by a list that need not be the last. */
  isAnswered: boolean
  /** Whether it was given up waiting for. */
  isExpired: boolean
}

// Who waits for the refusal of a channel.
interface Waiter {
  readonly key: string
  readonly outcome: Deferred.Deferred<never, SubscriptionRefused | ConnectionClosed>
}

// The channels of an ask that a confirmation means: those it names, else those of the product that it names. A
// channel's own name may differ in the answer: Coinbase Exchange confirms `level2_batch` as `level2_50`. What is wanted
// by that very name means no other.
const meantBy = (
  { channel, product }: Answer & { readonly _tag: "Confirmed" },
  asks: ReadonlyArray<Pending>,
  wants: Channels
): ReadonlyArray<Channel.Channel> => {
  const channels = asks.flatMap(({ ask }) => ask.channels)
  const exact = channels.filter((one) => one.channel === channel && (product === undefined || one.product === product))
  if (exact.length > 0 || product === undefined) return exact
  const isWanted = channel !== undefined && wants.has(Channel.key({ channel, product }))
  return isWanted ? [] : channels.filter((one) => one.product === product)
}

// What one connection's subscriptions are made with.
interface Options<A> {
  readonly dialect: Dialect<A> | undefined
  readonly correlator: Correlator
  readonly admit: (frame: Frame) => Effect.Effect<void>
  readonly now: () => number
  readonly onRefused: (refusal: Refusal<A>) => void
}

const none: Channels = new Map()

const nothing = (): boolean => false

// One for each connection: its methods are shared, and what few connections need is made when it is needed.
class SubscriptionsImpl<A> implements Subscriptions<A> {
  private readonly options: Options<A>
  private readonly wants = new Map<string, Channel.Channel>()
  private readonly confirmed = new Set<string>()
  private readonly refused = new Map<string, SubscriptionRefused>()
  // Of these, what was refused without a word: for want of an answer, or left out of one.
  private readonly refusedSilently = new Set<string>()
  // What cannot be asked for, in no epoch, and whether that was told.
  private readonly impossible = new Map<string, { readonly refused: SubscriptionRefused; isTold: boolean }>()
  private waiters: Set<Waiter> | undefined
  private isShutDown = false
  // One asks at a time.
  private turns: Semaphore.Semaphore | undefined
  private pending: ReadonlyArray<Pending> = []
  // What those without an id are of, while they are the same.
  private names: {
    readonly of: ReadonlyArray<Pending>
    readonly channels: ReadonlySet<string | undefined>
    readonly products: ReadonlySet<string | undefined>
  } | undefined
  private asked: Channels = none
  // Lists of channels of which data has come since something last changed. Who attributes may make each anew.
  private known = new WeakSet<ReadonlyArray<Channel.Channel>>()
  // What was refused together with something else, to be asked for by itself.
  private again: Array<ReadonlyArray<Channel.Channel>> = []
  // Counts the resets: who has waited while one came asks for an epoch that is over, and of which nothing is to be
  // remembered.
  private resets = 0
  // Whether nobody else sends anything that could be answered by a list, or by an error without a name.
  private isAlone = true

  constructor(options: Options<A>) {
    this.options = options
  }

  readonly attach: Attach<A> = () => {
    this.reset()
    const answer = this.options.dialect?.answer
    return {
      batch: (batch) => {
        if (answer !== undefined) this.read(batch, answer)
      },
      ended: () => this.reset()
    }
  }

  want(channels: ReadonlyArray<Channel.Channel>): void {
    let asked: Map<string, Channel.Channel> | undefined
    for (const channel of channels) {
      const key = Channel.key(channel)
      this.wants.set(key, channel)
      this.refusedSilently.delete(key)
      // Whoever wants what was refused wants it asked for again.
      if (this.refused.delete(key)) (asked ??= new Map(this.asked)).delete(key)
      const reason = this.options.dialect?.objection?.(channel)
      if (reason === undefined || this.impossible.has(key)) continue
      const refused = new SubscriptionRefused({ channel, reason })
      this.impossible.set(key, { refused, isTold: false })
      this.fail(key, refused)
    }
    if (asked !== undefined) this.asked = asked
  }

  unwant(channels: ReadonlyArray<Channel.Channel>): void {
    for (const channel of channels) {
      this.wants.delete(Channel.key(channel))
      this.impossible.delete(Channel.key(channel))
    }
  }

  wanted(): ReadonlyArray<Channel.Channel> {
    return [...this.wants.values()]
  }

  states(): ReturnType<Subscriptions<A>["states"]> {
    return [...this.wants].map(([key, channel]) => ({
      channel,
      standing: this.refused.has(key) || this.impossible.has(key)
        ? "refused"
        : this.confirmed.has(key)
        ? "confirmed"
        : this.asked.has(key)
        ? "asked"
        : "wanted"
    }))
  }

  private reset(): void {
    this.resets++
    this.known = new WeakSet()
    this.asked = none
    this.pending = []
    this.again = []
    this.confirmed.clear()
    this.refused.clear()
    this.refusedSilently.clear()
  }

  ask(wire: Wire): Effect.Effect<void, WireClosed> {
    return this.inTurn((dialect, begun) => this.converge(dialect, wire, begun))
  }

  resubscribe(wire: Wire, channels: ReadonlyArray<Channel.Channel>): Effect.Effect<void, WireClosed> {
    return this.inTurn((dialect, begun) => this.anew(dialect, wire, channels, begun))
  }

  awaitRefusal(channel: Channel.Channel): ReturnType<Subscriptions<A>["awaitRefusal"]> {
    return Effect.suspend(() => {
      if (this.isShutDown) return Effect.fail(new ConnectionClosed())
      const key = Channel.key(channel)
      const known = this.refused.get(key) ?? this.impossible.get(key)?.refused
      if (known !== undefined) return Effect.fail(known)
      const waiter: Waiter = { key, outcome: Deferred.makeUnsafe() }
      const waiters = this.waiters ??= new Set()
      waiters.add(waiter)
      return Effect.ensuring(Deferred.await(waiter.outcome), Effect.sync(() => waiters.delete(waiter)))
    })
  }

  isUnasked(): boolean {
    return this.again.length > 0
  }

  share(): void {
    this.isAlone = false
  }

  waitingSince(): number | undefined {
    return this.pending.find((one) => this.isWaiting(one))?.at
  }

  expire(at: number, millis: number): Channel.Channel | undefined {
    const overdue = this.pending.filter((one) => this.isWaiting(one) && at - one.at >= millis)
    const listed = overdue.filter(({ ask }) => ask.isListed === true)
    // Where no list has come, the peer may give none.
    this.refuseUnlisted(listed.filter(({ isAnswered }) => isAnswered), undefined)
    this.pending = this.pending.filter((one) => !listed.includes(one))
    const late = overdue.filter(({ ask }) => ask.isListed !== true)
    const channels = late.flatMap(({ adds, ask }) => adds ? this.unconfirmed(ask.channels) : [])
    const [first] = channels
    if (first !== undefined && this.confirmed.size === 0) return first
    // A late answer is still known for what it is.
    for (const one of late) {
      one.isExpired = true
      if (one.ask.requestId !== undefined) this.options.correlator.release(one.ask.requestId)
    }
    for (const channel of channels) this.refusedSilently.add(Channel.key(channel))
    this.refuse(channels, undefined, `no answer within ${millis} ms`, undefined)
    return undefined
  }

  shutdown(): void {
    this.isShutDown = true
    for (const { outcome } of this.waiters ?? []) Deferred.doneUnsafe(outcome, Effect.fail(new ConnectionClosed()))
  }

  private inTurn(
    ask: (dialect: Dialect<A>, begun: number) => Effect.Effect<void, WireClosed>
  ): Effect.Effect<void, WireClosed> {
    return Effect.suspend(() => {
      const { dialect } = this.options
      if (dialect === undefined) return Effect.void
      const begun = this.resets
      this.turns ??= Semaphore.makeUnsafe(1)
      return this.turns.withPermits(1)(ask(dialect, begun))
    })
  }

  private write(
    wire: Wire,
    frames: ReadonlyArray<Frame | Ask>,
    channels: ReadonlyArray<Channel.Channel>,
    adds: boolean,
    begun: number
  ): Effect.Effect<void, WireClosed> {
    return Effect.gen({ self: this }, function*() {
      if (frames.some((frame) => askOf(frame, channels).requestId !== undefined)) {
        this.options.correlator.take(frames.length)
      }
      for (const frame of frames) {
        const ask = askOf(frame, channels)
        yield* wire.ready
        yield* this.options.admit(ask.text)
        if (begun !== this.resets) return
        // Before it is written: the answer may be there when that is done.
        if (this.options.dialect?.answer !== undefined) {
          const one = { ask, at: this.options.now(), adds, isAnswered: false, isExpired: false }
          if (ask.requestId !== undefined) this.options.correlator.wait(ask.requestId, "subscription")
          this.pending = [...this.pending, one]
          this.known = new WeakSet()
        }
        // A wire that ended says why when it is asked again.
        if (!wire.write(ask.text)) yield* wire.ready
      }
    })
  }

  private converge(
    dialect: Dialect<A>,
    wire: Wire,
    begun: number
  ): Effect.Effect<void, WireClosed> {
    return Effect.gen({ self: this }, function*() {
      this.tellBarred()
      while (begun === this.resets) {
        const [group] = this.again.splice(0, 1)
        if (group !== undefined) {
          const wanted = group.filter((channel) => this.wants.has(Channel.key(channel)))
          yield* this.write(wire, dialect.subscribe(wanted, this.options.correlator.next()), wanted, true, begun)
          continue
        }
        const adds = without(this.wants, this.asked).filter((channel) => !this.impossible.has(Channel.key(channel)))
        const gone = without(this.asked, this.wants)
        if (adds.length + gone.length === 0) return
        this.asked = new Map([...this.wants].filter(([key]) => !this.impossible.has(key)))
        // There is nothing to give up of what the peer has refused; what it said nothing of may be subscribed to.
        const removes = gone.filter((channel) => {
          const isRefused = this.refused.delete(Channel.key(channel))
          return this.refusedSilently.delete(Channel.key(channel)) || !isRefused
        })
        for (const channel of removes) this.confirmed.delete(Channel.key(channel))
        yield* this.write(wire, dialect.subscribe(adds, this.options.correlator.next()), adds, true, begun)
        yield* this.write(wire, dialect.unsubscribe(removes, this.options.correlator.next()), removes, false, begun)
      }
    })
  }

  private anew(
    dialect: Dialect<A>,
    wire: Wire,
    channels: ReadonlyArray<Channel.Channel>,
    begun: number
  ): Effect.Effect<void, WireClosed> {
    return Effect.gen({ self: this }, function*() {
      if (begun !== this.resets) return
      yield* this.write(wire, dialect.unsubscribe(channels, this.options.correlator.next()), channels, false, begun)
      yield* this.write(wire, dialect.subscribe(channels, this.options.correlator.next()), channels, true, begun)
    })
  }

  // Data of the channels has come, which confirms them.
  private confirmByData(channels: ReadonlyArray<Channel.Channel> | undefined): void {
    if (channels === undefined || channels.length === 0 || this.known.has(channels)) return
    this.known.add(channels)
    this.confirm(channels)
    this.pending = this.pending.filter((one) => !this.isConfirmedByData(one))
  }

  // What was refused and comes nevertheless is not refused.
  private confirm(channels: ReadonlyArray<Channel.Channel>): void {
    for (const channel of channels) {
      const key = Channel.key(channel)
      this.confirmed.add(key)
      this.refused.delete(key)
      this.refusedSilently.delete(key)
    }
  }

  private isConfirmed(channel: Channel.Channel): boolean {
    return this.confirmed.has(Channel.key(channel))
  }

  private unconfirmed(channels: ReadonlyArray<Channel.Channel>): Array<Channel.Channel> {
    return channels.filter((channel) => !this.isConfirmed(channel))
  }

  // Data of all its channels answers an ask, but for one whose answers are counted.
  private isConfirmedByData({ adds, ask }: Pending): boolean {
    return adds && ask.isListed !== true && ask.channels.every((channel) => this.isConfirmed(channel))
  }

  private isWaiting({ ask, isExpired }: Pending): boolean {
    return ask.isListed === true ? !this.isAlone : ask.requestId !== undefined && !isExpired
  }

  private fail(key: string, refused: SubscriptionRefused): void {
    for (const waiter of this.waiters ?? []) {
      if (waiter.key === key) Deferred.doneUnsafe(waiter.outcome, Effect.fail(refused))
    }
  }

  private tellBarred(): void {
    const untold = [...this.impossible.values()].filter(({ isTold }) => !isTold)
    for (const one of untold) one.isTold = true
    if (untold.length > 0) this.options.onRefused({ refused: untold.map(({ refused }) => refused), by: undefined })
  }

  private refuse(
    channels: ReadonlyArray<Channel.Channel>,
    code: string | undefined,
    reason: string,
    by: A | undefined
  ): void {
    const all: Array<SubscriptionRefused> = []
    for (const channel of channels) {
      const key = Channel.key(channel)
      if (this.refused.has(key) || !this.wants.has(key)) continue
      const refused = new SubscriptionRefused({ channel, reason, ...(code === undefined ? {} : { code }) })
      this.confirmed.delete(key)
      this.known = new WeakSet()
      this.refused.set(key, refused)
      this.fail(key, refused)
      all.push(refused)
    }
    if (all.length > 0) this.options.onRefused({ refused: all, by })
  }

  private answered(one: Pending): void {
    if (one.ask.requestId !== undefined) this.options.correlator.release(one.ask.requestId)
    this.pending = this.pending.filter((other) => other !== one)
  }

  // What the peer did not list of an ask, it has refused.
  private refuseUnlisted(asks: ReadonlyArray<Pending>, by: A | undefined): void {
    const channels = asks.flatMap(({ adds, ask }) => adds ? ask.channels : [])
    const missing = this.unconfirmed(channels)
    const isEmpty = missing.length === channels.length
    // Before those who wait are told: they may give it up at once.
    for (const channel of missing) this.refusedSilently.add(Channel.key(channel))
    this.refuse(missing, undefined, isEmpty ? "the venue confirmed nothing" : "not among what the venue confirmed", by)
  }

  private listed(by: A | undefined): void {
    const waiting = this.pending.filter(({ ask, isAnswered }) => ask.isListed === true && !isAnswered)
    for (const one of this.isAlone ? waiting.slice(0, 1) : waiting) one.isAnswered = true
    if (waiting.length > 0) this.endLists(by)
  }

  // A list of everything answers the oldest ask that waits for one. When each has been answered, in whatever order, what
  // no list named is refused.
  private endLists(by: A | undefined): void {
    if (!this.isAlone) return
    const listed = this.pending.filter(({ ask }) => ask.isListed === true)
    if (listed.some(({ isAnswered }) => !isAnswered)) return
    this.pending = this.pending.filter(({ ask }) => ask.isListed !== true)
    this.refuseUnlisted(listed, by)
  }

  // By its id it is of the whole ask, but where it lists what there is of it: then it is `true`, and the ask ends with
  // the frame. It may name channels in words of its own.
  private settleById(answer: Answer & { readonly _tag: "Confirmed" }, one: Pending): boolean {
    const isBare = answer.channel === undefined && answer.product === undefined
    const named = isBare ? [] : meantBy(answer, [one], this.wants)
    if (one.adds && answer.lists && (isBare || named.length > 0)) {
      this.confirm(named)
      return true
    }
    this.answered(one)
    if (one.adds) this.confirm(one.ask.channels)
    return false
  }

  // Whether an ask without an id is of what a confirmation names: a frame may name a hundred thousand others.
  private isNamed({ channel, product }: Answer & { readonly _tag: "Confirmed" }, unnumbered: ReadonlyArray<Pending>) {
    if (this.names?.of !== this.pending) {
      const channels = unnumbered.flatMap(({ ask }) => ask.channels)
      this.names = {
        of: this.pending,
        channels: new Set(channels.map(({ channel }) => channel)),
        products: new Set(channels.map(({ product }) => product))
      }
    }
    return product === undefined ? this.names.channels.has(channel) : this.names.products.has(product)
  }

  private settleByName(answer: Answer & { readonly _tag: "Confirmed" }): void {
    const unnumbered = this.pending.filter(({ ask }) => ask.requestId === undefined)
    const [oldest] = unnumbered
    const isBare = answer.channel === undefined && answer.product === undefined
    if (oldest === undefined || (isBare && oldest.ask.isListed === true)) return
    if (!isBare && !this.isNamed(answer, unnumbered)) return
    const meant = new Set((isBare ? oldest.ask.channels : meantBy(answer, unnumbered, this.wants)).map(Channel.key))
    for (const one of unnumbered) {
      const channels = one.ask.channels.filter((channel) => meant.has(Channel.key(channel)))
      if (channels.length === 0) continue
      if (one.adds) this.confirm(channels)
      if (one.ask.isListed !== true && (!one.adds || one.ask.channels.every((channel) => this.isConfirmed(channel)))) {
        this.answered(one)
      }
    }
  }

  // A refusal without an id is of the ask whose channels it names, else of the oldest; one that names by members of its
  // own what several asks are of, or none, is of none that is known. Where it names some of an ask's channels, it is
  // those that are refused; the others are asked for again. Where it names none of several, each half is.
  private settleRefused(answer: Answer & { readonly _tag: "Refused" }, byId: Pending | undefined, by: A): void {
    const { channel: name, message: reason = "no reason given", names = nothing, product } = answer
    const hasMembers = name !== undefined || product !== undefined
    const isNamed = (channel: Channel.Channel): boolean =>
      !hasMembers
        ? names(channel)
        : (name === undefined || channel.channel === name) && (product === undefined || channel.product === product)
    const adding = this.pending.filter(({ adds, ask }) => adds && ask.requestId === undefined)
    const waiting = adding.filter(({ isAnswered }) => !isAnswered)
    const candidates = waiting.filter(({ ask }) => ask.channels.some(isNamed))
    const meant = new Set(candidates.flatMap(({ ask }) => ask.channels.filter(isNamed)).map(Channel.key))
    const unnumbered = !hasMembers
      ? candidates[0] ?? (this.isAlone ? waiting[0] ?? adding[0] : undefined)
      : meant.size === 1
      ? candidates[0]
      : undefined
    const one = answer.requestId === undefined ? unnumbered : byId
    if (one === undefined) return
    this.answered(one)
    if (one.adds) {
      const open = this.unconfirmed(one.ask.channels)
      const named = one.ask.channels.filter(isNamed)
      const others = open.filter((channel) => !named.includes(channel))
      if (named.length > 0) {
        this.refuse(open.filter(isNamed), answer.code, reason, by)
        this.askAgain(others)
      } else if (open.length === 1) {
        this.refuse(open, answer.code, reason, by)
      } else {
        const half = Math.ceil(open.length / 2)
        if (half > 0) this.options.onRefused({ refused: [], by })
        this.askAgain(open.slice(0, half))
        this.askAgain(open.slice(half))
      }
    }
    if (one.ask.isListed === true) this.endLists(undefined)
  }

  private askAgain(channels: ReadonlyArray<Channel.Channel>): void {
    if (channels.length > 0) this.again.push(channels)
  }

  private settle(answer: Answer, message: A): Pending | undefined {
    const { requestId } = answer
    const isOurs = requestId !== undefined && this.options.correlator.kindOf(requestId) === "subscription"
    const byId = isOurs ? this.pending.find(({ ask }) => ask.requestId === requestId) : undefined
    if (answer._tag === "Refused") this.settleRefused(answer, byId, message)
    else if (byId !== undefined) return this.settleById(answer, byId) ? byId : undefined
    else if (answer.requestId === undefined) this.settleByName(answer)
    return undefined
  }

  // Frame by frame: what a frame lists is what there is of its ask.
  private read(
    { channels, frames, messages, starts }: Batch<A>,
    answer: (message: A, frame: Frame) => Answer | undefined
  ): void {
    for (let i = 0; i < frames.length; i++) {
      const frame = frames[i]
      const start = starts[i] ?? messages.length
      const end = starts[i + 1] ?? messages.length
      if (channels !== undefined) { for (let at = start; at < end; at++) this.confirmByData(channels[at]) }
      if (this.pending.length === 0 || frame === undefined) continue
      this.readAnswers(messages, start, end, frame, answer)
    }
  }

  private readAnswers(
    messages: ReadonlyArray<A>,
    start: number,
    end: number,
    frame: Frame,
    answer: (message: A, frame: Frame) => Answer | undefined
  ): void {
    let listed: Pending | undefined
    let isList = false
    let bare: A | undefined
    // To confirm the same by its name once more changes nothing.
    let settled: Set<string> | undefined
    for (let at = start; at < end; at++) {
      const message = messages[at]
      const found = message === undefined ? undefined : answer(message, frame)
      if (message === undefined || found === undefined) continue
      if (end - start > 1 && found._tag === "Confirmed" && found.requestId === undefined) {
        const name = found.channel ?? found.product
        const key = `${found.channel ?? ""}\n${found.product ?? ""}`
        settled ??= new Set()
        if (name !== undefined && settled.has(key)) continue
        settled.add(key)
      }
      listed = this.settle(found, message) ?? listed
      if (found._tag !== "Confirmed" || found.lists !== true) continue
      isList ||= found.requestId === undefined
      if (found.channel === undefined && found.product === undefined) bare = message
    }
    if (listed !== undefined) {
      this.answered(listed)
      this.refuseUnlisted([listed], bare)
    }
    if (isList) this.listed(bare)
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
export const make = <A>(options: Options<A>): Subscriptions<A> => new SubscriptionsImpl(options)
