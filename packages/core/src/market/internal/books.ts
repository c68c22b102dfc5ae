/**
 * The order books of one connection: which frame is of which book, whether the
 * frames of the connection follow each other, and what each makes of its books.
 *
 * @since 0.1.0
 */
import type { BookDelta, BookSnapshot } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Venue } from "../../venue/Venue.ts"
import { Book, type BreakCause, type Rules } from "./book.ts"

/**
 * What a frame made of a book: it touched it, or it broke it without touching it.
 * `event` is the frame's own of the book.
 *
 * @category models
 * @since 0.1.0
 */
export interface Change {
  readonly book: Book
  readonly event: BookSnapshot | BookDelta | undefined
  /** The number of the frame, if the venue numbers its frames. */
  readonly number: bigint | undefined
}

/**
 * What the books of a connection need to know.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** How many frames were written that ask for subscriptions or give them up. */
  readonly asked?: (() => number) | undefined
  /** Whether nothing is checked, and every book unverified: a user's wish. */
  readonly isUnchecked?: boolean | undefined
}

// So many numbers are remembered as missing: a peer that skips more in one step has ended what was known.
const mostOpen = 65_536n

const touches = (event: MarketEvent): event is BookSnapshot | BookDelta =>
  event._tag === "BookSnapshot" || event._tag === "BookDelta"

const answers = ({ _tag }: MarketEvent): boolean =>
  _tag === "Subscribed" || _tag === "Unsubscribed" || _tag === "VenueError"

const unchanged: ReadonlyArray<Change> = []

/**
 * The books of one connection. Each epoch has its own.
 *
 * @category models
 * @since 0.1.0
 */
export class Books {
  /** Why the numbers of the frames show nothing, if they do not. */
  distrusted: string | undefined
  private readonly venue: Venue
  private readonly options: Options
  private readonly books = new Map<string, Map<string, Book>>()
  private readonly inOrder: Array<Book> = []
  private readonly depths = new Map<string, number>()
  private last: bigint | undefined
  // The numbers that were passed over and have not come, and the last number of each channel.
  private readonly open = new Set<bigint>()
  private readonly ofChannel = new Map<string, bigint>()
  // How many subscriptions were answered.
  private answers = 0

  constructor(venue: Venue, options: Options = {}) {
    this.venue = venue
    this.options = options
  }

  /** All books, in the order in which they were first seen. */
  get all(): Iterable<Book> {
    return this.inOrder
  }

  /** The book of a channel and product, from its first frame on. */
  get(channel: string, product: string): Book | undefined {
    return this.books.get(channel)?.get(product)
  }

  /** What a frame and the events that it was read to make of the books, in order. */
  frame(frame: Frame, events: ReadonlyArray<MarketEvent>): ReadonlyArray<Change> {
    this.learnDepth(frame)
    if (this.venue.books?.answersLate === true && events.some(answers)) this.answers++
    const number = this.options.isUnchecked === true ? undefined : this.venue.books?.numberOf?.(frame, events)
    const step = number === undefined ? "next" : this.follow(number, frame, events)
    if (step === "seen") return unchanged
    if (step === "next") return this.touched(frame, events, number, unchanged)
    const broken = this.breakAll("sequence", `frame ${number} came where ${(this.before ?? 0n) + 1n} was due`)
    return this.touched(frame, events, number, broken.map((book) => ({ book, event: undefined, number })))
  }

  // What the events of a frame make of their books, given those that the frame has broken.
  private touched(
    frame: Frame,
    events: ReadonlyArray<MarketEvent>,
    number: bigint | undefined,
    broken: ReadonlyArray<Change>
  ): ReadonlyArray<Change> {
    let changes = broken
    for (const event of events) {
      if (!touches(event)) continue
      const book = this.bookOf(frame, events, event)
      const isNew = event._tag === "BookSnapshot" ? book.snapshot(event) : book.delta(event)
      const at = changes.length === 0 ? -1 : changes.findIndex((change) => change.book === book)
      if (!isNew && at === -1) continue
      // A book that the frame itself has broken, and not made whole again, is told as broken.
      if (!book.isWhole && broken.some((change) => change.book === book)) book.standing = this.gapped
      const change = { book, event, number }
      if (at === -1) changes = changes.length === 0 ? [change] : [...changes, change]
      else changes = changes.with(at, change)
    }
    return changes
  }

  /** The connection has ended. What was whole is broken. */
  disconnected(): ReadonlyArray<Change> {
    return this.breakAll("disconnect", "the connection ended").map((book) => ({
      book,
      event: undefined,
      number: undefined
    }))
  }

  // The number before the step that is looked at, and what the step has made of the books that it broke.
  private before: bigint | undefined
  private gapped: Book["standing"] = { _tag: "Syncing", reason: "" }

  private breakAll(cause: BreakCause, reason: string): ReadonlyArray<Book> {
    this.gapped = { _tag: "Gapped", cause, reason }
    return this.inOrder.filter((book) => book.breaks(cause, reason))
  }

  // What a frame's number says of those before it.
  private follow(number: bigint, frame: Frame, events: ReadonlyArray<MarketEvent>): "next" | "seen" | "break" {
    if (this.distrusted !== undefined) return "next"
    const { last } = this
    const channel = this.channelOf(frame, events)
    const lastOfChannel = this.ofChannel.get(channel)
    if (lastOfChannel === undefined || number > lastOfChannel) this.ofChannel.set(channel, number)
    this.before = last
    if (last === undefined || number === last + 1n) {
      this.last = number
      return "next"
    }
    if (number > last) {
      this.last = number
      return this.skip(last, number)
    }
    // One that was missing, and comes late.
    if (this.open.delete(number)) return this.venue.books?.answersLate === true ? "next" : "seen"
    if (this.venue.books?.answersLate === true || (lastOfChannel !== undefined && number <= lastOfChannel)) {
      return "seen"
    }
    this.distrust(`the number ${number} came on two channels`)
    return "next"
  }

  private skip(last: bigint, number: bigint): "next" | "break" {
    const missing = number - last - 1n
    if (missing > mostOpen) {
      this.open.clear()
      return "break"
    }
    for (let one = last + 1n; one < number; one++) this.open.add(one)
    if (this.venue.books?.answersLate !== true) return "break"
    if (this.open.size <= (this.options.asked?.() ?? 0) - this.answers) return "next"
    this.open.clear()
    return "break"
  }

  private distrust(reason: string): void {
    this.distrusted = reason
    for (const book of this.inOrder) book.distrust(reason)
  }

  private channelOf(frame: Frame, events: ReadonlyArray<MarketEvent>): string {
    return this.venue.topicOf?.(frame, events)?.name ?? events[0]?._tag ?? ""
  }

  private learnDepth(frame: Frame): void {
    const subscribed = this.venue.books?.subscribedDepth?.(frame)
    if (subscribed === undefined) return
    this.depths.set(subscribed.product, subscribed.depth)
    for (const book of this.inOrder) if (book.product === subscribed.product) book.depth = subscribed.depth
  }

  private bookOf(frame: Frame, events: ReadonlyArray<MarketEvent>, event: BookSnapshot | BookDelta): Book {
    const topic = this.venue.topicOf?.(frame, events)
    const channel = topic?.name ?? this.venue.channels.book ?? ""
    const product = event.product ?? topic?.product ?? ""
    const known = this.get(channel, product)
    if (known !== undefined) return known
    const book = new Book(channel, product, this.rulesOf(channel))
    book.depth = this.depths.get(product)
    if (this.distrusted !== undefined) book.distrust(this.distrusted)
    const ofChannel = this.books.get(channel)
    if (ofChannel === undefined) this.books.set(channel, new Map([[product, book]]))
    else ofChannel.set(product, book)
    this.inOrder.push(book)
    return book
  }

  private rulesOf(channel: string): Rules {
    const { books, continuity, rest } = this.venue
    const isWhole = books?.isWhole?.(channel) === true
    const checksum = books?.checksum
    const depths = books?.depths
    return {
      continuity: isWhole || this.options.isUnchecked === true ? "none" : continuity,
      unverified: this.options.isUnchecked === true
        ? "checks are turned off"
        : isWhole
        ? "each message is a whole book: nothing shows that one is missing"
        : "the venue gives no way to show that nothing is missing",
      checksumOf: checksum === undefined ? undefined : ({ asks, bids }) => checksum(asks.top(10), bids.top(10)),
      depthOf: depths === undefined ? undefined : (levels) => depths.find((depth) => depth >= levels) ?? levels,
      mayCross: books?.mayCross === true,
      hasOwnSnapshot: rest?.book !== undefined && !isWhole
    }
  }
}
