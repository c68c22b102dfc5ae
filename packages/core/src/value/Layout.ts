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
import * as ExactJson from "./ExactJson.ts"
import * as Timestamp from "./Timestamp.ts"

/**
 * Rows of strings such as `[["buy","1.0","2"],…]`, as offsets into the frame:
 * two numbers, start and end, for each cell, row by row.
 *
 * @category models
 * @since 0.1.0
 */
export type Cells = ReadonlyArray<number>

/**
 * What is wanted of a kind of frame.
 *
 * @category models
 * @since 0.1.0
 */
export interface Plan<A> {
  /** The scalar members to hand over, in this order. */
  readonly wanted: ReadonlyArray<string>
  /** Those of the wanted members that hold a time, to be read with `timestamp`. */
  readonly times: ReadonlyArray<string>
  /** Members that hold rows of strings, each with its number of columns. */
  readonly tables: ReadonlyArray<readonly [member: string, columns: number]>
  /** Members whose text must be that of the learned frame: what names its kind. */
  readonly pinned: ReadonlyArray<string>
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
export interface Members {
  /** The text that the cells of tables point into. */
  readonly frame: string
  /** The tables, in the plan's order. */
  readonly tables: ReadonlyArray<Cells>
  /**
   * The captured texts, and for each wanted member its place among them: 0 where
   * the frame has none, negative for a time that was captured in three parts.
   */
  readonly texts: ReadonlyArray<string | undefined>
  readonly places: ReadonlyArray<number>
}

/**
 * The text of a wanted member, by its place in the plan: `undefined` where it is
 * absent or `null`.
 *
 * @category getters
 * @since 0.1.0
 */
export const text = (members: Members, wanted: number): string | undefined => {
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
export const timestamp = (members: Members, wanted: number): Timestamp.Timestamp | undefined | null => {
  const { texts } = members
  const place = members.places[wanted]
  if (place === undefined || place === 0) return undefined
  if (place > 0) return Timestamp.parse(texts[place] ?? "") ?? null
  return Timestamp.fromUtcParts(texts[-place] ?? "", texts[1 - place] ?? "", texts[2 - place]) ?? null
}

/**
 * How many layouts are kept for one venue. Venues have about six kinds of
 * frames; a peer that invents more is read the exact way.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxLayouts = 16

/** A longer frame without tables is not looked at: it is none of a venue's usual ones. */
const maxFlatFrame = 16_384

/** Frames with more members, or members with unusual names, are not learned. */
const maxMembers = 40
const plainName = /^[\w-]{1,40}$/

const stringPattern = "\"[^\"\\\\\\x00-\\x1f]*\""
const capturedStringPattern = "\"([^\"\\\\\\x00-\\x1f]*)\""
const numberPattern = "-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?"

/** A time in UTC, in pieces short enough to be copied out of the frame rather than to point into it. */
const timePattern = "\"(\\d{4}-\\d{2}-\\d{2})T(\\d{2}:\\d{2}:\\d{2})(?:\\.(\\d{1,9}))?Z\""
const time = new RegExp(`^${timePattern}$`)

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&")

/** A table, and what stands between it and the table before. */
interface TableSegment {
  readonly pattern: RegExp
  readonly table: number
  readonly columns: number
}

interface Layout<A> {
  readonly plan: Plan<A>
  /** What stands before each table, in the frame's order. */
  readonly segments: ReadonlyArray<TableSegment>
  /** What stands after the last table, to the end. */
  readonly last: RegExp
  /** As in `Members`. */
  readonly places: ReadonlyArray<number>
}

/**
 * Reads compact rows of strings without escapes that begin at an offset, and
 * notes the cells. Returns the offset after the closing bracket, or -1.
 */
const readTable = (text: string, start: number, columns: number, cells: Array<number>): number => {
  if (text.charCodeAt(start) !== 91) return -1
  let at = start + 1
  if (text.charCodeAt(at) === 93) return at + 1
  for (;;) {
    if (text.charCodeAt(at) !== 91) return -1
    at++
    for (let column = 0; column < columns; column++) {
      if (column > 0 && text.charCodeAt(at++) !== 44) return -1
      if (text.charCodeAt(at) !== 34) return -1
      const from = ++at
      for (let code = text.charCodeAt(at); code !== 34; code = text.charCodeAt(++at)) {
        // NaN, past the end, fails the comparison as well.
        if (!(code >= 32) || code === 92) return -1
      }
      cells.push(from, at)
      at++
    }
    if (text.charCodeAt(at) !== 93) return -1
    const next = text.charCodeAt(at + 1)
    at += 2
    if (next === 93) return at
    if (next !== 44) return -1
  }
}

const noTables: ReadonlyArray<Cells> = []

const readFrame = <A>(layout: Layout<A>, frame: string): A | undefined => {
  const { last, places, plan, segments } = layout
  if (segments.length > 0) return readFrameWithTables(layout, frame)
  last.lastIndex = 0
  const texts = last.exec(frame)
  return texts === null ? undefined : plan.build({ frame, tables: noTables, texts, places })
}

const readFrameWithTables = <A>(layout: Layout<A>, frame: string): A | undefined => {
  const { last, places, plan, segments } = layout
  const texts: Array<string | undefined> = [undefined]
  const tables: Array<Cells> = []
  let at = 0
  for (let i = 0; i <= segments.length; i++) {
    const segment = segments[i]
    const pattern = segment === undefined ? last : segment.pattern
    pattern.lastIndex = at
    const match = pattern.exec(frame)
    if (match === null) return undefined
    for (let group = 1; group < match.length; group++) texts.push(match[group])
    if (segment !== undefined) {
      const cells: Array<number> = []
      at = readTable(frame, pattern.lastIndex, segment.columns, cells)
      if (at < 0) return undefined
      tables[segment.table] = cells
    }
  }
  return plan.build({ frame, tables, texts, places })
}

/** Compiles a frame's layout with the given text between its members: `""` as venues write, `" "` as Python does. */
const compile = <A>(json: ExactJson.JsonObject, plan: Plan<A>, space: string): Layout<A> | undefined => {
  const members = Object.entries(json)
  if (members.length > maxMembers) return undefined
  const segments: Array<TableSegment> = []
  const places = plan.wanted.map(() => 0)
  let captured = 0
  let source = "\\{"
  let separator = ""
  for (const [name, value] of members) {
    if (!plainName.test(name)) return undefined
    source += `${separator}"${escapePattern(name)}":${space}`
    separator = `,${space}`
    const wanted = plan.wanted.indexOf(name)
    const table = plan.tables.findIndex(([member]) => member === name)
    if (plan.pinned.includes(name)) {
      if (typeof value !== "string") return undefined
      source += escapePattern(JSON.stringify(value))
    } else if (table >= 0) {
      segments.push({ pattern: new RegExp(source, "y"), table, columns: plan.tables[table]?.[1] ?? 0 })
      source = ""
    } else if (typeof value === "string" || value instanceof ExactJson.JsonNumber) {
      const isText = typeof value === "string"
      if (wanted < 0) {
        source += isText ? stringPattern : numberPattern
      } else if (isText && plan.times.includes(name) && time.test(`"${value}"`)) {
        source += timePattern
        places[wanted] = -(captured + 1)
        captured += 3
      } else {
        source += isText ? capturedStringPattern : `(${numberPattern})`
        places[wanted] = ++captured
      }
    } else if (value === null) {
      source += "null"
    } else if (typeof value === "boolean" && wanted < 0) {
      source += "(?:true|false)"
    } else {
      return undefined
    }
  }
  return { plan, segments, last: new RegExp(`${source}\\}$`, "y"), places }
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
    for (let i = 0; i < layouts.length; i++) {
      const layout = layouts[i]
      if (layout === undefined) continue
      const result = readFrame(layout, frame)
      if (result === undefined) continue
      const before = layouts[i - 1]
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
    if (layouts.length >= maxLayouts || (plan.tables.length === 0 && frame.length > maxFlatFrame)) return
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
