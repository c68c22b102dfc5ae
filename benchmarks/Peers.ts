/** Loads a peer from the benchmark's own folder, where only the benchmark's command installs it. */
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"

const require = createRequire(new URL("./peers/package.json", import.meta.url))

/** The module of a peer, typed by the caller with the few members that are used. */
export const peer = async <A>(name: string): Promise<A> => {
  const loaded: { default?: unknown } = await import(pathToFileURL(require.resolve(name)).href)
  return (typeof loaded.default === "object" || typeof loaded.default === "function" ? loaded.default : loaded) as A
}
