/**
 * Indicators by a short text, such as `sma:20` or `macd:12:26:9`: as the runner
 * and configurations name them.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { nearest } from "../value/Suggestion.ts"
import * as Indicators from "./Indicators.ts"

/**
 * What an indicator that is named by a text gives.
 *
 * @category models
 * @since 0.1.0
 */
export type Value = number | Indicators.Macd | Indicators.Bands | Indicators.Oscillator

/**
 * The text names no indicator. `expected` says for people what would have.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidIndicator extends Schema.TaggedError<InvalidIndicator>()("InvalidIndicator", {
  spec: Schema.String,
  expected: Schema.String
}) {
  override get message(): string {
    return `"${this.spec}": expected ${this.expected}`
  }
}

interface Form {
  readonly form: string
  readonly pattern: RegExp
  /** What the numbers make, and the word after them; nothing where they do not fit together. */
  readonly make: (
    numbers: readonly [number, number, number],
    hasWord: boolean
  ) => Indicators.Indicator<Value> | undefined
}

/** A number of candles. */
const n = String.raw`:(?<first>[1-9]\d{0,14})`
const second = String.raw`:(?<second>[1-9]\d{0,14})`
const third = String.raw`:(?<third>[1-9]\d{0,14})`
/** A number of deviations. */
const width = String.raw`:(?<second>\d{1,15}(?:\.\d{1,30})?)`

const forms: Readonly<Record<string, Form>> = {
  sma: { form: "sma:n", pattern: new RegExp(`^${n}$`), make: ([n]) => Indicators.sma(n) },
  ema: {
    form: "ema:n or ema:n:first",
    pattern: new RegExp(`^${n}(?::(?<word>first))?$`),
    make: ([n], isFirst) => Indicators.ema(n, { seed: isFirst ? "first" : "mean" })
  },
  rsi: {
    form: "rsi:n or rsi:n:simple",
    pattern: new RegExp(`^${n}(?::(?<word>simple))?$`),
    make: ([n], isSimple) => Indicators.rsi(n, { average: isSimple ? "simple" : "wilder" })
  },
  macd: {
    form: "macd:f:s:g with f < s",
    pattern: new RegExp(`^${n}${second}${third}$`),
    make: ([f, s, g]) => f < s ? Indicators.macd(f, s, g) : undefined
  },
  bollinger: {
    form: "bollinger:n:k with k > 0",
    pattern: new RegExp(`^${n}${width}$`),
    make: ([n, k]) => k > 0 ? Indicators.bollinger(n, k) : undefined
  },
  stochastic: {
    form: "stochastic:k:s:d",
    pattern: new RegExp(`^${n}${second}${third}$`),
    make: ([k, s, d]) => Indicators.stochastic(k, s, d)
  },
  vwap: {
    form: "vwap or vwap:n",
    pattern: new RegExp(`^(?:${n})?$`),
    make: ([n]) => Indicators.vwap(Number.isNaN(n) ? undefined : n)
  },
  atr: { form: "atr:n", pattern: new RegExp(`^${n}$`), make: ([n]) => Indicators.atr(n) }
}

const expectedOf = (name: string): string => {
  const form = Object.hasOwn(forms, name) ? forms[name] : undefined
  if (form !== undefined) return form.form
  const meant = nearest(name, Object.keys(forms))
  const all = Object.values(forms).map(({ form }) => form)
  return `one of ${all.join(", ")}${meant === undefined ? "" : ` (did you mean ${meant}?)`}`
}

/**
 * The indicator that a text names, new: `sma:n`, `ema:n`, `ema:n:first`, `rsi:n`,
 * `rsi:n:simple`, `macd:f:s:g` with f < s, `bollinger:n:k`, `stochastic:k:s:d`,
 * `vwap`, `vwap:n` or `atr:n`.
 *
 * All are numbers of candles, from 1 on, but the `k` of `bollinger`: a number
 * above zero.
 *
 * @category constructors
 * @since 0.1.0
 */
export const parse = (spec: string): Result.Result<Indicators.Indicator<Value>, InvalidIndicator> => {
  const [name = ""] = spec.split(":", 1)
  const form = Object.hasOwn(forms, name) ? forms[name] : undefined
  const groups = form?.pattern.exec(spec.slice(name.length))?.groups
  const number = (group: string): number => Number(groups?.[group])
  const made = groups && form?.make([number("first"), number("second"), number("third")], groups["word"] !== undefined)
  return made === undefined
    ? Result.fail(new InvalidIndicator({ spec, expected: expectedOf(name) }))
    : Result.succeed(made)
}
