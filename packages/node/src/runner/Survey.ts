/**
 * What is known of a recording before it is replayed: its venues, their
 * connections, and the channels and products that were recorded.
 *
 * @since 0.1.0
 */
import * as Replay from "@tickline/core/recording/Replay"
import type * as Tape from "@tickline/core/recording/Tape"
import type { Frame } from "@tickline/core/transport/Frame"
import * as Channel from "@tickline/core/value/Channel"
import type { ChannelKind, Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Host } from "./Host.ts"
import { type Recorded, RecordedChannels } from "./RecordedChannels.ts"
import * as Recording from "./Recording.ts"
import { RunFailed, UsageError } from "./RunnerError.ts"
import * as Targets from "./Targets.ts"

/**
 * What one feed is of: connections of a venue, and what of them is wanted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Course {
  readonly legs: Arr.NonEmptyReadonlyArray<Replay.Leg>
  readonly venue: Venue
  readonly url: string | undefined
  readonly wanted: ReadonlyArray<Recorded>
  /** How many channels there were, wanted or not. */
  readonly asked: number
}

type Header = Extract<Tape.Entry, { readonly _tag: "Header" }>

// Of several venues each connection is called after its own.
const headerOf = (
  headers: ReadonlyArray<Header>,
  connection: number | string | undefined
): Header | undefined =>
  headers.length < 2
    ? headers[0]
    : headers.find(({ venue = "" }) => String(connection).startsWith(`${venue} `))

const venueOf = (named: Venue | undefined, header: Header | undefined): Venue | undefined =>
  named ?? (header?.venue === undefined ? undefined : Venues.get(header.venue))

const merged = (courses: ReadonlyArray<Course>): ReadonlyArray<Course> =>
  Array.from(Map.groupBy(courses, ({ venue }) => venue.name).values()).flatMap(([first, ...others]) => {
    if (first === undefined) return []
    const all = [first, ...others]
    const wanted = new Map(all.flatMap((one) => one.wanted.map((each) => [Channel.key(each.channel), each])))
    return {
      ...first,
      legs: [...first.legs, ...others.flatMap(({ legs }) => legs)],
      wanted: [...wanted.values()],
      asked: Math.max(...all.map(({ asked }) => asked))
    }
  })

/**
 * What of a recording is wanted, and how it is replayed. `venue` is the one that a
 * recording without a header is of; without `kinds` all that there are are wanted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: Venue | undefined
  readonly kinds: ReadonlyArray<ChannelKind>
  /** Whether its books are told, which are of one connection each. */
  readonly tellsBooks: boolean
  readonly replay: Omit<Replay.Options, "onIndexed">
}

/**
 * What is known of a recording before it is replayed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options,
  lines: Stream.Stream<Frame, RunFailed | UsageError>
): Effect.fn.Return<
  { readonly replay: Replay.Replay<RunFailed | UsageError>; readonly courses: ReadonlyArray<Course> },
  RunFailed | UsageError
> {
  const headers: Array<Header> = []
  const channels = new Map<number | string | undefined, RecordedChannels>()
  const channelsOf = (connection: number | string | undefined): RecordedChannels | undefined => {
    const known = channels.get(connection)
    const venue = known === undefined ? venueOf(options.venue, headerOf(headers, connection)) : undefined
    if (venue === undefined) return known
    const made = new RecordedChannels(venue)
    channels.set(connection, made)
    return made
  }
  const replay = yield* Replay.make(lines, {
    ...options.replay,
    onIndexed: (entry) => {
      if (entry._tag === "Header") headers.push(entry)
      if (entry._tag !== "Frame" || entry.direction !== "in") return
      const found = channelsOf(entry.connection)
      if (found?.isDeclared(headerOf(headers, entry.connection), options.tellsBooks) === false) {
        found.add(entry.frame)
      }
    }
  })
  const chosen = new Set<ChannelKind>(options.tellsBooks ? ["book"] : options.kinds)
  const courses: Array<Course> = []
  for (const leg of replay.legs) {
    const header = headerOf(replay.headers, leg.connection)
    const venue = venueOf(options.venue, header)
    if (venue === undefined) {
      return yield* new UsageError({
        key: "--venue",
        ...(header?.venue === undefined ? {} : { value: header.venue }),
        expected: header?.venue === undefined
          ? `the venue, which the recording does not name: ${Venues.all.map(({ name }) => name).join(", ")}`
          : Targets.expectedVenue(header.venue)
      })
    }
    if (options.tellsBooks && venue.channels.book === undefined) {
      return yield* new UsageError({ key: "--book", value: venue.name, expected: "a venue that has books" })
    }
    const all = channels.get(leg.connection)?.wanted(header) ?? new RecordedChannels(venue).wanted(header)
    const wanted = chosen.size === 0 ? all : all.filter(({ kind }) => kind !== undefined && chosen.has(kind))
    courses.push({ legs: [leg], venue, url: header?.url, wanted, asked: all.length })
  }
  // A book is of one connection; of everything else a feed has all that there are.
  return { replay, courses: options.tellsBooks ? courses : merged(courses) }
})

/**
 * The lines of a file, or of stdin where there is none. A recording is read twice;
 * of stdin what came is kept for that. What is too long to be a line of a recording
 * is told beside it, and so is how much of the last line is torn off.
 *
 * @category constructors
 * @since 0.1.0
 */
export const linesOf = Effect.fnUntraced(function*(
  file: string | undefined,
  stdin: Host["Service"]["stdin"],
  onTorn: (bytes: number) => void,
  onTooLong: (line: number) => void
): Effect.fn.Return<Stream.Stream<Frame, RunFailed | UsageError>, RunFailed | UsageError> {
  const failed = (cause: unknown) =>
    new RunFailed({
      detail: `cannot read ${file ?? "stdin"}: ${cause instanceof Error ? cause.message : String(cause)}`
    })
  const linesIn = (bytes: AsyncIterable<Uint8Array>) => {
    let number = 0
    return Stream.fromAsyncIterable(Recording.lines(bytes, onTorn), failed).pipe(
      Stream.filter(Arr.isReadonlyArrayNonEmpty),
      Stream.flattenArray,
      Stream.map((line) => {
        number++
        if (line === undefined) onTooLong(number)
        return line ?? ""
      })
    )
  }
  if (file !== undefined) return Stream.unwrap(Effect.map(Recording.open(file), linesIn))
  const kept = yield* Effect.tryPromise({
    try: async () => {
      const chunks: Array<Uint8Array> = []
      for await (const chunk of stdin.bytes()) chunks.push(chunk)
      return chunks
    },
    catch: failed
  })
  return Stream.suspend(() =>
    linesIn((async function*() {
      yield* kept
    })())
  )
})
