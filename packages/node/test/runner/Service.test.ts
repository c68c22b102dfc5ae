import { assert, describe, it } from "@effect/vitest"
import * as Market from "@tickline/testing/Market"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as RedisServer from "../RedisServer.ts"
import * as TestHost from "./TestHost.ts"

const mock = (name: string) =>
  Effect.flatMap(
    Effect.sync(() => MockVenues.byName(name)),
    (venue) =>
      venue === undefined
        ? Effect.die(name)
        : MockServer.make({ venue, rate: 100, seed: 7, products: Market.listedBy(venue) })
  )

const file = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
  ),
  (folder) => {
    const path = Path.join(folder, "tickline.toml")
    return { path, write: (text: string) => Fs.writeFileSync(path, text) }
  }
)

const start = Effect.fnUntraced(function*(text: string, flags: ReadonlyArray<string> = []) {
  const config = yield* file
  config.write(text)
  const world = TestHost.make()
  const fiber = yield* Effect.forkChild(
    TestHost.run(world, "run", "--config", config.path, "--log-format", "json", ...flags)
  )
  const address = (): string => [...world.stderr().matchAll(/http:\/\/127\.0\.0\.1:\d+/g)].at(-1)?.[0] ?? ""
  const get = (page: string) =>
    Effect.promise(async () => {
      const response = await fetch(`${address()}${page}`)
      return { status: response.status, text: await response.text() }
    })
  const ended = Effect.gen(function*() {
    yield* world.send("SIGTERM")
    return yield* Effect.timeout(Fiber.join(fiber), "2 seconds")
  })
  return { config, world, fiber, address, get, ended }
})

const venueOf = (name: string, url: string, products: ReadonlyArray<string>, more = "") =>
  `[venues.${name}]\nurl = "${url}"\nproducts = ${JSON.stringify(products)}\n${more}\n`

const pages = "[http]\nport = 0\n"
const has = (venue: string, product: string) => new RegExp(`"venue":"${venue}","product":"${product}"`)

describe.concurrent("run", { timeout: 20_000 }, () => {
  it.live("streams every venue to stdout, serves its pages, and ends at SIGTERM with 0 within 2 s", () =>
    Effect.gen(function*() {
      const kraken = yield* mock("kraken")
      const generic = yield* mock("generic")
      const service = yield* start(
        pages + venueOf("kraken", kraken.url, ["BTC-USD"], "channels = [\"trade\", \"book\"]") +
          venueOf("generic", generic.url, ["ETH-USD"])
      )
      yield* service.world.printed(/"BookDelta"/)
      yield* service.world.printed(/"PriceUpdate"/)
      const health = yield* service.get("/healthz")
      assert.strictEqual(health.status, 200)
      const { status, venues } = JSON.parse(health.text)
      assert.strictEqual(status, "up")
      assert.deepStrictEqual(venues.map(({ venue }: { venue: string }) => venue), ["kraken", "generic"])
      assert.deepInclude(venues[0], {
        isUp: true,
        state: "Connected",
        epoch: 1,
        subscriptions: { wanted: 0, asked: 0, confirmed: 2, refused: 0 }
      })
      assert.match(venues[0].lastHeardAt, /^\d{4}-.*Z$/)
      assert.isBelow(venues[0].silentMillis, 2_000)
      assert.isTrue(venues[0].freshness.every(({ isDelivering }: { isDelivering: boolean }) => isDelivering))
      const metrics = yield* service.get("/metrics")
      assert.match(metrics.text, /^tickline_frames_total\{connection="kraken"\} \d+$/m)
      assert.match(metrics.text, new RegExp(`^circuit_breaker_state\\{key="${kraken.url}"\\} 0$`, "m"))
      assert.strictEqual((yield* service.get("/nowhere")).status, 404)
      assert.strictEqual(yield* service.ended, 0)
      assert.match(service.world.stderr(), /2 epochs, 0 drops, 0 gaps/)
      for (const server of [kraken, generic]) {
        assert.deepInclude(server.entries().at(-1), { _tag: "Closed", code: 1000 })
      }
    }))

  it.live.skipIf(!RedisServer.isInstalled)(
    "shares its limits over Redis where the file says so, and says when it cannot",
    () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make
        const exchange = yield* mock("coinbase-exchange")
        const service = yield* start(
          `${pages}[limits]\nredis = "${Redacted.value(redis.url)}"\n${
            venueOf("coinbase-exchange", exchange.url, ["BTC-USD"])
          }`
        )
        yield* service.world.said(/nothing that is limited is sent/)
        assert.match((yield* service.get("/metrics")).text, /^tickline_governor_available 0$/m)
        const away = JSON.parse((yield* service.get("/healthz")).text).governor
        assert.strictEqual(away.state, "Unavailable")
        assert.match(away.reason, /ECONNREFUSED/)
        // Not even dialled.
        assert.deepStrictEqual(exchange.entries(), [])
        yield* redis.start
        yield* service.world.said(/what was spent before is waited out/)
        yield* service.world.printed(/"Trade"/)
        const { text } = yield* service.get("/metrics")
        assert.match(text, /^tickline_governor_available 1$/m)
        const { governor } = JSON.parse((yield* service.get("/healthz")).text)
        assert.deepStrictEqual([governor.state, Object.keys(governor)], ["Available", ["state", "since"]])
        assert.match(text, /^tickline_governor_admissions_total [1-9]/m)
        assert.strictEqual(yield* service.ended, 0)
      })
  )

  it.live("healthz is 503 while a venue is down, or has refused what was asked", () =>
    Effect.gen(function*() {
      const kraken = yield* mock("kraken")
      const service = yield* start(
        pages + venueOf("kraken", kraken.url, ["BTC/USD", "NO/SUCH"]) +
          venueOf("generic", "ws://127.0.0.1:1", ["ETH-USD"])
      )
      yield* service.world.printed(/"Trade"/)
      yield* service.world.said(/"subscription refused"/)
      const health = yield* service.get("/healthz")
      assert.strictEqual(health.status, 503)
      const { venues } = JSON.parse(health.text)
      assert.deepInclude(venues[0], { isUp: false, state: "Connected" })
      assert.deepInclude(venues[0].subscriptions, { confirmed: 1, refused: 1 })
      assert.include(["Connecting", "Reconnecting"], venues[1].state)
      assert.strictEqual(yield* service.ended, 0)
      assert.match(service.world.stderr(), /^kraken refused the subscription to trade of NO\/SUCH: /m)
    }))

  it.live("ends with 1 when everything that it asks for is refused, and names it", () =>
    Effect.gen(function*() {
      const kraken = yield* mock("kraken")
      const dydx = yield* mock("dydx")
      const service = yield* start(
        venueOf("kraken", kraken.url, ["NO/SUCH"]) + venueOf("dydx", dydx.url, ["NONE-USD"])
      )
      assert.strictEqual(yield* Fiber.join(service.fiber), 1)
      for (const name of ["kraken", "dydx"]) {
        assert.match(service.world.stderr(), new RegExp(`tickline: .*${name} refused the subscription to `))
      }
    }))

  it.live("stdout is silent where it is to be", () =>
    Effect.gen(function*() {
      const kraken = yield* mock("kraken")
      const service = yield* start(`[output]\nstdout = "none"\n${pages}${venueOf("kraken", kraken.url, ["BTC/USD"])}`)
      yield* service.world.said(/"connected"/)
      while (kraken.metrics().framesSent < 20) yield* Effect.sleep(20)
      assert.strictEqual(yield* service.ended, 0)
      assert.strictEqual(service.world.stdout(), "")
      assert.match(service.world.stderr(), /^0 events in .*; \d+ events not printed, as configured; 1 epoch/m)
    }))

  it.live("--format pretty prints a line for people an event", () =>
    Effect.gen(function*() {
      const kraken = yield* mock("kraken")
      const service = yield* start(venueOf("kraken", kraken.url, ["BTC/USD"]), ["--format", "pretty"])
      yield* service.world.printed(/^Trade +BTC\/USD +(buy|sell) +\d/m)
      assert.strictEqual(yield* service.ended, 0)
    }))

  it.live("SIGHUP changes what changed and leaves the rest connected; a wrong file changes nothing", () =>
    Effect.gen(function*() {
      const kraken = yield* mock("kraken")
      const generic = yield* mock("generic")
      const exchange = yield* mock("coinbase-exchange")
      const service = yield* start(
        pages + venueOf("kraken", kraken.url, ["BTC/USD"]) + venueOf("generic", generic.url, ["BTC-USD"])
      )
      const { config, world } = service
      const dials = () => [kraken, generic, exchange].map((server) => server.metrics().dials)
      yield* world.printed(has("kraken", "BTC/USD"))
      yield* world.printed(has("generic", "BTC-USD"))

      config.write(pages + venueOf("kraken", kraken.url, ["BTC/USD"], "chanels = [\"trade\"]"))
      yield* world.hangup
      yield* world.said(/not reloaded, what was stays.*did you mean venues\.kraken\.channels/)
      config.write("nonsense")
      yield* world.hangup
      yield* world.said(/not reloaded.*TOML/)
      assert.deepStrictEqual(dials(), [1, 1, 0])

      config.write(
        pages + venueOf("kraken", kraken.url, ["BTC/USD", "ETH/USD"]) +
          venueOf("coinbase-exchange", exchange.url, ["BTC-USD"])
      )
      yield* world.hangup
      yield* world.said(/"reloaded"/)
      yield* world.printed(has("kraken", "ETH/USD"))
      yield* world.printed(has("coinbase-exchange", "BTC-USD"))
      const reloaded = world.stderr().split("\n").filter((line) => line.includes("\"reloaded\"")).map((line) =>
        JSON.parse(line)
      )
      assert.deepInclude(reloaded[0]?.annotations, {
        added: "coinbase-exchange",
        removed: "generic",
        resubscribed: "kraken"
      })
      assert.deepStrictEqual(dials(), [1, 1, 1])
      assert.deepInclude(generic.entries().at(-1), { _tag: "Closed", code: 1000 })

      const before = service.address()
      config.write(
        `${pages.replace("port = 0", "port = 0\nhost = \"localhost\"")}[reconnection]\nmax_delay = "5s"\n` +
          venueOf("kraken", kraken.url, ["BTC/USD", "ETH/USD"]) +
          venueOf("coinbase-exchange", exchange.url, ["BTC-USD"])
      )
      yield* world.hangup
      yield* world.said(/"replaced":"kraken,coinbase-exchange"/)
      yield* world.said(/("connected"[^]*){5}/)
      assert.deepStrictEqual(dials(), [2, 1, 2])
      const gone = yield* Effect.promise(() => fetch(`${before}/healthz`).then(() => false, () => true))
      assert.isTrue(gone)
      assert.strictEqual(yield* service.ended, 0)
    }))

  it.live("a place that is taken is refused: at the start with 2, later with the old pages left", () =>
    Effect.gen(function*() {
      const kraken = yield* mock("kraken")
      const taken = Number(new URL(kraken.url).port)
      const venues = venueOf("kraken", kraken.url, ["BTC/USD"])
      const refused = yield* start(`[http]\nport = ${taken}\n${venues}`)
      assert.strictEqual(yield* Fiber.join(refused.fiber), 2)
      assert.match(
        refused.world.stderr(),
        new RegExp(`http.port "${taken}": expected a port of 127.0.0.1 that is free`)
      )
      const service = yield* start(pages + venues)
      yield* service.world.printed(/"Trade"/)
      service.config.write(`[http]\nport = ${taken}\n${venues}`)
      yield* service.world.hangup
      yield* service.world.said(/not reloaded/)
      assert.strictEqual((yield* service.get("/healthz")).status, 200)
      assert.strictEqual(yield* service.ended, 0)
    }))

  it.live("fails when every venue has given up", () =>
    Effect.gen(function*() {
      const service = yield* start(
        `[reconnection]\npreset = "supervised"\ninitial_delay = "10ms"\n${
          venueOf("generic", "ws://127.0.0.1:1", ["A"])
        }`
      )
      assert.strictEqual(yield* Fiber.join(service.fiber), 1)
      assert.match(service.world.stderr(), /every venue has ended: generic: connection aborted after 3 retries/)
    }))

  it.live("a wrong configuration exits with 2 and names the key, the value and what was expected", () =>
    Effect.gen(function*() {
      const service = yield* start("[venues.kraken]\nproducts = [\"A\"]\nchannels = [\"trades\"]")
      assert.strictEqual(yield* Fiber.join(service.fiber), 2)
      assert.strictEqual(service.world.stdout(), "")
      assert.include(
        service.world.stderr(),
        `venues.kraken.channels[0] "trades" in ${service.config.path}: expected "trade", "ticker", "book" (did you mean trade?)`
      )
    }))

  it.live("a token comes from the variable that is named, and shows nowhere", () =>
    Effect.gen(function*() {
      const token = "s3cr3t-t0k3n"
      const config = yield* file
      const server = yield* mock("generic")
      config.write(pages + venueOf("generic", server.url, ["BTC-USD"], "token_env = \"PRICES_TOKEN\""))
      const world = TestHost.make({ env: { PRICES_TOKEN: token } })
      const fiber = yield* Effect.forkChild(
        TestHost.run(world, "run", "--config", config.path, "--log-format", "json", "--log-level", "trace")
      )
      yield* world.printed(/"PriceUpdate"/)
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(world.stderr())?.[0] ?? ""
      const seen = yield* Effect.promise(async () =>
        Promise.all(["/metrics", "/healthz"].map(async (page) => (await fetch(address + page)).text()))
      )
      yield* world.send("SIGINT")
      assert.strictEqual(yield* Fiber.join(fiber), 0)
      assert.notInclude(world.stdout() + world.stderr() + seen.join(), token)
    }))
})
