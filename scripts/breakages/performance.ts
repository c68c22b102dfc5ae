/** Breakages of a trader's figures, of how products are judged, and of alerts. */
import type { Breakage } from "./Breakage.ts"

const performance = "packages/core/src/strategy/Performance.ts"
const screening = "packages/core/src/strategy/Screening.ts"
const alerts = "packages/core/src/strategy/Alerts.ts"
const ofPerformance = "packages/core/test/Performance.test.ts"
const ofScreening = "packages/core/test/Screening.test.ts"
const ofAlerts = "packages/core/test/Alerts.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "a drawdown is of the first total",
    file: performance,
    original: "Math.max(self.drawdown, shareOf(peak - now, peak))",
    replacement: "Math.max(self.drawdown, shareOf(self.start - now, self.start))",
    test: [ofPerformance, "returns what was gained"]
  },
  {
    name: "a day without a change is no day",
    file: performance,
    original: "days > 1 ? more(ended, 0, days - 1) : ended",
    replacement: "ended",
    test: [ofPerformance, "has a Sharpe ratio of its daily returns"]
  },
  {
    name: "a daily return is of the first total",
    file: performance,
    original: "before: days === 0 ? self.before : self.last",
    replacement: "before: self.before",
    test: [ofPerformance, "has a Sharpe ratio of its daily returns"]
  },
  {
    name: "a Sharpe ratio has the deviation of a whole",
    file: performance,
    original: "squares / (count - 1)",
    replacement: "squares / count",
    test: [ofPerformance, "has a Sharpe ratio of its daily returns"]
  },
  {
    name: "two minutes around midnight are two days",
    file: performance,
    original: "if (lastAt - startedAt < 2 * dayMillis)",
    replacement: "if (lastAt - startedAt < 0)",
    test: [ofPerformance, "has none under two days"]
  },
  {
    name: "a trade without a gain is lost",
    file: performance,
    original: "(profit.value < 0n ? 1 : 0)",
    replacement: "(profit.value <= 0n ? 1 : 0)",
    test: [ofPerformance, "counts wins and losses"]
  },
  {
    name: "time counts as exposed from its end on",
    file: performance,
    original: "(self.isExposed ? lastAt - self.lastAt : 0)",
    replacement: "(isExposed ? lastAt - self.lastAt : 0)",
    test: [ofPerformance, "is exposed while there is a position"]
  },
  {
    name: "a product is judged by a single candle's volume",
    file: screening,
    original: "candles.slice(-lastly)",
    replacement: "candles.slice(-1)",
    test: [ofScreening, "is traded by the mean value"]
  },
  {
    name: "falling is no momentum",
    file: screening,
    original: "Math.abs(histogram) / close",
    replacement: "histogram / close",
    test: [ofScreening, "has the momentum of RSI 14"]
  },
  {
    name: "a spread is as good as volume",
    file: screening,
    original: "0.3 * volatility + 0.3 * volume + 0.2 * spread + 0.2 * momentum",
    replacement: "0.25 * (volatility + volume + spread + momentum)",
    test: [ofScreening, "is graded by 0.3, 0.3, 0.2 and 0.2"]
  },
  {
    name: "an alert is raised at every look",
    file: alerts,
    original: "value === undefined || !isBeyond || up.has(kind) ? []",
    replacement: "value === undefined || !isBeyond ? []",
    test: [ofAlerts, "is raised once"]
  },
  {
    name: "an alert is never cleared",
    file: alerts,
    original: "rules.filter(({ isBeyond, value }) => value !== undefined && !isBeyond)",
    replacement: "rules.filter(({ isBeyond, value }) => value === undefined && isBeyond)",
    test: [ofAlerts, "is raised once"]
  },
  {
    name: "an alert is cleared by not knowing",
    file: alerts,
    original: "rules.filter(({ isBeyond, value }) => value !== undefined && !isBeyond)",
    replacement: "rules.filter(({ isBeyond }) => !isBeyond)",
    test: [ofAlerts, "is raised once"]
  },
  {
    name: "one lost trade is an alert",
    file: alerts,
    original: "below(\"HitRate\", \"hitRate\", (known.trades ?? 0) >= limits.trades)",
    replacement: "below(\"HitRate\", \"hitRate\")",
    test: [ofAlerts, "of the hit rate is raised after ten trades"]
  }
]
