/** Breakages of the room `trading` of core. */
import type { Breakage } from "./Breakage.ts"

const order = "packages/core/src/trading/Order.ts"
const ofOrder = "packages/core/test/Order.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  // an order of ours
  {
    name: "an outcome is said twice",
    file: order,
    original: "to._tag === \"Reconciled\" ? from?._tag === \"OutcomeUnknown\" : from === undefined",
    replacement: "to._tag === \"Reconciled\" || from?._tag !== \"Reconciled\"",
    test: [ofOrder, "whose outcome is unknown is reconciled, once"]
  },
  {
    name: "an order that was never sent is filled",
    file: order,
    original: "return said === status || said === \"unknown\" ? status : \"forbidden\"",
    replacement: "return said",
    test: [ofOrder, "that was never there cannot come later"]
  },
  {
    name: "an order that is filled is cancelled",
    file: order,
    original: "return said === status || said === \"absent\" || !isOver(said) ? status : \"forbidden\"",
    replacement: "return said",
    test: [ofOrder, "has one end"]
  },
  {
    name: "an answer that is overtaken takes back what is known",
    file: order,
    original: ": order.status\n    case \"Fill\":",
    replacement: ": \"unknown\"\n    case \"Fill\":",
    test: [ofOrder, "knows what overtakes its answer"]
  },
  {
    name: "a fill counts as often as it is told",
    file: order,
    original: "order.fills.some(({ tradeId }) => tradeId === fill.tradeId)",
    replacement: "order.fills.length < 0",
    test: [ofOrder, "has each fill once"]
  },
  {
    name: "a fill adds to what was told already",
    file: order,
    original: "most(most(order.filled, sumOf(fills)), ",
    replacement: "most(BigDecimal.sum(order.filled, fill?.amount ?? Decimal.zero), ",
    test: [ofOrder, "has each fill once"]
  },
  {
    name: "an order is filled beyond its amount",
    file: order,
    original: "if (progress > 0) return",
    replacement: "if (progress > 9) return",
    test: [ofOrder, "is not filled beyond its amount"]
  },
  {
    name: "an order that rested and is there no more was never there",
    file: order,
    original: "said === \"absent\" ? \"unknown\" : said === \"rejected\"",
    replacement: "said === \"rejected\"",
    test: [ofOrder, "that rested and is there no more"]
  },
  {
    name: "an average price is cut",
    file: "packages/core/src/value/internal/exactArithmetic.ts",
    original: "2n * (self < 0n ? -self : self) + by",
    replacement: "2n * (self < 0n ? -self : self)",
    test: ["packages/core/test/ExactArithmetic.test.ts", "rounds half away from zero"]
  },
  {
    name: "a limit order needs no price",
    file: "packages/core/src/trading/OrderRequest.ts",
    original: "price !== undefined || \"a limit order needs a price\"",
    replacement: "true",
    test: [ofOrder, "has a price if its type has one"]
  },
  {
    name: "an order's line says its liquidity",
    file: "packages/core/src/trading/OrderEvent.ts",
    original: "instant(\"timestamp\", event.timestamp)",
    replacement: "instant(\"timestamp\", event.timestamp) + text(\"liquidity\", event.liquidity)",
    test: [ofOrder, "is printed as the schema encodes it"]
  }
]
