/**
 * A strategy on its way through the candles of one product: shown those that are
 * whole, and begun anew where one was withheld from it, if it `restarts`, and
 * where it failed.
 *
 * @since 0.1.0
 */
import type { Candle } from "../Candles.ts"
import { Signal, StrategyFailed } from "../Signal.ts"
import type { Strategy } from "../Strategy.ts"
import type { SignalMetrics } from "./signalMetrics.ts"

/**
 * What a run is of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: string
  readonly product: string
  readonly strategy: Strategy
  /** Whether the strategy begins anew after candles that it was not shown. */
  readonly restarts: boolean
  readonly tellsHolds: boolean
  readonly metrics: SignalMetrics
}

const isConfidence = (confidence: number): boolean => confidence >= 0 && confidence <= 1

/**
 * One strategy for one product.
 *
 * @category models
 * @since 0.1.0
 */
export class StrategyRun {
  private readonly options: Options
  private run: ReturnType<Strategy["make"]>

  constructor(options: Options) {
    this.options = options
    this.run = options.strategy.make()
  }

  /** A candle that it is not shown. */
  withhold(): void {
    const { metrics, restarts, strategy } = this.options
    metrics.candle(false)
    if (restarts) this.run = strategy.make()
  }

  /** Shows it a candle, and gives what it says. */
  show(candle: Candle): Signal | StrategyFailed | undefined {
    const { metrics, product, strategy, tellsHolds, venue } = this.options
    metrics.candle(true)
    const decided = this.decide(candle)
    if (decided === undefined || decided instanceof StrategyFailed) return decided
    const { confidence, reason, side } = decided
    if (side === "hold" && !tellsHolds) return undefined
    metrics.signal(side)
    return new Signal({
      venue,
      product,
      side,
      confidence,
      price: candle.close,
      at: candle.to,
      strategy: strategy.name,
      ...(reason === undefined ? {} : { reason })
    })
  }

  private decide(candle: Candle): ReturnType<ReturnType<Strategy["make"]>["decide"]> | StrategyFailed {
    const { metrics, product, strategy } = this.options
    let cause: unknown
    try {
      const decision = this.run.decide(candle)
      if (decision === undefined || isConfidence(decision.confidence)) return decision
      cause = new RangeError(`a confidence of ${decision.confidence} is not from 0 to 1`)
    } catch (thrown) {
      cause = thrown
    }
    this.run = strategy.make()
    metrics.failed()
    return new StrategyFailed({ strategy: strategy.name, product, at: candle.to, cause })
  }
}
