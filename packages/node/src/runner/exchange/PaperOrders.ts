/**
 * `tickline order paper`: an order that is filled from a live feed, and ends with
 * the command.
 *
 * @since 0.1.0
 */
import * as BearerToken from "@tickline/core/connection/BearerToken"
import * as Venues from "@tickline/core/venue/Venues"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { amounts, durationFlag, feesFlag } from "../internal/flags.ts"
import { UsageError } from "../RunnerError.ts"
import * as Token from "../Token.ts"
import * as OrderExchange from "./OrderExchange.ts"

const flags = {
  venue: Flag.Literals("venue", Venues.all.map(({ name }) => name)).pipe(
    Flag.withDescription("The venue whose market fills the order")
  ),
  url: OrderExchange.urlFlag("url", "Another endpoint of the venue's market data than its own"),
  rest: OrderExchange.urlFlag("rest", "The venue's REST; by default its own, or that of the host of --url"),
  balance: Flag.String("balance").pipe(
    Flag.filterMap(
      amounts((_, amount) => amount.value >= 0n),
      () => "an asset and its amount, such as USD=1000000"
    ),
    Flag.withMetavar("asset=amount"),
    Flag.withDescription("What the account has; by default whatever the order needs"),
    Flag.atLeast(0)
  ),
  fees: feesFlag,
  latency: durationFlag("latency", "How long the order takes to arrive; no time by default").pipe(
    Flag.withDefault(Duration.zero)
  )
}

const mostCharacters = 128

const given = (url: Option.Option<string>, key: string, kind: "ws" | "http") =>
  Option.isNone(url) ? Effect.succeed(undefined) : OrderExchange.checkedUrl(key, url.value, kind)

/**
 * Paper trading.
 *
 * @category constants
 * @since 0.1.0
 */
export const paper: OrderExchange.OrderExchange<typeof flags> = {
  name: "paper",
  description: "Paper orders, filled from a venue's live market: they end with the command",
  example: {
    command: "tickline order paper place --venue coinbase --product BTC-USD --side buy --amount 0.1 --type market",
    description: "What a market order would have cost now"
  },
  clientId: {
    accepts: (text) => OrderExchange.isPrintable(text, mostCharacters),
    expected: `1 to ${mostCharacters} printable characters`
  },
  placesOnly: true,
  flags,
  make: Effect.fnUntraced(function*({ balance, fees, latency, rest, url, venue: name }, { env }) {
    const venue = Venues.get(name)
    const [endpoint, http] = [yield* given(url, "--url", "ws"), yield* given(rest, "--rest", "http")]
    if (venue === undefined || (endpoint === undefined && venue.endpoint === undefined)) {
      return yield* new UsageError({ key: "--url", expected: `an endpoint: ${name} has none of its own` })
    }
    const token = yield* Token.read(env, Token.variable)
    const [MarketFeed, PaperExchange] = yield* Effect.promise(() =>
      Promise.all([import("@tickline/core/market/MarketFeed"), import("@tickline/core/trading/paper/PaperExchange")])
    )
    const feed = yield* MarketFeed.prepare(venue, {
      url: endpoint,
      rest: http,
      // It goes only where it is said to.
      auth: token === undefined || endpoint === undefined ? undefined : yield* BearerToken.make(token)
    })
    // What becomes of it is told by the order, which waits for its market.
    yield* Effect.forkScoped(Effect.ignore(feed.connection.connect), { startImmediately: true })
    return yield* PaperExchange.make({
      balances: balance.length === 0 ? undefined : Object.fromEntries(balance.flatMap((amounts) => [...amounts])),
      fees: Option.getOrUndefined(fees),
      latency
    }).pipe(Effect.provideService(MarketFeed.MarketFeed, feed))
  })
}
