/**
 * Whether a session is signed in, and how it stays so: what a sign-in gave is
 * renewed before it ends, or the session is opened anew.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as EscapedText from "../../value/internal/escapedText.ts"
import * as Monotonic from "../../value/Monotonic.ts"
import type { Calls, Grant } from "../SignIn.ts"
import type { SessionMetrics } from "./sessionMetrics.ts"

// A grant is renewed when so much of its time has passed.
const renewAfter = 0.8

// Until when it is signed in, on the monotonic clock, and what there is to renew.
interface SignedIn {
  readonly until: number
  readonly grant: Grant
}

/**
 * The sign-in of one session.
 *
 * @category models
 * @since 0.1.0
 */
export class SignInRenewal {
  private readonly label: string
  private readonly clock: Clock.Clock
  private readonly metrics: SessionMetrics
  private readonly context: Context.Context<never>
  // Nothing before the sign-in of an epoch.
  private signedIn: SignedIn | undefined
  private renewing: Fiber.Fiber<void> | undefined

  constructor(label: string, clock: Clock.Clock, metrics: SessionMetrics, context: Context.Context<never>) {
    this.label = label
    this.clock = clock
    this.metrics = metrics
    this.context = context
  }

  get isSignedIn(): boolean {
    return this.signedIn !== undefined && Monotonic.nowMillis(this.clock) < this.signedIn.until
  }

  /** It is signed in no more: an epoch begins, or what was granted cannot be renewed. */
  forget(): void {
    this.signedIn = undefined
  }

  /** It is signed in, by what a sign-in or a renewal gave. */
  granted(grant: Grant): void {
    const { expiresIn } = grant
    const until = expiresIn === undefined ? Infinity : Monotonic.nowMillis(this.clock) + Duration.toMillis(expiresIn)
    this.signedIn = { until, grant }
  }

  /** Logs what became of a sign-in. */
  log(
    line: Effect.Effect<void>,
    epoch: number,
    { error, expiresIn }: Grant & { readonly error?: string }
  ): Effect.Effect<void> {
    return Effect.annotateLogs(
      line,
      EscapedText.fields({
        connection: this.label,
        epoch,
        ...(expiresIn === undefined ? {} : { expires_in_ms: Duration.toMillis(expiresIn) }),
        ...(error === undefined ? {} : { error })
      })
    )
  }

  /** Keeps an epoch signed in through its calls until `stop`; what cannot be renewed is opened anew by `reopen`. */
  start(epoch: number, calls: Calls, reopen: Effect.Effect<void>): void {
    this.renewing = Effect.runForkWith(this.context)(this.renewed(epoch, calls, reopen))
  }

  stop(): void {
    this.renewing?.interruptUnsafe()
  }

  private renewed(epoch: number, calls: Calls, reopen: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { signedIn } = this
      if (signedIn === undefined || signedIn.until === Infinity) return Effect.void
      const { grant: { renew }, until } = signedIn
      const left = Math.max(0, until - Monotonic.nowMillis(this.clock))
      const asked = renew === undefined
        ? Effect.as(Effect.sleep(left), undefined)
        : Effect.delay(Effect.result(renew(calls)), left * renewAfter)
      return Effect.flatMap(asked, (granted) => {
        if (granted !== undefined) this.metrics.renewed(Result.isSuccess(granted) ? "renewed" : "failed")
        if (granted !== undefined && Result.isSuccess(granted)) {
          this.granted(granted.success)
          return Effect.andThen(
            this.log(Effect.logInfo("sign-in renewed"), epoch, granted.success),
            this.renewed(epoch, calls, reopen)
          )
        }
        this.forget()
        const failed = granted === undefined ? {} : { error: granted.failure.message }
        return Effect.andThen(this.log(Effect.logWarning("sign-in not renewed"), epoch, failed), reopen)
      })
    })
  }
}
