/**
 * Recordings that a run makes: one of all it does, or, of a service, one for each
 * venue in files of its own.
 *
 * @since 0.1.0
 */
import type * as MarketFeeds from "@tickline/core/market/MarketFeeds"
import type { Header, Recorder } from "@tickline/core/recording/Recorder"
import type { Transport } from "@tickline/core/transport/Transport"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { RecordingNotWritten, Rotation } from "../RecordingFile.ts"
import { RunFailed, UsageError } from "./RunnerError.ts"

/**
 * Where a service records, the venue's name in place of `{venue}`, and when each
 * recording goes on in another file.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recordings {
  readonly path: string
  readonly rotation: Rotation
}

/**
 * Begins the recording of a run.
 *
 * @category constructors
 * @since 0.1.0
 */
export const begin = Effect.fnUntraced(function*(
  { key, path, rotation }: Recordings & { readonly key: string },
  headers: ReadonlyArray<Header>
): Effect.fn.Return<Recorder<RecordingNotWritten>, UsageError, Scope.Scope> {
  const [RecordingFile, Recorder] = yield* Effect.promise(() =>
    Promise.all([import("../RecordingFile.ts"), import("@tickline/core/recording/Recorder")])
  )
  const sink = yield* Effect.mapError(
    RecordingFile.open(path, rotation),
    ({ code }) => new UsageError({ key, value: path, expected: `a file that can be written (${code})` })
  )
  return yield* Recorder.make({ sink, headers })
})

/**
 * What a recording that cannot be written is to a run.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unwritten = ({ message }: RecordingNotWritten): RunFailed => new RunFailed({ detail: message })

/**
 * The recordings of a service.
 *
 * - `transport`: what it dials by
 * - `apply`: begins the recording of each venue that has none yet
 * - `finish`: ends them all
 *
 * @category models
 * @since 0.1.0
 */
export interface Recorders {
  readonly transport: Transport["Service"]
  readonly apply: (
    recordings: Recordings | undefined,
    entries: ReadonlyArray<MarketFeeds.Entry>
  ) => Effect.Effect<void, UsageError>
  readonly finish: Effect.Effect<void>
}

const headerOf = ({ channels = [], url, venue }: MarketFeeds.Entry): Header => ({
  venue: venue.name,
  url: url ?? venue.endpoint,
  products: [...new Set(channels.flatMap(({ product }) => product === undefined ? [] : [product]))],
  channels: [...new Set(channels.map(({ channel }) => channel))]
})

const isSame = (one: Recordings | undefined, other: Recordings | undefined): boolean =>
  one?.path === other?.path && one?.rotation.bytes === other?.rotation.bytes &&
  one?.rotation.every === other?.rotation.every

/**
 * Makes the recordings of a service, which end with the scope. One that cannot be
 * written is logged, and its venue goes on.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  inner: Transport["Service"]
): Effect.fn.Return<Recorders, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const transports = new Map<string, Transport["Service"]>()
  const recorders: Array<Recorder<RecordingNotWritten>> = []
  let begun: { readonly recordings: Recordings | undefined } | undefined
  const log = ({ message }: RecordingNotWritten) =>
    Effect.annotateLogs(Effect.logError("the recording has ended"), { error: message })

  return {
    transport: {
      ...inner,
      leftOut: (connection) => transports.get(connection)?.leftOut?.(connection) ?? 0,
      dial: (request) => (transports.get(request.by?.connection ?? "") ?? inner).dial(request)
    },
    apply: Effect.fnUntraced(function*(recordings, entries) {
      begun ??= { recordings }
      if (!isSame(begun.recordings, recordings)) {
        return yield* new UsageError({ key: "recording", expected: "what it was: it is read at the start only" })
      }
      if (recordings === undefined) return
      for (const entry of entries) {
        const { name } = entry.venue
        if (transports.has(name)) continue
        const path = recordings.path.replaceAll("{venue}", name)
        const recorder = yield* Scope.provide(
          begin({ ...recordings, path, key: "recording.path" }, [headerOf(entry)]),
          scope
        )
        recorders.push(recorder)
        transports.set(name, recorder.transport(inner))
        yield* Effect.forkIn(Effect.catch(recorder.failed, log), scope)
      }
    }),
    finish: Effect.suspend(() =>
      Effect.forEach(
        recorders,
        ({ counts, finish }) =>
          Effect.andThen(
            Effect.ignore(finish),
            Effect.suspend(() => {
              const { dropped } = counts()
              return dropped === 0
                ? Effect.void
                : Effect.annotateLogs(Effect.logWarning("lines are left out of a recording"), { dropped })
            })
          ),
        { concurrency: "unbounded", discard: true }
      )
    )
  }
})
