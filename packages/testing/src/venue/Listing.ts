/**
 * The few questions over HTTP that a general client asks a venue before it
 * subscribes: what is listed, and what time it is. Each answer has the venue's
 * own shape, and is of the mock's own products. Pure values.
 *
 * @since 0.1.0
 */
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Market } from "./Market.ts"

/**
 * A question: the method, the path without query, the query, and the body's
 * text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Question {
  readonly method: string
  readonly path: string
  readonly query: ReadonlyMap<string, string>
  readonly body: string
}

/**
 * What a venue may look at when it answers: the time in epoch milliseconds, and
 * the markets of all that it lists.
 *
 * @category models
 * @since 0.1.0
 */
export interface Floor {
  readonly atMillis: number
  readonly markets: ReadonlyArray<Market>
}

/**
 * Answers a question: the body, as JSON will have it; `undefined` where the
 * venue knows no such path, which is answered 404.
 *
 * @category models
 * @since 0.1.0
 */
export type Listing = (question: Question, floor: Floor) => unknown

/** A product in parts. `isPerpetual` where its symbol says so. */
interface Instrument {
  readonly symbol: string
  readonly base: string
  readonly quote: string
  readonly isPerpetual: boolean
  readonly priceScale: number
  readonly sizeScale: number
  readonly market: Market
}

/** Currencies that a symbol without a separator may end with, longest first. */
const quotes = ["FDUSD", "USDT", "USDC", "USD", "EUR", "BTC", "ETH"]

/** `BTC-USD`, `BTC/USD`, `BTC_USDC-PERPETUAL` and `BTC-PERPETUAL` (in dollars), `BTCUSDT`, and `BTC` (in dollars). */
const instrument = (market: Market): Instrument => {
  const { symbol } = market.product
  const spot = symbol.replace(/-PERPETUAL$/, "")
  const isPerpetual = spot !== symbol
  const [, second] = spot.split(/[-/_]/)
  const first = spot.replace(/[-/_].*/, "")
  const ending = quotes.find((quote) => first.endsWith(quote) && first.length > quote.length)
  const [base, quote] = second !== undefined
    ? [first, second]
    : ending === undefined
    ? [first, "USD"]
    : [first.slice(0, -ending.length), ending]
  const { priceScale, sizeScale } = market.state
  return { symbol, base, quote, isPerpetual, priceScale, sizeScale, market }
}

/** What is listed: the products whose symbols are spelt as the venue's own, or all where none is. */
const instruments = ({ markets }: Floor, spelling = /./): ReadonlyArray<Instrument> => {
  const own = markets.filter(({ product }) => spelling.test(product.symbol))
  return (own.length === 0 ? markets : own).map(instrument)
}

const spellings = { binance: /^[A-Z0-9]+$/, kraken: /\//, deribit: /-PERPETUAL$|_/ }

const currencies = (listed: ReadonlyArray<Instrument>): ReadonlyArray<string> => [
  ...new Set(listed.flatMap(({ base, quote }) => [base, quote]))
]

/** The last digit's unit: `0.01` of two decimals. */
const unit = (scale: number): string => Decimal.format(BigDecimal.make(1n, scale))

const unitNumber = (scale: number): number => Number(unit(scale))

/** The finest size of any product that is counted in the currency. */
const scaleOf = (listed: ReadonlyArray<Instrument>, currency: string): number =>
  Math.max(
    2,
    ...listed.flatMap(({ base, quote, sizeScale, priceScale }) =>
      base === currency ? [sizeScale] : quote === currency ? [priceScale] : []
    )
  )

/**
 * Coinbase Exchange: `/products`, `/products/<id>`, `/currencies`, `/time`.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-all-known-trading-pairs (read 2026-11-21)
 * @see https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/currencies/get-all-known-currencies (read 2026-11-21)
 * @category constants
 * @since 0.1.0
 */
export const coinbaseExchange: Listing = ({ path }, floor) => {
  const listed = instruments(floor)
  const products = listed.map(({ base, priceScale, quote, sizeScale, symbol }) => ({
    id: symbol,
    base_currency: base,
    quote_currency: quote,
    quote_increment: unit(priceScale),
    base_increment: unit(sizeScale),
    display_name: `${base}-${quote}`,
    min_market_funds: "1",
    margin_enabled: false,
    post_only: false,
    limit_only: false,
    cancel_only: false,
    status: "online",
    status_message: "",
    trading_disabled: false,
    fx_stablecoin: false,
    max_slippage_percentage: "0.02000000",
    auction_mode: false,
    high_bid_limit_percentage: ""
  }))
  switch (path) {
    case "/products":
      return products
    case "/currencies":
      return currencies(listed).map((id, index) => ({
        id,
        name: id,
        min_size: unit(scaleOf(listed, id)),
        status: "online",
        message: "",
        max_precision: unit(scaleOf(listed, id)),
        convertible_to: [],
        details: { type: /^(?:USD|EUR)$/.test(id) ? "fiat" : "crypto", symbol: null, sort_order: index },
        default_network: "",
        supported_networks: [],
        display_name: id
      }))
    case "/time":
      return {
        iso: Timestamp.format(Timestamp.fromEpochMillis(floor.atMillis)),
        epoch: floor.atMillis / 1_000
      }
    default:
      return products.find(({ id }) => path === `/products/${id}`)
  }
}

/**
 * Binance spot: `/api/v3/ping`, `/api/v3/time`, `/api/v3/exchangeInfo`, of all
 * products, of one (`symbol`) or of some (`symbols`).
 *
 * @see https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-endpoints (read 2026-11-21)
 * @category constants
 * @since 0.1.0
 */
export const binance: Listing = ({ path, query }, floor) => {
  switch (path) {
    case "/api/v3/ping":
      return {}
    case "/api/v3/time":
      return { serverTime: floor.atMillis }
    case "/api/v3/exchangeInfo": {
      const asked = query.get("symbols") ?? query.get("symbol")
      const symbols = instruments(floor, spellings.binance).filter(({ symbol }) =>
        asked === undefined || asked === symbol || asked.includes(`"${symbol}"`)
      )
      return {
        timezone: "UTC",
        serverTime: floor.atMillis,
        rateLimits: [
          { rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: 6_000 },
          { rateLimitType: "RAW_REQUESTS", interval: "MINUTE", intervalNum: 5, limit: 61_000 }
        ],
        exchangeFilters: [],
        symbols: symbols.map(({ base, priceScale, quote, sizeScale, symbol }) => ({
          symbol,
          status: "TRADING",
          baseAsset: base,
          baseAssetPrecision: sizeScale,
          quoteAsset: quote,
          quotePrecision: priceScale,
          quoteAssetPrecision: priceScale,
          baseCommissionPrecision: sizeScale,
          quoteCommissionPrecision: priceScale,
          orderTypes: ["LIMIT", "LIMIT_MAKER", "MARKET"],
          icebergAllowed: false,
          ocoAllowed: false,
          quoteOrderQtyMarketAllowed: false,
          allowTrailingStop: false,
          cancelReplaceAllowed: false,
          isSpotTradingAllowed: true,
          isMarginTradingAllowed: false,
          filters: [
            {
              filterType: "PRICE_FILTER",
              minPrice: unit(priceScale),
              maxPrice: "1000000.00000000",
              tickSize: unit(priceScale)
            },
            {
              filterType: "LOT_SIZE",
              minQty: unit(sizeScale),
              maxQty: "9000.00000000",
              stepSize: unit(sizeScale)
            }
          ],
          permissions: [],
          permissionSets: [["SPOT"]],
          defaultSelfTradePreventionMode: "EXPIRE_MAKER",
          allowedSelfTradePreventionModes: ["EXPIRE_MAKER"]
        }))
      }
    }
    default:
      return undefined
  }
}

/** As Kraken's REST API names a currency: bitcoin is `XBT`, with an `X` before old coins and a `Z` before old moneys. */
const krakenAsset: ReadonlyMap<string, { readonly id: string; readonly altname: string }> = new Map([
  ["BTC", { id: "XXBT", altname: "XBT" }],
  ["ETH", { id: "XETH", altname: "ETH" }],
  ["USD", { id: "ZUSD", altname: "USD" }],
  ["EUR", { id: "ZEUR", altname: "EUR" }]
])

const assetOf = (currency: string): { readonly id: string; readonly altname: string } =>
  krakenAsset.get(currency) ?? { id: currency, altname: currency }

/**
 * Kraken: `/0/public/Time`, `/0/public/SystemStatus`, `/0/public/Assets` and
 * `/0/public/AssetPairs`. Currencies have the REST API's own names, `XXBT` and
 * `ZUSD`, and a pair's `wsname` those of the first WebSocket API, `XBT/USD`.
 *
 * @see https://docs.kraken.com/api/docs/rest-api/get-tradable-asset-pairs (read 2026-11-21)
 * @see https://docs.kraken.com/api/docs/rest-api/get-asset-info (read 2026-11-21)
 * @category constants
 * @since 0.1.0
 */
export const kraken: Listing = ({ path }, floor) => {
  const listed = instruments(floor, spellings.kraken)
  const succeed = (result: object): object => ({ error: [], result })
  switch (path) {
    case "/0/public/Time":
      return succeed({ unixtime: Math.floor(floor.atMillis / 1_000) })
    case "/0/public/SystemStatus":
      return succeed({ status: "online", timestamp: Timestamp.format(Timestamp.fromEpochMillis(floor.atMillis)) })
    case "/0/public/Assets":
      return succeed(Object.fromEntries(
        currencies(listed).map((currency) => {
          const { altname, id } = assetOf(currency)
          const decimals = scaleOf(listed, currency)
          return [id, {
            aclass: "currency",
            altname,
            decimals,
            display_decimals: Math.min(decimals, 5),
            status: "enabled"
          }]
        })
      ))
    case "/0/public/AssetPairs":
      return succeed(Object.fromEntries(
        instruments(floor).map(({ priceScale, sizeScale, ...pair }) => {
          const [base, quote] = [assetOf(pair.base), assetOf(pair.quote)]
          return [base.id + quote.id, {
            altname: base.altname + quote.altname,
            wsname: `${base.altname}/${quote.altname}`,
            aclass_base: "currency",
            base: base.id,
            aclass_quote: "currency",
            quote: quote.id,
            lot: "unit",
            cost_decimals: priceScale,
            pair_decimals: priceScale,
            lot_decimals: sizeScale,
            lot_multiplier: 1,
            leverage_buy: [],
            leverage_sell: [],
            fees: [[0, 0.4]],
            fees_maker: [[0, 0.25]],
            fee_volume_currency: "ZUSD",
            margin_call: 80,
            margin_stop: 40,
            ordermin: unit(sizeScale),
            costmin: "0.5",
            tick_size: unit(priceScale),
            status: "online"
          }]
        })
      ))
    default:
      return undefined
  }
}

/**
 * Deribit: `/api/v2/public/test`, `…/get_time`, `…/get_currencies` and
 * `…/get_instruments`, of all or of one `currency`.
 *
 * @see https://docs.deribit.com/api-reference/market-data/public-get_instruments (read 2026-11-21)
 * @see https://docs.deribit.com/api-reference/market-data/public-get_currencies (read 2026-11-21)
 * @category constants
 * @since 0.1.0
 */
export const deribit: Listing = ({ path, query }, floor) => {
  const all = instruments(floor, spellings.deribit)
  const micros = floor.atMillis * 1_000
  const succeed = (result: unknown): object => ({
    jsonrpc: "2.0",
    result,
    usIn: micros,
    usOut: micros,
    usDiff: 0,
    testnet: false
  })
  switch (path) {
    case "/api/v2/public/test":
      return succeed({ version: "1.2.26" })
    case "/api/v2/public/get_time":
      return succeed(floor.atMillis)
    case "/api/v2/public/get_currencies":
      return succeed([...new Set(all.map(({ base }) => base))].map((currency) => ({
        currency,
        currency_long: currency,
        coin_type: currency,
        network_currency: currency,
        fee_precision: 4,
        min_confirmations: 1,
        min_withdrawal_fee: 0,
        withdrawal_fee: 0,
        withdrawal_priorities: [],
        in_cross_collateral_pool: false
      })))
    case "/api/v2/public/get_instruments": {
      const currency = query.get("currency") ?? "any"
      const listed = all.filter(({ base }) => currency === "any" || base === currency)
      return succeed(listed.map(({ base, isPerpetual, priceScale, quote, sizeScale, symbol }, index) => {
        const isInverse = isPerpetual && quote === "USD"
        return {
          instrument_id: index + 1,
          instrument_name: symbol,
          kind: isPerpetual ? "future" : "spot",
          ...(isPerpetual
            ? {
              instrument_type: isInverse ? "reversed" : "linear",
              future_type: isInverse ? "reversed" : "linear",
              settlement_period: "perpetual",
              settlement_currency: isInverse ? base : quote,
              max_leverage: 50,
              max_liquidation_commission: 0.0075
            }
            : { instrument_type: "linear" }),
          base_currency: base,
          quote_currency: quote,
          counter_currency: quote,
          price_index: `${base}_${quote}`.toLowerCase(),
          tick_size: unitNumber(priceScale),
          tick_size_steps: [],
          min_trade_amount: unitNumber(sizeScale),
          contract_size: unitNumber(sizeScale),
          taker_commission: 0.0005,
          maker_commission: 0,
          block_trade_commission: 0.00025,
          is_active: true,
          rfq: false,
          creation_timestamp: 1_534_242_287_000,
          expiration_timestamp: 32_503_708_800_000
        }
      }))
    }
    default:
      return undefined
  }
}

const Info = Schema.fromJsonString(Schema.Struct({ type: Schema.String }))

const readInfo = Schema.decodeUnknownResult(Info)

/**
 * Hyperliquid: POST `/info` of type `meta`, `spotMeta` and `allMids`. What the
 * mock lists are perpetuals; of spot there is the dollar alone.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint (read 2026-11-21)
 * @category constants
 * @since 0.1.0
 */
export const hyperliquid: Listing = ({ body, method, path }, floor) => {
  if (method !== "POST" || path !== "/info") return undefined
  const info = readInfo(body)
  if (Result.isFailure(info)) return undefined
  switch (info.success.type) {
    case "meta":
      return {
        universe: instruments(floor).map(({ sizeScale, symbol }) => ({
          name: symbol,
          szDecimals: sizeScale,
          maxLeverage: 40,
          marginTableId: 1
        })),
        marginTables: [[1, { description: "", marginTiers: [{ lowerBound: "0.0", maxLeverage: 40 }] }]],
        collateralToken: 0
      }
    case "spotMeta":
      return {
        universe: [],
        tokens: [{
          name: "USDC",
          szDecimals: 8,
          weiDecimals: 8,
          index: 0,
          tokenId: "0x6d1e7cde53ba9467b783cb7c530ce054",
          isCanonical: true,
          evmContract: null,
          fullName: null
        }]
      }
    case "allMids":
      return Object.fromEntries(instruments(floor).map(({ market, symbol }) => [symbol, market.last.price]))
    default:
      return undefined
  }
}

/**
 * dYdX v4's indexer: `/v4/time` and `/v4/perpetualMarkets`, of all or of one
 * `ticker` (or `market`).
 *
 * @see https://docs.dydx.xyz/indexer-client/http (read 2026-11-21)
 * @category constants
 * @since 0.1.0
 */
export const dydx: Listing = ({ path, query }, floor) => {
  switch (path) {
    case "/v4/time":
      return {
        iso: Timestamp.format(Timestamp.fromEpochMillis(floor.atMillis)),
        epoch: floor.atMillis / 1_000
      }
    case "/v4/perpetualMarkets": {
      const asked = query.get("ticker") ?? query.get("market")
      return {
        markets: Object.fromEntries(
          instruments(floor).flatMap(({ market, priceScale, sizeScale, symbol }, index) =>
            asked !== undefined && asked !== symbol ? [] : [[symbol, {
              clobPairId: String(index),
              ticker: symbol,
              status: "ACTIVE",
              oraclePrice: market.last.price,
              priceChange24H: "0",
              volume24H: market.last.volume,
              trades24H: market.last.tradeId,
              nextFundingRate: "0",
              initialMarginFraction: "0.05",
              maintenanceMarginFraction: "0.03",
              openInterest: "0",
              atomicResolution: -sizeScale,
              quantumConversionExponent: -9,
              tickSize: unit(priceScale),
              stepSize: unit(sizeScale),
              stepBaseQuantums: 1_000_000,
              subticksPerTick: 100_000,
              marketType: "CROSS",
              openInterestLowerCap: "0",
              openInterestUpperCap: "0",
              baseOpenInterest: "0",
              defaultFundingRate1H: "0"
            }]]
          )
        )
      }
    }
    default:
      return undefined
  }
}
