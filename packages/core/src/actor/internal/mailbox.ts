/**
 * The messages that wait for one actor.
 *
 * @since 0.1.0
 */
import type * as Exit from "effect/Exit"
import type { ActorMessage } from "../ActorMessage.ts"
import type * as Mailboxes from "../Mailbox.ts"
import { Ring } from "./ring.ts"

/**
 * How many messages may wait where nothing is said.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultCapacity = 100

/**
 * How many more urgent messages in a row a message lets pass.
 *
 * @category constants
 * @since 0.1.0
 */
export const patience = 32

/**
 * A message with more to it than itself: somebody waits for its answer, or it has
 * a deadline (`until`, on the monotonic clock; `withinMillis` after it was sent).
 * `isOver` once nobody waits for it any more.
 *
 * @category models
 * @since 0.1.0
 */
export class Envelope<M extends ActorMessage> {
  readonly message: M
  readonly until: number
  readonly withinMillis: number
  readonly settle: ((exit: Exit.Exit<unknown, unknown>) => void) | undefined
  isOver = false

  constructor(message: M, until: number, withinMillis: number, settle: Envelope<M>["settle"]) {
    this.message = message
    this.until = until
    this.withinMillis = withinMillis
    this.settle = settle
  }
}

/**
 * What waits.
 *
 * @category models
 * @since 0.1.0
 */
export type Entry<M extends ActorMessage> = M | Envelope<M>

/**
 * The message of an entry.
 *
 * @category getters
 * @since 0.1.0
 */
export const messageOf = <M extends ActorMessage>(entry: Entry<M>): M =>
  entry instanceof Envelope ? entry.message : entry

/**
 * The rank of each priority, the most urgent first.
 *
 * @category constants
 * @since 0.1.0
 */
export const ranks: Readonly<Record<Mailboxes.Priority, number>> = { high: 0, normal: 1, low: 2 }

const normal = 1

class Lane<M extends ActorMessage> {
  readonly ring = new Ring<Entry<M>>()
  /** How many more urgent ones in a row were preferred to what waits here. */
  passed = 0
}

const isOver = <M extends ActorMessage>(entry: Entry<M>): boolean => entry instanceof Envelope && entry.isOver

/**
 * A queue for each rank.
 *
 * @category models
 * @since 0.1.0
 */
export class Mailbox<M extends ActorMessage> {
  size = 0
  readonly capacity: number
  private readonly lanes = [new Lane<M>(), new Lane<M>(), new Lane<M>()] as const
  // Those in the lanes for which nobody waits any more.
  private over = 0
  // Whether all that waits is of the normal rank.
  private isFlat = true

  constructor(capacity: number) {
    this.capacity = Math.max(1, capacity)
  }

  get isFull(): boolean {
    return this.size >= this.capacity
  }

  put(entry: Entry<M>, rank: number): void {
    if (rank !== normal) this.isFlat = false
    this.laneOf(rank).ring.push(entry)
    this.size++
  }

  /** What is to be handled next. */
  take(): Entry<M> | undefined {
    while (this.size > 0) {
      const entry = this.isFlat ? this.lanes[normal].ring.shift() : this.preferred()
      if (entry === undefined) return undefined
      if (this.counts(entry)) return entry
    }
    return undefined
  }

  /** Makes room for one of this rank. Returns who had to go; nobody if that is the one that comes. */
  displace(rank: number, loser: "oldest" | "newest"): Entry<M> | undefined {
    for (let other = this.lanes.length - 1; other >= rank; other--) {
      if (other === rank && loser === "newest") return undefined
      const { ring } = this.laneOf(other)
      while (ring.size > 0) {
        const entry = loser === "oldest" ? ring.shift() : ring.pop()
        if (entry !== undefined && this.counts(entry)) return entry
      }
    }
    return undefined
  }

  /** Nobody waits for it any more. */
  withdraw(entry: Envelope<M>): void {
    entry.isOver = true
    this.size--
    this.over++
    if (this.over <= 16 || this.over <= this.size) return
    this.over = 0
    for (const { ring } of this.lanes) ring.filter((other) => !isOver(other))
  }

  // Whether somebody waits for what has left its lane.
  private counts(entry: Entry<M>): boolean {
    if (isOver(entry)) {
      this.over--
      return false
    }
    this.size--
    return true
  }

  private preferred(): Entry<M> | undefined {
    const { lanes } = this
    // The least urgent of those that have waited for too long, or the most urgent.
    const patient = lanes.findLastIndex(({ passed, ring }) => ring.size > 0 && passed >= patience)
    const rank = patient < 0 ? lanes.findIndex(({ ring }) => ring.size > 0) : patient
    const chosen = this.laneOf(rank)
    for (const lane of lanes.slice(rank + 1)) if (lane.ring.size > 0) lane.passed++
    chosen.passed = 0
    const entry = chosen.ring.shift()
    this.isFlat = lanes[0].ring.size === 0 && lanes[2].ring.size === 0
    return entry
  }

  private laneOf(rank: number): Lane<M> {
    return this.lanes[rank] ?? this.lanes[normal]
  }
}
