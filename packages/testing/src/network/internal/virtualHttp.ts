/** The hosts of the virtual network that answer over HTTP, and the port that asks them. */
import * as Address from "@tickline/core/transport/Address"
import { NotResolved, Refused, Unreachable } from "@tickline/core/transport/DialError"
import { type HttpReason, Truncated } from "@tickline/core/transport/HttpError"
import * as HttpPort from "@tickline/core/transport/HttpPort"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Latency } from "./link.ts"
import type { Timeline } from "./timeline.ts"

/** A request as it arrives, its secrets laid open; the names of its headers are in lower case. */
export type Question = Parameters<HttpPort.Send>[0]

/** What a request meets. */
export type HttpOutcome =
  | { readonly _tag: "Accept" }
  | { readonly _tag: "Refuse" }
  | { readonly _tag: "Unreachable" }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "Reject"; readonly status: number; readonly retryAfterMillis?: number | undefined }
  | { readonly _tag: "Truncate"; readonly afterBytes?: number | undefined }

/** A request that reached a host: when, what was asked for, and what it met. */
export interface HttpArrival {
  readonly at: number
  readonly method: string
  readonly path: string
  readonly outcome: HttpOutcome["_tag"]
}

/** A host that answers over HTTP. */
export interface HttpHost {
  readonly url: string
  readonly requests: ReadonlyArray<HttpArrival>
  /** What the next requests meet, in order; then `otherwise` again. */
  readonly script: (...outcomes: ReadonlyArray<HttpOutcome>) => Effect.Effect<void>
  /** What a request meets when no script is left. Default: `Accept`. */
  readonly otherwise: (outcome: HttpOutcome) => Effect.Effect<void>
  /** The one-way latency of this host in milliseconds, `undefined` for the network's. */
  readonly setLatency: (latency: Latency | undefined) => Effect.Effect<void>
}

/** Answers a request, from the moment at which it arrives on. Where it fails, there is no answer. */
export type Handler = (request: Question) => Effect.Effect<HttpPort.HttpAnswer, HttpReason>

interface MutableHost {
  readonly handler: Handler
  readonly requests: Array<HttpArrival>
  readonly scripted: Array<HttpOutcome>
  otherwise: HttpOutcome
  latency: Latency | undefined
}

/** What the network gives. */
export interface Options extends Timeline {
  readonly network: object
  readonly oneWay: (latency: Latency | undefined) => number
  readonly note: (event: string, detail: Record<string, string | number>) => void
}

const encoder = new TextEncoder()

const lowerCased = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const pathOf = (url: string): string => /^\w+:\/\/[^/?]*(.*)$/.exec(url)?.[1] ?? ""

/** The hosts of a network, none yet. */
export const make = ({ network, note, now, oneWay, schedule }: Options): {
  readonly port: HttpPort.HttpPort["Service"]
  readonly serve: (url: string, handler: Handler) => Effect.Effect<HttpHost>
} => {
  const hosts = new Map<string, MutableHost>()

  // On the network's timeline, so that what is sent over a socket and over HTTP at once arrives in that order.
  const travel = (host: MutableHost): Effect.Effect<void> =>
    Effect.suspend(() => {
      const millis = oneWay(host.latency)
      return millis > 0 ? Effect.callback<void>((resume) => schedule(millis, () => resume(Effect.void))) : Effect.void
    })

  const send: HttpPort.Send = Effect.fnUntraced(function*(request) {
    const origin = Address.origin(request.url)
    const host = hosts.get(origin)
    if (host === undefined) {
      return yield* new NotResolved({ detail: `no host ${origin} answers over HTTP in the virtual network` })
    }
    const outcome = host.scripted.shift() ?? host.otherwise
    const path = pathOf(request.url)
    host.requests.push({ at: now(), method: request.method, path, outcome: outcome._tag })
    note("request", { host: origin, method: request.method, path, outcome: outcome._tag })
    if (outcome._tag === "Hang") return yield* Effect.never
    yield* travel(host)
    if (outcome._tag === "Refuse" || outcome._tag === "Unreachable") {
      yield* travel(host)
      return yield* outcome._tag === "Refuse"
        ? new Refused({ detail: "scripted" })
        : new Unreachable({ detail: "scripted" })
    }
    if (outcome._tag === "Reject") {
      yield* travel(host)
      const { retryAfterMillis } = outcome
      return {
        status: outcome.status,
        headers: retryAfterMillis === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterMillis / 1_000)) },
        body: Stream.empty
      }
    }
    const handled = yield* Effect.result(host.handler({ ...request, headers: lowerCased(request.headers) }))
    yield* travel(host)
    const { body, headers, status } = yield* Effect.fromResult(handled)
    const bytes = encoder.encode(body)
    return {
      status,
      headers: lowerCased(headers),
      body: outcome._tag === "Accept" ? Stream.make(bytes) : Stream.concat(
        Stream.make(bytes.subarray(0, outcome.afterBytes ?? bytes.length >>> 1)),
        Stream.fail(new Truncated({ detail: "scripted" }))
      )
    }
  })

  const { request } = HttpPort.make(send)
  return {
    port: {
      network,
      // Nothing travels here, so nothing travels in the clear.
      request: (asked) => request({ ...asked, plaintextHosts: [Address.parse(asked.url)?.host ?? ""] })
    },
    serve: (url, handler) =>
      Effect.sync(() => {
        const host: MutableHost = {
          handler,
          requests: [],
          scripted: [],
          otherwise: { _tag: "Accept" },
          latency: undefined
        }
        hosts.set(Address.origin(url), host)
        return {
          url,
          requests: host.requests,
          script: (...outcomes) => Effect.sync(() => void host.scripted.push(...outcomes)),
          otherwise: (outcome) =>
            Effect.sync(() => {
              host.otherwise = outcome
            }),
          setLatency: (latency) =>
            Effect.sync(() => {
              host.latency = latency
            })
        }
      })
  }
}
