/**
 * Requests to Coinbase Advanced Trade over REST: signed, each within its deadline
 * and the account's limit. What only asks is asked again as long as there is time,
 * what changes something is written once.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/rest-api (read 2026-11-26)
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { RollingLimit } from "../../../resilience/RollingLimit.ts"
import type { CoinbaseJwt } from "../../../session/CoinbaseJwt.ts"
import type { HttpError, HttpReason } from "../../../transport/HttpError.ts"
import type * as HttpPort from "../../../transport/HttpPort.ts"
import * as RetryAfter from "../../../transport/RetryAfter.ts"
import * as Monotonic from "../../../value/Monotonic.ts"
import type { Exchange } from "../../Exchange.ts"
import { askAgain, type Failure, unanswered, unreadable, unsent, writeOnce } from "../../internal/failure.ts"
import type { Sending } from "../../internal/gateway.ts"
import { hasSeenNothing, pauseMillis, type Reach, read, type Reader } from "../../internal/httpAsking.ts"
import * as Schemas from "./schemas.ts"

/** Where the venue's own paths begin. */
const prefix = "/api/v3/brokerage"

/** How long one answer is waited for to what only asks, before it is asked again: so long, or a third of what is left. */
const answerMillis = 2_000

/**
 * A parameter of a query: one that is a list has several values.
 *
 * @category models
 * @since 0.1.0
 */
export type Query = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

const queryOf = (query: Query): string => {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (value === undefined ? [] : [value].flat()).map((each) => `${name}=${encodeURIComponent(each)}`)
  )
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`
}

/** The longest words, without any form, that are repeated. */
const mostWords = 200

// What is no JSON may be a word of a gateway's, or a page of it.
const plainly = (body: string): typeof Schemas.Fault.Type => {
  const message = body.trim()
  return message.startsWith("<") || message.length > mostWords ? {} : { message }
}

/** What the venue says went wrong, in its words and with its code. */
const refusal = ({ body, status }: HttpPort.HttpAnswer): Extract<Failure, { readonly _tag: "Refused" }> => {
  const fault = Result.getOrElse(read(Schemas.Fault, body), () => plainly(body))
  const [first] = fault.errors ?? []
  const message = Schemas.textOf(fault.message) ?? Schemas.textOf(fault.error_details) ?? Schemas.textOf(first?.message)
  const code = Schemas.textOf(fault.error) ?? Schemas.textOf(first?.id) ?? String(status)
  return {
    _tag: "Refused",
    reason: message ?? `the exchange answered ${status}`,
    code,
    ...(message === undefined ? {} : { message })
  }
}

/** These are so whenever it is tried. */
const cannotBe: ReadonlySet<HttpReason["_tag"]> = new Set(["BadHeader", "BadUrl"])

const tooLate = "not written by the deadline"

interface Ask {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly query?: Query | undefined
  readonly body?: string | undefined
}

/**
 * What requests are made with. `base` is the URL before the venue's own paths.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly http: HttpPort.HttpPort["Service"]
  readonly base: string
  readonly jwt: CoinbaseJwt
  readonly limit: RollingLimit
  readonly clock: Clock.Clock
  readonly plaintextHosts?: ReadonlyArray<string> | undefined
  /** Called once the key is refused, with the reason. */
  readonly onRefused: (reason: string) => void
}

/**
 * The requests of one key. Times are on the monotonic clock, in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export class Rest {
  // Private to the runtime as well: an inspection would show the tokens' maker.
  readonly #options: Options
  private readonly reach: Reach
  private refused: string | undefined

  constructor(options: Options, reach: Reach) {
    this.#options = options
    this.reach = reach
  }

  now(): number {
    return Monotonic.nowMillis(this.#options.clock)
  }

  wallMillis(): number {
    return this.#options.clock.currentTimeMillisUnsafe()
  }

  /** Why nothing can be asked any more: the key was refused. */
  get over(): string | undefined {
    return this.refused
  }

  get health(): Exchange["Service"]["health"] {
    return this.reach.health
  }

  /** Asks, again where there was no answer or the venue asks for patience. */
  get<A>(schema: Reader<A>, path: string, query: Query, until: number): Effect.Effect<A, Failure> {
    return askAgain(this.ask({ method: "GET", path, query }, schema, { until }), { now: () => this.now(), until })
  }

  /** Writes once: again only what never left. */
  post<A>(schema: Reader<A>, path: string, body: object, sending: Sending): Effect.Effect<A, Failure> {
    return writeOnce(this.ask({ method: "POST", path, body: JSON.stringify(body) }, schema, sending), {
      now: () => this.now(),
      until: sending.until
    })
  }

  private ask<A>(ask: Ask, schema: Reader<A>, sending: Sending): Effect.Effect<A, Failure> {
    return Effect.suspend(() => {
      if (this.refused !== undefined) return Effect.fail(unsent(this.refused))
      let isWritten = false
      const onWrite = (): void => {
        isWritten = true
        sending.onWrite?.()
      }
      const sent = Effect.suspend(() =>
        this.now() >= sending.until ? Effect.fail(unsent(tooLate)) : this.send(ask, sending.until, onWrite).pipe(
          Effect.matchEffect({
            onFailure: (error) => {
              isWritten = !hasSeenNothing.has(error.reason._tag)
              return this.unreached(error, ask)
            },
            onSuccess: (answer) => this.answered(answer, ask, schema)
          })
        )
      )
      return Effect.andThen(this.admitted(ask), sent).pipe(
        // Here for all that it may wait for.
        Effect.timeoutOrElse({
          duration: Math.max(0, sending.until - this.now()),
          orElse: () => Effect.fail(isWritten ? unanswered("no answer by the deadline") : unsent(tooLate))
        })
      )
    })
  }

  /** Waits until the limit admits it: what changes something before what only asks. */
  private admitted(ask: Ask): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { limit } = this.#options
      const spares = ask.method === "GET"
      const wait = limit.take(this.now(), 1, spares)
      return wait === 0 ? Effect.void : Effect.andThen(limit.wait(wait, 1, spares), this.admitted(ask))
    })
  }

  private send(
    { body, method, path, query = {} }: Ask,
    until: number,
    onWrite: () => void
  ): Effect.Effect<HttpPort.HttpAnswer, HttpError> {
    const { base, http, jwt, plaintextHosts } = this.#options
    const left = Math.max(0, until - this.now())
    onWrite()
    return http.request({
      method,
      url: `${base}${prefix}${path}${queryOf(query)}`,
      // It has the ids of orders, which are as long as keys.
      urlIsPublic: true,
      headers: {
        authorization: jwt.bearer(method, `${prefix}${path}`),
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" })
      },
      ...(body === undefined ? {} : { body }),
      // What is written has all the time there is, and a little more so that the deadline is kept in one place.
      deadline: body === undefined ? Math.min(left, Math.max(answerMillis, left / 3)) : left + 1_000,
      ...(plaintextHosts === undefined ? {} : { plaintextHosts })
    })
  }

  // Only of some it is certain that the venue has seen nothing.
  private unreached({ reason }: HttpError, { method }: Ask): Effect.Effect<never, Failure> {
    this.reach.move({ _tag: "Down", reason: reason.message })
    const later = (failure: Failure) => Effect.delay(Effect.fail(failure), pauseMillis.unreachable)
    if (hasSeenNothing.has(reason._tag)) return later(unsent(reason.message, !cannotBe.has(reason._tag)))
    return method === "GET" ? later(unanswered(reason.message, true)) : Effect.fail(unanswered(reason.message))
  }

  private answered<A>(
    answer: HttpPort.HttpAnswer,
    { method, path }: Ask,
    schema: Reader<A>
  ): Effect.Effect<A, Failure> {
    const { headers, status } = answer
    const refused = refusal(answer)
    if (status === 401) {
      this.refused = `the exchange refuses the key: ${refused.reason}`
      this.reach.move({ _tag: "Stopped", reason: this.refused })
      this.#options.onRefused(this.refused)
      return Effect.fail(unsent(this.refused))
    }
    this.reach.move({ _tag: "Live" })
    if (status >= 200 && status < 300) {
      return Effect.mapError(
        Effect.fromResult(read(schema, answer.body)),
        (detail) => unreadable(`the answer to ${method} ${prefix}${path} cannot be read: ${detail}`)
      )
    }
    const retryAfterMillis = RetryAfter.millisOf(headers, this.wallMillis()) ?? pauseMillis.busy
    if (status === 429) {
      const reason = `too many requests: ${refused.reason}`
      return Effect.fail({ ...refused, reason, code: "429", retryAfterMillis })
    }
    // A redirect is not followed, and may come of what was taken.
    if (status < 500 && (status >= 400 || method === "GET")) return Effect.fail(refused)
    const reason = `the exchange answered ${status}`
    return Effect.fail(
      method === "GET" ? { ...refused, reason, code: String(status), retryAfterMillis } : unanswered(reason)
    )
  }
}
