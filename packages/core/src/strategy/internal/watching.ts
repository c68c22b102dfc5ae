/**
 * Who watches a trader: its metrics, and the alerts that its owner wants.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { OrderRouter } from "../../trading/OrderRouter.ts"
import * as Portfolio from "../../trading/Portfolio.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as MetricAttributes from "../../value/internal/metricAttributes.ts"
import * as Alerts from "../Alerts.ts"
import * as Performance from "../Performance.ts"
import type { TraderEvent } from "../TraderEvent.ts"
import type { Desk } from "./desk.ts"
import * as Metrics from "./traderMetricDefinitions.ts"

const states = ["Recovering", "Trading", "Halted", "Ended"] as const

const minute = 60_000

const toNumber = (self: Decimal.Decimal): number => Number(Decimal.format(self))

const isError = (event: TraderEvent): boolean => {
  switch (event._tag) {
    case "NotClosed":
    case "Unbookable":
    case "Broken":
      return true
    case "Refused":
      return event.reason._tag === "NotPlaced"
    default:
      return false
  }
}

/**
 * Sees what a trader says of itself, and how it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Watcher {
  readonly event: (event: TraderEvent, desk: Desk) => void
  readonly state: (tag: typeof states[number]) => void
  /** From a signal until it is known what became of its order. */
  readonly ordered: (millis: number) => void
  /** What went wrong within the last minute. */
  readonly errorsPerMinute: () => number
  /** Tells the gauges how the portfolio is. */
  readonly look: (desk: Desk) => void
  readonly alert: (alert: Alerts.Alert, isUp: boolean) => void
}

/**
 * Makes a watcher, its metrics at zero.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (trader: string, now: () => number): Effect.Effect<Watcher> =>
  Effect.contextWith((context: Context.Context<never>) =>
    Effect.sync(() => {
      const of = MetricAttributes.add(context, { trader })
      const by = (attributes: Readonly<Record<string, string>>) => MetricAttributes.add(of, attributes)
      const errorTimes: Array<number> = []
      const portfolio = [Metrics.equity, Metrics.realized, Metrics.drawdown, Metrics.exposure, Metrics.lots]
      for (const gauge of portfolio) gauge.updateUnsafe(0, of)
      for (const kind of ["enter", "close"]) Metrics.orders.updateUnsafe(0, by({ kind }))
      for (const result of ["won", "lost", "even"]) Metrics.trades.updateUnsafe(0, by({ result }))
      Metrics.errors.updateUnsafe(0, of)
      Metrics.state.updateUnsafe(0, of)
      const look = ({ performance, portfolio }: Desk): void => {
        Metrics.equity.updateUnsafe(toNumber(portfolio.total), of)
        Metrics.realized.updateUnsafe(toNumber(portfolio.realized), of)
        Metrics.drawdown.updateUnsafe(Performance.summary(performance).drawdownNow, of)
        Metrics.exposure.updateUnsafe(Portfolio.exposure(portfolio), of)
        Metrics.lots.updateUnsafe(portfolio.lots.size, of)
      }
      return {
        look,
        state: (tag) => Metrics.state.updateUnsafe(states.indexOf(tag), of),
        ordered: (millis) => Metrics.orderDurations.updateUnsafe(millis, of),
        errorsPerMinute: () => errorTimes.filter((at) => now() - at < minute).length,
        alert: ({ kind }, isUp) => Metrics.alerts.updateUnsafe(isUp ? 1 : 0, by({ kind })),
        event: (event, desk) => {
          if (isError(event)) {
            Metrics.errors.updateUnsafe(1, of)
            errorTimes.push(now())
            while ((errorTimes[0] ?? Infinity) <= now() - minute) errorTimes.shift()
          }
          if (event._tag === "Refused") Metrics.refusals.updateUnsafe(1, by({ code: event.code }))
          if (event._tag === "Entering") Metrics.orders.updateUnsafe(1, by({ kind: "enter" }))
          if (event._tag === "Exiting") Metrics.orders.updateUnsafe(1, by({ kind: "close" }))
          if (event._tag === "Closed") {
            const { fees, realized } = event.trade
            const gained = toNumber(realized) - toNumber(fees)
            Metrics.trades.updateUnsafe(1, by({ result: gained > 0 ? "won" : gained < 0 ? "lost" : "even" }))
          }
          if (event._tag === "Opened" || event._tag === "Closed" || event._tag === "Recovered") look(desk)
        }
      }
    })
  )

/** How often it is looked whether there is an alert. */
const every = "10 seconds"

/**
 * Looks again and again whether there is an alert. `measure` gives what only the
 * process knows.
 *
 * @category combinators
 * @since 0.1.0
 */
export const alerts = (
  { desk, measure, name, router, tell, thresholds, watcher }: {
    readonly name: string
    readonly desk: Desk
    readonly router: OrderRouter["Service"]
    readonly watcher: Watcher
    readonly thresholds: Partial<Alerts.Thresholds>
    readonly measure: Effect.Effect<Partial<Alerts.Thresholds>>
    readonly tell: (event: TraderEvent) => void
  }
): Effect.Effect<void> => {
  let up: ReadonlyArray<Alerts.Alert> = []
  const look = Effect.gen(function*() {
    const exchanges = yield* router.exchanges
    const { drawdownNow, hitRate, trades } = Performance.summary(desk.performance)
    const known = {
      drawdown: drawdownNow,
      ...(hitRate === undefined ? {} : { hitRate }),
      trades,
      errorsPerMinute: watcher.errorsPerMinute(),
      exchanges: exchanges.filter(({ health }) => health._tag === "Live").length,
      ...yield* measure
    }
    const limits = {
      ...Alerts.thresholds,
      exchanges: Math.min(Alerts.thresholds.exchanges, exchanges.length),
      ...thresholds
    }
    const { alerts, cleared, raised } = Alerts.update(up, known, desk.options.now(), limits)
    up = alerts
    watcher.look(desk)
    for (const alert of raised) {
      watcher.alert(alert, true)
      tell({ _tag: "Raised", alert })
      yield* Effect.annotateLogs(Effect.logWarning("alert"), { trader: name, alert: Alerts.describe(alert) })
    }
    for (const alert of cleared) {
      watcher.alert(alert, false)
      tell({ _tag: "Lowered", alert })
      yield* Effect.annotateLogs(Effect.logInfo("alert over"), { trader: name, alert: alert.kind })
    }
  })
  // At first nothing is connected yet, which alarms nobody.
  return Effect.delay(Effect.asVoid(Effect.repeat(look, Schedule.spaced(every))), every)
}
