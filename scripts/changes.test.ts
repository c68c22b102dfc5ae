import { describe, expect, it } from "vitest"
import { apply, changesOf, draw } from "./changes.ts"
import { parse } from "./source.ts"

const changes = (text: string) => changesOf(parse("packages/core/src/value/Sample.ts", text))
const replacements = (text: string) => changes(text).map(({ replacement }) => replacement)

describe("the changes that can be made", () => {
  it.each([
    ["a < b", ["a <= b"]],
    ["a >= b", ["a > b"]],
    ["a === b", ["a !== b"]],
    ["a + b * c", ["a - b * c", "a + b / c"]],
    ["a && !b", ["a || !b", "a && b"]],
    ["a ?? b", ["a && b"]],
    ["a ?? b ?? c", ["((a ?? b) && (c))", "((a) && (b)) ?? c"]],
    ["a && b || c", ["((a && b) && (c))", "((a) || (b)) || c"]],
    ["a ?? 5", ["a || 5", "a ?? 6", "a ?? 4"]],
    ["a ? b : c", ["true ? b : c", "false ? b : c"]],
    ["Math.min(a, b)", ["Math.max(a, b)"]],
    ["Math.ceil(a)", ["Math.floor(a)"]],
    ["0", ["1", "(-1)"]],
    ["3n", ["4n"]],
    ["true", ["false"]],
    ["\"\"", ["\"?\""]],
    ["[a, b]", ["[]"]]
  ])("of %s", (text, expected) => {
    expect(replacements(`const x = ${text}`).map((one) => one.replace("const x = ", ""))).toEqual(expected)
  })

  it("take out early returns and calls, and not the last return", () => {
    expect(replacements("const f = (x: A) => { if (x) return 5; g(x); return x }")).toEqual([
      "if (true) return 5;",
      "if (false) return 5;",
      "if (x) ;",
      "if (x) return 6;",
      "if (x) return 4;",
      ";"
    ])
  })

  it("pass over types, imports, comments and words for people", () => {
    expect(changes(`
      import { a } from "./a.ts"
      /** 1 < 2 */
      type T = 1 | 2
      const texts = "none" + name
      const schema = annotate({ description: 1 < 2 })
      const f = function*(x: Array<1 | 2>) { yield* Effect.logWarning("x", 1 < 2) }
    `)).toEqual([])
  })

  it("name their place, and are made there", () => {
    const text = "class A {\n  b(c: number) {\n    return c > 1_000\n  }\n}\n"
    const [change] = changes(text)
    expect(change).toMatchObject({
      at: "packages/core/src/value/Sample.ts:3:14",
      within: "A.b",
      original: "return c > 1_000",
      replacement: "return c >= 1_000"
    })
    expect(apply(text, change!.edit)).toBe(text.replace(">", ">="))
  })
})

it("the same seed draws the same, each at most once", () => {
  const all = Array.from({ length: 50 }, (_, i) => i)
  expect(draw(all, 20, 7)).toEqual(draw(all, 20, 7))
  expect(draw(all, 20, 7)).not.toEqual(draw(all, 20, 8))
  expect(draw(all, 99, 7).toSorted((a, b) => a - b)).toEqual(all)
})
