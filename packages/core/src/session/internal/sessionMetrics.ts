/**
 * What is counted of a session: how its epochs came up, and whether it is live.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as MetricAttributes from "../../value/internal/metricAttributes.ts"
import * as MetricDefinitions from "../../value/internal/sessionMetricDefinitions.ts"

// A metric with an attribute is made once; its values are kept by the context's label.
const of = (metric: Metric.Counter<number>) => (outcome: string) => Metric.withAttributes(metric, { outcome })

const signIn = of(MetricDefinitions.signIns)
const renewal = of(MetricDefinitions.renewals)
const reconciliation = of(MetricDefinitions.reconciliations)

const signIns = { "signed-in": signIn("signed-in"), refused: signIn("refused"), failed: signIn("failed") }
const renewals = { renewed: renewal("renewed"), failed: renewal("failed") }
const reconciliations = { reconciled: reconciliation("reconciled"), failed: reconciliation("failed") }

// What is there from the beginning, at zero.
const metrics = [
  MetricDefinitions.sessionsLive,
  ...[signIns, renewals, reconciliations].flatMap((all) => Object.values(all))
]

/**
 * What is counted of one session.
 *
 * @category models
 * @since 0.1.0
 */
export class SessionMetrics {
  private readonly context: Context.Context<never>
  private isLive = false

  constructor(label: string, context: Context.Context<never>) {
    this.context = MetricAttributes.add(context, { connection: label })
    for (const metric of metrics) metric.valueUnsafe(this.context)
  }

  signedIn(outcome: keyof typeof signIns): void {
    signIns[outcome].updateUnsafe(1, this.context)
  }

  renewed(outcome: keyof typeof renewals): void {
    renewals[outcome].updateUnsafe(1, this.context)
  }

  reconciled(outcome: keyof typeof reconciliations): void {
    reconciliations[outcome].updateUnsafe(1, this.context)
  }

  /** Several sessions may have the same label. */
  live(isLive: boolean): void {
    if (isLive !== this.isLive) MetricDefinitions.sessionsLive.modifyUnsafe(isLive ? 1 : -1, this.context)
    this.isLive = isLive
  }
}
