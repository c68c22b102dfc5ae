/**
 * `tickline demo --virtual`: the demo's venues under the virtual clock, with
 * random troubles from a seed. The same seed gives the same hash.
 *
 * @since 0.1.0
 */
import * as Channel from "@tickline/core/value/Channel"
import * as Venues from "@tickline/core/venue/Venues"
import * as EventLog from "@tickline/testing/EventLog"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Simulation from "@tickline/testing/Simulation"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Host, type OutputClosed } from "../runner/Host.ts"
import type { Format } from "../runner/Output.ts"
import { RunFailed } from "../runner/RunnerError.ts"
import { grouped, paint as makePaint, span, table } from "../runner/Style.ts"
import * as Scenario from "./Scenario.ts"

/**
 * How it is run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly format: Format
  readonly seed: number
  readonly durationMillis: number
}

/**
 * Runs the command: a summary on stderr, the hash of the event log on stdout.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<void, RunFailed | OutputClosed, Host> {
  const { stderr, stdout } = yield* Host
  const { durationMillis, seed } = options
  const lasts = Duration.millis(durationMillis)
  const reports: Array<readonly [string, Simulation.Report]> = []
  for (const { name, products } of Scenario.venues) {
    const client = Venues.get(name)
    const server = MockVenues.byName(name)
    if (client === undefined || server === undefined) return yield* Effect.die(new Error(`no venue ${name}`))
    const trade = client.channels.trade ?? ""
    const [first, ...others] = products.map(({ symbol }) => Channel.make(trade, symbol))
    if (first === undefined) continue
    const report = yield* Simulation.run({
      seed,
      venue: { client, server },
      url: `wss://${name}.test/feed`,
      products,
      channels: [first, ...others],
      lasts,
      policy: Scenario.policy,
      faults: FaultPlan.random({ seed, within: lasts })
    })
    reports.push([name, report])
  }
  const log = EventLog.make({ keep: false })
  for (const [name, { hash }] of reports) log.add(0, name, { hash })
  const hash = log.hash()

  const said = makePaint(stderr.hasColor)
  const rows = reports.flatMap(([name, { accounts }]) =>
    accounts.map(({ delivered, duplicates, lostInGaps, product, repeated, sent, unaccounted }) => [
      name,
      product,
      grouped(sent),
      unaccounted === 0 ? "=" : said("red", "≠"),
      grouped(delivered),
      "+",
      grouped(repeated),
      "+",
      grouped(lostInGaps),
      grouped(duplicates)
    ])
  )
  const titles = ["venue", "product", "sent", "", "delivered", "", "repeated", "", "in gaps", "duplicated"]
  const columns = titles.map((title, index) => ({
    title,
    align: index >= 2 ? "right" as const : "left" as const
  }))
  const total = (of: (report: Simulation.Report) => number) => reports.reduce((sum, [, report]) => sum + of(report), 0)
  const violations = reports.flatMap(([name, { violations }]) => violations.map((text) => `${name}: ${text}`))
  stderr.writeUnsafe(
    [
      Scenario.policyText,
      `${span(durationMillis)} of virtual time, seed ${seed}: ${total(({ strikes }) => strikes.length)} faults, ${
        total(({ dials }) => dials.length)
      } dials, ${total(({ drops }) => drops)} drops, ${total(({ gaps }) => gaps)} gaps`,
      "",
      ...table(said, columns, rows),
      "",
      ...violations.map((text) => said("red", text)),
      ""
    ].join("\n")
  )
  yield* stdout.write(
    options.format === "ndjson"
      ? `${JSON.stringify({ _tag: "Simulated", seed, hash, events: total(({ events }) => events.length) })}\n`
      : `hash ${hash}\n`
  )
  if (violations.length > 0) {
    return yield* new RunFailed({ detail: `the account does not balance: ${violations.length} violations` })
  }
})
