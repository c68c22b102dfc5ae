/**
 * Runs every example as its own header says, and fails where one fails, prints
 * nothing, or takes longer than a minute. What is in a folder of its own is a
 * page, and left to `scripts/browser.ts`. The header holds one line
 *
 *     Run: npx -y pnpm@12 exec node examples/prices.ts
 *
 *     node scripts/examples.ts
 */
import { spawnSync } from "node:child_process"
import { read, workspace } from "./source.ts"

/** Milliseconds that one example may take. */
const limit = 60_000

for (const { comments, path } of read(workspace, ["examples"]).filter(({ path }) => path.split("/").length === 2)) {
  const command = /^[\s*]*Run: `?(.+?)`?$/m.exec(comments[0]?.value ?? "")?.[1]
  const fail = (message: string) => {
    console.error(`${path}:1:1 ${message}`)
    process.exitCode = 1
  }
  if (command === undefined) {
    fail("no line \"Run: …\" in the header")
    continue
  }
  const { error, signal, status, stderr, stdout } = spawnSync(command, {
    cwd: workspace,
    encoding: "utf8",
    shell: true,
    timeout: limit
  })
  if (status === 0 && stdout.trim() !== "") console.log(`${path}: ${stdout.trim().split("\n").length} lines`)
  else fail(`${command}: ${error?.message ?? `exit ${status ?? signal}`}\n${stdout}${stderr}`)
}
