/**
 * Asking dYdX's indexer and a node of its chain over HTTP, each within its
 * deadline. What only asks is asked again as long as there is time, a transaction
 * is written once.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { RollingLimit } from "../../../resilience/RollingLimit.ts"
import type * as HttpPort from "../../../transport/HttpPort.ts"
import * as RetryAfter from "../../../transport/RetryAfter.ts"
import * as Monotonic from "../../../value/Monotonic.ts"
import type { Exchange } from "../../Exchange.ts"
import { askAgain, type Failure, unanswered, unreadable, unsent } from "../../internal/failure.ts"
import type { Sending } from "../../internal/gateway.ts"
import { hasSeenNothing, pauseMillis, type Reach, read, type Reader } from "../../internal/httpAsking.ts"
import * as Schemas from "./schemas.ts"

const tooLate = unsent("not written by the deadline")

/** How long one answer is waited for to what only asks, before it is asked again. */
const answerMillis = 2_000

const refusal = ({ body, status }: HttpPort.HttpAnswer): Extract<Failure, { readonly _tag: "Refused" }> => {
  const fault = Result.getOrElse(read(Schemas.Fault, body), (): typeof Schemas.Fault.Type => ({}))
  const reason = fault.errors?.[0]?.msg ?? fault.message ?? `answered with ${status}`
  return { _tag: "Refused", reason, code: String(status) }
}

/**
 * What is asked over HTTP. Times are on the monotonic clock, in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export class Asking {
  private readonly port: HttpPort.HttpPort["Service"]
  private readonly clock: Clock.Clock
  private readonly reach: Reach
  private readonly limit: (url: string) => RollingLimit | undefined

  constructor(
    { clock, limit, port, reach }: {
      readonly port: HttpPort.HttpPort["Service"]
      readonly clock: Clock.Clock
      readonly reach: Reach
      /** The limit on what is asked of a URL. */
      readonly limit: (url: string) => RollingLimit | undefined
    }
  ) {
    this.port = port
    this.limit = limit
    this.clock = clock
    this.reach = reach
  }

  now(): number {
    return Monotonic.nowMillis(this.clock)
  }

  wallMillis(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  get health(): Exchange["Service"]["health"] {
    return this.reach.health
  }

  /** Asks, again where there was no answer or patience is asked for. */
  get<A>(schema: Reader<A>, url: string, until: number): Effect.Effect<A, Failure> {
    if (this.now() >= until) return Effect.fail(tooLate)
    const ask = Effect.andThen(
      this.admitted(url),
      Effect.suspend(() => this.answer({ method: "GET", url }, Math.min(until - this.now(), answerMillis)))
    )
    const again = Effect.catch(ask, (failure): Effect.Effect<never, Failure> =>
      failure._tag === "Refused"
        ? Effect.fail(failure)
        : Effect.delay(Effect.fail<Failure>({ ...failure, mayFollow: true }), pauseMillis.unreachable))
    return askAgain(again, { now: () => this.now(), until }).pipe(
      Effect.flatMap((body) => this.understood(schema, url, body)),
      // Whatever it waits for.
      Effect.timeoutOrElse({
        duration: Math.max(0, until - this.now()),
        orElse: () => Effect.fail(unanswered("no answer by the deadline"))
      })
    )
  }

  /** Writes once. */
  post<A>(schema: Reader<A>, url: string, body: object, { onWrite, until }: Sending): Effect.Effect<A, Failure> {
    return Effect.suspend(() => {
      const left = until - this.now()
      if (left <= 0) return Effect.fail(tooLate)
      onWrite?.()
      return this.answer({ method: "POST", url, body: JSON.stringify(body) }, left).pipe(
        Effect.flatMap((body) => this.understood(schema, url, body)),
        Effect.timeoutOrElse({
          duration: left,
          orElse: () => Effect.fail(unanswered("no answer by the deadline"))
        })
      )
    })
  }

  /** Waits until the limit admits it. */
  private admitted(url: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      const limit = this.limit(url)
      const wait = limit?.take(this.now(), 1) ?? 0
      return limit === undefined || wait === 0 ? Effect.void : Effect.andThen(limit.wait(wait, 1), this.admitted(url))
    })
  }

  private understood<A>(schema: Reader<A>, url: string, body: string): Effect.Effect<A, Failure> {
    return Effect.mapError(
      Effect.fromResult(read(schema, body)),
      (detail) => unreadable(`the answer of ${url} cannot be read: ${detail}`)
    )
  }

  private answer(
    request: Pick<HttpPort.HttpRequest, "method" | "url" | "body">,
    deadline: number
  ): Effect.Effect<string, Failure> {
    return this.port.request({
      ...request,
      // It has the ids of orders, which are as long as keys.
      urlIsPublic: true,
      headers: {
        accept: "application/json",
        ...(request.body === undefined ? {} : { "content-type": "application/json" })
      },
      // A little more, so that the deadline is kept in one place.
      deadline: Math.max(1, deadline) + (request.method === "POST" ? 1_000 : 0)
    }).pipe(
      Effect.mapError(({ reason }): Failure => {
        this.reach.move({ _tag: "Down", reason: reason.message })
        return hasSeenNothing.has(reason._tag) ? unsent(reason.message) : unanswered(reason.message)
      }),
      Effect.flatMap((answer): Effect.Effect<string, Failure> => {
        const { body, headers, status } = answer
        this.reach.move({ _tag: "Live" })
        if (status >= 200 && status < 300) return Effect.succeed(body)
        const refused = refusal(answer)
        const retryAfterMillis = RetryAfter.millisOf(headers, this.wallMillis()) ?? pauseMillis.busy
        if (status === 429) return Effect.fail({ ...refused, retryAfterMillis })
        // A redirect is not followed, and may come of what was taken.
        if (status < 500 && (status >= 400 || request.method === "GET")) return Effect.fail(refused)
        return Effect.fail(
          request.method === "GET" ? { ...refused, retryAfterMillis } : unanswered(`answered with ${status}`)
        )
      })
    )
  }
}
