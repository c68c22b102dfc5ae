/**
 * An exchange as `tickline order` knows it: its flags, its key, and how it is made.
 *
 * @since 0.1.0
 */
import type { Reconnection } from "@tickline/core/connection/Reconnection"
import type { CircuitBreaker } from "@tickline/core/resilience/CircuitBreaker"
import * as Presets from "@tickline/core/resilience/Presets"
import type { Exchange } from "@tickline/core/trading/Exchange"
import * as Endpoint from "@tickline/core/transport/Endpoint"
import type { HttpPort } from "@tickline/core/transport/HttpPort"
import type { Transport } from "@tickline/core/transport/Transport"
import type * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { switchFlag } from "../internal/flags.ts"
import { UsageError } from "../RunnerError.ts"
import { shownUrl } from "../Targets.ts"

/**
 * What is known of a command when its exchange is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Making {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether it stays after its outcome. */
  readonly follows: boolean
  /** The folder in which what must survive a restart is kept, if one was given; see `StateDirectory`. */
  readonly state: string | undefined
}

/**
 * An exchange. `clientId` is what it takes as one; with `placesOnly` it has no
 * command but `place`. `make` fails where the command cannot be meant so, and has
 * sent nothing then.
 *
 * @category models
 * @since 0.1.0
 */
export interface OrderExchange<Flags extends Command.Command.Config> {
  readonly name: string
  readonly description: string
  readonly example: { readonly command: string; readonly description: string }
  readonly clientId: { readonly accepts: (text: string) => boolean; readonly expected: string }
  readonly placesOnly?: boolean | undefined
  readonly flags: Flags
  readonly make: (
    flags: Command.Command.Config.InferValue<Flags>,
    making: Making
  ) => Effect.Effect<
    Exchange["Service"],
    UsageError,
    Scope.Scope | Transport | HttpPort | Reconnection | CircuitBreaker
  >
}

/**
 * How a connection to an exchange comes back: whoever trades has no time to wait
 * for long, and nobody to ask whether to go on.
 *
 * @category constants
 * @since 0.1.0
 */
export const policy = {
  ...Presets.fast,
  backoff: { ...Presets.fast.backoff, cap: Duration.seconds(2) },
  retry: { ...Presets.fast.retry, maxRetries: "unlimited" },
  circuit: "none"
} as const

/**
 * A flag whose value is an address.
 *
 * @category constructors
 * @since 0.1.0
 */
export const urlFlag = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar("url"), Flag.withDescription(description), Flag.optional)

/**
 * `--live`, without which nothing is sent to the exchange's own address.
 *
 * @category constants
 * @since 0.1.0
 */
export const liveFlag = switchFlag("live", "Send to the exchange's own address: with real money")

const schemes = { ws: ["ws:", "wss:"], http: ["http:", "https:"] } as const

/** What an address before paths must not have. */
const baseFault = (url: string): string | undefined => {
  const { hash = "", password = "", search = "", username = "" } = URL.parse(url) ?? {}
  if (username !== "" || password !== "") return "without user and password"
  return search !== "" || hash !== "" ? "without a query: paths come after it" : undefined
}

/**
 * An address that was given, checked.
 *
 * @category decoding
 * @since 0.1.0
 */
export const checkedUrl = (
  key: string,
  url: string,
  kind: "ws" | "http"
): Effect.Effect<string, UsageError> => {
  const expected = kind === "ws" ? "a ws:// or wss:// URL" : "an http:// or https:// URL"
  const scheme = URL.parse(url)?.protocol
  const isOther = scheme !== undefined && !schemes[kind].some((known) => known === scheme)
  const fault = isOther
    ? `the scheme ${scheme}`
    // The checks are those of a dial, whatever the scheme.
    : Endpoint.urlFault(kind === "ws" ? url : url.replace(/^http/i, "ws")) ??
      (kind === "http" ? baseFault(url) : undefined)
  if (fault === undefined) return Effect.succeed(url)
  const shown = shownUrl(url)
  return Effect.fail(
    new UsageError({ key, ...(shown === undefined ? {} : { value: shown }), expected: `${expected} (${fault})` })
  )
}

/**
 * Where it goes: to the address that was given, or to the exchange's own, which
 * is `undefined`. If nothing is said, nowhere.
 *
 * @category decoding
 * @since 0.1.0
 */
export const addressOf = (
  { live, url }: { readonly live: boolean; readonly url: Option.Option<string> },
  kind: "ws" | "http"
): Effect.Effect<string | undefined, UsageError> => {
  if (live === Option.isSome(url)) {
    const what = kind === "ws" ? "socket" : "address"
    return Effect.fail(
      new UsageError({
        key: "--url, --live",
        expected: live ? "one of the two" : `--url with an exchange's ${what}, or --live for its own address`
      })
    )
  }
  return Option.isNone(url) ? Effect.succeed(undefined) : checkedUrl("--url", url.value, kind)
}

/**
 * A value of the environment; `undefined` if it is not set.
 *
 * @category decoding
 * @since 0.1.0
 */
export const optionalValue = ({ env }: Making, key: string): string | undefined => {
  const value = Object.hasOwn(env, key) ? env[key] ?? "" : ""
  return value === "" ? undefined : value
}

/**
 * A part of an account's key, from the environment and from nowhere else.
 *
 * @category decoding
 * @since 0.1.0
 */
export const keyPart = (making: Making, key: string): Effect.Effect<Redacted.Redacted<string>, UsageError> => {
  const value = optionalValue(making, key)
  return value === undefined
    ? Effect.fail(new UsageError({ key, source: "the environment", expected: "the exchange's key" }))
    : Effect.succeed(Redacted.make(value))
}

/**
 * Whether a text is of so many characters, all of them printable.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isPrintable = (text: string, most: number): boolean =>
  text !== "" && text.length <= most && !/\p{C}/u.test(text)
