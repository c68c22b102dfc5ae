/**
 * A transport and an HTTP port whose doings become lines.
 *
 * @since 0.1.0
 */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Address from "../../transport/Address.ts"
import type { DialError } from "../../transport/DialError.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { HttpPort } from "../../transport/HttpPort.ts"
import * as RecordingMask from "../../transport/internal/recordingMask.ts"
import * as SecretMask from "../../transport/internal/secretMask.ts"
import * as Secrets from "../../transport/Secrets.ts"
import type { DialRequest, Pull, Transport, Wire, WireClosed } from "../../transport/Transport.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import * as Tape from "../Tape.ts"
import type { LineQueue } from "./lineQueue.ts"

/**
 * What a recorder of wires is made of. Connections that are named are called
 * after what dials them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly queue: Pick<LineQueue<unknown>, "add" | "room" | "takes">
  readonly clock: Clock.Clock
  readonly isNamed: boolean
  readonly isBlocking: boolean
}

// What an entry says, but for when and where.
type Said<Entry = Tape.Entry> = Entry extends Tape.Entry ? Omit<Entry, "at" | "connection" | "id"> : never

// So many batches of a millisecond are told apart.
const mostBatches = 999

/**
 * Wraps transports and HTTP ports, so that what they do becomes lines.
 *
 * A connection has a number from its dial to its end: its leg where it has one,
 * and otherwise, or if that is taken, the least from there on that is free. So
 * one that comes back has the number that it had, and of two that are open each
 * has its own.
 *
 * @category models
 * @since 0.1.0
 */
export class WireRecorder {
  private readonly options: Options
  private readonly taken = new Map<string, Set<number>>()
  // By the labels of connections.
  private readonly leftOut = new Map<string, number>()
  // Of the latest inbound frame: when and where it came, and its line up to its text.
  private frameMillis = NaN
  private frameOf: number | string = 0
  private frameStart = ""
  // How many batches came before the latest one in its millisecond.
  private batches = 0

  constructor(options: Options) {
    this.options = options
  }

  /** A transport, recorded. */
  transport(inner: Transport["Service"]): Transport["Service"] {
    return {
      ...inner,
      leftOut: (connection) => this.leftOut.get(connection) ?? 0,
      dial: (request) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.suspend(() => {
            const line = this.dialled(request)
            return restore(inner.dial(request)).pipe(
              Effect.onError((cause) => Effect.sync(() => line.failed(cause))),
              Effect.flatMap((wire) => {
                line.opened()
                return Effect.as(Effect.addFinalizer(() => Effect.sync(() => line.released())), line.tap(wire))
              })
            )
          })
        )
    }
  }

  /** An HTTP port, recorded. */
  http(inner: HttpPort["Service"]): HttpPort["Service"] {
    const { isBlocking, queue } = this.options
    return {
      ...inner,
      request: (request) =>
        Effect.tap(inner.request(request), ({ body, status }) => {
          if (!isBlocking && !queue.takes()) return Effect.void
          const mask = Secrets.maskOf({ url: request.url, headers: request.headers ?? {}, protocols: [] })
          this.add({
            _tag: "Response",
            method: request.method,
            url: RecordingMask.maskUrl(request.url),
            status,
            body: RecordingMask.maskIssued(mask === undefined ? body : mask.text(body))
          })
          return isBlocking ? queue.room : Effect.void
        })
    }
  }

  private dialled(request: DialRequest): RecordedLine {
    const { by, url } = request
    const label = by?.connection ?? Address.origin(url)
    const name = this.options.isNamed ? label : ""
    const taken = this.taken.get(name) ?? new Set()
    this.taken.set(name, taken)
    let number = by?.leg ?? 1
    while (taken.has(number)) number++
    taken.add(number)
    const connection = name === "" ? number : `${name} ${number}`
    this.add({
      _tag: "Dial",
      url: RecordingMask.maskUrl(url),
      ...(by === undefined ? {} : { attempt: by.attempt, delayMillis: by.delayMillis })
    }, connection)
    return new RecordedLine(this, this.options, {
      connection,
      number,
      label,
      mask: Secrets.maskOf(request),
      free: () => taken.delete(number)
    })
  }

  private now(): Timestamp.Timestamp {
    return Timestamp.fromEpochMillis(this.options.clock.currentTimeMillisUnsafe())
  }

  /** Adds a line that is never dropped. */
  add(said: Said, connection?: number | string): void {
    this.options.queue.add(`${Tape.encode({ at: this.now(), connection, ...said })}\n`)
  }

  /** Adds a batch of frames that came in. */
  received(frames: ReadonlyArray<Frame>, { connection, label, mask }: Place): void {
    const { clock, isBlocking, queue } = this.options
    const millis = clock.currentTimeMillisUnsafe()
    // Frames that came together have one time, and those that came after them in the same millisecond another.
    this.batches = millis === this.frameMillis ? Math.min(this.batches + 1, mostBatches) : 0
    if (millis !== this.frameMillis || connection !== this.frameOf) {
      this.frameMillis = millis
      this.frameOf = connection
      // Of many frames in a millisecond only the text differs: `"raw":""}` is the end of the line.
      this.frameStart = Tape.encode({ _tag: "Frame", at: this.now(), connection, direction: "in", frame: "" })
        .slice(0, -3)
    }
    const start = this.batches === 0
      ? this.frameStart
      : this.frameStart.replace("Z", `${String(this.batches).padStart(3, "0")}Z`)
    for (const frame of frames) {
      if (!isBlocking && !queue.takes()) {
        this.leftOut.set(label, (this.leftOut.get(label) ?? 0) + 1)
        continue
      }
      const masked = mask === undefined ? frame : mask.frame(frame)
      if (typeof masked === "string") {
        queue.add(`${start}${JSON.stringify(RecordingMask.maskIssued(masked))}}\n`)
      } else this.add({ _tag: "Binary", direction: "in", bytes: masked }, connection)
    }
  }
}

interface Place {
  readonly connection: number | string
  readonly number: number
  readonly label: string
  readonly mask: Secrets.Mask | undefined
  readonly free: () => void
}

/** One dial, and the wire that it gave. */
class RecordedLine {
  private readonly recorder: WireRecorder
  private readonly options: Options
  private readonly place: Place
  // Our closing, and whether it was answered; and the end of the wire, once all before it was taken.
  private asked: { readonly code: number; readonly reason: string } | undefined
  private clean: boolean | undefined
  private ended: Pick<WireClosed, "by" | "code" | "reason"> | undefined
  private isOver = false

  constructor(recorder: WireRecorder, options: Options, place: Place) {
    this.recorder = recorder
    this.options = options
    this.place = place
  }

  private add(said: Said): void {
    this.recorder.add(said, this.place.connection)
  }

  private over(
    end: Pick<Extract<Tape.Entry, { readonly _tag: "Close" }>, "code" | "failure" | "clean"> & {
      readonly reason: string
    },
    isOurs: boolean
  ): void {
    if (this.isOver) return
    this.isOver = true
    const { free, mask } = this.place
    const reason = mask === undefined ? end.reason : mask.text(end.reason)
    this.add({ _tag: "Close", direction: isOurs ? "out" : "in", ...end, reason })
    free()
  }

  failed(cause: Cause.Cause<DialError>): void {
    const { mask } = this.place
    const error = Cause.findError(cause)
    if (Result.isFailure(error)) {
      // Whoever dialled waits no longer, or the transport has a defect.
      const isOurs = Cause.hasInterrupts(cause)
      return this.over({ reason: isOurs ? "interrupted" : "a defect of the transport", clean: false }, isOurs)
    }
    const { reason } = mask === undefined ? error.success : SecretMask.maskError(mask)(error.success)
    this.over({ reason: reason.message, clean: false, failure: reason }, false)
  }

  opened(): void {
    const { number } = this.place
    this.add(number === 1 ? { _tag: "Open" } : { _tag: "Open", leg: number })
  }

  /** The scope of the dial has ended. */
  released(): void {
    this.ended ??= { by: "local", code: 1006, reason: "terminated", ...this.asked }
    this.settle()
  }

  // Whoever closes knows last whether it was answered, and what came meanwhile stands before it.
  private settle(): void {
    const { asked, clean, ended } = this
    if (ended === undefined || (asked !== undefined && clean === undefined)) return
    const { by, code, reason } = ended
    this.over({ code, reason, clean: clean ?? by === "peer" }, by === "local")
  }

  tap(wire: Wire): Wire {
    const { isBlocking, queue } = this.options
    const received = (frames: ReadonlyArray<Frame>) => this.recorder.received(frames, this.place)
    const untilEnd = <A>(taking: Effect.Effect<A, WireClosed>): Effect.Effect<A, WireClosed> =>
      Effect.tapError(taking, (closed) =>
        Effect.sync(() => {
          this.ended = closed
          this.settle()
        }))
    const { each } = wire.pull
    const pull: Pull = untilEnd(Effect.tap(wire.pull, (frames) => {
      received(frames)
      return isBlocking ? queue.room : Effect.void
    }))
    // Whoever is called back in the read cannot wait for room.
    return {
      ...wire,
      pull: each === undefined || isBlocking ? pull : Object.assign(pull, {
        each: (take: (frames: NonEmptyReadonlyArray<Frame>) => boolean) =>
          untilEnd(each((frames) => {
            received(frames)
            return take(frames)
          }))
      }),
      write: (frame) => {
        const isWritten = wire.write(frame)
        if (isWritten) this.wrote(frame)
        return isWritten
      },
      ping: Effect.suspend(() => {
        this.add({ _tag: "Ping", direction: "out", payload: "" })
        return Effect.tap(wire.ping, () => Effect.sync(() => this.add({ _tag: "Pong", direction: "in", payload: "" })))
      }),
      close: (code, reason) =>
        Effect.suspend(() => {
          this.asked ??= { code, reason }
          return Effect.onExit(wire.close(code, reason), (exit) =>
            Effect.sync(() => {
              this.clean = Exit.isSuccess(exit) && exit.value.clean
              this.settle()
            }))
        })
    }
  }

  private wrote(frame: Frame): void {
    const { mask } = this.place
    const masked = mask === undefined ? frame : mask.frame(frame)
    this.add(
      typeof masked === "string"
        ? { _tag: "Frame", direction: "out", frame: RecordingMask.maskSent(masked) }
        : { _tag: "Binary", direction: "out", bytes: masked }
    )
  }
}
