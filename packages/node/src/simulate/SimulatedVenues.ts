/**
 * The mock venues and exchanges of this process. They listen on loopback and end
 * with the process, and so does what their accounts have: it begins with what the
 * history comes to, and ids of orders and trades go on by the time, so that none
 * of before a restart comes again.
 *
 * @since 0.1.0
 */
import * as Decimal from "@tickline/core/value/Decimal"
import type { Fault } from "@tickline/testing/Fault"
import * as Market from "@tickline/testing/Market"
import * as MockCoinbaseAdvanced from "@tickline/testing/MockCoinbaseAdvanced"
import type { MockVenue } from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { UsageError } from "../runner/RunnerError.ts"
import type { Amounts, ExchangeConfig } from "../runner/trader/ExchangeConfig.ts"
import type { SimulationConfig } from "../runner/trader/SimulationConfig.ts"
import { faultsOf } from "./Simulation.ts"

/**
 * A venue that is served, and the keys of its account, if it takes orders.
 *
 * @category models
 * @since 0.1.0
 */
export interface Served {
  readonly url: string
  readonly httpUrl: string
  readonly env: Readonly<Record<string, string>>
}

/**
 * What is served.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly config: SimulationConfig
  /** Names of venues. */
  readonly venues: Iterable<string>
  /** The exchange that one of them is as well, and what its account has. */
  readonly exchange: Pick<ExchangeConfig, "name" | "fees"> & { readonly balance: Amounts } | undefined
  /** What ids of orders and trades count from. */
  readonly firstId: number
}

/** Twelve digits are what an id has room for: one for each 10 ms, until the year 2286. */
const millisPerOrder = 10

const simulated = MockCoinbaseAdvanced.simulated

const keys = {
  TICKLINE_COINBASE_KEY_NAME: simulated.keyName,
  TICKLINE_COINBASE_KEY_SECRET: simulated.keySecret
}

const trading = ({ exchange, firstId }: Options): MockVenue =>
  MockCoinbaseAdvanced.make({
    accounts: [{
      ...simulated,
      balances: Object.fromEntries(
        Object.entries(exchange?.balance ?? {}).map(([asset, amount]) => [asset, Decimal.format(amount)])
      )
    }],
    fees: exchange?.fees,
    firstOrder: Math.floor(firstId / millisPerOrder)
  }).venue

const serve = Effect.fnUntraced(function*(
  options: Options,
  name: string,
  faults: ReadonlyArray<Fault>
): Effect.fn.Return<Served, UsageError, Scope.Scope> {
  const { config: { rate, seed, volatility }, exchange, firstId } = options
  const takesOrders = exchange?.name === name
  const venue = takesOrders ? trading(options) : MockVenues.byName(name)
  if (venue === undefined) return yield* new UsageError({ key: `venues.${name}`, expected: "a venue that has a mock" })
  const products = Market.listedBy(venue).map((product) => ({ ...product, volatility, firstTradeId: firstId }))
  const { httpUrl, url } = yield* Effect.orDie(MockServer.make({ venue, rate, seed, products, faults }))
  yield* Effect.annotateLogs(Effect.logDebug("simulated"), { venue: name, url })
  return { url, httpUrl, env: takesOrders ? keys : {} }
})

/**
 * Serves the venues until the scope ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<ReadonlyMap<string, Served>, UsageError, Scope.Scope> {
  const faults = yield* Effect.fromResult(faultsOf(options.config.faults))
  const served = new Map<string, Served>()
  for (const name of new Set(options.venues)) served.set(name, yield* serve(options, name, faults))
  return served
})
