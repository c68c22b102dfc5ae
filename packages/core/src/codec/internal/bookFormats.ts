/**
 * The ways in which venues write the rows of a book, each read exactly and fast.
 *
 * @since 0.1.0
 */
import * as Decimal from "../../value/Decimal.ts"
import { youngArray } from "../../value/internal/youngArray.ts"
import * as ExactJson from "../ExactJson.ts"
import * as BookRows from "./bookRows.ts"
import * as Layout from "./layout.ts"
import type { Reading } from "./members.ts"
import type { Scanner } from "./scanner.ts"

/**
 * Levels parted into the sides of a book, each in the frame's order.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sides {
  readonly bids: ReadonlyArray<BookRows.Level>
  readonly asks: ReadonlyArray<BookRows.Level>
}

interface Growing {
  readonly bids: Array<BookRows.Level>
  readonly asks: Array<BookRows.Level>
}

type Levels = ReadonlyArray<BookRows.Level>

const isObject = (row: unknown): row is ExactJson.JsonObject =>
  typeof row === "object" && row !== null && !Array.isArray(row) && !(row instanceof ExactJson.JsonNumber)

type Scan<A> = (scanner: Scanner, isSpaced: boolean) => A | undefined

/** A format that is read as the rows pass. */
const scanned = <A extends object>(
  exact: Reading<A>["exact"],
  read: Scan<A>,
  sample: string
): Reading<A> => ({
  exact,
  segment: { _tag: "Book", read },
  // What `read` gave stands there.
  fast: ({ books }, index) => books[index] as A | undefined,
  sample
})

const comma = (scanner: Scanner, isSpaced: boolean): boolean => scanner.code(44) && (!isSpaced || scanner.code(32))

/** Passes over an array, given what reads each of its rows and says whether it could. */
const rows = (scanner: Scanner, isSpaced: boolean, readRow: () => boolean): boolean => {
  if (!scanner.code(91)) return false
  if (scanner.code(93)) return true
  while (readRow()) {
    if (scanner.code(93)) return true
    if (!comma(scanner, isSpaced)) return false
  }
  return false
}

/** Reads levels of two numbers, given what stands before, between and after the price and the size. */
const pairs = (parts: readonly [before: string, between: string, after: string]): Scan<Levels> => {
  const spaced = parts.map((part) => part.replace(/[,:]/g, "$& "))
  return (scanner, isSpaced) => {
    const [before = "", between = "", after = ""] = isSpaced ? spaced : parts
    const levels = youngArray<Array<BookRows.Level>>()
    const isRead = rows(scanner, isSpaced, () => {
      if (!scanner.word(before)) return false
      const price = scanner.number()
      if (price === undefined || !scanner.word(between)) return false
      const size = scanner.number()
      if (size === undefined || !scanner.word(after)) return false
      levels.push(youngArray(price, size))
      return true
    })
    return isRead ? levels : undefined
  }
}

/** Reads the row `["1.50","2"]`. */
const stringRow = (scanner: Scanner, isSpaced: boolean): BookRows.Level | undefined => {
  if (!scanner.code(91)) return undefined
  const price = scanner.decimal()
  if (price === undefined || !comma(scanner, isSpaced)) return undefined
  const size = scanner.decimal()
  return size === undefined || !scanner.code(93) ? undefined : youngArray(price, size)
}

/**
 * Reads rows of `["1.50","2"]`, which come most often. Most messages have one or
 * two, whose array is no longer than that: one that grows has place for sixteen
 * more.
 *
 * @category decoding
 * @since 0.1.0
 */
export const readStrings: Scan<Levels> = (scanner, isSpaced) => {
  if (!scanner.code(91)) return undefined
  if (scanner.code(93)) return youngArray()
  const first = stringRow(scanner, isSpaced)
  if (first === undefined) return undefined
  if (scanner.code(93)) return youngArray(first)
  const second = comma(scanner, isSpaced) ? stringRow(scanner, isSpaced) : undefined
  if (second === undefined) return undefined
  const levels: Array<BookRows.Level> = youngArray(first, second)
  while (!scanner.code(93)) {
    const next = comma(scanner, isSpaced) ? stringRow(scanner, isSpaced) : undefined
    if (next === undefined) return undefined
    levels.push(next)
  }
  return levels
}

/** `["1.50","2"]` */
const strings = scanned<Levels>((rows) => BookRows.pairs(rows, false), readStrings, "[[\"1.50\",\"2\"]]")

/** `[1.50,2]` */
const numbers = scanned<Levels>((rows) => BookRows.pairs(rows, true), pairs(["[", ",", "]"]), "[[1.50,2]]")

/** `{"px":"1.50","sz":"2"}`, among other members; what is written as an array is read as well. */
const objects = (price: string, size: string): Reading<Levels> => ({
  exact: (rows) => BookRows.levelsOf(rows, price, size),
  segment: { _tag: "List", names: [price, size] },
  fast: ({ lists }, index) => {
    const list = lists[index]
    if (list === undefined) return undefined
    const levels = youngArray<Array<BookRows.Level>>()
    for (const row of list) {
      const price = Layout.decimal(row, 0)
      const size = Layout.decimal(row, 1)
      if (!price || !size) return undefined
      levels.push(youngArray(price, size))
    }
    return levels
  },
  sample: `[{"${price}":"1.50","${size}":"2"}]`
})

/** `{"price":1.50,"qty":2}`, and nothing else. */
const numberObjects = (price: string, size: string): Reading<Levels> =>
  scanned<Levels>(
    (rows) => {
      const levels = youngArray<Array<BookRows.Level>>()
      for (let index = 0; index < rows.length; index++) {
        const row = rows[index]
        if (!isObject(row)) return new BookRows.BadCell([index], "object")
        const level = BookRows.level(row, index, price, size, true)
        if (level instanceof BookRows.BadCell) return level
        levels.push(level)
      }
      return levels
    },
    pairs([`{"${price}":`, `,"${size}":`, "}"]),
    `[{"${price}":1.50,"${size}":2}]`
  )

const quoted = (words: ReadonlyArray<string>): string => words.map((word) => `"${word}"`).join(" | ")

/** Reads a string that is one of the words: which, by its place among them, or -1. */
const wordOf = (scanner: Scanner, words: ReadonlyArray<string>): number => {
  if (!scanner.string()) return -1
  for (let i = 0; i < words.length; i++) if (scanner.is(words[i] ?? "")) return i
  return -1
}

/** The word that an array begins with, by its place among those that it may be. */
const firstWord = (row: unknown, index: number, words: ReadonlyArray<string>): number | BookRows.BadCell => {
  if (!Array.isArray(row)) return new BookRows.BadCell([index], "array")
  if (row.length === 0) return new BookRows.BadCell([index, 0], undefined)
  const word = words.indexOf(row[0])
  return word < 0 ? new BookRows.BadCell([index, 0], quoted(words)) : word
}

/**
 * `["new",1.50,2]`. A row of the word `deleted` may do without its size, which
 * is zero then.
 */
const actions = (words: ReadonlyArray<string>, deleted: string): Reading<Levels> =>
  scanned<Levels>((rows) => {
    const levels = youngArray<Array<BookRows.Level>>()
    for (let index = 0; index < rows.length; index++) {
      const row: unknown = rows[index]
      const word = firstWord(row, index, words)
      if (word instanceof BookRows.BadCell || !Array.isArray(row)) return word as BookRows.BadCell
      const price = BookRows.decimalCell(row, index, 1, true)
      if (price instanceof BookRows.BadCell) return price
      const size = row.length === 2 && words[word] === deleted
        ? Decimal.zero
        : BookRows.decimalCell(row, index, 2, true)
      if (size instanceof BookRows.BadCell) return size
      levels.push(youngArray(price, size))
    }
    return levels
  }, (scanner, isSpaced) => {
    const levels = youngArray<Array<BookRows.Level>>()
    const isRead = rows(scanner, isSpaced, () => {
      if (!scanner.code(91) || wordOf(scanner, words) < 0 || !comma(scanner, isSpaced)) return false
      const price = scanner.number()
      if (price === undefined || !comma(scanner, isSpaced)) return false
      const size = scanner.number()
      if (size === undefined || !scanner.code(93)) return false
      levels.push(youngArray(price, size))
      return true
    })
    return isRead ? levels : undefined
  }, `[["${words[0]}",1.50,2]]`)

/** `["buy","1.50","2"]` */
const sidedRows = (bid: string, ask: string): Reading<Sides> => {
  const words = [bid, ask]
  return scanned<Sides>((rows) => {
    const sides: Growing = { bids: [], asks: [] }
    for (let index = 0; index < rows.length; index++) {
      const row: unknown = rows[index]
      const word = firstWord(row, index, words)
      if (word instanceof BookRows.BadCell || !Array.isArray(row)) return word as BookRows.BadCell
      const price = BookRows.decimalCell(row, index, 1)
      if (price instanceof BookRows.BadCell) return price
      const size = BookRows.decimalCell(row, index, 2)
      if (size instanceof BookRows.BadCell) return size
      const side = word === 0 ? sides.bids : sides.asks
      side.push(youngArray(price, size))
    }
    return sides
  }, (scanner, isSpaced) => {
    const sides: Growing = { bids: [], asks: [] }
    const isRead = rows(scanner, isSpaced, () => {
      const word = scanner.code(91) ? wordOf(scanner, words) : -1
      if (word < 0 || !comma(scanner, isSpaced)) return false
      const price = scanner.decimal()
      if (price === undefined || !comma(scanner, isSpaced)) return false
      const size = scanner.decimal()
      if (size === undefined || !scanner.code(93)) return false
      const side = word === 0 ? sides.bids : sides.asks
      side.push(youngArray(price, size))
      return true
    })
    return isRead ? sides : undefined
  }, `[["${bid}","1.50","2"],["${ask}","1.51","3"]]`)
}

/** `{"side":"bid","price_level":"1.50","new_quantity":"2"}`, among other members. */
const sidedObjects = (bid: string, ask: string, side: string, price: string, size: string): Reading<Sides> => {
  const words = quoted([bid, ask])
  return {
    exact: (rows) => {
      const sides: Growing = { bids: [], asks: [] }
      for (let index = 0; index < rows.length; index++) {
        const row: unknown = rows[index]
        if (!isObject(row)) return new BookRows.BadCell([index], "object")
        const word = Object.hasOwn(row, side) ? row[side] : undefined
        if (word === undefined) return new BookRows.BadCell([index, side], undefined)
        if (word !== bid && word !== ask) return new BookRows.BadCell([index, side], words)
        const level = BookRows.level(row, index, price, size)
        if (level instanceof BookRows.BadCell) return level
        const levels = word === bid ? sides.bids : sides.asks
        levels.push(level)
      }
      return sides
    },
    segment: { _tag: "List", names: [side, price, size] },
    fast: ({ lists }, index) => {
      const list = lists[index]
      if (list === undefined) return undefined
      const sides: Growing = { bids: [], asks: [] }
      for (const row of list) {
        const word = Layout.text(row, 0)
        const price = Layout.decimal(row, 1)
        const size = Layout.decimal(row, 2)
        if ((word !== bid && word !== ask) || !price || !size) return undefined
        const levels = word === bid ? sides.bids : sides.asks
        levels.push(youngArray(price, size))
      }
      return sides
    },
    sample:
      `[{"${side}":"${bid}","${price}":"1.50","${size}":"2"},{"${side}":"${ask}","${price}":"1.51","${size}":"3"}]`
  }
}

/**
 * How the rows of one side are written; two strings in an array if nothing is
 * said.
 *
 * @category models
 * @since 0.1.0
 */
export interface LevelsOptions {
  /** The names of an object's members. */
  readonly price?: string | undefined
  readonly size?: string | undefined
  /** Whether price and size are JSON numbers. */
  readonly isNumber?: boolean | undefined
  /** The words that a row of numbers begins with, the last of which takes a level away. */
  readonly actions?: ReadonlyArray<string> | undefined
}

/**
 * The reading of the rows of one side.
 *
 * @category constructors
 * @since 0.1.0
 */
export const levels = ({ actions: words, isNumber = false, price, size }: LevelsOptions): Reading<Levels> => {
  if (words !== undefined) return actions(words, words.at(-1) ?? "")
  if (price === undefined || size === undefined) return isNumber ? numbers : strings
  return isNumber ? numberObjects(price, size) : objects(price, size)
}

/**
 * How rows of a book's two sides are written: the words for a bid and an ask,
 * then price and size, in an array or under these names.
 *
 * @category models
 * @since 0.1.0
 */
export interface SidesOptions {
  readonly bid: string
  readonly ask: string
  readonly names?: { readonly side: string; readonly price: string; readonly size: string } | undefined
}

/**
 * The reading of rows of two sides.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sides = ({ ask, bid, names }: SidesOptions): Reading<Sides> =>
  names === undefined ? sidedRows(bid, ask) : sidedObjects(bid, ask, names.side, names.price, names.size)
