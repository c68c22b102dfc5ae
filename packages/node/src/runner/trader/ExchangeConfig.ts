/**
 * An exchange as a configuration has it, `[exchanges.<name>]`: where its orders
 * go, and what an account has that lives in this process.
 *
 * @since 0.1.0
 */
import type { Reconnection } from "@tickline/core/connection/Reconnection"
import { MarketFeed } from "@tickline/core/market/MarketFeed"
import type { CircuitBreaker } from "@tickline/core/resilience/CircuitBreaker"
import type { Exchange } from "@tickline/core/trading/Exchange"
import type { HttpPort } from "@tickline/core/transport/HttpPort"
import type { Transport } from "@tickline/core/transport/Transport"
import * as Decimal from "@tickline/core/value/Decimal"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as BigDecimal from "effect/BigDecimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { coinbase } from "../exchange/CoinbaseOrders.ts"
import { deribit } from "../exchange/DeribitOrders.ts"
import { dydx } from "../exchange/DydxOrders.ts"
import { hyperliquid } from "../exchange/HyperliquidOrders.ts"
import * as Tables from "../internal/tables.ts"
import { UsageError } from "../RunnerError.ts"

/**
 * The exchanges there are.
 *
 * @category constants
 * @since 0.1.0
 */
export const names = ["coinbase", "deribit", "hyperliquid", "dydx", "paper"] as const

/**
 * Amounts by asset.
 *
 * @category models
 * @since 0.1.0
 */
export type Amounts = Readonly<Record<string, Decimal.Decimal>>

/** Where orders go, as the flags of `tickline order` say it. */
interface Address {
  readonly url: Option.Option<string>
  readonly wsUrl: Option.Option<string>
  readonly nodeUrl: Option.Option<string>
  readonly live: boolean
  readonly testnet: boolean
  readonly slippage: Option.Option<Decimal.Decimal>
}

/**
 * An exchange. `venue` is whose market and symbols it has. An exchange that `ends`
 * lives in this process and ends with it: a `simulated` one, or `paper` over the
 * venue's feed; it has `balance` at the beginning.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExchangeConfig {
  readonly name: typeof names[number]
  readonly venue: Venue
  readonly kind: "remote" | "simulated" | "paper"
  readonly balance: Amounts | undefined
  readonly fees: { readonly maker: Decimal.Decimal; readonly taker: Decimal.Decimal } | undefined
  readonly latency: Duration.Duration
  readonly acceptsUnverified: boolean
  readonly address: Address
}

const common = ["fees", "accepts_unverified"]

/** The keys of each, besides those that all have. */
const keys: Readonly<Record<typeof names[number], ReadonlyArray<string>>> = {
  coinbase: ["url", "ws_url", "live", "balance"],
  deribit: ["url", "live"],
  hyperliquid: ["url", "ws_url", "live", "testnet", "slippage"],
  dydx: ["url", "ws_url", "node_url", "live"],
  paper: ["venue", "balance", "latency"]
}

const isNotNegative = (decimal: Decimal.Decimal): boolean => decimal.value >= 0n

const decimalsOf = Effect.fnUntraced(function*(
  table: Tables.Table,
  key: string,
  path: string,
  expected: string,
  isAllowed: (decimal: Decimal.Decimal) => boolean,
  known?: ReadonlyArray<string>
): Effect.fn.Return<Amounts | undefined, UsageError> {
  if (!Object.hasOwn(table, key)) return undefined
  const found: Record<string, Decimal.Decimal> = {}
  for (const [name, written] of Object.entries(yield* Tables.tableOf(table, key, `${path}.${key}`, known))) {
    const decimal = typeof written === "string" || typeof written === "number"
      ? Decimal.parse(String(written))
      : undefined
    if (decimal === undefined || !isAllowed(decimal)) {
      return yield* Tables.refuse(`${path}.${key}.${name}`, written, expected)
    }
    found[name] = decimal
  }
  return found
})

const readFees = Effect.fnUntraced(function*(
  table: Tables.Table,
  path: string
): Effect.fn.Return<ExchangeConfig["fees"], UsageError> {
  const isShare = (decimal: Decimal.Decimal) => BigDecimal.isLessThan(BigDecimal.abs(decimal), BigDecimal.make(1n, 0))
  const expected = "a share of a trade's value, such as 0.0005"
  const fees = yield* decimalsOf(table, "fees", path, expected, isShare, ["maker", "taker"])
  return fees && { maker: fees["maker"] ?? Decimal.zero, taker: fees["taker"] ?? Decimal.zero }
})

const readOne = Effect.fnUntraced(function*(
  tables: Tables.Table,
  name: typeof names[number],
  { isSimulated, venues }: { readonly isSimulated: boolean; readonly venues: ReadonlyArray<string> }
): Effect.fn.Return<ExchangeConfig, UsageError> {
  const path = `exchanges.${name}`
  const table = yield* Tables.tableOf(tables, name, path, [...keys[name], ...common])
  const text = (key: string) =>
    Effect.map(
      Tables.value<string | undefined>(table, key, path, "a URL", Tables.isText, undefined),
      Option.fromUndefinedOr
    )
  const flag = (key: string) => Tables.value(table, key, path, "true or false", Predicate.isBoolean, false)
  const address: Address = {
    url: yield* text("url"),
    wsUrl: yield* text("ws_url"),
    nodeUrl: yield* text("node_url"),
    live: yield* flag("live"),
    testnet: yield* flag("testnet"),
    slippage: Option.fromUndefinedOr(yield* Tables.read(table, "slippage", path, Tables.share, undefined))
  }
  const isGiven = address.live || Option.isSome(address.url)
  const kind = name === "paper" ? "paper" : isSimulated && !isGiven ? "simulated" : "remote"
  const of = name === "paper"
    ? yield* Tables.value(
      table,
      "venue",
      path,
      `one of the venues here: ${venues.join(", ")}`,
      Tables.isOneOf(venues),
      venues[0] ?? ""
    )
    : name
  const venue = Venues.get(of)
  if (venue === undefined) return yield* Tables.refuse(`${path}.venue`, undefined, "a venue that has a table here")
  if (isSimulated && address.live) {
    return yield* Tables.refuse(`${path}.live`, true, "none beside [simulation], whose prices are no real ones")
  }
  if (kind === "simulated" && name !== "coinbase") {
    return yield* Tables.refuse(
      `${path}.url`,
      undefined,
      `an address, such as that of \`tickline simulate ${name}\`: of exchanges only coinbase is simulated in this process`
    )
  }
  if (kind === "remote" && !isGiven) {
    return yield* Tables.refuse(
      `${path}.url`,
      undefined,
      "an exchange's address, or live = true for its own, with real money, or [simulation]; nothing is sent anywhere without"
    )
  }
  if (kind === "remote" && Object.hasOwn(table, "balance")) {
    return yield* Tables.refuse(`${path}.balance`, undefined, "none of an exchange that knows what its account has")
  }
  return {
    name,
    venue,
    kind,
    address,
    balance: yield* decimalsOf(table, "balance", path, "an amount, such as 10000", isNotNegative),
    fees: yield* readFees(table, path),
    latency: yield* Tables.read(table, "latency", path, Tables.duration, Duration.zero),
    acceptsUnverified: yield* flag("accepts_unverified")
  }
})

/**
 * Reads `[exchanges]`. `venues` are the names of those that have a table, and
 * `isSimulated` says whether what has no address is simulated.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = Effect.fnUntraced(function*(
  root: Tables.Table,
  setting: { readonly isSimulated: boolean; readonly venues: ReadonlyArray<string> }
): Effect.fn.Return<ReadonlyArray<ExchangeConfig>, UsageError> {
  const tables = yield* Tables.tableOf(root, "exchanges", "exchanges", names)
  const exchanges: Array<ExchangeConfig> = []
  for (const name of names) {
    if (Object.hasOwn(tables, name)) exchanges.push(yield* readOne(tables, name, setting))
  }
  // In the order in which they were written.
  const written = Object.keys(tables)
  return exchanges.toSorted((one, other) => written.indexOf(one.name) - written.indexOf(other.name))
})

/** A wrong use of a flag as one of the key that stands for it. */
const ofKeys = (path: string) => (error: UsageError): UsageError => {
  const keyOf = (flag: string) => flag.slice(2).replaceAll("-", "_")
  return new UsageError({
    ...error,
    key: error.key.split(", ").map((key) => key.startsWith("--") ? `${path}.${keyOf(key)}` : key).join(", "),
    expected: error.expected.replaceAll(/--[a-z]+(?:-[a-z]+)*/g, keyOf)
  })
}

/**
 * What an exchange is made with: the environment, which has the keys, the feed of
 * its venue, what a simulated one listens on, and what ids count from at one that
 * ends with this process.
 *
 * @category models
 * @since 0.1.0
 */
export interface Making {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly feed: MarketFeed["Service"] | undefined
  readonly simulated: { readonly httpUrl: string; readonly env: Readonly<Record<string, string>> } | undefined
  readonly balance: Amounts | undefined
  readonly firstId: number
}

/**
 * Makes an exchange. Nothing has been sent to it yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  { address, fees, latency, name, venue }: ExchangeConfig,
  { balance, env, feed, firstId, simulated }: Making
): Effect.Effect<
  Exchange["Service"],
  UsageError,
  Scope.Scope | Transport | HttpPort | Reconnection | CircuitBreaker
> => {
  const path = `exchanges.${name}`
  const making = { env: simulated === undefined ? env : { ...env, ...simulated.env }, follows: true, state: undefined }
  const given = simulated === undefined ? address : { ...address, url: Option.some(simulated.httpUrl) }
  switch (name) {
    case "coinbase":
      return Effect.mapError(coinbase.make(given, making), ofKeys(path))
    case "deribit":
      return Effect.mapError(deribit.make(given, making), ofKeys(path))
    case "hyperliquid":
      return Effect.mapError(hyperliquid.make(given, making), ofKeys(path))
    case "dydx":
      return Effect.mapError(dydx.make(given, making), ofKeys(path))
    case "paper":
      return feed === undefined
        ? Effect.fail(
          new UsageError({ key: `${path}.venue`, value: venue.name, expected: "a venue that has a table here" })
        )
        : Effect.flatMap(
          Effect.promise(() => import("@tickline/core/trading/paper/PaperExchange")),
          (PaperExchange) => PaperExchange.make({ balances: balance, fees, latency, firstId })
        ).pipe(Effect.provideService(MarketFeed, feed))
  }
}
