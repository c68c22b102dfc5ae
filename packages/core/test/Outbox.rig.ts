/** An outbox over a wire that a test plays. */
import type * as Outbox from "@tickline/core/connection/Outbox"
import type { Wire } from "@tickline/core/transport/Transport"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Outboxes from "../src/connection/internal/outbox.ts"
import * as RollingLimits from "../src/resilience/internal/rollingLimit.ts"

export interface Options {
  readonly messages?: number
  readonly bytes?: number
  readonly bufferedBytes?: number | undefined
  /** So many messages in a second. */
  readonly limit?: number
  /** So many that ask for subscriptions in a second. */
  readonly asks?: number
  readonly cost?: NonNullable<Outboxes.OutboxLimits["cost"]>
  readonly spares?: boolean | undefined
}

export const costs: NonNullable<Outboxes.OutboxLimits["cost"]> = (frame) => Number(String(frame).split(" ")[1] ?? 1)

/** What the outbox asks of a wire, and what nobody asks here. */
export const wireOf = (used: Pick<Wire, "write" | "bufferedBytes" | "ready">): Wire => ({
  ...used,
  pull: Effect.never,
  ping: Effect.never,
  close: () => Effect.succeed({ clean: true }),
  terminate: Effect.void,
  paused: () => false
})

/** An outbox, what its wire was given, and how to change what the wire takes. */
export const rig = Effect.fnUntraced(function*(options: Options = {}) {
  const context = yield* Effect.context()
  const clock = yield* Clock.Clock
  const now = () => Monotonic.nowMillis(clock)
  const waiting: Array<number> = []
  const windows = (limit: number) => [{ limit, windowMillis: 1_000 }]
  const log = options.limit === undefined ? undefined : RollingLimits.make(windows(options.limit))
  const asks = options.asks === undefined ? undefined : RollingLimits.make(windows(options.asks))
  const outbox = Outboxes.make(
    {
      messages: options.messages ?? 100,
      bytes: options.bytes ?? 1_000,
      bufferedBytes: options.bufferedBytes,
      now,
      onWaiting: (messages) => void waiting.push(messages)
    },
    log === undefined ? undefined : {
      key: "venue.test",
      log,
      asks: asks === undefined ? log : RollingLimits.combine([log, asks]),
      now,
      cost: options.cost,
      spares: options.spares
    }
  )
  const written: Array<string> = []
  let ready = Deferred.makeUnsafe<void>()
  const socket = { buffered: 0, isOpen: true, drains: 0 }
  const wire = wireOf({
    write: (frame) => {
      if (socket.isOpen) written.push(`${String(frame)}@${now()}`)
      return socket.isOpen
    },
    bufferedBytes: () => socket.buffered,
    ready: Effect.suspend(() => Deferred.await(ready))
  })
  const drainWith = (): void =>
    outbox.drainWith((drain) => {
      socket.drains++
      Effect.runForkWith(context)(drain)
    })
  return {
    outbox,
    written,
    waiting,
    socket,
    log,
    drainWith,
    /** Makes the wire the one that is written to, and writes what waits. */
    up: (epoch = 1): void => {
      outbox.begin(wire, epoch)
      drainWith()
    },
    /** Says that the wire takes more. */
    takeMore: Effect.suspend(() => {
      socket.buffered = 0
      const before = ready
      ready = Deferred.makeUnsafe<void>()
      return Effect.andThen(Deferred.succeed(before, undefined), TestClock.adjust(0))
    }),
    later: (frame: string, sent?: Outbox.SendOptions) =>
      Effect.forkChild(Effect.result(outbox.send(frame, sent)), { startImmediately: true })
  }
})

export const counts = (change: Partial<Outboxes.OutboxCounts>): Outboxes.OutboxCounts => ({
  waiting: 0,
  waitingBytes: 0,
  mostWaiting: 0,
  sent: 0,
  sentAfterWaiting: 0,
  withdrawn: 0,
  refused: 0,
  unsent: 0,
  unconfirmed: 0,
  ...change
})

export const sent = { _tag: "Sent", epoch: 1 } as const
export const kept = { _tag: "Kept" } as const

/** What a send came to, in a word or two. */
export const outcome = (
  fiber: Fiber.Fiber<{ readonly _tag: string; readonly failure?: unknown; readonly success?: unknown }>
) => Effect.map(Fiber.join(fiber), (result) => result._tag === "Failure" ? result.failure : result.success)
