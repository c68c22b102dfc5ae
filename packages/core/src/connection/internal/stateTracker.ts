/**
 * Where one connection stands: its state and since when, told to the inbox, the
 * metrics and the log; and the two clocks by which that is done.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as EscapedText from "../../value/internal/escapedText.ts"
import * as Monotonic from "../../value/Monotonic.ts"
import * as ConnectionState from "../ConnectionState.ts"
import type { Inbox } from "./inbox.ts"
import type { MetricsRecorder } from "./metricsRecorder.ts"
import * as StateTransitions from "./stateTransitions.ts"
import * as Tracing from "./tracing.ts"
import type { Unconfirmed } from "./unconfirmedMessages.ts"

/**
 * What a connection's states are told to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<A> {
  readonly label: string
  /** Which of several of that label it is, as log lines tell it. */
  readonly leg?: number | undefined
  readonly inbox: Inbox<A>
  readonly recorder: MetricsRecorder
  /** Called with each transition, once it is on its way to the consumers. */
  readonly onMoved: (transition: ConnectionState.Transition) => void
}

/**
 * The states of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export class StateTracker<A> {
  readonly clock: Clock.Clock
  current: ConnectionState.ConnectionState = ConnectionState.ConnectionState.Disconnected()
  /** What the epoch that has ended had sent and was not seen to arrive, until it is told. */
  unconfirmed: Unconfirmed | undefined
  private readonly options: Options<A>
  private minimum: LogLevel.LogLevel = "All"
  private stateSince: number

  constructor(options: Options<A>, clock: Clock.Clock) {
    this.options = options
    this.clock = clock
    this.stateSince = this.now()
  }

  /** What is logged from now on is what whoever connects lets be logged. */
  begin(context: Context.Context<never>): void {
    this.minimum = Context.get(context, References.MinimumLogLevel)
  }

  /** What waits is measured by this one, in milliseconds. */
  now(): number {
    return Monotonic.nowMillis(this.clock)
  }

  /** What is told to people has this time, in epoch milliseconds. */
  wallNow(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  log(level: "Info" | "Warn" | "Error", message: string, annotations: Readonly<Record<string, unknown>>) {
    // What nobody is told need not be put into words.
    if (LogLevel.isGreaterThan(this.minimum, level)) return Effect.void
    const { label, leg } = this.options
    return Effect.annotateLogs(
      Effect.logWithLevel(level)(message),
      EscapedText.fields({ connection: label, ...(leg === undefined ? {} : { leg }), ...annotations })
    )
  }

  /** A span that is a trace of its own: what has it goes on for as long as the connection, whoever began it. */
  traced(name: string, attributes: Readonly<Record<string, unknown>>) {
    return <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.withFiber((fiber) =>
        Tracing.within(fiber, self, name, () => ({
          attributes: EscapedText.fields({ connection: this.options.label, ...attributes }),
          root: true
        }))
      )
  }

  /** What a log line says of messages that may not have arrived. */
  lossAnnotations(): Readonly<Record<string, number>> {
    if (this.unconfirmed === undefined) return {}
    const { bufferedBytes, bytes, messages } = this.unconfirmed
    return { unconfirmed: messages, unconfirmed_bytes: bytes, buffered_bytes: bufferedBytes }
  }

  /** Goes on to a state, if it may follow the present one. */
  move(to: ConnectionState.ConnectionState, reason: string): void {
    const { inbox, onMoved, recorder } = this.options
    const from = this.current
    if (!StateTransitions.allows(from, to)) return
    this.current = to
    const now = this.now()
    recorder.moved(to)
    const transition: ConnectionState.Transition = {
      _tag: "Transition",
      from,
      to,
      at: this.wallNow(),
      heldMillis: Math.round(now - this.stateSince),
      reason,
      ...(this.unconfirmed === undefined ? {} : { unconfirmed: this.unconfirmed })
    }
    inbox.offer(transition)
    onMoved(transition)
    this.unconfirmed = undefined
    this.stateSince = now
    inbox.wake()
  }

  /** The state as if it had just been come to. */
  standing(): ConnectionState.Transition {
    const state = this.current
    const heldMillis = Math.round(this.now() - this.stateSince)
    return { _tag: "Transition", from: state, to: state, at: this.wallNow(), heldMillis, reason: "" }
  }
}
