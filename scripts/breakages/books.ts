/** Breakages of the order books of core. */
import type { Breakage } from "./Breakage.ts"

const ofDepths = "packages/testing/test/KrakenDepths.test.ts"
const states = "packages/core/src/connection/internal/subscriptionStates.ts"
const shared = "packages/core/src/connection/internal/sharedSubscriptions.ts"
const keeper = "packages/core/src/market/internal/bookKeeper.ts"

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
  },
  {
    name: "of several depths the least is asked for",
    file: shared,
    original: "if (rank > most && ",
    replacement: "if ((most === -Infinity || rank < most) && ",
    test: [ofDepths, "the deeper one is asked for"]
  },
  {
    name: "a deeper book is asked for while the other is subscribed to",
    file: states,
    original: ";(carrier === undefined ? gone : replaced).push(before)",
    replacement: "gone.push(before)",
    test: [ofDepths, "the deeper one is asked for"]
  },
  {
    name: "a book that is had with a deeper one is not confirmed",
    file: shared,
    original: "return isAsked ? [channel, ...this.sharers.get(name)?.values() ?? []] : [channel]",
    replacement: "return isAsked ? [channel] : [channel]",
    test: [ofDepths, "a product that the venue does not have"]
  },
  {
    name: "a book is asked for anew to the depth of each that has it",
    file: "packages/core/src/connection/internal/subscriptions.ts",
    original: "const channels = this.standings.shared.carriersOf(wanted)",
    replacement: "const channels = wanted",
    test: [ofDepths, "a checksum that is wrong"]
  },
  {
    name: "a book shows the levels of a deeper one",
    file: keeper,
    original: "view.depth > most ? { ...view, depth: most } : view",
    replacement: "view",
    test: [ofDepths, "the deeper one is asked for"]
  },
  {
    name: "a deeper book is whole before its snapshot is there",
    file: keeper,
    original: "return isShared ? book.isWholeTo(depth) : book.isWhole",
    replacement: "return book.isWhole && (isShared || depth >= 0)",
    test: [ofDepths, "a snapshot of the deeper one that is lost"]
  },
  {
    name: "that a subscription has ended says nothing of its book",
    file: "packages/core/src/market/internal/book.ts",
    original: "if (depth === undefined || (this.acknowledged ?? depth) < depth) this.before ??= this.depth",
    replacement: "",
    test: [ofDepths, "a snapshot of the deeper one that is lost"]
  },
  {
    name: "what is had with another one is not confirmed when it is wanted",
    file: "packages/core/src/connection/internal/subscriptions.ts",
    original: "        this.confirm(served)\n",
    replacement: "        void served\n",
    test: [ofDepths, "comes and goes while another one is served"]
  },
  {
    name: "what was refused is asked for again without what serves it",
    file: states,
    original: "for (const one of this.shared.carriersOf([channel])) this.forget(Channel.key(one))",
    replacement: "this.asked.delete(key)",
    test: [ofDepths, "a product that was refused is asked for again"]
  },
  {
    name: "a line of a book does not say how its product trades",
    file: "packages/core/src/event/Ndjson.ts",
    original: "text(\"tradingStatus\", event.tradingStatus) + ",
    replacement: "",
    test: ["packages/node/test/runner/Replay.test.ts", "a book that crosses in an auction"]
  },
  {
    name: "a level comes back at the price of one that is gone",
    file: "packages/core/src/market/internal/levelPage.ts",
    original: "      keys[at] = key\n      levels[here] = level\n",
    replacement: "      levels[here] = level\n",
    test: ["packages/core/test/Levels.test.ts", "come and go at the same prices"]
  },
  {
    name: "a best level that is gone is the best one",
    file: "packages/core/src/market/internal/levelPage.ts",
    original: "while (keys.length > 0 && this.best() === undefined)",
    replacement: "while (keys.length < 0)",
    test: ["packages/core/test/Levels.test.ts", "come and go at the same prices"]
  },
  {
    name: "prices of levels that are gone are counted in other units",
    file: "packages/core/src/market/internal/levelPage.ts",
    original: "    this.compact()\n    for (let at = 0; at < this.keys.length; at++) {\n      const level",
    replacement: "    for (let at = 0; at < this.keys.length; at++) {\n      const level",
    test: ["packages/core/test/Levels.test.ts", "come and go at the same prices"]
  },
  {
    name: "what is cut off counts levels that are gone",
    file: "packages/core/src/market/internal/levelPage.ts",
    original: "if (levels[place] !== undefined) this.count--",
    replacement: "this.count--",
    test: ["packages/core/test/Levels.test.ts", "come and go at the same prices"]
  },
  {
    name: "a page whose keys are forgotten gives a place twice",
    file: "packages/core/src/market/internal/levelPage.ts",
    original: "      places[at] = places[end] ?? 0\n",
    replacement: "",
    test: ["packages/core/test/Levels.test.ts", "come and go at the same prices"]
  },
  {
    name: "a level that is gone is removed once more",
    file: "packages/core/src/market/internal/levels.ts",
    original: "page.keys[at] === key && page.level(at) !== undefined",
    replacement: "page.keys[at] === key",
    test: ["packages/core/test/Levels.test.ts", "come and go at the same prices"]
  },
  {
    name: "a page without room for another key is left as it is",
    file: "packages/core/src/market/internal/levels.ts",
    original: "if (page.keys.length > mostKeys) this.shorten(index, page)",
    replacement: "",
    test: ["packages/core/test/Levels.test.ts", "come and go at the same prices"]
  },
  {
    name: "the worst level of a full page that comes back begins the next one",
    file: "packages/core/src/market/internal/levels.ts",
    original: "at === 0 && page.count >= mostKeys",
    replacement: "at === 0 && page.keys.length >= mostKeys",
    test: ["packages/core/test/Levels.test.ts", "the worst of full pages"]
  }
]
