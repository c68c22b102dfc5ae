/** House rule: what a peer sent is shown escaped, on a terminal, in a log line, on a page and in a label. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Fs from "node:fs"
import type { AddressInfo } from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { type WebSocket, WebSocketServer } from "ws"
import * as EscapedText from "../../../core/src/value/internal/escapedText.ts"
import * as TestHost from "./TestHost.ts"

/** Moves the cursor, sets a title by C1, hides a colour, reverses, joins, begins a line, tags. */
const hostile = "\u001b[2J\u009d0;x\u009c\u001b[8m\u202egnp\u2066\u200b\ufeff\u2028\u0085\u007f\u{e0041}\ufe0f"
const shortened = "\u001b]0;\u202e\u009b\u200b\u2028"

const price = (product: string) =>
  JSON.stringify({ product_id: product, price: "43250.10", timestamp: "2025-10-28T12:00:00Z" })

/** A peer that answers what it is sent, then ends the connection with a reason. */
const peer = (answer: (ws: WebSocket, text: string) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly server: WebSocketServer }>((resume) => {
      const server = new WebSocketServer({ host: "127.0.0.1", port: 0 })
      server.on("connection", (ws) => {
        ws.on("error", () => {})
        ws.on("message", (data: Buffer) => answer(ws, data.toString()))
      })
      server.on("listening", () => {
        const { port } = server.address() as AddressInfo
        resume(Effect.succeed({ url: `ws://127.0.0.1:${port}`, server }))
      })
    }),
    ({ server }) =>
      Effect.callback<void>((resume) => {
        for (const ws of server.clients) ws.terminate()
        server.close(() => resume(Effect.void))
      })
  )

const generic = peer((ws, text) => {
  if (!text.includes("subscribe")) return
  ws.send(price(`A${hostile}B`))
  ws.send(`{"product_id":${JSON.stringify(hostile)},"price":${JSON.stringify(hostile)}}`)
  ws.send(`nonsense ${hostile}`)
  ws.send(price("BTC-USD"))
  ws.close(4000, shortened)
})

const coinbase = peer((ws) => {
  ws.send(JSON.stringify({ type: "error", message: `no ${hostile}`, reason: hostile }))
})

/** The runner's own colours and cursor movements aside, each line is printable. */
const isShown = (text: string, what: string): void => {
  // oxlint-disable-next-line no-control-regex
  const own = new RegExp("\u001b\\[(?:\\?25[lh]|\\?2026[lh]|[0-9;]*m|\\d*A|[KJH])", "g")
  for (const line of text.replace(own, "").replaceAll("\r", "").split("\n")) {
    assert.isTrue(EscapedText.isPrintable(line), `${what}: ${JSON.stringify(line)}`)
  }
}

const flags = ["--preset", "test", "--lifecycle", "--duration", "400ms"]

describe("what a peer sent is shown escaped", { timeout: 20_000 }, () => {
  for (const terminal of [false, true]) {
    for (const logs of ["pretty", "json"]) {
      it.live(`stream, ${terminal ? "the table" : "lines"}, log ${logs}`, () =>
        Effect.gen(function*() {
          const { url } = yield* generic
          const world = TestHost.make({ terminal })
          const args = ["stream", "generic", "BTC-USD", "--url", url, ...flags, "--log-format", logs]
          assert.strictEqual(yield* TestHost.run(world, ...args, "--format", "pretty"), 0)
          isShown(world.stdout(), "stdout")
          isShown(world.stderr(), "stderr")
          assert.include(world.stdout(), "43250.10")
          // Of a long name the table shows the beginning and the end.
          assert.include(world.stdout(), terminal ? "A\\u001b[2" : "\\u202e")
          if (!terminal) assert.include(world.stderr(), logs === "json" ? "\\\\u009b" : "\\u009b")
        }))
    }
  }

  it.live("ndjson on stdout keeps the exact text", () =>
    Effect.gen(function*() {
      const { url } = yield* generic
      const world = TestHost.make()
      assert.strictEqual(yield* TestHost.run(world, "stream", "generic", "BTC-USD", "--url", url, ...flags), 0)
      const products = world.objects().filter(({ _tag }) => _tag === "PriceUpdate").map(({ product }) => product)
      assert.include(products, `A${hostile}B`)
      isShown(world.stderr(), "stderr")
    }))

  it.live("ndjson on a terminal is the same JSON, escaped", () =>
    Effect.gen(function*() {
      const { url } = yield* generic
      const world = TestHost.make({ terminal: true })
      const args = ["stream", "generic", "BTC-USD", "--url", url, ...flags, "--format", "ndjson"]
      assert.strictEqual(yield* TestHost.run(world, ...args), 0)
      isShown(world.stdout(), "stream")
      const products = world.objects().filter(({ _tag }) => _tag === "PriceUpdate").map(({ product }) => product)
      assert.include(products, `A${hostile}B`)
      const decoded = TestHost.make({ terminal: true, stdin: price(`A${hostile}B`) })
      assert.strictEqual(yield* TestHost.run(decoded, "decode", "generic", "--format", "ndjson"), 0)
      isShown(decoded.stdout(), "decode")
      assert.strictEqual(decoded.objects()[0]?.["product"], `A${hostile}B`)
    }))

  it.live("a refusal, as the end of the run", () =>
    Effect.gen(function*() {
      const { url } = yield* coinbase
      const world = TestHost.make({ terminal: true })
      assert.strictEqual(yield* TestHost.run(world, "stream", "coinbase-exchange", "X", "--url", url), 1)
      assert.include(world.stderr(), "\\u202e")
      isShown(world.stderr(), "stderr")
      isShown(world.stdout(), "stdout")
    }))

  it.live("decode, and its explanation", () =>
    Effect.gen(function*() {
      const stdin = [
        price(`A${hostile.replace("\u2028", "")}`),
        `{"${hostile}":1,"product_id":"A","price":"1","timestamp":"x${hostile}"}`,
        `{"product_id":"A","price":"1","${hostile}":"y","timestamp":"2025-10-28T12:00:00Z"}`
      ].join("\n")
      for (const more of [["--format", "pretty"], ["--explain"]]) {
        const world = TestHost.make({ stdin })
        assert.strictEqual(yield* TestHost.run(world, "decode", "generic", ...more), 0)
        isShown(world.stdout(), more.join(" "))
        isShown(world.stderr(), "stderr")
      }
    }))

  it.live("simulate, whose peer is a client", () =>
    Effect.gen(function*() {
      const world = TestHost.make()
      const fiber = yield* Effect.forkChild(TestHost.run(world, "simulate", "generic", "--format", "pretty"))
      yield* world.printed(/Listening.*\n/)
      const url = /ws:\S+/.exec(world.stdout())?.[0] ?? ""
      yield* Effect.promise(async () => {
        const { WebSocket } = await import("ws")
        const client = new WebSocket(url)
        await new Promise((resolve) => client.once("open", resolve))
        client.close(4001, shortened)
      })
      yield* world.printed(/Closed/)
      yield* world.send("SIGTERM")
      assert.strictEqual(yield* Fiber.join(fiber), 0)
      isShown(world.stdout(), "stdout")
      assert.include(world.stdout(), "4001")
    }))

  it.live("run: its log and its pages", () =>
    Effect.gen(function*() {
      const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(folder, { recursive: true })))
      const [first, second] = [yield* generic, yield* coinbase]
      const config = Path.join(folder, "tickline.toml")
      Fs.writeFileSync(
        config,
        `[http]\nport = 0\n[venues.generic]\nurl = "${first.url}"\nproducts = ["A"]\n` +
          `[venues.coinbase-exchange]\nurl = "${second.url}"\nproducts = ["X\\u202eY"]\n`
      )
      const world = TestHost.make()
      const fiber = yield* Effect.forkChild(TestHost.run(world, "run", "--config", config))
      yield* world.said(/subscription refused/)
      yield* world.said(/dropped/)
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(world.stderr())?.[0] ?? ""
      for (const page of ["/healthz", "/metrics"]) {
        isShown(yield* Effect.promise(async () => (await fetch(`${address}${page}`)).text()), page)
      }
      yield* world.send("SIGTERM")
      assert.strictEqual(yield* Fiber.join(fiber), 0)
      isShown(world.stderr(), "stderr")
      assert.include(world.stderr(), "\\u202e")
    }))
})
