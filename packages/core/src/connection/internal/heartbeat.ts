/**
 * Finds links that are connected and dead, in the way that the peer offers:
 * protocol pings, pings of its own dialect, heartbeats that it sends, or tests
 * that it makes and wants answered.
 *
 * Whatever comes in shows that the peer lives: an answer or a beat that fails to
 * come is missed only where nothing else came in its stead. And a miss is only
 * ever a confirmed one. While the socket is paused because a
 * consumer does not take, nothing can be heard, so the deadline stands still and
 * starts afresh on resume; the same holds when our own event loop was late.
 * Both are reported as stalls of ours, never as a dead peer.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Correlator } from "../../protocol/internal/correlator.ts"
import type { KeepAlive } from "../../protocol/KeepAlive.ts"
import type { Wire, WireClosed } from "../../transport/Transport.ts"
import * as SharedTimer from "../../value/internal/sharedTimer.ts"
import * as Monotonic from "../../value/Monotonic.ts"
import type { Observer } from "../Observer.ts"

/**
 * Who kept us from hearing: a consumer that does not take, or our own event
 * loop.
 *
 * @category models
 * @since 0.1.0
 */
export type Stall = "consumer" | "loop"

/**
 * What a heartbeat needs to know, in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<A> {
  readonly wire: Wire
  readonly keepAlive: KeepAlive<A>
  readonly correlator: Correlator
  /** How often to ping where the peer does not say. */
  readonly intervalMillis: number
  /** How long a pong, or an overdue beat, is waited for. */
  readonly timeoutMillis: number
  /** Sends ahead of everything else, where nothing of that kind waits to be sent. */
  readonly send: (frame: string, kind: "ping" | "enable" | "answer") => void
  /** Waits for the limit on messages to admit a ping. */
  readonly admit: Effect.Effect<void>
  /** Whether reading stands still now, because of a consumer. */
  readonly isStalled: () => boolean
  /** When reading last went on after standing still, by the monotonic clock. */
  readonly resumedAt: () => number
  /** When something last came in, by the same clock; when the epoch began where nothing did. */
  readonly lastReceivedAt: () => number
  readonly onRoundTrip: (millis: number) => Effect.Effect<void>
  readonly onStall: (stall: Stall) => Effect.Effect<void>
  /** What to do about a miss: the effect's value says whether to go on. */
  readonly onMiss: Effect.Effect<boolean>
}

/**
 * The heartbeat of one epoch: it rests, beats, and so on. While it rests nothing
 * of it need be held but the wait: thousands of connections may be idle.
 *
 * @category models
 * @since 0.1.0
 */
export interface Heartbeat<A> {
  /** What looks at each message; absent if it looks at none. */
  readonly observer: Observer<A> | undefined
  /** How long it rests before each beat; 0 where it never does. */
  readonly restMillis: number
  /** One beat, which is made when it is due: whether there is a next one. */
  readonly beat: () => Effect.Effect<boolean, WireClosed>
}

const sleepUntil = (at: number): Effect.Effect<number> =>
  Effect.flatMap(Monotonic.now, (now) => Effect.andThen(Effect.sleep(at - now), Monotonic.now))

// Completes when what was to be heard within `millis` of `since` is overdue and nobody but the peer is to blame.
const overdue = Effect.fnUntraced(function*<A>(options: Options<A>, since: () => number, millis: number) {
  let from = since()
  let isReported = false
  while (true) {
    from = Math.max(from, since())
    const due = from + millis
    const now = yield* sleepUntil(due)
    if (since() > from) {
      continue
    } else if (options.isStalled()) {
      if (!isReported) yield* options.onStall("consumer")
      isReported = true
      from = now
    } else if (now - due > millis / 2) {
      yield* options.onStall("loop")
      from = now
    } else if (options.resumedAt() > from) {
      from = options.resumedAt()
    } else {
      return
    }
  }
})

// Pings once: whether to go on.
const ping = Effect.fnUntraced(function*<A>(
  options: Options<A>,
  once: Effect.Effect<void, WireClosed>
): Effect.fn.Return<boolean, WireClosed> {
  yield* options.admit
  const begun = yield* Monotonic.now
  const isAnswered = yield* Effect.raceFirst(
    Effect.as(once, true),
    Effect.as(overdue(options, () => begun, options.timeoutMillis), false)
  )
  if (isAnswered) yield* options.onRoundTrip((yield* Monotonic.now) - begun)
  return isAnswered || options.lastReceivedAt() > begun || (yield* options.onMiss)
})

// Waits for what comes by itself, until a miss is to end it.
const listen = Effect.fnUntraced(function*<A>(options: Options<A>, withinMillis: number) {
  const { timeoutMillis } = options
  // After a miss the next beat is due when it would have been had this one come.
  let missedAt = -Infinity
  while (true) {
    const since = () => Math.max(options.lastReceivedAt(), missedAt - timeoutMillis)
    yield* overdue(options, since, withinMillis + timeoutMillis)
    if (!(yield* options.onMiss)) return false
    missedAt = yield* Monotonic.now
  }
})

const ofEach = <A>(see: (message: A) => void): Observer<A> => ({
  batch: ({ messages }) => {
    for (const message of messages) see(message)
  },
  ended: () => {}
})

/**
 * Makes the heartbeat of one epoch that begins now.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(options: Options<A>): Heartbeat<A> => {
  const { correlator, keepAlive } = options
  // What nobody waits for: its answer is known for what it is nevertheless.
  const number = (): number => {
    const id = correlator.take(1)
    correlator.wait(String(id), "heartbeat")
    correlator.release(String(id))
    return id
  }
  let onPong: ((effect: Effect.Effect<void>) => void) | undefined
  switch (keepAlive._tag) {
    case "None":
      return { observer: undefined, restMillis: 0, beat: () => Effect.succeed(false) }
    case "Protocol":
      return {
        observer: undefined,
        restMillis: options.intervalMillis,
        beat: () => ping(options, options.wire.ping)
      }
    case "Application":
      return {
        observer: ofEach((message) => {
          if (keepAlive.isPong(message)) onPong?.(Effect.void)
        }),
        restMillis: keepAlive.everyMillis,
        beat: () =>
          ping(
            options,
            Effect.callback<void>((resume) => {
              const id = correlator.take(1)
              correlator.wait(String(id), "heartbeat")
              onPong = (effect) => {
                correlator.release(String(id))
                resume(effect)
              }
              options.send(keepAlive.ping(id), "ping")
              return Effect.sync(() => {
                correlator.release(String(id))
                onPong = undefined
              })
            })
          )
      }
    case "Server":
      return { observer: undefined, restMillis: 0, beat: () => listen(options, keepAlive.withinMillis) }
    case "Requested":
      return {
        observer: ofEach((message) => {
          const answer = keepAlive.answer(message, correlator.next())
          if (answer === undefined) return
          number()
          options.send(answer, "answer")
        }),
        restMillis: 0,
        beat: () =>
          Effect.suspend(() => {
            options.send(keepAlive.enable(number()), "enable")
            return listen(options, keepAlive.withinMillis)
          })
      }
  }
}

// Beats and rests until it is cancelled.
class Beats<A> implements SharedTimer.Alarm {
  private readonly heartbeat: Heartbeat<A>
  private readonly context: Context.Context<never>
  private readonly fork: (effect: Effect.Effect<void>) => void
  private resting: SharedTimer.Alarm | undefined
  private isOver = false

  constructor(
    heartbeat: Heartbeat<A>,
    context: Context.Context<never>,
    fork: (effect: Effect.Effect<void>) => void
  ) {
    this.heartbeat = heartbeat
    this.context = context
    this.fork = fork
  }

  beat(): void {
    this.fork(Effect.match(this.heartbeat.beat(), {
      // The wire has ended, which its reader tells.
      onFailure: () => {},
      onSuccess: (goesOn) => {
        if (goesOn && !this.isOver) this.rest()
      }
    }))
  }

  rest(): void {
    const { context, heartbeat: { restMillis } } = this
    this.resting = SharedTimer.after(context, Duration.millis(restMillis), () => this.beat())
  }

  cancel(): void {
    this.isOver = true
    this.resting?.cancel()
  }
}

/**
 * Keeps alive from now on; `fork` lets a beat go on beside the epoch, and end
 * with it. Returns what is cancelled with the epoch.
 *
 * @category constructors
 * @since 0.1.0
 */
export const start = <A>(
  heartbeat: Heartbeat<A>,
  context: Context.Context<never>,
  fork: (effect: Effect.Effect<void>) => void
): SharedTimer.Alarm => {
  const beats = new Beats(heartbeat, context, fork)
  if (heartbeat.restMillis > 0) beats.rest()
  else beats.beat()
  return beats
}
