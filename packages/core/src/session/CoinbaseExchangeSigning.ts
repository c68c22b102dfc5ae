/**
 * Signs what Coinbase Exchange is asked for on channels that need a key: `full`,
 * `level2`, `level3`, `user` and `rfq_matches`.
 *
 * ```ts
 * import * as Config from "effect/Config"
 * import * as Effect from "effect/Effect"
 * import * as MarketFeed from "@tickline/core/market/MarketFeed"
 * import * as CoinbaseExchangeSigning from "@tickline/core/session/CoinbaseExchangeSigning"
 * import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
 *
 * const feed = Effect.gen(function*() {
 *   const signing = yield* CoinbaseExchangeSigning.make({
 *     key: yield* Config.redacted("COINBASE_EXCHANGE_KEY"),
 *     secret: yield* Config.redacted("COINBASE_EXCHANGE_SECRET"),
 *     passphrase: yield* Config.redacted("COINBASE_EXCHANGE_PASSPHRASE")
 *   })
 *   return yield* MarketFeed.make(CoinbaseExchange.venue, { signing })
 * })
 * ```
 *
 * @see https://docs.cdp.coinbase.com/exchange/websocket-feed/authentication (read 2026-11-26)
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Dialect from "../protocol/Dialect.ts"
import * as Signer from "./Signer.ts"

/**
 * An API key of Coinbase Exchange: its name, its secret in base64, and the
 * passphrase that was chosen with it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Credentials {
  readonly key: Redacted.Redacted<string>
  readonly secret: Redacted.Redacted<string>
  readonly passphrase: Redacted.Redacted<string>
}

/**
 * The venue whose asks are signed.
 *
 * @category constants
 * @since 0.1.0
 */
export const venue = "coinbase-exchange"

const signed: ReadonlySet<string> = new Set(["full", "level2", "level3", "user", "rfq_matches"])

/**
 * Makes the signing of a key. The venue takes a timestamp that is at most 30
 * seconds off: `venueMillis` gives its time, as `ClockOffset` knows it. Default:
 * the wall clock.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  { key, passphrase, secret }: Credentials,
  options: { readonly venueMillis?: (() => number) | undefined } = {}
): Effect.fn.Return<Dialect.Signing, Signer.SigningKeyError> {
  const clock = yield* Clock.Clock
  const { venueMillis = () => clock.currentTimeMillisUnsafe() } = options
  const signer = yield* Effect.fromResult(Signer.hmacSha256(secret, { encoding: "base64" }))
  return {
    secrets: [key, secret, passphrase],
    sign: ({ channels, text }) => {
      if (typeof text !== "string" || !channels.some(({ channel }) => signed.has(channel))) return text
      const timestamp = String(Math.floor(venueMillis() / 1_000))
      const members = JSON.stringify({
        signature: Signer.signText(signer, `${timestamp}GET/users/self/verify`, "base64"),
        key: Redacted.value(key),
        passphrase: Redacted.value(passphrase),
        timestamp
      })
      // An ask is an object.
      return `${text.slice(0, -1)},${members.slice(1)}`
    }
  }
})
