/** What the ladder shows: books, their levels as texts, and how they stand. */
import type * as OrderBook from "@tickline/core/market/OrderBook"
import type { Digits } from "./digits.ts"
import type { Happening, Health } from "./view.ts"

/** What has just become of a level: it is new, or its size has grown or shrunk. */
export type Change = "new" | "grown" | "shrunk"

/** A level of a book. */
export interface Level {
  readonly price: string
  readonly size: string
  /** All that there is down to this level, itself included. */
  readonly total: string
  /** The size as a share of what a whole bar stands for: from 0 to 1, to be drawn and nothing else. */
  readonly share: number
  readonly change: Change | undefined
  /** Whether the venue's method says something of it. */
  readonly isProven: boolean
}

/** The levels of a book, best first, with what lies between. */
export interface Levels {
  readonly asks: ReadonlyArray<Level>
  readonly bids: ReadonlyArray<Level>
  readonly mid: string | undefined
  readonly spread: string | undefined
  readonly basisPoints: string | undefined
  readonly isCrossed: boolean
  /** The size for which a whole bar stands. */
  readonly full: string
  /** So many cells its numbers have had of late. */
  readonly digits: Readonly<Record<"price" | "size" | "total", Digits>>
}

/** A book: texts are printable. */
export interface Panel {
  readonly venue: string
  readonly product: string
  /** Its state; "No book" if the venue has or gives none. */
  readonly state: OrderBook.OrderBook["_tag"] | "No book"
  /** What is proven, or why nothing is there: in full first, then in fewer words. */
  readonly words: ReadonlyArray<string>
  /** How long ago it changed last; how long it has been in its state, if it has no levels. */
  readonly changedMillis: number | undefined
  /** How many levels it has of each side. */
  readonly counts: readonly [bids: number, asks: number] | undefined
  /** The last trade. */
  readonly last: string | undefined
  readonly gaps: number
  readonly lastGap: string | undefined
  /** How long ago something was last heard of a gap. */
  readonly gapMillis: number | undefined
  /** So many lines each side has had of late: a book that has no levels for a moment keeps its place. */
  readonly lines: number
  /** The best so many levels; only a book that is whole has any. */
  readonly levels: ((depth: number) => Levels) | undefined
}

/** All that is to be seen. */
export interface View {
  readonly title: string
  /** What stands at the right of the title. */
  readonly note: string
  readonly venues: ReadonlyArray<Health>
  readonly panels: ReadonlyArray<Panel>
  /** At most so many levels of each side. */
  readonly depth: number
  /** The latest last. */
  readonly happened: ReadonlyArray<Happening>
}
