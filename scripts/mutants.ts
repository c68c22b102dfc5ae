/**
 * Breaks the source in many small ways, one at a time, and runs the test that
 * should notice. A test that stays green fails the run: it could not have told.
 *
 * The work is done in copies of the workspace under the system's temporary
 * folder; the checkout itself is only read. Before anything is broken, every
 * test that is to notice something must be green.
 *
 *     node scripts/mutants.ts [--every 4] [parts of breakages' names]
 *     node scripts/mutants.ts --random 100 --seed 1 [--under packages/core/src/value]
 *
 * The first form tries the list, or every fourth of each of its files, which is
 * what a run of everything has time for.
 *
 * The second form draws that many one-operator changes by chance from a seed,
 * runs for each the tests that import the changed module, the nearest first,
 * and prints what none of them noticed. Changes on the list of harmless ones
 * are drawn but not tried. It fails where less than nine in ten are noticed.
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { parseArgs } from "node:util"
import type { Breakage } from "./breakages/Breakage.ts"
import { apply, type Change, changesOf, draw } from "./changes.ts"
import { harmless } from "./harmless.ts"
import { changed, related } from "./related.ts"
import { parse, read, workspace } from "./source.ts"
import { end, patience, run, running, vitest, type Warm, warm } from "./testRuns.ts"

/** The breakages, or of each file's the first and every so many after it. */
const listed = async (every: number): Promise<ReadonlyArray<Breakage>> => {
  const found: Array<Breakage> = []
  for (const file of Fs.globSync("scripts/breakages/[a-z]*.ts", { cwd: workspace }).toSorted()) {
    const { breakages }: { readonly breakages: ReadonlyArray<Breakage> } = await import(Path.join(workspace, file))
    found.push(...breakages.filter((_, at) => at % every === 0))
  }
  return found
}

/** How many copies are worked on at the same time. */
const workers = 2

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
  // Some tests read what is published.
  for (const folder of ["docs", "deploy", "examples"]) link(Path.join(workspace, folder), Path.join(to, folder))
  linkModules(".")
  for (const name of packages) {
    const folder = Path.join("packages", name)
    for (const part of ["src", "test", "package.json", "tsconfig.json", "vitest.config.ts"]) {
      Fs.cpSync(Path.join(workspace, folder, part), Path.join(to, folder, part), { recursive: true })
    }
    linkModules(folder)
  }
}

/** Applies one breakage to a copy, runs its test and takes the breakage back. Says what is wrong, if anything. */
const attempt = async (
  root: string,
  run: Warm,
  { file, original, replacement, test }: Breakage
): Promise<string | undefined> => {
  const path = Path.join(root, file)
  const source = Fs.readFileSync(path, "utf8")
  const times = source.split(original).length - 1
  if (times !== 1) return `${file} has its text ${times} times, not once`
  Fs.writeFileSync(path, source.replace(original, () => replacement))
  try {
    const { failed, output, passed } = await run(path, ...test)
    if (failed > 0) return undefined
    return passed > 0 ? "the test stays green" : `the test did not run\n${output.slice(-2000)}`
  } finally {
    Fs.writeFileSync(path, source)
  }
}

/** Works on a queue with every copy of the workspace at once. */
const share = async <A>(
  roots: ReadonlyArray<string>,
  all: ReadonlyArray<A>,
  work: (root: string, one: A, at: number) => Promise<void>
): Promise<void> => {
  const queue = all.map((one, at) => ({ one, at }))
  await Promise.all(roots.map(async (root) => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(root, next.one, next.at)
  }))
}

const minutesSince = (begun: number): string => ((performance.now() - begun) / 60_000).toFixed(1)

/** Tries the list: every breakage must be noticed by its test. */
const tryList = async (
  roots: ReadonlyArray<string>,
  every: number,
  wanted: ReadonlyArray<string>
): Promise<boolean> => {
  const begun = performance.now()
  const all = await listed(every)
  const unknown = wanted.find((part) => !all.some(({ name }) => name.includes(part)))
  if (unknown !== undefined) {
    console.error(`Mutants: no breakage has ${JSON.stringify(unknown)} in its name`)
    return false
  }
  const chosen = wanted.length === 0 ? all : all.filter(({ name }) => wanted.some((part) => name.includes(part)))
  const sounds = await Promise.all(roots.map((root, i) => {
    const files = [...new Set(chosen.map(({ test }) => test[0]))].filter((_, at) => at % roots.length === i)
    const names = chosen.filter(({ test }) => files.includes(test[0])).map(({ test }) => test[1])
    return files.length === 0 ? { passed: 1, failed: 0, output: "" } : run(root, files, names, 20 * patience)
  }))
  if (sounds.some(({ failed, passed }) => failed > 0 || passed === 0)) {
    console.error(sounds.map(({ output }) => output).join("\n"))
    const failed = sounds.reduce((sum, one) => sum + one.failed, 0)
    console.error(`Mutants: the tests are not green as they are: ${failed} fail`)
    return false
  }
  console.log(`The tests of ${chosen.length} breakages are green, after ${minutesSince(begun)} min`)
  const results: Array<{ readonly breakage: Breakage; readonly fault: string | undefined }> = []
  const kept = new Map(await Promise.all(roots.map(async (root) => [root, await warm(root)] as const)))
  await share(roots, chosen, async (root, breakage, at) => {
    results[at] = { breakage, fault: await attempt(root, kept.get(root)!.run, breakage) }
  })
  for (const { close } of kept.values()) await close()
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
  return missed === 0
}

/** The share of the changes drawn by chance that must be noticed. */
const enough = 0.9
/** What is measured in real time says more of a busy machine than of a change. */
const untimed = "^(?!.*\\bmegabyte\\b)"
/** Test files whose tests take up to so many milliseconds are run before the rest, where they are near. */
const soon = 3000

/**
 * Runs whole test files in a copy until the first failure. Says whether all of
 * them passed within the time, and how long each file took.
 */
const runFiles = async (root: string, files: ReadonlyArray<string>, millis: number): Promise<{
  readonly passed: boolean
  readonly took: ReadonlyArray<readonly [file: string, millis: number]>
  readonly output: string
}> => {
  const limits = ["--testTimeout=40000", "--hookTimeout=5000", "--teardownTimeout=1000", "--bail=1", "-t", untimed]
  const { code, output, report } = await vitest(
    root,
    ["--no-isolate", "--maxWorkers=1", "--execArgv=--max-old-space-size=2048", ...limits, ...files],
    millis
  )
  if (report === undefined && code !== null) throw new Error(`vitest did not run\n${output}`)
  const results = report?.testResults ?? []
  const failures = results.flatMap(({ assertionResults, message }) => [
    message,
    ...assertionResults.filter(({ status }) => status === "failed")
      .map(({ failureMessages, fullName }) => `${fullName}\n${failureMessages.join("\n")}`)
  ]).filter((text) => text !== "")
  const took = results.map(({ endTime, name, startTime }) =>
    [Path.relative(root, name).split(Path.sep).join("/"), endTime - startTime] as const
  )
  return { passed: code === 0, took, output: failures.length === 0 ? output : failures.join("\n") }
}

const keyOf = ({ file, original, replacement, within }: Omit<Change, "at" | "edit">): string =>
  JSON.stringify([file, within, original, replacement])

/** Tries changes drawn by chance: nine in ten of those that are not harmless must be noticed. */
const tryRandom = async (
  roots: ReadonlyArray<string>,
  many: number,
  seed: number,
  under: string
): Promise<boolean> => {
  const begun = performance.now()
  const sources = read(workspace, changed)
  const all = sources.flatMap(changesOf)
  const matched = Map.groupBy(all, keyOf)
  for (const one of harmless) {
    const many = matched.get(keyOf(one))?.length ?? 0
    if (many === 1) continue
    console.log(
      `${many === 0 ? "no such change any more" : `pardons ${many} changes`}  ` +
        `${one.file} ${one.within}: ${one.original} -> ${one.replacement}`
    )
  }
  const pardoned = new Set(harmless.map(keyOf))
  const drawn = draw(all.filter(({ file }) => file.includes(under)), many, seed)
  const tried = drawn.filter((change) => !pardoned.has(keyOf(change)))

  // As they are, all must pass; that run also says how long each takes.
  const took = new Map<string, number>()
  const testsOf = related()
  const files = [...new Set(tried.flatMap(({ file }) => [...testsOf(file).keys()]))]
  const halves = roots.map((_, i) => files.filter((__, at) => at % roots.length === i))
  const faults = await Promise.all(roots.map(async (root, i) => {
    const sound = await runFiles(root, halves[i]!, 20 * patience)
    for (const [file, millis] of sound.took) took.set(file, millis)
    return sound.passed ? "" : sound.output
  }))
  if (faults.some((fault) => fault !== "")) {
    console.error(`${faults.join("\n")}\nMutants: the tests are not green as they are`)
    return false
  }

  const isNoticed = async (root: string, { edit, file }: Change): Promise<boolean> => {
    const path = Path.join(root, file)
    const source = Fs.readFileSync(path, "utf8")
    const text = apply(source, edit)
    parse(file, text)
    const costOf = (test: string): number => took.get(test) ?? 0
    const tests = [...testsOf(file)].toSorted(([a, near], [b, far]) => near - far || costOf(a) - costOf(b))
    const first: Array<string> = []
    let budget = soon
    for (const [test, distance] of tests) {
      if (distance > 1 || costOf(test) > budget) continue
      budget -= costOf(test)
      first.push(test)
    }
    const rest = tests.map(([test]) => test).filter((test) => !first.includes(test))
    Fs.writeFileSync(path, text)
    try {
      for (const stage of [first, rest].filter((some) => some.length > 0)) {
        const cost = stage.reduce((sum, test) => sum + costOf(test), 0)
        if (!(await runFiles(root, stage, 2 * patience + 8 * cost)).passed) return true
      }
      return false
    } finally {
      Fs.writeFileSync(path, source)
    }
  }
  const missed: Array<Change> = []
  let done = 0
  await share(roots, tried, async (root, change) => {
    const noticed = await isNoticed(root, change)
    done++
    if (!noticed) {
      missed.push(change)
      console.log(
        `MISSED  ${change.at} in ${change.within}\n        ${change.original}\n     -> ${change.replacement}` +
          `\n        (${done} of ${tried.length} tried, ${minutesSince(begun)} min)`
      )
    }
  })
  const noticed = tried.length - missed.length
  const portion = tried.length === 0 ? 1 : noticed / tried.length
  console.log(
    `\nMutants: seed ${seed}: ${drawn.length} drawn of ${all.length}, ${drawn.length - tried.length} harmless, ` +
      `${noticed} of ${tried.length} noticed (${(100 * portion).toFixed(1)} %), ${missed.length} missed, ` +
      `in ${minutesSince(begun)} min`
  )
  return portion >= enough
}

/** A whole number of an option, or the end of the run with what is wrong. */
const whole = (name: string, text: string, least = 0): number => {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new Error(`--${name} wants a whole number from ${least}, not ${text}`)
}

const main = async (): Promise<number> => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      every: { type: "string", default: "1" },
      random: { type: "string" },
      seed: { type: "string", default: "1" },
      under: { type: "string", default: "" }
    }
  })
  const many = values.random === undefined ? undefined : whole("random", values.random)
  const seed = whole("seed", values.seed)
  const every = whole("every", values.every, 1)
  const base = Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-mutants-")))
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      for (const started of running) end(started)
      Fs.rmSync(base, { recursive: true, force: true })
      process.exit(1)
    })
  }
  try {
    const roots = Array.from({ length: workers }, (_, i) => Path.join(base, String(i)))
    for (const root of roots) {
      Fs.mkdirSync(root)
      copy(root)
    }
    const held = many === undefined
      ? await tryList(roots, every, positionals)
      : await tryRandom(roots, many, seed, values.under)
    return held ? 0 : 1
  } finally {
    Fs.rmSync(base, { recursive: true, force: true })
  }
}

process.exitCode = await main()
