/**
 * What metrics are told apart by.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as Record from "effect/Record"
import * as Printable from "../Printable.ts"

/**
 * The context in which metrics carry these attributes besides those that they
 * have, their values escaped: a peer may have named what they are of.
 *
 * @category combinators
 * @since 0.1.0
 */
export const add = (
  context: Context.Context<never>,
  attributes: Record.ReadonlyRecord<string, string>
): Context.Context<never> =>
  Context.add(context, Metric.CurrentMetricAttributes, {
    ...Context.get(context, Metric.CurrentMetricAttributes),
    ...Record.map(attributes, (value) => Printable.escape(value))
  })
