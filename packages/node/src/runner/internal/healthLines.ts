/** The lines of a table that say how connections stand, and what happened. */
import { counted, fit, fitMiddle, grouped, pad, type Paint, span, type Tone, width } from "../Style.ts"
import { breakerTones } from "./venueHealth.ts"
import type { Happening, Health } from "./view.ts"

/** Between the parts of a line. */
export const gap = 2

const states: Readonly<Record<string, Tone>> = {
  Connected: "green",
  Connecting: "yellow",
  Reconnecting: "yellow",
  CircuitOpen: "red",
  Failed: "red",
  Closing: "dim",
  Disconnected: "dim"
}

/** As many of the parts, whole, as fit beside each other. */
export const beside = (parts: ReadonlyArray<string>, separator: string, cells: number): string => {
  let out = ""
  for (const part of parts) {
    const next = out === "" || part === "" ? out + part : out + separator + part
    if (width(next) <= cells) out = next
  }
  return out
}

const waitText = ({ wait }: Health): string =>
  wait === undefined ? "" : `attempt ${wait.attempt} in ${(wait.millis / 1000).toFixed(1)} s`

const facts = (paint: Paint, of: Health): ReadonlyArray<string> => [
  `epoch ${of.epoch}`,
  `breaker ${paint(breakerTones[of.breaker], of.breaker)}`,
  counted(of.drops, "drop"),
  counted(of.dials, "dial"),
  ...(of.rejected > 0 ? [`rejected ${paint("yellow", grouped(of.rejected))}`] : []),
  ...(of.lastGap === undefined ? [] : [`${counted(of.gaps, "gap")}, last ${of.lastGap}`])
]

/**
 * The lines of a venue: its name and state, what is `hidden` of it (in full, or briefly), and what else fits; the facts
 * there, on a line of their own, or not at all.
 */
export const head = (
  paint: Paint,
  of: Health,
  hidden: readonly [inFull: string, briefly: string],
  place: "same line" | "own line" | "nowhere",
  cells: number
): ReadonlyArray<string> => {
  const state = `● ${of.state}`
  const [inFull, briefly] = hidden
  // How much is not shown is told however narrow it is.
  const left = cells - width(state) - gap - (briefly === "" ? 0 : briefly.length + gap)
  const name = fitMiddle(of.venue, Math.max(6, left))
  const found = fit(`${paint("bold", name)}  ${paint(states[of.state] ?? "dim", state)}`, cells)
  const fitting = width(found) + gap + inFull.length <= cells ? inFull : briefly
  const more = [fitting, paint("yellow", waitText(of))].filter((text) => text !== "")
  const separator = paint("dim", " · ")
  const first = beside([found, ...more], "  ", cells)
  if (place === "same line") {
    const rest = beside(facts(paint, of), separator, cells - width(first) - 3)
    return [rest === "" ? first : `${first}   ${rest}`]
  }
  // What the first line had no room for begins the second.
  const wait = waitText(of)
  const missing = wait === "" || first.includes(wait) ? [] : [paint("yellow", wait)]
  return place === "nowhere"
    ? [first]
    : [first, fit(`  ${beside([...missing, ...facts(paint, of)], separator, cells - gap)}`, cells)]
}

export const happening = (
  paint: Paint,
  { text, time, tone, venue }: Happening,
  widest: number,
  cells: number
): string => {
  const whose = widest === 0 ? "" : `${paint("dim", pad(fitMiddle(venue, widest), widest))}  `
  return fit(`${paint("dim", cells < 60 ? time.slice(0, 8) : time)}  ${whose}${paint(tone, text)}`, cells)
}

/** How many venues there is no line for, and how they stand. */
export const crowd = (venues: ReadonlyArray<Health>, shown: number): string => {
  const others = venues.slice(shown)
  const byState = new Map<string, number>()
  for (const { state } of others) byState.set(state, (byState.get(state) ?? 0) + 1)
  const which = Array.from(byState, ([state, count]) => `${count} ${state}`).join(", ")
  return `${shown === 0 ? counted(others.length, "venue") : `… and ${counted(others.length, "more venue")}`}: ${which}`
}

/** The first line: what is shown, since when, and how to end it. */
export const titleLine = (paint: Paint, title: string, right: string, columns: number): string => {
  const left = paint("bold", fit(title, columns))
  const between = columns - width(left) - width(right)
  return between < 1 ? left : left + " ".repeat(between) + paint("dim", right)
}

/** How long something has run, and how it is ended. */
export const running = (elapsedMillis: number): string => `${span(Math.floor(elapsedMillis / 1000) * 1000)} · ^C ends`
