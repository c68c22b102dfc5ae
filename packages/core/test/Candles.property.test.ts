/** Candles of trades by chance against all trades grouped by their times, whatever the order in which they come. */
import { assert, describe, it } from "@effect/vitest"
import * as Candles from "@tickline/core/strategy/Candles"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as BigDecimal from "effect/BigDecimal"
import { random } from "./Indicators.series.ts"

interface Trade {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly comes: number
  /** In cents. */
  readonly price: number
  readonly size: number
}

/** Trades in the order of their times, none of which comes later than `lateness` after its time. */
const tradesOf = (seed: number, lateness: number): ReadonlyArray<Trade> => {
  const next = random(seed)
  let at = 1_761_652_800_000
  return Array.from({ length: 120 }, () => {
    // Now and then nothing is traded for many intervals.
    at += 1 + (next(15) === 0 ? next(60_000) : next(2_000))
    return {
      at,
      comes: at + (lateness === 0 ? 0 : next(lateness)),
      price: 4_000_000 + next(1_000),
      size: 1 + next(500)
    }
  })
}

const interval = 5_000

type Row = readonly [
  from: number,
  open: number,
  high: number,
  low: number,
  close: number,
  volume: number,
  trades: number
]

/** By the definition: all trades of each interval from the first to the last. */
const grouped = (trades: ReadonlyArray<Trade>, isFlat: boolean): ReadonlyArray<Row> => {
  const indexOf = ({ at }: Trade) => Math.floor(at / interval)
  const [first, last] = [trades[0], trades.at(-1)]
  if (first === undefined || last === undefined) return []
  let before = first.price
  return Array.from({ length: indexOf(last) - indexOf(first) + 1 }, (_, i) => i + indexOf(first)).flatMap((index) => {
    const own = trades.filter((trade) => indexOf(trade) === index)
    const prices = own.length === 0 ? [before] : own.map(({ price }) => price)
    const open = prices[0] ?? 0
    before = prices.at(-1) ?? 0
    const volume = own.reduce((sum, { size }) => sum + size, 0)
    const row: Row = [index * interval, open, Math.max(...prices), Math.min(...prices), before, volume, own.length]
    return own.length > 0 || isFlat ? [row] : []
  })
}

const cents = (value: number): Decimal.Decimal => BigDecimal.make(BigInt(value), 2)

const rowOf = ({ close, from, high, low, open, trades = 0, volume }: Candles.Candle): Row => {
  const [o, h, l, c, v] = [open, high, low, close, volume].map((value) => Number(Decimal.format(value)) * 100)
    .map(Math.round) as [number, number, number, number, number]
  return [Timestamp.epochMillis(from), o, h, l, c, v, trades]
}

describe("Candles", () => {
  for (const [name, lateness] of [["in order", 0], ["up to 12 s late", 12_000]] as const) {
    for (const gaps of ["flat", "skip"] as const) {
      it(`of trades that come ${name} are those of their times, with gaps ${gaps}`, () => {
        for (let seed = 1; seed <= 40; seed++) {
          const trades = tradesOf(seed, lateness)
          const candles = Candles.make({ interval, lateness, gaps })
          const coming = trades.toSorted((one, other) => one.comes - other.comes)
          const found = [
            ...coming.flatMap(({ at, price, size }) =>
              candles.add({ timestamp: Timestamp.fromEpochMillis(at), price: cents(price), size: cents(size) })
            ),
            ...candles.flush()
          ]
          assert.strictEqual(candles.late(), 0, `seed ${seed}`)
          assert.deepStrictEqual(found.map(rowOf), grouped(trades, gaps === "flat"), `seed ${seed}`)
          // Whole are all from the first trade that came on, but the last, which was cut.
          const began = coming[0]?.at ?? 0
          assert.deepStrictEqual(
            found.map(({ isWhole }) => isWhole),
            found.map(({ from }, i) => Timestamp.epochMillis(from) >= began && i < found.length - 1),
            `seed ${seed}`
          )
        }
      })
    }
  }

  it("and late trades together are all trades", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const trades = tradesOf(seed, 12_000)
      const candles = Candles.make({ interval, lateness: 3_000 })
      const coming = trades.toSorted((one, other) => one.comes - other.comes)
      const found = [
        ...coming.flatMap(({ at, price, size }) =>
          candles.add({ timestamp: Timestamp.fromEpochMillis(at), price: cents(price), size: cents(size) })
        ),
        ...candles.flush()
      ]
      assert.strictEqual(found.reduce((sum, { trades = 0 }) => sum + trades, 0) + candles.late(), trades.length)
      assert.isAbove(candles.late(), 0, `seed ${seed}`)
      found.slice(1).forEach(({ from }, i) => {
        assert.strictEqual(Timestamp.epochMillis(from), Timestamp.epochMillis(found[i]?.to ?? from))
      })
    }
  })
})
