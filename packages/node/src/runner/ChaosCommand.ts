/**
 * The command `tickline chaos` and its flags.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { hoursFlag, running, switchFlag } from "./internal/flags.ts"

/**
 * `tickline chaos`.
 *
 * @category constants
 * @since 0.1.0
 */
export const chaos = Command.make(
  "chaos",
  {
    seeds: Flag.String("seeds").pipe(
      Flag.filterMap((text) => {
        const [, first = "", last = first] = /^(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(text) ?? []
        const seeds = { from: Number(first), to: Number(last) }
        return first !== "" && seeds.from <= seeds.to ? Option.some(seeds) : Option.none()
      }, () => "a seed, or the first and the last of several such as 1..200"),
      Flag.withMetavar("from..to"),
      Flag.withDescription("Seeds to play, one after the other; 1 by default"),
      Flag.withDefault({ from: 1, to: 1 })
    ),
    hours: hoursFlag("How long each is, in virtual time; 24 by default"),
    venues: Flag.String("venues").pipe(
      Flag.map((text) => text.split(",").map((name) => name.trim())),
      Flag.withMetavar("names"),
      Flag.withDescription("Venues, with commas between; coinbase, hyperliquid and dydx by default"),
      Flag.withDefault(["coinbase", "hyperliquid", "dydx"])
    ),
    trader: switchFlag("trader", "Five traders with accounts there, instead of feeds alone"),
    shrink: switchFlag("shrink", "Cut what went wrong down to the least of it that still fails")
  },
  (flags) =>
    running(({ format }) =>
      Effect.flatMap(
        Effect.promise(() => import("../chaos/Chaos.ts")),
        (Chaos) => Chaos.run({ ...flags, format })
      )
    )
).pipe(
  Command.withDescription("Feeds or traders in trouble under the virtual clock, many times, each from a seed"),
  Command.withExamples([
    { command: "tickline chaos --seeds 1..20 --hours 1", description: "An hour of feeds of each of twenty seeds" },
    { command: "tickline chaos --seeds 7 --trader --shrink", description: "A day of traders, and what fails of it" }
  ])
)
