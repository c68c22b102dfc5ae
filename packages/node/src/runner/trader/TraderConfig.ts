/**
 * `[trader]` and what it needs: which products are traded by which strategy, within
 * which limits, at which exchanges, and where that is kept.
 *
 * @since 0.1.0
 */
import * as Symbols from "@tickline/core/protocol/Symbols"
import type * as Alerts from "@tickline/core/strategy/Alerts"
import type * as Portfolio from "@tickline/core/trading/Portfolio"
import type * as Risk from "@tickline/core/trading/Risk"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import type * as Decimal from "@tickline/core/value/Decimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Tables from "../internal/tables.ts"
import type { UsageError } from "../RunnerError.ts"
import * as ExchangeConfig from "./ExchangeConfig.ts"
import * as History from "./History.ts"

/**
 * The strategies that have names.
 *
 * @category constants
 * @since 0.1.0
 */
export const strategies = ["fast", "momentum", "conservative", "combined"] as const

/**
 * Those of which one is combined.
 *
 * @category constants
 * @since 0.1.0
 */
export const single = ["fast", "momentum", "conservative"] as const

/**
 * A strategy by its name, or several of them, each with its weight.
 *
 * @category models
 * @since 0.1.0
 */
export type Strategy =
  | { readonly _tag: "Named"; readonly name: typeof strategies[number] }
  | { readonly _tag: "Weighted"; readonly weights: Readonly<Partial<Record<typeof single[number], number>>> }

/**
 * How a strategy trades, wherever it does.
 *
 * @category models
 * @since 0.1.0
 */
export interface Terms {
  readonly strategy: Strategy
  readonly interval: Duration.Duration
  readonly book: boolean
  readonly capital: Decimal.Decimal | undefined
  readonly patience: Duration.Duration | undefined
  readonly risk: Partial<Risk.Limits>
  readonly portfolio: Partial<Portfolio.Limits>
}

/**
 * What a trader does. `venue` is whose prices it follows, `quote` the currency of
 * its account. `onStop` says what becomes of orders that rest when it is stopped.
 *
 * @category models
 * @since 0.1.0
 */
export interface TraderConfig extends Terms {
  readonly venue: string
  readonly products: ReadonlyArray<string>
  readonly quote: string
  readonly alike: ReadonlyArray<string>
  readonly shorts: boolean
  readonly timeInForce: "ioc" | "gtc"
  readonly routing: RoutingStrategy.RoutingStrategy
  readonly reconcileEvery: Duration.Duration | undefined
  readonly onStop: "cancel" | "leave"
  readonly risk: Partial<Risk.Limits> & Pick<Risk.Limits, "products">
  readonly alerts: Partial<Alerts.Thresholds>
  readonly exchanges: ReadonlyArray<ExchangeConfig.ExchangeConfig>
  readonly history: History.History
}

const keys = [
  "venue",
  "products",
  "quote",
  "alike",
  "strategy",
  "interval",
  "book",
  "capital",
  "stop",
  "target",
  "shorts",
  "time_in_force",
  "patience",
  "routing",
  "reconcile_every",
  "on_stop",
  "limits",
  "alerts"
]

const limitKeys = [
  "confidence",
  "repeat_after",
  "per_hour",
  "per_day",
  "share",
  "max_exposure",
  "leverage",
  "minimum_amount",
  "minimum_value",
  "maximum_value",
  "signal_age",
  "price_age",
  "slippage",
  "max_lots",
  "max_per_product"
]

const counts = Tables.whole(1, 1_000_000, "a whole number, 1 to 1000000")
const confidences: Tables.Kind<number> = {
  expected: "a confidence from 0 to 1",
  read: (value) => typeof value === "number" && value >= 0 && value <= 1 ? value : undefined
}

/** What of it was said. Keys that are there with nothing would stand in the way of defaults. */
const said = <A extends object>(members: { readonly [K in keyof A]: A[K] | undefined }): Partial<A> => {
  const found: Partial<A> = {}
  for (const key in members) {
    const member = members[key]
    if (member !== undefined) found[key] = member
  }
  return found
}

const readLimits = Effect.fnUntraced(function*(table: Tables.Table) {
  const path = "trader.limits"
  const limits = yield* Tables.tableOf(table, "limits", path, limitKeys)
  const of = <A>(key: string, kind: Tables.Kind<A>) => Tables.read(limits, key, path, kind, undefined)
  const maxExposure = yield* of("max_exposure", Tables.shareOrWhole)
  const risk = said<Omit<Risk.Limits, "products" | "timeInForce">>({
    confidence: yield* of("confidence", confidences),
    repeatAfter: yield* of("repeat_after", Tables.duration),
    perHour: yield* of("per_hour", counts),
    perDay: yield* of("per_day", counts),
    share: yield* of("share", Tables.shareOrWhole),
    maxExposure,
    leverage: yield* of("leverage", Tables.amount),
    minimumAmount: yield* of("minimum_amount", Tables.amount),
    minimumValue: yield* of("minimum_value", Tables.amount),
    maximumValue: yield* of("maximum_value", Tables.amount),
    signalAge: yield* of("signal_age", Tables.duration),
    priceAge: yield* of("price_age", Tables.duration),
    slippage: yield* of("slippage", Tables.share)
  })
  const portfolio = said<Omit<Portfolio.Limits, "stop" | "target" | "recent">>({
    maxExposure,
    maxLots: yield* of("max_lots", counts),
    maxPerProduct: yield* of("max_per_product", counts)
  })
  return { risk, portfolio }
})

const alertKeys = ["drawdown", "hit_rate", "trades", "errors_per_minute", "exchanges", "memory_megabytes", "cpu"]

const readAlerts = Effect.fnUntraced(function*(table: Tables.Table) {
  const path = "trader.alerts"
  const alerts = yield* Tables.tableOf(table, "alerts", path, alertKeys)
  const of = (key: string, kind: Tables.Kind<number>) => Tables.read(alerts, key, path, kind, undefined)
  const shares = Tables.positive(1, "a share above 0, up to 1, such as 0.1")
  return said<Alerts.Thresholds>({
    drawdown: yield* of("drawdown", shares),
    hitRate: yield* of("hit_rate", shares),
    trades: yield* of("trades", counts),
    errorsPerMinute: yield* of("errors_per_minute", counts),
    exchanges: yield* of("exchanges", counts),
    memoryMegabytes: yield* of("memory_megabytes", counts),
    cpu: yield* of("cpu", shares)
  })
})

const readStrategy = Effect.fnUntraced(function*(table: Tables.Table): Effect.fn.Return<Strategy, UsageError> {
  const path = "trader.strategy"
  const written = Object.hasOwn(table, "strategy") ? table["strategy"] : "combined"
  if (!Predicate.isObject(written) || Array.isArray(written)) {
    return Tables.isOneOf(strategies)(written)
      ? { _tag: "Named", name: written }
      : yield* Tables.refuse(
        path,
        written,
        `${Tables.quoted(strategies)}, or a table of weights such as { fast = 0.4, momentum = 0.6 }`
      )
  }
  const found = yield* Tables.tableOf(table, "strategy", path, single)
  const weights: Partial<Record<typeof single[number], number>> = {}
  for (const name of single) {
    if (!Object.hasOwn(found, name)) continue
    weights[name] = yield* Tables.read(found, name, path, Tables.positive(1_000_000, "a weight above 0"), 0)
  }
  return Object.keys(weights).length === 0
    ? yield* Tables.refuse(path, undefined, `a weight of at least one of ${Tables.quoted(single)}`)
    : { _tag: "Weighted", weights }
})

// An order of a trader is not split.
const routings: Readonly<Record<string, (names: ReadonlyArray<string>) => RoutingStrategy.RoutingStrategy>> = {
  "best-price": () => RoutingStrategy.bestPrice,
  "least-latency": () => RoutingStrategy.leastLatency,
  "round-robin": () => RoutingStrategy.roundRobin(),
  priority: (names) => RoutingStrategy.priority(...names)
}

const readRouting = Effect.fnUntraced(function*(
  table: Tables.Table,
  names: ReadonlyArray<string>
): Effect.fn.Return<RoutingStrategy.RoutingStrategy, UsageError> {
  const known = [...Object.keys(routings), ...names]
  const chosen = yield* Tables.value(
    table,
    "routing",
    "trader",
    Tables.quoted(known),
    Tables.isOneOf(known),
    "priority"
  )
  return routings[chosen]?.(names) ?? RoutingStrategy.fixed(chosen)
})

const timesInForce = ["ioc", "gtc"] as const

const readTerms = Effect.fnUntraced(function*(
  table: Tables.Table
): Effect.fn.Return<Terms & { readonly timeInForce: typeof timesInForce[number] }, UsageError> {
  const path = "trader"
  const of = <A>(key: string, kind: Tables.Kind<A>) => Tables.read(table, key, path, kind, undefined)
  const { portfolio, risk } = yield* readLimits(table)
  const timeInForce = yield* Tables.value(
    table,
    "time_in_force",
    path,
    Tables.quoted(timesInForce),
    Tables.isOneOf(timesInForce),
    "ioc"
  )
  const [stop, target] = [yield* of("stop", Tables.share), yield* of("target", Tables.amount)]
  return {
    strategy: yield* readStrategy(table),
    interval: yield* Tables.read(table, "interval", path, Tables.duration, Duration.seconds(10)),
    book: yield* Tables.value(table, "book", path, "true or false", Predicate.isBoolean, false),
    capital: yield* of("capital", Tables.amount),
    timeInForce,
    patience: yield* of("patience", Tables.duration),
    risk: { ...risk, timeInForce },
    portfolio: { ...portfolio, ...(stop === undefined ? {} : { stop }), ...(target === undefined ? {} : { target }) }
  }
})

/**
 * Reads how a strategy trades from `[trader]`, whatever else the file says. What
 * is no matter of terms, such as its exchanges, is passed over.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parseTerms = Effect.fnUntraced(function*(root: Tables.Table): Effect.fn.Return<Terms, UsageError> {
  if (!Object.hasOwn(root, "trader")) return yield* Tables.refuse("trader", undefined, "a table [trader]")
  return yield* readTerms(yield* Tables.tableOf(root, "trader", "trader", keys))
})

const endings = ["cancel", "leave"] as const

/** The currency in which the products are paid, which is that of the account. */
const readQuote = Effect.fnUntraced(function*(
  table: Tables.Table,
  products: ReadonlyArray<string>
): Effect.fn.Return<string, UsageError> {
  const [first] = products
  const quote = first === undefined ? undefined : Symbols.parse(first)?.quote
  const expected = "the currency of the account, such as \"USD\""
  const found = yield* Tables.value(table, "quote", "trader", expected, Tables.isText, quote ?? "")
  return found === "" ? yield* Tables.refuse("trader.quote", undefined, expected) : found
})

/**
 * Reads `[trader]` with its `[exchanges]` and its `[history]`; `undefined` if it
 * is not there. `venues` are the names of those that have a table.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = Effect.fnUntraced(function*(
  root: Tables.Table,
  { env, isSimulated, venues }: {
    readonly env: Readonly<Record<string, string | undefined>>
    readonly isSimulated: boolean
    readonly venues: ReadonlyArray<string>
  }
): Effect.fn.Return<TraderConfig | undefined, UsageError> {
  if (!Object.hasOwn(root, "trader")) {
    for (const section of ["exchanges", "history"]) {
      if (Object.hasOwn(root, section)) {
        return yield* Tables.refuse(section, undefined, "[trader] beside it, which it is for")
      }
    }
    return undefined
  }
  const path = "trader"
  const table = yield* Tables.tableOf(root, path, path, keys)
  const of = <A>(key: string, kind: Tables.Kind<A>) => Tables.read(table, key, path, kind, undefined)
  const products = yield* Tables.textsOf(table, "products", path, "a list of products, such as [\"BTC-USD\"]")
  if (products.length === 0) {
    return yield* Tables.refuse(
      "trader.products",
      undefined,
      "at least one product, by its common name, such as [\"BTC-USD\"]"
    )
  }
  const exchanges = yield* ExchangeConfig.parse(root, { isSimulated, venues })
  if (exchanges.length === 0) {
    return yield* Tables.refuse("exchanges", undefined, "at least one exchange, such as [exchanges.paper]")
  }
  const history = yield* History.parse(root, env)
  if (history === undefined) {
    return yield* Tables.refuse("history.path", undefined, "where orders are kept, such as \"trader.sqlite\"")
  }
  const terms = yield* readTerms(table)
  return {
    ...terms,
    venue: yield* Tables.value(
      table,
      "venue",
      path,
      `one of the venues here: ${Tables.quoted(venues)}`,
      Tables.isOneOf(venues),
      venues[0] ?? ""
    ),
    products,
    quote: yield* readQuote(table, products),
    alike: yield* Tables.textsOf(table, "alike", path, "a list of currencies, such as [\"USDC\"]"),
    shorts: yield* Tables.value(table, "shorts", path, "true or false", Predicate.isBoolean, false),
    routing: yield* readRouting(table, exchanges.map(({ name }) => name)),
    reconcileEvery: yield* of("reconcile_every", Tables.duration),
    onStop: yield* Tables.value(table, "on_stop", path, Tables.quoted(endings), Tables.isOneOf(endings), "cancel"),
    risk: { ...terms.risk, products },
    alerts: yield* readAlerts(table),
    exchanges,
    history
  }
})
