/**
 * Through which the events of a message read its members, whichever way it was
 * read: exactly, or captured by a layout.
 *
 * What the getters close over never changes, so that an engine knows it where
 * they are read.
 *
 * @since 0.1.0
 */
import * as Decimal from "../../value/Decimal.ts"
import * as UtcParts from "../../value/internal/utcParts.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import type * as Layout from "./layout.ts"
import { codes, type Reading, type Scalar } from "./members.ts"
import * as MemberSchemas from "./memberSchemas.ts"

const none: ReadonlyArray<never> = []

/**
 * What the getters of a view read: the values of a message that was read
 * exactly, or the pieces that a layout has captured of a frame.
 *
 * @category models
 * @since 0.1.0
 */
export class MemberValues {
  /** The captured texts; values that were read exactly stand in their place. The first is none of a member's. */
  texts: ReadonlyArray<unknown> = none
  /** Where in them the members are, 0 for those that there are none of, negative for a time in three parts. */
  places: ReadonlyArray<number> = none
  /**
   * What is not captured, by the places of the members: texts that name the kind, and which of a layout's segments
   * hold rows and lists; or the values that were read exactly.
   */
  fixed: ReadonlyArray<unknown> = none
  members: Layout.Members | undefined = undefined
  /** Whether a member is not what it should be: the exact way says why. */
  isUnsure = false

  /** Begins a frame, or an object of it. */
  begin(
    texts: ReadonlyArray<unknown>,
    places: ReadonlyArray<number>,
    fixed: ReadonlyArray<unknown>,
    members: Layout.Members | undefined
  ): void {
    this.texts = texts
    this.places = places
    this.fixed = fixed
    this.members = members
    this.isUnsure = false
  }
}

/**
 * A value that is not captured.
 *
 * @category getters
 * @since 0.1.0
 */
export const fixedAt = (source: MemberValues, slot: number) => (): unknown => source.fixed[slot + 1]

/**
 * The rows of a book.
 *
 * @category getters
 * @since 0.1.0
 */
export const rowsAt = (source: MemberValues, slot: number, fast: Reading<object>["fast"]) => (): unknown => {
  const { fixed, members } = source
  const own = fixed[slot + 1]
  if (typeof own !== "number" || members === undefined) return own
  const rows = fast(members, own)
  if (rows === undefined) source.isUnsure = true
  return rows ?? noRows
}

/** What stands for rows of which one is bad, of one side or of both. */
const noRows = Object.assign([], { bids: [], asks: [] })

/**
 * A string, a number or a boolean.
 *
 * @category getters
 * @since 0.1.0
 */
export const scalarAt = (source: MemberValues, slot: number, member: Scalar<unknown>): () => unknown => {
  if (member.isPinned) return fixedAt(source, slot)
  const { isBlank, isOptional } = member
  switch (member.code) {
    case codes.text:
      return textAt(source, slot, isOptional, isBlank)
    case codes.decimal:
      return decimalAt(source, slot, isOptional, isBlank)
    case codes.time:
      return timeAt(source, slot, isOptional)
    case codes.iso:
      return isoAt(source, slot, isOptional)
    case codes.millis:
      return millisAt(source, slot, isOptional)
    case codes.flag:
      return flagAt(source, slot, isOptional)
    case codes.word:
      return wordAt(source, slot, isOptional, member.words, member.meanings)
    default:
      return stringAt(source, slot, isOptional)
  }
}

/** What there is of a member: a captured text, or the value that was read exactly; `undefined` where there is none. */
const rawOf = ({ places, texts }: MemberValues, slot: number): unknown => {
  const place = places[slot]
  return place === undefined || place === 0 ? undefined : texts[place]
}

const textAt = (source: MemberValues, slot: number, isOptional: boolean, isBlank: boolean) => (): unknown => {
  const text = rawOf(source, slot)
  if (text !== undefined && text !== "") return text
  if (isOptional && (text === undefined || isBlank)) return undefined
  source.isUnsure = true
  return ""
}

const stringAt = (source: MemberValues, slot: number, isOptional: boolean) => (): unknown => {
  const text = rawOf(source, slot)
  if (text !== undefined || isOptional) return text
  source.isUnsure = true
  return ""
}

const decimalAt = (source: MemberValues, slot: number, isOptional: boolean, isBlank: boolean) => (): unknown => {
  const raw = rawOf(source, slot)
  if (typeof raw === "string") {
    const decimal = Decimal.parse(raw)
    if (decimal !== undefined) return decimal
    if (isBlank && raw === "") return undefined
  } else if (raw !== undefined || isOptional) {
    return raw
  }
  source.isUnsure = true
  return Decimal.zero
}

const wordAt = (
  source: MemberValues,
  slot: number,
  isOptional: boolean,
  words: ReadonlyArray<string>,
  meanings: ReadonlyArray<unknown>
) =>
(): unknown => {
  const text = rawOf(source, slot)
  if (text === undefined && isOptional) return undefined
  for (let i = 0; i < words.length; i++) if (words[i] === text) return meanings[i]
  source.isUnsure = true
  return meanings[0]
}

const flagAt = (source: MemberValues, slot: number, isOptional: boolean) => (): unknown => {
  const raw = rawOf(source, slot)
  if (typeof raw === "string") return raw === "true"
  if (raw !== undefined || isOptional) return raw
  source.isUnsure = true
  return false
}

/** A time in UTC, whose parts are texts of digits. */
const utc = (date: unknown, clock: unknown, fraction: unknown): Timestamp.Timestamp | undefined =>
  typeof date === "string" && typeof clock === "string" && (fraction === undefined || typeof fraction === "string")
    ? UtcParts.fromUtcParts(date, clock, fraction)
    : undefined

const aTime = Timestamp.fromEpochMillis(0)

/** A time as it was captured, in parts or as a text that is still to be read, or as it was read exactly. */
const timeOf = (source: MemberValues, slot: number): unknown => {
  const place = source.places[slot] ?? 0
  if (place >= 0) return place === 0 ? undefined : source.texts[place]
  const { texts } = source
  return utc(texts[-place], texts[1 - place], texts[2 - place]) ?? ""
}

const timeAt = (source: MemberValues, slot: number, isOptional: boolean) => (): unknown => {
  const raw = timeOf(source, slot)
  const time = typeof raw === "string" ? Timestamp.parse(raw) : raw
  if (time !== undefined || (isOptional && raw === undefined)) return time
  source.isUnsure = true
  return aTime
}

const isoAt = (source: MemberValues, slot: number, isOptional: boolean) => (): unknown => {
  const raw = timeOf(source, slot)
  const time = typeof raw === "string" ? Timestamp.fromIso(raw) : raw
  if (time !== undefined || (isOptional && raw === undefined)) return time
  source.isUnsure = true
  return aTime
}

const millisAt = (source: MemberValues, slot: number, isOptional: boolean) => (): unknown => {
  const raw = rawOf(source, slot)
  const time = typeof raw === "string" ? MemberSchemas.millis(raw) : raw
  if (time !== undefined || (isOptional && raw === undefined)) return time
  source.isUnsure = true
  return aTime
}
