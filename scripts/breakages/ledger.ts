/** Breakages of the ledger and of what it is told by, which chaos must notice. */
import type { Breakage } from "./Breakage.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "a book that does not become whole is asked for as often as at first",
    file: "packages/core/src/market/internal/bookResync.ts",
    original: "Math.max(waitMillis * 2, firstWaitMillis)",
    replacement: "firstWaitMillis",
    test: ["packages/core/test/BookResync.test.ts", "again after twice as long each time"]
  },
  {
    name: "a book is asked for anew before all have seen what broke it",
    file: "packages/core/src/market/internal/bookResync.ts",
    original: "Effect.andThen(Effect.yieldNow, ask)",
    replacement: "ask",
    test: ["packages/testing/test/ChaosBooks.test.ts", "dydx"]
  },
  {
    name: "an answer that is lost is waited for without end",
    file: "packages/core/src/market/internal/frameNumbers.ts",
    original: "first.until > this.now && first.asked > this.answered",
    replacement: "first.asked > this.answered",
    test: ["packages/testing/test/ChaosBooks.test.ts", "dydx"]
  },
  {
    name: "what is missing since long is taken to be missing before the frame that shows it",
    file: "packages/core/src/market/internal/frameNumbers.ts",
    original: "Math.min(...this.awaited) - 1",
    replacement: "last ?? 0",
    test: ["packages/core/test/FrameNumbers.test.ts", "what is missing is named when it is told"]
  },
  {
    name: "a book that waits for a snapshot keeps changes without end",
    file: "packages/core/src/market/internal/snapshotBuffer.ts",
    original: "if (this.kept.length >= this.most) this.kept = []",
    replacement: "",
    test: ["packages/core/test/SnapshotBuffer.test.ts", "keeps none of too many"]
  },
  {
    name: "a change whose numbers jumped ahead takes those before it with it",
    file: "packages/core/src/market/internal/snapshotBuffer.ts",
    original: "this.kept = this.kept.filter((one) => numberOf(one) < number)",
    replacement: "this.kept = []",
    test: ["packages/core/test/SnapshotBuffer.test.ts", "gives up what jumped ahead"]
  },
  {
    name: "a book waits for a change whose numbers jumped ahead",
    file: "packages/core/src/market/internal/snapshotBuffer.ts",
    original: "last !== undefined && numberOf(last) >= number",
    replacement: "last !== undefined && number < 0",
    test: ["packages/core/test/Books.test.ts", "a change whose numbers jump ahead"]
  },
  {
    name: "a gap of trades says one less than is missing",
    file: "packages/core/src/market/internal/continuityObserver.ts",
    original: "each === undefined ? undefined : numbers.missingBefore(first)",
    replacement: "each === undefined ? undefined : numbers.missingBefore(first) - 1",
    test: ["packages/testing/test/ChaosBooks.test.ts", "binance"]
  },
  {
    name: "a drop begins a gap of the first channel alone",
    file: "packages/core/src/market/internal/gapLedger.ts",
    original: "const all = [...entries]",
    replacement: "const all = [...entries].slice(0, 1)",
    test: ["packages/testing/test/ChaosBooks.test.ts", "hyperliquid"]
  },
  {
    name: "what comes is not counted",
    file: "packages/core/src/market/internal/arrivalCounts.ts",
    original: "entry.received++\n    entry.arriving++",
    replacement: "if (entry.received === 0) entry.received++\n    entry.arriving++",
    test: ["packages/testing/test/ChaosBooks.test.ts", "coinbase-exchange"]
  },
  {
    name: "a broken book is in no gap",
    file: "packages/core/src/market/internal/gapLedger.ts",
    original: "cause === \"disconnect\" ? this.begin(entries, from) : this.open(entries, from, cause)",
    replacement: "cause === \"disconnect\" ? this.begin(entries, from) : []",
    test: ["packages/testing/test/ChaosBooks.test.ts", "kraken"]
  }
]
