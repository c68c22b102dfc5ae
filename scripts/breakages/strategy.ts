/** Breakages of strategies, signals and backtests. */
import type { Breakage } from "./Breakage.ts"

const strategy = "packages/core/src/strategy/Strategy.ts"
const weights = "packages/core/src/strategy/internal/weights.ts"
const wholeCandles = "packages/core/src/strategy/internal/wholeCandles.ts"
const strategyRun = "packages/core/src/strategy/internal/strategyRun.ts"
const signals = "packages/core/src/strategy/Signals.ts"
const backtest = "packages/core/src/strategy/Backtest.ts"
const joined = "packages/node/src/runner/internal/joinedRecordings.ts"
const ofRunner = "packages/node/test/runner/Backtest.test.ts"
const ofBacktests = "packages/testing/test/strategy/Backtest.test.ts"
const ofStrategies = "packages/core/test/Strategy.test.ts"
const ofSignals = "packages/testing/test/Signals.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "fast answers before it has seen enough candles",
    file: strategy,
    original: "return seen < warmUp ? undefined : decision",
    replacement: "return decision",
    test: [ofStrategies, "follows the trend from the tenth candle on"]
  },
  {
    name: "fast follows the trend backwards",
    file: strategy,
    original: "return over > under\n",
    replacement: "return over < under\n",
    test: [ofStrategies, "follows the trend from the tenth candle on"]
  },
  {
    name: "fast decides where both averages are the same",
    file: strategy,
    original: "      if (over === under) return hold(holds)\n",
    replacement: "",
    test: [ofStrategies, "holds while both averages are the same"]
  },
  {
    name: "momentum does not look at the trend",
    file: strategy,
    original: "if (index < low && lines[line] > 0) {",
    replacement: "if (index < low) {",
    test: [ofStrategies, "decides on each candle what the whole history says"]
  },
  {
    name: "momentum looks at another line",
    file: strategy,
    original: "line = \"signal\", signal = 5",
    replacement: "line = \"macd\", signal = 5",
    test: [ofStrategies, "decides on each candle what the whole history says"]
  },
  {
    name: "conservative does not look at the average price by volume",
    file: strategy,
    original: "if (close < band.lower && place.d < low && close < fair) {",
    replacement: "if (close < band.lower && place.d < low) {",
    test: [ofStrategies, "holds where one of them is missing"]
  },
  {
    name: "conservative does not look at the range",
    file: strategy,
    original: "if (close < band.lower && place.d < low && close < fair) {",
    replacement: "if (close < band.lower && close < fair) {",
    test: [ofStrategies, "holds where one of them is missing"]
  },
  {
    name: "conservative weighs the prices of two candles where it is to weigh those of the day",
    file: strategy,
    original: "vwap === \"day\" ? Indicators.vwap() : Indicators.vwap(vwap)",
    replacement: "vwap === \"day\" ? Indicators.vwap(2) : Indicators.vwap(vwap)",
    test: [ofStrategies, "decides on each candle what the whole history says"]
  },
  {
    name: "who does not answer counts in the score",
    file: strategy,
    original: "    if (decision === undefined) return\n    total += weight\n",
    replacement: "    total += weight\n    if (decision === undefined) return\n",
    test: [ofStrategies, "divides by the weights of those that answered alone"]
  },
  {
    name: "who holds does not count in the score",
    file: strategy,
    original: "    total += weight\n",
    replacement: "    if (decision.side !== \"hold\") total += weight\n",
    test: [ofStrategies, "weighs what each of them says"]
  },
  {
    name: "half is enough to decide",
    file: strategy,
    original: "score <= threshold",
    replacement: "score < threshold",
    test: [ofStrategies, "weighs what each of them says"]
  },
  {
    name: "what is decided is weighed by weights that do not follow",
    file: weights,
    original: "      this.move(following)\n",
    replacement: "",
    test: [ofStrategies, "follow who was right"]
  },
  {
    name: "a weight gains more than it may",
    file: weights,
    original: "      most: weight * (1 + step)",
    replacement: "      most: 1",
    test: [ofStrategies, "gain a fifth at most"]
  },
  {
    name: "a weight falls below the floor",
    file: weights,
    original: "Math.max(this.floors[index] ?? 0, weight * (1 - step))",
    replacement: "weight * (1 - step)",
    test: [ofStrategies, "come no nearer to nothing than the floor"]
  },
  {
    name: "what was right before is right for ever",
    file: weights,
    original: "      record.right = 0\n",
    replacement: "",
    test: [ofStrategies, "follow what was decided since"]
  },
  {
    name: "a close that did not move proves somebody wrong",
    file: weights,
    original: "    if (moved === 0) return\n",
    replacement: "",
    test: [ofStrategies, "are not moved by closes that prove nothing"]
  },
  {
    name: "a strategy is shown candles that are not whole",
    file: wholeCandles,
    original: "if (candle.isWhole && this.isBookLive) return",
    replacement: "if (this.isBookLive) return",
    test: [ofSignals, "candles that a drop touches are withheld"]
  },
  {
    name: "a strategy goes on over a gap",
    file: strategyRun,
    original: "    if (restarts) this.run = strategy.make()\n",
    replacement: "",
    test: [ofSignals, "candles that a drop touches are withheld"]
  },
  {
    name: "a strategy begins anew where it is to go on",
    file: strategyRun,
    original: "    if (restarts) this.run = strategy.make()\n",
    replacement: "    this.run = strategy.make()\n",
    test: [ofSignals, "the strategy goes on without them if it is to"]
  },
  {
    name: "nobody tells candles of a gap",
    file: wholeCandles,
    original: "if (gap.recovered !== \"backfill\" && gap.recovered !== \"redundant\") this.isMissing = true",
    replacement: "",
    test: [ofSignals, "candles that a lost trade touches are withheld"]
  },
  {
    name: "what was fetched counts as missing",
    file: wholeCandles,
    original: "if (gap.recovered !== \"backfill\" && gap.recovered !== \"redundant\") this.isMissing = true",
    replacement: "this.isMissing = true",
    test: [ofSignals, "they are shown in their order if they are fetched"]
  },
  {
    name: "what comes of an open gap does not wait",
    file: wholeCandles,
    original: "if (this.open.size === 0) return this.take(tick)",
    replacement: "if (this.open.size >= 0) return this.take(tick)",
    test: [ofSignals, "while they are being fetched nothing is shown"]
  },
  {
    name: "what waited comes in the order in which it came",
    file: wholeCandles,
    original: "this.held.toSorted((one, other) => Timestamp.TimestampOrder(one.timestamp, other.timestamp))",
    replacement: "this.held",
    test: [ofSignals, "while they are being fetched nothing is shown"]
  },
  {
    name: "a book that was broken is forgotten when it is live again",
    file: wholeCandles,
    original: "if (this.isMissing || this.wasBookBroken) candles.missed()",
    replacement: "if (this.isMissing) candles.missed()",
    test: [ofSignals, "candles during which the book is broken are withheld"]
  },
  {
    name: "books are not followed",
    file: signals,
    original: "      if (!book) continue\n",
    replacement: "      if (book) continue\n",
    test: [ofSignals, "candles during which the book is broken are withheld"]
  },
  {
    name: "a book that is not verified counts as one that is live",
    file: signals,
    original: "(acceptsUnverified && _tag === \"Unverified\")",
    replacement: "_tag === \"Unverified\"",
    test: [ofSignals, "one that is not verified counts as one that is not live"]
  },
  {
    name: "a strategy that failed goes on with what it had",
    file: strategyRun,
    original: "    this.run = strategy.make()\n    metrics.failed()",
    replacement: "    metrics.failed()",
    test: [ofSignals, "is told of, and begins anew with that product alone"]
  },
  {
    name: "any number is a confidence",
    file: strategyRun,
    original: "decision === undefined || isConfidence(decision.confidence)",
    replacement: "true",
    test: [ofSignals, "also by a confidence that is none"]
  },
  {
    name: "decisions to hold are signals",
    file: strategyRun,
    original: "    if (side === \"hold\" && !tellsHolds) return undefined\n",
    replacement: "",
    test: [ofSignals, "a decision to hold is none"]
  },
  {
    name: "signals are shed where nobody takes them",
    file: signals,
    original: "overflow: \"block\"",
    replacement: "overflow: \"drop-oldest\", bytes: 2_000",
    test: [ofSignals, "who takes them slowly misses none"]
  },
  {
    name: "a header that says no time is of 1970, and all that waits is woken for half a century",
    file: "packages/core/src/recording/Replay.ts",
    original: "    if (entry._tag === \"Header\") return\n",
    replacement: "",
    test: ["packages/core/test/Replay.test.ts", "does not take a header that says no time"]
  },
  {
    name: "a backtest is filled by the market of before",
    file: backtest,
    original: "Effect.yieldNowWith(last)",
    replacement: "Effect.void",
    test: [ofBacktests, "buys and sells what the strategy decides"]
  },
  {
    name: "a backtest begins to watch its market with its first order",
    file: backtest,
    original: "  for (const symbol of symbols) {\n",
    replacement: "  for (const symbol of symbols.slice(symbols.length)) {\n",
    test: [ofBacktests, "buys and sells what the strategy decides"]
  },
  {
    name: "a backtest pays no fees",
    file: backtest,
    original: "      fees,\n      latency,",
    replacement: "      latency,",
    test: [ofBacktests, "pays fees"]
  },
  {
    name: "orders of a backtest arrive at once",
    file: backtest,
    original: "      fees,\n      latency,",
    replacement: "      fees,",
    test: [ofBacktests, "meets the market that there is when its orders arrive"]
  },
  {
    name: "a backtest has no book",
    file: backtest,
    original: "options.fillsByBook === false && feed",
    replacement: "feed",
    test: [ofBacktests, "is filled by the book, if there is one"]
  },
  {
    name: "what is open at the end of a backtest is worth what it cost",
    file: backtest,
    original: "BigDecimal.subtract(portfolio.total, capital)",
    replacement: "portfolio.realized",
    test: [ofBacktests, "values what is open by the last trade"]
  },
  {
    name: "a backtest counts its fees as gained",
    file: backtest,
    original: "Performance.trade(this.performance, BigDecimal.subtract(realized, fees))",
    replacement: "Performance.trade(this.performance, BigDecimal.sum(BigDecimal.make(-100n, 0), realized))",
    test: [ofBacktests, "buys and sells what the strategy decides"]
  },
  {
    name: "a position of a backtest begins with the price after its fill",
    file: backtest,
    original: "if (event._tag === \"Opened\" || event._tag === \"Closed\") {",
    replacement: "if (event._tag === \"Closed\") {",
    test: [ofRunner, "counts a position, and what it cost, from its fills on"]
  },
  {
    name: "a position of a backtest ends with the price after its fill",
    file: backtest,
    original: "if (event._tag === \"Opened\" || event._tag === \"Closed\") {",
    replacement: "if (event._tag === \"Opened\") {",
    test: [ofRunner, "counts a position, and what it cost, from its fills on"]
  },
  {
    name: "a backtest of several recordings has their headers among its lines",
    file: joined,
    original: "Stream.filter(lines, (line) => !isHeader(line))",
    replacement: "lines",
    test: [ofRunner, "reads several recordings as one"]
  },
  {
    name: "a backtest of a recording without times is of 1970",
    file: joined,
    original: "if (Option.isNone(first)) return lines\n",
    replacement: "if (Option.isSome(first)) return lines\n  if (Option.isNone(first)) return lines\n",
    test: [ofRunner, "has the venue's time where a recording has none"]
  },
  {
    name: "what a venue says is markup in a report",
    file: "packages/node/src/internal/markup.ts",
    original: "Printable.escape(text).replace(/[&<>\"']/g, (character) => entities[character] ?? \"\")",
    replacement: "Printable.escape(text)",
    test: [ofRunner, "writes a report that loads nothing"]
  },
  {
    name: "the licence of what draws a report's charts is left out",
    file: "packages/node/src/runner/BacktestPage.ts",
    original: "${licence.trim().replaceAll(\"*/\", \"* /\")}",
    replacement: "",
    test: [ofRunner, "writes a report that loads nothing"]
  },
  {
    name: "a backtest trades otherwise than its configuration says",
    file: "packages/node/src/runner/Backtesting.ts",
    original: "limits: terms?.risk,",
    replacement: "limits: {},",
    test: [ofRunner, "trades as the configuration says"]
  },
  {
    name: "a backtest that is stopped empties the report that is there",
    file: "packages/node/src/runner/Backtesting.ts",
    original: "FileSystem.appendFile(html, \"\")",
    replacement: "FileSystem.writeFile(html, \"\")",
    test: [ofRunner, "keeps the report that is there until there is another"]
  },
  {
    name: "a trade may cost more than its value",
    file: "packages/node/src/runner/internal/flags.ts",
    original: "BigDecimal.isLessThan(BigDecimal.abs(share), BigDecimal.make(1n, 0))",
    replacement: "share.value !== 1n",
    test: [ofRunner, "refuses a fee of more than the trade"]
  },
  {
    name: "recordings of several venues are read as one",
    file: "packages/node/src/runner/Backtesting.ts",
    original: "if (other !== undefined) {",
    replacement: "if (other === \"\") {",
    test: [ofRunner, "refuses recordings of several venues"]
  },
  {
    name: "orders of a backtest wait for a book that can never be whole",
    file: "packages/node/src/runner/Backtesting.ts",
    original: "isUsual && (yield* JoinedRecordings.hasSnapshot(lines, venue))",
    replacement: "isUsual",
    test: [ofRunner, "takes the last trade where the recorded book has no snapshot"]
  }
]
