/** The folder in which the runner keeps what must survive a restart. */
import { assert, describe, it } from "@effect/vitest"
import * as NonceStore from "@tickline/core/trading/NonceStore"
import * as StateDirectory from "@tickline/node/store/StateDirectory"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { temporaryFolder } from "./Databases.ts"

const nonces = (path: string) =>
  Effect.map(Layer.build(StateDirectory.layer({ path })), (built) => Context.get(built, NonceStore.NonceStore))

const located = (environment: Record<string, string>) =>
  StateDirectory.location.pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(environment))
  )

describe("StateDirectory", () => {
  it.effect("is where the environment says, otherwise in the user's own folder", () =>
    Effect.gen(function*() {
      const own = Path.join(Os.homedir(), ".local", "state", "tickline")
      assert.strictEqual(yield* located({ TICKLINE_STATE: "here", XDG_STATE_HOME: "/there" }), "here")
      assert.strictEqual(yield* located({ XDG_STATE_HOME: "/there" }), "/there/tickline")
      assert.strictEqual(yield* located({ XDG_STATE_HOME: "there" }), own)
      assert.strictEqual(yield* located({ XDG_STATE_HOME: "" }), own)
      assert.strictEqual(yield* located({}), own)
    }))

  it.live("is made for its owner alone, and found again", () =>
    Effect.gen(function*() {
      const path = Path.join(yield* temporaryFolder, "a", "state")
      const first = yield* Effect.scoped(Effect.flatMap(nonces(path), (store) => store.next("0xabc")))
      const second = yield* Effect.flatMap(nonces(path), (store) => store.next("0xabc"))
      assert.isAbove(second, first)
      assert.strictEqual(Fs.statSync(path).mode & 0o777, 0o700)
      assert.deepStrictEqual(Fs.readdirSync(path).toSorted(), ["tickline.db", "tickline.db-shm", "tickline.db-wal"])
      for (const name of Fs.readdirSync(path)) {
        assert.strictEqual(Fs.statSync(Path.join(path, name)).mode & 0o777, 0o600)
      }
    }))

  it.live("that cannot be made is an error with its name", () =>
    Effect.gen(function*() {
      const path = Path.join(yield* temporaryFolder, "file")
      Fs.writeFileSync(path, "")
      const error = yield* Effect.flip(Effect.scoped(nonces(path)))
      assert.strictEqual(error._tag, "StateNotKept")
      assert.include(error.message, `cannot keep state in ${path}: EEXIST`)
    }))

  it.live("a process that was killed while it wrote leaves no lock, and nothing of what it wrote", () =>
    Effect.gen(function*() {
      const path = yield* temporaryFolder
      const store = yield* nonces(path)
      const before = yield* store.next("a")
      const holder = fileURLToPath(new URL("./StateHolder.ts", import.meta.url))
      const child = spawn(process.execPath, [holder, Path.join(path, "tickline.db")], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      yield* Effect.callback<void>((resume) => {
        child.stdout.once("data", () => resume(Effect.void))
      })
      yield* Effect.callback<void>((resume) => {
        child.once("close", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
      const other = yield* nonces(path)
      assert.isAbove(yield* other.next("a"), before + 9_000)
    }))
})
