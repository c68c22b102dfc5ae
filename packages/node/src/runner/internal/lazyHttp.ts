/** The port for HTTP, which is loaded when something is asked: most runs ask for nothing. */
import { HttpPort } from "@tickline/core/transport/HttpPort"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export const layer: Layer.Layer<HttpPort> = Layer.effect(
  HttpPort,
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const loaded = yield* Effect.cached(
      Effect.promise(() => import("../../NodeHttp.ts")).pipe(
        Effect.flatMap(({ layer }) => Layer.buildWithScope(layer, scope)),
        Effect.map((context) => Context.get(context, HttpPort))
      )
    )
    return { request: (request) => Effect.flatMap(loaded, (port) => port.request(request)) }
  })
)
