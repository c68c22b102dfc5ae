/**
 * `tickline indicators`: candles or prices in, one object a line out with what
 * each indicator gives.
 *
 * @since 0.1.0
 */
import type * as Indicators from "@tickline/core/strategy/Indicators"
import * as IndicatorSpec from "@tickline/core/strategy/IndicatorSpec"
import * as Printable from "@tickline/core/value/Printable"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Host, type OutputClosed, type Sink } from "./Host.ts"
import * as CandleLine from "./internal/candleLine.ts"
import { type Format, jsonLine } from "./Output.ts"
import * as Recording from "./Recording.ts"
import { RunFailed, UsageError } from "./RunnerError.ts"
import { counted, grouped, type Paint, paint as makePaint } from "./Style.ts"

/**
 * The arguments, indicators and at most one file after them, and how what is
 * calculated is shown.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly args: ReadonlyArray<string>
  readonly format: Format
}

interface Column {
  readonly spec: string
  readonly indicator: Indicators.Indicator<IndicatorSpec.Value>
}

interface Plan {
  readonly columns: ReadonlyArray<Column>
  /** Stdin where there is none. */
  readonly file: string | undefined
}

const isFile = (arg: string): boolean => arg === "-" || arg.includes("/") || arg.includes(".json")

const usage = (value: string, expected: string): Result.Result<never, UsageError> =>
  Result.fail(new UsageError({ key: "indicator", value, expected }))

const planOf = (args: ReadonlyArray<string>): Result.Result<Plan, UsageError> => {
  const file = args.find(isFile)
  const specs = file === undefined ? args : args.slice(0, -1)
  if (file !== undefined && args.indexOf(file) !== args.length - 1) {
    return Result.fail(new UsageError({ key: "file", value: file, expected: "at most one file, after all indicators" }))
  }
  if (specs.length === 0) {
    return Result.fail(new UsageError({ key: "indicator", expected: "one or more, such as sma:20" }))
  }
  // An indicator that is named twice is one member.
  const columns = new Map<string, Column>()
  for (const spec of specs) {
    const parsed = IndicatorSpec.parse(spec)
    if (Result.isFailure(parsed)) {
      const { expected } = parsed.failure
      return usage(spec, spec.includes(".") ? `${expected}; the name of a file has / or .json in it` : expected)
    }
    columns.set(spec, { spec, indicator: parsed.success })
  }
  return Result.succeed({ columns: [...columns.values()], file: file === "-" ? undefined : file })
}

/** A double as JSON has it: one that is too large for that is the largest there is. */
const finite = (value: number): number =>
  Number.isFinite(value) ? value : value > 0 ? Number.MAX_VALUE : -Number.MAX_VALUE

const jsonOf = (value: IndicatorSpec.Value | undefined): string => {
  if (value === undefined) return "null"
  if (typeof value === "number") return String(finite(value))
  const members = Object.entries(value).map(([name, member]) => `"${name}":${String(finite(Number(member)))}`)
  return `{${members.join(",")}}`
}

const textOf = (paint: Paint, value: IndicatorSpec.Value | undefined): string => {
  if (value === undefined) return paint("dim", "–")
  if (typeof value === "number") return paint("bold", String(finite(value)))
  return Object.entries(value)
    .map(([name, member]) => `${paint("dim", name)} ${paint("bold", String(finite(Number(member))))}`)
    .join(" ")
}

/** What a line gives: a line with a member or a column for each indicator. */
const lineOf = (
  { format, output, paint }: { readonly format: Format; readonly output: Sink; readonly paint: Paint },
  columns: ReadonlyArray<Column>,
  { input, timestamp }: CandleLine.CandleLine
): string => {
  const values = columns.map(({ indicator, spec }) => ({ spec, value: indicator.update(input) }))
  if (format === "ndjson") {
    const members = values.map(({ spec, value }) => `"${spec}":${jsonOf(value)}`)
    return jsonLine(
      `{${[...timestamp === undefined ? [] : [`"timestamp":${timestamp}`], ...members].join(",")}}`,
      output
    )
  }
  const shown = timestamp === undefined ? "" : `${paint("dim", Printable.escape(timestamp.replaceAll("\"", "")))}  `
  return `${shown}${values.map(({ spec, value }) => `${paint("cyan", spec)} ${textOf(paint, value)}`).join("  ")}\n`
}

/** About how much text is collected before it is written. */
const flushAt = 256 * 1024

/**
 * Runs the command. A line that is neither a candle nor a price fails it, after
 * the lines before are printed; blank lines are counted and give nothing.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (options: Options): Effect.Effect<void, UsageError | RunFailed | OutputClosed, Host> =>
  Effect.scoped(Effect.gen(function*() {
    const { signal, stderr, stdin, stdout } = yield* Host
    const { columns, file } = yield* Effect.fromResult(planOf(options.args))
    const bytes = file === undefined ? stdin.bytes() : yield* Recording.open(file)
    const style = { format: options.format, output: stdout, paint: makePaint(stdout.hasColor) }
    const source = Recording.lines(
      bytes,
      (torn) => stderr.writeUnsafe(`the file is torn at its end: ${counted(torn, "byte")} are passed over\n`)
    )
    const next = Effect.tryPromise({
      try: () => source.next(),
      catch: (cause) =>
        new RunFailed({
          detail: `cannot read ${file ?? "stdin"}: ${cause instanceof Error ? cause.message : String(cause)}`
        })
    })
    let count = 0

    const read = (line: Recording.Line): CandleLine.CandleLine | string | undefined => {
      if (line === undefined) return `is longer than ${grouped(Recording.maxLineBytes)} bytes`
      if (typeof line !== "string") return "is not UTF-8"
      return line.trim() === "" ? undefined : CandleLine.read(line)
    }
    const consume = Effect.gen(function*() {
      for (;;) {
        const lines = yield* next
        if (lines.done === true) return
        let out = ""
        for (const line of lines.value) {
          count++
          const found = read(line)
          if (typeof found === "string") {
            yield* stdout.write(out)
            return yield* new RunFailed({ detail: `line ${count}: ${found}` })
          }
          if (found !== undefined) out += lineOf(style, columns, found)
          if (out.length >= flushAt) {
            yield* stdout.write(out)
            out = ""
          }
        }
        if (out !== "") yield* stdout.write(out)
      }
    })
    yield* Effect.raceFirst(consume, Effect.raceFirst(Effect.asVoid(signal), stdout.closed))
  }))
