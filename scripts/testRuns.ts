/**
 * Runs tests in a copy of the workspace: many in a vitest of their own, or one
 * after the other in a vitest that stays. Each is in a process group of its own,
 * so that it can be ended, whatever a breakage has made of it.
 */
import { type ChildProcess, fork, spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { Writable } from "node:stream"
import { inspect } from "node:util"
import { createVitest, type PoolOptions, type PoolWorker } from "vitest/node"

/** A test that a breakage sends round in circles, without ever yielding, is ended after so many milliseconds. */
export const patience = 30_000

/** The test runs under way, each with a process group of its own, which no Ctrl-C reaches. */
export const running = new Set<ChildProcess>()

/** Ends a test run and all processes it has begun, some of which may go round in circles. */
export const end = (started: ChildProcess): void => {
  const { pid } = started
  running.delete(started)
  if (pid === undefined) return
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // It has ended by itself.
  }
}

/** What a test run came to. */
export interface Run {
  /** None where it was ended from outside. */
  readonly code: number | null
  readonly output: string
  /** Vitest's report; none where it did not get so far. */
  readonly report:
    | {
      readonly numFailedTests: number
      readonly numPassedTests: number
      readonly testResults: ReadonlyArray<{
        readonly name: string
        readonly startTime: number
        readonly endTime: number
        readonly message: string
        readonly assertionResults: ReadonlyArray<{
          readonly fullName: string
          readonly status: string
          readonly failureMessages: ReadonlyArray<string>
        }>
      }>
    }
    | undefined
}

/** Runs vitest in a copy, up to a time limit. */
export const vitest = (root: string, flags: ReadonlyArray<string>, millis: number): Promise<Run> =>
  new Promise((resolve) => {
    const report = Path.join(root, "report.json")
    Fs.rmSync(report, { force: true })
    const started = spawn(process.execPath, [
      Path.join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "--config",
      "vitest.workspace.ts",
      "--reporter",
      "json",
      "--outputFile",
      report,
      ...flags
    ], { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"] })
    running.add(started)
    let output = ""
    started.stdout.on("data", (data) => (output += data))
    started.stderr.on("data", (data) => (output += data))
    const timer = setTimeout(() => end(started), millis)
    started.on("close", (code) => {
      clearTimeout(timer)
      end(started)
      resolve({ code, output, report: Fs.existsSync(report) ? JSON.parse(Fs.readFileSync(report, "utf8")) : undefined })
    })
  })

export interface Outcome {
  readonly passed: number
  readonly failed: number
  /** What was said, where the outcome is not what it should be. */
  readonly output: string
}

/** A pattern of the tests whose names hold one of these. */
const named = (names: ReadonlyArray<string>): string =>
  names.map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|")

/** The tests that failed, each with why. */
const failuresOf = (report: NonNullable<Run["report"]>): string =>
  report.testResults.flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === "failed")
    .map(({ failureMessages, fullName }) => `${fullName}\n${failureMessages.join("\n")}`)
    .join("\n")

/** Runs these tests of these files in a copy. */
export const run = async (
  root: string,
  files: ReadonlyArray<string>,
  names: ReadonlyArray<string>,
  millis: number
): Promise<Outcome> => {
  const { code, output, report } = await vitest(root, ["--maxWorkers=1", "-t", named(names), ...files], millis)
  return report === undefined
    ? { passed: 0, failed: code === null ? 1 : 0, output }
    : { passed: report.numPassedTests, failed: report.numFailedTests, output: `${output}\n${failuresOf(report)}` }
}

/** What keeps a test that goes round in circles from lasting. */
const brief = { testTimeout: 3000, hookTimeout: 1000, teardownTimeout: 1000 }

/** The process of a test under way in a copy, with a group of its own, so that what it leaves behind is ended with it. */
const apart = (root: string, started: (one: ChildProcess) => void) => ({
  name: "apart",
  createPoolWorker: ({ distPath, env, execArgv }: PoolOptions): PoolWorker => {
    const test = fork(Path.join(distPath, "workers/forks.js"), {
      cwd: root,
      detached: true,
      env: { ...env },
      execArgv: [...execArgv],
      serialization: "advanced",
      stdio: "ignore"
    })
    running.add(test)
    started(test)
    return {
      name: "apart",
      cacheFs: true,
      on: (event, listener) => void test.on(event, listener),
      off: (event, listener) => void test.off(event, listener),
      send: (message) => void test.send(message),
      deserialize: (data) => data,
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(end(test))
    }
  }
})

/** Runs a test of a file, which has changed with the source beside it. */
export type Warm = (changed: string, file: string, name: string) => Promise<Outcome>

/**
 * A vitest that stays. Each test runs in a process of its own, which is ended after `patience`; what is transformed
 * is kept between them.
 */
export const warm = async (root: string): Promise<{ readonly run: Warm; readonly close: () => Promise<void> }> => {
  let test: ChildProcess | undefined
  const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() })
  const stays = await createVitest(
    {
      root,
      config: Path.join(root, "vitest.workspace.ts"),
      watch: false,
      reporters: [{}],
      pool: apart(root, (one) => (test = one)),
      env: { NODE_COMPILE_CACHE: Path.join(root, "compiled") },
      ...brief
    },
    {},
    { stdout: nowhere(), stderr: nowhere() }
  )
  const run: Warm = async (changed, file, name) => {
    stays.invalidateFile(changed)
    // What is reported is of this run, even where its process never begins.
    stays.state.filesMap.clear()
    const path = Path.join(root, file)
    const project = stays.projects.find(({ config }) => path.startsWith(`${config.root}${Path.sep}`))
    if (project === undefined) throw new Error(`no project has ${file}`)
    const specification = project.createSpecification(path, { testNamePattern: new RegExp(named([name])) })
    let isEnded = false
    const timer = setTimeout(() => {
      isEnded = true
      if (test !== undefined) end(test)
    }, patience)
    const { testModules, unhandledErrors } = await stays.runTestSpecifications([specification])
    clearTimeout(timer)
    // The source is about to be whole again.
    stays.invalidateFile(changed)
    const tests = testModules.flatMap(({ children }) => [...children.allTests()])
    const many = (state: string): number => tests.filter((one) => one.result().state === state).length
    const errors = [...testModules.flatMap((module) => module.errors()), ...unhandledErrors]
    return {
      passed: many("passed"),
      failed: isEnded ? 1 : many("failed"),
      output: errors.map((error) => inspect(error)).join("\n")
    }
  }
  return { run, close: () => stays.close() }
}
