/**
 * Keeps what is measured of actors. The numbers are read when somebody asks for
 * them: an actor only counts.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import { constVoid } from "effect/Function"
import * as Metric from "effect/Metric"
import * as MetricAttributes from "../../value/internal/metricAttributes.ts"
import * as Definitions from "./actorMetricDefinitions.ts"

/**
 * Why a letter is dead.
 *
 * @category constants
 * @since 0.1.0
 */
export const reasons = ["Overflow", "Expired", "Stopped", "Crashed", "Failed", "Undeliverable"] as const

type Reasons = { -readonly [Reason in typeof reasons[number]]: number }

/**
 * No letter of any reason.
 *
 * @category constructors
 * @since 0.1.0
 */
export const noLetters = (): Reasons => ({
  Overflow: 0,
  Expired: 0,
  Stopped: 0,
  Crashed: 0,
  Failed: 0,
  Undeliverable: 0
})

/**
 * What one actor has counted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counted {
  readonly told: number
  readonly handled: number
  readonly restarts: number
  readonly waiting: number
}

/**
 * All actors of one name: those that live, and what those that ended have counted.
 *
 * @category models
 * @since 0.1.0
 */
export class Kind {
  readonly live = new Set<Counted>()
  private told = 0
  private handled = 0
  private restarts = 0

  /** One has ended. */
  ended(counted: Counted): void {
    if (!this.live.delete(counted)) return
    this.told += counted.told
    this.handled += counted.handled
    this.restarts += counted.restarts
  }

  sum(of: keyof Counted): number {
    let sum = of === "waiting" ? 0 : this[of]
    for (const counted of this.live) sum += counted[of]
    return sum
  }
}

const kinds = new WeakMap<object, Map<string, Kind>>()
const letters = new WeakMap<object, Reasons>()

/**
 * All actors of a name in a registry of metrics.
 *
 * @category getters
 * @since 0.1.0
 */
export const kindOf = (context: Context.Context<never>, name: string): Kind => {
  const registry = Context.get(context, Metric.MetricRegistry)
  const known = kinds.get(registry) ?? new Map<string, Kind>()
  kinds.set(registry, known)
  const found = known.get(name)
  if (found !== undefined) return found
  const kind = new Kind()
  known.set(name, kind)
  const labelled = MetricAttributes.add(context, { actor: name })
  count(Definitions.told, labelled, () => kind.sum("told"))
  count(Definitions.handled, labelled, () => kind.sum("handled"))
  count(Definitions.restarts, labelled, () => kind.sum("restarts"))
  measure(Definitions.alive, labelled, () => kind.live.size)
  measure(Definitions.waiting, labelled, () => kind.sum("waiting"))
  return kind
}

/**
 * How many dead letters a registry of metrics shows, to be counted up.
 *
 * @category getters
 * @since 0.1.0
 */
export const lettersOf = (context: Context.Context<never>): Reasons => {
  const registry = Context.get(context, Metric.MetricRegistry)
  const found = letters.get(registry)
  if (found !== undefined) return found
  const counts = noLetters()
  letters.set(registry, counts)
  for (const reason of reasons) {
    count(Definitions.deadLetters, MetricAttributes.add(context, { reason }), () => counts[reason])
  }
  return counts
}

const count = (metric: typeof Definitions.told, context: Context.Context<never>, read: () => number) =>
  Metric.registerUnsafe(metric, context, {
    get: () => ({ count: read(), incremental: true }),
    update: constVoid,
    modify: constVoid
  })

const measure = (metric: typeof Definitions.alive, context: Context.Context<never>, read: () => number) =>
  Metric.registerUnsafe(metric, context, { get: () => ({ value: read() }), update: constVoid, modify: constVoid })
