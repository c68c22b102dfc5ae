/**
 * Candles of one product by event time: what is live, replayed or in a backtest
 * gives the same ones, as no clock is read.
 *
 * Intervals are aligned to 1970-01-01T00:00:00Z, so that a candle of a day is
 * that of the UTC day. Prices and volumes are exact.
 *
 * **Example** (candles of ten seconds from a feed)
 *
 * ```ts
 * const candles = feed.trades("BTC-USD").pipe(Candles.fromTrades({ interval: "10 seconds" }))
 * ```
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Trade } from "../event/MarketData.ts"
import * as Decimal from "../value/Decimal.ts"
import { type Members, uncheckedConstructor } from "../value/internal/uncheckedConstructor.ts"
import * as Timestamp from "../value/Timestamp.ts"

/**
 * What was traded from `from` on until before `to`, by event time.
 *
 * `isWhole` is false if something of it may be missing: data was, or the candle
 * began or ended in the middle. Without trades all prices are the last close and
 * `volume` is zero. `trades` is absent if the candle is a venue's own and the
 * venue does not say it.
 *
 * @category models
 * @since 0.1.0
 */
export class Candle extends Schema.Class<Candle>("Candle")({
  from: Timestamp.FromText,
  to: Timestamp.FromText,
  open: Decimal.FromText,
  high: Decimal.FromText,
  low: Decimal.FromText,
  close: Decimal.FromText,
  volume: Decimal.FromText,
  trades: Schema.optionalKey(Schema.Int),
  isWhole: Schema.Boolean
}) {}

const UncheckedCandle = uncheckedConstructor(Candle.prototype, function(members: Members<Candle>) {
  this.from = members.from
  this.to = members.to
  this.open = members.open
  this.high = members.high
  this.low = members.low
  this.close = members.close
  this.volume = members.volume
  if (members.trades !== undefined) this.trades = members.trades
  this.isWhole = members.isWhole
})

/**
 * Which candles are made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** How long a candle is: any positive length of time. */
  readonly interval: Duration.Input
  /** How long after its end, by event time, a candle waits for late trades. Default: not at all. */
  readonly lateness?: Duration.Input | undefined
  /**
   * What an interval without trades gives: no candle, or a flat one at the last
   * close. Default: `"flat"`, but a silence of more than 10,000 intervals gives
   * none.
   */
  readonly gaps?: "skip" | "flat" | undefined
}

/**
 * Makes the candles of one product. It is synchronous.
 *
 * @category models
 * @since 0.1.0
 */
export interface Candles {
  /**
   * Adds a trade; gives the candles that are closed by its time, oldest first.
   * Within a candle trades are ordered by their times.
   */
  readonly add: (trade: {
    readonly price: Decimal.Decimal
    /** Zero by default, as of a price without a trade. */
    readonly size?: Decimal.Decimal | undefined
    readonly timestamp: Timestamp.Timestamp
  }) => ReadonlyArray<Candle>
  /**
   * Data is missing: candles that are not closed and are touched by this time are
   * not whole. `from` is the newest time so far by default, `to` that of the next
   * trade.
   */
  readonly missed: (from?: Timestamp.Timestamp | undefined, to?: Timestamp.Timestamp | undefined) => void
  /** Event time has come to this point, as if by a trade: gives the candles that are closed by it. */
  readonly advance: (to: Timestamp.Timestamp) => ReadonlyArray<Candle>
  /** Closes all; what has not reached its end is not whole. */
  readonly flush: () => ReadonlyArray<Candle>
  /** The newest candle that is not closed, as it is now. */
  readonly current: () => Candle | undefined
  /** How many trades came after their candle was closed: they are in none. */
  readonly late: () => number
}

/** So many intervals without trades give flat candles at once: a wrong time in the far future fills no memory. */
const mostFlat = 10_000n

const second = 1_000_000_000n

const floorDivide = (self: bigint, by: bigint): bigint => {
  const quotient = self / by
  return self % by < 0n ? quotient - 1n : quotient
}

/** The point of time with as many digits as it needs: none, or groups of three. */
const atNanos = (sinceEpoch: bigint): Timestamp.Timestamp => {
  const seconds = floorDivide(sinceEpoch, second)
  const nanos = Number(sinceEpoch - seconds * second)
  const digits = nanos === 0 ? 0 : nanos % 1_000_000 === 0 ? 3 : nanos % 1_000 === 0 ? 6 : 9
  return new Timestamp.Timestamp(Number(seconds), nanos, digits, "")
}

const isBefore = (self: Timestamp.Timestamp, that: Timestamp.Timestamp): boolean =>
  Timestamp.TimestampOrder(self, that) < 0

/** A candle that is not closed. */
interface Open {
  readonly index: bigint
  readonly from: Timestamp.Timestamp
  readonly to: Timestamp.Timestamp
  open: Decimal.Decimal
  openAt: Timestamp.Timestamp
  high: Decimal.Decimal
  low: Decimal.Decimal
  close: Decimal.Decimal
  closeAt: Timestamp.Timestamp
  volume: Decimal.Decimal
  trades: number
}

/** A time of which data is missing; without an end it lasts until the next trade. */
interface Missing {
  readonly from: Timestamp.Timestamp
  to: Timestamp.Timestamp | undefined
}

class CandlesImpl implements Candles {
  private readonly interval: bigint
  private readonly lateness: bigint
  private readonly isFlat: boolean
  /** Oldest first; nearly always one. */
  private readonly open: Array<Open> = []
  private missing: Array<Missing> = []
  /** When the series began, and the newest time so far. */
  private began: Timestamp.Timestamp | undefined
  private newest: Timestamp.Timestamp | undefined
  /** The first interval that is not closed. */
  private horizon: bigint | undefined
  private lastClosed: { readonly index: bigint; readonly close: Decimal.Decimal } | undefined
  private lateTrades = 0

  constructor({ gaps, interval, lateness }: Options) {
    this.interval = Duration.toNanosUnsafe(interval)
    this.lateness = Duration.toNanosUnsafe(lateness ?? 0)
    this.isFlat = gaps !== "skip"
    if (this.interval <= 0n) throw new RangeError("the interval of a candle is longer than nothing")
    if (this.lateness < 0n) throw new RangeError("a candle waits for late trades for a time of zero or more")
  }

  add({ price, size = Decimal.zero, timestamp }: Parameters<Candles["add"]>[0]): ReadonlyArray<Candle> {
    for (const one of this.missing) if (!isBefore(timestamp, one.from)) one.to ??= timestamp
    const only = this.open.length === 1 ? this.open[0] : undefined
    if (only !== undefined && !isBefore(timestamp, only.from) && isBefore(timestamp, only.to)) {
      if (this.newest === undefined || isBefore(this.newest, timestamp)) this.newest = timestamp
      enter(only, price, size, timestamp)
      return []
    }
    const index = this.indexOf(timestamp)
    if (this.horizon !== undefined && index < this.horizon) {
      this.lateTrades++
      return []
    }
    const closed = this.advance(timestamp)
    const open = this.openAt(index)
    if (open === undefined) this.begin(index, price, size, timestamp)
    else enter(open, price, size, timestamp)
    return closed
  }

  missed(from = this.newest, to?: Timestamp.Timestamp): void {
    if (from !== undefined) this.missing.push({ from, to: to !== undefined && isBefore(to, from) ? from : to })
  }

  advance(to: Timestamp.Timestamp): ReadonlyArray<Candle> {
    this.began ??= to
    if (this.newest !== undefined && !isBefore(this.newest, to)) return []
    this.newest = to
    return this.closeBefore(floorDivide(Timestamp.toEpochNanos(to) - this.lateness, this.interval))
  }

  flush(): ReadonlyArray<Candle> {
    const last = this.open.at(-1)
    return last === undefined ? [] : this.closeBefore(last.index + 1n)
  }

  current(): Candle | undefined {
    const newest = this.open.at(-1)
    return newest && this.shown(newest)
  }

  late(): number {
    return this.lateTrades
  }

  private indexOf(timestamp: Timestamp.Timestamp): bigint {
    return floorDivide(Timestamp.toEpochNanos(timestamp), this.interval)
  }

  private openAt(index: bigint): Open | undefined {
    return this.open.findLast((one) => one.index === index)
  }

  private begin(index: bigint, price: Decimal.Decimal, size: Decimal.Decimal, at: Timestamp.Timestamp): void {
    const from = atNanos(index * this.interval)
    const to = atNanos((index + 1n) * this.interval)
    const began: Open = {
      index,
      from,
      to,
      open: price,
      openAt: at,
      high: price,
      low: price,
      close: price,
      closeAt: at,
      volume: size,
      trades: 1
    }
    const before = this.open.findLastIndex((one) => one.index < index)
    this.open.splice(before + 1, 0, began)
  }

  /** Closes what is before an interval. */
  private closeBefore(horizon: bigint): ReadonlyArray<Candle> {
    if (this.horizon !== undefined && horizon <= this.horizon) return []
    this.horizon = horizon
    const closed: Array<Candle> = []
    while (this.open[0] !== undefined && this.open[0].index < horizon) {
      const oldest = this.open[0]
      this.fill(oldest.index, closed)
      closed.push(this.shown(oldest))
      this.lastClosed = oldest
      this.open.shift()
    }
    this.fill(horizon, closed)
    const start = atNanos(horizon * this.interval)
    this.missing = this.missing.filter(({ to }) => to === undefined || !isBefore(to, start))
    return closed
  }

  /** The flat candles between the last one and an interval. */
  private fill(until: bigint, closed: Array<Candle>): void {
    const last = this.lastClosed
    if (last === undefined || !this.isFlat || until - last.index - 1n > mostFlat) return
    const { close } = last
    for (let index = last.index + 1n; index < until; index++) {
      const from = atNanos(index * this.interval)
      const to = atNanos((index + 1n) * this.interval)
      closed.push(
        this.shown({ from, to, open: close, high: close, low: close, close, volume: Decimal.zero, trades: 0 })
      )
      this.lastClosed = { index, close }
    }
  }

  private shown(of: Omit<Open, "index" | "openAt" | "closeAt">): Candle {
    const { from, to } = of
    const isTouched = this.missing.some((one) =>
      isBefore(one.from, to) && (one.to === undefined || !isBefore(one.to, from))
    )
    const isCut = this.began === undefined || isBefore(from, this.began) ||
      this.newest === undefined || isBefore(this.newest, to)
    return new UncheckedCandle({ ...of, isWhole: !isTouched && !isCut })
  }
}

/** A trade into its candle, whatever the order in which trades come. */
const enter = (
  into: Open,
  price: Decimal.Decimal,
  size: Decimal.Decimal,
  at: Timestamp.Timestamp
): void => {
  if (isBefore(at, into.openAt)) {
    into.open = price
    into.openAt = at
  }
  if (!isBefore(at, into.closeAt)) {
    into.close = price
    into.closeAt = at
  }
  if (BigDecimal.isGreaterThan(price, into.high)) into.high = price
  if (BigDecimal.isLessThan(price, into.low)) into.low = price
  into.volume = BigDecimal.sum(into.volume, size)
  into.trades++
}

/**
 * Makes the candles of one product. An interval that is not positive, or is
 * infinite, is a defect.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Candles => new CandlesImpl(options)

/**
 * The candles of a stream of one product's trades, by the venue's time of each;
 * a trade without one counts at the time at which it came in. At the end of the
 * stream the candle that has not ended is given too, not whole.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fromTrades =
  (options: Options) => <E, R>(trades: Stream.Stream<Trade, E, R>): Stream.Stream<Candle, E, R> =>
    Stream.suspend(() => {
      const candles = make(options)
      const closed = Stream.map(
        trades,
        ({ price, receivedAt, size, timestamp = receivedAt }) =>
          timestamp === undefined ? [] : candles.add({ price, size, timestamp })
      )
      return Stream.flattenIterable(Stream.concat(closed, Stream.fromEffect(Effect.sync(() => candles.flush()))))
    })

/**
 * A venue's own candle, which it says has ended: from its start and its length.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofVenue = (
  { interval, ...members }:
    & Omit<Members<Candle>, "to" | "isWhole">
    & { readonly interval: Duration.Input; readonly isWhole?: boolean | undefined }
): Candle =>
  new UncheckedCandle({
    ...members,
    to: atNanos(Timestamp.toEpochNanos(members.from) + Duration.toNanosUnsafe(interval)),
    isWhole: members.isWhole ?? true
  })
