/**
 * A recording process that is killed outright: `TICKLINE_KILLS=50` (`pnpm kills`) for more of them than the suite has.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Tape from "@tickline/core/recording/Tape"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Recording from "@tickline/node/runner/Recording"
import * as Chance from "@tickline/testing/Chance"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

const bin = Path.join(import.meta.dirname, "../../src/bin.ts")
const venue = MockVenues.byName("coinbase-exchange") ?? MockVenues.all[0]!

const kills = Number(process.env["TICKLINE_KILLS"] ?? 5)

/** What is promised: so much may be missing. */
const flushMillis = 1_000

const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
)

/** Runs it until it has printed so many lines, and kills it at once; gives what it printed, and when it was killed. */
const killed = (args: ReadonlyArray<string>, printed: number) =>
  Effect.promise(() =>
    new Promise<{ readonly stdout: string; readonly at: number }>((resolve) => {
      const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "ignore"] })
      let stdout = ""
      let lines = 0
      let at = 0
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text
        lines += text.split("\n").length - 1
        if (lines < printed || at > 0) return
        at = Date.now()
        child.kill("SIGKILL")
      })
      child.on("close", () => resolve({ stdout, at }))
    })
  )

const read = (file: string) =>
  Effect.promise(async () => {
    const entries: Array<Tape.Entry> = []
    let number = 0
    for await (const lines of Recording.lines(Fs.createReadStream(file))) {
      for (const line of lines) {
        const entry = line === undefined ? undefined : Tape.parse(line, ++number)
        // A line that says something wrong is none that a recorder wrote.
        assert.isTrue(entry !== undefined && entry._tag !== "EntryRejected", `line ${number} of ${file}`)
        if (entry !== undefined && entry._tag !== "EntryRejected") entries.push(entry)
      }
    }
    return entries
  })

describe("a recording whose process is killed outright", { timeout: 20_000 }, () => {
  for (let seed = 1; seed <= kills; seed++) {
    it.live(`reads, and has all but the last second: seed ${seed}`, () =>
      Effect.gen(function*() {
        const chance = Chance.make(seed)
        const rate = 100 + chance.integer(900)
        const server = yield* MockServer.make({ venue, rate, seed })
        const ending = ["", ".gz", ".zst"][seed % 3] ?? ""
        const file = Path.join(yield* folder, `a.jsonl${ending}`)
        const { at, stdout } = yield* killed(
          ["stream", venue.name, "BTC-USD", "--url", server.url, "--record", file, "--format", "ndjson", "--lifecycle"],
          Math.round(rate * (1.5 + 2 * chance.next()))
        )
        const printed = stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line))
          .filter(({ _tag }) => _tag === "Trade")
        const entries = yield* read(file)
        assert.strictEqual(entries[0]?._tag, "Header")
        const recorded = entries.flatMap((entry) => {
          const text = entry._tag === "Frame" && entry.direction === "in" ? JSON.parse(String(entry.frame)) : undefined
          return text?.trade_id !== undefined ? [{ id: String(text.trade_id), at: entry.at }] : []
        })
        // It has no hole, and begins with what came first.
        const ids = printed.map(({ tradeId }) => tradeId)
        const both = Math.min(ids.length, recorded.length)
        assert.deepStrictEqual(recorded.slice(0, both).map(({ id }) => id), ids.slice(0, both))
        const missing = printed.slice(recorded.length).map(({ receivedAt }) => Date.parse(receivedAt))
        for (const receivedAt of missing) assert.isAbove(receivedAt, at - flushMillis)
        const last = recorded.at(-1)?.at
        if (last !== undefined) assert.isAtMost(Timestamp.epochMillis(last), at + flushMillis)
      }))
  }
})
