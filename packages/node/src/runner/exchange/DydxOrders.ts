/**
 * `tickline order dydx`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { UsageError } from "../RunnerError.ts"
import * as OrderExchange from "./OrderExchange.ts"

const flags = {
  url: OrderExchange.urlFlag("url", "The indexer's address, before its /v4"),
  wsUrl: OrderExchange.urlFlag("ws-url", "The indexer's socket; by default the host of --url, and /v4/ws"),
  nodeUrl: OrderExchange.urlFlag("node-url", "A node of the chain, its REST interface"),
  live: OrderExchange.liveFlag
}

const keys = { mnemonic: "TICKLINE_DYDX_MNEMONIC", subaccount: "TICKLINE_DYDX_SUBACCOUNT" } as const

const mostCharacters = 128

/** The greatest number of a subaccount. */
const lastSubaccount = 128_000

const needed = (
  url: Option.Option<string>,
  key: string,
  expected: string
): Effect.Effect<string, UsageError> =>
  Option.isNone(url)
    ? Effect.fail(new UsageError({ key, expected }))
    : OrderExchange.checkedUrl(key, url.value, "http")

/**
 * dYdX.
 *
 * @category constants
 * @since 0.1.0
 */
export const dydx: OrderExchange.OrderExchange<typeof flags> = {
  name: "dydx",
  description:
    `Orders at dYdX v4, with the mnemonic in ${keys.mnemonic} and the subaccount's number in ${keys.subaccount}`,
  example: {
    command:
      "tickline order dydx place --url http://127.0.0.1:9001 --node-url http://127.0.0.1:9001 --product BTC-USD " +
      "--side buy --amount 0.01 --price 40000",
    description: "A limit order at a simulated chain"
  },
  clientId: {
    accepts: (text) => OrderExchange.isPrintable(text, mostCharacters),
    expected: `1 to ${mostCharacters} printable characters`
  },
  flags,
  make: Effect.fnUntraced(function*({ live, nodeUrl, url, wsUrl }, making) {
    if (live) {
      return yield* new UsageError({
        key: "--live",
        expected:
          "none: orders at dYdX have not been shown on a test network yet, and are sent to --url and --node-url only"
      })
    }
    const indexer = yield* needed(url, "--url", "--url with an indexer's address")
    const node = yield* needed(nodeUrl, "--node-url", "--node-url with a node of the chain, beside --url")
    const socket = Option.isNone(wsUrl) ? undefined : yield* OrderExchange.checkedUrl("--ws-url", wsUrl.value, "ws")
    const mnemonic = yield* OrderExchange.keyPart(making, keys.mnemonic)
    const number = OrderExchange.optionalValue(making, keys.subaccount) ?? "0"
    if (!/^\d{1,6}$/.test(number) || Number(number) > lastSubaccount) {
      return yield* new UsageError({
        key: keys.subaccount,
        source: "the environment",
        expected: `a whole number up to ${lastSubaccount}`
      })
    }
    const DydxExchange = yield* Effect.promise(() => import("@tickline/core/trading/dydx/DydxExchange"))
    return yield* DydxExchange.make({
      mnemonic,
      subaccountNumber: Number(number),
      url: indexer,
      wsUrl: socket,
      nodeUrl: node
    }).pipe(
      Effect.mapError(({ message }) =>
        new UsageError({ key: keys.mnemonic, source: "the environment", expected: message })
      )
    )
  })
}
