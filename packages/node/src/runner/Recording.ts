/**
 * Recordings: frames as JSON Lines, plain or gzip, read and written.
 *
 * What a line says is read by `Tape`. The secrets of a dial are masked in what is
 * recorded, whichever way it went.
 *
 * @since 0.1.0
 */
import * as Tape from "@tickline/core/recording/Tape"
import type { Frame } from "@tickline/core/transport/Frame"
import * as Secrets from "@tickline/core/transport/Secrets"
import { Transport, type Wire } from "@tickline/core/transport/Transport"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Buffer, isUtf8 } from "node:buffer"
import * as Fs from "node:fs"
import { Readable } from "node:stream"
import { finished } from "node:stream/promises"
import * as Zlib from "node:zlib"
import { RunFailed, UsageError } from "./RunnerError.ts"

// ---------------------------------------------------------------------------
// Reading
// ---------------------------------------------------------------------------

/**
 * A line of a recording: its text; its bytes where they are not UTF-8; or
 * `undefined` where it is longer than {@link maxLineBytes}.
 *
 * @category models
 * @since 0.1.0
 */
export type Line = Frame | undefined

/**
 * The longest line that is read, in bytes: a frame of the largest size a
 * connection takes (10 MiB), every byte of it escaped, and its envelope.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxLineBytes = 64 * 1024 * 1024

const lineFeed = 10
const carriageReturn = 13

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

async function* after(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first
  while (true) {
    const next = await rest.next()
    if (next.done === true) return
    yield next.value
  }
}

async function* plain(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = bytes[Symbol.asyncIterator]()
  let first: Uint8Array = new Uint8Array()
  // A pipe may hand over the two bytes that tell gzip one by one.
  while (first.length < 2) {
    const next = await source.next()
    if (next.done === true) break
    first = Buffer.concat([first, next.value])
  }
  if (first.length === 0) return
  const all = after(first, source)
  if (!isGzip(first)) return yield* all
  const compressed = Readable.from(all, { objectMode: false })
  const gunzip = Zlib.createGunzip({ chunkSize: 256 * 1024 })
  compressed.on("error", (cause) => gunzip.destroy(cause))
  yield* compressed.pipe(gunzip)
}

const textOf = (bytes: Buffer): Frame => isUtf8(bytes) ? bytes.toString("utf8") : bytes

/**
 * Splits bytes, plain or gzip, into the lines that each chunk completes. The
 * line feed (and a carriage return before it) is no part of a line; what
 * follows the last line feed is a line where it is not empty.
 *
 * @category decoding
 * @since 0.1.0
 */
export async function* lines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ReadonlyArray<Line>> {
  let pieces: Array<Uint8Array> = []
  let waiting = 0
  let isFirst = true

  const complete = (last: Uint8Array): Line => {
    const size = waiting + last.length
    let line = pieces.length === 0
      ? Buffer.from(last.buffer, last.byteOffset, last.length)
      : Buffer.concat([...pieces, last])
    pieces = []
    waiting = 0
    if (size > maxLineBytes) return undefined
    if (line[line.length - 1] === carriageReturn) line = line.subarray(0, -1)
    // A byte order mark may open a file; it is no part of the first line.
    if (isFirst && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf) line = line.subarray(3)
    isFirst = false
    return textOf(line)
  }

  for await (const chunk of plain(bytes)) {
    const found: Array<Line> = []
    let start = 0
    let end = chunk.indexOf(lineFeed)
    while (end >= 0) {
      found.push(complete(chunk.subarray(start, end)))
      start = end + 1
      end = chunk.indexOf(lineFeed, start)
    }
    if (start < chunk.length) {
      waiting += chunk.length - start
      // Of a line that is too long only its length matters.
      if (waiting <= maxLineBytes) pieces.push(chunk.subarray(start))
    }
    if (found.length > 0) yield found
  }
  if (waiting > 0) yield [complete(new Uint8Array())]
}

/**
 * Opens a recording.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = (path: string): Effect.Effect<AsyncIterable<Uint8Array>, UsageError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const handle = await Fs.promises.open(path, "r")
        if ((await handle.stat()).isDirectory()) {
          await handle.close()
          throw new Error("a directory")
        }
        return handle.createReadStream({ highWaterMark: 1024 * 1024 })
      },
      catch: () => new UsageError({ key: "file", value: path, expected: "a file that can be read" })
    }),
    (stream) => Effect.sync(() => stream.destroy())
  )

// ---------------------------------------------------------------------------
// Writing
// ---------------------------------------------------------------------------

/**
 * A recording that is being written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recorder {
  /** The transport whose wires are recorded: frames both ways, and their opening and closing. */
  readonly record: (inner: Transport["Service"]) => Transport["Service"]
  /** Fails when the file cannot be written any longer. */
  readonly failed: Effect.Effect<never, RunFailed>
  /** Ends the file. Completes when all of it is written, and fails where it is not. */
  readonly finish: Effect.Effect<void, RunFailed>
  readonly frames: () => number
}

/**
 * Starts a recording at a path, compressed where its name ends in `.gz`. It is
 * complete when it is finished, or when the scope has closed. Connections are
 * numbered; where a name is given for their URL the name stands before the
 * number.
 *
 * @category constructors
 * @since 0.1.0
 */
export const recorder = Effect.fnUntraced(function*(
  path: string,
  nameOf: (url: string) => string | undefined = () => undefined
): Effect.fn.Return<Recorder, UsageError, Scope.Scope> {
  const failed = yield* Deferred.make<never, RunFailed>()
  const clock = yield* Clock.Clock
  const file = yield* Effect.tryPromise({
    try: async () => (await Fs.promises.open(path, "w")).createWriteStream(),
    catch: () => new UsageError({ key: "--record", value: path, expected: "a file that can be written" })
  })
  const gzip = path.endsWith(".gz") ? Zlib.createGzip() : undefined
  const out = gzip ?? file
  const unwritten = (cause: unknown) =>
    new RunFailed({ detail: `cannot write ${path}: ${cause instanceof Error ? cause.message : String(cause)}` })
  const fail = (cause: Error) => {
    Deferred.doneUnsafe(failed, Effect.fail(unwritten(cause)))
    // What flows into a file that is no more goes nowhere.
    gzip?.destroy()
  }
  file.on("error", fail)
  gzip?.pipe(file)
  const ended = finished(file)
  ended.catch(() => {})
  const finish = Effect.tryPromise({
    try: () => {
      out.end()
      return ended
    },
    catch: unwritten
  })
  yield* Effect.addFinalizer(() => Effect.ignore(finish))

  let connections = 0
  let frames = 0
  const add = (entry: Tape.Entry): boolean => {
    const at = Timestamp.fromEpochMillis(clock.currentTimeMillisUnsafe())
    return out.destroyed || out.write(`${Tape.encode({ ...entry, at })}\n`)
  }
  const addFrame = (connection: number | string, direction: "in" | "out", frame: Frame): boolean => {
    frames++
    return add({ _tag: "Frame", connection, direction, frame })
  }
  const room = Effect.callback<void>((resume) => {
    const settle = () => {
      out.off("drain", settle)
      out.off("close", settle)
      resume(Effect.void)
    }
    if (out.destroyed || !out.writableNeedDrain) return resume(Effect.void)
    out.on("drain", settle)
    out.on("close", settle)
    return Effect.sync(settle)
  })

  const tap = (wire: Wire, name: string | undefined, mask: Secrets.Mask | undefined): Wire => {
    connections++
    const connection = name === undefined ? connections : `${name} ${connections}`
    const masked = (frame: Frame): Frame => mask === undefined ? frame : mask.frame(frame)
    add({ _tag: "Open", connection })
    return {
      ...wire,
      pull: wire.pull.pipe(
        Effect.tap((batch) => {
          let hasRoom = true
          for (const frame of batch) hasRoom = addFrame(connection, "in", masked(frame))
          return hasRoom ? Effect.void : room
        }),
        Effect.tapError(({ message }) =>
          Effect.sync(() =>
            add({
              _tag: "Close",
              connection,
              direction: "in",
              reason: mask === undefined ? message : mask.text(message)
            })
          )
        )
      ),
      write: (frame) => {
        const isWritten = wire.write(frame)
        if (isWritten) addFrame(connection, "out", masked(frame))
        return isWritten
      }
    }
  }

  return {
    record: (inner) => ({
      ...inner,
      dial: (request) =>
        Effect.map(inner.dial(request), (wire) => tap(wire, nameOf(request.url), Secrets.maskOf(request)))
    }),
    failed: Deferred.await(failed),
    finish,
    frames: () => frames
  }
})

/**
 * The transport given, its wires recorded.
 *
 * @category layers
 * @since 0.1.0
 */
export const transport = (recorder: Recorder): Layer.Layer<Transport, never, Transport> =>
  Layer.effect(Transport, Effect.map(Transport, recorder.record))
