/**
 * The connections of a feed, side by side: usually one, two while one takes over
 * from another, or as many as are to be redundant. They share the feed's fan-out
 * and its ledger; what of them is told once is decided here, before both.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import type { Connection } from "../../connection/Connection.ts"
import type { Transition } from "../../connection/ConnectionState.ts"
import type { Announcement } from "../../connection/internal/announcement.ts"
import { internals } from "../../connection/internal/connectionInternals.ts"
import * as Inboxes from "../../connection/internal/inbox.ts"
import type { MessageChannels } from "../../connection/internal/messageChannels.ts"
import type { NarrowingObserver } from "../../connection/internal/observers.ts"
import type { Batch } from "../../connection/Observer.ts"
import type { Gap } from "../../event/Lifecycle.ts"
import * as MarketEvent from "../../event/MarketEvent.ts"
import * as Channel from "../../value/Channel.ts"
import type { Venue } from "../../venue/Venue.ts"
import type { Report } from "../Redundancy.ts"
import * as ConflationKey from "./conflationKey.ts"
import { GapAnnouncement } from "./gapAnnouncement.ts"
import type { GapLedger } from "./gapLedger.ts"
import * as InstantText from "./instantText.ts"
import { LegInbox } from "./legInbox.ts"
import { LegMerge } from "./legMerge.ts"
import { after, without } from "./mergedBatch.ts"

type Inbox = Inboxes.Inbox<MarketEvent.MarketEvent>

/**
 * One connection of a feed, and where it stands.
 *
 * @category models
 * @since 0.1.0
 */
export interface Leg extends Standing {
  readonly connection: Connection<MarketEvent.MarketEvent>
  readonly scope: Scope.Closeable
}

interface Standing {
  /** 1 for the first one, and so on, for as long as the feed lives. */
  readonly number: number
  readonly endpoint: string
  isUp: boolean
  /** Whether it has come to an end: it has given up, or was closed. */
  hasEnded: boolean
  /** When anything was last heard, in epoch milliseconds. */
  heardAt: number
  /** The channels that the venue has confirmed in the epoch that is up, by their keys. */
  readonly live: Map<string, Channel.Channel>
}

/**
 * What the connections of a feed are made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: Venue
  readonly ledger: GapLedger
  /** Makes a connection to an endpoint, whose batches are narrowed by the observer, and which has this fan-out. */
  readonly connect: (
    endpoint: string,
    narrowing: NarrowingObserver<MarketEvent.MarketEvent>,
    inbox: Inbox,
    leg: number
  ) => Effect.Effect<Connection<MarketEvent.MarketEvent>, never, Scope.Scope>
}

/** Who is told that a connection has come, is up, brings something or has gone. */
export interface LegWatcher {
  /** Before it is dialled. */
  readonly added?: ((leg: Leg) => void) | undefined
  readonly up?: ((leg: Leg) => void) | undefined
  /** The changes of a book were told as another one brought them, which is down: this one is the next, without a snapshot. */
  readonly needsSnapshot?: ((leg: Leg, channel: Channel.Channel) => void) | undefined
  /** The venue has announced, by a message of this kind, that it is about to end it. */
  readonly endsSoon?: ((leg: Leg, kind: string) => void) | undefined
  readonly removed?: ((leg: Leg) => void) | undefined
}

const lookEvery: Duration.Input = "100 millis"

const noReport = { first: 0, later: 0, alone: 0, meanLeadMillis: 0, mostLeadMillis: 0 }

// How far one connection may be behind another that has ended.
const mostLagMillis = 30_000

const nobody: MessageChannels[number] = []

/**
 * The connections of one feed.
 *
 * @category models
 * @since 0.1.0
 */
export class Legs {
  readonly inbox: Inbox
  /** Those that there are, in the order of their endpoints; one that is to take over stands last until it does. */
  all: ReadonlyArray<Leg> = []
  /** Whether the feed's owner has closed them, and has not connected them since. */
  isClosed = false
  /** Whether the order books that are whole on one connection are whole on another. */
  areBooksReady: (leg: Leg, other: Leg) => boolean = () => true
  private readonly options: Options
  private readonly watchers: Array<LegWatcher> = []
  // What was told by which connection: while there are several, and as long after as the last may be behind the others.
  private merge: LegMerge | undefined
  private forgetAt: number | "later" | undefined
  private last = 0

  constructor(options: Options) {
    this.options = options
    this.inbox = Inboxes.make({
      keyOf: ConflationKey.keyOf,
      productOf: (event) => MarketEvent.isMarketData(event) ? event.product : undefined,
      onMissed: (messages) => this.lead.connection[internals].missed(messages)
    })
  }

  /** The one that stands for all where there can be but one. */
  get lead(): Leg {
    const [first] = this.all
    if (first === undefined) throw new Error("a feed has a connection for as long as it lives")
    return first
  }

  watch(watcher: LegWatcher): void {
    this.watchers.push(watcher)
    for (const leg of this.all) watcher.added?.(leg)
  }

  report(): ReadonlyArray<Report> {
    return this.all.map(({ isUp, number }) => ({ leg: number, isUp, ...this.merge?.report(number) ?? noReport }))
  }

  /** Announces something to all consumers, which sleep on until they are woken. */
  announce(announcement: Announcement | undefined): void {
    if (announcement !== undefined) this.inbox.offer({ _tag: "Announced", announcement })
  }

  /** Makes one more connection, which is not dialled yet: beside those that there are, or to take over from one. */
  open(endpoint: string, takesOver = false): Effect.Effect<Leg, never, Scope.Scope> {
    return Effect.gen({ self: this }, function*() {
      const { ledger, venue } = this.options
      const scope = yield* Scope.fork(yield* Effect.scope)
      const standing: Standing = {
        number: ++this.last,
        endpoint,
        isUp: false,
        hasEnded: false,
        heardAt: 0,
        live: new Map()
      }
      if (this.all.length > 0) {
        // From here on, before it can bring anything.
        this.merge ??= new LegMerge(venue.sequenced, this.all.some(({ isUp }) => isUp), (name, product) => {
          const found = [Channel.make(name, product), Channel.make(name)]
          for (const channel of found) this.announce(ledger.whole(channel))
        })
        if (takesOver) {
          this.merge.connected(
            standing.number,
            this.all.flatMap(({ isUp, number }) => isUp ? [number] : [])
          )
        }
      }
      const others = () => this.all.filter(({ number }) => number !== standing.number)
      const goesOn = () => others().some(({ hasEnded }) => !hasEnded)
      const inbox = new LegInbox(this.inbox, {
        // The first one is alone for as long as it is not told apart; one that has taken over from it is another.
        leg: () => standing.number > 1 || others().length > 0 ? standing.number : undefined,
        isCovered: () => others().some(({ isUp }) => isUp),
        isBreakerTold: () => {
          const breaker = this.all.find(({ number }) => number === standing.number)?.connection.breaker
          return this.all.find(({ connection }) => connection.breaker.key === breaker?.key)?.number !== standing.number
        },
        ended: () => {
          standing.hasEnded = true
          return goesOn()
        },
        closed: () => {
          const rest = others()
          if (rest.length > 0) this.all = rest
          return rest.length > 0
        }
      })
      const connection = yield* this.options.connect(endpoint, this.narrowing(standing), inbox, standing.number).pipe(
        Scope.provide(scope)
      )
      const leg: Leg = Object.assign(standing, { connection, scope })
      connection[internals].follow({
        moved: (transition) => this.moved(leg, transition),
        confirmed: (channels, at) => {
          for (const channel of channels) leg.live.set(Channel.key(channel), channel)
          return ledger.confirmed(channels, at)
        },
        refused: (channels) => {
          for (const channel of channels) leg.live.delete(Channel.key(channel))
          return ledger.refused(channels.filter((channel) => !this.isLiveBeside(leg, channel)))
        },
        handedOn: () => ledger.handedOn()
      })
      // What came to be wanted until this step, and in it one of those who are asked from now on.
      const [lead] = this.all
      const wanted = lead === undefined ? [] : yield* lead.connection.subscriptions
      this.all = [...this.all, leg]
      yield* Effect.ignore(connection.subscribe(wanted))
      for (const { added } of this.watchers) added?.(leg)
      return leg
    })
  }

  /** One takes the place of another, which is closed when all that it still brings is there. */
  replace(old: Leg, by: Leg): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.all = this.all.filter((leg) => leg !== by).map((leg) => leg === old ? by : leg)
      // Until it has ended it is one of several.
      this.all = [...this.all, old]
      return Effect.andThen(this.close(old), Effect.sync(() => this.merge?.risen(by.number)))
    })
  }

  /**
   * Whether a connection has what another one has: what the venue has confirmed there is confirmed here, or refused, and
   * the books that are whole there are whole here. So it is too if it has ended, and nothing is to be waited for.
   */
  isLive(leg: Leg, other: Leg): Effect.Effect<boolean> {
    return Effect.map(leg.connection[internals].subscriptionStates, (states) => {
      const refused = new Set(
        states.flatMap(({ channel, standing }) => standing === "refused" ? [Channel.key(channel)] : [])
      )
      const isAnswered = [...other.live.keys()].every((key) => leg.live.has(key) || refused.has(key))
      return leg.hasEnded || (leg.isUp && isAnswered && this.areBooksReady(leg, other))
    })
  }

  /** Completes when it has. */
  awaitLive(leg: Leg, other: Leg): Effect.Effect<void> {
    return this.isLive(leg, other).pipe(
      Effect.repeat({ until: (live) => live, schedule: Schedule.spaced(lookEvery) }),
      Effect.asVoid
    )
  }

  /** Closes one of several for good. */
  close(leg: Leg): Effect.Effect<void> {
    return Effect.andThen(leg.connection.close(), Scope.close(leg.scope, Exit.void)).pipe(
      Effect.andThen(Effect.sync(() => {
        this.all = this.all.filter((other) => other !== leg)
        this.merge?.forget(leg.number)
        this.forgetAt = "later"
        for (const { removed } of this.watchers) removed?.(leg)
      }))
    )
  }

  /** What a connection misses of a channel from when it was last heard, another one has: a gap that is over when it is found. */
  covered(leg: Leg, channel: Channel.Channel, cause: Gap["cause"], at: number): Announcement {
    const [from, to] = [InstantText.of(leg.heardAt), InstantText.of(at)]
    return this.options.ledger.found(channel, { cause, from, to, recovered: "redundant" })
  }

  /** Whether the changes of a channel's book are told as this connection brings them. */
  isFollowed(leg: Leg, channel: Channel.Channel): boolean {
    return this.merge?.isFollowed(leg.number, channel) === true
  }

  /** The channels are wanted no more. */
  unsubscribed(channels: ReadonlyArray<Channel.Channel>): void {
    for (const { live } of this.all) for (const channel of channels) live.delete(Channel.key(channel))
  }

  /** Whether another connection than this one delivers the channel. */
  isLiveBeside({ number }: Pick<Leg, "number">, channel: Channel.Channel): boolean {
    return this.all.some((other) => other.number !== number && other.live.has(Channel.key(channel)))
  }

  // What the feed's ledger is told: nothing, while another connection is up, but of a drop. What another one has of a
  // channel then is a gap that is over when it is found.
  private moved(leg: Leg, transition: Transition): Announcement | undefined {
    const { ledger } = this.options
    const wasUp = leg.isUp
    leg.isUp = transition.to._tag === "Connected"
    if (transition.to._tag === "Connecting") leg.hasEnded = false
    const live = [...leg.live.values()]
    const unfollowed = new Set(wasUp ? live.filter((channel) => this.isFollowed(leg, channel)) : [])
    if (!leg.isUp) leg.live.clear()
    if (wasUp && !leg.isUp) this.merge?.left(leg.number)
    if (leg.isUp) {
      leg.heardAt = transition.at
      for (const { up } of this.watchers) up?.(leg)
    }
    if (!this.all.some((other) => other !== leg && other.isUp)) return ledger.moved(transition)
    if (!wasUp || leg.isUp || transition.to._tag === "Closing") return undefined
    const gaps = live.flatMap((channel) => {
      const other = this.all.find((other) => other !== leg && other.live.has(Channel.key(channel)))
      if (other !== undefined && unfollowed.has(channel)) {
        for (const { needsSnapshot } of this.watchers) needsSnapshot?.(other, channel)
      }
      const announcement = other === undefined || unfollowed.has(channel)
        ? ledger.broken(channel, "disconnect", leg.heardAt)
        : this.covered(leg, channel, "disconnect", transition.at)
      return announcement instanceof GapAnnouncement ? announcement.gaps : []
    })
    return gaps.length === 0 ? undefined : new GapAnnouncement(gaps)
  }

  private endsSoon({ number }: Standing, message: MarketEvent.MarketEvent): void {
    const leg = this.all.find((leg) => leg.number === number)
    if (leg === undefined) return
    for (const { endsSoon } of this.watchers) endsSoon?.(leg, "kind" in message ? message.kind : message._tag)
  }

  private narrowing(standing: Standing): NarrowingObserver<MarketEvent.MarketEvent> {
    const { endsSoon } = this.options.venue
    return {
      name: "legs",
      attach: () => ({ batch: () => {}, ended: () => {} }),
      narrow: (batch) => {
        standing.heardAt = batch.at
        if (endsSoon !== undefined) {
          for (const message of batch.messages) if (endsSoon(message)) this.endsSoon(standing, message)
        }
        if (this.merge === undefined) return batch
        const narrowed = this.narrow(standing.number, batch, this.merge)
        if (this.forgetAt !== undefined) this.forget(batch.monotonicMillis, this.forgetAt)
        return narrowed
      }
    }
  }

  private forget(now: number, at: number | "later"): void {
    if (this.all.length > 1) this.forgetAt = undefined
    else if (at === "later") this.forgetAt = now + mostLagMillis
    else if (now >= at) this.merge = this.forgetAt = undefined
  }

  // What of a batch no other connection has brought.
  private narrow(
    leg: number,
    batch: Batch<MarketEvent.MarketEvent>,
    merge: LegMerge
  ): Batch<MarketEvent.MarketEvent> | undefined {
    const { channels = [], messages, monotonicMillis } = batch
    let passed: Set<number> | undefined
    for (const [i, message] of messages.entries()) {
      if (!MarketEvent.isMarketData(message)) continue
      const of = channels[i] ?? nobody
      if (merge.passes(leg, of[0]?.channel ?? "", message, monotonicMillis, of)) continue
      passed = (passed ?? new Set()).add(i)
      this.options.ledger.duplicate(of, message.product ?? "")
    }
    const narrowed = passed === undefined ? batch : without(batch, passed)
    // What one that was ahead had brought, and nobody else: it may be due by what came now, which is behind it then.
    const due = merge.takeDue()
    return Arr.isReadonlyArrayNonEmpty(due) ? after(due, batch, narrowed) : narrowed
  }
}
