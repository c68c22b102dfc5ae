/**
 * One product on its way from trades to signals: its candles, the gaps in what
 * they are made of, and the strategy that is shown those that are whole.
 *
 * @since 0.1.0
 */
import type * as Lifecycle from "../../event/Lifecycle.ts"
import type * as MarketData from "../../event/MarketData.ts"
import type * as Channel from "../../value/Channel.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import type { Candle, Candles } from "../Candles.ts"
import type { Price } from "../Price.ts"
import { Signal, StrategyFailed } from "../Signal.ts"
import type { Strategy } from "../Strategy.ts"
import type { SignalMetrics } from "./signalMetrics.ts"

/**
 * What a course is of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: string
  readonly product: string
  readonly channel: Channel.Channel
  readonly strategy: Strategy
  readonly candles: Candles
  /** Whether the strategy begins anew after candles that it was not shown. */
  readonly restarts: boolean
  readonly tellsHolds: boolean
  readonly tellsPrices: boolean
  readonly metrics: SignalMetrics
}

type Priced = MarketData.Trade | MarketData.PriceUpdate

/**
 * What comes of events.
 *
 * @category models
 * @since 0.1.0
 */
export type Told = Signal | StrategyFailed | Price

/** A price at a time. */
interface Tick {
  readonly price: Decimal.Decimal
  readonly size: Decimal.Decimal
  readonly timestamp: Timestamp.Timestamp
}

// So much waits for the end of a gap at most, as the feed itself lets wait for what it fetches.
const mostHeld = 10_000

const keyOf = ({ cause, from }: Lifecycle.Gap): string => `${cause} ${from ?? ""}`

const tickOf = (event: Priced): Tick | undefined => {
  const timestamp = event.timestamp ?? event.receivedAt
  return timestamp === undefined
    ? undefined
    : { price: event.price, size: event._tag === "Trade" ? event.size : Decimal.zero, timestamp }
}

const isConfidence = (confidence: number): boolean => confidence >= 0 && confidence <= 1

/**
 * One product on its way to signals. It is synchronous.
 *
 * @category models
 * @since 0.1.0
 */
export class Course {
  readonly channel: Channel.Channel
  private readonly options: Options
  private run: ReturnType<Strategy["make"]>
  private readonly open = new Set<string>()
  private held: Array<Tick> = []
  // Data is missing between the last tick and the next one.
  private isMissing = false
  private isBookLive = true
  private wasBookBroken = false

  constructor(options: Options) {
    this.options = options
    this.channel = options.channel
    this.run = options.strategy.make()
  }

  /** Whether the event is of the product. */
  isOf(event: Priced): boolean {
    const { channel, product } = this.options
    return event.product === channel.product || event.name === product || event.product === product
  }

  /** Whether the gap is of what the candles are made of. */
  isTouched(gap: Lifecycle.Gap): boolean {
    const { channel } = this.options
    return (gap.channel === undefined || gap.channel === channel.channel) &&
      (gap.product === undefined || channel.product === undefined || gap.product === channel.product)
  }

  /** The book of the product is live, or is not. */
  book(isLive: boolean): void {
    this.isBookLive = isLive
    if (!isLive) this.wasBookBroken = true
  }

  /** Shows the next event, and gives what comes of it. */
  tell(event: Priced | Lifecycle.Gap): ReadonlyArray<Told> {
    if (event._tag === "Gap") return this.gap(event)
    const tick = tickOf(event)
    if (tick === undefined) return []
    const told = this.add(tick)
    // A price is one whatever is missing; but not that of a trade of before.
    return this.options.tellsPrices && !(event._tag === "Trade" && event.history === true)
      ? [{ _tag: "Price", product: this.options.product, price: tick.price, at: tick.timestamp }, ...told]
      : told
  }

  private add(tick: Tick): ReadonlyArray<Told> {
    if (this.open.size === 0) return this.take(tick)
    this.held.push(tick)
    if (this.held.length < mostHeld) return []
    // Nobody waits for it any longer.
    this.isMissing = true
    this.open.clear()
    return this.release()
  }

  private gap(gap: Lifecycle.Gap): ReadonlyArray<Told> {
    if (gap.to === undefined) {
      this.open.add(keyOf(gap))
      return []
    }
    this.open.delete(keyOf(gap))
    if (gap.recovered !== "backfill" && gap.recovered !== "redundant") this.isMissing = true
    return this.open.size === 0 ? this.release() : []
  }

  // What waited, in the order of its times: what was fetched may have come behind what is newer.
  private release(): ReadonlyArray<Told> {
    const held = this.held.toSorted((one, other) => Timestamp.TimestampOrder(one.timestamp, other.timestamp))
    this.held = []
    const { isMissing } = this
    const told = held.flatMap((tick) => {
      // Where in it the hole is, nobody knows.
      this.isMissing = isMissing
      return this.take(tick)
    })
    this.isMissing = isMissing
    return told
  }

  private take(tick: Tick): ReadonlyArray<Told> {
    const { candles, metrics } = this.options
    if (this.isMissing || this.wasBookBroken) candles.missed()
    this.isMissing = false
    this.wasBookBroken = !this.isBookLive
    const late = candles.late()
    const closed = candles.add(tick)
    if (candles.late() > late) metrics.late()
    return closed.flatMap((candle) => this.show(candle) ?? [])
  }

  private show(candle: Candle): Signal | StrategyFailed | undefined {
    const { metrics, product, restarts, strategy, tellsHolds, venue } = this.options
    const isShown = candle.isWhole && this.isBookLive
    metrics.candle(isShown)
    if (!isShown) {
      if (restarts) this.run = strategy.make()
      return undefined
    }
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
