/** A server of a benchmark, in a process of its own. */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"

/** Starts the server of a file beside this one, which says its address; it ends as `child` is disconnected. */
export const start = async (file: string): Promise<{ readonly url: string; readonly child: ChildProcess }> => {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), { stdio: "inherit" })
  const url = await new Promise<string>((resolve, reject) => {
    child.once("message", (message: { url: string }) => resolve(message.url))
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)))
  })
  return { url, child }
}
