/** What `scripts/shape.ts` refuses, and what it passes. */
import { assert, describe, it } from "@effect/vitest"
import { misshapen, mostNames } from "./shape.ts"
import { over } from "./temporaryWorkspace.ts"

const core = "packages/core/src"
const node = "packages/node/src"

describe("shape", () => {
  const found = (files: Readonly<Record<string, string>>): ReadonlyArray<string> =>
    over(files, (root) => misshapen(root).map(({ at, message }) => `${at} ${message}`))
  const lines = (count: number): string => "export {}\n".repeat(count)

  it("passes a file of 500 lines", () => assert.deepStrictEqual(found({ [`${core}/value/Y.ts`]: lines(500) }), []))
  for (const folder of [`${core}/value`, "packages/node/test", "scripts", "examples", "benchmarks"]) {
    it(`refuses a longer one in ${folder}`, () =>
      assert.match(found({ [`${folder}/Y.ts`]: lines(501) }).join(), /Y\.ts:501:1 501 lines/))
  }
  it("passes a longer one that says why on its first line", () =>
    assert.deepStrictEqual(found({ [`${core}/value/Y.ts`]: `// Long, because it is a table.\n${lines(501)}` }), []))
  it("refuses a reason that stands elsewhere, or says nothing", () => {
    assert.lengthOf(found({ [`${core}/value/Y.ts`]: `${lines(500)}// Long, because it is a table.\n` }), 1)
    assert.lengthOf(found({ [`${core}/value/Y.ts`]: `// Long, because\n${lines(501)}` }), 1)
  })

  it("refuses a property without a seed", () => {
    const of = (end: string) => found({ "packages/core/test/Y.ts": `it.effect.prop("y", [a], ([b]) => b${end})` })
    assert.deepStrictEqual(of(", { arbitrary: { seed: 7 } }"), [])
    for (const end of ["", ", { arbitrary: {} }"]) assert.match(of(end).join(), /Y\.ts:1:1 a property without a seed/)
  })

  const error = (tag: string, made = "Schema.TaggedError<E>()"): string =>
    `export class E extends ${made}("${tag}", {}) {}\n`
  it("passes errors with tags of their own", () =>
    assert.deepStrictEqual(found({ [`${core}/value/A.ts`]: error("One"), [`${node}/B.ts`]: error("Two") }), []))
  it("refuses two errors with one tag, in any package", () =>
    assert.deepStrictEqual(found({ [`${core}/value/A.ts`]: error("One"), [`${node}/B.ts`]: error("One") }), [
      `${node}/B.ts:1:48 the tag "One" is that of another error, at ${core}/value/A.ts:1:48`
    ]))
  it("knows the other ways to declare one", () =>
    assert.lengthOf(
      found({
        [`${core}/value/A.ts`]: error("One", "TaggedError<E>()"),
        [`${core}/value/B.ts`]: error("One", "Data.TaggedError"),
        [`${core}/value/C.ts`]: error("One", "Schema.TaggedErrorClass<E>()")
      }),
      2
    ))

  const names = (count: number): string =>
    Array.from({ length: count }, (_, index) => `export type T${index} = 0\nexport const T${index} = 0\n`).join("")
  it("passes as many public names as core may have, a type and a value of one name counted once", () =>
    assert.deepStrictEqual(
      found({
        [`${core}/value/A.ts`]: `// Long, because it is a list.\n${names(mostNames - 2)}`,
        [`${core}/value/B.ts`]: names(2),
        [`${core}/value/internal/c.ts`]: names(2)
      }),
      []
    ))
  it("refuses one more", () =>
    assert.deepStrictEqual(
      found({ [`${core}/value/A.ts`]: `// Long, because it is a list.\n${names(mostNames + 1)}` }),
      [
        `${core}/index.ts:1:1 ${
          mostNames + 1
        } public names (more than ${mostNames}): what only core uses stands in an ` +
        "internal folder"
      ]
    ))
})
