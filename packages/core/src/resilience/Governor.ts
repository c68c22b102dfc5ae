/**
 * Who keeps the limits of an address for everybody who dials or sends to it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Monotonic from "../value/Monotonic.ts"
import * as RollingLimits from "./internal/rollingLimit.ts"
import type * as RollingLimit from "./RollingLimit.ts"

/**
 * Keeps one budget for each key, such as an address, for everybody who dials or
 * sends to it. What was taken outlives who took it, until its windows have
 * passed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Governor {
  /**
   * The budget of a key. While the scope lives, all who share the key are
   * judged by these windows too, what was taken before included. `network` is
   * the network in which the key is an address, `Transport.network`.
   */
  readonly share: (
    key: string,
    windows: ReadonlyArray<RollingLimit.Window>,
    network?: object | undefined
  ) => Effect.Effect<RollingLimit.RollingLimit, never, Scope.Scope>
}

// So many keys are kept before it is looked which of them are forgotten.
const keptKeys = 256

/**
 * Makes a governor with nothing taken: one budget for each key, whatever the
 * network.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Governor => {
  const ledgers = new Map<string, RollingLimits.SharedLimit>()
  let sweepAt = keptKeys

  const sweep = (at: number): void => {
    for (const [key, ledger] of ledgers) if (ledger.isForgotten(at)) ledgers.delete(key)
    sweepAt = Math.max(keptKeys, 2 * ledgers.size)
  }

  const ledgerOf = (key: string, at: number): RollingLimits.SharedLimit => {
    const known = ledgers.get(key)
    if (known !== undefined) return known
    if (ledgers.size >= sweepAt) sweep(at)
    const ledger = RollingLimits.makeShared()
    ledgers.set(key, ledger)
    return ledger
  }

  return {
    share: (key, windows) =>
      Effect.acquireRelease(
        Effect.clockWith((clock) =>
          Effect.sync(() => {
            const ledger = ledgerOf(key, Monotonic.nowMillis(clock))
            ledger.declare(windows)
            return ledger
          })
        ),
        (ledger) => Effect.sync(() => ledger.withdraw(windows))
      )
  }
}

/**
 * A governor that shares nothing: each connection keeps the limits per address
 * for itself alone.
 *
 * @category constants
 * @since 0.1.0
 */
export const unshared: Governor = { share: (_, windows) => Effect.sync(() => RollingLimits.make(windows)) }

// A governor for each network; where a transport names none, for each clock. So those of the live clock are one, and a
// test, which has a clock of its own, shares with no other.
const makePerNetwork = (): Governor => {
  const governors = new WeakMap<object, Governor>()
  const governorOf = (network: object): Governor => {
    const known = governors.get(network)
    if (known !== undefined) return known
    const governor = make()
    governors.set(network, governor)
    return governor
  }
  return {
    share: (key, windows, network) => Effect.clockWith((clock) => governorOf(network ?? clock).share(key, windows))
  }
}

/**
 * Who keeps the limits per address. By default they are shared by all that dial
 * an address in one network: by the whole process where the transport names
 * none, by those of one `TestClock` in tests, and by those of one
 * `VirtualNetwork`. Provide `make()` to share otherwise, `unshared` to
 * share nothing.
 *
 * @category services
 * @since 0.1.0
 */
export const Governor: Context.Reference<Governor> = Context.Reference("@tickline/core/resilience/Governor", {
  defaultValue: makePerNetwork
})

/**
 * A governor of its own, with nothing taken.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<never> = Layer.sync(Governor, make)
