/**
 * How each member of an event came from its frame, found by experiment: each
 * value of the frame is changed in turn and the frame decoded again. What
 * changes in the events came from that value. So the explanation holds for any
 * venue, and cannot differ from what the decoder does.
 *
 * @since 0.1.0
 */
import type * as Rejection from "@tickline/core/codec/Rejection"
import * as MarketData from "@tickline/core/event/MarketData"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Printable from "@tickline/core/value/Printable"
import type { Venue } from "@tickline/core/venue/Venue"
import { fit, pad, type Paint } from "./Style.ts"

/**
 * A value in a frame: its path as in `changes[0][1]`, and where its text is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Leaf {
  readonly path: string
  readonly start: number
  readonly end: number
}

const token = /\s*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|([^\s{}[\],:"]+))/gy

/**
 * The values of a well-formed JSON text that hold no others, in order.
 *
 * @category getters
 * @since 0.1.0
 */
export const leaves = (text: string): ReadonlyArray<Leaf> => {
  const found: Array<Leaf> = []
  // Each open object or array: its path, and the key or index that comes next.
  const open: Array<{ readonly path: string; readonly isArray: boolean; key: string; index: number }> = []
  let expectsKey = false
  token.lastIndex = 0
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, mark, string] = match
    const parent = open.at(-1)
    const path = parent === undefined
      ? ""
      : parent.isArray
      ? `${parent.path}[${parent.index}]`
      : parent.path === ""
      ? parent.key
      : `${parent.path}.${parent.key}`
    if (mark === "{" || mark === "[") {
      open.push({ path, isArray: mark === "[", key: "", index: 0 })
      expectsKey = mark === "{"
    } else if (mark === "}" || mark === "]") {
      open.pop()
      expectsKey = false
    } else if (mark === ",") {
      if (parent?.isArray === true) parent.index++
      else expectsKey = true
    } else if (mark === ":") {
      expectsKey = false
    } else if (expectsKey && parent !== undefined && string !== undefined) {
      parent.key = JSON.parse(string)
    } else {
      const value = string ?? match[3] ?? ""
      found.push({ path, start: token.lastIndex - value.length, end: token.lastIndex })
    }
  }
  return found
}

/** How venues write the two sides. */
const opposites: ReadonlyMap<string, string> = new Map(
  [["buy", "sell"], ["BUY", "SELL"], ["bid", "offer"], ["B", "A"], ["true", "false"]].flatMap(([a = "", b = ""]) => [
    [a, b],
    [b, a]
  ])
)

/** Other values that a decoder may take in a value's place: the first that makes a difference tells where it goes. */
const others = (value: string): ReadonlyArray<string> => {
  const isString = value.startsWith("\"")
  const text = isString ? value.slice(1, -1) : value
  const wrap = (other: string) => isString ? `"${other}"` : other
  const found: Array<string> = []
  const opposite = opposites.get(text)
  if (opposite !== undefined) found.push(opposite)
  // The last digit can change without changing the form, be it of an instant, a decimal or an integer.
  const digit = /^(.*)(\d)(\D*)$/s.exec(text)
  if (digit !== null) found.push(`${digit[1] ?? ""}${digit[2] === "1" ? "2" : "1"}${digit[3]}`)
  // A name may hold another, before or after a mark.
  if (isString) found.push(`${text}~`, `~${text}`)
  return found.map(wrap)
}

/**
 * A member of an event: its path in the event, its text, and the paths in the
 * frame from which it came.
 *
 * @category models
 * @since 0.1.0
 */
export interface Source {
  readonly member: string
  readonly text: string
  readonly from: ReadonlyArray<{ readonly path: string; readonly text: string }>
}

/** Levels shown of each side of a book. */
const shownLevels = 3

/** The event with as much of its book as is shown. */
const shortened = (event: MarketEvent.AnyEvent): MarketEvent.AnyEvent => {
  switch (event._tag) {
    case "BookSnapshot":
      return new MarketData.BookSnapshot(
        { ...event, bids: event.bids.slice(0, shownLevels), asks: event.asks.slice(0, shownLevels) },
        { disableChecks: true }
      )
    case "BookDelta":
      return new MarketData.BookDelta(
        { ...event, bids: event.bids.slice(0, shownLevels), asks: event.asks.slice(0, shownLevels) },
        { disableChecks: true }
      )
    default:
      return event
  }
}

const membersOf = (event: MarketEvent.AnyEvent): ReadonlyMap<string, string> => {
  const json = Ndjson.toJson(shortened(event))
  return new Map(leaves(json).map(({ end, path, start }) => [path, json.slice(start, end)]))
}

/** Values tried at most, and characters decoded for it: an explanation is for reading, and is not waited for. */
const most = 400
const mostDecoded = 64 * 1024 * 1024

/**
 * Traces the members of a frame's events to the frame, of a book those of its
 * first levels. In a frame of megabytes not all may be found.
 *
 * @category constructors
 * @since 0.1.0
 */
export const trace = (
  venue: Venue,
  frame: string,
  events: ReadonlyArray<MarketEvent.AnyEvent>
): ReadonlyArray<ReadonlyArray<Source>> => {
  const members = events.map(membersOf)
  const sources = members.map((of) => new Map(Array.from(of.keys(), (key) => [key, new Array<Leaf>()])))
  let left = mostDecoded
  for (const leaf of leaves(frame).slice(0, most)) {
    for (const other of others(frame.slice(leaf.start, leaf.end))) {
      left -= frame.length
      if (left < 0) break
      const decoded = venue.decode(frame.slice(0, leaf.start) + other + frame.slice(leaf.end))
      if ("_tag" in decoded || decoded.length !== events.length) continue
      const isSameKind = decoded.every((event, index) => event._tag === events[index]?._tag)
      if (!isSameKind) continue
      let isFound = false
      decoded.forEach((event, index) => {
        const now = membersOf(event)
        for (const [key, text] of members[index] ?? []) {
          if (now.get(key) === text) continue
          isFound = true
          sources[index]?.get(key)?.push(leaf)
        }
      })
      if (isFound) break
    }
  }
  return members.map((of, index) =>
    Array.from(of, ([member, text]) => ({
      member,
      text,
      from: (sources[index]?.get(member) ?? []).map(({ end, path, start }) => ({ path, text: frame.slice(start, end) }))
    }))
  )
}

const bare = (json: string): string => json.startsWith("\"") ? json.slice(1, -1) : json

/** How many members of an event's levels are not shown. */
const hiddenOf = (event: MarketEvent.AnyEvent | undefined): number =>
  event?._tag === "BookSnapshot" || event?._tag === "BookDelta"
    ? [event.bids, event.asks].reduce((sum, side) => sum + 2 * Math.max(0, side.length - shownLevels), 0)
    : 0

const meanings: Readonly<Record<Rejection.RejectionReason, string>> = {
  MalformedJson: "the frame is no JSON text",
  NotAnObject: "the frame is neither an object nor a list of them",
  MissingField: "a member that the frame must have is not there",
  InvalidField: "a member cannot be read as what it is to be",
  UnknownMessage: "no member says of what kind the frame is",
  TooLarge: "the frame is longer, or has more different names of members, than is read"
}

/** Where a rejection came from: the member that it names, as it stands in the frame. */
const rejected = (paint: Paint, frame: string, { field, reason }: Rejection.FrameRejected): string => {
  const line = (label: string, text: string, rest: string) =>
    `    ${pad(label, 14)} ${pad(fit(Printable.escape(text), 34), 34)} ${rest}\n`
  const out = line("reason", reason, paint("dim", meanings[reason]))
  if (field === undefined) return out
  const within = leaves(frame)
  const leaf = within.find(({ path }) => path === field)
  const isBranch = within.some(({ path }) => path.startsWith(`${field}.`) || path.startsWith(`${field}[`))
  const found = leaf !== undefined
    ? fit(Printable.escape(frame.slice(leaf.start, leaf.end)), 34)
    : paint("dim", isBranch ? "an object or a list" : "not in the frame")
  return out + line("field", field, `${paint("dim", "←")} ${found}`)
}

/**
 * The explanation of a frame as lines for people.
 *
 * @category getters
 * @since 0.1.0
 */
export const format = (
  paint: Paint,
  venue: Venue,
  frame: string,
  events: ReadonlyArray<MarketEvent.AnyEvent>
): string => {
  let out = `  ${paint("dim", fit(Printable.escape(frame), 110))}\n`
  const [only] = events
  // What is refused is refused whole: there are no members to be traced.
  if (only?._tag === "FrameRejected") return out + rejected(paint, frame, only)
  const traced = trace(venue, frame, events)
  const unfound = frame.length * most > mostDecoded ? "not found in so large a frame" : "the frame's kind"
  for (const [index, sources] of traced.entries()) {
    if (traced.length > 1) out += `  ${paint("bold", bare(sources[0]?.text ?? ""))}\n`
    const hidden = hiddenOf(events[index])
    for (const { from, member, text } of sources) {
      if (member === "_tag" || member === "venue") continue
      // A value that stands in the member as it is tells more than one that only had a say in where it stands.
      const verbatim = from.filter((leaf) => bare(leaf.text) === bare(text))
      const origin = (verbatim.length > 0 ? verbatim : from).map((leaf) => {
        const isSame = bare(leaf.text) === bare(text)
        const how = isSame
          ? ""
          : opposites.get(bare(leaf.text).toLowerCase()) === bare(text)
          ? ` ${Printable.escape(bare(leaf.text))}, the maker's, flipped`
          : ` ${Printable.escape(leaf.text)}, rewritten`
        return `${Printable.escape(leaf.path)}${paint("dim", how)}`
      })
      const shown = origin.length === 0 ? paint("dim", unfound) : origin.join(", ")
      out += `    ${pad(member, 14)} ${pad(fit(Printable.escape(bare(text)), 34), 34)} ${paint("dim", "←")} ${shown}\n`
    }
    if (hidden > 0) out += `    ${paint("dim", `… and ${hidden} more members of levels`)}\n`
  }
  return out
}
