/**
 * The world around the runner: its arguments' surroundings, its three streams
 * and its signals, as one service, so that a test can be that world.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import process from "node:process"
import type { Writable } from "node:stream"

/**
 * The reader of an output has gone (`EPIPE`). Not a failure of the run.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutputClosed extends Schema.TaggedError<OutputClosed>()("OutputClosed", {}) {}

/**
 * Somewhere to write text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sink {
  readonly isTerminal: boolean
  /** Whether colour may be used: a terminal that is not `dumb`, and no `NO_COLOR`. */
  readonly hasColor: boolean
  /** The terminal's size in cells; 80 × 24 where there is no terminal. */
  readonly size: () => { readonly columns: number; readonly rows: number }
  /** Writes, and completes when there is room for more. */
  readonly write: (text: string) => Effect.Effect<void, OutputClosed>
  /** Writes without waiting; for what is short. Nothing happens where the reader has gone. */
  readonly writeUnsafe: (text: string) => void
  /** Completes when all that was written has been handed over, or the reader has gone. */
  readonly flushed: Effect.Effect<void>
  /** Completes when the reader has gone. */
  readonly closed: Effect.Effect<void>
}

/**
 * The signals that end a run in good order.
 *
 * @category models
 * @since 0.1.0
 */
export type Signal = "SIGINT" | "SIGTERM"

/**
 * The world around the runner.
 *
 * @category services
 * @since 0.1.0
 */
export class Host extends Context.Service<Host, {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: { readonly isTerminal: boolean; readonly bytes: () => AsyncIterable<Uint8Array> }
  readonly stdout: Sink
  readonly stderr: Sink
  /** Completes at the first signal. */
  readonly signal: Effect.Effect<Signal>
  /**
   * An element for each SIGHUP, or for several that come together. Who does not
   * follow it is ended by the first, as is usual.
   */
  readonly hangups: Stream.Stream<void>
}>()("@tickline/node/runner/Host") {}

const colorOf = (env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean =>
  isTerminal && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb"

interface TerminalSize {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/**
 * A sink over a Node stream. It takes the stream's errors upon itself.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sinkOf = (
  stream: Writable & TerminalSize,
  env: Readonly<Record<string, string | undefined>>
): Sink => {
  const closed = Deferred.makeUnsafe<void>()
  const isGone = () => Deferred.isDoneUnsafe(closed) || stream.destroyed || stream.writableEnded
  // Whatever breaks an output, it is no more: a closed pipe (EPIPE) above all, a terminal that hung up (EIO).
  const gone = () => Deferred.doneUnsafe(closed, Effect.void)
  stream.on("error", gone)
  stream.on("close", gone)
  const isTerminal = stream.isTTY === true
  const room = Effect.callback<void, OutputClosed>((resume) => {
    const settle = () => {
      stream.off("drain", settle)
      stream.off("close", settle)
      stream.off("error", settle)
      resume(isGone() ? Effect.fail(new OutputClosed()) : Effect.void)
    }
    stream.on("drain", settle)
    stream.on("close", settle)
    stream.on("error", settle)
    return Effect.sync(settle)
  })
  return {
    isTerminal,
    hasColor: colorOf(env, isTerminal),
    size: () => ({ columns: stream.columns || 80, rows: stream.rows || 24 }),
    write: (text) =>
      Effect.suspend(() => {
        if (isGone()) return Effect.fail(new OutputClosed())
        return stream.write(text) ? Effect.void : room
      }),
    writeUnsafe: (text) => {
      if (!isGone()) stream.write(text)
    },
    flushed: Effect.callback<void>((resume) => {
      if (isGone()) return resume(Effect.void)
      const settle = () => resume(Effect.void)
      stream.once("error", settle)
      stream.write("", settle)
    }),
    closed: Deferred.await(closed)
  }
}

/** A run that was told to stop has so long to do it in good order; the promise is 2 s. */
const graceMillis = 1_800

const hangups = Stream.callback<void>((queue) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const heard = () => {
        Queue.offerUnsafe(queue, undefined)
      }
      process.on("SIGHUP", heard)
      return heard
    }),
    (heard) => Effect.sync(() => process.off("SIGHUP", heard))
  ), { bufferSize: 1, strategy: "sliding" })

/** Ends the process without waiting for anything; a live table may have hidden the cursor. */
const leave = (code: number): void => {
  if (process.stdout.isTTY) process.stdout.write("\u001b[?25h")
  process.exit(code)
}

/**
 * The process as the runner's world. The first SIGINT or SIGTERM completes
 * `signal`, and ends the process with 0 where the run has not ended by itself
 * in time; the second ends it at once, with 128 and the signal's number.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Host> = Layer.sync(Host, () => {
  const signal = Deferred.makeUnsafe<Signal>()
  for (const [name, number] of [["SIGINT", 2], ["SIGTERM", 15]] as const) {
    process.on(name, () => {
      if (Deferred.isDoneUnsafe(signal)) return leave(128 + number)
      setTimeout(leave, graceMillis, 0).unref()
      Deferred.doneUnsafe(signal, Effect.succeed(name))
    })
  }
  return {
    env: process.env,
    stdin: { isTerminal: process.stdin.isTTY === true, bytes: () => process.stdin },
    stdout: sinkOf(process.stdout, process.env),
    stderr: sinkOf(process.stderr, process.env),
    signal: Deferred.await(signal),
    hangups
  }
})
