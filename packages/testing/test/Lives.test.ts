/**
 * The life of a client at each venue, and under each preset: when it dials,
 * what it says, what it tells its consumers and counts, through drops, silence,
 * refusals and frames that are none. It is the same to the millisecond wherever
 * it runs. What changes on purpose is written anew by `vitest run -u`; read the
 * difference before you take it.
 */
import { describe, expect, it } from "@effect/vitest"
import * as ConnectionMetrics from "@tickline/core/connection/ConnectionMetrics"
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Channel from "@tickline/core/value/Channel"
import * as Venues from "@tickline/core/venue/Venues"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Simulation from "@tickline/testing/Simulation"
import * as Effect from "effect/Effect"

const symbols: Readonly<Record<string, readonly [string, string]>> = {
  binance: ["BTCUSDT", "ETHUSDT"],
  kraken: ["BTC/USD", "ETH/USD"],
  deribit: ["BTC-PERPETUAL", "ETH-PERPETUAL"],
  hyperliquid: ["BTC", "ETH"]
}

const at = (seconds: number, action: FaultPlan.Action): FaultPlan.Timed => FaultPlan.at(`${seconds} seconds`, action)

/** What a client lives through: one line for each thing that it does or tells. */
const life = Effect.fnUntraced(function*(
  name: string,
  options: Pick<Simulation.RunOptions, "faults" | "policy" | "lasts" | "settles">
) {
  const [client, server] = [Venues.get(name), MockVenues.byName(name)]
  if (client === undefined || server === undefined) return yield* Effect.die(`no venue ${name}`)
  const lines: Array<readonly [at: number, line: string]> = []
  const [first, second] = symbols[name] ?? ["BTC-USD", "ETH-USD"]
  const report = yield* Simulation.run({
    seed: 4,
    venue: { client, server },
    products: [first, second].map((symbol) => ({ symbol, price: "43250.10", size: "0.0500" })),
    channels: [
      Channel.make(client.channels.trade ?? "", first),
      ...(client.channels.book === undefined ? [] : [Channel.make(client.channels.book, second)])
    ],
    every: "7 seconds",
    latency: 15,
    onEvent: (event, atMillis) => {
      if (!MarketEvent.isMarketData(event) && event._tag !== "Heartbeat") {
        {
          const { _tag, at: _at, venue: _venue, ...told } = Object(JSON.parse(Ndjson.toJson(event)))
          lines.push([atMillis, `${_tag} ${JSON.stringify(told)}`])
        }
      }
    },
    ...options
  })
  for (const dial of report.dials) lines.push([dial.at, `dial ${dial.outcome}`])
  for (const { at: when, connection, kind, text } of report.heard) {
    lines.push([when, `${kind} on ${connection} ${text}`])
  }
  for (const { action, at: when } of report.strikes) lines.push([when, `fault ${FaultPlan.formatAction(action)}`])
  return [
    ...lines.toSorted(([a], [b]) => a - b).map(([when, line]) => `${when} ${line}`),
    ...report.accounts.map((account) => JSON.stringify(account)),
    // Without the stack, which names files.
    ...report.violations.map((violation) => violation.split("\n")[0]),
    // Of every line of the log, frames and events included.
    report.hash,
    ...(report.metrics === undefined ? [] : [JSON.stringify(ConnectionMetrics.toJson(report.metrics))])
  ].join("\n")
})

describe("the life of a client", () => {
  for (const { name } of MockVenues.all) {
    it.live(`at ${name}`, () =>
      Effect.gen(function*() {
        expect(
          yield* life(name, {
            lasts: "5 minutes",
            settles: "3 minutes",
            faults: [
              at(20, { _tag: "Drop" }),
              at(45, { _tag: "Refuse", dials: 2 }),
              at(45, { _tag: "Close", code: 1012 }),
              at(70, { _tag: "Silent" }),
              at(170, { _tag: "Status", status: 429, retryAfterSeconds: 9 }),
              at(170, { _tag: "Drop" }),
              at(200, { _tag: "Garbage" }),
              at(201, { _tag: "Binary" }),
              at(210, { _tag: "Freeze", forMillis: 3000 }),
              at(240, { _tag: "AcceptThenClose", dials: 2, code: 1013 }),
              at(240, { _tag: "Drop" })
            ]
          })
        ).toMatchSnapshot()
      }))
  }

  for (const preset of Presets.presetNames) {
    it.live(`under the preset ${preset}`, () =>
      Effect.gen(function*() {
        expect(
          yield* life("generic", {
            lasts: "11 minutes",
            settles: "7 minutes",
            policy: Presets.preset(preset),
            faults: [
              at(30, { _tag: "Refuse", dials: 2 }),
              at(30, { _tag: "Drop" }),
              at(120, { _tag: "AcceptThenClose", dials: 4, code: 1001 }),
              at(120, { _tag: "Drop" }),
              at(300, { _tag: "Silent" }),
              at(480, { _tag: "Refuse", dials: 7 }),
              at(480, { _tag: "Drop" })
            ]
          })
        ).toMatchSnapshot()
      }))
  }
})
