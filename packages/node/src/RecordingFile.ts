/**
 * A recording as a file, or as several: the `Sink` of a `Recorder`.
 *
 * What the name ends in says how it is written: `.gz` and `.zst` compressed at
 * their fastest level, anything else plain. A flush completes a block, so that
 * whatever becomes of the process, all that was flushed can be read.
 *
 * @since 0.1.0
 */
import type { Sink } from "@tickline/core/recording/Sink"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Printable from "@tickline/core/value/Printable"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Buffer } from "node:buffer"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { type Encoder, encoderOf } from "./internal/recordingEncoder.ts"

/**
 * A recording cannot be written, and why: `code` is the system's, such as
 * `ENOSPC`.
 *
 * @category errors
 * @since 0.1.0
 */
export class RecordingNotWritten extends Schema.TaggedError<RecordingNotWritten>()("RecordingNotWritten", {
  path: Schema.String,
  code: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return Printable.escape(`cannot write ${this.path}: ${this.detail}`)
  }
}

/**
 * When the next file is begun, if ever: once one has so many bytes, or is so
 * old. The files are then called `name.0001.jsonl.zst` and so on, from the least
 * number on that is greater than all that are there.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rotation {
  readonly bytes?: number | undefined
  readonly every?: Duration.Input | undefined
}

/** One file while it is written. */
interface Part {
  readonly path: string
  readonly handle: Fs.promises.FileHandle
  readonly encoder: Encoder
  readonly openedAt: number
  bytes: number
}

const parts = /^(.*?)((?:\.jsonl|\.ndjson|\.json)?(?:\.gz|\.zst)?)$/s

/** The numbered name, `name.0001.jsonl.zst`. */
const numbered = (path: string, number: number): string => {
  const [, stem = path, ending = ""] = parts.exec(path) ?? []
  return `${stem}.${String(number).padStart(4, "0")}${ending}`
}

const lastNumber = async (path: string): Promise<number> => {
  const [, stem = "", ending = ""] = parts.exec(Path.basename(path)) ?? []
  const numbers = (await Fs.promises.readdir(Path.dirname(path))).map((name) =>
    name.startsWith(`${stem}.`) && name.endsWith(ending)
      ? /^\d{4,}$/.exec(name.slice(stem.length + 1, name.length - ending.length))?.[0]
      : undefined
  )
  return Math.max(0, ...numbers.map((number) => Number(number ?? 0)))
}

/** Opens the file that a rotation is at: never one that is there. */
const openNext = async (path: string): Promise<{ readonly path: string; readonly handle: Fs.promises.FileHandle }> => {
  let number = await lastNumber(path)
  while (true) {
    const next = numbered(path, ++number)
    try {
      return { path: next, handle: await Fs.promises.open(next, "wx") }
    } catch (cause) {
      // Another process was faster.
      if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause
    }
  }
}

const refused = (path: string) => (cause: unknown): RecordingNotWritten =>
  new RecordingNotWritten({
    path,
    code: cause instanceof Error && "code" in cause ? String(cause.code) : "unknown",
    detail: cause instanceof Error ? cause.message : String(cause)
  })

/** What a buffer for lines has at least, and at most between two writes. */
const leastBuffer = 1024 * 1024
const mostBuffer = 4 * leastBuffer

/**
 * Opens a recording for writing. A file of the name is replaced; with a rotation
 * none that is there is touched. What was not ended is left as it stands with
 * the scope's end.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function*(
  path: string,
  rotation: Rotation = {}
): Effect.fn.Return<Sink<RecordingNotWritten>, RecordingNotWritten, Scope.Scope> {
  const mostBytes = rotation.bytes ?? Infinity
  const mostMillis = rotation.every === undefined
    ? Infinity
    : Duration.toMillis(Duration.fromInputUnsafe(rotation.every))
  const isRotated = mostBytes < Infinity || mostMillis < Infinity
  let header = ""
  let part: Part | undefined
  let buffer = Buffer.allocUnsafeSlow(leastBuffer)

  const openPart = Effect.flatMap(Monotonic.now, (openedAt) =>
    Effect.tryPromise({
      try: async () => {
        const opened = isRotated
          ? await openNext(path)
          : { path, handle: await Fs.promises.open(path, "w") }
        part = { ...opened, encoder: encoderOf(path), openedAt, bytes: 0 }
      },
      catch: refused(path)
    }))

  // Does something with the file that is open, one after the other.
  const within = (use: (part: Part) => Promise<void>): Effect.Effect<void, RecordingNotWritten> =>
    Effect.suspend(() => {
      const current = part
      return current === undefined
        ? Effect.void
        : Effect.tryPromise({ try: () => use(current), catch: refused(current.path) })
    })

  const put = async (to: Part, bytes: Uint8Array): Promise<void> => {
    if (bytes.length === 0) return
    to.bytes += bytes.length
    await to.handle.writeFile(bytes)
  }

  const write = (texts: ReadonlyArray<string>) =>
    within(async (to) => {
      const needed = texts.reduce((size, text) => size + text.length * 3, 0)
      if (needed > buffer.length) buffer = Buffer.allocUnsafeSlow(needed)
      let length = 0
      for (const text of texts) length += buffer.write(text, length)
      await put(to, await to.encoder.write(buffer.subarray(0, length)))
      if (buffer.length > mostBuffer) buffer = Buffer.allocUnsafeSlow(leastBuffer)
    })

  const end = within(async (ended) => {
    await put(ended, await ended.encoder.end())
    part = undefined
    await ended.handle.close()
  })

  const rotate = Effect.flatMap(Monotonic.now, (now) => {
    const isDue = part !== undefined && (part.bytes >= mostBytes || now - part.openedAt >= mostMillis)
    return isDue ? end.pipe(Effect.andThen(openPart), Effect.andThen(write([header]))) : Effect.void
  })

  yield* openPart
  yield* Effect.addFinalizer(() => Effect.promise(async () => void await part?.handle.close().catch(() => {})))
  return {
    begin: (text) => {
      header = text
      return write([text])
    },
    write: (texts) => Effect.andThen(rotate, write(texts)),
    flush: within(async (to) => put(to, await to.encoder.flush())),
    end
  }
})
