/**
 * How well a trader does, from its total as it changes, its closed trades and its
 * fills: the same for a backtest and for a trader that runs.
 *
 * It is a value of fixed size, and each step takes the same time. Ratios are
 * doubles: statistics, not money. Times are milliseconds since 1970 and never go
 * back: one that is earlier than the last counts as the last.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Decimal from "../value/Decimal.ts"
import { nearest } from "./internal/doubles.ts"

/** Daily returns as they are counted: how many, their mean, and the sum of the squares around it. */
interface Returns {
  readonly count: number
  readonly mean: number
  readonly squares: number
}

/**
 * What is known so far. Its members are for `summary`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Performance {
  readonly startedAt: number
  readonly start: number
  /** The last total, since when it is, and whether there was a position since then. */
  readonly last: number
  readonly lastAt: number
  readonly isExposed: boolean
  readonly exposedMillis: number
  readonly peak: number
  readonly drawdown: number
  /** The UTC days that are over; the total at the end of the last of them. */
  readonly returns: Returns
  readonly before: number
  readonly wins: number
  readonly losses: number
  readonly trades: number
  readonly won: Decimal.Decimal
  readonly lost: Decimal.Decimal
  readonly volume: Decimal.Decimal
}

/**
 * The figures. Shares are fractions, and what cannot be told is absent.
 *
 * - `return`: what was gained, as a share of the first total
 * - `drawdown`, `drawdownNow`: how far the total was at most, and is, below its
 *   highest before, as a share of that
 * - `trades`, `wins`, `losses`: closed trades, those that gained and those that
 *   lost, after fees
 * - `hitRate`: wins of all trades
 * - `averageWin`, `averageLoss`: what a win and a loss came to; both above zero
 * - `profitFactor`: all wins ÷ all losses
 * - `sharpe`: the mean of the daily returns ÷ their sample deviation × √365. Days
 *   are those of UTC, the first and the last as far as they went, those without a
 *   change included; absent under 48 hours, and where all returns are the same
 * - `exposure`: the share of time with a position
 * - `volume`: the value of all fills
 *
 * @category models
 * @since 0.1.0
 */
export interface Summary {
  readonly return: number
  readonly drawdown: number
  readonly drawdownNow: number
  readonly trades: number
  readonly wins: number
  readonly losses: number
  readonly hitRate?: number
  readonly averageWin?: number
  readonly averageLoss?: number
  readonly profitFactor?: number
  readonly sharpe?: number
  readonly exposure: number
  readonly volume: Decimal.Decimal
}

const dayMillis = 86_400_000

const dayOf = (at: number): number => Math.floor(at / dayMillis)

const shareOf = (part: number, whole: number): number => whole > 0 ? part / whole : 0

/**
 * Before anything was done.
 *
 * @category constructors
 * @since 0.1.0
 */
export const start = (total: Decimal.Decimal, at: number): Performance => {
  const first = nearest(total)
  return {
    startedAt: at,
    start: first,
    last: first,
    lastAt: at,
    isExposed: false,
    exposedMillis: 0,
    peak: first,
    drawdown: 0,
    returns: { count: 0, mean: 0, squares: 0 },
    before: first,
    wins: 0,
    losses: 0,
    trades: 0,
    won: Decimal.zero,
    lost: Decimal.zero,
    volume: Decimal.zero
  }
}

/** So many more returns of one value. */
const more = ({ count, mean, squares }: Returns, value: number, times: number): Returns => {
  const [all, apart] = [count + times, value - mean]
  return {
    count: all,
    mean: mean + apart * times / all,
    squares: squares + apart * apart * count * times / all
  }
}

/**
 * The total from a time on, and whether there is a position since then.
 *
 * @category combinators
 * @since 0.1.0
 */
export const equity = (
  self: Performance,
  total: Decimal.Decimal,
  at: number,
  isExposed: boolean
): Performance => {
  const now = nearest(total)
  const lastAt = Math.max(at, self.lastAt)
  const peak = Math.max(self.peak, now)
  const days = dayOf(lastAt) - dayOf(self.lastAt)
  // Days without a change return nothing.
  const ended = days === 0 ? self.returns : more(self.returns, shareOf(self.last - self.before, self.before), 1)
  return {
    ...self,
    last: now,
    lastAt,
    isExposed,
    exposedMillis: self.exposedMillis + (self.isExposed ? lastAt - self.lastAt : 0),
    peak,
    drawdown: Math.max(self.drawdown, shareOf(peak - now, peak)),
    returns: days > 1 ? more(ended, 0, days - 1) : ended,
    before: days === 0 ? self.before : self.last
  }
}

/**
 * A closed trade, by what it gained after fees.
 *
 * @category combinators
 * @since 0.1.0
 */
export const trade = (self: Performance, profit: Decimal.Decimal): Performance => {
  const gained = BigDecimal.max(profit, Decimal.zero)
  return {
    ...self,
    trades: self.trades + 1,
    wins: self.wins + (profit.value > 0n ? 1 : 0),
    losses: self.losses + (profit.value < 0n ? 1 : 0),
    won: BigDecimal.sum(self.won, gained),
    lost: BigDecimal.sum(self.lost, BigDecimal.subtract(gained, profit))
  }
}

/**
 * A fill, by its value.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fill = (self: Performance, value: Decimal.Decimal): Performance => ({
  ...self,
  volume: BigDecimal.sum(self.volume, value)
})

const sharpeOf = ({ before, last, lastAt, returns, startedAt }: Performance): number | undefined => {
  if (lastAt - startedAt < 2 * dayMillis) return undefined
  const { count, mean, squares } = more(returns, shareOf(last - before, before), 1)
  const deviation = Math.sqrt(squares / (count - 1))
  return deviation > 0 ? mean / deviation * Math.sqrt(365) : undefined
}

/**
 * The figures as they are now.
 *
 * @category getters
 * @since 0.1.0
 */
export const summary = (self: Performance): Summary => {
  const { drawdown, exposedMillis, last, lastAt, losses, peak, start, startedAt, trades, volume, wins } = self
  const [won, lost] = [nearest(self.won), nearest(self.lost)]
  const sharpe = sharpeOf(self)
  return {
    return: shareOf(last - start, start),
    drawdown,
    drawdownNow: shareOf(peak - last, peak),
    trades,
    wins,
    losses,
    ...(trades > 0 ? { hitRate: wins / trades } : {}),
    ...(wins > 0 ? { averageWin: won / wins } : {}),
    ...(losses > 0 ? { averageLoss: lost / losses, profitFactor: won / lost } : {}),
    ...(sharpe === undefined ? {} : { sharpe }),
    exposure: shareOf(exposedMillis, lastAt - startedAt),
    volume
  }
}
