/**
 * Records what goes over the wire: a transport and an HTTP port are wrapped, and
 * each frame, dial, end and answer becomes a line of a recording (`Tape`).
 *
 * A recorder never slows what it records: what a sink cannot take in time waits,
 * up to a bound in bytes, and beyond it frames and answers are left out and
 * counted; `overflow: "block"` makes the reading of the socket wait instead. The
 * secrets of a dial or a request are masked, whichever way they went. Where the
 * lines go is a `Sink`: `RecordingFile` of `@tickline/node`, or your own.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { HttpPort } from "../transport/HttpPort.ts"
import { maskUrl } from "../transport/internal/recordingMask.ts"
import type { Transport } from "../transport/Transport.ts"
import { LineQueue } from "./internal/lineQueue.ts"
import { WireRecorder } from "./internal/wireRecorder.ts"
import type { Sink } from "./Sink.ts"
import * as Tape from "./Tape.ts"

/**
 * What is recorded, as the first line of the recording says it. What of the URL
 * is a secret is masked.
 *
 * @category models
 * @since 0.1.0
 */
export type Header = Omit<
  Extract<Tape.Entry, { readonly _tag: "Header" }>,
  "_tag" | "version" | "at" | "connection" | "id"
>

/**
 * How a recorder is made.
 *
 * - `headers`: what is recorded, one for each venue. Of several the connections
 *   are named `"kraken 1"`, by what dials; of one or none they are numbers
 * - `bytes`: how much may wait for the sink (default 16 MiB)
 * - `overflow`: what happens beyond: `"drop"` (the default), or `"block"`
 * - `flushEvery`: the longest that a line waits before it is flushed (default
 *   one second): so much may be missing after the death of the process
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<E> {
  readonly sink: Sink<E>
  readonly headers?: ReadonlyArray<Header> | undefined
  readonly bytes?: number | undefined
  readonly overflow?: "drop" | "block" | undefined
  readonly flushEvery?: Duration.Input | undefined
}

/**
 * What a recorder did so far: the lines that it took, and those that it left
 * out, for want of room or since its sink failed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counts {
  readonly lines: number
  readonly dropped: number
}

/**
 * A recording that is being made.
 *
 * - `transport`, `http`: what is given, recorded
 * - `counts`: lines so far
 * - `failed`: fails when the sink does; what is recorded goes on
 * - `finish`: writes what waits and ends the sink, fails if either does; done at
 *   the end of the scope by itself. What comes later is not recorded
 *
 * @category models
 * @since 0.1.0
 */
export interface Recorder<out E = never> {
  readonly transport: (inner: Transport["Service"]) => Transport["Service"]
  readonly http: (inner: HttpPort["Service"]) => HttpPort["Service"]
  readonly counts: () => Counts
  readonly failed: Effect.Effect<never, E>
  readonly finish: Effect.Effect<void, E>
}

const headerOf = (header: Header): Tape.Entry => ({
  ...header,
  ...(header.url === undefined ? {} : { url: maskUrl(header.url) }),
  _tag: "Header",
  version: 1
})

const defaultBytes = 16 * 1024 * 1024

const defaultFlush = Duration.seconds(1)

/**
 * Begins a recording, which ends with the scope. What is recorded is what is
 * wrapped: `Effect.updateService(Transport, recorder.transport)` and
 * `Effect.updateService(HttpPort, recorder.http)`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*<E>(
  { bytes = defaultBytes, flushEvery = defaultFlush, headers = [], overflow = "drop", sink }: Options<E>
): Effect.fn.Return<Recorder<E>, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const queue = new LineQueue(
    {
      sink,
      header: headers.map((header) => `${Tape.encode(headerOf(header))}\n`).join(""),
      bytes,
      flushMillis: Duration.toMillis(Duration.fromInputUnsafe(flushEvery))
    },
    clock
  )
  yield* Effect.forkScoped(queue.run, { startImmediately: true })
  yield* Effect.addFinalizer(() => Effect.ignore(queue.finish))
  const wires = new WireRecorder({ queue, clock, isNamed: headers.length > 1, isBlocking: overflow === "block" })
  return {
    transport: (inner) => wires.transport(inner),
    http: (inner) => wires.http(inner),
    counts: () => ({ lines: queue.lines, dropped: queue.dropped }),
    failed: queue.failed,
    finish: queue.finish
  }
})
