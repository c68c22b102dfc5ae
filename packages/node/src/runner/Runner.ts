/**
 * Runs `tickline` for a list of arguments and says with which code the process
 * is to exit.
 *
 * @since 0.1.0
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Printable from "@tickline/core/value/Printable"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Cli from "./Cli.ts"
import * as Help from "./Help.ts"
import { Host, OutputClosed, type Sink } from "./Host.ts"
import { exitCodes, RunFailed, Unsuccessful, UsageError } from "./RunnerError.ts"
import { paint as makePaint, wrap } from "./Style.ts"
import * as Usage from "./Usage.ts"

/** Says what is wrong, on one line, which a terminal gets broken between words. */
const sayOn = (stderr: Sink) => (text: string): void => {
  const line = `${makePaint(stderr.hasColor)("red", "tickline:")} ${text}`
  const lines = stderr.isTerminal ? wrap(line, stderr.size().columns, "  ") : [line]
  stderr.writeUnsafe(`${lines.join("\n")}\n`)
}

/** Help and version are data that was asked for; what is wrong with a command line goes to stderr. */
const presenter = (host: Host["Service"]): CliOutput.Presenter => {
  const formatter = CliOutput.defaultFormatter({ colors: host.stdout.hasColor })
  const paint = makePaint(host.stderr.hasColor)
  const say = sayOn(host.stderr)
  return {
    present: (event) =>
      Effect.sync(() => {
        switch (event._tag) {
          case "Help":
            return host.stdout.writeUnsafe(
              `${Help.format(makePaint(host.stdout.hasColor), event.helpDoc, host.stdout.size().columns)}\n`
            )
          case "Version":
            return host.stdout.writeUnsafe(`${formatter.formatVersion(event.name, event.version)}\n`)
          case "InvalidInvocation": {
            for (const error of event.errors) say(Usage.message(error, event))
            const path = event.commandPath.join(" ")
            return host.stderr.writeUnsafe(`${paint("dim", `See ${path} --help.`)}\n`)
          }
        }
      })
  }
}

/** The shell completions are printed through the console; it is the host's. */
const consoleOf = ({ stderr, stdout }: Host["Service"]): Console.Console => {
  const to = (sink: typeof stdout) => (...texts: ReadonlyArray<unknown>) => sink.writeUnsafe(`${texts.join(" ")}\n`)
  const made: Console.Console = Object.create(globalThis.console)
  return Object.assign(made, { log: to(stdout), info: to(stdout), error: to(stderr), warn: to(stderr) })
}

/** How long the end of a run waits for the reader of stderr. */
const stderrGrace = "1 second"

/**
 * Runs the arguments to their end. Never fails: a wrong use is 2, a failed run
 * 1, an order whose outcome is unknown 3, a bug 70 with its cause on stderr, all
 * else 0. A reader of stdout who has
 * gone ends the run quietly with 0; where stdout cannot be written for another
 * reason, such as a full disk, the run has failed.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function*(
  args: ReadonlyArray<string>,
  version: string
): Effect.fn.Return<number, never, Host> {
  const host = yield* Host
  const say = sayOn(host.stderr)

  const outputClosed = (error: OutputClosed): number => {
    if (error.reason === undefined) return exitCodes.done
    return say(error.message), exitCodes.failed
  }
  const codeOf = (exit: Exit.Exit<void, unknown>): number => {
    if (Exit.isSuccess(exit)) return exitCodes.done
    // A bug shows even where a failure stands beside it.
    const hasDefect = exit.cause.reasons.some(Cause.isDieReason)
    if (!hasDefect) {
      if (Cause.hasInterruptsOnly(exit.cause)) return exitCodes.done
      const error = Cause.squash(exit.cause)
      if (error instanceof OutputClosed) return outputClosed(error)
      if (error instanceof Unsuccessful) return error.code
      if (error instanceof RunFailed) return say(error.message), exitCodes.failed
      if (error instanceof UsageError) return say(error.message), exitCodes.usage
      // Presented already.
      if (CliError.isCliError(error) && error._tag === "ShowHelp") {
        return error.errors.length > 0 ? exitCodes.usage : exitCodes.done
      }
      if (CliError.isCliError(error)) return say(error.message), exitCodes.usage
    }
    say("this is a bug.")
    for (const line of Cause.pretty(exit.cause).split("\n")) host.stderr.writeUnsafe(`${Printable.escape(line)}\n`)
    return exitCodes.bug
  }

  const exit = yield* Effect.exit(
    Command.runWith(Cli.command, { version })(args).pipe(
      Effect.provide(Layer.mergeAll(
        NodeServices.layer,
        CliOutput.layerPresenter(presenter(host)),
        CliConfig.layer({ builtIns: Cli.builtIns })
      )),
      Effect.provideService(Console.Console, consoleOf(host))
    )
  )
  const code = codeOf(exit)
  // Of what was written without waiting it is known only now whether it could be.
  const isFlushed = yield* Effect.exit(host.stdout.flushed)
  const last = code === exitCodes.done ? codeOf(isFlushed) : code
  // Nobody has to read the log for the run to end.
  yield* Effect.ignore(Effect.timeoutOption(host.stderr.flushed, stderrGrace))
  return last
})
