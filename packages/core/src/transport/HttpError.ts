/**
 * Why a request over HTTP has no answer. A status is none of these: an answer of
 * 503 is an answer.
 *
 * After `Refused`, `NotResolved`, `TlsFailed`, `BadUrl` and `BadHeader` the peer
 * has seen nothing of the request; after the others it may have done what it was
 * asked for.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Printable from "../value/Printable.ts"
import { BadHeader, BadUrl, NotResolved, Refused, TlsFailed, Unreachable } from "./DialError.ts"

/**
 * The answer was not there, whole, within the deadline, in milliseconds.
 *
 * @category errors
 * @since 0.1.0
 */
export class DeadlineExceeded
  extends Schema.TaggedError<DeadlineExceeded>()("DeadlineExceeded", { afterMillis: Schema.Finite })
{
  override get message(): string {
    return `no answer within ${this.afterMillis} ms`
  }
}

/**
 * The answer's body is longer than so many bytes. The rest was not read.
 *
 * @category errors
 * @since 0.1.0
 */
export class AnswerTooLarge
  extends Schema.TaggedError<AnswerTooLarge>()("AnswerTooLarge", { mostBytes: Schema.Finite })
{
  override get message(): string {
    return `the answer is longer than ${this.mostBytes} bytes`
  }
}

/**
 * The connection ended in the middle of the answer.
 *
 * @category errors
 * @since 0.1.0
 */
export class Truncated extends Schema.TaggedError<Truncated>()("Truncated", { detail: Schema.String }) {
  override get message(): string {
    return `the connection ended in the middle of the answer: ${Printable.escape(this.detail)}`
  }
}

/**
 * Why there is no answer.
 *
 * @category schemas
 * @since 0.1.0
 */
export const HttpReason = Schema.Union([
  Refused,
  NotResolved,
  Unreachable,
  TlsFailed,
  BadUrl,
  BadHeader,
  DeadlineExceeded,
  AnswerTooLarge,
  Truncated
])

/**
 * Why there is no answer.
 *
 * @category models
 * @since 0.1.0
 */
export type HttpReason = typeof HttpReason.Type

/**
 * A request that has no answer. Of the URL only scheme, host, port and path are
 * in `url`, without what in the path is like a key.
 *
 * @category errors
 * @since 0.1.0
 */
export class HttpError extends Schema.TaggedError<HttpError>()("HttpError", {
  url: Schema.String,
  reason: HttpReason
}) {
  override get message(): string {
    return `${this.url}: ${this.reason.message}`
  }
}
