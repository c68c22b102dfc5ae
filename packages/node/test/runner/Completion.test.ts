/** The scripts that `--completions` prints, run by the shells that they are for. */
import { assert, describe, it } from "@effect/vitest"
import * as Venues from "@tickline/core/venue/Venues"
import * as Effect from "effect/Effect"
import { execFile, spawn, spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as TestHost from "./TestHost.ts"

const has = (program: string) => spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0

const names = Venues.all.map(({ name }) => name)

/** Lines, the last word of which is to be completed, and how. */
const cases: ReadonlyArray<readonly [line: string, words: ReadonlyArray<string>]> = [
  ["tickline stream k", ["kraken"]],
  ["tickline stream coinbase-e", ["coinbase-exchange"]],
  ["tickline stream coinbase-", ["coinbase-derivatives", "coinbase-exchange"]],
  ["tickline decode ", names],
  ["tickline simulate d", ["deribit", "dydx"]],
  ["tickline venues g", ["generic"]],
  ["tickline stream kraken X --preset m", ["market-feed"]],
  ["tickline stream kraken X --channel t", ["ticker", "trade"]],
  ["tickline venues --format n", ["ndjson"]],
  ["tickline venues --log-level w", ["warn"]],
  ["tickline si", ["simulate"]],
  ["tickline order d", ["deribit", "dydx"]],
  ["tickline order deribit pl", ["place"]],
  ["tickline order deribit place --tif p", ["post-only"]]
]

const script = Effect.fnUntraced(function*(shell: string) {
  const world = TestHost.make()
  assert.strictEqual(yield* TestHost.run(world, "--completions", shell), 0)
  assert.strictEqual(world.stderr(), "")
  const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-"))
  yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(folder, { recursive: true })))
  const path = Path.join(folder, `_tickline.${shell}`)
  Fs.writeFileSync(path, world.stdout())
  return { path, folder }
})

const run = (program: string, args: ReadonlyArray<string>, cwd: string) =>
  Effect.callback<string>((resume) => {
    execFile(program, args, { cwd }, (error, stdout, stderr) => {
      assert.strictEqual(stderr, "")
      resume(error === null ? Effect.succeed(stdout) : Effect.die(error))
    })
  })

/** As readline would: the words of the line, of which the last is completed. */
const readline = `source "$1"; shift
COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1))
_tickline tickline "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "\${COMPREPLY[@]}"`

describe("shell completions", { timeout: 30_000 }, () => {
  it.live.skipIf(!has("bash"))(
    "bash completes commands, venues, presets, channels and files",
    () =>
      Effect.gen(function*() {
        const { folder, path } = yield* script("bash")
        for (const [line, words] of cases) {
          const out = yield* run("bash", ["--norc", "-c", readline, "bash", path, ...line.split(" ")], folder)
          assert.deepStrictEqual(out.trim().split("\n").sort(), [...words].sort(), line)
        }
        for (const line of ["tickline decode kraken _tick", "tickline run --config _tick"]) {
          const out = yield* run("bash", ["--norc", "-c", readline, "bash", path, ...line.split(" ")], folder)
          assert.strictEqual(out.trim(), "_tickline.bash", line)
        }
      })
  )

  it.live.skipIf(!has("fish"))("fish does, too", () =>
    Effect.gen(function*() {
      const { folder, path } = yield* script("fish")
      for (const [line, words] of cases) {
        const out = yield* run("fish", ["--no-config", "-c", `source ${path}; complete -C '${line}'`], folder)
        const found = out.trim().split("\n").map((each) => each.split("\t")[0] ?? "")
        for (const word of words) assert.include(found, word, line)
        if (!line.endsWith(" ")) assert.strictEqual(found.length, words.length, `${line}: ${found.join(" ")}`)
      }
    }))

  it.live.skipIf(!has("zsh") || process.platform !== "linux")("zsh does, too", () =>
    Effect.gen(function*() {
      const { folder, path } = yield* script("zsh")
      // Completion is of zsh's line editor: it needs a terminal, which `script` of util-linux gives it.
      const child = spawn("script", ["-qfec", "zsh -f -i", "/dev/null"], {
        cwd: folder,
        env: { ...process.env, TERM: "dumb", ZDOTDIR: folder, HOME: folder }
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => child.kill("SIGKILL")))
      let seen = ""
      let look = () => {}
      child.stdout.on("data", (bytes: Buffer) => {
        seen += bytes.toString()
        look()
      })
      const typed = (text: string, shows: RegExp) =>
        Effect.callback<void>((resume) => {
          seen = ""
          look = () => {
            if (shows.test(seen)) resume(Effect.void)
          }
          child.stdin.write(text)
        })
      yield* typed(`PS1='> '; autoload -U compinit; compinit -u; source ${path}; print RE""ADY\n`, /READY[^]*> /)
      for (const [line, [word = "", ...others]] of cases) {
        if (others.length > 0) continue
        const rest = word.slice(line.length - line.lastIndexOf(" ") - 1)
        // The rest of the word comes; then the line is thrown away.
        yield* typed(`${line}\t`, new RegExp(`${line}[^]*${rest} `))
        yield* typed("\u0015", /./)
      }
    }))
})
