/**
 * The credits of one account, or of an address before anybody has signed in,
 * which all sessions of it in one network draw from.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { SendOptions } from "../../../connection/Outbox.ts"
import * as Monotonic from "../../../value/Monotonic.ts"
import * as Credits from "../Credits.ts"

/**
 * What is left of the pools, and how many calls are held: let through, and not
 * known to have been read by the venue.
 *
 * @category models
 * @since 0.1.0
 */
export class SharedCredits {
  private readonly now: () => number
  private credits: Credits.Credits
  private readonly held = new Map<Credits.Pool, number>()
  private sessions = 0

  constructor(now: () => number) {
    this.now = now
    this.credits = Credits.make(now())
  }

  /** What is left of each pool when all that are held have been read. */
  get left(): Credits.Credits["left"] {
    const read = [...this.held].reduce(
      (credits, [pool, count]) => Credits.spend(credits, this.now(), pool, count),
      this.credits
    )
    return Credits.leftAt(read, this.now())
  }

  /** One more session draws from it. */
  join(): void {
    this.sessions++
  }

  leave(): void {
    this.sessions--
  }

  /** After how many milliseconds a call can be let through, after those that are held. */
  waitFor(pool: Credits.Pool, priority: SendOptions["priority"]): number {
    const before = this.held.get(pool) ?? 0
    return Credits.waitFor(this.credits, this.now(), { pool, priority, before, sessions: this.sessions })
  }

  /** The account's own limits. */
  learn(limits: Credits.Limits): void {
    this.credits = Credits.learn(this.credits, this.now(), limits)
  }

  /** The venue says that a pool is empty. */
  exhausted(pool: Credits.Pool): void {
    this.credits = Credits.exhausted(this.credits, this.now(), pool)
  }

  hold(pool: Credits.Pool): void {
    this.held.set(pool, (this.held.get(pool) ?? 0) + 1)
  }

  /** One that was held is not written. */
  release(pool: Credits.Pool): void {
    this.held.set(pool, (this.held.get(pool) ?? 1) - 1)
  }

  /** One that was held has been read by now. */
  spend(pool: Credits.Pool): void {
    this.release(pool)
    this.credits = Credits.spend(this.credits, this.now(), pool)
  }
}

/**
 * Who keeps the credits that are shared. `network` is the network in which the key
 * is an account or an address, `Transport.network`.
 *
 * @category models
 * @since 0.1.0
 */
export interface CreditLedger {
  readonly share: (key: string, network?: object | undefined) => Effect.Effect<SharedCredits>
}

// For each network; where a transport names none, for each clock. They outlive their sessions: what was spent is spent.
const makePerNetwork = (): CreditLedger => {
  const networks = new WeakMap<object, Map<string, SharedCredits>>()
  return {
    share: (key, network) =>
      Effect.clockWith((clock: Clock.Clock) =>
        Effect.sync(() => {
          const ofNetwork = networks.get(network ?? clock) ?? new Map<string, SharedCredits>()
          networks.set(network ?? clock, ofNetwork)
          const shared = ofNetwork.get(key) ?? new SharedCredits(() => Monotonic.nowMillis(clock))
          ofNetwork.set(key, shared)
          return shared
        })
      )
  }
}

/**
 * Who keeps the credits that are shared.
 *
 * @category services
 * @since 0.1.0
 */
export const CreditLedger: Context.Reference<CreditLedger> = Context.Reference(
  "@tickline/core/session/deribit/CreditLedger",
  { defaultValue: makePerNetwork }
)
