/**
 * HTTP over undici, by Effect's own client: `HttpPort` on Node.
 *
 * A module of its own, which the package's entry point leaves out: a program
 * that asks nothing over HTTP loads no client.
 *
 * **Example** (a feed whose books have their snapshots from the venue's REST)
 *
 * ```ts
 * import * as NodeHttp from "@tickline/node/NodeHttp"
 *
 * const NetworkLive = Layer.merge(NodeTransport.layer, NodeHttp.layer)
 * ```
 *
 * @since 0.1.0
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { NotResolved, Refused, TlsFailed, Unreachable } from "@tickline/core/transport/DialError"
import { type HttpReason, Truncated } from "@tickline/core/transport/HttpError"
import * as HttpPort from "@tickline/core/transport/HttpPort"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as DialFailure from "./internal/dialFailure.ts"

const causeOf = ({ reason }: HttpClientError): Error =>
  "cause" in reason && reason.cause instanceof Error ? reason.cause : reason

const detailOf = (cause: Error): string => DialFailure.codeOf(cause) || cause.name

/**
 * Why no answer began. undici keeps connections, and so a reset may come when the request is written: only of a
 * connection that was refused it is certain that the peer has seen nothing.
 */
const reasonOf = (cause: Error, isSecure: boolean): HttpReason => {
  if (DialFailure.codeOf(cause).startsWith("UND_ERR_")) return new Unreachable({ detail: detailOf(cause) })
  const reason = DialFailure.reasonOf(cause, isSecure)
  if (reason instanceof NotResolved || reason instanceof TlsFailed || reason instanceof Unreachable) return reason
  return reason instanceof Refused && !reason.detail.startsWith("ECONNRESET")
    ? reason
    : new Unreachable({ detail: detailOf(cause) })
}

const typeIn = (headers: Readonly<Record<string, string>>): string | undefined =>
  Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type")?.[1]

const sendWith = (client: HttpClient.HttpClient): HttpPort.Send => {
  const scoped = HttpClient.withScope(client)
  return ({ body, headers, method, url }) => {
    const request = HttpClientRequest.make(method)(url, {
      headers,
      // Raw, because any other kind has a type even if none is said.
      ...(body === undefined ? {} : { body: HttpBody.raw(body, { contentType: typeIn(headers) }) })
    })
    return scoped.execute(request).pipe(
      // A span would tell the query, and a header of it would go to the peer.
      Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
      Effect.map((response) => ({
        status: response.status,
        headers: { ...response.headers },
        body: Stream.mapError(
          response.stream,
          (error): HttpReason => new Truncated({ detail: detailOf(causeOf(error)) })
        )
      })),
      Effect.mapError((error) => reasonOf(causeOf(error), url.toLowerCase().startsWith("https:")))
    )
  }
}

/**
 * The port, with connections of its own, which end with the layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpPort.HttpPort> = Layer.effect(
  HttpPort.HttpPort,
  Effect.map(HttpClient.HttpClient, (client) => HttpPort.make(sendWith(client)))
).pipe(Layer.provide(NodeHttpClient.layerUndici))
