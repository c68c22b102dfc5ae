#!/usr/bin/env node
/**
 * The front of the runner: what no part of it may do by itself. It turns on the
 * Schema JIT, and ends the process.
 *
 * @since 0.1.0
 */
import * as Printable from "@tickline/core/value/Printable"
import { readFileSync } from "node:fs"
import { enableCompileCache } from "node:module"
import process from "node:process"

enableCompileCache()

process.on("uncaughtException", (cause) => {
  const text = cause instanceof Error ? cause.stack ?? cause.message : String(cause)
  // A live table may have hidden the cursor.
  if (process.stdout.isTTY) process.stdout.write("\u001b[?25h")
  process.stderr.write(`tickline: this is a bug.\n${text.split("\n").map(Printable.escape).join("\n")}\n`)
  process.exit(70)
})

// While the run is being loaded there is nothing to end in good order.
const leave = () => process.exit(0)
process.on("SIGINT", leave).on("SIGTERM", leave)

// Loaded after the compile cache is on.
await import("effect/schema/SchemaJITCompiler/enable")
const Effect = await import("effect/Effect")
const Host = await import("./runner/Host.ts")
const Runner = await import("./runner/Runner.ts")

const { version }: { readonly version: string } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8")
)
process.off("SIGINT", leave).off("SIGTERM", leave)
const code = await Effect.runPromise(
  Runner.run(process.argv.slice(2), version).pipe(Effect.provide(Host.layer))
)
process.exit(code)
