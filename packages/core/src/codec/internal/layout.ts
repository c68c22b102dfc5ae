/**
 * The fast way through frames of a known layout. A venue writes all frames of
 * one kind alike: the same members, in the same order, without white space. A
 * layout is learned from one frame that was read and validated the exact way,
 * and compiled to an anchored regular expression of JSON's own grammar; where
 * it matches, the captured pieces *are* the members' source texts, digits and
 * trailing zeros included. Where it does not match, nothing was decided, and
 * the frame is read the exact way.
 *
 * This is what makes exact decimals cheaper than `JSON.parse` alone. Layouts
 * are a cache: what a frame means never depends on the frames before it.
 *
 * @since 0.1.0
 */
import * as Decimal from "../../value/Decimal.ts"
import * as UtcParts from "../../value/internal/utcParts.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import * as ExactJson from "../ExactJson.ts"
import { escapePattern, literalOf } from "./escapePattern.ts"
import { type Captured, readList, type ReadRows } from "./repeatedParts.ts"
import * as Scanner from "./scanner.ts"

export type { Captured, ReadRows }

/**
 * What is wanted of a kind of frame. A member is named by its path: `price`,
 * `data.p`, `events[0].product_id`; a member of the objects of a list by the
 * path `events[0].trades[].price`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Plan<A> {
  /** The scalar members to hand over, in this order. */
  readonly wanted: ReadonlyArray<string>
  /** Those of the wanted members that hold a time, to be read with `timestamp`. */
  readonly times: ReadonlyArray<string>
  /** Members that hold objects which are all laid out alike, each with the names of the wanted members of its objects. */
  readonly lists?: ReadonlyArray<readonly [member: string, wanted: ReadonlyArray<string>]>
  /** Members that hold the rows of a book, each with what reads them as they pass. */
  readonly books?: ReadonlyArray<readonly [member: string, read: ReadRows]>
  /** Members whose text must be that of the learned frame: what names its kind. */
  readonly pinned: ReadonlyArray<string>
  /** Members that are pinned up to the first of a separator, such as `["channel", "."]` for `ticker.BTC-PERPETUAL.100ms`. */
  readonly prefixed?: ReadonlyArray<readonly [member: string, separator: string]>
  /** Whether a number may be `null` in other frames of the layout, and `null` a number. */
  readonly nullable?: boolean
  /**
   * Makes the result, or `undefined` where a text is not what it should be: the
   * exact way then says why.
   */
  readonly build: (members: Members) => A | undefined
}

/**
 * The members of one frame. They are read before the next frame is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Members extends Captured {
  /** The objects of each list, in the plan's order. */
  readonly lists: ReadonlyArray<ReadonlyArray<Captured>>
  /** What the rows of each book were read to, in the plan's order. */
  readonly books: ReadonlyArray<object>
}

/**
 * The text of a wanted member, by its place in the plan: `undefined` where it is
 * absent or `null`. That of a boolean is `true` or `false`.
 *
 * @category getters
 * @since 0.1.0
 */
export const text = (members: Captured, wanted: number): string | undefined => {
  const place = members.places[wanted]
  return place === undefined || place === 0 ? undefined : members.texts[place]
}

/**
 * The time of a wanted member, by its place in the plan: `undefined` where it is
 * absent, `null` where its text is no time.
 *
 * @category getters
 * @since 0.1.0
 */
export const timestamp = (members: Captured, wanted: number): Timestamp.Timestamp | undefined | null => {
  const { texts } = members
  const place = members.places[wanted]
  if (place === undefined || place === 0) return undefined
  // A time that is `null` in this frame, and was a number in another, is left to the exact way.
  if (place > 0) return Timestamp.parse(texts[place] ?? "") ?? null
  return UtcParts.fromUtcParts(texts[-place] ?? "", texts[1 - place] ?? "", texts[2 - place]) ?? null
}

/**
 * The decimal of a wanted member, by its place in the plan: `undefined` where it
 * is absent or `null`, `null` where its text is no decimal.
 *
 * @category getters
 * @since 0.1.0
 */
export const decimal = (members: Captured, wanted: number): Decimal.Decimal | undefined | null => {
  const written = text(members, wanted)
  return written === undefined ? undefined : Decimal.parse(written) ?? null
}

/**
 * How many layouts are kept for one venue. Venues have about six kinds of
 * frames; a peer that invents more is read the exact way.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxLayouts = 16

/** A longer frame without lists or books is not looked at: it is none of a venue's usual ones. */
const maxFlatFrame = 16_384

/**
 * How many layouts may begin like a long frame before it is read the exact way.
 * To find that a list's or book's end is another costs its whole length.
 */
const maxTries = 2

/** Frames with more values, or members with unusual names, are not learned. */
const maxMembers = 64
const plainName = /^[\w-]{1,40}$/

const stringPattern = "\"[^\"\\\\\\x00-\\x1f]*\""
const capturedStringPattern = "\"([^\"\\\\\\x00-\\x1f]*)\""
const numberPattern = "-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?"

/** A time in UTC, in pieces short enough to be copied out of the frame rather than to point into it. */
const timePattern = "\"(\\d{4}-\\d{2}-\\d{2})T(\\d{2}:\\d{2}:\\d{2})(?:\\.(\\d{1,9}))?Z\""
const time = new RegExp(`^${timePattern}$`)

/** A stretch of a frame as a sticky pattern, and how many texts it captures; its text, if it is always the same. */
interface Stretch {
  readonly pattern: RegExp
  readonly groups: number
  readonly text: string | undefined
}

/** A list or a book, and what stands between it and the one before. */
type Segment =
  | {
    readonly _tag: "Book"
    readonly before: Stretch
    readonly index: number
    readonly read: ReadRows
    readonly isSpaced: boolean
  }
  | {
    readonly _tag: "List"
    readonly before: Stretch
    readonly index: number
    readonly row: RegExp
    readonly places: ReadonlyArray<number>
  }

interface Layout<A> {
  readonly plan: Plan<A>
  /** The lists and books, in the frame's order. */
  readonly segments: ReadonlyArray<Segment>
  /** What stands after the last of them, to the end. */
  readonly last: Stretch
  /** The members of a frame: the same object for each frame, as they are read before the next. */
  readonly members: {
    texts: ReadonlyArray<string | undefined>
    readonly places: ReadonlyArray<number>
    readonly lists: Array<ReadonlyArray<Captured>>
    readonly books: Array<object>
  }
  /** How many texts are captured of a frame. */
  readonly groups: number
  /** Where they are gathered, if several stretches have some. */
  readonly texts: Array<string | undefined>
}

const none: ReadonlyArray<never> = []

const readFrame = <A>(layout: Layout<A>, frame: string): A | undefined => {
  const { last, members, plan, segments } = layout
  filled = 1
  let at = 0
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i]
    if (segment === undefined) return undefined
    const from = stretchEnd(layout, segment.before, frame, at)
    if (from < 0) return undefined
    hasBegun = true
    if (segment._tag === "Book") {
      scanner.begin(frame)
      scanner.at = from
      const rows = segment.read(scanner, segment.isSpaced)
      if (rows === undefined) return undefined
      members.books[segment.index] = rows
      at = scanner.at
    } else {
      const objects: Array<Captured> = []
      const end = readList(frame, from, segment.row, segment.places, objects)
      if (end === undefined) return undefined
      members.lists[segment.index] = objects
      at = end
    }
  }
  return stretchEnd(layout, last, frame, at) === frame.length ? plan.build(members) : undefined
}

const scanner = Scanner.make()

/** Whether the last frame began like the layout, up to its first list or book. */
let hasBegun = false

/** How many texts of the frame stand among those that are gathered, one that is none counted. */
let filled = 1

/** Where a stretch ends that stands at a place of the frame, -1 if it does not: then its texts are among the members'. */
const stretchEnd = <A>(
  { groups: all, members, texts }: Layout<A>,
  stretch: Stretch,
  frame: string,
  at: number
): number => {
  const { groups, pattern, text } = stretch
  if (text !== undefined) {
    for (let i = 0; i < text.length; i++) if (frame.charCodeAt(at + i) !== text.charCodeAt(i)) return -1
    return at + text.length
  }
  pattern.lastIndex = at
  if (groups === 0) return pattern.test(frame) ? pattern.lastIndex : -1
  const match = pattern.exec(frame)
  if (match === null) return -1
  // Most layouts capture all of them in one stretch, of which the match has them as they are needed.
  if (groups === all) members.texts = match
  // Written over, not emptied: every frame of the layout fills the same places.
  else for (let group = 1; group <= groups; group++) texts[filled++] = match[group]
  return pattern.lastIndex
}

/** The pattern of a value as it grows, and where its wanted members are captured. */
class Draft<A> {
  readonly plan: Plan<A>
  readonly wanted: ReadonlyArray<string>
  /** What stands between members: `""` as venues write, `" "` as Python does. */
  readonly space: string
  readonly places: Array<number>
  readonly segments: Array<Segment> = []
  source = ""
  captured = 0
  /** How many of the captured belong to stretches that were taken. */
  taken = 0
  size = 0

  constructor(plan: Plan<A>, wanted: ReadonlyArray<string>, space: string) {
    this.plan = plan
    this.wanted = wanted
    this.space = space
    this.places = wanted.map(() => 0)
  }

  /** Adds a value; false where it is none that can be read again by a pattern. */
  add(value: ExactJson.Json, path: string): boolean {
    if (++this.size > maxMembers) return false
    const wanted = this.wanted.indexOf(path)
    if (this.plan.pinned.includes(path)) {
      if (typeof value !== "string") return false
      this.source += escapePattern(JSON.stringify(value))
      return true
    }
    const prefixed = this.plan.prefixed?.find(([member]) => member === path)
    if (prefixed !== undefined) return this.addPrefix(value, prefixed[1])
    if (value === null || (this.plan.nullable === true && value instanceof ExactJson.JsonNumber)) {
      this.addNullable(wanted)
      return true
    }
    if (typeof value === "string" || typeof value === "boolean" || value instanceof ExactJson.JsonNumber) {
      this.addScalar(value, path, wanted)
      return true
    }
    if (wanted >= 0) return false
    const book = this.plan.books?.findIndex(([member]) => member === path) ?? -1
    const read = this.plan.books?.[book]?.[1]
    if (read !== undefined) {
      this.segments.push({
        _tag: "Book",
        before: this.takeStretch(),
        index: book,
        read,
        isSpaced: this.space !== ""
      })
      return true
    }
    return Array.isArray(value) ? this.addArray(value, path) : ExactJson.isObject(value) && this.addObject(value, path)
  }

  takeStretch(): Stretch {
    const pattern = new RegExp(this.source, "y")
    const groups = this.captured - this.taken
    const text = literalOf(this.source)
    this.source = ""
    this.taken = this.captured
    return { pattern, groups, text }
  }

  /** A string up to and with its first separator, and whatever follows. */
  addPrefix(value: ExactJson.Json, separator: string): boolean {
    if (typeof value !== "string") return false
    const end = value.indexOf(separator)
    if (end < 0) return false
    const prefix = JSON.stringify(value.slice(0, end + separator.length)).slice(0, -1)
    this.source += `${escapePattern(prefix)}${stringPattern.slice(1)}`
    return true
  }

  /** `null`, and any number where the plan says that one may become the other. */
  addNullable(wanted: number): void {
    if (this.plan.nullable !== true) {
      this.source += "null"
    } else if (wanted < 0) {
      this.source += `(?:${numberPattern}|null)`
    } else {
      this.source += `(?:(${numberPattern})|null)`
      this.places[wanted] = ++this.captured
    }
  }

  addScalar(value: string | boolean | ExactJson.JsonNumber, path: string, wanted: number): void {
    if (wanted < 0) {
      this.source += typeof value === "string"
        ? stringPattern
        : typeof value === "boolean"
        ? "(?:true|false)"
        : numberPattern
    } else if (typeof value === "string" && this.plan.times.includes(path) && time.test(`"${value}"`)) {
      this.source += timePattern
      this.places[wanted] = -(this.captured + 1)
      this.captured += 3
    } else {
      this.source += typeof value === "string"
        ? capturedStringPattern
        : typeof value === "boolean"
        ? "(true|false)"
        : `(${numberPattern})`
      this.places[wanted] = ++this.captured
    }
  }

  addObject(value: ExactJson.JsonObject, path: string): boolean {
    this.source += "\\{"
    let separator = ""
    for (const [name, member] of Object.entries(value)) {
      if (!plainName.test(name)) return false
      this.source += `${separator}"${escapePattern(name)}":${this.space}`
      if (!this.add(member, path === "" ? name : `${path}.${name}`)) return false
      separator = `,${this.space}`
    }
    this.source += "\\}"
    return true
  }

  addArray(value: ReadonlyArray<ExactJson.Json>, path: string): boolean {
    const list = this.plan.lists?.findIndex(([member]) => member === path) ?? -1
    if (list >= 0) return this.addList(value, path, list)
    this.source += "\\["
    for (const [index, element] of value.entries()) {
      if (index > 0) this.source += `,${this.space}`
      if (!this.add(element, `${path}[${index}]`)) return false
    }
    this.source += "\\]"
    return true
  }

  /** A list whose objects are laid out like its first. */
  addList(value: ReadonlyArray<ExactJson.Json>, path: string, index: number): boolean {
    const first = value[0]
    if (first === undefined || !ExactJson.isObject(first)) return false
    const wanted = this.plan.lists?.[index]?.[1] ?? none
    const row = new Draft(this.plan, wanted.map((name) => `${path}[].${name}`), this.space)
    if (!row.add(first, `${path}[]`) || row.segments.length > 0) return false
    this.segments.push({
      _tag: "List",
      before: this.takeStretch(),
      index,
      row: row.takeStretch().pattern,
      places: row.places
    })
    return true
  }
}

/** Compiles a frame's layout with the given text between its members. */
const compile = <A>(json: ExactJson.JsonObject, plan: Plan<A>, space: string): Layout<A> | undefined => {
  const draft = new Draft(plan, plan.wanted, space)
  if (!draft.add(json, "")) return undefined
  const { captured, places, segments } = draft
  const texts = Array.from({ length: captured + 1 }, () => undefined)
  const members = { lists: [], books: [], texts, places }
  return {
    plan,
    segments,
    last: draft.takeStretch(),
    members,
    groups: captured,
    texts
  }
}

/**
 * The layouts that a decoder has learned.
 *
 * @category models
 * @since 0.1.0
 */
export interface Layouts<A> {
  /** Reads a frame by the layouts learned so far; `undefined` where none is its own. */
  readonly read: (frame: string) => A | undefined
  /** Learns the layout of a frame, given what the exact way read and accepted. */
  readonly learn: (frame: string, json: ExactJson.JsonObject, plan: Plan<A>) => void
}

/**
 * Makes an empty set of layouts.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(): Layouts<A> => {
  const layouts: Array<Layout<A>> = []
  const read = (frame: string): A | undefined => {
    const isLong = frame.length > maxFlatFrame
    let tries = 0
    for (let i = 0; i < layouts.length; i++) {
      const layout = layouts[i]
      if (layout === undefined) continue
      hasBegun = false
      const result = readFrame(layout, frame)
      if (result === undefined) {
        if (isLong && hasBegun && ++tries === maxTries) return undefined
        continue
      }
      // What stands before the first is not asked for: an engine is slow to find nothing there.
      const before = i === 0 ? undefined : layouts[i - 1]
      if (before !== undefined) {
        // One step forward on each hit: what comes often is tried first.
        layouts[i - 1] = layout
        layouts[i] = before
      }
      return result
    }
    return undefined
  }
  const learn = (frame: string, json: ExactJson.JsonObject, plan: Plan<A>): void => {
    const flat = plan.lists === undefined && plan.books === undefined
    if (layouts.length >= maxLayouts || (flat && frame.length > maxFlatFrame)) return
    for (const space of ["", " "]) {
      const layout = compile(json, plan, space)
      if (layout === undefined) return
      // A frame with escapes or other white space does not match its own layout: it stays on the exact way.
      if (readFrame(layout, frame) !== undefined) {
        layouts.push(layout)
        return
      }
    }
  }
  return { read, learn }
}
