/**
 * Where each member of an event comes from, found by experiment on the decoders
 * themselves: each value of a frame is changed, and what changes in the event
 * came from it; each member is taken away, and where the frame is refused
 * without it, it must be there.
 */
import * as Rejection from "@tickline/core/codec/Rejection"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Explanation from "@tickline/node/runner/Explanation"
import { frames } from "./frames.ts"

const code = (text: string): string => `\`${text}\``

const bare = (json: string): string => json.replace(/^"|"$/g, "")

/** The text without each of its members in turn, with the path of what was taken. */
const lessOne = (json: unknown, path: string, take: (path: string) => void): void => {
  if (typeof json !== "object" || json === null) return
  for (const [name, value] of Object.entries(json)) {
    const at = Array.isArray(json) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`
    if (!Array.isArray(json)) {
      Reflect.deleteProperty(json, name)
      take(at)
      Reflect.set(json, name, value)
    }
    lessOne(value, at, take)
  }
}

/** The paths of the members without which the frame is refused, less those that only hold such. */
const required = (venue: Venue, frame: string): ReadonlyArray<string> => {
  const json: unknown = JSON.parse(frame)
  const found: Array<string> = []
  lessOne(json, "", (path) => {
    if (Rejection.isFrameRejected(venue.decode(JSON.stringify(json)))) found.push(path)
  })
  return found.filter((path) => !found.some((other) => other.startsWith(`${path}.`) || other.startsWith(`${path}[`)))
}

/** A member of an event: of the levels of a book the side, of all others itself. */
const memberOf = (path: string): string => path.replace(/\[.*$/, "")

/** Where a text stands that no change of a value made another: within a value, or as the name of a member. */
const within = (frame: string, text: string): string => {
  const leaf = Explanation.leaves(frame).find(({ end, start }) => frame.slice(start, end).includes(text))
  if (leaf !== undefined) return code(leaf.path)
  let found = "the kind of the frame"
  lessOne(JSON.parse(frame), "", (path) => {
    if (path.endsWith(`.${text}`)) found = `the names in ${code(path.slice(0, -text.length - 1))}`
  })
  return found
}

/** Names with where they come from, those of one object under its path. */
const grouped = (entries: ReadonlyArray<readonly [path: string, text: (path: string) => string]>): string => {
  const objectOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf(".")))
  const objects = [...new Set(entries.map(([path]) => objectOf(path)))].map((object) => {
    const own = entries.filter(([path]) => objectOf(path) === object)
    return object === "" || own.length < 2
      ? own.map(([path, text]) => text(path)).join(", ")
      : `in ${code(object)}: ${own.map(([path, text]) => text(path.slice(object.length + 1))).join(", ")}`
  })
  return objects.join("; ")
}

const describe = (frame: string, sources: ReadonlyArray<Explanation.Source>): string => {
  const entries: Array<readonly [path: string, text: (path: string) => string]> = []
  const levels = new Map<string, Array<string>>()
  for (const { from, member, text } of sources) {
    const name = memberOf(member)
    if (name === "_tag" || name === "venue" || name === "result") continue
    const verbatim = from.filter((leaf) => bare(leaf.text) === bare(text))
    const origins = verbatim.length > 0 ? verbatim : from
    if (member !== name) {
      levels.set(name, [...levels.get(name) ?? [], ...origins.map(({ path }) => path)])
    } else if (origins.length === 0) {
      const place = within(frame, bare(text))
      entries.push(["", () => place === code(name) ? place : `${code(name)} = ${place}`])
    } else {
      for (const leaf of origins) {
        const is = name === "side" && bare(leaf.text) !== bare(text)
          ? ` (${code(bare(leaf.text))} is ${code(bare(text))})`
          : ""
        entries.push([leaf.path, (path) => path === name ? code(name) + is : `${code(name)} = ${code(path)}${is}`])
      }
    }
  }
  for (const [name, paths] of levels) entries.push(["", () => `${code(name)} = ${paths.map(code).join(" and ")}`])
  return grouped(entries)
}

/** The table of a venue: its kinds of frame, what each becomes, from what, and what must be there. */
export const table = (venue: Venue): ReadonlyArray<ReadonlyArray<string>> => {
  const samples = frames[venue.name]
  if (samples === undefined) throw new Error(`scripts/frames.ts has no frames of ${venue.name}`)
  const rows = samples.flatMap(([kind, frame]) => {
    const events = venue.decode(frame)
    if (Rejection.isFrameRejected(events)) throw new Error(`${venue.name}: ${kind}: ${events.message}`)
    const traced = Explanation.trace(venue, frame, events)
    const needed = grouped(required(venue, frame).map((path) => [path, code]))
    return events.map((event, index) => [
      index === 0 ? kind : "",
      code(event._tag),
      describe(frame, traced[index] ?? []),
      index === 0 ? needed : ""
    ])
  })
  return [["frame", "event", "members, and where they come from", "must be there"], ...rows]
}
