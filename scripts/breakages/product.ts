/** Breakages of how a message finds its product, and the channels that it belongs to. */
import type { Breakage } from "./Breakage.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "a product is known by a few of its letters",
    file: "packages/core/src/market/internal/products.ts",
    original: "if (found?.symbol === symbol) return this.last = found",
    replacement: "if (found !== undefined) return this.last = found",
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
    original: "if (beside?.symbol === symbol) return this.last = beside",
    replacement: "if (beside !== undefined) return this.last = beside",
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
  }
]
