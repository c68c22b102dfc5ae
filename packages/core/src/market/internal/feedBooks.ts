/**
 * The order books of a feed, as its consumers have them: a stream of the newest,
 * or each change in the callback that read it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ConnectionClosed } from "../../connection/ConnectError.ts"
import type { Connection } from "../../connection/Connection.ts"
import type { Announcement } from "../../connection/internal/announcement.ts"
import { internals } from "../../connection/internal/connectionInternals.ts"
import { Reconnection } from "../../connection/Reconnection.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { HttpPort } from "../../transport/HttpPort.ts"
import * as Channel from "../../value/Channel.ts"
import { type ChannelKind, channelOf, type Venue } from "../../venue/Venue.ts"
import type { Options, OrderBook } from "../OrderBook.ts"
import type { View } from "./book.ts"
import { BookKeeper, type Watcher } from "./bookKeeper.ts"
import type { GapLedger } from "./gapLedger.ts"
import { LegBooks } from "./legBooks.ts"
import type { Leg, Legs } from "./legs.ts"
import * as SnapshotRequests from "./snapshotRequests.ts"

/**
 * What the books of a feed are made with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Feed<E> {
  readonly venue: Venue
  /** The base of the venue's REST interface. */
  readonly rest: string | undefined
  /** Whether no book is checked, as a user has asked. */
  readonly isUnchecked: boolean
  readonly connection: Connection<MarketEvent>
  readonly legs: Legs
  readonly ledger: GapLedger
  /** Wants the channel of a book, and what goes with it. */
  readonly want: (book: Channel.Channel) => Effect.Effect<void, ConnectionClosed, Scope.Scope>
  readonly channel: (kind: ChannelKind, product: string) => Effect.Effect<Channel.Channel, E>
}

const viewOf = ({ depth = 10, isRaw }: Options): View => ({ depth, isRaw })

const isNothing = (event: MarketEvent): event is never => event === undefined

/**
 * Makes the books of a feed. Who asks for none pays for none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*<E>(
  { channel, connection, isUnchecked, ledger, legs, rest, venue, want }: Feed<E>
) {
  const { announceUnsafe, awaitRefusal, route } = connection[internals]
  const clock = yield* Clock.Clock
  const fork = yield* FiberSet.makeRuntime<never>()
  const announce = (announcement: Announcement | undefined): void => {
    if (announcement !== undefined) announceUnsafe(announcement)
  }
  const port = Option.getOrUndefined(yield* Effect.serviceOption(HttpPort))
  const { policy } = yield* Reconnection
  const snapshots = port === undefined || rest === undefined
    ? undefined
    : yield* SnapshotRequests.make({ venue, rest, port, policy })
  const books = new LegBooks({
    venue,
    onRecovered: (channel) => announce(ledger.whole(channel, "redundant")),
    onThrown: (channel, error) =>
      void fork(
        Effect.logWarning("watcher of a book failed").pipe(
          Effect.annotateLogs({ connection: venue.name, channel: channel.channel, error: String(error) })
        )
      )
  })
  const keeperOf = (leg: Leg): BookKeeper => {
    const { asked, resubscribe, subscriptionStates } = leg.connection[internals]
    return new BookKeeper({
      venue,
      isReplay: leg.connection[internals].replay !== undefined,
      isUnchecked,
      fetch: snapshots &&
        ((channel, product) =>
          channel === venue.books?.orders?.channel ? snapshots.fetchOrders(product) : snapshots.fetch(product)),
      asked,
      // What is refused, or not answered yet, is not asked for anew: that would not make a book whole.
      resubscribe: (channels) =>
        Effect.flatMap(subscriptionStates, (states) => {
          const confirmed = new Set(
            states.filter(({ standing }) => standing === "confirmed").map(({ channel }) => Channel.key(channel))
          )
          const asked = channels.filter((one) => confirmed.has(Channel.key(one)))
          return asked.length === 0 ? Effect.void : resubscribe(asked)
        }),
      fork: (effect) => fork(effect),
      // What is told of the channel without numbers has a hole, though the book of another connection is whole.
      onBroken: (channel, cause) =>
        announce(
          books.isWholeBeside(leg, channel) && !legs.isFollowed(leg, channel)
            ? legs.covered(leg, channel, cause, clock.currentTimeMillisUnsafe())
            : ledger.broken(channel, cause)
        ),
      onWhole: (channel) => announce(ledger.whole(channel)),
      onUnverified: (reason) =>
        void fork(
          Effect.logWarning("books unverified").pipe(Effect.annotateLogs({ connection: venue.name, reason }))
        )
    })
  }
  // Answers are counted from the first one on, and how products trade may be said only at the beginning.
  let isKeeping = venue.frames?.answersLate === true || venue.trading !== undefined
  const keep = (leg: Leg): void => {
    const keeper = keeperOf(leg)
    leg.connection[internals].attach(keeper.observer)
    books.add(leg, keeper)
  }
  legs.areBooksReady = (leg, other) => books.areReady(leg, other)
  legs.watch({
    added: (leg) => {
      if (isKeeping) keep(leg)
    },
    // A snapshot to go on with; where the book is kept it would be whole no more meanwhile.
    needsSnapshot: (leg, channel) => {
      if (!books.isWatched(channel)) fork(leg.connection[internals].resubscribe([channel]))
    },
    removed: (leg) => books.remove(leg)
  })
  const begin = (): void => {
    if (isKeeping) return
    isKeeping = true
    for (const leg of legs.all) keep(leg)
  }
  const wantedOf = (product: string, { channel: name }: Options) =>
    Effect.map(channel("book", product), (usual): Channel.Channel => {
      begin()
      return name === undefined ? usual : channelOf(venue, name, usual.product ?? product)
    })

  const nameOf = (one: Channel.Channel): string => venue.topics?.(one)[0]?.name ?? one.channel

  const watch = Effect.fnUntraced(
    function*(wanted: Channel.Channel, watcher: Watcher) {
      // Whose snapshot has come before anybody kept the book needs another one.
      const isLate = !books.isWatched(wanted) &&
        (yield* connection.subscriptions).some((one) => Channel.key(one) === Channel.key(wanted))
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          ledger.kept(wanted)
          return books.watch(wanted, watcher)
        }),
        (unwatch) =>
          Effect.sync(() => {
            unwatch()
            if (!books.isWatched(wanted)) announce(ledger.unkept(wanted))
          })
      )
      yield* want(wanted)
      if (isLate) fork(connection[internals].resubscribe([wanted]))
    }
  )

  const observeBook = (product: string, onChange: (book: OrderBook) => void, options: Options = {}) =>
    Effect.flatMap(
      wantedOf(product, options),
      (wanted) => watch(wanted, { ...viewOf(options), onChange })
    )

  const book = (product: string, options: Options = {}) =>
    Stream.unwrap(Effect.gen(function*() {
      const wanted = yield* wantedOf(product, options)
      const changed = yield* Queue.sliding<void>(1)
      const change = (): void => void Queue.offerUnsafe(changed, undefined)
      change()
      yield* watch(wanted, { depth: 0, onChange: change, onSynced: change })
      // Nothing of the channel is taken: it ends as the connection and the subscription do.
      const ended = route(
        { channel: wanted, product: undefined, is: isNothing },
        { overflow: "drop-oldest" },
        awaitRefusal(wanted)
      )
      // Read when it is pulled: what stands before that is taken ahead of a consumer that is slow.
      return Stream.fromQueue(changed).pipe(
        Stream.interruptWhen(Stream.runDrain(ended)),
        Stream.map(() => books.read(wanted, viewOf(options)))
      )
    }))

  // Where only its state shows what is missing, a book is kept though nobody watches it.
  const unwatched = new Map<string, () => void>()
  const follow = (channels: ReadonlyArray<Channel.Channel>): void => {
    if (venue.continuity !== "state") return
    for (const one of channels) {
      if (one.product === undefined || nameOf(one) !== nameOf({ channel: venue.channels.book ?? "" })) continue
      begin()
      ledger.kept(one)
      unwatched.set(Channel.key(one), books.watch(one, { depth: 0, onChange: constVoid }))
    }
  }
  const unfollow = (channels: ReadonlyArray<Channel.Channel>): void => {
    for (const one of channels) {
      unwatched.get(Channel.key(one))?.()
      if (unwatched.delete(Channel.key(one)) && !books.isWatched(one)) announce(ledger.unkept(one))
    }
  }

  return { book, observeBook, follow, unfollow }
})
