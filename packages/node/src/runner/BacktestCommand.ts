/**
 * The command `tickline backtest`, and its flags.
 *
 * @since 0.1.0
 */
import * as Venues from "@tickline/core/venue/Venues"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { durationFlag, feesFlag, running } from "./internal/flags.ts"
import * as Targets from "./Targets.ts"

const venueNames = Venues.all.map(({ name }) => name).join(", ")

/**
 * The command.
 *
 * @category constants
 * @since 0.1.0
 */
export const backtest = Command.make(
  "backtest",
  {
    recordings: Argument.String("recording").pipe(
      Argument.withDescription("Recordings of one venue, read as one in this order; - is stdin"),
      Argument.atLeast(1)
    ),
    strategy: Flag.Literals("strategy", ["fast", "momentum", "conservative", "combined"]).pipe(
      Flag.withDescription("fast, momentum, conservative or combined")
    ),
    venue: Flag.String("venue").pipe(
      Flag.filterMap((name) => Option.fromUndefinedOr(Venues.get(name)), Targets.expectedVenue),
      Flag.withDescription(`Venue, where no recording names it: ${venueNames}`),
      Flag.optional
    ),
    config: Flag.String("config").pipe(
      Flag.withMetavar("file.toml"),
      Flag.withDescription("How it trades, from the [trader] section of a TOML file"),
      Flag.optional
    ),
    fees: feesFlag,
    latency: durationFlag("latency", "From a decision to its arrival at the exchange; no time by default").pipe(
      Flag.optional
    ),
    html: Flag.String("html").pipe(
      Flag.withMetavar("file"),
      Flag.withDescription("Write a report as one HTML file too, with charts"),
      Flag.optional
    )
  },
  (flags) =>
    running(({ format }) =>
      Effect.flatMap(Effect.promise(() => import("./Backtesting.ts")), (Backtesting) =>
        Backtesting.run({
          recordings: flags.recordings,
          strategy: flags.strategy,
          venue: Option.getOrUndefined(flags.venue),
          config: Option.getOrUndefined(flags.config),
          fees: Option.getOrUndefined(flags.fees),
          latency: Option.getOrUndefined(flags.latency),
          html: Option.getOrUndefined(flags.html),
          format
        }))
    )
).pipe(
  Command.withDescription("A strategy over recordings, with the code that runs live"),
  Command.withExamples([
    { command: "tickline backtest day.jsonl.zst --strategy fast", description: "Its fills, and what came of them" },
    {
      command:
        "tickline backtest day.*.jsonl.zst --strategy combined --fees taker=0.0005 --latency 50ms --html report.html",
      description: "Several as one, with fees and latency, and a report with charts"
    }
  ])
)
