/**
 * What the flags of several commands have in common, and how a command is run.
 *
 * @since 0.1.0
 */
import * as PolicyConfig from "@tickline/core/resilience/PolicyConfig"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Host } from "../Host.ts"
import * as Log from "../Log.ts"
import { type Format, formats } from "../Output.ts"
import { overflows } from "../OutputQueue.ts"

/**
 * `--format`, of every command.
 *
 * @category constants
 * @since 0.1.0
 */
export const formatFlag = GlobalFlag.Setting("format")({
  flag: Flag.Literals("format", formats).pipe(
    Flag.optional,
    Flag.withDescription("Output form: pretty on a terminal, ndjson in a pipe by default")
  )
})

/**
 * `--log-format`, of every command.
 *
 * @category constants
 * @since 0.1.0
 */
export const logFormatFlag = GlobalFlag.Setting("log-format")({
  flag: Flag.Literals("log-format", Log.formats).pipe(
    Flag.withDefault("pretty"),
    Flag.withDescription("Form of the log on stderr")
  )
})

/**
 * A flag whose value is a duration.
 *
 * @category constructors
 * @since 0.1.0
 */
export const durationFlag = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.filterMap(
      PolicyConfig.durationFromText,
      () => "a duration such as 20s, 500ms, 2m, 24h or \"20 seconds\""
    ),
    Flag.withMetavar("duration"),
    Flag.withDescription(description)
  )

/**
 * A flag whose value is a whole number between two. It is read from the text, so
 * that one message says what is expected, whatever is wrong with it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const wholeFlag = (name: string, least: number, most: number, expected: string, description: string) =>
  Flag.String(name).pipe(
    Flag.filterMap((text) => {
      const value = /^\d+$/.test(text) ? Number(text) : NaN
      return value >= least && value <= most ? Option.some(value) : Option.none()
    }, () => expected),
    Flag.withMetavar("number"),
    Flag.withDescription(description)
  )

/**
 * `--hours`, 24 by default.
 *
 * @category constructors
 * @since 0.1.0
 */
export const hoursFlag = (description: string) =>
  Flag.String("hours").pipe(
    Flag.filterMap((text) => {
      const hours = /^(?:\d+(?:\.\d*)?|\.\d+)$/.test(text) ? Number(text) : NaN
      return hours > 0 && hours <= 8_760 ? Option.some(hours) : Option.none()
    }, () => "hours, a number more than 0 and up to 8760"),
    Flag.withMetavar("number"),
    Flag.withDescription(description),
    Flag.withDefault(24)
  )

/**
 * A flag that is off by default.
 *
 * @category constructors
 * @since 0.1.0
 */
export const switchFlag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDefault(false), Flag.withDescription(description))

/**
 * `--overflow`, of what goes on printing while nobody reads stdout.
 *
 * @category constants
 * @since 0.1.0
 */
export const overflowFlag = Flag.Literals("overflow", overflows).pipe(
  Flag.withDescription("When nobody reads stdout: beyond 64 MiB drop-oldest, the default, block or fail")
)

/**
 * Reads `name=decimal` pairs with commas between them; the names are each there
 * once, and those that are allowed.
 *
 * @category decoding
 * @since 0.1.0
 */
export const amounts = (isAllowed: (name: string, amount: Decimal.Decimal) => boolean) => (text: string) => {
  const found = new Map<string, Decimal.Decimal>()
  for (const pair of text.split(",")) {
    const [, name = "", written = ""] = /^([^=\s]+)=(.+)$/.exec(pair) ?? []
    const amount = Decimal.parse(written)
    if (amount === undefined || found.has(name) || !isAllowed(name, amount)) return Option.none()
    found.set(name, amount)
  }
  return Option.some(found)
}

const isShare = (share: Decimal.Decimal): boolean =>
  BigDecimal.isLessThan(BigDecimal.abs(share), BigDecimal.make(1n, 0))

/**
 * `--fees`: what trades cost, as shares of their value, each less than all of it.
 * What is not named costs nothing; what is below zero is paid to whoever trades.
 *
 * @category constants
 * @since 0.1.0
 */
export const feesFlag = Flag.String("fees").pipe(
  Flag.filterMap(
    (text) =>
      Option.map(
        amounts((name, share) => (name === "maker" || name === "taker") && isShare(share))(text),
        (shares) => ({ maker: shares.get("maker") ?? Decimal.zero, taker: shares.get("taker") ?? Decimal.zero })
      ),
    () => "shares of a trade's value, less than 1, such as maker=0.0002,taker=0.0005"
  ),
  Flag.withMetavar("maker=share,taker=share"),
  Flag.withDescription("What trades cost; nothing by default"),
  Flag.optional
)

/**
 * Runs a command with the form of its output, and its log on stderr.
 *
 * @category running
 * @since 0.1.0
 */
export const running = <A, E, R>(
  effect: (context: { readonly format: Format }) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function*() {
    const { stdout } = yield* Host
    const format = Option.getOrElse(yield* formatFlag, (): Format => stdout.isTerminal ? "pretty" : "ndjson")
    return yield* Effect.provide(effect({ format }), Log.layer(yield* logFormatFlag))
  })
