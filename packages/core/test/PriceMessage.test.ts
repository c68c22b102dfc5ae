import { assert, describe, it } from "@effect/vitest"
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as PriceMessage from "@tickline/core/venue/generic/PriceMessage"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const accept = (text: string, rules?: PriceMessage.Rules, now?: number): PriceMessage.PriceMessage => {
  const result = PriceMessage.parseJson(text, rules, now)
  assert.isTrue(Result.isSuccess(result), Result.isFailure(result) ? result.failure.message : "")
  return Result.getOrThrow(result)
}

const refuse = (text: string, rules?: PriceMessage.Rules, now?: number): PriceMessage.PriceRejected => {
  const result = PriceMessage.parseJson(text, rules, now)
  assert.isTrue(Result.isFailure(result), `accepted ${text}`)
  return Result.getOrThrow(Result.flip(result))
}

const stamp = "\"timestamp\":\"2025-10-28T12:00:00Z\""
const priced = (price: string): string => `{"product_id":"BTC-USD","price":${price},${stamp}}`

describe("PriceMessage", () => {
  it("reads the generic price message", () => {
    const message = accept("{\"product_id\":\"BTC-USD\",\"price\":\"45000.50\",\"timestamp\":\"2025-10-28T12:00:00Z\"}")
    assert.strictEqual(message.product, "BTC-USD")
    assert.strictEqual(message.productId, "BTC-USD")
    assert.strictEqual(message.symbol, "BTC-USD")
    assert.strictEqual(Decimal.format(message.price), "45000.50")
    assert.strictEqual(String(message.timestamp), "2025-10-28T12:00:00Z")
  })

  it("takes its other names, and passes over what else there is", () => {
    const message = accept(
      "{\"exchange\":{\"a\":[1]},\"symbol\":\"ETH-USD\",\"ts\":1761652800,\"volume\":null,\"price\":1.50,\"sequence\":1}"
    )
    assert.strictEqual(message.product, "ETH-USD")
    assert.strictEqual(Decimal.format(message.price), "1.50")
    assert.strictEqual(String(message.timestamp), "2025-10-28T12:00:00Z")
  })

  const prices: ReadonlyArray<readonly [json: string, plain: string]> = [
    ["\"45000.50\"", "45000.50"],
    ["45000.50", "45000.50"],
    ["\"0.00000001\"", "0.00000001"],
    ["0.000000000000000001", "0.000000000000000001"],
    ["\"999999999.123456789012345678\"", "999999999.123456789012345678"],
    ["999999999.123456789012345678", "999999999.123456789012345678"],
    ["99.12345678901234", "99.12345678901234"],
    ["\"1.23e-5\"", "0.0000123"],
    ["1.230e-5", "0.00001230"],
    ["9007199254740993", "9007199254740993"],
    ["1E5", "100000"]
  ]
  for (const [json, plain] of prices) {
    it(`keeps the price ${json} exact`, () => assert.strictEqual(Decimal.format(accept(priced(json)).price), plain))
  }

  const badPrices: ReadonlyArray<readonly [json: string, category: string, message: string]> = [
    ["\"ABC\"", "type", "numeric"],
    ["null", "type", "is null"],
    ["true", "type", "numeric"],
    ["[1]", "type", "numeric"],
    ["{}", "type", "numeric"],
    ["\"Infinity\"", "type", "numeric"],
    ["\"1,000\"", "type", "numeric"],
    ["\"\"", "validation", "is empty"],
    ["0", "validation", "greater than zero"],
    ["\"0.00\"", "validation", "greater than zero"],
    ["-5", "validation", "greater than zero"],
    ["\"-0.01\"", "validation", "greater than zero"],
    ["1e2000", "validation", "more than 1000 digits"]
  ]
  for (const [json, category, message] of badPrices) {
    it(`refuses the price ${json}`, () => {
      const rejected = refuse(priced(json))
      assert.strictEqual(rejected.category, category)
      assert.strictEqual(rejected.reason, "InvalidField")
      assert.strictEqual(rejected.field, "price")
      assert.include(rejected.message, message)
      assert.isTrue(Schema.is(PriceMessage.PriceRejected)(rejected))
    })
  }

  const malformed = ["", "{", "{\"price\":}", "{price:1}", "not json", "{\"a\":1,}", "'x'", "[1"]
  for (const text of malformed) {
    it(`refuses ${JSON.stringify(text)} as malformed`, () => {
      const rejected = refuse(text)
      assert.deepStrictEqual([rejected.category, rejected.reason], ["parse", "MalformedJson"])
      assert.include(rejected.message, "JSON syntax")
    })
  }

  for (const text of ["[]", "[{\"product_id\":\"X\"}]", "1", "null", "\"x\""]) {
    it(`refuses ${text} as no object`, () => {
      const rejected = refuse(text)
      assert.deepStrictEqual([rejected.category, rejected.reason], ["parse", "NotAnObject"])
      assert.include(rejected.message, "invalid structure")
    })
  }

  const missing: ReadonlyArray<readonly [text: string, field: string]> = [
    [`{"price":"1",${stamp}}`, "product_id"],
    [`{"product_id":"X",${stamp}}`, "price"],
    ["{\"product_id\":\"X\",\"price\":1}", "timestamp"],
    ["{}", "product_id"]
  ]
  for (const [text, field] of missing) {
    it(`names the missing member of ${text}`, () => {
      const rejected = refuse(text)
      assert.deepStrictEqual([rejected.category, rejected.reason, rejected.field], [
        "validation",
        "MissingField",
        field
      ])
      assert.include(rejected.message, field)
    })
  }

  it("tells a null, an empty and a mistyped product apart", () => {
    const messages = ["null", "\"\"", "123"].map((json) => refuse(`{"product_id":${json},"price":1,${stamp}}`))
    assert.deepStrictEqual(messages.map(({ field }) => field), ["product_id", "product_id", "product_id"])
    assert.deepStrictEqual(messages.map(({ message }) => message), [
      "product_id is null",
      "product_id is empty",
      "product_id must be a string, found the number 123"
    ])
    assert.deepStrictEqual(messages.map(({ category }) => category), ["type", "validation", "type"])
  })

  it("names the member by the name that the message uses", () => {
    assert.strictEqual(refuse(`{"symbol":5,"price":1,${stamp}}`).field, "symbol")
    assert.strictEqual(refuse("{\"symbol\":\"X\",\"price\":1,\"ts\":\"noon\"}").field, "ts")
  })

  it("tells the first fault in the message's order", () => {
    assert.strictEqual(refuse(`{"price":"x","product_id":"",${stamp}}`).field, "price")
    assert.strictEqual(refuse(`{"product_id":"","price":"x",${stamp}}`).field, "product_id")
    assert.strictEqual(refuse("{\"timestamp\":\"x\"}").field, "timestamp")
  })

  for (const json of ["1761652800", "1761652800000", "1761652800000000", "\"2025-10-28T14:00:00+02:00\""]) {
    it(`reads the timestamp ${json}`, () => {
      const { timestamp } = accept(`{"product_id":"X","price":1,"timestamp":${json}}`)
      assert.strictEqual(timestamp === undefined ? undefined : Timestamp.epochMillis(timestamp), 1_761_652_800_000)
    })
  }

  for (const json of ["\"yesterday\"", "true", "[]", "-1", "\"2025-02-30T00:00:00Z\"", "null", "\"\""]) {
    it(`refuses the timestamp ${json}`, () => {
      const rejected = refuse(`{"product_id":"X","price":1,"timestamp":${json}}`)
      assert.deepStrictEqual([rejected.reason, rejected.field], ["InvalidField", "timestamp"])
    })
  }

  describe("rules", () => {
    const now = 1_761_652_800_000

    it("are off by default", () => {
      accept(priced("1"), PriceMessage.strict, now + 1e12)
      accept(priced("1"), PriceMessage.strict, now - 1e12)
    })

    it("limit age", () => {
      const rules = { ...PriceMessage.strict, maxAgeMillis: 5000 }
      accept(priced("1"), rules, now + 5000)
      const rejected = refuse(priced("1"), rules, now + 5001)
      assert.deepStrictEqual([rejected.category, rejected.field], ["validation", "timestamp"])
      assert.include(rejected.message, "5001 ms old")
      // Without a clock's reading there is nothing to measure by.
      accept(priced("1"), rules)
    })

    it("limit skew into the future", () => {
      const rules = { ...PriceMessage.strict, maxFutureSkewMillis: 0 }
      accept(priced("1"), rules, now)
      assert.include(refuse(priced("1"), rules, now - 1).message, "1 ms in the future")
    })

    it("limit decimal places, counted from the text", () => {
      const rules = { ...PriceMessage.strict, maxDecimalPlaces: 2 }
      accept(priced("\"1.50\""), rules)
      assert.include(refuse(priced("\"1.500\""), rules).message, "3 decimal places")
      assert.include(refuse(priced("1e-3"), rules).message, "3 decimal places")
    })

    it("may do without a timestamp", () => {
      assert.isUndefined(accept("{\"product_id\":\"X\",\"price\":1}", PriceMessage.lenient).timestamp)
      assert.isUndefined(accept("{\"product_id\":\"X\",\"price\":1,\"ts\":null}", PriceMessage.lenient).timestamp)
      assert.strictEqual(
        refuse("{\"product_id\":\"X\",\"price\":1,\"ts\":\"x\"}", PriceMessage.lenient).field,
        "ts"
      )
    })

    it("may ask for more members, and for members of other names", () => {
      const rules: PriceMessage.Rules = {
        ...PriceMessage.strict,
        fieldMap: { product: ["s"], price: ["p", "c"], timestamp: ["t"] },
        requiredFields: ["volume"]
      }
      const message = accept("{\"s\":\"BTCUSDT\",\"c\":\"1.0\",\"t\":1761652800123,\"volume\":0}", rules)
      assert.strictEqual(Decimal.format(message.price), "1.0")
      assert.strictEqual(refuse("{\"s\":\"BTCUSDT\",\"c\":\"1.0\",\"t\":1761652800123}", rules).field, "volume")
      assert.strictEqual(refuse("{\"s\":\"X\",\"c\":\"1\",\"t\":1,\"volume\":null}", rules).field, "volume")
    })
  })

  it("tells a number's precision", () => {
    const precise = PriceMessage.preservePrecision("1.0e-8")
    assert.isDefined(precise)
    assert.deepStrictEqual([precise.text, Decimal.format(precise.decimal), precise.decimalPlaces], [
      "1.0e-8",
      "0.000000010",
      9
    ])
    assert.isUndefined(PriceMessage.preservePrecision("x"))
  })

  it("checks a single price", () => {
    assert.instanceOf(PriceMessage.validatePrice("x"), PriceMessage.PriceRejected)
    const price = PriceMessage.validatePrice(new ExactJson.JsonNumber("1.50"))
    assert.notInstanceOf(price, PriceMessage.PriceRejected)
  })
})
