/**
 * Several recordings as one, in the order given, with a time for every line.
 *
 * @since 0.1.0
 */
import * as Tape from "@tickline/core/recording/Tape"
import type { Frame } from "@tickline/core/transport/Frame"
import * as Timestamp from "@tickline/core/value/Timestamp"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

type Header = Extract<Tape.Entry, { readonly _tag: "Header" }>

const entryOf = (line: Frame): Tape.Entry | undefined => {
  const read = Tape.parse(line, 1)
  return read?._tag === "EntryRejected" ? read.entry : read
}

/** Only a line that may be a header is read for that. */
const isHeader = (line: Frame): boolean =>
  typeof line === "string" && line.includes("\"header\"") && entryOf(line)?._tag === "Header"

/**
 * The headers that recordings begin with.
 *
 * @category getters
 * @since 0.1.0
 */
export const headersOf = <E>(
  recordings: ReadonlyArray<Stream.Stream<Frame, E>>
): Effect.Effect<ReadonlyArray<Header>, E> =>
  Effect.map(
    Effect.forEach(recordings, Stream.runHead),
    (lines) =>
      lines.flatMap((line) => {
        const entry = Option.isSome(line) ? entryOf(line.value) : undefined
        return entry?._tag === "Header" ? [entry] : []
      })
  )

const union = (lists: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => [...new Set(lists.flat())]

/**
 * The lines of recordings of one venue, one recording after the other, under one
 * header that says what all of theirs say.
 *
 * @category combinators
 * @since 0.1.0
 */
export const join = <E>(
  recordings: ReadonlyArray<Stream.Stream<Frame, E>>,
  headers: ReadonlyArray<Header>
): Stream.Stream<Frame, E> => {
  const [first, ...others] = recordings
  if (first !== undefined && others.length === 0) return first
  const lines = Stream.flatten(Stream.fromIterable(recordings))
  const [header] = headers
  if (header === undefined) return lines
  // If one of them does not say what it has, all frames are looked at.
  const isDeclared = headers.length === recordings.length
  const joined = JSON.stringify({
    kind: "header",
    version: 1,
    venue: header.venue,
    url: header.url,
    products: isDeclared ? union(headers.map(({ products }) => products)) : [],
    channels: isDeclared ? union(headers.map(({ channels }) => channels)) : [],
    raw: ""
  })
  return Stream.concat(Stream.make(joined), Stream.filter(lines, (line) => !isHeader(line)))
}

/** The newest time that the events of a frame say. */
const timeOf = (venue: Venue, frame: Frame): Timestamp.Timestamp | undefined => {
  const events = venue.decode(frame)
  if ("_tag" in events) return undefined
  let newest: Timestamp.Timestamp | undefined
  for (const event of events) {
    const time = "timestamp" in event ? event.timestamp : undefined
    if (time !== undefined && (newest === undefined || Timestamp.TimestampOrder(newest, time) < 0)) newest = time
  }
  return newest
}

const knownTime = (venue: Venue, entry: Tape.Entry | undefined): Timestamp.Timestamp | undefined =>
  entry?.at ?? (entry?._tag === "Frame" && entry.direction === "in" ? timeOf(venue, entry.frame) : undefined)

/** A time that is further ahead than this is a wrong one. */
const mostSeconds = 366 * 86_400

const isAfter = (time: Timestamp.Timestamp, before: Timestamp.Timestamp): boolean =>
  Timestamp.TimestampOrder(before, time) < 0 && time.epochSeconds - before.epochSeconds < mostSeconds

/**
 * The lines with a time for each: a recording whose lines have none gets that of
 * what the venue says in them, and lines before the first that has one get its
 * time, so that nothing begins in 1970.
 *
 * @category combinators
 * @since 0.1.0
 */
export const timed = Effect.fnUntraced(function*<E>(
  lines: Stream.Stream<Frame, E>,
  venue: Venue
): Effect.fn.Return<Stream.Stream<Frame, E>, E> {
  const first = yield* lines.pipe(
    Stream.map((line) => knownTime(venue, entryOf(line))),
    Stream.filter((time) => time !== undefined),
    Stream.runHead
  )
  if (Option.isNone(first)) return lines
  return Stream.suspend(() => {
    let time = first.value
    let saysTimes = false
    return Stream.map(lines, (line) => {
      if (saysTimes) return line
      const entry = entryOf(line)
      if (entry === undefined || entry._tag === "Header") return line
      saysTimes = entry.at !== undefined
      if (saysTimes) return line
      const known = knownTime(venue, entry)
      if (known !== undefined && isAfter(known, time)) time = known
      return Tape.encode({ ...entry, at: time })
    })
  })
})

/**
 * Whether a book can ever be whole: one begins with a snapshot, from the socket or,
 * where the venue has it so, over HTTP.
 *
 * @category getters
 * @since 0.1.0
 */
export const hasSnapshot = <E>(lines: Stream.Stream<Frame, E>, venue: Venue): Effect.Effect<boolean, E> => {
  const path = venue.rest?.book?.request("", 1).path.replace(/\?.*/, "")
  const isSnapshot = (line: Frame): boolean => {
    const entry = entryOf(line)
    if (path !== undefined) return entry?._tag === "Response" && entry.url.includes(path)
    if (entry?._tag !== "Frame" || entry.direction === "out") return false
    const events = venue.decode(entry.frame)
    return !("_tag" in events) && events.some(({ _tag }) => _tag === "BookSnapshot")
  }
  return Effect.map(Stream.runHead(Stream.filter(lines, isSnapshot)), Option.isSome)
}
