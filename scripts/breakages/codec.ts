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
    original: "this.whole = `${beginning}${text}\"`",
    replacement: "this.whole = `${beginning}${text}`",
    test: ["packages/core/test/FramePeek.test.ts", "is read after the beginning"]
  },
  {
    name: "a subject that came often is looked for as a pattern, whatever its letters mean there",
    file: "packages/core/src/codec/internal/framePeek.ts",
    original: "new RegExp(`^${escapePattern(this.whole)}`)",
    replacement: "new RegExp(`^${this.whole}`)",
    test: ["packages/core/test/FramePeek.test.ts", "is that of each frame"]
  },
  {
    name: "a subject that came often is found anywhere in a frame",
    file: "packages/core/src/codec/internal/framePeek.ts",
    original: "new RegExp(`^${",
    replacement: "new RegExp(`${",
    test: ["packages/core/test/FramePeek.test.ts", "is that of each frame"]
  },
  {
    name: "a subject of any length becomes a pattern",
    file: "packages/core/src/codec/internal/framePeek.ts",
    original: "this.inARow === manyInARow && this.whole.length <= mostLetters",
    replacement: "this.inARow === manyInARow",
    test: ["packages/core/test/FramePeek.test.ts", "may be longer than a pattern"]
  },
  {
    name: "what goes on behind a layout's end is passed over",
    file: layout,
    original: "stretchEnd(layout, last, frame, at) === frame.length",
    replacement: "stretchEnd(layout, last, frame, at) >= 0",
    test: ofOwnMembers
  },
  {
    name: "a pattern with a class is taken for a text",
    file: "packages/core/src/codec/internal/escapePattern.ts",
    original: "return escapePattern(text) === pattern ? text : undefined",
    replacement: "return text",
    test: ofOwnMembers
  },
  {
    name: "the second row of a book needs no comma before it",
    file: "packages/core/src/codec/internal/bookFormats.ts",
    original: "const second = comma(scanner, isSpaced) ? stringRow(scanner, isSpaced) : undefined",
    replacement: "const second = (comma(scanner, isSpaced), stringRow(scanner, isSpaced))",
    test: ["packages/core/test/Layout.edges.test.ts", "reads the rows of a book"]
  }
]
