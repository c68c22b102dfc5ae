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
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as Backoff from "../resilience/Backoff.ts"
import * as CircuitBreaker from "../resilience/CircuitBreaker.ts"
import { DialError, TimedOut } from "../transport/DialError.ts"
import * as Frame from "../transport/Frame.ts"
import { Transport, type Wire, type WireClosed } from "../transport/Transport.ts"
import * as Channel from "../value/Channel.ts"
import type { FrameRejected } from "../value/MarketEvent.ts"
import * as Telemetry from "../value/Telemetry.ts"
import type { BearerToken } from "./BearerToken.ts"
import * as ConnectError from "./ConnectError.ts"
import * as ConnectionState from "./ConnectionState.ts"
import * as Heartbeat from "./Heartbeat.ts"
import * as Inbox from "./Inbox.ts"
import * as Outbox from "./Outbox.ts"
import { Reconnection } from "./Reconnection.ts"
import * as Sequence from "./Sequence.ts"

const State = ConnectionState.ConnectionState

/**
 * How a venue is asked for channels: the frames that subscribe to them and the
 * frames that end the subscriptions. None for none.
 *
 * @category models
 * @since 0.1.0
 */
export interface Dialect {
  readonly subscribe: (channels: ReadonlyArray<Channel.Channel>) => ReadonlyArray<Frame.Frame>
  readonly unsubscribe: (channels: ReadonlyArray<Channel.Channel>) => ReadonlyArray<Frame.Frame>
}

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
  /** Subprotocols to offer, best first. */
  readonly protocols?: ReadonlyArray<string> | undefined
  /** The token for the `Authorization: Bearer` header. */
  readonly auth?: BearerToken | undefined
  /** Whether to offer permessage-deflate. Default: no; it costs about 70 µs a frame. */
  readonly deflate?: boolean | undefined
  /** Hosts, besides loopback, to which a secret may travel over plain `ws://`. */
  readonly plaintextHosts?: ReadonlyArray<string> | undefined
  /** Reads a frame: messages, or why it was refused. Must not throw. Default: the frame itself. */
  readonly decode?: ((frame: Frame.Frame) => ReadonlyArray<A> | FrameRejected) | undefined
  /** How to ask for channels; needed for `subscribe`. */
  readonly dialect?: Dialect | undefined
  /** The member that numbers the messages, or a function that reads it, to have gaps counted. */
  readonly sequence?: string | Sequence.SequenceOf<A> | undefined
}

/**
 * How a close ended. `clean` is whether the peer answered the close frame; a
 * forced close is never clean.
 *
 * @category models
 * @since 0.1.0
 */
export interface Closed {
  readonly mode: "graceful" | "forced"
  readonly clean: boolean
}

/**
 * What a connection has seen, since it was made. Times are epoch milliseconds.
 *
 * `id` and `connectedAt` are of the session: from one `connect` to the next,
 * kept across reconnects.
 *
 * @category models
 * @since 0.1.0
 */
export interface Metrics {
  readonly id: string | undefined
  readonly state: ConnectionState.Tag
  readonly epoch: number
  readonly connectedAt: number | undefined
  readonly lastHeardAt: number | undefined
  readonly lastError: ConnectError.Failure | ConnectError.ConnectError | undefined
  readonly attempts: number
  readonly connects: number
  readonly reconnections: number
  readonly retries: number
  readonly maxRetriesExceeded: number
  readonly downtimeMillis: number
  readonly averageReconnectionMillis: number
  readonly backoffResets: number
  readonly backoffDelayMillis: number
  readonly conflicts: number
  readonly failures: Readonly<Partial<Record<ConnectError.FailureKind, number>>>
  readonly closes: { readonly graceful: number; readonly forced: number }
  readonly frames: number
  readonly bytes: number
  readonly messages: number
  readonly rejections: Readonly<Record<string, number>>
  readonly sequence: { readonly gaps: number; readonly missing: bigint; readonly violations: number }
  readonly outbox: Outbox.Account
  readonly missed: number
  readonly stalls: Readonly<Record<Heartbeat.Stall, number>>
  readonly heartbeat: { readonly answered: number; readonly missed: number; readonly lastRoundTripMillis: number | undefined }
}

/**
 * One supervised WebSocket.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connection<A> {
  readonly label: string
  /**
   * Brings the connection up, and completes when it is up for the first time.
   * Fails with `AlreadyConnected` where it is up or on its way; after `Failed`
   * or a close it dials anew, with a new id. Interrupted, it gives up.
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
   * all; `keep` on the next epoch that can take it, once.
   */
  readonly send: (
    message: Frame.Frame,
    options?: { readonly delivery?: Outbox.Delivery | undefined } | undefined
  ) => Effect.Effect<Outbox.Accepted, ConnectError.NotSent | ConnectError.OutboxFull>
  /** Adds channels to what is wanted: asked for now where the connection is up, and again on each epoch. */
  readonly subscribe: (channels: ReadonlyArray<Channel.Channel>) => Effect.Effect<void>
  /** Takes channels from what is wanted. */
  readonly unsubscribe: (channels: ReadonlyArray<Channel.Channel>) => Effect.Effect<void>
  /** The channels that are wanted, in the order in which they were asked for. */
  readonly subscriptions: Effect.Effect<ReadonlyArray<Channel.Channel>>
  /**
   * Ends the connection: `graceful` (the default) with a closing handshake
   * bounded by the policy's close timeout, `forced` at once. Everything that
   * still waits to be sent fails with `NotSent`.
   */
  readonly close: (
    options?: { readonly mode?: "graceful" | "forced" | undefined } | undefined
  ) => Effect.Effect<Closed>
  readonly state: {
    readonly current: Effect.Effect<ConnectionState.ConnectionState>
    /** Every transition from the moment of the first pull, until the connection's scope ends. */
    readonly transitions: Stream.Stream<ConnectionState.Transition>
  }
  readonly isConnected: Effect.Effect<boolean>
  /** Everything in order: batches, rejections, transitions, gaps of the sequence, what was missed. */
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
  /** The messages that a consumer wants, one by one: cheaper than a filter after `messages`. */
  readonly select: <B extends A>(
    wants: (message: A) => message is B,
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<B, ConnectError.ConnectError | Inbox.ConsumerOverflow>
  /** What could not be read; the connection lives on. */
  readonly rejections: Stream.Stream<FrameRejected, ConnectError.ConnectError | Inbox.ConsumerOverflow>
  readonly metrics: Effect.Effect<Metrics>
  /** The breaker of the connection's origin. */
  readonly breaker: CircuitBreaker.Breaker
}

// scheme://host of a URL, by which breakers are shared; the whole text where it is no such URL.
const originOf = (url: string): string => {
  const match = /^(wss?):\/\/(?:[^@/?#]*@)?([^/?#]*)/i.exec(url)
  return match === null ? url.replace(/[?#].*$/, "") : `${match[1]}://${match[2]}`.toLowerCase()
}

// How an epoch ended: by a failure, or because its owner wanted it to.
type Ending =
  | { readonly _tag: "Failure"; readonly failure: ConnectError.Failure; readonly uptimeMillis: number | undefined }
  | { readonly _tag: "Redial" }
  | { readonly _tag: "Closing" }

// The messages of a pull's batches: the batch's own array where there is one batch.
const messagesOf = <A>(items: NonEmptyReadonlyArray<Inbox.Item<A>>): ReadonlyArray<A> => {
  const [first] = items
  if (items.length === 1) return first._tag === "Batch" ? first.messages : []
  const messages: Array<A> = []
  for (const item of items) {
    if (item._tag === "Batch") { for (const message of item.messages) messages.push(message) }
  }
  return messages
}

const selected = <A, B extends A>(
  items: NonEmptyReadonlyArray<Inbox.Item<A>>,
  wants: (message: A) => message is B
): ReadonlyArray<B> => {
  const messages: Array<B> = []
  for (const item of items) {
    if (item._tag !== "Batch") continue
    for (const message of item.messages) {
      if (wants(message)) messages.push(message)
    }
  }
  return messages
}

type Requirements = Scope.Scope | Transport | Reconnection | CircuitBreaker.CircuitBreaker

const makeGeneric = Effect.fnUntraced(function*<A>(
  url: string,
  options: Options<A>
): Effect.fn.Return<Connection<A>, never, Requirements> {
  const transport = yield* Transport
  const { classify, policy } = yield* Reconnection
  const breakers = yield* CircuitBreaker.CircuitBreaker
  const clock = yield* Clock.Clock
  const context = yield* Effect.context()
  const scope = yield* Effect.scope
  const supervision = yield* Scope.make()

  const origin = originOf(url)
  const label = options.label ?? origin
  const breaker = yield* breakers.get(origin)
  const backoff = yield* Backoff.make(policy.backoff)
  const inbox = Inbox.make<A>()
  const outbox = Outbox.make(policy.buffer)
  const now = (): number => clock.currentTimeMillisUnsafe()

  const attributes = { connection: label }
  const metric = {
    dials: Metric.withAttributes(Telemetry.dials, attributes),
    connects: Metric.withAttributes(Telemetry.connects, attributes),
    retries: Metric.withAttributes(Telemetry.retries, attributes),
    giveUps: Metric.withAttributes(Telemetry.giveUps, attributes),
    frames: Metric.withAttributes(Telemetry.frames, attributes),
    bytes: Metric.withAttributes(Telemetry.bytes, attributes),
    rejections: Metric.withAttributes(Telemetry.rejections, attributes),
    sequenceGaps: Metric.withAttributes(Telemetry.sequenceGaps, attributes),
    connected: Metric.withAttributes(Telemetry.connected, attributes),
    backoffDelay: Metric.withAttributes(Telemetry.backoffDelay, attributes),
    outboxWaiting: Metric.withAttributes(Telemetry.outboxWaiting, attributes),
    roundTrip: Metric.withAttributes(Telemetry.roundTrip, attributes)
  }
  const count = (counter: Metric.Metric<number, unknown>, by: number): void => counter.updateUnsafe(by, context)

  // ---- what the connection knows of itself ----------------------------------------------------------------------

  const state = yield* Ref.make<ConnectionState.ConnectionState>(State.Disconnected())
  let stateSince = now()
  let epoch = 0
  let id: string | undefined
  let connectedAt: number | undefined
  let lastHeardAt: number | undefined
  let lastError: Metrics["lastError"]
  let attempts = 0
  let connects = 0
  let reconnections = 0
  let retriesBegun = 0
  let maxRetriesExceeded = 0
  let downtimeMillis = 0
  let downSince: number | undefined
  let backoffResets = 0
  let backoffDelayMillis = 0
  let conflicts = 0
  const failures: Partial<Record<ConnectError.FailureKind, number>> = {}
  const closes = { graceful: 0, forced: 0 }
  let frames = 0
  let bytes = 0
  let messages = 0
  const rejections: Record<string, number> = {}
  let gaps = 0
  let missing = 0n
  let violations = 0
  const stalls: Record<Heartbeat.Stall, number> = { consumer: 0, loop: 0 }
  let answered = 0
  let missedPongs = 0
  let lastRoundTripMillis: number | undefined

  // ---- control: what the owner wants, beside what is --------------------------------------------------------------

  let wire: Wire | undefined
  let ending: Ending | undefined
  let closing: { readonly mode: "graceful" | "forced" } | undefined
  let supervisor: Fiber.Fiber<void> | undefined
  let cycle = Deferred.makeUnsafe<void, ConnectError.ConnectError>()
  let stalledSince: number | undefined
  let resumedAt = 0

  const log = (message: string, annotations: Record<string, unknown>, level: "Info" | "Warn" | "Error" = "Info") =>
    (level === "Info" ? Effect.logInfo(message) : level === "Warn" ? Effect.logWarning(message) : Effect.logError(message))
      .pipe(Effect.annotateLogs({ connection: label, ...annotations }))

  const become = (to: ConnectionState.ConnectionState, reason: string): Effect.Effect<boolean> =>
    Effect.flatMap(
      Ref.modify(state, (from) => ConnectionState.allows(from, to) ? [from, to] as const : [undefined, from] as const),
      (from) => {
        if (from === undefined) return Effect.succeed(false)
        const at = now()
        inbox.offer({ _tag: "Transition", from, to, at, heldMillis: at - stateSince, reason })
        stateSince = at
        metric.connected.updateUnsafe(to._tag === "Connected" ? 1 : 0, context)
        backoffDelayMillis = to._tag === "Reconnecting" || to._tag === "CircuitOpen" ? to.delayMillis : 0
        metric.backoffDelay.updateUnsafe(backoffDelayMillis, context)
        inbox.wake()
        return Effect.succeed(true)
      }
    )

  // ---- subscriptions: what is wanted, and what this epoch was asked for ---------------------------------------------

  const wanted = new Map<string, Channel.Channel>()
  let asked = new Map<string, Channel.Channel>()
  const asking = yield* Semaphore.make(1)

  const absent = (from: Map<string, Channel.Channel>, other: Map<string, Channel.Channel>): Array<Channel.Channel> =>
    [...from].filter(([key]) => !other.has(key)).map(([, channel]) => channel)

  const ask = (to: Wire): Effect.Effect<void, WireClosed> =>
    asking.withPermits(1)(Effect.gen(function*() {
      const dialect = options.dialect
      if (dialect === undefined) return
      while (true) {
        const adds = absent(wanted, asked)
        const removes = absent(asked, wanted)
        if (adds.length + removes.length === 0) return
        asked = new Map(wanted)
        for (const frame of [...dialect.subscribe(adds), ...dialect.unsubscribe(removes)]) {
          yield* to.ready
          if (!to.write(frame)) yield* to.ready
        }
      }
    }))

  const askNow: Effect.Effect<void> = Effect.flatMap(Ref.get(state), (current) =>
    current._tag === "Connected" && wire !== undefined ? Effect.ignore(ask(wire)) : Effect.void)

  // ---- one epoch ------------------------------------------------------------------------------------------------------

  const sequenceOf: Sequence.SequenceOf<A> | undefined = typeof options.sequence === "string"
    ? Sequence.member(options.sequence)
    : options.sequence

  const follow = (number: number, items: ReadonlyArray<A>, read: Sequence.SequenceOf<A>, last: bigint | undefined) => {
    for (const item of items) {
      const next = read(item)
      if (next === undefined) continue
      const step = Sequence.step(last, next)
      if (step._tag === "Gap") {
        gaps++
        missing += step.missing
        count(metric.sequenceGaps, 1)
        inbox.offer({ _tag: "SequenceGap", epoch: number, from: step.from, to: step.to, missing: step.missing })
      } else if (step._tag === "Violation") {
        violations++
      }
      if (step._tag !== "Violation") last = next
    }
    return last
  }

  const reject = (number: number, at: number, rejection: FrameRejected): void => {
    rejections[rejection.reason] = (rejections[rejection.reason] ?? 0) + 1
    count(metric.rejections, 1)
    inbox.offer({ _tag: "Rejected", epoch: number, at, rejection })
  }

  // Without a decoder A is Frame, by the overloads of `make`.
  const decode = options.decode ?? ((frame: Frame.Frame) => [frame as A])

  // Reads what one pull brought. Per frame: no effect, no allocation but the messages themselves.
  const makeReceive = (number: number) => {
    let last: bigint | undefined
    const deliver = (items: ReadonlyArray<A>, at: number, size: number): void => {
      if (!Arr.isReadonlyArrayNonEmpty(items)) return
      messages += items.length
      if (sequenceOf !== undefined) last = follow(number, items, sequenceOf, last)
      inbox.offer({ _tag: "Batch", epoch: number, at, messages: items, bytes: size })
    }
    return (batch: NonEmptyReadonlyArray<Frame.Frame>): void => {
      const at = now()
      lastHeardAt = at
      let items: Array<A> = []
      let size = 0
      let total = 0
      for (const frame of batch) {
        const length = Frame.size(frame)
        total += length
        size += length
        const decoded = decode(frame)
        if ("_tag" in decoded) {
          deliver(items, at, size)
          items = []
          size = 0
          reject(number, at, decoded)
        } else if (batch.length === 1) {
          deliver(decoded, at, size)
        } else {
          for (const item of decoded) items.push(item)
        }
      }
      deliver(items, at, size)
      frames += batch.length
      bytes += total
      count(metric.frames, batch.length)
      count(metric.bytes, total)
    }
  }

  const absorb: Effect.Effect<void> = Effect.suspend(() => {
    inbox.wake()
    if (!inbox.isBlocked()) return Effect.void
    stalledSince = now()
    return Effect.andThen(
      inbox.room,
      Effect.sync(() => {
        stalledSince = undefined
        resumedAt = now()
      })
    )
  })

  const endEpoch = (on: Wire, how: Ending): Effect.Effect<void> =>
    Effect.suspend(() => {
      ending ??= how
      return Effect.andThen(inbox.unblock(true), on.terminate)
    })

  const heartbeat = (on: Wire, number: number): Effect.Effect<void, WireClosed> => {
    if (policy.heartbeat === "none" || !transport.capabilities.ping) return Effect.void
    const timeoutMillis = Duration.toMillis(policy.heartbeat.timeout)
    const { onMiss } = policy.heartbeat
    return Heartbeat.run({
      wire: on,
      intervalMillis: Duration.toMillis(policy.heartbeat.interval),
      timeoutMillis,
      isStalled: () => stalledSince !== undefined || on.paused(),
      resumedAt: () => resumedAt,
      onRoundTrip: (millis) =>
        Effect.sync(() => {
          answered++
          lastRoundTripMillis = millis
          lastHeardAt = now()
          metric.roundTrip.updateUnsafe(millis, context)
        }),
      onStall: (stall) =>
        Effect.suspend(() => {
          stalls[stall]++
          return log(stall === "consumer" ? "consumer stalled" : "event loop stalled", { epoch: number }, "Warn")
        }),
      onMiss: Effect.suspend(() => {
        missedPongs++
        const failure = new ConnectError.HeartbeatMissed({ epoch: number, afterMillis: timeoutMillis })
        if (onMiss === "report") return Effect.as(log(failure.message, { epoch: number }, "Warn"), true)
        return Effect.as(endEpoch(on, { _tag: "Failure", failure, uptimeMillis: undefined }), false)
      })
    })
  }

  // Runs an open wire until it ends. `prove` is called when the policy's `resetOn` is met.
  const live = Effect.fnUntraced(function*(on: Wire, number: number, epochScope: Scope.Scope, prove: Effect.Effect<void>) {
    const { resetOn } = policy.retry
    let isProven = resetOn === "connect"
    if (isProven) yield* prove
    const begun = now()
    yield* Effect.forkIn(Effect.ignore(outbox.drain), epochScope)
    yield* Effect.forkIn(Effect.ignore(heartbeat(on, number)), epochScope)
    if (typeof resetOn === "object") {
      yield* Effect.forkIn(Effect.andThen(Effect.sleep(resetOn.stableFor), prove), epochScope)
    } else if (policy.circuit !== "none") {
      // The connect was the probe's success. Where more are asked for, a link that stays up has no way to give them,
      // and its drop in a week would count as a failed probe: one that outlives the breaker's rest has shown enough.
      yield* Effect.forkIn(
        Effect.andThen(
          Effect.sleep(policy.circuit.openDuration),
          Effect.suspend(() => isProven ? breaker.recordStable : Effect.void)
        ),
        epochScope
      )
    }
    const receive = makeReceive(number)
    const closed = yield* on.pull.pipe(
      Effect.flatMap((batch) => {
        receive(batch)
        if (isProven || resetOn !== "first-message") return absorb
        isProven = true
        return Effect.andThen(prove, absorb)
      }),
      Effect.forever,
      Effect.flip
    )
    outbox.end()
    stalledSince = undefined
    yield* inbox.unblock(false)
    const uptimeMillis = now() - begun
    const how: Ending = ending ?? { _tag: "Failure", failure: new ConnectError.Dropped({ epoch: number, closed }), uptimeMillis }
    return how._tag === "Failure" ? { ...how, uptimeMillis } : how
  })

  // ---- the dial -------------------------------------------------------------------------------------------------------

  const headers: Effect.Effect<Record<string, string | Redacted.Redacted<string>>, ConnectError.AuthError> =
    options.auth === undefined
      ? Effect.succeed({ ...options.headers })
      : Effect.map(options.auth.current, (token) => ({
        ...options.headers,
        Authorization: Redacted.make(`Bearer ${Redacted.value(token)}`, { label: "Authorization" })
      }))

  const connectTimeoutMillis = Duration.toMillis(policy.connectTimeout)

  const dial: Effect.Effect<Wire, DialError | ConnectError.AuthError, Scope.Scope> = Effect.flatMap(
    headers,
    (sent) => {
      attempts++
      count(metric.dials, 1)
      return transport.dial({
        url,
        headers: sent,
        protocols: options.protocols ?? [],
        maxMessageBytes: policy.inbound.maxMessageBytes,
        inboundBytes: policy.inbound.bytes,
        deflate: options.deflate ?? false,
        plaintextHosts: options.plaintextHosts ?? []
      })
    }
  ).pipe(
    Effect.timeoutOrElse({
      duration: policy.connectTimeout,
      orElse: () =>
        Effect.fail(new DialError({ url: origin, reason: new TimedOut({ afterMillis: connectTimeoutMillis }) }))
    })
  )

  // ---- the supervisor: dial, live, decide, wait, dial -------------------------------------------------------------------

  const finish = (to: ConnectionState.ConnectionState, error: ConnectError.ConnectError, reason: string) =>
    Effect.gen(function*() {
      lastError = error
      outbox.close()
      yield* become(to, reason)
      yield* inbox.end(Exit.fail(error))
      yield* Deferred.fail(cycle, error)
    })

  const giveUp = (error: ConnectError.ConnectError) =>
    Effect.gen(function*() {
      count(metric.giveUps, 1)
      yield* log("gave up", { error: error.message }, "Error")
      yield* finish(State.Failed({ error }), error, error.message)
    })

  const supervise = Effect.gen(function*() {
    let isEstablished = false
    let isRefreshed = false
    let retries = 0
    let attempt = 1
    let failure: ConnectError.Failure | undefined
    // The earliest time of the next dial, by the backoff and the venue's Retry-After.
    let dueAt = now()

    const { circuit } = policy
    const waits = circuit === "none" || circuit.whenOpen === "wait"
    const skips = circuit !== "none" && circuit.halfOpen === "skip"

    // Waits until the dial is due and the breaker admits it. Fails where the breaker rejects and is not waited for.
    const admission = Effect.gen(function*() {
      let waitedForBreaker = false
      while (true) {
        const at = now()
        const seen = yield* breaker.state
        const until = Math.max(dueAt, seen._tag === "Open" && waits ? seen.until : 0)
        if (until > dueAt) waitedForBreaker = true
        if (until > at) {
          if (until > dueAt) yield* showWait(until)
          yield* Effect.raceFirst(Effect.sleep(until - at), waits ? breaker.changed : Effect.never)
          continue
        }
        const admitted = yield* Effect.result(breaker.acquire)
        if (Result.isSuccess(admitted)) {
          if (waitedForBreaker && skips) {
            yield* backoff.reset
            retries = 0
          }
          return admitted.success
        }
        if (!waits) return yield* admitted.failure
        waitedForBreaker = true
        yield* showWait(Math.max(admitted.failure.until, at))
        yield* admitted.failure.probing ? breaker.changed : Effect.sleep(Math.max(1, admitted.failure.until - at))
      }
    })

    const showWait = (until: number) =>
      Effect.gen(function*() {
        const current = yield* Ref.get(state)
        if (current._tag === "CircuitOpen" && current.until === until) return
        yield* become(
          State.CircuitOpen({ attempt, delayMillis: until - now(), until, failure }),
          "circuit open"
        )
      })

    // One dial and, where it gives a wire, one epoch.
    const attemptOnce = (permit: CircuitBreaker.Permit) =>
      Effect.acquireUseRelease(
        Scope.make(),
        (epochScope) =>
          Effect.gen(function*() {
            yield* become(State.Connecting({ attempt }), failure === undefined ? "connect" : "retry")
            const dialed = yield* Effect.result(Scope.provide(dial, epochScope))
            if (Result.isFailure(dialed)) {
              return { ending: { _tag: "Failure" as const, failure: dialed.failure, uptimeMillis: undefined }, isProven: false }
            }
            const on = dialed.success
            const number = ++epoch
            ending = undefined
            asked = new Map()
            wire = on
            const restored = yield* Effect.result(Effect.timeout(ask(on), policy.connectTimeout))
            if (Result.isFailure(restored)) {
              const detail = restored.failure._tag === "WireClosed"
                ? restored.failure.message
                : `not written within ${connectTimeoutMillis} ms`
              const failed = new ConnectError.RestoreFailed({ epoch: number, detail })
              return { ending: { _tag: "Failure" as const, failure: failed, uptimeMillis: undefined }, isProven: false }
            }
            const at = now()
            lastHeardAt = at
            connects++
            count(metric.connects, 1)
            if (isEstablished || connectedAt !== undefined) reconnections++
            connectedAt ??= at
            if (downSince !== undefined) downtimeMillis += at - downSince
            downSince = undefined
            isEstablished = true
            yield* log("connected", { epoch: number, attempt, subscriptions: asked.size })
            // Before anybody can see that it is up: who is told so can send.
            outbox.begin(on, number)
            yield* become(State.Connected({ epoch: number }), "handshake complete")
            yield* Deferred.succeed(cycle, void 0)
            // What came to be wanted between the restore and the new state.
            yield* Effect.ignore(ask(on))
            let isProven = false
            const prove = Effect.gen(function*() {
              isProven = true
              isRefreshed = false
              if (retries > 0 || attempt > 1) backoffResets++
              retries = 0
              yield* backoff.reset
              yield* typeof policy.retry.resetOn === "object" ? permit.prove : permit.succeed
            })
            return { ending: yield* live(on, number, epochScope, prove), isProven: () => isProven }
          }),
        (epochScope) =>
          Effect.suspend(() => {
            wire = undefined
            outbox.end()
            return Scope.close(epochScope, Exit.void)
          })
      )

    while (true) {
      const admitted = yield* Effect.result(admission)
      if (Result.isFailure(admitted)) return yield* giveUp(admitted.failure)
      const permit = admitted.success
      const outcome = yield* Effect.onExit(attemptOnce(permit), (exit) =>
        Exit.isFailure(exit) ? permit.release : Effect.void)
      const isProven = typeof outcome.isProven === "function" ? outcome.isProven() : outcome.isProven
      const how = outcome.ending

      if (closing !== undefined || how._tag === "Closing") {
        yield* permit.release
        return
      }
      downSince ??= now()
      if (Deferred.isDoneUnsafe(cycle)) cycle = Deferred.makeUnsafe()
      if (how._tag === "Redial") {
        yield* permit.release
        failure = undefined
        attempt = 1
        dueAt = now()
        continue
      }

      failure = how.failure
      lastError = failure
      const kind = ConnectError.kind(failure)
      failures[kind] = (failures[kind] ?? 0) + 1
      count(Metric.withAttributes(Telemetry.failures, { ...attributes, kind }), 1)
      yield* log(how.uptimeMillis === undefined ? "dial failed" : "dropped", { kind, error: failure.message }, "Warn")

      const recovery = classify(failure)
      if (recovery === "reauthenticate" && options.auth?.refresh !== undefined && !isRefreshed) {
        yield* permit.release
        isRefreshed = true
        const refreshed = yield* Effect.result(options.auth.refresh)
        if (Result.isSuccess(refreshed)) {
          dueAt = now()
          continue
        }
        return yield* stop(refreshed.failure)
      }
      if (recovery !== "retry") {
        yield* permit.release
        return yield* stop(recovery === "reauthenticate" ? rejectedToken(failure) : failure)
      }
      if (!isEstablished && !policy.retryInitialConnect) {
        yield* permit.release
        return yield* stop(failure)
      }

      // The permit takes one outcome. A connection that was proven has given it; its drop is counted where it counts.
      if (!isProven) yield* permit.fail(kind)
      else if (circuit !== "none" && circuit.countDisconnect) yield* breaker.recordFailure(kind)

      const { maxRetries } = policy.retry
      if (maxRetries !== "unlimited" && retries >= maxRetries) {
        maxRetriesExceeded++
        return yield* giveUp(new ConnectError.ConnectionAborted({ retries, last: failure }))
      }

      const at = now()
      const seen = yield* breaker.state
      if (!waits && seen._tag === "Open" && seen.until > at) {
        return yield* giveUp(
          new CircuitBreaker.CircuitOpen({
            key: origin,
            until: seen.until,
            retryAfterMillis: seen.until - at,
            probing: false
          })
        )
      }
      retries++
      attempt = retries
      retriesBegun++
      count(metric.retries, 1)
      const step = yield* backoff.next({ kind, uptimeMillis: how.uptimeMillis })
      const retryAfterMillis = failure._tag === "DialError" && failure.reason._tag === "HandshakeRejected"
        ? failure.reason.retryAfterMillis ?? 0
        : 0
      const delayMillis = Math.max(step.delayMillis, retryAfterMillis)
      dueAt = at + delayMillis
      if (seen._tag === "Open" && seen.until > dueAt) {
        yield* log("circuit open", { attempt, delay_ms: seen.until - at }, "Warn")
        yield* become(
          State.CircuitOpen({ attempt, delayMillis: seen.until - at, until: seen.until, failure }),
          failure.message
        )
      } else {
        yield* log("reconnecting", { attempt, delay_ms: delayMillis, pattern: step.pattern })
        yield* become(
          State.Reconnecting({ attempt, delayMillis, until: dueAt, failure, pattern: step.pattern }),
          failure.message
        )
      }
    }

    function stop(error: ConnectError.Failure) {
      return isEstablished ? giveUp(error) : Effect.andThen(
        log("not connected", { error: error.message }, "Error"),
        finish(State.Disconnected(), error, error.message)
      )
    }
  })

  // A defect, such as a decoder that throws, is shown to everybody who waits: it must not look like silence.
  const surface = (exit: Exit.Exit<void>): Effect.Effect<void> =>
    Effect.gen(function*() {
      if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
      outbox.close()
      yield* become(State.Closing({ mode: "forced" }), "defect")
      yield* become(State.Disconnected(), "defect")
      yield* inbox.end(Exit.failCause(exit.cause))
      yield* Deferred.failCause(cycle, exit.cause)
    })

  const rejectedToken = (failure: ConnectError.Failure): ConnectError.Failure =>
    failure._tag === "DialError" && failure.reason._tag === "HandshakeRejected"
      ? new ConnectError.AuthError({ status: failure.reason.status, detail: "the venue refused the token" })
      : failure

  // ---- what the owner calls -------------------------------------------------------------------------------------------

  const connect: Connection<A>["connect"] = Effect.gen(function*() {
    const current = yield* Ref.get(state)
    if (current._tag !== "Disconnected" && current._tag !== "Failed") {
      conflicts++
      return yield* new ConnectError.AlreadyConnected({ state: current._tag })
    }
    closing = undefined
    connectedAt = undefined
    cycle = Deferred.makeUnsafe()
    inbox.keep()
    yield* become(State.Connecting({ attempt: 1 }), "connect")
    id = `conn_${(yield* Random.nextIntBetween(0, 0xffffffff)).toString(16).padStart(8, "0")}`
    yield* backoff.reset
    const awaited = cycle
    supervisor = yield* Effect.forkIn(Effect.onExit(supervise, surface), supervision)
    return yield* Deferred.await(awaited)
  }).pipe(Effect.onInterrupt(() => close({ mode: "forced" })))

  const reconnect: Connection<A>["reconnect"] = Effect.suspend(() =>
    Effect.flatMap(Ref.get(state), (current) => {
      switch (current._tag) {
        case "Disconnected":
        case "Failed":
          return connect
        case "Closing":
          return Effect.fail(new ConnectError.ConnectionClosed())
        case "Connected": {
          // Somebody may have ended this epoch already: then there is a cycle to wait for.
          if (Deferred.isDoneUnsafe(cycle)) cycle = Deferred.makeUnsafe()
          else conflicts++
          const on = wire
          const awaited = Deferred.await(cycle)
          return on === undefined ? awaited : Effect.andThen(endEpoch(on, { _tag: "Redial" }), awaited)
        }
        default:
          conflicts++
          return Deferred.await(cycle)
      }
    })
  )

  const shake = (on: Wire, mode: "graceful" | "forced"): Effect.Effect<boolean> =>
    mode === "forced"
      ? Effect.as(on.terminate, false)
      : on.close(1000, "").pipe(
        Effect.map(({ clean }) => clean),
        Effect.timeoutOrElse({ duration: policy.closeTimeout, orElse: () => Effect.as(on.terminate, false) })
      )

  const close: Connection<A>["close"] = (how) =>
    Effect.uninterruptible(Effect.gen(function*() {
      const mode = how?.mode ?? "graceful"
      const current = yield* Ref.get(state)
      if (current._tag === "Disconnected") return { mode, clean: true }
      if (closing !== undefined) {
        if (supervisor !== undefined) yield* Fiber.await(supervisor)
        return { mode: closing.mode, clean: false }
      }
      closing = { mode }
      closes[mode]++
      yield* become(State.Closing({ mode }), `${mode} close`)
      yield* inbox.unblock(true)
      const on = wire
      let clean = mode === "graceful"
      if (on !== undefined && current._tag === "Connected") {
        ending = { _tag: "Closing" }
        clean = yield* shake(on, mode)
        yield* on.terminate
      }
      if (supervisor !== undefined) {
        yield* on !== undefined && current._tag === "Connected" ? Fiber.await(supervisor) : Fiber.interrupt(supervisor)
      }
      const dropped = outbox.close()
      yield* inbox.unblock(false)
      yield* log("closed", { mode, clean, ...(dropped > 0 ? { unsent: dropped } : {}) }, dropped > 0 ? "Warn" : "Info")
      yield* become(State.Disconnected(), `${mode} close`)
      yield* inbox.end(Exit.fail(Cause.Done()))
      yield* Deferred.fail(cycle, new ConnectError.ConnectionClosed())
      return { mode, clean }
    }))

  yield* breaker.observe((transition) => {
    inbox.offer({ _tag: "BreakerMoved", transition })
    inbox.wake()
  })

  yield* Scope.addFinalizer(
    scope,
    Effect.gen(function*() {
      yield* close()
      yield* Scope.close(supervision, Exit.void)
      yield* inbox.shutdown
    })
  )

  const only = <Tag extends Inbox.Item<A>["_tag"]>(tag: Tag) =>
  (items: ReadonlyArray<Inbox.Item<A>>): ReadonlyArray<Extract<Inbox.Item<A>, { readonly _tag: Tag }>> =>
    items.filter((item): item is Extract<Inbox.Item<A>, { readonly _tag: Tag }> => item._tag === tag)

  const connection: Connection<A> = {
    label,
    connect,
    reconnect,
    send: (message, how) =>
      Effect.tap(outbox.send(message, how?.delivery ?? "now"), (accepted) =>
        Effect.sync(() => {
          if (accepted._tag === "Kept") metric.outboxWaiting.updateUnsafe(outbox.account().waiting, context)
        })),
    subscribe: (channels) =>
      Effect.suspend(() => {
        for (const channel of channels) wanted.set(Channel.key(channel), channel)
        return askNow
      }),
    unsubscribe: (channels) =>
      Effect.suspend(() => {
        for (const channel of channels) wanted.delete(Channel.key(channel))
        return askNow
      }),
    subscriptions: Effect.sync(() => [...wanted.values()]),
    close,
    state: {
      current: Ref.get(state),
      transitions: Stream.orDie(inbox.consume("transitions", undefined, only("Transition")))
    },
    isConnected: Effect.map(Ref.get(state), ConnectionState.isConnected),
    inbound: (options) => inbox.consume("everything", options, (items) => items),
    batches: (options) => inbox.consume("batches", options, only("Batch")),
    messages: (options) => inbox.consume("batches", options, messagesOf),
    select: (wants, options) => inbox.consume("batches", options, (items) => selected(items, wants)),
    rejections: Stream.map(
      inbox.consume("rejections", { overflow: "drop-oldest" }, only("Rejected")),
      ({ rejection }) => rejection
    ),
    metrics: Effect.map(Ref.get(state), (current): Metrics => ({
      id,
      state: current._tag,
      epoch,
      connectedAt,
      lastHeardAt,
      lastError,
      attempts,
      connects,
      reconnections,
      retries: retriesBegun,
      maxRetriesExceeded,
      downtimeMillis: downtimeMillis + (downSince === undefined ? 0 : now() - downSince),
      averageReconnectionMillis: reconnections === 0 ? 0 : downtimeMillis / reconnections,
      backoffResets,
      backoffDelayMillis,
      conflicts,
      failures: { ...failures },
      closes: { ...closes },
      frames,
      bytes,
      messages,
      rejections: { ...rejections },
      sequence: { gaps, missing, violations },
      outbox: outbox.account(),
      missed: inbox.missed(),
      stalls: { ...stalls },
      heartbeat: { answered, missed: missedPongs, lastRoundTripMillis }
    })),
    breaker
  }
  return connection
})

/**
 * The options of a connection whose messages are what `decode` reads.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decoding<A> extends Options<A> {
  readonly decode: (frame: Frame.Frame) => ReadonlyArray<A> | FrameRejected
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
