/**
 * What a trader's owner should know at once: each alert is raised once, stays for
 * as long as its cause, and is cleared once.
 *
 * @since 0.1.0
 */

/**
 * From where on there is an alert.
 *
 * - `drawdown`: a share of the highest total. Default: 0.1
 * - `hitRate`, `trades`: the least share of wins, once there were so many closed
 *   trades. Default: 0.4 and 10
 * - `errorsPerMinute`: default 5
 * - `exchanges`: the fewest that are connected. Default: 3
 * - `memoryMegabytes`: default 1,000
 * - `cpu`: the share of the processor. Default: 0.8
 *
 * @category models
 * @since 0.1.0
 */
export interface Thresholds {
  readonly drawdown: number
  readonly hitRate: number
  readonly trades: number
  readonly errorsPerMinute: number
  readonly exchanges: number
  readonly memoryMegabytes: number
  readonly cpu: number
}

/**
 * The thresholds that hold where none are said.
 *
 * @category constants
 * @since 0.1.0
 */
export const thresholds: Thresholds = {
  drawdown: 0.1,
  hitRate: 0.4,
  trades: 10,
  errorsPerMinute: 5,
  exchanges: 3,
  memoryMegabytes: 1_000,
  cpu: 0.8
}

/**
 * What is raised: the figure when it was, the threshold that it is beyond, and
 * since when, in milliseconds since 1970.
 *
 * @category models
 * @since 0.1.0
 */
export interface Alert {
  readonly kind: "Drawdown" | "HitRate" | "Errors" | "Exchanges" | "Memory" | "Cpu"
  readonly value: number
  readonly threshold: number
  readonly since: number
}

/**
 * What came of a look: those that are up, oldest first, and of them what is new
 * and what is over.
 *
 * @category models
 * @since 0.1.0
 */
export interface Changed {
  readonly alerts: ReadonlyArray<Alert>
  readonly raised: ReadonlyArray<Alert>
  readonly cleared: ReadonlyArray<Alert>
}

interface Rule {
  readonly kind: Alert["kind"]
  readonly value: number | undefined
  readonly threshold: number
  readonly isBeyond: boolean
}

const rulesOf = (known: Partial<Thresholds>, limits: Thresholds): ReadonlyArray<Rule> => {
  const above = (kind: Alert["kind"], name: keyof Thresholds): Rule => {
    const [value, threshold] = [known[name], limits[name]]
    return { kind, value, threshold, isBeyond: value !== undefined && value > threshold }
  }
  const below = (kind: Alert["kind"], name: keyof Thresholds, counts = true): Rule => {
    const [value, threshold] = [known[name], limits[name]]
    return { kind, value, threshold, isBeyond: counts && value !== undefined && value < threshold }
  }
  return [
    above("Drawdown", "drawdown"),
    below("HitRate", "hitRate", (known.trades ?? 0) >= limits.trades),
    above("Errors", "errorsPerMinute"),
    below("Exchanges", "exchanges"),
    above("Memory", "memoryMegabytes"),
    above("Cpu", "cpu")
  ]
}

/**
 * Looks at what is known now: the figures that the thresholds are of, as far as
 * they are known. An alert whose figure is not known stays as it is.
 *
 * @category combinators
 * @since 0.1.0
 */
export const update = (
  self: ReadonlyArray<Alert>,
  known: Partial<Thresholds>,
  at: number,
  limits: Thresholds = thresholds
): Changed => {
  const rules = rulesOf(known, limits)
  const over = new Set(rules.filter(({ isBeyond, value }) => value !== undefined && !isBeyond).map(({ kind }) => kind))
  const up = new Set(self.map(({ kind }) => kind))
  const raised = rules.flatMap(({ isBeyond, kind, threshold, value }): ReadonlyArray<Alert> =>
    value === undefined || !isBeyond || up.has(kind) ? [] : [{ kind, value, threshold, since: at }]
  )
  const cleared = self.filter(({ kind }) => over.has(kind))
  return { alerts: [...self.filter(({ kind }) => !over.has(kind)), ...raised], raised, cleared }
}

const figures: Readonly<Record<Alert["kind"], (value: number, threshold: number) => string>> = {
  Drawdown: (value, threshold) => `the total is ${percent(value)} below its highest (more than ${percent(threshold)})`,
  HitRate: (value, threshold) => `${percent(value)} of the trades gained (less than ${percent(threshold)})`,
  Errors: (value, threshold) => `${value} errors in a minute (more than ${threshold})`,
  Exchanges: (value, threshold) => `${value} exchanges are connected (fewer than ${threshold})`,
  Memory: (value, threshold) => `${Math.round(value)} MB of memory (more than ${threshold} MB)`,
  Cpu: (value, threshold) => `${percent(value)} of the processor (more than ${percent(threshold)})`
}

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`

/**
 * An alert in words, with its figure and its threshold.
 *
 * @category getters
 * @since 0.1.0
 */
export const describe = ({ kind, threshold, value }: Alert): string => figures[kind](value, threshold)
