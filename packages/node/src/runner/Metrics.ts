/**
 * `/metrics` for Prometheus, on loopback.
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import { UsageError } from "./RunnerError.ts"

/**
 * Serves `/metrics` on a port of 127.0.0.1 until the scope ends; gives the URL.
 *
 * @category constructors
 * @since 0.1.0
 */
export const serve = Effect.fnUntraced(function*(
  port: number,
  breakers: ReadonlyArray<CircuitBreaker.Breaker>
): Effect.fn.Return<string, UsageError, Scope.Scope> {
  const page = Effect.gen(function*() {
    const metrics = yield* PrometheusMetrics.format()
    const circuits = yield* Effect.forEach(breakers, (breaker) => breaker.metrics)
    return HttpServerResponse.text(`${metrics}${metrics === "" ? "" : "\n"}${CircuitBreaker.toPrometheus(circuits)}`, {
      contentType: "text/plain; version=0.0.4; charset=utf-8"
    })
  })
  const server = HttpRouter.serve(HttpRouter.add("GET", "/metrics", page), {
    disableLogger: true,
    disableListenLog: true
  }).pipe(Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { port, host: "127.0.0.1" })))
  const context = yield* Effect.mapError(
    Layer.build(server),
    () => new UsageError({ key: "--metrics-port", value: String(port), expected: "a port that is free" })
  )
  return yield* HttpServer.addressFormattedWith((address) => Effect.succeed(`${address}/metrics`)).pipe(
    Effect.provideContext(context)
  )
})
