/**
 * Rows of a book: read by hand, because books hold tens of thousands of them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Decimal from "../../value/Decimal.ts"
import * as DecimalText from "../../value/internal/decimal.ts"
import { JsonNumber } from "../ExactJson.ts"

/**
 * One level of a book: price, then size.
 *
 * @category models
 * @since 0.1.0
 */
export type Level = readonly [price: Decimal.Decimal, size: Decimal.Decimal]

/**
 * What stands in a row where it is not what it should be.
 *
 * @category models
 * @since 0.1.0
 */
export class BadCell {
  readonly path: ReadonlyArray<PropertyKey>
  /** What was expected there; `undefined` where the cell is missing. */
  readonly expected: string | undefined

  constructor(path: ReadonlyArray<PropertyKey>, expected: string | undefined) {
    this.path = path
    this.expected = expected
  }
}

/** A decimal in a string; with `isNumber` in a JSON number, or in a string with the same digits. */
const decimalAt = (
  cell: unknown,
  index: number,
  column: PropertyKey,
  isNumber: boolean
): Decimal.Decimal | BadCell => {
  const text = isNumber && cell instanceof JsonNumber ? cell.text : cell
  if (typeof text !== "string") return new BadCell([index, column], isNumber ? "number" : "string")
  const decimal = Decimal.parse(text)
  if (decimal !== undefined) return decimal
  return new BadCell(
    [index, column],
    DecimalText.refusal(text) === "not a number" ? "a decimal" : `at most ${DecimalText.maxDigits} digits`
  )
}

/**
 * Reads the decimal of one cell of a row.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decimalCell = (
  row: ReadonlyArray<unknown>,
  index: number,
  column: number,
  isNumber = false
): Decimal.Decimal | BadCell =>
  column >= row.length ? new BadCell([index, column], undefined) : decimalAt(row[column], index, column, isNumber)

/** The level in two cells of a row, price and size, from a column on. */
const pair = (row: ReadonlyArray<unknown>, index: number, column: number, isNumber: boolean): Level | BadCell => {
  const price = decimalCell(row, index, column, isNumber)
  if (price instanceof BadCell) return price
  const size = decimalCell(row, index, column + 1, isNumber)
  return size instanceof BadCell ? size : [price, size]
}

/**
 * Reads the book level that a row is: an object with a price and a size under
 * these names, or an array that begins with them. `index` is that of the row.
 *
 * @category constructors
 * @since 0.1.0
 */
export const level = (
  row: unknown,
  index: number,
  price: string,
  size: string,
  isNumber = false
): Level | BadCell => {
  if (Array.isArray(row)) return pair(row, index, 0, isNumber)
  if (typeof row !== "object" || row === null || row instanceof JsonNumber) return new BadCell([index], "object")
  const read: Record<string, Decimal.Decimal> = {}
  for (const [name, cell] of Object.entries(row)) {
    if (name !== price && name !== size) continue
    const decimal = decimalAt(cell, index, name, isNumber)
    if (decimal instanceof BadCell) return decimal
    read[name] = decimal
  }
  const first = read[price]
  const second = read[size]
  if (first === undefined) return new BadCell([index, price], undefined)
  return second === undefined ? new BadCell([index, size], undefined) : [first, second]
}

/**
 * Reads the book levels that rows are, as `level` does.
 *
 * @category constructors
 * @since 0.1.0
 */
export const levelsOf = (
  rows: ReadonlyArray<unknown>,
  price: string,
  size: string
): ReadonlyArray<Level> | BadCell => {
  const levels: Array<Level> = []
  for (let index = 0; index < rows.length; index++) {
    const read = level(rows[index], index, price, size)
    if (read instanceof BadCell) return read
    levels.push(read)
  }
  return levels
}

/**
 * A codec for rows that are read by hand, because books hold tens of thousands
 * of them. `read` gives the first bad cell, whose path the issue then bears.
 *
 * @category schemas
 * @since 0.1.0
 */
export const rows = <A extends object>(
  read: (rows: ReadonlyArray<unknown>) => A | BadCell
): Schema.decodeTo<Schema.declare<A>, Schema.Unknown> =>
  Schema.Unknown.pipe(
    Schema.decodeTo(
      Schema.declare<A>((value): value is A => typeof value === "object" && value !== null),
      SchemaTransformation.transformEffect<A, unknown>({
        decode: (value, options) => {
          if (!Array.isArray(value)) {
            return Effect.fail(new SchemaIssue.InvalidValue({ expected: "array" }, value, options))
          }
          const result = read(value)
          if (!(result instanceof BadCell)) return Effect.succeed(result)
          return Effect.fail(
            new SchemaIssue.Pointer(
              result.path,
              result.expected === undefined
                ? new SchemaIssue.MissingKey(undefined)
                : new SchemaIssue.InvalidValue({ expected: result.expected })
            )
          )
        },
        encode: (value) => Effect.succeed(value)
      })
    )
  )

/**
 * The book levels that rows of two cells are. What a row holds beyond them is
 * passed over.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pairs = (rows: ReadonlyArray<unknown>, isNumber: boolean): ReadonlyArray<Level> | BadCell => {
  const levels: Array<Level> = []
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]
    if (!Array.isArray(row)) return new BadCell([index], "array")
    const level = pair(row, index, 0, isNumber)
    if (level instanceof BadCell) return level
    levels.push(level)
  }
  return levels
}
