/** Breakages of the room `codec` of core. */
import type { Breakage } from "./Breakage.ts"

const layout = "packages/core/src/codec/internal/layout.ts"
const ofOwnMembers = ["packages/core/test/Layout.edges.test.ts", "hands over a frame's own members"] as const

export const breakages: ReadonlyArray<Breakage> = [
  // bounds
  {
    name: "a frame of a million names is read",
    file: "packages/core/src/codec/ExactJson.ts",
    original: "return this.names.size <= maxNames",
    replacement: "return true",
    test: ["packages/core/test/ExactJson.test.ts", "different names"]
  },
  // what a layout has of the frame before
  {
    name: "a member that is null keeps the text of the frame before",
    file: layout,
    original: "texts[filled++] = match[group]",
    replacement: "texts[filled] = match[group] ?? texts[filled], filled++",
    test: ofOwnMembers
  },
  {
    name: "the texts of the frame before are not written over",
    file: layout,
    original: "texts[filled++] = match[group]",
    replacement: "texts.push(match[group])",
    test: ofOwnMembers
  },
  {
    name: "each stretch of a layout counts the groups of those before it",
    file: layout,
    original: "const groups = this.captured - this.taken",
    replacement: "const groups = this.captured",
    test: ofOwnMembers
  },
  {
    name: "a subject that begins like the last one is taken for it",
    file: "packages/core/src/codec/internal/framePeek.ts",
    original: "whole: `${beginning}${text}\"`, text",
    replacement: "whole: `${beginning}${text}`, text",
    test: ["packages/core/test/FramePeek.test.ts", "is read after the beginning"]
  }
]
