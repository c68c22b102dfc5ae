// Long, because each member of a connection is described where it is declared.
/**
 * One supervised WebSocket, across its epochs: it dials, backs off, keeps
 * alive, restores subscriptions, sends without staleness and hands on what it
 * receives in batches.
 *
 * Every successful dial is an **epoch** with a number. What arrives carries it;
 * what is written belongs to it. A dial is retried by the `Reconnection`
 * policy, behind the `CircuitBreaker` of its origin, and nowhere else.
 *
 * **Example** (ten lines)
 *
 * ```ts
 * const program = Effect.gen(function*() {
 *   const connection = yield* Connection.connect("wss://ws-feed.exchange.coinbase.com")
 *   yield* connection.send(JSON.stringify({ type: "subscribe", product_ids: ["BTC-USD"], channels: ["matches"] }))
 *   yield* Stream.runForEach(connection.messages(), (frame) => Console.log(frame))
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { FrameRejected } from "../codec/Rejection.ts"
import type * as Dialect from "../protocol/Dialect.ts"
import * as Correlator from "../protocol/internal/correlator.ts"
import type * as KeepAlive from "../protocol/KeepAlive.ts"
import type * as Breaker from "../resilience/Breaker.ts"
import * as CircuitBreaker from "../resilience/CircuitBreaker.ts"
import * as ConnectionLimits from "../resilience/internal/connectionLimits.ts"
import * as RollingLimits from "../resilience/internal/rollingLimit.ts"
import type * as RollingLimit from "../resilience/RollingLimit.ts"
import * as Address from "../transport/Address.ts"
import type * as Frame from "../transport/Frame.ts"
import * as SecretMask from "../transport/internal/secretMask.ts"
import { type DialRequest, Transport } from "../transport/Transport.ts"
import type * as Channel from "../value/Channel.ts"
import * as Monotonic from "../value/Monotonic.ts"
import type { BearerToken } from "./BearerToken.ts"
import * as ConnectError from "./ConnectError.ts"
import type * as ConnectionMetrics from "./ConnectionMetrics.ts"
import type * as ConnectionState from "./ConnectionState.ts"
import type * as Inbox from "./Inbox.ts"
import type { Announcement } from "./internal/announcement.ts"
import type * as Close from "./internal/close.ts"
import { type Follower, type Internals, internals, type Shared } from "./internal/connectionInternals.ts"
import type { Options as Parts } from "./internal/connectionParts.ts"
import type * as FrameReader from "./internal/frameReader.ts"
import * as Inboxes from "./internal/inbox.ts"
import type * as InboxItems from "./internal/inboxItems.ts"
import type * as MessageChannels from "./internal/messageChannels.ts"
import * as MetricsRecorder from "./internal/metricsRecorder.ts"
import { Observers } from "./internal/observers.ts"
import * as Outboxes from "./internal/outbox.ts"
import * as ReplayPolicy from "./internal/replayPolicy.ts"
import * as SequenceGaps from "./internal/sequenceGaps.ts"
import * as StateTransitions from "./internal/stateTransitions.ts"
import { Subscriptions } from "./internal/subscriptions.ts"
import * as Supervisor from "./internal/supervisor.ts"
import type * as Observer from "./Observer.ts"
import type * as Opening from "./Opening.ts"
import type * as Outbox from "./Outbox.ts"
import { Reconnection } from "./Reconnection.ts"

/**
 * What a connection is made with, besides its URL and the policy.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<A> {
  /** What logs, metrics and rejections call the connection. Default: the URL's origin. */
  readonly label?: string | undefined
  /** Headers of the upgrade request; secrets as `Redacted`. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted<string>>> | undefined
  /** Subprotocols to offer, best first; secrets as `Redacted`. */
  readonly protocols?: ReadonlyArray<string | Redacted.Redacted<string>> | undefined
  /**
   * The token for the `Authorization: Bearer` header. What the peer repeats of
   * it, and of the other secrets of the dial, is masked before `decode` reads
   * it; see `Secrets`.
   */
  readonly auth?: BearerToken | undefined
  /** Whether to offer permessage-deflate. Default: no; it costs about 70 µs a frame. */
  readonly deflate?: boolean | undefined
  /** Hosts, besides loopback, to which a secret may travel over plain `ws://`. */
  readonly plaintextHosts?: ReadonlyArray<string> | undefined
  /** Reads a frame: messages, or why it was refused. Must not throw. Default: the frame itself. */
  readonly decode?: FrameReader.Decode<A> | undefined
  /** How to ask for channels; needed for `subscribe`. */
  readonly dialect?: Dialect.Dialect<A> | undefined
  /** How the peer shows that it is alive. Default: it answers protocol pings, where the transport can send any. */
  readonly keepAlive?: KeepAlive.KeepAlive<A> | undefined
  /** What is said on each epoch before the connection counts as up, such as signing in. Default: nothing. */
  readonly opening?: Opening.Steps | undefined
  /**
   * The peer's limits on messages, dials and subscriptions, kept in every rolling window. Those per address are
   * shared with all who dial the URL's origin in the same network, through the `Governor.Governor`.
   */
  readonly limits?: ReadonlyArray<ConnectionLimits.Limit> | undefined
  /** What a message costs of the limits on messages. Default: 1. */
  readonly cost?: ((message: Frame.Frame) => number) | undefined
  /**
   * Says to which of the wanted channels each message of a frame belongs; data of
   * a channel confirms it. Asked by the frame and its messages alone, once all
   * frames that came together are decoded. Must be quick and not throw. Default:
   * nobody says.
   */
  readonly attribute?: MessageChannels.Attribute<A> | undefined
  /** What sees each batch in the callback that read it, before any queue, in this order; see `Observer`. */
  readonly observers?: ReadonlyArray<Observer.NamedObserver<A>> | undefined
  /**
   * What messages are told apart by, for consumers that conflate: of those with
   * the same key the newest stays. Default: all have the same.
   */
  readonly keyOf?: InboxItems.KeyOf<A> | undefined
  /** The product of a message, by which those of a channel of all products are routed to who wants one of them. */
  readonly productOf?: ((message: A) => string | undefined) | undefined
  /** For the rooms that are built on it; nothing for its owner. */
  readonly [internals]?: Shared<A> | undefined
  /** The member that numbers the messages, or a function that reads it, to have gaps counted. */
  readonly sequence?: string | SequenceGaps.SequenceOf<A> | undefined
}

/**
 * One supervised WebSocket.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connection<A> {
  /** For the rooms that are built on it; nothing for its owner. */
  readonly [internals]: Internals<A>
  readonly label: string
  /**
   * Brings the connection up, and completes when it is up for the first time.
   * Fails with `AlreadyConnected` where it is up or on its way; after `Failed`
   * or a close it dials anew, with a new id. Interrupted, it gives up. Fails with
   * `ConnectionClosed` where the connection's scope has closed.
   */
  readonly connect: Effect.Effect<void, ConnectError.ConnectError | ConnectError.AlreadyConnected>
  /**
   * Asks for a new epoch. Where one is on its way already it is waited for, so
   * any number of callers cause one dial; where the connection is up it is
   * ended and dialled anew; where it has ended this is `connect`.
   */
  readonly reconnect: Effect.Effect<void, ConnectError.ConnectError | ConnectError.AlreadyConnected>
  /**
   * Sends a message: `now` (the default) on the epoch that is up, or not at
   * all; `keep` on the next epoch that can take it, once. What is more urgent
   * goes first, and everything within the limits.
   */
  readonly send: (
    message: Outbox.Message,
    options?: Outbox.SendOptions | undefined
  ) => Effect.Effect<
    Outbox.Accepted,
    ConnectError.NotSent | ConnectError.OutboxFull | RollingLimit.RateLimited | RollingLimit.InvalidCost
  >
  /**
   * Adds channels to what is wanted: asked for now where the connection is up, and again on each epoch. Fails where the
   * connection's scope has closed.
   */
  readonly subscribe: (channels: ReadonlyArray<Channel.Channel>) => Effect.Effect<void, ConnectError.ConnectionClosed>
  /** Takes channels from what is wanted. Whoever leaves does not wait for the limit: they are given up as it allows. */
  readonly unsubscribe: (channels: ReadonlyArray<Channel.Channel>) => Effect.Effect<void>
  /** The channels that are wanted, in the order in which they were asked for. */
  readonly subscriptions: Effect.Effect<ReadonlyArray<Channel.Channel>>
  /**
   * Ends the connection: `graceful` (the default) with a closing handshake
   * bounded by the policy's close timeout, `forced` at once, also where a graceful
   * one is under way. Everything that still waits to be sent fails with `NotSent`.
   * Where it is closed already, or being closed, it tells how that close ended.
   */
  readonly close: (
    options?: { readonly mode?: "graceful" | "forced" | undefined } | undefined
  ) => Effect.Effect<Close.Closed>
  readonly state: {
    readonly current: Effect.Effect<ConnectionState.ConnectionState>
    /**
     * The state that there is at the first pull, and each that follows, with none missed between; ends with the
     * connection's scope. Of a reader a thousand behind the older half are left out.
     */
    readonly changes: Stream.Stream<ConnectionState.ConnectionState>
    /**
     * Every transition from the moment of the first pull, until the connection's
     * scope ends. Of a reader a thousand behind the older half are merged.
     */
    readonly transitions: Stream.Stream<ConnectionState.Transition>
  }
  readonly isConnected: Effect.Effect<boolean>
  /** Whether reading stands still because a consumer does not take. */
  readonly isStalled: Effect.Effect<boolean>
  /**
   * Everything in order: batches, rejections, transitions, gaps of the sequence,
   * what was missed. Of this and all other streams of messages: a consumer more
   * than 4 MiB behind fails with `ConsumerOverflow`, where its options say
   * nothing else.
   */
  readonly inbound: (
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<Inbox.Item<A>, ConnectError.ConnectError | Inbox.ConsumerOverflow>
  /** What was received, in batches, each with its epoch. Ends with the connection. */
  readonly batches: (
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<Inbox.Batch<A>, ConnectError.ConnectError | Inbox.ConsumerOverflow>
  /** The messages of `batches`, one by one. */
  readonly messages: (
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<A, ConnectError.ConnectError | Inbox.ConsumerOverflow>
  /** What could not be read; the connection lives on. */
  readonly rejections: Stream.Stream<FrameRejected, ConnectError.ConnectError | Inbox.ConsumerOverflow>
  readonly metrics: Effect.Effect<ConnectionMetrics.ConnectionMetrics>
  /** The breaker of the connection's origin. */
  readonly breaker: Breaker.Breaker
}

// Whether the peer is shown something that it may refuse: a secret in a header or a subprotocol, or a user in the URL.
const showsSecret = <A>(url: string, { headers = {}, protocols = [] }: Options<A>): boolean =>
  (Address.parse(url)?.userInfo ?? "") !== "" ||
  [...Object.values(headers), ...protocols].some(Redacted.isRedacted) ||
  Object.keys(headers).some((name) => name.toLowerCase() === "authorization")

type Requirements = Scope.Scope | Transport | Reconnection | CircuitBreaker.CircuitBreaker

const only =
  <A, Tag extends Inbox.Item<A>["_tag"]>(tag: Tag) =>
  (items: ReadonlyArray<Inbox.Item<A>>): ReadonlyArray<Extract<Inbox.Item<A>, { readonly _tag: Tag }>> =>
    items.filter((item): item is Extract<Inbox.Item<A>, { readonly _tag: Tag }> => item._tag === tag)

// Where several connections share the fan-out, those of one while another is up are none of the whole.
const transitionsIn = <A>(items: ReadonlyArray<Inbox.Item<A>>): ReadonlyArray<ConnectionState.Transition> =>
  only<A, "Transition">("Transition")(items).filter(({ isCovered }) => isCovered !== true)

// What a connection is made of.
interface Made<A> {
  readonly label: string
  readonly clock: Clock.Clock
  readonly inbox: Inboxes.Inbox<A>
  readonly outbox: Outboxes.Outbox
  readonly recorder: MetricsRecorder.MetricsRecorder
  readonly observers: Observers<A>
  readonly followed: { by: Follower<A> | undefined }
  readonly correlator: Correlator.Correlator
  readonly subscriptions: Parts<A>["subscriptions"]
  readonly supervisor: Supervisor.Supervisor<A>
  readonly breaker: Breaker.Breaker
  readonly replay: Transport["Service"]["replay"]
}

// Thousands may be idle: what is no function of its own is made when it is asked for.
class ConnectionImpl<A> implements Connection<A> {
  // Private to the runtime as well: it holds the URL and the headers, and an inspection would show them.
  readonly #made: Made<A>

  constructor(made: Made<A>) {
    this.#made = made
  }

  get label(): string {
    return this.#made.label
  }

  get breaker(): Breaker.Breaker {
    return this.#made.breaker
  }

  get [internals](): Internals<A> {
    const made = this.#made
    const { correlator, inbox, observers, replay, subscriptions, supervisor } = made
    return {
      ping: Effect.suspend(() => supervisor.ping),
      // What was asked for anew was recorded.
      resubscribe: (channels) => replay === undefined ? supervisor.resubscribe(channels) : Effect.void,
      replay,
      report: (item) =>
        Effect.sync(() => {
          inbox.offer(item)
          inbox.wake()
        }),
      correlator,
      attach: (observer) => observers.add(observer),
      subscriptionStates: Effect.sync(() => subscriptions.states()),
      refusals: Effect.sync(() => subscriptions.refusals()),
      awaitRefusal: (channel) => subscriptions.awaitRefusal(channel),
      asked: () => replay?.written() ?? subscriptions.written(),
      announceUnsafe: (announcement) => inbox.offer({ _tag: "Announced", announcement }),
      missed: (messages) => made.recorder.missed(messages),
      follow: (by) => {
        made.followed.by = by
      },
      route: (want, consumer, endedBy, onMissed) => inbox.consumeRouted(want, consumer, endedBy, onMissed)
    }
  }

  get connect(): Connection<A>["connect"] {
    return Effect.suspend(() => this.#made.supervisor.connect)
  }

  get reconnect(): Connection<A>["reconnect"] {
    return Effect.suspend(() => this.#made.supervisor.reconnect)
  }

  readonly send: Connection<A>["send"] = (message, how) =>
    Effect.suspend(() => {
      this.#made.supervisor.share()
      return this.#made.outbox.send(message, how)
    })

  readonly subscribe: Connection<A>["subscribe"] = (channels) =>
    Effect.suspend((): Effect.Effect<void, ConnectError.ConnectionClosed> => {
      const { subscriptions, supervisor } = this.#made
      if (supervisor.isShutDown()) return Effect.fail(new ConnectError.ConnectionClosed())
      subscriptions.want(channels)
      return supervisor.ask
    })

  readonly unsubscribe: Connection<A>["unsubscribe"] = (channels) =>
    Effect.suspend(() => {
      this.#made.subscriptions.unwant(channels)
      return this.#made.supervisor.askBeside
    })

  get subscriptions(): Connection<A>["subscriptions"] {
    return Effect.sync(() => this.#made.subscriptions.wanted())
  }

  readonly close: Connection<A>["close"] = (how) => this.#made.supervisor.close(how?.mode ?? "graceful")

  // Who asks for the state alone makes no streams.
  get state(): Connection<A>["state"] {
    const { inbox, supervisor } = this.#made
    return {
      current: supervisor.state,
      get changes() {
        return Stream.suspend(() =>
          Stream.orDie(inbox.consume(
            "transitions",
            undefined,
            (items) => transitionsIn(items).map(({ to }) => to),
            undefined,
            () => supervisor.standing()
          ))
        )
      },
      // Transitions fill no queue, and no failure of the connection ends them.
      get transitions() {
        return Stream.suspend(() => Stream.orDie(inbox.consume("transitions", undefined, transitionsIn)))
      }
    }
  }

  get isConnected(): Connection<A>["isConnected"] {
    return Effect.map(this.#made.supervisor.state, StateTransitions.isConnected)
  }

  get isStalled(): Connection<A>["isStalled"] {
    return Effect.sync(() => this.#made.inbox.isBlocked())
  }

  readonly inbound: Connection<A>["inbound"] = (consumer) =>
    this.#made.inbox.consume("everything", consumer, (items) => items)

  readonly batches: Connection<A>["batches"] = (consumer) =>
    this.#made.inbox.consume("batches", consumer, only("Batch"))

  readonly messages: Connection<A>["messages"] = (consumer) =>
    this.#made.inbox.consume("batches", consumer, Inboxes.messagesOf)

  get rejections(): Connection<A>["rejections"] {
    return Stream.suspend(() =>
      Stream.map(
        this.#made.inbox.consume("rejections", { overflow: "drop-oldest" }, only("Rejected")),
        ({ rejection }) => rejection
      )
    )
  }

  get metrics(): Connection<A>["metrics"] {
    const { clock, inbox, outbox, recorder, supervisor } = this.#made
    return Effect.map(
      supervisor.state,
      ({ _tag }) =>
        recorder.read(
          _tag,
          supervisor.epoch(),
          clock.currentTimeMillisUnsafe(),
          Monotonic.nowMillis(clock),
          outbox.counts(),
          inbox.missed()
        )
    )
  }
}

// Without a decoder A is Frame, by the overloads of `make`.
const itself = <A>(frame: Frame.Frame): ReadonlyArray<A> => [frame as A]

const makeGeneric = Effect.fnUntraced(function*<A>(
  url: string,
  options: Options<A>
): Effect.fn.Return<Connection<A>, never, Requirements> {
  const given = yield* Transport
  const { replay } = given
  const transport: Transport["Service"] = replay === undefined ? given : { ...given, ...replay.join() }
  const reconnection = replay === undefined ? yield* Reconnection : ReplayPolicy.reconnection(yield* Reconnection)
  const { policy } = reconnection
  const breakers = yield* CircuitBreaker.CircuitBreaker
  const clock = yield* Clock.Clock

  const origin = Address.origin(url)
  const label = options.label ?? origin
  const breaker = yield* replay === undefined ? breakers.get(origin) : CircuitBreaker.make("none", { key: origin })
  const recorder = MetricsRecorder.make(label, yield* Effect.context())
  const inbox = options[internals]?.inbox ?? Inboxes.make({
    keyOf: options.keyOf,
    productOf: options.productOf,
    onMissed: (messages) => recorder.missed(messages)
  })
  const kept = yield* Effect.result(
    ConnectionLimits.make(replay === undefined ? options.limits ?? [] : [], origin, transport.network)
  )
  const limits = Result.getOrElse(kept, () => ConnectionLimits.unlimited)
  const now = (): number => Monotonic.nowMillis(clock)
  const keepAlive = options.keepAlive ?? { _tag: "Protocol" }
  // Ordinary messages that use a limit up must not make an answer to a heartbeat late.
  const spares = keepAlive._tag === "Application" || keepAlive._tag === "Requested"
  const outbox = Outboxes.make(
    { ...policy.buffer, now, onWaiting: (messages) => recorder.waiting(messages) },
    limits.asks === undefined
      ? undefined
      : {
        key: label,
        log: limits.messages ?? RollingLimits.combine([]),
        asks: limits.asks,
        now,
        cost: options.cost,
        spares
      }
  )
  const observers = new Observers(options.observers ?? [])
  const correlator = Correlator.make()
  const followed: Made<A>["followed"] = { by: undefined }
  const announce = (announcement: Announcement | undefined): void => {
    if (announcement !== undefined) inbox.offer({ _tag: "Announced", announcement })
  }
  // Those that are still to be logged.
  const refusals: Array<ConnectError.SubscriptionRefused> = []
  const subscriptions = new Subscriptions<A>({
    dialect: options.dialect,
    correlator,
    admit: (frame) => outbox.admit("ask", frame),
    now,
    onRefused: ({ by, refused }) => {
      inbox.offer({ _tag: "Refused", refused, by })
      recorder.refused(refused.length)
      refusals.push(...refused)
      announce(followed.by?.refused(refused.map(({ channel }) => channel)))
    },
    onConfirmed: (channels, at) => {
      recorder.confirmed(channels.length)
      announce(followed.by?.confirmed(channels, at))
    }
  })

  // The first one of a feed is told apart from none.
  const leg = options[internals]?.leg === 1 ? undefined : options[internals]?.leg

  const supervisor = yield* Supervisor.make({
    url,
    label,
    leg,
    inbox,
    outbox,
    recorder,
    subscriptions,
    refusals,
    breaker,
    auth: options.auth,
    keepAlive,
    opening: replay === undefined ? options.opening : undefined,
    correlator,
    dials: limits.dials,
    invalid: Option.getOrUndefined(Result.getFailure(kept)),
    showsToken: options.auth !== undefined || showsSecret(url, options),
    observers,
    onMoved: (transition) => announce(followed.by?.moved(transition)),
    onHandedOn: (batch) => followed.by?.handedOn(batch),
    attribute: options.attribute,
    decode: options.decode ?? itself,
    sequence: typeof options.sequence === "string" ? SequenceGaps.member(options.sequence) : options.sequence,
    dial: (headers, asked) => {
      const request: DialRequest = {
        url,
        headers: { ...options.headers, ...headers },
        protocols: options.protocols ?? [],
        maxMessageBytes: policy.inbound.maxMessageBytes,
        inboundBytes: policy.inbound.bytes,
        deflate: options.deflate ?? false,
        plaintextHosts: options.plaintextHosts ?? [],
        ...(options.dialect?.signing === undefined ? {} : { secrets: options.dialect.signing.secrets }),
        by: { connection: label, leg: options[internals]?.leg, ...asked }
      }
      return SecretMask.mask(request, transport.dial(request))
    }
  }).pipe(Effect.provideService(Transport, transport), Effect.provideService(Reconnection, reconnection))
  // The consumers end after the supervisor has closed.
  yield* Effect.addFinalizer(() =>
    supervisor.shutdown.pipe(
      Effect.andThen(inbox.shutdown),
      Effect.andThen(Effect.sync(() => subscriptions.shutdown()))
    )
  )
  yield* breaker.observe((transition) => {
    inbox.offer({ _tag: "BreakerMoved", transition })
    inbox.wake()
  })

  return new ConnectionImpl({
    label,
    clock,
    inbox,
    outbox,
    recorder,
    observers,
    followed,
    correlator,
    subscriptions,
    supervisor,
    breaker,
    replay: transport.replay
  })
})

/**
 * The options of a connection whose messages are what `decode` reads.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decoding<A> extends Options<A> {
  readonly decode: FrameReader.Decode<A>
}

/**
 * Makes a connection, without dialling. It is closed gracefully when the scope
 * ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export function make<A>(url: string, options: Decoding<A>): Effect.Effect<Connection<A>, never, Requirements>
export function make(
  url: string,
  options?: Options<Frame.Frame> | undefined
): Effect.Effect<Connection<Frame.Frame>, never, Requirements>
export function make<A>(url: string, options: Options<A> = {}): Effect.Effect<Connection<A>, never, Requirements> {
  return makeGeneric(url, options)
}

/**
 * Makes a connection and brings it up.
 *
 * @category constructors
 * @since 0.1.0
 */
export function connect<A>(
  url: string,
  options: Decoding<A>
): Effect.Effect<Connection<A>, ConnectError.ConnectError, Requirements>
export function connect(
  url: string,
  options?: Options<Frame.Frame> | undefined
): Effect.Effect<Connection<Frame.Frame>, ConnectError.ConnectError, Requirements>
export function connect<A>(
  url: string,
  options: Options<A> = {}
): Effect.Effect<Connection<A>, ConnectError.ConnectError, Requirements> {
  return Effect.tap(makeGeneric(url, options), (connection) =>
    // Nobody else has the connection yet, so nobody else can have connected it.
    Effect.catchTag(connection.connect, "AlreadyConnected", Effect.die))
}
