/**
 * Shell completions: those that effect/cli makes of the commands, with venues,
 * files and the flags of every command besides.
 *
 * @since 0.1.0
 */
import * as Venues from "@tickline/core/venue/Venues"
import * as Completions from "effect/cli/Completions"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Log from "./Log.ts"
import { formats } from "./Output.ts"

const venues: Completions.ArgumentType = { _tag: "Choice", values: Venues.all.map(({ name }) => name) }
const file: Completions.ArgumentType = { _tag: "Path", pathType: "file" }

/** What a text is that effect/cli knows only as text, by the name of its flag or argument. */
const known: Readonly<Record<string, Completions.ArgumentType>> = {
  venue: venues,
  file,
  config: file,
  record: file,
  replay: file
}

const choice = (
  name: string,
  values: ReadonlyArray<string>,
  description: string
): Completions.FlagDescriptor => ({ name, aliases: [], description, type: { _tag: "Choice", values } })

/** Flags that every command has. */
const everywhere: ReadonlyArray<Completions.FlagDescriptor> = [
  choice("format", formats, "Output form"),
  choice("log-level", ["trace", "debug", "info", "warn", "error", "fatal", "none"], "Least level that is logged"),
  choice("log-format", Log.formats, "Form of the log on stderr"),
  { name: "help", aliases: ["h"], description: "Show help", type: { _tag: "Boolean" }, negation: false }
]

const withKnown = (of: Completions.CommandDescriptor): Completions.CommandDescriptor => ({
  ...of,
  flags: [
    ...of.flags.map((flag) => {
      const type = known[flag.name]
      return flag.type._tag === "String" && type !== undefined ? { ...flag, type } : flag
    }),
    ...everywhere
  ],
  arguments: of.arguments.map((argument) => ({ ...argument, type: known[argument.name] ?? argument.type })),
  subcommands: of.subcommands.map(withKnown)
})

/**
 * The flag `--completions`.
 *
 * @category constants
 * @since 0.1.0
 */
export const flag: GlobalFlag.Action<Option.Option<Completions.Shell>> = GlobalFlag.Action({
  flag: GlobalFlag.Completions.flag,
  run: (shell, { command }) =>
    Option.match(shell, {
      onNone: () => Effect.void,
      onSome: (shell) =>
        Console.log(Completions.generate(command.name, shell, withKnown(Completions.fromCommand(command))))
    })
})
