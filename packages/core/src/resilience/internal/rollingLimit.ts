/**
 * The logs behind `RollingLimit`: of one owner, shared by several, and combined.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Monotonic from "../../value/Monotonic.ts"
import { InvalidLimit, type Reservation, type RollingLimit, type Window } from "../RollingLimit.ts"

/**
 * Whether a number can be a cost: finite, and 0 or more.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isCost = (cost: number): boolean => Number.isFinite(cost) && cost >= 0

/**
 * The first of the windows that nothing could keep, as the error that says so.
 *
 * @category getters
 * @since 0.1.0
 */
export const fault = (windows: ReadonlyArray<Window>): InvalidLimit | undefined => {
  for (const { limit, windowMillis } of windows) {
    const isKept = Number.isFinite(limit) && limit >= 1 && Number.isFinite(windowMillis) && windowMillis > 0
    if (!isKept) return new InvalidLimit({ limit, windowMillis })
  }
  return undefined
}

// A window as a ledger keeps it: what of its costs is in it, and how many declared it.
interface Kept extends Window {
  begin: number
  sum: number
  holders: number
}

/**
 * A log that several share: each declares its windows, by which all are judged
 * until it withdraws them. What was taken goes on to count.
 *
 * @category models
 * @since 0.1.0
 */
export interface SharedLimit extends RollingLimit {
  /** Keeps these windows too, what was taken before included, until each is withdrawn. */
  readonly declare: (windows: ReadonlyArray<Window>) => void
  readonly withdraw: (windows: ReadonlyArray<Window>) => void
  /** Whether nobody holds it and nothing of it counts any more. */
  readonly isForgotten: (at: number) => boolean
}

class RollingLimitImpl implements SharedLimit {
  private windows: ReadonlyArray<Kept> = []
  // Costs in the order of time, one entry a millisecond, as far back as the longest window reaches.
  private readonly times: Array<number> = []
  private readonly costs: Array<number> = []
  private longest = 0
  private reserved = 0

  declare(windows: ReadonlyArray<Window>): void {
    for (const { limit, windowMillis } of windows) {
      const known = this.windows.find((kept) => kept.limit === limit && kept.windowMillis === windowMillis)
      if (known !== undefined) {
        known.holders++
        continue
      }
      const sum = this.costs.reduce((sum, cost) => sum + cost, 0)
      this.windows = [...this.windows, { limit, windowMillis, begin: 0, sum, holders: 1 }]
      this.longest = Math.max(this.longest, windowMillis)
    }
  }

  withdraw(windows: ReadonlyArray<Window>): void {
    for (const { limit, windowMillis } of windows) {
      const known = this.windows.find((kept) => kept.limit === limit && kept.windowMillis === windowMillis)
      if (known !== undefined) known.holders--
    }
    // What was taken goes on to count for the longest of them all the same: its windows may be declared again.
    this.windows = this.windows.filter(({ holders }) => holders > 0)
  }

  isForgotten(at: number): boolean {
    if (this.windows.length > 0) return false
    this.expire(at)
    return this.times.length === 0
  }

  waitFor(at: number, cost = 1, spares = false): number {
    if (!isCost(cost)) return Infinity
    this.expire(at)
    let wait = 0
    for (const window of this.windows) {
      const { windowMillis } = window
      const limit = spares ? Math.max(1, window.limit - Math.ceil(window.limit / 10)) : window.limit
      if (cost > limit) return Infinity
      let sum = window.sum + this.reserved
      for (let i = window.begin; sum + cost > limit && i < this.times.length; i++) {
        sum -= this.costs[i] ?? 0
        wait = Math.max(wait, Math.ceil((this.times[i] ?? 0) + windowMillis + 1 - at))
      }
      if (this.reserved > 0 && sum + cost > limit) wait = Math.max(wait, Math.ceil(windowMillis + 1))
    }
    return wait
  }

  take(at: number, cost = 1, spares = false): number {
    const wait = this.waitFor(at, cost, spares)
    if (wait === 0) this.charge(at, cost)
    return wait
  }

  reserve(at: number, cost = 1, spares = false): Reservation | number {
    const wait = this.waitFor(at, cost, spares)
    if (wait > 0) return wait
    this.reserved += cost
    let isOpen = true
    const end = (): boolean => {
      const was = isOpen
      if (was) this.reserved -= cost
      isOpen = false
      return was
    }
    return {
      due: Effect.void,
      use: (usedAt) => {
        if (end()) this.charge(usedAt, cost)
      },
      release: () => void end()
    }
  }

  wait(waitMillis: number): Effect.Effect<void> {
    return Effect.sleep(waitMillis)
  }

  left(at: number): ReadonlyArray<number> {
    this.expire(at)
    return this.windows.map(({ limit, sum }) => limit - sum - this.reserved)
  }

  private charge(at: number, cost: number): void {
    if (cost === 0) return
    const last = this.times.at(-1)
    const isSameMillisecond = last !== undefined && Math.floor(at) === Math.floor(last)
    const slot = isSameMillisecond ? this.times.length - 1 : this.times.length
    // What is within one millisecond counts until the last of it has left.
    this.times[slot] = at
    this.costs[slot] = (this.costs[slot] ?? 0) + cost
    for (const window of this.windows) window.sum += cost
  }

  private expire(at: number): void {
    const { costs, times } = this
    for (const window of this.windows) {
      while (window.begin < times.length && at - (times[window.begin] ?? 0) > window.windowMillis) {
        window.sum -= costs[window.begin] ?? 0
        window.begin++
      }
      // Sums of fractions drift.
      if (window.begin === times.length) window.sum = 0
    }
    const kept = times.findIndex((then) => at - then <= this.longest)
    const gone = kept < 0 ? times.length : kept
    times.splice(0, gone)
    costs.splice(0, gone)
    for (const window of this.windows) window.begin -= gone
  }
}

/**
 * Makes an empty log. Windows that nothing could keep are a defect, the
 * `InvalidLimit` that a connection fails with.
 *
 * A cost counts for its window's whole length and the millisecond after: to a
 * peer that counts in whole milliseconds two that are the length apart are
 * within one window.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (windows: ReadonlyArray<Window>): RollingLimit => {
  const error = fault(windows)
  if (error !== undefined) throw error
  const ledger = new RollingLimitImpl()
  ledger.declare(windows)
  return ledger
}

/**
 * Makes an empty log without windows, for several to declare theirs.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeShared = (): SharedLimit => new RollingLimitImpl()

/**
 * A log that admits what all of several admit: such as a connection's own and
 * that of its address.
 *
 * @category combinators
 * @since 0.1.0
 */
export const combine = (logs: ReadonlyArray<RollingLimit>): RollingLimit => logs.length === 0 ? unlimited : all(logs)

const all = (logs: ReadonlyArray<RollingLimit>): RollingLimit => {
  const waitFor = (at: number, cost = 1, spares = false): number =>
    isCost(cost) ? Math.max(0, ...logs.map((log) => log.waitFor(at, cost, spares))) : Infinity
  return {
    waitFor,
    take: (at, cost = 1, spares = false) => {
      const wait = waitFor(at, cost, spares)
      if (wait === 0) { for (const log of logs) log.take(at, cost) }
      return wait
    },
    reserve: (at, cost = 1, spares = false) => {
      const wait = waitFor(at, cost, spares)
      if (wait > 0) return wait
      const reserved = logs.map((log) => log.reserve(at, cost)).filter((one) => typeof one !== "number")
      return reserved.length === 0 ? unreserved : {
        due: Effect.forEach(reserved, ({ due }) => due, { discard: true }),
        use: (usedAt) => {
          for (const one of reserved) one.use(usedAt)
        },
        release: () => {
          for (const one of reserved) one.release()
        }
      }
    },
    wait: (_, cost, spares) =>
      Effect.clockWith((clock) => {
        const waitOf = (log: RollingLimit): number => log.waitFor(Monotonic.nowMillis(clock), cost, spares)
        // What other processes admit lapses soon: they are asked when nothing else is to be waited for.
        return Effect.forEach(logs.toSorted((one, other) => waitOf(other) - waitOf(one)), (log) =>
          Effect.suspend(() => {
            const wait = waitOf(log)
            return wait > 0 ? log.wait(wait, cost, spares) : Effect.void
          }), { discard: true })
      }),
    left: (at) => logs.flatMap((log) => log.left(at))
  }
}

const unreserved: Reservation = { due: Effect.void, use: () => {}, release: () => {} }
const unlimited = all([])
