/**
 * What signals tell Effect's `Metric` of themselves, for each product.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricAttributes from "../../value/internal/metricAttributes.ts"

/**
 * Candles, by the attributes `connection`, `product` and `shown`: whether a
 * strategy was shown them.
 *
 * @category constants
 * @since 0.1.0
 */
export const candles = Metric.counter("tickline_candles_total", {
  description: "Candles, by whether a strategy was shown them",
  incremental: true
})

/**
 * Signals, by the attributes `connection`, `product` and `side`.
 *
 * @category constants
 * @since 0.1.0
 */
export const signals = Metric.counter("tickline_signals_total", {
  description: "Signals of strategies, by side",
  incremental: true
})

/**
 * Times a strategy failed.
 *
 * @category constants
 * @since 0.1.0
 */
export const strategyFailures = Metric.counter("tickline_strategy_failures_total", {
  description: "Times a strategy failed",
  incremental: true
})

/**
 * Trades that came after their candle had ended.
 *
 * @category constants
 * @since 0.1.0
 */
export const lateTrades = Metric.counter("tickline_late_trades_total", {
  description: "Trades that came after their candle had ended",
  incremental: true
})

/**
 * The metrics of one product.
 *
 * @category models
 * @since 0.1.0
 */
export interface SignalMetrics {
  readonly candle: (isShown: boolean) => void
  readonly signal: (side: "buy" | "sell" | "hold") => void
  readonly failed: () => void
  readonly late: () => void
}

/**
 * Makes the metrics of a product, all of them at zero.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (connection: string, product: string): Effect.Effect<SignalMetrics> =>
  Effect.contextWith((context: Context.Context<never>) =>
    Effect.sync(() => {
      const of = MetricAttributes.add(context, { connection, product })
      const shown = MetricAttributes.add(of, { shown: "yes" })
      const withheld = MetricAttributes.add(of, { shown: "no" })
      const sides = {
        buy: MetricAttributes.add(of, { side: "buy" }),
        sell: MetricAttributes.add(of, { side: "sell" }),
        hold: MetricAttributes.add(of, { side: "hold" })
      }
      for (const each of [shown, withheld]) candles.valueUnsafe(each)
      for (const each of [sides.buy, sides.sell]) signals.valueUnsafe(each)
      for (const metric of [strategyFailures, lateTrades]) metric.valueUnsafe(of)
      return {
        candle: (isShown) => candles.updateUnsafe(1, isShown ? shown : withheld),
        signal: (side) => signals.updateUnsafe(1, sides[side]),
        failed: () => strategyFailures.updateUnsafe(1, of),
        late: () => lateTrades.updateUnsafe(1, of)
      }
    })
  )
