import { assert, describe, it } from "@effect/vitest"
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as JsonText from "../src/codec/internal/jsonText.ts"
import * as ParserLimits from "../src/codec/internal/parserLimits.ts"

/** What is wrong with a text, and before which character. */
const faults: ReadonlyArray<readonly [text: string, expected: string, offset: number]> = [
  ["", "a value, found the end", 0],
  [" ", "a value, found the end", 1],
  ["{", "a member's name in quotes, found the end", 1],
  ["{\"a", "the end of a string, found the end", 3],
  ["{\"a\"", "a colon, found the end", 4],
  ["{\"a\" 1", "a colon at character 6", 5],
  ["{\"a\":", "a value, found the end", 5],
  ["{\"a\":1", "a comma or }, found the end", 6],
  ["{\"a\":1 \"b\"", "a comma or } at character 8", 7],
  ["{\"a\":1,", "a member's name in quotes, found the end", 7],
  ["{\"a\":1,}", "a member's name in quotes at character 8", 7],
  ["{a:1}", "a member's name in quotes at character 2", 1],
  ["[", "a value, found the end", 1],
  ["[1", "a comma or ], found the end", 2],
  ["[1 2", "a comma or ] at character 4", 3],
  ["[1,", "a value, found the end", 3],
  ["[1,]", "a value at character 4", 3],
  ["tru", "a value at character 1", 0],
  ["truex", "the end at character 5", 4],
  ["nul", "a value at character 1", 0],
  ["-", "a digit, found the end", 1],
  ["-x", "a digit at character 2", 1],
  ["01", "the end at character 2", 1],
  ["1.", "a digit, found the end", 2],
  ["1.x", "a digit at character 3", 2],
  ["1e", "a digit, found the end", 2],
  ["1e+", "a digit, found the end", 3],
  ["1ex", "a digit at character 3", 2],
  [".5", "a value at character 1", 0],
  ["1 2", "the end at character 3", 2],
  ["\"", "the end of a string, found the end", 1],
  ["\"\\", "an escape sequence, found the end", 3],
  ["\"\\x\"", "an escape sequence at character 4", 3],
  ["\"\\u12\"", "an escape sequence at character 3", 2],
  ["\"\\u12g4\"", "an escape sequence at character 3", 2],
  ["\"\n\"", "no control character in a string at character 2", 1],
  ["\"a\u001f\"", "no control character in a string at character 3", 2],
  ["{}}", "the end at character 3", 2],
  ["null null", "the end at character 6", 5],
  ["\ufeff1", "a value at character 1", 0],
  ["[1,\n\t 2,\r x]", "a value at character 11", 10]
]

describe("ExactJson, at its edges", () => {
  it("gives the members of an object in the order of its text, names that are numbers included", () => {
    for (const text of ["{\"b\":1,\"2\":[],\"a\":null,\"1\":\"x\"}", "{\"b\":1,\"a\":null}", "{}"]) {
      const json = ExactJson.parse(text)
      assert(!(json instanceof ExactJson.Malformed) && ExactJson.isObject(json))
      const members = ExactJson.entries(json).map(([name, value]) =>
        `${JSON.stringify(name)}:${value instanceof ExactJson.JsonNumber ? value.text : JSON.stringify(value)}`
      )
      assert.strictEqual(`{${members.join()}}`, text)
    }
  })

  it("says in words what a value is", () => {
    const words: ReadonlyArray<readonly [value: unknown, words: string]> = [
      [null, "null"],
      ["", "an empty string"],
      ["a`b", "the string `a'b`"],
      [ExactJson.parse("1.50"), "the number 1.50"],
      [[], "an array"],
      [true, "true"],
      [false, "false"],
      [{}, "an object"]
    ]
    for (const [value, said] of words) assert.strictEqual(JsonText.describe(value), said)
  })

  for (const [text, expected, offset] of faults) {
    it(`of ${JSON.stringify(text)} it expected ${expected}`, () => {
      const read = ExactJson.parse(text)
      assert.instanceOf(read, ExactJson.Malformed)
      if (!(read instanceof ExactJson.Malformed)) return
      assert.deepStrictEqual([read.message, read.offset], [`expected ${expected}`, offset])
    })
  }

  it("accepts and refuses what JSON.parse does wherever one character is another", () => {
    const texts = ["{\"a\":[1,-0.50e+3,true],\"\\u00e9\\n\":null}", "[false,\"\\ud83d\\\"\",{}, [ ] ]", " -12.5E-7\t"]
    const characters = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))
    const plain = (json: ExactJson.Json): unknown =>
      json instanceof ExactJson.JsonNumber
        ? Number(json.text)
        : Array.isArray(json)
        ? json.map(plain)
        : ExactJson.isObject(json)
        ? Object.fromEntries(Object.entries(json).map(([name, member]) => [name, plain(member)]))
        : json
    const reference = (text: string): unknown => {
      try {
        return JSON.parse(text) as unknown
      } catch {
        return "malformed"
      }
    }
    for (const text of texts) {
      for (let at = 0; at < text.length; at++) {
        for (
          const other of [...characters.map((one) => text.slice(0, at) + one + text.slice(at + 1)), text.slice(0, at)]
        ) {
          const read = ExactJson.parse(other)
          const shown = read instanceof ExactJson.Malformed ? "malformed" : plain(read)
          assert.deepStrictEqual(shown, reference(other), JSON.stringify(other))
          if (read instanceof ExactJson.Malformed) assert.isTrue(read.offset >= 0 && read.offset <= other.length + 1)
        }
      }
    }
  })

  it("nests as deep as it says and no deeper, in arrays and objects, one after the other", () => {
    const deep = (depth: number): string => "[".repeat(depth) + "]".repeat(depth)
    assert.notInstanceOf(ExactJson.parse(deep(ParserLimits.maxDepth)), ExactJson.Malformed)
    assert.instanceOf(ExactJson.parse(deep(ParserLimits.maxDepth + 1)), ExactJson.Malformed)
    const objects = "{\"a\":".repeat(ParserLimits.maxDepth)
    assert.notInstanceOf(ExactJson.parse(`${objects}1${"}".repeat(ParserLimits.maxDepth)}`), ExactJson.Malformed)
    const beside = `[${deep(ParserLimits.maxDepth - 1)},${deep(ParserLimits.maxDepth - 1)}]`
    assert.notInstanceOf(ExactJson.parse(beside), ExactJson.Malformed)
    assert.strictEqual(ParserLimits.maxDepth, 256)
  })
})
