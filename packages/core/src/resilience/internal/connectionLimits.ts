/**
 * The limits of a peer, and the rolling counts by which one connection keeps them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Governor } from "../Governor.ts"
import type * as RollingLimit from "../RollingLimit.ts"
import * as RollingLimits from "./rollingLimit.ts"

/**
 * A limit of a peer: at most `limit` of something in any rolling window, for
 * each connection or for each address. Without a window it is on how many there
 * are at once, and is not kept here.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limit {
  readonly of: "messages" | "dials" | "subscriptions"
  readonly per: "connection" | "address"
  readonly limit: number
  readonly windowMillis: number | undefined
}

/**
 * By how many milliseconds a peer's window is kept longer. It counts what
 * arrives, and what is sent a window apart arrives closer together where the
 * first was held up on the way; 100 ms is more than paths usually vary by.
 *
 * @category constants
 * @since 0.1.0
 */
export const transitMillis = 100

// Charges 1 for each, whatever it costs of other limits, and spares nothing.
const counting = (log: RollingLimit.RollingLimit): RollingLimit.RollingLimit => ({
  take: (at) => log.take(at),
  reserve: (at) => log.reserve(at),
  waitFor: (at) => log.waitFor(at),
  wait: (millis) => log.wait(millis),
  left: (at) => log.left(at)
})

/**
 * The logs that keep the limits of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectionLimits {
  /** Of messages, absent where nothing limits them. */
  readonly messages: RollingLimit.RollingLimit | undefined
  /** Of what asks for subscriptions, each of which counts 1, and of messages; absent where nothing limits either. */
  readonly asks: RollingLimit.RollingLimit | undefined
  readonly dials: RollingLimit.RollingLimit
}

/**
 * The logs of a connection without limits.
 *
 * @category constants
 * @since 0.1.0
 */
export const unlimited: ConnectionLimits = { messages: undefined, asks: undefined, dials: RollingLimits.combine([]) }

/**
 * The logs that keep the limits for one connection to an address, each window
 * longer by `transitMillis`, until the scope ends. Those per address are shared
 * through the `Governor` with all who dial it in the same network.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  limits: ReadonlyArray<Limit>,
  address: string,
  network?: object | undefined
): Effect.fn.Return<ConnectionLimits, RollingLimit.InvalidLimit, Scope.Scope> {
  const { share } = yield* Governor
  const logOf = Effect.fnUntraced(function*(
    of: Limit["of"]
  ): Effect.fn.Return<ReadonlyArray<RollingLimit.RollingLimit>, RollingLimit.InvalidLimit, Scope.Scope> {
    const windowsOf = (per: Limit["per"]): ReadonlyArray<RollingLimit.Window> =>
      limits.flatMap((limit) =>
        limit.of === of && limit.per === per && limit.windowMillis !== undefined
          ? [{ limit: limit.limit, windowMillis: limit.windowMillis }]
          : []
      )
    const longer = (windows: ReadonlyArray<RollingLimit.Window>): ReadonlyArray<RollingLimit.Window> =>
      windows.map(({ limit, windowMillis }) => ({ limit, windowMillis: windowMillis + transitMillis }))
    const own = windowsOf("connection")
    const shared = windowsOf("address")
    const error = RollingLimits.fault([...own, ...shared])
    if (error !== undefined) return yield* error
    return [
      ...(own.length === 0 ? [] : [RollingLimits.make(longer(own))]),
      ...(shared.length === 0 ? [] : [yield* share(`${address} ${of}`, longer(shared), network)])
    ]
  })
  const messages = yield* logOf("messages")
  const asks = [...messages, ...(yield* logOf("subscriptions")).map(counting)]
  return {
    messages: messages.length === 0 ? undefined : RollingLimits.combine(messages),
    asks: asks.length === 0 ? undefined : RollingLimits.combine(asks),
    dials: RollingLimits.combine(yield* logOf("dials"))
  }
})
