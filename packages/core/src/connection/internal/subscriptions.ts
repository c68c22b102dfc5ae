/**
 * Subscriptions as desired state: which channels are wanted, which of them this
 * epoch was asked for, and which the peer has confirmed or refused. An epoch
 * begins with nothing asked for; asking goes on until what is asked for is what
 * is wanted.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Answer, Ask, Dialect } from "../../protocol/Dialect.ts"
import type { Correlator } from "../../protocol/internal/correlator.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Wire, WireClosed } from "../../transport/Transport.ts"
import * as Channel from "../../value/Channel.ts"
import { ConnectionClosed, SubscriptionRefused } from "../ConnectError.ts"
import type { Batch, NamedObserver, Observer } from "../Observer.ts"
import type * as InboxItems from "./inboxItems.ts"
import { ChannelList } from "./messageChannels.ts"
import { askOf, type Confirmed, type Pending, RefusalWaiters } from "./pendingAsks.ts"
import { meaningOf, type Refusal } from "./refusedChannels.ts"
import { type SubscriptionState, SubscriptionStates } from "./subscriptionStates.ts"

/**
 * What one connection's subscriptions are made with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<A> {
  readonly dialect: Dialect<A> | undefined
  readonly correlator: Correlator
  readonly admit: (frame: Frame) => Effect.Effect<void>
  readonly now: () => number
  readonly onRefused: (refusal: InboxItems.Refusal<A>) => void
  /** Called with what is confirmed for the first time in an epoch, and when, in epoch milliseconds. */
  readonly onConfirmed: (channels: ReadonlyArray<Channel.Channel>, at: number) => void
}

/**
 * The subscriptions of one connection. Without a dialect nothing is asked for;
 * `admit` waits for the limit on messages before each frame; `now` is the
 * monotonic clock in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
const idle: Observer<unknown> = { batch: () => {}, ended: () => {} }

// One for each connection: its methods are shared, and what few connections need is made when it is needed.
export class Subscriptions<A> {
  private readonly options: Options<A>
  // Of a connection that is asked for nothing there are none.
  private made: SubscriptionStates | undefined
  private waiters: RefusalWaiters | undefined
  private isShutDown = false
  // One asks at a time.
  private turns: Semaphore.Semaphore | undefined
  private pending: ReadonlyArray<Pending> = []
  // Another one after each change after which data of channels may mean something else.
  private changes: object = {}
  // What was refused together with something else, to be asked for by itself.
  private again: Array<ReadonlyArray<Channel.Channel>> = []
  // Counts the resets: whoever has waited while one came asks for an epoch that is over.
  private resets = 0
  // Frames that were written since the last reset.
  private writes = 0
  // When the batch at hand was read, in epoch milliseconds.
  private readAt = 0
  // Whether nobody else sends anything that could be answered by a list, or by an error without a name.
  private isAlone = true

  constructor(options: Options<A>) {
    this.options = options
  }

  /**
   * Observes an epoch: reads the answers, and takes data of a channel for its
   * confirmation. Nothing was asked for when it begins, and when it has ended.
   */
  readonly attach: NamedObserver<A>["attach"] = () => {
    this.reset()
    const { dialect } = this.options
    // Nothing is asked of a peer whose dialect is not known.
    if (dialect === undefined) return idle
    const { answer } = dialect
    return {
      batch: (batch) => {
        if (answer !== undefined) this.read(batch, answer)
      },
      ended: () => this.reset()
    }
  }

  want(channels: ReadonlyArray<Channel.Channel>): void {
    for (const channel of channels) {
      const key = Channel.key(channel)
      this.standings.want(key, channel)
      const reason = this.options.dialect?.objection?.(channel)
      if (reason === undefined || this.standings.impossible.has(key)) continue
      const refused = new SubscriptionRefused({ channel, reason })
      this.standings.impossible.set(key, { refused, isTold: false })
      this.waiters?.refuse(key, refused)
    }
  }

  unwant(channels: ReadonlyArray<Channel.Channel>): void {
    for (const channel of channels) this.standings.unwant(Channel.key(channel), channel)
  }

  private get standings(): SubscriptionStates {
    return this.made ??= new SubscriptionStates(this.options.dialect ?? {})
  }

  /** The channels that are wanted, in the order in which they were asked for. */
  wanted(): ReadonlyArray<Channel.Channel> {
    return this.made === undefined ? [] : [...this.made.wants.values()]
  }

  states(): ReadonlyArray<{ readonly channel: Channel.Channel; readonly standing: SubscriptionState }> {
    return [...this.standings.wants].map(([key, channel]) => ({ channel, standing: this.standings.stateOf(key) }))
  }

  /** Why the peer refuses those that it refuses; none after `shutdown`. */
  refusals(): ReadonlyArray<SubscriptionRefused> {
    if (this.isShutDown) return []
    return [...this.standings.wants.keys()].flatMap((key) => this.standings.refusalOf(key) ?? [])
  }

  private reset(): void {
    this.resets++
    this.writes = 0
    this.changes = {}
    this.pending = []
    this.again = []
    this.made?.reset()
  }

  /** Asks for what is wanted and was not asked for, and gives up what is not wanted any more. */
  ask(wire: Wire): Effect.Effect<void, WireClosed> {
    return this.inTurn((dialect, begun) => this.converge(dialect, wire, begun))
  }

  /** Gives the channels up and asks for them again, on an epoch that is up. */
  resubscribe(wire: Wire, channels: ReadonlyArray<Channel.Channel>): Effect.Effect<void, WireClosed> {
    return this.inTurn((dialect, begun) => this.anew(dialect, wire, channels, begun))
  }

  /** Fails when the peer refuses the channel, at once if it has in this epoch, and after `shutdown`. */
  awaitRefusal(channel: Channel.Channel): Effect.Effect<never, SubscriptionRefused | ConnectionClosed> {
    return Effect.suspend(() => {
      if (this.isShutDown) return Effect.fail(new ConnectionClosed())
      const key = Channel.key(channel)
      const known = this.standings.refusalOf(key)
      if (known !== undefined) return Effect.fail(known)
      return (this.waiters ??= new RefusalWaiters()).wait(key)
    })
  }

  /** How many frames that ask for channels or give them up were written in this epoch. */
  written(): number {
    return this.writes
  }

  /** Whether something is to be asked for once more, because it was refused together with something else. */
  isUnasked(): boolean {
    return this.again.length > 0
  }

  /**
   * Somebody else sends, too: answers without an id or a name may be theirs, and
   * are neither counted nor laid at anybody's door any more.
   */
  share(): void {
    this.isAlone = false
  }

  /** When the oldest ask whose answer has a deadline was written. */
  waitingSince(): number | undefined {
    return this.pending.find((one) => this.isWaiting(one))?.at
  }

  /**
   * Refuses what was not answered for so many milliseconds. If nothing at all is
   * confirmed, the epoch is to blame: then it refuses nothing and gives a channel
   * that waits.
   */
  expire(at: number, millis: number): Channel.Channel | undefined {
    const overdue = this.pending.filter((one) => this.isWaiting(one) && at - one.at >= millis)
    const listed = overdue.filter(({ ask }) => ask.isListed === true)
    // Where no list has come, the peer may give none.
    this.refuseUnlisted(listed.filter(({ isAnswered }) => isAnswered), undefined)
    this.pending = this.pending.filter((one) => !listed.includes(one))
    const late = overdue.filter(({ ask }) => ask.isListed !== true)
    const channels = late.flatMap(({ adds, ask }) => adds ? this.unconfirmed(ask.channels) : [])
    const [first] = channels
    if (first !== undefined && this.standings.confirmed.size === 0) return first
    // A late answer is still known for what it is.
    for (const one of late) {
      one.isExpired = true
      if (one.ask.requestId !== undefined) this.options.correlator.release(one.ask.requestId)
    }
    for (const channel of channels) this.standings.refusedSilently.add(Channel.key(channel))
    this.refuse(channels, undefined, `no answer within ${millis} ms`, undefined)
    return undefined
  }

  /** Ends it for good: nobody waits for a refusal any more. */
  shutdown(): void {
    this.isShutDown = true
    this.waiters?.close()
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
          this.changes = {}
        }
        this.writes++
        // A wire that ended says why when it is asked again.
        if (!wire.write(this.options.dialect?.signing?.sign(ask) ?? ask.text)) yield* wire.ready
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
          const wanted = group.filter((channel) => this.standings.wants.has(Channel.key(channel)))
          yield* this.write(wire, dialect.subscribe(wanted, this.options.correlator.next()), wanted, true, begun)
          continue
        }
        const { adds, gone, replaced, served } = this.standings.takeChanges()
        this.confirm(served)
        if (adds.length + gone.length + replaced.length === 0) return
        yield* this.giveUp(dialect, wire, replaced, begun)
        yield* this.write(wire, dialect.subscribe(adds, this.options.correlator.next()), adds, true, begun)
        yield* this.giveUp(dialect, wire, gone, begun)
      }
    })
  }

  private giveUp(dialect: Dialect<A>, wire: Wire, gone: ReadonlyArray<Channel.Channel>, begun: number) {
    const removes = this.standings.giveUp(gone)
    return this.write(wire, dialect.unsubscribe(removes, this.options.correlator.next()), removes, false, begun)
  }

  private anew(
    dialect: Dialect<A>,
    wire: Wire,
    wanted: ReadonlyArray<Channel.Channel>,
    begun: number
  ): Effect.Effect<void, WireClosed> {
    return Effect.gen({ self: this }, function*() {
      if (begun !== this.resets) return
      const channels = this.standings.shared.carriersOf(wanted)
      yield* this.write(wire, dialect.unsubscribe(channels, this.options.correlator.next()), channels, false, begun)
      yield* this.write(wire, dialect.subscribe(channels, this.options.correlator.next()), channels, true, begun)
    })
  }

  // Data of the channels has come, which confirms them.
  private confirmByData(channels: ReadonlyArray<Channel.Channel> | undefined): void {
    if (channels === undefined || channels.length === 0) return
    if (channels instanceof ChannelList && !channels.isNewAfter(this.changes)) return
    this.confirm(channels)
    this.pending = this.pending.filter((one) => !this.isConfirmedByData(one))
  }

  // What was refused and comes nevertheless is not refused.
  private confirm(channels: ReadonlyArray<Channel.Channel>): void {
    let newly: Array<Channel.Channel> | undefined
    for (const channel of this.standings.shared.withServed(channels)) {
      const key = Channel.key(channel)
      if (this.standings.confirmed.has(key)) continue
      ;(newly ??= []).push(channel)
      this.standings.confirmed.add(key)
      this.standings.refused.delete(key)
      this.standings.refusedSilently.delete(key)
    }
    if (newly !== undefined) this.options.onConfirmed(newly, this.readAt)
  }

  private isConfirmed(channel: Channel.Channel): boolean {
    return this.standings.confirmed.has(Channel.key(channel))
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

  private tellBarred(): void {
    const untold = [...this.standings.impossible.values()].filter(({ isTold }) => !isTold)
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
    for (const channel of this.standings.shared.withServed(channels)) {
      const key = Channel.key(channel)
      if (this.standings.refused.has(key) || !this.standings.wants.has(key)) continue
      const refused = new SubscriptionRefused({ channel, reason, ...(code === undefined ? {} : { code }) })
      this.standings.confirmed.delete(key)
      this.changes = {}
      this.standings.refused.set(key, refused)
      this.waiters?.refuse(key, refused)
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
    for (const channel of missing) this.standings.refusedSilently.add(Channel.key(channel))
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
  private settleById(answer: Confirmed, one: Pending): boolean {
    const isBare = answer.channel === undefined && answer.product === undefined
    const named = isBare && answer.names === undefined ? [] : this.standings.names.meant(answer, [one])
    if (one.adds && answer.lists && (isBare || named.length > 0)) {
      this.confirm(named)
      return true
    }
    this.answered(one)
    if (one.adds) this.confirm(one.ask.channels)
    return false
  }

  private settleByName(answer: Confirmed): void {
    const unnumbered = this.pending.filter(({ ask }) => ask.requestId === undefined)
    const [oldest] = unnumbered
    const isBare = answer.channel === undefined && answer.product === undefined
    if (oldest === undefined || (isBare && oldest.ask.isListed === true)) return
    if (!isBare && !this.standings.names.has(answer, this.pending, unnumbered)) return
    const meant = new Set(
      (isBare ? oldest.ask.channels : this.standings.names.meant(answer, unnumbered)).map(Channel.key)
    )
    for (const one of unnumbered) {
      const channels = one.ask.channels.filter((channel) => meant.has(Channel.key(channel)))
      if (channels.length === 0) continue
      if (one.adds) this.confirm(channels)
      if (one.ask.isListed !== true && (!one.adds || one.ask.channels.every((channel) => this.isConfirmed(channel)))) {
        this.answered(one)
      }
    }
  }

  // Where a refusal names none of several channels, it is told at once, and what it is of when that is known.
  private settleRefused(answer: Refusal, byId: Pending | undefined, by: A): void {
    const found = meaningOf(answer, byId, this.pending, this.isAlone, (channel) => this.isConfirmed(channel))
    if (found === undefined) return
    const { again, one, refused } = found
    this.answered(one)
    this.refuse(refused, answer.code, answer.message ?? "no reason given", by)
    if (again.length > 1) this.options.onRefused({ refused: [], by })
    for (const channels of again) if (channels.length > 0) this.again.push(channels)
    if (one.ask.isListed === true) this.endLists(undefined)
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
    { at: readAt, channels, frames, messages, starts }: Batch<A>,
    answer: (message: A, frame: Frame) => Answer | undefined
  ): void {
    this.readAt = readAt
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
