/** Breakages that a day of traders shows, and of `tickline chaos`. */
import type { Breakage } from "./Breakage.ts"

const trader = "packages/core/src/strategy/internal"
const router = "packages/core/src/trading/internal/router.ts"
const chaos = "packages/node/src/chaos"
const ofDays = ["packages/testing/test/TradingDays.test.ts", "what each of them still has"] as const
const ofChaos = "packages/node/test/chaos/Chaos.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "fees in what counts as dollars are no fees",
    file: `${trader}/desk.ts`,
    original: "said.feeAsset === base ? base : this.likeQuote(said.feeAsset)",
    replacement: "said.feeAsset",
    test: ofDays
  },
  {
    name: "a halt is over with its process",
    file: `${trader}/traderHistory.ts`,
    original: "if (kind === \"halt\") halt ??= { reason, at }",
    replacement: "if (kind === \"halt\") halt = undefined",
    test: ofDays
  },
  {
    name: "an order is given up if following it fails",
    file: router,
    original: "        Effect.catchDefect(failed),\n",
    replacement: "",
    test: ["packages/testing/test/routing/Unknown.test.ts", "it is asked for, also if following it failed"]
  },
  {
    name: "nonces have parts of a millisecond",
    file: "packages/core/src/trading/NonceStore.ts",
    original: "Math.max(Math.floor(now),",
    replacement: "Math.max(now,",
    test: ["packages/core/test/NonceStore.test.ts", "gives whole numbers"]
  },
  {
    name: "chaos ends well whatever came of it",
    file: `${chaos}/Chaos.ts`,
    original: "if (failed > 0) return",
    replacement: "if (failed > to) return",
    test: [ofChaos, "ends with 1 if one has a violation"]
  },
  {
    name: "what still fails is not the least that does",
    file: `${chaos}/Shrinking.ts`,
    original: "parts = Math.min(parts * 2, left.length)",
    replacement: "return left",
    test: [ofChaos, "is the least that still fails"]
  },
  {
    name: "what fails without any fault keeps one",
    file: `${chaos}/Shrinking.ts`,
    original: "  if (yield* fails([])) return []\n",
    replacement: "",
    test: [ofChaos, "is the least that still fails"]
  },
  {
    name: "traders are everywhere, whatever is asked for",
    file: `${chaos}/Scenario.ts`,
    original: "seed, venues, lasts",
    replacement: "seed, lasts",
    test: [ofChaos, "has traders at the venues that are named"]
  },
  {
    name: "seeds that go down are taken",
    file: "packages/node/src/runner/ChaosCommand.ts",
    original: "first !== \"\" && seeds.from <= seeds.to",
    replacement: "first !== \"\"",
    test: [ofChaos, "refuses seeds, hours and venues that are none"]
  }
]
