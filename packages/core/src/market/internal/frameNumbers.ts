/**
 * Follows the numbers of the frames of one connection, where a venue gives each
 * of them one, over all channels.
 *
 * @since 0.1.0
 */
import type { MarketEvent } from "../../event/MarketEvent.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Venue } from "../../venue/Venue.ts"
import { NumberRanges } from "./numberRanges.ts"

/**
 * What the number of a frame says: it follows those before, or it says nothing;
 * some are missing before it; it was missing, and comes late; or it has come
 * already.
 *
 * @category models
 * @since 0.1.0
 */
export type Step = "next" | "break" | "late" | "seen"

// A peer that skips more in one step has ended what was known.
const mostMissing = 65_536

// An answer that has not come after so long is lost, or is not waited for any longer.
const mostAnswerMillis = 10_000

const answers = ({ _tag }: MarketEvent): boolean =>
  _tag === "Subscribed" || _tag === "Unsubscribed" || _tag === "VenueError"

/**
 * The numbers of the frames of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export class FrameNumbers {
  /** Why the numbers show nothing, if they do not. */
  unverified: string | undefined
  /** The highest number that has come. */
  get last(): number | undefined {
    return this.ranges.last
  }

  /** The highest number before the frame that was followed last. */
  before: number | undefined
  /** How many frames were found missing by it, if it was a break, and between which two numbers. */
  missing = 0
  from = 0
  to = 0
  private readonly venue: Venue
  private readonly asked: () => number
  private readonly ranges = new NumberRanges()
  private readonly ofChannel = new Map<string, number>()
  // The numbers that may be those of answers which have not come, and how many answers have.
  private readonly awaited = new Set<number>()
  private answered = 0
  // Of the requests that wait for an answer: how many there were with each, and until when it is waited for.
  private readonly requests: Array<{ readonly asked: number; readonly until: number }> = []
  private requested = 0
  private now = 0
  // The number of the frame before, if that came late.
  private lateBefore: number | undefined

  constructor(venue: Venue, asked: () => number = () => 0) {
    this.venue = venue
    this.asked = asked
  }

  /**
   * What a frame says of those before it, by its number and the events that it was read to, if it could be read. `now`
   * is when it came, in milliseconds of the monotonic clock; of one that could not be read, that of the last one before.
   */
  follow(frame: Frame, events: ReadonlyArray<MarketEvent>, now = this.now): Step {
    this.now = now
    const { frames } = this.venue
    const number = this.unverified === undefined ? frames?.numberOf(frame, events) : undefined
    if (number === undefined) return "next"
    this.before = this.ranges.last
    return frames?.answersLate === true ? this.followLate(number, events) : this.followEach(number, frame, events)
  }

  private followEach(number: number, frame: Frame, events: ReadonlyArray<MarketEvent>): Step {
    const channel = events.length === 0 ? undefined : this.channelOf(frame, events)
    const lastOfChannel = channel === undefined ? undefined : this.ofChannel.get(channel)
    if (channel !== undefined && (lastOfChannel === undefined || number > lastOfChannel)) {
      this.ofChannel.set(channel, number)
    }
    const step = this.ranges.add(number)
    if (step === "next") return step
    if (step === "gap") {
      this.missing = this.ranges.missingBefore(number)
      this.from = this.before ?? 0
      this.to = number
      return "break"
    }
    // Of what could not be read the channel is not known. A channel that goes back itself is out of order.
    if (channel === undefined || (lastOfChannel !== undefined && number <= lastOfChannel)) return step
    // One that was missing alone comes late; where others are missing beside it, the channel has numbers of its own.
    if (step === "late" && !this.ranges.isMissing(number - 1) && !this.ranges.isMissing(number + 1)) return step
    this.unverified = step === "seen"
      ? `the number ${number} came on two channels`
      : `the number ${number} came on another channel than ${this.before ?? 0}`
    return "next"
  }

  // The numbers of answers are taken early and come late: so many may be missing as answers are due.
  private followLate(number: number, events: ReadonlyArray<MarketEvent>): Step {
    const last = this.before
    const step = this.ranges.add(number)
    const isAnswer = events.some(answers)
    const isLate = step === "late" || step === "seen"
    const isAwaited = this.awaited.delete(number)
    if (step === "seen" && !isAnswer) return "seen"
    if (isAnswer && !(isLate && number === last)) this.answered++
    if (step === "gap" && last !== undefined) {
      this.missing = this.ranges.missingBefore(number)
      if (this.missing > mostMissing) this.awaited.clear()
      else for (let one = last + 1; one < number; one++) this.awaited.add(one)
    }
    // Data is sent when its number is taken: late, it is out of order, if that was not told.
    const isDisordered = isLate && !isAnswer
    const goesOn = isDisordered && number - 1 === this.lateBefore
    this.lateBefore = isLate ? number : undefined
    if (goesOn) {
      // The peer counts on from where it was: it was the high number that was wrong.
      this.ranges.restart(number)
      this.awaited.clear()
      this.missing = 0
      return "break"
    }
    if (isDisordered && !isAwaited) return "late"
    const isMuch = step === "gap" && this.missing > mostMissing
    if (!isDisordered && !isMuch) this.missing = this.awaited.size
    const due = this.due()
    if (!isDisordered && !isMuch && this.missing <= due) return "next"
    // They may be from long before this frame.
    const isHere = isMuch || isDisordered
    this.from = isHere ? last ?? 0 : Math.min(...this.awaited) - 1
    this.to = isHere ? number : Math.max(...this.awaited) + 1
    if (isDisordered) this.missing = 0
    this.awaited.clear()
    return "break"
  }

  // How many answers are waited for.
  private due(): number {
    const asked = this.asked()
    if (asked > this.requested) this.requests.push({ asked, until: this.now + mostAnswerMillis })
    this.requested = asked
    this.answered = Math.min(this.answered, asked)
    for (let first = this.requests[0]; first !== undefined; first = this.requests[0]) {
      if (first.until > this.now && first.asked > this.answered) break
      this.answered = Math.max(this.answered, first.asked)
      this.requests.shift()
    }
    return asked - this.answered
  }

  private channelOf(frame: Frame, events: ReadonlyArray<MarketEvent>): string {
    return this.venue.topicOf?.(frame, events)?.name ?? events[0]?._tag ?? ""
  }
}
