/**
 * Shows that Tickline runs in a browser: bundles all of `@tickline/core` for
 * one, which fails where anything in it asks for a module of Node's; then opens
 * `examples/browser` in headless Chromium, against a mock venue, and reads in
 * the page what it should show: prices to the last digit, and the connection
 * that comes back when the venue cuts it.
 *
 *     node scripts/browser.ts [--screenshot page.png]
 *
 * It needs Chromium (`apt-get install chromium`, or its path in `CHROMIUM`).
 * Where there is none it says so and is content, unless `CI` is set. Nothing
 * but loopback is reached.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { MockCoinbaseExchange } from "@tickline/testing"
import { MockServer } from "@tickline/testing/node"
import { Console, Effect, Queue, Schema, type Scope } from "effect"
import { build } from "esbuild"
import { type ChildProcess, spawn } from "node:child_process"
import * as Fs from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { createInterface } from "node:readline"
import { isDeepStrictEqual, parseArgs } from "node:util"
import { gzipSync } from "node:zlib"
import { workspace } from "./source.ts"

/** Milliseconds that all of it may take. */
const patience = 40_000

/** What the venue sends before it cuts the connection, and after: each would be another price as a float. */
const before = ["43250.10", "43250.100", "12345678901234567890.123456789012345678"]
const after = ["0.00000100", "9007199254740993.5"]

class Failed extends Schema.TaggedError<Failed>()("Failed", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}

const attempt = <A>(what: string, promise: () => Promise<A>): Effect.Effect<A, Failed> =>
  Effect.tryPromise({
    try: promise,
    catch: (error) => new Failed({ detail: `${what}: ${error instanceof Error ? error.message : String(error)}` })
  })

/** The path of a Chromium, if there is one. */
const chromium = (): string | undefined =>
  [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
    .find((path) => path !== undefined && Fs.existsSync(path))

/** One module for a browser, from a source in the workspace. An import of Node's is an error. */
const bundle = (source: string) =>
  Effect.flatMap(
    attempt("the bundle for a browser", () =>
      build({
        stdin: { contents: source, resolveDir: workspace, loader: "ts" },
        bundle: true,
        platform: "browser",
        format: "esm",
        minify: true,
        write: false,
        metafile: true,
        logLevel: "silent"
      })),
    ({ metafile, outputFiles }) => {
      const outside = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path))
      const [file] = outputFiles
      return outside.length > 0 || file === undefined
        ? Effect.fail(new Failed({ detail: `the bundle imports ${outside.join(", ")}` }))
        : Effect.succeed(file.contents)
    }
  )

const sizeOf = (bytes: Uint8Array): string => `${Math.ceil(gzipSync(bytes).length / 1024)} KiB gzipped`

/** Serves the page on loopback; gives its address. */
const serve = (script: Uint8Array) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const html = Fs.readFileSync(Path.join(workspace, "examples/browser/index.html"))
        const server = createServer((request, response) => {
          const path = new URL(request.url ?? "/", "http://page").pathname
          if (path === "/") response.writeHead(200, { "Content-Type": "text/html" }).end(html)
          else if (path === "/prices.js") response.writeHead(200, { "Content-Type": "text/javascript" }).end(script)
          else response.writeHead(404).end()
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    ),
    // A TCP server's address is an object.
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  )

/** Ends a browser and all of its processes. */
const end = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill()
  }).pipe(
    Effect.timeoutOption("5 seconds"),
    Effect.andThen(Effect.sync(() => {
      // What is left of its group; mostly nobody, which is an error to kill.
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
      } catch {}
    }))
  )

/** Starts the browser on a page, with a profile of its own; gives the address of its debugger. */
const browse = (path: string, page: string): Effect.Effect<string, Failed, Scope.Scope> =>
  Effect.gen(function*() {
    const profile = yield* Effect.acquireRelease(
      Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-browser-"))),
      (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
    )
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(path, [
          "--headless",
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
          "--disable-dev-shm-usage",
          // No name is looked up, whatever the browser would like to reach.
          "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
          "--remote-debugging-port=0",
          "--window-size=1000,600",
          `--user-data-dir=${profile}`,
          page
        ], { stdio: ["ignore", "ignore", "pipe"], detached: true })
      ),
      end
    )
    const said: Array<string> = []
    return yield* Effect.callback<string, Failed>((resume) => {
      child.once("error", (error) => resume(Effect.fail(new Failed({ detail: `${path}: ${error.message}` }))))
      child.once("exit", (code) =>
        resume(Effect.fail(new Failed({ detail: `${path} exited with ${code}\n${said.join("\n")}` }))))
      createInterface({ input: child.stderr }).on("line", (line) => {
        said.push(line)
        const address = /^DevTools listening on ws:\/\/([^/]+)\//.exec(line)?.[1]
        if (address !== undefined) {
          resume(Effect.succeed(address))
        }
      })
    })
  })

interface Tab {
  /** The value of an expression in the page. */
  readonly evaluate: (expression: string) => Effect.Effect<unknown, Failed>
  readonly screenshot: Effect.Effect<Buffer, Failed>
}

const Targets = Schema.Array(
  Schema.Struct({ type: Schema.String, url: Schema.String, webSocketDebuggerUrl: Schema.String })
)

const Answer = Schema.fromJsonString(Schema.Struct({
  id: Schema.optionalKey(Schema.Finite),
  result: Schema.optionalKey(Schema.Struct({
    data: Schema.optionalKey(Schema.String),
    result: Schema.optionalKey(Schema.Struct({ value: Schema.optionalKey(Schema.Unknown) }))
  }))
}))

/** Attaches to the page by the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/). */
const attach = (address: string, page: string): Effect.Effect<Tab, Failed, Scope.Scope> =>
  Effect.gen(function*() {
    const targets = yield* attempt(
      "the list of pages",
      () => fetch(`http://${address}/json/list`).then((r) => r.json())
    )
    const list = yield* Effect.orDie(Schema.decodeUnknownEffect(Targets)(targets))
    const target = list.find(({ type, url }) => type === "page" && url === page)
    if (target === undefined) return yield* new Failed({ detail: `the browser has no page ${page}` })
    const socket = yield* Effect.acquireRelease(
      Effect.callback<WebSocket, Failed>((resume) => {
        const opening = new WebSocket(target.webSocketDebuggerUrl)
        opening.addEventListener("open", () => resume(Effect.succeed(opening)))
        opening.addEventListener("error", () => resume(Effect.fail(new Failed({ detail: "no debugger" }))))
      }),
      (opened) => Effect.sync(() => opened.close())
    )
    let calls = 0
    const call = (method: string, params: object) =>
      Effect.callback<typeof Answer.Type, Failed>((resume) => {
        const id = ++calls
        const onMessage = ({ data }: { readonly data: unknown }) => {
          const answer = Schema.decodeUnknownSync(Answer)(data)
          if (answer.id !== id) return
          socket.removeEventListener("message", onMessage)
          resume(Effect.succeed(answer))
        }
        socket.addEventListener("message", onMessage)
        socket.send(JSON.stringify({ id, method, params }))
        return Effect.sync(() => socket.removeEventListener("message", onMessage))
      })
    return {
      evaluate: (expression) =>
        Effect.map(
          call("Runtime.evaluate", { expression, returnByValue: true }),
          ({ result }) => result?.result?.value
        ),
      screenshot: Effect.map(
        call("Page.captureScreenshot", { format: "png" }),
        ({ result }) => Buffer.from(result?.data ?? "", "base64")
      )
    }
  })

/** The lines of a list in the page, oldest first. */
const linesOf = (tab: Tab, list: string) =>
  Effect.map(
    tab.evaluate(`[...document.querySelectorAll("#${list} li")].map((line) => line.textContent)`),
    (lines) => Array.isArray(lines) ? lines.map(String).toReversed() : []
  )

/** Waits until a list in the page is as it should be. */
const waitFor = (tab: Tab, list: string, holds: (lines: ReadonlyArray<string>) => boolean, expected: string) =>
  Effect.gen(function*() {
    let lines = yield* linesOf(tab, list)
    while (!holds(lines)) {
      yield* Effect.sleep(50)
      lines = yield* linesOf(tab, list)
    }
    return lines
  }).pipe(
    Effect.timeoutOrElse({
      duration: "10 seconds",
      orElse: () =>
        Effect.flatMap(
          tab.evaluate("document.body.innerText"),
          (text) => Effect.fail(new Failed({ detail: `the page does not show ${expected}, but:\n${String(text)}` }))
        )
    })
  )

const match = (price: string, trade: number): string =>
  JSON.stringify({
    type: "match",
    trade_id: trade,
    sequence: trade,
    side: "buy",
    size: "0.10",
    price,
    product_id: "BTC-USD",
    time: "2026-01-01T00:00:00.000000Z"
  })

/** The page against the venue, to the end; gives what it showed. */
const watch = Effect.fnUntraced(function*(path: string, screenshot: string | undefined) {
  const venue = yield* MockServer.make({ venue: MockCoinbaseExchange.make(), rate: 0 })
  const script = yield* bundle(`import "./examples/browser/prices.ts"`)
  const page = `${yield* serve(script)}?venue=${venue.url}`
  const tab = yield* attach(yield* browse(path, page), page)
  let trades = 0
  // To the next connection, once it has subscribed.
  const trade = Effect.fnUntraced(function*(prices: ReadonlyArray<string>) {
    const connection = yield* venue.nextConnection
    yield* Effect.mapError(
      Queue.take(connection.received),
      () => new Failed({ detail: "the page went before it had subscribed" })
    )
    for (const price of prices) yield* connection.send(match(price, ++trades))
    return connection
  })
  // The venue itself begins each subscription with the last trade of its market.
  const shows = (prices: ReadonlyArray<string>) => {
    const lines = prices.map((price) => `BTC-USD ${price}`)
    return waitFor(tab, "prices", (shown) => isDeepStrictEqual(shown.slice(-lines.length), lines), lines.join(", "))
  }
  const first = yield* trade(before)
  yield* shows(before)
  yield* first.drop
  const story = [
    "Reconnecting",
    "misses BTC-USD matches since",
    "Connecting",
    "Connected, epoch 2",
    "missed BTC-USD matches until"
  ]
  const isStory = (lines: ReadonlyArray<string>) =>
    story.every((part, i) => lines.slice(-story.length)[i]?.startsWith(part))
  const states = yield* waitFor(tab, "connection", isStory, story.join(", "))
  yield* trade(after)
  const prices = yield* shows(after)
  if (screenshot !== undefined) Fs.writeFileSync(screenshot, yield* tab.screenshot)
  return { prices, states, size: sizeOf(script) }
})

const program = Effect.gen(function*() {
  const { values } = parseArgs({ options: { screenshot: { type: "string" } } })
  const core = yield* bundle(`export * from "@tickline/core"`)
  yield* Console.log(`all of @tickline/core bundles for a browser, Effect included: ${sizeOf(core)}`)
  const path = chromium()
  if (path === undefined) {
    const reason = "there is no Chromium: apt-get install chromium, or give its path in CHROMIUM"
    return process.env["CI"] === undefined
      ? yield* Console.log(`the page was not opened: ${reason}`)
      : yield* new Failed({ detail: reason })
  }
  const { prices, size, states } = yield* Effect.scoped(watch(path, values.screenshot))
  yield* Console.log(
    `the page, ${size}, showed in ${path}:\n${[...prices, ...states].map((line) => `  ${line}`).join("\n")}`
  )
})

NodeRuntime.runMain(
  program.pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.fail(new Failed({ detail: `not done within ${patience / 1000} s` }))
    }),
    Effect.tapError((error) => Console.error(error.message))
  ),
  { disableErrorReporting: true }
)
