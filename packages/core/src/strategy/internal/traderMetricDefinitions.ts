/**
 * What a trader tells Effect's `Metric` of itself, by the attribute `trader`.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * How it is: 0 while it recovers, 1 while it trades, 2 while it is halted, 3 when
 * its inputs have ended.
 *
 * @category constants
 * @since 0.1.0
 */
export const state = Metric.gauge("tickline_trader_state", {
  description: "How a trader is: 0 recovering, 1 trading, 2 halted, 3 ended"
})

/**
 * Signals that became no order, by the attribute `code`.
 *
 * @category constants
 * @since 0.1.0
 */
export const refusals = Metric.counter("tickline_trader_refusals_total", {
  description: "Signals that became no order, by code",
  incremental: true
})

/**
 * Orders, by the attribute `kind`: those that enter a lot, and those that close one.
 *
 * @category constants
 * @since 0.1.0
 */
export const orders = Metric.counter("tickline_trader_orders_total", {
  description: "Orders of a trader, by whether they enter or close a lot",
  incremental: true
})

/**
 * Lots that were closed, by the attribute `result`: whether they won or lost.
 *
 * @category constants
 * @since 0.1.0
 */
export const trades = Metric.counter("tickline_trader_trades_total", {
  description: "Closed lots, by whether they won or lost",
  incremental: true
})

/**
 * What went wrong: orders that were not placed, lots that were not closed, fills
 * that cannot be booked, invariants that are broken.
 *
 * @category constants
 * @since 0.1.0
 */
export const errors = Metric.counter("tickline_trader_errors_total", {
  description: "What went wrong with a trader's orders and its portfolio",
  incremental: true
})

/**
 * What the portfolio is worth, in the quote currency; as a double.
 *
 * @category constants
 * @since 0.1.0
 */
export const equity = Metric.gauge("tickline_trader_equity", {
  description: "What the portfolio is worth, in the quote currency"
})

/**
 * What all closed lots have gained, without fees, in the quote currency.
 *
 * @category constants
 * @since 0.1.0
 */
export const realized = Metric.gauge("tickline_trader_realized", {
  description: "What closed lots have gained, without fees, in the quote currency"
})

/**
 * By which share the portfolio is below its highest.
 *
 * @category constants
 * @since 0.1.0
 */
export const drawdown = Metric.gauge("tickline_trader_drawdown", {
  description: "By which share the portfolio is below its highest"
})

/**
 * Which share of the portfolio is in lots.
 *
 * @category constants
 * @since 0.1.0
 */
export const exposure = Metric.gauge("tickline_trader_exposure", {
  description: "Which share of the portfolio is in lots"
})

/**
 * Open lots.
 *
 * @category constants
 * @since 0.1.0
 */
export const lots = Metric.gauge("tickline_trader_lots", { description: "Open lots" })

/**
 * How long it took from a signal until it was known what became of its order.
 *
 * @category constants
 * @since 0.1.0
 */
export const orderDurations = Metric.histogram("tickline_trader_order_ms", {
  description: "From a signal until it is known what became of its order",
  boundaries: [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000]
})

/**
 * Alerts that are up, by the attribute `kind`: 1 while one is.
 *
 * @category constants
 * @since 0.1.0
 */
export const alerts = Metric.gauge("tickline_trader_alert", { description: "Whether an alert is up, by kind" })
