/**
 * The strategy that a configuration names.
 *
 * @since 0.1.0
 */
import * as Strategy from "@tickline/core/strategy/Strategy"
import * as TraderConfig from "./TraderConfig.ts"

/**
 * Makes it: one by its name, or several by their weights, which follow how each
 * of them does.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (config: TraderConfig.Strategy): Strategy.Strategy => {
  if (config._tag === "Named") return Strategy.byName[config.name]
  const names = TraderConfig.single.filter((name) => config.weights[name] !== undefined)
  return Strategy.combined(
    names.map((name) => ({ strategy: Strategy.byName[name], weight: config.weights[name] ?? 0 }))
  )
}
