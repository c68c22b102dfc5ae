/**
 * `tickline venues`: what Tickline knows of each venue.
 *
 * @since 0.1.0
 */
import * as Symbols from "@tickline/core/protocol/Symbols"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Effect from "effect/Effect"
import { commandLines } from "./Help.ts"
import { Host, type OutputClosed } from "./Host.ts"
import type { Format } from "./Output.ts"
import { fit, grouped, pad, type Paint, paint as makePaint, table, wrap } from "./Style.ts"

const continuity: Readonly<Record<Venue["continuity"], string>> = {
  none: "no way to prove that nothing is missing",
  sequence: "each message follows the one before by its number",
  checksum: "a book is held against the venue's checksum",
  snapshots: "each message of a book is a whole one"
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

/** A length of time that somebody has chosen: `30 s`, `5 m`, `24 h`. */
const length = (millis: number): string => {
  const units = [["h", 3_600_000], ["m", 60_000], ["s", 1_000]] as const
  const [unit, size] = units.find(([, size]) => millis >= size && millis % size === 0) ?? ["ms", 1]
  return `${millis / size} ${unit}`
}

const channels = ({ channels, wholeChannels }: Venue): string =>
  [
    ...Object.entries(channels).map(([kind, name]) => kind === name ? kind : `${kind} (${name})`),
    ...(wholeChannels === undefined ? [] : [`of all products at once ${[...wholeChannels].join(", ")}`])
  ].join(", ")

/** What shows that a connection is alive, in a few words. */
const aliveBy = ({ keepAlive }: Venue): string => {
  switch (keepAlive._tag) {
    case "Protocol":
      return "protocol pings"
    case "Application":
      return `pings, ${length(keepAlive.everyMillis)}`
    case "Server":
      return `its beats, ${length(keepAlive.withinMillis)}`
    case "Requested":
      return `beats on request, ${length(keepAlive.withinMillis)}`
    case "None":
      return "nothing"
  }
}

const session = ({ sessionMillis }: Venue): string => sessionMillis === undefined ? "no end" : length(sessionMillis)

/** The limits that a connection keeps by counting: on messages and dials in a window. */
const kept = ({ rates }: Venue): string =>
  rates.flatMap(({ limit, of, per, windowMillis }) =>
    windowMillis === undefined || of === "subscriptions"
      ? []
      : [`${grouped(limit)} ${of} in ${length(windowMillis)} per ${per}`]
  ).join(", ")

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
    aliveBy(venue),
    session(venue)
  ])
  const titles = ["venue", "prices", "continuity", "alive by", "session"].map((title) => ({ title }))
  const notes = venues.flatMap((venue) => [
    "",
    `${paint("bold", venue.name)} ${paint("dim", venue.title)}`,
    ...listed(paint, [
      ["endpoint", endpoint(venue)],
      ["channels", channels(venue)],
      ["alive", venue.heartbeat],
      ["limits", venue.limits],
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
      ["alive by", `${aliveBy(venue)} (${venue.heartbeat})`],
      ["session", session(venue)],
      ["limits", venue.limits],
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
    heartbeat: venue.heartbeat,
    keepAlive: {
      kind: keepAlive._tag,
      everyMillis: "everyMillis" in keepAlive ? keepAlive.everyMillis : undefined,
      withinMillis: "withinMillis" in keepAlive ? keepAlive.withinMillis : undefined
    },
    limits: venue.limits,
    rates: venue.rates,
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
