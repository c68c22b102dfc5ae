/**
 * `tickline decode`: a recording's frames in, events out. No network, and no
 * memory from one frame to the next.
 *
 * @since 0.1.0
 */
import type * as Rejection from "@tickline/core/codec/Rejection"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Tape from "@tickline/core/recording/Tape"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Effect from "effect/Effect"
import * as Explanation from "./Explanation.ts"
import { Host, type OutputClosed, type Sink } from "./Host.ts"
import { eventLine, type Format, jsonLine } from "./Output.ts"
import * as Recording from "./Recording.ts"
import { RunFailed, type UsageError } from "./RunnerError.ts"
import { counted, grouped, type Paint, paint as makePaint } from "./Style.ts"

/**
 * What is to be decoded, and how it is shown.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: Venue
  /** The recording; stdin where there is none. */
  readonly file: string | undefined
  readonly format: Format
  /** Whether a rejection fails the run. */
  readonly strict: boolean
  /** Whether to show how each member came from the frame. */
  readonly explain: boolean
}

/**
 * What was decoded so far: input lines, frames among them, those passed over
 * (blank, outbound, of another kind), events, and rejections by reason.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counts {
  readonly lines: number
  readonly frames: number
  readonly passed: number
  readonly events: number
  readonly rejected: Readonly<Partial<Record<Rejection.RejectionReason, number>>>
}

/**
 * Decodes lines one after the other.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decoder {
  /** What a line gives, as text to print: nothing, or one line an event. */
  readonly decode: (line: Recording.Line) => string
  readonly counts: () => Counts
}

/**
 * Makes a decoder. It counts the lines that it is given from 1 on.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Pick<Options, "venue" | "format" | "explain">,
  paint: Paint,
  output: Pick<Sink, "isTerminal">
): Decoder => {
  const { explain, format, venue } = options
  let lines = 0
  let frames = 0
  let passed = 0
  let events = 0
  const rejected: Partial<Record<Rejection.RejectionReason, number>> = {}

  const print = (event: MarketEvent.AnyEvent, id: string | undefined): string => {
    events++
    return format === "ndjson"
      ? jsonLine(Ndjson.toJson(event, id === undefined ? { frame: lines } : { frame: lines, id }), output)
      : `${eventLine(paint, event, { frame: lines })}\n`
  }

  return {
    decode: (line) => {
      lines++
      const entry = line === undefined ? undefined : Tape.frameOf(Tape.parse(line, lines))
      if (line !== undefined && entry === undefined) {
        passed++
        return ""
      }
      frames++
      const frame = entry?.frame
      const decoded = frame === undefined ? Recording.tooLong(venue.name) : venue.decode(frame)
      if ("_tag" in decoded) rejected[decoded.reason] = (rejected[decoded.reason] ?? 0) + 1
      const found = "_tag" in decoded ? [decoded] : decoded
      let out = ""
      for (const event of found) out += print(event, entry?.id)
      return explain && typeof frame === "string" ? out + Explanation.format(paint, venue, frame, found) : out
    },
    counts: () => ({ lines, frames, passed, events, rejected })
  }
}

const summary = ({ events, frames, lines, passed, rejected }: Counts): string => {
  const reasons = Object.entries(rejected)
  const refused = reasons.reduce((sum, [, count]) => sum + count, 0)
  const why = reasons.length === 0
    ? ""
    : ` (${reasons.map(([reason, count]) => `${grouped(count)} ${reason}`).join(", ")})`
  return `${counted(lines, "line")}: ${counted(frames, "frame")}, ${grouped(passed)} passed over; ` +
    `${counted(events, "event")}, ${counted(refused, "frame")} rejected${why}\n`
}

/** About how much text is collected before it is written. */
const flushAt = 256 * 1024

/**
 * Runs the command: exits well whatever was rejected, unless it is strict.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (options: Options): Effect.Effect<void, UsageError | RunFailed | OutputClosed, Host> =>
  Effect.scoped(Effect.gen(function*() {
    const { signal, stderr, stdin, stdout } = yield* Host
    const bytes = options.file === undefined ? stdin.bytes() : yield* Recording.open(options.file)
    const decoder = make(options, makePaint(stdout.hasColor), stdout)
    const source = Recording.lines(
      bytes,
      (torn) =>
        stderr.writeUnsafe(
          `the recording is torn at its end: ${counted(torn, "byte")} of its last line ${
            torn === 1 ? "is" : "are"
          } passed over\n`
        )
    )
    const read = Effect.tryPromise({
      try: () => source.next(),
      catch: (cause) =>
        new RunFailed({
          detail: `cannot read ${options.file ?? "stdin"}: ${cause instanceof Error ? cause.message : String(cause)}`
        })
    })
    const consume = Effect.gen(function*() {
      while (true) {
        const next = yield* read
        if (next.done === true) return
        let out = ""
        for (const line of next.value) {
          out += decoder.decode(line)
          if (out.length >= flushAt) {
            yield* stdout.write(out)
            out = ""
          }
        }
        if (out !== "") yield* stdout.write(out)
      }
    })
    const report = Effect.sync(() => stderr.writeUnsafe(summary(decoder.counts())))
    yield* Effect.raceFirst(consume, Effect.raceFirst(Effect.asVoid(signal), stdout.closed)).pipe(
      Effect.onExit(() => report)
    )
    const refused = Object.values(decoder.counts().rejected).reduce((sum, count) => sum + count, 0)
    if (options.strict && refused > 0) {
      return yield* new RunFailed({ detail: `${counted(refused, "frame")} rejected, and --strict allows none` })
    }
  }))
