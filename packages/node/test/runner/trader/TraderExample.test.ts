/** `examples/trader.toml` as a newcomer runs it: a process, in a folder of its own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import * as Path from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as TraderRig from "./TraderRig.ts"

const bin = Path.join(import.meta.dirname, "../../../src/bin.ts")
const config = Path.join(import.meta.dirname, "../../../../../examples/trader.toml")

const start = (cwd: string, ...args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [bin, ...args, "--config", config], { cwd, stdio: ["ignore", "pipe", "pipe"] })
  const texts = { stdout: "", stderr: "" }
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text
    })
  }
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
  const objects = (): ReadonlyArray<Record<string, string>> =>
    texts.stdout.slice(0, texts.stdout.lastIndexOf("\n") + 1).split("\n").filter((line) => line !== "").map((line) =>
      JSON.parse(line)
    )
  const printed = (count: number, tag: string) =>
    Effect.gen(function*() {
      while (objects().filter(({ _tag }) => _tag === tag).length < count) {
        if (child.exitCode !== null) assert.fail(texts.stderr)
        yield* Effect.sleep(20)
      }
    }).pipe(Effect.timeout("30 seconds"))
  return { child, ended: Effect.promise(() => ended), objects, stderr: () => texts.stderr, printed }
}

describe("examples/trader.toml", { timeout: 90_000 }, () => {
  it.live("trades within 30 s, goes on after kill -9 with what its accounts had, and reports at its end", () =>
    Effect.gen(function*() {
      const folder = yield* TraderRig.folder
      const first = start(folder, "run")
      yield* first.printed(3, "Fill")
      first.child.kill("SIGKILL")
      yield* first.ended
      const database = new DatabaseSync(Path.join(folder, "trader.sqlite"), { readOnly: true })
      const rows = database.prepare("SELECT client_id, exchange FROM tickline_orders WHERE is_over = 0").all()
      const stored = database.prepare("SELECT client_id FROM tickline_claims").all().map(({ client_id }) => client_id)
      database.close()
      for (const { _tag, clientId } of first.objects()) {
        if (_tag === "Acknowledged") assert.include(stored, clientId)
      }

      const second = start(folder, "run")
      yield* second.printed(2, "Fill")
      for (const { client_id, exchange } of rows) {
        const found = second.objects().find((event) =>
          event["_tag"] === "Reconciled" && event["clientId"] === client_id
        )
        assert.strictEqual(found?.["exchange"], exchange)
      }
      const asked = performance.now()
      second.child.kill("SIGTERM")
      assert.strictEqual(yield* second.ended, 0)
      assert.isBelow(performance.now() - asked, 4_000)
      // Each product counts its trades by itself.
      const fills = [...first.objects(), ...second.objects()].filter(({ _tag }) => _tag === "Fill")
        .map(({ exchange, product, side, tradeId }) => `${exchange} ${product} ${tradeId} ${side}`)
      assert.strictEqual(new Set(fills).size, fills.length)
      assert.notInclude(first.stderr() + second.stderr(), "accounts differ")
      assert.match(second.stderr(), /^profit [+-]?\d+\.\d\d USD of 20000\.00: /m)

      // Nobody runs: the exchanges of the process have ended with it.
      const halt = start(folder, "halt")
      assert.strictEqual(yield* halt.ended, 0)
      assert.match(halt.stderr(), /halted: 0 orders cancelled, none is open/)
    }))
})
