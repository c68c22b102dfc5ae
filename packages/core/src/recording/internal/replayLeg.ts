/**
 * One connection of a recording, as the transport of one connection: its dials
 * are answered where the recording has them, and its wire ends where it did.
 *
 * @since 0.1.0
 */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Address from "../../transport/Address.ts"
import { DialError, type DialReason, Unreachable } from "../../transport/DialError.ts"
import type { Frame } from "../../transport/Frame.ts"
import { type DialRequest, type Transport, type Wire, WireClosed } from "../../transport/Transport.ts"
import type * as Tape from "../Tape.ts"
import type { ConnectionIndex } from "./recordingIndex.ts"
import { ReplayWire } from "./replayWire.ts"

type Close = Extract<Tape.Entry, { readonly _tag: "Close" }>

interface Pending {
  readonly request: DialRequest
  readonly resume: (effect: Effect.Effect<Wire, DialError>) => void
}

/**
 * What a connection of a replay has of the replay. `position` is the number and
 * the time of the line that it has come to, `rest` lets every fiber do what it
 * can.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly index: ConnectionIndex
  readonly position: () => { readonly line: number; readonly millis: number }
  readonly rest: () => void
}

type Replayed = NonNullable<Transport["Service"]["replay"]>

const isOurs = ({ direction }: Close): boolean => direction === "out"

// What is closed in good order and never dialled again was wanted no more, whoever closed it.
const isInOrder = (close: Close): boolean =>
  isOurs(close) || (close.clean !== false && (close.code === undefined || close.code === 1000))

const closedBy = (close: Close): WireClosed => {
  const { clean, code = 1006, reason = "" } = close
  const by = isOurs(close) ? "local" : code === 1006 && clean !== true ? "network" : "peer"
  return WireClosed.of({ by, code, reason })
}

/**
 * One connection of a replay.
 *
 * @category models
 * @since 0.1.0
 */
export class ReplayLeg {
  /** Whether somebody dials it. */
  isTaken = false
  /** Whether the replay has come to its first line; and who is told when it does. */
  hasBegun = false
  readonly onBegun: Array<() => void> = []
  /** Completes when it has come to where we closed it for good. */
  readonly closed = Deferred.makeUnsafe<void>()
  /** How many frames asked for channels, if that is known and what was written was not recorded. */
  asked: number | undefined
  private readonly options: Options
  private wire: ReplayWire | undefined
  private pending: Pending | undefined
  // Whether the recording has come to the dial that is pending; and whether the connection is open in it.
  private isDialled = false
  private isOpen = false
  private written = 0
  private attempts = 0
  private isAskedAnew = false

  constructor(options: Options) {
    this.options = options
  }

  /** What the one who has it dials by. */
  get joined(): ReturnType<Replayed["join"]> {
    return { dial: (request) => this.dial(request), replay: this.replay }
  }

  private readonly replay: Replayed = {
    join: () => this.joined,
    another: Effect.never,
    closed: Effect.suspend(() => Deferred.await(this.closed)),
    redial: () => {
      const { index, position } = this.options
      const { line, millis } = position()
      const next = index.dialFrom(line)
      const waitMillis = next === undefined ? Infinity : Math.max(0, next.millis - millis)
      this.attempts++
      return { attempt: next?.attempt ?? this.attempts, delayMillis: next?.delayMillis ?? waitMillis, waitMillis }
    },
    isAskedAnew: () => this.isAskedAnew,
    wrote: (text) => this.options.index.dialOf(this.options.position().line)?.texts.has(text) === true,
    written: () => this.options.index.hasWritten ? this.written : this.asked
  }

  private dial(request: DialRequest): Effect.Effect<Wire, DialError, Scope.Scope> {
    return Effect.tap(
      Effect.callback<Wire, DialError>((resume) => {
        const pending = { request, resume }
        this.pending = pending
        if (this.isOpen) this.answer()
        return Effect.sync(() => {
          if (this.pending === pending) this.pending = undefined
        })
      }),
      (wire) => Effect.addFinalizer(() => wire.terminate)
    )
  }

  /** Whether somebody is not done with what it has brought. */
  get waitsFor(): Effect.Effect<void> | undefined {
    return this.wire?.isWaiting === true ? this.wire.taken : undefined
  }

  /** The replay has come to a line of it. */
  line(entry: Tape.Entry): void {
    this.begin()
    switch (entry._tag) {
      case "Dial":
        // Of a connection that is open the end was not recorded.
        if (this.isOpen) this.lost()
        // Nor was why the dial before it failed.
        else if (this.isDialled) this.fail("the recording has another dial")
        this.isDialled = true
        break
      case "Open":
        if (this.isOpen) this.lost()
        this.open()
        break
      case "Close":
        this.close(entry)
        break
      case "Frame":
      case "Binary":
        this.open()
        if (entry.direction === "out") this.written++
        break
      case "Ping":
      case "Pong":
        this.open()
        break
      default:
    }
    this.options.rest()
  }

  /** The replay has come to frames of it, whose lines are all of one moment; `isMore` says that others follow. */
  receive(frames: NonEmptyReadonlyArray<Frame>, isMore: boolean): void {
    this.begin()
    this.open()
    this.wire?.receive(frames, isMore)
    this.options.rest()
  }

  private begin(): void {
    if (this.hasBegun) return
    this.hasBegun = true
    for (const told of this.onBegun) told()
    this.options.rest()
  }

  private open(): void {
    if (this.isOpen) return
    this.isOpen = true
    this.isDialled = false
    this.attempts = 0
    this.written = 0
    this.answer()
    this.options.rest()
  }

  private answer(): void {
    const { pending } = this
    if (pending === undefined) return
    this.pending = undefined
    const { index, position } = this.options
    const dial = index.hasWritten ? index.dialOf(position().line) : undefined
    // If nothing was received after less was written than is to be, it ended before all was asked for.
    this.wire = new ReplayWire(dial?.received === 0 ? dial.written : Infinity)
    pending.resume(Effect.succeed(this.wire))
  }

  private fail(reason: string, failure?: DialReason | undefined): void {
    const { pending } = this
    this.pending = undefined
    pending?.resume(Effect.fail(
      new DialError({ url: Address.place(pending.request.url), reason: failure ?? new Unreachable({ detail: reason }) })
    ))
    this.options.rest()
  }

  private lost(): void {
    this.end(WireClosed.of({ by: "network", code: 1006, reason: "" }))
  }

  private close(close: Close): void {
    if (this.isOpen) return this.closeOpen(close)
    if (this.isDialled) this.fail(close.reason ?? "", close.failure)
    this.isDialled = false
  }

  // Who closes a connection for good ends it; who asks for another says so by the dial that follows at once.
  private closeOpen(close: Close): void {
    const { index, position } = this.options
    const next = index.dialFrom(position().line)
    if (next === undefined && isInOrder(close)) return void Deferred.doneUnsafe(this.closed, Effect.void)
    this.isAskedAnew = isOurs(close) && next?.attempt === 1 && next.delayMillis === 0
    this.end(closedBy(close))
    this.isAskedAnew = false
  }

  private end(closed: WireClosed): void {
    this.isOpen = false
    this.wire?.end(closed)
    this.options.rest()
  }
}
