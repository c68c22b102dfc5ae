/**
 * Asking dYdX's indexer and a node of its chain over HTTP, each within its
 * deadline. What only asks is asked again as long as there is time, a transaction
 * is written once.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import * as Stream from "effect/Stream"
import * as ExactJson from "../../../codec/ExactJson.ts"
import type { RollingLimit } from "../../../resilience/RollingLimit.ts"
import type { HttpReason } from "../../../transport/HttpError.ts"
import * as HttpPort from "../../../transport/HttpPort.ts"
import * as SlidingPubSub from "../../../value/internal/slidingPubSub.ts"
import * as Monotonic from "../../../value/Monotonic.ts"
import type { Health } from "../../Exchange.ts"
import { askAgain, type Failure, unanswered, unreadable, unsent } from "../../internal/failure.ts"
import type { Sending } from "../../internal/gateway.ts"
import * as Schemas from "./schemas.ts"

type Reader<A> = Schema.Codec<A, unknown>

const read = <A>(schema: Reader<A>, body: string): Result.Result<A, string> => {
  const json = ExactJson.parse(body)
  return json instanceof ExactJson.Malformed
    ? Result.fail(json.message)
    : Result.mapError(SchemaParser.decodeUnknownResult(schema)(json), (issue) => String(issue))
}

const tooLate = unsent("not written by the deadline")

/** How long one answer is waited for to what only asks, before it is asked again. */
const answerMillis = 2_000

/** How soon it is asked again after no connection, and after an answer that asks for patience without saying how much. */
const pauseMillis = { unreachable: 100, busy: 500 }

/** After these nobody has seen anything of a request. */
const hasSeenNothing: ReadonlySet<HttpReason["_tag"]> = new Set([
  "BadHeader",
  "BadUrl",
  "NotResolved",
  "Refused",
  "TlsFailed"
])

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
  private readonly moves: PubSub.PubSub<Health>
  private readonly limit: (url: string) => RollingLimit | undefined
  private state: Health = { _tag: "Idle" }

  constructor(
    { clock, limit, moves, port }: {
      readonly port: HttpPort.HttpPort["Service"]
      readonly clock: Clock.Clock
      readonly moves: PubSub.PubSub<Health>
      /** The limit on what is asked of a URL. */
      readonly limit: (url: string) => RollingLimit | undefined
    }
  ) {
    this.port = port
    this.limit = limit
    this.clock = clock
    this.moves = moves
  }

  now(): number {
    return Monotonic.nowMillis(this.clock)
  }

  wallMillis(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  get health(): { readonly current: Effect.Effect<Health>; readonly changes: Stream.Stream<Health> } {
    return {
      current: Effect.sync(() => this.state),
      changes: Stream.unwrap(
        Effect.map(
          PubSub.subscribe(this.moves),
          (subscription) => Stream.concat(Stream.make(this.state), Stream.fromSubscription(subscription))
        )
      )
    }
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
        this.move({ _tag: "Down", reason: reason.message })
        return hasSeenNothing.has(reason._tag) ? unsent(reason.message) : unanswered(reason.message)
      }),
      Effect.flatMap((answer): Effect.Effect<string, Failure> => {
        const { body, headers, status } = answer
        this.move({ _tag: "Live" })
        if (status >= 200 && status < 300) return Effect.succeed(body)
        const refused = refusal(answer)
        const retryAfterMillis = HttpPort.retryAfterMillis(headers, this.wallMillis()) ?? pauseMillis.busy
        if (status === 429) return Effect.fail({ ...refused, retryAfterMillis })
        // A redirect is not followed, and may come of what was taken.
        if (status < 500 && (status >= 400 || request.method === "GET")) return Effect.fail(refused)
        return Effect.fail(
          request.method === "GET" ? { ...refused, retryAfterMillis } : unanswered(`answered with ${status}`)
        )
      })
    )
  }

  private move(state: Health): void {
    const isSame = state._tag === this.state._tag
    this.state = state
    if (!isSame) SlidingPubSub.publishUnsafe(this.moves, state)
  }
}
