/**
 * A circuit breaker: after enough failures nothing is tried for a while, then
 * one probe at a time, until it is known to work again.
 *
 * `make` makes one `Breaker`; the service `CircuitBreaker` holds one for each
 * key. It knows nothing of sockets: `execute` puts it around any effect, permits
 * serve what lasts, such as a connection. What it decides by is a pure
 * machine over the policy and the states of `Circuit`, what it counts are
 * `BreakerMetrics`.
 *
 * What it waits for is measured on the monotonic clock (`Monotonic.now`): an
 * open time is as long as it says, whatever is done to the wall clock. What is
 * told of it, in errors, transitions and metrics, has the wall clock's times.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Monotonic from "../value/Monotonic.ts"
import type { Breaker } from "./Breaker.ts"
import * as BreakerMetrics from "./BreakerMetrics.ts"
import type * as Circuit from "./Circuit.ts"
import { Machine } from "./internal/breaker.ts"
import * as BreakerTransitions from "./internal/breakerTransitions.ts"

/**
 * Makes one breaker. `"none"` never opens, and counts all the same. `key` names
 * it in errors and metrics (default: empty).
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  policy: Circuit.Policy | "none",
  options?: { readonly key?: string | undefined } | undefined
): Effect.Effect<Breaker> =>
  Effect.map(
    Monotonic.now,
    (now) => new Machine(options?.key ?? "", policy === "none" ? BreakerTransitions.never : policy, now).breaker
  )

/**
 * A registry of breakers: one per key, made when first asked for, all by one
 * policy. Beyond 1,024 keys it forgets those that nobody holds and that have
 * nothing to say: closed without a failure, or left alone for ten minutes or
 * more after their failures and open times. `all` are those that it keeps.
 *
 * @category services
 * @since 0.1.0
 */
export class CircuitBreaker extends Context.Service<CircuitBreaker, {
  readonly get: (key: string) => Effect.Effect<Breaker>
  readonly all: Effect.Effect<ReadonlyArray<Breaker>>
}>()("@tickline/core/resilience/CircuitBreaker") {}

// How many breakers a registry keeps before it looks for some to forget.
const keptBreakers = 1_024

// Breakers by their keys, the one asked for last at the end.
class Registry {
  private readonly policy: Circuit.Policy | "none"
  private readonly kept = new Map<string, Machine>()
  // Those that are not kept any more are the same for as long as somebody holds them.
  private readonly dropped = new Map<string, WeakRef<Machine>>()
  // How the metrics of some leave Effect's: they weigh more than the breaker.
  private readonly registered = new Map<string, () => void>()
  private sweepAt = keptBreakers
  private isClosed = false

  constructor(policy: Circuit.Policy | "none") {
    this.policy = policy
  }

  get(key: string, now: number, context: Context.Context<never>): Breaker {
    const machine = this.kept.get(key) ?? this.dropped.get(key)?.deref() ?? this.made(key, now)
    this.keep(machine)
    if (!this.isClosed && !this.registered.has(key)) this.register(machine, context)
    return machine.breaker
  }

  all(): ReadonlyArray<Breaker> {
    return Array.from(this.kept.values(), ({ breaker }) => breaker)
  }

  close(): void {
    this.isClosed = true
    for (const key of this.registered.keys()) this.unregister(key)
  }

  private made(key: string, now: number): Machine {
    if (this.kept.size >= this.sweepAt) this.sweep(now)
    return new Machine(key, this.policy === "none" ? BreakerTransitions.never : this.policy, now)
  }

  private keep(machine: Machine): void {
    const { key } = machine
    machine.recall = undefined
    this.dropped.delete(key)
    this.kept.delete(key)
    this.kept.set(key, machine)
  }

  private drop(machine: Machine): void {
    const { key } = machine
    this.unregister(key)
    machine.recall = () => this.keep(machine)
    this.kept.delete(key)
    this.dropped.set(key, new WeakRef(machine))
  }

  private register(machine: Machine, context: Context.Context<never>): void {
    if (this.registered.size >= keptBreakers) {
      for (const key of this.registered.keys()) {
        if (this.kept.get(key)?.isWatched() === true) continue
        this.unregister(key)
        break
      }
    }
    this.registered.set(machine.key, BreakerMetrics.registerUnsafe(machine.breaker, context))
  }

  private unregister(key: string): void {
    this.registered.get(key)?.()
    this.registered.delete(key)
  }

  private sweep(now: number): void {
    for (const machine of this.kept.values()) {
      if (this.kept.size <= keptBreakers / 2) break
      if (!machine.isWorthKeeping(now)) this.drop(machine)
    }
    this.sweepAt = Math.max(keptBreakers, 2 * this.kept.size)
    for (const [key, machine] of this.dropped) if (machine.deref() === undefined) this.dropped.delete(key)
  }
}

/**
 * Gives a registry of breakers by one policy; with `"none"` everything is
 * always admitted. Each breaker's metrics are among Effect's from when it is
 * made until it is forgotten or the layer's scope ends; where more than 1,024
 * are kept, those of the ones that are watched or were asked for last.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (policy: Circuit.Policy | "none"): Layer.Layer<CircuitBreaker> =>
  Layer.effect(
    CircuitBreaker,
    Effect.gen(function*() {
      const registry = new Registry(policy)
      yield* Effect.addFinalizer(() => Effect.sync(() => registry.close()))
      return {
        get: (key) =>
          Effect.contextWith((context: Context.Context<never>) =>
            Effect.map(Monotonic.now, (now) => registry.get(key, now, context))
          ),
        all: Effect.sync(() => registry.all())
      }
    })
  )

/**
 * As `layer`, with the policy from the configuration, such as the `circuit` of
 * `PolicyConfig.config`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  policy: Config.Config<Circuit.Policy | "none">
): Layer.Layer<CircuitBreaker, Config.ConfigError> => Layer.unwrap(Effect.map(policy, layer))
