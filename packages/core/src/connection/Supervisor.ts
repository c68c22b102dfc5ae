/**
 * What keeps one connection up: dial, live, decide, wait, dial again. The only
 * place of the house that dials.
 *
 * It holds what is (the state, the wire, the epoch) apart from what its owner
 * wants (to be connected, to redial, to close). One fiber runs the loop; the
 * owner's calls end its wire or interrupt its wait and leave the rest to it.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Backoff from "../resilience/Backoff.ts"
import * as CircuitBreaker from "../resilience/CircuitBreaker.ts"
import type { Log } from "../resilience/RateLimit.ts"
import * as Address from "../transport/Address.ts"
import { DialError, TimedOut } from "../transport/DialError.ts"
import { Transport, type Wire, type WireClosed } from "../transport/Transport.ts"
import type { Channel } from "../value/Channel.ts"
import type { BearerToken } from "./BearerToken.ts"
import * as ConnectError from "./ConnectError.ts"
import * as ConnectionState from "./ConnectionState.ts"
import * as Heartbeat from "./Heartbeat.ts"
import type { Outbox } from "./Outbox.ts"
import * as Reception from "./Reception.ts"
import { Reconnection } from "./Reconnection.ts"
import type { Restoration } from "./Restoration.ts"

const State = ConnectionState.ConnectionState

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
 * The parts that a supervisor works with, and how it dials.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<A> extends Reception.Options<A> {
  readonly url: string
  readonly label: string
  readonly outbox: Outbox
  readonly restoration: Restoration<A>
  readonly breaker: CircuitBreaker.Breaker
  readonly auth: BearerToken | undefined
  readonly keepAlive: Heartbeat.KeepAlive<A>
  /** The limit on dials. */
  readonly dials: Log
  /** The dial, given the headers that the token adds. */
  readonly dial: (
    headers: Readonly<Record<string, Redacted.Redacted<string>>>
  ) => Effect.Effect<Wire, DialError, Scope.Scope>
}

/**
 * What keeps one connection up. The members are those of `Connection`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Supervisor {
  readonly state: Effect.Effect<ConnectionState.ConnectionState>
  readonly epoch: () => number
  readonly connect: Effect.Effect<void, ConnectError.ConnectError | ConnectError.AlreadyConnected>
  readonly reconnect: Effect.Effect<void, ConnectError.ConnectError | ConnectError.AlreadyConnected>
  readonly close: (mode: Closed["mode"]) => Effect.Effect<Closed>
  /** Asks the epoch that is up, if any, for what is wanted now. */
  readonly ask: Effect.Effect<void>
  /** Pings, where the connection is up: the round trip in milliseconds, or nothing where no answer came in time. */
  readonly probe: Effect.Effect<Option.Option<number>>
  /** Gives channels up and asks for them again, on the epoch that is up, if any. */
  readonly renew: (channels: ReadonlyArray<Channel>) => Effect.Effect<void>
}

// How one turn of the loop ended: a failed dial or epoch, a wish for a new epoch, or the end.
type Ending =
  | {
    readonly _tag: "Failed"
    readonly failure: ConnectError.Failure
    /** How long the connection had lived; `undefined` where the dial itself failed. */
    readonly uptimeMillis: number | undefined
  }
  | { readonly _tag: "Redial" }
  | { readonly _tag: "Closing" }

// That an epoch met the policy's `resetOn`: the backoff begins anew and the breaker is told of a success.
interface Proof {
  readonly isGiven: () => boolean
  readonly give: Effect.Effect<void>
}

const failed = (failure: ConnectError.Failure, uptimeMillis?: number | undefined): Ending => ({
  _tag: "Failed",
  failure,
  uptimeMillis
})

const refusedToken = (failure: ConnectError.Failure): ConnectError.Failure =>
  failure._tag === "DialError" && failure.reason._tag === "HandshakeRejected"
    ? new ConnectError.AuthError({ status: failure.reason.status, detail: "the venue refused the token" })
    : failure

const retryAfterOf = (failure: ConnectError.Failure): number =>
  failure._tag === "DialError" && failure.reason._tag === "HandshakeRejected"
    ? failure.reason.retryAfterMillis ?? 0
    : 0

/**
 * Makes a supervisor, without dialling. It closes gracefully when the scope
 * ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*<A>(
  options: Options<A>
): Effect.fn.Return<Supervisor, never, Scope.Scope | Transport | Reconnection> {
  const { breaker, inbox, label, outbox, recorder, restoration } = options
  const { capabilities } = yield* Transport
  const { classify, policy } = yield* Reconnection
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const fibers = yield* Scope.make()
  const backoff = yield* Backoff.make(policy.backoff)
  const now = (): number => clock.currentTimeMillisUnsafe()

  const { circuit } = policy
  const { resetOn } = policy.retry
  const waitsForBreaker = circuit === "none" || circuit.whenOpen === "wait"
  const connectTimeoutMillis = Duration.toMillis(policy.connectTimeout)

  const state = yield* Ref.make<ConnectionState.ConnectionState>(State.Disconnected())
  let stateSince = now()
  let epoch = 0
  let wire: Wire | undefined
  // Why the wire is being ended, where it is ended by us.
  let ending: Ending | undefined
  let closing: Closed["mode"] | undefined
  let supervision: Fiber.Fiber<void> | undefined
  // Completes when the connection is up again, or will not be.
  let cycle = Deferred.makeUnsafe<void, ConnectError.ConnectError>()
  let stalledSince: number | undefined
  let resumedAt = 0

  const log = (level: "Info" | "Warn" | "Error", message: string, annotations: Readonly<Record<string, unknown>>) =>
    Effect.annotateLogs(Effect.logWithLevel(level)(message), { connection: label, ...annotations })

  const become = (to: ConnectionState.ConnectionState, reason: string): Effect.Effect<void> =>
    Effect.map(
      Ref.modify(state, (from) => ConnectionState.allows(from, to) ? [from, to] as const : [undefined, from] as const),
      (from) => {
        if (from === undefined) return
        const at = now()
        recorder.moved(to)
        inbox.offer({ _tag: "Transition", from, to, at, heldMillis: at - stateSince, reason })
        stateSince = at
        inbox.wake()
      }
    )

  // ---- an open wire ---------------------------------------------------------------------------------------------------

  const endWire = (on: Wire, how: Ending): Effect.Effect<void> =>
    Effect.suspend(() => {
      ending ??= how
      return Effect.andThen(inbox.unblock(true), on.terminate)
    })

  const makeHeartbeat = (on: Wire, number: number): Heartbeat.Heartbeat<A> | undefined => {
    if (policy.heartbeat === "none" || (options.keepAlive._tag === "Protocol" && !capabilities.ping)) return undefined
    const { interval, onMiss, timeout } = policy.heartbeat
    const timeoutMillis = Duration.toMillis(timeout)
    return Heartbeat.make({
      wire: on,
      keepAlive: options.keepAlive,
      intervalMillis: Duration.toMillis(interval),
      timeoutMillis,
      send: outbox.urgent,
      admit: outbox.admit,
      isStalled: () => stalledSince !== undefined || on.paused(),
      resumedAt: () => resumedAt,
      onRoundTrip: (millis) => Effect.sync(() => recorder.answered(now(), millis)),
      onStall: (stall) =>
        Effect.suspend(() => {
          recorder.stalled(stall)
          return log("Warn", stall === "consumer" ? "consumer stalled" : "event loop stalled", { epoch: number })
        }),
      onMiss: Effect.suspend(() => {
        recorder.missedPong()
        const failure = new ConnectError.HeartbeatMissed({ epoch: number, afterMillis: timeoutMillis })
        return onMiss === "report"
          ? Effect.as(log("Warn", failure.message, { epoch: number }), true)
          : Effect.as(endWire(on, failed(failure)), false)
      })
    }, now)
  }

  const noticeOf = (heartbeat: Heartbeat.Heartbeat<A> | undefined): ((message: A) => void) | undefined => {
    const ofHeartbeat = heartbeat?.notice
    const ofRestoration = restoration.notice
    if (ofHeartbeat === undefined || ofRestoration === undefined) return ofHeartbeat ?? ofRestoration
    return (message) => {
      ofHeartbeat(message)
      ofRestoration(message)
    }
  }

  // Waits for room where a consumer blocks; the wire is not pulled meanwhile.
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

  // A subscription that is never answered is one that is not there: the restore has failed.
  const watchAnswers = (on: Wire, number: number): Effect.Effect<void> =>
    Effect.gen(function*() {
      yield* Effect.sleep(policy.connectTimeout)
      const [channel] = restoration.unanswered(now(), connectTimeoutMillis)
      if (channel === undefined) return
      const detail = `no answer to the subscription of ${channel.channel}${
        channel.product === undefined ? "" : ` of ${channel.product}`
      } within ${connectTimeoutMillis} ms`
      yield* endWire(on, failed(new ConnectError.RestoreFailed({ epoch: number, detail })))
    })

  // What else happens while a wire is open: sending, keeping alive, and the proof by time.
  const attend = (on: Wire, number: number, heartbeat: Heartbeat.Heartbeat<A> | undefined, proof: Proof) =>
    Effect.gen(function*() {
      yield* Effect.forkScoped(Effect.ignore(outbox.drain))
      if (restoration.notice !== undefined) yield* Effect.forkScoped(watchAnswers(on, number))
      if (heartbeat !== undefined) yield* Effect.forkScoped(Effect.ignore(heartbeat.run))
      if (typeof resetOn === "object") {
        yield* Effect.forkScoped(Effect.andThen(Effect.sleep(resetOn.stableFor), proof.give))
      } else if (circuit !== "none") {
        // The connect was the probe's success. Where more are asked for, a link that stays up has no way to give them,
        // and its drop in a week would count as a failed probe: one that outlives the breaker's rest has shown enough.
        yield* Effect.forkScoped(Effect.andThen(
          Effect.sleep(circuit.openDuration),
          Effect.suspend(() => proof.isGiven() ? breaker.recordStable : Effect.void)
        ))
      }
    })

  // Takes from the wire until it ends. What arrived before its end is delivered, in order, before this completes.
  const receive = Effect.fnUntraced(function*(
    on: Wire,
    number: number,
    notice: ((message: A) => void) | undefined,
    onFirst: Effect.Effect<void>
  ) {
    const read = Reception.make(options, number, notice)
    let isFirst = true
    return yield* on.pull.pipe(
      Effect.flatMap((frames) => {
        read(frames, now())
        if (!isFirst) return absorb
        isFirst = false
        return Effect.andThen(onFirst, absorb)
      }),
      Effect.forever,
      Effect.flip
    )
  })

  const live = Effect.fnUntraced(function*(on: Wire, number: number, proof: Proof) {
    const begun = now()
    if (resetOn === "connect") yield* proof.give
    const heartbeat = makeHeartbeat(on, number)
    yield* attend(on, number, heartbeat, proof)
    const closed = yield* receive(
      on,
      number,
      noticeOf(heartbeat),
      resetOn === "first-message" ? proof.give : Effect.void
    )
    outbox.end()
    stalledSince = undefined
    yield* inbox.unblock(false)
    const how = ending ?? failed(new ConnectError.Dropped({ epoch: number, closed }))
    return how._tag === "Failed" ? failed(how.failure, now() - begun) : how
  })

  // ---- one dial -------------------------------------------------------------------------------------------------------

  const headers: Effect.Effect<Record<string, Redacted.Redacted<string>>, ConnectError.AuthError> =
    options.auth === undefined
      ? Effect.succeed({})
      : Effect.map(options.auth.current, (token) => ({
        Authorization: Redacted.make(`Bearer ${Redacted.value(token)}`, { label: "Authorization" })
      }))

  const dial = Effect.flatMap(headers, (added) => {
    recorder.dialled()
    options.dials.take(now())
    return options.dial(added)
  }).pipe(
    Effect.timeoutOrElse({
      duration: policy.connectTimeout,
      orElse: () =>
        Effect.fail(
          new DialError({
            url: Address.shown(options.url),
            reason: new TimedOut({ afterMillis: connectTimeoutMillis })
          })
        )
    })
  )

  // Asks the new epoch for what is wanted, before anybody is told that it is up.
  const restore = (on: Wire, number: number): Effect.Effect<void, ConnectError.RestoreFailed> =>
    restoration.ask(on).pipe(
      Effect.timeoutOrElse({
        duration: policy.connectTimeout,
        orElse: () => Effect.fail({ message: `not written within ${connectTimeoutMillis} ms` })
      }),
      Effect.mapError(({ message }) => new ConnectError.RestoreFailed({ epoch: number, detail: message }))
    )

  const open = Effect.acquireRelease(
    Effect.sync(() => {
      ending = undefined
      restoration.reset()
    }),
    () =>
      Effect.sync(() => {
        wire = undefined
        outbox.end()
        restoration.reset()
      })
  )

  // ---- the loop -------------------------------------------------------------------------------------------------------

  const finish = (to: ConnectionState.ConnectionState, error: ConnectError.ConnectError) =>
    Effect.gen(function*() {
      recorder.ended(error)
      outbox.close()
      yield* become(to, error.message)
      yield* inbox.end(Exit.fail(error))
      yield* Deferred.fail(cycle, error)
    })

  const giveUp = (error: ConnectError.ConnectError) =>
    Effect.gen(function*() {
      recorder.gaveUp(error._tag === "ConnectionAborted")
      yield* log("Error", "gave up", { error: error.message })
      yield* finish(State.Failed({ error }), error)
    })

  const supervise = Effect.gen(function*() {
    let isEstablished = false
    let isRefreshed = false
    let retries = 0
    let attempt = 1
    let failure: ConnectError.Failure | undefined
    // The earliest time of the next dial, by the backoff and the venue's Retry-After.
    let dueAt = now()

    const stop = (error: ConnectError.Failure) =>
      isEstablished
        ? giveUp(error)
        : Effect.andThen(
          log("Error", "not connected", { error: error.message }),
          finish(State.Disconnected(), error)
        )

    const showBreaker = (until: number) =>
      Effect.flatMap(Ref.get(state), (current) =>
        current._tag === "CircuitOpen" && current.until === until
          ? Effect.void
          : become(State.CircuitOpen({ attempt, delayMillis: until - now(), until, failure }), "circuit open"))

    // Waits until the dial is due and the breaker admits it. The permit is released with the scope.
    const admission = Effect.gen(function*() {
      let waited = false
      while (true) {
        const at = now()
        const seen = yield* breaker.state
        const open = waitsForBreaker && seen._tag === "Open" ? Math.max(dueAt, seen.until) : dueAt
        const until = Math.max(open, at + options.dials.waitFor(at))
        if (until <= at) break
        if (open > dueAt) {
          waited = true
          yield* showBreaker(open)
        }
        // The breaker may be closed by hand, or opened for longer by another connection.
        yield* Effect.raceFirst(Effect.sleep(until - at), waitsForBreaker ? breaker.changed : Effect.never)
      }
      const admitted = yield* Effect.result(
        Effect.acquireRelease(breaker.acquire, (permit) => permit.release)
      )
      if (Result.isSuccess(admitted)) {
        if (waited && circuit !== "none" && circuit.halfOpen === "skip") {
          retries = 0
          yield* backoff.reset
        }
        return admitted.success
      }
      if (!waitsForBreaker) return yield* admitted.failure
      yield* showBreaker(Math.max(admitted.failure.until, now()))
      return yield* breaker.awaitPermit
    })

    // One dial and, where it gives a wire, one epoch; and what it says to the breaker.
    const turn = Effect.gen(function*() {
      const permit = yield* admission
      let isProven = false
      const proof: Proof = {
        isGiven: () => isProven,
        give: Effect.gen(function*() {
          isProven = true
          isRefreshed = false
          if (retries > 0) recorder.backoffReset()
          retries = 0
          yield* backoff.reset
          yield* typeof resetOn === "object" ? permit.prove : permit.succeed
        })
      }

      const epochEnds = Effect.gen(function*() {
        yield* become(State.Connecting({ attempt }), failure === undefined ? "connect" : "retry")
        yield* open
        const on = yield* dial
        const number = ++epoch
        wire = on
        yield* restore(on, number)
        recorder.connected(now())
        isEstablished = true
        yield* log("Info", "connected", { epoch: number, attempt, subscriptions: restoration.wanted().length })
        // Before anybody can see that it is up: who is told so can send.
        outbox.begin(on, number)
        yield* become(State.Connected({ epoch: number }), "handshake complete")
        yield* Deferred.succeed(cycle, void 0)
        // What came to be wanted between the restore and the new state.
        yield* Effect.ignore(restoration.ask(on))
        return yield* live(on, number, proof)
      })

      const how = yield* Effect.catch(epochEnds, (error) => Effect.succeed(failed(error)))
      if (closing !== undefined || how._tag !== "Failed" || !isCounted(how.failure)) return how
      // A permit takes one outcome. A proven connection has given it; its drop is counted where drops count.
      if (!isProven) yield* permit.fail(ConnectError.kind(how.failure))
      else if (circuit !== "none" && circuit.countDisconnect) {
        yield* breaker.recordFailure(ConnectError.kind(how.failure))
      }
      return how
    })

    // What is not retried says nothing about the venue's health.
    const isCounted = (of: ConnectError.Failure): boolean =>
      classify(of) === "retry" && (isEstablished || policy.retryInitialConnect)

    // Refreshes the token where that is what the failure asks for, once. Succeeds with whether to dial again.
    const reauthenticate = Effect.suspend(() => {
      if (options.auth?.refresh === undefined || isRefreshed) return Effect.succeed(false)
      isRefreshed = true
      return Effect.as(options.auth.refresh, true)
    })

    // Decides about the next dial: sets when it is due and shows it, or ends.
    const plan = Effect.fnUntraced(function*(of: ConnectError.Failure, uptimeMillis: number | undefined) {
      const { maxRetries } = policy.retry
      if (maxRetries !== "unlimited" && retries >= maxRetries) {
        return yield* Effect.as(giveUp(new ConnectError.ConnectionAborted({ retries, last: of })), false)
      }
      const at = now()
      const seen = yield* breaker.state
      const breakerUntil = seen._tag === "Open" && seen.until > at ? seen.until : at
      if (!waitsForBreaker && breakerUntil > at) {
        const open = new CircuitBreaker.CircuitOpen({
          key: breaker.key,
          until: breakerUntil,
          retryAfterMillis: breakerUntil - at,
          probing: false
        })
        return yield* Effect.as(giveUp(open), false)
      }
      attempt = ++retries
      recorder.retried()
      const step = yield* backoff.next({ kind: ConnectError.kind(of), uptimeMillis })
      dueAt = at + Math.max(step.delayMillis, retryAfterOf(of))
      const until = Math.max(dueAt, breakerUntil)
      const delayMillis = until - at
      yield* log(breakerUntil > dueAt ? "Warn" : "Info", breakerUntil > dueAt ? "circuit open" : "reconnecting", {
        attempt,
        delay_ms: delayMillis,
        ...(step.pattern === undefined ? {} : { pattern: step.pattern })
      })
      yield* become(
        breakerUntil > dueAt
          ? State.CircuitOpen({ attempt, delayMillis, until, failure: of })
          : State.Reconnecting({ attempt, delayMillis, until, failure: of, pattern: step.pattern }),
        of.message
      )
      return true
    })

    while (true) {
      const turned = yield* Effect.result(Effect.scoped(turn))
      if (Result.isFailure(turned)) return yield* giveUp(turned.failure)
      const how = turned.success
      if (closing !== undefined || how._tag === "Closing") return

      recorder.down(now())
      if (Deferred.isDoneUnsafe(cycle)) cycle = Deferred.makeUnsafe()
      if (how._tag === "Redial") {
        failure = undefined
        attempt = 1
        dueAt = now()
        continue
      }

      failure = how.failure
      recorder.failed(failure)
      yield* log("Warn", how.uptimeMillis === undefined ? "dial failed" : "dropped", {
        kind: ConnectError.kind(failure),
        error: failure.message
      })

      const recovery = classify(failure)
      if (recovery === "reauthenticate") {
        const refreshed = yield* Effect.result(reauthenticate)
        if (Result.isFailure(refreshed)) return yield* stop(refreshed.failure)
        if (!refreshed.success) return yield* stop(refusedToken(failure))
        dueAt = now()
        continue
      }
      if (recovery === "stop" || (!isEstablished && !policy.retryInitialConnect)) return yield* stop(failure)
      if (!(yield* plan(failure, how.uptimeMillis))) return
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

  // ---- what the owner calls -------------------------------------------------------------------------------------------

  const shake = (on: Wire, mode: Closed["mode"]): Effect.Effect<boolean> =>
    mode === "forced"
      ? Effect.as(on.terminate, false)
      : on.close(1000, "").pipe(
        Effect.map(({ clean }) => clean),
        Effect.timeoutOrElse({ duration: policy.closeTimeout, orElse: () => Effect.succeed(false) }),
        Effect.tap(on.terminate)
      )

  const close = (mode: Closed["mode"]): Effect.Effect<Closed> =>
    Effect.uninterruptible(Effect.gen(function*() {
      const current = yield* Ref.get(state)
      if (current._tag === "Disconnected") return { mode, clean: true }
      if (closing !== undefined) {
        if (supervision !== undefined) yield* Fiber.await(supervision)
        return { mode: closing, clean: false }
      }
      closing = mode
      recorder.closed(mode)
      yield* become(State.Closing({ mode }), `${mode} close`)
      yield* inbox.unblock(true)
      let clean = mode === "graceful"
      if (current._tag === "Connected" && wire !== undefined) {
        ending = { _tag: "Closing" }
        clean = yield* shake(wire, mode)
        if (supervision !== undefined) {
          // What arrived is delivered before the end; a forced close does not wait for it longer than its time.
          const loop = supervision
          const limit = mode === "forced" ? policy.forcedTimeout : Duration.infinity
          yield* Effect.timeoutOrElse(Fiber.await(loop), { duration: limit, orElse: () => Fiber.interrupt(loop) })
        }
      } else if (supervision !== undefined) {
        yield* Fiber.interrupt(supervision)
      }
      const unsent = outbox.close()
      yield* inbox.unblock(false)
      yield* log(unsent > 0 ? "Warn" : "Info", "closed", { mode, clean, unsent })
      yield* become(State.Disconnected(), `${mode} close`)
      yield* inbox.end(Exit.fail(Cause.Done()))
      yield* Deferred.fail(cycle, new ConnectError.ConnectionClosed())
      return { mode, clean }
    }))

  const connect: Supervisor["connect"] = Effect.gen(function*() {
    const current = yield* Ref.get(state)
    if (current._tag !== "Disconnected" && current._tag !== "Failed") {
      recorder.conflicted()
      return yield* new ConnectError.AlreadyConnected({ state: current._tag })
    }
    closing = undefined
    cycle = Deferred.makeUnsafe()
    inbox.keep()
    yield* become(State.Connecting({ attempt: 1 }), "connect")
    recorder.sessionBegan(`conn_${(yield* Random.nextIntBetween(0, 0xffffffff)).toString(16).padStart(8, "0")}`)
    yield* backoff.reset
    const up = Deferred.await(cycle)
    supervision = yield* Effect.forkIn(Effect.onExit(supervise, surface), fibers)
    return yield* Effect.onInterrupt(up, () => close("forced"))
  })

  const reconnect: Supervisor["reconnect"] = Effect.flatMap(Ref.get(state), (current) => {
    switch (current._tag) {
      case "Disconnected":
      case "Failed":
        return connect
      case "Closing":
        return Effect.fail(new ConnectError.ConnectionClosed())
      case "Connected": {
        // Somebody may have ended this epoch already: then there is a cycle to wait for.
        if (Deferred.isDoneUnsafe(cycle)) cycle = Deferred.makeUnsafe()
        else recorder.conflicted()
        const up = Deferred.await(cycle)
        return wire === undefined ? up : Effect.andThen(endWire(wire, { _tag: "Redial" }), up)
      }
      case "Connecting":
      case "Reconnecting":
      case "CircuitOpen":
        recorder.conflicted()
        return Deferred.await(cycle)
    }
  })

  const onWire = (use: (on: Wire) => Effect.Effect<void, WireClosed>): Effect.Effect<void> =>
    Effect.flatMap(
      Ref.get(state),
      (current) => current._tag === "Connected" && wire !== undefined ? Effect.ignore(use(wire)) : Effect.void
    )

  yield* Scope.addFinalizer(scope, Effect.andThen(close("graceful"), Scope.close(fibers, Exit.void)))

  return {
    state: Ref.get(state),
    epoch: () => epoch,
    connect,
    reconnect,
    close,
    ask: onWire(restoration.ask),
    probe: Effect.suspend(() => {
      const on = wire
      const begun = now()
      if (on === undefined || !capabilities.ping) return Effect.succeedNone
      return Effect.andThen(outbox.admit, on.ping).pipe(
        Effect.map(() => now() - begun),
        Effect.timeoutOption(policy.heartbeat === "none" ? policy.connectTimeout : policy.heartbeat.timeout),
        Effect.catch(() => Effect.succeedNone)
      )
    }),
    renew: (channels) => onWire((on) => restoration.renew(on, channels))
  }
})
