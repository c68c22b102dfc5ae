/**
 * Typed streams of market data from one venue, over one connection that comes
 * back by itself: what was subscribed to before a drop is subscribed to after
 * it, and what was missed in between is said, as a `Gap` per product and
 * channel.
 *
 * **Example** (ten lines that print prices)
 *
 * ```ts
 * const program = Effect.gen(function*() {
 *   const feed = yield* MarketFeed.MarketFeed
 *   yield* feed.trades("BTC-USD").pipe(
 *     Stream.take(5),
 *     Stream.runForEach((trade) => Console.log(trade.product, Decimal.format(trade.price)))
 *   )
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { BearerToken } from "../connection/BearerToken.ts"
import type * as ConnectError from "../connection/ConnectError.ts"
import * as Connection from "../connection/Connection.ts"
import type * as ConnectionState from "../connection/ConnectionState.ts"
import type * as Inbox from "../connection/Inbox.ts"
import { internals } from "../connection/internal/internals.ts"
import type * as Observer from "../connection/Observer.ts"
import type { Reconnection } from "../connection/Reconnection.ts"
import type * as Subscriptions from "../connection/Subscriptions.ts"
import * as Lifecycle from "../event/Lifecycle.ts"
import type * as MarketData from "../event/MarketData.ts"
import * as MarketEvent from "../event/MarketEvent.ts"
import * as VenueMessage from "../event/VenueMessage.ts"
import type * as Dialect from "../protocol/Dialect.ts"
import type * as KeepAlive from "../protocol/KeepAlive.ts"
import type { CircuitBreaker } from "../resilience/CircuitBreaker.ts"
import type { Frame } from "../transport/Frame.ts"
import type { Transport } from "../transport/Transport.ts"
import * as Channel from "../value/Channel.ts"
import * as Monotonic from "../value/Monotonic.ts"
import * as Printable from "../value/Printable.ts"
import * as Timestamp from "../value/Timestamp.ts"
import { type ChannelKind, channelOf, normalise, normalised, type Venue } from "../venue/Venue.ts"
import * as Freshness from "./Freshness.ts"
import * as FeedMetrics from "./internal/feedMetrics.ts"
import * as References from "./internal/references.ts"
import * as Router from "./internal/router.ts"

/**
 * The venue has no channel of that kind.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnknownChannel extends Schema.TaggedError<UnknownChannel>()("UnknownChannel", {
  venue: Schema.String,
  kind: Schema.String
}) {
  override get message(): string {
    return `${this.venue} has no channel for ${this.kind}`
  }
}

/**
 * Why a feed's stream ended before its consumer wanted it to.
 *
 * @category models
 * @since 0.1.0
 */
export type FeedError = ConnectError.ConnectError | Inbox.ConsumerOverflow

/**
 * Why the stream of one product ended before its consumer wanted it to, besides:
 * the venue has no such channel, or refuses it.
 *
 * @category models
 * @since 0.1.0
 */
export type ProductError = FeedError | UnknownChannel | ConnectError.SubscriptionRefused

/**
 * How a feed is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Another endpoint than the venue's own; needed where it has none. */
  readonly url?: string | undefined
  /** Channels to subscribe to from the start, for as long as the feed lives. */
  readonly channels?: ReadonlyArray<Channel.Channel> | undefined
  /** The token for the `Authorization: Bearer` header. Default: none. */
  readonly auth?: BearerToken | undefined
  /** Headers of the upgrade request; secrets as `Redacted`. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted<string>>> | undefined
  /** By when a subscription is to deliver, and what counts as fresh; `"none"` watches nothing. Default: `recommended`. */
  readonly freshness?: Freshness.Policy | "none" | undefined
  /** What sees each batch in the callback that read it, with its epoch and before any queue; see `Observer`. */
  readonly observe?: ReadonlyArray<Observer.NamedObserver<MarketEvent.MarketEvent>> | undefined
  /** How the connection is kept alive. Default: as the venue says. */
  readonly keepAlive?: KeepAlive.KeepAlive<MarketEvent.MarketEvent> | undefined
  /** Hosts, besides loopback, to which a secret may travel over plain `ws://`. */
  readonly plaintextHosts?: ReadonlyArray<string> | undefined
}

/**
 * How a feed is: the connection's state, its epoch and when it was last heard
 * (epoch milliseconds), where each subscription stands, and how fresh its data
 * is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Health {
  readonly venue: string
  readonly state: ConnectionState.Tag
  readonly epoch: number
  readonly lastHeardAt: number | undefined
  readonly subscriptions: ReadonlyArray<
    { readonly channel: Channel.Channel; readonly standing: Subscriptions.SubscriptionState }
  >
  readonly freshness: ReadonlyArray<Freshness.Report>
}

/**
 * Market data of one venue.
 *
 * @category services
 * @since 0.1.0
 */
export class MarketFeed extends Context.Service<MarketFeed, {
  /** The venue whose data this is. */
  readonly venue: Venue
  /**
   * Trades of a product, subscribed to while the stream runs. Of all streams of
   * a feed: a consumer more than 4 MiB behind fails with `ConsumerOverflow`,
   * where its options say nothing else.
   */
  readonly trades: (
    product: string,
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<MarketData.Trade, ProductError>
  /** Tickers of a product, subscribed to while the stream runs. */
  readonly ticker: (
    product: string,
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<MarketData.Ticker, ProductError>
  /** Bare prices of a product, from venues that send such, subscribed to while the stream runs. */
  readonly prices: (
    product: string,
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<MarketData.PriceUpdate, ProductError>
  /**
   * Everything, in order: market data, what the venue said, frames that were
   * refused, and the life of the connection with its gaps.
   */
  readonly events: (
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<MarketEvent.AnyEvent, FeedError>
  /** Subscribes to channels by the venue's own names until the scope ends. */
  readonly subscribe: (
    channels: ReadonlyArray<Channel.Channel>
  ) => Effect.Effect<void, ConnectError.ConnectionClosed, Scope.Scope>
  /** The channel for a kind and a product, in the venue's own names. */
  readonly channel: (kind: ChannelKind, product: string) => Effect.Effect<Channel.Channel, UnknownChannel>
  /** Whether the feed is up, where each subscription stands, and how fresh its data is. */
  readonly health: Effect.Effect<Health>
  /** The connection under the feed: its state, its metrics, its breaker. */
  readonly connection: Connection.Connection<MarketEvent.MarketEvent>
}>()("@tickline/core/market/MarketFeed") {}

// What an event says of a subscription.
const makeAnswerOf = (venue: Venue) => (event: MarketEvent.MarketEvent, frame: Frame): Dialect.Answer | undefined => {
  switch (event._tag) {
    case "Subscribed":
    case "Unsubscribed": {
      const { channel, product, requestId } = event
      return { _tag: "Confirmed", lists: true, requestId, channel, product }
    }
    case "Response":
      return { _tag: "Confirmed", requestId: event.requestId ?? "" }
    case "VenueError":
      return {
        _tag: "Refused",
        requestId: event.requestId,
        code: event.code,
        message: event.message,
        ...venue.refused?.(frame)
      }
    default:
      return undefined
  }
}

// What a consumer that conflates tells events apart by: the kind, and the product or what else the kind is about.
const keyOf = (event: MarketEvent.MarketEvent): string => {
  switch (event._tag) {
    case "Trade":
    case "Ticker":
    case "BookSnapshot":
    case "BookDelta":
    case "PriceUpdate":
      return `${event._tag}\n${event.product ?? ""}`
    case "Heartbeat":
    case "Other":
      return `${event._tag}\n${event.kind}`
    case "Subscribed":
    case "Unsubscribed":
      return `${event._tag}\n${event.channel ?? ""}\n${event.product ?? ""}`
    case "VenueError":
      return `${event._tag}\n${event.requestId ?? ""}\n${event.code ?? ""}`
    case "Response":
      return `${event._tag}\n${event.requestId ?? ""}`
  }
}

// Tells the life of the connection as events. It remembers since when nothing was heard, to bound the gaps.
const makeNarrator = (
  venue: string,
  wanted: () => ReadonlyArray<Channel.Channel>,
  channelsFor: Router.Router["channelsFor"],
  metrics: FeedMetrics.FeedMetrics
): (item: Inbox.Item<MarketEvent.MarketEvent>) => ReadonlyArray<MarketEvent.AnyEvent> => {
  let heardAt: number | undefined
  let outage: { readonly from: number; readonly missing: ReadonlyArray<Channel.Channel> } | undefined

  const gaps = (to: number | undefined): Array<MarketEvent.AnyEvent> => {
    const lost = outage
    outage = undefined
    if (lost === undefined) return []
    const from = Timestamp.format(Timestamp.fromEpochMillis(lost.from))
    return lost.missing.map((channel) =>
      new Lifecycle.Gap({
        venue,
        ...(channel.product === undefined ? {} : { product: channel.product }),
        channel: channel.channel,
        from,
        ...(to === undefined ? {} : { to: Timestamp.format(Timestamp.fromEpochMillis(to)) }),
        cause: "disconnect"
      })
    )
  }

  // What this consumer's own queue has shed, by the products and channels that it was of.
  const overflowed = ({ from, keys, rejections, to }: Inbox.Missed): Array<MarketEvent.AnyEvent> => {
    const counts = new Map<string, { readonly of: Partial<Channel.Channel>; missing: number }>()
    const add = (of: Partial<Channel.Channel>, missing: number): void => {
      const key = `${of.channel ?? ""}\n${of.product ?? ""}`
      const before = counts.get(key)
      if (before === undefined) counts.set(key, { of, missing })
      else before.missing += missing
    }
    for (const [key = "", missing] of keys) {
      const at = key.indexOf("\n")
      for (const channel of channelsFor(key.slice(0, at), key.slice(at + 1))) add(channel, missing)
    }
    if (rejections > 0) add({}, rejections)
    metrics.gaps("overflow", counts.size)
    return Array.from(counts.values(), ({ missing, of }) =>
      new Lifecycle.Gap({
        venue,
        ...of,
        from: Timestamp.format(Timestamp.fromEpochMillis(from)),
        to: Timestamp.format(Timestamp.fromEpochMillis(to)),
        cause: "overflow",
        missing
      }))
  }

  const moved = ({ at, from, merged, reason, to }: ConnectionState.Transition): ReadonlyArray<MarketEvent.AnyEvent> => {
    if (from._tag === "Connected") outage = { from: heardAt ?? at, missing: wanted() }
    const event = new Lifecycle.ConnectionEvent({
      venue,
      state: to._tag,
      ...(to._tag === "Connected" ? { epoch: to.epoch } : {}),
      ...("attempt" in to ? { attempt: to.attempt } : {}),
      ...("delayMillis" in to ? { delayMillis: to.delayMillis } : {}),
      reason: merged === undefined ? reason : `${reason} (the last of ${merged} transitions)`,
      at: Timestamp.fromEpochMillis(at)
    })
    switch (to._tag) {
      case "Connected": {
        const events = [event, ...gaps(at)]
        heardAt = at
        return events
      }
      case "Failed":
        return [event, ...gaps(undefined)]
      case "Closing":
        // Who closes a link that is up misses nothing; who closes one that is down has missed what came since.
        if (from._tag === "Connected") outage = undefined
        return [event, ...gaps(undefined)]
      default:
        return [event]
    }
  }

  // Refusals by the message that is nothing but they, and in whose place they are told.
  const refusals = new Map<MarketEvent.MarketEvent, Array<VenueMessage.VenueError>>()

  const refused = ({ by, refused }: Inbox.Refused<MarketEvent.MarketEvent>): ReadonlyArray<VenueMessage.VenueError> => {
    const requestId = by !== undefined && "requestId" in by ? by.requestId : undefined
    const errors = refused.map(({ code, message }) =>
      new VenueMessage.VenueError({
        venue,
        ...(code === undefined ? {} : { code }),
        message,
        ...(requestId === undefined ? {} : { requestId })
      })
    )
    if (by === undefined) return errors
    refusals.set(by, [...refusals.get(by) ?? [], ...errors])
    return []
  }

  // Where the message was shed on its way, the refusals are told nevertheless.
  const told = (events: ReadonlyArray<MarketEvent.AnyEvent>): ReadonlyArray<MarketEvent.AnyEvent> => {
    const errors = new Map<MarketEvent.AnyEvent, Array<VenueMessage.VenueError>>(refusals)
    refusals.clear()
    const replaced = events.flatMap((event) => {
      const found = errors.get(event)
      errors.delete(event)
      return found ?? [event]
    })
    return [...[...errors.values()].flat(), ...replaced]
  }

  const narrate = (item: Inbox.Item<MarketEvent.MarketEvent>): ReadonlyArray<MarketEvent.AnyEvent> => {
    switch (item._tag) {
      case "Batch":
        heardAt = item.at
        return item.messages
      case "Refused":
        return refused(item)
      case "Rejected":
        heardAt = item.at
        return [item.rejection]
      case "Transition":
        return moved(item)
      case "BreakerMoved":
        return [
          new Lifecycle.BreakerEvent({
            venue,
            from: item.transition.from,
            to: item.transition.to,
            ...(item.transition.openForMillis === undefined ? {} : { openForMillis: item.transition.openForMillis }),
            at: Timestamp.fromEpochMillis(item.transition.at)
          })
        ]
      case "SequenceGap":
        return [new Lifecycle.Gap({ venue, from: String(item.from), to: String(item.to), cause: "sequence" })]
      case "Overdue":
        return [
          new Lifecycle.Stale({
            venue,
            ...(item.channel.product === undefined ? {} : { product: item.channel.product }),
            channel: item.channel.channel,
            silentForMillis: item.silentForMillis
          })
        ]
      case "Missed":
        return overflowed(item)
    }
  }

  return (item) => {
    const isPending = refusals.size > 0 && item._tag !== "Refused"
    const events = narrate(item)
    return isPending ? told(events) : events
  }
}

// Watches that what was subscribed to delivers, and does about it what grows: probe, subscribe again, reconnect, report.
// Gives the effect that tells it of a subscription made meanwhile.
const watch = <A>(connection: Connection.Connection<A>, freshness: Freshness.Freshness, onStale: () => void) =>
  Effect.gen(function*() {
    const changes = yield* Queue.sliding<void>(1)
    const tell = ({ channel, silentForMillis, step }: Freshness.Overdue): Effect.Effect<void> =>
      Effect.suspend(() => {
        onStale()
        return Effect.andThen(
          Effect.annotateLogs(
            Effect.logWarning("subscription does not deliver"),
            Printable.fields({
              connection: connection.label,
              channel: channel.channel,
              ...(channel.product === undefined ? {} : { product: channel.product }),
              silent_for_ms: silentForMillis,
              step
            })
          ),
          connection.reportOverdue({ _tag: "Overdue", channel, step, silentForMillis })
        )
      })
    // One probe, one renewal, one reconnect, however many subscriptions are overdue at once.
    const act = (step: Freshness.Step, channels: ReadonlyArray<Channel.Channel>): Effect.Effect<void> => {
      switch (step) {
        case "probe":
          return Effect.asVoid(connection.ping)
        case "resubscribe":
          return connection.resubscribe(channels)
        case "reconnect":
          return Effect.ignore(connection.reconnect)
        case "report":
          return Effect.void
      }
    }
    yield* connection.state.transitions.pipe(
      Stream.runForEach(({ from, to }) =>
        Effect.flatMap(Monotonic.now, (now) => {
          if (to._tag === "Connected") freshness.connected(now)
          else if (from._tag === "Connected") freshness.disconnected()
          return Queue.offer(changes, undefined)
        })
      ),
      Effect.forkScoped({ startImmediately: true })
    )
    yield* Effect.gen(function*() {
      const next = freshness.nextDeadline()
      if (next === undefined) return yield* Queue.take(changes)
      const now = yield* Monotonic.now
      yield* Effect.raceFirst(Effect.sleep(Math.max(1, next - now)), Queue.take(changes))
      const at = yield* Monotonic.now
      const overdue = freshness.check(at, yield* connection.isStalled)
      // Who was refused waits for nothing.
      const refused = new Set(
        (yield* connection.subscriptionStates).flatMap(({ channel, standing }) =>
          standing === "refused" ? [Channel.key(channel)] : []
        )
      )
      for (const step of Freshness.steps) {
        const late = overdue.filter((one) => one.step === step && !refused.has(Channel.key(one.channel)))
        if (late.length === 0) continue
        yield* Effect.forEach(late, tell, { discard: true })
        yield* act(step, late.map(({ channel }) => channel))
      }
    }).pipe(Effect.forever, Effect.forkScoped)
    return Effect.asVoid(Queue.offer(changes, undefined))
  })

/**
 * Makes a feed that is not connected yet: `feed.connection.connect` does that,
 * and who consumes `events` before it sees the first connect too. It ends with
 * the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const prepare = Effect.fnUntraced(function*(
  venue: Venue,
  options: Options = {}
): Effect.fn.Return<
  MarketFeed["Service"],
  never,
  Scope.Scope | Transport | Reconnection | CircuitBreaker
> {
  const isQuiet = venue.isQuiet ?? ((channel: string) => channel === venue.channels.trade)
  const freshness = Freshness.make(options.freshness === "none" ? undefined : options.freshness, isQuiet)
  const router = Router.make(venue)
  const metrics = yield* FeedMetrics.make(venue.name)
  const arrived = ({ channels: belonging = [], monotonicMillis }: Observer.Batch<MarketEvent.MarketEvent>): void => {
    // Most batches are of one subscription, or of several of one channel in turn.
    let name: string | undefined
    let count = 0
    let first = 0
    for (let i = 0; i < belonging.length; i++) {
      const channels = belonging[i]
      if (channels === belonging[i + 1] || channels === undefined) continue
      for (const channel of channels) freshness.received(channel, monotonicMillis)
      const of = channels[0]?.channel
      if (of !== name) {
        if (name !== undefined) metrics.arrived(name, count)
        name = of
        count = 0
      }
      count += i + 1 - first
      first = i + 1
    }
    if (name !== undefined) metrics.arrived(name, count)
  }
  const connection = yield* Connection.make(options.url ?? venue.endpoint ?? "", {
    label: venue.name,
    auth: options.auth,
    headers: options.headers,
    plaintextHosts: options.plaintextHosts,
    decode: venue.decode,
    dialect: {
      subscribe: venue.subscribe,
      unsubscribe: venue.unsubscribe,
      answer: makeAnswerOf(venue),
      objection: ({ channel, product }) =>
        product === undefined ? undefined : Option.getOrUndefined(Result.getFailure(normalise(venue, product, channel)))
    },
    keepAlive: options.keepAlive ?? venue.keepAlive,
    keyOf,
    productOf: (event) => MarketEvent.isMarketData(event) ? event.product : undefined,
    limits: venue.rates,
    attribute: router.attribute,
    observers: [{ name: "freshness", attach: () => ({ batch: arrived, ended: () => {} }) }, ...options.observe ?? []]
  })
  const watchAnew = options.freshness === "none" ? Effect.void : yield* watch(connection, freshness, metrics.stale)
  yield* connection.state.transitions.pipe(
    Stream.runForEach(({ from, to }) =>
      Effect.sync(() => {
        if (from._tag === "Connected" && to._tag !== "Closing") metrics.gaps("disconnect", wanted.length)
      })
    ),
    Effect.forkScoped({ startImmediately: true })
  )

  // What is wanted; and for its data, apart from what only keeps alive.
  const all = new Map<string, Channel.Channel>()
  let wanted: ReadonlyArray<Channel.Channel> = []
  const follow = (): void => {
    const channels = [...all.values()]
    const beats = new Set(beatsOf(channels).map(Channel.key))
    wanted = channels.filter((one) => !beats.has(Channel.key(one)))
    router.follow(channels, wanted)
  }
  const watchFreshness = (channels: ReadonlyArray<Channel.Channel>): Effect.Effect<void> =>
    Effect.flatMap(Monotonic.now, (now) => {
      const keys = new Set(wanted.map(Channel.key))
      for (const one of channels) {
        if (keys.has(Channel.key(one))) freshness.subscribed(one, now)
        else freshness.unsubscribed(one)
      }
      metrics.follow(wanted, freshness.age)
      return watchAnew
    })
  // Data is known for what it is as soon as it is asked for, and until it is given up.
  const subscriptions = References.make({
    subscribe: (channels) =>
      Effect.suspend(() => {
        for (const channel of channels) all.set(Channel.key(channel), channel)
        follow()
        return Effect.andThen(connection.subscribe(channels), watchFreshness(channels))
      }),
    unsubscribe: (channels) =>
      Effect.andThen(
        connection.unsubscribe(channels),
        Effect.suspend(() => {
          for (const channel of channels) all.delete(Channel.key(channel))
          follow()
          return watchFreshness(channels)
        })
      )
  })
  // Where the venue beats on channels of its own, they are subscribed to with the data that they vouch for.
  const beatsOf = (channels: ReadonlyArray<Channel.Channel>): ReadonlyArray<Channel.Channel> =>
    options.keepAlive === undefined && venue.keepAlive.channels !== undefined
      ? venue.keepAlive.channels([...new Set(channels.flatMap(({ product }) => product ?? []))])
      : []
  const want = (channels: ReadonlyArray<Channel.Channel>) => {
    const written = channels.map((channel) => normalised(venue, channel))
    return subscriptions.want([...written, ...beatsOf(written)])
  }

  const channel = (kind: ChannelKind, product: string): Effect.Effect<Channel.Channel, UnknownChannel> => {
    const name = venue.channels[kind]
    return name === undefined
      ? Effect.fail(new UnknownChannel({ venue: venue.name, kind }))
      : Effect.succeed(channelOf(venue, name, product))
  }

  const ofProduct = <A extends MarketEvent.MarketData>(
    kind: ChannelKind,
    product: string,
    select: (event: MarketEvent.MarketEvent) => event is A,
    consumer: Inbox.ConsumerOptions | undefined
  ): Stream.Stream<A, ProductError> =>
    Stream.unwrap(Effect.gen(function*() {
      const wanted = yield* channel(kind, product)
      yield* want([wanted])
      // Where the channel is of all products, it is the event that says of which one it is.
      const written = wanted.product ?? Result.getOrElse(normalise(venue, product, wanted.channel), () => product)
      return connection[internals].route(
        { channel: wanted, product: wanted.product === undefined ? written : undefined, is: select },
        consumer,
        connection.awaitRefusal(wanted)
      )
    }))

  // Where its scope has closed already, `connect` says so.
  yield* Effect.ignore(want(options.channels ?? []))

  return {
    venue,
    connection,
    health: Effect.gen(function*() {
      const { epoch, lastHeardAt, state } = yield* connection.metrics
      const subscriptions = yield* connection.subscriptionStates
      return {
        venue: venue.name,
        state,
        epoch,
        lastHeardAt,
        subscriptions,
        freshness: freshness.report(yield* Monotonic.now)
      }
    }),
    channel,
    subscribe: want,
    trades: (product, consumer) =>
      ofProduct("trade", product, (event): event is MarketData.Trade => event._tag === "Trade", consumer),
    ticker: (product, consumer) =>
      ofProduct("ticker", product, (event): event is MarketData.Ticker => event._tag === "Ticker", consumer),
    prices: (product, consumer) =>
      ofProduct("ticker", product, (event): event is MarketData.PriceUpdate => event._tag === "PriceUpdate", consumer),
    events: (consumer) =>
      Stream.unwrap(Effect.sync(() => {
        const narrate = makeNarrator(venue.name, () => wanted, router.channelsFor, metrics)
        return Stream.flattenIterable(Stream.map(connection.inbound(consumer), narrate))
      }))
  }
})

/**
 * Makes a feed and connects it. It ends with the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  venue: Venue,
  options?: Options | undefined
): Effect.Effect<
  MarketFeed["Service"],
  ConnectError.ConnectError,
  Scope.Scope | Transport | Reconnection | CircuitBreaker
> =>
  Effect.tap(prepare(venue, options), (feed) =>
    // Nobody else has the connection yet, so nobody else can have connected it.
    Effect.catchTag(feed.connection.connect, "AlreadyConnected", Effect.die))

/**
 * A feed of a venue, connected when the layer is built.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  venue: Venue,
  options?: Options | undefined
): Layer.Layer<MarketFeed, ConnectError.ConnectError, Transport | Reconnection | CircuitBreaker> =>
  Layer.effect(MarketFeed, make(venue, options))
