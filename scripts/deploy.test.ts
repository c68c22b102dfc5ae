/**
 * The dashboard and the alert rules of `deploy/` are held against what a scraper
 * is given: each metric that they name is there, with the labels and the values
 * of labels that they ask for.
 */
import { assert, describe, it } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as DeribitSession from "@tickline/core/session/deribit/DeribitSession"
import * as Channel from "@tickline/core/value/Channel"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import * as Probe from "@tickline/testing/Probe"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Yaml from "yaml"
import * as GovernorMetrics from "../packages/node/src/internal/governorMetrics.ts"
import { droppedEvents } from "../packages/node/src/internal/outputMetrics.ts"

/** Series as a scraper sees them: by name, the labels of each and their values. */
type Scraped = ReadonlyMap<string, ReadonlyArray<ReadonlyMap<string, string>>>

const scraped: Effect.Effect<Scraped> = Effect.gen(function*() {
  yield* DeribitSession.make({ clientId: "A", clientSecret: Redacted.make("B") })
  // Its channels are never asked for: they are there for their labels.
  const feed = yield* MarketFeed.prepare(Deribit.venue, {})
  yield* feed.subscribe([Channel.make("trades.100ms", "BTC-PERPETUAL")])
  const context = yield* Effect.context<never>()
  for (const metric of [...Object.values(GovernorMetrics), droppedEvents]) metric.valueUnsafe(context)
  const series = new Map<string, Array<ReadonlyMap<string, string>>>()
  for (const line of (yield* PrometheusMetrics.format()).split("\n")) {
    const [, name, labels = ""] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? []
    if (name === undefined) continue
    const of = new Map([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = "", value = ""]) => [label, value]))
    series.set(name, [...series.get(name) ?? [], of])
  }
  return series
}).pipe(
  Effect.orDie,
  Effect.scoped,
  Effect.provide(Probe.layer()),
  Effect.provideService(Metric.MetricRegistry, new Map())
)

/** What an expression of PromQL asks for that is not there. `labels` are those that its legend or its text shows. */
const faults = (series: Scraped, expression: string, labels: ReadonlyArray<string> = []): ReadonlyArray<string> => {
  const bare = expression.replaceAll(/"[^"]*"/g, "\"\"")
  const asked = [...expression.matchAll(/\b((?:tickline|circuit_breaker)_\w+)(?:\{([^}]*)\})?/g)]
  if (asked.length === 0) return [`no metric in ${expression}`]
  const grouped = [...bare.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(/, */))
  const shown = [...grouped, ...labels]
  return asked.flatMap(([, name = "", selector = ""]) => {
    const found = series.get(name)
    if (found === undefined) return [`no metric ${name}`]
    const has = (label: string): boolean => found.some((of) => of.has(label))
    const selected = [...selector.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)]
    return [
      ...[...shown, ...selected.map(([, label = ""]) => label)].filter((label) => !has(label))
        .map((label) => `${name} has no label ${label}`),
      ...selected.filter(([, label = "", operator, value]) =>
        operator === "=" && !found.some((of) => of.get(label) === value)
      ).map(([, label, , value]) => `${name} has no ${label}="${value}"`)
    ]
  })
}

const named = (text: string, pattern: RegExp): ReadonlyArray<string> =>
  [...text.matchAll(pattern)].map(([, label = ""]) => label)

const Dashboard = Schema.Struct({
  templating: Schema.Struct({ list: Schema.Array(Schema.Struct({ name: Schema.String, query: Schema.String })) }),
  panels: Schema.Array(Schema.Struct({
    title: Schema.String,
    type: Schema.String,
    targets: Schema.optionalKey(Schema.Array(Schema.Struct({ expr: Schema.String, legendFormat: Schema.String })))
  }))
})

const Rules = Schema.Struct({
  groups: Schema.Array(Schema.Struct({
    name: Schema.String,
    rules: Schema.Array(Schema.Struct({
      alert: Schema.String,
      expr: Schema.String,
      for: Schema.optionalKey(Schema.String),
      labels: Schema.Struct({ severity: Schema.Literals(["info", "warning", "critical"]) }),
      annotations: Schema.Struct({ summary: Schema.String, description: Schema.String })
    }))
  }))
})

const read = (path: string): string => Fs.readFileSync(path, "utf8")

describe("deploy", () => {
  it.effect("grafana.json shows what is measured, by labels that are there", () =>
    Effect.gen(function*() {
      const series = yield* scraped
      const { panels, templating } = yield* Schema.decodeUnknownEffect(Schema.fromJsonString(Dashboard))(
        read("deploy/grafana.json")
      )
      const wrong = panels.flatMap(({ targets = [], title }) =>
        targets.flatMap(({ expr, legendFormat }) =>
          faults(series, expr.replaceAll("$__rate_interval", "5m"), named(legendFormat, /\{\{(\w+)\}\}/g))
            .map((fault) => `${title}: ${fault}`)
        )
      )
      assert.deepStrictEqual(wrong, [])
      assert.isAbove(panels.filter(({ targets }) => targets !== undefined).length, 20)
      const variables = new Set(templating.list.map(({ name }) => name))
      const text = read("deploy/grafana.json")
      const used = new Set(named(text, /\$\{?(\w+)\}?/g).filter((name) => !name.startsWith("__")))
      assert.deepStrictEqual([...used].filter((name) => !variables.has(name)), [])
      for (const { query } of templating.list) {
        const [, metric, label = ""] = /^label_values\((\w+), (\w+)\)$/.exec(query) ?? []
        if (metric !== undefined) assert.deepStrictEqual(faults(series, metric, [label]), [])
      }
    }))

  it.effect("alerts.yaml asks for what is measured, by labels and values that are there", () =>
    Effect.gen(function*() {
      const series = yield* scraped
      const { groups } = yield* Schema.decodeUnknownEffect(Rules)(Yaml.parse(read("deploy/alerts.yaml")))
      const rules = groups.flatMap(({ rules }) => rules)
      const wrong = rules.flatMap(({ alert, annotations: { description, summary }, expr }) =>
        faults(series, expr, named(`${summary} ${description}`, /\$labels\.(\w+)/g)).map((fault) =>
          `${alert}: ${fault}`
        )
      )
      assert.deepStrictEqual(wrong, [])
      assert.strictEqual(new Set(rules.map(({ alert }) => alert)).size, rules.length)
      assert.isAbove(rules.length, 15)
    }))

  it.effect("what is not there would be found", () =>
    Effect.map(scraped, (series) => {
      assert.deepStrictEqual(faults(series, "tickline_conected == 0"), ["no metric tickline_conected"])
      assert.deepStrictEqual(faults(series, "sum by (venue) (tickline_connected{leg=\"1\"})"), [
        "tickline_connected has no label venue",
        "tickline_connected has no label leg",
        "tickline_connected has no leg=\"1\""
      ])
      assert.deepStrictEqual(faults(series, "tickline_sign_ins_total{outcome=\"denied\"}", ["reason"]), [
        "tickline_sign_ins_total has no label reason",
        "tickline_sign_ins_total has no outcome=\"denied\""
      ])
    }))
})
