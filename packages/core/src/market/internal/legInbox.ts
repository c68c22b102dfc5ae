/**
 * What one connection of a feed hands on: to the fan-out that it shares with the
 * feed's others, of which its end is not the end.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { ConnectError } from "../../connection/ConnectError.ts"
import type { Item } from "../../connection/Inbox.ts"
import type { Inbox } from "../../connection/internal/inbox.ts"
import type { Batch } from "../../connection/Observer.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"

/**
 * What the fan-out of one connection asks about it and the feed's others.
 *
 * @category models
 * @since 0.1.0
 */
export interface Place {
  /** Its number, unless it is the first and the only one. */
  readonly leg: () => number | undefined
  /** Whether another one is up. */
  readonly isCovered: () => boolean
  /** Whether another one has its breaker, and tells of it. */
  readonly isBreakerTold: () => boolean
  /** It has ended, for good or until it is connected again. Returns whether another one goes on. */
  readonly ended: () => boolean
  /** Its scope has closed. Returns whether another one goes on. */
  readonly closed: () => boolean
}

/**
 * The fan-out of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export class LegInbox implements Inbox<MarketEvent> {
  private readonly shared: Inbox<MarketEvent>
  private readonly place: Place

  constructor(shared: Inbox<MarketEvent>, place: Place) {
    this.shared = shared
    this.place = place
  }

  offer(item: Item<MarketEvent>): void {
    if (item._tag !== "Transition" && item._tag !== "BreakerMoved") return this.shared.offer(item)
    const leg = this.place.leg()
    if (item._tag === "Transition") {
      const isCovered = this.place.isCovered()
      this.shared.offer(leg === undefined ? item : { ...item, leg, isCovered })
    } else if (!this.place.isBreakerTold()) {
      this.shared.offer(leg === undefined ? item : { ...item, leg })
    }
  }

  route(batch: Batch<MarketEvent>): void {
    this.shared.route(batch)
  }

  wake(): number {
    return this.shared.wake()
  }

  isBehind(): boolean {
    return this.shared.isBehind()
  }

  isBlocked(): boolean {
    return this.shared.isBlocked()
  }

  get room(): Effect.Effect<void> {
    return this.shared.room
  }

  allow(times: number): Effect.Effect<void> {
    return this.shared.allow(times)
  }

  keep(): void {
    this.shared.keep()
  }

  end(how: Exit.Exit<never, ConnectError | Cause.Done>): Effect.Effect<void> {
    return Effect.suspend(() => this.place.ended() ? Effect.void : this.shared.end(how))
  }

  get shutdown(): Effect.Effect<void> {
    return Effect.suspend(() => this.place.closed() ? Effect.void : this.shared.shutdown)
  }

  get consume(): Inbox<MarketEvent>["consume"] {
    return this.shared.consume.bind(this.shared)
  }

  get consumeRouted(): Inbox<MarketEvent>["consumeRouted"] {
    return this.shared.consumeRouted.bind(this.shared)
  }

  missed(): number {
    return this.shared.missed()
  }
}
