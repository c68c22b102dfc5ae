import { assert, describe, it } from "@effect/vitest"
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Generic from "@tickline/core/venue/generic/Venue"
import { plain, reference, referenceAccepts } from "./ExactJson.reference.ts"

const read = (text: string): unknown => {
  const json = ExactJson.parse(text)
  return json instanceof ExactJson.Malformed ? json : plain(json)
}

/** Texts about which JSON readers have disagreed. */
const accepted = [
  "0",
  "-0",
  "1e-400",
  "1E+5",
  "12345678901234567890.1234567890",
  "\"\"",
  "\"\\ud800\"",
  "\"\ud800\"",
  "\"\\u0000\\u001f\"",
  "\"\u007f\u2028\u2029\"",
  "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
  "true",
  "false",
  "null",
  "[]",
  "{}",
  " \t\r\n[ 1 , { \"a\" : [ ] } ]\n",
  "{\"a\":1,\"a\":2}",
  "{\"__proto__\":{\"polluted\":1},\"constructor\":2,\"toString\":3}",
  "{\"\":1,\"1\":2,\"0\":3}",
  "[[[[[[]]]]]]"
]

const refused = [
  "",
  " ",
  "\ufeff{}",
  "\u00a01",
  "01",
  "-",
  "+1",
  ".5",
  "1.",
  "1e",
  "1e+",
  "0x1",
  "NaN",
  "Infinity",
  "-Infinity",
  "tru",
  "truex",
  "nul",
  "'a'",
  "\"",
  "\"a",
  "\"\n\"",
  "\"\u0001\"",
  "\"\\x41\"",
  "\"\\u12\"",
  "\"\\u12g4\"",
  "\"\\",
  "\"\\uD80",
  "[1,]",
  "[,1]",
  "[1 2]",
  "[",
  "]",
  "[1}",
  "{",
  "{a:1}",
  "{\"a\"}",
  "{\"a\":}",
  "{\"a\":1,}",
  "{,}",
  "{\"a\":1 \"b\":2}",
  "{\"a\" 1}",
  "{1:2}",
  "1 2",
  "{}{}",
  "undefined",
  "/* */1"
]

describe("ExactJson", () => {
  for (const text of accepted) {
    it(`accepts ${JSON.stringify(text).slice(0, 60)}`, () => {
      assert.isTrue(referenceAccepts(text))
      assert.deepStrictEqual(read(text), reference(text))
      const json = ExactJson.parse(text)
      assert.notInstanceOf(json, ExactJson.Malformed)
      // With numbers made doubles again, it is what JSON.parse gives.
      assert.deepStrictEqual(plain(json as ExactJson.Json, Number), JSON.parse(text))
    })
  }

  for (const text of refused) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.isFalse(referenceAccepts(text))
      assert.instanceOf(ExactJson.parse(text), ExactJson.Malformed)
    })
  }

  it("keeps each number's text", () => {
    for (const text of ["7.0", "1e3", "-0", "-0.00", "1e-400", "9007199254740993", "0.100000000000000000", "1E+5"]) {
      assert.deepStrictEqual(read(`{"a":[${text}]}`), { a: [{ number: text }] })
    }
  })

  it("says where and what it expected", () => {
    const json = ExactJson.parse("{\"a\":1,}")
    assert.instanceOf(json, ExactJson.Malformed)
    assert.strictEqual(json.offset, 7)
    assert.strictEqual(json.message, "expected a member's name in quotes at character 8")
    assert.isUndefined((json as { readonly stack?: unknown }).stack)
  })

  it("treats __proto__ as a member", () => {
    const json = ExactJson.parse("{\"__proto__\":{\"type\":\"x\"}}")
    assert.isTrue(Object.hasOwn(json as object, "__proto__"))
    assert.strictEqual(Object.getPrototypeOf(json), Object.prototype)
    assert.isUndefined((json as { readonly type?: unknown }).type)
    assert.isUndefined(({} as { readonly type?: unknown }).type)
  })

  it("reads some thousand different names of members, and no more", () => {
    const names = (count: number): string => `{${Array.from({ length: count }, (_, n) => `"k${n}":${n}`).join(",")}}`
    assert.strictEqual(Object.keys(Object(ExactJson.parse(names(8_192)))).length, 8_192)
    const refused = ExactJson.parse(names(8_193))
    assert.deepInclude(refused, { message: "more than 4096 different names of members", isTooLarge: true })
    assert.instanceOf(ExactJson.parse(`[${names(100).replaceAll("k", "a")},${names(20_000)}]`), ExactJson.Malformed)
    // The same names may come as often as they like.
    const same = `[${Array.from({ length: 50_000 }, () => "{\"price\":1,\"qty\":2}").join(",")}]`
    assert.notInstanceOf(ExactJson.parse(same), ExactJson.Malformed)
    const rejection = Generic.venue.decode(names(10_000))
    assert.deepInclude(rejection, { _tag: "FrameRejected", reason: "TooLarge" })
  })

  it("takes 256 levels and refuses more without exhausting the stack", () => {
    const nested = (levels: number, open = "[", close = "]"): string => open.repeat(levels) + close.repeat(levels)
    assert.notInstanceOf(ExactJson.parse(nested(256)), ExactJson.Malformed)
    for (
      const text of [
        nested(257),
        nested(100_000),
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        "[{\"a\":".repeat(300)
      ]
    ) {
      const json = ExactJson.parse(text)
      assert.instanceOf(json, ExactJson.Malformed)
      assert.include(json.message, "256 levels")
    }
    // Width is no depth.
    assert.notInstanceOf(ExactJson.parse(`[${"[],".repeat(10_000)}[]]`), ExactJson.Malformed)
  })

  it("tells objects from what else is one to typeof", () => {
    assert.isTrue(ExactJson.isObject(ExactJson.parse("{}") as ExactJson.Json))
    for (const text of ["[]", "1", "null", "\"{}\"", "true"]) {
      assert.isFalse(ExactJson.isObject(ExactJson.parse(text) as ExactJson.Json))
    }
  })
})
