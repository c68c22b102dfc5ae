/**
 * What is asked of Hyperliquid over HTTP, and what is written to it: over the
 * socket, or over HTTP if there is none, and never over both.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import * as Stream from "effect/Stream"
import * as ExactJson from "../../../codec/ExactJson.ts"
import * as JsonText from "../../../codec/internal/jsonText.ts"
import * as JsonWriter from "../../../codec/internal/jsonWriter.ts"
import type { Connection } from "../../../connection/Connection.ts"
import type * as Requests from "../../../connection/Requests.ts"
import type { RollingLimit } from "../../../resilience/RollingLimit.ts"
import type { DigestSigner } from "../../../session/Signer.ts"
import type * as HttpPort from "../../../transport/HttpPort.ts"
import * as RetryAfter from "../../../transport/RetryAfter.ts"
import * as Monotonic from "../../../value/Monotonic.ts"
import * as Printable from "../../../value/Printable.ts"
import * as Failure from "../../internal/failure.ts"
import type { Sending } from "../../internal/gateway.ts"
import type { NonceStore } from "../../NonceStore.ts"
import * as Signing from "../HyperliquidSigning.ts"
import type { Message } from "./messages.ts"
import type { Value } from "./msgpack.ts"
import * as Wire from "./wire.ts"

const tooLate = Failure.unsent("not written by the deadline")

/** How long the venue is left alone that is in trouble or cannot be reached, and that asks for it without a time. */
const pauseMillis = { trouble: 240, busy: 1_000 }

/** How long a socket on its way is waited for, of what is left, and at most. */
const dialling = { share: 0.4, mostMillis: 2_000 }

/** A request has so much more by itself, so that the deadline is kept in one place. */
const slackMillis = 1_000

/** An account that has used its requests up has one in so long. */
const budgetMillis = 10_000

/**
 * What the calls are made with. `rest` is the address before `/info` and
 * `/exchange`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly rest: string
  readonly network: Signing.Network
  readonly vault: string | undefined
  readonly signer: DigestSigner
  readonly address: string
  readonly port: HttpPort.HttpPort["Service"]
  readonly nonces: NonceStore["Service"]
  readonly connection: Connection<Message>
  readonly requests: Requests.Requests<Message>
  readonly weights: RollingLimit
  readonly clock: Clock.Clock
}

type Answer = typeof Wire.ActionAnswer.Type

/**
 * What became of each part of an action.
 *
 * @category models
 * @since 0.1.0
 */
export type Statuses = ReadonlyArray<typeof Wire.Status.Type>

const readAnswer = SchemaParser.decodeUnknownResult(Wire.ActionAnswer)

const jsonOf = (value: Value): ExactJson.Json => {
  if (typeof value === "number" || typeof value === "bigint") return new ExactJson.JsonNumber(String(value))
  if (value === undefined || value === null) return null
  if (typeof value !== "object") return value
  if (Array.isArray(value)) return value.map(jsonOf)
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== undefined).map(([name, member]) => [name, jsonOf(member)])
  )
}

/** The words of an answer, which are the venue's or of whoever stands before it. */
const wordsOf = (body: string): string => Printable.cut(body.trim(), 200)

/** What a status other than 200 says of a request that changes something. */
const refusedBy = (status: number, words: string, retryAfter: number | undefined): Failure.Failure => {
  const reason = words === "" ? `status ${status}` : `status ${status}: ${words}`
  if (status >= 500) return Failure.unanswered(reason)
  return {
    _tag: "Refused",
    reason,
    code: String(status),
    message: words,
    ...(status === 429 ? { retryAfterMillis: retryAfter ?? pauseMillis.busy } : {})
  }
}

/** What the venue's own words say. */
const refusedFor = (words: string): Failure.Failure => ({
  ...Failure.refused(words),
  ...(/too many (?:cumulative )?requests/i.test(words) ? { retryAfterMillis: budgetMillis } : {})
})

/** What the answer to an action is: of each of its parts what became of it, or why nothing was done. */
const statusesOf = (payload: unknown): Result.Result<Statuses, Failure.Failure> => {
  const answer: Result.Result<Answer, unknown> = readAnswer(payload)
  if (Result.isFailure(answer)) return Result.fail(Failure.unreadable("the answer cannot be read"))
  const { response, status } = answer.success
  return status === "err" ? Result.fail(refusedFor(response)) : Result.succeed(response.data?.statuses ?? [])
}

const mirrored = /^(\d{3})\b\s*(.*)$/s

/** The answer to what was posted on the socket, where an error is the status and the words of HTTP. */
const posted = (message: Message): Result.Result<Statuses, Failure.Failure> => {
  if (message._tag !== "Answer") return Result.fail(Failure.unreadable("the answer cannot be read"))
  const { kind, payload } = message
  if (kind !== "error") return statusesOf(payload)
  const words = typeof payload === "string" ? payload : JSON.stringify(JsonText.plain(payload))
  const [, status, rest = ""] = mirrored.exec(words) ?? []
  return Result.fail(status === undefined ? refusedFor(words) : refusedBy(Number(status), wordsOf(rest), undefined))
}

/** Whether the venue has seen nothing of a request that ended so; see `HttpError`. */
const unseen = new Set(["Refused", "NotResolved", "TlsFailed", "BadUrl", "BadHeader"])

/** Whether it is worth trying again. */
const passing = new Set(["Refused", "NotResolved", "Unreachable", "Truncated"])

/**
 * The calls of one account. Times are on the monotonic clock, in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export class Calls {
  // Private to the runtime as well: it holds the signer.
  readonly #options: Options
  // How far the venue's clock is ahead of ours at least, as far as its answers say.
  private ahead = 0

  constructor(options: Options) {
    this.#options = options
  }

  get connection(): Connection<Message> {
    return this.#options.connection
  }

  get address(): string {
    return this.#options.address
  }

  now(): number {
    return Monotonic.nowMillis(this.#options.clock)
  }

  /** The venue's time, in epoch milliseconds. */
  wallMillis(): number {
    return this.#options.clock.currentTimeMillisUnsafe() + this.ahead
  }

  /** The venue's time at a moment of the monotonic clock, in whole milliseconds. */
  venueTime(at: number): number {
    return Math.floor(this.wallMillis() + at - this.now())
  }

  /** Asks, again where it could not be reached or asks for patience. */
  info<A>(
    question: ExactJson.JsonObject,
    schema: Schema.Codec<A, unknown>,
    { until, weight }: { readonly until: number; readonly weight: number }
  ): Effect.Effect<A, Failure.Failure> {
    const read = SchemaParser.decodeUnknownResult(schema)
    const body = JsonWriter.write(question)
    const once = Effect.gen({ self: this }, function*(): Effect.fn.Return<A, Failure.Failure> {
      yield* this.admit(weight, until)
      const { status, text, retryAfter } = yield* this.paused(this.post("/info", body, until), until)
      if (status === 200) {
        const json = ExactJson.parse(text)
        const found = json instanceof ExactJson.Malformed ? Result.fail(undefined) : read(json)
        return Result.isSuccess(found)
          ? found.success
          : yield* Effect.fail(Failure.unreadable(`the answer to ${String(question["type"])} cannot be read`))
      }
      if (status === 429 || status === 503) {
        return yield* Effect.fail<Failure.Failure>({
          _tag: "Refused",
          reason: `status ${status}`,
          code: String(status),
          message: wordsOf(text),
          retryAfterMillis: retryAfter ?? (status === 503 ? pauseMillis.trouble : pauseMillis.busy)
        })
      }
      const failure = refusedBy(status, wordsOf(text), undefined)
      const isPassing = failure._tag === "Unanswered"
      return yield* this.paused(Effect.fail(isPassing ? Failure.unanswered(failure.reason, true) : failure), until)
    })
    return Failure.askAgain(once, { now: () => this.now(), until })
  }

  /**
   * Writes an action, once: signed in the turn in which it is written, with a nonce that was never used. The venue takes
   * it until the deadline only.
   */
  write(
    action: Signing.Action,
    { cost = 1, onExpiry, onWrite, priority, until }: Sending & {
      readonly cost?: number | undefined
      readonly priority: "order" | "cancel"
      /** What is called with the time until which the venue takes it, by its clock. */
      readonly onExpiry?: ((expiresAfter: number) => void) | undefined
    }
  ): Effect.Effect<Statuses, Failure.Failure> {
    const { address, network, nonces, signer, vault } = this.#options
    const once = Effect.gen({ self: this }, function*(): Effect.fn.Return<Statuses, Failure.Failure> {
      const isUp = yield* this.isSocketUp(until)
      yield* this.admit(cost, until)
      const nonce = yield* nonces.next(address).pipe(
        Effect.mapError(({ message }) => Failure.unsent(message)),
        // Another process may have the state locked.
        Effect.timeoutOrElse({ duration: Math.max(0, until - this.now()), orElse: () => Effect.fail(tooLate) })
      )
      if (this.now() >= until) return yield* Effect.fail(tooLate)
      const signed = (): ExactJson.JsonObject => {
        const expiresAfter = this.venueTime(until)
        onExpiry?.(expiresAfter)
        const options = { nonce, vault, expiresAfter, network }
        const signature = Signing.signAction(signer, action, options)
        onWrite?.()
        return {
          action: jsonOf(action),
          nonce: new ExactJson.JsonNumber(String(nonce)),
          signature: { ...signature, v: new ExactJson.JsonNumber(String(signature.v)) },
          ...(vault === undefined ? {} : { vaultAddress: vault }),
          expiresAfter: new ExactJson.JsonNumber(String(expiresAfter))
        }
      }
      return yield* isUp ? this.bySocket(signed, priority, until) : this.byHttp(signed, until)
    })
    return Failure.writeOnce(once, { now: () => this.now(), until })
  }

  private bySocket(
    signed: () => ExactJson.JsonObject,
    priority: "order" | "cancel",
    until: number
  ): Effect.Effect<Statuses, Failure.Failure> {
    const { requests } = this.#options
    return Effect.flatMap(requests.nextId, (id) => {
      const left = Math.max(0, until - this.now())
      let isWritten = false
      const make = (): string => {
        const payload = JsonWriter.write(signed())
        isWritten = true
        return `{"method":"post","id":${id},"request":{"type":"action","payload":${payload}}}`
      }
      const timeout = left + slackMillis
      return requests.request(id, make, { priority, timeout, deadline: timeout }).pipe(
        Effect.mapError((error) =>
          error._tag === "OutcomeUnknown"
            ? Failure.unanswered("the connection ended before the answer came")
            : Failure.unsent(error.message, error._tag === "NotSent" && error.reason !== "Closed")
        ),
        Effect.timeoutOrElse({
          duration: left,
          orElse: () =>
            Effect.fail(
              isWritten
                ? Failure.unanswered("no answer by the deadline")
                : tooLate
            )
        }),
        Effect.flatMap((message) => Effect.fromResult(posted(message)))
      )
    })
  }

  private byHttp(signed: () => ExactJson.JsonObject, until: number): Effect.Effect<Statuses, Failure.Failure> {
    return Effect.gen({ self: this }, function*(): Effect.fn.Return<Statuses, Failure.Failure> {
      const { retryAfter, status, text } = yield* this.paused(
        this.post("/exchange", JsonWriter.write(signed()), until),
        until,
        ({ _tag }) => _tag === "Unsent"
      )
      // A redirect is not followed, and may come of what was taken.
      if (status !== 200) {
        return yield* Effect.fail(
          status < 400 ? Failure.unanswered(`status ${status}`) : refusedBy(status, wordsOf(text), retryAfter)
        )
      }
      const json = ExactJson.parse(text)
      return yield* Effect.fromResult(statusesOf(json))
    })
  }

  private post(
    path: string,
    body: string,
    until: number
  ): Effect.Effect<
    { readonly status: number; readonly text: string; readonly retryAfter: number | undefined },
    Failure.Failure
  > {
    const { clock, port, rest } = this.#options
    return Effect.suspend(() => {
      const left = until - this.now()
      if (left <= 0) return Effect.fail(tooLate)
      const sentAt = clock.currentTimeMillisUnsafe()
      return port.request({
        method: "POST",
        url: `${rest}${path}`,
        headers: { "content-type": "application/json" },
        body,
        deadline: left
      }).pipe(
        Effect.map(({ body, headers, status }) => {
          const receivedAt = clock.currentTimeMillisUnsafe()
          this.learnTime(headers["date"], sentAt, receivedAt)
          return { status, text: body, retryAfter: RetryAfter.millisOf(headers, receivedAt) }
        }),
        Effect.catch(({ message, reason: { _tag } }) => {
          const mayFollow = passing.has(_tag)
          return Effect.fail(
            _tag === "DeadlineExceeded"
              ? Failure.unanswered("no answer by the deadline")
              : unseen.has(_tag)
              ? Failure.unsent(message, mayFollow)
              : Failure.unanswered(message, mayFollow)
          )
        })
      )
    })
  }

  /** Leaves a venue alone for a moment that is to be tried again. */
  private paused<A>(
    asked: Effect.Effect<A, Failure.Failure>,
    until: number,
    isTriedAgain: (failure: Failure.Failure) => boolean = () => true
  ): Effect.Effect<A, Failure.Failure> {
    return Effect.catch(asked, (failure) => {
      const isLater = failure._tag !== "Refused" && failure.mayFollow && isTriedAgain(failure)
      const pause = Math.min(pauseMillis.trouble, Math.max(0, until - this.now()))
      return isLater ? Effect.delay(Effect.fail(failure), pause) : Effect.fail(failure)
    })
  }

  /** Waits for the weight of a request, within its deadline. */
  private admit(weight: number, until: number): Effect.Effect<void, Failure.Failure> {
    const { weights } = this.#options
    return Effect.suspend(() => {
      const now = this.now()
      const wait = weights.take(now, weight)
      if (wait === 0) return Effect.void
      if (now + wait >= until) {
        return Effect.fail(Failure.unsent("not written by the deadline: the address has used its weight up"))
      }
      return Effect.andThen(weights.wait(wait, weight), this.admit(weight, until))
    })
  }

  /** Whether the socket is up, or comes up soon. */
  private isSocketUp(until: number): Effect.Effect<boolean> {
    const { state } = this.#options.connection
    return Effect.flatMap(state.current, ({ _tag }) => {
      if (_tag !== "Connecting") return Effect.succeed(_tag === "Connected")
      const patience = Math.min(dialling.mostMillis, dialling.share * Math.max(0, until - this.now()))
      return state.changes.pipe(
        Stream.filter(({ _tag }) => _tag !== "Connecting"),
        Stream.runHead,
        Effect.map((found) => Option.isSome(found) && found.value._tag === "Connected"),
        Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.succeed(false) })
      )
    })
  }

  /** The venue's clock by the `Date` of an answer, which is of whole seconds: the least that fits. */
  private learnTime(date: string | undefined, sentAt: number, receivedAt: number): void {
    const found = date === undefined ? Option.none() : DateTime.make(date)
    if (Option.isNone(found)) return
    const at = DateTime.toEpochMillis(found.value)
    const [least, most] = [at - receivedAt, at + 999 - sentAt]
    this.ahead = least > 0 ? least : most < 0 ? most : 0
  }
}
