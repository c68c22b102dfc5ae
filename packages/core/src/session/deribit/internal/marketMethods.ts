/**
 * Public methods of markets.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ExactSchema from "../../../codec/ExactSchema.ts"
import { BookSummary, Currency, Instrument, OrderBook, Ticker } from "../MarketSchemas.ts"
import * as Method from "../Method.ts"
import { currency, instrument, kind, maybe, none } from "./parameters.ts"

const Depth = ExactSchema.Integer.check(
  Schema.makeFilter((depth: number) => [1, 5, 10, 20, 50, 100, 1_000, 10_000].includes(depth), {
    expected: "1, 5, 10, 20, 50, 100, 1000 or 10000"
  })
)

/**
 * Instruments, books, tickers and indices.
 *
 * @category constants
 * @since 0.1.0
 */
export const market = {
  getCurrencies: Method.make("public/get_currencies", {
    kind: "query",
    params: none,
    result: Schema.Array(Currency)
  }),
  getInstruments: Method.make("public/get_instruments", {
    kind: "query",
    pool: "instruments",
    params: Schema.Struct({ ...currency, ...kind, expired: maybe(Schema.Boolean) }),
    result: Schema.Array(Instrument)
  }),
  getInstrument: Method.make("public/get_instrument", {
    kind: "query",
    params: Schema.Struct(instrument),
    result: Instrument
  }),
  getOrderBook: Method.make("public/get_order_book", {
    kind: "query",
    params: Schema.Struct({ ...instrument, depth: maybe(Depth) }),
    result: OrderBook
  }),
  ticker: Method.make("public/ticker", { kind: "query", params: Schema.Struct(instrument), result: Ticker }),
  getBookSummaryByCurrency: Method.make("public/get_book_summary_by_currency", {
    kind: "query",
    params: Schema.Struct({ ...currency, ...kind }),
    result: Schema.Array(BookSummary)
  }),
  getBookSummaryByInstrument: Method.make("public/get_book_summary_by_instrument", {
    kind: "query",
    params: Schema.Struct(instrument),
    result: Schema.Array(BookSummary)
  }),
  getIndexPrice: Method.make("public/get_index_price", {
    kind: "query",
    params: Schema.Struct({ index_name: Schema.String }),
    result: Schema.Struct({
      index_price: ExactSchema.Decimal,
      estimated_delivery_price: ExactSchema.optional(ExactSchema.Decimal)
    })
  })
}
