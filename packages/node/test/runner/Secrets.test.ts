import { assert, describe, it } from "@effect/vitest"
import * as Market from "@tickline/testing/Market"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import { Buffer } from "node:buffer"
import * as Fs from "node:fs"
import { request } from "node:http"
import * as Os from "node:os"
import * as Path from "node:path"
import { WebSocket } from "ws"
import * as TestHost from "./TestHost.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
)

const mock = (name: string) => {
  const venue = MockVenues.byName(name)
  return venue === undefined
    ? Effect.die(name)
    : MockServer.make({ venue, rate: 20, seed: 7, products: Market.listedBy(venue) })
}

const kraken = "[venues.kraken]\nproducts = [\"BTC/USD\"]\n"

describe("a configuration that is refused", () => {
  const wrong: ReadonlyArray<readonly [text: string | Uint8Array, says: RegExp]> = [
    [`token = "s3cret"\n${kraken}`, /^tickline: token in .*: expected one of the keys/],
    [`${kraken}token = "s3cret"`, /venues\.kraken\.token in .*: expected/],
    [`${kraken}token = { value = "s3cret" }`, /venues\.kraken\.token in/],
    [`${kraken}token_env = "s3cret"`, /venues\.kraken\.token_env in .*: expected the name of a variable/],
    [`${kraken}token_env = "Bearer s3cret"`, /the name of a variable, not the token/],
    [`${kraken}token_env = ["s3cret"]`, /the name of a variable/],
    [`${kraken}url = "wss:/me:s3cret@h"`, /venues\.kraken\.url in/],
    [`${kraken}url = " wss://me:s3cret@h"`, /venues\.kraken\.url in/],
    [`${kraken}url = "wss://me:s3cret/x@h"`, /venues\.kraken\.url in/],
    [`${kraken}url = "https://me:s3cret@h/s3cret?token=s3cret"`, /venues\.kraken\.url "https:\/\/h" in/],
    [`${kraken}url = { token = "s3cret" }`, /venues\.kraken\.url in/],
    [`${kraken}url = ["s3cret"]`, /venues\.kraken\.url in/],
    [`${kraken}[venues.kraken.reconnection]\ntoken = "s3cret"`, /venues\.kraken\.reconnection\.token in/],
    [`${kraken}[reconnection]\ntoken = "s3cret"`, /reconnection\.token in/],
    [`${kraken}[http]\nport = 0\npassword = "s3cret"`, /http\.password in/],
    [`${kraken}[output]\nstdout = { token = "s3cret" }`, /output\.stdout in/],
    ["[venues.kraken]\nproducts = [{ token = \"s3cret\" }]", /products\[0\] in/],
    [`${kraken}channels = [["s3cret"]]`, /channels\[0\] in/],
    [`${kraken}[symbols]\nkraken = ["s3cret"]`, /symbols\.kraken in/],
    [`output = ["s3cret"]\n${kraken}`, /output in/],
    [`token = s3cret\n${kraken}`, /a file of TOML \(Invalid value at line 1, column \d+\)/],
    [`${kraken}token = "s3cret`, /a file of TOML/],
    [`${kraken}\n${kraken}token = "s3cret"`, /Cannot redefine table 'venues.kraken'/],
    [`a = ${"[".repeat(20_000)}`, /nested more than 32 deep/],
    [`${"a.".repeat(20_000)}a = 1`, /nested more than 32 deep/],
    [Uint8Array.of(0x61, 0x3d, 0x22, 0xff, 0x22), /at most 1 MiB of UTF-8/],
    [`# ${"x".repeat(1_048_576)}\n${kraken}`, /at most 1 MiB of UTF-8/],
    [`\ufeff${kraken}stdut = "s3cret"`, /venues\.kraken\.stdut in/]
  ]
  for (const [text, says] of wrong) {
    const name = typeof text === "string" ? text.slice(0, 60).replace(kraken, "… ") : "bytes"
    it.effect(`shows no secret, and ends with 2: ${JSON.stringify(name)}`, () =>
      Effect.gen(function*() {
        const path = Path.join(yield* folder, "tickline.toml")
        Fs.writeFileSync(path, text)
        const world = TestHost.make()
        assert.strictEqual(yield* TestHost.run(world, "run", "--config", path), 2)
        assert.match(world.stderr(), says)
        assert.notInclude(world.stderr() + world.stdout(), "s3cret")
      }))
  }

  it.live("shows no secret when it is read again either, and what was stays", () =>
    Effect.gen(function*() {
      const server = yield* mock("kraken")
      const path = Path.join(yield* folder, "tickline.toml")
      const good = `${kraken}url = "${server.url}"\n`
      Fs.writeFileSync(path, good)
      const world = TestHost.make()
      const fiber = yield* Effect.forkChild(TestHost.run(world, "run", "--config", path))
      yield* world.printed(/"Trade"/)
      for (const [index, text] of [`token = "s3cret"\n${good}`, `${good}token_env = "s3cret"`].entries()) {
        Fs.writeFileSync(path, text)
        yield* world.hangup
        yield* world.said(new RegExp(`(not reloaded[^]*){${index + 1}}`))
      }
      yield* world.send("SIGTERM")
      assert.strictEqual(yield* Fiber.join(fiber), 0)
      assert.notInclude(world.stderr(), "s3cret")
    }), 20_000)
})

describe("a token that no header can hold", () => {
  for (const token of ["s3cret\r", "s3cret\n", "s3\0cret", "s3cret–", " s3cret", "s3cret "]) {
    it.effect(`is told by the name of its variable: ${JSON.stringify(token)}`, () =>
      Effect.gen(function*() {
        const url = "ws://127.0.0.1:1"
        const path = Path.join(yield* folder, "tickline.toml")
        Fs.writeFileSync(path, `${kraken}url = "${url}"\ntoken_env = "KRAKEN_TOKEN"\n`)
        const told = Effect.fnUntraced(function*(name: string, ...args: ReadonlyArray<string>) {
          const world = TestHost.make({ env: { [name]: token } })
          assert.strictEqual(yield* TestHost.run(world, ...args), 2)
          assert.match(
            world.stderr(),
            new RegExp(
              `^tickline: ${name} in the environment: expected a token that can be the value of a header \\(it `
            )
          )
          assert.notInclude(world.stderr() + world.stdout(), "s3c")
        })
        yield* told("TICKLINE_TOKEN", "stream", "kraken", "BTC/USD", "--url", url)
        yield* told("TICKLINE_TOKEN", "simulate", "kraken", "--require-token")
        yield* told("KRAKEN_TOKEN", "run", "--config", path)
      }))
  }
})

describe("an address that is not one", () => {
  for (
    const url of [
      " wss://me:s3cret@h",
      "wss:/me:s3cret@h",
      "wss:\\\\me:s3cret@h",
      "wss://me:s3cret/x@h",
      "wss://me:s3cret\t@h",
      "wss://me:s3cret%40h",
      "me:s3cret@h",
      "HTTPS://me:s3cret@h/s3cret"
    ]
  ) {
    it.effect(`is a wrong use that shows nothing of it: ${JSON.stringify(url)}`, () =>
      Effect.gen(function*() {
        for (const args of [["kraken", "A", "--url", url], ["kraken:A", "coinbase:B", "--url", `kraken=${url}`]]) {
          const world = TestHost.make()
          assert.strictEqual(yield* TestHost.run(world, "stream", ...args), 2)
          assert.match(world.stderr(), /^tickline: --url/)
          assert.notMatch(world.stderr() + world.stdout(), /s3cret|me:/)
        }
      }))
  }
})

describe("a venue that repeats the token", { timeout: 20_000 }, () => {
  it.live("finds it masked on stdout, in the log and in a recording, in texts and in bytes", () =>
    Effect.gen(function*() {
      const server = yield* mock("kraken")
      const path = Path.join(yield* folder, "frames.jsonl")
      const world = TestHost.make({ env: { TICKLINE_TOKEN: "tok_5ecret" } })
      const at = `${server.url.replace("//", "//me:pa55-w0rd@")}/v2?token=query-5ecret`
      const fiber = yield* Effect.forkChild(
        TestHost.run(world, "stream", "kraken", "BTC/USD", "--url", at, "--record", path, "--lifecycle")
      )
      yield* world.printed(/"Trade"/)
      const [connection] = server.connections()
      assert.isDefined(connection)
      assert.strictEqual(connection?.token === undefined ? "" : Redacted.value(connection.token), "tok_5ecret")
      yield* server.sendRaw("{\"error\":\"no access: tok_5ecret\",\"method\":\"ping\",\"success\":false,\"req_id\":77}")
      yield* server.sendRaw("{\"channel\":\"\\u0074ok_5ecret pa55-w0rd query-5ecret\",\"type\":\"update\",\"data\":[]}")
      yield* server.sendRaw("tok_5ecret is not JSON")
      yield* server.sendBinary(Buffer.from("bytes of tok_5ecret"))
      yield* world.printed(/"FrameRejected"[^]*"FrameRejected"/)
      yield* server.close(1, 4001, "bad token tok_5ecret")
      yield* world.printed(/"epoch":2/)
      yield* world.send("SIGTERM")
      assert.strictEqual(yield* Fiber.join(fiber), 0)
      const recorded = Fs.readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line))
      const bytes = recorded.filter(({ kind }) => kind === "binary").map(({ raw }) =>
        Buffer.from(raw, "base64").toString()
      )
      assert.deepStrictEqual(bytes, [`bytes of ${"*".repeat(10)}`])
      const refusal = recorded.find(({ raw }) => raw.includes("no access"))
      assert.strictEqual(JSON.parse(refusal.raw).error, `no access: ${"*".repeat(10)}`)
      assert.isTrue(
        recorded.some(({ raw }) =>
          raw === `{"channel":"${"*".repeat(15)} ${"*".repeat(9)} ${"*".repeat(12)}","type":"update","data":[]}`
        )
      )
      assert.isTrue(recorded.some(({ kind, raw }) => kind === "close" && raw.includes(`bad token ${"*".repeat(10)}`)))
      const seen = Fs.readFileSync(path, "utf8") + world.stdout() + world.stderr()
      for (const secret of ["5ecret", "pa55", "w0rd"]) assert.notInclude(seen, secret)
      assert.include(world.stdout(), `no access: ${"*".repeat(10)}`)
    }))

  it.live("a client that closes with its token finds it masked in what a mock venue says", () =>
    Effect.gen(function*() {
      const venue = MockVenues.byName("generic") ?? MockVenues.all[0]!
      const server = yield* MockServer.make({ venue, requireToken: Redacted.make("tok_5ecret") })
      const client = new WebSocket(server.url, { headers: { authorization: "Bearer tok_5ecret" } })
      const connection = yield* server.nextConnection
      yield* Effect.callback<void>((resume) => {
        if (client.readyState === WebSocket.OPEN) return resume(Effect.void)
        client.once("open", () => resume(Effect.void))
      })
      client.close(4000, "my token is tok_5ecret")
      assert.deepStrictEqual(yield* connection.ended, { code: 4000, reason: `my token is ${"*".repeat(10)}` })
      assert.notInclude(JSON.stringify(server.entries()), "5ecret")
    }))
})

/** A request as it is, its `Host` included; gives the status. */
const ask = (
  port: number,
  options: { readonly path: string; readonly method?: string; readonly headers: Record<string, string> }
) =>
  Effect.callback<{ readonly status: number; readonly text: string }>((resume) => {
    const asked = request({ host: "127.0.0.1", port, setHost: false, ...options }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (more: string) => {
        text += more
      })
      response.on("end", () => resume(Effect.succeed({ status: response.statusCode ?? 0, text })))
    })
    asked.on("error", (cause) => resume(Effect.die(cause)))
    asked.end()
  })

describe("the pages", { timeout: 20_000 }, () => {
  const serving = Effect.fnUntraced(function*(http: string) {
    const server = yield* mock("kraken")
    const path = Path.join(yield* folder, "tickline.toml")
    Fs.writeFileSync(path, `${kraken}url = "${server.url}"\n[http]\nport = 0\n${http}`)
    const world = TestHost.make()
    const fiber = yield* Effect.forkChild(TestHost.run(world, "run", "--config", path))
    yield* world.said(/http:\/\/[\d.]+:\d+/)
    const port = Number(/http:\/\/[\d.]+:(\d+)/.exec(world.stderr())?.[1])
    yield* world.printed(/"Trade"/)
    const statusOf = (path: string, host: string, method = "GET") =>
      Effect.map(ask(port, { path, method, headers: { host } }), ({ status }) => status)
    const ended = Effect.andThen(world.send("SIGTERM"), Fiber.join(fiber))
    return { port, statusOf, ended }
  })

  it.live("answer to loopback names and to no foreign one", () =>
    Effect.gen(function*() {
      const { ended, port, statusOf } = yield* serving("")
      for (const path of ["/healthz", "/metrics"]) {
        for (
          const host of ["localhost", "127.0.0.1", `127.0.0.1:${port}`, `LOCALHOST:${port}`, "[::1]:9464", "localhost."]
        ) {
          assert.strictEqual(yield* statusOf(path, host), 200, `${path} ${host}`)
        }
        for (
          const host of [
            "evil.example",
            `evil.example:${port}`,
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "",
            "@localhost",
            "localhost/x"
          ]
        ) {
          assert.strictEqual(yield* statusOf(path, host), 421, `${path} ${host}`)
        }
        assert.strictEqual(yield* statusOf(path, "localhost", "HEAD"), 200)
        assert.strictEqual(yield* statusOf(path, "localhost", "POST"), 405)
        assert.strictEqual(yield* statusOf(path, "evil.example", "POST"), 421)
      }
      const giant = yield* ask(port, { path: "/healthz", headers: { host: "localhost", "x-giant": "x".repeat(9_000) } })
      assert.strictEqual(giant.status, 431)
      assert.strictEqual(yield* ended, 0)
    }))

  it.live("answer by address where more than loopback is listened on, and to the names that are configured", () =>
    Effect.gen(function*() {
      const { ended, statusOf } = yield* serving("host = \"0.0.0.0\"\nnames = [\"tickline.internal\"]\n")
      for (const host of ["10.0.0.1:9464", "tickline.internal:9464", "localhost"]) {
        assert.strictEqual(yield* statusOf("/healthz", host), 200, host)
      }
      assert.strictEqual(yield* statusOf("/healthz", "evil.example"), 421)
      assert.strictEqual(yield* ended, 0)
    }))
})
