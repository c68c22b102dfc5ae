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
import { fit, type Paint, paint as makePaint, table } from "./Style.ts"

const continuity: Readonly<Record<Venue["continuity"], string>> = {
  none: "none",
  sequence: "sequence numbers",
  checksum: "checksum",
  snapshots: "full snapshots"
}

const prices: Readonly<Record<Venue["prices"], string>> = {
  string: "strings",
  number: "numbers",
  either: "strings or numbers"
}

const channels = (venue: Venue): string =>
  Object.entries(venue.channels).map(([kind, name]) => kind === name ? kind : `${kind} (${name})`).join(", ")

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
    venue.heartbeat
  ])
  const head = table(paint, ["venue", "prices", "continuity", "heartbeat"].map((title) => ({ title })), rows)
  const notes = venues.flatMap((venue) => [
    "",
    `${paint("bold", venue.name)} ${paint("dim", venue.title)}`,
    `  ${paint("dim", "endpoint")}  ${venue.endpoint ?? "none: give one with --url"}`,
    `  ${paint("dim", "channels")}  ${channels(venue)}`,
    `  ${paint("dim", "limits")}    ${venue.limits}`,
    `  ${paint("dim", "docs")}      ${venue.documentation}`
  ])
  return `${[...head.map((line) => fit(line, columns)), ...notes].join("\n")}\n`
}

/**
 * A venue as one line of NDJSON.
 *
 * @category getters
 * @since 0.1.0
 */
export const toJson = (venue: Venue): string =>
  JSON.stringify({
    _tag: "Venue",
    venue: venue.name,
    title: venue.title,
    ...(venue.endpoint === undefined ? {} : { endpoint: venue.endpoint }),
    channels: venue.channels,
    prices: venue.prices,
    continuity: venue.continuity,
    heartbeat: venue.heartbeat,
    limits: venue.limits,
    documentation: venue.documentation
  })

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
