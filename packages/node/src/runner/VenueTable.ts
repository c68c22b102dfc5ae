/**
 * `tickline venues`: what Tickline knows of each venue.
 *
 * @since 0.1.0
 */
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Effect from "effect/Effect"
import { Host, type OutputClosed } from "./Host.ts"
import type { Format } from "./Output.ts"
import { fit, grouped, pad, type Paint, paint as makePaint, table } from "./Style.ts"

const continuity: Readonly<Record<Venue["continuity"], string>> = {
  none: "none",
  sequence: "sequence",
  checksum: "checksum",
  snapshots: "snapshots"
}

const prices: Readonly<Record<Venue["prices"], string>> = {
  string: "strings",
  number: "numbers",
  either: "either"
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
    continuity[venue.continuity],
    aliveBy(venue),
    session(venue)
  ])
  const titles = ["venue", "prices", "continuity", "alive by", "session"].map((title) => ({ title }))
  const notes = venues.flatMap((venue) => {
    const facts = [
      ["endpoint", venue.endpoint ?? "none: give one with --url"],
      ["channels", channels(venue)],
      ["alive", venue.heartbeat],
      ["limits", venue.limits],
      ["kept", kept(venue)],
      ["docs", venue.documentation]
    ]
    return [
      "",
      `${paint("bold", venue.name)} ${paint("dim", venue.title)}`,
      ...facts.flatMap(([name = "", fact = ""]) => fact === "" ? [] : [`  ${paint("dim", pad(name, 8))}  ${fact}`])
    ]
  })
  return `${[...table(paint, titles, rows).map((line) => fit(line, columns)), ...notes].join("\n")}\n`
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
 * Runs the command.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (format: Format): Effect.Effect<void, OutputClosed, Host> =>
  Effect.flatMap(Host, ({ stdout }) =>
    stdout.write(
      format === "pretty"
        ? pretty(makePaint(stdout.hasColor), Venues.all, stdout.size().columns)
        : Venues.all.map((venue) => `${toJson(venue)}\n`).join("")
    ))
