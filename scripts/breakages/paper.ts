/** Breakages of paper trading. */
import type { Breakage } from "./Breakage.ts"

const model = "packages/core/src/trading/paper/internal/fillModel.ts"
const account = "packages/core/src/trading/paper/internal/paperAccount.ts"
const gateway = "packages/core/src/trading/paper/internal/paperGateway.ts"
const markets = "packages/core/src/trading/paper/internal/paperMarkets.ts"
const runner = "packages/node/src/runner/exchange/PaperOrders.ts"
const ofPaper = "packages/testing/test/trading/PaperExchange.test.ts"
const ofFills = ["packages/core/test/PaperFills.property.test.ts", "have what the market showed"] as const
const ofRunner = "packages/node/test/runner/PaperOrders.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "paper orders take the same liquidity twice",
    file: model,
    original: "size === undefined || ours === undefined ? size : less(size, ours)",
    replacement: "size",
    test: [ofPaper, "does not take what an order before it has taken"]
  },
  {
    name: "any news of a book is new liquidity for paper orders",
    file: model,
    original: "if (!sizes.has(key) || !isSame(sizes.get(key), size))",
    replacement: "if (size !== undefined || sizes.has(key))",
    test: [ofPaper, "does not take what an order before it has taken"]
  },
  {
    name: "liquidity that a paper order took never comes back",
    file: model,
    original: "if (!sizes.has(key) || !isSame(sizes.get(key), size))",
    replacement: "if (!sizes.has(key))",
    test: [ofPaper, "does not take what an order before it has taken"]
  },
  {
    name: "a paper order is before all others of its price",
    file: model,
    original: "    product.queue.set(orderId, before)\n  }\n\n  // No more",
    replacement: "    product.queue.set(orderId, Decimal.zero)\n  }\n\n  // No more",
    test: [ofPaper, "is filled only after what rested before it"]
  },
  {
    name: "a trade takes twice what rests before a paper order",
    file: model,
    original: "          left = less(left, before)\n",
    replacement: "",
    test: [ofPaper, "is filled only after what rested before it"]
  },
  {
    name: "a trade fills paper orders beyond its size",
    file: model,
    original: "const amount = least(left, remainingOf(order))\n",
    replacement: "const amount = remainingOf(order)\n",
    test: ofFills
  },
  {
    name: "paper orders of one price share their place",
    file: model,
    original: "if (isSame(order.price, price)) before = less(before,",
    replacement: "if (order.orderId === \"\") before = less(before,",
    test: [ofPaper, "is behind an earlier one of ours"]
  },
  {
    name: "buyers that take fill paper orders to buy",
    file: model,
    original: "      if (side === own) continue\n",
    replacement: "",
    test: [ofPaper, "is filled only after what rested before it"]
  },
  {
    name: "a paper order is not filled where the other side comes to it",
    file: model,
    original: "if (price === undefined || !reaches(side, price, quote.price)) break",
    replacement: "if (price !== undefined || !reaches(side, quote.price, quote.price)) break",
    test: [ofPaper, "by the other side where that comes to it"]
  },
  {
    name: "what paper orders met while they rested can be taken again",
    file: model,
    original: "          this.take(product, other, quote.price, amount)\n",
    replacement: "",
    test: [ofPaper, "by the other side where that comes to it"]
  },
  {
    name: "a paper order that is amended keeps its place whatever becomes of it",
    file: model,
    original: "event._tag === \"Accepted\" || (event._tag === \"Amended\" && !event.keepsPriority)",
    replacement: "event._tag === \"Accepted\"",
    test: [ofPaper, "keeps its place if it is amended to less"]
  },
  {
    name: "after a gap more is before a paper order than there is",
    file: model,
    original: "!product.tellsTrades || !wasKnown",
    replacement: "!product.tellsTrades",
    test: [ofPaper, "waits while the book is not known"]
  },
  {
    name: "paper orders are placed in a market that is not known",
    file: account,
    original: "this.model.quotes(symbol) === undefined",
    replacement: "this.model.quotes(symbol) === null",
    test: [ofPaper, "waits while the book is not known"]
  },
  {
    name: "an account of paper that says what it has gets more",
    file: account,
    original: "this.setting.balances === undefined && \"_tag\" in done",
    replacement: "\"_tag\" in done",
    test: [ofPaper, "without the funds is rejected"]
  },
  {
    name: "a client id names several paper orders",
    file: account,
    original: "if (this.orderIds.has(request.clientId)) return",
    replacement: "if (this.orderIds.has(\"\")) return",
    test: [ofPaper, "of fok takes the whole"]
  },
  {
    name: "a paper order arrives at once",
    file: gateway,
    original: "yield* latencyMillis > 0",
    replacement: "yield* latencyMillis > 1e9",
    test: [ofPaper, "arrives after its latency"]
  },
  {
    name: "a paper order that nobody waits for does not arrive",
    file: gateway,
    original: "Effect.forkIn(Effect.delay(arrive, latencyMillis), scope, { startImmediately: true })",
    replacement:
      "Effect.andThen(Effect.timeoutOption(Effect.delay(Effect.void, latencyMillis), until - now()), arrive)",
    test: [ofPaper, "arrives after its latency"]
  },
  {
    name: "an illegal paper order is sent",
    file: gateway,
    original: "      if (illegal !== undefined) return yield* Effect.fail(illegal)\n",
    replacement: "",
    test: [ofPaper, "that the instrument's rules forbid"]
  },
  {
    name: "old trades fill paper orders",
    file: markets,
    original: "({ history }) => history !== true",
    replacement: "({ history }) => history === true",
    test: [ofPaper, "is filled only after what rested before it"]
  },
  {
    name: "a book that is not whole is traded on by paper orders",
    file: markets,
    original: "OrderBook.isWhole(book) ? { buy: quotesOf(book.bids), sell: quotesOf(book.asks) } : undefined",
    replacement:
      "({ buy: quotesOf(\"bids\" in book ? book.bids : []), sell: quotesOf(\"asks\" in book ? book.asks : []) })",
    test: [ofPaper, "takes what the book has"]
  },
  {
    name: "tickline order paper takes a balance below zero",
    file: runner,
    original: "amounts((_, amount) => amount.value >= 0n)",
    replacement: "amounts(() => true)",
    test: [ofRunner, "USD=-1"]
  },
  {
    name: "tickline order paper needs no endpoint",
    file: runner,
    original: "endpoint === undefined && venue.endpoint === undefined",
    replacement: "endpoint === \"\"",
    test: [ofRunner, "--venue generic"]
  },
  {
    name: "tickline order paper forgets the fees",
    file: runner,
    original: "fees: Option.getOrUndefined(fees),",
    replacement: "fees: undefined,",
    test: [ofRunner, "takes from the book"]
  },
  {
    name: "reduce-only orders of what is spot are sent",
    file: "packages/core/src/trading/Instrument.ts",
    original: "reduceOnly && self.base !== undefined",
    replacement: "reduceOnly && self.base === \"\"",
    test: [ofPaper, "that is reduce-only is not sent for what is spot"]
  }
]
