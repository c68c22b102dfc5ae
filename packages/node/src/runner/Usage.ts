/**
 * What is said of a command line that is wrong: the flag or argument, its value,
 * what was expected, and what may have been meant.
 *
 * @since 0.1.0
 */
import * as Printable from "@tickline/core/value/Printable"
import { nearest } from "@tickline/core/value/Suggestion"
import type * as CliError from "effect/cli/CliError"
import type * as CliOutput from "effect/cli/CliOutput"
import * as Option from "effect/Option"

/**
 * What is expected where there are a few choices, and which may have been meant.
 *
 * @category getters
 * @since 0.1.0
 */
export const oneOf = (value: string, choices: ReadonlyArray<string>): string => {
  const meant = value === "" ? undefined : nearest(value, choices)
  return `one of ${choices.join(", ")}${meant === undefined ? "" : ` (did you mean ${meant}?)`}`
}

/** The choices of a flag, as effect/cli lists them: quoted where the value is wrong, bare where it is missing. */
const choicesOf = (expected: string): ReadonlyArray<string> | undefined => {
  const choices = expected.split(" | ").map((choice) => choice.replace(/^"(.*)"$/, "$1"))
  return choices.length > 1 ? choices : undefined
}

const invalid = ({ expected, kind, option, value }: CliError.InvalidValue): string => {
  const key = kind === "flag" ? `--${option}` : option
  const times = /^(\d+) occurrences$/.exec(value)?.[1]
  if (times !== undefined) return `${key}: given ${times} times, expected once`
  const plain = expected.replace(/^Expected:? /, "")
  const choices = choicesOf(plain)
  if (value !== "" || kind === "argument") {
    return `${key} "${value}": expected ${choices === undefined ? plain : oneOf(value, choices)}`
  }
  return `${key}: has no value, expected ${choices === undefined ? `<${plain}>` : oneOf(value, choices)}`
}

const hint = (word: string, suggestions: ReadonlyArray<string>): string => {
  const meant = nearest(word, suggestions) ?? suggestions[0]
  return meant === undefined ? "" : ` (did you mean ${meant}?)`
}

/** What a flag or argument is for, in brackets. */
const purpose = (of: { readonly description: Option.Option<string> } | undefined): string =>
  of === undefined || Option.isNone(of.description) ? "" : ` (${of.description.value})`

/**
 * The error as one line for people, printable.
 *
 * @category getters
 * @since 0.1.0
 */
export const message = (
  error: CliError.NonShowHelpErrors,
  { commandPath, helpDoc }: Pick<CliOutput.Presenter.InvalidInvocation, "commandPath" | "helpDoc">
): string => {
  const path = commandPath.join(" ")
  const text = (): string => {
    switch (error._tag) {
      case "InvalidValue":
        return invalid(error)
      case "UnrecognizedOption":
        return `${error.option}: no such flag of ${path}${hint(error.option, error.suggestions)}`
      case "UnknownSubcommand":
        return `${error.subcommand}: no such command of ${path}${hint(error.subcommand, error.suggestions)}`
      case "MissingArgument":
        return `${error.argument}: missing${purpose(helpDoc.args?.find(({ name }) => name === error.argument))}`
      case "MissingOption":
        return `--${error.option}: missing${purpose(helpDoc.flags.find(({ name }) => name === error.option))}`
      case "UnexpectedArgument":
        return `${path} takes no such argument: ${error.arguments.map((value) => JSON.stringify(value)).join(", ")}`
      default:
        return error.message
    }
  }
  return Printable.escape(text())
}
