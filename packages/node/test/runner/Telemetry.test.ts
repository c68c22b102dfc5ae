/** What `tickline run` exports over OTLP, to a collector on loopback. */
import { assert, describe, it } from "@effect/vitest"
import * as Market from "@tickline/testing/Market"
import * as MockGeneric from "@tickline/testing/MockGeneric"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Fs from "node:fs"
import * as Http from "node:http"
import * as Os from "node:os"
import * as Path from "node:path"
import * as TestHost from "./TestHost.ts"

/** A collector, and what it was sent by path. One that is mute never answers. */
const collector = (isMute: boolean) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly sent: Map<string, string>; readonly server: Http.Server }>(
      (resume) => {
        const sent = new Map<string, string>()
        const server = Http.createServer((request, response) => {
          let body = ""
          request.on("data", (data) => void (body += String(data)))
          request.on("end", () => {
            sent.set(request.url ?? "", (sent.get(request.url ?? "") ?? "") + body)
            if (!isMute) response.end("{}")
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, sent, server }))
        })
      }
    ),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

const run = Effect.fnUntraced(function*(env: Record<string, string>) {
  const venue = MockGeneric.make()
  const mock = yield* MockServer.make({ venue, rate: 100, seed: 7, products: Market.listedBy(venue) })
  const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))
  const config = Path.join(folder, "tickline.toml")
  Fs.writeFileSync(config, `[venues.generic]\nurl = "${mock.url}"\nproducts = ["ETH-USD"]\n`)
  yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(folder, { recursive: true })))
  const world = TestHost.make({ env })
  const fiber = yield* Effect.forkChild(TestHost.run(world, "run", "--config", config))
  return { world, fiber }
})

describe("tickline run", { timeout: 20_000 }, () => {
  it.live("exports its metrics, spans and log to the endpoint of the environment, the last of them at its end", () =>
    Effect.gen(function*() {
      const { sent, url } = yield* collector(false)
      const { fiber, world } = yield* run({
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json"
      })
      yield* world.printed(/"PriceUpdate"/)
      yield* world.send("SIGTERM")
      assert.strictEqual(yield* Effect.timeout(Fiber.join(fiber), "2 seconds"), 0)
      assert.include(sent.get("/v1/metrics"), "tickline_frames_total")
      assert.include(sent.get("/v1/traces"), "Connection.dial")
      assert.include(sent.get("/v1/traces"), "Connection.close")
      assert.match(sent.get("/v1/logs") ?? "", /"connected"/)
      assert.include(sent.get("/v1/logs"), "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"tickline\"}}")
      // The log is on stderr all the same.
      assert.match(world.stderr(), /connected/)
    }))

  it.live("ends within two seconds where its collector does not answer", () =>
    Effect.gen(function*() {
      const { url } = yield* collector(true)
      const { fiber, world } = yield* run({ OTEL_EXPORTER_OTLP_ENDPOINT: url })
      yield* world.printed(/"PriceUpdate"/)
      yield* world.send("SIGTERM")
      assert.strictEqual(yield* Effect.timeout(Fiber.join(fiber), "2 seconds"), 0)
    }))

  it.live("says which variable is wrong, and shows none that may hold a secret", () =>
    Effect.gen(function*() {
      for (
        const [env, text] of [
          [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "s3cret" }, /OTEL_EXPORTER_OTLP_TRACES_ENDPOINT in the environment: /],
          [
            { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
            /OTEL_EXPORTER_OTLP_PROTOCOL "grpc" in the environment: expected http\/json or http\/protobuf/
          ],
          [
            { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_TIMEOUT: "soon" },
            /OTEL_\* in the environment: /
          ]
        ] as const
      ) {
        const { fiber, world } = yield* run(env)
        assert.strictEqual(yield* Fiber.join(fiber), 2)
        assert.match(world.stderr(), text)
        assert.notInclude(world.stderr(), "s3cret")
      }
    }))
})
