/**
 * Metrics, traces and the log over OTLP, for whoever names an endpoint in the
 * environment, by OpenTelemetry's own variables.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Host } from "./Host.ts"
import { UsageError } from "./RunnerError.ts"

const endpoint = /^OTEL_EXPORTER_OTLP_(?:(?:LOGS|METRICS|TRACES)_)?ENDPOINT$/
const environment = "the environment"
const protocol = "OTEL_EXPORTER_OTLP_PROTOCOL"

// What OpenTelemetry says where a variable is not set; a run has ended within two seconds, whatever its collector does.
const defaults = {
  OTEL_SERVICE_NAME: "tickline",
  OTEL_LOGS_EXPORTER: "otlp",
  OTEL_METRICS_EXPORTER: "otlp",
  OTEL_TRACES_EXPORTER: "otlp",
  OTEL_EXPORTER_OTLP_TIMEOUT: "1000",
  [protocol]: "http/protobuf"
}

const build = Effect.fnUntraced(function*(env: Readonly<Record<string, string>>) {
  const { Otlp, OtlpSerialization, layerUndici } = yield* Effect.promise(async () => ({
    Otlp: await import("effect/observability/Otlp"),
    OtlpSerialization: await import("effect/observability/OtlpSerialization"),
    layerUndici: (await import("@effect/platform-node/NodeHttpClient")).layerUndici
  }))
  const written = { "http/json": OtlpSerialization.layerJson, "http/protobuf": OtlpSerialization.layerProtobuf }
  const form = Object.entries(written).find(([name]) => name === env[protocol])
  if (form === undefined) {
    return yield* new UsageError({
      key: protocol,
      value: env[protocol] ?? "",
      expected: Object.keys(written).join(" or "),
      source: environment
    })
  }
  const exporters = Layer.provide(Otlp.layerFromConfig(), Layer.merge(form[1], layerUndici))
  return yield* Layer.build(exporters).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env })),
    Effect.catchDefect((defect) =>
      defect instanceof Config.ConfigError
        ? new UsageError({
          key: "OTEL_*",
          expected: `what OpenTelemetry takes (${defect.message})`,
          source: environment
        })
        : Effect.die(defect)
    )
  )
})

/**
 * Exports over OTLP where an `OTEL_EXPORTER_OTLP_ENDPOINT` is set, or one of a
 * single signal; nothing, and no exporter is loaded, where none is.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<never, UsageError, Host> = Layer.effectContext(
  Effect.flatMap(Host, ({ env }) => {
    const set = Object.fromEntries(Object.entries(env).flatMap(([name, value]) => value ? [[name, value]] : []))
    const bad = Object.keys(set).find((name) => endpoint.test(name) && !URL.canParse(set[name] ?? ""))
    // What is named may hold a password, and is not shown.
    if (bad !== undefined) return new UsageError({ key: bad, expected: "a URL", source: environment })
    return Object.keys(set).some((name) => endpoint.test(name))
      ? build({ ...defaults, ...set })
      : Effect.succeed(Context.empty())
  })
)
