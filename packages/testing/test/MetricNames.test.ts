/** Every metric of a connection as a scraper first sees it: names, labels, buckets, zeros. `vitest run -u` writes it anew. */
import { expect, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { policyWith, url, withVenue } from "./Rig.ts"

it.effect("the metrics of a connection, before anything has happened", () =>
  withVenue(policyWith({}), () =>
    Effect.gen(function*() {
      yield* Connection.make(url)
      expect(yield* PrometheusMetrics.format()).toMatchSnapshot()
    })).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
