/**
 * The ledger of a run, as `stream --ledger` and `replay --ledger` print it: a line
 * for each product and channel, and one for the frames that could not be read and
 * name none.
 *
 * @since 0.1.0
 */
import type { Gap } from "@tickline/core/event/Lifecycle"
import type * as CoreLedger from "@tickline/core/market/Ledger"
import * as Printable from "@tickline/core/value/Printable"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Arr from "effect/Array"
import type { Sink } from "./Host.ts"
import { type Format, jsonLine } from "./Output.ts"
import { counted, grouped, pad, type Paint, span } from "./Style.ts"

/**
 * What was dropped of one product and channel on its way to stdout.
 *
 * @category models
 * @since 0.1.0
 */
export interface Shed {
  readonly venue: string
  readonly product?: string | undefined
  readonly channel?: string | undefined
  readonly events: number
  readonly gaps: ReadonlyArray<Gap>
}

/**
 * The ledger of a venue's feed, and what belongs to it. `isAsked` says whether a
 * product was asked for, where a channel has them all.
 *
 * @category models
 * @since 0.1.0
 */
export interface Account {
  readonly venue: string
  readonly ledger: CoreLedger.Ledger
  readonly isAsked?: ((product: string) => boolean) | undefined
  readonly shed?: ReadonlyArray<Shed> | undefined
}

/**
 * One line.
 *
 * @category models
 * @since 0.1.0
 */
export interface Line {
  readonly _tag: "Ledger"
  readonly venue: string
  readonly product?: string
  readonly channel?: string
  /** For how long it was live, in milliseconds. */
  readonly live: number
  readonly received: number
  readonly delivered: number
  readonly duplicates: number
  readonly dropped: number
  readonly rejected: number
  readonly gaps: ReadonlyArray<Pick<Gap, "cause" | "from" | "to" | "recovered" | "missing">>
  readonly balanced: boolean
}

const gapOf = ({ cause, from, missing, recovered, to }: Gap): Line["gaps"][number] => ({
  cause,
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
  ...(recovered === undefined ? {} : { recovered }),
  ...(missing === undefined ? {} : { missing })
})

const lineOf = (venue: string, entry: CoreLedger.Entry, shed: Shed | undefined): Line => {
  const { channel, duplicates, gaps, liveMillis, product, received, rejected } = entry
  // What has come as far as stdout and no further was handed on by the feed.
  const unwritten = shed?.events ?? 0
  const delivered = entry.delivered - unwritten
  const dropped = entry.dropped + unwritten
  return {
    _tag: "Ledger",
    venue,
    ...(product === undefined ? {} : { product }),
    channel,
    live: liveMillis,
    received,
    delivered,
    duplicates,
    dropped,
    rejected,
    gaps: [...gaps, ...shed?.gaps ?? []].map(gapOf),
    balanced: entry.isBalanced && delivered >= 0 && received === delivered + duplicates + dropped
  }
}

/**
 * The lines of a ledger, in the order in which its channels came to be wanted.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = ({ isAsked = () => true, ledger, shed = [], venue }: Account): ReadonlyArray<Line> => {
  const { entries, rejected } = ledger
  const lines = entries.flatMap((entry) => {
    const { channel, product } = entry
    if (product !== undefined && !isAsked(product)) return []
    return lineOf(
      venue,
      entry,
      shed.find((one) => one.venue === venue && one.channel === channel && one.product === product)
    )
  })
  const unnamed = entries.reduce((left, entry) => left - entry.rejected, rejected)
  if (unnamed === 0) return lines
  const counts = { live: 0, received: 0, delivered: 0, duplicates: 0, dropped: 0 }
  return [...lines, { _tag: "Ledger", venue, ...counts, rejected: unnamed, gaps: [], balanced: true }]
}

const sum = (entries: ReadonlyArray<CoreLedger.Entry>, of: (entry: CoreLedger.Entry) => number): number =>
  entries.reduce((total, entry) => total + of(entry), 0)

const millisOf = (text: string | undefined): number => {
  const at = text === undefined ? undefined : Timestamp.parse(text)
  return at === undefined ? NaN : Timestamp.epochMillis(at)
}

// For how long one of them at least was live.
const liveMillisOf = (entries: ReadonlyArray<CoreLedger.Entry>): number => {
  const times = entries.flatMap(({ live }) => live.map(({ from, to }) => ({ from: millisOf(from), to: millisOf(to) })))
    .filter(({ from, to }) => from < to)
    .toSorted((one, other) => one.from - other.from)
  let until = -Infinity
  let millis = 0
  for (const { from, to } of times) {
    millis += Math.max(0, to - Math.max(from, until))
    until = Math.max(until, to)
  }
  return Math.max(millis, ...entries.map((entry) => entry.liveMillis))
}

const mergedEntry = (
  entries: readonly [CoreLedger.Entry, ...ReadonlyArray<CoreLedger.Entry>]
): CoreLedger.Entry =>
  entries.length === 1 ? entries[0] : {
    ...entries[0],
    liveMillis: liveMillisOf(entries),
    received: sum(entries, ({ received }) => received),
    delivered: sum(entries, ({ delivered }) => delivered),
    duplicates: sum(entries, ({ duplicates }) => duplicates),
    dropped: sum(entries, ({ dropped }) => dropped),
    rejected: sum(entries, ({ rejected }) => rejected),
    live: entries.flatMap(({ live }) => live),
    gaps: entries.flatMap(({ gaps }) => gaps),
    isBalanced: entries.every(({ isBalanced }) => isBalanced)
  }

// The accounts of one venue as one: a line for each product and channel, whichever feeds they were of.
const merged = (accounts: ReadonlyArray<Account>): ReadonlyArray<Account> =>
  Array.from(Map.groupBy(accounts, ({ venue }) => venue).values()).flatMap((of) => {
    const [first] = of
    if (first === undefined || of.length === 1) return of
    const entries = Map.groupBy(
      of.flatMap(({ ledger }) => ledger.entries),
      ({ channel, product }) => `${channel}\n${product ?? ""}`
    )
    return {
      venue: first.venue,
      isAsked: (product) => of.some(({ isAsked }) => isAsked === undefined || isAsked(product)),
      shed: of.flatMap(({ shed = [] }) => shed),
      ledger: {
        entries: Array.from(entries.values()).flatMap((same) =>
          Arr.isReadonlyArrayNonEmpty(same) ? mergedEntry(same) : []
        ),
        shed: of.flatMap(({ ledger }) => ledger.shed),
        rejected: of.reduce((total, { ledger }) => total + ledger.rejected, 0)
      }
    }
  })

const readable = (paint: Paint, line: Line): string => {
  const { balanced, channel, delivered, dropped, duplicates, gaps, live, product, received, rejected } = line
  const counts = `${grouped(received)} received ${balanced ? "=" : paint("red", "≠")} ${
    grouped(delivered)
  } delivered + ${counted(duplicates, "duplicate")} + ${grouped(dropped)} dropped`
  const missing = gaps.reduce((sum, gap) => sum + (gap.missing ?? 0), 0)
  return [
    `${paint("cyan", pad("Ledger", 13))} ${pad(Printable.escape(product ?? ""), 9)}`,
    channel === undefined ? "" : `${Printable.escape(channel)} live ${span(live)},`,
    `${counts};`,
    `${grouped(rejected)} rejected,`,
    `${counted(gaps.length, "gap")}${missing === 0 ? "" : `, ${grouped(missing)} missing`}`
  ].filter((part) => part !== "").join(" ")
}

/**
 * The lines of several ledgers as text, each with its line feed.
 *
 * @category encoding
 * @since 0.1.0
 */
export const text = (
  accounts: ReadonlyArray<Account>,
  { format, paint, stdout }: { readonly format: Format; readonly paint: Paint; readonly stdout: Sink }
): string =>
  merged(accounts).flatMap(make).map((line) =>
    format === "ndjson" ? jsonLine(JSON.stringify(line), stdout) : `${readable(paint, line)}\n`
  ).join("")
