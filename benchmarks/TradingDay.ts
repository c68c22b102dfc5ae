/** A whole virtual day of five traders at three exchanges in trouble, of one seed. */
import * as TradingSimulation from "@tickline/testing/TradingSimulation"
import * as Effect from "effect/Effect"
import * as Rounds from "./Rounds.ts"

// The first hours compile what all of them run.
await Effect.runPromise(TradingSimulation.run({ seed: 2, lasts: "1 hour", keepLog: false }))

const begun = performance.now()
const { events, fills, orders, violations } = await Effect.runPromise(
  TradingSimulation.run({ seed: 1, keepLog: false })
)
const took = performance.now() - begun
if (violations.length > 0) throw new Error(violations.join("\n"))

Rounds.report([{
  name: "whole trading day, three venues, five traders, one seed, virtual",
  value: took / 1_000,
  unit: "s",
  higher: false,
  must: 30,
  goal: 10,
  detail: `${orders} orders, ${fills} fills, ${events} events`
}])
