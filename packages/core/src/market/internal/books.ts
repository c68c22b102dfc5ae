/**
 * The order books of one connection: which frame is of which book, whether the
 * frames of the connection follow each other, and what each makes of its books.
 *
 * @since 0.1.0
 */
import * as Rejection from "../../codec/Rejection.ts"
import type { BookDelta, BookSnapshot } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import type { Frame } from "../../transport/Frame.ts"
import { youngArray } from "../../value/internal/youngArray.ts"
import type { OrderChannel, Venue } from "../../venue/Venue.ts"
import { Book, type BreakCause, type Numbers, type Rules } from "./book.ts"
import { FrameNumbers, type Step } from "./frameNumbers.ts"
import { TradingStatuses } from "./tradingStatuses.ts"
import { topicOfUnread } from "./unreadFrames.ts"

/**
 * What a frame made of a book: it touched it, or it broke it without touching it.
 * `event` has the numbers of the frame.
 *
 * @category models
 * @since 0.1.0
 */
export class Change {
  readonly book: Book
  readonly event: Numbers | undefined

  constructor(book: Book, event: Numbers | undefined) {
    this.book = book
    this.event = event
  }
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
  /** Whether somebody asks for the book of a channel and product. Default: all are kept. */
  readonly keeps?: ((channel: string, product: string) => boolean) | undefined
  /** The only product whose book is kept of a channel, if there is one: what names none is of it. */
  readonly onlyOf?: ((channel: string) => string | undefined) | undefined
  /** Whether nothing is checked, as a user has asked. Default: false. */
  readonly isUnchecked?: boolean | undefined
}

const touches = (event: MarketEvent): event is BookSnapshot | BookDelta =>
  event._tag === "BookSnapshot" || event._tag === "BookDelta"

// Gives the event to its book. Returns whether there is something to say of it.
const changesBook = (book: Book, event: BookSnapshot | BookDelta): boolean =>
  event._tag === "BookSnapshot" ? book.snapshot(event) : book.delta(event)

const unchanged: ReadonlyArray<Change> = []

// The number and time of a frame, by the first of its events that has one.
const eventOf = (events: ReadonlyArray<MarketEvent>): Change["event"] => {
  for (const event of events) {
    if (!("sequence" in event) && !("timestamp" in event)) continue
    const { sequence, timestamp } = event as Pick<BookSnapshot, "sequence" | "timestamp">
    return { ...(sequence === undefined ? {} : { sequence }), ...(timestamp === undefined ? {} : { timestamp }) }
  }
  return undefined
}

/**
 * The books of one connection. Each epoch has its own.
 *
 * @category models
 * @since 0.1.0
 */
export class Books {
  /** Whether the connection has ended. */
  isOver = false
  private readonly venue: Venue
  private readonly options: Options
  private readonly books = new Map<string, Map<string, Book>>()
  private readonly inOrder: Array<Book> = []
  // The one that was touched last.
  private latest: Book | undefined
  private readonly depths = new Map<string, number>()
  private readonly numbers: FrameNumbers
  private readonly trading: TradingStatuses | undefined
  // The channel of single orders, if there is one and somebody says which books are kept.
  private readonly orders: OrderChannel | undefined

  constructor(venue: Venue, options: Options = {}) {
    this.venue = venue
    this.options = options
    this.numbers = new FrameNumbers(venue, options.asked)
    if (venue.trading !== undefined) this.trading = new TradingStatuses(venue.trading)
    this.orders = options.keeps === undefined ? undefined : venue.books?.orders
  }

  /** Why the numbers of the frames show nothing, if they do not. */
  get unverified(): string | undefined {
    return this.numbers.unverified
  }

  /** All books, in the order in which they were first seen. */
  get all(): Iterable<Book> {
    return this.inOrder
  }

  /** The book of a channel and product, from its first frame on. */
  get(channel: string, product: string): Book | undefined {
    return this.books.get(channel)?.get(product)
  }

  /** What a frame that came `now`, and the events that it was read to, make of the books, in order. */
  frame(frame: Frame, events: ReadonlyArray<MarketEvent>, now?: number): ReadonlyArray<Change> {
    this.learnDepth(frame)
    const step = this.follow(frame, events, now)
    if (step === "seen" || step === "late") return unchanged
    const restated = this.hear(frame, events, now)
    const changes = this.changes(frame, events, step)
    return restated.length === 0
      ? changes
      : [...restated.filter(({ book }) => !changes.some((change) => change.book === book)), ...changes]
  }

  /**
   * What a frame says of how products trade, and what has been said for long enough: books of which that has changed.
   * Nothing else is read of the frame.
   */
  hear(frame: Frame, events: ReadonlyArray<MarketEvent>, now = 0): ReadonlyArray<Change> {
    const { trading } = this
    if (trading === undefined) return unchanged
    const isSaid = events[0]?._tag === "Other" && trading.read(frame, now)
    if (now >= trading.lapsesAt) trading.lapse(now)
    else if (!isSaid) return unchanged
    return this.inOrder
      .filter((book) => book.trades(trading.of(book.product)) && book.isWhole)
      .map((book) => new Change(book, undefined))
  }

  private changes(frame: Frame, events: ReadonlyArray<MarketEvent>, step: Step): ReadonlyArray<Change> {
    const { orders } = this
    const ofOrders = orders && this.ordersOf(orders, frame, events)
    if (orders !== undefined && ofOrders !== undefined) return this.ordered(orders, ofOrders, frame)
    const event = events[0]
    // What comes most often: one event, of one book.
    if (events.length === 1 && event !== undefined && step !== "break") return this.touchedBy(frame, events, event)
    return this.touched(frame, events, step === "break" ? this.breakAll("sequence", this.missing()) : [])
  }

  /**
   * What a frame that could not be read makes of the books. One that says it is of something else is none of theirs; what
   * it was of one of them is lost.
   */
  rejected(frame: Frame): ReadonlyArray<Change> {
    const topic = topicOfUnread(this.venue, frame)
    if (topic === undefined) return unchanged
    const broken = this.follow(frame, []) === "break" ? this.breakAll("sequence", this.missing()) : []
    const lost = this.inOrder.filter(({ channel, product }) =>
      channel === topic.name && (topic.product === undefined || topic.product === product)
    )
    const others = lost.filter((book) => book.breaks("sequence", "a frame of it could not be read"))
    return [...broken, ...others].map((book) => new Change(book, undefined))
  }

  // The book that is kept of single orders of the frame's product, if the frame may be of one.
  private ordersOf(
    { channel }: OrderChannel,
    frame: Frame,
    events: ReadonlyArray<MarketEvent>
  ): Book | undefined {
    const event = events[0]
    if (event?._tag !== "Trade" && event?._tag !== "Other") return undefined
    const product = event._tag === "Trade" ? event.product : this.venue.topicOf?.(frame, events)?.product
    return product === undefined ? undefined : this.find(channel, product)
  }

  // What a message about an order makes of its book.
  private ordered({ decode }: OrderChannel, book: Book, frame: Frame): ReadonlyArray<Change> {
    const messages = decode(frame)
    if (Rejection.isFrameRejected(messages)) {
      return book.breaks("sequence", `a frame of it could not be read: ${messages.message}`)
        ? youngArray(new Change(book, undefined))
        : unchanged
    }
    const [message] = messages
    if (message === undefined || !book.delta(message)) return unchanged
    book.endFrame()
    return youngArray(new Change(book, book.last))
  }

  // What the only event of a frame makes of its book.
  private touchedBy(frame: Frame, events: ReadonlyArray<MarketEvent>, event: MarketEvent): ReadonlyArray<Change> {
    if (!touches(event)) return unchanged
    const book = this.bookOf(frame, events, event)
    if (book === undefined) return unchanged
    if (!changesBook(book, event)) return unchanged
    book.endFrame()
    return youngArray(new Change(book, event))
  }

  // What the events of a frame make of their books, given those that the frame has broken: one change of each.
  private touched(
    frame: Frame,
    events: ReadonlyArray<MarketEvent>,
    broken: ReadonlyArray<Book>
  ): ReadonlyArray<Change> {
    let changes: ReadonlyArray<Change> = broken.length === 0
      ? unchanged
      : broken.map((book) => new Change(book, eventOf(events)))
    for (const event of events) {
      if (!touches(event)) continue
      const book = this.bookOf(frame, events, event)
      if (book === undefined) continue
      const before = book.standing
      const isNew = changesBook(book, event)
      // What an event of the frame has broken another one of it does not make a book without levels again.
      if (before._tag === "Gapped" && !book.isWhole && changes.some((change) => change.book === book)) {
        book.standing = before
      }
      const at = changes.length === 0 ? -1 : changes.findIndex((change) => change.book === book)
      if (!isNew && at === -1) continue
      const change = new Change(book, event)
      if (at === -1) changes = changes.length === 0 ? [change] : [...changes, change]
      else changes = changes.with(at, change)
    }
    for (const { book } of changes) book.endFrame()
    return changes
  }

  /** The connection has ended. What was whole is broken. */
  disconnected(): ReadonlyArray<Change> {
    this.isOver = true
    return this.breakAll("disconnect", "the connection ended").map((book) => new Change(book, undefined))
  }

  /** Nobody asks for the book any more. */
  forget(channel: string, product: string): void {
    const book = this.get(channel, product)
    if (book === undefined) return
    this.books.get(channel)?.delete(product)
    this.latest = undefined
    this.inOrder.splice(this.inOrder.indexOf(book), 1)
  }

  private breakAll(cause: BreakCause, reason: string): ReadonlyArray<Book> {
    return this.inOrder.filter((book) => book.breaks(cause, reason))
  }

  // What a frame's number says of those before it.
  private follow(frame: Frame, events: ReadonlyArray<MarketEvent>, now?: number): Step {
    if (this.options.isUnchecked === true) return "next"
    const wasVerified = this.unverified === undefined
    const step = this.numbers.follow(frame, events, now)
    const { unverified } = this
    if (wasVerified && unverified !== undefined) { for (const book of this.inOrder) book.markUnverified(unverified) }
    return step
  }

  private missing(): string {
    return `${this.numbers.missing} frames are missing after ${this.numbers.from}`
  }

  private learnDepth(frame: Frame): void {
    const subscribed = this.venue.books?.subscribedDepth?.(frame)
    if (subscribed === undefined) return
    if (subscribed.depth === undefined) this.depths.delete(subscribed.product)
    else this.depths.set(subscribed.product, subscribed.depth)
    for (const book of this.inOrder) if (book.product === subscribed.product) book.cutTo(subscribed.depth)
  }

  private bookOf(frame: Frame, events: ReadonlyArray<MarketEvent>, event: BookSnapshot | BookDelta): Book | undefined {
    const topic = this.venue.topicOf?.(frame, events)
    const channel = topic?.name ?? this.venue.channels.book ?? ""
    const product = event.product ?? topic?.product ?? this.options.onlyOf?.(channel) ?? ""
    const { latest } = this
    // Two texts are compared sooner than one is looked up.
    if (latest?.channel === channel && latest.product === product) return latest
    return this.latest = this.find(channel, product)
  }

  // The book of a channel and product, made with its first frame, if it is kept.
  private find(channel: string, product: string): Book | undefined {
    const known = this.get(channel, product)
    if (known !== undefined) return known
    if (this.options.keeps?.(channel, product) === false) return undefined
    const book = new Book(channel, product, this.rulesOf(channel))
    const depth = this.depths.get(product)
    if (depth !== undefined) book.cutTo(depth)
    if (this.unverified !== undefined) book.markUnverified(this.unverified)
    book.trades(this.trading?.of(product))
    const ofChannel = this.books.get(channel)
    if (ofChannel === undefined) this.books.set(channel, new Map([[product, book]]))
    else ofChannel.set(product, book)
    this.inOrder.push(book)
    return book
  }

  private rulesOf(channel: string): Rules {
    const { isUnchecked = false } = this.options
    const { books, rest } = this.venue
    const isOfOrders = books?.orders?.channel === channel
    const continuity = isOfOrders ? "delta" : this.venue.continuity
    const isWhole = books?.isWhole?.(channel) === true
    const checksum = books?.checksum
    const depths = books?.depths
    return {
      continuity: isWhole ? "none" : continuity,
      isUnchecked,
      unverified: isUnchecked
        ? "checks are turned off"
        : isWhole
        ? "each message is a whole book: nothing shows that one is missing"
        : "the venue gives no way to show that nothing is missing",
      checksumOf: checksum === undefined ? undefined : ({ asks, bids }) => checksum(asks.top(10), bids.top(10)),
      depthOf: depths === undefined ? undefined : (levels) => depths.find((depth) => depth >= levels) ?? levels,
      isNumbered: continuity === "delta",
      mayCross: books?.mayCross === true,
      hasRestSnapshot: isOfOrders || (rest?.book !== undefined && !isWhole),
      isOfOrders
    }
  }
}
