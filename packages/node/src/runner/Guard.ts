/**
 * Who is answered by the pages of the runner: who asked for them by a name that
 * is theirs. A page in a browser can make a name of its own resolve to this
 * machine (DNS rebinding) and would read them; the `Host` header gives it away.
 *
 * @since 0.1.0
 */
import { isLoopback } from "@tickline/core/transport/Endpoint"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import { isIP } from "node:net"

/** The host of a `Host` header without its port, brackets and a last dot. */
const hostOf = (header: string): string => {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(header.trim().toLowerCase()) ?? []
  return bracketed ?? plain?.replace(/\.$/, "") ?? ""
}

/**
 * Whether a request is answered, by its `Host` header: a loopback name, the
 * host that is listened on, one of the other names given, or, where more than
 * loopback is listened on, an address, which cannot be rebound. No browser
 * leaves the header out.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isAnswered = (
  header: string | undefined,
  { host, names = [] }: { readonly host: string; readonly names?: ReadonlyArray<string> | undefined }
): boolean => {
  if (header === undefined) return true
  const asked = hostOf(header)
  return isLoopback(asked) || [host, ...names].some((name) => name.toLowerCase() === asked) ||
    (!isLoopback(host) && isIP(asked) !== 0)
}

const refuse = (status: number, text: string, headers: Readonly<Record<string, string>> = {}) =>
  HttpServerResponse.text(`${text}\n`, { status, headers })

/**
 * Answers 421 to a foreign `Host`, and 405 to what is neither GET nor HEAD, but for
 * `posts`: the paths that take POST.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  place: {
    readonly host: string
    readonly names?: ReadonlyArray<string> | undefined
    readonly posts?: ReadonlyArray<string> | undefined
  }
): Layer.Layer<never, never, HttpRouter.HttpRouter> =>
  HttpRouter.middleware(
    (answer) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers, method, url }) =>
        !isAnswered(headers["host"], place)
          ? Effect.succeed(refuse(421, "this page is not served under that name"))
          : method !== "GET" && method !== "HEAD" && !(method === "POST" && place.posts?.includes(url) === true)
          ? Effect.succeed(refuse(405, "GET and HEAD only", { allow: "GET, HEAD" }))
          : answer),
    { global: true }
  )
