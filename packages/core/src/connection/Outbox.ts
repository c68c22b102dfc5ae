/**
 * The messages that wait to be written. Each is written at most once, in the
 * order in which it was accepted, and none is ever written on an epoch that it
 * was not meant for:
 *
 * - `now` (the default): for the epoch that is up when it is sent. Where none
 *   is up, or where it ends first, the send fails with `NotSent` at once.
 * - `keep`: waits through outages and is written once, on the first epoch that
 *   can take it.
 *
 * A send whose caller is interrupted while it waits is withdrawn. The outbox is
 * bounded by messages and by bytes; beyond them a send fails with `OutboxFull`,
 * or with `RateLimited` where it is the venue's limit that holds it up.
 *
 * What is more urgent goes first; within one priority the order is kept. Where
 * there is a limit, each message is charged in the step that writes it, so that
 * nothing is ever charged and lost.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { type Log, priorities, type Priority, RateLimited } from "../resilience/RateLimit.ts"
import * as Frame from "../transport/Frame.ts"
import type { Wire, WireClosed } from "../transport/Transport.ts"
import { NotSent, OutboxFull } from "./ConnectError.ts"

/**
 * Whether a message waits for a connection.
 *
 * @category models
 * @since 0.1.0
 */
export type Delivery = "now" | "keep"

/**
 * What became of a message that was accepted: written on an epoch, or kept for
 * the next that can take it.
 *
 * @category models
 * @since 0.1.0
 */
export type Accepted = { readonly _tag: "Sent"; readonly epoch: number } | { readonly _tag: "Kept" }

/**
 * What the outbox has seen: messages waiting and their bytes, and how many were
 * sent, withdrawn by their caller, refused because it was full, and ended
 * unsent (with the epoch, or with the connection).
 *
 * @category models
 * @since 0.1.0
 */
export interface Account {
  readonly waiting: number
  readonly waitingBytes: number
  readonly mostWaiting: number
  readonly sent: number
  readonly sentAfterWaiting: number
  readonly withdrawn: number
  readonly refused: number
  readonly unsent: number
}

/**
 * How a message is to be sent: `now` and with the priority of an order where
 * nothing is said.
 *
 * @category models
 * @since 0.1.0
 */
export interface SendOptions {
  readonly delivery?: Delivery | undefined
  readonly priority?: Priority | undefined
}

/**
 * The limit on messages: what was written, the clock in epoch milliseconds, and
 * what a message costs (1 where not given).
 *
 * @category models
 * @since 0.1.0
 */
export interface Pace {
  readonly key: string
  readonly log: Log
  readonly now: () => number
  readonly cost?: ((frame: Frame.Frame) => number) | undefined
  /** Whether a tenth of the limit is left to what is urgent. */
  readonly spares?: boolean | undefined
}

interface Entry {
  readonly frame: Frame.Frame
  readonly delivery: Delivery
  readonly rank: number
  readonly settle: ((outcome: Effect.Effect<Accepted, NotSent>) => void) | undefined
}

/**
 * The messages that wait to be written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Outbox {
  /** Sends a message by its delivery; see the module's description. */
  readonly send: (
    frame: Frame.Frame,
    options?: SendOptions | undefined
  ) => Effect.Effect<Accepted, NotSent | OutboxFull | RateLimited>
  /** Sends ahead of everything that waits, whatever the socket still holds: an answer to a heartbeat. */
  readonly urgent: (frame: Frame.Frame) => void
  /** Waits until the limit admits one more frame and charges it, for what is written past the outbox. */
  readonly admit: Effect.Effect<void>
  /** Makes `wire` the one that messages go to, from now until `end`. */
  readonly begin: (wire: Wire, epoch: number) => void
  /** Writes what waits, as the wire takes it, until the wire ends. */
  readonly drain: Effect.Effect<void, WireClosed>
  /** Ends the epoch: what was for it fails, what is to be kept stays. */
  readonly end: () => void
  /** Ends the connection: all that waits fails. Returns how many kept messages were dropped. */
  readonly close: () => number
  readonly account: () => Account
}

/**
 * Makes an outbox that holds up to `messages` messages and `bytes` bytes. It
 * hands messages to a wire while fewer than `bufferedBytes` wait in the socket
 * (default 1 MiB).
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  bounds: { readonly messages: number; readonly bytes: number; readonly bufferedBytes?: number | undefined },
  pace?: Pace | undefined
): Outbox => {
  const bufferedBound = bounds.bufferedBytes ?? 1024 * 1024
  const arrived = Latch.makeUnsafe(false)
  let entries: Array<Entry> = []
  let bytes = 0
  let wire: Wire | undefined
  let epoch = 0
  let mostWaiting = 0
  let sent = 0
  let sentAfterWaiting = 0
  let withdrawn = 0
  let refused = 0
  let unsent = 0

  const forget = (entry: Entry): void => {
    bytes -= Frame.size(entry.frame)
  }

  const retain = (keeps: (entry: Entry) => boolean, reason: NotSent["reason"]): number => {
    const gone = entries.filter((entry) => !keeps(entry))
    entries = entries.filter(keeps)
    for (const entry of gone) {
      forget(entry)
      unsent++
      entry.settle?.(Effect.fail(new NotSent({ reason })))
    }
    return gone.filter((entry) => entry.delivery === "keep").length
  }

  const take = (frame: Frame.Frame, rank: number): number =>
    pace === undefined ? 0 : pace.log.take(pace.now(), pace.cost?.(frame), rank > 0 && pace.spares)

  // Writes what may go now. Returns for how long the limit holds the rest up, 0 where it does not.
  const flush = (to: Wire): number => {
    let written = 0
    let wait = 0
    while (written < entries.length) {
      const entry = entries[written]!
      if (entry.rank > 0 && to.bufferedBytes() >= bufferedBound) break
      wait = take(entry.frame, entry.rank)
      if (wait > 0 || !to.write(entry.frame)) break
      written++
      forget(entry)
      sent++
      sentAfterWaiting++
      entry.settle?.(Effect.succeed({ _tag: "Sent", epoch }))
    }
    if (written > 0) entries.splice(0, written)
    return wait
  }

  const enqueue = (entry: Entry): void => {
    const place = entries.findLastIndex((other) => other.rank <= entry.rank) + 1
    entries.splice(place, 0, entry)
    bytes += Frame.size(entry.frame)
    mostWaiting = Math.max(mostWaiting, entries.length)
    arrived.openUnsafe()
  }

  const isClear = (to: Wire): boolean => entries.length === 0 && to.bufferedBytes() < bufferedBound

  const send: Outbox["send"] = (frame, options = {}) =>
    Effect.suspend((): Effect.Effect<Accepted, NotSent | OutboxFull | RateLimited> => {
      const delivery = options.delivery ?? "now"
      const rank = priorities.indexOf(options.priority ?? "order")
      if (wire !== undefined && isClear(wire) && take(frame, rank) === 0 && wire.write(frame)) {
        sent++
        return Effect.succeed<Accepted>({ _tag: "Sent", epoch })
      }
      if (wire === undefined && delivery === "now") {
        unsent++
        return Effect.fail(new NotSent({ reason: "NotConnected" }))
      }
      const wait = pace?.log.waitFor(pace.now(), pace.cost?.(frame), rank > 0 && pace.spares) ?? 0
      const isFull = entries.length >= bounds.messages || bytes + Frame.size(frame) > bounds.bytes
      if (isFull || wait === Infinity) {
        refused++
        return Effect.fail(
          pace !== undefined && wait > 0
            ? new RateLimited({ key: pace.key, retryAfterMillis: wait })
            : new OutboxFull({ messages: entries.length, bytes })
        )
      }
      if (delivery === "keep") {
        enqueue({ frame, delivery, rank, settle: undefined })
        return Effect.succeed<Accepted>({ _tag: "Kept" })
      }
      return Effect.callback<Accepted, NotSent>((settle) => {
        const entry: Entry = { frame, delivery, rank, settle }
        enqueue(entry)
        return Effect.sync(() => {
          const at = entries.indexOf(entry)
          if (at < 0) return
          entries.splice(at, 1)
          forget(entry)
          withdrawn++
        })
      })
    })

  const drain = Effect.suspend((): Effect.Effect<void, WireClosed> => {
    const to = wire
    if (to === undefined) return Effect.void
    return Effect.forever(
      Effect.suspend(() => {
        if (entries.length === 0) arrived.closeUnsafe()
        return Effect.andThen(
          arrived.await,
          Effect.suspend(() => {
            const wait = flush(to)
            if (wait > 0) return Effect.sleep(wait)
            return entries.length === 0 ? Effect.void : to.ready
          })
        )
      })
    )
  })

  return {
    send,
    urgent: (frame) => {
      if (wire === undefined) return
      enqueue({ frame, delivery: "now", rank: 0, settle: undefined })
      flush(wire)
    },
    admit: Effect.suspend(function admit(): Effect.Effect<void> {
      const wait = take("", 1)
      return wait === 0 ? Effect.void : Effect.andThen(Effect.sleep(wait), Effect.suspend(admit))
    }),
    drain,
    begin: (next, number) => {
      wire = next
      epoch = number
    },
    end: () => {
      wire = undefined
      retain((entry) => entry.delivery === "keep", "EpochEnded")
    },
    close: () => {
      wire = undefined
      return retain(() => false, "Closed")
    },
    account: () => ({
      waiting: entries.length,
      waitingBytes: bytes,
      mostWaiting,
      sent,
      sentAfterWaiting,
      withdrawn,
      refused,
      unsent
    })
  }
}
