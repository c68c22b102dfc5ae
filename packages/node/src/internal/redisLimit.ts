/**
 * A limit that processes share over Redis.
 *
 * @since 0.1.0
 */
import type { Reservation, RollingLimit, Window } from "@tickline/core/resilience/RollingLimit"
import * as Monotonic from "@tickline/core/value/Monotonic"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Semaphore from "effect/Semaphore"
import * as Metrics from "./governorMetrics.ts"
import type { RedisLink } from "./redisLink.ts"

// What Redis has admitted and charged, until it lapses.
interface Admission {
  readonly cost: number
  readonly spares: boolean
  readonly until: number
}

// Of the ordinary ones, and of those that leave a tenth to them.
interface Line {
  readonly turns: Semaphore.Semaphore
  /** Until when Redis admits none, as it said. */
  until: number
}

const makeLine = (): Line => ({ turns: Semaphore.makeUnsafe(1), until: 0 })

/**
 * The limit of a key, for all of this process who share it.
 *
 * @category models
 * @since 0.1.0
 */
export class RedisLimit implements RollingLimit {
  private readonly key: string
  private readonly link: RedisLink
  // What this process has spent: it alone decides while Redis is away and the governor fails open.
  private readonly own: RollingLimit
  private readonly context: Context.Context<never>
  private declared: ReadonlyArray<Window> = []
  private admissions: ReadonlyArray<Admission> = []
  private readonly lines = [makeLine(), makeLine()] as const
  // What was spent without Redis, by whose windows it still counts.
  private spent = 0
  private spentAt = 0

  constructor(key: string, link: RedisLink, own: RollingLimit, context: Context.Context<never>) {
    this.key = key
    this.link = link
    this.own = own
    this.context = context
  }

  /** Judges by these windows too, until they are withdrawn. */
  declare(windows: ReadonlyArray<Window>): void {
    this.declared = [...this.declared, ...windows]
  }

  withdraw(windows: ReadonlyArray<Window>): void {
    this.declared = windows.reduce<ReadonlyArray<Window>>((left, window) => {
      const at = left.indexOf(window)
      return at < 0 ? left : left.toSpliced(at, 1)
    }, this.declared)
  }

  take(at: number, cost = 1, spares = false): number {
    const admission = this.admit(at, cost, spares)
    return typeof admission === "number" ? admission : 0
  }

  reserve(at: number, cost = 1, spares = false): Reservation | number {
    let admission = this.admit(at, cost, spares)
    if (typeof admission === "number") return admission
    let isOpen = true
    return {
      due: Effect.gen({ self: this }, function*() {
        while (true) {
          const now = yield* Monotonic.now
          if (typeof admission !== "number" && admission.until > now) return
          admission = this.admit(now, cost, spares)
          if (typeof admission === "number") yield* this.wait(admission, cost, spares)
        }
      }),
      use: () => {
        isOpen = false
      },
      release: () => {
        if (isOpen && typeof admission !== "number" && admission.until < Infinity) {
          this.admissions = [...this.admissions, admission]
        }
        isOpen = false
      }
    }
  }

  waitFor(at: number, cost = 1, spares = false): number {
    if (!Number.isFinite(cost) || cost < 0) return Infinity
    if (this.isFree(cost) || this.find(at, cost, spares) !== undefined) return 0
    if (this.link.failsOpen()) return this.own.waitFor(at, cost, spares)
    for (const { limit } of this.declared) {
      if (cost > (spares ? Math.max(1, limit - Math.ceil(limit / 10)) : limit)) return Infinity
    }
    return Math.max(1, Math.ceil(this.line(spares).until - at))
  }

  wait(waitMillis: number, cost = 1, spares = false): Effect.Effect<void> {
    // In the order in which they came, so that one asks and not all.
    return waitMillis === Infinity
      ? Effect.never
      : this.line(spares).turns.withPermit(this.awaitAdmission(cost, spares))
  }

  left(at: number): ReadonlyArray<number> {
    return this.own.left(at)
  }

  private line(spares: boolean): Line {
    return this.lines[spares ? 1 : 0]
  }

  private isFree(cost: number): boolean {
    return cost === 0 || this.declared.length === 0
  }

  private find(at: number, cost: number, spares: boolean): Admission | undefined {
    return this.admissions.find((one) => one.until > at && one.cost >= cost && (one.spares || !spares))
  }

  // Spends an admission at hand, or says after how many milliseconds there may be one.
  private admit(at: number, cost: number, spares: boolean): Admission | number {
    const wait = this.waitFor(at, cost, spares)
    if (wait > 0) return wait
    if (this.isFree(cost)) return free
    const admission = this.find(at, cost, spares)
    const kept = this.admissions.filter((one) => one !== admission && one.until > at)
    const lapsed = this.admissions.length - kept.length - (admission === undefined ? 0 : 1)
    this.admissions = kept
    if (lapsed > 0) Metrics.lapses.updateUnsafe(lapsed, this.context)
    this.own.take(at, cost, spares)
    if (admission !== undefined) return admission
    this.spent += cost
    this.spentAt = at
    Metrics.unshared.updateUnsafe(1, this.context)
    return free
  }

  private awaitAdmission(cost: number, spares: boolean): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      while (true) {
        const at = yield* Monotonic.now
        if (this.link.failsOpen()) {
          return yield* Effect.sleep(this.own.waitFor(at, cost, spares))
        }
        if (this.isFree(cost) || this.find(at, cost, spares) !== undefined) return
        yield* this.link.ready.await
        // It goes on where whoever waits is interrupted: what it brings is charged, and good for the next.
        const wait = yield* Effect.flatMap(Effect.forkIn(this.ask(cost, spares), this.link.scope), Fiber.join)
        if (wait > 0) yield* Effect.sleep(wait)
      }
    })
  }

  private ask(cost: number, spares: boolean): Effect.Effect<number> {
    return Effect.gen({ self: this }, function*() {
      const { declared: windows, key } = this
      const begun = yield* Monotonic.now
      if (windows.every(({ windowMillis }) => begun - this.spentAt > windowMillis)) this.spent = 0
      const { spent } = this
      const answer = yield* this.link.ask({ key, windows, cost, spares, spent })
      if (answer === undefined) return 0
      this.spent -= spent
      const { until, waitMillis } = answer
      this.line(spares).until = (yield* Monotonic.now) + waitMillis
      if (waitMillis === 0) this.admissions = [...this.admissions, { cost, spares, until }]
      return waitMillis
    })
  }
}

// Of what nothing limits, or nobody but this process.
const free: Admission = { cost: 0, spares: false, until: Infinity }
