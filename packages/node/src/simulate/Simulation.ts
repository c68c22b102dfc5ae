/**
 * `tickline simulate`: a mock venue on loopback that goes wrong on a schedule.
 *
 * @since 0.1.0
 */
import * as Tape from "@tickline/core/recording/Tape"
import * as Printable from "@tickline/core/value/Printable"
import { nearest } from "@tickline/core/value/Suggestion"
import * as Timestamp from "@tickline/core/value/Timestamp"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Fault from "@tickline/testing/Fault"
import * as Market from "@tickline/testing/Market"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { Host, type OutputClosed } from "../runner/Host.ts"
import { type Format, jsonLine } from "../runner/Output.ts"
import * as Recording from "../runner/Recording.ts"
import { type RunFailed, UsageError } from "../runner/RunnerError.ts"
import { counted, grouped, pad, type Paint, paint as makePaint } from "../runner/Style.ts"
import * as Token from "../runner/Token.ts"

/**
 * What is simulated.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: Venue
  readonly format: Format
  /** 0 for any free port. */
  readonly port: number
  /** Frames per second. */
  readonly rate: number
  readonly seed: number
  /** Fault specs, as they were written. */
  readonly faults: ReadonlyArray<string>
  readonly requireToken: boolean
  /** A recording to send instead of a synthetic market. */
  readonly replay: string | undefined
}

/**
 * Reads fault specs; a wrong one is a wrong use of `--fault`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const faultsOf = (specs: ReadonlyArray<string>): Result.Result<ReadonlyArray<Fault.Fault>, UsageError> => {
  const faults: Array<Fault.Fault> = []
  for (const spec of specs) {
    const fault = Fault.parse(spec)
    if (Result.isSuccess(fault)) {
      faults.push(fault.success)
      continue
    }
    const { expected, part } = fault.failure
    const meant = nearest(part, Fault.kinds)
    const hint = meant === undefined || meant === part ? "" : ` (did you mean ${meant}?)`
    return Result.fail(
      new UsageError({ key: "--fault", value: spec, expected: `${expected} in place of "${part}"${hint}` })
    )
  }
  return Result.succeed(faults)
}

/** The frames of a recording that came in. */
const framesOf = Effect.fnUntraced(function*(path: string) {
  const bytes = yield* Effect.mapError(
    Recording.open(path),
    () => new UsageError({ key: "--replay", value: path, expected: "a recording that can be read" })
  )
  return yield* Effect.tryPromise({
    try: async () => {
      const frames: Array<string> = []
      for await (const lines of Recording.lines(bytes)) {
        for (const line of lines) {
          const entry = line === undefined ? undefined : Tape.frameOf(Tape.parse(line, 0))
          if (typeof entry?.frame === "string") frames.push(entry.frame)
        }
      }
      return frames
    },
    catch: () => new UsageError({ key: "--replay", value: path, expected: "a recording that can be read" })
  })
}, Effect.scoped)

/**
 * A line of the server's log as NDJSON: its time as ISO-8601 text.
 *
 * @category getters
 * @since 0.1.0
 */
export const toJson = ({ _tag, at, ...members }: MockServer.LogEntry): string =>
  JSON.stringify({ _tag, at: Timestamp.format(Timestamp.fromEpochMillis(at)), ...members })

const toLine = (paint: Paint, { _tag, at, ...members }: MockServer.LogEntry): string => {
  const rest = Object.entries(members).map(([key, value]) =>
    `${paint("dim", `${key}=`)}${Printable.escape(String(value))}`
  ).join(" ")
  const tone = _tag === "Fault" || _tag === "Drop" || _tag === "Rejected" ? "yellow" : "cyan"
  const time = Timestamp.format(Timestamp.fromEpochMillis(at)).slice(11, 23)
  return `${paint("dim", time)} ${paint(tone, pad(_tag, 9))} ${rest}`
}

/**
 * Runs the command until a signal comes.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (options: Options): Effect.Effect<void, UsageError | RunFailed | OutputClosed, Host> =>
  Effect.scoped(Effect.gen(function*() {
    const { env, signal, stderr, stdout } = yield* Host
    const faults = yield* Effect.fromResult(faultsOf(options.faults))
    const venue = MockVenues.trading(options.venue.name) ?? MockVenues.byName(options.venue.name)
    if (venue === undefined) {
      return yield* new UsageError({
        key: "venue",
        value: options.venue.name,
        expected: `a venue that has a mock: ${MockVenues.all.map(({ name }) => name).join(", ")}`
      })
    }
    const requireToken = options.requireToken ? yield* Token.read(env, Token.variable) : undefined
    if (options.requireToken && requireToken === undefined) {
      return yield* new UsageError({ key: "--require-token", expected: "a token in the environment as TICKLINE_TOKEN" })
    }
    const replay = options.replay === undefined ? undefined : yield* framesOf(options.replay)
    const server = yield* MockServer.make({
      venue,
      port: options.port,
      rate: options.rate,
      seed: options.seed,
      products: Market.listedBy(venue),
      faults,
      requireToken,
      replay
    }).pipe(
      Effect.mapError((error) =>
        new UsageError({ key: "--port", value: String(options.port), expected: `a port that is free (${error.code})` })
      )
    )
    const paint = makePaint(stdout.hasColor)
    yield* stdout.write(
      options.format === "ndjson"
        ? `${JSON.stringify({ _tag: "Listening", url: server.url })}\n`
        : `${paint("green", "Listening")} ${paint("bold", server.url)}  ${
          paint("dim", `${venue.name}, seed ${options.seed}, ^C ends`)
        }\n`
    )
    const print = Stream.runForEachArray(server.log, (entries) =>
      stdout.write(
        entries.map((entry) =>
          options.format === "ndjson" ? jsonLine(toJson(entry), stdout) : `${toLine(paint, entry)}\n`
        ).join("")
      ))
    yield* Effect.raceFirst(print, Effect.raceFirst(Effect.asVoid(signal), stdout.closed))
    // Clients are told that the server goes away, and are given a moment to say goodbye.
    const connections = server.connections()
    yield* Effect.forEach(connections, (connection) => connection.close(1001, "going away"), { discard: true })
    yield* Effect.forEach(connections, ({ ended }) => ended, { concurrency: "unbounded", discard: true }).pipe(
      Effect.timeoutOption("500 millis")
    )
    const { dials, dropped, faults: injected, framesSent, upgraded } = server.metrics()
    stderr.writeUnsafe(
      `${counted(dials, "dial")}, ${grouped(upgraded)} accepted, ${grouped(dropped)} dropped; ` +
        `${counted(injected, "fault")}; ${counted(framesSent, "frame")} sent\n`
    )
  }))
