/**
 * `tickline order coinbase`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { UsageError } from "../RunnerError.ts"
import * as OrderExchange from "./OrderExchange.ts"

const flags = {
  url: OrderExchange.urlFlag(
    "url",
    "Where the exchange answers over HTTP, such as http://127.0.0.1:9001 of a simulated one"
  ),
  wsUrl: OrderExchange.urlFlag("ws-url", "Its socket; by default that of the same host and port"),
  live: OrderExchange.liveFlag
}

/** What the venue takes as a client id. */
const mostCharacters = 128

const secretKey = "TICKLINE_COINBASE_KEY_SECRET"

/**
 * Coinbase Advanced Trade.
 *
 * @category constants
 * @since 0.1.0
 */
export const coinbase: OrderExchange.OrderExchange<typeof flags> = {
  name: "coinbase",
  description:
    "Orders at Coinbase Advanced Trade, with the key in TICKLINE_COINBASE_KEY_NAME and TICKLINE_COINBASE_KEY_SECRET",
  example: {
    command: "tickline order coinbase place --url http://127.0.0.1:9001 --product BTC-USD --side buy " +
      "--amount 0.01 --price 40000 --follow",
    description: "A limit order at a simulated exchange, until it is over"
  },
  clientId: {
    accepts: (text) => OrderExchange.isPrintable(text, mostCharacters),
    expected: `1 to ${mostCharacters} printable characters`
  },
  flags,
  make: Effect.fnUntraced(function*(flags, making) {
    const url = yield* OrderExchange.addressOf(flags, "http")
    const wsUrl = Option.isNone(flags.wsUrl)
      ? undefined
      : yield* OrderExchange.checkedUrl("--ws-url", flags.wsUrl.value, "ws")
    const keyName = Redacted.value(yield* OrderExchange.keyPart(making, "TICKLINE_COINBASE_KEY_NAME"))
    const keySecret = yield* OrderExchange.keyPart(making, secretKey)
    const CoinbaseAdvanced = yield* Effect.promise(() => import("@tickline/core/trading/coinbase/CoinbaseAdvanced"))
    return yield* CoinbaseAdvanced.make({
      keyName,
      keySecret,
      ...(url === undefined ? CoinbaseAdvanced.live : { url }),
      ...(wsUrl === undefined ? {} : { wsUrl })
    }).pipe(
      Effect.mapError(({ message }) => new UsageError({ key: secretKey, source: "the environment", expected: message }))
    )
  })
}
