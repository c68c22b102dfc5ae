/**
 * `/metrics` for Prometheus.
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import * as Guard from "./Guard.ts"
import { UsageError } from "./RunnerError.ts"

/**
 * Where pages are served, and what is named where that cannot be.
 *
 * @category models
 * @since 0.1.0
 */
export interface Place {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** The flag or key that the port came from. */
  readonly key: string
  /** Other names under which they are asked for. */
  readonly names?: ReadonlyArray<string> | undefined
  /** Paths that take POST. */
  readonly posts?: ReadonlyArray<string> | undefined
}

/** What asks for a page is small and quick; what is neither is cut. */
const createBoundedServer = () => {
  const server = createServer({
    maxHeaderSize: 8_192,
    headersTimeout: 5_000,
    requestTimeout: 10_000,
    keepAliveTimeout: 5_000,
    connectionsCheckingInterval: 1_000
  })
  server.maxConnections = 64
  return server
}

/**
 * Serves the metrics of the process at `/metrics`, and other pages beside it, until the scope ends; gives the URL of `/metrics`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const serve = Effect.fnUntraced(function*(
  { host, key, names, port, posts }: Place,
  others: Layer.Layer<never, never, HttpRouter.HttpRouter> = Layer.empty
): Effect.fn.Return<string, UsageError, Scope.Scope> {
  const pages = Layer.mergeAll(PrometheusMetrics.layerHttp(), others, Guard.layer({ host, names, posts }))
  const server = HttpRouter.serve(pages, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createBoundedServer, { port, host }))
  )
  const context = yield* Effect.mapError(
    Layer.build(server),
    () => new UsageError({ key, value: String(port), expected: `a port of ${host} that is free` })
  )
  return yield* HttpServer.addressFormattedWith((address) => Effect.succeed(`${address}/metrics`)).pipe(
    Effect.provideContext(context)
  )
})
