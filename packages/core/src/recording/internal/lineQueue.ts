/**
 * Lines on their way to a sink: bounded by bytes, written many at a time by one
 * fiber, flushed on a schedule.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Monotonic from "../../value/Monotonic.ts"
import type { Sink } from "../Sink.ts"

// Characters of one text of lines: longer ones cost memory pages each time, shorter ones a call.
const textLength = 32_768

// So many characters are written ahead of the schedule, or half of what may wait.
const manyCharacters = 262_144

// How often it is said that lines are dropped.
const warnEveryMillis = 10_000

/**
 * What a queue is made of: how many bytes may wait, and for how long a line may.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<E> {
  readonly sink: Sink<E>
  readonly header: string
  readonly bytes: number
  readonly flushMillis: number
}

/**
 * Lines on their way to a sink.
 *
 * @category models
 * @since 0.1.0
 */
export class LineQueue<E> {
  private readonly options: Options<E>
  private readonly clock: Clock.Clock
  // How many characters are written ahead of the schedule.
  private readonly many: number
  private readonly done = Deferred.makeUnsafe<void, E>()
  private texts: Array<string> = []
  private last = ""
  // Characters that wait, and those that are being written.
  private waiting = 0
  private writing = 0
  private isEnded = false
  private hasFailed = false
  // When the oldest line that is not flushed was added, on the monotonic clock.
  private since: number | undefined
  private warnedAt = -Infinity
  private warnedOf = 0
  private resumeWriter: (() => void) | undefined
  private resumeWaiting: ReadonlyArray<() => void> = []
  /** Lines that were taken, and those that were not. */
  lines = 0
  dropped = 0

  constructor(options: Options<E>, clock: Clock.Clock) {
    this.options = options
    this.clock = clock
    this.many = Math.min(manyCharacters, options.bytes / 2)
  }

  private get isFull(): boolean {
    return this.waiting + this.writing > this.options.bytes
  }

  /** Whether there is room for a line that may be dropped; counts one that has none. */
  takes(): boolean {
    if (this.isEnded) return false
    const isTaken = !this.hasFailed && !this.isFull
    if (!isTaken) this.dropped++
    return isTaken
  }

  /** Takes a line, which has its line feed, whether there is room or not. */
  add(line: string): void {
    if (this.isEnded || this.hasFailed) return
    this.lines++
    this.last += line
    this.waiting += line.length
    if (this.since === undefined) {
      this.since = Monotonic.nowMillis(this.clock)
      this.wake()
    }
    if (this.waiting >= this.many) this.wake()
    if (this.last.length < textLength) return
    this.texts.push(this.last)
    this.last = ""
  }

  /** Completes when there is room, or when nothing is written any more. */
  readonly room: Effect.Effect<void> = Effect.suspend(() => {
    if (!this.isFull || this.hasFailed) return Effect.void
    return Effect.andThen(
      Effect.callback<void>((resume) => {
        const waiting = () => resume(Effect.void)
        this.resumeWaiting = [...this.resumeWaiting, waiting]
        return Effect.sync(() => {
          this.resumeWaiting = this.resumeWaiting.filter((other) => other !== waiting)
        })
      }),
      this.room
    )
  })

  /** Fails when the sink does. */
  get failed(): Effect.Effect<never, E> {
    return Effect.andThen(Deferred.await(this.done), Effect.never)
  }

  /** Takes nothing more, and completes when everything is written and the sink has ended. */
  get finish(): Effect.Effect<void, E> {
    return Effect.suspend(() => {
      this.isEnded = true
      this.wake()
      return Deferred.await(this.done)
    })
  }

  /** Writes until the queue is finished or the sink fails. */
  get run(): Effect.Effect<void> {
    const { sink } = this.options
    return sink.begin(this.options.header).pipe(
      Effect.andThen(sink.flush),
      Effect.andThen(this.write()),
      Effect.andThen(sink.end),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          this.hasFailed = Exit.isFailure(exit)
          this.texts = []
          this.last = ""
          this.waiting = this.writing = 0
          Deferred.doneUnsafe(this.done, exit)
          this.release()
        })
      ),
      Effect.ignore
    )
  }

  private write(): Effect.Effect<void, E> {
    return Effect.gen({ self: this }, function*() {
      const { flushMillis, sink } = this.options
      while (true) {
        if (this.since === undefined) {
          if (this.isEnded) return
          yield* this.woken(() => this.since !== undefined)
          continue
        }
        // The other half of the time is for the writing.
        const left = this.isEnded ? 0 : this.since + flushMillis / 2 - Monotonic.nowMillis(this.clock)
        if (left > 0 && this.waiting < this.many) {
          yield* Effect.timeoutOption(this.woken(() => this.waiting >= this.many), left)
          continue
        }
        if (left <= 0) this.since = undefined
        const texts = this.last === "" ? this.texts : [...this.texts, this.last]
        this.writing = this.waiting
        this.waiting = 0
        this.texts = []
        this.last = ""
        yield* sink.write(texts)
        if (left <= 0) yield* sink.flush
        this.writing = 0
        this.release()
        yield* this.warn()
      }
    })
  }

  private warn(): Effect.Effect<void> {
    const now = Monotonic.nowMillis(this.clock)
    if (this.dropped === this.warnedOf || now < this.warnedAt + warnEveryMillis) return Effect.void
    this.warnedOf = this.dropped
    this.warnedAt = now
    return Effect.annotateLogs(Effect.logWarning("the recording is written too slowly, frames are left out of it"), {
      dropped: this.dropped
    })
  }

  private woken(isReady: () => boolean): Effect.Effect<void> {
    return Effect.callback((resume) => {
      // The runtime may have run others since the writer looked.
      if (this.isEnded || isReady()) return resume(Effect.void)
      this.resumeWriter = () => resume(Effect.void)
      return Effect.sync(() => {
        this.resumeWriter = undefined
      })
    })
  }

  private wake(): void {
    const resume = this.resumeWriter
    this.resumeWriter = undefined
    resume?.()
  }

  private release(): void {
    const waiting = this.resumeWaiting
    this.resumeWaiting = []
    for (const resume of waiting) resume()
  }
}
