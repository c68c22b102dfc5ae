/** Breakages of the room `venue` of core. */
import type { Breakage } from "./Breakage.ts"

const message = "packages/core/src/venue/generic/PriceMessage.ts"
const codec = "packages/core/src/codec/Decoder.ts"
const named = "packages/testing/test/named"
const ofParsing = `${named}/Parsing.test.ts`

export const breakages: ReadonlyArray<Breakage> = [
  // the named tests: Parsing
  {
    name: "the other name of the product is not known",
    file: message,
    original: "product: [\"product_id\", \"symbol\"]",
    replacement: "product: [\"product_id\"]",
    test: [ofParsing, "valid price message parsing"]
  },
  {
    name: "what is no JSON is passed over in silence",
    file: codec,
    original: "? Rejection.frameRejected(venue, ...RejectionWords.malformed(frame, json))",
    replacement: "? []",
    test: [ofParsing, "malformed json handling"]
  },
  {
    name: "an array counts as an object",
    file: codec,
    original: ": Rejection.frameRejected(venue, ...RejectionWords.notAnObject(json))",
    replacement: ": []",
    test: [ofParsing, "malformed json handling"]
  },
  {
    name: "an empty product is a product",
    file: message,
    original: ": json === \"\"\n    ?",
    replacement: ": json === \" \"\n    ?",
    test: [ofParsing, "missing required fields"]
  },
  {
    name: "a price of zero, or under it, is a price",
    file: message,
    original: "if (!Decimal.isPositive(price)) {",
    replacement: "if (Decimal.isPositive(price) === undefined) {",
    test: [ofParsing, "price type validation"]
  },
  {
    name: "a binary message is passed over in silence",
    file: codec,
    original: "return Rejection.frameRejected(venue, ...RejectionWords.binary(frame))",
    replacement: "return []",
    test: [ofParsing, "invalid message handling"]
  },
  // what venues send where there is nothing to send
  {
    name: "a trade that was not made on the market is one",
    file: "packages/core/src/venue/binance/Messages.ts",
    original: "new Set<string | undefined>([\"INSURANCE_FUND\", \"ADL\", \"NA\"])",
    replacement: "new Set<string | undefined>()",
    test: ["packages/core/test/Binance.test.ts", "reads a trade of the futures that is none of the market's, NA, bare"]
  },
  {
    name: "an empty price refuses the frame",
    file: "packages/core/src/codec/internal/memberSchemas.ts",
    original: "optional(Schema.Union([Decimal.FromText, Schema.Literal(\"\")]))",
    replacement: "optional(Schema.Union([Decimal.FromText]))",
    test: ["packages/core/test/Coinbase.test.ts", "reads a ticker with an empty price, before the first trade"]
  },
  {
    name: "a greeting in plain text is a fault",
    file: "packages/core/src/venue/hyperliquid/Messages.ts",
    original: "frame === greeting ? [other({ venue, kind: \"greeting\" })] : undefined",
    replacement: "undefined",
    test: ["packages/core/test/Hyperliquid.test.ts", "passes over the plain text that greets"]
  },
  // bounds
  {
    name: "a frame of exponents fills the memory",
    file: "packages/core/src/codec/internal/expansionLimit.ts",
    original: "if (zeros > most) {",
    replacement: "if (zeros < 0) {",
    test: ["packages/core/test/Fuzz.test.ts", "in plain notation"]
  }
]
