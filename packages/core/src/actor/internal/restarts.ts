/**
 * How often an actor is started afresh, and after which wait.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import * as Monotonic from "../../value/Monotonic.ts"
import type { Directive, Supervisor } from "../Supervisor.ts"

const defaultBackoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("10 seconds")])

/**
 * What is done about a failure where nothing is said: an error of the handler's
 * own type is an answer.
 *
 * @category getters
 * @since 0.1.0
 */
export const isAnswer = (cause: Cause.Cause<unknown>): boolean => cause.reasons.every(({ _tag }) => _tag === "Fail")

type Advance = (now: number, cause: Cause.Cause<unknown>) => Pull.Pull<[unknown, Duration.Duration], never, unknown>

/**
 * The restarts of one actor.
 *
 * @category models
 * @since 0.1.0
 */
export class Restarts {
  private readonly supervision: Supervisor
  private readonly most: number
  private readonly windowMillis: number
  // Since when they count, on the monotonic clock.
  private times: ReadonlyArray<number> = []
  private advance: Advance | undefined

  constructor(supervision: Supervisor) {
    this.supervision = supervision
    const { restarts, within } = supervision.intensity ?? { restarts: 5, within: "1 minute" }
    this.most = restarts
    this.windowMillis = Duration.toMillis(Duration.fromInputUnsafe(within))
  }

  decide(cause: Cause.Cause<unknown>): Directive {
    return this.supervision.decide?.(cause) ?? (isAnswer(cause) ? "resume" : "restart")
  }

  /** The next restart; nothing if there are too many. */
  next(cause: Cause.Cause<unknown>): Effect.Effect<{ attempt: number; delayMillis: number } | undefined> {
    return Effect.gen({ self: this }, function*() {
      const now = yield* Monotonic.now
      const recent = this.times.filter((time) => now - time < this.windowMillis)
      if (recent.length >= this.most) return undefined
      if (recent.length === 0) this.advance = undefined
      const advance = this.advance ??= yield* Schedule.toStep(this.supervision.backoff ?? defaultBackoff)
      const step = yield* Pull.catchDone(advance(now, cause), () => Effect.succeed(undefined))
      if (step === undefined) return undefined
      this.times = [...recent, now]
      return { attempt: this.times.length, delayMillis: Duration.toMillis(step[1]) }
    })
  }
}
