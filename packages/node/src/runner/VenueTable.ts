/**
 * `tickline venues`: what Tickline knows of each venue.
 *
 * @since 0.1.0
 */
import * as KeepAlive from "@tickline/core/protocol/KeepAlive"
import * as Limit from "@tickline/core/protocol/Limit"
import * as Symbols from "@tickline/core/protocol/Symbols"
import * as Period from "@tickline/core/value/Period"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Effect from "effect/Effect"
import { commandLines } from "./Help.ts"
import { Host, type OutputClosed } from "./Host.ts"
import type { Format } from "./Output.ts"
import { fit, pad, type Paint, paint as makePaint, table, wrap } from "./Style.ts"

const continuity: Readonly<Record<Venue["continuity"], string>> = {
  frame: "every frame of a connection has its number",
  delta: "each change of a book follows the one before by its number",
  state: "a book is held against the venue's checksum",
  none: "no way to prove that nothing is missing"
}

const prices: Readonly<Record<Venue["prices"], string>> = {
  string: "strings",
  number: "numbers",
  either: "either"
}

const writtenAs: Readonly<Record<Venue["prices"], string>> = {
  string: "JSON strings",
  number: "JSON numbers, read exactly",
  either: "JSON strings or numbers, read exactly"
}

const channels = ({ channels, wholeChannels }: Venue): string =>
  [
    ...Object.entries(channels).map(([kind, name]) => kind === name ? kind : `${kind} (${name})`),
    ...(wholeChannels === undefined ? [] : [`of all products at once ${[...wholeChannels].join(", ")}`])
  ].join(", ")

const session = ({ sessionMillis }: Venue): string =>
  sessionMillis === undefined ? "no end" : Period.format(sessionMillis)

const published = ({ limits }: Venue): string =>
  limits.length === 0 ? "none declared" : limits.map(Limit.format).join(", ")

/** The limits that a connection keeps by counting: those in a window. */
const kept = ({ limits }: Venue): string =>
  limits.filter(({ windowMillis }) => windowMillis !== undefined).map(Limit.format).join(", ")

/** Facts with their names before them, broken between words. */
const listed = (
  paint: Paint,
  facts: ReadonlyArray<readonly [name: string, fact: string]>,
  columns: number
): ReadonlyArray<string> => {
  const cells = facts.reduce((widest, [name]) => Math.max(widest, name.length), 0)
  const indent = " ".repeat(cells + 4)
  return facts.flatMap(([name, fact]) =>
    fact === "" ? [] : wrap(fact, columns, indent, `  ${paint("dim", pad(name, cells))}  `)
  )
}

const endpoint = (venue: Venue): string => venue.endpoint ?? "none: give one with --url"

/** A product that the venue most probably has, by its own symbol. */
const someProduct = (venue: Venue): string =>
  ["BTC-USD", "BTC-USD-PERP", "BTC-USDT"].map((product) => Symbols.byRule.symbolOf(venue, product))
    .find((symbol) => symbol !== undefined) ?? "BTC-USD"

/**
 * The venues as a table for people, and below it where each is and what its
 * limits are.
 *
 * @category getters
 * @since 0.1.0
 */
export const pretty = (paint: Paint, venues: ReadonlyArray<Venue>, columns: number): string => {
  const rows = venues.map((venue) => [
    paint("bold", venue.name),
    prices[venue.prices],
    venue.continuity,
    KeepAlive.format(venue.keepAlive),
    session(venue)
  ])
  const titles = ["venue", "prices", "continuity", "alive by", "session"].map((title) => ({ title }))
  const notes = venues.flatMap((venue) => [
    "",
    `${paint("bold", venue.name)} ${paint("dim", venue.title)}`,
    ...listed(paint, [
      ["endpoint", endpoint(venue)],
      ["channels", channels(venue)],
      ["limits", published(venue)],
      ["kept", kept(venue)],
      ["docs", venue.documentation]
    ], columns)
  ])
  return `${[...table(paint, titles, rows).map((line) => fit(line, columns)), ...notes].join("\n")}\n`
}

/**
 * One venue in detail, for people.
 *
 * @category getters
 * @since 0.1.0
 */
export const detail = (paint: Paint, venue: Venue, columns: number): string => {
  const url = venue.endpoint === undefined ? " --url <url>" : ""
  const command = `tickline stream ${venue.name} ${someProduct(venue)}${url}`
  const lines = [
    `${paint("bold", venue.name)} ${paint("dim", venue.title)}`,
    "",
    ...listed(paint, [
      ["endpoint", endpoint(venue)],
      ["channels", channels(venue)],
      ["prices", writtenAs[venue.prices]],
      ["continuity", `${venue.continuity}: ${continuity[venue.continuity]}`],
      ["alive by", KeepAlive.format(venue.keepAlive)],
      ["session", session(venue)],
      ["limits", published(venue)],
      ["kept", kept(venue)],
      ["docs", venue.documentation]
    ], columns),
    "",
    ...commandLines(paint, command, columns)
  ]
  return `${lines.join("\n")}\n`
}

/**
 * A venue as one line of NDJSON: what its adapter declares. Times are
 * milliseconds; a limit without a window is on how many there are at once.
 *
 * @category getters
 * @since 0.1.0
 */
export const toJson = (venue: Venue): string => {
  const { keepAlive } = venue
  return JSON.stringify({
    _tag: "Venue",
    venue: venue.name,
    title: venue.title,
    endpoint: venue.endpoint,
    channels: venue.channels,
    wholeChannels: venue.wholeChannels === undefined ? undefined : [...venue.wholeChannels],
    prices: venue.prices,
    continuity: venue.continuity,
    heartbeat: KeepAlive.format(keepAlive),
    keepAlive: {
      kind: keepAlive._tag,
      everyMillis: "everyMillis" in keepAlive ? keepAlive.everyMillis : undefined,
      withinMillis: "withinMillis" in keepAlive ? keepAlive.withinMillis : undefined
    },
    limits: published(venue),
    rates: venue.limits,
    sessionMillis: venue.sessionMillis,
    documentation: venue.documentation
  })
}

/**
 * Runs the command: all venues, or one.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (format: Format, venue: Venue | undefined): Effect.Effect<void, OutputClosed, Host> =>
  Effect.flatMap(Host, ({ stdout }) => {
    const paint = makePaint(stdout.hasColor)
    const { columns } = stdout.size()
    if (format === "ndjson") {
      return stdout.write((venue === undefined ? Venues.all : [venue]).map((each) => `${toJson(each)}\n`).join(""))
    }
    return stdout.write(venue === undefined ? pretty(paint, Venues.all, columns) : detail(paint, venue, columns))
  })
