/** Breakages of how a message finds its product, and the channels that it belongs to. */
import type { Breakage } from "./Breakage.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "a product is known by a few of its letters",
    file: "packages/core/src/market/internal/products.ts",
    original: "if (found?.symbol === symbol) return found",
    replacement: "if (found !== undefined) return found",
    test: ["packages/core/test/Products.test.ts", "finds each of many by its whole text"]
  },
  {
    name: "products are known by the first letters that come",
    file: "packages/core/src/market/internal/tellingLetters.ts",
    original: "one.told > best.told ? one : best",
    replacement: "best.told === told ? one : best",
    test: ["packages/core/test/Products.test.ts", "differ in a number, in a strike"]
  },
  {
    name: "letters are looked for where a text has none",
    file: "packages/core/src/market/internal/tellingLetters.ts",
    original: "    if (mix < this.shortest) return mix\n",
    replacement: "",
    test: ["packages/core/test/Products.test.ts", "takes what is shorter"]
  },
  {
    name: "whatever stands beside a product's place is that product",
    file: "packages/core/src/market/internal/products.ts",
    original: "if (beside?.symbol === symbol) return beside",
    replacement: "if (beside !== undefined) return beside",
    test: ["packages/core/test/Products.test.ts", "finds each of many by its whole text"]
  },
  {
    name: "what nobody wanted once is nobody's for ever",
    file: "packages/core/src/connection/internal/consumerRoutes.ts",
    original: "if (found === this.unchanged) return nowhere",
    replacement: "if (found !== undefined && !(found instanceof Found)) return nowhere",
    test: ["packages/testing/test/Routing.test.ts", "who comes later"]
  },
  {
    name: "the channels of a message are those of the next",
    file: "packages/core/src/connection/internal/frameReader.ts",
    original: "first !== undefined ? youngArray(first) : all.slice()",
    replacement: "first !== undefined ? all : all.slice()",
    test: ["packages/testing/test/connection/Receiving.test.ts", "of several frames is one batch"]
  },
  {
    name: "channels are said of the frames before a rejected one once more",
    file: "packages/core/src/connection/internal/frameReader.ts",
    original: "        byFrame = []\n",
    replacement: "",
    test: ["packages/testing/test/connection/Receiving.test.ts", "of several frames is one batch"]
  },
  {
    name: "what nobody asked for has no common name",
    file: "packages/core/src/market/internal/channelRouter.ts",
    original: "        const product = products.mark(event)\n        if (routes === undefined) return nobody\n",
    replacement: "        if (routes === undefined) return nobody\n        const product = products.mark(event)\n",
    test: ["packages/core/test/ChannelRouter.test.ts", "the common name of its product"]
  },
  {
    name: "a channel that is given up takes those of its product with it",
    file: "packages/core/src/market/internal/channelRouter.ts",
    original: "?.filter((other) => other !== one) ?? noneNamed",
    replacement: "?.filter(() => false) ?? noneNamed",
    test: ["packages/core/test/ChannelRouter.test.ts", "without the other"]
  },
  {
    name: "the silences of many are forgotten when one more comes",
    file: "packages/core/src/market/internal/freshnessFigures.ts",
    original: "this.silences.set(silences.subarray(turn * room, (turn + 1) * room), turn * this.room)",
    replacement: "",
    test: ["packages/core/test/Freshness.deadlines.test.ts", "keeps the ages of each of many apart"]
  },
  {
    name: "whatever happened before is told with this instant",
    file: "packages/core/src/market/internal/instantText.ts",
    original: "if (epochMillis === last) return text",
    replacement: "if (text !== \"\") return text",
    test: ["packages/core/test/GapLedger.test.ts", "when it is let go"]
  },
  {
    name: "ids that are older than a thousand others are forgotten at once",
    file: "packages/core/src/market/internal/recentIds.ts",
    original: "this.older?.has(key) === true",
    replacement: "false",
    test: ["packages/core/test/RecentIds.test.ts", "thousand"]
  }
]
