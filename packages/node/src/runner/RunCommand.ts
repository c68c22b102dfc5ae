/**
 * The commands `tickline run` and `tickline halt`.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { durationFlag, overflowFlag, running, switchFlag } from "./internal/flags.ts"

/**
 * The command `tickline run`.
 *
 * @category constants
 * @since 0.1.0
 */
export const run = Command.make(
  "run",
  {
    config: Flag.String("config").pipe(
      Flag.withMetavar("file.toml"),
      Flag.withDescription("What it does: venues, products, policies, output, pages; SIGHUP reads it again")
    ),
    duration: durationFlag("duration", "End after so long; by default it goes on until it is ended").pipe(
      Flag.optional
    ),
    overflow: overflowFlag.pipe(Flag.optional)
  },
  ({ config, duration, overflow }) =>
    running(({ format }) =>
      Effect.flatMap(
        Effect.promise(() => import("./Service.ts")),
        (Service) =>
          Service.run({
            config,
            format,
            duration: Option.getOrUndefined(duration),
            overflow: Option.getOrUndefined(overflow)
          })
      )
    )
).pipe(
  Command.withDescription("The long-running service: market data of several venues, a trader, /metrics and /healthz"),
  Command.withExamples([
    { command: "tickline run --config tickline.toml", description: "Until SIGINT or SIGTERM" },
    { command: "tickline run --config trader.toml --duration 1m", description: "A minute of a trader, and its report" }
  ])
)

/**
 * The command `tickline halt`.
 *
 * @category constants
 * @since 0.1.0
 */
export const halt = Command.make(
  "halt",
  {
    config: Flag.String("config").pipe(
      Flag.withMetavar("file.toml"),
      Flag.withDescription("The configuration of the trader, as of run")
    ),
    clear: switchFlag("clear", "Let it trade again")
  },
  (flags) =>
    running(({ format }) =>
      Effect.flatMap(
        Effect.promise(() => import("./trader/Halting.ts")),
        (Halting) => Halting.run({ ...flags, format })
      )
    )
).pipe(
  Command.withDescription("Cancel everything of a trader, and let it place nothing more, also after a restart"),
  Command.withExamples([
    { command: "tickline halt --config trader.toml", description: "Whether it runs or not" },
    { command: "tickline halt --config trader.toml --clear", description: "Go on" }
  ])
)
