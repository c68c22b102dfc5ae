/** Breakages of the room `codec` of core. */
import type { Breakage } from "./Breakage.ts"

export const breakages: ReadonlyArray<Breakage> = [
  // bounds
  {
    name: "a frame of a million names is read",
    file: "packages/core/src/codec/ExactJson.ts",
    original: "return this.names.size <= maxNames",
    replacement: "return true",
    test: ["packages/core/test/ExactJson.test.ts", "different names"]
  }
]
