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
import { Buffer } from "node:buffer"
import { createReadStream, createWriteStream } from "node:fs"
import { Socket } from "node:net"
import process from "node:process"
import type { Writable } from "node:stream"
import { ReadStream } from "node:tty"

/**
 * An output takes no more. Without a `reason` its reader has gone (a closed pipe
 * or a terminal that hung up), which ends a run quietly; with one the system
 * refuses to write, such as on a full disk, and the run has failed.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutputClosed extends Schema.TaggedError<OutputClosed>()("OutputClosed", {
  output: Schema.String,
  reason: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return this.reason === undefined
      ? `the reader of ${this.output} has gone`
      : `cannot write ${this.output}: ${this.reason}`
  }
}

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
  /**
   * Writes, and completes when all of it has been handed over. A write that is
   * interrupted is given up between two lines, where a line is no longer than a
   * pipe takes at once (4,096 bytes).
   */
  readonly write: (data: string | Uint8Array) => Effect.Effect<void, OutputClosed>
  /**
   * Writes without waiting; for what is short. Nothing happens where the output
   * takes no more. What its reader leaves unread beyond 1 MiB is dropped, and
   * how much is told when it reads again.
   */
  readonly writeUnsafe: (text: string) => void
  /** Completes when all that was written and not given up has been handed over. */
  readonly flushed: Effect.Effect<void, OutputClosed>
  /** Completes when the reader has gone, and fails where the output cannot be written. */
  readonly closed: Effect.Effect<void, OutputClosed>
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

/** What a pipe takes whole or not at all (`PIPE_BUF` on Linux). */
const pipeBytes = 4_096

/** How much of what was written without waiting may wait. */
const unsafeBytes = 1_048_576

const lineFeed = 10

/** Where the piece ends that begins at `from`: as many whole lines as a pipe takes together, at least one. */
const pieceEnd = (bytes: Uint8Array, from: number): number => {
  if (bytes.length - from <= pipeBytes) return bytes.length
  const last = bytes.lastIndexOf(lineFeed, from + pipeBytes - 1)
  if (last >= from) return last + 1
  const next = bytes.indexOf(lineFeed, from)
  return next < 0 ? bytes.length : next + 1
}

const goneCodes: ReadonlySet<string | undefined> = new Set(["EPIPE", "ECONNRESET", "ERR_STREAM_DESTROYED"])

/**
 * A sink over a Node stream, whose errors it takes upon itself. `name` is what
 * its failures call it, `terminal` the terminal that it is, where it is one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sinkOf = (
  name: string,
  stream: Writable,
  env: Readonly<Record<string, string | undefined>>,
  terminal: TerminalSize = {}
): Sink => {
  const closed = Deferred.makeUnsafe<void, OutputClosed>()
  const isTerminal = terminal.isTTY === true
  const isPipe = stream instanceof Socket
  let end: OutputClosed | undefined
  let isGivenUp = false
  let dropped = 0

  const close = (error?: NodeJS.ErrnoException | null): void => {
    if (end !== undefined) return
    // A terminal that hung up answers EIO; on a disk that is a failure.
    const isGone = error === undefined || error === null || goneCodes.has(error.code) ||
      (isTerminal && error.code === "EIO")
    end = new OutputClosed({ output: name, ...(isGone ? {} : { reason: error.message }) })
    Deferred.doneUnsafe(closed, isGone ? Effect.void : Effect.fail(end))
  }
  stream.on("error", close)
  stream.on("close", () => close())

  const outcome = () => end === undefined ? Effect.void : Effect.fail(end)

  const write = (bytes: Uint8Array): Effect.Effect<void, OutputClosed> =>
    Effect.callback((resume) => {
      let from = 0
      let isWanted = true
      const next = (): void => {
        while (isWanted) {
          if (end !== undefined || from === bytes.length) {
            isWanted = false
            return resume(outcome())
          }
          const to = isPipe ? pieceEnd(bytes, from) : bytes.length
          const piece = bytes.subarray(from, to)
          from = to
          stream.write(piece, (error) => {
            if (error) close(error)
            if (!isTaken) next()
          })
          // A pipe that has room has taken the piece by now.
          const isTaken = isPipe && stream.writableLength === 0
          if (!isTaken) return
        }
      }
      next()
      return Effect.sync(() => {
        isWanted = false
        isGivenUp = true
      })
    })

  return {
    isTerminal,
    hasColor: colorOf(env, isTerminal),
    size: () => ({ columns: terminal.columns || 80, rows: terminal.rows || 24 }),
    write: (data) => Effect.suspend(() => write(typeof data === "string" ? Buffer.from(data) : data)),
    writeUnsafe: (text) => {
      if (end !== undefined) return
      if (stream.writableLength > unsafeBytes) {
        dropped += text.length
        return
      }
      if (dropped > 0) stream.write(`tickline: ${dropped} characters were dropped here: ${name} was not read\n`)
      dropped = 0
      stream.write(text)
    },
    flushed: Effect.callback((resume) => {
      const settle = () => resume(outcome())
      if (end !== undefined || isGivenUp) return settle()
      stream.write("", (error) => {
        if (error) close(error)
        settle()
      })
    }),
    closed: Deferred.await(closed)
  }
}

/**
 * The stream behind a descriptor. Node writes to a terminal and to a file of its
 * own accord in calls that block: a terminal that is paused (Ctrl-S) would hold
 * up the whole process. And of a file it passes over a short write, the last one
 * before a disk is full.
 */
const streamOf = (fd: number, own: Writable & TerminalSize): Writable => {
  const isTerminal = own.isTTY === true
  if (own instanceof Socket && !isTerminal) return own
  // Others may write to it too, and nothing of theirs ends the process.
  own.on("error", () => {})
  if (!isTerminal) return createWriteStream("", { fd, autoClose: false })
  // The one of the two ends of a terminal that does not block. It is written to only.
  return process.platform === "win32" ? own : new ReadStream(fd)
}

/** What comes in. Of what cannot be read, such as a folder, Node's own stream has no bytes and no error either. */
const stdin = (): AsyncIterable<Uint8Array> =>
  process.stdin instanceof Socket ? process.stdin : createReadStream("", { fd: 0, autoClose: false })

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
  const stdout = streamOf(1, process.stdout)
  const stderr = streamOf(2, process.stderr)
  // Ends the process without waiting for anything; a live table may have hidden the cursor.
  const leave = (code: number): void => {
    if (process.stdout.isTTY) stdout.write("\u001b[?25h")
    process.exit(code)
  }
  for (const [name, number] of [["SIGINT", 2], ["SIGTERM", 15]] as const) {
    process.on(name, () => {
      if (Deferred.isDoneUnsafe(signal)) return leave(128 + number)
      setTimeout(leave, graceMillis, 0).unref()
      Deferred.doneUnsafe(signal, Effect.succeed(name))
    })
  }
  return {
    env: process.env,
    stdin: { isTerminal: process.stdin.isTTY === true, bytes: stdin },
    stdout: sinkOf("stdout", stdout, process.env, process.stdout),
    stderr: sinkOf("stderr", stderr, process.env, process.stderr),
    signal: Deferred.await(signal),
    hangups
  }
})
