/** Breakages of the order books of core. */
import type { Breakage } from "./Breakage.ts"

const ofTrading = "packages/testing/test/TradingStatus.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "a book in an auction is looked at for crossing",
    file: "packages/core/src/market/internal/book.ts",
    original: "|| this.tradingStatus !== undefined) return false",
    replacement: ") return false",
    test: [ofTrading, "an auction, which the feed asks for by itself"]
  },
  {
    name: "a book that is crossed when trading begins is broken at once",
    file: "packages/core/src/market/internal/book.ts",
    original: "status === undefined && this.levels.isCrossed() ? uncrossedDeltas : 0",
    replacement: "0",
    test: [ofTrading, "the engine's status"]
  },
  {
    name: "a book that crosses for good after an auction is believed",
    file: "packages/core/src/market/internal/book.ts",
    original: "this.settling = isCrossed ? this.settling - 1 : 0",
    replacement: "void isCrossed",
    test: [ofTrading, "is a break after a hundred changes"]
  },
  {
    name: "a book that was taken to cross stays so when the venue says why",
    file: "packages/core/src/market/internal/book.ts",
    original: "if (this.isTakenToCross) this.unverifiedReason = undefined",
    replacement: "",
    test: [ofTrading, "a book that was taken to cross"]
  },
  {
    name: "how a product trades is not known to who comes later",
    file: "packages/core/src/market/internal/bookKeeper.ts",
    original: "return this.hear(batch)",
    replacement: "return",
    test: [ofTrading, "the engine's status"]
  },
  {
    name: "an auction lasts for ever",
    file: "packages/core/src/market/internal/books.ts",
    original: "if (now >= trading.lapsesAt) trading.lapse(now)",
    replacement: "if (now < 0) return unchanged",
    test: [ofTrading, "an auction, which the feed asks for by itself"]
  },
  {
    name: "a refusal of what a book alone asks for is told",
    file: "packages/core/src/market/internal/lifecycleEvents.ts",
    original: "refused.filter(({ channel }) => !isUntold(channel)).map(",
    replacement: "refused.map(",
    test: [ofTrading, "nobody is told of the refusal"]
  }
]
