/** What the tests of layouts have in common: what reads the rows of a book, and what it has read. */
import { assert } from "@effect/vitest"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BookFormats from "../src/codec/internal/bookFormats.ts"
import type * as Layout from "../src/codec/internal/layout.ts"

/** What reads rows that are written in this way as they pass. */
export const rowsOf = (options: BookFormats.LevelsOptions | BookFormats.SidesOptions): Layout.ReadRows => {
  const { segment } = "bid" in options ? BookFormats.sides(options) : BookFormats.levels(options)
  return segment._tag === "Book" ? segment.read : assert.fail("no rows of a book")
}

const pairsOf = (rows: unknown): ReadonlyArray<readonly [Decimal.Decimal, Decimal.Decimal]> =>
  Array.isArray(rows) ? rows : assert.fail("no levels")

/** The levels that were read, as text; of two sides the bids, then the asks. */
export const levelsOf = (rows: object | undefined): ReadonlyArray<string> => {
  const levels = rows !== undefined && "bids" in rows && "asks" in rows
    ? [...pairsOf(rows.bids), ...pairsOf(rows.asks)]
    : pairsOf(rows)
  return levels.map(([price, size]) => `${Decimal.format(price)}:${Decimal.format(size)}`)
}
