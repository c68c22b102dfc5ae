/**
 * A connection's policy from a TOML file and from the environment, and what is
 * said of a value that cannot be read.
 *
 * Run: npx -y pnpm@12 exec node examples/config.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { type ConnectionPolicy, PolicyConfig } from "@tickline/core"
import { ConfigProvider, Console, Duration, Effect } from "effect"
import * as Fs from "node:fs"

const shown = ({ backoff, circuit, retry }: ConnectionPolicy.ConnectionPolicy) =>
  [
    `${Duration.format(backoff.base)} × ${backoff.factor} up to ${Duration.format(backoff.cap)}`,
    `jitter ${backoff.jitter}`,
    `${retry.maxRetries} retries`,
    circuit === "none"
      ? "no breaker"
      : `breaker at ${circuit.failureThreshold} failures for ${Duration.format(circuit.openDuration)}`
  ].join(", ")

const program = Effect.gen(function*() {
  const deployed = yield* PolicyConfig.fromToml(Fs.readFileSync("deploy/config.prod.toml", "utf8"))
  yield* Console.log(`deploy/config.prod.toml: ${shown(deployed)}`)

  const overridden = yield* PolicyConfig.fromToml(`
    [reconnection]
    preset = "fast"
    max_retries = "unlimited"
    jitter = "full"
  `)
  yield* Console.log(`fast, with two keys changed: ${shown(overridden)}`)

  // Variables win over the file: TICKLINE_RECONNECTION_MAX_DELAY=30s in a shell.
  const variables = ConfigProvider.fromEnvRecord({ TICKLINE_RECONNECTION_MAX_DELAY: "30s" })
  const both = yield* PolicyConfig.configOver(deployed).parse(PolicyConfig.environment(variables))
  yield* Console.log(`with TICKLINE_RECONNECTION_MAX_DELAY=30s: ${shown(both)}`)

  for (const line of ["max_delay_ms = -1", "jitter = \"some\"", "initial_delay = \"2m\""]) {
    yield* PolicyConfig.fromToml(`[reconnection]\n${line}`).pipe(
      Effect.flip,
      Effect.flatMap((error) => Console.log(`${line}: ${error.message}`))
    )
  }
})

NodeRuntime.runMain(program)
