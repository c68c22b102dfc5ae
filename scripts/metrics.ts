/** All of Tickline's metrics, whichever package has them. */
import type * as Metric from "effect/Metric"
import * as OfActors from "../packages/core/src/actor/internal/actorMetricDefinitions.ts"
import * as OfSignals from "../packages/core/src/strategy/internal/signalMetrics.ts"
import * as OfTraders from "../packages/core/src/strategy/internal/traderMetricDefinitions.ts"
import * as OfConnections from "../packages/core/src/value/internal/metricDefinitions.ts"
import * as OfSessions from "../packages/core/src/value/internal/sessionMetricDefinitions.ts"
import * as OfGovernor from "../packages/node/src/internal/governorMetrics.ts"
import { droppedEvents } from "../packages/node/src/internal/outputMetrics.ts"

export const metricDefinitions: ReadonlyArray<Metric.Metric<never, unknown>> = [
  ...Object.values(OfActors),
  ...Object.values(OfConnections),
  ...Object.values(OfSessions),
  OfSignals.candles,
  OfSignals.signals,
  OfSignals.strategyFailures,
  OfSignals.lateTrades,
  ...Object.values(OfTraders),
  ...Object.values(OfGovernor),
  droppedEvents
]
