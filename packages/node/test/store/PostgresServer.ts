/** A real Postgres of a test's own, on the loopback, with a data directory of its own. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import process from "node:process"
import { freePort } from "../FreePort.ts"

/** Debian keeps the server's programs outside the path; the latest version serves. */
const programs = Fs.globSync("/usr/lib/postgresql/*/bin").toSorted((a, b) =>
  a.localeCompare(b, "en", { numeric: true })
)

const program = (name: string): string => {
  const folder = programs.at(-1)
  return folder === undefined ? name : Path.join(folder, name)
}

/** Without the program there is nothing to test with (`apt-get install postgresql`). */
export const isInstalled = spawnSync(program("initdb"), ["--version"]).status === 0

const password = "a password of tests"

/** The server refuses to run as root. */
const user = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

const started = (folder: string, port: number): Promise<ChildProcess> =>
  new Promise((resolve, reject) => {
    const settings = { listen_addresses: "127.0.0.1", port, unix_socket_directories: "", fsync: "off" }
    const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])
    const child = spawn(program("postgres"), ["-D", Path.join(folder, "data"), ...args], {
      ...user(),
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"]
    })
    let said = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text
      if (said.includes("ready to accept connections")) resolve(child)
    })
    child.on("error", reject).on("close", () => reject(new Error(`postgres ended: ${said}`)))
  })

export interface PostgresServer {
  /** Of an empty database, each time another. */
  readonly database: Effect.Effect<Redacted.Redacted<string>>
  /** Ends all its sessions and starts it anew. */
  readonly restart: Effect.Effect<void>
}

/** A running server. It ends with the scope. */
export const make = Effect.acquireRelease(
  Effect.promise(async () => {
    const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-postgres-"))
    const { gid, uid } = user()
    const secret = Path.join(folder, "password")
    Fs.writeFileSync(secret, password, { mode: 0o600 })
    if (uid !== undefined && gid !== undefined) [folder, secret].forEach((path) => Fs.chownSync(path, uid, gid))
    const args = ["-D", Path.join(folder, "data"), "-U", "tickline", "-A", "scram-sha-256", "--pwfile", secret, "-N"]
    execFileSync(program("initdb"), [...args, "--locale=C", "-E", "UTF8"], { ...user(), cwd: folder, stdio: "ignore" })
    const port = await freePort()
    return { folder, port, child: await started(folder, port), databases: 0 }
  }),
  (running) =>
    Effect.promise(async () => {
      await ended(running.child, "SIGQUIT")
      Fs.rmSync(running.folder, { recursive: true, force: true })
    })
).pipe(Effect.map((running): PostgresServer => ({
  database: Effect.sync(() => {
    const name = `test${++running.databases}`
    const address = ["-h", "127.0.0.1", "-p", `${running.port}`, "-U", "tickline"]
    execFileSync(program("createdb"), [...address, name], { env: { ...process.env, PGPASSWORD: password } })
    return Redacted.make(
      `postgres://tickline:${encodeURIComponent(password)}@127.0.0.1:${running.port}/${name}?sslmode=disable`
    )
  }),
  restart: Effect.promise(async () => {
    await ended(running.child, "SIGINT")
    running.child = await started(running.folder, running.port)
  })
})))

const ended = (child: ChildProcess, signal: NodeJS.Signals): Promise<void> =>
  new Promise((resolve) => {
    child.once("close", () => resolve())
    child.kill(signal)
  })
