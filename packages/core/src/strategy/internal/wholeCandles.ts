/**
 * The candles of one product, of which a strategy is shown those that are whole:
 * what comes while data is missing waits until the gap has ended, and a candle
 * that one touches, or in which the book was not live, is withheld.
 *
 * @since 0.1.0
 */
import type * as Lifecycle from "../../event/Lifecycle.ts"
import type * as MarketData from "../../event/MarketData.ts"
import type * as Channel from "../../value/Channel.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import type { Candles } from "../Candles.ts"
import type { Price } from "../Price.ts"
import type { Signal, StrategyFailed } from "../Signal.ts"
import type { SignalMetrics } from "./signalMetrics.ts"
import type { StrategyRun } from "./strategyRun.ts"

/**
 * What the candles are of, and who is shown them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly product: string
  readonly channel: Channel.Channel
  readonly candles: Candles
  readonly run: StrategyRun
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

/**
 * The candles of one product. It is synchronous.
 *
 * @category models
 * @since 0.1.0
 */
export class WholeCandles {
  readonly channel: Channel.Channel
  private readonly options: Options
  private readonly open = new Set<string>()
  private held: Array<Tick> = []
  // Data is missing between the last tick and the next one.
  private isMissing = false
  private isBookLive = true
  private wasBookBroken = false

  constructor(options: Options) {
    this.options = options
    this.channel = options.channel
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
    const { candles, metrics, run } = this.options
    if (this.isMissing || this.wasBookBroken) candles.missed()
    this.isMissing = false
    this.wasBookBroken = !this.isBookLive
    const late = candles.late()
    const closed = candles.add(tick)
    if (candles.late() > late) metrics.late()
    return closed.flatMap((candle) => {
      if (candle.isWhole && this.isBookLive) return run.show(candle) ?? []
      run.withhold()
      return []
    })
  }
}
