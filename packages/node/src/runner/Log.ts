/**
 * The runner's log on stderr: a line for people or a JSON object each.
 *
 * @since 0.1.0
 */
import * as Printable from "@tickline/core/value/Printable"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import { Host } from "./Host.ts"
import { pad, type Paint, paint as makePaint, type Tone } from "./Style.ts"

/**
 * The form of the log.
 *
 * @category models
 * @since 0.1.0
 */
export type Format = "pretty" | "json"

/**
 * The names of the forms.
 *
 * @category constants
 * @since 0.1.0
 */
export const formats: ReadonlyArray<Format> = ["pretty", "json"]

const tones: Readonly<Partial<Record<LogLevel.LogLevel, Tone>>> = {
  Fatal: "red",
  Error: "red",
  Warn: "yellow",
  Info: "blue",
  Debug: "dim",
  Trace: "dim"
}

const plain = (value: unknown): string => {
  if (typeof value === "string") return Printable.escape(value)
  // Of a value that is no text its JSON: `Redacted` and the like say there what they want to be seen.
  const json = JSON.stringify(value)
  return Printable.escape(json ?? String(value))
}

const pretty = (paint: Paint) =>
  Logger.make<unknown, string>(({ cause, date, fiber, logLevel, message }) => {
    const texts = (Array.isArray(message) ? message : [message]).map(plain).join(" ")
    const annotations = Object.entries(fiber.getRef(References.CurrentLogAnnotations)).flatMap(([key, value]) =>
      value === undefined ? [] : [` ${paint("dim", `${key}=`)}${plain(value)}`]
    )
    const why = cause.reasons.length === 0
      ? ""
      : `\n${Cause.pretty(cause).split("\n").map((line) => `  ${Printable.escape(line)}`).join("\n")}`
    const level = paint(tones[logLevel] ?? "dim", pad(logLevel.toUpperCase(), 5))
    return `${paint("dim", date.toISOString().slice(11, 23))} ${level} ${texts}${annotations.join("")}${why}`
  })

/**
 * The log in a form, on stderr.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (format: Format): Layer.Layer<never, never, Host> =>
  Layer.unwrap(Effect.map(Host, ({ stderr }) => {
    const text = format === "json"
      ? Logger.map(Logger.formatJson, Printable.escape)
      : pretty(makePaint(stderr.hasColor))
    return Logger.layer([Logger.map(text, (line) => stderr.writeUnsafe(`${line}\n`))])
  }))

/**
 * No log: for a command that draws on the terminal and shows there what a log
 * would say.
 *
 * @category layers
 * @since 0.1.0
 */
export const silent: Layer.Layer<never> = Logger.layer([])
