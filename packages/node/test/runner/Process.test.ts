import { assert, describe, it } from "@effect/vitest"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"

const bin = Path.join(import.meta.dirname, "../../src/bin.ts")

/** The runner as a process of its own: for what only a process has. */
const start = (...args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ["pipe", "pipe", "pipe"] })
  let stdout = ""
  let stderr = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
  })
  const ended = new Promise<{ code: number | null; at: number }>((resolve) =>
    child.on("close", (code) => resolve({ code, at: Date.now() }))
  )
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended: Effect.promise(() => ended),
    printed: (pattern: RegExp) =>
      Effect.promise(() =>
        new Promise<void>((resolve) => {
          const look = () => {
            if (pattern.test(stdout)) resolve()
          }
          child.stdout.on("data", look)
          look()
        })
      )
  }
}

const venue = MockVenues.byName("coinbase-exchange") ?? MockVenues.all[0]!

describe("the process", { timeout: 20_000 }, () => {
  it.live("--version prints the package's version and nothing else", () =>
    Effect.gen(function*() {
      const run = start("--version")
      assert.strictEqual((yield* run.ended).code, 0)
      assert.match(run.stdout(), /^tickline v\d+\.\d+\.\d+\n$/)
      assert.strictEqual(run.stderr(), "")
    }))

  it.live("passes on the exit code of a wrong use", () =>
    Effect.gen(function*() {
      const run = start("stream", "generic", "BTC-USD")
      assert.strictEqual((yield* run.ended).code, 2)
      assert.strictEqual(run.stdout(), "")
    }))

  it.live("a reader that leaves ends it quietly with 0", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({ venue, rate: 2_000 })
      const run = start("stream", "coinbase-exchange", "BTC-USD", "--url", server.url, "--log-level", "error")
      yield* run.printed(/(.*\n){3}/)
      run.child.stdout.destroy()
      const { code } = yield* run.ended
      assert.strictEqual(code, 0)
      assert.notInclude(run.stderr(), "EPIPE")
      assert.notInclude(run.stderr(), "tickline:")
    }))

  it.live(
    "SIGTERM closes the socket with a close frame and exits with 0 within 2 s, every line whole",
    () =>
      Effect.gen(function*() {
        const server = yield* MockServer.make({ venue, rate: 500 })
        const run = start("stream", "coinbase-exchange", "BTC-USD", "--url", server.url, "--lifecycle")
        yield* run.printed(/"Trade"/)
        const asked = Date.now()
        run.child.kill("SIGTERM")
        const { at, code } = yield* run.ended
        assert.strictEqual(code, 0)
        assert.isBelow(at - asked, 2_000)
        const lines = run.stdout().trimEnd().split("\n").map((line) => JSON.parse(line))
        assert.strictEqual(lines.at(-1).state, "Disconnected")
        assert.deepInclude(server.entries().at(-1), { _tag: "Closed", code: 1000 })
      }),
    10_000
  )

  it.live(
    "a peer that does not answer the close frame cannot hold it; a second signal ends it at once",
    () =>
      Effect.gen(function*() {
        const server = yield* MockServer.make({ venue, rate: 500 })
        const run = start("stream", "coinbase-exchange", "BTC-USD", "--url", server.url)
        yield* run.printed(/"Trade"/)
        yield* server.inject({ _tag: "Silent" })
        const asked = Date.now()
        run.child.kill("SIGINT")
        yield* Effect.sleep(100)
        run.child.kill("SIGINT")
        const { at, code } = yield* run.ended
        assert.strictEqual(code, 130)
        assert.isBelow(at - asked, 700)
        const other = start("stream", "coinbase-exchange", "BTC-USD", "--url", server.url)
        yield* other.printed(/"Trade"/)
        yield* server.inject({ _tag: "Silent" })
        const then = Date.now()
        other.child.kill("SIGTERM")
        const end = yield* other.ended
        assert.strictEqual(end.code, 0)
        assert.isBelow(end.at - then, 2_000)
      }),
    15_000
  )

  it.live(
    "run: SIGHUP reads the configuration again, SIGTERM ends it within 2 s though a page is kept open",
    () =>
      Effect.gen(function*() {
        const server = yield* MockServer.make({ venue, rate: 200 })
        const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))
        yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(folder, { recursive: true })))
        const file = Path.join(folder, "tickline.toml")
        const write = (products: string) =>
          Fs.writeFileSync(
            file,
            `[http]\nport = 0\n[output]\nlifecycle = true\n[venues.${venue.name}]\n` +
              `url = "${server.url}"\nproducts = ${products}\n`
          )
        write("[\"BTC-USD\"]")
        const run = start("run", "--config", file)
        yield* run.printed(/"product":"BTC-USD"/)
        const address = /http:\/\/127\.0\.0\.1:\d+/.exec(run.stderr())?.[0] ?? ""
        const open = Net.connect(Number(new URL(address).port), "127.0.0.1")
        yield* Effect.addFinalizer(() => Effect.sync(() => open.destroy()))
        const answered = Effect.promise(() => new Promise((resolve) => open.once("data", resolve)))
        open.write("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        assert.match(String(yield* answered), /^HTTP\/1\.1 200/)
        write("[\"BTC-USD\", \"ETH-USD\"]")
        run.child.kill("SIGHUP")
        yield* run.printed(/"product":"ETH-USD"/)
        assert.strictEqual(server.metrics().dials, 1)
        const asked = Date.now()
        run.child.kill("SIGTERM")
        const { at, code } = yield* run.ended
        assert.strictEqual(code, 0)
        assert.isBelow(at - asked, 1_500)
        const lines = run.stdout().trimEnd().split("\n").map((line) => JSON.parse(line))
        assert.strictEqual(lines.at(-1).state, "Disconnected")
        assert.deepInclude(server.entries().at(-1), { _tag: "Closed", code: 1000 })
      }),
    10_000
  )
})
