/**
 * `pnpm bench`: runs the benchmarks, each in a process of its own, prints a
 * table and writes the figures to `benchmarks/results/latest.json`.
 *
 * `--check` fails where a *must* is missed; `--only=Decode,Transport` runs
 * some; `--corpus=FOLDER` decodes recorded frames instead of synthetic ones;
 * `--write` puts the table into README.md and docs/performance.md, between
 * their marks, so that no figure there is typed by hand.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import type { Row } from "../benchmarks/Rounds.ts"
import { installPeers } from "./peers.ts"

const benchmarks = [
  "Decode",
  "Venues",
  "Books",
  "Breaker",
  "Transport",
  "Paced",
  "Recording",
  "Replay",
  "Products",
  "Alive",
  "Connections",
  "Sessions",
  "Routing",
  "Indicators",
  "Actors",
  "VirtualDay",
  "TradingDay",
  "Imports"
]

const option = (name: string): string | undefined =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3)

const isChecked = process.argv.includes("--check")
const only = option("only")?.split(",") ?? benchmarks
const corpus = option("corpus")

installPeers()

const rows: Array<Row> = []
for (const name of benchmarks.filter((benchmark) => only.includes(benchmark))) {
  process.stderr.write(`${name} …\n`)
  const run = spawnSync(process.execPath, ["--no-warnings", `benchmarks/${name}.ts`], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 300_000,
    env: corpus === undefined ? process.env : { ...process.env, TICKLINE_CORPUS: corpus }
  })
  if (run.status !== 0) {
    process.stderr.write(`${name} failed with ${run.status ?? run.signal}\n`)
    process.exit(1)
  }
  rows.push(...JSON.parse(run.stdout.trim().split("\n").at(-1) ?? "[]"))
}

const reaches = (row: Row, bound: number | undefined): boolean =>
  bound === undefined || (row.higher ? row.value >= bound : row.value <= bound)

const bound = (row: Row, value: number | undefined): string =>
  value === undefined ? "" : `${row.higher ? "≥" : "≤"} ${value}`

const verdict = (row: Row): string =>
  row.must === undefined ? "" : !reaches(row, row.must) ? "MISSED" : reaches(row, row.goal) ? "goal" : "must"

const table = [
  ["what", "measured", "must", "goal", "", ""],
  ...rows.map((row) => [
    row.name,
    `${row.value.toFixed(2)} ${row.unit}`,
    bound(row, row.must),
    bound(row, row.goal),
    verdict(row),
    row.detail ?? ""
  ])
]
const widths = [0, 1, 2, 3, 4, 5].map((column) => Math.max(...table.map((line) => line[column]?.length ?? 0)))
for (const line of table) {
  process.stdout.write(`${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()}\n`)
}

mkdirSync("benchmarks/results", { recursive: true })
writeFileSync(
  "benchmarks/results/latest.json",
  `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, rows }, undefined, 2)}\n`
)

const shown = (row: Row): string => `${row.value.toFixed(2)} ${row.unit}`
const markdown = [
  "| what | measured | must | goal |",
  "| --- | --- | --- | --- |",
  ...rows.map((row) => `| ${row.name} | **${shown(row)}** | ${bound(row, row.must)} | ${bound(row, row.goal)} |`)
]
const details = rows.filter((row) => row.detail !== undefined).map((row) => `- ${row.name}: ${row.detail}`)
const machine = `Node ${process.version.slice(1)}, ${cpus().length} cores (${cpus()[0]?.model.trim() ?? "unknown"}), ` +
  "medians of interleaved rounds in one run."

if (process.argv.includes("--write")) {
  for (const file of ["README.md", "docs/performance.md"]) {
    const text = readFileSync(file, "utf8")
    const [begin, end] = ["<!-- figures -->", "<!-- /figures -->"]
    const from = text.indexOf(begin)
    const to = text.indexOf(end)
    if (from < 0 || to < from) throw new Error(`${file} has no ${begin} … ${end}`)
    const block = [begin, "", ...markdown, "", machine, ...(file === "README.md" ? [] : ["", ...details]), "", end]
    writeFileSync(file, text.slice(0, from) + block.join("\n") + text.slice(to + end.length))
    execFileSync("dprint", ["fmt", file], { stdio: "ignore" })
  }
}

const missed = rows.filter((row) => !reaches(row, row.must))
if (missed.length > 0) {
  process.stderr.write(`${missed.length} of ${rows.filter((row) => row.must !== undefined).length} musts missed\n`)
  if (isChecked) process.exit(1)
}
