/**
 * Recordings that are read: JSON Lines, plain, gzip or zstd, told by their first
 * bytes. What a line says is read by `Tape`.
 *
 * @since 0.1.0
 */
import * as Rejection from "@tickline/core/codec/Rejection"
import type { Frame } from "@tickline/core/transport/Frame"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Buffer, isAscii, isUtf8 } from "node:buffer"
import * as Fs from "node:fs"
import { decompressed } from "../internal/recordingDecoder.ts"
import { UsageError } from "./RunnerError.ts"
import { grouped } from "./Style.ts"

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

/**
 * What is told of a line that is longer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const tooLong = (venue: string): Rejection.FrameRejected =>
  Rejection.frameRejected(venue, "TooLarge", undefined, `the line is longer than ${grouped(maxLineBytes)} bytes`)

const lineFeed = 10
const carriageReturn = 13

const textOf = (bytes: Buffer): Frame => isUtf8(bytes) ? bytes.toString("utf8") : bytes

/** Whether a text is JSON as far as its end. */
const isWhole = (line: Line): boolean => {
  if (typeof line !== "string") return false
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

// How a recorder begins a file, each line of which it ends in a line feed.
const isHeader = (line: Line): boolean => typeof line === "string" && line.startsWith("{\"kind\":\"header\",")

/**
 * Splits bytes, plain, gzip or zstd, into the lines that each chunk completes.
 * The line feed (and a carriage return before it) is no part of a line; what
 * follows the last line feed is a line where it is not empty.
 *
 * A recording whose process was killed may be torn: its last line, or the last
 * block of a compressed one. What is whole is given, and `onTorn` is told how
 * many bytes of a line are not. A compressed one of which no line can be read
 * fails.
 *
 * @category decoding
 * @since 0.1.0
 */
export async function* lines(
  bytes: AsyncIterable<Uint8Array>,
  onTorn: (bytes: number) => void = () => {}
): AsyncGenerator<ReadonlyArray<Line>> {
  let pieces: Array<Uint8Array> = []
  let waiting = 0
  let isFirst = true
  let isRecorded = false
  let isTorn = false

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
    const text = textOf(line)
    if (isFirst) isRecorded = isHeader(text)
    isFirst = false
    return text
  }

  const torn = (cause: unknown): void => {
    if (isFirst) throw cause
    isTorn = true
  }

  for await (const read of decompressed(bytes, torn)) {
    const chunk = Buffer.from(read.buffer, read.byteOffset, read.length)
    // Nearly all of a recording is: then a line is copied as it is.
    const isPlain = isAscii(chunk)
    const found: Array<Line> = []
    let start = 0
    let end = chunk.indexOf(lineFeed)
    while (end >= 0) {
      if (isPlain && !isFirst && waiting === 0 && end - start <= maxLineBytes) {
        found.push(chunk.toString("latin1", start, chunk[end - 1] === carriageReturn && end > start ? end - 1 : end))
      } else found.push(complete(chunk.subarray(start, end)))
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
  const rest = waiting
  const last = waiting > 0 ? complete(new Uint8Array()) : undefined
  if ((isTorn || (isRecorded && rest > 0)) && !isWhole(last)) return onTorn(rest)
  if (rest > 0) yield [last]
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
        return handle.createReadStream({ highWaterMark: 256 * 1024 })
      },
      catch: () => new UsageError({ key: "file", value: path, expected: "a file that can be read" })
    }),
    (stream) => Effect.sync(() => stream.destroy())
  )
