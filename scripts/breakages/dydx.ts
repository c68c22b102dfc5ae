/** Breakages of dYdX. */
import type { Breakage } from "./Breakage.ts"

const signing = "packages/core/src/trading/dydx/DydxSigning.ts"
const keys = "packages/core/src/trading/dydx/internal/keys.ts"
const protobuf = "packages/core/src/trading/dydx/internal/protobuf.ts"
const gateway = "packages/core/src/trading/dydx/internal/dydxGateway.ts"
const orders = "packages/core/src/trading/dydx/internal/orders.ts"
const asking = "packages/core/src/trading/dydx/internal/asking.ts"
const channel = "packages/core/src/trading/dydx/internal/subaccountChannel.ts"
const runner = "packages/node/src/runner/exchange/DydxOrders.ts"
const transactions = "packages/testing/src/exchange/internal/dydxTransactions.ts"
const ofExchange = "packages/testing/test/trading/DydxExchange.test.ts"
const ofRunner = "packages/node/test/runner/DydxOrders.test.ts"
const ofSigning = "packages/core/test/DydxSigning.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "dYdX is asked without time",
    file: asking,
    original: "if (this.now() >= until) return Effect.fail(tooLate)",
    replacement: "",
    test: [ofExchange, "is not asked for without time"]
  },
  {
    name: "dYdX: a redirect is said to have taken no order",
    file: asking,
    original: "status < 500 && (status >= 400 || request.method === \"GET\")",
    replacement: "status < 500",
    test: [ofExchange, "may have been taken by a node that redirects"]
  },
  {
    name: "a member that is zero is written to dYdX",
    file: protobuf,
    original: "return whole === 0n ? nothing :",
    replacement: "return whole < 0n ? nothing :",
    test: [ofSigning, "is not written"]
  },
  {
    name: "four bytes are written to dYdX the wrong way round",
    file: protobuf,
    original: "setUint32(0, value, true)",
    replacement: "setUint32(0, value, false)",
    test: [ofSigning, "have every member that is not zero"]
  },
  {
    name: "a varint has seven bits",
    file: protobuf,
    original: "const more = left > 0x7fn",
    replacement: "const more = left > 0xffn",
    test: [ofSigning, "have every member that is not zero"]
  },
  {
    name: "a transaction of dYdX is signed for any account",
    file: signing,
    original: "    Protobuf.bytes(3, chainId),\n    Protobuf.uint(4, accountNumber)\n",
    replacement: "    Protobuf.bytes(3, chainId)\n",
    test: [ofSigning, "is signed by its wallet"]
  },
  {
    name: "the white space of a mnemonic is part of it",
    file: keys,
    original: ".trim().split(/\\s+/)",
    replacement: ".split(\" \")",
    test: [ofSigning, "has the key and the address"]
  },
  {
    name: "a mnemonic may have any number of words",
    file: keys,
    original: "if (!lengths.has(words.length))",
    replacement: "if (words.length === 0)",
    test: [ofSigning, "is not that of another number of words"]
  },
  {
    name: "an order of dYdX has the indexer's id of another",
    file: signing,
    original: "-${clientId}-${clobPairId}-${orderFlags}",
    replacement: "-${clientId}-${orderFlags}-${clobPairId}",
    test: [ofSigning, "is that of its subaccount"]
  },
  {
    name: "what does not rest at dYdX uses up a sequence",
    file: gateway,
    original: "if (isCounted) this.sequence =",
    replacement: "this.sequence =",
    test: [ofExchange, "what the chain refuses is rejected"]
  },
  {
    name: "orders at dYdX share a sequence",
    file: gateway,
    original: "const sequence = own > account.sequence ? own : account.sequence",
    replacement: "const sequence = own < 0n ? own : account.sequence",
    test: [ofExchange, "several at once"]
  },
  {
    name: "an order at dYdX is absent as soon as it is not found",
    file: gateway,
    original: "(height) => height <= lastBlock",
    replacement: "(height) => height < 0",
    test: [ofExchange, "is absent only once"]
  },
  {
    name: "an order of dYdX that no block has is waited for without end",
    file: gateway,
    original: "found.length > 0 || height <= taken.lastBlock ? found :",
    replacement: "found.length >= 0 || height <= taken.lastBlock ? found :",
    test: [ofExchange, "that was taken and comes into no block"]
  },
  {
    name: "an order of dYdX is over as soon as it does not show",
    file: gateway,
    original: "found.length > 0 || height <= taken.lastBlock ? found :",
    replacement: "found.length > 0 ? found :",
    test: [ofExchange, "that was taken and comes into no block"]
  },
  {
    name: "an order at dYdX is cancelled as soon as that is asked for",
    file: gateway,
    original: "        cancelled\n      )\n    })",
    replacement: "        Effect.succeed({ ...order, status: \"cancelled\" } as const)\n      )\n    })",
    test: [ofExchange, "shows it and cancels it"]
  },
  {
    name: "an illegal order is sent to dYdX",
    file: gateway,
    original: "if (objection !== undefined || typeof placing === \"string\")",
    replacement: "if (typeof placing === \"string\")",
    test: [ofExchange, "is not sent if the rules forbid it"]
  },
  {
    name: "dYdX is asked for what it does not have",
    file: orders,
    original: "if (timeInForce === \"fok\")",
    replacement: "if (timeInForce === undefined)",
    test: [ofExchange, "is not sent if the rules forbid it"]
  },
  {
    name: "a price is counted in the wrong units at dYdX",
    file: orders,
    original: "priceScale: atomicResolution - quantumConversionExponent - quoteResolution",
    replacement: "priceScale: atomicResolution - quantumConversionExponent",
    test: [ofExchange, "shows it and cancels it"]
  },
  {
    name: "dYdX is not asked again when it wants to be left alone",
    file: asking,
    original: "if (status === 429) return Effect.fail({ ...refused, retryAfterMillis })",
    replacement: "if (status === 429) return Effect.fail(refused)",
    test: [ofExchange, "what only asks is asked again"]
  },
  {
    name: "what dYdX's socket tells of orders is passed over",
    file: channel,
    original: "json?.[\"channel\"] === name && json[\"type\"] === \"channel_data\"",
    replacement: "json?.[\"channel\"] === name && json[\"type\"] === \"nothing\"",
    test: [ofExchange, "follows an order that rests"]
  },
  {
    name: "the mock of dYdX takes any signature",
    file: transactions,
    original: "return signature.length === 64 && (",
    replacement: "return signature.length === 64 || (",
    test: ["packages/testing/test/exchange/MockDydxExchange.test.ts", "is of the order's owner"]
  },
  {
    name: "orders at dYdX are sent with --live",
    file: runner,
    original: "if (live) {",
    replacement: "if (live && Option.isSome(url)) {",
    test: [ofRunner, "list --live"]
  },
  {
    name: "dYdX's indexer is asked without a limit",
    file: asking,
    original: "const wait = limit?.take(this.now(), 1) ?? 0",
    replacement: "const wait = 0",
    test: [ofExchange, "the limit of the indexer"]
  }
]
