/**
 * `tickline order deribit`.
 *
 * @since 0.1.0
 */
import * as Endpoint from "@tickline/core/transport/Endpoint"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { UsageError } from "../RunnerError.ts"
import * as OrderExchange from "./OrderExchange.ts"

/** By the secret it is signed in soonest, where nobody reads it on its way. */
const signingIn = (url: string | undefined): "secret" | "signature" => {
  if (url === undefined) return "secret"
  const { hostname, protocol } = new URL(url)
  return protocol === "wss:" || Endpoint.isLoopback(hostname.replace(/^\[(.*)\]$/, "$1")) ? "secret" : "signature"
}

const flags = {
  url: OrderExchange.urlFlag("url", "The exchange's socket, such as that of its test network or of a simulated one"),
  live: OrderExchange.liveFlag
}

/** What the venue takes as a label. */
const mostCharacters = 64

const secretKey = "TICKLINE_DERIBIT_CLIENT_SECRET"

/**
 * Deribit.
 *
 * @category constants
 * @since 0.1.0
 */
export const deribit: OrderExchange.OrderExchange<typeof flags> = {
  name: "deribit",
  description: "Orders at Deribit, with the key in TICKLINE_DERIBIT_CLIENT_ID and TICKLINE_DERIBIT_CLIENT_SECRET",
  example: {
    command: "tickline order deribit place --url ws://127.0.0.1:9001 --product BTC-PERPETUAL --side buy " +
      "--amount 10 --price 40000 --follow",
    description: "A limit order at a simulated exchange, until it is over"
  },
  clientId: {
    accepts: (text) => OrderExchange.isPrintable(text, mostCharacters),
    expected: `1 to ${mostCharacters} printable characters`
  },
  flags,
  make: Effect.fnUntraced(function*(flags, making) {
    const url = yield* OrderExchange.addressOf(flags, "ws")
    const clientId = Redacted.value(yield* OrderExchange.keyPart(making, "TICKLINE_DERIBIT_CLIENT_ID"))
    const clientSecret = yield* OrderExchange.keyPart(making, secretKey)
    const DeribitExchange = yield* Effect.promise(() => import("@tickline/core/trading/deribit/DeribitExchange"))
    return yield* DeribitExchange.make({
      clientId,
      clientSecret,
      url: url ?? DeribitExchange.live.url,
      by: signingIn(url),
      // One command need not ask for the account's limits.
      learnsLimits: making.follows
    }).pipe(
      Effect.mapError(({ message }) => new UsageError({ key: secretKey, source: "the environment", expected: message }))
    )
  })
}
