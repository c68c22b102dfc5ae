/** What the live table shows: what is known of venues and products. `BoardLayout` exports it. */
import type * as Lifecycle from "@tickline/core/event/Lifecycle"
import type * as MarketData from "@tickline/core/event/MarketData"
import type { Tone } from "../Style.ts"

/**
 * A product of a venue: texts, each absent where nothing is known.
 */
export interface Row {
  readonly product: string
  readonly price?: string | undefined
  readonly side?: MarketData.Side | undefined
  readonly size?: string | undefined
  readonly bid?: string | undefined
  readonly bidSize?: string | undefined
  readonly ask?: string | undefined
  readonly askSize?: string | undefined
  /** Of 24 hours, in the base currency. */
  readonly volume?: string | undefined
  /** How many levels the last frame of a book had. */
  readonly book?: string | undefined
  readonly tradeId?: string | undefined
  /** The time of day that the venue gave, with its fraction. */
  readonly time?: string | undefined
  /** Events a second. */
  readonly rate: number
  readonly events: number
}

/**
 * How the connection of a venue stands.
 */
export interface Health {
  readonly venue: string
  readonly state: string
  readonly epoch: number
  readonly dials: number
  readonly drops: number
  readonly breaker: Lifecycle.BreakerEvent["to"]
  readonly rejected: number
  readonly gaps: number
  readonly lastGap: string | undefined
  /** The dial that is waited for. */
  readonly wait: { readonly attempt: number; readonly millis: number } | undefined
}

/**
 * A venue.
 */
export interface Section extends Health {
  /** How many products there are. */
  readonly products: number
  /** Whether there are more of them than were counted. */
  readonly isMore: boolean
  /** The busiest products, at most so many, in the order in which they are to stand. */
  readonly rows: (most: number) => ReadonlyArray<Row>
}

/**
 * Something that happened: when, of which venue or of none, and what.
 */
export interface Happening {
  readonly time: string
  readonly venue: string
  readonly tone: Tone
  readonly text: string
}

/**
 * What the last columns show: the market, or what a client that reads prices as
 * floating-point numbers would have shown.
 */
export type Detail = "market" | "float"

/**
 * All that is to be seen. Texts are printable.
 */
export interface View {
  readonly title: string
  readonly note: string | undefined
  readonly detail: Detail
  readonly elapsedMillis: number
  readonly sections: ReadonlyArray<Section>
  /** The latest last. */
  readonly happened: ReadonlyArray<Happening>
}

/**
 * The size of a terminal, in cells.
 */
export interface Size {
  readonly columns: number
  readonly rows: number
}
