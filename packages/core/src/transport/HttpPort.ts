/**
 * The port through which the house asks over HTTP: one request, one answer.
 *
 * A port never retries, follows no redirect and keeps no limit; all of that
 * belongs to whoever asks. Implementations: `NodeHttp` in `@tickline/node`, and
 * `VirtualNetwork` in `@tickline/testing`. Each gives `make` the one function
 * that sends; checks, bound, deadline and the clearing of secrets are here.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Address from "./Address.ts"
import { AnswerTooLarge, DeadlineExceeded, HttpError, type HttpReason } from "./HttpError.ts"
import { checkHttp } from "./internal/requestChecks.ts"
import * as Secrets from "./Secrets.ts"

/**
 * A request.
 *
 * - `url`: an `http://` or `https://` URL with its query, without user
 *   information and without fragment
 * - `headers`: a `Redacted` value is a secret
 * - `urlIsPublic`: whether nothing in the URL is a secret. Default: what in it is
 *   like a key is taken for one, and masked in the answer; the id of an order may be
 *   as long
 * - `body`: sent as it is, in UTF-8
 * - `mostBytes`: the longest answer that is read (default 16 MiB)
 * - `deadline`: for the whole answer (default 10 seconds)
 * - `plaintextHosts`: hosts, besides loopback, to which a secret may travel over
 *   plain `http://`
 *
 * @category models
 * @since 0.1.0
 */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  readonly url: string
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted<string>>> | undefined
  readonly urlIsPublic?: boolean | undefined
  readonly body?: string | undefined
  readonly mostBytes?: number | undefined
  readonly deadline?: Duration.Input | undefined
  readonly plaintextHosts?: ReadonlyArray<string> | undefined
}

/**
 * An answer, whatever its status. The names of its headers are in lower case.
 * What it repeats of the request's secrets is masked.
 *
 * @category models
 * @since 0.1.0
 */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Asks over HTTP.
 *
 * @category services
 * @since 0.1.0
 */
export class HttpPort extends Context.Service<HttpPort, {
  /**
   * The network whose hosts are asked, by identity: limits per address are shared
   * by all who ask in one. Absent: the one of the process, or of a test.
   */
  readonly network?: object | undefined
  /** Whether the answers are those of a recording: nothing is to be waited for before it is asked. */
  readonly isReplay?: boolean | undefined
  /** Whether a recording whose answers these are has one to such a request. */
  readonly isRecorded?: ((method: HttpRequest["method"], url: string) => boolean) | undefined
  /** Asks, and reads the whole answer. Interrupted, it closes the socket. */
  readonly request: (request: HttpRequest) => Effect.Effect<HttpAnswer, HttpError>
}>()("@tickline/core/transport/HttpPort") {}

/**
 * How an implementation sends a request that was checked, its secrets laid open.
 * The body is read from the stream, which fails if it breaks off; with the
 * scope's end the socket is closed, unless the answer was read to its end.
 *
 * @category models
 * @since 0.1.0
 */
export type Send = (
  request: Pick<HttpRequest, "method" | "url" | "body"> & { readonly headers: Readonly<Record<string, string>> }
) => Effect.Effect<
  Omit<HttpAnswer, "body"> & { readonly body: Stream.Stream<Uint8Array, HttpReason> },
  HttpReason,
  Scope.Scope
>

const defaultMostBytes = 16 * 1024 * 1024

const defaultDeadline = Duration.seconds(10)

/** The text of a body that is at most so long: what is beyond is never read. */
const read = (
  body: Stream.Stream<Uint8Array, HttpReason>,
  mostBytes: number
): Effect.Effect<string, HttpReason> => {
  let bytes = 0
  return body.pipe(
    Stream.mapEffect((chunk) => {
      bytes += chunk.byteLength
      return bytes > mostBytes ? Effect.fail(new AnswerTooLarge({ mostBytes })) : Effect.succeed(chunk)
    }),
    Stream.decodeText,
    Stream.mkString
  )
}

const cleared = (
  { body, headers, status }: HttpAnswer,
  { text }: Secrets.Mask
): HttpAnswer => ({
  status,
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, text(value)])),
  body: text(body)
})

/**
 * Makes a port of the function that sends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (send: Send, network?: object | undefined): HttpPort["Service"] => {
  const answered = Effect.fnUntraced(function*(
    { body, headers: written = {}, method, mostBytes = defaultMostBytes, plaintextHosts = [], url, urlIsPublic }:
      HttpRequest
  ): Effect.fn.Return<HttpAnswer, HttpReason, Scope.Scope> {
    const headers = yield* Effect.fromResult(checkHttp({ url, headers: written, plaintextHosts }))
    const answer = yield* send({ method, url, headers, body })
    const whole = { ...answer, body: yield* read(answer.body, mostBytes) }
    const mask = Secrets.maskOf({ url: urlIsPublic === true ? "" : url, headers: written, protocols: [] })
    return mask === undefined ? whole : cleared(whole, mask)
  }, Effect.scoped)
  return {
    ...(network === undefined ? {} : { network }),
    request: (request) => {
      const deadline = Duration.fromInputUnsafe(request.deadline ?? defaultDeadline)
      return answered(request).pipe(
        Effect.timeoutOrElse({
          duration: deadline,
          orElse: () => Effect.fail(new DeadlineExceeded({ afterMillis: Duration.toMillis(deadline) }))
        }),
        Effect.mapError((reason) => new HttpError({ url: Address.place(request.url), reason }))
      )
    }
  }
}
