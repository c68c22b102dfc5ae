/** Breakages of the trader in the runner, and of what it needs of simulated exchanges. */
import type { Breakage } from "./Breakage.ts"

export const breakages: ReadonlyArray<Breakage> = [
  // ids that do not come again after a restart
  {
    name: "the ids of orders count from one",
    file: "packages/core/src/trading/Matching.ts",
    original: "this.placed = firstId - 1",
    replacement: "this.placed = 0",
    test: ["packages/testing/test/trading/PaperExchange.test.ts", "counts its ids"]
  },
  {
    name: "the ids of trades count from one",
    file: "packages/core/src/trading/Matching.ts",
    original: "this.traded = firstId - 1",
    replacement: "this.traded = 0",
    test: ["packages/testing/test/trading/PaperExchange.test.ts", "counts its ids"]
  },
  {
    name: "a market's trades have the ids of its seed",
    file: "packages/testing/src/venue/Market.ts",
    original: "(product.firstTradeId ?? seeded) - 1",
    replacement: "seeded - 1",
    test: ["packages/testing/test/Market.test.ts", "counts its trades"]
  },
  {
    name: "a market moves as far as any",
    file: "packages/testing/src/venue/Market.ts",
    original: "(product.volatility ?? 1) * 200",
    replacement: "200",
    test: ["packages/testing/test/Market.test.ts", "counts its trades"]
  },
  {
    name: "a mock Coinbase counts its orders from one",
    file: "packages/testing/src/exchange/internal/coinbaseExchange.ts",
    original: "this.settings.firstOrder + this.orders.length",
    replacement: "1 + this.orders.length",
    test: ["packages/testing/test/trading/CoinbaseAccount.test.ts", "an exchange of other fees"]
  },
  {
    name: "a mock Coinbase has its own fees only",
    file: "packages/testing/src/exchange/internal/coinbaseExchange.ts",
    original: "settings.fees ?? standardFees",
    replacement: "standardFees",
    test: ["packages/testing/test/trading/CoinbaseAccount.test.ts", "an exchange of other fees"]
  }
]
