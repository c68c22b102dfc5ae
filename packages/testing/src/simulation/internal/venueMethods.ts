/** From which frame on a venue's own method shows that a message was lost, came late or was changed. */
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import type { Venue } from "@tickline/core/venue/Venue"
import type { Fate } from "./fates.ts"
import type { Arrived, Sent, Simulation } from "./simulatedVenue.ts"

/**
 * By what a message of a channel shows that one before it is missing: by the
 * numbers of all frames of a connection, by those of the channel's own messages,
 * or by a state that is not what it would be.
 */
export interface Method {
  readonly of: "frames" | "messages" | "state"
  /** Undefined of what shows nothing and is not shown. */
  readonly numberOf: (message: Sent) => number | undefined
}

/** What a method is looked at with: what was sent of one product of one channel, and of all. */
export interface Sight {
  readonly simulation: Pick<Simulation, "arrived" | "venue">
  readonly method: Method | undefined
  readonly fates: ReadonlyArray<Fate>
  readonly all: ReadonlyArray<Fate>
}

// Where the numbers of answers come late, what is missing while answers are due shows when they have come, or are not
// waited for any longer: 10 s after the last request, of which a book that is asked for anew makes more.
const mostAnswerMillis = 15_000
const mostLostMillis = 60_000

const toNumber = (text: string | undefined): number | undefined => text === undefined ? undefined : Number(text)

/** The method for a channel, if the venue has one. */
export const methodOf = (venue: Venue, channel: string): Method | undefined => {
  const { books, channels, continuity, frames, tradeNumber } = venue
  if (frames !== undefined) return { of: "frames", numberOf: ({ events, text }) => frames.numberOf(text, events) }
  const member = tradeNumber?.(channel)
  if (member !== undefined) {
    return {
      of: "messages",
      numberOf: ({ events: [event] }) => event?._tag === "Trade" ? toNumber(event[member]) : undefined
    }
  }
  if (channel !== channels.book || books?.isWhole?.(channel) === true || continuity === "none") return undefined
  return {
    of: continuity === "state" ? "state" : "messages",
    numberOf: ({ events: [event] }) => event?._tag === "BookDelta" ? toNumber(event.sequence) ?? 0 : undefined
  }
}

const eventsOf = (venue: Venue, frame: Arrived["frame"]): ReadonlyArray<MarketEvent.MarketEvent> => {
  const decoded = venue.decode(frame)
  return "_tag" in decoded ? [] : decoded
}

const isAnswer = (venue: Venue, frame: Arrived["frame"]): boolean =>
  eventsOf(venue, frame).some(({ _tag }) => _tag === "Subscribed" || _tag === "Unsubscribed")

/** Whether a fault made something of a message that can be missed. */
export const isHarmed = ({ alteration }: Pick<Fate, "alteration">): boolean =>
  alteration !== undefined && alteration.kind !== "Duplicate" && alteration.became !== alteration.frame

// Where numbers of frames go back on another channel they are taken to be of each channel, and show nothing any more:
// after one that jumped ahead, and where one comes late beside another that is missing.
const distrustedAt = ({ all, method, simulation: { venue } }: Sight, connection: number): number => {
  if (venue.frames?.answersLate === true) return Infinity
  const harmed = all.filter((fate) => fate.message.connection === connection && isHarmed(fate))
  const numbers = new Set(harmed.map(({ message }) => method?.numberOf(message)))
  return Math.min(...harmed.flatMap(({ alteration, arrivals: [own], message }) => {
    const number = method?.numberOf(message) ?? 0
    const goesBack = alteration?.kind === "Corrupt" ||
      (alteration?.kind === "Reorder" && (numbers.has(number - 1) || numbers.has(number + 1)))
    return own !== undefined && goesBack ? own : []
  }))
}

const placeByFrames = (sight: Sight, { alteration, arrivals: [own = Infinity], message }: Fate, number: number) => {
  const { simulation: { arrived, venue } } = sight
  const isAfter = ({ at, connection, frame }: Arrived): boolean =>
    at >= message.at && connection === message.connection &&
    (venue.frames?.numberOf(frame, eventsOf(venue, frame)) ?? 0) > number
  const place = alteration?.kind === "Corrupt" ? own : arrived.findIndex(isAfter)
  return place >= 0 && place <= own ? place : Infinity
}

const levelsOf = ({ events }: Sent): ReadonlyArray<string> =>
  events.flatMap((event) =>
    event._tag !== "BookDelta" ?
      [] :
      [event.bids, event.asks].flatMap((side, i) => side.map(([price]) => `${i} ${Decimal.format(price)}`))
  )

const placeByMessages = ({ fates, method }: Sight, fate: Fate) => {
  const { alteration, arrivals: [own = Infinity], message } = fate
  if (alteration?.kind === "Corrupt") return own
  const at = fates.indexOf(fate)
  // What was before the first that came is not known to be missing.
  if (!fates.slice(0, at).some(({ arrivals }) => arrivals.length > 0)) return Infinity
  const next = fates.slice(at + 1).find(({ arrivals, message: other }) =>
    other.connection === message.connection && method?.numberOf(other) !== undefined && arrivals.length > 0
  )
  const place = next?.arrivals[0] ?? Infinity
  if (next === undefined || place > own) return Infinity
  // What is set anew by the next one is as it would be.
  const after = new Set(levelsOf(next.message))
  return method?.of === "state" && levelsOf(message).every((level) => after.has(level)) ? Infinity : place
}

/** Which frame shows it, by its place among those that came, and from when to when it is to be told. */
export interface Shown {
  readonly connection: number
  readonly place: number
  readonly from: number
  readonly to: number
  /** Whether numbers may have come to show nothing by then. */
  readonly isDoubtful: boolean
}

const latestOf = ({ all, simulation: { arrived, venue } }: Sight, { message }: Fate, at: number): number => {
  if (venue.frames?.answersLate !== true) return at
  const { connection } = message
  const answers = arrived.filter((one) =>
    one.connection === connection && at <= one.at && one.at <= at + mostAnswerMillis && isAnswer(venue, one.frame)
  )
  const given = all.filter(({ alteration, message: other }) =>
    other.connection === connection && isHarmed({ alteration }) && other.at <= at &&
    at <= other.at + mostLostMillis && isAnswer(venue, other.text)
  ).map((lost) =>
    arrived.find((one) => one.connection === connection && one.at >= lost.message.at + mostLostMillis)?.at ?? Infinity
  )
  return Math.max(at, ...answers.map((one) => one.at), ...given)
}

/** Where a method shows what became of a message; undefined if nothing shows it. */
export const shownAt = (sight: Sight, fate: Fate): Shown | undefined => {
  const { method, simulation: { arrived } } = sight
  const number = method?.numberOf(fate.message)
  if (number === undefined || !isHarmed(fate)) return undefined
  const place = method?.of === "frames" ? placeByFrames(sight, fate, number) : placeByMessages(sight, fate)
  const from = arrived[place]?.at
  if (from === undefined) return undefined
  const { connection } = fate.message
  const isDoubtful = method?.of === "frames" && place > distrustedAt(sight, connection)
  return { connection, place, from, to: latestOf(sight, fate, from), isDoubtful }
}

/**
 * Where a venue, whose numbers are to go on from the highest, goes on from where
 * it was before one that jumped ahead: a book that was made whole between is
 * broken once more.
 */
export const goesOnAt = ({ simulation: { arrived, venue } }: Sight, fate: Fate): number | undefined => {
  const { alteration, arrivals: [own], message: { connection } } = fate
  if (venue.frames?.answersLate !== true || alteration?.kind !== "Corrupt" || own === undefined) return undefined
  let before: number | undefined
  for (const { at, connection: of, frame } of arrived.slice(own + 1)) {
    const number = of === connection ? venue.frames.numberOf(frame, eventsOf(venue, frame)) : undefined
    if (number === undefined) continue
    if (before !== undefined && number === before + 1 && !isAnswer(venue, frame)) return at
    before = number
  }
  return undefined
}
