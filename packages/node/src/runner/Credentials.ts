/**
 * Keys of venues, which come from the environment and from nowhere else.
 *
 * @since 0.1.0
 */
import type * as Dialect from "@tickline/core/protocol/Dialect"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { UsageError } from "./RunnerError.ts"

const prefix = "TICKLINE_COINBASE_EXCHANGE_"

/**
 * How what a venue is asked for is signed, by its key in the environment:
 * `TICKLINE_COINBASE_EXCHANGE_KEY`, `…_SECRET` and `…_PASSPHRASE`. `undefined` of a
 * venue that takes none, and where none is set. A key without its other parts, or
 * that cannot be read, is a wrong use that names the variable and shows nothing of
 * it.
 *
 * @category decoding
 * @since 0.1.0
 */
export const signing = Effect.fnUntraced(function*(
  env: Readonly<Record<string, string | undefined>>,
  { name }: Venue
): Effect.fn.Return<Dialect.Signing | undefined, UsageError> {
  const parts = ["KEY", "SECRET", "PASSPHRASE"].map((part) => `${prefix}${part}`)
  const values = parts.map((variable) => Object.hasOwn(env, variable) ? env[variable] ?? "" : "")
  if (values.every((value) => value === "")) return undefined
  // What signs takes its time to load, and few need it.
  const CoinbaseExchangeSigning = yield* Effect.promise(() => import("@tickline/core/session/CoinbaseExchangeSigning"))
  if (name !== CoinbaseExchangeSigning.venue) return undefined
  const missing = parts.find((_, index) => values[index] === "")
  if (missing !== undefined) {
    return yield* new UsageError({
      key: missing,
      source: "the environment",
      expected: `a value beside ${parts.find((_, index) => values[index] !== "") ?? ""}`
    })
  }
  const [key = "", secret = "", passphrase = ""] = values
  return yield* CoinbaseExchangeSigning.make({
    key: Redacted.make(key),
    secret: Redacted.make(secret),
    passphrase: Redacted.make(passphrase)
  }).pipe(
    Effect.mapError(({ expected, reason }) =>
      new UsageError({ key: `${prefix}SECRET`, source: "the environment", expected: `${expected} (${reason})` })
    )
  )
})

/**
 * The channel of a venue from which books are kept, if not its usual one: that of
 * single orders, for who signs.
 *
 * @category getters
 * @since 0.1.0
 */
export const bookChannel = ({ books }: Venue, signing: Dialect.Signing | undefined): string | undefined =>
  signing === undefined ? undefined : books?.orders?.channel
