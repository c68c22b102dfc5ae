/**
 * How a connection is closed: by a closing handshake within its time, or by
 * force, which cuts one short.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { Wire } from "../../transport/Transport.ts"
import * as EscapedText from "../../value/internal/escapedText.ts"
import * as ConnectionState from "../ConnectionState.ts"
import type { Parts } from "./connectionParts.ts"
import type { Epoch } from "./epoch.ts"

const State = ConnectionState.ConnectionState

/**
 * How a close ended: `forced` also where a graceful one was cut short. `clean`
 * is whether the peer answered the close frame, or there was nobody to; a forced
 * close is never clean.
 *
 * @category models
 * @since 0.1.0
 */
export interface Closed {
  readonly mode: "graceful" | "forced"
  readonly clean: boolean
}

// A close, from its begin on. A forced one completes `forced`, which cuts a graceful one short.
interface Closing {
  mode: Closed["mode"]
  readonly forced: Deferred.Deferred<void>
  readonly outcome: Deferred.Deferred<Closed>
}

/**
 * What of a connection is running and to be ended: its epoch, and the fiber that
 * supervises it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Running<A> {
  readonly open: Epoch<A> | undefined
  readonly supervision: Fiber.Fiber<void> | undefined
}

/**
 * What closes one connection.
 *
 * @category models
 * @since 0.1.0
 */
export class Closer<A> {
  private readonly parts: Parts<A>
  private readonly running: () => Running<A>
  private readonly onClosed: () => void
  // The close that is under way, or that has ended the connection.
  private closing: Closing | undefined

  constructor(parts: Parts<A>, running: () => Running<A>, onClosed: () => void) {
    this.parts = parts
    this.running = running
    this.onClosed = onClosed
  }

  /** Whether it is being closed, or was. */
  get isClosing(): boolean {
    return this.closing !== undefined
  }

  /** It begins anew. */
  reset(): void {
    this.closing = undefined
  }

  close(mode: Closed["mode"], epoch: number): Effect.Effect<Closed> {
    return Effect.uninterruptible(this.shutting(mode)).pipe(
      Effect.withSpan("Connection.close", {
        attributes: EscapedText.fields({ connection: this.parts.options.label, mode, epoch })
      }, { captureStackTrace: false })
    )
  }

  private closeHandshake(on: Wire, closing: Closing): Effect.Effect<boolean> {
    return Effect.tap(
      Effect.raceFirst(
        Effect.as(Deferred.await(closing.forced), false),
        on.close(1000, "").pipe(
          Effect.map(({ clean }) => clean),
          Effect.timeoutOrElse({ duration: this.parts.policy.closeTimeout, orElse: () => Effect.succeed(false) })
        )
      ),
      on.terminate
    )
  }

  // What arrived is delivered before the end; a forced close does not wait for it longer than its time.
  private awaitEnd(supervision: Fiber.Fiber<void>, { forced }: Closing): Effect.Effect<unknown> {
    const ended = Fiber.await(supervision)
    const cut = Effect.timeoutOrElse(ended, {
      duration: this.parts.policy.forcedTimeout,
      orElse: () => Fiber.interrupt(supervision)
    })
    return Effect.raceFirst(ended, Effect.andThen(Deferred.await(forced), cut))
  }

  private shutting(mode: Closed["mode"]): Effect.Effect<Closed> {
    return Effect.gen({ self: this }, function*() {
      const current = this.parts.states.current
      const { closing } = this
      if (current._tag === "Disconnected") {
        // What was kept for a connect that never came, or failed.
        const unsent = this.parts.options.outbox.close()
        if (unsent > 0) yield* this.parts.states.log("Warn", "closed", { mode, clean: true, unsent })
        return closing === undefined ? { mode, clean: true } : yield* Deferred.await(closing.outcome)
      }
      if (closing !== undefined) {
        if (mode === "forced") yield* this.force(closing)
        return yield* Deferred.await(closing.outcome)
      }
      const begun: Closing = { mode: "graceful", forced: Deferred.makeUnsafe(), outcome: Deferred.makeUnsafe() }
      this.closing = begun
      if (mode === "forced") yield* this.force(begun)
      return yield* Effect.onExit(
        this.closeDown(current, begun),
        (exit) => Deferred.done(begun.outcome, exit)
      )
    })
  }

  private force(closing: Closing): Effect.Effect<void> {
    return Effect.suspend(() => {
      closing.mode = "forced"
      return Effect.asVoid(Deferred.done(closing.forced, Exit.void))
    })
  }

  private closeDown(current: ConnectionState.ConnectionState, closing: Closing): Effect.Effect<Closed> {
    return Effect.gen({ self: this }, function*() {
      const { inbox, outbox, recorder } = this.parts.options
      const { mode } = closing
      recorder.closed(mode)
      this.parts.states.move(State.Closing({ mode }), `${mode} close`)
      // The peer's answer comes after what it sent before, of which it may send much. Once the wire has ended it holds no
      // more than the transport's bound.
      yield* inbox.allow(2)
      const { open, supervision } = this.running()
      let answered = true
      if (current._tag === "Connected" && open !== undefined) {
        open.ending = { _tag: "Closing" }
        answered = yield* this.closeHandshake(open.wire, closing)
        yield* inbox.allow(Infinity)
        if (supervision !== undefined) yield* this.awaitEnd(supervision, closing)
      } else if (supervision !== undefined) {
        yield* Fiber.interrupt(supervision)
      }
      const how: Closed = { mode: closing.mode, clean: answered && closing.mode === "graceful" }
      const unsent = outbox.close()
      yield* inbox.allow(1)
      yield* this.parts.states.log(unsent > 0 ? "Warn" : "Info", "closed", {
        ...how,
        unsent,
        ...this.parts.states.lossAnnotations()
      })
      this.parts.states.move(State.Disconnected(), `${how.mode} close`)
      yield* inbox.end(Exit.fail(Cause.Done()))
      this.onClosed()
      return how
    })
  }
}
