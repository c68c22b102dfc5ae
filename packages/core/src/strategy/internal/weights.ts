/**
 * The weights of strategies that are combined, which follow how each of them has
 * done. See `Adaptation` of `Strategy`.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Timestamp from "../../value/Timestamp.ts"
import type { Candle } from "../Candles.ts"

/**
 * When the weights change, and how far.
 *
 * @category models
 * @since 0.1.0
 */
export interface Following {
  readonly everyMillis: number
  readonly floor: number
  readonly step: number
}

/** What a member decided on a candle, if it answered. */
type Answer = { readonly side: "buy" | "sell" | "hold" } | undefined

/** What one member has decided since the weights changed last. */
interface Record {
  pending: "buy" | "sell" | undefined
  right: number
  judged: number
}

interface Bounds {
  readonly wanted: number
  readonly least: number
  readonly most: number
}

const clamp = ({ least, most }: Bounds, weight: number): number => Math.min(Math.max(weight, least), most)

// Doubles have no more bits than this to decide about.
const halvings = 64

// The wanted weights times one factor, each within its bounds, with a sum of one: there is such a factor where the
// lower bounds make one at most, and the upper ones one at least.
const balanced = (bounds: ReadonlyArray<Bounds>): ReadonlyArray<number> => {
  const at = (factor: number) => bounds.map((one) => clamp(one, one.wanted * factor))
  let low = 0
  let high = Math.max(...bounds.map(({ most, wanted }) => most / wanted))
  for (let n = 0; n < halvings; n++) {
    const middle = (low + high) / 2
    if (at(middle).reduce((sum, weight) => sum + weight, 0) < 1) low = middle
    else high = middle
  }
  return at(high)
}

/**
 * The weights of combined strategies, as shares of one.
 *
 * @category models
 * @since 0.1.0
 */
export class Weights {
  current: ReadonlyArray<number>
  private readonly following: Following | undefined
  private readonly floors: ReadonlyArray<number>
  private readonly records: ReadonlyArray<Record>
  private lastClose: Candle["close"] | undefined
  private nextAt: number | undefined

  constructor(weights: ReadonlyArray<number>, following: Following | undefined) {
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    if (!weights.every((weight) => weight > 0) || !Number.isFinite(total)) {
      throw new RangeError(`weights are numbers greater than zero, not ${weights.join(", ")}`)
    }
    this.current = weights.map((weight) => weight / total)
    this.following = following
    this.floors = this.current.map((weight) => Math.min(weight, following?.floor ?? 0))
    this.records = weights.map(() => ({ pending: undefined, right: 0, judged: 0 }))
  }

  /** Shows a candle, and what each member decided on it. The weights change before, if it is time. */
  candle(candle: Candle, decisions: ReadonlyArray<Answer>): void {
    const { following } = this
    if (following === undefined) return
    this.judge(candle)
    const at = Timestamp.epochMillis(candle.to)
    this.nextAt ??= at + following.everyMillis
    if (at >= this.nextAt) {
      this.nextAt = at + following.everyMillis
      this.move(following)
    }
    this.records.forEach((record, index) => {
      const side = decisions[index]?.side
      record.pending = side === "hold" ? undefined : side
    })
  }

  private judge({ close }: Candle): void {
    const moved = this.lastClose === undefined ? 0 : BigDecimal.Order(close, this.lastClose)
    this.lastClose = close
    if (moved === 0) return
    const proved = moved > 0 ? "buy" : "sell"
    for (const record of this.records) {
      if (record.pending === undefined) continue
      record.judged++
      if (record.pending === proved) record.right++
    }
  }

  private move({ step }: Following): void {
    this.current = balanced(this.current.map((weight, index) => {
      const { judged = 0, right = 0 } = this.records[index] ?? {}
      const score = judged === 0 ? 0.5 : right / judged
      return {
        wanted: weight * (1 + step * (2 * score - 1)),
        least: Math.max(this.floors[index] ?? 0, weight * (1 - step)),
        most: weight * (1 + step)
      }
    }))
    for (const record of this.records) {
      record.right = 0
      record.judged = 0
    }
  }
}
