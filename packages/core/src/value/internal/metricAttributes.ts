/**
 * What metrics are told apart by.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as Record from "effect/Record"
import * as Printable from "../Printable.ts"

// The contexts that were made, by the registry and the attributes that there were: a metric remembers the series that it
// last updated by the very attributes, and would make its key anew for each of a thousand connections to one address.
const known = new WeakMap<object, WeakMap<object, Map<string, Context.Context<never>>>>()

const within = <A>(map: WeakMap<object, A>, key: object, make: () => A): A => {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}

/**
 * The context in which metrics carry these attributes besides those that they
 * have, their values escaped: a peer may have named what they are of. It has what
 * metrics look for, and nothing else.
 *
 * @category combinators
 * @since 0.1.0
 */
export const add = (
  context: Context.Context<never>,
  attributes: Record.ReadonlyRecord<string, string>
): Context.Context<never> => {
  const registry = Context.get(context, Metric.MetricRegistry)
  const others = Context.get(context, Metric.CurrentMetricAttributes)
  const contexts = within(
    within(known, registry, () => new WeakMap<object, Map<string, Context.Context<never>>>()),
    others,
    () => new Map<string, Context.Context<never>>()
  )
  const key = JSON.stringify(attributes)
  const found = contexts.get(key)
  if (found !== undefined) return found
  const made = Context.make(Metric.MetricRegistry, registry).pipe(
    Context.add(Metric.CurrentMetricAttributes, {
      ...others,
      ...Record.map(attributes, (value) => Printable.escape(value))
    })
  )
  contexts.set(key, made)
  return made
}
