/**
 * The help of a command, broken between words to the terminal's width.
 *
 * @since 0.1.0
 */
import type * as HelpDoc from "effect/cli/HelpDoc"
import * as Option from "effect/Option"
import { pad, type Paint, width, wrap } from "./Style.ts"

/** Lines longer than this are hard to read, however wide the terminal is. */
const widest = 100

/** Where the descriptions begin; what is named at more length has them on the lines below it, on a narrow terminal all. */
const columnOf = (cells: number): number => cells < 60 ? 6 : 26

interface Entry {
  readonly name: string
  readonly description: string
}

const entry = ({ description, name }: Entry, cells: number): ReadonlyArray<string> => {
  const left = `  ${name}`
  if (description === "") return [left]
  const column = columnOf(cells)
  const indent = " ".repeat(column)
  return width(left) + 2 <= column
    ? wrap(description, cells, indent, pad(left, column))
    : [left, ...wrap(description, cells, indent)]
}

const flagEntry = (paint: Paint, { aliases, description, name, type }: HelpDoc.FlagDoc): Entry => {
  const names = [`--${name}`, ...aliases].map((each) => paint("green", each)).join(", ")
  // The choices stand in the description.
  const value = type === "boolean" ? "" : type.includes("|") && type.startsWith("<") ? "choice" : type
  return {
    name: value === "" ? names : `${names} ${paint("dim", value)}`,
    description: Option.getOrElse(description, () => "")
  }
}

/**
 * A command line, indented; one that is too long is broken as a shell reads it
 * over several lines.
 *
 * @category getters
 * @since 0.1.0
 */
export const commandLines = (paint: Paint, command: string, cells: number): ReadonlyArray<string> => {
  const lines = wrap(command, cells - 2, "      ", "  ")
  return lines.map((line, index) => `${paint("cyan", line)}${index < lines.length - 1 ? " \\" : ""}`)
}

/**
 * The help as text, without the last line feed, for a terminal of so many
 * columns.
 *
 * @category getters
 * @since 0.1.0
 */
export const format = (paint: Paint, doc: HelpDoc.HelpDoc, columns: number): string => {
  const cells = Math.max(30, Math.min(widest, columns))
  const sections: Array<ReadonlyArray<string>> = []
  const section = (title: string, lines: ReadonlyArray<string>) => {
    if (lines.length > 0) sections.push([paint("bold", title), ...lines])
  }
  const entries = (of: ReadonlyArray<Entry>) => of.flatMap((each) => entry(each, cells))

  if (doc.description !== "") section("DESCRIPTION", wrap(doc.description, cells, "  "))
  section("USAGE", wrap(doc.usage, cells, "      ", "  ").map((line) => paint("cyan", line)))
  section(
    "ARGUMENTS",
    entries((doc.args ?? []).map(({ description, name, required, type, variadic }) => ({
      name: `${paint("green", variadic ? `${name}...` : name)} ${paint("dim", type)}`,
      description: `${Option.getOrElse(description, () => "")}${required ? "" : " (optional)"}`
    })))
  )
  const flags = (of: ReadonlyArray<HelpDoc.FlagDoc> = []) => entries(of.map((flag) => flagEntry(paint, flag)))
  section("FLAGS", flags(doc.flags))
  section("INHERITED FLAGS", flags(doc.inheritedFlags))
  section("GLOBAL FLAGS", flags(doc.globalFlags))
  for (const { commands, group } of doc.subcommands ?? []) {
    section(
      group ?? "SUBCOMMANDS",
      entries(commands.map(({ alias, description, name, shortDescription }) => ({
        name: paint("cyan", alias === undefined ? name : `${name}, ${alias}`),
        description: shortDescription ?? description
      })))
    )
  }
  const examples = (doc.examples ?? []).map(({ command, description }) => [
    ...(description === undefined ? [] : wrap(description, cells, "  # ").map((line) => paint("dim", line))),
    ...commandLines(paint, command, cells)
  ])
  section("EXAMPLES", examples.flatMap((lines, index) => index === 0 ? lines : ["", ...lines]))
  return sections.map((lines) => lines.join("\n")).join("\n\n")
}
