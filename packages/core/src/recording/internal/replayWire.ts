/**
 * A wire whose frames are those of a recording. What is written on it goes
 * nowhere.
 *
 * @since 0.1.0
 */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import type { Frame } from "../../transport/Frame.ts"
import { type Pull, type Wire, WireClosed } from "../../transport/Transport.ts"

type Take = Parameters<NonNullable<Pull["each"]>>[0]

interface Taker {
  readonly take: Take
  readonly resume: (effect: Effect.Effect<void, WireClosed>) => void
}

/**
 * One wire of a replay.
 *
 * @category models
 * @since 0.1.0
 */
export class ReplayWire implements Wire {
  private readonly waiting: Array<NonEmptyReadonlyArray<Frame>> = []
  private readonly mostWritten: number
  private written = 0
  private taker: Taker | undefined
  private isMore = false
  private ended: WireClosed | undefined
  private onTaken: (() => void) | undefined
  private readonly onEnded: Array<() => void> = []

  /** Of one on which no more was written, whoever wants to write more waits until it ends. */
  constructor(mostWritten: number) {
    this.mostWritten = mostWritten
  }

  private readonly each = (take: Take): Effect.Effect<void, WireClosed> =>
    Effect.callback((resume) => {
      this.taker = { take, resume }
      this.hand()
      return Effect.sync(() => {
        this.taker = undefined
      })
    })

  private readonly one = Effect.suspend(() => {
    let taken: NonEmptyReadonlyArray<Frame> | undefined
    return Effect.flatMap(
      this.each((frames) => {
        taken = frames
        return false
      }),
      () => taken === undefined ? Effect.never : Effect.succeed(taken)
    )
  })

  readonly pull: Pull = Object.assign(this.one, { each: this.each })
  readonly ready: Effect.Effect<void, WireClosed> = Effect.suspend(() => {
    if (this.ended !== undefined) return Effect.fail(this.ended)
    if (this.written < this.mostWritten) return Effect.void
    return Effect.andThen(
      Effect.callback<void>((resume) => {
        this.onEnded.push(() => resume(Effect.void))
      }),
      this.ready
    )
  })
  readonly ping = Effect.never
  readonly terminate = Effect.sync(() => this.end(WireClosed.of({ by: "local", code: 1006, reason: "terminated" })))

  write(): boolean {
    this.written++
    return this.ended === undefined
  }

  close(code: number, reason: string): Effect.Effect<{ readonly clean: boolean }> {
    return Effect.sync(() => {
      this.end(WireClosed.of({ by: "local", code, reason }))
      return { clean: true }
    })
  }

  bufferedBytes(): number {
    return 0
  }

  paused(): boolean {
    return false
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.ended !== undefined
  }

  /** It has brought frames; `isMore` says that others follow. */
  receive(frames: NonEmptyReadonlyArray<Frame>, isMore: boolean): void {
    if (this.ended !== undefined) return
    this.waiting.push(frames)
    this.isMore = isMore
    this.hand()
  }

  /** It ends when all that it brought has been taken. */
  end(closed: WireClosed): void {
    this.ended ??= closed
    this.hand()
    for (const ended of this.onEnded.splice(0)) ended()
  }

  /** Whether somebody is not done with what it has brought. */
  get isWaiting(): boolean {
    return this.waiting.length > 0
  }

  /** Completes when what it has brought is taken. */
  readonly taken: Effect.Effect<void> = Effect.callback((resume) => {
    if (!this.isWaiting) return resume(Effect.void)
    this.onTaken = () => resume(Effect.void)
  })

  private hand(): void {
    const { taker } = this
    if (taker === undefined) return
    try {
      for (let frames = this.waiting.shift(); frames !== undefined; frames = this.waiting.shift()) {
        if (!taker.take(frames, this.isMore)) return this.release(Effect.void)
      }
    } catch (error) {
      return this.release(Effect.die(error))
    } finally {
      if (!this.isWaiting) this.onTaken?.()
    }
    if (this.ended !== undefined) this.release(Effect.fail(this.ended))
  }

  private release(effect: Effect.Effect<void, WireClosed>): void {
    const { taker } = this
    this.taker = undefined
    taker?.resume(effect)
  }
}
