import { assert, describe, it } from "@effect/vitest"
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Chance from "@tickline/testing/Chance"
import * as SequenceGaps from "../src/connection/internal/sequenceGaps.ts"
import * as MachineSpeed from "./MachineSpeed.ts"

const sequenceOf = SequenceGaps.member("seq")

describe("SequenceGaps.step", () => {
  const gap = (from: bigint, to: bigint, missing: bigint): SequenceGaps.Step => ({ _tag: "Gap", from, to, missing })
  const steps: ReadonlyArray<readonly [what: string, last: bigint | undefined, next: bigint, step: SequenceGaps.Step]> =
    [
      ["the first number", undefined, 9n, { _tag: "InOrder" }],
      ["the next", 9n, 10n, { _tag: "InOrder" }],
      ["the same", 9n, 9n, { _tag: "InOrder" }],
      ["one that leaves one out", 9n, 11n, gap(9n, 11n, 1n)],
      ["one that leaves many out", 9n, 9_007_199_254_740_995n, gap(9n, 9_007_199_254_740_995n, 9_007_199_254_740_985n)],
      ["one that goes back", 9n, 8n, { _tag: "Violation", from: 9n, to: 8n }]
    ]
  for (const [what, last, next, step] of steps) {
    it(`knows ${what}`, () => assert.deepStrictEqual(SequenceGaps.step(last, next), step))
  }
})

describe("SequenceGaps.member", () => {
  const texts: ReadonlyArray<readonly [what: string, text: string, number: bigint | undefined]> = [
    ["a number", "{\"seq\":9}", 9n],
    ["its own, not one that a member holds", "{\"data\":{\"seq\":5},\"seq\":9}", 9n],
    ["its own, not one in a list", "{\"data\":[{\"seq\":5}],\"seq\":9}", 9n],
    ["its own, not one in a text", "{\"note\":\"\\\"seq\\\":5\",\"seq\":9}", 9n],
    ["its own, after a text that ends in backslashes", "{\"note\":\"\\\\\",\"seq\":9,\"x\":\"\\\\\\\"\"}", 9n],
    ["none of those that its members hold", "{\"data\":{\"seq\":5}}", undefined],
    ["one with white space around", " {\n \"seq\" : 9 \t}\r\n", 9n],
    ["one of digits in a string", "{\"seq\":\"10\"}", 10n],
    ["one of digits in escapes", "{\"seq\":\"\\u0031\\u0030\"}", 10n],
    ["one under a name in escapes", "{\"\\u0073eq\":9}", 9n],
    ["one beyond 2^53, and beyond 64 bits", "{\"seq\":12345678901234567890123}", 12_345_678_901_234_567_890_123n],
    ["the last of two", "{\"seq\":1,\"seq\":2}", 2n],
    ["the last of two, which is none", "{\"seq\":1,\"seq\":null}", undefined],
    ["none of a part of a number", "{\"seq\":5.5}", undefined],
    ["none of a number that begins another", "{\"seq\":5e3}", undefined],
    ["none of a text that begins with digits", "{\"seq\":\"5x\"}", undefined],
    ["none of an object", "{\"seq\":{\"seq\":5}}", undefined],
    ["none of a longer name", "{\"seqs\":5,\"xseq\":5}", undefined],
    ["none of a list", "[{\"seq\":5}]", undefined],
    ["none of an empty object", "{}", undefined],
    ["none of half a frame", "{\"seq\":5", undefined],
    ["none of a frame and more", "{\"seq\":5}}", undefined],
    ["none of a text that does not end", "{\"seq\":5,\"a\":\"x", undefined],
    ["none of a text in a list that does not end", "{\"seq\":5,\"a\":[\"x", undefined],
    ["none of a name that does not end", "{\"seq\":5,\"a", undefined],
    ["none of a list that ends twice", "{\"seq\":5,\"a\":[1]]}", undefined],
    ["none where a name has no quotes", "{seq:5}", undefined],
    ["none where a value has no colon", "{\"seq\" 5}", undefined],
    ["none of a member without a value", "{\"seq\":}", undefined],
    ["none of a text with a bad escape", "{\"seq\":\"\\x31\"}", undefined],
    ["none of a number in a text with a space", "{\"seq\":\" 5\"}", undefined],
    ["one after lists in lists and empty ones", "{\"a\":[[1],[]],\"b\":{\"c\":{}},\"seq\":9}", 9n],
    ["one that a list follows", "{\"seq\":9,\"a\":[1,[2]]}", 9n],
    ["one with each kind of white space before each part", "{\t\"seq\"\n:\r9 ,\n\t\r \"a\" : 1\r}\n", 9n],
    ["one after a text with two backslashes and a quote", "{\"a\":\"\\\\\\\"\",\"seq\":9}", 9n],
    ["none of no JSON", "seq", undefined],
    ["none of nothing", "", undefined]
  ]
  for (const [what, text, number] of texts) it(`reads ${what}`, () => assert.strictEqual(sequenceOf(text), number))

  it("reads an object's member, whatever holds its digits", () => {
    assert.strictEqual(sequenceOf({ seq: 7 }), 7n)
    assert.strictEqual(sequenceOf({ seq: 7n }), 7n)
    assert.strictEqual(sequenceOf({ seq: "9007199254740993" }), 9_007_199_254_740_993n)
    assert.strictEqual(sequenceOf(ExactJson.parse("{\"seq\":9007199254740993}")), 9_007_199_254_740_993n)
    assert.isUndefined(sequenceOf({ seq: 2 ** 53 }))
    assert.isUndefined(sequenceOf({ seq: 1.5 }))
    assert.isUndefined(sequenceOf({ other: 1 }))
    assert.isUndefined(sequenceOf(new Uint8Array([1])))
    assert.isUndefined(sequenceOf(undefined))
    assert.isUndefined(sequenceOf(null))
    assert.isUndefined(sequenceOf(5))
  })

  it("agrees with the exact reader on any JSON", () => {
    const chance = Chance.make(11)
    const space = (): string => chance.pick(["", "", "", " ", "\n\t"])
    const word = (): string => chance.pick(["seq", "s", "a\\", "\"seq\":3", "{", "}", "],", "\u2028", "é", ""])
    const quoted = (text: string): string =>
      chance.integer(4) === 0
        ? `"${[...text].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")}"`
        : JSON.stringify(text)
    const value = (depth: number): string => {
      switch (chance.integer(depth > 3 ? 5 : 7)) {
        case 0:
          return chance.pick(["0", "7", "12345678901234567890", "-1", "1.5", "1e3"])
        case 1:
          return quoted(chance.pick(["5", "0012", "x", "", "9007199254740993"]))
        case 2:
          return quoted(word())
        case 3:
          return chance.pick(["null", "true", "false"])
        case 4:
          return "[]"
        case 5:
          return `[${space()}${value(depth + 1)}${space()},${value(depth + 1)}]`
        default:
          return object(depth + 1)
      }
    }
    const object = (depth: number): string =>
      `{${space()}${
        Array.from(
          { length: chance.integer(4) },
          () => `${quoted(word())}${space()}:${space()}${value(depth)}${space()}`
        ).join(`,${space()}`)
      }}`
    let found = 0
    for (let i = 0; i < 20_000; i++) {
      const text = `${space()}${object(0)}${space()}`
      const exact = sequenceOf(ExactJson.parse(text))
      if (exact !== undefined) found++
      assert.strictEqual(sequenceOf(text), exact, text)
    }
    assert.isAbove(found, 300)
  })

  it("takes a megabyte in time that grows with its length alone", () => {
    const hostile = [
      `{"a":"${"\\\\".repeat(500_000)}","seq":9}`,
      `{"a":"${"\\\"".repeat(500_000)}","seq":9}`,
      `{"a":${"[".repeat(500_000)}${"]".repeat(500_000)},"seq":9}`,
      `{${"\"seq\":1,".repeat(125_000)}"seq":9}`,
      `{"a":1${" ".repeat(1_000_000)},"seq":9}`
    ]
    for (const text of hostile) {
      assert.strictEqual(sequenceOf(text), 9n)
      assert.isBelow(MachineSpeed.leastMillis(() => sequenceOf(text), { runs: 5 }), 50, text.slice(0, 20))
    }
  })
})
