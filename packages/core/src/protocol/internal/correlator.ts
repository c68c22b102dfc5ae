/**
 * Who waits for which answer on one socket. Subscriptions, heartbeats and
 * requests take their numbers from one sequence and wait in one table, so that
 * an answer is of exactly one of them: that to a heartbeat confirms no
 * subscription. It only says what an id is, or was, for: what becomes of a late
 * answer is the matter of whoever asked (`Requests`, `Subscriptions`).
 *
 * @since 0.1.0
 */

/**
 * What is waited for.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "subscription" | "heartbeat" | "request"

/**
 * What waits for an answer on one socket.
 *
 * @category models
 * @since 0.1.0
 */
export interface Correlator {
  /** The number of the next frame that wants an answer: one that nobody waits for. */
  readonly next: () => number
  /** Takes so many numbers, from `next` on, and returns the first of them. */
  readonly take: (count: number) => number
  /** Waits for the answer with an id. Returns whether nobody else does. */
  readonly wait: (id: string, kind: Kind) => boolean
  /** What the answer with an id is for, also if it was given up, or has come before; `undefined` if nobody asked. */
  readonly kindOf: (id: string) => Kind | undefined
  /** Waits no longer for the answer with an id: it has come, or is given up. */
  readonly release: (id: string) => void
  /** The socket has ended: nothing is waited for. The numbers go on, so that none is ever meant twice. */
  readonly clear: () => void
}

// Of how many it is remembered what they were for.
const mostPast = 1_024

// Most connections wait for nothing: the tables are made when something is waited for.
class CorrelatorImpl implements Correlator {
  private waiting: Map<string, Kind> | undefined
  private past: Map<string, Kind> | undefined
  private number = 1

  // A user's request may have taken it.
  next(): number {
    while (this.waiting?.has(String(this.number)) === true) this.number++
    return this.number
  }

  take(count: number): number {
    const first = this.next()
    this.number += count
    return first
  }

  wait(id: string, kind: Kind): boolean {
    if (this.waiting?.has(id) === true) return false
    this.past?.delete(id)
    this.waiting ??= new Map()
    this.waiting.set(id, kind)
    return true
  }

  kindOf(id: string): Kind | undefined {
    return this.waiting?.get(id) ?? this.past?.get(id)
  }

  release(id: string): void {
    const kind = this.waiting?.get(id)
    if (kind === undefined) return
    this.waiting?.delete(id)
    const past = this.past ??= new Map()
    past.set(id, kind)
    const [oldest] = past.keys()
    if (past.size > mostPast && oldest !== undefined) past.delete(oldest)
  }

  clear(): void {
    this.waiting = undefined
    this.past = undefined
  }
}

/**
 * Makes a correlator with nothing to wait for.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Correlator => new CorrelatorImpl()
