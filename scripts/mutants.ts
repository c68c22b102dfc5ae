/**
 * Breaks the source in many small ways, one at a time, and runs the test that
 * should notice. A test that stays green fails the run: it could not have told.
 *
 * The work is done in copies of the workspace under the system's temporary
 * folder; the checkout itself is only read. Before anything is broken, every
 * test that is to notice something must be green.
 *
 *     node scripts/mutants.ts [part of a breakage's name]
 */
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { type Breakage, breakages } from "./breakages.ts"
import { workspace } from "./source.ts"

/** How many copies are worked on at the same time. */
const workers = 2
/** A test that a breakage sends round in circles, without ever yielding, is ended after so many milliseconds. */
const patience = 30_000

const packages = ["core", "testing", "node"]

/** Copies what tests need. Packages of others are links; our own point into the copy. */
const copy = (to: string): void => {
  const link = (target: string, path: string) => {
    Fs.mkdirSync(Path.dirname(path), { recursive: true })
    Fs.symlinkSync(target, path)
  }
  for (const file of ["package.json", "vitest.workspace.ts", "tsconfig.base.json"]) {
    Fs.copyFileSync(Path.join(workspace, file), Path.join(to, file))
  }
  const linkModules = (folder: string) => {
    const modules = Path.join(workspace, folder, "node_modules")
    for (const entry of Fs.readdirSync(modules)) {
      if (entry === "@tickline" || (entry.startsWith(".") && entry !== ".pnpm")) continue
      link(Path.join(modules, entry), Path.join(to, folder, "node_modules", entry))
    }
    for (const name of packages) {
      link(Path.join(to, "packages", name), Path.join(to, folder, "node_modules/@tickline", name))
    }
  }
  linkModules(".")
  for (const name of packages) {
    const folder = Path.join("packages", name)
    for (const part of ["src", "test", "package.json", "tsconfig.json", "vitest.config.ts"]) {
      Fs.cpSync(Path.join(workspace, folder, part), Path.join(to, folder, part), { recursive: true })
    }
    linkModules(folder)
  }
}

interface Outcome {
  readonly passed: number
  readonly failed: number
  /** What was said, where the outcome is not what it should be. */
  readonly output: string
}

/** Runs tests in a copy: those of a file whose names begin with `name`, or all of several files. */
const run = (root: string, files: ReadonlyArray<string>, name?: string): Promise<Outcome> =>
  new Promise((resolve) => {
    const report = Path.join(root, "report.json")
    Fs.rmSync(report, { force: true })
    const only = name === undefined ? [] : ["--bail", "1", "-t", name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")]
    const vitest = spawn(process.execPath, [
      Path.join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "--config",
      "vitest.workspace.ts",
      "--reporter",
      "json",
      "--outputFile",
      report,
      ...(name === undefined ? [] : ["--testTimeout", "3000", "--hookTimeout", "1000", "--teardownTimeout", "1000"]),
      ...only,
      ...files
    ], { cwd: root, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    vitest.stdout.on("data", (data) => (output += data))
    vitest.stderr.on("data", (data) => (output += data))
    const timer = setTimeout(() => vitest.kill("SIGKILL"), name === undefined ? 4 * patience : patience)
    vitest.on("close", (code) => {
      clearTimeout(timer)
      if (!Fs.existsSync(report)) return resolve({ passed: 0, failed: code === null ? 1 : 0, output })
      const { numFailedTests, numPassedTests } = JSON.parse(Fs.readFileSync(report, "utf8"))
      resolve({ passed: numPassedTests, failed: numFailedTests, output })
    })
  })

/** Applies one breakage to a copy, runs its test and takes the breakage back. Says what is wrong, if anything. */
const attempt = async (root: string, { file, original, replacement, test }: Breakage): Promise<string | undefined> => {
  const path = Path.join(root, file)
  const source = Fs.readFileSync(path, "utf8")
  const times = source.split(original).length - 1
  if (times !== 1) return `${file} has its text ${times} times, not once`
  Fs.writeFileSync(path, source.replace(original, () => replacement))
  try {
    const { failed, output, passed } = await run(root, [test[0]], test[1])
    if (failed > 0) return undefined
    return passed > 0 ? "the test stays green" : `the test did not run\n${output.slice(-2000)}`
  } finally {
    Fs.writeFileSync(path, source)
  }
}

const main = async (): Promise<number> => {
  const begun = performance.now()
  const wanted = process.argv[2]
  const chosen = breakages.filter(({ name }) => wanted === undefined || name.includes(wanted))
  const base = Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-mutants-")))
  try {
    const roots = Array.from({ length: workers }, (_, i) => Path.join(base, String(i)))
    for (const root of roots) {
      Fs.mkdirSync(root)
      copy(root)
    }
    const files = [...new Set(chosen.map(({ test }) => test[0]))]
    const sound = await run(roots[0]!, files)
    if (sound.failed > 0 || sound.passed === 0) {
      console.error(sound.output)
      console.error(`Mutants: the tests are not green as they are: ${sound.failed} fail`)
      return 1
    }
    const results: Array<{ readonly breakage: Breakage; readonly fault: string | undefined }> = []
    const queue = chosen.map((breakage, at) => ({ breakage, at }))
    await Promise.all(roots.map(async (root) => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        results[next.at] = { breakage: next.breakage, fault: await attempt(root, next.breakage) }
      }
    }))
    const width = Math.max(...chosen.map(({ name }) => name.length))
    for (const { breakage, fault } of results) {
      const [file, name] = breakage.test
      console.log(
        `${fault === undefined ? "noticed" : "MISSED "}  ${breakage.name.padEnd(width)}  ${
          Path.basename(file, ".test.ts")
        }: ${name}${fault === undefined ? "" : `\n         ${fault}`}`
      )
    }
    const missed = results.filter(({ fault }) => fault !== undefined).length
    const seconds = ((performance.now() - begun) / 1000).toFixed(0)
    console.log(`\nMutants: ${results.length - missed} passed, ${missed} failed, in ${seconds} s`)
    return missed === 0 ? 0 : 1
  } finally {
    Fs.rmSync(base, { recursive: true, force: true })
  }
}

process.exitCode = await main()
