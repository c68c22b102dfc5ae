/** A real `redis-server` on the loopback, which a test starts, kills and starts again. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { freePort } from "./FreePort.ts"

/** Without the program there is nothing to test with (`apt-get install redis-server`). */
export const isInstalled = spawnSync("redis-server", ["--version"]).status === 0

const started = (port: number, dir: string): Promise<ChildProcess> =>
  new Promise((resolve, reject) => {
    const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir]
    const child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] })
    let said = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text
      if (said.includes("Ready to accept connections")) resolve(child)
    })
    child.on("error", reject).on("close", () => reject(new Error(`redis-server ended: ${said}`)))
  })

export interface RedisServer {
  readonly url: Redacted.Redacted<string>
  /** Starts it; it has no data. */
  readonly start: Effect.Effect<void>
  /** Kills it outright: what it held is gone. */
  readonly kill: Effect.Effect<void>
  /** Holds it, so that it answers nothing, or lets it go on. */
  readonly hold: (isHeld: boolean) => void
}

/** Nothing is started yet. It ends with the scope. */
export const make = Effect.acquireRelease(
  Effect.gen(function*() {
    const port = yield* Effect.promise(freePort)
    const dir = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-redis-"))
    let child: ChildProcess | undefined
    const kill = Effect.callback<void>((resume) => {
      if (child === undefined) return resume(Effect.void)
      child.once("close", () => resume(Effect.void))
      child.kill("SIGKILL")
      child = undefined
    })
    const server: RedisServer = {
      url: Redacted.make(`redis://127.0.0.1:${port}`),
      start: Effect.map(Effect.promise(() => started(port, dir)), (running) => {
        child = running
      }),
      kill,
      hold: (isHeld) => void child?.kill(isHeld ? "SIGSTOP" : "SIGCONT")
    }
    return { server, dir }
  }),
  ({ dir, server }) => Effect.andThen(server.kill, Effect.sync(() => Fs.rmSync(dir, { recursive: true, force: true })))
).pipe(Effect.map(({ server }) => server))
