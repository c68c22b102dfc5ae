/**
 * Installs, once, what the benchmarks, `pnpm ccxt` and `pnpm talib` measure and
 * check beside Tickline, into a folder of its own. Nothing else needs it.
 */
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import * as Path from "node:path"
import { workspace } from "./source.ts"

const folder = Path.join(workspace, "benchmarks/peers")

/** Installs the peers where they are not there yet. */
export const installPeers = (): void => {
  if (existsSync(Path.join(folder, "node_modules"))) return
  process.stderr.write("installing the peers …\n")
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"]
  })
}
