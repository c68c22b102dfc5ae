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

/** Runs it to its end with outputs of one's own: descriptors, or "pipe" for what is to be read. */
const finish = (
  args: ReadonlyArray<string>,
  outputs: { readonly stdout?: number; readonly stderr?: number },
  stdin?: number,
  command: ReadonlyArray<string> = []
) =>
  Effect.promise(() =>
    new Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>((resolve) => {
      const [name = process.execPath, ...before] = [...command, process.execPath]
      const child = spawn(name, [...before, bin, ...args], {
        stdio: [stdin ?? "ignore", outputs.stdout ?? "pipe", outputs.stderr ?? "pipe"]
      })
      const texts = { stdout: "", stderr: "" }
      for (const name of ["stdout", "stderr"] as const) {
        child[name]?.setEncoding("utf8").on("data", (text: string) => {
          texts[name] += text
        })
      }
      child.on("close", (code) => resolve({ code, ...texts }))
    })
  )

/** A disk that is full. */
const fullDisk = Effect.acquireRelease(
  Effect.sync(() => Fs.openSync("/dev/full", "w")),
  (fd) => Effect.sync(() => Fs.closeSync(fd))
)

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

  it.live("stdin is read to its end, and a folder is no input", () =>
    Effect.gen(function*() {
      const open = (path: string) =>
        Effect.acquireRelease(Effect.sync(() => Fs.openSync(path, "r")), (fd) => Effect.sync(() => Fs.closeSync(fd)))
      const read = yield* finish(["decode", "generic"], {}, yield* open(bin))
      assert.strictEqual(read.code, 0)
      assert.strictEqual(
        read.stdout.split("\n").length,
        Fs.readFileSync(bin, "utf8").split("\n").filter((line) => line.trim() !== "").length + 1
      )
      const folder = yield* finish(["decode", "generic"], {}, yield* open(import.meta.dirname))
      assert.strictEqual(folder.code, 1)
      assert.match(folder.stderr, /^tickline: cannot read stdin: EISDIR/m)
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
        open.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n")
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

describe.skipIf(!Fs.existsSync("/dev/full"))("an output that cannot be written", { timeout: 30_000 }, () => {
  const folder = Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))),
    (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
  )

  it.live("stdout on a full disk: every command ends with 1 and names the cause", () =>
    Effect.gen(function*() {
      const stdout = yield* fullDisk
      const server = yield* MockServer.make({ venue, rate: 200 })
      const path = yield* folder
      const frames = Path.join(path, "frames.jsonl")
      Fs.writeFileSync(frames, "{\"product_id\":\"A\",\"price\":\"1\",\"timestamp\":1}\n")
      const config = Path.join(path, "tickline.toml")
      Fs.writeFileSync(config, `[venues.${venue.name}]\nurl = "${server.url}"\nproducts = ["BTC-USD"]\n`)
      const commands: ReadonlyArray<ReadonlyArray<string>> = [
        ["stream", venue.name, "BTC-USD", "--url", server.url],
        ["stream", venue.name, "BTC-USD", "--url", server.url, "--count", "1", "--format", "pretty"],
        ["run", "--config", config],
        ["decode", "generic", frames],
        ["simulate", "generic"],
        ["demo", "--duration", "2s"],
        ["demo", "--virtual", "--duration", "10s"],
        ["stability", "--hours", "0.001"],
        ["stability", "--virtual", "--hours", "0.1"],
        ["venues"],
        ["--help"],
        ["--version"],
        ["--completions", "bash"]
      ]
      for (const args of commands) {
        const { code, stderr } = yield* finish(args, { stdout })
        assert.strictEqual(code, 1, args.join(" "))
        assert.match(stderr, /^tickline: cannot write stdout: ENOSPC: no space left on device/m, args.join(" "))
      }
    }))

  it.live("stderr on a full disk changes nothing", () =>
    Effect.gen(function*() {
      const stderr = yield* fullDisk
      const server = yield* MockServer.make({ venue, rate: 200 })
      const flags = ["--url", server.url, "--count", "20", "--log-level", "trace"]
      const { code, stdout } = yield* finish(["stream", venue.name, "BTC-USD", ...flags], { stderr })
      assert.strictEqual(code, 0)
      assert.strictEqual(stdout.trimEnd().split("\n").length, 20)
      assert.strictEqual((yield* finish(["stream", "nowhere", "A"], { stderr })).code, 2)
    }))

  it.live("a reader of stderr that has gone changes nothing, and one that pauses holds nothing up", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({ venue, rate: 2_000 })
      const flags = ["--url", server.url, "--count", "4000", "--log-level", "trace", "--lifecycle"]
      const gone = start("stream", venue.name, "BTC-USD", ...flags)
      gone.child.stderr.destroy()
      assert.strictEqual((yield* gone.ended).code, 0)
      assert.strictEqual(gone.stdout().match(/"_tag":"Trade"/g)?.length, 4000)
      const paused = start("stream", venue.name, "BTC-USD", ...flags)
      paused.child.stderr.removeAllListeners("data").pause()
      const exited = new Promise<number | null>((resolve) => paused.child.on("exit", resolve))
      assert.strictEqual(yield* Effect.promise(() => exited), 0)
      assert.strictEqual(paused.stdout().match(/"_tag":"Trade"/g)?.length, 4000)
    }))

  it.live("a recording on a full disk fails the run, to its last byte", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({ venue, rate: 500 })
      const path = yield* folder
      for (const name of ["a.jsonl", "a.jsonl.gz"]) {
        const file = Path.join(path, name)
        Fs.symlinkSync("/dev/full", file)
        // A compressed one is written only when it ends.
        for (const flags of [["--duration", "700ms"], ["--count", "3"]]) {
          const args = ["stream", venue.name, "BTC-USD", "--url", server.url, "--record", file, ...flags]
          const { code, stderr } = yield* finish(args, {})
          assert.strictEqual(code, 1, `${name} ${flags.join(" ")}`)
          assert.include(stderr, `tickline: cannot write ${file}: ENOSPC`)
        }
      }
    }))

  it.live("the last of a recording that does not fit fails the run", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({ venue, rate: 2_000 })
      const file = Path.join(yield* folder, "a.jsonl.gz")
      // It ends before the first flush: nothing but the header is written until then, and only that fits.
      const limited = ["bash", "-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "limited"]
      const args = ["stream", venue.name, "BTC-USD", "--url", server.url, "--record", file, "--count", "200"]
      const { code, stderr } = yield* finish(args, {}, undefined, limited)
      assert.strictEqual(code, 1)
      assert.include(stderr, `tickline: cannot write ${file}: EFBIG`)
    }))
})

describe.skipIf(!Fs.existsSync("/usr/bin/script"))("a terminal", { timeout: 30_000 }, () => {
  it.live("one that is paused holds up neither the link nor the end", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({ venue, rate: 500, pingMillis: 100 })
      const command = [process.execPath, bin, "stream", venue.name, "BTC-USD", "--url", server.url]
      // `script` has a terminal for it, and stops reading it once its own reader does.
      const child = spawn(
        "/usr/bin/script",
        ["-qefc", `${command.join(" ")} --format ndjson --duration 6s`, "/dev/null"],
        { stdio: ["ignore", "pipe", "ignore"] }
      )
      yield* Effect.addFinalizer(() => Effect.sync(() => child.kill("SIGKILL")))
      const connection = yield* server.nextConnection
      const pongs = () => server.arrivals().filter(({ kind }) => kind === "pong").length
      // By then the terminal and all that lies between is full.
      yield* Effect.sleep(4_000)
      const before = pongs()
      yield* Effect.sleep(1_000)
      assert.isAbove(pongs(), before + 4)
      assert.deepInclude(yield* connection.ended, { code: 1000 })
      assert.strictEqual(server.metrics().dials, 1)
    }))
})
