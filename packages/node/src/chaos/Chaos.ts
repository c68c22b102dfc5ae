/**
 * `tickline chaos`: the whole system under the virtual clock, for each of many
 * seeds, and one line a seed. What fails is told with the command that plays it
 * again.
 *
 * @since 0.1.0
 */
import * as Venues from "@tickline/core/venue/Venues"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as TradingSimulation from "@tickline/testing/TradingSimulation"
import * as Effect from "effect/Effect"
import { Host, type OutputClosed } from "../runner/Host.ts"
import * as Log from "../runner/Log.ts"
import { type Format, jsonLine } from "../runner/Output.ts"
import { exitCodes, Unsuccessful, UsageError } from "../runner/RunnerError.ts"
import { grouped, paint as makePaint } from "../runner/Style.ts"
import * as Scenario from "./Scenario.ts"
import { shrink } from "./Shrinking.ts"

/**
 * How it is run: the seeds, from the first to the last; which venues; whether
 * traders trade there; whether what went wrong with a seed that fails is cut down.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly format: Format
  readonly seeds: { readonly from: number; readonly to: number }
  readonly hours: number
  readonly venues: ReadonlyArray<string>
  readonly trader: boolean
  readonly shrink: boolean
}

const isTrading = (name: string): name is TradingSimulation.Venue =>
  TradingSimulation.venues.some((venue) => venue === name)

const served = Venues.all.map(({ name }) => name).filter((name) => MockVenues.byName(name) !== undefined)

const replayOf = ({ hours, trader, venues }: Options, seed: number): string =>
  `tickline chaos --seeds ${seed} --hours ${hours} --venues ${venues.join(",")}${trader ? " --trader" : ""}`

/**
 * Plays the seeds, one after the other.
 *
 * @category running
 * @since 0.1.0
 */
export const play = Effect.fnUntraced(function*<Fault>(
  options: Options,
  scenario: Scenario.Scenario<Fault>
): Effect.fn.Return<void, Unsuccessful | OutputClosed, Host> {
  const { stderr, stdout } = yield* Host
  const { from, to } = options.seeds
  const painted = makePaint(stdout.hasColor)
  let failed = 0
  for (let seed = from; seed <= to; seed++) {
    const faults = scenario.faults(seed)
    const { events, hash, violations } = yield* scenario.play(seed, faults)
    const isSound = violations.length === 0
    yield* stdout.write(
      options.format === "ndjson"
        ? jsonLine(JSON.stringify({ _tag: "Seed", seed, hash, events, violations }), stdout)
        : `${painted("dim", "seed")} ${seed} ${hash} ${grouped(events)} events ${
          isSound ? painted("green", "sound") : painted("red", `${violations.length} violations: ${violations[0]}`)
        }\n`
    )
    if (isSound) continue
    failed++
    yield* stderr.write(`seed ${seed} fails; to play it again: ${replayOf(options, seed)}\n`)
    if (!options.shrink) continue
    const least = yield* shrink(
      faults,
      (some) => Effect.map(scenario.play(seed, some), ({ violations }) => violations.length > 0)
    )
    const lines = least.map((fault) => `  ${scenario.describe(fault)}\n`).join("")
    yield* stderr.write(`seed ${seed} still fails with ${least.length} of ${faults.length} faults:\n${lines}`)
  }
  if (failed > 0) return yield* new Unsuccessful({ code: exitCodes.failed })
})

/**
 * Runs the command. A signal, or a reader that goes, ends it at once.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<void, Unsuccessful | UsageError | OutputClosed, Host> {
  const { hours, trader, venues } = options
  const { signal, stdout } = yield* Host
  const known = trader ? TradingSimulation.venues : served
  const wrong = venues.find((name) => !known.some((venue) => venue === name))
  if (wrong !== undefined) {
    const expected = known.map((name) => `"${name}"`).join(", ")
    return yield* new UsageError({ key: "--venues", value: wrong, expected: `one or some of ${expected}` })
  }
  const played = trader
    ? play(options, Scenario.traders(venues.filter(isTrading), hours))
    : play(options, Scenario.feeds(venues, hours))
  return yield* Effect.raceAllFirst([played, Effect.asVoid(signal), Effect.ignore(stdout.closed)]).pipe(
    Effect.provide(Log.silent)
  )
})
