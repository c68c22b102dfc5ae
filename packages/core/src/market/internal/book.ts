/**
 * One order book, kept from its snapshots and deltas: where it stands, what its
 * levels are, and what each frame that touches it makes of that.
 *
 * @since 0.1.0
 */
import type { BookDelta, BookSnapshot, Level } from "../../event/MarketData.ts"
import * as Continuity from "../../protocol/internal/continuity.ts"
import * as Digits from "../../value/internal/digits.ts"
import type { Timestamp } from "../../value/Timestamp.ts"
import type { OrderMessage, OrderSnapshot } from "../../venue/Orders.ts"
import { Levels } from "./levels.ts"
import { priceKey } from "./priceKey.ts"
import { RestingOrders } from "./restingOrders.ts"
import { SnapshotBuffer } from "./snapshotBuffer.ts"
import { uncross } from "./uncross.ts"

/**
 * Why a book is broken.
 *
 * @category models
 * @since 0.1.0
 */
export type BreakCause = "sequence" | "checksum" | "crossed" | "disconnect"

/**
 * Where a book stands, with the words for what has brought it there.
 *
 * @category models
 * @since 0.1.0
 */
export type Standing =
  | { readonly _tag: "Syncing"; readonly reason: string }
  | { readonly _tag: "Live" }
  | { readonly _tag: "Unverified"; readonly reason: string }
  | { readonly _tag: "Gapped"; readonly cause: BreakCause; readonly reason: string }

/**
 * The numbers of what touched a book, and the venue's time of it, if it has them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Numbers {
  readonly sequence?: string | undefined
  readonly timestamp?: Timestamp | undefined
  readonly checksum?: string | undefined
}

// Those of an event, whose levels are not kept for them.
class NumbersOf implements Numbers {
  readonly sequence: string | undefined
  readonly timestamp: Timestamp | undefined
  readonly checksum: string | undefined

  constructor(event: BookSnapshot | Delta) {
    this.sequence = event.sequence
    this.timestamp = event.timestamp
    this.checksum = event._tag === "OrderMessage" ? undefined : event.checksum
  }
}

/**
 * What of a book is looked at: how many levels of each side, and whether as they
 * were sent where they may cross.
 *
 * @category models
 * @since 0.1.0
 */
export interface View {
  readonly depth: number
  readonly isRaw?: boolean | undefined
}

const live: Standing = { _tag: "Live" }

/**
 * How one book is kept.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rules {
  /** What shows that nothing is missing. */
  readonly continuity: Continuity.Continuity
  /** Why nothing shows it, if nothing does. */
  readonly unverified: string
  /** The checksum of the top levels, in the text in which the peer sends it. */
  readonly checksumOf?: ((levels: Levels) => string) | undefined
  /** How deep a snapshot of so many levels is kept, if the peer sends nothing for what leaves it. */
  readonly depthOf?: ((levels: number) => number) | undefined
  /** Whether nothing is checked, as a user has asked. */
  readonly isUnchecked: boolean
  /** Whether each snapshot has a number of the book's own. */
  readonly isNumbered: boolean
  /** Whether the best bid of a book that is well may be above its best ask. */
  readonly mayCross: boolean
  /** Whether the snapshot comes from elsewhere, and deltas before it are kept for it. */
  readonly hasRestSnapshot: boolean
  /** Whether what comes are single orders, and not levels. */
  readonly isOfOrders: boolean
}

/**
 * What changes a book: levels, or a single order.
 *
 * @category models
 * @since 0.1.0
 */
export type Delta = BookDelta | OrderMessage

/**
 * What a book begins with: all its levels, or all its orders.
 *
 * @category models
 * @since 0.1.0
 */
export type Snapshot = BookSnapshot | OrderSnapshot

// Of how many deltas before the snapshot it is remembered what they changed: half a minute of the quickest venue.
const mostBuffered = 4_096
// The orders of a book make more messages, and their snapshot is longer.
const mostBufferedOrders = 32_768

// After so many deltas without a crossing the next one is a break again.
const uncrossedDeltas = 100

const alone: Pick<BookDelta, "firstSequence" | "previousSequence"> = {}

// The numbers that a delta has besides its own.
const rangeOf = (event: Delta): Pick<BookDelta, "firstSequence" | "previousSequence"> =>
  event._tag === "OrderMessage" ? alone : event

/**
 * One book.
 *
 * @category models
 * @since 0.1.0
 */
export class Book {
  readonly channel: string
  readonly product: string
  readonly levels = new Levels()
  standing: Standing = { _tag: "Syncing", reason: "no snapshot yet" }
  // How deep it is kept, if the peer has said that; else it is guessed from each snapshot.
  private acknowledged: number | undefined
  private guessed: number | undefined
  // How deep it was before the peer came to send it to another depth, until the snapshot of that is there.
  private before: number | undefined
  /** The numbers of what touched it last. */
  last: Numbers | undefined
  private readonly rules: Rules
  // When each level was set, by the number of the frame that did, where its sides may cross.
  private readonly setBy:
    | { readonly bids: Map<string, Digits.Integer>; readonly asks: Map<string, Digits.Integer> }
    | undefined
  // The number of the last change, and whether a delta was applied since the snapshot.
  private at: Digits.Integer | undefined
  private isFirst = true
  private readonly buffer: SnapshotBuffer<Delta>
  // Its orders, if these are what comes.
  private readonly orders: RestingOrders | undefined
  // How many more deltas must leave it uncrossed before a crossing is a break again; none if it has not crossed.
  private probation = 0
  // Why something is not checked any more, and whether that is because it crosses.
  private unverifiedReason: string | undefined
  private isTakenToCross = false
  // How many more deltas may leave it crossed, as it was when continuous trading began.
  private settling = 0
  /** The peer's word for how it trades, while that is not continuously: until then its sides may cross. */
  tradingStatus: string | undefined

  constructor(channel: string, product: string, rules: Rules) {
    this.channel = channel
    this.product = product
    this.rules = rules
    this.orders = rules.isOfOrders ? new RestingOrders() : undefined
    this.buffer = new SnapshotBuffer(rules.isOfOrders ? mostBufferedOrders : mostBuffered)
    if (rules.mayCross) this.setBy = { bids: new Map(), asks: new Map() }
  }

  /** The best so many levels of each side, without what crosses where they may, if they are not asked for as sent. */
  top({ depth, isRaw }: View): { readonly bids: ReadonlyArray<Level>; readonly asks: ReadonlyArray<Level> } {
    const { levels: { asks, bids }, setBy } = this
    return setBy === undefined || isRaw === true
      ? { bids: bids.top(depth), asks: asks.top(depth) }
      : uncross(bids, asks, (side, [price]) => setBy[side].get(priceKey(price)) ?? 0, depth)
  }

  /** How deep it is kept, if that is known. */
  get depth(): number | undefined {
    return this.acknowledged ?? this.guessed
  }

  /** Whether it has levels, and all of them down to a depth. */
  isWholeTo(depth: number): boolean {
    return this.isWhole && depth <= (this.before ?? this.acknowledged ?? Infinity)
  }

  /**
   * The peer says that it sends so many levels of each side, and nothing for those that leave them; or, without a depth,
   * that it has ended that.
   */
  cutTo(depth: number | undefined): void {
    if (depth === undefined || (this.acknowledged ?? depth) < depth) this.before ??= this.depth
    this.acknowledged = depth
    this.cut()
  }

  /** The peer says how it trades, or nothing if continuously. Returns whether that has changed. */
  trades(status: string | undefined): boolean {
    if (status === this.tradingStatus) return false
    this.tradingStatus = status
    // The peer's word and the changes that uncross it come one after the other.
    this.settling = status === undefined && this.levels.isCrossed() ? uncrossedDeltas : 0
    if (status === undefined) return true
    this.probation = 0
    // It had reason to cross before that was said.
    if (this.isTakenToCross) this.unverifiedReason = undefined
    this.isTakenToCross = false
    if (this.isWhole) this.stand()
    return true
  }

  /** Whether something shows that it cannot be what it is taken for. */
  get isMarkedUnverified(): boolean {
    return this.unverifiedReason !== undefined
  }

  /** Whether it has levels: what was proven, or what was sent where nothing can be. */
  get isWhole(): boolean {
    return this.standing._tag === "Live" || this.standing._tag === "Unverified"
  }

  /** Whether changes wait for a snapshot that is to be asked for. */
  get needsSnapshot(): boolean {
    return this.rules.hasRestSnapshot && !this.isWhole && !this.buffer.isEmpty
  }

  /** Why its snapshot is not to be had. */
  snapshotFailed(reason: string): void {
    if (!this.isWhole) this.standing = { _tag: "Syncing", reason }
  }

  /** A break that was found elsewhere: a book that was whole is none any more. Returns whether it was. */
  breaks(cause: BreakCause, reason: string): boolean {
    const wasWhole = this.isWhole
    this.reset()
    // Another connection is another chance.
    if (cause === "disconnect") this.probation = 0
    if (cause === "disconnect") this.unverifiedReason = undefined
    if (cause === "disconnect") this.tradingStatus = undefined
    this.standing = wasWhole ? { _tag: "Gapped", cause, reason } : { _tag: "Syncing", reason }
    return wasWhole
  }

  /** What should show that nothing is missing does not hold: from now on it is unverified. */
  markUnverified(reason: string): void {
    this.unverifiedReason = reason
    if (this.standing._tag === "Live") this.standing = { _tag: "Unverified", reason }
  }

  /** A snapshot from the stream. Returns whether there is something to say of it. */
  snapshot(event: BookSnapshot): boolean {
    // One that the book has counts as older, if the peer numbers them for each book.
    const number = this.rules.isNumbered ? Digits.toInteger(event.sequence) : undefined
    if (this.isWhole && number !== undefined && this.at !== undefined && number <= this.at) return false
    this.touch(event)
    if (this.rules.hasRestSnapshot) return this.wait()
    this.begin(event)
    if (this.hasWrongChecksum(event)) {
      this.break("checksum", `the snapshot's checksum is ${this.checksum()}, and not ${event.checksum ?? ""}`)
      return true
    }
    this.stand()
    return true
  }

  /** A delta. Returns whether there is something to say of it: what is older than the book is passed over. */
  delta(event: Delta): boolean {
    if (!this.isWhole) {
      this.touch(event)
      if (this.rules.hasRestSnapshot) this.buffer.keep(event)
      return this.wait()
    }
    const number = Digits.toInteger(event.sequence)
    if (this.rules.continuity === "delta") {
      const step = this.step(event, number)
      if (step === "older") return false
      if (step !== "applies") {
        this.touch(event)
        this.break("sequence", `${this.textOf(event)} does not follow ${this.at ?? "nothing"}`)
        if (this.rules.hasRestSnapshot) this.buffer.keep(event)
        return true
      }
    }
    this.touch(event)
    if (!this.apply(event, number)) {
      this.break("sequence", `${this.textOf(event)} is of an order that does not rest in it`)
      this.buffer.keep(event)
      return true
    }
    if (this.hasWrongChecksum(event)) {
      this.break("checksum", `the checksum is ${this.checksum()}, and not ${this.last?.checksum ?? ""}`)
      return true
    }
    this.stand()
    return true
  }

  /**
   * The snapshot that comes from elsewhere. Deltas that were kept and are newer are
   * applied to it. Returns whether they follow: if not, it is too old, and another
   * one is needed.
   */
  applyRestSnapshot(event: Snapshot): boolean {
    if (this.isWhole) return true
    if (!this.begin(event)) return false
    const buffered = this.buffer.behind(
      event,
      (delta) => this.step(delta, Digits.toInteger(delta.sequence)) === "applies"
    )
    if (buffered === undefined) {
      this.levels.clear()
      this.at = undefined
      return false
    }
    this.buffer.clear()
    for (const delta of buffered) {
      const number = Digits.toInteger(delta.sequence)
      const step = this.step(delta, number)
      if (step === "older") continue
      if (step !== "applies" || !this.apply(delta, number)) {
        this.reset()
        return false
      }
    }
    this.stand()
    this.endFrame()
    return this.isWhole
  }

  private touch(event: BookSnapshot | Delta): void {
    this.last = new NumbersOf(event)
  }

  private step(event: Delta, number: Digits.Integer | undefined): Continuity.DeltaStep {
    if (number === undefined) return "break"
    const { firstSequence, previousSequence } = rangeOf(event)
    const step = Continuity.delta(
      this.at,
      {
        sequence: number,
        firstSequence: Digits.toInteger(firstSequence),
        previousSequence: Digits.toInteger(previousSequence)
      },
      this.isFirst
    )
    return step === "break" && this.rules.isUnchecked ? "applies" : step
  }

  // Returns whether it can be a snapshot of its orders.
  private begin(event: Snapshot): boolean {
    this.levels.clear()
    this.setBy?.bids.clear()
    this.setBy?.asks.clear()
    const all = event._tag === "OrderSnapshot" ? this.orders?.begin(event.orders) : event
    if (all === undefined) return false
    this.set(all, event.sequence)
    this.at = Digits.toInteger(event.sequence)
    this.isFirst = true
    this.guessed = this.rules.depthOf?.(Math.max(all.bids.length, all.asks.length))
    this.before = undefined
    this.cut()
    return true
  }

  // Returns whether it can be a change of its orders.
  private apply(event: Delta, number: Digits.Integer | undefined): boolean {
    const changed = event._tag === "OrderMessage" ? this.orders?.apply(event.change) : event
    if (changed === undefined) return this.rules.isUnchecked
    this.set(changed, event.sequence)
    this.at = number ?? this.at
    this.isFirst = false
    this.cut()
    return true
  }

  private set({ asks, bids }: Pick<BookDelta, "asks" | "bids">, sequence: string | undefined): void {
    this.levels.apply(bids, asks)
    if (this.setBy === undefined) return
    const number = Digits.toInteger(sequence) ?? 0
    for (const [side, changed] of [[this.setBy.bids, bids], [this.setBy.asks, asks]] as const) {
      for (const [price, size] of changed) {
        if (size.value === 0n) side.delete(priceKey(price))
        else side.set(priceKey(price), number)
      }
    }
  }

  private cut(): void {
    if (this.depth !== undefined) this.levels.truncate(this.depth)
  }

  private wait(): boolean {
    if (this.standing._tag === "Gapped") this.standing = { _tag: "Syncing", reason: this.standing.reason }
    return true
  }

  private checksum(): string {
    return this.rules.checksumOf?.(this.levels) ?? ""
  }

  private hasWrongChecksum(event: BookSnapshot | Delta): boolean {
    const { continuity, isUnchecked } = this.rules
    const checksum = event._tag === "OrderMessage" ? undefined : event.checksum
    return continuity === "state" && !isUnchecked && checksum !== undefined && this.checksum() !== checksum
  }

  /**
   * A frame is over: what it made of the book stands, if its sides do not cross.
   * Those that cross once more right after a resynchronisation are taken to be what
   * the peer has.
   */
  endFrame(): void {
    if (!this.isWhole) return
    if (this.isWronglyCrossed()) {
      if (this.probation === 0) {
        this.probation = uncrossedDeltas
        this.break("crossed", "the best bid is above the best ask")
        return
      }
      this.unverifiedReason = "the best bid is above the best ask, after a resynchronisation as before"
      this.isTakenToCross = true
    }
    if (this.probation > 0 && !this.isFirst) this.probation--
    this.stand()
  }

  private isWronglyCrossed(): boolean {
    const { isUnchecked, mayCross } = this.rules
    if (mayCross || isUnchecked || this.unverifiedReason !== undefined || this.tradingStatus !== undefined) return false
    const isCrossed = this.levels.isCrossed()
    if (this.settling === 0) return isCrossed
    this.settling = isCrossed ? this.settling - 1 : 0
    return false
  }

  private stand(): void {
    const { continuity, isUnchecked, unverified } = this.rules
    const reason = this.unverifiedReason ?? (continuity === "none" || isUnchecked ? unverified : undefined)
    if (this.standing._tag === "Unverified" && this.standing.reason === reason) return
    this.standing = reason === undefined ? live : { _tag: "Unverified", reason }
  }

  private break(cause: BreakCause, reason: string): void {
    this.reset()
    this.standing = { _tag: "Gapped", cause, reason }
  }

  private reset(): void {
    this.levels.clear()
    this.orders?.clear()
    this.at = undefined
    this.isFirst = true
    this.buffer.clear()
  }

  private textOf(event: Delta): string {
    const { sequence } = event
    const { firstSequence, previousSequence } = rangeOf(event)
    if (previousSequence !== undefined) return `${sequence ?? "a change"} after ${previousSequence}`
    return firstSequence === undefined ? `${sequence ?? "a change"}` : `${firstSequence} to ${sequence ?? ""}`
  }
}
